"""Findings keep their ids from report to report, so that imports update what they brought.

A feed closes the findings of an earlier one that are gone, and no other.
"""

import io
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
from analyzer.judging import rule_results
from analyzer.judging.analysis import Analysis
from analyzer.report.model import UncoveredAccount
from analyzer.terms import ISO_UTC
from analyzer.writers import tables
from analyzer.writers.feed import findings, json_line, present
from analyzer.writers.ocsf import write_ocsf
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
    ELSEWHERE,
    EXCUSED,
    Document,
    Written,
    asff,
    asff_bytes,
    everything,
    idle_key,
    inspected,
    inspected_everything,
    noted_root_key,
    ocsf,
    ocsf_bytes,
    root_with,
    undecided_mfa,
)
from tests.support.outputs import analyzed_console, exemptions_of
from tests.support.reading import OTHER_ACCOUNT
from tests.writers.test_ocsf import errors as ocsf_errors


def of_ocsf(analysis: Analysis) -> list[str]:
    return [each["finding_info"]["uid"] for each in ocsf(analysis)]


def of_asff(analysis: Analysis) -> list[str]:
    return [each["Id"] for each in asff(analysis)]


in_both_feeds = pytest.mark.parametrize("written", [ocsf_bytes, asff_bytes])


def of_rule(ids: list[str], rule: str) -> list[str]:
    return [each for each in ids if f"/{rule}/" in each]


@pytest.mark.no_cover
def test_no_two_findings_of_a_report_have_one_id_and_both_formats_give_the_same() -> None:
    ids = of_ocsf(inspected_everything())
    assert len({*ids}) == len(ids) > 1000
    assert max(map(len, ids)) <= 512
    assert sorted(of_asff(inspected_everything())) == sorted(ids)


@pytest.mark.no_cover
def test_neither_the_name_of_the_file_nor_its_moment_matters() -> None:
    ids = of_ocsf(inspected(idle_key()))
    assert of_ocsf(inspected(idle_key(), name="another.csv")) == ids
    assert of_ocsf(inspected(idle_key(), as_of=AS_OF + timedelta(days=7))) == ids


@pytest.mark.no_cover
def test_neither_order_nor_pages_change_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def said(analysis: Analysis) -> Counter[str]:
        found = ocsf(analysis)
        for each in found:
            del each["unmapped"]["report_sha256"]
        return Counter(map(str, found))

    rows = everything()[190:250]
    whole = said(inspected(rows, exemptions_of(*EXCUSED)))
    random.Random(2).shuffle(rows)
    monkeypatch.setattr(rule_results, "MOST_ROWS_IN_ONE_ORDER", 0)
    monkeypatch.setattr(tables, "_VALUES_AT_ONCE", 7)
    assert said(inspected(rows, exemptions_of(*EXCUSED))) == whole


def test_rows_that_contradict_each_other_leave_a_matter_open_once() -> None:
    user = a_user("twice", mfa=True, key_1=a_key(days_before(60)))
    other = user | {"access_key_1_last_rotated": days_before(10), "mfa_active": "nein"}
    analysis = inspected([the_root(password_enabled="false"), user, other])
    found = ocsf(analysis)
    assert len(analysis.rule_results.findings) == len(found)
    (rotation,) = (
        each["message"]
        for each in found
        if each["metadata"]["event_code"] == "unrotated-access-key"
    )
    assert rotation == "another row of this ARN has another access_key_1_last_rotated"


def test_another_subject_has_an_id_of_its_own_and_another_fact_has_not() -> None:
    (idle,) = (e for e in findings(inspected(idle_key())) if "idle" in e.result.rule.id)
    every = findings(inspected([the_root(), BROKEN]))
    broken = next(each for each in every if each.user == "broken")
    others = [
        idle._replace(created="2026-03-03T12:00:00Z"),
        idle._replace(slot=2),
        idle._replace(arn=f"{idle.arn}x"),
        idle._replace(account="1" * 12),
        idle._replace(result=broken.result),
        *(broken, broken._replace(user="another")),
    ]
    assert len({each.id for each in (idle, *others)}) == 1 + len(others)
    assert idle._replace(user="x", row=9, fact="x", days=1, since=None).id == idle.id


@pytest.mark.no_cover
def test_a_user_created_anew_has_findings_of_its_own() -> None:
    users = (a_user("u", key_1=a_key(), key_2=a_key(), created=days_before(n)) for n in (99, 9))
    every = [of_ocsf(inspected([the_root(), user])) for user in users]
    first, second = (of_rule(ids, "two-active-access-keys") for ids in every)
    assert len(first) == len(second) == 1
    assert first != second


LATER: dict[str, tuple[str, list[Row], list[Row], str, str]] = {
    "a root key that was made inactive": (
        "root-access-key",
        [root_with(a_key(days_before(500)))],
        noted_root_key(),
        "FAILED",
        "PASSED",
    ),
    "a cell that was mended": (
        "console-user-without-mfa",
        undecided_mfa(),
        [the_root(), undecided_mfa()[1] | {"mfa_active": "false"}],
        "WARNING",
        "FAILED",
    ),
}


@pytest.mark.no_cover
@pytest.mark.parametrize("kind", LATER)
def test_a_finding_with_another_outcome_updates_the_earlier_one(kind: str) -> None:
    rule, rows, later, before, after = LATER[kind]

    def only(rows: list[Row]) -> Document:
        (found,) = (e for e in asff(inspected(rows)) if f"/{rule}/" in e["Id"])
        return found

    first, second = only(rows), only(later)
    assert first["Id"] == second["Id"]
    assert (first["Compliance"]["Status"], second["Compliance"]["Status"]) == (before, after)


def test_the_id_is_that_of_earlier_versions() -> None:
    (idle,) = of_rule(of_ocsf(inspected(idle_key())), "idle-access-key")
    assert idle == "credreport/012345678901/idle-access-key/b41564ce879091c77f793e63bfe1d6b5"


def test_only_a_file_of_one_account_names_the_account_of_a_broken_row() -> None:
    rows = [the_root(), ELSEWHERE, BROKEN]
    assert of_rule(of_ocsf(inspected(rows)), "unused-user")[0].startswith("credreport/unknown/")


def named_in_ocsf(document: Document) -> tuple[str, str]:
    return document["metadata"]["event_code"], document["message"]


def named_in_asff(document: Document) -> tuple[str, str]:
    return document["GeneratorId"].removeprefix("credreport/"), document["Description"]


@pytest.mark.no_cover
@pytest.mark.parametrize(("feed", "told"), [(ocsf, named_in_ocsf), (asff, named_in_asff)])
def test_every_finding_is_a_line_in_the_order_of_the_analysis(
    feed: Callable[[Analysis], list[Document]], told: Callable[[Document], tuple[str, str]]
) -> None:
    analysis = analyzed_console()
    found = analysis.rule_results.findings
    assert len(found) > 90
    expected = [*zip(found["rule"], found["fact"], strict=True)]
    assert [told(each) for each in feed(analysis)[: len(found)]] == expected


@in_both_feeds
def test_without_findings_nothing_is_written(written: Written) -> None:
    assert written(inspected([the_root(password_enabled="false")])) == b""


@pytest.mark.parametrize(
    "text",
    ["plain", "zoë", "名前", "😀", "\x7f", "\u2028", "\u202ereversed", '"\\/', "\x00\x1f\n\t", ""],
)
def test_a_line_is_json_in_ascii_as_the_standard_library_writes_it(text: str) -> None:
    document = {"name": text, "number": 1, "several": [text]}
    line = json.dumps(document, separators=(",", ":")).encode() + b"\n"
    assert json_line(document) == line


def test_only_fields_without_a_value_are_left_out() -> None:
    kept = {"zero": 0, "number": 7, "blank": " ", "text": "x", "list": [""]}
    assert present({**kept, "none": None, "empty": "", "no list": [], "no tuple": ()}) == kept


# Closed findings

BEFORE, NOW = days_before(30), AS_OF
IDLE, LEFT = (a_user(name, key_1=a_key(days_before(90)), mfa=True) for name in ("ann", "bob"))
EVE = a_user("eve", account=OTHER_ACCOUNT, password=a_password(days_before(80)))
each_feed = pytest.mark.parametrize("feed", ["asff", "ocsf"])


def at(moment: datetime, *users: Row, **changed: Any) -> Analysis:
    analysis = analyzed_at(report_text(users), moment)
    return replace(analysis, report=replace(analysis.report, **changed))


@cache
def analyzed_at(text: str, moment: datetime) -> Analysis:
    """Analyze a report once for all tests."""
    return analyzer.analyze(analyzer.load((f"{moment:%s}.csv", text.encode()), as_of=moment))


def lines(analysis: Analysis, feed: str, earlier: Iterable[bytes] = ()) -> list[bytes]:
    if feed == "asff":
        return asff_bytes(analysis, earlier=[b"[%s]" % line for line in earlier]).splitlines()
    stream = io.BytesIO()
    write_ocsf(analysis, stream, earlier)
    return stream.getvalue().splitlines()


def closed(feed: Iterable[bytes]) -> list[Document]:
    return [
        each
        for each in map(json.loads, feed)
        if each.get("RecordState") == "ARCHIVED" or each.get("activity_id") == 3
    ]


def id_of(document: Document) -> str:
    return str(document["Id"] if "Id" in document else document["finding_info"]["uid"])


def missing(account: str) -> UncoveredAccount:
    return UncoveredAccount(account=account, name="", reason="AWS denied it.")


@pytest.mark.no_cover
@each_feed
def test_findings_that_are_gone_are_closed_once_and_can_come_back(feed: str) -> None:
    before = lines(at(BEFORE, IDLE, LEFT), feed)
    assert closed(before) == []
    now = lines(at(NOW, IDLE), feed, before)
    expected = {id_of(each) for each in map(json.loads, before) if "bob" in json.dumps(each)}
    assert expected
    assert {*map(id_of, closed(now))} == expected
    assert closed(lines(at(NOW, IDLE), feed, now)) == []
    assert closed(lines(at(NOW, IDLE, LEFT), feed, now)) == []


def test_asff_archives_as_of_the_new_report_and_resolves() -> None:
    before = lines(at(BEFORE, LEFT), "asff")
    found = closed(lines(at(NOW, IDLE), "asff", before))
    for each in found:
        assert each["UpdatedAt"] == f"{NOW:{ISO_UTC}}"
        assert each["CreatedAt"] == f"{BEFORE:{ISO_UTC}}"
        assert each["Workflow"] == {"Status": "RESOLVED"}
        assert asff_errors(each) == []
    assert found


def test_ocsf_closes_as_of_the_new_report_and_resolves() -> None:
    before = lines(at(BEFORE, LEFT), "ocsf")
    found = closed(lines(at(NOW, IDLE), "ocsf", before))
    words = ("Close", "Resolved", 4, 200303, "Compliance Finding: Close")
    names = ("activity_name", "status", "status_id", "type_uid", "type_name")
    for each in found:
        assert each["time_dt"] == f"{NOW:{ISO_UTC}}"
        assert each["finding_info"]["modified_time_dt"] == f"{NOW:{ISO_UTC}}"
        assert each["finding_info"]["created_time_dt"] == f"{BEFORE:{ISO_UTC}}"
        assert tuple(each[name] for name in names) == words
        assert ocsf_errors(each) == []
    assert found


@pytest.mark.no_cover
@each_feed
def test_findings_stay_open_where_the_account_may_be_one_that_could_not_be_read(feed: str) -> None:
    before = lines(at(BEFORE, IDLE, LEFT, EVE), feed)
    both, mine = {OTHER_ACCOUNT, ACCOUNT}, {ACCOUNT}
    cases: tuple[tuple[dict[str, Any], set[str]], ...] = (
        ({}, both),
        ({"not_covered": (missing(OTHER_ACCOUNT),)}, mine),
        ({"left_out": (missing(OTHER_ACCOUNT),)}, mine),
        ({"not_covered": (missing(""),)}, mine),
        ({"not_covered": (missing("999999999999"),)}, both),
    )
    for changed, accounts in cases:
        found = closed(lines(at(NOW, IDLE, **changed), feed, before))
        closed_accounts = {
            each["AwsAccountId"] if feed == "asff" else each["cloud"]["account"]["uid"]
            for each in found
        }
        assert closed_accounts == accounts, changed


@pytest.mark.no_cover
def test_a_finding_without_an_account_is_closed_unless_an_unknown_one_is_missing() -> None:
    nameless: Row = {"arn": "?"}
    before = lines(at(BEFORE, IDLE, EVE, LEFT | nameless), "ocsf")
    homeless = [each for each in map(json.loads, before) if "account" not in each["cloud"]]
    assert homeless
    for changed, number in (({}, len(homeless)), ({"not_covered": (missing(""),)}, 0)):
        now = closed(lines(at(NOW, IDLE, EVE, **changed), "ocsf", before))
        assert len([each for each in now if "account" not in each["cloud"]]) == number
