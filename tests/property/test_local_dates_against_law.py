"""A report whose dates a spreadsheet saved is judged as the law says, or refused."""

import random
from datetime import datetime
from pathlib import Path

import pytest

from analyzer.errors import InputRefused
from tests.support.builders import (
    AS_OF,
    Row,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    judged_users,
    judgements_by,
    no_password,
    report_text,
    saved,
    the_root,
)
from tests.support.verdict_oracle import DatesRefused, Judgement, Terms, judge

pytestmark = pytest.mark.no_cover  # other tests reach the same lines

FORMS = [
    *("%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d-%m-%Y %H:%M:%S"),
    *("%-d/%-m/%Y %-H:%M", "%-m/%-d/%Y %-H:%M"),
]
DAYS = [0, 0.5, 1, 3, 6.9, 7, 89.5, 90, 400, 2900, 3000, 4400, 5000]
ODD_DATES = [
    *("2024-04-22T19:47:52Z", "13/13/2024 10:00", "1/2/2024 10:00", "30/2/2024 10:00"),
    *("13.2.2024 10:00", "2/13/2024 10:00:00", "13/2/2024", "13/2/2024 24:00", "13/2/24 10:00"),
    *("13/2/1969 10:00", "13/2/2101 10:00", "0/13/2024 10:00", "99/1/2024 10:00"),
]
ODD_CELLS = ["N/A", "no_information", "yes", "", "FALSE", "not_supported"]


def a_random_user(dice: random.Random, number: int, days: list[float]) -> Row:
    def day() -> datetime:
        return days_before(dice.choice(days))

    keys = [None, a_key(day()), a_key(day(), day()), an_inactive_key(day(), day())]
    return a_user(
        f"user{number}",
        password=dice.choice(
            [None, no_password(day()), a_password(changed=day()), a_password(day(), day())]
        ),
        key_1=dice.choice(keys),
        key_2=dice.choice(keys),
        certificate_1=dice.choice([None, None, a_certificate(day())]),
        created=day(),
        mfa=dice.random() < 0.3,
    )


def a_saved_report(seed: int, users: int = 20) -> str:
    """Return a report in one local form, into which now and then something else was typed."""
    dice = random.Random(seed)
    form = dice.choice(FORMS)
    days = dice.sample(DAYS, dice.choice([1, 2, 4, len(DAYS)]))
    root = the_root() | {
        name: days_before(days[0]) for name, value in the_root().items() if type(value) is datetime
    }
    rows = [root, *(a_random_user(dice, number, days) for number in range(users))]
    for row in rows:
        row |= {name: f"{at:{form}}" for name, at in row.items() if isinstance(at, datetime)}
    for odd, share in ((ODD_DATES, 0.5), (ODD_CELLS, 0.5)):
        if dice.random() < share:
            dice.choice(rows)[dice.choice([*root][2:])] = dice.choice(odd)
    return report_text(rows[1:], root=rows[0])


def judged_by_law(text: str) -> dict[str, Judgement] | None:
    try:
        return {each.user: each.judgement for each in judge(text, Terms(AS_OF))}
    except DatesRefused:
        return None


def judged_by_program(path: Path) -> dict[str, Judgement] | None:
    try:
        return judgements_by("user", judged_users(path))
    except InputRefused:
        return None


@pytest.mark.parametrize("seed", range(16))
def test_a_spreadsheets_dates_are_judged_or_refused_as_the_law_says(
    tmp_path: Path, seed: int
) -> None:
    text = a_saved_report(seed)
    assert judged_by_program(saved(tmp_path, text)) == judged_by_law(text)


def test_the_random_reports_reach_each_verdict_and_the_refusal() -> None:
    found = [judged_by_law(a_saved_report(seed)) for seed in range(16)]
    verdicts = {each.verdict for judgements in found if judgements for each in judgements.values()}
    assert None in found
    assert verdicts == {"undetermined", "unused", "retired", "dormant", "active"}
