"""The workbook is one to work in: lists to decide in, progress that moves, checks that turn red."""

import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import openpyxl
import pytest
from openpyxl import Workbook
from openpyxl.utils import column_index_from_string as column_number
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.cli import main
from analyzer.decisions.decision import CHOICES, LedgerLine
from analyzer.decisions.list_layout import SHEETS
from analyzer.report.model import AccountName, UncoveredAccount
from analyzer.writers import write
from analyzer.writers.workbook import review_lists
from analyzer.writers.workbook.review_lists import REVIEW_LISTS, Listings, first_step
from analyzer.writers.workbook.text_sheet import NOT_APPLICABLE
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    COLUMNS_OF_2014,
    Row,
    a_certificate,
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
from tests.support.decisions import ledger_of, line
from tests.support.outputs import CONSOLE, analysis_of, analyzed_console
from tests.support.workbooks import (
    PAGE_POINTS,
    POINTS_A_UNIT,
    book_of,
    console_book,
    console_file,
    console_review_file,
    file_of,
    named_book,
    needs_libreoffice,
    opened,
    organization,
    parts,
    quiet_book,
    records,
    results_of,
    review_book_of,
    row_of,
    seen_by_libreoffice,
    texts,
    values,
    width_of,
    with_wrong_results,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time

ENTERED = ["Decision", "Decided by", "Decided on", "Ticket", "Comment"]
OTHER, OLD = "999999999999", "111122223333"


def heads(sheet: Worksheet) -> list[Any]:
    return [cell.value for cell in sheet[1]]


def letter(sheet: Worksheet, head: str) -> str:
    return get_column_letter(heads(sheet).index(head) + 1)


def validation(sheet: Worksheet, head: str) -> DataValidation:
    first = f"{letter(sheet, head)}2:"
    every = sheet.data_validations.dataValidation
    (one,) = [each for each in every if str(each.sqref).startswith(first)]
    return cast("DataValidation", one)


def listed_users(book: Workbook) -> dict[str, dict[str, Any]]:
    """Return the users of all lists to decide in, by name."""
    lists = [book[title] for title in SHEETS if title in book.sheetnames]
    return {row["User"]: row for sheet in lists for row in records(sheet) if row.get("ARN")}


# Lists


def test_the_reviewers_empty_columns_follow_the_user_then_come_why_certainty_and_facts(
    book: Workbook,
) -> None:
    facts = ["Age in days", "Last activity (UTC)", "Created", "As of (UTC)"]
    why = ["Why", "Certainty", "Check first", *facts]
    shown = {
        "Unused users": why,
        "Inactive users": [*why, "Idle days", "Verdict"],
        "Undetermined": ["Why", *facts, "Report", "Row"],
    }
    assert [*shown] == [*SHEETS]
    for title, then in shown.items():
        expected = ["Account", "User", *ENTERED, *then]
        assert heads(book[title])[: len(expected)] == expected
        assert "ARN" in heads(book[title])
        for row in records(book[title]):
            assert [row[head] for head in ENTERED] == [None] * 5


def test_facts_that_no_listed_user_has_are_left_out() -> None:
    gone = no_password(days_before(300))
    analysis = analysis_of(
        [a_user("certain", created=days_before(400)), a_user("gone", password=gone)]
    )
    (page,), files = analysis.pages(), analysis.report.files
    names = {ACCOUNT: AccountName(name="production")}
    for each in REVIEW_LISTS[:2]:
        columns = each.columns(page.where(each.has(page)), files, names)
        shown = [column.head for column in columns]
        assert {"Account name", *ENTERED, "Password", "Key 1 created (UTC)"} <= {*shown}
        assert not {"Check first", "Account owner", "Earlier decision", "Idle days"} & {*shown}
        assert "Account name" not in [c.head for c in each.columns(page, files, {})]


def test_retired_and_dormant_users_are_listed_as_inactive_and_exempt_ones_nowhere(
    book: Workbook,
) -> None:
    listed = {row["ARN"]: row["Verdict"] for row in records(book["Inactive users"])}
    assert listed == {
        row["ARN"]: row["Verdict"]
        for row in records(book["All users"])
        if row["Verdict"] in ("retired", "dormant") and row["Exemption"] is None
    }
    assert {*listed.values()} == {"retired", "dormant"}
    exempt = {row["ARN"] for row in records(book["Exempt"])}
    assert exempt
    for title in SHEETS:
        assert not exempt & {row["ARN"] for row in records(book[title])}


def test_an_empty_list_of_inactive_or_undetermined_users_has_no_sheet() -> None:
    book = quiet_book()
    assert not {"Inactive users", "Undetermined"} & {*book.sheetnames}
    assert row_of(book["Summary"], "All lists")[1] == "=SUM(B8:B10)"


@pytest.fixture(scope="module")
def many() -> Workbook:
    """Open users of all kinds: a named account, two without a name, and two that are missing."""
    doubtful = an_inactive_key(used=days_before(500))
    later = a_key(days_before(900), days_before(300))
    late = a_user("late", created=days_before(45))
    users = [
        a_user("f", account=OTHER, created=days_before(900)),
        a_user("c", key_1=doubtful, created=days_before(990)),
        a_user("b", created=days_before(40)),
        a_user("e", account=OTHER, created=days_before(950)),
        a_user("a", created=days_before(50)),
        a_user("d", key_1=doubtful, created=days_before(60)),
        a_user("none"),
        a_user("sign-in", password=a_password(days_before(200)), key_1=later),
        a_user("key", password=a_password(days_before(400)), key_2=later),
        a_user("no-region", key_1=later, access_key_1_last_used_region="N/A"),
        a_user("empty-region", key_1=later, access_key_1_last_used_region=""),
        a_user("unknown", password=no_password("soon")),
        *(late, {**late, "mfa_active": "true"}),
    ]
    old = [a_user("old", account=OLD, key_1=an_inactive_key())]
    text = report_text(old, root=the_root(OLD), columns=COLUMNS_OF_2014)
    report = analyzer.load(
        ("a.csv", report_text(users).encode()), ("b.csv", text.encode()), as_of=AS_OF
    )
    lost, unnamed = (
        UncoveredAccount(account=each, name="", reason="access denied")
        for each in ("444455556666", "555566667777")
    )
    known = AccountName(name="=production", owner="Ann")
    named = replace(
        report,
        account_names={ACCOUNT: known, lost.account: AccountName(name="lost")},
        left_out=(UncoveredAccount(account="666677778888", name="old", reason="closed"),),
        not_covered=(lost, unnamed),
    )
    return book_of(analyzer.analyze(named))


def test_lists_are_grouped_by_account_certain_before_check_oldest_first(many: Workbook) -> None:
    names = [row["User"] for row in records(many["Unused users"])]
    assert [name for name in names if name in "abcdef"] == [*"abcdef"]


def test_the_last_activity_is_the_newest_sign_in_or_key_use(many: Workbook) -> None:
    listed = listed_users(many)
    activities = {name: row["Last activity (UTC)"] for name, row in listed.items()}
    expected = {
        "none": "never",
        "sign-in": f"{days_before(200):%Y-%m-%d %H:%M}, sign-in",
        "key": f"{days_before(300):%Y-%m-%d %H:%M}, access key 2, ec2 in eu-west-1",
        "no-region": f"{days_before(300):%Y-%m-%d %H:%M}, access key 1, ec2",
        "empty-region": f"{days_before(300):%Y-%m-%d %H:%M}, access key 1, ec2",
        "unknown": "not known",
        "old": "not known",  # that report does not have the use of keys
    }
    assert {name: activities[name] for name in expected} == expected
    assert listed["sign-in"]["Why"] == "dormant: working credentials idle for 200 days"


def test_what_another_row_contradicts_stays_with_its_user_where_the_list_is_sorted(
    many: Workbook,
) -> None:
    listed = listed_users(many)
    assert "another row of this ARN has another mfa_active" in listed["late"]["Check first"]
    assert listed["a"]["Check first"] is None


def test_every_list_has_the_name_of_the_account_and_the_summary_names_all(many: Workbook) -> None:
    sheet = many["Unused users"]
    assert heads(sheet)[:4] == ["Account", "Account name", "User", "Decision"]
    assert sheet.freeze_panes == "D2"
    owners = {(row["Account"], row["Account owner"]) for row in records(sheet)}
    assert owners == {(ACCOUNT, "Ann"), (OTHER, None), (OLD, None)}
    for title in ("Unused users", "All users", "Root users", "Findings"):
        named = {(row["Account"], row["Account name"]) for row in records(many[title])}
        assert named - {(OTHER, None), (OLD, None)} == {(ACCOUNT, "=production")}
    summary = many["Summary"]
    assert row_of(summary, f"{ACCOUNT} =production (Ann)")[4] == 11
    assert row_of(summary, OTHER)[4] == 2
    assert row_of(summary, "444455556666")[1] == "lost, not covered: access denied"
    assert row_of(summary, "555566667777")[1] == "not covered: access denied"
    assert row_of(summary, "666677778888")[1] == "old, left out: closed"
    missing = "Missing: 444455556666 (lost), 555566667777."
    assert summary["A2"].value == f"INCOMPLETE: 3 of 5 accounts in 2 reports. {missing}"
    assert summary["A2"].fill.start_color.rgb == "00C00000"


def test_a_finding_says_in_which_list_its_user_is_decided(book: Workbook) -> None:
    lists = {row["ARN"]: title for title in SHEETS for row in records(book[title])}
    listed = records(book["Findings"])
    assert [row["Listed in"] for row in listed] == [lists.get(row["ARN"]) for row in listed]
    assert {row["Listed in"] for row in listed} == {None, *SHEETS}


# Entries


def test_a_decision_is_one_of_five_from_a_drop_down_and_its_date_a_date(book: Workbook) -> None:
    for title in SHEETS:
        sheet = book[title]
        choice, at = validation(sheet, "Decision"), letter(sheet, "Decision")
        assert choice.formula1 == '"delete,deactivate,keep,investigate,withdraw"'
        assert str(choice.sqref) == f"{at}2:{at}{sheet.max_row}"
        assert (choice.type, choice.showErrorMessage) == ("list", True)
        assert "withdraw" in str(choice.error)
        valid = validation(sheet, "Decided on")
        assert (valid.type, valid.operator, valid.formula1) == ("date", "greaterThan", "36526")
        assert "2026-03-01" in str(valid.error)
        assert sheet[f"{letter(sheet, 'Decided on')}2"].number_format == "yyyy-mm-dd"
    titles = [sheet.title for sheet in book.worksheets if "Decision" in texts(sheet).split("\n")]
    assert titles == [*SHEETS]


def test_no_prompt_covers_the_cells_beside_and_no_sheet_is_protected(book: Workbook) -> None:
    rules = [rule for sheet in book.worksheets for rule in sheet.data_validations.dataValidation]
    assert rules
    assert not any(rule.prompt or rule.promptTitle or rule.showInputMessage for rule in rules)
    assert not any(sheet.protection.sheet for sheet in book.worksheets)


def test_the_summary_says_what_each_yellow_cell_takes(book: Workbook) -> None:
    rows = [row for row in values(book["Summary"]) if row[0] in {*CHOICES}]
    assert [row[0] for row in rows] == [*CHOICES]
    assert [row[6] for row in rows] == ["Decided by", "Decided on", "Ticket", "Comment", "no entry"]
    for row in rows:
        assert len(row[1]) > 20
        assert len(row[8]) > 20
    assert "exempt for 180 days" in rows[2][1]
    yellow = {cell.fill.start_color.rgb for cell in book["Unused users"]["C2:G2"][0]}
    shown = [row for row in book["Summary"].iter_rows() if row[0].value in {"delete", "keep"}]
    assert {row[at].fill.start_color.rgb for row in shown for at in (0, 6)} == yellow


# Screen and paper


def test_age_and_owner_are_in_sight_on_a_screen_of_1400_pixels_and_pages_fit_at_8_points() -> None:
    digit, padding = 7, 5
    for book, last_shown in ((console_book(), "Age in days"), (named_book(), "Account owner")):
        for title in SHEETS:
            sheet, names = book[title], heads(book[title])
            shown = names[: names.index("Last activity (UTC)")]
            assert shown[-1] == last_shown
            assert width_of(sheet, *shown) * digit + len(shown) * padding <= 1400
            last = column_number(sheet.print_area.split(":")[1].split("$")[1])
            printed, repeated = names[:last], names[: names.index("User") + 1]
            assert {"Created", "Age in days", "Why"} <= {*printed}
            (end,) = [each.id for each in sheet.col_breaks.brk]
            assert sheet.print_title_cols == f"$A:${letter(sheet, 'User')}"
            assert sheet.print_title_rows == "$1:$1"
            scale = (sheet.page_setup.scale or 100) / 100
            for page in (printed[:end], [*repeated, *printed[end:]]):
                width = width_of(sheet, *page) * POINTS_A_UNIT * scale
                assert width <= min(PAGE_POINTS.values())
            assert min(cell.font.size for cell in sheet[2][:last]) * scale >= 8


def test_each_page_of_a_list_names_what_it_is_of_and_has_a_line_to_sign(book: Workbook) -> None:
    scope = "As of 2026-03-01 09:30 UTC (from the file name), account 123456789012"
    for title, last in zip(SHEETS, ("Check first", "Check first", "Age in days"), strict=True):
        sheet = book[title]
        (end,) = [each.id for each in sheet.col_breaks.brk]
        assert heads(sheet)[end - 1] == last  # of the first page
        assert str(sheet.oddHeader) == f"&LAccess review: unused IAM users&R{scope}"
        foot = str(sheet.oddFooter)
        assert foot.startswith("&LReviewed by: ____")
        assert "Signature: ____" in foot
        assert foot.endswith("&R&A, page &P of &N")
    assert "Signature" not in str(book["All users"].oddFooter)


def test_details_are_folded_and_left_out_of_print(book: Workbook) -> None:
    dates = {"Last sign-in (UTC)", "Key 1 created (UTC)", "Certificate 2 uploaded (UTC)"}
    for title in SHEETS:
        sheet, names = book[title], heads(book[title])
        columns = {head: sheet.column_dimensions[letter(sheet, head)] for head in names}
        folded = {head: each.outlineLevel for head, each in columns.items() if each.hidden}
        assert {*dates, "ARN", "Record"} <= {*folded}
        assert {*folded.values()} == {1}
        # All reports have the as-of that the head of each page shows; Why has the idle days.
        area = f"'{title}'!$A$1:${get_column_letter(names.index('As of (UTC)'))}${sheet.max_row}"
        assert sheet.print_area == area
        outline = sheet.sheet_properties.outlinePr
        assert outline is not None
        assert not outline.summaryRight
        assert names[-1] == "Record"
        assert not sheet.cell(2, len(names)).alignment.wrap_text  # or rows grow high
        assert json.loads(records(sheet)[0]["Record"])["cells"]


# Progress


def test_the_progress_begins_with_nothing_decided_and_all_checks_ok(results: Workbook) -> None:
    sheet = results["Summary"]
    lists = [len(records(results[title])) for title in SHEETS]
    for title, number in zip(SHEETS, lists, strict=True):
        progress, check = [row for row in values(sheet) if row[0] == title]
        assert progress[1:10] == (number, 0, number, 0, 0, 0, 0, 0, 0)
        listed, when_written, exempt, every, ok = check[1:6]
        assert (ok, listed, when_written) == ("OK", number, number)
        assert listed + exempt == every
    total = row_of(sheet, "All lists")
    assert total[1:11] == (sum(lists), 0, sum(lists), *[0] * 6, f"Decided: 0 of {sum(lists)}")


def test_how_many_were_listed_when_it_was_written_is_found_by_the_heads(book: Workbook) -> None:
    for each in (book, opened(console_review_file(), results=True)):
        rows = values(each["Summary"])
        (at,) = [at for at, row in enumerate(rows) if row[:3] == ("List", "Listed", "when written")]
        assert [row[0] for row in rows[at + 1 : at + 4]] == [*SHEETS]
        assert rows[at + 4][0] not in SHEETS
        listed = [len(records(each[title])) for title in SHEETS]
        assert [row[2] for row in rows[at + 1 : at + 4]] == listed


def test_too_many_users_to_gather_the_reviewers_names_are_only_counted_and_no_rule_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "Reviewers" in texts(quiet_book()["Summary"]).split("\n")
    monkeypatch.setattr(review_lists, "_MOST_NAMES", 0)
    analysis = analysis_of([a_user()])
    sheet = review_book_of(analysis)["Summary"]
    assert "Reviewers" not in texts(sheet).split("\n")
    assert "rule_results" not in analysis.__dict__


def test_columns_that_do_not_apply_have_a_dash(results: Workbook) -> None:
    dash = NOT_APPLICABLE.value
    for verdict in ("dormant", "active", "undetermined"):
        row = row_of(results["Summary"], verdict)
        assert (row[1], row[4:6]) == (row[2] + row[3], (dash, dash))
    for verdict in ("unused", "retired"):
        row = row_of(results["Summary"], verdict)
        assert row[3] == row[4] + row[5]
    assert "INCOMPLETE" not in texts(results["Summary"])


def calculated(folder: Path, edit: Callable[[Workbook], None]) -> list[list[str]]:
    """Return the Summary of the sample's workbook as LibreOffice shows it after an edit."""
    edited = openpyxl.load_workbook(io.BytesIO(console_file()))
    edit(edited)
    stream = io.BytesIO()
    edited.save(stream)
    return [list(row) for row in seen_by_libreoffice(folder, stream.getvalue())["Summary"]]


def summary_line(sheet: list[list[str]], first: str, at: int = 0) -> list[str]:
    return [row for row in sheet if row[0] == first][at]


ENTRIES: Mapping[str, Any] = dict(zip(ENTERED, ("delete", "Ada", date(2026, 5, 2)), strict=False))
COMPLETE: Mapping[str, Any] = {**ENTRIES, "Decided by": "Grace", "Comment": "break-glass"}
ROWS: tuple[Mapping[str, Any], ...] = (
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
    assert summary_line(sheet, "List")[4:10] == [*CHOICES, "Incomplete"]
    unused, inactive = (summary_line(sheet, title)[1:10] for title in SHEETS[:2])
    assert unused == ["21", "7", "14", "2", "1", "2", "1", "1", "8"]
    assert inactive == ["10", "1", "9", "0", "0", "1", "0", "0", "1"]
    total = summary_line(sheet, "All lists")
    assert total[2:4] == ["8", "27"]
    assert total[10] == "Decided: 8 of 35"
    reviewers, decided = (
        summary_line(sheet, first)[1:] for first in ("Reviewers", "Users decided by each")
    )
    names = zip(reviewers, decided, strict=True)
    assert {name.lower(): count for name, count in names if name} == {"ada": "4", "grace": "3"}


@needs_libreoffice
@pytest.mark.parametrize(("rows", "expected"), [([], "OK"), ([3], "DIFFERS")])
def test_a_row_that_is_deleted_from_a_list_turns_its_check_red(
    tmp_path: Path, rows: list[int], expected: str
) -> None:
    def delete(book: Workbook) -> None:
        for row in rows:
            book["Unused users"].delete_rows(row)

    sheet = calculated(tmp_path, delete)
    assert summary_line(sheet, "Unused users", -1)[5] == expected
    assert summary_line(sheet, "Inactive users", -1)[5] == "OK"
    assert summary_line(sheet, "123456789012")[10] == "OK"


# Earlier decisions

USERS = (
    *map(a_user, ("=1+1", "-x", "a,b")),
    a_user("back", created=days_before(20)),
    a_user("asleep", password=a_password(days_before(200))),
    a_user("odd", password_enabled="perhaps"),
    a_user("kept"),
)
SEEN, ON = days_before(58), date(2026, 3, 5)
DECISIONS = (
    line("keep", USERS[0], on=date(2025, 1, 1)),
    line("delete", USERS[1], by="Ann", on=ON, as_of=SEEN, ticket="7", comment="=SUM(1)"),
    line("investigate", USERS[2], on=ON, as_of=SEEN),
    line("delete", a_user("back"), by="Ann", on=ON, as_of=SEEN),
    line("deactivate", USERS[4], by="Grace", on=ON, as_of=SEEN),
    line("delete", USERS[5], by="ann", on=ON, as_of=SEEN),
    line("keep", USERS[6], by="Ann", on=ON, comment="by design"),
)


def carried_over(*decisions: LedgerLine, users: tuple[Row, ...] = USERS) -> Analysis:
    report = analyzer.load(("report.csv", report_text(users).encode()), as_of=AS_OF)
    return analyzer.analyze(report, ledger=ledger_of(*decisions))


@pytest.fixture(scope="module")
def carried() -> Workbook:
    return results_of(carried_over(*DECISIONS))


def test_what_was_decided_before_stands_beside_the_entries_which_are_empty(
    carried: Workbook,
) -> None:
    listed = listed_users(carried)
    assert {tuple(map(row.get, ENTERED)) for row in listed.values()} == {(None,) * 5}
    assert {name: row["Earlier decision"] for name, row in listed.items()} == {
        "=1+1": "keep, Anna, 2025-01-01: break-glass; ended on 2025-06-30",
        "-x": "delete, Ann, 2026-03-05, 7: =SUM(1); not done for 57 days",
        "a,b": "investigate, Anna, 2026-03-05",
        "back": None,
        "asleep": "deactivate, Grace, 2026-03-05; not done for 57 days",
        "odd": "delete, ann, 2026-03-05; not done for 57 days",
    }
    for title in SHEETS:
        names = heads(carried[title])
        assert names[names.index("Comment") + 1] == "Earlier decision"
        assert "Earlier decision" not in heads(console_book()[title])


def test_users_to_keep_are_exempt_with_the_comment(carried: Workbook) -> None:
    (exempt,) = records(carried["Exempt"])
    assert (exempt["User"], exempt["Exempt because"]) == ("kept", "by design")
    assert exempt["Exemption owner"] == "Ann"
    assert exempt["Exempt until"] == datetime(2026, 9, 1)  # noqa: DTZ001  as a workbook has it
    entry = records(carried["Exemption list"])[-1]
    assert entry["Exempt from"] == "unused-user, retired-user"
    assert not {*ENTERED} & {*exempt}


def test_a_user_to_keep_who_is_dormant_is_said_to_be_exempt_from_nothing() -> None:
    kept = results_of(carried_over(*(line("keep", USERS[at], on=ON) for at in (4, 6))))
    states = {row["User"]: row["State"] for row in records(kept["Exemption list"])}
    assert states == {"asleep": "exempts from nothing", "kept": "applies"}
    assert listed_users(kept)["asleep"]["Earlier decision"].endswith("nothing: the user is dormant")


CHECK = a_user("doubtful", certificate_1=a_certificate())
Case = tuple[tuple[Row, ...], tuple[LedgerLine, ...], tuple[int, int, int], str]
CERTAIN = "Start with Unused users: {}, by account, the oldest first."
THEN = " Then 1 user to check there. Then Inactive users: 1 user. Then Undetermined: 1 user."
NOTHING = "Nothing to decide: no user is listed for review."
FIRST_STEPS: tuple[Case, ...] = (
    ((a_user("busy", key_1=a_key(used=AS_OF)),), (), (0, 0, 0), NOTHING),
    (USERS[:1], (), (1, 0, 0), CERTAIN.format("1 certain user")),
    ((*USERS[:6], CHECK), (), (5, 1, 1), f"{CERTAIN.format('4 certain users')}{THEN}"),
    (USERS[:2], (line("keep", USERS[1], on=ON),), (1, 0, 0), CERTAIN.format("1 certain user")),
    ((CHECK,), (), (1, 0, 0), "Start with Unused users: 1 user to check."),
    (USERS[5:6], (), (0, 0, 1), "Start with Undetermined: 1 user."),
)
"""Users and decisions, how many users each list has, and what to do first."""


def test_the_summary_says_what_to_do_first(carried: Workbook) -> None:
    for users, decisions, listed, first in FIRST_STEPS:
        rows = zip(REVIEW_LISTS, listed, strict=True)
        lists = {each.title: SimpleNamespace(rows=number) for each, number in rows}
        analysis = carried_over(*decisions, users=users)
        assert first_step(analysis, cast("Listings", lists)) == first
    first = CERTAIN.format("4 certain users").removesuffix(".")
    assert str(values(carried["Summary"])[3][0]).startswith(first)


def test_the_progress_counts_no_earlier_decision(carried: Workbook) -> None:
    summary = carried["Summary"]
    for first, users in (("Unused users", 4), ("Inactive users", 1), ("All lists", 6)):
        row = next(row for row in values(summary) if row[0] == first)
        assert row[1:10] == (users, 0, users, 0, 0, 0, 0, 0, 0)
    for first in ("Reviewers", "Users decided by each"):
        assert row_of(summary, first)[1:] == (None,) * 11


SUMMARIES: dict[str, Callable[[], bytes]] = {
    "of an organization": lambda: file_of(organization()),
    "of an organization on many sheets": lambda: file_of(organization(), 100),
    "of earlier decisions": lambda: file_of(carried_over(*DECISIONS)),
    "of earlier decisions on many sheets": lambda: file_of(carried_over(*DECISIONS), 3),
    "of the sheets of a review": console_review_file,
}
WITHOUT_NUMBERS = ("Row count check", "Reviewers", "Users decided by each")


@needs_libreoffice
@pytest.mark.parametrize("kind", SUMMARIES)
def test_libreoffice_comes_to_the_same_numbers(tmp_path: Path, kind: str) -> None:
    file = SUMMARIES[kind]()
    expected = values(opened(file, results=True)["Summary"])
    shown = seen_by_libreoffice(tmp_path, with_wrong_results(file))["Summary"]
    counted = [
        (["" if cell is None else str(cell) for cell in row[:11]], [*calculated[:11]])
        for row, calculated in zip(expected, shown, strict=False)
        if isinstance(row[1], int) or row[0] in WITHOUT_NUMBERS
    ]
    assert len(counted) > 20
    for row, calculated in counted:
        assert calculated == row


# The sheets that a reviewer needs, alone

OF_SHEET = re.compile(r"'([^']+)'!")
COUNTED = ("All lists", *SHEETS, "unused", "dormant", "IAM users", "123456789012")


def test_the_sheets_of_a_review_refer_to_no_sheet_that_is_left_out(results: Workbook) -> None:
    alone = opened(console_review_file(), results=True)
    assert alone.sheetnames == ["Summary", *SHEETS, "Method"]
    for name, part in parts(console_review_file()).items():
        if name.startswith(("xl/worksheets/sheet", "xl/charts/")):
            assert {*OF_SHEET.findall(part.decode())} <= {*alone.sheetnames}
    for title in ("Findings", "Controls", "All users"):
        assert title not in [row[0] for row in values(alone["Method"])]
    assert "Findings by severity" not in texts(alone["Summary"])
    assert "All users" not in texts(alone["Summary"]) + texts(alone["Method"])
    counts, whole = (
        [row for row in values(book["Summary"]) if row[0] in COUNTED] for book in (alone, results)
    )
    assert counts == whole != []


def test_the_command_line_writes_the_sheets_of_a_review(tmp_path: Path) -> None:
    report, path = saved(tmp_path, report_text([a_user()])), tmp_path / "review.xlsx"
    assert main(["analyze", str(report), "-q", "-o", str(path), "--sheets", "review"]) == 0
    assert opened(path.read_bytes()).sheetnames == ["Summary", "Unused users", "Method"]


def test_other_sheets_or_no_workbook_for_them_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match="no sheets are some: choose from all, review"):
        write(analyzed_console(), tmp_path / "a.xlsx", sheets="some")
    assert not [*tmp_path.iterdir()]
    for output in ((), ("-o", "users.csv")):
        assert main(["analyze", str(CONSOLE), *output, "--sheets", "review"]) == 2
        assert "use it with -o FILE.xlsx only" in capsys.readouterr().err


def test_lists_are_two_pages_wide_with_all_names_owners_and_earlier_decisions_too() -> None:
    report = replace(
        carried_over().report, account_names={ACCOUNT: AccountName(name="production", owner="Ann")}
    )
    owners = analyzer.read_owners(b"account,user,owner,email,left\n*,*,Bob,,2026-01-01\n")
    book = review_book_of(analyzer.analyze(report, ledger=ledger_of(*DECISIONS), owners=owners))
    assert [len(book[title].col_breaks.brk) for title in (*SHEETS, "Follow-up")] == [1] * 4
