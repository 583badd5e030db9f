"""Choose the users that a script deactivates or deletes, and say why others are left out.

The script compares each user with what the reviewer saw. A newer report adds what changed since:
it can only take users out.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, NamedTuple

import numpy as np

from analyzer import columns
from analyzer.decisions.follow_up import (
    FollowUpStatus,
    Outcome,
    outcomes,
    page_of_lines,
    report_time,
    states_decided_on,
)
from analyzer.decisions.ledger import Ledger
from analyzer.decisions.removal_script import Removal
from analyzer.decisions.review_columns import REMOVALS
from analyzer.decisions.user_decisions import LedgerLine, UserDecisions
from analyzer.lists.exemptions import EntryUse, ExemptionMatches, has_expired
from analyzer.lists.owners import Owners
from analyzer.report.model import Exemption, Page, Report, as_category
from analyzer.terms import Verdict, code_of

_NOT_IDENTIFIED: Final = "its creation time or account is not known"
_UNCLEAR: Final = "the report does not show all its credentials"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Name a user that somebody decided to remove, and why the plan leaves it out."""

    line: LedgerLine
    reason: str

    def __str__(self) -> str:
        """Return it as a sentence."""
        return f"{self.line.decided_text}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Plan:
    """Hold what a script carries out, which users it leaves out, and what is done already."""

    removals: tuple[Removal, ...]
    left_out: tuple[LeftOut, ...]
    done: tuple[LedgerLine, ...]


class _Candidate(NamedTuple):
    """Hold a decision in force, when a report last confirmed the user, and why it is left out."""

    line: LedgerLine
    confirmed: datetime
    reason: str = ""
    is_done: bool = False


def plan(
    ledger: Ledger,
    exemptions: Sequence[Exemption] = (),
    report: Report | None = None,
    pages: Iterable[Page] = (),
) -> Plan:
    """Return the plan for the decisions to delete or deactivate that are in force.

    `pages` are the judged pages of `report`, with the exemptions. Where there is a report, only
    users that it shows are taken.
    """
    lines = ledger.removals()
    if report is None:
        candidates = _by_ledger(lines, exemptions)
    else:
        candidates = [*map(_by_outcome, outcomes(lines, report, pages).values())]
    chosen = [each for each in candidates if not each.reason and not each.is_done]
    before = states_decided_on([each.line for each in chosen])
    return Plan(
        removals=tuple(
            Removal(each.line, state, each.confirmed)
            for each, state in zip(chosen, before, strict=True)
        ),
        left_out=(
            *_in_conflict(ledger.by_user.values()),
            *(LeftOut(each.line, each.reason) for each in candidates if each.reason),
        ),
        done=tuple(each.line for each in candidates if each.is_done),
    )


def with_owners(ledger: Ledger, owners: Owners, day: date) -> Ledger:
    """Return a ledger whose users have the owners that a list gives on a day, and no others."""
    if not ledger.lines:
        return ledger
    owned = owners.columns_of(page_of_lines(ledger.lines).users, np.array(day, "datetime64[D]"))
    lines = (
        replace(line, report_cells={**line.report_cells, **dict(zip(owned, cells, strict=True))})
        for line, cells in zip(ledger.lines, zip(*owned.values(), strict=True), strict=True)
    )
    return replace(ledger, lines=tuple(lines))


def exemption_notes(ledger: Ledger, exemptions: Sequence[Exemption]) -> list[str]:
    """Return sentences on exemptions that expired for users in a ledger, or match nobody there."""
    lines = [each.lines[-1] for each in ledger.by_user.values()]
    if not lines:
        return []
    oldest = min(line.as_of for line in lines).date()
    matches = ExemptionMatches(page_of_lines(lines), exemptions)
    entries = [*map(EntryUse, exemptions, matches.matched.tolist(), matches.applied.tolist())]
    expired = [each for each in entries if each.has_expired(oldest)]
    return [
        *(each.expiry_sentence for each in expired),
        *(
            f"The exemption of {entry.user} in account {entry.account} matches nobody decided on."
            for entry, matched, _ in entries
            if not matched and not has_expired(entry, oldest)
        ),
    ]


def _in_conflict(every: Iterable[UserDecisions]) -> Iterator[LeftOut]:
    """Yield the decisions to remove a user on which people disagree."""
    for of_user in every:
        removals = [line for line in of_user.current if line.decision in REMOVALS]
        if of_user.is_conflict and removals:
            said = "; ".join(line.summary for line in of_user.current)
            yield LeftOut(removals[-1], f"the decisions are in conflict: {said}")


def _by_ledger(lines: Sequence[LedgerLine], exemptions: Sequence[Exemption]) -> list[_Candidate]:
    """Return the candidates as far as the lines show them."""
    page = page_of_lines(lines)
    verdicts = [code_of(Verdict(line.report_cells[columns.VERDICT])) for line in lines]
    judged = page.with_users({columns.VERDICT: as_category(np.array(verdicts), Verdict)})
    exempt = [*ExemptionMatches(judged, exemptions).verdict_reasons()]
    return [
        _Candidate(
            line,
            line.report_time.confirmed,
            _exempt_reason(why) if line.identifies_user else _NOT_IDENTIFIED,
        )
        for line, why in zip(lines, exempt, strict=True)
    ]


def _by_outcome(outcome: Outcome) -> _Candidate:
    """Return the candidate as a later report shows it."""
    line, file, now = outcome.line, outcome.file, outcome.now
    if outcome.is_done:
        return _Candidate(line, line.report_time.confirmed, is_done=True)
    if file is None or now is None or outcome.status is not FollowUpStatus.NOT_DONE:
        return _Candidate(line, line.report_time.confirmed, _without_stop(outcome.fact))
    confirmed = max(line.report_time.confirmed, report_time(file).confirmed)
    reason = _UNCLEAR if now.state.is_unknown else _exempt_reason(now.exemption)
    return _Candidate(line, confirmed, reason)


def _exempt_reason(why: str) -> str:
    return f"exempt: {why}" if why else ""


def _without_stop(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:].removesuffix(".")
