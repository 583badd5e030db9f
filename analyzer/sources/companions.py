"""Read what was saved with a report: its generation time, and service-specific credentials.

Both are JSON files whose name is the report's with an ending of their own.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

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


def read_generated_time(report: Path, sha256: Callable[[], str]) -> datetime | None:
    """Return when AWS generated the report, from `<report>.metadata.json`, None if there is none.

    Raises InputRefused if the metadata is of another report or not understood.
    """
    path = _beside(report, METADATA)
    if not path.is_file():
        return None
    name = str(path)
    saved = saved_json(name, saved_bytes(name, path.read_bytes))
    try:
        moment, of = timestamp(saved["generated_time"]), saved["sha256"]
    except (KeyError, TypeError):
        moment, of = None, None
    if moment is None:
        message = "it has no `generated_time` with a time zone, or no `sha256`"
        raise saved_file_refused(name, message)
    if moment.year < FIRST_YEAR:
        raise saved_file_refused(name, f"its `generated_time` is before {FIRST_YEAR}")
    if of != sha256():
        message = f"its `sha256` is not that of {report.name}: the report was changed"
        raise saved_file_refused(name, message)
    return moment


def read_service_credentials(report: Path) -> ServiceCredentials | None:
    """Return which users have which active service-specific credentials, None if nothing was saved.

    The file `<report>.service-credentials.json` is AWS's answer to ListServiceSpecificCredentials
    for all users.

    Raises InputRefused if it is not understood.
    """
    path = _beside(report, SERVICE_CREDENTIALS)
    if not path.is_file():
        return None
    name = str(path)
    content = saved_bytes(name, path.read_bytes)
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


def _beside(report: Path, ending: str) -> Path:
    return report.with_name(report.name + ending)
