"""A damaged ledger is refused, or has the same decisions on the same users: never on others."""

import csv
import io
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from analyzer.decisions.decision import LedgerLine
from analyzer.decisions.ledger import Ledger, ledger_bytes, read_ledger
from analyzer.decisions.ledger_file import write_ledger
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
    a_user("word", created=days_before(200), arn="redacted"),
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


@cache
def whole() -> bytes:
    return ledger_bytes(LINES)


IDENTITY = ("account", "user", "arn", "user_creation_time", "age_days", "as_of")
"""The columns that say of whom a line is; each of them is there twice, in other words."""

Rows = list[list[str]]
Damage = Callable[[Rows, random.Random], None]
"""Changes the rows of the ledger, the head first."""


def damaged_text(text: str, dice: random.Random) -> str:
    """Return a text with one sign lost, doubled, changed, or in the place of its neighbour."""
    at = dice.randrange(max(len(text), 1))
    one, two = text[at : at + 1], text[at + 1 : at + 2]
    sign = dice.choice("0159aAzX*/:-.' \x00,;\"\n")
    return text[:at] + dice.choice(["", one + one, sign, two + one[:0]]) + text[at + 1 :]


def column(rows: Rows, dice: random.Random) -> int:
    return rows[0].index(dice.choice(IDENTITY))


def sign_of_cell(rows: Rows, dice: random.Random) -> None:
    row, at = dice.choice(rows[1:]), column(rows, dice)
    row[at] = damaged_text(row[at], dice)


def cells_swapped(rows: Rows, dice: random.Random) -> None:
    one, other = dice.sample(rows[1:], 2)
    at = column(rows, dice)
    one[at], other[at] = other[at], one[at]


def cell_filled_down(rows: Rows, dice: random.Random) -> None:
    at = column(rows, dice)
    for row in rows[2:]:
        row[at] = rows[1][at]


def cell_emptied(rows: Rows, dice: random.Random) -> None:
    dice.choice(rows[1:])[column(rows, dice)] = ""


def cells_shifted(rows: Rows, dice: random.Random) -> None:
    row = dice.choice(rows[1:])
    at = dice.randrange(len(row))
    row[at:at] = [""]
    del row[dice.choice([-1, at])]


def heads_swapped(rows: Rows, dice: random.Random) -> None:
    one, other = dice.sample(range(len(rows[0])), 2)
    rows[0][one], rows[0][other] = rows[0][other], rows[0][one]


def column_sorted(rows: Rows, dice: random.Random) -> None:
    at = column(rows, dice)
    for row, cell in zip(rows[1:], sorted(row[at] for row in rows[1:]), strict=True):
        row[at] = cell


def column_lost(rows: Rows, dice: random.Random) -> None:
    at = dice.randrange(len(rows[0]))
    for row in rows:
        del row[at]


def rows_in_another_order(rows: Rows, dice: random.Random) -> None:
    rows[1:] = [*dice.sample(rows[1:], len(rows) - 1), dice.choice(rows[1:])]


def written(damage: Damage) -> Callable[[random.Random], bytes]:
    """Return what makes the file of a ledger with such damage; one in another order may be any."""

    def damaged(dice: random.Random) -> bytes:
        rows = [*csv.reader(io.StringIO(whole().decode(), newline=""))]
        damage(rows, dice)
        separator = dice.choice(",;\t") if damage is rows_in_another_order else ","
        text = io.StringIO()
        csv.writer(text, delimiter=separator, lineterminator="\n").writerows(rows)
        return text.getvalue().encode()

    return damaged


def sign_of_file(dice: random.Random) -> bytes:
    return damaged_text(whole().decode(), dice).encode()


def cut_off(dice: random.Random) -> bytes:
    return whole()[: dice.randrange(len(whole()))]


def bytes_of_another_encoding(dice: random.Random) -> bytes:
    at = dice.randrange(len(whole()))
    return whole()[:at] + dice.randbytes(1) + whole()[at:]


OF_ROWS = (
    *(sign_of_cell, cells_swapped, cell_filled_down, cell_emptied, cells_shifted, heads_swapped),
    *(column_sorted, column_lost, rows_in_another_order),
)
DAMAGES = {each.__name__: written(each) for each in OF_ROWS}
DAMAGES |= {each.__name__: each for each in (sign_of_file, cut_off, bytes_of_another_encoding)}


def of_whom(each: LedgerLine) -> tuple[str, str, str]:
    """Return the word, and the user by name and ARN, whatever the path in it."""
    beginning, _, name = each.user_key.arn.rpartition("/")
    return str(each.decision), beginning.partition("/")[0] + name, each.user


def is_close(one: LedgerLine, other: LedgerLine) -> bool:
    """Return whether two lines have the same creation time, but for some hours of the day.

    A day is what a ledger tells twice; the script compares every second with AWS.
    """
    created, again = one.user_key.created, other.user_key.created
    return created == again or bool(created and again and abs(created - again) < timedelta(days=1))


def check_same_users(ledger: Ledger) -> None:
    """Check that every line is one of the whole ledger: its decision, on its user.

    Nothing acts on lines that identify no user: there are no more of them, but for a doubled row.
    """
    known = {of_whom(each): each for each in LINES}
    identified = [each for each in ledger.lines if each.identifies_user]
    for each in identified:
        assert of_whom(each) in known, each
        assert is_close(each, known[of_whom(each)]), each
    others = sum(not each.identifies_user for each in LINES)
    assert len(ledger.lines) - len(identified) <= others + 1


def test_the_whole_ledger_has_all_decisions() -> None:
    assert [*read_ledger("decisions.csv", whole()).lines] == LINES


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
    ledgers = [ledger_or_none(DAMAGES[damage](random.Random(seed))) for seed in range(10)]
    for ledger in filter(None, ledgers):
        check_same_users(ledger)
    assert None in ledgers or damage == "rows_in_another_order"


def test_a_ledger_whose_last_line_is_cut_off_is_refused() -> None:
    content = ledger_bytes(LINES[:1])
    first, size = content.index(b"\n") + 1, len(content)
    for end in (first + 9, size - 90, size - 40, size - 2):
        with pytest.raises(InputRefused, match=r"decisions\.csv, row 2: the last line is cut off"):
            read_ledger("decisions.csv", content[:end])
    short = content.replace(b",,,,\n", b"\n")
    for whole_lines in (content[:-1], content[:first], content[: first - 1], short):
        assert len(read_ledger("decisions.csv", whole_lines).lines) == (whole_lines[first:] != b"")


def test_a_ledger_that_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    path, first = tmp_path / "decisions.csv", line()
    write_ledger(path, Ledger(lines=(first,)))
    before = path.read_bytes()
    other = {**first.user_row, "password_last_used": "same_second"}
    forged = replace(first, user_row=other)
    with pytest.raises(InputRefused, match="another row of this user, which differs"):
        write_ledger(path, Ledger(lines=(first, forged)))
    assert path.read_bytes() == before


def test_decisions_on_two_reports_of_one_moment_stand_in_one_ledger(tmp_path: Path) -> None:
    path, first = tmp_path / "decisions.csv", line(sha256="a" * 64)
    other = {**first.user_row, "password_last_used": "2026-01-01T00:00:00Z"}
    lines = (first, replace(first, sha256="b" * 64, user_row=other))
    write_ledger(path, Ledger(lines=lines))
    assert read_ledger("x", path.read_bytes()).lines == lines
