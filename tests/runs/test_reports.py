"""Copies of reports keep their names, what lies beside them, and where they came from."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from analyzer.errors import InputRefused
from analyzer.report.model import NotCovered
from analyzer.runs.inputs import copy_inputs
from analyzer.sources.find import find_sources
from analyzer.sources.load import load
from analyzer.sources.source import Source
from tests.support.builders import a_user, report_text, saved, the_root
from tests.support.runs import copied

TEXT, OTHER, THIRD, FOURTH = (
    report_text([a_user(account=each * 12)], root=the_root(each * 12)) for each in "1234"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "copies").mkdir()
    return tmp_path / "copies"


BESIDE = ("r.csv.metadata.json", "r.csv.service-credentials.json")
COPIES = {
    "what lies beside": (["r.csv"], {name: name for name in ("r.csv", *BESIDE)}),
    "names that clash in any case": (
        ["a/R.csv", "b/r.csv", "c/R.csv"],
        {
            "R.csv": "a/R.csv",
            "input-2/r.csv": "b/r.csv",
            "input-2/r.csv.metadata.json": "b/r.csv.metadata.json",
            "input-3/R.csv": "c/R.csv",
        },
    ),
    "twice a file called as a folder for names that clash": (
        ["input-2", "input-2"],
        {"input-2": "input-2", "input-3/input-2": "input-2"},
    ),
    "a file called as that folder in capitals": (
        ["a.csv", "b/a.csv", "c/INPUT-2"],
        {"a.csv": "a.csv", "input-3/a.csv": "b/a.csv", "INPUT-2": "c/INPUT-2"},
    ),
    "hidden files": ([".r.csv", "..."], {"r.csv": ".r.csv", "report": "..."}),
}
"""The files that are named, and of which file of these or beside them there is a copy where."""


@pytest.mark.parametrize(("given", "copies"), COPIES.values(), ids=COPIES)
def test_copies_keep_name_bytes_and_origin_and_each_has_a_place_of_its_own(
    folder: Path, tmp_path: Path, given: list[str], copies: dict[str, str]
) -> None:
    for name in copies.values():
        saved(tmp_path, f"content of {name}\r\n", name)
    origins = copied([str(tmp_path / name) for name in given], folder)
    assert origins == {
        folder / place: str(tmp_path / name) for place, name in copies.items() if name in given
    }
    assert {place: (folder / place).read_bytes() for place in names(folder)} == {
        place: f"content of {name}\r\n".encode() for place, name in copies.items()
    }


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_files_of_an_archive_and_standard_input_become_files_that_are_found_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = saved(tmp_path, TEXT, "09:30.csv")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("one.csv", OTHER)
        archive.writestr("2026/two.csv", FOURTH)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(THIRD.encode())))
    copies = copied([str(report), str(tmp_path / "all.zip"), "-"], folder)
    assert names(folder) == {report.name, "one.csv", "two.csv", "standard input"}
    assert (folder / "standard input").read_text() == THIRD
    unpacked = [f"{tmp_path}/all.zip:{name}.csv" for name in ("one", "2026/two")]
    assert set(copies.values()) == ({str(report)} | set(unpacked) | {"standard input"})
    assert load(*copies).rows == 8


def test_manifests_come_too_and_are_read_again(folder: Path, tmp_path: Path) -> None:
    failed = {"account": "222222222222", "name": "pay", "status": "failed", "reason": "Denied."}
    for place, text in (("a", TEXT), ("b", OTHER)):
        saved(tmp_path / place, text, f"{place}.csv")
        saved(tmp_path / place, json.dumps({"accounts": [failed]}), "fetched.manifest.json")
    copies = copied([str(tmp_path / "a"), str(tmp_path / "b")], folder)
    assert len(names(folder)) == 4
    (missing,) = load(*copies).not_covered
    assert missing == NotCovered(account="222222222222", name="pay", reason="Denied.")


def test_all_that_cannot_be_read_is_told_at_once(folder: Path, tmp_path: Path) -> None:
    missing, gone = str(tmp_path / "missing.csv"), tmp_path / "gone.csv"
    found = find_sources([missing]) + [Source(str(gone), lambda _: gone.read_bytes(), path=gone)]
    with pytest.raises(InputRefused) as refused:
        copy_inputs(["*.csv"], found, folder)
    assert [each.file for each in refused.value.problems] == [missing, str(gone)]
    assert names(folder) == set()


def test_a_folder_that_tells_the_day_of_a_report_stays_above_its_copy(
    folder: Path, tmp_path: Path
) -> None:
    named = (
        "a/2026-06-01/r.csv",
        "b/2026-06-01/r.csv",
        "c/at=2026-06-02/d/r.csv",
        "e/at=2026-06-02",
    )
    copied([str(saved(tmp_path, TEXT, name)) for name in named], folder)
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == (
        {
            "2026-06-01/r.csv",
            "input-2/2026-06-01/r.csv",
            "input-3/at=2026-06-02/r.csv",
            "at=2026-06-02",
        }
    )
