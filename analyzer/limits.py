"""Set the limits, in days, and the definition of unused: what verdicts and rules depend on."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final

KEEP_DAYS: Final = 180
"""Days after a decision to keep in which it counts against a removal, and exempts the user."""

INVESTIGATE_DAYS: Final = 30
"""Days after a decision to investigate in which it counts against a removal."""

SOON_DAYS: Final = 60
"""Days after the report decided on within which a removal is carried out, or lapses."""

DUE_DAYS: Final = 30
"""Days after the report decided on after which an open removal is overdue; before the end of a keep
the user is listed again."""

IDLE_DAYS: Final = 90
"""Days without use from which a user is dormant and a credential is idle, by default.

It is the default of AWS Config's rule `iam-user-unused-credentials-check`.
"""


MOST_DAYS: Final = 999_999_999
"""The most days that a limit can have: nothing in a report is so old."""


class Definition(StrEnum):
    """Choose what unused means for access keys: none active, or none attached at all."""

    NO_ACTIVE_KEY = "no-active-key"
    IAM_029 = "iam-029"


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """Set the parameters of the verdicts; days are whole days of 24 hours."""

    definition: Definition = Definition.NO_ACTIVE_KEY
    idle_days: int = IDLE_DAYS
    grace_days: int = 7

    def __post_init__(self) -> None:
        """Turn the definition's word into a Definition; raise ValueError for invalid values."""
        object.__setattr__(self, "definition", Definition(self.definition))
        _check_days("idle_days", self.idle_days, least=1)
        _check_days("grace_days", self.grace_days, least=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Set the limits of the rules, in whole days of 24 hours.

    `idle_days`: days without use from which a rule fails (AWS Config's default; CIS v1.4 and later
    sets 45, "45 days or more").
    `rotation_days`: an access key fails when it is older than this (CIS, "every 90 days or less").
    `root_used_days`: the root fails when it was used less than this ago; no benchmark sets it.
    `expiry_days`: a password fails when it expires within this time.
    """

    idle_days: int = IDLE_DAYS
    rotation_days: int = 90
    root_used_days: int = 30
    expiry_days: int = 14

    def __post_init__(self) -> None:
        """Raise ValueError for an invalid number of days."""
        for name, days in asdict(self).items():
            _check_days(name, days, least=1)


RULE_LIMITS: Final = {
    "rotation": "rotation_days",
    "root-used": "root_used_days",
    "expiry": "expiry_days",
}
"""The limits of rules by their names in `--limit`, each with its field of `Thresholds`.

The idle days are those of the verdicts, `--idle-days`.
"""


def _check_days(name: str, days: object, *, least: int) -> None:
    """Raise ValueError if the days are no whole number from `least` to `MOST_DAYS`."""
    if not isinstance(days, int) or isinstance(days, bool) or not least <= days <= MOST_DAYS:
        text = repr(days) if not isinstance(days, int) or days <= MOST_DAYS else "more"
        raise ValueError(f"{name} must be a whole number of days, {least} or more: {text}")
