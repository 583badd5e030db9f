"""On a terminal the table fits, colours can be refused, and a bar shows only where it helps."""

import re
from pathlib import Path

import pytest

from tests.support.builders import a_user, report_text, saved
from tests.support.outputs import (
    ALL,
    CONSOLE,
    EXEMPTIONS,
    HARD_NAMES,
    SAMPLES,
    UNUSED,
    analyzed_console,
    csv_bytes,
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
@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_colours_can_be_refused(variables: dict[str, str]) -> None:
    shown = on_terminal(*ON_CONSOLE, "--verdict", "all", columns=160, variables=variables)
    assert shown.screen == table_text(analyzed_console(), ALL, width=160)


@pytest.mark.no_cover
def test_an_empty_no_color_refuses_nothing() -> None:
    assert COLOURS.search(on_terminal(*ON_CONSOLE, variables={"NO_COLOR": ""}).screen)


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


@pytest.mark.no_cover
def test_what_stands_in_a_report_commands_no_terminal(tmp_path: Path) -> None:
    report = saved(tmp_path, report_text([a_user(name) for name in HARD_NAMES], quoted=True))
    screen = on_terminal("analyze", report, "--verdict", "all", columns=160, variables=PLAIN).screen
    assert [sign for sign in screen if not sign.isprintable() and sign != "\n"] == []
    assert r"bell\x07\x1b[31mred" in screen


@pytest.mark.parametrize(
    ("sources", "options", "variables", "shows"),
    [
        ([ORGANIZATION], [], {}, True),
        ([CONSOLE], [], {}, False),
        ([ORGANIZATION], ["--quiet"], {}, False),
        ([ORGANIZATION], [], {"TERM": "dumb"}, False),
    ],
    ids=["many", "one", "quiet", "dumb"],
)
def test_a_bar_shows_for_many_reports_on_a_terminal_only(
    sources: list[Path], options: list[str], variables: dict[str, str], *, shows: bool
) -> None:
    asked = ("--format", "names", *options)
    shown = on_terminal("analyze", *sources, *asked, piped="output", variables=variables)
    assert ("Reading reports" in shown.screen) == shows
    assert shows or "\x1b" not in shown.screen
    assert b"\x1b" not in shown.output
    assert shown.code == 0


def test_a_bar_is_gone_when_a_report_is_refused(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        saved(tmp_path, "no report", name)
    shown = on_terminal("analyze", tmp_path)
    assert shown.code == 3
    assert f"credreport:{tmp_path}/a.csv" in "".join(shown.screen.split())
    assert "\x1b[?25h" in shown.screen.split("credreport:")[0]
