"""Show how far the review is, and that the lists still add up to all users, by formulas."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from openpyxl.utils import get_column_letter

from analyzer.decisions import review_columns
from analyzer.decisions.review_columns import CHOICES, LIST, LISTED, WHEN_WRITTEN, Decision
from analyzer.judging.analysis import Analysis
from analyzer.terms import Certainty, Verdict, count_text
from analyzer.writers.workbook.book import Title
from analyzer.writers.workbook.cell_xml import Formula
from analyzer.writers.workbook.review_lists import ACCOUNT, ENTRIES, REVIEW_LISTS, ReviewList
from analyzer.writers.workbook.style import CellStyle
from analyzer.writers.workbook.table_sheets import TableSheets
from analyzer.writers.workbook.text_sheet import (
    NOT_APPLICABLE,
    SpannedCell,
    TextSheet,
    check,
    head,
    label,
    total,
)

Listings: TypeAlias = Mapping[Title, TableSheets]
"""The lists to decide in: what people do in them is counted by formulas."""

_NUMBERS: Final = "BCDEFGHIJ"
"""The columns of a list's numbers."""

_DECISION_LETTERS: Final = "EFGHI"

_MOST_NAMES: Final = 10_000
"""Listed users up to which the reviewers' names are gathered; the effort grows with the square."""

_REVIEWERS: Final = 11
"""How many reviewers have a column of their own."""


def first_step(analysis: Analysis, listings: Listings) -> str:
    """Return what a reviewer does first: nothing is decided when the file is written."""
    unused, *others = (each.title for each in REVIEW_LISTS)
    certain = analysis.totals.users(Verdict.UNUSED, exempt=False, certainty=Certainty.CERTAIN)
    check = listings[unused].rows - certain
    to_check = f"{count_text(check, 'user')} to check"
    steps = [
        (certain, f"{unused}: {count_text(certain, 'certain user')}, by account, the oldest first"),
        (check, f"{to_check} there" if certain else f"{unused}: {to_check}"),
    ]
    for title in others:
        rows = listings[title].rows
        steps.append((rows, f"{title}: {count_text(rows, 'user')}"))
    texts = [text for number, text in steps if number]
    if not texts:
        return "Nothing to decide: no user is listed for review."
    return f"Start with {'. Then '.join(texts)}."


def add_progress(sheet: TextSheet, listings: Listings) -> None:
    """Add a line per list with the decisions so far, and the deciders."""
    heads = ("Users", "Decided", "Left", *map(str, CHOICES), "Incomplete")
    top = sheet.table_head(head(LIST), *heads, head("Meaning", 2))
    for each in REVIEW_LISTS:
        _add_list(sheet, each, listings[each.title], top)
    users = sum(listings[each.title].rows for each in REVIEW_LISTS)
    row = sheet.next_row
    sums = [
        total(Formula(f"SUM({letter}{top + 1}:{letter}{row - 1})", number))
        for letter, number in zip(_NUMBERS, _numbers(users), strict=True)
    ]
    decided = Formula(f'"Decided: "&C{row}&" of "&B{row}', f"Decided: 0 of {users}")
    sheet.row(label("All lists"), *sums, SpannedCell(decided, CellStyle.LABEL, 2))
    if 0 < users <= _MOST_NAMES:
        sheets = [cells for each in REVIEW_LISTS for cells in _entries(listings[each.title])]
        _add_reviewers(sheet, sheets, _words(top))


def _numbers(users: int) -> list[int]:
    """Return the numbers of a list as it begins: users, decided, left, and so on."""
    return [users, 0, users, *[0] * (len(CHOICES) + 1)]


def _add_list(sheet: TextSheet, each: ReviewList, listing: TableSheets, head_row: int) -> None:
    if not listing.rows:
        none = [NOT_APPLICABLE] * (len(_NUMBERS) - 1)
        sheet.row(label(each.title), 0, *none, SpannedCell("No users to review.", span=2))
        return
    formulas = _formulas(listing, sheet.next_row, head_row)
    about = SpannedCell(", ".join(each.verdicts) + "; not exempt", span=2)
    sheet.row(label(each.title), *map(Formula, formulas, _numbers(listing.rows)), about)


def _formulas(listing: TableSheets, row: int, head_row: int) -> list[str]:
    """Return the formulas of a list's numbers, in the order of `_numbers`."""
    sheets = _entries(listing)
    by_decision = [
        _sum(f"--({_word(decision)}={letter}${head_row})" for decision, *_ in sheets)
        for letter in _DECISION_LETTERS
    ]
    filled = _sum(f'--(TRIM({"&".join(cells)})<>"")' for cells in sheets)
    complete = _sum(_complete(cells, _words(head_row)) for cells in sheets)
    decided = f"SUM({_DECISION_LETTERS[0]}{row}:{_DECISION_LETTERS[-1]}{row})"
    numbers = (_listed(listing), decided, f"B{row}-C{row}")
    return [*numbers, *by_decision, f"{filled}-({complete})"]


def _listed(listing: TableSheets) -> str:
    """Return the formula of how many users a list has."""
    return "+".join(f'COUNTIF({cells},"?*")' for cells in listing.column_references(ACCOUNT))


def _entries(listing: TableSheets) -> list[tuple[str, ...]]:
    """Return where the cells of the five entries lie, for each sheet."""
    if not listing.rows:
        return []
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


def _add_reviewers(sheet: TextSheet, sheets: Sequence[tuple[str, ...]], words: str) -> None:
    """Add the names of the reviewers, each once, and how many users each decided."""
    row = sheet.next_row
    letters = [get_column_letter(at) for at in range(1, 2 + _REVIEWERS)]
    names = [_next_name_formula(sheets, f"$A{row}:{before}{row}") for before in letters[:-1]]
    counts = [
        f'IF({letter}{row}="","",'
        + _sum(f"({_word(word)}={words})*(TRIM({by})={letter}{row})" for word, by, *_ in sheets)
        + ")"
        for letter in letters[1:]
    ]
    for name, formulas in (("Reviewers", names), ("Users decided by each", counts)):
        cells = (SpannedCell(Formula(formula, "")) for formula in formulas)
        sheet.row(label(name), *cells)


def _next_name_formula(sheets: Sequence[tuple[str, ...]], names_before: str) -> str:
    """Return the formula of a name that is in a list and not among those shown before it."""
    formula = '""'
    for _, by, *_ in reversed(sheets):
        names = f"TRIM({by})"
        unseen = f'(COUNTIF({names_before},{names})=0)*({names}<>"")'
        formula = f"IFERROR(LOOKUP(2,1/({unseen}),{names}),{formula})"
    return formula


_LEGEND: Final = (
    (Decision.DELETE, "Delete the user and its remaining credentials."),
    (Decision.DEACTIVATE, "Disable the credentials, wait, then delete the user."),
    (Decision.KEEP, "The user stays, exempt for {keep_days}. Give the reason as comment."),
    (Decision.INVESTIGATE, "Find out more about the user. It stays until then."),
    (Decision.WITHDRAW, "Take the earlier decision back: none is in force then."),
)
_OTHER_ENTRIES: Final = (
    (review_columns.DECIDED_BY, "Name of the person who decides."),
    (review_columns.DECIDED_ON, "Date, such as 2026-03-01. Ctrl+; enters today's."),
    (review_columns.TICKET, "Number of the ticket, if there is one."),
    (review_columns.COMMENT, "The reason; required to keep a user."),
    ("no entry", "Not decided now; an earlier decision stays in force."),
)
_INCOMPLETE: Final = (
    "Entries without a valid decision, a name or a date, or keep without a comment. A workbook that"
    " has some is refused when it is read back."
)


def add_legend(sheet: TextSheet, keep_days: int) -> None:
    """Add what the yellow cells of the lists take: the decisions, and beside them the rest."""
    for (word, meaning), (entry, about) in zip(_LEGEND, _OTHER_ENTRIES, strict=True):
        sheet.row(
            SpannedCell(word, CellStyle.INPUT),
            SpannedCell(meaning.format(keep_days=count_text(keep_days, "day")), span=5),
            SpannedCell(entry, CellStyle.INPUT, 2),
            SpannedCell(about, span=4),
        )
    sheet.named_text("Incomplete", _INCOMPLETE)


def add_list_checks(sheet: TextSheet, analysis: Analysis, listings: Listings) -> None:
    """Add a line a list: listed and exempt users together are all of its verdicts.

    The listed users are counted by a formula, beside their number when the file was written.
    """
    counts = (LISTED, WHEN_WRITTEN, "Exempt", "Together")
    top = sheet.table_head(head(LIST), *counts, head("Check"), head("Meaning", 6))
    for row, each in enumerate(REVIEW_LISTS, top + 1):
        listing, users = listings[each.title], analysis.totals.users
        exempt = sum(users(verdict, exempt=True) for verdict in each.verdicts)
        every = sum(users(verdict) for verdict in each.verdicts)
        holds = listing.rows + exempt == every
        sheet.row(
            label(each.title),
            Formula(_listed(listing), listing.rows) if listing.rows else 0,
            *(listing.rows, exempt, every),
            check(f"AND(B{row}=C{row},B{row}+D{row}=E{row})", holds=holds),
            SpannedCell("Listed as when written. Listed + exempt = together.", span=6),
        )
    sheet.alarm(f"F{top + 1}:F{sheet.next_row - 1}")
