"""Put a fast program named `aws` on the path: it answers from files and records its arguments."""

import csv
import io
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from analyzer.removal_script import LOG_COLUMNS

UNIT, RECORD = "\x1f", "\x1e"

_PROGRAM = r"""#!/bin/sh
for argument in "$@"; do printf '%s\037' "$argument"; done >>CALLS
printf '\036' >>CALLS
subject=
for argument in "$@"; do
  case $argument in --user-name=* | --access-key-id=*) subject=${argument#*=}; break ;; esac
done
subject=$(printf '%s' "$subject" | od -An -v -tx1 | tr -d ' \n')
cat >/dev/null # what is on standard input is the script's own
for name in "$2.$subject" "$2"; do
  if [ -f "ANSWERS/$name.err" ]; then cat "ANSWERS/$name.err" >&2; exit 254; fi
  if [ -f "ANSWERS/$name" ]; then cat "ANSWERS/$name"; exit 0; fi
done
"""


class ScriptRun(NamedTuple):
    """Hold how a script ended, what it printed, and the lines of its log."""

    code: int
    output: str
    messages: str
    log: list[dict[str, str]]

    def results(self) -> dict[str, str]:
        """Return the result in the last line of each ARN."""
        return {line["arn"]: line["result"] for line in self.log}


class AwsStub:
    """Be an AWS CLI without AWS: nothing is listed, no user exists, each change succeeds.

    `subject` is the user name, or the access key where the call has no user name.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answers = folder / "answers"
        self.answers.mkdir()
        self._calls = folder / "calls"
        program = folder / "bin" / "aws"
        program.parent.mkdir()
        text = _PROGRAM.replace("CALLS", f"'{self._calls}'").replace("ANSWERS", str(self.answers))
        program.write_text(text)
        program.chmod(0o755)
        self.refuse("get-user", "NoSuchEntity")
        self.refuse("get-login-profile", "NoSuchEntity")
        self.answer("get-access-key-last-used", "None")

    def answer(self, command: str, *lines: str, subject: str | None = None) -> None:
        self._file(command, subject).write_text("".join(f"{line}\n" for line in lines))

    def refuse(self, command: str, code: str, subject: str | None = None) -> None:
        operation = "".join(word.title() for word in command.split("-"))
        text = f'\nAn error occurred ({code}) when calling the {operation} operation: =no, "no"\n'
        file = self._file(command, subject)
        file.with_name(f"{file.name}.err").write_text(text)

    def calls(self) -> list[list[str]]:
        if not self._calls.exists():
            return []
        records = self._calls.read_text().split(RECORD)[:-1]
        return [record.split(UNIT)[:-1] for record in records]

    def changes(self) -> list[list[str]]:
        """Return the calls that would change something, without `iam` and the output format."""
        return [call[1:-1] for call in self.calls() if not call[1].startswith(("get-", "list-"))]

    def run(self, shell: str, script: str, **variables: str) -> ScriptRun:
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        return run_script(shell, script, self.folder, {"PATH": path, **variables})

    def _file(self, command: str, subject: str | None) -> Path:
        return self.answers / f"{command}{'' if subject is None else f'.{subject.encode().hex()}'}"


def run_script(shell: str, script: str, folder: Path, variables: Mapping[str, str]) -> ScriptRun:
    """Run a script with the folder as working directory, and read its log there, if any."""
    file = folder / "script.sh"
    file.write_text(script)
    ended = subprocess.run(
        [shell, file],
        cwd=folder,
        env={"TMPDIR": str(folder), **variables},
        input="what a script must not read\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    log = folder / "credreport-removals.csv"
    return ScriptRun(
        ended.returncode,
        ended.stdout,
        ended.stderr,
        log_lines(log.read_text()) if log.exists() else [],
    )


def log_lines(text: str) -> list[dict[str, str]]:
    header, *lines = csv.reader(io.StringIO(text), strict=True)
    assert tuple(header) == LOG_COLUMNS
    return [dict(zip(header, line, strict=True)) for line in lines]
