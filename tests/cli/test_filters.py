"""Filters hold in every output but the workbook, whose lists are always full."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import load_workbook

import analyzer
from analyzer.cli.inputs import filtered, read_judging
from analyzer.cli.options import HOME_REGION_NOTE, FilterOptions, JudgingOptions, moment
from tests.cli.conftest import Program, unwrapped
from tests.support.builders import (
    a_password,
    a_user,
    days_before,
    report_text,
    saved,
    table,
    the_root,
)
from tests.support.feeds import asff_file
from tests.support.outputs import (
    CONSOLE,
    EXEMPTIONS,
    SAMPLES,
    UNUSED,
    analyzed_console,
    name_lines,
)

ORGANIZATION = SAMPLES / "organization"
ON_CONSOLE = ("analyze", CONSOLE, "--exemptions", EXEMPTIONS)


@pytest.mark.no_cover
def test_a_filter_holds_in_every_output_but_the_workbook(program: Program, tmp_path: Path) -> None:
    files = [
        tmp_path / name for name in ("a.csv", "a.json", "a.ocsf.json", "a.asff.json", "a.xlsx")
    ]
    findings = tmp_path / "findings.csv"
    outputs = (*(part for file in files for part in ("-o", file)), "--findings", findings)
    account = "111122223333"
    for each in (account, "222233334444"):
        users = [a_user("ann", account=each)]
        saved(tmp_path, report_text(users, root=the_root(each)), f"{each}.csv")
    reports = tmp_path / "[12]*.csv"
    done = program("analyze", reports, "--account", account, *outputs, "--format", "table")
    assert done.code == 0
    for text in (files[0].read_text(), files[2].read_text(), asff_file(files[3])):
        assert account in text
        assert "222233334444" not in text
    assert {user["account"] for user in json.loads(files[1].read_text())["users"]} == {account}
    for rows in (table(files[0].read_bytes()), table(findings.read_bytes())):
        assert {row["account"] for row in rows} == {account}
    lines = done.output.decode().splitlines()[1:]
    assert {line.split("\t")[1] for line in lines} == {account}
    cells = [cell for sheet in load_workbook(files[4]) for row in sheet.values for cell in row]
    assert {account, "222233334444"} <= set(map(str, cells))
    assert HOME_REGION_NOTE in " ".join(done.messages.split())
    said = f"Wrote {files[4]}, with all users: a workbook is not filtered"
    assert [line for line in done.messages.splitlines() if "not filtered" in line] == [said]


@pytest.mark.no_cover
def test_what_is_filtered_out_is_always_counted(program: Program) -> None:
    for form in ("table", "names"):
        done = program(*ON_CONSOLE, "--format", form, "--user", "b*", "--min-age", "100")
        headline = "3 of 3 selected IAM users are unused (2 to check, 1 exempt), "
        assert done.messages.startswith(headline)
        filtered = "Filter: user b*, created 100 days or more before as-of"
        assert f"\n{filtered}; left out: 44 of 47 IAM users.\n" in done.messages


@pytest.mark.no_cover
def test_a_run_fails_by_what_the_filter_keeps(program: Program, tmp_path: Path) -> None:
    users = [
        a_user("ann", created=days_before(50)),
        a_user("bob", password=a_password(days_before(1)), mfa=True, created=days_before(60)),
    ]
    report = saved(tmp_path, report_text(users))
    at = "2026-05-01T12:00:00Z"
    request = read_judging(JudgingOptions(), None, ["unused"])
    analysis = request.analysis(analyzer.load(report, as_of=moment(at)))
    for options, fails in (
        ({}, True),
        ({"user": ["ann"]}, True),
        ({"user": ["bob"]}, False),
        ({"certain": True}, True),
        ({"min_age": 51}, False),
        ({"min_age": 50}, True),
        ({"account": ["012345678901"]}, True),
    ):
        (part,) = filtered([analysis], FilterOptions(**options))
        assert bool(request.failures(part)) is fails, options
    asked = ("analyze", report, f"--as-of={at}", "-q", "--fail-on", "unused")
    assert program(*asked, "--user", "bob", "--min-age", "50", "--certain").code == 0


@pytest.mark.no_cover
def test_an_account_is_named_as_the_manifest_names_it(program: Program, tmp_path: Path) -> None:
    saved(tmp_path, report_text([a_user("ann")]))
    entry = {"account": "012345678901", "name": "Prod", "status": "fetched", "reason": ""}
    lost = {"account": "123456789012", "name": "Lost", "status": "failed", "reason": "Denied."}
    saved(tmp_path, json.dumps({"accounts": [entry, lost]}), "fetched.manifest.json")
    assert program("analyze", tmp_path, "--account", "prod", "-q") == (0, b"", "")
    assert program("analyze", tmp_path, "--account", "lost", "-q").code == 5


def test_where_the_account_is_masked_the_hint_says_how_to_set_it(
    program: Program, tmp_path: Path
) -> None:
    masked = report_text([a_user("ann")]).replace("012345678901", "012345XXXXXX")
    done = program("analyze", saved(tmp_path, masked), "--account", "012345678901")
    assert done.code == 2
    assert "set the account of a masked report with --masked-account" in unwrapped(done.messages)


def names(program: Program, *options: str) -> tuple[list[str], str]:
    done = program(*ON_CONSOLE, "--format", "names", *options)
    lines = done.output.decode().splitlines()
    return lines, done.messages.splitlines()[-2]


@pytest.mark.no_cover
def test_names_are_those_to_act_on_and_say_what_they_leave_out(program: Program) -> None:
    listed = name_lines(analyzed_console(), UNUSED)
    assert len(listed) == 26 - 13 - 5
    checked, last = names(program, "--include-check")
    assert set(listed) < set(checked)
    assert last == "Left out of the names: 1 with an active service-specific credential, 5 exempt."
    assert "Left out" not in names(program, "--verdict", "dormant")[1]


def test_no_page_is_read_to_find_out_whether_a_filter_names_a_user() -> None:
    analysis = analyzer.analyze(analyzer.load(ORGANIZATION))
    analysis = replace(analysis, pages=lambda: pytest.fail("a page was read"))
    assert filtered([analysis], FilterOptions()) == [analysis]
    (part,) = filtered([analysis], FilterOptions(account=["111122223333"], certain=True))
    assert part.filter
