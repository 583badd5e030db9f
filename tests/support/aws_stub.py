"""Put a fast program named `aws` on the path, which asks an account in this process.

It answers in some milliseconds: a shell that writes the call into a pipe and reads the answer from
a file, when another pipe says that it is there.
"""

import csv
import io
import json
import os
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from analyzer.decisions.fate import Fate
from analyzer.decisions.plan import removal_script
from analyzer.decisions.removal_log import LOG_COLUMNS
from analyzer.report.model import FileReference
from tests.support.aws_account import ACCOUNT, AwsAccount, AwsError, stated

LEDGER = b"decision,decided_by\ndelete,Ann\n"
LEDGERS = (FileReference(name="reviews/decisions.csv", sha256=sha256(LEDGER).hexdigest()),)
LOG = "credreport-removals.csv"
UNDO = "undo-credreport-removals.sh"
UNIT, RECORD = "\x1f", "\x1e"

_AWS = r"""#!/bin/sh
if read -r _; then exit 99; fi # what is on standard input is the script's own
{ printf '%s\037' $$ "$@"; printf '\036'; } >'FOLDER/asked'
read -r code <'FOLDER/answered'
while IFS= read -r line; do
  if [ "$code" = 0 ]; then printf '%s\n' "$line"; else printf '%s\n' "$line" >&2; fi
done <'FOLDER/answer'
exit "$code"
"""
_DATE = "#!/bin/sh\nread -r now <'{now}'\nprintf '%s\\n' \"$now\"\n"


class ScriptRun(NamedTuple):
    """Hold how a script ended, what it printed, and the whole lines of its log."""

    code: int
    output: str
    messages: str
    log: list[dict[str, str]]

    def results(self) -> dict[str, str]:
        """Return the result in the last line of each ARN."""
        return {line["arn"]: line["result"] for line in self.log}


class AwsStub:
    """Run scripts of one shell in an account; `now` is what the clock says.

    `kill_at` says when a script is killed: `before` or `after`, and the number of the changing
    call; `kill_by` is the signal.
    """

    def __init__(
        self, folder: Path, shell: str = "sh", version: int = 1, now: datetime | None = None
    ) -> None:
        self.folder, self.shell = folder, shell
        self.account = AwsAccount(version)
        self.kill_at: tuple[str, int] | None = None
        self.kill_by = signal.SIGKILL
        self.calls: list[list[str]] = []
        self.now = now
        self._programs = folder / "bin"
        self._programs.mkdir()
        self._program("aws", _AWS.replace("FOLDER", str(folder)))

    def changes(self) -> list[list[str]]:
        """Return the calls that would change something, without `iam` and the output format."""
        return [call[1:-1] for call in self.calls if not call[1].startswith(("get-", "list-"))]

    def run(self, script: str, /, **variables: str) -> ScriptRun:
        """Run a script in this account, with the time that `now` says."""
        if self.now is not None:
            (self.folder / "now").write_text(stated(self.now.astimezone(UTC)) + "\n")
            self._program("date", _DATE.format(now=self.folder / "now"))
        path = f"{self._programs}:{os.environ['PATH']}"
        with self._answering():
            return run_script(self.shell, script, self.folder, {"PATH": path} | variables)

    def apply(self, *removals: Fate, **variables: str) -> ScriptRun:
        """Carry out removals in the account."""
        script = removal_script(removals, ledgers=LEDGERS)
        return self.run(script, **{"APPLY": ACCOUNT, **variables})

    def preview(self, *removals: Fate) -> ScriptRun:
        """Show what would be done with removals."""
        return self.run(removal_script(removals, ledgers=LEDGERS))

    def backups(self) -> list[dict[str, Any]]:
        """Return what was saved of users in the order in which they were saved."""
        files = list((self.folder / f"{LOG}.backup").glob("*"))
        files.sort(key=lambda file: (file.stat().st_mtime_ns, file.name))
        return [json.loads(file.read_text()) for file in files]

    def undo(self) -> list[str]:
        """Return the calls that restore what was changed."""
        file = self.folder / UNDO
        lines = file.read_text().splitlines() if file.exists() else []
        return [line for line in lines if line.startswith("restore ")]

    def untrue(self) -> list[dict[str, str]]:
        """Return the ends in the log that the account contradicts; each change was begun there."""
        log = log_lines((self.folder / LOG).read_text())
        begun = Counter(line["step"] for line in log if line["result"] == "begin")
        assert begun == Counter(change[0] for change in self.changes())
        return [line for line in log if line["step"] == "end" and self._contradicts(line)]

    def _contradicts(self, line: dict[str, str]) -> bool:
        """Return whether the user is there and should be gone, or has access and should not."""
        known = {(user.arn, user.created): user for user in self.account.users.values()}
        user = known.get((line["arn"], line["created"]))
        if user is None or line["result"] not in {"gone", "done"}:
            return False
        return line["result"] == "gone" or line["decision"] == "delete" or user.has_access

    def _program(self, name: str, text: str) -> None:
        file = self._programs / name
        file.unlink(missing_ok=True)  # It may be a link to the real program.
        file.write_text(text)
        file.chmod(0o755)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        pipes = [self.folder / name for name in ("asked", "answered")]
        for pipe in pipes:
            os.mkfifo(pipe)
        asked, answered = (os.open(pipe, os.O_RDWR) for pipe in pipes)
        thread = threading.Thread(target=self._answer_all, args=(asked, answered))
        thread.start()
        try:
            yield
        finally:
            os.write(asked, RECORD.encode())
            thread.join()
            for number, pipe in zip((asked, answered), pipes, strict=True):
                os.close(number)
                pipe.unlink()
            (self.folder / "answer").unlink(missing_ok=True)

    def _answer_all(self, asked: int, answered: int) -> None:
        """Answer each call in the pipe; an empty one is the last."""
        text = ""
        while not text.startswith(RECORD):
            if RECORD not in text:
                text += os.read(asked, 1 << 16).decode()
                continue
            record, _, text = text.partition(RECORD)
            process, *call = record.split(UNIT)[:-1]
            self.calls.append(call)
            code = 70
            try:
                code = self._answer(int(process), call)
            finally:
                os.write(answered, f"{code}\n".encode())

    def _answer(self, process: int, call: list[str]) -> int:
        """Write the answer to a call into the file for it, and return the exit code."""
        command, words = call[1], call[2:]
        options = dict(word.removeprefix("--").split("=", 1) for word in words)
        if self._kills(process, "before", call):
            return 70
        try:
            text, code = self.account.answer(command, options), 0
        except AwsError as refused:
            text, code = self._problem(command, str(refused)), 254
        self._kills(process, "after", call)
        (self.folder / "answer").write_text(text)
        return code

    def _problem(self, command: str, code: str) -> str:
        operation = "".join(word.title() for word in command.split("-"))
        start = "aws: [ERROR]: " if self.account.version == 2 else ""
        text = f"An error occurred ({code}) when calling the {operation} operation: "
        return f'\n{start}{text}=no, "no"\n'

    def _kills(self, process: int, when: str, call: list[str]) -> bool:
        """Kill the script if it is time to, and return whether."""
        changes = self.changes()
        if self.kill_at != (when, len(changes)) or changes[-1] != call[1:-1]:
            return False
        self.kill_at = None
        os.killpg(os.getpgid(process), self.kill_by)
        return True


def run_script(shell: str, script: str, folder: Path, variables: Mapping[str, str]) -> ScriptRun:
    """Run a script beside its ledger, with the folder as working directory; read its log there."""
    file = folder / "script.sh"
    file.write_text(script)
    ledger = folder / "decisions.csv"
    if not ledger.exists():
        ledger.write_bytes(LEDGER)
    ended = subprocess.run(
        [shell, file],
        cwd=folder,
        env={"TMPDIR": str(folder), **variables},
        input="what a script must not read\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        start_new_session=True,  # a kill of its process group ends nothing else
    )
    log = folder / LOG
    lines = log_lines(log.read_text()) if log.is_file() else []
    return ScriptRun(ended.returncode, ended.stdout, ended.stderr, lines)


def log_lines(text: str) -> list[dict[str, str]]:
    """Return the whole lines of a log: a kill may have cut one off; none of a file that is none."""
    header, *lines = csv.reader(io.StringIO(text))
    if tuple(header) != LOG_COLUMNS:
        return []
    whole = (line for line in lines if len(line) == len(LOG_COLUMNS))
    return [dict(zip(header, line, strict=True)) for line in whole]
