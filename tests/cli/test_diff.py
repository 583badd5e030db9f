"""`credreport diff` shows what changed between two reports, and refuses what it cannot compare."""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.changes.diff import Comparison
from analyzer.changes.diff import diff as compared_sides
from analyzer.errors import InputRefused
from analyzer.terms import BLIND_SPOTS_PAGE
from analyzer.writers.changes import write_changes_table
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
    run,
    saved,
    table,
)
from tests.support.named_reports import load_named
from tests.support.outputs import CONSOLE, HEADER_OF_EXEMPTIONS, SAMPLES, Terminal, exemptions_of
from tests.support.runs import console_report, exporting, have_plain_outputs

Patch = pytest.MonkeyPatch
FIRST, SECOND = "2026-05-01", "2026-06-01"
DECIDED = date(2026, 3, 5)
OTHER = "210987654321"
USED = days_before(-8)
BEFORE = (a_user("ann"), a_user("bob"), a_user("-x"))
NOW = (a_user("ann"), a_user("-x", password=a_password(USED)), a_user("=new"))


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return console_report(tmp_path_factory.mktemp("old"), FIRST, *BEFORE)


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return console_report(tmp_path_factory.mktemp("new"), SECOND, *NOW)


def judged(
    day: str, users: Sequence[Row], exemptions: Sequence[str] = (), rules: Sequence[str] = ()
) -> Analysis:
    """Judge the report of a day."""
    at = datetime.fromisoformat(f"{day}T09:30:00Z")
    report = load_named(("report.csv", report_text(users).encode()), as_of=at)
    book = analyzer.rulebook(rules=rules)
    return analyzer.analyze(report, exemptions=exemptions_of(*exemptions), book=book)


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compared_sides(judged(FIRST, BEFORE), judged(SECOND, NOW))


def changed(output: bytes) -> list[tuple[str, str]]:
    return [(row["change"], row["user"]) for row in table(output) if not row["rule"]]


def table_text(comparison: Comparison, width: int) -> str:
    """Return what a terminal of that width shows."""
    stream = io.StringIO()
    write_changes_table(comparison, stream, width=width)
    return stream.getvalue()


CHANGED = [("new", "'=new"), ("gone", "bob"), ("no-longer-unused", "'-x")]


def test_a_pipe_gets_tabs_and_files_say_the_same(old: Path, new: Path, tmp_path: Path) -> None:
    csv, data = tmp_path / "changes.csv", tmp_path / "changes.json"
    done = run("diff", old, new, "--format", "table", "-o", csv, "-o", data)
    lines = [line.split("\t") for line in done.lines]
    assert done.code == 0
    assert {len(line) for line in lines} == {17}
    assert lines[0][:3] == ["change", "account", "user"]
    users = ["=new", "bob", "-x"]
    assert [line[2] for line in lines[1:4]] == users
    assert "Before: As of 2026-05-01 09:30 UTC" in done.messages
    assert "Changes: new 1, gone 1 (possibly renamed: 1), no-longer-unused 1" in done.messages
    assert BLIND_SPOTS_PAGE in done.messages
    assert f"Wrote {csv}" in done.messages
    assert changed(csv.read_bytes()) == CHANGED
    document = json.loads(data.read_bytes())
    assert [each["user"] for each in document["changes"] if not each["rule"]] == users
    assert (document["counts"]["gone"], len(document["blind_spots"])) == (1, 5)
    assert document["before"]["files"][0]["as_of"] == "2026-05-01T09:30:00Z"
    assert document["changes"][0]["last_use"] is None
    done = run("diff", old, new, "--format", "json", "-o", csv)
    assert done.output == data.read_bytes()
    assert changed(csv.read_bytes()) == CHANGED


def test_options_hold_for_both_reports(old: Path, new: Path, tmp_path: Path) -> None:
    listed = saved(tmp_path, f"{HEADER_OF_EXEMPTIONS}\n*,ann,Trial,,2026-05-05\n", "list.csv")
    words = ("diff", old, new, "--exemptions", listed)
    assert changed(run(*words, "-f", "csv").output) == CHANGED + [("exemption-ended", "ann")]
    assert run(*words, "-o", listed).code == 2


def test_identical_reports_give_no_change_and_notes_name_their_side(
    tmp_path: Path,
) -> None:
    report = saved(tmp_path, report_text([a_user("ann")]))
    done = run("diff", report, report)
    assert (done.code, len(done.output.splitlines())) == (0, 1)
    assert "No changes." in done.messages
    for side in ("before", "now"):
        (note,) = (each for each in done.messages.split("\n") if each.startswith(f"Note ({side}):"))
        assert "a folder such as 2026-03-01, sets the time" in note
    same = f"The same report is on both sides, so it shows nothing new: {report}.\n"
    assert run("diff", report, report, "-q", "-f", "table") == (0, b"", same)
    later = run("diff", report, report, "-q", "-f", "csv", "--new-as-of", "2026-12-01")
    assert later.messages == ""


def test_reports_in_the_wrong_order_are_refused_with_the_way_out() -> None:
    earlier, later = judged(FIRST, BEFORE), judged(SECOND, NOW)
    unknown = load_named(("x.csv", report_text([a_user(key_1=a_key(LONG_AGO))]).encode()))
    for now, hints in ((earlier, False), (analyzer.analyze(unknown), True)):
        with pytest.raises(InputRefused) as refused:
            compared_sides(later, now)
        says = str(refused.value)
        assert ("--old-as-of and --new-as-of" in says) is hints
        assert "credreport diff OLD NEW" in says
        assert ("as of 2026-05-01 09:30 UTC, earlier than" in says) is not hints


def test_reports_without_an_account_in_common_are_refused_with_the_accounts_of_both(
    old: Path, tmp_path: Path
) -> None:
    new = console_report(tmp_path / "new", SECOND, a_user("eve", account=OTHER))
    new.write_text(new.read_text().replace(ACCOUNT, OTHER))
    changes = tmp_path / "changes.csv"
    done = run("diff", old, new, "-o", changes)
    assert (done.code, done.output, changes.exists()) == (3, b"", False)
    says = f"no account has a report in both: OLD has account {ACCOUNT}, NEW has account {OTHER}"
    assert f"{old} and {new}: {says}" in done.messages
    assert "No changes" not in done.messages


def test_a_terminal_shows_a_table_with_causes_and_counts_and_what_was_not_compared(
    old: Path, tmp_path: Path
) -> None:
    new = console_report(tmp_path / "new", SECOND, *NOW, a_user("eve", account=OTHER))
    listed = f"{HEADER_OF_EXEMPTIONS}\n*,ann,Break-glass,Ops,2026-05-15\n"
    exemptions = saved(tmp_path, listed, "list.csv")
    done = run("diff", old, new, "--exemptions", exemptions, screen=Terminal())
    text = " ".join(done.output.decode().split())
    for says in (
        ("Before: As of 2026-05-01 09:30 UTC", "first sign-in on 2026-05-09", "unused -> active")
        + ("Break-glass -> not exempt", "unused-user: ", "Changes: new 1", OTHER)
        + ("Accounts compared: 1, not compared: 1.",)
    ):
        assert says in text
    assert (done.code, " eve " in text) == (5, False)
    *_, last = done.messages.splitlines()
    assert last == f"Account {OTHER} was not compared: not covered before: there is no report of it"
    assert "Before:" not in done.messages


SIDES: dict[str, Row | None] = {
    "nobody": None,
    "unused": a_user(),
    "with a key": a_user(key_1=a_key()),
    "newly unused": a_user(key_1=an_inactive_key()),
    "asleep": a_user(password=a_password(LONG_AGO)),
    "lost": a_user(password=no_password(LONG_AGO)),
    "unclear": a_user(password_enabled="?"),
    "unused, of May": a_user(created=f"{FIRST[:7]}-20T00:00:00Z"),
}
FAIL_ON = (
    ("unused", "unused", "unused medium", ""),
    ("nobody", "unused", "unused", "1 newly unused (possibly renamed: 1)"),
    ("nobody", "unused, of May", "unused", "1 newly unused"),
    ("with a key", "newly unused", "unused", "1 newly unused"),
    ("with a key", "newly unused", "retired", ""),
    ("with a key", "newly unused", "unused-user", "unused-user: 1 new"),
    ("with a key", "newly unused", "medium", "unused-user: 1 new"),
    ("with a key", "newly unused", "high", ""),
    ("newly unused", "with a key", "unused unused-user", ""),
    ("asleep", "lost", "retired", "1 newly retired"),
    ("unused", "unused, of May", "unused", "1 newly unused"),
    ("unused", "nobody", "gone", "1 gone (possibly renamed: 1)"),
    ("unused", "nobody", "new", ""),
    ("unused", "unclear", "gone", "1 newly undetermined"),
    ("unclear", "unclear", "undetermined", ""),
    ("nobody", "unclear", "undetermined", "1 newly undetermined (possibly renamed: 1)"),
    ("exempt from now on", "unused", "unused", ""),
    ("exempt until mid-May", "unused", "unused", ""),
    ("exempt until mid-May", "unused", "exemption-ended", "1 exemption-ended"),
)
"""What a user is before and now, the words of --fail-on, and what meets them."""


def side(day: str, names: Sequence[str], exemptions: Sequence[str]) -> Analysis:
    """Judge a report in which each user is named after its row of the table."""
    users = [
        row | {"user": f"u{at}", "arn": f"arn:aws:iam::{ACCOUNT}:user/u{at}"}
        for at, name in enumerate(names)
        if (row := SIDES.get(name, SIDES["unused"]))
    ]
    return judged(day, users, exemptions)


def test_fail_on_looks_at_what_is_new_and_not_exempt() -> None:
    before, now, _, _ = zip(*FAIL_ON, strict=True)
    ending = [at for at, name in enumerate(before) if name == "exempt until mid-May"]
    until = [f"*,u{at},By design,,2026-05-15" for at in ending]
    since = [f"*,u{before.index('exempt from now on')},By design,,"]
    sides = side(FIRST, before, until), side(SECOND, now, until + since)
    comparison = compared_sides(*sides)
    for at, (*_, words, met) in enumerate(FAIL_ON):
        of_user = comparison.changes[comparison.changes["user"] == f"u{at}"]
        failures = replace(comparison, changes=of_user).failures(words.split())
        assert "; ".join(failures) == met, FAIL_ON[at]
    other = judged(SECOND, [a_user("ann"), a_user("eve", account=OTHER)])
    partial = compared_sides(judged(FIRST, [a_user("ann")]), other)
    assert partial.failures(["gone"]) == ["1 account not compared"]


def test_only_the_changes_are_listed_that_are_asked_for_and_all_meet_fail_on(
    comparison: Comparison, old: Path, new: Path
) -> None:
    def kinds(changes: Sequence[str], verdicts: Sequence[str]) -> list[tuple[str, str]]:
        frame = comparison.where(changes, verdicts).changes
        users = frame[frame["rule"] == ""]
        return list(zip(users["change"].astype(str), users["user"], strict=True))

    every = [("new", "=new"), ("gone", "bob"), ("no-longer-unused", "-x")]
    assert kinds(["gone", "new"], []) == every[:2]
    assert kinds([], ["unused"]) == every
    assert kinds([], ["active"]) == every[2:]
    assert kinds(["gone"], ["active"]) == []
    assert kinds(["unused"], []) == [every[0]]
    words = ("diff", old, new, "-q", "--format", "csv", "--fail-on", "new")
    kept = ("--verdict", "active", "--change", "gone", "--change", "no-longer-unused")
    listed = run(*words, *kept, "--fail-on", "gone")
    renamed = " (possibly renamed: 1)"
    met = f"Meets --fail-on: 1 new{renamed}; 1 gone{renamed}\n"
    assert (listed.code, listed.messages) == (1, met)
    assert changed(listed.output) == CHANGED[2:]
    chosen = run(*words, "--user", "b*", "--user", "-x", "--account", ACCOUNT)
    assert (chosen.code, changed(chosen.output)) == (0, CHANGED[1:])


def test_runs_of_export_are_compared_with_the_moments_the_lists_and_the_names_that_they_have(
    monkeypatch: Patch, old: Path, new: Path, tmp_path: Path
) -> None:
    have_plain_outputs(monkeypatch)
    runs = tmp_path / "runs"
    listed = saved(tmp_path, f"{HEADER_OF_EXEMPTIONS}\n*,ann,Break-glass,Ops,\n", "list.csv")
    names = saved(tmp_path, f"account,name\n{ACCOUNT},Pay\n", "accounts.csv")
    exporting(runs, "--from", old, "--exemptions", listed)
    monkeypatch.undo()
    monkeypatch.setattr("analyzer.runs.outputs.write_workbook", lambda *_, **__: None)
    later = console_report(tmp_path, "2026-08-01")
    later.write_bytes(new.read_bytes())
    exporting(runs, "--from", later, "--accounts", names)
    sides = runs / "2026-05-01T09-30-00Z", runs / "latest"
    done = run("diff", *sides, "--format", "csv")
    assert "Before: As of 2026-05-01 09:30 UTC (from the file name)" in done.messages
    assert "Now: As of 2026-08-01 09:30 UTC (from the file name)" in done.messages
    assert done.output == (runs / "latest" / "changes.csv").read_bytes()
    assert changed(done.output) == CHANGED + [("exemption-ended", "ann")]
    assert {row["account_name"] for row in done.rows} == {"Pay"}
    other = saved(tmp_path, f"account,name\n{ACCOUNT},Shop\n", "other.csv")
    moments = ("--old-as-of", "2026-05-02T00:00:00Z", "--new-as-of", "2026-07-01T12:00:00Z")
    lists = ("--exemptions", listed, "--accounts", other)
    done = run("diff", *sides, *moments, *lists, "--format", "csv")
    assert "Before: As of 2026-05-02 00:00 UTC" in done.messages
    assert "Now: As of 2026-07-01 12:00 UTC" in done.messages
    assert changed(done.output) == CHANGED
    assert {row["account_name"] for row in done.rows} == {"Shop"}


def test_a_terminal_of_80_columns_breaks_no_word_of_a_finding() -> None:
    sides = (analyzer.analyze(analyzer.load(each)) for each in (SAMPLES / "earlier", CONSOLE))
    comparison = compared_sides(*sides)
    narrow, wide = (set(table_text(comparison, width).split()) for width in (80, 400))
    assert {each for each in narrow ^ wide if each.strip("─")} == set()
    assert {"service-credential-user,", "service-credential"} <= narrow
    unchanged = replace(comparison, changes=comparison.changes.iloc[:0])
    assert "No changes." in table_text(unchanged, 80)


def test_a_finding_that_was_undecided_says_on_which_side() -> None:
    clear, unclear = [a_user("ann")], [a_user("ann", password_enabled="?")]
    rules = ["idle-password"]
    for before, now, says in (
        (clear, unclear, "no finding -> undecided"),
        (unclear, clear, "undecided -> no finding"),
    ):
        sides = judged(FIRST, before, rules=rules), judged(SECOND, now, rules=rules)
        assert says in table_text(compared_sides(*sides), 160)


def test_unused_lists_the_newly_unused_users_of_both_reports_and_those_not_there_before() -> None:
    pairs = [(before, now) for before, now, words, _ in FAIL_ON if words == "unused"]
    before, now = (list(names) for names in zip(*pairs, strict=True))
    comparison = compared_sides(side(FIRST, before, ()), side(SECOND, now, ()))
    rows = comparison.where(["unused"]).changes
    listed = list(zip(rows["change"].astype(str), rows["user"], strict=True))
    assert listed == [("new", "u0"), ("new", "u1"), ("re-created", "u3"), ("became-unused", "u2")]
    assert comparison.failures(["unused"]) == ["4 newly unused (possibly renamed: 1)"]
    assert list(comparison.where(["became-unused"]).changes["user"]) == ["u2"]


# For a chat, and for commands that act on users


def test_a_line_says_how_much_changed_and_names_the_newly_unused_users(
    old: Path, new: Path
) -> None:
    (line,) = run("diff", old, new, "-q", "-f", "line").lines
    assert line.startswith("Changes: new 1, gone 1 (possibly renamed: 1), no-longer-unused 1, ")
    assert " Newly unused: =new. Before: As of 2026-05-01 09:30 UTC" in line
    (line,) = run("diff", new, new, "-q", "-f", "line").lines
    assert line.startswith("No changes. Before: As of ")


@pytest.mark.parametrize(
    ("form", "start"), [("names", ""), ("arns", f"arn:aws:iam::{ACCOUNT}:user/")]
)
def test_names_are_those_of_the_listed_changes_but_not_of_users_that_need_a_check(
    tmp_path: Path, form: str, start: str
) -> None:
    before = console_report(tmp_path / "a", FIRST, a_user("ann"), a_user("bob"))
    live, check = (
        "BedrockAPIKey-x",
        a_user("eve", cert_1_active="true", cert_1_last_rotated=LONG_AGO),
    )
    now = console_report(tmp_path / "b", SECOND, a_user("ann"), a_user("zoe"), a_user(live), check)
    done = run("diff", before, now, "-f", form)
    assert done.lines == [f"{start}zoe", f"{start}bob"]
    left_out = "1 to check, 1 that may have an active service-specific credential"
    assert f"Left out of the list: {left_out}.\n" in done.messages
    quiet = run("diff", before, now, "-q", "-f", form, "--change", "unused")
    assert quiet.messages == f"Left out of the list: {left_out}.\n"
    done = run("diff", before, now, "-f", form, "--change", "gone", "--exempt", "zoe=new")
    assert (done.lines, "Left out" in done.messages) == ([f"{start}bob"], False)


def test_names_of_several_accounts_have_their_account(tmp_path: Path) -> None:
    for day, users in ((FIRST, ()), (SECOND, (a_user("bob"), a_user("bob", account=OTHER)))):
        both = (a_user("ann"), a_user("ann", account=OTHER)) + users
        console_report(tmp_path / day, day, *both)
    done = run("diff", tmp_path / FIRST, tmp_path / SECOND, "-q", "-f", "names")
    assert done.lines == [f"{ACCOUNT}/bob", f"{OTHER}/bob"]


def test_a_terminal_shows_one_row_a_user_with_each_cause_once(old: Path, new: Path) -> None:
    shown = run("diff", old, new, screen=Terminal()).output.decode()
    for name in ("=new", "bob", "-x"):
        assert sum(line.split()[:1] == [name] for line in shown.splitlines()) == 1
    assert shown.count("first sign-in on 2026-05-09") == 1
