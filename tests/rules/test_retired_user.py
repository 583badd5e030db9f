import pytest

from analyzer.terms import Criteria, Definition
from analyzer.verdicts.verdict import with_verdicts
from tests.support.builders import (
    NEVER,
    Row,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    no_password,
)
from tests.support.pages import (
    BY_ID,
    FAILS,
    UNDECIDED,
    by_itself,
    check_outcomes,
    fact,
    page_of,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

LEFT = no_password(days_before(400))


def test_it_is_the_verdict_retired() -> None:
    check_outcomes(
        "retired-user",
        {
            "no key": (a_user(password=LEFT), {0: FAILS}),
            "inactive 1": (a_user(password=LEFT, key_1=an_inactive_key()), {0: FAILS}),
            "inactive 2": (a_user(password=LEFT, key_2=an_inactive_key()), {0: FAILS}),
            "key 1 active": (a_user(password=LEFT, key_1=a_key()), {}),
            "key 2 active": (a_user(password=LEFT, key_2=a_key()), {}),
            "password left": (a_user(password=a_password(days_before(400))), {}),
            "never signed in": (a_user(), {}),
            "?": (a_user(password=LEFT) | {"access_key_1_active": "?"}, {0: UNDECIDED}),
        },
    )


def test_the_fact_has_the_last_sign_in() -> None:
    assert fact("retired-user", a_user(password=LEFT)) == (
        "last signed in 2025-03-27, no working credentials, created 2023-08-05, 1,000 days before"
        " as-of"
    )


@pytest.mark.parametrize(
    ("user", "said"),
    [
        (a_user(key_1=an_inactive_key()), "never signed in"),
        (a_user(key_2=an_inactive_key(), password=no_password(NEVER)), "never signed in"),
        (a_user(key_1=an_inactive_key(), password=LEFT), "last signed in 2025-03-27"),
    ],
)
def test_the_fact_is_true_also_of_who_only_by_the_strict_definition_is_not_unused(
    user: Row, said: str
) -> None:
    page = with_verdicts(page_of([user]), Criteria(definition=Definition.IAM_029))
    (told,) = by_itself(BY_ID["retired-user"], page)["fact"]
    assert told == f"{said}, no working credentials, created 2023-08-05, 1,000 days before as-of"


def test_what_is_undecided_names_the_cell() -> None:
    user = a_user(password=LEFT) | {"access_key_1_active": "?"}
    assert fact("retired-user", user) == 'access_key_1_active "?" is not understood'
