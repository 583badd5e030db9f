"""The exit code tells the truth, what is wrong is said, and what was there before is intact."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from shutil import copytree
from typing import TextIO

import pytest
from filelock import FileLock

from analyzer import errors
from analyzer.cli import main, streams
from analyzer.cli.command import SUMMARIES
from analyzer.decisions.ledger import ledger_bytes
from tests.support.aws_server import on_loopback_only
from tests.support.builders import (
    AS_OF,
    ROOT_FOLDER,
    a_user,
    report_text,
    run,
    saved,
    table,
)
from tests.support.decisions import line
from tests.support.outputs import CONSOLE, HEADER_OF_EXEMPTIONS
from tests.support.processes import files_up_to, python
from tests.support.reading import envelope
from tests.support.runs import console_report, have_plain_outputs

Patch = pytest.MonkeyPatch
Capture = pytest.CaptureFixture[str]


def test_a_run_ends_with_0_or_1_with_its_outputs_written(tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    done = run("analyze", CONSOLE, "--fail-on", "retired", "-o", target, "-q")
    assert done == (1, b"", "Meets --fail-on: 3 undetermined; 4 retired\n")
    assert target.read_bytes().startswith(b"account,")
    report = saved(tmp_path, report_text([a_user()]))
    exemptions = saved(tmp_path, f"{HEADER_OF_EXEMPTIONS}\n*,*,By design,,", "exemptions.csv")
    assert run("analyze", report, "--fail-on", "unused", "--exemptions", exemptions).code == 0


def test_a_refused_input_ends_with_3_every_problem_told_and_nothing_written(tmp_path: Path) -> None:
    page = saved(tmp_path, "<!DOCTYPE html><title>Sign in</title>", "page.html")
    dates = saved(tmp_path, report_text([a_user(created="03/04/2021 10:00")]), "dates.csv")
    old = saved(tmp_path, "old", "old.csv")
    targets = ("-o", old, "-o", tmp_path / "new.json", "--format", "csv")
    done = run("analyze", page, CONSOLE, dates, tmp_path / "nowhere.csv", *targets)
    assert (done.code, done.output) == (3, b"")
    for place in (page, f"{dates}, row 3, column user_creation_time", tmp_path / "nowhere.csv"):
        assert f"{place}: " in done.messages
    assert old.read_text() == "old"
    assert not (tmp_path / "new.json").exists()


def test_the_program_ends_before_python_takes_its_objects_from_threads_that_still_run() -> None:
    late = "class Late:\n    def __del__(self): print('too late', flush=True)\nlate = Late()"
    run = subprocess.run(python(late, "--version"), capture_output=True, check=False)
    assert (run.returncode, run.stderr) == (0, b"")
    assert run.stdout.startswith(b"credreport ")
    assert b"too late" not in run.stdout


def test_a_bug_ends_with_70_and_its_traceback(capsys: Capture, monkeypatch: Patch) -> None:
    monkeypatch.setattr("analyzer.analysis.analysis.judge", None)
    code = main(["analyze", str(CONSOLE), "--fail-on", "unused"])
    shown = capsys.readouterr()
    assert (code, shown.out) == (70, "")
    assert shown.err.startswith("Traceback (most recent call last):\n")
    assert "TypeError: 'NoneType' object is not callable" in shown.err
    assert shown.err.endswith("this is a bug; please report it with the lines above.\n")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a report whose CSV is larger than any pipe and than the limit that is set."""
    users = [a_user(f"user{n:05}") for n in range(600)]
    return saved(tmp_path_factory.mktemp("large"), report_text(users))


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_a_file_that_grows_too_large_ends_with_73_and_the_old_one_is_intact(
    tmp_path: Path, large: Path, ending: str
) -> None:
    target = saved(tmp_path, "old", f"a.{ending}")
    with files_up_to(1 << 16):
        done = run("analyze", large, "-o", target, "-q")
    why = "File too large. What was there before is intact."
    assert done == (73, b"", f"credreport: {target} cannot be written: {why}\n")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {target.name: "old"}


# A sentence for every exit code

CODES = {
    1: (
        "analyze bad.csv report.csv --skip-unreadable -q --fail-on unused",
        "diff earlier.csv report.csv -q --fail-on new",
        "history earlier.csv report.csv -q --fail-on gap",
        "export --from report.csv --out-dir new -q --fail-on unused-user",
    ),
    2: (
        "",
        *(command for command in SUMMARIES if command not in {"fetch", "rules"}),
        *(f"{command} --nosuch" for command in SUMMARIES),
        "analyze report.csv -q -f names --rules root-used",
    ),
    3: (
        "analyze bad.csv -q",
        "explain ann bad.csv",
        "diff bad.csv report.csv -q",
        "history bad.csv -q",
        "collect bad.csv",
        "plan bad.csv --report report.csv --exemptions none",
        "export --from bad.csv --out-dir new -q",
    ),
    4: ("fetch", "fetch -o new", "export --out-dir new -q"),
    5: (
        "analyze bad.csv report.csv --skip-unreadable -q",
        "explain ann bad.csv report.csv --skip-unreadable",
        "diff earlier.csv two.csv -q",
        "history earlier.csv report.csv -q",
        "export --from bad.csv --from report.csv --skip-unreadable --out-dir new -q",
        "plan decisions.csv --report report.csv --exemptions exempt.csv",
    ),
    73: (
        "analyze report.csv -q -o report.csv/a.csv",
        "diff earlier.csv report.csv -q -o report.csv/a.csv",
        "history earlier.csv report.csv -q -o report.csv/a.csv",
        "collect decisions.csv -o report.csv/d.csv",
        "plan decisions.csv --report report.csv --exemptions none -o report.csv/a.sh",
        "export --from report.csv --out-dir report.csv/a -q",
    ),
    75: ("collect decisions.csv -o locked.csv", "export --from report.csv --out-dir locked -q"),
}
"""Commands by the exit code with which they end, quiet where they can be."""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a report, an earlier one, and inputs that end commands with an error."""
    folder = tmp_path_factory.mktemp("inputs")
    ann, other = a_user("ann"), a_user("eve", account="9" * 12)
    for day, name, users in (
        ("2026-01-01", "earlier.csv", []),
        ("2026-05-01", "report.csv", [ann]),
        ("2026-05-01", "two.csv", [ann, other]),
    ):
        path = console_report(folder, day, *users)
        saved(folder, envelope(path.read_text(), datetime.fromisoformat(f"{day}T09:30Z")), name)
        path.unlink()
    saved(folder, "no report", "bad.csv")
    saved(folder, f"{HEADER_OF_EXEMPTIONS}\n*,*,By design,,", "exempt.csv")
    saved(folder, ledger_bytes([line("delete", ann, as_of=AS_OF)]), "decisions.csv")
    return folder


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("words", "code"), [(words, code) for code, every in CODES.items() for words in every]
)
def test_every_exit_code_but_0_comes_with_a_sentence(
    inputs: Path, tmp_path: Path, monkeypatch: Patch, words: str, code: int
) -> None:
    folder = copytree(inputs, tmp_path / "inputs")
    (folder / "locked").mkdir()
    on_loopback_only(monkeypatch, tmp_path)
    monkeypatch.setitem(os.environ, "AWS_MAX_ATTEMPTS", "1")
    have_plain_outputs(monkeypatch)
    with FileLock(folder / ".locked.csv.lock"), FileLock(folder / "locked" / ".lock"):
        done = run(*words.split(), folder=folder)
    assert done.code == code, done.messages
    assert re.search(r"\w+ .*\w+", done.messages), words


# Standard output and standard error


def test_a_process_that_can_write_and_say_nothing_ends_with_its_exit_code() -> None:
    script = f"exec {sys.executable} -m analyzer rules >/dev/full 2>&-"
    done = subprocess.run(["sh", "-c", script], cwd=ROOT_FOLDER, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (73, b"", b"")


def test_a_standard_output_that_takes_nothing_ends_with_73_unless_only_files_are_asked_for(
    tmp_path: Path, capsys: Capture, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["analyze", str(CONSOLE), "-q", "-o", str(tmp_path / "a.csv")]) == 0
    assert (tmp_path / "a.csv").exists()
    assert main(["rules"]) == 73
    with suppress(OSError), Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert main(["rules"]) == 73
    cannot = "credreport: standard output cannot be written"
    says = f"{cannot}: it is closed.\n{cannot}: No space left on device.\n"
    assert capsys.readouterr().err == says


@contextmanager
def unread() -> Iterator[TextIO]:
    """Give a stream into a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        yield stream


def test_a_reader_who_is_gone_ends_the_program_with_a_sentence_and_looks_like_no_finding(
    large: Path, capsys: Capture, monkeypatch: Patch
) -> None:
    for words in (["--help"], ["rules"], ["analyze", str(large), "-q", "--format", "csv"]):
        with unread() as output:
            monkeypatch.setattr(sys, "stdout", output)
            assert main(words) == 141
        assert capsys.readouterr().err == f"{streams.OUTPUT_CLOSED}\n"


def test_a_standard_error_that_takes_nothing_changes_neither_result_nor_exit_code(
    capsys: Capture, monkeypatch: Patch
) -> None:
    arguments = ["analyze", str(CONSOLE), "--format", "names", "--fail-on", "retired"]
    with unread() as messages:
        monkeypatch.setattr(sys, "stderr", messages)
        assert main(arguments) == 1
    assert capsys.readouterr().out == run(*arguments).output.decode()


@pytest.mark.parametrize("nowhere", ["/dev/full", ""])
def test_a_refusal_that_cannot_be_said_keeps_its_exit_code(
    monkeypatch: Patch, nowhere: str
) -> None:
    for arguments, code in ((["analyze", "nowhere.csv"], 3), (["rules", "nosuch"], 2)):
        with suppress(OSError), ExitStack() as streams:  # what is left cannot be written either
            stream = streams.enter_context(Path(nowhere).open("w")) if nowhere else None
            monkeypatch.setattr(sys, "stderr", stream)
            ended = main(arguments)
        assert ended == code


# Ended by a signal

OLD = b"what was there before"
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


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("number", "code", "says"),
    [
        (signal.SIGINT, 130, b"credreport: ended by Ctrl-C.\n"),
        (signal.SIGTERM, 143, b"credreport: ended by SIGTERM.\n"),
        (signal.SIGHUP, 129, b"credreport: ended by SIGHUP.\n"),
        pytest.param(signal.SIGKILL, -signal.SIGKILL, b"", marks=pytest.mark.no_cover),
    ],
)
def test_a_run_that_is_ended_while_it_writes_leaves_the_old_files(
    tmp_path: Path, number: signal.Signals, code: int, says: bytes
) -> None:
    report, folder = saved(tmp_path, report_text([a_user()])), tmp_path / "out"
    targets = [saved(folder, OLD, name) for name in ("a.json", "b.csv")]
    asked = ["analyze", str(report)] + [f"-o{target}" for target in targets]
    words, pipe = python(HALF_WRITTEN, *asked), subprocess.PIPE
    with subprocess.Popen(words, cwd=ROOT_FOLDER, stdout=pipe, stderr=pipe) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == b"writing\n"
            assert ".part" in str(names(folder))
            process.send_signal(number)
            output, messages = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, output, messages) == (code, b"", says)
    assert [target.read_bytes() for target in targets] == [OLD, OLD]
    if number == signal.SIGKILL:  # What is left is removed by the next run.
        assert len(names(folder)) > 2
        assert main([*asked, "-q"]) == 0
        assert len(table(targets[1].read_bytes())) == 1
    assert names(folder) == {"a.json", "b.csv"}


UNDER_NOHUP = """
import os, signal
signal.signal(signal.SIGHUP, signal.SIG_IGN)
import analyzer.cli

def hung_up(arguments, main=analyzer.cli.main):
    os.kill(os.getpid(), signal.SIGHUP)
    return main(arguments)

analyzer.cli.main = hung_up
"""


def test_a_run_under_nohup_goes_on_when_its_terminal_is_closed(tmp_path: Path) -> None:
    report = saved(tmp_path, report_text([a_user("ann")]))
    words = python(UNDER_NOHUP, "analyze", report, "--format", "names")
    done = subprocess.run(words, cwd=ROOT_FOLDER, capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (0, b"ann\n")


def test_every_error_has_an_exit_code_of_its_own_and_none_is_that_of_a_finding() -> None:
    leaves = set(errors.CredreportError.__subclasses__())
    codes = [leaf.exit_code for leaf in leaves]
    assert len(set(codes)) == len(codes)
    assert not {0, 1, 2, errors.BUG} & set(codes)


def test_skip_unreadable_is_named_where_other_files_can_be_read(tmp_path: Path) -> None:
    saved(tmp_path, "bad", "bad.csv")
    saved(tmp_path, report_text([a_user("ann")]), "report.csv")
    (tmp_path / "reports").mkdir()
    saved(tmp_path / "reports", "bad", "bad.csv")
    hint = "Use --skip-unreadable to go on without such files (exit code 5)."
    for words, is_named in (
        ("analyze bad.csv report.csv", True),
        ("explain ann bad.csv report.csv", True),
        ("history bad.csv report.csv", True),
        ("analyze bad.csv", False),
        ("analyze bad.csv nowhere.csv", False),
        ("analyze bad.csv nowhere.csv --skip-unreadable", False),
        ("diff bad.csv report.csv", False),
        ("export --from bad.csv --from report.csv --out-dir new", True),
        ("export --from reports --out-dir new", True),
        ("export --from bad.csv --out-dir new", False),
        ("export --from bad.csv --from nowhere.csv --out-dir new --skip-unreadable", False),
    ):
        done = run(*words.split(), folder=tmp_path)
        assert (done.code, hint in done.messages) == (3, is_named), words
