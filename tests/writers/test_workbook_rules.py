"""The workbook lists each finding with its remedy, and each control with its result.

`tests/golden/workbook.txt` has those of a standard: here is what it lacks.
"""

from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import Workbook

import analyzer
from analyzer.rules import RULES
from analyzer.standards.rulebook import rulebook
from tests.support.builders import ACCOUNT, AS_OF, QUIET_PASSWORD, a_user, report_text
from tests.support.outputs import CONSOLE, analysis_of, analyzed_sample
from tests.support.workbooks import (
    book_of,
    file_of,
    needs_libreoffice,
    records,
    row_of,
    seen_by_libreoffice,
    texts,
    values,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time


def test_without_a_standard_a_finding_names_the_controls_of_the_newest_benchmarks(
    book: Workbook,
) -> None:
    controls = {row["Rule id"]: row["Controls"] for row in records(book["Findings"])}
    assert controls["idle-access-key"] == (
        "CIS AWS Foundations Benchmark v7.0.0: 2.11\n"
        "AWS Foundational Security Best Practices v1.0.0: IAM.8"
    )
    assert controls["retired-user"] is None


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


def test_without_a_standard_each_rule_is_a_control_of_its_own(book: Workbook) -> None:
    sheet = book["Controls"]
    listed = [row[0] for row in values(sheet) if row[0] in {rule.id for rule in RULES}]
    assert listed == [rule.id for rule in RULES]
    assert row_of(sheet, "unused-user")[6].startswith("Fails when the verdict is unused")
    optional = row_of(sheet, "user-without-mfa")
    assert optional[2:6] == ("not run", None, None, None)
    assert optional[7] == "Optional rule, not run: user-without-mfa."
    cells = [row[2] for row in sheet.iter_rows(min_row=7)]
    looks = {cell.value: (cell.fill.start_color.rgb, cell.font.color.rgb) for cell in cells}
    assert {*looks} == {"fail", "pass", "not run"}
    assert len({*looks.values()}) == 3


def test_every_rule_can_run_and_the_method_names_none_that_did_not() -> None:
    every = rulebook(rules=[rule.id for rule in RULES])
    book = book_of(replace(analysis_of([a_user()]), book=every))
    assert row_of(book["Method"], "Rules that did not run")[1] == "none"
