"""Choose the users to deactivate or delete, and write the script that a person reads and runs.

The script compares each user with what the reviewer saw. A newer report, with what changed since,
can only take users out. The plan has the reason for each user left out.

The program never changes anything in AWS: it only writes this script. The script needs a POSIX
shell and the AWS CLI, version 1 or 2. It shows what it would do and changes nothing, unless it is
run with APPLY=<account number>.

Order and traps: IAM User Guide, "Remove or deactivate an IAM user"; DeleteUser fails with
DeleteConflict while anything is attached. A permissions boundary and tags need no removal.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from importlib.resources import files
from itertools import groupby
from pathlib import PurePath
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from analyzer import columns
from analyzer.decisions.credentials import Credentials, Moment, Slot, page_of_lines
from analyzer.decisions.decision import REMOVALS, Decision, LedgerLine, UserDecisions
from analyzer.decisions.ledger import Ledger
from analyzer.decisions.new_decisions import removes_more
from analyzer.decisions.outcome import (
    DecisionOutcome,
    FollowUpStatus,
    decision_outcomes,
    overtaken_by_ledger,
    overtaken_fact,
)
from analyzer.decisions.renaming import former_name_fact
from analyzer.decisions.reported_users import (
    NamesOfOthers,
    UsersInNewestReports,
    report_time,
)
from analyzer.lists.exemptions import ExemptionMatches, ExemptionUse
from analyzer.lists.owners import Owners
from analyzer.report.model import Exemption, FileReference, Report, as_category
from analyzer.report.users import Users
from analyzer.report.values import timestamp
from analyzer.terms import Verdict, code_of, count_text, utc_text

_NOT_IDENTIFIED: Final = "its creation time or account is not known"
_UNCLEAR: Final = "the report does not show all its credentials"

_HEADER, FUNCTIONS = files(__package__).joinpath("removal.sh").read_text("utf-8").split("\n\n", 1)
"""The comments for the person who runs the script, and all functions but `plan`.

`change` is the only function that makes changing calls, `iam` the only one that calls IAM at all.
A check that finds more access or use than the reviewer saw, or no answer, changes nothing: it sets
`result` and `reason`, and ends with an error.
"""

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

_USE_PRECISION: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Removal:
    """Hold one decision, the credentials that the reviewer saw, and when they were last confirmed.

    The script compares `credentials` with AWS before it changes anything, and skips the user if AWS
    shows more access or use. An unknown credential counts as absent, so that any such access keeps
    the user. The age of a plan counts from `confirmed`. Raises ValueError if the user is not
    identified, `confirmed` is before the baseline, or the decision changes nothing.
    """

    line: LedgerLine
    credentials: Credentials
    confirmed: datetime

    def __post_init__(self) -> None:
        """Refuse a removal that the script could not compare with AWS."""
        if not self.line.identifies_user:
            raise ValueError(f"not an IAM user with a creation time: {self.line.user_key}")
        if self.confirmed < self.line.baseline:
            raise ValueError(f"confirmed before the baseline: {self.confirmed}")
        if self.line.decision not in REMOVALS:
            raise ValueError(f"nothing to carry out: {self.line.decision}")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Hold a decision to remove a user, and the reason why the plan leaves it out."""

    line: LedgerLine
    reason: str

    def __str__(self) -> str:
        """Return it as a sentence."""
        line = self.line
        owner = f" (owner {line.owner})" if line.owner else ""
        return f"{line.decision} {line.user_key.arn}{owner}: {self.reason}"


@dataclass(frozen=True, slots=True)
class RemovalPlan:
    """Hold the decisions that a script carries out, those left out, and those already done."""

    removals: tuple[Removal, ...]
    left_out: tuple[LeftOut, ...]
    done: tuple[LedgerLine, ...]


class _Candidate(NamedTuple):
    """Hold a decision in force, when a report last confirmed the user, and why it is left out."""

    line: LedgerLine
    confirmed: datetime
    reason: str = ""
    is_done: bool = False

    @property
    def is_chosen(self) -> bool:
        """Return whether the script carries it out."""
        return not (self.reason or self.is_done)


def removal_plan(
    ledger: Ledger,
    exemptions: Sequence[Exemption] = (),
    report: Report | None = None,
    pages: Iterable[Users] = (),
    decided_elsewhere: Mapping[str, PurePath] = MappingProxyType({}),
) -> RemovalPlan:
    """Return the plan for the decisions to delete or deactivate that are in force.

    `pages` are the judged pages of `report`, with the exemptions. With a report, only users that it
    shows are removed. `decided_elsewhere` names, by ARN, the file with a decision that the ledger
    lacks.
    """
    if report is None:
        possible = _candidates_of_ledger(ledger, exemptions)
    else:
        lines = ledger.removals()
        users = UsersInNewestReports(lines, report, pages)
        outcomes = decision_outcomes(ledger, lines, report, users)
        possible = [*map(_candidate_of_outcome, outcomes.values())]
    candidates = [
        candidate._replace(reason=_unsettled_reason(candidate.line, ledger, decided_elsewhere))
        if candidate.is_chosen
        else candidate
        for candidate in possible
    ]
    return RemovalPlan(
        removals=tuple(
            Removal(
                candidate.line,
                _credentials_at_decision(candidate.line, ledger),
                candidate.confirmed,
            )
            for candidate in candidates
            if candidate.is_chosen
        ),
        left_out=(
            *_left_out_by_conflict(ledger.by_user.values()),
            *(
                LeftOut(candidate.line, candidate.reason)
                for candidate in candidates
                if candidate.reason
            ),
        ),
        done=tuple(candidate.line for candidate in candidates if candidate.is_done),
    )


def with_owners(ledger: Ledger, owners: Owners, day: date) -> Ledger:
    """Return a ledger whose users have only the owners that a list gives on a day."""
    if not ledger.lines:
        return ledger
    owned = owners.columns_of(page_of_lines(ledger.lines).users, np.array(day, "datetime64[D]"))
    lines = (
        replace(line, user_row={**line.user_row, **dict(zip(owned, cells, strict=True))})
        for line, cells in zip(ledger.lines, zip(*owned.values(), strict=True), strict=True)
    )
    return replace(ledger, lines=tuple(lines))


def matching_exemptions(ledger: Ledger, exemptions: Sequence[Exemption]) -> list[Exemption]:
    """Return the exemptions of users to delete or deactivate, expired ones too."""
    matched = ExemptionMatches(page_of_lines(ledger.removals()), exemptions).matched
    return [entry for entry, count in zip(exemptions, matched, strict=True) if count]


def exemption_notes(ledger: Ledger, exemptions: Sequence[Exemption]) -> list[str]:
    """Return sentences on exemptions that expired for users in a ledger, or match none of them."""
    lines = [decisions.lines[-1] for decisions in ledger.by_user.values()]
    if not lines:
        return []
    oldest = min(line.as_of for line in lines).date()
    matches = ExemptionMatches(page_of_lines(lines), exemptions)
    uses = [*map(ExemptionUse, exemptions, matches.matched.tolist(), matches.applied.tolist())]
    expired = [use for use in uses if use.has_expired(oldest)]
    return [
        *(use.expiry_sentence for use in expired),
        *(
            f"The exemption of {use.entry.user} in account {use.entry.account} matches nobody"
            " decided on."
            for use in uses
            if not use.matched and use not in expired
        ),
    ]


def _left_out_by_conflict(every: Iterable[UserDecisions]) -> Iterator[LeftOut]:
    for user_decisions in every:
        removals = [line for line in user_decisions.current if line.decision in REMOVALS]
        # The decisions behind a line `conflict` are lost: one may be a removal.
        lost = [line for line in user_decisions.current if line.decision is Decision.CONFLICT]
        if user_decisions.is_conflict and (removals or lost):
            said = "; ".join(line.summary for line in user_decisions.current)
            yield LeftOut((removals or lost)[-1], f"the decisions are in conflict: {said}")


def _candidates_of_ledger(ledger: Ledger, exemptions: Sequence[Exemption]) -> list[_Candidate]:
    lines = ledger.removals()
    page = page_of_lines(lines)
    verdicts = [code_of(Verdict(line.user_row[columns.VERDICT])) for line in lines]
    judged = page.with_users({columns.VERDICT: as_category(np.array(verdicts), Verdict)})
    exempt = ExemptionMatches(judged, exemptions).verdict_reasons()
    return [
        _Candidate(line, line.report_time.earliest, _reason_without_report(line, ledger, why))
        for line, why in zip(lines, exempt, strict=True)
    ]


def _reason_without_report(line: LedgerLine, ledger: Ledger, exemption: str) -> str:
    """Return the first reason to leave a decision out that needs no report, empty for none.

    With a report, `outcome.py` gives the fact, and the exemption of the user comes last.
    """
    if not line.identifies_user:
        return _NOT_IDENTIFIED
    if change := overtaken_by_ledger(line, ledger):
        return _as_reason(overtaken_fact(change))
    return _exempt_reason(exemption) or _as_reason(former_name_fact(line, ledger, NamesOfOthers()))


def _candidate_of_outcome(outcome: DecisionOutcome) -> _Candidate:
    line, file, now = outcome.line, outcome.file, outcome.now
    if outcome.is_done:
        return _Candidate(line, line.report_time.earliest, is_done=True)
    if file is None or now is None or outcome.status is not FollowUpStatus.NOT_DONE:
        return _Candidate(line, line.report_time.earliest, _as_reason(outcome.fact))
    confirmed = max(line.report_time.earliest, report_time(file).earliest)
    reason = _UNCLEAR if now.credentials.is_unknown else _exempt_reason(now.exemption)
    return _Candidate(line, confirmed, reason)


def _unsettled_reason(
    line: LedgerLine, ledger: Ledger, decided_elsewhere: Mapping[str, PurePath]
) -> str:
    """Return why a decision may not be the last one, empty if it is.

    - The ledger lacks a decision, or another person withdrew the same decision on that day.
    - The person also decided on that day to remove less of the user. The ledger only shows which
      decision was collected last, and that one may be from an older copy.
    - Any person decided to remove less, dated the day before, but collected later: the dates of two
      time zones can differ by a day.

    A decision on a report that is surely newer is newer.
    """
    if file := decided_elsewhere.get(line.user_key.arn):
        return f"{file} has a decision on the user that the ledger has not"
    if other := _withdrawal_by_another(line, ledger):
        what = f"{other.decided_by} withdrew the same decision on that day, perhaps after it"
        return f"{what}: decide again with a newer date"
    sparing = [
        other
        for other in ledger.by_user[line.user_key].lines
        if removes_more(line, other) and other.decision is not Decision.CONFLICT
        if other.as_of >= line.report_time.earliest
        if other.persons_day == line.persons_day or _is_collected_a_day_ahead(line, other, ledger)
    ]
    if not sparing:
        return ""
    person, decision, day = sparing[-1].decided_by, sparing[-1].decision, sparing[-1].decided_on
    what = f"{person} also decided {decision} on that day, and one may be of an old copy"
    if day != line.decided_on:
        what = f"{person} decided {decision} after that, with the date of the day before"
    return f"{what}: decide again with a newer date"


def _withdrawal_by_another(line: LedgerLine, ledger: Ledger) -> LedgerLine | None:
    """Return the withdrawal of a person who had decided the same on that day.

    Their order is not known: the withdrawal may be meant for both decisions.
    """
    of_day = [
        other
        for other in ledger.by_user[line.user_key].lines
        if other.decided_on == line.decided_on and other.person != line.person
    ]
    agreed = {other.person for other in of_day if other.decision is line.decision}
    withdrawn = (other for other in of_day if other.decision is Decision.WITHDRAW)
    return next((other for other in withdrawn if other.person in agreed), None)


def _is_collected_a_day_ahead(line: LedgerLine, other: LedgerLine, ledger: Ledger) -> bool:
    """Return whether a line was collected before another one that is dated the day before."""
    if line.decided_on - other.decided_on != timedelta(1):
        return False
    in_order = [*map(id, ledger.lines_of_second[line.creation_second])]
    return in_order.index(id(line)) < in_order.index(id(other))


def _credentials_at_decision(line: LedgerLine, ledger: Ledger) -> Credentials:
    """Return the credentials in a line's report, with the sign-in in earlier reports decided on.

    A report has no sign-in with a deleted password; AWS still has it (IAM API Reference, `User`).
    """
    shown = ledger.credentials_at_decision[line.user_key]
    if shown.has_password is not False or shown.last_sign_in != Moment():
        return shown
    earlier = (other for other in ledger.by_user[line.user_key].lines if other.as_of <= line.as_of)
    sign_ins = (timestamp(other.user_row[columns.PASSWORD_LAST_USED]) for other in earlier)
    return replace(shown, last_sign_in=Moment(max(filter(None, sign_ins), default=None)))


def _as_reason(fact: str) -> str:
    return fact[:1].lower() + fact[1:].removesuffix(".")


def _exempt_reason(why: str) -> str:
    return f"exempt: {why}" if why else ""


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
    _, partition, _, _, account, _ = removal.line.user_key.arn.split(":", 5)
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
        "created": line.user_key.created,
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
        for name, text in (("Owner", line.owner), ("Comment", line.comment))
        if text
    )
    return f"{remarks}remove {line.decision} {_quoted(line.user_key.arn)} {' '.join(words)}"


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
