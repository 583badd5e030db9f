"""Show how far the review is, and that the lists still add up to all users, by formulas."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from openpyxl.utils import get_column_letter

from analyzer import review_columns
from analyzer.analysis import Analysis
from analyzer.model import Page
from analyzer.terms import Verdict
from analyzer.writers.workbook import user_columns
from analyzer.writers.workbook.cells import Formula, Value
from analyzer.writers.workbook.formulas import (
    ANY_TEXT,
    DIFFERS,
    NO_TEXT,
    OK,
    CountFormula,
    summed,
)
from analyzer.writers.workbook.grid import Grid, SpannedCell, head
from analyzer.writers.workbook.listing import Listing
from analyzer.writers.workbook.review_lists import (
    ACCOUNT,
    DECIDED_BY,
    DECIDED_ON,
    DECISION,
    REVIEW_LISTS,
    ReviewList,
    ReviewListings,
)
from analyzer.writers.workbook.style import CellStyle

NOT_APPLICABLE: Final = "–"  # noqa: RUF001  as printed tables have it
_DECISION_LETTERS: Final = "EFGH"

_MOST_NAMES: Final = 10_000
"""Listed users up to which the reviewers' names are gathered; the effort grows with the square."""

_REVIEWERS: Final = 11
"""How many reviewers have a column of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listings:
    """Hold the lists of users that the Summary counts in; there is none without users."""

    all_users: Listing[Page]
    exempt: Listing[Page]
    reviews: ReviewListings

    def review(self, each: ReviewList) -> Listing[Page] | None:
        """Return the list of users to review, if it holds any."""
        return self.reviews.get(each.title)


def add_progress(grid: Grid, listings: Listings) -> None:
    """Add a line per list with the decisions so far, and the deciders."""
    decisions = tuple(map(str, review_columns.Decision))
    heads = ("Users", "Decided", "Left", *decisions, "no name or date")
    row = grid.table_head(head("List"), *heads, head("Meaning", 3))
    for each in REVIEW_LISTS:
        _add_list(grid, each, listings.review(each), row)
    first, last = row + 1, grid.next_row - 1
    users = sum(listing.rows for listing in listings.reviews.values())
    results = (users, 0, users, *[0] * len(decisions), 0)
    sums = [
        SpannedCell(summed(f"{letter}{first}:{letter}{last}", result), CellStyle.TOTAL)
        for letter, result in zip("BCDEFGHI", results, strict=True)
    ]
    text = f'"Decided: "&C{last + 1}&" of "&B{last + 1}&" users."'
    decided = Formula(text, f"Decided: 0 of {users} users.")
    grid.row(
        SpannedCell("All lists", CellStyle.LABEL), *sums, SpannedCell(decided, CellStyle.LABEL, 3)
    )
    _add_reviewers(grid, listings)


def _add_list(grid: Grid, each: ReviewList, listing: Listing[Page] | None, head_row: int) -> None:
    row = grid.next_row
    if listing is None:
        none = (
            SpannedCell(0, CellStyle.NUMBER),
            *[SpannedCell(NOT_APPLICABLE, CellStyle.NONE)] * 7,
        )
        grid.row(
            SpannedCell(each.title, CellStyle.LABEL),
            *none,
            SpannedCell("No users to review.", span=3),
        )
        return
    count = CountFormula(listing)
    decided = Formula(f"SUM({_DECISION_LETTERS[0]}{row}:{_DECISION_LETTERS[-1]}{row})", 0)
    by_decision = [count.of(0, (DECISION, f"{letter}${head_row}")) for letter in _DECISION_LETTERS]
    unnamed = count.of(0, (DECISION, ANY_TEXT), (DECIDED_BY, NO_TEXT))
    undated = count.of(0, (DECISION, ANY_TEXT), (DECIDED_BY, ANY_TEXT), (DECIDED_ON, NO_TEXT))
    numbers: list[Value] = [
        count.of(listing.rows, (ACCOUNT, ANY_TEXT)),
        decided,
        Formula(f"B{row}-C{row}", listing.rows),
        *by_decision,
        Formula(f"{unnamed.expression}+{undated.expression}", 0),
    ]
    grid.row(
        SpannedCell(each.title, CellStyle.LABEL),
        *(SpannedCell(number, CellStyle.NUMBER) for number in numbers),
        SpannedCell(", ".join(each.verdicts) + "; not exempt", span=3),
    )


def _add_reviewers(grid: Grid, listings: Listings) -> None:
    """Add the names of the reviewers, each once, and how many users each decided."""
    ranges = [
        cells for listing in listings.reviews.values() for cells in listing.column(DECIDED_BY)
    ]
    if sum(listing.rows for listing in listings.reviews.values()) > _MOST_NAMES:
        return
    row = grid.next_row
    letters = [get_column_letter(at) for at in range(2, 2 + _REVIEWERS)]
    names = [
        Formula(_next_name(ranges, f"$A{row}:{get_column_letter(at)}{row}"), "")
        for at in range(1, 1 + _REVIEWERS)
    ]
    counts = [
        Formula(
            f'IF({letter}{row}="","",' + ("+".join(_same_name(ranges, letter, row)) or "0") + ")",
            "",
        )
        for letter in letters
    ]
    grid.row(
        SpannedCell("Reviewers", CellStyle.LABEL),
        *(SpannedCell(name, CellStyle.TEXT) for name in names),
    )
    grid.row(
        SpannedCell("Users decided by each", CellStyle.LABEL),
        *(SpannedCell(count, CellStyle.NUMBER) for count in counts),
    )


def _same_name(ranges: Sequence[str], letter: str, row: int) -> list[str]:
    return [f"COUNTIF({cells},{letter}{row})" for cells in ranges]


def _next_name(ranges: Sequence[str], names_above: str) -> str:
    """Return the formula of a name that is in a list and not among those shown before it."""
    formula = '""'
    for cells in reversed(ranges):
        unseen = f'(COUNTIF({names_above},{cells})=0)*({cells}<>"")'
        formula = f"IFERROR(LOOKUP(2,1/({unseen}),{cells}),{formula})"
    return formula


def add_list_checks(grid: Grid, analysis: Analysis, listings: Listings) -> None:
    """Add a line a list: listed and exempt users together are those in All users.

    Each count is a formula and stands beside the constant of when the file was written.
    """
    counts = ("Listed", "when written", "Exempt", "when written", "In All users", "when written")
    row = grid.table_head(head("List"), *counts, head("Check"), head("Meaning", 4))
    for each in REVIEW_LISTS:
        _add_check(grid, analysis, listings, each)
    grid.alarm(f"H{row + 1}:H{grid.next_row - 1}", DIFFERS)


def _add_check(grid: Grid, analysis: Analysis, listings: Listings, each: ReviewList) -> None:
    row = grid.next_row
    listing, totals = listings.review(each), analysis.totals
    listed = listing.rows if listing else 0
    exempt = sum(totals.users(verdict, exempt=True) for verdict in each.verdicts)
    users = sum(totals.users(verdict) for verdict in each.verdicts)
    now = (
        CountFormula(listing).of(listed, (ACCOUNT, ANY_TEXT)) if listing else Formula("0", 0),
        _of_verdicts(listings.exempt, each.verdicts, exempt),
        _of_verdicts(listings.all_users, each.verdicts, users),
    )
    numbers = [
        SpannedCell(number, CellStyle.NUMBER)
        for pair in zip(now, (listed, exempt, users), strict=True)
        for number in pair
    ]
    holds = f"AND(B{row}=C{row},D{row}=E{row},F{row}=G{row},B{row}+D{row}=F{row})"
    result = OK if listed + exempt == users else DIFFERS
    grid.row(
        SpannedCell(each.title, CellStyle.LABEL),
        *numbers,
        SpannedCell(Formula(f'IF({holds},"{OK}","{DIFFERS}")', result), CellStyle.SUCCESS),
        SpannedCell("Listed + exempt = in All users, and each as when written.", CellStyle.TEXT, 4),
    )


def _of_verdicts(listing: Listing[Page], verdicts: Sequence[Verdict], number: int) -> Formula:
    count = CountFormula(listing)
    each = [count.of(number, (user_columns.VERDICT, f'"{verdict}"')) for verdict in verdicts]
    return Formula("+".join(formula.expression for formula in each), number)
