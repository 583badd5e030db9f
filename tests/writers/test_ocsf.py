"""OCSF findings validate against the published schema, and keep their ids from report to report.

`tests/golden` has a whole one. The schema is the one that schema.ocsf.io publishes, as
`ocsf-json-schema` packages it: it knows every attribute, so one too many, one too few and one of
another kind are errors.
"""

import json
import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from analyzer.analysis.analysis import Analysis
from analyzer.report import users as users_module
from analyzer.report.model import NotCovered
from analyzer.rules import RULES
from analyzer.rules.rule import Outcome
from analyzer.writers import tables
from analyzer.writers.ocsf import OCSF_VERSION, findings, json_line, without_empty_fields
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    QUIET_PASSWORD,
    Row,
    a_user,
    days_before,
    the_root,
)
from tests.support.ocsf import (
    EXCUSED,
    GONE,
    Document,
    ReadFinding,
    an_idle_key,
    everything,
    finding_of,
    findings_of_everything,
    idle_key,
    inspected,
    noted_root_key,
    ocsf,
    ocsf_bytes,
    only,
    spoiled,
    undecided_mfa,
)
from tests.support.outputs import HARD_NAMES, analyzed_console, exemptions_of, one_of_each_shape
from tests.support.pages import BY_ID

LATER = "1.8.0"


@cache
def schema(version: str = OCSF_VERSION) -> dict[str, Any]:
    every = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=version))
    found: dict[str, Any] = every.get_class_schema("compliance_finding", ["cloud", "datetime"])
    return found


@cache
def validator(version: str = OCSF_VERSION) -> Draft202012Validator:
    return Draft202012Validator(schema(version))


def errors(document: Document, version: str = OCSF_VERSION) -> list[str]:
    found = validator(version).iter_errors(document)
    return [f"{error.json_path}: {error.message}" for error in found]


def only_finding(rule: str, *rows: Row) -> Document:
    """Return the one finding of a rule on the root and these rows."""
    return only(ocsf(inspected([the_root(), *rows])), rule)


# What a finding says


def only_on(rows: list[Row], rule: str, *exempt: str) -> ReadFinding:
    """Return the one finding of a rule on these rows."""
    exemptions = exemptions_of(*exempt) if exempt else ()
    return finding_of(only(ocsf(inspected(rows, exemptions)), rule))


def test_findings_of_every_rule_and_outcome_are_valid() -> None:
    every = findings_of_everything()
    assert {(each.rule, each.compliance) for each in map(finding_of, every)} == (
        {(rule.id, outcome) for rule in RULES for outcome in ("Fail", "Warning")}
        | {("root-access-key", "Pass")}
    )
    assert {finding_of(each).status for each in every} == {"New", "Suppressed"}
    for each in map(finding_of, every):
        assert each.compliance != "Fail" or each.severity == BY_ID[each.rule].severity
    assert [error for each in one_of_each_shape(every) for error in errors(each)] == []


WRONG: dict[str, Any] = {
    "finding_info.uid": GONE,
    "severity_id": 7,
    "type_uid": 200401,
    "compliance.control_parameters.0.name": GONE,
    "remediation.desc": GONE,
    "resources.0.arn": "x",
}
"""A few of each kind: that the published schema is checked at all."""


def test_a_wrong_field_is_not_valid() -> None:
    valid = an_idle_key()
    assert errors(valid) == []
    for place, value in WRONG.items():
        assert errors(spoiled(valid, place, value)) != [], place


REASON = "Moves to a role in June"
STATES: tuple[tuple[list[Row], str, list[str], tuple[str | None, ...]], ...] = (
    (undecided_mfa(), "console-user-without-mfa", [], ("Warning", "high", "New", None)),
    (noted_root_key(), "root-access-key", [], ("Pass", "informational", "New", None)),
    (idle_key(), "idle-access-key", [], ("Fail", "medium", "New", None)),
    (
        idle_key(),
        "idle-access-key",
        [f"*,program,{REASON},IT,"],
        ("Fail", "medium", "Suppressed", REASON),
    ),
)


def test_undecided_is_a_warning_noted_passes_and_exempt_is_suppressed_with_the_reason() -> None:
    for rows, rule, exempt, expected in STATES:
        found = only_on(rows, rule, *exempt)
        assert (found.compliance, found.severity, found.status, found.reason) == expected
    undecided = only_on(undecided_mfa(), "console-user-without-mfa")
    assert undecided.message == 'mfa_active "vielleicht" is not understood'


def test_names_of_every_kind_stay_as_they_are_on_lines_of_ascii() -> None:
    rows = [the_root(password_enabled="false"), *map(a_user, HARD_NAMES)]
    written = ocsf_bytes(inspected(rows))
    assert written.isascii()
    found = [json.loads(line) for line in written.split(b"\n")[:-1]]
    assert {finding_of(each).resource for each in found} == {row["arn"] for row in rows[1:]}
    assert [error for each in found for error in errors(each)] == []


def test_a_root_whose_arn_names_no_account_is_in_that_of_the_file() -> None:
    root = the_root(mfa_active="false", arn="")
    found = only_on([root, a_user("ann")], "root-without-mfa")
    assert (found.account, found.resource) == (ACCOUNT, "<root_account>")
    assert found.id.startswith(f"credreport/{ACCOUNT}/root-without-mfa/")


def test_every_finding_is_a_line_in_the_order_of_the_analysis() -> None:
    analysis = analyzed_console()
    found = analysis.rule_results.findings
    assert len(found) > 90
    shown = [(each.rule, each.message) for each in map(finding_of, ocsf(analysis))]
    assert shown[: len(found)] == list(zip(found["rule"], found["fact"], strict=True))


def test_without_findings_nothing_is_written() -> None:
    assert ocsf(inspected([the_root(password_enabled="false")])) == []


TEXTS = ("plain", "名前", "😀", "\x7f", "\u2028", "\u202ereversed", '"\\/', "\x00\x1f\n\t", "")


def test_a_line_is_json_in_ascii_as_the_standard_library_writes_it() -> None:
    for text in TEXTS:
        document = {"name": text, "number": 1, "several": [text]}
        line = json.dumps(document, separators=(",", ":")).encode() + b"\n"
        assert json_line(document) == line


def test_only_fields_without_a_value_are_left_out() -> None:
    kept = {"zero": 0, "number": 7, "blank": " ", "text": "x", "list": [""]}
    empty: dict[str, object] = {"none": None, "empty": "", "no list": [], "no tuple": ()}
    assert without_empty_fields(kept | empty) == kept


def test_the_latest_version_of_the_schema_takes_the_same_findings() -> None:
    every = one_of_each_shape(findings_of_everything())
    assert [error for each in every for error in errors(each, LATER)] == []


WORDS = {"severity_id": "severity", "status_id": "status", "activity_id": "activity_name"} | {
    f"{each}_uid": f"{each}_name" for each in ("category", "class", "type")
}
"""Numbers of a finding, each with the attribute that is its caption."""


def test_words_are_the_captions_that_the_schema_gives_to_the_numbers() -> None:
    every: dict[str, Any] = get_ocsf_schema(version=OCSF_VERSION)
    finding = every["classes"]["compliance_finding"]["attributes"]
    objects = {name: each["attributes"] for name, each in every["objects"].items()}
    captions = set()
    for document in findings_of_everything():
        analytic, account = document["finding_info"]["analytic"], document["cloud"]["account"]
        for attributes, part, words in (
            (finding, document, WORDS),
            (objects["compliance"], document["compliance"], {"status_id": "status"}),
            (objects["analytic"], analytic, {"type_id": "type"}),
            (objects["account"], account, {"type_id": "type"}),
        ):
            for number, word in words.items():
                caption = attributes[number]["enum"][str(part[number])]["caption"]
                captions.add((caption, part[word]))
    assert [pair for pair in captions if pair[0] != pair[1]] == []


def test_no_attribute_is_deprecated() -> None:
    places = {"": schema(), **schema()["$defs"]}
    parts = ("compliance", "finding_info", "metadata", "remediation", "cloud")
    used = {"": an_idle_key(), "resource_details": an_idle_key()["resources"][0]}
    used |= {each: an_idle_key()[each] for each in parts}
    names = [(place, name) for place, part in used.items() for name in part]
    assert [
        (place, name)
        for place, name in names
        if places[place]["properties"][name].get("deprecated")
    ] == []


def test_a_rule_that_nothing_asks_for_lists_no_requirements() -> None:
    password = QUIET_PASSWORD | {"password_next_rotation": days_before(1)}
    late = only_finding("expired-password", a_user("late", password=password))
    assert late["compliance"].keys() == {"status_id", "status", "control", "desc"}


def test_the_root_is_the_account() -> None:
    (resource,) = only(ocsf(inspected(noted_root_key())), "root-access-key")["resources"]
    assert (resource["type"], resource["uid"]) == ("AwsAccount", f"arn:aws:iam::{ACCOUNT}:root")


def test_an_account_has_12_digits_and_its_partition_beside_them() -> None:
    row = {name: str(cell).replace(":aws:", ":aws-cn:") for name, cell in a_user("ann").items()}
    lost = NotCovered(account=f"aws-cn:{ACCOUNT}", name="lost", reason="access denied")
    analysis = inspected([a_user("ann"), a_user("ann") | {"arn": row["arn"]}])
    report = replace(analysis.report, not_covered=(lost, replace(lost, account=ACCOUNT)))
    found = ocsf(replace(analysis, report=report))
    clouds = [
        (each["cloud"]["account"]["uid"], each["cloud"].get("cloud_partition")) for each in found
    ]
    assert {uid for uid, _ in clouds} == {ACCOUNT}
    assert {partition for _, partition in clouds} == {"aws", "aws-cn", None}
    assert len({each["finding_info"]["uid"] for each in found}) == len(found)
    assert [error for each in found for error in errors(each)] == []


# Ids


def test_neither_the_name_of_the_file_nor_its_moment_matters() -> None:
    later = {"as_of": AS_OF + timedelta(days=7)}
    for changed in ({}, {"name": "another.csv"}, later):
        ids = [each.id for each in findings(inspected(idle_key(), **changed))]
        assert "credreport/012345678901/idle-access-key/83cc2f8addd5acbd469716ea9d1f04b5" in ids


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
    (other,) = (e for e in findings(inspected(undecided_mfa())) if "console" in e.group.rule.id)
    others = [
        idle._replace(created="2026-03-03T12:00:00Z"),  # of a user or a key created anew
        idle._replace(slot=2),
        idle._replace(arn=f"{idle.arn}x"),
        idle._replace(account="1" * 12),
        idle._replace(group=other.group),
    ]
    assert len({each.id for each in (idle, *others)}) == 1 + len(others)
    undecided = replace(idle.group, outcome=Outcome.UNDECIDED)
    same = idle._replace(user="x", row=9, fact="x", days=1, since=None, group=undecided)
    assert same.id == idle.id


def test_an_account_that_could_not_be_read_is_a_finding_of_its_own() -> None:
    lost = NotCovered(account="555566667777", name="lost", reason="access denied")
    unnamed = NotCovered(account="", name="other.csv", reason="not a credential report")
    analysis = analyzed_console()
    report = replace(analysis.report, not_covered=(lost, unnamed))
    found = [each for each in ocsf(replace(analysis, report=report)) if "denied" in str(each)]
    read = finding_of(found[0])
    assert (len(found), read.rule, read.account) == (1, "not-covered", "555566667777")
    assert (read.compliance, read.status) == ("Warning", "New")
