"""A feed closes the findings of an earlier one that are gone, and no other."""

import io
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

import pytest

import analyzer
from analyzer.judging.analysis import Analysis
from analyzer.report.model import UncoveredAccount
from analyzer.terms import ISO_UTC
from analyzer.writers.asff import asff_batches
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
)
from tests.writers.test_ocsf import errors as ocsf_errors

OTHER = "210987654321"
BEFORE, NOW = days_before(30), AS_OF
IDLE, GONE = (a_user(name, key_1=a_key(days_before(90)), mfa=True) for name in ("ann", "bob"))
EVE = a_user("eve", account=OTHER, password=a_password(days_before(80)))

each_feed = pytest.mark.parametrize("feed", ["asff", "ocsf"])


def analysis_of(at: datetime, *users: Row, **changed: Any) -> Analysis:
    analysis = _analyzed(report_text(users), at)
    return replace(analysis, report=replace(analysis.report, **changed))


@cache
def _analyzed(text: str, at: datetime) -> Analysis:
    """Analyze a report once for all tests."""
    return analyzer.analyze(analyzer.load((f"{at:%s}.csv", text.encode()), as_of=at))


def lines(analysis: Analysis, feed: str, earlier: Iterable[bytes] = ()) -> list[bytes]:
    if feed == "asff":
        batches = asff_batches(analysis, earlier=[b"[%s]" % line for line in earlier])
        return [line.rstrip(b",") for _, batch in batches for line in batch.splitlines()[1:-1]]
    stream = io.BytesIO()
    write_ocsf(analysis, stream, earlier)
    return stream.getvalue().splitlines()


def closed(feed: Iterable[bytes]) -> list[dict[str, Any]]:
    return [
        each
        for each in map(json.loads, feed)
        if each.get("RecordState") == "ARCHIVED" or each.get("activity_id") == 3
    ]


def missing(account: str) -> UncoveredAccount:
    return UncoveredAccount(account=account, name="", reason="AWS denied it.")


@pytest.mark.no_cover
@each_feed
def test_findings_that_are_gone_are_closed_and_no_other(feed: str) -> None:
    before = lines(analysis_of(BEFORE, IDLE, GONE), feed)
    assert closed(before) == []
    now = lines(analysis_of(NOW, IDLE), feed, before)
    expected = {
        each["Id"] if feed == "asff" else each["finding_info"]["uid"]
        for each in map(json.loads, before)
        if "bob" in json.dumps(each)
    }
    assert expected
    assert {
        each["Id"] if feed == "asff" else each["finding_info"]["uid"] for each in closed(now)
    } == expected


def test_asff_archives_as_of_the_new_report_and_resolves() -> None:
    before = lines(analysis_of(BEFORE, GONE), "asff")
    found = closed(lines(analysis_of(NOW, IDLE), "asff", before))
    for each in found:
        assert each["UpdatedAt"] == f"{NOW:{ISO_UTC}}"
        assert each["CreatedAt"] == f"{BEFORE:{ISO_UTC}}"
        assert each["Workflow"] == {"Status": "RESOLVED"}
        assert asff_errors(each) == []
    assert found


def test_ocsf_closes_as_of_the_new_report_and_resolves() -> None:
    before = lines(analysis_of(BEFORE, GONE), "ocsf")
    found = closed(lines(analysis_of(NOW, IDLE), "ocsf", before))
    for each in found:
        assert each["time_dt"] == f"{NOW:{ISO_UTC}}"
        assert each["finding_info"]["modified_time_dt"] == f"{NOW:{ISO_UTC}}"
        assert each["finding_info"]["created_time_dt"] == f"{BEFORE:{ISO_UTC}}"
        assert (each["activity_name"], each["status"], each["status_id"]) == (
            "Close",
            "Resolved",
            4,
        )
        assert (each["type_uid"], each["type_name"]) == (200303, "Compliance Finding: Close")
        assert ocsf_errors(each) == []
    assert found


@pytest.mark.no_cover
@each_feed
def test_what_was_closed_is_not_closed_again_and_can_come_back(feed: str) -> None:
    first = lines(analysis_of(BEFORE, IDLE, GONE), feed)
    second = lines(analysis_of(days_before(10), IDLE), feed, first)
    assert closed(lines(analysis_of(NOW, IDLE), feed, second)) == []
    assert closed(lines(analysis_of(NOW, IDLE, GONE), feed, second)) == []


@pytest.mark.no_cover
@each_feed
def test_findings_stay_open_where_the_account_may_be_one_that_could_not_be_read(feed: str) -> None:
    before = lines(analysis_of(BEFORE, IDLE, GONE, EVE), feed)
    now = analysis_of(NOW, IDLE)
    missing_accounts: tuple[tuple[dict[str, Any], set[str]], ...] = (
        ({}, {OTHER, ACCOUNT}),
        ({"not_covered": (missing(OTHER),)}, {ACCOUNT}),
        ({"left_out": (missing(OTHER),)}, {ACCOUNT}),
        ({"not_covered": (missing(""),)}, {ACCOUNT}),
        ({"not_covered": (missing("999999999999"),)}, {OTHER, ACCOUNT}),
    )
    for changed, accounts in missing_accounts:
        partial = replace(now, report=replace(now.report, **changed))
        closed_accounts = {
            each["AwsAccountId"] if feed == "asff" else each["cloud"]["account"]["uid"]
            for each in closed(lines(partial, feed, before))
        }
        assert closed_accounts == accounts, changed


def test_a_finding_without_an_account_is_closed_unless_an_unknown_one_is_missing() -> None:
    nameless: Row = {"arn": "?"}
    before = lines(analysis_of(BEFORE, IDLE, EVE, GONE | nameless), "ocsf")
    homeless = [each for each in map(json.loads, before) if "account" not in each["cloud"]]
    assert homeless
    for changed, number in (({}, len(homeless)), ({"not_covered": (missing(""),)}, 0)):
        now = closed(lines(analysis_of(NOW, IDLE, EVE, **changed), "ocsf", before))
        assert len([each for each in now if "account" not in each["cloud"]]) == number
