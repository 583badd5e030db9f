"""A folder of runs keeps a ledger: what reviewers enter in its workbooks is collected by itself."""

import json
import re
import shutil
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from zipfile import ZipFile

import pytest
from openpyxl import Workbook

import analyzer
from analyzer.decisions.ledger import ledger_bytes, read_ledger
from analyzer.files import sha256
from tests.support.builders import (
    ACCOUNT,
    Row,
    a_user,
    days_before,
    report_text,
    saved,
    saved_credentials,
    table,
    the_root,
)
from tests.support.builders import run as program
from tests.support.decisions import OTHER_ACCOUNT, bulk, line, user_rows
from tests.support.outputs import HEADER_OF_EXEMPTIONS
from tests.support.review import edited, entered, shown
from tests.support.runs import (
    check_whole,
    console_report,
    exporting,
    exporting_day,
    have_review_workbook,
    record_of,
)

Capture = pytest.CaptureFixture[str]
FIRST, SECOND, THIRD = "2026-05-01", "2026-06-01", "2026-07-01"
ON = date(2026, 5, 4)
ANN, BOB = a_user("ann", created=days_before(900)), a_user("bob", created=days_before(800))

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


def review(
    runs: Path, copy: str = "review.xlsx", *, by: str = "Anna", on: date = ON, **words: str
) -> None:
    """Enter decisions by user in the first workbook or a copy of it; an empty word empties."""
    workbook = run(runs, FIRST) / "review.xlsx"
    workbook.with_name(copy).write_bytes(filled_in(workbook.read_bytes(), by, on, **words))


@cache
def filled_in(workbook: bytes, by: str, on: date, **words: str) -> bytes:
    """Return a workbook with decisions, filled in once for all tests."""
    rows = {
        user: (word, by, on, None, "needed" if word == "keep" else None) if word else (None,) * 5
        for user, word in words.items()
    }
    return edited(workbook, *(entered(user, row) for user, row in rows.items()))


def decided(runs: Path) -> list[tuple[str, str]]:
    """Return user and decision of each line of the ledger."""
    content = (runs / "decisions.csv").read_bytes()
    return [(each.user, str(each.decision)) for each in read_ledger("d", content).lines]


def followed_up(run: Path) -> list[dict[str, str]]:
    return table((run / "follow_up.csv").read_bytes())


@pytest.mark.no_cover
def test_what_a_reviewer_entered_is_collected_shown_and_kept_with_the_run(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("analyzer.runs.outputs.write", analyzer.write)
    first, second = run(runs, FIRST), run(runs, SECOND)
    assert not (runs / "decisions.csv").exists()
    assert not (first / "decisions.csv").exists()
    assert record_of(first)["ledger"] is None
    review(runs, ann="delete", bob="keep")
    assert export(runs, SECOND) == 0
    assert decided(runs) == [("ann", "delete"), ("bob", "keep")]
    log = capsys.readouterr().err
    assert "Decisions added from 2026-05-01T09-30-00Z/review.xlsx: 2." in log
    check_whole(second)
    assert (second / "decisions.csv").read_bytes() == (runs / "decisions.csv").read_bytes()
    ledger = {"name": "decisions.csv", "sha256": sha256(second / "decisions.csv")}
    assert record_of(second)["ledger"] == ledger
    (followed,) = followed_up(second)
    assert (followed["user"], followed["status"], followed["days"]) == ("ann", "not-done", "28")
    assert followed["workbook"] == "2026-05-01T09-30-00Z/review.xlsx"
    exempt = {row["user"]: row["exemption"] for row in table((second / "users.csv").read_bytes())}
    assert exempt == {"ann": "", "bob": "needed"}


@pytest.mark.no_cover
def test_two_words_of_one_day_conflict_and_neither_counts(runs: Path, capsys: Capture) -> None:
    review(runs, "anna.xlsx", ann="delete")
    review(runs, "tom.xlsx", by="Tom", ann="keep")
    assert export(runs, SECOND) == 0
    assert "Conflict on arn:aws:iam::012345678901:user/ann" in capsys.readouterr().err
    conflict = [("ann", word) for word in ("delete", "keep", "conflict")]
    assert decided(runs) == conflict
    assert followed_up(run(runs, SECOND)) == []
    assert program("plan", runs / "decisions.csv", "-o", runs / "r.sh").code == 5
    assert export(runs, THIRD) == 0
    assert decided(runs) == conflict


@pytest.mark.usefixtures("plain_outputs")
def test_a_changed_ledger_makes_a_new_run_of_the_same_reports_but_only_once(runs: Path) -> None:
    review(runs, ann="delete")
    assert export(runs, FIRST) == 0
    assert (runs / "2026-05-01T09-30-00Z-2").is_dir()
    assert export(runs, FIRST) == 0
    assert not (runs / "2026-05-01T09-30-00Z-3").exists()


@pytest.mark.no_cover
def test_a_mind_that_changed_is_a_new_line_and_an_emptied_cell_is_named_and_stays_in_force(
    runs: Path, capsys: Capture
) -> None:
    review(runs, ann="delete", bob="delete")
    assert export(runs, SECOND) == 0
    assert "emptied:" not in capsys.readouterr().err
    review(runs, on=date(2026, 5, 5), ann="", bob="investigate")
    assert export(runs, THIRD) == 0
    assert decided(runs) == [("ann", "delete"), ("bob", "delete"), ("bob", "investigate")]
    assert [row["user"] for row in followed_up(run(runs, THIRD))] == ["ann"]
    log = capsys.readouterr().err
    assert "2026-05-01T09-30-00Z/review.xlsx: emptied: arn:aws:iam::012345678901:user/ann:" in log
    assert "delete, Anna, 2026-05-04 (2026-05-01T09-30-00Z/review.xlsx, sheet " in log


@pytest.mark.usefixtures("plain_outputs")
def test_another_ledger_is_collected_once_and_what_was_emptied_in_it_is_named(
    runs: Path, tmp_path: Path, capsys: Capture
) -> None:
    given, entry = tmp_path / "bulk.csv", ("delete", "Anna", "2026-05-04", "", "")
    for entered_now in (entry, entry, ()):
        given.write_bytes(bulk(user_rows(ANN), entered_now))
        assert export(runs, SECOND, "--decisions", given) == 0
        assert decided(runs) == [("ann", "delete")]
    log = capsys.readouterr().err
    assert log.count("Decisions added from bulk.csv: 1.") == 1
    assert log.count("bulk.csv: emptied: arn:aws:iam::012345678901:user/ann: delete, Anna") == 1


@pytest.mark.usefixtures("plain_outputs")
def test_a_day_in_future_is_refused_in_a_given_ledger_and_in_a_workbook_also_by_a_check(
    runs: Path, tmp_path: Path, capsys: Capture
) -> None:
    given = tmp_path / "bulk.csv"
    given.write_bytes(bulk(user_rows(ANN), ("delete", "Anna", "2999-01-01", "", "")))
    assert export(runs, SECOND, "--decisions", given) == 3
    review(runs, on=date(2999, 1, 1), ann="delete")
    for more in (["--check"], []):
        assert export(runs, SECOND, *more) == 5
    assert not (runs / "decisions.csv").exists()
    assert capsys.readouterr().err.count("the day is after today") == 3


HEAD, ROW = ledger_bytes([line("delete", ANN, on=ON)]).decode().splitlines()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("decision\ndelete\n", "decisions.csv, row 1: columns "),
        (f"{HEAD},by\n{ROW},Carl\n", "row 1, column by: not a column of this list"),
        (f"{HEAD},\n{ROW},Carl\n", "row 2: the column of this cell has no name ('Carl')"),
    ],
    ids=["columns gone", "a column added", "a cell added"],
)
def test_a_ledger_that_is_refused_ends_the_run_and_stays_as_it_is(
    runs: Path, capsys: Capture, text: str, says: str
) -> None:
    (runs / "decisions.csv").write_text(text)
    assert export(runs, SECOND) == 3
    assert says in capsys.readouterr().err
    assert not run(runs, SECOND).exists()
    assert (runs / "decisions.csv").read_text() == text


@pytest.mark.usefixtures("plain_outputs")
def test_lines_by_hand_in_the_ledger_count_and_overdue_decisions_fail_a_run(runs: Path) -> None:
    (runs / "decisions.csv").write_bytes(ledger_bytes([line("delete", ANN, on=ON)]))
    assert export(runs, SECOND, "--fail-on", "overdue", "--due-days", "28") == 0
    assert export(runs, SECOND, "--fail-on", "overdue", "--due-days", "27") == 1


def test_check_creates_no_folder_for_the_decisions_that_it_reads(tmp_path: Path) -> None:
    given, new = tmp_path / "bulk.csv", tmp_path / "new"
    given.write_bytes(bulk(user_rows(ANN), ("delete", "Anna", "2026-05-04", "", "")))
    assert export(new, SECOND, "--check", "--decisions", given) == 0
    assert not new.exists()


@pytest.mark.usefixtures("plain_outputs")
def test_copies_in_folders_of_a_run_are_collected_and_decisions_elsewhere_are_named(
    runs: Path, capsys: Capture
) -> None:
    first = run(runs, FIRST)
    (first / "answers").mkdir()
    review(runs, "lee.xlsx", ann="delete")
    (first / "lee.xlsx").rename(first / "answers" / "lee.xlsx")
    review(runs, "~ray.xlsx", by="Ray", bob="keep")
    review(runs, "~$ray.xlsx", by="Ray", ann="keep")  # as Excel names what it has open
    assert export(runs, SECOND) == 0
    assert decided(runs) == [("ann", "delete"), ("bob", "keep")]
    capsys.readouterr()
    review(runs, "top.xlsx", by="Top", ann="keep")
    (first / "top.xlsx").rename(runs / "top.xlsx")
    (first / "bulk.csv").write_bytes(bulk(user_rows(ANN), ("keep", "Top", "2026-05-05", "", "x")))
    sheet = first / "sheet.csv"  # saved from the workbook
    sheet.write_text("Account,User,Decision,Decided by,Decided on,Ticket,Comment\n1,ann,keep\n")
    (first / "open.csv").write_text(sheet.read_text().replace("keep", ""))
    users = first / "users.csv"  # filled in where it lies
    among_reports = first / "reports" / "bulk.csv"
    for each in (users, among_reports):
        each.write_bytes((first / "bulk.csv").read_bytes())
    run(runs, SECOND).rename(runs / "second quarter")
    review(runs, "sent.xlsx", by="Top", ann="keep")
    (first / "sent.xlsx").rename(runs / "second quarter" / "sent.xlsx")
    assert export(runs, THIRD) == 5
    named = capsys.readouterr().err
    sent = runs / "second quarter" / "sent.xlsx"
    for place in (runs / "top.xlsx", first / "bulk.csv", sheet, users, among_reports, sent):
        assert f"{place} may have decisions and is not read: collect it" in named
    assert "open.csv" not in named


def test_a_change_in_an_older_report_of_a_run_is_named_as_the_run_has_it(runs: Path) -> None:
    review(runs, ann="delete")
    back = a_user("ann", created=days_before(900), mfa=True)
    older = console_report(runs.parent / SECOND, SECOND, back, BOB)
    assert export(runs, THIRD, "--from", older) == 0
    (row,) = table((run(runs, THIRD) / "follow_up.csv").read_bytes())
    fact = f"Changed since the decision: MFA device added (report reports/{older.name})."
    assert (row["status"], row["fact"]) == ("overtaken", f"{fact} Decide again.")


def test_what_a_run_showed_overtaken_is_so_in_later_runs_until_it_is_done(runs: Path) -> None:
    def followed(day: str, *users: Row) -> tuple[str, str]:
        assert export(runs, day, users=users) == 0
        rows = table((run(runs, day) / "follow_up.csv").read_bytes())
        return next((row["status"], row["fact"]) for row in rows if row["user"] == "ann")

    review(runs, ann="delete", bob="delete")
    back, again = a_user("ann", created=days_before(900), mfa=True), date(2026, 6, 2)
    assert followed(SECOND, back, BOB)[0] == "overtaken"
    assert followed("2026-05-15", ANN, BOB)[0] == "not-done"
    where = f"{SECOND}T09-30-00Z/reports/status_reports_{SECOND}T09-30-00+00-00.csv"
    fact = f"Changed since the decision: MFA device added (report {where}). Decide again."
    assert followed(THIRD, ANN, BOB) == followed("2026-08-01", ANN, BOB) == ("overtaken", fact)
    assert followed("2026-08-02", BOB)[0] == "done"
    seen = line("delete", ANN, on=again, as_of=datetime(2026, 7, 1, 9, 30, tzinfo=UTC))
    ledger = (runs / "decisions.csv").read_bytes() + ledger_bytes([seen]).partition(b"\n")[2]
    (runs / "decisions.csv").write_bytes(ledger)
    assert followed("2026-08-03", ANN, BOB)[0] == "not-done"


@pytest.mark.usefixtures("plain_outputs")
def test_two_new_copies_in_which_a_person_decides_differently_are_both_left_out(
    runs: Path, capsys: Capture
) -> None:
    for copy, ann in (("answer.xlsx", "delete"), ("answer (1).xlsx", "keep")):
        review(runs, copy, ann=ann, bob="delete")
    review(runs, "tom.xlsx", by="Tom", bob="delete")
    assert export(runs, SECOND) == 5
    assert decided(runs) == [("bob", "delete")]
    log = capsys.readouterr().err
    for copy in ("answer.xlsx", "answer (1).xlsx"):
        assert f"The decisions in 2026-05-01T09-30-00Z/{copy} are not collected: " in log
    (run(runs, FIRST) / "answer.xlsx").unlink()
    assert export(runs, SECOND) == 0
    assert decided(runs)[1:] == [("ann", "keep"), ("bob", "delete")]


@pytest.mark.usefixtures("plain_outputs")
def test_an_entry_that_is_empty_in_a_new_version_is_named_though_the_old_one_has_it(
    runs: Path, capsys: Capture
) -> None:
    review(runs, ann="delete", bob="delete")
    assert export(runs, SECOND) == 0
    review(runs, "v2.xlsx", ann="delete", bob="")
    assert export(runs, SECOND) == 0
    emptied = "v2.xlsx: emptied: arn:aws:iam::012345678901:user/bob: delete, Anna, 2026-05-04 ("
    assert emptied in capsys.readouterr().err


@pytest.mark.usefixtures("plain_outputs")
def test_decisions_outside_of_runs_are_named_whatever_the_program_that_saved_them(
    runs: Path, capsys: Capture
) -> None:
    workbook, places = run(runs, FIRST) / "review.xlsx", ["answers/old.xls", "a.ods", "b.xlsm"]
    review(runs, "copy.xlsx", ann="keep")
    filled = workbook.with_name("copy.xlsx").rename(runs / "b.xlsm").read_bytes()
    (runs / "answers").mkdir()
    (runs / "answers" / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0")
    for place, name in (
        ("a.ods", "content.xml"),
        ("answers.zip", "Ann/review.XLSX"),
        (f"{FIRST}T09-30-00Z/more.zip", "review.ods"),
        ("renamed.zip", "folder/xl/workbook.xml"),
        ("reports.zip", "report.csv"),
    ):
        with ZipFile(runs / place, "w") as archive:
            archive.writestr(name, filled)
    with ZipFile(runs / "unanswered.zip", "w") as archive:
        archive.writestr("review.xlsx", workbook.read_bytes())
        archive.writestr("~$review.xlsx", b"\x05Ann")
    (runs / "answer.zip").write_bytes(filled)
    (runs / "template.zip").write_bytes(workbook.read_bytes())
    encrypted = bytearray((runs / "unanswered.zip").read_bytes())
    for header, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        encrypted[encrypted.index(header) + flags] |= 1
    (runs / "encrypted.zip").write_bytes(encrypted)
    (runs / "cut.zip").write_bytes((runs / "answers.zip").read_bytes()[:99])
    (runs / "open.xlsm").write_bytes(workbook.read_bytes())
    assert export(runs, SECOND) == 5
    log = capsys.readouterr().err
    named = re.findall(f"{runs}/(.*) may have decisions and is not read: (.*)[.]", log)
    archives = ["answers.zip", "cut.zip", f"{FIRST}T09-30-00Z/more.zip"]
    archives += ["answer.zip", "encrypted.zip", "renamed.zip"]
    out, save = f", or move it out of {runs}", "save it as .xlsx, and remove this file"
    remedies = {".zip": f"unpack it and collect its workbooks{out}", ".xlsm": f"collect it{out}"}
    assert dict(named) == {
        each: remedies.get(Path(each).suffix, save) for each in (*places, *archives)
    }


def test_what_any_run_showed_overtaken_stays_so_whatever_became_of_the_run_or_was_done_since(
    runs: Path,
) -> None:
    review(runs, ann="delete")
    back = a_user("ann", created=days_before(900), mfa=True)
    assert export(runs, SECOND, users=[back, BOB]) == 0
    file = run(runs, SECOND) / "follow_up.csv"
    text = file.read_bytes().replace(b",", b";").replace(b"\n", b"\r\n")
    file.write_bytes(text.replace(b"2026-05-04", b"5/4/2026"))  # as a spreadsheet saves it
    assert export(runs, THIRD, users=[BOB]) == 0
    assert followed_up(run(runs, THIRD))[0]["status"] == "done"
    (run(runs, SECOND) / "changes.csv").unlink()
    run(runs, SECOND).rename(runs / "June")
    assert export(runs, "2026-08-01") == 5
    (row,) = followed_up(run(runs, "2026-08-01"))
    assert row["status"] == "overtaken"
    assert "MFA device added (report June/reports/" in row["fact"]


def test_what_is_done_stays_done_since_the_first_run_that_nobody_edited_whatever_lies_between(
    runs: Path,
) -> None:
    def done_since(day: str) -> str:
        assert export(runs, day, users=[BOB]) == 0
        file = run(runs, day) / "follow_up.csv"
        (row,) = followed_up(file.parent)
        assert row["status"] == "done"
        file.write_bytes(file.read_bytes().replace(b"2026-06", b"2025-06"))
        return row["done_since"]

    review(runs, ann="delete")
    assert export(runs, SECOND, users=[BOB]) == 0
    other = report_text([BOB]).replace(ACCOUNT, "111122223333")
    name = f"status_reports_{THIRD}T09-30-00+00-00.csv"
    assert exporting(runs, "--from", saved(runs.parent, other, name)) == 0
    assert followed_up(run(runs, THIRD))[0]["status"] == "unknown"
    assert done_since("2026-08-01") == done_since("2026-08-02") == "2026-06-01T09:30:00Z"
    with (run(runs, SECOND) / "follow_up.csv").open("ab") as stream:
        stream.write(b"\n")
    assert done_since("2026-08-03") == "2026-08-03T09:30:00Z"


NO_TIME = "column created: not a time ('soon')"


def test_a_follow_up_that_is_not_understood_is_named(runs: Path, capsys: Capture) -> None:
    head = "status,arn,created,decision,decided_on,decided_as_of,fact,report,done_since\n"
    rows = "later,a,b,delete,,,,,\novertaken,a,2024-01-01T00:00:00Z,delete,,1/5/2026,,,\n"
    rows += "done,a,soon,deactivate,,2026-05-01T00:00:00Z,Changed since the decision: x.,,\n"
    (run(runs, FIRST) / "follow_up.csv").write_text(head + rows)
    (runs / "closed").mkdir()
    (runs / "closed" / "follow_up.csv").symlink_to("/proc/self/mem")  # cannot be read
    assert export(runs, SECOND) == 5
    log = capsys.readouterr().err
    says = f"Not all decisions that were overtaken are known: {runs}/closed/follow_up.csv"
    for text in (
        says,
        "not a status ('later')",
        "column decided_as_of: not a time ('1/5/2026')",
        NO_TIME,
    ):
        assert text in log


def test_a_service_credential_that_a_run_showed_may_work_in_later_runs_without_a_list(
    runs: Path,
) -> None:
    def followed(day: str) -> tuple[str, str]:
        assert export(runs, day) == 0
        (row,) = followed_up(run(runs, day))
        return row["status"], row["had_service_credential"]

    review(runs, ann="deactivate")
    report = console_report(runs.with_name("reports"), SECOND)
    saved_credentials(report, ann="Active")
    assert followed(SECOND) == ("not-done", "true")
    assert followed(THIRD) == followed("2026-08-01") == ("unknown", "true")


@pytest.mark.usefixtures("plain_outputs")
def test_lines_that_a_run_has_and_the_ledger_lost_are_named_also_by_plan(
    runs: Path, capsys: Capture
) -> None:
    ledger = runs / "decisions.csv"
    copy = runs / f"{SECOND}T09-30-00Z-2" / "decisions.csv"
    first, *others = [line(word, ANN, on=ON) for word in ("delete", "keep")], line("keep", BOB)
    for lines in ((*others, *first), (*first, *others)):  # the order makes no difference
        ledger.write_bytes(ledger_bytes(lines))
        assert export(runs, SECOND) == 0
    assert export(runs, "2026-06-15") == 0
    (run(runs, "2026-06-15") / "decisions.csv").write_text("saved again")  # others are intact
    ledger.write_bytes(ledger_bytes(first[:1]))
    for day in (THIRD, "2026-08-01"):
        assert export(runs, day) == 5
    says = f"{copy} has 2 decisions that the ledger has not: collect it. The users: arn:"
    assert capsys.readouterr().err.count(says) == 2
    done = program("plan", ledger)
    assert (done.code, says in done.messages, b"remove delete" in done.output) == (5, True, False)
    assert f"user/ann: {copy} has a decision on the user" in done.messages
    ledger.unlink()
    assert export(runs, "2026-09-01") == 5
    assert says in capsys.readouterr().err
    assert program("collect", copy, "-o", ledger).code == 0
    assert export(runs, "2026-09-02") == 0


@pytest.mark.usefixtures("plain_outputs")
def test_plan_leaves_out_users_on_whom_workbooks_of_runs_have_what_the_ledger_has_not(
    runs: Path,
) -> None:
    copy = run(runs, FIRST) / "bob.xlsx"
    says = f"{copy} has 1 decision that the ledger has not: collect it. The users: arn:"

    def add_sums(book: Workbook) -> None:
        sheet = book["Unused users"]
        for cell, text in zip(("Z1", "Z2", "Z3"), ("Sum", "=1+1", "=1+1"), strict=True):
            sheet[cell] = text

    def add_remark(book: Workbook) -> None:
        book["Unused users"]["AZ3"] = "ask Tom"

    def planned() -> tuple[int, bool, list[str]]:
        done = program("plan", runs / "decisions.csv")
        users = re.findall(r"(?m)^remove .*/(\w+)' ", done.output.decode())
        return done.code, says in done.messages, users

    review(runs, ann="delete", bob="delete")
    assert export(runs, SECOND) == 0
    assert planned() == (0, False, ["ann", "bob"])
    review(runs, copy.name, by="Tom", bob="keep")  # a conflict, once it is collected
    assert planned() == (5, True, ["ann"])
    for ann in ("delete", ""):
        review(runs, copy.name, ann=ann, bob="remove")  # refused
        copy.write_bytes(edited(copy.read_bytes(), add_sums))
        assert planned() == (5, True, ["ann"])
    copy.write_bytes(edited(copy.read_bytes(), shown("ann", "User", "tom")))
    assert planned() == (3, False, [])
    # Nothing is entered, or nothing that spares anybody: it is the same removal.
    for word, edit in (("", add_remark), ("delete", lambda _: None)):
        review(runs, copy.name, by="Tom", ann=word, bob=word)
        copy.write_bytes(edited(copy.read_bytes(), edit))
        assert planned() == (0, False, ["ann", "bob"])
    later = date(2026, 5, 5)
    review(runs, copy.name, on=later, ann="keep")
    assert export(runs, THIRD) == 0
    review(runs, copy.name, on=later, ann="keep", bob="remove")  # only that is new
    assert planned() == (5, True, [])


def test_copies_that_are_refused_stop_no_run_which_names_in_its_outputs_what_is_missing(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("analyzer.runs.outputs.write", analyzer.write)
    review(runs, "anna.xlsx", ann="remove")
    review(runs, "tom.XLSX", by="Tom", bob="delete")
    first, second = run(runs, FIRST), run(runs, SECOND)
    (first / "eve.xlsb").write_bytes(b"\xd0\xcf")
    (first / "follow_up.csv").write_text("status\n")
    assert export(runs, SECOND, "--fail-on", "unused") == 5
    assert decided(runs) == [("bob", "delete")]
    notes = json.loads((second / "analysis.json").read_bytes())["notes"]
    log = capsys.readouterr().err
    assert "not a decision ('remove')" in log
    for says in (
        *(f"The decisions in {FIRST}T09-30-00Z/anna.xlsx are not collected: ", "eve.xlsb are not"),
        "Not all decisions that were overtaken are known: ",
    ):
        assert [says in note for note in notes].count(True) == log.count(says) == 1
    check_whole(second)
    assert record_of(second)["exit_code"] == 5


@pytest.mark.usefixtures("plain_outputs")
def test_plan_leaves_out_the_users_exempt_by_the_list_of_the_newest_run(runs: Path) -> None:
    ledger, reports = runs / "decisions.csv", runs.with_name("reports")
    exempt = saved(runs.parent, f"{HEADER_OF_EXEMPTIONS}\n*,ann,needed,,\n*,zoe,x,,\n", "e.csv")
    other = saved(runs.parent, f"{HEADER_OF_EXEMPTIONS}\n*,bob,needed,,\n", "other.csv")
    ledger.write_bytes(ledger_bytes([line("delete", ANN, on=ON)]))
    assert export(runs, SECOND, "--exemptions", exempt) == 0
    for more in ((), ("--report", reports)):
        done = program("plan", ledger, *more)
        assert (done.code, "user/ann: exempt: needed" in done.messages) == (5, True)
        assert "zoe" not in done.messages
        assert program("plan", ledger, *more, "--exemptions", other).code == 0
    others = report_text([a_user(account=OTHER_ACCOUNT)], root=the_root(OTHER_ACCOUNT))
    later = saved(runs.parent, others, f"status_reports_{THIRD}T09-30-00+00-00.csv")
    assert exporting(runs, "--from", later) == 0
    assert "user/ann: exempt: needed" in program("plan", ledger).messages


def test_a_decision_collected_late_is_followed_up_in_the_reports_of_the_runs_since(
    runs: Path,
) -> None:
    back = a_user("ann", created=days_before(900), mfa=True)
    for day, users in (("2026-04-01", [back]), (SECOND, [back, BOB]), (THIRD, [ANN])):
        assert export(runs, day, users=users) == 0
    review(runs, ann="delete", bob="delete")
    collected = program("collect", run(runs, FIRST) / "review.xlsx", "-o", runs / "decisions.csv")
    assert collected.code == 0
    report = run(runs, SECOND) / f"reports/status_reports_{SECOND}T09-30-00+00-00.csv"
    whole = report.read_text()
    report.write_text("cut")
    done = program("plan", runs / "decisions.csv", "-o", runs / "r.sh")
    assert (done.code, f"{SECOND}T09-30-00Z/reports/" in done.messages) == (3, True)
    report.write_text(whole)
    done = program("plan", runs / "decisions.csv", "-o", runs / "r.sh")
    assert "user/ann: changed since the decision: MFA device added (report" in done.messages
    for day in ("2026-08-01", "2026-08-02"):
        assert export(runs, day, users=[ANN]) == 0
        followed = [(each["status"], each["done_since"]) for each in followed_up(run(runs, day))]
        assert followed == [("overtaken", ""), ("done", f"{THIRD}T09:30:00Z")]


@pytest.mark.usefixtures("plain_outputs")
def test_plan_names_what_may_have_decisions_and_is_not_read(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, review_copy = runs / "decisions.csv", runs / "bob.xlsx"

    def planned() -> tuple[int, str]:
        done = program("plan", ledger)
        return done.code, done.messages

    review(runs, ann="delete")
    assert export(runs, SECOND) == 0
    first = run(runs, FIRST)
    review_copy.write_bytes(filled_in((first / "review.xlsx").read_bytes(), "Bob", ON, ann="keep"))
    code, says = planned()
    assert (code, f"{review_copy} may have decisions and is not read" in says) == (5, True)
    review_copy.unlink()
    assert planned()[0] == 0
    (first / "manifest.json").unlink()
    code, says = planned()
    assert (code, f"{first} is not a complete run" in says) == (5, True)
    monkeypatch.setattr("analyzer.runs.ledger.os.access", lambda *_: False)
    code, says = planned()
    assert (code, f"{runs} cannot be listed: what runs there hold" in says) == (5, True)


def test_a_late_decision_of_a_day_without_a_time_is_followed_up_from_the_start_of_the_day(
    runs: Path,
) -> None:
    back = a_user("ann", created=days_before(900), mfa=True)
    for day, users in ((SECOND, [back, BOB]), (THIRD, [ANN, BOB])):
        assert export(runs, day, users=users) == 0
    ends = datetime(2026, 6, 1, 23, 59, 59, tzinfo=UTC)
    cells = {**line(user=ANN, as_of=ends).user_row, "as_of_source": "folder"}
    decided = line(
        user=ANN, on=date(2026, 6, 2), as_of=ends, baseline=days_before(20), user_row=cells
    )
    (runs / "decisions.csv").write_bytes(ledger_bytes([decided]))
    done = program("plan", runs / "decisions.csv")
    assert f"MFA device added (report {SECOND}" in done.messages


def test_a_decision_that_is_in_force_again_is_followed_up_in_the_runs_that_did_not(
    runs: Path,
) -> None:
    back, ledger = a_user("ann", created=days_before(900), mfa=True), runs / "decisions.csv"
    of_tom = [line(word, ANN, on=ON, by="Tom") for word in ("keep", "withdraw")]
    lines = [line("delete", ANN, on=ON), *of_tom]
    shutil.rmtree(run(runs, FIRST))  # the oldest that is left followed it up
    for number, day, user in ((1, SECOND, ANN), (2, THIRD, back)):
        ledger.write_bytes(ledger_bytes(lines[:number]))
        assert export(runs, day, users=[user, BOB]) == 0
    ledger.write_bytes(ledger_bytes(lines))
    assert f"MFA device added (report {THIRD}" in program("plan", ledger).messages


def test_what_a_run_showed_beside_a_deactivation_that_is_done_overtakes_it_afterwards(
    runs: Path,
) -> None:
    review(runs, ann="deactivate")
    back = a_user("ann", created=days_before(900), mfa=True)
    for day, users in ((SECOND, [back, BOB]), (THIRD, [ANN, BOB])):
        assert export(runs, day, users=users) == 0
        assert followed_up(run(runs, day))[0]["status"] == "done"
    done = program("plan", runs / "decisions.csv")
    assert (done.code, f"MFA device added (report {SECOND}" in done.messages) == (5, True)
