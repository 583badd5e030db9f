"""AWS is asked in time, where and with what the settings say, over connections that are shared."""

import sys
from pathlib import Path

import pytest

from analyzer.aws import FetchRequest
from analyzer.aws.client import AwsSession, Deadline, required_field
from analyzer.errors import AwsRefused
from tests.support.aws_server import SECRET, Aws, on_loopback_only

Patch = pytest.MonkeyPatch
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def loopback(monkeypatch: Patch, tmp_path: Path) -> None:
    on_loopback_only(monkeypatch, tmp_path)


def test_no_time_is_left_at_the_deadline_and_none_after() -> None:
    clock = iter([0.0, 4.0, 5.0, 9.0])
    deadline = Deadline(5, lambda: next(clock))
    assert [deadline.seconds_left for _ in range(3)] == [1, 0, 0]


def soon() -> Deadline:
    """Return a deadline that no test meets; one for all would pass while others run."""
    return Deadline(300)


@pytest.mark.no_cover
@pytest.mark.usefixtures("loopback")
@pytest.mark.parametrize(
    ("region", "host"),
    [
        (None, "iam.amazonaws.com"),
        ("cn-north-1", "iam.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "iam.us-gov.amazonaws.com"),
        ("eusc-de-east-1", "iam.eusc-de-east-1.amazonaws.eu"),
    ],
)
def test_each_partition_is_asked_at_its_own_address_whatever_names_the_region(
    monkeypatch: Patch, tmp_path: Path, region: str | None, host: str
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    sessions = [AwsSession(FetchRequest(region=region))]
    if region:
        (tmp_path / "config").write_text(f"[profile audit]\nregion = {region}\n")
        sessions.append(AwsSession(FetchRequest(), "audit"))
        monkeypatch.setenv("AWS_DEFAULT_REGION", region)
        sessions.append(AwsSession(FetchRequest()))
    urls = [each.client("iam", soon()).client.meta.endpoint_url for each in sessions]
    assert set(urls) == {f"https://{host}"}


@pytest.mark.usefixtures("loopback")
def test_botocore_retries_in_standard_mode(monkeypatch: Patch) -> None:
    def retries() -> object:
        return AwsSession(FetchRequest()).client("iam", soon()).client.meta.config.retries

    assert retries() == {"mode": "standard", "total_max_attempts": 6}
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "9")
    assert retries() == {"mode": "standard", "total_max_attempts": 9}


def configure_program(patch: Patch, home: Path, code: str) -> None:
    """Have the credentials come from a Python program."""
    patch.delenv("AWS_ACCESS_KEY_ID")
    patch.delenv("AWS_SECRET_ACCESS_KEY")
    program = f"{sys.executable} -c '{code}'"
    (home / "config").write_text(f"[default]\ncredential_process = {program}\n")


@pytest.mark.usefixtures("loopback")
@pytest.mark.parametrize(
    ("name", "value"),
    [("AWS_MAX_ATTEMPTS", "many"), ("AWS_MAX_ATTEMPTS", "-1"), ("AWS_ENDPOINT_URL", "nowhere")]
    + [pytest.param("output", text, marks=pytest.mark.no_cover) for text in ("[]", "1", SECRET)],
)
def test_settings_and_credentials_that_botocore_rejects_are_refused_and_not_repeated(
    monkeypatch: Patch, tmp_path: Path, name: str, value: str
) -> None:
    if name == "output":
        configure_program(monkeypatch, tmp_path, f'print("{value}")')
    else:
        monkeypatch.setenv(name, value)
    with pytest.raises(AwsRefused, match=r"correct it|does not work") as caught:
        AwsSession(FetchRequest()).client("iam", soon())
    assert SECRET not in str(caught.value)


ODD_ANSWERS: tuple[object, ...] = (None, "x", {}, {"x": None}, {"x": 1}, {"x": {}})


def test_a_field_that_is_missing_empty_or_of_another_kind_is_refused_but_no_empty_list() -> None:
    for answer in ODD_ANSWERS:
        for kind in (str, list):
            with pytest.raises(AwsRefused, match="an answer without x"):
                required_field(answer, "x", kind)
    with pytest.raises(AwsRefused):
        required_field({"x": ""}, "x", str)
    assert required_field({"x": []}, "x", list) == []


def test_connections_are_closed_at_the_end(aws: Aws) -> None:
    iam = AwsSession(FetchRequest()).client("iam", soon())
    for _ in range(2):
        iam.answer("generate_credential_report")
    assert aws.connections == 1
    iam.close()
    iam.answer("generate_credential_report")
    iam.close()
    assert aws.connections == 2
