"""Hold every rule to what all rules promise."""

import dataclasses
import random
import re
import shlex
from collections import Counter
from functools import cache
from pathlib import Path

import botocore.session
import numpy as np
import pandas as pd
import pytest
from botocore import xform_name

import analyzer.rules
from analyzer import columns
from analyzer.limits import Thresholds
from analyzer.report.users import Users
from analyzer.rules import RULES
from analyzer.rules.engine import NO_FINDING, outcomes
from analyzer.rules.rule import FINDINGS, Outcome, Rule, Subject
from analyzer.terms import Severity
from analyzer.verdicts.facts import Facts
from tests.rules.test_against_oracle import a_random_root, a_random_user
from tests.support.builders import Row
from tests.support.pages import (
    LIMITS,
    NO_USERS,
    all_findings,
    by_itself,
    counts_on,
    of_users,
    page_of,
)
from tests.support.rare_users import rare_users

every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


@cache
def random_rows(*, roots: bool) -> list[Row]:
    chance = random.Random(20)
    if roots:
        return [a_random_root(chance, number) for number in range(400)]
    return [*(a_random_user(chance, number) for number in range(200)), *rare_users(0)]


@cache
def random_pages(step: int = 1) -> tuple[Users, Users]:
    """Return the users and the roots, backwards by a step of -1: no rule changes a page."""
    return of_users(*random_rows(roots=False)[::step]), page_of(random_rows(roots=True)[::step])


def page_for(rule: Rule) -> Users:
    return random_pages()[rule.is_of_root]


@cache
def random_findings() -> pd.DataFrame:
    return all_findings(*random_pages(), RULES)


def random_findings_by(rule: Rule) -> pd.DataFrame:
    of_rule = random_findings()[random_findings()["rule"] == rule.id]
    assert not of_rule.empty
    return of_rule


def assert_alike(left: pd.DataFrame, right: pd.DataFrame) -> None:
    """Compare findings whatever their order and the numbers of their rows."""
    left, right = (
        each.astype(dict.fromkeys(each.select_dtypes("category"), "str"))
        .drop(columns="row")
        .sort_values(["rule", "arn", "slot"], ignore_index=True)
        for each in (left, right)
    )
    pd.testing.assert_frame_equal(left, right)


def test_each_rule_has_a_file_and_a_test_of_its_own() -> None:
    here, there = Path(__file__).parent, Path(analyzer.rules.__file__).parent
    for rule in RULES:
        name = rule.id.replace("-", "_")
        assert (there / f"{name}.py").is_file()
        assert (here / f"test_{name}.py").is_file()


SEVERITIES = {
    "critical": "root-access-key root-without-mfa",
    "high": "console-user-without-mfa service-key-user-with-credentials root-used root-certificate",
    "medium": "unused-user idle-password idle-access-key unrotated-access-key user-without-mfa",
    "low": "retired-user two-active-access-keys initial-setup-access-key expired-password"
    " password-expires-soon password-and-access-key active-signing-certificate root-password",
}
OPTIONAL = {"user-without-mfa", "password-expires-soon", "password-and-access-key", "root-password"}


def test_ids_and_severities_stay_what_people_rely_on() -> None:
    severities = {
        rule: severity for severity in SEVERITIES for rule in SEVERITIES[severity].split()
    }
    assert {rule.id: rule.severity for rule in RULES} == severities
    assert len(RULES) == len(severities)  # no id stands twice
    assert {rule.id for rule in RULES if not rule.default} == OPTIONAL


def test_the_order_of_the_rows_changes_nothing() -> None:
    assert_alike(random_findings(), all_findings(*random_pages(step=-1), RULES))


@every_rule
def test_it_reads_no_cell_but_those_that_it_names(rule: Rule) -> None:
    page = page_for(rule).take(np.arange(50))
    others = {name: np.ones(len(page), bool) for name in page.known if name not in rule.columns}
    hidden = dataclasses.replace(page, unread={**page.unread, **others})
    unread = by_itself(rule, hidden)
    plain = random_findings_by(rule).loc[lambda found: found["row"] < len(page) + 2]
    texts = [each.drop(columns="created").to_csv(index=False) for each in (plain, unread)]
    assert texts[0] == texts[1]


@every_rule
def test_what_leaves_it_undecided_is_named(rule: Rule) -> None:
    found = random_findings_by(rule)
    facts = found.loc[found["outcome"] == Outcome.UNDECIDED, "fact"]
    other = r'\w+ "[^"]*"'
    cell = (
        r'(\w+) "(?:[^"]*" is not understood|not_supported" is not reported'
        rf'|[^"]*" contradicts {other}(?: and {other})?)'
    )
    assert len(facts) > 0
    assert facts.str.fullmatch(f"{cell}(; {cell})*").all()
    named = set(facts.str.extractall(cell)[0])
    assert named <= set(rule.columns) | (
        {columns.PASSWORD_LAST_CHANGED} if rule.undecided_fact else set()
    )


@every_rule
def test_every_fact_is_a_sentence_with_its_value(rule: Rule) -> None:
    facts = random_findings_by(rule)["fact"]
    assert not facts.isna().any()
    assert facts.str.len().min() > 10
    decided = facts[random_findings()["outcome"] == Outcome.FAILS]
    assert decided.nunique() > 1
    assert not decided.str.contains("NaT|None|nan|<NA>").any()


def test_only_its_own_threshold_changes_a_rule() -> None:
    def counts(limits: Thresholds) -> dict[str, list[int]]:
        every = counts_on(*random_pages(), RULES, limits)
        return {rule.id: [every[rule.id, each, False] for each in Outcome] for rule in RULES}

    usual, names = counts(LIMITS), [each.name for each in dataclasses.fields(Thresholds)]
    assert {rule.threshold for rule in RULES} <= ({None} | set(names))
    for name in names:
        changed = counts(dataclasses.replace(LIMITS, **{name: 1000}))
        assert {rule for rule in usual if usual[rule] != changed[rule]} == {
            rule.id for rule in RULES if rule.threshold == name
        }


@every_rule
def test_the_reader_is_told_what_to_know(rule: Rule) -> None:
    assert all((rule.title, rule.why, rule.how, rule.fix, rule.remedy, rule.references))
    assert rule.why.endswith(".")
    assert rule.how.endswith(".")
    assert all(each.startswith("https://") for each in rule.references)
    assert rule.columns
    assert set(rule.columns) <= set(columns.IN_REPORT)


COMMANDS = [(rule, line) for rule in RULES for line in rule.remedy if not line.startswith("#")]


SESSION = botocore.session.get_session()


@cache
def options_of(service: str, operation: str) -> frozenset[str]:
    model = SESSION.get_service_model(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    shape = model.operation_model(names[operation]).input_shape
    return frozenset(xform_name(name, "-") for name in shape.members) if shape else frozenset()


@pytest.mark.parametrize(("rule", "line"), COMMANDS, ids=lambda each: str(each)[:60])
def test_each_remedy_is_a_command_that_aws_knows(rule: Rule, line: str) -> None:
    program, service, operation, *options = shlex.split(line)
    assert program == "aws"
    known = options_of(service, operation)
    given = [re.fullmatch(r"--([a-z-]+)(=\S+)?", option) for option in options]
    assert all(given)
    assert {match[1] for match in given if match} <= known
    if rule.subject is not Subject.ROOT:  # without it the command acts on whoever calls
        assert "--user-name=NAME" in options


def test_the_frame_of_findings_is_as_described() -> None:
    frame, empty = random_findings(), all_findings(NO_USERS, page_of([]), RULES)
    assert list(frame) == list(empty) == list(FINDINGS)
    assert empty.empty
    types = {name: str(frame[name].dtype) for name in FINDINGS}
    assert types == {name: str(empty[name].dtype) for name in FINDINGS}
    assert types == {
        **dict.fromkeys(("file", "row"), "int64"),
        **dict.fromkeys(("account", "user", "arn", "fact"), "str"),
        **dict.fromkeys(("rule", "severity", "subject", "outcome"), "category"),
        **dict.fromkeys(("exposure", "exemption"), "category"),
        **dict.fromkeys(("created", "since"), "datetime64[s, UTC]"),
        "remedy": "category",
        "slot": "Int8",
        "days": "Int64",
    }
    assert list(frame["rule"].cat.categories) == [rule.id for rule in RULES]
    assert list(frame["severity"].cat.categories) == list(Severity)
    assert frame["slot"].isna().equals(~frame["subject"].isin(["access-key", "certificate"]))
    assert frame["days"].isna().equals(frame["since"].isna())
    assert frame.index.equals(pd.RangeIndex(len(frame)))
    assert frame["rule"].cat.codes.is_monotonic_increasing


def codes_on(page: Users, *, of_roots: bool) -> np.ndarray:
    """Return the outcomes of all rules, a row for each rule and slot."""
    every = outcomes(Facts(page), RULES, LIMITS, of_roots=of_roots)
    return np.concatenate([found for _, found in every])


def test_the_counts_and_the_outcomes_without_words_are_those_of_the_findings() -> None:
    kinds = zip(
        random_findings()["rule"].astype(str), random_findings()["outcome"].astype(str), strict=True
    )
    expected = Counter((*kind, False) for kind in kinds)
    assert counts_on(*random_pages(), RULES, LIMITS) == expected
    slots = {True: (1, 2), False: (0,)}
    subjects = [(rule.id, slot) for rule in RULES for slot in slots[rule.subject.in_slots]]
    by_code = []
    for page, of_roots in zip(random_pages(), (False, True), strict=True):
        found = codes_on(page, of_roots=of_roots)
        by_code += [
            (page.users["row"][user], *subjects[at], list(Outcome)[found[at, user]])
            for at, user in np.argwhere(found != NO_FINDING).tolist()
        ]
    keys = (random_findings()[name] for name in ("row", "rule"))
    outcome = zip(
        *keys, random_findings()["slot"].fillna(0), random_findings()["outcome"], strict=True
    )
    assert sorted(by_code) == sorted(outcome)
    assert codes_on(NO_USERS, of_roots=False).shape == (len(subjects), 0)
