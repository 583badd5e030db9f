"""What became of a removal: what reports show, what the ledger remembers of others, what stands."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.decisions.decision import Decision, LedgerLine, fact_line
from analyzer.decisions.fate import Fate, State
from analyzer.report.model import ReportFile
from analyzer.terms import AsOfSource
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    COLUMNS,
    LONG_AGO,
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
QUIET, KEY, OFF = a_user(), a_user(key_1=a_key()), a_user(key_1=an_inactive_key())
PASSWORD, MFA = a_user(password=a_password()), a_user(mfa=True)
X, ROB = a_user("x"), a_user("rob", created="#####")
OF_X: dict[str, Any] = {"same_second": frozenset({"x"})}
OF_QUIET: dict[str, Any] = {"same_second": frozenset({"quiet"})}

Reports = Mapping[datetime, Sequence[Row]]
Case = tuple[LedgerLine | Sequence[LedgerLine], Reports, State, str]
"""Words and facts, the users in reports, and state and fact of the removal of `quiet`."""


def delete(user: Row = QUIET, **fields: Any) -> LedgerLine:
    return line("delete", user, **fields)


def deactivate(user: Row = KEY, **fields: Any) -> LedgerLine:
    return line("deactivate", user, **fields)


def created(at: datetime | str, name: str = "quiet", **more: Any) -> Row:
    return a_user(name, created=at, **more)


def shown_by(source: AsOfSource, at: datetime, baseline: datetime | None = None) -> ReportFile:
    return ReportFile(
        name="r.csv",
        sha256="f" * 64,
        size=1,
        as_of=at,
        as_of_source=source,
        baseline=baseline or at,
        accounts=(),
    )


def remembered(word: Decision, at: datetime, of: LedgerLine | None = None) -> LedgerLine:
    """Return what the ledger remembers of a report that is not there any more."""
    return fact_line(word, of or delete(), shown_by(AsOfSource.FILE_NAME, at))


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


DONE, OPEN, UNKNOWN = State.DONE, State.OPEN, State.UNKNOWN
DEACTIVATED, OVERTAKEN = State.DEACTIVATED, State.OVERTAKEN
GONE, NO_WAY_IN = "the user is gone", "no working credentials"
OLDER = "the report is older than the one decided on"
UNREAD = "the creation time of the user is not understood"
NOBODY = "no user in the report has this name and this creation time"
HIDDEN = "the report does not show all its credentials"
STILL, TO_X, MFA_ADDED = "still there", "possibly renamed to x", "MFA device added (report"
RECORDED, UNNAMED = "new access or use by 2026", "name the report of 2026-05-01"
X_IS_GONE = "x, created in the same second, is gone: perhaps this is that user"
DECIDE_AGAIN = "deactivated first; write delete again afterwards"
GONE_THEN, OFF_THEN, OVERTAKEN_THEN = (
    remembered(word, WEEK) for word in (Decision.GONE, Decision.DEACTIVATED, Decision.OVERTAKEN)
)
LATE = delete(on=DAY + 9 * ONE_DAY)
ACTIVE = {**delete().user_row, "verdict": "active"}
IDLE = a_user(password=a_password(days_before(50)))
DORMANT = delete(user_row={**delete(IDLE).user_row, "verdict": "dormant"}, idle_limit=90)
CASES: dict[str, list[Case]] = {
    "a user is gone when a newer report has nobody of the name from before the decision": [
        *((each, {LATER: []}, DONE, GONE) for each in (delete(), deactivate())),
        (delete(), {LATER: [created(LATER)]}, DONE, GONE),
        (delete(), {LATER: [created(AS_OF + SECOND)]}, DONE, GONE),
        (delete(), {LATER: [created(AS_OF)]}, UNKNOWN, NOBODY),
        (delete(), {LATER: [created("soon")]}, UNKNOWN, UNREAD),
        (delete(), {LATER: [QUIET]}, OPEN, STILL),
        (delete(), {LATER: [a_user(path="moved/")]}, OPEN, STILL),
        (delete(), {AS_OF: []}, UNKNOWN, NOBODY),
        (delete(), {BEFORE: []}, UNKNOWN, OLDER),
        (delete(), {BEFORE: [QUIET]}, UNKNOWN, OLDER),
        (delete(created("N/A")), {LATER: []}, UNKNOWN, "the creation time or the account"),
    ],
    "whoever was created in the second, or is not understood, may be the user renamed": [
        (delete(), {LATER: [X]}, UNKNOWN, TO_X),
        (delete(same_second=None), {LATER: [X]}, UNKNOWN, TO_X),
        (delete(), {LATER: [ROB]}, UNKNOWN, "possibly renamed to rob"),
        (delete(**OF_X), {LATER: [X]}, DONE, GONE),
        (delete(same_second=None), {AS_OF: [QUIET, X], LATER: [X]}, DONE, GONE),
        (delete(), {LATER: [created(LONG_AGO + SECOND, "x")]}, DONE, GONE),
    ],
    "a user is deactivated when nothing works, nor hides": [
        *(
            (deactivate(user), {LATER: [user]}, OPEN, STILL)
            for user in (KEY, PASSWORD, a_user(certificate_1=a_certificate()))
        ),
        *((deactivate(), {LATER: [user]}, DONE, NO_WAY_IN) for user in (OFF, QUIET)),
        *(
            (deactivate(), {LATER: [QUIET | {name: "maybe"}]}, UNKNOWN, HIDDEN)
            for name in ("access_key_1_active", "cert_2_active", "password_enabled")
        ),
        (deactivate(QUIET), {AS_OF: [QUIET]}, OPEN, STILL),
    ],
    "the first report that shows it done counts, until one shows the user again": [
        (delete(), {WEEK: [], LATER: [QUIET]}, OPEN, STILL),
        (delete(), {WEEK: [], LATER: [created("soon")]}, UNKNOWN, UNREAD),
        (deactivate(), {WEEK: [OFF], LATER: [KEY]}, OPEN, STILL),
        ([delete(), GONE_THEN], {LATER: [QUIET]}, OPEN, STILL),
        ([delete(), GONE_THEN], {BEFORE: []}, DONE, GONE),
        ([delete(as_of=LATER), GONE_THEN], {WEEK: []}, UNKNOWN, OLDER),
        ([delete(), remembered(Decision.GONE, LATER)], {LATER: [QUIET]}, OPEN, STILL),
        ([delete(), OFF_THEN], {LATER: [QUIET]}, OPEN, STILL),
        ([deactivate(), OFF_THEN], {BEFORE: []}, DONE, NO_WAY_IN),
        ([deactivate(), OFF_THEN], {LATER: [KEY]}, OPEN, STILL),
        ([deactivate(), OFF_THEN], {LATER: [X]}, DONE, NO_WAY_IN),
        ([deactivate(), GONE_THEN], {BEFORE: []}, DONE, GONE),
    ],
    "more access than people saw overtakes every removal, on any newer report": [
        (delete(), {LATER: [MFA]}, OVERTAKEN, MFA_ADDED),
        (deactivate(), {LATER: [a_user(key_1=a_key(used=LATER))]}, OVERTAKEN, "access key"),
        (delete(), {WEEK: [MFA], LATER: [QUIET]}, OVERTAKEN, MFA_ADDED),
        (delete(as_of=WEEK), {WEEK: [MFA], LATER: [QUIET]}, OPEN, STILL),
        ([delete(), OVERTAKEN_THEN], {LATER: [QUIET]}, OVERTAKEN, RECORDED),
        ([delete(as_of=WEEK), OVERTAKEN_THEN], {LATER: [QUIET]}, OPEN, STILL),
        (
            [delete(as_of=WEEK), OVERTAKEN_THEN, remembered(Decision.OVERTAKEN, LATER)],
            {LAST: [QUIET]},
            OVERTAKEN,
            "new access or use by 2026-06-10",
        ),
        ([delete(MFA, as_of=WEEK), delete()], {WEEK: [MFA], LATER: [MFA]}, OPEN, STILL),
        ([LATE, delete(MFA, as_of=WEEK)], {LATER: [MFA]}, OVERTAKEN, MFA_ADDED),
        ([LATE, delete(MFA, as_of=WEEK)], {LATER: [QUIET]}, OVERTAKEN, MFA_ADDED),
        (delete(a_user(mfa_active="?")), {LATER: [MFA]}, OVERTAKEN, MFA_ADDED),
        (delete(a_user(mfa_active="?")), {LATER: [QUIET]}, OPEN, STILL),
        (delete(), {WEEK: [MFA], LATER: []}, DONE, GONE),
        (delete(), {LATER: [created(LATER, mfa=True)]}, DONE, GONE),
    ],
    "what reports show done is done, whatever people wrote": [
        ([delete(), line("keep", by="Tom")], {LATER: []}, DONE, GONE)
    ],
    "who may be somebody of the second who is gone is unknown, unless that one was to be deleted": [
        (delete(**OF_X), {LATER: [QUIET]}, UNKNOWN, X_IS_GONE),
        (delete(**OF_X), {LATER: [QUIET, created(LATER, "x")]}, UNKNOWN, X_IS_GONE),
        (delete(**OF_X), {LATER: [QUIET, X]}, OPEN, STILL),
        (delete(**OF_X), {LATER: [QUIET, created("#####", "x")]}, OPEN, STILL),
        ([delete(**OF_X), delete(X, **OF_QUIET)], {LATER: [QUIET]}, OPEN, STILL),
        ([delete(**OF_X), deactivate(X)], {LATER: [QUIET]}, UNKNOWN, X_IS_GONE),
        (
            [delete(**OF_X), delete(X), line("keep", X, by="Tom")],
            {LATER: [QUIET]},
            UNKNOWN,
            X_IS_GONE,
        ),
        (delete(same_second=None), {LATER: [QUIET]}, UNKNOWN, UNNAMED),
        (delete(same_second=None), {AS_OF: [QUIET], LATER: [QUIET]}, OPEN, STILL),
        (delete(same_second=None), {AS_OF: [QUIET, X], LATER: [QUIET]}, UNKNOWN, X_IS_GONE),
    ],
    "a word on another name of the second that is not shown any more may be on the user": [
        *(
            (
                [delete(), line(word, X)],
                {LATER: [QUIET]},
                UNKNOWN,
                f"{word}, Anna, 2026-05-01 on x, of the same second: withdraw that",
            )
            for word in ("keep", "investigate", "delete", "deactivate")
        ),
        *(
            (
                [delete(), line("keep", X, on=DAY + days * ONE_DAY, by="Tom", **OF_QUIET), *more],
                {WEEK: [QUIET, X], LATER: [QUIET]},
                UNKNOWN,
                f"keep, Tom, {DAY + days * ONE_DAY} on x",
            )
            for days, more in ((0, []), (-180, [delete(X, **OF_QUIET)]), (-300, []))
        ),
        *(
            ([delete(), *words], {LATER: [QUIET]}, OPEN, STILL)
            for words in (
                [delete(X, **OF_QUIET)],
                [delete(X, same_second=None), delete(X, on=DAY - 9 * ONE_DAY, **OF_QUIET)],
                [line("withdraw", X)],
                [line("keep", X), line("withdraw", X, on=DAY + 9 * ONE_DAY)],
                [line("keep", created(LONG_AGO + SECOND, "x"))],
            )
        ),
        ([delete(**OF_X), line("keep", X)], {LATER: [QUIET, X]}, OPEN, STILL),
        ([delete(), delete(X, same_second=None)], {AS_OF: [QUIET, X], LATER: [QUIET]}, OPEN, STILL),
        (
            [delete(), deactivate(X), remembered(Decision.OVERTAKEN, WEEK, deactivate(X))],
            {LATER: [QUIET]},
            UNKNOWN,
            "deactivate, Anna, 2026-05-01 on x",
        ),
        (
            [delete(), delete(X, same_second=None)],
            {LATER: [QUIET]},
            UNKNOWN,
            "delete, Anna, 2026-05-01 on x",
        ),
    ],
    "an active user is left alone, at the decision or now, by the limit of the line": [
        (delete(user_row=ACTIVE), {LATER: [QUIET]}, State.ACTIVE, "the verdict is active when it"),
        (DORMANT, {LATER: [IDLE]}, OPEN, DECIDE_AGAIN),
        (
            replace(DORMANT, idle_limit=91),
            {LATER: [IDLE]},
            State.ACTIVE,
            "the verdict is active now",
        ),
    ],
    "a delete of a user with access deactivates first, and is written again afterwards": [
        (delete(KEY), {LATER: [KEY]}, OPEN, DECIDE_AGAIN),
        (delete(KEY), {LATER: [OFF]}, DEACTIVATED, "write delete again, on a report"),
        (delete(OFF), {LATER: [OFF]}, OPEN, STILL),
        (delete(OFF, as_of=WEEK), {LATER: [OFF]}, OPEN, STILL),
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
SIGNED_IN = a_user(password=a_password(days_before(200)))
NEVER_READ = a_user(password=a_password("soon"))
UNREAD_KEY, ON_CERTIFICATE = a_user(access_key_1_active="?"), a_user(certificate_1=a_certificate())
ACTIONS = [
    *((user, user, "delete") for user in (QUIET, OFF, PASSWORD, USED, MFA)),
    *((user, user, "deactivate") for user in (KEY, SIGNED_IN, ON_CERTIFICATE, NEVER_READ)),
    (UNREAD_KEY, QUIET, "deactivate"),
    (KEY, OFF, "deactivate"),
]
"""A user at the decision and now, and what a `delete` may do."""


def test_a_delete_deletes_only_who_had_no_access_then_and_has_none_now() -> None:
    cases = [(delete(then), {LATER: [now]}, None, None) for then, now, _ in ACTIONS]
    assert [str(fate.action) for fate in fates_of(*cases)] == [action for *_, action in ACTIONS]
    assert fates_of((deactivate(QUIET), {AS_OF: [QUIET]}, None, None))[0].action == "deactivate"


SINCE: list[tuple[LedgerLine | list[LedgerLine], Reports, datetime | None]] = [
    (delete(), {WEEK: [QUIET], LATER: [], LAST: []}, LATER),
    (delete(), {WEEK: [], LATER: [QUIET], LAST: []}, LAST),
    ([delete(), GONE_THEN], {LATER: []}, WEEK),
    ([delete(), GONE_THEN], {LATER: [QUIET], LAST: []}, LAST),
    ([delete(), remembered(Decision.GONE, LAST)], {LATER: []}, LATER),
    ([delete(), GONE_THEN, remembered(Decision.GONE, LATER)], {LAST: []}, WEEK),
    (deactivate(), {WEEK: [OFF], LATER: []}, WEEK),
    (deactivate(), {LATER: [KEY]}, None),
]
"""Words and facts, later reports, and since when the removal is done."""


def test_the_earliest_fact_that_no_later_report_denies_counts() -> None:
    fates = fates_of(*((lines, reports, None, None) for lines, reports, _ in SINCE))
    assert [fate.done_since for fate in fates] == [at for *_, at in SINCE]


def test_the_reports_write_the_first_of_each_fact_once() -> None:
    of_two = [delete(), line("investigate", on=DAY + 9 * ONE_DAY)]
    again = [MFA, created(LATER, "x")]
    reports: dict[str, Sequence[Row]]
    reports = {console_name(WEEK): [MFA], console_name(LATER): again, console_name(LAST): []}
    first = over_time((of_two, reports)).follow_up_result
    found = [(str(each.decision), each.as_of, each.person) for each in first.facts]
    assert found == [("overtaken", WEEK, "credreport"), ("gone", LAST, "credreport")]
    assert {each.user_row["arn"] for each in first.facts} == {
        "arn:aws:iam::000000000000:user/quiet"
    }
    lines = [delete(), *first.facts]
    assert over_time((lines, reports)).follow_up_result.facts == ()


def loaded(
    users: Sequence[Row], as_of: datetime | None, name: str, *decided: LedgerLine
) -> Analysis:
    report = load_named((name, report_text(users).encode()), as_of=as_of)
    return analyzer.analyze(report, ledger=ledger_of(*decided))


def test_as_of_set_by_hand_proves_nothing_and_is_never_written() -> None:
    since = a_user("new", created=WEEK)
    cases: list[tuple[list[Row], State]] = [
        ([], State.UNKNOWN),
        ([MFA], State.UNKNOWN),
        ([since], State.DONE),
        ([MFA, since], State.OVERTAKEN),
    ]
    for users, state in cases:
        analysis = loaded(users, LATER, "report.csv", delete())
        assert (fate_of(analysis).state, analysis.follow_up_result.facts) == (state, ())
    set_later = {"as_of": f"{LATER:%Y-%m-%dT%H:%M:%SZ}", "as_of_source": "option"}
    on_set = delete(user_row={**delete().user_row, **set_later})
    analysis = loaded([MFA], None, console_name(WEEK), on_set)
    assert fate_of(analysis).state is State.OVERTAKEN
    assert [each.as_of for each in analysis.follow_up_result.facts] == [WEEK]


def test_a_day_without_a_time_counts_as_its_start() -> None:
    ends = AS_OF.replace(hour=23, minute=59, second=59)
    of_day = delete(as_of=ends, baseline=days_before(1))
    of_day = replace(of_day, user_row={**of_day.user_row, "as_of_source": "folder"})
    for decided, name, state in (
        (delete(), "2026-05-01.csv", State.UNKNOWN),
        (delete(), "2026-05-02.csv", State.DONE),
        (of_day, console_name(AS_OF.replace(hour=0)), State.UNKNOWN),
        (of_day, console_name(AS_OF.replace(hour=1)), State.DONE),
    ):
        assert fate_of(loaded([], None, name, decided)).state is state, name


def test_people_decide_anew_on_the_report_that_overtook_also_by_a_script() -> None:
    ends = AS_OF.replace(hour=23, minute=59, second=59)
    for source, state in ((AsOfSource.FOLDER, State.OPEN), (AsOfSource.OPTION, State.OVERTAKEN)):
        anew = delete(as_of=ends, baseline=days_before(1))
        anew = replace(anew, user_row={**anew.user_row, "as_of_source": str(source)})
        fact = fact_line(Decision.OVERTAKEN, anew, shown_by(AsOfSource.FOLDER, ends, AS_OF))
        analysis = analysis_of(QUIET, as_of=LATER, ledger=ledger_of(anew, fact))
        assert fate_of(analysis).state is state


OF_OTHERS = (
    *("arn:aws:iam::111122223333:root", "arn:aws:iam::012XXXXXXXXX:root"),
    *("arn:aws-cn:iam::012345678901:root", "??"),
)


@pytest.mark.parametrize("arn", OF_OTHERS)
def test_a_report_without_the_root_of_the_account_shows_nobody_gone_and_denies_nothing(
    arn: str,
) -> None:
    other, root = a_user("other", created=days_before(9)), the_root(arn=arn)
    why = "the report has no row of the root, so it does not show the whole account"
    for lines, expected in (([delete()], why), ([delete(), GONE_THEN], GONE)):
        fate = fate_of(analysis_of(other, as_of=LATER, ledger=ledger_of(*lines), root=root))
        assert fate.fact == expected


def test_more_credentials_than_the_slots_show_are_new_access() -> None:
    heads, root = (*COLUMNS, MORE_CREDENTIALS), the_root(**{MORE_CREDENTIALS: "N/A"})
    for cells, decided, state in (
        ("N/A", delete(), State.OPEN),
        ("1 more", delete(), State.OVERTAKEN),
        ("?", delete(), State.OVERTAKEN),
        ("N/A", deactivate(), State.DONE),
    ):
        reports = {console_name(LATER): [QUIET | {MORE_CREDENTIALS: cells}]}
        analysis = over_time(([decided], reports), heads=heads, root=root)
        assert fate_of(analysis, "000000000000").state is state, cells


SEEN: dict[str, Any] = {"service_credentials": "bedrock.amazonaws.com"}
LISTS: list[tuple[LedgerLine, dict[datetime, str], State]] = [
    (deactivate(), {}, State.DONE),
    (deactivate(), {LATER: "Active"}, State.OVERTAKEN),
    (deactivate(**SEEN), {}, State.OPEN),
    (deactivate(**SEEN), {LATER: "Active"}, State.OPEN),
    (deactivate(**SEEN), {LATER: "Inactive"}, State.DONE),
    (deactivate(**SEEN), {WEEK: "Inactive"}, State.DONE),
    (deactivate(**SEEN), {WEEK: "Inactive", LATER: "Active"}, State.OPEN),
    (delete(**SEEN), {LATER: "Inactive"}, State.DEACTIVATED),
    (delete(**SEEN), {LATER: "Active"}, State.OPEN),
]
"""What was decided, AWS's lists of service-specific credentials by report, and the state."""


@pytest.mark.parametrize(("decided", "lists", "state"), LISTS)
def test_a_service_credential_works_until_a_list_shows_it_off(
    decided: LedgerLine, lists: dict[datetime, str], state: State, tmp_path: Any
) -> None:
    for at in (WEEK, LATER):
        others = a_user(f"at-{at:%d}", created=at)  # so that no report is a copy
        report = saved(tmp_path, report_text([QUIET, others]), console_name(at))
        if at in lists:
            saved_credentials(report, quiet=lists[at])
    fate = fate_of(analyzer.analyze(analyzer.load(tmp_path), ledger=ledger_of(decided)))
    assert fate.state is state, fate.fact


def test_an_account_without_a_report_is_unknown_as_of_the_newest_report() -> None:
    decided = delete(a_user(account=OTHER_ACCOUNT))
    fate = fate_of(analysis_of(as_of=LATER, ledger=ledger_of(decided)), OTHER_ACCOUNT)
    assert (fate.state, fate.fact) == (State.UNKNOWN, "no report covers the account")
    assert (fate.as_of, fate.file, fate.days) == (LATER, None, 40)
