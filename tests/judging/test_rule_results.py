"""An rule_results says what the rules find, in one order, and passes nothing that was not seen."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import analyzer
from analyzer.columns import OWNERSHIP
from analyzer.judging import rule_results
from analyzer.judging.analysis import Analysis
from analyzer.judging.rule_results import RuleResults
from analyzer.report import assemble
from analyzer.report.model import Page
from analyzer.rules import RULES
from analyzer.rules.rule import FINDINGS, Outcome
from analyzer.standards.rulebook import ControlResult, Result
from analyzer.terms import Severity
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    COLUMNS,
    Row,
    a_key,
    a_password,
    a_user,
    days_before,
    report_text,
    saved,
    the_root,
)
from tests.support.outputs import (
    CONSOLE,
    SAMPLES,
    analyzed,
    analyzed_console,
    analyzed_sample,
    exemptions_of,
)

BAD_ROOT = the_root(access_key_1_active="true", access_key_1_last_rotated=days_before(9))
NO_MFA = a_user("no-mfa", password=a_password(days_before(1)))
ODD = a_user("odd", password=a_password(days_before(1))) | {"mfa_active": "?"}
SAFE = a_user("safe", password=a_password(days_before(1)), mfa=True)
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
    report = analyzer.load(("report.csv", text.encode()), as_of=AS_OF)
    chosen = analyzer.rulebook(**dict(book))  # type: ignore[arg-type]  # whatever a test asks for
    return analyzer.analyze(report, exemptions=exemptions_of(*exemptions), book=chosen).rule_results


def control(found: RuleResults, number: str) -> ControlResult:
    (only,) = (each for each in found.controls if each.control.number == number)
    return only


def organization() -> Analysis:
    return analyzer.analyze(analyzer.load(SAMPLES / "organization"))


def test_the_worst_rules_come_first_then_failures_then_whoever_is_not_exempt_the_longest_idle() -> (
    None
):
    found = analyzed_console().rule_results.findings
    ids = [rule.id for rule in RULES]
    order = [
        (
            list(Severity).index(severity),
            ids.index(rule),
            list(Outcome).index(outcome),
            exemption != "",
            -days,
        )
        for severity, rule, outcome, exemption, days in zip(
            found["severity"],
            found["rule"],
            found["outcome"],
            found["exemption"],
            found["days"].fillna(-1),
            strict=True,
        )
    ]
    assert order == sorted(order)
    assert set(found["exemption"] != "") == {True, False}
    assert len(set(found["severity"])) == 3
    assert list(found) == [*FINDINGS, *OWNERSHIP]


@pytest.mark.no_cover
def test_the_findings_of_a_large_report_are_the_same_though_page_by_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = analyzed_sample(SAMPLES / "organization").rule_results
    one = small.findings
    monkeypatch.setattr(rule_results, "MOST_ROWS_IN_ONE_ORDER", 0)
    monkeypatch.setattr(assemble, "PAGE_ROWS", 50)
    large = organization().rule_results
    assert len(list(large.frames())) > 2
    keys = ["rule", "outcome", "arn", "slot", "fact"]
    parts = [frame[keys].astype(str).sort_values(keys) for frame in (one, large.findings)]
    assert parts[0].to_numpy().tolist() == parts[1].to_numpy().tolist()
    assert large.counts == small.counts


def test_a_large_report_is_not_read_again_for_the_counts_of_findings_that_were_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = analyzed_sample(SAMPLES / "organization").rule_results.counts
    monkeypatch.setattr(rule_results, "MOST_ROWS_IN_ONE_ORDER", 0)
    large = organization().rule_results
    passes: list[int] = []

    def pages() -> Iterator[Page]:
        passes.append(1)
        return large.pages()

    again = replace(large, pages=pages)
    assert len(again.findings) == expected.total()
    assert again.counts == expected
    assert len(passes) == 1


DEFAULT = [rule.id for rule in RULES if rule.default]


@pytest.mark.no_cover
def test_many_users_are_judged_by_some_rules_at_a_time_with_the_same_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = inspected([NO_MFA, ODD], root=BAD_ROOT)
    findings = whole.findings
    monkeypatch.setattr(rule_results, "MOST_ROWS_IN_ONE_ORDER", whole.report.rows)
    for at_once, parts in (
        (1, len(DEFAULT)),
        (3 * 4, math.ceil(len(DEFAULT) / 4)),
        (3 * (len(DEFAULT) - 1), 2),
        (3 * len(DEFAULT), 1),
    ):
        monkeypatch.setattr(rule_results, "JUDGED_AT_ONCE", at_once)
        frames = list(replace(whole).frames())
        assert len(frames) == parts, at_once
        assert all(frame["rule"].cat.categories.tolist() == DEFAULT for frame in frames)
        assert_frame_equal(pd.concat(frames, ignore_index=True), findings)


def test_no_rules_find_nothing() -> None:
    found = inspected([NO_MFA], rules=MFA, skip=MFA).findings
    assert (len(found), list(found)) == (0, [*FINDINGS, *OWNERSHIP])


@pytest.mark.no_cover
def test_the_counts_are_those_of_the_findings_with_the_exempt_apart() -> None:
    exemptions = exemptions_of("*,svc-*,why,,")
    analysis = analyzer.analyze(analyzer.load(CONSOLE), exemptions=exemptions)
    found = analysis.rule_results.findings
    exempt = found["exemption"] != ""
    kinds = zip(found["rule"].astype(str), found["outcome"].astype(str), exempt, strict=True)
    assert +analysis.rule_results.counts == Counter(kinds)
    assert set(exempt) == {True, False}


def test_every_root_is_looked_at_also_where_there_is_no_user(tmp_path: Path) -> None:
    for account in (ACCOUNT, "123456789012"):
        saved(tmp_path, report_text([], root=BAD_ROOT | the_arn(account)), f"{account}.csv")
    found = analyzer.analyze(analyzer.load(tmp_path, as_of=AS_OF)).rule_results.findings
    keys = found[found["rule"] == "root-access-key"]
    assert keys["account"].tolist() == [ACCOUNT, "123456789012"]
    assert keys["outcome"].tolist() == ["fails", "fails"]


def the_arn(account: str) -> Row:
    return {"arn": f"arn:aws:iam::{account}:root"}


def test_by_default_the_rules_run_that_are_on_by_default(tmp_path: Path) -> None:
    book = analyzed(tmp_path, [a_user()]).rule_results.book
    assert [rule.id for rule in book.rules] == [rule.id for rule in RULES if rule.default]
    assert (book.thresholds.idle_days, book.thresholds.rotation_days) == (45, 90)


def test_an_exemption_without_a_rule_excuses_from_every_rule() -> None:
    users = [a_user("ann", password=a_password(days_before(99)), key_1=a_key())]
    found = inspected(users, "*,ann,by design,,").findings
    assert set(found.loc[found["user"] == "ann", "exemption"]) == {"by design"}


@pytest.mark.no_cover
@pytest.mark.parametrize("cells", [{}, {"user": "root_account"}, {"arn": "fakearn"}])
def test_a_root_is_excused_only_by_its_name(cells: Row) -> None:
    for entry, reason in (("*,*,why,,", ""), ("*,<root_account>,why,,", "why")):
        found = inspected([], entry, root=BAD_ROOT | cells).findings
        assert set(found["exemption"]) == {reason}


@pytest.mark.parametrize(
    ("users", "exemption", "result", "numbers", "fails"),
    [
        ([SAFE], [], Result.PASS, (0, 0, 0), False),
        ([SAFE, NO_MFA], [], Result.FAIL, (1, 0, 0), True),
        ([SAFE, NO_MFA], ["*,no-mfa,why,,"], Result.EXCUSED, (0, 1, 0), False),
        ([SAFE, ODD], [], Result.UNDECIDED, (0, 0, 1), True),
        ([ODD, NO_MFA], [], Result.FAIL, (1, 0, 1), True),
        ([ODD, NO_MFA], ["*,no-mfa,why,,"], Result.UNDECIDED, (0, 1, 1), True),
        ([SAFE, ODD], ["*,odd,why,,"], Result.UNDECIDED, (0, 0, 1), False),
    ],
)
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
    assert bool(found.why) is (result not in (Result.PASS, Result.FAIL))
    unmet = result in (Result.FAIL, Result.UNDECIDED)
    assert rule_results.control_failures() == ([f"FSBP IAM.5: {result}"] if unmet else [])
    assert bool(rule_results.failures([], [MFA])) is fails
    assert bool(rule_results.failures([Severity.HIGH], [])) is fails
    assert not rule_results.failures([Severity.CRITICAL], [])
    assert not rule_results.failures([], ["root-access-key"])


def test_a_control_whose_rule_was_left_out_is_not_run() -> None:
    found = inspected([NO_MFA], benchmark="fsbp", skip=MFA)
    assert control(found, "IAM.5").result is Result.NOT_RUN
    assert control(found, "IAM.5").why == f"Optional rule, not run: {MFA}."
    assert control(found, "IAM.1").result is Result.NOT_DECIDABLE
    assert found.control_failures() == []


def test_a_control_on_the_root_that_the_filter_leaves_out_says_so(tmp_path: Path) -> None:
    report = analyzer.load(saved(tmp_path, report_text([SAFE])), as_of=AS_OF)
    skipped = "root-without-mfa"
    book = analyzer.rulebook("cis-7.0", skip=[skipped])
    part = analyzer.analyze(report, book=book).where(analyzer.Filter(users=("s*",)))
    found = control(part.rule_results, "2.4")
    assert (found.result, found.why) == (
        Result.NOT_RUN,
        "The root user is left out by the filter, not run: root-access-key.",
    )
    assert control(part.rule_results, "2.5").why == f"Optional rule, not run: {skipped}."


def test_a_control_fails_by_the_rule_that_ran_though_another_was_left_out() -> None:
    user = a_user("idle", key_1=a_key())
    found = inspected([user], benchmark="fsbp", skip="idle-password")
    assert control(found, "IAM.8").result is Result.FAIL


def test_a_report_without_its_root_row_passes_no_control_on_root(tmp_path: Path) -> None:
    header, _, user = report_text([SAFE]).split("\n")
    report = analyzer.load(saved(tmp_path, f"{header}\n{user}"), as_of=AS_OF)
    found = analyzer.analyze(report, book=analyzer.rulebook("cis-6.0")).rule_results
    assert control(found, "2.3").result is Result.UNDECIDED
    assert control(found, "2.3").why == f"The report has no root row of account {ACCOUNT}."
    assert control(found, "2.9").result is Result.PASS


ROOTLESS = "\n".join(report_text([SAFE]).split("\n")[::2])
WITH_ROOT = {
    "other users": report_text([SAFE | {"user": "x", "arn": f"arn:aws:iam::{ACCOUNT}:user/x"}]),
    "the same users": report_text([SAFE]),
    "the same rows saved again": report_text([SAFE]) + "\n",
}


@pytest.mark.no_cover
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("other", WITH_ROOT.values(), ids=WITH_ROOT)
def test_the_root_row_of_an_account_may_stand_in_any_of_its_reports(
    tmp_path: Path, other: str, order: int
) -> None:
    paths = [saved(tmp_path, ROOTLESS, "a.csv"), saved(tmp_path, other, "b.csv")]
    report = analyzer.load(*paths[::order], as_of=AS_OF)
    found = analyzer.analyze(report, book=analyzer.rulebook("cis-6.0")).rule_results
    assert found.rules_lacking_input == {}
    assert control(found, "2.3").result is Result.PASS
    assert not found.failures([], ["root-without-mfa"])


def test_the_root_row_of_a_report_that_is_set_aside_is_not_that_of_the_newer(
    tmp_path: Path,
) -> None:
    saved(tmp_path, report_text([SAFE]), "status_reports_2026-04-01T12-00-00+00-00.csv")
    saved(tmp_path, ROOTLESS, "status_reports_2026-05-01T12-00-00+00-00.csv")
    found = analyzer.analyze(analyzer.load(tmp_path)).rule_results
    why = f"the report has no root row of account {ACCOUNT}"
    assert found.failures([], ["root-without-mfa"]) == [f"root-without-mfa: {why.capitalize()}"]


def test_one_account_without_its_root_row_is_named_among_others(tmp_path: Path) -> None:
    saved(tmp_path, report_text([SAFE]), "a.csv")
    saved(tmp_path, ROOTLESS.replace(ACCOUNT, "123456789012"), "b.csv")
    found = analyzer.analyze(analyzer.load(tmp_path, as_of=AS_OF)).rule_results
    assert set(found.rules_lacking_input.values()) == {
        "The report has no root row of account 123456789012."
    }


def test_a_root_of_an_account_without_a_number_is_a_root(tmp_path: Path) -> None:
    saved(tmp_path, report_text([SAFE], columns=[each for each in COLUMNS if each != "arn"]))
    found = analyzer.analyze(analyzer.load(tmp_path, as_of=AS_OF)).rule_results
    assert not found.rules_lacking_input


def test_rows_whose_arn_names_no_account_pass_no_control_on_root(tmp_path: Path) -> None:
    saved(tmp_path, report_text([SAFE]), "whole.csv")
    header, _, user = report_text([SAFE | {"arn": "x"}]).split("\n")
    saved(tmp_path, f"{header}\n{user}", "odd.csv")
    report = analyzer.load(tmp_path, as_of=AS_OF)
    found = analyzer.analyze(report, book=analyzer.rulebook("cis-6.0")).rule_results
    assert control(found, "2.3").result is Result.UNDECIDED
    assert control(found, "2.3").why == "The report has no root row of account (number unknown)."
    assert found.failures([Severity.CRITICAL], [])


def test_an_account_that_could_not_be_read_passes_no_control(tmp_path: Path) -> None:
    saved(tmp_path, report_text([SAFE]))
    (tmp_path / "fetched.manifest.json").write_text(
        '{"accounts": [{"account": "123456789012", "name": "", "status": "failed", "reason": "x"}]}'
    )
    report = analyzer.load(tmp_path, as_of=AS_OF)
    found = analyzer.analyze(report, book=analyzer.rulebook("cis-6.0")).rule_results
    results = {each.result for each in found.controls}
    assert results == {Result.UNDECIDED, Result.NOT_DECIDABLE}
    assert found.failures([Severity.LOW], ["root-used"])


def test_what_is_only_noted_fails_no_run() -> None:
    root = the_root(access_key_1_last_rotated=days_before(9))
    found = inspected([SAFE], root=root)
    assert found.counts["root-access-key", Outcome.NOTED, False] == 1
    assert not found.failures([Severity.CRITICAL], [])
