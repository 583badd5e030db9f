"""Make pages of made-up rows, and ask rules about them."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from analyzer.limits import Criteria, Thresholds
from analyzer.lists.exemptions import ExemptionMatches
from analyzer.report.frames import finding_frame
from analyzer.report.model import together, word_column
from analyzer.report.users import Users, users_of_rows
from analyzer.rules import RULES
from analyzer.rules.engine import FindingCounts, finding_counts, page_findings
from analyzer.rules.rule import FINDINGS, VERDICT_CELLS, Rule
from analyzer.verdicts.verdict import judge
from tests.support.builders import AS_OF, COLUMNS, Row, a_user, in_slot, rendered

BY_ID = {rule.id: rule for rule in RULES}
LIMITS = Thresholds()
FAILS, UNDECIDED = "fails", "undecided"


def page_of(
    rows: Iterable[Row], *, columns: Sequence[str] = COLUMNS, as_of_source: str = "option"
) -> Users:
    """Return rows as users or roots."""
    texts = [{column: rendered(row[column], "Z") for column in columns} for row in rows]
    schema = pa.schema([(column, pa.large_string()) for column in columns])
    table = pa.Table.from_pylist(texts, schema)
    table = table.append_column("file", pa.array(np.zeros(len(texts), np.int64)))
    table = table.append_column("row", pa.array(np.arange(2, len(texts) + 2)))
    page = users_of_rows(table, [np.datetime64(AS_OF.replace(tzinfo=None), "s")])
    words = {"service_credentials": "", "as_of_source": as_of_source}
    first = np.zeros(len(page), np.int8)
    return page.with_users({name: word_column(first, [word]) for name, word in words.items()})


def of_users(*rows: Row, columns: Sequence[str] = COLUMNS) -> Users:
    """Return users' rows with verdicts."""
    return judge(page_of(rows, columns=columns), Criteria())


NO_USERS = of_users()


def findings_on(
    page: Users, rules: Sequence[Rule], limits: Thresholds = LIMITS, *, of_roots: bool = False
) -> pd.DataFrame:
    """Return what rules find on a page of users or of roots."""
    return finding_frame(_finding_columns(page, rules, limits, of_roots=of_roots))


def _finding_columns(
    page: Users, rules: Sequence[Rule], limits: Thresholds = LIMITS, *, of_roots: bool = False
) -> dict[str, pa.Array]:
    return page_findings(page, rules, limits, ExemptionMatches(page, ()), of_roots=of_roots)


def all_findings(users: Users, roots: Users, rules: Sequence[Rule]) -> pd.DataFrame:
    """Return what rules find on a page of users and on one of roots."""
    parts = _finding_columns(users, rules), _finding_columns(roots, rules, of_roots=True)
    return finding_frame({name: together([part[name] for part in parts]) for name in FINDINGS})


def counts_on(
    users: Users, roots: Users, rules: Sequence[Rule], limits: Thresholds = LIMITS
) -> FindingCounts:
    """Return how many findings there are on a page of users and on one of roots."""
    exempt = [ExemptionMatches(page, ()) for page in (users, roots)]
    of_users = finding_counts(users, rules, limits, exempt[0], of_roots=False)
    return of_users + finding_counts(roots, rules, limits, exempt[1], of_roots=True)


def found(rule_id: str, *rows: Row, columns: Sequence[str] = COLUMNS) -> pd.DataFrame:
    """Return what a rule finds of users or roots, whichever it is about."""
    rule = BY_ID[rule_id]
    page = page_of(rows, columns=columns)
    if rule.reads == VERDICT_CELLS:  # The others need no verdict, and half of the time.
        page = judge(page, Criteria())
    return by_itself(rule, page)


def outcomes(rule_id: str, row: Row, *, columns: Sequence[str] = COLUMNS) -> dict[int, str]:
    """Return the outcomes for one row by slot, which is 0 where the rule's subject has none."""
    frame = found(rule_id, row, columns=columns)
    return dict(zip(frame["slot"].fillna(0).astype(int), frame["outcome"].astype(str), strict=True))


def check_outcomes(
    rule_id: str,
    table: Mapping[str, tuple[Row, str | None]],
    *,
    slot: int = 0,
) -> None:
    """Hold what a rule says of each row of a table, all on one page, to the outcome beside it."""
    frame = found(rule_id, *(row for row, _ in table.values()))
    actual: dict[str, dict[int, str]] = {name: {} for name in table}
    numbers = dict(enumerate(table, start=2))
    cells = (frame["row"], frame["slot"].fillna(0).astype(int), frame["outcome"].astype(str))
    for row, slot_found, outcome in zip(*cells, strict=True):
        actual[numbers[row]][slot_found] = outcome
    assert actual == {
        name: {slot: outcome} if outcome else {} for name, (_, outcome) in table.items()
    }


def check_slots(rule_id: str, thing: str, table: Mapping[str, tuple[Row, str | None]]) -> None:
    """Hold what a rule says of a key or certificate, in either slot, to the outcome beside it."""
    for slot in (1, 2):
        rows = {name: a_user() | in_slot(thing, slot, cells) for name, (cells, _) in table.items()}
        outcome_of = {name: (row, table[name][1]) for name, row in rows.items()}
        check_outcomes(rule_id, outcome_of, slot=slot)


def check_facts(rule_id: str, table: Mapping[str, Row]) -> None:
    """Hold the one fact that a rule has to tell of each row, all on one page, to the text."""
    frame = found(rule_id, *table.values())
    facts = dict(zip(frame["row"], frame["fact"], strict=True))
    assert [facts[row] for row in sorted(facts)] == list(table)
    assert len(frame) == len(table)


def fact(rule_id: str, row: Row, *, columns: Sequence[str] = COLUMNS) -> str:
    """Return the one fact that a rule has to tell of a row."""
    (only,) = found(rule_id, row, columns=columns)["fact"]
    return str(only)


def by_itself(rule: Rule, page: Users) -> pd.DataFrame:
    """Return what one rule finds on a page of its subject."""
    return findings_on(page, [rule], of_roots=rule.is_of_root)
