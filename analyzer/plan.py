"""Choose the users that a script deactivates or deletes, with the state that it compares with AWS.

A decision names a user by ARN and creation time. The state is that of the report: its as-of, the
newest use of the password and of every access key, and how many access keys are active.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.errors import InputRefused, Problem
from analyzer.model import Page, user_positions
from analyzer.removal_script import REMOVALS, Removal
from analyzer.review import ReviewDecision
from analyzer.review_columns import ARN, CREATED, UNUSED_USERS, Decision
from analyzer.terms import Certainty, State, Verdict

_UNUSED_ONLY: Final = "the sheet does not show the last use of a user that is not unused"
_NAME_REPORTS: Final = "Name the reports that the review was made from: --report FILE."


class UserState(NamedTuple):
    """Hold what a report shows of a user: its moment, the newest use, and the active keys."""

    as_of: datetime
    last_use: datetime | None
    active_keys: int


def decided_removals(
    decisions: Iterable[ReviewDecision], pages: Iterable[Page] | None
) -> list[Removal]:
    """Return a removal for each user decided delete or deactivate; other decisions are left out.

    Without `pages` of reports only decisions on the sheet of unused users can be carried out,
    since these users have no use and no active key by definition.

    Raises InputRefused with every decision that cannot: the creation time or the as-of is missing,
    the user is in none of the reports, or the ARN is masked.
    """
    chosen = [each for each in decisions if each.decision in REMOVALS]
    states = None if pages is None else _states_of(chosen, pages)
    removals: list[Removal] = []
    problems: list[Problem] = []
    for each in chosen:
        removal = _removal(each, states)
        if isinstance(removal, Problem):
            problems.append(removal)
        else:
            removals.append(removal)
    if problems:
        raise InputRefused(problems)
    return removals


def certain_removals(pages: Iterable[Page], decision: Decision) -> list[Removal]:
    """Return a removal for each user that is unused, certain and not exempt."""
    return [removal for page in pages for removal in _certain_on_page(page, decision)]


def _certain_on_page(page: Page, decision: Decision) -> Iterator[Removal]:
    users = page.users
    mask = (
        (users[columns.VERDICT] == Verdict.UNUSED)
        & (users[columns.CERTAINTY] == Certainty.CERTAIN)
        & (users[columns.EXEMPTION] == "")
    ).to_numpy()
    for position in np.flatnonzero(mask).tolist():
        state = _state(page, position)
        arn, created = users[columns.ARN].iloc[position], users[columns.CREATED].iloc[position]
        yield Removal(
            arn=arn,
            created=created.to_pydatetime(),
            as_of=state.as_of,
            decision=decision,
            last_use=state.last_use,
            active_keys=state.active_keys,
        )


def _states_of(
    decisions: Sequence[ReviewDecision], pages: Iterable[Page]
) -> dict[tuple[str, datetime], UserState]:
    """Return by ARN and creation time the state of the users that the decisions name."""
    known = dict.fromkeys((each.arn, each.created) for each in decisions if each.created)
    pairs = [(arn, created) for arn, created in known if created]
    states: dict[tuple[str, datetime], UserState] = {}
    for page in pages:
        at = user_positions(page.users, pairs)
        for position in np.flatnonzero(at >= 0).tolist():
            states[pairs[at[position]]] = _state(page, position)
    return states


def _state(page: Page, position: int) -> UserState:
    slots = [position + slot * len(page) for slot in range(len(columns.SLOTS))]
    keys = page.keys.iloc[slots]
    uses = [page.users[columns.PASSWORD_LAST_USED].iloc[position], *keys[columns.LAST_USED]]
    known = [use.to_pydatetime() for use in uses if not pd.isna(use)]
    return UserState(
        as_of=page.users[columns.AS_OF].iloc[position].to_pydatetime(),
        last_use=max(known, default=None),
        active_keys=int((keys[columns.STATE] == State.ACTIVE).sum()),
    )


def _removal(
    decision: ReviewDecision, states: dict[tuple[str, datetime], UserState] | None
) -> Removal | Problem:
    if decision.created is None:
        hint = "Give the creation time as the report has it."
        return _problem(decision, CREATED, "the creation time of the user is missing", hint)
    if states is None:
        state = _state_of_unused(decision)
    else:
        state = states.get((decision.arn, decision.created))
    if state is None and states is None:
        return _problem(decision, ARN, _UNUSED_ONLY, _NAME_REPORTS)
    if state is None:
        message = "no user in the reports has this ARN and this creation time"
        return _problem(decision, ARN, message, "Remove the decision, or name another report.")
    try:
        return Removal(
            arn=decision.arn,
            created=decision.created,
            as_of=state.as_of,
            decision=decision.decision,
            last_use=state.last_use,
            active_keys=state.active_keys,
            decided_by=decision.decided_by,
            ticket=decision.ticket,
        )
    except ValueError as error:
        return _problem(decision, ARN, str(error), "Decide on it by the report of its account.")


def _state_of_unused(decision: ReviewDecision) -> UserState | None:
    """Return the state that every unused user has, None where the sheet does not tell it."""
    if not decision.sheet.startswith(UNUSED_USERS) or decision.as_of is None:
        return None
    return UserState(decision.as_of.astimezone(UTC), None, 0)


def _problem(decision: ReviewDecision, column: str, message: str, hint: str) -> Problem:
    place = f"{decision.file}, sheet {decision.sheet}"
    return Problem(place, decision.row, column, decision.arn, message, hint)
