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
from analyzer.limits import Criteria, Definition
from analyzer.report.model import Exemption, ReportFile
from analyzer.terms import VERSION, Verdict
from analyzer.verdicts.caveats import CAVEATS
from analyzer.verdicts.verdict import REASON_TEXTS
from analyzer.writers.workbook.lookup_lists import change_columns
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
ARN = "arn:aws:iam::123456789012:"


@cache
def odd() -> Workbook:
    """Open the workbook of odd users, of three accounts, one row without any, and one of 2014."""
    used = a_key(days_before(9), USED)
    users = (
        a_user("used", password=a_password(USED, days_before(30)), key_1=used),
        a_user("never", password=a_password(), key_1=an_inactive_key()),
        a_user("ann", password_enabled="not_supported"),
        a_user("gone", arn="gone"),
        *map(a_user, ("quiet", "quiet", "other")),
        a_user("bob", account=OTHER),
    )
    root = the_root(password_enabled="not_supported", password_last_changed="?")
    old = [a_user("old", account=OLD, key_1=an_inactive_key())]
    header, _, row = report_text(old, columns=COLUMNS_OF_2014).splitlines()
    files = {"report.csv": report_text(users, root=root), "old.csv": f"{header}\n{row}\n"}
    report = analyzer.load(*((name, files[name].encode()) for name in files), as_of=AS_OF)
    entries = [
        Exemption("*", "other", "on leave", "first", None, 2),
        Exemption("*", "quiet", "on leave", "second", date(2027, 1, 1), 3),
        Exemption("*", "quiet", "waits", "IT", date(2027, 1, 1), 4, "idle-password"),
    ]
    criteria = Criteria(definition=Definition.IAM_029, dormant_days=45)
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


# Users


def raw(text: str) -> str:
    return f'"{text}" (not understood)'


ALL, LISTED = "All users", "Unused users"
USED_AS_SHOWN, BORN_AS_SHOWN = (day.replace(tzinfo=None) for day in (USED, days_before(9)))
UNREAD_USE = 'access_key_2_last_used_date "2024-11-2" is not understood'
CELLS: tuple[tuple[str, str, str, Any], ...] = (
    (LISTED, "hadoop-loader", "Account", "123456789012"),
    (LISTED, "hadoop-loader", "ARN", f"{ARN}user/service/data/hadoop-loader"),
    (LISTED, "hadoop-loader", "Why", "has no password, and only inactive access keys"),
    (LISTED, "hadoop-loader", "Certainty", "check"),
    (LISTED, "hadoop-loader", "Created", moment("2012-06-19 17:33:06")),
    (LISTED, "hadoop-loader", "Age in days", 5002),
    (LISTED, "hadoop-loader", "Password", "none"),
    (LISTED, "hadoop-loader", "Last sign-in (UTC)", None),
    (LISTED, "hadoop-loader", "Access key 1", "inactive"),
    (LISTED, "hadoop-loader", "Access key 2", "absent"),
    (LISTED, "hadoop-loader", "Key 1 created (UTC)", moment("2012-06-19 17:34:21")),
    (LISTED, "hadoop-loader", "Key 1 last used (UTC)", moment("2019-01-08 04:45:00")),
    (LISTED, "hadoop-loader", "Key 2 last used (UTC)", None),
    (LISTED, "hadoop-loader", "Certificate 1", "active"),
    (LISTED, "hadoop-loader", "Certificate 1 uploaded (UTC)", moment("2013-09-02 12:00:40")),
    (LISTED, "hadoop-loader", "MFA", "yes"),
    ("Undetermined", "svc-queue", "Why", UNREAD_USE),
    ("Undetermined", "svc-queue", "Report", str(CONSOLE)),
    ("Undetermined", "svc-queue", "Row", 45),
    ("Root users", "<root_account>", "ARN", f"{ARN}root"),
    ("Root users", "<root_account>", "Password", "enabled"),
    ("Root users", "<root_account>", "MFA", "yes"),
    ("Root users", "<root_account>", "Report", str(CONSOLE)),
    ("Root users", "<root_account>", "Row", 2),
    (ALL, "elif.sahin", "Created (UTC)", raw("2023-04-1")),
    (ALL, "juergen.adler", "Password", raw("wahr")),
    (ALL, "soap-relay", "Certificate 1", raw("revoked")),
    (ALL, "svc-thumbnails", "Key 1 last used (UTC)", raw("never")),
    (ALL, "git-mirror", "Service credentials", "codecommit.amazonaws.com"),
    (ALL, "lena.hartwig", "Service credentials", "none"),
    (ALL, "lena.hartwig", "More credentials", None),
    ("Exempt", "ci-bot-jenkins", "Verdict", "unused"),
    ("Exempt", "ci-bot-jenkins", "Exempt because", "Replaced by roles this summer"),
    ("Exempt", "ci-bot-jenkins", "Exemption owner", "Platform team"),
    ("Exempt", "ci-bot-jenkins", "Exempt until", moment("2026-06-30")),
    ("Exempt", "break-glass-1", "Exempt until", "no end"),
    ("Exempt", "ci-bot-deploy", "Verdict", "active"),
)
CELLS_OF_ODD: tuple[tuple[str, str, str, Any], ...] = (
    (ALL, "used", "Last sign-in (UTC)", USED_AS_SHOWN),
    (ALL, "used", "Key 1 last used (UTC)", USED_AS_SHOWN),
    (ALL, "used", "Key 1 created (UTC)", BORN_AS_SHOWN),
    (ALL, "never", "Last sign-in (UTC)", "never"),
    (ALL, "never", "Key 1 last used (UTC)", "never"),
    (ALL, "never", "Key 2 last used (UTC)", None),
    (ALL, "never", "Key 1 last service", None),
    (ALL, "never", "Password expires (UTC)", None),
    (ALL, "ann", "Password", raw("not_supported")),
    ("Root users", "<root_account>", "Password", "not reported"),
    ("Root users", "<root_account>", "Password changed (UTC)", raw("?")),
    (ALL, "old", "Key 1 last used (UTC)", "not in this report"),
    (ALL, "old", "Key 1 last region", None),
    (ALL, "gone", "Account", "not known"),
    ("Exempt", "quiet", "Exemption owner", "second"),  # of two for one reason, that which applies
    ("Exempt", "other", "Exemption owner", "first"),
)


@pytest.mark.no_cover
def test_each_cell_shows_what_the_report_says_or_that_it_does_not(book: Workbook) -> None:
    for workbook, cells in ((book, CELLS), (odd(), CELLS_OF_ODD)):
        users = {title: users_by_name(workbook, title) for title in {cell[0] for cell in cells}}
        for title, user, head, shown in cells:
            assert users[title][user][head] == shown, (title, user, head)


@pytest.mark.no_cover
def test_dates_are_real_and_caveats_and_more_credentials_are_named(book: Workbook) -> None:
    dates = [cell for cell in odd()["All users"][2] if isinstance(cell.value, datetime)]
    assert {cell.number_format for cell in dates} == {"yyyy-mm-dd hh:mm"}
    check = users_by_name(book, "Unused users")["hadoop-loader"]["Check first"]
    assert len(check.split("\n")) == 4
    assert "more access key" in users_by_name(book)["batch-export"]["More credentials"]
    (quiet,) = records(quiet_book()["All users"])
    assert quiet["Service credentials"] == "not known"
    assert "AWS writes not_supported" in row_of(odd()["Method"], "not reported")[1]
    for says in ("or the as-of time is assumed", "a signing certificate of the root user"):
        assert says in texts(book["Method"])
    (root,) = records(book["Root users"])
    assert "Verdict" not in root


def test_all_users_are_listed_with_verdict_and_facts(book: Workbook) -> None:
    users, listed = analyzed_console().users, records(book["All users"])
    for head, name in (("ARN", columns.ARN), ("Verdict", columns.VERDICT), ("Row", columns.ROW)):
        assert [row[head] for row in listed] == users[name].tolist()
    assert {row["Report"] for row in listed} == {str(CONSOLE)}
    assert {row["As of (UTC)"] for row in listed} == {moment("2026-03-01 09:30:00")}
    assert len(records(book["Undetermined"])) == sum(
        row["Verdict"] == "undetermined" and row["Exemption"] is None for row in listed
    )


@pytest.mark.no_cover
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
    last_days = [row["Last day (UTC)"] for row in entries[:2]]
    assert last_days == ["no end", moment("2026-03-01")]
    assert {row["Exempt from"] for row in entries} == {"all rules"}
    of_rule = records(odd()["Exemption list"])[2]
    assert (of_rule["Exempt from"], of_rule["Owner"]) == ("idle-password", "IT")
    assert of_rule["Last day (UTC)"] == moment("2027-01-01")


# Summary


@pytest.mark.no_cover
def test_rows_whose_arn_names_no_account_and_repeated_rows_are_counted() -> None:
    summary = odd()["Summary"]
    assert row_of(summary, "not known")[1:5] == (1, 0, 0, 1)
    assert row_of(summary, ACCOUNT)[1:5] == (7, 1, 1, 5)
    assert row_of(summary, "Repeated rows")[1] == 1
    assert row_of(summary, "Row count check")[1] == "OK"
    assert row_of(summary, "report.csv")[4] == "3 accounts"


def test_the_summary_names_reports_and_other_files_with_their_sha256(book: Workbook) -> None:
    shown, (file,) = texts(book["Summary"]), analyzed_console().report.files
    assert "from the file name" in shown
    assert f"credreport {VERSION}" in shown
    row = row_of(book["Summary"], str(CONSOLE))
    assert row[1] == moment("2026-03-01 09:30:00")
    assert (row[4], *row[6:9]) == ("123456789012", 49, file.size, file.sha256)
    for path in (EXEMPTIONS, CONSOLE.with_name(f"{CONSOLE.name}.service-credentials.json")):
        assert sha256(path.read_bytes()).hexdigest() in row_of(book["Summary"], str(path))
    assert "Other input files" not in texts(quiet_book()["Summary"])


def test_verdicts_and_ages_add_up_to_the_rows_read(results: Workbook) -> None:
    sheet = results["Summary"]
    counts = {verdict: row_of(sheet, verdict)[1] for verdict in Verdict}
    assert sum(counts.values()) == row_of(sheet, "IAM users")[1] == 47
    for name, number in (("Root rows", 1), ("Repeated rows", 1), ("Rows read", 49)):
        assert row_of(sheet, name)[1] == number
    assert row_of(sheet, "Row count check")[1] == "OK"
    assert row_of(sheet, "unused")[1:6] == (26, 5, 21, 8, 13)
    assert row_of(sheet, "IAM users")[1:6] == (47, 6, 41, DASH, DASH)
    ages = ("under 30 days", "30 to 89 days", "90 to 179 days", "180 to 364 days")
    bands = [row_of(sheet, band)[1] for band in (*ages, "1 to 2 years", "over 2 years", "unknown")]
    assert bands == [2, 1, 1, 0, 4, 17, 1]
    assert row_of(sheet, "All unused users")[1] == sum(bands) == row_of(sheet, "unused")[1]
    quiet = quiet_book()["Summary"]
    assert "unknown" not in texts(quiet).split("\n")
    assert row_of(quiet, "over 2 years")[1] == 1


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


def test_numbers_that_nobody_edits_are_numbers_and_checks_are_formulas_that_turn_red(
    book: Workbook,
) -> None:
    sheet = book["Summary"]
    (at,) = (row[0].row for row in sheet.iter_rows() if row[0].value == "123456789012")
    sums = f"B{at}=C{at}+D{at}+E{at},E{at}=SUM(F{at}:J{at})"
    numbers = (49, 1, 1, 47, 26, 4, 6, 7, 4)
    check = f'=IF(AND({sums}),"OK","DIFFERS")'
    assert row_of(sheet, "123456789012")[1:11] == (*numbers, check)
    assert row_of(sheet, "All accounts read")[1:10] == numbers
    check = '=IF(AND(B82=C82,B82+D82=E82),"OK","DIFFERS")'
    listed = "=COUNTIF('Unused users'!$A$2:$A$22,\"?*\")"
    *_, counted_again = [row for row in values(sheet) if row[0] == "Unused users"]
    assert counted_again[1:6] == (listed, 21, 5, 26, check)
    assert row_of(sheet, "Row count check")[1] == '=IF(B38=B35+B36+B37,"OK","DIFFERS")'
    cells = {str(each.sqref): each.rules[0].formula for each in sheet.conditional_formatting}
    assert cells == {where: ['"DIFFERS"'] for where in ("B39", "F82:F84", "K88:K89")}
    # What the check means takes the rest of the row.
    assert "G39:L39" in [*map(str, sheet.merged_cells.ranges)]


def test_notes_and_exemptions_that_do_not_apply_are_shown_and_there_is_room_to_sign(
    book: Workbook,
) -> None:
    shown, noted = texts(book["Summary"]), analyzed_console().report.notes
    assert noted
    for each in (*noted, "oskar.lind", "departed-admin", "Entries: 6. Exempt users: 6."):
        assert each in shown
    assert {"Prepared by", "Reviewed by", "Name", "Date", "Signature"} <= {*shown.split("\n")}
    quiet = texts(quiet_book()["Summary"])
    assert "No exemptions." in quiet
    assert f"As of {AS_OF:%Y-%m-%d %H:%M} UTC (set with --as-of)" in quiet


def test_the_criteria_are_shown_in_words() -> None:
    for book, definition, days in ((quiet_book(), "no-active-key", 90), (odd(), "iam-029", 45)):
        for sheet in (book["Summary"], book["Method"]):
            shown = row_of(sheet, "Definition of unused")[1]
            assert shown.startswith(f"{definition}: Never signed in")
            for words in ("active or not", "Here an inactive access key is one."):
                assert (words in shown) == (definition == "iam-029")
            assert row_of(sheet, "Dormant from")[1].startswith(f"{days} days")
            assert "7 days" in row_of(sheet, "Grace for new users")[1]


def test_the_method_explains_every_word_and_what_no_report_shows(book: Workbook) -> None:
    sheet = book["Method"]
    caveats = [caveat.id for caveat in CAVEATS]
    for word in (*Verdict, *REASON_TEXTS, *caveats):
        assert len(row_of(sheet, str(word))[1]) > 20
    assert [row[0] for row in values(sheet) if row[0] in caveats] == caveats
    assert "SSH public keys" in texts(sheet)
    assert "Roles, federation" in texts(sheet)
    assert "Sort whole rows" in row_of(sheet, "Unused users")[1]


def test_reports_more_than_a_day_apart_are_noted() -> None:
    for apart, noted in ((1.0, False), (1.001, True)):
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


CHANGES = (
    a_change("new", "=1+1", "", "unused", cause="user created on 2026-01-01"),
    a_change("gone", "left", "unused", ""),
    a_change("used-again", "back", "unused", "active", last_use="2026-02-03T04:05:06Z"),
    a_change("finding-new", "back", "", "fails", rule="idle-password", fact="idle 50 days"),
    {"change": "not-covered", "account": ACCOUNT, "cause": "not covered now: Denied."},
)


@pytest.mark.no_cover
def test_the_changes_are_a_table_behind_the_lists_which_summary_and_method_name(
    book: Workbook,
) -> None:
    analysis = analysis_of([a_user()])
    compared = book_of(analysis, changes=changed(*CHANGES), since="2026-01-15T09-30-00Z")
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
    assert compared.sheetnames[:4] == ["Summary", "Unused users", "Changes", "Findings"]
    assert [table.displayName for table in compared["Changes"].tables.values()] == ["Changes"]
    assert "since the previous run" in row_of(compared["Method"], "Changes")[1]
    assert row_of(compared["Summary"], "Compared with")[1] == (
        "The run 2026-01-15T09-30-00Z. Changes since:"
        " new 1, gone 1, used-again 1, finding-new 1. Accounts not compared: 1."
    )
    assert "Changes" not in (*book.sheetnames, *texts(book["Method"]).split("\n"))
    assert row_of(book["Summary"], "Compared with")[1] == "No previous run."


def test_every_change_has_a_meaning() -> None:
    (meaning,) = (c for c in change_columns(analyzed_console()) if c.head == "Meaning")
    shown = meaning.shown(changed(*(a_change(each, "ann", "", "") for each in Change)))
    assert shown.to_pylist() == [each.meaning for each in Change]
