"""Spell moments in UTC as text: to the second, the minute or the day."""

from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.report.model import arrow_array, text_series

_DAY_LENGTH: Final = len("2024-04-22")
_MINUTE_LENGTH: Final = len("2024-04-22 19:47")


def utc_texts(moments: pa.Array) -> pa.Array:
    """Return moments (timestamp, UTC) as `2024-04-22T19:47:52Z` (string), null where there is none.

    Arrow spells them without a zone: `strftime` takes nine times as long.
    """
    texts = _without_zone(moments)
    divided = pc.binary_replace_slice(texts, _DAY_LENGTH, _DAY_LENGTH + 1, "T")
    return pc.binary_join_element_wise(divided, "Z", "")


def utc_text_series(moments: pd.Series) -> pd.Series:
    """Return moments as ISO text to the second (`TEXT`), missing where there is none."""
    return text_series(utc_texts(arrow_array(moments))).set_axis(moments.index)


def day_text_series(moments: pd.Series) -> pd.Series:
    """Return the days of moments in UTC (`TEXT`), missing where there is none."""
    days = pc.utf8_slice_codeunits(_without_zone(arrow_array(moments)), 0, _DAY_LENGTH)
    return text_series(days).set_axis(moments.index)


def minute_texts(moments: pa.Array) -> pa.Array:
    """Return moments as `2024-04-22 19:47` (large_string), null where there is none."""
    minutes = pc.utf8_slice_codeunits(_without_zone(moments), 0, _MINUTE_LENGTH)
    return minutes.cast(pa.large_string())


def _without_zone(moments: pa.Array) -> pa.Array:
    return moments.cast(pa.timestamp("s")).cast(pa.string())
