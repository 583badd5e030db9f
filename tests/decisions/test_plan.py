"""A plan takes a user only if somebody decided so, still stands to it, and saw what there is."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

import analyzer
from analyzer.decisions.decision import LedgerLine
from analyzer.decisions.ledger import Ledger
from analyzer.decisions.plan import Plan, exemption_notes, plan, removal_script
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
    the_root,
)
from tests.support.decisions import DAY, OTHER_ACCOUNT, analysis_of, in_accounts, line
from tests.support.removals import credential, state_of

NEWER = AS_OF + timedelta(days=10)
USED = days_before(100)
REGION = "access_key_1_last_used_region"
AT_ODDS: Row = a_user() | {"access_key_1_last_used_date": USED}
"""The use of a key where there is none."""

EXEMPTIONS = b"account,user,reason,owner,expires\n*,quiet,break-glass,sec,{}\n"


def exemptions(expires: str = "") -> Exemptions:
    return analyzer.read_exemptions(("e.csv", EXEMPTIONS.replace(b"{}", expires.encode())))


def planned(*lines: LedgerLine, users: list[Row] | None = None, **report: Any) -> Plan:
    """Return the plan, compared with a report of these users where there are any."""
    ledger = Ledger(lines=lines)
    exempt = report.pop("exempt", ())
    if users is None:
        return plan(ledger, exempt)
    analysis = analysis_of(*users, as_of=report.pop("as_of", NEWER), **report)
    judged = analyzer.analyze(analysis.report, exemptions=exempt)
    return plan(ledger, exempt, judged.report, judged.pages())


def planned_in_accounts(*cases: tuple[LedgerLine, Sequence[Row]]) -> Plan:
    """Return the plan of decisions compared with newer reports, each in an account of its own."""
    analysis = in_accounts(NEWER, *(((decided,), users) for decided, users in cases))
    return plan(analysis.ledger, (), analysis.report, analysis.pages())


def reasons(of_plan: Plan) -> list[str]:
    assert of_plan.removals == ()
    return [each.reason for each in of_plan.left_out]


@pytest.mark.parametrize("decision", ["delete", "deactivate"])
def test_a_decision_in_force_is_taken_with_who_decided_when(decision: str) -> None:
    of_plan = planned(line(decision, ticket="SEC-7"))
    (only,) = of_plan.removals
    assert (only.line, only.confirmed) == (line(decision, ticket="SEC-7"), AS_OF)
    assert (of_plan.left_out, of_plan.done) == ((), ())


@pytest.mark.no_cover
def test_a_user_that_nobody_wants_to_remove_any_more_is_not_even_left_out() -> None:
    cases = [
        [],
        [line("keep")],
        [line("investigate")],
        [line(), line("withdraw")],
        [line(), line("keep", on=DAY + timedelta(1))],
    ]
    for lines in cases:
        assert planned(*lines) == Plan((), (), ()), lines
    analysis = in_accounts(NEWER, *((lines, [a_user()]) for lines in cases))
    of_plan = plan(analysis.ledger, (), analysis.report, analysis.pages())
    assert of_plan == Plan((), (), ())


def test_a_removal_has_all_that_the_reviewer_saw() -> None:
    user = a_user(
        password=a_password(USED, LONG_AGO),
        key_1=a_key(LONG_AGO, USED),
        key_2=an_inactive_key(USED),
        certificate_1=a_certificate(),
        certificate_2=a_certificate(USED, active=False),
        mfa=True,
    )
    (only,) = planned(line("delete", user)).removals
    assert only.credentials == state_of(
        has_password=True,
        password_last_used=USED,
        password_changed=LONG_AGO,
        keys=(
            credential(LONG_AGO, active=True, last_used=USED),
            credential(USED, active=False),
        ),
        certificates=(credential(LONG_AGO, active=True), credential(USED, active=False)),
        has_mfa=True,
    )


@pytest.mark.no_cover
def test_what_was_unknown_to_the_reviewer_counts_as_not_there() -> None:
    unknown: list[Row] = [
        {"password_enabled": "maybe"},
        {"password_last_used": "soon"},
        {"mfa_active": "maybe"},
        {"access_key_1_active": "maybe"},
        {"access_key_1_last_rotated": "soon"},
        {"cert_1_last_rotated": "soon"},
    ]
    lines = [line("delete", a_user(f"u{at}") | cells) for at, cells in enumerate(unknown)]
    script = removal_script(planned(*lines).removals, ledgers=())
    calls = [each for each in script.splitlines() if each.startswith("remove delete ")]
    words = [[word.partition("=")[0] for word in call.split()[3:]] for call in calls]
    assert words == [["created", "baseline", "confirmed", "expires", "by", "on"]] * len(unknown)


def test_a_key_of_unknown_state_counts_as_inactive() -> None:
    undecided = a_user(key_1=a_key(LONG_AGO), access_key_1_active="maybe")
    script = removal_script(planned(line("delete", undecided)).removals, ledgers=())
    assert " key=2023-08-05T12:00:00Z,inactive,- " in script


def test_a_conflict_is_left_out_with_both_decisions() -> None:
    (reason,) = reasons(planned(line(), line("keep", by="Tom")))
    assert reason == (
        "the decisions are in conflict: delete, Anna, 2026-05-01; keep, Tom, 2026-05-01"
    )
    assert planned(line("investigate"), line("keep", by="Tom")).left_out == ()


def test_a_conflict_of_two_removals_is_left_out_once_under_the_later_one() -> None:
    (only,) = planned(line(), line("deactivate", by="Tom")).left_out
    assert str(only).startswith(f"deactivate arn:aws:iam::{ACCOUNT}:user/quiet: the decisions")


@pytest.mark.parametrize("users", [None, [a_user()]], ids=["ledger", "report"])
def test_a_user_who_is_not_known_is_left_out(users: list[Row] | None) -> None:
    unknown = [
        a_user(created="N/A"),
        a_user(arn="arn:aws:iam::123XXXXXXXX:user/quiet"),
        a_user(arn=f"arn:aws:iam::{ACCOUNT}:user/qui\aet"),
    ]
    left_out = reasons(planned(*(line("delete", user) for user in unknown), users=users))
    assert ["creation time" in reason for reason in left_out] == [True] * len(unknown)


@pytest.mark.no_cover
@pytest.mark.parametrize("users", [None, [a_user()]], ids=["ledger", "report"])
def test_an_exempt_user_is_left_out_until_the_entry_expires(users: list[Row] | None) -> None:
    as_of = (AS_OF if users is None else NEWER).date()
    last, before = str(as_of), str(as_of - timedelta(1))
    assert reasons(planned(line(), users=users, exempt=exemptions(last))) == ["exempt: break-glass"]
    assert len(planned(line(), users=users, exempt=exemptions(before)).removals) == 1


def test_a_newer_report_takes_out_users_whose_access_changed() -> None:
    used = a_user(password=a_password(NEWER))
    (reason,) = reasons(planned(line("delete", a_user(password=a_password())), users=[used]))
    assert reason == "changed since the decision: signed in 2026-05-11. Decide again"


def test_a_newer_report_that_leaves_a_doubt_takes_the_user_out() -> None:
    cases = [
        ([a_user("renamed")], "possibly renamed: renamed was created in the same second"),
        ([a_user(created="soon")], "the report has a user of this ARN whose creation time is not"),
        (
            [a_user(), a_user(created=days_before(999))],
            "the report has a user of this ARN whose creation time is not",
        ),
        (
            [a_user(created=days_before(999))],
            "the user of this ARN was created 2023-08-06T12:00:00Z, before the decision",
        ),
        ([a_user("rob", created="#####")], "possibly renamed: when rob was created is not"),
        ([a_user(access_key_1_active="maybe")], "the report does not show all its credentials"),
        ([a_user(mfa_active="maybe")], "the report does not show all its credentials"),
        ([AT_ODDS], "the report does not show all its credentials"),
        ([a_user() | {REGION: "eu-west-1"}], "the report does not show all its credentials"),
        ([AT_ODDS, AT_ODDS | {REGION: "eu-west-1"}], "the report does not show all"),
        ([a_user(), a_user() | {REGION: "eu-west-1"}], "the report does not show all"),
        ([a_user() | {REGION: "eu-west-1"}, a_user()], "the report does not show all"),
    ]
    of_plan = planned_in_accounts(*((line(), users) for users, _ in cases))
    assert of_plan.removals == ()
    read = {each.line.account: each.reason for each in of_plan.left_out}
    assert len(read) == len(cases)
    for account, (users, reason) in zip(sorted(read), cases, strict=True):
        assert read[account].startswith(reason), users


def test_a_user_whose_rows_differ_in_more_credentials_is_left_out() -> None:
    users = [a_user() | {MORE_CREDENTIALS: each} for each in ("N/A", "AKIA3:active")]
    root = the_root(**{MORE_CREDENTIALS: "N/A"})
    of_plan = planned(line(), users=users, root=root, columns=(*COLUMNS, MORE_CREDENTIALS))
    assert reasons(of_plan) == ["the report does not show all its credentials"]


@pytest.mark.no_cover
def test_a_user_of_whom_one_row_is_at_odds_on_a_use_is_left_out() -> None:
    used = a_user(key_1=a_key(LONG_AGO, USED))
    rows = [used | {"access_key_1_last_used_date": "N/A"}, used]
    decided = line("delete", used)
    of_plan = planned_in_accounts((decided, rows), (decided, rows[::-1]))
    assert reasons(of_plan) == ["the report does not show all its credentials"] * 2


def test_a_user_of_an_account_without_a_report_is_left_out() -> None:
    other = line("delete", a_user(account=OTHER_ACCOUNT))
    assert reasons(planned(other, users=[a_user()])) == ["the account is not covered"]


def test_a_report_that_is_older_than_the_decision_confirms_nobody() -> None:
    of_plan = planned(line(), users=[a_user()], as_of=AS_OF - timedelta(1))
    assert reasons(of_plan) == ["the report is older than the one that was decided on"]


@pytest.mark.no_cover
def test_the_report_that_was_decided_on_has_to_have_the_user() -> None:
    assert len(planned(line(), users=[a_user()], as_of=AS_OF).removals) == 1
    (reason,) = reasons(planned(line(), users=[], as_of=AS_OF))
    assert reason == "no user in the reports has this ARN and this creation time"


def test_what_a_newer_report_shows_done_is_neither_taken_nor_left_out() -> None:
    of_plan = planned(line(), users=[])
    assert (of_plan.removals, of_plan.left_out) == ((), ())
    assert of_plan.done == (line(),)


def test_a_sentence_on_a_user_left_out_names_the_decision_and_the_arn() -> None:
    (only,) = planned(line(), exempt=exemptions()).left_out
    assert str(only) == f"delete arn:aws:iam::{ACCOUNT}:user/quiet: exempt: break-glass"


def test_without_decisions_no_exemption_is_noted() -> None:
    assert exemption_notes(Ledger(), exemptions("2000-01-01")) == []


def test_an_exemption_is_noted_once_and_as_expired_by_the_report_of_each_line() -> None:
    later = line("delete", a_user("other"), as_of=NEWER, on=NEWER.date())
    for user, expires, notes in (
        ("quiet", DAY, []),
        ("quiet", DAY - timedelta(1), [f" expired on {DAY - timedelta(1)}."]),
        ("nobody", DAY - timedelta(1), [f" expired on {DAY - timedelta(1)}."]),
        ("nobody", DAY, [" matches nobody decided on."]),
        ("*", DAY, [f" expired on {DAY} for 1 of its 2 users."]),
        ("*", NEWER.date(), []),
    ):
        entry = f"account,user,reason,owner,expires\n*,{user},break-glass,sec,{expires}\n"
        exempt = analyzer.read_exemptions(("e.csv", entry.encode()))
        sentences = [f"The exemption of {user} in account *{each}" for each in notes]
        assert exemption_notes(Ledger(lines=(line(), later)), exempt) == sentences


def test_a_newer_report_confirms_the_user_from_its_own_time() -> None:
    (only,) = planned(line(), users=[a_user()]).removals
    assert only.confirmed == NEWER


def test_the_package_offers_no_change_of_aws() -> None:
    assert not any(word in name for name in analyzer.__all__ for word in ("remove", "delete"))
