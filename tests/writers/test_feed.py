"""Findings keep their ids from report to report, so that imports update what they brought."""

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

import analyzer
from analyzer.judging import inspection
from analyzer.judging.analysis import Analysis
from analyzer.report.model import AccountName
from analyzer.writers import text_columns
from analyzer.writers.feed import findings, json_line, present
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    Row,
    a_key,
    a_user,
    days_before,
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
from tests.support.outputs import HARD_NAMES, analyzed_console, exemptions_of

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time


def of_ocsf(analysis: Analysis) -> list[str]:
    return [each["finding_info"]["uid"] for each in ocsf(analysis)]


def of_asff(analysis: Analysis) -> list[str]:
    return [each["Id"] for each in asff(analysis)]


in_both_feeds = pytest.mark.parametrize("written", [ocsf_bytes, asff_bytes])


def of_rule(ids: list[str], rule: str) -> list[str]:
    return [each for each in ids if f"/{rule}/" in each]


def test_no_two_findings_of_a_report_have_one_id_and_both_formats_give_the_same() -> None:
    ids = of_ocsf(inspected_everything())
    assert len({*ids}) == len(ids) > 1000
    assert max(map(len, ids)) <= 512
    assert sorted(of_asff(inspected_everything())) == sorted(ids)


def test_neither_the_name_of_the_file_nor_its_moment_matters() -> None:
    ids = of_ocsf(inspected(idle_key()))
    assert of_ocsf(inspected(idle_key(), name="another.csv")) == ids
    assert of_ocsf(inspected(idle_key(), as_of=AS_OF + timedelta(days=7))) == ids


def test_neither_order_nor_pages_change_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def said(analysis: Analysis) -> Counter[str]:
        found = ocsf(analysis)
        for each in found:
            del each["unmapped"]["report_sha256"]
        return Counter(map(str, found))

    rows = everything()[190:250]
    whole = said(inspected(rows, exemptions_of(*EXCUSED)))
    random.Random(2).shuffle(rows)
    monkeypatch.setattr(inspection, "MOST_ROWS_IN_ONE_ORDER", 0)
    monkeypatch.setattr(text_columns, "_VALUES_AT_ONCE", 7)
    assert said(inspected(rows, exemptions_of(*EXCUSED))) == whole


def test_rows_that_contradict_each_other_leave_a_matter_open_once() -> None:
    user = a_user("twice", mfa=True, key_1=a_key(days_before(60)))
    other = user | {"access_key_1_last_rotated": days_before(10), "mfa_active": "nein"}
    analysis = inspected([the_root(password_enabled="false"), user, other])
    found = ocsf(analysis)
    assert len(analysis.inspection.findings) == len(found)
    (rotation,) = (
        each["message"]
        for each in found
        if each["metadata"]["event_code"] == "unrotated-access-key"
    )
    assert rotation == "another row of this ARN has another access_key_1_last_rotated"


IDS: dict[str, tuple[str, list[Row], list[Row]]] = {
    "another key in the slot": (
        "idle-access-key",
        idle_key(),
        idle_key(key_1=a_key(days_before(59), days_before(50))),
    ),
    "the other slot": ("idle-access-key", idle_key(), idle_key(2)),
    "a user created anew": (
        "two-active-access-keys",
        [the_root(), a_user("u", key_1=a_key(), key_2=a_key())],
        [the_root(), a_user("u", key_1=a_key(), key_2=a_key(), created=days_before(9))],
    ),
    "another path": (
        "unused-user",
        [the_root(), a_user("u")],
        [the_root(), a_user("u", path="team/")],
    ),
    "another account": (
        "unused-user",
        [the_root(), a_user("u")],
        [the_root(), a_user("u", account="1" * 12)],
    ),
    "another broken row": (
        "unused-user",
        [the_root(), BROKEN],
        [the_root(), BROKEN | {"user": "another"}],
    ),
}


@pytest.mark.parametrize("kind", IDS)
def test_another_subject_has_an_id_of_its_own(kind: str) -> None:
    rule, rows, others = IDS[kind]
    ((first,), (second,)) = (
        [each.id for each in findings(inspected(rows)) if each.result.rule.id == rule]
        for rows in (rows, others)
    )
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


@pytest.mark.parametrize(("feed", "told"), [(ocsf, named_in_ocsf), (asff, named_in_asff)])
def test_every_finding_is_a_line_in_the_order_of_the_analysis(
    feed: Callable[[Analysis], list[Document]], told: Callable[[Document], tuple[str, str]]
) -> None:
    analysis = analyzed_console()
    found = analysis.inspection.findings
    assert len(found) > 90
    expected = [*zip(found["rule"], found["fact"], strict=True)]
    assert [told(each) for each in feed(analysis)[: len(found)]] == expected


@in_both_feeds
def test_without_findings_nothing_is_written(written: Written) -> None:
    assert written(inspected([the_root(password_enabled="false")])) == b""


@in_both_feeds
def test_the_same_report_gives_the_same_bytes(written: Written) -> None:
    analysis = inspected([*idle_key(), a_user("quiet"), a_user("busy", key_1=a_key())])
    assert written(analysis) == written(analyzer.analyze(analysis.report, book=analysis.book))


@in_both_feeds
def test_every_line_is_the_json_of_the_standard_library(written: Written) -> None:
    rows = [*everything()[190:260], *map(a_user, HARD_NAMES)]
    names = {ACCOUNT: AccountName(name="Zürich\u202e")}
    analysis = inspected(rows, exemptions_of("*,u1*,Congé \x7f,IT,"))
    analysis = replace(analysis, report=replace(analysis.report, account_names=names))
    lines = written(analysis).splitlines(keepends=True)
    assert len(lines) > 150
    for line in lines:
        assert line == json.dumps(json.loads(line), separators=(",", ":")).encode() + b"\n"


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
