"""Each pair of values of two options is tried: it ends with a code of the table, and outputs agree.

What went wrong lately went wrong between two options that were right alone.
"""

import json
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq
import pytest
from allpairspy import AllPairs

from analyzer.cli.command import command_named
from analyzer.decisions.removal_log import LOG_COLUMNS
from tests.support.builders import ROOT_FOLDER, Run, run, table
from tests.support.review import fill_in
from tests.support.workbooks import opened

SAMPLES: Final = ROOT_FOLDER / "samples"
(CONSOLE,) = SAMPLES.glob("status_reports_*.csv")
EARLIER, ORGANIZATION = SAMPLES / "earlier", SAMPLES / "organization"
CODES: Final = {0, 1, 2, 3, 5}
Words = tuple[object, ...]
NONE: Final[Words] = ()

FILES: Final = ("a.csv", "a.json", "a.md", "a.html", "a.parquet", "a.xlsx", "findings.csv")
JUDGING: Final[Mapping[str, Sequence[Words]]] = {
    "--definition": [NONE, ("iam-029",)],
    "--idle-days": [NONE, ("45",)],
    "--grace-days": [NONE, ("0",)],
    "--exemptions": [NONE, (SAMPLES / "exemptions.csv",)],
    "--exempt": [NONE, ("s3-*=storage",)],
    "--owners": [NONE, (SAMPLES / "owners.csv",)],
    "--accounts": [NONE, ("names.csv",)],
}
RULES: Final[Mapping[str, Sequence[Words]]] = {
    "--standard": [NONE, ("cis-7.0",), ("fsbp",)],
    "--rules": [NONE, ("all",), ("root-*",)],
    "--limit": [NONE, ("rotation=365",)],
    "--fail-on": [NONE, ("critical,unused",)],
}
INPUT: Final[Mapping[str, Sequence[Words]]] = {
    "--skip-unreadable": [NONE, ("",)],
    "--max-input": [NONE, ("1G",)],
}
LEDGER: Final[Mapping[str, Sequence[Words]]] = {
    "--decisions": [NONE, ("decisions.csv",)],
    "--log": [NONE, ("log.csv",)],
}
USERS: Final[Mapping[str, Sequence[Words]]] = {
    "--account": [NONE, ("*",)],
    "--user": [NONE, ("*a*",), ("!s*",)],
}
VERDICT: Final[Sequence[Words]] = [NONE, ("all",), ("unused,dormant",)]
FORMS: Final = ("table", "csv", "json", "line", "names", "arns", "findings", "markdown")
VALUES: Final[Mapping[str, Mapping[str, Sequence[Words]]]] = {
    "analyze": {
        "SOURCES": [
            (CONSOLE,),
            (ORGANIZATION,),
            (SAMPLES / "old-form.csv",),
            (SAMPLES / "powershell-utf16.csv",),
            (SAMPLES / "report.json",),
            ("both.zip",),
        ],
        "--output": [FILES, NONE],
        "--format": [NONE] + [(form,) for form in FORMS],
        "--verdict": VERDICT,
        "--split-by": [NONE, ("owner",), ("account",)],
        "--quiet": [NONE, ("",)],
        "--as-of": [NONE, ("2026-12-01",)],
        "--max-report-age": [NONE, ("36500",)],
        "--certain": [NONE, ("",)],
        "--min-age": [NONE, ("90",)],
        "--exposure": [NONE, ("none,unknown",)],
        **USERS,
        **JUDGING,
        **RULES,
        **LEDGER,
        **INPUT,
    },
    "diff": {
        "SOURCES": [(EARLIER, CONSOLE), (CONSOLE, CONSOLE), (CONSOLE, EARLIER)],
        "--output": [("a.csv", "a.json"), NONE],
        "--format": [NONE]
        + [(form,) for form in ("table", "csv", "json", "line", "names", "arns")],
        "--quiet": [NONE, ("",)],
        "--old-as-of": [NONE, ("2025-12-05",)],
        "--new-as-of": [NONE, ("2026-12-01",)],
        "--verdict": VERDICT,
        "--change": [NONE, ("unused",), ("new,gone",)],
        **USERS,
        **JUDGING,
        **RULES,
    },
    "history": {
        "SOURCES": [(EARLIER, CONSOLE), (ORGANIZATION,), ("both.zip",)],
        "--output": [("a.csv", "a.json", "a.xlsx"), NONE],
        "--format": [NONE, ("table",), ("csv",), ("json",)],
        "--quiet": [NONE, ("",)],
        "--table": [NONE, ("users",), ("events",), ("decisions",)],
        "--since": [NONE, ("2025-12-01",), ("2026-01-01",)],
        "--until": [NONE, ("2026-03-31",)],
        "--max-gap": [NONE, ("95",)],
        "--fail-on": [NONE, ("overdue",)],
        **{option: JUDGING[option] for option in JUDGING if option != "--grace-days"},
        **LEDGER,
        **INPUT,
    },
    "export": {
        "--from": [(CONSOLE,), (ORGANIZATION,), ("both.zip",), (SAMPLES / "report.json",)],
        "--out-dir": [("runs",)],
        "--also": [NONE, ("ocsf",), ("parquet",), ("ocsf,parquet",)],
        "--keep": [NONE, ("1",)],
        "--log-format": [NONE, ("json",)],
        "--quiet": [NONE, ("",)],
        "--max-report-age": [NONE, ("36500",)],
        "--decisions": LEDGER["--decisions"],
        **JUDGING,
        **RULES,
        **INPUT,
    },
}
"""The values of each option by command; `("",)` is a flag that is given."""

Chosen = Mapping[str, Words]


def lacks(option: str, value: str | None, needed: str) -> Callable[[Chosen], bool]:
    """Return whether an option with a value, or with any, is there without another one."""

    def is_wrong(chosen: Chosen) -> bool:
        words = chosen.get(option, NONE)
        is_there = words == (value,) if value is not None else words != NONE
        return is_there and chosen.get(needed) == NONE

    return is_wrong


def lists_findings_as_users(chosen: Chosen) -> bool:
    """Return whether names or ARNs are asked for of rules."""
    users = (("names",), ("arns",))
    return chosen.get("--format") in users and chosen.get("--rules", NONE) != NONE


def is_backwards(chosen: Chosen) -> bool:
    """Return whether the later report is the first of the two."""
    return chosen.get("SOURCES") == (CONSOLE, EARLIER)


WRONG_USAGE: Final = (
    lacks("--split-by", None, "--output"),
    lacks("--split-by", "owner", "--owners"),
    lacks("--log", None, "--decisions"),
    lacks("--fail-on", "overdue", "--decisions"),
    lacks("--table", "decisions", "--decisions"),
    lists_findings_as_users,
    is_backwards,
)
"""What is refused whatever else is given: other tests have it, here it would hide the rest."""

OF_AWS: Final = (
    {"--profile", "--region"}
    | {"--timeout", "--service-credentials", "--role-name"}
    | {"--external-id", "--include", "--exclude", "--organizational-unit", "--organization"}
)
"""The options of export that ask AWS, and are refused with --from: tests/runs has them."""

GROUPS: Final = 6
"""The combinations of a command are tried in so many tests, which share the processors."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with an archive of two reports, names of accounts, a ledger and a log."""
    folder = tmp_path_factory.mktemp("pairs")
    (earlier,) = EARLIER.glob("*.csv")
    with zipfile.ZipFile(folder / "both.zip", "w") as archive:
        archive.write(earlier, earlier.name)
        archive.write(CONSOLE, CONSOLE.name)
    (folder / "names.csv").write_text("account,name\n123456789012,Main\n999999999999,Lost\n")
    book = folder / "first.xlsx"
    assert run("analyze", EARLIER, "-q", "-o", book).code == 0
    words = {"lena.hartwig": "keep", "soap-archive": "delete"}
    fill_in(book, words, by="Ann Lee", on=date(2025, 12, 2))
    done = run("collect", book, "--report", EARLIER, "-o", folder / "decisions.csv")
    assert done.code == 0, done.messages
    (folder / "log.csv").write_text(",".join(LOG_COLUMNS) + "\n")
    return folder


@cache
def combinations(command: str) -> list[dict[str, Words]]:
    """Return combinations of values in which each pair of values of two options stands."""
    values = VALUES[command]

    def is_meant(row: Sequence[Words]) -> bool:
        chosen = dict(zip(values, row, strict=False))
        return not any(is_wrong(chosen) for is_wrong in WRONG_USAGE)

    rows = AllPairs(list(values.values()), filter_func=is_meant)
    return [dict(zip(values, each, strict=True)) for each in rows]


def words_of(chosen: Chosen, folder: Path, out: Path) -> list[object]:
    """Return the words of a command line; files of the folder are named by their paths."""
    words: list[object] = []
    for option, values in chosen.items():
        if option == "--output" and chosen.get("--split-by"):
            words += [option, out / "split"]
            continue
        for value in values:
            own = folder / str(value)
            place = own if str(value) and own.is_file() else value
            if option == "SOURCES":
                words.append(place)
            elif option in ("--output", "--out-dir"):
                words += [option, out / str(value)]
            else:
                words += [option, place] if value != "" else [option]
    return words


@pytest.mark.parametrize("command", VALUES)
def test_every_option_of_a_command_has_values_to_try(command: str) -> None:
    options = {
        next(name for name in param.opts if name.startswith("--"))
        for param in command_named(command).params
        if param.param_type_name == "option" and param.name != "help"
    }
    assert options - OF_AWS == set(VALUES[command]) - {"SOURCES"}


@pytest.mark.parametrize("group", range(GROUPS))
@pytest.mark.parametrize("command", VALUES)
def test_each_pair_ends_well_and_its_outputs_agree(
    command: str, group: int, folder: Path, tmp_path: Path
) -> None:
    for number, chosen in enumerate(combinations(command)[group::GROUPS]):
        out = tmp_path / str(number)
        out.mkdir()
        words = words_of(chosen, folder, out)
        done = run(command, *words)
        place = f"{command} {' '.join(map(str, words))}\n{done.messages[-600:]}"
        assert done.code in CODES, place
        if done.code in (2, 3):
            assert done.messages, place
            assert not list(out.rglob("*.*")), place
            continue
        disagreements = list(CHECKS[command](chosen, done, out, words))
        assert disagreements == [], place


def listed_rows(content: bytes) -> list[dict[str, str]]:
    return [row for row in table(content) if row["verdict"] != "not-covered"]


def check_analysis(chosen: Chosen, done: Run, out: Path, _words: Sequence[object]) -> list[str]:
    """Return in what the outputs of an analysis disagree."""
    if chosen["--split-by"] or not chosen["--output"]:
        return []
    content, document = (out / "a.csv").read_bytes(), json.loads((out / "a.json").read_bytes())
    found = disagreements(content, document, pq.read_table(out / "a.parquet").num_rows)
    unused = sum(each["users"] for each in document["counts"] if each["verdict"] == "unused")
    text = (out / "a.md").read_text(encoding="utf-8")
    if chosen["--verdict"] == NONE and f"{unused:,} of " not in text and unused:
        found.append(f"Markdown does not say {unused:,} unused")
    names = {row["user"] for row in listed_rows(content)}
    if chosen["--format"] == ("arns",) and not done.code:
        arns = {line.rpartition("/")[2] for line in done.output.decode().split()}
        found += [f"{name} is in no CSV" for name in arns - {each.lstrip("'") for each in names}]
    return found + check_workbook(chosen, out)


def disagreements(content: bytes, document: Mapping[str, Any], rows: int) -> list[str]:
    """Return which counts of the same thing differ in CSV, JSON and Parquet."""
    listed, every = listed_rows(content), table(content)
    counts = {
        "users": (len(listed), len(document["users"])),
        "exempt users": (
            sum(bool(row["exemption"]) for row in listed),
            sum(bool(user["exemption"]) for user in document["users"]),
        ),
        "missing accounts": (len(every) - len(listed), len(document["not_covered"])),
        "rows": (len(every), rows),
    }
    return [f"{what}: {both}" for what, both in counts.items() if both[0] != both[1]]


def check_workbook(chosen: Chosen, out: Path) -> list[str]:
    """Return what verify, collect and plan find wrong in the workbook that was written."""
    book = out / "a.xlsx"
    return [f"{book.name}: {problem}" for problem in workbook_problems(book, chosen)]


def workbook_problems(book: Path, chosen: Chosen) -> list[str]:
    """Return why the untouched workbook is not reproduced, or its first user not collected."""
    folder = PAIRS_FOLDER[0]
    (source,) = chosen["SOURCES"]
    report = folder / str(source) if str(source) == "both.zip" else source
    given: list[object] = ["--report", report]
    for option in ("--exemptions", "--owners"):
        given += [word for value in chosen[option] for word in ("--list", value)]
    ledger = [folder / "decisions.csv"] if chosen["--decisions"] else []
    done = run("verify", book, *ledger, *given)
    if "0 differences" not in done.output.decode() or done.code:
        return [f"verify {done.code}: {done.output.decode()[-300:]}{done.messages[-300:]}"]
    decided = first_user(book)
    if decided is None:
        return []
    name, day = decided
    filled = fill_in(book, {name: "investigate"}, on=day, copy=book.with_name("filled.xlsx"))
    entered = book.with_name("entered.csv")
    if ledger:
        entered.write_bytes(ledger[0].read_bytes())
    done = run("collect", filled, *given, "-o", entered)
    if done.code:
        return [f"collect {done.code}: {done.messages[-400:]}"]
    script = book.with_name("remove.sh")
    done = run("plan", entered, "--report", report, "--exemptions", "none", "-o", script)
    return [] if done.code in (0, 5) else [f"plan {done.code}: {done.messages[-400:]}"]


def first_user(book: Path) -> tuple[str, date] | None:
    """Return the first user of a list to decide in, and the day of the newest report."""
    for sheet in opened(book.read_bytes()):
        rows = list(sheet.iter_rows(values_only=True))
        for at, row in enumerate(rows):
            if "Decision" in row and "User" in row and at + 1 < len(rows):
                title = str(opened(book.read_bytes())["Summary"]["A2"].value)
                days = re.findall(r"\d{4}-\d\d-\d\d", title)
                return str(rows[at + 1][row.index("User")]), date.fromisoformat(max(days))
    return None


PAIRS_FOLDER: list[Path] = []


@pytest.fixture(autouse=True)
def named_folder(folder: Path) -> None:
    """Name the folder with the inputs."""
    PAIRS_FOLDER[:] = [folder]


def check_diff(chosen: Chosen, _done: Run, out: Path, _words: Sequence[object]) -> list[str]:
    """Return in what the outputs of a comparison disagree."""
    if not chosen["--output"]:
        return []
    rows = table((out / "a.csv").read_bytes())
    document = json.loads((out / "a.json").read_bytes())
    found = [] if len(rows) == len(document["changes"]) else ["changes"]
    kinds: dict[str, int] = {}
    for change in document["changes"]:
        if change["change"] != "not-covered":  # it is no change, and listed last
            kinds[change["change"]] = kinds.get(change["change"], 0) + 1
    return found + ([] if kinds == document["counts"] else ["counts"])


def check_history(chosen: Chosen, _done: Run, out: Path, _words: Sequence[object]) -> list[str]:
    """Return in what the outputs of a history disagree."""
    if not chosen["--output"]:
        return []
    document = json.loads((out / "a.json").read_bytes())
    name = str((*chosen["--table"], "period")[0])
    rows = table((out / "a.csv").read_bytes())
    return [] if len(rows) == len(document[name]) else [f"{name}: {len(rows)}"]


def check_run(_chosen: Chosen, _done: Run, out: Path, words: Sequence[object]) -> list[str]:
    """Return what verify says of a run, and whether a second run makes another one."""
    latest = out / "runs" / "latest"
    document = json.loads((latest / "analysis.json").read_bytes())
    rows = table((latest / "users.csv").read_bytes())
    found = disagreements((latest / "users.csv").read_bytes(), document, len(rows))
    proof = run("verify", latest)
    if proof.code:
        found.append(f"verify {proof.code}: {proof.output.decode()[-400:]}{proof.messages[-300:]}")
    before = {path.name for path in (out / "runs").iterdir()}
    again = run("export", *words)
    if {path.name for path in (out / "runs").iterdir()} != before:
        found.append(f"a second run is not the same ({again.code})")
    return found


CHECKS: Final = {
    "analyze": check_analysis,
    "diff": check_diff,
    "history": check_history,
    "export": check_run,
}


def test_a_disagreement_is_found() -> None:
    done = run("analyze", CONSOLE, "-q", "-f", "csv")
    document = run("analyze", CONSOLE, "-q", "-f", "json").document
    rows = len(table(done.output))
    assert disagreements(done.output, document, rows) == []
    document["users"].pop()
    assert disagreements(done.output, document, rows - 1) != []
