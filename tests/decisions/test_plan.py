"""A plan takes a removal that stands, of a user of whom the reports show nothing against it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import analyzer
from analyzer.decisions.decision import Decision, LedgerLine, fact_line
from analyzer.decisions.fate import State
from analyzer.decisions.ledger import Ledger
from analyzer.decisions.plan import (
    Removal,
    RemovalPlan,
    longest_gap,
    removal_plan,
    removal_script,
    with_owners,
)
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    LONG_AGO,
    Row,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    in_slot,
    report_text,
)
from tests.support.decisions import DAY, analysis_of, console_name, in_accounts, line

NEWER, DAYS = AS_OF + timedelta(days=10), timedelta(days=1)
USED = days_before(100)
QUIET, OFF, KEY = a_user(), a_user(key_1=an_inactive_key()), a_user(key_1=a_key())
MFA, X = a_user(mfa=True), a_user("x")


def planned(*cases: tuple[Sequence[LedgerLine], Sequence[Row]]) -> RemovalPlan:
    """Return the plan of decisions and newer reports, each in an account of its own."""
    analysis = in_accounts(NEWER, *cases)
    return removal_plan(analysis.ledger, analysis.report, analysis.pages())


def keep(by: str = "Tom", days: int = 0, **more: Any) -> LedgerLine:
    return line("keep", by=by, on=DAY + days * DAYS, **more)


def word(decision: str = "delete", by: str = "Anna", days: int = 0, **more: Any) -> LedgerLine:
    return line(decision, by=by, on=DAY + days * DAYS, **more)


TAKEN: list[tuple[list[LedgerLine], Row, str]] = [
    ([word()], QUIET, "delete"),
    ([word("deactivate", user=KEY)], KEY, "deactivate"),
    ([word("deactivate")], QUIET, ""),
    ([word(user=KEY)], KEY, "deactivate"),
    ([word(), word(by="Tom")], QUIET, "delete"),
    ([word(user=KEY), word(user=OFF, as_of=NEWER, days=40)], OFF, "delete"),
    ([keep(days=-2), keep("Tom", 0), word(days=2), word("withdraw", "Tom", 5)], QUIET, ""),
    ([keep("Anna", -2), word()], QUIET, "delete"),
    ([keep(days=-181), word()], QUIET, "delete"),
    ([word("investigate", "Tom", -31), word()], QUIET, "delete"),
    ([word(), word("withdraw", "Tom", 5), word(days=9)], QUIET, "delete"),
    ([word(), keep("Anna", 1)], QUIET, ""),
]
"""What people wrote, the user in a newer report, and what the script does, if anything."""


def test_a_removal_that_stands_is_taken_with_the_words_of_who_decided() -> None:
    of_plan = planned(*((lines, [user]) for lines, user, _ in TAKEN))
    found = {each.line.account: each for each in of_plan.removals}
    for at, (lines, _, action) in enumerate(TAKEN):
        removal = found.get(f"{at:012}")
        assert (removal.line.decision if removal else "") == action, lines
    only = found["000000000000"]
    assert (only.line.decided_by, only.line.decided_on, only.confirmed) == ("Anna", DAY, NEWER)


OVERTAKEN = "overtaken: MFA device added (report status_reports_2026"
LEFT: list[tuple[list[LedgerLine], Sequence[Row], str, bool]] = [
    (
        [word(), keep()],
        [QUIET],
        "disagree: delete, Anna, 2026-05-01; keep, Tom, 2026-05-01: ",
        False,
    ),
    ([word(), keep("Anna", -1)], [QUIET], "disagree: ", False),
    ([word(), word("deactivate", "Tom", -1)], [QUIET], "disagree: ", False),
    (
        [keep(days=-180), word()],
        [QUIET],
        "kept: keep, Tom, 2025-11-02: ends when Tom writes",
        False,
    ),
    ([word("investigate", "Tom", -30), word()], [QUIET], "kept: investigate, Tom", False),
    ([word("withdraw", "Tom", 0, as_of=NEWER), word(days=5)], [QUIET], "newer word: ", False),
    ([word(user=KEY)], [OFF], "deactivated: write delete again, on a report that", False),
    ([word()], [MFA], OVERTAKEN, True),
    ([word(user=a_user(mfa_active="?"))], [MFA], OVERTAKEN, True),
    ([word()], [X], "unknown: possibly renamed to x", True),
    (
        [word(same_second=frozenset("x"))],
        [QUIET],
        "unknown: x, created in the same second, is",
        True,
    ),
    ([word(), keep("Anna", 0, user=X)], [QUIET], "unknown: keep, Anna, 2026-05-01 on x, of", True),
    ([word()], [a_user(mfa_active="?")], "unknown: the report does not show all its cred", True),
    ([word(user=a_user(created="N/A"))], [QUIET], "unknown: the creation time or the acc", True),
    (
        [word(user_row={**word().user_row, "verdict": "active"})],
        [QUIET],
        "active: the verdict",
        True,
    ),
]
"""What people wrote, the users of a newer report, why the plan leaves the user out, and whether
the removal stands."""


def test_who_is_left_out_is_named_once_with_the_reason() -> None:
    of_plan = planned(*((lines, users) for lines, users, *_ in LEFT))
    assert (of_plan.removals, of_plan.done) == ((), ())
    found = {each.line.account: each for each in of_plan.left_out}
    for at, (lines, users, reason, stands) in enumerate(LEFT):
        account = lines[0].account.replace(ACCOUNT, f"{at:012}")
        each = found.pop(account)
        assert (each.reason.startswith(reason), each.stands) == (True, stands), (each.reason, users)
    assert found == {}


def test_who_is_left_out_has_a_sentence_with_the_owner() -> None:
    owned = line(user_row={**word().user_row, "owner": "Lee", "owner_email": "lee@example.com"})
    (each,) = planned(([owned], [MFA])).left_out
    start = "delete arn:aws:iam::000000000000:user/quiet (owner Lee <lee@example.com>): overtaken: "
    assert str(each).startswith(start)


def test_what_reports_or_the_ledger_show_done_is_neither_taken_nor_left_out() -> None:
    of_other = analysis_of(a_user("other"), as_of=NEWER).report.files[0]
    gone = fact_line(Decision.GONE, word(), of_other)
    of_plan = planned(([word()], []), ([word("deactivate", user=KEY)], [OFF]))
    assert (of_plan.removals, of_plan.left_out, len(of_plan.done)) == ((), (), 2)
    analysis = analysis_of(as_of=AS_OF)
    ledger = Ledger(lines=(word(), gone))
    assert len(removal_plan(ledger, analysis.report, analysis.pages()).done) == 1
    analysis = analysis_of(QUIET, as_of=NEWER + DAYS)
    of_plan = removal_plan(ledger, analysis.report, analysis.pages())
    assert ([each.line for each in of_plan.removals], of_plan.done) == ([word()], ())


def test_an_exempt_user_is_left_out_until_the_entry_expires() -> None:
    report = analysis_of(QUIET, as_of=NEWER).report
    for last, left in ((NEWER.date(), ["exempt: break-glass"]), (NEWER.date() - DAYS, [])):
        text = f"account,user,reason,owner,expires\n*,quiet,break-glass,sec,{last}\n"
        exempt = analyzer.read_exemptions(("e.csv", text.encode()))
        judged = analyzer.analyze(report, exemptions=exempt)
        of_plan = removal_plan(Ledger(lines=(word(),)), report, judged.pages())
        assert [each.reason for each in of_plan.left_out] == left
        assert [each.stands for each in of_plan.left_out] == [True] * len(left)
        assert len(of_plan.removals) == 1 - len(left)


def test_a_report_confirms_a_user_from_the_earliest_time_that_it_can_have() -> None:
    ledger = Ledger(lines=(word(),))
    for name, as_of, confirmed in (
        (console_name(AS_OF), None, AS_OF),
        (console_name(NEWER), None, NEWER),
        ("2026-05-11.csv", None, NEWER.replace(hour=0)),
    ):
        report = analyzer.load((name, report_text([QUIET]).encode()), as_of=as_of)
        analysis = analyzer.analyze(report)
        (only,) = removal_plan(ledger, report, analysis.pages()).removals
        assert only.confirmed == confirmed, name
    set_by_hand = analyzer.load(("report.csv", report_text([QUIET]).encode()), as_of=NEWER)
    (left,) = removal_plan(ledger, set_by_hand, analyzer.analyze(set_by_hand).pages()).left_out
    assert left.reason == "unknown: the report is older than the one decided on"


def words_of_credentials(*users: Row) -> list[list[str]]:
    """Return what the script's line of each user says that the reviewer saw."""
    unused = ({**word(user=user).user_row, "verdict": "unused"} for user in users)
    decided = [[word(user_row=cells)] for cells in unused]
    of_plan = planned(*zip(decided, ([user] for user in users), strict=True))
    script = removal_script(of_plan.removals, ledgers=())
    calls = (each for each in script.splitlines() if each.startswith("remove de"))
    return [call.partition(" expires=")[2].partition(" by=")[0].split()[1:] for call in calls]


def test_a_removal_has_all_that_the_reviewer_saw() -> None:
    has = a_password(USED, LONG_AGO) | in_slot("access_key", 1, a_key(LONG_AGO, USED))
    has |= in_slot("access_key", 2, an_inactive_key(USED)) | in_slot("cert", 1, a_certificate())
    has |= in_slot("cert", 2, a_certificate(USED, active=False))
    words, nothing = words_of_credentials(a_user(mfa=True) | has, QUIET)
    assert nothing == []
    assert " ".join(words) == (
        "password=2023-08-05T12:00:00Z signed-in=2026-01-21T12:00:00Z"
        " key=2023-08-05T12:00:00Z,active,2026-01-21T12:15:00Z key=2026-01-21T12:00:00Z,inactive,-"
        " certificate=2023-08-05T12:00:00Z,active,- certificate=2026-01-21T12:00:00Z,inactive,-"
        " mfa=yes"
    )


@pytest.mark.parametrize("cell", ["password_enabled", "mfa_active", "cert_1_last_rotated"])
def test_what_was_unknown_to_the_reviewer_counts_as_not_there(cell: str) -> None:
    of_plan = planned(([word(user=QUIET | {cell: "maybe"})], [QUIET]))
    script = removal_script(of_plan.removals, ledgers=())
    (call,) = (each for each in script.splitlines() if each.startswith("remove de"))
    assert call.partition(" expires=")[2].partition(" by=")[0].split()[1:] == []


def test_a_script_shows_owner_and_comment_as_remarks_of_one_line() -> None:
    owners = analyzer.read_owners(("o.csv", b"account,user,owner\n*,quiet,Ann Lee\n"))
    decided = word(comment="old\x1b[2J", ticket="S-1")
    ledger = with_owners(Ledger(lines=(decided,)), owners, DAY)
    analysis = analysis_of(QUIET, as_of=NEWER)
    of_plan = removal_plan(ledger, analysis.report, analysis.pages())
    script = removal_script(of_plan.removals, ledgers=())
    assert "\n# Owner: Ann Lee\n# Comment: old [2J\nremove delete 'arn:aws:iam::" in script
    assert " by='Anna' on=2026-05-01 ticket='S-1'\n" in script
    assert with_owners(Ledger(), owners, DAY) == Ledger()


def test_the_longest_time_without_a_report_since_the_removals_is_said() -> None:
    def said(*lines: LedgerLine, **days: int) -> list[str]:
        users = [(f"{at}-{name}", at) for name, at in days.items()]
        named = ((console_name(AS_OF + at * DAYS), a_user(name)) for name, at in users)
        report = analyzer.load(*((name, report_text([user]).encode()) for name, user in named))
        return [*longest_gap(Ledger(lines=lines), report)]

    text = "Longest time without a report since the decisions: {}."
    assert said(word(), a=-5, b=3, c=13) == [text.format("10 days")]
    assert said(word(), a=0) == [text.format("0 days")]
    assert said(keep(), a=3) == said(word(), keep(), a=3) == []


def test_a_removal_that_a_script_could_not_compare_with_aws_is_refused() -> None:
    (only,) = planned(([word()], [QUIET])).removals
    for fields, says in (
        ({"line": word(user=a_user(created="N/A"))}, "not an IAM user with a creation time"),
        ({"line": keep()}, "nothing to carry out: keep"),
        ({"confirmed": AS_OF - DAYS}, "confirmed before the baseline"),
    ):
        with pytest.raises(ValueError, match=says):
            replace(only, **fields)
    assert isinstance(only, Removal)


def test_every_state_of_a_removal_is_taken_left_out_or_done() -> None:
    assert {*State} - {State.OPEN, State.DONE, State.EXEMPT} == {
        State(reason.partition(":")[0]) for *_, reason, _ in LEFT
    }


def test_the_package_offers_no_change_of_aws() -> None:
    assert not any(each in name for name in analyzer.__all__ for each in ("remove", "delete"))
