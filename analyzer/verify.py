"""Make the outputs of reports anew, with the code that made them first, and compare the values.

It proves that outputs follow from the reports that are kept, not that these are AWS's or complete,
nor who typed an entry. What came from elsewhere, such as earlier runs that are gone, is named.
"""

import hashlib
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from io import BytesIO
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Final

import orjson

from analyzer.analysis.analysis import Analysis, AnalysisRequest
from analyzer.decisions.decision import LedgerLine
from analyzer.decisions.ledger import Ledger
from analyzer.decisions.record import ReviewRecord
from analyzer.differences import Difference, file_differences, refusal_differences
from analyzer.errors import InputRefused
from analyzer.report.report import Report
from analyzer.report.values import timestamp
from analyzer.reviews.entries import read_files
from analyzer.reviews.list_sheets import lists_and_review
from analyzer.reviews.xlsx_reader import read_sheets
from analyzer.runs import inputs, outputs, run_folders
from analyzer.runs.run_folders import RECORD_FILE, MadeFrom, Run
from analyzer.sources.load import load_sources
from analyzer.sources.source import Source, unreadable_file_refusal
from analyzer.terms import (
    VERSION,
    AsOfSource,
    count_text,
    short_list,
    version_text,
)
from analyzer.writers.workbook import split, write_workbook
from analyzer.writers.workbook.book import SheetName
from analyzer.writers.workbook.review_records import filter_of

NOT_PROVEN: Final = "Not proven: that the reports are AWS's and complete, and who typed an entry."


@dataclass(slots=True)
class Verification:
    """Hold what was made anew, and how it differs: users, outputs, differences, what is open.

    `notes` name what was added or hidden, `not_checked` what nothing here can be made from.
    """

    users: int = 0
    outputs: int = 0
    differences: list[Difference] = field(default_factory=list)
    notes: list[Difference] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)

    def add(self, differences: Iterable[Difference]) -> None:
        """Add differences and notes."""
        for one in differences:
            (self.notes if one.is_note else self.differences).append(one)

    def compare(self, name: str, found: bytes, anew: bytes) -> None:
        """Add how an output differs from the one made anew."""
        self.outputs += 1
        self.add(file_differences(name, found, anew))

    @property
    def headline(self) -> str:
        """Return the result in a sentence."""
        number = len(self.differences)
        word = "Reproduced: 0 differences" if not number else count_text(number, "difference")
        users = f"{count_text(self.users, 'user')}, " if self.users else ""
        open_ = f"; not checked: {'; '.join(self.not_checked)}" if self.not_checked else ""
        return f"{word} of {users}{count_text(self.outputs, 'output')}{open_}."

    def add_report(self, report: Report, users: int) -> None:
        """Count users, and name the reports whose as-of AWS does not give."""
        self.users += users
        proven = AsOfSource.ENVELOPE, AsOfSource.METADATA
        if names := [file.name for file in report.files if file.as_of_source not in proven]:
            self.not_checked.append(f"as-of of {short_list(names)}, not proven")


def check_version(name: str, version: str) -> None:
    """Raise InputRefused for a file of another version: its words and rules may differ."""
    if version != VERSION:
        message = f"{version_text(version)} of credreport wrote it, and this is {VERSION}"
        raise InputRefused.of_file(name, message, "Verify it with the version that wrote it.")


# Runs


def verify_run(
    run: Run, source: MadeFrom, request: AnalysisRequest, max_input: int, result: Verification
) -> None:
    """Make all outputs of a run anew, and compare them.

    Raises InputRefused if a report or list of the run cannot be read.
    """
    record = run.record
    for path, change in inputs.changed_files(run):
        is_note = not inputs.is_input(path)
        result.add([Difference(f"{run.name}/{path}", change, is_note)])
    try:
        report = inputs.load_reports(run.path, {}, max_input)
    except InputRefused as refused:
        if not result.differences:
            raise
        result.add(refusal_differences(refused))
        return
    outside = inputs.with_outside(
        report, unreadable=source.unreadable, skipped=source.skipped, notes=source.notes
    )
    if source.unreadable or source.skipped or source.notes:
        result.not_checked.append(f"{run.name}: what is said of files that were not kept")
    analysis = request.analysis(outside)
    result.add_report(report, analysis.totals.user_count())
    others = {one.name: one for one in run_folders.runs(run.path.parent)}
    gone = _gone_runs(run, source, others)
    result.not_checked += (f"{run.name}/{of}: {short_list(gone[of])} is gone" for of in gone)
    compared = [others[name] for name in [record.compared_with] if name in others]
    changed = outputs.changes_since(analysis, compared, source.older_runs)
    is_gone = outputs.CHANGES in gone
    met = record.met if is_gone else outputs.failures(request, analysis, changed, compared)
    unknown = {outputs.CHANGES} & gone.keys()
    with TemporaryDirectory() as name:
        folder = Path(name)
        outputs.write_all(analysis, folder, changed, compared, source.feeds)
        (folder / RECORD_FILE).write_bytes(_record_anew(run, analysis, met))
        for path in (path for path in (RECORD_FILE, *run.files) if path not in unknown):
            if (folder / path).is_file():
                found, anew = (run.path / path).read_bytes(), (folder / path).read_bytes()
                result.compare(f"{run.name}/{path}", found, anew)
            elif not inputs.is_input(path):
                result.add([Difference(f"{run.name}/{path}", "the reports give no such file")])


def _gone_runs(run: Run, source: MadeFrom, others: Container[str]) -> dict[str, list[str]]:
    """Return the earlier runs that are gone, by what comes from them."""
    before = [run.record.compared_with] if run.record.compared_with else []
    names: dict[str, Iterable[str]] = {
        outputs.CHANGES: before,
        "accounts of older runs": source.older_runs.values(),
    }
    gone = {of: sorted({name for name in names[of] if name not in others}) for of in names}
    return {of: runs for of, runs in gone.items() if runs}


def _record_anew(run: Run, analysis: Analysis, met: Sequence[str]) -> bytes:
    """Return a run's record, of what it holds of its inputs and of what the analysis gives."""
    record, kept = run.record, orjson.loads((run.path / RECORD_FILE).read_bytes())
    return run_folders.record_bytes(
        analysis,
        record.parameters,
        kept["files"],
        kept["made_from"],
        exit_code=record.exit_code,
        met=met,
        compared_with=record.compared_with,
    )


# Workbooks


@dataclass(frozen=True, kw_only=True)
class FoundReports:
    """Hold the reports that workbooks and ledgers may be made from, which are found by SHA-256."""

    names: Sequence[str]
    sources: Sequence[Source]

    @cached_property
    def contents(self) -> dict[str, Source]:
        """Return each report by its SHA-256; they are read once. Raises InputRefused."""
        read: dict[str, Source] = {}
        for source in self.sources:
            if not source.is_skipped:
                try:
                    content = source.read()
                except OSError as error:
                    raise unreadable_file_refusal(source.name, error) from None
                digest = hashlib.sha256(content).hexdigest()
                read.setdefault(digest, replace(source, content=content))
        return read

    def report(self, review: ReviewRecord, workbook: str) -> Report:
        """Return the reports of a review, under the names that they had; raises InputRefused."""
        reports = {digest: name for name, digest, *_ in (*review.reports, *review.superseded)}
        _check_all(workbook, reports, self.contents)
        sources = [replace(self.contents[digest], name=reports[digest]) for digest in reports]
        as_of = timestamp(review.reports[0][2]) if review.set_as_of else None
        report = load_sources(self.names, sources, as_of)
        names = {digest: name for name, digest in review.evidence}
        files = []
        for file in report.files:
            beside = file.service_credentials
            beside = beside and replace(beside, name=names.get(beside.sha256, beside.name))
            files.append(replace(file, service_credentials=beside))
        listed = (file.service_credentials for file in files)
        _check_all(workbook, names, {beside.sha256 for beside in listed if beside})
        return replace(report, files=(*files,))


def _check_all(workbook: str, recorded: Mapping[str, str], given: Container[str]) -> None:
    if lacking := [name for digest, name in recorded.items() if digest not in given]:
        hint = "Name the reports that it was made from, with --report, and what lay beside them."
        raise InputRefused.of_file(workbook, f"files are missing: {short_list(lacking)}", hint)


def review_of(name: str, content: bytes, result: Verification) -> ReviewRecord | None:
    """Return the review that a workbook is made of, None if it is no longer the one written.

    Raises InputRefused if another version, or a history, wrote the workbook.
    """
    try:
        _, review = lists_and_review(name, content)
    except InputRefused as refused:
        if SheetName.PERIOD in {sheet.title for sheet in read_sheets(name, content)}:
            hint = "Verify the runs and the reviews of the period."
            message = "a workbook of a history, which is not verified"
            raise InputRefused.of_file(name, message, hint) from None
        result.add(refusal_differences(refused))
        return None
    check_version(name, review.version)
    return review


def verify_workbook(
    name: str, content: bytes, review: ReviewRecord, analysis: Analysis, result: Verification
) -> None:
    """Make a workbook anew from the analysis that it shows, and compare all but the entries."""
    result.add_report(analysis.report, analysis.totals.user_count())
    result.compare(name, content, _workbook(analysis, review))


def _workbook(analysis: Analysis, review: ReviewRecord) -> bytes:
    if review.split:
        whole = split(analysis.where(filter_of(review)), review.split)
        parts = {whole.part_of(workbook): workbook for workbook in whole.users_by_workbook}
        return whole.content_of(parts[review.part]) if review.part in parts else b""
    stream = BytesIO()
    write_workbook(analysis, stream)
    return stream.getvalue()


# Ledgers


def verify_ledger(
    ledger: Ledger,
    workbooks: Sequence[tuple[str, bytes]],
    today: date,
    result: Verification,
) -> None:
    """Compare a ledger with the entries of workbooks as of today."""
    try:
        read = read_files(workbooks, today)
    except InputRefused as refused:
        result.add(refusal_differences(refused))
        return
    result.outputs += 1
    name = ledger.file.name if ledger.file else ""
    lines = {line.identity: line for line in ledger.lines}
    entered = {line.identity: line for file in read for line in file.lines}
    now = {(line.workbook, line.subject): line for line in entered.values()}
    files = {PurePath(file.file.name).name for file in read}
    others = [line for key, line in lines.items() if key not in entered]
    for line in others:
        if line.workbook in files:
            entry = now.get((line.workbook, line.subject))
            message = (
                f"{line.summary}; {line.workbook} has {entry.summary if entry else 'no entry'} now"
            )
            is_note = not entry or _is_corrected(line, lines.get(entry.identity))
            result.add([Difference(f"{name}, row {line.read_from.row}", message, is_note)])
    for key, line in entered.items():
        if key not in lines:
            result.add([Difference(line.place_text, f"not in {name}: {line.summary}")])
    if without := sum(line.workbook not in files for line in others):
        result.not_checked.append(f"{name}: {count_text(without, 'line')} without a workbook")


def _is_corrected(line: LedgerLine, entry: LedgerLine | None) -> bool:
    """Return whether the same person's later word, which the ledger has too, replaced a line."""
    if entry is None or entry.person != line.person:
        return False
    earlier, later = ((each.decided_on, each.read_from.row) for each in (line, entry))
    return earlier < later
