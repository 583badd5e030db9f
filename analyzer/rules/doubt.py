"""Say what leaves a rule undecided: each unknown cell that it reads, with its raw value."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from analyzer import columns
from analyzer.facts import Evidence
from analyzer.rules.rule import Rule

_LONGEST_VALUE: Final = 80


def doubts(rule: Rule, evidence: Evidence, at: np.ndarray) -> pa.Array:
    """Return for the undecided positions what leaves them so.

    Positions in slots are those of `Page.keys`; only the slot's own columns are then named.
    """
    if not len(at):
        return pa.array([], pa.string())
    if rule.doubt is not None:
        return rule.doubt(evidence, at)
    if not rule.subject.in_slots:
        return _told(evidence, at, rule.columns)
    slot, position = np.divmod(at, len(evidence.page))
    return pa.concat_arrays(
        _told(evidence, position[slot == place], (*rule.reads, *rule.slot_columns(place + 1)))
        for place in range(len(columns.SLOTS))
    )


def _told(evidence: Evidence, at: np.ndarray, names: Sequence[str]) -> pa.Array:
    said: dict[int, list[str]] = {position: [] for position in at.tolist()}
    for name in names:
        for position, sentence in _sentences(evidence, name):
            if position in said:
                said[position].append(sentence)
    return pa.array(map("; ".join, said.values()), pa.string())


def _sentences(evidence: Evidence, name: str) -> Iterator[tuple[int, str]]:
    """Yield what is wrong with the cells of a column, by the user's position."""
    positions, values = evidence.unread(name)
    for position, value in zip(positions.tolist(), values, strict=True):
        yield position, _sentence(name, value)
    for position in evidence.contradicted(name):
        yield position, f"another row of this ARN has another {name}"


def _sentence(name: str, value: object) -> str:
    if not isinstance(value, str):
        return f"{name} is not in this report"
    return f'{name} "{value[:_LONGEST_VALUE]}" is not understood'
