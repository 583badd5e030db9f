"""Of many accounts and users, people see first where most unused users can still sign in."""

import re
from dataclasses import replace

import pytest

import analyzer
from analyzer.report.model import AccountName
from analyzer.terms import SplitBy
from analyzer.writers.accounts import account_counts
from analyzer.writers.workbook import split
from tests.support.builders import ACCOUNT, Row, a_password, a_user, no_password
from tests.support.outputs import UNUSED, analysis_of, exemptions_of, table_text
from tests.support.workbooks import book_of, opened, values

FEW = (
    a_user("enters", account="000000000002", password=a_password()),
    a_user("unclear", account="000000000002", password=a_password(), mfa_active="?"),
    a_user("exempt", account="000000000002", password=a_password()),
    a_user("two-factors", account="000000000001", password=a_password(), mfa=True),
    a_user("nothing", account="000000000003"),
    a_user("nothing", account="000000000004"),
)


def test_the_account_with_most_exposed_users_comes_first_with_how_many_are_exempt() -> None:
    analysis = analysis_of(FEW, exemptions_of("*,exempt,Why,,"))
    assert [[*counts.values()] for counts in account_counts(analysis)] == [
        ["000000000002", 3, 3, 3, 2, 1, 1, 1],
        ["000000000001", 1, 1, 1, 0, 0, 0, 0],
        ["000000000003", 1, 1, 0, 0, 0, 0, 0],
        ["000000000004", 1, 1, 0, 0, 0, 0, 0],
    ]


NAME = re.compile(r"\bu[0-9]{2}\b")


def in_accounts(accounts: int, users: int) -> list[Row]:
    """Return unused users in turns of the accounts; in the first account all have a password."""
    return [
        a_user(
            f"u{at:02}",
            account=f"{at % accounts:012}" if at % accounts else ACCOUNT,
            password=no_password() if at % accounts else a_password(),
        )
        for at in range(users)
    ]


@pytest.mark.parametrize(
    ("accounts", "users", "is_short"),
    [(1, 50, False), (1, 51, True), (5, 50, False), (6, 11, True), (6, 10, False), (11, 22, True)],
)
def test_many_accounts_or_users_are_cut_short_and_the_headline_comes_last(
    accounts: int, users: int, *, is_short: bool
) -> None:
    analysis = analysis_of(in_accounts(accounts, users))
    text = table_text(analysis, UNUSED, width=120)
    headline, rules = f"{users} of {users} IAM users are unused: ", "Findings: "
    assert (text.index(headline) > text.index(rules)) is is_short
    assert len(NAME.findall(text)) == (10 if is_short else users)
    left = f"and {users - 10} more: -o users.csv writes all\n"
    assert (left in text) is is_short
    assert ("and 1 account more" in text) == (accounts == 11)


# The sheet

TITLE = "Accounts and owners"
NUMBERS = ("Can sign in without MFA", "Can sign in", "Unused", "IAM users")


def test_accounts_and_owners_have_a_sheet_of_their_counts() -> None:
    owners = analyzer.read_owners(b"account,user,owner,email\n*,enters,=Ann,a@x.example\n")
    exempt = exemptions_of("*,exempt,Why,,")
    report = analysis_of(FEW).report
    named = {"000000000002": AccountName(name="production")}
    analysis = analyzer.analyze(
        replace(report, account_names=named), exemptions=exempt, owners=owners
    )
    rows = [row for row in values(book_of(analysis)[TITLE]) if row[1] is not None]
    accounts = [(row[0], row[4], row[5]) + row[12:] for row in rows[:6]]
    assert accounts == [
        ("Account", "IAM users", "unused", "Unused, can sign in", "of these without MFA"),
        ("000000000002 production", 3, 3, 3, 2),
        ("000000000001", 1, 1, 1, 0),
        ("000000000003", 1, 1, 0, 0),
        ("000000000004", 1, 1, 0, 0),
        ("012345678901", 0, 0, 0, 0),
    ]
    assert [row[:5] for row in rows[6:]] == [
        ("Owner", "IAM users", "Unused", "Unused, can sign in", "of these without MFA"),
        ("no owner", 5, 5, 3, 1),
        ("=Ann", 1, 1, 1, 1),
    ]


def test_several_accounts_have_a_sheet_and_a_part_of_a_review_has_none() -> None:
    owners = analyzer.read_owners(b"account,user,owner\n*,*,Ann\n")
    owned = analyzer.analyze(analysis_of([a_user("ann")]).report, owners=owners)
    assert TITLE not in book_of(owned).sheetnames
    assert TITLE in book_of(analysis_of(FEW)).sheetnames
    by_owner = split(owned, SplitBy.OWNER)
    (part,) = by_owner.users_by_workbook
    assert TITLE not in opened(by_owner.content_of(part)).sheetnames
