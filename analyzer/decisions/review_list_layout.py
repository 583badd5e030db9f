"""Name the sheets and columns of the lists that reviewers decide in.

The workbook has them, and its reader expects them.
"""

from typing import Final

ACCOUNT: Final = "Account"
ACCOUNT_NAME: Final = "Account name"
ACCOUNT_OWNER: Final = "Account owner"
USER: Final = "User"
OWNER: Final = "Owner"
OWNER_LEFT: Final = "Owner left"
EARLIER_DECISION: Final = "Earlier decision"
ARN: Final = "ARN"
CREATED: Final = "Created"
LAST_ACTIVITY: Final = "Last activity (UTC)"
AS_OF: Final = "As of (UTC)"
REPORT: Final = "Report"
WHY: Final = "Why"
CHECK: Final = "Check first"
SENTENCES: Final = (WHY, CHECK)
"""Columns with sentences, which can differ from version to version."""

DECIDED: Final = "Decided"
ENTERED_IN: Final = "Entered in"
"""Columns of a follow-up that no list has: one of `REMOVALS`, and the file it was entered in."""

ENTRY_HEADS: Final = ("Decision", "Decided by", "Decided on", "Ticket", "Comment")
"""The columns that a reviewer fills in."""

DECISION, DECIDED_BY, DECIDED_ON, TICKET, COMMENT = ENTRY_HEADS

BLOCK_HEADS: Final = (DECISION, USER, DECIDED_BY, DECIDED_ON, TICKET, COMMENT)
"""The block of entries: the user is among them, so that the name goes along if it is sorted."""

EVERY_ROW: Final = "In every row: "
"""The beginning of the sentence above a list with the columns that are alike in all its rows."""

REVIEW: Final = "credreport review: "
"""The beginning of the hidden cell of the Summary that says by what the lists were made."""

ACCESS_KEYS: Final = ("Access key 1", "Access key 2")
NEVER: Final = "never"
NOT_KNOWN: Final = "not known"
NOT_UNDERSTOOD: Final = " (not understood)"
"""The text after a raw value that was not understood."""

NOT_REPORTED: Final = "not in this report"


def minute_text(text: str) -> str:
    """Return a moment as a sentence has it: to the minute, as its cell shows it."""
    return text.replace("T", " ")[: len("2026-03-01 09:30")] if text.endswith("Z") else text
