"""`credreport explain` shows in one attempt why a user has its verdict."""

import gzip
from pathlib import Path

import pytest

from analyzer.cli.streams import fitted
from tests.support.builders import (
    ACCOUNT,
    a_password,
    a_user,
    days_before,
    report_text,
    run,
    saved,
    the_root,
)
from tests.support.decisions import OTHER_ACCOUNT, console_name
from tests.support.outputs import CONSOLE, EXEMPTIONS, HARD_NAMES, Terminal, analyzed_console
from tests.support.runs import console_report

OTHER = "210987654321"


@pytest.mark.no_cover
def test_the_explanation_is_the_one_of_the_analysis_as_text_and_as_json() -> None:
    (explanation,) = analyzed_console().explain("break-glass-1")
    done = run("explain", "break-glass-1", CONSOLE, "--exemptions", EXEMPTIONS)
    written = done.output.decode().removesuffix("\n")
    assert written.replace(str(CONSOLE), "") == str(explanation).replace(str(CONSOLE), "")
    assert (done.code, done.messages[:34]) == (0, "Not visible in a credential report")
    users = run("explain", "BedrockAPIKey-*", CONSOLE, "--format", "json").document
    assert [each["user"] for each in users] == ["BedrockAPIKey-9qtz", "BedrockAPIKey-k3vd"]
    assert users[1]["caveats"][0]["caveat"] == "service-credential-user"


def test_options_decide_as_in_analyze(tmp_path: Path) -> None:
    names = saved(tmp_path, "account,name\n123456789012,Shop\n", "accounts.csv")
    options = ("--as-of=2026-03-02T00:00:00Z", "--rules", "unused-user", "--accounts", names)
    text = run("explain", "batch-export", CONSOLE, *options).output.decode()
    assert "account 123456789012 (Shop), row " in text
    assert "as of 2026-03-02 00:00 UTC (set with --as-of)" in text
    assert "idle-password" not in text


def test_options_on_input_are_those_of_analyze(tmp_path: Path) -> None:
    masked = report_text([a_user("ann")]).replace(ACCOUNT, "123XXXXXXXX")
    saved(tmp_path, masked, "masked.csv")
    saved(tmp_path, report_text([a_user("ann"), a_user("bob")])[:-40], "cut.csv")
    done = run("explain", "ann", tmp_path, "--masked-account", OTHER, "--skip-unreadable")
    assert (done.code, f"account {OTHER}, row " in done.output.decode()) == (5, True)
    says = "cut.csv is not covered: row 4: the file is cut off in the middle of this row"
    assert says in done.messages
    packed = saved(tmp_path, gzip.compress(masked.encode()), "masked.csv.gz")
    done = run("explain", "ann", packed, "--max-input", "10")
    assert (done.code, done.output, "--max-input" in done.messages) == (3, b"", True)


@pytest.mark.no_cover
def test_of_the_root_the_rules_on_it_are_shown_with_the_cells_that_they_read(
    tmp_path: Path,
) -> None:
    words = ("explain", "arn:aws:iam::123456789012:root", CONSOLE, "--limit", "root-used=60")
    (root,) = run(*words, "-f", "json").document
    assert (root["user"], root["verdict"], root["row"]) == ("<root_account>", "", 2)
    outcomes = {each["rule"].removeprefix("root-"): each["outcome"] for each in root["rules"]}
    passing = dict.fromkeys(("access-key", "without-mfa", "certificate"), "passes")
    assert outcomes == {**passing, "used": "fails"}
    readings = {each["column"]: each["reading"] for each in root["cells"]}
    assert readings["password_last_used"] == "last sign-in, 47 days before as-of"
    text = run("explain", "<root_account>", CONSOLE).output.decode()
    assert "\nThe root user is not an IAM user, and has no verdict.\n" in text
    old = saved(tmp_path, report_text([], root=the_root(password_enabled="not_supported")))
    (root,) = run("explain", "<root_account>", old, "-f", "json").document
    readings = {each["value"]: each["reading"] for each in root["cells"]}
    assert readings["not_supported"] == "not reported"


@pytest.mark.no_cover
def test_a_pattern_explains_no_root_and_names_control_no_terminal(tmp_path: Path) -> None:
    names = [name for name in HARD_NAMES if not name.isprintable()]
    report = saved(tmp_path, report_text(map(a_user, names), quoted=True))
    text = run("explain", "*", report).output.decode()
    assert text.count("account 012345678901, row ") == len(names)
    assert [sign for sign in text if not sign.isprintable() and sign != "\n"] == []
    assert r"bell\x07\x1b[31mred" in text


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_terminal_gets_no_line_and_no_arn_that_it_would_break_and_columns_continue_below(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    (explanation,) = analyzed_console().explain("hadoop-loader")
    piped = str(explanation).replace(str(CONSOLE), CONSOLE.name)
    lines = fitted(piped, Terminal())
    text = "\n".join(lines)
    assert "arn:aws:iam::123456789012:user/service/data/hadoop-loader" in text
    assert text.split() == piped.split() or [each for each in piped.split() if len(each) > width]
    assert "".join(text.split()) == "".join(piped.split())
    done = run("rules", screen=Terminal())
    assert max(map(len, [*lines, *done.lines])) <= width
    first = "initial-setup-access-key           low       Console user has an active access"
    below = f"{' ' * 45}key that was never used"
    assert width != 80 or f"{first}\n{below}\n" in done.output.decode()


def test_rules_are_explained_by_patterns() -> None:
    both = [run("rules", f"{each}-certificate").output for each in ("active-signing", "root")]
    assert run("rules", "*-certificate").output == b"\n".join(both)


def test_a_history_is_the_line_of_events_of_the_users_that_match(tmp_path: Path) -> None:
    born, used = a_user("=ann"), a_user("=ann", password=a_password(days_before(3)))
    for day, users in ((20, [born]), (22, [used, a_user("bo")]), (24, [a_user("bo")])):
        console_report(tmp_path, f"2026-04-{day}", *users)
    for at in (days_before(70), days_before(8)):  # a gap of another account is none of this user
        of_other = report_text([a_user(account=OTHER_ACCOUNT)], root=the_root(OTHER_ACCOUNT))
        saved(tmp_path, of_other, console_name(at))
    owners = saved(tmp_path.parent, "account,user,owner\n*,?ann,Lee\n", f"{tmp_path.name}.csv")
    done = run("explain", "?ann", tmp_path, "--history", "--owners", owners)
    head, state, owner, empty, *events = done.lines
    assert head == f"=ann  arn:aws:iam::{ACCOUNT}:user/=ann"
    assert state == "unused -> (none), in reports from 2026-04-20 to 2026-04-22"
    assert (done.code, owner, empty) == (0, "owner: Lee", "")
    first, last = "2026-04-20 to 2026-04-22", "2026-04-22 to 2026-04-24"
    periods = [line.split("  ")[0] for line in events]
    assert periods == [first] * (len(events) - 1) + [last]
    assert events[-1].split()[3] == "gone"
    assert "Not visible: users created and deleted between two reports" in done.messages
    words = ("--history", "--format", "json", "--max-gap", 1)
    short = run("explain", "arn:*/?ann", tmp_path, *words)
    (document,) = short.document
    assert (document["user"], len(document["events"])) == ("=ann", len(events))
    assert (short.code, document["events"][-1]["event"]) == (5, "gone")
    assert "2 days (2026-04-20, 2026-04-22), more than the 1 of --max-gap." in short.messages
    for wrong in (["nobody"], ["<root_account>"], ["bo", "--as-of=2026-04-30"]):
        assert run("explain", *wrong, tmp_path, "--history").code == 2


def test_several_users_are_explained_at_once_and_quietly() -> None:
    names = ("lena.hartwig", "soap-archive")
    first, second = (run("explain", user, CONSOLE, "-q") for user in names)
    both = run("explain", "--user", names[0], "--user", names[1], CONSOLE, "--quiet")
    assert both.output == first.output + b"\n" + second.output
    assert (first.messages, second.messages, both.messages) == ("", "", "")
    words = ("explain", CONSOLE, "--user", "lena*", "--user", "soap-a*", "--history")
    histories = run(*words, "-q", "-f", "json")
    assert (histories.code, histories.messages) == (0, "")
    assert [each["user"] for each in histories.document] == [*names]
    unknown = run("explain", "--user", "lena.hartwig", "--user", "eve", CONSOLE, "--history")
    assert (unknown.code, "'eve': no IAM user in the reports" in unknown.messages) == (2, True)
