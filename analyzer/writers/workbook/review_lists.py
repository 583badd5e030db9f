"""Define the lists that a reviewer decides in, and the formulas that count the decisions."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
from openpyxl.utils import get_column_letter

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.decisions import review_list_layout
from analyzer.decisions.credentials import users_of
from analyzer.decisions.decision import PROGRAM, Decision
from analyzer.decisions.standing import last_day
from analyzer.limits import DUE_DAYS, INVESTIGATE_DAYS, KEEP_DAYS
from analyzer.lists.exemptions import ExemptionMatches
from analyzer.report.model import ReportFile, stable_order
from analyzer.report.users import Users
from analyzer.terms import Verdict, count_text
from analyzer.writers.workbook import user_columns
from analyzer.writers.workbook.book import Book, CellStyle, SheetName
from analyzer.writers.workbook.column import Column, EntryColumn, Formula, TextColumn
from analyzer.writers.workbook.table_sheets import TableSheets, add_list
from analyzer.writers.workbook.text_sheet import SpannedCell, TextSheet, check, head, label, total
from analyzer.writers.workbook.user_columns import ACCOUNT, USER, AccountNames

CREATED: Final = replace(user_columns.CREATED, head=review_list_layout.CREATED)

_DECISION: Final = EntryColumn(review_list_layout.DECISION, 10.5, choices=tuple(map(str, Decision)))
_OTHER_ENTRIES: Final = (
    EntryColumn(review_list_layout.DECIDED_BY, 10.5),
    EntryColumn(review_list_layout.DECIDED_ON, 10.5, is_date=True),
    EntryColumn(review_list_layout.TICKET, 8.5),
    EntryColumn(review_list_layout.COMMENT, 14),
)
ENTRY_COLUMNS: Final = (_DECISION, *_OTHER_ENTRIES)

_EARLIER: Final = TextColumn(review_list_layout.EARLIER_DECISION, 16, columns.EARLIER_DECISION)
_ONLY_WHY: Final = replace(user_columns.WHY, width=34)

_CREDENTIALS: Final = (
    user_columns.PASSWORD_FACTS,
    *(key[:3] for key in user_columns.KEYS),  # The last activity says where a key was used.
    *user_columns.CERTIFICATES,
    (user_columns.MFA,),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewList:
    """Define a list: the users with one of the verdicts that are not exempt.

    `verdict_columns` say why a user has its verdict; `last_columns` are before the states of the
    credentials.
    """

    title: SheetName
    verdicts: tuple[Verdict, ...]
    verdict_columns: tuple[Column, ...] = (user_columns.WHY, user_columns.CHECK_FIRST)
    last_columns: Callable[[Sequence[ReportFile]], tuple[Column, ...]] = lambda _: ()
    about: str

    def has(self, page: Users, again: np.ndarray | None = None) -> np.ndarray:
        """Return which users of a judged page are listed, though exempt if they are `again`."""
        verdicts = page.users[columns.VERDICT].isin(list(map(str, self.verdicts)))
        is_open = (page.users[columns.EXEMPTION] == "").to_numpy()
        return np.asarray(verdicts & (is_open if again is None else is_open | again))

    def facts(self, files: Sequence[ReportFile], names: AccountNames) -> tuple[Column, ...]:
        """Return the columns of account and user, and of all that reports and lists say of it."""
        owners = {account: known.owner for account, known in names.items()}
        return (
            ACCOUNT,
            USER,
            user_columns.EXPOSURE,
            user_columns.LAST_ACTIVITY,
            *self.verdict_columns,
            user_columns.AGE,
            *user_columns.account_name_columns(names, 10),
            *user_columns.OWNER,
            *user_columns.unprinted(
                user_columns.account_column(review_list_layout.ACCOUNT_OWNER, 10, owners),
                CREATED,
                user_columns.AS_OF,
                *self.last_columns(files),
                *(column for credential in _CREDENTIALS for column in credential),
                user_columns.ARN,
            ),
        )


_ORDER: Final = "the most exposed first, then the oldest."

REVIEW_LISTS: Final = (
    ReviewList(
        title=SheetName.UNUSED,
        verdicts=(Verdict.UNUSED,),
        about=f"Unused users that are not exempt, {_ORDER}",
    ),
    ReviewList(
        title=SheetName.INACTIVE,
        verdicts=(Verdict.RETIRED, Verdict.DORMANT),
        last_columns=lambda _: (user_columns.IDLE, user_columns.VERDICT),  # Why says both.
        about=f"Retired and dormant users that are not exempt, {_ORDER}",
    ),
    ReviewList(
        title=SheetName.UNDETERMINED,
        verdicts=(Verdict.UNDETERMINED,),
        verdict_columns=(_ONLY_WHY,),
        last_columns=user_columns.source_columns,
        about="Users with cells that were not understood. Look these users up in AWS.",
    ),
)

_LISTED_VERDICTS: Final = tuple(verdict for one in REVIEW_LISTS for verdict in one.verdicts)


def narrowing(verdicts: Collection[str]) -> tuple[Verdict, ...]:
    """Return the verdicts that narrow the lists; none if all that are listed are among them."""
    listed = tuple(verdict for verdict in _LISTED_VERDICTS if verdict in verdicts)
    return () if listed == _LISTED_VERDICTS else listed


def lists_of_verdicts(verdicts: Collection[str] = ()) -> tuple[ReviewList, ...]:
    """Return the lists to decide in, with the users of these verdicts; without one, of all."""
    if not verdicts:
        return REVIEW_LISTS
    return tuple(
        replace(one, verdicts=tuple(word for word in one.verdicts if word in verdicts))
        for one in REVIEW_LISTS
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Hold which users to decide a workbook lists: `chosen` of `every`, of some `verdicts` or all.

    `chosen` is the analysis that a filter left of `every`, the users that it would list otherwise.
    `label` names the owner or account of a part of a split review.
    """

    chosen: Analysis
    every: Analysis
    verdicts: tuple[Verdict, ...] = ()
    label: str = ""

    @property
    def asked(self) -> str:
        """Return what was asked for, in words; empty for all users."""
        parts = [f"verdict {' or '.join(self.verdicts)}"] if self.verdicts else []
        return ", ".join([*parts, str(self.chosen.filter)] if self.chosen.filter else parts)

    def numbers(self) -> dict[SheetName, int]:
        """Return how many users each list would have, had all been asked for."""
        again = listed_again(self.every)
        return {one.title: int(one.has(self.every.judged, again).sum()) for one in REVIEW_LISTS}

    def summary(self, listings: Mapping[SheetName, TableSheets]) -> str:
        """Return what was asked for, and how many users the lists leave out."""
        listed, number = sum(one.rows for one in listings.values()), sum(self.numbers().values())
        left_out = f"{number - listed:,} of {count_text(number, 'user')}"
        return f"Asked for: {self.asked}. Left out of the lists to decide in: {left_out}."


Listings: TypeAlias = Mapping[SheetName, TableSheets]
"""The lists to decide in that have users, by title."""


def listed_again(analysis: Analysis) -> np.ndarray:
    """Return which users a keep exempts, and alone, that are to be decided again.

    The keep ends within `DUE_DAYS`, or people disagree on the user.
    """
    users = analysis.judged.users
    again = np.zeros(len(users), bool)
    if not analysis.ledger.lines:
        return again
    of_list = [entry for entry in analysis.exemptions if not entry.arn]
    reasons = ExemptionMatches(analysis.judged, of_list).verdict_reasons()
    kept = np.flatnonzero((users[columns.EXEMPTION] != "") & (np.asarray(reasons) == ""))
    some = users.iloc[kept]
    standings = analysis.follow_up_result.standings
    for at, user, as_of in zip(kept, users_of(some), some[columns.AS_OF], strict=True):
        stand = standings[user]
        keep = stand.longest_keep
        ends = keep is not None and (last_day(keep) - as_of.date()).days <= DUE_DAYS
        again[at] = stand.is_contested or ends
    return again


def add_review_lists(book: Book, selection: Selection) -> Listings:
    """Add the lists to decide in."""
    analysis = selection.chosen
    judged, report, again = analysis.judged, analysis.report, listed_again(analysis)
    numbers = selection.numbers() if selection.asked else {}
    listings: dict[SheetName, TableSheets] = {}
    for review_list in lists_of_verdicts(selection.verdicts):
        listed = review_list.has(judged, again)
        users = judged.where(listed)
        if not len(users):
            continue
        users = users.with_users({columns.EARLIER_DECISION: analysis.earlier_decisions(users)})
        check_first, sentences = user_columns.check_first_column(users)
        kept = int((listed & again).sum())
        left_out = numbers.get(review_list.title, len(users)) - len(users)
        remarks = (
            review_list.about,
            *([f"Only those asked for: {selection.asked}."] if selection.asked else []),
            *([f"{count_text(left_out, 'other user')} left out."] if left_out else []),
            *([f"{count_text(kept, 'user')} of these: {_KEPT}"] if kept else []),
        )
        account, user, *facts = review_list.facts(report.files, report.account_names)
        listings[review_list.title] = add_list(
            book,
            review_list.title,
            users,
            # Account and user are in the block of entries: they go along if it is sorted.
            [_DECISION, account, user, *_OTHER_ENTRIES, _EARLIER]
            + [check_first if fact is user_columns.CHECK_FIRST else fact for fact in facts],
            remarks=(*remarks, _HOW_TO_DECIDE, *sentences),
            order=_review_order(users),
            as_of=users.users[columns.AS_OF].iloc[0],
        )
    return listings


_HOW_TO_DECIDE: Final = (
    "Fill in the yellow cells, explained in the sheet Summary. Sort whole rows, never one column:"
    " nothing shows that a decision moved to another user."
)


_KEPT: Final = "exempt by a keep that ends soon, or on which people disagree."


def _review_order(page: Users) -> np.ndarray:
    """Return the users' positions, the most exposed first, of these the oldest; of all accounts.

    Users with an unknown creation time come last among those of their exposure.
    """
    users = page.users
    names = (columns.CREATED, columns.ACCOUNT, columns.USER)
    return stable_order(users[columns.EXPOSURE].cat.codes, *(users[name] for name in names))


# Progress, by formulas

_LISTED, _WRITTEN, _DECIDED, _LEFT = "BCDE"
_BY_DECISION: Final = [get_column_letter(at) for at in range(6, 6 + len(Decision))]
_INCOMPLETE, _CHECK = (get_column_letter(6 + len(Decision) + at) for at in range(2))


def first_step(listings: Listings) -> str:
    """Return the first steps of a reviewer, as nothing is decided when the file is written."""
    if not listings:
        return "Nothing to decide: no user is listed for review."
    texts = [f"{title}: {count_text(of.rows, 'user')}" for title, of in listings.items()]
    return f"Start with {'. Then '.join(texts)}."


def add_progress(sheet: TextSheet, listings: Listings) -> None:
    """Add a line per list with the decisions so far, and whether it has all its users."""
    counted = ("Users", "when written", "Decided", "Left", *map(str, Decision), "Incomplete")
    top = sheet.table_head(head("List"), *counted, head("Check"))
    for title, listing in listings.items():
        _add_list_progress(sheet, title, listing, top)
    last, users = sheet.next_row - 1, sum(listing.rows for listing in listings.values())
    sums = [
        total(Formula(f"SUM({letter}{top + 1}:{letter}{last})", number))
        for letter, number in {
            _LISTED: users,
            _WRITTEN: users,
            _DECIDED: 0,
            _LEFT: users,
            **dict.fromkeys(_BY_DECISION, 0),
            _INCOMPLETE: 0,
        }.items()
    ]
    sheet.row(label("All lists"), *sums)
    sheet.alarm(f"{_CHECK}{top + 1}:{_CHECK}{last}")


def _add_list_progress(
    sheet: TextSheet, title: SheetName, listing: TableSheets, head_row: int
) -> None:
    row, users = sheet.next_row, listing.rows
    sheets = list(zip(*map(listing.column_references, ENTRY_COLUMNS), strict=True))
    names = listing.column_references(USER)
    by_decision = [
        _sum_formula(
            f"--({_read_back_formula(decision)}={letter}${head_row})" for decision, *_ in sheets
        )
        for letter in _BY_DECISION
    ]
    filled = _sum_formula(f'--(TRIM({"&".join(cells)})<>"")' for cells in sheets)
    # The heads of the counts are the possible decisions.
    heads = f"${_BY_DECISION[0]}${head_row}:${_BY_DECISION[-1]}${head_row}"
    complete = _sum_formula(
        _complete_rows_formula(cells, as_of, heads)
        for cells, as_of in zip(sheets, listing.as_of_references(), strict=True)
    )
    sheet.row(
        label(title),
        Formula("+".join(f'COUNTIF({cells},"?*")' for cells in names), users),
        users,
        Formula(f"SUM({_BY_DECISION[0]}{row}:{_BY_DECISION[-1]}{row})", 0),
        Formula(f"{_LISTED}{row}-{_DECIDED}{row}", users),
        *(Formula(formula, 0) for formula in by_decision),
        Formula(f"{filled}-({complete})", 0),
        check(f"{_LISTED}{row}={_WRITTEN}{row}", holds=True),
    )


def _sum_formula(terms: Iterable[str]) -> str:
    return "+".join(f"SUMPRODUCT({term})" for term in terms)


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
    (Decision.DEACTIVATE, "Take its access away: password, keys, certificates. The user stays."),
    (Decision.KEEP, f"The user stays, and is exempt for {KEEP_DAYS} days. Say why."),
    (
        Decision.INVESTIGATE,
        f"Find out more about the user. It stays: for {INVESTIGATE_DAYS} days, nothing is removed.",
    ),
)
_MEANINGS: Final = (
    (review_list_layout.DECIDED_BY, "Name of the person who decides."),
    (review_list_layout.DECIDED_ON, "Date, such as 2026-03-01. Ctrl+; enters today's."),
    (review_list_layout.TICKET, "Number of the ticket, if there is one."),
    (review_list_layout.COMMENT, "The reason; required to keep a user. No entry: not decided now."),
)
_INCOMPLETE_MEANING: Final = (
    "Entries without a valid decision, a name or a date of the review, or keep without a comment. A"
    " workbook that has some is refused when it is collected."
)


def add_legend(sheet: TextSheet) -> None:
    """Add the meanings of entries in yellow cells: the decisions, and beside them the others."""
    for (word, meaning), (entry, about) in zip(_LEGEND, _MEANINGS, strict=True):
        meant = SpannedCell(meaning, span=5)
        named = SpannedCell(entry, CellStyle.INPUT, 2)
        sheet.row(SpannedCell(word, CellStyle.INPUT), meant, named, about)
    sheet.named_text("Incomplete", _INCOMPLETE_MEANING)
