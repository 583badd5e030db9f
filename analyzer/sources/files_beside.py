"""Read the files saved with a report: its generation time, and service-specific credentials.

Each has the report's name with an ending of its own. AWS's list of credentials is
read in every form that the AWS CLI prints: `aws iam list-service-specific-credentials --all-users`
prints JSON, YAML, text or a table, as `--output` or the profile sets it. Several answers may follow
one another: the pages of one list.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import PurePath
from typing import Any, Final, TypeAlias

from analyzer.errors import InputRefused
from analyzer.files import saved_file_refusal, saved_json
from analyzer.report.input_formats import UTF16
from analyzer.report.model import FileReference
from analyzer.report.report_text import ReportText, ServiceCredential, ServiceCredentials
from analyzer.report.values import timestamp
from analyzer.terms import printable

FIRST_YEAR: Final = 2010
"""The year in which IAM began: no report is older."""

METADATA_ENDING: Final = ".metadata.json"
SERVICE_CREDENTIALS_ENDING: Final = ".service-credentials.json"
MANIFEST_ENDING: Final = ".manifest.json"
BESIDE_ENDINGS: Final = (METADATA_ENDING, SERVICE_CREDENTIALS_ENDING, MANIFEST_ENDING)


def with_files_beside(text: ReportText, name: str, files: Mapping[str, bytes]) -> ReportText:
    """Return the report of that name with the content of those files that were saved with it.

    Raises InputRefused if they are not understood, or if the metadata is of another report.
    """
    of_report, credentials = f"{name}{METADATA_ENDING}", f"{name}{SERVICE_CREDENTIALS_ENDING}"
    if of_report in files:
        generated, sha256 = metadata(of_report, files[of_report])
        if sha256 != text.sha256:
            raise mismatch_refusal(of_report, PurePath(name).name)
        text = replace(text, metadata_time=generated)
    if credentials in files:
        listed = service_credentials(credentials, files[credentials])
        text = replace(text, service_credentials=listed)
    return text


def metadata(name: str, content: bytes) -> tuple[datetime, str]:
    """Return when AWS generated a report, and the SHA-256 of its bytes, from its metadata.

    Raises InputRefused if they are not understood.
    """
    match saved_json(name, lambda: content):
        case {"generated_time": str(time), "sha256": str(sha256)} if generated := timestamp(time):
            if generated.year < FIRST_YEAR:
                raise saved_file_refusal(name, f"its `generated_time` is before {FIRST_YEAR}")
            return generated, sha256
    message = "it has no `generated_time` with a time zone, or no `sha256`"
    raise saved_file_refusal(name, message)


def mismatch_refusal(name: str, report: str) -> InputRefused:
    """Return the refusal of metadata that is of another report than the one it lies beside."""
    message = f"its `sha256` is not that of {report}: the report was changed"
    return saved_file_refusal(name, message)


# Service-specific credentials

_LIST: Final = "ServiceSpecificCredentials"
_IS_TRUNCATED: Final = "IsTruncated"
_EXPIRATION: Final = "ExpirationDate"
_ACTIVE: Final = "Active"
_STATUSES: Final = (_ACTIVE, "Inactive", "Expired")

_NOT_BLANK: Final = re.compile(r"\S")
_YAML_BREAK: Final = re.compile(r": \n +")
"""The break before a value that is too long for the line of its name."""

_YAML_LINE: Final = re.compile(r" *((?:- )*)(\w+):(?: ('?)(.*)\3)?")
_CREDENTIAL_ID: Final = re.compile("ACC[A-Z0-9]+")

_Answers: TypeAlias = tuple[list[Any], object]
"""The credentials of all answers, by AWS's own names, and if the last one is truncated."""


def service_credentials(name: str, content: bytes) -> ServiceCredentials:
    """Return the active service-specific credentials in a list of that name and content.

    Raises InputRefused if it is not the whole list, or if a date is not understood.
    """
    try:
        listed, is_truncated = _answers(_text(content))
    except (ValueError, RecursionError):
        listed, is_truncated = [None], None
    if not all(map(_is_credential, listed)):
        message = "it is not an answer of ListServiceSpecificCredentials for all users"
        raise saved_file_refusal(name, message)
    if is_truncated not in (None, False, "False", "false"):
        message = f"it is only the first part of AWS's answer (`{_IS_TRUNCATED}`)"
        raise saved_file_refusal(name, message)
    return ServiceCredentials(
        file=FileReference(name=printable(name), sha256=hashlib.sha256(content).hexdigest()),
        active=frozenset(
            _credential(name, credential)
            for credential in listed
            if credential["Status"] == _ACTIVE
        ),
        users=frozenset(credential["UserName"].lower() for credential in listed),
    )


def _is_credential(value: object) -> bool:
    match value:
        case {"UserName": str(), "Status": str(status), "ServiceName": str()}:
            return status in _STATUSES
    return False


def _credential(name: str, listed: Mapping[str, Any]) -> ServiceCredential:
    user, date = listed["UserName"], str(listed.get(_EXPIRATION) or "")
    expires = timestamp(date)
    if date and expires is None:
        message = f'{_EXPIRATION} "{printable(date)}" of {printable(user)} is not understood'
        raise saved_file_refusal(name, message)
    return ServiceCredential(user.lower(), printable(listed["ServiceName"]), expires)


def _text(content: bytes) -> str:
    """Return the text of a file; Windows PowerShell writes UTF-16."""
    text = content.decode("utf-16" if content.startswith(UTF16) else "utf-8-sig")
    return text.replace("\r\n", "\n").strip()


def _answers(text: str) -> _Answers:
    """Return the content of the answers; raises ValueError if they are in no form of the CLI."""
    if text.startswith(("{", "[")):
        return _json_answers(text)
    if text.startswith("-----"):
        return _joined(_table_entries(text))
    if text.startswith(("True", "False")):
        return _joined(_text_entries(text))
    return _joined(_yaml_entries(text))


def _json_answers(text: str) -> _Answers:
    listed: list[Any] = []
    at, is_truncated = 0, None
    while start := _NOT_BLANK.search(text, at):
        answer, at = json.JSONDecoder().raw_decode(text, start.start())
        match answer:
            case {"ServiceSpecificCredentials": [*page], **of_answer}:
                listed += page
                is_truncated = of_answer.get(_IS_TRUNCATED)
            case _:
                raise ValueError
    return listed, is_truncated


def _joined(entries: Iterator[dict[str, str]]) -> _Answers:
    """Return the credentials, and `IsTruncated` of the last answer."""
    every = [answer for answer in entries if answer]
    answers = [answer for answer in every if _IS_TRUNCATED in answer]
    if not answers:
        raise ValueError
    return [answer for answer in every if _IS_TRUNCATED not in answer], answers[-1][_IS_TRUNCATED]


def _yaml_entries(text: str) -> Iterator[dict[str, str]]:
    """Yield entries of the CLI's YAML: one field a line, and `-` before the first of an entry."""
    entry: dict[str, str] = {}
    for line in _YAML_BREAK.sub(": ", text).splitlines():
        match = _YAML_LINE.fullmatch(line)
        if not match:
            raise ValueError
        start, field, _, value = match.groups()
        if start or field == _IS_TRUNCATED:
            yield entry
            entry = {}
        entry[field] = value
    yield entry


def _text_entries(text: str) -> Iterator[dict[str, str]]:
    """Yield entries of the CLI's text: values in ABC order of their names, which are left out.

    The id follows the service, the dates come first. The second value is the expiration if it is a
    date; otherwise the credential does not expire.
    """
    for line in text.splitlines():
        kind, *values = line.split("\t")
        if kind in ("True", "False"):
            yield {_IS_TRUNCATED: kind}
            continue
        ids = [at for at, value in enumerate(values) if _CREDENTIAL_ID.fullmatch(value)]
        if kind != _LIST.upper() or not ids or ids[0] < len(("CreateDate", "ServiceName")):
            raise ValueError
        yield {
            "UserName": values[-1],
            "Status": values[-2],
            "ServiceName": values[ids[0] - 1],
            _EXPIRATION: values[1] if timestamp(values[1]) else "",
        }


def _table_entries(text: str) -> Iterator[dict[str, str]]:
    """Yield entries of the CLI's table: names over values, or for one entry name beside value."""
    header: list[str] = []
    entry: dict[str, str] = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith(("-", "+", "|+")):
            continue
        match cells:
            case [_]:
                yield entry
                header, entry = [], {}
            case [field, value]:
                entry[field] = value
            case _ if not header:
                header = cells
            case _:
                yield dict(zip(header, cells, strict=True))
    yield entry
