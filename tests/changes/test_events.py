"""Events say what happened to one user between two reports, and claim nothing that is unknown."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analyzer import columns
from analyzer.changes.events import Credential, EventKind, UserState, events, sentences
from analyzer.terms import Verdict

ONE, TWO, THREE = (datetime(2026, each, each, tzinfo=UTC) for each in (1, 2, 3))
SECOND = timedelta(seconds=1)
KEY, OTHER_KEY = Credential(active=True, created=ONE), Credential(active=True, created=TWO)
OFF = Credential(active=False, created=ONE)
USED, USED_LATER = (replace(KEY, last_used=each) for each in (TWO, THREE))


def a_state(**values: Any) -> UserState:
    return UserState(**{"arn": "ann", "verdict": Verdict.ACTIVE, "created": ONE, **values})


def happened(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    return [each.sentence for each in events(a_state(**before), a_state(**now))]


def a_password(**values: Any) -> dict[str, Any]:
    return {"password": True, "password_last_changed": ONE, **values}


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ({}, {}, []),
        # Sign-ins
        ({}, {"password_last_used": TWO}, ["first sign-in on 2026-02-02"]),
        ({"password_last_used": TWO}, {"password_last_used": TWO}, []),
        (
            {"password_last_used": TWO},
            {"password_last_used": TWO + SECOND},
            ["signed in again on 2026-02-02"],
        ),
        (
            {"password_last_used": TWO + SECOND},
            {"password_last_used": TWO},
            ["last sign-in went back from 2026-02-02 00:00:01 to 2026-02-02 00:00:00 UTC"],
        ),
        ({"password_last_used": TWO}, {}, ["last sign-in of 2026-02-02 no longer in the report"]),
        # The password
        ({}, a_password(password_last_changed=TWO), ["password set on 2026-02-02"]),
        ({}, a_password(password_last_changed=None), ["password set"]),
        (a_password(), {}, ["password removed"]),
        (a_password(), a_password(), []),
        (
            a_password(),
            a_password(password_last_changed=ONE + SECOND),
            ["password changed on 2026-01-01"],
        ),
        (a_password(password_last_changed=None), a_password(), ["password changed on 2026-01-01"]),
        (a_password(), a_password(password_last_changed=None), []),
        (
            a_password(),
            a_password(password_next_rotation=TWO),
            ["password expires on 2026-02-02 by the password policy now"],
        ),
        (
            a_password(password_next_rotation=TWO),
            a_password(password_next_rotation=THREE),
            ["password expires on 2026-03-03 by the password policy now"],
        ),
        (a_password(password_next_rotation=TWO), a_password(password_next_rotation=TWO), []),
        (a_password(password_next_rotation=TWO), a_password(), ["password no longer expires"]),
        (
            a_password(password_next_rotation=TWO),
            a_password(password_last_changed=TWO, password_next_rotation=THREE),
            ["password changed on 2026-02-02"],
        ),
        # MFA
        ({}, {"mfa": True}, ["MFA device registered"]),
        ({"mfa": True}, {}, ["MFA device removed"]),
        ({"mfa": True}, {"mfa": True}, []),
        # Keys
        ({}, {"keys": (None, KEY)}, ["access key created on 2026-01-01"]),
        ({"keys": (KEY, None)}, {}, ["access key of 2026-01-01 deleted"]),
        ({"keys": (KEY, None)}, {"keys": (OFF, None)}, ["access key of 2026-01-01 deactivated"]),
        ({"keys": (OFF, None)}, {"keys": (KEY, None)}, ["access key of 2026-01-01 reactivated"]),
        ({"keys": (KEY, None)}, {"keys": (None, KEY)}, []),
        (
            {"keys": (KEY, None)},
            {"keys": (None, OTHER_KEY)},
            ["access key of 2026-01-01 rotated: new one created on 2026-02-02"],
        ),
        (
            {"keys": (KEY, None)},
            {"keys": (OTHER_KEY, OFF)},
            ["access key of 2026-01-01 deactivated", "access key created on 2026-02-02"],
        ),
        ({"keys": (KEY, OFF)}, {"keys": (OFF, KEY)}, []),
        ({"keys": (USED, KEY)}, {"keys": (KEY, USED)}, []),
        (
            {"keys": (KEY, None)},
            {"keys": (USED, None)},
            ["access key of 2026-01-01 first used on 2026-02-02"],
        ),
        (
            {"keys": (USED, None)},
            {"keys": (USED_LATER, None)},
            ["access key of 2026-01-01 used again on 2026-03-03"],
        ),
        ({"keys": (USED, None)}, {"keys": (USED, None)}, []),
        (
            {"keys": (USED_LATER, None)},
            {"keys": (None, USED)},
            [
                (
                    "access key of 2026-01-01: last use went back from 2026-03-03 00:00:00"
                    " to 2026-02-02 00:00:00 UTC"
                )
            ],
        ),
        (
            {"keys": (USED, None)},
            {"keys": (KEY, None)},
            ["access key of 2026-01-01: last use of 2026-02-02 no longer in the report"],
        ),
        # Certificates
        (
            {"certificates": (KEY, None)},
            {"certificates": (None, OFF)},
            ["signing certificate of 2026-01-01 deactivated"],
        ),
    ],
)
def test_what_happened_to_a_user(
    before: dict[str, Any], now: dict[str, Any], expected: list[str]
) -> None:
    assert happened(before, now) == expected


ACTIVE = columns.ACCESS_KEYS[1].active
LAST_USED = columns.ACCESS_KEYS[0].last_used_date


@pytest.mark.parametrize(
    ("unknown", "before", "now", "name"),
    [
        (columns.PASSWORD_ENABLED, {"password": None}, {"password": True}, "password"),
        (columns.PASSWORD_LAST_USED, {}, {"password_last_used": TWO}, "last sign-in"),
        (columns.MFA_ACTIVE, {"mfa": None}, {"mfa": True}, "MFA device"),
        (ACTIVE, {"keys": None}, {"keys": (USED, None)}, "access keys"),
        (
            columns.CERTIFICATES[0].last_rotated,
            {"certificates": None},
            {"certificates": (KEY, None)},
            "signing certificates",
        ),
    ],
)
@pytest.mark.parametrize("side", ["before", "now"])
def test_what_one_report_alone_does_not_show_is_said_and_nothing_concluded(
    unknown: str, before: dict[str, Any], now: dict[str, Any], name: str, side: str
) -> None:
    odd = {**before, "unknown": frozenset({unknown})}
    sides = (odd, now) if side == "before" else (now, odd)
    assert happened(*sides) == [f"{name} not understood {side}"]
    odd["contradicted"] = frozenset({unknown})
    assert happened(*sides) == [f"rows contradict each other {side}: {name}"]
    assert happened(odd, odd) == []


@pytest.mark.parametrize(
    ("unknown", "before", "now"),
    [
        (columns.PASSWORD_LAST_CHANGED, a_password(password_last_changed=None), a_password()),
        (columns.PASSWORD_NEXT_ROTATION, a_password(), a_password(password_next_rotation=TWO)),
        (LAST_USED, {"keys": (KEY, None)}, {"keys": (USED, None)}),
    ],
)
def test_what_was_unknown_before_is_no_event_when_it_is_understood(
    unknown: str, before: dict[str, Any], now: dict[str, Any]
) -> None:
    assert happened({**before, "unknown": frozenset({unknown})}, now) == []


def test_the_use_of_a_key_is_unknown_by_the_slot_in_which_it_was() -> None:
    before = {"keys": (None, KEY), "unknown": frozenset({LAST_USED})}
    assert happened(before, {"keys": (USED, None)}) == [
        "access key of 2026-01-01 first used on 2026-02-02"
    ]


@pytest.mark.parametrize(
    ("before", "now", "kind", "sentence"),
    [
        (UserState(), a_state(), EventKind.CREATED, "user created on 2026-01-01"),
        (UserState(), a_state(created=None), EventKind.CREATED, "not in the earlier report"),
        (
            a_state(),
            UserState(),
            EventKind.DELETED,
            "user deleted or renamed; created on 2026-01-01",
        ),
        (a_state(created=None), UserState(), EventKind.DELETED, "not in the later report"),
        (a_state(verdict=None), UserState(), EventKind.DELETED, "no root row in the later report"),
        (
            UserState(),
            a_state(verdict=None),
            EventKind.CREATED,
            "no root row in the earlier report",
        ),
        (
            a_state(mfa=True),
            a_state(created=TWO),
            EventKind.RE_CREATED,
            "created on 2026-02-02, the earlier user on 2026-01-01",
        ),
    ],
)
def test_a_user_that_one_report_alone_has_is_one_event(
    before: UserState, now: UserState, kind: EventKind, sentence: str
) -> None:
    (event,) = events(before, now)
    assert (event.kind, event.sentence) == (kind, sentence)


@pytest.mark.parametrize("created", [None, ONE])
def test_without_both_creation_times_a_user_may_be_the_same(created: datetime | None) -> None:
    assert happened({"mfa": True, "created": created}, {"created": None}) == ["MFA device removed"]


def test_an_event_names_the_columns_that_show_it_and_the_creation_of_its_credential() -> None:
    before, now = a_state(keys=(KEY, None)), a_state(keys=(OTHER_KEY, None), mfa=True)
    mfa, key = events(before, now)
    assert mfa.shown_in == frozenset({columns.MFA_ACTIVE})
    assert not mfa.created
    assert columns.ACCESS_KEYS[0].active in key.shown_in
    assert key.created == (ONE, TWO)


def test_sentences_come_in_the_order_of_the_kinds() -> None:
    every = events(a_state(), a_state(mfa=True, keys=(KEY, None)))
    kinds = [EventKind.ACCESS_KEY, EventKind.MFA, EventKind.SIGN_IN]
    assert sentences(every, kinds) == "access key created on 2026-01-01; MFA device registered"
