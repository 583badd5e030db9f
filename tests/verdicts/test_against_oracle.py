"""Hold the verdicts to a second opinion on many random users, some of whose cells are odd."""

import random
from dataclasses import replace
from datetime import datetime
from functools import partial

import pytest

from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    COLUMNS,
    COLUMNS_OF_2014,
    MORE_CREDENTIALS,
    NEVER,
    Row,
    Value,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    judged_users,
    judgements_by,
    no_certificate,
    no_key,
    no_password,
    report_text,
    the_root,
)
from tests.support.odd_cells import BOOLEANS, MOMENTS, NO_MOMENTS, WORDS
from tests.support.verdict_oracle import Judgement, Terms, judge

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time

USERS = 400
DAYS = (-1, 0.5, 6, 7, 89.9, 90, 400, 1000, 2912, 3500, 4500)
"""On both sides of the limits; 2,912 days lie in the gap of the record, 4,500 before it began."""

PLACES = ("N/A", "", "not_supported", "s3", "two words")


def without(*endings: str) -> tuple[str, ...]:
    return tuple(name for name in COLUMNS if not name.endswith(endings))


LAYOUTS: dict[str, tuple[str, ...]] = {
    "all columns": (*COLUMNS, MORE_CREDENTIALS),
    "no creation of key 2": without("access_key_2_last_rotated"),
    "no creation at all": without("last_rotated", "creation_time"),
    "no use of key 1": without("access_key_1_last_used_date"),
    "of 2014": COLUMNS_OF_2014,
    "no certificate 2, MFA, ARN": without(
        "cert_2_active", "cert_2_last_rotated", "mfa_active", "arn"
    ),
}


def a_cell(chance: random.Random, column: str) -> str:
    """Return what may stand in a column, or what no AWS writes there."""
    if column.endswith(("_active", "_enabled")):
        return chance.choice(["true", "false", "soon", *BOOLEANS])
    if column.endswith(("_region", "_service")):
        return chance.choice(PLACES)
    if column == MORE_CREDENTIALS:
        return chance.choice(["", "N/A", "1 more"])
    moments = [f"{days_before(each):%Y-%m-%dT%H:%M:%SZ}" for each in DAYS]
    return chance.choice([*moments, *MOMENTS, *chance.sample(NO_MOMENTS, 5), *WORDS])


def a_day(chance: random.Random) -> datetime:
    return days_before(chance.choice(DAYS))


def a_random_user(chance: random.Random, number: int) -> Row:
    """Return a user of whom up to three cells are drawn anew."""
    when = partial(a_day, chance)
    keys = [
        chance.choice([no_key(), a_key(when()), a_key(when(), when()), an_inactive_key(when())])
        for _ in (1, 2)
    ]
    uses: list[Value] = [NEVER, NEVER, when()]
    use = chance.choice(uses)
    row = a_user(
        f"{chance.choice(['AeaApiKey-', 'u', 'u', 'u'])}{number}",
        password=chance.choice([no_password(use), a_password(use, when())]),
        key_1=keys[0],
        key_2=keys[1],
        certificate_1=chance.choice([no_certificate(), a_certificate(active=number % 3 == 0)]),
        created=when(),
        mfa=number % 5 == 0,
    ) | {MORE_CREDENTIALS: ""}
    if number % 20 == 0:
        row["arn"] = chance.choice(
            ["fakearn", f"arn:aws:iam::{ACCOUNT}:user/other-{number}", "N/A"]
        )
    for column in chance.sample([*row][2:], chance.choice([0, 1, 1, 2, 3])):
        row[column] = a_cell(chance, column)
    return row


def random_rows(chance: random.Random) -> list[Row]:
    """Return users, some of whom have a second row that differs in a cell or two."""
    users = [a_random_user(chance, number) for number in range(USERS)]
    others = [
        user | {name: a_cell(chance, name) for name in chance.sample([*user][2:], 2)}
        for user in chance.sample(users, USERS // 4)
    ]
    return [*users, *others]


def without_blame(judgement: Judgement) -> Judgement:
    """Return a judgement, of an undetermined one only whether it names cells to blame."""
    is_open = judgement.verdict == "undetermined"
    return replace(judgement, reason=str(bool(judgement.reason))) if is_open else judgement


def random_text(layout: str) -> str:
    root = the_root() | {MORE_CREDENTIALS: ""}
    rows = [*random_rows(random.Random(layout)), a_user("last") | {MORE_CREDENTIALS: ""}]
    return report_text(rows, root=root, columns=LAYOUTS[layout])


@pytest.mark.parametrize("definition", ["no-active-key", "iam-029"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_random_users_are_judged_as_the_law_says(layout: str, definition: str) -> None:
    text, terms = random_text(layout), Terms(AS_OF, definition)
    users = judged_users(("report.csv", text.encode()), terms)
    found = {row: without_blame(each) for row, each in judgements_by("row", users).items()}
    law = {str(each.row): without_blame(each.judgement) for each in judge(text, terms)}
    assert found.keys() == law.keys()
    assert [(found[row], law[row]) for row in law if found[row] != law[row]] == []
