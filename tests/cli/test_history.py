"""`credreport history` shows a period in every form, and its exit code tells the truth."""

import hashlib
import io
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

import analyzer
from analyzer.changes.history import DECIDED, PERIOD, History, history
from analyzer.changes.timeline import Span
from analyzer.decisions.decision import LedgerLine
from analyzer.decisions.ledger import ledger_bytes
from analyzer.terms import VERSION, HistoryTable, Verdict
from analyzer.writers.history import sentences, write_history_csv, write_history_table
from analyzer.writers.workbook.history import MEANINGS, write_history_workbook
from tests.changes.test_history import ACCOUNT, BORN, day, person, report
from tests.support.builders import Row, a_key, run, saved, table
from tests.support.decisions import line
from tests.support.histories import Named, history_of
from tests.support.workbooks import parts


def kept(folder: Path, *reports: Named) -> Path:
    """Save reports in a folder of their own."""
    for name, content in reports:
        saved(folder / "reports", content, name)
    return folder / "reports"


def ledger_in(folder: Path, *lines: LedgerLine) -> Path:
    return saved(folder, ledger_bytes(lines), "decisions.csv")


def table_of(found: History, width: int) -> str:
    """Return what a terminal of that width shows of the period."""
    stream = io.StringIO()
    write_history_table(found, stream, HistoryTable.PERIOD, width=width)
    return stream.getvalue()


def csv_of(found: History, each: HistoryTable) -> bytes:
    stream = io.BytesIO()
    write_history_csv(found, stream, each)
    return stream.getvalue()


def workbook_of(found: History) -> io.BytesIO:
    stream = io.BytesIO()
    write_history_workbook(found, stream)
    return stream


@pytest.mark.no_cover
def test_every_table_is_written_as_csv_and_all_as_json_and_markdown(tmp_path: Path) -> None:
    files = report(0, person("=ann")), report(7, person("b|o"))
    reports, found = kept(tmp_path, *files), history_of([*files])
    data, page, csv = (tmp_path / f"year.{ending}" for ending in ("json", "md", "csv"))
    done = run("history", reports, "-o", data, "-o", page, "-o", csv)
    assert (done.code, done.output) == (0, b"")
    document = json.loads(data.read_bytes())
    for each in HistoryTable:
        cells = table(csv_of(found, each))
        assert [[*row] for row in cells] == [[*row] for row in document[each]]
        assert len(cells) == len(document[each]) > 0
    assert csv.read_bytes() == csv_of(found, HistoryTable.PERIOD)
    text = page.read_text()
    assert "| b&#124;o | " in text
    assert all(f"## {each.capitalize()}" in text for each in HistoryTable)
    done = run("history", reports, "--format", "json", "--table", "users", "-o", csv)
    assert done.output == data.read_bytes()
    assert [row["user"] for row in table(csv.read_bytes())] == ["'=ann", "b|o"]


def test_the_workbook_has_a_sheet_for_each_table_and_a_chart() -> None:
    bo = person("bo", created=day(2))
    found = history_of([report(0, person("=ann")), report(7, person("=ann"), bo)])
    written = workbook_of(found)
    book = openpyxl.load_workbook(written)
    assert book.sheetnames == ["Summary", "Period", "Users", "Events", "Reports"]
    for each in HistoryTable:
        rows = table(csv_of(found, each))
        assert book[each.capitalize()].max_row == len(rows) + 1
    assert [cell.value for cell in book["Users"]["B"]] == ["User", "=ann", "bo"]
    assert {cell.data_type for cell in book["Users"]["B"]} == {"s"}
    meanings = {row[0]: row[2] for row in book["Summary"].iter_rows(max_col=3, values_only=True)}
    assert meanings["Unused unclear"] == MEANINGS["unused_unclear"]
    assert {*MEANINGS} == {*PERIOD, *DECIDED} - {"account", "first", "last"}
    charts = [part for name, part in parts(written.getvalue()).items() if "charts/chart" in name]
    assert [part.count(b"<ser>") for part in charts] == [4]
    nothing = history_of([report(0, person())], Span(until=day(150)))
    written = workbook_of(nothing)
    summary = openpyxl.load_workbook(written)["Summary"]
    assert "Users by day" not in [row[0] for row in summary.iter_rows(values_only=True)]
    assert not [name for name in parts(written.getvalue()) if "charts/" in name]
    (row,) = [each.split() for each in table_of(nothing, 160).splitlines() if each[:2] == "0 "]
    assert row == ["0", "not", "covered", "not", "covered"]


@pytest.mark.no_cover
@pytest.mark.parametrize(("days", "shown"), [(40, 40), (41, 21)])
def test_the_chart_has_so_many_days_as_it_can_show_and_the_last_of_them(
    days: int, shown: int
) -> None:
    told = history_of([report(0, person()), report(1)])
    moments = pd.date_range(day(0), periods=days, tz="UTC")
    trend = pd.DataFrame({"as_of": moments, **dict.fromkeys(map(str, Verdict), range(days))})
    book = openpyxl.load_workbook(workbook_of(replace(told, trend=trend)))
    rows = [row[:2] for row in book["Summary"].iter_rows(values_only=True)]
    (head,) = [at for at, (name, _) in enumerate(rows) if name == "As of (UTC)"]
    listed = [row for row in rows[head + 1 :] if row[0]]
    assert len(listed) == shown
    assert listed[-1] == (f"{day(days - 1):%Y-%m-%d}", days - 1)


def test_users_and_events_have_the_owner_as_of_the_end_of_the_period(tmp_path: Path) -> None:
    files = report(0, person("bo")), report(7, person("ann")), report(9, person("ann"))
    text = "account,user,owner,email,left\n*,ann,Ann Lee,,2026-01-09\n*,cy,Bob,,\n"
    owners, page = saved(tmp_path, text, "owners.csv"), tmp_path / "year.md"
    words = ("--owners", owners, "-o", tmp_path / "year.xlsx", "-o", page)
    done = run("history", kept(tmp_path, *files), *words)
    assert done.code == 0
    assert f"1 of 2 IAM users have no owner in {owners}." in done.messages
    assert f"Entries of {owners} that name the owner of no user: */cy." in done.messages
    book = openpyxl.load_workbook(tmp_path / "year.xlsx")
    summary = {str(row[0]): row for row in book["Summary"].iter_rows(values_only=True)}
    assert hashlib.sha256(owners.read_bytes()).hexdigest() in summary[str(owners)]
    said = [summary[name][1] for name in ("Period", "Longest gap", "Program")]
    assert said == ["the first report to the last report", "31 days", f"credreport {VERSION}"]
    users = book["Users"]
    (at,) = [cell.column_letter for cell in users[1] if cell.value == "Owner"]
    assert [cell.value for cell in users[at]] == ["Owner", "Ann Lee", None]
    assert "| Ann Lee (left 2026-01-09) |" in page.read_text()
    listed = analyzer.read_owners((str(owners), owners.read_bytes()))
    analysis = analyzer.analyze(analyzer.load(*files, with_older=True), owners=listed)
    for end, left in ((7, ""), (9, "2026-01-09")):
        rows = table(csv_of(history(analysis, Span(until=day(end))), HistoryTable.EVENTS))
        of_ann = {(row["owner"], row["owner_left"]) for row in rows if row["user"] == "ann"}
        assert of_ann == {("Ann Lee", left)}


def test_a_pipe_gets_cells_with_tabs_and_what_is_not_certain_goes_to_standard_error(
    tmp_path: Path,
) -> None:
    lost = person(key_1=a_key(BORN, day(-2)))
    reports = kept(
        tmp_path,
        report(0, person(key_1=a_key(BORN, day(-1)))),
        report(40, lost, person("bo", password_enabled="??"), person("cy", user_creation_time="?")),
        report(40, name="report.csv"),
        report(40, name="other/report.csv", account="111111111111"),
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
    assert remarks == [
        (
            f"Account {ACCOUNT}: no report for 40 days (2026-01-01, 2026-02-10),"
            " more than the 31 of --max-gap."
        ),
        (
            "The period begins with the report of 2026-01-01, 2 days after its start 2025-12-30:"
            f" account {ACCOUNT}."
        ),
        (
            "Not counted, as-of is assumed: it has no place in the order:"
            f" {reports}/{ACCOUNT}/report.csv, {reports}/111111111111/other/report.csv."
        ),
        "Undetermined at the end; days unused continue through such reports: bo.",
        "Known by name: a report does not show the creation time: cy.",
        "A last use is gone or went back in time: ann.",
    ]


MEETS = "Meets --fail-on: 1"


@pytest.mark.parametrize(
    ("apart", "words", "code", "last"),
    [
        (32, "--fail-on gap", 1, f"{MEETS} gap\n"),
        (32, "--max-gap 32 --fail-on gap", 0, ""),
        (7, "--until 2026-12-31 -q", 5, ""),
        (7, "--until 2026-12-31 --fail-on gap", 1, f"{MEETS} account not covered\n"),
        (7, "--fail-on overdue", 2, ""),
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
    assert (done.messages == "") is ("-q" in words)


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


FOLLOWED: tuple[tuple[str, int, list[list[str]], dict[str, int]], ...] = (
    ("delete", 1, [[], []], {"done_in_time": 1}),
    ("delete", 1, [["ann"], ["ann"], []], {"done_late": 1}),
    ("delete", 15, [["ann"], ["ann"]], {"open": 1}),
    ("deactivate", 1, [["off"], ["off"]], {"done_in_time": 1}),
    ("deactivate", 1, [["ann"], ["ann"], ["off"]], {"done_late": 1}),
    ("deactivate", 1, [["ann"], []], {"done_undated": 1}),
    ("delete", 10, [["ann"], []], {"done_in_time": 1}),
    ("delete", 9, [["ann"], []], {"done_undated": 1}),
    ("delete", 9, [["ann"], ["ann"], []], {"done_late": 1}),
    ("delete", 10, [["ann"], ["ann"], []], {"done_undated": 1}),
    ("delete", 1, [["anna"], ["anna"], []], {"done_late": 1}),
    ("deactivate", 1, [["anna"], ["anna"], []], {"done_late": 1}),
    ("delete", 1, [["ann", "anna"], ["anna"], ["bo"]], {"done_late": 1}),
    ("keep", 1, [["ann"], ["ann"]], {}),
    ("delete", 1, [["ann"], ["ann"]], {"overdue": 1}),
)
"""What was decided on ann and on which day, who is in the later reports, what became of it."""


def test_decisions_are_followed_to_the_report_that_first_shows_them_done(tmp_path: Path) -> None:
    lines, expected, done = [], {}, {}
    for number, (decision, on, later, removals) in enumerate(FOLLOWED, start=1):
        account = f"{number:012}"
        arn = f"arn:aws:iam::{account}:user/ann"
        ann = person(key_1=USED, arn=arn)
        rows: dict[str, Row] = {
            "ann": ann,
            "off": person(key_1={**USED, "active": "false"}, arn=arn),
            "anna": person("anna", key_1=USED, arn=f"{arn}a"),
            "bo": person("bo", created=day(10), arn=f"arn:aws:iam::{account}:user/bo"),
        }
        for at, names in enumerate([["ann"], *later]):
            users = (rows[name] for name in names)
            reports = kept(tmp_path, report(20 * at, *users, account=account))
        lines.append(line(decision, ann, on=day(on).date(), as_of=day(0)))
        expected[account] = removals
        if any(name.startswith("done") for name in removals):
            last = 20 * (len(later) if later[-1] != later[0] else 1)
            done[account] = f"{day(last):%Y-%m-%dT%H:%M:%SZ}"
    words = ("--decisions", ledger_in(tmp_path, *lines), "--fail-on", "overdue")
    ended = run("history", reports, *words, "--format", "json")
    assert (ended.code, ended.messages.splitlines()[-1]) == (1, "Meets --fail-on: 1 overdue")
    document = ended.document
    kinds = ("done_in_time", "done_undated", "done_late", "overdue", "open")
    of_accounts = {row["account"]: row for row in document["period"]}
    for account, removals in expected.items():
        row = of_accounts[account]
        assert {name: row[name] for name in kinds if row[name]} == removals
        assert (row["decisions"], row["removals"]) == (1, len(removals))
    decided = {row["account"]: row for row in document["events"] if row["event"] == "decision"}
    for each in lines:
        event = decided[each.account]
        assert event["detail"] == each.summary
        assert (event["after"] or "", event["before"][:10]) == ("", str(each.decided_on))
    events = [row for row in document["events"] if row["event"] == "done"]
    assert {row["account"]: row["before"] for row in events} == done
    assert len(events) == len(done)


def test_a_user_that_the_last_report_shows_to_be_another_delays_no_removal(tmp_path: Path) -> None:
    ann, other = person(key_1=USED), f"arn:aws:iam::{ACCOUNT}:user/bo"
    unclear, bo = (person("bo", created=each, arn=other) for each in ("soon", day(10)))
    reports = kept(tmp_path, report(0, ann), report(20, unclear), report(40, bo))
    ledger = ledger_in(tmp_path, line("delete", ann, on=day(1).date(), as_of=day(0)))
    document = run("history", reports, "--decisions", ledger, "--format", "json").document
    assert document["period"][-1]["done_in_time"] == 1
    (event,) = (each for each in document["events"] if each["event"] == "done")
    assert event["before"] == f"{day(20):%Y-%m-%dT%H:%M:%SZ}"


def test_what_was_decided_after_the_period_is_not_in_force_in_it(tmp_path: Path) -> None:
    ann = person(key_1=USED)
    reports = kept(tmp_path, *(report(each, ann) for each in (0, 20, 40)))
    delete = line("delete", ann, on=day(10).date(), as_of=day(0))
    keep = line("keep", ann, on=day(32).date(), as_of=day(0))
    words = ("--decisions", ledger_in(tmp_path, delete, keep), "--format", "json")
    for period, counts in (
        ([], (2, 0, 0)),
        (["--until", "2026-01-30"], (1, 1, 1)),
        (["--since", "2026-01-12", "--until", "2026-01-30"], (0, 1, 1)),
    ):
        every = run("history", reports, *words, *period).document["period"][-1]
        assert tuple(every[name] for name in ("decisions", "removals", "open")) == counts


def test_decisions_before_the_period_that_were_done_before_it_do_not_count(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path, line("delete", person(), on=date(2025, 12, 2), as_of=day(-31)))
    reports = kept(tmp_path, report(-31, person()), report(0), report(20))
    words = ("--decisions", ledger, "--since", "2026-01-02", "--fail-on", "overdue")
    done = run("history", reports, *words, "--format", "csv")
    counts = [(row["decisions"], row["removals"]) for row in done.rows]
    assert (done.code, counts) == (0, [("0", "0")] * 2)


@pytest.mark.no_cover
def test_a_terminal_gets_the_table_of_each_account_and_no_line_that_it_would_break() -> None:
    other = "999999999999"
    of_other = person(arn=f"arn:aws:iam::{other}:user/ann")
    of_each = {ACCOUNT: person(), other: of_other}
    told = history_of(
        [report(at, user, account=each) for each, user in of_each.items() for at in (0, 7)]
    )
    for width in (40, 80, 160):
        text = table_of(told, width)
        assert text.startswith("History: 2026-01-01")
        assert max(map(len, text.splitlines())) <= width
        assert [each in text for each in of_each] == [width > 40] * 2


KINDS = ("Median", "Longest")


def test_the_days_from_first_unused_to_gone_are_said_in_words_and_numbers_in_the_workbook() -> None:
    ann, bo = person("ann"), person("bo")
    found = history_of([report(0, ann, bo, person("cy")), report(7, ann, bo), report(10, ann)])
    said = "at least: median 3.5, longest 7; at most: not known."
    assert f"Days from first unused to gone, of 2 users: {said}" in [*sentences(found)]
    period = openpyxl.load_workbook(workbook_of(found))["Period"]
    heads, every, *_ = period.iter_rows(values_only=True)
    days = dict(zip(heads, every, strict=True))
    numbers = [days[f"{kind} days at {end}"] for end in ("least", "most") for kind in KINDS]
    assert numbers == [3.5, 7, None, None]
