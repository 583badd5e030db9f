"""Ask the command line about the rules."""

from functools import cache

import pytest

from analyzer.limits import Thresholds
from analyzer.rules import RULES
from analyzer.rules.rule import Rule
from tests.support.builders import run


@cache
def explained(*ids: str) -> str:
    done = run("rules", *ids)
    assert done.code == 0
    return done.output.decode()


def test_the_rules_are_listed_in_order_with_their_severities() -> None:
    lines = explained().splitlines()
    assert [line.split()[:2] for line in lines] == [
        [rule.id, rule.severity.value] for rule in RULES
    ]
    assert [line.endswith("(off by default)") for line in lines] == [
        not rule.default for rule in RULES
    ]
    limits = {line.split()[0]: line for line in lines if "--" in line}
    assert set(limits) == {rule.id for rule in RULES if rule.threshold}
    assert ": 90 days (--limit rotation)" in limits["unrotated-access-key"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_each_rule_is_explained(rule: Rule) -> None:
    text = explained(rule.id)
    lines = text.splitlines()
    assert lines[0] == rule.id
    assert rule.title in lines[1]
    for head in ("Why", "How it decides", "Columns of the report", "What to do", "Read more"):
        assert head in lines
    for whole in (*rule.references, *(line for line in rule.remedy if line.startswith("aws "))):
        assert f"  {whole}" in lines
    words = " ".join(text.split())
    assert rule.why in words
    assert rule.condition(Thresholds()) in words
    assert ", ".join(rule.columns) in words
    assert max(len(line) for line in lines if "https://" not in line) <= 100


def test_the_explanation_has_limit_and_control_numbers() -> None:
    lines = explained("unrotated-access-key").splitlines()
    assert lines[1].endswith(": 90 days (--limit rotation)")
    assert "  CIS AWS Foundations Benchmark v7.0.0: 2.12" in lines
    assert "  AWS Foundational Security Best Practices v1.0.0: IAM.3" in lines
    assert "  NIST SP 800-53 r5: AC-2(1), AC-2(3), AC-3(15)" in lines
    assert "  PCI DSS v4.0.1: 8.3.9, 8.6.3" in lines
    assert "Standards" not in explained("expired-password")  # which no control asks for


def test_several_rules_are_explained_one_after_the_other() -> None:
    first, second = "root-used", "unused-user"
    assert explained(first, second) == f"{explained(first)}\n{explained(second)}"
    assert explained("all") == "\n".join(explained(rule.id) for rule in RULES)
