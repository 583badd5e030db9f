"""Findings keep their ids from report to report, so that imports update what they brought.

ASFF and OCSF say the same of a finding. A feed closes the findings of an earlier one that are
gone, and no other.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.report import users as users_module
from analyzer.report.model import AccountName, NotCovered
from analyzer.rules import RULES
from analyzer.rules.rule import Outcome
from analyzer.terms import ISO_UTC
from analyzer.writers import tables
from analyzer.writers.finding_feed import findings, json_line, without_empty_fields
from tests.support.asff_model import errors as asff_errors
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    Row,
    a_key,
    a_password,
    a_user,
    days_before,
    report_text,
    the_root,
)
from tests.support.feeds import (
    BROKEN,
    EXCUSED,
    FEEDS,
    GONE,
    Document,
    FeedFinding,
    an_idle_key,
    asff_bytes,
    everything,
    everything_in,
    finding_of,
    idle_key,
    inspected,
    noted_root_key,
    ocsf,
    ocsf_bytes,
    only,
    spoiled,
    undecided_mfa,
)
from tests.support.named_reports import load_named
from tests.support.outputs import HARD_NAMES, analyzed_console, exemptions_of, one_of_each_shape
from tests.support.pages import BY_ID
from tests.support.reading import OTHER_ACCOUNT
from tests.writers.test_ocsf import errors as ocsf_errors

ERRORS: dict[str, Callable[[Document], list[str]]] = {"asff": asff_errors, "ocsf": ocsf_errors}


@pytest.fixture(params=FEEDS)
def feed(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def only_of(feed: str, rows: list[Row], rule: str, *exempt: str) -> FeedFinding:
    """Return the one finding of a rule on these rows."""
    exemptions = exemptions_of(*exempt) if exempt else ()
    return finding_of(only(FEEDS[feed](inspected(rows, exemptions)), rule))


# What both formats say


@pytest.mark.no_cover
def test_findings_of_every_rule_and_outcome_are_valid(feed: str) -> None:
    every = everything_in(feed)
    assert {(each.rule, each.compliance) for each in map(finding_of, every)} == {
        *((rule.id, outcome) for rule in RULES for outcome in ("Fail", "Warning")),
        ("root-access-key", "Pass"),
    }
    assert {finding_of(each).status for each in every} == {"New", "Suppressed"}
    for each in map(finding_of, every):
        assert each.compliance != "Fail" or each.severity == BY_ID[each.rule].severity
    assert [error for each in one_of_each_shape(every) for error in ERRORS[feed](each)] == []


WRONG: dict[str, dict[str, Any]] = {
    "asff": {
        "Id": "x" * 513,
        "ProductArn": f"arn:aws:securityhub::{ACCOUNT}:product/{ACCOUNT}/default",
        "Types": ["TTPs/a/b/c"],
        "Description": "",
        "ProductFields": {"x": "y" * 250_000},
        "Resources.0.Partition": "aws-mars",
        "Rule": "idle-access-key",
    },
    "ocsf": {
        "finding_info.uid": GONE,
        "severity_id": 7,
        "type_uid": 200401,
        "compliance.control_parameters.0.name": GONE,
        "remediation.desc": GONE,
        "resources.0.arn": "x",
    },
}
"""A few of each kind: that the published model or schema is checked at all."""


@pytest.mark.no_cover
def test_a_wrong_field_is_not_valid(feed: str) -> None:
    valid = an_idle_key(feed)
    assert ERRORS[feed](valid) == []
    for place, value in WRONG[feed].items():
        assert ERRORS[feed](spoiled(valid, place, value)) != [], place


REASON = "Moves to a role in June"
STATES: tuple[tuple[list[Row], str, list[str], tuple[str | None, ...]], ...] = (
    (undecided_mfa(), "console-user-without-mfa", [], ("Warning", "high", "New", None)),
    (noted_root_key(), "root-access-key", [], ("Pass", "informational", "New", None)),
    (idle_key(), "idle-access-key", [], ("Fail", "medium", "New", None)),
    (
        *(idle_key(), "idle-access-key", [f"*,program,{REASON},IT,"]),
        ("Fail", "medium", "Suppressed", REASON),
    ),
)


def test_undecided_is_a_warning_noted_passes_and_exempt_is_suppressed_with_the_reason(
    feed: str,
) -> None:
    for rows, rule, exempt, expected in STATES:
        found = only_of(feed, rows, rule, *exempt)
        assert (found.compliance, found.severity, found.status, found.reason) == expected
    undecided = only_of(feed, undecided_mfa(), "console-user-without-mfa")
    assert undecided.message == 'mfa_active "vielleicht" is not understood'


@pytest.mark.no_cover
def test_names_of_every_kind_stay_as_they_are_on_lines_of_ascii(feed: str) -> None:
    rows = [the_root(password_enabled="false"), *map(a_user, HARD_NAMES)]
    written = WRITTEN[feed](inspected(rows))
    assert written.isascii()
    found = [json.loads(line) for line in written.split(b"\n")[:-1]]
    assert {finding_of(each).resource for each in found} == {row["arn"] for row in rows[1:]}
    assert [error for each in found for error in ERRORS[feed](each)] == []


WRITTEN: dict[str, Callable[[Analysis], bytes]] = {"asff": asff_bytes, "ocsf": ocsf_bytes}


def test_whose_arn_names_no_account_is_in_that_of_the_file(feed: str) -> None:
    unnamed = {
        str(BROKEN["arn"]): BROKEN,
        "broken": BROKEN | {"arn": "  "},
        "row 3 of ": BROKEN | {"arn": "", "user": ""},
    }
    for resource, row in unnamed.items():
        found = only_of(feed, [the_root(), row], "unused-user")
        assert found.account == ACCOUNT
        assert found.resource.startswith(resource)
        assert found.id.startswith(f"credreport/{ACCOUNT}/unused-user/")


def test_the_account_has_its_name_where_that_is_known(feed: str) -> None:
    analysis = inspected([a_user("ann"), a_user("bob", account=OTHER_ACCOUNT)])
    names = {ACCOUNT: AccountName(name="production", owner="Ann")}
    named = replace(analysis.report, account_names=names, not_covered=(missing(ACCOUNT),))
    found = [*map(finding_of, FEEDS[feed](replace(analysis, report=named)))]
    accounts = {(each.account, each.account_name) for each in found}
    assert accounts == {(ACCOUNT, "production"), (OTHER_ACCOUNT, None)}
    assert {each.account_name for each in found if each.rule == "not-covered"} == {"production"}


@pytest.mark.no_cover
def test_every_finding_is_a_line_in_the_order_of_the_analysis(feed: str) -> None:
    analysis = analyzed_console()
    found = analysis.rule_results.findings
    assert len(found) > 90
    shown = [(each.rule, each.message) for each in map(finding_of, FEEDS[feed](analysis))]
    assert shown[: len(found)] == [*zip(found["rule"], found["fact"], strict=True)]


def test_without_findings_nothing_is_written(feed: str) -> None:
    assert FEEDS[feed](inspected([the_root(password_enabled="false")])) == []


TEXTS = ("plain", "名前", "😀", "\x7f", "\u2028", "\u202ereversed", '"\\/', "\x00\x1f\n\t", "")


def test_a_line_is_json_in_ascii_as_the_standard_library_writes_it() -> None:
    for text in TEXTS:
        document = {"name": text, "number": 1, "several": [text]}
        line = json.dumps(document, separators=(",", ":")).encode() + b"\n"
        assert json_line(document) == line


def test_only_fields_without_a_value_are_left_out() -> None:
    kept = {"zero": 0, "number": 7, "blank": " ", "text": "x", "list": [""]}
    empty: dict[str, object] = {"none": None, "empty": "", "no list": [], "no tuple": ()}
    assert without_empty_fields({**kept, **empty}) == kept


# Ids


@pytest.mark.no_cover
def test_no_two_findings_of_a_report_have_one_id_and_both_formats_give_the_same() -> None:
    ids, others = ([finding_of(each).id for each in everything_in(feed)] for feed in FEEDS)
    assert len({*ids}) == len(ids) > 1000
    assert max(map(len, ids)) <= 512
    assert sorted(others) == sorted(ids)


@pytest.mark.no_cover
def test_neither_the_name_of_the_file_nor_its_moment_matters() -> None:
    later = {"as_of": AS_OF + timedelta(days=7)}
    for changed in ({}, {"name": "another.csv"}, later):
        ids = [each.id for each in findings(inspected(idle_key(), **changed))]
        assert "credreport/012345678901/idle-access-key/83cc2f8addd5acbd469716ea9d1f04b5" in ids


@pytest.mark.no_cover
def test_neither_order_nor_pages_change_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def every(analysis: Analysis) -> Counter[str]:
        found = ocsf(analysis)
        for each in found:
            del each["unmapped"]["report_sha256"]
        return Counter(map(str, found))

    rows = everything()[190:250]
    whole = every(inspected(rows, exemptions_of(*EXCUSED)))
    random.Random(2).shuffle(rows)
    monkeypatch.setattr(users_module, "SLICE_ROWS", 7)
    monkeypatch.setattr(tables, "_VALUES_AT_ONCE", 7)
    assert every(inspected(rows, exemptions_of(*EXCUSED))) == whole


def test_another_subject_has_an_id_of_its_own_and_another_fact_or_outcome_has_not() -> None:
    (idle,) = (e for e in findings(inspected(idle_key())) if "idle" in e.group.rule.id)
    every = findings(inspected([the_root(), BROKEN]))
    broken = next(each for each in every if each.user == "broken")
    others = [
        idle._replace(created="2026-03-03T12:00:00Z"),  # of a user or a key created anew
        idle._replace(slot=2),
        idle._replace(arn=f"{idle.arn}x"),
        idle._replace(account="1" * 12),
        idle._replace(group=broken.group),
        *(broken, broken._replace(user="another")),
    ]
    assert len({each.id for each in (idle, *others)}) == 1 + len(others)
    undecided = replace(idle.group, outcome=Outcome.UNDECIDED)
    same = idle._replace(user="x", row=9, fact="x", days=1, since=None, group=undecided)
    assert same.id == idle.id


# Closed findings

BEFORE, NOW = days_before(30), AS_OF
IDLE, LEFT = (a_user(name, key_1=a_key(days_before(150)), mfa=True) for name in ("ann", "bob"))
EVE = a_user("eve", account=OTHER_ACCOUNT, password=a_password(days_before(150)))
ZOE = a_user("zoe", account=OTHER_ACCOUNT)


def at(moment: datetime, *users: Row, **changed: Any) -> Analysis:
    analysis = analyzed_at(report_text(users), moment)
    return replace(analysis, report=replace(analysis.report, **changed))


@cache
def analyzed_at(text: str, moment: datetime) -> Analysis:
    """Analyze a report once for all tests."""
    return analyzer.analyze(load_named((f"{moment:%s}.csv", text.encode()), as_of=moment))


def lines(analysis: Analysis, feed: str, earlier: Iterable[bytes] = ()) -> list[bytes]:
    if feed == "asff":
        return asff_bytes(analysis, earlier=[b"[%s]" % line for line in earlier]).splitlines()
    return ocsf_bytes(analysis, earlier).splitlines()


def closed(feed: Iterable[bytes]) -> list[Document]:
    every = map(json.loads, feed)
    return [each for each in every if finding_of(each).status == "Resolved"]


def missing(account: str) -> NotCovered:
    return NotCovered(account=account, name="", reason="AWS denied it.")


UPDATED, MADE = (f"{each:{ISO_UTC}}" for each in (NOW, BEFORE))
CLOSED: dict[str, dict[str, Any]] = {
    "asff": {
        "UpdatedAt": UPDATED,
        "CreatedAt": MADE,
        "RecordState": "ARCHIVED",
        "Workflow": {"Status": "RESOLVED"},
    },
    "ocsf": {
        "activity_id": 3,
        "activity_name": "Close",
        "status": "Resolved",
        "status_id": 4,
        "type_uid": 200303,
        "type_name": "Compliance Finding: Close",
        "time_dt": UPDATED,
        "modified_time_dt": UPDATED,
        "created_time_dt": MADE,
    },
}


def test_findings_that_are_gone_are_closed_once_and_can_come_back(feed: str) -> None:
    before = lines(at(BEFORE, IDLE, LEFT), feed)
    assert closed(before) == []
    now = lines(at(NOW, IDLE), feed, before)
    expected = {finding_of(json.loads(line)).id for line in before if b"bob" in line}
    assert expected
    assert {finding_of(each).id for each in closed(now)} == expected
    for each in closed(now):
        fields = {**each, **each.get("finding_info", {})}
        assert {name: fields[name] for name in CLOSED[feed]} == CLOSED[feed]
        assert ERRORS[feed](each) == []
    assert closed(lines(at(NOW, IDLE), feed, now)) == []
    assert closed(lines(at(NOW, IDLE, LEFT), feed, now)) == []


@pytest.mark.no_cover
def test_findings_stay_open_where_the_account_may_be_one_that_could_not_be_read(feed: str) -> None:
    before = lines(at(BEFORE, IDLE, LEFT, EVE), feed)
    both, mine = {OTHER_ACCOUNT, ACCOUNT}, {ACCOUNT}
    every, other = (IDLE, ZOE), missing(OTHER_ACCOUNT)
    cases: tuple[tuple[tuple[Row, ...], dict[str, Any], set[str]], ...] = (
        (every, {}, both),
        ((IDLE,), {}, mine),
        (every, {"not_covered": (other,)}, mine),
        (every, {"left_out": (other,)}, mine),
        ((IDLE,), {"not_covered": (missing(""),)}, mine),
        (every, {"not_covered": (missing("999999999999"),)}, both),
    )
    for users, changed, accounts in cases:
        found = closed(lines(at(NOW, *users, **changed), feed, before))
        assert {finding_of(each).account for each in found} == accounts, changed


@pytest.mark.no_cover
def test_that_an_account_had_no_report_is_closed_when_it_has_one(feed: str) -> None:
    before = lines(at(BEFORE, IDLE, not_covered=(missing(OTHER_ACCOUNT),)), feed)
    now = closed(lines(at(NOW, IDLE, ZOE), feed, before))
    assert [finding_of(each).account for each in now] == [OTHER_ACCOUNT]


@pytest.mark.no_cover
def test_a_finding_without_an_account_is_closed_unless_an_unknown_one_is_missing() -> None:
    nameless: Row = {"arn": "?"}
    before = lines(at(BEFORE, IDLE, EVE, LEFT | nameless), "ocsf")
    homeless = [each for each in map(json.loads, before) if not finding_of(each).account]
    assert homeless
    for changed, number in (({}, len(homeless)), ({"not_covered": (missing(""),)}, 0)):
        now = closed(lines(at(NOW, IDLE, EVE, **changed), "ocsf", before))
        assert len([each for each in now if not finding_of(each).account]) == number


@pytest.mark.no_cover
def test_of_several_earlier_feeds_the_newest_counts(feed: str) -> None:
    first, last = lines(at(BEFORE, IDLE, LEFT), feed), lines(at(NOW, IDLE), feed)
    second = lines(at(NOW, IDLE), feed, first)
    assert closed(lines(at(NOW, IDLE), feed, [*second, *first])) == []
    assert len(closed(lines(at(NOW, IDLE), feed, [*last, *first, *first]))) == len(closed(second))
