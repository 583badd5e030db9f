"""Invent reviews: accounts, their reports over some months, and what reviewers enter.

Everything comes from one seed, so that a campaign can be played again alone.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from tests.support.builders import (
    COLUMNS,
    FORMS,
    NEVER,
    Row,
    Value,
    a_certificate,
    a_key,
    a_password,
    a_user,
    in_slot,
    no_certificate,
    no_key,
    no_password,
    report_text,
    the_root,
)

START = datetime(2026, 6, 1, tzinfo=UTC)
STAGES = ("before", "review", "second", "third")
"""An older report, the one of the review, and two later ones."""

BATCH = 30
"""So many campaigns share the files of their reports: it is the files that take the time."""

OPTION_DAYS = dict(zip(STAGES, (-10, 3, 50, 100), strict=True))
"""The days after the start that --as-of gives: after everything in the reports of a stage."""

SOURCES = ("file-name", "folder", "assumed", "option")
"""What dates the files of a stage."""

MAY_BE_MISSING = (
    "password_next_rotation",
    *(column for column in COLUMNS if "_last_used_" in column),
)
"""Columns that a report may lack."""

SPOILT = ("??", "", "not_supported", "April 2024", "wahr", "-")
SPOILT_COLUMNS = tuple(
    column
    for column in COLUMNS
    if column not in ("user", "arn", "password_next_rotation")
    and not column.endswith(("region", "service"))
)
REVIEWERS = ("Ann", "Bob", "Carl")
WORDS = ("delete", "delete", "delete", "deactivate", "deactivate", "keep", "investigate")

Moment = Callable[[], datetime]


def moments(rng: random.Random, start: datetime, end: datetime) -> Moment:
    seconds = max(1, int((end - start).total_seconds()))
    return lambda: start + timedelta(seconds=rng.randrange(seconds))


def invented_key(rng: random.Random, at: Moment) -> Row:
    created = at()
    used = max(created, at()) if rng.random() < 0.5 else "N/A"
    has_date = rng.random() >= 0.05
    return a_key(created if has_date else "N/A", used, active=rng.random() < 0.6)


def invented_user(rng: random.Random, name: str, account: str, before: datetime) -> Row:
    at = moments(rng, before - timedelta(days=900), before)
    signed_in = at() if rng.random() < 0.4 else NEVER
    password = a_password(signed_in, at()) if rng.random() < 0.5 else no_password()
    keys = [invented_key(rng, at) if rng.random() < 0.5 else no_key() for _ in (1, 2)]
    if rng.random() < 0.1 and keys[0]["last_rotated"] != "N/A":
        keys[1] = a_key(keys[0]["last_rotated"], active=rng.random() < 0.5)
    certificates = [
        a_certificate(at(), active=rng.random() < 0.5) if rng.random() < 0.2 else no_certificate()
        for _ in (1, 2)
    ]
    path, age = rng.choice(["", "", "ops/"]), rng.randrange(900 * 86_400, 2_000 * 86_400)
    created, mfa = before - timedelta(seconds=age), rng.random() < 0.2
    row = a_user(name, account=account, path=path, created=created, password=password, mfa=mfa)
    for slot, key, certificate in zip((1, 2), keys, certificates, strict=True):
        row |= in_slot("access_key", slot, key) | in_slot("cert", slot, certificate)
    return row


def slot_cells(row: Row, thing: str, slot: int) -> Row:
    prefix = f"{thing}_{slot}_"
    return {column.removeprefix(prefix): row[column] for column in row if column.startswith(prefix)}


def signs_in(_: random.Random, row: Row, at: Moment) -> Row:
    return row | {"password_last_used": at()}


def gets_password(_: random.Random, row: Row, at: Moment) -> Row:
    used = row["password_last_used"] if row["password_enabled"] == "true" else NEVER
    return row | a_password(used, at())


def loses_password(rng: random.Random, row: Row, _: Moment) -> Row:
    return row | no_password(row["password_last_used"] if rng.random() < 0.2 else "N/A")


def gets_key(rng: random.Random, row: Row, at: Moment) -> Row:
    slot = rng.choice([1, 2])
    return row | in_slot("access_key", slot, a_key(at(), active=rng.random() < 0.8))


def rotates_key(_: random.Random, row: Row, at: Moment) -> Row:
    return row | in_slot("access_key", 1, a_key(at()))


def key_changes(rng: random.Random, row: Row, at: Moment) -> Row:
    """Activate, deactivate, use or delete one key, if there is one."""
    slot = rng.choice([1, 2])
    cells = slot_cells(row, "access_key", slot)
    if cells["active"] == "false" and cells["last_rotated"] == "N/A":
        return row
    used: Row = {"last_used_date": at(), "last_used_region": "eu-west-1", "last_used_service": "s3"}
    changes: list[Row] = [{"active": "true"}, {"active": "false"}, used, no_key()]
    change = rng.choice(changes)
    return row | in_slot("access_key", slot, cells | change)


def swapped(row: Row, thing: str) -> Row:
    first, second = (slot_cells(row, thing, slot) for slot in (1, 2))
    return row | in_slot(thing, 1, second) | in_slot(thing, 2, first)


def keys_swap(_: random.Random, row: Row, __: Moment) -> Row:
    return swapped(row, "access_key")


def certificate_changes(rng: random.Random, row: Row, at: Moment) -> Row:
    """Add, activate, deactivate, delete or move a certificate."""
    first = slot_cells(row, "cert", 1)
    if rng.random() < 0.2:
        return swapped(row, "cert")
    if first["last_rotated"] == "N/A" or rng.random() < 0.3:
        return row | in_slot("cert", 1, a_certificate(at(), active=rng.random() < 0.7))
    changes: list[Row] = [{"active": "true"}, {"active": "false"}, no_certificate()]
    change = rng.choice(changes)
    return row | in_slot("cert", 1, first | change)


def mfa_changes(rng: random.Random, row: Row, _: Moment) -> Row:
    return row | {"mfa_active": rng.choice(["true", "false"])}


def is_deactivated(_: random.Random, row: Row, __: Moment) -> Row:
    """Take every way in away, as a deactivation does."""
    off = {f"access_key_{slot}_active": "false" for slot in (1, 2)}
    certificates = in_slot("cert", 1, no_certificate()) | in_slot("cert", 2, no_certificate())
    return row | no_password() | off | certificates


EVENTS = (
    *(signs_in, gets_password, loses_password, gets_key, rotates_key, key_changes, key_changes),
    *(keys_swap, certificate_changes, mfa_changes, is_deactivated, is_deactivated),
)


def renamed(row: Row, rng: random.Random) -> Row:
    name = f"{row['user']}-{rng.choice(['new', 'old', 'x'])}"
    arn = str(row["arn"]).rpartition("/")[0]
    return row | {"user": name, "arn": f"{arn}/{name}"}


def created_again(row: Row, at: Moment) -> Row:
    fresh = a_user(created=at())
    return fresh | {"user": row["user"], "arn": row["arn"]}


def what_became(rng: random.Random, row: Row, at: Moment) -> list[Row]:
    """Return the user in the next report: as before, changed, renamed, created again, or gone."""
    fate = rng.random()
    if fate < 0.35:
        return [row]
    if fate < 0.45:
        return []
    if fate < 0.50:
        return [renamed(row, rng)]
    if fate < 0.54:
        return [created_again(row, at)]
    if fate < 0.56:
        return [renamed(row, rng), created_again(row, at)]
    for event in rng.sample(EVENTS, rng.choice([1, 1, 2])):
        row = event(rng, row, at)
    return [row]


class Channel(NamedTuple):
    """Hold how some accounts' reports of a stage are kept: in one file, with one as-of.

    `newest` stands in the file; an older report may have what happened since. `source` says how
    its name, or else `option`, gives `as_of`.
    """

    stage: str
    name: str
    as_of: datetime
    source: str
    newest: datetime
    option: datetime | None
    columns: tuple[str, ...]
    form: str


def channels(batch: int) -> dict[str, list[Channel]]:
    """Invent how the reports of a batch of campaigns are kept."""
    rng = random.Random(f"batch {batch}")
    days = dict(zip(STAGES, (-15, 0, 30, 80), strict=True))
    return {
        stage: [channel(rng, stage, days[stage], source) for source in SOURCES] for stage in STAGES
    }


def channel(rng: random.Random, stage: str, days: int, source: str) -> Channel:
    at = START + timedelta(days=days, seconds=rng.randrange(2 * 86_400))
    if stage in ("second", "third"):
        at -= timedelta(days=rng.choice([0, 0, 0, 5, 28, 33]))
    number, newest = rng.randrange(10**6), at - timedelta(hours=rng.choice([0.1, 1, 30, 500]))
    name, as_of = {
        "file-name": (f"{number}/{at:status_reports_%Y-%m-%dT%H-%M-%S+00-00}.csv", at),
        "folder": (f"{at:%Y-%m-%d}/{number}.csv", at.replace(hour=23, minute=59, second=59)),
        "assumed": (f"{number}.csv", newest),
        "option": (f"{number}.csv", START + timedelta(days=OPTION_DAYS[stage])),
    }[source]
    missing = [each for each in MAY_BE_MISSING if rng.random() < 0.04]
    option = as_of if source == "option" else None
    shown = tuple(column for column in COLUMNS if column not in missing)
    return Channel(stage, name, as_of, source, newest, option, shown, rng.choice(FORMS))


class AccountReport(NamedTuple):
    """Hold the rows of an account in the file of a channel."""

    account: str
    channel: Channel
    rows: list[Row]


NOBODYS_ACCOUNT = "9999"
"""So begins the account of each file whose root has the newest timestamp of the file."""


def file_text(reports: Iterable[AccountReport], channel: Channel) -> str:
    """Return the file of a channel: the reports of its accounts, one behind the other."""
    account = f"{NOBODYS_ACCOUNT}{channel.newest.timestamp() % 10**8:08.0f}"
    dated = the_root(account, password_last_used=channel.newest)
    root, *rows = (row for each in reports for row in (the_root(each.account), *each.rows))
    return report_text([*rows, dated], root=root, columns=channel.columns, form=channel.form)


def spoilt(rng: random.Random, row: Row) -> Row:
    """Replace some cells by what AWS does not write."""
    columns = rng.sample(SPOILT_COLUMNS, rng.choice([1, 1, 1, 2, 3]))
    return row | {column: rng.choice(SPOILT) for column in columns}


def at_odds(rng: random.Random, row: Row) -> Row:
    """Let the use of a key contradict the rest of its cells."""
    prefix = f"access_key_{rng.choice([1, 2])}_last_used_"
    odd: dict[str, Value] = rng.choice(
        [{f"{prefix}service": "N/A"}, {f"{prefix}date": START - timedelta(days=400)}]
    )
    return row | odd


def as_reported(rng: random.Random, row: Row) -> list[Row]:
    """Return the rows of a user in a report, some of them damaged."""
    fate = rng.random()
    if fate < 0.12:
        return [spoilt(rng, row)]
    if fate < 0.15:
        return [at_odds(rng, row)]
    if fate < 0.16:
        return [row, row]
    return [row]


@dataclass
class Account:
    """Hold an account and its users as they are."""

    number: str
    users: list[Row]
    rng: random.Random
    written: datetime = START - timedelta(days=20)

    def goes_on(self, until: datetime) -> None:
        """Let time pass, as far as the next report."""
        at = moments(self.rng, min(self.written, until - timedelta(hours=1)), until)
        if self.rng.random() < 0.1:
            at = moments(self.rng, START - timedelta(days=800), until)
        following = [what_became(self.rng, row, at) for row in self.users]
        self.users = [row for rows in following for row in rows]
        self.written = until

    def report(self, channel: Channel) -> AccountReport:
        rows = [row for user in self.users for row in as_reported(self.rng, user)]
        return AccountReport(self.number, channel, rows)


Entered = tuple[str, str, str, str, str]
NOTHING: Entered = ("", "", "", "", "")


@dataclass
class ListFile:
    """Hold the list of one reviewer on one stage, and what is entered there by now."""

    name: str
    stage: str
    reviewer: str
    entered: dict[int, Entered] = field(default_factory=dict)
    given_up: dict[int, Entered] = field(default_factory=dict)
    """What stood in a row before it was changed."""

    def entries(self, rows: int) -> list[Entered]:
        return [self.entered.get(at, NOTHING) for at in range(rows)]


class ListRow(NamedTuple):
    """Hold what is known of a row of a list before anything is entered."""

    as_of: date


def decided_on(rng: random.Random, as_of: date, today: date) -> date:
    """A day from the report to the call, now and then at the edge of what is allowed."""
    if rng.random() < 0.04:
        return rng.choice([as_of - timedelta(days=1), today + timedelta(days=1)])
    return as_of + timedelta(days=rng.randrange(max(1, min(4, (today - as_of).days + 1))))


def decision(
    rng: random.Random, reviewer: str, row: ListRow, today: date, word: str = ""
) -> Entered:
    word = word or rng.choice(WORDS)
    comment = rng.choice(["needed", "asked"]) if word == "keep" or rng.random() < 0.2 else ""
    ticket = rng.choice(["", "", "T-1"])
    day = decided_on(rng, row.as_of, today).isoformat()
    by = rng.choice([reviewer, reviewer, reviewer.upper(), f"{reviewer} "])
    written = rng.choice([word, word, word.upper(), f" {word}", word.title()])
    return written, by, day, ticket, comment


def fill_in(
    rng: random.Random, file: ListFile, rows: list[ListRow], today: date, size: float
) -> None:
    """Enter something in some open rows, and change, withdraw or empty some entries."""
    for at, row in enumerate(rows):
        if at not in file.entered:
            if rng.random() < size:
                file.entered[at] = decision(rng, file.reviewer, row, today)
        elif rng.random() < 0.3:
            change_entry(rng, file, at, row, today)


def change_entry(rng: random.Random, file: ListFile, at: int, row: ListRow, today: date) -> None:
    before, file.given_up[at] = file.given_up.get(at), file.entered[at]
    word, by, day, ticket, comment = file.entered[at]
    fate = rng.random()
    if before and fate < 0.3:
        file.entered[at] = before
    elif fate < 0.3:
        del file.entered[at]
    elif fate < 0.5:
        file.entered[at] = decision(rng, file.reviewer, row, today, "withdraw")
    elif fate < 0.6:
        file.entered[at] = (word, by, day, "T-9", comment or "again")
    elif fate < 0.7:
        file.entered[at] = (rng.choice(["keep", "delete"]), by, day, ticket, comment or "really")
    else:
        file.entered[at] = decision(rng, file.reviewer, row, today)


@dataclass
class Campaign:
    """Hold the reports of a review, and what is random about the rest."""

    seed: int
    rng: random.Random
    reports: dict[str, list[AccountReport]]
    is_attended: bool


def campaign(seed: int) -> Campaign:
    rng = random.Random(seed)
    accounts = [*invented_accounts(rng, seed)]
    reports: dict[str, list[AccountReport]] = {stage: [] for stage in STAGES}
    for stage, of_stage in channels(seed // BATCH).items():
        for account in accounts:
            if rng.random() < {"before": 0.5, "review": 0.0}.get(stage, 0.08):
                continue
            channel = rng.choice(of_stage)
            account.goes_on(channel.newest)
            reports[stage].append(account.report(channel))
    return Campaign(seed, rng, reports, rng.random() < 0.6)


def invented_accounts(rng: random.Random, seed: int) -> Iterator[Account]:
    """Yield two or three accounts with 5 to 30 users in all; the account of some is masked."""
    number = rng.choice([2, 3])
    sizes = [rng.randrange(2, 11) for _ in range(number)]
    before = START - timedelta(days=20)
    for at, size in enumerate([max(sizes[0], 5 - sum(sizes[1:])), *sizes[1:]]):
        digits = f"{seed % 1_000_000:06d}{at:06d}"
        account = f"{seed % 1_000_000:06d}{at}XXXXX" if rng.random() < 0.06 else digits
        users = [invented_user(rng, f"u{each}", account, before) for each in range(size)]
        if size > 3 and rng.random() < 0.5:
            users[1]["user_creation_time"] = users[0]["user_creation_time"]
        yield Account(account, users, rng)
