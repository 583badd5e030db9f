"""Show for each account that its users and other rows add up to the rows read."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from openpyxl.utils import get_column_letter

from analyzer import columns
from analyzer.analysis import Analysis
from analyzer.model import Absent, Page
from analyzer.writers.users import ORDER
from analyzer.writers.workbook import user_columns
from analyzer.writers.workbook.cells import Value
from analyzer.writers.workbook.formulas import DIFFERS, Recount, check, summed
from analyzer.writers.workbook.grid import Grid, Part, head
from analyzer.writers.workbook.style import Look
from analyzer.writers.workbook.whose import account_text

_READ: Final = ("Rows read", "Root rows", "Repeated rows")
_HEADS: Final = ("Account", *_READ, "IAM users", *map(str, ORDER))
_FIRST_VERDICT: Final = _HEADS.index(str(ORDER[0])) + 1
_VERDICTS: Final = {
    verdict: get_column_letter(at) for at, verdict in enumerate(ORDER, _FIRST_VERDICT)
}
"""The letter of each verdict's column."""


@dataclass(frozen=True, slots=True)
class _Account:
    """Count the rows of one account: those read, as in `_READ`, and the users of each verdict."""

    name: str
    read: tuple[int, int, int]
    users: Counter[str]

    @property
    def ties_out(self) -> bool:
        rows, roots, repeated = self.read
        return rows == roots + repeated + self.users.total()


def add_accounts(grid: Grid, analysis: Analysis, recount: Recount[Page]) -> None:
    """Add a line for all accounts together, and one for each."""
    row = grid.table_head(head(_HEADS[0]), *_HEADS[1:], head("Check", 2))
    accounts = _accounts(analysis)
    first, last = row + 2, row + 1 + len(accounts)
    every = _together(accounts)
    wanted = {verdict: f"{letter}${row}" for verdict, letter in _VERDICTS.items()}
    read = [
        summed(f"{letter}{first}:{letter}{last}", rows)
        for letter, rows in zip("BCD", every.read, strict=True)
    ]
    users = [recount.of(every.users[v], (user_columns.VERDICT, cell)) for v, cell in wanted.items()]
    _add(grid, every, read, users, Look.TOTAL)
    live = recount.is_quick(len(accounts) * len(ORDER))
    for account in accounts:
        same = (user_columns.ACCOUNT, f"$A{grid.next_row}")
        counts: list[Value] = [
            recount.of(account.users[v], same, (user_columns.VERDICT, cell))
            if live
            else account.users[v]
            for v, cell in wanted.items()
        ]
        _add(grid, account, account.read, counts, Look.NUMBER)
    for absent in analysis.report.not_covered:
        _add_absent(grid, absent, f"not covered: {absent.reason}", Look.CHECK)
    for absent in analysis.report.left_out:
        _add_absent(grid, absent, f"left out: {absent.reason}", Look.FAINT)
    grid.alarm(f"K{row + 1}:K{last}", DIFFERS)
    grid.warn_not(f"A{first}:A{grid.next_row - 1}")


def _add(
    grid: Grid, account: _Account, read: Iterable[Value], users: Iterable[Value], look: Look
) -> None:
    row = grid.next_row
    letters = list(_VERDICTS.values())
    sum_of_users = summed(f"{letters[0]}{row}:{letters[-1]}{row}", account.users.total())
    tie = check(f"B{row}", [f"C{row}", f"D{row}", f"E{row}"], holds=account.ties_out)
    numbers = (*read, sum_of_users, *users)
    grid.row(
        Part(account.name, Look.LABEL),
        *(Part(number, look) for number in numbers),
        Part(tie, Look.SUCCESS, 2),
    )


def _add_absent(grid: Grid, absent: Absent, why: str, look: Look) -> None:
    """Add an account of which no row was read."""
    named = f"{absent.name}, {why}" if absent.name and absent.account else why
    grid.row(Part(absent.whom, Look.LABEL), Part(named, look, len(_HEADS) + 1))


def _accounts(analysis: Analysis) -> list[_Account]:
    """Return the accounts of all files, by number."""
    read: dict[str, Counter[str]] = {}
    for file in analysis.report.files:
        for each in file.accounts:
            told = {"rows": each.rows, "roots": each.roots, "repeated": each.repeated}
            read.setdefault(each.account, Counter()).update(told)
    users = _users(analysis)
    return [
        _Account(
            account_text(account),
            (rows["rows"], rows["roots"], rows["repeated"]),
            users.get(account, Counter()),
        )
        for account, rows in sorted(read.items())
    ]


def _users(analysis: Analysis) -> dict[str, Counter[str]]:
    users: dict[str, Counter[str]] = {}
    counts = analysis.totals.counts
    for account, verdict, number in zip(
        counts[columns.ACCOUNT], counts[columns.VERDICT], counts[columns.USERS], strict=True
    ):
        users.setdefault(account, Counter())[verdict] += int(number)
    return users


def _together(accounts: Iterable[_Account]) -> _Account:
    every = list(accounts)
    rows, roots, repeated = (sum(each.read[at] for each in every) for at in range(len(_READ)))
    users = sum((each.users for each in every), Counter[str]())
    return _Account("All accounts read", (rows, roots, repeated), users)
