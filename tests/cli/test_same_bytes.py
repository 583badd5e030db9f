"""The same reports give the same bytes, wherever and whenever they are analyzed."""

import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Program
from tests.support.builders import ROOT_FOLDER, a_user, report_text, run, saved
from tests.support.outputs import EXEMPTIONS, SAMPLES
from tests.support.processes import python, unmeasured

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

PLACES = (
    {"TZ": "Pacific/Kiritimati", "LC_ALL": "POSIX", "PYTHONHASHSEED": "0"},
    {"TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8", "LANG": "de_DE.UTF-8"},
)
ODD = (
    a_user("odd", password_enabled="wahr ☂", mfa_active="\uff34\uff32\uff35\uff25"),
    a_user("İ", created="\uff12\uff10\uff12\uff14"),
)


def outputs(folder: Path) -> tuple[str | Path, ...]:
    """Return arguments that have two samples and a report of odd cells written into a folder."""
    name = "odd_status_reports_2026-05-01T12-00-00+00-00.csv"
    odd = saved(folder.parent, report_text(ODD), name)
    return (
        *("analyze", SAMPLES / "organization", SAMPLES / "old-form.csv", odd),
        *("--exemptions", EXEMPTIONS, "--verdict", "all", "--format", "table"),
        *("-o", folder / "a.csv", "-o", folder / "a.json"),
    )


def held(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place["TZ"])
def test_time_zone_locale_and_hash_seed_change_nothing(
    program: Program, tmp_path: Path, place: dict[str, str]
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    expected = program(*outputs(here))
    done = run(*outputs(there), environment=place)
    assert (done.code, done.output) == (expected.code, expected.output)
    assert held(there) == held(here)
    assert done.messages.replace(str(there), "") == expected.messages.replace(str(here), "")


def test_a_second_run_gives_the_same_bytes(program: Program, tmp_path: Path) -> None:
    first = program(*outputs(tmp_path)), held(tmp_path)
    assert (program(*outputs(tmp_path)), held(tmp_path)) == first


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


def test_nobody_asks_what_time_it_is(program: Program, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    expected = program(*outputs(here))
    done = subprocess.run(
        python(NO_CLOCK, *outputs(there)),
        cwd=ROOT_FOLDER,
        env=unmeasured(),
        capture_output=True,
        check=False,
    )
    assert "AssertionError" not in done.stderr.decode()
    assert (done.returncode, done.stdout) == (expected.code, expected.output)
    assert held(there) == held(here)
