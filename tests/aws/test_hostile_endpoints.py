"""Whatever an endpoint answers: the right exit code, one sentence, in time, and no secret."""

import gc
import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

import boto3
import pytest

from analyzer.aws import FetchRequest
from analyzer.aws.client import AwsSession, Deadline, DeadlineClient
from analyzer.aws.fetch import Account, Fetcher, chosen_accounts
from analyzer.aws.report import fetch_report, service_credentials_json
from analyzer.cli import main
from analyzer.errors import AwsRefused
from analyzer.sources.fetch_manifest import FetchOutcomes, Status
from tests.support import hostile_server as hostile
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
    fetching,
    on_loopback_only,
    serving,
)
from tests.support.hostile_server import EXTERNAL_ID, MARK, WAYS, FalseAnswer
from tests.support.runs import exporting, hidden, visible

Patch = pytest.MonkeyPatch
MEMBER = MEMBERS[1]
NOT_IAM = "The endpoint answered with something that is not IAM: "
ARN = f"arn:aws:organizations::{CALLER}:account/o-x/"
WHY = re.compile(
    "something that is not IAM: |report that AWS sent is damaged: |later than this machine"
)
PLANTED = (SECRET, TOKEN, EXTERNAL_ID, MARK, "Traceback")
Capture = pytest.CaptureFixture[str]


# urllib3 leaves the connection of an answer that it cannot read to the garbage.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@contextmanager
def two_accounts(patch: Patch, home: Path) -> Iterator[Aws]:
    """Serve an organization of two accounts, to be asked once each."""
    with serving() as server:
        server.accounts[MEMBER] = an_account(MEMBER, users=1, name="Team 1")
        on_loopback_only(patch, home, server.url)
        patch.setenv("AWS_SESSION_TOKEN", TOKEN)
        patch.setenv("AWS_MAX_ATTEMPTS", "1")
        yield server


@pytest.fixture
def aws(monkeypatch: Patch, tmp_path: Path) -> Iterator[Aws]:
    with two_accounts(monkeypatch, tmp_path) as server:
        yield server


class Asking(NamedTuple):
    """Ask a server as the commands do, with one client for all answers."""

    server: Aws
    session: AwsSession
    client: Any

    def report(self, seconds: float = 60) -> object:
        return fetch_report(DeadlineClient(self.client, Deadline(seconds)), stop=Event())

    def accounts(self, seconds: float = 60, *units: str) -> tuple[list[Account], FetchOutcomes]:
        request = FetchRequest(role_name="credreport", organizational_unit=list(units))
        return chosen_accounts(self.session, request, Deadline(seconds))

    def credentials(self, seconds: float = 60) -> object:
        return service_credentials_json(DeadlineClient(self.client, Deadline(seconds)), b"")

    def member(self) -> object:
        fetcher = Fetcher(request=FetchRequest(), save=lambda _: "")
        account = Account(id=MEMBER, name="Odd", arn=f"{ARN}{MEMBER}", state="ACTIVE")
        sts = self.session.client("sts", Deadline(60))
        return fetcher.member_entry(self.session, sts, "credreport", account)

    def refusal(
        self, operation: str, answer: FalseAnswer, ask: Callable[..., object], *values: Any
    ) -> str:
        """Return the one sentence in which an answer is refused; nothing planted is in it."""
        self.server.false = {(MEMBER if operation == hostile.ASSUME else CALLER, operation): answer}
        with pytest.raises(AwsRefused) as caught:
            ask(*values)
        message = str(caught.value)
        for planted in (*PLANTED, "\n"):
            assert planted not in message
        return message


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch, two_accounts(patch, home) as server:
        session = AwsSession(FetchRequest())
        with closing(session.client("iam", Deadline(60))) as iam:
            yield Asking(server, session, iam.client)
        gc.collect()


def messages(capture: Capture, folder: Path) -> str:
    """Return the messages on standard error; nothing planted is in it, nor in any file."""
    captured = capture.readouterr()
    assert captured.out == ""
    files = [path.read_text() for path in folder.rglob("*") if path.is_file()]
    for text in (captured.err, *files):
        for planted in PLANTED:
            assert planted not in text
    return captured.err


def named(answers: dict[str, FalseAnswer]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("answer", answers.values(), ids=answers)


@named(WAYS | hostile.STATES)
def test_what_is_not_of_iam_is_refused_in_one_sentence(asking: Asking, answer: FalseAnswer) -> None:
    assert asking.refusal(GENERATE, answer, asking.report).startswith(NOT_IAM)


@named(hostile.REPORTS)
def test_a_report_that_iam_cannot_have_made_is_refused(asking: Asking, answer: FalseAnswer) -> None:
    assert WHY.search(asking.refusal(GET, answer, asking.report))


@named(hostile.LISTS | hostile.PAGES | hostile.CONNECTIONS)
def test_a_list_of_accounts_that_is_none_is_refused(asking: Asking, answer: FalseAnswer) -> None:
    message = asking.refusal(hostile.ACCOUNTS, answer, asking.accounts)
    assert message.startswith((NOT_IAM, "AWS denied organizations:ListAccounts"))


def test_fetch_and_export_end_with_4_and_that_sentence_or_fail_one_account_with_it(
    aws: Aws, folder: Path, capfd: Capture
) -> None:
    aws.false[CALLER, GET] = WAYS["a code that is a token"]
    assert fetching("-o", folder) == 4
    message = messages(capfd, folder)
    assert message.startswith(f"credreport: {NOT_IAM}")
    assert message.count("\n") == 1
    assert exporting(folder, "--log-format", "json") == 4
    assert visible(folder) == hidden(folder) == set()
    event = json.loads(messages(capfd, folder))
    assert (event["level"], event["event"], event["exit_code"]) == ("error", "failed", 4)
    assert f"credreport: {event['message']}\n" == message
    aws.false = {(MEMBER, GET): WAYS["a code that is a token"]}
    external = ("--external-id", EXTERNAL_ID)
    assert fetching("-o", folder / "all", *ORGANIZATION, *external) == 5
    failed, fetched = json.loads((folder / "all/fetched.manifest.json").read_bytes())["accounts"]
    assert (failed["account"], failed["status"]) == (MEMBER, "failed")
    assert (fetched["account"], fetched["status"]) == (CALLER, "fetched")
    assert f"credreport: {failed['reason']}\n" == message
    _, not_read = messages(capfd, folder).splitlines()
    assert not_read == f"Not read: {MEMBER} Team 1: {failed['reason']}"


@named(hostile.ROLES)
def test_role_credentials_that_are_none_are_refused(asking: Asking, answer: FalseAnswer) -> None:
    assert asking.refusal(hostile.ASSUME, answer, asking.member)


@named(hostile.EVIDENCE)
def test_a_list_of_credentials_that_is_none_is_refused(asking: Asking, answer: FalseAnswer) -> None:
    assert asking.refusal(hostile.CREDENTIALS, answer, asking.credentials).startswith(NOT_IAM)


def listed(number: str, name: str = "Odd", **more: str) -> dict[str, str]:
    return {"Id": number, "Name": name, "Arn": f"{ARN}{number}", "State": "ACTIVE"} | more


def test_an_account_oddly_listed_fails_and_one_of_no_known_state_is_skipped(asking: Asking) -> None:
    invalid = "AWS lists it without a valid account id and ARN."
    again = "AWS lists it more than once."
    twice, differing, unknown = MEMBERS[2:5]
    odd: list[tuple[list[dict[str, str]], tuple[str, str, str]]] = [
        ([listed("1111")], ("", "Odd", invalid)),
        ([listed("١١١١٢٢٢٢٣٣٣٣")], ("", "Odd", invalid)),
        ([listed("11112222333/")], ("", "Odd", invalid)),
        ([listed("../../../etc")], ("", "Odd", invalid)),
        ([listed(MEMBER, Arn="nowhere")], (MEMBER, "Odd", invalid)),
        ([listed("", name="")], ("", "an account", invalid)),
        ([{}], ("", "an account", invalid)),
        ([listed("x", name="line\nbreak\ud800")], ("", "line\\nbreak\\ud800", invalid)),
        ([listed(twice)] * 2, (twice, "Odd", again)),
        ([listed(differing), listed(differing, Arn="nowhere")], (differing, "Odd", again)),
        ([listed(unknown, State=f"{MARK} {TOKEN}")], (unknown, "Odd", "Its state is UNKNOWN.")),
    ]
    accounts = [account for each, _ in odd for account in each] + [listed(CALLER)]
    asking.server.false = {(CALLER, hostile.ACCOUNTS): hostile.documents({"Accounts": accounts})}
    chosen, others = asking.accounts()
    assert [each.id for each in chosen] == [CALLER]
    entries = [(each.account, each.name, each.reason) for each in others.entries]
    assert entries == [entry for _, entry in odd]
    *failed, skipped = (each.status for each in others.entries)
    assert (set(failed), skipped) == ({Status.FAILED}, Status.SKIPPED)


def test_units_that_lie_in_each_other_are_asked_once(asking: Asking) -> None:
    asking.server.false = {}
    asking.server.calls.clear()
    asking.server.units = {"r-root": ["ou-1"], "ou-1": ["ou-2"], "ou-2": ["ou-1"]}
    asking.server.accounts[CALLER].unit = "ou-2"
    assert [each.id for each in asking.accounts(60, "ou-1")[0]] == [CALLER]
    assert asking.server.operations()[hostile.CHILDREN] == 4


def test_a_server_that_failed_is_asked_again(aws: Aws, folder: Path, monkeypatch: Patch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    aws.script[CALLER, GENERATE] = [WAYS["nothing, as a server's error"]]
    aws.script[CALLER, GET] = [WAYS["reset in the middle"]]
    assert fetching("-o", folder, "-q") == 0
    assert aws.operations() == {GENERATE: 2, GET: 2}


def seconds(*arguments: str | Path) -> tuple[int, float]:
    """Return the exit code of a command, and how long it took."""
    started = time.monotonic()
    code = main(list(map(str, arguments)))
    return code, time.monotonic() - started


@named(hostile.SLOW)
def test_a_slow_server_ends_a_fetch_in_time_and_its_bytes_are_counted(
    aws: Aws, folder: Path, capsys: Capture, answer: FalseAnswer
) -> None:
    aws.false[CALLER, GET] = answer
    code, took = seconds("fetch", "-o", folder, "--timeout", "1")
    assert (code, took < 4) == (4, True)
    assert visible(folder) == set()
    message = messages(capsys, folder)
    late = "AWS did not answer iam:GetCredentialReport within the 1 seconds of --timeout: "
    assert message.startswith(f"credreport: {late}")
    first, second = islice(answer.pieces("", ""), 2)
    if not first:
        assert "nothing of the answer had come. Try again later" in message
        return
    came = re.search(r": (\d+) bytes of the answer had come\. Try again later", message)
    assert came is not None
    assert len(first) + 3 * len(second) <= int(came[1]) <= len(first) + 20 * len(second)


def test_one_slow_account_of_twenty_takes_its_own_time_only(
    aws: Aws, folder: Path, capsys: Capture
) -> None:
    for number in map(str, range(3 * 10**11, 3 * 10**11 + 18)):
        aws.accounts[number] = an_account(number, users=1)
    assert len(aws.accounts) == 20
    for operation in (GENERATE, GET):
        aws.false = {(MEMBER, operation): hostile.SLOW["drips a body"]}
        code, took = seconds("fetch", "-o", folder, *ORGANIZATION, "--timeout", "4")
        assert (code, took < 9) == (5, True)
        assert len([name for name in visible(folder) if name.endswith(".csv")]) == 19
        not_read = messages(capsys, folder).splitlines()[-1]
        assert not_read.startswith(f"Not read: {MEMBER} Team 1: AWS did not answer iam:{operation}")
        assert "bytes of the answer had come" in not_read


def test_what_was_asked_for_credentials_is_limited_too(
    monkeypatch: Patch, tmp_path: Path, folder: Path, aws: Aws, capsys: Capture
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    role = f"role_arn = arn:aws:iam::{MEMBER}:role/audit\nsource_profile = base\n"
    keys = f"aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = {SECRET}\n"
    (tmp_path / "config").write_text(f"[profile member]\n{role}[profile base]\n{keys}")
    aws.false[MEMBER, hostile.ASSUME] = hostile.SLOW["drips a header"]
    code, took = seconds("fetch", "-o", folder, "--profile", "member", "--timeout", "1")
    assert (code, took < 4) == (4, True)
    assert "bytes of the answer had come" in messages(capsys, folder)


def test_a_server_that_never_answers_tls_ends_a_fetch_in_time(
    folder: Path, capsys: Capture, monkeypatch: Patch, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        on_loopback_only(monkeypatch, tmp_path, f"https://127.0.0.1:{server.getsockname()[1]}")
        code, took = seconds("fetch", "-o", folder, "--timeout", "1")
    assert (code, took < 4) == (4, True)
    message = messages(capsys, folder)
    assert "did not answer iam:GenerateCredentialReport within the 1 seconds" in message
    assert "nothing of the answer had come" in message


def test_others_who_use_botocore_in_the_same_thread_have_no_deadline(aws: Aws) -> None:
    aws.false[CALLER, GET] = hostile.SLOW["drips a body"]
    iam = AwsSession(FetchRequest()).client("iam", Deadline(0.3))
    with pytest.raises(AwsRefused, match="bytes of the answer had come"):
        iam.answer("get_credential_report")
    iam.close()
    with closing(boto3.client("iam", "us-east-1")) as other:
        assert other.generate_credential_report()["State"] == "COMPLETE"


def test_a_list_without_end_is_late(asking: Asking) -> None:
    for operation, ask, values in (
        (hostile.ACCOUNTS, asking.accounts, ()),
        (hostile.CHILDREN, asking.accounts, ("r-root",)),
        (hostile.CREDENTIALS, asking.credentials, ()),
    ):
        message = asking.refusal(operation, hostile.ENDLESS[operation], ask, 0.3, *values)
        assert f"{operation} within the 0.3 seconds of --timeout" in message


def test_retries_end_an_export_in_time(
    aws: Aws, folder: Path, capsys: Capture, monkeypatch: Patch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "99")
    aws.false[CALLER, GENERATE] = WAYS["nothing, as a server's error"]
    code, took = seconds("export", "--out-dir", folder, "--timeout", "1")
    assert (code, took < 3) == (4, True)
    assert "did not answer iam:GenerateCredentialReport" in messages(capsys, folder)
