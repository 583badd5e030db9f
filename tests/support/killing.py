"""Start runs of the program that have all their imports behind them, so that a kill hits work."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.builders import ROOT_FOLDER
from tests.support.processes import unmeasured

_FORKING = """
import json, os, sys
from analyzer.cli import main
import analyzer.analysis.analysis, analyzer.analysis.rulebook, analyzer.analysis.rule_results
import analyzer.writers.tables, analyzer.writers.json, analyzer.writers.workbook
import analyzer.runs.run, analyzer.aws.fetch
for line in sys.stdin:
    arguments, variables, script = json.loads(line)
    process = os.fork()
    if process == 0:
        os.environ.update(variables)
        exec(script)
        os._exit(main(arguments))
    print(process, flush=True)
    print(os.waitpid(process, 0)[1], flush=True)
"""


class RunsToKill:
    """Begin a run and wait for its end; one at a time."""

    def __init__(self, parent: subprocess.Popen[bytes]) -> None:
        assert parent.stdin
        assert parent.stdout
        self._arguments, self._answers = parent.stdin, parent.stdout

    def begin(
        self, *arguments: str | Path, script: str = "", variables: Mapping[str, str] | None = None
    ) -> int:
        """Begin a run, after lines that spoil it, and return the number of its process."""
        call = list(map(str, arguments)), variables or {}, script
        self._arguments.write(json.dumps(call).encode() + b"\n")
        self._arguments.flush()
        return int(self._answers.readline())

    def end(self) -> int:
        """Wait for the end of the run and return its exit code, a signal as a negative one."""
        return os.waitstatus_to_exitcode(int(self._answers.readline()))


@contextmanager
def runs_to_kill() -> Iterator[RunsToKill]:
    with subprocess.Popen(
        [sys.executable, "-c", _FORKING],
        cwd=ROOT_FOLDER,
        env=unmeasured(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        yield RunsToKill(parent)
