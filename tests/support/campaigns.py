"""Invent users, and what happens to them between two reports."""

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
    (signs_in, gets_password, loses_password)
    + (gets_key, rotates_key, key_changes, key_changes)
    + (keys_swap, certificate_changes, mfa_changes, is_deactivated, is_deactivated)
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
