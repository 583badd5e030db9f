"""Two large reports are compared page by page, and only what differs is put into words."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.analysis.rulebook import Rulebook
from analyzer.changes import diff
from analyzer.limits import Thresholds
from analyzer.report import users as users_module
from analyzer.rules import RULES
from analyzer.rules.rule import Rule
from analyzer.verdicts.facts import Facts
from tests.support.builders import (
    AS_OF,
    LONG_AGO,
    Row,
    a_key,
    a_user,
    days_before,
    report_text,
    the_root,
)
from tests.support.comparisons import LATER
from tests.support.named_reports import load_named

ACCOUNTS = ("111111111111", "222222222222", "333333333333")
SINCE = days_before(-8)
USED_KEY = a_key(LONG_AGO, LONG_AGO)
BOOK = analyzer.rulebook(rules=["unused-user", "idle-access-key", "unrotated-access-key"])


def a_report(*users: Row, later: bool = False, book: Rulebook = BOOK) -> Analysis:
    """Analyze the users and roots of several accounts, a file each."""
    files = [
        (f"{account}.csv", report_text(own, root=the_root(account)).encode())
        for account in ACCOUNTS
        if (own := [each for each in users if f":{account}:" in str(each["arn"])])
    ]
    loaded = load_named(*files, as_of=LATER if later else AS_OF)
    return analyzer.analyze(loaded, book=book)


def compared(before: Analysis, now: Analysis) -> pd.DataFrame:
    return diff.changes(diff.Side.of(before), diff.Side.of(now))


def user(name: str, place: int = 0, **cells: Any) -> Row:
    return a_user(name, account=ACCOUNTS[place], **cells)


ann, bob = partial(user, "ann"), partial(user, "bob")


BEFORE = [ann(0, key_1=USED_KEY), bob(0), ann(1), bob(1, key_1=USED_KEY), ann(2, mfa=True), bob(2)]
NOW = [
    ann(0, key_1=a_key(LONG_AGO, SINCE)),
    bob(0),
    bob(1, key_2=USED_KEY),
    user("eve", 1),
    bob(2, key_1=USED_KEY),
    ann(2, created=SINCE),
]


@pytest.mark.no_cover
def test_reports_of_many_pages_compared_in_parts_change_as_those_of_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = compared(a_report(*BEFORE), a_report(*NOW, later=True))
    monkeypatch.setattr(users_module, "SLICE_ROWS", 1)
    monkeypatch.setattr(diff, "_STEPS_AT_ONCE", 1)
    assert_frame_equal(compared(a_report(*BEFORE), a_report(*NOW, later=True)), whole)
    assert len(whole) > len(BEFORE)


def a_rule(worded: list[int]) -> Rule:
    """Return a rule that fails for all users, and counts those that it puts into words."""

    def fact(_facts: Facts, at: np.ndarray, _limits: Thresholds) -> list[pa.Array]:
        worded.append(len(at))
        return [pa.array(["here"] * len(at), pa.large_string())]

    return replace(RULES[0], fact=fact)


@pytest.mark.no_cover
def test_findings_are_put_into_words_only_for_users_that_changed() -> None:
    worded: list[int] = []
    book = replace(analyzer.rulebook(), rules=(a_rule(worded),))
    unused = [user(f"user{each}") for each in range(20)]
    before = a_report(ann(), bob(), *unused, book=book)
    now = a_report(ann(mfa=True), user("eve"), *unused, book=book)
    frame = compared(before, now)
    assert sum(worded) == 4  # ann and bob before, ann and eve now
    assert frame.loc[frame["rule"] != "", "user"].tolist() == ["eve", "bob"]


def test_a_rule_that_ran_on_one_side_only_has_findings_there_alone() -> None:
    rules = ["idle-access-key", "unrotated-access-key"]
    books = (analyzer.rulebook(rules=each) for each in (rules[:1], rules))
    one, both = (a_report(ann(key_1=USED_KEY), book=book) for book in books)
    for before, now, change in ((one, both, "finding-new"), (both, one, "finding-resolved")):
        frame = compared(before, now)
        assert frame[["change", "rule"]].to_numpy().tolist() == [[change, "unrotated-access-key"]]
