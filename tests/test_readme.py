"""The READMEs say what is true: their commands, tables and examples are held to the program."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

import botocore.session
import pytest

from analyzer import analyze, load, read_exemptions, rulebook
from analyzer.changes.user_changes import ChangeKind
from analyzer.cli.streams import PIPE_CLOSED
from analyzer.columns import IN_REPORT, OF_USERS_CSV, REQUIRED
from analyzer.decisions.removal_log import LOG_COLUMNS
from analyzer.errors import BUG, FAILED, PARTIAL, AwsRefused, Busy, InputRefused, OutputFailed
from analyzer.rules.rule import Outcome
from analyzer.standards import STANDARDS
from analyzer.terms import AsOfSource, UnusedReason, Verdict
from analyzer.verdicts.caveats import BLIND_SPOT_COMMANDS, CAVEATS
from analyzer.writers import ocsf
from analyzer.writers.findings import FINDING_COLUMNS
from tests.support.builders import ROOT_FOLDER
from tests.support.forking import forking
from tests.support.outputs import summary_text

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

PAGES = (
    "README.md",
    ".github/CONTRIBUTING.md",
    "analyzer/README.md",
    "analyzer/changes/README.md",
    "analyzer/cli/README.md",
    "analyzer/report/README.md",
    "analyzer/rules/README.md",
    "analyzer/verdicts/README.md",
    "analyzer/writers/README.md",
    "samples/README.md",
    "samples/deploy/README.md",
    "samples/engines/README.md",
    "samples/recipes.md",
    "samples/review/README.md",
    ".github/CONTRACT.md",
    ".github/SECURITY.md",
)
TEXTS = {page: (ROOT_FOLDER / page).read_text(encoding="utf-8") for page in PAGES}
README = TEXTS["README.md"]
CHANGES, CLI, REPORTS, RULES_PAGE, VERDICTS, WRITERS = (
    TEXTS[f"analyzer/{room}/README.md"]
    for room in ("changes", "cli", "report", "rules", "verdicts", "writers")
)
DEPLOY = ROOT_FOLDER / "samples" / "deploy"

NOT_RUN = {
    "python3 -m venv .venv && .venv/bin/pip install": "installs packages",
    "uv venv -q .venv-lowest": "installs packages",
    "printf '%s\\n' hatchling": "asks a package index",
    "aws iam generate-credential-report": "asks AWS",
    "aws iam get-account-authorization-details": "asks AWS",
    "aws iam create-role": "asks AWS",
    "aws cloudformation create-stack-set": "asks AWS",
    "credreport fetch -o": "asks AWS",
    "credreport fetch --organization": "asks AWS",
    "pipx install": "installs the program",
    "sudo useradd": "changes the machine",
    "sudo crontab": "changes the machine",
    "sudo install": "changes the machine",
    "docker build": "needs Docker and a network",
    ".venv/bin/ruff check .": "the checks themselves",
    ".venv/bin/python -m tests.fuzz.run": "takes a minute, and runs in CI by itself",
    ".venv/bin/pytest -q -n auto --cov": "the tests themselves",
    "sh undo-credreport-removals.sh": "changes AWS; tests/decisions runs such files likewise",
    "sh remove.sh": "changes AWS; tests/decisions runs such scripts against a stand-in",
    ".venv/bin/python -m tests.golden": "writes the files that tests hold",
    ".venv/bin/python tests/benchmarks/speed.py": "takes minutes",
}
"""The blocks of commands that do not run, by how they begin."""

EXIT_CODES = {
    "credreport analyze reports/ -q --fail-on": FAILED,
    "credreport analyze report.json --standard cis-3.0 --fail-on": FAILED,
    "credreport export --from samples/organization": FAILED,
    "credreport diff 2025-12-01/ 2026-03-01/ -q --fail-on": FAILED,
    "credreport analyze reports/ --max-report-age": InputRefused.exit_code,  # the clock goes on
    "credreport history reports/ --decisions": PARTIAL,  # two accounts have old reports only
}
"""What a block of commands ends with, by how it begins; others end with 0."""

LEDGER_WITHOUT_LINES = (
    "credreport analyze reports/012345678901.csv --format csv > users.csv;"
    " { printf decision,decided_by,decided_on,ticket,comment,; head -n 1 users.csv; }"
    " > decisions.csv"
)
LOG_AND_OWNERS = (
    f"{LEDGER_WITHOUT_LINES}; echo '{','.join(LOG_COLUMNS)}' > credreport-removals.csv;"
    " echo 'account,user,owner' > owners.csv"
)
DETAILS = json.dumps(
    {
        "UserDetailList": [
            {
                "Arn": "arn:aws:iam::123456789012:user/team/lena.hartwig",
                "UserName": "lena.hartwig",
                "Tags": [{"Key": "Owner", "Value": "Lee, Ann"}],
            },
            {"Arn": "arn:aws:iam::123456789012:user/ann", "UserName": "ann"},
        ]
    }
)
BUCKET = """
aws() {
  mkdir -p bucket "$4" && cp -r "${3/s3:*/bucket}/." "${4/s3:*/bucket}"
}
"""
OF_FILES = """
credreport() {
  command credreport "$@" --from reports
}
"""
BEFORE = {
    "bucket=": BUCKET + OF_FILES,
    "jq -r": f"printf %s '{DETAILS}' > details.json",
    "credreport analyze reports/ --decisions": LEDGER_WITHOUT_LINES,
    "credreport collect": "credreport analyze reports/012345678901.csv -o review.xlsx",
    "credreport plan": LEDGER_WITHOUT_LINES,
    "credreport verify runs/latest": f"""
credreport analyze report.json --exemptions exemptions.csv -o review.xlsx
credreport export --from report.json --out-dir runs
{LEDGER_WITHOUT_LINES}
""",
    "credreport verify review.xlsx --report reports/": "credreport analyze reports/ -o review.xlsx",
    "credreport history reports/ --decisions": LOG_AND_OWNERS,
}
"""What a block of commands needs to have run before it, by how it begins."""

ACCOUNTS = "account,name,owner\n012345678901,Shop,Web team\n"


class Block(NamedTuple):
    """Hold a block of a page: its language, and what stands in it."""

    page: str
    language: str
    text: str


def blocks(language: str) -> list[Block]:
    return [
        Block(page, language, text)
        for page, whole in TEXTS.items()
        for text in re.findall(rf"^```{language}\n(.*?)^```", whole, re.DOTALL | re.MULTILINE)
    ]


def commands() -> list[Block]:
    """Return the blocks of commands of all pages, and each command of the README's table."""
    cells = re.findall(r"^\|.*\| `(credreport [^`]+)`", README, re.MULTILINE)
    return [
        *blocks("sh"),
        *(Block("README.md", "sh", cell.replace("\\|", "|") + "\n") for cell in cells),
    ]


def beginning(block: Block, beginnings: Iterable[str]) -> str | None:
    """Return the one of the beginnings that the block has."""
    return next(filter(block.text.startswith, beginnings), None)


def rows(page: str, first_column: str) -> dict[str, str]:
    """Return the rows of the table whose first column has that title: first cell → second."""
    return dict(_rows(page.split(f"| {first_column} | ", 1)[1]))


def _rows(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines()[2:]:
        if not line.startswith("|"):
            return
        first, second, *_ = (cell.strip().strip("`") for cell in line.strip("|").split("|"))
        yield first, second


def test_the_readme_has_at_most_130_lines() -> None:
    assert len(README.splitlines()) <= 130


def test_verdicts_and_caveats_are_listed_in_their_order() -> None:
    assert list(rows(VERDICTS, "verdict")) == list(Verdict)
    assert list(rows(VERDICTS, "reason")) == list(UnusedReason)
    assert list(rows(VERDICTS, "caveat")) == [caveat.id for caveat in CAVEATS]


def test_the_commands_that_settle_each_caveat_are_listed_in_their_order() -> None:
    listed = {
        caveat: words.replace("`", "") for caveat, words in rows(VERDICTS, "to settle").items()
    }
    known = {each.id: [command.split()[0] for command in each.commands] for each in CAVEATS}
    assert listed == {caveat: ", ".join(commands) for caveat, commands in known.items()}
    assert all(f"`{command.split()[0]}`" in VERDICTS for command in BLIND_SPOT_COMMANDS)


def test_each_kind_of_change_is_listed_with_its_meaning() -> None:
    assert rows(CHANGES, "kind") == {kind: kind.meaning for kind in ChangeKind}


def test_the_columns_that_may_be_missing_are_those_that_no_report_is_refused_without() -> None:
    listed = REPORTS.split("These columns may be missing:")[1].split("\n\n")[0]
    patterns = re.findall(r"`([\w*]+)`", listed)
    missing = {name for name in IN_REPORT if any(fnmatch(name, each) for each in patterns)}
    assert missing == {*IN_REPORT} - {*REQUIRED}


def test_the_filters_of_users_are_options_of_analyze() -> None:
    command = [str(forking("credreport")), "analyze", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    filters = [option.split()[0] for option in rows(CLI, "option")]
    assert filters
    assert [option for option in filters if f" {option} " not in shown.stdout] == []


def test_the_result_of_a_standard_is_the_one_of_the_sample() -> None:
    (shown,) = re.findall(r"`(CIS 3\.0: .*?)`", RULES_PAGE)
    analysis = analyze(load(ROOT_FOLDER / "samples" / "report.json"), book=rulebook("cis-3.0"))
    assert shown in summary_text(analysis)


def test_every_word_that_the_program_writes_is_listed() -> None:
    for page, words in (
        (RULES_PAGE, [each.id for each in STANDARDS]),
        (WRITERS, AsOfSource),
    ):
        assert [word for word in words if f"`{word}`" not in page] == []


def test_the_table_of_exit_codes_lists_those_that_the_program_ends_with() -> None:
    errors = {each.exit_code for each in (InputRefused, AwsRefused, OutputFailed, Busy)}
    signals = {128 + number for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)}
    signals.add(PIPE_CLOSED)
    codes = {0, FAILED, 2, PARTIAL, BUG} | errors | signals
    assert {int(code) for code in ",".join(rows(CLI, "exit code")).split(",")} == codes


def test_the_table_of_outcomes_has_the_words_of_ocsf() -> None:
    _, table = WRITERS.split("| outcome | OCSF |", 1)
    words = {
        outcome: next(re.finditer(rf"\| {outcome}\b.*?`(.+?)`", table))[1] for outcome in Outcome
    }
    assert words == {outcome: ocsf.COMPLIANCE_STATUS[outcome][1] for outcome in Outcome}
    assert f"OCSF {ocsf.OCSF_VERSION} " in WRITERS


def test_the_columns_of_users_and_findings_are_listed_in_their_order() -> None:
    for begins, ends, columns in (
        ("## Users as CSV", "and then the report's own", OF_USERS_CSV[:13]),
        ("One row a finding, by severity:", ". An outcome", FINDING_COLUMNS),
    ):
        section = WRITERS.split(begins)[1].split(ends)[0]
        assert re.findall(r"`(\w+)`", section) == [*columns]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file_and_a_heading(page: str) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", TEXTS[page]):
        if "://" in link:
            continue
        path, _, heading = link.partition("#")
        target = (ROOT_FOLDER / page).parent / path if path else ROOT_FOLDER / page
        assert target.exists(), link
        if heading:
            assert heading in _headings(target.read_text(encoding="utf-8")), link


def test_every_file_that_a_page_names_is_there() -> None:
    named = {
        name
        for text in TEXTS.values()
        for name in re.findall(r"`((?:analyzer|tests|samples)/[\w./-]+\.(?:py|sh|csv|json))`", text)
    }
    assert len(named) > 10
    assert not [name for name in sorted(named) if not (ROOT_FOLDER / name).exists()]


def _headings(text: str) -> list[str]:
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads]


def test_every_reason_not_to_run_a_block_is_still_needed() -> None:
    needed = {beginning(block, NOT_RUN) for block in commands()} - {None}
    assert needed == set(NOT_RUN)


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(each, id=each.text.splitlines()[0].split("#")[0].strip())
        for each in commands()
        if beginning(each, NOT_RUN) is None
    ],
)
def test_each_block_of_commands_runs_as_written_on_the_samples(
    block: Block, tmp_path: Path
) -> None:
    if "jq " in block.text and not shutil.which("jq"):
        pytest.skip("jq is not installed")
    samples = ROOT_FOLDER / "samples"
    (tmp_path / "samples").symlink_to(samples)
    for day, folder in (("2025-12-01", samples / "earlier"), ("2026-03-01", samples)):
        (report,) = folder.glob("status_reports_*.csv")
        (tmp_path / day).mkdir()
        (tmp_path / day / report.name).symlink_to(report)
    (tmp_path / "accounts.csv").write_text(ACCOUNTS)
    for name in ("exemptions.csv", "owners.csv", "report.json"):
        shutil.copy(samples / name, tmp_path)
    (tmp_path / "reports").symlink_to(samples / "organization")
    before = BEFORE[key] if (key := beginning(block, BEFORE)) else ":"
    folders = forking("credreport").parent, Path(sys.executable).parent, os.environ["PATH"]
    programs = os.pathsep.join(map(str, folders))
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"{before}\n{block.text}"],
        cwd=tmp_path,
        env={**os.environ, "PATH": programs, "DASK_MULTIPROCESSING__CONTEXT": "fork"},
        capture_output=True,
        text=True,
        check=False,
    )
    expected = EXIT_CODES[key] if (key := beginning(block, EXIT_CODES)) else 0
    assert ended.returncode == expected, ended.stderr


def test_the_examples_in_python_run_and_print_findings_and_unused_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "samples").symlink_to(ROOT_FOLDER / "samples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    printed = {
        "analyzer/README.md": r"^\d{12} +\d+$",
    }
    assert [page for page, _, _ in blocks("python")] == [*printed]
    for page, _, example in blocks("python"):
        names: dict[str, Any] = {"__name__": "__main__", "pathlib": pathlib}
        exec(compile(example, page, "exec"), names)
        assert re.search(printed[page], capsys.readouterr().out, re.MULTILINE)
        _, _, table = TEXTS[page].partition("| call | what it takes or returns |")
        calls = re.findall("`(.+?)`", "\n".join(re.findall(r"^\| (`.+?`) \|", table, re.MULTILINE)))
        assert {"analyzer.load", "analyzer.analyze"} <= {call.partition("(")[0] for call in calls}
        for call in calls:
            eval(compile(call, page, "eval"), names)
    assert (tmp_path / "review.xlsx").stat().st_size > 0
    assert (tmp_path / "unused.png").read_bytes().startswith(b"\x89PNG")


def test_the_exemptions_of_the_example_are_read() -> None:
    ((page, _, example),) = blocks("csv")
    assert len(read_exemptions((page, example.encode()))) == 3


def test_the_readme_has_the_commands_to_try_and_to_test_it() -> None:
    commands = [line for line in README.splitlines() if "pip install" in line]
    assert [line for line in commands if re.search("pip install .*test.*pytest", line)]
    assert [line for line in commands if "credreport analyze samples/" in line]


def policy_actions(*names: str) -> set[str]:
    texts = [(ROOT_FOLDER / "samples" / "policies" / name).read_text() for name in names]
    return set(re.findall(r"\b(?:iam|sts):\w+", "\n".join(texts))) - {"sts:ExternalId"}


def test_the_role_of_the_stack_set_has_the_actions_of_the_policies_and_no_other() -> None:
    template = (DEPLOY / "stackset.yaml").read_text()
    actions = set(re.findall(r"\b(?:iam|sts):\w+", template)) - {"sts:ExternalId"}
    assert actions == policy_actions("fetch.json", "role-trust.json", "service-credentials.json")


def test_the_stack_set_takes_a_caller_in_every_partition_of_aws() -> None:
    template = (DEPLOY / "stackset.yaml").read_text()
    (pattern,) = re.findall('AllowedPattern: "(arn:.*)"', template)
    for partition in botocore.session.Session().get_available_partitions():
        assert re.fullmatch(pattern, f"arn:{partition}:iam::111122223333:role/audit"), partition
    assert not re.fullmatch(pattern, "arn:other:iam::111122223333:role/audit")


def test_the_role_of_every_example_is_the_one_that_the_policy_allows_to_assume() -> None:
    policy = (ROOT_FOLDER / "samples" / "policies" / "organization.json").read_text()
    (allowed,) = re.findall(r":role/([\w-]+)", policy)
    files = (DEPLOY / "crontab", DEPLOY / "credreport.service")
    texts = [*TEXTS.values(), *(file.read_text() for file in files)]
    named = re.findall(r"role-name[ =\"]+([\w-]+)", "\n".join(texts))
    assert set(named) == {allowed}
    assert f"Default: {allowed}\n" in (DEPLOY / "stackset.yaml").read_text()


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_takes_the_service_and_the_timer(tmp_path: Path) -> None:
    service = (DEPLOY / "credreport.service").read_text()
    installed = service.replace("/opt/credreport/bin/credreport export", "/bin/true")
    (tmp_path / "credreport.service").write_text(installed)
    shutil.copy(DEPLOY / "credreport.timer", tmp_path)
    units = [str(each) for each in tmp_path.iterdir()]
    ended = subprocess.run(
        ["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_image_is_built_from_what_the_wheel_needs() -> None:
    lines = (ROOT_FOLDER / ".dockerignore").read_text().splitlines()
    kept = {line.removeprefix("!") for line in lines if line.startswith("!")}
    pinned = "samples/deploy/constraints.txt"
    code = {".ci/version.py", "analyzer"}
    assert kept == {*code, "pyproject.toml", "README.md", "LICENSE", pinned}
    assert "*" in lines
