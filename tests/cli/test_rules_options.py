"""Rules are chosen, limited and failed on by options."""

import json
import os
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import analyzer
from analyzer.cli.inputs import read_judging
from analyzer.cli.options import InputFile, JudgingOptions
from analyzer.judging.analysis import Analysis
from analyzer.report.model import Report
from analyzer.terms import Benchmark, Severity
from tests.cli.conftest import Program, unwrapped
from tests.support.builders import (
    AS_OF,
    Row,
    a_key,
    a_password,
    a_user,
    days_before,
    report_text,
    saved,
    the_root,
)
from tests.support.feeds import asff_file
from tests.support.outputs import CONSOLE

AT = "--as-of=2026-05-01T12:00:00Z"
NO_MFA = a_user("ann", password=a_password(days_before(1)))
IDLE = a_user("bob", key_1=a_key(days_before(80), days_before(50)))
SAFE = a_user("eve", password=a_password(days_before(1)), mfa=True)
ODD = a_user("odd", password=a_password(days_before(1))) | {"mfa_active": "?"}
MFA, KEY = "console-user-without-mfa", "idle-access-key"


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


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("options", "rules"),
    [
        ({}, [MFA, KEY]),
        ({"rules": [MFA]}, [MFA]),
        ({"rules": ["default"], "skip": [KEY]}, [MFA]),
        ({"skip": [MFA, KEY]}, []),
        ({"min_severity": Severity.HIGH}, [MFA]),
        ({"min_severity": Severity.CRITICAL}, []),
        ({"idle_days": 50}, [MFA, KEY]),
        ({"idle_days": 51}, [MFA]),
        ({"rotation_days": 79}, [MFA, KEY, "unrotated-access-key"]),
        ({"rotation_days": 80}, [MFA, KEY]),
        ({"standard": Benchmark.CIS_7_0}, [MFA, KEY]),
        ({"standard": Benchmark.CIS_1_2}, [MFA]),
        ({"standard": Benchmark.CIS_1_2, "idle_days": 50}, [MFA, KEY]),
    ],
)
def test_rules_and_limits_are_those_that_were_asked_for(
    options: dict[str, Any], rules: list[str]
) -> None:
    assert finding_rules([NO_MFA, IDLE], **options) == rules


def test_all_rules_run_if_all_are_asked_for() -> None:
    every = finding_rules([NO_MFA, IDLE], rules=["all"])
    assert every.count("user-without-mfa") == 2  # off by default
    assert {MFA, KEY} <= set(every)


@pytest.mark.no_cover
def test_the_limits_for_root_and_expiry_are_those_that_were_set() -> None:
    root = the_root(password_last_used=days_before(9))
    assert finding_rules([SAFE], root, root_used_days=10) == ["root-used"]
    assert finding_rules([SAFE], root, root_used_days=9) == []
    user, expiry = SAFE | {"password_next_rotation": days_before(-20)}, ["password-expires-soon"]
    assert finding_rules([user], rules=expiry) == []
    assert finding_rules([user], rules=expiry, expiry_days=20) == expiry


FSBP = {"standard": Benchmark.FSBP}


@pytest.mark.parametrize(
    ("users", "fail_on", "options", "failures"),
    [
        ([NO_MFA], [MFA], {}, [f"{MFA}: 1 fail"]),
        ([NO_MFA], ["high"], {}, [f"{MFA}: 1 fail"]),
        ([NO_MFA], ["medium"], {}, [f"{MFA}: 1 fail"]),
        ([NO_MFA], ["critical"], {}, []),
        ([NO_MFA], [KEY], {}, []),
        ([IDLE], ["high"], {}, []),
        ([IDLE], ["medium"], {}, [f"{KEY}: 1 fail"]),
        ([IDLE], ["unused", KEY], {}, [f"{KEY}: 1 fail"]),
        ([SAFE], ["low"], {}, []),
        ([SAFE], ["high"], {"rules": [MFA]}, []),
        ([SAFE], ["medium"], {"rules": [MFA]}, []),
        ([SAFE], ["unused"], {"rules": [MFA], "skip": [MFA]}, []),
        ([ODD], [MFA], {}, [f"{MFA}: 1 undecided"]),
        ([ODD], [KEY], {}, []),
        ([ODD], ["unused"], {}, []),
        ([SAFE], ["control"], FSBP, []),
        ([NO_MFA], ["control"], FSBP, ["FSBP IAM.5: fail"]),
        ([ODD], ["control"], {"standard": Benchmark.CIS_4_0_1}, ["CIS 4.0.1 1.10: undecided"]),
        ([NO_MFA], ["control"], {**FSBP, "skip": [MFA]}, []),
    ],
)
def test_a_run_fails_by_a_rule_or_by_all_that_are_so_severe(
    users: list[Row], fail_on: list[str], options: dict[str, Any], failures: list[str]
) -> None:
    assert judged(report_text(users), fail_on, **options)[1] == failures


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
def test_it_is_said_what_a_run_fails_by(program: Program, tmp_path: Path) -> None:
    report = saved(tmp_path, report_text([NO_MFA, ODD, a_user("idle")]))
    asked = ("analyze", report, AT, "--format", "csv", "--fail-on", "unused", "--fail-on", MFA)
    for more in ([], ["-q"]):
        done = program(*asked, *more)
        *said, last = done.messages.splitlines()
        assert (done.code, last) == (1, f"Meets --fail-on: 1 unused; {MFA}: 1 fail, 1 undecided")
        assert bool(said) is not bool(more)


@pytest.mark.no_cover
def test_a_list_of_exemptions_may_be_a_pipe(program: Program, tmp_path: Path) -> None:
    report = saved(tmp_path, report_text([NO_MFA]))
    reader, writer = os.pipe()
    os.write(writer, b"account,user,reason,owner,expires\n*,ann,By design,,")
    os.close(writer)
    listed = ("--exemptions", f"/dev/fd/{reader}")
    assert program("analyze", report, AT, "-q", "--fail-on", MFA, *listed).code == 0
    os.close(reader)


def test_a_pipe_that_nobody_writes_to_is_an_empty_list(program: Program, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "exemptions.csv")
    done = program("analyze", CONSOLE, "--exemptions", tmp_path / "exemptions.csv")
    assert done.code == 3
    assert "row 1: missing: account, user" in done.messages


def test_what_was_saved_beside_a_report_is_no_output(program: Program, tmp_path: Path) -> None:
    report = saved(tmp_path, report_text([NO_MFA]))
    beside = tmp_path / "report.csv.service-credentials.json"
    beside.write_text('{"ServiceSpecificCredentials": []}')
    done = program("analyze", report, "-o", beside)
    assert done.code == 2
    assert "has the name of a file that is saved with reports" in unwrapped(done.messages)
    assert beside.read_text() == '{"ServiceSpecificCredentials": []}'


@pytest.mark.no_cover
def test_the_feeds_are_written_and_security_hubs_region_is_the_one_asked_for(
    program: Program, tmp_path: Path
) -> None:
    asff, ocsf = tmp_path / "f.asff.json", tmp_path / "f.ocsf.json"
    options = ["-o", asff, "-o", ocsf, "--hub-region", "eu-west-1", "-q"]
    report = saved(tmp_path, report_text([NO_MFA, IDLE]))
    assert program("analyze", report, *options).code == 0
    first, *_ = (json.loads(line) for line in asff_file(asff).splitlines())
    assert first["ProductArn"].startswith("arn:aws:securityhub:eu-west-1:012345678901:")
    assert len(ocsf.read_text().splitlines()) == len(asff_file(asff).splitlines()) > 1
