"""The workbook lists each finding with its remedy, and each control with its result."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.rules import RULES
from analyzer.rules.rule import Outcome
from analyzer.standards.rulebook import Result, rulebook
from analyzer.terms import Severity
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    QUIET_PASSWORD,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    report_text,
)
from tests.support.feeds import root_with
from tests.support.outputs import (
    CONSOLE,
    analysis_of,
    analyzed_console,
    analyzed_sample,
    exemptions_of,
)
from tests.support.workbooks import (
    book_of,
    file_of,
    needs_libreoffice,
    opened,
    records,
    results_of,
    row_of,
    seen_by_libreoffice,
    texts,
    values,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

CIS = rulebook("cis-7.0")
EVERY_RULE = rulebook(rules=[rule.id for rule in RULES], limits={"rotation_days": 77})
USERS = (
    a_user("=1+1", key_2=a_key(days_before(100), days_before(50))),
    a_user("contractor-1", password=a_password(days_before(50)), key_1=a_key(days_before(99))),
    a_user("contractor-2", password=QUIET_PASSWORD),
    a_user("employee", password=QUIET_PASSWORD, mfa=True, key_1=a_key(days_before(99))),
    a_user("odd", password=QUIET_PASSWORD, mfa_active="?"),
    a_user("contractor-3", password=QUIET_PASSWORD, created="?"),
)


@cache
def cis() -> Analysis:
    return replace(analyzed_console(), book=CIS)


@cache
def cis_file() -> bytes:
    return file_of(cis())


@pytest.fixture(scope="module")
def cis_book() -> Workbook:
    return opened(cis_file())


@pytest.fixture(scope="module")
def few() -> Analysis:
    """Analyze contractors, who are exempt, employees, and a root with an inactive key."""
    root = root_with(an_inactive_key())
    report = analyzer.load(("report.csv", report_text(USERS, root=root).encode()), as_of=AS_OF)
    exempt = exemptions_of("*,contractor-*,Leave in May,,")
    return analyzer.analyze(report, exemptions=exempt, book=EVERY_RULE)


@pytest.fixture(scope="module")
def small(few: Analysis) -> Workbook:
    return results_of(few)


# Findings


def test_every_finding_is_listed_in_the_order_of_the_inspection(book: Workbook) -> None:
    found = analyzed_console().rule_results.findings
    listed = records(book["Findings"])
    for head, name in (
        *(("ARN", "arn"), ("Severity", "severity"), ("Rule id", "rule"), ("Fact", "fact")),
        *(("Outcome", "outcome"), ("Row", "row")),
    ):
        assert [row[head] for row in listed] == found[name].astype(object).tolist()
    exempt = [row for row in listed if row["User"] == "ci-bot-jenkins"]
    assert {row["Exempt because"] for row in exempt} == {"Replaced by roles this summer"}
    assert {row["Controls"] for row in listed if row["Rule id"] == "retired-user"} == {None}


def only(sheet: Worksheet, rule: str, user: str) -> dict[str, Any]:
    every = records(sheet)
    (row,) = (each for each in every if (each["Rule id"], each["User"]) == (rule, user))
    return row


def test_a_finding_has_its_rule_fact_controls_and_remedy(small: Workbook) -> None:
    created, used = days_before(100), days_before(50)
    days = f"created {created:%Y-%m-%d}, last used {used:%Y-%m-%d}, idle 50 days; limit 45"
    assert only(small["Findings"], "idle-access-key", "=1+1") == {
        "Account": ACCOUNT,
        "User": "=1+1",
        "ARN": f"arn:aws:iam::{ACCOUNT}:user/=1+1",
        "Severity": "medium",
        "Rule id": "idle-access-key",
        "Finding": "Active access key is idle",
        "Fact": f"access key 2, {days}",
        "Outcome": "fails",
        "Listed in": None,
        "Days": 50,
        "Slot": 2,
        "Created (UTC)": created.replace(tzinfo=None),
        "Counted from (UTC)": used.replace(tzinfo=None),
        "Exempt because": None,
        "Controls": (
            "CIS AWS Foundations Benchmark v7.0.0: 2.11\n"
            "AWS Foundational Security Best Practices v1.0.0: IAM.8"
        ),
        "Remedy": "Deactivate the key. Delete it when nothing has failed.",
        "Report": "report.csv",
        "Row": 3,
    }
    undated = only(small["Findings"], "console-user-without-mfa", "contractor-3")
    for head in ("Days", "Slot", "Created (UTC)", "Counted from (UTC)"):
        assert undated[head] is None
    first = records(small["Findings"])[0]
    assert (first["User"], first["Severity"]) == ("<root_account>", "critical")


def test_severities_and_outcomes_have_colours_of_their_own(small: Workbook) -> None:
    sheet = small["Findings"]
    head = [cell.value for cell in sheet[1]]
    for name, words in (("Severity", {*Severity}), ("Outcome", {*Outcome})):
        cells = [sheet.cell(row, head.index(name) + 1) for row in range(2, sheet.max_row + 1)]
        looks = {cell.value: (cell.fill.start_color.rgb, cell.font.b) for cell in cells}
        assert {*looks} <= words
        assert len({*looks.values()}) == len(looks) > 1


def test_where_nothing_is_found_the_rules_that_ran_and_what_they_lack_are_named() -> None:
    header, _, row = report_text([a_user(password=QUIET_PASSWORD, mfa=True)]).splitlines()
    report = analyzer.load(("report.csv", f"{header}\n{row}".encode()), as_of=AS_OF)
    book = book_of(analyzer.analyze(report))
    lines = [str(row[0]) for row in values(book["Findings"])[1:]]
    assert len(lines) > 2
    assert max(map(len, lines)) <= 120  # a screen
    shown = " ".join(lines)
    assert shown.startswith("No findings. Rules that ran: unused-user, ")
    assert "root-used, root-certificate: the input is incomplete. The report has no root" in shown
    assert ACCOUNT in shown
    assert not book["Findings"].tables
    assert "Root users" not in book.sheetnames
    lacking = row_of(book["Summary"], "Input incomplete")[1]
    assert lacking.startswith("root-access-key, root-without-mfa, root-used, root-certificate: the")


def test_without_any_rule_none_is_named() -> None:
    none = rulebook(rules=["root-used"], skip=["root-used"])
    book = book_of(replace(analysis_of([a_user()]), book=none))
    assert "Rules that ran: none." in texts(book["Findings"])
    assert "Limits: None." in texts(book["Controls"])


@needs_libreoffice
def test_libreoffice_shows_the_findings_as_they_are(tmp_path: Path) -> None:
    analysis = analyzed_sample(CONSOLE)
    seen = seen_by_libreoffice(tmp_path, file_of(analysis))["Findings"]
    found = analysis.rule_results.findings
    assert [row[1] for row in seen[1:]] == found["user"].tolist()
    assert [row[6] for row in seen[1:]] == found["fact"].tolist()


# Controls


def test_every_control_is_listed_with_its_result() -> None:
    sheet = opened(cis_file(), results=True)["Controls"]
    for each in cis().rule_results.controls:
        row = row_of(sheet, each.control.number)
        assert row[1:3] == (each.control.title, each.result)
        expected = (each.fails, each.exempt, each.undecided)
        assert row[3:6] == (expected if each.control.rules else (None, None, None))


def test_the_heading_names_the_standard_its_scope_source_and_limits(cis_book: Workbook) -> None:
    sheet = cis_book["Controls"]
    shown = texts(sheet).split("\n")
    assert shown[0] == "CIS AWS Foundations Benchmark v7.0.0"
    assert shown[1] == "CIS 7.0: 3 pass, 3 fail, 20 not decidable from a report."
    assert shown[2].startswith("Scope: section 2, Identity and Access Management. Numbers: github")
    assert shown[3].startswith("Limits: Passwords and access keys fail from 45 days without use;")
    (head,) = [at for at, row in enumerate(values(sheet), 1) if row[0] == "Control"]
    assert sheet.freeze_panes == f"A{head + 1}"
    assert sheet.print_title_rows == f"${head}:${head}"
    (row,) = [row for row in sheet.iter_rows() if row[0].value == "2.10"]
    assert row[0].data_type == "s"  # no number
    every = records(cis_book["Findings"])
    controls = {row["Controls"] for row in every if row["Rule id"] == "idle-password"}
    assert controls == {"CIS AWS Foundations Benchmark v7.0.0: 2.11"}  # and of no other standard


def test_a_control_says_how_its_rules_decide_with_the_limit_that_was_set_or_why_they_do_not(
    cis_book: Workbook, book: Workbook, small: Workbook
) -> None:
    shown = row_of(small["Controls"], "unrotated-access-key")[6]
    assert shown.startswith("Fails for each active key")
    assert "is more than 77 whole days before as-of" in shown
    assert "rotation_days" not in shown
    lines = row_of(cis_book["Controls"], "2.11")[6].split("\n")
    assert [line.split(":")[0] for line in lines] == ["idle-password", "idle-access-key"]
    row = row_of(cis_book["Controls"], "2.8")
    assert row[2:7] == (Result.NOT_DECIDABLE, None, None, None, None)
    assert "password policy is not in the report" in row[7]
    optional = row_of(book["Controls"], "user-without-mfa")
    assert optional[2:6] == (Result.NOT_RUN, None, None, None)
    assert optional[7] == "Optional rule, not run: user-without-mfa."
    odd = row_of(small["Controls"], "console-user-without-mfa")
    assert odd[2:6] == (Result.UNDECIDED, 0, 3, 1)
    assert odd[7] == "Some findings are undecided."


def test_without_a_standard_each_rule_is_a_control_of_its_own(book: Workbook) -> None:
    sheet = book["Controls"]
    listed = [row[0] for row in values(sheet) if row[0] in {rule.id for rule in RULES}]
    assert listed == [rule.id for rule in RULES]
    assert row_of(sheet, "unused-user")[6].startswith("Fails when the verdict is unused")
    cells = [row[2] for row in sheet.iter_rows(min_row=7)]
    looks = {cell.value: (cell.fill.start_color.rgb, cell.font.color.rgb) for cell in cells}
    assert {*looks} == {"fail", "pass", "not run"}
    assert len({*looks.values()}) == 3


# Counts of both


def test_the_severities_add_up_to_the_findings_that_are_listed(
    few: Analysis, small: Workbook
) -> None:
    sheet, found = small["Summary"], few.rule_results.findings
    is_exempt = (found["outcome"] == Outcome.FAILS) & (found["exemption"] != "")
    kind = found["outcome"].astype(str).where(~is_exempt, "exempt")
    kinds = (Outcome.FAILS, "exempt", Outcome.UNDECIDED, Outcome.NOTED)
    for severity in Severity:
        of_severity = kind[found["severity"] == severity]
        numbers = [int((of_severity == each).sum()) for each in kinds]
        assert row_of(sheet, severity)[1:6] == (len(of_severity), *numbers)
    total = row_of(sheet, "All findings")[1:6]
    assert total == (len(found), *(int((kind == each).sum()) for each in kinds))
    assert min(total) > 0


def test_each_severity_names_its_rules_and_has_a_colour_if_it_occurs(book: Workbook) -> None:
    sheet = book["Summary"]
    assert row_of(sheet, "high")[6] == "console-user-without-mfa 14"
    assert row_of(sheet, "medium")[6].startswith("unused-user 30, idle-password 16, ")
    assert row_of(sheet, "critical")[6] is None
    cells = {row[0].value: row[0] for row in sheet.iter_rows()}
    assert cells["high"].fill.fill_type == "solid"
    assert cells["critical"].fill.fill_type is None


def test_the_summary_names_the_rules_limits_and_results_of_a_standard(
    cis_book: Workbook, book: Workbook
) -> None:
    shown = row_of(cis_book["Summary"], "Rules")[1]
    assert shown.startswith("CIS AWS Foundations Benchmark v7.0.0 (section 2, Identity and Access")
    assert "7 rules ran. Passwords and access keys fail from 45 days" in shown
    expected = "CIS 7.0: 3 pass, 3 fail, 20 not decidable from a report."
    assert row_of(cis_book["Summary"], "Controls")[1] == expected
    assert [row for row in values(book["Summary"]) if row[0] == "Controls"] == []


def test_the_method_says_how_each_rule_decides_and_which_did_not_run(
    cis_book: Workbook, small: Workbook, book: Workbook
) -> None:
    sheet = cis_book["Method"]
    for rule in CIS.rules:
        shown = row_of(sheet, rule.id)[1]
        assert shown.startswith(f"{rule.severity.capitalize()}. {rule.title}. Fails ")
    assert "45 or more whole days before as-of" in row_of(sheet, "idle-password")[1]
    left_out = row_of(sheet, "Rules that did not run")[1].split(", ")
    assert {*left_out} == {rule.id for rule in RULES if rule not in CIS.rules}
    assert row_of(small["Method"], "Rules that did not run")[1] == "none"
    words = [row[0] for row in values(sheet)]
    assert {*map(str, (*Severity, *Outcome, *Result))} <= {*words}
    for title in book.sheetnames[:-1]:
        assert len(row_of(book["Method"], title)[1]) > 40
