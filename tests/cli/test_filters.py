"""Users and rules are chosen by options, and a run fails by what is kept of them.

A filter holds in every output; a workbook counts and shows all users beside those asked for.
"""

import json
import os
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from analyzer.analysis.rulebook import rulebook
from analyzer.cli.inputs import read_analysis_request
from analyzer.cli.options import JudgingOptions
from analyzer.cli.values import InputFile
from analyzer.report.report import Report
from analyzer.rules import RULES
from analyzer.terms import Benchmark
from tests.support.builders import (
    AS_OF,
    LONG_AGO,
    QUIET_PASSWORD,
    Row,
    a_key,
    a_user,
    days_before,
    no_password,
    report_text,
    run,
    saved,
    table,
    the_root,
)
from tests.support.decisions import console_name
from tests.support.named_reports import load_named
from tests.support.outputs import CONSOLE, EXEMPTIONS
from tests.support.review import fill_in
from tests.support.workbooks import SHEETS, head_row, heads_of

AT = "--as-of=2026-05-01T12:00:00Z"
ON_CONSOLE = ("analyze", CONSOLE, "--exemptions", EXEMPTIONS)
NO_MFA = a_user("ann", password=QUIET_PASSWORD)
IDLE = a_user("bob", key_1=a_key(days_before(80), days_before(50)))
SAFE = a_user("eve", password=QUIET_PASSWORD, mfa=True)
ODD = a_user("odd", password=QUIET_PASSWORD) | {"mfa_active": "?"}
MFA, KEY = "console-user-without-mfa", "idle-access-key"

# Users


@pytest.mark.no_cover
def test_a_filter_holds_in_every_output_and_a_workbook_has_all_users_too(
    tmp_path: Path,
) -> None:
    first, second = "111122223333", "222233334444"
    for each in (first, second):
        text = report_text([a_user("ann", account=each)], root=the_root(each))
        saved(tmp_path, text, f"{each}.csv")
    endings = ("csv", "json", "ocsf.json", "xlsx")
    csv, data, ocsf, book = (tmp_path / f"a.{ending}" for ending in endings)
    findings = tmp_path / "findings.csv"
    outputs = (word for file in (csv, data, ocsf, book) for word in ("-o", file))
    words = ("--account", first, *outputs, "-o", findings)
    done = run("analyze", *sorted(tmp_path.glob("[12]*.csv")), *words, "--format", "table")
    assert done.code == 0
    for text in (csv.read_text(), ocsf.read_text()):
        assert (first in text, second in text) == (True, False)
    users = json.loads(data.read_bytes())["users"]
    for rows in (users, table(csv.read_bytes()), table(findings.read_bytes())):
        assert {row["account"] for row in rows} == {first}
    assert {line.split("\t")[1] for line in done.lines[1:]} == {first}
    cells = {str(cell) for sheet in load_workbook(book) for row in sheet.values for cell in row}
    assert {first, second} <= cells
    said = "with all users, of whom those asked for are listed to decide on (2 rows, 0.1 MB)"
    assert f"Wrote {book}, {said}" in done.messages.splitlines()


ASKED: tuple[tuple[list[str], list[str], str, int], ...] = (
    (["--user", "svc-*"], ["svc-new", "svc-old"], "user svc-*", 2),
    (["--min-age", "500"], ["ann", "svc-old"], "created 500 days or more before as-of", 2),
    (["--verdict", "unused"], ["ann", "svc-old"], "verdict unused", 2),
    (["--verdict", "active,dormant", "--user", "s*"], ["svc-new"], "verdict dormant, user s*", 3),
)


@pytest.mark.parametrize(("words", "listed", "asked", "left_out"), ASKED)
def test_the_lists_of_a_workbook_have_those_asked_for_and_page_one_says_how_many_it_leaves_out(
    words: list[str], listed: list[str], asked: str, left_out: int, tmp_path: Path
) -> None:
    users = (
        a_user("ann", created=days_before(900)),
        a_user("svc-old", created=days_before(500)),
        a_user("svc-new", key_1=a_key(days_before(300)), created=days_before(300)),
        a_user("tom", key_1=a_key(days_before(310)), created=days_before(310)),
        a_user("used", password=QUIET_PASSWORD, mfa=True),
    )
    report = saved(tmp_path, report_text(users))
    whole, part = tmp_path / "whole.xlsx", tmp_path / "part.xlsx"
    assert run("analyze", report, AT, "-q", "-o", whole).code == 0
    assert run("analyze", report, AT, "-q", "-o", part, *words).code == 0
    assert listed_in(whole) == ["ann", "svc-new", "svc-old", "tom"]
    assert listed_in(part) == listed
    cells = [cell for row in load_workbook(part)["Summary"].values for cell in row]
    left = f"Left out of the lists to decide in: {left_out} of 4 users."
    assert f"Asked for: {asked}. {left}" in cells
    every = [[row[1] for row in load_workbook(book)["All users"].values] for book in (whole, part)]
    assert every[0] == every[1]
    assert run("verify", part, "--report", report).code == 0


def test_a_filter_leaves_the_decisions_that_both_workbooks_list_as_they_are(tmp_path: Path) -> None:
    users = [a_user(name, created=days_before(700)) for name in ("ann", "bob", "svc-a")]
    report = saved(tmp_path, report_text(users), console_name(AS_OF))
    for name, words in (("whole", ()), ("part", ("--user", "svc-*"))):
        book = tmp_path / f"{name}.xlsx"
        assert run("analyze", report, "-q", "-o", book, *words).code == 0
        fill_in(book, {"svc-a": "delete"}, on=AS_OF.date())
        ledger = tmp_path / f"{name}.csv"
        assert run("collect", book, "--report", report, "-o", ledger).code == 0
        (row,) = table(ledger.read_bytes())
        assert (row["user"], row["decision"]) == ("svc-a", "delete")


def test_active_users_are_refused_where_a_workbook_alone_would_list_them(tmp_path: Path) -> None:
    book = tmp_path / "a.xlsx"
    refused = run("analyze", CONSOLE, "-o", book, "--verdict", "active")
    says = f"for --verdict: {book} shows no active users to decide on: use -f csv"
    assert (refused.code, says in refused.messages, book.exists()) == (2, True, False)
    others = ("-o", tmp_path / "a.csv")
    assert run("analyze", CONSOLE, "-q", "-o", book, *others, "--verdict", "active").code == 0


def listed_in(book: Path) -> list[str]:
    """Return the users in the lists to decide in, by name."""
    lists = [sheet for sheet in load_workbook(book) if sheet.title in SHEETS]
    users = [
        str(row[heads_of(sheet).index("User")])
        for sheet in lists
        for row in sheet.iter_rows(min_row=head_row(sheet) + 1, values_only=True)
    ]
    return sorted(users)


@pytest.mark.no_cover
def test_what_is_filtered_out_is_always_counted() -> None:
    for form in ("table", "names"):
        done = run(*ON_CONSOLE, "--format", form, "--user", "b*", "--min-age", "100")
        headline = "3 of 3 selected IAM users are unused (2 to check, 1 exempt): 1 can still "
        assert done.messages.startswith(headline)
        counted = "Filter: user b*, created 100 days or more before as-of"
        assert f"\n{counted}; left out: 44 of 47 IAM users.\n" in done.messages


# Rules


@cache
def loaded(report: str) -> Report:
    return load_named(("report.csv", report.encode()), as_of=AS_OF)


LIMITS = {"idle_days": 50, "limit": ["rotation=79", "root-used=9", "expiry=20"]}
DAYS = {"idle_days": 50, "rotation_days": 79, "root_used_days": 9, "expiry_days": 20}
KEYS = [rule.id for rule in RULES if rule.id.endswith("-access-key") and rule.default]
CHOSEN: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    ({"rules": ["all"]}, {"rules": ["all"]}),
    ({"rules": ["*-access-key"]}, {"rules": KEYS}),
    ({"standard": Benchmark.CIS_1_2}, {"benchmark": "cis-1.2"}),
    (LIMITS, {"limits": DAYS}),
)


def test_options_choose_the_rules_that_run_and_their_limits() -> None:
    # The default is slow to import.
    assert read_analysis_request(JudgingOptions()).book is None
    for options, asked in CHOSEN:
        request = read_analysis_request(JudgingOptions(**options))
        assert request.book == rulebook(**asked), options


def exempt_from(rule: str, user: str = "ann", expires: str = "") -> InputFile:
    header = "account,user,reason,owner,expires,rule"
    return InputFile("e.csv", f"{header}\n*,{user},By design,,{expires},{rule}".encode())


USERS: dict[str, Row] = {
    "unused": a_user("unused"),
    "retired": a_user("retired", password=no_password(LONG_AGO)),
    "dormant": a_user("dormant", key_1=a_key()),
    "active": SAFE,
    "undetermined": a_user("undetermined") | {"password_enabled": "wahr"},
}
FAIL_ON_VERDICTS: tuple[tuple[str, str, tuple[str, ...], list[str]], ...] = (
    ("unused", "", (), []),
    ("undetermined", "", (), []),
    ("unused", "unused", (), ["1 unused"]),
    ("unused", "retired", (), []),
    ("retired", "unused", (), []),
    ("retired", "unused retired", (), ["1 retired"]),
    ("dormant active", "unused retired", (), []),
    ("dormant active", "dormant", (), ["1 dormant"]),
    ("active", "active", (), ["1 active"]),
    ("", "unused retired dormant active undetermined", (), []),
    ("active undetermined", "unused", (), ["1 undetermined"]),
    ("active undetermined", "undetermined", (), ["1 undetermined"]),
    ("unused", "unused", ("unused",), []),
    ("unused retired", "unused retired", ("unused",), ["1 retired"]),
    ("unused", "unused", ("unused", "2026-05-01"), []),
    ("unused", "unused", ("unused", "2026-04-30"), ["1 unused"]),
    ("unused", "unused", ("nobody",), ["1 unused"]),
    ("undetermined", "unused", ("undetermined",), []),
)
"""Who is in a report, what a run is to fail on, who is exempt, and what it fails by."""

FSBP = {"standard": Benchmark.FSBP}
FAIL_ON: tuple[tuple[Row, list[str], dict[str, Any], list[str]], ...] = (
    (NO_MFA, ["medium"], {}, [f"{MFA}: 1 fail"]),
    (NO_MFA, [MFA], {"exemptions": exempt_from(MFA)}, []),
    (NO_MFA, [MFA], {"exemptions": exempt_from(KEY)}, [f"{MFA}: 1 fail"]),
    (NO_MFA, [MFA], {"exemptions": exempt_from("")}, []),
    (IDLE, ["high"], {}, []),
    (IDLE, ["unused", KEY], {"idle_days": 45}, [f"{KEY}: 1 fail"]),
    (SAFE, ["medium"], {"rules": [MFA]}, []),
    (SAFE, ["unused"], {"rules": [MFA]}, []),
    (ODD, [MFA], {}, [f"{MFA}: 1 undecided"]),
    (ODD, ["unused"], {}, []),
    (NO_MFA, ["control"], FSBP, ["FSBP IAM.5: fail"]),
    (ODD, ["control"], {"standard": Benchmark.CIS_4_0_1}, ["CIS 4.0.1 1.10: undecided"]),
    (NO_MFA, ["control"], FSBP | {"rules": [KEY]}, []),
)


def failures(report: str, fail_on: Collection[str], **options: Any) -> list[str]:
    """Return what a run fails by on a report that is judged as the options ask for."""
    request = read_analysis_request(JudgingOptions(**options), fail_on)
    return request.failures(request.analysis(loaded(report)))


def test_a_run_fails_by_whom_it_was_asked_to_and_by_the_undetermined_unless_exempt() -> None:
    for names, fail_on, exempt, met in FAIL_ON_VERDICTS:
        report = report_text(USERS[name] for name in names.split())
        options = {"exemptions": exempt_from("", *exempt)} if exempt else {}
        assert failures(report, fail_on.split(), **options) == met, (names, fail_on, exempt)


def test_a_run_fails_by_a_rule_that_is_not_exempt_or_by_all_that_are_so_severe() -> None:
    for user, fail_on, options, met in FAIL_ON:
        assert failures(report_text([user]), fail_on, **options) == met, (fail_on, options)
    header, _, safe = report_text([SAFE]).split("\n")
    unseen = "root-used: The report has no root row of account 012345678901"
    assert failures(f"{header}\n{safe}", ["root-used"]) == [unseen]


# Inputs and outputs that are none


def test_a_list_is_a_file_and_no_pipe_is_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "list.csv")
    for pipe in (tmp_path / "list.csv", "/dev/zero"):
        done = run("analyze", CONSOLE, "--exemptions", pipe)
        assert done.code == 2
        assert f"{pipe} is a pipe or a device: save it as a file" in done.message_line
    with (tmp_path / "large.csv").open("wb") as large:
        large.truncate((64 << 20) + 1)
    done = run("analyze", CONSOLE, "--exemptions", tmp_path / "large.csv")
    assert (done.code, "holds more than 64 MiB" in done.message_line) == (2, True)


def test_what_was_saved_beside_a_report_is_no_output(tmp_path: Path) -> None:
    report, name = saved(tmp_path, report_text([NO_MFA])), "report.csv.service-credentials.json"
    beside = saved(tmp_path, '{"ServiceSpecificCredentials": []}', name)
    done = run("analyze", report, "-o", beside)
    assert done.code == 2
    assert "has the name of a file that is saved with reports" in done.message_line
    assert beside.read_text() == '{"ServiceSpecificCredentials": []}'
