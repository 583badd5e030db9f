"""The program starts quickly, says what it is, and is the same however it is started."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points, version
from pathlib import Path
from runpy import run_module

import pytest

from analyzer.cli import run as run_process
from analyzer.cli.command import SUMMARIES, command_named
from analyzer.cli.inputs import _NoPandas
from analyzer.cli.log import TextOrJson
from analyzer.limits import Definition
from analyzer.terms import Benchmark, Format, Verdict
from tests.support.builders import ROOT_FOLDER, Run, run
from tests.support.outputs import CONSOLE, EXEMPTIONS

HEAVY = {"boto3", "botocore", "numpy", "openpyxl", "pandas", "pyarrow"}
COMMANDS: tuple[list[str], ...] = (
    *(["--help"], ["--version"], ["analyze"], ["analyze", "report.csv", "--as-of", "today"]),
    *([command, "--help"] for command in SUMMARIES),
    *(["rules"], ["rules", "all"], ["diff", "nowhere.csv", "none.csv"], ["plan", "nowhere.csv"]),
    *(["analyze", "nowhere.csv"], ["explain", "ann", "nowhere.csv"], ["history", "nowhere.csv"]),
    ["collect", "nowhere.xlsx"],
)
IN_FORKS = """
import json, os, sys
import rich.console, rich.markdown, rich.table, typer.rich_utils  # what every help takes
from pydantic import TypeAdapter, ValidationError  # what every option takes
from analyzer.cli import main
for arguments in json.loads(sys.argv[1]):
    if os.fork() == 0:
        main(arguments)
        print(json.dumps([*sys.modules]), file=sys.stderr)
        sys.stderr.flush()
        os._exit(0)
    os.wait()
"""


@pytest.mark.no_cover
def test_no_command_imports_what_it_does_not_need(tmp_path: Path) -> None:
    export = ["export", "--from", str(CONSOLE), "--out-dir", str(tmp_path / "runs")]
    program = [sys.executable, "-c", IN_FORKS, json.dumps([*COMMANDS, export])]
    done = subprocess.run(program, cwd=ROOT_FOLDER, capture_output=True, check=True)
    lines = [line for line in done.stderr.decode().splitlines() if line.startswith('["')]
    *modules, by_export = (set(json.loads(line)) for line in lines)
    assert {"pandas", "botocore"} & by_export == {"pandas"}
    imported = dict(zip(map(" ".join, COMMANDS), modules, strict=True))
    assert {name: HEAVY & each for name, each in imported.items() if HEAVY & each} == {}
    for command in SUMMARIES:
        every = imported[f"{command} --help"]
        found = {each for each in SUMMARIES if f"analyzer.cli.{each}" in every}
        assert found == {command} | ({"fetch"} if command == "export" else set())


FILES = ("users.csv", "users.json", "users.html", "users.md", "users.parquet", "f.ocsf.json")
AFTERWARDS = """
import sys
from analyzer.cli import main
for arguments in FORMS:
    assert main(arguments) == 0
    assert "pandas" not in sys.modules, arguments
import pyarrow as pa
import analyzer
users = analyzer.analyze(analyzer.load(SOURCE)).users
assert pa.array(users["idle_days"]).null_count == users["idle_days"].isna().sum() > 0
"""


@pytest.mark.no_cover
def test_only_who_asks_for_a_frame_loads_pandas_and_arrow_then_knows_it(tmp_path: Path) -> None:
    forms = [["-q", "-f", str(form)] for form in Format] + [
        ["-o", str(tmp_path / n)] for n in FILES
    ]
    arguments = [["analyze", str(CONSOLE), *form] for form in forms]
    code = AFTERWARDS.replace("FORMS", repr(arguments)).replace("SOURCE", repr(str(CONSOLE)))
    subprocess.run([sys.executable, "-c", code], cwd=ROOT_FOLDER, capture_output=True, check=True)


def test_arrow_is_refused_pandas_and_nothing_else() -> None:
    with pytest.raises(ImportError):
        _NoPandas.find_spec("pandas")
    _NoPandas.find_spec("pyarrow")


EACH_ALONE = """
import os, sys
from importlib import import_module
from analyzer.cli.inputs import _load_arrow_without_pandas
_load_arrow_without_pandas()
for name in sys.argv[1:]:
    if os.fork() == 0:
        import_module(name)
        os._exit("pandas" in sys.modules and "analyzer.report.frames" not in sys.modules)
    assert os.wait()[1] == 0, name
"""


@pytest.mark.no_cover
def test_arrow_knows_pandas_in_every_module_that_loads_it() -> None:
    paths = [path.relative_to(ROOT_FOLDER) for path in (ROOT_FOLDER / "analyzer").rglob("*.py")]
    names = [".".join(path.with_suffix("").parts) for path in paths if path.stem[0] != "_"]
    assert len(names) > 100
    subprocess.run([sys.executable, "-c", EACH_ALONE, *names], cwd=ROOT_FOLDER, check=True)


def test_the_version_is_that_of_the_installed_distribution() -> None:
    assert (
        run("--version")
        == run("-V")
        == Run(0, f"credreport {version('credreport')}\n".encode(), "")
    )


@pytest.mark.no_cover
def test_the_module_and_the_command_are_the_same_program() -> None:
    (script,) = entry_points(group="console_scripts", name="credreport")
    assert script.value == "analyzer.cli:run"
    installed = Path(sys.executable).with_name("credreport")
    done = subprocess.run([installed, "analyze", "nowhere.csv"], capture_output=True, check=False)
    same = run("analyze", "nowhere.csv")
    assert Run(done.returncode, done.stdout, done.stderr.decode()) == same


def test_importing_the_module_that_starts_the_program_starts_nothing() -> None:
    assert import_module("analyzer.__main__").run is run_process


def test_a_clone_that_is_not_installed_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without_libraries = [sys.executable, "-S", "-m", "analyzer", "rules"]
    done = subprocess.run(without_libraries, cwd=ROOT_FOLDER, capture_output=True, check=False)
    says = "credreport: typer is not installed. Type: pip install .\n"
    assert (done.returncode, done.stdout, done.stderr.decode()) == (2, b"", says)
    monkeypatch.setitem(sys.modules, "analyzer.cli", None)
    monkeypatch.delitem(sys.modules, "analyzer.__main__", raising=False)
    with pytest.raises(SystemExit, match=r"^2$"):
        run_module("analyzer", run_name="__main__")
    assert capsys.readouterr().err.endswith(" is not installed. Type: pip install .\n")


# Help


@cache
def help_of(command: str, columns: int = 80) -> str:
    """Return the help of a command on a terminal of so many columns."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(columns))
        patch.setattr("typer.rich_utils.MAX_WIDTH", columns)
        return run(*command.split(), "--help").output.decode()


def test_the_help_says_of_each_command_what_its_own_help_says_first() -> None:
    listed = help_of("")
    for command, summary in SUMMARIES.items():
        assert command in listed
        assert summary in " ".join(help_of(command).split())


def test_the_help_breaks_no_line_that_a_wide_terminal_holds() -> None:
    assert "A run of export brings its own as-of, exemption list" in help_of("diff", 400)
    assert "It checks each user in AWS first." in help_of("plan", 400)


def test_the_help_of_the_program_ends_with_two_commands_to_begin_with() -> None:
    *_, first, second = filter(None, (line.strip() for line in run("--help").lines))
    assert (first, second) == ("credreport analyze report.json", "credreport analyze --help")


def test_help_is_a_result_and_calls_the_program_by_its_name() -> None:
    for words, code, says in (
        ("", 2, "credreport: a command is missing.\n"),
        ("--", 2, "credreport: a command is missing.\n"),
        ("--help", 0, ""),
        ("analyze", 2, "credreport analyze: arguments are missing.\n"),
        ("analyze --help", 0, ""),
    ):
        done = run(*words.split())
        assert "Usage: credreport" in done.output.decode()
        assert (done.code, done.messages) == (code, says)


@pytest.mark.parametrize("command", SUMMARIES)
def test_each_command_has_two_examples_that_are_right_and_end_its_help(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = import_module(f"analyzer.cli.{command}").EXAMPLES
    lines = [line.strip() for line in help_of(command).splitlines()]
    assert [line for line in lines if line.startswith("credreport")] == list(examples)
    assert len(examples) == 2
    shutil.copy(EXEMPTIONS, tmp_path / "exemptions.csv")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "decisions.csv").touch()
    monkeypatch.chdir(tmp_path)
    for example in examples:
        _, name, *words = shlex.split(example)
        assert command_named(name).make_context(name, words).params, example


def test_the_limits_of_rules_are_in_the_help_of_rules() -> None:
    shown = " ".join(help_of("rules").replace("│", " ").split())
    assert "Limits that --limit NAME=DAYS sets: rotation, root-used, expiry." in shown


@pytest.mark.parametrize(
    ("command", "words", "lines"),
    [("analyze", [*Format, *Verdict, "all"], 60), ("export", list(TextOrJson), 80)],
)
def test_help_is_on_one_screen_with_all_words(command: str, words: list[str], lines: int) -> None:
    shown = help_of(command)
    assert len(shown.splitlines()) <= lines
    text = shown.replace("│", " ")
    words = [*Definition, *Benchmark, *words]
    assert [word for word in words if not re.search(rf"\s{re.escape(word)}[\s,.;:]", text)] == []
    assert "|" not in text
    assert not re.search(r"<(bool|str|list)", shown)


def test_the_options_that_people_need_first_come_first() -> None:
    lines = help_of("analyze", 200).splitlines()
    options = [line.split()[1] for line in lines if line.startswith("│ --")]
    assert options[:15] == (
        ["--output", "--format", "--verdict", "--split-by", "--quiet", "--account", "--user"]
        + ["--certain", "--min-age", "--exposure", "--exemptions", "--exempt", "--owners"]
        + ["--standard", "--fail-on"]
    )
    assert [line.split()[1] for line in lines if line.startswith("╭")] == [
        "Arguments",
        "Options",
        "Input",
        "Verdicts",
    ]
    assert "--idle-days" in options
    assert "--service-credentials" in help_of("fetch", 200)


def test_a_command_without_arguments_says_in_ten_lines_what_it_needs() -> None:
    for command in ("analyze", "explain", "diff", "collect", "plan"):
        done = run(command)
        assert (done.code, len(done.lines) <= 10) == (2, True)
        assert done.lines[0] == SUMMARIES[command]
        assert f"credreport {command} --help lists all options." in done.lines
        assert [line for line in done.lines if line.startswith(f"  credreport {command} ")]
