"""A run reads a ledger, never writes it, and names what was entered and not collected."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from openpyxl.workbook import Workbook

import analyzer
from analyzer.decisions.ledger import ledger_bytes
from analyzer.files import sha256
from tests.support.builders import Row, a_user, days_before, saved, table
from tests.support.builders import run as program
from tests.support.decisions import bulk, line, user_rows
from tests.support.review import edited, entered
from tests.support.runs import check_whole, exporting_day, have_review_workbook, record_of

Capture = pytest.CaptureFixture[str]
FIRST, SECOND, THIRD = "2026-05-01", "2026-06-01", "2026-07-01"
ON = date(2026, 5, 4)
ANN, BOB = a_user("ann", created=days_before(900)), a_user("bob", created=days_before(800))
BACK = ANN | {"mfa_active": "true"}
DELETE = line("delete", ANN, on=ON)

pytestmark = pytest.mark.usefixtures("changes_alone", "uncompared")  # after the first run


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Export a first run with two unused users, to be copied."""
    folder = tmp_path_factory.mktemp("first") / "runs"
    with pytest.MonkeyPatch.context() as patch:
        have_review_workbook(patch)
        assert export(folder, FIRST) == 0
    return folder


@pytest.fixture
def runs(first_run: Path, tmp_path: Path) -> Path:
    shutil.copytree(first_run, tmp_path / "runs", symlinks=True)
    return tmp_path / "runs"


def export(runs: Path, day: str, *more: str | Path, users: Sequence[Row] = (ANN, BOB)) -> int:
    return exporting_day(runs, day, *users, more=more)


def run(runs: Path, day: str) -> Path:
    return runs / f"{day}T09-30-00Z"


def filled_in(workbook: Path, **words: str) -> bytes:
    """Return a workbook with decisions by user."""
    edits = (entered(user, (word, "Anna", ON, None, "x")) for user, word in words.items())
    return edited(workbook.read_bytes(), *edits)


def status(run: Path) -> str:
    (row,) = table((run / "follow_up.csv").read_bytes())
    return row["status"]


@pytest.mark.no_cover
def test_decisions_that_were_collected_are_followed_up_shown_and_kept_with_the_run(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analyzer.runs.outputs.write", analyzer.write)
    workbook, ledger = run(runs, FIRST) / "review.xlsx", runs / "decisions.csv"
    assert record_of(workbook.parent)["ledger"] is None
    workbook.write_bytes(filled_in(workbook, ann="delete", bob="keep"))
    done = program("collect", workbook, "--report", workbook.parent, "-o", ledger)
    assert done.code == 0, done.messages
    assert export(runs, SECOND) == 0
    second = run(runs, SECOND)
    check_whole(second)
    assert (second / "decisions.csv").read_bytes() == ledger.read_bytes()
    expected = {"name": str(ledger), "sha256": sha256(ledger)}
    assert record_of(second)["ledger"] == expected
    assert status(second) == "open"
    exempt = {row["user"]: row["exemption"] for row in table((second / "users.csv").read_bytes())}
    assert exempt == {"ann": "", "bob": "kept by Anna until 2026-10-31"}


@pytest.mark.parametrize("named", [False, True])
def test_a_run_follows_up_a_ledger_and_never_writes_it(
    runs: Path, tmp_path: Path, *, named: bool
) -> None:
    ledger = tmp_path / "ours.csv" if named else runs / "decisions.csv"
    more = ("--decisions", ledger) if named else ()
    ledger.write_bytes(before := ledger_bytes([DELETE]))
    assert export(runs, SECOND, *more, users=[BACK, BOB]) == 0
    assert status(run(runs, SECOND)) == "changed"
    assert export(runs, SECOND, *more, users=[BACK, BOB]) == 0
    assert not (runs / f"{SECOND}T09-30-00Z-2").exists()
    assert export(runs, THIRD, *more) == 0
    assert status(run(runs, THIRD)) == "lapsed"
    assert export(runs, "2026-08-01", *more, users=[BOB]) == 0
    assert status(run(runs, "2026-08-01")) == "done"
    assert sha256(run(runs, "2026-08-01") / "decisions.csv") == sha256(ledger)
    assert ledger.read_bytes() == before
    assert (runs / "decisions.csv").exists() is not named


@pytest.mark.usefixtures("plain_outputs")
def test_a_changed_ledger_makes_a_new_run_of_the_same_reports_and_overdue_removals_fail_it(
    runs: Path,
) -> None:
    (runs / "decisions.csv").write_bytes(ledger_bytes([DELETE]))
    assert export(runs, FIRST) == export(runs, FIRST) == 0
    assert (runs / "2026-05-01T09-30-00Z-2").is_dir()
    assert not (runs / "2026-05-01T09-30-00Z-3").exists()
    assert export(runs, "2026-05-31", "--fail-on", "overdue") == 0
    assert export(runs, SECOND, "--fail-on", "overdue") == 1
    assert export(runs, THIRD, "--fail-on", "overdue") == 1


HEAD, ROW = ledger_bytes([DELETE]).decode().splitlines()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("decision\ndelete\n", "decisions.csv, row 1: columns "),
        (f"{HEAD}\n{ROW.replace('delete', 'erase')}\n", "row 2, column decision: not a decision"),
    ],
    ids=["columns gone", "no decision"],
)
def test_a_ledger_that_is_refused_ends_the_run_and_stays_as_it_is(
    runs: Path, capsys: Capture, text: str, says: str
) -> None:
    (runs / "decisions.csv").write_text(text)
    assert export(runs, SECOND, users=[BOB]) == 3
    assert says in capsys.readouterr().err
    assert not run(runs, SECOND).exists()
    assert (runs / "decisions.csv").read_text() == text


def test_a_ledger_that_lost_lines_since_an_earlier_run_is_refused_with_the_lines(
    runs: Path, capsys: Capture
) -> None:
    ledger, keep = runs / "decisions.csv", line("keep", BOB, on=ON)
    ledger.write_bytes(ledger_bytes([DELETE, keep]))
    assert export(runs, SECOND) == 0
    copy = run(runs, SECOND) / "decisions.csv"
    for older, says in ((ledger_bytes([DELETE]), "1"), (ledger_bytes([]), "2"), (None, "2")):
        ledger.write_bytes(older) if older is not None else ledger.unlink()
        assert export(runs, THIRD) == 3
        message = capsys.readouterr().err
        assert f"{copy}: the ledger lacks {says} of its entries, row " in message
        assert f"keep of {BOB['arn']} by Anna" in message
        assert not run(runs, THIRD).exists()
    other_place = replace(DELETE, workbook="a.xlsx", row=9)
    ledger.write_bytes(ledger_bytes([other_place, keep]))
    assert export(runs, THIRD) == 0


KEEP = ("keep", "Tom", "2026-05-05", "", "needed")


def decided_aside(workbook: Path) -> bytes:
    """Return a workbook with a decision on a sheet that somebody added."""

    def edit(book: Workbook) -> None:
        sheet = book.create_sheet("Mine")
        sheet.append(("User", "Decision"))
        sheet.append(("ann", "keep"))

    return edited(workbook.read_bytes(), edit)


def test_what_was_entered_and_not_collected_is_named_and_ends_the_run_with_5(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("analyzer.runs.outputs.write", analyzer.write)
    first, ledger = run(runs, FIRST), runs / "decisions.csv"
    workbook = first / "review.xlsx"
    filled = filled_in(workbook, ann="keep")
    known = ledger_bytes([DELETE])
    sheet = "Account,User,Decision,Decided by,Decided on,Ticket,Comment\n1,ann,keep\n"
    lacking = "the ledger lacks 1 of its entries"
    named = {
        workbook: (filled, lacking),
        runs / "top.xlsm": (filled, lacking),
        first / "answers" / "lee.XLSX": (filled, lacking),
        first / "users.csv": (bulk(user_rows(ANN), KEEP), lacking),
        first / "refused.xlsx": (filled_in(workbook, ann="erase"), lacking),
        first / "aside.xlsx": (decided_aside(workbook), "it has entries that cannot be read: "),
        first / "sheet.csv": (sheet.encode(), lacking),
        first / "list.txt": (bulk(user_rows(ANN), KEEP), lacking),
        first / "old.ods": (b"\xd0\xcf", "it has entries that cannot be read: "),
    }
    passed = {
        runs / "again.csv": known,
        runs / "open.xlsx": workbook.read_bytes(),
        runs / "open.csv": bulk(user_rows(ANN)),
        first / "~$review.xlsx": b"\x05Ann",
        first / ".hidden.xlsx": filled,
    }
    ledger.write_bytes(known)
    (first / "folder.xlsx").mkdir()
    (runs / "closed.csv").symlink_to("/proc/self/mem")  # cannot be read
    for path, content in ({path: each for path, (each, _) in named.items()} | passed).items():
        saved(path.parent, content, path.name)
    assert export(runs, SECOND, "--fail-on", "unused") == 5
    log = capsys.readouterr().err
    notes = json.loads((run(runs, SECOND) / "analysis.json").read_bytes())["notes"]
    every = {path: says for path, (_, says) in named.items()}
    for path, says in (every | {runs / "closed.csv": "it has entries that cannot be"}).items():
        assert f"{path}: {says}" in log
        assert [f"{path}: {says}" in note for note in notes].count(True) == 1
    assert not any(str(path) in log for path in passed)
    assert record_of(run(runs, SECOND))["exit_code"] == 5
    assert ledger.read_bytes() == known
