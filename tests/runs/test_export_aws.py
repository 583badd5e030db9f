"""`credreport export` that asks AWS, against a server on loopback."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analyzer.aws.errors import STOPPED
from analyzer.aws.report import FetchedReport
from analyzer.cli import main
from analyzer.errors import AwsRefused
from analyzer.sources.fetch_manifest import AccountEntry, FetchOutcomes, Status
from tests.support.aws_server import (
    CALLER,
    GENERATE,
    GET,
    MEMBERS,
    ORGANIZATION,
    Aws,
    messages_without_secrets,
)
from tests.support.runs import check_folder, check_whole, exporting, hidden, record_of, visible

Patch = pytest.MonkeyPatch
RUN = "2026-05-01T12-30-15Z"
LIST = "ListServiceSpecificCredentials"
Capture = pytest.CaptureFixture[str]


pytestmark = pytest.mark.usefixtures("plain_outputs", "uncompared")


def log(capture: Capture) -> list[dict[str, Any]]:
    """Return the lines of a JSON log; no secret is in them, and nothing is on standard output."""
    output, messages = messages_without_secrets(capture)
    assert output == ""
    return [json.loads(line) for line in messages.splitlines()]


def test_one_account_is_fetched_with_two_calls_kept_and_logged_and_the_same_is_unchanged(
    aws: Aws, runs: Path, capsys: Capture
) -> None:
    for last in ("exported", "unchanged"):
        assert exporting(runs, "--log-format", "json") == 0
        lines = log(capsys)
        assert {line["level"] for line in lines} == {"info"}
        assert [line["event"] for line in lines] == ["fetched", "analyzed", last]
        assert all(len(line["time"]) == 20 and line["message"] for line in lines)
        assert lines[1]["users"] == {"unused": 5}
        assert (lines[2]["run"], lines[2]["exit_code"]) == (RUN, 0)
        assert visible(runs) == {RUN, "latest"}
    assert aws.operations() == {GENERATE: 2, GET: 2}
    check_whole(runs / RUN)
    report = f"credential-report_{CALLER}_{RUN}.csv"
    names = {path.name for path in (runs / RUN / "reports").iterdir()}
    assert names == {report, f"{report}.metadata.json", "fetched.manifest.json"}
    assert (runs / RUN / "reports" / report).read_bytes() == aws.accounts[CALLER].report
    covered = {
        "account": CALLER,
        "as_of": "2026-05-01T12:30:15Z",
        "report": f"reports/{report}",
    }
    assert record_of(runs / RUN)["accounts"]["covered"] == [covered]


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    "asked",
    [["export", "--out-dir", "runs"], ["fetch"]],
)
def test_waiting_for_aws_is_logged_with_the_account_and_the_seconds(
    asked: list[str], tmp_path: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("analyzer.aws.fetch.fetch_report", never_ready)
    assert main(asked) == 4
    message = "Waiting for AWS: no report of the account after 15 seconds (INPROGRESS)."
    assert message in capsys.readouterr().err.splitlines()
    assert main([*asked, "--quiet"]) == 4
    assert "Waiting" not in capsys.readouterr().err


@pytest.mark.usefixtures("aws")
def test_each_account_waited_for_is_named(runs: Path, monkeypatch: Patch, capsys: Capture) -> None:
    monkeypatch.setattr("analyzer.aws.fetch.fetch_report", never_ready)
    exporting(runs, *ORGANIZATION, "--log-format", "json")
    waits = [line for line in log(capsys) if line["event"] == "waiting"]
    assert len({each["message"] for each in waits}) == 7
    assert f"no report of account {CALLER} after" in " ".join(each["message"] for each in waits)
    assert {(each["seconds"], each["state"]) for each in waits} == {(15, "INPROGRESS")}


def never_ready(
    _iam: object, *, waiting: Callable[[float, str], None], **_: object
) -> FetchedReport:
    """Say as after 15 seconds that a report is not ready, and give up."""
    waiting(15.4, "INPROGRESS")
    raise AwsRefused("AWS had no report ready.")


@pytest.mark.usefixtures("aws")
def test_wrong_usage_and_bugs_are_json_too(runs: Path, capsys: Capture, monkeypatch: Patch) -> None:
    assert exporting(runs, "--log-format", "json", "--role-name", "x") == 2
    assert [line["event"] for line in log(capsys)] == ["usage"]
    monkeypatch.setattr("analyzer.runs.outputs.write_all", lambda *_: 1 / 0)
    assert exporting(runs, "--log-format", "json", "--quiet") == 70
    (line,) = log(capsys)
    assert (line["event"], "ZeroDivisionError" in line["traceback"]) == ("bug", True)
    assert visible(runs) == hidden(runs) == set()


def test_credentials_are_kept_and_a_gap_is_partial(aws: Aws, runs: Path, capsys: Capture) -> None:
    assert exporting(runs, "--service-credentials") == 0
    assert len(list((runs / RUN / "reports").glob("*.service-credentials.json"))) == 1
    aws.denied.add((CALLER, LIST))
    assert exporting(runs, "--service-credentials", "--quiet") == 5
    assert record_of(runs / f"{RUN}-2")["exit_code"] == 5
    assert f"of account {CALLER} are not known: AWS denied iam:{LIST}" in capsys.readouterr().err


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("options", "calls"),
    [
        ((), {GENERATE: 1, GET: 1}),
        (("--service-credentials",), {GENERATE: 1, GET: 1, LIST: 1}),
        (ORGANIZATION, {"ListAccounts": 1, "AssumeRole": 6, GENERATE: 7, GET: 7}),
    ],
)
def test_a_run_asks_no_more_than_it_needs(
    aws: Aws, runs: Path, options: tuple[str, ...], calls: dict[str, int]
) -> None:
    assert exporting(runs, *options) == 0
    assert aws.operations() == calls


def test_accounts_that_are_denied_are_named_and_another_run_is_made_of_others(
    aws: Aws, runs: Path, capsys: Capture
) -> None:
    denied = (MEMBERS[1], MEMBERS[2], MEMBERS[4])
    aws.denied |= set(zip(denied, ("AssumeRole", GENERATE, GET), strict=True))
    assert exporting(runs, *ORGANIZATION, "--log-format", "json") == 5
    check_whole(runs / RUN)
    record = record_of(runs / RUN)
    assert record["exit_code"] == 5
    covered = {each["account"] for each in record["accounts"]["covered"]}
    assert covered == set(aws.accounts) - set(denied)
    names = {each["account"]: each["name"] for each in record["accounts"]["not_covered"]}
    assert list(names.items()) == [(account, f"Team {int(account)}") for account in denied]
    missing = [line for line in log(capsys) if line["event"] == "not-covered"]
    assert [line["account"] for line in missing] == list(denied)
    assert {line["level"] for line in missing} == {"warning"}
    del aws.accounts[denied[0]]
    assert exporting(runs, *ORGANIZATION) == 5
    aws.denied.clear()
    assert exporting(runs, *ORGANIZATION) == 0
    assert visible(runs) == {RUN, f"{RUN}-2", f"{RUN}-3", "latest"}
    check_folder(runs)
    aws.denied.add((denied[1], GENERATE))
    assert exporting(runs, *ORGANIZATION, "--exclude", "Team 3") == 5
    assert "No report of account" not in capsys.readouterr().err  # the reason of each is said


@pytest.mark.usefixtures("aws")
def test_skipped_accounts_and_idle_patterns_are_said(runs: Path, capsys: Capture) -> None:
    options = ("--exclude", "Team 1", "--exclude", "Tema 2", "--log-format", "json")
    assert exporting(runs, *ORGANIZATION, *options) == 0
    skipped = {"account": MEMBERS[1], "name": "Team 1", "reason": "--exclude Team 1 matches it."}
    assert record_of(runs / RUN)["accounts"]["skipped"] == [skipped]
    (line,) = [line for line in log(capsys) if line["event"] == "unmatched"]
    assert line["pattern"] == "Tema 2"


def test_an_account_that_was_stopped_ends_the_run(runs: Path, monkeypatch: Patch) -> None:
    stopped = AccountEntry(account=CALLER, name="", status=Status.FAILED, reason=STOPPED)
    monkeypatch.setattr(
        "analyzer.aws.fetch.fetch_accounts", lambda *_, **__: FetchOutcomes([stopped])
    )
    assert exporting(runs) == 130
    assert visible(runs) == hidden(runs) == set()
