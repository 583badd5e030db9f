"""Show on the Summary how many users, findings, decisions and changes there are of each kind.

The users of each account add up to the rows that were read of it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import pandas as pd

from analyzer import columns
from analyzer.changes.diff import CHANGE, counts_by_kind
from analyzer.changes.user_changes import Change
from analyzer.decisions import follow_up, ledger
from analyzer.decisions.follow_up import FollowUpStatus, follow_up_counts
from analyzer.decisions.review_columns import REMOVALS
from analyzer.judging.analysis import AGE_BANDS, Analysis
from analyzer.judging.inspection import Inspection
from analyzer.terms import OVERDUE, Certainty, Severity, Verdict
from analyzer.verdicts.verdict import verdict_meaning
from analyzer.writers import findings
from analyzer.writers.findings import RuleFindings
from analyzer.writers.users import VERDICT_ORDER
from analyzer.writers.workbook.book import Title
from analyzer.writers.workbook.lists import NO_CHANGES, NO_REMOVALS, STATUS_STYLES
from analyzer.writers.workbook.style import CellStyle
from analyzer.writers.workbook.text_sheet import (
    NOT_APPLICABLE,
    Part,
    SpannedCell,
    TextSheet,
    check,
    head,
    label,
    total,
)
from analyzer.writers.workbook.user_columns import account_text

_BESIDE: Final = SpannedCell("", span=4)
_MEANING_SPAN: Final = 6
"""How many columns of the sheet the meaning of a line takes."""


def add_result(sheet: TextSheet, analysis: Analysis) -> range:
    """Add the users of each verdict, and how they add up; return the rows of the verdicts."""
    users = analysis.totals.users
    counted = ("Users", "Exempt", "Not exempt", "of these certain", "of these to check")
    top = sheet.table_head(head("Verdict"), *counted, head("Meaning", _MEANING_SPAN))
    for verdict in VERDICT_ORDER:
        by_certainty: list[Part] = [NOT_APPLICABLE] * len(Certainty)
        if verdict in (Verdict.UNUSED, Verdict.RETIRED):
            by_certainty = [users(verdict, exempt=False, certainty=each) for each in Certainty]
        sheet.row(
            SpannedCell(str(verdict), CellStyle(verdict)),
            *(users(verdict, exempt=exempt) for exempt in (None, True, False)),
            *by_certainty,
            SpannedCell(verdict_meaning(verdict, analysis.criteria), span=_MEANING_SPAN),
        )
    rows = range(top + 1, sheet.next_row)
    _add_row_counts(sheet, analysis)
    return rows


def _add_row_counts(sheet: TextSheet, analysis: Analysis) -> None:
    """Add the rows that are no users, and check that nothing that was read is left out."""
    report = analysis.report
    accounts = [account for file in report.files for account in file.accounts]
    users, exempt = analysis.totals.users(), analysis.totals.users(exempt=True)
    roots = sum(account.roots for account in accounts)
    repeated = sum(account.repeated for account in accounts)
    top = sheet.next_row
    sums = map(total, (users, exempt, users - exempt))
    meaning = SpannedCell("Sum of the verdicts.", span=_MEANING_SPAN)
    sheet.row(label("IAM users"), *sums, NOT_APPLICABLE, NOT_APPLICABLE, meaning)
    holds = report.rows == users + roots + repeated
    tie = check(f"B{top + 3}=B{top}+B{top + 1}+B{top + 2}", holds=holds)
    sheet.alarm(f"B{top + 4}")
    for name, number, about in (
        ("Root rows", roots, "Rows of root users: not IAM users; not classified."),
        ("Repeated rows", repeated, "More rows of the same users: each user counts once."),
        ("Rows read", report.rows, "Data rows in all reports."),
    ):
        sheet.row(label(name), total(number), _BESIDE, SpannedCell(about, span=_MEANING_SPAN))
    about = "Rows read = IAM users + root rows + repeated rows."
    sheet.row(label("Row count check"), tie, _BESIDE, SpannedCell(about, span=_MEANING_SPAN))
    if missing := len(report.not_covered):
        about = "Accounts that could not be read: their users are not counted."
        count = SpannedCell("Not covered", CellStyle.CHECK), SpannedCell(missing, CellStyle.CHECK)
        sheet.row(*count, _BESIDE, SpannedCell(about, span=_MEANING_SPAN))


def add_ages(sheet: TextSheet, analysis: Analysis) -> tuple[range, dict[str, int]]:
    """Add how old the unused users are; return the rows of the ages, and the numbers."""
    counts = analysis.totals.counts
    unused = counts[counts[columns.VERDICT] == Verdict.UNUSED]
    users = unused.groupby(columns.AGE_BAND)[columns.USERS].sum().to_dict()
    *known, unknown = AGE_BANDS
    bands = [*known, unknown] if users.get(unknown) else known
    ages = {band: int(users.get(band, 0)) for band in bands}
    top = sheet.table_head(head("Age of unused users"), "Users")
    for band, number in ages.items():
        sheet.row(label(band), number)
    rows = range(top + 1, sheet.next_row)
    sheet.row(label("All unused users"), total(sum(ages.values())))
    return rows, ages


def add_accounts(sheet: TextSheet, analysis: Analysis) -> None:
    """Add a line for all accounts together, and one for each."""
    heads = ("Rows read", "Root rows", "Repeated rows", "IAM users", *map(str, VERDICT_ORDER))
    top = sheet.table_head(head("Account"), *heads, head("Check"), head("As of (UTC)"))
    report, accounts = analysis.report, _account_counts(analysis)
    every = sum(accounts.values(), Counter[str]())
    _add_account(sheet, "All accounts read", every, "", CellStyle.TOTAL)
    from_newest = sorted(report.files, key=lambda file: file.as_of, reverse=True)
    oldest = {each.account: file.as_of for file in from_newest for each in file.accounts}
    for account, counts in sorted(accounts.items()):
        known = report.account_names.get(account)
        owner = f" ({known.owner})" if known and known.owner else ""
        name = f"{account_text(account)} {known.name if known else ''}".rstrip() + owner
        _add_account(sheet, name, counts, oldest[account])
    sheet.alarm(f"K{top + 1}:K{sheet.next_row - 1}")
    _add_absent(sheet, analysis)
    sheet.ignore_number_warning(f"A{top + 2}:A{sheet.next_row - 1}")


_COUNTED: Final = ("rows", "roots", "repeated", columns.USERS, *map(str, VERDICT_ORDER))
"""What is counted of an account: its rows of each kind, its users, and those of each verdict."""


def _account_counts(analysis: Analysis) -> dict[str, Counter[str]]:
    """Return what is counted of each account of all files (`_COUNTED`)."""
    accounts: dict[str, Counter[str]] = {}
    for file in analysis.report.files:
        for each in file.accounts:
            counts = accounts.setdefault(each.account, Counter())
            counts.update(rows=each.rows, roots=each.roots, repeated=each.repeated)
    judged = analysis.totals.counts
    names = (columns.ACCOUNT, columns.VERDICT, columns.USERS)
    for account, verdict, users in zip(*(judged[name] for name in names), strict=True):
        accounts[account].update({columns.USERS: int(users), verdict: int(users)})
    return accounts


def _add_account(
    sheet: TextSheet,
    name: str,
    counts: Counter[str],
    as_of: datetime | str,
    style: CellStyle = CellStyle.NUMBER,
) -> None:
    """Add the counts of an account, and the check that its rows add up."""
    row = sheet.next_row
    holds = counts["rows"] == counts["roots"] + counts["repeated"] + counts[columns.USERS]
    tie = check(f"AND(B{row}=C{row}+D{row}+E{row},E{row}=SUM(F{row}:J{row}))", holds=holds)
    cells = (SpannedCell(counts[each], style) for each in _COUNTED)
    sheet.row(label(name), *cells, tie, SpannedCell(as_of, CellStyle.DATE))


def _add_absent(sheet: TextSheet, analysis: Analysis) -> None:
    """Add the accounts of which no row was read."""
    report = analysis.report
    for accounts, state, style in (
        (report.not_covered, "not covered", CellStyle.CHECK),
        (report.left_out, "left out", CellStyle.FAINT),
    ):
        for each in accounts:
            known = report.account_names.get(each.account)
            name = known.name if known else each.name
            why = f"{state}: {each.reason}"
            named = f"{name}, {why}" if name and each.account else why
            sheet.row(label(each.label), SpannedCell(named, style, 11))


# Findings

_SUM_REMARK: Final = (
    f"Fails: not exempt. For information: nothing fails. The sheet {Title.FINDINGS} lists them all."
)


def add_severities(sheet: TextSheet, inspection: Inspection) -> None:
    """Add a line per severity, the most severe first, and the rules that ran with their limits."""
    kinds = ("Findings", "Fails", "Exempt", "Undecided", "For information")
    sheet.table_head(head("Severity"), *kinds, head("Findings of each rule", 6))
    by_rule = findings.findings_by_rule(inspection, details=False)
    for severity in Severity:
        some = [each for each in by_rule if each.rule.severity is severity]
        name = SpannedCell(str(severity), CellStyle(severity) if some else CellStyle.FAINT)
        counts = Counter({each.rule.id: sum(each.counts.values()) for each in some})
        rules = ", ".join(f"{rule} {number:,}" for rule, number in counts.most_common())
        sheet.row(name, *_finding_numbers(some), SpannedCell(rules, span=6))
    sums = map(total, _finding_numbers(by_rule))
    sheet.row(label("All findings"), *sums, SpannedCell(_SUM_REMARK, span=6))
    sheet.named_text("Rules", findings.standard_and_limits(inspection))
    if findings.control_results(inspection):
        sheet.named_text("Controls", f"{inspection.control_summary}.")
    for remark in findings.rules_lacking_input_texts(inspection):
        sheet.named_text("Input incomplete", remark, CellStyle.CHECK)


def _finding_numbers(some: Sequence[RuleFindings]) -> list[int]:
    """Return how many findings there are: all, and those of each kind."""
    kinds = [[*each.counts.values()] for each in some] or [[0] * 4]
    numbers = [sum(of_kind) for of_kind in zip(*kinds, strict=True)]
    return [sum(numbers), *numbers]


# Follow-up and changes

_REMOVALS: Final = REMOVALS[::-1]

_STATUS_MEANINGS: Final[Mapping[FollowUpStatus, str]] = {
    FollowUpStatus.OVERTAKEN: "More access or use than the reviewer saw: decide again.",
    FollowUpStatus.NOT_DONE: "Still there, still has working credentials, or is possibly renamed.",
    FollowUpStatus.UNKNOWN: "No report shows the whole account, or the user is not known.",
    FollowUpStatus.DONE: (
        "A later report shows that the user is gone or, to deactivate, has no working credentials."
    ),
}


def add_follow_up(sheet: TextSheet, frame: pd.DataFrame) -> None:
    """Add a line a status: how many decisions have it, and how many of these are overdue."""
    heads = ("Decisions", *map(str, _REMOVALS), OVERDUE)
    sheet.table_head(head(Title.FOLLOW_UP), *heads, head("Meaning", 7))
    for status, meaning in _STATUS_MEANINGS.items():
        numbers = _decision_numbers(frame[frame[follow_up.STATUS] == status])
        name = SpannedCell(str(status), STATUS_STYLES[status])
        sheet.row(name, *numbers, SpannedCell(meaning, span=7))
    about = f"The sheet {Title.FOLLOW_UP} lists them all." if len(frame) else NO_REMOVALS
    sheet.row(label("All"), *map(total, _decision_numbers(frame)), SpannedCell(about, span=7))


def _decision_numbers(frame: pd.DataFrame) -> list[int]:
    """Return how many decisions there are, how many of each kind, and how many are overdue."""
    removals = [int((frame[ledger.DECISION] == decision).sum()) for decision in _REMOVALS]
    return [len(frame), *removals, follow_up_counts(frame)[OVERDUE]]


def change_counts(frame: pd.DataFrame, since: str) -> str:
    """Return the run that was compared with, and the number of changes of each kind."""
    numbers = ", ".join(f"{kind} {number:,}" for kind, number in counts_by_kind(frame).items())
    changed = f"Changes since: {numbers}." if numbers else NO_CHANGES
    accounts = int((frame[CHANGE] == Change.NOT_COVERED).sum())
    uncompared = f" Accounts not compared: {accounts:,}." if accounts else ""
    return f"The run {since}. {changed}{uncompared}"
