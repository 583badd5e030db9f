"""Compare the values of a file with those of the file made anew; bytes and places may differ.

Rows are compared by their cells, wherever they stand, columns by their heads: a table may be
sorted, filtered and saved again. Nothing of a file is trusted: workbooks are read behind limits.
"""

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final, NamedTuple

import orjson

from analyzer.decisions.review_list_layout import ARN, ENTRY_HEADS, RECORD
from analyzer.errors import InputRefused
from analyzer.reviews.xlsx_reader import CellValue, SheetCells, cell_name, read_sheets, text_of
from analyzer.terms import printable

_LONGEST: Final = 200
_MOST: Final = 1000
"""The most differences of one file that are named."""

Row = Mapping[str, CellValue]


class Difference(NamedTuple):
    """Name the place of a difference, and what stands there and what the reports give.

    A `note` is no difference: something was added or hidden, and everything is there.
    """

    place: str
    message: str
    is_note: bool = False


def file_differences(
    name: str, found: bytes, anew: bytes, skipped: Collection[str] = ()
) -> Iterator[Difference]:
    """Yield how a file differs from the one made anew; sheets that are `skipped` are left out."""
    if found == anew:
        return
    ending = PurePath(name).suffix.lower()
    try:
        if ending == ".xlsx":
            yield from workbook_differences(name, found, anew, skipped)
        elif ending == ".json":
            yield from _json_differences(name, _json(found), _json(anew))
        else:
            read = _parquet_rows if ending == ".parquet" else _csv_rows
            yield from row_differences(name, read(found), read(anew))
    except (ValueError, csv.Error, OSError) as error:
        yield Difference(name, f"cannot be read: {printable(str(error))}")
    except InputRefused as refused:
        yield from (Difference(one.file, one.message) for one in refused.problems)


# Tables


def row_differences(
    place: str, found: Sequence[Row], anew: Sequence[Row], lines: Sequence[int] = ()
) -> Iterator[Difference]:
    """Yield the cells in which rows differ, rows that were added, and rows that are gone.

    Equal rows are matched wherever they stand; the others by their ARN, in their order. `lines`
    are the numbers of the rows found.
    """
    heads = [*anew[0]] if anew else []
    if found and (gone := [head for head in heads if head not in found[0]]):
        yield Difference(place, f"columns are gone: {', '.join(gone)}")
        return
    added = [head for head in (found[0] if found else ()) if anew and head not in heads]
    if added:
        yield Difference(
            place, f"columns were added: {', '.join(map(_shown, added))}", is_note=True
        )
    numbers = lines or range(2, len(found) + 2)
    missing = Counter(tuple(text_of(row[head]) for head in heads) for row in anew)
    extra: list[tuple[int, Row]] = []
    for number, row in zip(numbers, found, strict=True):
        texts = tuple(text_of(row.get(head)) for head in heads)
        if missing[texts]:
            missing[texts] -= 1
        else:
            extra.append((number, row))
    lacking = [dict(zip(heads, texts, strict=True)) for texts in missing.elements()]
    for number, row in extra[:_MOST]:
        alike = next((one for one in lacking if _subject(one) == _subject(row)), None)
        if alike is None:
            yield Difference(f"{place}, row {number}", f"the row was added: {_label(row)}")
            continue
        lacking.remove(alike)
        for head, text in alike.items():
            if text_of(row.get(head)) != text:
                yield _changed(f"{place}, row {number}, {head}", row.get(head), text, _label(row))
    for one in lacking[:_MOST]:
        yield Difference(place, f"a row is gone: {_label(one)}")


def _subject(row: Row) -> str:
    """Return the ARN of a row, or its first cell if it has none."""
    arn = row.get(ARN, row.get("arn"))
    return text_of(next(iter(row.values()), None) if arn is None else arn)


def _label(row: Row) -> str:
    return _shown(_subject(row)) or "a row without a subject"


def _changed(place: str, found: CellValue, anew: CellValue, label: str = "") -> Difference:
    texts = (_shown(text_of(value)) or "nothing" for value in (found, anew))
    here, there = texts
    return Difference(place, f"{here}; the reports give {there}{f' ({label})' if label else ''}")


def _shown(text: str) -> str:
    return printable(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")


def _csv_rows(content: bytes) -> list[Row]:
    rows = [*csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)]
    return [_row(rows[0], row) for row in rows[1:]]


def _row(heads: Sequence[str], cells: Iterable[CellValue]) -> Row:
    row = dict(zip(heads, cells, strict=False))
    if len(row) != len(heads):
        raise ValueError("a row has fewer cells than the header, or two columns have one name")
    return row


def _parquet_rows(content: bytes) -> list[Row]:
    import pyarrow.parquet as pq  # noqa: PLC0415  few runs have it

    return [
        {name: "" if value is None else str(value) for name, value in row.items()}
        for row in pq.read_table(io.BytesIO(content)).to_pylist()
    ]


# JSON


def _json(content: bytes) -> Any:
    """Return a document, or the documents of the lines."""
    try:
        return orjson.loads(content)
    except ValueError:
        return [orjson.loads(line) for line in content.splitlines()]


def _json_differences(place: str, found: Any, anew: Any) -> Iterator[Difference]:
    if isinstance(found, dict) and isinstance(anew, dict):
        for name in {**anew, **found}:
            at = f"{place}, {_shown(name)}"
            yield from _json_differences(at, found.get(name), anew.get(name))
    elif isinstance(found, list) and isinstance(anew, list) and len(found) == len(anew):
        for number, (here, there) in enumerate(zip(found, anew, strict=True), start=1):
            yield from _json_differences(f"{place} {number}", here, there)
    elif found != anew:
        here, there = (orjson.dumps(value).decode() for value in (found, anew))
        yield _changed(place, here, there)


# Workbooks


def workbook_differences(
    name: str, found: bytes, anew: bytes, skipped: Collection[str] = ()
) -> Iterator[Difference]:
    """Yield how the sheets of a workbook differ; what people enter is left out."""
    here = {sheet.title: sheet for sheet in read_sheets(name, found)}
    there = {sheet.title: sheet for sheet in read_sheets(name, anew)}
    for title in [title for title in here if title not in there and title not in skipped]:
        yield Difference(f"{name}, sheet {_shown(title)}", "the sheet was added", is_note=True)
    for title, sheet in there.items():
        place = f"{name}, sheet {title}"
        if title in skipped:
            continue
        if title not in here:
            yield Difference(place, "the sheet is gone")
            continue
        yield from _sheet_differences(place, here[title], sheet)


def _sheet_differences(place: str, found: SheetCells, anew: SheetCells) -> Iterator[Difference]:
    if found.is_hidden and not anew.is_hidden:
        yield Difference(place, "the sheet is hidden", is_note=True)
    if hidden := sorted(found.hidden - anew.hidden):
        yield Difference(place, f"hidden rows: {', '.join(map(str, hidden[:20]))}", is_note=True)
    odd = sorted(found.number_formats - anew.number_formats)
    if odd:
        message = f"a number format can show another value: {', '.join(map(_shown, odd))}"
        yield Difference(place, message)
    if _is_list(anew):
        yield from row_differences(place, *_list_rows(found, anew))
    else:
        yield from _cell_differences(place, found, anew)


def _is_list(sheet: SheetCells) -> bool:
    """Return whether a sheet is a table, whose first row has heads, not one title."""
    return len(sheet.rows.get(1, {})) > 1


def _list_rows(found: SheetCells, anew: SheetCells) -> tuple[list[Row], list[Row], list[int]]:
    """Return the rows of both lists by head, without entries, and the numbers of those found."""
    both = []
    for sheet in (found, anew):
        at, heads = _heads(sheet, {text_of(head) for head in anew.rows[1].values()})
        rows = {
            row: {head: cells.get(column) for column, head in heads.items()}
            for row, cells in sheet.rows.items()
            if row > at and any(column in cells for column in heads)
        }
        both.append(rows)
    here, there = both
    texts = [{head: text_of(value) for head, value in row.items()} for row in there.values()]
    return [*here.values()], [*texts], [*here]


def _heads(sheet: SheetCells, known: Collection[str]) -> tuple[int, dict[int, str]]:
    """Return the row with the most known heads, and the heads in it without those of entries."""

    def score(row: int) -> int:
        return sum(text_of(value) in known for value in sheet.rows[row].values())

    at = max([*sheet.rows][:50], key=score, default=1)
    named = ((column, text_of(value)) for column, value in sheet.rows.get(at, {}).items())
    entered = ENTRY_HEADS if RECORD in known else ()
    return at, {column: head for column, head in named if head and head not in entered}


def _cell_differences(place: str, found: SheetCells, anew: SheetCells) -> Iterator[Difference]:
    """Yield how the rows of a sheet of text differ; rows may have moved, and text may be added."""
    here = [(number, _with_formulas(found, number)) for number in _rows(found)]
    lacking = []
    for number in _rows(anew):
        wanted = _with_formulas(anew, number)
        same = next((one for one in here if wanted.items() <= one[1].items()), None)
        if same:
            here.remove(same)
        else:
            lacking.append(wanted)
    for wanted in lacking:
        first = next(iter(wanted.values()))
        alike = next((one for one in here if first in one[1].values()), None)
        if alike is None:
            yield Difference(place, f"a row is gone: {_shown(first)}")
            continue
        number, cells = alike
        here.remove(alike)
        for column, text in wanted.items():
            if cells.get(column) != text:
                at = f"{place}, cell {cell_name(number, column)}"
                yield _changed(at, cells.get(column), text, _shown(first))
    for number, cells in here:
        text = _shown(next(iter(cells.values())))
        yield Difference(f"{place}, row {number}", f"the row was added: {text}", is_note=True)


def _rows(sheet: SheetCells) -> list[int]:
    return sorted({*sheet.rows, *(row for row, _ in sheet.formulas)})


def _with_formulas(sheet: SheetCells, row: int) -> dict[int, str]:
    """Return the texts of a row by column; a formula is itself, in one form."""
    texts = {column: text_of(value) for column, value in sheet.rows.get(row, {}).items()}
    formulas = {
        column: _formula(text) for (at, column), text in sheet.formulas.items() if at == row
    }
    return dict(sorted({**texts, **formulas}.items()))


def _formula(text: str) -> str:
    """Return a formula without what programs write in different ways."""
    return "".join(text.upper().replace("_XLFN.", "").split()).translate(_NOT_IN_FORMULAS)


_NOT_IN_FORMULAS: Final = str.maketrans("", "", "$'")
