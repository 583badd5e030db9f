"""Choose the writer by a file's ending, and write each file completely or not at all.

A format is one module with one function: `write_<format>(analysis, stream, …)` writes bytes to an
open stream. A writer never opens a file, knows no other format and judges nothing: the same
analysis gives the same bytes. `tables` has the columns that all formats share, and their text;
`headline`, `user_lists` and `findings` have the sentences and the order for people.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack
from enum import StrEnum
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, TypeVar

from analyzer.files import replacing
from analyzer.terms import OUTPUT_ENDINGS, Format, Verdict

if TYPE_CHECKING:
    from analyzer.analysis.analysis import Analysis

Word = TypeVar("Word", bound=StrEnum)

_WORKBOOK: Final = ".xlsx"

_WRITERS: Final[Mapping[str, str]] = {
    Format.CSV: "tables.write_csv",
    ".csv": "tables.write_csv",
    Format.FINDINGS: "findings.write_findings",
    "findings.csv": "findings.write_findings",
    "findings.parquet": "parquet.write_findings_parquet",
    Format.JSON: "json.write_json",
    ".json": "json.write_json",
    Format.MARKDOWN: "markdown.write_markdown",
    ".md": "markdown.write_markdown",
    ".html": "markdown.write_html",
    ".parquet": "parquet.write_parquet",
    ".ocsf.json": "ocsf.write_ocsf",
    _WORKBOOK: "workbook.write_workbook",
    Format.LINE: "headline.write_line",
    Format.NAMES: "user_lists.write_names",
    Format.ARNS: "user_lists.write_arns",
}
"""The module and function of each format, ending, or part with its ending; CSV needs no openpyxl.

Not included is the table, which depends on the terminal.
"""


def write(
    analysis: "Analysis",
    *paths: str | Path,
    verdicts: Collection[str] | str = (),
) -> list[Path]:
    """Write the analysis to files, each in the format that `terms.OUTPUT_ENDINGS` has for it.

    CSV, JSON, Markdown, HTML and Parquet list the users with one of the verdicts (a list, or one
    word; `unused` without one), and so do the lists to decide in of a workbook, which have all
    users to decide without one. OCSF has the findings, and so has a file whose name ends in
    `findings.csv` or `findings.parquet`. A file keeps its permissions, and a new file is private. A
    file is the old one or the complete new one. Return the files.

    Raises ValueError for another ending, for an unknown verdict, and for a file that was read or is
    named twice, OutputFailed if a file cannot be written.
    """
    words = [verdicts] if isinstance(verdicts, str) else verdicts
    listed = _parsed(words, Verdict, "no verdict is")
    outputs = [(path, _ending(path)) for path in map(Path, paths)]
    check_targets([path for path, _ in outputs], _input_names(analysis))
    written: list[Path] = []
    with ExitStack() as stack:
        for path, form in outputs:
            write_format(form, analysis, stack.enter_context(replacing(path)), verdicts=listed)
            written.append(path)
    return written


def _parsed(words: Collection[str], kind: type[Word], refusal: str) -> list[Word]:
    unknown = [str(word) for word in words if word not in list(kind)]
    if unknown:
        raise ValueError(f"{refusal} {', '.join(unknown)}: choose from {', '.join(kind)}")
    return [kind(word) for word in words]


def check_targets(targets: Iterable[Path], inputs: Iterable[str | Path]) -> None:
    """Raise ValueError for a target that is named twice or was read, as evidence for the result."""
    reasons_by_path = {os.path.realpath(path): "is an input" for path in inputs}
    for target in targets:
        real_path = os.path.realpath(target)
        if real_path in reasons_by_path:
            raise ValueError(f"{target} {reasons_by_path[real_path]}: write to another file")
        reasons_by_path[real_path] = "is named twice"


def _input_names(analysis: "Analysis") -> Iterator[str]:
    report = analysis.report
    beside = (file.service_credentials for file in report.files)
    every = (analysis.exemptions, analysis.given_owners, analysis.given_ledger)
    lists = (each.file for each in every if each is not None)
    yield from (file.name for file in report.files)
    yield from (file.name for file in (report.account_list, *beside, *lists) if file)


def write_format(
    form: str, analysis: "Analysis", stream: BinaryIO, *, verdicts: Collection[Verdict]
) -> None:
    """Write in a format of `_WRITERS`; one that lists users lists those with the verdicts.

    Without verdicts it lists unused users, and a workbook all users to decide.

    Raises ValueError for another format.
    """
    if form not in _WRITERS:
        raise ValueError(f"no stream takes the format {form}")
    module, function = _WRITERS[form].split(".")
    writer = getattr(import_module(f"{__name__}.{module}"), function)
    if "verdicts" not in signature(writer).parameters:
        writer(analysis, stream)
    elif form == _WORKBOOK:
        writer(analysis, stream, verdicts=verdicts)
    else:
        writer(analysis, stream, verdicts=verdicts or (Verdict.UNUSED,))


def _ending(target: Path) -> str:
    """Return the longest of `OUTPUT_ENDINGS` that a name has; raises ValueError if it has none."""
    name = target.name.lower()
    endings = [ending for ending in OUTPUT_ENDINGS if name.endswith(ending)]
    if not endings:
        raise ValueError(f"{target}: the name must end in {', '.join(OUTPUT_ENDINGS)}")
    return max(endings, key=len)
