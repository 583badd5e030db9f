"""Ask AWS within a time limit, with the credentials of a profile or of a role.

A damaged answer, or one that is not AWS's, such as that of a proxy or a portal, is refused. No part
of such an answer is ever quoted, since it may repeat a request with its secrets.
"""

import os
import time
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from threading import Lock, Thread
from typing import Any, Final, NamedTuple, TypeVar

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from botocore.paginate import Paginator
from botocore.session import Session
from botocore.utils import get_environ_proxies
from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError
from urllib3.exceptions import ReadTimeoutError as SilentServer

from analyzer.aws import FetchRequest
from analyzer.aws.errors import Late, call_name, not_from_aws, refusal
from analyzer.errors import AwsRefused

T = TypeVar("T")

_REGION: Final = "us-east-1"  # where IAM of partition aws is asked if no region is named

_ATTEMPTS: Final = {"iam": 3, "organizations": 6, "sts": 6}
"""Attempts at a call if AWS_MAX_ATTEMPTS is not set; IAM is polled for the report anyway."""


class Deadline:
    """Limit the requests for an account to `timeout` seconds in all; `clock` counts them."""

    def __init__(self, timeout: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Start to count the seconds."""
        self.timeout = timeout
        self._clock = clock
        self._end = clock() + timeout

    @property
    def seconds_left(self) -> float:
        """Return the seconds until the deadline, 0 after it."""
        return max(self._end - self._clock(), 0)

    def result_in_time(self, name: str, call: Callable[[], T]) -> T:
        """Return the result of a call; `name` is for people.

        The call runs in a thread of its own, which is abandoned when time is up: no socket setting
        limits a server that sends a byte a second, or a silent name server.

        Raises Late, and the errors of the call.
        """
        future: Future[T] = Future()
        Thread(target=_settle, args=(future, call), daemon=True).start()
        try:
            return future.result(self.seconds_left)
        except TimeoutError:
            if future.done():
                raise
            raise Late(
                f"AWS did not answer {name} within the {self.timeout:g} seconds of --timeout. Try"
                " again later, or wait longer with --timeout."
            ) from None


def _settle(future: Future[T], call: Callable[[], T]) -> None:
    try:
        future.set_result(call())
    except BaseException as error:  # noqa: BLE001  it is raised where the result is waited for
        future.set_exception(error)


class AwsSession:
    """Make clients of one profile, or of the ordinary credentials if none is named.

    The clients share the connections, which `close` closes.
    """

    def __init__(self, request: FetchRequest, profile: str | None = None) -> None:
        """Keep the source of the credentials and the endpoint; no request is sent yet.

        Raises AwsRefused if there is no such profile.
        """
        settings = self._settings = Session(profile=profile)
        self._endpoint = request.endpoint_url
        self._lock = Lock()  # boto3's sessions are not thread-safe.
        self._connections: dict[str, URLLib3Session] = {}
        set_strict_parsing(settings)
        try:
            self._session = boto3.Session(botocore_session=settings, region_name=request.region)
        except BotoCoreError as error:
            raise refusal(error) from None

    def client(self, service: str, deadline: Deadline, **credentials: str) -> "DeadlineClient":
        """Return a client of a service, with its own or the session's credentials.

        Raises AwsRefused if the settings or the credentials are not valid.
        """
        create = partial(self._client, service, credentials)
        try:
            client = deadline.result_in_time("the request for credentials", create)
        except Exception as error:  # noqa: BLE001  a program or server for credentials may answer anything
            raise refusal(error) from None
        return DeadlineClient(client, deadline)

    def _client(self, service: str, credentials: dict[str, Any]) -> Any:
        with self._lock:
            attempts = self._settings.get_config_variable("max_attempts") or _ATTEMPTS[service]
            create: Callable[..., Any] = self._session.client
            client = create(
                service,
                region_name=self._session.region_name or _REGION,
                endpoint_url=self._endpoint,
                config=Config(retries={"mode": "standard", "total_max_attempts": attempts}),
                **credentials,
            )
            is_json = client.meta.service_model.resolved_protocol == "json"
            connections = self._connections_to(client.meta.endpoint_url)
            send: Any = CheckedTransport(connections, b"{" if is_json else b"<")
            client.meta.events.register("before-send", send)
            return client

    def _connections_to(self, url: str) -> URLLib3Session:
        """Return the connections to an endpoint, with botocore's proxies and certificates."""
        if url not in self._connections:
            bundle = self._settings.get_config_variable("ca_bundle")
            self._connections[url] = URLLib3Session(
                verify=bundle or os.environ.get("REQUESTS_CA_BUNDLE") or True,  # type: ignore[arg-type]  # it may be a path
                proxies=get_environ_proxies(url),
                timeout=(10, 30),  # type: ignore[arg-type]  # seconds to connect, to wait for bytes
                max_pool_connections=64,
            )
        return self._connections[url]

    def close(self) -> None:
        """Close the connections."""
        for connections in self._connections.values():
            connections.close()


class DeadlineClient(NamedTuple):
    """Call AWS through a client of botocore, in the time that is left until a deadline."""

    client: Any
    deadline: Deadline

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
        return Paginator(call, _IAM_PAGES, model.operation_model(name))

    def _result(self, operation: str, call: Callable[[], Any]) -> Any:
        """Return the result of a call of botocore.

        botocore raises errors of every kind for an answer that is not AWS's. Only its code runs
        here, so that no bug of this program is hidden.
        """
        name = call_name(self.client.meta.method_to_api_mapping[operation])
        try:
            return self.deadline.result_in_time(name, call)
        except (AwsRefused, BotoCoreError, ClientError, EOFError) as error:
            raise refusal(error) from None
        except Exception:  # noqa: BLE001  see above
            raise not_from_aws("an answer that cannot be read") from None


_IAM_PAGES: Final = {
    "input_token": "Marker",
    "output_token": "Marker",
    "more_results": "IsTruncated",
    "result_key": "ServiceSpecificCredentials",
}
"""The paging of ListServiceSpecificCredentials in IAM, which botocore lacks."""


# Answers that are not AWS's

LARGEST_ANSWER: Final = 64 << 20  # bytes; a report of 5,000 users has about three million


@dataclass(frozen=True, slots=True)
class CheckedTransport:
    """Send the requests of a client, and check each answer: it is read whole, up to a limit.

    The body of an answer of the service starts with `start`.
    """

    connections: URLLib3Session
    start: bytes

    def __call__(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        """Return the answer to a request, as botocore's event `before-send` expects it.

        Raises AwsRefused if the answer is not AWS's, and botocore's errors.
        """
        request.stream_output = True  # Otherwise an endless answer would fill the memory.
        answer = self.connections.send(request)
        body = _body(answer)
        kind = "a redirect" if 300 <= answer.status_code < 400 else self._foreign_kind(body)
        if kind:
            if answer.status_code < 500:
                raise not_from_aws(f"{kind} (HTTP status {answer.status_code})")
            body = b""  # botocore takes it for a server error, and tries again.
        whole = HTTPResponse(BytesIO(body), preload_content=False)
        return AWSResponse(answer.url, answer.status_code, answer.headers, whole)  # type: ignore[arg-type]  # as botocore does

    def _foreign_kind(self, body: bytes) -> str:
        """Return the kind of a body that is not AWS's, empty if it may be AWS's."""
        head = body.lstrip()[: 1 << 16].lower()
        if not head:
            return "an empty answer"
        if head.startswith(b"<") and (b"<html" in head or b"<!doctype html" in head):
            return "an HTML page"
        if self.start == b"{":
            return "" if head.startswith(b"{") else "a text that is not JSON"
        if head.startswith((b"{", b"[")):
            return "a JSON document"
        if not head.startswith(b"<") or b"\0" in body:  # UTF-16 would hide declarations.
            return "a text that is not XML"
        # Declarations can unfold to any size.
        return "a document with declarations" if b"<!DOCTYPE" in body else ""


def _body(answer: AWSResponse) -> bytes:
    """Return the body; raises AwsRefused if it is too large, botocore's errors if it breaks off."""
    try:
        body: bytes = answer.raw.read(LARGEST_ANSWER + 1)
    except SilentServer as error:
        raise ReadTimeoutError(endpoint_url=answer.url, error=error) from None
    except HTTPError as error:
        raise ConnectionClosedError(endpoint_url=answer.url, error=error) from None
    finally:
        answer.raw.close()
    if len(body) > LARGEST_ANSWER:
        raise not_from_aws(f"an answer of more than {LARGEST_ANSWER >> 20} MiB")
    if answer.raw.length_remaining:
        raise ConnectionClosedError(endpoint_url=answer.url)
    return body


def set_strict_parsing(session: Session) -> None:
    """Have botocore read moments and encoded content as AWS writes them, and in no other form."""
    session.get_component("response_parser_factory").set_parser_defaults(
        timestamp_parser=_moment, blob_parser=_blob
    )


def _moment(value: object) -> datetime:
    """Return a moment: a number of seconds since 1970, or a text in ISO 8601 with its zone."""
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        moment = datetime.fromisoformat(str(value))
        if moment.tzinfo:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise not_from_aws("an answer with an invalid time")


def _blob(value: str) -> bytes:
    try:
        return b64decode("".join(value.split()), validate=True)
    except ValueError:
        raise not_from_aws("an answer whose content is not in base64") from None


def required_field(answer: object, name: str, kind: type[T]) -> T:
    """Return a field of an answer; raises AwsRefused if it has another type or is empty text."""
    value = answer.get(name) if isinstance(answer, Mapping) else None
    if not isinstance(value, kind) or value == "":
        raise not_from_aws(f"an answer without {name}")
    return value
