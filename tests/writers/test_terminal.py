"""A terminal shows the answer, the users, the rules and the notes; a pipe gets one table.

Whole outputs stand in `tests/golden`: here is what their few users and findings do not show.
"""

import re

import pytest

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.terms import Verdict
from analyzer.writers.terminal import HEADER
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    LONG_AGO,
    QUIET_PASSWORD,
    a_key,
    a_user,
    days_before,
    report_text,
)
from tests.support.named_reports import load_named
from tests.support.outputs import (
    ALL,
    SAMPLES,
    SPELLED_OUT,
    UNUSED,
    analysis_of,
    analyzed_sample,
    everything_shown,
    exemptions_of,
    hard_names,
    summary_text,
    table_text,
)
from tests.support.reading import OTHER_ACCOUNT

COLOURS = re.compile("\x1b\\[[0-9;]*m")
MFA_RULE = "high  Console user has no MFA device: "


@pytest.mark.no_cover
def test_no_line_is_wider_than_the_terminal() -> None:
    part = analyzer.Filter(accounts=("*:2*", "*:3*"))
    analysis = analyzed_sample(SAMPLES / "organization").where(part)
    for width in (20, 119, 120):
        lines = table_text(analysis, width=width).splitlines()
        assert len(lines) > 20
        assert max(map(len, lines)) <= width


def squeezed(text: str) -> str:
    """Return the text of the first column alone, without the spaces and lines that wrap it."""
    return "".join(text.split())


def test_a_name_is_shown_whole_and_is_never_a_command_or_markup() -> None:
    for colour in (False, True):
        shown = COLOURS.sub("", table_text(hard_names(), width=160, colour=colour))
        assert all(sign.isprintable() for line in shown.split("\n") for sign in line)
        first_column = squeezed("".join(line[:54] for line in shown.split("\n")))
        assert [name for name in SPELLED_OUT if squeezed(name) not in first_column] == []


def piped(analysis: Analysis, verdicts: tuple[Verdict, ...] = ALL) -> list[list[str]]:
    lines = table_text(analysis, verdicts).removesuffix("\n").split("\n")
    return [line.split("\t") for line in lines]


def test_a_name_stays_one_cell_of_one_line_in_a_pipe() -> None:
    lines = piped(hard_names())
    assert {len(line) for line in lines} == {len(HEADER)}
    assert sorted(line[2] for line in lines[1:]) == sorted(SPELLED_OUT)


def test_what_else_a_report_or_a_list_says_is_neither_command_nor_markup() -> None:
    exemptions = exemptions_of("*,ann,[red]\x1b[2J[/red],,", "\x1b[2J,[b]x[/b],why,,")
    user = a_user("ann", mfa_active="\x1b[2J[blink]")
    shown = table_text(analysis_of([user], exemptions), width=160)
    assert "\x1b" not in shown
    assert r"[red]\x1b[2J[/red]" in shown
    assert r"The exemption of [b]x[/b] in account \x1b[2J matches no user." in shown
    assert r'mfa_active "\x1b[2J[blink]" is not understood' in shown


def test_where_no_user_is_listed_the_answer_says_so_and_there_is_no_table() -> None:
    analysis = analysis_of([a_user("frank", key_1=a_key(LONG_AGO, days_before(1)))])
    shown = table_text(analysis, UNUSED, width=120)
    assert piped(analysis, UNUSED) == [list(HEADER)]
    assert shown.startswith("0 of 1 IAM user is unused, ")
    assert "Other users: 1 active." in shown
    assert "Created" not in shown


# Rules


def test_that_there_are_no_findings_is_said() -> None:
    analysis = analysis_of([a_user("ann", password=QUIET_PASSWORD, mfa=True)])
    for text in (table_text(analysis, UNUSED, width=80), summary_text(analysis, UNUSED)):
        assert "Findings: none." in text


def test_a_report_without_a_root_row_has_a_note() -> None:
    header, _, users = report_text([a_user("ann")]).split("\n", 2)
    report = load_named(("report.csv", f"{header}\n{users}".encode()), as_of=AS_OF)
    analysis = analyzer.analyze(report)
    note = f"Note: The report has no root row of account {ACCOUNT}."
    for width in (None, 160):
        assert note in everything_shown(analysis, width=width)
    assert note not in summary_text(analysis, rules=False)


@pytest.mark.no_cover
def test_of_many_accounts_each_user_has_its_own() -> None:
    safe = a_user("ann", account=OTHER_ACCOUNT, password=QUIET_PASSWORD, mfa=True)
    analysis = analysis_of([a_user("ann"), a_user("bob", password=QUIET_PASSWORD), safe])
    for verdicts in (ALL, UNUSED):  # also where all that are listed are of one account
        assert re.search(rf"ann .*\n{ACCOUNT}", table_text(analysis, verdicts, width=80))
        assert f"{ACCOUNT} ann" in table_text(analysis, verdicts, width=160)
