"""Rules of one's own run beside the others, and every output shows them."""

import re
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.analysis.rulebook import Rulebook, rulebook
from analyzer.rules import RULES
from analyzer.rules.engine import page_outcomes
from analyzer.rules.rule import UNCOVERED_ACCOUNT, Outcome
from analyzer.rules.wording import days_text
from analyzer.verdicts.facts import Facts
from analyzer.verdicts.truth import Truth
from tests.support.builders import AS_OF, a_key, a_user, days_before, report_text
from tests.support.feeds import asff, ocsf
from tests.support.outputs import everything_shown, json_document
from tests.support.pages import LIMITS, NO_USERS, counts_on, findings_on, of_users
from tests.support.workbooks import results_of, row_of, texts

OLD = analyzer.Rule(
    id="old-user-5",
    title="User is old",
    requirement="No user is older than five years",
    severity=analyzer.Severity.HIGH,
    subject=analyzer.Subject.USER,
    reads=("user_creation_time",),
    why="Its owner may have left.",
    how="Fails when created more than 1825 days before as-of.",
    fix="Ask the owner whether the user is needed.",
    judge=lambda facts, _: facts.age.more_than(1825),
    fact=lambda facts, at, _: days_text(facts.age.days[at], "created ", " ago"),
)


@cache
def report() -> analyzer.Report:
    users = [a_user("old", created=days_before(1826)), a_user("new", created=days_before(1825))]
    return analyzer.load(("report.csv", report_text(users).encode()), as_of=AS_OF)


@cache
def judged() -> Analysis:
    return judged_by(rulebook(extra=[OLD]))


def judged_by(book: Rulebook) -> Analysis:
    return analyzer.analyze(report(), book=book)


def test_an_own_rule_runs_last_and_finds_what_fails() -> None:
    rule_results = judged().rule_results
    assert rule_results.book.rules[-1] is OLD
    every = rule_results.findings
    own = every[every["rule"] == "old-user-5"]
    (found,) = own[["user", "fact", "remedy"]].to_numpy().tolist()
    assert found == ["old", "created 1,826 days ago", OLD.fix]
    (explained,) = judged().explain("old")
    assert [each.outcome for each in explained.rules if each.rule == OLD.id] == ["fails"]
    unknown = judged_by(replace(rulebook(), rules=(OLD,)))  # a book that does not know its id
    assert [each["finding_info"]["title"] for each in ocsf(unknown)] == ["User is old"]


@pytest.mark.no_cover
def test_the_workbook_shows_it_as_a_finding_a_control_and_in_the_method() -> None:
    book = results_of(judged())
    assert "User is old" in texts(book["Findings"])
    control = row_of(book["Controls"], "old-user-5")
    assert control[1:4] == ("No user is older than five years", "fail", 1)
    assert control[6] == "Fails when created more than 1825 days before as-of."
    assert "User is old" in row_of(book["Method"], "old-user-5")[1]
    assert f"Scope: {len(RULES) + 1} in all." in texts(book["Controls"])


def test_the_terminal_the_summary_and_json_show_it() -> None:
    for width in (None, 80, 160):
        assert "User is old" in everything_shown(judged(), width=width), width
    document = json_document(judged())
    assert document["rules"][-1]["id"] == "old-user-5"
    assert document["controls"][-1]["result"] == "fail"
    own = [each["user"] for each in document["findings"] if each["rule"] == "old-user-5"]
    assert own == ["old"]


def test_the_feeds_have_its_remedy_and_no_empty_address() -> None:
    (found,) = (each for each in ocsf(judged()) if OLD.id in str(each))
    assert found["remediation"] == {"desc": OLD.fix}
    (found,) = (each for each in asff(judged()) if OLD.id in str(each))
    assert found["Remediation"] == {"Recommendation": {"Text": OLD.fix}}


def test_an_exemption_can_name_it() -> None:
    listed = b"account,user,reason,owner,expires,rule\n*,old,known,,,old-user-5\n"
    exemptions = analyzer.read_exemptions(("list.csv", listed), rules=[OLD.id])
    analysis = analyzer.analyze(report(), None, exemptions, rulebook(extra=[OLD]))
    assert analysis.rule_results.counts["old-user-5", Outcome.FAILS, True] == 1
    with pytest.raises(analyzer.InputRefused, match="old-user-5"):
        analyzer.read_exemptions(("list.csv", listed))


def test_it_runs_besides_the_rules_of_a_benchmark_unless_it_is_skipped_or_off_by_default() -> None:
    book = rulebook("cis-3.0", extra=[OLD])
    assert {rule.id for rule in book.rules} == {"unused-user", *book.standard.rules, OLD.id}
    assert OLD not in rulebook(extra=[OLD], skip=[OLD.id]).rules
    off = replace(OLD, default=False)
    assert off not in rulebook(extra=[off]).rules
    assert off not in rulebook("cis-3.0", extra=[off]).rules
    assert rulebook(extra=[off], rules=[OLD.id]).rules == (off,)


WRONG_IDS = ("", "Old", "old_user", "old--user", "5-old", "-old")
TAKEN_IDS = ("unused-user", "default", "all", UNCOVERED_ACCOUNT.id)


def test_an_id_that_is_taken_or_of_another_form_and_what_is_no_rule_are_refused() -> None:
    for wrong in WRONG_IDS:
        with pytest.raises(ValueError, match="use small letters, digits and single hyphens"):
            rulebook(extra=[replace(OLD, id=wrong)])
    for taken in TAKEN_IDS:
        with pytest.raises(ValueError, match=f"rule id '{taken}' is taken: choose another id"):
            rulebook(extra=[replace(OLD, id=taken)])
    with pytest.raises(ValueError, match="rule id 'old-user-5' is taken"):
        rulebook(extra=[OLD, OLD])
    with pytest.raises(TypeError, match=r"an extra rule is an analyzer\.Rule, not 'old-user-5'"):
        rulebook(extra=["old-user-5"])  # type: ignore[list-item]  # that is the point


def test_feeds_are_about_the_account_where_the_rule_is() -> None:
    of_account = replace(OLD, subject=analyzer.Subject.ACCOUNT)
    analysis = judged_by(rulebook(extra=[of_account], rules=[OLD.id]))
    ((resource,),) = (each["resources"] for each in ocsf(analysis))
    assert (resource["type"], resource["uid"]) == ("AwsAccount", "012345678901")
    ((resource,),) = (each["Resources"] for each in asff(analysis))
    assert (resource["Type"], resource["Id"]) == ("AwsAccount", "AWS::::Account:012345678901")


@pytest.mark.no_cover
def test_feeds_describe_a_finding_without_words() -> None:
    for words in ("", None):
        fact = pa.array([words], pa.string())
        silent = replace(OLD, fact=lambda *_, fact=fact: fact)
        analysis = judged_by(rulebook(extra=[silent], rules=[OLD.id]))
        assert [each["message"] for each in ocsf(analysis)] == [""]
        assert [each["Description"] for each in asff(analysis)] == [""]


TWO_USERS = of_users(a_user("old"), a_user("new"))
YES, NO, NONE = (np.array(each) for each in ([True, False], [False, True], [False, False]))
BOTH = (
    "judge must return a Truth of two boolean arrays of shape {}, `yes` and `no`, which are never"
)
JUDGE, NOTED = BOTH.format("(2,)"), "noted must return a boolean array of shape (2,)"
FACT = "fact must return a pyarrow.Array of 1 texts (string), one for each position in `at`"


@pytest.mark.parametrize(
    ("field", "returned", "message"),
    [
        ("judge", None, JUDGE),
        ("judge", YES, JUDGE),
        ("judge", Truth(YES[:1], NO[:1]), JUDGE),
        ("judge", Truth(YES, NO[:1]), JUDGE),
        ("judge", Truth(YES.astype(object), NO), JUDGE),
        ("judge", Truth(YES, NO.tolist()), JUDGE),
        ("judge", Truth(YES, YES), JUDGE),
        ("noted", None, NOTED),
        ("noted", NO[:1], NOTED),
        ("fact", "old", FACT),
        ("fact", ["old"], FACT),
        ("fact", pa.array(["a", "b", "c"]), FACT),
        ("fact", pa.array([1]), FACT),
        ("undecided_fact", pa.array(["a", "b"]), f"undecided_{FACT}"),
        ("since", 5, "since must return an Elapsed, such as `facts.age`"),
    ],
)
def test_a_rule_that_returns_no_answer_is_named_with_what_it_must_return(
    field: str, returned: Any, message: str
) -> None:
    parts: Any = {"judge": lambda *_: Truth(YES, NONE), field: lambda *_: returned}
    wrong = replace(OLD, **parts)
    with pytest.raises(analyzer.CredreportError) as failed:
        findings_on(TWO_USERS, [wrong])
    assert str(failed.value).startswith(f"rule {OLD.id}: {message}")


def test_a_rule_on_slots_returns_two_rows() -> None:
    keys = [a_user("old", key_2=a_key()), a_user("new", key_1=a_key())]
    rule = replace(
        OLD,
        subject=analyzer.Subject.ACCESS_KEY,
        judge=lambda facts, _: facts.key_active & facts.age.more_than(1),
        fact=lambda facts, at, _: days_text(facts.key_age.days.flat[at], "created ", " ago"),
    )
    found = findings_on(of_users(*keys), [rule])[["user", "slot", "fact"]].to_numpy().tolist()
    assert found == [["new", 1, "created 1,000 days ago"], ["old", 2, "created 1,000 days ago"]]
    for flat in (Truth(YES, NO), Truth(np.tile(YES, 2), np.tile(NO, 2))):
        with pytest.raises(analyzer.CredreportError, match=re.escape(BOTH.format("(2, 2)"))):
            findings_on(TWO_USERS, [replace(rule, judge=lambda *_, flat=flat: flat)])


def test_no_rule_is_asked_about_a_page_without_users() -> None:
    def newest(facts: Facts, _: analyzer.Thresholds) -> Truth:
        return facts.age.at_least(int(facts.age.days.max()))  # which fails where there are none

    rule = replace(OLD, judge=newest)
    assert len(findings_on(NO_USERS, [rule])) == 0
    assert findings_on(of_users(a_user()), []).empty
    assert counts_on(NO_USERS, NO_USERS, [rule]) == {}
    assert page_outcomes(Facts(NO_USERS), [rule], LIMITS, of_roots=False).shape == (0, 1)


def test_a_rule_says_which_word_or_column_there_is_not() -> None:
    assert replace(OLD, severity="low", subject="user").severity is analyzer.Severity.LOW  # type: ignore[arg-type]  # a word is enough
    for field, words in (("severity", "lowest"), ("subject", "users")):
        with pytest.raises(ValueError, match=words):
            replace(OLD, **{field: words})  # type: ignore[arg-type]  # that is the point
    for field, known in (
        ("reads", "user, arn"),
        ("reads_keys", "active"),
        ("reads_certificates", "active"),
    ):
        wrong: Any = replace(OLD, **{field: ("created",)})  # type: ignore[arg-type]  # as above
        message = f"unknown column in {field} of rule {OLD.id}: created: choose from {known}, "
        with pytest.raises(ValueError, match=message):
            rulebook(extra=[wrong])
