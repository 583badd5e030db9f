"""Events say what happened to one user between two reports, and claim nothing that is unknown."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from analyzer import columns
from analyzer.changes.events import Credential, EventKind, UserState, events
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


def keys(one: Credential | None, other: Credential | None = None) -> dict[str, Any]:
    return {"keys": (one, other)}


def certificates(one: Credential | None, other: Credential | None = None) -> dict[str, Any]:
    return {"certificates": (one, other)}


def signed_in(moment: datetime) -> dict[str, Any]:
    return {"password_last_used": moment}


def expiring(moment: datetime | None, changed: datetime = ONE) -> dict[str, Any]:
    return {"password": True, "password_next_rotation": moment, "password_last_changed": changed}


def changed(moment: datetime | None) -> dict[str, Any]:
    return {"password": True, "password_last_changed": moment}


NOTHING: dict[str, Any] = {}
MFA = {"mfa": True}
ROTATED = "access key of 2026-01-01 rotated: new one created on 2026-02-02"
OFF_AND_NEW = ["access key of 2026-01-01 deactivated", "access key created on 2026-02-02"]
SIGN_IN_BACK = "last sign-in went back from 2026-02-02 00:00:01 to 2026-02-02 00:00:00 UTC"
USE_BACK = "last use went back from 2026-03-03 00:00:00 to 2026-02-02 00:00:00 UTC"
USE_GONE = "last use of 2026-02-02 no longer in the report"
CASES: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    (NOTHING, NOTHING, []),
    # Sign-ins
    (NOTHING, signed_in(TWO), ["first sign-in on 2026-02-02"]),
    (signed_in(TWO), signed_in(TWO), []),
    (signed_in(TWO), signed_in(TWO + SECOND), ["signed in again on 2026-02-02"]),
    (signed_in(TWO + SECOND), signed_in(TWO), [SIGN_IN_BACK]),
    (signed_in(TWO), NOTHING, ["last sign-in of 2026-02-02 no longer in the report"]),
    # The password
    (NOTHING, changed(TWO), ["password set on 2026-02-02"]),
    (NOTHING, changed(None), ["password set"]),
    (changed(ONE), NOTHING, ["password removed"]),
    (changed(ONE), changed(ONE), []),
    (changed(ONE), changed(ONE + SECOND), ["password changed on 2026-01-01"]),
    (changed(None), changed(ONE), ["password changed on 2026-01-01"]),
    (changed(ONE), changed(None), []),
    (expiring(None), expiring(TWO), ["password expires on 2026-02-02 by the password policy now"]),
    (expiring(TWO), expiring(THREE), ["password expires on 2026-03-03 by the password policy now"]),
    (expiring(TWO), expiring(TWO), []),
    (expiring(TWO), expiring(None), ["password no longer expires"]),
    (expiring(TWO), expiring(THREE, changed=TWO), ["password changed on 2026-02-02"]),
    # MFA
    (NOTHING, MFA, ["MFA device registered"]),
    (MFA, NOTHING, ["MFA device removed"]),
    (MFA, MFA, []),
    # Keys
    (NOTHING, keys(None, KEY), ["access key created on 2026-01-01"]),
    (keys(KEY), NOTHING, ["access key of 2026-01-01 deleted"]),
    (keys(KEY), keys(OFF), ["access key of 2026-01-01 deactivated"]),
    (keys(OFF), keys(KEY), ["access key of 2026-01-01 reactivated"]),
    (keys(KEY), keys(None, KEY), []),
    (keys(KEY), keys(None, OTHER_KEY), [ROTATED]),
    (keys(KEY), keys(OTHER_KEY, OFF), OFF_AND_NEW),
    (keys(KEY, OFF), keys(OFF, KEY), []),
    (keys(USED, KEY), keys(KEY, USED), []),
    (keys(KEY), keys(USED), ["access key of 2026-01-01 first used on 2026-02-02"]),
    (keys(USED), keys(USED_LATER), ["access key of 2026-01-01 used again on 2026-03-03"]),
    (keys(USED), keys(USED), []),
    (keys(USED_LATER), keys(None, USED), [f"access key of 2026-01-01: {USE_BACK}"]),
    (keys(USED), keys(KEY), [f"access key of 2026-01-01: {USE_GONE}"]),
    # Certificates
    (certificates(KEY), certificates(None, OFF), ["signing certificate of 2026-01-01 deactivated"]),
]


def test_what_happened_to_a_user() -> None:
    for before, now, expected in CASES:
        assert happened(before, now) == expected, (before, now)


ACTIVE = columns.ACCESS_KEYS[1].active
LAST_USED = columns.ACCESS_KEYS[0].last_used_date
CERTIFICATE = columns.CERTIFICATES[0].last_rotated
UNREAD: tuple[tuple[str, dict[str, Any], dict[str, Any], str], ...] = (
    (columns.PASSWORD_ENABLED, {"password": None}, {"password": True}, "password"),
    (columns.PASSWORD_LAST_USED, {}, signed_in(TWO), "last sign-in"),
    (columns.MFA_ACTIVE, {"mfa": None}, MFA, "MFA device"),
    (ACTIVE, {"keys": None}, keys(USED), "access keys"),
    (CERTIFICATE, {"certificates": None}, certificates(KEY), "signing certificates"),
)


def test_what_one_report_alone_does_not_show_is_said_and_nothing_concluded() -> None:
    for unknown, before, now, name in UNREAD:
        odd = before | {"unknown": frozenset({unknown})}
        assert happened(odd, now) == [f"{name} not understood before"]
        assert happened(now, odd) == [f"{name} not understood now"]
        assert happened(odd, odd) == []


def test_what_was_unknown_before_is_no_event_when_it_is_understood() -> None:
    for unknown, before, now in (
        (columns.PASSWORD_LAST_CHANGED, changed(None), changed(ONE)),
        (columns.PASSWORD_NEXT_ROTATION, expiring(None), expiring(TWO)),
        (LAST_USED, keys(KEY), keys(USED)),
    ):
        assert happened(before | {"unknown": frozenset({unknown})}, now) == []


def test_the_use_of_a_key_is_unknown_by_the_slot_in_which_it_was() -> None:
    before = keys(None, KEY) | {"unknown": frozenset({LAST_USED})}
    assert happened(before, keys(USED)) == ["access key of 2026-01-01 first used on 2026-02-02"]


NOBODY, ROOT = UserState(), a_state(verdict=None)
GONE = "user deleted or renamed; created on 2026-01-01"
ANOTHER = "created on 2026-02-02, the earlier user on 2026-01-01"
PRESENCE = (
    (NOBODY, a_state(), EventKind.CREATED, "user created on 2026-01-01"),
    (NOBODY, a_state(created=None), EventKind.CREATED, "not in the earlier report"),
    (a_state(), NOBODY, EventKind.DELETED, GONE),
    (a_state(created=None), NOBODY, EventKind.DELETED, "not in the later report"),
    (ROOT, NOBODY, EventKind.DELETED, "no root row in the later report"),
    (NOBODY, ROOT, EventKind.CREATED, "no root row in the earlier report"),
    (a_state(mfa=True), a_state(created=TWO), EventKind.RE_CREATED, ANOTHER),
)


def test_a_key_was_used_though_it_is_not_known_which() -> None:
    def unknown(used: datetime | None, *columns: str) -> dict[str, Any]:
        return {"keys": None, "last_key_use": used, "unknown": frozenset({ACTIVE, *columns})}

    cases: tuple[tuple[dict[str, Any], dict[str, Any], list[str]], ...] = (
        (unknown(None), unknown(TWO), ["an access key first used on 2026-02-02"]),
        (unknown(TWO), unknown(THREE), ["an access key used on 2026-03-03"]),
        (unknown(TWO), unknown(TWO), []),
        (unknown(THREE), unknown(TWO), []),
        (unknown(TWO), unknown(None), []),
        (unknown(None, LAST_USED), unknown(TWO), []),
    )
    for before, now, expected in cases:
        assert happened(before, now) == expected, (before, now)


def test_a_user_that_one_report_alone_has_is_one_event() -> None:
    for before, now, kind, sentence in PRESENCE:
        (event,) = events(before, now)
        assert (event.kind, event.sentence) == (kind, sentence)


def test_without_both_creation_times_a_user_may_be_the_same() -> None:
    for one, other in ((None, None), (ONE, None), (None, ONE)):
        before = {"mfa": True, "created": one}
        assert happened(before, {"created": other}) == ["MFA device removed"]
