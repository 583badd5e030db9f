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
from openpyxl.utils import column_index_from_string as column_number
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from analyzer.decisions import review_columns
from analyzer.judging.analysis import Analysis
from analyzer.report.model import AccountName, UncoveredAccount
from analyzer.writers.workbook import review_lists
from tests.support.builders import (
    ACCOUNT,
    COLUMNS_OF_2014,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    no_password,
    report_text,
    saved,
)
from tests.support.workbooks import (
    PAGE_POINTS,
    POINTS_A_UNIT,
    analyzed,
    analyzed_console,
    analyzed_users,
    book_of,
    console_book,
    console_file,
    file_of,
    needs_libreoffice,
    quiet_book,
    records,
    review_book_of,
    row_of,
    seen_by_libreoffice,
    texts,
    values,
    width_of,
    with_earlier_decisions,
    with_wrong_results,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time

REVIEWER_HEADS = ["Decision", "Decided by", "Decided on", "Ticket", "Comment"]
ENTRIES: dict[str, Any] = {
    "Decision": "delete",
    "Decided by": "Ada",
    "Decided on": date(2026, 5, 2),
}


@pytest.fixture(scope="module")
def book() -> Workbook:
    return console_book()


@pytest.fixture(scope="module")
def results() -> Workbook:
    return console_book(results=True)


def heads(sheet: Worksheet) -> list[Any]:
    return [cell.value for cell in sheet[1]]


def letter(sheet: Worksheet, head: str) -> str:
    return get_column_letter(heads(sheet).index(head) + 1)


def width(sheet: Worksheet, first: str, last: str) -> float:
    """Return how wide the columns from one head to another are together."""
    names = heads(sheet)
    return width_of(sheet, *names[names.index(first) : names.index(last) + 1])


def validation(sheet: Worksheet, head: str) -> DataValidation:
    one: DataValidation
    (one,) = [
        each
        for each in sheet.data_validations.dataValidation
        if str(each.sqref).startswith(f"{letter(sheet, head)}2:")
    ]
    return one


def last_printed_column(sheet: Worksheet) -> int:
    _, last = sheet.print_area.split(":")
    return column_number(last.split("$")[1])


def listed_users(book: Workbook) -> list[dict[str, Any]]:
    """Return the users of all lists to decide in."""
    return [
        row
        for title in review_columns.SHEETS
        if title in book.sheetnames
        for row in records(book[title])
        if row.get("ARN")
    ]


def checks_of(sheet: Worksheet, first: str) -> tuple[Any, ...]:
    """Return the line of a list in the section of checks."""
    return [row for row in values(sheet) if row[0] == first][-1]


@pytest.mark.parametrize("title", review_columns.SHEETS)
def test_the_reviewers_columns_stand_right_after_the_user(book: Workbook, title: str) -> None:
    assert heads(book[title])[:7] == ["Account", "User", *REVIEWER_HEADS]
    assert {"ARN", "Created"} <= set(heads(book[title]))
    for row in records(book[title]):
        assert [row[head] for head in REVIEWER_HEADS] == [None] * 5


def test_then_follow_why_certainty_checks_age_activity_and_creation(book: Workbook) -> None:
    facts = ["Age in days", "Last activity (UTC)", "Created", "As of (UTC)"]
    for title in ("Unused users", "Inactive users"):
        assert heads(book[title])[7:14] == ["Why", "Certainty", "Check first", *facts]
    assert heads(book["Inactive users"])[14:16] == ["Idle days", "Verdict"]
    assert heads(book["Undetermined"])[7:14] == ["Why", *facts, "Report", "Row"]


def test_facts_that_no_listed_user_has_are_left_out(tmp_path: Path) -> None:
    users = [
        a_user("certain", created=days_before(400)),
        a_user("gone", password=no_password(days_before(300))),
    ]
    book = review_book_of(analyzed_users(tmp_path, users))
    assert "Check first" not in heads(book["Unused users"])
    assert heads(book["Inactive users"])[7:9] == ["Why", "Certainty"]
    assert "Idle days" not in heads(book["Inactive users"])
    for title in ("Unused users", "Inactive users"):
        assert not {"Account name", "Account owner", "Earlier decision"} & {*heads(book[title])}
        assert {*REVIEWER_HEADS, "Password", "Key 1 created (UTC)"} <= {*heads(book[title])}


def test_a_fact_of_one_user_among_many_keeps_its_column(tmp_path: Path) -> None:
    many = [a_user(f"u{at}", created=days_before(400)) for at in range(9)]
    many[-1] = a_user("odd", certificate_1=a_certificate())
    listed = records(review_book_of(analyzed_users(tmp_path, many))["Unused users"])
    assert [row["User"] for row in listed if row["Check first"]] == ["odd"]


def test_retired_and_dormant_users_are_listed_as_inactive(book: Workbook) -> None:
    listed = {row["ARN"]: row["Verdict"] for row in records(book["Inactive users"])}
    assert listed == {
        row["ARN"]: row["Verdict"]
        for row in records(book["All users"])
        if row["Verdict"] in ("retired", "dormant") and row["Exemption"] is None
    }
    assert set(listed.values()) == {"retired", "dormant"}


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
    listed = records(review_book_of(analyzed_users(tmp_path, users))["Unused users"])
    assert [row["User"] for row in listed] == ["a", "b", "c", "d", "e", "f"]


def test_exempt_users_are_in_no_list_to_decide_in(book: Workbook) -> None:
    exempt = {row["ARN"] for row in records(book["Exempt"])}
    assert exempt
    for title in review_columns.SHEETS:
        assert not exempt & {row["ARN"] for row in records(book[title])}


def test_an_empty_list_of_inactive_or_undetermined_users_has_no_sheet() -> None:
    book = quiet_book()
    assert not {"Inactive users", "Undetermined"} & set(book.sheetnames)
    assert row_of(book["Summary"], "All lists")[1] == "=SUM(B8:B10)"


KEY_LATER = a_key(days_before(900), days_before(300))


def test_the_last_activity_is_the_newest_sign_in_or_key_use(tmp_path: Path) -> None:
    users = [
        a_user("none"),
        a_user("sign-in", password=a_password(days_before(200)), key_1=KEY_LATER),
        a_user("key", password=a_password(days_before(400)), key_2=KEY_LATER),
        a_user("no-region", key_1=KEY_LATER, access_key_1_last_used_region="N/A"),
        a_user("empty-region", key_1=KEY_LATER, access_key_1_last_used_region=""),
        a_user("unknown", password=no_password("soon")),
    ]
    listed = listed_users(review_book_of(analyzed_users(tmp_path, users)))
    assert {row["User"]: row["Last activity (UTC)"] for row in listed} == {
        "none": "never",
        "sign-in": f"{days_before(200):%Y-%m-%d %H:%M}, sign-in",
        "key": f"{days_before(300):%Y-%m-%d %H:%M}, access key 2, ec2 in eu-west-1",
        "no-region": f"{days_before(300):%Y-%m-%d %H:%M}, access key 1, ec2",
        "empty-region": f"{days_before(300):%Y-%m-%d %H:%M}, access key 1, ec2",
        "unknown": "not known",
    }
    why = {row["User"]: row["Why"] for row in listed}
    assert why["sign-in"] == "dormant: last used or set 200 days before as-of"


def test_a_report_without_the_use_of_keys_does_not_say_never(tmp_path: Path) -> None:
    text = report_text([a_user(key_1=an_inactive_key())], columns=COLUMNS_OF_2014)
    (row,) = listed_users(review_book_of(analyzed(saved(tmp_path, text))))
    assert row["Last activity (UTC)"] == "not known"


def with_names(folder: Path, owner: str = "Ann") -> Analysis:
    """Analyze a named account, one without a name, and miss two, one of them named."""
    users = [a_user("a"), a_user("b", account="999999999999")]
    analysis = analyzed_users(folder, users)
    known = AccountName(name="=production", owner=owner)
    report = replace(
        analysis.report,
        account_names={ACCOUNT: known, "444455556666": AccountName(name="lost")},
        left_out=(UncoveredAccount(account="666677778888", name="old", reason="closed"),),
        not_covered=tuple(
            UncoveredAccount(account=each, name="", reason="access denied")
            for each in ("444455556666", "555566667777")
        ),
    )
    return replace(analysis, report=report)


def test_every_list_has_the_name_of_the_account_and_the_summary_names_all(tmp_path: Path) -> None:
    book = book_of(with_names(tmp_path))
    sheet = book["Unused users"]
    assert heads(sheet)[:4] == ["Account", "Account name", "User", "Decision"]
    assert [row["Account name"] for row in records(sheet)] == ["=production", None]
    assert [row["Account owner"] for row in records(sheet)] == ["Ann", None]
    assert sheet.freeze_panes == "D2"
    for title in ("All users", "Root users", "Findings"):
        named = {row["Account"]: row["Account name"] for row in records(book[title])}
        assert {**named, "999999999999": None} == {ACCOUNT: "=production", "999999999999": None}
    check_accounts(book["Summary"], f"{ACCOUNT} =production (Ann)")


def test_without_an_owner_there_is_no_column_of_owners(tmp_path: Path) -> None:
    book = review_book_of(with_names(tmp_path, owner=""))
    assert "Account name" in heads(book["Unused users"])
    assert "Account owner" not in heads(book["Unused users"])
    assert row_of(book["Summary"], f"{ACCOUNT} =production")


def check_accounts(sheet: Worksheet, first: str) -> None:
    """Hold the Summary to the accounts of `with_names`."""
    for named in (first, "999999999999"):
        assert row_of(sheet, named)[4] == 1
    assert row_of(sheet, "444455556666")[1] == "lost, not covered: access denied"
    assert row_of(sheet, "555566667777")[1] == "not covered: access denied"
    assert row_of(sheet, "666677778888")[1] == "old, left out: closed"
    missing = "Missing: 444455556666 (lost), 555566667777."
    assert sheet["A2"].value == f"INCOMPLETE: 2 of 4 accounts. {missing}"
    assert sheet["A2"].fill.start_color.rgb == "00C00000"


@needs_libreoffice
def test_an_account_with_a_name_is_counted_as_one_without(tmp_path: Path) -> None:
    shown = seen_by_libreoffice(tmp_path, with_wrong_results(file_of(with_names(tmp_path))))
    counts = {row[0]: list(row[1:11]) for row in shown["Summary"]}
    assert counts[f"{ACCOUNT} =production (Ann)"][-1] == "OK"
    assert counts[f"{ACCOUNT} =production (Ann)"][4] == "1"


@pytest.mark.parametrize("title", review_columns.SHEETS)
def test_the_decision_is_one_of_five_from_a_drop_down(book: Workbook, title: str) -> None:
    sheet = book[title]
    choice = validation(sheet, "Decision")
    assert choice.formula1 == '"delete,deactivate,keep,investigate,withdraw"'
    assert str(choice.sqref) == f"{letter(sheet, 'Decision')}2:{letter(sheet, 'Decision')}" + str(
        sheet.max_row
    )
    assert choice.type == "list"
    assert choice.showErrorMessage
    assert "withdraw" in str(choice.error)


def test_no_prompt_covers_the_cells_beside(book: Workbook) -> None:
    rules = [rule for sheet in book.worksheets for rule in sheet.data_validations.dataValidation]
    assert rules
    assert not any(rule.prompt or rule.promptTitle or rule.showInputMessage for rule in rules)


def test_no_sheet_is_protected(book: Workbook) -> None:
    assert not any(sheet.protection.sheet for sheet in book.worksheets)


def test_only_a_list_to_decide_in_has_a_column_called_decision(book: Workbook) -> None:
    titles = [sheet.title for sheet in book.worksheets if "Decision" in texts(sheet).split("\n")]
    assert titles == [*review_columns.SHEETS]


def test_the_date_of_a_decision_is_a_date(book: Workbook) -> None:
    sheet = book["Unused users"]
    valid = validation(sheet, "Decided on")
    assert (valid.type, valid.operator, valid.formula1) == ("date", "greaterThan", "36526")
    assert "2026-03-01" in str(valid.error)
    assert sheet[f"{letter(sheet, 'Decided on')}2"].number_format == "yyyy-mm-dd"


def test_the_summary_says_what_each_yellow_cell_takes(book: Workbook) -> None:
    rows = [row for row in values(book["Summary"]) if row[0] in {*review_columns.CHOICES}]
    assert [row[0] for row in rows] == [*review_columns.CHOICES]
    assert [row[6] for row in rows] == ["Decided by", "Decided on", "Ticket", "Comment", "no entry"]
    for row in rows:
        assert len(row[1]) > 20
        assert len(row[8]) > 20
    assert "exempt for 180 days" in rows[2][1]
    yellow = {cell.fill.start_color.rgb for cell in book["Unused users"]["C2:G2"][0]}
    shown = [row for row in book["Summary"].iter_rows() if row[0].value in {"delete", "keep"}]
    assert {row[at].fill.start_color.rgb for row in shown for at in (0, 6)} == yellow


@pytest.fixture(scope="module", params=[False, True], ids=["few columns", "all columns"])
def widest(request: pytest.FixtureRequest) -> Workbook:
    """Open a workbook without, or with, names and owners of accounts and earlier decisions."""
    analysis = analyzed_console()
    if not request.param:
        return console_book()
    names = {"123456789012": AccountName(name="production", owner="Platform team")}
    named = replace(analysis, report=replace(analysis.report, account_names=names))
    users = named.users["user"]
    earlier = dict.fromkeys(users, "delete, Ann, 2026-01-01")
    return review_book_of(with_earlier_decisions(named, earlier))


@pytest.mark.parametrize("title", review_columns.SHEETS)
def test_age_and_owner_are_in_sight_on_a_screen_of_1400_pixels(
    widest: Workbook, title: str
) -> None:
    names = heads(widest[title])
    shown = names[: names.index("Last activity (UTC)")]
    assert shown[-1] == ("Account owner" if "Account owner" in names else "Age in days")
    digit, padding = 7, 5
    assert width_of(widest[title], *shown) * digit + len(shown) * padding <= 1400


@pytest.mark.parametrize("title", review_columns.SHEETS)
@pytest.mark.parametrize("paper", PAGE_POINTS)
def test_a_list_is_printed_on_two_pages_side_by_side_at_8_points(
    widest: Workbook, title: str, paper: str
) -> None:
    sheet, names = widest[title], heads(widest[title])
    printed = names[: last_printed_column(sheet)]
    assert {"As of (UTC)", "Created", "Age in days", "Why"} <= {*printed}
    (end,) = [each.id for each in sheet.col_breaks.brk]
    repeated = names[: names.index("User") + 1]
    assert sheet.print_title_cols == f"$A:${letter(sheet, 'User')}"
    assert sheet.print_title_rows == "$1:$1"
    scale = (sheet.page_setup.scale or 100) / 100
    for page in (printed[:end], [*repeated, *printed[end:]]):
        assert width_of(sheet, *page) * POINTS_A_UNIT * scale <= PAGE_POINTS[paper]
    sizes = {cell.font.size for cell in sheet[2][: len(printed)]}
    assert min(sizes) * scale >= 8


def test_without_earlier_decisions_what_to_check_is_on_the_first_page(book: Workbook) -> None:
    for title, last in zip(
        review_columns.SHEETS, ("Check first", "Check first", "Age in days"), strict=True
    ):
        (end,) = [each.id for each in book[title].col_breaks.brk]
        assert heads(book[title])[end - 1] == last


def test_each_page_of_a_list_names_what_it_is_of_and_has_a_line_to_sign(book: Workbook) -> None:
    scope = "As of 2026-03-01 09:30 UTC (from the file name), account 123456789012"
    for title in review_columns.SHEETS:
        assert str(book[title].oddHeader) == f"&LAccess review: unused IAM users&R{scope}"
        foot = str(book[title].oddFooter)
        assert foot.startswith("&LReviewed by: ____")
        assert "Signature: ____" in foot
        assert foot.endswith("&R&A, page &P of &N")
    assert "Signature" not in str(book["All users"].oddFooter)


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
    last_printed = heads(sheet).index("Password") - (title == "Inactive users")
    assert area == f"A1:{get_column_letter(last_printed)}{sheet.max_row}"
    assert sheet.print_title_cols == "$A:$B"
    outline = sheet.sheet_properties.outlinePr
    assert outline is not None
    assert not outline.summaryRight


def test_a_finding_says_in_which_list_its_user_is_decided(book: Workbook) -> None:
    lists = {row["ARN"]: title for title in review_columns.SHEETS for row in records(book[title])}
    listed = records(book["Findings"])
    assert [row["Listed in"] for row in listed] == [lists.get(row["ARN"]) for row in listed]
    assert {row["Listed in"] for row in listed} == {None, *review_columns.SHEETS}


def test_the_progress_begins_with_nothing_decided(results: Workbook) -> None:
    sheet = results["Summary"]
    lists = [len(records(results[title])) for title in review_columns.SHEETS]
    rows = [
        next(row for row in values(sheet) if row[0] == title) for title in review_columns.SHEETS
    ]
    for row, number in zip(rows, lists, strict=True):
        assert row[1:10] == (number, 0, number, 0, 0, 0, 0, 0, 0)
    total = row_of(sheet, "All lists")
    assert total[1:10] == (sum(lists), 0, sum(lists), 0, 0, 0, 0, 0, 0)
    assert total[10] == f"Decided: 0 of {sum(lists)}"


def test_the_checks_begin_with_all_ok(results: Workbook) -> None:
    for title in review_columns.SHEETS:
        listed, when_written, exempt, every, check = checks_of(results["Summary"], title)[1:6]
        assert check == "OK"
        assert listed == when_written == len(records(results[title]))
        assert listed + exempt == every


@pytest.mark.parametrize("write", [lambda _: console_book(), review_book_of], ids=["all", "review"])
def test_how_many_were_listed_when_it_was_written_is_found_by_the_heads(
    write: Callable[[Analysis], Workbook],
) -> None:
    book = write(analyzed_console())
    rows = values(book["Summary"])
    (at,) = [at for at, row in enumerate(rows) if row[:3] == ("List", "Listed", "when written")]
    titles = [*review_columns.SHEETS]
    assert [row[0] for row in rows[at + 1 : at + 4]] == titles
    assert rows[at + 4][0] not in titles
    listed = [len(records(book[title])) for title in titles]
    assert [row[2] for row in rows[at + 1 : at + 4]] == listed


def test_too_many_users_to_gather_the_reviewers_names_are_only_counted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert "Reviewers" in texts(quiet_book()["Summary"]).split("\n")
    monkeypatch.setattr(review_lists, "_MOST_NAMES", 0)
    sheet = review_book_of(analyzed_users(tmp_path, [a_user()]))["Summary"]
    assert "Reviewers" not in texts(sheet).split("\n")


def test_a_complete_report_has_no_red_line(book: Workbook) -> None:
    assert "INCOMPLETE" not in texts(book["Summary"])


def test_columns_that_do_not_apply_have_a_dash(results: Workbook) -> None:
    for verdict in ("dormant", "active", "undetermined"):
        row = row_of(results["Summary"], verdict)
        assert row[1] == row[2] + row[3]
        assert row[4:6] == ("–", "–")  # noqa: RUF001  as printed tables have it
    for verdict in ("unused", "retired"):
        row = row_of(results["Summary"], verdict)
        assert row[3] == row[4] + row[5]


def calculated(folder: Path, edit: Callable[[Workbook], None]) -> list[list[str]]:
    """Return the Summary of the sample's workbook as LibreOffice shows it after an edit."""
    edited = openpyxl.load_workbook(io.BytesIO(console_file()))
    edit(edited)
    stream = io.BytesIO()
    edited.save(stream)
    return [list(row) for row in seen_by_libreoffice(folder, stream.getvalue())["Summary"]]


def line(sheet: list[list[str]], first: str, at: int = 0) -> list[str]:
    return [row for row in sheet if row[0] == first][at]


COMPLETE: dict[str, Any] = {**ENTRIES, "Decided by": "Grace", "Comment": "break-glass"}
ROWS: tuple[dict[str, Any], ...] = (
    ENTRIES,
    {**ENTRIES, "Decision": " Delete\u00a0", "Decided by": " ada "},
    {**COMPLETE, "Decision": "KEEP"},
    {**COMPLETE, "Decision": "keep", "Comment": " "},
    {**COMPLETE, "Decision": "investigate\n"},
    {**ENTRIES, "Decision": "withdraw", "Decided by": " "},
    {**ENTRIES, "Decision": "deactivate", "Decided on": None},
    {**ENTRIES, "Decision": "deleted"},
    {**ENTRIES, "Decision": "conflict"},
    {**ENTRIES, "Decision": "delete?"},
    {**ENTRIES, "Decision": None},
    {"Ticket": "SEC-1"},
    {"Decision": " "},
)
"""Entries of a list: the first three and the fifth can be read back, the last is none."""


def decide(book: Workbook) -> None:
    """Fill in a list, and one row of another."""
    rows = [("Unused users", row, entries) for row, entries in enumerate(ROWS, 2)]
    for title, row, entries in (*rows, ("Inactive users", 2, {**ENTRIES, "Decision": "keep"})):
        sheet = book[title]
        for head, value in entries.items():
            sheet[f"{letter(sheet, head)}{row}"] = value


@needs_libreoffice
def test_the_progress_counts_entries_as_they_are_read_back(tmp_path: Path) -> None:
    sheet = calculated(tmp_path, decide)
    assert line(sheet, "List")[4:10] == [*review_columns.CHOICES, "Incomplete"]
    assert line(sheet, "Unused users")[1:10] == ["21", "7", "14", "2", "1", "2", "1", "1", "8"]
    assert line(sheet, "Inactive users")[1:10] == ["10", "1", "9", "0", "0", "1", "0", "0", "1"]
    total = line(sheet, "All lists")
    assert total[2:4] == ["8", "27"]
    assert total[10] == "Decided: 8 of 35"
    names = zip(line(sheet, "Reviewers")[1:], line(sheet, "Users decided by each")[1:], strict=True)
    assert {name.lower(): count for name, count in names if name} == {"ada": "4", "grace": "3"}


def nothing(_: Workbook) -> None:
    return


def delete_a_row(book: Workbook) -> None:
    book["Unused users"].delete_rows(3)


@needs_libreoffice
@pytest.mark.parametrize(("edit", "expected"), [(nothing, "OK"), (delete_a_row, "DIFFERS")])
def test_a_row_that_is_deleted_from_a_list_turns_its_check_red(
    tmp_path: Path, edit: Callable[[Workbook], None], expected: str
) -> None:
    sheet = calculated(tmp_path, edit)
    assert line(sheet, "Unused users", -1)[5] == expected
    assert line(sheet, "Inactive users", -1)[5] == line(sheet, "123456789012")[10] == "OK"


def test_what_another_row_contradicts_stays_with_its_user_where_the_list_is_sorted(
    tmp_path: Path,
) -> None:
    late = a_user("late", created=days_before(50))
    users = [late, {**late, "mfa_active": "true"}, a_user("early", created=days_before(99))]
    listed = records(review_book_of(analyzed_users(tmp_path, users))["Unused users"])
    remarks = {row["User"]: row["Check first"] for row in listed}
    assert listed[0]["User"] == "early"
    assert remarks["early"] is None
    assert "another row of this ARN has another mfa_active" in remarks["late"]
