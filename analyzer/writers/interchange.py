"""Prepare findings for formats that other systems import: the subject and the lasting id of each.

Findings of every outcome are written, so that a later import updates the earlier one.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple, TypeVar

import orjson
import pandas as pd

from analyzer import columns
from analyzer.analysis import Analysis
from analyzer.model import Report, ReportFile
from analyzer.rules import rule
from analyzer.rules.rule import FINDINGS, OUTCOME, RULE, Outcome, Rule, RuleText, Subject
from analyzer.rules.wording import remedy_lines
from analyzer.standards import references
from analyzer.terms import ACCOUNT_ID_PATTERN, Thresholds, utc_text
from analyzer.writers.tables import python_values

PRODUCT: Final = "credreport"
_OUTCOMES: Final = {str(each): each for each in Outcome}
_ID_DIGITS: Final = 32
_UNKNOWN_ACCOUNT: Final = "unknown"
_ACCOUNT_ARN: Final = re.compile(rf"arn:(aws[a-z0-9-]*):iam::{ACCOUNT_ID_PATTERN}:")
_ROWS_AT_ONCE: Final = 4096

T = TypeVar("T")


class Finding(NamedTuple):
    """Hold one finding and where it comes from.

    `account` is empty where neither the ARN nor the file names one, `account_name` where it is not
    known; `arn` and `user` are the report's own cells; `partition` is the one that the ARN names,
    empty where it names no account. `slot`, `created`, `since` and `days` are what
    `rules.rule.FINDINGS` says, moments as text, None where missing. `report` is the SHA-256 of the
    report, empty for an account that has none; `as_of_moment` and `as_of_source` are the moment of
    the finding and how that is known.
    """

    rule: RuleText
    outcome: Outcome
    account: str
    account_name: str
    arn: str
    partition: str
    user: str
    row: int
    slot: int | None
    created: str | None
    since: str | None
    days: int | None
    fact: str
    exemption: str
    remedy: str
    as_of_moment: datetime
    as_of_source: str
    report: str

    @property
    def id(self) -> str:
        """Return what stays the same from report to report, whatever the file and the row.

        It is made of the account, the rule, the ARN, the slot and the creation of the key, the
        certificate or else the user: a user that is created again has findings of its own. Where
        the ARN names no account, the user's name distinguishes rows.
        """
        named = self.arn if self.partition else f"{self.arn}\0{self.user}"
        parts = (self.account, self.rule.id, named, str(self.slot or ""), self.created or "")
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
        named = filter(str.strip, (own, self.arn, self.user))
        return next(named, f"row {self.row} of {self.report}")

    @property
    def remedy_text(self) -> str:
        """Return what to do, a line each."""
        return "\n".join(remedy_lines(self.rule, self.remedy))

    @property
    def as_of(self) -> str:
        """Return the moment that the report describes."""
        return utc_text(self.as_of_moment)


def findings(analysis: Analysis) -> Iterator[Finding]:
    """Yield each finding of the analysis once, in the order of `Inspection.frames`.

    The rows of one ARN that contradict each other leave the same matters open: the findings that
    have one id become one. They come last, and behind them the accounts that could not be read.
    """
    several: dict[str, Finding] = {}
    contradicted = analysis.report.contradicted
    for finding in _findings(analysis):
        if contradicted and finding.arn in contradicted:
            first = several.setdefault(finding.id, finding)
            several[finding.id] = min(first, finding, key=_severity_rank)
        else:
            yield finding
    yield from several.values()
    yield from _not_covered(analysis.report)


def _findings(analysis: Analysis) -> Iterator[Finding]:
    """Yield the findings of the frames, few of which are in memory at once."""
    rules = {rule.id: rule for rule in analysis.inspection.book.rules}
    for frame in analysis.inspection.frames():
        for start in range(0, len(frame), _ROWS_AT_ONCE):
            yield from _findings_in(
                frame.iloc[start : start + _ROWS_AT_ONCE], rules, analysis.report
            )


def _findings_in(
    frame: pd.DataFrame, rules: Mapping[str, Rule], report: Report
) -> Iterator[Finding]:
    files = report.files
    file = frame[columns.FILE].tolist()
    cells = {name: python_values(frame[name]) for name in FINDINGS}

    def of_files(values: Iterable[T]) -> Iterator[T]:
        return map([*values].__getitem__, file)

    own = of_files(map(_only_account, files))
    accounts = [named or only for named, only in zip(cells[columns.ACCOUNT], own, strict=True)]
    fields: Mapping[str, Iterable[Any]] = {
        "rule": map(rules.__getitem__, cells[RULE]),
        "outcome": map(_OUTCOMES.__getitem__, cells[OUTCOME]),
        "account": accounts,
        "account_name": (_name(account, report) for account in accounts),
        "partition": python_values(_partitions(frame[columns.ARN])),
        "as_of_moment": of_files(each.as_of for each in files),
        "as_of_source": of_files(str(each.as_of_source) for each in files),
        "report": of_files(each.sha256 for each in files),
    }
    values = (fields[name] if name in fields else cells[name] for name in Finding._fields)
    yield from map(Finding._make, zip(*values, strict=True))


def _partitions(arns: pd.Series) -> pd.Series:
    named: pd.Series = arns.str.extract(_ACCOUNT_ARN, expand=False).fillna("")
    return named


def _severity_rank(finding: Finding) -> tuple[int, str, str]:
    return list(Outcome).index(finding.outcome), finding.exemption, finding.fact


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
            partition="",
            user="" if each.account else each.name,
            row=0,
            slot=None,
            created=None,
            since=None,
            days=None,
            fact=str(each),
            exemption="",
            remedy=rule.UNCOVERED_ACCOUNT.fix,
            as_of_moment=newest.as_of,
            as_of_source=str(newest.as_of_source),
            report="",
        )


def _name(account: str, report: Report) -> str:
    known = report.account_names.get(account)
    return known.name if known else ""


def _only_account(file: ReportFile) -> str:
    """Return the account of a report that is of one account, as AWS makes them, else nothing."""
    named = {each.account for each in file.accounts if each.account}
    return named.pop() if len(named) == 1 else ""


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


def shared_json(value: Any) -> orjson.Fragment:
    """Return a value that many documents share, as JSON in ASCII that is made once."""
    return orjson.Fragment(json.dumps(value, separators=(",", ":")))


def json_line(document: Mapping[str, Any]) -> bytes:
    """Return a document as a line of JSON in ASCII: no name can break or reverse the line."""
    line = orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
    if line.isascii() and _DEL_BYTE not in line:
        return line
    return _NOT_PRINTABLE_ASCII.sub(_escaped, line.decode()).encode()


_DEL_BYTE: Final = b"\x7f"
_NOT_PRINTABLE_ASCII: Final = re.compile("[\x7f-\U0010ffff]")


def _escaped(sign: re.Match[str]) -> str:
    return json.dumps(sign[0])[1:-1]
