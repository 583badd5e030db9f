"""Whatever an endpoint answers: the right exit code, one sentence, in time, and no secret."""

import gc
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer.aws import answers
from analyzer.cli import main
from tests.support.aws_server import (
    CALLER,
    GENERATE,
    GET,
    MEMBERS,
    ORGANIZATION,
    SECRET,
    TOKEN,
    Aws,
    an_account,
    environment,
    fetching,
    on_loopback_only,
    serving,
)
from tests.support.builders import ROOT_FOLDER
from tests.support.hostile_server import (
    ACCOUNTS,
    ASSUME,
    CHILDREN,
    CONNECTIONS,
    CREDENTIALS,
    ENDLESS,
    EVIDENCE,
    EXTERNAL_ID,
    LISTS,
    MARK,
    PAGES,
    REPORTS,
    ROLES,
    SLOW,
    STATES,
    WAYS,
    FalseAnswer,
    documents,
)
from tests.support.processes import command
from tests.support.runs import exporting, visible

MEMBER = MEMBERS[1]
NOT_IAM = "The endpoint answered with something that is not IAM: "
WHY = re.compile("something that is not IAM: |report that AWS sent is damaged: |is in the future")
PLANTED = (SECRET, TOKEN, EXTERNAL_ID, MARK, "Traceback")
Capture = pytest.CaptureFixture[str]


# urllib3 leaves the connection of an answer that it cannot read to the garbage.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def aws(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Aws]:
    """Serve an organization of two accounts, to be asked once each."""
    with serving() as server:
        server.accounts[MEMBER] = an_account(MEMBER, users=1, name="Team 1")
        on_loopback_only(monkeypatch, tmp_path, server.url)
        monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        monkeypatch.setenv("CREDREPORT_EXTERNAL_ID", EXTERNAL_ID)
        monkeypatch.setattr(answers, "LARGEST_ANSWER", 1 << 20)
        yield server
    if "nowhere" in request.node.name:
        gc.collect()


def messages(capture: Capture, folder: Path, *others: str) -> str:
    """Return the messages on standard error; nothing planted is in it, nor in any file."""
    captured = capture.readouterr()
    assert captured.out == ""
    files = [path.read_text() for path in folder.rglob("*") if path.is_file()]
    for text in (captured.err, *files):
        for planted in (*PLANTED, *others):
            assert planted not in text
    return captured.err


def refused(capture: Capture, folder: Path, *arguments: str) -> str:
    """Return the sentence with which a fetch of one account ends; nothing is written."""
    assert fetching("-o", folder, *arguments) == 4
    assert not folder.exists()
    message = messages(capture, folder)
    assert message.startswith("credreport: ")
    assert message.count("\n") == 1
    return message


def failure(capture: Capture, folder: Path) -> str:
    """Return why one account of an organization could not be read, while the other was."""
    assert fetching("-o", folder, *ORGANIZATION) == 5
    listed = json.loads((folder / "fetched.manifest.json").read_bytes())["accounts"]
    assert [(each["account"], each["status"]) for each in listed] == [
        (MEMBER, "failed"),
        (CALLER, "fetched"),
    ]
    reason: str = listed[0]["reason"]
    assert messages(capture, folder).splitlines()[1:] == [f"Not read: {MEMBER} Team 1: {reason}"]
    return reason


def run_refused(capture: Capture, runs: Path, *arguments: str) -> str:
    """Return the message with which an export ends; nothing is left of the run."""
    assert exporting(runs, "--log-format", "json", *arguments) == 4
    assert visible(runs) == set()
    (line,) = messages(capture, runs).splitlines()
    event = json.loads(line)
    assert (event["event"], event["exit_code"]) == ("failed", 4)
    message: str = event["message"]
    return message


def named(answers: dict[str, FalseAnswer], every: int = 1) -> pytest.MarkDecorator:
    """Ask with each of these answers, or with one of so many where others go the same way."""
    names = [*answers][::every]
    return pytest.mark.parametrize("answer", [answers[name] for name in names], ids=names)


@named(WAYS)
def test_fetch_ends_with_4_and_one_sentence(
    aws: Aws, folder: Path, capsys: Capture, answer: FalseAnswer
) -> None:
    aws.false[CALLER, GENERATE] = answer
    assert NOT_IAM in refused(capsys, folder)


@pytest.mark.no_cover
@named(WAYS, every=9)
def test_one_account_of_an_organization_fails_and_no_other(
    aws: Aws, folder: Path, capsys: Capture, answer: FalseAnswer
) -> None:
    aws.false[MEMBER, ASSUME] = answer
    assert failure(capsys, folder).startswith(NOT_IAM)


@pytest.mark.no_cover
@named(WAYS, every=9)
def test_export_ends_with_4_and_logs_one_sentence(
    aws: Aws, folder: Path, capsys: Capture, answer: FalseAnswer
) -> None:
    aws.false[CALLER, GET] = answer
    assert WHY.search(run_refused(capsys, folder))


@pytest.mark.no_cover
@pytest.mark.parametrize("way", ["a code that is a token", "the time yesterday"])
def test_export_of_an_organization_names_the_account_that_fails(
    aws: Aws, folder: Path, capsys: Capture, way: str
) -> None:
    aws.false[MEMBER, GET] = {**WAYS, **REPORTS}[way]
    assert exporting(folder, "--log-format", "json", *ORGANIZATION) == 5
    (run,) = visible(folder) - {"latest"}
    listed = json.loads((folder / run / "analysis.json").read_bytes())["not_covered"]
    assert [each["account"] for each in listed] == [MEMBER]
    captured = capsys.readouterr()
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    for planted in PLANTED:
        assert planted not in captured.out + captured.err
        assert not any(planted.encode() in content for content in files)


@named({**LISTS, **PAGES, **CONNECTIONS}, every=2)
def test_a_list_of_accounts_that_is_none_ends_with_4(
    aws: Aws, folder: Path, capsys: Capture, answer: FalseAnswer
) -> None:
    aws.false[CALLER, ACCOUNTS] = answer
    message = refused(capsys, folder, *ORGANIZATION)
    assert NOT_IAM in message or "AWS denied organizations:ListAccounts" in message


@pytest.mark.no_cover
@named(STATES)
def test_a_state_that_iam_does_not_have_is_refused(
    aws: Aws, folder: Path, capsys: Capture, answer: FalseAnswer
) -> None:
    aws.false[CALLER, GENERATE] = answer
    assert NOT_IAM in refused(capsys, folder)
    aws.false = {(MEMBER, GENERATE): answer}
    assert failure(capsys, folder).startswith(NOT_IAM)


@pytest.mark.no_cover
@named(REPORTS)
def test_a_report_that_iam_cannot_have_made_is_refused(
    aws: Aws, folder: Path, capsys: Capture, answer: FalseAnswer
) -> None:
    aws.false[CALLER, GET] = answer
    assert WHY.search(refused(capsys, folder))


@named(REPORTS, every=4)
def test_a_report_that_iam_cannot_have_made_ends_a_run_or_fails_its_account(
    aws: Aws, folder: Path, capsys: Capture, answer: FalseAnswer
) -> None:
    aws.false[CALLER, GET] = answer
    assert WHY.search(run_refused(capsys, folder))
    aws.false = {(MEMBER, GET): answer}
    assert WHY.search(failure(capsys, folder))


@named(ROLES)
def test_credentials_of_a_role_that_are_none_fail_the_account(
    aws: Aws, folder: Path, capsys: Capture, answer: FalseAnswer
) -> None:
    aws.false[MEMBER, ASSUME] = answer
    assert failure(capsys, folder)


@named({**EVIDENCE, **{name: PAGES[name] for name in [*PAGES][:1]}})
def test_a_list_of_credentials_that_is_none_leaves_them_unknown(
    aws: Aws, folder: Path, capsys: Capture, answer: FalseAnswer
) -> None:
    aws.false[CALLER, CREDENTIALS] = answer
    assert fetching("-o", folder / "r.csv", "-q", "--service-credentials") == 5
    gap = f"Note: The service-specific credentials of account {CALLER} are not known: {NOT_IAM}"
    assert messages(capsys, folder).startswith(gap)
    assert {path.name for path in folder.iterdir()} == {"r.csv", "r.csv.metadata.json"}


ARN = f"arn:aws:organizations::{CALLER}:account/o-x/"


def listed(number: str, name: str = "Odd", **more: str) -> dict[str, str]:
    return {"Id": number, "Name": name, "Arn": f"{ARN}{number}", "State": "ACTIVE", **more}


@pytest.mark.no_cover
def test_an_account_that_is_not_listed_as_aws_does_is_a_failed_account(
    aws: Aws, folder: Path, capsys: Capture
) -> None:
    odd = [
        (listed("1111"), ("", "Odd")),
        (listed("١١١١٢٢٢٢٣٣٣٣"), ("", "Odd")),
        (listed("11112222333/"), ("", "Odd")),
        (listed("../../../etc"), ("", "Odd")),
        (listed(MEMBER, Arn="nowhere"), (MEMBER, "Odd")),
        (listed("", name=""), ("", "an account")),
        ({}, ("", "an account")),
        (listed("x", name="line\nbreak\ud800"), ("", "line\\nbreak\\ud800")),
    ]
    accounts = [*(account for account, _ in odd), listed(CALLER)]
    aws.false[CALLER, ACCOUNTS] = documents({"Accounts": accounts})
    assert fetching("-o", folder, *ORGANIZATION) == 5
    entries = json.loads((folder / "fetched.manifest.json").read_bytes())["accounts"]
    failed = [each for each in entries if each["account"] != CALLER]
    found = [(each["account"], each["name"]) for each in failed]
    assert sorted(found) == sorted(entry for _, entry in odd)
    reason = "AWS lists it without a valid account id and ARN."
    assert {(each["status"], each["reason"]) for each in failed} == {("failed", reason)}
    assert "1 fetched, 8 failed" in messages(capsys, folder)


@pytest.mark.parametrize("second", [listed(MEMBER), listed(MEMBER, Arn="nowhere")])
def test_an_account_that_is_listed_twice_is_a_failed_account(
    aws: Aws, folder: Path, capsys: Capture, second: dict[str, str]
) -> None:
    three = [listed(MEMBER, "Team 1"), second, listed(CALLER)]
    aws.false[CALLER, ACCOUNTS] = documents({"Accounts": three})
    assert failure(capsys, folder) == "AWS lists it more than once."


def test_a_list_without_any_valid_account_ends_with_4(
    aws: Aws, folder: Path, capsys: Capture
) -> None:
    aws.false[CALLER, ACCOUNTS] = documents({"Accounts": [listed("x")]})
    assert fetching("-o", folder, *ORGANIZATION) == 4
    assert "No account could be read." in messages(capsys, folder)


def test_a_state_of_an_account_that_aws_does_not_have_is_not_repeated(
    aws: Aws, folder: Path, capsys: Capture
) -> None:
    odd = listed(MEMBER, State=f"{MARK} {TOKEN}")
    aws.false[CALLER, ACCOUNTS] = documents({"Accounts": [odd, listed(CALLER)]})
    assert fetching("-o", folder, *ORGANIZATION) == 0
    assert "1 fetched, 0 failed, 1 skipped" in messages(capsys, folder)


def test_units_that_lie_in_each_other_are_asked_once(aws: Aws, folder: Path) -> None:
    aws.units = {"r-root": ["ou-1"], "ou-1": ["ou-2"], "ou-2": ["ou-1"]}
    aws.accounts[CALLER].unit = "ou-2"
    assert fetching("-o", folder, *ORGANIZATION, "--organizational-unit", "ou-1") == 0
    assert aws.operations()[CHILDREN] == 4


def test_a_server_that_fails_once_is_asked_again(
    aws: Aws, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    aws.script[CALLER, GENERATE] = [WAYS["an HTML page with status 503"]]
    aws.script[CALLER, GET] = [WAYS["reset in the middle"]]
    assert fetching("-o", folder, "-q") == 0
    assert aws.operations() == {GENERATE: 2, GET: 2}


def seconds(*arguments: str | Path) -> tuple[int, float]:
    """Return the exit code of a command, and how long it took."""
    started = time.monotonic()
    code = main([*map(str, arguments)])
    return code, time.monotonic() - started


@pytest.mark.no_cover
@named(SLOW)
def test_a_slow_server_ends_an_account_in_time(
    aws: Aws, folder: Path, capsys: Capture, answer: FalseAnswer
) -> None:
    aws.false[CALLER, GET] = answer
    code, took = seconds("fetch", "-o", folder, "--timeout", "1")
    assert (code, took < 3) == (4, True)
    message = messages(capsys, folder)
    assert (
        "iam:GetCredentialReport" in message or "cannot be reached" in message or NOT_IAM in message
    )
    aws.false = {(MEMBER, GET): answer}
    code, took = seconds("fetch", "-o", folder, "--timeout", "1", *ORGANIZATION)
    assert (code, took < 4) == (5, True)
    aws.false = {(CALLER, GENERATE): answer}
    code, took = seconds("export", "--out-dir", folder / "runs", "--timeout", "1")
    assert (code, took < 3) == (4, True)


@pytest.mark.parametrize("operation", ENDLESS)
def test_a_list_without_end_ends_in_time(
    aws: Aws, folder: Path, capsys: Capture, operation: str
) -> None:
    aws.false[CALLER, operation] = ENDLESS[operation]
    options = {
        ACCOUNTS: ORGANIZATION,
        CHILDREN: (*ORGANIZATION, "--organizational-unit", "r-root"),
        CREDENTIALS: ("--service-credentials",),
    }[operation]
    code, took = seconds("fetch", "-o", folder, "--timeout", "1", *options)
    assert (code, took < 3) == (5 if operation == CREDENTIALS else 4, True)
    assert f"{operation} within the 1 seconds of --timeout" in messages(capsys, folder)


def test_retries_end_in_time(
    aws: Aws, folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "99")
    aws.false[CALLER, GENERATE] = WAYS["nothing, as a server's error"]
    code, took = seconds("fetch", "-o", folder, "--timeout", "2")
    assert (code, took < 4) == (4, True)
    assert "did not answer iam:GenerateCredentialReport" in messages(capsys, folder)


@pytest.mark.no_cover
def test_the_program_itself_says_no_more(aws: Aws, folder: Path) -> None:
    aws.false[MEMBER, GET] = WAYS["a code that is a token"]
    run = subprocess.run(
        command("fetch", *ORGANIZATION, "-o", folder),
        cwd=ROOT_FOLDER,
        env={**os.environ, **environment(folder.parent, aws.url)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 5
    for planted in PLANTED:
        assert planted not in run.stdout + run.stderr
