"""Show how far the review is, and that the lists still add up to all users, by formulas."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from openpyxl.utils import get_column_letter

from analyzer import review, review_columns
from analyzer.analysis import Analysis
from analyzer.model import Page
from analyzer.terms import Verdict
from analyzer.writers.workbook import user_columns
from analyzer.writers.workbook.book import Title
from analyzer.writers.workbook.cells import Formula
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
    ReviewListing,
    ReviewListings,
)
from analyzer.writers.workbook.style import CellStyle

NOT_APPLICABLE: Final = "–"  # noqa: RUF001  as printed tables have it
_DECISIONS: Final = tuple(map(str, review_columns.Decision))
_NUMBERS: Final = "BCDEFGHI"
"""The columns of a list's numbers."""

_DECISION_LETTERS: Final = "EFGH"
_FINAL_LETTERS: Final = tuple(
    letter
    for letter, decision in zip(_DECISION_LETTERS, review_columns.Decision, strict=True)
    if decision in review_columns.FINAL_DECISIONS
)

_MOST_NAMES: Final = 10_000
"""Listed users up to which the reviewers' names are gathered; the effort grows with the square."""

_REVIEWERS: Final = 11
"""How many reviewers have a column of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedListings:
    """Hold the lists of users that the Summary counts in; there is none without users."""

    all_users: Listing[Page]
    exempt: Listing[Page]
    reviews: ReviewListings

    def review(self, each: ReviewList) -> ReviewListing | None:
        """Return the list of users to review, if it holds any."""
        return self.reviews.get(each.title)

    @property
    def to_review(self) -> int:
        """Return how many users there are to decide on."""
        return sum(each.listing.rows for each in self.reviews.values())


def first_step(listings: CountedListings) -> str:
    """Return what a reviewer does first, with the numbers of when the file was written."""
    if not listings.to_review:
        return "Nothing to decide: no user is listed for review."
    first, *then = _steps(listings.reviews) or [""]
    if not first:
        return "First: look at Follow-up. Every listed user has an earlier decision."
    last = then.pop() if then else ""
    others = " and ".join(filter(None, (", ".join(then), last)))
    return f"First: decide on {first}{f'; then on {others}' if others else ''}."


def _steps(reviews: ReviewListings) -> list[str]:
    """Return whom to decide on, in this order."""
    unused = reviews.get(Title.UNUSED)
    certain = unused.certain_to_decide if unused else 0
    check = unused.to_decide - certain if unused else 0
    steps = [
        (certain, f"{_users(certain, 'certain ')} on {Title.UNUSED}, by account, the oldest first"),
        (check, f"{_users(check)} to check {'there' if certain else f'on {Title.UNUSED}'}"),
    ]
    for title in (Title.INACTIVE, Title.UNDETERMINED):
        left = reviews[title].to_decide if title in reviews else 0
        steps.append((left, f"{_users(left)} on {title}"))
    return [text for number, text in steps if number]


def _users(number: int, kind: str = "") -> str:
    return f"{number:,} {kind}user{'' if number == 1 else 's'}"


def add_progress(grid: Grid, listings: CountedListings) -> None:
    """Add a line per list with the decisions so far, and the deciders."""
    heads = ("Users", "Decided", "Left", *_DECISIONS, "no name or date")
    row = grid.table_head(head("List"), *heads, head("Meaning", 3))
    for each in REVIEW_LISTS:
        _add_list(grid, each, listings.review(each), row)
    first, last = row + 1, grid.next_row - 1
    numbers = [_numbers(each) for each in listings.reviews.values()]
    results = np.sum([[0] * len(_NUMBERS), *numbers], axis=0).tolist()
    sums = [
        SpannedCell(summed(f"{letter}{first}:{letter}{last}", result), CellStyle.TOTAL)
        for letter, result in zip(_NUMBERS, results, strict=True)
    ]
    text = f'"Decided: "&C{last + 1}&" of "&B{last + 1}&" users."'
    decided = Formula(text, f"Decided: {results[1]} of {results[0]} users.")
    grid.row(
        SpannedCell("All lists", CellStyle.LABEL), *sums, SpannedCell(decided, CellStyle.LABEL, 3)
    )
    _add_reviewers(grid, listings)


def _numbers(each: ReviewListing) -> list[int]:
    """Return the numbers of a list as it begins: users, decided, left, and so on."""
    earlier = each.earlier[each.earlier[review.DECISION] != ""]
    by_decision = [int((earlier[review.DECISION] == word).sum()) for word in _DECISIONS]
    unnamed = (earlier[review.DECIDED_BY] == "") | earlier[review.DECIDED_ON].isna()
    return [each.listing.rows, each.decided, each.to_decide, *by_decision, int(unnamed.sum())]


def _add_list(grid: Grid, each: ReviewList, filled: ReviewListing | None, head_row: int) -> None:
    row = grid.next_row
    if filled is None:
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
    formulas = _formulas(CountFormula(filled.listing), row, head_row)
    numbers = [Formula(*each) for each in zip(formulas, _numbers(filled), strict=True)]
    grid.row(
        SpannedCell(each.title, CellStyle.LABEL),
        *(SpannedCell(number, CellStyle.NUMBER) for number in numbers),
        SpannedCell(", ".join(each.verdicts) + "; not exempt", span=3),
    )


def _formulas(count: CountFormula[Page], row: int, head_row: int) -> list[str]:
    """Return the formulas of a list's numbers, in the order of `_numbers`."""
    decided = (DECISION, ANY_TEXT)
    conditions = [
        [(ACCOUNT, ANY_TEXT)],
        *([(DECISION, f"{letter}${head_row}")] for letter in _DECISION_LETTERS),
        [decided, (DECIDED_BY, NO_TEXT)],
        [decided, (DECIDED_BY, ANY_TEXT), (DECIDED_ON, NO_TEXT)],
    ]
    users, *by_decision, unnamed, undated = (count.of(0, *each).expression for each in conditions)
    decisions = "+".join(f"{letter}{row}" for letter in _FINAL_LETTERS)
    return [users, decisions, f"B{row}-C{row}", *by_decision, f"{unnamed}+{undated}"]


def _add_reviewers(grid: Grid, listings: CountedListings) -> None:
    """Add the names of the reviewers, each once, and how many users each decided."""
    if listings.to_review > _MOST_NAMES:
        return
    ranges = [
        cells
        for each in listings.reviews.values()
        for cells in each.listing.column_references(DECIDED_BY)
    ]
    row = grid.next_row
    letters = [get_column_letter(at) for at in range(2, 2 + _REVIEWERS)]
    none = [("", "")] * _REVIEWERS
    earlier = [*_reviewers(listings.reviews.values()), *none][:_REVIEWERS]
    names = [
        Formula(_next_name_formula(ranges, f"$A{row}:{get_column_letter(at)}{row}"), name)
        for at, (name, _) in enumerate(earlier, 1)
    ]
    counts = [
        Formula(
            f'IF({letter}{row}="","",' + ("+".join(_name_counts(ranges, letter, row)) or "0") + ")",
            number,
        )
        for letter, (_, number) in zip(letters, earlier, strict=True)
    ]
    grid.row(
        SpannedCell("Reviewers", CellStyle.LABEL),
        *(SpannedCell(name, CellStyle.TEXT) for name in names),
    )
    grid.row(
        SpannedCell("Users decided by each", CellStyle.LABEL),
        *(SpannedCell(count, CellStyle.NUMBER) for count in counts),
    )


def _reviewers(filled: Iterable[ReviewListing]) -> list[tuple[str, str | int]]:
    """Return the names that the lists begin with, and how many users each has decided.

    Their order is that of the formulas: sheet by sheet, the last row first.
    """
    names: Counter[str] = Counter()
    spelled: dict[str, str] = {}
    for each in filled:
        earlier = each.earlier.assign(sheet=each.earlier.index // (each.listing.limit - 1))
        for _, of_sheet in earlier.groupby("sheet"):
            for name in filter(None, of_sheet[review.DECIDED_BY].tolist()[::-1]):
                spelled.setdefault(name.lower(), name)
                names[name.lower()] += 1
    return [(name, names[key]) for key, name in spelled.items()]


def _name_counts(ranges: Sequence[str], letter: str, row: int) -> list[str]:
    return [f"COUNTIF({cells},{letter}{row})" for cells in ranges]


def _next_name_formula(ranges: Sequence[str], names_above: str) -> str:
    """Return the formula of a name that is in a list and not among those shown before it."""
    formula = '""'
    for cells in reversed(ranges):
        unseen = f'(COUNTIF({names_above},{cells})=0)*({cells}<>"")'
        formula = f"IFERROR(LOOKUP(2,1/({unseen}),{cells}),{formula})"
    return formula


def add_list_checks(grid: Grid, analysis: Analysis, listings: CountedListings) -> None:
    """Add a line a list: listed and exempt users together are those in All users.

    Each count is a formula and stands beside the constant of when the file was written.
    """
    counts = ("Listed", "when written", "Exempt", "when written", "In All users", "when written")
    row = grid.table_head(head("List"), *counts, head("Check"), head("Meaning", 4))
    for each in REVIEW_LISTS:
        _add_check(grid, analysis, listings, each)
    grid.alarm(f"H{row + 1}:H{grid.next_row - 1}", DIFFERS)


def _add_check(grid: Grid, analysis: Analysis, listings: CountedListings, each: ReviewList) -> None:
    row = grid.next_row
    filled, totals = listings.review(each), analysis.totals
    listed = filled.listing.rows if filled else 0
    exempt = sum(totals.users(verdict, exempt=True) for verdict in each.verdicts)
    users = sum(totals.users(verdict) for verdict in each.verdicts)
    now = (
        CountFormula(filled.listing).of(listed, (ACCOUNT, ANY_TEXT)) if filled else Formula("0", 0),
        _verdict_count(listings.exempt, each.verdicts, exempt),
        _verdict_count(listings.all_users, each.verdicts, users),
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


def _verdict_count(listing: Listing[Page], verdicts: Sequence[Verdict], number: int) -> Formula:
    count = CountFormula(listing)
    each = [count.of(number, (user_columns.VERDICT, f'"{verdict}"')) for verdict in verdicts]
    return Formula("+".join(formula.expression for formula in each), number)
