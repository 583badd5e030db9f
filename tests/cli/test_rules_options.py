"""Rules are chosen, limited, shown and failed on by options, or by a file of settings."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cli.conftest import Program
from tests.support.builders import (
    Row,
    a_key,
    a_password,
    a_user,
    days_before,
    report_text,
    saved,
    table,
    the_root,
)
from tests.support.feeds import asff_file
from tests.support.outputs import CONSOLE, EXEMPTIONS

AT = "--as-of=2026-05-01T12:00:00Z"
NO_MFA = a_user("ann", password=a_password(days_before(1)))
IDLE = a_user("bob", key_1=a_key(days_before(80), days_before(50)))
SAFE = a_user("eve", password=a_password(days_before(1)), mfa=True)
ODD = a_user("odd", password=a_password(days_before(1))) | {"mfa_active": "?"}
MFA, KEY = "console-user-without-mfa", "idle-access-key"


def unwrapped(messages: str) -> str:
    return " ".join(messages.replace("│", " ").split())


def found(program: Program, folder: Path, users: list[Row], *options: str | Path) -> list[str]:
    """Return the ids of the rules that find something, as the file of findings has them."""
    report = saved(folder, report_text(users))
    target = folder / "findings.csv"
    done = program("analyze", report, AT, "-q", "--findings", target, *options)
    assert done.code in (0, 1), done.messages
    assert done.output == b""
    return [row["rule"] for row in table(target.read_bytes())]


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("options", "rules"),
    [
        ([], [MFA, KEY]),
        (["--rules", MFA], [MFA]),
        (["--rules", "default", "--skip", KEY], [MFA]),
        (["--skip", MFA, "--skip", KEY], []),
        (["--min-severity", "high"], [MFA]),
        (["--min-severity", "critical"], []),
        (["--idle-days", "50"], [MFA, KEY]),
        (["--idle-days", "51"], [MFA]),
        (["--rotation-days", "79"], [MFA, KEY, "unrotated-access-key"]),
        (["--rotation-days", "80"], [MFA, KEY]),
        (["--standard", "cis-7.0"], [MFA, KEY]),
        (["--standard", "cis-1.2"], [MFA]),
        (["--standard", "cis-1.2", "--idle-days", "50"], [MFA, KEY]),
    ],
)
def test_rules_and_limits_are_those_that_were_asked_for(
    program: Program, tmp_path: Path, options: list[str], rules: list[str]
) -> None:
    assert found(program, tmp_path, [NO_MFA, IDLE], *options) == rules


def test_all_rules_run_if_all_are_asked_for(program: Program, tmp_path: Path) -> None:
    off_by_default = "user-without-mfa"
    assert off_by_default not in found(program, tmp_path, [NO_MFA, IDLE])
    every = found(program, tmp_path, [NO_MFA, IDLE], "--rules", "all")
    assert every.count(off_by_default) == 2
    assert {MFA, KEY} <= set(every)


def test_the_limit_for_root_is_the_one_that_was_set(program: Program, tmp_path: Path) -> None:
    root = the_root(password_last_used=days_before(9))
    for days, code in (("10", 1), ("9", 0)):
        report = saved(tmp_path, report_text([SAFE], root=root))
        options = ["--root-used-days", days, "--fail-on", "root-used", "-q"]
        assert program("analyze", report, AT, *options).code == code


def test_the_limit_for_expiry_is_the_one_that_was_set(program: Program, tmp_path: Path) -> None:
    user = SAFE | {"password_next_rotation": days_before(-20)}
    options = ["--rules", "password-expires-soon"]
    assert found(program, tmp_path, [user], *options) == []
    expected = ["password-expires-soon"]
    assert found(program, tmp_path, [user], *options, "--expiry-days", "20") == expected


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("users", "options", "code"),
    [
        ([NO_MFA], ["--fail-on", MFA], 1),
        ([NO_MFA], ["--fail-on", "high"], 1),
        ([NO_MFA], ["--fail-on", "medium"], 1),
        ([NO_MFA], ["--fail-on", "critical"], 0),
        ([NO_MFA], ["--fail-on", KEY], 0),
        ([IDLE], ["--fail-on", "high"], 0),
        ([IDLE], ["--fail-on", "medium"], 1),
        ([IDLE], ["--fail-on", "unused", "--fail-on", KEY], 1),
        ([SAFE], ["--fail-on", "low"], 0),
        ([SAFE], ["--fail-on", "high", "--rules", MFA], 0),
        ([SAFE], ["--fail-on", "medium", "--rules", MFA], 0),
        ([SAFE], ["--fail-on", "unused", "--rules", MFA, "--skip", MFA], 0),
        ([ODD], ["--fail-on", MFA], 1),
        ([ODD], ["--fail-on", KEY], 0),
        ([ODD], ["--fail-on", "unused"], 0),
        ([SAFE], ["--fail-on", "control", "--standard", "fsbp"], 0),
        ([NO_MFA], ["--fail-on", "control", "--standard", "fsbp"], 1),
        ([ODD], ["--fail-on", "control", "--standard", "cis-4.0.1"], 1),
        ([NO_MFA], ["--fail-on", "control", "--standard", "fsbp", "--skip", MFA], 0),
    ],
)
def test_a_run_fails_by_a_rule_or_by_all_that_are_so_severe(
    program: Program, tmp_path: Path, users: list[Row], options: list[str], code: int
) -> None:
    report = saved(tmp_path, report_text(users))
    assert program("analyze", report, AT, "-q", *options).code == code


def test_the_controls_that_a_run_fails_by_are_named(program: Program, tmp_path: Path) -> None:
    report = saved(tmp_path, report_text([NO_MFA]))
    done = program(
        *("analyze", report, AT, "--format", "csv"),
        *("--standard", "fsbp", "--fail-on", "control"),
    )
    assert "Meets --fail-on: FSBP IAM.5: fail" in done.messages


def test_to_fail_on_controls_takes_a_standard(program: Program, tmp_path: Path) -> None:
    report = saved(tmp_path, report_text([SAFE]))
    done = program("analyze", report, AT, "--fail-on", "control")
    assert (done.code, done.output) == (2, b"")
    assert "control: choose the controls with --standard" in unwrapped(done.messages)


def test_it_is_said_what_a_run_fails_by(program: Program, tmp_path: Path) -> None:
    report = saved(tmp_path, report_text([NO_MFA, ODD, a_user("idle")]))
    done = program(
        "analyze", report, AT, "--format", "csv", "--fail-on", "unused", "--fail-on", MFA
    )
    assert f"Meets --fail-on: 1 unused; {MFA}: 1 fail, 1 undecided" in done.messages
    quiet = program("analyze", report, AT, "--format", "csv", "--fail-on", "unused", "-q")
    assert (quiet.code, quiet.messages) == (1, "Meets --fail-on: 1 unused\n")


def test_that_a_root_was_not_seen_is_what_a_run_fails_by(program: Program, tmp_path: Path) -> None:
    header, _, user = report_text([SAFE]).split("\n")
    done = program("analyze", saved(tmp_path, f"{header}\n{user}"), AT, "--fail-on", "root-used")
    assert done.code == 1
    assert "root-used: The report has no root row of account 012345678901" in done.messages


def test_an_exemption_from_a_rule_keeps_a_run_from_failing_by_it(
    program: Program, tmp_path: Path
) -> None:
    report = saved(tmp_path, report_text([NO_MFA]))
    header = "account,user,reason,owner,expires,rule"
    for rule, code in ((MFA, 0), (KEY, 1), ("", 0)):
        entries = saved(tmp_path, f"{header}\n*,ann,By design,,,{rule}", "exemptions.csv")
        options = ["--exemptions", entries, "--fail-on", MFA, "-q"]
        assert program("analyze", report, AT, *options).code == code


def test_a_list_of_exemptions_may_be_a_pipe(program: Program, tmp_path: Path) -> None:
    report, pipe = saved(tmp_path, report_text([NO_MFA])), tmp_path / "pipe"
    os.mkfifo(pipe)
    text = "account,user,reason,owner,expires\n*,ann,By design,,"
    with ThreadPoolExecutor() as writer:
        writer.submit(pipe.write_text, text)
        assert (
            program("analyze", report, AT, "-q", "--exemptions", pipe, "--fail-on", MFA).code == 0
        )


def test_what_was_saved_beside_a_report_is_no_output(program: Program, tmp_path: Path) -> None:
    report = saved(tmp_path, report_text([NO_MFA]))
    beside = tmp_path / "report.csv.service-credentials.json"
    beside.write_text('{"ServiceSpecificCredentials": []}')
    done = program("analyze", report, "-o", beside)
    assert done.code == 2
    assert "has the name of a file that is saved with reports" in unwrapped(done.messages)
    assert beside.read_text() == '{"ServiceSpecificCredentials": []}'


NO_CRITICAL = ("--skip", "root-access-key", "--skip", "root-without-mfa")

WRONG: tuple[tuple[list[str], str, str], ...] = (
    (["--fail-on", "user-without-mfa"], "--fail-on", "or the rules that run: unused-user,"),
    (
        ["--fail-on", MFA, "--skip", MFA],
        "--fail-on",
        "did you mean root-without-mfa? Choose from the verdicts undetermined,",
    ),
    (["--fail-on", "worst"], "--fail-on", "the severities critical, high, medium, low"),
    (
        ["--fail-on", "medium", "--min-severity", "critical"],
        "--fail-on",
        "medium: no such rule runs with --min-severity critical",
    ),
    (
        ["--fail-on", "high", "--rules", "unused-user"],
        "--fail-on",
        "high: no rule of this severity runs (unused-user)",
    ),
    (
        ["--fail-on", "low", "--fail-on", "critical", *NO_CRITICAL],
        "--fail-on",
        "critical: no rule of this severity runs (unused-user,",
    ),
    (
        ["--fail-on", "low", "--rules", MFA, "--skip", MFA],
        "--fail-on",
        "low: no rule of this severity runs (none runs)",
    ),
    (["--rules", "nobody"], "--rules", "'nobody': choose from unused-user,"),
    (["--skip", "nobody"], "--skip", "'nobody': choose from unused-user,"),
    (["--skip", "all"], "--skip", "unknown rule all: choose from unused-user,"),
    (["--standard", "cis-9.0"], "--standard", "cis-7.0"),
    (["--min-severity", "worst"], "--min-severity", "critical"),
    (["--idle-days", "0"], "--idle-days", ""),
    (["--findings", "findings.json"], "--findings", "findings.json must end in .csv"),
    (["--follow-up", "done.json"], "--follow-up", "done.json must end in .csv"),
    (["--follow-up", "-"], "--follow-up", "- is standard output: name a file that ends in .csv"),
    (["--findings", str(CONSOLE)], "--output", "is an input: write to another file"),
    (["--hub-region", "Frankfurt"], "--hub-region", "'Frankfurt': use a region such as eu-west-1"),
    (["--hub-region", ""], "--hub-region", "'': use a region such as eu-west-1"),
    (
        ["--masked-account", "12345678901"],
        "--masked-account",
        "'12345678901': an account has 12 digits",
    ),
    (["-o", "a.csv", "--findings", "./a.csv"], "--output", "is named twice"),
)


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_wrong_words_are_refused_with_those_that_there_are_before_anything_is_written(
    program: Program,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wrong: tuple[list[str], str, str],
) -> None:
    options, option, says = wrong
    monkeypatch.chdir(tmp_path)
    done = program("analyze", CONSOLE, "-o", "good.csv", *options)
    assert done.code == 2
    assert option in done.messages
    assert says in unwrapped(done.messages)
    assert list(tmp_path.iterdir()) == []


def test_the_feeds_are_written_and_security_hubs_region_is_the_one_asked_for(
    program: Program, tmp_path: Path
) -> None:
    asff, ocsf = tmp_path / "f.asff.json", tmp_path / "f.ocsf.json"
    options = ["-o", asff, "-o", ocsf, "--hub-region", "eu-west-1", "-q"]
    assert program("analyze", CONSOLE, *options).code == 0
    first, *_ = (json.loads(line) for line in asff_file(asff).splitlines())
    assert first["ProductArn"].startswith("arn:aws:securityhub:eu-west-1:123456789012:")
    assert len(ocsf.read_text().splitlines()) == len(asff_file(asff).splitlines()) > 1


def settings(folder: Path, text: str) -> Path:
    return saved(folder, text, "settings.toml")


def test_settings_stand_where_the_command_line_says_nothing(
    program: Program, tmp_path: Path
) -> None:
    users = [NO_MFA, IDLE]
    file = settings(
        tmp_path, f'skip = ["{MFA}"]\nidle-days = 51\nfail-on = "unused"\nquiet = true\n'
    )
    assert found(program, tmp_path, users, "--config", file) == []
    assert found(program, tmp_path, users, "--config", file, "--idle-days", "50") == [KEY]
    assert found(program, tmp_path, users, "--config", file, "--skip", KEY) == [MFA]


def test_settings_can_hold_every_kind_of_value(program: Program, tmp_path: Path) -> None:
    file = settings(
        tmp_path,
        f'standard = "cis-6.0"\nexemptions = "{EXEMPTIONS}"\ndormant-days = 400\n'
        'verdict = ["dormant", "unused"]\nformat = "json"\nas-of = 2026-03-02T00:00:00Z\n'
        "raw-csv = false\nquiet = true\n",
    )
    done = program("analyze", CONSOLE, "--config", file)
    document = json.loads(done.output)
    assert done.messages == ""
    assert document["standard"]["id"] == "cis-6.0"
    assert document["criteria"]["dormant_days"] == 400
    assert document["listed"] == ["dormant", "unused"]
    assert document["files"][0]["as_of"] == "2026-03-02T00:00:00Z"
    assert document["exemptions"]["expired"] != []


def test_settings_of_another_command_are_passed_over(program: Program, tmp_path: Path) -> None:
    file = settings(tmp_path, 'timeout = 60\nregion = "eu-west-1"\n')
    assert found(program, tmp_path, [IDLE], "--config", file) == [KEY]


WRONG_SETTINGS = (
    ("dormant-day = 9\nskp = []", "dormant-day: no command has an option of this name"),
    ("dormant-day = 9\nskp = []", "skp: no command has an option of this name"),
    ("dormant-days = 0", "dormant-days: "),
    ('dormant-days = "many"', "dormant-days: "),
    ("dormant-days = true", "dormant-days: invalid value True"),
    ("quiet = 1", "quiet: invalid value 1"),
    ('standard = "cis-9.0"', "standard: 'cis-9.0' is not one of 'cis-7.0',"),
    ("dormant_days = 9", "dormant_days: no command has an option of this name"),
    ("[analyze]\nquiet = true", "analyze: no command has an option of this name"),
    ('config = "other.toml"', "config: no command has an option of this name"),
    ('as-of = "yesterday"', 'as-of: invalid time "yesterday": use 2026-03-01T09:30:00Z'),
    ("as-of = 2026-03-01T09:30:00", 'as-of: "2026-03-01T09:30:00" has no time zone'),
    ("as-of = 09:30:00", "as-of: "),
    ("as-of = 5", 'as-of: invalid time "5"'),
    ("format = {table = 1}", "format: invalid value {'table': 1}"),
    ('mode = ["600"]', "mode: invalid value ['600']"),
    ('exemptions = ["a.csv"]', "exemptions: invalid value ['"),
    ('skip = [["unused-user"]]', "skip: invalid value [['unused-user']]"),
    ("skip = [true]", "skip: invalid value [True]"),
    ("verdict = [[1]]", "verdict: "),
    ("dormant-days = [9]", "dormant-days: "),
    ("dormant-days = ", "cannot be read: Invalid value"),
    ('verdict = ["idle"]', "verdict: 'idle': choose from undetermined"),
)


@pytest.mark.parametrize(("text", "says"), WRONG_SETTINGS, ids=str)
def test_settings_that_mean_nothing_are_refused_with_their_file_and_name(
    program: Program, tmp_path: Path, text: str, says: str
) -> None:
    done = program("analyze", CONSOLE, "--config", settings(tmp_path, text))
    assert done.code == 2
    assert says in unwrapped(done.messages)
    assert "settings.toml" in unwrapped(done.messages).replace(" ", "")
    assert done.output == b""


def test_settings_that_cannot_be_read_are_named(program: Program) -> None:
    done = program("analyze", CONSOLE, "--config", "/proc/self/mem")
    assert done.code == 2
    assert "/proc/self/mem cannot be read: [Errno 5]" in unwrapped(done.messages)


def test_settings_in_another_encoding_are_refused(program: Program, tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_bytes(b'standard = "\xff"')
    done = program("analyze", CONSOLE, "--config", tmp_path / "settings.toml")
    assert done.code == 2
    assert "cannot be read" in unwrapped(done.messages)


def test_settings_are_no_output(program: Program, tmp_path: Path) -> None:
    file = settings(tmp_path, "quiet = true").rename(tmp_path / "settings.csv")
    done = program("analyze", CONSOLE, "--config", file, "--findings", file)
    assert done.code == 2
    assert "is an input" in unwrapped(done.messages)
    assert file.read_text() == "quiet = true"


def test_a_list_without_an_end_is_refused(program: Program) -> None:
    done = program("analyze", CONSOLE, "--exemptions", "/dev/zero")
    assert done.code == 2
    assert "/dev/zero holds more than 64 MiB" in " ".join(done.messages.split())


def test_a_pipe_that_nobody_writes_to_is_an_empty_list(program: Program, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "exemptions.csv")
    done = program("analyze", CONSOLE, "--exemptions", tmp_path / "exemptions.csv")
    assert done.code == 3
    assert "row 1: missing: account, user" in done.messages
