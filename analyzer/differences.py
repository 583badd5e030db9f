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
from analyzer.reviews.xlsx_reader import SheetCells, cell_name, read_sheets, text_of
from analyzer.terms import printable

_LONGEST: Final = 200
_MOST: Final = 1000
"""The most differences of one file that are named."""

Row = Mapping[str, str]


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
            yield from row_differences(name, dict(enumerate(read(found), start=2)), read(anew))
    except (ValueError, csv.Error, OSError) as error:
        yield Difference(name, f"cannot be read: {printable(str(error))}")
    except InputRefused as refused:
        yield from (Difference(one.file, one.message) for one in refused.problems)


# Tables


def row_differences(
    place: str, found: Mapping[int, Row], anew: Sequence[Row]
) -> Iterator[Difference]:
    """Yield the cells in which rows differ, rows that were added, and rows that are gone.

    The rows found are by number. Equal rows are matched wherever they stand; the others by their
    ARN, in their order.
    """
    heads, there = _heads_of(anew), _heads_of(found.values())
    if gone := [head for head in heads if found and head not in there]:
        yield Difference(place, f"columns are gone: {', '.join(gone)}")
        return
    if added := [head for head in there if anew and head not in heads]:
        text = ", ".join(map(_shown, added))
        yield Difference(place, f"columns were added: {text}", is_note=True)
    missing = Counter(tuple(row.values()) for row in anew)
    extra: dict[int, Row] = {}
    for number, row in found.items():
        texts = tuple(row[head] for head in heads)
        if missing[texts]:
            missing[texts] -= 1
        else:
            extra[number] = row
    lacking = [dict(zip(heads, texts, strict=True)) for texts in missing.elements()]
    for number, row in [*extra.items()][:_MOST]:
        alike = next((one for one in lacking if _subject(one) == _subject(row)), None)
        if alike is None:
            yield Difference(f"{place}, row {number}", f"the row was added: {_label(row)}")
            continue
        lacking.remove(alike)
        for head, text in alike.items():
            if row[head] != text:
                yield _changed(f"{place}, row {number}, {head}", row[head], text, _label(row))
    for one in lacking[:_MOST]:
        yield Difference(place, f"a row is gone: {_label(one)}")


def _heads_of(rows: Iterable[Row]) -> list[str]:
    return list(next(iter(rows), {}))


def _subject(row: Row) -> str:
    """Return the ARN of a row, or its first cell if it has none."""
    return row.get(ARN) or row.get("arn") or next(iter(row.values()), "")


def _label(row: Row) -> str:
    return _shown(_subject(row)) or "a row without a subject"


def _changed(place: str, found: str, anew: str, label: str = "") -> Difference:
    here, there = (_shown(text) or "nothing" for text in (found, anew))
    return Difference(place, f"{here}; the reports give {there}{f' ({label})' if label else ''}")


def _shown(text: str) -> str:
    return printable(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")


def _csv_rows(content: bytes) -> list[Row]:
    heads, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
    if len({*heads}) < len(heads):
        raise ValueError("two columns have one name")
    return [dict(zip(heads, row, strict=True)) for row in rows]


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
    """Yield how the sheets of a workbook differ; what people enter is left out.

    A sheet that was renamed is found by its content.
    """
    here = {sheet.title: sheet for sheet in read_sheets(name, found)}
    there = {sheet.title: sheet for sheet in read_sheets(name, anew)}
    others = [title for title in here if title not in there and title not in skipped]
    for title, sheet in there.items():
        place = f"{name}, sheet {title}"
        if title in skipped:
            continue
        if title in here:
            yield from _sheet_differences(place, here[title], sheet)
            continue
        renamed = [other for other in others if _is_reproduced(here[other], sheet)]
        if renamed:
            others.remove(renamed[0])
            new = _shown(renamed[0])
            yield Difference(place, f"the sheet was renamed to {new}", is_note=True)
        else:
            yield Difference(place, "the sheet is gone")
    for title in others:
        yield Difference(f"{name}, sheet {_shown(title)}", "the sheet was added", is_note=True)


def _is_reproduced(found: SheetCells, anew: SheetCells) -> bool:
    return all(one.is_note for one in _sheet_differences("", found, anew))


def _sheet_differences(place: str, found: SheetCells, anew: SheetCells) -> Iterator[Difference]:
    if found.is_hidden and not anew.is_hidden:
        yield Difference(place, "the sheet is hidden", is_note=True)
    if hidden := sorted(found.hidden - anew.hidden):
        yield Difference(place, f"hidden rows: {', '.join(map(str, hidden[:20]))}", is_note=True)
    odd = sorted(found.number_formats - anew.number_formats)
    if odd:
        message = f"a number format can show another value: {', '.join(map(_shown, odd))}"
        yield Difference(place, message)
    rows, wanted = _texts(found), _texts(anew)
    # A table has heads in its first row, a sheet of text has one title there.
    if len(wanted.get(1, {})) > 1:
        yield from _list_differences(place, rows, [*wanted.values()])
    else:
        yield from _cell_differences(place, rows, [*wanted.values()])


Cells = Mapping[int, str]
"""The texts of a row by column."""


def _texts(sheet: SheetCells) -> dict[int, Cells]:
    """Return the rows with a text, by number; a formula is itself, in one form."""
    rows = {
        row: {column: text_of(value) for column, value in cells.items()}
        for row, cells in sheet.rows.items()
    }
    for (row, column), formula in sheet.formulas.items():
        rows.setdefault(row, {})[column] = _formula(formula)
    return {row: dict(sorted(rows[row].items())) for row in sorted(rows)}


def _formula(text: str) -> str:
    """Return a formula without what programs write in different ways."""
    return "".join(text.upper().replace("_XLFN.", "").split()).translate(_NOT_IN_FORMULAS)


_NOT_IN_FORMULAS: Final = str.maketrans("", "", "$'")


def _list_differences(
    place: str, found: Mapping[int, Cells], anew: Sequence[Cells]
) -> Iterator[Difference]:
    """Yield how the rows of a list differ, without entries; its heads may have moved."""
    known = {*anew[0].values()}

    def known_heads(row: int) -> int:
        return len(known & {*found[row].values()})

    first = max([*found][:_FIRST_ROWS], key=known_heads, default=1)
    heads = found.get(first, {})
    counts = Counter(heads.values())
    if twice := [head for head in known if counts[head] > 1]:
        yield Difference(place, f"columns are there twice: {', '.join(map(_shown, twice))}")
    for row in found:
        if row < first:
            yield _added(place, row, found[row])
    entered = {*ENTRY_HEADS} if RECORD in known else set()
    rows = {
        row: {head: cells.get(at, "") for at, head in heads.items() if head not in entered}
        for row, cells in found.items()
        if row > first
    }
    wanted = [
        {head: cells.get(at, "") for at, head in anew[0].items() if head not in entered}
        for cells in anew[1:]
    ]
    filled = {row: cells for row, cells in rows.items() if any(cells.values())}
    yield from row_differences(place, filled, wanted)


_FIRST_ROWS: Final = 50
"""The rows among which the heads of a list are looked for."""


def _added(place: str, row: int, cells: Cells) -> Difference:
    text = _shown(next(iter(cells.values())))
    return Difference(f"{place}, row {row}", f"the row was added: {text}", is_note=True)


def _cell_differences(
    place: str, found: Mapping[int, Cells], anew: Iterable[Cells]
) -> Iterator[Difference]:
    """Yield how the rows of a sheet of text differ; rows may have moved, and text may be added."""
    here, lacking = dict(found), []
    for wanted in anew:
        same = next((row for row, cells in here.items() if wanted.items() <= cells.items()), None)
        if same is None:
            lacking.append(wanted)
            continue
        for column in sorted(here.pop(same).keys() - wanted.keys()):
            at = f"{place}, cell {cell_name(same, column)}"
            yield Difference(at, f"text was added: {_shown(found[same][column])}", is_note=True)
    for wanted in lacking:
        first = next(iter(wanted.values()))
        alike = next((row for row, cells in here.items() if first in cells.values()), None)
        if alike is None:
            yield Difference(place, f"a row is gone: {_shown(first)}")
            continue
        cells = here.pop(alike)
        for column, text in wanted.items():
            if cells.get(column) != text:
                at = f"{place}, cell {cell_name(alike, column)}"
                yield _changed(at, cells.get(column, ""), text, _shown(first))
    for row, cells in here.items():
        yield _added(place, row, cells)
