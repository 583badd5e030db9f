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
ACCOUNTS = {"012345678901": "one", "111122223333": "other"}
UNUSED, ACTIVE, DEACTIVATED = "unused", "active", "deactivated"
WORDS = ("delete", "deactivate", "keep", "investigate")
Users = dict[str, str]


def reports(folder: Path, quarter: str, users: Users) -> list[Path]:
    """Save what the console gives of each account on the first day of a quarter."""
    recently = datetime.fromisoformat(f"{quarter}T09:30:00+00:00") - timedelta(days=2)
    keys: dict[str, Any] = {
        UNUSED: None,
        ACTIVE: a_key(days_before(500), recently),
        DEACTIVATED: an_inactive_key(days_before(500)),
    }
    paths = []
    for account, team in ACCOUNTS.items():
        (folder / quarter / team).mkdir(parents=True)
        rows = [
            a_user(name, account=account, created=days_before(900 - int(name[-2:])), key_1=key)
            for name, key in ((name, keys[state]) for name, state in users.items())
            if name.startswith(team)
        ]
        text, name = report_text(rows, root=the_root(account)), f"{quarter}T09-30-00+00-00.csv"
        paths.append(saved(folder / quarter / team, text, f"status_reports_{name}"))
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
    names = [f"{team}-{at:02}" for team in ACCOUNTS.values() for at in range(12)]
    users = {name: UNUSED if at % 2 else ACTIVE for at, name in enumerate(names)}
    decided: Users = {}
    for quarter in QUARTERS:
        given = [word for path in reports(tmp_path, quarter, users) for word in ("--from", path)]
        assert exporting(runs, *given) == 0
        run = runs / f"{quarter}T09-30-00Z"
        if decided:
            lines = table((runs / "decisions.csv").read_bytes())
            assert len(lines) == entered
            assert {line["user"]: line["decision"] for line in lines} == decided
            followed = table((run / "follow_up.csv").read_bytes())
            for row in (row for row in followed if row["status"] == "done"):
                assert users.get(row["user"]) != ACTIVE
                assert (row["user"] in users) == (row["decision"] == "deactivate")
                done += 1
        listed = [
            row["user"]
            for row in table((run / "users.csv").read_bytes())
            if row["verdict"] != "active" and dice.random() < 0.5
        ]
        new = {user: dice.choice(WORDS) for user in listed}
        person = dice.choice(["Anna", "Bea"])
        fill_in(run / "review.xlsx", new, by=person, on=date.fromisoformat(quarter) + timedelta(3))
        entered += len(new)
        decided |= new
        carry_out(new, users, dice)
    assert done
