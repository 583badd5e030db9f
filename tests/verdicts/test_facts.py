"""What is unknown is neither yes nor no, and `and`, `or` and `not` decide what they can."""

from itertools import product

import numpy as np
import pytest

from analyzer.verdicts.facts import Elapsed, Facts, Truth
from tests.support.builders import COLUMNS, Row, a_certificate, a_key, a_user, an_inactive_key
from tests.support.pages import page_of
from tests.support.rule_oracle import Known, both, either, no

ANSWERS = (True, False, None)
PAIRS = [*product(ANSWERS, ANSWERS)]


def truth(*answers: Known) -> Truth:
    return Truth(
        np.array([each is True for each in answers]), np.array([each is False for each in answers])
    )


def answers(found: Truth) -> list[Known]:
    assert not (found.yes & found.no).any()
    assert (found.undecided == ~(found.yes | found.no)).all()
    pairs = zip(found.yes, found.no, strict=True)
    return [True if yes else False if no else None for yes, no in pairs]


def test_what_is_unknown_is_neither_yes_nor_no() -> None:
    holds, unknown = np.array([[*pair] for pair in product((True, False), repeat=2)]).T
    assert answers(Truth.unless_unknown(holds, unknown)) == [None, True, None, False]
    assert truth(*ANSWERS).undecided.tolist() == [False, False, True]


def test_and_or_and_not_decide_as_much_as_the_known_parts_allow() -> None:
    one, other = (truth(*side) for side in zip(*PAIRS, strict=True))
    assert answers(one & other) == [both(*pair) for pair in PAIRS]
    assert answers(one | other) == [either(*pair) for pair in PAIRS]
    assert answers(~one) == [no(first) for first, _ in PAIRS]
    of_slots = truth(*(first for first, _ in PAIRS), *(second for _, second in PAIRS))
    assert answers(of_slots.in_any_slot()) == [either(*pair) for pair in PAIRS]
    assert answers(of_slots.in_every_slot()) == [both(*pair) for pair in PAIRS]


def test_no_comparison_holds_where_there_is_no_moment_and_none_is_decided_where_it_is_unknown() -> (
    None
):
    days, present = np.array([7, 8, 0, 0]), np.array([True, True, False, False])
    elapsed = Elapsed(days, days, present, unknown=np.array([False, False, False, True]))
    assert answers(elapsed.exists) == [True, True, False, None]
    assert answers(elapsed.at_least(8)) == [False, True, False, None]
    assert answers(elapsed.at_least(0)) == [True, True, False, None]
    assert answers(elapsed.more_than(7)) == [False, True, False, None]
    assert answers(elapsed.less_than(8)) == [True, False, False, None]


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("user", "is_dated"),
    [
        (a_user(), False),
        (a_user(key_1=a_key(), certificate_1=a_certificate()), True),
        (a_user(key_1=an_inactive_key(), certificate_1=a_certificate(active=False)), True),
        (
            a_user(
                key_1=an_inactive_key("soon"), certificate_1=a_certificate("soon", active=False)
            ),
            None,
        ),
        (a_user(key_1=a_key("N/A"), certificate_1=a_certificate("N/A")), None),
        (a_user(access_key_1_active="maybe", cert_1_active="maybe"), None),
    ],
)
def test_the_creation_of_what_may_be_active_is_unknown_where_no_date_is_understood(
    user: Row, *, is_dated: Known
) -> None:
    facts = Facts(page_of([user]))
    assert answers(facts.key_age.exists) == [is_dated, False]
    assert answers(facts.certificate_age.exists) == [is_dated, False]


KEY = "access_key_1"
REGION = f"{KEY}_last_used_region"


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("user", "cell", "problem"),
    [
        (a_user(key_1=a_key("N/A")), ("last_rotated", "N/A"), f'contradicts {KEY}_active "true"'),
        (
            a_user(key_1=a_key()) | {REGION: "eu-west-1"},
            ("last_used_date", "N/A"),
            f'contradicts {REGION} "eu-west-1"',
        ),
        (a_user(key_1=a_key("soon")), ("last_rotated", "soon"), "is not understood"),
        (a_user(key_1=a_key(used="soon")), ("last_used_date", "soon"), "is not understood"),
        (
            a_user() | {REGION: "eu-west-1"},
            ("last_used_region", "eu-west-1"),
            f'contradicts {KEY}_active "false" and {KEY}_last_rotated "N/A"',
        ),
        (a_user(password_enabled="soon") | {REGION: "?"}, ("active", "?"), "is not understood"),
        (a_user(access_key_1_active="N/A") | {REGION: "a"}, ("active", "N/A"), "is not understood"),
    ],
)
def test_a_cell_of_the_right_form_is_said_to_contradict_the_others_of_its_slot(
    user: Row, cell: tuple[str, str], problem: str
) -> None:
    name, value = cell
    sentence = Facts(page_of([user])).unknown_cell_sentence(0, f"{KEY}_{name}", value)
    assert sentence == f'{KEY}_{name} "{value}" {problem}'


def test_a_column_that_the_report_lacks_is_contradicted_by_nothing() -> None:
    user = a_user(key_1=a_key()) | {f"{KEY}_last_used_service": "s3"}
    facts = Facts(page_of([user], columns=[name for name in COLUMNS if name != REGION]))
    sentence = facts.unknown_cell_sentence(0, f"{KEY}_last_used_date", "N/A")
    assert sentence == f'{KEY}_last_used_date "N/A" contradicts {KEY}_last_used_service "s3"'
