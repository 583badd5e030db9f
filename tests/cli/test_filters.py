"""Filters hold in every output but the workbook, whose lists are always full."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import load_workbook

import analyzer
from analyzer.cli.inputs import filtered
from analyzer.cli.options import HOME_REGION_NOTE, FilterOptions
from tests.cli.conftest import Program
from tests.support.builders import a_password, a_user, days_before, report_text, saved, table
from tests.support.feeds import asff_file
from tests.support.outputs import CONSOLE, EXEMPTIONS, SAMPLES

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
    done = program("analyze", ORGANIZATION, "--account", account, *outputs, "--format", "table")
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


def test_what_is_filtered_out_is_always_counted(program: Program) -> None:
    for form in ("table", "csv", "names"):
        done = program(*ON_CONSOLE, "--format", form, "--user", "b*", "--min-age", "100")
        headline = "3 of 3 selected IAM users are unused (2 to check, 1 exempt), "
        assert done.messages.startswith(headline)
        filtered = "Filter: user b*, created 100 days or more before as-of"
        assert f"\n{filtered}; left out: 44 of 47 IAM users.\n" in done.messages


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 1),
        (["--user", "ann"], 1),
        (["--user", "bob"], 0),
        (["--certain"], 1),
        (["--min-age", "51"], 0),
        (["--min-age", "50"], 1),
        (["--account", "012345678901"], 1),
    ],
)
def test_a_run_fails_by_what_the_filter_keeps(
    program: Program, tmp_path: Path, options: list[str], code: int
) -> None:
    users = [
        a_user("ann", created=days_before(50)),
        a_user("bob", password=a_password(days_before(1)), mfa=True, created=days_before(60)),
    ]
    report = saved(tmp_path, report_text(users))
    asked = ("analyze", report, "--as-of=2026-05-01T12:00:00Z", "-q", "--fail-on", "unused")
    assert program(*asked, *options).code == code


def test_an_account_is_named_as_the_manifest_names_it(program: Program, tmp_path: Path) -> None:
    saved(tmp_path, report_text([a_user("ann")]))
    entry = {"account": "012345678901", "name": "Prod", "status": "fetched", "reason": ""}
    lost = {"account": "123456789012", "name": "Lost", "status": "failed", "reason": "Denied."}
    saved(tmp_path, json.dumps({"accounts": [entry, lost]}), "fetched.manifest.json")
    assert program("analyze", tmp_path, "--account", "prod", "-q") == (0, b"", "")
    assert program("analyze", tmp_path, "-q").code == 5
    assert program("analyze", tmp_path, "--account", "lost", "-q").code == 5


def test_where_the_account_is_masked_the_hint_says_how_to_set_it(
    program: Program, tmp_path: Path
) -> None:
    masked = report_text([a_user("ann")]).replace("012345678901", "012345XXXXXX")
    done = program("analyze", saved(tmp_path, masked), "--account", "012345678901")
    assert done.code == 2
    says = " ".join(done.messages.replace("│", " ").split())
    assert "set the account of a masked report with --masked-account" in says


def names(program: Program, *options: str) -> tuple[list[str], str]:
    done = program(*ON_CONSOLE, "--format", "names", *options)
    lines = done.output.decode().splitlines()
    return lines, done.messages.splitlines()[-2]


def test_names_are_those_to_act_on_and_say_what_they_leave_out(program: Program) -> None:
    listed, last = names(program)
    assert len(listed) == 26 - 13 - 5
    assert last == (
        "Left out of the names: 12 to check (--include-check lists them),"
        " 1 with an active service-specific credential, 5 exempt."
    )
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
