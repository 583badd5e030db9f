"""A plan takes a user only if somebody decided so, still stands to it, and saw what there is."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

import analyzer
from analyzer.decisions.decision import LedgerLine
from analyzer.decisions.ledger import Ledger
from analyzer.decisions.plan import RemovalPlan, exemption_notes, removal_plan, removal_script
from analyzer.report.model import Exemptions
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
    in_slot,
    the_root,
)
from tests.support.decisions import (
    DAY,
    OTHER_ACCOUNT,
    analysis_of,
    collected,
    entries,
    in_accounts,
    line,
)

NEWER = AS_OF + timedelta(days=10)
USED = days_before(100)
QUIET = a_user()


def exemptions(expires: object = "", user: str = "quiet") -> Exemptions:
    text = f"account,user,reason,owner,expires\n*,{user},break-glass,sec,{expires}\n"
    return analyzer.read_exemptions(("e.csv", text.encode()))


def planned(*lines: LedgerLine, users: list[Row] | None = None, **report: Any) -> RemovalPlan:
    """Return the plan, compared with a report of these users where there are any."""
    ledger = Ledger(lines=lines)
    exempt = report.pop("exempt", ())
    if users is None:
        return removal_plan(ledger, exempt)
    analysis = analysis_of(*users, as_of=report.pop("as_of", NEWER), **report)
    judged = analyzer.analyze(analysis.report, exemptions=exempt)
    return removal_plan(ledger, exempt, judged.report, judged.pages())


def planned_in_accounts(*cases: tuple[Sequence[LedgerLine], Sequence[Row]]) -> RemovalPlan:
    """Return the plan of decisions compared with newer reports, each in an account of its own."""
    analysis = in_accounts(NEWER, *cases)
    return removal_plan(analysis.ledger, (), analysis.report, analysis.pages())


def reasons(of_plan: RemovalPlan) -> list[str]:
    assert of_plan.removals == ()
    return [each.reason for each in of_plan.left_out]


@pytest.mark.parametrize("decision", ["delete", "deactivate"])
def test_a_decision_in_force_is_taken_with_who_decided_when(decision: str) -> None:
    decided = line(decision, ticket="SEC-7")
    of_plan = planned(decided)
    (only,) = of_plan.removals
    assert (only.line, only.confirmed) == (decided, AS_OF)
    assert (of_plan.left_out, of_plan.done) == ((), ())


@pytest.mark.no_cover
def test_a_user_that_nobody_wants_to_remove_any_more_is_not_even_left_out() -> None:
    given_up = [[line(), line("withdraw")], [line(), line("keep", on=DAY + timedelta(1))]]
    cases = [[], [line("keep")], [line("investigate")], *given_up]
    for lines in cases:
        assert planned(*lines) == RemovalPlan((), (), ()), lines
    assert planned_in_accounts(*((lines, [QUIET]) for lines in cases)) == RemovalPlan((), (), ())


def words_of_credentials(*decided: LedgerLine) -> list[list[str]]:
    """Return what the script's line of each user says that the reviewer saw."""
    script = removal_script(planned(*decided).removals, ledgers=())
    calls = (each for each in script.splitlines() if each.startswith("remove delete "))
    return [call.partition(" expires=")[2].partition(" by=")[0].split()[1:] for call in calls]


def test_a_removal_has_all_that_the_reviewer_saw() -> None:
    has = a_password(USED, LONG_AGO) | in_slot("access_key", 1, a_key(LONG_AGO, USED))
    has |= in_slot("access_key", 2, an_inactive_key(USED)) | in_slot("cert", 1, a_certificate())
    has |= in_slot("cert", 2, a_certificate(USED, active=False))
    (words,) = words_of_credentials(line("delete", a_user(mfa=True) | has))
    assert " ".join(words) == (
        "password=2023-08-05T12:00:00Z signed-in=2026-01-21T12:00:00Z"
        " key=2023-08-05T12:00:00Z,active,2026-01-21T12:15:00Z key=2026-01-21T12:00:00Z,inactive,-"
        " certificate=2023-08-05T12:00:00Z,active,- certificate=2026-01-21T12:00:00Z,inactive,-"
        " mfa=yes"
    )


@pytest.mark.no_cover
def test_what_was_unknown_to_the_reviewer_counts_as_not_there_and_a_key_as_inactive() -> None:
    unknown = (
        *(("password_enabled", "maybe"), ("password_last_used", "soon"), ("mfa_active", "maybe")),
        *(("access_key_1_active", "maybe"), ("access_key_1_last_rotated", "soon")),
        ("cert_1_last_rotated", "soon"),
    )
    undecided = a_user("key", key_1=a_key(LONG_AGO), access_key_1_active="maybe")
    users = [a_user(f"u{at}") | {name: cell} for at, (name, cell) in enumerate(unknown)]
    *words, of_key = words_of_credentials(*(line("delete", user) for user in (*users, undecided)))
    assert words == [[]] * len(unknown)
    assert of_key == ["key=2023-08-05T12:00:00Z,inactive,-"]


def test_a_conflict_is_left_out_once_with_both_decisions_if_one_is_a_removal() -> None:
    (reason,) = reasons(planned(line(), line("keep", by="Tom")))
    both = "delete, Anna, 2026-05-01; keep, Tom, 2026-05-01"
    assert reason == f"the decisions are in conflict: {both}"
    assert planned(line("investigate"), line("keep", by="Tom")).left_out == ()
    (only,) = planned(line(), line("deactivate", by="Tom")).left_out
    assert str(only).startswith(f"deactivate arn:aws:iam::{ACCOUNT}:user/quiet: the decisions")


@pytest.mark.parametrize("users", [None, [QUIET]], ids=["ledger", "report"])
def test_a_user_who_is_not_known_is_left_out(users: list[Row] | None) -> None:
    arns = "arn:aws:iam::123XXXXXXXX:user/quiet", f"arn:aws:iam::{ACCOUNT}:user/qui\aet"
    unknown = [a_user(created="N/A"), *(a_user(arn=arn) for arn in arns)]
    left_out = reasons(planned(*(line("delete", user) for user in unknown), users=users))
    assert ["creation time" in reason for reason in left_out] == [True] * len(unknown)


@pytest.mark.no_cover
def test_an_exempt_user_is_left_out_until_the_entry_expires() -> None:
    for users, as_of in ((None, AS_OF), ([QUIET], NEWER)):
        exempt, last = exemptions(as_of.date()), exemptions(as_of.date() - timedelta(1))
        assert reasons(planned(line(), users=users, exempt=exempt)) == ["exempt: break-glass"]
        expired = planned(line(), users=users, exempt=last)
        assert [each.confirmed for each in expired.removals] == [as_of]


REGION = "access_key_1_last_used_region"
WITH_REGION = QUIET | {REGION: "eu-west-1"}
AT_ODDS = QUIET | {"access_key_1_last_used_date": USED}
"""The use of a key where there is none."""

PASSWORD, WITH_KEY = a_user(password=a_password()), a_user(key_1=a_key(LONG_AGO, USED))
KEY_AT_ODDS = WITH_KEY | {"access_key_1_last_used_date": "N/A"}
UNCLEAR = "the report does not show all its credentials"
UNREAD = "the report has a user of this ARN whose creation time is not"
SIGNED_IN = "changed since the decision: signed in 2026-05-11. Decide again"
OLDER = "the user of this ARN was created 2023-08-06T12:00:00Z, before the decision"
LEFT_OUT: list[tuple[LedgerLine, list[Row], str]] = [
    (line("delete", PASSWORD), [a_user(password=a_password(NEWER))], SIGNED_IN),
    (line(), [a_user("renamed")], "possibly renamed: renamed was created in the same second"),
    (line(), [a_user("rob", created="#####")], "possibly renamed: when rob was created is not"),
    (line(), [a_user(created="soon")], UNREAD),
    (line(), [a_user(created=days_before(999))], OLDER),
    (line(), [a_user(access_key_1_active="maybe")], UNCLEAR),
    (line(), [a_user(mfa_active="maybe")], UNCLEAR),
    (line(), [AT_ODDS], UNCLEAR),
    (line(), [WITH_REGION], UNCLEAR),
    (line("delete", WITH_KEY), [KEY_AT_ODDS], UNCLEAR),
    (line("delete", a_user(account=OTHER_ACCOUNT)), [QUIET], "the account is not covered"),
]
"""A decision, a newer report, and why the plan leaves the user out."""


def test_a_newer_report_that_shows_more_access_or_leaves_a_doubt_takes_the_user_out() -> None:
    of_plan = planned_in_accounts(*(([decided], users) for decided, users, _ in LEFT_OUT))
    assert of_plan.removals == ()
    read = {each.line.account: each.reason for each in of_plan.left_out}
    for at, (decided, users, reason) in enumerate(LEFT_OUT):
        account = decided.account.replace(ACCOUNT, f"{at:012}")
        assert read.pop(account).startswith(reason), users
    assert read == {}


def test_a_user_whose_rows_differ_in_more_credentials_is_left_out() -> None:
    users = [QUIET | {MORE_CREDENTIALS: each} for each in ("N/A", "AKIA3:active")]
    root = the_root(**{MORE_CREDENTIALS: "N/A"})
    of_plan = planned(line(), users=users, root=root, columns=(*COLUMNS, MORE_CREDENTIALS))
    assert reasons(of_plan) == [UNCLEAR]


def test_a_report_confirms_those_it_has_if_it_is_not_older_than_the_decision() -> None:
    older = planned(line(), users=[QUIET], as_of=AS_OF - timedelta(1))
    assert reasons(older) == ["the report is older than the one that was decided on"]
    assert len(planned(line(), users=[QUIET], as_of=AS_OF).removals) == 1
    without = planned(line(), users=[], as_of=AS_OF)
    assert reasons(without) == ["no user in the reports has this ARN and this creation time"]
    # What a newer report shows done is neither taken nor left out.
    assert planned(line(), users=[], as_of=NEWER) == RemovalPlan((), (), (line(),))


def test_an_exemption_is_noted_once_and_as_expired_by_the_report_of_each_line() -> None:
    later = line("delete", a_user("other"), as_of=NEWER, on=NEWER.date())
    before = DAY - timedelta(1)
    for user, expires, notes in (
        ("quiet", DAY, []),
        ("quiet", before, [f" expired on {before}."]),
        ("nobody", before, [f" expired on {before}."]),
        ("nobody", DAY, [" matches nobody decided on."]),
        ("*", DAY, [f" expired on {DAY} for 1 of its 2 users."]),
        ("*", NEWER.date(), []),
    ):
        sentences = [f"The exemption of {user} in account *{each}" for each in notes]
        exempt = exemptions(expires, user)
        assert exemption_notes(Ledger(lines=(line(), later)), exempt) == sentences
    assert exemption_notes(Ledger(), exemptions(before)) == []


def test_the_package_offers_no_change_of_aws() -> None:
    assert not any(word in name for name in analyzer.__all__ for word in ("remove", "delete"))


def test_a_conflict_of_which_a_line_was_lost_is_left_out() -> None:
    conflict = line("conflict", by="credreport")
    for lines in ([line(), conflict], [line("keep", by="Tom"), conflict], [conflict]):
        assert [
            each.startswith("the decisions are in conflict: ") for each in reasons(planned(*lines))
        ] == [True]


def test_a_user_who_may_have_been_decided_on_later_under_another_name_is_left_out() -> None:
    decided, moved = line(same_second=frozenset({"x"})), a_user(path="team/")
    before, later = (
        line(word, moved, as_of=NEWER, on=NEWER.date()) for word in ("investigate", "keep")
    )
    reason = (
        "changed since the decision: possibly renamed to team/quiet, decided on again: keep, Anna,"
        " 2026-05-11. Decide again"
    )
    for users in (None, [QUIET, a_user("x")]):
        assert reasons(planned(decided, before, later, users=users)) == [reason]
        others = a_user("x"), a_user("y", created=USED), a_user("y", account=OTHER_ACCOUNT)
        for other in others:
            of_other = line("keep", other, as_of=NEWER, on=NEWER.date())
            assert len(planned(decided, of_other, users=users).removals) == 1
        assert len(planned(decided, line("keep", moved), users=users).removals) == 1
    (of_absent,) = planned(decided, later, users=[moved]).left_out
    assert of_absent.reason.startswith("possibly renamed")


def test_a_removal_on_an_older_report_than_a_decision_that_was_withdrawn_is_left_out() -> None:
    seen, later = a_user() | a_password(USED), NEWER.date() + timedelta(1)
    on_newer = (line(each, seen, as_of=NEWER, on=NEWER.date()) for each in ("keep", "withdraw"))
    ledger = collected(entries(*on_newer)).ledger
    of_plan = removal_plan(collected(entries(line(on=later)), ledger=ledger).ledger)
    what = "decided on again, on a newer report: withdraw, Anna, 2026-05-11"
    assert reasons(of_plan) == [f"changed since the decision: {what}. Decide again"]


DAY_ENDS = AS_OF.replace(hour=23, minute=59, second=59)
OF_DAY = {**line("keep", as_of=DAY_ENDS).user_row, "as_of_source": "folder"}
ON_DAY = line("keep", as_of=DAY_ENDS, baseline=LONG_AGO, user_row=OF_DAY)
YESTERDAY = DAY - timedelta(1)
SAME_DAY: dict[str, tuple[list[LedgerLine], bool]] = {
    "keep": ([line("keep"), line()], False),
    "keep, in another case of the name": ([line("keep", by="ANNA"), line()], False),
    "withdraw": ([line("withdraw"), line("deactivate")], False),
    "keep, and deactivate later": ([line("keep"), line("deactivate")], False),
    "deactivate": ([line("deactivate"), line()], False),
    "more was decided before": ([line(), line("deactivate")], True),
    "investigate": ([line("investigate"), line("deactivate")], False),
    "of another day": ([line("keep", on=DAY - timedelta(1)), line()], True),
    "of an older report": ([line("keep"), line(as_of=NEWER)], True),
    "keep, on a report of which only the day is known": ([ON_DAY, line()], False),
}


@pytest.mark.parametrize(("decided", "is_taken"), SAME_DAY.values(), ids=SAME_DAY)
def test_of_a_day_on_which_one_person_also_spared_the_user_no_removal_is_acted_on(
    decided: list[LedgerLine], *, is_taken: bool
) -> None:
    of_plan = planned(*decided)
    assert [each.line for each in of_plan.removals] == decided[-1:] * is_taken
    also = f"{decided[0].decided_by} also decided {decided[0].decision} on that day"
    reason = f"{also}, and one may be of an old copy: decide again with a newer date"
    assert [each.reason for each in of_plan.left_out] == [reason] * (not is_taken)


def test_a_user_who_may_be_one_to_keep_under_a_new_name_is_left_out() -> None:
    later: dict[str, Any] = {"as_of": NEWER, "on": NEWER.date()}
    for moved, decision in ((a_user("new"), "keep"), (a_user(path="ops/"), "investigate")):
        kept = line(decision)
        why = f"possibly renamed from quiet, on whom {decision}, Anna, 2026-05-01 was decided"
        for users in (None, [moved]):
            (reason,) = reasons(planned(kept, line("delete", moved, **later), users=users))
            assert reason.startswith(f"{why}: withdraw that")
    x = a_user("x")
    shown = {**line("delete", x, as_of=DAY_ENDS).user_row, "as_of_source": "folder"}
    of_day = line("delete", as_of=DAY_ENDS, baseline=AS_OF, user_row=shown)
    for decided in (
        [line("keep", on=DAY - timedelta(2000)), line("delete", x, **later)],
        [line("keep"), line("delete", by="Bo"), line("delete", x, **later)],
        [ON_DAY, of_day],
    ):
        (*_, reason) = reasons(planned(*decided))
        assert reason.startswith("possibly renamed from quiet, on whom keep"), decided
    for decided in (
        [kept, line("withdraw", on=NEWER.date()), line("delete", moved, **later)],
        [kept, line("delete", x, same_second=frozenset({"quiet"}), **later)],
        [line("keep", same_second=frozenset({"x"})), line("delete", x, **later)],
        [kept, line("delete", x)],
        [ON_DAY, replace(of_day, same_second=None)],
        [kept, line("delete", a_user("x", created=USED), **later)],
    ):
        assert len(planned(*decided).removals) == 1, decided
    both = planned(kept, line("delete", x, same_second=None, **later), users=[QUIET, x])
    assert len(both.removals) == 1


def test_a_user_is_not_deleted_who_may_be_one_to_deactivate_since_under_a_former_name() -> None:
    moved, later = a_user("new"), NEWER.date() + timedelta(1)
    deleted = line("delete", moved, as_of=NEWER, on=later)
    for users in (None, [moved]):
        *_, reason = reasons(planned(line("deactivate", on=later), deleted, users=users))
        assert reason.startswith(
            "possibly renamed from quiet, on whom deactivate, Anna, 2026-05-12"
        )
        for decision, day in (("deactivate", NEWER.date()), ("delete", later), ("withdraw", later)):
            of_plan = planned(line(decision, on=day), deleted, users=users)
            assert deleted in [each.line for each in of_plan.removals], decision
        again = line("deactivate", moved, as_of=NEWER, on=later)
        of_plan = planned(line("deactivate", on=later), again, users=users)
        assert again in [each.line for each in of_plan.removals]


def test_a_sign_in_that_the_report_decided_on_before_showed_is_no_news() -> None:
    with_password = a_user() | a_password(USED)
    later: dict[str, Any] = {"as_of": NEWER, "on": NEWER.date()}
    off = line("deactivate", with_password)
    before = line("investigate", a_user() | a_password(days_before(200)), on=YESTERDAY)
    for now, signed_in in (
        (a_user(), ["signed-in=2026-01-21T12:00:00Z"]),
        (a_user(password_last_used="soon"), []),
        (a_user() | a_password(), ["password=2023-08-05T12:00:00Z"]),
    ):
        assert words_of_credentials(before, off, line("delete", now, **later)) == [signed_in]
    of_day = {
        **line("deactivate", with_password, as_of=DAY_ENDS).user_row,
        "as_of_source": "folder",
    }
    may_be_newer = line("deactivate", as_of=DAY_ENDS, baseline=LONG_AGO, user_row=of_day)
    assert words_of_credentials(may_be_newer, line("delete", on=NEWER.date())) == [[]]


def test_a_later_decision_on_whoever_of_the_name_is_not_identified_holds_the_removal_back() -> None:
    unread, earlier = a_user(created="N/A"), DAY - timedelta(1)
    cells = line("keep", a_user(arn="arn:aws:iam::0123XXXXXXXX:user/quiet")).user_row
    masked = line("keep", user_row={**cells, "account": ACCOUNT})
    created = {"account": ACCOUNT, "user_creation_time": "2020-01-01T00:00:00Z"}
    another = line("keep", user_row={**cells, **created})
    elsewhere = line("keep", user_row={**cells, "account": OTHER_ACCOUNT})
    for users in (None, [QUIET]):
        for later in (
            line("withdraw", unread),
            line("keep", unread, on=earlier, as_of=NEWER),
            masked,
            line("keep", user_row={**cells, "account": ACCOUNT, "as_of": "2026-05-11T12:00:00Z"}),
            line("keep", user_row={**cells, "account": ""}),
        ):
            reason = (
                "changed since the decision: decided on again, on a report that does not show its"
                f" creation time or account: {later.summary}. Decide again"
            )
            before = line("investigate", unread)
            assert reasons(planned(line(), before, later, users=users)) == [reason]
        for other in (line("keep", unread, on=earlier), line("delete", unread), another, elsewhere):
            assert len(planned(line(), other, users=users).removals) == 1


def test_a_removal_is_left_out_if_it_was_taken_back_with_the_date_of_the_day_before() -> None:
    no_doubt: Sequence[dict[str, Any]] = (
        {"on": YESTERDAY - timedelta(1)},
        {"on": YESTERDAY, "as_of": days_before(9)},
    )
    for decision, by in product(("keep", "withdraw", "investigate", "deactivate"), ("Anna", "Tom")):
        taken_back = line(decision, by=by, on=YESTERDAY)
        why = f"{by} decided {decision} after that, with the date of the day before"
        (reason,) = reasons(planned(line(), taken_back))
        assert reason == f"{why}: decide again with a newer date"
        assert len(planned(taken_back, line()).removals) == 1
        for other in no_doubt:
            assert len(planned(line(), line(decision, by=by, **other)).removals) == 1
    of_others = (line(each, by=each, on=YESTERDAY) for each in ("delete", "conflict"))
    assert len(planned(line(), *of_others).removals) == 1


def test_a_removal_on_a_day_on_which_another_person_withdrew_the_same_is_left_out() -> None:
    taken_back = line(by="Tom"), line("withdraw", by="Tom")
    (reason,) = reasons(planned(*taken_back, line()))
    why = "Tom withdrew the same decision on that day, perhaps after it"
    assert reason == f"{why}: decide again with a newer date"
    agreed = line("keep", by="Tom"), line(), line("withdraw", by="Tom")
    newer = line(on=NEWER.date(), as_of=NEWER)
    for decided in ([*taken_back, newer], agreed, [line(by="Tom"), line()]):
        assert len(planned(*decided).removals) == 1
