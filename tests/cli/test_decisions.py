"""Decisions go from the reviewer's workbook to the ledger and to the script, or nothing does."""

import fcntl
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from shlex import quote

import pytest

from analyzer.decisions.ledger import ledger_bytes
from tests.support.builders import (
    ACCOUNT,
    Run,
    a_key,
    a_user,
    days_before,
    report_text,
    run,
    saved,
    saved_credentials,
)
from tests.support.decisions import bulk, line, user_rows
from tests.support.outputs import HEADER_OF_EXEMPTIONS
from tests.support.review import edited, entered
from tests.support.runs import console_report

Patch = pytest.MonkeyPatch
DAY, LATER = "2026-05-01", "2026-06-01"
AT = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
ANN, BOB = a_user("ann", created=days_before(900)), a_user("bob", created=days_before(800))
ANN_TO_DELETE = entered("ann", ("delete", "Anna", date(2026, 5, 4), None, None))
BOB_DELETES = ("delete", "Bob", date(2026, 5, 5), None, None)
KEEP = ("keep", "Anna", date(2026, 5, 4), None, "needed")
ARN_OF_ANN = ANN["arn"]
DELETE = ("delete", "Anna", DAY, "", "")

analyze, collect = (partial(run, each) for each in ("analyze", "collect"))


def plan(*arguments: object, report: object, exemptions: object = "none") -> Run:
    """Plan by a report, and an answer to who is exempt."""
    return run("plan", *arguments, "--report", report, "--exemptions", exemptions)


def is_in(done: Run, user: str) -> bool:
    """Return whether a script removes a user."""
    return any(f"user/{user}'" in line for line in done.lines if line.startswith("remove "))


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return console_report(tmp_path / DAY, DAY, ANN, BOB)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the workbook of a review in which two users are unused."""
    folder = tmp_path_factory.mktemp("written")
    done = analyze(console_report(folder, DAY, ANN, BOB), "-o", folder / "review.xlsx")
    assert done.code == 0
    return (folder / "review.xlsx").read_bytes()


@pytest.fixture
def workbook(tmp_path: Path, written: bytes) -> Path:
    """Return the workbook after it was decided to delete one of the users."""
    return saved(tmp_path, edited(written, ANN_TO_DELETE), "review.xlsx")


@pytest.fixture
def decided(tmp_path: Path) -> Path:
    """Return a ledger in which it was decided to delete one of the users."""
    return ledger_in(tmp_path / "entered.csv", ann="delete")


def ledger_in(path: Path, **words: str) -> Path:
    """Write a ledger with a decision on each of the users."""
    users = {"ann": ANN, "bob": BOB}
    lines = [line(word, users[name], as_of=AT) for name, word in words.items()]
    return saved(path.parent, ledger_bytes(lines), path.name)


def test_without_an_output_a_workbook_is_only_checked(
    workbook: Path, report: Path, monkeypatch: Patch
) -> None:
    monkeypatch.setattr("analyzer.cli.collect.utc_now", lambda: AT + timedelta(60))
    before = sorted(workbook.parent.rglob("*"))
    done = collect(workbook, "--report", report)
    assert done.code == 0
    assert done.lines == [
        f"{workbook}: entered 1, new 1, still open 1",
        "  Anna: 1 delete",
        "New removals, to be checked by who decided: a column sorted alone moves its words.",
        f"  Anna, account {ACCOUNT}: delete ann",
    ]
    says = "Checked; nothing was written. New: 1 line; -o LEDGER.csv adds them.\n"
    assert done.messages == says
    assert sorted(workbook.parent.rglob("*")) == before


def test_a_workbook_whose_name_cannot_be_printed_is_collected(workbook: Path, report: Path) -> None:
    ledger = workbook.with_name("decisions.csv")
    book = workbook.rename(workbook.with_name("r\r\udcff.xlsx"))
    assert collect(book, "--report", report, "-o", ledger).code == 0
    assert ",r\\r\\udcff.xlsx," in ledger.read_text()


def test_where_nothing_is_new_no_ledger_is_written(
    tmp_path: Path, written: bytes, report: Path
) -> None:
    ledger, untouched = tmp_path / "decisions.csv", saved(tmp_path, written, "open.xlsx")
    given = "--report", report
    assert collect(untouched, *given, "-o", ledger).code == 0
    assert not ledger.exists()
    assert collect(untouched, *given).messages == "Checked; nothing was written. Nothing is new.\n"


def test_a_ledger_that_another_run_locks_by_any_name_or_that_cannot_be_locked_is_left_alone(
    tmp_path: Path, decided: Path
) -> None:
    ledger, lock = tmp_path / "decisions.csv", tmp_path / ".decisions.csv.lock"
    (link := tmp_path / "runs.csv").symlink_to(ledger.name)
    with lock.open("w") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        assert [collect(decided, "-o", each).code for each in (ledger, link)] == [75, 75]
        assert not ledger.exists()
    lock.unlink()
    lock.mkdir()
    done = collect(decided, "-o", ledger)
    assert (done.code, "cannot be locked" in done.messages, ledger.exists()) == (73, True, False)
    lock.rmdir()
    done = collect(decided, "-o", link)
    assert (done.code, "it is a link" in done.messages, link.is_symlink()) == (73, True, True)


def test_no_output_creates_the_folder_that_it_is_written_to(decided: Path, report: Path) -> None:
    path = decided.parent / "missing" / "d.csv"
    for done in (
        collect(decided, "-o", path),
        plan(decided, "-o", path, report=report),
        analyze(report, "-o", path),
    ):
        assert done.code == 73
        assert f"{path} cannot be written: its folder does not exist; create it." in done.messages
        assert not path.parent.exists()


OLD = "2026-04-02T00:00:00Z"
FORGED = (
    (
        "access_key_1_active",
        "true",
        "column access_key_1_active: false in the report; this file says true",
    ),
    ("access_key_1_last_rotated", OLD, "N/A in the report; this file says"),
    ("verdict", "dormant", "verdict: unused in the report; this file says dormant"),
    ("caveats", "all-good", "column caveats: nothing in the report; this file says all-good"),
    ("same_second", "u4;zoe", "column same_second: u4 in the report; this file says u4;zoe"),
)
NOT_THERE = "arn: no report named has this user as of 2026-05-01T09:3"
OTHER_TIME = ("as_of", "2026-05-01T09:31:00Z", NOT_THERE)
OTHER_ARN = ("arn", f"arn:aws:iam::{ACCOUNT}:user/x/u0", "column arn: arn:aws:iam::")


@pytest.mark.parametrize("forged", [FORGED, [OTHER_TIME], [OTHER_ARN]])
def test_a_row_in_csv_that_was_forged_is_refused_by_the_report(
    tmp_path: Path, forged: Sequence[tuple[str, str, str]]
) -> None:
    users = [a_user(f"u{at}", created=days_before(900 + at)) for at in range(len(forged))]
    rows = user_rows(*users, as_of=AT)
    for cells, (column, cell, _) in zip(rows, forged, strict=True):
        cells[column] = cell
    content = bulk(rows, *[DELETE] * len(rows), more=("same_second",))
    listed = saved(tmp_path, content, "bulk.csv")
    done = collect(listed, "--report", console_report(tmp_path / DAY, DAY, *users))
    assert done.code == 3
    says = done.messages.splitlines()
    for row, (_, _, problem) in enumerate(forged, start=2):
        assert problem in str([each for each in says if f"bulk.csv, row {row}," in each])


def test_decisions_on_a_report_that_is_not_named_are_one_problem_and_open_rows_are_none(
    tmp_path: Path, report: Path
) -> None:
    rows = user_rows(*(a_user(f"user-{number}") for number in range(3)), ANN)
    listed = saved(tmp_path, bulk(rows, *[DELETE] * 4), "bulk.csv")
    done = collect(listed, "--report", report)
    assert done.code == 3
    says = "bulk.csv, rows 2-5, column arn: no report named has this user as of 2026-05-01T12:00"
    assert says in done.messages
    assert done.messages.count("Name the report that it was made from") == 1
    assert collect(saved(tmp_path, bulk(rows), "bulk.csv"), "--report", report).code == 0


def test_of_reports_of_equal_bytes_a_list_is_compared_with_that_of_its_moment(
    tmp_path: Path,
) -> None:
    """A quiet account repeats its bytes, and AWS's lists beside the copies may differ."""
    first, then = (console_report(tmp_path / day, day, ANN, BOB) for day in (DAY, LATER))
    assert first.read_bytes() == then.read_bytes()
    saved_credentials(first, ann="Active")
    to_delete = entered("ann", ("delete", "Anna", date(2026, 6, 2), None, None))
    given = "--report", tmp_path / DAY, "--report", tmp_path / LATER
    for report in (first, then):
        rows = analyze(report, "-f", "csv").rows
        listed = saved(tmp_path, bulk(rows, DELETE[:2] + ("2026-06-02", "", "")), "bulk.csv")
        assert collect(listed, *given).code == 0
    for reports in ([first], [then], [first, then]):
        book = tmp_path / "review.xlsx"
        assert analyze(*reports, "-o", book).code == 0
        done = collect(saved(tmp_path, edited(book.read_bytes(), to_delete), "b.xlsx"), *given)
        assert (done.code, done.messages.startswith("Checked")) == (0, True), done.messages


def test_no_filled_workbook_is_written_over(report: Path, workbook: Path, written: bytes) -> None:
    before = workbook.read_bytes()
    copy = saved(workbook.parent, before, "copy.csv")
    for refused in (
        analyze(report, "-o", workbook),
        analyze(report, "-o", copy),
        plan(workbook, "-o", copy, report=report),
        collect(workbook, "-o", copy),
    ):
        assert (refused.code, "was changed since credreport wrote it" in refused.message_line) == (
            2,
            True,
        )
    assert collect(workbook, "-o", workbook).code == 2
    assert plan(workbook, "-o", workbook, report=report).code == 2
    for ledger in (workbook.with_name("new.xlsx"), "csv"):
        assert "must end in .csv" in collect(workbook, "-o", ledger).message_line
    assert workbook.read_bytes() == copy.read_bytes() == before
    workbook.write_bytes(written)
    assert analyze(report, "-o", workbook).code == 0


def test_no_ledger_and_no_list_with_decisions_is_written_over(
    tmp_path: Path, report: Path, workbook: Path, decided: Path
) -> None:
    rows = user_rows(ANN, a_user("bo"))
    lists = saved(tmp_path, bulk(rows, [""] * 5, DELETE).replace(b",", b";"), "list.csv")
    for kept in (decided, lists):
        before = kept.read_bytes()
        for refused in (
            plan(workbook, "-o", kept, report=report),
            analyze(report, "-o", kept),
            run("history", report, "-o", kept),
        ):
            assert refused.code == 2
            assert "has decisions of a reviewer" in refused.message_line
        assert kept.read_bytes() == before
    (tmp_path / "closed.csv").symlink_to("/proc/self/mem")  # is there, and cannot be read
    refused = analyze(report, "-o", tmp_path / "closed.csv")
    assert (refused.code, "cannot be read: Input/output error" in refused.message_line) == (2, True)
    open_list = saved(tmp_path, bulk(rows), "list.csv")
    assert analyze(report, "-o", open_list).code == 0
    assert analyze(report, "-o", open_list).code == 0


# Plans


def test_a_plan_asks_for_the_reports_and_for_who_is_exempt(decided: Path, report: Path) -> None:
    for options, says in (
        (("--exemptions", "none"), "Missing option '--report'. Compare each user with this report"),
        (("--report", report), "Missing option '--exemptions'. Leave out the users of this"),
    ):
        done = run("plan", decided, *options)
        assert (done.code, says in done.message_line) == (2, True)


def test_a_plan_is_refused_while_a_file_beside_the_ledger_has_an_entry_that_it_lacks(
    tmp_path: Path, report: Path, written: bytes
) -> None:
    ledger = ledger_in(tmp_path / "of" / "d.csv", ann="delete")
    script = tmp_path / "remove.sh"
    for name, content, says in (
        ("review.xlsx", edited(written, ANN_TO_DELETE), "the ledger lacks 1 of its entries"),
        ("bulk.csv", bulk(user_rows(BOB, as_of=AT), DELETE), "the ledger lacks 1 of its entries"),
        ("old.xls", b"x", "it has entries that cannot be read: "),
        ("odd.csv", bulk(user_rows(BOB, as_of=AT), ("x",)), "it has entries that cannot be read: "),
    ):
        beside = saved(ledger.parent, content, name)
        done = plan(ledger, "-o", script, report=report)
        assert (done.code, f"{beside}: {says}" in done.messages, script.exists()) == (
            3,
            True,
            False,
        )
        assert "Collect it first, or move it away." in done.messages
        beside.unlink()
    for name, content in (
        ("open.xlsx", written),
        ("copy.csv", ledger.read_bytes()),
        ("users.csv", bulk(user_rows(BOB, as_of=AT))),
        (".~lock.review.xlsx", b"x"),
        ("notes.txt", b"delete"),
    ):
        saved(ledger.parent, content, name)
    assert plan(ledger, "-o", script, report=report).code == 0
    book = saved(ledger.parent, edited(written, ANN_TO_DELETE), "review.xlsx")
    assert collect(book, "--report", report, "-o", ledger).code == 0
    assert plan(ledger, "-o", script, report=report).code == 0


def test_a_script_without_its_ledger_beside_it_is_run_with_the_folder_of_the_ledger(
    decided: Path, report: Path, monkeypatch: Patch
) -> None:
    monkeypatch.setattr("analyzer.cli.plan.utc_now", lambda: AT)
    (other := decided.parent / "other's").mkdir()
    (own := decided.parent / "own").mkdir()
    decided = decided.rename(own / decided.name)
    script, copy = other / "remove.sh", other / "entered.csv"

    def messages(*files: Path) -> str:
        return plan(*files, "-o", script, report=report).messages

    folder = f"LEDGER_FOLDER={decided.parent} sh {quote(str(script))}\nA copy of the ledger lacks"
    assert folder in messages(decided)
    copy.write_bytes(decided.read_bytes())
    assert folder in messages(decided)
    more = ledger_in(other / "more.csv", bob="delete")
    told = f"But first put it into one folder with {more}, {decided}: it looks for them there."
    assert told in messages(decided, more)
    copy.unlink()
    copy.symlink_to(decided)
    assert f"run it: sh {quote(str(script))}\n" in messages(decided, more)


def test_a_plan_that_is_too_old_to_run_is_announced(
    decided: Path, report: Path, monkeypatch: Patch
) -> None:
    last = datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC)
    says = "refuse to run: the time to carry it out ended on 2026-06-30.", "then run it: sh "
    for now in (last, last + timedelta(seconds=1)):
        monkeypatch.setattr("analyzer.cli.plan.utc_now", lambda now=now: now)
        done = plan(decided, "-o", decided.with_name("remove.sh"), report=report)
        assert [each in done.messages for each in says] == [now > last, now <= last]
        assert done.code == 0


def test_where_nobody_is_to_go_the_plan_says_so(tmp_path: Path, report: Path) -> None:
    script = tmp_path / "remove.sh"
    done = plan(ledger_in(tmp_path / "d.csv", ann="keep"), "-o", script, report=report)
    assert (done.code, "changes nothing" in done.messages) == (0, True)
    assert "run it" not in done.messages
    assert "user/ann" not in script.read_text()


def test_two_ledgers_of_one_name_or_one_of_an_odd_name_are_refused(
    tmp_path: Path, decided: Path, report: Path
) -> None:
    other = ledger_in(tmp_path / "other" / "entered.csv", ann="delete")
    names = ("d\x1b[2J.csv", "d\nx.csv", "d\u2028.csv", "d\udcff.csv")
    odd = [(ledger_in(tmp_path / name, ann="delete"),) for name in names]
    twice = "two files are called entered.csv"
    for ledgers in ((decided, other), (decided, decided), *odd):
        done = plan(*ledgers, "-o", tmp_path / "remove.sh", report=report)
        says = twice if decided in ledgers else "a name cannot be printed: d\\"
        assert (done.code, says in done.message_line) == (2, True)
        assert not (tmp_path / "remove.sh").exists()


def test_an_exempt_user_is_left_out_and_an_exemption_of_nobody_is_named(
    tmp_path: Path, report: Path
) -> None:
    ledger = ledger_in(tmp_path / "d.csv", ann="delete", bob="keep")
    for last_day, is_exempt in (("2026-05-01", True), ("2026-04-30", False)):
        text = f"{HEADER_OF_EXEMPTIONS}\n*,ann,By design,,{last_day}\n"
        done = plan(ledger, report=report, exemptions=saved(tmp_path, text, "exempt.csv"))
        assert (": exempt" in done.messages) is is_exempt
        assert ("Note: The exemption of ann in account" in done.messages) is not is_exempt
        assert (f"expired on {last_day}" in done.messages) is not is_exempt
        assert done.code == (5 if is_exempt else 0)
    by_option = run(*f"plan {ledger} --exempt a*=Why".split(), *f"--report {report}".split())
    assert (by_option.code, "--exemptions" in by_option.messages) == (2, True)
    done = plan(ledger, "--exempt", "a*=By design", report=report)
    assert (done.code, ": exempt: By design" in done.messages) == (5, True)


def test_what_is_noted_on_a_newer_report_is_said(tmp_path: Path) -> None:
    ledger = saved(tmp_path, ledger_bytes([line("delete", ANN)]), "decisions.csv")
    done = plan(ledger, report=saved(tmp_path, report_text([ANN])))
    assert (done.code, "Note: No generation time in" in done.messages) == (5, True)


def test_a_plan_names_who_is_done_already(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path / "d.csv", ann="delete", bob="delete")
    done = plan(ledger, report=console_report(tmp_path / LATER, LATER, ANN))
    assert (done.code, is_in(done, "bob")) == (0, False)
    assert "Done already for 1 user: bob.\n" in done.messages


def test_a_plan_names_who_is_deactivated_first_keeps_that_end_and_the_longest_gap(
    tmp_path: Path,
) -> None:
    user = a_user("ann", key_1=a_key(), created=days_before(900))
    keep = line("keep", BOB, on=date(2025, 12, 20), as_of=days_before(133))
    lines = [line("delete", user, as_of=AT), keep]
    ledger = saved(tmp_path, ledger_bytes(lines), "decisions.csv")
    done = plan(ledger, report=console_report(tmp_path / LATER, LATER, user, BOB))
    assert (done.code, b"\nremove deactivate 'arn:" in done.output) == (0, True)
    for says in (
        "To delete, deactivated first; write delete again, on a",
        "Decisions to keep that end within 30 days: bob.\n",
        "Longest time without a report since the decisions: 31 days.\n",
    ):
        assert says in done.messages
