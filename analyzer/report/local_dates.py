"""Read the dates of a report that a spreadsheet wrote in a local form, such as `21/05/2015 14:01`.

They are read, as UTC, only if all dates of the report have one form, and at least one number above
12 shows which of the numbers is the day.
"""

from collections.abc import Iterable
from itertools import product
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.report import values
from analyzer.report.model import NO_MOMENT, text_series

_DAYS: Final = ("%d{0}%m{0}%Y", "%m{0}%d{0}%Y", "%Y{0}%m{0}%d", "%Y{0}%d{0}%m")
_CLOCKS: Final = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p")

FORMS: Final = tuple(
    f"{day.format(sign)} {clock}" for day, sign, clock in product(_DAYS, "/.-", _CLOCKS)
)
"""The forms that are read, as of `strptime`. A year of two digits may be any number: it is not."""

_WORDS: Final = {"%d": "day", "%m": "month", "%Y": "year"}

_DATE: Final = r"(?s)^\s*(\d{1,2}[/.\-]\d{1,2}[/.\-]\d|\d{4}[/.\-]\d{1,2}[/.\-]\d{1,2} \d+:)"


def local_dates(table: pa.Table, suspects: np.ndarray) -> pa.Array:
    """Return the cells that are dates of a local form among the suspects.

    These are marked by `columns.TIMESTAMPS` and rows, as `values.may_be_local_date` finds them.
    """
    marked = [
        table[name].filter(pa.array(suspect)).combine_chunks()
        for name, suspect in zip(columns.TIMESTAMPS, suspects, strict=True)
        if suspect.any()
    ]
    cells = pa.concat_arrays(marked)
    return cells.filter(pc.match_substring_regex(cells, _DATE))


def fitting_forms(forms: Iterable[str], dates: pa.Array) -> tuple[str, ...]:
    """Return the forms by which all these dates can be read."""
    distinct = pc.unique(dates)
    return tuple(form for form in forms if not np.isnat(_moments(distinct, form)).any())


def order_of_numbers(form: str) -> str:
    """Return the order of the numbers in a form: `day/month/year`."""
    order, _, _ = form.partition(" ")
    for sign, word in _WORDS.items():
        order = order.replace(sign, word)
    return order


def with_moments(table: pa.Table, form: str) -> pa.Table:
    """Return a table of a report with its dates of this form as AWS writes them."""
    for place, name in enumerate(table.column_names):
        if name in columns.TIMESTAMPS:
            cells = table[name].combine_chunks()
            texts = values.utc_texts(pa.array(_moments(cells, form))).cast(cells.type)
            table = table.set_column(place, name, pc.coalesce(texts, cells))
    return table


def _moments(cells: pa.Array, form: str) -> np.ndarray:
    """Return dates of this form as datetime64[s], NaT for what is none."""
    read = pd.to_datetime(text_series(cells), format=form, errors="coerce")
    return np.asarray(read.to_numpy().astype(NO_MOMENT.dtype))
