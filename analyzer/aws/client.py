"""Ask AWS through botocore within a time limit, with the credentials of a profile or of a role.

The text of an answer that is not AWS's is never quoted: it may repeat a request with its secrets.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from socket import socket
from threading import Lock, local
from typing import Any, Final, NamedTuple, TypeVar

import boto3
from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.paginate import Paginator
from botocore.session import Session

from analyzer.aws import FetchRequest
from analyzer.aws.errors import Late, call_name, not_from_aws, refusal
from analyzer.errors import AwsRefused
from analyzer.terms import count_text

T = TypeVar("T")

_REGION: Final = "us-east-1"  # where IAM of partition aws is asked if no region is named

_ATTEMPTS: Final = 6
"""Attempts at a call if AWS_MAX_ATTEMPTS is not set: AWS lets few calls to Organizations pass."""

_LEAST_PATIENCE: Final = 0.1  # seconds; botocore takes no limit of 0

_CREDENTIAL_PAGES: Final = {
    "input_token": "Marker",
    "output_token": "Marker",
    "more_results": "IsTruncated",
    "result_key": "ServiceSpecificCredentials",
}
"""The paging of ListServiceSpecificCredentials in IAM, which botocore lacks."""


class Deadline:
    """Limit the requests for an account to `timeout` seconds in all; `clock` counts them.

    `received` counts the bytes of the answer that is awaited.
    """

    def __init__(self, timeout: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Start to count the seconds."""
        self.timeout = timeout
        self.received = 0
        self._clock = clock
        self._end = clock() + timeout

    @property
    def seconds_left(self) -> float:
        """Return the seconds until the deadline, 0 after it."""
        return max(self._end - self._clock(), 0)

    def check(self, name: str) -> None:
        """Raise Late if time is up; `name` is that of the call, for people."""
        if not self.seconds_left:
            come = count_text(self.received, "byte") if self.received else "nothing"
            raise Late(
                f"AWS did not answer {name} within the {self.timeout:g} seconds of --timeout:"
                f" {come} of the answer had come. Try again later, or wait longer with --timeout."
            )


_asking: Final = local()
"""The `deadline` of the call that this thread makes; botocore tells no handler of a retry more."""


@contextmanager
def _until(deadline: Deadline) -> Iterator[None]:
    """Limit what botocore asks in this thread, also for credentials, to the deadline."""
    _asking.deadline = deadline
    deadline.received = 0
    try:
        yield
    finally:
        del _asking.deadline


def _deadline() -> Deadline | None:
    """Return the deadline of what this thread asks, None for a program that uses botocore too."""
    return getattr(_asking, "deadline", None)


def _stop_when_late(operation: Any, **_: Any) -> None:
    """Raise Late after an attempt at a call whose time is up, so that no other one follows."""
    _asking.deadline.check(call_name(operation.name))


# No setting of botocore limits a server that sends a byte now and then: each byte would begin the
# time limit anew. So the connections know the deadline.


class _Answer(RawIOBase):
    """Read what a server sends, until the deadline, and count the bytes.

    Raises TimeoutError at the deadline, and after the connection's own time limit.
    """

    def __init__(self, connection: socket, deadline: Deadline) -> None:
        self._connection, self._deadline = connection, deadline
        self._stream = connection.makefile("rb", buffering=0)
        self._patience = connection.gettimeout() or deadline.timeout
        deadline.received = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        left = self._deadline.seconds_left
        if not left:
            raise TimeoutError
        self._connection.settimeout(min(self._patience, left))
        count = self._stream.readinto(buffer) or 0
        self._deadline.received += count
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()


class _AnswerUntilDeadline(HTTPResponse):
    def __init__(self, connection: socket, *arguments: Any, **options: Any) -> None:
        super().__init__(connection, *arguments, **options)
        if deadline := _deadline():
            self.fp.close()
            self.fp = BufferedReader(_Answer(connection, deadline))


def _patience(connection: AWSHTTPConnection | AWSHTTPSConnection) -> float | None:
    """Return how long to wait for a connection: as set, but no longer than until the deadline."""
    deadline = _deadline()
    if deadline is None:
        return connection.timeout
    left = max(deadline.seconds_left, _LEAST_PATIENCE)
    return min(connection.timeout or left, left)


class _Connection(AWSHTTPConnection):
    response_class: Any = _AnswerUntilDeadline

    def connect(self) -> None:
        self.timeout = _patience(self)
        super().connect()


class _SecureConnection(AWSHTTPSConnection):
    response_class: Any = _AnswerUntilDeadline

    def connect(self) -> None:
        self.timeout = _patience(self)
        super().connect()


AWSHTTPConnectionPool.ConnectionCls = _Connection
AWSHTTPSConnectionPool.ConnectionCls = _SecureConnection


class AwsSession:
    """Make clients of one profile, or of the ordinary credentials if none is named."""

    def __init__(self, request: FetchRequest, profile: str | None = None) -> None:
        """Keep the source of the credentials; no request is sent yet.

        Raises AwsRefused if there is no such profile, or if the settings are not valid.
        """
        settings = Session(profile=profile)
        # Clients that botocore makes to get credentials stop, too.
        settings.get_component("event_emitter").register_first("needs-retry", _stop_when_late)
        self._lock = Lock()  # boto3's sessions are not thread-safe.
        try:
            self._session = boto3.Session(botocore_session=settings, region_name=request.region)
            self._region = self._session.region_name or _REGION
            attempts = settings.get_config_variable("max_attempts") or _ATTEMPTS
            self._config = Config(
                max_pool_connections=64,
                retries={"mode": "standard", "total_max_attempts": attempts},
            )
        except (BotoCoreError, ValueError) as error:
            raise refusal(error) from None

    def client(self, service: str, deadline: Deadline, **credentials: str) -> "DeadlineClient":
        """Return a client of a service, with its own or the session's credentials.

        Raises AwsRefused if the endpoint or the credentials are not valid.
        """
        create: Callable[..., Any] = self._session.client
        patience = max(deadline.seconds_left, _LEAST_PATIENCE)
        limits = Config(connect_timeout=min(10, patience), read_timeout=min(30, patience))
        try:
            with self._lock, _until(deadline):
                config = self._config.merge(limits)
                client = create(service, self._region, config=config, **credentials)
        except Exception as error:  # noqa: BLE001  a program or server for credentials may answer anything
            raise refusal(error) from None
        return DeadlineClient(client, deadline)


class DeadlineClient(NamedTuple):
    """Call AWS through a client of botocore, in the time that is left until a deadline."""

    client: Any
    deadline: Deadline

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def answer(self, operation: str, **arguments: Any) -> Mapping[str, Any]:
        """Return the answer to a call; raises Late, ErrorAnswer for AWS's errors, or AwsRefused."""
        call = partial(getattr(self.client, operation), **arguments)
        answer: Mapping[str, Any] = self._result(operation, call)
        return answer

    def pages(self, operation: str, **arguments: Any) -> Iterator[Mapping[str, Any]]:
        """Yield the pages of a list, one answer each.

        Raises like `answer`, and AwsRefused if a page comes again.
        """
        pages = iter(self._paginator(operation).paginate(**arguments))
        while page := self._result(operation, partial(next, pages, None)):
            yield page

    def _paginator(self, operation: str) -> Any:
        if self.client.can_paginate(operation):
            return self.client.get_paginator(operation)
        call, model = getattr(self.client, operation), self.client.meta.service_model
        name = self.client.meta.method_to_api_mapping[operation]
        return Paginator(call, _CREDENTIAL_PAGES, model.operation_model(name))

    def _result(self, operation: str, call: Callable[[], Any]) -> Any:
        """Return the result of a call of botocore.

        botocore raises errors of every kind for an answer that is not AWS's. Only its code runs
        here, so that no bug of this program is hidden.
        """
        name = call_name(self.client.meta.method_to_api_mapping[operation])
        try:
            with _until(self.deadline):
                self.deadline.check(name)
                return call()
        except (AwsRefused, BotoCoreError, ClientError, EOFError) as error:
            raise refusal(error) from None
        except Exception:  # noqa: BLE001  see above
            raise not_from_aws("an answer that cannot be read") from None


def required_field(answer: object, name: str, kind: type[T]) -> T:
    """Return a field of an answer; raises AwsRefused if it has another type or is empty text."""
    value = answer.get(name) if isinstance(answer, Mapping) else None
    if not isinstance(value, kind) or value == "":
        raise not_from_aws(f"an answer without {name}")
    return value
