"""On a terminal the table fits, colours can be refused, and a bar shows only where it helps."""

import re
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from analyzer.cli import streams
from analyzer.terms import Format
from tests.support.builders import saved
from tests.support.outputs import (
    ALL,
    CONSOLE,
    EXEMPTIONS,
    SAMPLES,
    UNUSED,
    Terminal,
    analyzed_console,
    csv_bytes,
    hard_names,
    table_text,
)
from tests.support.processes import on_terminal

COLOURS = re.compile("\x1b\\[[0-9;]*m")
ON_CONSOLE = ("analyze", CONSOLE, "--exemptions", EXEMPTIONS)
ORGANIZATION = SAMPLES / "organization"
PLAIN = {"NO_COLOR": "1"}


@pytest.mark.no_cover
@pytest.mark.parametrize("columns", [60, 200])
def test_the_table_fills_the_terminal_with_colours_and_says_everything_once(columns: int) -> None:
    shown = on_terminal(*ON_CONSOLE, columns=columns)
    assert shown.code == 0
    assert COLOURS.search(shown.screen)
    assert COLOURS.sub("", shown.screen) == table_text(analyzed_console(), UNUSED, width=columns)


@pytest.mark.no_cover
def test_a_table_without_colours_is_the_same() -> None:
    shown = on_terminal(*ON_CONSOLE, "--verdict", "all", columns=160, variables=PLAIN)
    assert shown.screen == table_text(analyzed_console(), ALL, width=160)


@pytest.mark.parametrize(
    ("variables", "colour"),
    [({}, True), ({"NO_COLOR": ""}, True), (PLAIN, False), ({"TERM": "dumb"}, False)],
    ids=str,
)
def test_colours_can_be_refused(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], *, colour: bool
) -> None:
    for name, value in ({"NO_COLOR": "", "TERM": "xterm"} | variables).items():
        monkeypatch.setenv(name, value)
    assert streams.terminal()["colour"] is colour


@pytest.mark.parametrize("form", ["csv", "json", "arns", "table"])
def test_no_format_commands_a_terminal_though_it_is_exact_in_a_pipe(
    monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    with redirect_stdout(Terminal()) as terminal:
        streams.write_result(hard_names(), Format(form), ALL, raw_csv=False)
    shown = terminal.getvalue()
    assert [sign for sign in shown if not sign.isprintable() and sign != "\n"] == []
    assert r"\x1b[31mred" in "".join(shown.split()) or "\\u001b[31mred" in shown


@pytest.mark.no_cover
def test_a_table_in_a_pipe_is_plain_and_its_summary_stays_on_the_terminal() -> None:
    shown = on_terminal(*ON_CONSOLE, piped="output", variables={"FORCE_COLOR": "1"})
    assert shown.output.decode() == table_text(analyzed_console(), UNUSED)
    assert shown.screen.startswith(
        "26 of 47 IAM users are unused (8 certain, 13 to check, 5 exempt), "
    )
    assert "Console user has no MFA device: 11 fail" in shown.screen
    assert "Not visible in a credential report: SSH public keys" in shown.screen


@pytest.mark.no_cover
def test_a_table_on_the_terminal_leaves_nothing_to_say_but_the_files_that_were_written(
    tmp_path: Path,
) -> None:
    target = tmp_path / "a.csv"
    shown = on_terminal(*ON_CONSOLE, "--format", "table", "-o", target, piped="messages")
    assert shown.messages == f"Wrote {target}\n"
    assert target.read_bytes() == csv_bytes(analyzed_console(), UNUSED)


@pytest.mark.parametrize(
    ("total", "quiet", "term", "shows"),
    [
        (2, False, "xterm", True),
        (1, False, "xterm", False),
        (2, True, "xterm", False),
        (2, False, "dumb", False),
    ],
)
def test_a_bar_shows_for_many_reports_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, total: int, term: str, *, quiet: bool, shows: bool
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", term)
    with streams.progress(quiet=quiet) as advance:
        advance(1, total)
    assert ("Reading reports" in terminal.getvalue()) is shows
    assert shows or not terminal.getvalue()


@pytest.mark.no_cover
def test_a_bar_stays_out_of_the_result() -> None:
    shown = on_terminal("analyze", ORGANIZATION, "--format", "names", piped="output")
    assert (shown.code, b"\x1b" in shown.output) == (0, False)
    assert "Reading reports" in shown.screen


def test_a_bar_is_gone_when_a_report_is_refused(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        saved(tmp_path, "no report", name)
    shown = on_terminal("analyze", tmp_path)
    assert shown.code == 3
    assert f"credreport:{tmp_path}/a.csv" in "".join(shown.screen.split())
    assert "\x1b[?25h" in shown.screen.split("credreport:")[0]
