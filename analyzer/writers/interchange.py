"""Prepare findings for formats that other systems import: the subject and the lasting id of each.

Findings of every outcome are written, so that a later import updates the earlier one.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Final

import pandas as pd

from analyzer import columns
from analyzer.analysis import Analysis
from analyzer.model import Report, ReportFile
from analyzer.rules import rule
from analyzer.rules.rule import (
    DAYS,
    FACT,
    OUTCOME,
    REMEDY,
    RULE,
    SINCE,
    Outcome,
    Rule,
    RuleText,
    Subject,
)
from analyzer.rules.wording import remedy_lines
from analyzer.standards import references
from analyzer.terms import ISO_UTC, Thresholds

PRODUCT: Final = "credreport"
_OUTCOMES: Final = list(Outcome)
_ID_DIGITS: Final = 32
_UNKNOWN_ACCOUNT: Final = "unknown"
_NAMES_ACCOUNT: Final = re.compile(r"arn:(aws[a-z0-9-]*):iam::[0-9]{12}:")
_AT_ONCE: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Hold one finding and where it comes from.

    `account` is empty where neither the ARN nor the file names one, `account_name` where it is not
    known; `arn` and `user` are the report's own cells. `created`, `since` and `days` are what
    `rules.rule.FINDINGS` says, None where missing. `report` is the SHA-256 of the report, empty
    for an account that has none; `at` and `at_source` are the moment of the finding and how that
    is known.
    """

    rule: RuleText
    outcome: Outcome
    account: str
    account_name: str
    arn: str
    user: str
    row: int
    slot: int | None
    created: datetime | None
    since: datetime | None
    days: int | None
    fact: str
    exemption: str
    remedy: str
    at: datetime
    at_source: str
    report: str

    @property
    def id(self) -> str:
        """Return what stays the same from report to report, whatever the file and the row.

        It is made of the account, the rule, the ARN, the slot and the creation of the key, the
        certificate or else the user: a user that is created again has findings of its own. Where
        the ARN names no account, the user's name distinguishes rows.
        """
        named = self.arn if self.partition else f"{self.arn}\0{self.user}"
        parts = (
            self.account,
            self.rule.id,
            named,
            str(self.slot or ""),
            epoch_milliseconds(self.created),
        )
        digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_ID_DIGITS]
        return f"{PRODUCT}/{self.account or _UNKNOWN_ACCOUNT}/{self.rule.id}/{digest}"

    @property
    def is_of_account(self) -> bool:
        """Return whether it is about the account or its root, and not about a user."""
        return self.rule.subject in (Subject.ROOT, Subject.ACCOUNT)

    @property
    def subject_id(self) -> str:
        """Return what identifies the subject: the ARN, else the user, else the row."""
        own = self.account if self.rule.subject is Subject.ACCOUNT else ""
        named = (each for each in (own, self.arn, self.user) if each.strip())
        return next(named, f"row {self.row} of {self.report}")

    @property
    def partition(self) -> str:
        """Return the partition that the ARN names, empty where it names no account either."""
        named = _NAMES_ACCOUNT.match(self.arn)
        return named[1] if named else ""

    @property
    def remedy_text(self) -> str:
        """Return what to do, a line each."""
        return "\n".join(remedy_lines(self.rule, self.remedy))

    @property
    def as_of(self) -> str:
        """Return the moment that the report describes."""
        return epoch_milliseconds(self.at)


def findings(analysis: Analysis) -> Iterator[Finding]:
    """Yield each finding of the analysis once, in the order of `Inspection.frames`.

    The rows of one ARN that contradict each other leave the same matters open: the findings that
    have one id become one. They come last, and behind them the accounts that could not be read.
    """
    rules = {rule.id: rule for rule in analysis.inspection.book.rules}
    several: dict[str, Finding] = {}
    for cells in _rows(analysis.inspection.frames()):
        finding = _finding(cells, rules, analysis.report)
        if finding.arn in analysis.report.contradicted:
            first = several.setdefault(finding.id, finding)
            several[finding.id] = min(first, finding, key=_severity_rank)
        else:
            yield finding
    yield from several.values()
    yield from _not_covered(analysis.report)


def _rows(frames: Iterator[pd.DataFrame]) -> Iterator[dict[Any, Any]]:
    """Yield the rows of the frames, few of which are in memory at once."""
    for frame in frames:
        for start in range(0, len(frame), _AT_ONCE):
            yield from frame.iloc[start : start + _AT_ONCE].to_dict("records")


def _severity_rank(finding: Finding) -> tuple[int, str, str]:
    return _OUTCOMES.index(finding.outcome), finding.exemption, finding.fact


def _finding(cells: Mapping[Any, Any], rules: Mapping[str, Rule], report: Report) -> Finding:
    file = report.files[cells[columns.FILE]]
    account = cells[columns.ACCOUNT] or _only_account(file)
    return Finding(
        rule=rules[cells[RULE]],
        outcome=Outcome(cells[OUTCOME]),
        account=account,
        account_name=_name(account, report),
        arn=cells[columns.ARN],
        user=cells[columns.USER],
        row=cells[columns.ROW],
        slot=_none_if_missing(cells[columns.SLOT]),
        created=_none_if_missing(cells[columns.CREATED]),
        since=_none_if_missing(cells[SINCE]),
        days=_none_if_missing(cells[DAYS]),
        fact=cells[FACT],
        exemption=cells[columns.EXEMPTION],
        remedy=cells[REMEDY],
        at=file.as_of,
        at_source=str(file.as_of_source),
        report=file.sha256,
    )


def _not_covered(report: Report) -> Iterator[Finding]:
    """Yield what is left open of accounts that could not be read, at the newest as-of."""
    newest = max(report.files, key=lambda file: file.as_of)
    for each in report.not_covered:
        yield Finding(
            rule=rule.UNCOVERED_ACCOUNT,
            outcome=Outcome.UNDECIDED,
            account=each.account,
            account_name=_name(each.account, report),
            arn="",
            user="" if each.account else each.name,
            row=0,
            slot=None,
            created=None,
            since=None,
            days=None,
            fact=str(each),
            exemption="",
            remedy=rule.UNCOVERED_ACCOUNT.fix,
            at=newest.as_of,
            at_source=str(newest.as_of_source),
            report="",
        )


def _name(account: str, report: Report) -> str:
    known = report.account_names.get(account)
    return known.name if known else ""


def _only_account(file: ReportFile) -> str:
    """Return the account of a report that is of one account, as AWS makes them, else nothing."""
    named = {each.account for each in file.accounts if each.account}
    return named.pop() if len(named) == 1 else ""


def _none_if_missing(value: Any) -> Any:
    return None if pd.isna(value) else value


def limits(rule: RuleText, thresholds: Thresholds) -> dict[str, str]:
    """Return the limit that the rule was held to by its name, nothing where it has none."""
    return {rule.threshold: str(getattr(thresholds, rule.threshold))} if rule.threshold else {}


@cache
def standards(rule: str) -> tuple[str, ...]:
    """Return the names of the standards and frameworks that ask for a rule."""
    return tuple(name for name, _ in references(rule))


@cache
def requirements(rule: str) -> tuple[str, ...]:
    """Return what asks for a rule, each standard with the number of one of its controls."""
    return tuple(f"{name} {number}" for name, numbers in references(rule) for number in numbers)


@lru_cache(maxsize=1024)
def epoch_milliseconds(at: datetime | None) -> str:
    """Return a moment in UTC as `2026-03-01T09:30:00Z`, nothing for none."""
    return "" if at is None else f"{at:{ISO_UTC}}"


def json_line(document: Mapping[str, Any]) -> bytes:
    """Return a document as a line of JSON in ASCII: no name can break or reverse the line."""
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"
