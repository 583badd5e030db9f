"""Write findings as OCSF Compliance Findings, one a line of JSON, for SIEMs and data lakes.

Each keeps to the published schema of the version that it names, class 2003 with the profiles
cloud and datetime (https://schema.ocsf.io/1.6.0/classes/compliance_finding). It is the version in
which AWS Security Hub has its findings; the later ones take the same documents.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import BinaryIO, Final

import orjson

from analyzer.judging.analysis import Analysis
from analyzer.rules.rule import Outcome
from analyzer.terms import Severity, utc_text
from analyzer.version import VERSION
from analyzer.writers import feed
from analyzer.writers.feed import PRODUCT, Document, Entry, Finding, RuleOutcome, present

OCSF_VERSION: Final = "1.6.0"
_CREATE: Final = (1, "Create")
_CLOSE: Final = (3, "Close")
_INFORMATIONAL: Final = {"severity_id": 1, "severity": "Informational"}
_SEVERITIES: Final = {
    Severity.CRITICAL: {"severity_id": 5, "severity": "Critical"},
    Severity.HIGH: {"severity_id": 4, "severity": "High"},
    Severity.MEDIUM: {"severity_id": 3, "severity": "Medium"},
    Severity.LOW: {"severity_id": 2, "severity": "Low"},
}
COMPLIANCE_STATUS: Final = {
    Outcome.FAILS: (3, "Fail"),
    Outcome.UNDECIDED: (2, "Warning"),
    Outcome.NOTED: (1, "Pass"),
}
_NEW: Final = {"status_id": 1, "status": "New"}
_SUPPRESSED: Final = {"status_id": 3, "status": "Suppressed"}
_RESOLVED: Final = {"status_id": 4, "status": "Resolved"}


def write_ocsf(analysis: Analysis, stream: BinaryIO, earlier: Iterable[bytes] = ()) -> None:
    """Write every finding, a line each; nothing where there is none.

    What fails is `Fail`, what could not be decided `Warning`, both with the rule's severity; what
    is only noted is `Pass` and informational. Exempt findings are `Suppressed`, with the reason.
    An account that could not be read is `Warning` too.
    Each is created at the moment that the report describes. `earlier` are the lines of an earlier
    feed: its findings that are no longer there follow as closed and `Resolved`.
    """
    documents = map(_compliance_finding, feed.findings(analysis))
    known = map(orjson.loads, earlier) if earlier else ()
    for _, line in feed.feed_lines(documents, known, analysis.report, _entry, _closed):
        stream.write(line)


def _compliance_finding(finding: Finding) -> Document:
    at, rule = finding.file.as_of, finding.result.rule
    noted = finding.result.outcome is Outcome.NOTED
    return {
        **_CREATED,
        **_times(at, "time"),
        **(_INFORMATIONAL if noted else _SEVERITIES[rule.severity]),
        **(_SUPPRESSED if finding.exemption else _NEW),
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
            **_times(at, "created_time", "modified_time", "last_seen_time"),
            "analytic": {
                "uid": rule.id,
                "name": rule.title,
                "desc": rule.how,
                "type_id": 1,
                "type": "Rule",
            },
            "data_sources": ["AWS IAM credential report"],
        },
        "compliance": _compliance(finding.result),
        "remediation": present({"desc": finding.remedy, "references": rule.references}),
        "resources": [_resource(finding)],
        "cloud": _cloud(finding.account, finding.account_name, finding.partition),
        "unmapped": _unmapped(finding),
    }


def _class_attributes(activity_id: int, activity: str) -> Document:
    return {
        "activity_id": activity_id,
        "activity_name": activity,
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": 2003,
        "class_name": "Compliance Finding",
        "type_uid": 200300 + activity_id,
        "type_name": f"Compliance Finding: {activity}",
    }


_CREATED: Final = _class_attributes(*_CREATE)
_CLOSED: Final = _class_attributes(*_CLOSE)


def _resource(finding: Finding) -> Document:
    return present(
        {
            "type": "AwsAccount" if finding.result.is_of_account else "AwsIamUser",
            "uid": finding.subject_id,
            "name": finding.user,
            "owner": present({"name": finding.owner, "email_addr": finding.owner_email}),
            "cloud_partition": finding.partition,
        }
    )


@lru_cache(4096)
def _cloud(account: str, name: str, partition: str) -> Document:
    described = present({"uid": account, "name": name, "type_id": 10, "type": "AWS Account"})
    known = described if account else None
    return present({"provider": "AWS", "account": known, "cloud_partition": partition})


def _unmapped(finding: Finding) -> Document:
    return present(
        {
            "outcome": finding.result.outcome,
            "subject": finding.result.rule.subject,
            "slot": finding.slot,
            "created": finding.created,
            "since": finding.since,
            "days": finding.days,
            "as_of_source": finding.file.as_of_source,
            "report_sha256": finding.file.sha256,
        }
    )


@lru_cache(1024)
def _compliance(result: RuleOutcome) -> Document:
    status_id, status = COMPLIANCE_STATUS[result.outcome]
    return present(
        {
            "status_id": status_id,
            "status": status,
            "control": result.rule.id,
            "desc": result.rule.why,
            "requirements": result.requirements,
            "standards": result.standards,
            "control_parameters": [
                {"name": name, "value": days} for name, days in result.limits.items()
            ],
        }
    )


def _closed(document: Document, at: datetime) -> Document:
    info = {**document["finding_info"], **_times(at, "modified_time")}
    return {**document, **_CLOSED, **_times(at, "time"), **_RESOLVED, "finding_info": info}


@lru_cache(1024)
def _times(at: datetime, *names: str) -> Document:
    """Return a moment under these names: as milliseconds, and under `…_dt` as text."""
    spellings = (("", int(at.timestamp()) * 1000), ("_dt", utc_text(at)))
    return {f"{name}{ending}": value for name in names for ending, value in spellings}


def _entry(document: Document) -> Entry:
    account = document["cloud"].get("account", {}).get("uid", "")
    is_open = document["activity_id"] != _CLOSE[0]
    return Entry(account, document["finding_info"]["uid"], is_open)
