from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

import analyzer
from analyzer.terms import Thresholds
from tests.support.builders import (
    AS_OF,
    COLUMNS_OF_2014,
    NEVER,
    Row,
    Value,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    in_slot,
    no_key,
    report_text,
    saved,
    the_root,
)
from tests.support.pages import (
    BY_ID,
    FAILS,
    UNDECIDED,
    check_outcomes,
    fact,
    found,
    outcomes,
    page_of,
    root_findings_on,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

LIMIT, SECOND = days_before(30), timedelta(seconds=1)
OLD, NEW = days_before(900), days_before(1)


def root(password: Value = NEVER, key_1: Row | None = None, key_2: Row | None = None) -> Row:
    keys = in_slot("access_key", 1, key_1 or no_key()) | in_slot("access_key", 2, key_2 or no_key())
    return the_root(password_last_used=password) | keys


def test_the_newest_of_three_uses_fails_for_30_days() -> None:
    check_outcomes(
        "root-used",
        {
            "just below": (root(LIMIT + SECOND), FAILS),
            "at the limit": (root(LIMIT), None),
            "just above": (root(LIMIT - SECOND), None),
            "in the future": (root(days_before(-1)), FAILS),
            "never": (root(NEVER), None),
            "no password": (root("N/A"), None),
            "key 1": (root(OLD, a_key(used=LIMIT + SECOND)), FAILS),
            "key 1 at the limit": (root(OLD, a_key(used=LIMIT)), None),
            "key 2": (root(OLD, None, a_key(used=NEW)), FAILS),
            "the newest counts": (root(OLD, a_key(used=OLD), a_key(used=NEW)), FAILS),
            "inactive now, but used": (root(NEVER, an_inactive_key(used=NEW)), FAILS),
            "key never used": (root(OLD, a_key()), None),
            "untold": (root("not_supported"), UNDECIDED),
            "unknown sign-in": (root("once", a_key(used=OLD)), UNDECIDED),
            "unknown sign-in, key used": (root("once", a_key(used=NEW)), FAILS),
            "unknown use of a key": (root(OLD, None, a_key(used="once")), UNDECIDED),
            "signed in": (root(NEW, None, a_key(used="once")), FAILS),
        },
    )


@pytest.mark.parametrize(("days", "expected"), [(6, {0: FAILS}), (7, {})])
def test_the_limit_can_be_set(days: int, expected: dict[int, str]) -> None:
    limits = Thresholds(root_used_days=7)
    assert outcomes("root-used", root(days_before(days)), limits) == expected


def test_a_report_without_last_use_of_keys_leaves_a_root_key_undecided() -> None:
    assert outcomes("root-used", root(OLD, a_key()), columns=COLUMNS_OF_2014) == {0: UNDECIDED}
    assert outcomes("root-used", root(OLD), columns=COLUMNS_OF_2014) == {}


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (root(NEW, a_key(used=OLD)), "password last used 2026-04-30, 1 day before as-of; limit 30"),
        (root(OLD, a_key(used=NEW)), "access key 1 last used 2026-04-30, 1 day before as-of;"),
        (
            root(OLD, None, a_key(used=NEW)),
            "access key 2 last used 2026-04-30, 1 day before as-of;",
        ),
        (root("once"), 'password_last_used "once" is not understood'),
    ],
)
def test_the_fact_names_the_credential(row: Row, told: str) -> None:
    assert fact("root-used", row).startswith(told)


@pytest.mark.parametrize(
    ("row", "days"),
    [
        (root(OLD, a_key(used=NEW)), 1),
        (root("once", a_key(used=NEW)), None),
        (root(NEW, None, a_key(used="once")), None),
    ],
)
def test_the_days_of_the_newest_use_are_counted_where_every_use_is_known(
    row: Row, days: int | None
) -> None:
    (finding,) = found("root-used", row).astype({"days": object}).to_dict("records")
    assert finding["outcome"] == FAILS
    assert (None if pd.isna(finding["days"]) else finding["days"]) == days


def test_the_finding_counts_from_the_newest_use() -> None:
    row = root(days_before(20), a_key(used=OLD), a_key(used=NEW))
    (only,) = found("root-used", row).to_dict("records")
    assert (only["since"], only["days"]) == (NEW, 1)


def found_as_of_assumed(row: Row) -> pd.DataFrame:
    page = page_of([row], as_of_source="assumed")
    return root_findings_on(page, [BY_ID["root-used"]])


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        pytest.param(root(NEW), UNDECIDED, id="used just before the assumed as-of"),
        pytest.param(root(LIMIT + SECOND), UNDECIDED, id="just below the limit"),
        pytest.param(root(LIMIT), None, id="at the limit: a later as-of passes too"),
        pytest.param(root(NEVER), None, id="never used"),
        pytest.param(root("once", a_key(used=OLD)), UNDECIDED, id="unknown sign-in"),
    ],
)
def test_an_assumed_as_of_leaves_a_late_use_undecided(row: Row, outcome: str | None) -> None:
    assert found_as_of_assumed(row)["outcome"].tolist() == ([outcome] if outcome else [])


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (
            root(NEW),
            "password last used 2026-04-30, 1 day before as-of, which is assumed and may be later",
        ),
        (root("once", a_key(used=OLD)), 'password_last_used "once" is not understood'),
    ],
)
def test_what_an_assumed_as_of_leaves_undecided_is_worded(row: Row, text: str) -> None:
    (only,) = found_as_of_assumed(row)["fact"]
    assert only == text


def test_a_report_whose_as_of_is_assumed_says_so(tmp_path: Path) -> None:
    user = a_user(password=a_password(AS_OF))
    path = saved(tmp_path, report_text([user], root=root(NEW)))
    for as_of, outcome in ((None, UNDECIDED), (AS_OF, FAILS)):
        findings = analyzer.analyze(analyzer.load(path, as_of=as_of)).rule_results.findings
        assert findings.loc[findings["rule"] == "root-used", "outcome"].tolist() == [outcome]
