"""AWS is asked in time, where and with what the settings say, over connections that are shared."""

import ssl
import sys
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from analyzer.aws import FetchRequest
from analyzer.aws.client import AwsSession, Deadline, required_field
from analyzer.aws.errors import Late
from analyzer.errors import AwsRefused
from tests.support.aws_server import SECRET, Aws, fetching, on_loopback_only, serving
from tests.support.builders import saved

Patch = pytest.MonkeyPatch
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def loopback(monkeypatch: Patch, tmp_path: Path) -> None:
    on_loopback_only(monkeypatch, tmp_path)


def test_a_call_that_ends_in_time_gives_its_result_or_raises_its_own_error() -> None:
    nothing: dict[str, str] = {}

    def timing_out() -> None:
        raise TimeoutError("by itself")

    assert soon().result_in_time("it", lambda: 42) == 42
    with pytest.raises(KeyError, match="x"):
        soon().result_in_time("it", lambda: nothing["x"])
    with pytest.raises(TimeoutError, match="by itself"):
        soon().result_in_time("it", timing_out)


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
    [
        ("AWS_MAX_ATTEMPTS", "many"),
        ("AWS_MAX_ATTEMPTS", "-1"),
        ("AWS_ENDPOINT_URL", "nowhere"),
        *(pytest.param("output", text, marks=pytest.mark.no_cover) for text in ("[]", "1", SECRET)),
    ],
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


@pytest.mark.usefixtures("loopback")
def test_a_hanging_program_for_credentials_ends_in_time(monkeypatch: Patch, tmp_path: Path) -> None:
    configure_program(monkeypatch, tmp_path, "import time; time.sleep(3)")
    with pytest.raises(Late, match="did not answer the request for credentials"):
        AwsSession(FetchRequest()).client("iam", Deadline(0.5))


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


def test_a_proxy_is_asked_unless_the_endpoint_is_one_of_no_proxy(
    aws: Aws, tmp_path: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    monkeypatch.setenv("HTTP_PROXY", aws.url)
    endpoint = ("--endpoint-url", "http://iam.invalid")
    assert fetching("-o", tmp_path / "reports", *endpoint) == 0
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert fetching("-o", tmp_path / "reports", *endpoint) == 4
    assert "cannot be reached" in capsys.readouterr().err
    assert fetching("-o", tmp_path / "reports") == 0


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Write a certificate of 127.0.0.1 that no authority has signed, with its key."""
    key, today, day = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC), timedelta(days=1)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made up")])
    address = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, today - day, today + day)
    signed = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return saved(tmp_path, signed.public_bytes(Encoding.PEM) + private, "certificate.pem")


@pytest.mark.parametrize(
    ("trusting", "code"), [("AWS_CA_BUNDLE", 0), ("REQUESTS_CA_BUNDLE", 0), (None, 4)]
)
def test_a_certificate_is_accepted_only_if_the_environment_names_its_authority(
    certificate: Path, monkeypatch: Patch, capsys: Capture, trusting: str | None, code: int
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    folder = certificate.parent
    with serving(tls) as server:
        on_loopback_only(monkeypatch, folder, server.url)
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
        if trusting:
            monkeypatch.setenv(trusting, str(certificate))
        assert fetching("-o", folder / "report.csv") == code
    assert (folder / "report.csv").exists() is (code == 0)
    assert ("cannot be reached at 127.0.0.1" in capsys.readouterr().err) is (code == 4)
