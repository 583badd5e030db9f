"""Count whole days, the only unit of time that verdicts and rules speak in."""

import numpy as np
import pandas as pd

_DAY = 86_400


def days_between(since: pd.Series, as_of: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return whole days (int64) from one moment to another, and where there is no first moment.

    Both are datetime64[s, UTC]. Days are floored, and a moment after as-of, as clock skew gives,
    counts as 0.
    """
    seconds = _seconds(as_of) - _seconds(since)
    return np.maximum(seconds // _DAY, 0), since.isna().to_numpy()


def _seconds(moments: pd.Series) -> np.ndarray:
    return moments.to_numpy("datetime64[s]").astype(np.int64)
