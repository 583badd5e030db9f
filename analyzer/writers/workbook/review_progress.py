"""Show how far the review is, and that the lists still add up to all users, by formulas."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from openpyxl.utils import get_column_letter

from analyzer import columns
from analyzer.analysis import Analysis
from analyzer.model import Page
from analyzer.review_columns import CHOICES, LIST, LISTED, WHEN_WRITTEN, Decision
from analyzer.terms import Certainty, Verdict
from analyzer.writers.workbook import user_columns
from analyzer.writers.workbook.book import Title
from analyzer.writers.workbook.cells import Formula, Value
from analyzer.writers.workbook.formulas import ANY_TEXT, DIFFERS, OK, CountFormula, summed
from analyzer.writers.workbook.grid import Grid, SpannedCell, head
from analyzer.writers.workbook.listing import Listing
from analyzer.writers.workbook.review_lists import (
    ACCOUNT,
    COMMENT,
    DECIDED_BY,
    DECIDED_ON,
    ENTRIES,
    REVIEW_LISTS,
    TICKET,
    ReviewList,
    ReviewListings,
)
from analyzer.writers.workbook.style import CellStyle

NOT_APPLICABLE: Final = "–"  # noqa: RUF001  as printed tables have it
_NUMBERS: Final = "BCDEFGHIJ"
"""The columns of a list's numbers."""

_DECISION_LETTERS: Final = "EFGHI"
_MEANING_SPAN: Final = 2

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

    @property
    def to_review(self) -> int:
        """Return how many users there are to decide on."""
        return sum(each.rows for each in self.reviews.values())


def first_step(analysis: Analysis, listings: CountedListings) -> str:
    """Return what a reviewer does first: nothing is decided when the file is written."""
    steps = _steps(analysis, listings.reviews)
    if not steps:
        return "Nothing to decide: no user is listed for review."
    first, *then = steps
    last = then.pop() if then else ""
    others = " and ".join(filter(None, (", ".join(then), last)))
    return f"First: decide on {first}{f'; then on {others}' if others else ''}."


def _steps(analysis: Analysis, reviews: ReviewListings) -> list[str]:
    """Return whom to decide on, in this order."""
    users = {title: listing.rows for title, listing in reviews.items()}
    unused, certain = users.pop(Title.UNUSED, 0), _certain_unused_users(analysis)
    where = "there" if certain else f"on {Title.UNUSED}"
    steps = (
        (certain, "certain ", f"on {Title.UNUSED}, by account, the oldest first"),
        (unused - certain, "", f"to check {where}"),
        *((number, "", f"on {title}") for title, number in users.items()),
    )
    return [
        f"{number:,} {kind}user{'' if number == 1 else 's'} {place}"
        for number, kind, place in steps
        if number
    ]


def _certain_unused_users(analysis: Analysis) -> int:
    counts = analysis.totals.counts
    is_listed = (counts[columns.VERDICT] == Verdict.UNUSED) & ~counts[columns.EXEMPT]
    is_certain = counts[columns.CERTAINTY] == Certainty.CERTAIN
    return int(counts.loc[is_listed & is_certain, columns.USERS].sum())


def add_progress(grid: Grid, listings: CountedListings) -> None:
    """Add a line per list with the decisions so far, and the deciders."""
    heads = ("Users", "Decided", "Left", *map(str, CHOICES), "Incomplete")
    row = grid.table_head(head(LIST), *heads, head("Meaning", _MEANING_SPAN))
    for each in REVIEW_LISTS:
        _add_list(grid, each, listings.reviews.get(each.title), row)
    first, last = row + 1, grid.next_row - 1
    sums = [
        SpannedCell(summed(f"{letter}{first}:{letter}{last}", number), CellStyle.TOTAL)
        for letter, number in zip(_NUMBERS, _numbers(listings.to_review), strict=True)
    ]
    text = f'"Decided: "&C{last + 1}&" of "&B{last + 1}'
    decided = Formula(text, f"Decided: 0 of {listings.to_review}")
    label = SpannedCell("All lists", CellStyle.LABEL)
    grid.row(label, *sums, SpannedCell(decided, CellStyle.LABEL, _MEANING_SPAN))
    if 0 < listings.to_review <= _MOST_NAMES:
        sheets = [cells for each in listings.reviews.values() for cells in _entries(each)]
        _add_reviewers(grid, sheets, _words(row))


def _numbers(users: int) -> list[int]:
    """Return the numbers of a list as it begins: users, decided, left, and so on."""
    return [users, 0, users, *[0] * (len(CHOICES) + 1)]


def _add_list(grid: Grid, each: ReviewList, listing: Listing[Page] | None, head_row: int) -> None:
    label = SpannedCell(each.title, CellStyle.LABEL)
    if listing is None:
        none = [SpannedCell(NOT_APPLICABLE, CellStyle.NONE)] * (len(_NUMBERS) - 1)
        about = SpannedCell("No users to review.", span=_MEANING_SPAN)
        grid.row(label, SpannedCell(0, CellStyle.NUMBER), *none, about)
        return
    formulas = _formulas(listing, grid.next_row, head_row)
    numbers = map(Formula, formulas, _numbers(listing.rows))
    about = SpannedCell(", ".join(each.verdicts) + "; not exempt", span=_MEANING_SPAN)
    grid.row(label, *(SpannedCell(number, CellStyle.NUMBER) for number in numbers), about)


def _formulas(listing: Listing[Page], row: int, head_row: int) -> list[str]:
    """Return the formulas of a list's numbers, in the order of `_numbers`."""
    sheets = _entries(listing)
    users = "+".join(f"COUNTIF({cells},{ANY_TEXT})" for cells in listing.column_references(ACCOUNT))
    by_decision = [
        _sum(f"--({_word(decision)}={letter}${head_row})" for decision, *_ in sheets)
        for letter in _DECISION_LETTERS
    ]
    filled = _sum(f'--(TRIM({"&".join(cells)})<>"")' for cells in sheets)
    complete = _sum(_complete(cells, _words(head_row)) for cells in sheets)
    decided = f"SUM({_DECISION_LETTERS[0]}{row}:{_DECISION_LETTERS[-1]}{row})"
    return [users, decided, f"B{row}-C{row}", *by_decision, f"{filled}-({complete})"]


def _entries(listing: Listing[Page]) -> list[tuple[str, ...]]:
    """Return where the cells of the five entries lie, for each sheet."""
    return [*zip(*map(listing.column_references, ENTRIES), strict=True)]


def _sum(terms: Iterable[str]) -> str:
    return "+".join(f"SUMPRODUCT({term})" for term in terms)


def _words(head_row: int) -> str:
    """Return where the decisions stand that a reviewer can enter: in the heads of their counts."""
    return f"${_DECISION_LETTERS[0]}${head_row}:${_DECISION_LETTERS[-1]}${head_row}"


def _word(cells: str) -> str:
    """Return decisions as they are read back, without blanks around them; `=` ignores the case."""
    return f'TRIM(SUBSTITUTE(SUBSTITUTE({cells},"\u00a0"," "),CHAR(10)," "))'


def _complete(entries: tuple[str, ...], words: str) -> str:
    """Return which rows can be read back: a decision, a name and a date; to keep, a reason too."""
    decision, by, on, _, comment = entries
    signed = f'({_word(decision)}={words})*(TRIM({by})<>"")*(TRIM({on})<>"")'
    return f'{signed}*(1-({words}="{Decision.KEEP}")*(TRIM({comment})=""))'


def _add_reviewers(grid: Grid, sheets: Sequence[tuple[str, ...]], words: str) -> None:
    """Add the names of the reviewers, each once, and how many users each decided."""
    row = grid.next_row
    letters = [get_column_letter(at) for at in range(1, 2 + _REVIEWERS)]
    names = [_next_name_formula(sheets, f"$A{row}:{before}{row}") for before in letters[:-1]]
    counts = [
        f'IF({letter}{row}="","",{_decided_by(sheets, f"{letter}{row}", words)})'
        for letter in letters[1:]
    ]
    for label, formulas in (("Reviewers", names), ("Users decided by each", counts)):
        cells = (SpannedCell(Formula(formula, ""), CellStyle.TEXT) for formula in formulas)
        grid.row(SpannedCell(label, CellStyle.LABEL), *cells)


def _decided_by(sheets: Iterable[tuple[str, ...]], name: str, words: str) -> str:
    """Return the formula of how many users the reviewer in a cell decided."""
    return _sum(f"({_word(word)}={words})*(TRIM({by})={name})" for word, by, *_ in sheets)


def _next_name_formula(sheets: Sequence[tuple[str, ...]], names_before: str) -> str:
    """Return the formula of a name that is in a list and not among those shown before it."""
    formula = '""'
    for _, by, *_ in reversed(sheets):
        names = f"TRIM({by})"
        unseen = f'(COUNTIF({names_before},{names})=0)*({names}<>"")'
        formula = f"IFERROR(LOOKUP(2,1/({unseen}),{names}),{formula})"
    return formula


_DECISIONS: Final = (
    (Decision.DELETE, "Delete the user and its remaining credentials."),
    (Decision.DEACTIVATE, "Disable the credentials, wait, then delete the user."),
    (Decision.KEEP, "The user stays, exempt for {keep_days:,} days. Give the reason as comment."),
    (Decision.INVESTIGATE, "Find out more about the user. It stays until then."),
    (Decision.WITHDRAW, "Take the earlier decision back: none is in force then."),
)
_OTHER_ENTRIES: Final = (
    (DECIDED_BY.head, "Name of the person who decides."),
    (DECIDED_ON.head, "Date, such as 2026-03-01. Ctrl+; enters today's."),
    (TICKET.head, "Number of the ticket, if there is one."),
    (COMMENT.head, "The reason; required to keep a user."),
    ("no entry", "Not decided now; an earlier decision stays in force."),
)


_INCOMPLETE: Final = (
    "Entries without a valid decision, a name or a date, or keep without a comment. A workbook that"
    " has some is refused when it is read back."
)


def add_legend(grid: Grid, keep_days: int) -> None:
    """Add what the yellow cells of the lists take: the decisions, and beside them the rest."""
    for (word, meaning), (entry, about) in zip(_DECISIONS, _OTHER_ENTRIES, strict=True):
        grid.row(
            SpannedCell(word, CellStyle.INPUT),
            SpannedCell(meaning.format(keep_days=keep_days), span=5),
            SpannedCell(entry, CellStyle.INPUT, 2),
            SpannedCell(about, span=4),
        )
    grid.named_text("Incomplete", _INCOMPLETE)


def add_list_checks(grid: Grid, analysis: Analysis, listings: CountedListings) -> None:
    """Add a line a list: listed and exempt users together are those in All users.

    Each count is a formula and stands beside the constant of when the file was written.
    """
    counts = (LISTED, WHEN_WRITTEN, "Exempt", WHEN_WRITTEN, "In All users", WHEN_WRITTEN)
    row = grid.table_head(head(LIST), *counts, head("Check"), head("Meaning", 4))
    for each in REVIEW_LISTS:
        _add_check(grid, analysis, listings, each)
    grid.alarm(f"H{row + 1}:H{grid.next_row - 1}", DIFFERS)


def _add_check(grid: Grid, analysis: Analysis, listings: CountedListings, each: ReviewList) -> None:
    row = grid.next_row
    listing, totals = listings.reviews.get(each.title), analysis.totals
    listed = listing.rows if listing else 0
    exempt = sum(totals.users(verdict, exempt=True) for verdict in each.verdicts)
    users = sum(totals.users(verdict) for verdict in each.verdicts)
    now = (
        CountFormula(listing).of(listed, (ACCOUNT, ANY_TEXT)) if listing else 0,
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
        SpannedCell("Listed + exempt = in All users, and all as when written.", CellStyle.TEXT, 4),
    )


def _verdict_count(listing: Listing[Page], verdicts: Sequence[Verdict], number: int) -> Value:
    alternatives = ([(user_columns.VERDICT, f'"{verdict}"')] for verdict in verdicts)
    return CountFormula(listing).of_any(number, alternatives)
