"""Random pairs of reports: every change as a second reading has it."""

import os
import random
from collections import Counter
from datetime import timedelta

import pytest

from analyzer.analysis.analysis import analyze
from analyzer.changes.diff import diff
from tests.support.builders import report_text, the_root
from tests.support.campaigns import invented_user, moments, what_became
from tests.support.decisions import console_name
from tests.support.diff_oracle import changes_of, is_clear, read
from tests.support.histories import START, Named
from tests.support.named_reports import load_named

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

ACCOUNTS = 40
ROUNDS = int(os.environ.get("PAIRS", "80")) // ACCOUNTS
"""More of them by hand: PAIRS=3000."""

ODD = ["mfa_active", "password_enabled"] + [
    f"access_key_{slot}_{cell}"
    for slot in (1, 2)
    for cell in ("active", "last_rotated", "last_used_date")
]


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_random_pairs_differ_as_a_second_reading_says(seed: int) -> None:
    chance = random.Random(seed)
    later = START + timedelta(days=chance.choice((1, 30, 95, 400)))
    sides: tuple[list[Named], list[Named]] = ([], [])
    texts: list[tuple[str, str]] = []
    for number in range(ACCOUNTS):
        account = f"{number:012}"
        before = [invented_user(chance, name, account, START) for name in "abc"]
        at = moments(chance, START, later)
        following = [row for user in before for row in what_became(chance, user, at)]
        if chance.random() < 0.3:
            following.append(invented_user(chance, "d", account, later))
        now = list({row["arn"]: row for row in following}.values())
        for row in (*before, *now):
            for column in ODD:
                if chance.random() < 0.05:
                    row[column] = "maybe"
        roots = (the_root(account, mfa_active=chance.choice(("true", "false"))) for _ in range(2))
        pair = report_text(before, root=next(roots)), report_text(now, root=next(roots))
        texts.append(pair)
        for side, text, moment in zip(sides, pair, (START, later), strict=True):
            side.append((f"{account}/{console_name(moment)}", text.encode()))
    one, other = (analyze(load_named(*side)) for side in sides)
    rules = {rule.id for rule in one.rule_results.book.rules}
    compared, checked = diff(one, other), Counter[str]()
    frame = compared.changes[["change", "arn", "rule", "before", "now"]].astype(str)
    found = Counter(frame.itertuples(index=False, name=None))
    for pair in texts:
        was, has = (read(text, at, rules) for text, at in zip(pair, (START, later), strict=True))
        arns = was.users.keys() | has.users.keys()
        clear = {
            arn for arn in arns if is_clear(was.users.get(arn)) and is_clear(has.users.get(arn))
        }
        roots_found = {str(arn) for of in (was, has) for _, arn, *_ in of.findings} - arns
        expected, about = changes_of(was, has, START), clear | roots_found
        for arn in about:
            mine = {key: n for key, n in expected.items() if key[1] == arn}
            assert {key: n for key, n in found.items() if key[1] == arn} == mine, arn
        checked.update(key[0] for key in expected if key[1] in about)
    assert {"new", "gone", "became-unused", "credentials-changed", "finding-new"} <= set(checked)
