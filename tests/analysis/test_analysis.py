"""The analysis counts everybody once, the same at every call, however large the report."""

from collections import Counter
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.analysis.totals import AGE_BANDS
from analyzer.report import users as users_module
from analyzer.terms import Verdict
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    LONG_AGO,
    Row,
    Value,
    a_key,
    a_password,
    a_user,
    days_before,
    report_text,
)
from tests.support.named_reports import load_named
from tests.support.outputs import (
    CONSOLE,
    SAMPLES,
    analysis_of,
    arns_bytes,
    csv_bytes,
    exemptions_of,
    json_bytes,
    listed_exemptions,
    table_text,
)


def varied_users() -> list[Row]:
    kinds: dict[str, dict[str, Any]] = {
        "nothing": {},
        "waiting": {"password": a_password()},
        "idle": {"password": a_password(days_before(91))},
        "busy": {"key_1": a_key(LONG_AGO, AS_OF)},
        "left": {"key_2": a_key(active=False)},
        "odd": {"mfa_active": "?"},
    }
    return [a_user(f"{name}{n}", **has) for n in range(4) for name, has in kinds.items()]


def of_two_accounts() -> Analysis:
    """Analyze two reports, with users who are exempt."""
    text = report_text(varied_users()).encode()
    other = ("other.csv", text.replace(ACCOUNT.encode(), b"1" * 12))
    report = load_named(("report.csv", text), other, as_of=AS_OF)
    return analyzer.analyze(report, exemptions=exemptions_of("*,nothing*,Why,,"))


@cache
def whole_organization() -> Analysis:
    """Analyze all reports of the organization once for all tests."""
    return analyzer.analyze(analyzer.load(SAMPLES / "organization"), exemptions=listed_exemptions())


def everything_written(analysis: Analysis) -> tuple[bytes, bytes, bytes, str]:
    shown = table_text(analysis, width=80)
    return csv_bytes(analysis), json_bytes(analysis), arns_bytes(analysis), shown


TEXTS = ["account", "verdict", "reason", "exposure", "certainty", "age_band"]


@pytest.mark.no_cover
def test_the_counts_are_those_of_the_users_each_combination_in_one_row_in_order() -> None:
    analysis = whole_organization()
    users, counts = analysis.users, analysis.totals.counts.to_pandas()
    cells = (users[name].astype(str) for name in ("account", "verdict", "certainty"))
    told = Counter(zip(*cells, users["exemption"] != "", strict=True))
    kinds = counts.groupby(["account", "verdict", "certainty", "exempt"])["users"].sum()
    assert kinds.to_dict() == told
    words = list(counts.drop(columns="users").itertuples(index=False, name=None))
    assert words == sorted(set(words))


BANDS = {
    "under 30 days": (0, 29),
    "30 to 89 days": (30, 89),
    "90 to 179 days": (90, 179),
    "180 to 364 days": (180, 364),
    "1 to 2 years": (365, 729),
    "over 2 years": (730, 5000),
}


@pytest.mark.no_cover
def test_users_are_counted_by_the_band_of_their_age_and_not_by_the_words_of_a_reason() -> None:
    ages: list[Value] = [days_before(days) for band in BANDS.values() for days in band] + ["soon"]
    users = [a_user(f"user{at}", created=age) for at, age in enumerate(ages)]
    counts = analysis_of(users).totals.counts.to_pandas()
    counted = counts.groupby("age_band")["users"].sum().to_dict()
    assert counted == (dict.fromkeys(BANDS, 2) | {"unknown": 1})
    assert counted.keys() == set(AGE_BANDS)
    odd = [a_user(f"user{at}", password_enabled=f"odd {at}") for at in range(5)]
    (count,) = analysis_of(odd).totals.counts.select(["verdict", "reason", "users"]).to_pylist()
    assert count == {"verdict": "undetermined", "reason": "", "users": 5}


@pytest.mark.no_cover
def test_a_part_of_the_users_has_their_counts_and_the_rules_of_the_whole() -> None:
    whole = analysis_of([a_user("ann"), a_user("ben", key_1=a_key(used=AS_OF))])
    (page,) = whole.judged.slices()
    part = whole.of_users(page.where(np.array([True, False])))
    assert [part.totals.user_count(each) for each in (Verdict.UNUSED, Verdict.ACTIVE)] == [1, 0]
    assert (part.whole, part.filter, part.filtered_out) == (whole, None, 1)
    assert part.rule_results.book == whole.rule_results.book


def test_a_report_of_nobody_but_the_root_has_no_users_and_all_columns() -> None:
    nobody, somebody = analysis_of([]), whole_organization()
    assert (len(nobody.users), list(nobody.users)) == (0, list(somebody.users))
    assert "root" not in csv_bytes(nobody).decode()
    assert (len(nobody.totals.counts), nobody.totals.user_count(Verdict.UNUSED)) == (0, 0)
    for analysis in (nobody, somebody):
        kinds = {field.name: str(field.type) for field in analysis.totals.counts.schema}
        others = {"exempt": "bool", "users": "int64"}
        assert kinds == (dict.fromkeys(TEXTS, "large_string") | others)
        assert list(kinds) == TEXTS + ["exempt", "users"]


def test_slices_of_a_report_are_judged_as_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = of_two_accounts()
    monkeypatch.setattr(users_module, "SLICE_ROWS", 5)
    sliced = of_two_accounts()
    assert len(list(sliced.judged.slices())) > 1
    assert everything_written(sliced) == everything_written(whole)
    assert_frame_equal(sliced.rule_results.findings, whole.rule_results.findings)
    users, whole_users = sliced.users, whole.users
    assert list(map(str, users.dtypes)) == list(map(str, whole_users.dtypes))
    for name in ("verdict", "reason", "certainty", "caveats", "exemption"):
        assert isinstance(users[name].dtype, pd.CategoricalDtype)
        assert users[name].tolist() == whole_users[name].tolist()


@pytest.mark.no_cover
def test_no_column_of_text_is_left_to_pandas_to_guess() -> None:
    unread = [a_user("ann"), a_user("eve", mfa_active="?")]
    for analysis in (whole_organization(), analysis_of(unread)):
        for frame in (analysis.users, analysis.rule_results.findings):
            assert np.dtype(object) not in set(frame.dtypes)


@pytest.mark.no_cover
def test_judging_does_not_change_its_input() -> None:
    report = analyzer.load(CONSOLE)
    before, roots = report.users.copy(deep=True), next(iter(report.roots())).users.copy(deep=True)
    everything_written(analyzer.analyze(report, exemptions=listed_exemptions()))
    assert_frame_equal(report.users, before)
    assert_frame_equal(next(iter(report.roots())).users, roots)
