"""Say what happens to users between two reports."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

from tests.support.builders import (
    NEVER,
    Row,
    a_certificate,
    a_key,
    a_password,
    a_user,
    in_slot,
    no_certificate,
    no_key,
    no_password,
)

Moment = Callable[[], datetime]


def moments(rng: random.Random, start: datetime, end: datetime) -> Moment:
    seconds = max(1, int((end - start).total_seconds()))
    return lambda: start + timedelta(seconds=rng.randrange(seconds))


def slot_cells(row: Row, thing: str, slot: int) -> Row:
    prefix = f"{thing}_{slot}_"
    return {column.removeprefix(prefix): row[column] for column in row if column.startswith(prefix)}


def signs_in(_: random.Random, row: Row, at: Moment) -> Row:
    return row | {"password_last_used": at()}


def gets_password(_: random.Random, row: Row, at: Moment) -> Row:
    used = row["password_last_used"] if row["password_enabled"] == "true" else NEVER
    return row | a_password(used, at())


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


def renamed(row: Row, rng: random.Random) -> Row:
    name = f"{row['user']}-{rng.choice(['new', 'old', 'x'])}"
    arn = str(row["arn"]).rpartition("/")[0]
    return row | {"user": name, "arn": f"{arn}/{name}"}


def created_again(row: Row, at: Moment) -> Row:
    fresh = a_user(created=at())
    return fresh | {"user": row["user"], "arn": row["arn"]}
