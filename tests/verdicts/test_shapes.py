"""Reports of many shapes give the verdicts that what they hold allows."""

import pandas as pd
import pytest

import analyzer
from analyzer.columns import OPTIONAL
from analyzer.report.report import Report
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    COLUMNS,
    COLUMNS_OF_2014,
    QUIET_PASSWORD,
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
from tests.support.named_reports import load_named

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
    return load_named((console_name(AS_OF), text.encode()))


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
UNREAD = "unread-cell"
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
    f"{USED_DATE} access_key_2_last_used_date": WITHOUT_USES,
    " ".join(set(COLUMNS) - set(COLUMNS_OF_2014)): WITHOUT_USES,
    " ".join(name for name in COLUMNS if name.endswith(("_region", "_service"))): check(),
    " ".join(OPTIONAL): check(UNREAD, busy=WITHOUT_DATES, idle=WITHOUT_DATES),
}


def test_a_report_without_a_column_that_may_be_missing_is_judged_by_the_others() -> None:
    for lacking, expected in LACKING.items():
        columns = [name for name in COLUMNS if name not in lacking.split()]
        assert by_name(report_text(USERS, columns=columns)) == expected, lacking


# ARNs that name no account


NO_ACCOUNT = (
    {each: f"arn:aws:iam::{each}:user/quiet" for each in ("test", "123XXXXXXXX", "1" * 13, "")}
    | {each: each for each in ("fakearn", "[REDACTED]", "N/A", "", "arn:aws:i", "quiet")}
    | {"digits of another script": f"arn:aws:iam::{chr(0x661) * 12}:user/quiet"}
)


def test_a_user_whose_arn_names_no_account_is_refused_with_what_to_write_there() -> None:
    for kind, arn in NO_ACCOUNT.items():
        with pytest.raises(analyzer.InputRefused) as refused:
            loaded(report_text([BUSY, QUIET | {"arn": arn}]))
        (found,) = refused.value.problems
        assert (found.row, found.column, found.value) == (4, "arn", arn), kind
        assert found.message == "the ARN names no account of 12 digits"
        assert found.hint.startswith("Put 12 digits in the place of the account: arn:aws:iam::")


def test_a_user_whose_arn_is_another_users_is_undetermined() -> None:
    of_account = f"arn:aws:iam::{ACCOUNT}:"
    for arn in (f"{of_account}user/other", f"{of_account}group/quiet", of_account):
        (found,) = verdicts(report_text([QUIET | {"arn": arn}]))
        assert found == ("quiet", f'undetermined arn "{arn}" is not understood')


def test_a_root_whose_arn_names_no_account_is_that_of_the_users_beside_it() -> None:
    report = loaded(report_text(USERS, root=the_root() | {"arn": "N/A"}))
    (roots,) = report.roots()
    assert roots.users["account"].tolist() == [ACCOUNT]
    assert {each.account for file in report.files for each in file.accounts} == {ACCOUNT}
    elsewhere = a_user("eve", account="111122223333")
    for users in ((), (QUIET, elsewhere)):
        with pytest.raises(analyzer.InputRefused, match="names no account of 12 digits"):
            loaded(report_text(users, root=the_root() | {"arn": "N/A"}))
