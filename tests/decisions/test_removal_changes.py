"""Whatever happened to a user after the report is noticed, and the user is left alone."""

import random
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from analyzer.decisions.review_columns import REMOVALS, Decision
from tests.support.aws_account import ACCOUNT, AwsAccount, User, stated
from tests.support.aws_stub import AwsStub
from tests.support.removals import (
    BASELINE,
    CREATED,
    EVERYTHING,
    HOUR,
    KEY_CREATED,
    KEY_USED,
    MINUTE,
    NOW,
    PASSWORD_CHANGED,
    SECOND,
    SIGNED_IN,
    UPLOADED,
    Removal,
    credential,
    device,
    exists,
    removal,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time

Change = Callable[[AwsAccount, User], object]

LATE = stated(BASELINE + SECOND)
EARLY = stated(CREATED)
PRECISION = timedelta(minutes=15)
TIE: dict[str, Any] = {
    "keys": (
        credential(CREATED, active=True, last_used=KEY_USED),
        credential(CREATED, active=False),
    )
}
"""Two access keys of the same second."""

NOTHING: dict[str, Any] = {}


def signed_in(moment: str) -> Change:
    return lambda _, user: setattr(user, "signed_in", moment)


def password(moment: str | None) -> Change:
    return lambda _, user: setattr(user, "password", moment)


def added(name: str, status: str, moment: str, value: str = "NEW") -> Change:
    return lambda _, user: user.lists[name].append([status, moment, value])


def changed(name: str, place: int, status: str | None = None, moment: str | None = None) -> Change:
    def change(_: AwsAccount, user: User) -> None:
        item = user.lists[name][place]
        item[:2] = [status or item[0], moment or item[1]]

    return change


def removed(name: str, place: int) -> Change:
    return lambda _, user: user.lists[name].pop(place)


def used(place: int, moment: str) -> Change:
    return lambda account, user: account.uses.update({user.lists[KEYS][place][2]: moment})


def created(moment: str) -> Change:
    return lambda _, user: setattr(user, "created", moment)


def arn(old: str, new: str) -> Change:
    return lambda _, user: setattr(user, "arn", user.arn.replace(old, new))


def tagged(*tags: str) -> Change:
    return lambda _, user: setattr(user, "tags", list(tags))


def renamed(*names: str, reused: bool = False) -> Change:
    """Let there be other users of that creation time, and a new one of the name or none."""

    def change(account: AwsAccount, user: User) -> None:
        del account.users["bob"]  # It is alone in its account.
        for name in names:
            account.add(f"arn:aws:iam::{ACCOUNT}:user/{name}", CREATED)
        if reused:
            account.add(user.arn, CREATED + HOUR)

    return change


def both(*changes: Change) -> Change:
    def change(account: AwsAccount, user: User) -> None:
        for each in changes:
            each(account, user)

    return change


KEYS, CERTIFICATES, DEVICES = "list-access-keys", "list-signing-certificates", "list-mfa-devices"
SSH_KEYS, SERVICES = "list-ssh-public-keys", "list-service-specific-credentials"

CHANGES: dict[str, tuple[dict[str, Any], Change, str]] = {
    # Signed in
    "sign-in a second later": (
        EVERYTHING,
        signed_in(stated(SIGNED_IN + SECOND)),
        "signed in at 2025-01-01T09:00:08",
    ),
    "first sign-in": (NOTHING, signed_in(stated(SIGNED_IN)), "signed in at"),
    "sign-in of unknown time": (EVERYTHING, signed_in("yesterday"), "signed in at yesterday"),
    # Password
    "password set again": (
        EVERYTHING,
        password(stated(PASSWORD_CHANGED + SECOND)),
        "a password was set at 2024-02-03T05:05:07",
    ),
    "first password": (NOTHING, password(EARLY), "a password was set at"),
    "password set again, its change unknown in the report": (
        EVERYTHING | {"password_changed": None},
        password(LATE),
        "a password was set at",
    ),
    "password of unknown time": (EVERYTHING, password("None"), "a password was set at None"),
    # Access keys
    "active key created": (EVERYTHING, added(KEYS, "Active", LATE), "access key NEW, created at"),
    "inactive key created": (EVERYTHING, added(KEYS, "Inactive", LATE), "access key NEW, created"),
    "key created that no report showed": (NOTHING, added(KEYS, "Inactive", EARLY), "not in the re"),
    "key created at the baseline": (
        NOTHING,
        added(KEYS, "Inactive", stated(BASELINE)),
        "access key NEW, created at 2026-05-01T12:00:30Z: not in the report",
    ),
    "key activated": (
        EVERYTHING,
        changed(KEYS, 1, "Active"),
        "access key AKIA1bob is active: inactive in the report",
    ),
    "key activated, another deactivated": (
        EVERYTHING,
        both(changed(KEYS, 0, "Inactive"), changed(KEYS, 1, "Active")),
        "AKIA1bob is active",
    ),
    "key activated, another deleted": (
        EVERYTHING,
        both(changed(KEYS, 1, "Active"), removed(KEYS, 0)),
        "AKIA1bob is active",
    ),
    "inactive key of unknown status": (EVERYTHING, changed(KEYS, 1, "Expired"), "is active"),
    "key used a minute after the tolerance": (
        EVERYTHING,
        used(0, stated(KEY_USED + PRECISION + MINUTE)),
        "access key AKIA0bob was used at 2025-02-02T10:16:00",
    ),
    "key used a second after the tolerance": (
        EVERYTHING,
        used(0, stated(KEY_USED + PRECISION + SECOND)),
        "was used at",
    ),
    "key used for the first time": (EVERYTHING, used(1, stated(KEY_USED)), "AKIA1bob was used"),
    "key used after the report": (EVERYTHING, used(0, LATE), "AKIA0bob was used at"),
    "key used at an unknown time": (EVERYTHING, used(0, "None"), "was used at None"),
    "key replaced a second later": (
        EVERYTHING,
        changed(KEYS, 0, moment=stated(KEY_CREATED + SECOND)),
        "not in the report",
    ),
    "key replaced by an older one": (
        EVERYTHING,
        changed(KEYS, 0, moment=stated(KEY_CREATED - SECOND)),
        "not in the report",
    ),
    "key of unknown creation": (EVERYTHING, changed(KEYS, 0, moment="None"), "created at None"),
    "second key of the same second": (
        EVERYTHING,
        added(KEYS, "Inactive", stated(KEY_CREATED)),
        "not in the report",
    ),
    "key replaced in the same second by the state of the other": (
        EVERYTHING,
        both(removed(KEYS, 1), added(KEYS, "Inactive", stated(KEY_CREATED))),
        "not in the report",
    ),
    "two of a second: the inactive one activated": (TIE, changed(KEYS, 1, "Active"), "is active"),
    "two of a second: the unused one used": (TIE, used(1, stated(KEY_USED)), "access key AKIA"),
    "two of a second: the used one used again": (TIE, used(0, LATE), "was used at"),
    "two of a second: states exchanged": (
        TIE,
        both(changed(KEYS, 0, "Inactive"), changed(KEYS, 1, "Active")),
        "is active",
    ),
    "two of a second: one gone, and the other one used": (
        TIE,
        both(used(1, LATE), removed(KEYS, 0)),
        "was used at",
    ),
    "two of a second: one gone, which is not known": (
        TIE,
        removed(KEYS, 0),
        "one access key created at 2024-02-03T04:05:06Z is gone, and which one is not known",
    ),
    "two of a second: the inactive one gone": (TIE, removed(KEYS, 1), "is active"),
    "two of a second: a third one": (TIE, added(KEYS, "Inactive", EARLY), "not in the report"),
    # Signing certificates
    "certificate added": (EVERYTHING, added(CERTIFICATES, "Active", LATE), "signing certificate"),
    "inactive certificate added": (EVERYTHING, added(CERTIFICATES, "Inactive", LATE), "NEW"),
    "first certificate": (NOTHING, added(CERTIFICATES, "Inactive", EARLY), "not in the report"),
    "certificate activated": (
        EVERYTHING,
        changed(CERTIFICATES, 0, "Active"),
        "signing certificate CERT0 is active: inactive in the report",
    ),
    "certificate replaced": (
        EVERYTHING,
        changed(CERTIFICATES, 0, moment=stated(UPLOADED + SECOND)),
        "not in the report",
    ),
    "second certificate of the same second": (
        EVERYTHING,
        added(CERTIFICATES, "Inactive", stated(UPLOADED)),
        "not in the report",
    ),
    "certificate of unknown creation": (EVERYTHING, changed(CERTIFICATES, 0, moment="-"), "CERT0"),
    # MFA devices
    "first MFA device": (
        NOTHING,
        added(DEVICES, "-", EARLY),
        "an MFA device is registered: not in the report",
    ),
    "MFA device added": (EVERYTHING, added(DEVICES, "-", LATE), "MFA device NEW was created at"),
    "MFA device replaced": (EVERYTHING, changed(DEVICES, 0, moment=LATE), "after the report"),
    "MFA device of unknown creation": (EVERYTHING, changed(DEVICES, 0, moment="None"), "at None"),
    # SSH keys and service-specific credentials, which no report shows
    "SSH key added": (NOTHING, added(SSH_KEYS, "Active", LATE), "SSH public key NEW was created"),
    "inactive SSH key added": (NOTHING, added(SSH_KEYS, "Inactive", LATE), "after the report"),
    "SSH key of unknown creation": (NOTHING, added(SSH_KEYS, "Inactive", "None"), "at None"),
    "active SSH key": (
        NOTHING,
        added(SSH_KEYS, "Active", EARLY),
        "NEW is active: deactivate first, or decide with AWS's list",
    ),
    "SSH key of unknown status": (NOTHING, added(SSH_KEYS, "-", EARLY), "is active"),
    "service credential added": (
        NOTHING,
        added(SERVICES, "Active", LATE),
        "service-specific credential NEW was created at",
    ),
    "inactive service credential added": (NOTHING, added(SERVICES, "Inactive", LATE), "after the"),
    "expired service credential added": (NOTHING, added(SERVICES, "Expired", LATE), "after the"),
    "active service credential": (NOTHING, added(SERVICES, "Active", EARLY), "deactivate first"),
    # The user
    "created a second later": (
        EVERYTHING,
        created(stated(CREATED + SECOND)),
        "another user of this name, created at 2024-02-03T04:05:07Z",
    ),
    "created a second earlier": (EVERYTHING, created(stated(CREATED - SECOND)), "another user"),
    "created at an unreadable time": (EVERYTHING, created("1706933106"), "another user"),
    "created at a time of another form": (EVERYTHING, created("2024-2-3T04:05:06Z"), "another"),
    "created in another time zone": (EVERYTHING, created("2024-02-03T04:05:06+01:00"), "another"),
    "created at no time": (EVERYTHING, created("None"), "another user"),
    "moved to another path": (
        EVERYTHING,
        arn("user/", "user/left/"),
        f"another user of this name: arn:aws:iam::{ACCOUNT}:user/left/bob",
    ),
    "in another partition": (EVERYTHING, arn("aws:", "aws-cn:"), "another us"),
    "in another account": (EVERYTHING, arn(ACCOUNT, "444455556666"), "another user"),
    "named in other case": (EVERYTHING, arn("bob", "BOB"), "another user"),
    "renamed": (EVERYTHING, renamed("rob"), "possibly renamed to rob: created at the same time"),
    "renamed, or one of two": (EVERYTHING, renamed("=rob", "-x"), "possibly renamed to =rob -x:"),
    "renamed, and the name used again": (EVERYTHING, renamed("rob", reused=True), "another user"),
    # Spared
    "tagged": (NOTHING, tagged("credreport:keep"), "it has the tag credreport:keep"),
    "tagged among others": (NOTHING, tagged("a", "credreport:keep", "b"), "has the tag"),
    "tagged in other case": (NOTHING, tagged("CredReport:Keep"), "has the tag"),
}
"""What was seen, what happened then, and how the script says it; `delete` is decided."""


HARMLESS: tuple[Change, ...] = (
    added(SSH_KEYS, "Inactive", stated(BASELINE)),
    added(SERVICES, "Expired", EARLY),
    tagged("keep", "credreport", "credreport:keeper", "x:credreport:keep"),
    added("list-user-policies", "-", "-"),
    added("list-groups-for-user", "-", "-"),
)


RENAMED = tuple(name for name in CHANGES if name.startswith("renamed"))
"""These need an account in which no other user has the creation time."""

ONLY_BEFORE_DELETION = ("active SSH key", "SSH key of unknown status", "active service credential")


class Case(NamedTuple):
    """Hold what was decided on a user that something happened to, and what is said of it."""

    name: str
    removal: Removal
    reason: str


def cases(
    aws: AwsStub, names: Iterable[str], decision: Decision = Decision.DELETE, harmless: int = 0
) -> list[Case]:
    """Let what the names say happen, each to a user of its own.

    Let harmless things happen as well, chosen by chance, but the same in each run.
    """
    users = []
    for number, name in enumerate(names):
        seen, change, reason = CHANGES[name]
        bob = "bob" if name in RENAMED else f"bob{number}"
        each = removal(bob, **seen, decision=decision)
        user = exists(aws.account, each)
        for happens in (*random.Random(name).sample(HARMLESS, harmless), change):
            happens(aws.account, user)
        users.append(Case(name, each, reason.replace("bob", bob)))
    return users


def check_all_are_skipped(aws: AwsStub, shell: str, users: Sequence[Case]) -> None:
    """Check that each user is skipped for its reason; let a preview say so of some of them."""
    before, some = aws.account.copy(), users[::5]
    shown = aws.preview(shell, *(each.removal for each in some))
    run = aws.apply(shell, *(each.removal for each in users))
    assert (shown.code, shown.log, run.code, run.messages) == (1, [], 1, "")
    last = {line["arn"]: line for line in run.log}
    for each in users:
        end = last[each.removal.arn]
        assert (end["result"], each.reason in end["detail"]) == ("skipped", True), each
        skipped = f"  skipped: {end['detail']}\n"
        assert (skipped in run.output, skipped in shown.output or each not in some) == (True, True)
    assert f"would be done 0, gone before 0, skipped {len(some)}, failed 0" in shown.output
    assert (aws.changes(), aws.backups()) == ([], [])
    assert aws.account.copy() == before


ALONE = tuple(name for name in CHANGES if name not in RENAMED)


@pytest.mark.parametrize(
    ("shell", "version", "harmless", "names"),
    [("dash", 1, 0, ALONE[::2]), ("bash", 2, 2, ALONE[1::2])],
    ids=["dash", "bash"],
)
def test_a_user_that_shows_more_than_the_reviewer_saw_is_skipped(
    tmp_path: Path, shell: str, version: int, harmless: int, names: Sequence[str]
) -> None:
    aws = AwsStub(tmp_path, version, NOW)
    check_all_are_skipped(aws, shell, cases(aws, names, harmless=harmless))


@pytest.mark.parametrize("name", RENAMED)
def test_a_user_that_may_have_been_renamed_is_skipped(
    tmp_path: Path, shell: str, name: str
) -> None:
    aws = AwsStub(tmp_path, now=NOW)
    check_all_are_skipped(aws, shell, cases(aws, [name]))


def test_what_is_noticed_before_a_deletion_is_noticed_before_a_deactivation_too(
    tmp_path: Path, shell: str
) -> None:
    aws = AwsStub(tmp_path, now=NOW)
    names = [name for name in ALONE if name not in ONLY_BEFORE_DELETION]
    check_all_are_skipped(aws, shell, cases(aws, names[::4], Decision.DEACTIVATE))


SAME: dict[str, tuple[dict[str, Any], Change]] = {
    "nothing happened": (EVERYTHING, lambda *_: None),
    "nothing happened to two keys of a second": (TIE, lambda *_: None),
    "the two keys of a second are listed in another order": (
        TIE,
        lambda _, user: user.lists[KEYS].reverse(),
    ),
    "the user has nothing": (NOTHING, lambda *_: None),
    "fractions of a second": (EVERYTHING, created(f"{EARLY[:-1]}.999Z")),
    "never signed in, says AWS": (EVERYTHING, signed_in("-")),
    "password older than its last change": (EVERYTHING, password(EARLY)),
    "password set at the baseline": ({"has_password": True}, password(stated(BASELINE))),
    "password deleted": (EVERYTHING, password(None)),
    "key used within the tolerance": (EVERYTHING, used(0, stated(KEY_USED + PRECISION))),
    "key used earlier, says AWS": (EVERYTHING, used(0, stated(KEY_USED - HOUR))),
    "key deactivated": (EVERYTHING, changed(KEYS, 0, "Inactive")),
    "keys in another order": (EVERYTHING, lambda _, user: user.lists[KEYS].reverse()),
    "key deleted": (EVERYTHING, removed(KEYS, 0)),
    "both keys of a second deactivated": (TIE, changed(KEYS, 0, "Inactive")),
    "both keys of a second deleted": (TIE, lambda _, user: user.lists[KEYS].clear()),
    "certificate deleted": (EVERYTHING, removed(CERTIFICATES, 0)),
    "MFA device removed": (EVERYTHING, removed(DEVICES, 0)),
    "MFA device enabled at the baseline": (
        EVERYTHING,
        changed(DEVICES, 0, moment=stated(BASELINE)),
    ),
    "inactive SSH key of the baseline": (NOTHING, added(SSH_KEYS, "Inactive", stated(BASELINE))),
    "inactive service credential": (NOTHING, added(SERVICES, "Inactive", EARLY)),
    "expired service credential": (NOTHING, added(SERVICES, "Expired", EARLY)),
    "other tags": (NOTHING, HARMLESS[2]),
    "another user of the same creation time": (
        NOTHING,
        lambda account, _: account.add(f"arn:aws:iam::{ACCOUNT}:user/twin", CREATED),
    ),
}
"""What was seen, and what happened then that is no more access and no later use."""


@pytest.mark.parametrize(
    ("shell", "version", "names"),
    [("dash", 2, [*SAME][::2]), ("bash", 1, [*SAME][1::2])],
    ids=["dash", "bash"],
)
def test_a_user_that_shows_no_more_than_the_reviewer_saw_is_deleted(
    tmp_path: Path, shell: str, version: int, names: Sequence[str]
) -> None:
    aws = AwsStub(tmp_path, version, NOW)
    users = [removal(f"bob{at}", **SAME[name][0]) for at, name in enumerate(names)]
    for each, name in zip(users, names, strict=True):
        SAME[name][1](aws.account, exists(aws.account, each))
    run = aws.apply(shell, *users)
    results = dict(zip(names, run.results().values(), strict=True))
    assert results == dict.fromkeys(names, "done"), run.output
    assert (run.code, run.messages) == (0, "")
    assert aws.account.users.keys() <= {"twin"}


def test_what_no_report_shows_is_deactivated_by_the_decision_to_deactivate(
    tmp_path: Path, shell: str
) -> None:
    aws = AwsStub(tmp_path, now=NOW)
    users = cases(aws, ONLY_BEFORE_DELETION, Decision.DEACTIVATE)
    run = aws.apply(shell, *(each.removal for each in users))
    assert {*run.results().values()} == {"done"}
    for user in aws.account.users.values():
        states = [item[0] for name in (SSH_KEYS, SERVICES) for item in user.lists[name]]
        assert states == ["Inactive"], user
    deletions = [removal(each.removal.user) for each in users]
    assert {*aws.apply(shell, *deletions).results().values()} == {"done"}
    assert aws.account.users == {}


@pytest.mark.parametrize("decision", REMOVALS)
def test_what_happens_while_the_script_runs_is_noticed_before_the_next_user(
    tmp_path: Path, shell: str, decision: Decision
) -> None:
    first, second = removal("ann", decision=decision), removal(decision=decision)
    aws = AwsStub(tmp_path, now=NOW)
    exists(aws.account, first)
    user = exists(aws.account, second)
    aws.account.meanwhile["list-groups-for-user ann"] = lambda: user.tags.append("credreport:keep")
    run = aws.apply(shell, first, second)
    assert run.results() == {first.arn: "done", second.arn: "skipped"}


REPLACED: dict[str, tuple[Change, str, str]] = {
    "created again": (created(LATE), "failed", "another user of this name, created at"),
    "signed in": (signed_in(LATE), "failed", "signed in at"),
    "tagged": (tagged("credreport:keep"), "failed", "has the tag"),
    "gone": (lambda account, _: account.users.clear(), "gone", "does not exist any more"),
    "renamed": (renamed("rob"), "failed", "possibly renamed to rob"),
}


@pytest.mark.parametrize("name", REPLACED)
def test_a_user_is_looked_at_once_more_right_before_it_is_deleted(
    tmp_path: Path, shell: str, name: str
) -> None:
    change, result, reason = REPLACED[name]
    aws = AwsStub(tmp_path, now=NOW)
    user = exists(aws.account, removal(**EVERYTHING))
    user.lists["list-groups-for-user"].append(["-", "-", "team"])
    happens = lambda: change(aws.account, user)  # noqa: E731 - it is what happens
    aws.account.meanwhile["delete-virtual-mfa-device"] = happens
    if name in {"gone", "renamed"}:
        user.lists["list-groups-for-user"].clear()
    run = aws.apply(shell, removal(**EVERYTHING))
    assert run.results() == {removal().arn: result}
    assert reason in run.log[-1]["detail"]
    assert "delete-user" not in {call[0] for call in aws.changes()}


def test_the_users_of_the_account_are_listed_once(tmp_path: Path, shell: str) -> None:
    aws = AwsStub(tmp_path, now=NOW)
    aws.account.add(f"arn:aws:iam::{ACCOUNT}:user/twin", CREATED)
    users = [removal("a"), removal("b", created=CREATED + SECOND), removal("c")]
    run = aws.apply(shell, *users)
    assert [*run.results().values()] == ["skipped", "gone", "skipped"]
    assert sum(call[1] == "list-users" for call in aws.calls) == 1


def test_the_devices_of_others_stay(tmp_path: Path, shell: str) -> None:
    aws = AwsStub(tmp_path, now=NOW)
    exists(aws.account, removal(**EVERYTHING))
    aws.account.unassigned += [device("bob-2"), device("b")]
    assert aws.apply(shell, removal(**EVERYTHING)).code == 0
    assert aws.account.unassigned == [device("bob-2"), device("b")]
