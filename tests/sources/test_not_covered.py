"""An account that could not be fetched is told everywhere, and never counts as clean."""

import json
from pathlib import Path

import pytest

import analyzer
from analyzer.cli import main
from analyzer.cli.analyze import FAILED, PARTIAL
from analyzer.errors import InputRefused
from tests.builders import a_user, report_text

DENIED = {
    "account": "210987654321",
    "name": "payments",
    "status": "failed",
    "reason": "it denied iam:GetCredentialReport",
}
SENTENCE = "Account 210987654321 is not covered: it denied iam:GetCredentialReport"
READ = {"account": "012345678901", "name": "web", "status": "fetched", "reason": ""}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    reports = tmp_path / "reports"
    reports.mkdir()
    (reports / "web.csv").write_text(report_text([a_user()]))
    return reports


def with_manifest(folder: Path, *accounts: dict[str, str]) -> Path:
    (folder / "fetched.manifest.json").write_text(json.dumps({"accounts": accounts}))
    return folder


def test_an_account_that_failed_is_not_covered_and_the_notes_say_so(folder: Path) -> None:
    report = analyzer.load(with_manifest(folder, READ, DENIED))
    assert report.not_covered == (SENTENCE,)
    assert SENTENCE in report.notes


def test_a_folder_in_which_all_were_fetched_covers_all(folder: Path) -> None:
    assert analyzer.load(with_manifest(folder, READ)).not_covered == ()


def test_an_account_without_a_number_is_told_by_its_name(folder: Path) -> None:
    report = analyzer.load(with_manifest(folder, {**DENIED, "account": ""}))
    assert report.not_covered == (SENTENCE.replace("210987654321", "payments"),)


@pytest.mark.parametrize("text", ['{"accounts": [{}]}', "[]", '{"accounts"'])
def test_a_manifest_that_is_not_understood_refuses_the_run(folder: Path, text: str) -> None:
    (folder / "fetched.manifest.json").write_text(text)
    with pytest.raises(InputRefused) as refused:
        analyzer.load(folder)
    assert "fetched.manifest.json" in str(refused.value)


@pytest.mark.parametrize("form", ["table", "json"])
def test_every_output_names_the_account_and_the_run_is_partial(
    folder: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["analyze", str(with_manifest(folder, DENIED)), "--format", form])
    told = capsys.readouterr()
    assert code == PARTIAL
    assert SENTENCE in told.err
    assert form == "table" or SENTENCE in json.loads(told.out)["notes"]


def test_a_missing_account_meets_fail_on(folder: Path) -> None:
    arguments = ["analyze", str(with_manifest(folder, DENIED)), "--quiet", "--fail-on", "retired"]
    assert main(arguments) == FAILED
