"""A large report is read in pieces, twice, and says exactly what it would say read whole."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import analyzer
from analyzer.errors import InputRefused, Problem
from analyzer.report import assemble, input_formats, survey
from analyzer.report import rows as reading_of_rows
from analyzer.report.report import Report
from analyzer.report.report_text import ReportText, find_header
from analyzer.sources import find, load
from tests.support.builders import COLUMNS_OF_2014, a_user
from tests.support.reading import (
    ANN,
    BOB,
    HEADER,
    PLAIN,
    ROOT,
    VERDICTS,
    FailingDisk,
    lines,
    of_account,
    problem,
    put,
    refused,
    verdicts,
    with_cells,
)

Patch = pytest.MonkeyPatch

ROW_AT_MOST = 400
"""No row of these tests is longer; Arrow needs a block to hold a row."""


@contextmanager
def in_pieces(block: int = ROW_AT_MOST, page: int = 3) -> Iterator[None]:
    """Read even the smallest report as if it were too large for the memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(load, "STREAMED_FROM", 0)
        patch.setattr(load, "_PART_BYTES", block)
        patch.setattr(reading_of_rows, "BLOCK_BYTES", block)
        patch.setattr(survey, "ROW_BYTES_IN_MEMORY", 0)
        patch.setattr(assemble, "ROW_BYTES_IN_MEMORY", 0)
        patch.setattr(assemble, "PAGE_ROWS", page)
        yield


@pytest.fixture
def pieces() -> Iterator[None]:
    with in_pieces():
        yield


def everything(report: Report) -> dict[str, Any]:
    """Return all that can be told of a report before anybody is judged."""
    told = [
        user | texts
        for page in report.pages()
        for user, texts in zip(
            *(frame.to_dict("records") for frame in (page.users.astype(str), page.cells)),
            strict=True,
        )
    ]
    told.sort(key=lambda each: (int(each["row"]), str(each["arn"])))
    return {"users": told, "files": report.files, "notes": report.notes}


def plain(name: str) -> str:
    return BOB.replace("bob", name)


KINDS: dict[str, Callable[[str], str]] = {
    "plain": plain,
    "comma": lambda name: plain(f"{name},x"),
    "quoted comma": lambda name: plain(f"{name},x").replace(f"{name},x", f'"{name},x"', 1),
    "line break": lambda name: plain(name).replace(name, f'"{name}\n"', 1),
    "glued": lambda name: plain(name) + HEADER,
    "glued, with a mark": lambda name: plain(name) + "\ufeff" + HEADER,
    "comma, glued": lambda name: plain(f"{name},x") + HEADER,
    "root": lambda name: ROOT.replace("012345678901", f"{int(name[1:]):012}"),
}
NO_USERS: dict[str, str] = {
    "header": HEADER,
    "marked header": "\ufeff" + HEADER,
    "empty": "",
    "blank": " ",
    "blank cells": "," * 21,
    "fewer blank cells": ",,",
}


DAMAGED = {
    "ann": ANN,
    "long": ANN + ",more",
    "local": with_cells(BOB, user_creation_time="3/4/2021"),
    "swallowed": with_cells(BOB, cert_2_last_rotated=f'"N/A\n{ANN}"'),
}
QUICK = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def any_rows(draw: st.DrawFn) -> tuple[str, dict[str, int]]:
    """Draw a report, and in which row each user stands: blank lines are not counted."""
    text, expected, row = [HEADER], {}, 1
    kinds = draw(st.lists(st.sampled_from([*KINDS, *NO_USERS]), min_size=15, max_size=60))
    for number, kind in enumerate(["plain", *kinds]):
        row += kind != "empty"
        text.append(NO_USERS[kind] if kind in NO_USERS else KINDS[kind](f"u{number:03}"))
        if kind in KINDS and kind != "root":
            expected[f"u{number:03}"] = row
    return draw(st.sampled_from(["\n", "\r\n"])).join(text), expected


@pytest.mark.no_cover
@settings(QUICK, max_examples=6)
@given(drawn=any_rows(), sizes=st.tuples(st.integers(800, 2000), st.integers(4, 30)))
def test_no_row_is_lost_doubled_or_misnumbered_at_the_border_of_two_pieces(
    tmp_path_factory: pytest.TempPathFactory,
    drawn: tuple[str, dict[str, int]],
    sizes: tuple[int, int],
) -> None:
    text, expected = drawn
    path = put(tmp_path_factory.getbasetemp(), text, "pieces.csv")
    whole = everything(analyzer.load(path))
    assert {each["user"][:4]: int(each["row"]) for each in whole["users"]} == expected
    with in_pieces(*sizes):
        assert everything(analyzer.load(path)) == whole


@pytest.mark.no_cover
@settings(QUICK, max_examples=12)
@given(
    kinds=st.lists(st.sampled_from([*DAMAGED, "short,row", ""]), min_size=1, max_size=20),
    block=st.integers(800, 1500),
)
def test_a_damaged_report_is_refused_for_the_same_problems_in_pieces(
    tmp_path_factory: pytest.TempPathFactory, kinds: list[str], block: int
) -> None:
    text = lines(HEADER, ROOT, *(DAMAGED.get(kind, kind) for kind in kinds), "cut,off")
    path = put(tmp_path_factory.getbasetemp(), text, "damaged.csv")
    whole = refused(path)
    assert len(whole) >= 1
    with in_pieces(block):
        assert set(refused(path)) == set(whole)


def test_a_column_of_ones_own_changes_nothing_in_pieces_whatever_its_name(tmp_path: Path) -> None:
    rows = (BOB, ANN, BOB, ROOT)
    text = lines(PLAIN, *rows, HEADER, plain("a,1"))
    path = put(tmp_path, text)
    whole = everything(analyzer.load(path))["users"]
    for name in ("owner", "row"):
        headed = (f'{row},"x"' for row in text.split("\n"))
        put(tmp_path, lines(*headed).replace(f'{HEADER},"x"', f"{HEADER},{name}"))
        with in_pieces():
            assert everything(analyzer.load(path))["users"] == whole


@pytest.mark.usefixtures("pieces")
def test_a_large_file_has_the_sha_256_of_its_bytes_and_counts_once(tmp_path: Path) -> None:
    data = ("\ufeff" + PLAIN).encode()
    put(tmp_path, data, "a.csv")
    put(tmp_path, data, "b.csv")
    report = analyzer.load(tmp_path)
    assert verdicts(report) == VERDICTS
    (file,) = report.files
    assert Path(file.name).name == "a.csv"
    assert (file.sha256, file.size) == (sha256(data).hexdigest(), len(data))
    other = put(tmp_path / "other", PLAIN.encode("utf-16"))
    assert verdicts(analyzer.load(other)) == VERDICTS


@pytest.mark.usefixtures("pieces")
def test_a_large_report_is_refused_with_its_row_for_what_a_small_one_is(tmp_path: Path) -> None:
    many = [plain(f"u{number}") for number in range(20)]
    data = lines(HEADER, ROOT, *many).encode() + b"\n" + BOB.encode().replace(b"bob", b"b\xf6b")
    found = problem(tmp_path, data)
    assert (found.row, found.message, found.value) == (23, "not UTF-8 text", "b\ufffd")
    long = lines(PLAIN, with_cells(BOB, access_key_1_last_used_region="x" * 999))
    says = f"the rows cannot be read: one is longer than {ROW_AT_MOST} bytes"
    assert problem(tmp_path, long).message == says
    for rest in ("", "\n", "\n\n\n"):
        assert "no data rows" in problem(tmp_path, HEADER + rest).message


CHANGED = "the file changed or went away while it was read"


def problem_of_users(report: Report) -> Problem:
    """Return the problem that comes up when the users of a report are asked for."""
    with pytest.raises(InputRefused) as refusal:
        _ = analyzer.analyze(report).users
    (found,) = refusal.value.problems
    return found


def replaced(path: Path) -> None:
    """Put another file in place that has the size and the time of the old one."""
    before = path.stat()
    other = path.with_name("other")
    other.write_text(PLAIN.replace("bob", "eve"))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)


CHANGES: dict[str, Callable[[Path], object]] = {
    "grown": lambda path: path.write_text(PLAIN + "\n"),
    "changed in place": lambda path: path.write_text(PLAIN.replace("bob", "eve")),
    "touched": lambda path: os.utime(path, ns=(0, 0)),
    "replaced by one of the same size and time": replaced,
    "removed": Path.unlink,
    "moved": lambda path: path.rename(path.with_name("moved.csv")),
}


@pytest.mark.no_cover
@pytest.mark.usefixtures("pieces")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_file_that_changes_between_the_survey_and_the_pages_is_refused(
    tmp_path: Path, change: Callable[[Path], object]
) -> None:
    path = put(tmp_path, PLAIN)
    report = analyzer.load(path)
    assert verdicts(report) == VERDICTS
    change(path)
    for _ in range(2):
        found = problem_of_users(report)
        assert (found.file, found.row, found.message) == (str(path), None, CHANGED)
        assert found.hint == "Something writes to it: copy the file and analyze the copy."


def replaced_by(call: Callable[..., Any], path: Path) -> Callable[..., Any]:
    """Return the function, which has another file put in place before it answers."""

    def slow(*arguments: Any, **options: Any) -> Any:
        found = call(*arguments, **options)
        replaced(path)
        return found

    return slow


def test_a_file_that_is_replaced_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: Patch
) -> None:
    slow = replaced_by(vars(find)["read_report_bytes"], tmp_path / "report.csv")
    monkeypatch.setattr(find, "read_report_bytes", slow)
    assert problem(tmp_path, PLAIN).message == CHANGED
    with in_pieces():
        slow = replaced_by(input_formats.is_utf8_csv, tmp_path / "report.csv")
        monkeypatch.setattr(input_formats, "is_utf8_csv", slow)
        assert problem(tmp_path, PLAIN).message == CHANGED
        monkeypatch.undo()
        report = analyzer.load(put(tmp_path, PLAIN))
        opened = pa_csv.open_csv

        def slow_rows(*arguments: Any, **options: Any) -> Any:
            yield from opened(*arguments, **options)
            replaced(tmp_path / "report.csv")

        monkeypatch.setattr(pa_csv, "open_csv", slow_rows)
        assert problem_of_users(report).message == CHANGED


@pytest.mark.usefixtures("pieces")
def test_a_disk_that_fails_while_rows_are_read_is_told(tmp_path: Path, monkeypatch: Patch) -> None:
    failing = pa.PythonFile(FailingDisk(), "r")
    monkeypatch.setattr(load, "_reopened", lambda *_: failing)
    message = problem(tmp_path, PLAIN).message
    assert message.startswith("the rows cannot be read: [Errno 5] Input/output error")


ODD_ROWS = {
    "x\ry,z": "the row has 1 cell, the header 22",
    f"{HEADER},more": "a second header with other columns",
    "x," + "y" * (1 << 16): "the row has 2 cells, the header 22",
    'x,"y\nz': "a quote opens in this row and does not close, or only rows later",
}


def test_a_row_alone_is_blank_or_put_right_or_says_what_is_wrong_with_it() -> None:
    report = Mock(ReportText, header=find_header("report.csv", HEADER.encode()), tail=b"")
    assert reading_of_rows.mended_row(report, 5, ",,,,") == []
    for glued in (HEADER, "\ufeff" + HEADER):
        assert reading_of_rows.mended_row(report, 5, ANN + glued) == ANN.split(",")
    for row, message in ODD_ROWS.items():
        found = reading_of_rows.mended_row(report, 5, row)
        assert isinstance(found, Problem)
        assert (found.row, found.message) == (5, message)


def test_reports_are_kept_in_memory_if_all_fit_together(tmp_path: Path, monkeypatch: Patch) -> None:
    texts = [PLAIN, *(PLAIN.replace("0123", digits) for digits in ("3210", "2103"))]
    paths = [put(tmp_path, text, f"{at}.csv") for at, text in enumerate(texts)]
    size = sum(map(len, texts))
    reports = []
    for most in (size, size - 1):
        monkeypatch.setattr(assemble, "ROW_BYTES_IN_MEMORY", most)
        reports.append(analyzer.load(tmp_path))
        assert len(reports[-1].users) == 6
    for path in paths:
        path.unlink()
    kept, read_again = reports
    assert len(kept.users) == 6
    problem_of_users(read_again)


def test_small_reports_are_gathered_into_pages_and_large_ones_are_not_joined(
    tmp_path: Path, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(assemble, "PAGE_ROWS", 5)
    for number, count in enumerate((2, 2, 2, 6, 0, 2)):
        users = [a_user(f"u{place}") for place in range(count)]
        put(tmp_path, of_account(str(10**11 + number), *users), f"{number}.csv")
    old = of_account("1" * 12, a_user("x"), columns=COLUMNS_OF_2014)
    put(tmp_path, old, "6.csv")
    assert [len(page) for page in analyzer.load(tmp_path).pages()] == [4, 8, 2, 1]
