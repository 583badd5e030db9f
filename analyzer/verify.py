"""Make the outputs of reports anew, with the code that made them first, and compare them.

It proves that outputs follow from the reports that are kept, not that these are AWS's or complete,
nor who typed an entry. What came from elsewhere, such as earlier runs that are gone, is named.
"""

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple, TypeAlias
from zipfile import BadZipFile, ZipFile

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from analyzer import columns
from analyzer.analysis.analysis import Analysis, AnalysisRequest
from analyzer.decisions.decision import LedgerLine, User, normal_name, one_line, open_row
from analyzer.decisions.entries import (
    COMMENT,
    DECIDED_BY,
    DECIDED_ON,
    DECISION,
    TICKET,
    DecisionFile,
)
from analyzer.decisions.ledger import SAME_SECOND, Ledger
from analyzer.decisions.review import ReportedUser
from analyzer.errors import InputRefused, Problem, joined_rows
from analyzer.reviews.entries import (
    ComparedWorkbook,
    compared_workbook,
    line_problems,
    not_known,
)
from analyzer.reviews.given_reports import GivenReports, of_report
from analyzer.reviews.list_sheets import read_workbook
from analyzer.runs import inputs, outputs, run_folders
from analyzer.runs.run import exit_code
from analyzer.runs.run_folders import RECORD_FILE, MadeFrom, Run
from analyzer.sources import fetch_manifest
from analyzer.terms import VERSION, AsOfSource, count_text, short_list, utc_text, version_text

NOT_PROVEN: Final = "Not proven: that the reports are AWS's and complete, and who typed an entry."
_PROVEN: Final = (AsOfSource.ENVELOPE, AsOfSource.METADATA)
"""The sources of an as-of that AWS gives in what is kept: a name can be changed."""

_LONGEST: Final = 200
_MOST: Final = 1000
"""The most lines of one file that are named."""


class Difference(NamedTuple):
    """Name the place of a difference, and what stands there and what the reports give."""

    place: str
    message: str


@dataclass(slots=True)
class Verification:
    """Hold what was made anew, and how it differs: users, outputs, differences, what is open.

    `notes` name what was added or hidden, `not_checked` what nothing here can be made from.
    """

    users: int = 0
    outputs: int = 0
    differences: list[Difference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)

    def add(self, place: str, message: str) -> None:
        """Add a difference."""
        self.differences.append(Difference(place, message))

    def add_problems(self, problems: Iterable[Problem]) -> None:
        """Add the problems of a file as differences."""
        for problem in joined_rows(problems):
            place, _, message = str(problem).partition("\n")[0].partition(": ")
            self.add(place, message)

    @property
    def headline(self) -> str:
        """Return the result in a sentence."""
        number = len(self.differences)
        word = "Reproduced: 0 differences" if not number else count_text(number, "difference")
        users = f"{count_text(self.users, 'user')}, " if self.users else ""
        open_ = f"; not checked: {'; '.join(self.not_checked)}" if self.not_checked else ""
        return f"{word} of {users}{count_text(self.outputs, 'output')}{open_}."

    def add_unproven(self, names: Sequence[str]) -> None:
        """Name reports whose as-of AWS does not give."""
        if names:
            self.not_checked.append(f"as-of of {short_list(names)}, not proven")


def check_version(name: str, version: str) -> None:
    """Raise InputRefused for a file of another version: its words and rules may differ."""
    if version != VERSION:
        message = f"{version_text(version)} of credreport wrote it, and this is {VERSION}"
        raise InputRefused.of_file(name, message, "Verify it with the version that wrote it.")


# Files by content


def file_differences(name: str, found: bytes, anew: bytes) -> Iterator[Difference]:
    """Yield the places in which a file differs from the one made anew.

    Texts are compared by bytes, workbooks and archives by their parts, and Parquet by columns,
    whatever the compression.
    """
    if found == anew:
        return
    try:
        if name.endswith(".xlsx"):
            yield from _part_differences(name, _parts(found), _parts(anew))
        elif name.endswith(".parquet"):
            yield from _column_differences(name, _table(found), _table(anew))
        else:
            yield from _line_differences(name, found, anew)
    except (BadZipFile, pa.ArrowException, OSError, ValueError) as error:
        yield Difference(name, f"cannot be read: {error}")


def _parts(content: bytes) -> dict[str, bytes]:
    with ZipFile(BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _part_differences(
    name: str, found: Mapping[str, bytes], anew: Mapping[str, bytes]
) -> Iterator[Difference]:
    titles = _titles(anew)
    for part in sorted(found.keys() | anew.keys()):
        here, there = found.get(part, b""), anew.get(part, b"")
        if here != there:
            place = f"{name}, {titles.get(part, part)}"
            cell = _first_differing_cell(here, there) if part in titles else ""
            yield Difference(f"{place}{cell}", "not what the reports give")


def _titles(parts: Mapping[str, bytes]) -> dict[str, str]:
    """Return the titles of the sheets by part; this program numbers the parts in their order."""
    named = re.findall(rb'<sheet [^>]*?name="([^"]*)"', parts.get("xl/workbook.xml", b""))
    return {
        f"xl/worksheets/sheet{at}.xml": f"sheet {title.decode()}"
        for at, title in enumerate(named, 1)
    }


def _first_differing_cell(found: bytes, anew: bytes) -> str:
    same = next(at for at in range(len(anew) + 1) if found[: at + 1] != anew[: at + 1])
    cells = re.findall(rb'<c r="([A-Z]+\d+)"', anew[:same])
    return f", cell {cells[-1].decode()}" if cells else ""


def _table(content: bytes) -> pa.Table:
    return pq.read_table(BytesIO(content))


def _column_differences(name: str, found: pa.Table, anew: pa.Table) -> Iterator[Difference]:
    for column in dict.fromkeys((*anew.column_names, *found.column_names)):
        is_same = {column} <= {*found.column_names} & {*anew.column_names} and found[column].equals(
            anew[column]
        )
        if not is_same:
            yield Difference(f"{name}, column {column}", "not what the reports give")


def _line_differences(name: str, found: bytes, anew: bytes) -> Iterator[Difference]:
    """Yield the lines that the reports do not give, and those of theirs that are gone."""
    here, there = (content.decode(errors="replace").split("\n") for content in (found, anew))
    missing = Counter(there)
    missing.subtract(here)
    extra = Counter({line: -number for line, number in missing.items() if number < 0})
    differences = list[Difference]()
    for number, line in enumerate(here, 1):
        if extra[line] > 0:
            extra[line] -= 1
            message = f"{_shown(line)}, which the reports do not give"
            differences.append(Difference(f"{name}, line {number}", message))
    for line, number in missing.items():
        gone = [Difference(name, f"a line is gone: {_shown(line)}")] * number
        differences += gone
    yield from differences[:_MOST] or [Difference(name, "its lines are in another order")]


def _shown(line: str) -> str:
    text = line.strip()
    return f"{text[:_LONGEST]}…" if len(text) > _LONGEST else text or "an empty line"


# Runs


def verify_inputs(run: Run, result: Verification) -> bool:
    """Compare the reports and lists that a run keeps with its record; return whether it has all."""
    changes = dict(inputs.changed_files(run))
    for path, change in changes.items():
        result.add(f"{run.name}/{path}", change)
    is_whole = inputs.GONE not in changes.values()
    if not is_whole:
        result.not_checked.append(f"{run.name}: its outputs, which are made from what is gone")
    return is_whole


def verify_run(
    run: Run, source: MadeFrom, request: AnalysisRequest, max_input: int, result: Verification
) -> None:
    """Make all outputs of a run anew, and compare them, the set of files and the exit code.

    `verify_inputs` is called before. Raises InputRefused if a report or list of the run cannot be
    read.
    """
    record = run.record
    try:
        report = inputs.load_reports(run.path, {}, max_input)
    except InputRefused as refused:
        if not result.differences:
            raise
        result.add_problems(refused.problems)
        return
    outside = inputs.with_outside(
        report, unreadable=source.unreadable, skipped=source.skipped, notes=source.notes
    )
    if source.unreadable or source.skipped or source.notes:
        result.not_checked.append(f"{run.name}: what is said of files that were not kept")
    analysis = request.analysis(outside)
    result.users += analysis.totals.user_count()
    result.add_unproven([file.name for file in report.files if file.as_of_source not in _PROVEN])
    others = {one.name: one for one in run_folders.runs(run.path.parent)}
    gone = _gone_runs(run, source, others)
    result.not_checked += (f"{run.name}/{of}: {short_list(gone[of])} is gone" for of in gone)
    compared = [others[name] for name in [record.compared_with] if name in others]
    changed = outputs.changes_since(analysis, compared, source.older_runs)
    is_gone = _OF_EARLIER_RUN in gone
    met = record.met if is_gone else outputs.failures(request, analysis, changed, compared)
    with TemporaryDirectory() as name:
        folder = Path(name)
        outputs.write_all(analysis, folder, changed, compared, source.feeds)
        (folder / RECORD_FILE).write_bytes(_record_anew(run, analysis, met))
        anew = {path.name: path.read_bytes() for path in folder.iterdir()}
    if is_gone:
        del anew[outputs.CHANGES]
    _compare_files(run, anew, result)


_OF_EARLIER_RUN: Final = f"{outputs.CHANGES} and what met --fail-on"


def _compare_files(run: Run, anew: Mapping[str, bytes], result: Verification) -> None:
    kept = {path for path in run.files if not inputs.is_input(path)}
    for path in sorted({*kept, *anew}):
        place = f"{run.name}/{path}"
        if path in anew and (run.path / path).is_file():
            result.outputs += 1
            found = (run.path / path).read_bytes()
            result.differences += file_differences(place, found, anew[path])
        elif path in anew:
            result.add(place, inputs.GONE)
        elif path != outputs.CHANGES or run.record.compared_with is None:
            result.add(place, "the reports give no such file")


def _gone_runs(run: Run, source: MadeFrom, others: Container[str]) -> dict[str, list[str]]:
    """Return the earlier runs that are gone, by what comes from them."""
    before = [run.record.compared_with] if run.record.compared_with else []
    names: dict[str, Iterable[str]] = {
        _OF_EARLIER_RUN: before,
        "accounts of older runs": source.older_runs.values(),
    }
    gone = {of: sorted({name for name in names[of] if name not in others}) for of in names}
    return {of: runs for of, runs in gone.items() if runs}


def _record_anew(run: Run, analysis: Analysis, met: Sequence[str]) -> bytes:
    """Return a run's record, of what it holds of its inputs and of what the analysis gives."""
    record, kept = run.record, orjson.loads((run.path / RECORD_FILE).read_bytes())
    source = record.made_from
    is_partial = has_gaps(run) or bool(analysis.report.not_covered)
    code = exit_code(met, lacks_decisions=bool(source and source.notes), is_partial=is_partial)
    return run_folders.record_bytes(
        analysis,
        record.parameters,
        kept["files"],
        kept["made_from"],
        exit_code=code,
        met=met,
        compared_with=record.compared_with,
    )


def has_gaps(run: Run) -> bool:
    """Return whether AWS left anything out when the reports of a run were fetched."""
    path = run.path / inputs.REPORTS / fetch_manifest.FETCHED_MANIFEST
    if not path.is_file():
        return False
    entries = fetch_manifest.manifest_entries(str(path), path.read_bytes)
    return bool(fetch_manifest.unknown_service_credentials(entries))


# Workbooks


def verify_workbook(
    name: str, content: bytes, given: GivenReports, result: Verification
) -> ComparedWorkbook:
    """Compare the lists of a workbook with those that its reports give, and return them.

    Raises InputRefused if it is no workbook of a review, another version wrote it, or a report or
    list of it is missing.
    """
    review = read_workbook(name, content).review
    check_version(name, review.version)
    workbook = compared_workbook(name, content, given)
    rows = [user.row for each in workbook.sheets for user in each.rows.values()]
    result.outputs += 1
    result.users += len(rows)
    result.add_problems(workbook.problems)
    result.notes += workbook.notes
    result.not_checked.append(f"{name}: its other sheets, which verify of the run compares")
    unproven = {row[columns.AS_OF] for row in rows if row[columns.AS_OF_SOURCE] not in _PROVEN}
    result.add_unproven([made.name for made in review.reports if made.as_of in unproven])
    return workbook


# Ledgers


class _Entry(NamedTuple):
    """Name an entry: user, report, person, word and day."""

    user: User
    as_of: str
    person: str
    word: str
    day: str

    @property
    def summary(self) -> str:
        """Return the decision in one line."""
        return f"{self.word}, {self.person}, {self.day}"


@dataclass(slots=True)
class _Entered:
    """Hold where an entry stands, and its ticket and comment in each copy of the workbook."""

    place: str
    remarks: list[tuple[str, str]]


_UserAsOf: TypeAlias = tuple[User, str]
"""A user, and the as-of of the report that shows it."""


@dataclass(slots=True)
class _Copies:
    """Hold what the workbooks of one name have, of which several copies can be given.

    `as_of` are those of their reports, `users` are judged by their limits, `unfilled` those without
    an entry in a copy. Entries that are not valid are among the `entries`.
    """

    as_of: set[str] = field(default_factory=set)
    users: dict[_UserAsOf, ReportedUser] = field(default_factory=dict)
    unfilled: set[_UserAsOf] = field(default_factory=set)
    entries: dict[_Entry, _Entered] = field(default_factory=dict)

    def add(self, file: str, workbook: ComparedWorkbook) -> None:
        """Add a copy."""
        self.as_of |= {report.as_of for report in workbook.review.reports}
        for each in workbook.sheets:
            for row, user in each.rows.items():
                shown, entered = user.row, each.entered[row]
                at = open_row(shown).user, shown[columns.AS_OF]
                self.users[at] = ReportedUser(of_report(shown), shown, user.same_second)
                if not any(entered.values()):
                    self.unfilled.add(at)
                    continue
                word, day = entered[DECISION].lower(), entered[DECIDED_ON]
                entry = _Entry(*at, normal_name(entered[DECIDED_BY]), word, day)
                place = f"{file}, sheet {each.sheet.cells.title}, row {row}"
                remarks = one_line(entered[TICKET]), one_line(entered[COMMENT])
                self.entries.setdefault(entry, _Entered(place, [])).remarks.append(remarks)

    def add_list(self, listed: DecisionFile) -> None:
        """Add a list in CSV, whose users are judged by the usual limits."""
        unfilled = {(row.user, utc_text(row.as_of)) for row in listed.open_rows}
        self.unfilled |= unfilled
        self.as_of |= {as_of for _, as_of in unfilled}
        self.as_of |= {utc_text(line.as_of) for line in listed.lines}
        for line in listed.lines:
            entered = _Entered(f"{listed.file.name}, row {line.row}", [])
            remarks = self.entries.setdefault(_entry_of(line), entered).remarks
            remarks.append((line.ticket, line.comment))


def verify_list(listed: DecisionFile, given: GivenReports, result: Verification) -> None:
    """Compare the rows of a list in CSV that have an entry with their reports."""
    result.outputs += 1
    reported = given.users_of({line.user for line in listed.lines})
    found = [_compare_row(line, _Copies(), reported, result) for line in listed.lines]
    if lacking := found.count(False):
        text = f"{listed.file.name}: {count_text(lacking, 'line')} without a report"
        result.not_checked.append(text)


def verify_ledger(
    ledger: Ledger,
    workbooks: Mapping[str, ComparedWorkbook],
    lists: Iterable[DecisionFile],
    given: GivenReports,
    result: Verification,
) -> None:
    """Compare a ledger with the entries of workbooks and lists, and its lines with their reports.

    An entry that was emptied, or corrected by a later word of its person, is a note.
    """
    result.outputs += 1
    name = ledger.file.name if ledger.file else ""
    copies = dict[str, _Copies]()
    for file, workbook in workbooks.items():
        copies.setdefault(PurePath(file).name, _Copies()).add(file, workbook)
    for listed in lists:
        copies.setdefault(PurePath(listed.file.name).name, _Copies()).add_list(listed)
    reported = given.users_of({line.user for line in ledger.lines})
    recorded = {*map(_entry_of, ledger.lines)}
    without, notes = Counter[str](), list[Problem]()
    for line in ledger.lines:
        of_name = copies.get(line.workbook, _Copies())
        has_workbook = utc_text(line.as_of) in of_name.as_of
        without["report"] += not _compare_row(line, of_name, reported, result)
        without["workbook"] += not has_workbook and line.workbook != PurePath(name).name
        if has_workbook:
            notes += _entry_notes(line, of_name, recorded, result)
    result.notes += [str(note).partition("\n")[0] for note in joined_rows(notes)]
    for of_name in copies.values():
        for entry, found in of_name.entries.items():
            if entry not in recorded:
                result.add(found.place, f"not in {name}: {entry.summary}")
    for what, number in without.items():
        if number:
            result.not_checked.append(f"{name}: {count_text(number, 'line')} without a {what}")


def _compare_row(
    line: LedgerLine,
    of_name: _Copies,
    reported: Mapping[_UserAsOf, ReportedUser],
    result: Verification,
) -> bool:
    """Compare the row of a line with that of its report; return whether the report is given."""
    at = line.subject, utc_text(line.as_of)
    user = of_name.users.get(at) or reported.get(at)
    if user is None:
        return False
    by_limits = () if at in of_name.users else not_known(line)
    result.add_problems(line_problems(line, user, by_limits))
    # A script's line may lack it.
    if line.workbook != PurePath(line.read_from.file).name and line.same_second is None:
        place = f"{line.read_from.file}, row {line.read_from.row}, column {SAME_SECOND}"
        result.add(place, "it is empty, and collect always fills it in")
    return True


def _entry_notes(
    line: LedgerLine, of_name: _Copies, recorded: Container[_Entry], result: Verification
) -> Iterator[Problem]:
    """Compare a line with the entries of its workbook; yield that it was emptied or corrected."""
    entry, (file, row, _) = _entry_of(line), line.read_from
    if entry in of_name.entries:
        remarks = of_name.entries[entry].remarks
        if (line.ticket, line.comment) not in remarks:
            shown = "; ".join(f"ticket {ticket!r}, comment {text!r}" for ticket, text in remarks)
            result.add(f"{file}, row {row}", f"ticket or comment: {line.workbook} has {shown}")
        return
    alike = [one for one in of_name.entries if one[:2] == entry[:2]]
    alike.sort(key=lambda one: one.person != entry.person)
    now = alike[0] if alike else None
    is_corrected = now is not None and now in recorded and _corrects(now, entry)
    if entry[:2] in of_name.unfilled and not is_corrected:
        now = None
    text = f"{line.summary}; {line.workbook} has {now.summary if now else 'no entry'} now"
    if now is None or is_corrected:
        yield Problem(file, row, None, None, text, "")
        return
    if now.person != entry.person:
        text += ": written over, or never there. Name the copy that was collected, too"
    result.add(f"{file}, row {row}", text)


def _entry_of(line: LedgerLine) -> _Entry:
    day, as_of = str(line.decided_on), utc_text(line.as_of)
    return _Entry(line.subject, as_of, line.person, str(line.decision), day)


def _corrects(now: _Entry, entry: _Entry) -> bool:
    """Return whether the entry of now is a later word, or one of that day, of the same person."""
    return now.person == entry.person and now.day >= entry.day
