"""How the last run ended stands in its folder, for monitoring, and is no run itself."""

import json
import os
import stat
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer

from analyzer.cli.export import last_run_written
from analyzer.errors import AwsRefused, Busy, InputRefused
from analyzer.runs.run_folders import LAST_RUN, sync, write_last_run
from tests.support.builders import report_text, saved, the_root
from tests.support.runs import console_report, exporting, exporting_day, hidden

pytestmark = pytest.mark.usefixtures("plain_outputs")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def last_run(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / LAST_RUN).read_bytes())
    return document


def ended(folder: Path, error: BaseException | None = None) -> None:
    """End a run at noon, with an error or well."""
    with last_run_written(folder, lambda: NOON):
        if error:
            raise error


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (None, 0, "Done."),
        (typer.Exit(1), 1, "Done. Something that is not exempt meets --fail-on."),
        (typer.Exit(5), 5, "Done. Some accounts or details are missing."),
        (AwsRefused("AWS said no."), 4, "AWS said no."),
        (InputRefused.of_file("a.csv", "damaged", "Get it."), 3, "a.csv: damaged\n    Get it."),
        (typer.BadParameter("wrong"), 2, "Invalid value: wrong"),
        (KeyboardInterrupt(), 130, "Ended by Ctrl-C."),
        (SystemExit(143), 143, "Ended by a signal."),
        (SystemExit(), 0, "Ended by a signal."),
        (ZeroDivisionError("x"), 70, "This is a bug, please report it: ZeroDivisionError('x')"),
    ],
)
def test_a_run_leaves_when_and_how_it_ended_and_ends_as_before(
    tmp_path: Path, error: BaseException | None, code: int, message: str
) -> None:
    with pytest.raises(type(error)) if error else nullcontext():
        ended(tmp_path, error)
    record = last_run(tmp_path)
    assert (record["kind"], record["when"]) == ("last-run", "2026-03-01T12:00:00Z")
    assert (record["exit_code"], record["message"]) == (code, message)


def test_another_run_at_work_writes_nothing(tmp_path: Path) -> None:
    write_last_run(tmp_path, NOON, 0, "Done.", {})
    with pytest.raises(Busy):
        ended(tmp_path, Busy("another"))
    assert last_run(tmp_path)["exit_code"] == 0


def test_a_folder_that_is_not_there_is_not_made_for_it(tmp_path: Path) -> None:
    write_last_run(tmp_path / "runs", NOON, 2, "wrong", {})
    assert not (tmp_path / "runs").exists()


def test_where_it_cannot_be_written_the_run_ends_as_it_would(tmp_path: Path) -> None:
    (tmp_path / LAST_RUN).mkdir()
    ended(tmp_path)
    with pytest.raises(AwsRefused):
        ended(tmp_path, AwsRefused("no"))


def test_it_is_private_at_first_and_keeps_the_mode_that_it_was_given(tmp_path: Path) -> None:
    path = tmp_path / LAST_RUN
    write_last_run(tmp_path, NOON, 0, "Done.", {})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    write_last_run(tmp_path, NOON, 0, "Done.", {})
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_each_export_writes_it(tmp_path: Path) -> None:
    runs, reports = tmp_path / "runs", tmp_path / "reports"
    assert exporting_day(runs, "2026-06-01") == 0
    assert last_run(runs)["exit_code"] == 0
    damaged = saved(reports, "user,arn\n", "damaged.csv")
    assert exporting(runs, "--from", reports) == 3
    assert str(damaged) in last_run(runs)["message"]
    assert hidden(runs) == set()
    assert exporting(runs, "--role-name", "x") == 2
    assert last_run(runs)["exit_code"] == 2


def test_it_names_the_run_and_the_oldest_and_newest_as_of_of_its_reports(tmp_path: Path) -> None:
    runs, reports = tmp_path / "runs", tmp_path / "reports"
    first, second = "2026-06-01", "2026-06-03"
    other = report_text([], root=the_root("222233334444"))
    console_report(reports, first)
    for newest, unchanged in ((first, False), (first, True), (second, False)):
        if newest == second:
            console_report(reports, second).write_text(other)
        assert exporting(runs, "--from", reports) == 0
        record = last_run(runs)
        assert (record["run"], record["unchanged"]) == (f"{newest}T09-30-00Z", unchanged)
        moments = record["oldest_as_of"], record["as_of"]
        assert moments == (f"{first}T09:30:00Z", f"{newest}T09:30:00Z")


def test_where_the_system_opens_no_folder_only_files_are_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.delattr(os, "O_DIRECTORY")
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    sync(tmp_path)
    assert flushed == []
    sync(tmp_path / "file")
    assert len(flushed) == 1
