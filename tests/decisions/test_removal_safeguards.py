"""The script does nothing that it was not planned for, and leaves a record of all that it does."""

import re
import shutil
import signal
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from analyzer.decisions.plan import FUNCTIONS, LOG_COLUMNS, removal_script
from analyzer.decisions.review_columns import REMOVALS, Decision
from analyzer.report.model import FileReference
from tests.support.aws_account import ACCOUNT, ADMIN, stated
from tests.support.aws_stub import LEDGER, LEDGERS, LOG, UNDO, AwsStub
from tests.support.removals import (
    ACTIVE_KEY,
    BASELINE,
    CREATED,
    EVERYTHING,
    NOW,
    PASSWORD_CHANGED,
    SECOND,
    Removal,
    attach_permissions,
    exists,
    removal,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time

ARN = removal().arn
HEADER = ",".join(f'"{column}"' for column in LOG_COLUMNS) + "\n"
DAY = timedelta(days=1)


@pytest.fixture
def aws(tmp_path: Path) -> AwsStub:
    """Be signed in to an account with one user, who may be deleted."""
    aws = AwsStub(tmp_path, now=NOW)
    exists(aws.account, removal())
    return aws


def refused(aws: AwsStub, run: Any, message: str) -> None:
    """Check that nothing was done, asked or written."""
    assert (run.code, run.output, aws.calls) == (2, "", [])
    assert run.messages.startswith("Nothing done: ")
    assert message in run.messages
    assert not (aws.folder / f"{LOG}.backup").exists()


PREVIEW_AND_APPLY: tuple[dict[str, str], ...] = ({"APPLY": ""}, {"APPLY": ACCOUNT})


@pytest.mark.parametrize("mode", PREVIEW_AND_APPLY)
def test_nothing_is_done_without_the_ledger(aws: AwsStub, shell: str, mode: dict[str, str]) -> None:
    lost = (FileReference(name="a/lost.csv", sha256=LEDGERS[0].sha256),)
    script = removal_script([removal()], ledgers=[*LEDGERS, *lost])
    run = aws.run(shell, script, **mode)
    refused(aws, run, f"the ledger {aws.folder}/lost.csv is missing. If it is elsewhere: LEDGER_F")


@pytest.mark.parametrize(
    "ledger", [LEDGER + b"\n", LEDGER[:-1], LEDGER.replace(b"\n", b"\r\n"), b""]
)
def test_nothing_is_done_by_another_ledger(aws: AwsStub, shell: str, ledger: bytes) -> None:
    (aws.folder / "decisions.csv").write_bytes(ledger)
    run = aws.apply(shell, removal())
    refused(aws, run, "decisions.csv is not the one that this script was planned from. Plan again")


def test_the_ledgers_may_be_in_another_folder(aws: AwsStub, shell: str) -> None:
    folder = aws.folder / "a folder's"
    folder.mkdir()
    (aws.folder / "decisions.csv").write_bytes(b"another")
    (folder / "decisions.csv").write_bytes(LEDGER)
    assert aws.apply(shell, removal(), LEDGER_FOLDER=str(folder)).code == 0


def test_each_of_several_ledgers_counts(aws: AwsStub, shell: str) -> None:
    second = b"decision\nkeep\n"
    (aws.folder / "more.csv").write_bytes(second)
    more = FileReference(name="more.csv", sha256=sha256(second).hexdigest())
    script = removal_script([removal()], ledgers=[more, *LEDGERS])
    run = aws.run(shell, script, APPLY=ACCOUNT)
    assert run.code == 0
    assert {line["ledger_sha256"] for line in run.log} == {f"{more.sha256} {LEDGERS[0].sha256}"}
    (aws.folder / "more.csv").write_bytes(LEDGER)
    aws.calls.clear()
    again = aws.run(shell, script, APPLY=ACCOUNT)
    assert (again.code, aws.calls) == (2, [])


FILE_TOOLS = ("basename", "dirname", "head", "mkdir", "mktemp", "rm", "tail")
TOOLS = (*FILE_TOOLS, "cut", "date", "grep", "sed", "sh", "sort", "tr")


@pytest.mark.no_cover
@pytest.mark.parametrize("program", ["sha256sum", "shasum", "openssl"])
def test_each_program_for_hashes_will_do(aws: AwsStub, shell: str, program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    run = with_tools(aws, shell, *TOOLS, program)
    assert (run.code, run.messages) == (0, "")
    script = (aws.folder / "script.sh").read_bytes()
    assert {line["script_sha256"] for line in run.log} == {sha256(script).hexdigest()}


def test_without_a_program_for_hashes_nothing_is_done(aws: AwsStub, shell: str) -> None:
    run = with_tools(aws, shell, *TOOLS)
    refused(aws, run, "none of sha256sum, shasum and openssl is installed")


def test_without_the_aws_cli_nothing_is_done(aws: AwsStub, shell: str) -> None:
    run = with_tools(aws, shell, *TOOLS, "sha256sum", without="aws")
    refused(aws, run, "the AWS CLI (aws) is not installed")


def with_tools(aws: AwsStub, shell: str, *tools: str, without: str = "") -> Any:
    """Apply with these programs alone."""
    programs = aws.folder / "bin"
    for tool in {*tools, shell, "perl"}:
        if not (programs / tool).exists():
            (programs / tool).symlink_to(str(shutil.which(tool)))
    if without:
        (programs / without).unlink()
    return aws.apply(str(shutil.which(shell)), removal(), PATH=str(programs))


OWN_NAMES = sorted({*re.findall(r"\b([a-z_]+)=", FUNCTIONS)})
"""The variables of the script."""

EXPORTED: tuple[dict[str, str], ...] = (
    {**dict.fromkeys(OWN_NAMES, "1"), "SHELLOPTS": "noglob:nounset", "CDPATH": "/"},
    {"IFS": "aei:/-T,=", "SHELLOPTS": "errexit", "POSIXLY_CORRECT": "1", "LC_TIME": "de"},
)
"""Variables and options of a shell, and what its tools may read."""


def full_run(folder: Path, shell: str, variables: dict[str, str]) -> tuple[Any, ...]:
    """Deactivate a user who has everything and delete one who has nothing; return all results."""
    folder.mkdir()
    aws = AwsStub(folder, now=NOW)
    deactivation = removal("ann", **EVERYTHING, decision=Decision.DEACTIVATE, ticket="SEC 1, 2")
    attach_permissions(exists(aws.account, deactivation))
    exists(aws.account, removal())
    run = aws.apply(shell, deactivation, removal(), **variables)
    lines = [(line["step"], line["result"], line["ticket"]) for line in run.log]
    return run.code, run.output, run.messages, lines, aws.changes(), aws.undo()


def test_what_the_shell_exports_changes_nothing(tmp_path: Path, shell: str) -> None:
    usual, *others = (
        full_run(tmp_path / str(number), shell, variables)
        for number, variables in enumerate(({}, *EXPORTED))
    )
    assert usual[0] == 0
    assert others == [usual, usual]


def test_the_profile_is_that_of_the_shell_and_the_form_of_answers_that_of_the_script(
    aws: AwsStub, shell: str
) -> None:
    program, seen = aws.folder / "bin" / "aws", aws.folder / "seen"
    program.rename(program.with_name("stub"))
    program.write_text(f"#!/bin/sh\nenv >>'{seen}'\nexec stub \"$@\"\n")
    program.chmod(0o755)
    foreign = {"AWS_PAGER": "less", "AWS_CLI_AUTO_PROMPT": "on", "AWS_CLI_ERROR_FORMAT": "json"}
    chosen = {"AWS_PROFILE": "security", "AWS_DEFAULT_OUTPUT": "json"}
    run = aws.apply(shell, removal(), LC_ALL="de_DE.UTF-8", **foreign, **chosen)
    assert (run.code, run.results()) == (0, {ARN: "done"})
    assert {call[-1] for call in aws.calls} == {"--output=text"}
    own = "LC_ALL=C", "AWS_PAGER=", "AWS_CLI_AUTO_PROMPT=off", "AWS_CLI_ERROR_FORMAT=legacy"
    lines = seen.read_text().splitlines()
    for each in ("AWS_PROFILE=security", *own):
        assert lines.count(each) == len(aws.calls)


@pytest.mark.no_cover
@pytest.mark.parametrize("mode", PREVIEW_AND_APPLY)
@pytest.mark.parametrize(
    ("now", "message"),
    [
        (
            BASELINE - SECOND,
            "was confirmed at 2026-05-01T12:00:30Z, but it is 2026-05-01T12:00:29Z",
        ),
        (BASELINE, ""),
        (BASELINE + 45 * DAY, ""),
        (BASELINE + 45 * DAY + SECOND, "was confirmed at 2026-05-01T12:00:30Z, too long ago"),
        (BASELINE.replace(year=2036), "too long ago"),
        (BASELINE.replace(year=1970), "but it is 1970-05-01T12:00:30Z now. Correct the clock."),
    ],
)
def test_a_plan_of_the_future_and_one_that_is_too_old_do_nothing(
    aws: AwsStub, shell: str, now: datetime, message: str, mode: dict[str, str]
) -> None:
    aws.now = now
    run = aws.apply(shell, removal(), **mode)
    if not message:
        assert run.code == 0
        return
    refused(aws, run, message)
    assert f"{ARN} was" in run.messages
    assert "Plan again from a newer report" in run.messages


def test_the_age_of_a_plan_can_be_chosen(aws: AwsStub, shell: str) -> None:
    script = removal_script([removal()], ledgers=LEDGERS, max_age_days=9)
    refused(aws, aws.run(shell, script), "too long ago")
    script = removal_script([removal()], ledgers=LEDGERS, max_age_days=10)
    assert aws.run(shell, script).code == 0


LATER = removal(confirmed=NOW + SECOND)


@pytest.mark.parametrize(
    "other",
    [
        removal("late", confirmed=NOW + SECOND),
        removal("old", baseline=NOW - 46 * DAY, confirmed=NOW - 46 * DAY),
        removal(arn="arn:aws:iam::000000000001:user/elsewhere", confirmed=NOW + SECOND),
    ],
)
def test_one_user_is_enough_to_stop_the_plan(aws: AwsStub, shell: str, other: Removal) -> None:
    refused(aws, aws.apply(shell, removal(), other), "Plan again from a newer report")


def test_a_newer_report_that_confirmed_a_user_makes_an_old_plan_valid(
    aws: AwsStub, shell: str
) -> None:
    aws.now = BASELINE + 100 * DAY
    refused(aws, aws.apply(shell, removal()), "too long ago")
    assert aws.apply(shell, removal(confirmed=BASELINE + 90 * DAY)).code == 0


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "value",
    ["yes", "YES", "no", "1", "0", ACCOUNT[:-1], f"{ACCOUNT} ", f"{ACCOUNT}0", "444455556666", "*"],
)
def test_apply_must_be_the_number_of_the_account(aws: AwsStub, shell: str, value: str) -> None:
    run = aws.apply(shell, removal(), APPLY=value)
    assert (run.code, run.output, run.log, aws.changes()) == (2, "", [], [])
    assert run.messages == (
        f"Nothing done: APPLY={value}, but the credentials are of account {ACCOUNT}:"
        f" APPLY={ACCOUNT} applies\n"
    )


def test_an_empty_apply_is_a_preview(aws: AwsStub, shell: str) -> None:
    run = aws.apply(shell, removal(), APPLY="")
    assert (run.code, aws.changes()) == (0, [])
    assert run.output.startswith(
        f"Account aws:{ACCOUNT}. Preview: nothing is changed; APPLY={ACCOUNT} makes the changes.\n"
    )


def test_a_script_that_is_no_file_does_nothing(aws: AwsStub, shell: str) -> None:
    script = removal_script([removal()], ledgers=LEDGERS)
    (aws.folder / "piped").write_text(script)
    run = aws.run(shell, f"{shell} <piped", APPLY=ACCOUNT)
    refused(aws, run, "run this script as a file: sh FILE")


def three_users(aws: AwsStub) -> list[Removal]:
    names = "ann", "bob", "carl"
    users = [removal(name, created=CREATED + n * SECOND) for n, name in enumerate(names)]
    for each in users:
        exists(aws.account, each)
    return users


def other_account(aws: AwsStub) -> None:
    aws.account.account = "444455556666"
    aws.account.caller = "arn:aws:sts::444455556666:assumed-role/admin/session"


def expired(aws: AwsStub) -> None:
    aws.account.refusals["get-caller-identity"] = "ExpiredToken"


@pytest.mark.no_cover
@pytest.mark.parametrize("event", [other_account, expired])
@pytest.mark.parametrize("moment", ["get-user bob", "list-user-policies bob"])
def test_other_and_expired_credentials_end_the_run_before_the_next_change(
    aws: AwsStub, shell: str, event: Any, moment: str
) -> None:
    users = three_users(aws)
    aws.account.meanwhile[moment] = lambda: event(aws)
    run = aws.apply(shell, *users)
    assert run.code == 1
    assert run.results() == {users[0].arn: "done", users[1].arn: "failed"}
    assert aws.changes() == [["delete-user", "--user-name=ann"]]
    assert "\ndone 1, gone before 0, skipped 0, failed 1\n" in run.messages
    says = (
        "are of aws:444455556666 now, not of"
        if event is other_account
        else "are no longer valid: An"
    )
    assert f"Stopped: the credentials {says}" in run.messages
    assert run.messages.endswith("Run this script again: it goes on where it stopped.\n")
    assert len(aws.backups()) == 1


@pytest.mark.parametrize("event", [other_account, expired])
def test_a_user_who_is_not_there_in_another_account_is_not_gone(
    aws: AwsStub, shell: str, event: Any
) -> None:
    users = [removal("ann"), removal("bob")]

    def happens() -> None:
        aws.account.users.clear()
        event(aws)

    aws.account.meanwhile["get-user ann"] = happens
    run = aws.apply(shell, *users)
    assert (run.code, run.results(), aws.changes()) == (1, {users[0].arn: "failed"}, [])


@pytest.mark.no_cover
@pytest.mark.parametrize("event", [other_account, expired])
def test_a_change_of_what_is_not_there_in_another_account_is_not_done(
    aws: AwsStub, shell: str, event: Any
) -> None:
    users = three_users(aws)

    def happens() -> None:
        aws.account.users.clear()
        event(aws)

    aws.account.meanwhile["delete-user bob"] = happens
    run = aws.apply(shell, *users)
    assert (run.code, run.results()) == (1, {users[0].arn: "done", users[1].arn: "failed"})
    assert [line["result"] for line in run.log if line["step"] == "delete-user"][-1] == "failed"


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("version", "code", "also"),
    [
        (1, "AccessDenied", None),
        (2, "AccessDeniedException", None),
        (1, "ExpiredToken", "get-caller-identity"),
        (2, "InvalidClientTokenId", "get-caller-identity"),
    ],
)
def test_a_change_that_is_denied_ends_the_run(
    aws: AwsStub, shell: str, version: int, code: str, also: str | None
) -> None:
    _, bob, carl = three_users(aws)
    aws.account.version = version

    def happens() -> None:
        aws.account.refusals["delete-user"] = code
        aws.account.refusals.update({also: code} if also else {})

    aws.account.meanwhile["delete-user bob"] = happens
    run = aws.apply(shell, bob, carl)
    assert (run.code, run.results()) == (1, {bob.arn: "failed"})
    assert f"({code})" in run.log[-2]["detail"]
    assert f"({code})" in run.messages
    assert aws.changes() == [["delete-user", "--user-name=bob"]]


def test_a_read_that_is_denied_ends_its_user_alone(aws: AwsStub, shell: str) -> None:
    users = three_users(aws)
    for call in ("get-user ann", "list-groups-for-user bob"):
        aws.account.refusals[call] = "AccessDenied"
    run = aws.apply(shell, *users)
    assert (run.code, [*run.results().values()]) == (1, ["failed", "failed", "done"])


def test_expired_credentials_end_the_preview_too(aws: AwsStub, shell: str) -> None:
    users = three_users(aws)

    def happens() -> None:
        expired(aws)
        aws.account.refusals["get-user"] = "ExpiredToken"

    aws.account.meanwhile["get-user bob"] = happens
    run = aws.preview(shell, *users)
    assert (run.code, run.output.count("would be done")) == (1, 1)
    assert "would be done 1, gone before 0, skipped 0, failed 1\n" in run.messages


def test_credentials_that_do_not_work_do_nothing(aws: AwsStub, shell: str) -> None:
    expired(aws)
    run = aws.apply(shell, removal())
    assert (run.code, run.log, run.output, len(aws.calls)) == (2, [], "", 1)
    assert run.messages.startswith("Nothing done: An error occurred (ExpiredToken) when calling")


def test_nobody_removes_the_user_that_runs_the_script_by_now(aws: AwsStub, shell: str) -> None:
    aws.account.meanwhile["list-user-policies"] = lambda: setattr(aws.account, "caller", ARN)
    run = aws.apply(shell, removal())
    assert (run.results(), aws.changes()) == ({ARN: "skipped"}, [])


@pytest.mark.no_cover
def test_an_interrupted_script_says_what_was_done(aws: AwsStub, shell: str) -> None:
    users = three_users(aws)
    aws.kill_at, aws.kill_by = ("after", 2), signal.SIGTERM
    run = aws.apply(shell, *users)
    assert run.code == 1
    assert "\ndone 1, gone before 0, skipped 0, failed 0\n" in run.messages
    assert "Stopped: interrupted." in run.messages
    assert run.log[-1]["result"] == "begin"
    assert not list(aws.folder.glob("tmp.*"))
    again = aws.apply(shell, *users)
    assert (again.code, [*again.results().values()]) == (0, ["gone", "gone", "done"])


def test_the_log_says_who_did_what_by_which_script_and_decision(aws: AwsStub, shell: str) -> None:
    run = aws.apply(shell, removal(ticket="OPS-1"))
    script = (aws.folder / "script.sh").read_bytes()
    (name,) = {line["run"] for line in run.log}
    assert name.startswith("20260511T120030Z-")
    assert run.log[2] == {
        "time": "2026-05-11T12:00:30Z",
        "run": name,
        "account": ACCOUNT,
        "caller": ADMIN,
        "script_sha256": sha256(script).hexdigest(),
        "ledger_sha256": LEDGERS[0].sha256,
        "decision": "delete",
        "decided_by": "Ann",
        "decided_on": "2026-05-02",
        "ticket": "OPS-1",
        "user": "bob",
        "arn": ARN,
        "created": stated(CREATED),
        "step": "delete-user",
        "result": "begin",
        "detail": "bob",
    }


def test_each_run_adds_to_the_log_under_a_name_of_its_own(aws: AwsStub, shell: str) -> None:
    first = aws.apply(shell, removal()).log
    both = aws.apply(shell, removal()).log
    assert both[: len(first)] == first
    assert len({line["run"] for line in both}) == 2


TORN = HEADER + '"2026-05-11T12:00:30Z","a,b","1111","x ""y"" z"\n'


IN_QUOTES = TORN.index('y""')


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "cut",
    [
        *(0, len(HEADER) - 1, len(HEADER), len(HEADER) + 1),
        *range(IN_QUOTES, IN_QUOTES + 4),
        *range(len(TORN) - 2, len(TORN) + 1),
    ],
)
def test_a_line_that_a_kill_cut_off_is_closed_first(aws: AwsStub, shell: str, cut: int) -> None:
    (aws.folder / LOG).write_text(TORN[:cut])
    aws.account.users["bob"].tags.append("credreport:keep")
    run = aws.apply(shell, removal())
    assert [line["step"] for line in run.log] == ["start", "end"]


FOREIGN = (
    *("\n", "a,b\n1,2\n", "#!/bin/sh\n"),
    *(HEADER.replace('"', ""), HEADER.replace("\n", "\r\n"), HEADER[:20]),
)


@pytest.mark.no_cover
@pytest.mark.parametrize("name", [LOG, UNDO])
@pytest.mark.parametrize(("mode", "text"), [*zip(cycle(PREVIEW_AND_APPLY), FOREIGN, strict=False)])
def test_a_file_that_is_not_of_the_script_is_left_alone(
    aws: AwsStub, name: str, text: str, mode: dict[str, str]
) -> None:
    file = aws.folder / name
    file.write_bytes(text.encode())
    run = aws.apply("sh", removal(), **mode)
    refused(aws, run, f"./{name} was not written by this version of the script")
    assert "REMOVAL_LOG=PATH" in run.messages
    assert file.read_bytes() == text.encode()


@pytest.mark.parametrize("name", [LOG, UNDO])
def test_a_folder_is_no_file_of_the_script(aws: AwsStub, shell: str, name: str) -> None:
    (aws.folder / name).mkdir()
    refused(aws, aws.apply(shell, removal()), f"./{name} was not written by this version")


@pytest.mark.parametrize("log", ["absent/log.csv", "taken.csv"])
def test_without_a_log_or_a_folder_for_backups_nothing_is_done(
    aws: AwsStub, shell: str, log: str
) -> None:
    (aws.folder / "taken.csv.backup").touch()
    run = aws.apply(shell, removal(), REMOVAL_LOG=log)
    assert (run.code, run.output, aws.changes()) == (2, "", [])
    assert "Nothing done: cannot write to " in run.messages


def test_without_the_log_the_run_ends_before_the_next_change(aws: AwsStub, shell: str) -> None:
    users = three_users(aws)
    log = aws.folder / "full.csv"

    def happens() -> None:
        log.unlink()
        log.mkdir()

    aws.account.meanwhile["get-user bob"] = happens
    run = aws.apply(shell, *users, REMOVAL_LOG="full.csv")
    assert (run.code, aws.changes()) == (1, [["delete-user", "--user-name=ann"]])
    assert "Stopped: cannot write to the log ./full.csv" in run.messages
    assert "\ndone 1, gone before 0, skipped 0, failed 0\n" in run.messages


@pytest.mark.no_cover
@pytest.mark.parametrize("name", ["-rf.csv", "a log's.csv", "$(touch stolen)", "sub/removed"])
def test_the_log_may_have_any_name_and_its_files_are_beside_it(
    aws: AwsStub, shell: str, name: str
) -> None:
    (aws.folder / "sub").mkdir()
    each = removal(keys=(ACTIVE_KEY,), decision=Decision.DEACTIVATE)
    exists(aws.account, each)
    for log in (name, str(aws.folder / "absolute" / name)):
        Path(aws.folder, log).parent.mkdir(parents=True, exist_ok=True)
        aws.account.users["bob"].lists["list-access-keys"][0][0] = "Active"
        assert aws.apply(shell, each, REMOVAL_LOG=log).code == 0
        file = aws.folder / log
        assert file.read_text().startswith(HEADER)
        assert len([*file.with_name(f"{file.name}.backup").iterdir()]) == 1
        assert file.with_name(f"undo-{file.name.removesuffix('.csv')}.sh").is_file()
    assert not list(aws.folder.rglob("stolen"))


@pytest.mark.parametrize("decision", REMOVALS)
def test_a_user_is_saved_before_it_is_changed(aws: AwsStub, shell: str, decision: Decision) -> None:
    each = removal(**EVERYTHING, decision=decision)
    user = exists(aws.account, each)
    attach_permissions(user)
    user.tags.append("team")
    aws.account.meanwhile["delete-login-profile"] = lambda: saved.extend(aws.backups())
    aws.account.meanwhile["update-access-key"] = lambda: saved.extend(aws.backups())
    saved: list[dict[str, Any]] = []
    assert aws.apply(shell, each).code == 0
    assert saved[0] == aws.backups()[0]
    assert saved[0]["get-user"] == {"Arn": ARN, "Tags": ["team"]}
    assert [*saved[0]] == [
        "get-user",
        "get-login-profile",
        "list-access-keys",
        "list-signing-certificates",
        "list-ssh-public-keys",
        "list-service-specific-credentials",
        "list-mfa-devices",
        "list-groups-for-user",
        "list-attached-user-policies",
        "get-user-policy",
    ]
    assert {name: len(saved[0][name]) for name in [*saved[0]][2:]} == {
        "list-access-keys": 2,
        "list-signing-certificates": 1,
        "list-ssh-public-keys": 1,
        "list-service-specific-credentials": 2,
        "list-mfa-devices": 1,
        "list-groups-for-user": 1,
        "list-attached-user-policies": 1,
        "get-user-policy": 2,
    }
    assert [policy["PolicyName"] for policy in saved[0]["get-user-policy"]] == ["None", "-x"]


def test_backups_log_and_undo_file_are_private(aws: AwsStub, shell: str) -> None:
    each = removal(**EVERYTHING, decision=Decision.DEACTIVATE)
    exists(aws.account, each)
    assert aws.apply(shell, each).code == 0
    folder = aws.folder / f"{LOG}.backup"
    assert folder.stat().st_mode & 0o777 == 0o700
    for file in (*folder.iterdir(), aws.folder / LOG, aws.folder / UNDO):
        assert file.stat().st_mode & 0o777 == 0o600


def test_a_user_that_cannot_be_saved_is_not_changed(aws: AwsStub, shell: str) -> None:
    long, last = removal("x" * 260), removal("y")
    exists(aws.account, long)
    exists(aws.account, last)
    run = aws.apply(shell, long, last)
    assert (run.code, run.messages) == (1, "")
    assert run.results() == {long.arn: "failed", last.arn: "done"}
    assert run.log[1]["detail"].startswith(f"cannot write the backup ./{LOG}.backup/20260511T")
    assert aws.changes() == [["delete-user", "--user-name=y"]]


@pytest.mark.no_cover
def test_a_backup_is_never_written_over(aws: AwsStub, shell: str) -> None:
    each = removal(**EVERYTHING, decision=Decision.DEACTIVATE)
    exists(aws.account, each)
    assert [aws.apply(shell, each).code for _ in range(2)] == [0, 0]
    assert len(aws.backups()) == 2
    script = removal_script([each], ledgers=LEDGERS).replace("-$$", "-same")
    assert aws.run(shell, script, APPLY=ACCOUNT).code == 0
    saved = aws.backups()
    again = aws.run(shell, script, APPLY=ACCOUNT)
    assert again.log[-1]["detail"].startswith("cannot write the backup ")
    assert (again.code, aws.backups()) == (1, saved)


ACTIVE_EVERYWHERE = (
    "list-access-keys",
    "list-ssh-public-keys",
    "list-service-specific-credentials",
)


def test_what_was_deactivated_can_be_reactivated_by_the_undo_file(aws: AwsStub, shell: str) -> None:
    each = removal(**EVERYTHING, decision=Decision.DEACTIVATE)
    user = exists(aws.account, each)
    attach_permissions(user)
    for name in ACTIVE_EVERYWHERE:
        user.lists[name][0][0] = "Active"
    before = aws.account.copy()
    assert aws.apply(shell, each).code == 0
    assert aws.undo() == [
        f"aws iam update-{kind} --user-name='bob' --{kind}-id='{name}' --status=Active # {ARN}"
        for kind, name in (
            ("access-key", "AKIA0bob"),
            ("ssh-public-key", "APKA1"),
            ("service-specific-credential", "ACCA1"),
        )
    ]
    head = (aws.folder / UNDO).read_text().partition("\naws ")[0]
    assert "# Passwords do not come back: set new ones." in head
    assert all(line.startswith("# ") for line in head.splitlines())
    aws.run(shell, f"{shell} {UNDO} </dev/null")
    user.password = stated(PASSWORD_CHANGED)
    assert aws.account.copy() == before


def test_a_deletion_leaves_no_undo_file(aws: AwsStub) -> None:
    assert aws.apply("sh", removal()).code == 0
    assert not (aws.folder / UNDO).exists()


def test_without_a_way_back_nothing_is_deactivated(aws: AwsStub, shell: str) -> None:
    each = removal(**EVERYTHING, decision=Decision.DEACTIVATE)
    exists(aws.account, each)
    aws.account.meanwhile["list-user-policies"] = (aws.folder / UNDO).mkdir
    run = aws.apply(shell, each)
    assert (run.code, aws.changes()) == (1, [])
    assert f"Stopped: cannot write to ./{UNDO}" in run.messages


def test_a_line_of_the_undo_file_that_a_kill_cut_off_is_dropped(aws: AwsStub, shell: str) -> None:
    each = removal(**EVERYTHING, decision=Decision.DEACTIVATE)
    user = exists(aws.account, each)
    assert aws.apply(shell, each).code == 0
    text = (aws.folder / UNDO).read_text()
    (aws.folder / UNDO).write_text(text + "aws iam update-access-key --user-name='x")
    user.lists["list-access-keys"][0][0] = "Active"
    assert aws.apply(shell, each).code == 0
    lines = text.splitlines(keepends=True)
    assert (aws.folder / UNDO).read_text() == text + lines[-1]


@pytest.mark.no_cover
def test_every_user_done_or_gone_is_0_and_each_other_end_is_1(aws: AwsStub, shell: str) -> None:
    gone, kept, failing = removal("gone", created=CREATED - DAY), removal("kept"), removal("no")
    for each in (kept, failing):
        exists(aws.account, each)
    aws.account.users["kept"].tags.append("credreport:keep")
    aws.account.refusals["get-login-profile no"] = "Throttling"
    for users, code in (
        ([removal(), gone], 0),
        ([kept], 1),
        ([failing], 1),
        ([removal(), gone, kept, failing], 1),
    ):
        assert aws.preview(shell, *users).code == code
    for users, code in (([kept], 1), ([failing], 1), ([removal(), gone], 0)):
        assert aws.apply(shell, *users).code == code
