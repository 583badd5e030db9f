from tests.support.builders import QUIET_PASSWORD, Value, a_key, a_user, days_before
from tests.support.pages import check_facts

RULE = "initial-setup-access-key"


def test_a_key_never_used_by_a_console_user_fails_and_the_fact_names_it_and_its_age() -> None:
    facts: dict[str, Value] = {
        "created 2026-04-30, 1 day old": days_before(1),
        "created at an unknown time": "once",
    }
    users = {
        f"access key 2, {text}, never used; the user has a password too": a_user(
            password=QUIET_PASSWORD, key_2=a_key(created)
        )
        for text, created in facts.items()
    }
    check_facts(RULE, users)
