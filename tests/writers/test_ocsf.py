"""OCSF findings validate against the published schema, and say what the analysis found.

The schema is the one that schema.ocsf.io publishes, as `ocsf-json-schema` packages it: it knows
every attribute, so one too many, one too few and one of another kind are errors.
"""

from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from analyzer.analysis.analysis import Analysis
from analyzer.standards.benchmarks import references
from analyzer.writers.ocsf import OCSF_VERSION
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    QUIET_PASSWORD,
    a_user,
    days_before,
    the_root,
)
from tests.support.feeds import (
    BROKEN,
    ELSEWHERE,
    GONE,
    Document,
    everything_in,
    idle_key,
    inspected,
    noted_root_key,
    ocsf,
    spoiled,
)
from tests.support.outputs import one_of_each_shape
from tests.support.pages import BY_ID

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time

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


def only(analysis: Analysis, rule: str) -> Document:
    (found,) = (each for each in ocsf(analysis) if each["metadata"]["event_code"] == rule)
    return found


@cache
def idle() -> Document:
    return only(inspected(idle_key(), limits={"idle_days": 50}), "idle-access-key")


def test_the_latest_version_of_the_schema_takes_the_same_findings() -> None:
    every = one_of_each_shape(everything_in("ocsf"))
    assert [error for each in every for error in errors(each, LATER)] == []


WRONG: dict[str, Any] = {
    "finding_info.uid": GONE,
    "severity_id": 7,
    "type_uid": 200401,
    "compliance.control_parameters.0.name": GONE,
    "remediation.desc": GONE,
    "resources.0.arn": "x",
}
"""A few of each kind: that the published schema is checked at all."""


def test_a_wrong_field_does_not_validate() -> None:
    assert errors(idle()) == []
    assert [place for place in WRONG if not errors(spoiled(idle(), place, WRONG[place]))] == []


WORDS = {
    "severity_id": "severity",
    "status_id": "status",
    "activity_id": "activity_name",
    **{f"{each}_uid": f"{each}_name" for each in ("category", "class", "type")},
}
"""Numbers of a finding, each with the attribute that is its caption."""


def test_words_are_the_captions_that_the_schema_gives_to_the_numbers() -> None:
    every: dict[str, Any] = get_ocsf_schema(version=OCSF_VERSION)
    finding = every["classes"]["compliance_finding"]["attributes"]
    objects = {name: each["attributes"] for name, each in every["objects"].items()}
    captions = set()
    for document in everything_in("ocsf"):
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
    used = {"": idle(), "resource_details": idle()["resources"][0]}
    used |= {each: idle()[each] for each in parts}
    names = [(place, name) for place, part in used.items() for name in part]
    assert [
        (place, name)
        for place, name in names
        if places[place]["properties"][name].get("deprecated")
    ] == []


def test_a_finding_tells_its_rule_its_limit_since_when_and_from_where() -> None:
    rule, found, info = BY_ID["idle-access-key"], idle(), idle()["finding_info"]
    milliseconds, at = int(AS_OF.timestamp()) * 1000, "2026-05-01T12:00:00Z"
    moments = ("created_time", "modified_time", "last_seen_time")
    assert (found["time"], found["time_dt"]) == (milliseconds, at)
    assert {(info[name], info[f"{name}_dt"]) for name in moments} == {(milliseconds, at)}
    assert "first_seen_time" not in info
    assert found["status"] == "New"
    assert "status_detail" not in found
    assert found["resources"] == [
        {
            "type": "AwsIamUser",
            "uid": f"arn:aws:iam::{ACCOUNT}:user/program",
            "name": "program",
            "cloud_partition": "aws",
        }
    ]
    assert found["cloud"]["account"]["uid"] == ACCOUNT
    origin = dict(found["unmapped"])
    assert len(origin.pop("report_sha256")) == 64
    assert origin == {
        "outcome": "fails",
        "subject": "access-key",
        "slot": 1,
        "created": "2026-03-02T12:00:00Z",
        "since": "2026-03-12T12:00:00Z",
        "days": 50,
        "as_of_source": "option",
    }
    assert (info["title"], info["analytic"]["desc"]) == (rule.title, rule.how)
    assert found["remediation"]["desc"].splitlines() == ["# NAME is program", *rule.remedy]
    assert found["remediation"]["references"] == list(rule.references)
    compliance, asked = found["compliance"], references(rule.id)
    assert compliance["control_parameters"] == [{"name": "idle_days", "value": "50"}]
    assert compliance["standards"] == [name for name, _ in asked]
    assert len(compliance["requirements"]) == sum(len(numbers) for _, numbers in asked)
    assert {
        "CIS AWS Foundations Benchmark v7.0.0 2.11",
        "NIST SP 800-53 r5 AC-2(3)",
        "PCI DSS v4.0.1 8.2.6",
    } <= set(compliance["requirements"])


def test_a_rule_that_nothing_asks_for_lists_no_requirements() -> None:
    password = QUIET_PASSWORD | {"password_next_rotation": days_before(1)}
    found = only(inspected([the_root(), a_user("late", password=password)]), "expired-password")
    assert found["compliance"].keys() == {"status_id", "status", "control", "desc"}


def test_the_root_is_the_account() -> None:
    (resource,) = only(inspected(noted_root_key()), "root-access-key")["resources"]
    assert (resource["type"], resource["uid"]) == ("AwsAccount", f"arn:aws:iam::{ACCOUNT}:root")


def test_whose_account_or_name_is_not_known_is_written_without_one() -> None:
    found = only(inspected([the_root(), ELSEWHERE, BROKEN]), "unused-user")
    assert errors(found) == []
    assert found["cloud"] == {"provider": "AWS"}
    assert found["finding_info"]["uid"].startswith("credreport/unknown/unused-user/")
    for nameless in (BROKEN | {"arn": ""}, BROKEN | {"arn": "", "user": ""}):
        found = only(inspected([the_root(), nameless]), "unused-user")
        assert errors(found) == []
        assert found["resources"][0].get("name", "") == nameless["user"]
