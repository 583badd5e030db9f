"""The results of rules say what they find, in one order, and pass nothing that was not seen."""

import json
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import analyzer
from analyzer.analysis import rule_results
from analyzer.analysis.rule_results import ControlResult, Result, RuleResults
from analyzer.columns import OWNERSHIP
from analyzer.report.frames import finding_frame
from analyzer.rules import RULES
from analyzer.rules.rule import FINDINGS, Outcome
from analyzer.terms import Severity
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    QUIET_PASSWORD,
    Row,
    a_key,
    a_user,
    days_before,
    report_text,
    saved,
    the_root,
)
from tests.support.named_reports import load_named
from tests.support.outputs import analyzed_console, exemptions_of

BAD_ROOT = the_root(access_key_1_active="true", access_key_1_last_rotated=days_before(9))
NO_MFA = a_user("no-mfa", password=QUIET_PASSWORD)
ODD = a_user("odd", password=QUIET_PASSWORD) | {"mfa_active": "?"}
SAFE = a_user("safe", password=QUIET_PASSWORD, mfa=True)
MFA = "console-user-without-mfa"


def inspected(
    users: Iterable[Row], *exemptions: str, root: Row | None = None, **book: str
) -> RuleResults:
    return _inspected(report_text(users, root=root), exemptions, tuple(book.items()))


@cache
def _inspected(
    text: str, exemptions: tuple[str, ...], book: tuple[tuple[str, str], ...]
) -> RuleResults:
    """Inspect a report once for all tests."""
    report = load_named(("report.csv", text.encode()), as_of=AS_OF)
    chosen = analyzer.rulebook(**dict(book))  # type: ignore[arg-type]  # whatever a test asks for
    return analyzer.analyze(report, exemptions=exemptions_of(*exemptions), book=chosen).rule_results


def control(found: RuleResults, number: str) -> ControlResult:
    (only,) = (each for each in found.controls if each.control.number == number)
    return only


def test_the_worst_rules_come_first_then_failures_then_whoever_is_not_exempt_the_longest_idle() -> (
    None
):
    found = analyzed_console().rule_results.findings
    ids = [rule.id for rule in RULES]
    severities, outcomes = list(Severity), list(Outcome)
    keys = (
        found["severity"].map(severities.index),
        found["rule"].map(ids.index),
        found["outcome"].map(outcomes.index),
        found["exemption"] != "",
        -found["days"].fillna(-1),
    )
    order = list(zip(*keys, strict=True))
    assert order == sorted(order)
    assert set(found["exemption"] != "") == {True, False}
    assert len(set(found["severity"])) == 3
    assert list(found) == [*FINDINGS, *OWNERSHIP]


@pytest.mark.parametrize("rows", [1, 2])
def test_the_findings_come_at_once_or_rule_by_rule_in_the_same_order(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = inspected([NO_MFA, ODD], root=BAD_ROOT)
    monkeypatch.setattr(rule_results, "SLICE_ROWS", rows)
    tables = list(results.tables())
    assert len(tables) == (1 if rows == 2 else len(results.book.rules))
    parts = pd.concat([finding_frame(table).astype(str) for table in tables], ignore_index=True)
    assert_frame_equal(parts, results.findings.astype(str))


def test_no_rules_find_nothing() -> None:
    report = load_named(("report.csv", report_text([NO_MFA]).encode()), as_of=AS_OF)
    book = replace(analyzer.rulebook(), rules=())
    found = analyzer.analyze(report, book=book).findings
    assert (len(found), list(found)) == (0, [*FINDINGS, *OWNERSHIP])


@pytest.mark.no_cover
def test_a_root_is_excused_only_by_its_name() -> None:
    roots: tuple[Row, ...] = ({}, {"user": "root_account"})
    for cells in roots:
        entries = "*,*,everybody,,", "*,<root_account>,why,,"
        found = inspected([], *entries, root=BAD_ROOT | cells).findings
        assert set(found["exemption"]) == {"why"}
    assert set(inspected([], "*,*,why,,", root=BAD_ROOT).findings["exemption"]) == {""}


WHY = {
    Result.EXCUSED: "All failures and undecided findings are exempt.",
    Result.UNDECIDED: "Some findings are undecided.",
}
RUNS: tuple[tuple[list[Row], list[str], Result, tuple[int, int, int], bool], ...] = (
    ([SAFE], [], Result.PASS, (0, 0, 0), False),
    ([SAFE, NO_MFA], [], Result.FAIL, (1, 0, 0), True),
    ([SAFE, NO_MFA], ["*,no-mfa,why,,"], Result.EXCUSED, (0, 1, 0), False),
    ([SAFE, ODD], [], Result.UNDECIDED, (0, 0, 1), True),
    ([ODD, NO_MFA], [], Result.FAIL, (1, 0, 1), True),
    ([ODD, NO_MFA], ["*,no-mfa,why,,"], Result.UNDECIDED, (0, 1, 1), True),
    ([SAFE, ODD], ["*,odd,why,,"], Result.EXCUSED, (0, 1, 0), False),
)


@pytest.mark.parametrize(("users", "exemption", "result", "numbers", "fails"), RUNS)
def test_a_control_and_a_run_pass_only_if_nothing_fails_that_is_not_exempt_and_all_is_understood(
    users: list[Row],
    exemption: list[str],
    result: Result,
    numbers: tuple[int, int, int],
    *,
    fails: bool,
) -> None:
    rule_results = inspected(users, *exemption, benchmark="fsbp")
    found = control(rule_results, "IAM.5")
    assert found.result is result
    assert (found.fails, found.exempt, found.undecided) == numbers
    assert found.why == WHY.get(result, "")
    unmet = result in (Result.FAIL, Result.UNDECIDED)
    assert rule_results.control_failures() == ([f"FSBP IAM.5: {result}"] if unmet else [])
    assert bool(rule_results.failures([MFA])) is fails
    assert bool(rule_results.failures([Severity.HIGH])) is fails
    assert not rule_results.failures([Severity.CRITICAL])
    assert not rule_results.failures(["root-access-key"])


def test_a_control_whose_rule_was_left_out_is_not_run() -> None:
    found = inspected([NO_MFA], benchmark="fsbp", rules="idle-password")
    assert control(found, "IAM.5").result is Result.NOT_RUN
    assert control(found, "IAM.5").why == f"Rule not selected, not run: {MFA}."
    assert control(found, "IAM.1").result is Result.NOT_DECIDABLE
    assert found.control_failures() == []
    found = inspected([a_user("idle", key_1=a_key())], benchmark="fsbp", rules="idle-access-key")
    assert control(found, "IAM.8").result is Result.FAIL  # by the other rule


def test_a_control_on_the_root_that_the_filter_leaves_out_says_so(tmp_path: Path) -> None:
    report = analyzer.load(saved(tmp_path, report_text([SAFE])), as_of=AS_OF)
    skipped = "root-without-mfa"
    rules = [rule.id for rule in RULES if rule.id != skipped]
    book = analyzer.rulebook("cis-7.0", rules=rules)
    part = analyzer.analyze(report, book=book).where(analyzer.Filter(users=("s*",)))
    found = control(part.rule_results, "2.4")
    why = "The root user is left out by the filter, not run: root-access-key."
    assert (found.result, found.why) == (Result.NOT_RUN, why)
    assert control(part.rule_results, "2.5").why == f"Rule not selected, not run: {skipped}."


ROOTLESS = "\n".join(report_text([SAFE]).split("\n")[::2])
NO_ROOT = "The report has no root row of account"
OTHER = "123456789012"


CONSOLE = "status_reports_2026-05-01T12-00-00+00-00.csv"


def results_of(*texts: str, names: Iterable[str] = (f"a/{CONSOLE}", f"b/{CONSOLE}")) -> RuleResults:
    """Return what the rules of a benchmark find in reports of one moment, unless names tell it."""
    files = [(name, text.encode()) for name, text in zip(names, texts, strict=False)]
    report = load_named(*files)
    return analyzer.analyze(report, book=analyzer.rulebook("cis-6.0")).rule_results


def test_every_root_is_looked_at_also_where_there_is_no_user() -> None:
    other = BAD_ROOT | {"arn": f"arn:aws:iam::{OTHER}:root"}
    found = results_of(*(report_text([], root=root) for root in (BAD_ROOT, other))).findings
    keys = found[found["rule"] == "root-access-key"]
    assert keys["account"].tolist() == [ACCOUNT, OTHER]
    assert keys["outcome"].tolist() == ["fails", "fails"]


def test_a_report_without_its_root_row_passes_no_control_on_root() -> None:
    found = results_of(ROOTLESS)
    assert control(found, "2.3").result is Result.UNDECIDED
    assert control(found, "2.3").why == f"{NO_ROOT} {ACCOUNT}."
    assert control(found, "2.9").result is Result.PASS
    among = results_of(report_text([SAFE]), ROOTLESS.replace(ACCOUNT, OTHER))
    assert set(among.rules_lacking_input.values()) == {f"{NO_ROOT} {OTHER}."}
    failing = results_of(report_text([SAFE], root=BAD_ROOT), ROOTLESS.replace(ACCOUNT, OTHER))
    results = [control(failing, each).result for each in ("2.3", "2.4", "2.6", "2.9")]
    undecided = Result.UNDECIDED
    assert results == [Result.FAIL, undecided, undecided, Result.PASS]


@pytest.mark.no_cover
def test_the_root_row_of_an_account_may_stand_in_any_of_its_reports() -> None:
    other_user = report_text([SAFE | {"user": "x", "arn": f"arn:aws:iam::{ACCOUNT}:user/x"}])
    for order in (1, -1):
        found = results_of(*[ROOTLESS, other_user][::order])
        assert found.rules_lacking_input == {}
        assert control(found, "2.3").result is Result.PASS
        assert not found.failures(["root-without-mfa"])


def test_the_root_row_of_a_report_that_is_set_aside_is_not_that_of_the_newer() -> None:
    names = [f"status_reports_2026-{month}-01T12-00-00+00-00.csv" for month in ("04", "05")]
    found = results_of(report_text([SAFE]), ROOTLESS, names=names)
    failures = found.failures(["root-without-mfa"])
    assert failures == [f"root-without-mfa: {NO_ROOT} {ACCOUNT}"]


def test_an_account_that_could_not_be_read_passes_no_control(tmp_path: Path) -> None:
    saved(tmp_path, report_text([SAFE]))
    failed = {"account": OTHER, "name": "", "status": "failed", "reason": "x"}
    saved(tmp_path, json.dumps({"accounts": [failed]}), "fetched.manifest.json")
    report = analyzer.load(tmp_path, as_of=AS_OF)
    found = analyzer.analyze(report, book=analyzer.rulebook("cis-6.0")).rule_results
    results = {each.result for each in found.controls}
    assert results == {Result.UNDECIDED, Result.NOT_DECIDABLE}
    assert found.failures([Severity.LOW])


def test_what_is_only_noted_fails_no_run() -> None:
    root = the_root(access_key_1_last_rotated=days_before(9))
    found = inspected([SAFE], root=root, benchmark="cis-6.0")
    assert found.counts["root-access-key", Outcome.NOTED, False] == 1
    assert control(found, "2.3").result is Result.PASS
    assert not found.failures([Severity.CRITICAL])
