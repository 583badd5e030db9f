"""Write all outputs of a run, and compare it with the run before."""

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

import pandas as pd

from analyzer import columns
from analyzer.analysis.analysis import Analysis, AnalysisRequest, analyze
from analyzer.analysis.filters import Filter
from analyzer.changes.diff import (
    CHANGE,
    EXEMPTION_NOW,
    NO_REPORT,
    Side,
    changes,
    counts_by_kind,
    has_newly,
    not_covered_rows,
)
from analyzer.changes.user_changes import ChangeKind
from analyzer.decisions.ledger import read_ledger
from analyzer.errors import InputRefused
from analyzer.files import PRIVATE, replacing, sha256
from analyzer.report.model import Exemption
from analyzer.report.report import Report
from analyzer.rules.rule import Outcome
from analyzer.runs.inputs import DECISIONS, EXEMPTIONS, FOLLOW_UP, load_reports
from analyzer.runs.run_folders import Run, sync
from analyzer.sources.load import read_exemptions
from analyzer.terms import Feed, Verdict, short_list
from analyzer.writers import write
from analyzer.writers.changes import write_changes
from analyzer.writers.tables import write_follow_up
from analyzer.writers.workbook import write_workbook

T = TypeVar("T")

USERS: Final = "users.csv"
FINDINGS: Final = "findings.csv"
CHANGES: Final = "changes.csv"
ANALYSIS: Final = "analysis.json"
WORKBOOK: Final = "review.xlsx"

FEEDS: Final = {
    Feed.OCSF: ("findings.ocsf.json",),
    Feed.PARQUET: ("users.parquet", "findings.parquet"),
}
"""The files of each form for other systems."""

_MOST_NEW_NAMES: Final = 10
"""Newly unused users that a message names."""


def write_all(
    analysis: Analysis,
    folder: Path,
    changed: pd.DataFrame,
    earlier: Sequence[Run],
    feeds: Iterable[Feed],
) -> str:
    """Write every output of a run into a folder, and return the number of changes in words.

    `changed` are those since the last of the `earlier` runs, if any. Raises OutputFailed.
    """
    names = [USERS, FINDINGS, ANALYSIS]
    for feed in feeds:
        names += FEEDS[feed]
    write(analysis, *(folder / name for name in names), verdicts=tuple(Verdict))
    if analysis.ledger.lines:
        with replacing(folder / FOLLOW_UP) as stream:
            write_follow_up(analysis, stream)
    with replacing(folder / CHANGES) as stream:
        write_changes(changed, stream)
    with replacing(folder / WORKBOOK) as stream:
        write_workbook(analysis, stream)
    return _change_count_text(changed, analysis.report, earlier)


def failures(
    request: AnalysisRequest, analysis: Analysis, changed: pd.DataFrame, earlier: Sequence[Run]
) -> list[str]:
    """Return what meets `fail_on` of a request: conditions, and changes since the last earlier run.

    `unused` is a word about changes here. Without an earlier run these words compare with nothing,
    and what a run met is not met again by the same reports.
    """
    if not request.fail_on:
        return []
    words = change_words(request.fail_on)
    # Undetermined users always count.
    conditions = [Verdict.UNDETERMINED] + [word for word in request.fail_on if word not in words]
    met = replace(request, fail_on=conditions).failures(analysis)
    if not earlier:
        return met
    return met + _change_failures(analysis, changed, words, since=earlier[-1].name)


def change_words(words: Collection[str]) -> list[str]:
    """Return the words of `fail_on` that are about changes: kinds of change, and `unused`."""
    known = [Verdict.UNUSED, *ChangeKind]
    return [word for word in known if word in words and word != Verdict.UNDETERMINED]


def _change_failures(
    analysis: Analysis, changed: pd.DataFrame, words: Sequence[str], *, since: str
) -> list[str]:
    """Return the words that are met by changes of what is not exempt, each with its number.

    Of newly unused users the first names follow, and the run `since` which they are new.
    In an account that the earlier run lacks, every user and every finding is new.
    """
    is_open = changed[EXEMPTION_NOW] == ""
    is_exempted = changed[CHANGE].isin([ChangeKind.EXEMPTED, ChangeKind.EXEMPTION_CHANGED])
    counts = Counter(changed.loc[is_open | is_exempted, CHANGE].map(str))
    newly_unused = [changed[has_newly(Verdict.UNUSED, changed) & is_open]]
    uncompared = changed.loc[changed[CHANGE] == ChangeKind.NOT_COVERED, columns.ACCOUNT]
    if accounts := analysis.report.accounts.intersection(uncompared):
        part = analysis.where(Filter(accounts=tuple(sorted(accounts))))
        counts[ChangeKind.NEW] += part.totals.user_count(exempt=False)
        users = part.judged.users
        is_unused = (users[columns.VERDICT] == Verdict.UNUSED) & (users[columns.EXEMPTION] == "")
        newly_unused.append(users[is_unused])
        counts[ChangeKind.FINDING_NEW] += sum(
            number
            for (_, outcome, is_exempt), number in part.rule_results.counts.items()
            if outcome is Outcome.FAILS and not is_exempt
        )
    names = [name for part in newly_unused for name in part[columns.USER].map(str)]
    counts[Verdict.UNUSED] = len(names)
    newly = f"newly {Verdict.UNUSED} since {since}: {short_list(names, _MOST_NEW_NAMES)}"
    texts = {word: newly if word == Verdict.UNUSED else word for word in words}
    return [f"{counts[word]:,} {text}" for word, text in texts.items() if counts[word]]


def _change_count_text(changed: pd.DataFrame, report: Report, earlier: Sequence[Run]) -> str:
    """Return the number of changes since the last earlier run, and of accounts not compared."""
    covered = {of.account for run in earlier[-1:] for of in run.record.covered}
    changes = f"{sum(counts_by_kind(changed).values()):,}"
    number = changes if covered & report.accounts else "not known"
    accounts = int((changed[CHANGE] == ChangeKind.NOT_COVERED).sum())
    return f"{number}, accounts not compared: {accounts:,}" if accounts else number


def accounts_of_older_runs(earlier: Sequence[Run], accounts: Collection[str]) -> dict[str, str]:
    """Return the newest run of each of these accounts that the last run does not cover."""
    older = {of.account: run.name for run in earlier[:-1] for of in run.record.covered}
    last = {of.account for run in earlier[-1:] for of in run.record.covered}
    return {name: older[name] for name in sorted(accounts) if name in older and name not in last}


def changes_since(
    analysis: Analysis, earlier: Sequence[Run], older: Mapping[str, str]
) -> tuple[pd.DataFrame, str | None]:
    """Return what changed since the last earlier run, judged by the criteria of this one.

    Return also why that is not known, if the reports of that run are refused.

    An account that only `older` runs cover has a row that names the newest of these. Without an
    earlier run, only the accounts that could not be read are listed.
    """
    if not earlier:
        return not_covered_rows(analysis.report), None
    previous, reason = earlier[-1], None
    now = Side.of(analysis)
    try:
        before = Side.of(_analysis_of(previous, analysis))
    except InputRefused as refused:
        reason = f"the run {previous.name} is refused: {refused.problems[0].message}"
        before = replace(now, as_of={}, missing=dict.fromkeys(now.as_of, reason))
    missing = {
        account: f"{before.missing.get(account, NO_REPORT)}; for changes since the run {run},"
        " compare it with this one: credreport diff"
        for account, run in older.items()
        if account not in before.as_of and account in now.as_of
    }
    return changes(replace(before, missing=dict(before.missing) | missing), now), reason


def _analysis_of(run: Run, analysis: Analysis) -> Analysis:
    """Return a run's reports with its own exemptions, judged by the criteria of an analysis.

    Users to keep are exempt by the decisions in that run, as they were then. Raises
    InputRefused.
    """
    listed, decided = run.path / EXEMPTIONS, run.path / DECISIONS
    entries = read_exemptions((listed.name, listed.read_bytes())) if listed.is_file() else ()
    report = load_reports(run.path, {})
    return analyze(
        report,
        analysis.criteria,
        (*entries, *map(Exemption.of_option, run.record.exempt)),
        analysis.book,
        read_ledger(decided.name, decided.read_bytes()) if decided.is_file() else None,
    )


def synced_private_files(folder: Path) -> Iterator[dict[str, Any]]:
    """Sync all files and folders to disk, for their owner only; yield path, size and sha256."""
    for at, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(at, name)
            path.chmod(PRIVATE)
            sync(path)
            yield {
                "path": path.relative_to(folder).as_posix(),
                "size": path.stat().st_size,
                "sha256": sha256(path),
            }
        sync(Path(at))
