"""What a run is compared with the run before it by, from a report to the changes that are told."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from analyzer.exports.run_record import RECORD_FILE, as_of_option, read_record
from analyzer.files import sha256
from tests.support.builders import a_user, report_text, saved, table
from tests.support.outputs import HEADER_OF_EXEMPTIONS
from tests.support.runs import console_report, exporting, record_of

FIRST, SECOND, THIRD = (f"2026-0{month}-01" for month in (6, 7, 8))
OTHER = "210987654321"


def changed(run: Path) -> list[tuple[str, str]]:
    """Return change and cause of each change that is not about a finding."""
    rows = table((run / "changes.csv").read_bytes())
    return [(row["change"], row["cause"]) for row in rows if not row["rule"]]


def test_an_account_that_could_not_be_read_for_once_changes_nothing(tmp_path: Path) -> None:
    runs, reports = tmp_path / "runs", tmp_path / "reports"
    both = report_text([a_user("ann"), a_user("bob", account=OTHER)])
    failed = {"account": OTHER, "name": "pay", "status": "failed", "reason": "AWS denied it."}
    console_report(reports, SECOND, a_user("ann"))
    saved(reports, json.dumps({"accounts": [failed]}), "fetched.manifest.json")
    first, third = (
        saved(tmp_path, both, f"status_reports_{day}T09-30-00+00-00.csv") for day in (FIRST, THIRD)
    )
    denied = [("not-covered", "not covered now: AWS denied it.")]
    before = [("not-covered", "not covered before: AWS denied it.")]
    for source, code, told in ((first, 0, []), (reports, 5, denied), (third, 0, before)):
        assert exporting(runs, "--from", source) == code
        assert changed(runs / "latest") == told
    assert record_of(runs / "latest")["compared_with"] == f"{SECOND}T09-30-00Z"


def test_each_run_is_compared_by_the_exemptions_that_it_was_made_with(tmp_path: Path) -> None:
    runs, reports = tmp_path / "runs", tmp_path / "reports"
    listed = saved(tmp_path, f"{HEADER_OF_EXEMPTIONS}\n*,ann,Break-glass,Ops,\n", "list.csv")
    report = console_report(reports, FIRST, a_user("ann"))
    exporting(runs, "--from", report, "--exemptions", listed)
    exporting(runs, "--from", console_report(reports, SECOND, a_user("ann")))
    assert changed(runs / "latest") == [("exemption-ended", "")]


def test_a_run_whose_reports_are_refused_by_now_changes_nothing_and_is_named(
    tmp_path: Path,
) -> None:
    runs, reports = tmp_path / "runs", tmp_path / "reports"
    exporting(runs, "--from", console_report(reports, FIRST, a_user("ann")))
    run = (runs / "latest").resolve()
    (report,) = (run / "reports").iterdir()
    record = (run / "manifest.json").read_text()
    digest = sha256(report)
    report.write_text("no report")
    (run / "manifest.json").write_text(record.replace(digest, sha256(report)))
    later = tmp_path / "later"
    assert exporting(runs, "--from", console_report(later, SECOND, a_user("eve"))) == 0
    ((change, cause),) = changed(runs / "latest")
    assert change == "not-covered"
    assert cause.startswith(f"not covered before: the run {run.name} is refused: ")


@pytest.mark.parametrize("as_of", ["soon", "2026-06-01", "2026-06-01T09:30:00", 20260601, ["x"]])
def test_a_record_whose_as_of_is_not_understood_is_none(tmp_path: Path, as_of: object) -> None:
    runs = tmp_path / "runs"
    report = console_report(tmp_path, FIRST, a_user("ann"))
    assert exporting(runs, "--from", report, "--as-of", "2026-06-01") == 0
    record = read_record(runs / "latest")
    assert record is not None
    assert as_of_option(record) == datetime(2026, 6, 1, 23, 59, 59, tzinfo=UTC)
    damaged = {**record, "parameters": {**record["parameters"], "as_of": as_of}}
    saved(runs / "latest", json.dumps(damaged), RECORD_FILE)
    assert read_record(runs / "latest") is None
