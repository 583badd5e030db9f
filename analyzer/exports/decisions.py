"""Keep in a run the decisions that it was judged with, and read them back.

The workbooks that they come from may be edited further, moved or removed.
"""

import json
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from analyzer.errors import InputRefused
from analyzer.files import json_bytes
from analyzer.model import FileReference
from analyzer.review import Review, ReviewDecision
from analyzer.review_columns import Decision

DECISIONS: Final = "decisions.json"
"""The file of a run, which is there if a review was read."""

_ENTERED: Final = "is_dated"
"""The key under which the file holds `ReviewDecision.has_entered_date`."""


def decisions_bytes(review: Review) -> bytes:
    """Return the decisions of a review, their workbooks, and the days that count, as JSON."""
    return json_bytes(
        {
            "workbooks": [asdict(each) for each in review.workbooks],
            "keep_days": review.keep_days,
            "due_days": review.due_days,
            "decisions": [_as_object(each) for each in review.decisions],
        }
    )


def recorded_review(run: Path) -> Review:
    """Return the review that a run was judged with, an empty one if it was judged without.

    Raises InputRefused for a file that is not as `decisions_bytes` writes it.
    """
    path = run / DECISIONS
    if not path.is_file():
        return Review()
    try:
        document = json.loads(path.read_bytes())
        return Review(
            workbooks=tuple(FileReference(**each) for each in document["workbooks"]),
            decisions=tuple(_decision(each) for each in document["decisions"]),
            keep_days=document["keep_days"],
            due_days=document["due_days"],
        )
    except (ValueError, TypeError, LookupError) as error:
        message = f"it does not have the decisions of a run: {error}"
        raise InputRefused.of_file(DECISIONS, message, "Export the run again.") from None


def _as_object(decision: ReviewDecision) -> dict[str, Any]:
    return {
        _ENTERED if name == "has_entered_date" else name: (
            value.isoformat() if isinstance(value, date) else value
        )
        for name, value in asdict(decision).items()
    }


def _decision(each: dict[str, Any]) -> ReviewDecision:
    created, as_of = (
        None if each[name] is None else datetime.fromisoformat(each[name])
        for name in ("created", "as_of")
    )
    fields = {name: value for name, value in each.items() if name != _ENTERED}
    return ReviewDecision(
        **{
            **fields,
            "has_entered_date": each[_ENTERED],
            "created": created,
            "as_of": as_of,
            "decision": Decision(each["decision"]),
            "decided_on": date.fromisoformat(each["decided_on"]),
        }
    )
