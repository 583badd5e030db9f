"""Write the shell script that a person reads and runs to deactivate or delete IAM users.

The program never changes anything in AWS: it only writes this script. The script needs a POSIX
shell and the AWS CLI, version 1 or 2. It shows what it would do and changes nothing, unless it is
run with APPLY=yes.

Order and traps: IAM User Guide, "Remove or deactivate an IAM user"; DeleteUser fails with
DeleteConflict while anything is attached. A permissions boundary and tags need no removal.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Final

from analyzer.removal_functions import FUNCTIONS, HEADER
from analyzer.review_columns import REMOVALS, Decision
from analyzer.terms import ACCOUNT_ID_PATTERN, utc_text

LOG_COLUMNS: Final = (
    "time",
    "account",
    "user",
    "arn",
    "created",
    "decision",
    "step",
    "result",
    "detail",
)
"""The columns of the log, in order; all of them text, all of them quoted.

`time` and `created` are in UTC to the second (`utc_text`). The last line of a user has the step
`end` and a `LogResult`; if the step is another one, the script was interrupted. A cell that begins
with one of `=+-@` has an apostrophe before it, for spreadsheets: identify a user by `arn` and
`created`. Every run adds its lines; a preview adds none.
"""

_ARGUMENTS: Final = (
    "DECISION",
    "USER",
    "CREATED",
    "REPORT-AS-OF",
    "USED-UNTIL",
    "ACTIVE-KEYS",
    "ARN",
    "NOTE",
)
_NEVER: Final = "never"
_USE_PRECISION: Final = timedelta(minutes=15)
_USER_ARN: Final = re.compile(
    rf"arn:(?P<partition>aws(-[a-z0-9-]+)?):iam::(?P<account>{ACCOUNT_ID_PATTERN}):"
    r"user/(.*/)?(?P<user>[^/]+)"
)


class LogResult(StrEnum):
    """Say how a user ended in the log: as decided, absent before, left alone, or with an error."""

    DONE = "done"
    GONE = "gone"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """Describe one decision, and the state of the user in the report that it is based on.

    The script compares this state with AWS before it does anything, and skips the user if
    - the ARN or the creation time is another one: another user of the same name;
    - there is a sign-in, or a use of any access key, after `last_use` (15 minutes are allowed, the
      precision with which AWS records the use of keys); if `last_use` is None, any use at all;
    - an access key or the password was created after `as_of`;
    - more than `active_keys` access keys are active.

    So the defaults are the state of an unused user: never signed in, no active key. Retired,
    dormant and active users need both values from the report. `last_use` is the newest sign-in or
    use of any access key, active or not, that the report shows. All times need a time zone.
    Raises ValueError for an ARN that is none of an IAM user (masked ones included), for characters
    that cannot be printed, for a time without time zone, and for a negative number of keys.

    `empty_cells` are the columns in which the reviewer should have given a name or a date; the
    script and its log show that they are empty.
    """

    arn: str
    created: datetime
    as_of: datetime
    decision: Decision
    last_use: datetime | None = None
    active_keys: int = 0
    decided_by: str = ""
    ticket: str = ""
    empty_cells: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what the script could not compare with AWS."""
        if not self.arn.isprintable() or not _USER_ARN.fullmatch(self.arn):
            raise ValueError(f"not the ARN of an IAM user: {self.arn!r}")
        for moment in (self.created, self.as_of, self.last_use):
            if moment is not None and moment.utcoffset() is None:
                raise ValueError(f"a time without time zone: {moment}")
        if self.active_keys < 0:
            raise ValueError(f"a negative number of active access keys: {self.active_keys}")
        if self.decision not in REMOVALS:
            raise ValueError(f"nothing to carry out: {self.decision}")

    @property
    def user(self) -> str:
        """Return the user name: what follows the last slash of the ARN."""
        return self._arn_part("user")

    @property
    def account(self) -> str:
        """Return the 12 digits of the account."""
        return self._arn_part("account")

    @property
    def partition(self) -> str:
        """Return the partition, such as `aws` or `aws-cn`."""
        return self._arn_part("partition")

    def _arn_part(self, name: str) -> str:
        match = _USER_ARN.fullmatch(self.arn)
        return match[name] if match else ""


def removal_script(removals: Iterable[Removal], *, inputs: Iterable[str] = ()) -> str:
    """Return a POSIX shell script that carries out the decisions, account by account.

    `inputs` are the names of the reports or workbooks that the decisions come from; they are shown
    in the header. Accounts are sorted, users stay in the given order. The script acts on the users
    of one account: the one that its credentials belong to. It ends with 0 if no user failed, with
    1 if one did, and with 2 if it could not begin.
    Raises ValueError if there is no removal, or more than one for the same user.
    """
    ordered = sorted(removals, key=_account_key)
    _check_distinct(ordered)
    accounts = {account: list(users) for account, users in groupby(ordered, _account_key)}
    return "".join(
        [
            HEADER,
            *_source_remarks(inputs),
            f"\nlog_columns='{','.join(LOG_COLUMNS)}'\n",
            FUNCTIONS,
            f"begin {' '.join(accounts)}\n",
            f"# remove {' '.join(_ARGUMENTS)}\n",
            *(_account_block(account, users) for account, users in accounts.items()),
            "\nfinish\n",
        ]
    )


def empty_script(inputs: Iterable[str] = ()) -> str:
    """Return a script that changes nothing and says so; it takes the place of an older one."""
    says = "echo 'No user is to be deactivated or deleted. Nothing was changed.' >&2\n"
    return "".join(["#!/bin/sh\n", *_source_remarks(inputs), says])


def _source_remarks(inputs: Iterable[str]) -> list[str]:
    return [f"# Decisions from: {_one_line(name)}\n" for name in inputs]


def _account_key(removal: Removal) -> str:
    """Return partition and account; the same digits may exist in two partitions."""
    return f"{removal.partition}:{removal.account}"


def _check_distinct(removals: list[Removal]) -> None:
    if not removals:
        raise ValueError("no user to deactivate or delete")
    users: set[tuple[str, str]] = set()
    for removal in removals:
        user = removal.arn, utc_text(removal.created)
        if user in users:
            raise ValueError(f"more than one decision for {removal.arn}, created {user[1]}")
        users.add(user)


def _account_block(account: str, removals: list[Removal]) -> str:
    as_of = " and ".join(sorted({utc_text(removal.as_of) for removal in removals}))
    numbers = ", ".join(
        f"{sum(removal.decision == decision for removal in removals)} to {decision}"
        for decision in REMOVALS
    )
    unsigned = sum(bool(removal.empty_cells) for removal in removals)
    remark = f"; no name or date: {unsigned}" if unsigned else ""
    lines = (f"{_remove_call(removal)}\n" for removal in removals)
    return f"\n# Account {account}: {numbers}; report as of {as_of}{remark}\n{''.join(lines)}"


def _remove_call(removal: Removal) -> str:
    use = removal.last_use
    notes = [f"ticket {removal.ticket}"] if removal.ticket else []
    notes += [f"decided by {removal.decided_by}"] if removal.decided_by else []
    notes += [f"{each} is empty" for each in removal.empty_cells]
    words = (
        "remove",
        removal.decision,
        _quoted(removal.user),
        utc_text(removal.created),
        utc_text(removal.as_of),
        _NEVER if use is None else utc_text(use + _USE_PRECISION),
        str(removal.active_keys),
        _quoted(removal.arn),
        _quoted(_one_line(", ".join(notes))),
    )
    return " ".join(words)


def _quoted(text: str) -> str:
    """Return text as one word of a shell, whatever is in it."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


def _one_line(text: str) -> str:
    """Return text without line ends and control characters: a comment must not end early."""
    return "".join(character if character.isprintable() else " " for character in text)
