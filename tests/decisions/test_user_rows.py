"""A line of the ledger keeps what the report shows of a user, and who was created with it."""

from datetime import timedelta

import pandas as pd

from analyzer import columns
from analyzer.decisions.user_rows import NOT_FROM_REPORT, rows_of_users_csv, same_second_names
from tests.support.builders import ACCOUNT, LONG_AGO, Row, a_user, days_before
from tests.support.decisions import OTHER_ACCOUNT, analysis_of, in_accounts

SECOND = timedelta(seconds=1)


def names_of(*users: Row) -> list[set[str]]:
    judged = analysis_of(*users).judged.users
    return [set(names) for names in same_second_names(judged, judged)]


def test_a_user_is_named_with_those_created_in_its_second() -> None:
    twins = a_user("one", created=LONG_AGO), a_user("two", created=LONG_AGO)
    before = a_user("before", created=LONG_AGO - SECOND)
    assert names_of(*twins, before) == [{"one", "two"}, {"one", "two"}, {"before"}]


def test_a_user_whose_creation_time_is_not_understood_is_alone() -> None:
    unread = [a_user(name, created="soon") for name in ("odd", "odder")]
    assert names_of(*unread, a_user("one")) == [{"odd"}, {"odder"}, {"one"}]


def test_users_of_another_account_or_report_are_not_beside() -> None:
    users = [[a_user("one", created=LONG_AGO)], [a_user("two", created=LONG_AGO)]]
    judged = in_accounts(days_before(0), *(((), each) for each in users)).judged.users
    assert [set(names) for names in same_second_names(judged, judged)] == [{"one"}, {"two"}]
    later = judged.assign(account=ACCOUNT, as_of=judged[columns.AS_OF] + pd.Timedelta(1, "s"))
    every = pd.concat([judged.assign(account=ACCOUNT).iloc[:1], later.iloc[1:]])
    assert [set(names) for names in same_second_names(every, every)] == [{"one"}, {"two"}]


def test_a_row_is_that_of_users_csv_without_what_lists_say() -> None:
    (row,) = rows_of_users_csv(analysis_of(a_user("ann", account=OTHER_ACCOUNT)).judged)
    assert list(row) == list(columns.OF_LEDGER)
    assert (row[columns.ACCOUNT], row[columns.USER]) == (OTHER_ACCOUNT, "ann")
    assert {row[name] for name in NOT_FROM_REPORT} == {""}
