"""Read what was saved beside a report: when AWS made it, and credentials it cannot show.

Both are JSON files whose name is the report's with an ending of their own.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from analyzer.errors import InputRefused, Problem
from analyzer.model import Absent, ReadFile
from analyzer.report.text import ServiceCredentials
from analyzer.report.values import one_moment

METADATA: Final = ".metadata.json"
SERVICE_CREDENTIALS: Final = ".service-credentials.json"
MANIFEST: Final = ".manifest.json"
FAILED: Final = "failed"
SKIPPED: Final = "skipped"
"""The status of an account in a manifest that could not be read, and that was not to be."""

_TOLD: Final = ("account", "name", "status", "reason")
COMPANIONS: Final = (METADATA, SERVICE_CREDENTIALS, MANIFEST)


def metadata(report: Path, sha256: Callable[[], str]) -> datetime | None:
    """Return when AWS made the report, from `<report>.metadata.json`, None if there is none.

    Raises InputRefused if the metadata is of another report or not understood.
    """
    path = _beside(report, METADATA)
    if not path.is_file():
        return None
    told = _json(str(path), _bytes(str(path), path.read_bytes))
    try:
        moment, of = one_moment(told["generated_time"]), told["sha256"]
    except (KeyError, TypeError):
        moment, of = None, None
    if moment is None:
        raise _refused(str(path), "it tells no `generated_time` with its zone, or no `sha256`")
    if of != sha256():
        message = f"its `sha256` is not that of {report.name}: the report was changed"
        raise _refused(str(path), message)
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
    content = _bytes(name, path.read_bytes)
    told = _json(name, content)
    try:
        services = _services(_a_list(told["ServiceSpecificCredentials"]))
    except (KeyError, TypeError, AttributeError):
        message = "it is no answer of ListServiceSpecificCredentials for all users"
        raise _refused(name, message) from None
    if told.get("IsTruncated"):
        raise _refused(name, "it is but the first part of AWS's answer (`IsTruncated`)")
    file = ReadFile(name=name, sha256=hashlib.sha256(content).hexdigest())
    return ServiceCredentials(file=file, services=services)


def _services(credentials: Iterable[Mapping[str, str]]) -> Mapping[str, str]:
    services: dict[str, set[str]] = defaultdict(set)
    for each in credentials:
        if each["Status"] == "Active":
            services[each["UserName"].lower()].add(each["ServiceName"])
    return {user: ", ".join(sorted(names)) for user, names in services.items()}


def _listed(name: str, read: Callable[[], bytes]) -> list[Mapping[str, str]]:
    """Return account, name, status and reason of each account in a manifest, which has a name.

    Raises InputRefused if it is not understood.
    """
    try:
        accounts = _a_list(_json(name, _bytes(name, read))["accounts"])
        return [{key: _a_text(each[key]) for key in _TOLD} for each in accounts]
    except (KeyError, TypeError):
        raise _refused(name, "it is no list of fetched accounts") from None


def _a_list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _a_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def lists(name: str, read: Callable[[], bytes], files: Collection[str]) -> bool:
    """Tell whether a manifest lists one of these files as fetched; other JSON lists none.

    Raises InputRefused if it is no JSON.
    """
    told = _json(name, _bytes(name, read))
    try:
        return any(each.get("file") in files for each in told["accounts"])
    except (KeyError, TypeError, AttributeError):
        return False


def newest(name: str, read: Callable[[], bytes]) -> datetime | None:
    """Return when AWS made the newest report that a manifest lists, None if it tells of none.

    Raises InputRefused if it is not understood.
    """
    try:
        accounts = _a_list(_json(name, _bytes(name, read))["accounts"])
        told = [one_moment(str(each.get("generated_time"))) for each in accounts]
    except (KeyError, TypeError, AttributeError):
        raise _refused(name, "it is no list of fetched accounts") from None
    return max(filter(None, told), default=None)


def absent(name: str, read: Callable[[], bytes]) -> list[tuple[str, Absent]]:
    """Return the accounts that a manifest lists without a report, each behind its status.

    Raises InputRefused if it is not understood.
    """
    return [
        (each["status"], Absent(account=each["account"], name=each["name"], reason=each["reason"]))
        for each in _listed(name, read)
        if each["status"] in (FAILED, SKIPPED)
    ]


def _beside(report: Path, ending: str) -> Path:
    return report.with_name(report.name + ending)


def _bytes(name: str, read: Callable[[], bytes]) -> bytes:
    try:
        return read()
    except OSError as error:
        raise _refused(name, f"it cannot be read: {error.strerror}") from None


def _json(name: str, content: bytes) -> Any:
    try:
        return json.loads(content.decode())
    except (ValueError, RecursionError):
        raise _refused(name, "it is not valid JSON") from None


def _refused(name: str, message: str) -> InputRefused:
    hint = "Remove the file, or save it again."
    return InputRefused([Problem(name, None, None, None, message, hint)])
