"""The same reports give the same bytes, wherever and whenever they are analyzed."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, NamedTuple

import pytest

from tests.support.builders import ROOT_FOLDER, Run, a_user, report_text, run, saved
from tests.support.outputs import EXEMPTIONS, SAMPLES
from tests.support.processes import python, unmeasured

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

EAST = {"TZ": "Pacific/Kiritimati", "LC_ALL": "POSIX", "PYTHONHASHSEED": "0"}
WEST = {"TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8", "LANG": "de_DE.UTF-8"}
ODD = (
    a_user("odd", password_enabled="wahr ☂", mfa_active="\uff34\uff32\uff35\uff25"),
    a_user("İ", created="\uff12\uff10\uff12\uff14"),
)


class Ended(NamedTuple):
    """Hold how a run ended, what it said without the name of its folder, and its files."""

    code: int
    output: bytes
    messages: str
    files: dict[str, bytes]


@pytest.fixture(scope="module")
def analyzed(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Ended]:
    """Give a function that analyzes two samples and a report of odd cells."""
    top = tmp_path_factory.mktemp("runs")
    odd = saved(top, report_text(ODD), "odd_status_reports_2026-05-01T12-00-00+00-00.csv")

    def ended(start: Callable[..., Run] = run, **how: Any) -> Ended:
        folder = Path(mkdtemp(dir=top))
        done = start(
            *("analyze", SAMPLES / "organization", SAMPLES / "old-form.csv", odd),
            *("--exemptions", EXEMPTIONS, "--verdict", "all", "--format", "table"),
            *("-o", folder / "a.csv", "-o", folder / "a.json"),
            **how,
        )
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        return Ended(done.code, done.output, done.messages.replace(str(folder), ""), files)

    return ended


@pytest.fixture(scope="module")
def expected(analyzed: Callable[..., Ended]) -> Ended:
    return analyzed()


def test_time_zone_locale_and_hash_seed_change_nothing(
    analyzed: Callable[..., Ended], expected: Ended
) -> None:
    assert len(expected.files) == 2
    assert analyzed(environment=EAST) == expected


NO_CLOCK = """
import datetime, time
import pandas, pyarrow.compute, pyarrow.csv  # these look into a datetime in C

def asked(*_, **__):
    raise AssertionError("somebody asked for the time")

class Day(datetime.date):
    today = classmethod(asked)

class Moment(datetime.datetime):
    now = utcnow = today = classmethod(asked)

datetime.date, datetime.datetime = Day, Moment
time.localtime = time.gmtime = asked
"""


def run_without_clock(*arguments: str | Path) -> Run:
    """Run the program elsewhere, where whatever asks for the time fails."""
    done = subprocess.run(
        python(NO_CLOCK, *arguments),
        cwd=ROOT_FOLDER,
        env={**unmeasured(), **WEST},
        capture_output=True,
        check=False,
    )
    return Run(done.returncode, done.stdout, done.stderr.decode())


def test_nobody_asks_what_time_it_is(analyzed: Callable[..., Ended], expected: Ended) -> None:
    assert analyzed(run_without_clock) == expected
