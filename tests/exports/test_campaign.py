"""Three quarterly reviews of two accounts lose no decision, and what they call done is done."""

import csv
import io
import random
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.builders import (
    a_key,
    a_user,
    an_inactive_key,
    days_before,
    report_text,
    saved,
    the_root,
)
from tests.support.review import edited_book
from tests.support.runs import exporting

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time

QUARTERS = ("2025-11-01", "2026-02-01", "2026-05-01")
ACCOUNTS = ("012345678901", "111122223333")
UNUSED, ACTIVE, DEACTIVATED = "unused", "active", "deactivated"
Users = dict[tuple[str, str], str]


class Company:
    """Hold what the users of two accounts have, and change it as reviewers decide."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        self.folder, self.rng = folder, rng
        names = [f"user-{number:02}" for number in range(12)]
        self.users: Users = {
            (account, name): UNUSED if at % 2 else ACTIVE
            for account in ACCOUNTS
            for at, name in enumerate(names)
        }

    def reports(self, quarter: str) -> list[Path]:
        """Save what the console gives of each account on the first day of a quarter."""
        return [*self._reports(quarter)]

    def _reports(self, quarter: str) -> Iterator[Path]:
        recently = datetime.fromisoformat(f"{quarter}T09:30:00+00:00") - timedelta(days=2)
        keys: Mapping[str, dict[str, object]] = {
            UNUSED: {},
            ACTIVE: {"key_1": a_key(days_before(500), recently)},
            DEACTIVATED: {"key_1": an_inactive_key(days_before(500))},
        }
        for account in ACCOUNTS:
            folder = self.folder / quarter / account
            folder.mkdir(parents=True, exist_ok=True)
            rows = [
                a_user(name, account=of, created=days_before(900 - int(name[-2:])), **keys[state])  # type: ignore[arg-type]
                for (of, name), state in self.users.items()
                if of == account
            ]
            text = report_text(rows, root=the_root(account))
            yield saved(folder, text, f"status_reports_{quarter}T09-30-00+00-00.csv")

    def carry_out(self, decisions: Users) -> None:
        """Do most of what was decided; a few users come back into use."""
        for user, word in decisions.items():
            if word == "delete" and self.rng.random() < 0.8:
                self.users.pop(user, None)
            elif word == "deactivate" and self.rng.random() < 0.5:
                self.users[user] = DEACTIVATED
        for user in self.rng.sample([*self.users], 2):
            self.users[user] = ACTIVE

    def decide(self, workbook: Path, quarter: str) -> Users:
        """Enter decisions on some of the users listed, as two reviewers do."""
        book = edited_book(workbook.read_bytes())
        decisions: Users = {}
        day = date.fromisoformat(quarter) + timedelta(days=3)
        for sheet in book.worksheets:
            column = {cell.value: at for at, cell in enumerate(sheet[1], start=1)}
            if "Decision" not in column:
                continue
            for row in range(2, sheet.max_row + 1):
                account, user = (
                    sheet.cell(row, column[head]).value for head in ("Account", "User")
                )
                if user is None or self.rng.random() > 0.5:
                    continue
                word = self.rng.choice(["delete", "deactivate", "keep", "investigate"])
                person = self.rng.choice(["Anna", "Bea"])
                cells = (word, person, day, "SEC-1", "needed" if word == "keep" else None)
                heads = ("Decision", "Decided by", "Decided on", "Ticket", "Comment")
                for head, value in zip(heads, cells, strict=True):
                    sheet.cell(row, column[head]).value = value
                decisions[str(account), str(user)] = word
        book.save(workbook)
        return decisions

    def has_access(self, user: tuple[str, str]) -> bool:
        return self.users.get(user) == ACTIVE


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path, random.Random(1))


def rows_of(content: str) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO(content.removeprefix("\ufeff")))]


def latest(ledger: Path) -> Users:
    rows = rows_of(ledger.read_text("utf-8"))
    return {(row["account"], row["user"]): row["decision"] for row in rows}


def check_done(company: Company, rows: list[dict[str, str]]) -> int:
    """Hold what is called done to what the users have; return how many that are."""
    done = [row for row in rows if row["status"] == "done"]
    for row in done:
        user = row["account"], row["user"]
        assert not company.has_access(user)
        assert (user in company.users) == (row["decision"] == "deactivate")
    return len(done)


@pytest.mark.usefixtures("review_workbook", "uncompared")
def test_by_export_every_decision_is_kept_and_every_done_is_true(company: Company) -> None:
    runs, entered, done = company.folder / "runs", 0, 0
    decided: Users = {}
    for quarter in QUARTERS:
        named = [word for path in company.reports(quarter) for word in ("--from", path)]
        assert exporting(runs, *named) == 0
        run = runs / f"{quarter}T09-30-00Z"
        if decided:
            ledger = runs / "decisions.csv"
            assert len(rows_of(ledger.read_text("utf-8"))) == entered
            assert latest(ledger) == decided
            done += check_done(company, rows_of((run / "follow_up.csv").read_text("utf-8")))
        new = company.decide(run / "review.xlsx", quarter)
        entered += len(new)
        decided |= new
        company.carry_out(new)
    assert done
