"""A rulebook holds what was asked for: rules, limits, and the standard that is shown."""

import pytest

import analyzer
from analyzer.rules import RULES
from analyzer.standards.benchmarks import STANDARDS
from analyzer.standards.rulebook import Rulebook, own_rules_standard
from analyzer.terms import Benchmark, Severity, Thresholds

EVERY = [rule.id for rule in RULES]
OFF = {rule.id for rule in RULES if not rule.default}


def ids(book: Rulebook) -> list[str]:
    return [rule.id for rule in book.rules]


def test_optional_rules_are_off() -> None:
    optional = ["user-without-mfa", "password-expires-soon", "password-and-access-key"]
    assert sorted(OFF) == sorted([*optional, "root-password"])


def test_without_a_word_the_rules_that_are_on_run_by_our_limits_as_controls_of_their_own() -> None:
    book = analyzer.rulebook()
    assert ids(book) == [each for each in EVERY if each not in OFF]
    assert book.thresholds == Thresholds()
    assert book.standard == own_rules_standard(RULES)
    assert not book.has_benchmark
    assert [control.number for control in book.standard.controls] == EVERY


@pytest.mark.parametrize("standard", STANDARDS, ids=lambda each: each.id)
def test_a_standard_brings_its_rules_and_limits(standard: object) -> None:
    (known,) = (each for each in STANDARDS if each is standard)
    book = analyzer.rulebook(known.id)
    assert book.standard is known
    assert set(ids(book)) == known.rules
    for name, days in known.limits.items():
        assert getattr(book.thresholds, name) == days


def test_every_benchmark_has_its_table() -> None:
    assert [each.id for each in STANDARDS] == list(Benchmark)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (["root-used"], {"root-used"}),
        (["all"], set(EVERY)),
        (["default"], set(EVERY) - OFF),
        (["default", "user-without-mfa"], set(EVERY) - OFF | {"user-without-mfa"}),
    ],
)
def test_the_rules_asked_for_run_in_the_order_of_all(asked: list[str], expected: set[str]) -> None:
    assert ids(analyzer.rulebook(rules=asked)) == [each for each in EVERY if each in expected]


def test_one_id_is_taken_as_the_list_of_it() -> None:
    assert ids(analyzer.rulebook(rules="root-used")) == ["root-used"]
    assert "root-used" not in ids(analyzer.rulebook(skip="root-used"))


def test_the_default_of_a_standard_is_its_own() -> None:
    book = analyzer.rulebook("fsbp", rules=["default", "unused-user"])
    assert set(ids(book)) == {*analyzer.rulebook("fsbp").standard.rules, "unused-user"}


def test_a_rule_that_is_skipped_does_not_run() -> None:
    assert set(ids(analyzer.rulebook(rules=["all"], skip=["root-used", "unused-user"]))) == {
        *EVERY
    } - {"root-used", "unused-user"}


@pytest.mark.parametrize(
    ("least", "severities"),
    [
        ("critical", {"critical"}),
        ("high", {"critical", "high"}),
        ("medium", {"critical", "high", "medium"}),
        ("low", {"critical", "high", "medium", "low"}),
    ],
)
def test_less_severe_rules_do_not_run(least: str, severities: set[str]) -> None:
    assert {rule.severity for rule in analyzer.rulebook(rules=["all"], least=least).rules} == {
        Severity(each) for each in severities
    }


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


@pytest.mark.parametrize(
    "asked", [{"rules": ["nobody"]}, {"skip": ["nobody"]}, {"rules": ["all", "nobody"]}]
)
def test_a_rule_that_there_is_not_is_refused_with_those_that_there_are(
    asked: dict[str, list[str]],
) -> None:
    with pytest.raises(ValueError, match="unknown rule nobody: choose from unused-user, "):
        analyzer.rulebook(**asked)  # type: ignore[arg-type]


def test_a_standard_or_a_severity_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match=r"cis-9\.0"):
        analyzer.rulebook("cis-9.0")
    with pytest.raises(ValueError, match="worst"):
        analyzer.rulebook(least="worst")
