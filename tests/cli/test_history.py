"""`credreport history` shows a period in every form, and its exit code tells the truth."""

import hashlib
import io
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import openpyxl
import pytest

import analyzer
from analyzer.analysis.analysis import AnalysisRequest
from analyzer.changes.decisions import DECISION_COUNTS
from analyzer.changes.history import PERIOD, History, history
from analyzer.changes.period import Span
from analyzer.decisions.decision import LedgerLine
from analyzer.decisions.ledger import ledger_bytes
from analyzer.terms import VERSION, HistoryTable
from analyzer.writers.history import headline, sentences, write_history_csv, write_history_table
from analyzer.writers.workbook.history import MEANINGS, write_history_workbook
from tests.changes.test_history import ACCOUNT, BORN, day, person, report
from tests.support.builders import a_key, run, saved, table
from tests.support.decisions import line
from tests.support.histories import Named, history_of
from tests.support.named_reports import load_named


def kept(folder: Path, *reports: Named) -> Path:
    """Save reports in a folder of their own."""
    for name, content in reports:
        saved(folder / "reports", content, name)
    return folder / "reports"


def ledger_in(folder: Path, *lines: LedgerLine) -> Path:
    return saved(folder, ledger_bytes(lines), "decisions.csv")


def table_of(found: History, width: int, each: HistoryTable = HistoryTable.PERIOD) -> str:
    """Return what a terminal of that width shows of a table."""
    stream = io.StringIO()
    write_history_table(found, stream, each, width=width)
    return stream.getvalue()


def written(write: Callable[..., None], found: History, *which: HistoryTable) -> io.BytesIO:
    write(found, stream := io.BytesIO(), *which)
    return stream


def csv_of(found: History, each: HistoryTable) -> bytes:
    return written(write_history_csv, found, each).getvalue()


@pytest.mark.no_cover
def test_every_table_is_written_as_csv_and_all_as_json(tmp_path: Path) -> None:
    files = report(0, person("=ann")), report(7, person("b|o"))
    found, csv = history_of(list(files)), tmp_path / "year.csv"
    forms = ("--format", "json", "--table", "users", "-o", csv)
    done = run("history", kept(tmp_path, *files), *forms)
    assert done.code == 0
    for each in HistoryTable:
        cells = table(csv_of(found, each))
        assert [list(row) for row in cells] == [list(row) for row in done.document[each]]
        assert len(cells) == len(done.document[each])
        assert (len(cells) > 0) is (each is not HistoryTable.DECISIONS)
    assert csv.read_bytes() == csv_of(found, HistoryTable.USERS)
    assert [row["user"] for row in table(csv.read_bytes())] == ["'=ann", "b|o"]


TABLES = {
    HistoryTable.USERS: "ann unused -> (none) 2026-01-01 or before 0 2026-01-01 to 2026-01-08 Lee",
    HistoryTable.EVENTS: "ann 2026-01-01 to 2026-01-08 gone user deleted or renamed; created on",
    HistoryTable.REPORTS: "csv 1 7 counts",
}


@pytest.mark.parametrize("each", TABLES)
def test_a_terminal_gets_the_cells_of_the_table_that_is_asked_for(each: HistoryTable) -> None:
    files = report(0, person("ann")), report(7)
    listed = analyzer.read_owners(("owners.csv", b"account,user,owner\n*,ann,Lee\n"))
    loaded = load_named(*files, with_older=True)
    found = history(AnalysisRequest(owners=listed), loaded, Span())
    shown = " ".join(table_of(found, 200, each).replace("│", " ").split())
    assert TABLES[each] in shown


def test_the_workbook_has_a_sheet_for_each_table() -> None:
    users = [person(name) for name in ("=ann", "bo", "cy")]
    found = history_of([report(0, *users), report(7, *users[:2]), report(10, users[0])])
    stream = written(write_history_workbook, found)
    book = openpyxl.load_workbook(stream)
    assert book.sheetnames == ["Summary", "Period", "Users", "Events", "Reports"]
    assert [sheet.page_setup.paperSize for sheet in book.worksheets] == [9, 8, 8, 8, 8]
    for each in set(HistoryTable) - {HistoryTable.DECISIONS}:
        rows = table(csv_of(found, each))
        assert book[each.capitalize()].max_row == len(rows) + 1
    assert [cell.value for cell in book["Users"]["B"]] == ["User", "=ann", "bo", "cy"]
    assert {cell.data_type for cell in book["Users"]["B"]} == {"s"}
    meanings = {row[0]: row[2] for row in book["Summary"].iter_rows(max_col=3, values_only=True)}
    assert meanings["Unused unclear"] == MEANINGS["unused_unclear"]
    assert set(MEANINGS) == (set(PERIOD) | set(DECISION_COUNTS)) - {
        "account",
        "first",
        "last",
    }
    said = "at least: median 3.5, longest 7; at most: not known."
    assert f"Gone while unused: 2 users. Days unused, {said}" in list(sentences(found))
    heads, every, *_ = book["Period"].iter_rows(values_only=True)
    days = dict(zip(heads, every, strict=True))
    of_ends = [f"{kind} days at {end}" for end in ("least", "most") for kind in KINDS]
    assert [days[each] for each in of_ends] == [3.5, 7, None, None]


KINDS = ("Median", "Longest")


def test_a_period_that_no_report_covers_says_so() -> None:
    nothing = history_of([report(0, person())], Span(until=day(150)))
    (row,) = [each.split() for each in table_of(nothing, 160).splitlines() if each[:2] == "0 "]
    assert row == ["0", "not", "covered", "not", "covered"]
    assert headline(nothing) == "History: ? to ?, 0 of 1 account, 0 reports"


def test_users_and_events_have_the_owner_as_of_the_end_of_the_period(tmp_path: Path) -> None:
    files = report(0, person("bo")), report(7, person("ann")), report(9, person("ann"))
    text = "account,user,owner,email,left\n*,ann,Ann Lee,,2026-01-09\n*,cy,Bob,,\n"
    owners = saved(tmp_path, text, "owners.csv")
    names = saved(tmp_path, f"account,name\n{ACCOUNT},Prod\n", "names.csv")
    words = ("--owners", owners, "--accounts", names, "-o", tmp_path / "year.xlsx")
    done = run("history", kept(tmp_path, *files), *words)
    assert done.code == 0
    assert f"1 of 2 IAM users have no owner in {owners}." in done.messages
    assert f"Entries of {owners} that name the owner of no user: */cy." in done.messages
    book = openpyxl.load_workbook(tmp_path / "year.xlsx")
    summary = {str(row[0]): row for row in book["Summary"].iter_rows(values_only=True)}
    assert hashlib.sha256(owners.read_bytes()).hexdigest() in summary[str(owners)]
    said = [summary[name][1] for name in ("Period", "Gaps named", "Program")]
    gaps = "longer than 31 days"
    assert said == ["the first report to the last report", gaps, f"credreport {VERSION}"]
    users = book["Users"]
    (at,) = [cell.column_letter for cell in users[1] if cell.value == "Owner"]
    assert [cell.value for cell in users[at]] == ["Owner", "Ann Lee", None]
    assert [cell.value for cell in users[1]][:3] == ["Account", "Account name", "User"]
    assert not {"By name", "Exemption", "Owner email"} & {cell.value for cell in users[1]}
    listed = analyzer.read_owners((str(owners), owners.read_bytes()))
    loaded, request = load_named(*files, with_older=True), AnalysisRequest(owners=listed)
    for end, left in ((7, ""), (9, "2026-01-09")):
        found = history(request, loaded, Span(until=day(end)))
        rows = table(csv_of(found, HistoryTable.EVENTS))
        of_ann = {(row["owner"], row["owner_left"]) for row in rows if row["user"] == "ann"}
        assert of_ann == {("Ann Lee", left)}


def test_a_pipe_gets_cells_with_tabs_and_standard_error_what_is_uncertain(tmp_path: Path) -> None:
    lost = person(key_1=a_key(BORN, day(-2)))
    reports = kept(
        tmp_path,
        report(0, person(key_1=a_key(BORN, day(-1)))),
        report(40, lost, person("bo", password_enabled="??"), person("cy", user_creation_time="?")),
    )
    done = run("history", reports, "--since", "2025-12-30")
    head, row, every = done.lines
    assert head.startswith("account\treports\tfirst\t")
    assert row.startswith(f"{ACCOUNT}\t2\t2026-01-01T09:30:00Z\t2026-02-10T09:30:00Z\t40\t40\t1\t")
    assert every.startswith("all\t2\t")
    assert done.code == 5
    *remarks, blind_spot, partial = done.messages.splitlines()
    assert blind_spot.startswith("Not visible: ")
    assert partial == "Not covered: 1 part of the period (exit code 5)."
    gap, start, undetermined, unknown, back = remarks
    between = "no report for 40 days (2026-01-01, 2026-02-10)"
    assert gap == f"Account {ACCOUNT}: {between}, more than the 31 of --max-gap."
    begins = "The period begins with the report of 2026-01-01, 2 days after its start 2025-12-30"
    assert start == f"{begins}: account {ACCOUNT}."
    assert (
        undetermined
        == "Undetermined in the last report; if unused before, the days unused go on: bo."
    )
    assert unknown == "Known by name: a report does not show the creation time: cy."
    assert back == "A last use is gone or went back in time: ann."


MEETS = "Meets --fail-on: 1"


@pytest.mark.parametrize(
    ("apart", "words", "code", "last"),
    [
        (32, "--fail-on gap", 1, f"{MEETS} gap\n"),
        (32, "--max-gap 32 --fail-on gap", 0, ""),
        (7, "--until 2026-12-31 -q", 5, "Not covered: 1 part of the period (exit code 5).\n"),
        (32, "-q --fail-on gap", 1, f"{MEETS} gap\n"),
        (7, "-q", 0, ""),
        (7, "--until 2026-12-31 --fail-on gap", 1, f"{MEETS} account not covered\n"),
        (7, "--fail-on overdue", 2, ""),
        (7, "--table decisions", 2, ""),
        (7, "--as-of 2026-01-01", 2, ""),
        (7, "--max-gap 0", 2, ""),
        (7, "--since 2026-01-02 --until 2026-01-01", 2, ""),
        (7, "--since 2026-01-08 --until 2026-01-08", 0, ""),
    ],
)
def test_the_exit_code_says_whether_something_is_missing_and_the_last_line_what(
    tmp_path: Path, apart: int, words: str, code: int, last: str
) -> None:
    reports = kept(tmp_path, report(0, person()), report(apart, person()))
    done = run("history", reports, *words.split())
    assert (done.code, done.messages.endswith(last)) == (code, True)
    assert "-q" not in words or done.messages == last


def test_a_file_that_cannot_be_read_is_listed(tmp_path: Path) -> None:
    reports = kept(tmp_path, report(0, person()), report(7, person()), ("broken.csv", b"nothing"))
    assert run("history", reports).code == 3
    done = run("history", reports, "--skip-unreadable", "--format", "csv", "--table", "reports")
    assert (done.code, f"File {reports}/broken.csv is not covered" in done.messages) == (5, True)
    statuses = [row["status"].partition(":")[0] for row in done.rows]
    assert statuses == ["not read", "counts", "counts"]
    assert run("history", reports, "-o", reports / "broken.csv").code == 2
    assert (reports / "broken.csv").read_bytes() == b"nothing"


USED = a_key(BORN, day(-100))


def test_evidence_names_what_was_done_before_it_was_decided_and_accounts_without_a_report(
    tmp_path: Path,
) -> None:
    ann, bo = person("ann"), person("bo") | {"user_creation_time": day(-9)}
    other = person(arn="arn:aws:iam::111111111111:user/ann")
    for at, users in ((0, [ann, bo]), (20, [bo])):
        reports = kept(tmp_path, report(at, *users))
    words = (("delete", "Al"), ("keep", "Bea"))
    lines = (
        line("delete", ann, on=day(25).date(), as_of=day(0)),
        *(line(word, bo, by=by, on=day(2).date(), as_of=day(0)) for word, by in words),
        line("delete", other, on=day(2).date(), as_of=day(0)),
    )
    ended = run("history", reports, "--decisions", ledger_in(tmp_path, *lines), "--format", "json")
    assert (ended.code, ended.document["period"][-1]["decisions"]) == (5, 3)
    assert "Account 111111111111 is not covered: it has decisions" in ended.messages


def test_only_what_was_in_force_or_done_in_the_period_counts(tmp_path: Path) -> None:
    """The decision of another account was carried out before the period."""
    other = "111111111111"
    gone = person(arn=f"arn:aws:iam::{other}:user/ann")
    ann = person(key_1=USED)
    of_other = (
        report(at, *users, account=other) for at, users in ((-31, [gone]), (0, []), (20, []))
    )
    reports = kept(tmp_path, *(report(at, ann) for at in (0, 20, 40)), *of_other)
    ledger = ledger_in(
        tmp_path,
        line("delete", ann, on=day(10).date(), as_of=day(0)),
        line("keep", ann, on=day(32).date(), as_of=day(0)),
        line("delete", gone, on=date(2025, 12, 2), as_of=day(-31)),
    )
    words = ("--decisions", ledger, "--format", "json", "--fail-on", "overdue")
    for period, counts, done_in in (
        ([], [(2, 0, 0), (1, 1, 0)], [other]),
        (["--since", "2026-01-12", "--until", "2026-01-30"], [(0, 1, 1), (0, 0, 0)], []),
    ):
        done = run("history", reports, *words, *period)
        of_accounts = {row["account"]: row for row in done.document["period"]}
        rows = of_accounts[ACCOUNT], of_accounts[other]
        found = [tuple(row[name] for name in ("decisions", "removals", "open")) for row in rows]
        events = [row["account"] for row in done.document["events"] if row["event"] == "done"]
        assert (done.code, found, events) == (0, counts, done_in)


def test_a_terminal_gets_the_table_of_each_account_and_no_line_that_it_would_break() -> None:
    other = "999999999999"
    of_other = person(arn=f"arn:aws:iam::{other}:user/ann")
    of_each = {ACCOUNT: person(), other: of_other}
    reports = (report(at, user, account=each) for each, user in of_each.items() for at in (0, 7))
    told = history_of(list(reports))
    for width in (40, 80, 160):
        text = table_of(told, width)
        assert text.startswith("History: 2026-01-01")
        assert max(map(len, text.splitlines())) <= width
        assert [each in text for each in of_each] == [width > 40] * 2


def test_a_report_without_a_root_row_is_named_and_shows_nothing_done(tmp_path: Path) -> None:
    ann, bo = person(key_1=USED), person("bo", created=day(-9))
    name, content = report(20, bo)
    head, _, rest = content.split(b"\n")
    reports = kept(tmp_path, report(0, ann, bo), (name, head + b"\n" + rest), report(40, bo))
    ledger = ledger_in(tmp_path, line("delete", ann, on=day(1).date(), as_of=day(0)))
    document = run("history", reports, "--decisions", ledger, "--format", "json").document
    (note,) = (each for each in document["notes"] if "root user" in each)
    assert note.endswith(f"users who are not in it count as removed: {reports / name}.")
    done = [row["before"][:10] for row in document["events"] if row["event"] == "done"]
    assert done == [f"{day(40):%Y-%m-%d}"]


def test_what_a_file_shows_after_the_period_is_not_done_in_it(tmp_path: Path) -> None:
    """The period ends for another account with a file that has a newer report of this one too."""
    other, ann = "111111111111", person()
    files = [report(0, ann), report(20, ann), report(40, person("bo", created=day(-9)))]
    name, content = files[-1]
    rows = content.replace(ACCOUNT.encode(), other.encode()).partition(b"\n")[2]
    reports = kept(tmp_path, *files[:-1], (name, content + b"\n" + rows))
    ledger = ledger_in(tmp_path, line("delete", ann, on=day(1).date(), as_of=day(0)))
    for until, found in ((30, (0, 1)), (50, (1, 0))):
        words = ("--until", f"{day(until):%Y-%m-%d}", "--decisions", ledger, "--format", "json")
        every = run("history", reports, *words).document["period"][-1]
        assert (every["done"], every["open"]) == found, every


def test_what_is_said_of_users_gone_and_of_decisions_has_the_numbers_it_belongs_to(
    tmp_path: Path,
) -> None:
    ann, bo = person(), person("bo", created=BORN - timedelta(days=1))
    reports = kept(tmp_path, report(0, ann, bo), report(20, person("anna")))
    keep = line("keep", bo, on=day(1).date(), as_of=day(0))
    ledger = ledger_in(tmp_path, line("delete", ann, on=day(1).date(), as_of=day(0)), keep)
    said = run("history", reports, "--decisions", ledger).messages
    assert "Gone while unused: 2 users, of 2 gone (possibly renamed: 1). Days unused, at" in said
    removals = "Users to delete or deactivate: 1 (unknown 1). Users gone without"
    unknown = "by people who had left: not known (name the list of --owners)"
    assert f"Decisions: 2, {unknown}. {removals} a decision to remove" in said
    assert "to remove them: 1 (removed against a keep 1)." in said


def test_the_workbook_of_a_period_is_no_list_with_entries(tmp_path: Path) -> None:
    """It may lie beside the ledger, and be written again."""
    ann = person()
    reports = kept(tmp_path, report(0, ann), report(20, ann))
    ledger = ledger_in(tmp_path, line("delete", ann, on=day(1).date(), as_of=day(0)))
    words = "--decisions", ledger, "-o", tmp_path / "year.xlsx"
    assert [run("history", reports, *words).code for _ in range(2)] == [0, 0]
    heads = [cell.value for cell in openpyxl.load_workbook(tmp_path / "year.xlsx")["Decisions"][1]]
    assert {"Decided", "Decided by", "Day of decision"} <= set(heads)
    planned = run("plan", ledger, "--report", reports, "--exemptions", "none")
    assert planned.code == 0, planned.messages
