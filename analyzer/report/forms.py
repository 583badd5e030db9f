"""Give cells the one form in which what means the same looks the same."""

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.report import values

_BOOLEANS: Final = frozenset(
    {
        columns.PASSWORD_ENABLED,
        columns.MFA_ACTIVE,
        *(key.active for key in columns.ACCESS_KEYS),
        *(certificate.active for certificate in columns.CERTIFICATES),
    }
)


def in_one_form(column: str, cells: pa.Array) -> pa.Array:
    """Return a column's cells with timestamps as `…Z` and booleans in lower case."""
    if column in columns.TIMESTAMPS:
        return values.as_text(cells, values.moments(cells))
    return lowered(cells) if column in _BOOLEANS else cells


def lowered(cells: pa.Array) -> pa.Array:
    """Return the cells with booleans in lower case, all others as they are."""
    lower = pc.utf8_lower(cells)
    known = pc.is_in(lower, pa.array(["true", "false"], pa.large_string()))
    return pc.if_else(known, lower, cells)
