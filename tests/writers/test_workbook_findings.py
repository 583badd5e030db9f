"""The sheet of findings lists what the rules found, one row a finding, ready for the review."""

from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import Workbook

import analyzer
from analyzer.judging import inspection as inspections
from analyzer.judging.analysis import Analysis
from analyzer.standards.rulebook import rulebook
from tests.support.builders import (
    ACCOUNT,
    a_key,
    a_password,
    a_user,
    days_before,
    report_text,
    saved,
    the_root,
)
from tests.support.workbooks import (
    CONSOLE,
    SAMPLES,
    analyzed,
    analyzed_console,
    book_of,
    console_book,
    file_of,
    moment,
    needs_libreoffice,
    records,
    seen_by_libreoffice,
    texts,
    values,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

IN_USE = a_password(days_before(1))
OLD_KEY = a_user("=1+1", key_2=a_key(days_before(100), days_before(50)))


USERS = (
    OLD_KEY,
    a_user("quiet", password=IN_USE),
    a_user("odd", password=IN_USE, mfa_active="?"),
    a_user("twice", key_1=a_key(days_before(1)), key_2=a_key(days_before(1))),
    a_user("undated", password=IN_USE, created="?"),
)


@pytest.fixture(scope="module")
def book() -> Workbook:
    return console_book()


@pytest.fixture(scope="module")
def small_analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """Analyze findings of every severity and of two outcomes."""
    root = the_root(access_key_1_active="true", access_key_1_last_rotated=days_before(9))
    return analyzed(saved(tmp_path_factory.mktemp("small"), report_text(USERS, root=root)))


@pytest.fixture(scope="module")
def small(small_analysis: Analysis) -> Workbook:
    return book_of(small_analysis)


def test_every_finding_is_listed_in_the_order_of_the_inspection(book: Workbook) -> None:
    found = analyzed_console().inspection.findings
    listed = records(book["Findings"])
    for head, name in (
        *(("ARN", "arn"), ("Severity", "severity"), ("Rule id", "rule"), ("Fact", "fact")),
        *(("Outcome", "outcome"), ("Row", "row")),
    ):
        assert [row[head] for row in listed] == found[name].astype(object).tolist()


def test_a_finding_is_told_with_rule_fact_controls_and_remedy(
    small_analysis: Analysis, small: Workbook
) -> None:
    listed = records(small["Findings"])
    (finding,) = [row for row in listed if row["Rule id"] == "idle-access-key"]
    assert finding == {
        "Account": ACCOUNT,
        "User": "=1+1",
        "ARN": f"arn:aws:iam::{ACCOUNT}:user/=1+1",
        "Severity": "medium",
        "Rule id": "idle-access-key",
        "Finding": "Active access key is idle",
        "Fact": (
            f"access key 2, created {days_before(100):%Y-%m-%d},"
            f" last used {days_before(50):%Y-%m-%d}, idle 50 days; limit 45"
        ),
        "Outcome": "fails",
        "Listed in": None,
        "Days": 50,
        "Slot": 2,
        "Created (UTC)": days_before(100).replace(tzinfo=None),
        "Counted from (UTC)": days_before(50).replace(tzinfo=None),
        "Exempt because": None,
        "Controls": (
            "CIS AWS Foundations Benchmark v7.0.0: 2.11\n"
            "AWS Foundational Security Best Practices v1.0.0: IAM.8"
        ),
        "Remedy": "Deactivate the key. Delete it when nothing has failed.",
        "Report": small_analysis.report.files[0].name,
        "Row": 3,
    }


def test_what_a_rule_does_not_count_is_empty(small: Workbook) -> None:
    listed = [row for row in records(small["Findings"]) if row["User"] == "undated"]
    (finding,) = [row for row in listed if row["Rule id"] == "console-user-without-mfa"]
    for head in ("Days", "Slot", "Created (UTC)", "Counted from (UTC)"):
        assert finding[head] is None


def test_a_root_is_listed_by_its_name_in_the_report(small: Workbook) -> None:
    finding = records(small["Findings"])[0]
    assert (finding["User"], finding["Severity"]) == ("<root_account>", "critical")


def test_the_exempt_are_listed_with_the_reason(book: Workbook) -> None:
    listed = [row for row in records(book["Findings"]) if row["User"] == "ci-bot-jenkins"]
    assert {row["Exempt because"] for row in listed} == {"Replaced by roles this summer"}


def test_of_a_standard_that_was_chosen_only_its_own_controls_are_named(tmp_path: Path) -> None:
    path = saved(tmp_path, report_text([a_user(password=a_password(days_before(50)))]))
    listed = records(book_of(analyzed(path, book=rulebook("cis-5.0")))["Findings"])
    assert {row["Controls"] for row in listed if row["Rule id"] == "idle-password"} == {
        "CIS AWS Foundations Benchmark v5.0.0: 1.11"
    }


def test_a_rule_that_no_control_asks_for_names_none(book: Workbook) -> None:
    listed = records(book["Findings"])
    assert {row["Controls"] for row in listed if row["Rule id"] == "retired-user"} == {None}


def test_severities_and_outcomes_have_colours_of_their_own(small: Workbook) -> None:
    sheet = small["Findings"]
    head = [cell.value for cell in sheet[1]]
    for name, count in (("Severity", 4), ("Outcome", 2)):
        cells = [sheet.cell(row, head.index(name) + 1) for row in range(2, sheet.max_row + 1)]
        looks = {cell.value: (cell.fill.start_color.rgb, cell.font.b) for cell in cells}
        assert len(looks) == len(set(looks.values())) == count


def test_nothing_is_to_be_entered_beside_a_finding(book: Workbook) -> None:
    assert not book["Findings"].data_validations.dataValidation


def test_nothing_that_was_found_is_said_with_the_rules_that_ran(tmp_path: Path) -> None:
    chosen = rulebook(rules=["root-used", "root-certificate"])
    book = book_of(analyzed(saved(tmp_path, report_text([a_user()])), book=chosen))
    told = texts(book["Findings"])
    assert "No findings. Rules that ran: root-used, root-certificate." in told
    assert not book["Findings"].tables


def test_without_any_rule_it_is_said_that_none_ran(tmp_path: Path) -> None:
    chosen = rulebook(rules=["root-used"], skip=["root-used"])
    book = book_of(analyzed(saved(tmp_path, report_text([a_user()])), book=chosen))
    assert "Rules that ran: none." in texts(book["Findings"])
    assert "Limits: None." in texts(book["Controls"])


def test_what_was_not_seen_is_said_where_nothing_was_found_in_lines_that_fit_a_screen(
    tmp_path: Path,
) -> None:
    rows = report_text([a_user(password=IN_USE, mfa=True)]).splitlines()
    path = saved(tmp_path, "\n".join(row for row in rows if "<root_account>" not in row))
    lines = [str(row[0]) for row in values(book_of(analyzed(path))["Findings"])[1:]]
    assert len(lines) > 2
    assert max(map(len, lines)) <= 120
    told = " ".join(lines)
    assert "root-used, root-certificate: the input is incomplete. The report has no root" in told
    assert ACCOUNT in told


def test_the_findings_of_a_large_report_are_listed_page_by_page(
    monkeypatch: pytest.MonkeyPatch, small_analysis: Analysis, small: Workbook
) -> None:
    expected = [row["Fact"] for row in records(small["Findings"])]
    monkeypatch.setattr(inspections, "MOST_ROWS_IN_ONE_ORDER", 0)
    listed = [row["Fact"] for row in records(book_of(replace(small_analysis))["Findings"])]
    assert sorted(listed) == sorted(expected)


def test_dates_of_findings_are_real_to_the_second(book: Workbook) -> None:
    sheet = book["Findings"]
    (finding,) = [
        row
        for row in records(sheet)
        if (row["User"], row["Rule id"]) == ("hadoop-loader", "unused-user")
    ]
    assert finding["Created (UTC)"] == moment("2012-06-19 17:33:06")


@needs_libreoffice
def test_libreoffice_shows_the_findings_as_they_are(tmp_path: Path) -> None:
    analysis = analyzed(CONSOLE)
    seen = seen_by_libreoffice(tmp_path, file_of(analysis))["Findings"]
    found = analysis.inspection.findings
    assert [row[1] for row in seen[1:]] == found["user"].tolist()
    assert [row[6] for row in seen[1:]] == found["fact"].tolist()


def test_a_csv_needs_no_rules() -> None:
    """Hold the lazy import: only the workbook runs the rules."""
    analysis = analyzer.analyze(analyzer.load(SAMPLES / "old-form.csv"))
    assert "inspection" not in analysis.__dict__
