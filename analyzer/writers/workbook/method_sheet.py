"""Write the sheet on method: the terms of the other sheets, and what a report cannot show."""

import re
from typing import Final

from analyzer.analysis.analysis import Analysis
from analyzer.terms import BLIND_SPOTS, VERSION
from analyzer.verdicts.caveats import CAVEATS
from analyzer.verdicts.verdict import criteria_meanings
from analyzer.writers.findings import sentence
from analyzer.writers.workbook.book import Book, CellStyle, SheetName
from analyzer.writers.workbook.text_sheet import TextSheet

_WIDTHS: Final = (30, 110)


def _texts(block: str) -> dict[str, str]:
    """Return texts by their names, from lines `name: text`; a continued line is indented."""
    entries = re.split(r"\n(?! )", block.strip())
    named = (entry.split(": ", 1) for entry in entries)
    return {name: " ".join(text.split()) for name, text in named}


_TERMS: Final = _texts("""
Last activity: The newest sign-in or access key use, with service and region of the key's use.
Age in days: Whole days since the creation of the user. Later times (clock skew) count as 0 days.
Idle days: Whole days since the latest use of an enabled password or active access key. A password
  that was never used counts from its last change, an access key from its creation. Empty if the
  user has neither.
Exposure: The most exposed credential that still works. "(unknown)": a cell was not understood, and
  the user could be as exposed as this.
absent, inactive, active: States of the two access keys and two signing certificates of a user. An
  inactive key cannot be used until it is activated again.
never: AWS has recorded no use. AWS records sign-ins since 2014-10-20 and the use of access keys
  since 2015-04-22.
An empty cell: No password, no access key, or no date in the report.
"…" (not understood): The value in the report: AWS does not document it. It is never read as no.
not reported: AWS writes not_supported and does not say: the root's password in reports before 2025.
not known: The report does not show it, or a cell that it needs is not understood.
not in this report: The report does not have this column. Reports of 2014 lack the last use of
  access keys.
""")

_CERTAIN: Final = (
    "certain",
    "None of these caveats applies; a user with one is to check. For unused and retired users.",
)

_LIMITATIONS: Final = _texts("""
Permissions: The report lists credentials, not permissions. An unused user can still be named in a
  policy or in the trust policy of a role.
Deleted credentials: The report does not show the last use of a deleted access key, and often not
  that of a deleted password.
Accuracy of last use: AWS records sign-ins to 5 minutes and the use of access keys to 15 minutes,
  both with a delay.
""")

_SOURCES: Final = (
    "AWS IAM User Guide: Generate credential reports for your AWS account; Find unused AWS"
    " credentials. Trend Micro Conformity rule IAM-029, Unused IAM User."
)


def add_method(book: Book, analysis: Analysis) -> None:
    """Add the sheet with what no other sheet explains."""
    sheet = TextSheet(book, SheetName.METHOD, _WIDTHS)
    sheet.full_row("Method and limitations", CellStyle.TITLE)
    sheet.text_section("Parameters", criteria_meanings(analysis.criteria))
    caveats = ((caveat.id, caveat.meaning) for caveat in CAVEATS)
    sheet.text_section("Certainty, and what to check first", (_CERTAIN, *caveats))
    sheet.text_section("Words in cells; all times are in UTC", _TERMS.items())
    sheet.section("Not visible in a credential report")
    for blind_spot in BLIND_SPOTS:
        sheet.full_row(sentence(blind_spot))
    sheet.text_section("Other limits", _LIMITATIONS.items())
    sources = (("Rules and facts", _SOURCES), ("Program", f"credreport {VERSION}"))
    sheet.text_section("Sources", sources)
