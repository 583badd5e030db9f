"""Hold the tables of controls to the benchmarks, as they were read in public sources.

Each line is a control: its number, then the rules that decide it and the boundary; the report alone
cannot decide the others. `>=45` fails from day 45 on, `>90` after day 90. Written
out from turbot/steampipe-mod-aws-compliance (v1.2), prowler-cloud/prowler (v1.4 and later) and the
AWS Security Hub User Guide (FSBP), never from the code.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from analyzer.analysis.rule_results import ControlResult, Result, control_result
from analyzer.analysis.rulebook import Rulebook
from analyzer.limits import Thresholds
from analyzer.rules import RULES
from analyzer.rules.engine import FindingCounts
from analyzer.standards import FRAMEWORKS, STANDARDS, Standard, reached_days, references
from tests.support.builders import QUIET_PASSWORD, a_key, a_password, a_user, days_before, the_root
from tests.support.outputs import analysis_of
from tests.support.pages import NO_USERS, counts_on, of_users, page_of


def table(numbers: Iterable[str], decided: str) -> list[list[str]]:
    """Return each control's number, with its rules and boundary if they are given."""
    rest = {line.split()[0]: line.split() for line in decided.splitlines() if line.strip()}
    return [rest.pop(number, [number]) for number in numbers] + list(rest.values())


def numbers(first: str, last: int) -> list[str]:
    return [f"{first}.{number}" for number in range(1, last + 1)]


SINCE_1_4 = """
    1.4 root-access-key
    1.5 root-without-mfa
    1.7 root-used
    1.10 console-user-without-mfa
    1.11 initial-setup-access-key
    1.12 idle-password idle-access-key >=45
    1.13 two-active-access-keys
    1.14 unrotated-access-key >90
"""
SINCE_5 = """
    {0}.3 root-access-key
    {0}.4 root-without-mfa
    {0}.6 root-used
    {0}.9 console-user-without-mfa
    {0}.10 initial-setup-access-key
    {0}.11 idle-password idle-access-key >=45
    {0}.12 two-active-access-keys
    {0}.13 unrotated-access-key >90
"""
CIS_1_2 = """
    1.1 root-used
    1.2 console-user-without-mfa
    1.3 idle-password idle-access-key >=90
    1.4 unrotated-access-key >90
    1.12 root-access-key
    1.13 root-without-mfa
    1.21 initial-setup-access-key
"""
CIS_7_0 = """
    2.4 root-access-key
    2.5 root-without-mfa
    2.7 root-used
    2.10 console-user-without-mfa
    2.11 idle-password idle-access-key >=45
    2.12 unrotated-access-key >90
"""
FSBP = """
    IAM.3 unrotated-access-key >90
    IAM.4 root-access-key
    IAM.5 console-user-without-mfa
    IAM.8 idle-password idle-access-key >=90
"""
TABLES = {
    "cis-1.2": table(numbers("1", 22), CIS_1_2),
    **{name: table(numbers("1", 21), SINCE_1_4) for name in ("cis-1.4", "cis-1.5")},
    **{name: table(numbers("1", 22), SINCE_1_4) for name in ("cis-2.0", "cis-3.0", "cis-4.0.1")},
    "cis-5.0": table(numbers("1", 21), SINCE_5.format(1)),
    "cis-6.0": table(numbers("2", 21), SINCE_5.format(2)),
    "cis-7.0": table(numbers("2.1", 6) + numbers("2", 21)[1:], CIS_7_0),
    "fsbp": table(numbers("IAM", 8) + ["IAM.21"], FSBP),
}

BY_STANDARD = {standard.id: standard for standard in STANDARDS}
BY_RULE = {rule.id: rule for rule in RULES}
SIGNS = {">=": 0, ">": 1}


def limits_of(standard: Standard) -> Thresholds:
    return Thresholds(**standard.limits)


def test_every_standard_has_its_controls_each_with_its_number_and_its_rules() -> None:
    assert BY_STANDARD.keys() == TABLES.keys()
    for name, table in TABLES.items():
        expected = [[word for word in line if word[0] != ">"] for line in table]
        found = [[each.number, *each.rules] for each in BY_STANDARD[name].controls]
        assert found == expected, name


BOUNDARIES = [
    (name, line[0], rule, line[-1])
    for name, lines in TABLES.items()
    for line in lines
    if line[-1][0] == ">"
    for rule in line[1:-1]
]


@cache
def counts_after(days: int, rule: str, limits: Thresholds) -> FindingCounts:
    """Count what a rule finds of a user whose password or key counts so many days."""
    old, used = days_before(days), days_before(0)
    user = {
        "idle-password": a_user(password=a_password(old)),
        "idle-access-key": a_user(key_2=a_key(used=old)),
        "unrotated-access-key": a_user(key_2=a_key(old, used)),
    }[rule]
    return counts_on(page_of([user]), NO_USERS, [BY_RULE[rule]], limits)


@pytest.mark.no_cover
@pytest.mark.parametrize(("name", "number", "rule", "boundary"), BOUNDARIES)
def test_each_limit_fails_from_its_day_on(name: str, number: str, rule: str, boundary: str) -> None:
    standard = BY_STANDARD[name]
    sign = boundary.rstrip("0123456789")
    first = int(boundary.removeprefix(sign)) + SIGNS[sign]
    for days, result in ((first - 1, Result.PASS), (first, Result.FAIL)):
        counts = counts_after(days, rule, limits_of(standard))
        assert by_number(standard, counts)[number].result == result


def book_of(standard: Standard, **limits: int) -> Rulebook:
    used = replace(limits_of(standard), **limits)
    return Rulebook(rules=RULES, thresholds=used, standard=standard)


def by_number(standard: Standard, counts: Any, **limits: int) -> dict[str, ControlResult]:
    book, counted = book_of(standard, **limits), Counter(counts)
    return {each.number: control_result(each, book, counted, {}) for each in standard.controls}


@pytest.mark.parametrize("standard", STANDARDS, ids=lambda standard: standard.id)
def test_a_standard_names_rules_and_limits_that_there_are(standard: Standard) -> None:
    assert standard.rules <= set(BY_RULE)
    for control in standard.controls:
        assert control.title
        assert bool(control.rules) != bool(control.reason)
        if control.limit:
            assert {BY_RULE[rule].threshold for rule in control.rules} == {control.limit[0]}
    numbers = [control.number for control in standard.controls]
    assert len(set(numbers)) == len(numbers)
    limits_of(standard)


def test_each_control_of_a_clean_account_passes_or_is_not_decidable() -> None:
    users = of_users(a_user(password=QUIET_PASSWORD, mfa=True))
    roots = page_of([the_root()])
    for standard in STANDARDS:
        count = counts_on(users, roots, RULES, limits_of(standard))
        for each in by_number(standard, count).values():
            assert each.result == (Result.PASS if each.control.rules else Result.NOT_DECIDABLE)
            assert each.why == each.control.reason
            assert (each.fails, each.undecided) == (0, 0)


def test_failures_of_all_rules_of_a_control_are_counted() -> None:
    users = of_users(
        a_user("one", password=a_password(days_before(99)), key_1=a_key(days_before(60))),
        a_user("two", key_1=a_key(days_before(50)), key_2=a_key(days_before(50), "once")),
    )
    count = counts_on(users, NO_USERS, RULES, Thresholds(idle_days=45))
    found = by_number(BY_STANDARD["cis-7.0"], count, idle_days=45)
    assert found["2.11"].result is Result.FAIL
    assert (found["2.11"].fails, found["2.11"].undecided) == (3, 1)


def test_a_result_by_another_limit_is_said_only_where_it_holds_by_the_standards_own() -> None:
    for fails, days, result in (
        (0, 44, Result.PASS),
        (0, 45, Result.PASS),
        (0, 46, Result.UNDECIDED),
        (1, 44, Result.UNDECIDED),
        (1, 45, Result.FAIL),
        (1, 46, Result.FAIL),
    ):
        counts = {("idle-password", "fails", False): fails}
        found = by_number(BY_STANDARD["cis-7.0"], counts, idle_days=days)["2.11"]
        why = f"The limit of this run is {days} days; the control asks for 45 days."
        assert (found.result, found.why) == (result, why if result is Result.UNDECIDED else "")


SAME_CODES = {
    "AWS Security Hub": {
        "idle-password idle-access-key": "IAM.8 IAM.22",
        "unrotated-access-key": "IAM.3",
        "console-user-without-mfa": "IAM.5",
        "user-without-mfa": "IAM.19",
        "root-access-key": "IAM.4",
        "root-without-mfa": "IAM.9",
        "root-used": "IAM.20, retired in April 2024",
    },
    "NIST SP 800-53 r5": {
        "idle-password idle-access-key": "AC-2 AC-2(1) AC-2(3) AC-3 AC-3(7) AC-3(15) AC-6",
        "unused-user": "AC-2(3)",
        "unrotated-access-key": "AC-2(1) AC-2(3) AC-3(15)",
        "console-user-without-mfa user-without-mfa root-without-mfa": (
            "AC-2(1) AC-3(15) IA-2(1) IA-2(2) IA-2(6) IA-2(8)"
        ),
        "root-access-key": "AC-2(1) AC-3(7) AC-3(15) AC-6 AC-6(2) AC-6(10)",
    },
    "PCI DSS v4.0.1": {
        "idle-password idle-access-key": "7.2.4 8.2.6",
        "unrotated-access-key": "8.3.9 8.6.3",
        "console-user-without-mfa user-without-mfa root-without-mfa": "8.4.2",
    },
    "SOC 2": {
        "idle-password idle-access-key root-access-key": "CC6.1 CC6.2 CC6.3",
        "unused-user": "CC6.3",
        "unrotated-access-key": "CC6.1 CC6.2",
        "console-user-without-mfa user-without-mfa root-without-mfa": "CC6.6",
    },
    "ISO/IEC 27001:2022": {
        "idle-password idle-access-key unrotated-access-key root-access-key root-used": "A.5.15",
        "unused-user": "A.5.18",
        "console-user-without-mfa root-without-mfa": "A.5.15 A.5.17 A.8.5",
    },
    "Trend Micro Conformity": {
        "unused-user": "IAM-029",
        "idle-password": "IAM-003 IAM-028",
        "idle-access-key": "IAM-003",
        "unrotated-access-key": "IAM-038",
        "two-active-access-keys": "IAM-004",
        "initial-setup-access-key": "IAM-043",
        "console-user-without-mfa": "IAM-013",
        "password-and-access-key": "IAM-024",
        "root-access-key": "IAM-015",
        "root-without-mfa": "IAM-014",
        "root-used": "IAM-035",
        "root-certificate": "IAM-048",
    },
}
"""The codes in each framework of rules, which some have in common."""
REFERENCES = {
    name: {rule: codes for rules, codes in table.items() for rule in rules.split()}
    for name, table in SAME_CODES.items()
}


def test_frameworks_refer_to_what_their_sources_say() -> None:
    found = {
        name: {rule: " ".join(codes) for rule, codes in rules.items()}
        for name, rules in FRAMEWORKS.items()
    }
    assert found == REFERENCES


def test_a_rule_is_referred_to_by_standards_first() -> None:
    for rule in BY_RULE:
        expected = [standard.name for standard in STANDARDS if rule in standard.rules]
        expected += [name for name, table in REFERENCES.items() if rule in table]
        assert [name for name, _ in references(rule)] == expected


DAYS_ASKED = {"IAM.22": 45, "IAM.8": 90, "8.2.6": 90, "1.3": 90, "2.11": 45, "1.12": 45, "1.11": 45}


@pytest.mark.parametrize("days", [0, 44, 45, 89, 90, 400])
def test_an_idle_credential_fails_controls_only_from_their_own_days_on(days: int) -> None:
    for rule in ("idle-password", "idle-access-key"):
        always, reached = dict(references(rule)), dict(references(rule, reached_days(days)))
        for name, numbers in always.items():
            kept = [number for number in numbers if days >= DAYS_ASKED.get(number, 0)]
            assert list(reached.get(name, ())) == kept, name
    assert references("unused-user", 0) == references("unused-user")


def test_a_summary_counts_the_results_in_a_line() -> None:
    standard = BY_STANDARD["cis-3.0"]
    counts: Any = {
        ("root-used", "fails", False): 1,
        ("idle-password", "fails", True): 2,
        ("root-without-mfa", "undecided", False): 1,
    }
    found = replace(analysis_of([]).rule_results, book=book_of(standard))
    vars(found)["counts"] = Counter(counts)
    assert found.control_summary == (
        "CIS 3.0: 5 pass, 1 pass but for exemptions, 1 fail, 1 undecided,"
        " 14 not decidable from a report"
    )


def test_a_standard_has_a_short_name() -> None:
    names = [BY_STANDARD[name].short_name for name in ("cis-4.0.1", "cis-7.0", "fsbp")]
    assert names == ["CIS 4.0.1", "CIS 7.0", "FSBP"]
