"""Build removals, and users in AWS that are just what the reviewer saw."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zlib import crc32

from analyzer import columns
from analyzer.decisions.credentials import Credentials, Moment, ReportedUser, Slot
from analyzer.decisions.decision import Decision, EntryPlace, LedgerLine
from analyzer.decisions.fate import Fate
from analyzer.decisions.reported_accounts import ReportedAccount
from analyzer.decisions.standing import Standing
from analyzer.report.model import ReportFile
from analyzer.terms import AsOfSource
from tests.support.aws_account import ACCOUNT, AwsAccount, User, stated

SHELLS = ("dash", "bash")
CREATED = datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)
BASELINE = datetime(2026, 5, 1, 12, 0, 30, tzinfo=UTC)
NOW = BASELINE + timedelta(days=10)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)

PASSWORD_CHANGED = CREATED + HOUR
SIGNED_IN = datetime(2025, 1, 1, 9, 0, 7, tzinfo=UTC)
KEY_USED = datetime(2025, 2, 2, 10, tzinfo=UTC)
KEY_CREATED, UPLOADED = CREATED + 2 * HOUR, CREATED + 4 * HOUR


def credential(created: datetime, *, active: bool, last_used: datetime | None = None) -> Slot:
    return Slot(active, Moment(created), Moment(last_used))


ACTIVE_KEY = credential(KEY_CREATED, active=True, last_used=KEY_USED)
INACTIVE_KEY = credential(CREATED + 3 * HOUR, active=False)
CERTIFICATE = credential(UPLOADED, active=False)
EVERYTHING: dict[str, Any] = {
    "has_password": True,
    "has_mfa": True,
    "last_sign_in": Moment(SIGNED_IN),
    "password_changed": Moment(PASSWORD_CHANGED),
    "keys": (ACTIVE_KEY, INACTIVE_KEY),
    "certificates": (CERTIFICATE,),
}
"""What a report can show of a user."""

SERVICE = "codecommit.amazonaws.com"
NEVER = Moment()
NOTHING = Credentials(False, NEVER, NEVER, False, keys=(), certificates=())  # noqa: FBT003  as read


def deletable(state: dict[str, Any]) -> dict[str, Any]:
    """Return what a report shows of a user with nothing active and no password ever used."""
    keys = tuple(key._replace(is_active=False) for key in state.get("keys", ()))
    return state | {"keys": keys} | ({"last_sign_in": NEVER} if state.get("has_password") else {})


DELETABLE = deletable(EVERYTHING)


class Removal(Fate):
    """Name the user of a decision too."""

    @property
    def arn(self) -> str:
        return self.line.arn

    @property
    def user(self) -> str:
        return self.line.user

    @property
    def action(self) -> Decision:
        return self.line.decision

    @property
    def credentials(self) -> Credentials:
        return self.before.credentials


def removal(  # noqa: PLR0913  what a person decides, and when
    user: str = "bob",
    path: str = "/",
    *,
    arn: str | None = None,
    created: datetime | None = None,
    decision: Decision = Decision.DELETE,
    baseline: datetime = BASELINE,
    confirmed: datetime | None = None,
    decided_by: str = "Ann",
    ticket: str = "",
    comment: str = "",
    word: Decision | None = None,
    services: str = "",
    beside: Collection[str] = (),
    to_delete: Collection[str] = (),
    **state: Any,
) -> Removal:
    """Return the decision to delete a user who has nothing, unless the state says otherwise."""
    arn = f"arn:aws:iam::{ACCOUNT}:user{path}{user}" if arn is None else arn
    name = arn.rpartition("/")[2]
    moments = {columns.USER_CREATION_TIME: created or born(name), columns.AS_OF: baseline}
    line = LedgerLine(
        decision=decision,
        decided_by=decided_by,
        decided_on=date(2026, 5, 2),
        ticket=ticket,
        comment=comment,
        user_row=dict.fromkeys(columns.OF_LEDGER, "")
        | {
            columns.ARN: arn,
            columns.USER: name,
            columns.AS_OF_SOURCE: AsOfSource.FILE_NAME,
        }
        | {cell: stated(moment) for cell, moment in moments.items()},
        same_second=frozenset({name} | set(beside)),
        read_from=EntryPlace("decisions.csv", 2),
    )
    before = ReportedUser(replace(NOTHING, **state), services)
    milder = (line,) if (word or decision) is Decision.DEACTIVATE else ()
    standing = Standing((line,), line, before, milder=milder)
    return Removal(standing, before, [reported(confirmed or baseline)], frozenset(to_delete))


def born(name: str) -> datetime:
    """Return a creation time within the hour, of each name another one."""
    return CREATED if name == "bob" else CREATED + SECOND * (1 + crc32(name.encode()) % 3000)


def reported(at: datetime) -> ReportedAccount:
    """Return a report of that time."""
    file = ReportFile(
        name="report.csv",
        sha256="0" * 64,
        size=1,
        as_of=at,
        as_of_source=AsOfSource.FILE_NAME,
        baseline=at,
        accounts=(),
    )
    return ReportedAccount(file)


def device(user: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:mfa/{user}"


def exists(account: AwsAccount, each: Removal) -> User:
    """Let AWS know the user, with all that the reviewer saw and nothing else."""
    created, state = each.line.created or BASELINE, each.credentials
    user = account.add(each.arn, created)
    if state.last_sign_in.at:
        user.signed_in = stated(state.last_sign_in.at)
    if state.has_password:
        user.password = stated(state.password_changed.at or each.line.as_of)
    for number, key in enumerate(state.keys):
        name = f"AKIA{number}{each.user}"
        user.lists["list-access-keys"].append([*_listed(key), name])
        if key.last_used.at:
            account.uses[name] = stated(key.last_used.at)
    for number, certificate in enumerate(state.certificates):
        user.lists["list-signing-certificates"].append([*_listed(certificate), f"CERT{number}"])
    if state.has_mfa:
        user.lists["list-mfa-devices"].append(["-", stated(created), device(each.user)])
    return user


def turn(user: User, status: str) -> None:
    """Give one credential of each kind a status, but for certificates."""
    for name in ("access-keys", "service-specific-credentials"):
        user.lists[f"list-{name}"][0][0] = status


def _listed(slot: Slot) -> tuple[str, str]:
    assert slot.created.at
    return "Active" if slot.is_active else "Inactive", stated(slot.created.at)


def attach_permissions(user: User) -> None:
    """Attach what every user may have, and no report shows; one of everything."""
    user.lists["list-ssh-public-keys"] = [["Inactive", user.created, "APKA1"]]
    user.lists["list-service-specific-credentials"] = [
        ["Inactive", user.created, "ACCA1"],
        ["Expired", user.created, "ACCA2"],
    ]
    user.lists["list-user-policies"] = [["-", "-", "None"], ["-", "-", "-x"]]
    user.lists["list-attached-user-policies"] = [
        ["-", "-", "arn:aws:iam::aws:policy/ReadOnlyAccess"]
    ]
    user.lists["list-groups-for-user"] = [["-", "-", "a,b"]]
