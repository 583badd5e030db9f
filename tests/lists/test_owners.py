"""The owners of users and the names of accounts, from lists that a person maintains."""

import io
import json
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.changes.diff import diff
from analyzer.errors import InputRefused
from analyzer.lists.owners import Owners, read_account_list, read_owners, with_account_list
from analyzer.report.frames import account_names
from analyzer.report.model import AccountName, NotCovered
from analyzer.report.report import Report
from analyzer.writers import write
from analyzer.writers.changes import write_changes
from analyzer.writers.headline import notes
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    Row,
    a_password,
    a_user,
    report_text,
    saved,
    table,
    the_root,
)
from tests.support.named_reports import load_named
from tests.support.outputs import ALL, csv_rows, json_document, table_text
from tests.support.pages import page_of
from tests.support.reading import OTHER_ACCOUNT
from tests.support.workbooks import opened, records

HEADER = "account,user,owner,email,left"
ACCOUNTS = "account,name,owner"
MISSING = "444455556666"


def owners(*lines: str) -> Owners:
    return read_owners("owners.csv", "\n".join([HEADER, *lines]).encode())


def analyzed(listed: Owners, *names: str, **more: Any) -> Analysis:
    return analyzer.analyze(
        loaded(report_text([a_user(name, **more) for name in names])), owners=listed
    )


@cache
def loaded(text: str) -> Report:
    """Read a report once for all tests: many have the same users."""
    return load_named(("report.csv", text.encode()), as_of=AS_OF)


@cache
def of_ann() -> Analysis:
    """Return a user whose owner has left, and looks like a formula."""
    return analyzed(owners("*,ann,=Ann Lee,ann@example.com,2020-01-01"), "ann")


@cache
def without_owners() -> Analysis:
    return analyzed(Owners(), "ann")


OWNERS: tuple[tuple[list[str], str], ...] = (
    ([f"{ACCOUNT},ann,Exact,,"], "Exact"),
    ([f"{ACCOUNT},ANN,Any case,,"], "Any case"),
    (["*,ann,Any account,,"], "Any account"),
    (["*,b?n,Another user,,", "*,ann,After a pattern,,"], "After a pattern"),
    ([f"{ACCOUNT},a*,Star,,"], "Star"),
    ([f"{ACCOUNT[:5]}???????,ann,Question marks,,"], "Question marks"),
    ([f"{ACCOUNT},*,First,,", f"{ACCOUNT},ann,Second,,"], "First"),
    ([f"{ACCOUNT},ann,First,,", "*,ann,Second,,", "*,*,Third,,"], "First"),
    (["*,ann,First,,", f"{ACCOUNT},ann,Second,,"], "First"),
    ([], ""),
    (["*,bob,Other,,", "*,a.n,Dot,,", f"{OTHER_ACCOUNT},*,Other,,"], ""),
)


def test_the_first_entry_that_matches_names_the_owner() -> None:
    users = page_of([a_user("ann")]).users
    for lines, owner in OWNERS:
        listed = owners(*lines)
        assert listed.columns_of(users)["owner"].to_pylist() == [owner], lines
        assert (listed.positions(users) >= 0).tolist() == [bool(owner)]


def test_an_owner_has_left_from_the_day_after_the_last() -> None:
    users = page_of(map(a_user, ("ann", "ben", "nobody's"))).users
    for days, has_left in ((1, True), (0, False), (-1, False)):
        last = (AS_OF - timedelta(days=days)).date()
        listed = owners(f"*,ann,Ann,,{last}", "*,ben,Ben,,", f"*,cem,Cem,,{last}")
        left = listed.columns_of(users)["owner_left"].to_pylist()
        assert left == [str(last) if has_left else "", "", ""], days


@pytest.mark.no_cover
def test_a_root_has_an_owner_only_if_it_is_named() -> None:
    text = report_text([], root=the_root(mfa_active="false"))
    report = loaded(text)
    for user, expected in (("*", {""}), ("<root_account>", {"Ops"})):
        analysis = analyzer.analyze(report, owners=owners(f"*,{user},Ops,,"))
        assert set(analysis.rule_results.findings["owner"]) == expected
        assert bool(analysis.totals.unmatched_owners) is (expected == {""})


@pytest.mark.no_cover
def test_users_without_an_owner_are_counted_and_entries_without_a_user_named() -> None:
    listed = owners(f"{ACCOUNT},ann,Ann,,", "*,gone,Ann,,", f"{OTHER_ACCOUNT},*,Bob,,")
    analysis = analyzed(listed, "ann", "bob", "cem")
    expected = [
        "2 of 3 IAM users have no owner in owners.csv.",
        f"Entries of owners.csv that name the owner of no user: */gone, {OTHER_ACCOUNT}/*.",
    ]
    assert notes(analysis)[-2:] == expected
    everybody = analyzed(owners("*,*,Ann,,"), "ann")
    assert not any("owner" in note for note in notes(everybody))
    assert not any("owner" in note for note in notes(without_owners()))
    named = json_document(analysis)["owners"]
    assert named["list"]["name"] == "owners.csv"
    assert (named["users_without"], len(named["unmatched"])) == (2, 2)


NO_NUMBER, TWICE = "account: not an account number", "account: the account is listed twice"
REFUSED = {
    "account,user\n": (
        "list.csv, row 1: column owner is missing\n    The first row must be user,owner."
    ),
    "account,user,owner,emial\n": "column emial: not a column of this list",
    f"{HEADER}\n12345678901,ann,Ann,,\n": "account: an account has 12 digits",
    f"{HEADER}\n,ann,Ann,,\n": "row 2, column account: the cell is empty",
    f"{HEADER}\n*,,Ann,,\n": "row 2, column user: the cell is empty",
    f"{HEADER}\n*,ann,,,\n": "row 2, column owner: the cell is empty",
    f"{HEADER}\n*,ann,Ann,ann,\n": "column email: not an e-mail address",
    f"{HEADER}\n*,ann,Ann,,1.3.2026\n": "column left: not a date",
    f"{HEADER},replaced_by\n*,ann,Ann,,,Bo\n": "column replaced_by: the owner has no last day",
    f"{HEADER}\n*,ann,Ann,,\n*,Ann,Bob,,\n": "row 3, column user: the user is listed twice",
}
REFUSED_ACCOUNTS = {
    "account,owner\n": "list.csv, row 1: column name is missing",
    f"{ACCOUNTS}\n12345678901,Pay,\n": "row 2, column account: an account has 12 digits",
    f"{ACCOUNTS}\n01234567890a,Pay,\n": f"row 2, column {NO_NUMBER}",
    "account,name\n" + "\u0661" * 12 + ",Pay\n": f"row 2, column {NO_NUMBER}",
    f"{ACCOUNTS}\n{ACCOUNT},,Ann\n": "row 2, column name: the cell is empty",
    f"{ACCOUNTS}\n{ACCOUNT},a,\n\n{ACCOUNT},b,\n": f"row 4, column {TWICE}",
    "account,name,owners\n": (
        "column owners: not a column of this list\n    Remove it, or rename it: the columns are"
    ),
    "account id,account name\n": "column account name: not a column of this list",
}


@pytest.mark.parametrize("text", [*REFUSED, *REFUSED_ACCOUNTS])
def test_what_is_wrong_is_refused_with_row_and_column(text: str) -> None:
    with pytest.raises(InputRefused) as refusal:
        (read_owners if text in REFUSED else read_account_list)("list.csv", text.encode())
    assert (REFUSED | REFUSED_ACCOUNTS)[text] in str(refusal.value)


def test_account_address_and_last_day_may_be_left_out() -> None:
    (entry,) = analyzer.read_owners(b"user;owner\nann;A\x1bnn\n").entries
    assert (entry.account, entry.owner, entry.email, entry.left) == ("*", r"A\x1bnn", "", None)


def sheet_owners(path: Path) -> set[str]:
    """Return the owners on every sheet that has users, but for that of roots."""
    lists = [sheet for sheet in opened(path.read_bytes()) if sheet.print_title_rows]
    sheets = {sheet.title: records(sheet) for sheet in lists}
    listed = [rows for title, rows in sheets.items() if title != "Root users" and rows]
    with_users = [row for rows in listed for row in rows if {"User", "ARN"} <= set(rows[0])]
    return {row["Owner"] for row in with_users}


@pytest.mark.no_cover
def test_every_table_has_the_owner_of_each_user(tmp_path: Path) -> None:
    csv, book, findings = (tmp_path / name for name in ("a.csv", "a.xlsx", "findings.csv"))
    write(of_ann(), csv, book, findings, verdicts=ALL)
    of_csv = {row["owner"] for path in (csv, findings) for row in table(path.read_bytes())}
    assert (of_csv, sheet_owners(book)) == ({"'=Ann Lee"}, {"=Ann Lee"})


def test_every_document_has_the_owner_of_each_user(tmp_path: Path) -> None:
    names = ("out.json", "out.md", "out.html", "out.ocsf.json")
    for path in write(of_ann(), *map(tmp_path.joinpath, names)):
        assert "Ann Lee" in path.read_text(), path


def test_the_terminal_shows_the_owner_only_where_one_is_known() -> None:
    for width in (80, 160):
        text = table_text(of_ann(), width=width)
        assert " Owner " in text
        assert "left" in text
    assert " Owner " not in table_text(without_owners(), width=160)


def test_a_pipe_gets_owner_and_last_day_before_the_name_of_the_account() -> None:
    head, ann = table_text(of_ann()).splitlines()
    assert head.endswith("\towner\towner_left\taccount_name")
    assert ann.endswith("\t=Ann Lee\t2020-01-01\t")


def test_an_explanation_names_the_owner() -> None:
    (page,) = of_ann().explain("ann")
    assert "owner: =Ann Lee <ann@example.com>, left on 2020-01-01\n" in str(page)
    (page,) = without_owners().explain("ann")
    assert "owner" not in str(page)


@pytest.mark.no_cover
def test_changes_have_the_owner_of_the_later_side() -> None:
    earlier = analyzed(owners("*,ann,Old,,"), "ann", password=a_password())
    stream = io.BytesIO()
    write_changes(diff(earlier, of_ann()).changes, stream)
    rows = table(stream.getvalue())
    assert {(row["owner"], row["owner_left"]) for row in rows} == {("'=Ann Lee", "2020-01-01")}


# The names of accounts


ANN = AccountName(name="Pay", owner="Ann")
READ = {
    f"{ACCOUNTS}\n{ACCOUNT},Pay,Ann\n": ANN,
    f"\ufeffOwner,NAME,Account\r\nAnn,Pay,{ACCOUNT}\r\n,,\r\n": ANN,
    f"account,name\n{ACCOUNT},Pay": AccountName(name="Pay"),
    f"{ACCOUNTS}\n{ACCOUNT},Pay": AccountName(name="Pay"),
}


def test_a_list_is_read_as_people_keep_it_and_the_owner_may_be_left_out() -> None:
    for text, named in READ.items():
        assert read_account_list("accounts.csv", text.encode()).names == {ACCOUNT: named}, text


@pytest.mark.no_cover
def test_control_signs_are_spelled_out_in_names_and_in_the_name_of_the_list(tmp_path: Path) -> None:
    text = f'{ACCOUNTS}\n{ACCOUNT},"P\x1b[1m\x00","A\x85n"\n'
    listed = read_account_list("a\x00\udcff.csv", text.encode())
    assert listed.names == {ACCOUNT: AccountName(name=r"P\x1b[1m\x00", owner=r"A\x85n")}
    assert listed.file.name == r"a\x00\udcff.csv"
    report = with_account_list(analyzer.load(saved(tmp_path, report_text([a_user()]))), listed)
    exempt = analyzer.read_exemptions(("e\x00\udcff.csv", b"account,user,reason,owner,expires\n"))
    assert exempt.file is not None
    assert exempt.file.name == r"e\x00\udcff.csv"
    endings = (".xlsx", ".csv", ".json", ".parquet", ".ocsf.json")
    analysis = analyzer.analyze(report, exemptions=exempt)
    analyzer.write(analysis, *(tmp_path / f"out{each}" for each in endings))


def test_the_list_replaces_the_names_of_a_manifest(tmp_path: Path) -> None:
    listed = ((ACCOUNT, "team-1"), (OTHER_ACCOUNT, "team-2"), ("", "unknown"), ("5" * 12, ""))
    profile: dict[str, Any] = {"account": "444455556666", "name": "my-profile", "is_profile": True}
    accounts = [profile] + [{"account": account, "name": name} for account, name in listed]
    fetched: list[dict[str, Any]] = [
        {"status": "fetched", "reason": ""} | each for each in accounts
    ]
    saved(tmp_path, json.dumps({"accounts": fetched}), "fetched.manifest.json")
    saved(tmp_path, report_text([a_user()]))
    report = analyzer.load(tmp_path)
    assert report.account_names == {
        ACCOUNT: AccountName(name="team-1"),
        OTHER_ACCOUNT: AccountName(name="team-2"),
    }
    pay = read_account_list("accounts.csv", f"{ACCOUNTS}\n{ACCOUNT},Pay,Ann".encode())
    named = with_account_list(report, pay)
    assert named.account_list == pay.file
    assert named.account_names == {
        ACCOUNT: AccountName(name="Pay", owner="Ann"),
        OTHER_ACCOUNT: AccountName(name="team-2"),
    }


def with_one_missing(folder: Path, *users: Row) -> Report:
    missing = {"account": MISSING, "name": "x", "status": "failed", "reason": "AWS denied it."}
    manifest = saved(folder, json.dumps({"accounts": [missing]}), "fetched.manifest.json")
    return analyzer.load(saved(folder, report_text(users)), manifest, as_of=AS_OF)


@pytest.mark.parametrize(
    ("listed", "missing", "notes"),
    [
        ([ACCOUNT], [], []),
        ([ACCOUNT, MISSING], [], []),
        ([MISSING], [], [f"Accounts that are not in a.csv: {ACCOUNT}."]),
        ([OTHER_ACCOUNT, ACCOUNT], [OTHER_ACCOUNT], []),
    ],
)
def test_a_listed_account_without_a_report_is_not_covered_and_one_that_is_not_listed_is_noted(
    tmp_path: Path, listed: list[str], missing: list[str], notes: list[str]
) -> None:
    report = with_one_missing(tmp_path, a_user())
    text = "\n".join([ACCOUNTS] + [f"{account},Name," for account in listed])
    named = with_account_list(report, read_account_list("a.csv", text.encode()))
    reason = "a.csv lists it; it has no report"
    added = [NotCovered(account=account, name="Name", reason=reason) for account in missing]
    assert list(named.not_covered) == [*report.not_covered, *added]
    assert list(named.notes[len(report.notes) :]) == [*map(str, added), *notes]


def test_an_account_of_another_partition_is_listed_with_it(tmp_path: Path) -> None:
    here, there = (report_text([a_user()]).replace(":aws:", f":{of}:") for of in ("aws", "aws-cn"))
    report = analyzer.load(saved(tmp_path, here, "a.csv"), saved(tmp_path, there, "b.csv"))
    text = f"{ACCOUNTS}\n{ACCOUNT},Shop,\naws-cn:{ACCOUNT},Shanghai,\naws-us-gov:{ACCOUNT},Gov,"
    named = with_account_list(report, read_account_list("a.csv", text.encode()))
    assert [each.label for each in named.not_covered] == [f"aws-us-gov:{ACCOUNT}"]
    of_user = csv_rows(analyzer.analyze(named))
    names = {row["arn"].partition(":iam")[0]: row["account_name"] for row in of_user if row["arn"]}
    assert names == {"arn:aws": "Shop", "arn:aws-cn": "Shanghai"}


@pytest.mark.parametrize("accounts", [[], [ACCOUNT, "", OTHER_ACCOUNT]])
def test_an_account_without_a_name_has_none(accounts: list[str]) -> None:
    named = account_names(pd.Series(accounts, dtype="str"), {ACCOUNT: AccountName(name="Pay")})
    assert named.tolist() == ["Pay", "", ""][: len(accounts)]
    assert named.dtype == "str"
    assert set(account_names(pd.Series(accounts, dtype="str"), {})) <= {""}


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """Analyze a named account and one without a name, and miss a named one."""
    users = a_user("ann"), a_user("bob", account=OTHER_ACCOUNT)
    report = with_one_missing(tmp_path_factory.mktemp("accounts"), *users)
    text = f"{ACCOUNTS}\n{ACCOUNT},=Pay\a,Ann\n{MISSING},Lost,"
    return analyzer.analyze(with_account_list(report, read_account_list("a.csv", text.encode())))


def test_json_names_the_account_of_users_and_findings(analysis: Analysis) -> None:
    document = json_document(analysis)
    pay = {"account": ACCOUNT, "name": r"=Pay\x07", "owner": "Ann"}
    named = [{name: of[name] for name in pay} for of in document["accounts"]]
    assert pay in named
    assert document["account_list"]["name"] == "a.csv"
    for kind in ("users", "findings"):
        names = {each["account"]: each["account_name"] for each in document[kind]}
        assert (names[ACCOUNT], names[OTHER_ACCOUNT]) == (r"=Pay\x07", "")


@pytest.mark.no_cover
def test_csv_names_the_account_of_each_row_and_one_that_is_missing(analysis: Analysis) -> None:
    named = {row["account"]: row["account_name"] for row in csv_rows(analysis)}
    assert named == {ACCOUNT: r"'=Pay\x07", OTHER_ACCOUNT: "", MISSING: "Lost"}


def test_the_table_names_the_account_of_each_user(analysis: Analysis) -> None:
    head, ann, bob = table_text(analysis).splitlines()
    assert head.endswith("\taccount_name")
    assert ann.endswith("\t=Pay\\x07")
    assert bob.endswith("\t")
    for width, shown in ((160, rf"{ACCOUNT} (=Pay\x07) ann "), (80, rf"{ACCOUNT} (=Pay\x07) ")):
        text = table_text(analysis, width=width)
        assert shown in text
        assert f"{OTHER_ACCOUNT} (" not in text


def test_the_answer_names_the_only_account() -> None:
    report = load_named(("report.csv", report_text([a_user()]).encode()))
    named = replace(report, account_names={ACCOUNT: AccountName(name="Pay")})
    text = table_text(analyzer.analyze(named), width=160)
    assert f"1 IAM user: 1 unused, account {ACCOUNT} (Pay) as of " in text


def test_a_list_that_is_not_utf_8_is_refused() -> None:
    for content, says in (
        (f"{ACCOUNTS}\n{ACCOUNT},Zürich,".encode("latin-1"), "row 2: not UTF-8 text.*CSV in UTF-8"),
        (b"PK\x03\x04\xff", "it is a workbook or an archive.*credreport collect"),
    ):
        with pytest.raises(InputRefused, match=f"(?s){says}"):
            read_account_list("accounts.csv", content)
