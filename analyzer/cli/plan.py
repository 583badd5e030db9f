"""Run `credreport plan`: write the script that removes the decided users."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final

import typer

from analyzer.cli.inputs import check_outputs, decision_inputs, exemptions_of, require
from analyzer.cli.options import EXEMPT, FILE, OUTPUT, REPEATED, DecisionFiles
from analyzer.cli.streams import exit_if_failed_or_partial, say, text_stream, utc_now
from analyzer.cli.values import InputFile, whole_number
from analyzer.terms import count_text, printable, short_list, utc_text

if TYPE_CHECKING:
    from analyzer.decisions.ledger import Ledger
    from analyzer.decisions.plan import RemovalPlan

EXAMPLES: Final = (
    "credreport plan decisions.csv --report reports/ --exemptions exemptions.csv",
    "credreport plan decisions.csv --report runs/ --exemptions none -o remove.sh",
)


def plan(
    names: DecisionFiles,
    *,
    report: list[str] = typer.Option(
        [],
        metavar="SOURCE",
        help="Leave out users whose access changed since the decision, by this newer report;"
        f" {REPEATED}",
    ),
    output: Path | None = typer.Option(
        None,
        *OUTPUT,
        metavar="FILE",
        help="Write the script to a file, beside the ledger, instead of standard output.",
    ),
    exemptions: str | None = typer.Option(
        None, metavar="FILE|none", help="Leave out the users of this exemption list."
    ),
    exempt: list[str] = typer.Option([], **EXEMPT),
    owners: InputFile | None = typer.Option(
        None,
        **FILE,
        help="Name the owners of this list beside the users, in place of those in the ledger.",
    ),
    max_age: int = typer.Option(
        45,
        **whole_number(1, 36_500),
        help="Set the age of the reports from which the script refuses to run.",
    ),
) -> None:
    """Write a shell script that deactivates or deletes the users that reviewers decided on.

    The program changes nothing in AWS. Read the script, and run it to see what it would do. It
    checks each user in AWS first. Users that are left out are listed with the reason; then the
    exit code is 5.
    """
    require(bool(report), "name the reports that are newer than the decisions", "--report")
    require(bool(exemptions), "name the list of exemptions, or write none", "--exemptions")
    files = decision_inputs(names)

    from analyzer.analysis.analysis import analyze
    from analyzer.decisions.collect import collect
    from analyzer.decisions.decision import user_names
    from analyzer.decisions.ledger import Ledger
    from analyzer.decisions.plan import DELETED_LATER, longest_gap, removal_plan, with_owners
    from analyzer.lists.owners import read_owners
    from analyzer.reviews.entries import read_files
    from analyzer.sources.load import load
    from analyzer.writers import headline

    _check_names(files)
    listed = decision_inputs([exemptions]) if exemptions and exemptions != "none" else []
    check_outputs([output] if output else [], [*files, *listed, owners, *report])
    today = utc_now().date()
    entries = read_files(files, today)
    entered = collect(Ledger(), entries).ledger
    ledger = entered.with_lines(line for file in entries for line in file.lines if line.is_fact)
    _refuse_uncollected(ledger, files, today)
    if owners:
        ledger = with_owners(ledger, read_owners(*owners), today)
    exemption_list = exemptions_of(listed[0] if listed else None, exempt)
    analysis = analyze(load(*report), exemptions=exemption_list)
    result = removal_plan(ledger, analysis.report, analysis.judged)
    too_old = [*_age_warning(result, max_age)]
    _write(result, [*files, *listed], output, max_age, can_run=not too_old)
    newest = max(file.as_of for file in analysis.report.files)
    notes = (*(note for file in entries for note in file.notes), *ledger.notes(newest.date()))
    for note in (*notes, *too_old, *longest_gap(ledger, analysis.report)):
        say(note)
    for note in headline.notes(analysis):
        say(f"Note: {note}")
    for user in result.left_out:
        say(f"Left out: {user}")
    if first := [removal.line for removal in result.removals if removal.is_deleted_later]:
        say(f"Deactivated first, and {DELETED_LATER}: {short_list(user_names(first))}.")
    if result.done:
        users = user_names(result.done)
        say(f"Done already for {count_text(len(users), 'user')}: {short_list(users)}.")
    exit_if_failed_or_partial(missing=[user for user in result.left_out if user.stands])


def _refuse_uncollected(ledger: "Ledger", files: list[InputFile], today: date) -> None:
    """Raise InputRefused if a file beside a ledger has entries that it lacks."""
    from analyzer.errors import InputRefused
    from analyzer.reviews.uncollected import files_beside, uncollected
    from analyzer.runs.run_folders import runs

    known = {file.sha256 for file in files}
    for folder in sorted({Path(file.name).parent for file in files}):
        of_folder = runs(folder)
        known |= {digest for run in of_folder for digest in run.files.values()}
        paths = files_beside(folder, [run.path for run in of_folder])
        if problems := [*uncollected(paths, ledger, today, known)]:
            raise InputRefused(problems)


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
    script = f"sh {quote(str(output))}"
    beside = [(output.with_name(Path(file.name).name), file.name) for file in files]
    if all(path.is_file() and path.samefile(name) for path, name in beside):
        return script
    folders = {Path(file.name).parent for file in files}
    folder = quote(str(folders.pop())) if len(folders) == 1 else "PATH"
    return f"LEDGER_FOLDER={folder} {script}\nA copy of the ledger lacks what is decided later."
