"""List the caveats: what to check before an unused or retired user is removed.

Each caveat is an entry of `CAVEATS`: when it holds, a sentence for each user with the value behind
it, and its meaning.
"""

import shlex
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.limits import Criteria
from analyzer.report.model import word_column
from analyzer.report.users import Users
from analyzer.report.values import day_texts, joined, joined_present, minute_texts, texts
from analyzer.terms import SlotState
from analyzer.verdicts.facts import SERVICE_KEY_NAME, Facts, unknown_cell_sentences
from analyzer.verdicts.truth import in_any_slot

_NOTHING: Final = pa.scalar(None, pa.large_string())

UNREAD_CELL: Final = "unread-cell"
"""The caveat of a cell that only certainty needs."""

SERVICE_CREDENTIAL: Final = "service-credential"
"""The caveat of an active service-specific credential."""

TRACKING_BEGAN: Final = np.datetime64("2014-10-20T00:00:00", "s")
"""AWS recorded no sign-ins before this time (IAM User Guide, "Generate credential reports")."""

GAP_BEGAN: Final = np.datetime64("2018-05-04T05:50:00", "s")
GAP_ENDED: Final = np.datetime64("2018-05-23T21:08:00", "s")
"""AWS recorded no sign-ins between these times (the same page: 3 May 22:50 to 23 May 14:08 PDT)."""

_WHERE_SERVICE_KEYS_SHOW: Final = (
    "A report does not show if such a key works: AWS's list of service-specific credentials does."
)

_MFA_ALONE: Final = "An MFA device is registered, but no sign-in is on record"

_CERTAINTY_COLUMNS: Final = (
    columns.USER_CREATION_TIME,
    columns.MFA_ACTIVE,
    *(
        name
        for certificate in columns.CERTIFICATES
        for name in (certificate.active, certificate.last_rotated)
    ),
)
"""Cells that a caveat or the age needs, but no verdict."""

_PASSWORD_COMMANDS: Final = (
    "get-user --user-name={user}",
    "get-login-profile --user-name={user}",
)
_KEY_COMMANDS: Final = (
    "list-access-keys --user-name={user}",
    "get-access-key-last-used --access-key-id=KEY_ID",
)
_CERTIFICATE_COMMANDS: Final = ("list-signing-certificates --user-name={user}",)
_MFA_COMMANDS: Final = ("list-mfa-devices --user-name={user}",)
_SERVICE_KEY_COMMANDS: Final = ("list-service-specific-credentials --user-name={user}",)
_ACCESS_COMMANDS: Final = (
    "generate-service-last-accessed-details --arn={arn}",
    "get-service-last-accessed-details --job-id=JOB_ID",
)
"""AWS reports attempts of at least the last 400 days (IAM API, GenerateServiceLastAccessedDetails).

`KEY_ID` and `JOB_ID` are in the answer to the command before.
"""

BLIND_SPOT_COMMANDS: Final = (*_SERVICE_KEY_COMMANDS, "list-ssh-public-keys --user-name={user}")
"""The commands that list the credentials of a user that no report shows."""


@dataclass(frozen=True, slots=True)
class Caveat:
    """Limit how certain a verdict is.

    `holds` returns which unused or retired users have the caveat; none of them has an active key.
    `sentences` gives each user a sentence with the value behind the caveat, `meaning` says what the
    caveat means for the reviewer. `commands` of `aws iam` settle it, in their order.
    """

    id: str
    holds: Callable[[Facts, Criteria], np.ndarray]
    sentences: Callable[[Facts], pa.Array]
    meaning: str
    commands: tuple[str, ...]


def caveat_ids(
    facts: Facts, criteria: Criteria, unused_or_retired: np.ndarray
) -> pa.DictionaryArray:
    """Return the ids of each user's caveats, joined by `;`, empty for users without caveats."""
    bits = np.zeros(len(facts.page), np.int16)
    for position, caveat in enumerate(CAVEATS):
        bits |= (caveat.holds(facts, criteria) & unused_or_retired).astype(np.int16) << position
    occurring = np.flatnonzero(np.bincount(bits, minlength=1 << len(CAVEATS)))
    code = np.zeros(1 << len(CAVEATS), np.int16)
    code[occurring] = np.arange(len(occurring))
    words = (
        ";".join(caveat.id for position, caveat in enumerate(CAVEATS) if bits >> position & 1)
        for bits in occurring.tolist()
    )
    return word_column(code[bits], words)


def sentences_by_caveat(page: Users) -> Mapping[str, pa.Array]:
    """Return the sentences of each caveat that occurs on a judged page, by its id.

    They are large_string, one a user, null where the user does not have the caveat.
    """
    facts = Facts(page)
    known = page.added[columns.CAVEATS]
    ids = [words.split(";") for words in known.dictionary.to_pylist()]
    sentences: dict[str, pa.Array] = {}
    for caveat in CAVEATS:
        has = np.array([caveat.id in some for some in ids], bool)[known.indices]
        if has.any():
            sentences[caveat.id] = pc.if_else(pa.array(has), caveat.sentences(facts), _NOTHING)
    return sentences


def caveat_sentences(page: Users) -> list[tuple[tuple[str, str], ...]]:
    """Return for each user of a judged page its caveats as (id, sentence)."""
    caveats: list[list[tuple[str, str]]] = [[] for _ in range(len(page))]
    for name, sentences in sentences_by_caveat(page).items():
        for of_user, sentence in zip(caveats, sentences.to_pylist(), strict=True):
            if sentence is not None:
                of_user.append((name, sentence))
    return [*map(tuple, caveats)]


def aws_commands(ids: Collection[str], user: str, arn: str) -> tuple[str, ...]:
    """Return the commands that settle the caveats of a user, and list what no report shows.

    User and ARN are quoted for a shell.
    """
    of_caveats = (command for each in CAVEATS if each.id in ids for command in each.commands)
    words = {"user": shlex.quote(user), "arn": shlex.quote(arn)}
    return tuple(
        f"aws iam {command.format(**words)}"
        for command in dict.fromkeys((*of_caveats, *BLIND_SPOT_COMMANDS))
    )


# When a caveat holds


def _has_unknown_cell(facts: Facts) -> np.ndarray:
    unknown = in_any_slot(facts.key_use.unknown)
    return np.asarray(unknown | facts.page.unread_in(*_CERTAINTY_COLUMNS))


def _cells_needed_for_certainty(facts: Facts) -> dict[str, np.ndarray]:
    """Return for each column the users whose certainty needs its cell."""
    masks = dict.fromkeys(_CERTAINTY_COLUMNS, np.ones(len(facts.page), bool))
    inactive = facts.keys_in(SlotState.INACTIVE)
    for key, is_inactive in zip(columns.ACCESS_KEYS, inactive, strict=True):
        masks[key.last_used_date] = is_inactive
    return masks


# Sentences


def _slot_dates(mask: np.ndarray, since: np.ndarray) -> pa.Array:
    """Return for each user the slots of a mask with a date each: `1 (2024-04-22) and 2 (…)`."""
    slots = []
    for slot, holds, moments in zip(columns.SLOTS, mask, since, strict=True):
        dated = joined(f"{slot} (", day_texts(pa.array(moments)), ")").fill_null(f"{slot}")
        slots.append(pc.if_else(pa.array(holds), dated, _NOTHING))
    return joined_present(*slots, between=" and ")


def _certificate_sentences(facts: Facts) -> pa.Array:
    slots = _slot_dates(facts.certificate_active.yes, facts.certificate_age.moment)
    return joined(
        "Active signing certificate ",
        slots,
        ": a credential that the definition does not count.",
    )


def _key_sentences(facts: Facts) -> pa.Array:
    slots = _slot_dates(facts.key_use.present, facts.key_use.moment)
    return joined("Inactive access key ", slots, " was used in the past.")


def _days_created(facts: Facts) -> pa.Array:
    return day_texts(pa.array(facts.age.moment))


def _credentials_not_listed(facts: Facts) -> pa.Array:
    info = texts(facts.page.text[columns.ADDITIONAL_CREDENTIALS_INFO]).fill_null("")
    return joined(
        "Has more credentials than the report lists: ", pc.utf8_rtrim(info, characters="."), "."
    )


def _unknown_cell_sentences(facts: Facts) -> pa.Array:
    sentences = unknown_cell_sentences(facts, _cells_needed_for_certainty(facts))
    every = [f"{sentences.get(position, '')}." for position in range(len(facts.page))]
    return pa.array(every, pa.large_string())


CAVEATS: Final = (
    Caveat(
        id="active-certificate",
        holds=lambda facts, _: in_any_slot(facts.certificate_active.yes),
        sentences=_certificate_sentences,
        meaning="An X.509 signing certificate is active: a credential that the definition does not"
        " count. Find out what signs requests with it before you delete the user.",
        commands=(*_CERTIFICATE_COMMANDS, *_ACCESS_COMMANDS),
    ),
    Caveat(
        id="inactive-key-was-used",
        holds=lambda facts, _: in_any_slot(facts.key_use.present),
        sentences=_key_sentences,
        meaning="An inactive access key has a last-used date: it was used in the past. Find out"
        " what used the key, and that it is no longer needed.",
        commands=(*_KEY_COMMANDS, *_ACCESS_COMMANDS),
    ),
    Caveat(
        id="created-before-tracking",
        holds=lambda facts, _: facts.age.moment < TRACKING_BEGAN,
        sentences=lambda facts: joined(
            "Created ", _days_created(facts), ", before AWS recorded sign-ins (2014-10-20)."
        ),
        meaning="Created before 2014-10-20, when AWS began to record sign-ins: earlier sign-ins"
        " are not recorded.",
        commands=_ACCESS_COMMANDS,
    ),
    Caveat(
        id="sign-in-gap",
        # Of unused and retired users, only unused ones can have a password.
        holds=lambda facts, _: (
            facts.password.yes & (facts.age.moment < GAP_ENDED) & (facts.as_of > GAP_BEGAN)
        ),
        sentences=lambda facts: joined(
            "Created ",
            _days_created(facts),
            "; AWS recorded no sign-ins from 2018-05-04 05:50 to 2018-05-23 21:08 UTC.",
        ),
        meaning="Has a password that may have been used from 2018-05-04 05:50 to 2018-05-23 21:08"
        " UTC, when AWS recorded no sign-ins.",
        commands=(*_PASSWORD_COMMANDS, *_ACCESS_COMMANDS),
    ),
    Caveat(
        id="mfa-registered",
        holds=lambda facts, _: facts.mfa.yes & ~facts.sign_in.present,
        sentences=lambda facts: pa.repeat(
            pa.scalar(f"{_MFA_ALONE}.", pa.large_string()), len(facts.page)
        ),
        meaning=f"{_MFA_ALONE}: the user was prepared for use.",
        commands=(*_MFA_COMMANDS, *_ACCESS_COMMANDS),
    ),
    Caveat(
        id="service-credential-user",
        holds=lambda facts, _: facts.service_key_name,
        sentences=lambda facts: joined(
            "The name ",
            texts(facts.page.text[columns.USER]),
            " has the form that AWS gives to users created for a service API key."
            f" {_WHERE_SERVICE_KEYS_SHOW}",
        ),
        meaning="The name has the form that AWS gives to users created for a service API key"
        f" ({SERVICE_KEY_NAME}, in any case). {_WHERE_SERVICE_KEYS_SHOW}",
        commands=(*_SERVICE_KEY_COMMANDS, *_ACCESS_COMMANDS),
    ),
    Caveat(
        id=SERVICE_CREDENTIAL,
        holds=lambda facts, _: facts.service_credential,
        sentences=lambda facts: joined(
            "Has an active service-specific credential: ",
            texts(facts.page.added[columns.SERVICE_CREDENTIALS]),
            ".",
        ),
        meaning="AWS's list of service-specific credentials, saved with the report, shows an active"
        " one.",
        commands=(*_SERVICE_KEY_COMMANDS, *_ACCESS_COMMANDS),
    ),
    Caveat(
        id="more-credentials",
        holds=lambda facts, _: facts.more_credentials,
        sentences=_credentials_not_listed,
        meaning="The user has more credentials than the report lists: see its column"
        " additional_credentials_info.",
        commands=(*_KEY_COMMANDS, *_CERTIFICATE_COMMANDS),
    ),
    Caveat(
        id=UNREAD_CELL,
        holds=lambda facts, _: _has_unknown_cell(facts),
        sentences=_unknown_cell_sentences,
        meaning="A cell that a caveat or the age needs is not understood, or the report has no such"
        " column: look it up in AWS.",
        commands=(*_PASSWORD_COMMANDS, *_KEY_COMMANDS, *_CERTIFICATE_COMMANDS, *_MFA_COMMANDS),
    ),
    Caveat(
        id="new-user",
        holds=lambda facts, criteria: facts.age.less_than(criteria.grace_days).yes,
        sentences=lambda facts: joined(
            "Created ",
            minute_texts(pa.array(facts.age.moment)),
            " UTC, too new: its first use may not be recorded yet.",
        ),
        meaning="Created shortly before as-of: too new to be used yet, or its use is not"
        " recorded yet.",
        commands=(*_PASSWORD_COMMANDS, *_KEY_COMMANDS),
    ),
)
"""All caveats, in the order in which they are listed."""
