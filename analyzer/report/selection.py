"""Decide what of the reports counts: the same twice counts once, and the newest counts."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.model import AccountRows, ReportFile, concatenated
from analyzer.report import arns
from analyzer.report.as_of import as_of
from analyzer.report.raw_report import ServiceCredentials
from analyzer.report.survey import SurveyedReport, hashes
from analyzer.report.values import normalized
from analyzer.terms import AsOfSource

_ORDER = list(AsOfSource)
_BETWEEN = ", "


@dataclass(frozen=True, slots=True)
class SelectedReport:
    """Hold a report that counts, and what of it does not.

    `own` is the moment that the report itself tells of, by `own_source`; `as_of` the one that it
    is judged by.
    `evidence` is what was saved of service-specific credentials beside any copy of it.
    `set_aside` are accounts of which another report is newer; `repeated` are the numbers of
    rows that stand elsewhere too, whatever the form of their moments and booleans.
    """

    surveyed: SurveyedReport
    own: datetime
    own_source: AsOfSource
    as_of: datetime
    source: AsOfSource
    evidence: ServiceCredentials | None = None
    set_aside: frozenset[str] = frozenset()
    repeated: frozenset[int] = frozenset()
    accounts: tuple[AccountRows, ...] = ()

    @property
    def name(self) -> str:
        """Return the name of the file."""
        return self.surveyed.text.name

    @property
    def content(self) -> str:
        """Return the SHA-256 of the report's CSV."""
        return self.surveyed.text.content()

    def file(self) -> ReportFile:
        """Return what is told of the file in every output."""
        text = self.surveyed.text
        return ReportFile(
            name=text.name,
            sha256=text.sha256(),
            size=text.size,
            as_of=self.as_of,
            as_of_source=self.source,
            accounts=self.accounts,
            evidence=self.evidence.file if self.evidence else None,
        )

    def left(self, table: pa.Table) -> pa.Table:
        """Return the rows that count."""
        if self.set_aside:
            account = arns.account_ids(table[columns.ARN].combine_chunks())
            table = table.filter(pc.invert(pc.is_in(account, _texts(self.set_aside))))
        if self.repeated:
            repeated = pa.array(sorted(self.repeated), pa.int64())
            table = table.filter(pc.invert(pc.is_in(table[columns.ROW], repeated)))
        return table


def with_as_of(surveyed: SurveyedReport, option: datetime | None) -> SelectedReport:
    """Return the report with the moment that it describes."""
    own = as_of(surveyed.text, surveyed.newest, None)
    judged_by = as_of(surveyed.text, surveyed.newest, option)
    evidence = surveyed.text.service_credentials
    return SelectedReport(surveyed, *own, *judged_by, evidence=evidence, accounts=surveyed.accounts)


def distinct(
    reports: Sequence[SelectedReport],
) -> tuple[list[SelectedReport], list[tuple[SelectedReport, SelectedReport]]]:
    """Return each report once, whatever it was wrapped in, and pairs of (left out, counted).

    A report that AWS gave again describes the later moment too: of its copies the one with the
    newest moment that is known counts, of equal moments the one that is told best. The evidence
    beside any of them counts.
    """
    copies: dict[str, list[SelectedReport]] = defaultdict(list)
    for report in sorted(reports, key=_knowing, reverse=True):
        copies[report.content].append(report)
    best = {content: each[0] for content, each in copies.items()}
    chosen = [report for report in reports if best[report.content] is report]
    same = [(report, best[report.content]) for report in reports]
    return (
        [replace(each, evidence=_evidence(copies[each.content])) for each in chosen],
        [(left, kept) for left, kept in same if left is not kept],
    )


def _knowing(report: SelectedReport) -> tuple[bool, datetime, int]:
    known = report.own_source is not AsOfSource.ASSUMED
    return known, report.own, -_ORDER.index(report.own_source)


def _evidence(copies: Iterable[SelectedReport]) -> ServiceCredentials | None:
    """Return all that is told beside the copies of a report, in the name of the first."""
    told = [each.evidence for each in copies if each.evidence]
    live: dict[str, set[str]] = defaultdict(set)
    for evidence in told:
        for user, names in evidence.services.items():
            live[user].update(names.split(_BETWEEN))
    services = {user: _BETWEEN.join(sorted(each)) for user, each in live.items()}
    return replace(told[0], services=services) if told else None


def newest(
    reports: Sequence[SelectedReport],
) -> tuple[list[SelectedReport], list[tuple[SelectedReport, SelectedReport, str]]]:
    """Set aside accounts of which another report is newer: (older, newer, account) for each."""
    latest: dict[str, SelectedReport] = {}
    for report in sorted(reports, key=lambda each: each.own):
        latest |= {each.account: report for each in report.accounts if each.account}
    older = [
        (report, latest[each.account], each.account)
        for report in reports
        for each in report.accounts
        if each.account and report.own < latest[each.account].own
    ]
    return [left for report in reports if (left := _without(report, older)).accounts], older


def _without(
    report: SelectedReport, older: Iterable[tuple[SelectedReport, SelectedReport, str]]
) -> SelectedReport:
    set_aside = frozenset(account for old, _, account in older if old is report)
    if not set_aside:
        return report
    accounts = tuple(each for each in report.accounts if each.account not in set_aside)
    named = any(each.account for each in accounts)
    return replace(report, set_aside=set_aside, accounts=accounts if named else ())


def deduplicate_rows(
    reports: Sequence[SelectedReport],
) -> tuple[list[SelectedReport], dict[str, str]]:
    """Count rows that say the same once, whatever the form of their moments and booleans.

    Return also the ARNs whose rows contradict each other, and the columns in which they do.
    """
    suspects = _suspects(reports)
    if suspects.empty:
        return list(reports), {}
    cells = [name for name in columns.REPORT if name in suspects]
    same = suspects.duplicated(cells)
    repeated, left = suspects[same], suspects[~same]
    return [
        _counting_once(report, repeated[repeated[columns.FILE] == file])
        for file, report in enumerate(reports)
    ], _contradicting(left[_is_twice(left[columns.ARN])], cells)


def _is_twice(arn: pd.Series) -> pd.Series:
    """Tell which ARNs are there more than once; rows without one have nothing in common."""
    return arn.duplicated(keep=False) & (arn != "")


def _contradicting(rows: pd.DataFrame, cells: list[str]) -> dict[str, str]:
    differs = rows.groupby(columns.ARN)[cells].nunique(dropna=False) > 1
    return {
        str(arn): ", ".join(name for name in cells if differing[name])
        for arn, differing in differs.to_dict("index").items()
    }


def _suspects(reports: Sequence[SelectedReport]) -> pd.DataFrame:
    """Return the rows whose ARN's hash is there more than once, their cells in one form."""
    every = np.sort(np.concatenate([report.surveyed.arns for report in reports]))
    twice = pa.array(np.unique(every[1:][every[1:] == every[:-1]]))
    if not len(twice):
        return pd.DataFrame()
    found = concatenated(
        pd.DataFrame(
            report.left(table.filter(pc.is_in(pa.array(hashes(table)), twice))).to_pandas()
        ).assign(**{columns.FILE: file})
        for file, report in enumerate(reports)
        for table in report.surveyed.read()
    )
    return found.assign(
        **{name: _alike(name, found[name]) for name in columns.REPORT if name in found}
    )


def _alike(name: str, cells: pd.Series) -> pd.Series:
    texts = pa.array(cells.to_numpy(), pa.large_string(), from_pandas=True)
    return pd.Series(normalized(name, texts).to_pandas())


def _counting_once(report: SelectedReport, repeated: pd.DataFrame) -> SelectedReport:
    if repeated.empty:
        return report
    arn, name = (
        pa.array(repeated[column], pa.large_string()) for column in (columns.ARN, columns.USER)
    )
    account = arns.account_ids(arn)
    every = Counter(account.to_pylist())
    roots = Counter(account.filter(arns.is_root(arn, name)).to_pylist())
    accounts = tuple(
        replace(each, roots=each.roots - roots[each.account], repeated=every[each.account])
        for each in report.accounts
    )
    rows = frozenset(int(row) for row in repeated[columns.ROW])
    return replace(report, repeated=rows, accounts=accounts)


def _texts(values: Iterable[str]) -> pa.Array:
    return pa.array(sorted(values), pa.large_string())
