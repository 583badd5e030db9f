"""The script does nothing that it was not planned for, and leaves a record of all that it does."""

import re
import shutil
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from analyzer.decisions.decision import Decision
from analyzer.decisions.plan import FUNCTIONS, removal_script
from analyzer.decisions.removal_log import LOG_COLUMNS
from analyzer.report.model import FileReference
from tests.support.aws_account import ACCOUNT, ADMIN, DOCUMENT, stated
from tests.support.aws_stub import LEDGER, LEDGERS, LOG, UNDO, AwsStub, ScriptRun
from tests.support.removals import (
    BASELINE,
    CREATED,
    DELETABLE,
    EVERYTHING,
    NOW,
    PASSWORD_CHANGED,
    SECOND,
    SERVICE,
    SHELLS,
    Removal,
    attach_permissions,
    born,
    device,
    exists,
    removal,
    turn,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time

BOB = removal()
ARN = BOB.arn
IDLE = removal(**EVERYTHING, decision=Decision.DEACTIVATE)
HEADER = ",".join(f'"{column}"' for column in LOG_COLUMNS) + "\n"
DAY = timedelta(days=1)
OTHER_ACCOUNT = "444455556666"


@pytest.fixture
def bob(aws: AwsStub) -> AwsStub:
    """Be signed in to an account with one user, who may be deleted."""
    exists(aws.account, BOB)
    return aws


def refused(aws: AwsStub, run: ScriptRun, message: str) -> None:
    """Check that nothing was done, asked or written."""
    assert (run.code, run.output, aws.calls) == (2, "", [])
    assert run.messages.startswith("Nothing done: ")
    assert message in run.messages
    assert not (aws.folder / f"{LOG}.backup").exists()


def test_nothing_is_done_without_the_ledgers_or_by_others(bob: AwsStub) -> None:
    lost = FileReference(name="a/lost.csv", sha256=LEDGERS[0].sha256)
    script = removal_script([BOB], ledgers=[*LEDGERS, lost])
    where = f"{bob.folder}/lost.csv is missing. If it is elsewhere: LEDGER_FOLDER=PATH"
    for mode in ("", ACCOUNT):
        refused(bob, bob.run(script, APPLY=mode), where)
    for other in (LEDGER[:-1], LEDGER.replace(b"\n", b"\r\n"), b""):
        (bob.folder / "decisions.csv").write_bytes(other)
        message = "decisions.csv is not the one that this script was planned from. Plan again"
        refused(bob, bob.apply(BOB), message)


def test_each_of_several_ledgers_counts_and_they_may_be_in_another_folder(bob: AwsStub) -> None:
    folder = bob.folder / "a folder's"
    folder.mkdir()
    second = b"decision\nkeep\n"
    for name, content in (("decisions.csv", LEDGER), ("more.csv", second)):
        (folder / name).write_bytes(content)
    (bob.folder / "decisions.csv").write_bytes(b"another")
    more = FileReference(name="more.csv", sha256=sha256(second).hexdigest())
    script = removal_script([BOB], ledgers=[more, *LEDGERS])
    run = bob.run(script, APPLY=ACCOUNT, LEDGER_FOLDER=str(folder))
    assert run.code == 0
    assert {line["ledger_sha256"] for line in run.log} == {f"{more.sha256} {LEDGERS[0].sha256}"}
    (folder / "more.csv").write_bytes(LEDGER)
    bob.calls.clear()
    again = bob.run(script, APPLY=ACCOUNT, LEDGER_FOLDER=str(folder))
    assert (again.code, bob.calls) == (2, [])


FILE_TOOLS = ("basename", "dirname", "head", "mkdir", "mktemp", "rm", "tail")
TOOLS = FILE_TOOLS + ("cut", "date", "expr", "grep", "sed", "sh", "sort", "tr")


def with_tools(aws: AwsStub, *tools: str) -> ScriptRun:
    """Apply with these programs alone."""
    programs = aws.folder / "bin"
    for tool in set(tools) | {aws.shell, "perl"}:
        if not (programs / tool).exists():
            (programs / tool).symlink_to(str(shutil.which(tool)))
    aws.shell = str(shutil.which(aws.shell))
    return aws.apply(BOB, PATH=str(programs))


@pytest.mark.parametrize("program", ["sha256sum", "shasum", "openssl"])
def test_each_program_for_hashes_will_do(bob: AwsStub, program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    run = with_tools(bob, *TOOLS, program)
    assert (run.code, run.messages) == (0, "")
    script = (bob.folder / "script.sh").read_bytes()
    assert {line["script_sha256"] for line in run.log} == {sha256(script).hexdigest()}


def test_without_the_aws_cli_or_a_program_for_hashes_nothing_is_done(bob: AwsStub) -> None:
    run = with_tools(bob, *TOOLS)
    refused(bob, run, "none of sha256sum, shasum and openssl is installed")
    (bob.folder / "bin" / "aws").unlink()
    run = with_tools(bob, *TOOLS, "sha256sum")
    refused(bob, run, "the AWS CLI (aws) is not installed")


class Full(NamedTuple):
    """Hold a run that deactivates ann and deletes bob, who both have everything.

    `saved` are the backups as they were before the first change of each.
    """

    aws: AwsStub
    run: ScriptRun
    before: Any
    saved: list[list[dict[str, Any]]]


def full_run(folder: Path, shell: str, **variables: str) -> Full:
    aws, saved = AwsStub(folder, shell, now=NOW), list[list[dict[str, Any]]]()
    state = EVERYTHING | {"services": SERVICE}
    ann = removal("ann", **state, decision=Decision.DEACTIVATE, ticket="SEC 1, 2")
    for each in (ann, removal(**DELETABLE)):
        user = exists(aws.account, each)
        attach_permissions(user)
        user.tags.append("team")
        if each is ann:
            turn(user, "Active")
    for first in ("update-access-key ann", "delete-user-policy bob"):
        aws.account.meanwhile[first] = lambda: saved.append(aws.backups())
    before = aws.account.copy()
    run = aws.apply(ann, removal(**DELETABLE), **variables)
    assert (run.code, run.messages) == (0, "")
    return Full(aws, run, before, saved)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Full:
    return full_run(tmp_path_factory.mktemp("full"), "bash")


OWN_NAMES = sorted(set(re.findall(r"\b([a-z_]+)=", FUNCTIONS)))
"""The variables of the script."""

EXPORTED: tuple[dict[str, str], ...] = (
    dict.fromkeys(OWN_NAMES, "1") | {"SHELLOPTS": "noglob:nounset", "CDPATH": "/"},
    {"IFS": "aei:/-T,=", "SHELLOPTS": "errexit", "POSIXLY_CORRECT": "1", "LC_TIME": "de"},
)
"""Variables and options of a shell, and what its tools may read."""


def test_what_the_shell_exports_changes_nothing(full: Full, tmp_path: Path) -> None:
    def outcome(aws: AwsStub, run: ScriptRun) -> tuple[Any, ...]:
        lines = [(line["step"], line["result"], line["ticket"]) for line in run.log]
        return run.output, lines, aws.changes(), aws.undo()

    for shell, variables in zip(("dash", "bash"), EXPORTED, strict=True):
        (tmp_path / shell).mkdir()
        other = full_run(tmp_path / shell, shell, **variables)
        assert outcome(other.aws, other.run) == outcome(full.aws, full.run)


def test_the_profile_is_the_shells_and_the_form_of_answers_the_scripts(bob: AwsStub) -> None:
    program, seen = bob.folder / "bin" / "aws", bob.folder / "seen"
    program.rename(program.with_name("stub"))
    program.write_text(f"#!/bin/sh\nenv >>'{seen}'\nexec stub \"$@\"\n")
    program.chmod(0o755)
    foreign = {"AWS_PAGER": "less", "AWS_CLI_AUTO_PROMPT": "on", "AWS_CLI_ERROR_FORMAT": "json"}
    chosen = {"AWS_PROFILE": "security", "AWS_DEFAULT_OUTPUT": "json"}
    run = bob.apply(BOB, LC_ALL="de_DE.UTF-8", **foreign, **chosen)
    assert (run.code, run.results()) == (0, {ARN: "done"})
    assert {call[-1] for call in bob.calls} == {"--output=text"}
    own = "LC_ALL=C", "AWS_PAGER=", "AWS_CLI_AUTO_PROMPT=off", "AWS_CLI_ERROR_FORMAT=legacy"
    lines = seen.read_text().splitlines()
    for each in ("AWS_PROFILE=security", *own):
        assert lines.count(each) == len(bob.calls)


CONFIRMED = "was confirmed at 2026-05-01T12:00:30Z, "
DAY_60 = datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC)
LATE = "was decided on a report of too long ago: it could be carried out until 2026-06-30T23:59:59Z"
AGES: tuple[tuple[datetime, datetime, str], ...] = (
    (BASELINE - SECOND, BASELINE, f"{CONFIRMED}but it is 2026-05-01T12:00:29Z"),
    (BASELINE, BASELINE, ""),
    (DAY_60, BASELINE, ""),
    (DAY_60 + SECOND, BASELINE, LATE),
    (DAY_60 + SECOND, BASELINE + 60 * DAY, LATE),
    (BASELINE.replace(year=2036), BASELINE, LATE),
    (BASELINE.replace(year=1970), BASELINE, "but it is 1970-05-01T12:00:30Z now. Correct the"),
)
"""What the clock says, when a report confirmed the user, and what is said."""


def test_a_plan_of_the_future_and_one_that_is_too_old_do_nothing(bob: AwsStub) -> None:
    for bob.now, confirmed, message in AGES:
        bob.calls.clear()
        script = removal_script([removal(confirmed=confirmed)], ledgers=LEDGERS)
        run = bob.run(script)
        if message:
            refused(bob, run, message)
        else:
            assert run.code == 0, bob.now


@pytest.mark.parametrize("arn", [f"{ARN}2", "arn:aws:iam::000000000001:user/elsewhere"])
def test_one_user_is_enough_to_stop_the_plan(bob: AwsStub, arn: str) -> None:
    late = removal(arn=arn, confirmed=NOW + SECOND)
    refused(bob, bob.apply(BOB, late), f"{arn} was confirmed at 2026-05-11T12:00:31Z")


def test_apply_must_be_the_number_of_the_account_and_if_empty_is_a_preview(bob: AwsStub) -> None:
    for value in ("yes", "1", ACCOUNT[:-1], f"{ACCOUNT} ", OTHER_ACCOUNT, "*"):
        run = bob.apply(BOB, APPLY=value)
        assert (run.code, run.output, run.log, bob.changes()) == (2, "", [], [])
        why = f"APPLY={value}, but the credentials are of account {ACCOUNT}"
        assert run.messages == f"Nothing done: {why}: APPLY={ACCOUNT} applies\n"
    run = bob.apply(BOB, APPLY="")
    assert (run.code, bob.changes()) == (0, [])
    how = f"Preview: nothing is changed; APPLY={ACCOUNT} makes the changes.\n"
    assert run.output.startswith(f"Account aws:{ACCOUNT}. {how}")


def test_a_script_that_is_no_file_does_nothing(bob: AwsStub) -> None:
    (bob.folder / "piped").write_text(removal_script([BOB], ledgers=LEDGERS))
    run = bob.run(f"{bob.shell} <piped", APPLY=ACCOUNT)
    refused(bob, run, "run this script as a file: sh FILE")


def three_users(aws: AwsStub) -> list[Removal]:
    users = [removal(name, created=CREATED + n * SECOND) for n, name in enumerate(NAMES)]
    for each in users:
        exists(aws.account, each)
    return users


NAMES = "ann", "bob", "carl"
ANN_DELETED = [["delete-user", "--user-name=ann"]]


def other_account(aws: AwsStub) -> None:
    aws.account.account = OTHER_ACCOUNT
    aws.account.caller = f"arn:aws:sts::{OTHER_ACCOUNT}:assumed-role/admin/session"


def expired(aws: AwsStub) -> None:
    aws.account.refusals["get-caller-identity"] = "ExpiredToken"


@pytest.mark.parametrize(
    ("event", "said"),
    [(other_account, "are of aws:444455556666 now, not of"), (expired, "are no longer valid: An")],
)
@pytest.mark.parametrize("moment", ["get-user bob", "list-user-policies bob"])
def test_other_and_expired_credentials_end_the_run_before_the_next_change(
    aws: AwsStub, event: Callable[[AwsStub], None], said: str, moment: str
) -> None:
    users = three_users(aws)
    aws.account.meanwhile[moment] = lambda: event(aws)
    run = aws.apply(*users)
    assert (run.code, aws.changes(), len(aws.backups())) == (1, ANN_DELETED, 1)
    assert run.results() == {users[0].arn: "done", users[1].arn: "failed"}
    assert "\ndone 1, gone before 0, skipped 0, failed 1\n" in run.messages
    assert f"Stopped: the credentials {said}" in run.messages
    assert run.messages.endswith("Run this script again: it goes on where it stopped.\n")


@pytest.mark.parametrize(
    ("moment", "logged"), [("get-user bob", []), ("delete-user bob", ["begin", "failed"])]
)
def test_what_is_not_there_in_another_account_is_neither_gone_nor_done(
    aws: AwsStub, moment: str, logged: list[str]
) -> None:
    def happens() -> None:
        aws.account.users.clear()
        other_account(aws)

    users = three_users(aws)
    aws.account.meanwhile[moment] = happens
    run = aws.apply(*users)
    assert (run.code, run.results()) == (1, {users[0].arn: "done", users[1].arn: "failed"})
    steps = [line["result"] for line in run.log if line["step"] == "delete-user"]
    assert steps == ["begin", "ok", *logged]


@pytest.mark.parametrize(
    ("version", "code"),
    [(1, "AccessDenied"), (2, "AccessDeniedException"), (1, "ExpiredToken")],
)
def test_a_change_that_is_denied_ends_the_run(aws: AwsStub, code: str) -> None:
    _, bob, carl = three_users(aws)
    denied = ("delete-user", "get-caller-identity") if code == "ExpiredToken" else ("delete-user",)
    refusals = dict.fromkeys(denied, code)
    aws.account.meanwhile["delete-user bob"] = lambda: aws.account.refusals.update(refusals)
    run = aws.apply(bob, carl)
    assert (run.code, run.results()) == (1, {bob.arn: "failed"})
    assert (f"({code})" in run.log[-2]["detail"], f"({code})" in run.messages) == (True, True)
    assert aws.changes() == [["delete-user", "--user-name=bob"]]


def test_expired_credentials_end_the_preview_too(aws: AwsStub) -> None:
    users = three_users(aws)
    refusals = dict.fromkeys(("get-user", "get-caller-identity"), "ExpiredToken")
    aws.account.meanwhile["get-user bob"] = lambda: aws.account.refusals.update(refusals)
    run = aws.preview(*users)
    assert (run.code, run.output.count("would be done")) == (1, 1)
    assert "would be done 1, gone before 0, skipped 0, failed 1\n" in run.messages


def test_credentials_that_do_not_work_do_nothing(bob: AwsStub) -> None:
    expired(bob)
    run = bob.apply(BOB)
    assert (run.code, run.log, run.output, len(bob.calls)) == (2, [], "", 1)
    assert run.messages.startswith("Nothing done: An error occurred (ExpiredToken) when calling")


def test_an_interrupted_script_says_what_was_done(aws: AwsStub) -> None:
    users = three_users(aws)
    aws.kill_at, aws.kill_by = ("after", 2), signal.SIGTERM
    run = aws.apply(*users)
    assert (run.code, run.log[-1]["result"]) == (1, "begin")
    assert "\ndone 1, gone before 0, skipped 0, failed 0\n" in run.messages
    assert "Stopped: interrupted." in run.messages
    assert not list(aws.folder.glob("tmp.*"))
    again = aws.apply(*users)
    assert (again.code, list(again.results().values())) == (0, ["gone", "gone", "done"])


def test_the_log_says_who_did_what_by_which_script_and_decision(full: Full) -> None:
    line = full.run.log[2]
    assert line.pop("run").startswith("20260511T120030Z-")
    assert line == {
        "time": "2026-05-11T12:00:30Z",
        "account": ACCOUNT,
        "caller": ADMIN,
        "script_sha256": sha256((full.aws.folder / "script.sh").read_bytes()).hexdigest(),
        "ledger_sha256": LEDGERS[0].sha256,
        "decision": "deactivate",
        "decided_by": "Ann",
        "decided_on": "2026-05-02",
        "ticket": "SEC 1, 2",
        "user": "ann",
        "arn": f"arn:aws:iam::{ACCOUNT}:user/ann",
        "created": stated(born("ann")),
        "step": "update-access-key",
        "result": "begin",
        "detail": "AKIA0ann",
    }


def test_each_run_adds_to_the_log_under_a_name_of_its_own(bob: AwsStub) -> None:
    first = bob.apply(BOB).log
    both = bob.apply(BOB).log
    assert both[: len(first)] == first
    assert len({line["run"] for line in both}) == 2


TORN = HEADER + '"2026-05-11T12:00:30Z","a,b","1111","x ""y"" z"\n'
IN_QUOTES = TORN.index('y""')
CUTS = (0, len(HEADER) - 1, len(HEADER), IN_QUOTES, IN_QUOTES + 2, len(TORN) - 1, len(TORN))


def test_a_line_that_a_kill_cut_off_is_closed_first(bob: AwsStub) -> None:
    bob.account.users["bob"].tags.append("credreport:keep")
    for cut in CUTS:
        (bob.folder / LOG).write_text(TORN[:cut])
        run = bob.apply(BOB)
        assert [line["step"] for line in run.log] == ["start", "end"], cut


@pytest.mark.parametrize("name", [LOG, UNDO])
def test_a_file_that_is_not_of_the_script_is_left_alone(bob: AwsStub, name: str) -> None:
    file = bob.folder / name
    message = f"./{name} was not written by this version of the script. Name another log: REMOVAL_"
    unquoted, windows = HEADER.replace('"', ""), HEADER.replace("\n", "\r\n")
    for text in ("\n", "#!/bin/sh\n", unquoted, windows, HEADER[:20]):
        file.write_bytes(text.encode())
        refused(bob, bob.apply(BOB), message)
        assert file.read_bytes() == text.encode()
    file.unlink()
    file.mkdir()
    refused(bob, bob.preview(BOB), message)


@pytest.mark.parametrize("log", ["absent/log.csv", "taken.csv"])
def test_without_a_log_or_a_folder_for_backups_nothing_is_done(bob: AwsStub, log: str) -> None:
    (bob.folder / "taken.csv.backup").touch()
    run = bob.apply(BOB, REMOVAL_LOG=log)
    assert (run.code, run.output, bob.changes()) == (2, "", [])
    assert "Nothing done: cannot write to " in run.messages


def test_without_the_log_the_run_ends_before_the_next_change(aws: AwsStub) -> None:
    users, log = three_users(aws), aws.folder / "full.csv"

    def happens() -> None:
        log.unlink()
        log.mkdir()

    aws.account.meanwhile["get-user bob"] = happens
    run = aws.apply(*users, REMOVAL_LOG="full.csv")
    assert (run.code, aws.changes()) == (1, ANN_DELETED)
    assert "Stopped: cannot write to the log ./full.csv" in run.messages
    assert "\ndone 1, gone before 0, skipped 0, failed 0\n" in run.messages


def test_the_log_may_have_any_name_and_its_files_are_beside_it(aws: AwsStub) -> None:
    user = exists(aws.account, IDLE)
    absolute = str(aws.folder / "absolute" / "a log's.csv")
    for log in ("-rf.csv", "$(touch stolen)", "sub/removed", absolute):
        file = aws.folder / log
        file.parent.mkdir(exist_ok=True)
        user.lists["list-access-keys"][0][0] = "Active"
        assert aws.apply(IDLE, REMOVAL_LOG=log).code == 0
        assert file.read_text().startswith(HEADER)
        assert len(list(file.with_name(f"{file.name}.backup").iterdir())) == 1
        assert file.with_name(f"undo-{file.name.removesuffix('.csv')}.sh").is_file()
    assert not list(aws.folder.rglob("stolen"))


ATTACHED = {
    "list-access-keys": 2,
    "list-signing-certificates": 1,
    "list-ssh-public-keys": 1,
    "list-service-specific-credentials": 2,
    "list-mfa-devices": 1,
    "list-groups-for-user": 1,
    "list-attached-user-policies": 1,
    "get-user-policy": 2,
}


def test_a_user_is_saved_whole_before_it_is_changed(full: Full) -> None:
    assert full.saved == [full.aws.backups()[:1], full.aws.backups()]
    for name, saved in zip(("ann", "bob"), full.aws.backups(), strict=True):
        arn = f"arn:aws:iam::{ACCOUNT}:user/{name}"
        assert saved.pop("get-user") == {"Arn": arn, "Tags": ["team"]}
        assert saved.pop("get-login-profile") == {"CreateDate": stated(PASSWORD_CHANGED)}
        assert {name: len(items) for name, items in saved.items()} == ATTACHED
        assert [policy["PolicyName"] for policy in saved["get-user-policy"]] == ["None", "-x"]


def test_backups_log_and_undo_file_are_private(full: Full) -> None:
    folder = full.aws.folder / f"{LOG}.backup"
    assert folder.stat().st_mode & 0o777 == 0o700
    for file in (*folder.iterdir(), full.aws.folder / LOG, full.aws.folder / UNDO):
        assert file.stat().st_mode & 0o777 == 0o600


def test_a_user_that_cannot_be_saved_is_not_changed(aws: AwsStub) -> None:
    long, last = removal("x" * 260), removal("y")
    for each in (long, last):
        exists(aws.account, each)
    run = aws.apply(long, last)
    assert (run.code, run.messages) == (1, "")
    assert run.results() == {long.arn: "failed", last.arn: "done"}
    assert run.log[1]["detail"].startswith(f"cannot write the backup ./{LOG}.backup/20260511T")
    assert aws.changes() == [["delete-user", "--user-name=y"]]


def test_a_backup_is_never_written_over(aws: AwsStub) -> None:
    exists(aws.account, IDLE)
    script = removal_script([IDLE], ledgers=LEDGERS).replace("-$$", "-same")
    assert [aws.apply(IDLE).code, aws.run(script, APPLY=ACCOUNT).code] == [0, 0]
    saved = aws.backups()
    again = aws.run(script, APPLY=ACCOUNT)
    assert again.log[-1]["detail"].startswith("cannot write the backup ")
    assert (again.code, len(saved), aws.backups()) == (1, 2, saved)


BACK = (
    ("ann", "update-access-key", "--access-key-id=AKIA0ann", "--status=Active"),
    ("ann", "update-ssh-public-key", "--ssh-public-key-id=APKA1", "--status=Active"),
    (
        "ann",
        "update-service-specific-credential",
        "--service-specific-credential-id=ACCA1",
        "--status=Active",
    ),
    ("bob", "put-user-policy", "--policy-name=None", f"--policy-document={DOCUMENT}"),
    ("bob", "put-user-policy", "--policy-name=-x", f"--policy-document={DOCUMENT}"),
    ("bob", "attach-user-policy", "--policy-arn=arn:aws:iam::aws:policy/ReadOnlyAccess"),
    ("bob", "add-user-to-group", "--group-name=a,b"),
)
"""What the undo file calls, in its order."""

LOST = (
    f"# deactivate arn:aws:iam::{ACCOUNT}:user/ann: what cannot be restored once it is deleted:",
    "#   the password",
    f"# delete {ARN}: what cannot be restored once it is deleted:",
    *("#   the password", "#   SSH public key APKA1", "#   service-specific credential ACCA1"),
    *("#   service-specific credential ACCA2", f"#   MFA device {device('bob')}"),
    *("#   signing certificate CERT0", "#   access key AKIA0bob", "#   access key AKIA1bob"),
    "#   the user itself",
)


def test_the_undo_file_says_what_is_lost_and_restores_the_rest_but_no_deleted_user(
    tmp_path: Path,
) -> None:
    aws, _, before, _ = full_run(tmp_path, "bash")  # of its own: the undo file changes the account
    text = (aws.folder / UNDO).read_text()
    assert [
        line
        for line in text.splitlines()
        if line.startswith(("# delete ", "# deactivate ", "#   "))
    ] == list(LOST)
    aws.run(text.replace(f"restore {ACCOUNT}", "restore 999999999999"))
    assert aws.account.copy()[0]["ann"] != before[0]["ann"]

    aws.calls.clear()
    run = aws.run(f"dash {UNDO} </dev/null")
    assert (run.code, run.messages.count("Not restored: ")) == (1, 4)
    assert (
        f"Not restored: {ACCOUNT} AIDA1 add-user-to-group --user-name=bob --group" in run.messages
    )
    users, _ = aws.account.copy()
    users["ann"].password = stated(PASSWORD_CHANGED)
    assert users == {"ann": before[0]["ann"]}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_user_whose_deletion_is_denied_has_everything_back_but_what_the_undo_file_names(
    aws: AwsStub,
) -> None:
    each = removal(**DELETABLE)
    user = exists(aws.account, each)
    attach_permissions(user)
    before, _ = aws.account.copy()
    aws.account.refusals["delete-user"] = "AccessDenied"
    run = aws.apply(each)
    assert (run.code, run.results()) == (1, {ARN: "failed"})
    del aws.account.refusals["delete-user"]
    aws.calls.clear()
    undone = aws.run(f"{aws.shell} {UNDO} </dev/null")
    assert (undone.code, undone.messages) == (0, "")
    calls = [tuple(call[1:]) for call in aws.calls if call[1] != "get-user"][1:]
    assert calls == [(name, "--user-name=bob", *rest) for who, name, *rest in BACK if who == "bob"]
    assert {name for name in user.lists if user.lists[name] != before["bob"].lists[name]} == (
        {
            "list-access-keys",
            "list-signing-certificates",
            "list-ssh-public-keys",
            "list-service-specific-credentials",
            "list-mfa-devices",
        }
    )
    user.id = "AIDA2"  # created again under the name
    again = aws.run(f"{aws.shell} {UNDO} </dev/null")
    assert (again.code, again.messages.count("Not restored: ")) == (1, 4)


def test_without_a_way_back_nothing_is_deactivated(aws: AwsStub) -> None:
    exists(aws.account, IDLE)
    aws.account.meanwhile["list-user-policies"] = (aws.folder / UNDO).mkdir
    run = aws.apply(IDLE)
    assert (run.code, aws.changes()) == (1, [])
    assert f"Stopped: cannot write to ./{UNDO}" in run.messages


def test_a_line_of_the_undo_file_that_a_kill_cut_off_is_dropped(aws: AwsStub) -> None:
    user, undo = exists(aws.account, IDLE), aws.folder / UNDO
    assert aws.apply(IDLE).code == 0
    text = undo.read_text()
    undo.write_text(text + "aws iam update-access-key --user-name='x")
    user.lists["list-access-keys"][0][0] = "Active"
    assert aws.apply(IDLE).code == 0
    assert undo.read_text() == text + text.splitlines(keepends=True)[-1]


@pytest.mark.parametrize(
    ("moment", "changes"),
    [("get-user", 0), ("delete-user-policy", 1), ("remove-user-from-group", 4)],
)
def test_a_user_of_the_same_name_in_another_account_is_not_changed(
    aws: AwsStub, moment: str, changes: int
) -> None:
    each = removal(**DELETABLE)
    user = exists(aws.account, each)
    attach_permissions(user)

    def happens() -> None:
        other_account(aws)
        user.arn = ARN.replace(ACCOUNT, OTHER_ACCOUNT)

    meanwhile = aws.account.meanwhile
    meanwhile[moment] = happens
    if moment == "get-user":  # not the check: the look before the first change
        meanwhile[moment] = lambda: meanwhile.update({moment: happens})
    run = aws.apply(each)
    assert (run.code, run.results(), len(aws.changes())) == (1, {ARN: "failed"}, changes)
    assert "Stopped: the credentials are of aws:444455556666 now" in run.messages


def test_the_log_names_the_caller_by_now(aws: AwsStub) -> None:
    users, other = three_users(aws), ADMIN.replace("session", "another")
    aws.account.meanwhile["get-user bob"] = lambda: setattr(aws.account, "caller", other)
    aws.account.meanwhile["get-user carl"] = lambda: expired(aws)
    log = aws.apply(*users).log
    assert [line["caller"] for line in log if line["step"] == "end"] == [ADMIN, other, other]


def test_the_credentials_of_another_user_who_takes_the_name_during_the_check_stay(
    aws: AwsStub,
) -> None:
    user = exists(aws.account, BOB)
    attach_permissions(user)
    aws.account.meanwhile["list-ssh-public-keys"] = lambda: setattr(user, "created", stated(NOW))
    run = aws.apply(BOB)
    assert (run.results(), aws.changes(), aws.backups()) == ({ARN: "skipped"}, [], [])
