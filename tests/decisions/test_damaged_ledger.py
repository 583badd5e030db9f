"""A damaged ledger is refused, or has the same decisions on the same users: never on others."""

import csv
import io
import random
from collections.abc import Callable
from datetime import timedelta
from functools import cache, partial

import pytest

from analyzer.decisions.decision import LedgerLine
from analyzer.decisions.ledger import Ledger, ledger_bytes, read_ledger
from analyzer.errors import InputRefused
from tests.support.builders import AS_OF, a_key, a_password, a_user, days_before
from tests.support.decisions import OTHER_ACCOUNT, line

USERS = (
    a_user("ann", created=days_before(900)),
    a_user("anna", created=days_before(800), account=OTHER_ACCOUNT),
    a_user("bob", created=days_before(700), password=a_password(), path="a/b/"),
    a_user("=cmd", created=days_before(600)),
    a_user("007", created=days_before(500), key_1=a_key(days_before(400))),
    a_user("new", created=AS_OF + timedelta(hours=5)),
    a_user("masked", created=days_before(300), arn="arn:aws:iam::123XXXXXXXX:user/masked"),
    a_user("odd", created=days_before(100), arn="arn:aws:iam::01234:user/odd"),
    a_user("none", created=days_before(50), arn=""),
    a_user("test", created=days_before(40), arn="tests"),
    a_user("unknown", created="N/A"),
    a_user("garbled", created="2026-13-01T00:00:00Z", key_1=a_key(days_before(400))),
)
WORDS = ("delete", "deactivate", "keep", "investigate", "delete", "withdraw")
LINES = [
    line(WORDS[at % len(WORDS)], user, by=f"Anna {at}", comment='a "reason", long\nenough')
    for at, user in enumerate(USERS)
]
IDENTITY = ("account", "user", "arn", "user_creation_time", "age_days", "as_of")
"""The columns that say of whom a line is; each of them is there twice, in other words."""

Dice = random.Random


@cache
def whole() -> bytes:
    return ledger_bytes(LINES)


def damaged_text(dice: Dice, text: str) -> str:
    """Return a text with one sign lost, doubled or changed."""
    at = dice.randrange(max(len(text), 1))
    sign = dice.choice("0159aAzX*/:-.' \x00,;\"\n")
    return text[:at] + dice.choice(["", text[at : at + 1] * 2, sign]) + text[at + 1 :]


def swapped(dice: Dice, cells: list[str]) -> list[str]:
    one, other = dice.sample(range(len(cells)), 2)
    cells[one], cells[other] = cells[other], cells[one]
    return cells


def shifted(dice: Dice, cells: list[str]) -> list[str]:
    """Return a row with an empty cell more, and another one less."""
    at = dice.randrange(len(cells))
    cells[at:at] = [""]
    del cells[dice.choice([-1, at])]
    return cells


Change = Callable[[Dice, list[str]], list[str]]
OF_COLUMN: dict[str, Change] = {
    "a cell is damaged": lambda dice, cells: [damaged_text(dice, cells[0]), *cells[1:]],
    "a cell is emptied": lambda _, cells: ["", *cells[1:]],
    "two cells are swapped": swapped,
    "a cell is filled down": lambda _, cells: cells[:1] * len(cells),
    "it is sorted alone": lambda _, cells: sorted(cells),
}
"""What may happen to a column that says of whom lines are; the lines are in any order."""


def with_rows(dice: Dice, damage: str) -> bytes:
    """Return the file of a ledger whose rows are damaged."""
    head, *rows = csv.reader(io.StringIO(whole().decode(), newline=""))
    dice.shuffle(rows)
    columns = [*zip(head, *rows, strict=True)]
    at = head.index(dice.choice(IDENTITY))
    if damage in OF_COLUMN:
        columns[at] = (head[at], *OF_COLUMN[damage](dice, [*columns[at][1:]]))
    elif damage == "a column is lost":
        del columns[dice.randrange(len(columns))]
    damaged = [*map(list, zip(*columns, strict=True))]
    if damage == "heads are swapped":
        swapped(dice, damaged[0])
    elif damage == "cells are shifted":
        shifted(dice, damaged[1])
    csv.writer(text := io.StringIO(), lineterminator="\n").writerows(damaged)
    return text.getvalue().encode()


def with_odd_byte(dice: Dice) -> bytes:
    at = dice.randrange(len(whole()))
    return whole()[:at] + dice.randbytes(1) + whole()[at:]


OF_ROWS = (*OF_COLUMN, "a column is lost", "heads are swapped", "cells are shifted")
DAMAGES: dict[str, Callable[[Dice], bytes]] = {
    **{name: partial(with_rows, damage=name) for name in OF_ROWS},
    "a sign of the file": lambda dice: damaged_text(dice, whole().decode()).encode(),
    "cut off": lambda dice: whole()[: dice.randrange(len(whole()))],
    "a byte of another encoding": with_odd_byte,
}


def of_whom(each: LedgerLine) -> tuple[str, str, str]:
    """Return the word, and the user by name and ARN, whatever the path in it."""
    beginning, _, name = each.user_key.arn.rpartition("/")
    return str(each.decision), beginning.partition("/")[0] + name, each.user


def check_same_users(ledger: Ledger) -> None:
    """Check that every line that identifies a user is one of the whole ledger.

    A ledger tells the day of a creation twice; the script compares every second with AWS.
    """
    known = {of_whom(each): each.user_key.created for each in LINES}
    for each in (each for each in ledger.lines if each.identifies_user):
        created, again = known[of_whom(each)], each.user_key.created
        assert created
        assert again
        assert abs(created - again) < timedelta(days=1)
    others = sum(not each.identifies_user for each in LINES)
    assert sum(not each.identifies_user for each in ledger.lines) <= others + 1


def ledger_or_none(content: bytes) -> Ledger | None:
    """Return a ledger, None if it is refused by its name."""
    try:
        return read_ledger("decisions.csv", content)
    except InputRefused as refused:
        assert {each.file for each in refused.problems} == {"decisions.csv"}  # noqa: PT017  and no other error
        return None


@pytest.mark.no_cover
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_ledger_is_refused_or_has_the_same_decisions_on_same_users(damage: str) -> None:
    ledgers = [ledger_or_none(DAMAGES[damage](Dice(seed))) for seed in range(10)]
    for ledger in filter(None, ledgers):
        check_same_users(ledger)
    assert None in ledgers


def test_a_ledger_whose_last_line_is_cut_off_is_refused() -> None:
    content = ledger_bytes(LINES[:1])
    first, size = content.index(b"\n") + 1, len(content)
    for end in (first + 9, size - 90, size - 40, size - 2):
        with pytest.raises(InputRefused, match=r"decisions\.csv, row 2: the last line is cut off"):
            read_ledger("decisions.csv", content[:end])
    short = content.replace(b",,,,\n", b"\n")
    for whole_lines in (content[:-1], content[:first], content[: first - 1], short):
        assert len(read_ledger("decisions.csv", whole_lines).lines) == (whole_lines[first:] != b"")
