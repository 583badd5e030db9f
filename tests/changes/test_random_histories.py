"""Random histories: every number, user and stay as a second reading of the law has them."""

import os
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import analyzer
from analyzer.analysis.analysis import AnalysisRequest, analyze
from analyzer.changes.history import ALL, History, history
from analyzer.changes.period import Span
from analyzer.changes.stays import APPEARED, CREATED, GONE
from tests.support.builders import (
    COLUMNS,
    MORE_CREDENTIALS,
    Row,
    a_certificate,
    a_key,
    a_user,
    an_inactive_key,
    report_text,
    saved,
    the_root,
)
from tests.support.decisions import console_name, ledger_of, line, user_rows
from tests.support.histories import START, Named, an_account, history_of
from tests.support.history_oracle import Given, Shown, median_and_longest, period_of

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

ACCOUNTS = 40
ROUNDS = int(os.environ.get("HISTORIES", "80")) // ACCOUNTS
"""More of them by hand: HISTORIES=20000."""


USER = (
    ("arn", "created", "first")
    + ("last", "verdict_start", "verdict_end")
    + ("unused_since", "at_least", "days_unused", "after", "before", "used_before")
)


def read(value: Any) -> Any:
    if pd.isna(value):
        return None
    return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value


def rows(frame: pd.DataFrame, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(map(read, row)) for row in frame[list(names)].itertuples(index=False)]


def check(told: History, expected: dict[str, Shown]) -> None:
    covered = {account: each for account, each in expected.items() if each.is_covered}
    without = {each.account for each in told.coverages if each.reason}
    assert without == expected.keys() - covered
    period = {row["account"]: row for row in told.period.to_dict("records")}
    for account, each in (covered | {ALL: together(list(covered.values()))}).items():
        row = {name: read(value) for name, value in period[account].items()}
        assert {name: row[name] for name in each.numbers} == each.numbers, account
        for name, days in (("least", each.least), ("most", each.most)):
            shown = row[f"median_days_at_{name}"], row[f"longest_days_at_{name}"]
            assert shown == median_and_longest(days), account
        assert adds_up(row)
    for account, each in covered.items():
        users = told.users[told.users["account"] == account]
        found = rows(users, *USER)
        assert sorted(found, key=str) == sorted(each.users, key=str), account
        of_account = told.events[told.events["account"] == account]
        presence = of_account[of_account["event"].isin([CREATED, APPEARED, GONE])]
        found = rows(presence, "arn", "created", "after", "before", "event")
        assert sorted(found, key=str) == sorted(each.presence, key=str), account


def together(every: list[Shown]) -> Shown:
    """Return the numbers of all accounts: sums, and the edges of reports and gaps."""
    edges: dict[str, Callable[[list[Any]], Any]]
    edges = {"first": min, "last": max, "longest_gap": max}
    numbers: dict[str, Any] = {
        name: edges.get(name, sum)([each.numbers[name] for each in every])
        for name in (every[0].numbers if every else ())
    }
    least, most = (
        list(chain(*(getattr(each, name) for each in every))) for name in ("least", "most")
    )
    return Shown(numbers, least=least, most=most)


def adds_up(row: Mapping[Any, Any]) -> bool:
    users = row["users_start"] + row["created"] + row["appeared"] - row["removed"]
    unused = row["unused_start"] + row["newly_unused"] - row["unused_removed"]
    unused -= row["back_in_use"] + row["unused_unclear"]
    return bool(users == row["users_end"] and unused == row["unused_end"])


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_random_histories_are_read_as_the_law_says(seed: int) -> None:
    chance = random.Random(seed)
    files: list[Named] = []
    given: dict[str, list[Given]] = defaultdict(list)
    for number in range(ACCOUNTS):
        for file, report in an_account(f"{number:012}", chance):
            files.append(file)
            given[report.account].append(report)
    ordered = {account: each for account, each in given.items() if any(one.at for one in each)}
    since = START + timedelta(days=chance.randrange(90)) if chance.random() < 0.6 else None
    newest = max(one.at or START for each in ordered.values() for one in each)
    until = newest - timedelta(days=chance.choice((0, 20, 20, 60)))
    until = max(until, since or until)
    max_gap = chance.choice((6, 31, 31, 60))
    told = history_of(files, Span(since=since, until=until, max_gap=max_gap))
    expected = {
        account: period_of(each, since, until, max_gap) for account, each in ordered.items()
    }
    check(told, expected)
    for status in ("counts", "same report"):
        assert told.reports["status"].str.contains(status).any()


LIST = '{{"ServiceSpecificCredentials": [{}]}}'
CREDENTIAL = '{{"UserName": "{}", "Status": "{}", "ServiceName": "bedrock.amazonaws.com"}}'


def states_of(account: str) -> list[list[Row]]:
    """Return what may become of ann; the last three are what a decision asked for."""

    def user(name: str = "ann", **has: Any) -> Row:
        return a_user(name, **{"created": START, "account": account, MORE_CREDENTIALS: "", **has})

    ann, off = user(key_1=a_key(START)), user(key_1=an_inactive_key(START))
    unread: Sequence[Row] = (
        {"access_key_1_active": "??"},
        {"cert_1_active": "??"},
        {"password_enabled": "??"},
        {"user_creation_time": "??"},
        {MORE_CREDENTIALS: "1 more access key"},
    )
    return [
        *([off | cells] for cells in unread),
        *([user("anna", key_1=a_key(START), path=path)] for path in ("", "ops/")),
        *([user(name, created=at)] for name, at in (("ann", AGAIN), ("zoe", "??"))),
        [user(certificate_1=a_certificate(START))],
        *([ann], [off], [user()], []),
    ]


AGAIN = START + timedelta(days=1)
DONE = ("done", "done, not as decided")


def test_a_history_and_the_follow_ups_of_its_reports_agree_on_what_is_done(tmp_path: Path) -> None:
    """Each account has one decision; what its reports show in the four weeks after is random."""
    chance, weeks = random.Random(1), [START + timedelta(days=7 * week) for week in range(5)]
    files: list[list[Path]] = [[] for _ in weeks]
    decided: list[tuple[str, Row]] = []
    for account in (f"{number:012}" for number in range(60)):
        *_, whole, first, second, last = states_of(account)
        ends, root = (first, second, last), the_root(account, **{MORE_CREDENTIALS: ""})
        every = [whole] + chance.choices(states_of(account), k=3) + [chance.choice(ends)]
        for week, at, users in zip(files, weeks, every, strict=True):
            born = at - timedelta(seconds=1)  # no report is a copy
            bo = a_user("bo", account=account, created=born) | {MORE_CREDENTIALS: ""}
            root_row = bo if at not in (weeks[0], weeks[-1]) and chance.random() < 0.1 else root
            shown = [bo] + users
            text = report_text(shown, root=root_row, columns=(*COLUMNS, MORE_CREDENTIALS))
            week.append(saved(tmp_path / account, text, console_name(at)))
            if chance.random() < 0.8:
                status = "Active" if at != weeks[-1] and chance.random() < 0.2 else "Inactive"
                listed = CREDENTIAL.format("bo", "Inactive"), CREDENTIAL.format("ann", status)
                beside = f"{week[-1].name}.service-credentials.json"
                saved(tmp_path / account, LIST.format(", ".join(listed)), beside)
        decided.append((chance.choice(("delete", "deactivate")), whole[0]))
    rows_decided_on = user_rows(*(user for _, user in decided), as_of=START)
    ledger = ledger_of(
        *(
            line(word, user_row=row, on=AGAIN.date(), as_of=START)
            for (word, _), row in zip(decided, rows_decided_on, strict=True)
        )
    )
    loaded = analyzer.load(*chain(*files), with_older=True)
    for number, until in enumerate(weeks[1:], start=2):
        followed = analyze(analyzer.load(*chain(*files[:number])), ledger=ledger).follow_up
        of_done = followed[followed["status"].isin(DONE)]
        events = history(AnalysisRequest(ledger=ledger), loaded, Span(until=until)).events
        found = events[events["event"].isin(DONE)].set_index("account")["before"].to_dict()
        assert found == of_done.set_index("account")["done_since"].to_dict()
    assert len(set(found.values())) > 1
