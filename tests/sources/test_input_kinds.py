"""What happens with each kind of file that lies in a folder of reports."""

import base64
import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from zlib import crc32

import openpyxl
import pytest

import analyzer
from analyzer.cli import main
from analyzer.decisions import follow_up
from analyzer.sources.find import find_sources
from analyzer.sources.load import unreadable_files
from tests.support.builders import a_user, report_text, the_root
from tests.support.reading import put, zipped
from tests.support.workbooks import row_of

Patch = pytest.MonkeyPatch
Capture = pytest.CaptureFixture[str]
PLAIN = report_text([a_user("ann"), a_user("bob")])
ENVELOPE = json.dumps({"Content": base64.b64encode(PLAIN.encode()).decode()})
RESULT = "user,verdict,certainty,caveats\nann,unused,certain,\n"
READ, SKIPPED, REFUSED = "read", "skipped", "refused"

KINDS: dict[str, tuple[str | bytes, str]] = {
    "report.txt": (PLAIN, READ),
    "report.csv.gz": (gzip.compress(PLAIN.encode()), READ),
    "report.b64": (base64.b64encode(PLAIN.encode()), READ),
    "envelope.json": (ENVELOPE, READ),
    "without ending": (PLAIN, READ),
    "README.md": ("# Reports", SKIPPED),
    "review.XLSX": (b"PK\x03\x04", SKIPPED),
    "policy.pdf": (b"%PDF", SKIPPED),
    "picture.png": (b"\x89PNG", SKIPPED),
    "names.db": (b"SQLite", SKIPPED),
    "users.json": ('{"Users": []}', SKIPPED),
    "list.json": ('["x"]', SKIPPED),
    "findings.ocsf.json": ("{}\n{}", SKIPPED),
    "empty": ("", SKIPPED),
    "users.csv": (RESULT, SKIPPED),
    "follow-up.csv": (",".join(follow_up.COLUMNS), SKIPPED),
    "damaged.json": (ENVELOPE[:-5], REFUSED),
    "number.json": ("17", REFUSED),
    "empty.csv": ("", REFUSED),
    "empty.json": ("", REFUSED),
    "rows.json": ('[{"user": "ann", "arn": "x"}]', SKIPPED),
    "other.csv": ("name,mail\nann,a@b.org\n", REFUSED),
    "other.txt": ("some words", REFUSED),
    "damaged.gz": (gzip.compress(PLAIN.encode())[:40], REFUSED),
    "cut.b64": (base64.b64encode(PLAIN.encode())[:-3], REFUSED),
    "cut.csv": (PLAIN[:-40], REFUSED),
}


EVE = "222233334444"
FIRST = report_text([a_user("eve", account=EVE)], root=the_root(account=EVE))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(tmp_path, FIRST, "first.csv")
    return tmp_path


def archive_of(path: Path, names: Iterable[str]) -> Path:
    """Pack a report of its own and files of these kinds."""
    members = {name: KINDS[name][0] for name in names}
    return put(path.parent, zipped({"first.csv": FIRST} | members), path.name)


def kinds(*outcomes: str) -> list[str]:
    return [name for name, (_, outcome) in KINDS.items() if outcome in outcomes]


@pytest.mark.parametrize("place", ["{}", "{}.zip"])
def test_each_kind_of_file_is_read_skipped_or_refused_anywhere(folder: Path, place: str) -> None:
    source, above = place.format(folder), f"{folder}/"
    if place.endswith(".zip"):
        above = f"{archive_of(Path(source), KINDS)}:"
    else:
        for name, (content, _) in KINDS.items():
            put(folder, content, name)
    skipped = {each.name for each in find_sources([source]) if each.is_skipped}
    assert skipped == {f"{above}{name}" for name in kinds(SKIPPED)}
    with pytest.raises(analyzer.InputRefused) as refused:
        analyzer.load(source)
    problems = {each.file for each in refused.value.problems}
    assert problems == {f"{above}{name}" for name in kinds(REFUSED)}
    if place.endswith(".zip"):
        archive_of(Path(source), kinds(READ, SKIPPED))
    for name in [] if place.endswith(".zip") else kinds(REFUSED):
        (folder / name).unlink()
    report = analyzer.load(source)
    assert sorted(report.users["user"]) == ["ann", "bob", "eve"]
    assert f"Skipped {len(skipped)} files that cannot be reports: " in "\n".join(report.notes)


def test_several_skipped_files_are_one_note(folder: Path) -> None:
    paths = [put(folder, "x", f"{each}.md") for each in range(3)]
    (note,) = [each for each in analyzer.load(folder).notes if each.startswith("Skipped")]
    assert note == f"Skipped 3 files that cannot be reports: {', '.join(map(str, paths))}."


def test_what_a_run_has_besides_reports_is_not_noted(tmp_path: Path) -> None:
    put(tmp_path, "{}", "2026-05-01T09-30-00Z-2/analysis.json")
    put(tmp_path, FIRST, "2026-05-01T09-30-00Z-2/reports/first.csv")
    (tmp_path / "latest").symlink_to("2026-05-01T09-30-00Z-2")
    note = put(tmp_path, "x", "note.md")
    for source in (tmp_path, tmp_path / "latest"):
        said = [each for each in analyzer.load(source).notes if each.startswith("Skipped")]
        about_note = [f"Skipped 1 file that cannot be a report: {note}."]
        assert said == (about_note if source == tmp_path else [])


def test_on_demand_refused_files_are_not_covered(folder: Path, capsys: Capture) -> None:
    paths = [put(folder, KINDS[name][0], name) for name in kinds(REFUSED)]
    put(folder, "skipped, whatever is asked", "notes.md")
    assert main(["analyze", str(folder), "--skip-unreadable", "--format", "names"]) == 5
    said = capsys.readouterr().err.replace("\n", " ")
    assert [path for path in paths if f"File {path} is not covered" not in said] == []
    (folder / "first.csv").unlink()
    assert main(["analyze", str(folder), "--skip-unreadable"]) == 3


def test_a_report_with_two_rows_of_a_user_is_not_covered_on_demand(folder: Path) -> None:
    path = put(folder, PLAIN + "\n" + PLAIN.splitlines()[2].replace("false", "true", 1), "two.csv")
    inputs = find_sources([str(folder)])
    (missing,) = unreadable_files(inputs)
    assert (missing.name, missing.reason.split(",")[0]) == (str(path), "row 5: differs from row 3")


def test_what_is_unpacked_to_find_others_is_bounded(tmp_path: Path, monkeypatch: Patch) -> None:
    path = archive_of(tmp_path / "all.zip", ["users.json"])
    assert analyzer.load(path).users["user"].tolist() == ["eve"]
    monkeypatch.setattr("analyzer.sources.archives._LOOK_BUDGET", 1)
    with pytest.raises(analyzer.InputRefused, match=r"all\.zip:users\.json"):
        analyzer.load(path)


def test_a_file_of_an_archive_that_cannot_be_unpacked_is_refused(tmp_path: Path) -> None:
    path = archive_of(tmp_path / "all.zip", ["users.csv"])
    checksum = crc32(RESULT.encode()).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(checksum, bytes(4)))
    with pytest.raises(analyzer.InputRefused, match=r"users\.csv: cannot be unpacked"):
        analyzer.load(path)


def test_other_files_alone_are_refused_also_one_that_is_named_by_itself(tmp_path: Path) -> None:
    readme = put(tmp_path, "# Reports", "README.md")
    put(tmp_path.parent, zipped({"README.md": "# Reports"}), f"{tmp_path.name}.zip")
    for source in (tmp_path, tmp_path.with_suffix(".zip")):
        with pytest.raises(analyzer.InputRefused, match="no report, only files of other kinds"):
            analyzer.load(source)
    with pytest.raises(analyzer.InputRefused, match="this is not a credential report"):
        analyzer.load(readme)


@pytest.mark.no_cover
def test_an_export_lists_unreadable_files_as_not_covered(folder: Path, tmp_path: Path) -> None:
    path = put(folder, "name,mail\nann,a@b.org\n", "other.csv")
    note = put(folder, "# Reports", "README.md")
    runs = tmp_path.parent / f"{tmp_path.name}-runs"
    asked = ["export", "--from", str(folder), "--out-dir", str(runs)]
    assert main(asked) == 3
    assert main([*asked, "--skip-unreadable"]) == 5
    latest = runs / "latest"
    for name, place in (("manifest.json", "accounts"), ("analysis.json", None)):
        document = json.loads((latest / name).read_bytes())
        (missing,) = (document[place] if place else document)["not_covered"]
        assert missing["name"] == str(path)
    skipped = f"Skipped 1 file that cannot be a report: {note}."
    assert skipped in json.loads((latest / "analysis.json").read_bytes())["notes"]
    book = openpyxl.load_workbook(latest / "review.xlsx")
    unread = row_of(book["Accounts and owners"], str(path))[1]
    assert unread.startswith("not read: row 1: this is not a credential report")
    assert [each.name for each in (latest / "reports").iterdir()] == ["first.csv"]


def test_an_export_that_asks_aws_skips_nothing(tmp_path: Path, capsys: Capture) -> None:
    assert main(["export", "--out-dir", str(tmp_path / "runs"), "--skip-unreadable"]) == 2
    assert "use it with --from only" in " ".join(capsys.readouterr().err.split())


def test_a_report_that_pandas_saved_again_with_empty_cells_is_refused(tmp_path: Path) -> None:
    text = PLAIN.replace("N/A", "").rstrip() + "\n"  # as pandas ends it
    with pytest.raises(analyzer.InputRefused, match="cert_2_last_rotated: the file is cut off"):
        analyzer.load(put(tmp_path, text))
