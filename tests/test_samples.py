"""The program's word on every sample is the one that was written down by hand."""

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.changes.diff import CHANGE, Side, changes
from analyzer.changes.user_changes import ChangeKind

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

SAMPLES = Path(__file__).parents[1] / "samples"
EXPECTED = sorted((SAMPLES / "expected").glob("*.json"))
CONSOLE = "status_reports_2026-03-01T09-30-00+00-00"


def expected(name: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((SAMPLES / "expected" / f"{name}.json").read_text())
    return told


@cache
def analyzed(name: str) -> Analysis:
    """Analyze the one sample of that name, whatever its ending, with the exemptions."""
    source = min(path for path in SAMPLES.iterdir() if path.name.split(".")[0] == name)
    exemptions = SAMPLES / "exemptions.csv"
    return analyzer.analyze(
        analyzer.load(source),
        exemptions=analyzer.read_exemptions((str(exemptions), exemptions.read_bytes())),
    )


def judgements(analysis: Analysis) -> dict[str, dict[str, Any]]:
    """Return by ARN what the expectations tell; the reason of the undetermined is prose."""
    users = analysis.users.set_index("arn")[["verdict", "reason", "certainty", "caveats"]]
    told: dict[Any, dict[Any, Any]] = users.astype(object).to_dict("index")
    for user in told.values():
        user["caveats"] = [each for each in user["caveats"].split(";") if each]
        if user["verdict"] == "undetermined":
            del user["reason"]
    return told


def without_columns(users: dict[str, Any]) -> dict[str, Any]:
    return {
        arn: {name: value for name, value in user.items() if name != "columns"}
        for arn, user in users.items()
    }


@pytest.mark.parametrize("name", [path.stem for path in EXPECTED])
def test_every_user_of_a_sample_has_the_verdict_that_was_written_by_hand(name: str) -> None:
    assert judgements(analyzed(name)) == without_columns(expected(name)["users"])


def test_the_moment_of_each_report_of_a_sample_and_its_source_are_known() -> None:
    for name in (path.stem for path in EXPECTED):
        files = {Path(file.name).name: file for file in analyzed(name).report.files}
        reports = expected(name).get("reports") or dict.fromkeys(files, expected(name))
        assert files.keys() == reports.keys()
        for file, told in reports.items():
            assert files[file].as_of == datetime.fromisoformat(told["as_of"])
            assert files[file].as_of_source == told["as_of_source"]


def test_the_reason_of_each_undetermined_user_names_the_columns_at_fault() -> None:
    reasons = analyzed(CONSOLE).users.groupby("arn")["reason"].agg(" ".join)
    undetermined = {
        arn: user for arn, user in expected(CONSOLE)["users"].items() if "columns" in user
    }
    assert undetermined
    for arn, user in undetermined.items():
        assert [column for column in user["columns"] if column not in reasons[arn]] == []


def test_exempt_users_say_why_and_expired_and_unmatched_exemptions_are_named() -> None:
    users, totals = analyzed(CONSOLE).users, analyzed(CONSOLE).totals
    exempt = users[users["exemption"] != ""].set_index("arn")["exemption"].to_dict()
    assert exempt == expected(CONSOLE)["exempt"]
    assert [each.entry.user for each in totals.expired] == expected(CONSOLE)["expired"]
    assert [each.user for each in totals.unmatched] == expected(CONSOLE)["unmatched"]


def test_the_earlier_report_of_the_account_shows_every_kind_of_change() -> None:
    compared = changes(Side.of(analyzed("earlier")), Side.of(analyzed(CONSOLE)))
    of_other_inputs = {ChangeKind.EXEMPTED, ChangeKind.EXEMPTION_CHANGED, ChangeKind.NOT_COVERED}
    assert set(compared[CHANGE]) == set(ChangeKind) - of_other_inputs
