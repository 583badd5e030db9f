"""However a run of export ends, no half run is ever seen and the next one works."""

import json
import os
import random
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from tests.support.aws_server import an_account, environment, serving
from tests.support.builders import a_user
from tests.support.killing import RunsToKill, runs_to_kill
from tests.support.processes import files_up_to
from tests.support.runs import (
    SAMPLE,
    check_folder,
    console_report,
    exporting,
    exporting_day,
    hidden,
    visible,
)

Patch = pytest.MonkeyPatch
Capture = pytest.CaptureFixture[str]
KILLS = 4
PLAIN_WORKBOOK = (
    "from analyzer.runs import outputs, run\n"
    "run._runs_to_compare = lambda *_: ((), None)\n"
    "outputs.write_workbook = lambda _, stream, **__: stream.write(b'book')"
)


@pytest.fixture(scope="module")
def programs() -> Iterator[RunsToKill]:
    with runs_to_kill() as programs:
        yield programs


def killed(runs: RunsToKill, arguments: Sequence[str | Path], seconds: float) -> bool:
    """Kill a run after so many seconds, and tell whether that hit it."""
    process = runs.begin(*arguments, script=PLAIN_WORKBOOK)
    time.sleep(seconds)
    with suppress(ProcessLookupError):  # it has ended
        os.kill(process, signal.SIGKILL)
    return runs.end() == -signal.SIGKILL


@pytest.mark.usefixtures("plain_outputs")
def test_a_run_that_is_killed_at_any_moment_leaves_complete_runs_and_the_next_works(
    tmp_path: Path, programs: RunsToKill
) -> None:
    out = tmp_path / "runs"
    hits, lasting = [], 0.0
    for number in range(-2, KILLS):  # The first run warms up, the second is timed.
        day = f"2026-06-{number + 3:02}"
        report = console_report(tmp_path, day, a_user(f"user-{number}"))
        arguments = ("export", "--from", report, "--out-dir", out, "--keep", "2", "-q")
        if number >= 0:
            seconds = lasting * (number + random.random()) / KILLS
            hits.append(killed(programs, arguments, seconds))
            check_folder(out)
            assert exporting(out, "--from", report, "--keep", "2", "-q") == 0
        else:
            start = time.monotonic()
            programs.begin(*arguments, script=PLAIN_WORKBOOK)
            assert programs.end() == 0
            lasting = time.monotonic() - start
        check_folder(out)
        assert hidden(out) == set()
        assert (out / "latest").readlink().name == f"{day}T09-30-00Z"
        assert len(visible(out)) == min(number + 3, 2) + 1
    assert sum(hits) >= KILLS / 2


DIE = """
import os, pathlib, signal
from analyzer.runs import run_folders
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
replace, remove = pathlib.Path.replace, run_folders.shutil.rmtree
def dying_replace(path, target):
    die() if target.name == "latest" else replace(path, target)
def dying_remove(path, **how):
    die() if "removing" in str(path) else remove(path, **how)
"""
OLDER, NEWER = "2026-03-01T09-30-00Z", "2026-03-02T09-30-00Z"
MOMENTS = {
    "before the rename": ("pathlib.Path.rename = die", "9", {OLDER}, OLDER),
    "before the link": ("pathlib.Path.replace = dying_replace", "9", {OLDER, NEWER}, OLDER),
    "while it removes": ("run_folders.shutil.rmtree = dying_remove", "1", {NEWER}, NEWER),
}


@pytest.mark.usefixtures("plain_outputs", "one_run")
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_that_is_killed_at_a_delicate_moment_is_mended_by_the_next(
    runs: Path, programs: RunsToKill, moment: str
) -> None:
    script, keep, seen, latest = MOMENTS[moment]
    newer = console_report(runs.with_name("reports"), "2026-03-02")
    arguments = ("--from", newer, "--out-dir", runs, "--keep", keep, "-q")
    programs.begin("export", *arguments, script=DIE + script)
    assert programs.end() == -signal.SIGKILL
    assert visible(runs) == (set(seen) | {"latest"})
    assert len(hidden(runs)) == 1
    check_folder(runs)
    assert (runs / "latest").readlink().name == latest
    assert exporting(runs, "--from", newer, "--keep", keep) == 0
    assert (runs / "latest").readlink().name == NEWER
    assert hidden(runs) == set()
    check_folder(runs)


def test_a_killed_fetch_leaves_whole_reports_only(tmp_path: Path, programs: RunsToKill) -> None:
    folder = tmp_path / "reports"
    options = ("--organization", "--role-name", "credreport", "-q")
    with serving() as aws:
        numbers = [f"{number:012}" for number in range(4)]
        aws.accounts |= {number: an_account(number, users=50) for number in numbers}
        content = {
            f"credential-report_{account}_2026-05-01T12-30-15Z.csv": known.report
            for account, known in aws.accounts.items()
        }
        variables = environment(tmp_path, aws.url)
        begin = partial(programs.begin, "fetch", "-o", folder, *options, variables=variables)
        aws.latency = 0.05
        seen = 0
        for _ in range(3):
            process = begin()
            deadline = time.monotonic() + 30
            while len(list(folder.glob("[!.]*"))) <= seen and time.monotonic() < deadline:
                time.sleep(0.002)
            time.sleep(random.uniform(0, 0.2))
            with suppress(ProcessLookupError):  # it has ended
                os.kill(process, signal.SIGKILL)
            programs.end()
            reports = {path.name: path.read_bytes() for path in folder.glob("[!.]*.csv")}
            assert reports.items() <= content.items()
            for name in reports:
                assert (folder / f"{name}.metadata.json").read_bytes().endswith(b"}\n")
            seen = min(len(list(folder.glob("[!.]*"))), 2 * len(content) - 4)
        aws.latency = 0
        begin()
        assert programs.end() == 0
    assert {path.name: path.read_bytes() for path in folder.glob("[!.]*.csv")} == content


STOPPED = (
    (SystemExit(143), 143, "ended by SIGTERM", "Ended by a signal."),
    (KeyboardInterrupt(), 130, "ended by Ctrl-C", "Ended by Ctrl-C."),
    (SystemExit(129), 129, "ended by SIGHUP", "Ended by a signal."),
)


@pytest.mark.parametrize("end", STOPPED, ids=lambda end: str(end[1]))
def test_a_stopped_run_leaves_nothing_and_says_so_once(
    runs: Path, monkeypatch: Patch, capsys: Capture, end: tuple[BaseException, int, str, str]
) -> None:
    ended, code, says, logs = end

    def stopped(*_: object) -> None:
        assert len(hidden(runs)) == 1
        raise ended

    monkeypatch.setattr("analyzer.runs.outputs.write_all", stopped)
    assert exporting(runs, "--from", SAMPLE, "-q") == code
    assert capsys.readouterr().err == f"credreport: {says}.\n"
    assert exporting(runs, "--from", SAMPLE, "-q", "--log-format", "json") == code
    (line,) = capsys.readouterr().err.splitlines()
    event = json.loads(line)
    assert (event["level"], event["exit_code"], event["message"]) == ("error", code, logs)
    assert visible(runs) == hidden(runs) == set()


def check_intact(one_run: Path) -> None:
    """Hold a folder of runs to the one that was there."""
    assert visible(one_run.parent) == {one_run.name, "latest"}
    assert hidden(one_run.parent) == set()
    check_folder(one_run.parent)


@pytest.mark.parametrize("most", [1_000, 50_000])
def test_a_disk_that_takes_no_more_leaves_what_was_there(
    one_run: Path, most: int, capsys: Capture
) -> None:
    users = [a_user(f"user-{number}") for number in range(90)]
    report = console_report(one_run.parent.with_name("reports"), "2026-06-01", *users)
    with files_up_to(most):
        assert exporting(one_run.parent, "--from", report, "--quiet") == 73
    message = capsys.readouterr().err
    assert "cannot be written: File too large." in message
    assert ".credreport" not in message
    assert message.count("\n") == 1
    check_intact(one_run)


@pytest.mark.usefixtures("plain_outputs")
def test_a_disk_full_at_last_leaves_all(one_run: Path, monkeypatch: Patch, capsys: Capture) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    assert exporting_day(one_run.parent, "2026-06-01") == 73
    told = "cannot be written: No space left on device. All complete runs in it are intact."
    assert f"{one_run.parent} {told}" in capsys.readouterr().err
    check_intact(one_run)


@pytest.mark.no_cover
@pytest.mark.usefixtures("plain_outputs")
def test_a_folder_that_may_only_be_read_is_an_error(runs: Path, capsys: Capture) -> None:
    assert exporting(runs, "--from", SAMPLE) == 0  # imports what another user may not read
    capsys.readouterr()
    place = Path(f"/tmp/credreport-test-{os.getpid()}")  # tmp_path is closed to others
    place.mkdir()
    place.chmod(0o555)
    if os.geteuid() == 0:
        os.seteuid(65534)
    try:
        for out in (place, place / "runs"):
            assert exporting(out, "--from", SAMPLE) == 73
            (message,) = capsys.readouterr().err.splitlines()
            assert message.startswith(f"credreport: {out} cannot be written: ")
        assert list(place.iterdir()) == []
    finally:
        os.seteuid(os.getuid())
        place.rmdir()
