"""The workbook says how each control came out, and how many findings there are."""

from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import Workbook

import analyzer
from analyzer.judging.analysis import Analysis
from analyzer.rules import RULES
from analyzer.rules.rule import Outcome
from analyzer.standards import STANDARDS
from analyzer.standards.results import Result
from analyzer.standards.rulebook import rulebook
from analyzer.terms import Severity
from tests.support.builders import (
    a_key,
    a_password,
    a_user,
    days_before,
    report_text,
    saved,
    the_root,
)
from tests.support.workbooks import (
    analyzed,
    analyzed_console,
    book_of,
    console_book,
    file_of,
    opened,
    results_of,
    row_of,
    texts,
    values,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time

CIS = rulebook("cis-7.0")
OTHER_LIMIT = rulebook(rules=[rule.id for rule in RULES], limits={"rotation_days": 77})
CONTRACTORS = (
    a_user("contractor-1", password=a_password(days_before(50)), key_1=a_key(days_before(99))),
    a_user("contractor-2", password=a_password(days_before(1))),
    a_user("employee", password=a_password(days_before(1)), mfa=True, key_1=a_key(days_before(99))),
    a_user("odd", password=a_password(days_before(1)), mfa_active="?"),
)
LIST = b"account,user,reason,owner,expires\n*,contractor-*,Leave in May,,\n"


@pytest.fixture(scope="module")
def cis() -> Analysis:
    return replace(analyzed_console(), book=CIS)


@pytest.fixture(scope="module")
def file(cis: Analysis) -> bytes:
    return file_of(cis)


@pytest.fixture(scope="module")
def book(file: bytes) -> Workbook:
    return opened(file)


@pytest.fixture(scope="module")
def results(file: bytes) -> Workbook:
    return opened(file, results=True)


@pytest.fixture(scope="module")
def own() -> Workbook:
    return console_book()


@pytest.fixture(scope="module")
def contractors(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """Analyze contractors, who are exempt, employees, and a root with a new key."""
    text = report_text(CONTRACTORS, root=the_root(access_key_1_last_rotated=days_before(9)))
    path = saved(tmp_path_factory.mktemp("contractors"), text)
    return analyzed(path, analyzer.read_exemptions(("exemptions.csv", LIST)), OTHER_LIMIT)


@pytest.fixture(scope="module")
def small(contractors: Analysis) -> Workbook:
    return results_of(contractors)


@pytest.mark.no_cover
def test_every_control_is_listed_with_its_result(cis: Analysis, results: Workbook) -> None:
    for each in cis.inspection.controls:
        row = row_of(results["Controls"], each.control.number)
        assert row[1:3] == (each.control.title, each.result)
        expected = (each.fails, each.exempt, each.undecided)
        assert row[3:6] == (expected if each.control.rules else (None, None, None))


def test_numbers_of_controls_stay_text(book: Workbook) -> None:
    (row,) = [row for row in book["Controls"].iter_rows() if row[0].value == "2.10"]
    assert row[0].data_type == "s"


def test_the_heading_names_the_standard_its_scope_source_and_limits(book: Workbook) -> None:
    told = texts(book["Controls"]).split("\n")
    assert told[0] == "CIS AWS Foundations Benchmark v7.0.0"
    assert told[1] == "CIS 7.0: 3 pass, 3 fail, 20 not decidable from a report."
    assert told[2].startswith("Scope: section 2, Identity and Access Management. Numbers: github")
    assert told[3].startswith("Limits: Passwords and access keys fail from 45 days without use;")


@pytest.mark.no_cover
def test_how_a_control_is_decided_is_told_with_the_limit_that_was_set(small: Workbook) -> None:
    told = row_of(small["Controls"], "unrotated-access-key")[6]
    assert told.startswith("Fails for each active key")
    assert "is more than 77 whole days before as-of" in told
    assert "rotation_days" not in told


def test_a_control_of_two_rules_tells_of_both(book: Workbook) -> None:
    told = row_of(book["Controls"], "2.11")[6].split("\n")
    assert [line.split(":")[0] for line in told] == ["idle-password", "idle-access-key"]


def test_what_no_report_can_decide_says_why(book: Workbook) -> None:
    row = row_of(book["Controls"], "2.8")
    assert row[2] == Result.NOT_DECIDABLE
    assert "password policy is not in the report" in row[7]
    assert row[3:7] == (None, None, None, None)


def test_without_a_standard_each_rule_is_a_control_of_its_own(own: Workbook) -> None:
    sheet = own["Controls"]
    listed = [row[0] for row in values(sheet) if row[0] in {rule.id for rule in RULES}]
    assert listed == [rule.id for rule in RULES]
    assert row_of(sheet, "unused-user")[6].startswith("Fails when the verdict is unused")


def test_a_rule_that_was_not_asked_for_is_not_run_and_counts_nothing(own: Workbook) -> None:
    row = row_of(own["Controls"], "user-without-mfa")
    assert row[2:6] == (Result.NOT_RUN, None, None, None)
    assert row[7] == "Optional rule, not run: user-without-mfa."


def test_why_a_control_is_undecided_is_told(small: Workbook) -> None:
    row = row_of(small["Controls"], "console-user-without-mfa")
    assert row[2:6] == (Result.UNDECIDED, 0, 2, 1)
    assert row[7] == "Some findings are undecided."


def test_results_have_colours_of_their_own(own: Workbook) -> None:
    cells = [row[2] for row in own["Controls"].iter_rows(min_row=7)]
    looks = {cell.value: (cell.fill.start_color.rgb, cell.font.color.rgb) for cell in cells}
    assert set(looks) == {"fail", "pass", "not run"}
    assert len(set(looks.values())) == 3


def test_the_head_stays_in_sight_and_on_each_printed_page(book: Workbook) -> None:
    sheet = book["Controls"]
    (head,) = [at for at, row in enumerate(values(sheet), 1) if row[0] == "Control"]
    assert sheet.freeze_panes == f"A{head + 1}"
    assert sheet.print_title_rows == f"${head}:${head}"


def test_there_are_results_of_every_control_of_every_standard(contractors: Analysis) -> None:
    for standard in STANDARDS:
        analysis = replace(contractors, book=rulebook(standard.id))
        listed = [each.control for each in analysis.inspection.controls]
        assert listed == [*standard.controls], standard.id


def test_exempt_and_noted_findings_are_counted_apart(
    contractors: Analysis, small: Workbook
) -> None:
    counts = {each.control.number: each for each in contractors.inspection.controls}
    assert sum(each.exempt for each in counts.values())
    for number, each in counts.items():
        if each.control.rules:
            expected = (each.fails, each.exempt, each.undecided)
            assert row_of(small["Controls"], number)[3:6] == expected
    found = contractors.inspection.findings
    exempt = found[(found["outcome"] == Outcome.FAILS) & (found["exemption"] != "")]
    for severity in Severity:
        expected_exempt = int((exempt["severity"] == severity).sum())
        assert row_of(small["Summary"], severity)[3] == expected_exempt
    assert row_of(small["Summary"], "All findings")[3] == len(exempt)
    assert row_of(small["Summary"], "critical")[1:6] == (1, 0, 0, 0, 1)


def test_the_severities_add_up_to_the_findings_that_are_listed() -> None:
    analysis = analyzed_console()
    found = analysis.inspection.findings
    sheet = console_book(results=True)["Summary"]
    for severity in Severity:
        of_severity = found[found["severity"] == severity]
        failing = of_severity[of_severity["outcome"] == Outcome.FAILS]
        exempt = int((failing["exemption"] != "").sum())
        undecided = int((of_severity["outcome"] == Outcome.UNDECIDED).sum())
        expected = (len(of_severity), len(failing) - exempt, exempt, undecided, 0)
        assert row_of(sheet, severity)[1:6] == expected
    assert row_of(sheet, "All findings")[1] == len(found)


def test_each_severity_names_its_rules_the_most_findings_first(own: Workbook) -> None:
    assert row_of(own["Summary"], "high")[6] == "console-user-without-mfa 14"
    assert row_of(own["Summary"], "medium")[6].startswith("unused-user 30, idle-password 16, ")
    assert row_of(own["Summary"], "critical")[6] is None


def test_a_colour_is_shown_only_of_a_severity_that_occurs(own: Workbook) -> None:
    cells = {row[0].value: row[0] for row in own["Summary"].iter_rows()}
    assert cells["high"].fill.fill_type == "solid"
    assert cells["critical"].fill.fill_type is None


def test_the_summary_tells_which_rules_ran_by_which_limits(book: Workbook) -> None:
    told = row_of(book["Summary"], "Rules")[1]
    assert told.startswith("CIS AWS Foundations Benchmark v7.0.0 (section 2, Identity and Access")
    assert "7 rules ran. Passwords and access keys fail from 45 days" in told


def test_the_summary_counts_the_results_of_the_controls_of_a_standard(
    book: Workbook, own: Workbook
) -> None:
    expected = "CIS 7.0: 3 pass, 3 fail, 20 not decidable from a report."
    assert row_of(book["Summary"], "Controls")[1] == expected
    assert [row for row in values(own["Summary"]) if row[0] == "Controls"] == []


def test_the_summary_tells_what_the_rules_did_not_see(tmp_path: Path) -> None:
    rows = report_text([a_user()]).splitlines()
    path = saved(tmp_path, "\n".join(row for row in rows if "<root_account>" not in row))
    told = row_of(book_of(analyzed(path))["Summary"], "Input incomplete")[1]
    assert told.startswith("root-access-key, root-without-mfa, root-used, root-certificate: the")


def test_the_method_tells_how_each_rule_that_ran_decides(book: Workbook) -> None:
    sheet = book["Method"]
    for rule in CIS.rules:
        told = row_of(sheet, rule.id)[1]
        assert told.startswith(f"{rule.severity.capitalize()}. {rule.title}. Fails ")
    assert "45 or more whole days before as-of" in row_of(sheet, "idle-password")[1]


def test_the_method_names_the_rules_that_did_not_run(book: Workbook, small: Workbook) -> None:
    told = row_of(book["Method"], "Rules that did not run")[1].split(", ")
    assert {*told} == {rule.id for rule in RULES if rule not in CIS.rules}
    assert row_of(small["Method"], "Rules that did not run")[1] == "none"


def test_the_method_explains_severities_outcomes_and_results(book: Workbook) -> None:
    rows = [row[0] for row in values(book["Method"])]
    for word in (*Severity, *Outcome, *Result):
        assert str(word) in rows


def test_the_method_tells_of_every_sheet(own: Workbook) -> None:
    for title in own.sheetnames[:-1]:
        assert len(row_of(own["Method"], title)[1]) > 40
