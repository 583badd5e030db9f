"""Build filled-in workbooks of a review by hand, as a person leaves them."""

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from openpyxl import Workbook

from analyzer.model import FileReference
from analyzer.review import Review, ReviewDecision, ReviewWorkbook, combined_review
from analyzer.review_columns import Decision
from analyzer.sources.review import read_review
from tests.support.builders import ACCOUNT, LONG_AGO

HEADS = (
    *("Account", "User", "Decision", "Decided by", "Decided on", "Ticket", "Comment"),
    *("Reason", "ARN", "Created"),
)
DAY = date(2026, 3, 5)


def arn_of(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:user/{name}"


def listed(name: str, decision: str | None = None, **cells: Any) -> dict[str, Any]:
    """Return a row of a list, by its heads; `cells` replace others, `_` standing for a blank."""
    row = {
        "Account": ACCOUNT,
        "User": name,
        "Decision": decision,
        "Decided by": "Ann",
        "Decided on": DAY if decision else None,
        "ARN": arn_of(name),
        "Created": LONG_AGO.replace(tzinfo=None),
    }
    return {**row, **{head.replace("_", " "): value for head, value in cells.items()}}


def workbook_bytes(
    *rows: Mapping[str, Any],
    title: str = "Unused users",
    heads: Sequence[str] = HEADS,
    above: Iterable[Sequence[Any]] = (),
    summary: str | None = None,
) -> bytes:
    """Return a workbook with one list; text stays text, though it begins like a formula."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for line in (*above, heads, *([row.get(head) for head in heads] for row in rows)):
        sheet.append(list(line))
    for cell in (each for line in sheet.iter_rows() for each in line):
        if cell.data_type == "f" and cell.value != "=TODAY()":
            cell.data_type = "s"
    if summary is not None:
        book.create_sheet("Summary").append([None, summary])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def decisions_in(content: bytes) -> dict[str, str]:
    """Return each user's decision, by name."""
    read = read_review("LAST.xlsx", content).decisions
    return {each.user: str(each.decision) for each in read}


def decision_on(
    name: str,
    decision: Decision,
    day: date = DAY,
    created: datetime | None = LONG_AGO,
    **cells: Any,
) -> ReviewDecision:
    return ReviewDecision(
        arn=cells.pop("arn", arn_of(name)),
        created=created,
        decision=decision,
        decided_on=day,
        **cells,
    )


def review_of(*decisions: ReviewDecision, **days: int) -> Review:
    file = FileReference(name="LAST.xlsx", sha256="0" * 64)
    return combined_review([ReviewWorkbook(file=file, decisions=decisions)], **days)
