"""A workbook is written over only if nobody changed it, which its seal says at no cost."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from analyzer.errors import OutputFailed
from tests.support.builders import a_user, report_text, run, saved
from tests.support.workbooks import parts

SAYS = "was changed since credreport wrote it: name another output"


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return saved(tmp_path, report_text([a_user("ann"), a_user("bo")]), "2026-05-01.csv")


@pytest.fixture
def workbook(tmp_path: Path, report: Path) -> Path:
    assert run("analyze", report, "-q", "-o", tmp_path / "review.xlsx").code == 0
    return tmp_path / "review.xlsx"


def resaved(content: bytes) -> bytes:
    stream = io.BytesIO()
    openpyxl.load_workbook(io.BytesIO(content)).save(stream)
    return stream.getvalue()


def with_part_changed(content: bytes) -> bytes:
    """Return an archive of which one part was changed, and the comment kept."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w") as new:
        new.comment = old.comment
        for name, part in parts(content).items():
            new.writestr(name, part.replace(b"ann", b"eve"))
    return stream.getvalue()


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "saved again": resaved,
    "a part changed": with_part_changed,
    "cut off": lambda content: content[:-100],
    "encrypted, or of Excel 97": lambda _: b"\xd0\xcf\x11\xe0" + bytes(600),
    "no workbook": lambda _: b"the notes of a reviewer",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_workbook_that_was_changed_is_refused_and_stays(
    report: Path, workbook: Path, change: str
) -> None:
    changed = CHANGES[change](workbook.read_bytes())
    workbook.write_bytes(changed)
    for command in ("analyze", "history"):
        refused = run(command, report, "-o", workbook)
        assert (refused.code, SAYS in refused.message_line) == (2, True)
    assert workbook.read_bytes() == changed


def test_an_untouched_workbook_is_written_over_without_being_read(
    report: Path, workbook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = workbook.read_bytes()
    usual: Any = zipfile.ZipFile.open

    def only_written(archive: zipfile.ZipFile, name: str, mode: str = "r", **options: Any) -> Any:
        assert mode == "w"
        return usual(archive, name, mode, **options)

    monkeypatch.setattr(zipfile.ZipFile, "open", only_written)
    assert run("analyze", report, "-q", "-o", workbook) == (0, b"", "")
    assert workbook.read_bytes() == before
    assert run("history", report, "-q", "-o", workbook).code == 0
    assert run("analyze", report, "-q", "-o", workbook).code == 0


def test_an_empty_file_has_nothing_to_lose(tmp_path: Path, report: Path) -> None:
    empty = saved(tmp_path, "", "empty.xlsx")
    assert run("analyze", report, "-q", "-o", empty).code == 0


def test_a_name_that_no_file_can_have_is_not_written(tmp_path: Path, report: Path) -> None:
    done = run("analyze", report, "-q", "-o", tmp_path / f"{'a' * 300}.csv")
    assert (done.code, "cannot be written: File name too long" in done.message_line) == (
        OutputFailed.exit_code,
        True,
    )
