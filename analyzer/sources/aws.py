"""Ask AWS for the credential report of one account; nothing else here knows boto3.

The report is requested as a whole, with no call per user. What it answers in its errors is
never repeated, since it may hold parts of a signed request: they are put in words of our own.
"""

import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from analyzer import columns
from analyzer.errors import AwsRefused
from analyzer.files import json_bytes, provenance
from analyzer.sources.aws_answers import (
    UNREADABLE,
    CheckedTransport,
    list_field,
    not_from_aws,
    set_strict_parsing,
    text_field,
)
from analyzer.sources.aws_errors import BUSY, STOPPED, Stopped, call_name, error_code, failure_text
from analyzer.sources.companions import FIRST_YEAR
from analyzer.sources.deadline import Deadline, Late
from analyzer.terms import ACCOUNT_ID_PATTERN, utc_text

_REGION: Final = "us-east-1"
"""Of the partition aws, whose IAM is asked where no region is named."""

_STATES: Final = ("STARTED", "INPROGRESS", "COMPLETE")
_NOT_YET: Final = (*BUSY, "ReportInProgress", "ReportNotPresent", "ReportExpired")

WAITING_SECONDS: Final = 15
"""So often it is said that a report is not ready yet."""

_CLOCK_SKEW: Final = timedelta(minutes=15)
"""AWS accepts no request of a clock that is further off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedReport:
    """Hold a report as AWS sent it, byte for byte, with its time and its account."""

    content: bytes
    generated: datetime
    account: str
    partition: str

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of the report's bytes."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def name(self) -> str:
        """Return the name for the report's file: the same report has always the same."""
        return f"credential-report_{self.account}_{self.generated_time.replace(':', '-')}.csv"

    @property
    def generated_time(self) -> str:
        """Return when AWS generated the report, as text."""
        return utc_text(self.generated)

    def metadata(self, caller: str, service_credentials: str) -> bytes:
        """Return what to save beside the report.

        `caller` says with whose credentials it was fetched, `service_credentials` what is known of
        service-specific credentials.
        """
        known = {
            **provenance(),
            "account": self.account,
            "partition": self.partition,
            "generated_time": self.generated_time,
            "sha256": self.sha256,
            "obtained": {"operation": "iam:GetCredentialReport", "caller": caller},
            "service_credentials": service_credentials,
        }
        return json_bytes(known)


ATTEMPTS: Final = 3
"""So often one call is tried; what waits for the report asks again anyway."""

PATIENT_ATTEMPTS: Final = 6
"""So often a call of other services is tried: nothing waits for these but boto3 itself."""


class AwsSession:
    """Make clients of one profile, or of the ordinary credentials where none is named."""

    def __init__(
        self, *, profile: str | None = None, region: str | None = None, endpoint: str | None = None
    ) -> None:
        """Keep where credentials are and which endpoint to ask; nothing is asked yet.

        Raises AwsRefused where there is no such profile.
        """
        self._endpoint = endpoint
        self._lock = threading.Lock()
        with aws_errors_translated():
            self._core = Session(profile=profile)
            set_strict_parsing(self._core)
            self._session = boto3.Session(botocore_session=self._core, region_name=region)
            self._region = self._session.region_name or _REGION

    def client(
        self,
        service: str,
        deadline: Deadline,
        *,
        attempts: int = ATTEMPTS,
        credentials: Mapping[str, str] | None = None,
    ) -> "DeadlineClient":
        """Return a client of a service that tries so often, unless AWS_MAX_ATTEMPTS is set.

        Raises AwsRefused where the settings are not fit to make one.
        """
        make = partial(self._client, service, self._config(attempts, deadline), credentials or {})
        with aws_errors_translated():
            return DeadlineClient(
                deadline.result_in_time("the request for credentials", make), deadline
            )

    def _client(self, service: str, config: Config, credentials: Mapping[str, Any]) -> Any:
        create: Callable[..., Any] = self._session.client
        where = {"region_name": self._region, "endpoint_url": self._endpoint}
        try:
            with self._lock:  # A session is not for many threads.
                client = create(service, config=config, **where, **credentials)
        except (BotoCoreError, EOFError):
            raise
        except ValueError:
            raise AwsRefused(_INVALID_SETTINGS) from None
        except Exception as error:  # noqa: BLE001  a program or server for credentials may answer anything
            raise AwsRefused(failure_text(error)) from None
        client.meta.events.register("before-send", CheckedTransport(client))
        return client

    def _config(self, attempts: int, deadline: Deadline) -> Config:
        try:
            attempts = int(self._core.get_config_variable("max_attempts") or attempts)
        except ValueError:
            raise AwsRefused(_INVALID_SETTINGS) from None
        with aws_errors_translated():
            return Config(
                retries={"mode": "standard", "total_max_attempts": attempts},
                connect_timeout=min(10, deadline.timeout),
                read_timeout=min(30, deadline.timeout),
                max_pool_connections=64,
            )


_INVALID_SETTINGS: Final = (
    "The region, the endpoint URL or AWS_MAX_ATTEMPTS is not valid: correct it."
)


@dataclass(frozen=True, slots=True)
class DeadlineClient:
    """Ask with a client of boto3, each call within what is left until a deadline."""

    client: Any
    deadline: Deadline

    def answer(self, operation: str, **arguments: Any) -> Mapping[str, Any]:
        """Return the answer to a call.

        Raises Late, ClientError where AWS answers with an error, AwsRefused where anything else
        goes wrong.
        """
        name = self.client.meta.method_to_api_mapping[operation]
        call = partial(getattr(self.client, operation), **arguments)
        answer: Mapping[str, Any] = self.deadline.result_in_time(
            call_name(name), partial(_checked_answer, call)
        )
        return answer

    def pages(self, operation: str, **arguments: Any) -> Iterator[Mapping[str, Any]]:
        """Yield the answers to the calls that a list takes, page by page.

        Raises like `answer`, and AwsRefused where a list does not end.
        """
        token_name = _PAGE_TOKENS[operation]
        tokens: set[str] = set()
        page = self.answer(operation, **arguments)
        yield page
        while token := _next_token(page, token_name):
            if token in tokens:
                raise not_from_aws("a list that starts again and again")
            tokens.add(token)
            page = self.answer(operation, **arguments, **{token_name: token})
            yield page

    def close(self) -> None:
        """Close the connections."""
        self.client.close()


_PAGE_TOKENS: Final = {
    "list_accounts": "NextToken",
    "list_children": "NextToken",
    "list_service_specific_credentials": "Marker",
}
"""Where a page names the next one; a request names it likewise."""


def _next_token(page: Mapping[str, Any], name: str) -> str:
    """Return what names the next page, empty after the last.

    Raises AwsRefused where there is a next page without a name.
    """
    if page.get("IsTruncated", page.get(name)):
        return text_field(page, name)
    return ""


def _checked_answer(call: Callable[[], Any]) -> Any:
    """Return what a call of boto3 returns.

    botocore raises errors of every kind where an answer has another form than AWS's. Only its
    own code runs here, so that no bug of this program is hidden.
    """
    try:
        return call()
    except (AwsRefused, BotoCoreError, ClientError, EOFError):
        raise
    except Exception:  # noqa: BLE001  botocore raises errors of every kind for a foreign answer
        raise not_from_aws(UNREADABLE) from None


def fetch_report(  # noqa: PLR0913  a clock, a pause and a log are arguments
    iam: DeadlineClient,
    *,
    poll: float = 2,
    pause: Callable[[float], None] = time.sleep,
    stopped: Callable[[], bool] = lambda: False,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    waiting: Callable[[float, str], None] = lambda _seconds, _state: None,
) -> FetchedReport:
    """Have AWS make the report, wait until it is there, and return it.

    Asks again every `poll` seconds; after the deadline, or once `stopped`, no call starts.
    `waiting` is called every 15 seconds, with the seconds so far and the last answer.

    Raises AwsRefused where there is no whole report to be had.
    """
    last = "none"
    began = logged = iam.deadline.clock()
    with aws_errors_translated():
        while True:
            if stopped():
                raise Stopped(STOPPED)
            if not iam.deadline.seconds_left:
                raise Late(_NO_REPORT_YET.format(iam.deadline.timeout, last))
            last, answer = _state_and_report(iam)
            if answer is not None:
                return _fetched_report(answer, now())
            if (reached := iam.deadline.clock()) - logged >= WAITING_SECONDS:
                logged = reached
                waiting(reached - began, last)
            pause(min(poll, iam.deadline.seconds_left))


def _state_and_report(iam: DeadlineClient) -> tuple[str, Mapping[str, Any] | None]:
    """Ask once; what AWS cannot do yet is a state, all else raises."""
    try:
        state = text_field(iam.answer("generate_credential_report"), "State")
        if state not in _STATES:
            raise not_from_aws("an answer with an unknown State")
        if state == "COMPLETE":
            return state, iam.answer("get_credential_report")
    except ClientError as error:
        if error_code(error) not in _NOT_YET:
            raise
        return error_code(error), None
    return state, None


def _fetched_report(answer: Mapping[str, Any], now: datetime) -> FetchedReport:
    """Return the report, if it is whole: a header, a row, and no end within the last row."""
    content, generated = answer.get("Content", b""), answer.get("GeneratedTime")
    first, _, rows = content.decode(errors="replace").partition("\n")
    header = first.split(",")
    owner = _ACCOUNT_ARN.search(rows.partition("\n")[0])
    if generated is None or owner is None or not set(columns.REQUIRED) <= set(header):
        raise AwsRefused(DAMAGED.format("it lacks its time, its header or its first row"))
    if not _is_whole(rows, header):
        raise AwsRefused(DAMAGED.format("it ends in the middle of a row"))
    return FetchedReport(
        content=content,
        generated=_checked_time(generated.astimezone(UTC), now),
        account=owner["account"],
        partition=owner["partition"],
    )


def _checked_time(generated: datetime, now: datetime) -> datetime:
    """Return the time of a report; raises AwsRefused where AWS cannot have made it then."""
    if generated.year < FIRST_YEAR:
        raise not_from_aws(f"a report whose GeneratedTime is before {FIRST_YEAR}")
    if generated > now + _CLOCK_SKEW:
        raise AwsRefused(
            "The report cannot be used: its GeneratedTime is in the future. Check the computer's"
            " clock, then fetch it again."
        )
    return generated


_NO_REPORT_YET: Final = (
    "AWS had no report ready after {:g} seconds (its last answer: {}). Try again later, or wait"
    " longer with --timeout."
)
DAMAGED: Final = "The report that AWS sent is damaged: {}. Nothing of it was kept: fetch it again."
_ACCOUNT_ARN: Final = re.compile(
    rf',"?arn:(?P<partition>aws[a-z0-9-]*):iam::(?P<account>{ACCOUNT_ID_PATTERN}):'
)
_LAST_CELL: Final = re.compile(r'"?(N/A|not_supported|\d{4}-\d\d-\d\dT[\d:]{8}(Z|[+-][\d:]{5}))"?')


def _is_whole(rows: str, header: list[str]) -> bool:
    """Return whether the rows end at the end of one; AWS itself writes no newline there."""
    cells = rows.removesuffix("\n").rpartition("\n")[2].split(",")
    if len(cells) < len(header):
        return False
    is_moment = header[-1] in columns.TIMESTAMPS and not rows.endswith("\n")
    return not is_moment or _LAST_CELL.fullmatch(cells[-1]) is not None


def service_credentials_json(iam: DeadlineClient) -> bytes:
    """Return all users' service-specific credentials, as the AWS CLI would print the answer.

    The answer holds no secrets. Raises AwsRefused where AWS does not give it.
    """
    listed: list[Any] = []
    with aws_errors_translated():
        for page in iam.pages("list_service_specific_credentials", AllUsers=True):
            credentials = list_field(page, "ServiceSpecificCredentials")
            for each in credentials:
                for name in ("UserName", "Status", "ServiceName"):
                    text_field(each, name)
            listed += credentials
    return json_bytes({"ServiceSpecificCredentials": listed, "IsTruncated": False})


@contextmanager
def aws_errors_translated() -> Iterator[None]:
    """Turn what boto3 raises into AwsRefused, with one message that says what to do."""
    try:
        yield
    except (BotoCoreError, ClientError, EOFError) as error:
        raise AwsRefused(failure_text(error)) from None
