"""Hold all rules to a second opinion on many random users and roots."""

import random
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pandas as pd

import analyzer
from analyzer.rules import RULES
from analyzer.rules.rule import Outcome
from tests.support.builders import ACCOUNT, AS_OF, COLUMNS, Row, days_before, report_text, saved
from tests.support.pages import NO_USERS, counts_on, findings_on, page_of
from tests.support.rare_users import rare_users
from tests.support.rule_oracle import Verdict, judge_rules

USERS = 2_000
ROOTS = 1_200
RARE = 11
"""So many of each: fewer findings of a rule would say too little."""

DAYS = (
    (0, 1, 29, 30, 31, 44, 45, 46, 89)
    + (90, 91, 179, 180, 181, 364, 365, 366, 700, 2000)
    + (-1, -13, -14, -15)
)
"""Days about the limits of rules, before as-of: random users reach each limit often."""

NUDGES = (timedelta(0), timedelta(seconds=1), timedelta(seconds=-1), timedelta(hours=7))
ODD = ("not_supported", "", "n/a", "maybe", "2024-02-30T00:00:00Z", "2024-04-22", "TRUE", "False")


def a_moment(chance: random.Random) -> str:
    before = days_before(chance.choice([chance.randrange(4000), *DAYS])) + chance.choice(NUDGES)
    text = before.replace(tzinfo=None).isoformat(timespec="seconds")
    return text + chance.choice(["Z", "Z", "+00:00"])


def a_moment_or(chance: random.Random, *words: str) -> str:
    return chance.choice(["", "", *words]) or a_moment(chance)


def a_cell(chance: random.Random, column: str) -> str:
    if column.endswith(("_active", "_enabled")):
        return chance.choice(["true", "false"])
    if column == "password_last_used":
        return a_moment_or(chance, "N/A", "no_information")
    if column == "user_creation_time":
        return a_moment(chance)
    if column.endswith("_last_used_region"):
        return "N/A"
    return a_moment_or(chance, "N/A")


def a_random_row(chance: random.Random, user: str, arn: str) -> Row:
    row: Row = {column: a_cell(chance, column) for column in COLUMNS}
    row |= {"user": user, "arn": arn}
    for slot in (1, 2):
        used = f"access_key_{slot}_last_used"
        row[f"{used}_service"] = "N/A" if row[f"{used}_date"] == "N/A" else "s3"
        if chance.random() < 0.3:  # no key
            row[f"access_key_{slot}_active"] = "false"
            row |= dict.fromkeys(
                (f"access_key_{slot}_last_rotated", f"{used}_date", f"{used}_service"), "N/A"
            )
    for column in COLUMNS[2:]:
        if chance.random() < 0.02:
            row[column] = chance.choice(ODD)
    return row


def a_random_user(chance: random.Random, number: int) -> Row:
    name = f"CloudWatchApiKey-{number}" if number % 2 else f"u{number}"
    return a_random_row(chance, name, f"arn:aws:iam::{ACCOUNT}:user/{name}")


def a_random_root(chance: random.Random, number: int) -> Row:
    row = a_random_row(chance, "<root_account>", f"arn:aws:iam::{number:012}:root")
    if chance.random() < 0.4:
        row["password_enabled"] = "not_supported"
    return row | {"password_next_rotation": "not_supported"}


def random_users(chance: random.Random) -> list[Row]:
    """Return users, some of whom stand twice."""
    users = [a_random_user(chance, number) for number in range(USERS)]
    alike = chance.sample(users, 50)
    rare = [user for number in range(RARE) for user in rare_users(number)]
    return users + alike + rare


def verdicts(found: pd.DataFrame) -> Counter[Verdict]:
    cells = (found[name] for name in ("rule", "arn", "slot", "outcome"))
    return Counter(
        Verdict(str(rule), str(arn), 0 if pd.isna(slot) else int(slot), str(outcome))
        for rule, arn, slot, outcome in zip(*cells, strict=True)
    )


def test_all_rules_agree_with_a_second_opinion(tmp_path: Path) -> None:
    chance = random.Random(20_260_501)
    text = report_text(random_users(chance))
    report = analyzer.load(saved(tmp_path, text), as_of=AS_OF)
    analysis = analyzer.analyze(report)
    roots = [a_random_root(chance, number) for number in range(ROOTS)]
    pages = list(analysis.judged.slices())
    found = sum(
        (verdicts(findings_on(page, RULES)) for page in pages),
        start=verdicts(findings_on(page_of(roots), RULES, of_roots=True)),
    )
    expected = Counter(judge_rules(text, AS_OF)) + Counter(
        judge_rules(report_text(roots[1:], root=roots[0]), AS_OF)
    )
    expected = Counter(
        {each: many for each, many in expected.items() if f"{ACCOUNT}:root" not in each.arn}
    )
    assert found - expected == Counter()
    assert expected - found == Counter()
    kinds = Counter((verdict.rule, verdict.outcome) for verdict in found.elements())
    both = [(rule.id, outcome) for rule in RULES for outcome in ("fails", "undecided")]
    assert [each for each in both if kinds[each] < RARE] == []
    tally = sum(
        (counts_on(page, NO_USERS, RULES) for page in pages),
        start=counts_on(NO_USERS, page_of(roots), RULES),
    )
    assert tally == Counter({(*kind, False): many for kind, many in kinds.items()})
    assert {outcome for _, outcome, _ in tally} == set(Outcome)
