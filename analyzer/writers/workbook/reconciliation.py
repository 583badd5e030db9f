"""Show the users of each verdict, age and account, and that they add up to the rows read."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from analyzer import columns
from analyzer.judging.analysis import AGE_BANDS, Analysis
from analyzer.report.model import AccountName
from analyzer.terms import Certainty, Verdict
from analyzer.verdicts.verdict import verdict_meaning
from analyzer.writers.users import VERDICT_ORDER
from analyzer.writers.workbook import user_columns
from analyzer.writers.workbook.grid import (
    NOT_APPLICABLE,
    Grid,
    Part,
    SpannedCell,
    check,
    head,
    label,
    total,
    totals,
)
from analyzer.writers.workbook.listing import ANY_TEXT, NO_TEXT, Listing
from analyzer.writers.workbook.style import CellStyle
from analyzer.writers.workbook.user_columns import account_text

MOST_COMPARISONS: Final = 100_000_000
"""More would keep a spreadsheet program busy for minutes: then the program's count stands."""

_BESIDE: Final = SpannedCell("", span=4)
_MEANING_SPAN: Final = 6
"""How many columns of the grid the meaning of a line takes."""


def add_result(grid: Grid, analysis: Analysis, all_users: Listing) -> range:
    """Add the users of each verdict, and how they add up; return the rows of the verdicts."""
    counted = ("Users", "Exempt", "Not exempt", "of these certain", "of these to check")
    top = grid.table_head(head("Verdict"), *counted, head("Meaning", _MEANING_SPAN))
    for verdict in VERDICT_ORDER:
        _add_verdict(grid, analysis, all_users, verdict)
    rows = range(top + 1, grid.next_row)
    _add_row_counts(grid, analysis, rows)
    return rows


def _add_verdict(grid: Grid, analysis: Analysis, all_users: Listing, verdict: Verdict) -> None:
    users = analysis.totals.users
    same = (user_columns.VERDICT, f"$A{grid.next_row}")
    exempt, others = ((user_columns.EXEMPTION, text) for text in (ANY_TEXT, NO_TEXT))
    words = {each: (user_columns.CERTAINTY, f'"{each}"') for each in Certainty}
    by_certainty: list[Part] = [NOT_APPLICABLE] * len(words)
    if verdict in (Verdict.UNUSED, Verdict.RETIRED):
        by_certainty = [
            all_users.count(users_to_decide(analysis, verdict, each), [same, others, word])
            for each, word in words.items()
        ]
    grid.row(
        SpannedCell(str(verdict), CellStyle(verdict)),
        all_users.count(users(verdict), [same]),
        all_users.count(users(verdict, exempt=True), [same, exempt]),
        all_users.count(users(verdict, exempt=False), [same, others]),
        *by_certainty,
        SpannedCell(verdict_meaning(verdict, analysis.criteria), span=_MEANING_SPAN),
    )


def users_to_decide(analysis: Analysis, verdict: Verdict, certainty: Certainty) -> int:
    """Return how many users have a verdict of a certainty and are not exempt."""
    counts = analysis.totals.counts
    others = counts[(counts[columns.VERDICT] == verdict) & ~counts[columns.EXEMPT]]
    return int(others.loc[others[columns.CERTAINTY] == certainty, columns.USERS].sum())


def _add_row_counts(grid: Grid, analysis: Analysis, rows: range) -> None:
    """Add the rows that are no users, and check that nothing that was read is left out."""
    report = analysis.report
    accounts = [account for file in report.files for account in file.accounts]
    users = int(analysis.totals.counts[columns.USERS].sum())
    exempt = sum(analysis.totals.users(verdict, exempt=True) for verdict in VERDICT_ORDER)
    roots = sum(account.roots for account in accounts)
    repeated = sum(account.repeated for account in accounts)
    top = grid.next_row
    sums = totals("BCD", rows, (users, exempt, users - exempt))
    meaning = SpannedCell("Sum of the verdicts.", span=_MEANING_SPAN)
    grid.row(label("IAM users"), *sums, NOT_APPLICABLE, NOT_APPLICABLE, meaning)
    holds = report.rows == users + roots + repeated
    tie = check(f"B{top + 3}=B{top}+B{top + 1}+B{top + 2}", holds=holds)
    grid.alarm(f"B{top + 4}")
    for name, number, about in (
        ("Root rows", roots, "Rows of root users: not IAM users; not classified."),
        ("Repeated rows", repeated, "Rows that repeat another row of these reports: counted once."),
        ("Rows read", report.rows, "Data rows in all reports."),
    ):
        grid.row(label(name), total(number), _BESIDE, SpannedCell(about, span=_MEANING_SPAN))
    about = "Rows read = IAM users + root rows + repeated rows."
    grid.row(label("Row count check"), tie, _BESIDE, SpannedCell(about, span=_MEANING_SPAN))
    if missing := len(report.not_covered):
        about = "Accounts that could not be read: their users are not counted."
        count = SpannedCell("Not covered", CellStyle.CHECK), SpannedCell(missing, CellStyle.CHECK)
        grid.row(*count, _BESIDE, SpannedCell(about, span=_MEANING_SPAN))


def add_ages(grid: Grid, analysis: Analysis) -> tuple[range, dict[str, int]]:
    """Add how old the unused users are; return the rows of the ages, and the numbers."""
    counts = analysis.totals.counts
    unused = counts[counts[columns.VERDICT] == Verdict.UNUSED]
    users = unused.groupby(columns.AGE_BAND)[columns.USERS].sum().to_dict()
    *known, unknown = AGE_BANDS
    bands = [*known, unknown] if users.get(unknown) else known
    ages = {band: int(users.get(band, 0)) for band in bands}
    top = grid.table_head(head("Age of unused users"), "Users")
    for band, number in ages.items():
        grid.row(label(band), number)
    rows = range(top + 1, grid.next_row)
    grid.row(label("All unused users"), *totals("B", rows, [sum(ages.values())]))
    return rows, ages


def add_accounts(grid: Grid, analysis: Analysis, all_users: Listing) -> None:
    """Add a line for all accounts together, and one for each."""
    heads = ("Rows read", "Root rows", "Repeated rows", "IAM users", *map(str, VERDICT_ORDER))
    top = grid.table_head(head("Account"), *heads, head("Check"), head("As of (UTC)"))
    report, accounts = analysis.report, _account_counts(analysis)
    rows = range(top + 2, top + 2 + len(accounts))
    every = sum(accounts.values(), Counter[str]())
    sums = totals("BCDEFGHIJ", rows, (every[each] for each in _COUNTED))
    _add_account(grid, "All accounts read", every, sums, "")
    from_newest = sorted(report.files, key=lambda file: file.as_of, reverse=True)
    oldest = {each.account: file.as_of for file in from_newest for each in file.accounts}
    is_quick = all_users.rows * len(accounts) <= MOST_COMPARISONS
    for account, counts in sorted(accounts.items()):
        number = account_text(account)
        cells: list[Part] = [counts[each] for each in _COUNTED]
        if is_quick:
            same = user_columns.ACCOUNT, f"LEFT($A{grid.next_row},{len(number)})"
            cells[_USERS_AT] = all_users.count(counts[columns.USERS], [same])
        name = number + _name_and_owner(report.account_names.get(account))
        _add_account(grid, name, counts, cells, oldest[account])
    _add_absent(grid, analysis)
    grid.alarm(f"K{rows.start - 1}:K{rows.stop - 1}")
    grid.ignore_number_warning(f"A{rows.start}:A{grid.next_row - 1}")


_COUNTED: Final = ("rows", "roots", "repeated", columns.USERS, *map(str, VERDICT_ORDER))
"""What is counted of an account: its rows of each kind, its users, and those of each verdict."""

_USERS_AT: Final = _COUNTED.index(columns.USERS)


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
    grid: Grid, name: str, counts: Counter[str], cells: Sequence[Part], as_of: datetime | str
) -> None:
    """Add the counts of an account, given as cells, and the check that its rows add up."""
    row = grid.next_row
    holds = counts["rows"] == counts["roots"] + counts["repeated"] + counts[columns.USERS]
    tie = check(f"AND(B{row}=C{row}+D{row}+E{row},E{row}=SUM(F{row}:J{row}))", holds=holds)
    grid.row(label(name), *cells, tie, SpannedCell(as_of, CellStyle.DATE))


def _name_and_owner(known: AccountName | None) -> str:
    """Return what follows an account where its name is known."""
    if known is None:
        return ""
    return f" {known.name} ({known.owner})" if known.owner else f" {known.name}"


def _add_absent(grid: Grid, analysis: Analysis) -> None:
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
            grid.row(label(each.label), SpannedCell(named, style, 11))
