"""Make the outputs of reports anew, with the code that made them first, and compare the values.

It proves that outputs follow from the reports that are kept, not that these are AWS's or complete,
nor who typed an entry. What came from elsewhere, such as earlier runs that are gone, is named.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from io import BytesIO
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Final

import orjson

from analyzer.analysis.analysis import Analysis, AnalysisRequest, analyze
from analyzer.analysis.filters import Filter
from analyzer.analysis.rulebook import ALL_RULES, Rulebook, rulebook
from analyzer.decisions.ledger import Ledger, read_ledger
from analyzer.decisions.record import ReviewRecord
from analyzer.decisions.removal_log import NO_LOG, read_removal_log
from analyzer.differences import Difference, file_differences
from analyzer.errors import InputRefused
from analyzer.files import sha256
from analyzer.lists.owners import read_account_list, read_owners
from analyzer.report.input_formats import Limits
from analyzer.report.model import Exemption, Exemptions
from analyzer.report.report import Report
from analyzer.report.values import timestamp
from analyzer.reviews.entries import read_files
from analyzer.reviews.list_sheets import lists_and_review
from analyzer.reviews.xlsx_reader import read_sheets
from analyzer.runs import inputs, outputs, run_folders
from analyzer.runs.run_folders import RECORD_FILE, FeedSource, MadeFrom, Run
from analyzer.sources.load import load_sources, read_exemptions
from analyzer.sources.source import Source, unreadable_file_refusal
from analyzer.terms import (
    VERSION,
    AsOfSource,
    Feed,
    Verdict,
    count_text,
    short_list,
)
from analyzer.writers.workbook import split, write_workbook
from analyzer.writers.workbook.book import SheetName
from analyzer.writers.workbook.review_records import filter_of

NOT_PROVEN: Final = "Not proven: that the reports are AWS's and complete, and who typed an entry."
_BEGINNINGS: Final = (f"{inputs.REPORTS}/", inputs.REMOVAL_LOG.partition("{")[0])
_LISTS: Final = (inputs.EXEMPTIONS, inputs.OWNERS, inputs.ACCOUNTS, inputs.DECISIONS)


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

    def compare(self, name: str, found: bytes, anew: bytes, skipped: Collection[str] = ()) -> None:
        """Add how an output differs from the one made anew."""
        self.outputs += 1
        self.add(file_differences(name, found, anew, skipped))

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
        message = f"credreport {version or 'of another version'} wrote it, and this is {VERSION}"
        hint = f"Verify it with that version: pipx install --force credreport=={version}."
        raise InputRefused.of_file(name, message, hint)


# Runs


def verify_run(  # noqa: PLR0913, PLR0917  what a run comes from
    run: Run,
    source: MadeFrom,
    request: AnalysisRequest,
    limits: Limits,
    manifest: str | None,
    result: Verification,
) -> None:
    """Make all outputs of a run anew, and compare them; `manifest` is its SHA-256 if known.

    Raises InputRefused if a report or list of the run cannot be read.
    """
    record = run.record
    if manifest and (digest := sha256(run.path / RECORD_FILE)) != manifest:
        message = f"its SHA-256 is {digest}, and not {manifest}"
        result.add([Difference(f"{run.name}/{RECORD_FILE}", message)])
    result.add(_changed_files(run))
    try:
        report = inputs.load_reports(run.path, {}, limits, record.set_as_of)
    except InputRefused as refused:
        if not result.differences:
            raise
        result.add(Difference(f"{run.name}/{one.file}", one.message) for one in refused.problems)
        return
    outside = inputs.with_outside(
        report, unreadable=source.unreadable, skipped=source.skipped, notes=source.notes
    )
    analysis = request.analysis(outside)
    others = {one.name: one for one in run_folders.runs(run.path.parent)}
    compared = [others[name] for name in [record.compared_with] if name in others]
    changed = outputs.changes_since(analysis, compared, source.older_runs)
    result.add_report(report, analysis.totals.user_count())
    if source.unreadable or source.skipped or source.notes:
        result.not_checked.append(f"{run.name}: what is said of files that were not kept")
    if gone := sorted({*source.older_runs.values()} - others.keys()):
        result.not_checked.append(f"{run.name}: accounts of runs that are gone: {short_list(gone)}")
    result.add(_trend_differences(run.name, source.trend, others, result.not_checked))
    met = record.met
    if compared or not record.compared_with:
        new = outputs.change_failures(analysis, changed, compared, request.fail_on)
        met = (*request.failures(analysis), *new)
    result.compare(*_records(run, analysis, met))
    with TemporaryDirectory() as name:
        trend = outputs.trend_of_rows(source.trend)
        outputs.write_all(analysis, Path(name), changed, compared, trend)
        unknown: dict[str, Sequence[str]] = {}
        for feed, of_feed in source.feeds.items():
            if not _write_feed(run, feed, of_feed, analysis, Path(name), others):
                unknown |= dict.fromkeys(outputs.feed_files(run, feed), ())
        if record.compared_with and not compared:
            unknown |= {outputs.CHANGES: (), outputs.WORKBOOK: _OF_EARLIER_RUNS}
        _compare_outputs(run, Path(name), unknown, result)


def _compare_outputs(
    run: Run, folder: Path, unknown: Mapping[str, Sequence[str]], result: Verification
) -> None:
    """Compare the outputs of a run with those in a folder.

    Of `unknown` outputs these sheets, or all, depend on an earlier run that is gone.
    """
    for path in run.files:
        name, sheets = f"{run.name}/{path}", unknown.get(path, ())
        if path in unknown:
            what = f", {' and '.join(sheets)}" if sheets else ""
            result.not_checked.append(f"{name}{what}: an earlier run is gone")
        if _is_input(path) or (path in unknown and not sheets):
            continue
        if (folder / path).is_file():
            found, anew = (run.path / path).read_bytes(), (folder / path).read_bytes()
            result.compare(name, found, anew, sheets)
        else:
            result.add([Difference(name, "the reports give no such file")])


def _is_input(path: str) -> bool:
    return path in _LISTS or path.startswith(_BEGINNINGS)


_OF_EARLIER_RUNS: Final = (SheetName.CHANGES, SheetName.SUMMARY)


def _changed_files(run: Run) -> Iterator[Difference]:
    """Yield the kept reports and lists that were changed, and files that the run did not write."""
    there = {
        path.relative_to(run.path).as_posix() for path in run.path.rglob("*") if path.is_file()
    }
    for path, digest in run.files.items():
        if _is_input(path) and sha256(run.path / path) != digest:
            yield Difference(f"{run.name}/{path}", "the file was changed since the run")
    for path in sorted(there - {RECORD_FILE, *run.files}):
        yield Difference(f"{run.name}/{path}", "the file was added", is_note=not _is_input(path))


def _trend_differences(
    run: str, trend: Iterable[Sequence[object]], others: Mapping[str, Run], not_checked: list[str]
) -> Iterator[Difference]:
    """Yield the numbers in the trend that are not those of their runs; name runs that are gone."""
    earlier = {str(name): (unused, users) for name, _, unused, _, users, _ in trend if name != run}
    for name in earlier.keys() & others.keys():
        counts = others[name].record.users
        if earlier[name] != (counts[Verdict.UNUSED], sum(counts.values())):
            yield Difference(f"{run}/{RECORD_FILE}, trend", f"not the numbers of {name}")
    if gone := sorted(earlier.keys() - others.keys()):
        not_checked.append(f"{run}: the trend of {short_list(gone)}, not here")


def _write_feed(  # noqa: PLR0913, PLR0917  what a feed comes from
    run: Run,
    feed: Feed,
    source: FeedSource,
    analysis: Analysis,
    folder: Path,
    others: Mapping[str, Run],
) -> bool:
    """Write a feed of a run, unless files of earlier runs that it closes findings of are gone."""
    closes = [run.path.parent / path for path in source.closes]
    names = [PurePath(path).parts for path in source.closes]
    if not all(len(parts) > 1 and _has_file(others.get(parts[0]), parts[1]) for parts in names):
        return False
    is_part = {*source.accounts} != analysis.report.accounts
    part = analysis.where(Filter(accounts=source.accounts)) if is_part else analysis
    outputs.write_feed(part, folder, feed, run.record.parameters.get("hub_region"), closes)
    return True


def _has_file(run: Run | None, path: str) -> bool:
    return run is not None and path in run.files


def _records(run: Run, analysis: Analysis, met: Sequence[str]) -> tuple[str, bytes, bytes]:
    """Return the name of a run's record, its bytes, and those of the record made anew."""
    found = (run.path / RECORD_FILE).read_bytes()
    kept = orjson.loads(found)
    ledger = analysis.ledger.file
    anew = run_folders.record_bytes(
        analysis.report,
        {**run.record.parameters, "decisions": ledger.sha256 if ledger else None},
        kept["files"],
        ledger,
        exit_code=run.record.exit_code,
        met=[*met],
        compared_with=run.record.compared_with,
        users={verdict: analysis.totals.user_count(verdict) for verdict in Verdict},
        rules=sorted(rule.id for rule in analysis.rule_results.book.rules),
        made_from=kept["made_from"],
    )
    return f"{run.name}/{RECORD_FILE}", found, anew


# Workbooks


@dataclass(frozen=True, kw_only=True)
class GivenInputs:
    """Hold the inputs that workbooks and ledgers may be made from, which are found by SHA-256.

    `names` and `sources` are the reports, `lists` the names and bytes of other files: lists,
    ledgers, logs. Entries are read as of `today`.
    """

    names: Sequence[str]
    sources: Sequence[Source]
    lists: Sequence[tuple[str, bytes]]
    today: date

    @cached_property
    def contents(self) -> Sequence[tuple[str, Source]]:
        """Return the SHA-256 of each report, and the report, which is read once.

        Raises InputRefused.
        """
        read = []
        for source in self.sources:
            if not source.is_skipped:
                try:
                    content = source.read()
                except OSError as error:
                    raise unreadable_file_refusal(source.name, error) from None
                digest = hashlib.sha256(content).hexdigest()
                read.append((digest, replace(source, content=content)))
        return read

    def report(self, review: ReviewRecord, name: str) -> Report:
        """Return the reports of a review, under the names that they had; raises InputRefused."""
        recorded = {sha: file for file, sha, _ in review.reports}
        recorded |= {sha: file for file, sha in review.superseded}
        chosen: dict[str, Source] = {}
        for digest, source in self.contents:
            if digest in recorded:
                chosen.setdefault(digest, replace(source, name=recorded[digest]))
        if lacking := [file for digest, file in recorded.items() if digest not in chosen]:
            hint = "Name the reports that it was made from, unchanged, with --report."
            raise InputRefused.of_file(name, f"reports are missing: {short_list(lacking)}", hint)
        as_of = timestamp(review.reports[0][2]) if review.set_as_of else None
        report = load_sources(self.names, [*chosen.values()], as_of)
        names = {digest: file for file, digest in review.evidence}
        files = []
        for file in report.files:
            beside = file.service_credentials
            if beside and beside.sha256 in names:
                beside = replace(beside, name=names.pop(beside.sha256))
            files.append(replace(file, service_credentials=beside))
        if names:
            lists = short_list([*names.values()])
            message = f"AWS's lists of service-specific credentials are missing: {lists}"
            hint = "Put each beside its report, under the report's name and its own ending."
            raise InputRefused.of_file(name, message, hint)
        return replace(report, files=(*files,))

    def list_of(self, kind: str, listed: str, digest: str, name: str) -> tuple[str, bytes]:
        """Return the name that a list had, and its bytes; raises InputRefused if it is missing."""
        for _, content in self.lists:
            if hashlib.sha256(content).hexdigest() == digest:
                return listed, content
        message = f"the list {listed}, SHA-256 {digest}, is missing"
        raise InputRefused.of_file(name, message, f"Name it, as it was then, with --{kind}.")

    def request(self, review: ReviewRecord, name: str) -> AnalysisRequest:
        """Return what the users of a review were judged by; raises InputRefused."""
        digests = {
            "exemptions": review.exemptions,
            "owners": review.owners,
            "accounts": review.account_list,
            "decisions": review.ledger,
        }
        lists = {
            kind: self.list_of(kind, review.names.get(kind, kind), digest, name)
            for kind, digest in digests.items()
            if digest
        }
        listed = read_exemptions(lists["exemptions"]) if "exemptions" in lists else Exemptions()
        entries = [Exemption.of_option("=".join(entry)) for entry in review.exempt]
        ledger = read_ledger(*lists["decisions"]) if "decisions" in lists else Ledger()
        logs = (self.list_of("log", log, digest, name) for log, digest in review.logs)
        return AnalysisRequest(
            criteria=review.criteria,
            book=_rulebook(review, name),
            exemptions=replace(listed, entries=(*listed, *entries)),
            ledger=replace(
                ledger,
                keep_days=review.keep_days,
                due_days=review.due_days,
                log=sum((read_removal_log(*log) for log in logs), NO_LOG),
            ),
            accounts=read_account_list(*lists["accounts"]) if "accounts" in lists else None,
            owners=read_owners(*lists["owners"]) if "owners" in lists else None,
            settings=review.settings,
        )


def _rulebook(review: ReviewRecord, name: str) -> Rulebook:
    benchmark, limits = review.standard or None, review.thresholds
    none = [] if review.rules else [*rulebook().rules_by_id]
    try:
        return rulebook(benchmark, rules=review.rules or ALL_RULES, skip=none, limits=limits)
    except ValueError as error:
        hint = "Rules of your own are not verified."
        raise InputRefused.of_file(name, str(error), hint) from None


def verify_workbook(name: str, content: bytes, given: GivenInputs, result: Verification) -> None:
    """Make a workbook anew from its reports, and compare all but the entries.

    Raises InputRefused if a report or list is missing, or if another version wrote the workbook.
    """
    try:
        _, review = lists_and_review(name, content)
    except InputRefused as refused:
        if SheetName.PERIOD in {sheet.title for sheet in read_sheets(name, content)}:
            hint = "Verify the runs and the reviews of the period."
            message = "a workbook of a history, which is not verified"
            raise InputRefused.of_file(name, message, hint) from None
        result.add(Difference(one.file, one.message) for one in refused.problems)
        return
    check_version(name, review.version)
    report = given.report(review, name)
    analysis = given.request(review, name).analysis(report)
    if review.of_run:
        result.not_checked.append(
            f"{name}: {' and '.join(_OF_EARLIER_RUNS)}, which verify of the run checks"
        )
    result.add_report(report, analysis.totals.user_count())
    skipped = _OF_EARLIER_RUNS if review.of_run else ()
    result.compare(name, content, _workbook(analysis, review), skipped)


def _workbook(analysis: Analysis, review: ReviewRecord) -> bytes:
    if review.split:
        whole = split(analysis.where(filter_of(review)), review.split)
        parts = {whole.part_of(workbook): workbook for workbook in whole.users_by_workbook}
        return whole.content_of(parts[review.part]) if review.part in parts else b""
    stream = BytesIO()
    write_workbook(analysis, stream, sheets=review.sheets, of_run=review.of_run)
    return stream.getvalue()


# Ledgers


def verify_ledger(
    name: str,
    content: bytes,
    workbooks: Sequence[tuple[str, bytes]],
    given: GivenInputs,
    result: Verification,
) -> None:
    """Compare the lines of a ledger with the entries of workbooks, its facts with the reports.

    Raises InputRefused if the ledger cannot be read.
    """
    ledger = read_ledger(name, content)
    try:
        entries = [line for file in read_files(workbooks, given.today) for line in file.lines]
    except InputRefused as refused:
        result.add(Difference(one.file, one.message) for one in refused.problems)
        return
    result.outputs += 1
    lines = {line.identity: line for line in ledger.lines if not line.is_fact}
    entered = {line.identity: line for line in entries}
    of_user = {(line.workbook, line.subject): line for line in entries}
    files = {PurePath(file).name for file, _ in workbooks}
    without = 0
    for key, line in lines.items():
        place = f"{name}, row {line.read_from.row}"
        other = of_user.get((line.workbook, line.subject))
        if key in entered:
            continue
        if line.workbook not in files:
            without += 1
        elif other is None:
            message = f"{line.summary}: no entry in {line.workbook} now (emptied, or never there)"
            result.add([Difference(place, message, is_note=True)])
        else:
            message = f"{line.summary}; {line.workbook} has {other.summary}"
            result.add([Difference(place, message)])
    for key, line in entered.items():
        if key not in lines:
            result.add([Difference(line.place_text, f"not in {name}: {line.summary}")])
    if without:
        result.not_checked.append(f"{name}: {count_text(without, 'line')} without a workbook")
    _add_facts(name, ledger, given, result)


def _add_facts(name: str, ledger: Ledger, given: GivenInputs, result: Verification) -> None:
    """Compare the lines of the program with what the reports show."""
    words = replace(ledger, lines=tuple(line for line in ledger.lines if not line.is_fact))
    facts = [line for line in ledger.lines if line.is_fact]
    shown: set[tuple[object, ...]] = set()
    there: set[tuple[str, datetime]] = set()
    for _, source in given.contents if facts else ():
        report = load_sources(given.names, [source], None)
        there |= {(file.sha256, file.as_of) for file in report.files}
        shown |= {line.identity for line in analyze(report, ledger=words).follow_up_result.facts}
    unknown = 0
    for line in facts:
        if (line.sha256, line.as_of) not in there:
            unknown += 1
        elif line.identity not in shown:
            place = f"{name}, row {line.read_from.row}"
            message = f"{line.decision} of {line.user}: its report does not show that"
            result.add([Difference(place, message)])
    if unknown:
        lines = count_text(unknown, "line")
        result.not_checked.append(
            f"{name}: {lines} of credreport, whose reports, as of then, are not given"
        )
