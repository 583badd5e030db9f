"""Define the lists to look things up in: all users, root users and exempt users."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Final

import pandas as pd

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.lists.exemptions import ExemptionMatches
from analyzer.report.frames import TEXT, text_series
from analyzer.report.model import Exemption
from analyzer.report.users import Users
from analyzer.writers.workbook import user_columns
from analyzer.writers.workbook.book import Book, SheetName
from analyzer.writers.workbook.column import DayColumn, TextColumn, check_style
from analyzer.writers.workbook.table_sheets import TableSheets, add_list
from analyzer.writers.workbook.user_columns import ACCOUNT, USER

# Users


MOST_LISTED: Final = 100_000
"""The most users of a workbook with the sheet of all users."""


def left_out_notes(analysis: Analysis) -> list[str]:
    """Return that the sheet of all users is left out, if it is."""
    if len(analysis.judged) <= MOST_LISTED:
        return []
    more = f"as there are more than {MOST_LISTED:,} users"
    return [f"The sheet All users is left out, {more}: --verdict all -o users.csv writes them."]


def add_all_users(book: Book, analysis: Analysis) -> None:
    """Add all users with their verdicts, unless they are too many."""
    if left_out_notes(analysis):
        return
    add_list(
        book,
        SheetName.ALL_USERS,
        analysis.judged,
        (
            ACCOUNT,
            USER,
            user_columns.CREATED,
            user_columns.VERDICT,
            user_columns.REASON,
            user_columns.CERTAINTY,
            replace(user_columns.EXPOSURE, width=18.5),
            replace(user_columns.LAST_ACTIVITY, width=27),
            user_columns.AGE,
            user_columns.IDLE,
            user_columns.EXEMPTION,
            user_columns.OWNER[0],
        ),
        remarks=("All IAM users of the reports, in the order of the reports.",),
    )


def add_roots(book: Book, analysis: Analysis) -> TableSheets:
    """Add the root users, with what the rules on root users read."""
    report = analysis.report
    return add_list(
        book,
        SheetName.ROOTS,
        report.root_users,
        (
            ACCOUNT,
            *user_columns.account_name_columns(report.account_names),
            user_columns.CREATED,
            *user_columns.PASSWORD_FACTS,
            user_columns.MFA,
            *chain(*(key[:3] for key in user_columns.KEYS)),
            *(certificate[0] for certificate in user_columns.CERTIFICATES),
            *user_columns.unprinted(
                *chain(*(key[3:] for key in user_columns.KEYS)),
                *(certificate[1] for certificate in user_columns.CERTIFICATES),
                user_columns.AS_OF,
                *user_columns.source_columns(report.files),
            ),
        ),
        remarks=("The root user of each account: not an IAM user, and not classified.",),
    )


# Exempt users

_STATE: Final = "state"
_ENTRY_OWNER: Final = "entry_owner"
_LAST_DAY: Final = "last_day"


def add_exempt(book: Book, analysis: Analysis) -> None:
    """Add the exempt users, and the entries that match no user or have expired."""
    add_list(
        book,
        SheetName.EXEMPT,
        _exempt_users_and_entries(analysis),
        (
            ACCOUNT,
            USER,
            TextColumn("State", 14, _STATE, check_style),
            user_columns.VERDICT,
            TextColumn("Reason", 28, columns.REASON),
            user_columns.EXPOSURE,
            user_columns.EXEMPTION,
            TextColumn("Exemption owner", 16, _ENTRY_OWNER),
            DayColumn("Exempt until", 11, _LAST_DAY),
            user_columns.OWNER[0],
        ),
        remarks=(
            "Exempt users, and first the entries of the list that match no user or have expired.",
        ),
    )


def _exempt_users_and_entries(analysis: Analysis) -> pd.DataFrame:
    """Return the entries without effect, with their state, then the exempt users."""
    judged, totals = analysis.judged, analysis.totals
    without_effect = [(entry, "matches no user") for entry in totals.unmatched] + [
        (use.entry, "has expired") for use in totals.expired if not use.entry.arn
    ]
    entries = pd.DataFrame(
        [
            (entry.account, entry.user, state, entry.reason, entry.owner, entry.expires)
            for entry, state in without_effect
        ],
        columns=[columns.ACCOUNT, columns.USER, _STATE, columns.EXEMPTION, _ENTRY_OWNER, _LAST_DAY],
    )
    exempt = judged.where((judged.users[columns.EXEMPTION] != "").to_numpy())
    names = (columns.ACCOUNT, columns.USER, columns.VERDICT, columns.EXPOSURE, columns.EXEMPTION)
    of_users = exempt.users[[*names, columns.OWNER]].astype(TEXT)
    exempting = _exempting_entries(exempt, analysis.exemptions)
    users = of_users.assign(
        **{columns.REASON: text_series(user_columns.reasons(exempt))},
        **{_ENTRY_OWNER: [entry.owner for entry in exempting]},
        **{_LAST_DAY: pd.Series([entry.expires for entry in exempting], dtype=object)},
    )
    rows = pd.concat([entries, users], ignore_index=True)
    texts = [name for name in rows if name != _LAST_DAY]
    days = pd.to_datetime(rows[_LAST_DAY]).astype("datetime64[s]")
    return rows[texts].fillna("").astype(TEXT).assign(**{_LAST_DAY: days})


def _exempting_entries(users: Users, exemptions: Sequence[Exemption]) -> list[Exemption]:
    """Return for each exempt user the entry that exempts it."""
    # The analysis keeps only an entry's reason, and two entries may have the same one.
    numbered = [replace(entry, reason=str(at)) for at, entry in enumerate(exemptions)]
    numbers = pd.Series(ExemptionMatches(users, numbered).verdict_reasons())
    return [exemptions[int(at)] for at in numbers]
