"""Give findings as a feed: documents, which another system imports again and again.

Findings of every outcome are written, so that a later import updates the earlier one: the id of a
finding lasts from report to report. A feed closes the findings of an earlier feed that are gone.

OCSF Compliance Findings, one a line of JSON, are for SIEMs and data lakes. Each keeps to the
published schema of the version that it names, class 2003 with the profiles cloud and datetime
(https://schema.ocsf.io/1.6.0/classes/compliance_finding). It is the version in which AWS Security
Hub has its findings; the later ones take the same documents.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, BinaryIO, Final, NamedTuple, TypeAlias

import orjson

from analyzer import columns
from analyzer.judging.analysis import Analysis
from analyzer.report.model import Report, ReportFile, account_name
from analyzer.rules.rule import (
    DAYS,
    FACT,
    OUTCOME,
    REMEDY,
    RULE,
    SINCE,
    UNCOVERED_ACCOUNT,
    Outcome,
    RuleText,
    Subject,
)
from analyzer.rules.wording import remedy_lines
from analyzer.standards.benchmarks import references
from analyzer.terms import ACCOUNT_ID_PATTERN, VERSION, Thresholds, utc_text
from analyzer.writers.json import fields
from analyzer.writers.tables import plain_rows

PRODUCT: Final = "credreport"
_ID_DIGITS: Final = 32
_UNKNOWN_ACCOUNT: Final = "unknown"
_ACCOUNT_ARN: Final = re.compile(rf"arn:(aws[a-z0-9-]*):iam::{ACCOUNT_ID_PATTERN}:")
LONGEST_USER_NAME: Final = 64  # no IAM user has a longer name (API reference, CreateUser)

Document: TypeAlias = Mapping[str, Any]


# Findings


@dataclass(frozen=True, slots=True, eq=False)
class RuleOutcome:
    """Hold what findings of one rule, outcome and remedy share.

    `remedy` is what to do, a line each; `limits` are the days that the rule was held to, by the
    name of the threshold; `standards` are the names of those that ask for the rule, `requirements`
    these with the number of one of their controls.
    """

    rule: RuleText
    outcome: Outcome
    remedy: str
    limits: Mapping[str, str]
    standards: Sequence[str]
    requirements: Sequence[str]

    @property
    def is_of_account(self) -> bool:
        """Return whether it is about the account or its root, and not about a user."""
        return self.rule.subject in (Subject.ROOT, Subject.ACCOUNT)


class Finding(NamedTuple):
    """Hold one finding, and what is known of its account and report.

    `account` is that of the ARN, else that of the file; empty where neither names one. `partition`
    is that of the ARN, empty where that names no account. `created` and `since` are ISO text. The
    other columns are those of `rules.rule.FINDINGS`.
    """

    result: RuleOutcome
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
        """Return what stays the same from report to report, whatever the file and the row.

        A user, key or certificate that is created again has findings of its own. Where the ARN
        names no account, the user's name distinguishes rows.
        """
        rule = self.result.rule.id
        named = self.arn if self.partition else f"{self.arn}\0{self.user}"
        parts = f"{self.account}\0{rule}\0{named}\0{self.slot or ''}\0{self.created or ''}"
        digest = hashlib.sha256(parts.encode()).hexdigest()[:_ID_DIGITS]
        return f"{PRODUCT}/{self.account or _UNKNOWN_ACCOUNT}/{rule}/{digest}"

    @property
    def remedy(self) -> str:
        """Return the remedy of its result, and which user `NAME` in its commands is."""
        text = self.result.remedy
        is_name = self.user.isprintable() and len(self.user) <= LONGEST_USER_NAME
        return f"# NAME is {self.user}\n{text}" if is_name and "=NAME" in text else text

    @property
    def subject_id(self) -> str:
        """Return the account, if the rule is about that, else the ARN, else the user or the row."""
        account = self.account if self.result.rule.subject is Subject.ACCOUNT else ""
        for name in (account, self.arn, self.user):
            if name.strip():
                return name
        return f"row {self.row} of {self.file.sha256}"


def findings(analysis: Analysis) -> Iterator[Finding]:
    """Yield each finding once, in the order of `RuleResults.frames`, then accounts not covered."""
    report, book = analysis.report, analysis.rule_results.book
    rules = {rule.id: rule for rule in book.rules}
    named = [{each.account for each in file.accounts} - {""} for file in report.files]
    # Of a report that is of one account, as AWS makes them, every row is of that.
    only = [min(accounts) if len(accounts) == 1 else "" for accounts in named]

    @cache
    def result(rule: str, outcome: str, remedy: str) -> RuleOutcome:
        return _rule_outcome(rules[rule], Outcome(outcome), remedy, book.thresholds)

    for frame in analysis.rule_results.frames():
        for row in plain_rows(frame, _COLUMNS):
            at, account, rule, outcome, remedy, arn, user, fact, *others = row
            account = account or only[at]
            in_account = _ACCOUNT_ARN.search(arn)
            yield Finding(
                result(rule, outcome, remedy),
                report.files[at],
                account,
                account_name(account, report.account_names),
                in_account[1] if in_account else "",
                arn,
                user,
                fact or "",
                *others,
            )
    yield from _not_covered(report, book.thresholds)


_COLUMNS: Final = (
    *(columns.FILE, columns.ACCOUNT, RULE, OUTCOME, REMEDY, columns.ARN, columns.USER, FACT),
    *(columns.EXEMPTION, columns.SLOT, columns.CREATED, SINCE, DAYS, columns.ROW),
    *(columns.OWNER, columns.OWNER_EMAIL),
)


def _rule_outcome(
    rule: RuleText, outcome: Outcome, remedy: str, thresholds: Thresholds
) -> RuleOutcome:
    every, limit = references(rule.id), rule.threshold
    limits = {limit: str(getattr(thresholds, limit))} if limit else {}
    requirements = [f"{standard} {number}" for standard, numbers in every for number in numbers]
    lines, standards = remedy_lines(rule, remedy), [standard for standard, _ in every]
    return RuleOutcome(rule, outcome, "\n".join(lines), limits, standards, requirements)


def _not_covered(report: Report, thresholds: Thresholds) -> Iterator[Finding]:
    """Yield the accounts that could not be read: of no report, but as of the newest."""
    newest = replace(max(report.files, key=lambda file: file.as_of), sha256="")
    result = _rule_outcome(UNCOVERED_ACCOUNT, Outcome.UNDECIDED, UNCOVERED_ACCOUNT.fix, thresholds)
    for each in report.not_covered:
        yield Finding(
            result,
            newest,
            account=each.account,
            account_name=account_name(each.account, report.account_names),
            partition="",
            arn="",
            user="" if each.account else each.name,
            fact=str(each),
        )


# Lines


class Entry(NamedTuple):
    """Name the finding of a document, and its account, empty where none is known."""

    account: str
    id: str
    is_open: bool


def feed_lines(
    documents: Iterable[Document],
    earlier: Iterable[Document],
    report: Report,
    entry: Callable[[Document], Entry],
    closed: Callable[[Document, datetime], Document],
) -> Iterator[tuple[str, bytes]]:
    """Yield the findings of a report, and those of an earlier feed that are gone, closed.

    Each is its account and a line of JSON. `closed` returns a document as of a moment in UTC.
    Findings of unread and excluded accounts stay open: nothing is known of them. The others are
    closed at the newest as-of of the report.
    """
    ids = set()
    for document in documents:
        account, id_, _ = entry(document)
        yield account, json_line(document)
        if earlier:
            ids.add(id_)
    newest = max(file.as_of for file in report.files)
    missing = {each.account for each in (*report.not_covered, *report.left_out)}
    for document in earlier:
        account, id_, is_open = entry(document)
        # One that is missing and has no number may be any that is not covered.
        is_known = account not in missing and ("" not in missing or account in report.accounts)
        if is_known and is_open and id_ not in ids:
            yield account, json_line(closed(document, newest))


def json_line(document: Document) -> bytes:
    """Return a document as a line of JSON in printable ASCII: no name can break or reverse it."""
    line = orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
    if line.isascii() and b"\x7f" not in line:
        return line
    return json.dumps(orjson.loads(line), separators=(",", ":")).encode() + b"\n"


def present(document: Document) -> dict[str, Any]:
    """Return the fields that have a value; None and an empty text or list are none."""
    return {name: value for name, value in document.items() if value or value == 0}


# OCSF

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
    """Write every finding, a line each; nothing where there is none.

    Each is created at the moment that the report describes. `earlier` are the lines of an earlier
    feed: its findings that are no longer there follow as closed and `Resolved`.
    """
    documents = map(_compliance_finding, findings(analysis))
    known = map(orjson.loads, earlier) if earlier else ()
    for _, line in feed_lines(documents, known, analysis.report, _entry, _closed):
        stream.write(line)


def _compliance_finding(finding: Finding) -> Document:
    at, result, rule = finding.file.as_of, finding.result, finding.result.rule
    resource = {
        "type": "AwsAccount" if result.is_of_account else "AwsIamUser",
        "uid": finding.subject_id,
        "name": finding.user,
        "owner": present({"name": finding.owner, "email_addr": finding.owner_email}),
        "cloud_partition": finding.partition,
    }
    unmapped = {
        "outcome": result.outcome,
        "subject": rule.subject,
        **fields(finding, "slot", "created", "since", "days"),
        "as_of_source": finding.file.as_of_source,
        "report_sha256": finding.file.sha256,
    }
    return {
        **_CREATED,
        **_times(at, "time"),
        **_severity(result),
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
        "compliance": _compliance(result),
        "remediation": present({"desc": finding.remedy, "references": rule.references}),
        "resources": [present(resource)],
        "cloud": _cloud(finding.account, finding.account_name, finding.partition),
        "unmapped": present(unmapped),
    }


@lru_cache(1024)
def _severity(result: RuleOutcome) -> Document:
    if result.outcome is Outcome.NOTED:
        return {"severity_id": 1, "severity": "Informational"}
    severity = result.rule.severity
    return {"severity_id": 5 - severity.rank, "severity": severity.capitalize()}


@lru_cache(4096)
def _cloud(account: str, name: str, partition: str) -> Document:
    described = {"uid": account, "name": name, "type_id": 10, "type": "AWS Account"}
    known = present(described) if account else None
    return present({"provider": "AWS", "account": known, "cloud_partition": partition})


@lru_cache(1024)
def _compliance(result: RuleOutcome) -> Document:
    status_id, status = COMPLIANCE_STATUS[result.outcome]
    limits = result.limits.items()
    compliance = {
        "status_id": status_id,
        "status": status,
        "control": result.rule.id,
        "desc": result.rule.why,
        "requirements": result.requirements,
        "standards": result.standards,
        "control_parameters": [{"name": name, "value": days} for name, days in limits],
    }
    return present(compliance)


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
    is_open = document["activity_id"] != _CLOSED["activity_id"]
    return Entry(account, document["finding_info"]["uid"], is_open)
