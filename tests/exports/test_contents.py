"""What a run is compared with the run before it by, from a report to the changes that are told."""

import json
from pathlib import Path

from tests.support.builders import a_user, report_text, saved, table
from tests.support.runs import console_report, exporting, record_of

FIRST, SECOND, THIRD = (f"2026-0{month}-01" for month in (6, 7, 8))
OTHER = "210987654321"


def changed(run: Path) -> list[tuple[str, str]]:
    rows = table((run / "changes.csv").read_bytes())
    return [(row["change"], row["user"]) for row in rows]


def test_an_account_that_could_not_be_read_for_once_changes_nothing(tmp_path: Path) -> None:
    runs, reports = tmp_path / "runs", tmp_path / "reports"
    both = report_text([a_user("ann"), a_user("bob", account=OTHER)])
    failed = {"account": OTHER, "name": "pay", "status": "failed", "reason": "AWS denied it."}
    console_report(reports, SECOND, a_user("ann"))
    saved(reports, json.dumps({"accounts": [failed]}), "fetched.manifest.json")
    first, third = (
        saved(tmp_path, both, f"status_reports_{day}T09-30-00+00-00.csv") for day in (FIRST, THIRD)
    )
    for source, code, told in ((first, 0, []), (reports, 5, [("not-covered", "")]), (third, 0, [])):
        assert exporting(runs, "--from", source) == code
        assert changed(runs / "latest") == told
    assert record_of(runs / "latest")["compared_with"] == f"{SECOND}T09-30-00Z"
