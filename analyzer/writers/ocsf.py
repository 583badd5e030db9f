"""Write findings as OCSF Compliance Findings, one JSON line per finding, for SIEMs and data lakes.

Each follows the published schema of the version that it names, class 2003 with the profiles cloud
and datetime (https://schema.ocsf.io/1.6.0/classes/compliance_finding). AWS Security Hub uses this
version for its findings; later versions accept the same documents.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import BinaryIO, Final

import orjson

from analyzer.analysis.analysis import Analysis
from analyzer.rules.rule import Outcome
from analyzer.terms import VERSION, utc_text
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

OCSF_VERSION: Final = "1.6.0"
COMPLIANCE_STATUS: Final = {
    Outcome.FAILS: (3, "Fail"),
    Outcome.UNDECIDED: (2, "Warning"),
    Outcome.NOTED: (1, "Pass"),
}
_NEW: Final = {"status_id": 1, "status": "New"}
_SUPPRESSED: Final = {"status_id": 3, "status": "Suppressed"}
_RESOLVED: Final = {"status_id": 4, "status": "Resolved"}


def _activity(number: int, name: str) -> Document:
    return {
        "activity_id": number,
        "activity_name": name,
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": 2003,
        "class_name": "Compliance Finding",
        "type_uid": 200300 + number,
        "type_name": f"Compliance Finding: {name}",
    }


_CREATED: Final = _activity(1, "Create")
_CLOSED: Final = _activity(3, "Close")


def write_ocsf(analysis: Analysis, stream: BinaryIO, earlier: Iterable[bytes] = ()) -> None:
    """Write every finding in a line of its own; no findings give an empty file.

    Each is created at the as-of of the report. `earlier` are the lines of earlier feeds, the newest
    first: findings that are gone follow as closed and `Resolved`.
    """
    documents = ((finding, _compliance_finding(finding)) for finding in findings(analysis))
    known = map(orjson.loads, earlier) if earlier else ()
    for _, line in feed_lines(documents, known, analysis, _entry, _closed):
        stream.write(line)


def _compliance_finding(finding: FeedFinding) -> Document:
    file, group, rule = finding.file, finding.group, finding.group.rule
    owner = {"name": finding.owner, "email_addr": finding.owner_email}
    status = _SUPPRESSED if finding.exemption else _NEW
    resource = {
        "type": "AwsAccount" if group.is_of_account else "AwsIamUser",
        "uid": finding.subject_id,
        "name": finding.user,
        "owner": without_empty_fields(owner),
        "cloud_partition": finding.partition,
    }
    unmapped = {
        "outcome": group.outcome,
        "subject": rule.subject,
        "slot": finding.slot,
        "created": finding.created,
        "since": finding.since,
        "days": finding.days,
        "as_of_source": file.as_of_source,
        "report_sha256": file.sha256,
    }
    return {
        **_CREATED,
        **_times(file.as_of, "time"),
        **_severity(group),
        **status,
        **({"status_detail": finding.exemption} if finding.exemption else {}),
        "message": finding.fact,
        "metadata": {
            "version": OCSF_VERSION,
            "profiles": ["cloud", "datetime"],
            "product": {"name": PRODUCT, "vendor_name": PRODUCT, "version": VERSION},
            "event_code": rule.id,
        },
        "finding_info": {
            "uid": finding.id,
            "title": rule.title,
            "desc": finding.fact,
            **_times(file.as_of, "created_time", "modified_time", "last_seen_time"),
            "analytic": {
                "uid": rule.id,
                "name": rule.title,
                "desc": group.condition,
                "type_id": 1,
                "type": "Rule",
            },
            "data_sources": ["AWS IAM credential report"],
        },
        "compliance": _compliance(group),
        "remediation": without_empty_fields(
            {"desc": finding.remedy, "references": rule.references}
        ),
        "resources": [without_empty_fields(resource)],
        "cloud": _cloud(finding.account, finding.account_name, finding.partition),
        "unmapped": without_empty_fields(unmapped),
    }


def _severity(group: FindingGroup) -> Document:
    if group.outcome is Outcome.NOTED:
        return {"severity_id": 1, "severity": "Informational"}
    severity = group.rule.severity
    return {"severity_id": 5 - severity.rank, "severity": severity.capitalize()}


def _cloud(account: str, name: str, partition: str) -> Document:
    described = {"uid": account, "name": name, "type_id": 10, "type": "AWS Account"}
    known = without_empty_fields(described) if account else None
    return without_empty_fields({"provider": "AWS", "account": known, "cloud_partition": partition})


def _compliance(group: FindingGroup) -> Document:
    status_id, status = COMPLIANCE_STATUS[group.outcome]
    limits = group.limits.items()
    compliance = {
        "status_id": status_id,
        "status": status,
        "control": group.rule.id,
        "desc": group.rule.why,
        "requirements": group.requirements,
        "standards": group.standards,
        "control_parameters": [{"name": name, "value": days} for name, days in limits],
    }
    return without_empty_fields(compliance)


def _closed(document: Document, at: datetime) -> Document:
    info = {**document["finding_info"], **_times(at, "modified_time")}
    return {**document, **_CLOSED, **_times(at, "time"), **_RESOLVED, "finding_info": info}


def _times(at: datetime, *names: str) -> Document:
    """Return a moment under these names: as milliseconds, and under `…_dt` as text."""
    spellings = (("", int(at.timestamp()) * 1000), ("_dt", utc_text(at)))
    return {f"{name}{ending}": value for name in names for ending, value in spellings}


def _entry(document: Document) -> FeedEntry:
    account = document["cloud"].get("account", {}).get("uid", "")
    is_open = document["activity_id"] != _CLOSED["activity_id"]
    rule = document["metadata"]["event_code"]
    return FeedEntry(account, rule, document["finding_info"]["uid"], is_open)
