"""`credreport diff` shows what changed between two reports, and refuses what it cannot compare."""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

import analyzer
from analyzer.changes.diff import diff as compared_sides
from analyzer.decisions.ledger import ledger_bytes
from analyzer.judging.analysis import Analysis
from tests.cli.conftest import Program
from tests.support.builders import (
    ACCOUNT,
    LONG_AGO,
    Row,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    no_password,
    report_text,
    saved,
    table,
)
from tests.support.decisions import line
from tests.support.outputs import CONSOLE, HEADER_OF_EXEMPTIONS, SAMPLES, Terminal, exemptions_of
from tests.support.runs import console_report, exporting

FIRST, SECOND = "2026-05-01", "2026-06-01"
DECIDED = date(2026, 3, 5)
OTHER = "210987654321"
USED = days_before(-8)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return console_report(tmp_path / "old", FIRST, a_user("ann"), a_user("bob"), a_user("-x"))


@pytest.fixture
def new(tmp_path: Path) -> Path:
    users = (a_user("ann"), a_user("-x", password=a_password(USED)), a_user("=new"))
    return console_report(tmp_path / "new", SECOND, *users)


def changed(output: bytes) -> list[tuple[str, str]]:
    return [(row["change"], row["user"]) for row in table(output) if not row["rule"]]


CHANGED = [("new", "'=new"), ("gone", "bob"), ("first-sign-in", "'-x")]


def test_a_pipe_gets_one_table_with_tabs(program: Program, old: Path, new: Path) -> None:
    done = program("diff", old, new)
    lines = [line.split("\t") for line in done.output.decode().splitlines()]
    assert done.code == 0
    assert {len(line) for line in lines} == {17}
    assert lines[0][:3] == ["change", "account", "user"]
    assert [(line[0], line[2]) for line in lines[1:4]] == [
        ("new", "=new"),
        ("gone", "bob"),
        ("first-sign-in", "-x"),
    ]
    assert "Before: As of 2026-05-01 09:30 UTC" in done.messages
    assert "Changes: new 1, gone 1, first-sign-in 1" in done.messages


def test_the_users_to_keep_by_a_ledger_are_exempt_on_both_sides(
    program: Program, old: Path, new: Path, tmp_path: Path
) -> None:
    last = tmp_path / "decisions.csv"
    last.write_bytes(ledger_bytes([line("keep", a_user("ann"), on=DECIDED)]))
    done = program("diff", old, new, "--decisions", last, "--keep-days", "60", "--format", "csv")
    (ended,) = (row for row in table(done.output) if row["user"] == "ann" and not row["rule"])
    assert ended["change"] == "exemption-ended"
    assert program("diff", old, new, "--decisions", last, "-o", last).code == 2


def test_notes_name_the_option_for_the_time_of_their_side(program: Program, tmp_path: Path) -> None:
    report = saved(tmp_path, report_text([a_user("ann")]))
    messages = program("diff", report, report).messages
    for side, option in (("before", "--old-as-of"), ("now", "--new-as-of")):
        (note,) = (line for line in messages.splitlines() if line.startswith(f"Note ({side}):"))
        assert f"{option} sets the time" in note


def test_identical_reports_give_no_change(program: Program, old: Path) -> None:
    done = program("diff", old, old)
    assert (done.code, len(done.output.splitlines())) == (0, 1)
    assert "No changes." in done.messages


def test_csv_and_json_say_the_same(program: Program, old: Path, new: Path, tmp_path: Path) -> None:
    csv, data = tmp_path / "changes.csv", tmp_path / "changes.json"
    done = program("diff", old, new, "-o", csv, "-o", data)
    assert (done.code, done.output) == (0, b"")
    assert f"Wrote {csv}" in done.messages
    assert changed(csv.read_bytes()) == CHANGED
    document = json.loads(data.read_bytes())
    users = [each["user"] for each in document["changes"] if not each["rule"]]
    assert users == ["=new", "bob", "-x"]
    assert document["counts"]["gone"] == 1
    assert document["before"]["files"][0]["as_of"] == "2026-05-01T09:30:00Z"
    assert document["changes"][0]["last_use"] is None
    assert program("diff", old, new, "--format", "json").output == data.read_bytes()
    done = program("diff", old, new, "--format", "csv", "--raw-csv", "-o", csv)
    assert done.output == csv.read_bytes()
    assert [user for _, user in changed(done.output)] == users


def test_reports_in_the_wrong_order_are_refused_with_the_way_out(
    program: Program, old: Path, new: Path
) -> None:
    done = program("diff", new, old)
    assert (done.code, done.output) == (3, b"")
    assert "as of 2026-05-01 09:30 UTC, earlier than" in done.messages
    assert "credreport diff OLD NEW" in done.messages
    assert "--old-as-of" not in done.messages
    assert program("diff", new, old, "--new-as-of", "2026-07-01T00:00:00Z").code == 0


def test_reports_without_an_account_in_common_are_refused_with_the_accounts_of_both(
    program: Program, old: Path, tmp_path: Path
) -> None:
    new = console_report(tmp_path / "new", SECOND, a_user("eve", account=OTHER))
    new.write_text(new.read_text().replace(ACCOUNT, OTHER))
    changes = tmp_path / "changes.csv"
    done = program("diff", old, new, "-o", changes)
    assert (done.code, done.output, changes.exists()) == (3, b"", False)
    says = f"no account has a report in both: OLD has account {ACCOUNT}, NEW has account {OTHER}"
    assert f"{old} and {new}: {says}" in done.messages
    assert "No changes" not in done.messages


def test_where_a_time_is_assumed_the_hint_says_how_to_set_it(
    program: Program, new: Path, tmp_path: Path
) -> None:
    unnamed = saved(tmp_path, report_text([a_user("ann", key_1=a_key(days_before(50)))]), "x.csv")
    done = program("diff", new, unnamed)
    assert done.code == 3
    assert "--old-as-of and --new-as-of" in done.messages


def test_an_account_with_a_report_on_one_side_only_makes_the_result_partial(
    program: Program, old: Path, tmp_path: Path
) -> None:
    new = console_report(tmp_path / "new", SECOND, a_user("eve", account=OTHER), a_user("ann"))
    done = program("diff", old, new, "--quiet")
    assert done.code == 5
    expected = f"Account {OTHER} was not compared: not covered before: there is no report of it\n"
    assert done.messages == expected
    assert "eve" not in done.output.decode()


SIDES: dict[str, Row | None] = {
    "nobody": None,
    "unused": a_user(),
    "with a key": a_user(key_1=a_key()),
    "newly unused": a_user(key_1=an_inactive_key()),
    "asleep": a_user(password=a_password(LONG_AGO)),
    "lost": a_user(password=no_password(LONG_AGO)),
    "unclear": a_user(password_enabled="?"),
}
FAIL_ON = (
    ("unused", "unused", "unused medium", ""),
    ("nobody", "unused", "unused", "1 newly unused"),
    ("with a key", "newly unused", "unused", "1 newly unused"),
    ("with a key", "newly unused", "retired", ""),
    ("with a key", "newly unused", "unused-user", "unused-user: 1 new"),
    ("with a key", "newly unused", "medium", "unused-user: 1 new"),
    ("with a key", "newly unused", "high", ""),
    ("newly unused", "with a key", "unused unused-user", ""),
    ("asleep", "lost", "retired", "1 newly retired"),
    ("unused", "nobody", "gone", "1 gone"),
    ("unused", "nobody", "new", ""),
    ("unused", "unclear", "gone", "1 newly undetermined"),
    ("unclear", "unclear", "undetermined", ""),
    ("nobody", "unclear", "undetermined", "1 newly undetermined"),
    ("exempt from now on", "unused", "unused", ""),
    ("exempt until mid-May", "unused", "unused", "1 newly unused"),
)
"""What a user is before and now, the words of --fail-on, and what meets them."""


def judged_side(day: str, *sides: str, exemptions: Sequence[str] = ()) -> Analysis:
    """Judge a report in which each user is named after its row of the table."""
    users = [
        {**row, "user": f"u{at}", "arn": f"arn:aws:iam::{ACCOUNT}:user/u{at}"}
        for at, side in enumerate(sides)
        if (row := SIDES.get(side, SIDES["unused"]))
    ]
    at = datetime.fromisoformat(f"{day}T09:30:00Z")
    report = analyzer.load(("report.csv", report_text(users).encode()), as_of=at)
    return analyzer.analyze(report, exemptions=exemptions_of(*exemptions))


def test_fail_on_looks_at_what_is_new_and_not_exempt() -> None:
    before, now, _, _ = zip(*FAIL_ON, strict=True)
    until = [f"*,u{before.index('exempt until mid-May')},By design,,2026-05-15"]
    since = [f"*,u{before.index('exempt from now on')},By design,,"]
    comparison = compared_sides(
        judged_side(FIRST, *before, exemptions=until),
        judged_side(SECOND, *now, exemptions=until + since),
    )
    for at, (*_, words, met) in enumerate(FAIL_ON):
        of_user = comparison.changes[comparison.changes["user"] == f"u{at}"]
        failures = replace(comparison, changes=of_user).failures(words.split())
        assert "; ".join(failures) == met, FAIL_ON[at]


def test_a_run_that_fails_says_in_one_line_what_it_met(
    program: Program, old: Path, new: Path
) -> None:
    failing = ("diff", old, new, "-q", "--fail-on", "new", "--fail-on", "gone")
    assert program(*failing) == (1, b"", "Meets --fail-on: 1 new; 1 gone\n")
    assert program(*failing[:-2], "--fail-on", "retired").code == 1
    assert program("diff", old, new, "-q", "--fail-on", "retired") == (0, b"", "")


def test_an_account_that_was_not_compared_always_meets_fail_on(
    program: Program, tmp_path: Path
) -> None:
    old = console_report(tmp_path / "old", FIRST, a_user("ann"))
    new = console_report(tmp_path / "new", SECOND, a_user("ann"), a_user("eve", account=OTHER))
    done = program("diff", old, new, "-q", "--fail-on", "gone")
    assert done.code == 1
    assert done.messages.endswith("Meets --fail-on: 1 account not compared\n")


def test_only_the_changes_are_listed_that_are_asked_for(
    program: Program, old: Path, new: Path
) -> None:
    analyses = (analyzer.analyze(analyzer.load(each)) for each in (old, new))
    comparison = compared_sides(*analyses)

    def kinds(changes: Sequence[str], verdicts: Sequence[str]) -> list[tuple[str, str]]:
        frame = comparison.where(changes, verdicts).changes
        users = frame[frame["rule"] == ""]
        return [*zip(users["change"].astype(str), users["user"], strict=True)]

    every = [("new", "=new"), ("gone", "bob"), ("first-sign-in", "-x")]
    assert kinds(["gone", "new"], []) == every[:2]
    assert kinds([], ["unused"]) == every
    assert kinds([], ["active"]) == every[2:]
    assert kinds(["gone"], ["active"]) == []
    csv = ("diff", old, new, "--format", "csv")
    chosen = ("--user", "b*", "--user", "=new", "--account", ACCOUNT)
    assert changed(program(*csv, *chosen).output) == CHANGED[:2]
    listed = program(*csv, "--verdict", "unused", "--change", "gone", "--fail-on", "new")
    assert (listed.code, changed(listed.output)) == (1, CHANGED[1:2])
    assert program(*csv, "--user", "bob", "--fail-on", "new").code == 0


def test_a_quiet_run_without_changes_writes_nothing(program: Program, old: Path) -> None:
    assert program("diff", old, old, "-q", "-f", "table") == (0, b"", "")


def test_masked_reports_are_compared_as_those_of_the_account_that_is_named(
    program: Program, old: Path, new: Path
) -> None:
    for each in (*old.glob("*.csv"), *new.glob("*.csv")):
        each.write_text(each.read_text().replace(ACCOUNT, "fakearn"))
    done = program("diff", old, new, "--masked-account", ACCOUNT, "-f", "csv", "--change", "gone")
    assert [(row["account"], row["user"]) for row in table(done.output)] == [(ACCOUNT, "bob")]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--change", "older"], "'older': choose from new, gone, re-created, new-unused,"),
        (["--fail-on", "overdue"], "overdue: no change; use `credreport analyze --fail-on`"),
        (["--fail-on", "control"], "control: no change; use `credreport analyze --fail-on`"),
        (
            ["--fail-on", "older"],
            "'older': choose from undetermined, unused, retired, dormant, active, critical,",
        ),
        (["--user", "eve"], "eve: no such user in the reports"),
        (["--account", OTHER], f"{OTHER}: no such account in the reports (they have {ACCOUNT})"),
        (["--user", ""], "the pattern is empty: name an account or a user"),
    ],
)
def test_a_word_or_a_name_that_there_is_not_is_refused(
    program: Program, old: Path, new: Path, options: list[str], says: str
) -> None:
    done = program("diff", old, new, *options)
    assert done.code == 2
    assert says in " ".join(done.messages.replace("│", " ").split())


def test_runs_of_export_are_compared_with_the_moments_the_lists_and_the_names_that_they_have(
    program: Program, old: Path, new: Path, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    listed = saved(tmp_path, f"{HEADER_OF_EXEMPTIONS}\n*,ann,Break-glass,Ops,\n", "list.csv")
    names = saved(tmp_path, f"account,name\n{ACCOUNT},Pay\n", "accounts.csv")
    exporting(runs, "--from", old, "--exemptions", listed)
    exporting(runs, "--from", new, "--as-of", "2026-08-01T12:00:00Z", "--accounts", names)
    sides = runs / "2026-05-01T09-30-00Z", runs / "latest"
    done = program("diff", *sides, "--format", "csv")
    assert "Before: As of 2026-05-01 09:30 UTC (from the file name)" in done.messages
    assert "Now: As of 2026-08-01 12:00 UTC (set with --as-of)" in done.messages
    assert done.output == (runs / "latest" / "changes.csv").read_bytes()
    assert changed(done.output) == [*CHANGED, ("exemption-ended", "ann")]
    assert {row["account_name"] for row in table(done.output)} == {"Pay"}
    other = saved(tmp_path, f"account,name\n{ACCOUNT},Shop\n", "other.csv")
    options = ("--exemptions", listed, "--accounts", other, "--new-as-of", "2026-07-01T12:00:00Z")
    done = program("diff", *sides, *options, "--format", "csv")
    assert "Now: As of 2026-07-01 12:00 UTC" in done.messages
    assert changed(done.output) == CHANGED
    assert {row["account_name"] for row in table(done.output)} == {"Shop"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-", "-"], "only one of OLD and NEW can be -"),
        (["{old}", "{new}", "-o", "changes.xlsx"], "must end in .csv or .json"),
        (["{old}", "{new}", "-o", "{new}"], "is an input"),
        (["{old}", "{new}", "--new-as-of", "yesterday"], "yesterday"),
        (["{old}", "{new}", "--format", "names"], "names"),
    ],
)
def test_wrong_usage_is_refused(
    program: Program, old: Path, new: Path, arguments: list[str], message: str
) -> None:
    done = program("diff", *(each.format(old=old, new=new) for each in arguments))
    assert (done.code, done.output) == (2, b"")
    assert message in " ".join(done.messages.replace("│", " ").split())


def shown(program: Program, monkeypatch: pytest.MonkeyPatch, *arguments: Any) -> tuple[str, str]:
    """Return what a terminal shows, and what is said beside it."""
    terminal = Terminal()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", terminal)
        done = program("diff", *arguments)
    return terminal.getvalue(), done.messages


def test_a_terminal_shows_a_table_with_causes_and_counts(
    program: Program, monkeypatch: pytest.MonkeyPatch, old: Path, new: Path, tmp_path: Path
) -> None:
    listed = f"{HEADER_OF_EXEMPTIONS}\n*,ann,Break-glass,Ops,2026-05-15\n"
    exemptions = saved(tmp_path, listed, "list.csv")
    text, messages = shown(program, monkeypatch, old, new, "--exemptions", exemptions)
    assert "Before: As of 2026-05-01 09:30 UTC" in text
    assert "first sign-in on 2026-05-09" in text
    assert "unused -> active" in text
    assert "Break-glass -> not exempt" in text
    assert "unused-user: " in text
    assert "Changes: new 1" in text
    assert "Before:" not in messages
    text, _ = shown(program, monkeypatch, old, old)
    assert "No changes." in text


def test_a_terminal_of_80_columns_breaks_no_word_of_a_finding(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = []
    monkeypatch.setenv("NO_COLOR", "1")
    for columns in ("80", "400"):
        monkeypatch.setenv("COLUMNS", columns)
        text, _ = shown(program, monkeypatch, SAMPLES / "earlier", CONSOLE)
        words.append({each for each in text.split() if each.strip("─")})
    assert words[0] == words[1]
    assert {"service-credential-user;", "service-credential"} <= words[0]


def test_a_finding_that_was_undecided_says_on_which_side(
    program: Program, monkeypatch: pytest.MonkeyPatch, old: Path, tmp_path: Path
) -> None:
    unread = a_user("ann", password_enabled="?")
    new = console_report(tmp_path / "new", SECOND, unread, a_user("bob"), a_user("-x"))
    text, _ = shown(program, monkeypatch, old, new, "--rules", "idle-password")
    assert "no finding -> undecided" in text
    later = console_report(tmp_path / "later", "2026-07-01", a_user("ann"))
    text, _ = shown(program, monkeypatch, new, later, "--rules", "idle-password")
    assert "undecided -> no finding" in text


def test_a_terminal_shows_the_account_where_there_are_more(
    program: Program, monkeypatch: pytest.MonkeyPatch, old: Path, tmp_path: Path
) -> None:
    new = console_report(tmp_path / "new", SECOND, a_user("eve", account=OTHER), a_user("ann"))
    text, _ = shown(program, monkeypatch, old, new)
    assert OTHER in text
    assert "Accounts compared: 1, not compared: 1." in text


def test_data_on_a_terminal_commands_nothing(
    program: Program, monkeypatch: pytest.MonkeyPatch, old: Path, new: Path
) -> None:
    text, _ = shown(program, monkeypatch, old, new, "--format", "csv")
    assert text.startswith("change,account,user")
