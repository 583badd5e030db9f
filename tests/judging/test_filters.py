"""A filter keeps what it names, counts what it leaves out, and never hides what is unknown."""

from dataclasses import replace
from pathlib import Path

import pytest

import analyzer
from analyzer.judging.analysis import Analysis
from analyzer.judging.filters import (
    Filter,
    account_labels,
    filtered_report,
    unmatched_accounts,
    unmatched_users,
)
from analyzer.report.model import AccountName, UncoveredAccount, UncoveredFile
from analyzer.terms import Verdict
from tests.support.builders import (
    AS_OF,
    Row,
    a_certificate,
    a_key,
    a_password,
    a_user,
    days_before,
    report_text,
    saved,
    the_root,
)
from tests.support.outputs import analysis_of, analyzed_console, exemptions_of, json_document

FIRST, SECOND = "111111111111", "222222222222"

USERS: tuple[Row, ...] = (
    a_user("ann", created=days_before(90), path="team/"),
    a_user("Bob", created=days_before(89.9)),
    a_user("carol", certificate_1=a_certificate()),
    a_user("dora", key_1=a_key(used=AS_OF)),
    a_user("eve", user_creation_time="soon"),
)


KEPT: tuple[tuple[Filter, list[str]], ...] = (
    (Filter(), ["ann", "Bob", "carol", "dora", "eve"]),
    (Filter(users=("ann",)), ["ann"]),
    (Filter(users=("bob",)), ["Bob"]),
    (Filter(users=("a*", "?ve")), ["ann", "eve"]),
    (Filter(users=("arn:aws:iam::*:user/team/*",)), ["ann"]),
    (Filter(users=("an",)), []),
    (Filter(certain=True), ["ann", "Bob", "dora"]),
    (Filter(min_age=89), ["ann", "Bob", "carol", "dora", "eve"]),
    (Filter(min_age=90), ["ann", "carol", "dora", "eve"]),
    (Filter(min_age=91), ["carol", "dora", "eve"]),
    (Filter(min_age=91, certain=True, users=("*a*",)), ["dora"]),
    (Filter(accounts=("012345678901",)), ["ann", "Bob", "carol", "dora", "eve"]),
    (Filter(accounts=("9*",)), []),
)


def test_a_filter_keeps_the_users_that_it_names_and_those_of_unknown_age() -> None:
    analysis = analysis_of(USERS)
    for chosen, names in KEPT:
        filtered = analysis.where(chosen)
        assert filtered.users["user"].tolist() == names, chosen
        assert filtered.totals.counts["users"].sum() == len(names)
        assert filtered.filtered_out == len(USERS) - len(names)


def two_accounts(folder: Path) -> Analysis:
    for account in (FIRST, SECOND):
        users = [a_user("ann", account=account, password=a_password(days_before(1)))]
        root = the_root(account, mfa_active="false")
        saved(folder, report_text(users, root=root), f"{account}.csv")
    report = analyzer.load(folder, as_of=AS_OF)
    missing = UncoveredAccount(account="333333333333", name="lost", reason="Denied.")
    skipped = UncoveredAccount(account="", name="skipped", reason="No.")
    return analyzer.analyze(
        report.__class__(
            files=report.files,
            pages=report.pages,
            roots=report.roots,
            not_covered=(missing,),
            left_out=(skipped,),
            account_names={FIRST: AccountName(name="Production")},
        )
    )


@pytest.mark.no_cover
def test_an_account_is_named_by_its_id_its_name_or_a_pattern(tmp_path: Path) -> None:
    whole = two_accounts(tmp_path)
    for pattern in (FIRST, "production", "Prod*", "1*"):
        analysis = whole.where(Filter(accounts=(pattern,)))
        assert analysis.users["account"].tolist() == [FIRST], pattern
        assert set(analysis.rule_results.findings["account"]) == {FIRST}
        assert analysis.report.not_covered == analysis.report.left_out == ()
        assert analysis.report.notes == ()


def test_notes_that_list_files_list_those_that_the_filter_keeps(tmp_path: Path) -> None:
    for account in (FIRST, SECOND, "123XXXXXXXX"):
        saved(
            tmp_path,
            report_text([a_user(account=account)], root=the_root(account)),
            f"{account}.csv",
        )
    saved(tmp_path, "no report", "notes.md")
    report = analyzer.load(tmp_path)
    assert [note.split(":")[0].count(".csv") for note in report.notes] == [0, 3, 1]
    for kept, numbers in (((FIRST, SECOND), [0, 2]), ((SECOND,), [0, 1]), ((), [0, 3, 1])):
        notes = filtered_report(report, Filter(accounts=kept)).notes
        assert [note.split(":")[0].count(".csv") for note in notes] == numbers
        assert notes[0] == report.notes[0]


def test_an_account_that_could_not_be_read_stays_where_the_filter_names_it(tmp_path: Path) -> None:
    analysis = two_accounts(tmp_path)
    for pattern in ("333333333333", "lost"):
        report = filtered_report(analysis.report, Filter(accounts=(pattern,)))
        assert [each.name for each in report.not_covered] == ["lost"]
        assert len(report.notes) == 1
    assert len(filtered_report(analysis.report, Filter(users=("ann",))).not_covered) == 1


def test_a_file_that_could_not_be_read_may_be_of_any_account(tmp_path: Path) -> None:
    report = two_accounts(tmp_path).report
    unreadable = UncoveredFile(account="", name="lost.csv", reason="Cut off.")
    report = replace(report, not_covered=(unreadable,))
    for chosen in (Filter(accounts=(FIRST,)), Filter(accounts=("prod*",)), Filter(users=("ann",))):
        assert filtered_report(report, chosen).not_covered == (unreadable,)


def test_patterns_that_match_no_account_are_named(tmp_path: Path) -> None:
    report = two_accounts(tmp_path).report
    listed = {**report.account_names, "444444444444": AccountName(name="Closed")}
    report = replace(report, account_names=listed)
    chosen = Filter(accounts=("Prod*", "3*", "skipped", SECOND, "4*", "prod", "Closed"))
    assert unmatched_accounts(report, chosen) == ["4*", "prod", "Closed"]
    assert account_labels(report) == [f"{FIRST} (Production)", SECOND]


def test_names_that_no_user_has_are_named_and_patterns_may_match_none() -> None:
    pages = analysis_of(USERS).pages
    chosen = Filter(users=("ANN", "zoe", "z*", "<root_account>"))
    assert unmatched_users(pages(), chosen) == ["zoe"]
    assert unmatched_users(pages(), Filter(users=("z*",))) == []


@pytest.mark.no_cover
def test_the_root_stays_unless_the_users_are_named_without_it(tmp_path: Path) -> None:
    whole = two_accounts(tmp_path)
    for chosen, roots in (
        (Filter(certain=True), True),
        (Filter(min_age=9999), True),
        (Filter(users=("ann",)), False),
        (Filter(users=("ann", "<root_account>")), True),
        (Filter(users=("*",)), True),
    ):
        analysis = whole.where(chosen)
        rules = {rule.id for rule in analysis.rule_results.book.rules}
        assert ("root-without-mfa" in rules) is roots, chosen
        assert ("root-without-mfa" in set(analysis.rule_results.findings["rule"])) is roots, chosen


def test_what_a_filter_keeps_is_counted_with_its_exemptions_and_the_whole_stays() -> None:
    exemptions = exemptions_of("*,ann,Why,,", "*,zoe,Gone,,")
    whole = analysis_of(USERS, exemptions)
    analysis = whole.where(Filter(users=("a*",)))
    assert analysis.totals.users(Verdict.UNUSED, exempt=True) == 1
    assert [each.user for each in analysis.totals.unmatched] == ["zoe"]
    assert analysis.whole is whole
    assert whole.whole is whole
    assert (whole.filter, whole.filtered_out) == (None, 0)


def test_json_says_which_filter_left_out_how_many(tmp_path: Path) -> None:
    document = json_document(two_accounts(tmp_path).where(Filter(accounts=(FIRST,), min_age=7)))
    assert document["filter"] == {
        "accounts": [FIRST],
        "users": [],
        "certain": False,
        "min_age": 7,
        "users_left_out": 1,
    }
    assert [file["accounts"][0]["account"] for file in document["files"]] == [FIRST]
    assert {user["account"] for user in document["users"]} == {FIRST}
    assert json_document(analyzed_console())["filter"] is None


@pytest.mark.parametrize(
    "wrong", [{"min_age": -1}, {"users": ("",)}, {"accounts": ("a", "")}], ids=str
)
def test_values_without_a_meaning_are_refused(wrong: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(ValueError, match="must"):
        Filter(**wrong)  # type: ignore[arg-type]  # one of them each


def test_a_filter_says_in_words_what_it_keeps() -> None:
    chosen = Filter(accounts=("a", "b"), users=("c",), certain=True, min_age=9)
    assert (
        str(chosen)
        == "account a or b, user c, without caveats, created 9 days or more before as-of"
    )
