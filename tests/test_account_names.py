"""The names of accounts, from the list that a person maintains."""

import json
from pathlib import Path

import pandas as pd
import pytest

import analyzer
from analyzer.account_names import account_names, read_account_list, with_account_list
from analyzer.errors import InputRefused
from analyzer.model import AccountName
from tests.support.builders import ACCOUNT, a_user, report_text, saved
from tests.support.outputs import json_document
from tests.support.reading import OTHER_ACCOUNT

HEADER = "account,name,owner"


def names_in(text: str) -> dict[str, AccountName]:
    return dict(read_account_list("accounts.csv", text.encode()).names)


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER}\n{ACCOUNT},Payments,Ann\n",
        f"\ufeffOwner,NAME,Account\r\nAnn,Payments,{ACCOUNT}\r\n,,\r\n",
        f"{HEADER},team\n{ACCOUNT},Payments,Ann,x\n",
    ],
)
def test_a_list_is_read_as_people_keep_it(text: str) -> None:
    assert names_in(text) == {ACCOUNT: AccountName(name="Payments", owner="Ann")}


@pytest.mark.parametrize("text", [f"account,name\n{ACCOUNT},Pay", f"{HEADER}\n{ACCOUNT},Pay"])
def test_the_owner_may_be_left_out(text: str) -> None:
    assert names_in(text) == {ACCOUNT: AccountName(name="Pay")}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("account,owner\n", "accounts.csv, row 1: missing: name"),
        (f"{HEADER}\n12345678901,Pay,\n", "row 2, column account: not an account number"),
        (f"{HEADER}\n01234567890a,Pay,\n", "row 2, column account: not an account number"),
        (
            "account,name\n" + "\u0661" * 12 + ",Pay\n",
            "row 2, column account: not an account number",
        ),
        (f"{HEADER}\n{ACCOUNT},,Ann\n", "row 2, column name: the cell is empty"),
        (
            f"{HEADER}\n{ACCOUNT},a,\n\n{ACCOUNT},b,\n",
            "row 4, column account: the account is listed twice",
        ),
        ("account,name,owners\n", "column owners: the column looks like `owner`, misspelt"),
    ],
)
def test_what_is_wrong_is_refused_with_row_and_column(text: str, problem: str) -> None:
    with pytest.raises(InputRefused) as refusal:
        names_in(text)
    assert problem in str(refusal.value)


def test_the_list_replaces_the_names_of_a_manifest(tmp_path: Path) -> None:
    def entry(account: str, name: str, **more: bool) -> dict[str, str | bool]:
        return {"account": account, "name": name, "status": "fetched", "reason": "", **more}

    accounts = [
        entry(ACCOUNT, "team-1"),
        entry(OTHER_ACCOUNT, "team-2"),
        entry("444455556666", "my-profile", is_profile=True),
        entry("", "unknown"),
        entry("555566667777", ""),
    ]
    saved(tmp_path, json.dumps({"accounts": accounts}), "fetched.manifest.json")
    saved(tmp_path, report_text([a_user()]))
    report = analyzer.load(tmp_path)
    assert report.account_names == {
        ACCOUNT: AccountName(name="team-1"),
        OTHER_ACCOUNT: AccountName(name="team-2"),
    }
    listed = read_account_list("accounts.csv", f"{HEADER}\n{ACCOUNT},Pay,Ann".encode())
    named = with_account_list(report, listed)
    assert named.account_list == listed.file
    assert named.account_names == {
        ACCOUNT: AccountName(name="Pay", owner="Ann"),
        OTHER_ACCOUNT: AccountName(name="team-2"),
    }


@pytest.mark.parametrize("accounts", [[], [ACCOUNT, "", OTHER_ACCOUNT]])
def test_an_account_without_a_name_has_none(accounts: list[str]) -> None:
    named = account_names(pd.Series(accounts, dtype="str"), {ACCOUNT: AccountName(name="Pay")})
    assert named.tolist() == ["Pay", "", ""][: len(accounts)]
    assert named.dtype == "str"
    assert set(account_names(pd.Series(accounts, dtype="str"), {})) <= {""}


def test_json_names_the_account_of_users_and_findings(tmp_path: Path) -> None:
    report = analyzer.load(saved(tmp_path, report_text([a_user()])))
    text = f"{HEADER}\n{ACCOUNT},=Pay,Ann"
    listed = read_account_list("accounts.csv", text.encode())
    document = json_document(analyzer.analyze(with_account_list(report, listed)))
    assert document["accounts"] == [{"account": ACCOUNT, "name": "=Pay", "owner": "Ann"}]
    assert document["account_list"]["name"] == "accounts.csv"
    for kind in ("users", "findings"):
        assert {each["account_name"] for each in document[kind]} == {"=Pay"}


def test_a_list_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(InputRefused, match="Save it as a CSV in UTF-8"):
        read_account_list("accounts.csv", f"{HEADER}\n{ACCOUNT},Zürich,".encode("latin-1"))
