"""Choose the writer by a file's ending, and put files in place whole or not at all.

A format is one module with one function: `write_<format>(analysis, stream, …)` writes bytes to an
open stream. What follows the stream are choices of that format, each with a default or passed by
`write`. A writer never opens a file, knows no other format and judges nothing: the same analysis
gives the same bytes. `users` and `findings` put an analysis into the columns, the words and the
order that all formats share; `tables` adds what belongs to the file and account of a row; `feed`
is what OCSF and ASFF share. `text_columns` spells columns: as cells for CSV and sheets, as plain
values for JSON and feeds.

The command line and `exports` may import this package; it imports the analysis and what lies
below, never sources. A new format is a module, an ending in `terms.OUTPUT_ENDINGS` and a case here.
"""

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from analyzer.files import replace_series, replacing
from analyzer.terms import OUTPUT_ENDINGS, Format, Verdict, WorkbookSheets

if TYPE_CHECKING:
    from analyzer.judging.analysis import Analysis


def write(  # noqa: PLR0913  a kind of output is an argument
    analysis: "Analysis",
    *paths: str | Path,
    verdicts: Collection[str] | str = (Verdict.UNUSED,),
    findings: str | Path | None = None,
    follow_up: str | Path | None = None,
    raw_csv: bool = False,
    region: str | None = None,
    mode: int | None = None,
    sheets: str = WorkbookSheets.ALL,
) -> list[Path]:
    """Write the analysis to files, each in the format that `terms.OUTPUT_ENDINGS` has for it.

    CSV, JSON, Markdown, HTML and Parquet list the users with one of the verdicts, or with the only
    one named, the workbook has all users, OCSF and ASFF have the findings, and so does the CSV or
    Parquet that `findings` names; the one that `follow_up` names has what became of decisions.
    `region` is that of the Security Hub that ASFF is for, `sheets` are those of the workbook (`all`
    or `review`: what a reviewer needs), `mode` who may read the files: by default
    those who could read the old one, for a new one its owner alone. All files are written aside
    first and then put in place, so that an old file is intact or the new one is whole. Return the
    files; ASFF is more than one where there are many findings or accounts (`write_asff`).

    Raises ValueError for another ending, for a verdict or sheets that there are not, and for a file
    that was read or is named twice, OutputFailed where a file cannot be written.
    """
    listed, chosen = _parsed_verdicts(verdicts), _parsed_sheets(sheets)
    feeds = [path for path in map(Path, paths) if _ending(path) == ".asff.json"]
    targets = [path for path in map(Path, paths) if path not in feeds]
    writers = [_writer(target, analysis, listed, chosen, raw_csv=raw_csv) for target in targets]
    if findings:
        targets.append(Path(findings))
        writers.append(_findings_writer(targets[-1], analysis, raw_csv=raw_csv))
    if follow_up:
        from analyzer.writers.csv import write_follow_up

        targets.append(Path(follow_up))
        writers.append(lambda stream: write_follow_up(analysis, stream, raw=raw_csv))
    check_targets([*targets, *feeds], _input_names(analysis))
    with ExitStack() as stack:
        for target, writer in zip(targets, writers, strict=True):
            writer(stack.enter_context(replacing(target, mode)))
        written = [path for feed in feeds for path in write_asff(analysis, feed, region, mode=mode)]
    return [*targets, *written]


def write_asff(
    analysis: "Analysis",
    target: Path,
    region: str | None = None,
    earlier: Iterable[bytes] = (),
    mode: int | None = None,
) -> list[Path]:
    """Write the findings in files of up to 100, each of one account, and remove earlier ones.

    Security Hub takes no more at once. Those of `findings.asff.json` are
    `findings-123456789012-001.asff.json` and so on. `region` and `earlier` are as in
    `asff.asff_batches`. Return the files.

    Raises ValueError and OutputFailed.
    """
    from analyzer.writers.asff import asff_batches, batch_files, is_batch

    files = batch_files(target, asff_batches(analysis, region, earlier))
    return replace_series(target.parent, files, partial(is_batch, target), mode)


def _parsed_verdicts(verdicts: Collection[str] | str) -> list[Verdict]:
    words = [verdicts] if isinstance(verdicts, str) else verdicts
    unknown = [str(word) for word in words if word not in list(Verdict)]
    if unknown:
        raise ValueError(f"no verdict is {', '.join(unknown)}: choose from {', '.join(Verdict)}")
    return [Verdict(word) for word in words]


def _parsed_sheets(word: str) -> WorkbookSheets:
    if word not in list(WorkbookSheets):
        raise ValueError(f"no sheets are {word}: choose from {', '.join(WorkbookSheets)}")
    return WorkbookSheets(word)


def check_targets(targets: Iterable[Path], inputs: Iterable[str | Path]) -> None:
    """Refuse to write over what was read, the evidence for the result, or to one file twice.

    Raises ValueError.
    """
    reasons_by_path = {os.path.realpath(each): "is an input" for each in inputs}
    for target in targets:
        place = os.path.realpath(target)
        if place in reasons_by_path:
            raise ValueError(f"{target} {reasons_by_path[place]}: write to another file")
        reasons_by_path[place] = "is named twice"


def _input_names(analysis: "Analysis") -> Iterator[str]:
    files = analysis.report.files
    yield from (file.name for file in files)
    yield from (file.service_credentials.name for file in files if file.service_credentials)
    ledger = analysis.decisions.file if analysis.decisions else None
    lists = (analysis.exemptions.file, analysis.report.account_list, analysis.owners.file, ledger)
    yield from (file.name for file in lists if file)


def _writer(
    target: Path,
    analysis: "Analysis",
    verdicts: Collection[Verdict],
    sheets: WorkbookSheets,
    *,
    raw_csv: bool,
) -> Callable[[BinaryIO], None]:
    match _ending(target):
        case ".ocsf.json":
            from analyzer.writers.ocsf import write_ocsf

            return lambda stream: write_ocsf(analysis, stream)
        case ".csv" | ".json" | ".md" as ending:
            form = Format.MARKDOWN if ending == ".md" else Format(ending[1:])
            return lambda stream: write_format(form, analysis, stream, verdicts, raw_csv=raw_csv)
        case ".html":
            from analyzer.writers.html import write_html

            return lambda stream: write_html(analysis, stream, verdicts)
        case ".parquet":
            from analyzer.writers.parquet import write_parquet

            return lambda stream: write_parquet(analysis, stream, verdicts)
        case ".xlsx":
            from analyzer.writers.workbook import write_workbook

            return lambda stream: write_workbook(analysis.whole, stream, sheets=sheets)
    raise ValueError(f"{target}: the name must end in {', '.join(OUTPUT_ENDINGS)}")


def write_format(  # noqa: PLR0913  a choice of a format is an argument
    form: Format,
    analysis: "Analysis",
    stream: BinaryIO,
    verdicts: Collection[Verdict],
    *,
    raw_csv: bool = False,
    check: bool = False,
) -> None:
    """Write in a format other than the table; `check` is for names and ARNs.

    Raises ValueError for the table, which needs to know its terminal.
    """
    match form:
        case Format.CSV:
            from analyzer.writers.csv import write_csv

            write_csv(analysis, stream, verdicts, raw=raw_csv)
        case Format.FINDINGS:
            from analyzer.writers.csv import write_findings

            write_findings(analysis, stream, raw=raw_csv)
        case Format.JSON:
            from analyzer.writers.json import write_json

            write_json(analysis, stream, verdicts)
        case Format.MARKDOWN:
            from analyzer.writers.markdown import write_markdown

            write_markdown(analysis, stream, verdicts)
        case Format.LINE:
            from analyzer.writers.users import line

            stream.write(f"{line(analysis)}\n".encode())
        case Format.NAMES | Format.ARNS:
            from analyzer.writers.names import write_arns, write_names

            write_lines = write_names if form is Format.NAMES else write_arns
            write_lines(analysis, stream, verdicts, check=check)
        case _:
            raise ValueError(f"no stream takes the format {form}")


def _findings_writer(
    target: Path, analysis: "Analysis", *, raw_csv: bool
) -> Callable[[BinaryIO], None]:
    if target.suffix.lower() == ".parquet":
        from analyzer.writers.parquet import write_findings_parquet

        return lambda stream: write_findings_parquet(analysis, stream)
    from analyzer.writers.csv import write_findings

    return lambda stream: write_findings(analysis, stream, raw=raw_csv)


def _ending(target: Path) -> str:
    """Return the last two parts of the ending where they name a format, else the last."""
    name = target.name.lower()
    return next(
        (each for each in OUTPUT_ENDINGS if each.count(".") > 1 and name.endswith(each)),
        target.suffix.lower(),
    )
