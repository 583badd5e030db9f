"""The files for unattended runs, and what is said of them, are held to the program."""

import configparser
import json
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from analyzer.cli import main
from tests.support.aws_server import Aws, an_account, on_loopback_only, serving
from tests.support.builders import ROOT_FOLDER
from tests.support.runs import check_folder, record_of

Patch = pytest.MonkeyPatch
pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

DEPLOY = ROOT_FOLDER / "samples" / "deploy"
README = (DEPLOY / "README.md").read_text(encoding="utf-8")
WORKFLOW = ROOT_FOLDER / ".github" / "workflows" / "credential-review.yml"
EXPORT = ("/opt/credreport/bin/credreport", "export")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def aws(monkeypatch: Patch, tmp_path: Path) -> Iterator[Aws]:
    with serving() as server:
        server.accounts["333344445555"] = an_account("333344445555", name="web")
        on_loopback_only(monkeypatch, tmp_path, server.url)
        yield server


def check_run(aws: Aws, arguments: Sequence[str], tmp_path: Path) -> None:
    """Run the arguments with the folders of this test, and hold the run to what it asked for."""
    out = tmp_path / "runs"
    here = {
        "/etc/credreport/exemptions.csv": str(ROOT_FOLDER / "samples" / "exemptions.csv")
    } | dict.fromkeys(("/var/lib/credreport", "/runs"), str(out))
    assert set(arguments) & set(here)
    main([here.get(word, word) for word in arguments])
    check_folder(out)
    covered = record_of(out / "latest")["accounts"]["covered"]
    assert "333344445555" in {each["account"] for each in covered}
    asked = [each for operation, each in aws.asked if operation == "AssumeRole"]
    assert {(each["RoleArn"], each["ExternalId"]) for each in asked} == {
        ("arn:aws:iam::333344445555:role/credreport", "audit-2026")
    }


@pytest.mark.usefixtures("plain_outputs")
def test_the_crontab_line_has_five_times_and_a_command_that_runs(aws: Aws, tmp_path: Path) -> None:
    lines = (DEPLOY / "crontab").read_text(encoding="utf-8").splitlines()
    line = lines[-1].split(maxsplit=5)
    assert all(re.fullmatch(r"[\d*]+", field) for field in line[:5])
    assert "%" not in line[5]  # a line break to cron
    program, *arguments = shlex.split(line[5])
    assert (program, arguments[0]) == EXPORT
    check_run(aws, arguments, tmp_path)


@pytest.mark.usefixtures("plain_outputs")
def test_the_service_runs_a_valid_command_and_the_timer_starts_it(aws: Aws, tmp_path: Path) -> None:
    texts = [
        (DEPLOY / f"credreport.{kind}").read_text(encoding="utf-8").replace("\\\n", "")
        for kind in ("service", "timer")
    ]
    service, timer = (configparser.ConfigParser(strict=False) for _ in texts)
    service.read_string(texts[0])
    timer.read_string(texts[1])
    program, *arguments = shlex.split(service["Service"]["ExecStart"])
    assert (program, arguments[0]) == EXPORT
    check_run(aws, arguments, tmp_path)
    assert service["Service"]["SuccessExitStatus"] == "75"
    assert set(timer) == {"DEFAULT", "Unit", "Timer", "Install"}


@pytest.mark.usefixtures("plain_outputs")
def test_the_container_is_nobodys_root_and_its_command_is_understood(
    aws: Aws, tmp_path: Path
) -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    told = dict(line.split(maxsplit=1) for line in lines)
    assert told["USER"] == "credreport"
    program, *arguments = json.loads(told["ENTRYPOINT"])
    assert (program, *arguments[:3]) == ("credreport", "export", "--out-dir", told["VOLUME"])
    whole = "".join(blocks("sh")).replace("\\\n", "")
    (line,) = [line for line in whole.splitlines() if "docker run" in line]
    assert f"-v credreport-runs:{told['VOLUME']}" in line
    given = shlex.split(line.partition(" credreport ")[2])
    check_run(aws, [*arguments, *given], tmp_path)


@pytest.mark.usefixtures("plain_outputs")
def test_the_workflow_gives_its_options_to_export_word_by_word(aws: Aws, tmp_path: Path) -> None:
    (caller,) = blocks("yaml")
    (options,) = re.findall(r"^ +options: (.+)$", caller, re.MULTILINE)
    workflow = WORKFLOW.read_text(encoding="utf-8")
    (command,) = re.findall(r"credreport (export .*)", workflow)
    assert command == 'export --out-dir "$runs" $OPTIONS || code=$?'
    assert "set -f" in workflow
    check_run(aws, ["export", "--out-dir", "/runs", *options.split()], tmp_path)


def test_every_policy_is_named_in_a_readme_and_there() -> None:
    pages = ("README.md", "samples/review/README.md")
    readmes = README + "".join((ROOT_FOLDER / page).read_text(encoding="utf-8") for page in pages)
    named = set(re.findall(r"policies/([\w.-]+\.json)", readmes))
    assert named == {path.name for path in (ROOT_FOLDER / "samples" / "policies").iterdir()}
