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
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from importlib.resources import files
from itertools import groupby, pairwise
from pathlib import PurePath
from typing import Final

from analyzer.decisions.credentials import SOME_SERVICE, Slot
from analyzer.decisions.decision import REMOVALS
from analyzer.decisions.fate import Fate, State, fates
from analyzer.decisions.ledger import Ledger
from analyzer.decisions.removal_log import LOG_COLUMNS
from analyzer.decisions.reported_accounts import reported_accounts, with_same_second
from analyzer.limits import SOON_DAYS
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

_OPENING: Final = """\
#!/bin/sh
{ # A shell reads all of this, up to the last line, before it does anything: a part does nothing.
"""
_MAIN: Final = """
# shellcheck disable=SC1003,SC1112,SC2016  # text in quotes is data: nothing in it is to expand
main() {
"""

_USE_PRECISION: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class RemovalPlan:
    """Hold the removals that a script carries out, those left out, and those already done."""

    removals: tuple[Fate, ...]
    left_out: tuple[Fate, ...]
    done: tuple[Fate, ...]

    @property
    def missing(self) -> list[Fate]:
        """Return the removals that stand and are left out, and that are not settled."""
        return [fate for fate in self.left_out if fate.standing.word and fate.state not in SETTLED]


SETTLED: Final = (State.DEACTIVATED, State.LAPSED, State.NOTHING_TO_DO)
"""The states of removals that stand, of which nothing is missing if a plan leaves them out."""


def removal_plan(ledger: Ledger, report: Report, users: Users) -> RemovalPlan:
    """Return the plan for the removals that stand and that the reports leave open.

    `users` are the judged users of `report`, with the exemptions.
    """
    accounts = reported_accounts(ledger.lines, report, users)
    every = fates(with_same_second(ledger, accounts), accounts)
    return RemovalPlan(
        removals=tuple(fate for fate in every if fate.state is State.OPEN),
        left_out=tuple(
            fate for fate in every if not (fate.state is State.OPEN or fate.state.is_done)
        ),
        done=tuple(fate for fate in every if fate.state.is_done),
    )


def reason(fate: Fate) -> str:
    """Return whom a plan leaves out, and why, as a sentence."""
    return f"{fate.word} {fate.line.arn}: {fate.state}: {fate.fact}"


def longest_gap(ledger: Ledger, report: Report) -> Iterator[str]:
    """Yield the longest time without a report since the oldest removal that stands."""
    lines = [stand.line for stand in ledger.standings.values() if stand.word]
    if lines:
        first = min(line.report_time for line in lines)
        files = [*report.files, *(report.older.files if report.older else ())]
        moments = sorted({first, *(file.time for file in files if file.time > first)})
        gap = max((after - before for before, after in pairwise(moments)), default=timedelta(0))
        yield f"Longest time without a report since the decisions: {count_text(gap.days, 'day')}."


# The script


def removal_script(
    removals: Iterable[Fate], *, ledgers: Sequence[FileReference], left_out: Sequence[str] = ()
) -> str:
    """Return a POSIX shell script that carries out the decisions, account by account.

    The script does nothing if a ledger beside it is missing or differs in a byte, or after the day
    `SOON_DAYS` from a report decided on. It acts on the users of one account: that of its
    credentials. Accounts are sorted, users stay in the given order. `left_out` are the users that
    are decided but not in the plan, a line each with the reason; the header shows them.
    Without any removal, the script changes nothing and says so; it replaces an older one.
    All of it stands between braces: a shell starts it only when it has read the last line, so that
    a copy that was cut off does nothing and ends with 2.
    """
    remarks = "".join(_plan_remarks(ledgers, left_out))
    ordered = sorted(removals, key=_account)
    if not ordered:
        nothing = "No user is to be deactivated or deleted. Nothing was changed."
        return f"{_OPENING}{remarks}echo '{nothing}' >&2\nexit 0\n}}\n"
    accounts = {account: list(users) for account, users in groupby(ordered, _account)}
    log_columns = ",".join(f'"{column}"' for column in LOG_COLUMNS)
    parts = [
        f"{_OPENING}{_HEADER}\n{remarks}{_MAIN}log_columns='{log_columns}'\n",
        FUNCTIONS,
        "plan() {\n:\n",
        *(_account_block(account, users) for account, users in accounts.items()),
        "}\n\nprepare\n",
        *(f"ledger {_quoted(PurePath(ledger.name).name)} {ledger.sha256}\n" for ledger in ledgers),
        f"phase=check\nplan\ncheck_plan\nsign_in {' '.join(accounts)}\nphase=run\nplan\nfinish\n",
        '}\n\nmain "$@"\n}\n',
    ]
    return "".join(parts)


def _plan_remarks(ledgers: Sequence[FileReference], left_out: Sequence[str]) -> Iterator[str]:
    for ledger in ledgers:
        yield f"#\n# Ledger: {_one_line(ledger.name)}, SHA-256 {ledger.sha256}\n"
    if left_out:
        yield f"#\n# Decided, but left out of this plan: {count_text(len(left_out), 'user')}\n"
    for line in left_out:
        yield f"# - {_one_line(line)}\n"


def _account(removal: Fate) -> str:
    """Return partition and account, as `aws:111122223333`: two partitions may share digits."""
    _, partition, _, _, account, _ = removal.line.arn.split(":", 5)
    return f"{partition}:{account}"


def _account_block(account: str, removals: list[Fate]) -> str:
    numbers = ", ".join(
        f"{count_text(number, 'user')} to {decision}"
        for decision in REMOVALS
        if (number := sum(removal.action is decision for removal in removals))
    )
    lines = (f"{_remove_call(removal)}\n" for removal in removals)
    return f"# Account {account}: {numbers}\n{''.join(lines)}"


def last_moment(removal: Fate) -> datetime:
    """Return the end of the last day on which a script carries out a removal."""
    last = removal.line.report_time.date() + timedelta(SOON_DAYS + 1)
    return datetime.combine(last, time(), UTC) - timedelta(seconds=1)


def _remove_call(removal: Fate) -> str:
    """Return the line of a user below its remarks; it has no word for facts not seen.

    An unknown credential counts as absent, so that any such access keeps the user.
    """
    line, shown = removal.line, removal.before.credentials
    baseline = max(line.report_time, line.newest_timestamp)
    moments = {
        "created": line.created,
        "baseline": baseline,
        "confirmed": removal.reports[-1].time,
        "expires": last_moment(removal),
        "password": (shown.password_changed.at or baseline) if shown.has_password else None,
        "signed-in": shown.last_sign_in.at,
    }
    words = [f"{name}={utc_text(moment)}" for name, moment in moments.items() if moment]
    words += [f"key={text}" for text in _slot_texts(shown.keys)]
    words += [f"certificate={text}" for text in _slot_texts(shown.certificates)]
    words += ["mfa=yes"] if shown.has_mfa else []
    words += [f"service={_quoted(name)}" for name in _listed_services(removal)]
    beside = sorted((line.same_second or frozenset()) - {line.user} - removal.to_delete)
    words += [f"beside={_quoted(name)}" for name in beside]
    words += [f"leaving={_quoted(name)}" for name in sorted(removal.to_delete - {line.user})]
    words += [f"by={_quoted(_one_line(line.decided_by))}", f"on={line.decided_on}"]
    words += [f"ticket={_quoted(_one_line(line.ticket))}"] if line.ticket else []
    texts = {"Comment": line.comment, "Decided": removal.restraint}
    remarks = "".join(f"# {name}: {_one_line(text)}\n" for name, text in texts.items() if text)
    return f"{remarks}remove {removal.action} {_quoted(line.arn)} {' '.join(words)}"


def _listed_services(removal: Fate) -> list[str]:
    """Return the services of active credentials that AWS's lists name."""
    shown = (removal.before, *removal.shown)
    texts = {user.services for user in shown if user} - {"", SOME_SERVICE}
    return sorted({name for text in texts for name in text.split(", ")})


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
