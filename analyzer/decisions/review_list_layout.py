"""Name the sheets and columns of the lists that reviewers decide in.

The workbook has them, and its reader expects them.
"""

from typing import Final

SHEETS: Final = ("Unused users", "Inactive users", "Undetermined")
"""The sheets that a reviewer fills in; a continued sheet has the same title and a number."""

UNUSED_USERS, INACTIVE_USERS, UNDETERMINED = SHEETS
EXEMPT: Final = "Exempt"
"""The sheet of exempt users; workbooks of earlier versions have decisions to keep there."""

LIST: Final = "List"
LISTED: Final = "Listed"
WHEN_WRITTEN: Final = "when written"
"""The heads of the table of checks on the Summary: the row that begins with LIST, LISTED.

Each row below begins with the title of a list. The column of the first WHEN_WRITTEN, right of
LISTED, has the number of users that the list had when the file was written. The table ends at the
first row that begins with anything else.
"""

OK: Final = "OK"
DIFFERS: Final = "DIFFERS"
"""The results of the checks on the Summary."""

ACCOUNT: Final = "Account"
USER: Final = "User"
OWNER: Final = "Owner"
OWNER_LEFT: Final = "Owner left"
EARLIER_DECISION: Final = "Earlier decision"
RECORD: Final = "Record"
ARN: Final = "ARN"
CREATED: Final = "Created"
LAST_ACTIVITY: Final = "Last activity (UTC)"
AS_OF: Final = "As of (UTC)"
DECIDED: Final = "Decided"
ENTERED_IN: Final = "Entered in"
SHA256: Final = "SHA-256"
"""Columns of a follow-up that no list has: one of `REMOVALS`, and the file it was entered in."""

REASON: Final = "Reason"
STATE: Final = "State"
"""Columns of the exemption list; the program alone fills in STATE."""

ENTRY_HEADS: Final = ("Decision", "Decided by", "Decided on", "Ticket", "Comment")
"""The columns that a reviewer fills in."""

DECISION, DECIDED_BY, DECIDED_ON, TICKET, COMMENT = ENTRY_HEADS

ACCESS_KEYS: Final = ("Access key 1", "Access key 2")
NEVER: Final = "never"
NOT_KNOWN: Final = "not known"
NOT_UNDERSTOOD: Final = " (not understood)"
"""The text after a raw value that was not understood."""

NOT_REPORTED: Final = "not in this report"
