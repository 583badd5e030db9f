"""However a run is ended, the old file is intact or the new one is whole, and nothing is left."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from analyzer.cli import main
from tests.support.builders import ROOT_FOLDER, a_user, report_text, saved, table
from tests.support.killing import RunsToKill, runs_to_kill
from tests.support.processes import python

OLD = b"what was there before"
KILLS, USERS = 3, 3_000
"""How often a run is killed at a random moment, and how many users it writes."""

HALF_WRITTEN = """
import signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # though a shell may have set it aside
import analyzer.writers.tables

def write_csv(analysis, stream, *_, **__):
    stream.write(b"half a fi")
    stream.flush()
    print("writing", flush=True)
    while True:  # A signal that comes just before one long sleep would not end it.
        time.sleep(0.01)

analyzer.writers.tables.write_csv = write_csv
"""


def held(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(signal.SIGINT, 130, marks=pytest.mark.no_cover),
        (signal.SIGTERM, 143),
    ],
)
def test_a_run_that_is_stopped_leaves_the_old_files_and_nothing_else(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    report = saved(tmp_path, report_text([a_user()]))
    targets = [saved(tmp_path / "out", OLD.decode(), name) for name in ("a.json", "b.csv")]
    words = python(HALF_WRITTEN, "analyze", report, *(f"-o{target}" for target in targets))
    pipe = subprocess.PIPE
    with subprocess.Popen(words, cwd=ROOT_FOLDER, stdout=pipe, stderr=pipe) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == b"writing\n"
            assert ".part" in str(held(tmp_path / "out"))
            process.send_signal(number)
            output, messages = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, output, messages) == (code, b"", b"")
    assert held(tmp_path / "out") == {"a.json": OLD, "b.csv": OLD}


def test_ctrl_c_ends_with_130_in_this_process_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("analyzer.analysis.analysis.with_verdicts", interrupted)
    target = saved(tmp_path, OLD.decode(), "a.csv")
    report = saved(tmp_path, report_text([a_user()]))
    assert main(["analyze", str(report), "-o", str(target)]) == 130
    assert target.read_bytes() == OLD
    assert {path.name for path in tmp_path.iterdir()} == {"a.csv", "report.csv"}


def is_running(process: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(process, 0)
        return True
    return False


def begun(runs: RunsToKill, report: Path, target: Path) -> int:
    """Begin a run, and return its process once it has written its first byte."""
    process = runs.begin("analyze", report, "-q", "-o", target)
    while is_running(process) and not any(name.name[0] == "." for name in target.parent.iterdir()):
        time.sleep(0.001)
    return process


def seconds_of_writing(runs: RunsToKill, report: Path, target: Path) -> float:
    """Return how long a run writes, from the first byte on."""
    begun(runs, report, target)
    start = time.monotonic()
    assert runs.end() == 0
    return time.monotonic() - start


def killed(runs: RunsToKill, report: Path, target: Path, seconds: float) -> tuple[bytes, bool]:
    """Kill a run so many seconds after its first byte; return the file, and if it hit."""
    target.parent.mkdir()
    target.write_bytes(OLD)
    process = begun(runs, report, target)
    time.sleep(seconds)
    with suppress(ProcessLookupError):  # it has ended
        os.kill(process, signal.SIGKILL)
    is_hit = runs.end() == -signal.SIGKILL
    return target.read_bytes(), is_hit


@pytest.fixture(scope="module")
def runs() -> Iterator[RunsToKill]:
    with runs_to_kill() as runs:
        yield runs


@pytest.mark.no_cover
def test_a_run_that_is_killed_while_it_writes_leaves_the_old_file_or_a_whole_new_one(
    runs: RunsToKill, tmp_path: Path
) -> None:
    report = saved(tmp_path, report_text([a_user(f"user{n:05}") for n in range(USERS)]))
    name = "review.csv"
    (tmp_path / "whole").mkdir()
    targets = [tmp_path / f"killed{n}" / name for n in range(KILLS)]
    lasting = seconds_of_writing(runs, report, tmp_path / "whole" / name)
    whole = (tmp_path / "whole" / name).read_bytes()
    assert len(table(whole)) == USERS
    moments = [0.0, *(random.uniform(0, 1.2 * lasting) for _ in range(KILLS - 1))]
    ends = [killed(runs, report, *each) for each in zip(targets, moments, strict=True)]
    assert {content for content, _ in ends} <= {OLD, whole}
    assert any(content == OLD and hit for content, hit in ends)
    assert main(["analyze", str(report), "-q", "-o", str(targets[0])]) == 0
    assert held(targets[0].parent) == {name: whole}
