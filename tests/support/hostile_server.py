"""Answer falsely on loopback: in every way that a proxy, a portal or an attacker may.

Each way repeats the request with its secrets wherever it can, and a mark of its own, so that a test
can look for both in what the program says and writes.
"""

import gzip
import json
import os
import socket
import struct
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, count, repeat
from random import Random

from tests.support.aws_server import CALLER, TOKEN, a_report

MARK = "Zq7Xw9Mark"
"""Is in every false answer that has room for it, and must be in nothing that people read."""

EXTERNAL_ID = "audit-Kp4-2026"
ASSUME, ACCOUNTS, CREDENTIALS = "AssumeRole", "ListAccounts", "ListServiceSpecificCredentials"
CHILDREN = "ListChildren"

LONGEST = 15
"""Seconds after which the slowest answer ends."""

Pieces = Callable[[str, str], Iterator[bytes]]
"""Yields what is sent in answer to an operation and a request, which is repeated."""


@dataclass(frozen=True)
class FalseAnswer:
    """Send raw bytes, then end the connection, with a reset if asked for."""

    pieces: Pieces
    reset: bool = False
    pause: float = 0

    def send(self, connection: socket.socket, operation: str, request: str) -> None:
        """Send it; that the other side has gone is no error, and nothing is sent for ever."""
        end = time.monotonic() + LONGEST
        with suppress(OSError):
            for piece in self.pieces(operation, request):
                connection.sendall(piece)
                time.sleep(self.pause)
                if time.monotonic() > end:
                    break
        with suppress(OSError):
            if self.reset:
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            else:
                connection.shutdown(socket.SHUT_WR)
        os.close(connection.detach())


def echo(request: str) -> str:
    return f"{MARK} {request}"


def http(body: bytes, status: int = 200, headers: str = "", length: int | None = None) -> bytes:
    """Return an answer of HTTP whose length may be false."""
    size = len(body) if length is None else length
    head = (
        f"HTTP/1.1 {status} {MARK}\r\nContent-Length: {size}\r\nConnection: close\r\n{headers}\r\n"
    )
    return head.encode() + body


def xml(operation: str, result: str) -> str:
    wrapped = f"<{operation}Result>{result}</{operation}Result>"
    return f"<{operation}Response>{wrapped}</{operation}Response>"


def error_xml(code: str, message: str = "") -> str:
    details = f"<Code>{code}</Code><Message>{message}</Message>"
    return f"<ErrorResponse><Error>{details}</Error></ErrorResponse>"


def once(make: Callable[[str, str], bytes], *, reset: bool = False) -> FalseAnswer:
    return FalseAnswer(lambda operation, request: iter([make(operation, request)]), reset)


def body(text: str | bytes, status: int = 200, headers: str = "") -> FalseAnswer:
    """Return a false answer with a body in which `{echo}` stands for the request."""

    def make(_operation: str, request: str) -> bytes:
        content = (
            text if isinstance(text, bytes) else text.replace("{echo}", echo(request)).encode()
        )
        return http(content, status, headers.replace("{echo}", echo(request).replace("\n", " ")))

    return once(make)


def result(text: str) -> FalseAnswer:
    """Return an answer in IAM's form with another content."""

    def make(operation: str, request: str) -> bytes:
        return http(xml(operation, text.replace("{echo}", echo(request))).encode())

    return once(make)


def report(content: bytes | str, moment: str = "2026-05-01T12:30:15Z") -> FalseAnswer:
    encoded = content if isinstance(content, str) else b64encode(content).decode()
    return result(
        f"<Content>{encoded}</Content><ReportFormat>text/csv</ReportFormat>"
        f"<GeneratedTime>{moment}</GeneratedTime>"
    )


def documents(value: object) -> FalseAnswer:
    return body(json.dumps(value))


HTML = "<!DOCTYPE html>\n<html><body>{echo}</body></html>"
XHTML = '<html xmlns="http://www.w3.org/1999/xhtml"><body><p>Zq7Xw9Mark</p></body></html>'
ENTITIES = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    "<x>&b; Zq7Xw9Mark</x>"
)
STATUSES = (200, 206, 400, 403, 404, 407, 429, 500, 503, 511)

PAGES = {f"an HTML page with status {status}": body(HTML, status) for status in STATUSES} | {
    "HTML without a type": body("<html>{echo}", 200),
    "HTML that is XML": body(XHTML),
    "HTML that is XML, as an error": body(XHTML, 403),
    "HTML in capitals": body("<HTML><BODY>{echo}", 400),
    "HTML after blank lines": body("\n" * 999 + HTML),
    "a portal's redirect": body("", 302, "Location: http://127.0.0.1:9/{echo}\r\n"),
    "a redirect with a page": body(HTML, 301, "Location: /x\r\n"),
    "a redirect to nowhere": body("", 307, "Location: http://[Zq7Xw9Mark\r\n"),
    "a redirect without a place": body(HTML, 308),
    "not modified": body("", 304),
}
BODIES = {
    "nothing": body(""),
    "no content": body("", 204),
    "nothing, as an error": body("", 400),
    "nothing, as a server's error": body("", 500),
    "blanks": body(" \n" * 99),
    "a text": body("{echo}"),
    "a text, as an error": body("{echo}", 403),
    "a JSON document": body('{"State": "COMPLETE", "message": "{echo}"}'),
    "a JSON error": body('{"__type": "{echo}", "message": "{echo}"}', 400),
    "a JSON list": body("[1, 2]", 200),
    "binary": body(Random(1).randbytes(5000)),
    "zeros": body(b"<a>\0\0\0</a>"),
    "compressed": body(gzip.compress(MARK.encode()), 200, "Content-Encoding: gzip\r\n"),
    "XML in UTF-16": body("<rss><channel>Zq7Xw9Mark</channel></rss>".encode("utf-16")),
    "XML that is not UTF-8": body(b"<a>\xff\xfe Zq7Xw9Mark</a>"),
    "XML in an unknown encoding": body('<?xml version="1.0" encoding="Zq7Xw9Mark"?><a/>'),
    "XML that breaks off": body("<GenerateCredentialReportResponse><Gen{echo}"),
    "XML of something else": body("<rss><channel>Zq7Xw9Mark</channel></rss>"),
    "XML of something else, as an error": body("<rss><channel>Zq7Xw9Mark</channel></rss>", 403),
    "an error that is but text": body("<ErrorResponse>Zq7Xw9Mark</ErrorResponse>", 400),
    "an error without a code": body("<ErrorResponse><Error/></ErrorResponse>", 400),
    "errors in a heap": body("<ErrorResponse><Error/><Error/></ErrorResponse>", 400),
    "a result without its wrapper": body("<GetCredentialReportResponse/>"),
    "an empty result": result(""),
    "metadata that is text": body("<R><ResponseMetadata>Zq7Xw9Mark</ResponseMetadata></R>", 400),
    "entities that unfold": body(ENTITIES),
    "deep XML": body("<a>" * 50_000 + "</a>" * 50_000),
    "a code that is a token": body(error_xml(TOKEN, "{echo}"), 400),
    "a code that is the external id": body(error_xml(EXTERNAL_ID), 403),
    "a code that nobody knows": body(error_xml(MARK), 400),
    "a long code": body(error_xml(MARK * 9999), 400),
    "a known code, as a success": body(error_xml("AccessDenied", "{echo}")),
}


def _chunked(last: bytes) -> FalseAnswer:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return once(lambda *_: head + b"5\r\n<Zq7X\r\n" + last)


def _endless_headers(*_: str) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    yield from (f"X-{number}: {MARK}\r\n".encode() for number in count())


CONNECTIONS = {
    "closed without an answer": once(lambda *_: b""),
    "reset without an answer": once(lambda *_: b"", reset=True),
    "reset in the middle": once(lambda *_: http(b"<Zq7Xw9Mark>", length=999), reset=True),
    "closed in the middle": once(lambda _, request: http(echo(request).encode(), length=99_999)),
    "closed in the first line": once(lambda *_: b"HTTP/1."),
    "closed in the headers": once(lambda *_: b"HTTP/1.1 200 OK\r\nX-Mark: Zq7Xw9"),
    "chunks that break off": _chunked(b""),
    "chunks without a size": _chunked(b"Zq7Xw9Mark\r\n"),
    "chunks of a negative size": _chunked(b"-5\r\nZq7Xw\r\n"),
    "no HTTP": once(lambda *_: b"SSH-2.0-Zq7Xw9Mark\r\n"),
    "an alert of TLS": once(lambda *_: b"\x15\x03\x01\x00\x02\x02\x46"),
    "a text without headers": once(lambda _, request: echo(request).encode()),
    "a status that is no number": once(lambda *_: b"HTTP/1.1 Zq7Xw9Mark\r\n\r\n"),
    "status 999": once(lambda *_: http(MARK.encode(), 999)),
    "switching protocols": once(lambda *_: http(b"", 101)),
    "a header without a colon": once(lambda *_: b"HTTP/1.1 200 OK\r\nZq7Xw9Mark\r\n\r\n"),
    "a huge header": once(lambda *_: b"HTTP/1.1 200 OK\r\nX: " + b"y" * 99_999 + b"\r\n\r\n"),
    "a length that is no number": once(
        lambda *_: b"HTTP/1.1 200 OK\r\nContent-Length: Zq7Xw9Mark\r\n\r\n"
    ),
    "a negative length": once(lambda *_: http(b"Zq7Xw9Mark", length=-1)),
    "endless headers": FalseAnswer(_endless_headers),
}


STATES = {
    "no State": result("<Description>{echo}</Description>"),
    "an empty State": result("<State/>"),
    "an unknown State": result(f"<State>{TOKEN}</State>"),
    "a State in parts": result("<State><a>COMPLETE</a></State>"),
    "two States": result("<State>COMPLETE</State><State>Zq7Xw9Mark</State>"),
}
"""False answers to GenerateCredentialReport."""

REPORTS = {
    "no Content": result("<GeneratedTime>2026-05-01T12:30:15Z</GeneratedTime>"),
    "bad base64": report("{echo}!"),
    "base64 that breaks off": report(b64encode(a_report(CALLER)).decode()[:-1]),
    "base64 that is not ASCII": report("Zq7Xw9Märk"),
    "HTML as the report": report(b"<html>Zq7Xw9Mark</html>"),
    "a workbook as the report": report(b"PK\x03\x04" + Random(2).randbytes(999)),
    "an account in other digits": report(
        a_report(CALLER).replace(CALLER.encode(), "١٢٣٤٥٦٧٨٩٠١٢".encode())
    ),
    "an account of 11 digits": report(a_report(CALLER).replace(CALLER.encode(), b"11112222333")),
    "no time": result(f"<Content>{b64encode(a_report(CALLER)).decode()}</Content>"),
} | {
    f"the time {moment}": report(a_report(CALLER), moment)
    for moment in ("yesterday", "", "2026-05-01T12:30:15", "0001-01-01T00:00:00+14:00", "9" * 30)
    + ("2009-12-31T23:59:59Z", "2099-01-01T00:00:00Z")
    + ("9999-12-31T23:59:59-14:00",)
}
"""False answers to GetCredentialReport."""


def _member(**fields: str) -> str:
    return (
        f"<member>{''.join(f'<{name}>{text}</{name}>' for name, text in fields.items())}</member>"
    )


def _page(members: str, more: str = "<IsTruncated>false</IsTruncated>") -> FalseAnswer:
    return result(f"<ServiceSpecificCredentials>{members}</ServiceSpecificCredentials>{more}")


_WHOLE = {"UserName": "ann", "Status": "Active", "ServiceName": "x"}
EVIDENCE = {
    "no list": result("<IsTruncated>false</IsTruncated>"),
    "no user": _page(_member(Status="Active", ServiceName="x")),
    "no status": _page(_member(UserName="ann", ServiceName="x")),
    "no service": _page(_member(UserName="ann", Status="Active")),
    "a bad time": _page(_member(**_WHOLE, CreateDate="Zq7Xw9Mark")),
    "more without a marker": _page("", "<IsTruncated>true</IsTruncated>"),
    "the same marker again": _page("", "<IsTruncated>true</IsTruncated><Marker>x</Marker>"),
}
"""False answers to ListServiceSpecificCredentials."""

ROLES = {
    "no credentials": result("<AssumedRoleUser/>"),
    "half of the credentials": result("<Credentials><AccessKeyId>x</AccessKeyId></Credentials>"),
    "a token with newlines": result(
        "<Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>x</SecretAccessKey>"
        "<SessionToken>Zq7Xw9\nMark: x</SessionToken></Credentials>"
    ),
    "a bad expiration": result("<Credentials><Expiration>Zq7Xw9Mark</Expiration></Credentials>"),
}
"""False answers to AssumeRole."""

LISTS = {
    "no accounts": documents({}),
    "accounts that are null": documents({"Accounts": None}),
    "accounts that are a text": documents({"Accounts": MARK}),
    "accounts that are texts": documents({"Accounts": [MARK]}),
    "accounts that are numbers": documents({"Accounts": [1]}),
    "an account that is null": documents({"Accounts": [None]}),
    "an id that is a number": documents({"Accounts": [{"Id": 1}]}),
    "a name that is a list": documents({"Accounts": [{"Id": CALLER, "Name": [MARK]}]}),
    "a time that is a text": documents({"Accounts": [{"JoinedTimestamp": MARK}]}),
    "a document that is a list": documents([MARK]),
    "a document that is a text": documents(MARK),
    "a document that breaks off": body('{"Accounts": [{"Id": "Zq7Xw9Mark'),
    "a deep document": body('{"Accounts": ' + "[" * 100_000),
    "a document that is not UTF-8": body(b'{"Accounts": "\xff"}'),
    "an error that is a list": body("[1]", 400),
    "a code that is a list": body('{"__type": ["Zq7Xw9Mark"]}', 400),
    "a message that is a list": body('{"__type": "AccessDeniedException", "message": [1]}', 400),
    "a token that is a number": documents({"Accounts": [], "NextToken": 1}),
    "the same token again": documents({"Accounts": [], "NextToken": "x"}),
}
"""False answers to ListAccounts."""


def _more_accounts(*_: str) -> Iterator[bytes]:
    yield http(json.dumps({"Accounts": [], "NextToken": f"{time.monotonic_ns()}"}).encode())


def _more_units(*_: str) -> Iterator[bytes]:
    unit = {"Id": f"ou-{time.monotonic_ns()}", "Type": "ORGANIZATIONAL_UNIT"}
    yield http(json.dumps({"Children": [unit]}).encode())


def _more_credentials(operation: str, _request: str) -> Iterator[bytes]:
    page = f"<ServiceSpecificCredentials/><Marker>{time.monotonic_ns()}</Marker>"
    yield http(xml(operation, f"{page}<IsTruncated>true</IsTruncated>").encode())


OK = b"HTTP/1.1 200 OK\r\n"


def _slow(begin: bytes, more: bytes) -> FalseAnswer:
    """Return an answer that begins, and then goes on for ever, a little at a time."""
    return FalseAnswer(lambda *_: chain([begin], repeat(more)), pause=0.1)


SLOW = {
    "accepts and is silent": _slow(b"", b""),
    "drips a header": _slow(OK + b"X: ", b"y"),
    "drips a body": _slow(OK + b"Content-Length: 99999\r\n\r\n", b"<"),
    "drips chunks": _slow(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n<\r\n"),
    "answers and never closes": _slow(OK + b"\r\n<R/>", b""),
}
"""Answers that begin or go on, and never end."""

ENDLESS = {
    ACCOUNTS: FalseAnswer(_more_accounts, pause=0.05),
    CHILDREN: FalseAnswer(_more_units, pause=0.05),
    CREDENTIALS: FalseAnswer(_more_credentials, pause=0.05),
}
"""Lists that never end, each page with a new name for the next."""

WAYS = PAGES | BODIES | CONNECTIONS
"""Ways to answer falsely to any operation of IAM and STS."""
