"""ASFF findings are what Security Hub imports, and say what the analysis found."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.model import StructureShape

from analyzer import writers
from analyzer.analysis.analysis import Analysis
from analyzer.errors import OutputFailed
from analyzer.report.model import AccountName
from analyzer.rules import RULES
from analyzer.standards.benchmarks import references
from analyzer.terms import VERSION
from analyzer.writers.asff import BATCH_FINDINGS
from analyzer.writers.finding_feed import LONGEST_USER_NAME, findings
from tests.support.asff_model import errors, model, request_errors
from tests.support.builders import ACCOUNT, COLUMNS, Row, a_password, a_user, the_root
from tests.support.feeds import (
    BROKEN,
    ELSEWHERE,
    GONE,
    Document,
    asff,
    asff_bytes,
    everything_in,
    idle_key,
    inspected,
    noted_root_key,
    spoiled,
)
from tests.support.outputs import exemptions_of
from tests.support.pages import BY_ID


def all_errors(documents: list[Document]) -> list[str]:
    return [error for document in documents for error in errors(document)]


def rule_of(document: Document) -> str:
    return str(document["GeneratorId"]).removeprefix("credreport/")


def only(analysis: Analysis, rule: str, region: str | None = None) -> Document:
    (found,) = (each for each in asff(analysis, region) if rule_of(each) == rule)
    return found


@pytest.fixture(scope="module")
def idle() -> Document:
    return only(inspected(idle_key()), "idle-access-key")


@pytest.fixture(scope="module")
def excused() -> Document:
    list_ = exemptions_of("*,program,Moves to a role in June,IT,")
    return only(inspected(idle_key(), list_), "idle-access-key")


@pytest.mark.no_cover
def test_the_name_of_the_account_is_stripped_and_cut() -> None:
    analysis = inspected([a_user("ann")])
    names = {" Pay ": "Pay", "x" * 50: "x" * 50, "x" * 51: "x" * 49 + "…", " ": None}
    for name, shown in names.items():
        report = replace(analysis.report, account_names={ACCOUNT: AccountName(name=name)})
        found = asff(replace(analysis, report=report))
        assert {each.get("AwsAccountName") for each in found} == {shown}, name
        assert all_errors(found) == [], name


def test_a_hundred_findings_are_one_call_and_one_more_is_too_many() -> None:
    assert request_errors([*everything_in("asff")[:100]]) == []
    assert request_errors([]) != []
    shape = model("BatchImportFindingsRequest")
    assert isinstance(shape, StructureShape)
    assert shape.members["Findings"].metadata["max"] == BATCH_FINDINGS == 100


WRONG: dict[str, tuple[str, Any]] = {
    "no id": ("Id", GONE),
    "an id too long": ("Id", "x" * 513),
    "a product without a region": (
        "ProductArn",
        f"arn:aws:securityhub::{ACCOUNT}:product/{ACCOUNT}/default",
    ),
    "a type four levels deep": ("Types", ["TTPs/a/b/c"]),
    "an empty description": ("Description", ""),
    "fifty-one fields": ("ProductFields", {f"f{number}": "x" for number in range(51)}),
    "a partition that there is not": ("Resources.0.Partition", "aws-mars"),
    "a field that there is not": ("Rule", "idle-access-key"),
    "a finding too large": ("ProductFields", {"x": "y" * 250_000}),
}
"""A few of each kind: that the model of the API is checked at all."""


@pytest.mark.no_cover
def test_a_wrong_field_is_an_error(excused: Document) -> None:
    assert errors(excused) == []
    wrong = (kind for kind, change in WRONG.items() if not errors(spoiled(excused, *change)))
    assert [*wrong] == []


def test_the_severity_and_the_type_stand_twice_as_security_hub_asks() -> None:
    for each in everything_in("asff"):
        given = {"Severity": each["Severity"], "Types": each["Types"]}
        assert each["FindingProviderFields"] == given
        assert each["Severity"]["Original"] == BY_ID[rule_of(each)].severity


def test_the_note_of_an_exempt_finding_is_the_reason(excused: Document) -> None:
    reason = "Moves to a role in June"
    moment = "2026-05-01T12:00:00Z"
    note = {"Text": reason, "UpdatedBy": "credreport", "UpdatedAt": moment}
    assert excused["Note"] == note
    assert excused["ProductFields"]["credreport/Exemption"] == reason


def test_every_moment_is_the_one_that_the_report_describes(idle: Document) -> None:
    names = ("CreatedAt", "UpdatedAt", "LastObservedAt")
    assert {idle[name] for name in names} == {"2026-05-01T12:00:00Z"}
    assert "FirstObservedAt" not in idle


def test_a_finding_tells_since_when_and_from_where(idle: Document) -> None:
    fields = {name.removeprefix("credreport/"): v for name, v in idle["ProductFields"].items()}
    assert len(fields.pop("ReportSha256")) == 64
    assert fields == {
        "Version": VERSION,
        "Outcome": "fails",
        "Subject": "access-key",
        "Arn": f"arn:aws:iam::{ACCOUNT}:user/program",
        "Slot": "1",
        "Created": "2026-03-02T12:00:00Z",
        "Since": "2026-03-12T12:00:00Z",
        "Days": "50",
        "AsOfSource": "option",
    }


def test_a_finding_tells_the_rule_its_limit_and_what_asks_for_it() -> None:
    found = only(inspected(idle_key(), limits={"idle_days": 50}), "idle-access-key")
    rule = BY_ID["idle-access-key"]
    assert found["Title"] == rule.title
    assert found["Remediation"]["Recommendation"]["Url"] == rule.references[0]
    text = found["Remediation"]["Recommendation"]["Text"]
    assert text.splitlines() == ["# NAME is program", *rule.remedy]
    compliance = found["Compliance"]
    assert compliance["SecurityControlParameters"] == [{"Name": "idle_days", "Value": ["50"]}]
    asked = references("idle-access-key")
    assert len(compliance["RelatedRequirements"]) == sum(len(numbers) for _, numbers in asked)
    assert "PCI DSS v4.0.1 8.2.6" in compliance["RelatedRequirements"]


@pytest.mark.no_cover
def test_a_name_that_no_user_can_have_is_in_no_remedy() -> None:
    names = ("x" * (LONGEST_USER_NAME + 1), "two\nlines", "\x1b[31mred")
    analysis = inspected([the_root(), *(a_user(name, password=a_password()) for name in names)])
    found = [each for each in asff(analysis) if each["Resources"][0]["Type"] == "AwsIamUser"]
    texts = [each["Remediation"]["Recommendation"]["Text"] for each in found]
    assert len({each["Resources"][0]["Id"] for each in found}) == len(names)
    assert any("NAME" in text for text in texts)
    assert not any("# NAME is" in text for text in texts)
    assert not any(name[:20] in text for text in texts for name in names)


def test_no_remedy_and_no_title_is_cut() -> None:
    naming = len(f"# NAME is {'x' * LONGEST_USER_NAME}\n")
    assert max(len("\n".join(rule.remedy)) for rule in RULES) <= 512 - naming
    assert max(len(rule.title) for rule in RULES) <= 256


def test_a_user_is_a_resource_with_what_is_certain_of_it(idle: Document) -> None:
    # The creation of a key is not that of its user.
    assert idle["Resources"][0]["Details"] == {"AwsIamUser": {"UserName": "program", "Path": "/"}}
    found = only(inspected([the_root(), a_user("u", path="team/ops/")]), "unused-user")
    assert found["Resources"] == [
        {
            "Type": "AwsIamUser",
            "Id": f"arn:aws:iam::{ACCOUNT}:user/team/ops/u",
            "Partition": "aws",
            "Details": {
                "AwsIamUser": {
                    "UserName": "u",
                    "Path": "/team/ops/",
                    "CreateDate": "2023-08-05T12:00:00Z",
                }
            },
        }
    ]


@pytest.mark.no_cover
def test_of_an_arn_that_is_not_understood_nothing_is_certain() -> None:
    names = ("group/u", "user/", "user/another", "user/zoë/u")
    arns = [f"arn:aws:iam::{ACCOUNT}:{name}" for name in names]
    found = asff(inspected([the_root(), *(a_user("u", arn=arn) for arn in arns)]))
    unused = [each for each in found if rule_of(each) == "unused-user"]
    assert all_errors(unused) == []
    assert sorted((each["Resources"] for each in unused), key=str) == [
        [{"Type": "AwsIamUser", "Id": arn, "Partition": "aws"}] for arn in arns
    ]


def test_the_root_is_the_account_as_security_hub_names_it() -> None:
    found = only(inspected(noted_root_key()), "root-access-key")
    assert found["Resources"] == [
        {"Type": "AwsAccount", "Id": f"AWS::::Account:{ACCOUNT}", "Partition": "aws"}
    ]
    assert found["ProductFields"]["credreport/Arn"] == f"arn:aws:iam::{ACCOUNT}:root"


@pytest.mark.no_cover
def test_texts_too_long_are_cut_where_the_format_ends_them() -> None:
    odd = a_user("odd") | dict.fromkeys(COLUMNS[2:], "?" * 400)
    excused = exemptions_of(f"*,odd,{'because ' * 300},IT,")
    found = asff(inspected([the_root(password_enabled="false"), odd], excused))
    assert all_errors(found) == []
    assert max(len(each["Description"]) for each in found) == 1024
    assert {len(each["Note"]["Text"]) for each in found} == {512}
    assert {len(each["ProductFields"]["credreport/Exemption"]) for each in found} == {2048}
    assert {each["Note"]["Text"][-1] for each in found} == {"…"}


def in_partition(partition: str) -> list[Row]:
    arn = f"arn:{partition}:iam::{ACCOUNT}:"
    return [the_root(arn=f"{arn}root"), a_user("quiet", arn=f"{arn}user/quiet")]


def place(document: Document) -> str:
    assert errors(document) == []
    _, partition, _, region, *_ = document["ProductArn"].split(":")
    return f"{partition} {region}"


@cache
def partitions() -> dict[str, list[str]]:
    """Return the regions of each partition, as AWS publishes them in botocore's endpoints."""
    every = botocore.session.get_session().get_data("endpoints")["partitions"]
    return {each["partition"]: list(each["regions"]) for each in every}


HOMES = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}


@pytest.mark.no_cover
@pytest.mark.parametrize("partition", partitions())
def test_the_region_asked_for_holds_in_its_partition_and_another_has_its_home(
    partition: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    analysis = inspected(in_partition(partition))
    once = [*findings(analysis)]
    monkeypatch.setattr("analyzer.writers.finding_feed.findings", lambda _: once)
    found = only(analysis, "unused-user")
    home = place(found).removeprefix(f"{partition} ")
    assert home in partitions()[partition]
    assert home == HOMES.get(partition, home)
    assert found["Resources"][0].get("Partition") == (partition if partition in HOMES else None)
    for region in partitions()[partition]:
        assert place(only(analysis, "unused-user", region)) == f"{partition} {region}"
    other = "cn-north-1" if partition == "aws" else "eu-central-1"
    assert place(only(analysis, "unused-user", other)) == f"{partition} {home}"


def test_a_region_that_is_none_is_refused() -> None:
    analysis = inspected([the_root()])
    for region in ("", "eu", "eu-central", "EU-CENTRAL-1", "x:y-z-1", "aws-global"):
        with pytest.raises(ValueError, match="is not an AWS region"):
            asff_bytes(analysis, region)


def test_whose_arn_names_no_account_is_in_the_partition_of_the_region() -> None:
    for row in (BROKEN, BROKEN | {"arn": "", "user": ""}):
        found = only(inspected([the_root(), row]), "unused-user")
        assert errors(found) == []
        assert [*found["Resources"][0]] == ["Type", "Id"]
    abroad = inspected([*in_partition("aws-cn"), BROKEN])
    for region in ("cn-northwest-1", "eu-central-1"):
        broken = {place(each) for each in asff(abroad, region) if str(BROKEN["arn"]) in str(each)}
        assert broken == {f"{'aws-cn' if region.startswith('cn') else 'aws'} {region}"}


@pytest.mark.parametrize("rows", [[ELSEWHERE, BROKEN], in_partition("aws-mars")[1:]])
def test_findings_that_could_not_be_imported_are_refused_by_number(
    rows: list[Row], tmp_path: Path
) -> None:
    analysis = inspected([the_root(), *rows, a_user("known")])
    number = len(analysis.rule_results.findings.query("user in ('broken', 'quiet')"))
    assert number
    with pytest.raises(OutputFailed, match=rf"cannot hold {number} of .*--masked-account"):
        writers.write(analysis, tmp_path / "findings.asff.json")
    assert not (tmp_path / "findings.asff.json").exists()
