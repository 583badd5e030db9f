"""Check all that the report alone can decide: one file a rule, all of them in RULES.

Rules are listed in this order everywhere; README.md says how to add one. `rule` defines what a rule
is, `engine` runs rules over pages, `wording` makes their sentences. A rule's file has one `RULE`,
data and pure functions of `Facts` and `Thresholds`: it imports no other rule, changes no page and
reads no clock. The numbers of benchmarks are in `analyzer.standards`, not here.

A rule of your own needs only this package.
"""

import copyreg
from typing import Any, Final

from analyzer.rules import (
    active_signing_certificate,
    console_user_without_mfa,
    expired_password,
    idle_access_key,
    idle_password,
    initial_setup_access_key,
    password_and_access_key,
    password_expires_soon,
    retired_user,
    root_access_key,
    root_certificate,
    root_password,
    root_used,
    root_without_mfa,
    service_key_user_with_credentials,
    two_active_access_keys,
    unrotated_access_key,
    unused_user,
    user_without_mfa,
)
from analyzer.rules.rule import Rule, Subject
from analyzer.rules.wording import concat, date_texts, days_text
from analyzer.terms import Severity
from analyzer.verdicts.truth import Truth

__all__ = ["RULES", "Rule", "Severity", "Subject", "Truth", "concat", "date_texts", "days_text"]

RULES: Final[tuple[Rule, ...]] = (
    unused_user.RULE,
    retired_user.RULE,
    idle_password.RULE,
    idle_access_key.RULE,
    unrotated_access_key.RULE,
    two_active_access_keys.RULE,
    initial_setup_access_key.RULE,
    console_user_without_mfa.RULE,
    user_without_mfa.RULE,
    expired_password.RULE,
    password_expires_soon.RULE,
    password_and_access_key.RULE,
    service_key_user_with_credentials.RULE,
    active_signing_certificate.RULE,
    root_access_key.RULE,
    root_without_mfa.RULE,
    root_used.RULE,
    root_certificate.RULE,
    root_password.RULE,
)


def _pickled(rule: Rule) -> tuple[Any, ...]:
    """Return how to pickle a rule: one of `RULES` by its id, since its functions have no names."""
    return (_rule, (rule.id,)) if rule in RULES else tuple(rule.__reduce_ex__(2))


def _rule(id_: str) -> Rule:
    return next(rule for rule in RULES if rule.id == id_)


copyreg.pickle(Rule, _pickled)
