"""Invent histories: the reports of accounts over some months, from one seed."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from analyzer.analysis.analysis import AnalysisRequest
from analyzer.changes.history import History, history
from analyzer.changes.period import Span
from analyzer.report.report import Report
from tests.support.builders import Row, report_text, the_root
from tests.support.campaigns import invented_user, moments, what_became
from tests.support.history_oracle import Given, newest_of
from tests.support.named_reports import load_named

START = datetime(2025, 1, 1, 9, 30, tzinfo=UTC)
Named = tuple[str, bytes]


def history_of(reports: list[Named], span: Span | None = None) -> History:
    """Return what the program says of these reports."""
    return history(AnalysisRequest(), _loaded(tuple(reports)), span or Span())


@lru_cache(maxsize=2)
def _loaded(reports: tuple[Named, ...]) -> Report:
    """Read reports once for the periods that one test asks for after another."""
    return load_named(*reports, with_older=True)


def _newcomer(name: str, account: str, at: datetime, chance: random.Random) -> Row:
    age = timedelta(days=chance.choice((0, 1, 3, 200, 900)), seconds=chance.randrange(90))
    return invented_user(chance, name, account, at) | {"user_creation_time": at - age}


def an_account(account: str, chance: random.Random) -> Iterator[tuple[Named, Given]]:
    """Yield the reports of an account, as files and as the law reads them."""
    at, number = START, 0
    users = [_newcomer(name, account, START, chance) for name in "abc"]
    end = START + timedelta(days=chance.choice((20, *[130] * 8)))
    while at < end:
        number += 1
        shown = [row.copy() for row in users if chance.random() > 0.02]
        for row in shown:
            if chance.random() < 0.03:
                row["user_creation_time"] = "??"
            if chance.random() < 0.06:
                row["password_enabled"] = "maybe"
        root = the_root(account, password_last_used=at - timedelta(days=2))
        text = report_text(shown, root=root)
        form = chance.choice(("console", "console", "console", "folder"))
        yield _file(account, number, at, text, form)
        if form == "console" and chance.random() < 0.15:
            again = report_text(shown, root=root, form="+00:00")
            yield _file(account, number + 100, at, again, form)
        days, minutes = chance.choice((1, 7, 30, 31, 32, 45)), chance.randrange(3)
        happened = moments(chance, at, at + timedelta(days=days, minutes=minutes))
        following = [row for user in users for row in what_became(chance, user, happened)]
        if chance.random() < 0.3:
            following.append(_newcomer(f"new{number}", account, happened(), chance))
        users = list({row["arn"]: row for row in following}.values())
        at += timedelta(days=days, minutes=minutes)


def _file(account: str, number: int, at: datetime, text: str, form: str) -> tuple[Named, Given]:
    where = Path(account, str(number))
    if form == "console" or newest_of(text) > at.replace(hour=23, minute=59, second=59):
        name, as_of, order = where / f"status_reports_{at:%Y-%m-%dT%H-%M-%S}+00-00.csv", at, at
    else:
        day = at.replace(hour=0, minute=0, second=0)
        name, as_of = where / f"{at:%Y-%m-%d}" / "report.csv", day + timedelta(seconds=86_399)
        order = day
    return (str(name), text.encode()), Given(account, text, as_of, order)
