"""Run every command of installed programs on the samples, each with its exit code.

    .venv/bin/python -m tests.commands .venv .venv-lowest

Each environment gets a column. `fetch` asks a server on this machine.
"""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import Final

from tests.support.aws_server import environment, serving
from tests.support.builders import ROOT_FOLDER

COMMANDS: Final = {
    "analyze SAMPLE -f table -o users.csv -o a.xlsx -o a.json -o a.md -o a.html -o a.parquet"
    " --exemptions EXEMPTIONS -o findings.csv": 0,
    "explain lena.hartwig SAMPLE": 0,
    "diff EARLIER SAMPLE --fail-on unused -o changes.json": 1,
    "history EARLIER SAMPLE --max-gap 95 -o period.xlsx": 0,
    "export --from ORGANIZATION --out-dir runs --also ocsf --also parquet": 0,
    "collect decided.csv --report SAMPLE -o decisions.csv": 0,
    "plan decisions.csv --report SAMPLE --exemptions EXEMPTIONS -o remove.sh": 0,
    "verify decisions.csv decided.csv --report SAMPLE": 0,
    "rules all": 0,
    "fetch -o reports": 0,
}
"""The commands in their order, which need what those before have written, by exit code."""

_SAMPLES: Final = ROOT_FOLDER / "samples"
_PATHS: Final = {
    "SAMPLE": next(_SAMPLES.glob("status_reports_*.csv")),
    "EARLIER": _SAMPLES / "earlier",
    "ORGANIZATION": _SAMPLES / "organization",
    "EXEMPTIONS": _SAMPLES / "exemptions.csv",
}
_DECIDED: Final = "lena.hartwig"


def program(environment: str) -> Path:
    """Return the program of an environment; its folder has another name on Windows."""
    folders = [Path(environment, name) for name in ("bin", "Scripts")]
    found = which("credreport", path=os.pathsep.join(map(str, folders)))
    if not found:
        raise SystemExit(f"{environment} has no credreport")
    return Path(found).absolute()


def exit_codes(program: Path, url: str) -> list[int]:
    """Return the exit code of each command; say what a command wrote if that is not right."""
    with TemporaryDirectory() as folder:
        return [exit_code(program, command, Path(folder), url) for command in COMMANDS]


def exit_code(program: Path, command: str, folder: Path, url: str) -> int:
    """Return the exit code of a command, -1 for one that warned; say what it wrote if wrong."""
    if command.startswith("collect"):
        decide(folder)
    done = subprocess.run(
        [program] + [_PATHS.get(word, word) for word in command.split()],
        cwd=folder,
        env={name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
        | environment(folder, url),
        capture_output=True,
        text=True,
        check=False,
    )
    code = -1 if "Warning: " in done.stderr else done.returncode
    if code != COMMANDS[command]:
        print(f"{program} {command}\n{done.stderr}", file=sys.stderr)
    return code


def decide(folder: Path) -> None:
    """Put a decision to delete a user in front of its row of `users.csv`, as a script may do."""
    head, *rows = (folder / "users.csv").read_text(encoding="utf-8").splitlines()
    (row,) = [row for row in rows if f",{_DECIDED}," in row]
    decided = f"delete,Ann Example,{date.today()},,,"  # noqa: DTZ011  as a person writes it
    lines = f"decision,decided_by,decided_on,ticket,comment,{head}\n{decided}{row}\n"
    (folder / "decided.csv").write_text(lines, encoding="utf-8")


def main(environments: list[str]) -> int:
    """Print a table of exit codes, and return 1 if one is not as expected."""
    with serving() as aws:
        programs = list(map(program, environments))
        columns = [exit_codes(program, aws.url) for program in programs]
    print("command", *environments, sep="\t")
    for command, *codes in zip(COMMANDS, *columns, strict=True):
        print(command.split()[0], *codes, sep="\t")
    return int(any(column != list(COMMANDS.values()) for column in columns))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
