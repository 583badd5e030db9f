"""What became of a removal is computed from the reports given: the first state that fits."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.decisions.decision import LedgerLine
from analyzer.decisions.fate import Fate, Overdue, State
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    COLUMNS,
    MORE_CREDENTIALS,
    Row,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    report_text,
    saved,
    saved_credentials,
    the_root,
)
from tests.support.decisions import (
    DAY,
    OTHER_ACCOUNT,
    analysis_of,
    console_name,
    ledger_of,
    line,
    over_time,
)
from tests.support.named_reports import load_named

SECOND, ONE_DAY = timedelta(seconds=1), timedelta(days=1)
BEFORE, WEEK, LATER, LAST = (AS_OF + timedelta(days=number) for number in (-1, 7, 40, 50))
SIXTY = (AS_OF + 60 * ONE_DAY).replace(hour=23, minute=59, second=59)
QUIET, KEY, OFF = a_user(), a_user(key_1=a_key()), a_user(key_1=an_inactive_key())
PASSWORD, MFA = a_user(password=a_password()), a_user(mfa=True)
SIGNED_IN = a_user(password=a_password(days_before(200)))
X, ROB = a_user("x"), a_user("rob", created="#####")

Reports = Mapping[datetime, Sequence[Row]]
Case = tuple[LedgerLine | Sequence[LedgerLine], Reports, State, str]
"""Words, the users in reports, and state and fact of the removal of `quiet`."""


def delete(user: Row = QUIET, **fields: Any) -> LedgerLine:
    return line("delete", user, **fields)


def deactivate(user: Row = KEY, **fields: Any) -> LedgerLine:
    return line("deactivate", user, **fields)


def keep(user: Row = QUIET, days: int = 1, **fields: Any) -> LedgerLine:
    return line("keep", user, by="Bob", on=DAY + days * ONE_DAY, **fields)


def created(at: datetime | str, name: str = "quiet", **more: Any) -> Row:
    return a_user(name, created=at, **more)


def fate_of(analysis: Analysis, account: str = ACCOUNT) -> Fate:
    """Return the fate of the user in an account."""
    of_name = analysis.follow_up_result.fates.items()
    (fate,) = (each for user, each in of_name if user[:2] == (account, "quiet"))
    return fate


def fates_of(*cases: tuple[LedgerLine | Sequence[LedgerLine], Reports, Any, Any]) -> list[Fate]:
    """Judge all cases at once, each in an account of its own."""
    in_accounts = (
        (
            [lines] if isinstance(lines, LedgerLine) else lines,
            {console_name(at): users for at, users in reports.items()},
        )
        for lines, reports, *_ in cases
    )
    analysis = over_time(*in_accounts)
    return [fate_of(analysis, f"{at:012}") for at in range(len(cases))]


DONE, OTHERWISE, CONTESTED = State.DONE, State.DONE_OTHERWISE, State.CONTESTED
OPEN, UNKNOWN, CHANGED, LAPSED = State.OPEN, State.UNKNOWN, State.CHANGED, State.LAPSED
DEACTIVATED, NOTHING_TO_DO = State.DEACTIVATED, State.NOTHING_TO_DO
GONE, NO_CREDENTIALS, STILL = "the user is gone", "no working credentials", "still there"
NOT_NEW = "no report of the account is as new as the one decided on"
FIRST = "deactivated first; write delete again, on a report that shows no access"
ACTIVE = {**delete().user_row, "verdict": "active"}
UNREAD_MFA = QUIET | {"mfa_active": "maybe"}
UNREAD = [
    *(QUIET | {cell: "?"} for cell in ("access_key_1_active", "cert_1_active")),
    *(
        a_user(password={**a_password(last_used), "password_enabled": enabled})
        for enabled, last_used in (("?", "no_information"), ("?", days_before(200)), ("true", "?"))
    ),
]
OF_BEN = "not deleted, as people wrote deactivate, Ben, 2026-05-01"
HIDDEN = "not all its credentials are understood (report status_reports_2026"
OF_X = "not as it was seen: users created with it (x)"


def differs(what: str) -> str:
    return f"not as it was seen: {what} (report status_reports_2026"


CASES: dict[str, list[Case]] = {
    "a user is gone when a newer report with its root lacks the name and creation time": [
        *((each, {LATER: []}, DONE, GONE) for each in (delete(), deactivate())),
        (delete(), {AS_OF: [QUIET], LATER: [created(LATER)]}, DONE, GONE),
        (delete(), {AS_OF + SECOND: []}, DONE, GONE),
        # The report decided on, or an older one, shows nothing done.
        (delete(), {AS_OF: []}, UNKNOWN, "not in the report"),
        (delete(), {BEFORE: []}, UNKNOWN, NOT_NEW),
        # One of its name whose creation time is not understood may be the user.
        (delete(), {LATER: [created("#####")]}, UNKNOWN, "its creation time is not understood"),
        # Perhaps renamed: another name of its second that was not there.
        (delete(), {LATER: [X]}, UNKNOWN, "not in the report"),
        # One of another name, whose creation time is not understood, is none of its second.
        (delete(), {LATER: [ROB]}, DONE, GONE),
        (delete(beside=["x"]), {LATER: [X]}, DONE, GONE),
        (delete(beside=["x", "y"]), {LATER: [X]}, DONE, GONE),
        (delete(beside=None), {LATER: []}, UNKNOWN, "name the report of 2026-05-01T12:00:00Z too"),
        (delete(beside=None), {AS_OF: [QUIET, X], LATER: [X]}, DONE, GONE),
        # It was gone, and is there again: no user comes back.
        (delete(), {WEEK: [], LATER: [QUIET]}, UNKNOWN, "not in the report"),
    ],
    "a deactivate is done when no credentials are left that were there": [
        (deactivate(), {WEEK: [KEY], LATER: [OFF]}, DONE, NO_CREDENTIALS),
        (deactivate(), {WEEK: [OFF], LATER: [KEY]}, CHANGED, differs("access keys")),
        (deactivate(), {LATER: [KEY]}, OPEN, STILL),
        (deactivate(PASSWORD), {LATER: [QUIET]}, DONE, NO_CREDENTIALS),
        # Whether there were any is not known.
        (deactivate(UNREAD_MFA), {LATER: [QUIET]}, DONE, NO_CREDENTIALS),
        (deactivate(QUIET), {LATER: [QUIET]}, NOTHING_TO_DO, NO_CREDENTIALS),
        (deactivate(QUIET), {LATER: []}, DONE, GONE),
        (deactivate(OFF), {LATER: [KEY]}, NOTHING_TO_DO, NO_CREDENTIALS),
        (deactivate(), {LATER: [OFF | {"mfa_active": "?"}]}, UNKNOWN, HIDDEN),
        (delete(KEY), {LATER: [OFF]}, DEACTIVATED, "no access is left: write delete again"),
        (delete(KEY), {LATER: [KEY]}, OPEN, FIRST),
        (delete(KEY), {LATER: []}, DONE, GONE),
        (delete(SIGNED_IN), {LATER: [QUIET]}, DEACTIVATED, "no access is left"),
        (delete(PASSWORD), {LATER: [QUIET]}, CHANGED, differs("password")),
    ],
    "what is not understood is no access that a delete could have ended": [
        *(
            (delete(user), {LATER: [QUIET]}, UNKNOWN, "not all its credentials were understood")
            for user in UNREAD
        ),
        (delete(KEY | {"cert_1_active": "?"}), {LATER: [QUIET]}, DEACTIVATED, "no access is left"),
    ],
    "whose deactivate decides is named": [
        *(
            (
                [delete(by=by), deactivate(QUIET, by="Ben")],
                {LATER: [QUIET]},
                NOTHING_TO_DO,
                f"{NO_CREDENTIALS}; {OF_BEN}",
            )
            for by in ("Ann", "Cid")
        ),
        ([delete(KEY), deactivate(by="Ben")], {LATER: [KEY]}, OPEN, OF_BEN),
    ],
    "done, but not as it was decided, is told apart": [
        (delete(), {WEEK: [KEY], LATER: []}, OTHERWISE, f"{GONE}; changed before: access keys"),
        (delete(), {WEEK: [KEY], LATER: [], LAST: []}, OTHERWISE, f"{GONE}; changed before"),
        (delete(), {WEEK: [QUIET], LATER: [], LAST: []}, DONE, GONE),
        (delete(), {WEEK: [KEY], LATER: [QUIET], LAST: []}, DONE, GONE),
        ([delete(), keep()], {LATER: []}, OTHERWISE, f"{GONE}; people differed: keep, Bob, 2026"),
        (
            [deactivate(), keep(KEY)],
            {LATER: [OFF]},
            OTHERWISE,
            f"{NO_CREDENTIALS}; people differed",
        ),
        (delete(beside=["x"]), {WEEK: [QUIET], LATER: []}, OTHERWISE, f"{GONE}; changed before"),
        (delete(), {WEEK: [X], LATER: []}, OTHERWISE, f"{GONE}; changed before: not shown"),
    ],
    "people who disagree come before what the reports show": [
        ([delete(), keep()], {LATER: [KEY]}, CONTESTED, "delete, Anna, 2026-05-01; keep, Bob"),
        ([deactivate(QUIET), keep()], {LATER: [QUIET]}, CONTESTED, "deactivate, Anna"),
        ([delete(), keep(days=70)], {LATER: [QUIET]}, CONTESTED, "delete, Anna"),
        ([delete(), keep(X, 0)], {AS_OF: [QUIET], LATER: [QUIET]}, CONTESTED, "delete, Anna"),
    ],
    "a removal lapses after sixty days from the report decided on": [
        (delete(), {SIXTY: [QUIET]}, OPEN, STILL),
        (delete(), {SIXTY + SECOND: [QUIET]}, LAPSED, "decided on a report of 2026-05-01, more"),
        (delete(on=DAY + 60 * ONE_DAY), {WEEK: [QUIET]}, OPEN, STILL),
        (delete(on=DAY + 61 * ONE_DAY), {WEEK: [QUIET]}, LAPSED, "decided on a report of 2026"),
        (delete(on=DAY + 61 * ONE_DAY), {}, LAPSED, "decided on a report of 2026-05-01"),
        (delete(), {SIXTY + SECOND: []}, DONE, GONE),
        (delete(), {SIXTY + SECOND: [KEY]}, LAPSED, "decided on a report"),
    ],
    "nothing is said of whom a report does not show, or not enough of": [
        (delete(), {BEFORE: [QUIET]}, UNKNOWN, NOT_NEW),
        (delete(), {}, UNKNOWN, NOT_NEW),
        (delete(), {WEEK: [UNREAD_MFA], LATER: [QUIET]}, UNKNOWN, HIDDEN),
        (delete(UNREAD_MFA), {LATER: [QUIET]}, UNKNOWN, "not all its credentials were underst"),
        (delete(UNREAD_MFA), {LATER: [UNREAD_MFA]}, UNKNOWN, "not all its credentials were"),
        (
            delete(created("N/A")),
            {LATER: [created("N/A")]},
            UNKNOWN,
            "the creation time or the account",
        ),
        (delete(beside=None), {LATER: [QUIET]}, UNKNOWN, "name the report of"),
    ],
    "every report from the one decided on shows the user as it was seen, or it changed": [
        (delete(), {AS_OF: [QUIET]}, OPEN, STILL),
        (delete(), {AS_OF: [QUIET], WEEK: [QUIET], LATER: [QUIET]}, OPEN, STILL),
        (delete(), {BEFORE: [KEY], LATER: [QUIET]}, OPEN, STILL),
        (delete(), {WEEK: [KEY], LATER: [QUIET]}, CHANGED, differs("access keys")),
        (delete(), {AS_OF: [KEY], LATER: [QUIET]}, CHANGED, differs("access keys")),
        (delete(), {LATER: [PASSWORD]}, CHANGED, differs("password")),
        (delete(), {LATER: [MFA]}, CHANGED, differs("MFA")),
        (
            delete(),
            {LATER: [a_user(certificate_1=a_certificate())]},
            CHANGED,
            differs("certificates"),
        ),
        (delete(PASSWORD), {LATER: [SIGNED_IN]}, CHANGED, differs("last sign-in")),
        (
            delete(PASSWORD),
            {LATER: [a_user(password=a_password(changed=AS_OF))]},
            CHANGED,
            differs("password"),
        ),
        (
            delete(OFF),
            {LATER: [a_user(key_1=an_inactive_key(used=AS_OF))]},
            CHANGED,
            differs("access keys"),
        ),
        # Less access is a difference too.
        (deactivate(), {LATER: [a_user(key_1=a_key(), mfa=True)]}, CHANGED, differs("MFA")),
        (delete(MFA), {LATER: [QUIET]}, CHANGED, differs("MFA")),
        (delete(OFF), {LATER: [QUIET]}, CHANGED, differs("access keys")),
        # AWS moves a key to another slot; a path counts for nothing.
        (delete(OFF), {LATER: [a_user(key_2=an_inactive_key())]}, OPEN, STILL),
        (delete(), {LATER: [a_user(path="ops/")]}, OPEN, STILL),
        # The same names in its second, but for those on whom a delete stands.
        (delete(), {LATER: [QUIET, X]}, CHANGED, differs("users created with it (x)")),
        (delete(beside=["x"]), {LATER: [QUIET]}, CHANGED, differs("users created with it (x)")),
        (delete(beside=["x"]), {LATER: [QUIET, X]}, OPEN, STILL),
        ([delete(beside=["x"]), delete(X, beside=["quiet"])], {LATER: [QUIET]}, OPEN, STILL),
        (
            [delete(beside=["x"]), deactivate(X, beside=["quiet"])],
            {LATER: [QUIET]},
            CHANGED,
            differs("users created with it (x)"),
        ),
        (delete(beside=None), {AS_OF: [QUIET, X], LATER: [QUIET, X]}, OPEN, STILL),
        (delete(beside=None), {AS_OF: [QUIET, X], LATER: [QUIET]}, CHANGED, OF_X),
    ],
    "who was active when it was decided on is left alone": [
        (delete(user_row=ACTIVE), {LATER: [QUIET]}, State.ACTIVE, "the verdict was active"),
    ],
}


@cache
def judged() -> dict[str, list[Fate]]:
    """Judge all cases at once."""
    every = iter(fates_of(*(case for cases in CASES.values() for case in cases)))
    return {promise: [next(every) for _ in cases] for promise, cases in CASES.items()}


@pytest.mark.parametrize("promise", CASES)
def test_of_a_removal(promise: str) -> None:
    for fate, case in zip(judged()[promise], CASES[promise], strict=True):
        *_, state, fact = case
        assert (fate.state, fate.fact.startswith(fact)) == (state, True), (fate.fact, case)


USED = a_user(password={**a_password(days_before(200)), "password_enabled": "false"})
NEVER_READ = a_user(password=a_password("soon"))
UNREAD_KEY, ON_CERTIFICATE = a_user(access_key_1_active="?"), a_user(certificate_1=a_certificate())
ACTIONS = [
    *((user, "delete") for user in (QUIET, OFF, PASSWORD, USED, MFA)),
    *((user, "deactivate") for user in (KEY, SIGNED_IN, ON_CERTIFICATE, NEVER_READ, UNREAD_KEY)),
]
"""A user as it was seen, and what a `delete` may do."""


def test_a_delete_deletes_only_who_was_seen_without_access() -> None:
    cases = [(delete(user), {LATER: [user]}, None, None) for user, _ in ACTIONS]
    assert [str(fate.action) for fate in fates_of(*cases)] == [action for *_, action in ACTIONS]
    assert fates_of((deactivate(QUIET), {AS_OF: [QUIET]}, None, None))[0].action == "deactivate"


SINCE: list[tuple[LedgerLine, Reports, datetime | None]] = [
    (delete(), {WEEK: [QUIET], LATER: [], LAST: []}, LATER),
    (deactivate(), {WEEK: [OFF], LATER: []}, WEEK),
    (deactivate(), {WEEK: [OFF], LATER: [KEY], LAST: [OFF]}, LAST),
    (deactivate(), {LATER: [KEY]}, None),
]
"""A removal, later reports, and since when it is done."""


def test_it_is_done_since_the_first_report_from_which_on_all_show_it() -> None:
    fates = fates_of(*((lines, reports, None, None) for lines, reports, _ in SINCE))
    found = [fate.done_since.time if fate.done_since else None for fate in fates]
    assert found == [at for *_, at in SINCE]


LAPSES, NEXT = SIXTY + SECOND, AS_OF + 92 * ONE_DAY
LATE, UNDONE = Overdue.NOT_CARRIED_OUT, Overdue.UNDONE
ON_NEXT: dict[str, Any] = {"as_of": NEXT, "on": NEXT.date()}
LATE_CASES: list[tuple[LedgerLine | Sequence[LedgerLine], Reports, State, Overdue | None]] = [
    (delete(), {AS_OF + 30 * ONE_DAY: [QUIET]}, OPEN, None),
    (delete(), {(AS_OF + 31 * ONE_DAY).replace(hour=0): [QUIET]}, OPEN, LATE),
    (delete(on=DAY + 20 * ONE_DAY), {LATER: [QUIET]}, OPEN, LATE),
    # Waiting takes no exception away, whatever the user shows by then.
    (delete(), {LAPSES: [QUIET]}, LAPSED, LATE),
    (delete(), {WEEK: [QUIET], NEXT: [QUIET]}, LAPSED, LATE),
    (delete(), {LATER: [MFA], NEXT: [MFA]}, LAPSED, LATE),
    (delete(), {NEXT: [X]}, LAPSED, LATE),
    (delete(user_row=ACTIVE), {NEXT: [QUIET]}, LAPSED, LATE),
    # Other states are what they are.
    (delete(), {LATER: [MFA]}, CHANGED, None),
    (delete(), {LATER: [X]}, UNKNOWN, None),
    (delete(KEY), {NEXT: [OFF]}, DEACTIVATED, None),
    (deactivate(QUIET), {NEXT: [QUIET]}, NOTHING_TO_DO, None),
    # A report shows it done, or a newer word stands on the user.
    (delete(), {LATER: [QUIET], NEXT: []}, DONE, None),
    ([delete(), delete(**ON_NEXT)], {LATER: [QUIET], NEXT: [QUIET]}, OPEN, None),
    ([delete(), deactivate(QUIET, by="Ben", **ON_NEXT)], {NEXT: [QUIET]}, NOTHING_TO_DO, None),
    ([delete(), keep(days=92, as_of=NEXT)], {NEXT: [QUIET]}, CONTESTED, None),
    # A word on the report that had been decided on does not start the days again.
    ([delete(), delete(by="Ben", on=NEXT.date())], {NEXT: [QUIET]}, LAPSED, LATE),
    # An earlier report shows it done, and the newest shows access again.
    (deactivate(), {WEEK: [OFF], LATER: [KEY]}, CHANGED, UNDONE),
    (deactivate(), {WEEK: [OFF], NEXT: [KEY]}, LAPSED, UNDONE),
    (deactivate(), {WEEK: [OFF], NEXT: [PASSWORD]}, LAPSED, UNDONE),
    (deactivate(), {WEEK: [OFF], LATER: [KEY], NEXT: [OFF]}, DONE, None),
    (delete(KEY), {WEEK: [OFF], LATER: [KEY]}, CHANGED, UNDONE),
    (delete(KEY), {WEEK: [OFF], LATER: [KEY], NEXT: [OFF]}, DEACTIVATED, None),
    ([deactivate(), keep(KEY)], {WEEK: [OFF], LATER: [KEY]}, CONTESTED, UNDONE),
    (delete(), {WEEK: [], LATER: [QUIET]}, UNKNOWN, UNDONE),
    (delete(), {WEEK: [], NEXT: [QUIET]}, LAPSED, UNDONE),
    # The report decided on shows nothing done, and a delete of this user is no deactivation.
    (deactivate(OFF), {LATER: [KEY]}, NOTHING_TO_DO, None),
    (delete(PASSWORD), {WEEK: [QUIET], NEXT: [PASSWORD]}, LAPSED, LATE),
    # It was done, and whether there is access again is not known.
    (deactivate(), {WEEK: [OFF], NEXT: [OFF | {"cert_1_active": "?"}]}, LAPSED, None),
    (deactivate(), {WEEK: [OFF], LATER: [X]}, UNKNOWN, None),
    ([deactivate(), deactivate(by="Ben", **ON_NEXT)], {WEEK: [OFF], NEXT: [KEY]}, OPEN, None),
]
"""Words, later reports, the state of the removal, and why it is overdue."""


def test_a_removal_is_overdue_until_a_report_shows_it_done_and_once_more_if_it_is_undone() -> None:
    fates = fates_of(*((lines, reports, None, None) for lines, reports, *_ in LATE_CASES))
    for case, fate in zip(LATE_CASES, fates, strict=True):
        assert (fate.state, fate.overdue) == case[2:], case


def loaded(
    users: Sequence[Row], as_of: datetime | None, name: str, *decided: LedgerLine
) -> Analysis:
    report = load_named((name, report_text(users).encode()), as_of=as_of)
    return analyzer.analyze(report, ledger=ledger_of(*decided))


def test_as_of_set_by_hand_is_no_time_of_a_report() -> None:
    since = a_user("new", created=WEEK)
    cases = [([], UNKNOWN), ([QUIET], UNKNOWN), ([since], DONE), ([QUIET, since], OPEN)]
    for users, state in cases:
        analysis = loaded(users, SIXTY + ONE_DAY, "report.csv", delete())
        assert fate_of(analysis).state is state, users
    set_later = {"as_of": f"{LATER:%Y-%m-%dT%H:%M:%SZ}", "as_of_source": "option"}
    on_set = delete(on=LATER.date(), user_row={**delete().user_row, **set_later})
    assert fate_of(loaded([QUIET], None, console_name(WEEK), on_set)).state is LAPSED


def test_a_day_without_a_time_counts_as_its_start() -> None:
    ends = AS_OF.replace(hour=23, minute=59, second=59)
    of_day = delete(as_of=ends, user_row={**delete(as_of=ends).user_row, "as_of_source": "folder"})
    for decided, name, state in (
        (delete(), "2026-05-01.csv", UNKNOWN),
        (delete(), "2026-05-02.csv", DONE),
        (of_day, console_name(AS_OF.replace(hour=0, minute=0, second=0)), UNKNOWN),
        (of_day, console_name(AS_OF.replace(hour=0, second=1)), DONE),
    ):
        assert fate_of(loaded([], None, name, decided)).state is state, name


def test_a_report_without_the_root_of_the_account_shows_nobody_gone() -> None:
    other = a_user("other", created=days_before(9))
    for arn in ("arn:aws:iam::111122223333:root", "arn:aws:iam::012XXXXXXXXX:root"):
        analysis = analysis_of(
            other, as_of=LATER, ledger=ledger_of(delete()), root=the_root(arn=arn)
        )
        fate = fate_of(analysis)
        assert fate.state is UNKNOWN
        assert "which has no row of the root user" in fate.fact


def test_more_credentials_than_the_slots_show_are_a_difference() -> None:
    heads, root = (*COLUMNS, MORE_CREDENTIALS), the_root(**{MORE_CREDENTIALS: "N/A"})
    for cells, decided, state in (
        ("N/A", delete(), OPEN),
        ("1 more", delete(), CHANGED),
        ("?", delete(), CHANGED),
        ("N/A", deactivate(), DONE),
        ("1 more", deactivate(), CHANGED),
    ):
        reports = {console_name(LATER): [QUIET | {MORE_CREDENTIALS: cells}]}
        analysis = over_time(([decided], reports), heads=heads, root=root)
        assert fate_of(analysis, "000000000000").state is state, cells


LISTED = {"user_row": {**deactivate(QUIET).user_row, "caveats": "new-user;service-credential"}}
DORMANT = {**delete().user_row, "verdict": "dormant", "certainty": ""}
LISTS: list[tuple[LedgerLine, dict[datetime, str], State]] = [
    (delete(), {}, OPEN),
    (delete(), {LATER: "Inactive"}, OPEN),
    # One that only a later report has must show none active.
    (delete(), {LATER: "Active"}, CHANGED),
    (delete(), {AS_OF: "Active", LATER: "Active"}, OPEN),
    # A list that only the report decided on has is no difference.
    (delete(), {AS_OF: "Active"}, OPEN),
    (delete(), {AS_OF: "Active", LATER: "Inactive"}, DEACTIVATED),
    # Without the report decided on, a caveat shows that there was one, but not which.
    (deactivate(QUIET, **LISTED), {LATER: "Active"}, UNKNOWN),
    # Of a dormant user no caveat says whether there was one.
    (delete(user_row=DORMANT), {LATER: "Active"}, UNKNOWN),
    (delete(user_row=DORMANT), {AS_OF: "Active", LATER: "Active"}, OPEN),
    (delete(as_of=WEEK, on=WEEK.date()), {AS_OF: "Active", WEEK: "", LATER: ""}, OPEN),
    (deactivate(QUIET, **LISTED), {LATER: "Inactive"}, DONE),
    (deactivate(QUIET, **LISTED), {WEEK: "Inactive"}, CHANGED),
    (deactivate(QUIET, **LISTED), {WEEK: "Inactive", LATER: "Active"}, UNKNOWN),
    (delete(QUIET, **LISTED), {LATER: "Inactive"}, DEACTIVATED),
]
"""What was decided, AWS's lists of service-specific credentials by report, and the state."""


@pytest.mark.parametrize(("decided", "lists", "state"), LISTS)
def test_a_service_credential_counts_as_lists_show_it(
    decided: LedgerLine, lists: dict[datetime, str], state: State, tmp_path: Any
) -> None:
    for at in (AS_OF, WEEK, LATER) if AS_OF in lists else (WEEK, LATER):
        others = a_user(f"at-{at:%d}", created=at)  # so that no report is a copy
        report = saved(tmp_path, report_text([QUIET, others]), console_name(at))
        if lists.get(at):
            saved_credentials(report, quiet=lists[at])
    fate = fate_of(analyzer.analyze(analyzer.load(tmp_path), ledger=ledger_of(decided)))
    assert fate.state is state, fate.fact
    if state is OPEN and decided.decision == "delete":
        is_listed = lists.get(decided.as_of) == "Active"
        assert fate.action == ("deactivate" if is_listed else "delete")


EQUAL_BYTES: list[tuple[LedgerLine, dict[datetime, str], State, str]] = [
    # A list beside the earlier of two equal reports shows what was active between.
    (delete(), {AS_OF: "a", WEEK: "b Active", LATER: "b Inactive"}, CHANGED, "service-specific"),
    # The list of a report older than the one decided on is not that of its newer copy.
    (delete(as_of=WEEK, on=WEEK.date()), {AS_OF: "a Active", WEEK: "b", LATER: "a"}, OPEN, STILL),
    (delete(as_of=WEEK, on=WEEK.date()), {AS_OF: "a Active", WEEK: "a", LATER: "b"}, OPEN, STILL),
    (delete(as_of=WEEK, on=WEEK.date()), {AS_OF: "a Active", WEEK: "a"}, OPEN, STILL),
    # A line of a script finds its report.
    (delete(beside=None), {AS_OF: "a", LATER: "a"}, OPEN, STILL),
    (delete(beside=None), {AS_OF: "a", WEEK: "b", LATER: "a"}, OPEN, STILL),
]
"""What was decided, of each report its content and what AWS's list beside it shows, the outcome."""


@pytest.mark.parametrize(("decided", "reports", "state", "fact"), EQUAL_BYTES)
def test_each_as_of_of_equal_bytes_counts_with_its_own_list(
    decided: LedgerLine, reports: dict[datetime, str], state: State, fact: str, tmp_path: Any
) -> None:
    for at, shown in reports.items():
        content, _, listed = shown.partition(" ")
        name = console_name(at)
        report = saved(tmp_path, report_text([QUIET, a_user(content, created=BEFORE)]), name)
        if listed:
            saved_credentials(report, quiet=listed)
    fate = fate_of(analyzer.analyze(analyzer.load(tmp_path), ledger=ledger_of(decided)))
    assert (fate.state, fact in fate.fact) == (state, True), fate.fact


@pytest.mark.parametrize(
    ("before", "now", "state"),
    [
        ("a", "a", OPEN),
        ("ab", "ab", OPEN),
        ("ab", "a", CHANGED),
        ("a", "ab", CHANGED),
        ("a", "b", CHANGED),
    ],
)
def test_credentials_of_one_service_are_told_apart(
    before: str, now: str, state: State, tmp_path: Any
) -> None:
    for at, ids in ((AS_OF, before), (LATER, now)):
        report = saved(tmp_path, report_text([QUIET]), console_name(at))
        fields = {"UserName": "Quiet", "Status": "Active", "ServiceName": "x.amazonaws.com"}
        listed = [{**fields, "ServiceSpecificCredentialId": each} for each in ids]
        answer = json.dumps({"ServiceSpecificCredentials": listed})
        saved(tmp_path, answer, f"{report.name}.service-credentials.json")
    fate = fate_of(analyzer.analyze(analyzer.load(tmp_path), ledger=ledger_of(delete())))
    assert (fate.state, fate.action) == (state, "deactivate")


def test_an_account_without_a_report_is_unknown() -> None:
    decided = delete(a_user(account=OTHER_ACCOUNT))
    fate = fate_of(analysis_of(as_of=LATER, ledger=ledger_of(decided)), OTHER_ACCOUNT)
    assert (fate.state, fate.fact) == (UNKNOWN, NOT_NEW)
    assert (fate.newest, fate.now, fate.days) == (None, None, 0)


def test_who_is_not_to_be_removed_has_no_fate() -> None:
    ledger = ledger_of(line("keep", X, by="Bob"), delete())
    fates = analysis_of(QUIET, X, as_of=WEEK, ledger=ledger).follow_up_result.fates
    assert [fate.line.user for fate in fates.values()] == ["quiet"]
