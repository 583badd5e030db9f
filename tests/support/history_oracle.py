"""Say what a period shows in plain Python: a second opinion that shares no code with analyzer.

It is written to be read beside the definitions, and takes the verdicts from `verdict_oracle`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from tests.support.decision_oracle import newest_timestamp
from tests.support.verdict_oracle import Terms, is_root, judge, moment, rows_of

INFINITE = float("inf")


class Given(NamedTuple):
    """Hold one report of one account: `as_of` is judged by, `at` orders; None orders nothing."""

    account: str
    text: str
    as_of: datetime
    at: datetime | None


@dataclass
class Shown:
    """Hold what the reports of one account show, in the terms of the law."""

    numbers: dict[str, object] = field(default_factory=dict)
    users: list[tuple[object, ...]] = field(default_factory=list)
    presence: list[tuple[object, ...]] = field(default_factory=list)
    least: list[int] = field(default_factory=list)
    most: list[float] = field(default_factory=list)
    is_covered: bool = True


Person = tuple[str, datetime | None]
Day = dict[Person, str]


def newest_of(text: str) -> datetime:
    """Return the newest timestamp in a report but that of the next rotation of a password."""
    return newest_timestamp(rows_of(text))


def period_of(
    reports: Iterable[Given], since: datetime | None, until: datetime, max_gap: int
) -> Shown:
    """Return what the reports of one account show of a period."""
    line = _ordered(reports)
    moments = [at for at, _ in line]
    start = _place(moments, since, max_gap) if since else 0
    end = _place(moments, until, max_gap)
    if start is None or end is None or (moments[end] - until).days > max_gap:
        return Shown(is_covered=False)
    names = _identities([rows for _, rows in line])
    days = [(at, _people(rows, names)) for at, rows in line[start : end + 1]]
    shown = Shown()
    _count_reports(shown, [at for at, _ in days], since, max_gap)
    _walk(shown, days, _used_before([rows for _, rows in line[: end + 1]], names))
    return shown


Use = tuple[datetime | None, datetime | None]
"""The last sign-in, and the last use of any key."""

Row = tuple[str, datetime | None, str, str, Use]
"""ARN, creation time, verdict, cells and last uses of a user in a report."""


def _ordered(reports: Iterable[Given]) -> list[tuple[datetime, list[Row]]]:
    """Return the reports in the order of their moments, the same one once."""
    line: list[tuple[datetime, list[Row]]] = []
    for each in sorted(
        (each for each in reports if each.at),
        key=lambda each: (each.at or each.as_of, newest_of(each.text)),
    ):
        rows = _rows(each)
        if not line or (each.at, rows) != line[-1]:
            assert each.at
            line.append((each.at, rows))
    return line


def _rows(report: Given) -> list[Row]:
    cells = {row["arn"]: row for row in reversed(rows_of(report.text)) if not is_root(row)}
    verdicts = {
        each.arn: each.judgement.verdict for each in judge(report.text, Terms(report.as_of))
    }
    rows = []
    for arn, row in sorted(cells.items()):
        text = "|".join(str(moment(cell) or cell.lower()) for cell in row.values())
        keys = [moment(row[f"access_key_{slot}_last_used_date"]) for slot in (1, 2)]
        use = moment(row["password_last_used"]), max(filter(None, keys), default=None)
        rows.append((arn, moment(row["user_creation_time"]), verdicts[arn], text, use))
    return rows


def _identities(reports: Sequence[list[Row]]) -> dict[str, set[datetime]]:
    """Return all creation times that reports show for each ARN."""
    known: dict[str, set[datetime]] = defaultdict(set)
    for rows in reports:
        for arn, created, *_ in rows:
            if created:
                known[arn].add(created)
    return known


def _people(rows: Iterable[Row], known: dict[str, set[datetime]]) -> Day:
    """Return the verdicts by user; without a creation time a user is known by its name."""
    return {(arn, _own(arn, created, known)): verdict for arn, created, verdict, _, _ in rows}


def _own(arn: str, created: datetime | None, known: dict[str, set[datetime]]) -> datetime | None:
    if created is None and len(known[arn]) == 1:
        (created,) = known[arn]
    return created


def _used_before(
    reports: Sequence[list[Row]], known: dict[str, set[datetime]]
) -> dict[Person, datetime]:
    """Return the last use that an earlier report shows of each user, and its last one does not."""
    uses: dict[Person, list[Use]] = defaultdict(list)
    for rows in reports:
        for arn, created, *_, use in rows:
            uses[arn, _own(arn, created, known)].append(use)
    found: dict[Person, datetime] = {}
    for person, every in uses.items():
        for kind in (0, 1):
            shown = every[-1][kind]
            newest = max(filter(None, (use[kind] for use in every)), default=None)
            if newest and (shown is None or newest > shown):
                found[person] = max(newest, found.get(person, newest))
    return found


def _place(moments: Sequence[datetime], wanted: datetime, max_gap: int) -> int | None:
    """Return the last report at or before a moment within the gap, else the first after."""
    before = [at for at, each in enumerate(moments) if each <= wanted]
    if before and (wanted - moments[before[-1]]).days <= max_gap:
        return before[-1]
    after = [at for at, each in enumerate(moments) if each > wanted]
    return after[0] if after else None


def _count_reports(
    shown: Shown, moments: Sequence[datetime], since: datetime | None, max_gap: int
) -> None:
    stretches = [(later - one).days for one, later in pairwise(moments)]
    late = (moments[0] - since).days if since and moments[0] > since else 0
    longer = [days for days in (late, *stretches) if days > max_gap]
    shown.numbers |= {
        "reports": len(moments),
        "first": moments[0],
        "last": moments[-1],
        "longest_gap": max(stretches + longer, default=0),
        "gap_days": sum(longer),
    }


def _walk(shown: Shown, days: Sequence[tuple[datetime, Day]], used: dict[Person, datetime]) -> None:
    """Follow each user from report to report."""
    counts: Counter[str] = Counter()
    (_, first), (_, last) = days[0], days[-1]
    for edge, people in (("start", first), ("end", last)):
        counts[f"users_{edge}"] = len(people)
        counts[f"unused_{edge}"] = sum(verdict == "unused" for verdict in people.values())
    for (one_at, one), (other_at, other) in pairwise(days):
        gone, new = one.keys() - other.keys(), other.keys() - one.keys()
        seconds_gone = {created for _, created in gone if created}
        seconds_new = {created for _, created in new if created}
        for arn, created in new:
            is_created = created is not None and (created >= one_at or created in seconds_gone)
            word = "created" if is_created else "appeared"
            counts[word] += 1
            shown.presence.append((arn, created, one_at, other_at, word))
        for arn, created in gone:
            counts["removed"] += 1
            counts["renamed"] += created in seconds_new
            shown.presence.append((arn, created, one_at, other_at, "gone"))
    for person in sorted({each for _, day in days for each in day}, key=str):
        _follow(shown, counts, person, days)
        used_before = used.get(person) if last.get(person) == "unused" else None
        counts["used_before"] += used_before is not None
        shown.users[-1] = (*shown.users[-1], used_before)
    names = (
        ("users_start", "created", "appeared", "removed", "users_end", "renamed")
        + ("unused_start", "newly_unused", "unused_removed", "back_in_use", "unused_unclear")
        + ("unused_end", "used_before")
    )
    shown.numbers |= {name: counts[name] for name in names}


def _follow(
    shown: Shown, counts: Counter[str], person: Person, days: Sequence[tuple[datetime, Day]]
) -> None:
    """Follow one user; reports in which it is undetermined say nothing of its use."""
    since: datetime | None = None
    used: datetime | None = None
    was_there, seconds, earlier = False, 0.0, ""
    stay_since: datetime | None = None
    known_at = days[0][0]
    for place, (at, day) in enumerate(days):
        verdict = day.get(person)
        if verdict is None:
            if was_there:
                if earlier == "unused" and stay_since:
                    before = days[place - 1][0]
                    counts["unused_removed"] += 1
                    shown.least.append((before - stay_since).days)
                    shown.most.append((-((used - at).days)) if used else INFINITE)
                since = stay_since if earlier == "unused" else None
            was_there, earlier = False, ""
            continue
        if not was_there:
            stay_since, used = None, _not_there(person, days[place - 1][0]) if place else None
        was_there = True
        if verdict == "undetermined":
            continue
        if verdict == "unused":
            if earlier == "unused":
                seconds += (at - known_at).total_seconds()
            else:
                stay_since = at
                counts["newly_unused"] += place > 0
        else:
            counts["back_in_use"] += earlier == "unused"
            used, stay_since = at, None
        earlier, known_at = verdict, at
    if was_there:
        since = stay_since if earlier == "unused" else None
        counts["unused_unclear"] += earlier == "unused" and days[-1][1][person] == "undetermined"
    present = [at for at, day in days if person in day]
    absent = [at for at, _ in days if at > present[-1]]
    verdicts = (day.get(person, "") for _, day in (days[0], days[-1]))
    unused = since, bool(since and used is None), timedelta(seconds=seconds).days
    gone = (present[-1], absent[0]) if absent else (None, None)
    shown.users.append((*person, present[0], present[-1], *verdicts, *unused, *gone))


def _not_there(person: Person, before: datetime) -> datetime:
    """Return the last moment at which a user that came after a report was not unused."""
    return max(before, person[1] or before)


def median_and_longest(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Return both, None for what is not known."""
    both = (median(values), max(values)) if values else (INFINITE, INFINITE)
    known = [None if each == INFINITE else float(each) for each in both]
    return known[0], known[1]
