"""Run `credreport plan`: write the script that removes the decided users."""

from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Final

import typer

from analyzer.cli.inputs import check_outputs, decision_inputs, exemptions_of, require
from analyzer.cli.options import EXEMPT, OUTPUT, REPEATED
from analyzer.cli.streams import exit_if_failed_or_partial, say, text_stream, utc_now
from analyzer.cli.values import InputFile
from analyzer.terms import count_text, printable, short_list

if TYPE_CHECKING:
    from analyzer.decisions.ledger import Ledger
    from analyzer.decisions.plan import RemovalPlan

EXAMPLES: Final = (
    "credreport plan decisions.csv --report reports/ --exemptions exemptions.csv",
    "credreport plan decisions.csv --report runs/ --exemptions none -o remove.sh",
)


def plan(
    names: Annotated[
        list[str], typer.Argument(metavar="LEDGERS", help="The ledger, or several to merge (CSV).")
    ],
    *,
    report: list[str] = typer.Option(
        ...,
        metavar="SOURCE",
        help="Compare each user with this report: the newest, and all since the decisions;"
        f" {REPEATED}",
    ),
    output: Path | None = typer.Option(
        None,
        *OUTPUT,
        metavar="FILE",
        help="Write the script to a file, beside the ledger, instead of standard output.",
    ),
    exemptions: str = typer.Option(
        ...,
        metavar="FILE|none",
        help="Leave out the users of this exemption list; none if you have no list.",
    ),
    exempt: list[str] = typer.Option([], **EXEMPT),
) -> None:
    """Write a shell script that deactivates or deletes the users that reviewers decided on.

    The program changes nothing in AWS. Read the script, and run it to see what it would do. It
    checks each user in AWS first. Users that are left out are listed with the reason; if a decision
    stands that is not carried out, the exit code is 5.
    """
    files = decision_inputs(names)

    from analyzer.analysis.analysis import analyze
    from analyzer.decisions.decision import user_names
    from analyzer.decisions.ledger import Ledger, read_entries
    from analyzer.decisions.plan import longest_gap, reason, removal_plan
    from analyzer.report.age import refuse_later
    from analyzer.sources.load import load
    from analyzer.writers import headline

    _check_names(files)
    listed = [] if exemptions == "none" else decision_inputs([exemptions])
    check_outputs([output] if output else [], [*files, *listed, *report])
    ledger = Ledger().with_lines(line for file in files for line in read_entries(*file).lines)
    _refuse_uncollected(ledger, files)
    exemption_list = exemptions_of(listed[0] if listed else None, exempt)
    given = load(*report)
    refuse_later(given, utc_now())
    analysis = analyze(given, exemptions=exemption_list)
    result = removal_plan(ledger, analysis.report, analysis.judged)
    too_old = [*_age_warning(result)]
    _write(result, [*files, *listed], output, can_run=not too_old)
    newest = max(file.as_of for file in analysis.report.files)
    for note in (*ledger.notes(newest.date()), *too_old, *longest_gap(ledger, analysis.report)):
        say(note)
    for note in headline.notes(analysis):
        say(f"Note: {note}")
    for fate in result.left_out:
        say(f"Left out: {reason(fate)}")
    for text in dict.fromkeys(filter(None, (fate.restraint for fate in result.removals))):
        lines = [fate.line for fate in result.removals if fate.restraint == text]
        say(f"To delete, {text}: {short_list(user_names(lines))}.")
    if result.done:
        users = user_names([fate.line for fate in result.done])
        say(f"Done already for {count_text(len(users), 'user')}: {short_list(users)}.")
    exit_if_failed_or_partial(missing=result.missing)


def _refuse_uncollected(ledger: "Ledger", files: list[InputFile]) -> None:
    """Raise InputRefused if a file beside a ledger has entries that it lacks, or cannot be read.

    All files of its folder and below are read, and of the folder that the ledger really lies in.
    """
    from analyzer.errors import InputRefused
    from analyzer.reviews.uncollected import uncollected
    from analyzer.runs.inputs import written_by_runs

    paths = [Path(file.name) for file in files]
    folders = [path.parent for path in (*paths, *map(Path.resolve, paths))]
    known = {file.sha256 for file in files}.union(*map(written_by_runs, folders))
    if problems := [*uncollected(folders, ledger, known)]:
        raise InputRefused(problems)


def _age_warning(result: "RemovalPlan") -> Iterator[str]:
    from analyzer.decisions.plan import last_moment

    first = min(map(last_moment, result.removals), default=None)
    if first and first < utc_now():
        yield f"The script will refuse to run: the time to carry it out ended on {first.date()}."


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
    *,
    can_run: bool,
) -> None:
    from analyzer.decisions.plan import reason, removal_script
    from analyzer.files import replacing
    from analyzer.report.model import FileReference

    ledgers = [FileReference(name=Path(file.name).name, sha256=file.sha256) for file in files]
    left_out = [*map(reason, result.left_out)]
    script = removal_script(result.removals, ledgers=ledgers, left_out=left_out)
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
    if len(folders) > 1:
        names = short_list([file.name for file in files])
        return f"{script}\nBut first put it into one folder with {names}: it looks for them there."
    folder = quote(str(folders.pop()))
    return f"LEDGER_FOLDER={folder} {script}\nA copy of the ledger lacks what is decided later."
