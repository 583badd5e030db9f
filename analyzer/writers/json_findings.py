"""Say in the terms of JSON what the rules found, and how the controls came out."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import pandas as pd

from analyzer import columns
from analyzer.inspection import Inspection
from analyzer.model import ReportFile
from analyzer.rules.rule import DAYS, FINDINGS, SINCE, Rule
from analyzer.standards import references
from analyzer.terms import ISO_UTC


def inspected(inspection: Inspection) -> dict[str, Any]:
    """Return which rules ran, by which limits, and how the controls came out."""
    standard = inspection.book.standard
    return {
        "standard": {"id": str(standard.id), "name": standard.name, "scope": standard.scope},
        "thresholds": asdict(inspection.book.thresholds),
        "rules": [_rule(rule) for rule in inspection.book.rules],
        "controls": [
            {
                "number": each.control.number,
                "title": each.control.title,
                "rules": list(each.control.rules),
                "result": each.result,
                "fails": each.fails,
                "exempt": each.exempt,
                "undecided": each.undecided,
                "why": each.why,
            }
            for each in inspection.controls
        ],
    }


def found(frame: pd.DataFrame, files: Sequence[ReportFile]) -> Iterator[dict[str, Any]]:
    """Yield findings (columns: `rules.rule.FINDINGS`) as objects, null for what is missing."""
    for each in frame.astype(object).to_dict("records"):
        told = {name: None if pd.isna(each[name]) else each[name] for name in FINDINGS}
        yield {
            **told,
            columns.SLOT: number(each[columns.SLOT]),
            DAYS: number(each[DAYS]),
            columns.CREATED: moment(told[columns.CREATED]),
            SINCE: moment(told[SINCE]),
            columns.FILE: files[each[columns.FILE]].name,
        }


def number(value: Any) -> int | None:
    """Return a whole number, None where there is none."""
    return None if pd.isna(value) else int(value)


def moment(at: datetime | None) -> str | None:
    """Return a moment in UTC as text, None where there is none."""
    return None if at is None else f"{at:{ISO_UTC}}"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "title": rule.title,
        "severity": rule.severity,
        "subject": rule.subject,
        "references": {name: list(numbers) for name, numbers in references(rule.id)},
    }
