"""A damaged workbook is refused, or has each decision on the user of its row: never on another."""

import random
import re
from collections.abc import Callable
from datetime import date
from functools import cache

import pytest
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from analyzer.errors import InputRefused
from analyzer.reviews.entries import read_files
from tests.support.decisions import TODAY
from tests.support.reading import zipped
from tests.support.review import (
    HEADS,
    UNUSED,
    edited,
    edited_book,
    entered,
    saved,
    written,
)
from tests.support.workbooks import parts

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

USER_OF = {"Alpha": "ann", "Bravo": "anna", "Charlie": "cid", "Delta": "=cmd"}
"""The only user that each person decided on."""

ON = date(2026, 5, 4)
WORDS = ("delete", "deactivate", "delete", "investigate")
ENTRIES = [
    entered(user, (word, person, ON, "SEC-1", "left"))
    for word, (person, user) in zip(WORDS, USER_OF.items(), strict=True)
]


@cache
def whole() -> bytes:
    return edited(written(), *ENTRIES)


@cache
def whole_parts() -> dict[str, bytes]:
    return parts(whole())


Damage = Callable[[random.Random], bytes]


def in_list(damage: Callable[[Worksheet, random.Random], None]) -> Damage:
    """Return what damages the list of unused users, as a person or a program does."""

    def damaged(dice: random.Random) -> bytes:
        def edit(book: Workbook) -> None:
            damage(book[UNUSED], dice)

        return saved(edited_book(whole(), edit))

    damaged.__name__ = damage.__name__
    return damaged


def a_row(sheet: Worksheet, dice: random.Random) -> int:
    return dice.randrange(2, sheet.max_row + 1)


def a_column(sheet: Worksheet, dice: random.Random) -> int:
    """Return a column that has texts and in which nothing is entered."""
    heads = [cell.value for cell in sheet[1]]
    shown = (at for at, head in enumerate(heads, start=1) if head not in HEADS)
    return dice.choice([at for at in shown if sheet.cell(2, at).value])


def with_sign_damaged(text: str, dice: random.Random) -> str:
    at = dice.randrange(max(len(text), 1))
    sign: str = dice.choice(["", text[at : at + 1] * 2, *"0159aAzX*/:-.' \n"])
    return text[:at] + sign + text[at + 1 :]


def sign_of_cell(sheet: Worksheet, dice: random.Random) -> None:
    cell = sheet.cell(a_row(sheet, dice), dice.randrange(1, sheet.max_column + 1))
    cell.value = with_sign_damaged(str(cell.value or ""), dice)


def cells_swapped(sheet: Worksheet, dice: random.Random) -> None:
    at, rows = a_column(sheet, dice), dice.sample(range(2, sheet.max_row + 1), 2)
    one, other = (sheet.cell(row, at) for row in rows)
    one.value, other.value = other.value, one.value


def column_filled_down(sheet: Worksheet, dice: random.Random) -> None:
    at = a_column(sheet, dice)
    for row in range(a_row(sheet, dice), sheet.max_row + 1):
        sheet.cell(row, at).value = sheet.cell(2, at).value


def a_part(dice: random.Random) -> str:
    return dice.choice(
        [name for name, part in whole_parts().items() if name.startswith("xl/") and b"<" in part]
    )


def sign_of_part(dice: random.Random) -> bytes:
    name = a_part(dice)
    text = with_sign_damaged(whole_parts()[name].decode(), dice)
    return zipped({**whole_parts(), name: text})


ELEMENTS = re.compile(r"(<c .*?</c>|<row .*?>|<v>.*?</v>|<si>.*?</si>)")


def elements_of_part(dice: random.Random) -> bytes:
    """Let an element go, be there twice, or change places with another."""
    name = a_part(dice)
    pieces = ELEMENTS.split(whole_parts()[name].decode())
    odd = [*range(1, len(pieces), 2)] or [0]
    one, other = dice.choice(odd), dice.choice(odd)
    fate = dice.randrange(3)
    if fate == 0:
        pieces[one], pieces[other] = pieces[other], pieces[one]
    else:
        pieces[one] *= (fate - 1) * 2
    return zipped({**whole_parts(), name: "".join(pieces)})


def part_lost_or_another(dice: random.Random) -> bytes:
    one, other = dice.sample([*whole_parts()], 2)
    replaced = {} if dice.random() < 0.5 else {one: whole_parts()[other]}
    return zipped({name: part for name, part in whole_parts().items() if name != one} | replaced)


def cut_off(dice: random.Random) -> bytes:
    return whole()[: dice.randrange(len(whole()))]


def byte_of_file(dice: random.Random) -> bytes:
    at = dice.randrange(len(whole()))
    return whole()[:at] + dice.randbytes(1) + whole()[at + dice.randrange(2) :]


DAMAGES: tuple[Damage, ...] = (
    *map(in_list, (sign_of_cell, cells_swapped, column_filled_down)),
    *(sign_of_part, elements_of_part, part_lost_or_another, cut_off, byte_of_file),
)


def users_decided_on(content: bytes) -> dict[str, str] | None:
    """Return the user that each person decided on, None if the workbook is refused by its name."""
    try:
        (read,) = read_files([("review.xlsx", content)], TODAY)
    except InputRefused as refused:
        assert {each.file.split(",")[0] for each in refused.problems} == {"review.xlsx"}  # noqa: PT017  and no other error
        return None
    return {line.decided_by: line.user for line in read.lines}


def is_on_the_users_of_their_rows(decided: dict[str, str]) -> bool:
    """Return whether each person's decision is on the own user; a name may be damaged itself."""
    return all(
        user == USER_OF.get(person, user) and user in USER_OF.values()
        for person, user in decided.items()
    )


def test_the_whole_workbook_has_all_decisions() -> None:
    assert users_decided_on(whole()) == USER_OF


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda each: each.__name__)
def test_a_damaged_workbook_decides_on_the_users_of_its_rows_or_is_refused(damage: Damage) -> None:
    # Two of each kind: the ways of filling in have a table of the edges.
    outcomes = [users_decided_on(damage(random.Random(seed))) for seed in range(2)]
    assert all(map(is_on_the_users_of_their_rows, filter(None, outcomes)))
