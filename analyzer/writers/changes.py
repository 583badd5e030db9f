"""Write what changed between two analyses as CSV or JSON."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO, Final

import pandas as pd

from analyzer import columns
from analyzer.analysis import Analysis
from analyzer.changes import (
    COLUMNS,
    LAST_USE,
    counts_by_kind,
)
from analyzer.moment_texts import utc_text_series
from analyzer.terms import utc_text
from analyzer.version import VERSION
from analyzer.writers.csv import frame_lines

SCHEMA_VERSION: Final = "1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Hold two analyses and what changed from one to the other (`changes.COLUMNS`).

    `accounts` is the number of accounts that were compared.
    """

    before: Analysis
    now: Analysis
    changes: pd.DataFrame
    accounts: int


def write_changes(frame: pd.DataFrame, stream: BinaryIO, *, raw: bool = False) -> None:
    """Write the changes (`changes.COLUMNS`) as CSV, in their order.

    With `raw` no apostrophe is put before what looks like a formula: for machines only.
    """
    stream.write(",".join(COLUMNS).encode() + b"\n")
    stream.write(frame_lines(_with_moments_as_text(frame), raw=raw))


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
    lines = ",\n".join(_dump(each) for each in _change_objects(compared.changes))
    text = f'{_dump(head).removesuffix("}")},"changes":[\n{lines}\n]}}\n'
    # A file name whose bytes are no UTF-8 holds surrogates: JSON spells them as `\udcff`.
    stream.write(text.encode(errors="backslashreplace"))


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


def _change_objects(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the changes as objects, null where a moment is missing."""
    texts = _with_moments_as_text(frame)
    for each in texts.to_dict("records"):
        yield {
            str(name): None if name in (LAST_USE, columns.CREATED) and not value else value
            for name, value in each.items()
        }


def _with_moments_as_text(frame: pd.DataFrame) -> pd.DataFrame:
    moments = {
        name: utc_text_series(frame[name]).fillna("") for name in (LAST_USE, columns.CREATED)
    }
    return frame.assign(**moments)[list(COLUMNS)]
