"""Define the columns that show what the report and the analysis say of a user."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.caveats import because
from analyzer.columns import AccessKeyColumns, CertificateColumns
from analyzer.model import Page, ReportFile
from analyzer.terms import State, Verdict
from analyzer.verdict import REASON_TEXTS, RETIRED_TEXT
from analyzer.writers.workbook.column import (
    NEVER,
    NO,
    NO_EVIDENCE,
    NONE,
    Column,
    Read,
    either,
    free,
    in_slot,
    judged_look,
    moments,
    no_words,
    nothing,
    numbers,
    of_users,
    plain,
    texts,
    who,
    with_raw,
    words,
)

_REASONS: Final = {str(reason): told for reason, told in REASON_TEXTS.items()}


def _reasons(page: Page) -> list[str]:
    reasons, verdicts = page.users[columns.REASON], page.users[columns.VERDICT]
    return [
        RETIRED_TEXT if verdict == Verdict.RETIRED else _REASONS.get(reason, reason)
        for reason, verdict in zip(reasons.tolist(), verdicts.tolist(), strict=True)
    ]


def _caveat_ids(page: Page) -> list[str]:
    return [told.replace(";", "; ") for told in page.users[columns.CAVEATS].tolist()]


def _caveat_sentences(page: Page) -> list[str]:
    return ["\n".join(sentence for _, sentence in told) for told in because(page)]


def _more_credentials(page: Page) -> list[str]:
    told: list[str] = page.cells[columns.ADDITIONAL_CREDENTIALS_INFO].fillna("").tolist()
    return ["" if text == "N/A" else text for text in told]


def _flag(name: str, yes: str, no: str) -> Read[Page]:
    return lambda page: with_raw(page, name, either(page.users[name].to_numpy(), yes, no))


def _never_signed_in(page: Page) -> list[str]:
    enabled = page.users[columns.PASSWORD_ENABLED].to_numpy()
    return with_raw(page, columns.PASSWORD_LAST_USED, either(enabled, NEVER, ""))


ACCOUNT, USER, ARN = WHO = who(of_users)

VERDICT: Final = Column("Verdict", 12.5, words(texts(of_users(columns.VERDICT)), judged_look))

REASON: Final = Column("Reason", 24, words(_reasons, plain))

CERTAINTY: Final = Column("Certainty", 8.5, words(texts(of_users(columns.CERTAINTY)), judged_look))

CAVEAT_IDS: Final = Column("Caveats", 24, words(_caveat_ids))

CAVEATS: Final = Column("Caveats: what to check first", 44, free(_caveat_sentences))

EXEMPTION: Final = Column("Exemption", 24, words(texts(of_users(columns.EXEMPTION))))

CREATED: Final = Column(
    "Created (UTC)",
    14.5,
    moments(of_users(columns.CREATED), nothing(columns.USER_CREATION_TIME)),
)

AGE: Final = Column("Age in days", 7.5, numbers(of_users(columns.AGE_DAYS)))

IDLE: Final = Column("Idle days", 7.5, numbers(of_users(columns.IDLE_DAYS)))

PASSWORD: Final = Column("Password", 9, words(_flag(columns.PASSWORD_ENABLED, "enabled", NONE)))

LAST_SIGN_IN: Final = Column(
    "Last sign-in (UTC)", 14.5, moments(of_users(columns.PASSWORD_LAST_USED), _never_signed_in)
)

PASSWORD_CHANGED: Final = Column(
    "Password changed (UTC)",
    14.5,
    moments(of_users(columns.PASSWORD_LAST_CHANGED), nothing(columns.PASSWORD_LAST_CHANGED)),
)

PASSWORD_ROTATION: Final = Column(
    "Password expires (UTC)",
    14.5,
    moments(of_users(columns.PASSWORD_NEXT_ROTATION), nothing(columns.PASSWORD_NEXT_ROTATION)),
)

MFA: Final = Column("MFA", 6, words(_flag(columns.MFA_ACTIVE, "yes", NO)))

AS_OF: Final = Column("As of (UTC)", 14.5, moments(of_users(columns.AS_OF), no_words))

MORE_CREDENTIALS: Final = Column("More credentials", 18, words(_more_credentials))


def service_credentials(files: Sequence[ReportFile]) -> Column[Page]:
    """Return the column of live service-specific credentials, which only evidence can tell."""

    def told(page: Page) -> list[str]:
        known = np.array([file.evidence is not None for file in files])
        otherwise = either(known[page.users[columns.FILE].to_numpy()], NONE, NO_EVIDENCE)
        services = page.users[columns.SERVICE_CREDENTIALS].to_numpy(object)
        listed: list[str] = np.where(services == "", otherwise, services).tolist()
        return listed

    return Column("Service credentials", 20, words(told))


def _states(slots: pd.DataFrame, slot: int) -> np.ndarray:
    states: np.ndarray = in_slot(slots, slot)[columns.STATE].to_numpy(object)
    return states


def _never_used(slot: int, report_name: str) -> Read[Page]:
    def read(page: Page) -> list[str]:
        absent = _states(page.keys, slot) == State.ABSENT
        return with_raw(page, report_name, either(absent, "", NEVER))

    return read


def _used_for(slot: int, report_name: str) -> Read[Page]:
    """Read where and for what an access key was last used, if it ever was."""

    def read(page: Page) -> list[str]:
        used = in_slot(page.keys, slot)[columns.LAST_USED].notna()
        told: list[str] = page.cells[report_name].fillna("").where(used, "").tolist()
        return told

    return read


def key(slot: int, names: AccessKeyColumns) -> tuple[Column[Page], ...]:
    """Return the columns that show what is in a slot for an access key."""
    return (
        Column(
            f"Access key {slot}",
            9.5,
            words(lambda page: with_raw(page, names.active, _states(page.keys, slot))),
        ),
        Column(
            f"Key {slot} created (UTC)",
            14.5,
            moments(
                lambda page: in_slot(page.keys, slot)[columns.CREATED],
                nothing(names.last_rotated),
            ),
        ),
        Column(
            f"Key {slot} last used (UTC)",
            14.5,
            moments(
                lambda page: in_slot(page.keys, slot)[columns.LAST_USED],
                _never_used(slot, names.last_used_date),
            ),
        ),
    )


def key_use(slot: int, names: AccessKeyColumns) -> tuple[Column[Page], ...]:
    """Return the columns that show where and for what the access key in a slot was last used."""
    region, service = names.last_used_region, names.last_used_service
    return (
        Column(f"Key {slot} last region", 11, words(_used_for(slot, region))),
        Column(f"Key {slot} last service", 11, words(_used_for(slot, service))),
    )


def certificate(slot: int, names: CertificateColumns) -> tuple[Column[Page], ...]:
    """Return the columns that show what is in a slot for a signing certificate."""
    return (
        Column(
            f"Certificate {slot}",
            9.5,
            words(lambda page: with_raw(page, names.active, _states(page.certificates, slot))),
        ),
        Column(
            f"Certificate {slot} uploaded (UTC)",
            14.5,
            moments(
                lambda page: in_slot(page.certificates, slot)[columns.CREATED],
                nothing(names.last_rotated),
            ),
        ),
    )
