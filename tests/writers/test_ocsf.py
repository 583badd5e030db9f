"""OCSF findings validate against the published schema, and say what the analysis found.

The schema is the one that schema.ocsf.io publishes, as `ocsf-json-schema` packages it: it knows
every attribute, so one too many, one too few and one of another kind are errors.
"""

import json
from collections import Counter
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from analyzer.judging.analysis import Analysis
from analyzer.report.model import AccountName, UncoveredAccount
from analyzer.rules import RULES
from analyzer.rules.rule import Outcome
from analyzer.standards.benchmarks import references
from analyzer.writers.ocsf import OCSF_VERSION
from tests.support.builders import ACCOUNT, AS_OF, Row, a_user, days_before, the_root
from tests.support.feeds import (
    BROKEN,
    ELSEWHERE,
    GONE,
    SIGNED_IN,
    Document,
    idle_key,
    inspected,
    inspected_everything,
    noted_root_key,
    ocsf,
    ocsf_bytes,
    spoiled,
    undecided_mfa,
)
from tests.support.outputs import (
    HARD_NAMES,
    exemptions_of,
    one_of_each_shape,
)
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


def all_errors(documents: list[Document], version: str = OCSF_VERSION) -> list[str]:
    return [error for document in documents for error in errors(document, version)]


def only(analysis: Analysis, rule: str) -> Document:
    (found,) = (each for each in ocsf(analysis) if each["metadata"]["event_code"] == rule)
    return found


@pytest.fixture(scope="module")
def everything() -> list[Document]:
    return ocsf(inspected_everything())


@pytest.fixture(scope="module")
def idle() -> Document:
    return only(inspected(idle_key()), "idle-access-key")


def test_findings_of_every_rule_and_outcome_validate(everything: list[Document]) -> None:
    kinds = {
        (each["metadata"]["event_code"], each["unmapped"]["outcome"], each["status"])
        for each in everything
    }
    assert {(rule, outcome) for rule, outcome, _ in kinds} == {
        *((rule.id, outcome) for rule in RULES for outcome in ("fails", "undecided")),
        ("root-access-key", "noted"),
    }
    assert {status for _, _, status in kinds} == {"New", "Suppressed"}
    assert all_errors(one_of_each_shape(everything)) == []


def test_the_latest_version_of_the_schema_takes_the_same_findings(
    everything: list[Document],
) -> None:
    assert all_errors(one_of_each_shape(everything), LATER) == []


WRONG: dict[str, tuple[str, Any]] = {
    "no id": ("finding_info.uid", GONE),
    "a severity that there is not": ("severity_id", 7),
    "a type of another class": ("type_uid", 200401),
    "a parameter without a name": ("compliance.control_parameters.0.name", GONE),
    "a remediation of links only": ("remediation.desc", GONE),
    "an attribute too many in a resource": ("resources.0.arn", "x"),
}
"""A few of each kind: that the published schema is checked at all."""


def test_a_wrong_field_does_not_validate(idle: Document) -> None:
    assert errors(idle) == []
    wrong = (kind for kind, change in WRONG.items() if not errors(spoiled(idle, *change)))
    assert [*wrong] == []


def test_words_are_the_captions_that_the_schema_gives_to_the_numbers(
    everything: list[Document],
) -> None:
    every: dict[str, Any] = get_ocsf_schema(version=OCSF_VERSION)
    finding = every["classes"]["compliance_finding"]["attributes"]
    objects = {name: each["attributes"] for name, each in every["objects"].items()}
    told = Counter(
        (attributes[f"{word}_{end}"]["enum"][str(part[f"{word}_{end}"])]["caption"], part[said])
        for document in everything
        for attributes, part, word, end, said in (
            (finding, document, "severity", "id", "severity"),
            (finding, document, "status", "id", "status"),
            (finding, document, "activity", "id", "activity_name"),
            (finding, document, "category", "uid", "category_name"),
            (finding, document, "class", "uid", "class_name"),
            (finding, document, "type", "uid", "type_name"),
            (objects["compliance"], document["compliance"], "status", "id", "status"),
            (objects["analytic"], document["finding_info"]["analytic"], "type", "id", "type"),
            (objects["account"], document["cloud"]["account"], "type", "id", "type"),
        )
    )
    assert [pair for pair in told if pair[0] != pair[1]] == []


def test_no_attribute_is_deprecated(everything: list[Document]) -> None:
    places = {"": schema(), **schema()["$defs"]}
    used = (
        ("", everything[0]),
        ("compliance", everything[0]["compliance"]),
        ("finding_info", everything[0]["finding_info"]),
        ("metadata", everything[0]["metadata"]),
        ("remediation", everything[0]["remediation"]),
        ("resource_details", everything[0]["resources"][0]),
        ("cloud", everything[0]["cloud"]),
    )
    deprecated = [
        name
        for place, part in used
        for name in part
        if places[place]["properties"][name].get("deprecated")
    ]
    assert deprecated == []


def test_a_failure_is_new_and_has_the_severity_of_its_rule(everything: list[Document]) -> None:
    for each in everything:
        if each["unmapped"]["outcome"] == Outcome.FAILS:
            assert each["compliance"]["status"] == "Fail"
            assert each["severity"].lower() == BY_ID[each["metadata"]["event_code"]].severity


def test_what_is_undecided_is_a_warning_that_names_the_cell_and_what_is_noted_passes() -> None:
    found = only(inspected(undecided_mfa()), "console-user-without-mfa")
    assert found["compliance"]["status"] == "Warning"
    assert (found["severity"], found["status"]) == ("High", "New")
    assert found["message"] == 'mfa_active "vielleicht" is not understood'
    noted = only(inspected(noted_root_key()), "root-access-key")
    assert noted["compliance"]["status"] == "Pass"
    assert (noted["severity"], noted["status"]) == ("Informational", "New")
    assert noted["resources"][0]["type"] == "AwsAccount"
    assert noted["resources"][0]["uid"] == f"arn:aws:iam::{ACCOUNT}:root"


def test_an_exempt_finding_is_suppressed_with_the_reason() -> None:
    excused = exemptions_of("*,program,Moves to a role in June,IT,")
    found = only(inspected(idle_key(), excused), "idle-access-key")
    assert found["status"] == "Suppressed"
    assert found["status_detail"] == "Moves to a role in June"
    assert (found["compliance"]["status"], found["severity"]) == ("Fail", "Medium")


def test_every_moment_is_the_one_that_the_report_describes(idle: Document) -> None:
    milliseconds = int(AS_OF.timestamp()) * 1000
    info = idle["finding_info"]
    names = ("created_time", "modified_time", "last_seen_time")
    assert idle["time"] == milliseconds
    assert idle["time_dt"] == "2026-05-01T12:00:00Z"
    assert {info[name] for name in names} == {milliseconds}
    assert {info[f"{name}_dt"] for name in names} == {"2026-05-01T12:00:00Z"}
    assert "first_seen_time" not in info
    assert idle["status"] == "New"
    assert "status_detail" not in idle


def test_a_finding_tells_whom_it_is_about_since_when_and_from_where(idle: Document) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:user/program"
    assert idle["resources"] == [
        {"type": "AwsIamUser", "uid": arn, "name": "program", "cloud_partition": "aws"}
    ]
    assert idle["cloud"]["account"]["uid"] == ACCOUNT
    assert idle["unmapped"] == {
        "outcome": "fails",
        "subject": "access-key",
        "slot": 1,
        "created": "2026-03-02T12:00:00Z",
        "since": "2026-03-12T12:00:00Z",
        "days": 50,
        "as_of_source": "option",
        "report_sha256": idle["unmapped"]["report_sha256"],
    }
    assert len(idle["unmapped"]["report_sha256"]) == 64


def test_a_finding_tells_the_rule_its_limit_and_what_asks_for_it() -> None:
    analysis = inspected(idle_key(), limits={"idle_days": 50})
    found = only(analysis, "idle-access-key")
    rule = BY_ID["idle-access-key"]
    assert found["finding_info"]["title"] == rule.title
    assert found["finding_info"]["analytic"]["desc"] == rule.how
    named, *remedy = found["remediation"]["desc"].splitlines()
    assert (named, remedy) == (f"# NAME is {found['resources'][0]['name']}", list(rule.remedy))
    assert found["remediation"]["references"] == list(rule.references)
    assert found["compliance"]["control_parameters"] == [{"name": "idle_days", "value": "50"}]
    asked = references("idle-access-key")
    assert found["compliance"]["standards"] == [name for name, _ in asked]
    assert len(found["compliance"]["requirements"]) == sum(len(numbers) for _, numbers in asked)
    assert {
        "CIS AWS Foundations Benchmark v7.0.0 2.11",
        "NIST SP 800-53 r5 AC-2(3)",
        "PCI DSS v4.0.1 8.2.6",
    } <= set(found["compliance"]["requirements"])


def test_a_rule_that_nothing_asks_for_lists_no_requirements() -> None:
    expired = a_user("late", password=SIGNED_IN | {"password_next_rotation": days_before(1)})
    found = only(inspected([the_root(), expired]), "expired-password")
    assert found["compliance"].keys() == {"status_id", "status", "control", "desc"}


def test_names_of_every_kind_stay_as_they_are_on_lines_of_ascii() -> None:
    rows = [the_root(password_enabled="false"), *(a_user(name) for name in HARD_NAMES)]
    written = ocsf_bytes(inspected(rows))
    assert written.isascii()
    found = [json.loads(line) for line in written.split(b"\n")[:-1]]
    assert {each["resources"][0]["name"] for each in found} == set(HARD_NAMES)
    assert all_errors(found) == []


UNNAMED: dict[str, tuple[Row, str]] = {
    "an ARN that is none": (BROKEN, "arn:aws:iam::12:broken"),
    "an empty ARN": (BROKEN | {"arn": ""}, "broken"),
    "an ARN of spaces": (BROKEN | {"arn": "  "}, "broken"),
}


@pytest.mark.parametrize("kind", UNNAMED)
def test_whose_arn_names_no_account_is_in_that_of_the_file(kind: str) -> None:
    row, uid = UNNAMED[kind]
    found = only(inspected([the_root(), row]), "unused-user")
    assert errors(found) == []
    assert found["cloud"]["account"]["uid"] == ACCOUNT
    assert found["resources"][0]["uid"] == uid
    assert found["finding_info"]["uid"].startswith(f"credreport/{ACCOUNT}/unused-user/")


def test_whose_account_nothing_names_is_written_without_one() -> None:
    found = only(inspected([the_root(), ELSEWHERE, BROKEN]), "unused-user")
    assert errors(found) == []
    assert found["cloud"] == {"provider": "AWS"}
    assert found["finding_info"]["uid"].startswith("credreport/unknown/unused-user/")


def test_who_has_neither_arn_nor_name_is_told_by_the_row() -> None:
    nameless = BROKEN | {"arn": "", "user": ""}
    found = only(inspected([the_root(), nameless]), "unused-user")
    assert errors(found) == []
    assert found["resources"][0]["uid"].startswith("row 3 of ")
    assert "name" not in found["resources"][0]


def test_the_account_has_its_name_where_that_is_known() -> None:
    analysis = inspected([a_user("ann"), a_user("bob", account="999999999999")])
    names = {ACCOUNT: AccountName(name="production", owner="Ann")}
    missing = UncoveredAccount(account=ACCOUNT, name="", reason="AWS denied it.")
    report = replace(analysis.report, account_names=names, not_covered=(missing,))
    documents = ocsf(replace(analysis, report=report))
    named = {
        (each["cloud"]["account"]["uid"], each["cloud"]["account"].get("name"))
        for each in documents
    }
    assert named == {(ACCOUNT, "production"), ("999999999999", None)}
    assert documents[-1]["cloud"]["account"]["name"] == "production"
    assert [error for each in documents for error in errors(each)] == []
