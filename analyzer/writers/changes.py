"""Write what changed between two analyses as CSV or JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO, Final

import pandas as pd

from analyzer import columns
from analyzer.analysis import Analysis
from analyzer.changes.diff import CHANGE, COLUMNS, counts_by_kind
from analyzer.model import TEXT
from analyzer.moment_texts import utc_text_series
from analyzer.terms import utc_text
from analyzer.version import VERSION
from analyzer.writers.csv import frame_lines

SCHEMA_VERSION: Final = "1.0"

_MOMENTS: Final = (columns.LAST_USE, columns.CREATED)
_ROWS_AT_ONCE: Final = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Hold two analyses and what changed from one to the other (`changes.diff.COLUMNS`).

    `accounts` is the number of accounts that were compared.
    """

    before: Analysis
    now: Analysis
    changes: pd.DataFrame
    accounts: int


def write_changes(frame: pd.DataFrame, stream: BinaryIO, *, raw: bool = False) -> None:
    """Write the changes (`changes.diff.COLUMNS`) as CSV, in their order.

    With `raw` no apostrophe is put before what looks like a formula: for machines only.
    """
    stream.write(",".join(COLUMNS).encode() + b"\n")
    for part in _text_parts(frame):
        stream.write(frame_lines(part, raw=raw))


def write_changes_json(compared: Comparison, stream: BinaryIO) -> None:
    """Write both sides, the number of changes of each kind, and the changes, one a line."""
    head = {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "credreport", "version": VERSION},
        "criteria": asdict(compared.now.criteria),
        "before": _side(compared.before),
        "now": _side(compared.now),
        "counts": {str(kind): number for kind, number in counts_by_kind(compared.changes).items()},
    }
    # A file name whose bytes are no UTF-8 holds surrogates: JSON spells them as `\udcff`.
    text = f'{_dump(head).removesuffix("}")},"changes":['
    stream.write(text.encode(errors="backslashreplace"))
    between = "\n"
    for row in text_rows(compared.changes):
        stream.write(f"{between}{_dump(_change_object(row))}".encode(errors="backslashreplace"))
        between = ",\n"
    stream.write(b"\n]}\n")


def text_rows(frame: pd.DataFrame) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each change as text, in the order of `COLUMNS`; moments as ISO 8601."""
    for part in _text_parts(frame):
        yield from zip(*(part[name].to_numpy() for name in COLUMNS), strict=True)


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _side(analysis: Analysis) -> dict[str, Any]:
    exemptions = analysis.exemptions.file
    return {
        "files": [
            {
                "name": file.name,
                "sha256": file.sha256,
                "as_of": utc_text(file.as_of),
                "as_of_source": file.as_of_source.value,
                "accounts": [account.account for account in file.accounts],
            }
            for file in analysis.report.files
        ],
        "not_covered": [asdict(each) for each in analysis.report.not_covered],
        "exemptions": None if exemptions is None else asdict(exemptions),
        "notes": list(analysis.report.notes),
    }


def _change_object(row: Sequence[str]) -> dict[str, str | None]:
    """Return a change as an object, null where a moment is missing."""
    cells = zip(COLUMNS, row, strict=True)
    return {name: cell or None if name in _MOMENTS else cell for name, cell in cells}


def _text_parts(frame: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield the changes as text, so many at a time that they take little memory."""
    for first in range(0, len(frame), _ROWS_AT_ONCE):
        part = frame.iloc[first : first + _ROWS_AT_ONCE]
        moments = {name: utc_text_series(part[name]).fillna("") for name in _MOMENTS}
        yield part.assign(**moments, **{CHANGE: part[CHANGE].astype(TEXT)})[list(COLUMNS)]
