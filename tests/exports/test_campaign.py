"""Three quarterly reviews of two accounts lose no decision, and what they call done is done."""

from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.support.builders import (
    a_key,
    a_user,
    an_inactive_key,
    days_before,
    report_text,
    saved,
    table,
    the_root,
)
from tests.support.review import fill_in
from tests.support.runs import exporting

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time

QUARTERS = ("2025-11-01", "2026-02-01", "2026-05-01")
ACCOUNTS = ("012345678901", "111122223333")
UNUSED, ACTIVE, DEACTIVATED = "unused", "active", "deactivated"
WORDS = ("delete", "deactivate", "keep", "investigate")
Users = dict[tuple[str, str], str]
"""States or decisions, by account and user: both accounts have users of the same names."""


def reports(folder: Path, quarter: str, users: Users) -> list[Path]:
    """Save what the console gives of each account on the first day of a quarter."""
    recently = datetime.fromisoformat(f"{quarter}T09:30:00+00:00") - timedelta(days=2)
    keys: dict[str, Any] = {
        UNUSED: None,
        ACTIVE: a_key(days_before(500), recently),
        DEACTIVATED: an_inactive_key(days_before(500)),
    }
    paths = []
    for account in ACCOUNTS:
        (folder / quarter / account).mkdir(parents=True)
        rows = [
            a_user(name, account=account, created=days_before(900 - int(name[-2:])), key_1=key)
            for (of, name), key in ((user, keys[state]) for user, state in users.items())
            if of == account
        ]
        text, name = report_text(rows, root=the_root(account)), f"{quarter}T09-30-00+00-00.csv"
        paths.append(saved(folder / quarter / account, text, f"status_reports_{name}"))
    return paths


def carry_out(decisions: Users, users: Users, dice: Random) -> None:
    """Do most of what was decided; a few users come back into use."""
    for user, word in decisions.items():
        if word == "delete" and dice.random() < 0.8:
            users.pop(user, None)
        elif word == "deactivate" and dice.random() < 0.5:
            users[user] = DEACTIVATED
    users.update(dict.fromkeys(dice.sample([*users], 2), ACTIVE))


@pytest.mark.usefixtures("review_workbook", "uncompared")
def test_every_decision_is_kept_and_every_done_is_true(tmp_path: Path) -> None:
    dice, runs, entered, done = Random(1), tmp_path / "runs", 0, 0
    names = [f"user-{at:02}" for at in range(12)]
    users = {
        (account, name): UNUSED if at % 2 else ACTIVE
        for account in ACCOUNTS
        for at, name in enumerate(names)
    }
    decided: Users = {}
    for quarter in QUARTERS:
        given = [word for path in reports(tmp_path, quarter, users) for word in ("--from", path)]
        assert exporting(runs, *given) == 0
        run = runs / f"{quarter}T09-30-00Z"
        if decided:
            lines = table((runs / "decisions.csv").read_bytes())
            assert len(lines) == entered
            by_user = {(line["account"], line["user"]): line["decision"] for line in lines}
            assert by_user == decided
            followed = table((run / "follow_up.csv").read_bytes())
            for row in (row for row in followed if row["status"] == "done"):
                user = row["account"], row["user"]
                assert users.get(user) != ACTIVE
                assert (user in users) == (row["decision"] == "deactivate")
                done += 1
        rows = table((run / "users.csv").read_bytes())
        rows = [row for row in rows if row["verdict"] != "active" and not row["exemption"]]
        listed = [(row["account"], row["user"]) for row in rows]
        words = {name: dice.choice(WORDS) for name in names if dice.random() < 0.5}
        new = {(account, name): words[name] for account, name in listed if name in words}
        entries = {name: word for (_, name), word in new.items()}
        person, day = dice.choice(["Anna", "Bea"]), date.fromisoformat(quarter) + timedelta(3)
        fill_in(run / "review.xlsx", entries, by=person, on=day)
        entered += len(new)
        decided |= new
        carry_out(new, users, dice)
    assert done
