"""Prove the removal script on an AWS CLI that answers from memory: fast, so case by case."""

import csv
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from itertools import cycle
from pathlib import Path

import pytest

from analyzer.decisions.decision import REMOVALS, Decision
from analyzer.decisions.plan import removal_script
from analyzer.decisions.removal_log import read_removal_log
from analyzer.report.model import FileReference
from tests.support.aws_account import ACCOUNT, ADMIN, REMOVAL_STEPS, stated
from tests.support.aws_stub import LEDGERS, LOG, UNDO, AwsStub
from tests.support.removals import (
    BASELINE,
    CREATED,
    DELETABLE,
    EVERYTHING,
    HOUR,
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
FULL = removal(**DELETABLE, ticket="OPS-1")
"""The decision to delete a user that has everything."""

SERVICE = "service-specific-credential"
REMOVED = (
    "delete-user-policy --policy-name=None",
    "delete-user-policy --policy-name=-x",
    "detach-user-policy --policy-arn=arn:aws:iam::aws:policy/ReadOnlyAccess",
    "remove-user-from-group --group-name=a,b",
    "delete-login-profile",
    "delete-access-key --access-key-id=AKIA0bob",
    "delete-access-key --access-key-id=AKIA1bob",
    "delete-signing-certificate --certificate-id=CERT0",
    "delete-ssh-public-key --ssh-public-key-id=APKA1",
    f"delete-{SERVICE} --{SERVICE}-id=ACCA1",
    f"delete-{SERVICE} --{SERVICE}-id=ACCA2",
    f"deactivate-mfa-device --serial-number={device('bob')}",
    f"delete-virtual-mfa-device --serial-number={device('bob')}",
    f"deactivate-mfa-device --serial-number=arn:aws:iam::{ACCOUNT}:u2f/user/key",
    "deactivate-mfa-device --serial-number=GAHT12345678",
    "delete-user",
)
"""What AWS wants removed from such a user: what can be undone first; then the user."""


def equip(aws: AwsStub, each: Removal = FULL) -> None:
    """Let the user exist with everything, and with MFA devices that are not virtual."""
    user = exists(aws.account, each)
    attach_permissions(user)
    for serial in (f"arn:aws:iam::{ACCOUNT}:u2f/user/key", "GAHT12345678"):
        user.lists["list-mfa-devices"].append(["-", stated(CREATED), serial])


def changes_of(aws: AwsStub) -> tuple[str, ...]:
    return tuple(" ".join(w for w in each if w != "--user-name=bob") for each in aws.changes())


def steps(changes: Sequence[str]) -> list[str]:
    return [change.partition(" ")[0] for change in changes]


@pytest.mark.parametrize(("shell", "version"), [("dash", 1), ("bash", 2)])
def test_preview_shows_and_apply_takes_and_logs_the_steps_that_can_be_undone_first(
    aws: AwsStub,
) -> None:
    equip(aws)
    gone = removal("gone", created=CREATED - SECOND)
    before = aws.account.copy()
    shown = aws.preview(FULL, gone)
    assert (shown.code, shown.messages, aws.changes(), aws.account.copy()) == (0, "", [], before)
    assert re.findall("  would ([a-z]+-[a-z-]+)", shown.output) == steps(REMOVED)
    assert "\n  would be done\n" in shown.output
    assert shown.output.endswith("\n\nwould be done 1, gone before 1, skipped 0, failed 0\n")
    names = {file.name for file in aws.folder.iterdir()}
    assert names == {"bin", "decisions.csv", "now", "script.sh"}

    run = aws.apply(FULL, gone)
    assert (run.code, run.messages, run.results()) == (0, "", {ARN: "done", gone.arn: "gone"})
    assert (changes_of(aws), aws.account.copy()) == (REMOVED, ({}, []))
    assert "  delete-user bob\n  done\n\n" in run.output
    assert run.output.endswith("\n\ndone 1, gone before 1, skipped 0, failed 0\n")
    pairs = [(step, result) for step in steps(REMOVED) for result in ("begin", "ok")]
    logged = [(line["step"], line["result"]) for line in run.log if line["arn"] == ARN]
    assert logged == [("start", "ok"), ("backup", "ok"), *pairs, ("end", "done")]
    assert run.log[13]["detail"] == "AKIA0bob"
    (logged_removal,) = read_removal_log(LOG, (aws.folder / LOG).read_bytes()).removals
    assert (logged_removal.user.name, logged_removal.is_deleted) == ("bob", True)
    assert logged_removal.caller == ADMIN


def test_deactivate_makes_all_credentials_inactive_and_deletes_the_password(aws: AwsStub) -> None:
    certificates = tuple(credential(CREATED + n * HOUR, active=n == 1) for n in (0, 1))
    state = EVERYTHING | {"certificates": certificates, "services": "codecommit.amazonaws.com"}
    each = removal(**state, decision=Decision.DEACTIVATE)
    equip(aws, each)
    lists = aws.account.users["bob"].lists
    lists["list-service-specific-credentials"].append(["Active", stated(CREATED), "ACCA3"])
    run = aws.apply(each)
    assert (run.code, run.results()) == (0, {ARN: "done"})
    assert changes_of(aws) == (
        "update-access-key --access-key-id=AKIA0bob --status=Inactive",
        "update-signing-certificate --certificate-id=CERT1 --status=Inactive",
        f"update-{SERVICE} --{SERVICE}-id=ACCA3 --status=Inactive",
        "delete-login-profile",
    )
    assert aws.apply(each).log[-1]["detail"] == "nothing left to do"
    assert len(aws.changes()) == 4
    (logged,) = read_removal_log(LOG, (aws.folder / LOG).read_bytes()).removals
    assert not logged.is_deleted


def test_what_disappears_in_between_is_no_error(aws: AwsStub) -> None:
    equip(aws)
    lists = aws.account.users["bob"].lists
    aws.account.meanwhile["delete-access-key"] = lists["list-access-keys"].clear
    run = aws.apply(FULL)
    assert (run.results(), changes_of(aws)) == ({ARN: "done"}, REMOVED)
    assert run.log[13]["detail"] == "AKIA0bob: does not exist any more"


def test_in_another_account_nothing_is_done(aws: AwsStub) -> None:
    exists(aws.account, removal())
    other, china = ADMIN.replace(ACCOUNT, "444455556666"), ADMIN.replace(":aws:", ":aws-cn:")
    signed_in = (("444455556666", other), (ACCOUNT, china), ("None", "None"), ("", ""))
    for aws.account.account, aws.account.caller in signed_in:
        aws.calls.clear()
        run = aws.preview(removal())
        assert (run.code, run.output, run.log, len(aws.calls)) == (2, "", [], 1)
        assert run.messages.startswith("Nothing done: signed in to ")
        assert run.messages.endswith(f"; this script is for aws:{ACCOUNT}\n")


def test_of_several_accounts_only_the_one_signed_in_to_is_changed(aws: AwsStub) -> None:
    other = removal(arn="arn:aws:iam::444455556666:user/ann")
    for each in (other, removal()):
        exists(aws.account, each)
    run = aws.apply(other, removal())
    assert (run.code, run.results(), changes_of(aws)) == (0, {ARN: "done"}, ("delete-user",))


def test_nobody_removes_the_user_who_runs_the_script_from_the_start_or_by_now(aws: AwsStub) -> None:
    exists(aws.account, removal())
    aws.account.meanwhile["list-user-policies"] = lambda: setattr(aws.account, "caller", ARN)
    for run in (aws.apply(removal()), aws.apply(removal())):
        assert (run.code, run.results(), aws.changes()) == (1, {ARN: "skipped"}, [])
    shown = aws.preview(removal())
    assert shown.code == 1
    assert "skipped: this script is run by this very user" in shown.output


@pytest.mark.no_cover
def test_a_step_that_fails_ends_its_user_and_not_the_next(aws: AwsStub) -> None:
    """Let each changing step fail for one user, and a user without errors come last."""
    names = [step for step in dict.fromkeys(steps(REMOVED)) if "virtual" not in step]
    codes = dict.fromkeys(names, "ServiceFailure") | {names[0]: "EntityTemporarilyUnmodifiable"}
    users = {step: removal(f"no-{step}", **DELETABLE) for step in names}
    for step, each in users.items():
        equip(aws, each)
        aws.account.refusals[f"{step} {each.user}"] = codes[step]
        if step in REMOVAL_STEPS:  # What is removed before it fails need not be there.
            user = aws.account.users[each.user]
            user.password = None
            for name in user.lists.keys() - {REMOVAL_STEPS[step][0]}:
                user.lists[name].clear()
    exists(aws.account, removal())
    run = aws.apply(*users.values(), removal())
    failed = {each.arn: "failed" for each in users.values()}
    assert (run.code, run.results()) == (1, {**failed, ARN: "done"})
    assert run.output.endswith(f"done 1, gone before 0, skipped 0, failed {len(users)}\n")
    for step, each in users.items():
        *_, last, end = (line for line in run.log if line["arn"] == each.arn)
        assert (last["step"], last["result"]) == (step, "failed")
        assert f"An error occurred ({codes[step]}) when calling" in end["detail"]
        again = f"(changed a moment ago: {AGAIN})"
        assert end["detail"].endswith(again) == (step == names[0])
        deletes = ["delete-user", f"--user-name={each.user}"] in aws.changes()
        assert deletes == (step == "delete-user")
    assert aws.account.users.keys() == {each.user for each in users.values()}


READS = (
    ("get-user", "get-login-profile", "list-access-keys", "get-access-key-last-used")
    + ("list-signing-certificates", "list-ssh-public-keys", "list-service-specific-credentials")
    + ("list-mfa-devices", "list-groups-for-user", "list-attached-user-policies")
    + ("list-user-policies", "get-user-policy")
)
GROUPS = "list-groups-for-user"
AGAIN = "run this script again in some minutes"
UNEXPECTED = "unexpected answer:"
ANSWERS = (
    *((read, "Throttling", "failed", "An error occurred (Throttling)") for read in READS),
    *((read, "AccessDenied", "failed", "(AccessDenied)") for read in ("get-user", GROUPS)),
    *((GROUPS, f"-\t{time}\tadmins\n", "failed", UNEXPECTED) for time in ("", "-")),
    *((GROUPS, answer, "failed", UNEXPECTED) for answer in ("admins\n", "Groups\tx\n")),
    *(("get-access-key-last-used", each, "failed", UNEXPECTED) for each in ("", "\t\n", "a b\n")),
    *(("get-user", answer, "skipped", AGAIN) for answer in ("", "None\n", "\n")),
    *(("get-login-profile", answer, "skipped", "a passwo") for answer in ("", "None\n", "\n")),
    *(("get-user-policy", answer, "failed", "get-user-policy") for answer in ("", "\n")),
)
"""What is asked, the answer or the code of an error, the result and what is said of it."""


@pytest.mark.no_cover
def test_an_answer_missing_empty_or_unexpected_ends_its_user_before_a_change(aws: AwsStub) -> None:
    users = [removal(f"no{at}", **DELETABLE) for at in range(len(ANSWERS))]
    for each, (read, answer, *_) in zip(users, ANSWERS, strict=True):
        equip(aws, each)
        subject = f"AKIA1{each.user}" if "last-used" in read else each.user
        is_code = answer in {"Throttling", "AccessDenied"}
        given = aws.account.refusals if is_code else aws.account.answers
        given[f"{read} {subject}"] = answer
    run = aws.apply(*users)
    assert (run.code, run.messages, aws.changes()) == (1, "", [])
    for line, (read, answer, result, said) in zip(run.log[1::2], ANSWERS, strict=True):
        assert (line["step"], line["result"]) == ("end", result), (read, answer)
        assert said in line["detail"], (read, answer)
        assert result == "skipped" or line["detail"].startswith(f"{read}: ")


NOT_DONE: tuple[tuple[str, str, Decision, str], ...] = (
    ("delete-user", "NoSuchEntity", Decision.DELETE, f"and get-user does: unclear, {AGAIN}"),
    *(
        ("detach-user-policy", answer, Decision.DELETE, "An error occurred (DeleteConflict)")
        for answer in ("NoSuchEntity", "")
    ),
    *(
        ("update-access-key", answer, Decision.DEACTIVATE, f"is active: {AGAIN}")
        for answer in ("NoSuchEntity", "")
    ),
)
"""A change that AWS does not make, the code of its error if it says so, and what is said of it."""


def test_a_change_that_aws_calls_done_or_needless_and_does_not_make_fails(aws: AwsStub) -> None:
    users = []
    for at, (step, code, decision, _) in enumerate(NOT_DONE):
        is_off = decision is Decision.DEACTIVATE
        keys = (credential(CREATED, active=True),) if is_off else ()
        users.append(removal(f"no{at}", keys=keys, decision=decision))
        policies = [] if is_off else [["-", "-", "arn:aws:iam::aws:policy/ReadOnlyAccess"]]
        exists(aws.account, users[-1]).lists["list-attached-user-policies"] = policies
        (aws.account.refusals if code else aws.account.answers)[f"{step} no{at}"] = code
    run = aws.apply(*users)
    assert (run.code, run.messages, aws.untrue()) == (1, "", [])
    ends = [line for line in run.log if line["step"] == "end"]
    for end, case in zip(ends, NOT_DONE, strict=True):
        assert (end["result"], case[-1] in end["detail"]) == ("failed", True), (case, end)
    assert aws.account.users.keys() == {each.user for each in users}


@pytest.mark.parametrize(("read", "number"), [("list-users", 2), ("list-virtual-mfa-devices", 1)])
def test_an_answer_about_the_account_that_is_missing_ends_its_user(
    aws: AwsStub, read: str, number: int
) -> None:
    if read == "list-virtual-mfa-devices":
        equip(aws)
    aws.account.refusals[read] = "Throttling"
    run = aws.apply(FULL, removal("ann"))
    assert (run.code, run.results()[ARN]) == (1, "failed")
    assert run.output.count(f"  failed: {read}: An error occurred (Throttling)") == number


def test_an_orphaned_virtual_mfa_device_is_an_error(aws: AwsStub) -> None:
    equip(aws)
    aws.account.refusals["delete-virtual-mfa-device"] = "ServiceFailure"
    assert aws.apply(FULL).results() == {ARN: "failed"}
    assert (changes_of(aws), aws.account.unassigned) == (REMOVED[:13], [device("bob")])
    aws.account.refusals.clear()
    assert aws.apply(FULL).results() == {ARN: "done"}
    assert aws.account.copy() == ({}, [])


HOSTILE = (
    ("-x", "--profile=other", "=1+1", "@a,b+c=", "None", "*", "~", "..", "# a%s%n", "EOF")
    + ("$(touch stolen)`touch stolen`;touch stolen;", "'; touch stolen; '", '"; touch stolen; "')
    + ("a' 'b  c\\", "created=2000-01-01T00:00:00Z")
    + ("\N{LATIN SMALL LETTER E WITH ACUTE}\N{RIGHT SINGLE QUOTATION MARK}",)
)
HOSTILE_NAME = "$(touch stolen)`touch stolen`';\"*"
HOSTILE_PATH = "/$(touch${IFS}stolen)`'\";/*/"


@pytest.mark.no_cover
@pytest.mark.parametrize("shell", SHELLS)
def test_hostile_names_execute_nothing_and_reach_no_option(aws: AwsStub) -> None:
    """Let each shell have one half of the names, and each decision one half of these."""
    names = HOSTILE[SHELLS.index(aws.shell) :: 2]
    keys = {each: credential(CREATED, active=each is Decision.DEACTIVATE) for each in REMOVALS}
    users = [
        removal(name, HOSTILE_PATH, keys=(keys[decision],), decision=decision)
        for name, decision in zip(names, cycle(REMOVALS), strict=False)
    ]
    for each in users:
        user = exists(aws.account, each)
        user.lists["list-groups-for-user"] = [["-", "-", HOSTILE_NAME]]
        user.lists["list-access-keys"][0][2] = f"AKIA{HOSTILE_NAME}"
    run = aws.apply(*users)
    assert (run.code, run.messages) == (0, "")
    assert run.results() == {each.arn: "done" for each in users}
    changes = [change for each in users for change in hostile_changes(each)]
    assert aws.changes() == changes
    logged = [line["user"] for line in run.log if line["step"] == "end"]
    assert logged == [f"'{name}" if name[0] in "=+-@" else name for name in names]
    assert [saved["get-user"]["Arn"] for saved in aws.backups()] == [each.arn for each in users]

    aws.calls.clear()
    undone = aws.run(f"{aws.shell} {UNDO} </dev/null").messages
    deleted = [each for each in users if each.action is Decision.DELETE]
    assert undone.count("\nNot restored: ") == undone.count("(NoSuchEntity)") == len(deleted)
    off = [change for change in changes if change[0] == "update-access-key"]
    back = [call[1:] for call in aws.calls if call[1] == "update-access-key"]
    assert back == [[*each[:-1], "--status=Active"] for each in off]
    assert not list(aws.folder.rglob("stolen"))


def hostile_changes(each: Removal) -> list[list[str]]:
    """Return the calls that change such a user."""
    name, key = f"--user-name={each.user}", f"--access-key-id=AKIA{HOSTILE_NAME}"
    if each.action is Decision.DEACTIVATE:
        return [["update-access-key", name, key, "--status=Inactive"]]
    return [
        ["remove-user-from-group", name, f"--group-name={HOSTILE_NAME}"],
        ["delete-access-key", name, key],
        ["delete-user", name],
    ]


WORDS = ("a\nb", "a\r\n$(touch stolen)", "x' ; touch stolen #", "a\udc80", "a\N{LINE SEPARATOR}b")


def test_hostile_words_of_people_execute_nothing(aws: AwsStub) -> None:
    users = [removal(f"u{n}", ticket=text, decided_by=text) for n, text in enumerate(WORDS)]
    for each in users:
        exists(aws.account, each)
    sha256 = LEDGERS[0].sha256
    ledgers = [FileReference(name=f"{text}/decisions.csv", sha256=sha256) for text in WORDS]
    script = removal_script(users, ledgers=ledgers, left_out=WORDS)
    run = aws.run(script, APPLY=ACCOUNT)
    assert (run.code, run.messages, set(run.results().values())) == (0, "", {"done"})
    assert all(line["ticket"] == line["decided_by"] for line in run.log)
    assert not list(aws.folder.rglob("stolen"))


CHANGED = "this line was changed: "
SPOILT = (
    ("user/bob'", "user/'", f"{CHANGED}remove delete arn"),
    ("remove delete", "remove keep", f"{CHANGED}remove keep arn"),
    ("remove delete", "remvoe delete", "a line of the plan was changed and is not understood"),
    (" created=2024", " created=24", f"{CHANGED}{ARN}: not a time: 24-02"),
    (" baseline=", " base=", f"{CHANGED}{ARN}: base=2026-05-01"),
    (" expires=2026-06-30T23:59:59Z", "", f"{CHANGED}{ARN}: not a time: \n"),
    (" confirmed=2026-05-01T12:00:30Z", "", "not a time: \n"),
    (" baseline=2026-05-01T12:00:30Z", "", "not a time: \n"),
    (" created=2024-02-03T04:05:06Z", "", "not a time: \n"),
)
"""What a careless editor might do to the line of a user, and what the script says."""


def test_a_line_that_was_spoilt_stops_the_script_before_any_call(aws: AwsStub) -> None:
    script = removal_script([removal("ann"), removal()], ledgers=LEDGERS)
    head, mark, tail = script.rpartition("remove delete")
    for old, new, message in SPOILT:
        last = (mark + tail).replace(old, new)
        run = aws.run(head + last, APPLY=ACCOUNT)
        assert (run.code, aws.calls, run.output) == (2, [], ""), (old, new)
        assert message in run.messages


def test_a_user_whose_line_is_deleted_is_kept_also_the_only_one(aws: AwsStub) -> None:
    script = removal_script([removal()], ledgers=LEDGERS)
    (line,) = (line for line in script.splitlines(keepends=True) if line.startswith("remove "))
    run = aws.run(script.replace(line, ""), APPLY=ACCOUNT)
    assert (run.code, run.messages, aws.changes()) == (0, "", [])


@pytest.mark.no_cover
@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_that_was_cut_off_does_nothing_and_ends_with_2(
    aws: AwsStub, tmp_path: Path
) -> None:
    """Cut it at each byte of its ends, and at many between; an apostrophe may stay open there."""
    script = removal_script([removal("o'neil"), FULL], ledgers=LEDGERS, left_out=["ann: changed"])
    shell, called = shutil.which(aws.shell) or aws.shell, tmp_path / "called"
    for name in ("aws", "sed", "date", "mktemp"):
        (program := tmp_path / name).write_text(f"#!/bin/sh\n: >>'{called}'\n")
        program.chmod(0o755)
    first, last = len("#!/bin/sh\n{"), len(script) - len("\n")
    for cut in {*range(first, first + 40), *range(first, last, 61), *range(last - 300, last)}:
        (part := tmp_path / "part.sh").write_text(script[:cut])
        variables = {"PATH": str(tmp_path), "APPLY": ACCOUNT}
        run = subprocess.run([shell, part], env=variables, capture_output=True, check=False)
        assert (run.returncode, run.stdout, called.exists()) == (2, b"", False), cut
    exists(aws.account, FULL)
    assert aws.run(script[:last], APPLY=ACCOUNT).results()[ARN] == "done"


def test_what_stands_behind_the_script_is_not_run(aws: AwsStub) -> None:
    exists(aws.account, removal())
    run = aws.run(removal_script([removal()], ledgers=LEDGERS) + "touch behind\n")
    assert (run.code, "behind" in {file.name for file in aws.folder.iterdir()}) == (0, False)


def test_an_empty_name_reaches_no_command(aws: AwsStub) -> None:
    exists(aws.account, removal())
    script = removal_script([removal()], ledgers=LEDGERS)
    run = aws.run(script.replace("user=${2##*/}", "user=''"), APPLY=ACCOUNT)
    assert (run.code, [call[0] for call in aws.calls]) == (1, ["sts", "sts"])
    assert run.log[-1]["detail"] == "get-user: empty value: --user-name="


def test_the_log_is_a_csv_in_which_no_cell_is_a_formula(aws: AwsStub) -> None:
    each = removal(ticket='=1,"2"', decided_by="+ann")
    exists(aws.account, each)
    aws.account.refusals["delete-user"] = "ServiceFailure"
    run = aws.apply(each)
    assert run.log[-1]["detail"].endswith('operation: =no, "no"')
    assert {(line["ticket"], line["decided_by"]) for line in run.log} == {('\'=1,"2"', "'+ann")}
    text = (aws.folder / LOG).read_text()
    cells = [cell for line in csv.reader(text.splitlines()) for cell in line]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


TYPESET = (
    "\N{LEFT DOUBLE QUOTATION MARK}O\N{RIGHT SINGLE QUOTATION MARK}B\N{EN DASH}"
    "\N{RIGHT DOUBLE QUOTATION MARK}"
)


@pytest.mark.no_cover
def test_shellcheck_has_nothing_to_say(tmp_path: Path) -> None:
    """Check the script as one in POSIX shell, of which dash and bash both take more."""
    users = [removal(name, HOSTILE_PATH) for name in HOSTILE]
    users += [removal(f"user-{n}", ticket=text, decided_by=text) for n, text in enumerate(WORDS)]
    users += [removal(**EVERYTHING, ticket=TYPESET, decided_by=TYPESET)]
    left_out = ["shellcheck disable=all", TYPESET, *WORDS]
    script = removal_script(users, ledgers=LEDGERS, left_out=left_out)
    file = tmp_path / "script.sh"
    file.write_text(script, errors="replace")
    program = Path(sys.executable).with_name("shellcheck")
    options = "--norc", "--shell=sh", "--enable=check-unassigned-uppercase"
    ended = subprocess.run([program, *options, file], capture_output=True, text=True, check=False)
    assert ended.stdout + ended.stderr == ""
    assert script.count("shellcheck disable=") == 2  # the one at the top, and a text


_OF_USERS = ("remove ", "# Comment: ")


def removal_lines(*users: Removal) -> list[str]:
    script = removal_script(users, ledgers=LEDGERS)
    return [line for line in script.splitlines() if line.startswith(_OF_USERS)]


def test_a_line_says_what_the_reviewer_saw_of_the_user_and_nothing_else() -> None:
    week_later = BASELINE + timedelta(days=7)
    seen = removal(**EVERYTHING, confirmed=week_later, ticket="OPS-1", decided_by="O'Neil")
    full, bare = removal_lines(seen, removal())
    assert full == (
        f"remove delete '{ARN}' created=2024-02-03T04:05:06Z baseline=2026-05-01T12:00:30Z"
        " confirmed=2026-05-08T12:00:30Z expires=2026-06-30T23:59:59Z"
        " password=2024-02-03T05:05:06Z signed-in=2025-01-01T09:00:07Z"
        " key=2024-02-03T06:05:06Z,active,2025-02-02T10:15:00Z"
        " key=2024-02-03T07:05:06Z,inactive,- certificate=2024-02-03T08:05:06Z,inactive,-"
        " mfa=yes by='O'\"'\"'Neil' on=2026-05-02 ticket='OPS-1'"
    )
    assert bare == (
        f"remove delete '{ARN}' created=2024-02-03T04:05:06Z baseline=2026-05-01T12:00:30Z"
        " confirmed=2026-05-01T12:00:30Z expires=2026-06-30T23:59:59Z by='Ann' on=2026-05-02"
    )


def test_a_comment_stands_over_the_line_of_a_user_and_cannot_end_the_remark() -> None:
    of_a = removal("a", comment="not before June 30\r\nrm -rf /")
    comment, first, second = removal_lines(of_a, removal("b"))
    assert comment == "# Comment: not before June 30 rm -rf /"
    assert ("user/a' " in first, "user/b' " in second) == (True, True)


def test_accounts_are_sorted_with_their_numbers_and_users_keep_their_order() -> None:
    far, near = "arn:aws-cn:iam::000000000001:user/z", "arn:aws:iam::000000000002:user/"
    arns = [f"{near}{number}" for number in range(1000, 0, -1)] + [f"{near}x"]
    off = Decision.DEACTIVATE
    users = [removal(arn=far, decision=off)] + [removal(arn=arn) for arn in arns]
    users[-1] = removal(arn=arns[-1], decision=off)
    script = removal_script(users, ledgers=LEDGERS)
    assert "\nsign_in aws-cn:000000000001 aws:000000000002\n" in script
    assert "# Account aws-cn:000000000001: 1 user to deactivate\n" in script
    assert "# Account aws:000000000002: 1 user to deactivate, 1,000 users to delete\n" in script
    assert re.findall("^remove [a-z]+ '(.*?)'", script, re.MULTILINE) == [far] + arns


def test_the_head_names_the_ledgers_and_the_users_that_were_left_out() -> None:
    for number, words in ((0, None), (1, "1 user"), (2, "2 users")):
        reasons = [f"user {n}: changed\nsince" for n in range(number)]
        remarks = [f"#\n# Ledger: reviews/decisions.csv, SHA-256 {LEDGERS[0].sha256}\n"]
        remarks += [f"#\n# Decided, but left out of this plan: {words}\n"] if words else []
        remarks += [f"# - user {n}: changed since\n" for n in range(number)]
        for users in ([removal()], []):
            script = removal_script(users, ledgers=LEDGERS, left_out=reasons)
            assert "".join(remarks) in script
            assert ("left out of this plan" in script) == (words is not None)


def test_an_empty_script_changes_nothing_and_says_so(aws: AwsStub) -> None:
    assert removal_script([], ledgers=LEDGERS).endswith(">&2\nexit 0\n}\n")
    script = removal_script([], ledgers=LEDGERS, left_out=["x\n$(touch stolen)"])
    run = aws.run(script, APPLY=ACCOUNT)
    assert (run.code, run.output, aws.calls, run.log) == (0, "", [], [])
    assert run.messages == "No user is to be deactivated or deleted. Nothing was changed.\n"


def test_a_recreated_user_may_be_listed_under_both_creation_times(aws: AwsStub) -> None:
    exists(aws.account, removal())
    run = aws.apply(removal(created=CREATED - SECOND), removal())
    ends = [line["result"] for line in run.log if line["step"] == "end"]
    assert ends == ["skipped", "done"]


def test_the_caller_is_looked_at_in_an_account_of_any_partition(aws: AwsStub) -> None:
    aws.account.caller = ADMIN.replace(":aws:", ":aws-us-gov:")
    each = removal(arn=f"arn:aws-us-gov:iam::{ACCOUNT}:user/bob")
    exists(aws.account, each)
    assert aws.apply(each, removal()).results() == {each.arn: "done"}


def test_the_aws_cli_for_windows_is_understood_and_its_caller_spared(aws: AwsStub) -> None:
    program = aws.folder / "bin" / "aws"
    program.write_text(program.read_text().replace("'%s\\n'", "'%s\\r\\n'"))
    idle = removal("idle", **DELETABLE, created=CREATED - SECOND)
    for each in (idle, removal()):
        exists(aws.account, each)
    aws.account.caller = ARN
    run = aws.apply(idle, removal())
    assert (run.code, run.results()) == (1, {idle.arn: "done", ARN: "skipped"})
    assert run.log[-1]["detail"] == "this script is run by this very user"


def test_a_tr_without_repetitions_such_as_that_of_busybox_will_do(aws: AwsStub) -> None:
    tr = aws.folder / "bin" / "tr"
    tr.write_text(
        f"#!/bin/sh\ncase $* in *'*]') exit 1 ;; esac\nexec {shutil.which('tr')} \"$@\"\n"
    )
    tr.chmod(0o755)
    aws.account.refusals["get-user"] = "Throttling"
    assert "  failed: get-user: An error occurred (Throttling)" in aws.apply(removal()).output
