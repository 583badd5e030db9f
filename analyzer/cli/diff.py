"""Wire `credreport diff`: load and judge two reports, write what changed."""

from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from analyzer.cli.choices import Command, path_ending
from analyzer.cli.input_options import InputFile, InputOptions, Inputs, find_inputs, load, moment
from analyzer.cli.judging_options import JudgingOptions, check_decisions, read_judging
from analyzer.cli.options import Config, with_options
from analyzer.cli.output_options import check_outputs
from analyzer.cli.stderr import exit_if_failed_or_partial, say
from analyzer.errors import InputRefused, Problem
from analyzer.files import replacing
from analyzer.terms import AsOfSource, Format

if TYPE_CHECKING:
    from analyzer.judging.analysis import Analysis, JudgingRequest
    from analyzer.report.model import Report, ReportFile
    from analyzer.writers.changes import Comparison


class ChangesFormat(StrEnum):
    """Choose what standard output gets."""

    TABLE = Format.TABLE.value
    CSV = Format.CSV.value
    JSON = Format.JSON.value


app = typer.Typer(add_completion=False)


@app.command(cls=Command, no_args_is_help=True)
@with_options
def diff(
    old: Annotated[
        str,
        typer.Argument(
            metavar="OLD",
            help="The earlier report: a file, a folder, a pattern, a zip archive or the folder of"
            " a run of export; - reads standard input.",
        ),
    ],
    new: Annotated[
        str, typer.Argument(metavar="NEW", help="The later report, in one of the same forms.")
    ],
    *,
    output: Annotated[
        list[Path],
        typer.Option(
            "-o",
            "--output",
            parser=path_ending(".csv", ".json"),
            metavar="FILE",
            help="Write the changes to a .csv or .json file; may be repeated.",
        ),
    ] = [],
    format_: Annotated[
        ChangesFormat | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help=f"Write to standard output: {', '.join(ChangesFormat)}. Default table, if no"
            " file is written.",
        ),
    ] = None,
    old_as_of: Annotated[
        datetime | None,
        typer.Option(
            parser=moment,
            metavar="TIME",
            help="Set the time that OLD describes, such as 2026-03-01T09:30:00Z.",
        ),
    ] = None,
    new_as_of: Annotated[
        datetime | None,
        typer.Option(parser=moment, metavar="TIME", help="Set the time that NEW describes."),
    ] = None,
    judging_options: JudgingOptions,
    raw_csv: Annotated[
        bool,
        typer.Option(
            "--raw-csv", help="Write CSV cells that look like formulas without a leading '."
        ),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Write errors only.")] = False,
    config: Config = None,
) -> None:
    """Show what changed between two reports: users, verdicts, credentials and findings.

    The options for verdicts and rules apply to both reports, --fail-on to NEW. A run of export
    brings its own as-of, exemption list, account names and decisions, unless options set them.
    """
    from analyzer.cli import stdout

    check_decisions(judging_options)
    if old == new == "-":
        raise typer.BadParameter("only one of OLD and NEW can be -", param_hint="NEW")
    sides = [
        _side(name, as_of, judging_options) for name, as_of in ((old, old_as_of), (new, new_as_of))
    ]
    check_outputs(output, [*(path for side in sides for path in side.paths), config])
    before, now = (side.judging.analysis(load(side.inputs, quiet=quiet)) for side in sides)
    compared = _comparison(before, now, f"{old} and {new}")
    with ExitStack() as files:
        for path in output:
            stream = files.enter_context(replacing(path))
            form = Format(path.suffix.lower().removeprefix("."))
            stdout.write_changes_as(compared, form, stream, raw_csv=raw_csv)
    shown = format_ or (None if output else ChangesFormat.TABLE)
    if shown:
        stdout.write_comparison(compared, Format(shown), raw_csv=raw_csv)
    if not quiet:
        is_shown = shown is ChangesFormat.TABLE and stdout.is_terminal()
        _say_summary(compared, output, is_shown=is_shown)
    missing = _not_compared(compared)
    for line in missing:
        say(line)
    failures = sides[-1].judging.failures(now)
    exit_if_failed_or_partial(failures, partial=bool(missing), quiet=quiet)


class _Side(NamedTuple):
    """Hold the reports of one side, what they are judged by, and the paths of all that is read."""

    inputs: Inputs
    judging: "JudgingRequest"
    paths: "list[str | Path | None]"


def _side(name: str, as_of: datetime | None, options: JudgingOptions) -> _Side:
    """Return the side that a name stands for; a run brings its reports, as-of and lists.

    Raises typer.BadParameter for contradicting options, InputRefused for a list.
    """
    from analyzer.exports.contents import ACCOUNTS, DECISIONS, EXEMPTIONS
    from analyzer.exports.reports import REPORTS
    from analyzer.exports.run_record import as_of_option, read_record

    folder = Path(name)
    record = read_record(folder)
    if record is not None:
        name = str(folder / REPORTS)
        as_of = as_of or as_of_option(record)
        options = replace(
            options,
            exemptions=options.exemptions or _file_of_run(folder / EXEMPTIONS),
            accounts=options.accounts or _file_of_run(folder / ACCOUNTS),
            decisions=options.decisions or _file_of_run(folder / DECISIONS),
        )
    judging = read_judging(options)
    inputs = find_inputs([name], InputOptions(as_of=as_of))
    return _Side(inputs, judging, [*inputs.paths(), *options.input_names()])


def _file_of_run(path: Path) -> InputFile | None:
    return InputFile(str(path), path.read_bytes()) if path.is_file() else None


def _comparison(before: "Analysis", now: "Analysis", place: str) -> "Comparison":
    """Compare two analyses; `place` names both in a refusal.

    Raises InputRefused where they are in the wrong order, or have no account in common.
    """
    from analyzer.changes.diff import changes, compared_accounts, out_of_order
    from analyzer.changes.snapshot import snapshot
    from analyzer.writers.changes import Comparison

    sides = snapshot(before), snapshot(now)
    if accounts := out_of_order(*sides):
        raise InputRefused(_order_problem(before, now, each) for each in sorted(accounts))
    accounts = compared_accounts(*sides)
    if not accounts:
        raise InputRefused([_nothing_in_common(before, now, place)])
    return Comparison(before=before, now=now, changes=changes(*sides), accounts=len(accounts))


def _nothing_in_common(before: "Analysis", now: "Analysis", place: str) -> Problem:
    from analyzer.judging.filters import account_labels
    from analyzer.terms import short_list

    old, new = (short_list(account_labels(each.report)) or "unknown" for each in (before, now))
    message = f"no account has a report in both: OLD has account {old}, NEW has account {new}"
    hint = "Name two reports of the same account, the earlier first: credreport diff OLD NEW."
    return Problem.of_file(place, message, hint)


def _order_problem(before: "Analysis", now: "Analysis", account: str) -> Problem:
    old, new = (_newest_file(analysis.report, account) for analysis in (before, now))
    message = (
        f"as of {new.as_of:%Y-%m-%d %H:%M} UTC, earlier than {old.name}"
        f" ({old.as_of:%Y-%m-%d %H:%M} UTC)"
    )
    hint = "Put the earlier report first: credreport diff OLD NEW."
    if AsOfSource.ASSUMED in (old.as_of_source, new.as_of_source):
        hint += " If the order is right, set the times with --old-as-of and --new-as-of."
    return Problem.of_file(new.name, message, hint)


def _newest_file(report: "Report", account: str) -> "ReportFile":
    files = (file for file in report.files if account in (each.account for each in file.accounts))
    return max(files, key=lambda file: file.as_of)


def _say_summary(compared: "Comparison", written: list[Path], *, is_shown: bool) -> None:
    """Say what was compared, unless a table showed it, the notes, and what was written."""
    from analyzer.writers import users
    from analyzer.writers.changes_table import compared_reports, count_sentence

    if not is_shown:
        for line in (*compared_reports(compared), count_sentence(compared)):
            say(line)
    for side, option, analysis in (
        ("before", "--old-as-of", compared.before),
        ("now", "--new-as-of", compared.now),
    ):
        for note in users.notes(analysis):
            say(f"Note ({side}): {note.replace('--as-of', option)}")
    for path in written:
        say(f"Wrote {path}")


def _not_compared(compared: "Comparison") -> list[str]:
    """Return a line for each account that was not compared, with the cause."""
    from analyzer.changes.diff import CAUSE, CHANGE
    from analyzer.changes.users import Change
    from analyzer.columns import ACCOUNT

    missing = compared.changes[compared.changes[CHANGE] == Change.NOT_COVERED]
    pairs = zip(missing[ACCOUNT], missing[CAUSE], strict=True)
    return [f"Account {account} was not compared: {cause}" for account, cause in pairs]
