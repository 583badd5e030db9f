"""Read the files saved with a report: its generation time, and service-specific credentials.

Each has the report's name with an ending of its own. AWS's list of credentials is the JSON of
`aws iam list-service-specific-credentials --all-users --output json`.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from analyzer.files import saved_file_refusal, saved_json
from analyzer.report.input_formats import UTF16
from analyzer.report.model import FileReference
from analyzer.report.report_text import (
    Metadata,
    ReportText,
    ServiceCredential,
    ServiceCredentials,
)
from analyzer.report.values import timestamp
from analyzer.terms import printable

METADATA_ENDING: Final = ".metadata.json"
SERVICE_CREDENTIALS_ENDING: Final = ".service-credentials.json"
MANIFEST_ENDING: Final = ".manifest.json"
BESIDE_ENDINGS: Final = (METADATA_ENDING, SERVICE_CREDENTIALS_ENDING, MANIFEST_ENDING)


def with_files_beside(text: ReportText, name: str, files: Mapping[str, bytes]) -> ReportText:
    """Return the report of that name with the content of those files that were saved with it.

    Raises InputRefused if they are not understood.
    """
    of_report, credentials = f"{name}{METADATA_ENDING}", f"{name}{SERVICE_CREDENTIALS_ENDING}"
    if of_report in files:
        text = replace(text, metadata=metadata(of_report, files[of_report]))
    if credentials in files:
        listed = service_credentials(credentials, files[credentials])
        text = replace(text, service_credentials=listed)
    return text


def metadata(name: str, content: bytes) -> Metadata:
    """Return when AWS generated a report, and the SHA-256 of its bytes, from its metadata.

    Raises InputRefused if they are not understood.
    """
    match saved_json(name, lambda: content):
        case {"generated_time": str(time), "sha256": str(sha256)} if generated := timestamp(time):
            return Metadata(name, generated, sha256)
    message = "it has no `generated_time` with a time zone, or no `sha256`"
    raise saved_file_refusal(name, message)


# Service-specific credentials

_IS_TRUNCATED: Final = "IsTruncated"
_EXPIRATION: Final = "ExpirationDate"
_ID: Final = "ServiceSpecificCredentialId"
_ACTIVE: Final = "Active"
_STATUSES: Final = (_ACTIVE, "Inactive", "Expired")


def service_credentials(name: str, content: bytes) -> ServiceCredentials:
    """Return the active service-specific credentials in a list of that name and content.

    Raises InputRefused if it is not the whole list, or if a date is not understood.
    """
    match _json(name, content):
        case {"ServiceSpecificCredentials": [*listed], **answer} if all(map(_is_listed, listed)):
            is_truncated = answer.get(_IS_TRUNCATED)
        case _:
            message = "it is not an answer of ListServiceSpecificCredentials for all users"
            raise saved_file_refusal(name, message)
    if is_truncated not in (None, False):
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


def _json(name: str, content: bytes) -> Any:
    """Return JSON, None for other text; Windows PowerShell writes UTF-16.

    Raises InputRefused for a key that stands twice in an object: either value could count.
    """

    def with_each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        twice = [key for key, number in Counter(key for key, _ in pairs).items() if number > 1]
        if twice:
            message = f"the key `{printable(twice[0])}` stands twice in one object"
            raise saved_file_refusal(name, message)
        return dict(pairs)

    encoding = "utf-16" if content.startswith(UTF16) else "utf-8-sig"
    try:
        return json.loads(content.decode(encoding), object_pairs_hook=with_each_key_once)
    except (ValueError, RecursionError):
        return None


def _is_listed(value: object) -> bool:
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
    name_of_service, id_ = printable(listed["ServiceName"]), str(listed.get(_ID) or "")
    return ServiceCredential(user.lower(), name_of_service, expires, id_)
