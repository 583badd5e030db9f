"""`credreport fetch` for one account or several profiles, against a server on loopback."""

import hashlib
import json
import stat
import sys
from pathlib import Path

import awscli
import pandas as pd
import pytest

import analyzer
from analyzer.terms import VERSION, AsOfSource
from tests.support.aws_server import (
    CALLER,
    DENIED,
    GENERATE,
    GENERATED,
    GET,
    SECRET,
    TOKEN,
    Aws,
    an_account,
    fetching,
    messages_without_secrets,
    on_loopback_only,
)
from tests.support.builders import ROOT_FOLDER, saved

Patch = pytest.MonkeyPatch
NAME = f"credential-report_{CALLER}_2026-05-01T12-30-15Z.csv"
LIST = "ListServiceSpecificCredentials"
Capture = pytest.CaptureFixture[bytes]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "reports").mkdir()
    return tmp_path / "reports"


def errors(capture: Capture) -> str:
    """Return the messages on standard error; nothing is secret in it or on standard output."""
    return messages_without_secrets(capture)[1]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def judged(path: Path) -> pd.DataFrame:
    return analyzer.analyze(analyzer.load(path)).users.set_index("user")


def test_the_report_is_saved_to_the_byte_with_metadata_that_give_its_time(
    aws: Aws, folder: Path, capsysbinary: Capture
) -> None:
    assert fetching("-o", folder) == 0
    assert names(folder) == [NAME, f"{NAME}.metadata.json"]
    assert (folder / NAME).read_bytes() == aws.accounts[CALLER].report
    wrote = f"Wrote {folder / NAME}: account {CALLER}, generated at 2026-05-01T12:30:15Z\n"
    assert errors(capsysbinary) == wrote
    (file,) = analyzer.load(folder).files
    assert (file.as_of, file.as_of_source) == (GENERATED, AsOfSource.METADATA)
    assert json.loads((folder / f"{NAME}.metadata.json").read_bytes()) == {
        "schema_version": "1.0",
        "tool": {"name": "credreport", "version": VERSION},
        "account": CALLER,
        "partition": "aws",
        "generated_time": "2026-05-01T12:30:15Z",
        "sha256": hashlib.sha256(aws.accounts[CALLER].report).hexdigest(),
        "obtained": {"operation": "iam:GetCredentialReport", "caller": "ordinary credentials"},
        "service_credentials": "not requested",
    }


def test_the_same_report_leaves_the_same_bytes_in_this_folder_and_in_one_with_a_slash(
    aws: Aws, folder: Path, monkeypatch: Patch, capsysbinary: Capture
) -> None:
    aws.accounts[CALLER] = an_account(CALLER, partition="aws-us-gov")
    monkeypatch.chdir(folder)
    asked = ("-q", "--region", "us-gov-west-1")
    assert fetching(*asked, "-o", "new/below/") == fetching(*asked) == 0
    own = NAME.replace(CALLER, f"aws-us-gov-{CALLER}")
    here, below = (
        [(each / name).read_bytes() for name in (own, f"{own}.metadata.json")]
        for each in (folder, folder / "new" / "below")
    )
    assert here == below
    assert json.loads(here[1])["partition"] == "aws-us-gov"
    assert aws.operations() == {GENERATE: 2, GET: 2}
    assert errors(capsysbinary) == ""


@pytest.mark.usefixtures("aws")
def test_a_name_is_a_folder_unless_it_ends_in_csv_or_json(folder: Path) -> None:
    (folder / "old.csv").mkdir()
    for name in ("2026-03-01", "of.shop", "old.csv", "report.CSV", "report.json"):
        assert fetching("-o", folder / name) == 0
        assert (folder / name).is_dir() == (not name.startswith("report"))
        assert (folder / name / NAME).is_file() == (folder / name).is_dir()


@pytest.mark.usefixtures("aws")
def test_a_file_that_is_replaced_is_private_to_its_owner(folder: Path) -> None:
    (folder / "real.csv").write_bytes(b"open to all")
    (folder / "real.csv").chmod(0o666)
    assert fetching("-o", folder / "real.csv", "--service-credentials") == 0
    beside = [f"real.csv.{ending}.json" for ending in ("metadata", "service-credentials")]
    assert names(folder) == ["real.csv", *beside]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_standard_output_gets_the_report_alone_unless_it_takes_no_more(
    aws: Aws, capsysbinary: Capture, monkeypatch: Patch, tmp_path: Path
) -> None:
    before = names(tmp_path)
    assert fetching("-o", "-") == 0
    captured = capsysbinary.readouterr()
    assert captured.out == aws.accounts[CALLER].report
    assert captured.err.startswith(b"Wrote standard output: account 111122223333")
    monkeypatch.setattr(sys, "stdout", None)
    assert fetching("-o", "-", "-q") == 73
    assert names(tmp_path) == before


@pytest.mark.usefixtures("aws")
def test_a_folder_that_cannot_be_written_and_a_full_disk_leave_what_was_there(
    folder: Path, monkeypatch: Patch, capsysbinary: Capture
) -> None:
    (folder / NAME).write_bytes(b"old")
    assert fetching("-o", folder / NAME / "report.csv") == 73
    assert "report.csv cannot be written: Not a directory. No partial file" in errors(capsysbinary)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert fetching("-o", folder) == 73
    assert "No space left on device" in errors(capsysbinary)
    assert names(folder) == [NAME]
    assert (folder / NAME).read_bytes() == b"old"


def credential(user: str, status: str = "Active") -> dict[str, str]:
    return {
        "UserName": user,
        "Status": status,
        "CreateDate": "2025-12-09T08:59:04Z",
        "ServiceSpecificCredentialId": "ACCAEXAMPLE0000000001",
        "ServiceName": "bedrock.amazonaws.com",
    }


def test_service_credentials_are_found_again_and_no_older_ones_stay(aws: Aws, folder: Path) -> None:
    aws.credentials[CALLER] = (
        [credential("user-0", "Inactive")]
        + [credential(f"u{number}") for number in range(40)]
        + [credential("USER-3")]
    )
    assert fetching("-o", folder, "--service-credentials") == 0
    assert aws.operations() == {GENERATE: 1, GET: 1, LIST: 3}
    users = judged(folder / NAME)
    assert users["service_credentials"].to_dict() == (
        dict.fromkeys((f"user-{number}" for number in (0, 1, 2, 4)), "")
        | {"user-3": "bedrock.amazonaws.com"}
    )
    assert users.loc["user-3", "caveats"] == "service-credential"
    listed = json.loads((folder / f"{NAME}.service-credentials.json").read_bytes())
    assert listed["ServiceSpecificCredentials"][0]["CreateDate"] == "2025-12-09T08:59:04+00:00"
    metadata = json.loads((folder / f"{NAME}.metadata.json").read_bytes())
    assert metadata["service_credentials"] == "saved with the report"
    aws.denied.add((CALLER, LIST))
    assert fetching("-o", folder, "--service-credentials", "-q") == 5
    assert names(folder) == [NAME, f"{NAME}.metadata.json"]


def refused(capture: Capture, folder: Path, *arguments: str) -> str:
    assert fetching("-o", folder, *arguments) == 4
    assert names(folder) == []
    message = errors(capture)
    assert message.startswith("credreport: ")
    assert message.count("\n") == 1
    return message


SIGNED_OUT = """\
[profile audit]
sso_start_url = https://example.awsapps.com/start
sso_region = eu-west-1
sso_account_id = 111122223333
sso_role_name = audit
"""


@pytest.mark.usefixtures("aws")
def test_what_hinders_a_fetch_is_said_in_one_line_with_the_way_out(
    tmp_path: Path, folder: Path, capsysbinary: Capture, monkeypatch: Patch
) -> None:
    assert "no profile nobody: " in refused(capsysbinary, folder, "--profile", "nobody")
    (tmp_path / "config").write_text(SIGNED_OUT)
    name = hashlib.sha1(b"https://example.awsapps.com/start").hexdigest()
    expired = {"accessToken": TOKEN, "expiresAt": "2020-01-01T00:00:00Z"}
    saved(tmp_path, json.dumps(expired), f".aws/sso/cache/{name}.json")
    assert "aws sso login" in refused(capsysbinary, folder, "--profile", "audit")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert "cannot be reached at 127.0.0.1: check" in refused(capsysbinary, folder)
    for variable in ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(variable)
        assert "The credentials are missing or incomplete" in refused(capsysbinary, folder)


PROFILES = """\
[profile one]
aws_access_key_id = ASIA111122223333ROLE
aws_secret_access_key = x
[profile two]
aws_access_key_id = ASIA222233334444ROLE
aws_secret_access_key = x
"""


@pytest.fixture
def profiles(aws: Aws, tmp_path: Path, monkeypatch: Patch) -> Aws:
    (tmp_path / "config").write_text(PROFILES)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    aws.accounts["222233334444"] = an_account("222233334444")
    return aws


BOTH = ("--profile", "one", "--profile", "two")


def listed(folder: Path) -> list[dict[str, str]]:
    manifest = json.loads((folder / "fetched.manifest.json").read_bytes())
    return list(manifest["accounts"])


def test_several_profiles_make_a_folder_and_a_manifest_and_one_that_fails_hurts_no_other(
    profiles: Aws, folder: Path, capsysbinary: Capture
) -> None:
    assert fetching("-o", folder / "new", *BOTH) == 0
    assert profiles.operations() == {GENERATE: 2, GET: 2}
    metadata = [json.loads(path.read_bytes()) for path in folder.rglob("*.metadata.json")]
    callers = {each["account"]: each["obtained"]["caller"] for each in metadata}
    assert callers == {CALLER: "profile one", "222233334444": "profile two"}
    assert len(names(folder / "new")) == 5
    counts = "2 fetched, 0 failed, 0 skipped; fetched.manifest.json lists them\n"
    assert errors(capsysbinary) == f"Wrote {folder / 'new'}: {counts}"
    profiles.script["222233334444", GET] = [DENIED]
    assert fetching("-o", folder / "half", *BOTH, "-q") == 5
    failure = "AWS denied iam:GetCredentialReport: grant the caller this permission."
    assert errors(capsysbinary) == f"Not read: two: {failure}\n"
    outcomes = [(each["name"], each["status"]) for each in listed(folder / "half")]
    assert outcomes == [("two", "failed"), ("one", "fetched")]


@pytest.mark.usefixtures("profiles")
def test_profiles_of_one_account_list_it_once(folder: Path) -> None:
    again = ("--profile", "two", "--profile", "two", "--profile", "one")
    assert fetching("-o", folder, *again, "-q") == 0
    outcomes = [(each["account"], each["status"], each["reason"]) for each in listed(folder)]
    assert outcomes == [
        ("", "skipped", "The profile two reads the same account, 222233334444."),
        (CALLER, "fetched", ""),
        ("222233334444", "fetched", ""),
    ]
    assert analyzer.load(folder).not_covered == ()


WRONG_USAGE: tuple[tuple[list[str], str], ...] = (
    (["--organization"], "needs --role-name"),
    (["--organization", "--role-name", "x", *BOTH], "takes one --profile"),
    (["--role-name", "x"], "need --organization"),
    (["--include", "x"], "need --organization"),
    (["--exclude", "x"], "need --organization"),
    (["--organizational-unit", "ou-x"], "need --organization"),
    (["-o", "-", "--service-credentials"], "writes one report and no other file"),
    (["-o", "-", *BOTH], "writes one report and no other file"),
    (["-o", __file__, *BOTH], "need a folder"),
    (["--role-name", "a b"], "use one such as credreport"),
    (["--role-name", "x" * 65], "use one such as credreport"),
    (["--external-id", SECRET + "\n"], "use one such as audit-2026"),
)


def test_options_that_do_not_go_together_are_wrong_usage(
    capsysbinary: Capture, monkeypatch: Patch, tmp_path: Path
) -> None:
    on_loopback_only(monkeypatch, tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for arguments, refusal in WRONG_USAGE:
        assert fetching(*arguments) == 2, arguments
        assert refusal in errors(capsysbinary)


@pytest.mark.no_cover
def test_the_aws_cli_fetches_the_same_report_with_the_same_verdicts(
    aws: Aws, folder: Path, monkeypatch: Patch, capsysbinary: Capture
) -> None:
    from awscli.clidriver import create_clidriver  # noqa: PLC0415  half a second, for one test

    (sample,) = (ROOT_FOLDER / "samples").glob("status_reports_*.csv")
    aws.accounts[CALLER].report = sample.read_bytes()
    assert fetching("-o", folder / "ours.csv") == 0
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DATA_PATH", str(Path(awscli.__file__).with_name("data")))
    assert create_clidriver().main(["iam", "get-credential-report"]) == 0
    (folder / "theirs.json").write_bytes(capsysbinary.readouterr().out)
    ours, theirs = judged(folder / "ours.csv"), judged(folder / "theirs.json")
    assert len(ours) > 20
    assert set(ours.pop("as_of_source")) == {"metadata"}
    assert set(theirs.pop("as_of_source")) == {"envelope"}
    pd.testing.assert_frame_equal(ours.drop(columns="file"), theirs.drop(columns="file"))


def test_a_list_of_credentials_that_names_no_user_of_the_report_is_not_saved(
    aws: Aws, folder: Path, capsysbinary: Capture
) -> None:
    aws.credentials[CALLER] = [credential("new"), credential("user")]
    assert fetching("-o", folder, "--service-credentials") == 5
    assert names(folder) == [NAME, f"{NAME}.metadata.json"]
    assert "are not known: AWS lists them for no user of the report" in errors(capsysbinary)
