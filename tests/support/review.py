"""Fill in a workbook as a reviewer does."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl

HEADS = ("Decision", "Decided by", "Decided on", "Ticket", "Comment")


def fill_in(
    workbook: Path,
    entries: Mapping[str, str],
    *,
    by: str = "Anna",
    on: date,
    copy: Path | None = None,
) -> Path:
    """Enter decisions by user name, in the workbook or in a copy; `=` before a word empties."""
    book = openpyxl.load_workbook(workbook)
    filled: set[str] = set()
    for sheet in book.worksheets:
        columns = {cell.value: at for at, cell in enumerate(sheet[1], start=1)}
        if "Decision" not in columns:
            continue
        for row in sheet.iter_rows(min_row=2):
            user = str(row[columns["User"] - 1].value)
            if word := entries.get(user):
                filled.add(user)
                comment = "needed" if word == "keep" else None
                cells: tuple[Any, ...] = (word, by, on, None, comment)
                for head, value in zip(HEADS, cells if word != "=" else (None,) * 5, strict=True):
                    sheet.cell(int(str(row[0].row)), columns[head]).value = value
    assert filled == {*entries}, f"not listed: {sorted({*entries} - filled)}"
    book.save(copy or workbook)
    return copy or workbook
