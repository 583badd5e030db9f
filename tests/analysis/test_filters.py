"""A filter keeps what it names, counts what it leaves out, and never hides what is unknown."""

from dataclasses import replace
from pathlib import Path

import pytest

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.analysis.filters import (
    Filter,
    account_labels,
    filtered_report,
    unmatched_accounts,
    unmatched_users,
)
from analyzer.report.model import AccountName, NotCovered, UncoveredFile
from analyzer.terms import Verdict
from tests.support.builders import (
    AS_OF,
    QUIET_PASSWORD,
    Row,
    a_certificate,
    a_key,
    a_user,
    an_inactive_key,
    days_before,
    report_text,
    saved,
    the_root,
)
from tests.support.named_reports import load_named
from tests.support.outputs import analysis_of, analyzed_console, exemptions_of, json_document

FIRST, SECOND = "111111111111", "222222222222"

USERS: tuple[Row, ...] = (
    a_user("ann", created=days_before(90), path="team/"),
    a_user("Bob", created=days_before(89.9)),
    a_user("carol", certificate_1=a_certificate()),
    a_user("dora", key_1=a_key(used=AS_OF)),
    a_user("eve", user_creation_time="soon"),
    a_user("fay", key_1=an_inactive_key(), cert_1_active="?"),
)


KEPT: tuple[tuple[Filter, list[str]], ...] = (
    (Filter(), ["ann", "Bob", "carol", "dora", "eve", "fay"]),
    (Filter(users=("ann",)), ["ann"]),
    (Filter(users=("bob",)), ["Bob"]),
    (Filter(users=("a*", "?ve")), ["ann", "eve"]),
    (Filter(users=("arn:aws:iam::*:user/team/*",)), ["ann"]),
    (Filter(users=("!a*", "!?ve")), ["Bob", "carol", "dora", "fay"]),
    (Filter(users=("*a*", "!ANN")), ["carol", "dora", "fay"]),
    (Filter(users=("!arn:aws:iam::*:user/team/*",)), ["Bob", "carol", "dora", "eve", "fay"]),
    (Filter(certain=True), ["ann", "Bob", "dora"]),
    (Filter(min_age=90), ["ann", "carol", "dora", "eve", "fay"]),
    (Filter(min_age=91), ["carol", "dora", "eve", "fay"]),
    (Filter(min_age=91, certain=True, users=("*a*",)), ["dora"]),
    (Filter(accounts=("012345678901",)), ["ann", "Bob", "carol", "dora", "eve", "fay"]),
    (Filter(accounts=("9*",)), []),
    (Filter(exposures=("access-key", "certificate-or-service")), ["carol", "dora"]),
    (Filter(exposures=("none", "unknown")), ["ann", "Bob", "eve", "fay"]),
    (Filter(exposures=("password-without-mfa",)), []),
    (Filter(exposures=("unknown",)), ["fay"]),
)


def test_a_filter_keeps_the_users_that_it_names_and_those_of_unknown_age() -> None:
    analysis = analysis_of(USERS)
    for chosen, names in KEPT:
        filtered = analysis.where(chosen)
        assert filtered.users["user"].tolist() == names, chosen
        assert filtered.totals.user_count() == len(names)
        assert filtered.filtered_out == len(USERS) - len(names)


def test_a_filter_says_whom_it_lists_and_whom_it_leaves_out() -> None:
    assert str(Filter(users=("a*", "!ann", "!b*"))) == "user a*, not user ann or b*"


def test_names_and_patterns_that_match_no_user_are_named() -> None:
    users = analysis_of(USERS).judged
    chosen = Filter(users=("ANN", "zoe", "z*", "!y*", "!b*", "<root_account>", "!<root*"))
    assert unmatched_users(users, chosen) == ["zoe", "z*", "!y*"]


def test_what_a_filter_keeps_is_counted_with_its_exemptions_and_the_whole_stays() -> None:
    exemptions = exemptions_of("*,ann,Why,,", "*,zoe,Gone,,")
    whole = analysis_of(USERS, exemptions)
    analysis = whole.where(Filter(users=("a*",)))
    assert analysis.totals.user_count(Verdict.UNUSED, exempt=True) == 1
    assert [each.user for each in analysis.totals.unmatched] == ["zoe"]
    assert analysis.whole is whole
    assert whole.whole is whole
    assert (whole.filter, whole.filtered_out) == (None, 0)


# Accounts


@pytest.fixture(scope="module")
def two_accounts() -> Analysis:
    files = []
    for account in (FIRST, SECOND):
        users = [a_user("ann", account=account, password=QUIET_PASSWORD)]
        text = report_text(users, root=the_root(account, mfa_active="false"))
        files.append((f"{account}.csv", text.encode()))
    report = replace(
        load_named(*files, as_of=AS_OF),
        not_covered=(NotCovered(account="333333333333", name="lost", reason="Denied."),),
        left_out=(NotCovered(account="", name="skipped", reason="No."),),
        account_names={FIRST: AccountName(name="Production")},
    )
    return analyzer.analyze(report)


@pytest.mark.no_cover
def test_an_account_is_named_by_its_id_its_name_or_a_pattern(two_accounts: Analysis) -> None:
    for pattern in ("production", "Prod*", "1*"):
        analysis = two_accounts.where(Filter(accounts=(pattern,)))
        assert analysis.users["account"].tolist() == [FIRST], pattern
        assert set(analysis.rule_results.findings["account"]) == {FIRST}
        assert analysis.report.not_covered == analysis.report.left_out == ()
        assert analysis.report.notes == ()


def test_notes_that_list_files_list_those_that_the_filter_keeps(tmp_path: Path) -> None:
    for account in (FIRST, SECOND, "3" * 12):
        text = report_text([a_user(account=account)], root=the_root(account))
        saved(tmp_path, text, f"{account}.csv")
    saved(tmp_path, "no report", "notes.md")
    report = analyzer.load(tmp_path)
    for kept, numbers in (((FIRST, SECOND), [0, 2]), ((SECOND,), [0, 1]), ((), [0, 3])):
        notes = filtered_report(report, Filter(accounts=kept)).notes
        assert [note.split(":")[0].count(".csv") for note in notes] == numbers
        assert notes[0] == report.notes[0]


def test_what_could_not_be_read_stays_where_the_filter_may_mean_it(two_accounts: Analysis) -> None:
    report = two_accounts.report
    for pattern in ("333333333333", "lost"):
        kept = filtered_report(report, Filter(accounts=(pattern,)))
        assert [each.name for each in kept.not_covered] == ["lost"]
        assert len(kept.notes) == 1
    assert len(filtered_report(report, Filter(users=("ann",))).not_covered) == 1
    unreadable = UncoveredFile(account="", name="lost.csv", reason="Cut off.")
    report = replace(report, not_covered=(unreadable,))
    for chosen in (Filter(accounts=(FIRST,)), Filter(accounts=("prod*",)), Filter(users=("ann",))):
        assert filtered_report(report, chosen).not_covered == (unreadable,)


def test_patterns_that_match_no_account_are_named(two_accounts: Analysis) -> None:
    report = two_accounts.report
    listed = dict(report.account_names) | {"444444444444": AccountName(name="Closed")}
    report = replace(report, account_names=listed)
    chosen = Filter(accounts=("Prod*", "3*", "skipped", SECOND, "4*", "prod", "Closed"))
    assert unmatched_accounts(report, chosen) == ["4*", "prod", "Closed"]
    assert account_labels(report) == [f"{FIRST} (Production)", SECOND]


@pytest.mark.no_cover
def test_the_root_stays_unless_the_users_are_named_without_it(two_accounts: Analysis) -> None:
    for chosen, roots in (
        (Filter(certain=True), True),
        (Filter(min_age=9999), True),
        (Filter(users=("ann",)), False),
        (Filter(users=("ann", "<root_account>")), True),
        (Filter(users=("*",)), True),
        (Filter(users=("!ann",)), True),
        (Filter(users=("!<root*", "*")), False),
    ):
        results = two_accounts.where(chosen).rule_results
        assert ("root-without-mfa" in {rule.id for rule in results.book.rules}) is roots, chosen
        assert ("root-without-mfa" in set(results.findings["rule"])) is roots, chosen


def test_json_says_which_filter_left_out_how_many(two_accounts: Analysis) -> None:
    document = json_document(two_accounts.where(Filter(accounts=(FIRST,), min_age=7)))
    chosen: dict[str, object] = {"accounts": [FIRST], "users": [], "exposures": []}
    chosen = chosen | {"certain": False, "min_age": 7}
    assert document["filter"] == (chosen | {"users_left_out": 1})
    assert [file["accounts"][0]["account"] for file in document["files"]] == [FIRST]
    assert {user["account"] for user in document["users"]} == {FIRST}
    assert json_document(analyzed_console())["filter"] is None


def test_a_filter_says_in_words_what_it_keeps_and_values_without_a_meaning_are_refused() -> None:
    chosen = Filter(
        accounts=("a", "b"),
        users=("c",),
        exposures=("access-key", "none"),
        certain=True,
        min_age=9,
    )
    words = "exposure access-key or none, without caveats"
    age = "created 9 days or more before as-of"
    assert str(chosen) == f"account a or b, user c, {words}, {age}"
    assert (str(Filter()), str(Filter(certain=True))) == ("", "without caveats")
    for wrong in ({"min_age": -1}, {"users": ("",)}, {"accounts": ("a", "")}):
        with pytest.raises(ValueError, match="must"):
            Filter(**wrong)
    for unknown in (("mfa",), ("unused",)):
        with pytest.raises(ValueError, match=r"use password-without-mfa, .*, none, unknown$"):
            Filter(exposures=unknown)
