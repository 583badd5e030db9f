"""Read what was saved beside a report: when AWS made it, and credentials it cannot show.

Both are JSON files whose name is the report's with an ending of their own.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from analyzer.files import json_list, saved_bytes, saved_file_refused, saved_json
from analyzer.model import ReadFile
from analyzer.report.raw_report import ServiceCredentials
from analyzer.report.values import timestamp
from analyzer.terms import printable

METADATA: Final = ".metadata.json"

SERVICE_CREDENTIALS: Final = ".service-credentials.json"

MANIFEST: Final = ".manifest.json"

COMPANIONS: Final = (METADATA, SERVICE_CREDENTIALS, MANIFEST)


def metadata(report: Path, sha256: Callable[[], str]) -> datetime | None:
    """Return when AWS made the report, from `<report>.metadata.json`, None if there is none.

    Raises InputRefused if the metadata is of another report or not understood.
    """
    path = _beside(report, METADATA)
    if not path.is_file():
        return None
    told = saved_json(str(path), saved_bytes(str(path), path.read_bytes))
    try:
        moment, of = timestamp(told["generated_time"]), told["sha256"]
    except (KeyError, TypeError):
        moment, of = None, None
    if moment is None:
        raise saved_file_refused(
            str(path), "it tells no `generated_time` with its zone, or no `sha256`"
        )
    if of != sha256():
        message = f"its `sha256` is not that of {report.name}: the report was changed"
        raise saved_file_refused(str(path), message)
    return moment


def service_credentials(report: Path) -> ServiceCredentials | None:
    """Return who has which live service-specific credentials, None if nothing was saved.

    The file `<report>.service-credentials.json` is AWS's answer to ListServiceSpecificCredentials
    for all users.

    Raises InputRefused if it is not understood.
    """
    path = _beside(report, SERVICE_CREDENTIALS)
    if not path.is_file():
        return None
    name = str(path)
    content = saved_bytes(name, path.read_bytes)
    told = saved_json(name, content)
    try:
        services = _services(json_list(told["ServiceSpecificCredentials"]))
    except (KeyError, TypeError, AttributeError):
        message = "it is no answer of ListServiceSpecificCredentials for all users"
        raise saved_file_refused(name, message) from None
    if told.get("IsTruncated"):
        raise saved_file_refused(name, "it is but the first part of AWS's answer (`IsTruncated`)")
    file = ReadFile(name=printable(name), sha256=hashlib.sha256(content).hexdigest())
    return ServiceCredentials(file=file, services=services)


def _services(credentials: Iterable[Mapping[str, str]]) -> Mapping[str, str]:
    services: dict[str, set[str]] = defaultdict(set)
    for each in credentials:
        if each["Status"] == "Active":
            services[each["UserName"].lower()].add(printable(each["ServiceName"]))
    return {user: ", ".join(sorted(names)) for user, names in services.items()}


def _beside(report: Path, ending: str) -> Path:
    return report.with_name(report.name + ending)
