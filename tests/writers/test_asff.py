"""ASFF findings are what Security Hub imports; `tests/golden` has a whole one."""

from dataclasses import replace
from functools import cache

import botocore.session
import pytest
from botocore.model import StructureShape

from analyzer.report.model import AccountName
from analyzer.rules import RULES
from analyzer.rules.wording import concat
from analyzer.writers.asff import BATCH_FINDINGS
from analyzer.writers.finding_feed import LONGEST_USER_NAME, findings
from tests.support.asff_model import errors, model, request_errors
from tests.support.builders import ACCOUNT, COLUMNS, Row, a_password, a_user, the_root
from tests.support.feeds import (
    Document,
    asff,
    asff_bytes,
    everything_in,
    finding_of,
    idle_key,
    inspected,
    noted_root_key,
    only,
)
from tests.support.outputs import exemptions_of


def all_errors(documents: list[Document]) -> list[str]:
    return [error for document in documents for error in errors(document)]


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


def test_an_exempt_finding_has_the_reason_in_a_note() -> None:
    exempt = exemptions_of("*,program,On leave,,")
    found = only(asff(inspected(idle_key(), exempt)), "idle-access-key")
    updated = {"UpdatedBy": "credreport", "UpdatedAt": "2026-05-01T12:00:00Z"}
    assert found["Note"] == {"Text": "On leave", **updated}
    assert found["ProductFields"]["credreport/Exemption"] == "On leave"


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


def test_a_user_is_a_resource_with_what_is_certain_of_it_and_the_root_is_the_account() -> None:
    user = {"UserName": "u", "Path": "/team/ops/", "CreateDate": "2023-08-05T12:00:00Z"}
    arn, root = (f"arn:aws:iam::{ACCOUNT}:{name}" for name in ("user/team/ops/u", "root"))
    found = only(asff(inspected([the_root(), a_user("u", path="team/ops/")])), "unused-user")
    assert found["Resources"] == [
        {"Type": "AwsIamUser", "Id": arn, "Partition": "aws", "Details": {"AwsIamUser": user}}
    ]
    found = only(asff(inspected(noted_root_key())), "root-access-key")
    assert found["Resources"] == [
        {"Type": "AwsAccount", "Id": f"AWS::::Account:{ACCOUNT}", "Partition": "aws"}
    ]
    assert found["ProductFields"]["credreport/Arn"] == root


@pytest.mark.no_cover
def test_of_an_arn_that_is_not_understood_nothing_is_certain() -> None:
    names = ("group/u", "user/", "user/another", "user/zoë/u")
    arns = [f"arn:aws:iam::{ACCOUNT}:{name}" for name in names]
    found = asff(inspected([the_root(), *(a_user("u", arn=arn) for arn in arns)]))
    unused = [each for each in found if finding_of(each).rule == "unused-user"]
    assert all_errors(unused) == []
    assert sorted((each["Resources"] for each in unused), key=str) == [
        [{"Type": "AwsIamUser", "Id": arn, "Partition": "aws"}] for arn in arns
    ]


@pytest.mark.no_cover
def test_texts_too_long_are_cut_where_the_format_ends_them() -> None:
    odd = a_user("odd") | dict.fromkeys(COLUMNS[2:-1], "?" * 400)
    excused = exemptions_of(f"*,*,{'because ' * 300},IT,")
    long = replace(RULES[0], id="long", fact=lambda _, at, __: concat(len(at), "x" * 2000))
    users = [the_root(password_enabled="false"), odd, a_user("unused")]
    found = asff(inspected(users, excused, extra=[long], rules="all"))
    assert all_errors(found) == []
    assert max(len(each["Description"]) for each in found) == 1024
    assert {len(each["Note"]["Text"]) for each in found} == {512}
    assert {len(each["ProductFields"]["credreport/Exemption"]) for each in found} == {2048}
    assert {each["Note"]["Text"][-1] for each in found} == {"…"}


def in_partition(partition: str) -> list[Row]:
    arn = f"arn:{partition}:iam::{ACCOUNT}:"
    return [the_root(arn=f"{arn}root"), a_user("quiet", arn=f"{arn}user/quiet")]


def hubs(documents: list[Document]) -> dict[str, str]:
    """Return the region of the Security Hub in each partition."""
    return {(parts := each["ProductArn"].split(":"))[1]: parts[3] for each in documents}


@cache
def partitions() -> dict[str, list[str]]:
    """Return the regions of each partition, as AWS publishes them in botocore's endpoints."""
    every = botocore.session.get_session().get_data("endpoints")["partitions"]
    return {each["partition"]: list(each["regions"]) for each in every}


HOMES = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}


@pytest.mark.no_cover
def test_the_region_asked_for_holds_in_its_partition_and_the_others_have_their_home(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    analysis = inspected([the_root(), *(in_partition(each)[1] for each in partitions())])
    once = [each for each in findings(analysis) if each.group.rule.id == "unused-user"]
    monkeypatch.setattr("analyzer.writers.asff.findings", lambda _: once)
    found = asff(analysis)
    assert all_errors(found) == []
    named = {each["Resources"][0].get("Partition") for each in found}
    assert named == {*HOMES, None}  # the format has no other partitions
    homes = hubs(found)
    assert homes == homes | HOMES
    for partition, regions in partitions().items():
        assert homes[partition] in regions
        for region in regions:
            assert hubs(asff(analysis, region)) == homes | {partition: region}


def test_a_region_that_is_none_is_refused() -> None:
    analysis = inspected([the_root()])
    for region in ("", "eu", "eu-central", "EU-CENTRAL-1", "x:y-z-1", "aws-global"):
        with pytest.raises(ValueError, match="is not an AWS region"):
            asff_bytes(analysis, region)
