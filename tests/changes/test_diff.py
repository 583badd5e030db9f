"""What changed between two reports, case by case."""

import random
from dataclasses import replace
from datetime import date, timedelta
from operator import itemgetter
from typing import Any

import pytest

from analyzer.changes.diff import COLUMNS, Side, changes, counts_by_kind, not_covered_rows
from analyzer.changes.user_changes import ChangeKind
from analyzer.report.model import AccountName, Exemption, NotCovered
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    LONG_AGO,
    NEVER,
    Row,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    no_password,
)
from tests.support.comparisons import (
    LATER,
    analysis_of,
    compared,
    compared_each,
    snapshot_of,
    user_changes,
)

OTHER = "210987654321"
ONE_KEY = days_before(70)
FRESH, SINCE, NEWER = days_before(10), days_before(-8), days_before(-20)
DAY, OLD = "2026-05-09", "2023-08-05"
USED_KEY = a_key(ONE_KEY, FRESH)
QUIET = a_user()


def in_use(**cells: Any) -> Row:
    """Return a user who signed in ten days before the first report."""
    return a_user(**{"password": a_password(FRESH), **cells})


def signed_in(at: Any, changed: Any = LONG_AGO, **cells: Any) -> Row:
    return a_user(**{"password": a_password(at, changed), **cells})


def with_key(*key: Any, **cells: Any) -> Row:
    return a_user(key_1=a_key(*key), **cells)


def with_odd(created: Any = LONG_AGO, used: Any = "N/A") -> Row:
    """Return a user with two keys; nobody knows whether the second is active."""
    return a_user(key_1=a_key(created, used), key_2=a_key(), access_key_2_active="?")


PASSWORD, USED = a_user(password=a_password()), a_user(key_1=USED_KEY)
FRESH_KEY, USED_SINCE = a_key(FRESH, FRESH), a_key(FRESH, SINCE)
OFF_KEY, RETIRED = an_inactive_key(ONE_KEY, FRESH), a_user(password=no_password(LONG_AGO))
NOT_NOW, NOT_BEFORE = (f"not understood {x}; undetermined {x}" for x in ("now", "before"))
ODD = '"??" is not understood'
AGAIN, NEW_KEY = f"signed in again on {DAY}", f"access key created on {DAY}"
FIRST, FIRST_USE = f"first sign-in on {DAY}", f"access key of {OLD} first used on {DAY}"
FIRST_OF_ANY, A_USE_OF_ANY = (f"an access key {used} on {DAY}" for used in ("first used", "used"))
BOTH_USED = f"{FIRST}; access key of 2026-04-21 used again on {DAY}"
USED_AT_ONCE = f"access key of {DAY} first used on {DAY}; {NEW_KEY}"
NEW_CERTIFICATE, SET = f"signing certificate created on {DAY}", f"password set on {DAY}"
MFA = "MFA device registered"
ANOTHER = f"created on {DAY}, the earlier user on {OLD}"
OFF, IDLE = "access key of 2026-02-20 deactivated", "not used since 2026-02-20"
RENAMED = "; possibly renamed: another user has this creation time"
UNREAD, VERDICT, SAME = "undetermined", "verdict-changed", ("active", "active")
A_USE, YOUNG, ASLEEP = a_key(used=SINCE), a_key(FRESH), signed_in(NEVER, key_1=a_key())
IDLE_AT, IDLE_LATE = days_before(90), days_before(90) + timedelta(seconds=1)
NO_KEYS_READ, NO_SIGN_IN_READ = a_user(access_key_1_active="??"), signed_in("??", key_1=FRESH_KEY)
NEVER_IN, IN_WITH_KEY = signed_in("N/A", FRESH, key_1=FRESH_KEY), signed_in(SINCE, key_1=FRESH_KEY)
NOT_READ = {"password_enabled": "?"}
NO_PASSWORD_READ = f"password {NOT_NOW}: password_enabled {ODD}"
KEY_ODD = f"access_key_1_active {ODD}"
UNREAD_KEYS, KEYS_UNREAD_NOW = (f"access keys {x}: {KEY_ODD}" for x in (NOT_BEFORE, NOT_NOW))
SIGN_IN_UNREAD = f"last sign-in {NOT_BEFORE}: password_last_used {ODD}"
CHANGED, TURNED = ("credentials-changed", *SAME), (VERDICT, "active")
USERS: list[tuple[tuple[str, ...], Row | None, Row | None, str]] = [
    (("new", "", "unused"), None, QUIET, f"not in the earlier report; created on {OLD}{RENAMED}"),
    (("new", "", "unused"), None, a_user(created=SINCE), f"user created on {DAY}"),
    (("new", "", "unused"), None, a_user(created="garbled"), "not in the earlier report"),
    (("gone", "unused", ""), QUIET, None, f"user deleted or renamed; created on {OLD}{RENAMED}"),
    (("re-created", "active", "unused"), in_use(mfa=True), a_user(created=SINCE), ANOTHER),
    *(((), same, same, "") for same in (None, QUIET, in_use(mfa_active="?"))),
    ((), in_use(), signed_in(SINCE), ""),
    ((), signed_in(FRESH, "yesterday"), signed_in(FRESH, SINCE), ""),
    ((), in_use(key_1=a_key(FRESH)), in_use(key_1=a_key(FRESH)), ""),
    (("became-unused", "active", "unused"), USED, a_user(key_1=OFF_KEY), OFF),
    (("became-unused", UNREAD, "unused"), NO_KEYS_READ, QUIET, UNREAD_KEYS),
    (("no-longer-unused", "unused", "active"), PASSWORD, signed_in(SINCE), FIRST),
    (("no-longer-unused", "unused", "active"), QUIET, with_key(SINCE, SINCE), USED_AT_ONCE),
    ((UNREAD, "unused", UNREAD), QUIET, NO_KEYS_READ, KEYS_UNREAD_NOW),
    (("first-sign-in", "dormant", "active"), ASLEEP, signed_in(SINCE, key_1=a_key()), FIRST),
    (("first-sign-in", *SAME), NEVER_IN, signed_in(SINCE, FRESH, key_1=USED_SINCE), BOTH_USED),
    (("first-use", "dormant", "active"), with_key(), with_key(LONG_AGO, SINCE), FIRST_USE),
    (("first-use", *SAME), in_use(key_1=a_key()), in_use(key_1=A_USE), FIRST_USE),
    (("first-use", *SAME), in_use(), in_use(key_1=a_key(SINCE, SINCE)), USED_AT_ONCE),
    ((), in_use(key_1=a_key(used="?")), in_use(key_1=A_USE), ""),
    ((), in_use(key_1=a_key(), key_2=USED_KEY), in_use(key_1=A_USE, key_2=USED_KEY), ""),
    (("first-use", UNREAD, UNREAD), with_odd(), with_odd(used=SINCE), FIRST_OF_ANY),
    (("first-use", UNREAD, UNREAD), with_odd(), with_odd(SINCE, SINCE), FIRST_OF_ANY),
    ((), with_odd(), with_odd(), ""),
    ((), with_odd(used=FRESH), with_odd(used=SINCE), ""),
    ((), with_odd(used="?"), with_odd(used=SINCE), ""),
    ((), with_odd(used=SINCE), with_odd(used=FRESH), ""),
    (("used-again", UNREAD, UNREAD), with_odd(used=IDLE_AT), with_odd(used=SINCE), A_USE_OF_ANY),
    (
        ("first-use", UNREAD, UNREAD),
        with_key(**NOT_READ),
        with_key(LONG_AGO, SINCE, **NOT_READ),
        FIRST_USE,
    ),
    (("used-again", *SAME), signed_in(IDLE_AT, key_1=YOUNG), signed_in(SINCE, key_1=YOUNG), AGAIN),
    ((), signed_in(IDLE_LATE, key_1=YOUNG), signed_in(SINCE, key_1=YOUNG), ""),
    (("used-again", "retired", "retired"), RETIRED, a_user(password=no_password(SINCE)), AGAIN),
    ((), a_user(password=no_password(FRESH)), a_user(password=no_password(SINCE)), ""),
    (("used-again", "dormant", "active"), signed_in(LONG_AGO), signed_in(SINCE), AGAIN),
    (("used-again", "retired", "active"), RETIRED, signed_in(SINCE, SINCE), f"{AGAIN}; {SET}"),
    (("no-longer-unused", "unused", "active"), QUIET, a_user(key_2=a_key(SINCE)), NEW_KEY),
    ((*TURNED, "dormant"), signed_in(ONE_KEY), signed_in(ONE_KEY), IDLE),
    ((*TURNED, "dormant"), with_key(ONE_KEY), with_key(ONE_KEY), "never used"),
    ((*TURNED, "dormant"), signed_in(ONE_KEY), signed_in(ONE_KEY, mfa=True), f"{MFA}; {IDLE}"),
    ((*TURNED, "retired"), in_use(), a_user(password=no_password(FRESH)), "password removed"),
    ((UNREAD, "active", UNREAD), in_use(), in_use(password_enabled="??"), NO_PASSWORD_READ),
    ((VERDICT, UNREAD, "dormant"), NO_KEYS_READ, with_key(), f"{UNREAD_KEYS}; never used"),
    ((VERDICT, UNREAD, "active"), NO_SIGN_IN_READ, IN_WITH_KEY, SIGN_IN_UNREAD),
    ((), in_use(cert_1_active="?"), in_use(certificate_1=a_certificate()), ""),
    ((), in_use(mfa=True), in_use(mfa_active="?"), ""),
    (CHANGED, USED, signed_in(NEVER, SINCE, key_1=USED_KEY), SET),
    (CHANGED, in_use(key_1=USED_KEY), in_use(key_1=OFF_KEY), OFF),
    (CHANGED, in_use(), in_use(certificate_1=a_certificate(SINCE)), NEW_CERTIFICATE),
    (CHANGED, in_use(), in_use(mfa=True), MFA),
    (("credentials-changed", "unused", "unused"), QUIET, a_user(mfa=True), MFA),
]
"""The change and the verdicts before and now, a user before and now, and the cause."""


@pytest.mark.no_cover
def test_what_became_of_a_user_and_why() -> None:
    each = compared_each([(before, now) for _, before, now, _ in USERS])
    for (change, before, now, cause), frame in zip(USERS, each, strict=True):
        rows = [(kind, *rest) for kind, _, *rest in user_changes(frame)]
        assert rows == ([(*change, cause)] if change else []), (before, now)


def an_exemption(reason: str = "Break-glass", expires: date | None = None) -> Exemption:
    return Exemption(ACCOUNT, "quiet", reason, "ann", expires, 2)


KEPT, EXPIRED = an_exemption(), an_exemption(expires=AS_OF.date())
EXEMPTIONS: tuple[tuple[list[Exemption], list[Exemption], list[str]], ...] = (
    ([], [], []),
    ([KEPT], [KEPT], []),
    ([], [KEPT], ["exempted", "", "Break-glass"]),
    ([KEPT], [], ["exemption-ended", "Break-glass", ""]),
    ([EXPIRED], [EXPIRED], ["exemption-ended", "Break-glass", ""]),
    ([KEPT], [an_exemption("Robot")], ["exemption-changed", "Break-glass", "Robot"]),
)


@pytest.mark.no_cover
def test_a_change_of_an_exemption_has_a_row_of_its_own() -> None:
    cases = {f"user-{number}": case for number, case in enumerate(EXEMPTIONS)}
    before, now = (
        [replace(entry, user=name) for name, case in cases.items() for entry in side(case)]
        for side in (itemgetter(0), itemgetter(1))
    )
    one = Side.of(analysis_of(map(a_user, cases), AS_OF, before))
    users = [a_user(name, key_1=a_key(SINCE)) for name in cases]
    frame = changes(one, Side.of(analysis_of(users, LATER, now)))
    for name, (*_, expected) in cases.items():
        rows = frame[(frame["rule"] == "") & (frame["user"] == name)]
        shown = rows[["change", "exemption_before", "exemption_now"]].to_numpy().tolist()
        assert shown[0][0] == "no-longer-unused"
        assert shown[1:] == ([expected] if expected else []), name


@pytest.mark.no_cover
def test_a_user_that_is_gone_or_another_has_no_exemption_to_lose() -> None:
    one = Side.of(analysis_of([QUIET], AS_OF, [KEPT]))
    for now in ([], [a_user(created=SINCE)]):
        frame = changes(one, snapshot_of(*now, as_of=LATER))
        assert "exemption-ended" not in frame["change"].tolist()
        assert frame.loc[0, "exemption_before"] == "Break-glass"


@pytest.mark.no_cover
def test_in_an_account_without_a_report_on_one_side_no_user_is_new_or_gone() -> None:
    here = a_user("ann")
    one, other = snapshot_of(here, a_user("bob", account=OTHER)), snapshot_of(here, as_of=LATER)
    for sides, side in (((one, other), "now"), ((other, one), "before")):
        same_time = [
            replace(each, as_of=dict.fromkeys(each.as_of, AS_OF.replace(tzinfo=None)))
            for each in sides
        ]
        frame = changes(*same_time)
        cause = f"not covered {side}: there is no report of it"
        rows = frame[["change", "account", "user", "cause"]].to_numpy().tolist()
        assert rows == [["not-covered", OTHER, "", cause]]


MISSING = ((ACCOUNT, "Denied."), (OTHER, "Timed out."))


def test_an_account_that_could_not_be_read_is_named_with_the_reason() -> None:
    now = snapshot_of(QUIET)
    before = replace(now, as_of={}, missing=dict(MISSING))
    assert changes(before, now)[["account", "cause"]].to_numpy().tolist() == [
        [ACCOUNT, "not covered before: Denied."],
        [OTHER, "not covered before: Timed out.; not covered now: there is no report of it"],
    ]
    missing = tuple(NotCovered(account=at, name="", reason=why) for at, why in MISSING)
    names = {OTHER: AccountName(name="Pay")}
    first = not_covered_rows(replace(now.analysis.report, account_names=names, not_covered=missing))
    assert first[["cause", "account_name"]].to_numpy().tolist() == [
        ["not covered: Denied.", ""],
        ["not covered: Timed out.", "Pay"],
    ]
    assert not counts_by_kind(first)


@pytest.mark.no_cover
def test_accounts_have_the_newest_name_that_either_side_knows() -> None:
    users = [a_user("ann"), a_user("bob", account=OTHER), a_user("eve", account="9" * 12)]
    before, now = snapshot_of(), snapshot_of(*users, as_of=LATER)

    def named(side: Side, names: dict[str, str]) -> Side:
        known = {account: AccountName(name=name) for account, name in names.items()}
        report = replace(side.analysis.report, account_names=known)
        moments = dict.fromkeys(now.as_of, side.as_of[ACCOUNT])
        return replace(side, as_of=moments, analysis=replace(side.analysis, report=report))

    older, newer = {ACCOUNT: "Old", OTHER: "Old"}, {OTHER: "New"}
    frame = changes(named(before, older), named(now, newer))
    names = dict(zip(frame["user"], frame["account_name"], strict=True))
    assert names == {"ann": "Old", "bob": "New", "eve": ""}


def test_reports_in_the_wrong_order_are_not_compared() -> None:
    frame = changes(snapshot_of(QUIET), snapshot_of(as_of=AS_OF - timedelta(seconds=1)))
    assert frame["change"].tolist() == ["not-covered"]
    assert "is older" in frame["cause"][0]


@pytest.mark.no_cover
def test_changes_come_by_kind_account_and_arn_and_each_account_has_its_own_users() -> None:
    before = [a_user(name) for name in "bde"] + [in_use(name="f", account=OTHER)]
    now = [a_user(name) for name in "zye"] + [with_key(SINCE, name="b")]
    now += [a_user(name, account=OTHER) for name in "ae"]
    for side in (before, now):
        random.Random(1).shuffle(side)
    rows = user_changes(compared(before, now))
    new, gone = [("new", name) for name in "yzae"], [("gone", name) for name in "df"]
    assert [row[:2] for row in rows] == [*new, *gone, ("no-longer-unused", "b")]


@pytest.mark.no_cover
def test_the_columns_have_one_kind_whether_anything_changed_or_not() -> None:
    for now in ([], [QUIET, in_use(name="ann")]):
        frame = compared([], now)
        assert tuple(frame.columns) == COLUMNS
        kinds = frame.dtypes.astype(str).to_dict()
        names = ("change", "owner", "owner_email", "owner_left")
        assert {kinds.pop(name) for name in names} == {"category"}
        assert kinds.pop("last_use") == kinds.pop("created") == "datetime64[s, UTC]"
        assert set(kinds.values()) == {"str"}
        assert frame["change"].cat.categories.tolist() == list(ChangeKind)


@pytest.mark.no_cover
def test_the_newest_use_that_either_report_shows_is_given_and_neither_is_changed() -> None:
    before = snapshot_of(in_use(key_1=a_key(FRESH, NEWER)))
    now = snapshot_of(in_use(mfa=True), as_of=LATER)
    sides = [(side.analysis, side.analysis.users) for side in (before, now)]
    assert f"{changes(before, now)['last_use'][0]:%Y-%m-%d}" == "2026-05-21"
    assert all(analysis.users.equals(users) for analysis, users in sides)


def test_every_change_has_a_meaning_of_its_own() -> None:
    assert len({change.meaning for change in ChangeKind} - {""}) == len(ChangeKind)


def test_a_user_whose_old_name_another_user_has_now_is_possibly_renamed() -> None:
    frame = compared([QUIET], [a_user("anna"), a_user(created=SINCE)])
    causes = {(change, user): cause for change, user, *_, cause in user_changes(frame)}
    earlier = f"not in the earlier report; created on {OLD}{RENAMED}"
    assert causes == {("new", "anna"): earlier, ("re-created", "quiet"): ANOTHER}
