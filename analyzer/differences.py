"""Compare the values of a file with those of the file made anew; bytes and places may differ.

Rows are compared by their cells, wherever they stand, columns by their heads: a table may be
sorted, filtered and saved again. Nothing of a file is trusted: workbooks are read behind limits.
"""

import csv
import io
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import PurePath
from typing import Any, Final, NamedTuple

import orjson

from analyzer.decisions.review_list_layout import ARN, ENTRY_HEADS, RECORD
from analyzer.errors import InputRefused
from analyzer.reviews.xlsx_reader import SheetCells, column_name, read_sheets, text_of
from analyzer.terms import printable

_LONGEST: Final = 200
_MOST: Final = 1000
"""The most rows of one table whose differences are named."""

_FIRST_ROWS: Final = 50
"""The rows among which the heads of a list are looked for."""

Row = Mapping[str, str]


class Difference(NamedTuple):
    """Name the place of a difference, and what stands there and what the reports give.

    A `note` is no difference: something was added or hidden, and everything is there.
    """

    place: str
    message: str
    is_note: bool = False


def file_differences(name: str, found: bytes, anew: bytes) -> Iterator[Difference]:
    """Yield how a file differs from the one made anew."""
    if found == anew:
        return
    ending = PurePath(name).suffix.lower()
    try:
        if ending == ".xlsx":
            yield from _workbook_differences(name, found, anew)
        elif ending == ".json":
            yield from _json_differences(name, _json(found), _json(anew))
        else:
            read = _parquet_rows if ending == ".parquet" else _csv_rows
            yield from _row_differences(name, dict(enumerate(read(found), start=2)), read(anew))
    except (ValueError, csv.Error, OSError) as error:
        yield Difference(name, f"cannot be read: {printable(str(error))}")
    except InputRefused as refused:
        yield from refusal_differences(refused)


def refusal_differences(refused: InputRefused) -> Iterator[Difference]:
    """Yield the problems of a file that cannot be read, or that shows what no file has."""
    yield from (Difference(one.file, one.message) for one in refused.problems)


# Tables


def _row_differences(
    place: str, found: Mapping[int, Row], anew: Sequence[Row], *, is_text: bool = False
) -> Iterator[Difference]:
    """Yield the cells in which rows differ, rows that were added, and rows that are gone.

    The rows found are by number. Equal rows are matched wherever they stand; the others by their
    subject, in their order. A sheet that `is_text` has letters as heads, and may be added to.
    """
    there = _heads_of(found.values())
    heads = _heads_of(anew) or there
    added = [head for head in there if head not in heads]
    if is_text:
        heads += added
    elif gone := [head for head in heads if found and head not in there]:
        yield Difference(place, f"columns are gone: {', '.join(gone)}")
        return
    elif added:
        yield Difference(
            place, f"columns were added: {', '.join(map(_shown, added))}", is_note=True
        )
    extra, lacking = _unmatched(heads, found, anew)
    for number, row in [*extra.items()][:_MOST]:
        if not (alike := lacking[_subject(row)]):
            message = f"the row was added: {_subject(row)}"
            yield Difference(f"{place}, row {number}", message, is_text)
            continue
        for head, text in alike.pop(0).items():
            if row[head] != text:
                at = f"cell {head}{number}" if is_text else f"row {number}, {head}"
                is_note = is_text and not text
                yield _changed(f"{place}, {at}", row[head], text, _subject(row), is_note=is_note)
    gone_rows = [subject for subject, rows in lacking.items() for _ in rows]
    yield from (Difference(place, f"a row is gone: {subject}") for subject in gone_rows[:_MOST])


def _unmatched(
    heads: Sequence[str], found: Mapping[int, Row], anew: Iterable[Row]
) -> tuple[dict[int, Row], Mapping[str, list[Row]]]:
    """Return the rows found that are not among those made anew, and those of these by subject."""
    missing = Counter(tuple(row.get(head, "") for head in heads) for row in anew)
    extra: dict[int, Row] = {}
    for number, row in found.items():
        texts = tuple(row.get(head, "") for head in heads)
        if missing[texts]:
            missing[texts] -= 1
        else:
            extra[number] = dict(zip(heads, texts, strict=True))
    lacking = defaultdict[str, list[Row]](list)
    for texts in missing.elements():
        row = dict(zip(heads, texts, strict=True))
        lacking[_subject(row)].append(row)
    return extra, lacking


def _heads_of(rows: Iterable[Row]) -> list[str]:
    return [*dict.fromkeys(chain.from_iterable(rows))]


def _subject(row: Row) -> str:
    """Return the ARN of a row, or its first text if it has none."""
    subject = row.get(ARN) or row.get("arn") or next(filter(None, row.values()), "")
    return _shown(subject) or "a row without a text"


def _changed(
    place: str, found: str, anew: str, label: str = "", *, is_note: bool = False
) -> Difference:
    here, there = (_shown(text) or "nothing" for text in (found, anew))
    label = f" ({label})" if label else ""
    return Difference(place, f"{here}; the reports give {there}{label}", is_note)


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


def _workbook_differences(name: str, found: bytes, anew: bytes) -> Iterator[Difference]:
    """Yield how the sheets of a workbook differ; what people enter is left out.

    A sheet that was renamed is found by its content.
    """
    here = {sheet.title: sheet for sheet in read_sheets(name, found)}
    there = {sheet.title: sheet for sheet in read_sheets(name, anew)}
    others = [title for title in here if title not in there]
    lists: dict[str, _List] = {}
    of_sheets: dict[str, list[Difference]] = {}
    # Formulas refer to the lists, which have none.
    for title, sheet in sorted(there.items(), key=lambda item: bool(item[1].formulas)):
        place = f"{name}, sheet {title}"
        renamed = (other for other in others if _is_reproduced(here[other], sheet, lists))
        new = title if title in here else next(renamed, None)
        if new is None:
            of_sheets[title] = [Difference(place, "the sheet is gone")]
            continue
        of_sheets[title] = [*_sheet_differences(place, here[new], sheet, lists)]
        if new != title:
            others.remove(new)
            message = f"the sheet was renamed to {_shown(new)}"
            of_sheets[title].append(Difference(place, message, is_note=True))
        lists[new] = _list_of(here[new], sheet)
    yield from chain.from_iterable(of_sheets[title] for title in there)
    for title in others:
        yield Difference(f"{name}, sheet {_shown(title)}", "the sheet was added", is_note=True)


class _List(NamedTuple):
    """Say what formulas called the cells of a list as it was written.

    `columns` are letters by the letters of now; so many rows are `above` its heads.
    """

    title: str
    columns: Mapping[str, str]
    above: int


def _list_of(found: SheetCells, anew: SheetCells) -> _List:
    letters = {head: letter for letter, head in _by_letter(_texts_of_row(anew, 1)).items()}
    texts = {row: _texts_of_row(found, row) for row in [*found.rows][:_FIRST_ROWS]}
    top = _head_row(texts, letters)
    heads = _by_letter(texts.get(top, {})).items()
    columns = {letter: letters[head] for letter, head in heads if head in letters}
    return _List(anew.title, columns, top - 1)


def _texts_of_row(sheet: SheetCells, row: int) -> dict[int, str]:
    return {column: text_of(value) for column, value in sheet.rows.get(row, {}).items()}


def _as_written(formula: str, lists: Mapping[str, _List]) -> str:
    """Return a formula as it was before its lists were renamed, or got columns and rows above."""

    def reference(match: re.Match[str]) -> str:
        of = lists.get(match[1].strip("'").replace("''", "'"))
        if of is None:
            return match[0]
        cells = _CELL.sub(
            lambda cell: f"{of.columns.get(cell[1], '?')}{int(cell[2]) - of.above}", match[2]
        )
        return f"'{of.title}'!{cells}"

    return _REFERENCE.sub(reference, formula)


_CELL: Final = re.compile(r"\$?([A-Z]+)\$?(\d+)")
_REFERENCE: Final = re.compile(rf"('(?:[^']|'')+'|[\w.]+)!({_CELL.pattern}(?::{_CELL.pattern})?)")


def _is_reproduced(found: SheetCells, anew: SheetCells, lists: Mapping[str, _List]) -> bool:
    return all(one.is_note for one in _sheet_differences("", found, anew, lists))


def _sheet_differences(
    place: str, found: SheetCells, anew: SheetCells, lists: Mapping[str, _List]
) -> Iterator[Difference]:
    """Yield how a list, whose heads may have moved, or a sheet of text differs."""
    if found.is_hidden and not anew.is_hidden:
        yield Difference(place, "the sheet is hidden", is_note=True)
    if hidden := sorted(found.hidden - anew.hidden):
        yield Difference(place, f"hidden rows: {', '.join(map(str, hidden[:20]))}", is_note=True)
    if odd := sorted(found.number_formats - anew.number_formats):
        message = f"a number format can show another value: {', '.join(map(_shown, odd))}"
        yield Difference(place, message)
    rows, wanted = _texts(found, lists), [*_texts(anew, {}).values()]
    # A list has heads in its first row, a sheet of text has one title there.
    if len(wanted[0]) == 1:
        named = {row: _by_letter(cells) for row, cells in rows.items()}
        yield from _row_differences(place, named, [*map(_by_letter, wanted)], is_text=True)
        return
    known = {*wanted[0].values()}
    top = _head_row(rows, known)
    heads = rows.get(top, {})
    counts = Counter(heads.values())
    if twice := [head for head in known if counts[head] > 1]:
        yield Difference(place, f"columns are there twice: {', '.join(map(_shown, twice))}")
    above = {row: _by_letter(cells) for row, cells in rows.items() if row < top}
    yield from _row_differences(place, above, [], is_text=True)
    entered = {*ENTRY_HEADS} if RECORD in known else ()

    def by_head(heads: Mapping[int, str], cells: Mapping[int, str]) -> Row:
        return {head: cells.get(at, "") for at, head in heads.items() if head not in entered}

    below = {row: by_head(heads, cells) for row, cells in rows.items() if row > top}
    filled = {row: cells for row, cells in below.items() if any(cells.values())}
    yield from _row_differences(place, filled, [by_head(wanted[0], row) for row in wanted[1:]])


def _head_row(rows: Mapping[int, Mapping[int, str]], known: Collection[str]) -> int:
    """Return the row with the most known heads, 0 if there is no row."""
    first = [*rows][:_FIRST_ROWS]
    return max(first, key=lambda row: len({*known} & {*rows[row].values()}), default=0)


def _by_letter(cells: Mapping[int, str]) -> Row:
    return {column_name(column): text for column, text in cells.items()}


def _texts(sheet: SheetCells, lists: Mapping[str, _List]) -> dict[int, dict[int, str]]:
    """Return the rows with a text, by number; a formula is itself, in one form."""
    rows = {
        row: {column: text_of(value) for column, value in cells.items()}
        for row, cells in sheet.rows.items()
    }
    for (row, column), formula in sheet.formulas.items():
        rows.setdefault(row, {})[column] = _formula(_as_written(formula, lists))
    return {row: dict(sorted(rows[row].items())) for row in sorted(rows)}


def _formula(text: str) -> str:
    """Return a formula without what programs write in different ways."""
    return "".join(text.upper().replace("_XLFN.", "").split()).translate(_NOT_IN_FORMULAS)


_NOT_IN_FORMULAS: Final = str.maketrans("", "", "$'")
