"""OCSF findings validate against the published schema; `tests/golden` has a whole one.

The schema is the one that schema.ocsf.io publishes, as `ocsf-json-schema` packages it: it knows
every attribute, so one too many, one too few and one of another kind are errors.
"""

from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from analyzer.writers.ocsf import OCSF_VERSION
from tests.support.builders import ACCOUNT, QUIET_PASSWORD, Row, a_user, days_before, the_root
from tests.support.feeds import (
    BROKEN,
    ELSEWHERE,
    Document,
    an_idle_key,
    everything_in,
    inspected,
    noted_root_key,
    ocsf,
    only,
)
from tests.support.outputs import one_of_each_shape

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


def only_finding(rule: str, *rows: Row) -> Document:
    """Return the one finding of a rule on the root and these rows."""
    return only(ocsf(inspected([the_root(), *rows])), rule)


def test_the_latest_version_of_the_schema_takes_the_same_findings() -> None:
    every = one_of_each_shape(everything_in("ocsf"))
    assert [error for each in every for error in errors(each, LATER)] == []


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
    used = {"": an_idle_key("ocsf"), "resource_details": an_idle_key("ocsf")["resources"][0]}
    used |= {each: an_idle_key("ocsf")[each] for each in parts}
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


def test_whose_account_or_name_is_not_known_is_written_without_one() -> None:
    homeless = only_finding("unused-user", ELSEWHERE, BROKEN)
    assert errors(homeless) == []
    assert homeless["cloud"] == {"provider": "AWS"}
    assert homeless["finding_info"]["uid"].startswith("credreport/unknown/unused-user/")
    for nameless in (BROKEN | {"arn": ""}, BROKEN | {"arn": "", "user": ""}):
        document = only_finding("unused-user", nameless)
        assert errors(document) == []
        assert document["resources"][0].get("name", "") == nameless["user"]
