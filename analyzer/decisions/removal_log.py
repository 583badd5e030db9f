"""Read the log of the removal script: when, by whom and in which run users were removed.

Only what the script finished counts. A line that a killed run left half written says nothing.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, NamedTuple

from analyzer import columns
from analyzer.decisions.decision import REMOVALS, USER_ARN, Decision, User, of_arn
from analyzer.errors import Problem
from analyzer.lists.csv_lists import ListForm, file_reference, list_rows
from analyzer.report.model import FileReference
from analyzer.report.values import timestamp
from analyzer.terms import minute_text

_RUN_COLUMNS: Final = "time", "run", "account", "caller", "script_sha256", "ledger_sha256"
_USER_COLUMNS: Final = "decision", "decided_by", "decided_on", "ticket", "user", "arn", "created"
LOG_COLUMNS: Final = (*_RUN_COLUMNS, *_USER_COLUMNS, "step", "result", "detail")
"""The columns of the log, in order; all are quoted text.

`time` and `created` are in UTC to the second (`utc_text`). `caller` is the ARN of the credentials,
asked for before each user is changed; `ledger_sha256` has one hash per ledger. Each change has a
line with the result `begin` before it, and one with `ok` or `failed` after it. The last line of a
user has the step `end` and the result `done`, `gone` (absent before), `skipped` or `failed`;
otherwise the run was interrupted, maybe in the line. A cell that begins with one of `=+-@` has an
apostrophe before it, for spreadsheets: identify a user by `arn` and `created`.
"""

_FORM: Final = ListForm(
    required=LOG_COLUMNS,
    refuses_others=True,
    hint="Give the log that the removal script wrote (credreport-removals.csv).",
)
_RESULTS: Final = ("begin", "ok", "failed", "done", "gone", "skipped")
_HINT: Final = "Restore the log as the removal script wrote it."
_DELETED: Final = ("delete-user", "ok")
_ENDED: Final = ("end", "done")
_NOTHING_LEFT: Final = "nothing left to do"


class LoggedRemoval(NamedTuple):
    """Hold what a log says was done to a user: it was deleted, or deactivated."""

    user: User
    at: datetime
    is_deleted: bool
    caller: str
    run: str
    place: str

    def __str__(self) -> str:
        """Return it in words: `deleted on 2026-03-05 09:30 UTC by arn:… (run …)`."""
        word = "deleted" if self.is_deleted else "deactivated"
        return f"{word} on {minute_text(self.at)} by {self.caller} (run {self.run})"


@dataclass(frozen=True, slots=True)
class RemovalLog:
    """Hold the removals in logs of the script, in the order of time, and the files."""

    removals: tuple[LoggedRemoval, ...] = ()
    files: tuple[FileReference, ...] = ()

    def until(self, day: date) -> "RemovalLog":
        """Return the log up to and including a day."""
        return replace(self, removals=tuple(of for of in self.removals if of.at.date() <= day))

    def by_user(self) -> Mapping[User, Sequence[LoggedRemoval]]:
        """Return the removals of each user, the last one last."""
        by_user = defaultdict[User, list[LoggedRemoval]](list)
        for removal in self.removals:
            by_user[removal.user].append(removal)
        return by_user

    def __add__(self, other: "RemovalLog") -> "RemovalLog":
        """Return the removals of both; what both have counts once, as of the first place."""
        every = {removal[:-1]: removal for removal in (*other.removals, *self.removals)}
        ordered = sorted(every.values(), key=lambda removal: (removal.at, removal.place))
        return RemovalLog((*ordered,), (*self.files, *other.files))


NO_LOG: Final = RemovalLog()


def read_removal_log(name: str, content: bytes) -> RemovalLog:
    """Return the removals in a log; raises InputRefused with every problem."""
    end = content[content.rfind(b"\n") + 1 :]
    closed = content + b'"' if end.count(b'"') % 2 else content
    file = file_reference(name, content)
    rows = list_rows(name, closed, _FORM, _problems)
    found = (_removal(f"{file.name}, row {row}", cells) for row, cells in rows)
    return RemovalLog(tuple(filter(None, found)), (file,)) + NO_LOG


def _removal(place: str, cells: Mapping[str, str]) -> LoggedRemoval | None:
    """Return what a line says was done; None for other steps, and if nothing was left to do."""
    step, arn, at = (cells["step"], cells["result"]), cells["arn"], timestamp(cells["time"])
    is_deactivated = cells["decision"] == Decision.DEACTIVATE and step == _ENDED
    if not at or not (step == _DELETED or is_deactivated) or cells["detail"] == _NOTHING_LEFT:
        return None
    named = of_arn(arn)
    user = User(named[columns.ACCOUNT], named[columns.USER], timestamp(cells["created"]))
    return LoggedRemoval(user, at, not is_deactivated, cells["caller"], cells["run"], place)


def _problems(name: str, row: int, cells: Mapping[str, str]) -> Iterator[Problem]:
    result = cells["result"]
    if not cells["detail"] and any(word.startswith(result) for word in _RESULTS if word != result):
        return  # The run was killed while it wrote this line.
    arn = USER_ARN.fullmatch(cells["arn"])
    for column, message, is_right in (
        ("time", "not a time", timestamp(cells["time"])),
        ("created", "not a time", timestamp(cells["created"])),
        ("decision", "neither delete nor deactivate", cells["decision"] in REMOVALS),
        ("result", "not a result of the script", result in _RESULTS),
        ("arn", "not the ARN of a user", arn),
        ("account", "not the account of the ARN", not arn or arn["account"] == cells["account"]),
        ("user", "not the name in the ARN", not arn or arn["user"] == cells["user"]),
    ):
        if not is_right:
            yield Problem(name, row, column, cells[column], message, _HINT)
