"""Decisions go from the reviewer's workbook to the ledger and to the script, or nothing does."""

import fcntl
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import product
from pathlib import Path

import pytest

from analyzer.decisions.ledger import ledger_bytes
from tests.support.builders import (
    ACCOUNT,
    a_key,
    a_user,
    days_before,
    report_text,
    run,
    saved,
)
from tests.support.decisions import OTHER_ACCOUNT, bulk, line, user_rows
from tests.support.outputs import HEADER_OF_EXEMPTIONS
from tests.support.review import edited, entered, shown
from tests.support.runs import console_report

Patch = pytest.MonkeyPatch
DAY, LATER = "2026-05-01", "2026-06-01"
AT = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
ANN, BOB = a_user("ann", created=days_before(900)), a_user("bob", created=days_before(800))
ANN_TO_DELETE = entered("ann", ("delete", "Anna", date(2026, 5, 4), None, None))
DELETE = ("delete", "Anna", DAY, "", "")

analyze, collect, plan = (partial(run, each) for each in ("analyze", "collect", "plan"))


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


def test_without_an_output_a_workbook_is_only_checked(workbook: Path) -> None:
    before = sorted(workbook.parent.rglob("*"))
    done = collect(workbook)
    assert done.code == 0
    assert b"entered 1, new 1, still open 1" in done.output
    assert b"  Anna: 1 delete\n" in done.output
    assert "nothing was written" in done.messages
    assert sorted(workbook.parent.rglob("*")) == before


def test_a_workbook_whose_name_cannot_be_printed_is_collected(workbook: Path) -> None:
    ledger = workbook.with_name("decisions.csv")
    assert collect(workbook.rename(workbook.with_name("r\r\udcff.xlsx")), "-o", ledger).code == 0
    assert ",r\\r\\udcff.xlsx," in ledger.read_text()


def test_where_nothing_is_new_no_ledger_is_written(tmp_path: Path, written: bytes) -> None:
    ledger, untouched = tmp_path / "decisions.csv", saved(tmp_path, written, "open.xlsx")
    assert collect(untouched, "-o", ledger).code == 0
    assert not ledger.exists()
    assert collect(untouched).messages == "Checked; nothing was written. Nothing is new.\n"


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
    assert collect(decided, "-o", link).code == 0
    assert link.is_symlink()


def test_no_output_creates_the_folder_that_it_is_written_to(decided: Path, report: Path) -> None:
    for command, source in ((collect, decided), (plan, decided), (analyze, report)):
        path = decided.parent / "missing" / "d.csv"
        done = command(source, "-o", path)
        assert done.code == 73
        assert f"{path} cannot be written: its folder does not exist; create it." in done.messages
        assert not path.parent.exists()


@pytest.mark.no_cover
def test_a_list_in_csv_is_collected_and_held_to_its_report(tmp_path: Path, report: Path) -> None:
    users, ledger = tmp_path / "users.csv", tmp_path / "decisions.csv"
    rows = analyze(report, "-o", users, "-f", "csv").rows
    assert [row["user"] for row in rows] == ["ann", "bob"]
    as_saved = [{name: cell.replace("false", "FALSE") for name, cell in x.items()} for x in rows]
    for each in (rows, as_saved, [{**row, "exemption": "needed"} for row in rows]):
        listed = saved(tmp_path, bulk(each, DELETE, DELETE), "bulk.csv")
        assert collect(listed, "--report", report).code == 0
    assert collect(listed, "--report", report, "-o", ledger).code == 0
    assert ledger.read_text().count(",Anna,") == 2
    assert collect(ledger, "--report", report).code == 0


OLD, EARLIER = "2026-04-02T00:00:00Z", "2026-05-01T09:00:00Z"
FORGED = (
    (
        "access_key_1_active",
        "true",
        "column access_key_1_active: false in the report; this file says true",
    ),
    ("access_key_1_last_rotated", OLD, "N/A in the report; this file says"),
    ("verdict", "dormant", "verdict: unused in the report; this file says dormant"),
    ("caveats", "all-good", "column caveats: nothing in the report; this file says all-good"),
    (
        "baseline",
        EARLIER,
        "column baseline: 2026-05-01T09:30:00Z in the report; this file says 2026",
    ),
    ("same_second", "zoe", "column same_second: nothing in the report; this file says zoe"),
)
NOT_THERE = "arn: no report named has this user as of this time"
OTHER_TIME = ("as_of", "2026-05-01T09:31:00Z", NOT_THERE)
OTHER_ARN = ("arn", f"arn:aws:iam::{ACCOUNT}:user/x/u0", NOT_THERE)


@pytest.mark.parametrize("forged", [FORGED, [OTHER_TIME], [OTHER_ARN]])
def test_a_row_in_csv_that_was_forged_is_refused_by_the_report(
    tmp_path: Path, forged: Sequence[tuple[str, str, str]]
) -> None:
    users = [a_user(f"u{at}", created=days_before(900 + at)) for at in range(len(forged))]
    rows = user_rows(*users, as_of=AT)
    for cells, (column, cell, _) in zip(rows, forged, strict=True):
        cells[column] = cell
    content = bulk(rows, *[DELETE] * len(rows), more=("baseline", "same_second"))
    listed = saved(tmp_path, content, "bulk.csv")
    assert collect(listed).code == 0
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
    says = "bulk.csv, rows 2-5, column arn: no report named has this user as of this time"
    assert says in done.messages
    assert done.messages.count("Name the reports that it was made from") == 1
    assert collect(saved(tmp_path, bulk(rows), "bulk.csv"), "--report", report).code == 0


def test_an_explanation_says_what_was_decided_earlier(report: Path, decided: Path) -> None:
    done = run("explain", "ann", report, "--decisions", decided)
    assert b"earlier decision: delete" in done.output


def test_no_filled_workbook_is_written_over(report: Path, workbook: Path, written: bytes) -> None:
    before = workbook.read_bytes()
    refused = analyze(report, "-o", workbook)
    assert (refused.code, "has decisions of a reviewer" in refused.message_line) == (2, True)
    assert collect(workbook, "-o", workbook).code == 2
    copy = saved(workbook.parent, before, "copy.csv")
    for command, source in ((analyze, report), (plan, workbook), (collect, workbook)):
        refused = command(source, "-o", copy)
        assert (refused.code, "has decisions of a reviewer" in refused.message_line) == (2, True)
    for ledger in (workbook.with_name("new.xlsx"), "csv"):
        assert "must end in .csv" in collect(workbook, "-o", ledger).message_line
    assert plan(workbook, "-o", workbook).code == 2
    assert workbook.read_bytes() == before
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
            plan(workbook, "-o", kept),
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


@pytest.mark.parametrize(("seconds", "code"), [("", 3), (":%S", 0)])
def test_a_decision_on_a_report_that_lost_its_seconds_is_refused(
    tmp_path: Path, seconds: str, code: int
) -> None:
    def local(match: re.Match[str]) -> str:
        return f"{datetime.fromisoformat(match[0]):%d/%m/%Y %H:%M{seconds}}"

    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z", local, report_text([ANN, BOB]))
    resaved = saved(tmp_path, text, f"status_reports_{DAY}T09-30-00+00-00.csv")
    review = tmp_path / "review.xlsx"
    done = analyze(resaved, "-o", review)
    assert (done.code, "such decisions are refused" in done.messages) == (0, code == 3)
    review.write_bytes(edited(review.read_bytes(), ANN_TO_DELETE))
    refused = collect(review)
    assert (refused.code, "the dates of its report have no seconds" in refused.messages) == (
        code,
        code == 3,
    )
    planned = plan(
        ledger_in(tmp_path / "of_whole.csv", ann="delete"),
        *("--report", resaved, "-o", tmp_path / "remove.sh"),
    )
    assert (planned.code, "remove delete" in (tmp_path / "remove.sh").read_text()) == (
        5 if code else 0,
        not code,
    )


def test_a_script_without_its_ledger_beside_it_is_run_with_the_folder_of_the_ledger(
    decided: Path,
) -> None:
    (other := decided.parent / "other's").mkdir()
    script, more = other / "remove.sh", ledger_in(other / "more.csv", bob="delete")
    copy = other / "entered.csv"

    def said(*files: Path) -> str:
        return plan(*files, "-o", script, "--max-age", "36500").messages

    folder = f"LEDGER_FOLDER={decided.parent} sh {script}\nA copy of the ledger lacks"
    assert folder in said(decided)
    copy.write_bytes(decided.read_bytes())
    assert folder in said(decided)
    assert "run it: LEDGER_FOLDER=PATH sh" in said(decided, more)
    copy.unlink()
    copy.symlink_to(decided)
    assert f"run it: sh {script}\n" in said(decided, more)


@pytest.mark.no_cover
def test_a_plan_that_is_too_old_to_run_is_announced(decided: Path, monkeypatch: Patch) -> None:
    warning = "refuse to run: a report is of 2026-05-01T09:30:00Z, more than {:,} days ago."
    longest = 36_500  # a hundred years
    ages = ((), 45), (("--max-age", "10"), 10), (("--max-age", longest), longest)
    next_day = AT + timedelta(1)
    of_newer = line("delete", a_user("cy"), as_of=next_day, on=next_day.date())
    newer = saved(decided.parent, ledger_bytes([of_newer]), "newer.csv")
    for (options, days), seconds in product(ages, (0, 1)):
        now = AT + timedelta(days, seconds)
        monkeypatch.setattr("analyzer.cli.plan.utc_now", lambda now=now: now)
        done = plan(decided, newer, *options, "-o", decided.with_name("remove.sh"))
        says = warning.format(days), "Read it, then run it: sh "
        assert [each in done.messages for each in says] == [seconds > 0, seconds < 1]
        assert done.code == 0


def test_where_nobody_is_to_go_the_plan_says_so(tmp_path: Path) -> None:
    done = plan(ledger_in(tmp_path / "d.csv", ann="keep"), "-o", tmp_path / "remove.sh")
    assert (done.code, "changes nothing" in done.messages) == (0, True)
    assert "run it" not in done.messages
    assert "user/ann" not in (tmp_path / "remove.sh").read_text()


def test_two_ledgers_of_one_name_are_refused(tmp_path: Path, decided: Path) -> None:
    other = ledger_in(tmp_path / "other" / "entered.csv", ann="delete")
    for named in ((decided, other), (decided, decided)):
        done = plan(*named)
        assert (done.code, "two files are called entered.csv" in done.message_line) == (2, True)


def test_a_ledger_whose_name_cannot_be_printed_is_refused(tmp_path: Path) -> None:
    for name in ("d\x1b[2J.csv", "d\nx.csv", "d\u2028.csv", "d\udcff.csv"):
        done = plan(ledger_in(tmp_path / name, ann="delete"), "-o", tmp_path / "remove.sh")
        assert (done.code, "a name cannot be printed: d\\" in done.messages) == (2, True)
        assert not (tmp_path / "remove.sh").exists()


def test_a_word_that_does_not_count_is_named_with_the_plan(written: bytes, workbook: Path) -> None:
    keep = entered("ann", ("keep", "Anna", date(2026, 5, 5), None, "needed"))
    done = plan(workbook, saved(workbook.parent, edited(written, keep), "copy.xlsx"))
    assert (done.code, "keep, Anna" in done.messages) == (0, True)


def test_an_exempt_user_is_left_out_and_an_exemption_of_nobody_is_named(
    tmp_path: Path, report: Path
) -> None:
    ledger = ledger_in(tmp_path / "d.csv", ann="delete", bob="keep")
    days = ("2026-05-01", True), ("2026-04-30", False)
    for (last_day, exempt), reports in product(days, ((), ("--report", report))):
        text = f"{HEADER_OF_EXEMPTIONS}\n*,ann,By design,,{last_day}\n"
        entries = saved(tmp_path, text, "exempt.csv")
        done = plan(ledger, "--exemptions", entries, *reports)
        assert (": exempt" in done.messages) is exempt
        assert ("Note: The exemption of ann in account" in done.messages) is not exempt
        assert (f"expired on {last_day}" in done.messages) is not exempt
        assert done.code == (5 if exempt else 0)


def test_what_is_noted_on_a_newer_report_is_said(tmp_path: Path) -> None:
    ledger = saved(tmp_path, ledger_bytes([line("delete", ANN)]), "decisions.csv")
    done = plan(ledger, "--report", saved(tmp_path, report_text([ANN])))
    assert (done.code, "Note: No generation time in" in done.messages) == (5, True)


def test_a_plan_names_the_owners_in_the_script_and_who_is_done_already(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path / "d.csv", ann="delete", bob="delete")
    owners = saved(tmp_path, "account,user,owner\n*,ann,Ann Lee\n*,bob,Bo Li\n", "o.csv")
    newer = console_report(tmp_path / LATER, LATER, ANN)
    done = plan(ledger, "--owners", owners, "--report", newer)
    assert done.code == 0
    assert b"\n# Owner: Ann Lee\nremove delete 'arn:aws:iam::" in done.output
    assert b"user/bob" not in done.output
    assert "Done already for 1 user: bob.\n" in done.messages
    assert plan(ledger, "--owners", owners, "-o", owners).code == 2


def test_a_refused_workbook_makes_no_script(written: bytes, workbook: Path) -> None:
    workbook.write_bytes(edited(written, ANN_TO_DELETE, shown("ann", "Decision", "erase")))
    script = workbook.with_name("remove.sh")
    assert plan(workbook, "-o", script).code == 3
    assert not script.exists()


@pytest.mark.no_cover
def test_a_change_that_only_an_older_report_shows_leaves_the_user_out(tmp_path: Path) -> None:
    ledger, reports = ledger_in(tmp_path / "d.csv", ann="delete", bob="delete"), tmp_path / "all"
    back = a_user("ann", created=days_before(900), key_1=a_key("2026-05-20T00:00:00Z"))
    older = console_report(reports, LATER, back, BOB)
    console_report(reports, "2026-06-20", ANN, BOB)
    done = plan(ledger, "--report", reports)
    says = f"access key created 2026-05-20 (report {older}). Decide again\n"
    assert (done.code, says in done.messages, b"user/bob" in done.output) == (5, True, True)
    assert [line for line in done.lines if "user/ann" in line and line[:1] != "#"] == []


def test_a_list_that_shows_what_was_decided_on_its_report_before_is_not_emptied(
    tmp_path: Path, report: Path, workbook: Path
) -> None:
    ledger, later = tmp_path / "decisions.csv", tmp_path / "later.xlsx"
    assert collect(workbook, "-o", ledger).code == 0
    assert analyze(report, "--decisions", ledger, "-o", later).code == 0
    bob = entered("bob", ("delete", "Anna", date(2026, 5, 4), None, None))
    cleared = entered("ann", (None,) * 5)
    for book, says in (
        (edited(later.read_bytes(), bob), b": entered 1, new 1\n  Anna: 1 delete\n"),
        (edited(workbook.read_bytes(), cleared, bob), b": entered 1, emptied 1"),
    ):
        done = collect(saved(tmp_path, book, "v2.xlsx"), "-o", ledger)
        assert b"v2.xlsx" + says in done.output


def test_what_a_follow_up_beside_the_ledger_shows_overtaken_is_left_out(tmp_path: Path) -> None:
    ledger, followed = ledger_in(tmp_path / "d.csv", ann="delete", bob="delete"), tmp_path / "June"
    back = a_user("ann", created=days_before(900), mfa=True)
    shown = console_report(followed, LATER, back, BOB)
    followed /= "follow_up.csv"
    assert analyze(shown, "--decisions", ledger, "--follow-up", followed, "-q").code == 0
    newer = console_report(tmp_path / "July", "2026-07-01", ANN, BOB)
    for reports in ((), ("--report", newer)):
        done = plan(ledger, *reports)
        says = f"user/ann: changed since the decision: MFA device added (report {shown}). Decide"
        assert (done.code, says in done.messages) == (5, True)
        assert [line for line in done.lines if "user/ann" in line and line[:1] != "#"] == []
        assert b"user/bob" in done.output
    followed.write_bytes(followed.read_bytes().replace(b"overtaken", b"later"))
    done = plan(ledger)
    assert (done.code, "column status: not a status ('later')" in done.messages) == (3, True)


def test_who_is_done_already_is_one_line_behind_who_is_left_out(tmp_path: Path) -> None:
    users = [ANN, *(a_user(f"user-{at}", created=days_before(800)) for at in range(7))]
    lines = [line("delete", user, as_of=AT) for user in users]
    ledger = saved(tmp_path, ledger_bytes(lines), "decisions.csv")
    back = a_user("ann", created=days_before(900), mfa=True)
    done = plan(ledger, "--report", console_report(tmp_path / LATER, LATER, back))
    left_out, already = done.messages.splitlines()[-2:]
    assert (done.code, left_out.startswith("Left out: delete arn:aws:iam::")) == (5, True)
    names = "user-0, user-1, user-2, user-3, user-4 and 2 more"
    assert already == f"Done already for 7 users: {names}."


def test_a_row_is_compared_with_the_report_that_it_was_made_from_in_a_folder_with_newer_ones(
    tmp_path: Path, report: Path, workbook: Path
) -> None:
    other = console_report(tmp_path / "other", DAY, a_user("ann", created=days_before(1)), BOB)
    done = collect(workbook, "--report", other)
    assert (
        done.code,
        done.messages.count("2 rows come from reports that --report did not include"),
    ) == (3, 1)
    reports = report.parent
    renamed = a_user("ann2", created=ANN["user_creation_time"])
    for day, users in ((LATER, (ANN, BOB)), ("2026-07-01", (renamed, BOB))):
        console_report(reports, day, *users)
        assert collect(workbook, "--report", reports).code == 0
    report.unlink()
    done = collect(workbook, "--report", reports)
    assert (done.code, "was judged as of 2026-05-01" in done.messages) == (3, True)


def test_users_of_several_accounts_are_named_with_their_account(tmp_path: Path) -> None:
    users = [BOB, BOB | {"arn": f"arn:aws:iam::{OTHER_ACCOUNT}:user/bob"}]
    made = ledger_bytes([line("delete", each, as_of=AT) for each in users])
    ledger = saved(tmp_path, made, "decisions.csv")
    text = report_text([ANN])
    both = f"{text}\n{text.replace(ACCOUNT, OTHER_ACCOUNT)}"
    report = saved(tmp_path, both, f"status_reports_{LATER}T09-30-00+00-00.csv")
    done = plan(ledger, "--report", report)
    assert f"Done already for 2 users: {ACCOUNT}/bob, {OTHER_ACCOUNT}/bob.\n" in done.messages
