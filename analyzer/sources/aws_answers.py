"""Refuse what an endpoint answers where that is not IAM: a proxy, a portal, a damaged answer.

No part of such an answer is ever repeated, since it may repeat a request with its secrets.
"""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.session import Session
from urllib3.exceptions import HTTPError
from urllib3.exceptions import ReadTimeoutError as SilentServer

from analyzer.errors import AwsRefused

LARGEST_ANSWER: Final = 64 << 20
"""Bytes of the largest answer that is read; a report of 5,000 users has about three million."""

_CHUNK_BYTES: Final = 1 << 16
UNREADABLE: Final = "an answer that cannot be read"


def not_from_aws(kind: str) -> AwsRefused:
    """Return the refusal of an answer, which `kind` describes in words of our own."""
    return AwsRefused(
        f"The endpoint answered with something that is not IAM: {kind}. Check --endpoint-url,"
        " --region and the proxy."
    )


# What answers


@dataclass(frozen=True, slots=True)
class CheckedTransport:
    """Send the requests of a client and check each answer; `client` is boto3's."""

    client: Any

    def __call__(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        """Return the answer to a request, read whole, as botocore's `before-send` expects it.

        Raises AwsRefused where it is no answer of IAM, and botocore's errors.
        """
        request.stream_output = True  # Otherwise an endless answer would fill the memory.
        answer = self.client._endpoint.http_session.send(request)  # noqa: SLF001  has the proxies
        body = _body(answer, request)
        is_json = self.client.meta.service_model.resolved_protocol == "json"
        checked = _checked_body(answer.status_code, body, is_json=is_json)
        return AWSResponse(answer.url, answer.status_code, answer.headers, _BufferedBody(checked))


@dataclass(frozen=True, slots=True)
class _BufferedBody:
    """Hold a body as botocore reads one."""

    body: bytes

    def stream(self) -> Iterator[bytes]:
        """Yield the body."""
        yield self.body


def _body(answer: AWSResponse, request: AWSPreparedRequest) -> bytes:
    """Return the body of an answer.

    Raises AwsRefused where it is too large, botocore's errors where it breaks off.
    """
    body = bytearray()
    try:
        for piece in answer.raw.stream(_CHUNK_BYTES):
            body += piece
            if len(body) > LARGEST_ANSWER:
                raise not_from_aws(f"an answer of more than {LARGEST_ANSWER >> 20} MiB")
    except SilentServer as error:
        raise ReadTimeoutError(endpoint_url=request.url, error=error) from None
    except HTTPError as error:
        raise ConnectionClosedError(endpoint_url=request.url, error=error) from None
    finally:
        answer.raw.close()
    length = answer.headers.get("Content-Length", "")
    if length.isdecimal() and len(body) < int(length):
        raise ConnectionClosedError(endpoint_url=request.url)
    return bytes(body)


def _checked_body(status: int, body: bytes, *, is_json: bool) -> bytes:
    """Return the body where it may be of AWS; of a server's error that is none, an empty one.

    botocore tries again after such an error. Raises AwsRefused.
    """
    kind = _foreign_kind(body, is_json=is_json)
    if status >= 500:
        return b"" if kind else body
    if 300 <= status < 400:
        kind = "a redirect"
    if kind:
        raise not_from_aws(f"{kind} (HTTP status {status})")
    return body


def _foreign_kind(body: bytes, *, is_json: bool) -> str:
    """Return what kind of thing a body is, empty where it may be of AWS."""
    start = body.lstrip()[:_CHUNK_BYTES].lower()
    if not start:
        return "an empty answer"
    if start.startswith(b"<") and (b"<html" in start or b"<!doctype html" in start):
        return "an HTML page"
    if is_json:
        return "" if start.startswith(b"{") else "a text that is not JSON"
    if start.startswith((b"{", b"[")):
        return "a JSON document"
    if not start.startswith(b"<") or b"\0" in body:
        return "a text that is not XML"
    # What a document type declares can unfold to any size.
    return "a document with declarations" if b"<!DOCTYPE" in body else ""


# What is in an answer


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


def text_field(answer: object, name: str) -> str:
    """Return a text of an answer.

    Raises AwsRefused where there is none.
    """
    value = _field(answer, name)
    if not isinstance(value, str) or not value:
        raise not_from_aws(f"an answer without {name}")
    return value


def list_field(answer: object, name: str) -> list[Any]:
    """Return a list of an answer.

    Raises AwsRefused where there is none.
    """
    value = _field(answer, name)
    if not isinstance(value, list):
        raise not_from_aws(f"an answer without {name}")
    return value


def _field(answer: object, name: str) -> object:
    return answer.get(name) if isinstance(answer, Mapping) else None
