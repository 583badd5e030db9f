"""What `fetch_report` makes of AWS's answers; the clients are stubbed."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from itertools import count
from threading import Event
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from analyzer.aws.client import Deadline, DeadlineClient
from analyzer.aws.report import FetchedReport, fetch_report
from analyzer.errors import AwsRefused
from tests.support.aws_server import CALLER, GENERATED, LEAK, SECRET, TOKEN, a_report
from tests.support.builders import COLUMNS, MORE_CREDENTIALS, a_user, report_text

REPORT = a_report(CALLER)
GENERATE, GET = "generate_credential_report", "get_credential_report"
Said = tuple[str, dict[str, Any] | str]


@cache
def iam() -> Any:
    """Return a client for stubs, which asks nobody."""
    return boto3.client("iam", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")


def state(word: str) -> Said:
    return GENERATE, {"State": word}


def got(content: bytes = REPORT, generated: datetime | None = GENERATED) -> Said:
    answer: dict[str, Any] = {"Content": content, "ReportFormat": "text/csv"}
    return GET, answer if generated is None else answer | {"GeneratedTime": generated}


COMPLETE = state("COMPLETE")


class Pauses(Event):
    """Be the stop of a run whose pauses take no time."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout)
        return False


def fetched(
    *answers: Said,
    timeout: float = 300,
    clock: Callable[[], float] = time.monotonic,
    stop: Event | None = None,
    **options: Any,
) -> FetchedReport:
    """Return the report where AWS says just this, in this order; all of it must be asked for."""
    client = DeadlineClient(iam(), Deadline(timeout, clock))
    with Stubber(iam()) as stub:
        for operation, answer in answers:
            if isinstance(answer, str):
                stub.add_client_error(operation, answer, LEAK)
            else:
                stub.add_response(operation, answer)
        report = fetch_report(client, stop=stop or Pauses(), **options)
        stub.assert_no_pending_responses()
    return report


def refused(*answers: Said, **options: Any) -> str:
    with pytest.raises(AwsRefused) as caught:
        fetched(*answers, **options)
    message = str(caught.value)
    assert [each for each in (SECRET, TOKEN, "\n") if each in message] == []
    return message


def test_a_pause_does_not_go_beyond_the_deadline() -> None:
    pauses, seconds = Pauses(), iter([0] + [298.5] * 99)
    answers = (state("STARTED"), COMPLETE, got())
    fetched(*answers, stop=pauses, clock=lambda: next(seconds))
    assert pauses.seconds == [1.5]


@pytest.mark.parametrize(
    ("pause", "waits"),
    [
        (14, [(28, "INPROGRESS"), (56, "INPROGRESS")]),
        (15, [(15, "STARTED"), (30, "INPROGRESS"), (45, "INPROGRESS"), (60, "INPROGRESS")]),
        (1, []),
    ],
)
def test_between_two_questions_is_a_pause_and_waiting_is_said_every_15_seconds(
    pause: int, waits: list[tuple[float, str]]
) -> None:
    logged: list[tuple[float, str]] = []
    pauses = Pauses()
    fetched(
        *(*[state("STARTED")] * 2, *[state("INPROGRESS")] * 3, COMPLETE, got()),
        clock=lambda: pause * len(pauses.seconds),
        stop=pauses,
        waiting=lambda *wait: logged.append(wait),
    )
    assert (logged, pauses.seconds) == (waits, [2] * 5)


LATER = ("Throttling", "ThrottlingException", "LimitExceeded", "ServiceFailure")
GONE = ("ReportInProgress", "ReportNotPresent", "ReportExpired")


def test_who_is_busy_or_has_no_report_any_more_is_asked_again_and_again() -> None:
    for code in LATER + GONE:
        fetched(*([(GENERATE, code)] * 5), COMPLETE, got())
        fetched(*([COMPLETE, (GET, code)] * 5), state("STARTED"), COMPLETE, got())


def test_never_complete_ends_with_the_time_and_tells_the_last_answer() -> None:
    for answers, last in (
        ([state("INPROGRESS")], "INPROGRESS"),
        ([(GENERATE, "LimitExceeded")], "LimitExceeded"),
        ([(GENERATE, "Throttling")], "Throttling"),
        ([COMPLETE, (GET, "ReportExpired")], "ReportExpired"),
    ):
        ticks = count(step=12)
        message = refused(*(answers * 9), timeout=300, clock=lambda ticks=ticks: next(ticks))
        assert message == (
            f"AWS had no report ready after 300 seconds (its last answer: {last})."
            " Try again later, or wait longer with --timeout."
        )


def test_what_is_denied_or_not_understood_ends_it_at_once() -> None:
    unknown = "AWS refused iam:GenerateCredentialReport with OptInRequired."
    denied = "AWS denied iam:GetCredentialReport: grant the caller this permission."
    for answers, message in (
        ([(GENERATE, "AccessDenied")], denied.replace("Get", "Generate")),
        ([COMPLETE, (GET, "AccessDenied")], denied),
        ([state("STARTED"), (GENERATE, "OptInRequired")], unknown),
    ):
        assert refused(*answers) == message
    assert "is not IAM: an answer with an unknown State" in refused(state("HALFWAY"))
    assert "it lacks its time" in refused(COMPLETE, got(generated=None))


DAMAGED = {
    "empty": b"",
    "an error page": b"<html>\n<body>oops, arn:aws:iam::111122223333:root</body>",
    "no header": REPORT.partition(b"\n")[2],
    "only a header": REPORT.partition(b"\n")[0],
    "only a header, ended": REPORT.partition(b"\n")[0] + b"\n",
    "a cut header": REPORT[:200],
    "cut in the first row": REPORT[: REPORT.index(b"\n") + 30],
    "cut in the last row": REPORT[:-30],
    "cut in the last cell": REPORT[:-1],
    "one endless line": b"x," * 200_000,
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_truncated_content_is_refused(content: bytes) -> None:
    message = refused(COMPLETE, got(content))
    assert message.startswith("The report that AWS sent is damaged:")
    assert message.endswith("Nothing of it was kept: fetch it again.")


JUST_NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("generated", "message"),
    [
        (datetime(2009, 12, 31, 23, 59, 59, tzinfo=UTC), "GeneratedTime is before 2010"),
        (datetime(2010, 1, 1, tzinfo=UTC), ""),
        (JUST_NOW, ""),
        (JUST_NOW + timedelta(minutes=15), ""),
        (JUST_NOW + timedelta(minutes=15, seconds=1), "later than this machine's clock"),
    ],
)
def test_a_time_at_which_aws_cannot_have_made_the_report_is_refused(
    generated: datetime, message: str
) -> None:
    answers = (COMPLETE, got(generated=generated))
    if message:
        assert message in refused(*answers, now=lambda: JUST_NOW)
    else:
        assert fetched(*answers, now=lambda: JUST_NOW).generated == generated


def report_of(*columns: str, **cells: str) -> bytes:
    user = a_user("a,b", account=CALLER) | cells
    return report_text([user], columns=[*COLUMNS, *columns], root=user).encode()


WHOLE = {
    "a newline at its end": REPORT + b"\n",
    "a name with a comma in quotes": report_of(),
    "a name with a comma, without": report_of().replace(b'"', b""),
    "a certificate": report_of(cert_2_last_rotated="2024-04-22T19:47:52+00:00"),
    "an end that is free text": report_of(
        MORE_CREDENTIALS, **{MORE_CREDENTIALS: "1 more: ListAccessKeys"}
    ),
    "nobody but the root": REPORT.partition(b"\nuser-0")[0],
    "a name that is no UTF-8": REPORT.replace(b"user-1", b"us\xffr-1"),
}


@pytest.mark.parametrize("content", WHOLE.values(), ids=WHOLE)
def test_whatever_else_aws_writes_is_kept(content: bytes) -> None:
    assert fetched(COMPLETE, got(content)).content == content


def test_the_account_and_its_partition_are_those_of_the_arns() -> None:
    for partition in ("aws", "aws-cn", "aws-us-gov", "aws-eusc"):
        report = fetched(COMPLETE, got(a_report("012345678901", partition=partition)))
        assert (report.account, report.partition) == ("012345678901", partition)


def test_the_time_is_kept_in_utc() -> None:
    there = GENERATED.astimezone(timezone(timedelta(hours=9)))
    assert fetched(COMPLETE, got(generated=there)).generated_time == "2026-05-01T12:30:15Z"


def test_a_secret_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    refused(COMPLETE, (GET, "AccessDenied"))
    assert caplog.text == ""
