"""The files for unattended runs, and what is said of them, are held to the program."""

import configparser
import inspect
import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from analyzer.cli import main
from analyzer.cli.command import with_options
from analyzer.cli.export import export
from tests.support.aws_server import an_account, on_loopback_only, serving
from tests.support.builders import ROOT_FOLDER
from tests.support.runs import check_folder, exporting, record_of

Patch = pytest.MonkeyPatch
pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

DEPLOY = ROOT_FOLDER / "samples" / "deploy"
README = (DEPLOY / "README.md").read_text(encoding="utf-8")
SETTINGS = ROOT_FOLDER / "samples" / "export.toml"
ORGANIZATION = ROOT_FOLDER / "samples" / "organization"
EXPORT = ("/opt/credreport/bin/credreport", "export")


@pytest.fixture(autouse=True)
def in_the_clone(monkeypatch: Patch) -> None:
    monkeypatch.chdir(ROOT_FOLDER)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def variables(text: str) -> set[str]:
    return set(re.findall(r"CREDREPORT_([A-Z_]+)", text))


def options() -> set[str]:
    names = {*inspect.signature(with_options(export)).parameters} - {"sources"} | {"from"}
    return {name.upper() for name in names}


@pytest.mark.usefixtures("plain_outputs")
def test_the_sample_settings_work_on_the_samples(tmp_path: Path) -> None:
    assert exporting(tmp_path / "runs", "--config", SETTINGS, "--from", ORGANIZATION) == 1
    check_folder(tmp_path / "runs")


@pytest.mark.usefixtures("plain_outputs")
def test_the_sample_settings_work_with_an_organization(tmp_path: Path, monkeypatch: Patch) -> None:
    out = tmp_path / "runs"
    with serving() as aws:
        aws.accounts["222233334444"] = an_account("222233334444", name="sandbox-7")
        aws.accounts["333344445555"] = an_account("333344445555", name="web")
        on_loopback_only(monkeypatch, tmp_path, aws.url)
        chosen = ("--config", SETTINGS, "--exclude", "sandbox-*")
        assert exporting(out, *chosen, "--check") == 0
        assert exporting(out, *chosen) == 1
        asked = [each for operation, each in aws.asked if operation == "AssumeRole"]
    told = record_of(out / "latest")
    assert [each["account"] for each in told["accounts"]["skipped"]] == ["222233334444"]
    assert told["parameters"]["standard"] == "cis-7.0"
    assert {(each["RoleArn"], each["ExternalId"]) for each in asked} == {
        ("arn:aws:iam::333344445555:role/credreport", "audit-2026")
    }


def test_every_sample_setting_is_an_option() -> None:
    keys = {key.replace("-", "_").upper() for key in tomllib.loads(SETTINGS.read_text())}
    assert keys <= options()


def test_every_environment_variable_that_is_named_is_an_option() -> None:
    files = [each.read_text(encoding="utf-8") for each in DEPLOY.iterdir()]
    named = set().union(*map(variables, files))
    assert named <= options()
    assert named >= {"OUT_DIR", "CONFIG", "LOG_FORMAT"}


def is_understood(arguments: list[str], folder: Path) -> bool:
    more = ["--check", "--out-dir", str(folder / "runs"), "--from", str(ORGANIZATION)]
    return main([*arguments, *more]) == 0


def test_the_crontab_line_has_five_times_and_a_command_that_runs(tmp_path: Path) -> None:
    lines = (DEPLOY / "crontab").read_text(encoding="utf-8").splitlines()
    line = lines[-1].split(maxsplit=5)
    assert all(re.fullmatch(r"[\d*]+", field) for field in line[:5])
    assert any(each.startswith("CREDREPORT_CONFIG=/") for each in lines)
    program, *arguments = shlex.split(line[5])
    assert (program, arguments[0]) == EXPORT
    assert is_understood(arguments, tmp_path)


def test_the_service_runs_a_valid_command_and_the_timer_starts_it(tmp_path: Path) -> None:
    service, timer = (configparser.ConfigParser(strict=False) for _ in range(2))
    for parser, name in ((service, "credreport.service"), (timer, "credreport.timer")):
        parser.read(DEPLOY / name, encoding="utf-8")
    program, *arguments = shlex.split(service["Service"]["ExecStart"])
    assert (program, arguments[0]) == EXPORT
    assert is_understood(arguments, tmp_path)
    assert service["Service"]["SuccessExitStatus"] == "75"
    assert {*timer} == {"DEFAULT", "Unit", "Timer", "Install"}


def test_the_container_is_nobodys_root_and_its_commands_are_understood(tmp_path: Path) -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    told = dict(line.split(maxsplit=1) for line in lines)
    assert told["USER"] == "credreport"
    assert json.loads(told["ENTRYPOINT"]) == ["credreport", "export"]
    assert f"CREDREPORT_OUT_DIR={told['VOLUME']}" in told["ENV"]
    runs = [line for block in blocks("sh") for line in block.splitlines() if "docker run" in line]
    assert len(runs) == 2
    for line in runs:
        assert f"-v credreport-runs:{told['VOLUME']}" in line
        given = shlex.split(line.rpartition(" credreport")[2])
        assert is_understood(["export", *given], tmp_path)


def test_every_policy_is_named_in_a_readme_and_there() -> None:
    pages = ("README.md", "samples/review/README.md")
    readmes = README + "".join((ROOT_FOLDER / page).read_text(encoding="utf-8") for page in pages)
    named = set(re.findall(r"policies/([\w.-]+\.json)", readmes))
    assert named == {path.name for path in (ROOT_FOLDER / "samples" / "policies").iterdir()}
