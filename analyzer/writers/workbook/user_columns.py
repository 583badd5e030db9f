"""Define the columns that name a user and show facts of the report and the analysis."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.columns import AccessKeyColumns, CertificateColumns
from analyzer.decisions import review_list_layout
from analyzer.decisions.review_list_layout import NEVER, NOT_KNOWN
from analyzer.report.frames import UTC_INDEX, as_category
from analyzer.report.model import AccountName, ReportFile
from analyzer.report.users import Users
from analyzer.report.values import joined, joined_present, minute_texts
from analyzer.terms import NO_VALUE, SlotState, Verdict, code_of, count_text
from analyzer.verdicts.caveats import sentences_by_caveat
from analyzer.verdicts.verdict import REASON_TEXTS, RETIRED_TEXT
from analyzer.writers.tables import Texts, mapped, text_column
from analyzer.writers.workbook.column import (
    NO,
    NONE,
    Column,
    MomentColumn,
    NumberColumn,
    TextColumn,
    ValuesOf,
    check_style,
    coded_texts,
    column_of,
    fact_style,
    mapped_values,
    raw_if_unread,
    style_by_name,
    text_by_mask,
    unread_text,
)

AccountNames: TypeAlias = Mapping[str, AccountName]


def account_text(account: str) -> str:
    """Return the account as the sheets show it; it is unknown if the ARN names no account."""
    return account or NOT_KNOWN


def account_column(head: str, width: float, known: Mapping[str, str]) -> Column:
    """Return the column of a fact on accounts; empty for accounts that are not `known`."""
    read = mapped_values(columns.ACCOUNT, lambda account: known.get(account, ""))
    return TextColumn(head, width, read)


def account_name_columns(names: AccountNames, width: float = 16) -> tuple[Column, ...]:
    """Return the column of the account's name, none if no name is known."""
    known = {account: known.name for account, known in names.items()}
    return (account_column(review_list_layout.ACCOUNT_NAME, width, known),) if known else ()


ACCOUNT: Final = TextColumn(
    review_list_layout.ACCOUNT, 12.5, mapped_values(columns.ACCOUNT, account_text)
)
USER: Final = TextColumn(review_list_layout.USER, 17, columns.USER)
ARN: Final = TextColumn(review_list_layout.ARN, 34, columns.ARN)


OWNER: Final = (
    TextColumn(review_list_layout.OWNER, 13, columns.OWNER, fact_style),
    TextColumn(
        review_list_layout.OWNER_LEFT,
        9.5,
        columns.OWNER_LEFT,
        check_style,
    ),
)


def unprinted(*some: Column) -> tuple[Column, ...]:
    """Return columns that a screen shows, and paper does not."""
    return tuple(replace(column, printed=False) for column in some)


def source_columns(files: Sequence[ReportFile]) -> tuple[Column, ...]:
    """Return the columns with the report and the row that the facts come from."""
    names = text_column([file.name for file in files])

    def reports(rows: Users | pd.DataFrame) -> Texts:
        return names.take(pa.array(column_of(rows, columns.FILE)))

    return TextColumn("Report", 26, reports, fact_style), NumberColumn("Row", 6.5, columns.ROW)


def reasons(page: Users) -> Texts:
    """Return the reasons of unused, retired and undetermined users, in words."""
    texts = {str(reason): text for reason, text in REASON_TEXTS.items()}
    words = mapped(page.users[columns.REASON], lambda reason: texts.get(reason, reason))
    retired = (page.users[columns.VERDICT] == Verdict.RETIRED).to_numpy()
    return pc.if_else(pa.array(retired), RETIRED_TEXT, text_column(words))


def _reason_sentences(page: Users) -> Texts:
    """Return the reasons; for dormant users, the days without use."""
    idle = page.users[columns.IDLE_DAYS].fillna(0).to_numpy(np.int64)
    distinct, code = np.unique(idle, return_inverse=True)
    sentences = [f"dormant: idle for {count_text(days, 'day')}" for days in distinct.tolist()]
    dormant = (page.users[columns.VERDICT] == Verdict.DORMANT).to_numpy()
    return pc.if_else(pa.array(dormant), text_column(coded_texts(code, sentences)), reasons(page))


def _caveat_texts(page: Users, common: Mapping[str, str]) -> Texts:
    """Return the sentences of each user's caveats, one per line; of a common one its id."""
    texts = [
        pc.if_else(pc.equal(sentences, common[caveat]), caveat, sentences)
        if caveat in common
        else sentences
        for caveat, sentences in sentences_by_caveat(page).items()
    ]
    return joined_present(*texts, between="\n") if texts else text_column([""] * len(page))


CHECK_FIRST: Final = TextColumn(review_list_layout.CHECK, 24, partial(_caveat_texts, common={}))


def check_first_column(users: Users) -> tuple[Column, list[str]]:
    """Return the caveats of users, with remarks: the sentences that most of them have.

    Where such a sentence would stand, the column has the id of the caveat.
    """
    common: dict[str, str] = {}
    for caveat, sentences in sentences_by_caveat(users).items():
        counts = sentences.to_pandas().value_counts()
        if len(users) > 1 and counts.iloc[0] * 2 > len(users):
            common[caveat] = str(counts.index[0])
    column = replace(CHECK_FIRST, values_of=partial(_caveat_texts, common=common))
    return column, [f"{CHECK_FIRST.head} {id_}: {text}" for id_, text in common.items()]


def _flag(name: str, yes: str, no: str, source: str = "") -> ValuesOf:
    return lambda page: raw_if_unread(
        page, source or name, text_by_mask(page.users[name].to_numpy(), yes, no)
    )


def _date(head: str, name: str, source: str = "") -> Column:
    return MomentColumn(head, 14.5, name, unread_text(source or name))


VERDICT: Final = TextColumn("Verdict", 12.5, columns.VERDICT, style_by_name)
REASON: Final = TextColumn("Reason", 28, reasons)
WHY: Final = TextColumn(review_list_layout.WHY, 20, _reason_sentences)
CERTAINTY: Final = TextColumn("Certainty", 8.5, columns.CERTAINTY, style_by_name)
EXEMPTION: Final = TextColumn("Exempt because", 24, columns.EXEMPTION, fact_style)
CREATED: Final = _date("Created (UTC)", columns.CREATED, columns.USER_CREATION_TIME)
AGE: Final = NumberColumn("Age in days", 7.5, columns.AGE_DAYS)
IDLE: Final = NumberColumn("Idle days", 7.5, columns.IDLE_DAYS)
PASSWORD: Final = TextColumn(
    "Password", 9, _flag(columns.PASSWORD_ENABLED, "enabled", NONE), fact_style
)
LAST_SIGN_IN: Final = MomentColumn(
    *("Last sign-in (UTC)", 14.5, columns.PASSWORD_LAST_USED),
    _flag(columns.PASSWORD_ENABLED, NEVER, "", columns.PASSWORD_LAST_USED),
)
PASSWORD_CHANGED: Final = _date("Password changed (UTC)", columns.PASSWORD_LAST_CHANGED)
MFA: Final = TextColumn("MFA", 6, _flag(columns.MFA_ACTIVE, "yes", NO), fact_style)
PASSWORD_FACTS: Final = (PASSWORD, LAST_SIGN_IN, PASSWORD_CHANGED)
EXPOSURE: Final = TextColumn("Exposure", 11, columns.EXPOSURE, fact_style)
AS_OF: Final = MomentColumn(review_list_layout.AS_OF, 14.5, columns.AS_OF)


def _last_activities(page: Users) -> Texts:
    used = (columns.PASSWORD_LAST_USED, *(names.last_used_date for names in columns.ACCESS_KEYS))
    moments = np.stack([page.moments[name] for name in used])
    moments = moments.astype(np.int64)  # NaT is the smallest number of all.
    newest = moments.argmax(axis=0)
    moment = moments.max(axis=0).astype("datetime64[s]")
    unread = page.unread_in(*used)
    texts = text_column(text_by_mask(unread, NOT_KNOWN, NEVER))
    for source, use in enumerate(_use_texts(page)):
        here = pa.array(~np.isnat(moment) & (newest == source))
        texts = pc.if_else(here, joined(minute_texts(pa.array(moment)), ", ", use), texts)
    return texts


def _use_texts(page: Users) -> Iterator[pa.Array | str]:
    """Yield the last use of the password and of each access key, in words."""
    yield "sign-in"
    for slot, names in zip(columns.SLOTS, columns.ACCESS_KEYS, strict=True):
        service = mapped(page.text[names.last_used_service], partial(_unless_none, form=", {}"))
        region = mapped(page.text[names.last_used_region], partial(_unless_none, form=" in {}"))
        yield joined(f"access key {slot}", text_column(service), text_column(region))


def _unless_none(word: str, form: str = "{}") -> str:
    return "" if word in (NO_VALUE, "") else form.format(word)


LAST_ACTIVITY: Final = TextColumn(review_list_layout.LAST_ACTIVITY, 20, _last_activities)


def _credential_columns(
    codes: Callable[[Users], np.ndarray],
    names: AccessKeyColumns | CertificateColumns,
    head: str,
    date_head: str,
) -> tuple[Column, ...]:
    def states(page: Users) -> Texts:
        return raw_if_unread(page, names.active, pd.Series(as_category(codes(page), SlotState)))

    rotated = unread_text(names.last_rotated)
    return (
        TextColumn(head, 9.5, states, fact_style),
        MomentColumn(date_head, 14.5, _moments(names.last_rotated), rotated),
    )


def _moments(name: str) -> Callable[[Users], pd.Series]:
    return lambda page: pd.Series(UTC_INDEX(page.moments[name]))


def _key_columns(slot: int, names: AccessKeyColumns) -> tuple[Column, ...]:
    def never(page: Users) -> Texts:
        absent = page.key_states[slot - 1] == code_of(SlotState.ABSENT)
        return raw_if_unread(page, names.last_used_date, text_by_mask(absent, "", NEVER))

    def last(name: str) -> ValuesOf:
        return lambda page: pc.if_else(
            pa.array(~np.isnat(page.moments[names.last_used_date])),
            text_column(page.text[name]),
            "",
        )

    head = review_list_layout.ACCESS_KEYS[slot - 1]
    return _credential_columns(
        lambda page: page.key_states[slot - 1], names, head, f"Key {slot} created (UTC)"
    ) + (
        MomentColumn(f"Key {slot} last used (UTC)", 14.5, _moments(names.last_used_date), never),
        TextColumn(f"Key {slot} last region", 11, last(names.last_used_region), fact_style),
        TextColumn(f"Key {slot} last service", 11, last(names.last_used_service), fact_style),
    )


def _certificate_columns(slot: int, names: CertificateColumns) -> tuple[Column, ...]:
    head = f"Certificate {slot}"
    return _credential_columns(
        lambda page: page.certificate_states[slot - 1], names, head, f"{head} uploaded (UTC)"
    )


KEYS: Final = tuple(map(_key_columns, columns.SLOTS, columns.ACCESS_KEYS))
CERTIFICATES: Final = tuple(map(_certificate_columns, columns.SLOTS, columns.CERTIFICATES))
