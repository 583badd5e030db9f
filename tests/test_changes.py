"""What changed since the previous run, case by case."""

import random
from collections.abc import Mapping

import pandas as pd
import pyarrow as pa
import pytest

from analyzer.changes import COLUMNS, NEEDED, Change, changes

ACCOUNT, OTHER = BOTH = ("012345678901", "210987654321")
OLD, NEW = "2026-01-05T08:00:00Z", "2026-02-07T08:00:00Z"
NEVER = "N/A"
User = Mapping[str, str]


def a_user(
    verdict: str,
    name: str = "ann",
    password: str = NEVER,
    keys: tuple[str, str] = (NEVER, NEVER),
    **cells: str,
) -> User:
    account = cells.get("account", ACCOUNT)
    return {
        "account": account,
        "user": name,
        "arn": f"arn:aws:iam::{account}:user/{name}",
        "verdict": verdict,
        "password_last_used": password,
        "access_key_1_last_used_date": keys[0],
        "access_key_2_last_used_date": keys[1],
        **cells,
    }


def users(*rows: User) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(NEEDED), dtype="str")


def compared(
    before: list[User],
    now: list[User],
    covered_before: tuple[str, ...] = BOTH,
    covered: tuple[str, ...] = BOTH,
) -> list[tuple[str, ...]]:
    """Return change, user, before, now and last use of each who changed."""
    frame = changes(users(*before), users(*now), covered_before, covered)
    told = frame.assign(last_use=frame["last_use"].dt.strftime("%m-%d").fillna(""))
    return [tuple(row) for row in told[["change", "user", "before", "now", "last_use"]].to_numpy()]


NOTHING: list[tuple[str, ...]] = []


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        # new-unused
        (None, a_user("unused"), [("new-unused", "ann", "", "unused", "")]),
        (a_user("undetermined"), a_user("unused"), NOTHING),
        (a_user("undetermined"), a_user("unused", keys=(NEW, NEVER)), NOTHING),
        (
            a_user("active", keys=(OLD, NEVER)),
            a_user("unused", keys=(OLD, NEVER)),
            [("new-unused", "ann", "active", "unused", "01-05")],
        ),
        (
            a_user("dormant", keys=(OLD, NEVER)),
            a_user("unused", keys=(NEW, NEVER)),
            [("new-unused", "ann", "dormant", "unused", "02-07")],
        ),
        (a_user("unused"), a_user("unused"), NOTHING),
        (None, a_user("active", password=NEW), NOTHING),
        # gone
        (a_user("unused"), None, [("gone", "ann", "unused", "", "")]),
        (a_user("active", password=OLD), None, [("gone", "ann", "active", "", "01-05")]),
        # used-again
        (
            a_user("unused"),
            a_user("active", password=NEW),
            [("used-again", "ann", "unused", "active", "02-07")],
        ),
        (
            a_user("dormant", password=OLD),
            a_user("active", password=OLD, keys=(NEVER, NEW)),
            [("used-again", "ann", "dormant", "active", "02-07")],
        ),
        (
            a_user("retired", password=OLD),
            a_user("active", password=NEW),
            [("used-again", "ann", "retired", "active", "02-07")],
        ),
        (
            a_user("unused"),
            a_user("unused", keys=(NEW, NEVER)),
            [("used-again", "ann", "unused", "unused", "02-07")],
        ),
        (
            a_user("dormant", password=OLD),
            a_user("undetermined", password=NEW),
            [("used-again", "ann", "dormant", "undetermined", "02-07")],
        ),
        (a_user("active", password=OLD), a_user("active", password=NEW), NOTHING),
        (a_user("undetermined"), a_user("active", password=NEW), NOTHING),
        (a_user("dormant", password=NEW), a_user("active", password=NEW), NOTHING),
        (a_user("dormant", password=NEW), a_user("active", keys=(OLD, OLD)), NOTHING),
        (a_user("dormant", password=OLD), a_user("active", password="07.02.2026"), NOTHING),
        # no-longer-unused
        (a_user("unused"), a_user("active"), [("no-longer-unused", "ann", "unused", "active", "")]),
        (
            a_user("unused", keys=(OLD, NEVER)),
            a_user("dormant", keys=(OLD, NEVER)),
            [("no-longer-unused", "ann", "unused", "dormant", "01-05")],
        ),
        (a_user("unused"), a_user("undetermined"), NOTHING),
        (
            a_user("unused"),
            a_user("undetermined", password=NEW),
            [("used-again", "ann", "unused", "undetermined", "02-07")],
        ),
        (a_user("retired", password=OLD), a_user("active", password=OLD), NOTHING),
        (None, None, NOTHING),
    ],
)
def test_what_became_of_a_user(
    before: User | None, now: User | None, expected: list[tuple[str, ...]]
) -> None:
    one, other = ([] if each is None else [each] for each in (before, now))
    assert compared(one, other) == expected


def test_nobody_is_gone_whose_account_could_not_be_read() -> None:
    before = [a_user("unused"), a_user("unused", account=OTHER)]
    assert compared(before, [], covered=(OTHER,)) == [("gone", "ann", "unused", "", "")]
    frame = changes(users(*before), users(), BOTH, (OTHER,))
    assert frame["account"].tolist() == [OTHER]


@pytest.mark.parametrize(
    ("covered_before", "expected"),
    [
        (BOTH, [("new-unused", ACCOUNT), ("new-unused", OTHER)]),
        ((ACCOUNT,), [("new-unused", ACCOUNT)]),
        ((OTHER,), [("new-unused", OTHER)]),
        ((), []),
    ],
)
def test_nobody_is_newly_unused_whose_account_could_not_be_read_before(
    covered_before: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    now = users(a_user("unused"), a_user("unused", account=OTHER))
    frame = changes(users(), now, covered_before, BOTH)
    assert [*zip(frame["change"], frame["account"], strict=True)] == expected


def test_a_name_is_free_of_the_apostrophe_that_a_spreadsheet_needs() -> None:
    guarded = a_user("unused", "=cmd", user="'=cmd")
    assert compared([], [guarded]) == [("new-unused", "=cmd", "", "unused", "")]
    assert compared([a_user("unused", "=cmd")], [guarded]) == NOTHING


def test_a_user_with_a_path_goes_by_its_name_alone() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:user/teams/web/ann"
    assert compared([], [a_user("unused", arn=arn)])[0][1] == "ann"


def test_an_arn_that_holds_no_name_leaves_the_users_own() -> None:
    assert compared([], [a_user("unused", arn="none")])[0][1] == "ann"


def test_a_user_of_the_same_name_in_another_account_is_another_user() -> None:
    told = compared([a_user("unused")], [a_user("unused"), a_user("unused", account=OTHER)])
    assert told == [("new-unused", "ann", "", "unused", "")]


def test_rows_that_contradict_each_other_count_once_with_their_newest_use() -> None:
    twice = [a_user("undetermined", password=each) for each in (NEW, OLD, NEVER)]
    assert compared([a_user("unused")], twice) == [
        ("used-again", "ann", "unused", "undetermined", "02-07")
    ]


BEFORE = [
    a_user("unused", "b"),
    a_user("unused", "c"),
    a_user("unused", "d"),
    a_user("active", "e"),
    a_user("active", "f", account=OTHER),
]
PRESENT = [
    a_user("unused", "z"),
    a_user("unused", "a", account=OTHER),
    a_user("unused", "y"),
    a_user("active", "b", password=NEW),
    a_user("active", "c"),
]


@pytest.mark.parametrize("seed", range(3))
def test_the_order_is_that_of_changes_then_accounts_then_arns_whatever_comes_in(seed: int) -> None:
    shuffled = random.Random(seed)
    before, now = ([*rows] for rows in (BEFORE, PRESENT))
    shuffled.shuffle(before)
    shuffled.shuffle(now)
    assert [(row[0], row[1]) for row in compared(before, now)] == [
        ("new-unused", "y"),
        ("new-unused", "z"),
        ("new-unused", "a"),
        ("gone", "d"),
        ("gone", "e"),
        ("gone", "f"),
        ("used-again", "b"),
        ("no-longer-unused", "c"),
    ]


@pytest.mark.parametrize("rows", [[], BEFORE])
def test_the_columns_have_one_kind_whether_anything_changed_or_not(rows: list[User]) -> None:
    frame = changes(users(*rows), users(*PRESENT[:1]), BOTH, BOTH)
    assert tuple(frame.columns) == COLUMNS
    kinds = frame.dtypes.astype(str).to_dict()
    assert kinds.pop("change") == "category"
    assert kinds.pop("last_use") == "datetime64[s, UTC]"
    assert set(kinds.values()) == {"str"}
    assert frame["change"].cat.categories.tolist() == list(Change)
    assert changes(users(), users(), (), ()).dtypes.equals(frame.dtypes)


def test_a_frame_that_lies_in_pieces_is_read_as_one() -> None:
    halves = [users(row) for row in (a_user("unused"), a_user("dormant", "bob", password=OLD))]
    pieces = pa.concat_tables(map(pa.Table.from_pandas, halves)).to_pandas()
    now = [a_user("unused"), a_user("active", "bob", password=NEW)]
    frame = changes(pieces, users(*now), BOTH, BOTH)
    assert frame["user"].tolist() == ["bob"]


def test_neither_input_is_changed() -> None:
    before, now = users(*BEFORE), users(*PRESENT)
    changes(before, now, BOTH, BOTH)
    pd.testing.assert_frame_equal(before, users(*BEFORE))
    pd.testing.assert_frame_equal(now, users(*PRESENT))
