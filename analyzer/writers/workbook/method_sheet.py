"""Write the sheets on method (terms of the other sheets, limitations) and on controls."""

import re
from typing import Final

from analyzer.analysis.analysis import Analysis
from analyzer.analysis.rule_results import RuleResults
from analyzer.analysis.rulebook import Rulebook
from analyzer.rules import RULES_BY_ID
from analyzer.standards import UNUSED_USER_SUPPORTS
from analyzer.terms import AS_OF_SOURCES, BLIND_SPOTS, VERSION, Verdict
from analyzer.verdicts.caveats import CAVEATS
from analyzer.verdicts.verdict import REASON_TEXTS, criteria_meanings, verdict_meaning
from analyzer.writers import findings
from analyzer.writers.workbook.book import Book, CellStyle, SheetName
from analyzer.writers.workbook.text_sheet import SpannedCell, TextSheet, head, label

_WIDTHS: Final = (30, 110)


def _texts(block: str) -> dict[str, str]:
    """Return texts by their names, from lines `name: text`; a continued line is indented."""
    entries = re.split(r"\n(?! )", block.strip())
    named = (entry.split(": ", 1) for entry in entries)
    return {name: " ".join(text.split()) for name, text in named}


_SHEETS: Final = _texts("""
Summary: Result, progress of the review, what to enter, criteria, notes, and checks that
  the numbers add up. Counts over lists to decide in are formulas.
Accounts and owners: Unused users of each account and of each owner, and how many of them can still
  sign in.
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
Changes: One row a change since the previous run, with its cause: users that are new, gone or
  created again, other verdicts, credentials and exemptions, and findings that are new or resolved.
  Users are compared by ARN and creation time, both runs by the criteria of this one.
Findings: Findings of the rules, by severity: each fact with its value and limit. Listed in names
  the list in which the user is decided. Exempt because is the reason of the exemption; Controls are
  the benchmarks' controls for the rule. To accept a finding, add its rule and user to the exemption
  list.
Controls: Result of each control of the standard, how it is decided, and which controls no
  credential report can decide.
All users: All users with verdict and every fact of the report. Report and Row name the source (the
  header is row 1). A list that is longer than a sheet continues in All users 2, and so on.
Root users: The root user of each account: not an IAM user; not classified. The columns are those
  that the rules on root users read.
Exempt: Users that match an entry of the exemption list, with its reason, and users that an earlier
  review decided to keep. They keep their verdict.
Exemption list: Every entry of the exemption list, the number of users it matches, and whether it
  applies, and after them every user that an earlier review decided to keep. An entry with the id of
  a rule exempts from that rule only.
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
    if SheetName.FINDINGS in book:
        _add_rules(sheet, analysis.rule_results.book)
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


_OUTCOMES: Final = _texts("""
fails: The rule fails. Counts towards --fail-on unless exempt.
noted: For information: nothing fails.
undecided: A cell that the rule needs is missing, not reported or not understood, two rows of one
  ARN differ in it, or the as-of time is assumed and a later one may change the outcome. Never
  counted as a pass: check it in AWS.
""")

_SEVERITIES: Final = _texts("""
critical: An active access key of the root user, which no policy limits, or a root user without MFA.
high: A password without MFA, a use or a signing certificate of the root user, or a user created for
  one API key that has other credentials.
medium: An unused user, password or access key, an access key that is too old, or a user without
  MFA.
low: More credentials than needed, users or credentials that are left over, or a password that
  expires.
""")

_RESULTS: Final = _texts("""
fail: At least one finding that is not exempt fails it.
undecided: No known failure, but some input was not understood or is missing.
pass: The input is complete, and there is no failure.
pass but for exemptions: All failures and undecided findings are exempt.
not run: A rule that it needs was not selected, or the filter leaves the root user out.
not decidable: A credential report does not have the data. This is not a pass.
""")


def _add_rules(sheet: TextSheet, rulebook: Rulebook) -> None:
    ran = {rule.id for rule in rulebook.rules}
    left_out = ", ".join(rule for rule in RULES_BY_ID if rule not in ran) or "none"
    sheet.section("Rules and limits")
    sheet.named_text("Standard", findings.standard_text(rulebook))
    sheet.named_text("Limits", findings.limits_text(rulebook) or "None.")
    sheet.named_text("Rules that did not run", left_out)
    sheet.section("Decision of each rule")
    for rule in rulebook.rules:
        condition = findings.rule_condition(rulebook, rule.id)
        sheet.named_text(rule.id, f"{rule.severity.capitalize()}. {rule.title}. {condition}")
    sheet.text_section(
        "Severities: set by this program, not by a standard", _SEVERITIES.items(), styled=True
    )
    sheet.text_section("Outcomes of findings", _OUTCOMES.items(), styled=True)
    sheet.text_section("Results of controls", _RESULTS.items(), styled=True)


# Controls

_CONTROL_WIDTHS: Final = (32, 12, 7.5, 9, 11, 48, 37)
"""The widths of all columns except the number, which is as wide as the longest number."""


def add_controls(book: Book, rule_results: RuleResults) -> None:
    """Add the sheet with the result of each control of the standard."""
    results, rulebook = rule_results.controls, rule_results.book
    standard = rulebook.standard
    longest = max(len(result.control.number) for result in results)
    sheet = TextSheet(book, SheetName.CONTROLS, (max(longest + 3, 9), *_CONTROL_WIDTHS))
    sheet.full_row(standard.name, CellStyle.TITLE)
    sheet.full_row(f"{rule_results.control_summary}.", CellStyle.SUBTITLE)
    scope = f"Scope: {standard.scope}. Numbers: {standard.source}. Titles are ours."
    sheet.full_row(scope, CellStyle.SUBTITLE)
    limits = findings.limits_text(rulebook) or "None."
    sheet.full_row(f"Limits: {limits}", CellStyle.SUBTITLE)
    sheet.space()
    counted = ("Fails", "Exempt", "Undecided")
    heads = (head("Control"), head("Title"), head("Result"), *counted, head("Rule"), head("Remark"))
    row = sheet.table_head(*heads)
    sheet.worksheet.freeze_panes = f"A{row + 1}"
    sheet.worksheet.print_title_rows = f"{row}:{row}"
    for result in results:
        number, ids = result.control.number, result.control.rules
        has_run = any(rule.id in ids for rule in rulebook.rules)
        counts = (result.fails, result.exempt, result.undecided) if has_run else ("",) * 3
        numbers = (SpannedCell(count, CellStyle.NUMBER) for count in counts)
        conditions = [(id_, findings.rule_condition(rulebook, id_)) for id_ in ids]
        decisions = "\n".join(how if id_ == number else f"{id_}: {how}" for id_, how in conditions)
        word = SpannedCell(result.result, CellStyle(result.result))
        sheet.row(label(number), result.control.title, word, *numbers, decisions, result.why)
    sheet.ignore_number_warning(f"A{row + 1}:A{sheet.next_row - 1}")
    if rulebook.has_benchmark:
        sheet.section("What unused users mean for an audit")
        sheet.full_row(UNUSED_USER_SUPPORTS)
