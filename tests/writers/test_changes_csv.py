"""The changes since the previous run as CSV."""

import io

import pandas as pd

from analyzer.changes import changes
from analyzer.model import Report, UncoveredAccount
from analyzer.writers.csv import write_changes
from tests.test_changes import NEW, a_user, users

HEADER = "change,account,user,arn,before,now,last_use\n"


def written(frame: pd.DataFrame, *missing: UncoveredAccount) -> str:
    report = Report(files=(), notes=(), pages=lambda: iter(()), roots=tuple, not_covered=missing)
    stream = io.BytesIO()
    write_changes(frame, report, stream)
    return stream.getvalue().decode()


def test_a_row_tells_of_one_user_and_names_that_look_like_formulas_are_guarded() -> None:
    before = users(a_user("unused", "bob"), a_user("dormant", "+eve"))
    now = users(a_user("unused", "=ann"), a_user("active", "+eve", password=NEW))
    assert written(changes(before, now, {"012345678901"}, {"012345678901"})) == HEADER + (
        "new-unused,012345678901,'=ann,arn:aws:iam::012345678901:user/=ann,,unused,\n"
        "gone,012345678901,bob,arn:aws:iam::012345678901:user/bob,unused,,\n"
        "used-again,012345678901,'+eve,arn:aws:iam::012345678901:user/+eve,dormant,active,"
        "2026-02-07T08:00:00Z\n"
    )


def test_where_nothing_changed_there_is_but_the_header() -> None:
    assert written(changes(users(), users(), (), ())) == HEADER


def test_an_account_that_could_not_be_read_has_a_row_of_its_own() -> None:
    denied = UncoveredAccount(account="210987654321", name="pay", reason="Denied.")
    unknown = UncoveredAccount(account="", name="=profile", reason="No credentials.")
    now = users(a_user("unused", "ann"))
    assert written(changes(users(), now, {"012345678901"}, ()), denied, unknown) == HEADER + (
        "new-unused,012345678901,ann,arn:aws:iam::012345678901:user/ann,,unused,\n"
        "not-covered,210987654321,,,,,\n"
        "not-covered,'=profile,,,,,\n"
    )
