"""A large report is judged once for all outputs of a run, and these are as if it was small."""

from pathlib import Path
from unittest.mock import Mock

import pytest
from pandas.testing import assert_frame_equal

import analyzer
from analyzer.analysis import analysis, rule_results
from analyzer.analysis.analysis import Analysis
from analyzer.errors import OutputFailed
from analyzer.report import assemble
from analyzer.rules.engine import page_findings
from analyzer.runs import outputs
from analyzer.runs.outputs import stored
from analyzer.verdicts.verdict import with_verdicts
from tests.support.outputs import SAMPLES
from tests.support.runs import exporting

Patch = pytest.MonkeyPatch
REPORTS = sorted((SAMPLES / "organization").glob("[!1]*.csv"))[:2]
FROM = [word for report in REPORTS for word in ("--from", report)]


@pytest.fixture
def large(monkeypatch: Patch) -> None:
    """Have every report be too large for the memory, and more than one page."""
    monkeypatch.setattr(analysis, "ROWS_IN_MEMORY", 0)
    monkeypatch.setattr(rule_results, "MOST_ROWS_IN_ONE_ORDER", 0)
    monkeypatch.setattr(assemble, "PAGE_ROWS", 5)


def of_organization() -> Analysis:
    return analyzer.analyze(analyzer.load(*REPORTS))


def files(folder: Path) -> dict[str, bytes]:
    """Export every output into a folder, and return what is in the run."""
    assert exporting(folder, *FROM, "--also", "ocsf", "--also", "parquet") == 0
    run = (folder / "latest").resolve()
    paths = [path for path in run.rglob("*") if path.is_file()]
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in paths}


@pytest.mark.usefixtures("large")
def test_pages_are_judged_once_and_written_as_in_memory(tmp_path: Path, monkeypatch: Patch) -> None:
    judged, worded = Mock(wraps=with_verdicts), Mock(wraps=page_findings)
    with monkeypatch.context() as patch:
        patch.setattr(analysis, "with_verdicts", judged)
        patch.setattr(rule_results, "page_findings", worded)
        patch.setattr(rule_results, "page_counts", None)
        by_stored = files(tmp_path / "stored")
    report = analyzer.load(*REPORTS)
    pages, roots = len(list(report.pages())), len(list(report.roots()))
    assert judged.call_count == pages > 1
    assert worded.call_count == pages + roots
    monkeypatch.setattr(analysis, "ROWS_IN_MEMORY", 10**6)
    assert files(tmp_path / "in memory") == by_stored
    assert {*by_stored} > {"review.xlsx", "findings.ocsf.json", "manifest.json"}


@pytest.mark.no_cover
@pytest.mark.usefixtures("large")
def test_every_pass_gives_the_same_also_after_a_broken_one(tmp_path: Path) -> None:
    anew = of_organization()
    with stored(of_organization(), tmp_path) as kept:
        first, other = kept.pages(), kept.pages()
        assert_frame_equal(next(first).users, next(other).users)
        assert kept.rule_results.counts == anew.rule_results.counts
        for _ in range(2):
            assert_frame_equal(kept.users, anew.users)
            assert_frame_equal(kept.rule_results.findings, anew.rule_results.findings)
        assert_frame_equal(kept.totals.counts, anew.totals.counts)
        assert not [*tmp_path.iterdir()]  # the files have no name


def test_a_small_report_needs_no_files(tmp_path: Path) -> None:
    small = of_organization()
    with stored(small, tmp_path / "absent") as kept:
        assert kept is small


@pytest.mark.usefixtures("large")
def test_a_folder_that_is_gone_or_full_is_named(tmp_path: Path, monkeypatch: Patch) -> None:
    with stored(of_organization(), tmp_path / "gone") as kept:
        with pytest.raises(OutputFailed, match="gone cannot be written: No such file"):
            next(kept.pages())
        with Path("/dev/full").open("w+b", buffering=0) as full:
            monkeypatch.setattr(outputs, "TemporaryFile", lambda **_: full)
            with pytest.raises(OutputFailed, match="cannot be written: No space left on device"):
                assert kept.totals
