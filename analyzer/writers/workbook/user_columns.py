"""Define the columns that show what the report and the analysis say of a user."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns, review_columns
from analyzer.caveats import caveat_columns
from analyzer.columns import AccessKeyColumns, CertificateColumns
from analyzer.model import Page, ReportFile
from analyzer.moment_texts import minute_texts
from analyzer.review_columns import NEVER, NOT_KNOWN
from analyzer.terms import State, Verdict
from analyzer.verdict import REASON_TEXTS, RETIRED_TEXT
from analyzer.writers.text_columns import Texts, joined, joined_present, mapped, text_column
from analyzer.writers.workbook.column import (
    NO,
    NONE,
    Column,
    MomentCells,
    NumberCells,
    Read,
    TextCells,
    WordCells,
    coded_texts,
    from_users,
    in_slot,
    neutral_style,
    raw_if_unread,
    style_by_name,
    text_by_mask,
    unread_text,
    user_columns,
)

_REASONS: Final = {str(reason): text for reason, text in REASON_TEXTS.items()}


def _reasons(page: Page) -> Texts:
    reasons = mapped(page.users[columns.REASON], lambda reason: _REASONS.get(reason, reason))
    retired = (page.users[columns.VERDICT] == Verdict.RETIRED).to_numpy()
    return pc.if_else(pa.array(retired), RETIRED_TEXT, text_column(reasons))


def _reason_sentences(page: Page) -> Texts:
    """Return the reasons; of dormant users, the days without use."""
    idle = page.users[columns.IDLE_DAYS].fillna(0).to_numpy(np.int64)
    distinct, place = np.unique(idle, return_inverse=True)
    sentences = [f"dormant: idle for {days:,} days" for days in distinct.tolist()]
    dormant = (page.users[columns.VERDICT] == Verdict.DORMANT).to_numpy()
    return pc.if_else(pa.array(dormant), text_column(coded_texts(place, sentences)), _reasons(page))


def _caveat_ids(page: Page) -> Texts:
    return mapped(page.users[columns.CAVEATS], lambda ids: ids.replace(";", "; "))


def caveat_texts(page: Page) -> Texts:
    """Return the sentences of each user's caveats, one a line."""
    sentences = caveat_columns(page).values()
    return joined_present(sentences, "\n") if sentences else text_column([""] * len(page))


def _more_credentials(page: Page) -> Texts:
    infos = page.cells[columns.ADDITIONAL_CREDENTIALS_INFO]
    return mapped(infos, lambda info: "" if info == "N/A" else info)


def _flag(name: str, yes: str, no: str) -> Read[Page]:
    return lambda page: raw_if_unread(
        page, name, text_by_mask(page.users[name].to_numpy(), yes, no)
    )


def _never_signed_in(page: Page) -> Texts:
    enabled = page.users[columns.PASSWORD_ENABLED].to_numpy()
    return raw_if_unread(page, columns.PASSWORD_LAST_USED, text_by_mask(enabled, NEVER, ""))


ACCOUNT, USER, ARN = user_columns(from_users)

VERDICT: Final = Column("Verdict", 12.5, WordCells(from_users(columns.VERDICT), style_by_name))

REASON: Final = Column("Reason", 24, WordCells(_reasons, neutral_style))
WHY: Final = Column("Why", 24, WordCells(_reason_sentences, neutral_style))

CERTAINTY: Final = Column(
    "Certainty",
    8.5,
    WordCells(from_users(columns.CERTAINTY), style_by_name),
)

CAVEAT_IDS: Final = Column("Caveats", 24, WordCells(_caveat_ids))
CAVEATS: Final = Column("Caveats: what to check first", 44, TextCells(caveat_texts))
EXEMPTION: Final = Column("Exemption", 24, WordCells(from_users(columns.EXEMPTION)))

CREATED: Final = Column(
    "Created (UTC)",
    14.5,
    MomentCells(from_users(columns.CREATED), unread_text(columns.USER_CREATION_TIME)),
)

AGE: Final = Column("Age in days", 7.5, NumberCells(from_users(columns.AGE_DAYS)))
IDLE: Final = Column("Idle days", 7.5, NumberCells(from_users(columns.IDLE_DAYS)))

PASSWORD: Final = Column("Password", 9, WordCells(_flag(columns.PASSWORD_ENABLED, "enabled", NONE)))

LAST_SIGN_IN: Final = Column(
    "Last sign-in (UTC)",
    14.5,
    MomentCells(from_users(columns.PASSWORD_LAST_USED), _never_signed_in),
)

PASSWORD_CHANGED: Final = Column(
    "Password changed (UTC)",
    14.5,
    MomentCells(
        from_users(columns.PASSWORD_LAST_CHANGED), unread_text(columns.PASSWORD_LAST_CHANGED)
    ),
)

PASSWORD_ROTATION: Final = Column(
    "Password expires (UTC)",
    14.5,
    MomentCells(
        from_users(columns.PASSWORD_NEXT_ROTATION), unread_text(columns.PASSWORD_NEXT_ROTATION)
    ),
)

MFA: Final = Column("MFA", 6, WordCells(_flag(columns.MFA_ACTIVE, "yes", NO)))


def _last_activities(page: Page) -> Texts:
    """Return the newest sign-in or key use, with where and for what a key was used."""
    moments = np.stack(
        [
            page.users[columns.PASSWORD_LAST_USED].to_numpy("datetime64[s]"),
            *(
                in_slot(page.keys, slot)[columns.LAST_USED].to_numpy("datetime64[s]")
                for slot in columns.SLOTS
            ),
        ]
    ).astype(np.int64)  # NaT is the smallest number of all.
    newest = moments.argmax(axis=0)
    moment = moments.max(axis=0).astype("datetime64[s]")
    unread = page.unread_in(columns.PASSWORD_LAST_USED, *_LAST_USED_DATES)
    texts = text_column(text_by_mask(unread, NOT_KNOWN, NEVER))
    for source, use in enumerate(_use_texts(page)):
        here = pa.array(~np.isnat(moment) & (newest == source))
        texts = pc.if_else(here, joined(minute_texts(pa.array(moment)), ", ", use), texts)
    return texts


_LAST_USED_DATES: Final = tuple(names.last_used_date for names in columns.ACCESS_KEYS)


def _use_texts(page: Page) -> Iterator[pa.Array | str]:
    """Yield, for the password and each access key, what users did with it."""
    yield "sign-in"
    for slot, names in zip(columns.SLOTS, columns.ACCESS_KEYS, strict=True):
        service = mapped(page.cells[names.last_used_service], partial(_unless_none, ", {}"))
        region = mapped(page.cells[names.last_used_region], partial(_unless_none, " in {}"))
        yield joined(f"access key {slot}", text_column(service), text_column(region))


def _unless_none(form: str, word: str) -> str:
    return "" if word in ("N/A", "") else form.format(word)


LAST_ACTIVITY: Final = Column(review_columns.LAST_ACTIVITY, 27, TextCells(_last_activities))
AS_OF: Final = Column(review_columns.AS_OF, 14.5, MomentCells(from_users(columns.AS_OF)))
MORE_CREDENTIALS: Final = Column("More credentials", 18, WordCells(_more_credentials))


def service_credential_column(files: Sequence[ReportFile]) -> Column[Page]:
    """Return the column of active service-specific credentials, known from AWS's saved list."""
    known = np.array([file.service_credentials is not None for file in files])

    def services(page: Page) -> Texts:
        otherwise = text_by_mask(known[page.users[columns.FILE].to_numpy()], NONE, NOT_KNOWN)
        saved = text_column(page.users[columns.SERVICE_CREDENTIALS])
        return pc.if_else(pc.equal(saved, ""), text_column(otherwise), saved)

    return Column("Service credentials", 20, WordCells(services))


def _states(slots: pd.DataFrame, slot: int) -> pd.Series:
    states: pd.Series = in_slot(slots, slot)[columns.STATE]
    return states


def _never_used(slot: int, report_name: str) -> Read[Page]:
    def read(page: Page) -> Texts:
        absent = (_states(page.keys, slot) == State.ABSENT).to_numpy()
        return raw_if_unread(page, report_name, text_by_mask(absent, "", NEVER))

    return read


def _used_for(slot: int, report_name: str) -> Read[Page]:
    """Read where and for what an access key was last used, if it ever was."""

    def read(page: Page) -> Texts:
        used = in_slot(page.keys, slot)[columns.LAST_USED].notna().to_numpy()
        return pc.if_else(pa.array(used), text_column(page.cells[report_name]), "")

    return read


def key_columns(slot: int, names: AccessKeyColumns) -> tuple[Column[Page], ...]:
    """Return the columns that show what is in a slot for an access key."""
    return (
        Column(
            review_columns.ACCESS_KEYS[slot - 1],
            9.5,
            WordCells(lambda page: raw_if_unread(page, names.active, _states(page.keys, slot))),
        ),
        Column(
            f"Key {slot} created (UTC)",
            14.5,
            MomentCells(
                lambda page: in_slot(page.keys, slot)[columns.CREATED],
                unread_text(names.last_rotated),
            ),
        ),
        Column(
            f"Key {slot} last used (UTC)",
            14.5,
            MomentCells(
                lambda page: in_slot(page.keys, slot)[columns.LAST_USED],
                _never_used(slot, names.last_used_date),
            ),
        ),
    )


def key_use_columns(slot: int, names: AccessKeyColumns) -> tuple[Column[Page], ...]:
    """Return the columns that show where and for what the access key in a slot was last used."""
    region, service = names.last_used_region, names.last_used_service
    return (
        Column(f"Key {slot} last region", 11, WordCells(_used_for(slot, region))),
        Column(f"Key {slot} last service", 11, WordCells(_used_for(slot, service))),
    )


def certificate_columns(slot: int, names: CertificateColumns) -> tuple[Column[Page], ...]:
    """Return the columns that show what is in a slot for a signing certificate."""
    return (
        Column(
            f"Certificate {slot}",
            9.5,
            WordCells(
                lambda page: raw_if_unread(page, names.active, _states(page.certificates, slot))
            ),
        ),
        Column(
            f"Certificate {slot} uploaded (UTC)",
            14.5,
            MomentCells(
                lambda page: in_slot(page.certificates, slot)[columns.CREATED],
                unread_text(names.last_rotated),
            ),
        ),
    )
