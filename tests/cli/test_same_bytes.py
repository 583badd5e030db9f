"""The same reports give the same bytes, wherever, whenever and in whatever order they are named."""

import io
import subprocess
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

import analyzer
from analyzer.decisions.ledger import ledger_bytes
from analyzer.terms import OUTPUT_ENDINGS, Format, Verdict
from analyzer.writers import write_format
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    ROOT_FOLDER,
    Run,
    a_key,
    a_password,
    a_user,
    days_before,
    report_text,
    run,
    saved,
    the_root,
)
from tests.support.decisions import console_name, line
from tests.support.outputs import EXEMPTIONS, SAMPLES, table_text
from tests.support.processes import python, unmeasured

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

ELSEWHERE = {"TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "0"}
ODD = (
    a_user("odd", password_enabled="wahr ☂", mfa_active="\uff34\uff32\uff35\uff25"),
    a_user("İ", created="\uff12\uff10\uff12\uff14"),
    a_user("just-active", key_1=a_key(used=days_before(90) + timedelta(seconds=1))),
    a_user("just-dormant", key_1=a_key(used=days_before(90))),
)


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

from analyzer.cli import inputs  # the command line alone may ask, for a note on later reports
inputs.utc_now = lambda: Moment(2100, 1, 1, tzinfo=datetime.timezone.utc)
"""


def run_elsewhere(*arguments: object) -> Run:
    """Run the program in another place, at another time, where what asks for it fails."""
    words, environment = python(NO_CLOCK, *map(str, arguments)), unmeasured() | ELSEWHERE
    done = subprocess.run(words, cwd=ROOT_FOLDER, env=environment, capture_output=True, check=False)
    return Run(done.returncode, done.stdout, done.stderr.decode())


def test_clock_time_zone_locale_and_hash_seed_change_nothing(tmp_path: Path) -> None:
    text = report_text(ODD).replace(ACCOUNT, "8" * 12)  # the organization has that account
    odd = saved(tmp_path, text, "odd_status_reports_2026-05-01T12-00-00+00-00.csv")

    def ended(start: Callable[..., Run], folder: Path) -> tuple[Run, dict[str, bytes]]:
        folder.mkdir()
        done = start(
            *("analyze", SAMPLES / "organization", SAMPLES / "old-form.csv", odd),
            *("--exemptions", EXEMPTIONS, "--verdict", "all", "--format", "table"),
            *("-o", folder / "a.csv", "-o", folder / "a.json"),
        )
        return done._replace(messages=done.messages.replace(str(folder), "")), written(folder)

    here = ended(run, tmp_path / "here")
    assert len(here[1]) == 2
    assert ended(run_elsewhere, tmp_path / "elsewhere") == here


# The order of files

ACCOUNTS = ("333333333333", "111111111111", "222222222222")
Files = list[Path]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Give two reports of each account, and another half of the first one's."""
    folder, files = tmp_path_factory.mktemp("reports"), []
    for number, account in enumerate(ACCOUNTS):
        quiet = a_user("quiet", account=account, created=days_before(number + 30))
        busy = a_user("busy", account=account, key_1=a_key(days_before(50), days_before(number)))
        for as_of, users in ((AS_OF - timedelta(days=20), [quiet]), (AS_OF, [busy, quiet])):
            text = report_text(users, root=the_root(account))
            files.append(saved(folder / str(number), text, console_name(as_of)))
    return files


def both_orders(files: Files, result: Callable[[Files], Any]) -> Any:
    """Return what is the same for files in one order and in the other."""
    one, other = result(files), result(files[::-1])
    assert one == other
    return one


def written(folder: Path) -> dict[str, bytes]:
    """Return the files in a folder, and make it empty."""
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    for name in found:
        (folder / name).unlink()
    return found


def test_every_output_of_an_analysis_is_the_same(reports: Files, tmp_path: Path) -> None:
    def outputs(files: Files) -> Iterator[tuple[str, bytes | str]]:
        analysis = analyzer.analyze(analyzer.load(*files))
        targets = [tmp_path / f"users{ending}" for ending in OUTPUT_ENDINGS]
        analyzer.write(analysis, *targets, verdicts=list(Verdict))
        yield from written(tmp_path).items()
        for form in set(Format) - {Format.TABLE, Format.CSV, Format.JSON}:  # files have these
            stream = io.BytesIO()
            write_format(form, analysis, stream, verdicts=list(Verdict))
            yield form, stream.getvalue()
        for width in (None, 80):
            yield f"table {width}", table_text(analysis, width=width)

    found = both_orders(reports, lambda files: dict(outputs(files)))
    assert len(found) >= len(OUTPUT_ENDINGS) + len(Format) - 1
    assert all(found.values())


def test_every_table_of_a_history_is_the_same(reports: Files, tmp_path: Path) -> None:
    def tables(files: Files) -> dict[str, bytes]:
        names = (tmp_path / f"history.{ending}" for ending in ("xlsx", "json", "csv"))
        assert run("history", *files, *(f"-o{name}" for name in names), "-q").code == 0
        return written(tmp_path)

    assert both_orders(reports, tables)["history.json"].count(b"quiet") > 2


def test_the_ledger_and_the_plan_of_several_files_of_decisions_are_the_same(tmp_path: Path) -> None:
    old = [a_user("quiet"), a_user("waiting", password=a_password())]
    lines = (
        [line(user=user) for user in old],
        [line("keep", old[0], on=date(2026, 5, 20)), line(user=a_user("gone", created=AS_OF))],
    )
    users = old + [a_user("gone", created=AS_OF)]
    report = saved(tmp_path / "reports", report_text(users), console_name(AS_OF))
    files = [saved(tmp_path, ledger_bytes(each), f"{at}.csv") for at, each in enumerate(lines)]

    def collected(files: Files) -> tuple[bytes, str, bytes]:
        ledger = tmp_path / "decisions.csv"
        done = run("collect", *files, "-o", ledger)
        plan = run("plan", *files, "--report", report, "--exemptions", "none")
        content = ledger.read_bytes()
        ledger.unlink()
        return content, done.messages, plan.output

    ledger, _, script = both_orders(files, collected)
    assert ledger.count(b"\n") == 5
    assert b"user/gone" in script
    assert b"user/quiet" not in script
