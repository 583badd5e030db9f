"""The program starts quickly, says what it is, and is the same however it is started."""

import json
import re
import subprocess
import sys
from importlib import import_module
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

from analyzer.cli import run as run_process
from analyzer.cli.analyze import EXAMPLES
from analyzer.cli.command import SUMMARIES
from analyzer.cli.streams import LogFormat
from analyzer.terms import Benchmark, Definition, Format, Severity, Verdict
from tests.cli.conftest import Program
from tests.support.builders import ROOT_FOLDER, Run, run
from tests.support.outputs import CONSOLE

SAMPLE_SETTINGS = ROOT_FOLDER / "samples" / "settings.toml"
HEAVY = {"boto3", "botocore", "numpy", "openpyxl", "pandas", "pyarrow"}
COMMANDS: tuple[list[str], ...] = (
    *([], ["--help"], ["--version"], ["analyze"], ["analyze", "report.csv", "--as-of", "today"]),
    *([command, "--help"] for command in SUMMARIES),
)
IN_FORKS = """
import json, os, sys
import rich.console, rich.markdown, rich.table, typer.rich_utils  # what every help takes
from analyzer.cli import main
for arguments in json.loads(sys.argv[1]):
    if os.fork() == 0:
        main(arguments)
        print(json.dumps([*sys.modules]), file=sys.stderr)
        sys.stderr.flush()
        os._exit(0)
    os.wait()
"""


@pytest.fixture(scope="module")
def imported() -> dict[str, set[str]]:
    """Return what each command imports, each in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", IN_FORKS, json.dumps(COMMANDS)],
        cwd=ROOT_FOLDER,
        capture_output=True,
        check=True,
    )
    lines = done.stderr.decode().splitlines()
    modules = [set(json.loads(line)) for line in lines if line.startswith('["')]
    return dict(zip(map(" ".join, COMMANDS), modules, strict=True))


@pytest.mark.no_cover
def test_what_needs_no_report_imports_nothing_heavy(imported: dict[str, set[str]]) -> None:
    assert {name: HEAVY & each for name, each in imported.items() if HEAVY & each} == {}


@pytest.mark.no_cover
def test_a_command_imports_no_other_one_but_export_the_one_that_fetches(
    imported: dict[str, set[str]],
) -> None:
    found = {
        command: {
            each for each in SUMMARIES if f"analyzer.cli.{each}" in imported[f"{command} --help"]
        }
        for command in SUMMARIES
    }
    assert found == {each: {each} for each in SUMMARIES} | {"export": {"export", "fetch"}}


def test_the_version_is_that_of_the_installed_distribution(program: Program) -> None:
    assert program("--version") == Run(0, f"credreport {version('credreport')}\n".encode(), "")


@pytest.mark.no_cover
def test_the_module_and_the_command_are_the_same_program() -> None:
    (script,) = entry_points(group="console_scripts", name="credreport")
    assert script.value == "analyzer.cli:run"
    installed = Path(sys.executable).with_name("credreport")
    for arguments in (["--version"], ["analyze", "nowhere.csv"]):
        done = subprocess.run([installed, *arguments], capture_output=True, check=False)
        assert Run(done.returncode, done.stdout, done.stderr.decode()) == run(*arguments)


def test_the_help_says_of_each_command_what_its_own_help_says_first(program: Program) -> None:
    listed = program("--help").output.decode()
    for command, summary in SUMMARIES.items():
        assert summary in " ".join(program(command, "--help").output.decode().split())
        assert command in listed


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("diff", "A run of export brings its own as-of, exemption list"),
        ("plan", "It checks each user in AWS first."),
    ],
)
def test_the_help_breaks_no_line_that_a_wide_terminal_holds(
    program: Program, monkeypatch: pytest.MonkeyPatch, command: str, sentence: str
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 400)
    assert sentence in program(command, "--help").output.decode()


@pytest.mark.parametrize("arguments", [[], ["--help"], ["analyze"], ["analyze", "--help"]])
def test_help_is_a_result_and_calls_the_program_by_its_name(
    program: Program, arguments: list[str]
) -> None:
    done = program(*arguments)
    assert "Usage: credreport" in done.output.decode()
    assert done.messages == ""
    assert done.code == (0 if arguments[-1:] == ["--help"] else 2)


@pytest.mark.parametrize(("command", "examples"), [("analyze", EXAMPLES), ("export", ())])
def test_help_has_at_most_80_lines_and_its_examples_at_the_end(
    program: Program, monkeypatch: pytest.MonkeyPatch, command: str, examples: tuple[str, ...]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 80)
    lines = program(command, "--help").output.decode().splitlines()
    assert len(lines) <= 80
    assert [line.strip() for line in lines if line.strip().startswith("credreport")] == [*examples]


RARE = (
    *("--mode=640", "--max-input=1GiB", "--raw-csv", "--hub-region=eu-west-1", "--idle-days=45"),
    *("--rotation-days=90", "--root-used-days=30", "--expiry-days=14"),
)
RARE_AT_AWS = ("--jobs", "--session-name", "--endpoint-url")


def test_what_few_need_is_hidden_from_the_help_accepted_and_in_the_sample_settings(
    program: Program,
) -> None:
    shown = b"".join(program(command, "--help").output for command in ("analyze", "export"))
    names = [*(each.partition("=")[0] for each in RARE), *RARE_AT_AWS]
    assert [name for name in names if name.encode() in shown] == []
    assert program("analyze", CONSOLE, "-q", *RARE).code == 0
    sample = SAMPLE_SETTINGS.read_text(encoding="utf-8")
    assert [name for name in names if f"{name.removeprefix('--')} = " not in sample] == []
    assert program("analyze", CONSOLE, "-q", "--config", SAMPLE_SETTINGS).code == 0


def test_the_help_of_export_says_once_how_its_environment_variables_are_named(
    program: Program,
) -> None:
    assert program("export", "--help").output.count(b"CREDREPORT_") == 1


@pytest.mark.parametrize("command", ["analyze", "explain", "diff", "collect", "plan"])
def test_a_command_without_arguments_says_in_ten_lines_what_it_needs(
    program: Program, command: str
) -> None:
    done = program(command)
    lines = done.output.decode().splitlines()
    assert done.code == 2
    assert len(lines) <= 10
    assert lines[0] == SUMMARIES[command]
    assert f"credreport {command} --help lists all options." in lines
    assert [line for line in lines if line.startswith(f"  credreport {command} ")]


@pytest.mark.parametrize("command", ["analyze", "export"])
def test_help_breaks_no_word_that_an_option_takes_on_a_narrow_terminal(
    program: Program, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 80)
    told = program(command, "--help").output.decode().replace("│", " ")
    words = [*Definition, *Benchmark, *Severity]
    words += [*Format, *Verdict, "all"] if command == "analyze" else [*LogFormat]
    assert [word for word in words if not re.search(rf"[\s]{re.escape(word)}[\s,.;:]", told)] == []
    assert "|" not in told


def test_importing_the_module_that_starts_the_program_starts_nothing() -> None:
    assert import_module("analyzer.__main__").run is run_process
