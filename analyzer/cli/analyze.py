"""Wire `credreport analyze`: load the reports, judge the users, write what was asked for."""

import re
from datetime import UTC, datetime
from os.path import realpath
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from analyzer.cli.judging_options import JudgingOptions
from analyzer.cli.options import Config, MaxInput, with_options
from analyzer.cli.stderr import say
from analyzer.errors import FAILED, PARTIAL
from analyzer.report.input_size import MAX_INPUT, InputLimit
from analyzer.terms import ENDINGS, REGION, Format, Verdict, printable

if TYPE_CHECKING:
    from analyzer.analysis import Analysis

ALL: Final = "all"
_WORDS: Final = ", ".join(Verdict)
_EVIDENCE: Final = "has the name of what lies beside reports"
_EXAMPLE: Final = "2026-03-01T09:30:00Z"


def _moment(text: str) -> datetime:
    """Return a moment in UTC to the second; a date alone is the end of that day in UTC."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        text += "T23:59:59Z"
    try:
        moment = datetime.fromisoformat(text)
        at = moment.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        message = f'invalid time "{printable(text)}": use {_EXAMPLE} or 2026-03-01'
        raise typer.BadParameter(message) from None
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{printable(text)} lacks its zone: write it as {_EXAMPLE}")
    return at


def _output(text: str) -> Path:
    if Path(text).suffix.lower() not in ENDINGS:
        raise typer.BadParameter(f"{text} must end in {', '.join(ENDINGS)}")
    return Path(text)


def _csv(text: str) -> Path:
    if Path(text).suffix.lower() != ".csv":
        raise typer.BadParameter(f"{text} must end in .csv")
    return Path(text)


def _region(name: str | None) -> str | None:
    if name is not None and not re.fullmatch(REGION, name):
        raise typer.BadParameter(f"{name} has not the form of eu-west-1")
    return name


def _verdicts(words: list[str]) -> list[str]:
    """Return the verdicts named, all of them for `all`."""
    unknown = [word for word in words if word not in (*Verdict, ALL)]
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: choose from {_WORDS}, {ALL}")
    return list(Verdict) if ALL in words else words


@with_options
def analyze(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCES",
            help="Files, folders, patterns or zip archives of credential reports; - reads one from"
            " standard input. Their form is recognised: console CSV, AWS CLI JSON, base64, gzip,"
            " UTF-16.",
        ),
    ],
    *,
    output: Annotated[
        list[Path],
        typer.Option(
            "-o",
            "--output",
            parser=_output,
            metavar="FILE",
            help="Write .xlsx, .csv, .json, or findings as .ocsf.json or .asff.json; may be"
            " repeated. An old file is replaced whole.",
        ),
    ] = [],
    format_: Annotated[
        Format | None,
        typer.Option(
            "--format",
            metavar="FORM",
            help=f"Write this to standard output: {', '.join(Format)}; a table if nothing is asked"
            " for.",
        ),
    ] = None,
    verdict: Annotated[
        list[str],
        typer.Option(
            callback=_verdicts,
            metavar="VERDICT",
            help=f"List users with this verdict: {_WORDS} or {ALL}; may be repeated. A workbook"
            " holds everybody.",
        ),
    ] = [Verdict.UNUSED.value],
    as_of: Annotated[
        datetime | None,
        typer.Option(
            parser=_moment,
            metavar="MOMENT",
            help="The moment that the reports describe, such as 2026-03-01T09:30:00Z, where it is"
            " known better than from them.",
        ),
    ] = None,
    findings: Annotated[
        Path | None,
        typer.Option(
            parser=_csv,
            metavar="FILE.csv",
            help="Write what the rules find, one row a finding.",
        ),
    ] = None,
    hub_region: Annotated[
        str | None,
        typer.Option(
            callback=_region,
            metavar="NAME",
            help="The region of the Security Hub that .asff.json is for; that of the partition's"
            " IAM if not set.",
        ),
    ] = None,
    judging: JudgingOptions,
    max_input: MaxInput = MAX_INPUT,
    raw_csv: Annotated[
        bool, typer.Option("--raw-csv", help="Put no ' before CSV cells that look like formulas.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
    config: Config = None,
) -> None:
    """Find the IAM users that nobody uses: no password use on record, no active access key."""
    # The heavy packages are imported here: --help stays quick.
    import pyarrow as pa

    from analyzer.cli import stderr, stdout
    from analyzer.sources.find import find_sources
    from analyzer.sources.load import load_sources
    from analyzer.writers import write

    judging.check()
    limit = InputLimit(max_input)
    inputs = find_sources(sources, limit)
    targets = [*output, *([findings] if findings else [])]
    listed = judging.exemptions.path if judging.exemptions else None
    _keep(targets, [*sources, *(each.archive or each.path for each in inputs), listed, config])
    # Arrow's own pool hands memory back only to take it anew, and the kernel clears it each time.
    pa.set_memory_pool(pa.system_memory_pool())
    with stderr.progress(quiet=quiet) as progress:
        report = load_sources(sources, inputs, as_of, progress, limit)
    analysis = judging.analysis(report)
    shown = [Verdict(word) for word in verdict]
    write(analysis, *output, verdicts=shown, raw_csv=raw_csv, findings=findings, region=hub_region)
    form = format_ or (None if targets else Format.TABLE)
    if form:
        stdout.write(analysis, form, shown, raw_csv=raw_csv)
    if not quiet:
        told = form is Format.TABLE and stdout.is_terminal()
        stderr.print_summary(analysis, targets, told=told)
    _end(analysis, judging, quiet=quiet)


def _end(analysis: "Analysis", judging: JudgingOptions, *, quiet: bool) -> None:
    """Exit with the code that tells the truth, and say why.

    Raises typer.Exit where something meets --fail-on, or accounts are missing.
    """
    for missing in analysis.report.not_covered if quiet else ():
        say(str(missing))  # It is no mere note: the result lacks an account.
    if failures := judging.failures(analysis):
        if not quiet:
            say(f"Meets --fail-on: {'; '.join(failures)}")
        raise typer.Exit(FAILED)
    if analysis.report.not_covered:
        raise typer.Exit(PARTIAL)


def _keep(outputs: list[Path], inputs: "list[str | Path | None]") -> None:
    """Refuse to write over an input, the evidence for the result, or to one file twice."""
    from analyzer.sources.companions import COMPANIONS

    places = {realpath(each): "is an input" for each in inputs if each}
    for output in outputs:
        place = realpath(output)
        taken = _EVIDENCE if place.endswith(COMPANIONS) else places.get(place)
        if taken:
            message = f"{output} {taken}: write to another file"
            raise typer.BadParameter(message, param_hint="--output")
        places[place] = "is written already"
