"""Prove the removal script on an AWS CLI that answers from memory: fast, so case by case."""

import csv
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from analyzer.decisions.plan import removal_script
from analyzer.decisions.review_columns import REMOVALS, Decision
from analyzer.report.model import FileReference
from tests.support.aws_account import ACCOUNT, ADMIN, REMOVAL_STEPS, stated
from tests.support.aws_stub import LEDGERS, LOG, UNDO, AwsStub
from tests.support.removals import (
    BASELINE,
    CREATED,
    EVERYTHING,
    HOUR,
    NOW,
    SECOND,
    SHELLS,
    Removal,
    attach_permissions,
    credential,
    device,
    exists,
    removal,
)

ARN = removal().arn


@pytest.fixture(params=[1, 2], ids=["version 1", "version 2"])
def version(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


@pytest.fixture
def aws(tmp_path: Path) -> AwsStub:
    """Be signed in to the account of the users, with version 1 of the AWS CLI."""
    return AwsStub(tmp_path, now=NOW)


FULL = removal(**EVERYTHING, ticket="OPS-1")
"""The decision to delete a user that has everything."""

SERVICE = "service-specific-credential"
REMOVED = (
    "delete-login-profile",
    "delete-access-key --access-key-id=AKIA0bob",
    "delete-access-key --access-key-id=AKIA1bob",
    "delete-signing-certificate --certificate-id=CERT0",
    "delete-ssh-public-key --ssh-public-key-id=APKA1",
    "delete-service-specific-credential --service-specific-credential-id=ACCA1",
    "delete-service-specific-credential --service-specific-credential-id=ACCA2",
    f"deactivate-mfa-device --serial-number={device('bob')}",
    f"delete-virtual-mfa-device --serial-number={device('bob')}",
    f"deactivate-mfa-device --serial-number=arn:aws:iam::{ACCOUNT}:u2f/user/key",
    "deactivate-mfa-device --serial-number=GAHT12345678",
    "delete-user-policy --policy-name=None",
    "delete-user-policy --policy-name=-x",
    "detach-user-policy --policy-arn=arn:aws:iam::aws:policy/ReadOnlyAccess",
    "remove-user-from-group --group-name=a,b",
    "delete-user",
)
"""What AWS wants removed from such a user, in its order, then the user."""


def equip(aws: AwsStub, each: Removal = FULL) -> None:
    """Let the user exist with everything, and with MFA devices that are not virtual."""
    user = exists(aws.account, each)
    attach_permissions(user)
    user.lists["list-mfa-devices"] += [
        ["-", stated(CREATED), f"arn:aws:iam::{ACCOUNT}:u2f/user/key"],
        ["-", stated(CREATED), "GAHT12345678"],
    ]


def changes_of(aws: AwsStub, user: str = "bob") -> tuple[str, ...]:
    option = f"--user-name={user}"
    mine = [change for change in aws.changes() if option in change or "virtual" in change[0]]
    return tuple(" ".join(word for word in change if word != option) for change in mine)


def steps(changes: Sequence[str]) -> list[str]:
    return [change.partition(" ")[0] for change in changes]


def test_all_that_is_attached_is_removed_in_the_order_of_aws_before_the_user(
    tmp_path: Path, every_shell: str, version: int
) -> None:
    aws = AwsStub(tmp_path, version, NOW)
    equip(aws)
    run = aws.apply(every_shell, FULL)
    assert (run.code, run.messages, run.results()) == (0, "", {ARN: "done"})
    assert changes_of(aws) == REMOVED
    assert aws.account.copy() == ({}, [])
    assert run.output.endswith("  delete-user bob\n  done\n\n" + summary(done=1))


def summary(**counts: int) -> str:
    names = {"done": "done", "gone": "gone before", "skipped": "skipped", "failed": "failed"}
    return ", ".join(f"{text} {counts.get(name, 0)}" for name, text in names.items()) + "\n"


def test_each_change_has_a_line_in_the_log_before_and_after_it(aws: AwsStub, shell: str) -> None:
    equip(aws)
    run = aws.apply(shell, FULL)
    lines = [(line["step"], line["result"]) for line in run.log]
    pairs = [(step, result) for step in steps(REMOVED) for result in ("begin", "ok")]
    assert lines == [("start", "ok"), ("backup", "ok"), *pairs, ("end", "done")]
    assert run.log[5]["detail"] == "AKIA0bob"


def test_without_apply_the_same_steps_are_shown_and_nothing_is_changed_or_written(
    aws: AwsStub, every_shell: str
) -> None:
    equip(aws)
    before = aws.account.copy(), {*aws.folder.iterdir()}
    for _ in range(2):
        run = aws.preview(every_shell, FULL)
        assert (run.code, run.messages, run.log) == (0, "", [])
        shown = [line.split()[1] for line in run.output.splitlines() if "  would " in line][:-1]
        assert shown == steps(REMOVED)
        assert run.output.endswith(f"\n  would be done\n\nwould be {summary(done=1)}")
    assert aws.changes() == []
    now_there = {*aws.folder.iterdir()} - {aws.folder / name for name in ("script.sh", "now")}
    assert (aws.account.copy(), now_there - {aws.folder / "decisions.csv"}) == before


def test_deactivate_makes_all_credentials_inactive_and_deletes_the_password(
    aws: AwsStub, every_shell: str
) -> None:
    certificates = tuple(credential(CREATED + n * HOUR, active=n == 1) for n in (0, 1))
    each = removal(**EVERYTHING | {"certificates": certificates}, decision=Decision("deactivate"))
    equip(aws, each)
    lists = aws.account.users["bob"].lists
    lists["list-ssh-public-keys"].append(["Active", stated(CREATED), "APKA2"])
    lists["list-service-specific-credentials"].append(["Active", stated(CREATED), "ACCA3"])
    run = aws.apply(every_shell, each)
    assert (run.code, run.results()) == (0, {ARN: "done"})
    assert changes_of(aws) == (
        "update-access-key --access-key-id=AKIA0bob --status=Inactive",
        "update-signing-certificate --certificate-id=CERT1 --status=Inactive",
        "update-ssh-public-key --ssh-public-key-id=APKA2 --status=Inactive",
        f"update-{SERVICE} --{SERVICE}-id=ACCA3 --status=Inactive",
        "delete-login-profile",
    )
    assert aws.apply(every_shell, each).log[-1]["detail"] == "nothing left to do"
    assert len(aws.changes()) == 5


def test_a_deactivated_user_can_be_deleted_by_a_later_decision(aws: AwsStub) -> None:
    equip(aws, FULL)
    aws.account.users["bob"].lists["list-ssh-public-keys"][0][0] = "Active"
    deactivation = removal(**EVERYTHING, decision=Decision.DEACTIVATE)
    assert aws.apply("sh", FULL).results() == {ARN: "skipped"}
    assert aws.apply("sh", deactivation).results() == {ARN: "done"}
    assert aws.apply("sh", FULL).results() == {ARN: "done"}
    assert aws.account.users == {}


def test_a_user_that_does_not_exist_is_gone(tmp_path: Path, shell: str, version: int) -> None:
    aws = AwsStub(tmp_path, version, NOW)
    aws.account.add(f"arn:aws:iam::{ACCOUNT}:user/other", CREATED + SECOND)
    run = aws.apply(shell, removal())
    assert (run.code, aws.changes()) == (0, [])
    assert run.results() == {ARN: "gone"}
    assert run.output.endswith(summary(gone=1))


def test_what_disappears_in_between_is_no_error(aws: AwsStub, shell: str) -> None:
    equip(aws)
    lists = aws.account.users["bob"].lists
    aws.account.meanwhile["delete-login-profile"] = lists["list-access-keys"].clear
    run = aws.apply(shell, FULL)
    assert run.results() == {ARN: "done"}
    assert changes_of(aws) == REMOVED
    assert run.log[5]["detail"] == "AKIA0bob: does not exist any more"


OTHER_IDENTITIES = [
    ("444455556666", "arn:aws:sts::444455556666:assumed-role/admin/session"),
    (ACCOUNT, f"arn:aws-cn:sts::{ACCOUNT}:assumed-role/admin/session"),
    ("None", "None"),
    ("", ""),
]


@pytest.mark.parametrize("identity", OTHER_IDENTITIES)
def test_in_another_account_nothing_is_done(
    aws: AwsStub, shell: str, identity: tuple[str, str]
) -> None:
    exists(aws.account, removal())
    aws.account.account, aws.account.caller = identity
    run = aws.preview(shell, removal())
    assert (run.code, run.output, run.log) == (2, "", [])
    assert run.messages.startswith("Nothing done: signed in to ")
    assert run.messages.endswith(f"; this script is for aws:{ACCOUNT}\n")
    assert len(aws.calls) == 1


def test_of_several_accounts_only_the_one_signed_in_to_is_changed(aws: AwsStub, shell: str) -> None:
    other = removal(arn="arn:aws:iam::444455556666:user/ann")
    exists(aws.account, removal())
    exists(aws.account, other)
    run = aws.apply(shell, other, removal())
    assert (run.code, run.results()) == (0, {ARN: "done"})
    assert aws.changes() == [["delete-user", "--user-name=bob"]]


@pytest.mark.parametrize("decision", ["delete", "deactivate"])
def test_nobody_removes_the_user_that_runs_the_script(
    aws: AwsStub, shell: str, decision: str
) -> None:
    each = removal(decision=Decision(decision))
    exists(aws.account, each)
    aws.account.caller = ARN
    run = aws.apply(shell, each)
    assert (run.code, run.results(), aws.changes()) == (1, {ARN: "skipped"}, [])
    shown = aws.preview(shell, each)
    assert (shown.code, "skipped: this script is run by this very user" in shown.output) == (
        1,
        True,
    )


READS = (
    "get-user",
    "get-login-profile",
    "list-access-keys",
    "get-access-key-last-used",
    "list-signing-certificates",
    "list-ssh-public-keys",
    "list-service-specific-credentials",
    "list-mfa-devices",
    "list-groups-for-user",
    "list-attached-user-policies",
    "list-user-policies",
    "get-user-policy",
)


@pytest.mark.no_cover
def test_a_step_that_fails_ends_its_user_and_not_the_next(aws: AwsStub, shell: str) -> None:
    """Let each changing step fail for one user, and a user without errors come last."""
    users = [
        removal(f"no-{step}", **EVERYTHING)
        for step in dict.fromkeys(steps(REMOVED))
        if "virtual" not in step
    ]
    for each in users:
        equip(aws, each)
        step = each.user.removeprefix("no-")
        aws.account.refusals[f"{step} {each.user}"] = "ServiceFailure"
        if step in REMOVAL_STEPS:  # What is removed before it fails need not be there.
            lists = aws.account.users[each.user].lists
            aws.account.users[each.user].password = None
            for name in lists.keys() - {REMOVAL_STEPS[step][0]}:
                lists[name].clear()
    exists(aws.account, removal())
    run = aws.apply(shell, *users, removal())
    assert run.code == 1
    assert run.results() == {**{each.arn: "failed" for each in users}, ARN: "done"}
    assert run.output.endswith(summary(done=1, failed=len(users)))
    for each in users:
        step = each.user.removeprefix("no-")
        lines = [line for line in run.log if line["arn"] == each.arn]
        assert (lines[-2]["step"], lines[-2]["result"]) == (step, "failed")
        assert "An error occurred (ServiceFailure) when calling" in lines[-1]["detail"]
        deletes = ["delete-user", f"--user-name={each.user}"] in aws.changes()
        assert deletes == (step == "delete-user")
    assert aws.account.users.keys() == {each.user for each in users}


@pytest.mark.no_cover
def test_an_answer_that_is_missing_ends_its_user_before_any_change(
    aws: AwsStub, shell: str
) -> None:
    users = [removal(f"no-{read}", **EVERYTHING) for read in READS]
    for each in users:
        equip(aws, each)
        read = each.user.removeprefix("no-")
        subject = f"AKIA1{each.user}" if "last-used" in read else each.user
        aws.account.refusals[f"{read} {subject}"] = "Throttling"
    run = aws.apply(shell, *users)
    assert (run.code, aws.changes()) == (1, [])
    assert run.results() == {each.arn: "failed" for each in users}
    for line in run.log[1::2]:
        assert line["detail"].startswith(line["user"].removeprefix("no-"))


@pytest.mark.parametrize("read", ["list-users", "list-virtual-mfa-devices"])
def test_an_answer_about_the_account_that_is_missing_ends_its_user(aws: AwsStub, read: str) -> None:
    if read == "list-virtual-mfa-devices":
        equip(aws)
    aws.account.refusals[read] = "Throttling"
    run = aws.apply("sh", FULL, removal("ann"))
    assert (run.code, run.results()[ARN]) == (1, "failed")
    assert run.output.count(f"  failed: {read}: An error occurred (Throttling)") == (
        2 if read == "list-users" else 1
    )


def test_an_orphaned_virtual_mfa_device_is_an_error(aws: AwsStub, shell: str) -> None:
    equip(aws)
    aws.account.refusals["delete-virtual-mfa-device"] = "ServiceFailure"
    assert aws.apply(shell, FULL).results() == {ARN: "failed"}
    assert changes_of(aws) == REMOVED[:9]
    assert aws.account.unassigned == [device("bob")]
    aws.account.refusals.clear()
    assert aws.apply(shell, FULL).results() == {ARN: "done"}
    assert aws.account.copy() == ({}, [])


@pytest.mark.parametrize("answer", ["-\t\tadmins\n", "-\t-\tadmins\n", "admins\n", "Groups\tx\n"])
def test_an_unexpected_answer_is_an_error(aws: AwsStub, shell: str, answer: str) -> None:
    exists(aws.account, removal())
    aws.account.answers["list-groups-for-user"] = answer
    run = aws.apply(shell, removal())
    assert (run.code, aws.changes(), run.results()) == (1, [], {ARN: "failed"})
    assert run.log[-1]["detail"].startswith("list-groups-for-user: unexpected answer: ")


@pytest.mark.parametrize("answer", ["", "None\n", "\n"])
@pytest.mark.parametrize("read", ["get-user", "get-login-profile"])
def test_an_empty_answer_is_no_answer(aws: AwsStub, read: str, answer: str) -> None:
    exists(aws.account, FULL)
    aws.account.answers[read] = answer
    run = aws.apply("sh", FULL)
    assert (run.code, aws.changes(), run.results()) == (1, [], {ARN: "skipped"})


@pytest.mark.parametrize("answer", ["", "\n"])
def test_a_policy_without_a_text_cannot_be_saved(aws: AwsStub, answer: str) -> None:
    user = exists(aws.account, removal())
    user.lists["list-user-policies"].append(["-", "-", "inline"])
    aws.account.answers["get-user-policy"] = answer
    run = aws.apply("sh", removal())
    assert (run.code, aws.changes(), run.results()) == (1, [], {ARN: "failed"})


@pytest.mark.parametrize("answer", ["", "None\n"])
def test_an_empty_list_is_empty_in_each_form(aws: AwsStub, shell: str, answer: str) -> None:
    exists(aws.account, removal())
    lists = [name for name, _ in REMOVAL_STEPS.values()]
    aws.account.answers.update(dict.fromkeys(lists, answer))
    run = aws.apply(shell, removal())
    assert (run.code, changes_of(aws)) == (0, ("delete-user",))


def test_a_user_that_was_just_changed_is_to_be_tried_again(aws: AwsStub, shell: str) -> None:
    equip(aws)
    aws.account.refusals["delete-login-profile"] = "EntityTemporarilyUnmodifiable"
    run = aws.apply(shell, FULL)
    assert run.code == 1
    assert run.log[-1]["detail"].endswith("run this script again in some minutes)")


HOSTILE = (
    "-x",
    "--profile=other",
    "=1+1",
    "@a,b+c=",
    "None",
    "$(touch stolen)`touch stolen`;touch stolen;",
    "'; touch stolen; '",
    '"; touch stolen; "',
    "a' 'b  c\\",
    "*",
    "~",
    "..",
    "# a%s%n",
    "EOF",
    "created=2000-01-01T00:00:00Z",
    "\N{LATIN SMALL LETTER E WITH ACUTE}\N{RIGHT SINGLE QUOTATION MARK}",
)
HOSTILE_NAME = "$(touch stolen)`touch stolen`';\"*"
HOSTILE_PATH = "/$(touch${IFS}stolen)`'\";/*/"


@pytest.mark.no_cover
def test_hostile_names_execute_nothing_and_reach_no_option(aws: AwsStub, every_shell: str) -> None:
    """Let each shell have one half of the names, and each decision one half of these."""
    names = HOSTILE[SHELLS.index(every_shell) :: 2]
    key = credential(CREATED, active=True)
    users = [
        removal(name, HOSTILE_PATH, keys=(key,), decision=decision)
        for name, decision in zip(names, cycle(REMOVALS), strict=False)
    ]
    for each in users:
        user = exists(aws.account, each)
        user.lists["list-groups-for-user"] = [["-", "-", HOSTILE_NAME]]
        user.lists["list-access-keys"][0][2] = f"AKIA{HOSTILE_NAME}"
    run = aws.apply(every_shell, *users)
    assert (run.code, run.messages) == (0, "")
    assert run.results() == {each.arn: "done" for each in users}
    assert aws.changes() == [change for each in users for change in hostile_changes(each)]
    logged = [line["user"] for line in run.log if line["step"] == "end"]
    assert logged == [f"'{name}" if name[0] in "=+-@" else name for name in names]
    assert [saved["get-user"]["Arn"] for saved in aws.backups()] == [each.arn for each in users]

    aws.calls.clear()
    assert aws.run(every_shell, f"{every_shell} {UNDO} </dev/null").messages == ""
    assert [call[1:] for call in aws.calls] == [
        [*change[:-1], "--status=Active"]
        for each in users
        for change in hostile_changes(each)
        if change[0] == "update-access-key"
    ]
    assert not list(aws.folder.rglob("stolen"))


def hostile_changes(each: Removal) -> list[list[str]]:
    """Return the calls that change such a user."""
    name, key = f"--user-name={each.user}", f"--access-key-id=AKIA{HOSTILE_NAME}"
    if each.decision is Decision.DEACTIVATE:
        return [["update-access-key", name, key, "--status=Inactive"]]
    return [
        ["delete-access-key", name, key],
        ["remove-user-from-group", name, f"--group-name={HOSTILE_NAME}"],
        ["delete-user", name],
    ]


WORDS = ("a\nb", "a\r\n$(touch stolen)", "x' ; touch stolen #", "a\udc80", "a\N{LINE SEPARATOR}b")


@pytest.mark.parametrize("text", WORDS)
def test_hostile_words_of_people_execute_nothing(aws: AwsStub, shell: str, text: str) -> None:
    each = removal(ticket=text, decided_by=text)
    name = FileReference(name=f"{text}/decisions.csv", sha256=LEDGERS[0].sha256)
    exists(aws.account, each)
    script = removal_script([each], ledgers=[name], left_out=[text])
    run = aws.run(shell, script, APPLY=ACCOUNT)
    assert (run.code, run.messages) == (0, "")
    assert all(line["ticket"] == line["decided_by"] for line in run.log)
    assert not list(aws.folder.rglob("stolen"))


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        (("user/bob'", "user/'"), "this line was changed: remove delete arn"),
        (("remove delete", "remove keep"), "this line was changed: remove keep arn"),
        ((" created=2024", " created=24"), f"this line was changed: {ARN}: not a time: 24-02"),
        ((" baseline=", " base="), f"this line was changed: {ARN}: base=2026-05-01"),
        ((" expires=2026-06-15T12:00:30Z", ""), f"this line was changed: {ARN}: not a time: \n"),
        ((" confirmed=2026-05-01T12:00:30Z", ""), "not a time: \n"),
        ((" baseline=2026-05-01T12:00:30Z", ""), "not a time: \n"),
        ((" created=2024-02-03T04:05:06Z", ""), "not a time: \n"),
    ],
)
def test_a_line_that_was_spoilt_stops_the_script_before_any_call(
    aws: AwsStub, shell: str, spoilt: tuple[str, str], message: str
) -> None:
    """Spoil the script, as a careless editor might."""
    script = removal_script([removal("ann"), removal()], ledgers=LEDGERS)
    head, mark, tail = script.rpartition("remove delete")
    last = (mark + tail).replace(*spoilt)
    assert last != mark + tail
    run = aws.run(shell, head + last, APPLY=ACCOUNT)
    assert (run.code, aws.calls, run.output) == (2, [], "")
    assert message in run.messages


@pytest.mark.parametrize("share", [1, 4, 7, 9])
def test_a_script_that_was_cut_off_does_nothing(aws: AwsStub, shell: str, share: int) -> None:
    script = removal_script([removal("ann"), removal()], ledgers=LEDGERS)
    for each in (removal("ann"), removal()):
        exists(aws.account, each)
    start = script.index("plan() {")
    cut = start + (len(script) - start - len("phase=run\nplan\nfinish\n")) * share // 10
    assert aws.run(shell, script[:cut], APPLY=ACCOUNT).log == []
    assert aws.changes() == []


def test_an_empty_name_reaches_no_command(aws: AwsStub, shell: str) -> None:
    exists(aws.account, removal())
    aws.account.answers["list-groups-for-user"] = "-\t-\t\t\n"
    script = removal_script([removal()], ledgers=LEDGERS)
    script = script.replace("user=${2##*/}", "user=''")
    run = aws.run(shell, script, APPLY=ACCOUNT)
    assert (run.code, [call[0] for call in aws.calls]) == (1, ["sts", "sts"])
    assert run.log[-1]["detail"] == "get-user: empty value: --user-name="


def test_the_log_is_a_csv_in_which_no_cell_is_a_formula(aws: AwsStub, shell: str) -> None:
    each = removal(ticket='=1,"2"', decided_by="+ann")
    exists(aws.account, each)
    aws.account.refusals["delete-user"] = "ServiceFailure"
    run = aws.apply(shell, each)
    assert run.log[-1]["detail"].endswith('operation: =no, "no"')
    assert {(line["ticket"], line["decided_by"]) for line in run.log} == {('\'=1,"2"', "'+ann")}
    text = (aws.folder / LOG).read_text()
    for line in csv.reader(text.splitlines()):
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in line)


TYPESET = (
    "\N{LEFT DOUBLE QUOTATION MARK}O\N{RIGHT SINGLE QUOTATION MARK}B\N{EN DASH}"
    "\N{RIGHT DOUBLE QUOTATION MARK}"
)


def shellcheck(script: str, folder: Path) -> str:
    """Return what is wrong in POSIX shell, of which dash and bash both take more."""
    file = folder / "script.sh"
    file.write_text(script, errors="replace")
    program = Path(sys.executable).with_name("shellcheck")
    ended = subprocess.run(
        [program, "--norc", "--shell=sh", "--enable=check-unassigned-uppercase", file],
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.stdout + ended.stderr


@pytest.mark.no_cover
def test_shellcheck_has_nothing_to_say(tmp_path: Path) -> None:
    users = [removal(name, HOSTILE_PATH) for name in HOSTILE]
    users += [removal(f"user-{n}", ticket=text, decided_by=text) for n, text in enumerate(WORDS)]
    users += [removal(**EVERYTHING, ticket=TYPESET, decided_by=TYPESET)]
    left_out = ["shellcheck disable=all", TYPESET, *WORDS]
    script = removal_script(users, ledgers=LEDGERS, left_out=left_out)
    assert shellcheck(script, tmp_path) == ""
    assert script.count("shellcheck disable=") == 2  # the one at the top, and a text


def test_a_line_says_what_the_reviewer_saw_of_the_user() -> None:
    seen = removal(
        **EVERYTHING, confirmed=BASELINE + timedelta(days=7), ticket="OPS-1", decided_by="O'Neil"
    )
    (line,) = removal_lines(removal_script([seen], ledgers=LEDGERS))
    assert line == (
        f"remove delete '{ARN}' created=2024-02-03T04:05:06Z baseline=2026-05-01T12:00:30Z"
        " confirmed=2026-05-08T12:00:30Z expires=2026-06-22T12:00:30Z"
        " password=2024-02-03T05:05:06Z signed-in=2025-01-01T09:00:07Z"
        " key=2024-02-03T06:05:06Z,active,2025-02-02T10:15:00Z"
        " key=2024-02-03T07:05:06Z,inactive,- certificate=2024-02-03T08:05:06Z,inactive,-"
        " mfa=yes by='O'\"'\"'Neil' on=2026-05-02 ticket='OPS-1'"
    )


def test_a_line_has_no_word_for_what_the_reviewer_did_not_see() -> None:
    (line,) = removal_lines(removal_script([removal()], ledgers=LEDGERS))
    assert line == (
        f"remove delete '{ARN}' created=2024-02-03T04:05:06Z baseline=2026-05-01T12:00:30Z"
        " confirmed=2026-05-01T12:00:30Z expires=2026-06-15T12:00:30Z by='Ann' on=2026-05-02"
    )


def removal_lines(script: str) -> list[str]:
    return [line for line in script.splitlines() if line.startswith("remove ")]


def test_the_owner_stands_over_the_line_of_a_user_and_cannot_end_the_comment() -> None:
    users = [removal("a", owner="Ann <a@x>\nrm -rf /"), removal("b")]
    script = removal_script(users, ledgers=LEDGERS)
    assert f"# Owner: Ann <a@x> rm -rf /\nremove delete '{users[0].arn}' " in script
    assert script.count("# Owner: ") == 1


def test_accounts_are_sorted_and_users_keep_their_order() -> None:
    far, near = "arn:aws-cn:iam::000000000001:user/z", "arn:aws:iam::000000000002:user/"
    users = [
        removal(arn=far, decision=Decision.DEACTIVATE),
        removal(arn=f"{near}b"),
        removal(arn=f"{near}a"),
    ]
    script = removal_script(users, ledgers=LEDGERS)
    assert "\nsign_in aws-cn:000000000001 aws:000000000002\n" in script
    assert "# Account aws-cn:000000000001: 1 user to deactivate\n" in script
    assert "# Account aws:000000000002: 2 users to delete\n" in script
    places = [script.index(f"'{each.arn}'") for each in users]
    assert places == sorted(places)


def test_the_numbers_of_users_are_grammatical() -> None:
    users = [removal(f"user-{number}") for number in range(1000)]
    users += [removal("x", decision=Decision.DEACTIVATE)]
    script = removal_script(users, ledgers=LEDGERS)
    assert f"# Account aws:{ACCOUNT}: 1 user to deactivate, 1,000 users to delete\n" in script


@pytest.mark.parametrize(("number", "words"), [(0, None), (1, "1 user"), (2, "2 users")])
def test_the_head_names_the_ledgers_and_the_users_that_were_left_out(
    number: int, words: str | None
) -> None:
    reasons = [f"user {n}: changed\nsince" for n in range(number)]
    for script in (
        removal_script([removal()], ledgers=LEDGERS, left_out=reasons),
        removal_script([], ledgers=LEDGERS, left_out=reasons),
    ):
        head = script.split("\n\n", 1)[0] + "\n"
        assert f"# Ledger: reviews/decisions.csv, SHA-256 {LEDGERS[0].sha256}\n" in head
        assert ("left out of this plan" in head) == (words is not None)
        assert words is None or f"left out of this plan: {words}\n" in head
        assert head.count("\n# - user ") == number
        assert all(f"\n# - user {n}: changed since\n" in head for n in range(number))


def test_an_empty_script_changes_nothing_and_says_so(aws: AwsStub, shell: str) -> None:
    script = removal_script([], ledgers=LEDGERS, left_out=["x\n$(touch stolen)"])
    run = aws.run(shell, script, APPLY=ACCOUNT)
    assert (run.code, run.output, aws.calls, run.log) == (0, "", [], [])
    assert run.messages == "No user is to be deactivated or deleted. Nothing was changed.\n"
    assert shellcheck(script, aws.folder) == ""


def test_a_recreated_user_may_be_listed_under_both_creation_times(aws: AwsStub, shell: str) -> None:
    old, new = removal(created=CREATED - SECOND), removal()
    exists(aws.account, new)
    run = aws.apply(shell, old, new)
    ends = [line["result"] for line in run.log if line["step"] == "end"]
    assert ends == ["skipped", "done"]


@pytest.mark.parametrize(
    "values",
    [
        {"arn": ""},
        {"arn": f"arn:aws:iam::{ACCOUNT}:root"},
        {"arn": f"arn:aws:iam::{ACCOUNT}:user/"},
        {"arn": "arn:aws:iam::123XXXXXXXX:user/bob"},
        {"arn": f"arn:aws:iam::{ACCOUNT}0:user/bob"},
        {"arn": f"arn:aws iam::{ACCOUNT}:user/bob"},
        {"arn": f"{ARN}\n"},
        {"arn": f"{ARN}\0"},
        {"arn": f"{ARN}\x1b[2J"},
        {"arn": f"{ARN}\udc80"},
        {"confirmed": BASELINE - SECOND},
        {"decision": "keep"},
    ],
)
def test_what_the_script_could_not_compare_is_refused(values: dict[str, Any]) -> None:
    wanted = "not an IAM user|nothing to carry out|confirmed before the baseline"
    with pytest.raises(ValueError, match=wanted):
        removal(**values)


def test_the_caller_is_looked_at_in_an_account_of_any_partition(tmp_path: Path) -> None:
    aws = AwsStub(tmp_path, now=NOW)
    aws.account.caller = ADMIN.replace(":aws:", ":aws-us-gov:")
    each = removal(arn=f"arn:aws-us-gov:iam::{ACCOUNT}:user/bob")
    exists(aws.account, each)
    assert aws.apply("sh", each, removal()).results() == {each.arn: "done"}
