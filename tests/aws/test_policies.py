"""The policies in samples/ allow exactly the calls that the program makes, and no other."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.aws_server import MEMBERS, ORGANIZATION, Aws, fetching
from tests.support.builders import ROOT_FOLDER

POLICIES = ROOT_FOLDER / "samples" / "policies"
SERVICES = {"AssumeRole": "sts", "ListAccounts": "organizations", "ListChildren": "organizations"}


def statements(name: str) -> list[dict[str, Any]]:
    policy = json.loads((POLICIES / f"{name}.json").read_bytes())
    assert policy["Version"] == "2012-10-17"
    assert all(each["Effect"] == "Allow" for each in policy["Statement"])
    allowing: list[dict[str, Any]] = policy["Statement"]
    return allowing


def allowed(*names: str) -> list[str]:
    """Return all actions in the policies, each as often as they allow it."""
    actions = [each["Action"] for name in names for each in statements(name)]
    return sorted(
        action for each in actions for action in ([each] if isinstance(each, str) else each)
    )


def called(aws: Aws) -> list[str]:
    names = aws.operations()
    return sorted(f"{SERVICES.get(operation, 'iam')}:{operation}" for operation in names)


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("options", "policies"),
    [
        ((), ["fetch"]),
        (("--service-credentials",), ["fetch", "service-credentials"]),
        (ORGANIZATION, ["fetch", "organization"]),
        (
            ORGANIZATION + ("--organizational-unit", "r-root", "--service-credentials"),
            ["fetch", "organization", "organizational-units", "service-credentials"],
        ),
    ],
)
def test_each_policy_allows_exactly_what_is_called_and_the_role_that_is_asked_for(
    aws: Aws, folder: Path, options: tuple[str, ...], policies: list[str]
) -> None:
    assert fetching("-o", folder, *options) == 0
    assert called(aws) == allowed(*policies)
    (assuming,) = (x for x in statements("organization") if x["Action"] == "sts:AssumeRole")
    asked = {each["RoleArn"] for operation, each in aws.asked if operation == "AssumeRole"}
    roles = {assuming["Resource"].replace("*", each) for each in MEMBERS}
    assert asked == (roles if len(options) > 1 else set())


def test_the_trust_policy_lets_one_role_in_that_knows_the_external_id() -> None:
    (statement,) = statements("role-trust")
    assert statement["Action"] == "sts:AssumeRole"
    assert statement["Principal"] == {"AWS": "arn:aws:iam::111122223333:role/audit"}
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": "audit-2026"}}


def test_there_is_no_policy_that_nobody_tests() -> None:
    tested = {"fetch", "service-credentials", "organization", "organizational-units", "role-trust"}
    of_the_script = {"remove"}  # see tests/decisions
    assert {path.stem for path in POLICIES.iterdir()} == tested | of_the_script
