"""Run `credreport plan`: write the script that removes the decided users."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import starmap
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Final

import typer

from analyzer.cli.command import Config
from analyzer.cli.inputs import check_outputs, decision_inputs, require
from analyzer.cli.options import DecisionFiles, file_option, output_path_option
from analyzer.cli.streams import exit_if_failed_or_partial, say, text_stream, utc_now
from analyzer.cli.values import InputFile, number_parser
from analyzer.terms import count_text, printable, short_list, utc_text

if TYPE_CHECKING:
    from analyzer.decisions.ledger import Ledger
    from analyzer.decisions.plan import RemovalPlan
    from analyzer.report.model import Exemption

EXAMPLES: Final = ("credreport plan decisions.csv --report reports/ -o remove.sh",)


def plan(
    names: DecisionFiles,
    *,
    report: Annotated[
        list[str],
        typer.Option(
            metavar="SOURCE",
            help="Leave out users whose access changed since the decision, by this newer report;"
            " may be repeated.",
        ),
    ] = [],
    output: Annotated[
        Path | None,
        output_path_option(
            "Write the script to a file, beside the ledger, instead of standard output."
        ),
    ] = None,
    exemptions: Annotated[
        InputFile | None,
        file_option(
            "Leave out the users of this exemption list (default: those of the newest runs of"
            " export beside the ledger)."
        ),
    ] = None,
    owners: Annotated[
        InputFile | None,
        file_option(
            "Name the owners of this list beside the users, in place of those in the ledger."
        ),
    ] = None,
    max_age: Annotated[
        int,
        typer.Option(
            parser=number_parser(1, 36_500),
            metavar="DAYS",
            help="Set the age of the reports from which the script refuses to run.",
        ),
    ] = 45,
    config: Config = None,
) -> None:
    """Write a shell script that deactivates or deletes the users that reviewers decided on.

    The program changes nothing in AWS. Read the script, and run it to see what it would do. It
    checks each user in AWS first. Users that are left out are listed with the reason; then the
    exit code is 5.
    """
    files = decision_inputs(names)

    from analyzer.analysis.analysis import analyze
    from analyzer.decisions.collect import merged_update
    from analyzer.decisions.decision import user_names
    from analyzer.decisions.plan import exemption_notes, removal_plan, with_owners
    from analyzer.lists.owners import read_owners
    from analyzer.reviews.entries import read_files
    from analyzer.runs.ledger import is_listable, unread_file_notes
    from analyzer.sources.load import load, read_exemptions
    from analyzer.writers import headline

    _check_names(files)
    check_outputs([output] if output else [], [*files, exemptions, owners, *report, config])
    today = utc_now().date()
    update = merged_update(read_files(files, today))
    parents = sorted({Path(file.name).parent for file in files})
    unread = [
        sentence for folder in parents for sentence in unread_file_notes(folder, update.ledger)
    ]
    folders = [*filter(is_listable, parents)]
    decided_elsewhere, not_collected = _decisions_beside(update.ledger, folders, today)
    ledger = _with_outcomes_beside(update.ledger, folders)
    if owners:
        ledger = with_owners(ledger, read_owners(*owners), today)
    exempt = read_exemptions(exemptions) if exemptions else _exemptions_beside(ledger, folders)
    if report:
        analysis = analyze(load(*report), exemptions=exempt)
        result = removal_plan(ledger, exempt, analysis.report, analysis.pages(), decided_elsewhere)
        notes = headline.notes(analysis)
    else:
        result = removal_plan(ledger, exempt, decided_elsewhere=decided_elsewhere)
        notes = exemption_notes(ledger, exempt)
    too_old = [*_age_warning(result, max_age)]
    _write(result, files, output, max_age, can_run=not too_old)
    for note in (*update.notes, *unread, *too_old, *not_collected):
        say(note)
    for note in notes:
        say(f"Note: {note}")
    for user in result.left_out:
        say(f"Left out: {user}")
    if result.done:
        users = user_names(result.done)
        say(f"Done already for {count_text(len(users), 'user')}: {short_list(users)}.")
    exit_if_failed_or_partial(missing=[*result.left_out, *not_collected, *unread])


def _decisions_beside(
    ledger: "Ledger", folders: list[Path], today: date
) -> tuple[dict[str, Path], list[str]]:
    """Return the files of runs in the folders with decisions that the ledger lacks, by ARN.

    Return a sentence on each file, too. Raises InputRefused if the users of a file are unknown.
    """
    from analyzer.runs.ledger import uncollected_decisions, uncollected_sentence

    arns_by_file = dict(
        found for folder in folders for found in uncollected_decisions(folder, ledger, today)
    )
    decided_elsewhere = {arn: path for path, arns in arns_by_file.items() for arn in arns}
    return decided_elsewhere, [*starmap(uncollected_sentence, arns_by_file.items())]


def _with_outcomes_beside(ledger: "Ledger", folders: list[Path]) -> "Ledger":
    """Return a ledger with the outcomes in follow-ups in the folders, and in runs there.

    Raises InputRefused for a follow-up that is not understood.
    """
    from analyzer.errors import InputRefused
    from analyzer.runs.ledger import with_earlier_outcomes
    from analyzer.runs.run_folders import runs

    with_subfolders = sorted(path for folder in folders for path in (folder, *folder.glob("*")))
    complete = [run for folder in folders for run in runs(folder)]
    ledger, problems = with_earlier_outcomes(ledger, with_subfolders, complete)
    if problems:
        raise InputRefused(problems)
    return ledger


def _exemptions_beside(ledger: "Ledger", folders: list[Path]) -> "list[Exemption]":
    """Return the exemptions of users to remove, from the lists of runs in the folders."""
    from analyzer.decisions.plan import matching_exemptions
    from analyzer.runs.inputs import exemption_lists
    from analyzer.sources.load import read_exemptions

    every = [entry for path in exemption_lists(folders) for entry in read_exemptions(path)]
    return matching_exemptions(ledger, every)


def _age_warning(result: "RemovalPlan", max_age: int) -> Iterator[str]:
    oldest = min((removal.confirmed for removal in result.removals), default=None)
    if oldest and oldest + timedelta(max_age) < utc_now():
        yield (
            f"The script will refuse to run: a report is of {utc_text(oldest)}, more than"
            f" {max_age:,} days ago. Name a newer one with --report, or set --max-age."
        )


def _check_names(files: list[InputFile]) -> None:
    """Refuse two files of one name, and a name that would hide lines of the script on a terminal.

    The script looks for all files in its own folder. Raises typer.BadParameter.
    """
    names = [Path(file.name).name for file in files]
    twice = next((name for name in names if names.count(name) > 1), None)
    message = f"two files are called {twice}, and the script needs them in one folder"
    require(not twice, f"{message}: name each once, or rename one", "FILES")
    odd = next((name for name in names if not name.isprintable()), "")
    require(not odd, f"a name cannot be printed: {printable(odd)}: rename the file", "FILES")


def _write(
    result: "RemovalPlan",
    files: list[InputFile],
    output: Path | None,
    max_age: int,
    *,
    can_run: bool,
) -> None:
    from analyzer.decisions.plan import removal_script
    from analyzer.files import replacing
    from analyzer.report.model import FileReference

    ledgers = [FileReference(name=Path(file.name).name, sha256=file.sha256) for file in files]
    left_out = [*map(str, result.left_out)]
    script = removal_script(
        result.removals, ledgers=ledgers, left_out=left_out, max_age_days=max_age
    )
    if not result.removals:
        say("No user is to be deactivated or deleted: the script changes nothing.")
    if output is None:
        with text_stream() as stream:
            stream.write(script)
        return
    with replacing(output) as stream:
        stream.write(script.encode())
    count = len(result.removals)
    next_step = f" Read it, then run it: {_run_command(files, output)}" if count and can_run else ""
    say(f"Wrote {output} for {count_text(count, 'user')}.{next_step}")


def _run_command(files: list[InputFile], output: Path) -> str:
    """Return how to run the script, so that it reads the ledgers themselves.

    A copy of a ledger lacks the decisions that are changed later.
    """
    beside = [(output.with_name(Path(file.name).name), file.name) for file in files]
    if all(path.is_file() and path.samefile(name) for path, name in beside):
        return f"sh {output}"
    folders = {Path(file.name).parent for file in files}
    folder = quote(str(folders.pop())) if len(folders) == 1 else "PATH"
    return f"LEDGER_FOLDER={folder} sh {output}\nA copy of the ledger lacks what is decided later."
