"""Give findings in the AWS Security Finding Format, for Security Hub.

Each finding has the form that BatchImportFindings takes from a custom integration, under the
account's default product. The AWS CLI takes the file of a batch as it is.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Final

import orjson

from analyzer.analysis.analysis import Analysis
from analyzer.errors import OutputFailed
from analyzer.rules.rule import UNCOVERED_ACCOUNT, Outcome
from analyzer.terms import ACCOUNT_ID_PATTERN, REGION_PATTERN, VERSION, utc_text
from analyzer.writers.finding_feed import (
    PRODUCT,
    Document,
    FeedEntry,
    FeedFinding,
    FindingGroup,
    feed_lines,
    findings,
    without_empty_fields,
)

_TYPE: Final = "Software and Configuration Checks/AWS Security Best Practices"
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
"""The partitions that a resource can have; the format has other names for the rest."""

_USER_ARN: Final = re.compile(
    rf"arn:[^:]+:iam::{ACCOUNT_ID_PATTERN}:user(?P<path>/(?:[!-~]*/)?)(?P<name>[^/]+)"
)

ENDING: Final = ".asff.json"
BATCH_FINDINGS: Final = 100  # the most findings that one call of BatchImportFindings takes

# The most characters of a text, as the API reference says under AwsSecurityFinding and Note.
_LONGEST_ACCOUNT_NAME: Final = 50
_LONGEST_NOTE: Final = 512
_LONGEST_RECOMMENDATION: Final = 512
_LONGEST_DESCRIPTION: Final = 1024
_LONGEST_PRODUCT_FIELD: Final = 2048


def asff_batches(
    analysis: Analysis, region: str | None = None, earlier: Iterable[bytes] = ()
) -> Iterator[tuple[str, bytes]]:
    """Yield every finding in batches: an account, and a JSON list of up to 100 of its findings.

    `region` is the region of the Security Hub that imports; a partition without this region gets
    its home region. An account that could not be read is left out if its number is unknown: the
    format has no place for it. `earlier` are the batches of earlier feeds, the newest first:
    findings that are gone follow as `ARCHIVED` and `RESOLVED`.

    Raises ValueError for an invalid region, OutputFailed if the account or the partition of a
    finding is unknown, since Security Hub cannot import it.
    """
    if region is not None and not re.fullmatch(REGION_PATTERN, region):
        raise ValueError(f"{region} is not an AWS region such as eu-central-1")
    importable = _importable(findings(analysis), region)
    documents = ((finding, _security_finding(finding, hub)) for finding, hub in importable)
    known = chain.from_iterable(map(orjson.loads, earlier)) if earlier else ()
    waiting = defaultdict[str, list[bytes]](list)
    for account, line in feed_lines(documents, known, analysis, _entry, _closed):
        waiting[account].append(line.rstrip())
        if len(waiting[account]) == BATCH_FINDINGS:
            yield account, _batch(waiting.pop(account))
    yield from ((account, _batch(lines)) for account, lines in waiting.items())


def batch_files(target: Path, batches: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """Yield the name of the file of each batch, and its content."""
    numbers = Counter[str]()
    for account, batch in batches:
        numbers[account] += 1
        yield f"{target.name[: -len(ENDING)]}-{account}-{numbers[account]:03}{ENDING}", batch


def is_batch(target: Path, name: str) -> bool:
    """Return whether a name is one that `batch_files` gives for a target."""
    stem, ending = re.escape(target.name[: -len(ENDING)]), re.escape(ENDING)
    return re.fullmatch(rf"{stem}-{ACCOUNT_ID_PATTERN}-[0-9]{{3,}}{ending}", name) is not None


def _batch(lines: Iterable[bytes]) -> bytes:
    return b"[\n" + b",\n".join(lines) + b"\n]\n"


def _importable(
    every: Iterable[FeedFinding], region: str | None
) -> Iterator[tuple[FeedFinding, str]]:
    """Yield the findings that the format can hold, each with the ARN of its Security Hub.

    A row whose ARN names no account counts as in the partition of `region`.
    Raises OutputFailed at the end, with the number of findings that no Security Hub takes.
    """
    # In all partitions but the first, every region begins like the home region.
    areas = {home.rsplit("-", 2)[0]: name for name, home in _HOME_REGIONS.items()}
    own = areas.get(region.rsplit("-", 2)[0], "aws") if region else "aws"
    regions = {**_HOME_REGIONS, own: region} if region else _HOME_REGIONS
    homeless = 0
    for finding in every:
        partition = finding.partition or own
        if partition in regions and re.fullmatch(ACCOUNT_ID_PATTERN, finding.account):
            yield finding, f"arn:{partition}:securityhub:{regions[partition]}:{finding.account}"
        elif finding.group.rule is not UNCOVERED_ACCOUNT:
            homeless += 1
    if homeless:
        raise OutputFailed(
            f"ASFF cannot hold {homeless} of the findings: the ARN names no AWS account that is"
            " known. Correct these rows,"
            " or write .ocsf.json."
        )


def _security_finding(finding: FeedFinding, hub: str) -> Document:
    account, at, rule = finding.account, utc_text(finding.file.as_of), finding.group.rule
    remedy = _cut(finding.remedy, _LONGEST_RECOMMENDATION)
    advice = without_empty_fields({"Text": remedy, "Url": next(iter(rule.references), "")})
    severity, exemption = _severity(finding.group), _cut(finding.exemption, _LONGEST_NOTE)
    note = {"Text": exemption, "UpdatedBy": PRODUCT, "UpdatedAt": at}
    return {
        "SchemaVersion": "2018-10-08",
        "Id": finding.id,
        "ProductArn": f"{hub}:product/{account}/default",
        "ProductName": PRODUCT,
        "GeneratorId": f"{PRODUCT}/{rule.id}",
        "AwsAccountId": account,
        **without_empty_fields(
            {"AwsAccountName": _cut(finding.account_name.strip(), _LONGEST_ACCOUNT_NAME)}
        ),
        "Types": [_TYPE],
        "CreatedAt": at,
        "UpdatedAt": at,
        "LastObservedAt": at,
        "Severity": severity,
        "FindingProviderFields": {"Severity": severity, "Types": [_TYPE]},
        "Title": rule.title,
        "Description": _cut(finding.fact, _LONGEST_DESCRIPTION),
        "Remediation": {"Recommendation": advice},
        "ProductFields": _product_fields(finding),
        "Resources": [_resource(finding)],
        "Compliance": _compliance(finding.group),
        "RecordState": "ACTIVE",
        "Workflow": {"Status": "SUPPRESSED" if finding.exemption else "NEW"},
        **({"Note": note} if exemption else {}),
    }


def _severity(group: FindingGroup) -> Document:
    severity = group.rule.severity
    noted = group.outcome is Outcome.NOTED
    return {"Label": "INFORMATIONAL" if noted else severity.upper(), "Original": severity}


def _product_fields(finding: FeedFinding) -> Document:
    text = partial(_cut, longest=_LONGEST_PRODUCT_FIELD)
    fields = {
        "Version": VERSION,
        "Outcome": finding.group.outcome,
        "Subject": finding.group.rule.subject,
        "Arn": text(finding.arn) if finding.arn.strip() else "",
        "Slot": finding.slot and str(finding.slot),
        "Created": finding.created,
        "Since": finding.since,
        "Days": "" if finding.days is None else str(finding.days),
        "Exemption": text(finding.exemption),
        "Owner": text(finding.owner),
        "OwnerEmail": text(finding.owner_email),
        "AsOfSource": finding.file.as_of_source,
        "ReportSha256": finding.file.sha256,
    }
    return {f"{PRODUCT}/{name}": value for name, value in fields.items() if value}


def _resource(finding: FeedFinding) -> Document:
    of_account, partition = finding.group.is_of_account, finding.partition
    resource: dict[str, Any] = {
        "Type": "AwsAccount" if of_account else "AwsIamUser",
        "Id": f"AWS::::Account:{finding.account}" if of_account else finding.subject_id,
        "Partition": partition if partition in _ASFF_PARTITIONS else "",
    }
    arn = None if of_account else _USER_ARN.fullmatch(finding.arn)
    # The user is certain only if the ARN ends with its name.
    if arn and arn["name"] == finding.user:
        # A finding on a slot has the creation time of its credential, not of the user.
        created = finding.created if finding.slot is None else None
        user = {"UserName": finding.user, "Path": arn["path"], "CreateDate": created}
        resource["Details"] = {"AwsIamUser": without_empty_fields(user)}
    return without_empty_fields(resource)


def _compliance(group: FindingGroup) -> Document:
    limits = [{"Name": name, "Value": [days]} for name, days in group.limits.items()]
    compliance = {
        "Status": COMPLIANCE_STATUS[group.outcome],
        "RelatedRequirements": group.requirements,
        "SecurityControlParameters": limits,
    }
    return without_empty_fields(compliance)


def _closed(document: Document, at: datetime) -> Document:
    closed = {"RecordState": "ARCHIVED", "Workflow": {"Status": "RESOLVED"}}
    return {**document, "UpdatedAt": utc_text(at), **closed}


def _entry(document: Document) -> FeedEntry:
    is_open = document["RecordState"] != "ARCHIVED"
    rule = document["GeneratorId"].removeprefix(f"{PRODUCT}/")
    return FeedEntry(document["AwsAccountId"], rule, document["Id"], is_open)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
