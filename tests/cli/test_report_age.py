"""--max-report-age refuses reports that are too old, at the moment that the command line names."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from analyzer.cli import export, inputs
from analyzer.runs.run_folders import LAST_RUN
from tests.support.builders import a_user, report_text, run, saved
from tests.support.reading import OTHER_ACCOUNT, of_account
from tests.support.runs import console_report, visible

NOW = datetime(2026, 6, 8, 9, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    for command in (export, inputs):
        monkeypatch.setattr(command, "utc_now", lambda: NOW)


def code_and_messages(*words: object) -> tuple[int, str]:
    done = run("analyze", *words, "-q", "-f", "line")
    assert bool(done.output) is (done.code != 3)
    return done.code, done.messages


@pytest.mark.parametrize(("days", "code"), [(6, 3), (7, 0), (8, 0)])
def test_a_report_that_is_as_old_as_the_limit_is_read(tmp_path: Path, days: int, code: int) -> None:
    report = console_report(tmp_path, "2026-06-01", a_user("ann"))
    found, message = code_and_messages(report, "--max-report-age", days)
    limit = f"as of 2026-06-01 09:30 UTC, 7.0 days old; --max-report-age is {days} days\n"
    assert (found, limit in message) == (code, code == 3)


def test_each_old_report_is_named_and_skipping_unreadable_files_skips_none(tmp_path: Path) -> None:
    console_report(tmp_path, "2026-05-01", a_user("ann"))
    other = "status_reports_2026-05-02T09-30-00+00-00.csv"
    saved(tmp_path, of_account(OTHER_ACCOUNT, a_user("ann")), other)
    code, message = code_and_messages(tmp_path, "--max-report-age", "7", "--skip-unreadable")
    assert (code, message.count("days old; --max-report-age is 7 days")) == (3, 2)


def test_a_day_counts_from_its_start_and_an_assumed_time_says_so(tmp_path: Path) -> None:
    (tmp_path / "2026-06-07").mkdir()
    text = report_text([a_user("ann")])
    report = saved(tmp_path / "2026-06-07", text, "report.csv")
    code, message = code_and_messages(report, "--max-report-age", "1")
    assert (code, "1.4 days old; --max-report-age is 1 day\n" in message) == (3, True)
    code, message = code_and_messages(saved(tmp_path, text, "report.csv"), "--max-report-age", "1")
    assert (code, "Its time is assumed and may be later" in message) == (3, True)


@pytest.mark.parametrize(
    ("time", "code"),
    [("2026-06-09T09:30:00Z", 0), ("2026-06-09T09:31:00Z", 3)],
)
def test_a_report_of_the_future_is_refused(tmp_path: Path, time: str, code: int) -> None:
    report = saved(tmp_path, report_text([a_user("ann")]), "report.csv")
    found, message = code_and_messages(report, "--max-report-age", "1", "--as-of", time)
    assert (found, "more than a day later than the clock of this machine" in message) == (
        code,
        code == 3,
    )


LATER = "more than a day later than the clock of this machine, 2026-06-08 09:30 UTC"
LATER_NAMES = (
    # The name of a report, and whether it is later than the clock by more than a day.
    ("status_reports_2026-06-09T09-30-00+00-00.csv", False),
    ("status_reports_2026-06-09T09-31-00+00-00.csv", True),
    ("status_reports_2028-03-01T09-30-00+00-00.csv", True),
    ("2026-06-09/report.csv", False),
    ("2026-06-10/report.csv", True),
)


@pytest.mark.parametrize(("name", "is_later"), LATER_NAMES)
def test_a_report_later_than_the_clock_is_refused_by_export_and_noted_by_analyze(
    tmp_path: Path, name: str, *, is_later: bool
) -> None:
    (path := tmp_path / name).parent.mkdir(exist_ok=True)
    saved(path.parent, report_text([a_user("ann")]), path.name)
    runs, output = tmp_path / "runs", tmp_path / "users.csv"
    refused = run("export", "--from", path.parent, "--out-dir", runs, "-q")
    assert (refused.code, LATER in refused.messages) == ((3, True) if is_later else (0, False))
    assert "--skip-unreadable" not in refused.messages
    assert (runs / "latest").exists() is not is_later
    noted = run("analyze", path, "-o", output)
    assert (noted.code, LATER in noted.messages) == (0, is_later)
    assert noted.messages.count("Set the clock, or remove the report of a wrong time.") == is_later
    assert LATER not in output.read_text()
    assert run("analyze", path, "-o", output, "-q").messages == ""


def test_the_time_that_a_person_sets_is_not_the_time_of_a_report(tmp_path: Path) -> None:
    report = console_report(tmp_path, "2026-06-01", a_user("ann"))
    done = run("analyze", report, "--as-of", "2028-01-01", "-o", tmp_path / "users.csv")
    assert (done.code, LATER in done.messages) == (0, False)


def test_a_report_that_a_newer_one_replaces_is_not_asked_for_its_time(tmp_path: Path) -> None:
    console_report(tmp_path / "reports", "2028-06-01", a_user("ann"))
    console_report(tmp_path / "reports", "2029-06-01", a_user("ann", mfa_active="true"))
    refused = run("export", "--from", tmp_path / "reports", "--out-dir", tmp_path / "runs", "-q")
    assert (refused.code, refused.messages.count(LATER), "2029-" in refused.messages) == (
        3,
        1,
        True,
    )


def test_a_run_of_an_old_report_is_refused_by_its_own_name_and_nothing_is_kept(
    tmp_path: Path,
) -> None:
    report, runs = console_report(tmp_path, "2026-06-01", a_user("ann")), tmp_path / "runs"
    words = ("export", "--from", report, "--out-dir", runs, "-q", "--max-report-age")
    refused = run(*words, 6)
    age = "as of 2026-06-01 09:30 UTC, 7.0 days old; --max-report-age is 6 days"
    assert (refused.code, f"credreport: {report}: {age}" in refused.message_line) == (3, True)
    assert (visible(runs), age in (runs / LAST_RUN).read_text()) == (set(), True)
    assert run(*words, 7).code == 0
    assert visible(runs) == {"latest", "2026-06-01T09-30-00Z"}
