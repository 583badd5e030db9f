"""Settings come from a file that an option or the environment names, and wrong words are helped."""

import json
from pathlib import Path

import pytest
from openpyxl import load_workbook

from analyzer.cli.inputs import read_judging
from analyzer.cli.options import JudgingOptions
from tests.cli.conftest import Program, unwrapped
from tests.support.builders import a_user, report_text, saved, table
from tests.support.outputs import CONSOLE, EXEMPTIONS, HEADER_OF_EXEMPTIONS
from tests.support.runs import write_plainly


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
    monkeypatch.setenv("CREDREPORT_CONFIG", str(saved(tmp_path, 'format = "csv"', "other.toml")))
    assert "CREDREPORT_CONFIG" not in program("analyze", report).messages


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
    write_all = "analyzer.exports.contents.write_all"
    monkeypatch.setattr(write_all, lambda _, out, *__: write_plainly(out))
    done = program("export", "--out-dir", tmp_path / "runs", *options)
    first, *_ = map(json.loads, done.messages.splitlines())
    assert first["message"] == f"Settings of {file}: dormant-days = 120."


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


@pytest.mark.no_cover
def test_settings_stand_where_the_command_line_says_nothing(
    program: Program, report: Path, tmp_path: Path
) -> None:
    text = 'rules = ["unused-user", "retired-user"]\nfail-on = "unused"\nformat = "findings"\n'
    file = saved(tmp_path, f"{text}quiet = true\n", "settings.toml")
    for options, code, rules in (
        ([], 1, ["unused-user"]),
        (["--rules", "retired-user", "--fail-on", "retired"], 0, []),
    ):
        done = program("analyze", report, "--config", file, *options)
        assert done.code == code
        assert [row["rule"] for row in table(done.output)] == rules


@pytest.mark.no_cover
def test_settings_can_hold_every_kind_of_value_and_those_of_another_command_are_skipped(
    program: Program, tmp_path: Path
) -> None:
    text = (
        f'standard = "cis-6.0"\nexemptions = "{EXEMPTIONS}"\ndormant-days = 400\n'
        'verdict = ["dormant", "unused"]\nformat = "json"\nas-of = 2026-03-02T00:00:00Z\n'
        'raw-csv = false\nquiet = true\ntimeout = 60\nregion = "eu-west-1"\n'
    )
    done = program("analyze", CONSOLE, "--config", saved(tmp_path, text, "settings.toml"))
    document = json.loads(done.output)
    assert (done.code, done.messages) == (0, "")
    assert document["standard"]["id"] == "cis-6.0"
    assert document["criteria"]["dormant_days"] == 400
    assert document["listed"] == ["dormant", "unused"]
    assert document["files"][0]["as_of"] == "2026-03-02T00:00:00Z"
    assert document["exemptions"]["expired"] != []


WRONG_SETTINGS = (
    {
        "dormant_days = 9": "dormant_days: no command has an option of this name: did you mean d",
        "exemption = 9": "exemption: no command has an option of this name: did you mean exempt",
        'config = "other.toml"': "config: no command has an option of this name",
        '"a\\u0000" = 1': "no command has an option of this name",
        "dormant-days = 0": "dormant-days: '0': use a whole number of days",
        "quiet = 1": "quiet: invalid value 1",
        'standard = "cis-9.0"': "standard: 'cis-9.0' is not one of 'cis-7.0',",
        'as-of = "yesterday"': 'as-of: invalid time "yesterday": use 2026-03-01T09:30:00Z',
        "format = {table = 1}": "format: invalid value {'table': 1}",
        'mode = ["600"]': "mode: invalid value ['600']",
        'exemptions = ["a.csv"]': "exemptions: invalid value ['",
        'skip = [["unused-user"]]': "skip: invalid value [['unused-user']]",
        "verdict = [[1]]": "verdict: invalid value [['1']]",
        'user = ["a\\u0000"]': "user: invalid value ['a\\x00']: it holds the sign NUL",
    },
    {
        'dormant-days = "many"': "dormant-days: 'many'",
        "as-of = 2026-03-01T09:30:00": 'as-of: "2026-03-01T09:30:00" has no time zone',
        "skip = [true]": "skip: invalid value [True]",
        'verdict = ["idle"]': "verdict: 'idle': choose from undetermined",
        'output = "a\\u0000.csv"': "it holds the sign NUL",
        "[analyze]\nquiet = true": "analyze: no command has an option of this name",
    },
    {
        "dormant-days = true": "dormant-days: invalid value True",
        "as-of = 09:30:00": "as-of: invalid time",
    },
    {"dormant-days = [9]": "dormant-days: invalid value ['9']", "as-of = 5": 'invalid time "5"'},
    {"dormant-days = ": "cannot be read: Invalid value"},
    {f"dormant-days = {'9' * 5_000}": "cannot be read: Exceeds the limit (4300 digits)"},
    {f"dormant-days = 0x{'f' * 5_000}": "dormant-days: 'a number of more than 18 digits'"},
)


@pytest.mark.parametrize("wrong", WRONG_SETTINGS)
def test_all_settings_that_mean_nothing_are_refused_with_their_file_and_name(
    program: Program, report: Path, tmp_path: Path, wrong: dict[str, str]
) -> None:
    file = saved(tmp_path, "\n".join(wrong), "settings.toml")
    done = program("analyze", report, "--config", file)
    assert (done.code, done.output) == (2, b"")
    said = unwrapped(done.messages)
    assert [says for says in wrong.values() if says not in said] == []
    assert "settings.toml" in said.replace(" ", "")


def test_settings_that_cannot_be_read_are_named(
    program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("settings.toml").write_bytes(b'standard = "\xff"')
    for file, why in (
        ("/proc/self/mem", "cannot be read: [Errno 5]"),
        ("/dev/zero", "holds more than 64 KiB"),
        ("settings.toml", "cannot be read: 'utf-8'"),
    ):
        done = program("analyze", CONSOLE, "--config", file)
        assert done.code == 2
        assert f"{file} {why}" in unwrapped(done.messages)


def test_settings_are_no_output(program: Program, tmp_path: Path) -> None:
    file = saved(tmp_path, "quiet = true", "settings.csv")
    done = program("analyze", CONSOLE, "--config", file, "--findings", file)
    assert done.code == 2
    assert "is an input" in unwrapped(done.messages)
    assert file.read_text() == "quiet = true"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["analyse"], "No such command 'analyse'. Did you mean 'analyze'?"),
        (["report.csv"], "No such command 'report.csv'. Did you mean 'credreport analyze"),
        (["analyze", "report.csv", "--verdict", "unsed"], "did you mean unused? Choose from"),
        (["analyze", "report.csv", "--verdict", "inactive"], "did you mean retired, dormant?"),
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


def test_rules_are_chosen_by_patterns() -> None:
    request = read_judging(JudgingOptions(rules=["root-*"], skip=["root-u*"]), None)
    assert request.book
    assert {rule.id for rule in request.book.rules} == {
        *("root-access-key", "root-without-mfa", "root-certificate", "root-password")
    }


def test_rules_are_explained_by_patterns(program: Program) -> None:
    both = [program("rules", f"{each}-certificate").output for each in ("active-signing", "root")]
    assert program("rules", "*-certificate").output == b"\n".join(both)


ESCAPE = "\x1b[31mx"


@pytest.mark.no_cover
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


def test_a_pattern_longer_than_any_name_is_refused(program: Program, report: Path) -> None:
    for option in ("--user", "--account"):
        for text, says in (("*" * 100_000, "has more than 2,048 signs"), ("", "is empty")):
            done = program("analyze", report, option, text)
            assert done.code == 2
            assert f"the pattern {says}" in unwrapped(done.messages)
    assert program("explain", "?" * 100_000, report).code == 2
    assert program("analyze", report, "--user", "*" * 40, "--account", "*" * 40).code == 0


def test_findings_go_to_standard_output_by_a_dash_or_as_a_format(program: Program) -> None:
    by_dash = program("analyze", CONSOLE, "--findings", "-", "-q")
    assert by_dash == program("analyze", CONSOLE, "--format", "findings", "-q")
    assert table(by_dash.output)[0]["rule"]
    done = program("analyze", CONSOLE, "--findings", "-", "--format", "csv")
    assert done.code == 2
    assert "use one of the two" in unwrapped(done.messages)
