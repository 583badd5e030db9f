"""The analysis counts everybody once, the same at every call, however large the report."""

from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import analyzer
from analyzer.analysis import analysis as engine
from analyzer.analysis.analysis import Analysis
from analyzer.analysis.totals import AGE_BANDS
from analyzer.errors import InputRefused
from analyzer.limits import Criteria
from analyzer.report import assemble
from analyzer.report.model import Page
from analyzer.report.report import Report
from analyzer.terms import Verdict
from analyzer.verdicts.verdict import with_verdicts
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
    saved,
)
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

Patch = pytest.MonkeyPatch


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
    report = analyzer.load(("report.csv", text), other, as_of=AS_OF)
    return analyzer.analyze(report, exemptions=exemptions_of("*,nothing*,Why,,"))


@cache
def whole_organization() -> Analysis:
    """Analyze all reports of the organization once for all tests."""
    return analyzer.analyze(analyzer.load(SAMPLES / "organization"), exemptions=listed_exemptions())


def everything_written(analysis: Analysis) -> tuple[bytes, bytes, bytes, str]:
    shown = table_text(analysis, width=80)
    return csv_bytes(analysis), json_bytes(analysis), arns_bytes(analysis), shown


TEXTS = ["account", "verdict", "reason", "certainty", "age_band"]


@pytest.mark.no_cover
def test_the_counts_are_those_of_the_users_each_combination_in_one_row_in_order() -> None:
    analysis = whole_organization()
    users, counts = analysis.users, analysis.totals.counts
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
    ages: list[Value] = [*(days_before(days) for band in BANDS.values() for days in band), "soon"]
    users = [a_user(f"user{at}", created=age) for at, age in enumerate(ages)]
    counts = analysis_of(users).totals.counts
    counted = counts.groupby("age_band")["users"].sum().to_dict()
    assert counted == {**dict.fromkeys(BANDS, 2), "unknown": 1}
    assert counted.keys() == {*AGE_BANDS}
    odd = [a_user(f"user{at}", password_enabled=f"odd {at}") for at in range(5)]
    (count,) = analysis_of(odd).totals.counts[["verdict", "reason", "users"]].to_dict("records")
    assert count == {"verdict": "undetermined", "reason": "", "users": 5}


@pytest.mark.no_cover
def test_a_part_of_the_users_has_their_counts_and_the_rules_of_the_whole() -> None:
    whole = analysis_of([a_user("ann"), a_user("ben", key_1=a_key(used=AS_OF))])
    (page,) = whole.pages()
    part = whole.of_users([page.where(np.array([True, False]))])
    assert [part.totals.user_count(each) for each in (Verdict.UNUSED, Verdict.ACTIVE)] == [1, 0]
    assert (part.whole, part.filter, part.filtered_out) == (whole, None, 1)
    assert part.rule_results.book == whole.rule_results.book


def test_a_report_of_nobody_but_the_root_has_no_users_and_all_columns() -> None:
    nobody, somebody = analysis_of([]), whole_organization()
    assert (len(nobody.users), list(nobody.users)) == (0, list(somebody.users))
    assert "root" not in csv_bytes(nobody).decode()
    assert (len(nobody.totals.counts), nobody.totals.user_count(Verdict.UNUSED)) == (0, 0)
    for analysis in (nobody, somebody):
        kinds = {name: str(kind) for name, kind in analysis.totals.counts.dtypes.items()}
        assert kinds == {**dict.fromkeys(TEXTS, "str"), "exempt": "bool", "users": "int64"}
        assert [*kinds] == [*TEXTS, "exempt", "users"]


@pytest.mark.no_cover
def test_a_report_that_is_not_kept_gives_the_same_in_columns_of_one_type_whatever_its_pages(
    monkeypatch: Patch,
) -> None:
    kept = of_two_accounts()
    written, findings = everything_written(kept), kept.rule_results.findings
    monkeypatch.setattr(engine, "ROWS_IN_MEMORY", 0)
    monkeypatch.setattr(assemble, "PAGE_ROWS", 1)
    analysis = of_two_accounts()
    assert len(list(analysis.pages())) == 2
    assert everything_written(analysis) == written
    assert [*map(str, analysis.rule_results.findings.dtypes)] == [*map(str, findings.dtypes)]
    users, kept_users = analysis.users, kept.users
    assert [*map(str, users.dtypes)] == [*map(str, kept_users.dtypes)]
    for name in ("verdict", "reason", "certainty", "caveats", "exemption"):
        assert isinstance(users[name].dtype, pd.CategoricalDtype)
        assert users[name].tolist() == kept_users[name].tolist()


def judged_pages(monkeypatch: Patch) -> list[Page]:
    """Return a list to which every page is added that is judged from now on."""
    pages: list[Page] = []

    def watched(page: Page, criteria: Criteria) -> Page:
        pages.append(page)
        return with_verdicts(page, criteria)

    monkeypatch.setattr(engine, "with_verdicts", watched)
    return pages


@pytest.mark.no_cover
def test_a_kept_report_is_judged_once_whatever_is_asked_of_it(
    monkeypatch: Patch,
) -> None:
    monkeypatch.setattr(engine, "ROWS_IN_MEMORY", of_two_accounts().report.rows)
    pages = judged_pages(monkeypatch)
    analysis = of_two_accounts()
    everything_written(analysis)
    assert analysis.totals is analysis.totals
    assert len(analysis.users) == 48
    assert len(pages) == len(list(analysis.pages()))


@pytest.mark.no_cover
def test_totals_are_counted_while_the_pages_are_read_and_not_once_more(
    monkeypatch: Patch,
) -> None:
    monkeypatch.setattr(engine, "ROWS_IN_MEMORY", 0)
    pages = judged_pages(monkeypatch)
    analysis = of_two_accounts()
    one_pass = len(list(analysis.pages()))
    totals = analysis.totals
    assert len(pages) == one_pass
    assert totals.user_count(Verdict.UNUSED) == 32
    csv_bytes(analysis)
    assert len(pages) == 2 * one_pass
    assert_frame_equal(of_two_accounts().totals.counts, totals.counts)


@pytest.mark.no_cover
def test_a_pass_that_is_broken_off_leaves_no_half_counted_totals(
    monkeypatch: Patch,
) -> None:
    monkeypatch.setattr(engine, "ROWS_IN_MEMORY", 0)
    monkeypatch.setattr(assemble, "PAGE_ROWS", 1)
    analysis = of_two_accounts()
    next(analysis.pages())
    assert analysis.totals.counts["users"].sum() == len(analysis.users) == 48


def frames(page: Page) -> list[pd.DataFrame]:
    return [page.users, page.keys, page.certificates, page.unread, page.cells]


@pytest.mark.no_cover
def test_no_column_of_text_is_left_to_pandas_to_guess() -> None:
    unread = [a_user("ann"), a_user("eve", mfa_active="?")]
    for analysis in (whole_organization(), analysis_of(unread)):
        of_pages = [frame for page in analysis.pages() for frame in frames(page)]
        for frame in (analysis.users, analysis.rule_results.findings, *of_pages):
            assert np.dtype(object) not in set(frame.dtypes)


@pytest.mark.no_cover
def test_judging_does_not_change_its_input() -> None:
    report = analyzer.load(CONSOLE)
    pages = list(report.pages())
    before = [[frame.copy(deep=True) for frame in frames(page)] for page in pages]
    analysis = analyzer.analyze(
        Report(files=report.files, pages=lambda: iter(pages), roots=report.roots),
        exemptions=listed_exemptions(),
    )
    everything_written(analysis)
    for page, copies in zip(pages, before, strict=True):
        for frame, copy in zip(frames(page), copies, strict=True):
            assert_frame_equal(frame, copy)


def test_a_report_that_changes_between_two_passes_is_refused(tmp_path: Path) -> None:
    report = analyzer.load(saved(tmp_path, report_text([a_user("ann"), a_user("bob")])))
    (page,) = report.pages()
    shrunk = Report(
        files=report.files,
        pages=lambda: iter([page.where(np.array([True, False]))]),
        roots=report.roots,
    )
    with pytest.raises(InputRefused, match="2 users at first, 1 later"):
        _ = analyzer.analyze(shrunk).totals
