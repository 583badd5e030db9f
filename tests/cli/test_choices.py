"""The shell completes the values of options, and a wrong value is answered with the right ones."""

import os
import re
import subprocess

import pytest

from analyzer.rules import RULES
from analyzer.terms import Benchmark, Definition, Format, Severity, Verdict
from tests.cli.conftest import Program
from tests.support.forking import forking
from tests.support.outputs import CONSOLE

IDS = [rule.id for rule in RULES]


def completed(*words: str) -> list[str]:
    """Return what bash offers for the last of the words."""
    line = ["credreport", *words]
    done = subprocess.run(
        [forking("credreport")],
        env={
            **os.environ,
            "_CREDREPORT_COMPLETE": "complete_bash",
            "COMP_WORDS": " ".join(line),
            "COMP_CWORD": str(len(line) - 1),
        },
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("analyze", "--verdict", ""), [*Verdict, "all"]),
        (("analyze", "--verdict", "un"), ["undetermined", "unused"]),
        (("analyze", "--standard", "cis-7"), ["cis-7.0"]),
        (("analyze", "--standard", ""), [*Benchmark]),
        (("analyze", "--format", ""), [*Format]),
        (("analyze", "--definition", ""), [*Definition]),
        (("analyze", "--min-severity", ""), [*Severity]),
        (("analyze", "--fail-on", "unus"), ["unused", "unused-user"]),
        (("export", "--fail-on", "cri"), ["critical"]),
        (("export", "--also", ""), ["ocsf", "asff", "parquet"]),
        (("export", "--log-format", ""), ["text", "json"]),
        (("analyze", "--rules", "root-u"), ["root-used"]),
        (("analyze", "--rules", "all"), ["all"]),
        (("analyze", "--skip", ""), IDS),
        (("rules", ""), IDS),
    ],
    ids=str,
)
def test_values_are_completed(words: tuple[str, ...], offered: list[str]) -> None:
    assert completed(*words) == list(map(str, offered))


WRONG = (
    (["--standard", "cis3.0"], "'cis3.0' is not one of 'cis-7.0', 'cis-6.0',"),
    (["--format", "xml"], "'xml' is not one of 'table', 'csv', 'json', 'markdown', 'line',"),
    (["--definition", "mine"], "'mine' is not one of 'no-active-key', 'iam-029'"),
    (["--min-severity", "worst"], "'worst' is not one of 'critical', 'high', 'medium', 'low'"),
    (["--verdict", "idle"], "'idle': choose from undetermined, unused, retired,"),
    (["--fail-on", "idle"], "'idle': choose from the verdicts undetermined, unused,"),
    (["--dormant-days", "0"], "'0': use a whole number of days, 1 or more"),
    (["--grace-days", "-1"], "'-1': use a whole number of days, 0 or more"),
    (["--idle-days", "1.5"], "'1.5': use a whole number of days, 1 or more"),
)


WRONG_OF_EXPORT = (
    (["--timeout", "0"], "'0': use a whole number of seconds, 1 or more"),
    (["--timeout", "soon"], "'soon': use a whole number of seconds, 1 or more"),
    (["--jobs", "0"], "'0': use a whole number, from 1 to 64"),
    (["--jobs", "65"], "'65': use a whole number, from 1 to 64"),
    (["--jobs", "many"], "'many': use a whole number, from 1 to 64"),
    (["--keep", "0"], "'0': use a whole number, 1 or more"),
    (["--log-format", "xml"], "'xml' is not one of 'text', 'json'"),
    (["--also", "xml"], "'xml' is not one of 'ocsf', 'asff'"),
)


@pytest.mark.parametrize(("options", "says"), WRONG_OF_EXPORT, ids=str)
def test_a_wrong_value_of_export_is_answered_with_the_right_ones(
    program: Program, options: list[str], says: str
) -> None:
    done = program("export", "--out-dir", "runs", *options)
    assert done.code == 2
    assert f"Invalid value for '{options[0]}': {says}" in " ".join(
        done.messages.replace("│", " ").split()
    )


def test_a_wrong_format_of_diff_is_answered_with_the_right_ones(program: Program) -> None:
    done = program("diff", CONSOLE, CONSOLE, "--format", "xml")
    assert done.code == 2
    says = " ".join(done.messages.replace("│", "").split())
    assert "'xml' is not one of 'table', 'csv', 'json'" in says


@pytest.mark.parametrize(("options", "says"), WRONG_OF_EXPORT[:5], ids=str)
def test_a_wrong_value_of_fetch_is_answered_with_the_right_ones(
    program: Program, options: list[str], says: str
) -> None:
    done = program("fetch", *options)
    assert done.code == 2
    assert f"Invalid value for '{options[0]}': {says}" in " ".join(
        done.messages.replace("│", " ").split()
    )


@pytest.mark.parametrize(("options", "says"), WRONG, ids=str)
def test_a_wrong_value_is_answered_with_the_right_ones(
    program: Program, options: list[str], says: str
) -> None:
    done = program("analyze", CONSOLE, *options)
    assert (done.code, done.output) == (2, b"")
    message = " ".join(done.messages.replace("│", " ").split())
    named = message.replace("'-f' / '--format'", "--format").replace(f"'{options[0]}'", options[0])
    assert f"Invalid value for {options[0]}: {says}" in named


def test_an_unknown_rule_is_answered_with_all_rules(program: Program) -> None:
    done = program("rules", "nothing")
    assert done.code == 2
    assert f"'nothing': choose from {IDS[0]}" in " ".join(done.messages.replace("│", " ").split())


COMMANDS: tuple[list[str], ...] = ([], ["analyze"], ["export"], ["rules"])


@pytest.mark.parametrize("arguments", COMMANDS)
def test_the_help_shows_no_type_behind_a_flag(program: Program, arguments: list[str]) -> None:
    shown = program(*arguments, "--help").output.decode()
    assert "--help" in shown
    assert not re.search(r"<(bool|str|list)", shown)


def test_the_options_that_people_need_first_come_first(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 200)
    lines = program("analyze", "--help").output.decode().splitlines()
    options = [line.split()[1] for line in lines if line.startswith("│ --")]
    assert options[:12] == [
        *("--output", "--format", "--verdict", "--quiet", "--account", "--user", "--certain"),
        *("--min-age", "--exemptions", "--owners", "--standard", "--fail-on"),
    ]
    assert [line.split()[1] for line in lines if line.startswith("╭")] == [
        *("Arguments", "Options", "Output", "Input", "Verdicts", "Decisions")
    ]
