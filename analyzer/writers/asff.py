"""Write findings in the AWS Security Finding Format, one a line of JSON, for Security Hub.

Each is what BatchImportFindings takes from a custom integration, under the account's default
product. The API takes up to 100 at once, of one account: `jq -s` makes a list of lines.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, BinaryIO, Final, NamedTuple

import orjson

from analyzer.analysis import Analysis
from analyzer.errors import OutputFailed
from analyzer.rules.rule import UNCOVERED_ACCOUNT, Outcome
from analyzer.terms import ACCOUNT_ID_PATTERN, REGION_PATTERN, Severity, Thresholds, utc_text
from analyzer.version import VERSION
from analyzer.writers.closing import FeedFormat, closed_lines
from analyzer.writers.interchange import (
    PRODUCT,
    Finding,
    findings,
    json_line,
    limits,
    requirements,
    shared_json,
)

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

_USER: Final = re.compile(
    rf"arn:[^:]+:iam::{ACCOUNT_ID_PATTERN}:user(?P<path>/(?:[!-~]*/)?)(?P<name>[^/]+)"
)

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
    thresholds = analysis.inspection.book.thresholds
    homeless = 0
    shared: dict[tuple[str, Outcome, str], _SharedParts] = {}
    ids: set[str] = set()
    for finding in findings(analysis):
        home = _default_region(finding.partition, region)
        ids.add(own_id := finding.id)
        if finding.account and home:
            kind = finding.rule.id, finding.outcome, finding.remedy
            if kind not in shared:
                shared[kind] = _shared_parts(finding, thresholds)
            stream.write(json_line(_document(finding, own_id, shared[kind], *home)))
        elif finding.rule is not UNCOVERED_ACCOUNT:
            homeless += 1
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


@cache
def _default_region(partition: str, region: str | None) -> tuple[str, str] | None:
    """Return the partition and the region of a finding, None for a partition that is not known.

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


class _SharedParts(NamedTuple):
    """Hold what is the same in all findings of one rule, outcome and remedy."""

    severity: orjson.Fragment
    provider_fields: orjson.Fragment
    remediation: orjson.Fragment
    compliance: orjson.Fragment


def _shared_parts(finding: Finding, thresholds: Thresholds) -> _SharedParts:
    noted = finding.outcome is Outcome.NOTED
    severity = {"Label": _INFORMATIONAL if noted else _SEVERITIES[finding.rule.severity]}
    severity["Original"] = str(finding.rule.severity)
    return _SharedParts(
        severity=shared_json(severity),
        provider_fields=shared_json({"Severity": severity, "Types": [_TYPE]}),
        remediation=shared_json({"Recommendation": _recommendation(finding)}),
        compliance=shared_json(_compliance(finding, thresholds)),
    )


def _document(
    finding: Finding, own_id: str, shared: _SharedParts, partition: str, region: str
) -> dict[str, Any]:
    rule, account, as_of = finding.rule, finding.account, finding.as_of
    return {
        "SchemaVersion": SCHEMA_VERSION,
        "Id": own_id,
        "ProductArn": f"arn:{partition}:securityhub:{region}:{account}:product/{account}/default",
        "ProductName": PRODUCT,
        "GeneratorId": f"{PRODUCT}/{rule.id}",
        "AwsAccountId": account,
        **_without_empty({"AwsAccountName": _cut(finding.account_name.strip(), "account_name")}),
        "Types": [_TYPE],
        "CreatedAt": as_of,
        "UpdatedAt": as_of,
        "LastObservedAt": as_of,
        "Severity": shared.severity,
        "FindingProviderFields": shared.provider_fields,
        "Title": rule.title,
        "Description": _cut(finding.fact, "description"),
        "Remediation": shared.remediation,
        "ProductFields": _product_fields(finding),
        "Resources": [_resource(finding)],
        "Compliance": shared.compliance,
        "RecordState": "ACTIVE",
        **_workflow(finding),
    }


def _recommendation(finding: Finding) -> dict[str, Any]:
    text = _cut(finding.remedy_text, "recommendation")
    return _without_empty({"Text": text, "Url": next(iter(finding.rule.references), "")})


def _compliance(finding: Finding, thresholds: Thresholds) -> dict[str, Any]:
    parameters = [
        {"Name": name, "Value": [days]} for name, days in limits(finding.rule, thresholds).items()
    ]
    return _without_empty(
        {
            "Status": COMPLIANCE_STATUS[finding.outcome],
            "RelatedRequirements": list(requirements(finding.rule.id)),
            "SecurityControlParameters": parameters,
        }
    )


def _workflow(finding: Finding) -> dict[str, Any]:
    if not finding.exemption:
        return {"Workflow": {"Status": "NEW"}}
    text = _cut(finding.exemption, "note")
    note = {"Text": text, "UpdatedBy": PRODUCT, "UpdatedAt": finding.as_of}
    return {"Workflow": {"Status": "SUPPRESSED"}, "Note": note}


def _resource(finding: Finding) -> dict[str, Any]:
    named = finding.partition in _ASFF_PARTITIONS
    partition = finding.partition if named else ""
    if finding.is_of_account:
        account = f"AWS::::Account:{finding.account}"
        return _without_empty({"Type": "AwsAccount", "Id": account, "Partition": partition})
    return _without_empty(
        {
            "Type": "AwsIamUser",
            "Id": finding.subject_id,
            "Partition": partition,
            "Details": _user_details(finding),
        }
    )


def _user_details(finding: Finding) -> dict[str, Any]:
    """Return what is certain of a user: of one whose ARN is that of its name."""
    path = _user_path(finding.arn, finding.user)
    if not path:
        return {}
    # A finding on a credential in a slot tells of the creation of that, not of the user's.
    created = "" if finding.rule.subject.in_slots else finding.created
    user = {"UserName": finding.user, "Path": path, "CreateDate": created}
    return {"AwsIamUser": _without_empty(user)}


@lru_cache(maxsize=8192)  # An account has up to 5,000 users, with several findings each.
def _user_path(arn: str, user: str) -> str:
    parts = _USER.fullmatch(arn)
    return parts["path"] if parts and parts["name"] == user else ""


_PRODUCT_FIELDS: Final = tuple(
    f"{PRODUCT}/{name}"
    for name in (
        *("Version", "Outcome", "Subject", "Arn", "Slot", "Created", "Since", "Days"),
        *("Exemption", "AsOfSource", "ReportSha256"),
    )
)


def _product_fields(finding: Finding) -> dict[str, str]:
    texts = (
        VERSION,
        finding.outcome.value,
        finding.rule.subject.value,
        _cut(finding.arn, "product_field") if finding.arn.strip() else "",
        "" if finding.slot is None else str(finding.slot),
        finding.created,
        finding.since,
        "" if finding.days is None else str(finding.days),
        _cut(finding.exemption, "product_field"),
        finding.as_of_source,
        finding.report,
    )
    named = zip(_PRODUCT_FIELDS, texts, strict=True)
    return {name: text for name, text in named if text}


def _cut(text: str, name: str) -> str:
    longest = _LONGEST[name]
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _without_empty(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}
