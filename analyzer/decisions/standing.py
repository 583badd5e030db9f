"""Find what stands on a user, of everything that people wrote: neither order nor place counts.

The latest word decides, unless anybody wrote another word on that day or the day before. A removal
stands only if no keep or investigate of somebody else holds on its day, and nobody wrote another
word looking at a newer report.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from typing import Final

from analyzer.decisions.decision import REMOVALS, Decision, LedgerLine, User
from analyzer.limits import DUE_DAYS, KEEP_DAYS

_A_DAY: Final = timedelta(days=1)
_person: Final = attrgetter("person")


class Doubt(StrEnum):
    """Name why no word stands on a user, or no removal."""

    NONE = ""
    DISAGREE = "disagree"
    KEPT = "kept"
    NEWER_WORD = "newer word"
    OVERTAKEN = "overtaken"


@dataclass(frozen=True, slots=True)
class Days:
    """Hold for how many days words hold."""

    keep: int = KEEP_DAYS
    due: int = DUE_DAYS

    def last_day(self, line: LedgerLine) -> date:
        """Return the last day on which a word holds; a removal holds on no day."""
        days = {Decision.KEEP: self.keep, Decision.INVESTIGATE: self.due}.get(line.decision, -1)
        try:
            return line.decided_on + timedelta(days)
        except OverflowError:
            return date.max


@dataclass(frozen=True, slots=True)
class Standing:
    """Hold the lines that agree, newest report first, or those of which none stands, and why.

    `line` is the newest; in a doubt, the newest removal if there is one. `facts` are the program's.
    """

    line: LedgerLine
    lines: tuple[LedgerLine, ...]
    doubt: Doubt = Doubt.NONE
    why: str = ""
    facts: tuple[LedgerLine, ...] = ()
    keeps: tuple[LedgerLine, ...] = ()

    @property
    def stands(self) -> LedgerLine | None:
        """Return the line that stands."""
        return None if self.doubt else self.line

    @property
    def is_of_removal(self) -> bool:
        """Return whether a removal stands, or is among the words of which none does."""
        return self.line.decision in REMOVALS


def standings(lines: Iterable[LedgerLine], days: Days) -> dict[User, Standing]:
    """Return what stands on each user."""
    by_user = defaultdict[User, list[LedgerLine]](list)
    for line in lines:
        by_user[line.subject].append(line)
    return {
        user: standing(of, days) for user, of in by_user.items() if not all(o.is_fact for o in of)
    }


def standing(every: Sequence[LedgerLine], days: Days = Days()) -> Standing:  # noqa: B008
    """Return what stands on one user."""
    facts = tuple(line for line in every if line.is_fact)
    if facts:
        made = max((made_of(f) for f in facts if f.decision is Decision.OVERTAKEN), default=None)
        words = [line for line in every if not line.is_fact]
        lines = [o for o in words if not (made and o.decision in REMOVALS and made_of(o) < made)]
        gone = _newest_of([line for line in words if line not in lines])
        if gone and (not lines or gone[0].decided_on > max(o.decided_on for o in lines)):
            return Standing(gone[0], gone, Doubt.OVERTAKEN, _fact_of(facts, made), facts)
    else:
        lines = [*every]
    near = _newest_of(lines)
    first = near[0]
    keeps = tuple(o for o in _last_words(lines) if o.decision is Decision.KEEP)
    if len({line.decision for line in near}) > 1:
        removal = next((o for word in REMOVALS[::-1] for o in near if o.decision is word), first)
        free = max(line.decided_on for line in near) + 2 * _A_DAY
        why = f"{summaries(near)}: from {free} one can write again"
        return Standing(removal, near, Doubt.DISAGREE, why, facts, keeps)
    if first.decision not in REMOVALS or len(lines) == len(near) == 1:
        return Standing(first, near, facts=facts, keeps=keeps)
    authors, day = {*map(_person, near)}, max(line.decided_on for line in near)
    holding = [o for o in _last_words(lines) if o.person not in authors and days.last_day(o) >= day]
    if holding:
        why = "; ".join(
            f"{line.summary}: ends when {line.decided_by} writes {first.decision}"
            for line in holding
        )
        return Standing(first, near, Doubt.KEPT, why, facts, keeps)
    if newer := [
        o for o in lines if o.decision is not first.decision and made_of(o) > made_of(first)
    ]:
        return Standing(first, near, Doubt.NEWER_WORD, summaries(newer), facts, keeps)
    return Standing(first, near, facts=facts, keeps=keeps)


def _newest_of(lines: Sequence[LedgerLine]) -> tuple[LedgerLine, ...]:
    """Return the lines of the last day and the day before, newest report first."""
    if len(lines) < 2:
        return (*lines,)
    day = max(line.decided_on for line in lines)
    near = (line for line in lines if line.decided_on >= day - _A_DAY)
    return (*sorted(near, key=lambda line: (made_of(line), line.decided_on), reverse=True),)


def _last_words(lines: Iterable[LedgerLine]) -> Iterator[LedgerLine]:
    """Yield the lines of each person's last day."""
    for _, said in groupby(sorted(lines, key=_person), key=_person):
        own = [*said]
        day = max(line.decided_on for line in own)
        yield from (line for line in own if line.decided_on == day)


def _fact_of(facts: Iterable[LedgerLine], made: datetime | None) -> str:
    return "; ".join(
        o.comment for o in facts if o.decision is Decision.OVERTAKEN and made_of(o) == made
    )


def summaries(lines: Iterable[LedgerLine]) -> str:
    """Return the decisions in words."""
    return "; ".join(sorted({line.summary for line in lines}))


def made_of(line: LedgerLine) -> datetime:
    """Return the earliest time of the report decided on."""
    return line.report_time.earliest
