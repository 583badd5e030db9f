"""Whatever reports show, a history and the follow-ups of its reports agree on what is done."""

import random
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

import analyzer
from analyzer.analysis.analysis import analyze
from analyzer.changes.history import history, with_decisions
from analyzer.changes.period import Span
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

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

START = datetime(2025, 1, 1, 9, 30, tzinfo=UTC)
LIST = '{{"ServiceSpecificCredentials": [{}]}}'
CREDENTIAL = '{{"UserName": "{}", "Status": "{}", "ServiceName": "bedrock.amazonaws.com"}}'


def states_of(account: str) -> list[list[Row]]:
    """Return what may become of ann; the last three are what a decision asked for."""

    def user(name: str = "ann", **has: Any) -> Row:
        return a_user(name, **{"created": START, "account": account, MORE_CREDENTIALS: "", **has})

    ann, off = user(key_1=a_key(START)), user(key_1=an_inactive_key(START))
    unread: tuple[Row, ...] = (
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


def test_a_history_and_the_follow_ups_of_its_reports_agree_on_what_is_done(tmp_path: Path) -> None:
    """Each account has one decision; what its reports show in the four weeks after is random."""
    chance, weeks = random.Random(1), [START + timedelta(days=7 * week) for week in range(5)]
    files: list[list[Path]] = [[] for _ in weeks]
    decided: list[tuple[str, Row]] = []
    for account in (f"{number:012}" for number in range(60)):
        *_, whole, first, second, last = states_of(account)
        ends, root = (first, second, last), the_root(account, **{MORE_CREDENTIALS: ""})
        every = [whole, *chance.choices(states_of(account), k=3), chance.choice(ends)]
        for week, at, users in zip(files, weeks, every, strict=True):
            born = at - timedelta(seconds=1)  # no report is a copy
            bo = a_user("bo", account=account, created=born) | {MORE_CREDENTIALS: ""}
            root_row = bo if at not in (weeks[0], weeks[-1]) and chance.random() < 0.1 else root
            shown = [bo, *users]
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
    analysis = analyze(analyzer.load(*chain(*files), with_older=True), ledger=ledger)
    for number, until in enumerate(weeks[1:], start=2):
        followed = analyze(analyzer.load(*chain(*files[:number])), ledger=ledger).follow_up
        of_done = followed[followed["status"] == "done"]
        events = with_decisions(history(analysis, Span(until=until))).events
        found = events[events["event"] == "done"].set_index("account")["before"].to_dict()
        assert found == of_done.set_index("account")["done_since"].to_dict()
    assert len({*found.values()}) > 1
