"""Reports of many shapes, masked ones among them, give the verdicts that what they hold allows."""

import pandas as pd

import analyzer
from analyzer.columns import OPTIONAL
from analyzer.report.report import Report
from analyzer.verdicts.caveats import caveat_sentences
from analyzer.writers.headline import as_of_and_scope
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    COLUMNS,
    COLUMNS_OF_2014,
    QUIET_PASSWORD,
    Row,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    no_password,
    report_text,
    the_root,
)
from tests.support.decisions import console_name

QUIET, WAITING = a_user("quiet"), a_user("waiting", password=a_password(), key_1=an_inactive_key())
GONE = a_user("gone", password=no_password(days_before(400)))
BUSY = a_user("busy", key_1=a_key(used=days_before(1)))
IDLE = a_user("idle", key_1=a_key())
BOTH = a_user("both", password=QUIET_PASSWORD, key_1=a_key())
USERS = (QUIET, WAITING, GONE, BUSY, IDLE, BOTH)

AS_AWS_WRITES = {
    "quiet": "unused no-credentials",
    "waiting": "unused never-signed-in-inactive-keys",
    "gone": "retired",
    "busy": "active",
    "idle": "dormant",
    "both": "active",
}


def loaded(text: str) -> Report:
    return analyzer.load((console_name(AS_OF), text.encode()))


def verdicts(text: str) -> list[tuple[str, str]]:
    """Return each user's name, and its verdict with reason and caveats in one text."""
    return verdicts_of(analyzer.analyze(loaded(text)).users)


def verdicts_of(users: pd.DataFrame) -> list[tuple[str, str]]:
    cells = users[["user", "verdict", "reason", "caveats"]].astype(str).to_numpy()
    return [(name, " ".join(filter(None, rest))) for name, *rest in cells.tolist()]


def by_name(text: str) -> dict[str, str]:
    return dict(verdicts(text))


def check(*caveats: str, **changed: str) -> dict[str, str]:
    """Return the verdicts as AWS writes the report, with caveats for those that can go."""
    removable = {
        name: " ".join([words, ";".join(caveats)])
        for name, words in AS_AWS_WRITES.items()
        if words.startswith(("unused", "retired"))
    }
    return AS_AWS_WRITES | (removable if caveats else {}) | changed


# Reports that lack columns


def lack(*names: str) -> str:
    """Return the reason of who is undetermined for columns that are not there."""
    return f"undetermined {'; '.join(f'{name} is not in this report' for name in names)}"


USED_DATE = "access_key_1_last_used_date"
UNREAD, MASKED = "unread-cell", "masked-arn"
WITHOUT_DATES = lack("password_last_changed", USED_DATE)
WITHOUT_USES = check(
    waiting=f"unused never-signed-in-inactive-keys {UNREAD}",
    busy=lack(USED_DATE),
    idle=lack(USED_DATE),
)
LACKING: dict[str, dict[str, str]] = {
    "nothing": check(),
    "cert_1_active cert_2_active cert_1_last_rotated cert_2_last_rotated": check(UNREAD),
    "mfa_active": check(UNREAD),
    "password_last_changed": check(),
    "password_next_rotation": check(),
    "arn": check(MASKED),
    "arn mfa_active": check(f"{UNREAD};{MASKED}"),
    f"{USED_DATE} access_key_2_last_used_date": WITHOUT_USES,
    " ".join({*COLUMNS} - {*COLUMNS_OF_2014}): WITHOUT_USES,
    " ".join(name for name in COLUMNS if name.endswith(("_region", "_service"))): check(),
    " ".join(OPTIONAL): check(f"{UNREAD};{MASKED}", busy=WITHOUT_DATES, idle=WITHOUT_DATES),
}


def test_a_report_without_a_column_that_may_be_missing_is_judged_by_the_others() -> None:
    for lacking, expected in LACKING.items():
        columns = [name for name in COLUMNS if name not in lacking.split()]
        assert by_name(report_text(USERS, columns=columns)) == expected, lacking


# Masked reports


def replaced(arn: str, users: tuple[Row, ...] = USERS) -> str:
    """Return a report in which a text stands for all ARNs."""
    return report_text([user | {"arn": arn} for user in users], root=the_root() | {"arn": arn})


def of_account(account: str, path: str = "", partition: str = "aws") -> str:
    text = report_text(USERS).replace(f"aws:iam::{ACCOUNT}", f"{partition}:iam::{account}")
    return text.replace("user/", f"user/{path}")


NO_COLUMN = tuple(name for name in COLUMNS if name != "arn")
OF_ACCOUNTS = {
    **{each: of_account(each) for each in ("test", "123XXXXXXXX", "1234567890123")},
    "************": of_account("************", "a/"),
    "xxxx": of_account("xxxx", partition="aws-cn"),
}
OF_NO_ACCOUNT = {
    **{arn: replaced(arn) for arn in ("fakearn", "[REDACTED]")},
    "no column": report_text(USERS, columns=NO_COLUMN),
}


def test_users_of_a_masked_report_are_judged_by_name_under_the_account_that_stands_there() -> None:
    for account, text in (*OF_ACCOUNTS.items(), *(("", each) for each in OF_NO_ACCOUNT.values())):
        report = loaded(text)
        users = analyzer.analyze(report).users
        assert dict(verdicts_of(users)) == check(MASKED), account
        assert {each.account for file in report.files for each in file.accounts} == {account}
        assert {*users["account"]} == {account}
        assert users["masked"].all()
        (roots,) = report.roots()
        assert roots.users["user"].tolist() == ["<root_account>"]
        assert as_of_and_scope(report).endswith(f", account {account or 'unknown'}")


def test_a_note_names_the_option_until_it_is_used() -> None:
    for kind in ("123XXXXXXXX", "fakearn", "no column"):
        file = ("0.csv", (OF_ACCOUNTS | OF_NO_ACCOUNT)[kind].encode())
        note = "No account number in 0.csv: the ARNs are masked or missing"
        assert [each for each in analyzer.load(file).notes if each.startswith(note)]
        report = analyzer.load(file, account_id="123456789012", as_of=AS_OF)
        assert {*report.users["account"]} == {"123456789012"}
        (note,) = report.notes
        assert note == (
            "0.csv: the account is set; users whose ARN is masked or missing are judged by name,"
            " and to check if unused. --include-check lists them too with --format names."
        )
    whole = ("0.csv", report_text(USERS).encode())
    report = analyzer.load(whole, account_id="999999999999", as_of=AS_OF)
    assert (report.notes, {*report.users["account"]}) == ((), {ACCOUNT})


def test_the_caveat_shows_the_cell_or_says_that_there_is_no_column() -> None:
    rest = ": the user is judged by name."
    for kind, says in (
        ("fakearn", f'The ARN "fakearn" is masked{rest}'),
        ("no column", f"The report has no column arn{rest}"),
    ):
        (page,) = analyzer.analyze(loaded(OF_NO_ACCOUNT[kind])).judged.slices()
        assert {text for user in caveat_sentences(page) for _, text in user} == {says}


NO_ARNS = (
    *("arn:aws:iam::123XXXXXXXX:user/other", "arn:aws:iam::123XXXXXXXX:user/qui"),
    *("arn:aws:iam::123XXXXXXXX:group/quiet", "arn:aws:iam::\u0661:user/quiet"),
    *("arn:aws:i", "user/quiet", "no arn", "fakearns", "tru", "arn", "N/A", "-", ""),
)


def test_users_whose_arns_were_lost_or_damaged_are_each_undetermined() -> None:
    for arn in ("N/A", "arn:aws:i"):
        users = (QUIET,) if arn.startswith("arn:") else USERS  # rows of one ARN are one user
        expected = f'undetermined arn "{arn}" is not understood'
        assert {*by_name(replaced(arn, users)).values()} == {expected}
    found = verdicts(report_text([QUIET | {"arn": arn} for arn in NO_ARNS]))
    assert [verdict for _, verdict in found] == [
        f'undetermined arn "{arn}" is not understood' for arn in NO_ARNS
    ]


def test_without_arns_rows_of_one_name_are_one_user_and_who_may_be_the_root_is_open() -> None:
    odd = map(a_user, ("", "root", "root_account", "a b"))
    users = (*odd, a_user("same"), a_user("same"))
    for text in (replaced("fakearn", users), report_text(users, columns=NO_COLUMN)):
        found = [(name, verdict.split()[0]) for name, verdict in verdicts(text)]
        assert found == [
            *((name, "undetermined") for name in ("", "root", "root_account", "a b")),
            ("same", "unused"),
        ]


def test_a_report_without_the_column_may_repeat_its_header() -> None:
    text = report_text([a_user("one"), a_user("two")], columns=NO_COLUMN)
    again = text + "\n".join(["", text.partition("\n")[0], ""])
    assert [name for name, _ in verdicts(again)] == ["one", "two"]
