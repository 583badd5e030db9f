"""The Python API is small, quick to import, and its frames can be gone on with."""

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pandas.testing import assert_series_equal

import analyzer
from analyzer.model import Exemptions
from analyzer.terms import Criteria, Definition, Verdict
from tests.support.builders import ROOT_FOLDER, a_key, a_user, run
from tests.support.outputs import (
    CONSOLE,
    SAMPLES,
    UNUSED,
    analyzed,
    analyzed_console,
    csv_bytes,
    json_bytes,
    listed_exemptions,
)

HEAVY = {"boto3", "botocore", "numpy", "openpyxl", "pandas", "pyarrow", "rich", "typer"}


def test_the_names_that_are_offered_are_there() -> None:
    for name in analyzer.__all__:
        public = getattr(analyzer, name)
        assert name in ("FINDINGS", "USERS") or public.__name__ == name


def test_another_name_is_missed_as_usual() -> None:
    with pytest.raises(AttributeError, match="module 'analyzer' has no attribute 'analyse'"):
        analyzer.analyse  # noqa: B018  # the look-up is what fails


def test_importing_the_package_imports_nothing_heavy() -> None:
    asked = f"import analyzer, sys; print(*sorted({HEAVY} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT_FOLDER, capture_output=True, check=True
    )
    assert done.stdout.split() == []


def test_load_analyze_write_give_the_bytes_that_the_command_line_gives(tmp_path: Path) -> None:
    analysis = analyzer.analyze(analyzer.load(CONSOLE), exemptions=listed_exemptions())
    analyzer.write(analysis, tmp_path / "api.csv", tmp_path / "api.json")
    targets = [tmp_path / "cli.csv", tmp_path / "cli.json"]
    options = [option for target in targets for option in ("-o", target)]
    assert run("analyze", CONSOLE, "--exemptions", SAMPLES / "exemptions.csv", *options).code == 0
    for ending in ("csv", "json"):
        api, cli = (tmp_path / f"{who}.{ending}" for who in ("api", "cli"))
        assert api.read_bytes() == cli.read_bytes()


def test_files_that_are_written_list_the_unused_if_nothing_else_is_asked_for(
    tmp_path: Path,
) -> None:
    analysis = analyzed_console()
    analyzer.write(analysis, tmp_path / "a.csv", str(tmp_path / "a.json"))
    assert (tmp_path / "a.csv").read_bytes() == csv_bytes(analysis, UNUSED)
    assert (tmp_path / "a.json").read_bytes() == json_bytes(analysis, UNUSED)


def test_users_are_a_frame_that_a_notebook_can_go_on_with() -> None:
    users = analyzed_console().users
    unused = users[users["verdict"] == "unused"]
    assert len(unused) == 26
    ages = (users["as_of"] - users["created"]).dt.days.astype("Int64")
    assert_series_equal(users["age_days"], ages, check_names=False)
    by_reason = unused.groupby("reason", observed=True)["user"].count().to_dict()
    assert by_reason == {
        "never-signed-in": 8,
        "never-signed-in-inactive-keys": 2,
        "no-credentials": 10,
        "inactive-keys-only": 6,
    }
    assert str(users["created"].dt.tz) == "UTC"
    assert users.index.tolist() == list(range(len(users)))


def test_criteria_decide_and_take_the_definition_as_a_word(tmp_path: Path) -> None:
    users = [a_user("ann", key_1=a_key(active=False))]
    strict = analyzed(tmp_path, users, definition="iam-029")
    assert strict.criteria == Criteria(definition=Definition.IAM_029)
    assert strict.criteria.definition is Definition.IAM_029
    assert strict.users["verdict"].tolist() == [Verdict.RETIRED]
    assert analyzed(tmp_path, users).users["verdict"].tolist() == [Verdict.UNUSED]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"definition": "iam-030"}, "iam-030"),
        ({"dormant_days": 0}, "dormant_days must be a whole number of days, 1 or more: 0"),
        ({"dormant_days": "90"}, "dormant_days must be a whole number of days, 1 or more: '90'"),
        ({"dormant_days": None}, "1 or more: None"),
        ({"dormant_days": 1.5}, "1 or more: 1.5"),
        ({"dormant_days": True}, "1 or more: True"),
        ({"grace_days": -1}, "grace_days must be a whole number of days, 0 or more: -1"),
    ],
)
def test_criteria_that_mean_nothing_are_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        Criteria(**wrong)


def test_the_smallest_criteria_are_taken() -> None:
    least = Criteria(dormant_days=1, grace_days=0)
    assert (least.dormant_days, least.grace_days) == (1, 0)


def test_a_list_of_sources_is_refused_with_how_to_give_it() -> None:
    for wrong in ([str(CONSOLE)], None, b"report.csv"):
        with pytest.raises(TypeError, match=r"is a str or a Path, not a .+load\(\*paths\)"):
            analyzer.load(wrong)  # type: ignore[arg-type]  # that is the point


def test_a_moment_that_is_none_is_refused_with_what_it_is() -> None:
    with pytest.raises(TypeError, match="as_of is a datetime with its zone, not '2026-05"):
        analyzer.load(CONSOLE, as_of="2026-05-01T00:00:00Z")  # type: ignore[arg-type]  # likewise
    with pytest.raises(ValueError, match="as_of lacks its zone"):
        analyzer.load(CONSOLE, as_of=datetime(2026, 5, 1))  # noqa: DTZ001  # that is the point


def test_every_error_that_one_can_act_on_can_be_caught_by_its_public_name(tmp_path: Path) -> None:
    with pytest.raises(analyzer.InputRefused) as refused:
        analyzer.load(tmp_path / "nowhere.csv")
    assert isinstance(refused.value, analyzer.CredreportError)


def test_an_analysis_needs_nothing_but_a_report() -> None:
    analysis = analyzer.analyze(analyzer.load(CONSOLE))
    assert (analysis.criteria, analysis.exemptions) == (Criteria(), Exemptions())


def test_exemptions_may_be_any_iterable() -> None:
    analysis = analyzer.analyze(analyzer.load(CONSOLE), exemptions=iter(listed_exemptions()))
    assert analysis.exemptions == Exemptions(listed_exemptions().entries)
    assert csv_bytes(analysis) == csv_bytes(analyzed_console())


def test_the_moment_can_be_told() -> None:
    moment = datetime(2027, 1, 1, tzinfo=UTC)
    (file,) = analyzer.load(CONSOLE, as_of=moment).files
    assert (file.as_of, file.as_of_source) == (moment, "option")


def test_many_sources_are_one_report() -> None:
    report = analyzer.load(CONSOLE, SAMPLES / "old-form.csv", str(SAMPLES / "organization"))
    assert len(report.files) == 8
    assert report.rows == sum(each.rows for file in report.files for each in file.accounts)
    assert len(report.users) == len(analyzer.analyze(report).users)
