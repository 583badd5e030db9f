"""Judge reports on an engine such as Spark or Dask: in batches that do not depend on each other.

    surveys = [survey(name, content) for name, content in files]  # on workers, a file each
    batch_of = plan(surveys)                                      # on the driver, small
    judge(files_of_one_batch, surveys=surveys)                    # on workers, a batch each

A file is a pair of its name and its bytes. Files saved beside reports are read too: the metadata
and the service-specific credentials of a report, and the manifest of `credreport fetch`. Together
the batches give the rows that `load` and `analyze` give for the folder. No engine is imported here;
functions, arguments and results can be pickled. `survey_files`, `judge_files` and `inspect_files`
do the same in Spark's `mapInArrow` and `applyInArrow`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from io import BytesIO
from pathlib import PurePath
from typing import Any, Final, TypeAlias

import pandas as pd
import pyarrow as pa

from analyzer import columns
from analyzer.analysis.analysis import analyze
from analyzer.analysis.rulebook import Rulebook
from analyzer.errors import InputRefused, Problem
from analyzer.limits import Criteria
from analyzer.report.input_formats import InputLimit
from analyzer.report.model import AccountRowCounts, Exemption, ReportFile
from analyzer.report.notes import masked_problem
from analyzer.report.read_reports import ReadReport, read_reports
from analyzer.report.report import Report
from analyzer.report.report_text import ReportText, check_as_of
from analyzer.report.reports import assemble_report
from analyzer.sources import files_beside
from analyzer.sources.fetch_manifest import manifest_entries, with_listed_accounts
from analyzer.sources.files_beside import (
    BESIDE_ENDINGS,
    MANIFEST_ENDING,
    METADATA_ENDING,
    SERVICE_CREDENTIALS_ENDING,
)
from analyzer.sources.find import stream_sources
from analyzer.sources.load import moment_in_utc, read_in_memory, report_texts
from analyzer.sources.source import Source, content_cannot_be_report
from analyzer.terms import ACCOUNT_ID_PATTERN, AsOfSource, Verdict, printable
from analyzer.writers.parquet import FINDINGS, USERS, finding_batches, user_batches

File = tuple[str, bytes]
"""The name of a file and its bytes."""

CSV_SHA256: Final = "content"
"""The column of a survey with the SHA-256 of the CSV, the same for copies in any wrapping."""

ROWS: Final = "rows"
ROOTS: Final = "roots"
REFUSED: Final = "refused"
SHA256: Final = "sha256"
BATCH: Final = "batch"
PATH: Final = "path"
CONTENT: Final = "content"
"""The columns of a file's path and bytes in frames that Spark's `binaryFile` returns."""

SURVEY: Final = pa.schema(
    [
        (columns.FILE, pa.string()),
        (CSV_SHA256, pa.string()),
        (columns.ACCOUNT, pa.string()),
        (ROWS, pa.int64()),
        (ROOTS, pa.int64()),
        (columns.AS_OF, pa.timestamp("us", "UTC")),
        (columns.AS_OF_SOURCE, pa.string()),
        (REFUSED, pa.string()),
        (SHA256, pa.string()),
    ]
)
"""One row for each account in a report, and one for each file that is saved beside reports.

`content` is the SHA-256 of the report's CSV, the same in any wrapping. `sha256` is that of the
file's bytes, null in an archive; for metadata it is the hash that the metadata names. `account` is
empty if the ARNs name no account, and null if the file is not a report. `refused` is null, or a
JSON list of the problems.
"""

Surveys: TypeAlias = "pa.Table | Iterable[pa.RecordBatch]"


# Survey


def survey(name: str, content: bytes, as_of: datetime | None = None) -> pa.RecordBatch:
    """Return the rows of a file, with the schema `SURVEY`; none if it cannot be a report.

    `as_of` is the moment that all reports describe, with its zone, if it is known. A file that
    cannot be read is not an error here: `plan` raises the problems of all files together.
    """
    return _survey([(name, content)], as_of)


def survey_files(
    batches: Iterable[pa.RecordBatch], as_of: datetime | None = None
) -> Iterator[pa.RecordBatch]:
    """Survey the files in batches with the columns `path` and `content`: for `mapInArrow`."""
    for batch in batches:
        yield _survey([*_files(batch)], as_of)


def _survey(files: Sequence[File], as_of: datetime | None) -> pa.RecordBatch:
    set_as_of = moment_in_utc(as_of)
    if set_as_of:
        check_as_of(set_as_of)
    named = [(name, source) for name, content in files for source in _sources(name, content)]
    texts = report_texts([source for _, source in named], read_in_memory)
    _, surveyed = read_reports(texts, set_as_of)
    outcomes = zip((name for name, _ in named), surveyed, strict=True)
    reports = (row for outcome in outcomes for row in _report_rows(*outcome))
    beside = (_row_beside(*file) for file in files if file[0].endswith(BESIDE_ENDINGS))
    return pa.RecordBatch.from_pylist([*reports, *beside], SURVEY)


def _sources(name: str, content: bytes) -> Iterator[Source]:
    """Yield the reports in a file, several in a zip archive, as for a file of a folder.

    Each file has a limit of its own, so that it does not matter which files share a batch.
    """
    is_other = content_cannot_be_report(
        PurePath(name).name, len(content), lambda size: content[:size]
    )
    if not name.endswith(BESIDE_ENDINGS) and not is_other:
        sources = stream_sources(printable(name), BytesIO(content), InputLimit())
        yield from (source for source in sources if not source.is_skipped)


def _report_rows(name: str, report: ReadReport | InputRefused) -> Iterator[Mapping[str, Any]]:
    if isinstance(report, InputRefused):
        yield _refused_row(name, report)
        return
    file = report.file
    for account in file.accounts:
        yield {
            columns.FILE: name,
            CSV_SHA256: report.text.csv_sha256,
            columns.ACCOUNT: account.account,
            ROWS: account.rows,
            ROOTS: account.roots,
            columns.AS_OF: file.as_of,
            columns.AS_OF_SOURCE: file.as_of_source.value,
            SHA256: file.sha256 if file.name == printable(name) else None,
        }


def _refused_row(name: str, refused: InputRefused) -> Mapping[str, str]:
    return {columns.FILE: name, REFUSED: json.dumps([*map(asdict, refused.problems)])}


def _row_beside(name: str, content: bytes) -> Mapping[str, Any]:
    try:
        if name.endswith(METADATA_ENDING):
            generated, sha256 = files_beside.metadata(name, content)
            about = {columns.AS_OF: generated, SHA256: sha256}
            return {columns.FILE: name, columns.AS_OF_SOURCE: AsOfSource.METADATA.value, **about}
        if name.endswith(SERVICE_CREDENTIALS_ENDING):
            files_beside.service_credentials(name, content)
        else:
            manifest_entries(name, partial(bytes, content))
    except InputRefused as refused:
        return _refused_row(name, refused)
    return {columns.FILE: name}


# Plan


def plan(surveys: Surveys, rows: int = 100_000) -> pd.Series:
    """Return the batch (int64) of each file, by the file's name.

    Files with the same content, or with rows of the same account, are in one batch, with the files
    saved beside them. A batch has about `rows` rows, more if such files have more. Files that are
    missing from the result are not needed. Raises InputRefused with the problems of all files, if
    there is no report, or if several mask their accounts.
    """
    surveyed = _survey_frame(surveys)
    problems = [*_problems(surveyed)]
    if problems:
        raise InputRefused(problems)
    reports = surveyed[surveyed[columns.ACCOUNT].notna()]
    if reports.empty:
        message, hint = "there is no report among them", "Name a folder of reports."
        raise InputRefused.of_file("the files", message, hint)
    reports = reports.reset_index(drop=True)
    is_numbered = reports[columns.ACCOUNT].str.fullmatch(ACCOUNT_ID_PATTERN)
    masked = reports[~is_numbered.groupby(reports[columns.FILE]).transform("any")]
    if masked[CSV_SHA256].nunique() > 1:
        raise InputRefused([masked_problem([*masked[columns.FILE].unique()])])
    groups = _independent_groups(reports)
    sizes = reports[ROWS].groupby(groups).sum()
    batch = pd.Series(pd.factorize((sizes.cumsum() - sizes) // rows)[0], sizes.index)
    batch_of_report = dict(zip(reports[columns.FILE], groups.map(batch), strict=True))
    planned = surveyed[columns.FILE].map(_report_name).map(batch_of_report)
    planned[surveyed[columns.FILE].str.endswith(MANIFEST_ENDING)] = 0
    by_file = planned.set_axis(surveyed[columns.FILE]).dropna().astype("int64").rename(BATCH)
    return by_file[~by_file.index.duplicated()].sort_values(kind="stable")


def _survey_frame(surveys: Surveys) -> pd.DataFrame:
    """Return surveys as one frame, the files in the order in which a folder is read."""
    table = surveys if isinstance(surveys, pa.Table) else pa.Table.from_batches(surveys, SURVEY)
    frame: pd.DataFrame = table.select(SURVEY.names).cast(SURVEY).to_pandas()
    order = sorted(range(len(frame)), key=[*map(_folder_order, frame[columns.FILE])].__getitem__)
    return frame.iloc[order].reset_index(drop=True)


def _folder_order(name: str) -> list[tuple[int, str]]:
    """Return a sort key in the order in which a folder is read: its files before its folders."""
    *folders, last = PurePath(name).parts
    return [*((1, folder) for folder in folders), (0, last)]


def _report_name(name: str) -> str:
    """Return the report's name, for the report itself or for a file beside it."""
    ending = next(filter(name.endswith, (METADATA_ENDING, SERVICE_CREDENTIALS_ENDING)), "")
    return name.removesuffix(ending)


def _problems(surveyed: pd.DataFrame) -> Iterator[Problem]:
    """Yield the problems of reports, of files beside reports, and of manifests."""
    sha256 = dict(zip(surveyed[columns.FILE], surveyed[SHA256], strict=True))
    for name, refused, of in surveyed[[columns.FILE, REFUSED, SHA256]].itertuples(index=False):
        report = _report_name(name)
        of_report = sha256.get(report)
        if report in sha256 and isinstance(refused, str):
            yield from (
                Problem(**{**problem, "files": (*problem["files"],), "rows": (*problem["rows"],)})
                for problem in json.loads(refused)
            )
        elif name.endswith(METADATA_ENDING) and isinstance(of_report, str) and of != of_report:
            yield from files_beside.mismatch_refusal(name, PurePath(report).name).problems


def _independent_groups(reports: pd.DataFrame) -> pd.Series:
    """Return the group of each row: one file, its copies and one account share a group."""
    group = pd.Series(range(len(reports)))
    while True:
        joined = group
        for name in (columns.FILE, columns.ACCOUNT):
            joined = joined.groupby(reports[name]).transform("min")
        if joined.equals(group):
            return group
        group = joined


# Judge


def judge(
    files: Iterable[File],
    criteria: Criteria | None = None,
    exemptions: Iterable[Exemption] = (),
    as_of: datetime | None = None,
    *,
    surveys: Surveys = (),
) -> Iterator[pa.RecordBatch]:
    """Yield all users of one batch of files, with the schema `USERS`.

    `surveys` are those of all files: a manifest also lists reports of other batches, and the
    surveys show which accounts are not covered. With one batch they are not needed. Raises
    InputRefused.
    """
    analysis = analyze(_report(files, as_of, surveys), criteria, exemptions)
    yield from user_batches(analysis, [*Verdict])


def inspect(  # noqa: PLR0913  each is one choice
    files: Iterable[File],
    book: Rulebook | None = None,
    criteria: Criteria | None = None,
    exemptions: Iterable[Exemption] = (),
    as_of: datetime | None = None,
    *,
    surveys: Surveys = (),
) -> Iterator[pa.RecordBatch]:
    """Yield all findings in one batch of files, with the schema `FINDINGS`; see `judge`."""
    analysis = analyze(_report(files, as_of, surveys), criteria, exemptions, book)
    yield from finding_batches(analysis)


def judge_files(table: pa.Table, **choices: Any) -> pa.Table:
    """Judge files in the columns `path` and `content`, as `judge` does: for `applyInArrow`."""
    return pa.Table.from_batches(judge(_files(table), **choices), USERS)


def inspect_files(table: pa.Table, **choices: Any) -> pa.Table:
    """Inspect files in the columns `path` and `content`, as `inspect` does: for `applyInArrow`."""
    return pa.Table.from_batches(inspect(_files(table), **choices), FINDINGS)


def _files(table: pa.Table | pa.RecordBatch) -> Iterator[File]:
    return zip(table[PATH].to_pylist(), table[CONTENT].to_pylist(), strict=True)


def _report(files: Iterable[File], as_of: datetime | None, surveys: Surveys) -> Report:
    set_as_of = moment_in_utc(as_of)
    ordered = dict(sorted(files, key=lambda file: _folder_order(file[0])))
    inputs = [source for name, content in ordered.items() for source in _sources(name, content)]

    def text(source: Source) -> ReportText:
        return files_beside.with_files_beside(read_in_memory(source), source.name, ordered)

    report = assemble_report(report_texts(inputs, text), set_as_of)
    manifests = [
        Source(printable(name), content)
        for name, content in ordered.items()
        if name.endswith(MANIFEST_ENDING)
    ]
    elsewhere = _files_of_other_batches(surveys, ordered) if manifests else ()
    return with_listed_accounts(report, manifests, inputs, [*elsewhere])


def _files_of_other_batches(surveys: Surveys, files: Mapping[str, bytes]) -> Iterator[ReportFile]:
    """Yield the surveyed reports that are in other batches, with the moments of their metadata."""
    surveyed = _survey_frame(surveys)
    saved = surveyed[surveyed[columns.FILE].str.endswith(METADATA_ENDING)]
    moments = saved[columns.AS_OF].set_axis(saved[columns.FILE].map(_report_name))
    generated = moments.reindex(surveyed[columns.FILE]).set_axis(surveyed.index)
    weaker = [
        str(source) for source in (AsOfSource.FILE_NAME, AsOfSource.FOLDER, AsOfSource.ASSUMED)
    ]
    known = generated.notna() & surveyed[columns.AS_OF_SOURCE].isin(weaker)
    cells = {columns.AS_OF: generated, columns.AS_OF_SOURCE: AsOfSource.METADATA.value}
    surveyed = surveyed.assign(**{name: surveyed[name].mask(known, cells[name]) for name in cells})
    others = surveyed[~surveyed[columns.FILE].isin([*files])]
    for name, rows in others[others[columns.ACCOUNT].notna()].groupby(columns.FILE, sort=False):
        as_of = rows[columns.AS_OF].iloc[0].to_pydatetime()
        yield ReportFile(
            name=str(name),
            sha256=rows[SHA256].fillna(rows[CSV_SHA256]).iloc[0],
            size=0,
            as_of=as_of,
            baseline=as_of,
            as_of_source=AsOfSource(rows[columns.AS_OF_SOURCE].iloc[0]),
            accounts=tuple(
                AccountRowCounts(account=account, rows=count, roots=roots)
                for account, count, roots in zip(
                    rows[columns.ACCOUNT], rows[ROWS], rows[ROOTS], strict=True
                )
            ),
        )
