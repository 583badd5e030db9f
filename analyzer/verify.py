"""Make the outputs of reports anew, with the code that made them first, and compare them.

It proves that outputs follow from the reports that are kept, not that these are AWS's or complete,
nor who typed an entry. What came from elsewhere, such as earlier runs that are gone, is named.
"""

import re
import zlib
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple
from zipfile import BadZipFile, ZipFile

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from analyzer import columns
from analyzer.analysis.analysis import Analysis, AnalysisRequest
from analyzer.errors import InputRefused, Problem, joined_rows
from analyzer.reviews.entries import (
    ComparedWorkbook,
    compared_workbook,
)
from analyzer.reviews.given_reports import GivenReports
from analyzer.reviews.list_sheets import read_workbook
from analyzer.runs import inputs, outputs, run_folders
from analyzer.runs.run import exit_code
from analyzer.runs.run_folders import RECORD_FILE, MadeFrom, Run
from analyzer.sources import fetch_manifest
from analyzer.terms import VERSION, AsOfSource, count_text, short_list, version_text

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
    except (*_DAMAGE, pa.ArrowException, OSError, ValueError) as error:
        yield Difference(name, f"cannot be read: {error}")


_DAMAGE: Final = (BadZipFile, zlib.error, EOFError, RuntimeError)
"""What an archive raises in which bytes were changed; RuntimeError for a mark of encryption."""


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
    """Compare the files of a run with its record; return whether it has all its inputs."""
    changes = dict(inputs.changed_files(run))
    for path, change in changes.items():
        result.add(f"{run.name}/{path}", change)
    is_whole = not any(inputs.is_input(path) for path, of in changes.items() if of == inputs.GONE)
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
    changed, _ = outputs.changes_since(analysis, compared, source.older_runs)
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
        elif path in anew and path not in run.files:
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
    is_partial = has_gaps(run) or bool(analysis.report.not_covered or record.not_compared)
    code = exit_code(met, lacks_decisions=bool(source and source.notes), is_partial=is_partial)
    return run_folders.record_bytes(
        analysis,
        record.parameters,
        kept["files"],
        kept["made_from"],
        exit_code=code,
        met=met,
        compared_with=record.compared_with,
        not_compared=record.not_compared,
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
