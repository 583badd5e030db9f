from analyzer.limits import Criteria, Definition
from analyzer.verdicts.verdict import judge
from tests.support.builders import (
    NEVER,
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
    check_facts,
    check_outcomes,
    page_of,
)

RULE = "retired-user"
LEFT, INACTIVE = no_password(days_before(400)), an_inactive_key()
ODD = a_user(password=LEFT, access_key_1_active="?")
DETAILS = "no working credentials, created 2023-08-05, 1,000 days before as-of"


def test_it_is_the_verdict_retired() -> None:
    users = {
        "no key": (a_user(password=LEFT), FAILS),
        "inactive 1": (a_user(password=LEFT, key_1=INACTIVE), FAILS),
        "inactive 2": (a_user(password=LEFT, key_2=INACTIVE), FAILS),
        "key 1 active": (a_user(password=LEFT, key_1=a_key()), None),
        "key 2 active": (a_user(password=LEFT, key_2=a_key()), None),
        "password left": (a_user(password=a_password(days_before(400))), None),
        "never signed in": (a_user(), None),
        "unknown key": (ODD, UNDECIDED),
    }
    check_outcomes(RULE, users)


def test_the_fact_has_the_last_sign_in_or_the_cell_that_is_not_understood() -> None:
    facts = {
        f"last signed in 2025-03-27, {DETAILS}": a_user(password=LEFT),
        'access_key_1_active "?" is not understood': ODD,
    }
    check_facts(RULE, facts)


def test_the_fact_is_true_also_of_who_only_by_the_strict_definition_is_not_unused() -> None:
    never, signed_in = "no sign-in on record", "last signed in 2025-03-27"
    users = (
        (a_user(key_1=INACTIVE), never),
        (a_user(key_2=INACTIVE, password=no_password(NEVER)), never),
        (a_user(key_1=INACTIVE, password=LEFT), signed_in),
    )
    page = page_of(user for user, _ in users)
    strict = judge(page, Criteria(definition=Definition.IAM_029))
    facts = by_itself(BY_ID[RULE], strict)["fact"].tolist()
    assert facts == [f"{said}, {DETAILS}" for _, said in users]
