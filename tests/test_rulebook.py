"""A rulebook holds what was asked for: rules, limits, and the standard that is shown."""

from typing import Any

import pytest

import analyzer
from analyzer.analysis.rulebook import OWN_STANDARD, Rulebook
from analyzer.limits import Thresholds
from analyzer.rules import RULES
from analyzer.standards import STANDARDS
from analyzer.terms import Benchmark

EVERY = [rule.id for rule in RULES]
OFF = {rule.id for rule in RULES if not rule.default}


def ids(book: Rulebook) -> list[str]:
    return [rule.id for rule in book.rules]


def test_without_a_word_the_rules_that_are_on_run_by_our_limits_as_controls_of_their_own() -> None:
    book = analyzer.rulebook()
    assert ids(book) == [each for each in EVERY if each not in OFF]
    assert book.thresholds == Thresholds()
    assert book.standard == OWN_STANDARD
    assert not book.has_benchmark
    assert [control.number for control in book.standard.controls] == EVERY


def test_a_standard_brings_its_rules_and_limits() -> None:
    assert [each.id for each in STANDARDS] == list(Benchmark)
    for standard in STANDARDS:
        book = analyzer.rulebook(standard.id)
        assert book.standard is standard
        assert set(ids(book)) == ({"unused-user"} | standard.rules)
        for name, days in standard.limits.items():
            assert getattr(book.thresholds, name) == days


ON, MFA = set(EVERY) - OFF, "user-without-mfa"
CHOSEN: tuple[tuple[dict[str, Any], set[str]], ...] = (
    ({"rules": ["root-used"]}, {"root-used"}),
    ({"rules": "root-used"}, {"root-used"}),
    ({"rules": ["all"]}, set(EVERY)),
    ({"rules": ["default"]}, ON),
    ({"rules": ["default", MFA]}, ON | {MFA}),
)


@pytest.mark.parametrize(("asked", "expected"), CHOSEN)
def test_the_rules_asked_for_run_in_the_order_of_all(
    asked: dict[str, Any], expected: set[str]
) -> None:
    assert ids(analyzer.rulebook(**asked)) == [each for each in EVERY if each in expected]


def test_the_default_of_a_standard_is_its_own() -> None:
    book = analyzer.rulebook("fsbp", rules=["default", "retired-user"])
    assert set(ids(book)) == (set(ids(analyzer.rulebook("fsbp"))) | {"retired-user"})


def test_a_limit_that_is_set_counts_before_that_of_the_standard() -> None:
    book = analyzer.rulebook("cis-1.2", limits={"idle_days": 7})
    assert book.thresholds.idle_days == 7
    assert book.thresholds.rotation_days == 90


@pytest.mark.parametrize("name", ["idle_days", "rotation_days", "root_used_days", "expiry_days"])
def test_a_limit_is_a_whole_number_of_days_from_1_on(name: str) -> None:
    assert getattr(analyzer.rulebook(limits={name: 1}).thresholds, name) == 1
    for wrong in (0, -1, "45", 1.5, None):
        with pytest.raises(ValueError, match=f"{name} must be a whole number of days, 1 or more"):
            analyzer.rulebook(limits={name: wrong})  # type: ignore[dict-item]  # that is the point


def test_what_there_is_not_is_refused_with_what_there_is() -> None:
    for rules in (["nobody"], ["all", "nobody"]):
        with pytest.raises(ValueError, match="unknown rule nobody: choose from unused-user, "):
            analyzer.rulebook(rules=rules)
    for asked, message in (
        ({"benchmark": "cis-9"}, "unknown benchmark cis-9: choose from .*cis-7.0"),
        ({"limits": {"idle": 30}}, "unknown limit idle: choose from idle_days, rotation_days, "),
    ):
        with pytest.raises(ValueError, match=message):
            analyzer.rulebook(**asked)
