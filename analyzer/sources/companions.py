"""Read what was saved with a report: its generation time, and service-specific credentials.

Both are JSON files whose name is the report's with an ending of their own.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from analyzer.errors import InputRefused
from analyzer.files import json_list, saved_bytes, saved_file_refused, saved_json
from analyzer.model import FileReference
from analyzer.report.raw_report import ServiceCredentials
from analyzer.report.values import timestamp
from analyzer.terms import printable

FIRST_YEAR: Final = 2010
"""IAM is of 2010: no report is older."""

METADATA: Final = ".metadata.json"
SERVICE_CREDENTIALS: Final = ".service-credentials.json"
MANIFEST: Final = ".manifest.json"
COMPANIONS: Final = (METADATA, SERVICE_CREDENTIALS, MANIFEST)


class Metadata(NamedTuple):
    """Hold when AWS generated a report, and the SHA-256 of the report's bytes."""

    generated: datetime
    sha256: str


def read_generated_time(report: Path, sha256: Callable[[], str]) -> datetime | None:
    """Return when AWS generated the report, from `<report>.metadata.json`, None if there is none.

    Raises InputRefused if the metadata is of another report or not understood.
    """
    path = _companion_path(report, METADATA)
    if not path.is_file():
        return None
    name = str(path)
    return generated_time(name, saved_bytes(name, path.read_bytes), report.name, sha256)


def generated_time(name: str, content: bytes, report: str, sha256: Callable[[], str]) -> datetime:
    """Return when AWS generated the report of that name and SHA-256, from its metadata.

    Raises InputRefused if the metadata is of another report or not understood.
    """
    saved = metadata(name, content)
    if saved.sha256 != sha256():
        raise mismatch_refusal(name, report)
    return saved.generated


def metadata(name: str, content: bytes) -> Metadata:
    """Return what the metadata of a report holds.

    Raises InputRefused if it is not understood.
    """
    saved = saved_json(name, content)
    try:
        moment, of = timestamp(saved["generated_time"]), str(saved["sha256"])
    except (KeyError, TypeError):
        moment, of = None, ""
    if moment is None:
        message = "it has no `generated_time` with a time zone, or no `sha256`"
        raise saved_file_refused(name, message)
    if moment.year < FIRST_YEAR:
        raise saved_file_refused(name, f"its `generated_time` is before {FIRST_YEAR}")
    return Metadata(moment, of)


def mismatch_refusal(name: str, report: str) -> InputRefused:
    """Return the refusal of metadata that is of another report than the one it lies beside."""
    message = f"its `sha256` is not that of {report}: the report was changed"
    return saved_file_refused(name, message)


def read_service_credentials(report: Path) -> ServiceCredentials | None:
    """Return which users have which active service-specific credentials, None if nothing was saved.

    Raises InputRefused if it is not understood.
    """
    path = _companion_path(report, SERVICE_CREDENTIALS)
    if not path.is_file():
        return None
    return service_credentials(str(path), saved_bytes(str(path), path.read_bytes))


def service_credentials(name: str, content: bytes) -> ServiceCredentials:
    """Return who has which live service-specific credentials.

    The file `<report>.service-credentials.json` is AWS's answer to ListServiceSpecificCredentials
    for all users.

    Raises InputRefused if it is not understood.
    """
    answer = saved_json(name, content)
    try:
        services = _services(json_list(answer["ServiceSpecificCredentials"]))
    except (KeyError, TypeError, AttributeError):
        message = "it is not an answer of ListServiceSpecificCredentials for all users"
        raise saved_file_refused(name, message) from None
    if answer.get("IsTruncated"):
        raise saved_file_refused(name, "it is only the first part of AWS's answer (`IsTruncated`)")
    file = FileReference(name=printable(name), sha256=hashlib.sha256(content).hexdigest())
    return ServiceCredentials(file=file, services=services)


def _services(credentials: Iterable[Mapping[str, str]]) -> Mapping[str, str]:
    services: dict[str, set[str]] = defaultdict(set)
    for each in credentials:
        if each["Status"] == "Active":
            services[each["UserName"].lower()].add(printable(each["ServiceName"]))
    return {user: ", ".join(sorted(names)) for user, names in services.items()}


def _companion_path(report: Path, ending: str) -> Path:
    return report.with_name(report.name + ending)
