"""Find what people's last words on a user come to: all agree, or nothing stands.

A removal stands if everybody's last words on the user are removals, or objections that no longer
count. Neither the order of words nor the place where they were entered changes anything.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from analyzer.decisions.credentials import ReportedUser, users_decided_on
from analyzer.decisions.decision import Decision, LedgerLine, User
from analyzer.limits import INVESTIGATE_DAYS, KEEP_DAYS

_A_DAY: Final = timedelta(days=1)
_COUNTS_FOR: Final = {
    Decision.KEEP: timedelta(KEEP_DAYS),
    Decision.INVESTIGATE: timedelta(INVESTIGATE_DAYS),
}
"""How long after its date an objection counts."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Hold what stands on a user.

    `words` are everybody's last ones, the newest report first. `newest_removal` is the word whose
    row was seen, and `before` what that row shows; both are None if nobody's last words are
    removals. `objections` are the words that count against it, `milder` those that let it only
    deactivate.
    """

    words: tuple[LedgerLine, ...]
    newest_removal: LedgerLine | None = None
    before: ReportedUser | None = None
    objections: tuple[LedgerLine, ...] = ()
    milder: tuple[LedgerLine, ...] = ()

    @property
    def line(self) -> LedgerLine:
        """Return the newest removal, or the word on the newest report if there is none."""
        return self.newest_removal or self.words[0]

    @property
    def is_contested(self) -> bool:
        """Return whether people disagree: a removal does not stand."""
        return bool(self.objections)

    @property
    def word(self) -> Decision | None:
        """Return the removal that stands, None if none does."""
        if self.newest_removal is None or self.is_contested:
            return None
        return Decision.DEACTIVATE if self.milder else Decision.DELETE

    @property
    def longest_keep(self) -> LedgerLine | None:
        """Return the keep among the last words that counts the longest."""
        keeps = [line for line in self.words if line.decision is Decision.KEEP]
        return max(keeps, key=last_day, default=None)


def last_day(objection: LedgerLine) -> date:
    """Return the last day on which an objection counts."""
    try:
        return objection.decided_on + _COUNTS_FOR[objection.decision]
    except OverflowError:
        return date.max


def last_words(words: Iterable[LedgerLine]) -> tuple[LedgerLine, ...]:
    """Return, of words on one user, each person's of its last day and of the day before.

    They are sorted, those on the newest report first.
    """
    words, last = [*words], dict[str, date]()
    for line in words:
        last[line.person] = max(line.decided_on, last.get(line.person, line.decided_on))
    said = (line for line in words if line.decided_on >= last[line.person] - _A_DAY)
    return (*sorted(said, key=_newness, reverse=True),)


def _newness(line: LedgerLine) -> tuple[object, ...]:
    """Return what orders words by their reports, those of one report by their dates.

    Of equal ones, first who names the users of the second; after that, their places decide.
    """
    names_others = line.same_second is not None
    return line.report_time, line.decided_on, names_others, line.person, line.place, line.decision


def newest_removal(said: Sequence[LedgerLine]) -> LedgerLine | None:
    """Return the removal on the newest report, of one report that of the later date."""
    return next((line for line in said if line.is_removal), None)


def counting_objections(
    removal: LedgerLine, said: Iterable[LedgerLine], words: Iterable[LedgerLine]
) -> tuple[LedgerLine, ...]:
    """Return the objections that count on the day of a removal, or were made on a newer report."""
    in_time = [
        line for line in said if not line.is_removal and last_day(line) >= removal.decided_on
    ]
    newer = [
        line
        for line in words
        if not line.is_removal and line.report_time > removal.report_time and line not in in_time
    ]
    return (*in_time, *newer)


def under_former_names(
    removal: LedgerLine, words: Sequence[LedgerLine], others: Mapping[User, Sequence[LedgerLine]]
) -> Iterator[LedgerLine]:
    """Yield last words on names of its second that the report decided on does not show.

    Perhaps the user had such a name, unless the word's person wrote about this name more than a day
    later, on a report that does not show the other one.
    """
    for other, said in others.items():
        if other.name in (removal.same_second or ()):
            continue
        own = [line for line in words if other.name not in (line.same_second or {other.name})]
        for line in said:
            later = (word for word in own if word.person == line.person)
            if all(word.decided_on <= line.decided_on + _A_DAY for word in later):
                yield line


def milder_words(
    removal: LedgerLine, before: ReportedUser, said: Iterable[LedgerLine]
) -> tuple[LedgerLine, ...]:
    """Return each deactivate, unless the row of a later removal shows it done.

    No row shows that a service-specific credential which AWS had listed is gone.
    """
    return tuple(
        line
        for line in said
        if line.decision is Decision.DEACTIVATE
        and not (
            line.report_time < removal.report_time
            and before.has_no_credentials
            and not line.has_service_credential
        )
    )


def standings(lines: Iterable[LedgerLine]) -> dict[User, Standing]:
    """Return what stands on each user."""
    words = defaultdict[User, list[LedgerLine]](list)
    of_second = defaultdict[tuple[str, datetime | None], list[User]](list)
    for line in lines:
        words[line.subject].append(line)
    for user in words:
        of_second[user.account, user.created].append(user)
    last = {user: last_words(of_user) for user, of_user in words.items()}
    removals = {user: newest_removal(said) for user, said in last.items()}
    seen = [line for line in removals.values() if line]
    before = dict(zip((line.subject for line in seen), users_decided_on(seen), strict=True))

    def standing(user: User, removal: LedgerLine | None) -> Standing:
        if removal is None:
            return Standing(last[user])
        created_with = of_second[user.account, user.created] if user.created else []
        others = {other: last[other] for other in created_with if other != user}
        said = (*last[user], *under_former_names(removal, words[user], others))
        objections = counting_objections(removal, said, words[user])
        milder = milder_words(removal, before[user], said)
        return Standing(last[user], removal, before[user], objections, milder)

    return {user: standing(user, removal) for user, removal in removals.items()}
