"""`credreport fetch --organization`, against a server on loopback."""

import json
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import pytest

import analyzer
from analyzer.aws import FetchRequest
from analyzer.aws.client import AwsSession, Deadline
from analyzer.aws.errors import STOPPED, Stopped
from analyzer.aws.fetch import Account, Fetcher, Task, chosen_accounts, run_tasks
from analyzer.errors import AwsRefused, OutputFailed
from analyzer.sources.fetch_manifest import AccountEntry, Status
from tests.support.aws_server import (
    CALLER,
    GENERATE,
    GET,
    MEMBERS,
    ORGANIZATION,
    Aws,
    a_report,
    an_account,
    environment,
    fetching,
    messages_without_secrets,
)
from tests.support.builders import ROOT_FOLDER
from tests.support.forking import forking
from tests.support.processes import python, unmeasured

Patch = pytest.MonkeyPatch
ALL = (*MEMBERS, CALLER)
LIST = "ListServiceSpecificCredentials"
Capture = pytest.CaptureFixture[bytes]


def errors(capture: Capture) -> list[str]:
    return messages_without_secrets(capture)[1].splitlines()


def listed(folder: Path) -> dict[str, dict[str, str]]:
    """Return the manifest's entries by account."""
    manifest = json.loads((folder / "fetched.manifest.json").read_bytes())
    return {entry["account"]: entry for entry in manifest["accounts"]}


def statuses(folder: Path) -> dict[str, str]:
    return {account: each["status"] for account, each in listed(folder).items()}


def reasons(folder: Path, status: str) -> dict[str, str]:
    entries = listed(folder).values()
    return {each["account"]: each["reason"] for each in entries if each["status"] == status}


def name_of(account: str) -> str:
    return f"credential-report_{account}_2026-05-01T12-30-15Z.csv"


def test_every_account_is_fetched_with_one_role_each_and_the_callers_with_none(
    aws: Aws, folder: Path, capsysbinary: Capture, monkeypatch: Patch
) -> None:
    assert fetching("-o", folder, *ORGANIZATION) == 0
    assert aws.operations() == {"ListAccounts": 1, "AssumeRole": 6, GENERATE: 7, GET: 7}
    assert set(aws.calls.values()) == {1}
    assert (CALLER, "AssumeRole") not in aws.calls
    roles = [each for operation, each in aws.asked if operation == "AssumeRole"]
    assert {each["RoleSessionName"] for each in roles} == {"credreport"}
    assert not any("ExternalId" in each for each in roles)
    counts = "7 fetched, 0 failed, 0 skipped; fetched.manifest.json lists them"
    assert errors(capsysbinary) == [f"Wrote {folder}: {counts}"]
    reports = {path.name: path.read_bytes() for path in folder.glob("*.csv")}
    assert reports == {name_of(each): aws.accounts[each].report for each in ALL}
    assert list(listed(folder)) == sorted(ALL)
    assert listed(folder)[MEMBERS[3]] == {
        "account": "000000000003",
        "name": "Team 3",
        "status": "fetched",
        "reason": "",
        "file": name_of(MEMBERS[3]),
        "sha256": analyzer.load(folder / name_of(MEMBERS[3])).files[0].sha256,
        "generated_time": "2026-05-01T12:30:15Z",
        "service_credentials": "not requested",
        "is_profile": False,
    }
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    for account, caller in (
        (CALLER, "the caller's own credentials"),
        (MEMBERS[3], "role arn:aws:iam::000000000003:role/credreport"),
    ):
        metadata = json.loads((folder / f"{name_of(account)}.metadata.json").read_bytes())
        assert metadata["obtained"]["caller"] == caller
    one_by_one = folder.with_name("one by one")
    monkeypatch.setattr("analyzer.aws.fetch.JOBS", 1)
    assert fetching("-o", one_by_one, *ORGANIZATION) == 0
    first, second = (
        {path.name: path.read_bytes() for path in each.iterdir()} for each in (folder, one_by_one)
    )
    assert first == second


def fetched_of(folder: Path, *options: str) -> set[str]:
    assert fetching("-o", folder, *ORGANIZATION, *options) == 0
    return {account for account, status in statuses(folder).items() if status == "fetched"}


def chosen(**request: Any) -> tuple[set[str], dict[str, str]]:
    """Return the accounts that are chosen, and the reason of each other."""
    asked = FetchRequest(role_name="credreport", **request)
    accounts, others = chosen_accounts(AwsSession(asked), asked, Deadline(300))
    return {each.id for each in accounts}, {each.account: each.reason for each in others.entries}


def test_only_active_accounts_are_read_whichever_field_tells(aws: Aws) -> None:
    aws.accounts[MEMBERS[0]].state = aws.accounts[MEMBERS[0]].status = "SUSPENDED"
    aws.accounts[MEMBERS[1]].state = None
    aws.accounts[MEMBERS[2]].status = None
    aws.accounts[MEMBERS[3]].state = "PENDING_CLOSURE"
    aws.accounts[MEMBERS[4]].state = aws.accounts[MEMBERS[4]].status = None
    states = {MEMBERS[0]: "SUSPENDED", MEMBERS[3]: "PENDING_CLOSURE", MEMBERS[4]: "UNKNOWN"}
    others = {account: f"Its state is {state}." for account, state in states.items()}
    assert chosen() == (set(ALL) - set(states), others)


def test_a_skipped_account_says_why_and_is_not_asked_and_a_pattern_without_any_is_said(
    aws: Aws, folder: Path, capsysbinary: Capture
) -> None:
    excluded = ("--exclude", "*[x]*", "--exclude", "Team 1*")
    assert fetched_of(folder, "--include", "Team*", *excluded) == ({MEMBERS[0]} | set(MEMBERS[2:5]))
    skipped = reasons(folder, "skipped")
    assert skipped == {
        CALLER: "No --include matches it.",
        MEMBERS[1]: "--exclude Team 1* matches it.",
        MEMBERS[5]: "--exclude Team 1* matches it.",
    }
    asked = {account for account, operation in aws.calls if operation == GET}
    assert asked == set(MEMBERS) - set(skipped)
    assert errors(capsysbinary)[1:] == ["Note: *[x]* matches no account."]
    manifest = json.loads((folder / "fetched.manifest.json").read_bytes())
    assert manifest["unmatched_patterns"] == ["*[x]*"]


def member(account: str, name: str = "", partition: str = "aws") -> Account:
    arn = f"arn:{partition}:organizations::{CALLER}:account/o-x/{account}"
    return Account(id=account, name=name, arn=arn, state="ACTIVE")


def test_a_pattern_matches_the_whole_id_or_the_name_in_any_case() -> None:
    matching = ["000000000001", "0*1", "[old] shop", "[OLD]*", "*shop", "[OLD] SHO?"]
    others = ["???????????", "[o]*", "shop"]
    shop = member(MEMBERS[1], "[old] Shop")
    assert list(filter(shop.matches, matching + others)) == matching


def test_units_hold_the_accounts_in_them_and_below(aws: Aws) -> None:
    aws.units = {"r-root": ["ou-1", "ou-2"], "ou-1": ["ou-11"], "ou-11": ["ou-111"]}
    for account, unit in zip(MEMBERS, ("ou-1", "ou-111", "ou-2", "ou-2"), strict=False):
        aws.accounts[account].unit = unit
    accounts, reasons = chosen(organizational_unit=["ou-1"])
    assert accounts == {MEMBERS[0], MEMBERS[1]}
    why = "It is in none of the organizational units of --organizational-unit."
    assert reasons[MEMBERS[2]] == why
    assert aws.operations()["ListChildren"] == 6
    both, _ = chosen(organizational_unit=["ou-11", "ou-2"], exclude=["*3"])
    assert both == {MEMBERS[1], MEMBERS[2]}


def test_a_role_is_of_the_partition_of_the_account_and_may_have_a_path() -> None:
    for partition in ("aws", "aws-us-gov", "aws-cn"):
        for name in ("teams/credreport", "/teams/credreport"):
            arn = f"arn:{partition}:iam::{MEMBERS[1]}:role/teams/credreport"
            assert member(MEMBERS[1], partition=partition).role_arn(name) == arn


def test_an_account_is_named_with_its_partition_but_for_aws_and_without_a_number_not_at_all() -> (
    None
):
    for partition, label in (("aws", MEMBERS[1]), ("aws-cn", f"aws-cn:{MEMBERS[1]}")):
        assert member(MEMBERS[1], partition=partition).label == label
    for arn in ("", "arn:x"):
        assert replace(member(MEMBERS[1]), arn=arn).label == MEMBERS[1]
    assert replace(member(MEMBERS[1]), id="").label == ""


def test_the_role_is_asked_for_with_the_external_id(aws: Aws, folder: Path) -> None:
    options = ("--external-id", "audit-2026", "--include", "0*1")
    aws.accounts[MEMBERS[1]] = an_account(MEMBERS[1], partition="aws-cn")
    assert fetching("-o", folder, *ORGANIZATION, *options) == 0
    (asked,) = [each for operation, each in aws.asked if operation == "AssumeRole"]
    assert asked["RoleArn"] == f"arn:aws-cn:iam::{MEMBERS[1]}:role/credreport"
    assert (asked["RoleSessionName"], asked["ExternalId"]) == ("credreport", "audit-2026")


def test_a_delegated_account_reads_the_management_one_with_the_role(aws: Aws, folder: Path) -> None:
    aws.management = MEMBERS[4]
    assert fetched_of(folder) == set(ALL)
    assert aws.operations()["AssumeRole"] == 7
    assert aws.calls[MEMBERS[4], GET] == 1
    assert (folder / name_of(MEMBERS[4])).read_bytes() == aws.accounts[MEMBERS[4]].report


def test_accounts_fail_alone_with_a_reason(aws: Aws, folder: Path, capsysbinary: Capture) -> None:
    aws.denied |= {(MEMBERS[0], "AssumeRole"), (MEMBERS[1], GENERATE), (MEMBERS[2], GET)}
    aws.denied |= {(CALLER, GENERATE), (CALLER, "AssumeRole"), (MEMBERS[5], LIST)}
    aws.accounts[MEMBERS[3]].report = a_report(MEMBERS[2])
    cut = aws.accounts[MEMBERS[4]].report.replace(b"\nuser-1,", b"\ncut\nuser-1,")
    aws.accounts[MEMBERS[4]].report = cut
    assert fetching("-o", folder, *ORGANIZATION, "--service-credentials") == 5
    summary, *failures, gap = errors(capsysbinary)
    assert "1 fetched, 6 failed, 0 skipped" in summary
    failed = reasons(folder, "failed")
    denied = "AWS denied {}: grant the caller this permission."
    iam = [denied.format(f"iam:{operation}") for operation in (GENERATE, GET)]
    assert failed[MEMBERS[0]].startswith(denied.format("sts:AssumeRole"))
    assert [failed[each] for each in MEMBERS[1:3]] == iam
    assert failed[MEMBERS[3]] == f"AWS gave the report of another account, {MEMBERS[2]}."
    assert "cannot be read as a credential report" in failed[MEMBERS[4]]
    assert failed[CALLER].startswith(denied.format("sts:AssumeRole"))
    assert failed[CALLER].endswith(f"(With the caller's own credentials: {iam[0]})")
    names = [each["name"] for each in listed(folder).values() if each["status"] == "failed"]
    assert failures == [
        f"Not read: {account} {name}: {reason}"
        for (account, reason), name in zip(failed.items(), names, strict=True)
    ]
    why = denied.format(f"iam:{LIST}")
    about = f"Note: The service-specific credentials of account {MEMBERS[5]} are not known"
    assert gap == f"{about}: {why}"
    (report,), (metadata,) = folder.glob("*.csv"), folder.glob("*.metadata.json")
    assert set(folder.iterdir()) == {report, metadata, folder / "fetched.manifest.json"}
    assert json.loads(metadata.read_bytes())["service_credentials"] == why
    assert analyzer.load(report).rows == 6


def test_a_run_without_any_account_is_an_error_without_files(
    aws: Aws, folder: Path, capsysbinary: Capture
) -> None:
    for denied, options, said in (
        (None, ["--exclude", "*"], "None of the organization's 7 accounts is chosen"),
        (None, ["--organizational-unit", "ou-none"], "There is no such organizational unit"),
        ("ListAccounts", [], "AWS denied organizations:ListAccounts: grant the caller"),
    ):
        aws.denied = {(CALLER, denied)} if denied else set()
        assert fetching("-o", folder, *ORGANIZATION, *options) == 4
        (message,) = errors(capsysbinary)
        assert message.startswith(f"credreport: {said}")
    aws.denied = {(account, GENERATE) for account in ALL}
    assert fetching("-o", folder, *ORGANIZATION) == 4
    message, *failures = errors(capsysbinary)
    assert message == "credreport: No account could be read."
    assert len(failures) == 7
    assert not folder.exists()


def done(account: str) -> AccountEntry:
    return AccountEntry(account=account, name="", status=Status.FETCHED)


def a_task(account: str) -> Task:
    return Task(account, f"Team {account}", partial(done, account))


@pytest.mark.no_cover
def test_as_many_accounts_are_asked_at_once_as_there_are_jobs(
    aws: Aws, folder: Path, monkeypatch: Patch
) -> None:
    monkeypatch.setattr("analyzer.aws.fetch.JOBS", 3)
    aws.at_once = threading.Barrier(3)
    assert fetching("-o", folder, *ORGANIZATION) == 0
    assert not aws.at_once.broken


def test_progress_counts_up_to_the_end() -> None:
    counts: list[tuple[int, int]] = []
    tasks = [a_task(str(number)) for number in range(5)]
    entries = run_tasks(tasks, Event(), lambda *count: counts.append(count))
    assert counts == [(number, 5) for number in range(1, 6)]
    assert [entry.name for entry in entries] == [f"Team {number}" for number in range(5)]


@pytest.mark.parametrize("error", [OutputFailed("full"), ZeroDivisionError(), SystemExit(143)])
def test_what_is_no_refusal_ends_all_of_it(error: BaseException) -> None:
    begun: list[int] = []
    stop = Event()

    def read(number: int) -> AccountEntry:
        begun.append(number)
        if number:  # the others take their time: this thread may be slow to hear of the first
            stop.wait(10)
            time.sleep(0.05)
        raise error

    tasks = [Task("", "", partial(read, number)) for number in range(100)]
    with pytest.raises(type(error)):
        run_tasks(tasks, stop)
    assert stop.is_set()
    assert len(begun) < 100


def test_ctrl_c_lists_what_is_there_and_what_is_not(monkeypatch: Patch) -> None:
    monkeypatch.setattr("analyzer.aws.fetch.JOBS", 1)
    stop = Event()

    def waiting() -> AccountEntry:
        assert stop.wait(10)
        raise AwsRefused(STOPPED)

    def progress(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    tasks = [a_task("1"), Task("2", "Team 2", waiting), a_task("3")]
    first, second, third = run_tasks(tasks, stop, progress)
    assert first.status is Status.FETCHED
    assert (second.status, second.reason) == (Status.FAILED, STOPPED)
    assert (third.status, third.reason) == (Status.FAILED, STOPPED)


@pytest.mark.parametrize("account", [CALLER, MEMBERS[1]])
def test_a_stopped_account_is_not_tried_again_and_says_no_more(aws: Aws, account: str) -> None:
    request = FetchRequest()
    fetcher, session = Fetcher(request=request, save=lambda _: ""), AwsSession(request)
    fetcher.stop.set()
    sts = session.client("sts", Deadline(9))
    with pytest.raises(Stopped) as refused:
        fetcher.member_entry(session, sts, "credreport", member(account))
    assert str(refused.value) == STOPPED
    assert (CALLER, "AssumeRole") not in aws.calls


@pytest.mark.no_cover
def test_ctrl_c_leaves_a_manifest_and_the_reports_so_far(aws: Aws, folder: Path) -> None:
    aws.latency = 0.4
    # A shell that starts the tests in the background has them ignore Ctrl-C.
    listen = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from analyzer.aws import fetch; fetch.JOBS = 2"
    )
    words = python(listen, "fetch", "-o", folder, *ORGANIZATION)
    variables = {**os.environ, **environment(folder.parent, aws.url)}
    pipe = subprocess.PIPE
    with subprocess.Popen(words, cwd=ROOT_FOLDER, env=variables, stderr=pipe) as process:
        deadline = time.monotonic() + 30
        while not list(folder.glob("*.csv")) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, messages = process.communicate(timeout=30)
    assert (process.returncode, b"Traceback" in messages) == (5, False)
    outcomes = Counter(statuses(folder).values())
    assert outcomes["fetched"] == len(list(folder.glob("*.csv"))) >= 1
    assert outcomes["failed"] >= 1
    assert set(reasons(folder, "failed").values()) == {STOPPED}
    assert not list(folder.glob(".*"))


def growth(aws: Aws, home: Path, accounts: int) -> int:
    """Return by how many KiB the program grew while it fetched the reports of so many accounts."""
    assert accounts > len(aws.accounts)
    for number in range(100, 100 + accounts - len(aws.accounts)):
        aws.accounts[f"{number:012}"] = an_account(f"{number:012}", users=50)
    done = subprocess.run(
        [forking("measured"), "fetch", "-q", "-o", home / f"{accounts}", *ORGANIZATION],
        cwd=ROOT_FOLDER,
        env=unmeasured() | environment(home, aws.url),
        capture_output=True,
        check=True,
    )
    return int(done.stdout)


@pytest.mark.no_cover
def test_the_program_needs_hardly_more_memory_for_many_accounts(aws: Aws, tmp_path: Path) -> None:
    few = growth(aws, tmp_path, 10)
    assert growth(aws, tmp_path, 30) < 1.5 * few
