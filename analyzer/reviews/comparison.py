"""Compare the rows of lists with what their reports give, by heading and as values.

A row may be sorted, filtered and saved by another program. What a person saw is the row of the
report, never the cells: a cell that differs is refused.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from analyzer import columns
from analyzer.decisions.review import ReportedUser
from analyzer.decisions.review_list_layout import (
    ACCOUNT_NAME,
    ACCOUNT_OWNER,
    BLOCK_HEADS,
    CHECK,
    EARLIER_DECISION,
    ENTRY_HEADS,
    EVERY_ROW,
    OWNER,
    OWNER_LEFT,
    REPORT,
    SENTENCES,
    USER,
    minute_text,
)
from analyzer.errors import Problem
from analyzer.report.values import timestamp
from analyzer.reviews.list_sheets import START_AGAIN_HINT, ListSheet
from analyzer.reviews.xlsx_reader import CellValue, column_name, text_of

NOT_COMPARED: Final = frozenset(
    (*ENTRY_HEADS, ACCOUNT_NAME, ACCOUNT_OWNER, OWNER, OWNER_LEFT, EARLIER_DECISION, REPORT)
)
"""The columns of a list that people and lists fill."""

_RESTORE_HINT: Final = f"Restore the cell. {START_AGAIN_HINT}"


def is_same_value(cell: str, given: str) -> bool:
    """Return whether a cell is what the report gives, though another program wrote it.

    Upper case, blanks around it, an apostrophe before it, and the form of a number or a time count
    for nothing.
    """
    cell, given = (text.strip().removeprefix("'").casefold() for text in (cell, given))
    if cell == given:
        return True
    moment = timestamp(given.upper())
    if moment is not None:
        return timestamp(cell.upper()) == moment
    with suppress(ValueError):
        is_cut = "e+" in cell  # 012345678901 becomes 1.23457E+10.
        return math.isclose(float(cell), float(given), rel_tol=1e-5 if is_cut else 0)
    return False


def difference_text(given: str, cell: str) -> str:
    """Return that a report and a cell differ."""
    return f"{given or 'nothing'} in the report; this file says {cell or 'nothing'}"


_NOT_ITS_SENTENCE: Final = "not what this version of credreport says of the user"


class _Difference(NamedTuple):
    row: int
    given: str
    cell: str


def sheet_problems(
    sheet: ListSheet, rows: Mapping[int, ReportedUser], heads: Iterable[str]
) -> Iterator[Problem]:
    """Yield the problems of the cells of a list that its reports do not give.

    `rows` are the users by row, `heads` the columns to compare, where the list has them. Columns
    that were sorted without the others are one problem, and so are the names that a copy of a block
    of entries covers.
    """
    compared = [head for head in heads if head in sheet.column_of]
    yield from sheet.cell_problems({*compared, *BLOCK_HEADS}, [*rows])
    differing = {head: [*_differences(sheet, head, rows)] for head in compared}
    moved = {head: cells for head, cells in differing.items() if _are_in_another_order(cells)}
    if moved:
        yield _sorted_problem(sheet, moved)
    users = {user.shown[USER] for user in rows.values()}
    for head, cells in differing.items():
        if head in moved:
            continue
        if head == USER and len(cells) > 1 and users.issuperset(each.cell for each in cells):
            yield _copied_problem(sheet, cells)
            continue
        for row, given, cell in cells:
            place = f"{head}, cell {sheet.cell_name(head, row)}"
            is_sentence = head in SENTENCES
            message = _NOT_ITS_SENTENCE if is_sentence else difference_text(given, cell)
            yield Problem(sheet.place, row, place, None, message, _RESTORE_HINT)


def sentence_problems(
    sheet: ListSheet, rows: Mapping[int, ReportedUser], heads: Iterable[str]
) -> Iterator[Problem]:
    """Yield what the sentence above a list says of every row, and its reports do not give."""
    start = _row_of_sentence(sheet)
    if start is None:
        return
    clauses = _clauses(sheet, start)
    every_text = _unbroken(_texts_above(sheet).values())
    for head in (head for head in heads if head not in sheet.column_of):
        given = {user.shown.get(head, "") for user in rows.values()}
        (text, *others) = given or [""]
        if not text or others:
            continue
        if head == CHECK:
            sentences = (_unbroken([sentence]) for sentence in text.split("\n"))
            is_said = all(sentence in every_text for sentence in sentences)
        else:
            right = (_unbroken([head, words]) for words in (text, minute_text(text)))
            is_said = any(f";{clause};" in clauses for clause in right)
        if not is_said:
            message = f"{head} {minute_text(text)} in the report; this file says otherwise"
            yield Problem(sheet.place, start, f"cell A{start}", None, message, _RESTORE_HINT)


def said_of_every_row(sheet: ListSheet, head: str) -> str:
    """Return the moment under a head that the sentence above a list says of every row.

    It is to the minute, as `minute_text` has it; empty if the sentence does not say it.
    """
    start = _row_of_sentence(sheet)
    if start is None:
        return ""
    clause = f";{re.escape(_unbroken([head]))}{_UNBROKEN_MINUTE};"
    moment = re.search(clause, _clauses(sheet, start), re.ASCII)
    return f"{moment[1]} {moment[2]}" if moment else ""


_UNBROKEN_MINUTE: Final = r"(\d{4}-\d\d-\d\d)(\d\d:\d\d)"


def _row_of_sentence(sheet: ListSheet) -> int | None:
    """Return the row above a list in which the sentence on every row begins, None without one."""
    above = _texts_above(sheet)
    return next((row for row, text in above.items() if text.startswith(EVERY_ROW)), None)


def _clauses(sheet: ListSheet, start: int) -> str:
    """Return the sentence that begins in a row: each column and its words, between semicolons."""
    said = _unbroken(text for row, text in _texts_above(sheet).items() if row >= start)
    return f";{said.removeprefix(_unbroken([EVERY_ROW])).removesuffix('.')};"


def _unbroken(texts: Iterable[str]) -> str:
    """Return texts without blanks: a long sentence, or a long word, stands in several rows."""
    return "".join("".join(texts).split())


def _texts_above(sheet: ListSheet) -> dict[int, str]:
    """Return the first text of each row above the heads of a list."""
    above = (row for row in sorted(sheet.cells.rows) if row < sheet.head_row)
    return {row: text_of(sheet.cells.value(row, min(sheet.cells.rows[row]))) for row in above}


def _differences(
    sheet: ListSheet, head: str, rows: Mapping[int, ReportedUser]
) -> Iterator[_Difference]:
    at = sheet.column_of[head]
    remarks = _unbroken(_texts_above(sheet).values()) if head == CHECK else ""
    for row, user in rows.items():
        value, given = sheet.cells.value(row, at), user.shown.get(head, "")
        # Most cells equal the text, or both are empty: a ninth of the time of the comparison.
        if value == given or (value is None and not given) or (row, at) in sheet.cells.formulas:
            continue
        text = text_of(value)
        if head == USER:  # It is exact: 007 and 7 are two users.
            is_shown = text.strip() == given
        elif head == CHECK:
            is_shown = _has_sentences_of_caveats(text, user, remarks)
        else:
            is_shown = _shows(sheet, value, given)
        if not is_shown:
            yield _Difference(row, given, text)


def _has_sentences_of_caveats(cell: str, user: ReportedUser, remarks: str) -> bool:
    """Return whether a cell has the sentences of a user's caveats.

    Instead of a sentence it can have the id of the caveat, if remarks above the list, where they
    were not removed, have the sentence.
    """
    sentences, ids = user.shown[CHECK].split("\n"), user.row[columns.CAVEATS].split(";")
    texts = [line.strip() for line in cell.strip().split("\n")]
    if len(texts) != len(sentences):
        return False
    for text, sentence in zip(texts, sentences, strict=True):
        remark = _unbroken([CHECK, text, ":"])
        has_remark = remark + _unbroken([sentence]) in remarks or remark not in remarks
        if text != sentence and not (text in ids and has_remark):
            return False
    return True


def _shows(sheet: ListSheet, value: CellValue, given: str) -> bool:
    if isinstance(value, float) and sheet.cells.moment_text(value) == given:
        return True
    return is_same_value(text_of(value), text_of(given))


def _are_in_another_order(cells: Sequence[_Difference]) -> bool:
    texts = Counter(each.given for each in cells)
    return len(cells) > 1 and texts == Counter(each.cell for each in cells)


def _sorted_problem(sheet: ListSheet, moved: Mapping[str, Sequence[_Difference]]) -> Problem:
    heads = {*moved, *(BLOCK_HEADS if USER in moved else ())}
    at = [sheet.column_of[head] for head in heads]
    first, last = map(column_name, (min(at), max(at)))
    moved_columns = f"column {first} was" if first == last else f"columns {first}-{last} were"
    rows = sorted({each.row for cells in moved.values() for each in cells})
    message = f"{moved_columns} sorted without the others"
    hint = "Undo the sort, or start from the file as credreport wrote it."
    return Problem(sheet.place, rows[0], None, None, message, hint, rows=(*rows,))


def _copied_problem(sheet: ListSheet, cells: Sequence[_Difference]) -> Problem:
    rows = tuple(each.row for each in cells)
    message = "the names of other users, copied with their entries"
    names = ", ".join(f"row {each.row} {each.given}" for each in cells)
    hint = f"Check the entries, and write the names of these rows: {names}."
    return Problem(sheet.place, rows[0], USER, None, message, hint, rows=rows)
