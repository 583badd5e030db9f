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
from tests.support.builders import a_user, run
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


ROWS = "\n".join([HEADER, ROOT] + [ANN] * 50_000)
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


def test_devices_without_end_and_a_sparse_file_are_refused(tmp_path: Path) -> None:
    sparse = tmp_path / "report.csv"
    with sparse.open("wb") as stream:
        stream.truncate(20 << 30)
    (found,) = refused(sparse)
    assert "not a credential report" in found.message
    (found,) = refused("/dev/zero")
    assert found.message == "not a regular file, but a pipe or a device"


LIMIT_HINT = "or judge many large reports on Spark or Dask (samples/engines)."


def test_a_report_without_end_is_refused_at_the_limit(monkeypatch: Patch) -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            return (HEADER + "\n").encode()[:size]

    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.setattr(sys.stdin, "buffer", Endless(), raising=False)
    (source,) = find.find_sources(["-"], InputLimit(4 * MIB))
    with pytest.raises(InputRefused) as error:
        source.read()
    (found,) = error.value.problems
    assert found.message == "the inputs hold more than 4 MiB in all"
    assert found.hint == f"Raise the limit with --max-input, {LIMIT_HINT}"


@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
def test_a_row_of_another_length_that_is_no_text_is_refused_without_a_traceback(
    tmp_path: Path, monkeypatch: Patch, ending: str
) -> None:
    unraisable: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    rows = [HEADER.encode(), ROOT.encode(), b"x" * 70_000 + b"\xff,a", ANN.encode()]
    data = b"\n".join(rows)
    path = put(tmp_path, gzip.compress(data) if ending == ".csv.gz" else data, f"a{ending}")
    (problem,) = refused(path)
    assert (problem.row, problem.message) == (3, "not UTF-8 text")
    assert unraisable == []


FORMS: dict[str, Callable[[str], bytes]] = {
    "CSV": str.encode,
    "gzip": lambda text: gzip.compress(text.encode(), 0),
    "UTF-16": lambda text: text.encode("utf-16"),
    "zip": lambda text: zipped({"a.csv": text}),
}


@pytest.mark.parametrize("form", FORMS)
def test_all_inputs_together_have_a_limit_at_which_they_are_read(tmp_path: Path, form: str) -> None:
    texts = [of_account(f"{10**11 + number}", a_user("x")) for number in range(3)]
    for number, text in enumerate(texts):
        put(tmp_path, FORMS[form](text), f"{number}.x")
    size = len(texts[0]) if form == "zip" else len(FORMS[form](texts[0]))
    total = 3 * (size + (len(texts[0]) if form == "gzip" else 0))
    assert len(analyzer.load(tmp_path, max_input=total).files) == 3
    with pytest.raises(InputRefused, match="in all") as error:
        analyzer.load(tmp_path, max_input=total - 1)
    assert len(error.value.problems) == 1


def test_the_limit_is_an_option_of_analyze_and_export(tmp_path: Path) -> None:
    path, out = put(tmp_path, zipped({"a.csv": PLAIN}), "a.zip"), tmp_path / "out"
    assert run("analyze", path, "--max-input", "1MiB").code == 0
    for command in (("analyze", path), ("export", "--from", path, "--out-dir", out)):
        assert run(*command, "--max-input", "100").code == InputRefused.exit_code
        wrong = run(*command, "--max-input", "much")
        assert (wrong.code, 'invalid size "much"' in wrong.message_line) == (2, True)


def test_a_size_is_a_number_with_a_unit_in_any_case() -> None:
    sizes = {"1": 1, "10KiB": 10240, "3mb": 3 << 20, "2G": 2 << 30, "1 TiB": 1 << 40}
    for text, size in sizes.items():
        assert size_in_bytes(text) == size_in_bytes(size_text(size).removesuffix(" bytes")) == size
    for text in ("", "0", "-1", "1.5G", "G", "1PiB", "\u0662"):
        with pytest.raises(ValueError, match=r".*"):
            size_in_bytes(text)


def test_a_refusal_keeps_nothing_alive_of_what_was_read(tmp_path: Path) -> None:
    with pytest.raises(InputRefused) as error:
        analyzer.load(put(tmp_path, "<html>"), put(tmp_path, "{}", "b.json"))
    assert error.value.__context__ is None
    assert error.value.__cause__ is None


def test_an_archive_is_opened_once_for_all_of_its_reports_and_not_left_open(
    tmp_path: Path, monkeypatch: Patch
) -> None:
    texts = {f"{n}.csv": of_account(f"{10**11 + n}", a_user("x")) for n in range(30)}
    put(tmp_path, zipped(dict(texts)), "a.zip")
    opened: list[int] = []
    usual = zipfile.ZipFile.__init__

    def counted(archive: zipfile.ZipFile, *arguments: Any) -> None:
        opened.append(1)
        usual(archive, *arguments)

    monkeypatch.setattr(zipfile.ZipFile, "__init__", counted)
    report = analyzer.load(tmp_path)
    open_files = {os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()}
    assert str(tmp_path / "a.zip") not in open_files
    assert len(report.users) == len(report.users) == 30
    assert len(opened) == 1


DEEP = 100_000


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    for content in (
        "[" * DEEP,
        '{"Content":' * DEEP,
        json.dumps({"Content": "b'' + " + "(" * DEEP}),
        json.dumps({"Content": "b''" + "+b''" * DEEP}),
        json.dumps({"Content": "b'' + " + "-" * DEEP + "1"}),
        "{'Content': " * DEEP,
    ):
        assert refused(put(tmp_path, content, "a.json"))


def test_pipes_in_a_folder_or_beside_a_report_are_not_waited_for(tmp_path: Path) -> None:
    report = put(tmp_path, PLAIN)
    for name in ("x.manifest.json", "report.csv.metadata.json"):
        os.mkfifo(tmp_path / name)
    assert verdicts(analyzer.load(report)) == VERDICTS
    assert verdicts(analyzer.load(tmp_path)) == VERDICTS
    os.mkfifo(tmp_path / "pipe.csv")
    (found,) = refused(tmp_path)
    assert found.message == "not a regular file, but a pipe or a device"


def test_many_rows_of_one_arn_are_compared_within_bounds(tmp_path: Path) -> None:
    assert analyzer.load(put(tmp_path, ROWS)).files[0].accounts[0].repeated == 49_999
    contradicting = ANN.replace("true", "false")
    (found,) = refused(put(tmp_path, f"{ROWS}\n{contradicting}"))
    assert found.message.startswith("differs from row 3, of the same user, in password_enabled")
