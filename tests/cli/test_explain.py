"""`credreport explain` shows in one attempt why a user has its verdict."""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from analyzer.cli.streams import fitted
from tests.cli.conftest import Program, unwrapped
from tests.support.builders import ACCOUNT, a_password, a_user, days_before, report_text, saved
from tests.support.outputs import CONSOLE, EXEMPTIONS, HARD_NAMES, Terminal, analyzed_console

OTHER = "210987654321"


@pytest.mark.no_cover
def test_the_explanation_is_the_one_of_the_analysis(program: Program) -> None:
    done = program("explain", "break-glass-1", CONSOLE, "--exemptions", EXEMPTIONS)
    (explanation,) = analyzed_console().explain("break-glass-1")
    written = done.output.decode().removesuffix("\n")
    assert written.replace(str(CONSOLE), "") == str(explanation).replace(str(CONSOLE), "")
    assert (done.code, done.messages) == (0, "")


@pytest.mark.no_cover
def test_json_has_one_object_for_each_user(program: Program) -> None:
    done = program("explain", "BedrockAPIKey-*", CONSOLE, "--format", "json")
    users = json.loads(done.output)
    assert [each["user"] for each in users] == ["BedrockAPIKey-9qtz", "BedrockAPIKey-k3vd"]
    assert users[1]["caveats"][0]["caveat"] == "service-credential-user"


def test_options_decide_as_in_analyze(program: Program, tmp_path: Path) -> None:
    names = saved(tmp_path, "account,name\n123456789012,Shop\n", "accounts.csv")
    options = ("--as-of=2026-03-02T00:00:00Z", "--rules", "unused-user", "--accounts", names)
    text = program("explain", "batch-export", CONSOLE, *options).output.decode()
    assert "account 123456789012 (Shop), row " in text
    assert "as of 2026-03-02 00:00 UTC (set with --as-of)" in text
    assert "idle-password" not in text


def test_options_on_input_are_those_of_analyze(program: Program, tmp_path: Path) -> None:
    masked = report_text([a_user("ann")]).replace(ACCOUNT, "123XXXXXXXX")
    saved(tmp_path, masked, "masked.csv")
    cut = report_text([a_user("ann"), a_user("bob")])[:-40]
    saved(tmp_path, cut, "cut.csv")
    done = program("explain", "ann", tmp_path, "--masked-account", OTHER, "--skip-unreadable")
    assert done.code == 5
    assert f"account {OTHER}, row " in done.output.decode()
    says = "cut.csv is not covered: row 4: the file is cut off in the middle of this row"
    assert says in done.messages
    packed = tmp_path / "masked.csv.gz"
    packed.write_bytes(gzip.compress(masked.encode()))
    done = program("explain", "ann", packed, "--max-input", "10")
    assert (done.code, done.output) == (3, b"")
    assert "--max-input" in done.messages


@pytest.mark.parametrize(
    ("user", "says"),
    [
        (
            "lena",
            (
                "'lena': no IAM user in the newest report of each account (--history looks in all)"
                " has this name or ARN; use a pattern such as 'lena*' to match several names"
            ),
        ),
        (
            "break-glas-1",
            (
                "'break-glas-1': no IAM user in the newest report of each account (--history looks"
                " in all) has this name or ARN; did you mean break-glass-1?"
            ),
        ),
        ("-legacy", "-legacy: no such option; write -- before the name of a user that begins with"),
    ],
)
def test_a_name_that_no_user_has_is_refused(program: Program, user: str, says: str) -> None:
    done = program("explain", user, CONSOLE)
    assert (done.code, done.output) == (2, b"")
    assert says in unwrapped(done.messages)
    assert ("use a pattern" in unwrapped(done.messages)) is (user == "lena")


def test_a_second_user_is_not_taken_for_a_report(program: Program) -> None:
    done = program("explain", "lena.hartwig", "oskar.lind", CONSOLE)
    assert done.code == 2
    says = "oskar.lind: no such file or folder; explain takes one user, or a pattern"
    assert says in unwrapped(done.messages)


@pytest.mark.no_cover
def test_of_the_root_the_rules_on_it_are_shown_with_the_cells_that_they_read(
    program: Program,
) -> None:
    words = ("-f", "json", "--root-used-days", "60")
    done = program("explain", "arn:aws:iam::123456789012:root", CONSOLE, *words)
    (root,) = json.loads(done.output)
    assert (root["user"], root["verdict"], root["row"]) == ("<root_account>", "", 2)
    outcomes = {each["rule"]: each["outcome"] for each in root["rules"]}
    assert outcomes == {
        "root-access-key": "passes",
        "root-without-mfa": "passes",
        "root-used": "fails",
        "root-certificate": "passes",
    }
    readings = {each["column"]: each["reading"] for each in root["cells"]}
    assert readings["password_last_used"] == "last sign-in, 47 days before as-of"
    text = program("explain", "<root_account>", CONSOLE).output.decode()
    assert "\nThe root user is not an IAM user, and has no verdict.\n" in text


@pytest.mark.no_cover
def test_a_pattern_of_names_explains_no_root(program: Program, tmp_path: Path) -> None:
    report = saved(tmp_path, report_text([a_user("ann"), a_user("bo")]))
    explained = json.loads(program("explain", "*", report, "-f", "json").output)
    assert [each["user"] for each in explained] == ["ann", "bo"]


def test_an_unknown_rule_is_refused_before_the_report_is_read(program: Program) -> None:
    done = program("explain", "ann", "nowhere.csv", "--rules", "nothing")
    assert done.code == 2
    assert "'nothing': choose from" in unwrapped(done.messages)


def test_accounts_that_could_not_be_read_are_named_and_end_with_5(
    program: Program, tmp_path: Path
) -> None:
    saved(tmp_path, report_text([a_user("ann")]))
    denied = {"account": "123456789012", "name": "", "status": "failed", "reason": "Denied."}
    saved(tmp_path, json.dumps({"accounts": [denied]}), "fetched.manifest.json")
    done = program("explain", "ann", tmp_path)
    assert done.code == 5
    assert done.output.startswith(b"ann  arn:")
    assert done.messages == "Account 123456789012 is not covered: Denied.\n"


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_terminal_gets_no_line_that_it_would_break_and_no_broken_arn(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    (explanation,) = analyzed_console().explain("hadoop-loader")
    piped = str(explanation).replace(str(CONSOLE), CONSOLE.name)
    lines = fitted(piped, Terminal())
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert "arn:aws:iam::123456789012:user/service/data/hadoop-loader" in text
    broken = [word for word in piped.split() if len(word) > width]
    assert text.split() == piped.split() or broken
    assert "".join(text.split()) == "".join(piped.split())


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_last_column_continues_under_itself(
    program: Program, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    text = shown(program, monkeypatch, "rules")
    assert max(map(len, text.splitlines())) <= width
    first = "initial-setup-access-key           low       Console user has an active access"
    assert width != 80 or f"{first}\n{' ' * 45}key that was never used\n" in text


def shown(program: Program, monkeypatch: pytest.MonkeyPatch, *arguments: Any) -> str:
    """Return what a terminal shows."""
    terminal = Terminal()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", terminal)
        assert program(*arguments).code == 0
    return terminal.getvalue()


@pytest.mark.no_cover
def test_names_in_a_report_control_no_terminal(program: Program, tmp_path: Path) -> None:
    names = [name for name in HARD_NAMES if not name.isprintable()]
    report = saved(tmp_path, report_text(map(a_user, names), quoted=True))
    text = program("explain", "*", report).output.decode()
    assert [sign for sign in text if not sign.isprintable() and sign != "\n"] == []
    assert r"bell\x07\x1b[31mred" in text


def test_a_history_is_the_line_of_events_of_the_users_that_match(
    program: Program, tmp_path: Path
) -> None:
    born, used = a_user("=ann"), a_user("=ann", password=a_password(days_before(3)))
    for number, users in enumerate(([born], [used, a_user("bo")], [a_user("bo")])):
        report = report_text(users)
        saved(tmp_path, report, f"status_reports_2026-04-{20 + 2 * number}T09-30-00+00-00.csv")
    owners = saved(tmp_path.parent, "account,user,owner\n*,?ann,Lee\n", f"{tmp_path.name}.csv")
    words = ("explain", "?ann", tmp_path, "--history", "--owners", owners)
    done = program(*words)
    head, state, owner, empty, *events = done.output.decode().splitlines()
    assert head == f"=ann  arn:aws:iam::{ACCOUNT}:user/=ann"
    assert state == "unused -> (none), in reports from 2026-04-20 to 2026-04-22"
    assert (owner, empty) == ("owner: Lee", "")
    assert [line.split("  ")[0] for line in events] == [
        *["2026-04-20 to 2026-04-22"] * (len(events) - 1),
        "2026-04-22 to 2026-04-24",
    ]
    assert events[-1].split()[3] == "gone"
    assert "Not visible: users created and deleted between two reports" in done.messages
    (document,) = json.loads(program(*words, "--format", "json").output)
    assert document["user"] == "=ann"
    assert [each["event"] for each in document["events"]][-1] == "gone"
    assert len(document["events"]) == len(events)
    assert done.code == 0
    short = program(*words, "--max-gap", 1)
    assert short.code == 5
    assert "2 days (2026-04-20, 2026-04-22), more than the 1 of --max-gap." in short.messages
    quiet = program("explain", "arn:*/bo", tmp_path, "--history").output.decode().splitlines()
    assert quiet[0].startswith("bo  arn:")
    assert program("explain", "nobody", tmp_path, "--history").code == 2
    assert program("explain", "<root_account>", tmp_path, "--history").code == 2
    assert program("explain", "bo", tmp_path, "--history", "--as-of=2026-04-30").code == 2
