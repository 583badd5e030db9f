"""Copies of reports keep their names, what lies beside them, and where they came from."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from analyzer.errors import InputRefused
from analyzer.exports.inputs import copy_inputs
from analyzer.report.model import UncoveredAccount
from analyzer.sources.find import find_sources
from analyzer.sources.load import load
from analyzer.sources.source import Source
from tests.support.builders import a_user, report_text, saved
from tests.support.runs import copied

TEXT = report_text([a_user()])
OTHER = report_text([a_user("loud")])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "copies").mkdir()
    return tmp_path / "copies"


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_copy_has_the_name_bytes_and_origin_of_its_file(folder: Path, tmp_path: Path) -> None:
    report = saved(tmp_path, TEXT, "status_reports_2026-03-01T09-30-00+00-00.csv")
    copies = copied([str(report)], folder)
    assert copies == {folder / report.name: str(report)}
    assert (folder / report.name).read_bytes() == report.read_bytes()


def test_what_lies_beside_a_report_comes_with_it(folder: Path, tmp_path: Path) -> None:
    report = saved(tmp_path, TEXT, "r.csv")
    for ending in ("metadata", "service-credentials"):
        saved(tmp_path, "{}", f"r.csv.{ending}.json")
    copied([str(report)], folder)
    assert names(folder) == {"r.csv", "r.csv.metadata.json", "r.csv.service-credentials.json"}


def test_names_that_clash_in_any_case_lie_in_own_folders(folder: Path, tmp_path: Path) -> None:
    for place in "abc":
        (tmp_path / place).mkdir()
    reports = [
        saved(tmp_path / "a", TEXT, "r.csv"),
        saved(tmp_path / "b", OTHER, "R.csv"),
        saved(tmp_path / "c", TEXT, "r.csv"),
    ]
    saved(tmp_path / "b", "{}", "R.csv.metadata.json")
    copies = copied([*map(str, reports)], folder)
    assert names(folder) == {
        "r.csv",
        "input-2/R.csv",
        "input-2/R.csv.metadata.json",
        "input-3/r.csv",
    }
    assert list(copies.values()) == [*map(str, reports)]


@pytest.mark.parametrize(
    "given", [("e/input-2", "e/input-2"), ("d/a.csv", "d/b/a.csv", "d/c/INPUT-2")]
)
def test_a_folder_for_names_that_clash_never_has_the_name_of_a_copy(
    folder: Path, tmp_path: Path, given: tuple[str, ...]
) -> None:
    for name in given:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(TEXT)
    copies = copied([str(tmp_path / name) for name in given], folder)
    assert len(names(folder)) == len(copies) == len(given)
    assert (folder / "input-3" / Path(given[1]).name).is_file()


def test_a_colon_in_a_files_name_stays_and_files_of_an_archive_are_unpacked_and_found_again(
    folder: Path, tmp_path: Path
) -> None:
    report = saved(tmp_path, TEXT, "09:30.csv")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("2026/one.csv", OTHER)
        archive.writestr("2026/two.csv", report_text([a_user("third")]))
    copies = copied([str(report), str(tmp_path / "all.zip")], folder)
    assert names(folder) == {report.name, "one.csv", "two.csv"}
    unpacked = [f"{tmp_path}/all.zip:2026/{name}.csv" for name in ("one", "two")]
    assert sorted(copies.values()) == sorted([str(report), *unpacked])
    assert load(*copies).rows == 6


def test_manifests_come_too_and_are_read_again(folder: Path, tmp_path: Path) -> None:
    failed = {"account": "222222222222", "name": "pay", "status": "failed", "reason": "Denied."}
    for place in "ab":
        (tmp_path / place).mkdir()
        saved(tmp_path / place, TEXT if place == "a" else OTHER, f"{place}.csv")
        saved(tmp_path / place, json.dumps({"accounts": [failed]}), "fetched.manifest.json")
    copies = copied([str(tmp_path / "a"), str(tmp_path / "b")], folder)
    assert len(names(folder)) == 4
    assert load(*copies).not_covered == (
        UncoveredAccount(account="222222222222", name="pay", reason="Denied."),
    )


def test_hidden_files_and_stdin_are_found_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    third = report_text([a_user("third")])
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(third.encode())))
    hidden = saved(tmp_path, TEXT, ".r.csv"), saved(tmp_path, OTHER, "...")
    copies = copied([*map(str, hidden), "-"], folder)
    assert names(folder) == {"r.csv", "report", "standard input"}
    assert (folder / "standard input").read_text() == third
    assert load(*copies).rows == 6


def test_all_that_cannot_be_read_is_told_at_once(folder: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone.csv"
    found = [
        *find_sources([str(tmp_path / "missing.csv")]),
        Source(str(gone), lambda _: gone.read_bytes(), path=gone),
    ]
    with pytest.raises(InputRefused) as refused:
        copy_inputs(["*.csv"], found, folder)
    assert [each.file for each in refused.value.problems] == [
        str(tmp_path / "missing.csv"),
        str(gone),
    ]
    assert names(folder) == set()
