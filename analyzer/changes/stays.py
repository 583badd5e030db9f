"""Follow the users of each account from report to report: what became of them, and when.

A stay is a run of reports that have the user. Reports in which it is undetermined break no run of
reports in which it is unused.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from math import inf
from typing import Final

import numpy as np

from analyzer import columns
from analyzer.changes.events import (
    IDLE_VERDICTS,
    KEY_USE_COLUMNS,
    USE_COLUMNS,
    EventKind,
    UserState,
    day_text,
    events,
    presence_text,
)
from analyzer.changes.period import AccountReport, Coverage, order_problem
from analyzer.changes.walk import Steps, Walk, seconds_of
from analyzer.errors import Problem
from analyzer.report.users import Users
from analyzer.terms import Verdict

CREATED: Final = "created"
APPEARED: Final = "appeared"
GONE: Final = "gone"
VERDICT: Final = "verdict"

_NO_EVENT: Final = [columns.USER_CREATION_TIME, columns.PASSWORD_NEXT_ROTATION, columns.EXEMPTION]
"""The columns whose change alone is no event."""

_USES: Final = (EventKind.SIGN_IN, EventKind.KEY_USE)
_DAY: Final = timedelta(days=1)


@dataclass(slots=True)
class FollowedUser:
    """Hold what the reports of a period show of a user.

    `verdicts` are pairs: the number of a report, and the verdict from it on, None without the user.
    If its last stay ends unused, it is so from `unused_since` on; `used` is the last report before
    in which it was not or was not there, or its creation if later. `used_before` is the last use
    that an earlier report shows, and the last one no longer does, of a user that is unused at the
    end.
    """

    identity: tuple[str, str, str, datetime | None]
    by_name: bool
    exemption: str
    used_before: datetime | None
    verdicts: list[tuple[int, Verdict | None]] = field(default_factory=list)
    unused_since: datetime | None = None
    used: datetime | None = None
    unused: timedelta = timedelta()
    gone: tuple[datetime | None, datetime | None] = (None, None)


@dataclass(slots=True)
class FollowedAccount:
    """Hold what the reports of a period show of an account; `reports` are all, in their order.

    `counts` are the numbers of users in `history.PERIOD`; `least` and `most` are the days from
    first unused to gone, infinite if not known.
    """

    coverage: Coverage
    reports: Sequence[AccountReport]
    users: list[FollowedUser] = field(default_factory=list)
    events: list[tuple[object, ...]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    least: list[float] = field(default_factory=list)
    most: list[float] = field(default_factory=list)

    def follow(self, judged: Users) -> list[Problem]:
        """Follow the users in all reports, or return how reports of one as-of differ."""
        number = np.argsort([report.position for report in self.reports])
        walk = Walk([judged], number[judged.file])
        steps = walk.steps(np.arange(len(self.reports)) == 0)
        is_copy = np.zeros(len(self.reports), bool)
        is_copy[1:] = [report.has_as_of_of(before) for before, report in pairwise(self.reports)]
        copied = steps.where(is_copy[steps.report])
        differing = np.unique(copied.report[walk.differs(copied, without=[columns.EXEMPTION])])
        if not len(differing):
            self._follow(walk, steps.where(~is_copy[steps.report]))
        return [order_problem(*self.reports[at - 1 : at + 1]) for at in differing]

    def _follow(self, walk: Walk, steps: Steps) -> None:
        """Follow the users of the period."""
        start, end = self.coverage.start, self.coverage.end
        inside = (walk.report >= start) & (walk.report <= end)
        users = _users(walk, np.flatnonzero(inside), walk.report <= end)
        verdict = walk.values(lambda page: page.users[columns.VERDICT].cat.codes)
        at_start = np.flatnonzero(inside & (walk.report == start))
        for code, at in zip(walk.user[at_start].tolist(), verdict[at_start].tolist(), strict=True):
            users[code].verdicts.append((start, list(Verdict)[at]))
        steps = steps.where((steps.report > start) & (steps.report <= end))
        steps = steps.where(walk.differs(steps, without=_NO_EVENT, newer=USE_COLUMNS))
        steps = steps.where(np.argsort(steps.report, kind="stable"))
        states = zip(walk.states(steps.before), walk.states(steps.now), strict=True)
        codes = walk.user[np.maximum(steps.before, steps.now)]
        for number, code, pair, renamed in zip(
            steps.report.tolist(), codes.tolist(), states, steps.renamed.tolist(), strict=True
        ):
            self.step(number, users[code], *pair, is_renamed=renamed)
        for user in users.values():
            self.count(user)
            self.users.append(user)

    def step(
        self, at: int, user: FollowedUser, was: UserState, has: UserState, *, is_renamed: bool
    ) -> None:
        """Follow a user that changed, up to the report of a number."""
        if was.verdict is not has.verdict:
            user.verdicts.append((at, has.verdict))
        if was.arn and has.arn:
            found = list(_events(was, has))
        else:
            found = [self._presence(at, user, is_gone=bool(was.arn), is_renamed=is_renamed)]
        interval = self.reports[at - 1].at, self.reports[at].at
        self.events += (user.identity + interval + event for event in found)

    def _presence(
        self, at: int, user: FollowedUser, *, is_gone: bool, is_renamed: bool
    ) -> tuple[str, str]:
        created = user.identity[-1]
        is_created = created is not None and (is_renamed or created >= self.reports[at - 1].at)
        word = GONE if is_gone else CREATED if is_created else APPEARED
        self.counts.update({word: 1, "renamed": is_gone and is_renamed})
        return word, presence_text(
            day_text(created) if created else "an unknown day",
            is_gone=is_gone,
            is_new=is_created and not is_renamed,
            is_possibly_renamed=is_renamed,
        )

    def count(self, user: FollowedUser) -> None:
        """Follow the verdicts of a user, and count it."""
        start, end, counts = self.coverage.start, self.coverage.end, self.counts
        known, is_there, until = None, False, self.reports[start].at
        for (at, verdict), (following, _) in pairwise(user.verdicts + [(end + 1, None)]):
            before, first, last = (self.reports[each].at for each in (at - 1, at, following - 1))
            if verdict is None:
                self._count_gone(user, before, first)
            elif not is_there:
                user.gone, user.unused_since = (None, None), None
                user.used = max(before, user.identity[-1] or before) if at > start else None
            was_unused, is_there = known is Verdict.UNUSED, verdict is not None
            if verdict is Verdict.UNUSED:
                counts["newly_unused"] += at > start and not was_unused
                user.unused += last - (until if was_unused else first)
                user.unused_since = user.unused_since or first
            elif verdict not in (None, Verdict.UNDETERMINED):
                counts["back_in_use"] += was_unused
                user.unused_since, user.used = None, last
            if verdict is not Verdict.UNDETERMINED:
                known, until = verdict, last
        for edge, word in (("start", self.first_verdict(user)), ("end", user.verdicts[-1][1])):
            counts[f"users_{edge}"] += word is not None
            counts[f"unused_{edge}"] += word is Verdict.UNUSED
        if user.verdicts[-1][1] is not Verdict.UNUSED:
            user.used_before = None
        counts["used_before"] += user.used_before is not None
        is_unclear = user.verdicts[-1][1] is Verdict.UNDETERMINED and user.unused_since
        counts["unused_unclear"] += bool(is_unclear)

    def first_verdict(self, user: FollowedUser) -> Verdict | None:
        """Return the verdict of a user in the first report of the period."""
        at, verdict = user.verdicts[0]
        return verdict if at == self.coverage.start else None

    def _count_gone(self, user: FollowedUser, before: datetime, at: datetime) -> None:
        user.gone = before, at
        self.counts["removed"] += 1
        if user.unused_since:
            self.counts["unused_removed"] += 1
            self.least.append((before - user.unused_since).days)
            self.most.append(-((user.used - at) // _DAY) if user.used else inf)


def _events(was: UserState, has: UserState) -> Iterator[tuple[str, str]]:
    """Yield what happened to a user; a further use by a user in use is no event."""
    if was.verdict is not has.verdict:
        yield VERDICT, f"{was.verdict} -> {has.verdict}"
    for event in events(was, has):
        again = event.kind in _USES and was.last_use and was.verdict not in IDLE_VERDICTS
        if event.kind is not EventKind.PASSWORD_EXPIRY and not again:
            yield event.kind, event.sentence


def _users(walk: Walk, rows: np.ndarray, up_to_end: np.ndarray) -> dict[int, FollowedUser]:
    """Return the users of rows, by their numbers, as the last of their rows shows them.

    Rows `up_to_end` show which use of a user the last one no longer shows.
    """
    rows = rows[np.lexsort((walk.report[rows], walk.user[rows]))]
    rows = rows[np.flatnonzero(np.diff(walk.user[rows], append=-1))]
    by_name = set(walk.user[walk.shown == 0].tolist())
    lost = np.maximum.reduce([_lost_use(walk, use, rows, up_to_end) for use in _USES_SHOWN])
    users = {}
    for places, page in walk.parts(rows):
        at = rows[places]
        names = page.users[[columns.ACCOUNT, columns.USER, columns.ARN, columns.EXEMPTION]]
        shown = names.assign(seconds=walk.created[at], lost=lost[places], code=walk.user[at])
        for cells in shown.itertuples(index=False):
            account, user, arn, exemption, created, used, code = cells
            identity = account, user, arn, _moment(created)
            users[code] = FollowedUser(identity, code in by_name, exemption, _moment(used))
    return users


def _moment(seconds: int) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


_USES_SHOWN: Final = ([columns.PASSWORD_LAST_USED], list(KEY_USE_COLUMNS))


def _lost_use(
    walk: Walk, names: Sequence[str], rows: np.ndarray, up_to_end: np.ndarray
) -> np.ndarray:
    """Return the last use in any row of each user, in seconds; 0 if its last row shows it."""
    shown = np.maximum.reduce([walk.values(partial(seconds_of, name)) for name in names]).clip(0)
    newest = np.zeros(walk.user.max(initial=0) + 1, np.int64)
    np.maximum.at(newest, walk.user[up_to_end], shown[up_to_end])
    latest = newest[walk.user[rows]]
    return np.where(latest > shown[rows], latest, 0)
