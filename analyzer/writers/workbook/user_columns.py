"""Define the columns that show what the report and the analysis say of a user."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import pandas as pd

from analyzer import columns, review_columns
from analyzer.caveats import caveat_sentences
from analyzer.columns import AccessKeyColumns, CertificateColumns
from analyzer.model import Page, ReportFile
from analyzer.review_columns import NEVER, NOT_KNOWN
from analyzer.terms import State, Verdict
from analyzer.verdict import REASON_TEXTS, RETIRED_TEXT
from analyzer.writers.workbook.column import (
    NO,
    NONE,
    Column,
    Read,
    blanks,
    from_users,
    in_slot,
    moment_cells,
    neutral_style,
    number_cells,
    raw_if_unread,
    repeated_text_cells,
    series_texts,
    style_by_name,
    text_by_mask,
    text_cells,
    unread_text,
    user_columns,
)

_REASONS: Final = {str(reason): text for reason, text in REASON_TEXTS.items()}


def _reasons(page: Page) -> list[str]:
    reasons, verdicts = page.users[columns.REASON], page.users[columns.VERDICT]
    return [
        RETIRED_TEXT if verdict == Verdict.RETIRED else _REASONS.get(reason, reason)
        for reason, verdict in zip(reasons.tolist(), verdicts.tolist(), strict=True)
    ]


def _reason_sentences(page: Page) -> list[str]:
    """Return the reasons; of dormant users, the days without use."""
    idle = page.users[columns.IDLE_DAYS].fillna(0).to_numpy(np.int64)
    dormant = (page.users[columns.VERDICT] == Verdict.DORMANT).to_numpy()
    return [
        f"dormant: idle for {days:,} days" if is_dormant else reason
        for days, is_dormant, reason in zip(
            idle.tolist(), dormant.tolist(), _reasons(page), strict=True
        )
    ]


def _caveat_ids(page: Page) -> list[str]:
    return [ids.replace(";", "; ") for ids in page.users[columns.CAVEATS].tolist()]


def caveat_texts(page: Page) -> list[str]:
    """Return the sentences of each user's caveats, one a line."""
    texts = np.full(len(page), "", object)
    has_caveats = (page.users[columns.CAVEATS] != "").to_numpy()
    if has_caveats.any():
        sentences = caveat_sentences(page.where(has_caveats))
        texts[has_caveats] = ["\n".join(text for _, text in caveats) for caveats in sentences]
    words: list[str] = texts.tolist()
    return words


def _more_credentials(page: Page) -> list[str]:
    infos: list[str] = page.cells[columns.ADDITIONAL_CREDENTIALS_INFO].fillna("").tolist()
    return ["" if text == "N/A" else text for text in infos]


def _flag(name: str, yes: str, no: str) -> Read[Page]:
    return lambda page: raw_if_unread(
        page, name, text_by_mask(page.users[name].to_numpy(), yes, no)
    )


def _never_signed_in(page: Page) -> list[str]:
    enabled = page.users[columns.PASSWORD_ENABLED].to_numpy()
    return raw_if_unread(page, columns.PASSWORD_LAST_USED, text_by_mask(enabled, NEVER, ""))


ACCOUNT, USER, ARN = user_columns(from_users)

VERDICT: Final = Column(
    "Verdict", 12.5, repeated_text_cells(series_texts(from_users(columns.VERDICT)), style_by_name)
)

REASON: Final = Column("Reason", 24, repeated_text_cells(_reasons, neutral_style))
WHY: Final = Column("Why", 24, repeated_text_cells(_reason_sentences, neutral_style))

CERTAINTY: Final = Column(
    "Certainty",
    8.5,
    repeated_text_cells(series_texts(from_users(columns.CERTAINTY)), style_by_name),
)

CAVEAT_IDS: Final = Column("Caveats", 24, repeated_text_cells(_caveat_ids))
CAVEATS: Final = Column("Caveats: what to check first", 44, text_cells(caveat_texts))
EXEMPTION: Final = Column(
    "Exemption", 24, repeated_text_cells(series_texts(from_users(columns.EXEMPTION)))
)

CREATED: Final = Column(
    "Created (UTC)",
    14.5,
    moment_cells(from_users(columns.CREATED), unread_text(columns.USER_CREATION_TIME)),
)

AGE: Final = Column("Age in days", 7.5, number_cells(from_users(columns.AGE_DAYS)))
IDLE: Final = Column("Idle days", 7.5, number_cells(from_users(columns.IDLE_DAYS)))

PASSWORD: Final = Column(
    "Password", 9, repeated_text_cells(_flag(columns.PASSWORD_ENABLED, "enabled", NONE))
)

LAST_SIGN_IN: Final = Column(
    "Last sign-in (UTC)",
    14.5,
    moment_cells(from_users(columns.PASSWORD_LAST_USED), _never_signed_in),
)

PASSWORD_CHANGED: Final = Column(
    "Password changed (UTC)",
    14.5,
    moment_cells(
        from_users(columns.PASSWORD_LAST_CHANGED), unread_text(columns.PASSWORD_LAST_CHANGED)
    ),
)

PASSWORD_ROTATION: Final = Column(
    "Password expires (UTC)",
    14.5,
    moment_cells(
        from_users(columns.PASSWORD_NEXT_ROTATION), unread_text(columns.PASSWORD_NEXT_ROTATION)
    ),
)

MFA: Final = Column("MFA", 6, repeated_text_cells(_flag(columns.MFA_ACTIVE, "yes", NO)))


def _last_activities(page: Page) -> list[str]:
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
    texts = np.full(len(page), NEVER, object)
    unread = page.unread_in(columns.PASSWORD_LAST_USED, *_LAST_USED_DATES)
    texts[unread] = NOT_KNOWN
    used = ~np.isnat(moment)
    day = np.char.replace(np.datetime_as_string(moment, unit="m"), "T", " ")
    for source, use in enumerate(_use_texts(page)):
        here = used & (newest == source)
        texts[here] = [f"{at}, {what}" for at, what in zip(day[here], use(here), strict=True)]
    words: list[str] = texts.tolist()
    return words


_LAST_USED_DATES: Final = tuple(names.last_used_date for names in columns.ACCESS_KEYS)


def _use_texts(page: Page) -> list[Callable[[np.ndarray], list[str]]]:
    """Return, for the password and each access key, what a masked user did with it."""

    def key_uses(slot: int, names: AccessKeyColumns) -> Callable[[np.ndarray], list[str]]:
        def uses(mask: np.ndarray) -> list[str]:
            cells = page.cells.loc[mask, [names.last_used_service, names.last_used_region]]
            service, region = (cells[name].fillna("N/A").tolist() for name in cells)
            return [
                f"access key {slot}"
                + (f", {what}" if what != "N/A" else "")
                + (f" in {where}" if where != "N/A" else "")
                for what, where in zip(service, region, strict=True)
            ]

        return uses

    keys = (key_uses(*each) for each in zip(columns.SLOTS, columns.ACCESS_KEYS, strict=True))
    return [lambda mask: ["sign-in"] * int(mask.sum()), *keys]


LAST_ACTIVITY: Final = Column(review_columns.LAST_ACTIVITY, 30, text_cells(_last_activities))
AS_OF: Final = Column(review_columns.AS_OF, 14.5, moment_cells(from_users(columns.AS_OF), blanks))
MORE_CREDENTIALS: Final = Column("More credentials", 18, repeated_text_cells(_more_credentials))


def service_credential_column(files: Sequence[ReportFile]) -> Column[Page]:
    """Return the column of active service-specific credentials, known from AWS's saved list."""

    def services(page: Page) -> list[str]:
        known = np.array([file.service_credentials is not None for file in files])
        otherwise = text_by_mask(known[page.users[columns.FILE].to_numpy()], NONE, NOT_KNOWN)
        saved = page.users[columns.SERVICE_CREDENTIALS].to_numpy(object)
        words: list[str] = np.where(saved == "", otherwise, saved).tolist()
        return words

    return Column("Service credentials", 20, repeated_text_cells(services))


def _states(slots: pd.DataFrame, slot: int) -> np.ndarray:
    states: np.ndarray = in_slot(slots, slot)[columns.STATE].to_numpy(object)
    return states


def _never_used(slot: int, report_name: str) -> Read[Page]:
    def read(page: Page) -> list[str]:
        absent = _states(page.keys, slot) == State.ABSENT
        return raw_if_unread(page, report_name, text_by_mask(absent, "", NEVER))

    return read


def _used_for(slot: int, report_name: str) -> Read[Page]:
    """Read where and for what an access key was last used, if it ever was."""

    def read(page: Page) -> list[str]:
        used = in_slot(page.keys, slot)[columns.LAST_USED].notna()
        uses: list[str] = page.cells[report_name].fillna("").where(used, "").tolist()
        return uses

    return read


def key_columns(slot: int, names: AccessKeyColumns) -> tuple[Column[Page], ...]:
    """Return the columns that show what is in a slot for an access key."""
    return (
        Column(
            review_columns.ACCESS_KEYS[slot - 1],
            9.5,
            repeated_text_cells(
                lambda page: raw_if_unread(page, names.active, _states(page.keys, slot))
            ),
        ),
        Column(
            f"Key {slot} created (UTC)",
            14.5,
            moment_cells(
                lambda page: in_slot(page.keys, slot)[columns.CREATED],
                unread_text(names.last_rotated),
            ),
        ),
        Column(
            f"Key {slot} last used (UTC)",
            14.5,
            moment_cells(
                lambda page: in_slot(page.keys, slot)[columns.LAST_USED],
                _never_used(slot, names.last_used_date),
            ),
        ),
    )


def key_use_columns(slot: int, names: AccessKeyColumns) -> tuple[Column[Page], ...]:
    """Return the columns that show where and for what the access key in a slot was last used."""
    region, service = names.last_used_region, names.last_used_service
    return (
        Column(f"Key {slot} last region", 11, repeated_text_cells(_used_for(slot, region))),
        Column(f"Key {slot} last service", 11, repeated_text_cells(_used_for(slot, service))),
    )


def certificate_columns(slot: int, names: CertificateColumns) -> tuple[Column[Page], ...]:
    """Return the columns that show what is in a slot for a signing certificate."""
    return (
        Column(
            f"Certificate {slot}",
            9.5,
            repeated_text_cells(
                lambda page: raw_if_unread(page, names.active, _states(page.certificates, slot))
            ),
        ),
        Column(
            f"Certificate {slot} uploaded (UTC)",
            14.5,
            moment_cells(
                lambda page: in_slot(page.certificates, slot)[columns.CREATED],
                unread_text(names.last_rotated),
            ),
        ),
    )
