"""Make pages of made-up rows, and ask rules about them."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from analyzer.model import Page
from analyzer.report.tidy import tidy
from analyzer.rules import RULES
from analyzer.rules.engine import page_findings
from analyzer.rules.rule import Rule, Subject
from analyzer.terms import Criteria, Thresholds
from analyzer.verdict import with_verdicts
from tests.support.builders import AS_OF, COLUMNS, Row, rendered

BY_ID = {rule.id: rule for rule in RULES}
LIMITS = Thresholds()
FAILS, NOTED, UNDECIDED = "fails", "noted", "undecided"


def tidied(
    rows: Iterable[Row],
    *,
    columns: Sequence[str] = COLUMNS,
    contradicted: str = "",
) -> Page:
    """Return rows as a page; `contradicted` are the columns in which another row differs."""
    texts = [{column: rendered(row[column], "Z") for column in columns} for row in rows]
    schema = pa.schema([(column, pa.large_string()) for column in columns])
    table = pa.Table.from_pylist(texts, schema)
    table = table.append_column("file", pa.array(np.zeros(len(texts), np.int64)))
    table = table.append_column("row", pa.array(np.arange(2, len(texts) + 2)))
    page = tidy(table, [np.datetime64(AS_OF.replace(tzinfo=None), "s")])
    return page.with_users({"contradicted": contradicted, "service_credentials": ""})


def of_users(*rows: Row, columns: Sequence[str] = COLUMNS, contradicted: str = "") -> Page:
    """Return users' rows as a page with verdicts."""
    return with_verdicts(tidied(rows, columns=columns, contradicted=contradicted), Criteria())


NOBODY = of_users()


def found(
    rule_id: str,
    row: Row,
    limits: Thresholds = LIMITS,
    *,
    columns: Sequence[str] = COLUMNS,
    contradicted: str = "",
) -> pd.DataFrame:
    """Return what a rule finds of a user or a root, whichever it is about."""
    rule = BY_ID[rule_id]
    page = tidied([row], columns=columns, contradicted=contradicted)
    if rule.subject is Subject.ROOT:
        return page_findings(NOBODY, page, [rule], limits)
    return page_findings(with_verdicts(page, Criteria()), NOBODY, [rule], limits)


def outcomes(
    rule_id: str,
    row: Row,
    limits: Thresholds = LIMITS,
    *,
    columns: Sequence[str] = COLUMNS,
    contradicted: str = "",
) -> dict[int, str]:
    """Return the outcomes for one row by slot, which is 0 where the rule's subject has none."""
    frame = found(rule_id, row, limits, columns=columns, contradicted=contradicted)
    return dict(zip(frame["slot"].fillna(0).astype(int), frame["outcome"].astype(str), strict=True))


def fact(rule_id: str, row: Row, *, columns: Sequence[str] = COLUMNS) -> str:
    """Return the one fact that a rule has to tell of a row."""
    (only,) = found(rule_id, row, columns=columns)["fact"]
    return str(only)


def by_itself(rule: Rule, page: Page) -> pd.DataFrame:
    """Return what one rule finds on a page of its subject."""
    users, roots = (NOBODY, page) if rule.subject is Subject.ROOT else (page, NOBODY)
    return page_findings(users, roots, [rule], LIMITS)
