"""A run that is killed at any call is finished by the next one, and nothing is lost or left."""

from copy import deepcopy
from itertools import cycle, islice

import pytest

from analyzer.decisions.decision import Decision
from tests.support.aws_account import ACCOUNT, AwsAccount, User, stated
from tests.support.aws_stub import LOG, UNDO, AwsStub
from tests.support.removals import (
    ACTIVE_KEY,
    CREATED,
    EVERYTHING,
    HOUR,
    NOW,
    SECOND,
    SERVICE,
    SHELLS,
    Removal,
    attach_permissions,
    deletable,
    device,
    exists,
    removal,
    turn,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time

ONE_OF_ALL = EVERYTHING | {"keys": (ACTIVE_KEY,)}
DELETED = removal("gone", **deletable(ONE_OF_ALL))
STATE = ONE_OF_ALL | {"services": SERVICE, "created": CREATED + SECOND}
DEACTIVATED = removal("idle", **STATE, decision=Decision.DEACTIVATE)
OTHERS = [removal(name, **ONE_OF_ALL, created=CREATED + 2 * SECOND) for name in ("gone2", "kept")]
"""Users that nobody decided on."""

CHANGES = 13
"""What one run changes: with its first 11 calls the user to delete, then the other."""


@pytest.fixture
def populated(aws: AwsStub) -> AwsStub:
    for each in (DELETED, DEACTIVATED, *OTHERS):
        user = exists(aws.account, each)
        attach_permissions(user)
        for name in ("list-service-specific-credentials", "list-user-policies"):
            del user.lists[name][1:]
    turn(aws.account.users["idle"], "Active")
    aws.account.unassigned += [device("gone-2"), device("idle-2")]
    return aws


def finished(account: AwsAccount) -> AwsAccount:
    """Return the account as it is to be in the end."""
    end = deepcopy(account)
    del end.users["gone"]
    end.users["idle"].password = None
    turn(end.users["idle"], "Inactive")
    return end


@pytest.mark.parametrize("shells", [SHELLS, SHELLS[::-1]])
def test_runs_killed_before_or_after_each_change_are_finished_by_the_next(
    populated: AwsStub, shells: tuple[str, str]
) -> None:
    """Kill each run: before its first change in one shell, right after its second in the other."""
    aws, number = populated, 0
    start, end = deepcopy(aws.account), finished(aws.account)
    ways = cycle((("before", shells[0], 1), ("after", shells[1], 2)))
    for when, aws.shell, more in islice(ways, CHANGES):
        number += more
        aws.kill_at = when, number
        run = aws.apply(DELETED, DEACTIVATED)
        assert (run.code, run.messages, len(aws.changes())) == (-9, "", number), run.output
        check_nothing_is_lost(aws, start)
    run = aws.apply(DELETED, DEACTIVATED)
    assert (run.code, run.messages, len(aws.changes())) == (0, "", number + 2), run.output
    assert aws.account.copy() == end.copy()
    assert run.results() == {DELETED.arn: "gone", DEACTIVATED.arn: "done"}


def check_nothing_is_lost(aws: AwsStub, start: AwsAccount) -> None:
    """Check that what was changed stands in the log before it, in a backup and in the undo file.

    What the undo file cannot restore it says.
    """
    assert aws.untrue() == []
    saved = {user["get-user"]["Arn"]: user for user in reversed(aws.backups())}
    for name, user in start.users.items():
        if aws.account.users.get(name) != user:
            keys = [key["Id"] for key in saved[user.arn]["list-access-keys"]]
            assert keys == [item[2] for item in user.lists["list-access-keys"]]
    check_undo_file(aws, start)
    for name in ("kept", "gone2"):
        assert aws.account.users[name] == start.users[name]


def check_undo_file(aws: AwsStub, start: AwsAccount) -> None:
    """Check that all that was changed is in the undo file: to be restored, or as lost."""
    file = aws.folder / UNDO
    text = file.read_text() if file.exists() else ""
    for name in ("gone", "idle"):
        before, after = start.users[name], aws.account.users.get(name, User("", ""))
        lines = [line for line in text.splitlines() if name in line or line.startswith("#   ")]
        for items, left in zip(before.lists.values(), after.lists.values(), strict=True):
            changed = [item[2] for item in items if item not in left]
            assert all(any(value in line for line in lines) for value in changed), changed
        assert before.password == after.password or "#   the password" in lines


@pytest.fixture
def killed(populated: AwsStub) -> AwsStub:
    """Have a run killed when the virtual MFA device was deactivated, and not deleted."""
    populated.kill_at = "before", 10
    assert populated.apply(DELETED).code == -9
    assert populated.account.unassigned[-1] == device("gone")
    return populated


def test_a_device_that_was_left_is_shown_in_the_preview(killed: AwsStub) -> None:
    shown = killed.preview(DELETED).output
    assert f"  would delete-virtual-mfa-device {device('gone')}\n" in shown


def test_a_device_that_another_user_has_by_now_stays(killed: AwsStub) -> None:
    killed.account.unassigned.remove(device("gone"))
    devices = killed.account.users["kept"].lists["list-mfa-devices"]
    devices.append(["-", stated(NOW), device("gone")])
    assert killed.apply(DELETED).code == 0
    assert devices[-1][2] == device("gone")


@pytest.mark.parametrize(
    "other", [{"arn": DELETED.arn.replace("user/gone", "user/x/gone")}, {"created": CREATED + HOUR}]
)
def test_a_device_of_another_user_of_the_name_stays(
    killed: AwsStub, other: dict[str, object]
) -> None:
    each = removal("gone", **{**deletable(ONE_OF_ALL), **other})
    exists(killed.account, each).lists["list-mfa-devices"].clear()
    assert killed.apply(each).code == 0
    assert "gone" not in killed.account.users
    assert killed.account.unassigned[-1] == device("gone")


@pytest.mark.parametrize("has_log", [False, True])
def test_a_device_stays_without_a_log_and_by_one_that_only_speaks_of_it(
    killed: AwsStub, *, has_log: bool
) -> None:
    log = killed.folder / LOG
    lines = [line for line in log.read_text().splitlines() if "deactivate-mfa-device" not in line]
    forged = f'{DELETED.arn}","{stated(CREATED)}","deactivate-mfa-device","begin","{device("gone")}'
    cell = forged.replace('"', '""')
    log.unlink()
    if has_log:
        log.write_text("\n".join([*lines, lines[-1].rpartition(",")[0] + f',"{cell}"\n']))
    assert killed.apply(DELETED).code == 0
    assert killed.account.unassigned[-1] == device("gone")


def triplets(aws: AwsStub, when: str, number: int) -> list[Removal]:
    """Return the decisions on three users of one second, of which a killed run deleted some."""
    names = ("ann", "bob", "carl")
    users = [removal(name, created=CREATED, to_delete=names) for name in names]
    for each in users:
        exists(aws.account, each)
    aws.kill_at = when, number
    assert aws.apply(*users).code == -9
    return users


def test_who_was_deleted_by_the_log_is_gone_though_another_was_created_too(aws: AwsStub) -> None:
    users = triplets(aws, "before", 3)
    aws.account.users["twin"] = aws.account.users["carl"]
    again = aws.apply(*users)
    assert (again.code, list(again.results().values())) == (1, ["gone", "gone", "skipped"])


def test_who_may_have_been_deleted_is_not_gone_beside_another_created_too(aws: AwsStub) -> None:
    users = triplets(aws, "after", 2)
    again = aws.apply(*users)
    assert (again.code, list(again.results().values())) == (1, ["gone", "skipped", "done"])
    assert aws.apply(*users).results()[users[1].arn] == "skipped"  # The list shows no user at all.
    aws.account.add(f"arn:aws:iam::{ACCOUNT}:user/admin", CREATED - SECOND)
    assert aws.apply(*users).code == 0
