"""Prove the removal script with the real AWS CLI, which asks moto's server behind a front."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, Self

import boto3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from moto.iam.models import iam_backends

from analyzer.decisions.decision import Decision
from analyzer.decisions.plan import removal_script
from tests.support.aws_server import environment, on_loopback_only
from tests.support.aws_stub import LEDGERS, LOG, UNDO, ScriptRun, run_script
from tests.support.builders import ROOT_FOLDER
from tests.support.forking import forking
from tests.support.removal_proxy import Front, front_serving
from tests.support.removals import Removal, credential, removal

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

ACCOUNT = "123456789012"
POLICY = '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}'
MANAGED = f"arn:aws:iam::{ACCOUNT}:policy/managed"
PATH = "/$(touch${IFS}stolen)`touch${IFS}stolen`;'\"/"
LONG_AGO = datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)
DELETED, DEACTIVATED = "-full", "a,b"
SPARED = ("kept", "returned", "new-key", "=tagged")


@pytest.fixture
def front(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Front]:
    """Serve the users of one account; see `populate`."""
    with front_serving() as front:
        on_loopback_only(monkeypatch, tmp_path, front.moto)
        populate(client(), front)
        yield front


def client() -> Any:
    return boto3.client("iam", region_name="us-east-1")


def certificate() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bob")])
    day = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, day, day + timedelta(1))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def equip(iam: Any, front: Front, user: str, status: str) -> None:
    """Attach one of everything, and two of most; all credentials have the status."""
    name = {"UserName": user}
    iam.create_login_profile(**name, Password="correct horse battery staple")
    for _ in range(2):
        access_key = iam.create_access_key(**name)["AccessKey"]["AccessKeyId"]
        iam.update_access_key(**name, AccessKeyId=access_key, Status=status)
    signed = iam.upload_signing_certificate(**name, CertificateBody=certificate())["Certificate"]
    iam.update_signing_certificate(**name, CertificateId=signed["CertificateId"], Status=status)
    key = iam.upload_ssh_public_key(**name, SSHPublicKeyBody="ssh-rsa AAAA")["SSHPublicKey"]
    iam.update_ssh_public_key(**name, SSHPublicKeyId=key["SSHPublicKeyId"], Status="Inactive")
    front.service_credentials[user] = {f"ACCA{user.upper().replace(',', 'X'):X>20}": status}
    codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=user)["VirtualMFADevice"]
    iam.enable_mfa_device(**name, **codes, SerialNumber=device["SerialNumber"])
    iam.enable_mfa_device(**name, **codes, SerialNumber="GAHT12345678")
    for policy in ("None", "-x"):
        iam.put_user_policy(**name, PolicyName=policy, PolicyDocument=POLICY)
    iam.attach_user_policy(**name, PolicyArn=MANAGED)
    iam.add_user_to_group(**name, GroupName="a,b")


def populate(iam: Any, front: Front) -> None:
    """Create users a second apart: see the names above."""
    iam.create_group(GroupName="a,b")
    iam.create_policy(PolicyName="managed", PolicyDocument=POLICY)
    iam.create_virtual_mfa_device(VirtualMFADeviceName="-full-2")
    users = (DELETED, DEACTIVATED) + SPARED
    for number, user in enumerate(users):
        tags = [{"Key": "credreport:keep", "Value": ""}] if user == "=tagged" else []
        tags.append({"Key": "team", "Value": 'a "b"'})
        iam.create_user(UserName=user, Path=PATH, Tags=tags)
        created = (LONG_AGO + timedelta(seconds=number)).replace(tzinfo=None)
        iam_backends[ACCOUNT]["aws"].users[user].create_date = created
    for user in (DELETED, DEACTIVATED):
        equip(iam, front, user, "Active" if user == DEACTIVATED else "Inactive")
    front.signed_in["returned"] = datetime.now(UTC)
    for user in ("kept", "new-key"):
        iam.create_access_key(UserName=user)


def decisions(iam: Any) -> list[Removal]:
    """Return decisions on all users but `kept`, as a report of this moment shows them.

    The key of `new-key` and the sign-in of `returned` are not in it; `gone` is not in AWS.
    """
    moment = datetime.now(UTC).replace(microsecond=0)
    removals = [
        removal(baseline=moment, **seen(iam, user))
        for user in iam.list_users()["Users"]
        if user["UserName"] != "kept"
    ]
    gone = f"arn:aws:iam::{ACCOUNT}:user/gone"
    created = LONG_AGO - timedelta(hours=1)
    return removals + [removal(arn=gone, created=created, baseline=moment)]


def seen(iam: Any, user: dict[str, Any]) -> dict[str, Any]:
    """Return what a report shows of a user."""
    name = user["UserName"]
    seen = {"arn": user["Arn"], "created": user["CreateDate"]}
    if name == DEACTIVATED:
        seen["decision"] = Decision.DEACTIVATE
    if name in {DELETED, DEACTIVATED}:
        listed = iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
        active = name == DEACTIVATED
        seen["keys"] = tuple(credential(key["CreateDate"], active=active) for key in listed)
        (uploaded,) = iam.list_signing_certificates(UserName=name)["Certificates"]
        seen["certificates"] = (credential(uploaded["UploadDate"], active=active),)
        seen |= {"has_password": True, "has_mfa": True, "services": "bedrock.amazonaws.com"}
    return seen


def state(iam: Any, front: Front) -> dict[str, Any]:
    """Return all that is known of each user, and under no name the virtual MFA devices."""
    details = iam.get_account_authorization_details(Filter=["User"])["UserDetailList"]
    stored = iam_backends[ACCOUNT]["aws"].users
    devices = iam.list_virtual_mfa_devices()["VirtualMFADevices"]
    users = {each["UserName"]: State.of(each, stored[each["UserName"]], front) for each in details}
    return users | {"": [each["SerialNumber"].rpartition("/")[2] for each in devices]}


class State(NamedTuple):
    """Hold what is known of a user: ids with their status, and what has none."""

    details: dict[str, Any]
    password: str | None
    statuses: dict[str, str]
    devices: list[str]

    @classmethod
    def of(cls, details: dict[str, Any], user: Any, front: Front) -> Self:
        statuses = {
            **{each.access_key_id: each.status for each in user.access_keys},
            **{each.id: each.status for each in user.signing_certificates.values()},
            **{each.ssh_public_key_id: each.status for each in user.ssh_public_keys},
            **front.service_credentials.get(user.name, {}),
        }
        return cls(details, user.password, statuses, list(user.mfa_devices))


def run(shell: str, script: str, front: Front, folder: Path, **variables: str) -> ScriptRun:
    """Run the script with the AWS CLI of the same environment as the tests.

    The AWS CLI needs a region only because its calls do not go to AWS's own addresses.
    """
    front.calls.clear()
    path = f"{forking('aws').parent}:{os.environ['PATH']}"
    settings = environment(folder, front.url) | {"AWS_DEFAULT_REGION": "us-east-1", "PATH": path}
    return run_script(shell, script, folder, settings | variables)


def check_account(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Check that exactly the decided users differ, and how."""
    assert before.keys() - after.keys() == {DELETED}
    assert {user for user in after if after[user] != before[user]} == {DEACTIVATED, ""}
    assert after[""] == [name for name in before[""] if name != DELETED]
    off = dict.fromkeys(before[DEACTIVATED].statuses, "Inactive")
    assert len(off) == 5
    assert after[DEACTIVATED] == before[DEACTIVATED]._replace(password=None, statuses=off)


def check_backup(folder: Path, before: dict[str, Any]) -> None:
    """Check that what is gone can be read in the backup."""
    saved = [json.loads(file.read_text()) for file in (folder / f"{LOG}.backup").iterdir()]
    user = {each["get-user"]["UserName"]: each for each in saved}[DELETED]
    assert user["get-user"]["Tags"] == before[DELETED].details["Tags"]
    documents = {each["PolicyName"]: each["PolicyDocument"] for each in user["get-user-policy"]}
    assert documents == {"None": json.loads(POLICY), "-x": json.loads(POLICY)}
    assert user["list-attached-user-policies"] == [{"PolicyName": "managed", "PolicyArn": MANAGED}]
    assert [group["GroupName"] for group in user["list-groups-for-user"]] == ["a,b"]
    keys = {key["AccessKeyId"] for key in user["list-access-keys"]}
    assert (len(keys), keys <= before[DELETED].statuses.keys()) == (2, True)
    assert len(user["list-mfa-devices"]) == 2
    assert "BEGIN CERTIFICATE" in user["list-signing-certificates"][0]["CertificateBody"]


RESULTS = dict.fromkeys(SPARED[1:], "skipped") | {DELETED: "done", DEACTIVATED: "done"}


def test_exactly_the_decided_users_are_changed_and_undone(front: Front, tmp_path: Path) -> None:
    """Apply in one shell, and undo in the other what can be: all but the password and the user.

    The policy allows each action that is asked for, once; every identity may ask STS who it is.
    """
    iam = client()
    removals = decisions(iam)
    before = state(iam, front)
    script = removal_script(removals, ledgers=LEDGERS)
    ended = run("dash", script, front, tmp_path, APPLY=ACCOUNT)
    assert (ended.code, ended.messages) == (1, ""), ended.output
    results = {each.user: ended.results()[each.arn] for each in removals}
    assert results == RESULTS | {"gone": "gone"}
    check_account(before, state(iam, front))
    check_backup(tmp_path, before)
    asked = {operation for operation, _ in front.calls} - {"GetCallerIdentity"}
    actions = [action for each in statements() for action in each["Action"]]
    assert sorted(actions) == sorted(f"iam:{each}" for each in asked)

    undone = run("bash", f"bash {UNDO}", front, tmp_path)
    assert (undone.code, undone.messages.count(f"--user-name={DELETED} ")) == (1, 4)
    assert state(iam, front)[DEACTIVATED] == before[DEACTIVATED]._replace(password=None)
    assert not list(tmp_path.rglob("stolen"))


def statements() -> list[dict[str, Any]]:
    policy = json.loads((ROOT_FOLDER / "samples" / "policies" / "remove.json").read_bytes())
    assert policy["Version"] == "2012-10-17"
    assert {each["Effect"] for each in policy["Statement"]} == {"Allow"}
    found: list[dict[str, Any]] = policy["Statement"]
    return found


def test_the_policy_allows_changes_only_of_what_the_script_changes() -> None:
    for each in statements():
        changes = [a for a in each["Action"] if not a.startswith(("iam:Get", "iam:List"))]
        assert bool(changes) == (each["Resource"] != "*")
        assert not changes or changes == each["Action"]
