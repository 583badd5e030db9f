"""Judge everything that the report alone can decide: one file a rule, all of them in RULES.

Rules are listed in this order everywhere; README.md says how to add one. `rule` defines what a rule
is, `engine` runs rules over pages, `wording` makes their sentences. A rule's file has one `RULE`,
data and pure functions of `Facts` and `Thresholds`: it imports no other rule, changes no page and
reads no clock. The numbers of benchmarks are in `analyzer.standards`, not here.

A rule of one's own needs this package alone.
"""

import copyreg
from importlib import import_module
from typing import Any, Final

from analyzer.rules.rule import Rule, Subject
from analyzer.rules.wording import concat, date_texts, days_text
from analyzer.terms import Severity
from analyzer.verdicts.facts import Truth

__all__ = ["RULES", "Rule", "Severity", "Subject", "Truth", "concat", "date_texts", "days_text"]

_FILES: Final = """
unused_user retired_user idle_password idle_access_key unrotated_access_key two_active_access_keys
initial_setup_access_key console_user_without_mfa user_without_mfa expired_password
password_expires_soon password_and_access_key service_key_user_with_credentials
active_signing_certificate root_access_key root_without_mfa root_used root_certificate root_password
"""

RULES: Final[tuple[Rule, ...]] = tuple(
    import_module(f"{__name__}.{name}").RULE for name in _FILES.split()
)


def _pickled(rule: Rule) -> tuple[Any, ...]:
    """Return what pickles a rule: one of these by its id, since its functions have no names."""
    return (_rule, (rule.id,)) if rule in RULES else tuple(rule.__reduce_ex__(2))


def _rule(id_: str) -> Rule:
    return next(rule for rule in RULES if rule.id == id_)


copyreg.pickle(Rule, _pickled)
