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

Patch = pytest.MonkeyPatch
MOMENT = datetime(2026, 5, 3, 10, 20, 30, tzinfo=UTC)
NO_LIST = "it is not an answer of ListServiceSpecificCredentials for all users"
HINT = "Remove the file, or save it again."
SHA256 = sha256(PLAIN.encode()).hexdigest()


def beside(folder: Path, ending: str, told: Any, name: str) -> Path:
    text = told if isinstance(told, str) else json.dumps(told)
    return put(folder, text, f"{name}.{ending}.json")


def metadata(folder: Path, told: Any, name: str = "report.csv") -> Path:
    return beside(folder, "metadata", told, name)


def evidence(folder: Path, told: Any, name: str = "report.csv") -> Path:
    return beside(folder, "service-credentials", told, name)


def refusal(path: Path) -> str:
    """Return why a report is refused for what lies beside it at a path."""
    (found,) = refused(put(path.parent, PLAIN))
    assert (found.file, found.hint) == (str(path), HINT)
    return found.message


@pytest.mark.parametrize("streamed", [False, True])
def test_metadata_tells_when_aws_made_the_report_and_is_refused_beside_another_one(
    tmp_path: Path, monkeypatch: Patch, *, streamed: bool
) -> None:
    monkeypatch.setattr(load, "STREAMED_FROM", 0 if streamed else load.STREAMED_FROM)
    for told in (
        "2026-05-03T10:20:30Z",
        "2026-05-03T10:20:30+00:00",
        "2026-05-03T12:20:30+02:00",
        "2026-05-03T10:20:30.987654Z",
    ):
        path = metadata(tmp_path, {"generated_time": told, "sha256": SHA256, "account": "0123"})
        (file,) = analyzer.load(put(tmp_path, PLAIN)).files
        assert (file.as_of, file.as_of_source) == (MOMENT, "metadata")
    (found,) = refused(put(tmp_path, PLAIN + "\n"))
    assert (found.file, found.hint) == (str(path), HINT)
    assert found.message == "its `sha256` is not that of report.csv: the report was changed"


NO_MOMENTS: tuple[Any, ...] = (
    *("2026-05-03T10:20:30", "2026-05-03", "yesterday", "0001-01-01T00:00:00+05:00"),
    *(1777803630, None),
)


def test_metadata_that_tells_no_moment_or_one_before_iam_is_refused(tmp_path: Path) -> None:
    half = ({"generated_time": "2026-05-03T10:20:30Z"}, {"sha256": SHA256})
    without: tuple[Any, ...] = ({}, [], "null", *half)
    odd = ({"generated_time": each, "sha256": SHA256} for each in NO_MOMENTS)
    for told in (*without, *odd):
        message = refusal(metadata(tmp_path, told))
        assert message == "it has no `generated_time` with a time zone, or no `sha256`", told
    early = metadata(tmp_path, {"generated_time": "2009-12-31T23:59:59Z", "sha256": SHA256})
    assert refusal(early) == "its `generated_time` is before 2010"
    metadata(tmp_path, {"generated_time": "2010-01-01T00:00:00Z", "sha256": SHA256})
    assert analyzer.load(tmp_path).files[0].as_of.year == 2010


def test_what_is_no_json_beside_a_report_is_refused(tmp_path: Path) -> None:
    for text in ("", "{", '{"generated_time": ', "no JSON", "[" * 100_000):
        for write, message in ((metadata, "it is not valid JSON"), (evidence, NO_LIST)):
            path = write(tmp_path, text)
            assert refusal(path) == message
            path.unlink()
    path = put(tmp_path, b'{"generated_time": "\xff"}', "report.csv.metadata.json")
    assert refusal(path) == "it is not valid JSON"


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


def test_evidence_counts_for_users_of_its_own_report(tmp_path: Path, monkeypatch: Patch) -> None:
    put(tmp_path, report_text([a_user("ann")]), "a.csv")
    put(tmp_path, report_text([a_user("ann"), a_user("eve")]).replace("0123", "3210"), "b.csv")
    of_ann, of_gone = (
        {"UserName": user, "Status": "Active", "ServiceName": service}
        for user, service in (("ann", "x"), ("gone", "y"))
    )
    evidence(tmp_path, {"ServiceSpecificCredentials": [of_ann, of_ann, of_gone]}, "b.csv")
    for streamed_from in (load.STREAMED_FROM, 0):
        monkeypatch.setattr(load, "STREAMED_FROM", streamed_from)
        users = analyzer.analyze(analyzer.load(tmp_path)).users
        assert users["service_credentials"].tolist() == ["", "x", ""]
        assert users["caveats"].astype(str).tolist() == ["", "service-credential", ""]
