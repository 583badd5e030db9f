"""Standard output that cannot take the whole result ends a command with 73, whatever its buffer."""

import io
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

import pytest

from analyzer.cli import main
from analyzer.cli.command import SUMMARIES
from analyzer.cli.streams import buffered
from analyzer.cli.table_outputs import DataFormat
from analyzer.decisions.ledger import ledger_bytes
from analyzer.terms import Format, HistoryTable
from tests.support.aws_server import Aws, serving_an_organization
from tests.support.builders import AS_OF, ROOT_FOLDER, a_user, report_text, saved
from tests.support.decisions import line
from tests.support.processes import files_up_to, unmeasured

TAKEN = 2
"""The bytes that the disk takes, fewer than any result has."""

FULL = "credreport: standard output cannot be written: File too large.\n"

HISTORY = "history 2026-04-01.csv 2026-05-01.csv -q -f csv --decisions decisions.csv"
COMMANDS = (
    *(f"analyze 2026-05-01.csv -q -f {form}" for form in Format),
    *(f"diff 2026-04-01.csv 2026-05-01.csv -q -f {form}" for form in DataFormat),
    *(f"history 2026-04-01.csv 2026-05-01.csv -q -f {form}" for form in DataFormat),
    *(f"{HISTORY} --table {table}" for table in HistoryTable),
    "plan decisions.csv --report 2026-05-01.csv --exemptions none",
    "explain ann 2026-05-01.csv",
    "fetch -q -o -",
    "rules",
    "rules --help",
    "--help",
)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Aws]:
    with serving_an_organization(monkeypatch, tmp_path) as server:
        yield server


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    ann = a_user("ann")
    saved(tmp_path, report_text([a_user("eve")]), "2026-04-01.csv")
    saved(tmp_path, report_text([ann]), "2026-05-01.csv")
    saved(tmp_path, ledger_bytes([line("delete", ann, as_of=AS_OF)]), "decisions.csv")
    return tmp_path


@contextmanager
def output_to(path: Path, *, unbuffered: bool) -> Iterator[TextIO]:
    """Give standard output as Python makes it, with PYTHONUNBUFFERED or without."""
    with path.open("wb", buffering=0) as raw:
        stream = raw if unbuffered else io.BufferedWriter(raw)
        yield io.TextIOWrapper(stream, write_through=unbuffered)


def test_every_command_that_writes_a_result_is_tried() -> None:
    tried = {words.split()[0] for words in COMMANDS}
    assert SUMMARIES.keys() - tried == {"collect", "export", "verify"}


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("unbuffered", [False, True])
@pytest.mark.parametrize("words", COMMANDS)
def test_a_result_that_is_cut_off_ends_with_73(
    inputs: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: str,
    *,
    unbuffered: bool,
) -> None:
    monkeypatch.chdir(inputs)
    with files_up_to(TAKEN), output_to(inputs / "output", unbuffered=unbuffered) as output:
        standard = buffered(output)
        monkeypatch.setattr(sys, "stdout", standard)
        code = main(words.split())
        with suppress(OSError):  # what it still holds is lost, as the message says
            standard.close()
    assert code == 73
    assert capsys.readouterr().err.endswith(FULL)


def test_the_program_gives_an_unbuffered_output_a_buffer(tmp_path: Path) -> None:
    variables = unmeasured() | {"PYTHONUNBUFFERED": "1"}
    with files_up_to(TAKEN), (tmp_path / "output").open("wb") as output:
        words = [sys.executable, "-m", "analyzer", "rules"]
        done = subprocess.run(
            words,
            cwd=ROOT_FOLDER,
            env=variables,
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (73, FULL)
