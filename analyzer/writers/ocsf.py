"""Write findings as OCSF Compliance Findings, one a line of JSON, for SIEMs and data lakes.

Each keeps to the published schema of the version that it names, class 2003 with the profiles
cloud and datetime (https://schema.ocsf.io/1.6.0/classes/compliance_finding). It is the version in
which AWS Security Hub has its findings; the later ones take the same documents.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, BinaryIO, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.analysis import Analysis
from analyzer.model import arrow_array
from analyzer.rules.rule import DAYS, FACT, SINCE, Outcome, RuleText
from analyzer.terms import Severity, Thresholds, utc_text
from analyzer.version import VERSION
from analyzer.writers.closing import FeedFormat, closed_lines
from analyzer.writers.interchange import (
    ID,
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
    standards,
)
from analyzer.writers.json_columns import (
    NOTHING,
    Members,
    json_cells,
    json_list_column,
    json_object_column,
    optional_json_cells,
)
from analyzer.writers.text_columns import TEXT_TYPE

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
    book = analysis.inspection.book
    ids: set[str] = set()
    for frame in finding_frames(analysis):
        ids.update(frame[ID])
        shared = json_of_kinds(frame, book, _shared_attributes)
        stream.writelines(json_lines(_documents(frame, shared)))
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


def _shared_attributes(kind: FindingKind, thresholds: Thresholds) -> Mapping[str, Any]:
    """Return what is the same in all findings of one rule, outcome and remedy."""
    rule = kind.rule
    noted = kind.outcome is Outcome.NOTED
    severity_id, severity = _INFORMATIONAL if noted else _SEVERITIES[rule.severity]
    return {
        "severity_id": severity_id,
        "severity": severity,
        "metadata": _metadata(rule),
        "title": rule.title,
        "analytic": _analytic(rule),
        "compliance": _compliance(kind, thresholds),
        "remediation": _without_empty(
            {"desc": kind.remedy_text, "references": list(rule.references)}
        ),
        "type": "AwsAccount" if kind.is_of_account else "AwsIamUser",
        "outcome": kind.outcome,
        "subject": rule.subject,
    }


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


def _documents(frame: pd.DataFrame, shared: Mapping[str, pa.Array]) -> Members:
    exemption = optional_json_cells(frame[columns.EXEMPTION])
    fact = json_cells(frame[FACT])
    return {
        **{name: json.dumps(value) for name, value in _CLASSIFICATION.items()},
        **_time_cells("time", frame[columns.AS_OF]),
        "severity_id": shared["severity_id"],
        "severity": shared["severity"],
        **_status_cells(exemption),
        "status_detail": exemption,
        "message": fact,
        "metadata": shared["metadata"],
        "finding_info": {
            "uid": json_cells(frame[ID]),
            "title": shared["title"],
            "desc": fact,
            **_time_cells("created_time", frame[columns.AS_OF]),
            **_time_cells("modified_time", frame[columns.AS_OF]),
            **_time_cells("last_seen_time", frame[columns.AS_OF]),
            "analytic": shared["analytic"],
            "data_sources": '["AWS IAM credential report"]',
        },
        "compliance": shared["compliance"],
        "remediation": shared["remediation"],
        "resources": json_list_column(_resources(frame, shared["type"])),
        "cloud": _clouds(frame),
        "unmapped": _unmapped(frame, shared),
    }


def _status_cells(exemption: pa.Array) -> Members:
    is_new = exemption.is_null()
    cells = [
        pc.if_else(is_new, json.dumps(new), json.dumps(suppressed)).cast(TEXT_TYPE)
        for new, suppressed in zip(_NEW, _SUPPRESSED, strict=True)
    ]
    return dict(zip(("status_id", "status"), cells, strict=True))


def _resources(frame: pd.DataFrame, kinds: pa.Array) -> Members:
    return {
        "type": kinds,
        "uid": json_cells(frame[SUBJECT_ID]),
        "name": optional_json_cells(frame[columns.USER]),
        "cloud_partition": optional_json_cells(frame[PARTITION]),
    }


def _clouds(frame: pd.DataFrame) -> Members:
    account = optional_json_cells(frame[columns.ACCOUNT])
    type_id, kind = _AWS_ACCOUNT
    named = {
        "uid": account,
        "name": optional_json_cells(frame[columns.ACCOUNT_NAME]),
        "type_id": json.dumps(type_id),
        "type": json.dumps(kind),
    }
    partition = optional_json_cells(frame[PARTITION])
    return {
        "provider": '"AWS"',
        "account": json_object_column(named),
        "cloud_partition": pc.if_else(account.is_valid(), partition, NOTHING),
    }


def _unmapped(frame: pd.DataFrame, shared: Mapping[str, pa.Array]) -> Members:
    """Return what the schema has no attribute for, under our own words."""
    return {
        "outcome": shared["outcome"],
        "subject": shared["subject"],
        "slot": optional_json_cells(frame[columns.SLOT]),
        "created": optional_json_cells(frame[columns.CREATED]),
        "since": optional_json_cells(frame[SINCE]),
        "days": optional_json_cells(frame[DAYS]),
        "as_of_source": json_cells(frame[columns.AS_OF_SOURCE]),
        "report_sha256": optional_json_cells(frame[REPORT]),
    }


def _time_cells(name: str, moments: pd.Series) -> Members:
    """Return moments as OCSF has them: milliseconds since 1970, and beside it RFC 3339."""
    seconds = arrow_array(moments).cast(pa.int64())
    return {name: json_cells(pc.multiply(seconds, 1000)), f"{name}_dt": json_cells(moments)}


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


def _compliance(kind: FindingKind, thresholds: Thresholds) -> dict[str, Any]:
    rule = kind.rule
    status_id, status = COMPLIANCE_STATUS[kind.outcome]
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


def _time_attributes(name: str, at: datetime) -> Mapping[str, Any]:
    """Return a moment as OCSF has it: milliseconds since 1970, and beside it RFC 3339."""
    return {name: int(at.timestamp()) * 1000, f"{name}_dt": utc_text(at)}


def _without_empty(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if value or value == 0}
