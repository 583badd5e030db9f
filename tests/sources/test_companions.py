"""What was saved beside a report is used where it belongs to it, and refused where it does not."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import analyzer
from analyzer.sources import load
from tests.support.builders import a_user, report_text
from tests.support.reading import PLAIN, put, refused

MOMENT = datetime(2026, 5, 3, 10, 20, 30, tzinfo=UTC)
NO_LIST = "it is not an answer of ListServiceSpecificCredentials for all users"
HINT = "Remove the file, or save it again."
SHA256 = sha256(PLAIN.encode()).hexdigest()


def metadata(folder: Path, told: Any, name: str = "report.csv") -> Path:
    text = told if isinstance(told, str) else json.dumps(told)
    return put(folder, text, name + ".metadata.json")


def evidence(folder: Path, told: Any, name: str = "report.csv") -> Path:
    text = told if isinstance(told, str) else json.dumps(told)
    return put(folder, text, name + ".service-credentials.json")


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    "told",
    [
        "2026-05-03T10:20:30Z",
        "2026-05-03T10:20:30+00:00",
        "2026-05-03T12:20:30+02:00",
        "2026-05-03T10:20:30.987654Z",
    ],
)
def test_metadata_tells_when_aws_made_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str, *, streamed: bool
) -> None:
    monkeypatch.setattr(load, "STREAMED_FROM", 0 if streamed else load.STREAMED_FROM)
    metadata(tmp_path, {"generated_time": told, "sha256": SHA256, "account": "012345678901"})
    (file,) = analyzer.load(put(tmp_path, PLAIN)).files
    assert (file.as_of, file.as_of_source) == (MOMENT, "metadata")


@pytest.mark.parametrize("streamed", [False, True])
def test_metadata_of_another_report_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, streamed: bool
) -> None:
    monkeypatch.setattr(load, "STREAMED_FROM", 0 if streamed else load.STREAMED_FROM)
    path = metadata(tmp_path, {"generated_time": MOMENT.isoformat(), "sha256": SHA256})
    (found,) = refused(put(tmp_path, PLAIN + "\n"))
    assert (found.file, found.hint) == (str(path), HINT)
    assert found.message == "its `sha256` is not that of report.csv: the report was changed"


@pytest.mark.parametrize(
    "told",
    [
        {},
        [],
        "null",
        {"generated_time": "2026-05-03T10:20:30Z"},
        {"sha256": SHA256},
        {"generated_time": "2026-05-03T10:20:30", "sha256": SHA256},
        {"generated_time": "2026-05-03", "sha256": SHA256},
        {"generated_time": "yesterday", "sha256": SHA256},
        {"generated_time": 1777803630, "sha256": SHA256},
        {"generated_time": None, "sha256": SHA256},
        {"generated_time": "0001-01-01T00:00:00+05:00", "sha256": SHA256},
    ],
)
def test_metadata_that_tells_no_moment_is_refused(tmp_path: Path, told: Any) -> None:
    path = metadata(tmp_path, told)
    (found,) = refused(put(tmp_path, PLAIN))
    assert (found.file, found.hint) == (str(path), HINT)
    assert found.message == "it has no `generated_time` with a time zone, or no `sha256`"


def test_metadata_from_before_iam_is_refused(tmp_path: Path) -> None:
    path = metadata(tmp_path, {"generated_time": "2009-12-31T23:59:59Z", "sha256": SHA256})
    (found,) = refused(put(tmp_path, PLAIN))
    assert (found.file, found.message) == (str(path), "its `generated_time` is before 2010")
    metadata(tmp_path, {"generated_time": "2010-01-01T00:00:00Z", "sha256": SHA256})
    assert analyzer.load(tmp_path).files[0].as_of.year == 2010


@pytest.mark.parametrize("text", ["", "{", '{"generated_time": ', "no JSON", "[" * 100_000])
def test_what_is_no_json_beside_a_report_is_refused(tmp_path: Path, text: str) -> None:
    put(tmp_path, PLAIN)
    messages = {metadata: "it is not valid JSON", evidence: NO_LIST}
    for beside, message in messages.items():
        path = beside(tmp_path, text)
        (found,) = refused(tmp_path)
        assert (found.file, found.hint, found.message) == (str(path), HINT, message)
        path.unlink()


def test_text_that_is_not_utf_8_beside_a_report_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path, b'{"generated_time": "\xff"}', "report.csv.metadata.json")
    (found,) = refused(put(tmp_path, PLAIN))
    assert (found.file, found.message) == (str(path), "it is not valid JSON")


def test_metadata_belongs_to_the_report_whose_whole_name_it_bears(tmp_path: Path) -> None:
    metadata(tmp_path, "no JSON", "other.csv")
    metadata(tmp_path, "no JSON", "report")
    (file,) = analyzer.load(put(tmp_path, PLAIN)).files
    assert file.as_of_source == "assumed"


def test_the_problems_of_what_lies_beside_many_reports_are_told_together(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv", "c.csv"):
        put(tmp_path, PLAIN, name)
        if name != "b.csv":
            metadata(tmp_path, "no JSON", name)
    assert [Path(each.file).name for each in refused(tmp_path)] == [
        "a.csv.metadata.json",
        "c.csv.metadata.json",
    ]


def credential(user: str, service: str = "bedrock.amazonaws.com", **more: Any) -> dict[str, Any]:
    return {"UserName": user, "Status": "Active", "ServiceName": service, **more}


def services(path: Path) -> dict[str, str]:
    users = analyzer.analyze(analyzer.load(path)).users
    return dict(zip(users["user"], users["service_credentials"], strict=True))


@pytest.mark.parametrize("streamed", [False, True])
def test_users_with_a_live_service_credential_are_known_and_to_be_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, streamed: bool
) -> None:
    monkeypatch.setattr(load, "STREAMED_FROM", 0 if streamed else load.STREAMED_FROM)
    told = [
        credential("ann"),
        credential("ann", "codecommit.amazonaws.com"),
        credential("ann"),
        credential("Bob", "cassandra.amazonaws.com", CreateDate="2026-01-01T00:00:00Z"),
        credential("eve") | {"Status": "Inactive"},
        credential("gone"),
    ]
    evidence(tmp_path, {"ServiceSpecificCredentials": told})
    path = put(tmp_path, report_text([a_user("ann"), a_user("bob"), a_user("eve")]))
    assert services(path) == {
        "ann": "bedrock.amazonaws.com, codecommit.amazonaws.com",
        "bob": "cassandra.amazonaws.com",
        "eve": "",
    }
    users = analyzer.analyze(analyzer.load(path)).users
    assert users["caveats"].astype(str).tolist() == ["service-credential", "service-credential", ""]


def test_evidence_that_nobody_has_any_is_no_problem(tmp_path: Path) -> None:
    evidence(tmp_path, {"ServiceSpecificCredentials": []})
    assert set(services(put(tmp_path, PLAIN)).values()) == {""}


def test_evidence_counts_for_the_users_of_its_own_report_alone(tmp_path: Path) -> None:
    put(tmp_path, report_text([a_user("ann")]), "a.csv")
    put(tmp_path, report_text([a_user("ann")]).replace("0123", "3210"), "b.csv")
    evidence(tmp_path, {"ServiceSpecificCredentials": [credential("ann", "x")]}, "b.csv")
    users = analyzer.load(tmp_path).users
    assert users["service_credentials"].tolist() == ["", "x"]


@pytest.mark.parametrize(
    "told",
    [
        {},
        [],
        "null",
        {"ServiceSpecificCredentials": None},
        {"ServiceSpecificCredentials": {}},
        {"ServiceSpecificCredentials": 1},
        {"ServiceSpecificCredentials": ["ann"]},
        {"ServiceSpecificCredentials": [{"UserName": "ann", "ServiceName": "x"}]},
        {"ServiceSpecificCredentials": [{"Status": "Active", "ServiceName": "x"}]},
        {"ServiceSpecificCredentials": [{"Status": "Active", "UserName": "ann"}]},
        {"ServiceSpecificCredentials": [credential("ann") | {"UserName": 1}]},
        {"ServiceSpecificCredentials": [credential("ann") | {"ServiceName": ["x"]}]},
        {"ServiceSpecificCredentials": [credential("ann") | {"ServiceName": 1}]},
    ],
)
def test_evidence_that_is_not_aws_s_answer_is_refused(tmp_path: Path, told: Any) -> None:
    path = evidence(tmp_path, told)
    (found,) = refused(put(tmp_path, PLAIN))
    assert (found.file, found.hint) == (str(path), HINT)
    assert found.message == NO_LIST


def test_an_answer_that_goes_on_is_refused_for_it_lacks_users(tmp_path: Path) -> None:
    told = {"ServiceSpecificCredentials": [], "IsTruncated": True, "Marker": "x"}
    path = evidence(tmp_path, told)
    (found,) = refused(put(tmp_path, PLAIN))
    assert (found.file, found.hint) == (str(path), HINT)
    assert found.message == "it is only the first part of AWS's answer (`IsTruncated`)"
    evidence(tmp_path, told | {"IsTruncated": False})
    assert set(services(put(tmp_path, PLAIN)).values()) == {""}
