"""Prove the removal script with the real AWS CLI, which asks moto's server behind a front."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from analyzer.removal_script import Removal, removal_script
from analyzer.review_columns import Decision
from tests.support.aws_server import environment, on_loopback_only
from tests.support.aws_stub import ScriptRun, run_script
from tests.support.forking import forking
from tests.support.removal_front import Front, front_serving

POLICY = '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}'
MANAGED = "arn:aws:iam::123456789012:policy/managed"
PATH = "/$(touch${IFS}stolen)`touch${IFS}stolen`;'\"/"
ATTACHED = {
    "DeleteLoginProfile": 1,
    "DeleteAccessKey": 2,
    "DeleteSigningCertificate": 1,
    "DeleteSSHPublicKey": 1,
    "DeleteServiceSpecificCredential": 1,
    "DeactivateMFADevice": 2,
    "DeleteVirtualMFADevice": 1,
    "DeleteUserPolicy": 2,
    "DetachUserPolicy": 1,
    "RemoveUserFromGroup": 1,
}
"""How often each step is needed for a user with everything, before DeleteUser."""


@pytest.fixture
def front(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Front]:
    """Serve the users of one account; see `populate`."""
    with front_serving() as front:
        on_loopback_only(monkeypatch, tmp_path, front.moto)
        iam = client()
        populate(iam, front)
        yield front


def client() -> Any:
    return boto3.client("iam", region_name="us-east-1")


def certificate() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bob")])
    day = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, day, day + timedelta(1))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def equip(iam: Any, front: Front, user: str) -> None:
    """Attach one of everything, and two of most."""
    name = {"UserName": user}
    iam.create_login_profile(**name, Password="correct horse battery staple")
    for _ in range(2):
        key = iam.create_access_key(**name)["AccessKey"]["AccessKeyId"]
        iam.update_access_key(**name, AccessKeyId=key, Status="Inactive")
    iam.upload_signing_certificate(**name, CertificateBody=certificate())
    iam.upload_ssh_public_key(**name, SSHPublicKeyBody="ssh-rsa AAAA")
    front.service_credentials[user] = [f"ACCA{user.upper():X>20}"]
    codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=user)["VirtualMFADevice"]
    iam.enable_mfa_device(**name, **codes, SerialNumber=device["SerialNumber"])
    iam.enable_mfa_device(**name, **codes, SerialNumber="GAHT12345678")
    for policy in ("None", "-x"):
        iam.put_user_policy(**name, PolicyName=policy, PolicyDocument=POLICY)
    iam.attach_user_policy(**name, PolicyArn=MANAGED)
    iam.add_user_to_group(**name, GroupName="a,b")


def populate(iam: Any, front: Front) -> None:
    """Create users: two with everything, one to deactivate, and two that changed since."""
    iam.create_group(GroupName="a,b")
    iam.create_policy(PolicyName="managed", PolicyDocument=POLICY)
    for user in ("-full", "kept"):
        iam.create_user(UserName=user, Path=PATH)
        equip(iam, front, user)
    for user in ("a,b", "returned", "new-key"):
        iam.create_user(UserName=user)
    iam.create_login_profile(UserName="a,b", Password="correct horse battery staple")
    for user in ("a,b", "new-key"):
        iam.create_access_key(UserName=user)
    front.signed_in["returned"] = datetime.now(UTC)


def decisions(iam: Any) -> list[Removal]:
    """Return the decisions on a report made after the users, but before the key of `new-key`."""
    made = {each["UserName"]: each for each in iam.list_users()["Users"]}

    def decided(user: str, decision: Decision, **state: Any) -> Removal:
        created = made[user]["CreateDate"]
        later = created + timedelta(hours=1)
        standard = {"arn": made[user]["Arn"], "created": created, "as_of": later}
        return Removal(**{**standard, "decision": decision, **state})

    before = made["new-key"]["CreateDate"] - timedelta(seconds=1)
    return [
        decided("returned", Decision.DELETE),
        decided("new-key", Decision.DELETE, as_of=before, active_keys=1),
        decided("-full", Decision.DELETE),
        decided("a,b", Decision.DEACTIVATE, active_keys=1),
    ]


def state(iam: Any, front: Front) -> dict[str, Any]:
    """Return all that is known of each user."""
    details = iam.get_account_authorization_details(Filter=["User"])["UserDetailList"]
    return {
        each["UserName"]: (
            each,
            [
                (key["AccessKeyId"], key["Status"])
                for key in iam.list_access_keys(UserName=each["UserName"])["AccessKeyMetadata"]
            ],
            iam.list_signing_certificates(UserName=each["UserName"])["Certificates"],
            iam.list_ssh_public_keys(UserName=each["UserName"])["SSHPublicKeys"],
            iam.list_mfa_devices(UserName=each["UserName"])["MFADevices"],
            tuple(front.service_credentials.get(each["UserName"], ())),
        )
        for each in details
    }


def run(shell: str, script: str, front: Front, folder: Path, **variables: str) -> ScriptRun:
    """Run the script with the AWS CLI of the same environment as the tests."""
    front.calls.clear()
    path = f"{forking('aws').parent}:{os.environ['PATH']}"
    settings = {**environment(folder, front.url), "AWS_DEFAULT_REGION": "us-east-1", "PATH": path}
    return run_script(shell, script, folder, {**settings, **variables})


def check_outcome(ended: ScriptRun, removals: list[Removal]) -> None:
    assert ended.messages == ""
    assert ended.code == 0, ended.output
    results = ("skipped", "skipped", "done", "done")
    assert ended.results() == dict(zip((each.arn for each in removals), results, strict=True))


def check_changes(front: Front) -> None:
    """Check that what is attached went first, and that nobody else was touched."""
    changes = front.changes()
    names = [operation for operation, values in changes if values.get("UserName") != "a,b"]
    assert {name: names.count(name) for name in names} == {**ATTACHED, "DeleteUser": 1}
    assert names[-1] == "DeleteUser"
    assert names.index("DeleteVirtualMFADevice") > names.index("DeactivateMFADevice")
    assert {values.get("UserName", "-full") for _, values in changes} == {"-full", "a,b"}
    assert [call[0] for call in changes if call[1].get("UserName") == "a,b"] == [
        "UpdateAccessKey",
        "DeleteLoginProfile",
    ]


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_exactly_the_decided_users_are_removed(shell: str, front: Front, tmp_path: Path) -> None:
    """Preview (dash), apply, and apply again (bash): each call of the AWS CLI takes its time."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    iam = client()
    removals = decisions(iam)
    script = removal_script(removals, inputs=["review.xlsx"])
    before = state(iam, front)
    if shell == "dash":
        shown = run(shell, script, front, tmp_path)
        assert (shown.code, shown.messages, shown.log, front.changes()) == (0, "", [], [])
        assert "would be done 2, gone before 0, skipped 2, failed 0" in shown.output
        assert state(iam, front) == before

    check_outcome(run(shell, script, front, tmp_path, APPLY="yes"), removals)
    check_changes(front)
    after = state(iam, front)
    assert before.keys() - after.keys() == {"-full"}
    for user in ("kept", "returned", "new-key"):
        assert after[user] == before[user]
    assert [status for _, status in after["a,b"][1]] == ["Inactive"]
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_login_profile(UserName="a,b")
    assert [
        each["SerialNumber"] for each in iam.list_virtual_mfa_devices()["VirtualMFADevices"]
    ] == ["arn:aws:iam::123456789012:mfa/kept"]
    assert not list(tmp_path.rglob("stolen"))

    if shell == "bash":
        again = run(shell, script, front, tmp_path, APPLY="yes")
        assert (again.code, front.changes()) == (0, [])
        assert sorted(again.results().values()) == ["done", "gone", "skipped", "skipped"]
        assert state(iam, front) == after
