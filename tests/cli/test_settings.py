"""Settings come from a file that an option or the environment names, and wrong words are helped."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from openpyxl import load_workbook
from rich.cells import cell_len

from analyzer.cli import main
from tests.cli.conftest import Program
from tests.support.builders import ROOT_FOLDER, a_user, report_text, saved, table
from tests.support.outputs import CONSOLE, HEADER_OF_EXEMPTIONS
from tests.support.processes import command


class Terminal(io.StringIO):
    """A stream that a person reads."""

    def isatty(self) -> bool:
        return True


def unwrapped(messages: str) -> str:
    return " ".join(messages.replace("│", " ").split())


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return saved(tmp_path, report_text([a_user("ann")]))


def test_a_file_that_the_environment_names_is_said_where_it_changes_a_verdict_or_a_rule(
    program: Program, report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = saved(tmp_path, "dormant-days = 120\nkeep = 3", "settings.toml")
    monkeypatch.setenv("CREDREPORT_CONFIG", str(file))
    note = f"Settings of CREDREPORT_CONFIG, {file}: dormant-days = 120.\n"
    assert program("analyze", report).messages.startswith(note)
    assert program("explain", "ann", report).messages == note
    assert program("analyze", report, "-q", "--format", "csv").messages == ""
    assert note not in program("analyze", report, "--dormant-days", "90").messages
    assert note not in program("analyze", report, "--config", file).messages


def test_a_file_that_changes_a_verdict_or_a_rule_is_named_in_the_outputs(
    program: Program, report: Path, tmp_path: Path
) -> None:
    file = saved(tmp_path, 'dormant-days = 120\nskip = ["unused-user"]\nquiet = true', "s.toml")
    outputs = {ending: tmp_path / f"out.{ending}" for ending in ("xlsx", "json", "md", "html")}
    options = [option for path in outputs.values() for option in ("-o", path)]
    assert program("analyze", report, "--config", file, *options).code == 0
    settings = f"{file}: dormant-days = 120, skip = ['unused-user']"
    assert json.loads(outputs["json"].read_bytes())["settings"] == settings
    summary = load_workbook(outputs["xlsx"])["Summary"]
    assert ["Settings", settings] in [[*filter(None, row)] for row in summary.values]
    words = f"Settings of {file}: dormant-days = 120"
    assert words in outputs["md"].read_text().replace("\\", "")
    assert words in outputs["html"].read_text()


def test_all_that_compares_reports_names_the_file_too(
    program: Program, report: Path, tmp_path: Path
) -> None:
    file = saved(tmp_path, "dormant-days = 120", "s.toml")
    settings = f"{file}: dormant-days = 120"
    dated = saved(tmp_path, report.read_text(), "2026-06-01.csv")
    compared = program("diff", dated, dated, "--config", file, "-f", "json", "-q")
    assert json.loads(compared.output)["settings"] == settings
    done = program("history", dated, "--config", file, "-f", "json")
    assert json.loads(done.output)["settings"] == settings
    assert f"Settings of {settings}.\n" in done.messages


def test_the_log_of_a_run_says_the_settings_in_its_own_form(
    program: Program, report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = saved(tmp_path, "dormant-days = 120", "s.toml")
    monkeypatch.setenv("CREDREPORT_CONFIG", str(file))
    options = ("--from", report, "--log-format", "json")
    done = program("export", "--out-dir", tmp_path / "runs", *options)
    first, *_ = map(json.loads, done.messages.splitlines())
    assert first["message"] == f"Settings of {file}: dormant-days = 120."


def test_a_file_that_the_environment_names_and_that_changes_none_is_not_said(
    program: Program, report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDREPORT_CONFIG", str(saved(tmp_path, 'format = "csv"', "s.toml")))
    assert "CREDREPORT_CONFIG" not in program("analyze", report).messages


def test_paths_in_a_file_are_relative_to_it(
    program: Program, report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = f"{HEADER_OF_EXEMPTIONS}\n*,ann,By design,,\n"
    (tmp_path / "settings").mkdir()
    saved(tmp_path / "settings", entries, "list.csv")
    text = f'exemptions = "list.csv"\noutput = ["a.csv", "{tmp_path}/b.csv"]'
    file = saved(tmp_path / "settings", text, "settings.toml")
    monkeypatch.chdir(tmp_path)
    assert program("analyze", report.name, "--config", file, "-q").code == 0
    for path in (tmp_path / "settings" / "a.csv", tmp_path / "b.csv"):
        (row,) = table(path.read_bytes())
        assert row["exemption"] == "By design"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"dormant-days = {'9' * 5_000}", "cannot be read: Exceeds the limit (4300 digits)"),
        (f"dormant-days = 0x{'f' * 5_000}", "dormant-days: 'a number of more than 18 digits'"),
        ('output = "a\\u0000.csv"', "it holds the sign NUL"),
        ('user = ["a\\u0000"]', "it holds the sign NUL"),
        ('"a\\u0000" = 1', "no command has an option of this name"),
    ],
)
def test_a_number_without_end_and_a_sign_that_no_name_holds_are_refused(
    program: Program, report: Path, tmp_path: Path, text: str, says: str
) -> None:
    done = program("analyze", report, "--config", saved(tmp_path, text, "settings.toml"))
    assert (done.code, done.output) == (2, b"")
    assert says in unwrapped(done.messages)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["analyse"], "No such command 'analyse'. Did you mean 'analyze'?"),
        (["report.csv"], "No such command 'report.csv'. Did you mean 'credreport analyze"),
        (["analyze", "report.csv", "--verdict", "unsed"], "did you mean unused? Choose from"),
        (["analyze", "report.csv", "--fail-on", "root-usd"], "did you mean root-used? Choose from"),
        (["analyze", "report.csv", "--rules", "root-usd"], "did you mean root-used? Choose from"),
        (["analyze", "report.csv", "--skip", "nothing"], "'nothing': choose from unused-user,"),
        (["analyze", "report.csv", "--rules", "x-*"], "'x-*': choose from unused-user,"),
        (["analyze", "report.csv", "-o", "json"], "or --format json for standard output"),
        (["diff", "a.csv", "b.csv", "--change", "gon"], "did you mean gone? Choose from"),
        (["rules", "root-usd"], "did you mean root-used? Choose from"),
        (["rules", "mfa"], "-mfa, user-without-mfa, root-without-mfa? Choose from"),
        (["diff", "a.csv", "b.csv", "--change", "dormant"], "dormant: a verdict; use --verdict"),
    ],
    ids=str,
)
def test_a_wrong_word_is_answered_with_the_one_that_was_meant(
    program: Program,
    report: Path,
    arguments: list[str],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(report.parent)
    done = program(*arguments)
    assert done.code == 2
    assert says in unwrapped(done.messages)


def test_rules_are_chosen_by_patterns(program: Program) -> None:
    done = program("analyze", CONSOLE, "--rules", "root-*", "--skip", "root-u*", "-f", "findings")
    assert {row["rule"] for row in table(done.output)} <= {
        *("root-access-key", "root-without-mfa", "root-certificate", "root-password")
    }
    assert done.code == 0


def test_rules_are_explained_by_patterns(program: Program) -> None:
    pages = program("rules", "*-certificate").output
    both = [
        program("rules", each).output for each in ("active-signing-certificate", "root-certificate")
    ]
    assert pages == b"\n".join(both)


ESCAPE = "\x1b[31mx"


@pytest.mark.parametrize(
    "arguments",
    [
        [ESCAPE],
        [f"--{ESCAPE}"],
        ["explain", ESCAPE, "report.csv"],
        ["rules", ESCAPE],
        ["diff", "report.csv", "report.csv", "--change", ESCAPE],
        *(
            ["analyze", "report.csv", option, ESCAPE]
            for option in (
                *("--verdict", "--format", "--fail-on", "--rules", "--skip", "--standard"),
                *("--user", "--account", "-o", "--findings", "--exemptions", "--config"),
                *("--dormant-days", "--as-of", "--max-input", "--mode", "--masked-account"),
            )
        ),
    ],
    ids=repr,
)
def test_no_wrong_usage_commands_a_terminal(
    program: Program, report: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(report.parent)
    done = program(*arguments)
    assert done.code == 2
    assert "\x1b" not in done.messages
    assert r"\x1b[31mx" in done.messages


@pytest.mark.parametrize("option", ["--user", "--account"])
def test_a_pattern_longer_than_any_name_is_refused(
    program: Program, report: Path, option: str
) -> None:
    for text, says in (("*" * 100_000, "has more than 2,048 signs"), ("", "is empty")):
        done = program("analyze", report, option, text)
        assert done.code == 2
        assert f"the pattern {says}" in unwrapped(done.messages)
    assert program("explain", "?" * 100_000, report).code == 2
    assert program("analyze", report, option, "*" * 40).code == 0


def test_findings_go_to_standard_output_by_a_dash_or_as_a_format(program: Program) -> None:
    by_dash = program("analyze", CONSOLE, "--findings", "-", "-q")
    assert by_dash == program("analyze", CONSOLE, "--format", "findings", "-q")
    assert table(by_dash.output)[0]["rule"]
    done = program("analyze", CONSOLE, "--findings", "-", "--format", "csv")
    assert done.code == 2
    assert "use one of the two" in unwrapped(done.messages)


NARROW = (
    ["analyze", CONSOLE, "--details"],
    ["explain", "break-glass-1", CONSOLE],
    ["diff", ROOT_FOLDER / "samples" / "earlier", CONSOLE],
    ["rules"],
    ["rules", "root-used"],
)


@pytest.mark.parametrize("arguments", NARROW, ids=lambda arguments: arguments[0])
def test_no_line_is_wider_than_a_terminal_of_40_columns(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str | Path]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    streams = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    assert main([str(each) for each in arguments]) == 0
    lines = [line for stream in streams for line in stream.getvalue().splitlines()]
    assert len(lines) > 10
    assert [line for line in lines if cell_len(line) > 40] == []


@pytest.mark.no_cover
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["rules"], ["analyze", "-h"]])
def test_an_output_that_takes_nothing_ends_help_and_version_with_73(arguments: list[str]) -> None:
    script = f'exec "$@" {"> /dev/full" if arguments[0] != "rules" else ">&-"}'
    done = subprocess.run(
        ["bash", "-c", script, "bash", *command(*arguments)],
        cwd=ROOT_FOLDER,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 73
    assert b"standard output cannot be written" in done.stderr
