"""Users and rules are chosen by options, and a run fails by what is kept of them.

A filter holds in every output but the workbook, whose lists are always full.
"""

import json
import os
from collections.abc import Collection
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.cli.inputs import filtered, read_judging
from analyzer.cli.options import HOME_REGION_NOTE, FilterOptions, InputFile, JudgingOptions
from analyzer.report.model import Report
from analyzer.terms import Benchmark, Severity
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    Row,
    a_key,
    a_password,
    a_user,
    days_before,
    report_text,
    run,
    saved,
    table,
    the_root,
)
from tests.support.feeds import asff_file
from tests.support.outputs import CONSOLE, EXEMPTIONS, SAMPLES, UNUSED, analyzed_console, name_lines

AT = "--as-of=2026-05-01T12:00:00Z"
ON_CONSOLE = ("analyze", CONSOLE, "--exemptions", EXEMPTIONS)
LATELY = a_password(days_before(1))
NO_MFA = a_user("ann", password=LATELY)
IDLE = a_user("bob", key_1=a_key(days_before(80), days_before(50)))
SAFE = a_user("eve", password=LATELY, mfa=True)
ODD = a_user("odd", password=LATELY) | {"mfa_active": "?"}
MFA, KEY = "console-user-without-mfa", "idle-access-key"

# Users


@pytest.mark.no_cover
def test_a_filter_holds_in_every_output_but_the_workbook(tmp_path: Path) -> None:
    first, second = "111122223333", "222233334444"
    for each in (first, second):
        text = report_text([a_user("ann", account=each)], root=the_root(each))
        saved(tmp_path, text, f"{each}.csv")
    endings = ("csv", "json", "ocsf.json", "asff.json", "xlsx")
    csv, data, ocsf, asff, book = (tmp_path / f"a.{ending}" for ending in endings)
    findings = tmp_path / "findings.csv"
    outputs = (word for file in (csv, data, ocsf, asff, book) for word in ("-o", file))
    words = ("--account", first, *outputs, "--findings", findings, "--hub-region", "eu-west-1")
    done = run("analyze", tmp_path / "[12]*.csv", *words, "--format", "table")
    assert done.code == 0
    for text in (csv.read_text(), ocsf.read_text(), asff_file(asff)):
        assert (first in text, second in text) == (True, False)
    users = json.loads(data.read_bytes())["users"]
    for rows in (users, table(csv.read_bytes()), table(findings.read_bytes())):
        assert {row["account"] for row in rows} == {first}
    assert {line.split("\t")[1] for line in done.lines[1:]} == {first}
    cells = {str(cell) for sheet in load_workbook(book) for row in sheet.values for cell in row}
    assert {first, second} <= cells
    lines = asff_file(asff).splitlines()
    arn = f"arn:aws:securityhub:eu-west-1:{first}:"
    assert json.loads(lines[0])["ProductArn"].startswith(arn)
    assert len(ocsf.read_text().splitlines()) == len(lines) > 1
    said = f"Wrote {book}, with all users: a workbook is not filtered"
    assert [line for line in done.messages.splitlines() if "not filtered" in line] == [said]


def test_a_feed_without_a_region_says_which_it_is_for(tmp_path: Path) -> None:
    done = run("analyze", CONSOLE, "-o", tmp_path / "a.asff.json")
    assert HOME_REGION_NOTE in " ".join(done.messages.split())


@pytest.mark.no_cover
def test_what_is_filtered_out_is_always_counted() -> None:
    for form in ("table", "names"):
        done = run(*ON_CONSOLE, "--format", form, "--user", "b*", "--min-age", "100")
        headline = "3 of 3 selected IAM users are unused (2 to check, 1 exempt), "
        assert done.messages.startswith(headline)
        counted = "Filter: user b*, created 100 days or more before as-of"
        assert f"\n{counted}; left out: 44 of 47 IAM users.\n" in done.messages


@pytest.mark.no_cover
def test_a_run_fails_by_what_the_filter_keeps(tmp_path: Path) -> None:
    users = [a_user("ann", created=days_before(50)), SAFE | {"user_creation_time": days_before(60)}]
    report = saved(tmp_path, report_text(users))
    request = read_judging(JudgingOptions(), None, ["unused"])
    analysis = request.analysis(analyzer.load(report, as_of=AS_OF))
    for options, fails in (
        ({}, True),
        ({"user": ["ann"]}, True),
        ({"user": ["eve"]}, False),
        ({"certain": True}, True),
        ({"min_age": 51}, False),
        ({"min_age": 50}, True),
        ({"account": [ACCOUNT]}, True),
    ):
        (part,) = filtered([analysis], FilterOptions(**options))
        assert bool(request.failures(part)) is fails, options
    asked = ("analyze", report, AT, "-q", "--fail-on", "unused")
    assert run(*asked, "--user", "eve", "--min-age", "50", "--certain").code == 0


@pytest.mark.no_cover
def test_an_account_is_named_as_the_manifest_names_it(tmp_path: Path) -> None:
    saved(tmp_path, report_text([a_user("ann")]))
    entry = {"account": ACCOUNT, "name": "Prod", "status": "fetched", "reason": ""}
    lost = {"account": "123456789012", "name": "Lost", "status": "failed", "reason": "Denied."}
    saved(tmp_path, json.dumps({"accounts": [entry, lost]}), "fetched.manifest.json")
    assert run("analyze", tmp_path, "--account", "prod", "-q") == (0, b"", "")
    assert run("analyze", tmp_path, "--account", "lost", "-q").code == 5


def test_where_the_account_is_masked_the_hint_says_how_to_set_it(tmp_path: Path) -> None:
    masked = report_text([a_user("ann")]).replace(ACCOUNT, "012345XXXXXX")
    done = run("analyze", saved(tmp_path, masked), "--account", ACCOUNT)
    assert done.code == 2
    assert "set the account of a masked report with --masked-account" in done.message_line


@pytest.mark.no_cover
def test_names_are_those_to_act_on_and_say_what_they_leave_out() -> None:
    listed = name_lines(analyzed_console(), UNUSED)
    assert len(listed) == 26 - 13 - 5
    checked = run(*ON_CONSOLE, "--format", "names", "--include-check")
    assert {*listed} < {*checked.lines}
    left_out = "Left out of the names: 1 with an active service-specific credential, 5 exempt."
    assert checked.messages.splitlines()[-2] == left_out
    others = run(*ON_CONSOLE, "--format", "names", "--verdict", "dormant")
    assert "Left out" not in others.messages


def test_no_page_is_read_to_find_out_whether_a_filter_names_a_user() -> None:
    analysis = analyzer.analyze(analyzer.load(SAMPLES / "organization"))
    analysis = replace(analysis, pages=lambda: pytest.fail("a page was read"))
    assert filtered([analysis], FilterOptions()) == [analysis]
    (part,) = filtered([analysis], FilterOptions(account=["111122223333"], certain=True))
    assert part.filter


# Rules


@cache
def loaded(report: str) -> Report:
    return analyzer.load(("report.csv", report.encode()), as_of=AS_OF)


def judged(
    report: str, fail_on: Collection[str] = (), **options: Any
) -> tuple[Analysis, list[str]]:
    """Return a report judged as options ask for, and what a run fails by."""
    request = read_judging(JudgingOptions(**options), None, fail_on)
    analysis = request.analysis(loaded(report))
    return analysis, request.failures(analysis)


def finding_rules(users: list[Row], root: Row | None = None, **options: Any) -> list[str]:
    """Return the ids of the rules that find something, once for each finding."""
    analysis, _ = judged(report_text(users, root=root or the_root()), **options)
    return analysis.rule_results.findings["rule"].tolist()


FSBP = {"standard": Benchmark.FSBP}
CIS_1_2 = {"standard": Benchmark.CIS_1_2}
CHOSEN: tuple[tuple[dict[str, Any], list[str]], ...] = (
    ({}, [MFA, KEY]),
    ({"rules": [MFA]}, [MFA]),
    ({"rules": ["default"], "skip": [KEY]}, [MFA]),
    ({"rules": ["*-access-key"], "skip": ["root-*"]}, [KEY]),
    ({"min_severity": Severity.HIGH}, [MFA]),
    ({"idle_days": 50}, [MFA, KEY]),
    ({"idle_days": 51}, [MFA]),
    ({"rotation_days": 79}, [MFA, KEY, "unrotated-access-key"]),
    (CIS_1_2, [MFA]),
    ({**CIS_1_2, "idle_days": 50}, [MFA, KEY]),
)


@pytest.mark.no_cover
@pytest.mark.parametrize(("options", "rules"), CHOSEN)
def test_rules_and_limits_are_those_that_were_asked_for(
    options: dict[str, Any], rules: list[str]
) -> None:
    assert finding_rules([NO_MFA, IDLE], **options) == rules


def test_all_rules_run_if_all_are_asked_for_and_those_of_a_pattern() -> None:
    every = finding_rules([NO_MFA, IDLE], rules=["all"])
    assert every.count("user-without-mfa") == 2  # off by default
    assert {MFA, KEY} <= {*every}
    request = read_judging(JudgingOptions(rules=["root-*"], skip=["root-u*"]), None)
    assert request.book
    kept = {"root-access-key", "root-without-mfa", "root-certificate", "root-password"}
    assert {rule.id for rule in request.book.rules} == kept


@pytest.mark.no_cover
def test_the_limits_for_root_and_expiry_are_those_that_were_set() -> None:
    root = the_root(password_last_used=days_before(9))
    assert finding_rules([SAFE], root, root_used_days=10) == ["root-used"]
    assert finding_rules([SAFE], root, root_used_days=9) == []
    user, expiry = SAFE | {"password_next_rotation": days_before(-20)}, ["password-expires-soon"]
    assert finding_rules([user], rules=expiry) == []
    assert finding_rules([user], rules=expiry, expiry_days=20) == expiry


FAIL_ON: tuple[tuple[Row, list[str], dict[str, Any], list[str]], ...] = (
    (NO_MFA, ["medium"], {}, [f"{MFA}: 1 fail"]),
    (IDLE, ["high"], {}, []),
    (IDLE, ["unused", KEY], {}, [f"{KEY}: 1 fail"]),
    (SAFE, ["medium"], {"rules": [MFA]}, []),
    (SAFE, ["unused"], {"rules": [MFA], "skip": [MFA]}, []),
    (ODD, [MFA], {}, [f"{MFA}: 1 undecided"]),
    (ODD, ["unused"], {}, []),
    (NO_MFA, ["control"], FSBP, ["FSBP IAM.5: fail"]),
    (ODD, ["control"], {"standard": Benchmark.CIS_4_0_1}, ["CIS 4.0.1 1.10: undecided"]),
    (NO_MFA, ["control"], {**FSBP, "skip": [MFA]}, []),
)


@pytest.mark.parametrize("case", FAIL_ON, ids=lambda case: f"{case[0]['user']} {case[1:]}"[:60])
def test_a_run_fails_by_a_rule_or_by_all_that_are_so_severe(
    case: tuple[Row, list[str], dict[str, Any], list[str]],
) -> None:
    user, fail_on, options, failures = case
    assert judged(report_text([user]), fail_on, **options)[1] == failures


def test_that_a_root_was_not_seen_is_what_a_run_fails_by() -> None:
    header, _, user = report_text([SAFE]).split("\n")
    (failure,) = judged(f"{header}\n{user}", ["root-used"])[1]
    assert failure == "root-used: The report has no root row of account 012345678901"


@pytest.mark.no_cover
def test_an_exemption_from_a_rule_keeps_a_run_from_failing_by_it() -> None:
    header = "account,user,reason,owner,expires,rule"
    for rule, fails in ((MFA, False), (KEY, True), ("", False)):
        entries = InputFile("e.csv", f"{header}\n*,ann,By design,,,{rule}".encode())
        _, failures = judged(report_text([NO_MFA]), [MFA], exemptions=entries)
        assert bool(failures) is fails


@pytest.mark.no_cover
def test_it_is_said_what_a_run_fails_by(tmp_path: Path) -> None:
    report = saved(tmp_path, report_text([NO_MFA, ODD, a_user("idle")]))
    done = run("analyze", report, AT, "-f", "csv", "--fail-on", "unused", "--fail-on", MFA)
    *_, last = done.messages.splitlines()
    assert (done.code, last) == (1, f"Meets --fail-on: 1 unused; {MFA}: 1 fail, 1 undecided")


# Inputs and outputs that are none


def test_a_list_of_exemptions_may_be_a_pipe_and_is_empty_if_nobody_writes_to_it(
    tmp_path: Path,
) -> None:
    report = saved(tmp_path, report_text([NO_MFA]))
    reader, writer = os.pipe()
    os.write(writer, b"account,user,reason,owner,expires\n*,ann,By design,,")
    os.close(writer)
    words = ("analyze", report, AT, "-q", "--fail-on", MFA, "--exemptions")
    assert run(*words, f"/dev/fd/{reader}").code == 0
    os.close(reader)
    os.mkfifo(tmp_path / "list.csv")
    done = run(*words, tmp_path / "list.csv")
    assert (done.code, "row 1: missing: account, user" in done.messages) == (3, True)


def test_findings_go_to_standard_output_by_a_dash_or_as_a_format() -> None:
    by_dash = run("analyze", CONSOLE, "--findings", "-", "-q")
    assert by_dash == run("analyze", CONSOLE, "--format", "findings", "-q")
    assert by_dash.rows[0]["rule"]
    done = run("analyze", CONSOLE, "--findings", "-", "--format", "csv")
    assert (done.code, "use one of the two" in done.message_line) == (2, True)


def test_what_was_saved_beside_a_report_is_no_output(tmp_path: Path) -> None:
    report, name = saved(tmp_path, report_text([NO_MFA])), "report.csv.service-credentials.json"
    beside = saved(tmp_path, '{"ServiceSpecificCredentials": []}', name)
    done = run("analyze", report, "-o", beside)
    assert done.code == 2
    assert "has the name of a file that is saved with reports" in done.message_line
    assert beside.read_text() == '{"ServiceSpecificCredentials": []}'
