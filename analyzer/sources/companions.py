"""Read what was saved with a report: its generation time, and service-specific credentials.

Both are JSON files whose name is the report's with an ending of their own.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import PurePath
from typing import Final

from analyzer.errors import InputRefused
from analyzer.files import saved_file_refused, saved_json
from analyzer.report.model import FileReference
from analyzer.report.raw_report import ReportText, ServiceCredentials
from analyzer.report.values import timestamp
from analyzer.sources.service_credentials import active_service_credentials
from analyzer.terms import printable

FIRST_YEAR: Final = 2010
"""IAM is of 2010: no report is older."""

METADATA: Final = ".metadata.json"
SERVICE_CREDENTIALS: Final = ".service-credentials.json"
MANIFEST: Final = ".manifest.json"
COMPANIONS: Final = (METADATA, SERVICE_CREDENTIALS, MANIFEST)


def with_companions(text: ReportText, name: str, files: Mapping[str, bytes]) -> ReportText:
    """Return the report of that name with what was saved with it among the files, if anything.

    Raises InputRefused if that is not understood, or if the metadata is of another report.
    """
    of_report, credentials = f"{name}{METADATA}", f"{name}{SERVICE_CREDENTIALS}"
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
                raise saved_file_refused(name, f"its `generated_time` is before {FIRST_YEAR}")
            return generated, sha256
    message = "it has no `generated_time` with a time zone, or no `sha256`"
    raise saved_file_refused(name, message)


def mismatch_refusal(name: str, report: str) -> InputRefused:
    """Return the refusal of metadata that is of another report than the one it lies beside."""
    message = f"its `sha256` is not that of {report}: the report was changed"
    return saved_file_refused(name, message)


def service_credentials(name: str, content: bytes) -> ServiceCredentials:
    """Return the active service-specific credentials; raises InputRefused.

    The file `<report>.service-credentials.json` is AWS's answer to ListServiceSpecificCredentials
    for all users, in any form of the AWS CLI.
    """
    return ServiceCredentials(
        file=FileReference(name=printable(name), sha256=hashlib.sha256(content).hexdigest()),
        active=active_service_credentials(name, content),
    )
