"""Files are put in place whole or not at all, and what was there before is intact."""

import io
import os
from pathlib import Path
from typing import Any

import pytest

import analyzer
from analyzer import writers
from analyzer.analysis.analysis import Analysis
from analyzer.errors import OutputFailed
from analyzer.terms import OUTPUT_ENDINGS, Format, Verdict
from tests.support.builders import a_key, a_user, report_text, saved
from tests.support.ocsf import ocsf_bytes
from tests.support.outputs import (
    ALL,
    HEADER_OF_EXEMPTIONS,
    UNUSED,
    analysis_of,
    csv_bytes,
    findings_bytes,
    json_bytes,
)

OLD = b"what was there before"
EVIDENCE = "report.csv.service-credentials.json"


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return analysis_of([a_user("=1"), a_user("bob", key_1=a_key())])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def held(folder: Path) -> dict[str, bytes]:
    """Return every file in a folder, hidden ones too."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_the_ending_is_that_of_the_format_in_any_case(analysis: Analysis, folder: Path) -> None:
    targets = [folder / f"a{ending.upper()}" for ending in OUTPUT_ENDINGS]
    writers.write(analysis, *targets, folder / "ocsf.json")
    found = held(folder)
    for ending, begins in (("XLSX", b"PK"), ("PARQUET", b"PAR1"), ("MD", b"# "), ("HTML", b"<!")):
        assert found.pop(f"a.{ending}").startswith(begins)
    assert found.pop("aFINDINGS.PARQUET").startswith(b"PAR1")
    assert found == {
        "a.CSV": csv_bytes(analysis, UNUSED),
        "a.JSON": json_bytes(analysis, UNUSED),
        "a.OCSF.JSON": ocsf_bytes(analysis),
        "aFINDINGS.CSV": findings_bytes(analysis),
        "ocsf.json": json_bytes(analysis, UNUSED),
    }


def test_verdicts_by_word_or_type_are_those_asked_for(analysis: Analysis, folder: Path) -> None:
    words: tuple[Any, ...] = (UNUSED, Verdict.UNUSED, "unused", ["unused"])
    for verdicts, asked in ((ALL, ALL), *((each, UNUSED) for each in words)):
        writers.write(analysis, folder / "a.csv", verdicts=verdicts)
        assert (folder / "a.csv").read_bytes() == csv_bytes(analysis, asked), verdicts


def test_another_ending_is_refused_before_anything_is_written(
    analysis: Analysis, folder: Path
) -> None:
    for name in ("report.txt", "report", "report.csv.gz", "a.xls", "a.xlsm"):
        with pytest.raises(ValueError, match=r"must end in \.xlsx, \.csv, \.json"):
            writers.write(analysis, folder / "good.csv", folder / name)
        assert held(folder) == {}, name


def test_what_was_read_is_not_written_over(tmp_path: Path, folder: Path) -> None:
    report = saved(tmp_path, report_text([a_user()]))
    evidence = saved(tmp_path, '{"ServiceSpecificCredentials": []}', EVIDENCE)
    listed = saved(tmp_path, f"{HEADER_OF_EXEMPTIONS}\n*,ann,why,,", "list.csv")
    exemptions = analyzer.read_exemptions((str(listed), listed.read_bytes()))
    analysis = analyzer.analyze(analyzer.load(report), exemptions=exemptions)
    (folder / "link.csv").symlink_to(report)
    before = held(tmp_path)
    for target in (report, evidence, listed, folder / "link.csv"):
        check_refused(analysis, folder / "a.csv", target, "is an input")
    assert (held(tmp_path), (folder / "a.csv").exists()) == (before, False)


def check_refused(analysis: Analysis, first: Path, other: Path, why: str) -> None:
    with pytest.raises(ValueError, match=f"{why}: write to another file"):
        writers.write(analysis, first, other)


def test_one_file_is_not_written_twice(analysis: Analysis, folder: Path) -> None:
    (folder / "link.csv").symlink_to("a.csv")
    (folder / "sub").mkdir()
    for same in (folder / "a.csv", folder / "sub/../a.csv", folder / "link.csv"):
        check_refused(analysis, folder / "a.csv", same, "is named twice")
    writers.write(analysis)
    assert held(folder) == {}


def test_a_word_that_is_no_verdict_is_refused_rather_than_listing_nobody(
    analysis: Analysis, folder: Path
) -> None:
    for verdicts, word in ((["all"], "all"), ("unuse", "unuse"), (["unused", "u"], "u"), ("", "")):
        with pytest.raises(ValueError, match=f"no verdict is {word}: choose from undetermined, un"):
            writers.write(analysis, folder / "a.csv", verdicts=verdicts)
    assert held(folder) == {}


UNWRITABLE = {
    "missing/a.csv": "its folder does not exist; create it",
    "file/a.csv": "Not a directory",
    f"{'n' * 300}.csv": "File name too long",
}


def test_a_file_that_cannot_be_written_is_named_with_the_reason_and_no_other_is_written(
    analysis: Analysis, folder: Path
) -> None:
    old = {"good.csv": OLD, "file": OLD}
    for name, content in old.items():
        (folder / name).write_bytes(content)
    for name, why in UNWRITABLE.items():
        good, target = folder / "good.csv", folder / name
        for order in ((good, target), (target, good)):
            with pytest.raises(OutputFailed) as failed:
                writers.write(analysis, *order)
            named = f"{os.path.realpath(target)} cannot be written: {why}."
            assert str(failed.value) == f"{named} What was there before is intact."
            assert held(folder) == old


def test_the_table_takes_no_stream(analysis: Analysis) -> None:
    with pytest.raises(ValueError, match="no stream takes the format table"):
        writers.write_format(Format.TABLE, analysis, io.BytesIO(), verdicts=UNUSED)
