"""Each option changes each output, or the pair is refused with both names and the way out.

The pairs are those of the commands' own parameters: a new option without values to try fails.
"""

import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from analyzer.cli.command import command_named
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    LONG_AGO,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    report_text,
    run,
    saved,
    the_root,
)
from tests.support.decisions import console_name
from tests.support.removal_logs import log_in, log_row
from tests.support.review import fill_in

OTHER: Final = "111122223333"
Words = tuple[str, ...]

# Files: the options name them by what stands here, in a folder that all pairs share

USED: Final = a_password(days_before(1), days_before(1))
ALWAYS: Final = (
    a_user("ann", password=a_password(), created=days_before(900)),
    a_user("kept", password=a_password(), created=days_before(700)),
    a_user("svc-old", key_1=an_inactive_key(), created=days_before(600)),
    a_user("svc-idle", key_1=a_key(days_before(95), days_before(60)), created=days_before(500)),
    a_user("svc-dormant", key_1=a_key(used=days_before(300)), created=days_before(550)),
    a_user("turned", key_1=an_inactive_key(used=days_before(100)), created=days_before(800)),
    a_user("half", password=USED, key_1=a_key(LONG_AGO, days_before(100)), mfa=True),
)
BEFORE: Final = (
    *ALWAYS,
    a_user("gone", password=a_password(), created=days_before(710)),
    a_user("swap", key_1=a_key(), created=days_before(720)),
    a_user("off", key_1=a_key(used=days_before(100)), created=days_before(730)),
    a_user("signer", password=USED, mfa=True),
)
NOW: Final = (
    *ALWAYS,
    a_user("young", created=days_before(20)),
    a_user("swap", key_1=an_inactive_key(), created=days_before(720)),
    a_user("off", key_1=an_inactive_key(used=days_before(100)), created=days_before(730)),
    a_user("signer", password=USED, mfa=True, certificate_1=a_certificate()),
)
THERE: Final = (
    a_user("zoe", created=days_before(300), account=OTHER),
    a_user("tom", created=days_before(400), account=OTHER, mfa=True),
)
THERE_BEFORE: Final = (THERE[0], a_user("pat", created=days_before(410), account=OTHER))
ROOT: Final = the_root(password_last_used=days_before(20), password_last_changed=days_before(200))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with reports of two accounts and two days, lists, a ledger and a log."""
    folder = tmp_path_factory.mktemp("effects")
    of_old, of_now = console_name(days_before(45)), console_name(AS_OF)
    before = saved(folder, report_text(BEFORE), f"old/{of_old}")
    saved(folder, report_text(THERE_BEFORE, root=the_root(OTHER)), f"old/2/{of_old}")
    saved(folder, report_text(NOW, root=ROOT), f"new/{of_now}")
    saved(folder, report_text(THERE, root=the_root(OTHER)), f"new/2/{of_now}")
    an_hour_before = console_name(AS_OF - timedelta(hours=1))
    saved(folder, report_text(NOW, root=ROOT), f"early/{an_hour_before}")
    saved(folder, "no report", "broken/a.csv")
    exempt = "*,swap,known,IT,\n*,half,known,IT,2026-04-10\n"
    saved(folder, f"account,user,reason,owner,expires\n{exempt}", "exemptions.csv")
    saved(folder, "account,user,owner\n*,swap,Eva\n*,svc-*,Tom\n", "owners.csv")
    saved(folder, f"account,name\n{ACCOUNT},Main\n999999999999,Lost\n", "names.csv")
    book = folder / "review.xlsx"
    assert run("analyze", before, "-q", "-o", book).code == 0
    fill_in(book, {"kept": "keep", "gone": "delete"}, on=date(2026, 3, 18))
    done = run("collect", book, "--report", before, "-o", folder / "decisions.csv")
    assert done.code == 0, done.messages
    log_in(folder, log_row(days_before(40), "gone", days_before(710)), name="log.csv")
    return folder


# Outputs, by the words that ask for them

FORMATS: Final[Mapping[str, Sequence[str]]] = {
    "analyze": ("table", "csv", "findings", "json", "markdown", "line", "names", "arns"),
    "diff": ("table", "line", "names", "arns", "csv", "json"),
    "history": ("table", "csv", "json"),
    "export": (),
}
FILES: Final[Mapping[str, Sequence[str]]] = {
    "analyze": ("a.csv", "a.json", "a.md", "a.html", "a.parquet", "a.xlsx", "a.ocsf.json")
    + ("findings.csv", "findings.parquet", "split"),
    "diff": ("a.csv", "a.json"),
    "history": ("a.csv", "a.json", "a.xlsx"),
    "export": ("runs",),
}
OUTPUT_OPTIONS: Final = {"--output", "--format", "--out-dir", "--from", "--split-by", "--help"}
"""The options that ask for an output or name an input: they are a part of each pair."""

SOURCES: Final[Mapping[str, Words]] = {
    "analyze": ("new",),
    "diff": ("old", "new"),
    "history": ("old", "new"),
    "export": ("--from", "new"),
}

# Values, each with what it needs besides: both runs of a pair have that

LEDGER: Final[Words] = ("--decisions", "decisions.csv")
Value = tuple[Words, Words]
COMMON: Final[Mapping[str, Value]] = {
    "--quiet": ((), ()),
    "--skip-unreadable": ((), ("broken",)),
    "--max-input": (("1K",), ()),
    "--definition": (("iam-029",), ()),
    "--idle-days": (("45",), ("--verdict", "dormant")),
    "--grace-days": (("30",), ()),
    "--exemptions": (("exemptions.csv",), ()),
    "--exempt": (("swap=known",), ()),
    "--owners": (("owners.csv",), ()),
    "--accounts": (("names.csv",), ()),
    "--standard": (("cis-7.0",), ()),
    "--rules": (("unrotated-access-key",), ()),
    "--limit": (("rotation=365",), ()),
    "--user": (("svc-*",), ()),
    "--account": ((ACCOUNT,), ()),
    "--decisions": (("decisions.csv",), ()),
    "--log": (("log.csv",), LEDGER),
    "--verdict": (("dormant",), ()),
}
VALUES: Final[Mapping[str, Mapping[str, Value]]] = {
    "analyze": {
        **COMMON,
        "--as-of": (("2026-04-25",), ()),
        "--max-report-age": (("1",), ()),
        "--certain": ((), ()),
        "--min-age": (("650",), ()),
        "--exposure": (("none",), ()),
        "--fail-on": (("unused",), ()),
    },
    "diff": {
        **COMMON,
        "--idle-days": (("45",), ()),
        "--old-as-of": (("2026-03-20",), ()),
        "--new-as-of": (("2026-05-02",), ()),
        "--change": (("gone",), ()),
        "--fail-on": (("gone",), ()),
    },
    "history": {
        **COMMON,
        "--idle-days": (("45",), ()),
        "--since": (("2026-04-20",), ()),
        "--until": (("2026-03-20",), ()),
        "--max-gap": (("60",), ()),
        "--table": (("users",), ()),
        "--fail-on": (("gap",), ()),
    },
    "export": {
        **COMMON,
        "--idle-days": (("45",), ()),
        "--skip-unreadable": ((), ("--from", "broken")),
        "--also": (("ocsf",), ()),
        "--keep": (("1",), ()),
        "--max-report-age": (("1",), ()),
        "--log-format": (("json",), ()),
        "--fail-on": (("unused-user",), ()),
        "--profile": (("one",), ()),
        "--region": (("us-east-1",), ()),
        "--timeout": (("9",), ()),
        "--service-credentials": ((), ()),
        "--role-name": (("reader",), ()),
        "--external-id": (("audit",), ()),
        "--include": (("1*",), ()),
        "--exclude": (("1*",), ()),
        "--organizational-unit": (("ou-1",), ()),
        "--organization": ((), ()),
    },
}
BESIDE: Final = (
    *("--quiet", "--fail-on", "--max-report-age", "--max-input", "--skip-unreadable"),
    *("--keep", "--log-format", "--max-gap"),
)
"""The options on messages, exit codes and other runs: they need not change the output itself."""

NAMES: Final = ("names", "arns")
FINDINGS: Final = ("findings", "findings.csv", "findings.parquet", "a.ocsf.json")
LISTS: Final = (*NAMES, "csv", "a.csv", "a.parquet", "split")
RULES: Final = ("--standard", "--rules", "--limit")
TABLES: Final = ("table", "csv", "a.csv")
OF_AWS: Final = (
    *("--profile", "--region", "--timeout", "--service-credentials", "--role-name"),
    *("--external-id", "--include", "--exclude", "--organizational-unit", "--organization"),
)
Pairs = set[tuple[str, str]]


def pairs(options: Sequence[str], outputs: Sequence[str]) -> Pairs:
    return {(option, output) for option in options for output in outputs}


IN_MESSAGES: Final[Mapping[str, Pairs]] = {
    "analyze": pairs(["--as-of"], ["table", *NAMES])
    | pairs(["--certain", "--accounts"], NAMES)
    | pairs(RULES, ["table"]),
    "diff": pairs(["--old-as-of", "--new-as-of", "--accounts"], NAMES),
    "history": set(),
    "export": set(),
}
"""The pairs of which the messages beside the output say what changes."""

OF_FINDINGS: Final = [("analyze", output) for output in FINDINGS]

REFUSED: Final[Mapping[str, Pairs]] = {
    "analyze": pairs(RULES, LISTS)
    | pairs(["--verdict"], FINDINGS)
    | pairs(["--owners"], [*NAMES, "line"])
    | pairs(["--grace-days"], ["line"])
    | pairs(["--log"], [*FINDINGS, *LISTS, "table", "line", "markdown", "a.md", "a.html"]),
    "diff": pairs(["--owners"], [*NAMES, "line"])
    | pairs(["--exempt"], ["line"])
    | pairs(["--grace-days"], [*TABLES, "line", "json", "a.json"]),
    "history": pairs(["--table"], ["json", "a.json", "a.xlsx"])
    | pairs(["--idle-days", "--exemptions", "--exempt", "--owners", "--log"], TABLES),
    "export": pairs(OF_AWS, ["runs"]),
}
"""The pairs of an option and an output that are refused."""


def options_of(command: str) -> list[str]:
    """Return the options of a command by its parameters, but for those that ask for an output."""
    params = [each for each in command_named(command).params if each.param_type_name == "option"]
    names = [next(name for name in param.opts if name.startswith("--")) for param in params]
    return [name for name in names if name not in OUTPUT_OPTIONS]


def outputs_of(command: str) -> list[str]:
    return [*FORMATS[command], *FILES[command]]


PAIRS: Final = [
    (command, option, output)
    for command in VALUES
    for option in options_of(command)
    for output in outputs_of(command)
]


@pytest.mark.parametrize("command", VALUES)
def test_every_option_has_a_value_to_try(command: str) -> None:
    assert {*options_of(command)} <= {*VALUES[command]}


@pytest.mark.parametrize("command", VALUES)
def test_each_option_changes_each_output_or_is_refused_with_the_way_out(
    command: str, folder: Path, tmp_path: Path
) -> None:
    wrong: list[str] = []
    for of, option, output in PAIRS:
        if of == command:
            wrong += problems_of(command, option, output, folder, tmp_path)
    assert not wrong, "\n".join(wrong)


def problems_of(command: str, option: str, output: str, folder: Path, out: Path) -> Iterator[str]:
    """Yield what is wrong with a pair: it changes nothing, or is refused without the way out."""
    given, needed = value_of(command, option, output)
    before = result_of(command, output, needed, folder, out)
    after = result_of(command, output, (*needed, option, *given), folder, out)
    place = f"{command} {' '.join((option, *given))} with {output}"
    code, content, messages = after
    if before[0] == 2:
        yield f"{place}: refused without it: {before[2]}"
    elif (option, output) in REFUSED[command]:
        named = "--from" if output == "runs" else output
        is_named = f"for {option}: " in messages and named in messages
        has_way_out = re.search(r": use -|: leave out ", messages)
        nothing = result_of(command, output, ("--no-such-option",), folder, out)
        if code != 2 or content != nothing[1] or not (is_named and has_way_out):
            yield f"{place}: not refused with both names ({code}: {messages})"
    elif code == 2:
        yield f"{place}: refused: {messages}"
    elif after == before or (content == before[1] and not is_said(command, option, output)):
        yield f"{place}: changes nothing"


def is_said(command: str, option: str, output: str) -> bool:
    """Return whether messages or the exit code say what an option changes."""
    return option in BESIDE or (option, output) in IN_MESSAGES[command]


def value_of(command: str, option: str, output: str) -> Value:
    given, needed = VALUES[command][option]
    return given, () if (command, output) in OF_FINDINGS and "--verdict" in needed else needed


RECORDS: Final = ("manifest.json", "last-run.json")
"""The files of runs that record the options, or the time."""

Result = tuple[int, bytes, str]


@cache
def result_of(command: str, output: str, words: Words, folder: Path, out: Path) -> Result:
    """Return exit code, content of the output, and messages; a file goes to a folder of its own."""
    place = out / str(len(list(out.iterdir())))
    place.mkdir()
    if output in FORMATS[command]:
        asked: Sequence[object] = ("--format", output)
    elif output == "split":
        asked = ("--split-by", "account", "--output", place / "split")
    else:
        asked = ("--out-dir" if command == "export" else "--output", place / output)
    if command == "export":
        assert run("export", "--from", "early", *asked, folder=folder).code == 0
    done = run(command, *SOURCES[command], *asked, *words, folder=folder)
    found = (path for path in place.rglob("*") if path.is_file() and path.name not in RECORDS)
    files = sorted(found)
    shown = without_criteria(done.output) if output == "json" and done.output else done.output
    content = shown + b"".join(map(content_of, files))
    return done.code, content, " ".join(done.messages.replace(str(place), "").split())


def content_of(path: Path) -> bytes:
    """Return a file's content but for the options that it records.

    These are the criteria of JSON, and the hidden rows of a workbook.
    """
    if path.name == "a.json":
        return without_criteria(path.read_bytes())
    if path.suffix != ".xlsx":
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        parts = b"".join(archive.read(name) for name in sorted(archive.namelist()))
    return re.sub(rb'<row [^>]*hidden="1".*?</row>', b"", parts)


def without_criteria(content: bytes) -> bytes:
    value = json.loads(content)
    return repr({**value, "criteria": None}).encode()
