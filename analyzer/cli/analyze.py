"""Wire `credreport analyze`: load the reports, judge the users, write the outputs."""

import re
from functools import partial
from os.path import realpath
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from analyzer.cli.choices import Command, choice, completion
from analyzer.cli.filter_options import FilterOptions
from analyzer.cli.input_options import InputOptions
from analyzer.cli.judging_options import JudgingOptions
from analyzer.cli.options import Config, with_options
from analyzer.cli.stderr import say
from analyzer.errors import FAILED, PARTIAL
from analyzer.report.input_size import InputLimit
from analyzer.terms import (
    OUTPUT_ENDINGS,
    OVERDUE,
    REGION_PATTERN,
    Format,
    Verdict,
    WorkbookSheets,
    printable,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.analysis import Analysis

ALL_VERDICTS: Final = "all"
_COMPANION_NAME_TEXT: Final = "has the name of a file that is saved with reports"


def _output_path(text: str) -> Path:
    if Path(text).suffix.lower() not in OUTPUT_ENDINGS:
        raise typer.BadParameter(f"{text} must end in {', '.join(OUTPUT_ENDINGS)}")
    return Path(text)


def _csv_path(text: str) -> Path:
    if Path(text).suffix.lower() != ".csv":
        raise typer.BadParameter(f"{text} must end in .csv")
    return Path(text)


def _findings_path(text: str) -> Path:
    if Path(text).suffix.lower() not in (".csv", ".parquet"):
        raise typer.BadParameter(f"{text} must end in .csv or .parquet")
    return Path(text)


def _mode(text: str) -> int:
    if not re.fullmatch("0?[0-7]{3}", text, re.ASCII):
        raise typer.BadParameter(f'invalid mode "{printable(text)}": use octal such as 640')
    return int(text, 8)


def _region(name: str | None) -> str | None:
    if name is not None and not re.fullmatch(REGION_PATTERN, name):
        raise typer.BadParameter(f"'{name}': use a region such as eu-west-1")
    return name


def _verdicts(words: list[str]) -> list[str]:
    """Return the verdicts named, all of them for `all`."""
    known = (*Verdict, ALL_VERDICTS)
    if unknown := [word for word in words if word not in known]:
        raise typer.BadParameter(f"'{', '.join(unknown)}': choose from {', '.join(known)}")
    return list(Verdict) if ALL_VERDICTS in words else words


_output_panel = partial(typer.Option, rich_help_panel="Output")


HubRegion = Annotated[
    str | None,
    _output_panel(
        callback=_region,
        metavar="REGION",
        help="Set the region of the Security Hub that imports ASFF; default the home region of the"
        " partition.",
    ),
]
"""The option for the region that ASFF is written for."""


app = typer.Typer(add_completion=False)


@app.command(cls=Command, no_args_is_help=True)
@with_options
def analyze(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCES",
            help="Files, folders, patterns or zip archives of credential reports; - reads one from"
            " standard input. CSV from the console, JSON from the AWS CLI, base64, gzip and UTF-16"
            " are recognized.",
        ),
    ],
    *,
    output: Annotated[
        list[Path],
        typer.Option(
            "-o",
            "--output",
            parser=_output_path,
            metavar="FILE",
            help="Write a file: .xlsx, .csv, .json, .parquet, or findings as .ocsf.json or"
            " .asff.json; may be repeated.",
        ),
    ] = [],
    format_: Annotated[
        Format | None,
        typer.Option(
            "--format",
            parser=choice(Format),
            autocompletion=completion(lambda: Format),
            metavar="FORMAT",
            help=f"Write to standard output: {', '.join(Format)} (names: ARNs of certain, not"
            " exempt users). Default table, if no file is written.",
        ),
    ] = None,
    verdict: Annotated[
        list[str],
        typer.Option(
            callback=_verdicts,
            autocompletion=completion(lambda: (*Verdict, ALL_VERDICTS)),
            metavar="VERDICT",
            help=f"List users with this verdict: {', '.join(Verdict)} or {ALL_VERDICTS};"
            " may be repeated. A workbook always has all users.",
        ),
    ] = [Verdict.UNUSED.value],
    inputs: InputOptions,
    filters: FilterOptions,
    judging: JudgingOptions,
    sheets: Annotated[
        WorkbookSheets,
        _output_panel(
            parser=choice(WorkbookSheets),
            autocompletion=completion(lambda: WorkbookSheets),
            metavar="SHEETS",
            help="Sheets of the workbook: all, or review for Summary, the lists to decide in,"
            " Follow-up and Method only.",
        ),
    ] = WorkbookSheets.ALL,
    details: Annotated[
        bool, _output_panel("--details", help="Show the first findings of each rule in the table.")
    ] = False,
    check: Annotated[
        bool,
        _output_panel(
            "--check",
            help="With --format names, list users to check too, except those that may have an"
            " active service-specific credential.",
        ),
    ] = False,
    findings: Annotated[
        Path | None,
        _output_panel(
            parser=_findings_path,
            metavar="FILE",
            help="Write all findings to a file: .csv or .parquet.",
        ),
    ] = None,
    follow_up: Annotated[
        Path | None,
        _output_panel(
            parser=_csv_path,
            metavar="FILE.csv",
            help="Write what became of the decisions of --decisions to delete or deactivate.",
        ),
    ] = None,
    mode: Annotated[
        int | None,
        _output_panel(
            parser=_mode,
            metavar="OCTAL",
            help="Set the permissions of the files, such as 640; default 600, and for a file that"
            " is replaced as before.",
        ),
    ] = None,
    hub_region: HubRegion = None,
    raw_csv: Annotated[
        bool,
        _output_panel(
            "--raw-csv", help="Write CSV cells that look like formulas without a leading '."
        ),
    ] = False,
    quiet: Annotated[
        bool,
        _output_panel(
            "--quiet",
            "-q",
            help="Write errors only: no summary, and no table without --format table.",
        ),
    ] = False,
    config: Config = None,
) -> None:
    """Find unused IAM users: never signed in, and no active access key."""
    # The heavy packages are imported here: --help stays quick.
    import pyarrow as pa

    from analyzer.cli import stderr, stdout
    from analyzer.writers import write

    if check and format_ is not Format.NAMES:
        raise typer.BadParameter("use it with --format names only", param_hint="--check")
    if sheets is not WorkbookSheets.ALL and not any(
        each.suffix.lower() == ".xlsx" for each in output
    ):
        raise typer.BadParameter("use it with -o FILE.xlsx only", param_hint="--sheets")
    judging.check()
    check_decisions(judging, follow_up)
    limit = InputLimit(inputs.max_input)
    every_source = inputs.sources(sources, limit)
    targets = [*output, *filter(None, (findings, follow_up))]
    lists = [each.path for each in judging.input_files()]
    check_outputs(
        targets, [*sources, *(each.archive or each.path for each in every_source), *lists, config]
    )
    # Arrow's own pool hands memory back only to take it anew, and the kernel clears it each time:
    # 1,000 reports of 500 rows take 1.13 times as long.
    pa.set_memory_pool(pa.system_memory_pool())
    report = inputs.report(sources, every_source, limit, quiet=quiet)
    analysis = filters.filtered(judging.named_analysis(report))
    verdicts = [Verdict(word) for word in verdict]
    write(
        analysis,
        *output,
        verdicts=verdicts,
        raw_csv=raw_csv,
        findings=findings,
        follow_up=follow_up,
        region=hub_region,
        mode=mode,
        sheets=sheets,
    )
    form = format_ or (None if targets or quiet else Format.TABLE)
    if form:
        stdout.write(analysis, form, verdicts, raw_csv=raw_csv, details=details, check=check)
    if not quiet:
        lines = _summary(analysis, form, verdicts, details=details, check=check)
        stderr.print_lines(lines, targets)
    _exit_if_failed_or_partial(analysis, judging, quiet=quiet)


def check_decisions(judging: JudgingOptions, follow_up: Path | None = None) -> None:
    """Refuse to follow up what is not there: without decisions nothing would look overdue.

    Raises typer.BadParameter.
    """
    if judging.decisions:
        return
    if follow_up:
        raise typer.BadParameter("name the ledger with --decisions", param_hint="--follow-up")
    if OVERDUE in judging.fail_on:
        message = f"{OVERDUE}: name the ledger with --decisions"
        raise typer.BadParameter(message, param_hint="--fail-on")


def _summary(
    analysis: "Analysis",
    form: Format | None,
    verdicts: list[Verdict],
    *,
    details: bool,
    check: bool,
) -> "Iterable[str]":
    """Return what standard error says of the result; a table on a terminal has it already."""
    from analyzer.cli import stdout
    from analyzer.writers.names import left_out_line
    from analyzer.writers.summary import summary_lines

    table = form is Format.TABLE
    if table and stdout.is_terminal():
        return []
    lines = [*summary_lines(analysis, verdicts, rules=table, details=details)]
    left_out = left_out_line(analysis, verdicts, check=check) if form is Format.NAMES else ""
    return [*lines, f"{left_out}."] if left_out else lines


def _exit_if_failed_or_partial(
    analysis: "Analysis", judging: JudgingOptions, *, quiet: bool
) -> None:
    """Exit with 1 if something meets --fail-on, with 5 if accounts are missing, and say why.

    Raises typer.Exit.
    """
    for missing in analysis.report.not_covered if quiet else ():
        say(str(missing))  # An error, not a note: the result lacks an account.
    if failures := judging.failures(analysis):
        if not quiet:
            say(f"Meets --fail-on: {'; '.join(failures)}")
        raise typer.Exit(FAILED)
    if analysis.report.not_covered:
        raise typer.Exit(PARTIAL)


def _holds_entries(output: Path) -> bool:
    """Return whether writing an output would lose what a reviewer entered."""
    if output.suffix.lower() != ".xlsx" or not output.exists():
        return False
    from analyzer.sources.review_workbook import holds_entries

    return holds_entries(output)


def check_outputs(outputs: list[Path], inputs: "list[str | Path | None]") -> None:
    """Refuse to write over an input, which is the evidence for the result, or to one file twice."""
    from analyzer.sources.companions import COMPANIONS

    for filled in filter(_holds_entries, outputs):
        message = f"{filled} has decisions of a reviewer: write to another file"
        raise typer.BadParameter(message, param_hint="--output")
    places = {realpath(each): "is an input" for each in {*inputs} if each}
    for output in outputs:
        place = realpath(output)
        reason = _COMPANION_NAME_TEXT if place.endswith(COMPANIONS) else places.get(place)
        if reason:
            message = f"{output} {reason}: write to another file"
            raise typer.BadParameter(message, param_hint="--output")
        places[place] = "is named twice"
