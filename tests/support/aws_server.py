"""Be AWS on loopback: enough of IAM, STS and Organizations to serve made-up reports.

The reports have AWS's true form. Every call is counted by the account that it is about.
"""

import json
import os
import socket
import threading
import time
from base64 import b64encode
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, Protocol
from urllib.parse import parse_qs
from urllib.request import urlopen
from xml.sax.saxutils import escape

import pytest
from botocore import xform_name
from botocore.hooks import BaseEventHooks, EventAliaser, HierarchicalEmitter
from botocore.loaders import JSONFileLoader, Loader

from analyzer.cli import main
from tests.support.builders import a_user, report_text, the_root

CALLER = "111122223333"
GENERATED = datetime(2026, 5, 1, 12, 30, 15, tzinfo=UTC)
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TOKEN = "FwoGZXIvYXdzEXAMPLETOKEN"
LEAK = f"the canonical string should have been: x-amz-security-token:{TOKEN} {SECRET}"
"""What an error of AWS may say, and nobody should read."""

GENERATE, GET = "GenerateCredentialReport", "GetCredentialReport"


@dataclass(frozen=True)
class Refusal:
    code: str
    status: int = 400
    message: str = LEAK


DENIED = Refusal("AccessDenied", 403)


class RawAnswer(Protocol):
    """Send anything on a connection in answer to an operation, then close it."""

    def send(self, connection: socket.socket, operation: str, request: str) -> None: ...


@dataclass
class AnAccount:
    """Be one account; `status` and `state` are as Organizations tells them, `unit` where it is."""

    report: bytes
    name: str = ""
    status: str | None = "ACTIVE"
    state: str | None = "ACTIVE"
    unit: str = "r-root"
    partition: str = "aws"


@cache
def a_report(account: str, users: int = 5, partition: str = "aws") -> bytes:
    rows = [a_user(f"user-{number}", account=account) for number in range(users)]
    text = report_text(rows, root=the_root(account))
    return text.replace("arn:aws:", f"arn:{partition}:").encode()


def an_account(account: str, users: int = 5, **known: Any) -> AnAccount:
    partition = known.get("partition", "aws")
    return AnAccount(report=a_report(account, users, partition), **known)


@dataclass
class Aws:
    """Say what AWS answers; `script` comes first, call by call, then what is ordinary.

    `denied` are the operations that an account does not allow, and `false` those that are not
    answered as AWS would; `units` maps an organizational unit to those below it; `page` is how many
    accounts or credentials one page holds; `connections` counts those that were opened. Roles are
    given when as many ask as `at_once` has parties.
    """

    url: str
    accounts: dict[str, AnAccount] = field(default_factory=dict)
    units: dict[str, list[str]] = field(default_factory=dict)
    credentials: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    script: dict[tuple[str, str], list["str | Refusal | RawAnswer"]] = field(
        default_factory=lambda: defaultdict(list)
    )
    denied: set[tuple[str, str]] = field(default_factory=set)
    false: dict[tuple[str, str], "RawAnswer"] = field(default_factory=dict)
    management: str = CALLER
    page: int = 20
    latency: float = 0
    connections: int = 0
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    asked: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    at_once: threading.Barrier = field(default_factory=partial(threading.Barrier, 1))

    def answer(self, key: str, operation: str, asked: Mapping[str, Any]) -> Any:
        """Return the answer to a call made with an access key."""
        time.sleep(self.latency)
        caller = key[4:16] if key.startswith("ASIA") else CALLER
        about = asked["RoleArn"].split(":")[4] if operation == "AssumeRole" else caller
        with self.lock:
            self.calls[about, operation] += 1
            self.asked.append((operation, asked))
            script = self.script[about, operation]
            scripted = script.pop(0) if script else ""
        if operation == "AssumeRole":
            self.at_once.wait(timeout=30)
        if not isinstance(scripted, str):
            return scripted
        if false := self.false.get((about, operation)):
            return false
        if (about, operation) in self.denied or about not in self.accounts:
            return DENIED
        return getattr(self, f"_{xform_name(operation)}")(about, asked, scripted)

    def operations(self) -> dict[str, int]:
        """Return how often each operation was called, whatever the account."""
        return dict(Counter(operation for _, operation in self.calls.elements()))

    def _generate_credential_report(self, _about: str, _asked: Any, scripted: str) -> str:
        return f"<State>{scripted or 'COMPLETE'}</State>"

    def _get_credential_report(self, about: str, _asked: Any, scripted: str) -> str:
        content = b64encode(scripted.encode() or self.accounts[about].report).decode()
        return (
            f"<Content>{content}</Content><ReportFormat>text/csv</ReportFormat>"
            f"<GeneratedTime>{GENERATED:%Y-%m-%dT%H:%M:%SZ}</GeneratedTime>"
        )

    def _list_service_specific_credentials(self, about: str, asked: Any, _scripted: str) -> str:
        assert asked["AllUsers"] == "true"
        assert "UserName" not in asked
        start = int(asked.get("Marker", 0))
        end = start + self.page
        everything = self.credentials.get(about, [])
        members = "".join(
            f"<member>{''.join(f'<{k}>{escape(v)}</{k}>' for k, v in each.items())}</member>"
            for each in everything[start:end]
        )
        more = f"<Marker>{end}</Marker>" if end < len(everything) else ""
        return (
            f"<ServiceSpecificCredentials>{members}</ServiceSpecificCredentials>{more}"
            f"<IsTruncated>{'true' if more else 'false'}</IsTruncated>"
        )

    def _assume_role(self, about: str, asked: Any, _scripted: str) -> str:
        partition = self.accounts[about].partition
        assert asked["RoleArn"].startswith(f"arn:{partition}:iam::")
        return (
            f"<Credentials><AccessKeyId>ASIA{about}ROLE</AccessKeyId>"
            f"<SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>{TOKEN}</SessionToken>"
            "<Expiration>2036-05-01T12:00:00Z</Expiration></Credentials>"
        )

    def _list_accounts(self, _about: str, asked: Any, _scripted: str) -> dict[str, Any]:
        start = int(asked.get("NextToken", 0))
        end = start + self.page
        page = [self._account(each) for each in sorted(self.accounts)[start:end]]
        more = {"NextToken": str(end)} if end < len(self.accounts) else {}
        return {"Accounts": page} | more

    def _account(self, account: str) -> dict[str, str]:
        known = self.accounts[account]
        owner = f"arn:{known.partition}:organizations::{self.management}:account"
        fields = {
            "Id": account,
            "Name": known.name,
            "Arn": f"{owner}/o-example/{account}",
            "Status": known.status,
            "State": known.state,
        }
        return {name: value for name, value in fields.items() if value is not None}

    def _list_children(self, _about: str, asked: Any, _scripted: str) -> Any:
        unit, kind = asked["ParentId"], asked["ChildType"]
        if unit != "r-root" and not any(unit in below for below in self.units.values()):
            return Refusal("ParentNotFoundException")
        if kind == "ACCOUNT":
            children = [each for each, known in self.accounts.items() if known.unit == unit]
        else:
            children = self.units.get(unit, [])
        return {"Children": [{"Id": each, "Type": kind} for each in children]}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # Header and body in one packet, or each call waits 40 ms for the other's ACK.
    aws: ClassVar[Aws]

    def setup(self) -> None:
        with self.aws.lock:
            self.aws.connections += 1
        super().setup()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        key = self.headers["Authorization"].partition("Credential=")[2].partition("/")[0]
        target = self.headers.get("X-Amz-Target")
        if target:
            operation, asked = target.partition(".")[2], json.loads(body)
        else:
            asked = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            operation = asked["Action"]
        answer = self.aws.answer(key, operation, asked)
        if hasattr(answer, "send"):
            answer.send(self.connection, operation, f"{self.headers}\n{body.decode()}")
            self.close_connection = True
        else:
            self._send(operation, answer, is_json=bool(target))

    def _send(self, operation: str, answer: Any, *, is_json: bool) -> None:
        status, name, content = 200, operation, f"<{operation}Result>{answer}</{operation}Result>"
        if isinstance(answer, Refusal):
            status, name = answer.status, "Error"
            details = f"<Code>{answer.code}</Code><Message>{escape(answer.message)}</Message>"
            content = f"<Error>{details}</Error>"
            answer = {"__type": answer.code, "Message": answer.message}
        content = json.dumps(answer) if is_json else f"<{name}Response>{content}</{name}Response>"
        self.send_response(status)
        self.send_header("Content-Length", str(len(content.encode())))
        self.end_headers()
        self.wfile.write(content.encode())

    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True


@contextmanager
def serving() -> Iterator[Aws]:
    """Serve the caller's account and whatever else is put into `accounts`."""

    class Handler(_Handler):
        pass

    with _Server(("127.0.0.1", 0), Handler) as server:
        aws = Handler.aws = Aws(url=f"http://127.0.0.1:{server.server_port}")
        aws.accounts[CALLER] = an_account(CALLER, name="management")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield aws
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def moto_serving() -> Iterator[str]:
    """Serve what moto makes of AWS, with nothing in it yet, and give its URL."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415  half a second, for few tests

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        url = f"http://127.0.0.1:{port}"
        urlopen(f"{url}/moto-api/reset", b"", timeout=5).close()
        yield url
    finally:
        server.stop()


def environment(home: Path, url: str = "http://127.0.0.1:9") -> dict[str, str]:
    """Return settings with which nothing of this computer's AWS set-up is found."""
    return {
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_CONFIG_FILE": str(home / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": url,
        "HOME": str(home),
        "NO_PROXY": "127.0.0.1",
    }


_model = cache(JSONFileLoader().load_file)
_services = cache(Loader().list_available_services)
_event = cache(
    partial(vars(EventAliaser)["_alias_event_name"], EventAliaser(HierarchicalEmitter()))
)
"""What botocore makes anew for each session, though it is the same: 0.7 of the time of a client."""


def on_loopback_only(
    patch: pytest.MonkeyPatch, home: Path, url: str = "http://127.0.0.1:9"
) -> None:
    """Give the test a fresh environment, and let it reach nobody but this computer."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            patch.delenv(name)
    for name, value in environment(home, url).items():
        patch.setenv(name, value)
    connect = socket.socket.connect

    def connected(self: socket.socket, address: Any) -> None:
        assert not isinstance(address, tuple) or address[0] == "127.0.0.1", address
        connect(self, address)

    patch.setattr(socket.socket, "connect", connected)
    patch.setattr(JSONFileLoader, "load_file", lambda _, path: _model(path))
    patch.setattr(Loader, "list_available_services", lambda _, type_name: _services(type_name))
    patch.setattr(EventAliaser, "_alias_event_name", lambda _, name: _event(name))
    patch.setattr(BaseEventHooks, "_verify_accept_kwargs", lambda *_: True)


def fetching(*arguments: str | Path) -> int:
    """Run `credreport fetch` in this process and return its exit code."""
    return main(["fetch", *map(str, arguments)])


def messages_without_secrets(capture: pytest.CaptureFixture[Any]) -> tuple[str, str]:
    """Return what is on standard output and standard error: nothing in it is secret."""
    output, messages = (
        text if isinstance(text, str) else text.decode() for text in capture.readouterr()
    )
    for secret in (SECRET, TOKEN):
        assert secret not in output + messages
    return output, messages


MEMBERS = tuple(f"{number:012}" for number in (0, 1, 2, 3, 4, 10))
ORGANIZATION = ("--organization", "--role-name", "credreport")


@contextmanager
def serving_an_organization(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Aws]:
    """Serve an organization of 7 accounts; the caller's is the one that manages it."""
    with serving() as server:
        for account in MEMBERS:
            server.accounts[account] = an_account(account, name=f"Team {int(account)}")
        on_loopback_only(monkeypatch, folder, server.url)
        yield server
