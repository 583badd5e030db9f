"""botocore reads values as AWS writes them, and refuses all else without repeating it."""

from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from unittest.mock import Mock

import pytest
import urllib3
from botocore import exceptions as botocore
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.session import Session

from analyzer.aws import client
from analyzer.aws.client import CheckedTransport, required_field, set_strict_parsing
from analyzer.errors import AwsRefused


@pytest.fixture
def readers() -> Any:
    """Return the functions with which botocore reads values."""
    session, factory = Session(), Mock()
    session.register_component("response_parser_factory", factory)
    set_strict_parsing(session)
    return factory.set_parser_defaults.call_args.kwargs


MOMENT = datetime(2026, 5, 1, 12, 30, 15, tzinfo=UTC)
NO_ZONE = ("12", "1777638615", "2026-05-01T12:30:15", "today")
ODD_MOMENTS: tuple[object, ...] = ("", *NO_ZONE, 1e30, float("nan"), None, [])
ODD_ANSWERS: tuple[object, ...] = (None, "x", {}, {"x": None}, {"x": 1}, {"x": {}})


def test_moments_are_numbers_or_have_their_zone_and_another_one_is_refused(readers: Any) -> None:
    texts = ("2026-05-01T12:30:15Z", "2026-05-01T14:30:15+02:00", "20260501T123015Z")
    for value in (*texts, MOMENT.timestamp()):
        assert readers["timestamp_parser"](value) == MOMENT
    for odd in ODD_MOMENTS:
        with pytest.raises(AwsRefused, match="an answer with an invalid time"):
            readers["timestamp_parser"](odd)


def test_content_may_be_wrapped_and_what_is_not_base64_is_refused(readers: Any) -> None:
    assert readers["blob_parser"]("YWJj\nZGVm \n") == b"abcdef"
    for value in ("YWJ", "YW!j", "ä", "===="):
        with pytest.raises(AwsRefused, match="whose content is not in base64"):
            readers["blob_parser"](value)


def test_a_field_that_is_missing_empty_or_of_another_kind_is_refused_but_no_empty_list() -> None:
    for answer in ODD_ANSWERS:
        for kind in (str, list):
            with pytest.raises(AwsRefused, match="an answer without x"):
                required_field(answer, "x", kind)
    with pytest.raises(AwsRefused):
        required_field({"x": ""}, "x", str)
    assert required_field({"x": []}, "x", list) == []


URL = "https://127.0.0.1:9"
IAM, ORGANIZATIONS = b"<", b"{"
DECLARATIONS = "<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"


def sent(start: bytes, status: int, body: bytes, length: int | None = None) -> AWSResponse:
    """Return what a transport makes of an answer whose length may be false."""
    headers = {"Content-Length": str(len(body) if length is None else length)}
    raw = urllib3.HTTPResponse(
        BytesIO(body), headers, preload_content=False, enforce_content_length=False
    )
    send = Mock(return_value=AWSResponse(URL, status, HTTPHeaders(), raw))
    return CheckedTransport(Mock(send=send), start)(AWSRequest("POST", URL).prepare())


@pytest.mark.parametrize(
    ("start", "status", "body", "kind"),
    [
        (IAM, 200, b"<!doctype html><p>x", "an HTML page"),
        (ORGANIZATIONS, 200, b"\n<HTML>{}", "an HTML page"),
        (IAM, 403, b'<x><html xmlns="x"/></x>', "an HTML page"),
        (IAM, 299, b" \n", "an empty answer"),
        (IAM, 300, b"<a/>", "a redirect"),
        (IAM, 399, b"", "a redirect"),
        (IAM, 400, b"", "an empty answer"),
        (IAM, 200, b"{}", "a JSON document"),
        (IAM, 200, b" [1]", "a JSON document"),
        (IAM, 200, b"<a>\0</a>", "a text that is not XML"),
        (IAM, 200, DECLARATIONS.encode("utf-16-le"), "a text that is not XML"),
        (ORGANIZATIONS, 200, b"<a/>", "a text that is not JSON"),
        (ORGANIZATIONS, 400, b"[1]", "a text that is not JSON"),
        (IAM, 200, DECLARATIONS.encode(), "a document with declarations"),
        (IAM, 499, b"hello", "a text that is not XML"),
    ],
)
def test_an_answer_that_is_not_of_aws_is_refused_with_its_kind_and_status(
    start: bytes, status: int, body: bytes, kind: str
) -> None:
    with pytest.raises(AwsRefused, match=rf"not IAM: {kind} \(HTTP status {status}\)\. Check"):
        sent(start, status, body)


def test_an_answer_of_aws_is_kept_to_the_byte_and_a_servers_other_error_is_empty() -> None:
    for start, status, body in (
        (IAM, 200, b" <a/>"),
        (IAM, 400, b"<ErrorResponse/>"),
        (IAM, 500, b"<ErrorResponse/>"),
        (ORGANIZATIONS, 200, b'{"Name": "<html> <!DOCTYPE html>"}'),
    ):
        answer = sent(start, status, body)
        assert (answer.status_code, answer.content) == (status, body)
    for body in (b"", b"<html>", b"hello"):
        answer = sent(IAM, 503, body)
        assert (answer.status_code, answer.content) == (503, b"")


def test_an_answer_of_more_bytes_than_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LARGEST_ANSWER", 3 << 20)
    largest = b"<" + b"x" * ((3 << 20) - 1)
    assert sent(IAM, 200, largest).content == largest
    with pytest.raises(AwsRefused, match="an answer of more than 3 MiB"):
        sent(IAM, 200, largest + b"x")


def test_an_answer_that_ends_too_early_is_an_error_after_which_botocore_tries_again() -> None:
    assert sent(IAM, 200, b"<a/>", length=4).content == b"<a/>"
    with pytest.raises(botocore.ConnectionClosedError):
        sent(IAM, 200, b"<a/>", length=5)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (urllib3.exceptions.ReadTimeoutError(None, URL, "x"), botocore.ReadTimeoutError),  # type: ignore[arg-type]  # there is no pool
        (urllib3.exceptions.ProtocolError("x"), botocore.ConnectionClosedError),
        (urllib3.exceptions.IncompleteRead(1, 2), botocore.ConnectionClosedError),
    ],
)
def test_what_breaks_off_is_an_error_after_which_botocore_tries_again(
    error: Exception, expected: type[Exception]
) -> None:
    raw, request = Mock(read=Mock(side_effect=error)), AWSRequest("POST", URL).prepare()
    send = Mock(return_value=AWSResponse(URL, 200, HTTPHeaders(), raw))
    with pytest.raises(expected):
        CheckedTransport(Mock(send=send), b"<")(request)
    assert request.stream_output
    raw.close.assert_called()
