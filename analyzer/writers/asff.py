"""Write findings in the AWS Security Finding Format, one a line of JSON, for Security Hub.

Each is what BatchImportFindings takes from a custom integration, under the account's default
product. The API takes up to 100 at once, of one account: `jq -s` makes a list of lines.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, BinaryIO, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.analysis import Analysis
from analyzer.errors import OutputFailed
from analyzer.model import arrow_array
from analyzer.rules.rule import (
    DAYS,
    FACT,
    RULE,
    SINCE,
    SUBJECT,
    UNCOVERED_ACCOUNT,
    Outcome,
)
from analyzer.terms import ACCOUNT_ID_PATTERN, REGION_PATTERN, Severity, Thresholds, utc_text
from analyzer.version import VERSION
from analyzer.writers.closing import FeedFormat, closed_lines
from analyzer.writers.interchange import (
    ID,
    OF_ACCOUNT,
    PARTITION,
    PRODUCT,
    REPORT,
    SUBJECT_ID,
    FindingKind,
    finding_frames,
    json_lines,
    json_of_kinds,
    limits,
    requirements,
    without_blanks,
)
from analyzer.writers.json_columns import (
    NOTHING,
    Members,
    json_cells,
    json_list_column,
    json_object_column,
    optional_json_cells,
)
from analyzer.writers.text_columns import TEXT_TYPE, Texts, joined, mapped, text_column

SCHEMA_VERSION: Final = "2018-10-08"
_TYPE: Final = "Software and Configuration Checks/AWS Security Best Practices"
_INFORMATIONAL: Final = "INFORMATIONAL"
_SEVERITIES: Final = {
    Severity.CRITICAL: "CRITICAL",
    Severity.HIGH: "HIGH",
    Severity.MEDIUM: "MEDIUM",
    Severity.LOW: "LOW",
}
COMPLIANCE_STATUS: Final = {
    Outcome.FAILS: "FAILED",
    Outcome.UNDECIDED: "WARNING",
    Outcome.NOTED: "PASSED",
}

_HOME_REGIONS: Final = {
    "aws": "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-eusc": "eusc-de-east-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-iso-e": "eu-isoe-west-1",
    "aws-iso-f": "us-isof-south-1",
}
"""The partitions of AWS, each with the default region of its findings."""

_ASFF_PARTITIONS: Final = ("aws", "aws-cn", "aws-us-gov")
"""The partitions that a resource can be said to be in; the format has other names for the rest."""

_USER: Final = rf"^arn:[^:]+:iam::{ACCOUNT_ID_PATTERN}:user(?P<path>/(?:[!-~]*/)?)(?P<name>[^/]+)$"

_LONGEST: Final = {
    "account_name": 50,
    "description": 1024,
    "note": 512,
    "recommendation": 512,
    "product_field": 2048,
}
"""The most characters of a text, as the API reference says under AwsSecurityFinding and Note."""


def write_asff(
    analysis: Analysis,
    stream: BinaryIO,
    region: str | None = None,
    earlier: Iterable[bytes] = (),
) -> None:
    """Write every finding, a line each; nothing where there is none.

    What fails is `FAILED`, what could not be decided `WARNING`, both with the rule's severity;
    what is only noted is `PASSED` and informational. Exempt findings are `SUPPRESSED`, with the
    reason in their note. `region` is that of the Security Hub which imports; a partition that has
    no such region gets its home region.

    An account that could not be read is `WARNING` too, and left out where not even its number is
    known: the format has no place for it.

    `earlier` are the lines of an earlier feed: its findings that are no longer there follow as
    `ARCHIVED` and `RESOLVED`.

    Raises ValueError for a region that is none, OutputFailed where findings have no account or no
    partition that is known, since none of those could be imported.
    """
    if region is not None and not re.fullmatch(REGION_PATTERN, region):
        raise ValueError(f"{region} is not an AWS region such as eu-central-1")
    book = analysis.inspection.book
    homeless = 0
    ids: set[str] = set()
    for every in finding_frames(analysis):
        ids.update(every[ID])
        homes = _homes(every[PARTITION], region)
        can_be_held = ((every[columns.ACCOUNT] != "") & homes[_REGION].notna()).to_numpy()
        homeless += int((every.loc[~can_be_held, RULE] != UNCOVERED_ACCOUNT.id).sum())
        frame = every.assign(**homes)[can_be_held]
        if len(frame):
            shared = json_of_kinds(frame, book, _shared_fields)
            stream.writelines(json_lines(_documents(frame, shared)))
    if homeless:
        raise OutputFailed(
            f"ASFF cannot hold {homeless} of the findings: the ARN names no AWS account that is"
            " known, and neither does the file. Correct these rows, or write .ocsf.json."
        )
    stream.writelines(closed_lines(earlier, ids, analysis.report, _FEED_FORMAT))


def _closed(document: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    return {
        **document,
        "UpdatedAt": utc_text(at),
        "RecordState": _ARCHIVED,
        "Workflow": {"Status": "RESOLVED"},
    }


_ARCHIVED: Final = "ARCHIVED"
_FEED_FORMAT: Final = FeedFormat(
    id=lambda document: str(document["Id"]),
    account=lambda document: str(document["AwsAccountId"]),
    is_open=lambda document: document["RecordState"] != _ARCHIVED,
    closed=_closed,
)


_HOME: Final = "home_partition"
_REGION: Final = "home_region"


def _homes(partitions: pd.Series, region: str | None) -> pd.DataFrame:
    """Return the partition and the region of each finding, missing where that is not known."""
    homes = {each: _home(each, region) or (None, None) for each in partitions.unique()}
    return pd.DataFrame(
        {
            name: partitions.map({each: home[at] for each, home in homes.items()})
            for at, name in enumerate((_HOME, _REGION))
        }
    )


def _home(partition: str, region: str | None) -> tuple[str, str] | None:
    """Return a partition and its region, None for one that is not known.

    A row whose ARN names no account counts as in the partition of the option.
    """
    of_region = None if region is None else _partition(region)
    partition = partition or of_region or "aws"
    if region is not None and partition == of_region:
        return partition, region
    return (partition, _HOME_REGIONS[partition]) if partition in _HOME_REGIONS else None


def _partition(region: str) -> str:
    """Return the partition of a region: all but the first begin like their home region."""
    area = region.rsplit("-", 2)[0]
    return next(
        (name for name, home in _HOME_REGIONS.items() if home.rsplit("-", 2)[0] == area), "aws"
    )


def _shared_fields(kind: FindingKind, thresholds: Thresholds) -> Mapping[str, Any]:
    """Return what is the same in all findings of one rule, outcome and remedy."""
    rule = kind.rule
    noted = kind.outcome is Outcome.NOTED
    severity = {
        "Label": _INFORMATIONAL if noted else _SEVERITIES[rule.severity],
        "Original": str(rule.severity),
    }
    return {
        "GeneratorId": f"{PRODUCT}/{rule.id}",
        "Severity": severity,
        "FindingProviderFields": {"Severity": severity, "Types": [_TYPE]},
        "Title": rule.title,
        "Remediation": {"Recommendation": _recommendation(kind)},
        "Compliance": _compliance(kind, thresholds),
        "Outcome": kind.outcome,
        "Subject": rule.subject,
    }


def _documents(frame: pd.DataFrame, shared: Mapping[str, pa.Array]) -> Members:
    account, as_of = json_cells(frame[columns.ACCOUNT]), json_cells(frame[columns.AS_OF])
    return {
        "SchemaVersion": json.dumps(SCHEMA_VERSION),
        "Id": json_cells(frame[ID]),
        "ProductArn": _product_arns(frame),
        "ProductName": json.dumps(PRODUCT),
        "GeneratorId": shared["GeneratorId"],
        "AwsAccountId": account,
        "AwsAccountName": _cut(mapped(frame[columns.ACCOUNT_NAME], str.strip), "account_name"),
        "Types": json.dumps([_TYPE]),
        "CreatedAt": as_of,
        "UpdatedAt": as_of,
        "LastObservedAt": as_of,
        "Severity": shared["Severity"],
        "FindingProviderFields": shared["FindingProviderFields"],
        "Title": shared["Title"],
        "Description": json_cells(_cut_texts(frame[FACT], "description")),
        "Remediation": shared["Remediation"],
        "ProductFields": _product_fields(frame, shared),
        "Resources": json_list_column(_resources(frame)),
        "Compliance": shared["Compliance"],
        "RecordState": '"ACTIVE"',
        **_workflow(frame),
    }


def _product_arns(frame: pd.DataFrame) -> pa.Array:
    partition, region, account = (
        text_column(frame[name]) for name in (_HOME, _REGION, columns.ACCOUNT)
    )
    hub = ('"arn:', partition, ":securityhub:", region, ":", account)
    return joined(*hub, ":product/", account, '/default"')


def _recommendation(kind: FindingKind) -> dict[str, Any]:
    text = _cut_text(kind.remedy_text, _LONGEST["recommendation"])
    return _without_empty({"Text": text, "Url": next(iter(kind.rule.references), "")})


def _compliance(kind: FindingKind, thresholds: Thresholds) -> dict[str, Any]:
    parameters = [
        {"Name": name, "Value": [days]} for name, days in limits(kind.rule, thresholds).items()
    ]
    return _without_empty(
        {
            "Status": COMPLIANCE_STATUS[kind.outcome],
            "RelatedRequirements": list(requirements(kind.rule.id)),
            "SecurityControlParameters": parameters,
        }
    )


def _workflow(frame: pd.DataFrame) -> Members:
    text = _cut(frame[columns.EXEMPTION], "note")
    status = pc.if_else(text.is_null(), '"NEW"', '"SUPPRESSED"').cast(TEXT_TYPE)
    note = {
        "Text": text,
        "UpdatedBy": json.dumps(PRODUCT),
        "UpdatedAt": json_cells(frame[columns.AS_OF]),
    }
    return {"Workflow": {"Status": status}, "Note": json_object_column(note)}


def _resources(frame: pd.DataFrame) -> Members:
    of_account = pa.array(frame[SUBJECT].isin(OF_ACCOUNT).to_numpy(bool))
    account = joined('"AWS::::Account:', text_column(frame[columns.ACCOUNT]), '"')
    partition = frame[PARTITION].where(frame[PARTITION].isin(_ASFF_PARTITIONS), "")
    details = json_object_column({"AwsIamUser": _user_details(frame)})
    return {
        "Type": pc.if_else(of_account, '"AwsAccount"', '"AwsIamUser"').cast(TEXT_TYPE),
        "Id": pc.if_else(of_account, account, json_cells(frame[SUBJECT_ID])),
        "Partition": optional_json_cells(partition),
        "Details": pc.if_else(of_account, NOTHING, details),
    }


def _user_details(frame: pd.DataFrame) -> pa.Array:
    """Return what is certain of a user: of one whose ARN is that of its name."""
    parts = pc.extract_regex(arrow_array(frame[columns.ARN]), _USER)
    path, name = (pc.struct_field(parts, part) for part in ("path", "name"))
    user = text_column(frame[columns.USER])
    is_certain = pc.coalesce(pc.equal(name, user), pa.scalar(value=False))
    # A finding on a credential in a slot tells of the creation of that, not of the user's.
    created = frame[columns.CREATED].where(frame[columns.SLOT].isna())
    return json_object_column(
        {
            "UserName": pc.if_else(is_certain, json_cells(user), NOTHING),
            "Path": json_cells(path),
            "CreateDate": optional_json_cells(created),
        }
    )


def _product_fields(frame: pd.DataFrame, shared: Mapping[str, pa.Array]) -> Members:
    cells: Members = {
        "Version": json.dumps(VERSION),
        "Outcome": shared["Outcome"],
        "Subject": shared["Subject"],
        "Arn": _cut(without_blanks(frame[columns.ARN]), "product_field"),
        "Slot": _number_texts(frame[columns.SLOT]),
        "Created": optional_json_cells(frame[columns.CREATED]),
        "Since": optional_json_cells(frame[SINCE]),
        "Days": _number_texts(frame[DAYS]),
        "Exemption": _cut(frame[columns.EXEMPTION], "product_field"),
        "AsOfSource": json_cells(frame[columns.AS_OF_SOURCE]),
        "ReportSha256": optional_json_cells(frame[REPORT]),
    }
    return {f"{PRODUCT}/{name}": each for name, each in cells.items()}


def _number_texts(numbers: pd.Series) -> pa.Array:
    """Return numbers as JSON strings, null where one is missing."""
    return joined('"', optional_json_cells(numbers), '"')


def _cut(texts: Texts, name: str) -> pa.Array:
    """Return texts as JSON, none longer than a field of that name takes; null where empty."""
    return optional_json_cells(_cut_texts(texts, name))


def _cut_texts(texts: Texts, name: str) -> pa.Array:
    longest = _LONGEST[name]
    column = text_column(texts)
    if (pc.max(pc.utf8_length(column)).as_py() or 0) <= longest:
        return column
    return mapped(column, lambda text: _cut_text(text, longest))


def _cut_text(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _without_empty(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}
