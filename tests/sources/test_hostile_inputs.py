"""What is made to fill the memory or to run for ever is refused soon, before it is held."""

import gzip
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import analyzer
from analyzer.errors import InputRefused
from analyzer.report.input_formats import InputLimit, size_in_bytes, size_text
from analyzer.sources import find
from tests.support.builders import a_user, report_text, run
from tests.support.forking import forking
from tests.support.processes import unmeasured
from tests.support.reading import (
    ANN,
    HEADER,
    PLAIN,
    ROOT,
    VERDICTS,
    of_account,
    put,
    refused,
    verdicts,
    zipped,
)

Patch = pytest.MonkeyPatch
MIB = 1 << 20
MOST_GROWTH = 100 * MIB


def overlapping(count: int) -> bytes:
    """Return an archive whose directory lists the same file many times."""
    data = zipped({"a.csv": bytes(8 * MIB)})
    start = data.index(b"PK\x01\x02")
    directory = data[start:-22] * count
    sizes = len(directory).to_bytes(4, "little") + start.to_bytes(4, "little")
    counts = 2 * count.to_bytes(2, "little")
    return data[:start] + directory + b"PK\5\6\0\0\0\0" + counts + sizes + b"\0\0"


ROWS = "\n".join([HEADER, ROOT, *[ANN] * 50_000])
BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "zeros in gzip": ("a.csv.gz", lambda: gzip.compress(bytes(130 * MIB), 1)),
    "archives in an archive": (
        "a.zip",
        lambda: zipped({f"{n}.zip": zipped({"a": bytes(8 * MIB)}) for n in range(20)}),
    ),
    "one line behind a header": (
        "a.csv",
        lambda: f"{HEADER}\n{ROOT}\n".encode() + b"a" * (80 * MIB),
    ),
    "columns": ("a.csv", (HEADER + ",x" * 500_000).encode),
    "rows of columns": ("a.csv", lambda: f"{HEADER}\n{ROOT}\n".encode() + b"," * MIB),
    "JSON of lists": ("a.json", lambda: b"[" + b"[]," * 10 * MIB + b"[]]"),
    "markup": ("a.csv", lambda: b"<html>" + b" " * 80 * MIB),
}


@pytest.mark.no_cover
@pytest.mark.parametrize(("name", "content"), BOMBS.values(), ids=BOMBS)
def test_what_would_fill_the_memory_is_refused_within_bounds(
    tmp_path: Path, name: str, content: Callable[[], bytes]
) -> None:
    path = put(tmp_path, content(), name)
    done = subprocess.run(
        [forking("measured"), "analyze", path], capture_output=True, check=False, env=unmeasured()
    )
    assert done.returncode == InputRefused.exit_code
    assert int(done.stdout) <= MOST_GROWTH // 1024
    assert len(done.stderr) < 20_000


def test_what_is_refused_within_bounds_is_named(tmp_path: Path) -> None:
    for content, message in (
        (b"<html>" + b" " * MIB, "this is an HTML or XML page"),
        (b"user,arn" + b"a" * MIB, "its header does not end within 65536 bytes"),
        (b"[" + b"[]," * 5 * MIB + b"[]]", "it has too many values"),
    ):
        (problem,) = refused(put(tmp_path, content))
        assert message in problem.message


def test_an_archive_whose_files_overlap_is_refused_before_any_is_unpacked(tmp_path: Path) -> None:
    (found,) = refused(str(put(tmp_path, overlapping(2), "a.zip")))
    assert found.message == "the zip archive is damaged: a.csv and a.csv overlap"


def test_files_of_an_archive_that_touch_do_not_overlap(tmp_path: Path) -> None:
    content = report_text([a_user("ann")]).encode()
    path = put(tmp_path, zipped({"ü/a.csv": content, "ü/b.csv": content}), "a.zip")
    assert len(analyzer.load(path).files) == 1


def test_devices_without_end_and_a_sparse_file_are_refused(tmp_path: Path) -> None:
    sparse = tmp_path / "report.csv"
    with sparse.open("wb") as stream:
        stream.truncate(20 << 30)
    for path in ("/dev/zero", sparse):
        (found,) = refused(path)
        assert "not a credential report" in found.message
    (found,) = refused("/dev/urandom")  # whatever it begins like
    assert (found.file, found.row) == ("/dev/urandom", None)


def test_a_report_without_end_is_refused_at_the_bound(monkeypatch: Patch) -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            return (HEADER + "\n").encode()[:size]

    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.setattr(sys.stdin, "buffer", Endless(), raising=False)
    (source,) = find.find_sources(["-"], InputLimit(4 * MIB))
    with pytest.raises(InputRefused, match="more than 4 MiB in all") as error:
        source.read()
    assert "raise the bound with --max-input" in str(error.value)


@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
@pytest.mark.parametrize("streamed_from", [1 << 10, 32 * MIB])
def test_a_row_of_another_length_that_is_no_text_is_refused_without_a_traceback(
    tmp_path: Path, monkeypatch: Patch, ending: str, streamed_from: int
) -> None:
    unraisable: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    monkeypatch.setattr("analyzer.sources.load.STREAMED_FROM", streamed_from)
    rows = [HEADER.encode(), ROOT.encode(), b"x" * 70_000 + b"\xff,a", ANN.encode()]
    data = b"\n".join(rows)
    path = put(tmp_path, gzip.compress(data) if ending == ".csv.gz" else data, f"a{ending}")
    (problem,) = refused(path)
    assert (problem.row, problem.message) == (3, "not UTF-8 text")
    assert unraisable == []


def test_what_all_inputs_unpack_to_is_bounded_together(tmp_path: Path) -> None:
    for number in range(3):
        put(tmp_path, gzip.compress(of_account(f"{10**11 + number}").encode()), f"{number}.csv.gz")
    size = len(of_account("100000000000"))
    assert len(analyzer.load(tmp_path, max_input=3 * size).files) == 3
    with pytest.raises(InputRefused, match="unpack to more than") as error:
        analyzer.load(tmp_path, max_input=3 * size - 1)
    assert len(error.value.problems) == 1


def test_the_bound_is_an_option_of_analyze_and_export(tmp_path: Path) -> None:
    path = put(tmp_path, zipped({"a.csv": PLAIN}), "a.zip")
    out = tmp_path / "out"
    assert run("analyze", path, "--max-input", "1MiB").code == 0
    for command in (("analyze", path), ("export", "--from", path, "--out-dir", out)):
        assert run(*command, "--max-input", "100").code == InputRefused.exit_code
        wrong = run(*command, "--max-input", "much")
        assert wrong.code == 2
        assert 'invalid size "much"' in " ".join(wrong.messages.split())


def test_a_size_is_a_number_with_a_unit_in_any_case() -> None:
    sizes = {"1": 1, "10KiB": 10240, "3mb": 3 << 20, "2G": 2 << 30, "1 TiB": 1 << 40}
    for text, size in sizes.items():
        assert size_in_bytes(text) == size_in_bytes(size_text(size).removesuffix(" bytes")) == size
    for text in ("", "0", "-1", "1.5G", "G", "1PiB", "\u0662"):
        with pytest.raises(ValueError, match=r".*"):
            size_in_bytes(text)


def in_zip(text: str) -> bytes:
    return zipped({"a.csv": text})


def in_gzip(text: str) -> bytes:
    return gzip.compress(text.encode())


OTHER = PLAIN.replace("bob", "eve")
CHANGED: tuple[tuple[Callable[[str], bytes], str, str], ...] = (
    (in_zip, OTHER, "cannot be unpacked"),
    (in_gzip, OTHER, "changed or went away"),
    (in_zip, "", "No such file or directory"),
)


def test_what_changes_or_goes_before_it_is_unpacked_again_is_refused(
    tmp_path: Path, monkeypatch: Patch
) -> None:
    monkeypatch.setattr("analyzer.report.assemble.ROW_BYTES_IN_MEMORY", 0)
    for wrap, content, message in CHANGED:
        path = put(tmp_path, wrap(PLAIN), "a")
        report = analyzer.load(path)
        assert verdicts(report) == verdicts(report) == VERDICTS  # unpacked again each time
        if content:
            path.write_bytes(wrap(content))
        else:
            path.unlink()
        with pytest.raises(InputRefused, match=message):
            list(report.pages())


def test_a_refusal_keeps_nothing_alive_of_what_was_read(tmp_path: Path) -> None:
    with pytest.raises(InputRefused) as error:
        analyzer.load(put(tmp_path, "<html>"), put(tmp_path, "{}", "b.json"))
    assert error.value.__context__ is None
    assert error.value.__cause__ is None


def test_an_archive_is_opened_once_each_time_that_it_is_read_and_not_left_open(
    tmp_path: Path, monkeypatch: Patch
) -> None:
    texts = [of_account(f"{10**11 + number}", a_user("x")) for number in range(60)]
    many = {f"{number}.csv": texts[number] for number in range(30)}
    put(tmp_path, zipped({**many}), "a.zip")
    for number in range(30, 60):
        put(tmp_path, zipped({"a.csv": texts[number]}), f"{number}.zip")
    opened: list[object] = []
    usual = zipfile.ZipFile.__init__

    def counted(archive: zipfile.ZipFile, *arguments: Any) -> None:
        opened.append(archive)
        usual(archive, *arguments)

    monkeypatch.setattr(zipfile.ZipFile, "__init__", counted)
    monkeypatch.setattr("analyzer.report.assemble.ROW_BYTES_IN_MEMORY", 0)
    before = len([*Path("/proc/self/fd").iterdir()])
    report = analyzer.load(tmp_path)
    assert len([*Path("/proc/self/fd").iterdir()]) == before
    assert len(report.files) == 60
    assert len(opened) == 2 * 31  # to list the files, and to read them
    for times in (3, 4):
        assert len(report.users) == 60
        assert len(opened) == times * 31


DEEP = 100_000


def test_deep_nesting_is_refused_and_in_the_options_file_wrong_usage(tmp_path: Path) -> None:
    for content in (
        "[" * DEEP,
        '{"Content":' * DEEP,
        json.dumps({"Content": "b'' + " + "(" * DEEP}),
        json.dumps({"Content": "b''" + "+b''" * DEEP}),
        json.dumps({"Content": "b'' + " + "-" * DEEP + "1"}),
        "{'Content': " * DEEP,
    ):
        assert refused(put(tmp_path, content, "a.json"))
    report = put(tmp_path, PLAIN)
    for content in ("a = " + "[" * 20_000, "[" + "a." * DEEP):
        options = put(tmp_path, content, "options.toml")
        assert run("analyze", report, "--config", options).code == 2


def test_a_pattern_of_any_depth_may_begin_here(tmp_path: Path, monkeypatch: Patch) -> None:
    put(tmp_path, PLAIN, "a/b/report.csv")
    monkeypatch.chdir(tmp_path)
    assert find.matching_paths("**/*.csv") == ["a/b/report.csv"]
    assert find.matching_paths("**/c/*.csv") == []
    assert find.matching_paths("a/**/b/**/*.csv") == ["a/b/report.csv"]
    assert find.matching_paths("nowhere/**") == find.matching_paths("a/b/*/**") == []


def test_pipes_that_a_pattern_matches_or_beside_a_report_are_not_waited_for(tmp_path: Path) -> None:
    report = put(tmp_path, PLAIN)
    for name in ("x.manifest.json", "report.csv.metadata.json"):
        os.mkfifo(tmp_path / name)
    assert verdicts(analyzer.load(report)) == VERDICTS
    assert verdicts(analyzer.load(tmp_path)) == VERDICTS
    os.mkfifo(tmp_path / "pipe.csv")
    (found,) = refused(f"{tmp_path}/*.csv")
    assert found.message == "not a regular file, but a pipe or a device"


def test_many_rows_of_one_arn_are_compared_within_bounds(tmp_path: Path) -> None:
    contradicting = ANN.replace("true", "false")
    path = put(tmp_path, f"{ROWS}\n{contradicting}")
    report = analyzer.load(path)
    assert verdicts(report) == {"ann": "undetermined"}
    assert report.files[0].accounts[0].repeated == 50_000
