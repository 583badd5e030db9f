from tests.support.builders import NEVER, Value, days_before, the_root
from tests.support.pages import check_facts

RULE = "root-password"


def test_a_password_fails_and_the_fact_names_its_last_use_or_what_is_not_reported() -> None:
    uses: dict[str, Value] = {
        "last used 2026-04-30": days_before(1),
        "never used": NEVER,
        "last use unknown": "once",
    }
    facts = {f"password enabled, {use}": the_root(password_last_used=uses[use]) for use in uses}
    for text, why in (("not_supported", "reported"), ("?", "understood")):
        facts[f'password_enabled "{text}" is not {why}'] = the_root(password_enabled=text)
    check_facts(RULE, facts)
