"""Reports and results can be pickled: other processes get the same users and findings."""

import pickle
from pathlib import Path
from typing import TypeVar

from pandas.testing import assert_frame_equal

import analyzer
from analyzer.analysis.filters import Filter
from analyzer.rules import RULES
from tests.support.outputs import CONSOLE, analyzed_console, csv_bytes, json_bytes
from tests.support.reading import put, zipped

T = TypeVar("T")


def copied(value: T) -> T:
    result: T = pickle.loads(pickle.dumps(value))
    return result


def assert_same_users(report: analyzer.Report) -> None:
    again = copied(report)
    assert again.files == report.files
    assert_frame_equal(analyzer.analyze(again).users, analyzer.analyze(report).users)


def test_a_report_gives_the_same_users_after_pickling(tmp_path: Path) -> None:
    content = zipped({"report.csv": CONSOLE.read_bytes()})
    assert_same_users(analyzer.load(put(tmp_path, content, "reports.zip")))


def test_an_analysis_and_a_part_of_it_give_the_same_outputs_after_pickling() -> None:
    whole = analyzed_console()
    again = copied(whole)
    assert_frame_equal(again.users, whole.users)
    assert_frame_equal(again.rule_results.findings, whole.rule_results.findings)
    assert again.rule_results.controls == whole.rule_results.controls
    part = whole.where(Filter(users=("s*",)))
    assert copied(part).filtered_out == part.filtered_out > 0
    for one, other in ((whole, again), (part, copied(part))):
        assert csv_bytes(one) == csv_bytes(other)
        assert json_bytes(one) == json_bytes(other)


def test_every_rule_is_the_same_after_pickling() -> None:
    assert all(copied(rule) is rule for rule in RULES)
