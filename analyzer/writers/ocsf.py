"""Write findings as OCSF Compliance Findings, one JSON line per finding, for SIEMs and data lakes.

Each follows the published schema of the version that it names, class 2003 with the profiles cloud
and datetime (https://schema.ocsf.io/1.6.0/classes/compliance_finding). AWS Security Hub uses this
version for its findings; later versions accept the same documents. A finding has the same id in
each report.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, BinaryIO, Final, NamedTuple, TypeAlias

import orjson

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.limits import Thresholds
from analyzer.report.model import ReportFile, account_name
from analyzer.report.report import Report
from analyzer.rules.rule import (
    OUTCOME,
    REMEDY,
    RULE,
    UNCOVERED_ACCOUNT,
    Outcome,
    RuleText,
    Subject,
)
from analyzer.standards import reached_days, references
from analyzer.terms import ACCOUNT_ID_PATTERN, VERSION, account_number, utc_text
from analyzer.writers.tables import plain_rows

PRODUCT: Final = "credreport"
_ACCOUNT_ARN: Final = re.compile(rf"arn:(aws[a-z0-9-]*):iam::{ACCOUNT_ID_PATTERN}:")
LONGEST_USER_NAME: Final = 64  # no IAM user has a longer name (API reference, CreateUser)

Document: TypeAlias = Mapping[str, Any]

OCSF_VERSION: Final = "1.6.0"
COMPLIANCE_STATUS: Final = {
    Outcome.FAILS: (3, "Fail"),
    Outcome.UNDECIDED: (2, "Warning"),
    Outcome.NOTED: (1, "Pass"),
}
_NEW: Final = {"status_id": 1, "status": "New"}
_SUPPRESSED: Final = {"status_id": 3, "status": "Suppressed"}


# Findings


@dataclass(frozen=True, slots=True, eq=False)
class FindingGroup:
    """Hold the common fields of findings of one rule, outcome and remedy.

    `condition` says how the rule decides, `remedy` has a line for each step. `limits` is the limit
    of the rule in days, by the name of the threshold. `standards` are the names of the standards
    that require the rule, `requirements` the same names with the number of a control.
    """

    rule: RuleText
    outcome: Outcome
    condition: str
    remedy: str
    limits: Mapping[str, str]
    standards: Sequence[str]
    requirements: Sequence[str]

    @property
    def is_of_account(self) -> bool:
        """Return whether the rule is about the account or its root user, not about IAM users."""
        return self.rule.subject in (Subject.ROOT, Subject.ACCOUNT)


class FeedFinding(NamedTuple):
    """Hold one finding with its account and report.

    `account` is from the ARN, else from the file, empty if neither has one. `partition` is from the
    ARN, empty if the ARN has no account. `created` and `since` are ISO text. The fields from `arn`
    on are columns of `RuleResults.tables`.
    """

    group: FindingGroup
    file: ReportFile
    account: str
    account_name: str
    partition: str
    arn: str
    user: str
    fact: str
    exemption: str = ""
    slot: int | None = None
    created: str | None = None
    since: str | None = None
    days: int | None = None
    row: int = 0
    owner: str = ""
    owner_email: str = ""

    @property
    def id(self) -> str:
        """Return an id that is the same in each report, independent of file and row.

        A user, key or certificate that is created again has findings of its own. If the ARN
        names no account, the user's name distinguishes rows.
        """
        rule = self.group.rule.id
        named = self.arn if self.partition else f"{self.arn}\0{self.user}"
        parts = f"{self.account}\0{rule}\0{named}\0{self.slot or ''}\0{self.created or ''}"
        digest = hashlib.sha256(parts.encode()).hexdigest()[:32]
        return f"{PRODUCT}/{self.account or 'unknown'}/{rule}/{digest}"

    @property
    def remedy(self) -> str:
        """Return the remedy of its group, and which user `NAME` in the commands stands for."""
        text = self.group.remedy
        is_name = self.user.isprintable() and len(self.user) <= LONGEST_USER_NAME
        return f"# NAME is {self.user}\n{text}" if is_name and "=NAME" in text else text

    @property
    def subject_id(self) -> str:
        """Return the account if the rule is about accounts, else the ARN or the user."""
        account = self.account if self.group.rule.subject is Subject.ACCOUNT else ""
        return account or self.arn or self.user


def findings(analysis: Analysis) -> Iterator[FeedFinding]:
    """Yield each finding once, in the order of `RuleResults.tables`, then accounts not covered."""
    report, book = analysis.report, analysis.rule_results.book
    rules = {rule.id: rule for rule in book.rules}
    every = [{account.account for account in file.accounts} - {""} for file in report.files]
    # In a report of one account, as AWS makes them, every row is of that account.
    only = [min(accounts) if len(accounts) == 1 else "" for accounts in every]

    @cache
    def group(rule: str, outcome: str, remedy: str, idle_days: int | None) -> FindingGroup:
        return _finding_group(rules[rule], Outcome(outcome), remedy, book.thresholds, idle_days)

    for table in analysis.rule_results.tables():
        for row in plain_rows(table, _COLUMNS):
            at, account, rule, outcome, remedy, arn, user, fact, *others = row
            account = account or only[at]
            in_account = _ACCOUNT_ARN.search(arn)
            partition = in_account[1] if in_account else ""
            named = account_name(account, report.account_names)
            number = account_number(account)
            finding = FeedFinding(
                *(group(rule, outcome, remedy, None), report.files[at], number, named, partition),
                *(arn, user, fact or "", *others),
            )
            if rules[rule].threshold == "idle_days" and finding.days is not None:
                reached = reached_days(finding.days)
                finding = finding._replace(group=group(rule, outcome, remedy, reached))
            yield finding
    yield from _not_covered(report, book.thresholds)


_COLUMNS: Final = (columns.FILE, columns.ACCOUNT, RULE, OUTCOME, REMEDY) + FeedFinding._fields[5:]


def _finding_group(
    rule: RuleText,
    outcome: Outcome,
    remedy: str,
    thresholds: Thresholds,
    idle_days: int | None = None,
) -> FindingGroup:
    every, limit = references(rule.id, idle_days), rule.threshold
    limits = {limit: str(getattr(thresholds, limit))} if limit else {}
    requirements = [f"{standard} {number}" for standard, numbers in every for number in numbers]
    lines, standards = rule.remedy_lines(remedy), [standard for standard, _ in every]
    return FindingGroup(
        rule=rule,
        outcome=outcome,
        condition=rule.condition(thresholds),
        remedy="\n".join(lines),
        limits=limits,
        standards=standards,
        requirements=requirements,
    )


def _not_covered(report: Report, thresholds: Thresholds) -> Iterator[FeedFinding]:
    """Yield the accounts that could not be read: without a report, as of the newest report."""
    newest = replace(max(report.files, key=lambda file: file.as_of), sha256="")
    group = _finding_group(UNCOVERED_ACCOUNT, Outcome.UNDECIDED, UNCOVERED_ACCOUNT.fix, thresholds)
    for missing in report.not_covered:
        named = account_name(missing.account, report.account_names)
        user = "" if missing.account else missing.name
        number, partition = account_number(missing.account), missing.account.rpartition(":")[0]
        yield FeedFinding(group, newest, number, named, partition, "", user, str(missing))


# Documents

_CREATED: Final = {
    "activity_id": 1,
    "activity_name": "Create",
    "category_uid": 2,
    "category_name": "Findings",
    "class_uid": 2003,
    "class_name": "Compliance Finding",
    "type_uid": 200301,
    "type_name": "Compliance Finding: Create",
}


def write_ocsf(analysis: Analysis, stream: BinaryIO) -> None:
    """Write every finding in a line of its own, created at as-of; none give an empty file."""
    for finding in findings(analysis):
        stream.write(json_line(_compliance_finding(finding)))


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


def _times(at: datetime, *names: str) -> Document:
    """Return a moment under these names: as milliseconds, and under `…_dt` as text."""
    spellings = (("", int(at.timestamp()) * 1000), ("_dt", utc_text(at)))
    return {f"{name}{ending}": value for name in names for ending, value in spellings}


def json_line(document: Document) -> bytes:
    """Return a document as a line of JSON in printable ASCII: no name can break or reverse it."""
    line = orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
    if line.isascii() and b"\x7f" not in line:
        return line
    return json.dumps(orjson.loads(line), separators=(",", ":")).encode() + b"\n"


def without_empty_fields(document: Document) -> dict[str, Any]:
    """Return the fields that have a value; None and an empty text or list are no value."""
    return {name: value for name, value in document.items() if value or value == 0}
