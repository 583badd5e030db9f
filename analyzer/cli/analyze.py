"""Wire `credreport analyze`: load the reports, judge the users, write what was asked for."""

from datetime import UTC, datetime
from os.path import realpath
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from analyzer.errors import InputRefused, Problem
from analyzer.terms import ENDINGS, Criteria, Definition, Format, Verdict

if TYPE_CHECKING:
    from analyzer.analysis import Analysis
    from analyzer.model import Exemption

FAILED: Final = 1
"""The exit code where somebody meets `--fail-on`."""

PARTIAL: Final = 5
"""The exit code where accounts that were asked for could not be read."""

ALL: Final = "all"
_WORDS: Final = ", ".join(Verdict)
_EXAMPLE: Final = "2026-03-01T09:30:00Z"


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        at = moment.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"{text} is no moment such as {_EXAMPLE}") from None
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{text} lacks its zone: write it as {_EXAMPLE}")
    return at


def _output(text: str) -> Path:
    if Path(text).suffix.lower() not in ENDINGS:
        raise typer.BadParameter(f"{text} must end in {', '.join(ENDINGS)}")
    return Path(text)


def _verdicts(words: list[str]) -> list[str]:
    """Return the verdicts named, all of them for `all`."""
    unknown = [word for word in words if word not in (*Verdict, ALL)]
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: choose from {_WORDS}, {ALL}")
    return list(Verdict) if ALL in words else words


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
            help="Write .xlsx, .csv or .json; may be repeated. An old file is replaced whole.",
        ),
    ] = [],
    format_: Annotated[
        Format | None,
        typer.Option(
            "--format", help="Write this to standard output; a table if nothing is asked for."
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
    definition: Annotated[
        Definition,
        typer.Option(help="Unused has no active access key, or (iam-029) no key attached at all."),
    ] = Definition.NO_ACTIVE_KEY,
    dormant_days: Annotated[
        int, typer.Option(min=1, help="Days without use that make a user dormant.")
    ] = Criteria().dormant_days,
    grace_days: Annotated[
        int, typer.Option(min=0, help="Days in which a user counts as new, to be checked.")
    ] = Criteria().grace_days,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            parser=_moment,
            metavar="MOMENT",
            help="The moment that the reports describe, such as 2026-03-01T09:30:00Z, where it is"
            " known better than from them.",
        ),
    ] = None,
    exemptions: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            metavar="FILE",
            help="A CSV of who is excused: account, user, reason, owner, expires.",
        ),
    ] = None,
    fail_on: Annotated[
        list[Verdict],
        typer.Option(
            metavar="VERDICT",
            help="Exit with 1 if somebody not exempt has this verdict or is undetermined, or an"
            " account could not be read; may be repeated.",
        ),
    ] = [],
    raw_csv: Annotated[
        bool, typer.Option("--raw-csv", help="Put no ' before CSV cells that look like formulas.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
) -> None:
    """Find the IAM users that nobody uses: no password use on record, no active access key."""
    # The heavy packages are imported here: --help stays quick.
    from analyzer.analysis import analyze as analyzed
    from analyzer.cli import messages, standard_output
    from analyzer.outputs import write
    from analyzer.sources.files import load

    excused = _exemptions(exemptions)
    with messages.progress(quiet=quiet) as progress:
        report = load(*sources, as_of=as_of, progress=progress)
    _keep(output, [*sources, *(file.name for file in report.files), str(exemptions)])
    criteria = Criteria(definition=definition, dormant_days=dormant_days, grace_days=grace_days)
    analysis = analyzed(report, criteria, excused)
    listed = [Verdict(word) for word in verdict]
    write(analysis, *output, verdicts=listed, raw_csv=raw_csv)
    form = format_ or (None if output else Format.TABLE)
    if form:
        standard_output.write(analysis, form, listed, raw_csv=raw_csv)
    if not quiet:
        messages.tell(analysis, output, told=form is Format.TABLE and standard_output.is_terminal())
    if _fails(analysis, fail_on):
        raise typer.Exit(FAILED)
    if report.not_covered:
        raise typer.Exit(PARTIAL)


def _exemptions(path: Path | None) -> "tuple[Exemption, ...]":
    from analyzer.exemptions import read_exemptions

    if path is None:
        return ()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message, hint = f"it cannot be read: {error}", "Save it as a CSV in UTF-8."
        raise InputRefused([Problem(str(path), None, None, None, message, hint)]) from None
    return read_exemptions(str(path), text)


def _keep(outputs: list[Path], inputs: list[str]) -> None:
    """Refuse to write over what was read: the report is the evidence for the result."""
    places = set(map(realpath, inputs))
    for output in outputs:
        if realpath(output) in places:
            message = f"{output} is an input: write to another file"
            raise typer.BadParameter(message, param_hint="--output")


def _fails(analysis: "Analysis", fail_on: list[Verdict]) -> bool:
    met = {*fail_on, Verdict.UNDETERMINED} if fail_on else set()
    missing = bool(fail_on and analysis.report.not_covered)
    return missing or any(analysis.totals.users(verdict, exempt=False) for verdict in met)
