"""Define the lists that a reviewer decides in, and the formulas that count the decisions."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeAlias

import numpy as np

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.decisions import review_list_layout
from analyzer.decisions.decision import PROGRAM, Decision
from analyzer.limits import INVESTIGATE_DAYS, KEEP_DAYS
from analyzer.report.model import ReportFile, stable_order
from analyzer.report.users import Users
from analyzer.terms import Verdict, count_text
from analyzer.writers.workbook import user_columns
from analyzer.writers.workbook.book import CellStyle, SheetName
from analyzer.writers.workbook.column import Column, EntryColumn, Formula, TextColumn
from analyzer.writers.workbook.table_sheets import TableSheets, filled_columns
from analyzer.writers.workbook.text_sheet import (
    NOT_APPLICABLE,
    SpannedCell,
    TextSheet,
    check,
    head,
    label,
    total,
)
from analyzer.writers.workbook.user_columns import AccountNames

ACCOUNT: Final = replace(user_columns.ACCOUNT, width=12.5)
USER: Final = replace(user_columns.USER, width=17)
CREATED: Final = replace(user_columns.CREATED, head=review_list_layout.CREATED)

_DECISION: Final = EntryColumn(review_list_layout.DECISION, 10.5, choices=tuple(map(str, Decision)))
ENTRY_COLUMNS: Final = (
    _DECISION,
    EntryColumn(review_list_layout.DECIDED_BY, 10.5),
    EntryColumn(review_list_layout.DECIDED_ON, 10.5, is_date=True),
    EntryColumn(review_list_layout.TICKET, 8.5),
    EntryColumn(review_list_layout.COMMENT, 14),
)

_EARLIER: Final = TextColumn(review_list_layout.EARLIER_DECISION, 14.5, columns.EARLIER_DECISION)
_WHY: Final = replace(user_columns.WHY, width=18)
_EXPOSURE: Final = replace(user_columns.EXPOSURE, width=11)
_LAST_ACTIVITY: Final = replace(user_columns.LAST_ACTIVITY, width=15)
_CHECK: Final = TextColumn(review_list_layout.CHECK, 27, user_columns.caveat_texts)
_ONLY_WHY: Final = replace(_WHY, width=34)
"""The columns up to this one fit 1,366 pixels of a screen, also with earlier decisions."""

_NAME_WIDTH: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewList:
    """Define a list: the users with one of the verdicts that are not exempt.

    `verdict_columns` are what decides, between the earlier decision and the age; names of accounts
    make the last one narrower. `last_columns` are before the states of the credentials.
    """

    title: SheetName
    verdicts: tuple[Verdict, ...]
    verdict_columns: tuple[Column, ...] = (_EXPOSURE, _LAST_ACTIVITY, _WHY, _CHECK)
    last_columns: Callable[[Sequence[ReportFile]], tuple[Column, ...]] = lambda _: ()
    no_users: str = ""

    def has(self, page: Users) -> np.ndarray:
        """Return which users of a judged page are listed."""
        verdicts = page.users[columns.VERDICT].isin(list(map(str, self.verdicts)))
        return (verdicts & (page.users[columns.EXEMPTION] == "")).to_numpy()

    def columns(
        self,
        page: Users,
        files: Sequence[ReportFile],
        names: AccountNames,
        *,
        with_empty: bool = False,
    ) -> tuple[Column, ...]:
        """Return the columns of the list of these users; `with_empty` keeps empty columns."""
        filled: Callable[[Iterable[Column]], Sequence[Column]]
        filled = tuple if with_empty else partial(filled_columns, page)
        owners = {account: known.owner for account, known in names.items()}
        name = filled(user_columns.account_name_columns(names, _NAME_WIDTH))
        earlier = filled((_EARLIER,) if columns.EARLIER_DECISION in page.users else ())
        *others, last = self.verdict_columns
        facts = (
            *(*others, replace(last, width=last.width - _NAME_WIDTH * len(name))),
            user_columns.AGE,
            *user_columns.OWNER,
            *user_columns.unprinted(
                user_columns.account_column(review_list_layout.ACCOUNT_OWNER, 10, owners),
                *(CREATED, user_columns.AS_OF, *self.last_columns(files)),
            ),
        )
        user = _ACCOUNT_AND_USER if _have_several_accounts(files) else USER
        block = _DECISION, user, *ENTRY_COLUMNS[1:]
        return (ACCOUNT, *name, *block, *earlier, *filled(facts), *_DETAILS)


def _have_several_accounts(files: Iterable[ReportFile]) -> bool:
    return len({account.account for file in files for account in file.accounts}) > 1


_ACCOUNT_AND_USER: Final = replace(USER, values_of=user_columns.account_and_user_texts)
"""The user of one of several accounts, in the block of entries."""

_DETAILS: Final = tuple(
    replace(column, folded=at > 0, printed=False)
    for group in (
        user_columns.PASSWORD_FACTS,
        *(key[:3] for key in user_columns.KEYS),  # The last activity says where a key was used.
        *user_columns.CERTIFICATES,
        (user_columns.MFA, user_columns.ARN),
    )
    for at, column in enumerate(group)
)
"""The state of each credential, with its dates folded beside it."""

REVIEW_LISTS: Final = (
    ReviewList(
        title=SheetName.UNUSED,
        verdicts=(Verdict.UNUSED,),
        no_users="No users to review: no user is unused, or all unused users are exempt.",
    ),
    ReviewList(
        title=SheetName.INACTIVE,
        verdicts=(Verdict.RETIRED, Verdict.DORMANT),
        last_columns=lambda _: (user_columns.IDLE, user_columns.VERDICT),  # Why says both.
    ),
    ReviewList(
        title=SheetName.UNDETERMINED,
        verdicts=(Verdict.UNDETERMINED,),
        verdict_columns=(_EXPOSURE, _LAST_ACTIVITY, _ONLY_WHY),
        last_columns=user_columns.source_columns,
    ),
)


def review_order(page: Users) -> np.ndarray:
    """Return the users' positions by account, verdict and exposure, the oldest first."""
    users = page.users
    verdict, exposure = (users[name].cat.codes for name in (columns.VERDICT, columns.EXPOSURE))
    created, user = users[columns.CREATED], users[columns.USER]
    return stable_order(users[columns.ACCOUNT], verdict, exposure, created, user)


# Progress, by formulas

Listings: TypeAlias = Mapping[SheetName, TableSheets]
"""The lists to decide in; formulas count the decisions that are entered there."""

_NUMBER_LETTERS: Final = "BCDEFGHI"  # the columns with the numbers of a list
_DECISION_LETTERS: Final = "EFGH"
_NO_DECISIONS: Final = [0] * (len(Decision) + 1)


def first_step(listings: Listings) -> str:
    """Return the first steps of a reviewer, as nothing is decided when the file is written."""
    titles = [review_list.title for review_list in REVIEW_LISTS]
    order = ", by account, the most exposed first"
    rows = {title: listings[title].rows for title in titles}
    texts = [
        f"{title}: {count_text(number, 'user')}{order if title is titles[0] else ''}"
        for title, number in rows.items()
        if number
    ]
    if not texts:
        return "Nothing to decide: no user is listed for review."
    return f"Start with {'. Then '.join(texts)}."


def add_progress(sheet: TextSheet, listings: Listings) -> None:
    """Add a line per list with the decisions so far."""
    heads = ("Users", "Decided", "Left", *map(str, Decision), "Incomplete")
    top = sheet.table_head(head("List"), *heads, head("Meaning", 2))
    for review_list in REVIEW_LISTS:
        _add_list(sheet, review_list, listings[review_list.title], top)
    users = sum(listings[review_list.title].rows for review_list in REVIEW_LISTS)
    sums = [
        total(Formula(f"SUM({letter}{top + 1}:{letter}{sheet.next_row - 1})", number))
        for letter, number in zip(_NUMBER_LETTERS, [users, 0, users, *_NO_DECISIONS], strict=True)
    ]
    sheet.row(label("All lists"), *sums, SpannedCell("", CellStyle.LABEL, 2))


def _add_list(
    sheet: TextSheet, review_list: ReviewList, listing: TableSheets, head_row: int
) -> None:
    if not listing.rows:
        none = [NOT_APPLICABLE] * (len(_NUMBER_LETTERS) - 1)
        sheet.row(label(review_list.title), 0, *none, "No users to review.")
        return
    row = sheet.next_row
    sheets = [*zip(*map(listing.column_references, ENTRY_COLUMNS), strict=True)]
    by_decision = [
        _sum_formula(
            f"--({_read_back_formula(decision)}={letter}${head_row})" for decision, *_ in sheets
        )
        for letter in _DECISION_LETTERS
    ]
    filled = _sum_formula(f'--(TRIM({"&".join(cells)})<>"")' for cells in sheets)
    moments = listing.column_references(user_columns.AS_OF)
    complete = _sum_formula(
        _complete_rows_formula(cells, as_of, _decision_heads(head_row))
        for cells, as_of in zip(sheets, moments, strict=True)
    )
    decided = f"SUM({_DECISION_LETTERS[0]}{row}:{_DECISION_LETTERS[-1]}{row})"
    formulas = (
        *(_listed_formula(listing), decided, f"B{row}-C{row}", *by_decision),
        f"{filled}-({complete})",
    )
    numbers = (listing.rows, 0, listing.rows, *_NO_DECISIONS)
    counts = map(Formula, formulas, numbers)
    sheet.row(label(review_list.title), *counts, f"{', '.join(review_list.verdicts)}; not exempt")


def _listed_formula(listing: TableSheets) -> str:
    return "+".join(f'COUNTIF({cells},"?*")' for cells in listing.column_references(ACCOUNT))


def _sum_formula(terms: Iterable[str]) -> str:
    return "+".join(f"SUMPRODUCT({term})" for term in terms)


def _decision_heads(head_row: int) -> str:
    """Return the cells with the possible decisions: the heads of their counts."""
    return f"${_DECISION_LETTERS[0]}${head_row}:${_DECISION_LETTERS[-1]}${head_row}"


def _read_back_formula(cells: str) -> str:
    """Return the formula of decisions as they are read back, trimmed; `=` ignores case."""
    return f'TRIM(SUBSTITUTE(SUBSTITUTE({cells},"\u00a0"," "),CHAR(10)," "))'


def _complete_rows_formula(entries: tuple[str, ...], as_of: str, heads: str) -> str:
    """Return the formula of rows that collecting accepts (`entry_problems`).

    They have a decision, a person, a date and, to keep, a comment. A date is not before the day of
    the report nor after today, but for a day of time zones; one that is text has its form alone.
    """
    decision, by, on, _, comment = entries
    person = f'(TRIM({by})<>"")*(LOWER(TRIM({by}))<>"{PROGRAM}")'
    in_time = f"ISNUMBER({on})*({on}>=INT({as_of})-1)*({on}<TODAY()+2)"
    as_text = f'ISTEXT({on})*(MID({on},5,1)&MID({on},8,1)="--")'
    signed = f"({_read_back_formula(decision)}={heads})*{person}*({in_time}+{as_text})"
    return f'{signed}*(1-({heads}="{Decision.KEEP}")*(TRIM({comment})=""))'


_LEGEND: Final = (
    (Decision.DELETE, "Delete the user and its remaining credentials."),
    (Decision.DEACTIVATE, "Disable the credentials, wait, then delete the user."),
    (Decision.KEEP, f"The user stays, and is exempt for {KEEP_DAYS} days. Say why."),
    (
        Decision.INVESTIGATE,
        f"Find out more about the user. It stays: for {INVESTIGATE_DAYS} days, nothing is removed.",
    ),
)
_OTHER_ENTRIES: Final = (
    (review_list_layout.DECIDED_BY, "Name of the person who decides."),
    (review_list_layout.DECIDED_ON, "Date, such as 2026-03-01. Ctrl+; enters today's."),
    (review_list_layout.TICKET, "Number of the ticket, if there is one."),
    (review_list_layout.COMMENT, "The reason; required to keep a user. No entry: not decided now."),
)
_INCOMPLETE: Final = (
    "Entries without a valid decision, a name or a date of the review, or keep without a comment. A"
    " workbook that has some is refused when it is collected."
)


def add_legend(sheet: TextSheet) -> None:
    """Add the meanings of entries in yellow cells: the decisions, and beside them the others."""
    for (word, meaning), (entry, about) in zip(_LEGEND, _OTHER_ENTRIES, strict=True):
        meant = SpannedCell(meaning, span=5)
        named = SpannedCell(entry, CellStyle.INPUT, 2)
        sheet.row(SpannedCell(word, CellStyle.INPUT), meant, named, about)
    sheet.named_text("Incomplete", _INCOMPLETE)


def add_list_checks(sheet: TextSheet, analysis: Analysis, listings: Listings) -> None:
    """Add a check per list: listed and exempt users add up to all users of its verdicts.

    A formula counts the listed users, beside their number when the file was written.
    """
    counts = ("Listed", "when written", "Exempt", "All")
    top = sheet.table_head(head("List"), *counts, head("Check"), head("Meaning", 6))
    for row, review_list in enumerate(REVIEW_LISTS, top + 1):
        listing, users = listings[review_list.title], analysis.totals.user_count
        exempt = sum(users(verdict, exempt=True) for verdict in review_list.verdicts)
        every = sum(users(verdict) for verdict in review_list.verdicts)
        holds = listing.rows + exempt == every
        tie = check(f"AND(B{row}=C{row},B{row}+D{row}=E{row})", holds=holds)
        number = Formula(_listed_formula(listing), listing.rows) if listing.rows else 0
        about = "Listed as when written. Listed + exempt = all."
        sheet.row(label(review_list.title), number, listing.rows, exempt, every, tie, about)
    sheet.alarm(f"F{top + 1}:F{sheet.next_row - 1}")
