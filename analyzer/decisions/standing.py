"""Find what stands on a user, of everything that people wrote: neither order nor place counts.

The latest word decides, unless anybody wrote another word on that day or the day before. A removal
stands only if no keep or investigate of somebody else holds on its day, and nobody wrote another
word looking at a newer report.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from analyzer.decisions.decision import REMOVALS, Decision, LedgerLine, User
from analyzer.limits import DUE_DAYS, KEEP_DAYS
from analyzer.terms import AsOfSource

_A_DAY: Final = timedelta(days=1)


class Doubt(StrEnum):
    """Name why no word stands on a user, or no removal."""

    NONE = ""
    DISAGREE = "disagree"
    KEPT = "kept"
    NEWER_WORD = "newer word"
    OVERTAKEN = "overtaken"


@dataclass(frozen=True, slots=True)
class HoldingDays:
    """Hold for how many days a keep and an investigate hold."""

    keep: int = KEEP_DAYS
    investigate: int = DUE_DAYS

    def last_day(self, line: LedgerLine) -> date:
        """Return the last day on which a word holds; other words hold on no day."""
        if line.decision not in _HOLDING:
            return date.min
        days = self.keep if line.decision is Decision.KEEP else self.investigate
        try:
            return line.decided_on + timedelta(days)
        except OverflowError:
            return date.max


_HOLDING: Final = (Decision.KEEP, Decision.INVESTIGATE)


@dataclass(frozen=True, slots=True)
class Standing:
    """Hold the words on a user that decide, newest report first, and why none of them stands.

    `line` is the newest; in a doubt, a removal if there is one. `holding` are the words to keep or
    to investigate that are among their authors' last, and may hold.
    """

    line: LedgerLine
    lines: tuple[LedgerLine, ...]
    doubt: Doubt = Doubt.NONE
    why: str = ""
    holding: tuple[LedgerLine, ...] = ()

    @property
    def stands(self) -> LedgerLine | None:
        """Return the line that stands."""
        return None if self.doubt else self.line

    @property
    def is_of_removal(self) -> bool:
        """Return whether a removal stands, or is among the words of which none does."""
        return self.line.decision in REMOVALS


def standings(lines: Iterable[LedgerLine], days: HoldingDays) -> dict[User, Standing]:
    """Return what stands on each user."""
    words, overtaken = defaultdict[User, list[LedgerLine]](list), dict[User, LedgerLine]()
    for line in lines:
        if line.decision is Decision.OVERTAKEN:
            of_user = overtaken.get(line.subject, line)
            overtaken[line.subject] = max(line, of_user, key=lambda fact: fact.earliest)
        elif not line.is_fact:
            words[line.subject].append(line)
    return {user: standing(of_user, days, overtaken.get(user)) for user, of_user in words.items()}


def standing(
    words: Sequence[LedgerLine], days: HoldingDays, overtaken: LedgerLine | None = None
) -> Standing:
    """Return what stands on one user.

    The report of `overtaken` showed more access or use than people saw on older ones.
    """
    near, may_hold = _latest(words), _holding_last_words(words)
    first, day = near[0], max(line.decided_on for line in near)

    def doubtful(doubt: Doubt, why: str) -> Standing:
        removals = (line for word in REMOVALS[::-1] for line in near if line.decision is word)
        return Standing(next(removals, first), near, doubt, why, may_hold)

    if len({line.decision for line in near}) > 1:
        return doubtful(Doubt.DISAGREE, f"{summaries(near)}: {_way_out(day)}")
    if first.decision in REMOVALS:
        # Who agrees wrote the removal later than any word of theirs that may hold.
        if holding := [line for line in may_hold if days.last_day(line) >= day]:
            people = sorted({line.decided_by for line in holding})
            write = "write" if len(people) > 1 else "writes"
            ends = f"ends when {' and '.join(people)} {write} {first.decision}"
            return doubtful(Doubt.KEPT, f"{summaries(holding)}: {ends}")
        if newer := [line for line in words if _is_other_on_newer_report(line, first)]:
            return doubtful(Doubt.NEWER_WORD, f"{summaries(newer)}, on a newer report")
        if (
            overtaken
            and first.earliest < overtaken.earliest
            and not _is_of_report(first, overtaken)
        ):
            text = f"new access or use by {overtaken.earliest:%Y-%m-%d}"
            return doubtful(Doubt.OVERTAKEN, text)
    return Standing(first, near, holding=may_hold)


def _is_other_on_newer_report(line: LedgerLine, first: LedgerLine) -> bool:
    return line.decision is not first.decision and line.earliest > first.earliest


def _is_of_report(line: LedgerLine, fact: LedgerLine) -> bool:
    """Return whether a line is on the report of a fact: a script may not know its baseline."""
    return line.as_of == fact.as_of and line.report_time.source is not AsOfSource.OPTION


def _latest(words: Sequence[LedgerLine]) -> tuple[LedgerLine, ...]:
    """Return the lines of the last day and the day before, newest report first."""
    day = max(line.decided_on for line in words)
    near = (line for line in words if line.decided_on >= day - _A_DAY)
    return (*sorted(near, key=_newness, reverse=True),)


def _newness(line: LedgerLine) -> tuple[object, ...]:
    """Return what orders lines by their reports; of equal ones, first who names a second's users.

    After that, their places decide.
    """
    names_others = line.same_second is not None
    return line.earliest, names_others, line.as_of, line.decided_on, line.person, line.place


def _holding_last_words(words: Iterable[LedgerLine]) -> tuple[LedgerLine, ...]:
    """Return the words to keep or to investigate among what each person wrote last."""
    last = dict[str, date]()
    for line in words:
        last[line.person] = max(line.decided_on, last.get(line.person, line.decided_on))
    return tuple(
        line for line in words if line.decided_on == last[line.person] and line.decision in _HOLDING
    )


def _way_out(day: date) -> str:
    free = day + 2 * _A_DAY
    return f"decide together; one of them writes again, with the date {free} or later"


def summaries(lines: Iterable[LedgerLine]) -> str:
    """Return decisions in words, each once."""
    return "; ".join(sorted({line.summary for line in lines}))
