"""Judge every IAM user: the main purpose of this program.

A user is unused if there is no sign-in on record and no active access key (Trend Micro Conformity
IAM-029, "Unused IAM User"; AWS: IAM User Guide, "Find unused credentials"). A cell that is not
understood is never read as "no": a verdict that needs it is undetermined.
"""

from typing import Final

import numpy as np
import pyarrow as pa

from analyzer import columns
from analyzer.limits import Criteria, Definition
from analyzer.report.model import together, word_column
from analyzer.report.users import Users
from analyzer.report.values import is_one_of
from analyzer.terms import Certainty, SlotState, UnusedReason, Verdict, code_of, count_text
from analyzer.verdicts.caveats import caveat_ids
from analyzer.verdicts.exposure import exposures
from analyzer.verdicts.facts import Facts, unknown_cell_sentences
from analyzer.verdicts.truth import in_any_slot

REASON_TEXTS: Final = {
    UnusedReason.NEVER_SIGNED_IN: "has a password that was never used, and no access key",
    UnusedReason.NEVER_SIGNED_IN_INACTIVE_KEYS: (
        "has a password that was never used, and only inactive access keys"
    ),
    UnusedReason.NO_CREDENTIALS: "has neither a password nor an access key",
    UnusedReason.INACTIVE_KEYS_ONLY: "has no password, and only inactive access keys",
}

RETIRED_TEXT: Final = "no working credentials: no password, no active access key"

_VERDICT_COLUMNS: Final = (
    columns.USER,
    columns.ARN,
    columns.PASSWORD_ENABLED,
    columns.PASSWORD_LAST_USED,
    *(key.active for key in columns.ACCESS_KEYS),
)
"""Cells that every verdict needs, besides the state of each access key."""

_NOT_COUNTED: Final = np.iinfo(np.int64).max


def judge(users: Users, criteria: Criteria) -> Users:
    """Return users with `verdict`, `reason`, `exposure`, `certainty`, `caveats` and the days.

    `age_days` and `idle_days` are whole days before as-of, never negative; `idle_days` counts from
    the latest use of a credential that still works. It is missing without such a credential, or if
    an unknown cell could make it less.
    """
    parts = [_verdicts(part, criteria) for part in users.slices()]
    return users.with_users({name: together([part[name] for part in parts]) for name in parts[0]})


def _verdicts(users: Users, criteria: Criteria) -> dict[str, pa.Array]:
    facts = Facts(users)
    idle, use_date_unknown = _idle_days(facts)
    code, lacks_use_date = _verdict_codes(facts, criteria, idle, use_date_unknown)
    unused_or_retired = (code == code_of(Verdict.UNUSED)) | (code == code_of(Verdict.RETIRED))
    caveats = caveat_ids(facts, criteria, unused_or_retired)
    may_work = facts.password.unknown | in_any_slot(facts.key_active.unknown)
    has_no_idle_days = (idle == _NOT_COUNTED) | use_date_unknown | may_work
    words = ("", *Certainty)
    certain, check = map(words.index, Certainty)
    certainty = np.where(is_one_of([""], caveats), certain, check)
    certainty[~unused_or_retired] = words.index("")
    return {
        columns.VERDICT: word_column(code, Verdict),
        columns.REASON: _reasons(facts, code, lacks_use_date),
        columns.EXPOSURE: exposures(facts),
        columns.CERTAINTY: word_column(certainty, words),
        columns.CAVEATS: caveats,
        columns.AGE_DAYS: pa.array(facts.age.days, mask=~facts.age.present),
        columns.IDLE_DAYS: pa.array(idle, mask=has_no_idle_days),
    }


def _verdict_codes(
    facts: Facts, criteria: Criteria, idle: np.ndarray, use_date_unknown: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return positions in `Verdict`, and which users are undetermined for lack of a date of use."""
    signed_in = facts.sign_in.present
    active_key = in_any_slot(facts.key_active.yes)
    usable = facts.password.yes | active_key
    strict = criteria.definition is Definition.IAM_029
    attached = active_key | in_any_slot(facts.keys_in(SlotState.INACTIVE)) if strict else active_key
    unused = ~signed_in & ~attached
    recent = idle < criteria.idle_days
    unknown = _has_unknown_needed_cell(facts)
    lacks_use_date = ~unknown & ~unused & ~recent & use_date_unknown
    # The last that fits counts: the order of `Verdict` from its end.
    code = np.full(len(unused), code_of(Verdict.ACTIVE), np.int8)
    code[~recent] = code_of(Verdict.DORMANT)
    code[~usable] = code_of(Verdict.RETIRED)
    code[unused] = code_of(Verdict.UNUSED)
    code[unknown | lacks_use_date] = code_of(Verdict.UNDETERMINED)
    return code, lacks_use_date


def _has_unknown_needed_cell(facts: Facts) -> np.ndarray:
    """Return which users have an unknown cell that every verdict needs."""
    unknown = in_any_slot(facts.keys_in(SlotState.UNKNOWN))
    return np.asarray(facts.page.unread_in(*_VERDICT_COLUMNS) | unknown)


def _idle_days(facts: Facts) -> tuple[np.ndarray, np.ndarray]:
    """Return the days since the latest use of a usable credential, and where they are unknown.

    A password that was never used counts from its last change, an access key from its creation. If
    that date is missing, they count from the user's creation.
    """
    password, key = facts.password_idle, facts.key_idle
    has_password, is_active = facts.password.yes, facts.key_active.yes
    days = np.vstack(
        [
            np.where(has_password & password.present, password.days, _NOT_COUNTED),
            np.where(is_active & key.present, key.days, _NOT_COUNTED),
        ]
    )
    unknown = has_password & ~password.present | in_any_slot(is_active & ~key.present)
    return days.min(axis=0), np.asarray(unknown)


def _reasons(facts: Facts, code: np.ndarray, lacks_use_date: np.ndarray) -> pa.DictionaryArray:
    """Return why a user is unused or undetermined, empty for all others."""
    password, inactive = facts.password.yes, in_any_slot(facts.keys_in(SlotState.INACTIVE))
    known = ["", *map(str, UnusedReason)]
    unused = np.where(
        password,
        np.where(
            inactive,
            known.index(UnusedReason.NEVER_SIGNED_IN_INACTIVE_KEYS),
            known.index(UnusedReason.NEVER_SIGNED_IN),
        ),
        np.where(
            inactive,
            known.index(UnusedReason.INACTIVE_KEYS_ONLY),
            known.index(UnusedReason.NO_CREDENTIALS),
        ),
    )
    reason = np.where(code == code_of(Verdict.UNUSED), unused, 0)
    undetermined = code == code_of(Verdict.UNDETERMINED)
    if not undetermined.any():
        return word_column(reason, known)
    texts = unknown_cell_sentences(facts, _deciding_cells(facts, undetermined, lacks_use_date))
    places = {text: at for at, text in enumerate(dict.fromkeys(texts.values()), len(known))}
    reason[list(texts)] = [places[text] for text in texts.values()]
    return word_column(reason, [*known, *places])


def _deciding_cells(
    facts: Facts, undetermined: np.ndarray, lacks_use_date: np.ndarray
) -> dict[str, np.ndarray]:
    """Return for each column the users whose verdict needs its cell: key states, dates of use."""
    users = undetermined & ~lacks_use_date
    masks = dict.fromkeys(_VERDICT_COLUMNS, users)
    masks |= dict.fromkeys(
        (columns.PASSWORD_LAST_CHANGED, columns.USER_CREATION_TIME), lacks_use_date
    )
    slots = (facts.keys_in(SlotState.UNKNOWN), facts.key_active.yes)
    for key, is_unknown, is_active in zip(columns.ACCESS_KEYS, *slots, strict=True):
        masks[key.last_rotated] = is_unknown
        masks[key.last_used_date] = lacks_use_date & is_active
    return masks


def reason_text(verdict: str, reason: str, idle_days: int | None) -> str:
    """Return in words why a user has its verdict; `reason` is the one of the judged page."""
    if verdict == Verdict.UNUSED:
        return REASON_TEXTS[UnusedReason(reason)]
    if verdict == Verdict.RETIRED:
        return RETIRED_TEXT
    if verdict == Verdict.UNDETERMINED:
        return reason
    return idle_text(idle_days)


def idle_text(idle_days: int | None) -> str:
    """Return in words how long the working credentials are idle: `Users.users["idle_days"]`.

    An inactive key may have been used since, and a password may have been changed.
    """
    days = "an unknown number of days" if idle_days is None else count_text(idle_days, "day")
    return f"working credentials idle for {days}"


def unused_definition(criteria: Criteria) -> str:
    """Return the definition of unused in words, for several users."""
    if criteria.definition is Definition.IAM_029:
        return "no sign-in on record, and no access key attached"
    return "no sign-in on record, and no active access key"


def verdict_meaning(verdict: Verdict, criteria: Criteria) -> str:
    """Return the meaning of a verdict; if several verdicts fit, the first in `Verdict` applies."""
    days = count_text(criteria.idle_days, "day")
    strict = criteria.definition is Definition.IAM_029
    key = "access key attached, active or not" if strict else "active access key"
    return {
        Verdict.UNDETERMINED: (
            "A cell that the decision needs was not understood, or contradicts another cell."
            " Never counted as unused."
        ),
        Verdict.UNUSED: f"No sign-in on record, and no {key}.",
        Verdict.RETIRED: (
            "Not unused, but has no password and no active access key: no working credentials."
        ),
        Verdict.DORMANT: (
            "Every enabled password and active access key was last used, or created if never used,"
            f" {days} or more before as-of."
        ),
        Verdict.ACTIVE: (
            "All others: an enabled password or active access key was used, or created, less than"
            f" {days} before as-of."
        ),
    }[verdict]


def criteria_meanings(criteria: Criteria) -> list[tuple[str, str]]:
    """Return each parameter with its value and its effect."""
    strict = criteria.definition is Definition.IAM_029
    keys = "an inactive access key is one" if strict else "inactive access keys do not count"
    return [
        (
            "Definition of unused",
            f"{criteria.definition}: {verdict_meaning(Verdict.UNUSED, criteria)} Here {keys}.",
        ),
        (
            "Dormant from",
            (
                f"{count_text(criteria.idle_days, 'day')} without use of any password or access"
                " key, in whole days of 24 hours up to as-of."
            ),
        ),
        (
            "Grace for new users",
            f"Created less than {count_text(criteria.grace_days, 'day')} before as-of: to check.",
        ),
        (
            "As of",
            (
                "Ages and idle times count up to the moment that each report describes, never up to"
                " today."
            ),
        ),
    ]
