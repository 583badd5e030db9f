"""Stand before moto's server: record each call, and answer what moto does not know.

moto has no service-specific credentials, no last sign-in, and no last use of a key.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.error import HTTPError
from urllib.parse import parse_qs
from urllib.request import Request, urlopen

from tests.support.aws_server import moto_serving

Call = tuple[str, dict[str, str]]


@dataclass
class Front:
    """Say what AWS knows beyond moto, and which calls were made."""

    moto: str
    url: str = ""
    calls: list[Call] = field(default_factory=list)
    signed_in: dict[str, datetime] = field(default_factory=dict)
    service_credentials: dict[str, dict[str, str]] = field(default_factory=dict)

    def answer(self, operation: str, values: dict[str, str]) -> str | None:
        """Return what AWS answers where moto does not know it."""
        user = values.get("UserName", "")
        credentials = self.service_credentials.get(user, {})
        if operation == "ListServiceSpecificCredentials":
            members = "".join(
                f"<member><UserName>{user}</UserName><Status>{status}</Status>"
                f"<ServiceName>bedrock.amazonaws.com</ServiceName>"
                f"<CreateDate>2024-05-06T07:08:09Z</CreateDate>"
                f"<ServiceSpecificCredentialId>{each}</ServiceSpecificCredentialId></member>"
                for each, status in credentials.items()
            )
            return f"<ServiceSpecificCredentials>{members}</ServiceSpecificCredentials>"
        if operation == "DeleteServiceSpecificCredential":
            del credentials[values["ServiceSpecificCredentialId"]]
            return ""
        if operation == "UpdateServiceSpecificCredential":
            credentials[values["ServiceSpecificCredentialId"]] = values["Status"]
            return ""
        return None

    def completed(self, operation: str, values: dict[str, str], answer: bytes) -> bytes:
        """Return moto's answer with the last sign-in of the user, if there was one."""
        moment = self.signed_in.get(values.get("UserName", ""))
        if operation != "GetUser" or moment is None:
            return answer
        stated = f"<PasswordLastUsed>{moment:%Y-%m-%dT%H:%M:%SZ}</PasswordLastUsed></User>"
        return answer.replace(b"</User>", stated.encode())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    front: ClassVar[Front]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        values = {name: each[0] for name, each in parse_qs(body.decode()).items()}
        operation = values.pop("Action")
        self.front.calls.append((operation, values))
        known = self.front.answer(operation, values)
        if known is None:
            status, content = self._answer_of_moto(body)
            content = self.front.completed(operation, values, content)
        else:
            status = 200
            result = f"<{operation}Result>{known}</{operation}Result>"
            content = f"<{operation}Response>{result}</{operation}Response>".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _answer_of_moto(self, body: bytes) -> tuple[int, bytes]:
        names = "Authorization", "Content-Type", "X-Amz-Date"
        headers = {name: self.headers[name] for name in names}
        try:
            with urlopen(Request(self.front.moto, body, headers), timeout=20) as answer:
                return answer.status, answer.read()
        except HTTPError as error:
            with error:
                return error.code, error.read()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def front_serving() -> Iterator[Front]:
    """Serve moto behind a front, with nothing in it yet."""

    class Handler(_Handler):
        pass

    with moto_serving() as moto, ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        front = Handler.front = Front(moto, f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield front
        finally:
            server.shutdown()
            thread.join()
