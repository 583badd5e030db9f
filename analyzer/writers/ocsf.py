"""Write findings as OCSF Compliance Findings, one a line of JSON, for SIEMs and data lakes.

Each keeps to the published schema of the version that it names, class 2003 with the profiles
cloud and datetime (https://schema.ocsf.io/1.6.0/classes/compliance_finding). It is the version in
which AWS Security Hub has its findings; the later ones take the same documents.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, BinaryIO, Final, NamedTuple

import orjson

from analyzer.analysis import Analysis
from analyzer.rules.rule import Outcome, RuleText
from analyzer.terms import Severity, Thresholds, utc_text
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
    standards,
)

OCSF_VERSION: Final = "1.6.0"
_CATEGORY: Final = (2, "Findings")
_CLASS: Final = (2003, "Compliance Finding")
_ACTIVITY: Final = (1, "Create")
_CLOSE: Final = (3, "Close")
_TYPE_UID: Final = _CLASS[0] * 100 + _ACTIVITY[0]
_RULE_ANALYTIC: Final = (1, "Rule")
_AWS_ACCOUNT: Final = (10, "AWS Account")
_INFORMATIONAL: Final = (1, "Informational")
_SEVERITIES: Final = {
    Severity.CRITICAL: (5, "Critical"),
    Severity.HIGH: (4, "High"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.LOW: (2, "Low"),
}
COMPLIANCE_STATUS: Final = {
    Outcome.FAILS: (3, "Fail"),
    Outcome.UNDECIDED: (2, "Warning"),
    Outcome.NOTED: (1, "Pass"),
}
_NEW: Final = (1, "New")
_SUPPRESSED: Final = (3, "Suppressed")
_RESOLVED: Final = (4, "Resolved")


def write_ocsf(analysis: Analysis, stream: BinaryIO, earlier: Iterable[bytes] = ()) -> None:
    """Write every finding, a line each; nothing where there is none.

    What fails is `Fail`, what could not be decided `Warning`, both with the rule's severity; what
    is only noted is `Pass` and informational. Exempt findings are `Suppressed`, with the reason.
    An account that could not be read is `Warning` too.
    Each is created at the moment that the report describes. `earlier` are the lines of an earlier
    feed: its findings that are no longer there follow as closed and `Resolved`.
    """
    thresholds = analysis.inspection.book.thresholds
    shared: dict[tuple[str, Outcome, str], _SharedParts] = {}
    ids: set[str] = set()
    for finding in findings(analysis):
        kind = finding.rule.id, finding.outcome, finding.remedy
        if kind not in shared:
            shared[kind] = _shared_parts(finding, thresholds)
        document = _document(finding, shared[kind])
        ids.add(document["finding_info"]["uid"])
        stream.write(json_line(document))
    stream.writelines(closed_lines(earlier, ids, analysis.report, _FEED_FORMAT))


def _closed(document: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    activity_id, activity = _CLOSE
    status_id, status = _RESOLVED
    return {
        **document,
        "activity_id": activity_id,
        "activity_name": activity,
        "type_uid": _CLASS[0] * 100 + activity_id,
        "type_name": f"{_CLASS[1]}: {activity}",
        **_time_attributes("time", at),
        "status_id": status_id,
        "status": status,
        "finding_info": {**document["finding_info"], **_time_attributes("modified_time", at)},
    }


_FEED_FORMAT: Final = FeedFormat(
    id=lambda document: str(document["finding_info"]["uid"]),
    account=lambda document: str(document["cloud"].get("account", {}).get("uid", "")),
    is_open=lambda document: document["activity_id"] != _CLOSE[0],
    closed=_closed,
)


class _SharedParts(NamedTuple):
    """Hold what is the same in all findings of one rule, outcome and remedy."""

    severity: Mapping[str, Any]
    metadata: orjson.Fragment
    analytic: orjson.Fragment
    compliance: orjson.Fragment
    remediation: orjson.Fragment


def _shared_parts(finding: Finding, thresholds: Thresholds) -> _SharedParts:
    rule = finding.rule
    noted = finding.outcome is Outcome.NOTED
    severity_id, severity = _INFORMATIONAL if noted else _SEVERITIES[rule.severity]
    remediation = _without_empty({"desc": finding.remedy_text, "references": list(rule.references)})
    return _SharedParts(
        severity={"severity_id": severity_id, "severity": severity},
        metadata=shared_json(_metadata(rule)),
        analytic=shared_json(_analytic(rule)),
        compliance=shared_json(_compliance(finding, thresholds)),
        remediation=shared_json(remediation),
    )


_CLASSIFICATION: Final = {
    "activity_id": _ACTIVITY[0],
    "activity_name": _ACTIVITY[1],
    "category_uid": _CATEGORY[0],
    "category_name": _CATEGORY[1],
    "class_uid": _CLASS[0],
    "class_name": _CLASS[1],
    "type_uid": _TYPE_UID,
    "type_name": f"{_CLASS[1]}: {_ACTIVITY[1]}",
}
"""What is the same in all findings."""


def _document(finding: Finding, shared: _SharedParts) -> dict[str, Any]:
    status_id, status = _SUPPRESSED if finding.exemption else _NEW
    kind = "AwsAccount" if finding.is_of_account else "AwsIamUser"
    return {
        **_CLASSIFICATION,
        **_time_attributes("time", finding.as_of_moment),
        **shared.severity,
        "status_id": status_id,
        "status": status,
        **({"status_detail": finding.exemption} if finding.exemption else {}),
        "message": finding.fact,
        "metadata": shared.metadata,
        "finding_info": _finding_info(finding, shared.analytic),
        "compliance": shared.compliance,
        "remediation": shared.remediation,
        "resources": [_resource(finding.subject_id, finding.user, finding.partition, kind)],
        "cloud": _cloud(finding.account, finding.account_name, finding.partition),
        "unmapped": _unmapped(finding),
    }


def _metadata(rule: RuleText) -> dict[str, Any]:
    return {
        "version": OCSF_VERSION,
        "profiles": ["cloud", "datetime"],
        "product": {"name": PRODUCT, "vendor_name": PRODUCT, "version": VERSION},
        "event_code": rule.id,
    }


def _analytic(rule: RuleText) -> dict[str, Any]:
    return {
        "uid": rule.id,
        "name": rule.title,
        "desc": rule.how,
        "type_id": _RULE_ANALYTIC[0],
        "type": _RULE_ANALYTIC[1],
    }


def _finding_info(finding: Finding, analytic: orjson.Fragment) -> dict[str, Any]:
    return {
        "uid": finding.id,
        "title": finding.rule.title,
        "desc": finding.fact,
        **_times_of_finding(finding.as_of_moment),
        "analytic": analytic,
        "data_sources": ["AWS IAM credential report"],
    }


def _compliance(finding: Finding, thresholds: Thresholds) -> dict[str, Any]:
    rule = finding.rule
    status_id, status = COMPLIANCE_STATUS[finding.outcome]
    parameters = limits(rule, thresholds).items()
    return _without_empty(
        {
            "status_id": status_id,
            "status": status,
            "control": rule.id,
            "desc": rule.why,
            "requirements": list(requirements(rule.id)),
            "standards": list(standards(rule.id)),
            "control_parameters": [{"name": name, "value": days} for name, days in parameters],
        }
    )


@lru_cache(maxsize=8192)  # An account has up to 5,000 users, with several findings each.
def _resource(subject_id: str, user: str, partition: str, kind: str) -> Mapping[str, Any]:
    return _without_empty(
        {"type": kind, "uid": subject_id, "name": user, "cloud_partition": partition}
    )


@lru_cache(maxsize=1024)
def _cloud(account: str, account_name: str, partition: str) -> Mapping[str, Any]:
    if not account:
        return {"provider": "AWS"}
    type_id, kind = _AWS_ACCOUNT
    named = {"uid": account, "name": account_name, "type_id": type_id, "type": kind}
    return _without_empty(
        {"provider": "AWS", "account": _without_empty(named), "cloud_partition": partition}
    )


def _unmapped(finding: Finding) -> dict[str, Any]:
    """Return what the schema has no attribute for, under our own words."""
    return _without_empty(
        {
            "outcome": str(finding.outcome),
            "subject": str(finding.rule.subject),
            "slot": finding.slot,
            "created": finding.created,
            "since": finding.since,
            "days": finding.days,
            "as_of_source": finding.as_of_source,
            "report_sha256": finding.report,
        }
    )


@lru_cache(maxsize=1024)
def _times_of_finding(at: datetime) -> Mapping[str, Any]:
    names = ("created_time", "modified_time", "last_seen_time")
    return {key: value for name in names for key, value in _time_attributes(name, at).items()}


@lru_cache(maxsize=1024)
def _time_attributes(name: str, at: datetime) -> Mapping[str, Any]:
    """Return a moment as OCSF has it: milliseconds since 1970, and beside it RFC 3339."""
    return {name: int(at.timestamp()) * 1000, f"{name}_dt": utc_text(at)}


def _without_empty(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if value or value == 0}
