"""The README says what is true: its commands, tables and example are held to the program."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.caveats import CAVEATS
from analyzer.cli.rules import rules_table
from analyzer.cli.stdout import CLOSED
from analyzer.errors import BUG, FAILED, PARTIAL, AwsRefused, Busy, InputRefused, OutputFailed
from analyzer.rules import RULES
from analyzer.rules.rule import Outcome
from analyzer.terms import UnusedReason, Verdict
from analyzer.writers import asff, ocsf
from analyzer.writers.csv import USER_COLUMNS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def table(first_column: str) -> dict[str, str]:
    """Return the rows of the table whose first column has that title: first cell → second."""
    _, rows = README.split(f"| {first_column} | ", 1)
    found = {}
    for line in rows.splitlines()[2:]:
        if not line.startswith("|"):
            break
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        found[cells[0]] = cells[1]
    return found


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_table_of_verdicts_lists_them_in_the_order_in_which_they_are_tried() -> None:
    assert list(table("verdict")) == list(Verdict)


def test_the_table_of_caveats_lists_all_of_them_in_their_order() -> None:
    assert list(table("caveat")) == [caveat.id for caveat in CAVEATS]


def test_the_table_of_rules_is_the_one_that_the_rules_make() -> None:
    assert f"\n\n{rules_table(RULES)}\n\n" in README


def test_every_reason_of_unused_users_is_told() -> None:
    assert [reason for reason in UnusedReason if f"`{reason}`" not in README] == []


def test_the_table_of_exit_codes_lists_those_that_the_program_gives() -> None:
    errors = {each.exit_code for each in (InputRefused, AwsRefused, OutputFailed, Busy)}
    signals = {128 + signal.SIGINT, CLOSED, 128 + signal.SIGTERM}
    given = {0, FAILED, 2, PARTIAL, BUG} | errors | signals
    told = ",".join(table("exit code"))
    assert {int(code) for code in told.split(",")} == given


def test_the_table_of_outcomes_tells_what_the_feeds_call_each() -> None:
    _, rows = README.split("| outcome | OCSF | ASFF |", 1)
    told = {
        outcome: tuple(re.findall("`(.+?)`", next(re.finditer(rf"\| {outcome}\b.*", rows))[0]))
        for outcome in Outcome
    }
    assert told == {
        outcome: (ocsf.RESULTS[outcome][1], asff.RESULTS[outcome]) for outcome in Outcome
    }
    assert f"OCSF {ocsf.OCSF_VERSION} " in README


def test_the_columns_of_the_csv_are_listed_in_their_order() -> None:
    told = re.findall(r"`(\w+)`", README.split("**CSV**")[1].split("and then the report's own")[0])
    assert told[-12:] == list(USER_COLUMNS[:12])


def test_the_python_example_runs_and_finds_the_unused_users_of_each_account(
    tmp_path: Path,
) -> None:
    (example,) = blocks("python")
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert re.findall(r"^(\d{12}) +(\d+)$", done.stdout, re.MULTILINE)
    assert (tmp_path / "review.xlsx").stat().st_size > 0


@pytest.mark.parametrize(
    "command",
    [
        line.split("#")[0].strip()
        for block in blocks("sh")
        for line in block.splitlines()
        if line.startswith("credreport analyze")
    ],
)
def test_each_command_of_the_readme_runs_on_the_samples(command: str, tmp_path: Path) -> None:
    (tmp_path / "report.csv").symlink_to(
        ROOT / "samples" / "status_reports_2026-03-01T09-30-00+00-00.csv"
    )
    (tmp_path / "reports").symlink_to(ROOT / "samples" / "organization")
    arguments = command.split()[1:]
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == (FAILED if "--fail-on" in command else 0), done.stderr
