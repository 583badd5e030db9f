"""The workbook is one to work in: lists to decide in, progress that moves, checks that turn red."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

import analyzer
from analyzer import review_columns
from analyzer.analysis import Analysis
from analyzer.model import AccountName, UncoveredAccount
from analyzer.writers.workbook import review_progress
from tests.support.builders import (
    ACCOUNT,
    COLUMNS_OF_2014,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    no_password,
    report_text,
    saved,
    the_root,
)
from tests.support.workbooks import (
    PAGE_POINTS,
    POINTS_A_UNIT,
    SAMPLES,
    analyzed,
    analyzed_console,
    analyzed_users,
    book_of,
    file_of,
    needs_libreoffice,
    records,
    results_of,
    row_of,
    seen_by_libreoffice,
    texts,
    values,
    with_wrong_results,
)

REVIEWER_HEADS = ["Decision", "Decided by", "Decided on", "Ticket", "Comment"]
ENTRIES: dict[str, Any] = {
    "Decision": "delete",
    "Decided by": "Ada",
    "Decided on": date(2026, 5, 2),
}
PIXELS_A_UNIT = 7
"""A digit of the default font on screen at 100 %."""


@pytest.fixture(scope="module")
def book() -> Workbook:
    return book_of(analyzed_console())


@pytest.fixture(scope="module")
def results() -> Workbook:
    return results_of(analyzed_console())


def heads(sheet: Worksheet) -> list[Any]:
    return [cell.value for cell in sheet[1]]


def letter(sheet: Worksheet, head: str) -> str:
    return get_column_letter(heads(sheet).index(head) + 1)


def width(sheet: Worksheet, first: str, last: str) -> float:
    """Return how wide the columns from one head to another are together."""
    names = heads(sheet)
    every = range(names.index(first) + 1, names.index(last) + 2)
    return sum(sheet.column_dimensions[get_column_letter(at)].width for at in every)


def validation(sheet: Worksheet, head: str) -> DataValidation:
    one: DataValidation
    (one,) = [
        each
        for each in sheet.data_validations.dataValidation
        if str(each.sqref).startswith(f"{letter(sheet, head)}2:")
    ]
    return one


def listed_users(book: Workbook) -> list[dict[str, Any]]:
    """Return the users of all lists to decide in."""
    return [
        row
        for title in review_columns.SHEETS
        if title in book.sheetnames
        for row in records(book[title])
        if row["ARN"]
    ]


def checks_of(sheet: Worksheet, first: str) -> tuple[Any, ...]:
    """Return the line of a list in the section of checks."""
    return [row for row in values(sheet) if row[0] == first][-1]


# The lists


@pytest.mark.parametrize("title", review_columns.SHEETS)
def test_the_reviewers_columns_stand_right_after_the_user(book: Workbook, title: str) -> None:
    assert heads(book[title])[:7] == ["Account", "User", *REVIEWER_HEADS]
    assert {"ARN", "Created"} <= set(heads(book[title]))
    for row in records(book[title]):
        assert [row[head] for head in REVIEWER_HEADS] == [None] * 5


def test_then_follow_why_certainty_checks_activity_creation_and_age(book: Workbook) -> None:
    expected = ["Why", "Certainty", "Check first", "Last activity (UTC)", "Created", "Age in days"]
    for title in ("Unused users", "Inactive users"):
        assert heads(book[title])[7:13] == expected
    assert heads(book["Undetermined"])[7:11] == [
        *("Why", "Last activity (UTC)", "Created", "Age in days")
    ]


def test_retired_and_dormant_users_are_listed_as_inactive(book: Workbook) -> None:
    listed = {row["ARN"]: row["Verdict"] for row in records(book["Inactive users"])}
    assert listed == {
        row["ARN"]: row["Verdict"]
        for row in records(book["All users"])
        if row["Verdict"] in ("retired", "dormant") and row["Exemption"] is None
    }
    assert set(listed.values()) == {"retired", "dormant"}


def test_a_dormant_user_is_told_with_its_days_without_use(tmp_path: Path) -> None:
    users = [
        a_user("asleep", password=a_password(days_before(200))),
        a_user("left", password=no_password(days_before(300))),
    ]
    listed = records(book_of(analyzed_users(tmp_path, users))["Inactive users"])
    assert {row["User"]: row["Why"] for row in listed}["asleep"] == "dormant: idle for 200 days"
    assert {row["User"]: row["Verdict"] for row in listed} == {
        "asleep": "dormant",
        "left": "retired",
    }


def test_lists_are_grouped_by_account_certain_before_check_oldest_first(tmp_path: Path) -> None:
    other = "999999999999"
    doubtful = an_inactive_key(used=days_before(500))
    users = [
        a_user("f", account=other, created=days_before(900)),
        a_user("c", key_1=doubtful, created=days_before(990)),
        a_user("b", created=days_before(40)),
        a_user("e", account=other, created=days_before(950)),
        a_user("a", created=days_before(50)),
        a_user("d", key_1=doubtful, created=days_before(60)),
    ]
    listed = records(book_of(analyzed_users(tmp_path, users))["Unused users"])
    assert [row["User"] for row in listed] == ["a", "b", "c", "d", "e", "f"]


def test_exempt_users_are_in_no_list_to_decide_in(book: Workbook) -> None:
    exempt = {row["ARN"] for row in records(book["Exempt"])}
    assert exempt
    for title in review_columns.SHEETS:
        assert not exempt & {row["ARN"] for row in records(book[title])}


def test_an_empty_list_of_inactive_or_undetermined_users_has_no_sheet(tmp_path: Path) -> None:
    book = book_of(analyzed_users(tmp_path, [a_user()]))
    assert not {"Inactive users", "Undetermined"} & set(book.sheetnames)
    assert row_of(book["Summary"], "All lists")[1] == "=SUM(B8:B10)"


KEY_LATER = a_key(days_before(900), days_before(300))


@pytest.mark.parametrize(
    ("user", "activity"),
    [
        (a_user(), "never"),
        (
            a_user(password=a_password(days_before(200)), key_1=KEY_LATER),
            f"{days_before(200):%Y-%m-%d %H:%M}, sign-in",
        ),
        (
            a_user(password=a_password(days_before(400)), key_2=KEY_LATER),
            f"{days_before(300):%Y-%m-%d %H:%M}, access key 2, ec2 in eu-west-1",
        ),
        (
            a_user(key_1=KEY_LATER, access_key_1_last_used_region="N/A"),
            f"{days_before(300):%Y-%m-%d %H:%M}, access key 1, ec2",
        ),
        (
            a_user(key_1=KEY_LATER, access_key_1_last_used_region=""),
            f"{days_before(300):%Y-%m-%d %H:%M}, access key 1, ec2",
        ),
        (a_user(password=no_password("soon")), "not known"),
    ],
)
def test_the_last_activity_is_the_newest_sign_in_or_key_use(
    tmp_path: Path, user: dict[str, Any], activity: str
) -> None:
    book = book_of(analyzed_users(tmp_path, [user]))
    (row,) = listed_users(book)
    assert row["Last activity (UTC)"] == activity


def test_a_report_without_the_use_of_keys_does_not_say_never(tmp_path: Path) -> None:
    text = report_text([a_user(key_1=an_inactive_key())], columns=COLUMNS_OF_2014)
    (row,) = listed_users(book_of(analyzed(saved(tmp_path, text))))
    assert row["Last activity (UTC)"] == "not known"


def test_a_name_of_an_account_stands_between_account_and_user(tmp_path: Path) -> None:
    sheet = book_of(with_names(tmp_path))["Unused users"]
    assert heads(sheet)[:4] == ["Account", "Account name", "User", "Decision"]
    assert [row["Account name"] for row in records(sheet)] == ["=production", None]
    assert [row["Account owner"] for row in records(sheet)] == ["Ann", None]
    assert sheet.freeze_panes == "D2"
    for first, last in (("Account", "Check first"), ("Last activity (UTC)", "Account owner")):
        repeated = 0 if first == "Account" else width(sheet, "Account", "User")
        points = (repeated + width(sheet, first, last)) * POINTS_A_UNIT
        assert points * 0.89 <= PAGE_POINTS["Letter"]


def with_names(folder: Path, owner: str = "Ann") -> Analysis:
    """Analyze a named account, one without a name, and miss two, one of them named."""
    users = [a_user("a"), a_user("b", account="999999999999")]
    analysis = with_missing(analyzed_users(folder, users), "444455556666", "555566667777")
    known = AccountName(name="=production", owner=owner)
    names = {ACCOUNT: known, "444455556666": AccountName(name="lost")}
    left_out = (UncoveredAccount(account="666677778888", name="old", reason="closed"),)
    report = replace(analysis.report, account_names=names, left_out=left_out)
    return replace(analysis, report=report)


@pytest.mark.parametrize("title", ["All users", "Root users", "Findings"])
def test_every_list_has_the_name_of_the_account(tmp_path: Path, title: str) -> None:
    listed = records(book_of(with_names(tmp_path))[title])
    named = {row["Account"]: row["Account name"] for row in listed}
    assert {**named, "999999999999": None} == {ACCOUNT: "=production", "999999999999": None}


def test_without_an_owner_there_is_no_column_of_owners(tmp_path: Path) -> None:
    heads_ = heads(book_of(with_names(tmp_path, owner=""))["Unused users"])
    assert "Account name" in heads_
    assert "Account owner" not in heads_


@pytest.mark.parametrize(("owner", "shown"), [("Ann", " (Ann)"), ("", "")])
def test_the_summary_names_every_account(tmp_path: Path, owner: str, shown: str) -> None:
    analysis = with_names(tmp_path, owner)
    sheet = book_of(analysis)["Summary"]
    row = row_of(sheet, f"{ACCOUNT} =production{shown}")
    assert "LEFT($A" in row[5]
    assert row_of(sheet, "999999999999")[5].count("LEFT(") == 0
    assert row_of(sheet, "444455556666")[1] == "lost, not covered: access denied"
    assert row_of(sheet, "555566667777")[1] == "not covered: access denied"
    assert row_of(sheet, "666677778888")[1] == "old, left out: closed"
    missing = "Missing: 444455556666 (lost), 555566667777."
    assert sheet["A2"].value == f"INCOMPLETE: 2 of 4 accounts. {missing}"


@needs_libreoffice
def test_an_account_with_a_name_is_counted_as_one_without(tmp_path: Path) -> None:
    shown = seen_by_libreoffice(tmp_path, with_wrong_results(file_of(with_names(tmp_path))))
    counts = {row[0]: list(row[1:11]) for row in shown["Summary"]}
    assert counts[f"{ACCOUNT} =production (Ann)"][-1] == "OK"
    assert counts[f"{ACCOUNT} =production (Ann)"][4] == "1"


# Entry


@pytest.mark.parametrize("title", review_columns.SHEETS)
def test_the_decision_is_one_of_four_from_a_drop_down_with_a_prompt(
    book: Workbook, title: str
) -> None:
    sheet = book[title]
    choice = validation(sheet, "Decision")
    assert choice.formula1 == '"delete,deactivate,keep,investigate"'
    assert str(choice.sqref) == f"{letter(sheet, 'Decision')}2:{letter(sheet, 'Decision')}" + str(
        sheet.max_row
    )
    assert choice.type == "list"
    assert choice.showErrorMessage
    assert choice.showInputMessage
    assert all(word in str(choice.prompt) for word in review_columns.Decision)


def test_the_date_of_a_decision_is_a_date(book: Workbook) -> None:
    sheet = book["Unused users"]
    valid = validation(sheet, "Decided on")
    assert (valid.type, valid.operator, valid.formula1) == ("date", "greaterThan", "36526")
    assert "2026-03-01" in str(valid.error)
    assert sheet[f"{letter(sheet, 'Decided on')}2"].number_format == "yyyy-mm-dd"


def test_every_column_of_the_reviewer_has_a_prompt_that_excel_takes(book: Workbook) -> None:
    for head in REVIEWER_HEADS:
        prompt = validation(book["Unused users"], head)
        assert prompt.showInputMessage
        assert 0 < len(prompt.prompt or "") <= 255
        assert len(prompt.promptTitle or "") <= 32


def test_the_method_explains_each_decision(book: Workbook) -> None:
    for word in review_columns.Decision:
        assert len(row_of(book["Method"], word)[1]) > 20


# On screen and in print


@pytest.mark.parametrize("title", ["Unused users", "Inactive users"])
def test_all_up_to_what_to_check_fits_a_screen_of_1500_pixels(book: Workbook, title: str) -> None:
    assert width(book[title], "Account", "Check first") * PIXELS_A_UNIT <= 1400


@pytest.mark.parametrize("paper", PAGE_POINTS)
@pytest.mark.parametrize(
    ("title", "last"),
    [("Unused users", "Check first"), ("Inactive users", "Check first"), ("Undetermined", "Why")],
)
def test_the_first_block_is_printed_on_one_page_at_8_points_or_more(
    book: Workbook, title: str, last: str, paper: str
) -> None:
    sheet = book[title]
    scale = (sheet.page_setup.scale or 100) / 100
    assert width(sheet, "Account", last) * POINTS_A_UNIT * scale <= PAGE_POINTS[paper]
    at = heads(sheet).index(last) + 1
    assert [each.id for each in sheet.col_breaks.brk] == [at]
    sizes = {sheet.cell(2, column).font.size for column in range(1, at + 1)}
    assert min(sizes) * scale >= 8


@pytest.mark.parametrize("title", review_columns.SHEETS)
def test_details_are_folded_and_left_out_of_print(book: Workbook, title: str) -> None:
    sheet = book[title]
    folded = [head for head in heads(sheet) if sheet.column_dimensions[letter(sheet, head)].hidden]
    assert {"Last sign-in (UTC)", "Key 1 created (UTC)", "Certificate 2 uploaded (UTC)"} <= {
        *folded
    }
    assert "ARN" in folded
    for head in folded:
        dimension = sheet.column_dimensions[letter(sheet, head)]
        assert dimension.outlineLevel == 1
    area = sheet.print_area.replace("$", "").split("!")[-1]
    last_printed = heads(sheet).index("Password")
    assert area == f"A1:{get_column_letter(last_printed)}{sheet.max_row}"
    assert sheet.print_title_cols == "$A:$B"
    outline = sheet.sheet_properties.outlinePr
    assert outline is not None
    assert not outline.summaryRight


# Findings


def test_a_finding_says_in_which_list_its_user_is_decided(book: Workbook) -> None:
    lists = {row["ARN"]: title for title in review_columns.SHEETS for row in records(book[title])}
    listed = records(book["Findings"])
    assert [row["Listed in"] for row in listed] == [lists.get(row["ARN"]) for row in listed]
    assert {row["Listed in"] for row in listed} == {None, *review_columns.SHEETS}


# The Summary


def test_the_progress_begins_with_nothing_decided(results: Workbook) -> None:
    sheet = results["Summary"]
    lists = [len(records(results[title])) for title in review_columns.SHEETS]
    rows = [
        next(row for row in values(sheet) if row[0] == title) for title in review_columns.SHEETS
    ]
    for row, number in zip(rows, lists, strict=True):
        assert row[1:9] == (number, 0, number, 0, 0, 0, 0, 0)
    total = row_of(sheet, "All lists")
    assert total[1:9] == (sum(lists), 0, sum(lists), 0, 0, 0, 0, 0)
    assert total[9] == f"Decided: 0 of {sum(lists)} users."


def test_the_checks_begin_with_all_ok(results: Workbook) -> None:
    for title in review_columns.SHEETS:
        listed, listed_then, exempt, exempt_then, every, every_then, check = checks_of(
            results["Summary"], title
        )[1:8]
        assert check == "OK"
        assert listed == listed_then == len(records(results[title]))
        assert (exempt, every) == (exempt_then, every_then)
        assert listed + exempt == every


def test_too_many_users_to_gather_the_reviewers_names_are_only_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(review_progress, "_MOST_NAMES", 0)
    sheet = book_of(analyzed_console())["Summary"]
    assert "Reviewers" not in texts(sheet).split("\n")


def with_missing(analysis: Analysis, *accounts: str) -> Analysis:
    missing = tuple(
        UncoveredAccount(account=each, name="", reason="access denied") for each in accounts
    )
    return replace(analysis, report=replace(analysis.report, not_covered=missing))


def test_an_account_that_is_missing_is_named_in_red_under_the_title(tmp_path: Path) -> None:
    analysis = with_missing(analyzed_users(tmp_path, [a_user()]), "999999999999")
    sheet = book_of(analysis)["Summary"]
    assert sheet["A2"].value == "INCOMPLETE: 1 of 2 accounts. Missing: 999999999999."
    assert sheet["A2"].fill.start_color.rgb == "00C00000"


def test_a_complete_report_has_no_red_line(book: Workbook) -> None:
    assert "INCOMPLETE" not in texts(book["Summary"])


def test_each_account_has_its_as_of() -> None:
    analysis = analyzed(SAMPLES / "organization")
    sheet = book_of(analysis)["Summary"]
    for file in analysis.report.files:
        row = row_of(sheet, file.accounts[0].account)
        assert row[11] == file.as_of.replace(tzinfo=None)


@pytest.mark.parametrize(("apart", "noted"), [(1.0, False), (1.001, True)])
def test_reports_more_than_a_day_apart_are_noted(
    tmp_path: Path, apart: float, *, noted: bool
) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    for name, days in (("111111111111", 0.0), ("222222222222", apart)):
        moment = f"{days_before(days):%Y-%m-%dT%H-%M-%S+00-00}"
        user = a_user(account=name, created=days_before(90))
        root = the_root(name, password_last_used="N/A")
        text = report_text([user], root=root)
        (folder / name).mkdir()
        saved(folder / name, text, f"status_reports_{moment}.csv")
    analysis = analyzer.analyze(analyzer.load(folder))
    assert ("The reports are 1.0 days apart" in texts(book_of(analysis)["Summary"])) == noted


def test_columns_that_do_not_apply_have_a_dash(results: Workbook) -> None:
    for verdict in ("dormant", "active", "undetermined"):
        row = row_of(results["Summary"], verdict)
        assert row[1] == row[2] + row[3]
        assert row[4:6] == ("–", "–")  # noqa: RUF001  as printed tables have it
    for verdict in ("unused", "retired"):
        row = row_of(results["Summary"], verdict)
        assert row[3] == row[4] + row[5]


# After somebody worked in it, as LibreOffice calculates it


def calculated(folder: Path, edit: Callable[[Workbook], None]) -> list[list[str]]:
    """Return the Summary of the sample's workbook as LibreOffice shows it after an edit."""
    edited = openpyxl.load_workbook(io.BytesIO(file_of(analyzed_console())))
    edit(edited)
    stream = io.BytesIO()
    edited.save(stream)
    return [list(row) for row in seen_by_libreoffice(folder, stream.getvalue())["Summary"]]


def line(sheet: list[list[str]], first: str, at: int = 0) -> list[str]:
    return [row for row in sheet if row[0] == first][at]


def decide(book: Workbook) -> None:
    """Decide three users of one list and one of another, two of them without all that belongs."""
    for title, row, entries in (
        ("Unused users", 2, ENTRIES),
        ("Unused users", 3, {**ENTRIES, "Decision": "keep", "Decided by": "Grace"}),
        ("Unused users", 4, {"Decision": "keep"}),
        ("Inactive users", 2, {**ENTRIES, "Decision": "deactivate", "Decided on": None}),
    ):
        sheet = book[title]
        for head, value in entries.items():
            sheet[f"{letter(sheet, head)}{row}"] = value


@needs_libreoffice
def test_the_progress_moves_while_somebody_decides(tmp_path: Path) -> None:
    sheet = calculated(tmp_path, decide)
    assert line(sheet, "Unused users")[1:9] == ["21", "3", "18", "1", "0", "2", "0", "1"]
    inactive = line(sheet, "Inactive users")
    assert inactive[2] == "1"
    assert inactive[5] == "1"
    assert inactive[8] == "1"
    total = line(sheet, "All lists")
    assert total[2] == "4"
    assert total[9] == f"Decided: 4 of {total[1]} users."
    names = dict(
        zip(line(sheet, "Reviewers")[1:], line(sheet, "Users decided by each")[1:], strict=True)
    )
    assert {name: count for name, count in names.items() if name} == {"Ada": "2", "Grace": "1"}


def nothing(_: Workbook) -> None:
    return


def delete_a_row(book: Workbook) -> None:
    book["Unused users"].delete_rows(3)


def change_a_verdict(book: Workbook) -> None:
    sheet = book["All users"]
    (cell,) = [row[1] for row in sheet.iter_rows() if row[1].value == "hadoop-loader"]
    sheet[f"{letter(sheet, 'Verdict')}{cell.row}"] = "active"


def drop_the_account(book: Workbook) -> None:
    book["All users"].delete_rows(2, 48)


@needs_libreoffice
@pytest.mark.parametrize(
    ("edit", "unused", "account"),
    [
        (nothing, "OK", "OK"),
        (delete_a_row, "DIFFERS", "OK"),
        (change_a_verdict, "DIFFERS", "OK"),
        (drop_the_account, "DIFFERS", "DIFFERS"),
    ],
)
def test_an_edit_of_the_lists_turns_a_check_red(
    tmp_path: Path, edit: Callable[[Workbook], None], unused: str, account: str
) -> None:
    sheet = calculated(tmp_path, edit)
    assert line(sheet, "Unused users", -1)[7] == unused
    assert line(sheet, "123456789012")[10] == account
