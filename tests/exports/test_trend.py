"""The trend counts the users of the newest runs."""

from pathlib import Path

from analyzer.exports.runs import Run
from analyzer.exports.trend import COLUMNS, NEWEST, trend, user_counts


def a_run(folder: Path, month: int, *verdicts: str) -> Run:
    path = folder / f"20{month:02}-01-01T00-00-00Z"
    path.mkdir()
    rows = "".join(f"ann,{verdict}\n" for verdict in verdicts)
    (path / "users.csv").write_text(f"user,verdict\n{rows}")
    return Run(path, {"as_of": f"20{month:02}-01-01T00:00:00Z"})


def test_unused_inactive_and_all_users_are_counted_per_run(tmp_path: Path) -> None:
    words = ("unused", "unused", "retired", "dormant", "active", "undetermined", "not-covered")
    frame = trend([a_run(tmp_path, 20, "active"), a_run(tmp_path, 21, *words)])
    assert frame[["unused", "inactive", "users"]].to_numpy().tolist() == [[0, 0, 1], [2, 2, 6]]
    assert frame["run"].tolist() == ["2020-01-01T00-00-00Z", "2021-01-01T00-00-00Z"]
    assert str(frame["as_of"].dtype) == "datetime64[s, UTC]"


def test_only_the_newest_runs_are_read(tmp_path: Path) -> None:
    runs = [a_run(tmp_path, year, "unused") for year in range(10, 10 + NEWEST + 1)]
    assert trend(runs)["run"].tolist() == [run.name for run in runs[1:]]


def test_without_runs_there_are_columns_and_no_rows() -> None:
    frame = trend([])
    assert tuple(frame.columns) == COLUMNS
    assert frame.empty
    assert user_counts({}) == (0, 0, 0)
