"""The owners of users, from the list that a person maintains."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.changes.diff import diff
from analyzer.decisions.ledger import Ledger
from analyzer.decisions.plan import LeftOut, plan, with_owners
from analyzer.errors import InputRefused
from analyzer.lists.owners import Owners, read_owners
from analyzer.report.model import Report
from analyzer.writers import write
from analyzer.writers.changes import write_changes
from analyzer.writers.headline import notes
from tests.support.builders import ACCOUNT, AS_OF, a_password, a_user, report_text, the_root
from tests.support.decisions import line
from tests.support.outputs import ALL, json_document, table_text
from tests.support.pages import page_of
from tests.support.reading import OTHER_ACCOUNT
from tests.support.workbooks import opened, records

HEADER = "account,user,owner,email,left"


def owners(*lines: str) -> Owners:
    return read_owners("owners.csv", "\n".join([HEADER, *lines]).encode())


def analyzed(listed: Owners, *names: str, **more: Any) -> Analysis:
    return analyzer.analyze(
        loaded(report_text([a_user(name, **more) for name in names])), owners=listed
    )


@cache
def loaded(text: str) -> Report:
    """Read a report once for all tests: many have the same users."""
    return analyzer.load(("report.csv", text.encode()), as_of=AS_OF)


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
        assert [*listed.columns_of(users)["owner"]] == [owner], lines
        assert (listed.places(users) >= 0).tolist() == [bool(owner)]


def test_an_owner_has_left_from_the_day_after_the_last() -> None:
    users = page_of(map(a_user, ("ann", "ben", "nobody's"))).users
    for days, has_left in ((1, True), (0, False), (-1, False)):
        last = (AS_OF - timedelta(days=days)).date()
        listed = owners(f"*,ann,Ann,,{last}", "*,ben,Ben,,", f"*,cem,Cem,,{last}")
        left = [*listed.columns_of(users)["owner_left"]]
        assert left == [str(last) if has_left else "", "", ""], days


@pytest.mark.no_cover
def test_a_root_has_an_owner_only_if_it_is_named() -> None:
    text = report_text([], root=the_root(mfa_active="false"))
    report = loaded(text)
    for user, expected in (("*", {""}), ("<root_account>", {"Ops"})):
        analysis = analyzer.analyze(report, owners=owners(f"*,{user},Ops,,"))
        assert {*analysis.rule_results.findings["owner"]} == expected
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


REFUSED = {
    "account,user\n": "owners.csv, row 1: column owner is missing",
    "account,user,owner,emial\n": "the column looks like `email`, misspelt",
    f"{HEADER}\n12345678901,ann,Ann,,\n": "account: an account has 12 digits",
    f"{HEADER}\n,ann,Ann,,\n": "row 2, column account: the cell is empty",
    f"{HEADER}\n*,,Ann,,\n": "row 2, column user: the cell is empty",
    f"{HEADER}\n*,ann,,,\n": "row 2, column owner: the cell is empty",
    f"{HEADER}\n*,ann,Ann,ann,\n": "column email: not an e-mail address",
    f"{HEADER}\n*,ann,Ann,,1.3.2026\n": "column left: not a date",
    f"{HEADER}\n*,ann,Ann,,\n*,Ann,Bob,,\n": "row 3, column user: the user is listed twice",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_wrong_is_refused_with_row_and_column(text: str) -> None:
    with pytest.raises(InputRefused) as refusal:
        read_owners("owners.csv", text.encode())
    assert REFUSED[text] in str(refusal.value)


def test_address_and_last_day_may_be_left_out() -> None:
    (entry,) = analyzer.read_owners(b"user;account;owner;team\nann;*;A\x1bnn;x\n").entries
    assert (entry.owner, entry.email, entry.left) == (r"A\x1bnn", "", None)


def csv_owners(path: Path) -> set[str]:
    with path.open(newline="") as stream:
        return {row["owner"].lstrip("'") for row in csv.DictReader(stream)}


def parquet_owners(path: Path) -> set[str]:
    return {*pq.read_table(path)["owner"].to_pylist()}


def sheet_owners(path: Path) -> set[str]:
    """Return the owners on every sheet that has users, but for that of roots."""
    sheets = {sheet.title: records(sheet) for sheet in opened(path.read_bytes())}
    listed = [rows for title, rows in sheets.items() if title != "Root users" and rows]
    with_users = [row for rows in listed for row in rows if {"User", "ARN"} <= {*rows[0]}]
    return {row["Owner"] for row in with_users}


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("name", "owners_in"),
    [
        ("out.csv", csv_owners),
        ("findings.csv", csv_owners),
        ("out.parquet", parquet_owners),
        ("findings.parquet", parquet_owners),
        ("out.xlsx", sheet_owners),
    ],
)
def test_every_table_has_the_owner_of_each_user(
    tmp_path: Path, name: str, owners_in: Callable[[Path], set[str]]
) -> None:
    path = tmp_path / name
    users, findings = ([], path) if name.startswith("findings") else ([path], None)
    write(of_ann(), *users, verdicts=ALL, findings=findings)
    assert owners_in(path) == {"=Ann Lee"}


def test_every_document_and_security_hub_has_the_owner_of_each_user(tmp_path: Path) -> None:
    names = ("out.json", "out.md", "out.html", "out.ocsf.json")
    for path in write(of_ann(), *map(tmp_path.joinpath, names)):
        assert "Ann Lee" in path.read_text(), path
    (path,) = write(of_ann(), tmp_path / "out.asff.json")
    assert '"credreport/Owner":"=Ann Lee"' in path.read_text()


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
    rows = [*csv.DictReader(io.StringIO(stream.getvalue().decode()))]
    assert {(row["owner"], row["owner_left"]) for row in rows} == {("'=Ann Lee", "2020-01-01")}


def test_a_plan_names_whom_to_ask_today_and_nobody_else() -> None:
    asked_then = {"owner": "Zoe", "owner_email": "zoe@example.com", "owner_left": "2020-01-01"}
    decided = line(user=a_user("ann"))
    ledger = Ledger(lines=(replace(decided, report_cells={**decided.report_cells, **asked_then}),))
    ann, today = "Ann Lee <ann@example.com>", date(2026, 3, 2)
    for entry, owner in (
        (f"{ACCOUNT},ann,Ann Lee,,2026-03-02", "Ann Lee"),
        ("*,a*,Ann Lee,ann@example.com,2026-03-01", f"{ann}, left on 2026-03-01"),
        ("*,bob,Bob,,", ""),
    ):
        owned = with_owners(ledger, owners(entry), today)
        whose = f" (owner {owner})" if owner else ""
        left_out = LeftOut(owned.lines[0], "exempt")
        assert str(left_out) == f"delete {decided.user_key.arn}{whose}: exempt"
        assert [each.line.owner for each in plan(owned).removals] == [owner]
    assert with_owners(Ledger(), owners(), today) == Ledger()
