"""A workbook for reviewers alone has what they need, and counts as the whole one does."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import Workbook

import analyzer
from analyzer.cli import main
from analyzer.decisions.review_columns import SHEETS
from analyzer.judging.analysis import Analysis
from analyzer.terms import WorkbookSheets
from analyzer.writers import write
from tests.support.builders import a_user, report_text, saved
from tests.support.decisions import ledger_of, line
from tests.support.workbooks import (
    CONSOLE,
    analyzed_console,
    console_book,
    file_of,
    needs_libreoffice,
    opened,
    parts,
    review_book_of,
    seen_by_libreoffice,
    texts,
    values,
    with_wrong_results,
)

OF_SHEET = re.compile(r"'([^']+)'!")
ACCOUNT = "123456789012"
COUNTED = (
    "All lists",
    *SHEETS,
    "unused",
    "dormant",
    "IAM users",
    "Row count check",
    "123456789012",
)


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return analyzed_console()


@pytest.fixture(scope="module")
def file(analysis: Analysis) -> bytes:
    return file_of(analysis, sheets=WorkbookSheets.REVIEW)


def summary_lines(book: Workbook) -> list[tuple[object, ...]]:
    return [row for row in values(book["Summary"]) if row[0] in COUNTED]


@pytest.mark.no_cover
def test_it_has_the_summary_the_lists_and_the_method() -> None:
    analysis = replace(analyzed_console())
    assert review_book_of(analysis).sheetnames == ["Summary", *SHEETS, "Method"]
    assert "inspection" not in analysis.__dict__  # no rule ran


def test_it_has_the_follow_up_of_earlier_decisions(tmp_path: Path) -> None:
    report = analyzer.load(saved(tmp_path, report_text([a_user("ann")])))
    ledger = ledger_of(line("delete", a_user("ann")))
    book = review_book_of(analyzer.analyze(report, ledger=ledger))
    assert book.sheetnames == ["Summary", "Unused users", "Follow-up", "Method"]
    assert "Follow-up" in texts(book["Method"])


@pytest.mark.no_cover
def test_nothing_in_it_refers_to_a_sheet_that_is_left_out(file: bytes) -> None:
    titles = {*opened(file).sheetnames}
    for name, part in parts(file).items():
        if name.startswith(("xl/worksheets/sheet", "xl/charts/")):
            assert {*OF_SHEET.findall(part.decode())} <= titles
    for title in ("Findings", "Controls", "All users"):
        assert title not in [row[0] for row in values(opened(file)["Method"])]
    assert "Findings by severity" not in texts(opened(file)["Summary"])
    said = [text for name in ("Summary", "Method") for text in texts(opened(file)[name])]
    assert [text for text in said if "All users" in text] == []


@pytest.mark.no_cover
def test_its_summary_has_the_numbers_of_the_whole_one(file: bytes) -> None:
    whole = summary_lines(console_book(results=True))
    assert summary_lines(opened(file, results=True)) == whole != []


@needs_libreoffice
def test_libreoffice_comes_to_the_same_numbers(tmp_path: Path, file: bytes) -> None:
    expected = summary_lines(opened(file, results=True))
    shown = seen_by_libreoffice(tmp_path, with_wrong_results(file))["Summary"]
    calculated = [row for row in shown if row[0] in COUNTED]
    for row, other in zip(expected, calculated, strict=True):
        assert [str(each) for each in row[:8] if each is not None] == [*filter(None, other[:8])]


@pytest.mark.no_cover
def test_the_api_and_the_command_line_write_it(tmp_path: Path) -> None:
    report, path = saved(tmp_path, report_text([a_user()])), tmp_path / "review.xlsx"
    analysis = analyzer.analyze(analyzer.load(report))
    for sheets, has_findings in (("review", False), ("all", True)):
        write(analysis, path, sheets=sheets)
        assert ("Findings" in opened(path.read_bytes()).sheetnames) == has_findings
    assert main(["analyze", str(report), "-q", "-o", str(path), "--sheets", "review"]) == 0
    assert "Findings" not in opened(path.read_bytes()).sheetnames


def test_other_sheets_are_refused_before_anything_is_written(
    tmp_path: Path, analysis: Analysis
) -> None:
    with pytest.raises(ValueError, match="no sheets are some: choose from all, review"):
        write(analysis, tmp_path / "a.xlsx", sheets="some")
    assert not [*tmp_path.iterdir()]


def test_without_a_workbook_the_choice_of_sheets_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for output in ((), ("-o", "users.csv")):
        assert main(["analyze", str(CONSOLE), *output, "--sheets", "review"]) == 2
        assert "use it with -o FILE.xlsx only" in capsys.readouterr().err
