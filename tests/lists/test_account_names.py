"""The names of accounts, from the list that a person maintains."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.errors import InputRefused
from analyzer.lists.owners import read_account_list, with_account_list
from analyzer.report.model import AccountName, account_names
from analyzer.terms import Verdict
from analyzer.writers.findings import write_findings
from tests.support.builders import ACCOUNT, AS_OF, a_user, report_text, saved
from tests.support.outputs import csv_rows, json_document, table_text
from tests.support.reading import OTHER_ACCOUNT

HEADER = "account,name,owner"
MISSING = "444455556666"


def names_in(text: str) -> dict[str, AccountName]:
    return dict(read_account_list("accounts.csv", text.encode()).names)


ANN = AccountName(name="Pay", owner="Ann")
READ = {
    f"{HEADER}\n{ACCOUNT},Pay,Ann\n": ANN,
    f"\ufeffOwner,NAME,Account\r\nAnn,Pay,{ACCOUNT}\r\n,,\r\n": ANN,
    f"{HEADER},team\n{ACCOUNT},Pay,Ann,x\n": ANN,
    f"account,name\n{ACCOUNT},Pay": AccountName(name="Pay"),
    f"{HEADER}\n{ACCOUNT},Pay": AccountName(name="Pay"),
}


def test_a_list_is_read_as_people_keep_it_and_the_owner_may_be_left_out() -> None:
    for text, named in READ.items():
        assert names_in(text) == {ACCOUNT: named}, text


@pytest.mark.no_cover
def test_control_signs_are_spelled_out_in_names_and_in_the_name_of_the_list(tmp_path: Path) -> None:
    text = f'{HEADER}\n{ACCOUNT},"P\x1b[1m\x00","A\x85n"\n'
    listed = read_account_list("a\x00\udcff.csv", text.encode())
    assert listed.names == {ACCOUNT: AccountName(name=r"P\x1b[1m\x00", owner=r"A\x85n")}
    assert listed.file.name == r"a\x00\udcff.csv"
    report = with_account_list(analyzer.load(saved(tmp_path, report_text([a_user()]))), listed)
    exempt = analyzer.read_exemptions(("e\x00\udcff.csv", b"account,user,reason,owner,expires\n"))
    assert exempt.file is not None
    assert exempt.file.name == r"e\x00\udcff.csv"
    endings = (".xlsx", ".csv", ".json", ".parquet", ".ocsf.json")
    analysis = analyzer.analyze(report, exemptions=exempt)
    analyzer.write(analysis, *(tmp_path / f"out{each}" for each in endings), sheets="review")


NO_NUMBER, TWICE = "account: not an account number", "account: the account is listed twice"
REFUSED = {
    "account,owner\n": "accounts.csv, row 1: column name is missing",
    f"{HEADER}\n12345678901,Pay,\n": "row 2, column account: an account has 12 digits",
    f"{HEADER}\n01234567890a,Pay,\n": f"row 2, column {NO_NUMBER}",
    "account,name\n" + "\u0661" * 12 + ",Pay\n": f"row 2, column {NO_NUMBER}",
    f"{HEADER}\n{ACCOUNT},,Ann\n": "row 2, column name: the cell is empty",
    f"{HEADER}\n{ACCOUNT},a,\n\n{ACCOUNT},b,\n": f"row 4, column {TWICE}",
    "account,name,owners\n": "column owners: the column looks like `owner`, misspelt",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_wrong_is_refused_with_row_and_column(text: str) -> None:
    with pytest.raises(InputRefused) as refusal:
        names_in(text)
    assert REFUSED[text] in str(refusal.value)


def test_the_list_replaces_the_names_of_a_manifest(tmp_path: Path) -> None:
    listed = ((ACCOUNT, "team-1"), (OTHER_ACCOUNT, "team-2"), ("", "unknown"), ("5" * 12, ""))
    profile: dict[str, Any] = {"account": "444455556666", "name": "my-profile", "is_profile": True}
    accounts = [profile, *({"account": account, "name": name} for account, name in listed)]
    fetched: list[dict[str, Any]] = [
        {"status": "fetched", "reason": "", **each} for each in accounts
    ]
    saved(tmp_path, json.dumps({"accounts": fetched}), "fetched.manifest.json")
    saved(tmp_path, report_text([a_user()]))
    report = analyzer.load(tmp_path)
    assert report.account_names == {
        ACCOUNT: AccountName(name="team-1"),
        OTHER_ACCOUNT: AccountName(name="team-2"),
    }
    pay = read_account_list("accounts.csv", f"{HEADER}\n{ACCOUNT},Pay,Ann".encode())
    named = with_account_list(report, pay)
    assert named.account_list == pay.file
    assert named.account_names == {
        ACCOUNT: AccountName(name="Pay", owner="Ann"),
        OTHER_ACCOUNT: AccountName(name="team-2"),
    }


@pytest.mark.parametrize(
    ("listed", "notes"),
    [
        ([ACCOUNT], []),
        ([ACCOUNT, MISSING], []),
        ([MISSING], [f"Accounts that are not in a.csv: {ACCOUNT}."]),
        ([OTHER_ACCOUNT, ACCOUNT], [f"Accounts in a.csv without a report: {OTHER_ACCOUNT}."]),
    ],
)
def test_notes_name_listed_accounts_that_nothing_else_calls_missing_and_those_not_listed(
    tmp_path: Path, listed: list[str], notes: list[str]
) -> None:
    missing = {"account": MISSING, "name": "x", "status": "failed", "reason": "AWS denied it."}
    saved(tmp_path, json.dumps({"accounts": [missing]}), "fetched.manifest.json")
    report = analyzer.load(
        saved(tmp_path, report_text([a_user()])), tmp_path / "fetched.manifest.json", as_of=AS_OF
    )
    text = "\n".join([HEADER, *(f"{account},Name," for account in listed)])
    named = with_account_list(report, read_account_list("a.csv", text.encode()))
    assert list(named.notes[len(report.notes) :]) == notes


@pytest.mark.parametrize("accounts", [[], [ACCOUNT, "", OTHER_ACCOUNT]])
def test_an_account_without_a_name_has_none(accounts: list[str]) -> None:
    named = account_names(pd.Series(accounts, dtype="str"), {ACCOUNT: AccountName(name="Pay")})
    assert named.tolist() == ["Pay", "", ""][: len(accounts)]
    assert named.dtype == "str"
    assert set(account_names(pd.Series(accounts, dtype="str"), {})) <= {""}


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """Analyze a named account and one without a name, and miss a named one."""
    folder = tmp_path_factory.mktemp("accounts")
    missing = {"account": MISSING, "name": "x", "status": "failed", "reason": "AWS denied it."}
    saved(folder, json.dumps({"accounts": [missing]}), "fetched.manifest.json")
    users = [a_user("ann"), a_user("bob", account=OTHER_ACCOUNT)]
    report = analyzer.load(saved(folder, report_text(users)), folder / "fetched.manifest.json")
    text = f"{HEADER}\n{ACCOUNT},=Pay\a,Ann\n{MISSING},Lost,"
    return analyzer.analyze(with_account_list(report, read_account_list("a.csv", text.encode())))


def test_json_names_the_account_of_users_and_findings(analysis: Analysis) -> None:
    document = json_document(analysis)
    pay = {"account": ACCOUNT, "name": r"=Pay\x07", "owner": "Ann"}
    assert pay in document["accounts"]
    assert document["account_list"]["name"] == "a.csv"
    for kind in ("users", "findings"):
        names = {each["account"]: each["account_name"] for each in document[kind]}
        assert (names[ACCOUNT], names[OTHER_ACCOUNT]) == (r"=Pay\x07", "")


@pytest.mark.no_cover
@pytest.mark.parametrize(("raw", "name"), [(False, r"'=Pay\x07"), (True, r"=Pay\x07")])
def test_csv_names_the_account_in_its_last_column(
    analysis: Analysis, name: str, *, raw: bool
) -> None:
    stream = io.BytesIO()
    write_findings(analysis, stream, raw=raw)
    of_findings = list(csv.DictReader(io.StringIO(stream.getvalue().decode())))
    for rows in (csv_rows(analysis, raw=raw), of_findings):
        assert list(rows[0])[-1] == "account_name"
        named = {row["account"]: row["account_name"] for row in rows}
        assert named == {ACCOUNT: name, OTHER_ACCOUNT: "", MISSING: "Lost"}


def test_the_table_and_its_details_name_the_account_of_each_user(analysis: Analysis) -> None:
    head, ann, bob = table_text(analysis).splitlines()
    assert head.endswith("\taccount_name")
    assert ann.endswith("\t=Pay\\x07")
    assert bob.endswith("\t")
    for width, shown in ((160, rf"{ACCOUNT} (=Pay\x07) ann "), (80, rf"{ACCOUNT} (=Pay\x07) ")):
        text = table_text(analysis, width=width)
        assert shown in text
        assert f"{OTHER_ACCOUNT} (" not in text
    details = table_text(analysis, (Verdict.RETIRED,), width=160, details=True)
    assert rf"  {ACCOUNT} (=Pay\x07) ann " in details


def test_the_answer_names_the_only_account() -> None:
    report = analyzer.load(("report.csv", report_text([a_user()]).encode()))
    named = replace(report, account_names={ACCOUNT: AccountName(name="Pay")})
    text = table_text(analyzer.analyze(named), width=160)
    assert f"1 IAM user: 1 unused, account {ACCOUNT} (Pay) as of " in text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (f"{HEADER}\n{ACCOUNT},Zürich,".encode("latin-1"), "(?s)it cannot be read: .*CSV in UTF-8"),
        (b"PK\x03\x04\xff", "(?s)it is a workbook or an archive.*credreport collect"),
    ],
)
def test_a_list_that_is_not_utf_8_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(InputRefused, match=says):
        read_account_list("accounts.csv", content)
