"""A run that is killed at any call is finished by the next one, and nothing is lost or left."""

from copy import deepcopy
from itertools import cycle
from pathlib import Path

import pytest

from analyzer.decisions.credentials import Moment
from analyzer.decisions.review_columns import Decision
from tests.support.aws_account import AwsAccount, stated
from tests.support.aws_stub import LOG, AwsStub
from tests.support.removals import (
    ACTIVE_KEY,
    CREATED,
    EVERYTHING,
    HOUR,
    INACTIVE_KEY,
    NOW,
    SECOND,
    Removal,
    attach_permissions,
    device,
    exists,
    removal,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time

DELETED = removal("gone", **EVERYTHING)
DEACTIVATED = removal("idle", **EVERYTHING, created=CREATED + SECOND, decision=Decision.DEACTIVATE)
OTHERS = [removal(name, **EVERYTHING, created=CREATED + 2 * SECOND) for name in ("gone2", "kept")]
"""Users that nobody decided on."""

CHANGES = 18
"""What one run changes: with its first 14 calls the user to delete, then the other."""


def populated(folder: Path) -> AwsStub:
    aws = AwsStub(folder, now=NOW)
    for each in (DELETED, DEACTIVATED, *OTHERS):
        user = exists(aws.account, each)
        attach_permissions(user)
    idle = aws.account.users["idle"].lists
    idle["list-ssh-public-keys"][0][0] = "Active"
    idle["list-service-specific-credentials"][0][0] = "Active"
    idle["list-access-keys"][0][0] = "Active"
    aws.account.unassigned += [device("gone-2"), device("idle-2")]
    return aws


def finished(account: AwsAccount) -> AwsAccount:
    """Return the account as it is to be in the end."""
    end = deepcopy(account)
    del end.users["gone"]
    idle = end.users["idle"]
    idle.password = None
    for name in ("list-access-keys", "list-ssh-public-keys", "list-service-specific-credentials"):
        idle.lists[name][0][0] = "Inactive"
    return end


def test_runs_that_are_killed_before_and_after_each_change_are_finished_by_the_next(
    tmp_path: Path,
) -> None:
    """Kill each run at its first change: before it in one shell, right after it in the other."""
    aws = populated(tmp_path)
    start, end = deepcopy(aws.account), finished(aws.account)
    ways = cycle((("before", "dash"), ("after", "bash")))
    for number, (when, shell) in zip(range(1, 2 * CHANGES + 1), ways, strict=False):
        aws.kill_at = when, number
        run = aws.apply(shell, DELETED, DEACTIVATED)
        assert (run.code, run.messages, len(aws.changes())) == (-9, "", number), run.output
        nothing_is_lost(aws, start)
    run = aws.apply("sh", DELETED, DEACTIVATED)
    assert (run.code, run.messages, len(aws.changes())) == (0, "", 2 * CHANGES), run.output
    assert aws.account.copy() == end.copy()
    assert run.results() == {DELETED.arn: "gone", DEACTIVATED.arn: "done"}


def nothing_is_lost(aws: AwsStub, start: AwsAccount) -> None:
    """Check that what was changed stands in the log before it, in a backup and in the undo file."""
    (log,) = [file.read_text() for file in aws.folder.glob(LOG)]
    for change in aws.changes():
        assert f'"{change[0]}","begin",' in log
    saved = {user["get-user"]["Arn"]: user for user in reversed(aws.backups())}
    for name, user in start.users.items():
        if aws.account.users.get(name) != user:
            keys = saved[user.arn]["list-access-keys"]
            assert [key["Id"] for key in keys] == [
                item[2] for item in user.lists["list-access-keys"]
            ]
    undo = " ".join(aws.undo())
    for name, items in start.users["idle"].lists.items():
        for before, after in zip(items, aws.account.users["idle"].lists[name], strict=True):
            assert before == after or f"'{after[2]}'" in undo
    assert aws.account.users["kept"] == start.users["kept"]
    assert aws.account.users["gone2"] == start.users["gone2"]


TIE = (
    ACTIVE_KEY._replace(last_used=Moment()),
    ACTIVE_KEY,
    ACTIVE_KEY._replace(is_active=False),
    INACTIVE_KEY,
)


@pytest.mark.parametrize("number", range(1, 4))
def test_a_deactivation_of_keys_of_one_second_is_finished_too(tmp_path: Path, number: int) -> None:
    each = removal(**EVERYTHING | {"keys": TIE}, decision=Decision.DEACTIVATE)
    aws = AwsStub(tmp_path, now=NOW)
    user = exists(aws.account, each)
    aws.kill_at = "after", number
    assert aws.apply("sh", each).code == -9
    assert aws.apply("sh", each).code == 0
    assert {item[0] for item in user.lists["list-access-keys"]} == {"Inactive"}
    assert user.password is None


def a_killed_run(folder: Path) -> AwsStub:
    """Return where the virtual MFA device was deactivated, and not deleted."""
    aws = populated(folder)
    aws.kill_at = "before", 9
    assert aws.apply("sh", DELETED).code == -9
    assert aws.account.unassigned[-1] == device("gone")
    return aws


def test_a_device_that_was_left_is_shown_in_the_preview(tmp_path: Path) -> None:
    aws = a_killed_run(tmp_path)
    assert (
        f"  would delete-virtual-mfa-device {device('gone')}\n" in aws.preview("sh", DELETED).output
    )


def test_a_device_that_another_user_has_by_now_stays(tmp_path: Path) -> None:
    aws = a_killed_run(tmp_path)
    aws.account.unassigned.remove(device("gone"))
    aws.account.users["kept"].lists["list-mfa-devices"].append(["-", stated(NOW), device("gone")])
    assert aws.apply("sh", DELETED).code == 0
    assert aws.account.users["kept"].lists["list-mfa-devices"][-1][2] == device("gone")


@pytest.mark.parametrize(
    "other", [{"arn": DELETED.arn.replace("user/gone", "user/x/gone")}, {"created": CREATED + HOUR}]
)
def test_a_device_of_another_user_of_the_name_stays(
    tmp_path: Path, other: dict[str, object]
) -> None:
    aws = a_killed_run(tmp_path)
    each = removal("gone", **{**EVERYTHING, **other})
    exists(aws.account, each)
    aws.account.users["gone"].lists["list-mfa-devices"].clear()
    assert aws.apply("sh", each).code == 0
    assert "gone" not in aws.account.users
    assert aws.account.unassigned[-1] == device("gone")


def test_a_device_that_no_log_names_stays(tmp_path: Path) -> None:
    aws = a_killed_run(tmp_path)
    (aws.folder / LOG).unlink()
    assert aws.apply("sh", DELETED).code == 0
    assert aws.account.unassigned[-1] == device("gone")


def test_a_log_that_only_speaks_of_a_device_proves_nothing(tmp_path: Path) -> None:
    aws = a_killed_run(tmp_path)
    log = (aws.folder / LOG).read_text()
    forged = f'{DELETED.arn}","{stated(CREATED)}","deactivate-mfa-device","begin","{device("gone")}'
    cell = forged.replace('"', '""')
    lines = [line for line in log.splitlines() if "deactivate-mfa-device" not in line]
    (aws.folder / LOG).write_text(
        "\n".join([*lines, lines[-1].rpartition(",")[0] + f',"{cell}"\n'])
    )
    assert aws.apply("sh", DELETED).code == 0
    assert aws.account.unassigned[-1] == device("gone")


def twins(aws: AwsStub) -> list[Removal]:
    users = [removal(name) for name in ("ann", "bob", "carl")]
    for each in users:
        exists(aws.account, each)
    return users


def test_a_user_that_the_log_says_was_deleted_is_gone_though_another_was_created_with_it(
    tmp_path: Path,
) -> None:
    aws = AwsStub(tmp_path, now=NOW)
    users = twins(aws)
    aws.kill_at = "before", 3
    assert aws.apply("sh", *users).code == -9
    aws.account.users["twin"] = aws.account.users["carl"]
    again = aws.apply("sh", *users)
    assert (again.code, [*again.results().values()]) == (0, ["gone", "gone", "done"])


def test_a_user_that_may_have_been_deleted_is_not_gone_while_another_was_created_with_it(
    tmp_path: Path,
) -> None:
    aws = AwsStub(tmp_path, now=NOW)
    users = twins(aws)
    aws.kill_at = "after", 2
    assert aws.apply("sh", *users).code == -9
    again = aws.apply("sh", *users)
    assert (again.code, [*again.results().values()]) == (1, ["gone", "skipped", "done"])
    assert aws.apply("sh", *users).code == 0
