"""Judge a credential report in plain Python: a second opinion that shares no code with analyzer.

It is written to be read beside the definitions, one small function a sentence of them, and is
as slow as that makes it.
"""

import csv
import io
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

ABSENT, INACTIVE, ACTIVE = "absent", "inactive", "active"
SLOTS = (1, 2)

NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{1,128}")
USER_ARN = re.compile(
    rf"arn:aws(-[a-z0-9-]+)?:iam::[0-9]{{12}}:user/([\x21-\x7e]+/)?({NAME.pattern})"
)
ROOT_ARN = re.compile(r"arn:aws(-[a-z0-9-]+)?:iam::[0-9]{12}:root")

MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"
)

WITHOUT_MARKUP = frozenset({"&lt;root_account&gt;", "root_account", "root", ""})
"""What is left of the root's name where something took it for markup."""

LONGEST = 80

YEARS_OF_REPORTS = range(1970, 2100)
"""A moment outside is an invented one."""

USE = ("date", "region", "service")
NO_PLACE = frozenset({None, "", "N/A", "not_supported"})

SIGN_INS_RECORDED_FROM = datetime(2014, 10, 20, tzinfo=UTC)
GAP_START = datetime(2018, 5, 4, 5, 50, tzinfo=UTC)
GAP_END = datetime(2018, 5, 23, 21, 8, tzinfo=UTC)


@dataclass(frozen=True)
class Terms:
    """Hold what a verdict depends on besides the row."""

    as_of: datetime
    definition: str = "no-active-key"
    idle_days: int = 90
    grace_days: int = 7
    live_credentials: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Judgement:
    """Hold the four words of the law on one user."""

    verdict: str
    reason: str = ""
    certainty: str = ""
    caveats: str = ""


@dataclass(frozen=True)
class Cell:
    """Name one cell of a row."""

    column: str
    raw: str | None
    others: str = ""

    def __str__(self) -> str:
        """Say why the cell is unknown, as a reason does, which cuts what is very long."""
        if self.raw is None:
            return f"{self.column} is not in this report"
        problem = f"contradicts {self.others}" if self.others else "is not understood"
        return f'{self.column} "{self.raw[:LONGEST]}" {problem}'


@dataclass(frozen=True)
class Slot:
    """Hold one place for an access key or a certificate."""

    state: str = ABSENT
    created: datetime | None = None
    used: datetime | None = None
    unread: tuple[Cell, ...] = ()
    unread_use: tuple[Cell, ...] = ()


@dataclass(frozen=True)
class User:
    """Hold what one row says, and which of its cells say nothing that AWS would."""

    name: str
    arn: str
    created: datetime | None
    has_password: bool | None
    signed_in: datetime | None
    password_changed: datetime | None
    mfa: bool | None
    keys: tuple[Slot, ...]
    certificates: tuple[Slot, ...]
    more_credentials: bool
    unread: tuple[Cell, ...]
    unread_creation: tuple[Cell, ...]
    unread_mfa: tuple[Cell, ...]
    unread_changed: tuple[Cell, ...]


@dataclass(frozen=True)
class Opinion:
    """Hold the judgement on the user in one row.

    `blamed` are the cells for which it is undetermined, `unread` all that are not understood.
    """

    row: int
    user: str
    arn: str
    judgement: Judgement
    blamed: tuple[Cell, ...]
    unread: tuple[Cell, ...]


# Reading cells


def moment(raw: str | None) -> datetime | None:
    """Return the moment in UTC, or nothing where the text is not one with its offset."""
    if raw is None or not MOMENT.fullmatch(raw):
        return None
    try:
        found = datetime.fromisoformat(raw).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if found.year in YEARS_OF_REPORTS else None


def boolean(raw: str | None) -> bool | None:
    """Return the truth value in any case of ASCII letters, or nothing."""
    if raw is None or not raw.isascii():
        return None
    return {"true": True, "false": False}.get(raw.lower())


def is_name(raw: str | None) -> bool:
    return raw is not None and NAME.fullmatch(raw) is not None


def is_arn_of(raw: str | None, name: str | None) -> bool:
    found = USER_ARN.fullmatch(raw or "")
    return found is not None and found.group(3) == name


def is_root(row: dict[str, str]) -> bool:
    if row.get("user") in {"<root_account>", "&lt;root_account&gt;"}:
        return True
    is_cut = row.get("user") in WITHOUT_MARKUP
    return is_cut and ROOT_ARN.fullmatch(row.get("arn") or "") is not None


def unread(row: dict[str, str], column: str, *, understood: bool) -> tuple[Cell, ...]:
    return () if understood else (Cell(column, row.get(column), contradicted_by(row, column)),)


def contradicted_by(row: dict[str, str], column: str) -> str:
    """Name the cells of the slot that speak against a credential that was never created."""
    thing = column.removesuffix("_last_rotated")
    if thing == column or row.get(column) != "N/A":
        return ""
    others = {f"{thing}_active": "true"}
    if boolean(row.get(f"{thing}_active")) is False:
        names = (f"{thing}_last_used_{part}" for part in USE)
        others = {name: row[name] for name in names if row.get(name) not in NO_PLACE}
    return " and ".join(f'{name} "{value[:LONGEST]}"' for name, value in others.items())


def moment_or(row: dict[str, str], column: str, *words: str) -> tuple[Cell, ...]:
    """Name the cell unless it holds a moment or one of the words."""
    raw = row.get(column)
    return unread(row, column, understood=raw in words or moment(raw) is not None)


# Reading a row


def read_state(row: dict[str, str], thing: str) -> Slot:
    """Read the two cells that keys and certificates share."""
    active, rotated = f"{thing}_active", f"{thing}_last_rotated"
    on, created = boolean(row.get(active)), moment(row.get(rotated))
    other = INACTIVE if created else ABSENT
    blamed = unread(row, active, understood=on is not None) + moment_or(row, rotated, "N/A")
    return Slot(ACTIVE if on else other, created, unread=blamed)


def read_certificate(row: dict[str, str], number: int) -> Slot:
    """Read a certificate, of which an active one has a date of upload."""
    slot, rotated = read_state(row, f"cert_{number}"), f"cert_{number}_last_rotated"
    undated = slot.state == ACTIVE and slot.created is None and not slot.unread
    return replace(slot, unread=slot.unread or unread(row, rotated, understood=not undated))


def read_key(row: dict[str, str], number: int) -> Slot:
    """Read an access key, which is not absent where a use of it is told."""
    key = f"access_key_{number}"
    slot, date = read_state(row, key), f"{key}_last_used_date"
    traces = any(row.get(f"{key}_last_used_{part}") not in NO_PLACE for part in USE)
    is_absent = slot.state == ABSENT and not slot.unread
    blamed = unread(row, f"{key}_last_rotated", understood=not (is_absent and traces))
    unread_use = moment_or(row, date, "N/A")
    return replace(
        slot, used=moment(row.get(date)), unread=slot.unread + blamed, unread_use=unread_use
    )


def read_user(row: dict[str, str]) -> User:
    name, arn = row.get("user"), row.get("arn")
    keys = tuple(read_key(row, number) for number in SLOTS)
    enabled, mfa = boolean(row.get("password_enabled")), boolean(row.get("mfa_active"))
    return User(
        name=name or "",
        arn=arn or "",
        created=moment(row.get("user_creation_time")),
        has_password=enabled,
        signed_in=moment(row.get("password_last_used")),
        password_changed=moment(row.get("password_last_changed")),
        mfa=mfa,
        keys=keys,
        certificates=tuple(read_certificate(row, number) for number in SLOTS),
        more_credentials=row.get("additional_credentials_info", "") not in {"", "N/A"},
        unread=(
            *unread(row, "user", understood=is_name(name)),
            *unread(row, "arn", understood=is_arn_of(arn, name)),
            *unread(row, "password_enabled", understood=enabled is not None),
            *moment_or(row, "password_last_used", "N/A", "no_information"),
            *(cell for key in keys for cell in key.unread),
        ),
        unread_creation=moment_or(row, "user_creation_time"),
        unread_mfa=unread(row, "mfa_active", understood=mfa is not None),
        unread_changed=moment_or(row, "password_last_changed", "N/A"),
    )


def all_unread(user: User) -> tuple[Cell, ...]:
    slots = user.keys + user.certificates
    in_slots = (cell for slot in slots for cell in slot.unread + slot.unread_use)
    return (*user.unread, *user.unread_creation, *user.unread_mfa, *user.unread_changed, *in_slots)


# Judging a user


def days(since: datetime | None, as_of: datetime) -> int:
    """Return the whole days elapsed; a moment after as-of counts as this very day."""
    assert since is not None
    return max(0, (as_of - since) // timedelta(days=1))


def has_active_key(user: User) -> bool:
    return any(key.state == ACTIVE for key in user.keys)


def has_attached_key(user: User) -> bool:
    return any(key.state in {INACTIVE, ACTIVE} for key in user.keys)


def is_usable(user: User) -> bool:
    return bool(user.has_password) or has_active_key(user)


def is_unused(user: User, definition: str) -> bool:
    keys_count = has_attached_key if definition == "iam-029" else has_active_key
    return user.signed_in is None and not keys_count(user)


def unused_reason(user: User) -> str:
    states = {key.state for key in user.keys}
    if user.has_password:
        return "never-signed-in-inactive-keys" if INACTIVE in states else "never-signed-in"
    return "inactive-keys-only" if INACTIVE in states else "no-credentials"


def inactive_key_was_used(user: User) -> bool:
    """Tell whether a date says so; one that its service contradicts is malformed."""
    return any(key.state == INACTIVE and key.used and not key.unread_use for key in user.keys)


def is_before(moment: datetime | None, limit: datetime) -> bool:
    return moment is not None and moment < limit


def may_have_signed_in_unrecorded(user: User, terms: Terms) -> bool:
    waiting = bool(user.has_password) and user.signed_in is None
    return waiting and is_before(user.created, GAP_END) and terms.as_of > GAP_START


def caveats(user: User, terms: Terms) -> list[str]:
    waiting = user.signed_in is None
    is_young = user.created is not None and days(user.created, terms.as_of) < terms.grace_days
    holding = {
        "active-certificate": any(each.state == ACTIVE for each in user.certificates),
        "inactive-key-was-used": inactive_key_was_used(user),
        "created-before-tracking": is_before(user.created, SIGN_INS_RECORDED_FROM),
        "sign-in-gap": may_have_signed_in_unrecorded(user, terms),
        "mfa-registered": bool(user.mfa) and waiting,
        "service-credential-user": "apikey-" in user.name.lower(),
        "service-credential": user.name in terms.live_credentials,
        "more-credentials": user.more_credentials,
        "unread-cell": bool(caveats_unread(user)),
        "new-user": is_young,
    }
    return [name for name, holds in holding.items() if holds]


def caveats_unread(user: User) -> tuple[Cell, ...]:
    """Name the cells that the caveats need and that are not understood, or not in the report."""
    return (
        *user.unread_creation,
        *user.unread_mfa,
        *(cell for key in user.keys if key.state == INACTIVE for cell in key.unread_use),
        *(cell for certificate in user.certificates for cell in certificate.unread),
    )


def password_idle(user: User, as_of: datetime) -> int | tuple[Cell, ...]:
    """Return for how many days the password is idle, or the cells that keep it unknown."""
    if user.signed_in is None and user.unread_changed:
        return user.unread_changed
    since = user.signed_in or user.password_changed or user.created
    return user.unread_creation if since is None else days(since, as_of)


def key_idle(key: Slot, user: User, as_of: datetime) -> int | tuple[Cell, ...]:
    """Return for how many days the key is idle, or the cells that keep it unknown."""
    if key.unread_use:
        return key.unread_use
    since = key.used or key.created or user.created
    return user.unread_creation if since is None else days(since, as_of)


def idle(user: User, as_of: datetime) -> list[int | tuple[Cell, ...]]:
    """Return the idleness of everything that the user could get in with."""
    password = [password_idle(user, as_of)] if user.has_password else []
    return password + [key_idle(key, user, as_of) for key in user.keys if key.state == ACTIVE]


def undetermined(blamed: tuple[Cell, ...]) -> tuple[Judgement, tuple[Cell, ...]]:
    return Judgement("undetermined", "; ".join(map(str, blamed))), blamed


def judge_user(user: User, terms: Terms) -> tuple[Judgement, tuple[Cell, ...]]:
    """Return the judgement, and the cells that are to blame where there can be none."""
    if user.unread:
        return undetermined(user.unread)
    if is_usable(user) and not is_unused(user, terms.definition):
        return judge_use(user, terms)
    found = ";".join(caveats(user, terms))
    certainty = "check" if found else "certain"
    if is_unused(user, terms.definition):
        return Judgement("unused", unused_reason(user), certainty, found), ()
    return Judgement("retired", "", certainty, found), ()


def judge_use(user: User, terms: Terms) -> tuple[Judgement, tuple[Cell, ...]]:
    """Tell dormant from active; one recent use is enough to know."""
    known = [each for each in idle(user, terms.as_of) if isinstance(each, int)]
    blamed = tuple(
        cell for each in idle(user, terms.as_of) if not isinstance(each, int) for cell in each
    )
    if any(each < terms.idle_days for each in known):
        return Judgement("active"), ()
    return undetermined(blamed) if blamed else (Judgement("dormant"), ())


# Judging a report


def rows_of(text: str) -> list[dict[str, str]]:
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    return [dict(zip(header, row, strict=True)) for row in rows if row]


def judge(text: str, terms: Terms) -> list[Opinion]:
    """Return an opinion on each user, with the number of its first row, in the report's order."""
    users: dict[str | None, tuple[int, dict[str, str]]] = {}
    for number, row in enumerate(rows_of(text), start=2):
        if not is_root(row):
            users.setdefault(row.get("arn"), (number, row))
    return [opinion(number, row, terms) for number, row in users.values()]


def opinion(number: int, row: dict[str, str], terms: Terms) -> Opinion:
    user = read_user(row)
    judgement, blamed = judge_user(user, terms)
    return Opinion(number, user.name, user.arn, judgement, blamed, all_unread(user))
