"""Define the columns that show what the report and the analysis say of a user."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from analyzer import columns
from analyzer.caveats import because
from analyzer.model import Page, ReportFile
from analyzer.terms import Verdict
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
    judged_look,
    moments,
    no_words,
    nothing,
    numbers,
    plain,
    with_raw,
    words,
)
from analyzer.writers.workbook.whose import of_users, texts, who

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
