"""Wire `credreport analyze`: load the reports, judge the users, write the outputs."""

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from analyzer.cli.choices import Command, completion, path_ending
from analyzer.cli.filter_options import FilterOptions, filtered
from analyzer.cli.input_options import InputOptions, find_inputs, load
from analyzer.cli.judging_options import JudgingOptions, check_decisions, read_judging
from analyzer.cli.options import Config, with_options
from analyzer.cli.output_options import HubRegion, check_outputs
from analyzer.cli.stderr import exit_if_failed_or_partial, say
from analyzer.terms import OUTPUT_ENDINGS, Format, Verdict, WorkbookSheets, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.judging.analysis import Analysis

ALL_VERDICTS: Final = "all"

_output_panel = partial(typer.Option, rich_help_panel="Output")


def _mode(text: str) -> int:
    if not re.fullmatch("0?[0-7]{3}", text, re.ASCII):
        raise typer.BadParameter(f'invalid mode "{printable(text)}": use octal such as 640')
    return int(text, 8)


def _verdicts(words: list[str]) -> list[str]:
    """Return the verdicts named, all of them for `all`."""
    known = (*Verdict, ALL_VERDICTS)
    if unknown := [word for word in words if word not in known]:
        raise typer.BadParameter(f"'{', '.join(unknown)}': choose from {', '.join(known)}")
    return list(Verdict) if ALL_VERDICTS in words else words


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
            parser=path_ending(*OUTPUT_ENDINGS),
            metavar="FILE",
            help="Write a file: .xlsx, .csv, .json, .parquet, or findings as .ocsf.json or"
            " .asff.json; may be repeated.",
        ),
    ] = [],
    format_: Annotated[
        Format | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help=f"Write to standard output: {', '.join(Format)} (names, arns: of certain,"
            " not exempt users). Default table, if no file is written.",
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
    input_options: InputOptions,
    filters: FilterOptions,
    judging_options: JudgingOptions,
    sheets: Annotated[
        WorkbookSheets,
        _output_panel(
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
            parser=path_ending(".csv", ".parquet"),
            metavar="FILE",
            help="Write all findings to a file: .csv or .parquet.",
        ),
    ] = None,
    follow_up: Annotated[
        Path | None,
        _output_panel(
            parser=path_ending(".csv"),
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

    from analyzer.cli import stdout
    from analyzer.writers import write

    if check and format_ not in (Format.NAMES, Format.ARNS):
        raise typer.BadParameter("use it with --format names or arns only", param_hint="--check")
    if check and filters.certain:
        message = "lists the users that --certain leaves out: use one of the two"
        raise typer.BadParameter(message, param_hint="--check")
    if sheets is not WorkbookSheets.ALL and ".xlsx" not in (each.suffix.lower() for each in output):
        raise typer.BadParameter("use it with -o FILE.xlsx only", param_hint="--sheets")
    check_decisions(judging_options, follow_up)
    judging = read_judging(judging_options)
    inputs = find_inputs(sources, input_options)
    targets = [*output, *filter(None, (findings, follow_up))]
    check_outputs(targets, [*inputs.paths(), *judging_options.input_names(), config])
    # Arrow's own pool hands memory back only to take it anew, and the kernel clears it each time:
    # 1,000 reports of 500 rows take 1.13 times as long.
    pa.set_memory_pool(pa.system_memory_pool())
    report = load(inputs, quiet=quiet)
    analysis = filtered(judging.analysis(report), filters)
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
    missing = analysis.report.not_covered
    if quiet:
        lines: Iterable[object] = missing  # An error, not a note: the result lacks an account.
    else:
        summary = _summary(analysis, form, verdicts, details=details, check=check)
        lines = [*summary, *(f"Wrote {path}" for path in targets)]
    for line in lines:
        say(str(line))
    exit_if_failed_or_partial(judging.failures(analysis), partial=bool(missing), quiet=quiet)


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
    left_out = (
        left_out_line(analysis, verdicts, check=check)
        if form in (Format.NAMES, Format.ARNS)
        else ""
    )
    return [*lines, f"{left_out}."] if left_out else lines
