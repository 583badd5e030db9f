"""Define what a standard is: its controls, each with the rules that decide it or why none can."""

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """Describe one control of a standard; `title` says what must hold.

    It fails where one of `rules` (ids) fails; without rules, `reason` says why the report alone
    cannot decide it. `limit` is the threshold's name and the days that the standard asks for.
    """

    number: str = ""
    title: str
    rules: tuple[str, ...] = ()
    reason: str = ""
    limit: tuple[str, int] | None = None

    def with_number(self, number: str) -> "Control":
        """Return the control under a number."""
        return replace(self, number=number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """Describe the part of one version of a standard that is about an account's identities.

    `id` is its name as an option, `short_name` its name in a line of text, `scope` the part of the
    benchmark, `source` the publication of the numbers, titles and limits.
    """

    id: str
    name: str
    short_name: str
    scope: str
    source: str
    controls: tuple[Control, ...]

    @property
    def rules(self) -> frozenset[str]:
        """Return the ids of the rules that the standard selects."""
        return frozenset(rule for control in self.controls for rule in control.rules)

    @property
    def limits(self) -> dict[str, int]:
        """Return the thresholds that the standard sets, by their names."""
        return dict(control.limit for control in self.controls if control.limit)

    def numbers(self, rule: str) -> tuple[str, ...]:
        """Return the numbers of the controls that a rule decides."""
        return tuple(control.number for control in self.controls if rule in control.rules)


def decidable(title: str, *rules: str, **limits: int) -> Control:
    """Describe a control that rules decide, with the threshold that the standard sets, if any."""
    return Control(title=title, rules=rules, limit=next(iter(limits.items()), None))


def undecidable(title: str, reason: str) -> Control:
    """Describe a control that the report alone cannot decide."""
    return Control(title=title, reason=reason)


def numbered(section: str, controls: Iterable[Control], *, first: int = 1) -> tuple[Control, ...]:
    """Return controls under the running numbers of a section, such as `1.1` and `1.2`."""
    return tuple(
        control.with_number(f"{section}.{number}") for number, control in enumerate(controls, first)
    )
