"""A large file is read in blocks, and says what it says if it is read whole."""

import errno
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import analyzer
from analyzer.errors import InputRefused
from analyzer.report import content, input_formats
from analyzer.report.content import Content
from analyzer.report.input_formats import InputLimit
from analyzer.report.read_reports import Reading
from analyzer.report.reports import assemble_report
from analyzer.sources import find, load
from analyzer.sources.source import Source
from tests.support.builders import a_user, report_text
from tests.support.reading import HEADER, cells, put, refused

NAMES = [f"u{at}" for at in range(60)]
TEXT = report_text(map(a_user, NAMES))
LAST = TEXT.rpartition("\n")[2]
BLOCK = 2000


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "BLOCK_BYTES", BLOCK)
    monkeypatch.setattr(input_formats, "HEAD_BYTES", BLOCK)
    monkeypatch.setattr(load, "HEAD_BYTES", BLOCK)


def rows_or_problems(path: Path | bytes) -> Any:
    """Return what is read of a report but its name, or the problems of its refusal."""
    try:
        report = analyzer.load(path)
    except InputRefused as error:
        return [(found.row, found.column, found.value, found.message) for found in error.problems]
    (file,) = report.files
    return file.sha256, file.size, file.accounts, cells(report), report.users["row"].tolist()


KINDS = {
    "plain": TEXT,
    "ends its last row": TEXT + "\n",
    "blank lines": TEXT.replace("\n", "\n\n") + "\n\n",
    "CRLF": TEXT.replace("\n", "\r\n"),
    "CR": TEXT.replace("\n", "\r"),
    "lines before the header": "sep=,\n\n" + TEXT,
    "quotes later": TEXT.replace("u40,", '"u40",'),
    "quotes everywhere": report_text(map(a_user, NAMES), quoted=True),
    "commas in names": TEXT.replace("u9", "u,9").replace("u50", "u,50"),
    "blank rows": TEXT.replace("\n", "\n" + "," * HEADER.count(",") + "\n") + "\n,\n,,\n",
    "blank rows at the end": TEXT + "\n," * 3000,
    "header again": f"{TEXT}\n{HEADER}",
    "cut off": TEXT[:-1],
    "cut off in a row": TEXT[: -len(LAST) // 2],
    "odd rows": TEXT.replace("u20,", "u20,x,").replace("u45,", "u45,x,"),
    "a quote that does not close": TEXT.replace("u50,", '"u50,'),
    "swallowed rows": TEXT.replace("\nu50,", '\n"u50,').replace("\nu52,", '\n",'),
    "local dates": TEXT.replace("u40,", "u40,").replace(LAST, LAST.replace("N/A", "3/4/2021", 1)),
    "repeated rows": f"{TEXT}\n{LAST}",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_large_file_says_in_blocks_what_it_says_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = put(tmp_path, KINDS[kind].encode())
    assert path.stat().st_size > BLOCK
    in_blocks = rows_or_problems(path), rows_or_problems(path.read_bytes())
    monkeypatch.setattr(content, "BLOCK_BYTES", 1 << 20)
    assert in_blocks == (rows_or_problems(path), rows_or_problems(path))


def test_what_is_hashed_is_what_was_read(tmp_path: Path) -> None:
    path = put(tmp_path, TEXT)
    assert analyzer.load(path).sha256 == {sha256(TEXT.encode()).hexdigest()}


def test_a_large_file_that_is_no_text_is_refused_by_its_row(tmp_path: Path) -> None:
    for name in ("u1", "u30", "u59"):
        for quotes in ("", '"'):
            data = TEXT.replace(f"{name},", f"{name}\udcff{quotes}x{quotes},", 1)
            path = put(tmp_path, data.encode(errors="surrogateescape"))
            (problem,) = refused(path)
            row = NAMES.index(name) + 3
            assert (problem.row, problem.message) == (row, "not UTF-8 text"), (name, quotes)
            assert problem.value == f"{name}\ufffd"
    path = put(tmp_path, TEXT.replace("u40,", "é,"))
    assert rows_or_problems(path) == rows_or_problems(path.read_bytes())


def test_a_row_longer_than_a_block_is_refused_without_the_rest(tmp_path: Path) -> None:
    (problem,) = refused(put(tmp_path, f"{TEXT}\n{'x' * 3 * BLOCK}"))
    assert (problem.row, problem.message) == (63, f"the row is longer than {BLOCK} bytes")


def read(source: Source) -> Reading:
    """Return a reading that has not read the rows of a file."""
    reading = Reading()
    reading.add(load.report_text(source))
    return reading


def test_a_file_that_gets_another_header_while_it_is_read_is_refused(
    tmp_path: Path,
) -> None:
    path = put(tmp_path, TEXT)
    other = report_text(map(a_user, NAMES), columns=HEADER.split(",")[:-1]).encode()
    (source,) = find.find_sources([str(path)], InputLimit())
    reading = read(source)
    path.write_bytes(other)
    with pytest.raises(InputRefused) as error:
        assemble_report(reading)
    (problem,) = error.value.problems
    assert problem.message == "the file changed while it was read"


def test_a_file_that_grows_while_it_is_read_is_judged_as_it_was_read(tmp_path: Path) -> None:
    for text in (TEXT, TEXT.replace("u30", '"u30"')):
        path = put(tmp_path, text)
        (source,) = find.find_sources([str(path)], InputLimit())
        reading = read(source)
        more = "".join(f"\n{LAST.replace('u59', f'more{at}')}" for at in range(30))
        path.write_bytes((text + more).encode())
        report = assemble_report(reading)
        assert len(report.iam_users) == len(NAMES) + 30
        assert report.sha256 == {sha256(path.read_bytes()).hexdigest()}


def test_a_file_that_is_gone_or_fails_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path, TEXT)
    (source,) = find.find_sources([str(path)], InputLimit())
    reading = read(source)
    path.unlink()
    with pytest.raises(InputRefused, match=os.strerror(errno.ENOENT)):
        assemble_report(reading)


def test_the_limit_counts_the_bytes_of_a_large_file(tmp_path: Path) -> None:
    path = put(tmp_path, TEXT)
    assert len(analyzer.load(path, max_input=len(TEXT)).users) == len(NAMES)
    with pytest.raises(InputRefused, match="the inputs hold more than"):
        analyzer.load(path, max_input=len(TEXT) - 1)


def test_content_in_memory_is_let_go_once_its_rows_were_read() -> None:
    read = Content(TEXT.encode())
    rows = b"".join(bytes(block.rows) for block in read.blocks(len(HEADER) + 1))
    assert (rows.decode(), read.csv) == (TEXT.partition("\n")[2], b"")


def test_a_large_file_whose_beginning_is_not_plain_is_read_whole(tmp_path: Path) -> None:
    for data in (b"\xef\xbb\xbf" + TEXT.encode(), TEXT.encode("utf-16"), TEXT.encode() + b"\n"):
        path = put(tmp_path, data)
        assert len(analyzer.load(path).users) == len(NAMES)
    (problem,) = refused(
        put(tmp_path, TEXT.replace(HEADER, f"{HEADER},\udcff", 1).encode(errors="surrogateescape"))
    )
    assert (problem.row, problem.message) == (1, "not UTF-8 text")
