"""What is not sure is never to be deleted: the remedy says what to check first."""

from dataclasses import replace

import pyarrow as pa
import pytest

from analyzer.limits import Criteria
from analyzer.rules import RULES
from analyzer.rules.rule import UNCOVERED_ACCOUNT, Rule
from analyzer.verdicts.verdict import judge
from tests.support.builders import Row, a_key, a_password, a_user, days_before
from tests.support.pages import BY_ID, findings_on, page_of

VALUES = "Check the values in the fact first; do not delete yet."
CAVEATS = "Check the caveats in the fact first; do not delete yet."
CREDENTIAL = "Check the active service-specific credential first; do not delete yet."

UNUSED, RETIRED, IDLE = "unused-user", "retired-user", "idle-access-key"
BEDROCK = "bedrock.amazonaws.com"
FIRST = "Check the active service-specific credential first; do not delete the user yet."
LEFT = a_user(password_last_used=days_before(400))
REMEDIES: tuple[tuple[str, Row, str, str], ...] = (
    (UNUSED, a_user(password=a_password()), "", BY_ID[UNUSED].fix),
    (UNUSED, a_user(mfa=True), "", CAVEATS),
    (UNUSED, a_user("BedrockAPIKey-1"), "", CAVEATS),
    (UNUSED, a_user(password_enabled="?"), "", VALUES),
    (UNUSED, a_user(), BEDROCK, CREDENTIAL),
    (UNUSED, a_user(password_enabled="?"), BEDROCK, VALUES),
    (RETIRED, LEFT, "", BY_ID[RETIRED].fix),
    (RETIRED, LEFT, BEDROCK, CREDENTIAL),
    (IDLE, a_user(key_1=a_key()), "", BY_ID[IDLE].fix),
    (IDLE, a_user(key_1=a_key(used="once")), "", VALUES),
    # A credential can be disabled though the user must stay.
    (IDLE, a_user(key_1=a_key()), BEDROCK, f"{FIRST} {BY_ID[IDLE].fix}"),
)


def test_the_remedy_goes_by_the_outcome_the_caveats_and_the_credentials() -> None:
    page = page_of(user for _, user, _, _ in REMEDIES)
    services = pa.array([services for *_, services, _ in REMEDIES], pa.large_string())
    page = page.with_users({"service_credentials": services.dictionary_encode()})
    rules = [BY_ID[each] for each in (UNUSED, RETIRED, IDLE)]
    found = findings_on(judge(page, Criteria()), rules).set_index(["rule", "row"])["remedy"]
    for row, (rule, _, _, expected) in enumerate(REMEDIES, start=2):
        assert found[rule, row] == expected, row


def test_only_the_rules_that_are_marked_tell_to_delete_the_user() -> None:
    for rule in RULES:
        text = " ".join((rule.fix, *rule.remedy)).lower()
        assert ("delete the user" in text or "delete-user " in text) is rule.deletes_user, rule


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_what_is_to_be_checked_first_comes_with_no_command_that_changes_anything(
    rule: Rule,
) -> None:
    certain, *others = rule.remedies
    assert certain == rule.fix
    assert rule.remedy_lines(certain) == rule.remedy
    for text in others:
        if text != rule.fix:
            first, *commands = rule.remedy_lines(text)
            assert first == text
            assert first.startswith("Check the ")
            assert "do not delete" in first
            words = ("delete-", "update-", "create-", "enable-")
            assert not any(word in line for line in commands for word in words)
            assert len("\n".join((first, *commands))) <= 512


def test_an_account_that_could_not_be_read_and_a_rule_without_commands_keep_their_own() -> None:
    assert UNCOVERED_ACCOUNT.remedy_lines(UNCOVERED_ACCOUNT.fix) == UNCOVERED_ACCOUNT.remedy
    rule = replace(BY_ID[UNUSED], remedy=())
    assert rule.remedy_lines(rule.fix) == (rule.fix,)
