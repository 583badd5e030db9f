"""On a terminal no line is too wide, colours can be refused, and a bar shows where it helps."""

import re
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from rich.cells import cell_len

from analyzer.cli import main, streams
from analyzer.cli.analyze import OutputOptions, write_result
from analyzer.cli.streams import fitted
from analyzer.decisions.ledger import ledger_bytes
from analyzer.terms import Format
from tests.support.builders import ACCOUNT, AS_OF, a_key, a_user, report_text, saved
from tests.support.decisions import console_name, line
from tests.support.outputs import (
    ALL,
    CONSOLE,
    EXEMPTIONS,
    SAMPLES,
    UNUSED,
    Terminal,
    analyzed_console,
    analyzed_sample,
    csv_bytes,
    hard_names,
    table_text,
)
from tests.support.processes import on_terminal
from tests.support.runs import console_report, have_plain_outputs

Patch = pytest.MonkeyPatch
COLOURS = re.compile("\x1b\\[[0-9;]*m")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
ON_CONSOLE = ("analyze", CONSOLE, "--exemptions", EXEMPTIONS)
WIDE = "zoë-名前" * 5


@pytest.mark.no_cover
def test_the_table_fills_the_terminal_with_colours_and_leaves_only_the_files_written_to_say(
    tmp_path: Path,
) -> None:
    words = ("--format", "table", "-o", tmp_path / "a.csv")
    shown = on_terminal(*ON_CONSOLE, *words, columns=60, piped="messages")
    assert (shown.code, bool(COLOURS.search(shown.screen))) == (0, True)
    assert COLOURS.sub("", shown.screen) == table_text(analyzed_console(), UNUSED, width=60)
    assert shown.messages == f"Wrote {tmp_path / 'a.csv'} (26 rows, 0.1 MB)\n"
    assert (tmp_path / "a.csv").read_bytes() == csv_bytes(analyzed_console(), UNUSED)


def test_colours_can_be_refused(monkeypatch: Patch) -> None:
    for refused, term, colour in (("", "xterm", True), ("1", "xterm", False), ("", "dumb", False)):
        monkeypatch.setenv("NO_COLOR", refused)
        monkeypatch.setenv("TERM", term)
        assert streams.terminal_look()["colour"] is colour


@pytest.mark.parametrize("form", ["csv", "json", "arns", "table"])
def test_no_format_commands_a_terminal(monkeypatch: Patch, form: str) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    with redirect_stdout(Terminal()) as terminal:
        write_result(hard_names(), Format(form), OutputOptions(verdict=list(ALL)))
    shown = terminal.getvalue()
    assert [sign for sign in shown if not sign.isprintable() and sign != "\n"] == []
    assert r"\x1b[31mred" in "".join(shown.split()) or "\\u001b[31mred" in shown


@pytest.mark.no_cover
def test_a_table_in_a_pipe_is_plain_and_its_summary_and_a_bar_stay_on_the_terminal() -> None:
    organization = SAMPLES / "organization"
    shown = on_terminal("analyze", organization, piped="output", variables={"FORCE_COLOR": "1"})
    whole = analyzed_sample(organization)
    assert (shown.code, shown.output.decode()) == (0, table_text(whole, UNUSED))
    findings = "Console user has no MFA device: 92 fail"
    for says in ("Reading reports", "95 of 429 IAM users are unused", findings):
        assert says in shown.screen
    assert "Not every credential and use is visible" in shown.screen


# A bar


def test_a_bar_shows_for_many_reports_on_a_terminal_only(monkeypatch: Patch) -> None:
    for total, quiet, term, shows in (
        (2, False, "xterm", True),
        (1, False, "xterm", False),
        (2, True, "xterm", False),
        (2, False, "dumb", False),
    ):
        monkeypatch.setattr(sys, "stderr", terminal := Terminal())
        monkeypatch.setenv("TERM", term)
        with streams.progress("Reading reports", quiet=quiet) as advance:
            advance(1, total)
        assert ("Reading reports" in terminal.getvalue()) is shows
        assert bool(terminal.getvalue()) is shows


def test_a_bar_shows_for_one_large_report_and_for_many_rows(monkeypatch: Patch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for sizes, rows, says in (
        ([32 << 20], 100_000, ""),
        ([32 << 20, 1], 0, "Reading reports ━━━━━ 33.6/33.6 MB 0:00:00"),
        ([(32 << 20) + 1], 0, "Reading reports ━━━━━ 0.0/33.6 MB 0:00:00"),
        ([], 100_001, "Reading reports ━━━━━ 0:00:00"),
    ):
        monkeypatch.setattr(sys, "stderr", terminal := Terminal())
        with streams.progress("Reading reports", quiet=False, sizes=sizes, rows=rows) as advance:
            advance(len(sizes), len(sizes))
        lines = re.sub("━+", "━━━━━", ESCAPES.sub("", terminal.getvalue()))
        assert says in " ".join(lines.split()), lines
        assert bool(lines) is bool(says)


def test_a_bar_is_gone_when_a_report_is_refused(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        saved(tmp_path, "no report", name)
    shown = on_terminal("analyze", tmp_path)
    assert shown.code == 3
    assert f"credreport:{tmp_path}/a.csv" in "".join(shown.screen.split())
    assert "\x1b[?25h" in shown.screen.split("credreport:")[0]


# Width


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with reports and lists in which are signs of other scripts."""
    folder = tmp_path_factory.mktemp("größe")
    users = [a_user("ann"), a_user(WIDE), a_user("zoë" * 20, key_1=a_key())]
    saved(folder, report_text(users), NEW)
    console_report(folder, "2026-03-01", a_user("bob"))
    entries = [line(by=WIDE), line("keep", a_user("ann"), by="Ann", comment=WIDE)]
    saved(folder, ledger_bytes(entries), "decisions.txt")
    saved(folder, f"account,user,owner\n*,*,{WIDE}\n", "owners.txt")
    saved(folder, f"account,name\n{ACCOUNT},{WIDE}\n", "names.txt")
    reasons = f"account,user,reason,owner,expires\n*,a*,{WIDE},Ops,\n*,{WIDE},x,Ops,2020-01-01\n"
    saved(folder, reasons, "exemptions.txt")
    return folder


NEW, OLD = console_name(AS_OF), "status_reports_2026-03-01T09-30-00+00-00.csv"
LISTS = "--owners owners.txt --exemptions exemptions.txt"
COMMANDS = (
    (0, f"analyze {NEW} {LISTS}"),
    (0, f"explain zo* {NEW} --accounts names.txt"),
    (0, f"diff {OLD} {NEW} {LISTS}"),
    (0, f"history {OLD} {NEW} --max-gap 99 --accounts names.txt"),
    (0, f"history {OLD} {NEW} --max-gap 99 --table events"),
    (0, "collect decisions.txt"),
    (0, f"plan decisions.txt --report {NEW} --exemptions none -o plän.sh"),
    (0, f"export --from {NEW} --out-dir läufe"),
    (0, "rules"),
    (0, "rules root-used"),
    (2, f"analyze {NEW} --as-of yesterday"),
    (2, f"fetch --{'accounts' * 9}"),
    (2, "collect"),
    (3, f"analyze {WIDE}.csv"),
    (3, f"diff {NEW} {OLD}"),
    (4, f"fetch --profile {WIDE}"),
)
CASES = [(*each, "ascii") for each in COMMANDS]
CASES += [(0, words, "utf-8") for words in (COMMANDS[0][1], "plan --help")]
FIRST, *OTHERS = CASES
UNMEASURED = [pytest.param(*each, marks=pytest.mark.no_cover) for each in OTHERS]


@pytest.mark.parametrize(("code", "words", "encoding"), [FIRST, *UNMEASURED])
def test_no_line_is_wider_than_a_terminal_of_40_columns_in_any_encoding(
    folder: Path, monkeypatch: Patch, code: int, words: str, encoding: str
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(folder)
    have_plain_outputs(monkeypatch)
    output, messages = Terminal(encoding), Terminal(encoding)
    monkeypatch.setattr(sys, "stdout", output)
    monkeypatch.setattr(sys, "stderr", messages)
    assert main(words.split()) == code
    text = ESCAPES.sub("", output.getvalue() + messages.getvalue())
    assert text.encode(encoding)
    assert [part for part in re.split("[\n\r]", text) if cell_len(part) > 40] == []


def test_wide_signs_count_twice_and_what_an_encoding_lacks_is_spelled_out(
    monkeypatch: Patch,
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    line, terminal = f"  first  {'名前' * 8} last", Terminal("utf-8")
    assert fitted(line, terminal) == ["  first", f"    {'名前' * 8}", "    last"]
    assert fitted("名" * 21, terminal) == ["名" * 20, "名"]
    assert fitted("  a  b c\n\n", terminal) == ["  a  b c", "", ""]
    assert fitted("é", Terminal("ascii")) == ["\\xe9"]


def test_prose_is_broken_once_and_a_fact_stays_in_its_column(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    assert main(["rules", "idle-password"]) == 0
    assert "is 90 or more whole\n  days before as-of. A" in terminal.getvalue()
    rule = f"  fails   medium  {'r' * 33}  "
    assert fitted(f"{rule}{'word ' * 9}", terminal)[1].startswith(f"{' ' * len(rule)}word")
