"""Write the shell script that a person reads and runs to deactivate or delete IAM users.

The program never changes anything in AWS: it only writes this script. The script needs a POSIX
shell and the AWS CLI, version 1 or 2. It shows what it would do and changes nothing, unless it is
run with APPLY=<account number>.

Order and traps: IAM User Guide, "Remove or deactivate an IAM user"; DeleteUser fails with
DeleteConflict while anything is attached. A permissions boundary and tags need no removal.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib.resources import files
from itertools import groupby
from pathlib import PurePath
from typing import Final

from analyzer.decisions.review_columns import REMOVALS, Decision
from analyzer.decisions.user_decisions import USER_ARN
from analyzer.report.model import FileReference
from analyzer.terms import count_text, utc_text

_HEADER, FUNCTIONS = files(__package__).joinpath("removal.sh").read_text("utf-8").split("\n\n", 1)
"""The comments for the person who runs the script, and all functions but `plan`.

`change` is the only function that makes changing calls, `iam` the only one that calls IAM at all.
A check that finds more access or use than the reviewer saw, or no answer, changes nothing: it sets
`result` and `reason`, and ends with an error.
"""

_RUN_COLUMNS: Final = "time", "run", "account", "caller", "script_sha256", "ledger_sha256"
_USER_COLUMNS: Final = "decision", "decided_by", "decided_on", "ticket", "user", "arn", "created"
LOG_COLUMNS: Final = (*_RUN_COLUMNS, *_USER_COLUMNS, "step", "result", "detail")
"""The columns of the log, in order; all of them text, all of them quoted.

`time` and `created` are in UTC to the second (`utc_text`). `caller` is the ARN of the credentials,
`ledger_sha256` has one hash per ledger. Each change has a line with the result `begin` before it,
and one with `ok` or `failed` after it. The last line of a user has the step `end` and the
result `done`, `gone` (absent before), `skipped` or `failed`; if not, the run was interrupted, maybe
within the line. A cell that begins with one of `=+-@` has an apostrophe before it, for
spreadsheets: identify a user by `arn` and `created`.
"""

_USE_PRECISION: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialInReport:
    """Describe an access key or a signing certificate that the reviewer saw.

    `last_used` is None if it was never used; no report shows the use of a certificate.
    """

    created: datetime
    active: bool
    last_used: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """Describe one decision, and what the reviewer saw of the user.

    The script compares this with AWS before it changes anything, and skips the user if AWS shows
    more access or use. So the defaults are the strictest state: nothing was there.

    `baseline` is the moment of the report that the reviewer saw; `confirmed` that of the newest
    report that showed the user unchanged, the same moment if there is none: from it counts how old
    a plan may become. `password_changed` is None if it is not known: then `baseline` counts.

    Raises ValueError for an ARN that is none of an IAM user (masked ones included), for characters
    that cannot be printed, for a time without time zone, for `confirmed` before `baseline`, and
    for a decision that changes nothing.
    """

    arn: str
    created: datetime
    decision: Decision
    baseline: datetime
    confirmed: datetime
    has_password: bool = False
    password_last_used: datetime | None = None
    password_changed: datetime | None = None
    keys: tuple[CredentialInReport, ...] = ()
    certificates: tuple[CredentialInReport, ...] = ()
    has_mfa: bool = False
    decided_by: str
    decided_on: date
    ticket: str = ""
    owner: str = ""

    def __post_init__(self) -> None:
        """Refuse what the script could not compare with AWS."""
        if not self.arn.isprintable() or not USER_ARN.fullmatch(self.arn):
            raise ValueError(f"not the ARN of an IAM user: {self.arn!r}")
        for moment in self._moments():
            if moment is not None and moment.utcoffset() is None:
                raise ValueError(f"a time without time zone: {moment}")
        if self.confirmed < self.baseline:
            raise ValueError(f"confirmed before the baseline: {self.confirmed}")
        if self.decision not in REMOVALS:
            raise ValueError(f"nothing to carry out: {self.decision}")

    @property
    def user(self) -> str:
        """Return the user name: what follows the last slash of the ARN."""
        return self.arn.rpartition("/")[2]

    def _moments(self) -> Iterator[datetime | None]:
        yield from (self.created, self.baseline, self.confirmed)
        yield from (self.password_last_used, self.password_changed)
        for each in (*self.keys, *self.certificates):
            yield from (each.created, each.last_used)


def removal_script(
    removals: Iterable[Removal],
    *,
    ledgers: Sequence[FileReference],
    left_out: Sequence[str] = (),
    max_age_days: int = 45,
) -> str:
    """Return a POSIX shell script that carries out the decisions, account by account.

    The script does nothing unless the ledgers lie beside it, the same to the byte, or if a user was
    confirmed more than `max_age_days` ago. It acts on the users of one account: that of its
    credentials. Accounts are sorted, users stay in the given order. `left_out` are the users that
    are decided but not in the plan, a line each with the reason; the header shows them.
    Without any removal it changes nothing and says so: it takes the place of an older one.
    """
    remarks = "".join(_plan_remarks(ledgers, left_out))
    ordered = sorted(removals, key=_account)
    if not ordered:
        nothing = "No user is to be deactivated or deleted. Nothing was changed."
        return f"#!/bin/sh\n{remarks}echo '{nothing}' >&2\n"
    accounts = {account: list(users) for account, users in groupby(ordered, _account)}
    max_age = timedelta(days=max_age_days)
    log_columns = ",".join(f'"{column}"' for column in LOG_COLUMNS)
    return "".join(
        [
            f"{_HEADER}\n{remarks}\nlog_columns='{log_columns}'\n",
            FUNCTIONS,
            "plan() {\n",
            *(_account_block(account, users, max_age) for account, users in accounts.items()),
            "}\n\nprepare\n",
            *(f"ledger {_quoted(PurePath(each.name).name)} {each.sha256}\n" for each in ledgers),
            f"phase=check\nplan\nsign_in {' '.join(accounts)}\nphase=run\nplan\nfinish\n",
        ]
    )


def _plan_remarks(ledgers: Sequence[FileReference], left_out: Sequence[str]) -> Iterator[str]:
    for each in ledgers:
        yield f"#\n# Ledger: {_one_line(each.name)}, SHA-256 {each.sha256}\n"
    if left_out:
        yield f"#\n# Decided, but left out of this plan: {count_text(len(left_out), 'user')}\n"
    for line in left_out:
        yield f"# - {_one_line(line)}\n"


def _account(removal: Removal) -> str:
    """Return partition and account, as `aws:111122223333`: two partitions may share digits."""
    _, partition, _, _, account, _ = removal.arn.split(":", 5)
    return f"{partition}:{account}"


def _account_block(account: str, removals: list[Removal], max_age: timedelta) -> str:
    numbers = ", ".join(
        f"{count_text(number, 'user')} to {decision}"
        for decision in REMOVALS
        if (number := sum(removal.decision == decision for removal in removals))
    )
    lines = (f"{_remove_call(removal, max_age)}\n" for removal in removals)
    return f"# Account {account}: {numbers}\n{''.join(lines)}"


def _remove_call(removal: Removal, max_age: timedelta) -> str:
    """Return the line of a user below the owner; what the reviewer did not see has no word."""
    moments = {
        "created": removal.created,
        "baseline": removal.baseline,
        "confirmed": removal.confirmed,
        "expires": removal.confirmed + max_age,
        "password": (removal.password_changed or removal.baseline)
        if removal.has_password
        else None,
        "signed-in": removal.password_last_used,
    }
    words = [f"{name}={utc_text(moment)}" for name, moment in moments.items() if moment]
    words += [f"key={state}" for state in _states(removal.keys)]
    words += [f"certificate={state}" for state in _states(removal.certificates)]
    words += ["mfa=yes"] if removal.has_mfa else []
    words += [f"by={_quoted(_one_line(removal.decided_by))}", f"on={removal.decided_on}"]
    words += [f"ticket={_quoted(_one_line(removal.ticket))}"] if removal.ticket else []
    owner = f"# Owner: {_one_line(removal.owner)}\n" if removal.owner else ""
    return f"{owner}remove {removal.decision} {_quoted(removal.arn)} {' '.join(words)}"


def _states(credentials: Iterable[CredentialInReport]) -> list[str]:
    """Return creation, state and latest use that may show, in the order of `compare`."""
    rows = sorted((utc_text(each.created), _until(each), not each.active) for each in credentials)
    return [
        f"{created},{'inactive' if idle else 'active'},{until}" for created, until, idle in rows
    ]


def _until(credential: CredentialInReport) -> str:
    return utc_text(credential.last_used + _USE_PRECISION) if credential.last_used else "-"


def _quoted(text: str) -> str:
    """Return text as one word of a shell, whatever is in it."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


def _one_line(text: str) -> str:
    """Return text without line ends and control characters: a comment must not end early."""
    return "".join(character if character.isprintable() else " " for character in text)
