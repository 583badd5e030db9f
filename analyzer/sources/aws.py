"""Ask AWS for the credential report of one account; nothing else here knows boto3.

AWS is asked for the report as a whole and for nothing per user. What it answers in its errors is
never repeated, since it may hold parts of a signed request: they are told in words of our own.
"""

import hashlib
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session
from botocore.waiter import Waiter, WaiterModel

from analyzer import columns
from analyzer.errors import AwsRefused
from analyzer.files import as_json, provenance
from analyzer.sources.aws_errors import BUSY, STOPPED, Stopped, code, refusal
from analyzer.terms import ISO_UTC

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

_REGION: Final = "us-east-1"
"""Of the partition aws, whose IAM is asked where nobody names a region."""

_AGAIN: Final = (*BUSY, "ReportInProgress", "ReportNotPresent", "ReportExpired")
_ACCEPTORS: Final = [
    {"matcher": "path", "argument": "State", "expected": "COMPLETE", "state": "success"},
    *({"matcher": "error", "expected": code, "state": "retry"} for code in _AGAIN),
]
_WAITER: Final = {
    "operation": "GenerateCredentialReport",
    "delay": 2,
    "maxAttempts": sys.maxsize,  # The time bounds it, however long a call takes.
    "acceptors": _ACCEPTORS,
}
_NAME: Final = "CredentialReportComplete"
_MODEL: Final = WaiterModel({"version": 2, "waiters": {_NAME: _WAITER}})


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedReport:
    """Hold a report as AWS gave it, byte for byte, and what is known of it."""

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
        """Return when AWS made the report, as text."""
        return f"{self.generated:{ISO_UTC}}"

    def metadata(self, caller: str, evidence: str) -> bytes:
        """Return what to save beside the report.

        `caller` says with whose credentials it was fetched, `evidence` what is known of
        service-specific credentials.
        """
        told = {
            **provenance(),
            "account": self.account,
            "partition": self.partition,
            "generated_time": self.generated_time,
            "sha256": self.sha256,
            "obtained": {"operation": "iam:GetCredentialReport", "caller": caller},
            "service_credentials": evidence,
        }
        return as_json(told)


class Access:
    """Make clients of one profile, or of the ordinary credentials where none is named."""

    def __init__(
        self, *, profile: str | None = None, region: str | None = None, endpoint: str | None = None
    ) -> None:
        """Keep where to find credentials and whom to ask; nobody is asked yet.

        Raises AwsRefused where there is no such profile.
        """
        self._endpoint = endpoint
        self._lock = threading.Lock()
        with translated():
            self._core = Session(profile=profile)
            self._session = boto3.Session(botocore_session=self._core, region_name=region)
            self._region = self._session.region_name or _REGION

    def client(self, service: str, attempts: int = 3, **credentials: Any) -> Any:
        """Return a client of a service that tries so often, unless AWS_MAX_ATTEMPTS says else.

        Raises AwsRefused where the settings are not fit to make one.
        """
        made: Callable[..., Any] = self._session.client
        try:
            with translated(), self._lock:  # A session is not made for many threads.
                where = {"region_name": self._region, "endpoint_url": self._endpoint}
                return made(service, config=self._config(attempts), **where, **credentials)
        except ValueError:
            message = "The region, the endpoint URL or AWS_MAX_ATTEMPTS is not valid: correct it."
            raise AwsRefused(message) from None

    def _config(self, attempts: int) -> Config:
        attempts = int(self._core.get_config_variable("max_attempts") or attempts)
        return Config(
            retries={"mode": "standard", "total_max_attempts": attempts},
            connect_timeout=10,
            read_timeout=30,
            max_pool_connections=64,
        )


def fetch_report(
    iam: "IAMClient",
    *,
    timeout: float = 300,
    poll: float = 2,
    clock: Callable[[], float] = time.monotonic,
    stopped: Callable[[], bool] = lambda: False,
) -> FetchedReport:
    """Have AWS make the report, wait until it is there, and return it.

    Asks again every `poll` seconds; after `timeout` seconds, or once `stopped`, no call starts.

    Raises AwsRefused where there is no whole report to be had.
    """
    asking = _ReportOperation(iam, timeout, clock() + timeout, clock, stopped)
    with translated():
        config: Any = _MODEL.get_waiter(_NAME)
        Waiter(_NAME, config, asking).wait(WaiterConfig={"Delay": poll})
    return _fetched_report(asking.answer)


@dataclass(slots=True)
class _ReportOperation:
    """Be the operation that is waited for: generate, and where that is complete, get."""

    iam: "IAMClient"
    timeout: float
    ends: float
    clock: Callable[[], float]
    stopped: Callable[[], bool]
    last: str = "none"
    answer: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self) -> Mapping[str, Any]:
        """Ask once; what AWS cannot do yet is an answer, all else raises."""
        self._go_on()
        try:
            generated = self.iam.generate_credential_report()
            self.last = generated["State"]
            if self.last == "COMPLETE":
                self.answer = self.iam.get_credential_report()
        except ClientError as error:
            self.last = code(error)
            if self.last not in _AGAIN:
                raise
            return error.response
        return generated

    def _go_on(self) -> None:
        if self.stopped():
            raise Stopped(STOPPED)
        if self.clock() >= self.ends:
            raise AwsRefused(_LATE.format(self.timeout, self.last))


def _fetched_report(answer: Mapping[str, Any]) -> FetchedReport:
    """Return the report, if it is whole: a header, a row, and no end within the last row."""
    content, generated = answer.get("Content", b""), answer.get("GeneratedTime")
    first, _, rows = content.decode(errors="replace").partition("\n")
    header = first.split(",")
    owner = _OWNER.search(rows.partition("\n")[0])
    if generated is None or owner is None or not set(columns.REQUIRED) <= set(header):
        raise AwsRefused(_DAMAGED.format("it lacks its time, its header or its first row"))
    if not _is_whole(rows, header):
        raise AwsRefused(_DAMAGED.format("it ends in the middle of a row"))
    return FetchedReport(
        content=content,
        generated=generated.astimezone(UTC),
        account=owner["account"],
        partition=owner["partition"],
    )


_LATE: Final = (
    "AWS had no report ready after {:g} seconds (its last answer: {}). Try again later, or wait"
    " longer with --timeout."
)
_DAMAGED: Final = "The report that AWS sent is damaged: {}. Nothing of it was kept: fetch it again."
_OWNER: Final = re.compile(r',"?arn:(?P<partition>aws[a-z0-9-]*):iam::(?P<account>\d{12}):')
_LAST_CELL: Final = re.compile(r'"?(N/A|not_supported|\d{4}-\d\d-\d\dT[\d:]{8}(Z|[+-][\d:]{5}))"?')


def _is_whole(rows: str, header: list[str]) -> bool:
    """Tell whether the rows end at the end of one; AWS itself writes no newline there."""
    cells = rows.removesuffix("\n").rpartition("\n")[2].split(",")
    if len(cells) < len(header):
        return False
    is_moment = header[-1] in columns.TIMESTAMPS and not rows.endswith("\n")
    return not is_moment or _LAST_CELL.fullmatch(cells[-1]) is not None


def service_credentials(iam: "IAMClient") -> bytes:
    """Return all users' service-specific credentials, as the AWS CLI would print the answer.

    The answer holds no secrets. Raises AwsRefused where AWS does not give it.
    """
    listed: list[Any] = []
    page: dict[str, Any] = {}
    with translated():
        while True:
            answer = iam.list_service_specific_credentials(AllUsers=True, **page)
            listed += answer["ServiceSpecificCredentials"]
            if not answer["IsTruncated"]:
                return as_json({"ServiceSpecificCredentials": listed, "IsTruncated": False})
            page = {"Marker": answer["Marker"]}


@contextmanager
def translated() -> Iterator[None]:
    """Turn what boto3 raises into AwsRefused, with one message that says what to do."""
    try:
        yield
    except (BotoCoreError, ClientError, EOFError) as error:
        raise AwsRefused(refusal(error)) from None
