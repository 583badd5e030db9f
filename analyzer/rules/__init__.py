"""Check all that the report alone can decide: one file a rule, all of them in RULES.

Rules are listed in this order everywhere; README.md says how to add one. `rule` defines what a rule
is, `engine` runs rules over users, `wording` has the parts of their sentences. A rule's file has
one `RULE`, data and pure functions of `Facts` and `Thresholds`: it imports no other rule, changes
nothing and reads no clock. The numbers of benchmarks are in `analyzer.standards`, not here.
"""

import copyreg
from importlib import import_module
from typing import Final

from analyzer.rules.rule import Rule

_IDS: Final = (
    "unused-user",
    "retired-user",
    "idle-password",
    "idle-access-key",
    "unrotated-access-key",
    "two-active-access-keys",
    "initial-setup-access-key",
    "console-user-without-mfa",
    "user-without-mfa",
    "expired-password",
    "password-expires-soon",
    "password-and-access-key",
    "service-key-user-with-credentials",
    "active-signing-certificate",
    "root-access-key",
    "root-without-mfa",
    "root-used",
    "root-certificate",
    "root-password",
)
RULES: Final[tuple[Rule, ...]] = tuple(
    import_module(f"{__name__}.{id_.replace('-', '_')}").RULE for id_ in _IDS
)
RULES_BY_ID: Final = {rule.id: rule for rule in RULES}


def rule_named(id_: str) -> Rule:
    """Return the rule of an id; raises KeyError."""
    return RULES_BY_ID[id_]


# Rules are pickled by their ids, since their functions have no names.
copyreg.pickle(Rule, lambda rule: (rule_named, (rule.id,)))
