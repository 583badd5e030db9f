"""Refuse what an endpoint answers that is not AWS: a proxy, a portal, a damaged answer.

No part of such an answer is ever repeated, since it may repeat a request with its secrets.
"""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, Final, TypeVar

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from botocore.session import Session
from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError
from urllib3.exceptions import ReadTimeoutError as SilentServer

from analyzer.aws.errors import not_from_aws

T = TypeVar("T")

LARGEST_ANSWER: Final = 64 << 20
"""Bytes of the largest answer that is read; a report of 5,000 users has about three million."""


@dataclass(frozen=True, slots=True)
class CheckedTransport:
    """Send the requests of a client, and check each answer: it is read whole, but no further.

    The body of an answer of the service starts with `start`.
    """

    connections: URLLib3Session
    start: bytes

    def __call__(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        """Return the answer to a request, as botocore's event `before-send` expects it.

        Raises AwsRefused if it is not an answer of AWS, and botocore's errors.
        """
        request.stream_output = True  # Otherwise an endless answer would fill the memory.
        answer = self.connections.send(request)
        body = _body(answer)
        kind = "a redirect" if 300 <= answer.status_code < 400 else self._foreign_kind(body)
        if kind:
            if answer.status_code < 500:
                raise not_from_aws(f"{kind} (HTTP status {answer.status_code})")
            body = b""  # For botocore the server's error, after which it tries again.
        whole = HTTPResponse(BytesIO(body), preload_content=False)
        return AWSResponse(answer.url, answer.status_code, answer.headers, whole)  # type: ignore[arg-type]  # as botocore does

    def _foreign_kind(self, body: bytes) -> str:
        """Return what kind of thing a body is, empty if it may be of AWS."""
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
        # What a document type declares can unfold to any size.
        return "a document with declarations" if b"<!DOCTYPE" in body else ""


def _body(answer: AWSResponse) -> bytes:
    """Return the body of an answer.

    Raises AwsRefused if it is too large, botocore's errors if it breaks off.
    """
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


def field_of(answer: object, name: str, kind: type[T]) -> T:
    """Return a field of an answer, which is of a kind and not an empty text.

    Raises AwsRefused if there is none.
    """
    value = answer.get(name) if isinstance(answer, Mapping) else None
    if not isinstance(value, kind) or value == "":
        raise not_from_aws(f"an answer without {name}")
    return value
