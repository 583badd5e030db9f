"""The trend counts the users of the last run of each month, and the Summary draws it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from analyzer.exports.contents import TREND_COLUMNS, TREND_MONTHS, trend
from analyzer.exports.run_record import RunRecord, read_record
from analyzer.exports.runs import Run, prune, runs
from analyzer.terms import Verdict
from tests.support.builders import a_password, a_user, days_before, saved
from tests.support.runs import console_report, exporting, record_of
from tests.support.workbooks import opened, parts, texts, values

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

NONE: dict[Any, int] = dict.fromkeys(Verdict, 0)
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
ASLEEP = a_user("asleep", password=a_password(days_before(300)))


def a_run(month: str, day: int = 1, **counts: Any) -> Run:
    name = f"{month}-{day:02}T00-00-00Z"
    saved_record: dict[str, Any] = {
        "kind": "export",
        "as_of": f"{month}-{day:02}T00:00:00Z",
        "identity": "",
        "exit_code": 0,
        "users": {**NONE, **counts},
        "parameters": {},
        "files": [],
    }
    record = RunRecord.model_validate(saved_record)
    return Run(Path(name), record)


def test_unused_inactive_and_all_users_are_counted_per_run() -> None:
    counts = {"unused": 2, "retired": 1, "dormant": 1, "active": 1, "undetermined": 1}
    frame = trend(
        [a_run("2025-12", active=1), a_run("2026-02", **counts)],
        "now",
        NOW,
        {**NONE, Verdict.UNUSED: 3},
    )
    assert tuple(frame.columns) == TREND_COLUMNS
    assert frame[["unused", "inactive", "users"]].to_numpy().tolist() == [
        *([0, 0, 1], [2, 2, 6], [3, 0, 3])
    ]
    assert frame["run"].tolist() == ["2025-12-01T00-00-00Z", "2026-02-01T00-00-00Z", "now"]
    assert frame["as_of"].tolist()[-1] == NOW
    assert str(frame["as_of"].dtype) == "datetime64[s, UTC]"


def test_a_month_has_its_last_run_and_the_trend_twelve_months() -> None:
    months = [f"2025-{month:02}" for month in range(1, 13)] + ["2026-01", "2026-02", "2026-03"]
    runs = [a_run(month, day) for month in months for day in (1, 28) if month != months[-1]]
    frame = trend([*runs, a_run(months[-1])], "now", NOW, NONE)
    last = [f"{month}-28T00-00-00Z" for month in months[-TREND_MONTHS:-1]]
    assert frame["run"].tolist() == [*last, "now"]
    assert last[0].startswith("2025-04")


@pytest.mark.parametrize(
    "changed",
    [
        {"users": None},
        {"users": {"unused": 1}},
        {"users": {**NONE, "unused": "1"}},
        {"as_of": None},
        {"as_of": "yesterday"},
    ],
)
def test_a_record_that_does_not_have_the_numbers_is_none(
    tmp_path: Path, changed: dict[str, Any]
) -> None:
    run = exported(tmp_path / "runs", tmp_path, (6,))
    assert read_record(run) is not None
    saved(run, json.dumps({**record_of(run), **changed}), "manifest.json")
    assert read_record(run) is None


def test_the_last_run_of_each_of_thirteen_months_is_never_removed(tmp_path: Path) -> None:
    months = [f"2025-{month:02}" for month in range(1, 13)] + ["2026-01", "2026-02"]
    made = [a_run(month, day) for month in months for day in (1, 28)]
    for run in made:
        (tmp_path / run.name).mkdir()
        saved(tmp_path / run.name, run.record.model_dump_json(), "manifest.json")
    removed = prune(tmp_path, 3, spared=made[0].name)
    kept = {made[0].name, made[-2].name, *(f"{month}-28T00-00-00Z" for month in months[1:])}
    assert {run.name for run in runs(tmp_path)} == kept
    assert len(removed) == len(made) - len(kept)


# The Summary


def exported(runs: Path, reports: Path, months: tuple[int, ...]) -> Path:
    """Export a report a month, each with an unused user more, and return the last run."""
    for number, month in enumerate(months, 1):
        users = [a_user(f"user{at}") for at in range(number)]
        report = console_report(reports / str(month), f"2026-{month:02}-01", *users, ASLEEP)
        assert exporting(runs, "--from", report) == 0
    return (runs / "latest").resolve()


def test_the_summary_shows_the_trend_of_the_earlier_runs_and_this_one(tmp_path: Path) -> None:
    run = exported(tmp_path / "runs", tmp_path, (6, 7, 8))
    assert record_of(run)["users"] == {**NONE, "unused": 3, "dormant": 1}
    file = (run / "review.xlsx").read_bytes()
    rows = values(opened(file)["Summary"])
    at = next(number for number, row in enumerate(rows) if row[0] == "Trend: users by month")
    assert [row[:4] for row in rows[at + 1 : at + 5]] == [
        ("As of (UTC)", "unused", "retired or dormant", "all IAM users"),
        ("2026-06-01", 1, 1, 2),
        ("2026-07-01", 2, 1, 3),
        ("2026-08-01", 3, 1, 4),
    ]
    chart = parts(file)["xl/charts/chart3.xml"].decode()
    for cells in ("$A$", "$B$", "$C$", "$D$"):
        assert f"'Summary'!{cells}{at + 3}:{cells}{at + 5}" in chart
    assert "<v>2026-08-01</v>" in chart.replace("c:", "")
    assert "<v>4</v>" in chart.replace("c:", "")
    assert {*("circle", "square", "triangle")} <= {*chart.split('"')}


def test_an_older_report_has_no_trend_of_newer_runs(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    exported(runs, tmp_path, (7, 6))
    summary = openpyxl.load_workbook(runs / "2026-06-01T09-30-00Z" / "review.xlsx")["Summary"]
    assert "Trend" not in texts(summary)


def test_a_first_run_has_no_trend(tmp_path: Path) -> None:
    run = exported(tmp_path / "runs", tmp_path, (6,))
    assert "Trend" not in texts(openpyxl.load_workbook(run / "review.xlsx")["Summary"])
