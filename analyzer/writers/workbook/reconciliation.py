"""Show the users of each verdict and account, and that they add up to the rows read."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from openpyxl.utils import get_column_letter

from analyzer import columns
from analyzer.analysis import AGE_BANDS, Analysis
from analyzer.model import AccountName, Page, ReportFile, UncoveredAccount
from analyzer.terms import Certainty, Verdict
from analyzer.verdict import verdict_meaning
from analyzer.writers.users import VERDICT_ORDER
from analyzer.writers.workbook import user_columns
from analyzer.writers.workbook.cells import Formula, Value
from analyzer.writers.workbook.column import AccountNames, account_text
from analyzer.writers.workbook.formulas import (
    ANY_TEXT,
    DIFFERS,
    NO_TEXT,
    CountFormula,
    sum_check,
    summed,
)
from analyzer.writers.workbook.grid import Grid, SpannedCell, head
from analyzer.writers.workbook.review_progress import NOT_APPLICABLE
from analyzer.writers.workbook.style import CellStyle

_MEANING_SPAN: Final = 6
"""How many columns of the grid the meaning of a line takes."""


@dataclass(frozen=True, slots=True)
class LineRange:
    """Say in which rows of the sheet the lines of a table stand."""

    first: int
    last: int

    def cells(self, letter: str) -> str:
        """Return the reference of the lines in one column."""
        return f"{letter}{self.first}:{letter}{self.last}"


def add_result(grid: Grid, analysis: Analysis, recount: CountFormula[Page]) -> LineRange:
    """Add the users of each verdict, and how they add up to the rows read."""
    counted = ("Users", "Exempt", "Not exempt", "of these certain", "of these to check")
    grid.table_head(head("Verdict"), *counted, head("Meaning", _MEANING_SPAN))
    first = grid.next_row
    for verdict in VERDICT_ORDER:
        _add_verdict(grid, analysis, recount, verdict)
    block = LineRange(first, grid.next_row - 1)
    _add_sum(grid, analysis, block)
    return block


def add_ages(grid: Grid, analysis: Analysis) -> tuple[LineRange, dict[str, int]]:
    """Add how old the unused users are; return also the numbers."""
    ages = _ages(analysis)
    grid.table_head(head("Age of unused users"), "Users")
    first = grid.next_row
    for band, users in ages.items():
        grid.row(SpannedCell(band, CellStyle.LABEL), SpannedCell(users, CellStyle.NUMBER))
    block = LineRange(first, grid.next_row - 1)
    total = summed(block.cells("B"), sum(ages.values()))
    grid.row(SpannedCell("All unused users", CellStyle.LABEL), SpannedCell(total, CellStyle.TOTAL))
    return block, ages


def _add_verdict(
    grid: Grid, analysis: Analysis, recount: CountFormula[Page], verdict: Verdict
) -> None:
    counts = analysis.totals.counts
    of_verdict = counts[counts[columns.VERDICT] == verdict]
    others = of_verdict[~of_verdict[columns.EXEMPT]]
    same, not_exempt = (
        (user_columns.VERDICT, f"$A{grid.next_row}"),
        (user_columns.EXEMPTION, NO_TEXT),
    )
    exempt = analysis.totals.users(verdict, exempt=True)

    def of_certainty(certainty: Certainty) -> SpannedCell:
        if verdict not in (Verdict.UNUSED, Verdict.RETIRED):
            return SpannedCell(NOT_APPLICABLE, CellStyle.NONE)
        users = others.loc[others[columns.CERTAINTY] == certainty, columns.USERS].sum()
        condition = (user_columns.CERTAINTY, f'"{certainty}"')
        return SpannedCell(recount.of(int(users), same, not_exempt, condition), CellStyle.NUMBER)

    grid.row(
        SpannedCell(str(verdict), CellStyle(verdict)),
        SpannedCell(recount.of(analysis.totals.users(verdict), same), CellStyle.NUMBER),
        SpannedCell(recount.of(exempt, same, (user_columns.EXEMPTION, ANY_TEXT)), CellStyle.NUMBER),
        SpannedCell(
            recount.of(int(others[columns.USERS].sum()), same, not_exempt), CellStyle.NUMBER
        ),
        *(of_certainty(each) for each in Certainty),
        SpannedCell(verdict_meaning(verdict, analysis.criteria), CellStyle.TEXT, _MEANING_SPAN),
    )


def _add_sum(grid: Grid, analysis: Analysis, block: LineRange) -> None:
    """Add the rows that are no users, and check that nothing that was read is left out."""
    accounts = [account for file in analysis.report.files for account in file.accounts]
    users = int(analysis.totals.counts[columns.USERS].sum())
    roots = sum(account.roots for account in accounts)
    repeated = sum(account.repeated for account in accounts)
    exempt = sum(analysis.totals.users(verdict, exempt=True) for verdict in VERDICT_ORDER)
    sums = [
        SpannedCell(summed(block.cells("C"), exempt), CellStyle.TOTAL),
        SpannedCell(summed(block.cells("D"), users - exempt), CellStyle.TOTAL),
        *[SpannedCell(NOT_APPLICABLE, CellStyle.NONE)] * 2,
    ]
    row = grid.next_row
    holds = analysis.report.rows == users + roots + repeated
    _add_line(grid, "IAM users", summed(block.cells("B"), users), "Sum of the verdicts.", sums)
    for name, value, meaning in (
        ("Root rows", roots, "Rows of root users: not IAM users; not classified."),
        ("Repeated rows", repeated, "Rows that repeat another row of these reports: counted once."),
        ("Rows read", analysis.report.rows, "Data rows in all reports."),
    ):
        _add_line(grid, name, value, meaning)
    every = sum_check(f"B{row + 3}", [f"B{row + at}" for at in range(3)], holds=holds)
    grid.alarm(f"B{grid.next_row}", DIFFERS)
    _add_line(grid, "Row count check", every, "Rows read = IAM users + root rows + repeated rows.")
    missing = len(analysis.report.not_covered)
    if missing:
        meaning = "Accounts that could not be read: their users are not counted."
        count = SpannedCell("Not covered", CellStyle.CHECK), SpannedCell(missing, CellStyle.CHECK)
        grid.row(
            *count,
            SpannedCell("", CellStyle.TEXT, 4),
            SpannedCell(meaning, CellStyle.TEXT, _MEANING_SPAN),
        )


def _add_line(
    grid: Grid, name: str, value: Value, meaning: str, beside: Sequence[SpannedCell] = ()
) -> None:
    result = value.result if isinstance(value, Formula) else value
    style = CellStyle.SUCCESS if isinstance(result, str) else CellStyle.TOTAL
    grid.row(
        SpannedCell(name, CellStyle.LABEL),
        SpannedCell(value, style),
        *(beside or [SpannedCell("", CellStyle.TEXT, 4)]),
        SpannedCell(meaning, CellStyle.TEXT, _MEANING_SPAN),
    )


def _ages(analysis: Analysis) -> dict[str, int]:
    """Return the unused users of each age, and those of unknown age if there are any."""
    counts = analysis.totals.counts
    unused = counts[counts[columns.VERDICT] == Verdict.UNUSED]
    users = unused.groupby(columns.AGE_BAND)[columns.USERS].sum().to_dict()
    *known, unknown = AGE_BANDS
    bands = [*known, unknown] if users.get(unknown) else known
    return {band: int(users.get(band, 0)) for band in bands}


_READ_HEADS: Final = ("Rows read", "Root rows", "Repeated rows")
_HEADS: Final = ("Account", *_READ_HEADS, "IAM users", *map(str, VERDICT_ORDER))
_FIRST_VERDICT: Final = _HEADS.index(str(VERDICT_ORDER[0])) + 1

_VERDICTS: Final = {
    verdict: get_column_letter(at) for at, verdict in enumerate(VERDICT_ORDER, _FIRST_VERDICT)
}
"""The letter of each verdict's column."""


@dataclass(frozen=True, slots=True)
class _Account:
    """Count the rows of one account: those read (`_READ_HEADS`), and the users of each verdict.

    `remark` follows the account in its cell.
    """

    name: str
    row_counts: tuple[int, int, int]
    users: Counter[str]
    as_of: datetime | None = None
    remark: str = ""

    @property
    def ties_out(self) -> bool:
        rows, roots, repeated = self.row_counts
        return rows == roots + repeated + self.users.total()


def add_accounts(grid: Grid, analysis: Analysis) -> None:
    """Add a line for all accounts together, and one for each."""
    row = grid.table_head(head(_HEADS[0]), *_HEADS[1:], head("Check"), head("As of (UTC)"))
    accounts = _accounts(analysis)
    first, last = row + 2, row + 1 + len(accounts)
    every = _account_totals(accounts)
    read = [
        summed(f"{letter}{first}:{letter}{last}", rows)
        for letter, rows in zip("BCD", every.row_counts, strict=True)
    ]
    users = [
        summed(f"{letter}{first}:{letter}{last}", every.users[verdict])
        for verdict, letter in _VERDICTS.items()
    ]
    _add(grid, every, read, users, CellStyle.TOTAL)
    for account in accounts:
        counts = [account.users[verdict] for verdict in _VERDICTS]
        _add(grid, account, account.row_counts, counts, CellStyle.NUMBER)
    names = analysis.report.account_names
    for absent in analysis.report.not_covered:
        _add_absent(grid, absent, names, f"not covered: {absent.reason}", CellStyle.CHECK)
    for absent in analysis.report.left_out:
        _add_absent(grid, absent, names, f"left out: {absent.reason}", CellStyle.FAINT)
    grid.alarm(f"K{row + 1}:K{last}", DIFFERS)
    grid.ignore_number_warning(f"A{first}:A{grid.next_row - 1}")


def _add(
    grid: Grid, account: _Account, read: Iterable[Value], users: Iterable[Value], style: CellStyle
) -> None:
    row = grid.next_row
    letters = list(_VERDICTS.values())
    sum_of_users = summed(f"{letters[0]}{row}:{letters[-1]}{row}", account.users.total())
    tie = sum_check(f"B{row}", [f"C{row}", f"D{row}", f"E{row}"], holds=account.ties_out)
    numbers = (*read, sum_of_users, *users)
    grid.row(
        SpannedCell(account.name + account.remark, CellStyle.LABEL),
        *(SpannedCell(number, style) for number in numbers),
        SpannedCell(tie, CellStyle.SUCCESS),
        SpannedCell(account.as_of or "", CellStyle.DATE),
    )


def _add_absent(
    grid: Grid, absent: UncoveredAccount, names: AccountNames, why: str, style: CellStyle
) -> None:
    """Add an account of which no row was read."""
    known = names.get(absent.account)
    name = known.name if known else absent.name
    named = f"{name}, {why}" if name and absent.account else why
    grid.row(SpannedCell(absent.label, CellStyle.LABEL), SpannedCell(named, style, len(_HEADS) + 1))


def _accounts(analysis: Analysis) -> list[_Account]:
    """Return the accounts of all files, by id; of more than one report of one, the oldest as-of."""
    read: dict[str, Counter[str]] = {}
    as_of: dict[str, datetime] = {}
    for file in analysis.report.files:
        for each in file.accounts:
            rows = {"rows": each.rows, "roots": each.roots, "repeated": each.repeated}
            read.setdefault(each.account, Counter()).update(rows)
            oldest = as_of.setdefault(each.account, file.as_of)
            as_of[each.account] = min(oldest, file.as_of)
    users = _users(analysis)
    return [
        _Account(
            account_text(account),
            (rows["rows"], rows["roots"], rows["repeated"]),
            users.get(account, Counter()),
            as_of[account],
            _name_and_owner(analysis.report.account_names.get(account)),
        )
        for account, rows in sorted(read.items())
    ]


def _name_and_owner(known: AccountName | None) -> str:
    """Return what follows an account where its name is known."""
    if known is None:
        return ""
    return f" {known.name} ({known.owner})" if known.owner else f" {known.name}"


def _users(analysis: Analysis) -> dict[str, Counter[str]]:
    users: dict[str, Counter[str]] = {}
    counts = analysis.totals.counts
    for account, verdict, number in zip(
        counts[columns.ACCOUNT], counts[columns.VERDICT], counts[columns.USERS], strict=True
    ):
        users.setdefault(account, Counter())[verdict] += int(number)
    return users


def _account_totals(accounts: Iterable[_Account]) -> _Account:
    every = list(accounts)
    rows, roots, repeated = (
        sum(each.row_counts[at] for each in every) for at in range(len(_READ_HEADS))
    )
    users = sum((each.users for each in every), Counter[str]())
    return _Account("All accounts read", (rows, roots, repeated), users)


_DAY: Final = timedelta(days=1)


def as_of_spread_notes(files: Sequence[ReportFile]) -> Iterator[str]:
    """Yield a note if the reports of the accounts lie more than a day apart."""
    first = min(files, key=lambda file: file.as_of)
    last = max(files, key=lambda file: file.as_of)
    if last.as_of - first.as_of > _DAY:
        days = (last.as_of - first.as_of) / _DAY
        yield (
            f"The reports are {days:,.1f} days apart: from {first.as_of:%Y-%m-%d %H:%M} UTC"
            f" ({first.name}) to {last.as_of:%Y-%m-%d %H:%M} UTC ({last.name}). See As of of each"
            " account."
        )
