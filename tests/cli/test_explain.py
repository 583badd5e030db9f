"""`credreport explain` shows in one attempt why a user has its verdict."""

import gzip
import re
from pathlib import Path

import pytest

from analyzer.cli.streams import fitted
from tests.support.builders import (
    ACCOUNT,
    a_user,
    report_text,
    run,
    saved,
    the_root,
)
from tests.support.outputs import CONSOLE, EXEMPTIONS, HARD_NAMES, Terminal, analyzed_console

OTHER = "210987654321"


@pytest.mark.no_cover
def test_the_explanation_is_the_one_of_the_analysis() -> None:
    (explanation,) = analyzed_console().explain("break-glass-1")
    done = run("explain", "break-glass-1", CONSOLE, "--exemptions", EXEMPTIONS)
    written = done.output.decode().removesuffix("\n")
    assert written.replace(str(CONSOLE), "") == str(explanation).replace(str(CONSOLE), "")
    assert (done.code, done.messages[:24]) == (0, "Not every credential and")
    text = run("explain", "BedrockAPIKey-*", CONSOLE).output.decode()
    users = [page.partition("  ")[0] for page in re.findall(r"^\S+  arn:.*$", text, re.MULTILINE)]
    assert users == ["BedrockAPIKey-9qtz", "BedrockAPIKey-k3vd"]


def test_options_decide_as_in_analyze(tmp_path: Path) -> None:
    names = saved(tmp_path, "account,name\n123456789012,Shop\n", "accounts.csv")
    options = ("--as-of=2026-03-02T00:00:00Z", "--rules", "unused-user", "--accounts", names)
    text = run("explain", "batch-export", CONSOLE, *options).output.decode()
    assert "account 123456789012 (Shop), row " in text
    assert "as of 2026-03-02 00:00 UTC (set with --as-of)" in text
    assert "idle-password" not in text


def test_options_on_input_are_those_of_analyze(tmp_path: Path) -> None:
    other = report_text([a_user("ann")]).replace(ACCOUNT, OTHER)
    saved(tmp_path, other, "other.csv")
    saved(tmp_path, report_text([a_user("ann"), a_user("bob")])[:-40], "cut.csv")
    done = run("explain", "ann", tmp_path, "--skip-unreadable")
    assert (done.code, f"account {OTHER}, row " in done.output.decode()) == (5, True)
    says = "cut.csv is not covered: row 4: the file is cut off in the middle of this row"
    assert says in done.messages
    packed = saved(tmp_path, gzip.compress(other.encode()), "other.csv.gz")
    done = run("explain", "ann", packed, "--max-input", "10")
    assert (done.code, done.output, "--max-input" in done.messages) == (3, b"", True)


def test_of_the_root_the_rules_on_it_are_shown_with_the_cells_that_they_read(
    tmp_path: Path,
) -> None:
    words = ("explain", "arn:aws:iam::123456789012:root", CONSOLE, "--limit", "root-used=60")
    lines = run(*words).lines
    assert lines[:2] == [
        "<root_account>  arn:aws:iam::123456789012:root",
        "The root user is not an IAM user, and has no verdict.",
    ]
    rules = [line.split()[:3] for line in lines[lines.index("Rules") + 1 :]]
    assert {rule: outcome for outcome, _, rule in rules} == {
        "root-access-key": "passes",
        "root-without-mfa": "passes",
        "root-certificate": "passes",
        "root-used": "fails",
    }
    cells = {line.split()[0]: line for line in lines if line.startswith("  ")}
    assert cells["password_last_used"].endswith("last sign-in, 47 days before as-of")
    old = saved(tmp_path, report_text([], root=the_root(password_enabled="not_supported")))
    lines = run("explain", "<root_account>", old).lines
    assert ["password_enabled", "not_supported", "not", "reported"] in map(str.split, lines)


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


def test_several_users_are_explained_at_once_and_quietly() -> None:
    names = ("lena.hartwig", "soap-archive")
    first, second = (run("explain", user, CONSOLE, "-q") for user in names)
    both = run("explain", "--user", names[0], "--user", names[1], CONSOLE, "--quiet")
    assert both.output == first.output + b"\n" + second.output
    assert (first.messages, second.messages, both.messages) == ("", "", "")
    unknown = run("explain", "--user", "lena.hartwig", "--user", "eve", CONSOLE)
    assert (unknown.code, "'eve': no IAM user in the newest" in unknown.messages) == (2, True)
