"""Inputs are found in files, folders, patterns, archives, pipes; what cannot be read is told."""

import errno
import gzip
import io
import json
import os
import socket
import sys
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import analyzer
from analyzer.cli import main
from analyzer.errors import InputRefused, Problem
from analyzer.report.report import Report
from analyzer.sources import find
from tests.support.builders import a_user, report_text
from tests.support.reading import PLAIN, VERDICTS, of_account, put, refused, verdicts, zipped
from tests.support.runs import copied

Patch = pytest.MonkeyPatch


def of(number: int) -> str:
    """Return the report of another account, with one user named after it."""
    return of_account(f"{10**11 + number}", a_user(f"u{number}"))


def names(report: Report, folder: Path) -> list[str]:
    """Return the names of the files that were read, without the folder's and with slashes."""
    return [file.name.replace(f"{folder}{os.sep}", "") for file in report.files]


def refusals(*sources: str | Path) -> list[tuple[str, str]]:
    return [(Path(each.file).name, each.message) for each in refused(*sources)]


def beside_a_report(folder: Path) -> None:
    put(folder, PLAIN, "report.csv")
    put(folder, '{"ServiceSpecificCredentials": []}', "report.csv.service-credentials.json")
    put(folder, '{"accounts": []}', "fetched.manifest.json")


A = ["a/10.csv", "a/2.csv", "a/x/y/z"]
ZIP = [f"zip/all.zip:{name}" for name in ("a.json", "reports/b.csv", "reports/deep/er/c.csv.gz")]
REPORTS = A + ["b.csv", "c.d/e.txt", "g/1.csv.gz"] + ZIP
MAC = (".DS_Store", ".git/config", "a/__MACOSX/x")
HIDDEN = MAC + (".b.csv", "a/.b/c.csv")
BESIDE = ("b.csv.metadata.json", "b.csv.service-credentials.json", "fetched.manifest.json")
LINKS = {"in/again": "b", "in/a/up": "..", "in/a/self": ".", "in/b/a": "../a", "in/.b": "../a"}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with all that may lie in one."""
    folder = tmp_path_factory.mktemp("tree")
    for name in (*REPORTS, *HIDDEN, *BESIDE, "in/a/1.csv", "in/b/2.csv"):
        if ":" not in name:
            put(folder, "text", name)
    members = [name.partition(":")[2] for name in ZIP]
    names = ("reports/", *reversed(members), *MAC, "__MACOSX/._b.csv")
    put(folder, zipped(dict.fromkeys(names, "text")), "zip/all.zip")
    for link, target in LINKS.items():
        (folder / link).symlink_to(target)
    return folder


FOUND: dict[str, list[str]] = {
    "": ["b.csv", *A, "c.d/e.txt", "g/1.csv.gz", "in/a/1.csv", "in/again/2.csv", *ZIP],
    "a": A,
    "a/../a": [f"a/../{name}" for name in A],
    "b.csv": ["b.csv"],
    ".b.csv": [".b.csv"],
    "a/.b": ["a/.b/c.csv"],
    "in": ["in/a/1.csv", "in/again/2.csv"],
    "zip": ZIP,
}


def test_what_may_be_a_report_is_found_once_in_the_order_of_names(tree: Path) -> None:
    for source, expected in FOUND.items():
        found = find.find_sources([f"{tree}/{source}" if source else str(tree)])
        assert [each.name.removeprefix(f"{tree}/") for each in found] == expected, source
    # What a shell names with a report is no report.
    beside = [f"{tree}/{name}" for name in ("b.csv", *BESIDE, "a/__MACOSX")]
    assert [each.name for each in find.find_sources(beside)] == [f"{tree}/b.csv"]


def test_a_folder_may_be_named_in_any_way(tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.chdir(tmp_path)
    put(tmp_path, PLAIN, "sub/report.csv")
    for name in (str(tmp_path), ".", "./", f"../{tmp_path.name}"):
        assert verdicts(analyzer.load(name)) == VERDICTS, name


def test_a_folder_or_archive_without_report_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for beside in ("", ".DS_Store", "report.csv.metadata.json"):
        if beside:
            put(folder, "{}", beside)
        members = {"a/": ""} | ({beside: "{}"} if beside else {})
        archive = put(tmp_path, zipped(members), "all.zip")
        saved = f"what was saved with reports: {beside}", "Unpack it, and name the folder."
        in_archive = "no file", "Give an archive of reports."
        what, how = saved if beside.endswith(".json") else in_archive
        for place, message, hint in (
            (folder, "the folder holds no file", "Name a folder of reports."),
            (archive, f"the zip archive holds {what}", how),
        ):
            (found,) = refused(place)
            assert (found.file, found.message, found.hint) == (str(place), message, hint)


def test_links_to_files_and_folders_are_followed_and_broken_ones_are_refused(
    tmp_path: Path,
) -> None:
    put(tmp_path, PLAIN, "elsewhere/report.csv")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/link.csv").symlink_to("../elsewhere/report.csv")
    assert verdicts(analyzer.load(tmp_path / "in")) == VERDICTS
    (tmp_path / "in/broken.csv").symlink_to("nowhere")
    assert refusals(tmp_path / "in") == [("broken.csv", "there is no such file or folder")]
    put(tmp_path, json.dumps({"accounts": [FAILED]}), "elsewhere/fetched.manifest.json")
    (tmp_path / "folders").mkdir()
    (tmp_path / "folders/link").symlink_to("../elsewhere")
    report = analyzer.load(tmp_path / "folders")
    assert names(report, tmp_path / "folders") == ["link/report.csv"]
    assert [each.account for each in report.not_covered] == [FAILED["account"]]


FAILED = {"account": "111111111111", "name": "x", "status": "failed", "reason": "denied"}


def closed(monkeypatch: Patch, path: Path) -> None:
    """Close a file or folder to us, though the tests may run as root."""
    for home, name in ((os, "scandir"), (Path, "open"), (Path, "is_dir")):
        usual = getattr(home, name)
        if name != "is_dir" or path.suffix == ".hidden":

            def closed(it: Any, *rest: Any, usual: Any = usual, **options: Any) -> Any:
                if Path(it) == path:
                    raise PermissionError(errno.EACCES, "Permission denied", str(path))
                return usual(it, *rest, **options)

            monkeypatch.setattr(home, name, closed)


DENIED = "it cannot be read: Permission denied"
AGAIN = "Remove the file, or save it again."


def test_what_is_closed_to_us_is_refused(tmp_path: Path, monkeypatch: Patch) -> None:
    file, both = put(tmp_path, PLAIN, "sub/report.csv"), tmp_path / "both"
    put(both, PLAIN, "open/report.csv")
    put(both, PLAIN, "shut/report.csv")
    within = tmp_path / "report.hidden"  # of a folder that may not be entered
    beside_a_report(tmp_path / "listed")
    listed = tmp_path / "listed/fetched.manifest.json"
    cases: dict[Path, list[str | Path]] = {
        file: [file.parent, file],
        both / "shut": [both, both / "shut"],
        within: [within],
        listed: [listed.parent],
    }
    for place, sources in cases.items():
        closed(monkeypatch, place)
        for source in sources:
            (found,) = refused(source)
            assert (found.file, found.message) == (str(place), DENIED)
            hint = AGAIN if place == listed else "Check the path, and who may read it."
            assert found.hint == hint
    assert main(["analyze", str(both), "--skip-unreadable", "-q", "-f", "line"]) == 5


def test_a_pipe_or_socket_in_a_folder_is_refused(tmp_path: Path, monkeypatch: Patch) -> None:
    put(tmp_path, PLAIN, "report.csv")
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)  # The name of a socket must be short.
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        found = refused(tmp_path)
    assert [(Path(each.file).name, each.message) for each in found] == [
        ("pipe", "not a regular file, but a pipe or a device"),
        ("socket", "not a regular file, but a pipe or a device"),
    ]
    assert "or - to read a report from standard input" in found[0].hint


def test_an_empty_name_does_not_stand_for_this_folder(tmp_path: Path, monkeypatch: Patch) -> None:
    put(tmp_path, PLAIN, "report.csv")
    put(tmp_path, "no JSON", "fetched.manifest.json")
    monkeypatch.chdir(tmp_path)
    for sources in ([""], ["report.csv", ""]):
        (found,) = refused(*sources)
        assert (found.file, found.message) == ('""', "the name of a source is empty")
        assert "perhaps a shell variable is not set" in found.hint
        assert main(["analyze"] + sources + ["-o", "a.csv"]) == InputRefused.exit_code
    assert not Path("a.csv").exists()
    (tmp_path / "copies").mkdir()
    with pytest.raises(InputRefused, match="the name of a source is empty"):
        copied([""], tmp_path / "copies")


def test_a_file_whose_name_looks_like_a_pattern_is_read(tmp_path: Path) -> None:
    put(tmp_path, "no report", "a1.csv")
    for name in ("a[1].csv", "what?.csv", "*.csv"):
        assert verdicts(analyzer.load(put(tmp_path, PLAIN, name))) == VERDICTS, name


NO_FILE = "there is no such file or folder"
NOT_THERE = (
    ("missing.csv", NO_FILE),
    ("missing/report.csv", NO_FILE),
    ("missing/", NO_FILE),
    ("a\0b", NO_FILE),
    ("links/*", NO_FILE),  # a broken link
    ("*.csv", NO_FILE),  # patterns are the shell's
    ("report.csv/x", "it cannot be read: Not a directory"),
    ("x" * 5000, "it cannot be read: File name too long"),
)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    put(tmp_path, PLAIN, "report.csv")
    put(tmp_path, "{}", "report.csv.metadata.json")
    (tmp_path / "links").mkdir()
    (tmp_path / "links/*").symlink_to("nowhere")
    for name, message in NOT_THERE:
        (found,) = refused(f"{tmp_path}/{name}")
        assert found.message == message, name
        assert found.hint.startswith("Check the path")
    assert refusals("missing") == [("missing", NO_FILE)]
    assert refusals("/dev/null") == [("null", "not a regular file, but a pipe or a device")]


def test_the_answer_that_there_is_no_report_yet_is_refused_in_a_folder_too(tmp_path: Path) -> None:
    put(tmp_path, PLAIN, "a.csv")
    put(tmp_path, '{"State": "on"}', "notes.json")
    assert names(analyzer.load(tmp_path), tmp_path) == ["a.csv"]
    put(tmp_path, '{"State": "STARTED", "Description": "No report exists"}', "b.json")
    (found,) = refused(tmp_path)
    assert "the report is still being generated" in found.message


def pipe_in(monkeypatch: Patch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_standard_input_is_read_whatever_its_form_unless_closed_or_empty(
    tmp_path: Path, monkeypatch: Patch
) -> None:
    for data in (PLAIN.encode(), PLAIN.encode("utf-16"), gzip.compress(PLAIN.encode())):
        pipe_in(monkeypatch, data)
        report = analyzer.load("-")
        assert verdicts(report) == VERDICTS
        assert [(file.name, file.size) for file in report.files] == [("standard input", len(data))]
    pipe_in(monkeypatch, zipped({"a.csv": of(1), "b.csv": of(2)}))
    report = analyzer.load("-", put(tmp_path, of(3), "c.csv"))
    assert names(report, tmp_path) == ["standard input:a.csv", "standard input:b.csv", "c.csv"]

    for stdin in (None, io.TextIOWrapper(io.BytesIO())):
        monkeypatch.setattr(sys, "stdin", stdin)
        assert refusals("-") == [("standard input", "the input is empty")]


def test_an_input_in_a_bucket_is_refused_with_what_to_do() -> None:
    (found,) = refused("s3://bucket/reports")
    assert (found.message, found.hint) == ("it is in a bucket", "Copy it here first.")


def test_a_pipe_that_is_named_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader, end = os.pipe()
    for name in (pipe, f"/dev/fd/{reader}"):
        (found,) = refused(name)
        assert found.message == "not a regular file, but a pipe or a device"
    os.close(reader)
    os.close(end)


def test_every_common_compression_is_unpacked(tmp_path: Path) -> None:
    for data in (STORED, DEFLATED, BZIPPED, LZMA):
        assert verdicts(analyzer.load(put(tmp_path, data))) == VERDICTS


def test_two_files_of_one_name_in_an_archive_are_refused(tmp_path: Path) -> None:
    archive = put(tmp_path, zipped({"a.csv": of(1)}))
    with zipfile.ZipFile(archive, "a") as more, pytest.warns(UserWarning, match="Duplicate name"):
        more.writestr("a.csv", of(2))
    for source in (archive, tmp_path):
        (found,) = refused(source)
        assert found.message == "the zip archive holds two files of one name: a.csv"


def test_the_console_s_name_of_a_file_in_an_archive_tells_its_moment(tmp_path: Path) -> None:
    for folder in ("", "reports/"):
        name = folder + "status_reports_2026-05-02T09-30-15Z.csv"
        archive = put(tmp_path, zipped({name: PLAIN}), "a.zip")
        (file,) = analyzer.load(archive).files
        assert (f"{file.as_of:%d %H:%M:%S}", file.as_of_source) == ("02 09:30:15", "file-name")
    archive = put(tmp_path, zipped({"a": PLAIN}), "status_reports_2026-05-02T09-30-15Z.zip")
    assert analyzer.load(archive).files[0].as_of_source == "folder"


def test_a_workbook_or_an_archive_within_an_archive_is_refused_as_what_it_is(
    tmp_path: Path,
) -> None:
    book = openpyxl.Workbook()
    book.save(tmp_path / "report.csv")
    (found,) = refused(tmp_path)
    assert found.message == "this is an Excel workbook, not a report"
    assert found.hint.startswith("Save the sheet as CSV")
    archive = put(tmp_path, zipped({"in.zip": zipped({"a": PLAIN})}), "out.zip")
    ((name, message),) = refusals(archive)
    assert name == "out.zip:in.zip"
    assert "another zip file" in message


STORED, DEFLATED, BZIPPED, LZMA = (
    zipped({"a.csv": PLAIN}, method)
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
)


def of_headers(flags: bytes, compression: bytes) -> bytes:
    """Return an archive with other flags and another compression in both headers of its file."""
    local, central = b"PK\x03\x04\x14\0", b"PK\x01\x02\x14\x03\x14\0"
    data = STORED
    for start in (local, central):
        assert data.count(start + bytes(4)) == 1
        data = data.replace(start + bytes(4), start + flags + compression)
    return data


def overwritten(data: bytes, at: int) -> bytes:
    return data[:at] + b"\xff" * 20 + data[at + 20 :]


ACCENTED = zipped({"\u00e9.csv": PLAIN})
NAME_OF_NO_TEXT = ACCENTED.replace(b"\xc3\xa9.csvPK\x05", b"\xff\xff.csvPK\x05")
DAMAGED: dict[str, tuple[bytes, str]] = {
    "half an archive": (STORED[:300], "the zip archive is damaged: "),
    "an archive without its end": (STORED[:-22], "the zip archive is damaged: "),
    "a name of no text": (NAME_OF_NO_TEXT, "the zip archive is damaged: "),
    "another file's place": (STORED[:-6] + b"\xff\xff\xff\x7f" + STORED[-2:], "cannot be unpacked"),
    "a wrong checksum": (STORED.replace(b"user/bob", b"user/eve"), "cannot be unpacked: Bad CRC"),
    "a wrong block": (overwritten(DEFLATED, 60), "cannot be unpacked: Error"),
    "a wrong block of bzip2": (overwritten(BZIPPED, 60), "unpacked: Invalid data stream"),
    "a wrong block of LZMA": (overwritten(LZMA, 50), "cannot be unpacked: "),
    "an encrypted file": (of_headers(b"\1\0", b"\0\0"), "it is encrypted"),
    "an unknown compression": (of_headers(b"\0\0", b"\x63\0"), "cannot be unpacked: "),
}


def test_a_damaged_archive_is_refused_from_a_file_and_from_a_pipe(
    tmp_path: Path, monkeypatch: Patch
) -> None:
    for kind, (data, message) in DAMAGED.items():
        pipe_in(monkeypatch, data)
        for source in (put(tmp_path, data, "all.zip"), "-"):
            (found,) = refused(source)
            assert (message in found.message, bool(found.hint)) == (True, True), kind


@pytest.mark.no_cover
def test_no_changed_byte_in_an_archive_breaks_the_program(tmp_path: Path) -> None:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        data = zipped({"a.csv": "user,arn"}, method)
        for place, value in enumerate(data):
            changed = bytes([0xFF if place % 2 else value ^ 1])
            damaged = put(tmp_path, data[:place] + changed + data[place + 1 :])
            assert all(isinstance(each, Problem) for each in refused(damaged))


def test_what_lies_beside_reports_is_refused_where_nothing_else_is_named(tmp_path: Path) -> None:
    beside_a_report(tmp_path)
    manifest = tmp_path / "fetched.manifest.json"
    assert refusals(manifest) == [
        (manifest.name, "this JSON holds no credential report: it has no `Content`")
    ]


def test_the_text_of_a_report_is_refused_as_no_path_and_not_shown_whole() -> None:
    (problem,) = refused(report_text([a_user()]))
    assert (problem.message, len(problem.file)) == ("this is text, not a path", 81)
    assert "pass the text of a report as bytes" in problem.hint
