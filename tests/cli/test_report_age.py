"""--max-report-age refuses reports that are too old, at the moment that the command line names."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from analyzer.cli import inputs
from analyzer.runs.run_folders import LAST_RUN
from tests.support.builders import Run, a_user, days_before, report_text, run, saved
from tests.support.decisions import bulk, user_rows
from tests.support.reading import OTHER_ACCOUNT, of_account
from tests.support.runs import console_report, visible

NOW = datetime(2026, 6, 8, 9, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "utc_now", lambda: NOW)


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


LATER = "as of 2026-06-09 09:31 UTC, later than this machine's clock, 2026-06-08 09:30 UTC"


@pytest.mark.parametrize(
    ("time", "is_late"), [("2026-06-09T09:30:00Z", False), ("2026-06-09T09:31:00Z", True)]
)
def test_a_report_more_than_a_day_later_than_the_clock_is_refused_where_its_age_counts(
    tmp_path: Path, time: str, *, is_late: bool
) -> None:
    report = saved(tmp_path, report_text([a_user("ann")]), "report.csv")
    code, message = code_and_messages(report, "--max-report-age", "1", "--as-of", time)
    assert (code, LATER in message) == (3 if is_late else 0, is_late)
    code, message = code_and_messages(report, "--as-of", time)
    assert (code, f"Note: {report}: {LATER}." in message) == (0, is_late)


def command(name: str, folder: Path, report: Path) -> Run:
    """Run what acts on decisions, or keeps reports, with a report."""
    cells = user_rows(ANN, as_of=datetime(2026, 6, 1, 9, 30, tzinfo=UTC))
    entry = ("delete", "Anna", "2026-06-02", "", "")
    listed = saved(folder, bulk(cells, entry), "list.csv")
    words = {
        "export": ("--from", report, "--out-dir", folder / "runs"),
        "collect": (listed, "--report", report),
        "plan": (listed, "--report", report, "--exemptions", "none"),
    }
    return run(name, *words[name])


ANN = a_user("ann", created=days_before(900))


@pytest.mark.parametrize("name", ["export", "collect", "plan"])
@pytest.mark.parametrize(("day", "is_late"), [("2026-06-09", False), ("2028-01-01", True)])
def test_what_acts_on_decisions_refuses_a_report_later_than_the_clock(
    tmp_path: Path, name: str, day: str, *, is_late: bool
) -> None:
    reports = tmp_path / "reports"
    console_report(reports, "2026-06-01", ANN)
    late = console_report(reports, day, ANN)
    done = command(name, tmp_path, reports)
    says = f"{late}: as of {day} 09:30 UTC, later than this machine's clock, 2026-06-08 09:30 UTC"
    assert (done.code == 3, says in done.message_line) == (is_late, is_late)
    assert not (is_late and (tmp_path / "runs" / "latest").exists())


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
