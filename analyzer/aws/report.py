"""Get the credential report of one account: two calls, none per user.

A report is kept to the byte. It is refused if AWS cannot have made it, or if a part is missing.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any, Final

from analyzer import columns
from analyzer.aws.client import DeadlineClient, required_field
from analyzer.aws.errors import BUSY, STOPPED, ErrorAnswer, Late, Stopped, not_from_aws
from analyzer.errors import AwsRefused, InputRefused
from analyzer.files import json_bytes, provenance
from analyzer.sources.fetch_manifest import NOT_REQUESTED
from analyzer.sources.load import load_sources
from analyzer.sources.source import Source
from analyzer.terms import ACCOUNT_ID_PATTERN, account_of, minute_text, utc_text

FIRST_YEAR: Final = 2010  # in which IAM began: no report is older
POLL_SECONDS: Final = 2  # seconds between two questions whether the report is ready
WAITING_SECONDS: Final = 15  # seconds between two messages that the report is not ready
_NOT_READY: Final = BUSY | {"ReportInProgress", "ReportNotPresent", "ReportExpired"}
_CLOCK_SKEW: Final = timedelta(minutes=15)  # AWS refuses requests if the clock is further off

_ACCOUNT_ARN: Final = re.compile(
    rf',"?arn:(?P<partition>aws[a-z0-9-]*):iam::(?P<account>{ACCOUNT_ID_PATTERN}):'
)
_LAST_CELL: Final = re.compile(r'"?(N/A|not_supported|\d{4}-\d\d-\d\dT[\d:]{8}(Z|[+-][\d:]{5}))"?')


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedReport:
    """Hold a report as AWS sent it, with its time in UTC, its account, and how it was fetched.

    `caller` names the credentials; `service_credentials` is AWS's list of service-specific ones,
    None if there is none, and `service_credentials_status` says why.
    """

    content: bytes
    generated: datetime
    account: str
    partition: str
    caller: str = ""
    service_credentials: bytes | None = None
    service_credentials_status: str = NOT_REQUESTED

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of the report's bytes."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def account_name(self) -> str:
        """Return the account as outputs name it: with its partition, but for `aws`."""
        return account_of(self.partition, self.account)

    @property
    def name(self) -> str:
        """Return the name for the report's file, always the same for the same report."""
        name = f"credential-report_{self.account_name}_{self.generated_time}.csv"
        return name.replace(":", "-")

    @property
    def generated_time(self) -> str:
        """Return when AWS generated the report, as text."""
        return utc_text(self.generated)

    def metadata(self) -> bytes:
        """Return the content of the metadata file beside the report."""
        metadata = provenance() | {
            "account": self.account,
            "partition": self.partition,
            "generated_time": self.generated_time,
            "sha256": self.sha256,
            "obtained": {"operation": "iam:GetCredentialReport", "caller": self.caller},
            "service_credentials": self.service_credentials_status,
        }
        return json_bytes(metadata)


def fetch_report(
    iam: DeadlineClient,
    *,
    stop: Event,
    waiting: Callable[[float, str], None] = lambda _seconds, _state: None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> FetchedReport:
    """Have AWS generate the report, wait until it is ready, and return it.

    No call starts after the deadline, or once `stop` is set. `waiting` is called every 15 seconds,
    with the seconds so far and AWS's last answer.

    Raises AwsRefused if there is no whole report.
    """
    state, logged, begin = "none", 0.0, iam.deadline.seconds_left
    while not stop.is_set():
        if not iam.deadline.seconds_left:
            raise Late(
                f"AWS had no report ready after {iam.deadline.timeout:g} seconds (its last answer:"
                f" {state}). Try again later, or wait longer with --timeout."
            )
        try:
            state = required_field(iam.answer("generate_credential_report"), "State", str)
            if state == "COMPLETE":
                return _checked_report(iam.answer("get_credential_report"), now())
            if state not in ("STARTED", "INPROGRESS"):
                raise not_from_aws("an answer with an unknown State")
        except ErrorAnswer as error:
            if error.code not in _NOT_READY:
                raise
            state = error.code
        seconds = begin - iam.deadline.seconds_left
        if seconds - logged >= WAITING_SECONDS:
            logged = seconds
            waiting(seconds, state)
        stop.wait(min(POLL_SECONDS, iam.deadline.seconds_left))
    raise Stopped(STOPPED)


def _checked_report(answer: Mapping[str, Any], now: datetime) -> FetchedReport:
    """Return the report if it is whole: it has a header and a row, and the last row is complete."""
    content, generated = answer.get("Content", b""), answer.get("GeneratedTime")
    first, _, rows = content.decode(errors="replace").partition("\n")
    header = first.split(",")
    owner = _ACCOUNT_ARN.search(rows.partition("\n")[0])
    if generated is None or owner is None or not set(columns.REQUIRED) <= set(header):
        raise _damaged("it lacks its time, its header or its first row")
    if not _is_whole(rows, header):
        raise _damaged("it ends in the middle of a row")
    if generated.tzinfo is None or generated.year < FIRST_YEAR:
        raise not_from_aws(f"a report whose GeneratedTime is before {FIRST_YEAR}, or has no zone")
    if generated > now + _CLOCK_SKEW:
        raise AwsRefused(
            f"The report cannot be used: its GeneratedTime, {minute_text(generated)}, is later than"
            f" this machine's clock, {minute_text(now)}. Correct the clock, then fetch it again."
        )
    account, partition = owner["account"], owner["partition"]
    return FetchedReport(
        content=content, generated=generated.astimezone(UTC), account=account, partition=partition
    )


def _is_whole(rows: str, header: list[str]) -> bool:
    """Return whether the last row is complete; AWS writes no newline after it."""
    cells = rows.removesuffix("\n").rpartition("\n")[2].split(",")
    if len(cells) < len(header):
        return False
    is_moment = header[-1] in columns.TIMESTAMPS and not rows.endswith("\n")
    return not is_moment or _LAST_CELL.fullmatch(cells[-1]) is not None


def require_readable(report: FetchedReport) -> None:
    """Raise AwsRefused if an analysis would refuse a report, and with it all other reports."""
    source = Source(report.name, report.content)
    try:
        load_sources([], [source], None)
    except InputRefused:
        raise _damaged("it cannot be read as a credential report") from None


def _damaged(problem: str) -> AwsRefused:
    return AwsRefused(
        f"The report that AWS sent is damaged: {problem}. Nothing of it was kept: fetch it again."
    )


def service_credentials_json(iam: DeadlineClient, report: bytes) -> bytes:
    """Return all users' service-specific credentials, as the AWS CLI would print the answer.

    The answer holds no secrets. Raises AwsRefused if AWS does not give the whole list, or if an
    analysis would refuse the list beside the report, and with it all other reports.
    """
    credentials: list[Any] = []
    for page in iam.pages("list_service_specific_credentials", AllUsers=True):
        credentials += required_field(page, "ServiceSpecificCredentials", list)
        if page.get("IsTruncated"):
            required_field(page, "Marker", str)
    for credential in credentials:
        for name in ("UserName", "Status", "ServiceName"):
            required_field(credential, name, str)
    users = "|".join(re.escape(credential["UserName"]) for credential in credentials)
    in_report = re.compile(f'/({users})[",]', re.IGNORECASE)
    if credentials and not in_report.search(report.decode(errors="replace")):
        raise AwsRefused(
            "AWS lists them for no user of the report, which can be four hours old: fetch the"
            " report again later."
        )
    return json_bytes({"ServiceSpecificCredentials": credentials, "IsTruncated": False})
