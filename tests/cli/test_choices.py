"""The shell completes the values of options, and a wrong value is answered with the right ones."""

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from analyzer.rules import RULES
from analyzer.terms import Benchmark, Format, Verdict
from tests.cli.conftest import Program, unwrapped
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
        (("analyze", "--standard", ""), [*Benchmark]),
        (("analyze", "--format", ""), [*Format]),
        (("analyze", "--fail-on", "unus"), ["unused", "unused-user"]),
        (("export", "--fail-on", "cri"), ["critical"]),
        (("export", "--also", ""), ["ocsf", "asff", "parquet"]),
        (("analyze", "--rules", "root-u"), ["root-used"]),
        (("analyze", "--skip", ""), IDS),
        (("rules", ""), IDS),
    ],
    ids=str,
)
def test_values_are_completed(words: tuple[str, ...], offered: list[str]) -> None:
    assert completed(*words) == list(map(str, offered))


MFA = "console-user-without-mfa"
NO_CRITICAL = ("--skip", "root-access-key", "--skip", "root-without-mfa")

WRONG: tuple[tuple[list[str], str, str], ...] = (
    (["--colour"], "--colour", "No such option"),
    (["--standard", "cis3.0"], "--standard", "'cis3.0' is not one of 'cis-7.0', 'cis-6.0',"),
    (["--format", "xml"], "--format", "'xml' is not one of 'table', 'csv', 'json', 'markdown',"),
    (["--definition", "mine"], "--definition", "'mine' is not one of 'no-active-key', 'iam-029'"),
    (["--min-severity", "worst"], "--min-severity", "'worst' is not one of 'critical', 'high',"),
    (["--verdict", "idle"], "--verdict", "'idle': choose from undetermined, unused, retired,"),
    (["--dormant-days", "0"], "--dormant-days", "'0': use a whole number of days, 1 or more"),
    (["--grace-days", "-1"], "--grace-days", "'-1': use a whole number of days, 0 or more"),
    (["--idle-days", "1.5"], "--idle-days", "'1.5': use a whole number of days, 1 or more"),
    (["--min-age", "old"], "--min-age", "'old': use a whole number of days"),
    (["--as-of", "2026-03-01T09:30"], "--as-of", "has no time zone: use 2026-03-01T09:30:00Z"),
    (["--as-of", "03/04/2021 10:00Z"], "--as-of", 'invalid time "03/04/2021 10:00Z":'),
    (["--as-of", "0001-01-01T00:00:00+23:00"], "--as-of", "invalid time"),
    (["-o", "report.txt"], "-o", "report.txt must end in .xlsx, .csv, .json"),
    (["-o", "report"], "--output", "report must end in .xlsx, .csv, .json"),
    (["-o", ".csv"], "-o", ".csv must end in .xlsx, .csv, .json"),
    (["-o", "a.csv", "--findings", "./a.csv"], "--output", "is named twice"),
    (["--findings", "findings.json"], "--findings", "findings.json must end in .csv"),
    (["--findings", str(CONSOLE)], "--output", "is an input: write to another file"),
    (["--follow-up", "-"], "--follow-up", "- is standard output: name a file that ends in .csv"),
    (["--hub-region", ""], "--hub-region", "'': use a region such as eu-west-1"),
    (["--masked-account", "12345678901"], "--masked-account", "an account has 12 digits"),
    (["--exemptions", "nowhere.csv"], "--exemptions", "nowhere.csv cannot be read"),
    (["--exemptions", "."], "--exemptions", ". cannot be read: Is a directory"),
    (["--exemptions", "/dev/zero"], "--exemptions", "/dev/zero holds more than 64 MiB"),
    (["--account", "12345678901"], "--account", "did you mean 012345678901?"),
    (["--account", "12"], "--account", "12: no such account in the reports (they have 123456"),
    (["--user", "ann", "--user", "b*"], "--user", "ann: no such user in the reports"),
    (["--include-check"], "--include-check", "use it with --format names or arns only"),
    (
        ["--format", "names", "--certain", "--include-check"],
        "--include-check",
        "lists the users that --certain leaves out: use one of the two",
    ),
    (["--rules", "nobody"], "--rules", "'nobody': choose from unused-user,"),
    (["--skip", "all"], "--skip", "unknown rule all: choose from unused-user,"),
    (["--fail-on", "idle"], "--fail-on", "'idle': choose from the verdicts undetermined, unused,"),
    (["--fail-on", "idle"], "--fail-on", "the severities critical, high, medium, low"),
    (["--fail-on", "user-without-mfa"], "--fail-on", "or the rules that run: unused-user,"),
    (["--fail-on", MFA, "--skip", MFA], "--fail-on", "did you mean root-without-mfa? Choose from"),
    (["--fail-on", "control"], "--fail-on", "control: choose the controls with --standard"),
    (
        ["--fail-on", "medium", "--min-severity", "critical"],
        "--fail-on",
        "medium: no such rule runs with --min-severity critical",
    ),
    (
        ["--fail-on", "high", "--rules", "unused-user"],
        "--fail-on",
        "high: no rule of this severity runs (unused-user)",
    ),
    (
        ["--fail-on", "low", "--fail-on", "critical", *NO_CRITICAL],
        "--fail-on",
        "critical: no rule of this severity runs (unused-user,",
    ),
    (
        ["--fail-on", "low", "--rules", MFA, "--skip", MFA],
        "--fail-on",
        "low: no rule of this severity runs (none runs)",
    ),
)


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_wrong_words_are_answered_with_the_right_ones_before_anything_is_written(
    program: Program,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wrong: tuple[list[str], str, str],
) -> None:
    options, option, says = wrong
    monkeypatch.chdir(tmp_path)
    done = program("analyze", CONSOLE, "-o", "good.csv", *options)
    assert (done.code, done.output) == (2, b"")
    assert option in done.messages
    assert says in unwrapped(done.messages)
    assert list(tmp_path.iterdir()) == []


EXPORT = ("export", "--out-dir", "runs")


@pytest.mark.parametrize(
    ("words", "option", "says"),
    [
        (EXPORT, ["--timeout", "0"], "'0': use a whole number of seconds, 1 or more"),
        (EXPORT, ["--jobs", "65"], "'65': use a whole number, from 1 to 64"),
        (EXPORT, ["--keep", "0"], "'0': use a whole number, 1 or more"),
        (EXPORT, ["--log-format", "xml"], "'xml' is not one of 'text', 'json'"),
        (EXPORT, ["--also", "xml"], "'xml' is not one of 'ocsf', 'asff'"),
        (["fetch"], ["--timeout", "soon"], "'soon': use a whole number of seconds, 1 or more"),
        (["fetch"], ["--jobs", "0"], "'0': use a whole number, from 1 to 64"),
        (["fetch"], ["--jobs", "many"], "'many': use a whole number, from 1 to 64"),
        (["diff", "a", "b"], ["--format", "xml"], "'xml' is not one of 'table', 'csv', 'json'"),
    ],
    ids=str,
)
def test_a_wrong_value_of_another_command_is_answered_with_the_right_ones(
    program: Program, words: Sequence[str], option: list[str], says: str
) -> None:
    done = program(*words, *option)
    assert done.code == 2
    said = unwrapped(done.messages).replace("'-f' / ", "")
    assert f"Invalid value for '{option[0]}': {says}" in said


@pytest.mark.parametrize("arguments", [[], ["analyze"], ["rules"]], ids=str)
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
