"""The workbook has what the analysis says of users, and ties out to the rows that were read."""

from datetime import date, datetime
from functools import cache
from hashlib import sha256
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest
from openpyxl import Workbook

import analyzer
from analyzer import columns
from analyzer.changes.diff import COLUMNS
from analyzer.changes.user_changes import Change
from analyzer.report.model import Exemption, ReportFile
from analyzer.terms import Criteria, Definition, Verdict
from analyzer.verdicts.caveats import CAVEATS
from analyzer.verdicts.verdict import REASON_TEXTS
from analyzer.version import VERSION
from analyzer.writers.workbook.lists import change_columns
from analyzer.writers.workbook.summary_sheet import _as_of_spread_notes
from analyzer.writers.workbook.text_sheet import NOT_APPLICABLE
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    COLUMNS_OF_2014,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    report_text,
    the_root,
)
from tests.support.outputs import CONSOLE, EXEMPTIONS, analysis_of, analyzed_console
from tests.support.workbooks import (
    book_of,
    console_book,
    moment,
    opened,
    organization,
    organization_file,
    quiet_book,
    records,
    results_of,
    row_of,
    texts,
    values,
)

DASH = NOT_APPLICABLE.value
USED = days_before(0.5)
OTHER, OLD = "999999999999", "111122223333"


@pytest.fixture(scope="module")
def book() -> Workbook:
    """Open the workbook of the sample that has every verdict, reason and caveat."""
    return console_book()


@pytest.fixture(scope="module")
def results() -> Workbook:
    return console_book(results=True)


@cache
def odd() -> Workbook:
    """Open the workbook of odd users, of three accounts, one row without any, and one of 2014."""
    users = (
        a_user(
            "used", password=a_password(USED, days_before(30)), key_1=a_key(days_before(9), USED)
        ),
        a_user("never", password=a_password(), key_1=an_inactive_key()),
        a_user("ann") | {"password_enabled": "not_supported"},
        a_user("gone", arn="gone"),
        *(a_user(name) for name in ("quiet", "quiet", "other")),
        a_user("bob", account=OTHER),
    )
    root = the_root(password_enabled="not_supported", password_last_changed="?")
    old = [a_user("old", account=OLD, key_1=an_inactive_key())]
    header, _, row = report_text(old, columns=COLUMNS_OF_2014).splitlines()
    report = analyzer.load(
        ("report.csv", report_text(users, root=root).encode()),
        ("old.csv", f"{header}\n{row}\n".encode()),
        as_of=AS_OF,
    )
    criteria = Criteria(definition=Definition.IAM_029, dormant_days=45)
    entries = [
        Exemption("*", "other", "on leave", "first", None, 2),
        Exemption("*", "quiet", "on leave", "second", date(2027, 1, 1), 3),
        Exemption("*", "quiet", "waits", "IT", date(2027, 1, 1), 4, "idle-password"),
    ]
    return results_of(analyzer.analyze(report, criteria, entries))


def users_by_name(book: Workbook, title: str = "All users") -> dict[str, dict[str, Any]]:
    return {row["User"]: row for row in records(book[title])}


@pytest.mark.no_cover
def test_the_sheets_stand_in_the_order_of_the_work(book: Workbook) -> None:
    lists = ["Unused users", "Inactive users", "Undetermined"]
    others = ["Findings", "Controls", "All users", "Root users", "Exempt", "Exemption list"]
    assert book.sheetnames == ["Summary", *lists, *others, "Method"]
    assert not {"Exempt", "Exemption list", "Undetermined"} & {*quiet_book().sheetnames}


def test_a_report_of_nobody_says_so() -> None:
    book = results_of(analysis_of([]), changes=changed(), since="earlier")
    assert "No IAM users in the reports." in texts(book["All users"])
    assert "No users to review" in texts(book["Unused users"])
    assert row_of(book["Summary"], ACCOUNT)[:5] == (ACCOUNT, 1, 1, 0, 0)
    assert row_of(book["Summary"], "Row count check")[1] == "OK"
    nothing = "No changes since the previous run."
    assert nothing in texts(book["Changes"])
    assert row_of(book["Summary"], "Compared with")[1] == f"The run earlier. {nothing}"


def test_an_unused_user_is_listed_with_reason_caveats_and_credentials(book: Workbook) -> None:
    user = users_by_name(book, "Unused users")["hadoop-loader"]
    assert user["Account"] == "123456789012"
    assert user["ARN"] == "arn:aws:iam::123456789012:user/service/data/hadoop-loader"
    assert user["Why"] == "has no password, and only inactive access keys"
    assert user["Certainty"] == "check"
    assert len(user["Check first"].split("\n")) == 4
    assert user["Created"] == moment("2012-06-19 17:33:06")
    assert user["Age in days"] == 5002
    assert (user["Password"], user["Last sign-in (UTC)"]) == ("none", None)
    assert (user["Access key 1"], user["Access key 2"]) == ("inactive", "absent")
    for head in ("Key 1 created (UTC)", "Key 1 last used (UTC)", "Certificate 1 uploaded (UTC)"):
        assert isinstance(user[head], datetime)
    assert user["Key 2 last used (UTC)"] is None
    assert (user["Certificate 1"], user["MFA"]) == ("active", "yes")


def test_all_users_are_listed_with_verdict_and_facts(book: Workbook) -> None:
    analysis = analyzed_console()
    listed = records(book["All users"])
    assert [row["ARN"] for row in listed] == analysis.users[columns.ARN].tolist()
    assert [row["Verdict"] for row in listed] == analysis.users[columns.VERDICT].tolist()
    assert [row["Row"] for row in listed] == analysis.users[columns.ROW].tolist()
    assert {row["Report"] for row in listed} == {str(CONSOLE)}
    assert {row["As of (UTC)"] for row in listed} == {moment("2026-03-01 09:30:00")}


@pytest.mark.no_cover
def test_dates_are_real_and_in_utc_and_what_was_never_used_differs_from_what_is_not_there() -> None:
    sheet = odd()["All users"]
    row, never = (users_by_name(odd())[name] for name in ("used", "never"))
    assert row["Last sign-in (UTC)"] == row["Key 1 last used (UTC)"] == USED.replace(tzinfo=None)
    assert row["Key 1 created (UTC)"] == days_before(9).replace(tzinfo=None)
    dates = [cell for cell in sheet[2] if isinstance(cell.value, datetime)]
    assert {cell.number_format for cell in dates} == {"yyyy-mm-dd hh:mm"}
    assert never["Last sign-in (UTC)"] == "never"
    assert (never["Key 1 last used (UTC)"], never["Key 2 last used (UTC)"]) == ("never", None)
    assert (never["Key 1 last service"], never["Password expires (UTC)"]) == (None, None)


def test_more_credentials_and_saved_lists_of_service_credentials_are_shown(book: Workbook) -> None:
    listed = users_by_name(book)
    assert "more access key" in listed["batch-export"]["More credentials"]
    assert listed["git-mirror"]["Service credentials"] == "codecommit.amazonaws.com"
    assert listed["lena.hartwig"]["Service credentials"] == "none"
    assert listed["lena.hartwig"]["More credentials"] is None
    (quiet,) = records(quiet_book()["All users"])
    assert quiet["Service credentials"] == "not known"


@pytest.mark.no_cover
def test_what_aws_does_not_say_of_the_root_is_not_reported_and_of_a_user_not_understood() -> None:
    (root,) = records(odd()["Root users"])
    assert root["Password"] == "not reported"
    assert root["Password changed (UTC)"] == '"?" (not understood)'
    assert users_by_name(odd())["ann"]["Password"] == '"not_supported" (not understood)'
    assert "AWS writes not_supported" in row_of(odd()["Method"], "not reported")[1]


def test_root_users_are_listed_with_what_the_rules_read(book: Workbook) -> None:
    (root,) = records(book["Root users"])
    assert (root["User"], root["ARN"]) == ("<root_account>", "arn:aws:iam::123456789012:root")
    assert (root["Password"], root["MFA"]) == ("enabled", "yes")
    assert (root["Report"], root["Row"]) == (str(CONSOLE), 2)
    assert "Verdict" not in root


def test_what_was_not_understood_is_shown_raw(book: Workbook) -> None:
    listed = users_by_name(book)
    assert listed["elif.sahin"]["Created (UTC)"] == '"2023-04-1" (not understood)'
    assert listed["juergen.adler"]["Password"] == '"wahr" (not understood)'
    assert listed["soap-relay"]["Certificate 1"] == '"revoked" (not understood)'
    assert listed["svc-thumbnails"]["Key 1 last used (UTC)"] == '"never" (not understood)'


def test_undetermined_users_are_listed_with_the_reason_and_where_to_look(book: Workbook) -> None:
    listed = users_by_name(book, "Undetermined")
    user = listed["svc-queue"]
    assert user["Why"] == 'access_key_2_last_used_date "2024-11-2" is not understood'
    assert (user["Report"], user["Row"]) == (str(CONSOLE), 45)
    every = records(book["All users"])
    assert len(listed) == sum(
        row["Verdict"] == "undetermined" and row["Exemption"] is None for row in every
    )


def test_a_column_that_the_report_lacks_is_named() -> None:
    user = users_by_name(odd())["old"]
    assert user["Key 1 last used (UTC)"] == "not in this report"
    assert user["Key 1 last region"] is None


@pytest.mark.no_cover
def test_rows_whose_arn_names_no_account_and_repeated_rows_are_counted() -> None:
    summary = odd()["Summary"]
    assert row_of(summary, "not known")[1:5] == (1, 0, 0, 1)
    assert users_by_name(odd())["gone"]["Account"] == "not known"
    assert row_of(summary, ACCOUNT)[1:5] == (7, 1, 1, 5)
    assert row_of(summary, "Repeated rows")[1] == 1
    assert row_of(summary, "Row count check")[1] == "OK"
    assert row_of(summary, "report.csv")[4] == "3 accounts"


def test_exempt_users_are_listed_with_the_entry_that_exempts_them(book: Workbook) -> None:
    listed = users_by_name(book, "Exempt")
    jenkins = listed["ci-bot-jenkins"]
    assert jenkins["Verdict"] == "unused"
    assert jenkins["Exempt because"] == "Replaced by roles this summer"
    assert jenkins["Exemption owner"] == "Platform team"
    assert jenkins["Exempt until"] == moment("2026-06-30 00:00:00")
    assert listed["break-glass-1"]["Exempt until"] == "no end"
    assert listed["ci-bot-deploy"]["Verdict"] == "active"


def test_each_entry_of_the_exemption_list_is_shown_with_its_state(book: Workbook) -> None:
    entries = records(book["Exemption list"])
    heads = ("User", "Users matched", "Applies to", "State")
    assert [tuple(row[name] for name in heads) for row in entries] == [
        ("break-glass-?", 1, 1, "applies"),
        ("contractor-ines", 1, 1, "applies"),
        ("ci-bot-*", 3, 3, "applies"),
        ("GIT-MIRROR", 1, 1, "applies"),
        ("oskar.lind", 1, 0, "expired"),
        ("departed-admin", 0, 0, "matches no user"),
    ]
    assert [row["Line in the list"] for row in entries] == [2, 3, 4, 5, 6, 7]
    assert entries[0]["Last day (UTC)"] == "no end"
    assert entries[1]["Last day (UTC)"] == moment("2026-03-01 00:00:00")
    assert {row["Exempt from"] for row in entries} == {"all rules"}


@pytest.mark.no_cover
def test_of_entries_with_one_reason_the_one_that_applies_is_named_with_its_owner() -> None:
    exempt = users_by_name(odd(), "Exempt")
    owners = {name: row["Exemption owner"] for name, row in exempt.items()}
    assert owners == {"quiet": "second", "other": "first"}
    of_rule = records(odd()["Exemption list"])[2]
    assert (of_rule["Exempt from"], of_rule["Owner"]) == ("idle-password", "IT")
    assert of_rule["Last day (UTC)"] == moment("2027-01-01 00:00:00")


def test_the_summary_names_reports_and_other_files_with_their_sha256(book: Workbook) -> None:
    shown = texts(book["Summary"])
    (file,) = analyzed_console().report.files
    assert "from the file name" in shown
    assert f"credreport {VERSION}" in shown
    row = row_of(book["Summary"], str(CONSOLE))
    assert row[1] == moment("2026-03-01 09:30:00")
    assert (row[4], *row[6:9]) == ("123456789012", 49, file.size, file.sha256)
    beside = CONSOLE.with_name(f"{CONSOLE.name}.service-credentials.json")
    for name, path in ((str(EXEMPTIONS), EXEMPTIONS), (str(beside), beside)):
        assert sha256(path.read_bytes()).hexdigest() in row_of(book["Summary"], name)
    assert "Other input files" not in texts(quiet_book()["Summary"])


def test_verdicts_add_up_to_the_rows_read(results: Workbook) -> None:
    counts = {verdict: row_of(results["Summary"], verdict)[1] for verdict in Verdict}
    assert sum(counts.values()) == row_of(results["Summary"], "IAM users")[1] == 47
    for name, number in (("Root rows", 1), ("Repeated rows", 1), ("Rows read", 49)):
        assert row_of(results["Summary"], name)[1] == number
    assert row_of(results["Summary"], "Row count check")[1] == "OK"
    assert row_of(results["Summary"], "unused")[1:6] == (26, 5, 21, 8, 13)
    assert row_of(results["Summary"], "IAM users")[1:6] == (47, 6, 41, DASH, DASH)


@pytest.mark.no_cover
def test_accounts_add_up_to_the_rows_read_and_each_file_has_its_as_of() -> None:
    report = organization().report
    book = opened(organization_file(), results=True)
    sheet, newest = book["Summary"], max(file.as_of for file in report.files)
    rows = [row_of(sheet, account) for account in sorted(report.accounts)]
    for account in rows:
        assert account[1] == sum(account[2:5])
        assert account[4] == sum(account[5:10])
        assert account[10] == "OK"
    total = row_of(sheet, "All accounts read")
    assert total[1:10] == tuple(map(sum, zip(*(row[1:10] for row in rows), strict=True)))
    assert total[1] == report.rows
    for file in report.files:
        row = row_of(sheet, file.name)
        assert row[1] == file.as_of.replace(tzinfo=None)
        assert row[2] == "assumed: the newest timestamp in the report"
        assert file.sha256 in row
    assert book.properties.created == newest.replace(tzinfo=None)


def test_numbers_that_nobody_edits_are_numbers_and_their_checks_are_formulas(
    book: Workbook,
) -> None:
    account = row_of(book["Summary"], "123456789012")
    row = next(row for row in book["Summary"].iter_rows() if row[0].value == "123456789012")
    at = row[0].row
    sums = f"B{at}=C{at}+D{at}+E{at},E{at}=SUM(F{at}:J{at})"
    numbers = (49, 1, 1, 47, 26, 4, 6, 7, 4)
    assert account[1:11] == (*numbers, f'=IF(AND({sums}),"OK","DIFFERS")')
    assert row_of(book["Summary"], "All accounts read")[1:10] == numbers


def test_a_list_is_counted_again_and_compared_with_its_number_when_written(book: Workbook) -> None:
    rows = [row for row in values(book["Summary"]) if row[0] == "Unused users"]
    check = '=IF(AND(B82=C82,B82+D82=E82),"OK","DIFFERS")'
    listed = "=COUNTIF('Unused users'!$A$2:$A$22,\"?*\")"
    assert rows[-1][1:6] == (listed, 21, 5, 26, check)


def test_a_check_that_fails_turns_red(book: Workbook) -> None:
    rules = book["Summary"].conditional_formatting
    cells = {str(each.sqref): each.rules[0].formula for each in rules}
    assert cells == {where: ['"DIFFERS"'] for where in ("B39", "F82:F84", "K88:K89")}
    assert row_of(book["Summary"], "Row count check")[1] == '=IF(B38=B35+B36+B37,"OK","DIFFERS")'
    # What it means takes the rest of the row.
    assert "G39:L39" in [*map(str, book["Summary"].merged_cells.ranges)]


def test_notes_and_exemptions_that_do_not_apply_are_shown(book: Workbook) -> None:
    shown, noted = texts(book["Summary"]), analyzed_console().report.notes
    assert noted
    for each in (*noted, "oskar.lind", "departed-admin", "Entries: 6. Exempt users: 6."):
        assert each in shown
    assert "No exemptions." in texts(quiet_book()["Summary"])


def test_ages_of_unused_users_add_up(results: Workbook) -> None:
    sheet = results["Summary"]
    ages = ("under 30 days", "30 to 89 days", "90 to 179 days", "180 to 364 days")
    bands = [row_of(sheet, band)[1] for band in (*ages, "1 to 2 years", "over 2 years", "unknown")]
    assert bands == [2, 1, 1, 0, 4, 17, 1]
    assert row_of(sheet, "All unused users")[1] == sum(bands) == row_of(sheet, "unused")[1]
    quiet = quiet_book()["Summary"]
    assert "unknown" not in texts(quiet).split("\n")
    assert row_of(quiet, "over 2 years")[1] == 1


def test_there_is_room_to_sign(book: Workbook) -> None:
    shown = texts(book["Summary"]).split("\n")
    assert {"Prepared by", "Reviewed by", "Name", "Date", "Signature"} <= {*shown}


def test_the_criteria_are_shown_in_words() -> None:
    for book, definition, days in ((quiet_book(), "no-active-key", 90), (odd(), "iam-029", 45)):
        for sheet in (book["Summary"], book["Method"]):
            shown = row_of(sheet, "Definition of unused")[1]
            assert shown.startswith(f"{definition}: Never signed in")
            assert ("active or not" in shown) == (definition == "iam-029")
            assert ("Here an inactive access key is one." in shown) == (definition == "iam-029")
            assert row_of(sheet, "Dormant from")[1].startswith(f"{days} days")
            assert "7 days" in row_of(sheet, "Grace for new users")[1]


def test_the_method_explains_every_word_and_what_no_report_shows(book: Workbook) -> None:
    sheet = book["Method"]
    caveats = [caveat.id for caveat in CAVEATS]
    for word in (*Verdict, *REASON_TEXTS, *caveats):
        assert len(row_of(sheet, str(word))[1]) > 20
    explained = [row[0].value for row in sheet.iter_rows()]
    assert [name for name in explained if name in caveats] == caveats
    assert "SSH public keys" in texts(sheet)
    assert "Roles, federation" in texts(sheet)
    assert "Sort whole rows" in row_of(sheet, "Unused users")[1]


def test_the_moment_is_that_of_the_option() -> None:
    shown = texts(quiet_book()["Summary"])
    assert f"As of {AS_OF:%Y-%m-%d %H:%M} UTC (set with --as-of)" in shown


@pytest.mark.parametrize(("apart", "noted"), [(1.0, False), (1.001, True)])
def test_reports_more_than_a_day_apart_are_noted(apart: float, *, noted: bool) -> None:
    files = [SimpleNamespace(name="x", as_of=days_before(days)) for days in (0, apart)]
    notes = [*_as_of_spread_notes(cast("list[ReportFile]", files))]
    assert ["The reports are 1.0 days apart" in each for each in notes] == [True] * noted


# Changes since the previous run


def changed(*rows: dict[str, str]) -> pd.DataFrame:
    """Return changes of which only some columns are filled."""
    frame = pd.DataFrame(list(rows), columns=list(COLUMNS), dtype="str").fillna("")
    moments = {
        name: pd.to_datetime(frame[name], utc=True).dt.as_unit("s")
        for name in ("last_use", "created")
    }
    return frame.astype({"change": "category"}).assign(**moments)


def a_change(change: str, name: str, before: str, now: str, **cells: str) -> dict[str, str]:
    arn = f"arn:aws:iam::{ACCOUNT}:user/{name}"
    row = {"change": change, "account": ACCOUNT, "user": name, "arn": arn}
    return {**row, "before": before, "now": now, **cells}


CHANGES = changed(
    a_change("new", "=1+1", "", "unused", cause="user created on 2026-01-01"),
    a_change("gone", "left", "unused", ""),
    a_change("used-again", "back", "unused", "active", last_use="2026-02-03T04:05:06Z"),
    a_change("finding-new", "back", "", "fails", rule="idle-password", fact="idle 50 days"),
    {"change": "not-covered", "account": ACCOUNT, "cause": "not covered now: Denied."},
)


@pytest.fixture(scope="module")
def compared() -> Workbook:
    return book_of(analysis_of([a_user()]), changes=CHANGES, since="2026-01-15T09-30-00Z")


@pytest.mark.no_cover
def test_each_change_is_listed_with_its_meaning_and_both_verdicts(compared: Workbook) -> None:
    new, gone, again, finding, account = records(compared["Changes"])
    assert {head: value for head, value in new.items() if value} == {
        "Account": ACCOUNT,
        "User": "=1+1",
        "ARN": f"arn:aws:iam::{ACCOUNT}:user/=1+1",
        "Change": "new",
        "Now": "unused",
        "Cause": "user created on 2026-01-01",
        "Meaning": "A user that the earlier report does not have.",
    }
    assert (gone["Before"], gone["Now"]) == ("unused", None)
    assert again["Last use (UTC)"] == moment("2026-02-03 04:05:06")
    assert (finding["Rule"], finding["Finding"]) == ("idle-password", "idle 50 days")
    assert (account["User"], account["Cause"]) == (None, "not covered now: Denied.")
    assert {cell.data_type for cell in compared["Changes"][2][:3]} == {"s"}  # no formula


def test_every_change_has_a_meaning() -> None:
    (meaning,) = (c for c in change_columns(analyzed_console()) if c.head == "Meaning")
    shown = meaning.shown(changed(*(a_change(each, "ann", "", "") for each in Change)))
    assert shown.to_pylist() == [each.meaning for each in Change]


@pytest.mark.no_cover
def test_the_changes_are_a_table_behind_the_lists_which_summary_and_method_name(
    compared: Workbook, book: Workbook
) -> None:
    assert compared.sheetnames[:4] == ["Summary", "Unused users", "Changes", "Findings"]
    assert [table.displayName for table in compared["Changes"].tables.values()] == ["Changes"]
    assert "since the previous run" in row_of(compared["Method"], "Changes")[1]
    assert row_of(compared["Summary"], "Compared with")[1] == (
        "The run 2026-01-15T09-30-00Z. Changes since:"
        " new 1, gone 1, used-again 1, finding-new 1. Accounts not compared: 1."
    )
    assert "Changes" not in book.sheetnames
    assert "Changes" not in texts(book["Method"]).split("\n")
    assert row_of(book["Summary"], "Compared with")[1] == "No previous run."
