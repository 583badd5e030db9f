"""Choose the users to deactivate or delete, and write the script that a person reads and runs.

The script compares each user with what the reviewer saw. A newer report, with what changed since,
can only take users out. The plan has the reason for each user left out.

The program never changes anything in AWS: it only writes this script. The script needs a POSIX
shell and the AWS CLI, version 1 or 2. It shows what it would do and changes nothing, unless it is
run with APPLY=<account number>.

Order and traps: IAM User Guide, "Remove or deactivate an IAM user"; DeleteUser fails with
DeleteConflict while anything is attached. A permissions boundary and tags need no removal.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from importlib.resources import files
from itertools import groupby, pairwise
from pathlib import PurePath
from typing import Final

import numpy as np

from analyzer.decisions.credentials import Credentials, Slot, page_of_lines
from analyzer.decisions.decision import REMOVALS, LedgerLine
from analyzer.decisions.facts import report_time
from analyzer.decisions.fate import Fate, State, fates
from analyzer.decisions.ledger import Ledger
from analyzer.decisions.removal_log import LOG_COLUMNS
from analyzer.lists.owners import Owners
from analyzer.report.model import FileReference
from analyzer.report.report import Report
from analyzer.report.users import Users
from analyzer.terms import count_text, utc_text

_HEADER, FUNCTIONS = files(__package__).joinpath("removal.sh").read_text("utf-8").split("\n\n", 1)
"""The comments for the person who runs the script, and all functions but `plan`.

`change` is the only function that makes changing calls, `iam` the only one that calls IAM at all.
A check that finds more access or use than the reviewer saw, or no answer, changes nothing: it sets
`result` and `reason`, and ends with an error.
"""

DELETED_LATER: Final = "deleted when delete is written again, on a report that shows no access"
"""What becomes of a user who is deactivated first."""

_USE_PRECISION: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Removal:
    """Hold one decision, the credentials that the reviewer saw, and when they were last confirmed.

    The script compares `credentials` with AWS before it changes anything, and skips the user if AWS
    shows more access or use. An unknown credential counts as absent, so that any such access keeps
    the user. The age of a plan counts from `confirmed`. With `is_deleted_later`, people decided to
    delete a user who has access: it is deactivated first.
    """

    line: LedgerLine
    credentials: Credentials
    confirmed: datetime
    is_deleted_later: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Hold a decision to remove a user, and the reason why the plan leaves it out."""

    line: LedgerLine
    reason: str
    state: State

    @property
    def stands(self) -> bool:
        """Return whether the removal stands, so that leaving it out makes the plan partial."""
        doubts = (State.DISAGREE, State.KEPT, State.NEWER_WORD, State.DEACTIVATED)
        return self.state not in doubts

    def __str__(self) -> str:
        """Return it as a sentence."""
        line = self.line
        owner = f" (owner {line.owner})" if line.owner else ""
        return f"{line.decision} {line.arn}{owner}: {self.reason}"


@dataclass(frozen=True, slots=True)
class RemovalPlan:
    """Hold the decisions that a script carries out, those left out, and those already done."""

    removals: tuple[Removal, ...]
    left_out: tuple[LeftOut, ...]
    done: tuple[LedgerLine, ...]


def removal_plan(ledger: Ledger, report: Report, users: Users) -> RemovalPlan:
    """Return the plan for the removals that stand and that the reports leave open.

    `users` are the judged users of `report`, with the exemptions.
    """
    every = fates(ledger, report, users).fates
    return RemovalPlan(
        removals=tuple(map(_removal, (o for o in every if o.state is State.OPEN))),
        left_out=tuple(
            LeftOut(o.line, f"{o.state}: {o.fact}" if o.fact else str(o.state), o.state)
            for o in every
            if o.state not in (State.OPEN, State.DONE)
        ),
        done=tuple(o.line for o in every if o.state is State.DONE),
    )


def _removal(fate: Fate) -> Removal:
    times = [fate.line.earliest, *([report_time(fate.file).earliest] if fate.file else [])]
    line = replace(fate.line, decision=fate.action)
    is_deleted_later = line.decision is not fate.line.decision
    return Removal(line, fate.before.credentials, max(times), is_deleted_later)


def longest_gap(ledger: Ledger, report: Report) -> Iterator[str]:
    """Yield the longest time without a report since the oldest removal that stands."""
    stands = (stand.stands for stand in ledger.standings.values() if stand.is_of_removal)
    lines = [line for line in stands if line]
    if lines:
        first = min(line.as_of for line in lines)
        files = [*report.files, *(file for older in report.older() for file in older.files)]
        moments = sorted({first, *(file.as_of for file in files if file.as_of > first)})
        gap = max((after - before for before, after in pairwise(moments)), default=timedelta(0))
        yield f"Longest time without a report since the decisions: {count_text(gap.days, 'day')}."


def with_owners(ledger: Ledger, owners: Owners, day: date) -> Ledger:
    """Return a ledger whose users have only the owners that a list gives on a day."""
    owned = owners.columns_of(page_of_lines(ledger.lines).users, np.array(day, "datetime64[D]"))
    lines = (
        replace(line, user_row={**line.user_row, **dict(zip(owned, cells, strict=True))})
        for line, cells in zip(ledger.lines, zip(*owned.values(), strict=True), strict=True)
    )
    return replace(ledger, lines=tuple(lines))


# The script


def removal_script(
    removals: Iterable[Removal],
    *,
    ledgers: Sequence[FileReference],
    left_out: Sequence[str] = (),
    max_age_days: int = 45,
) -> str:
    """Return a POSIX shell script that carries out the decisions, account by account.

    The script does nothing if a ledger beside it is missing or differs in a byte, or if a user was
    confirmed more than `max_age_days` ago. It acts on the users of one account: that of its
    credentials. Accounts are sorted, users stay in the given order. `left_out` are the users that
    are decided but not in the plan, a line each with the reason; the header shows them.
    Without any removal, the script changes nothing and says so; it replaces an older one.
    """
    remarks = "".join(_plan_remarks(ledgers, left_out))
    ordered = sorted(removals, key=_account)
    if not ordered:
        nothing = "No user is to be deactivated or deleted. Nothing was changed."
        return f"#!/bin/sh\n{remarks}echo '{nothing}' >&2\n"
    accounts = {account: list(users) for account, users in groupby(ordered, _account)}
    max_age = timedelta(days=max_age_days)
    log_columns = ",".join(f'"{column}"' for column in LOG_COLUMNS)
    parts = [
        f"{_HEADER}\n{remarks}\nlog_columns='{log_columns}'\n",
        FUNCTIONS,
        "plan() {\n:\n",
        *(_account_block(account, users, max_age) for account, users in accounts.items()),
        "}\n\nprepare\n",
        *(f"ledger {_quoted(PurePath(ledger.name).name)} {ledger.sha256}\n" for ledger in ledgers),
        f"phase=check\nplan\ncheck_plan\nsign_in {' '.join(accounts)}\nphase=run\nplan\nfinish\n",
    ]
    return "".join(parts)


def _plan_remarks(ledgers: Sequence[FileReference], left_out: Sequence[str]) -> Iterator[str]:
    for ledger in ledgers:
        yield f"#\n# Ledger: {_one_line(ledger.name)}, SHA-256 {ledger.sha256}\n"
    if left_out:
        yield f"#\n# Decided, but left out of this plan: {count_text(len(left_out), 'user')}\n"
    for line in left_out:
        yield f"# - {_one_line(line)}\n"


def _account(removal: Removal) -> str:
    """Return partition and account, as `aws:111122223333`: two partitions may share digits."""
    _, partition, _, _, account, _ = removal.line.arn.split(":", 5)
    return f"{partition}:{account}"


def _account_block(account: str, removals: list[Removal], max_age: timedelta) -> str:
    numbers = ", ".join(
        f"{count_text(number, 'user')} to {decision}"
        for decision in REMOVALS
        if (number := sum(removal.line.decision == decision for removal in removals))
    )
    lines = (f"{_remove_call(removal, max_age)}\n" for removal in removals)
    return f"# Account {account}: {numbers}\n{''.join(lines)}"


def _remove_call(removal: Removal, max_age: timedelta) -> str:
    """Return the line of a user below its remarks; it has no word for facts not seen."""
    line, shown = removal.line, removal.credentials
    moments = {
        "created": line.created,
        "baseline": line.baseline,
        "confirmed": removal.confirmed,
        "expires": removal.confirmed + max_age,
        "password": (shown.password_changed.at or line.baseline) if shown.has_password else None,
        "signed-in": shown.last_sign_in.at,
    }
    words = [f"{name}={utc_text(moment)}" for name, moment in moments.items() if moment]
    words += [f"key={text}" for text in _slot_texts(shown.keys)]
    words += [f"certificate={text}" for text in _slot_texts(shown.certificates)]
    words += ["mfa=yes"] if shown.has_mfa else []
    words += [f"by={_quoted(_one_line(line.decided_by))}", f"on={line.decided_on}"]
    words += [f"ticket={_quoted(_one_line(line.ticket))}"] if line.ticket else []
    remarks = "".join(
        f"# {name}: {_one_line(text)}\n"
        for name, text in (
            ("Owner", line.owner),
            ("Comment", line.comment),
            ("Decided", DELETED_LATER if removal.is_deleted_later else ""),
        )
        if text
    )
    return f"{remarks}remove {line.decision} {_quoted(line.arn)} {' '.join(words)}"


def _slot_texts(slots: Iterable[Slot]) -> Iterator[str]:
    """Yield creation, state and the latest use that AWS may show, in the order of `compare`."""
    rows = (
        (
            utc_text(at),
            utc_text(used + _USE_PRECISION) if (used := slot.last_used.at) else "-",
            not slot.is_active,
        )
        for slot in slots
        if (at := slot.created.at)
    )
    for created, until, is_inactive in sorted(rows):
        yield f"{created},{'inactive' if is_inactive else 'active'},{until}"


def _quoted(text: str) -> str:
    """Return text as one word of a shell, whatever is in it."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


def _one_line(text: str) -> str:
    """Return text without line ends and control characters: a comment must not end early."""
    return "".join(character if character.isprintable() else " " for character in text)
