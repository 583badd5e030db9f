"""What is not sure is never to be deleted: the remedy says what to check first."""

from dataclasses import replace

import pytest

from analyzer.rules import RULES
from analyzer.rules.rule import UNCOVERED_ACCOUNT, Rule
from analyzer.rules.wording import remedies, remedy_lines
from analyzer.terms import Criteria
from analyzer.verdicts.verdict import with_verdicts
from tests.support.builders import Row, a_key, a_password, a_user, days_before
from tests.support.pages import BY_ID, findings_on, page_of

VALUES = "Check the values in the fact first; do not delete yet."
CAVEATS = "Check the caveats in the fact first; do not delete yet."
CREDENTIAL = "Check the active service-specific credential first; do not delete yet."


def remedy(rule_id: str, user: Row, services: str = "") -> str:
    page = page_of([user]).with_users({"service_credentials": services})
    (only,) = findings_on(with_verdicts(page, Criteria()), [BY_ID[rule_id]])["remedy"]
    return str(only)


@pytest.mark.parametrize(
    ("rule", "user", "services", "expected"),
    [
        ("unused-user", a_user(password=a_password()), "", BY_ID["unused-user"].fix),
        ("unused-user", a_user(mfa=True), "", CAVEATS),
        ("unused-user", a_user("BedrockAPIKey-1"), "", CAVEATS),
        ("unused-user", a_user(password_enabled="?"), "", VALUES),
        ("unused-user", a_user(), "bedrock.amazonaws.com", CREDENTIAL),
        ("unused-user", a_user(password_enabled="?"), "bedrock.amazonaws.com", VALUES),
        ("idle-access-key", a_user(key_1=a_key()), "", BY_ID["idle-access-key"].fix),
        ("idle-access-key", a_user(key_1=a_key(used="once")), "", VALUES),
    ],
)
def test_the_remedy_goes_by_the_outcome_the_caveats_and_the_credentials(
    rule: str, user: Row, services: str, expected: str
) -> None:
    assert remedy(rule, user, services) == expected


def test_a_credential_can_be_disabled_though_the_user_must_stay() -> None:
    text = remedy("idle-access-key", a_user(key_1=a_key()), "bedrock.amazonaws.com")
    first = "Check the active service-specific credential first; do not delete the user yet."
    assert text == f"{first} {BY_ID['idle-access-key'].fix}"


def test_a_user_without_caveats_can_be_deleted_and_a_retired_one_too() -> None:
    user = a_user(password_last_used=days_before(400))
    assert remedy("retired-user", user) == BY_ID["retired-user"].fix
    assert remedy("retired-user", user, "bedrock.amazonaws.com") == CREDENTIAL


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_only_the_rules_that_are_marked_tell_to_delete_the_user(rule: Rule) -> None:
    text = " ".join((rule.fix, *rule.remedy)).lower()
    assert ("delete the user" in text or "delete-user " in text) is rule.deletes_user


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_what_is_to_be_checked_first_comes_with_no_command_that_changes_anything(
    rule: Rule,
) -> None:
    certain, *others = remedies(rule)
    assert certain == rule.fix
    assert remedy_lines(rule, certain) == rule.remedy
    for text in others:
        if text != rule.fix:
            first, *commands = remedy_lines(rule, text)
            assert first == text
            assert first.startswith("Check the ")
            assert "do not delete" in first
            words = ("delete-", "update-", "create-", "enable-")
            assert not any(word in line for line in commands for word in words)
            assert len("\n".join((first, *commands))) <= 512


def test_an_account_that_could_not_be_read_keeps_its_own_remedy() -> None:
    assert remedy_lines(UNCOVERED_ACCOUNT, UNCOVERED_ACCOUNT.fix) == UNCOVERED_ACCOUNT.remedy


def test_a_rule_without_commands_is_remedied_by_its_sentence() -> None:
    rule = replace(BY_ID["unused-user"], remedy=())
    assert remedy_lines(rule, rule.fix) == (rule.fix,)
