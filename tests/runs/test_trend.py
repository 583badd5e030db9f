"""The trend counts the users of the last run of each month, and the Summary draws it."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import analyzer
from analyzer.runs.outputs import TREND_COLUMNS, TREND_MONTHS, trend, trend_frame
from analyzer.runs.run_folders import CoveredAccount, Run, RunRecord, prune
from analyzer.runs.run_folders import runs as runs_in
from analyzer.terms import Verdict
from tests.support.builders import a_password, a_user, days_before, saved
from tests.support.outputs import analysis_of
from tests.support.runs import exporting_day, record_of, write_plainly
from tests.support.workbooks import file_of, opened, parts, values

Patch = pytest.MonkeyPatch

NONE: dict[Any, int] = dict.fromkeys(Verdict, 0)
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
ASLEEP = a_user("asleep", password=a_password(days_before(300)))


def a_run(month: str, day: int = 1, **counts: Any) -> Run:
    at = f"{month}-{day:02}T00:00:00Z"
    made = {"kind": "export", "as_of": at, "identity": "", "exit_code": 0}
    record = {**made, "users": {**NONE, **counts}, "parameters": {}, "files": []}
    return Run(Path(at.replace(":", "-")), RunRecord.model_validate(record))


def test_unused_inactive_and_all_users_are_counted_per_run() -> None:
    counts = {"unused": 2, "retired": 1, "dormant": 1, "active": 1, "undetermined": 1}
    runs = [a_run("2025-12", active=1), a_run("2026-02", **counts)]
    frame = trend_frame(trend(runs, "now", NOW, {**NONE, Verdict.UNUSED: 3}, (), {}))
    assert tuple(frame.columns) == TREND_COLUMNS
    counted = frame[["unused", "inactive", "users"]].to_numpy().tolist()
    assert counted == [[0, 0, 1], [2, 2, 6], [3, 0, 3]]
    assert frame["run"].tolist() == ["2025-12-01T00-00-00Z", "2026-02-01T00-00-00Z", "now"]
    assert frame["as_of"].tolist()[-1] == NOW
    assert str(frame["as_of"].dtype) == "datetime64[s, UTC]"


def test_a_month_has_its_last_run_and_the_trend_twelve_months() -> None:
    months = [f"2025-{month:02}" for month in range(1, 13)] + ["2026-01", "2026-02", "2026-03"]
    runs = [a_run(month, day) for month in months for day in (1, 28) if month != months[-1]]
    rows = trend([*runs, a_run(months[-1])], "now", NOW, NONE, (), {})
    last = [f"{month}-28T00-00-00Z" for month in months[-TREND_MONTHS:-1]]
    assert [row[0] for row in rows] == [*last, "now"]
    assert last[0].startswith("2025-04")


def test_the_last_run_of_each_of_thirteen_months_is_never_removed(tmp_path: Path) -> None:
    months = [f"2025-{month:02}" for month in range(1, 13)] + ["2026-01", "2026-02"]
    made = [a_run(month, day) for month in months for day in (1, 28)]
    for run in made:
        (tmp_path / run.name).mkdir()
        saved(tmp_path / run.name, run.record.model_dump_json(), "manifest.json")
    removed = prune(tmp_path, 3, except_run=made[0].name)
    kept = {made[0].name, made[-2].name, *(f"{month}-28T00-00-00Z" for month in months[1:])}
    assert {run.name for run in runs_in(tmp_path)} == kept
    assert len(removed) == len(made) - len(kept)


@pytest.mark.no_cover
def test_a_run_has_the_trend_of_earlier_runs(runs: Path, monkeypatch: Patch) -> None:
    numbers: dict[int, list[Any]] = {}
    for month in (7, 6, 8):  # The report of June comes late.

        def write(*arguments: Any, month: int = month) -> str:
            _, folder, _, _, trend, *_ = arguments
            numbers[month] = [row[2:5] for row in trend]
            return write_plainly(folder)

        monkeypatch.setattr("analyzer.runs.outputs.write_all", write)
        users = [a_user(f"user{number}") for number in range(month)]
        assert exporting_day(runs, f"2026-{month:02}-01", *users, ASLEEP) == 0
    july = (7, 1, 8)
    assert numbers == {7: [july], 6: [(6, 1, 7)], 8: [(6, 1, 7), july, (8, 1, 9)]}
    assert record_of(runs / "latest")["users"] == {**NONE, "unused": 8, "dormant": 1}


def test_the_summary_shows_the_trend_in_numbers_and_a_chart() -> None:
    runs = [a_run(f"2026-0{month}", unused=month, dormant=1) for month in (6, 7)]
    june, july = runs
    account = {"account": "1", "as_of": "2026-07-01T00:00:00Z", "roots": 1}
    covered = [CoveredAccount.model_validate(account)]
    ours = july.record.model_copy(update={"covered": covered})
    later = replace(june, record=june.record.model_copy(update={"parameters": {"grace_days": 8}}))
    now, runs = datetime(2026, 8, 1, tzinfo=UTC), [june, later, replace(july, record=ours)]
    frame = trend_frame(trend(runs, "now", now, {**NONE, Verdict.UNUSED: 8}, (), {}))
    analysis = analyzer.analyze(analysis_of([a_user()]).report, book=analyzer.rulebook("cis-7.0"))
    file = file_of(analysis, trend=frame)
    rows = values(opened(file)["Summary"])
    assert ("Controls", f"{analysis.rule_results.control_summary}.") in [row[:2] for row in rows]
    at = next(number for number, row in enumerate(rows) if row[0] == "Trend: users by month")
    assert [row[:4] for row in rows[at + 1 : at + 5]] == [
        ("As of (UTC)", "unused", "retired or dormant", "all IAM users"),
        ("2026-06-01", 6, 1, 7),
        ("2026-07-01", 7, 1, 8),
        ("2026-08-01", 8, 0, 8),
    ]
    note = "Other accounts or criteria than in this run, not comparable: 2026-07-01."
    comparable = values(opened(file_of(analysis, trend=frame[::2]))["Summary"])
    assert [("Note", note) in [row[:2] for row in of] for of in (rows, comparable)] == [True, False]
    chart = parts(file)["xl/charts/chart3.xml"].decode()
    for cells in ("$A$", "$B$", "$C$", "$D$"):
        assert f"'Summary'!{cells}{at + 3}:{cells}{at + 5}" in chart
    assert {*("circle", "square", "triangle")} <= {*chart.split('"')}
