"""The workbook tells what the analysis found, and ties out to the rows that were read."""

from datetime import date, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from openpyxl import Workbook

import analyzer
from analyzer import columns
from analyzer.report.model import Exemption
from analyzer.terms import Definition, Verdict
from analyzer.verdicts.caveats import CAVEATS
from analyzer.verdicts.verdict import REASON_TEXTS
from analyzer.version import VERSION
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
    saved,
    the_root,
)
from tests.support.workbooks import (
    CONSOLE,
    EXEMPTIONS,
    analyzed,
    analyzed_console,
    analyzed_users,
    book_of,
    console_book,
    moment,
    opened,
    organization,
    organization_file,
    quiet_book,
    records,
    results_of,
    review_book_of,
    row_of,
    texts,
    values,
)

DASH = NOT_APPLICABLE.value


@pytest.fixture(scope="module")
def book() -> Workbook:
    """Open the workbook of the sample that has every verdict, reason and caveat."""
    return console_book()


@pytest.fixture(scope="module")
def results() -> Workbook:
    return console_book(results=True)


def test_the_sheets_stand_in_the_order_of_the_work(book: Workbook) -> None:
    assert book.sheetnames == [
        "Summary",
        "Unused users",
        "Inactive users",
        "Undetermined",
        "Findings",
        "Controls",
        "All users",
        "Root users",
        "Exempt",
        "Exemption list",
        "Method",
    ]


@pytest.mark.no_cover
def test_there_is_no_sheet_for_exempt_or_undetermined_users_where_there_are_none() -> None:
    book = quiet_book()
    assert not {"Exempt", "Exemption list", "Undetermined"} & set(book.sheetnames)


def test_a_report_of_nobody_says_so(tmp_path: Path) -> None:
    book = results_of(analyzed_users(tmp_path, []))
    assert "No IAM users in the reports." in texts(book["All users"])
    assert "No users to review" in texts(book["Unused users"])
    assert row_of(book["Summary"], ACCOUNT)[:5] == (ACCOUNT, 1, 1, 0, 0)
    assert row_of(book["Summary"], "Row count check")[1] == "OK"


def test_an_unused_user_is_told_with_reason_caveats_and_what_it_has(book: Workbook) -> None:
    (user,) = [row for row in records(book["Unused users"]) if row["User"] == "hadoop-loader"]
    assert user["Account"] == "123456789012"
    assert user["ARN"] == "arn:aws:iam::123456789012:user/service/data/hadoop-loader"
    assert user["Why"] == "has no password, and only inactive access keys"
    assert user["Certainty"] == "check"
    assert len(user["Check first"].split("\n")) == 4
    assert user["Created"] == moment("2012-06-19 17:33:06")
    assert user["Age in days"] == 5002
    assert (user["Password"], user["Last sign-in (UTC)"]) == ("none", None)
    assert (user["Access key 1"], user["Access key 2"]) == ("inactive", "absent")
    assert isinstance(user["Key 1 created (UTC)"], datetime)
    assert isinstance(user["Key 1 last used (UTC)"], datetime)
    assert user["Key 2 last used (UTC)"] is None
    assert user["Certificate 1"] == "active"
    assert isinstance(user["Certificate 1 uploaded (UTC)"], datetime)
    assert user["MFA"] == "yes"


def test_everybody_is_listed_with_verdict_and_facts(book: Workbook) -> None:
    analysis = analyzed_console()
    listed = records(book["All users"])
    assert [row["ARN"] for row in listed] == analysis.users[columns.ARN].tolist()
    assert [row["Verdict"] for row in listed] == analysis.users[columns.VERDICT].tolist()
    assert [row["Row"] for row in listed] == analysis.users[columns.ROW].tolist()
    assert {row["Report"] for row in listed} == {str(CONSOLE)}
    assert {row["As of (UTC)"] for row in listed} == {moment("2026-03-01 09:30:00")}


@pytest.mark.no_cover
def test_dates_are_real_and_in_utc_and_what_was_never_used_differs_from_what_is_not_there(
    tmp_path: Path,
) -> None:
    used = days_before(0.5)
    key = a_key(days_before(20), used)
    users = [
        a_user("used", password=a_password(used, days_before(30)), key_1=key),
        a_user("never", password=a_password(), key_1=an_inactive_key()),
    ]
    sheet = book_of(analyzed_users(tmp_path, users))["All users"]
    row, never = records(sheet)
    assert row["Last sign-in (UTC)"] == used.replace(tzinfo=None)
    assert row["Key 1 last used (UTC)"] == used.replace(tzinfo=None)
    assert row["Key 1 created (UTC)"] == days_before(20).replace(tzinfo=None)
    dates = [cell for cell in sheet[2] if isinstance(cell.value, datetime)]
    assert {cell.number_format for cell in dates} == {"yyyy-mm-dd hh:mm"}
    assert never["Last sign-in (UTC)"] == "never"
    assert (never["Key 1 last used (UTC)"], never["Key 2 last used (UTC)"]) == ("never", None)
    assert (never["Key 1 last service"], never["Password expires (UTC)"]) == (None, None)


def test_more_credentials_and_evidence_are_shown(book: Workbook) -> None:
    listed = {row["User"]: row for row in records(book["All users"])}
    assert "more access key" in listed["batch-export"]["More credentials"]
    assert listed["git-mirror"]["Service credentials"] == "codecommit.amazonaws.com"
    assert listed["lena.hartwig"]["Service credentials"] == "none"
    assert listed["lena.hartwig"]["More credentials"] is None


def test_without_evidence_nobody_is_known_to_have_no_service_credential() -> None:
    (user,) = records(quiet_book()["All users"])
    assert user["Service credentials"] == "not known"


@pytest.mark.no_cover
def test_what_aws_does_not_say_of_the_root_is_not_reported_and_of_a_user_not_understood(
    tmp_path: Path,
) -> None:
    root = the_root(password_enabled="not_supported", password_last_changed="?")
    users = [a_user("ann") | {"password_enabled": "not_supported"}]
    book = book_of(analyzed(saved(tmp_path, report_text(users, root=root))))
    (row,) = records(book["Root users"])
    assert row["Password"] == "not reported"
    assert row["Password changed (UTC)"] == '"?" (not understood)'
    (user,) = records(book["All users"])
    assert user["Password"] == '"not_supported" (not understood)'
    assert "AWS writes not_supported" in row_of(book["Method"], "not reported")[1]


def test_root_users_are_listed_with_what_the_rules_looked_at(book: Workbook) -> None:
    (root,) = records(book["Root users"])
    assert (root["User"], root["ARN"]) == ("<root_account>", "arn:aws:iam::123456789012:root")
    assert (root["Password"], root["MFA"]) == ("enabled", "yes")
    assert (root["Report"], root["Row"]) == (str(CONSOLE), 2)
    assert "Verdict" not in root


def test_what_was_not_understood_is_shown_raw(book: Workbook) -> None:
    listed = {row["User"]: row for row in records(book["All users"])}
    assert listed["elif.sahin"]["Created (UTC)"] == '"2023-04-1" (not understood)'
    assert listed["juergen.adler"]["Password"] == '"wahr" (not understood)'
    assert listed["soap-relay"]["Certificate 1"] == '"revoked" (not understood)'
    assert listed["svc-thumbnails"]["Key 1 last used (UTC)"] == '"never" (not understood)'


def test_undetermined_users_are_listed_with_the_reason_and_where_to_look(book: Workbook) -> None:
    listed = {row["User"]: row for row in records(book["Undetermined"])}
    assert listed["svc-queue"]["Why"] == (
        'access_key_2_last_used_date "2024-11-2" is not understood'
    )
    assert listed["svc-queue"]["Report"] == str(CONSOLE)
    assert listed["svc-queue"]["Row"] == 45
    every = records(book["All users"])
    assert len(records(book["Undetermined"])) == sum(
        row["Verdict"] == "undetermined" and row["Exemption"] is None for row in every
    )


def test_a_column_or_root_that_the_report_lacks_is_named_or_has_no_sheet(tmp_path: Path) -> None:
    text = report_text([a_user(key_1=an_inactive_key())], columns=COLUMNS_OF_2014)
    header, _, user = text.splitlines()
    book = book_of(analyzed(saved(tmp_path, f"{header}\n{user}\n")))
    (row,) = records(book["All users"])
    assert row["Key 1 last used (UTC)"] == "not in this report"
    assert row["Key 1 last region"] is None
    assert "Root users" not in book.sheetnames


@pytest.mark.no_cover
def test_rows_whose_arn_names_no_account_are_counted(tmp_path: Path) -> None:
    book = results_of(analyzed_users(tmp_path, [a_user(arn="gone"), a_user("known")]))
    assert row_of(book["Summary"], "not known")[1:5] == (1, 0, 0, 1)
    assert [row["Account"] for row in records(book["All users"])] == ["not known", ACCOUNT]


def test_exempt_users_are_listed_with_the_entry_that_excuses_them(book: Workbook) -> None:
    listed = {row["User"]: row for row in records(book["Exempt"])}
    jenkins = listed["ci-bot-jenkins"]
    assert jenkins["Verdict"] == "unused"
    assert jenkins["Exempt because"] == "Replaced by roles this summer"
    assert jenkins["Exemption owner"] == "Platform team"
    assert jenkins["Exempt until"] == moment("2026-06-30 00:00:00")
    assert listed["break-glass-1"]["Exempt until"] == "no end"
    assert listed["ci-bot-deploy"]["Verdict"] == "active"


def test_every_entry_of_the_exemption_list_is_shown_with_what_became_of_it(book: Workbook) -> None:
    entries = records(book["Exemption list"])
    columns = ("User", "Users matched", "Applies to", "State")
    assert [tuple(row[name] for name in columns) for row in entries] == [
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
def test_of_entries_with_one_reason_the_one_that_applies_is_named_and_each_keeps_its_owner(
    tmp_path: Path,
) -> None:
    entries = [
        Exemption("*", "other", "on leave", "first", None, 2),
        Exemption("*", "quiet", "on leave", "second", date(2027, 1, 1), 3),
        Exemption("*", "quiet", "waits", "IT", date(2027, 1, 1), 4, "idle-password"),
    ]
    path = saved(tmp_path, report_text([a_user("quiet"), a_user("other")]))
    book = book_of(analyzed(path, entries))
    assert [row["Exemption owner"] for row in records(book["Exempt"])] == ["second", "first"]
    of_rule = records(book["Exemption list"])[2]
    assert (of_rule["Exempt from"], of_rule["Owner"]) == ("idle-password", "IT")
    assert of_rule["Last day (UTC)"] == moment("2027-01-01 00:00:00")


def test_the_summary_tells_where_the_result_comes_from(book: Workbook) -> None:
    told = texts(book["Summary"])
    (file,) = analyzed_console().report.files
    assert file.sha256 in told
    assert "from the file name" in told
    assert f"credreport {VERSION}" in told
    row = row_of(book["Summary"], str(CONSOLE))
    assert row[1] == moment("2026-03-01 09:30:00")
    assert (row[4], *row[6:8]) == ("123456789012", 49, file.size)


@pytest.mark.no_cover
def test_every_file_is_named_with_how_its_moment_is_known() -> None:
    sheet = opened(organization_file())["Summary"]
    for file in organization().report.files:
        row = row_of(sheet, file.name)
        assert row[1] == file.as_of.replace(tzinfo=None)
        assert row[2] == "assumed: the newest timestamp in the report"
        assert file.sha256 in row


def test_what_was_read_besides_the_reports_is_named_with_its_sha256(book: Workbook) -> None:
    beside = CONSOLE.with_name(f"{CONSOLE.name}.service-credentials.json")
    named = (("exemptions.csv", EXEMPTIONS), (str(beside), beside))
    for name, path in named:
        assert sha256(path.read_bytes()).hexdigest() in row_of(book["Summary"], name)


@pytest.mark.no_cover
def test_where_nothing_else_was_read_nothing_is_said_of_it() -> None:
    book = quiet_book()
    assert "Other input files" not in texts(book["Summary"])


@pytest.mark.no_cover
def test_a_file_of_many_accounts_says_how_many(tmp_path: Path) -> None:
    other = a_user(account="999999999999")
    book = review_book_of(analyzed_users(tmp_path, [a_user(), other]))
    assert row_of(book["Summary"], str(tmp_path / "report.csv"))[4] == "2 accounts"


def test_verdicts_add_up_to_the_rows_read(results: Workbook) -> None:
    counts = {verdict: row_of(results["Summary"], verdict)[1] for verdict in Verdict}
    assert sum(counts.values()) == row_of(results["Summary"], "IAM users")[1] == 47
    assert row_of(results["Summary"], "Root rows")[1] == 1
    assert row_of(results["Summary"], "Repeated rows")[1] == 1
    assert row_of(results["Summary"], "Rows read")[1] == 49
    assert row_of(results["Summary"], "Row count check")[1] == "OK"
    assert row_of(results["Summary"], "unused")[1:6] == (26, 5, 21, 8, 13)
    assert row_of(results["Summary"], "IAM users")[1:6] == (47, 6, 41, DASH, DASH)


@pytest.mark.no_cover
def test_accounts_add_up_to_the_rows_read() -> None:
    analysis = organization()
    sheet = opened(organization_file(), results=True)["Summary"]
    accounts = {each.account for file in analysis.report.files for each in file.accounts}
    rows = [row_of(sheet, account) for account in sorted(accounts)]
    for account in rows:
        assert account[1] == sum(account[2:5])
        assert account[4] == sum(account[5:10])
        assert account[10] == "OK"
    total = row_of(sheet, "All accounts read")
    assert total[1:10] == tuple(map(sum, zip(*(row[1:10] for row in rows), strict=True)))
    assert total[1] == analysis.report.rows


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


@pytest.mark.no_cover
def test_repeated_rows_are_counted(tmp_path: Path) -> None:
    book = results_of(analyzed_users(tmp_path, [a_user(), a_user()]))
    assert row_of(book["Summary"], ACCOUNT)[1:5] == (3, 1, 1, 1)
    assert row_of(book["Summary"], "Repeated rows")[1] == 1
    assert row_of(book["Summary"], "Row count check")[1] == "OK"


def test_notes_and_exemptions_that_do_not_apply_are_told(book: Workbook) -> None:
    told = texts(book["Summary"])
    analysis = analyzed_console()
    assert analysis.report.notes
    for note in analysis.report.notes:
        assert note in told
    assert "oskar.lind" in told
    assert "departed-admin" in told
    assert "Entries: 6. Exempt users: 6." in told


def test_a_run_without_exemptions_says_so() -> None:
    assert "No exemptions." in texts(quiet_book()["Summary"])


def test_ages_of_unused_users_add_up(results: Workbook) -> None:
    sheet = results["Summary"]
    ages = ("under 30 days", "30 to 89 days", "90 to 179 days", "180 to 364 days")
    bands = [row_of(sheet, band)[1] for band in (*ages, "1 to 2 years", "over 2 years", "unknown")]
    assert bands == [2, 1, 1, 0, 4, 17, 1]
    assert row_of(sheet, "All unused users")[1] == sum(bands) == row_of(sheet, "unused")[1]


def test_no_age_is_called_unknown_where_all_are_known() -> None:
    sheet = quiet_book()["Summary"]
    assert "unknown" not in texts(sheet).split("\n")
    assert row_of(sheet, "over 2 years")[1] == 1


def test_there_is_room_to_sign(book: Workbook) -> None:
    assert row_of(book["Summary"], "Prepared by")
    assert row_of(book["Summary"], "Reviewed by")
    assert {"Name", "Date", "Signature"} <= set(texts(book["Summary"]).split("\n"))


@pytest.mark.parametrize("definition", ["no-active-key", "iam-029"])
def test_the_criteria_are_told_in_words(tmp_path: Path, definition: str) -> None:
    analysis = analyzed_users(
        tmp_path, [a_user()], definition=Definition(definition), dormant_days=45, grace_days=7
    )
    book = review_book_of(analysis)
    for sheet in (book["Summary"], book["Method"]):
        told = row_of(sheet, "Definition of unused")[1]
        assert told.startswith(f"{definition}: Never signed in")
        assert ("active or not" in told) == (definition == "iam-029")
        assert row_of(sheet, "Dormant from")[1].startswith("45 days")
        assert "7 days" in row_of(sheet, "Grace for new users")[1]


def test_the_method_explains_every_word_that_the_sheets_use(book: Workbook) -> None:
    sheet = book["Method"]
    for word in (*Verdict, *REASON_TEXTS, *(caveat.id for caveat in CAVEATS)):
        assert len(row_of(sheet, str(word))[1]) > 20
    explained = [row[0].value for row in sheet.iter_rows()]
    caveats = [caveat.id for caveat in CAVEATS]
    assert [name for name in explained if name in caveats] == caveats


def test_the_method_tells_what_no_report_can_show(book: Workbook) -> None:
    assert "SSH public keys" in texts(book["Method"])
    assert "Roles, federation" in texts(book["Method"])


def test_the_method_warns_of_cells_that_are_sorted_without_their_rows(book: Workbook) -> None:
    assert "Sort whole rows" in row_of(book["Method"], "Unused users")[1]


def test_the_moment_is_that_of_the_option() -> None:
    told = texts(quiet_book()["Summary"])
    assert f"As of {AS_OF:%Y-%m-%d %H:%M} UTC (set with --as-of)" in told


@pytest.mark.parametrize(("apart", "noted"), [(1.0, False), (1.001, True)])
def test_each_account_has_its_as_of_and_reports_more_than_a_day_apart_are_noted(
    tmp_path: Path, apart: float, *, noted: bool
) -> None:
    moments = {"111111111111": days_before(0), "222222222222": days_before(apart)}
    for account, as_of in moments.items():
        user = a_user(account=account, created=days_before(90))
        text = report_text([user], root=the_root(account, password_last_used="N/A"))
        (tmp_path / account).mkdir()
        saved(tmp_path / account, text, f"status_reports_{as_of:%Y-%m-%dT%H-%M-%S+00-00}.csv")
    sheet = review_book_of(analyzer.analyze(analyzer.load(tmp_path)))["Summary"]
    assert ("The reports are 1.0 days apart" in texts(sheet)) == noted
    for account, as_of in moments.items():
        assert row_of(sheet, account)[11] == as_of.replace(tzinfo=None, microsecond=0)
