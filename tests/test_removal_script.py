"""Prove the removal script on an AWS CLI that only answers and records: fast, so case by case."""

import csv
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from analyzer.removal_script import LogResult, Removal, removal_script
from analyzer.review_columns import REMOVALS, Decision
from tests.support.aws_stub import AwsStub, ScriptRun

ACCOUNT = "111122223333"
CREATED = datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)
AS_OF = datetime(2026, 5, 1, 12, 0, 30, tzinfo=UTC)
LAST_USE = datetime(2025, 1, 1, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PRECISION = timedelta(minutes=15)
SHELLS = ("dash", "bash")
IDENTITY = f"{ACCOUNT}\tarn:aws:sts::{ACCOUNT}:assumed-role/admin/session"


def removal(user: str = "bob", path: str = "/", **values: Any) -> Removal:
    standard: dict[str, Any] = {
        "arn": f"arn:aws:iam::{ACCOUNT}:user{path}{user}",
        "created": CREATED,
        "as_of": AS_OF,
        "decision": Decision.DELETE,
    }
    return Removal(**{**standard, **values})


def stated(moment: datetime, form: str = "Z") -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}{form}"


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    return name


@pytest.fixture
def aws(tmp_path: Path) -> AwsStub:
    """Be signed in to the account of the users."""
    stub = AwsStub(tmp_path)
    stub.answer("get-caller-identity", IDENTITY)
    return stub


def exists(aws: AwsStub, each: Removal, signed_in: str = "None") -> None:
    """Let AWS know the user, as in the report."""
    aws.answer("get-user", f"{stated(each.created)}\t{signed_in}\t{each.arn}", subject=each.user)


def equip(aws: AwsStub, user: str) -> None:
    """Attach one of everything to the user."""
    aws.answer("get-login-profile", stated(CREATED), subject=user)
    made = stated(CREATED)
    for command, *items in (
        ("list-access-keys", f"Inactive\t{made}\tAKIA1"),
        ("list-signing-certificates", f"Active\t{made}\tCERT1"),
        ("list-ssh-public-keys", f"Active\t{made}\tAPKA1"),
        ("list-service-specific-credentials", f"Active\t{made}\tACCA1", f"Inactive\t{made}\tACCA2"),
        (
            "list-mfa-devices",
            f"-\t{made}\tarn:aws:iam::{ACCOUNT}:mfa/phone",
            f"-\t{made}\tarn:aws:iam::{ACCOUNT}:u2f/user/key",
            f"-\t{made}\tGAHT12345678",
        ),
        ("list-user-policies", "-\t-\tNone", "-\t-\t-x"),
        ("list-attached-user-policies", "-\t-\tarn:aws:iam::aws:policy/ReadOnlyAccess"),
        ("list-groups-for-user", "-\t-\ta,b"),
    ):
        aws.answer(command, *items, subject=user)


REMOVED = (
    "delete-login-profile",
    "delete-access-key --access-key-id=AKIA1",
    "delete-signing-certificate --certificate-id=CERT1",
    "delete-ssh-public-key --ssh-public-key-id=APKA1",
    "delete-service-specific-credential --service-specific-credential-id=ACCA1",
    "delete-service-specific-credential --service-specific-credential-id=ACCA2",
    f"deactivate-mfa-device --serial-number=arn:aws:iam::{ACCOUNT}:mfa/phone",
    f"delete-virtual-mfa-device --serial-number=arn:aws:iam::{ACCOUNT}:mfa/phone",
    f"deactivate-mfa-device --serial-number=arn:aws:iam::{ACCOUNT}:u2f/user/key",
    "deactivate-mfa-device --serial-number=GAHT12345678",
    "delete-user-policy --policy-name=None",
    "delete-user-policy --policy-name=-x",
    "detach-user-policy --policy-arn=arn:aws:iam::aws:policy/ReadOnlyAccess",
    "remove-user-from-group --group-name=a,b",
    "delete-user",
)
"""What AWS wants removed from such a user, in its order, then the user."""


def changes_of(aws: AwsStub, user: str) -> tuple[str, ...]:
    option = f"--user-name={user}"
    mine = [change for change in aws.changes() if option in change or "virtual" in change[0]]
    return tuple(" ".join(word for word in change if word != option) for change in mine)


def applied(aws: AwsStub, shell: str, *removals: Removal) -> ScriptRun:
    return aws.run(shell, removal_script(removals), APPLY="yes")


# What is done


def test_all_that_is_attached_is_removed_in_the_order_of_aws_before_the_user(
    aws: AwsStub, shell: str
) -> None:
    exists(aws, removal())
    equip(aws, "bob")
    run = applied(aws, shell, removal(ticket="OPS-1", decided_by="ann"))
    assert (run.code, run.messages) == (0, "")
    assert changes_of(aws, "bob") == REMOVED
    assert [line["step"] for line in run.log] == [
        "start",
        *(change.partition(" ")[0] for change in REMOVED),
        "end",
    ]
    assert run.log[0]["detail"] == "ticket OPS-1, decided by ann"
    assert run.log[2] == {
        "time": run.log[2]["time"],
        "account": ACCOUNT,
        "user": "bob",
        "arn": removal().arn,
        "created": stated(CREATED),
        "decision": "delete",
        "step": "delete-access-key",
        "result": "ok",
        "detail": "AKIA1",
    }
    assert datetime.now(UTC) - datetime.fromisoformat(run.log[2]["time"]) < timedelta(minutes=5)
    assert run.results() == {removal().arn: LogResult.DONE}
    assert "ATTENTION: APKA1 is active" in run.output
    assert "ATTENTION: ACCA1 is active" in run.output
    assert run.output.count("ATTENTION") == 2


def test_without_apply_the_same_steps_are_shown_and_nothing_is_changed_or_written(
    aws: AwsStub, shell: str
) -> None:
    exists(aws, removal())
    equip(aws, "bob")
    for variables in ({}, {"APPLY": ""}, {"APPLY": "YES"}, {"APPLY": "no"}):
        run = aws.run(shell, removal_script([removal()]), **variables)
        assert (run.code, run.messages, run.log) == (0, "", [])
        shown = [line.split()[1] for line in run.output.splitlines() if "  would " in line][:-1]
        assert shown == [change.partition(" ")[0] for change in REMOVED]
        assert run.output.endswith(
            "  would be done\n\nwould be done 1, gone before 0, skipped 0, failed 0\n"
        )
    assert aws.changes() == []


def test_deactivate_makes_keys_and_certificates_inactive_and_deletes_the_password(
    aws: AwsStub, shell: str
) -> None:
    each = removal(decision="deactivate", last_use=LAST_USE, active_keys=1)
    exists(aws, each, stated(LAST_USE))
    equip(aws, "bob")
    made = stated(CREATED)
    keys = f"Inactive\t{made}\tAKIA1", f"Active\t{made}\tAKIA2"
    aws.answer("list-access-keys", *keys, subject="bob")
    run = applied(aws, shell, each)
    assert run.results() == {each.arn: "done"}
    assert changes_of(aws, "bob") == (
        "update-access-key --access-key-id=AKIA2 --status=Inactive",
        "update-signing-certificate --certificate-id=CERT1 --status=Inactive",
        "delete-login-profile",
    )


def test_a_deactivated_user_needs_nothing_more(aws: AwsStub, shell: str) -> None:
    each = removal(decision=Decision.DEACTIVATE)
    exists(aws, each)
    aws.answer("list-access-keys", f"Inactive\t{stated(CREATED)}\tAKIA1")
    aws.answer("list-signing-certificates", f"Inactive\t{stated(CREATED)}\tCERT1")
    run = applied(aws, shell, each)
    assert (run.code, aws.changes()) == (0, [])
    assert (run.log[-1]["result"], run.log[-1]["detail"]) == ("done", "nothing left to do")


def test_a_user_that_does_not_exist_is_gone(aws: AwsStub, shell: str) -> None:
    run = applied(aws, shell, removal())
    assert (run.code, aws.changes()) == (0, [])
    assert run.results() == {removal().arn: LogResult.GONE}
    assert run.output.endswith("done 0, gone before 1, skipped 0, failed 0\n")


def test_what_disappears_in_between_is_no_error(aws: AwsStub, shell: str) -> None:
    exists(aws, removal())
    equip(aws, "bob")
    aws.refuse("delete-access-key", "NoSuchEntity")
    run = applied(aws, shell, removal())
    assert run.results() == {removal().arn: "done"}
    assert changes_of(aws, "bob") == REMOVED
    assert run.log[2]["detail"] == "AKIA1: does not exist any more"


def test_a_list_that_is_absent_is_empty(aws: AwsStub, shell: str) -> None:
    exists(aws, removal())
    aws.answer("list-user-policies", "None")
    run = applied(aws, shell, removal())
    assert (run.code, changes_of(aws, "bob")) == (0, ("delete-user",))


# Who is left alone

ACTIVE_KEY = ("list-access-keys", f"Active\t{stated(CREATED)}\tAKIA1")
INACTIVE_KEY = ("list-access-keys", f"Inactive\t{stated(CREATED)}\tAKIA1")
ARN = removal().arn
KNOWN_USE: dict[str, Any] = {"last_use": LAST_USE, "active_keys": 1}


def a_user(created: str = stated(CREATED), signed_in: str = "None", arn: str = ARN) -> Any:
    return "get-user", f"{created}\t{signed_in}\t{arn}"


def key_used(moment: str) -> tuple[str, str]:
    return "get-access-key-last-used", moment


SAME: dict[str, tuple[tuple[str, str], dict[str, Any]]] = {
    "created, with offset": (a_user(stated(CREATED, "+00:00")), {}),
    "created, with a fraction": (a_user(stated(CREATED, ".999Z")), {}),
    "password set at as-of": (("get-login-profile", stated(AS_OF)), {}),
    "inactive key": (INACTIVE_KEY, {}),
    "key created at as-of": (("list-access-keys", f"Inactive\t{stated(AS_OF)}\tAKIA1"), {}),
    "sign-in before": (a_user(signed_in=stated(LAST_USE)), KNOWN_USE),
    "sign-in at the limit": (a_user(signed_in=stated(LAST_USE + PRECISION)), KNOWN_USE),
    "known active key": (ACTIVE_KEY, KNOWN_USE),
    "known active key, used": (key_used(stated(LAST_USE + PRECISION, "+00:00")), KNOWN_USE),
    "certificate at as-of": (("list-signing-certificates", f"Active\t{stated(AS_OF)}\tC"), {}),
    "MFA device at as-of": (("list-mfa-devices", f"-\t{stated(AS_OF)}\tGAHT1"), {}),
}
LATE = stated(AS_OF + SECOND)
OTHER: dict[str, tuple[tuple[str, str], dict[str, Any], str]] = {
    "created a second later": (a_user(stated(CREATED + SECOND)), {}, "another user"),
    "created a second earlier": (a_user(stated(CREATED - SECOND)), {}, "another user"),
    "created, unreadable": (a_user("1706933106"), {}, "another user"),
    "created, unreadable digits": (a_user("2024-2-3T04:05:06Z"), {}, "another user"),
    "created, absent": (a_user("None"), {}, "another user"),
    "another path": (a_user(arn=f"arn:aws:iam::{ACCOUNT}:user/x/bob"), {}, "another user"),
    "sign-in": (a_user(signed_in=stated(LAST_USE)), {}, "signed in at"),
    "sign-in after": (
        a_user(signed_in=stated(LAST_USE + PRECISION + SECOND)),
        KNOWN_USE,
        "signed in at",
    ),
    "sign-in, unreadable": (a_user(signed_in="yesterday"), KNOWN_USE, "signed in at yesterday"),
    "password set after": (("get-login-profile", LATE), {}, "a password was set at"),
    "password set, unreadable": (("get-login-profile", "None"), {}, "a password was set at None"),
    "key created after": (
        ("list-access-keys", f"Inactive\t{LATE}\tAKIA1"),
        {},
        "AKIA1 was created",
    ),
    "active key": (ACTIVE_KEY, {}, "active access keys: 1, but 0 in the report"),
    "key of unknown status": (
        ("list-access-keys", f"Expired\t{stated(CREATED)}\tAKIA1"),
        {},
        "active access keys: 1, but 0",
    ),
    "key used": (key_used(stated(LAST_USE)), {"active_keys": 1}, "AKIA1 was used at"),
    "key used after": (
        key_used(stated(LAST_USE + PRECISION + SECOND)),
        KNOWN_USE,
        "AKIA1 was used at",
    ),
    "certificate after": (("list-signing-certificates", f"Active\t{LATE}\tC"), {}, "C was created"),
    "SSH key after": (("list-ssh-public-keys", f"Inactive\t{LATE}\tK"), {}, "K was created"),
    "service credential after": (
        ("list-service-specific-credentials", f"Active\t{LATE}\tS"),
        {},
        "S was created",
    ),
    "MFA device after": (("list-mfa-devices", f"-\t{LATE}\tGAHT1"), {}, "GAHT1 was created"),
}


def answer_case(aws: AwsStub, name: str, answer: tuple[str, str]) -> None:
    exists(aws, removal())
    if "key used" in name or "active key, used" in name:
        aws.answer(*ACTIVE_KEY)
    command, line = answer
    aws.answer(command, line, subject=None if command.startswith("get-access") else "bob")


@pytest.mark.parametrize("name", SAME)
def test_a_user_as_in_the_report_is_not_skipped(aws: AwsStub, name: str) -> None:
    answer, state = SAME[name]
    answer_case(aws, name, answer)
    run = applied(aws, "sh", removal(**state))
    assert run.results() == {ARN: "done"}, run.output


@pytest.mark.parametrize("name", OTHER)
def test_a_user_that_differs_from_the_report_is_skipped(aws: AwsStub, name: str) -> None:
    answer, state, reason = OTHER[name]
    answer_case(aws, name, answer)
    run = applied(aws, "sh", removal(**state))
    assert (run.code, aws.changes(), run.results()) == (0, [], {ARN: LogResult.SKIPPED})
    assert reason in run.log[-1]["detail"]
    assert f"  skipped: {run.log[-1]['detail']}\n" in run.output


@pytest.mark.parametrize("decision", REMOVALS)
def test_the_comparison_is_the_same_in_each_shell_and_for_each_decision(
    aws: AwsStub, shell: str, decision: Decision
) -> None:
    late = removal("late", decision=decision)
    known = removal("known", decision=decision, last_use=LAST_USE)
    exists(aws, late, stated(LAST_USE))
    exists(aws, known, stated(LAST_USE))
    assert applied(aws, shell, late, known).results() == {late.arn: "skipped", known.arn: "done"}


def test_nobody_removes_the_user_that_runs_the_script(aws: AwsStub, shell: str) -> None:
    exists(aws, removal())
    aws.answer("get-caller-identity", f"{ACCOUNT}\t{ARN}")
    run = applied(aws, shell, removal())
    assert (run.results(), aws.changes()) == ({ARN: "skipped"}, [])


# Accounts


@pytest.mark.parametrize(
    "identity",
    [
        "444455556666\tarn:aws:sts::444455556666:assumed-role/admin/session",
        f"{ACCOUNT}\tarn:aws-cn:sts::{ACCOUNT}:assumed-role/admin/session",
        "None\tNone",
        "",
    ],
)
def test_in_another_account_nothing_is_done(aws: AwsStub, shell: str, identity: str) -> None:
    exists(aws, removal())
    aws.answer("get-caller-identity", identity)
    run = applied(aws, shell, removal())
    assert (run.code, run.output, run.log) == (2, "", [])
    assert run.messages.startswith("Nothing done: signed in to account")
    assert run.messages.endswith(f"this script is for: aws:{ACCOUNT}\n")
    assert len(aws.calls()) == 1


def test_without_credentials_nothing_is_done(aws: AwsStub, shell: str) -> None:
    aws.refuse("get-caller-identity", "ExpiredToken")
    run = applied(aws, shell, removal())
    assert (run.code, run.log, len(aws.calls())) == (2, [], 1)
    assert run.messages.startswith("Nothing done: An error occurred (ExpiredToken) when calling")


def test_without_the_aws_cli_nothing_is_done(tmp_path: Path, shell: str) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    for tool in ("mktemp", "rm"):
        (bare / tool).symlink_to(str(shutil.which(tool)))
    script = tmp_path / "script.sh"
    script.write_text(removal_script([removal()]))
    ended = subprocess.run(
        [str(shutil.which(shell)), script],
        env={"PATH": str(bare)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr == "Nothing done: the AWS CLI (aws) is not installed\n"


def test_of_several_accounts_only_the_one_signed_in_to_is_changed(aws: AwsStub, shell: str) -> None:
    other = removal(arn="arn:aws:iam::444455556666:user/ann")
    exists(aws, removal())
    exists(aws, other)
    run = applied(aws, shell, other, removal())
    assert run.results() == {ARN: "done"}
    assert aws.changes() == [["delete-user", "--user-name=bob"]]


# Errors

STEPS = tuple(dict.fromkeys(change.partition(" ")[0] for change in REMOVED))
READS = (
    "get-user",
    "get-login-profile",
    "list-access-keys",
    "get-access-key-last-used",
    "list-signing-certificates",
    "list-ssh-public-keys",
    "list-service-specific-credentials",
    "list-mfa-devices",
    "list-user-policies",
    "list-attached-user-policies",
    "list-groups-for-user",
)


def test_a_step_that_fails_ends_its_user_and_not_the_next(aws: AwsStub, shell: str) -> None:
    """Let each changing step fail for one user, and a user without errors come last."""
    users = [removal(f"no-{step}") for step in STEPS if "virtual" not in step]
    for each in users:
        exists(aws, each)
        equip(aws, each.user)
        aws.refuse(each.user.removeprefix("no-"), "AccessDenied", subject=each.user)
    exists(aws, removal())
    run = applied(aws, shell, *users, removal())
    assert run.code == 1
    assert run.results() == {**{each.arn: "failed" for each in users}, ARN: "done"}
    assert run.output.endswith(f"done 1, gone before 0, skipped 0, failed {len(users)}\n")
    for each in users:
        step = each.user.removeprefix("no-")
        lines = [line for line in run.log if line["arn"] == each.arn]
        assert (lines[-2]["step"], lines[-2]["result"]) == (step, "failed")
        assert "An error occurred (AccessDenied) when calling" in lines[-1]["detail"]
        deletes = ["delete-user", f"--user-name={each.user}"] in aws.changes()
        assert deletes == (step == "delete-user")


def test_an_answer_that_is_missing_ends_its_user_before_any_change(
    aws: AwsStub, shell: str
) -> None:
    users = [removal(f"no-{read}") for read in READS]
    for each in users:
        exists(aws, each)
        equip(aws, each.user)
        read = each.user.removeprefix("no-")
        aws.refuse(read, "Throttling", subject="AKIA9" if "last-used" in read else each.user)
    key = f"Inactive\t{stated(CREATED)}\tAKIA9"
    aws.answer("list-access-keys", key, subject="no-get-access-key-last-used")
    run = applied(aws, shell, *users)
    assert (run.code, aws.changes()) == (1, [])
    assert run.results() == {each.arn: LogResult.FAILED for each in users}
    for line in run.log[1::2]:
        assert line["detail"].startswith(line["user"].removeprefix("no-"))


def test_an_orphaned_virtual_mfa_device_is_an_error(aws: AwsStub, shell: str) -> None:
    exists(aws, removal())
    equip(aws, "bob")
    aws.refuse("delete-virtual-mfa-device", "DeleteConflict")
    run = applied(aws, shell, removal())
    assert run.results() == {ARN: "failed"}
    assert changes_of(aws, "bob") == REMOVED[:8]


def test_an_unexpected_answer_is_an_error(aws: AwsStub, shell: str) -> None:
    exists(aws, removal())
    aws.answer("list-groups-for-user", "-\t\tadmins")
    run = applied(aws, shell, removal())
    assert (run.code, aws.changes(), run.results()) == (1, [], {ARN: "failed"})


def test_a_user_that_was_just_changed_is_to_be_tried_again(aws: AwsStub, shell: str) -> None:
    exists(aws, removal())
    equip(aws, "bob")
    aws.refuse("delete-login-profile", "EntityTemporarilyUnmodifiable")
    run = applied(aws, shell, removal())
    assert run.code == 1
    assert run.log[-1]["detail"].endswith("run this script again in some minutes)")


@pytest.mark.parametrize("log", ["absent/log.csv", "folder"])
def test_without_a_log_nothing_is_done(aws: AwsStub, shell: str, log: str) -> None:
    (aws.folder / "folder").mkdir()
    exists(aws, removal())
    run = aws.run(shell, removal_script([removal()]), APPLY="yes", REMOVAL_LOG=log)
    assert (run.code, aws.changes()) == (2, [])
    assert "cannot write to the log" in run.messages


def test_each_run_adds_to_the_log(aws: AwsStub, shell: str) -> None:
    applied(aws, shell, removal())
    assert len(applied(aws, shell, removal()).log) == 4


def test_no_temporary_file_stays_behind(aws: AwsStub, shell: str) -> None:
    before = {path.name for path in aws.folder.iterdir()}
    aws.run(shell, removal_script([removal()]))
    assert {path.name for path in aws.folder.iterdir()} - before == {"calls", "script.sh"}


# Names that are not meant well

HOSTILE = (
    "-x",
    "--profile=other",
    "=1+1",
    "@a,b+c",
    "a=",
    "None",
    "$(touch stolen)",
    "`touch stolen`",
    ";touch stolen;",
    "'; touch stolen; '",
    '"; touch stolen; "',
    "a' 'b",
    "a\\",
    "*",
    "~",
    "a  b",
    "# a",
    "EOF",
    "\N{LATIN SMALL LETTER E WITH ACUTE}\N{RIGHT SINGLE QUOTATION MARK}",
)
HOSTILE_VALUE = "-\t-\t$(touch stolen)`touch stolen`';\"*"


def test_hostile_names_execute_nothing_and_reach_no_option(aws: AwsStub, shell: str) -> None:
    users = [removal(name, "/$(touch${IFS}stolen)`'\";/*/") for name in HOSTILE]
    for each in users:
        exists(aws, each)
    aws.answer("list-user-policies", HOSTILE_VALUE)
    run = applied(aws, shell, *users)
    assert (run.code, run.messages) == (0, "")
    assert run.results() == {each.arn: "done" for each in users}
    policy = f"--policy-name={HOSTILE_VALUE[4:]}"
    assert aws.changes() == [
        change
        for name in HOSTILE
        for change in (
            ["delete-user-policy", f"--user-name={name}", policy],
            ["delete-user", f"--user-name={name}"],
        )
    ]
    for call in aws.calls()[1:]:
        assert call[2].startswith(("--user-name=", "--access-key-id="))
        assert all(word.startswith("--") for word in call[2:])
    names = [line["user"] for line in run.log if line["step"] == "end"]
    assert names == [f"'{name}" if name[0] in "=+-@" else name for name in HOSTILE]
    assert not list(aws.folder.rglob("stolen"))


@pytest.mark.parametrize(
    "ticket", ["a\nb", "a\r\n$(touch stolen)", "x' ; touch stolen #", "a\udc80"]
)
def test_hostile_notes_execute_nothing(aws: AwsStub, shell: str, ticket: str) -> None:
    script = removal_script([removal(ticket=ticket, decided_by=ticket)], inputs=[ticket])
    assert aws.run(shell, script).code == 0
    assert not list(aws.folder.rglob("stolen"))


def test_an_empty_name_reaches_no_command(aws: AwsStub, shell: str) -> None:
    """Spoil the script, as a careless editor might."""
    script = removal_script([removal()]).replace("delete 'bob'", "delete ''")
    run = aws.run(shell, script, APPLY="yes")
    assert (run.code, len(aws.calls())) == (1, 1)
    assert run.log[-1]["detail"] == "get-user: empty value: --user-name="


def test_the_log_is_a_csv_in_which_no_cell_is_a_formula(aws: AwsStub, shell: str) -> None:
    exists(aws, removal())
    aws.refuse("delete-user", "AccessDenied")
    run = applied(aws, shell, removal(ticket='=1,"2"'))
    detail = run.log[-1]["detail"]
    assert detail.endswith('operation: =no, "no"')
    text = (aws.folder / "credreport-removals.csv").read_text()
    for line in csv.reader(text.splitlines()):
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in line)


# The text


TYPESET = (
    "\N{LEFT DOUBLE QUOTATION MARK}O\N{RIGHT SINGLE QUOTATION MARK}B\N{EN DASH}"
    "\N{RIGHT DOUBLE QUOTATION MARK}"
)


def shellcheck(script: str, folder: Path, dialect: str = "sh") -> str:
    file = folder / "script.sh"
    file.write_text(script)
    program = Path(sys.executable).with_name("shellcheck")
    ended = subprocess.run(
        [program, "--norc", f"--shell={dialect}", "--enable=check-unassigned-uppercase", file],
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.stdout + ended.stderr


@pytest.mark.parametrize("dialect", ["sh", *SHELLS])
def test_shellcheck_has_nothing_to_say(tmp_path: Path, dialect: str) -> None:
    users = [removal(name, "/$(touch${IFS}stolen)`'\";/") for name in HOSTILE]
    users += [removal(ticket=TYPESET, decided_by=TYPESET)]
    script = removal_script(users, inputs=["a.xlsx", TYPESET])
    assert shellcheck(script, tmp_path, dialect) == ""


def test_the_script_says_what_it_was_made_from_and_has_one_line_a_user() -> None:
    other = removal("ann", "/x/", decision=Decision.DEACTIVATE, last_use=LAST_USE, active_keys=2)
    script = removal_script([removal(ticket="OPS-1"), other], inputs=["q1.xlsx", "q2.xlsx"])
    assert "# Decisions from: q1.xlsx\n# Decisions from: q2.xlsx\n" in script
    assert script.endswith(
        f"""
# Account aws:{ACCOUNT}: 1 to deactivate, 1 to delete; report as of 2026-05-01T12:00:30Z
remove delete 'bob' 2024-02-03T04:05:06Z 2026-05-01T12:00:30Z never 0 '{ARN}' 'ticket OPS-1'
remove deactivate 'ann' 2024-02-03T04:05:06Z 2026-05-01T12:00:30Z 2025-01-01T09:15:00Z 2 """
        f"""'arn:aws:iam::{ACCOUNT}:user/x/ann' ''

finish
"""
    )


def test_times_are_written_in_utc() -> None:
    east = timezone(timedelta(hours=2))
    assert removal_script([removal(created=CREATED.astimezone(east))]) == removal_script(
        [removal()]
    )


def test_accounts_are_sorted_and_users_keep_their_order() -> None:
    far, near = "arn:aws-cn:iam::000000000001:user/z", "arn:aws:iam::000000000002:user/"
    users = [removal(arn=far), removal(arn=f"{near}b"), removal(arn=f"{near}a")]
    script = removal_script(users)
    assert "\nbegin aws-cn:000000000001 aws:000000000002\n" in script
    places = [script.index(f"'{each.arn}'") for each in users]
    assert places == sorted(places)


def test_a_recreated_user_may_be_listed_under_both_creation_times(aws: AwsStub, shell: str) -> None:
    old, new = removal(created=CREATED - SECOND), removal()
    exists(aws, new)
    run = applied(aws, shell, old, new)
    ends = [line["result"] for line in run.log if line["step"] == "end"]
    assert ends == ["skipped", "done"]


# What is refused


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
        {"created": CREATED.replace(tzinfo=None)},
        {"as_of": AS_OF.replace(tzinfo=None)},
        {"last_use": LAST_USE.replace(tzinfo=None)},
        {"active_keys": -1},
        {"decision": "keep"},
    ],
)
def test_what_the_script_could_not_compare_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"not the ARN|time zone|negative|nothing to carry out"):
        removal(**values)


def test_a_script_for_no_user_is_refused() -> None:
    with pytest.raises(ValueError, match="no user to deactivate or delete"):
        removal_script([])


def test_two_decisions_for_one_user_are_refused() -> None:
    with pytest.raises(ValueError, match="more than one decision for arn:aws:"):
        removal_script([removal(), removal(decision=Decision.DEACTIVATE)])


def test_a_removal_knows_the_parts_of_its_arn() -> None:
    each = removal(arn="arn:aws-us-gov:iam::000000000001:user/a/b/c@d")
    assert (each.partition, each.account, each.user) == ("aws-us-gov", "000000000001", "c@d")
