"""Check all that the report alone can decide: one file a rule, all of them in RULES.

Rules are listed in this order everywhere; README.md says how to add one. `rule` defines what a rule
is, `engine` runs rules over pages, `wording` makes their sentences. A rule's file has one `RULE`,
data and pure functions of `Facts` and `Thresholds`: it imports no other rule, changes no page and
reads no clock. The numbers of benchmarks are in `analyzer.standards`, not here.

A rule of your own needs only this package.
"""

import copyreg
from importlib import import_module
from typing import Any, Final

from analyzer.rules.rule import Rule, Subject
from analyzer.rules.wording import concat, date_texts, days_text
from analyzer.terms import Severity
from analyzer.verdicts.truth import Truth

__all__ = ["RULES", "Rule", "Severity", "Subject", "Truth", "concat", "date_texts", "days_text"]

_IDS: Final = (
    *("unused-user", "retired-user", "idle-password", "idle-access-key", "unrotated-access-key"),
    *("two-active-access-keys", "initial-setup-access-key", "console-user-without-mfa"),
    *("user-without-mfa", "expired-password", "password-expires-soon", "password-and-access-key"),
    *("service-key-user-with-credentials", "active-signing-certificate", "root-access-key"),
    *("root-without-mfa", "root-used", "root-certificate", "root-password"),
)
RULES: Final[tuple[Rule, ...]] = tuple(
    import_module(f"{__name__}.{id_.replace('-', '_')}").RULE for id_ in _IDS
)


def _pickled(rule: Rule) -> tuple[Any, ...]:
    """Return how to pickle a rule: one of `RULES` by its id, since its functions have no names."""
    return (_rule, (rule.id,)) if rule in RULES else tuple(rule.__reduce_ex__(2))


def _rule(id_: str) -> Rule:
    return next(rule for rule in RULES if rule.id == id_)


copyreg.pickle(Rule, _pickled)
