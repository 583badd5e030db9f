"""Write the sheets on method (terms of the other sheets, limitations) and on controls."""

import re
from typing import Final

from analyzer.analysis.analysis import Analysis
from analyzer.terms import AS_OF_SOURCES, BLIND_SPOTS, VERSION, Verdict
from analyzer.verdicts.caveats import CAVEATS
from analyzer.verdicts.verdict import REASON_TEXTS, criteria_meanings, verdict_meaning
from analyzer.writers import findings
from analyzer.writers.workbook.book import Book, CellStyle, SheetName
from analyzer.writers.workbook.text_sheet import TextSheet

_WIDTHS: Final = (30, 110)


def _texts(block: str) -> dict[str, str]:
    """Return texts by their names, from lines `name: text`; a continued line is indented."""
    entries = re.split(r"\n(?! )", block.strip())
    named = (entry.split(": ", 1) for entry in entries)
    return {name: " ".join(text.split()) for name, text in named}


_SHEETS: Final = _texts("""
Summary: Result, progress of the review, what to enter, criteria, notes, and checks that
  the numbers add up. Counts over lists to decide in are formulas.
Unused users: List to decide in: every unused user that is not exempt, by account, the most
  exposed first, then the oldest. Fill in the yellow cells; the sheet Summary explains them. Sort
  whole rows: the block Decision to Comment is refused if it was sorted without the rest, as the
  name of the user in it moves along; yellow cells that alone change places cannot be noticed.
  Earlier decision is what was decided before, and what became of it. The dates of each credential
  are folded, and so is Record, the cells of the report that a decision is compared with: open them
  with the + above the columns.
Inactive users: List to decide in: retired and dormant users that are not exempt, with the same
  columns.
Undetermined: List to decide in: users with cells that were not understood, with the values from the
  report. Check these users in AWS.
Follow-up: Every user that the earlier review decided to delete or deactivate, the most urgent
  first, with its state and the fact in the report: overtaken is new access or use since the
  decision, open is not done yet. Overdue is one not done in time.
All users: All users with verdict and every fact of the report. Report and Row name the source (the
  header is row 1). A list that is longer than a sheet continues in All users 2, and so on.
Root users: The root user of each account: not an IAM user; not classified. The columns are those
  that the rules on root users read.
Exempt: Users that match an entry of the exemption list, with its reason, and users that an earlier
  review decided to keep. They keep their verdict.
""")

_CERTAINTIES: Final = _texts("""
certain: No caveat applies. Certainty is stated for unused and retired users only.
check: At least one caveat applies: check it before the user is deleted.
""")

_TERM_MEANINGS: Final = _texts("""
Times: All dates and times are in UTC.
Last activity: The newest sign-in or access key use, with service and region of the key's use.
Age in days: Whole days from the creation of the user to the time of the report. Later times (clock
  skew) count as 0 days.
Idle days: Whole days from the latest use of an enabled password or active access key to the time of
  the report. A password that was never used counts from its last change, an access key from its
  creation. Empty if the user has neither.
absent, inactive, active: States of the two access keys and two signing certificates of a user. An
  inactive key cannot be used until it is activated again.
never: AWS has recorded no use. AWS records sign-ins since 2014-10-20 and the use of access keys
  since 2015-04-22.
An empty cell: No password, no access key, or no date in the report.
"…" (not understood): The value in the report: AWS does not document it. It is never read as no.
not reported: AWS writes not_supported and does not say: the root's password in reports before 2025.
not known: The report does not show it, or a cell that it needs is not understood. Of
  service-specific credentials: AWS's list was not saved with the report.
not in this report: The report does not have this column. Reports of 2014 lack the last use of
  access keys.
""")

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
    """Add the sheet that explains the other sheets, and the rules if there are findings."""
    criteria = analysis.criteria
    sheet = TextSheet(book, SheetName.METHOD, _WIDTHS)
    sheet.full_row("Method and limitations", CellStyle.TITLE)
    sheet.text_section("Sheets", (entry for entry in _SHEETS.items() if entry[0] in book))
    sheet.text_section("Parameters", criteria_meanings(criteria))
    verdicts = ((verdict, verdict_meaning(verdict, criteria)) for verdict in Verdict)
    sheet.text_section("Verdicts: the first that applies, in this order", verdicts, styled=True)
    reasons = ((reason, f"The user {text}.") for reason, text in REASON_TEXTS.items())
    sheet.text_section("Reasons of unused users", reasons)
    sheet.text_section("Certainty", _CERTAINTIES.items(), styled=True)
    caveats = ((caveat.id, caveat.meaning) for caveat in CAVEATS)
    sheet.text_section("Caveats: reasons to check a user first", caveats)
    sheet.text_section("Cells", _TERM_MEANINGS.items())
    as_of_sources = ((source, findings.sentence(text)) for source, text in AS_OF_SOURCES.items())
    sheet.text_section("Sources of the as-of time, the strongest first", as_of_sources)
    sheet.section("Not visible in a credential report")
    for blind_spot in BLIND_SPOTS:
        sheet.full_row(findings.sentence(blind_spot))
    report = analysis.report
    if missing := [
        (account.label, account.reason) for account in (*report.not_covered, *report.left_out)
    ]:
        sheet.text_section("Accounts and files that are not covered", missing)
    sheet.text_section("Other limits", _LIMITATIONS.items())
    sources = (("Rules and facts", _SOURCES), ("Program", f"credreport {VERSION}"))
    sheet.text_section("Sources", sources)
