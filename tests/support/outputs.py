"""Analyze made-up reports and have them written, in this process and in memory."""

import csv
import io
import json
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.limits import Criteria
from analyzer.report.model import Exemption, Exemptions
from analyzer.terms import BLIND_SPOTS_PAGE, Verdict
from analyzer.writers.findings import write_findings
from analyzer.writers.headline import summary_lines
from analyzer.writers.json import write_json
from analyzer.writers.markdown import write_markdown
from analyzer.writers.tables import write_csv
from analyzer.writers.terminal import write_piped_table, write_terminal
from analyzer.writers.user_lists import write_arns, write_names
from tests.support.builders import (
    AS_OF,
    COLUMNS,
    MORE_CREDENTIALS,
    ROOT_FOLDER,
    Row,
    a_user,
    report_text,
    the_root,
)
from tests.support.named_reports import load_named

SAMPLES = ROOT_FOLDER / "samples"
CONSOLE = SAMPLES / "status_reports_2026-03-01T09-30-00+00-00.csv"
EXEMPTIONS = SAMPLES / "exemptions.csv"

ALL = tuple(Verdict)
UNUSED = (Verdict.UNUSED,)

HEADER_OF_EXEMPTIONS = "account,user,reason,owner,expires"

HARD_NAMES = (
    ("=1+1", "+A1", "-1", "@SUM", "a,b", "NA", "null", "None", "nan", "007", "1e5", "true")
    + ("n" * 64, "bell\x07\x1b[31mred\x9b1mbold", "tab\tstop", "two\nlines", "carriage\rreturn")
    + ('"quoted"', "it's", "'=1+1", "<b>x</b>", "[bold red]x[/bold red]", ":smile:", "back\\slash")
    + ("\u202ereversed", "zoë", "名前", " spaces ")
)
"""Names that spreadsheets, terminals, CSV readers or markup spoil; IAM could give half of them."""

SPELLED_OUT = [name if name.isprintable() else repr(name)[1:-1] for name in HARD_NAMES]
"""The same as they are shown where no name may break a line or command a terminal."""


class Terminal(io.StringIO):
    """A stream that a person reads, of an encoding."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]  # nothing sets it
        return self._encoding

    def isatty(self) -> bool:
        return True


def analysis_of(
    users: Iterable[Row],
    exemptions: Iterable[Exemption] = (),
    *,
    columns: Sequence[str] = COLUMNS,
    **criteria: Any,
) -> Analysis:
    """Analyze a report of these users and the root, as of AS_OF."""
    root, *rows = [{MORE_CREDENTIALS: "N/A", **row} for row in (the_root(), *users)]
    text = report_text(rows, root=root, columns=columns, quoted=True)
    report = load_named(("report.csv", text.encode()), as_of=AS_OF)
    return analyzer.analyze(report, Criteria(**criteria), exemptions)


@cache
def hard_names() -> Analysis:
    """Analyze users of all hard names once for all tests."""
    return analysis_of(map(a_user, HARD_NAMES))


@cache
def analyzed_sample(path: Path) -> Analysis:
    return analyzer.analyze(analyzer.load(path))


@cache
def analyzed_console() -> Analysis:
    """Analyze the sample that has every verdict, reason and caveat, with its exemptions, once."""
    return analyzer.analyze(analyzer.load(CONSOLE), exemptions=listed_exemptions())


def listed_exemptions() -> Exemptions:
    return analyzer.read_exemptions((str(EXEMPTIONS), EXEMPTIONS.read_bytes()))


def exemptions_of(*lines: str) -> Exemptions:
    return analyzer.read_exemptions(
        ("list.csv", "\n".join([HEADER_OF_EXEMPTIONS, *lines]).encode())
    )


def written(write: Callable[..., None], analysis: Analysis, *rest: Any, **options: Any) -> bytes:
    """Return what a writer gives."""
    stream = io.BytesIO()
    write(analysis, stream, *rest, **options)
    return stream.getvalue()


def csv_bytes(analysis: Analysis, verdicts: Collection[Verdict] = ALL) -> bytes:
    return written(write_csv, analysis, verdicts)


def csv_rows(analysis: Analysis) -> list[dict[str, str]]:
    return rows_of(csv_bytes(analysis))


def unguarded(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return rows of CSV without the apostrophe in front of what looks like a formula."""
    return [
        {name: re.sub(r"^'(?=[=+\-@\t\r])", "", cell) for name, cell in row.items()} for row in rows
    ]


def rows_of(content: bytes) -> list[dict[str, str]]:
    """Return the rows of a CSV, read strictly."""
    return list(csv.DictReader(io.StringIO(content.decode(), newline=""), strict=True))


def findings_bytes(analysis: Analysis) -> bytes:
    return written(write_findings, analysis)


def json_bytes(analysis: Analysis, verdicts: Collection[Verdict] = ALL) -> bytes:
    return written(write_json, analysis, verdicts)


def json_document(analysis: Analysis, verdicts: Collection[Verdict] = ALL) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json_bytes(analysis, verdicts))
    return document


def markdown_text(analysis: Analysis, verdicts: Collection[Verdict] = ALL) -> str:
    return written(write_markdown, analysis, verdicts).decode()


def one_of_each_shape(parts: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one of each set of fields, types and words: a schema sees no other difference."""
    return list({_shape(each): each for each in parts}.values())


def _shape(part: Any) -> str:
    if isinstance(part, dict):
        return str([(key, part[key] if key in _WORDS else _shape(part[key])) for key in part])
    if isinstance(part, list):
        return str(sorted(set(map(_shape, part))))
    return type(part).__name__


_WORDS = (
    ("verdict", "certainty", "reason", "caveat")
    + ("age_band", "rule", "severity", "status")
    + ("outcome", "event_code", "GeneratorId", "credreport/Outcome", "Status", "subject", "slot")
)


def arns_bytes(analysis: Analysis, verdicts: Collection[Verdict] = ALL) -> bytes:
    return written(write_arns, analysis, verdicts)


def name_lines(analysis: Analysis, verdicts: Collection[Verdict] = ALL) -> list[str]:
    return written(write_names, analysis, verdicts).decode().splitlines()


def table_text(
    analysis: Analysis,
    verdicts: Collection[Verdict] = ALL,
    *,
    width: int | None = None,
    **look: bool,
) -> str:
    """Return what a terminal of that width shows, or the table of a pipe."""
    stream = io.StringIO()
    if width is None:
        write_piped_table(analysis, stream, verdicts)
    else:
        write_terminal(analysis, stream, verdicts, width=width, **look)
    return stream.getvalue()


def summary_text(
    analysis: Analysis, verdicts: Collection[Verdict] = ALL, *, rules: bool = True
) -> str:
    """Return what standard error says of the result."""
    lines = summary_lines(analysis, verdicts, rules=rules)
    return "".join(f"{line}\n" for line in (*lines, BLIND_SPOTS_PAGE))


def everything_shown(analysis: Analysis, *, width: int | None) -> str:
    """Return the table and what is said besides, which a terminal shows in one."""
    shown = table_text(analysis, width=width)
    return shown if width else shown + summary_text(analysis)
