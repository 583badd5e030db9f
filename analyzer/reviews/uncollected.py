"""Name the files beside a ledger whose entries it lacks."""

from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from analyzer.decisions.decision import LedgerLine, normal_name
from analyzer.decisions.entries import DECIDED_BY, DECIDED_ON, DECISION
from analyzer.decisions.ledger import Ledger, holds_decisions, read_entries
from analyzer.decisions.review_list_layout import ARN
from analyzer.errors import InputRefused, Problem
from analyzer.files import is_sealed, may_be_workbook, sha256
from analyzer.reviews.entries import SPREADSHEET_ENDINGS, entered_in, is_decided
from analyzer.reviews.list_sheets import ListSheet, decided_workbook
from analyzer.terms import with_noun

_HINT = "Collect it first, or move it away."


class _Entry(NamedTuple):
    """Name an entry: the ARN, the person, the word and the day."""

    arn: str
    person: str
    word: str
    day: str


def uncollected(
    paths: Iterable[Path], ledger: Ledger, known: Container[str] = ()
) -> Iterator[Problem]:
    """Yield a problem for each workbook or CSV with an entry that a ledger lacks, or unread.

    `known` are the SHA-256 of files that nobody has edited.
    """
    recorded = {*map(_entry_of, ledger.lines)}
    for path in sorted(paths):
        is_named = path.name.lower().endswith((*SPREADSHEET_ENDINGS, ".csv"))
        if not is_named or path.name.startswith((".", "~$")) or not path.is_file():
            continue
        try:
            if is_sealed(path) or sha256(path) in known:
                continue
            if may_be_workbook(path):
                entries = _entries_of_workbook(path)
            elif path.name.lower().endswith(SPREADSHEET_ENDINGS):
                yield Problem.of_file(str(path), "it cannot be read: save it as .xlsx", _HINT)
                continue
            else:
                entries = _entries_of_csv(path) if holds_decisions(path) else []
        except (OSError, InputRefused) as error:
            yield Problem.of_file(str(path), f"it has entries that cannot be read: {error}", _HINT)
            continue
        if lacking := [entry for entry in entries if entry not in recorded]:
            message = f"the ledger lacks {len(lacking):,} of its entries"
            yield Problem.of_file(str(path), message, _HINT)


def _entry_of(line: LedgerLine) -> _Entry:
    return _Entry(line.arn, line.person, str(line.decision), str(line.decided_on))


def _entries_of_csv(path: Path) -> list[_Entry]:
    return [*map(_entry_of, read_entries(str(path), path.read_bytes()).lines)]


def _entries_of_workbook(path: Path) -> list[_Entry]:
    """Return the entries of all rows, also of those that collecting would refuse."""
    workbook = decided_workbook(str(path), path.read_bytes())
    if workbook is None:
        return []
    if workbook.unread_decisions:
        sheets = with_noun("sheet", workbook.unread_decisions)
        hint = "Enter them on the lists, or rename the heading."
        raise InputRefused.of_file(str(path), f"decisions on {sheets}, which is no list", hint)
    return [entry for sheet in workbook.lists for entry in _entries_of_list(sheet)]


def _entries_of_list(sheet: ListSheet) -> Iterator[_Entry]:
    for row in sheet.rows:
        arn, entered = sheet.entry(ARN, row), entered_in(sheet, row)
        if any(entered.values()) if arn else is_decided(sheet, row):
            word, day = entered[DECISION].lower(), entered[DECIDED_ON]
            yield _Entry(arn, normal_name(entered[DECIDED_BY]), word, day)
