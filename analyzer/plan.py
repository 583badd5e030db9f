"""Choose the users that a script deactivates or deletes, with the state that it compares with AWS.

A decision names a user by ARN and creation time. The state is that of the report, as the row of
the decision or the report itself shows it: its as-of, the newest use of the password and of every
access key, and how many access keys are active.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.decisions.removal_script import Removal
from analyzer.errors import InputRefused, Problem
from analyzer.model import Page, user_positions
from analyzer.report.notes import short_list
from analyzer.review import ReviewDecision, ReviewWorkbook, UserState
from analyzer.review_columns import ARN, CREATED, DECIDED_BY, DECIDED_ON, REMOVALS, Decision
from analyzer.terms import Certainty, State, Verdict

StateOf = Callable[[ReviewDecision], UserState | Problem]
"""Return the state of the user that a decision names, or why it is not known."""

_OTHER_REPORT_HINT: Final = "Remove the decision, or name another report."


def decided_removals(decisions: Iterable[ReviewDecision], state_of: StateOf) -> list[Removal]:
    """Return a removal for each user decided delete or deactivate; other decisions are left out.

    Raises InputRefused with every decision that cannot be carried out: the creation time is
    missing, the state is not known, the user was used on a later day, or the ARN is masked.
    """
    removals: list[Removal] = []
    problems: list[Problem] = []
    for each in decisions:
        if each.decision in REMOVALS:
            removal = _removal(each, state_of)
            if isinstance(removal, Problem):
                problems.append(removal)
            else:
                removals.append(removal)
    if problems:
        raise InputRefused(problems)
    return removals


def states_in_workbooks(workbooks: Iterable[ReviewWorkbook]) -> StateOf:
    """Return the states that the rows of the decisions show."""
    states = {place: state for each in workbooks for place, state in each.states.items()}
    return lambda decision: states[decision.place]


def states_in_reports(decisions: Iterable[ReviewDecision], pages: Iterable[Page]) -> StateOf:
    """Return the states that reports show of the users whom the decisions name."""
    states = _states_of(decisions, pages)

    def state_of(decision: ReviewDecision) -> UserState | Problem:
        user = decision.arn, decision.created
        message = "no user in the reports has this ARN and this creation time"
        return states.get(user) or _problem(decision, ARN, message, _OTHER_REPORT_HINT)

    return state_of


def unsigned_decision_notes(decisions: Iterable[ReviewDecision]) -> list[str]:
    """Return in which rows of each sheet a decision to carry out has no name or no date."""
    rows: dict[str, list[str]] = {}
    for each in decisions:
        for head in _empty_cells(each) if each.decision in REMOVALS else ():
            where = f"{each.file}, sheet {each.sheet}: {head} is empty"
            rows.setdefault(where, []).append(str(each.row))
    return [
        f"{where}. Rows: {len(numbers):,} ({short_list(numbers)})."
        for where, numbers in rows.items()
    ]


def _empty_cells(decision: ReviewDecision) -> Iterator[str]:
    if not decision.decided_by:
        yield DECIDED_BY
    if not decision.has_entered_date:
        yield DECIDED_ON


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
            decision=decision,
            baseline=state.as_of,
            confirmed=state.as_of,
            password_last_used=state.last_use,
            decided_by="",
            decided_on=state.as_of.date(),
        )


def _states_of(
    decisions: Iterable[ReviewDecision], pages: Iterable[Page]
) -> dict[tuple[str, datetime | None], UserState]:
    """Return by ARN and creation time the state of the users that the decisions name."""
    known = dict.fromkeys((each.arn, each.created) for each in decisions if each.created)
    pairs = [(arn, created) for arn, created in known if created]
    states: dict[tuple[str, datetime | None], UserState] = {}
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


def _removal(decision: ReviewDecision, state_of: StateOf) -> Removal | Problem:
    if decision.created is None:
        hint = "Give the creation time as the report has it."
        return _problem(decision, CREATED, "the creation time of the user is missing", hint)
    state = state_of(decision)
    if isinstance(state, Problem):
        return state
    if state.last_use and state.last_use.date() > decision.decided_on:
        message = f"the user was used on {state.last_use:%Y-%m-%d}, after the decision"
        return _problem(decision, DECIDED_ON, message, "Decide again, and give the new date.")
    try:
        return Removal(
            arn=decision.arn,
            created=decision.created,
            decision=decision.decision,
            baseline=state.as_of,
            confirmed=state.as_of,
            password_last_used=state.last_use,
            decided_by=decision.decided_by,
            decided_on=decision.decided_on,
            ticket=decision.ticket,
        )
    except ValueError as error:
        message = str(error).removesuffix(f": {decision.arn!r}")  # the problem shows it
        return _problem(decision, ARN, message, "Decide on it by the report of its account.")


def _problem(decision: ReviewDecision, column: str, message: str, hint: str) -> Problem:
    place = f"{decision.file}, sheet {decision.sheet}"
    return Problem(place, decision.row, column, decision.arn, message, hint)
