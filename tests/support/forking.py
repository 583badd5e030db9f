"""Run `credreport` and the real AWS CLI many times over, and import them once.

A program of that name on the path hands its arguments, environment, folder and files to a process
that has imported it, which forks itself for each call: 0.1 s instead of 0.8 s. Whoever wants to
stop the program, close its files or change its locale starts it as a process of its own.
"""

import atexit
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from coverage import process_startup

from analyzer.cli.command import SUMMARIES
from tests.support.builders import ROOT_FOLDER

_PROGRAM = """#!{python} -SE
import json, os, socket, sys
calls = socket.socket(socket.AF_UNIX)
calls.connect({address!r})
call = [sys.argv[1:], dict(os.environ), os.getcwd()]
socket.send_fds(calls, [json.dumps(call).encode()], [0, 1, 2])
calls.shutdown(socket.SHUT_WR)
sys.exit(int(calls.recv(16) or 70))
"""

_IMPORTED = (
    *(f"analyzer.cli.{name}" for name in SUMMARIES),
    *("analyzer.runs.run", "analyzer.changes.history", "analyzer.analysis.explanation"),
    *(f"analyzer.writers.{form}" for form in ("tables", "json", "workbook", "workbook.history")),
    *("rich.markdown", "rich.progress", "typer.rich_utils"),
)
"""What takes most of the time of those commands that import it."""


@functools.cache
def forking(name: str) -> Path:
    """Return the path of a program that forks one which has imported what it needs."""
    folder = tempfile.TemporaryDirectory(prefix=f"{name}-")
    program, address = Path(folder.name, name), str(Path(folder.name, "calls"))
    program.write_text(_PROGRAM.format(python=sys.executable, address=address))
    program.chmod(0o755)
    variables = {key: text for key, text in os.environ.items() if not key.startswith("COV")}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.forking", name, address],
        cwd=ROOT_FOLDER,
        env=variables,
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    process.stdout.close()
    atexit.register(folder.cleanup)
    atexit.register(process.kill)
    return program


def _aws() -> Callable[[list[str]], int]:
    driver = import_module("awscli.clidriver").create_clidriver()
    # What is read of botocore's files once is half of the time of a call.
    loader = driver.session.get_component("data_loader")
    for kind in ("service-2", "paginators-1", "waiters-2"):
        loader.list_available_services(kind)
    for service in ("iam", "sts"):
        loader.load_service_model(service, "service-2")
        loader.load_service_model(service, "endpoint-rule-set-1")
    for name in ("endpoints", "partitions", "sdk-default-configuration"):
        loader.load_data(name)
    return lambda arguments: int(driver.main(arguments))


def _credreport() -> Callable[[list[str]], int]:
    for name in _IMPORTED:
        import_module(name)
    program: Callable[[list[str]], int] = import_module("analyzer.cli").main
    return program


def _measured() -> Callable[[list[str]], int]:
    """Return the program, which then prints by how many KiB its memory grew at most."""
    program = _credreport()

    def measured(arguments: list[str]) -> int:
        before = _memory("VmRSS")
        code = program(arguments)
        print(_memory("VmHWM") - before)  # noqa: T201
        return code

    return measured


def _memory(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    (size,) = (line.split()[1] for line in lines if line.startswith(f"{name}:"))
    return int(size)


def _serve(program: Callable[[list[str]], int], address: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who answer
    with socket.socket(socket.AF_UNIX) as calls:
        calls.bind(address)
        calls.listen()
        print("ready", flush=True)  # noqa: T201
        while True:
            call, _ = calls.accept()
            if os.fork() == 0:
                calls.close()
                _answer(program, call)
                os._exit(0)
            call.close()


def _answer(program: Callable[[list[str]], int], call: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    content, files, _, _ = socket.recv_fds(call, 1 << 20, 3)
    while part := call.recv(1 << 20):
        content += part
    process = os.fork()
    if process == 0:
        call.close()
        os._exit(_ended(program, files, *json.loads(content)))
    for file in (*files, 0, 1, 2):
        os.close(file)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    call.send(str(code if code >= 0 else 128 - code).encode())


def _ended(
    program: Callable[[list[str]], int],
    files: list[int],
    arguments: list[str],
    variables: dict[str, str],
    folder: str,
) -> int:
    """Run the program with what the caller has, and return its exit code."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    encoding = variables.get("PYTHONIOENCODING", "utf-8")
    sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding=encoding) for number in (1, 2))
    coverage = process_startup()
    code = program(arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    if coverage:
        coverage.stop()
        coverage.save()
    return code


if __name__ == "__main__":
    programs = {"aws": _aws, "credreport": _credreport, "measured": _measured}
    _serve(programs[sys.argv[1]](), sys.argv[2])
