from tests.support.builders import NEVER, QUIET_PASSWORD, a_password, a_user
from tests.support.pages import check_facts

RULE = "console-user-without-mfa"


def test_a_password_without_mfa_fails_and_the_fact_has_its_last_use() -> None:
    facts = {
        "password enabled, last used 2026-04-30, no MFA device": a_user(password=QUIET_PASSWORD),
        "password enabled, never used, no MFA device": a_user(password=a_password(NEVER)),
        "password enabled, last use unknown, no MFA device": a_user(password=a_password("once")),
    }
    check_facts(RULE, facts)
