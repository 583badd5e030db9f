"""Settings come from a file that an option or the environment names, or are refused by name."""

import json
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.support.builders import a_user, report_text, run, saved, table
from tests.support.outputs import CONSOLE, EXEMPTIONS, HEADER_OF_EXEMPTIONS
from tests.support.runs import have_plain_outputs

Patch = pytest.MonkeyPatch


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return saved(tmp_path, report_text([a_user("ann")]))


def test_a_file_that_the_environment_names_is_said_where_it_changes_a_verdict(
    report: Path, monkeypatch: Patch
) -> None:
    file = saved(report.parent, "idle-days = 120\nkeep = 3", "settings.toml")
    other = saved(report.parent, 'format = "csv"', "other.toml")
    monkeypatch.setenv("CREDREPORT_CONFIG", str(file))
    note = f"Settings of CREDREPORT_CONFIG, {file}: idle-days = 120.\n"
    assert run("analyze", report).messages.startswith(note)
    assert run("explain", "ann", report).messages.startswith(note)
    assert run("analyze", report, "-q", "--format", "csv").messages == ""
    for words in (["--idle-days", "90"], ["--config", file]):
        assert note not in run("analyze", report, *words).messages
    monkeypatch.setenv("CREDREPORT_CONFIG", str(other))
    assert "CREDREPORT_CONFIG" not in run("analyze", report).messages


def test_a_file_that_changes_verdicts_is_named_in_outputs(report: Path, monkeypatch: Patch) -> None:
    text = 'idle-days = 120\nskip = ["unused-user"]\nquiet = true'
    file = saved(report.parent, text, "s.toml")
    settings = f"{file}: idle-days = 120, skip = ['unused-user']"
    report = report.rename(report.with_name("2026-06-01.csv"))
    book, page, html = (report.with_name(f"out.{each}") for each in ("xlsx", "md", "html"))
    outputs = (word for path in (book, page, html) for word in ("-o", path))
    for words in (["analyze", report, *outputs], ["diff", report, report], ["history", report]):
        done = run(*words, "--config", file, "-f", "json")
        assert (done.code, done.document["settings"]) == (0, settings)
    rows = load_workbook(book)["Summary"].values
    assert ["Settings", settings] in [[*filter(None, row)] for row in rows]
    for text in (page.read_text().replace("\\", ""), html.read_text()):
        assert f"Settings of {file}: idle-days = 120" in text
    loud = saved(report.parent, "idle-days = 120", "loud.toml")
    says = f"Settings of {loud}: idle-days = 120."
    assert f"{says}\n" in run("history", report, "--config", loud).messages
    have_plain_outputs(monkeypatch)
    words = ["--out-dir", report.with_name("runs"), "--from", report, "--log-format", "json"]
    log = run("export", *words, "--config", loud).messages
    assert json.loads(log.splitlines()[0])["message"] == says


def test_rules_in_a_file_or_skipped_on_the_command_line_refuse_no_list_of_names(
    report: Path,
) -> None:
    file = saved(report.parent, 'rules = ["root-*"]\nskip = ["root-used"]', "settings.toml")
    for words in (["--config", file], ["--skip", "root-used"]):
        assert run("analyze", report, "-f", "names", *words)[:2] == (0, b"ann\n")
    done = run("analyze", report, "-f", "names", "--config", file, "--rules", "root-used")
    assert (done.code, done.output) == (2, b"")


def test_paths_in_a_file_are_relative_to_it(report: Path) -> None:
    folder = report.parent / "settings"
    saved(folder, f"{HEADER_OF_EXEMPTIONS}\n*,ann,By design,,\n", "list.csv")
    text = f'exemptions = "list.csv"\noutput = ["a.csv", "{report.parent}/b.csv"]'
    file = saved(folder, text, "settings.toml")
    assert run("analyze", report.name, "--config", file, "-q", folder=report.parent).code == 0
    for path in (folder / "a.csv", report.with_name("b.csv")):
        (row,) = table(path.read_bytes())
        assert row["exemption"] == "By design"


@pytest.mark.no_cover
def test_settings_behind_a_byte_order_mark_hold_every_kind_of_value_and_skip_those_of_others(
    tmp_path: Path,
) -> None:
    text = (
        f'\ufeffstandard = "cis-6.0"\nexemptions = "{EXEMPTIONS}"\nidle-days = 400\n'
        'verdict = ["dormant", "unused"]\nformat = "json"\nas-of = 2026-03-02T00:00:00Z\n'
        'raw-csv = false\nquiet = true\ntimeout = 60\nregion = "eu-west-1"\n'
    )
    done = run("analyze", CONSOLE, "--config", saved(tmp_path, text, "settings.toml"))
    assert (done.code, done.messages) == (0, "")
    assert done.document["standard"]["id"] == "cis-6.0"
    assert done.document["criteria"]["idle_days"] == 400
    assert done.document["listed"] == ["dormant", "unused"]
    assert done.document["files"][0]["as_of"] == "2026-03-02T00:00:00Z"
    assert done.document["exemptions"]["expired"] != []


WRONG_SETTINGS = (
    {
        "grace_days = 9": "grace_days: no command has an option of this name: did you mean g",
        "exemption = 9": "exemption: no command has an option of this name: did you mean exempt",
        'config = "other.toml"': "config: no command has an option of this name",
        '"a\\u0000" = 1': "no command has an option of this name",
        '"a\\nforged\\u001b" = 1': r"a\nforged\x1b: no command has an option of this name",
        "idle-days = 0": "idle-days: '0': use a whole number of days",
        "quiet = 1": "quiet: invalid value 1",
        'standard = "cis-9.0"': "standard: 'cis-9.0' is not one of 'cis-7.0',",
        'as-of = "yesterday"': 'as-of: invalid time "yesterday": use 2026-03-01T09:30:00Z',
        "format = {table = 1}": "format: invalid value {'table': 1}",
        'mode = ["600"]': "mode: invalid value ['600']",
        'exemptions = ["a.csv"]': "exemptions: invalid value ['",
        'skip = [["unused-user"]]': "skip: invalid value [['unused-user']]",
        "verdict = [[1]]": "verdict: invalid value [['1']]",
        'user = ["a\\u0000"]': "user: invalid value ['a\\x00']: it holds the sign NUL",
        'raw-csv = "no"': "raw-csv: invalid value no: use true or false, without quotes",
    },
    {
        'idle-days = "many"': "idle-days: 'many'",
        "as-of = 2026-03-01T09:30:00": 'as-of: "2026-03-01T09:30:00" has no time zone',
        "skip = [true]": "skip: invalid value [True]",
        'verdict = ["idle"]': "verdict: 'idle': choose from undetermined",
        'output = "a\\u0000.csv"': "it holds the sign NUL",
        "[analyze]\nquiet = true": "analyze: no command has an option of this name",
    },
    {"idle-days = true": "idle-days: invalid value True", "as-of = 09:30:00": "invalid time"},
    {"idle-days = [9]": "idle-days: invalid value ['9']", "as-of = 5": 'invalid time "5"'},
    {"idle-days = ": "cannot be read: Invalid value"},
    {f"idle-days = {'9' * 5_000}": "cannot be read: Exceeds the limit (4300 digits)"},
    {
        f"idle-days = 0x{'f' * 5_000}": "idle-days: 'a number of more than 18 digits'",
        'as-of = "a\\nforged\\u001b"': r'as-of: invalid time "a\nforged\x1b"',
    },
)


@pytest.mark.parametrize("wrong", WRONG_SETTINGS)
def test_all_settings_that_mean_nothing_are_refused_with_their_file_and_name(
    report: Path, wrong: dict[str, str]
) -> None:
    file = saved(report.parent, "\n".join(wrong), "settings.toml")
    done = run("analyze", report, "--config", file)
    assert (done.code, done.output) == (2, b"")
    assert [says for says in wrong.values() if says not in done.message_line] == []
    assert "settings.toml" in done.message_line.replace(" ", "")


def test_settings_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    saved(tmp_path, b'standard = "\xff"', "settings.toml")
    saved(tmp_path, f"quiet = true\n{'a.' * 30_000}a = 1", "deep.toml")
    saved(tmp_path, f"{'a.' * 100}a = 1", "a.toml")
    for file, why in (
        ("/proc/self/mem", "cannot be read: [Errno 5]"),
        ("/dev/zero", "holds more than 64 KiB"),
        ("settings.toml", "cannot be read: 'utf-8'"),
        ("deep.toml:", "a line has more than 100 dots: divide it into several"),
        ("a.toml:", "a: no command has an option of this name"),
    ):
        done = run("analyze", CONSOLE, "--config", file.rstrip(":"), folder=tmp_path)
        assert (done.code, f"{file} {why}" in done.message_line) == (2, True)


def test_settings_are_no_output(tmp_path: Path) -> None:
    file = saved(tmp_path, "quiet = true", "settings.csv")
    done = run("analyze", CONSOLE, "--config", file, "--findings", file)
    assert (done.code, "is an input" in done.message_line) == (2, True)
    assert file.read_text() == "quiet = true"
