"""Hold the CSV of one report, ready to be read again and again, wherever it lies."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from analyzer.model import ReadFile
from analyzer.report.raw_report import Header


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCredentials:
    """Hold who has live service-specific credentials, and the file that tells it.

    `services` maps the names of users in lower case to their services, joined by `, `.
    """

    file: ReadFile
    services: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportText:
    """Hold one report before its rows are read.

    `size` counts the bytes as they lay and `sha256` gives their SHA-256; `content` gives that of
    the CSV in them, the same whatever it was wrapped in. `open` starts a stream of the CSV in
    UTF-8 at its first byte; `tail` are its last bytes; `quoted` is False where no quote occurs.
    `envelope` and `metadata` are when AWS made the report, where these tell;
    `service_credentials` is what was saved of these beside it.
    """

    name: str
    size: int
    sha256: Callable[[], str]
    content: Callable[[], str]
    header: Header
    open: Callable[[], pa.NativeFile]
    tail: bytes
    quoted: bool = True
    envelope: datetime | None = None
    metadata: datetime | None = None
    service_credentials: ServiceCredentials | None = None
