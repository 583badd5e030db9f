"""Invent histories: the reports of accounts over some months, from one seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import analyzer
from analyzer.analysis.analysis import Analysis, analyze
from analyzer.changes.history import History, history
from analyzer.changes.timeline import Span
from tests.support.builders import (
    NEVER,
    Row,
    a_key,
    a_password,
    a_user,
    in_slot,
    no_password,
    report_text,
    the_root,
)
from tests.support.history_oracle import Given, newest_of

START = datetime(2025, 1, 1, 9, 30, tzinfo=UTC)
Named = tuple[str, bytes]


def history_of(reports: list[Named], span: Span | None = None) -> History:
    """Return what the program says of these reports."""
    return history(_analysis(tuple(reports)), span or Span())


@lru_cache(maxsize=2)
def _analysis(reports: tuple[Named, ...]) -> Analysis:
    """Judge reports once for the periods that one test asks for after another."""
    return analyze(analyzer.load(*reports, with_older=True))


@dataclass
class _Person:
    name: str
    created: datetime
    password: bool = False
    signed_in: datetime | None = None
    changed: datetime = START
    key: datetime | None = None
    key_active: bool = True
    key_used: datetime | None = None
    mfa: bool = False

    def row(self, account: str, chance: random.Random) -> Row:
        row = a_user(self.name, created=self.created, mfa=self.mfa, account=account)
        row |= no_password(self.signed_in or "N/A")
        if self.password:
            row |= a_password(self.signed_in or NEVER, self.changed)
        slot = 1 if chance.random() < 0.9 else 2
        if self.key:
            key = a_key(self.key, self.key_used or "N/A", active=self.key_active)
            row |= in_slot("access_key", slot, key)
        return row


def _person(name: str, at: datetime, chance: random.Random) -> _Person:
    created = at - timedelta(days=chance.choice((0, 1, 3, 200, 900)), seconds=chance.randrange(90))
    each = _Person(name, created, changed=created)
    if chance.random() < 0.4:
        each.password = True
    if chance.random() < 0.4:
        each.key, each.key_active = created, chance.random() < 0.6
    if chance.random() < 0.3:
        each.signed_in = created + timedelta(hours=1)
    return each


def _lives_on(  # noqa: C901  what may happen to a user is a case
    people: list[_Person], before: datetime, at: datetime, chance: random.Random
) -> None:
    """Have people come, go, be renamed and use their credentials between two reports."""
    between = before + (at - before) * chance.random()
    between = between.replace(microsecond=0)
    for each in [*people]:
        match chance.randrange(16):
            case 0:
                people.remove(each)
            case 1:
                each.name += "x"
            case 2:
                people.remove(each)
                people.append(_Person(each.name, between, changed=between))
            case 3:
                each.password, each.changed = not each.password, between
            case 4:
                each.signed_in = between
            case 5:
                each.key, each.key_used, each.key_active = between, None, True
            case 6:
                each.key_active = not each.key_active
            case 7 if each.key and each.key_active:
                each.key_used = between
            case 8:
                each.mfa = not each.mfa
            case _:
                pass
    if chance.random() < 0.3:
        people.append(_person(f"new{chance.randrange(99)}", between, chance))


def an_account(account: str, chance: random.Random) -> Iterator[tuple[Named, Given]]:
    """Yield the reports of an account, as files and as the law reads them."""
    at, number, people = START, 0, [_person(name, START, chance) for name in "abc"]
    end = START + timedelta(days=chance.choice((20, *[130] * 8)))
    while at < end:
        number += 1
        rows = {each.name: each.row(account, chance) for each in people}
        for row in rows.values():
            if chance.random() < 0.03:
                row["user_creation_time"] = "??"
            if chance.random() < 0.06:
                row["password_enabled"] = "maybe"
        shown = [row for row in rows.values() if chance.random() > 0.02]
        text = report_text(shown, root=the_root(account, password_last_used=at - timedelta(days=2)))
        form = chance.choice(("console", "console", "console", "folder", "assumed"))
        yield _file(account, number, at, text, form)
        if form == "console" and chance.random() < 0.15:
            again = report_text(shown, root=the_root(account), form="+00:00")
            yield _file(account, number + 100, at, again, form)
        days, minutes = chance.choice((1, 7, 30, 31, 32, 45)), chance.randrange(3)
        later = at + timedelta(days=days, minutes=minutes)
        _lives_on(people, at, later, chance)
        at = later


def _file(account: str, number: int, at: datetime, text: str, form: str) -> tuple[Named, Given]:
    where = Path(account, str(number))
    newest = newest_of(text)
    if form == "console":
        name, as_of, order = where / f"status_reports_{at:%Y-%m-%dT%H-%M-%S}+00-00.csv", at, at
    elif form == "folder" and newest <= at.replace(hour=23, minute=59, second=59):
        day = at.replace(hour=0, minute=0, second=0)
        name, as_of = where / f"{at:%Y-%m-%d}" / "report.csv", day + timedelta(seconds=86_399)
        order = max(day, newest)
    else:
        return (str(where / "report.csv"), text.encode()), Given(account, text, newest, None)
    return (str(name), text.encode()), Given(account, text, as_of, order)
