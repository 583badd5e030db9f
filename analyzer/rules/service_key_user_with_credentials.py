"""Find users made for one service API key that have other credentials too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer import columns
from analyzer.rules.rule import Rule, Subject, pages
from analyzer.rules.wording import usable_credentials
from analyzer.terms import Severity
from analyzer.verdicts.truth import Truth

if TYPE_CHECKING:
    from analyzer.limits import Thresholds
    from analyzer.verdicts.facts import Facts


def _judge(facts: Facts, _: Thresholds) -> Truth:
    unread = facts.page.unread_in(columns.USER)
    is_service = Truth.unless_unknown(facts.service_key_name, unread)
    return is_service & (facts.password | facts.key_active.in_any_slot())


RULE = Rule(
    id="service-key-user-with-credentials",
    title="Service API key user has a password or an access key",
    requirement="Service API key users have no password and no active access key",
    severity=Severity.HIGH,
    subject=Subject.USER,
    judge=_judge,
    fact=lambda facts, at, _: ["usable besides the API key: ", usable_credentials(facts, at)],
    reads=(columns.USER, columns.PASSWORD_ENABLED),
    reads_keys=("active",),
    why="The console of AWS creates this user for one service API key only. A password or an access"
    " key on it is unexpected, and can be a way to keep access unnoticed.",
    how="Fails when the user name contains APIKey-, in any case (BedrockAPIKey-…, AeaApiKey-…,"
    " CloudWatchAPIKey-…), and password_enabled is true or an access key is active, used or not.",
    fix="Find out who added the credentials, then disable them.",
    remedy=(
        "# CloudTrail logs in us-east-1 who added them.",
        "aws iam delete-login-profile --user-name=NAME",
        "aws iam list-access-keys --user-name=NAME",
        "aws iam update-access-key --user-name=NAME --access-key-id=KEY --status=Inactive",
    ),
    references=pages("id_credentials_bedrock", "bedrock:api-keys-generate"),
)
