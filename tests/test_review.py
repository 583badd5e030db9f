"""What follows from the decisions of earlier reviews: who is exempt, and what is shown again."""

from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

import analyzer
from analyzer.analysis import Analysis
from analyzer.model import Exemption, Exemptions, FileReference
from analyzer.review import (
    REVIEW_COLUMNS,
    Review,
    ReviewWorkbook,
    combined_review,
    decisions_on_page,
)
from analyzer.review_columns import Decision
from tests.support.builders import AS_OF, Row, a_user, days_before, report_text, saved
from tests.support.reviews import decision_on, review_of

TODAY = AS_OF.date()


def reviewed(
    folder: Path, review: Review, *users: Row, exemptions: tuple[Exemption, ...] = ()
) -> Analysis:
    report = analyzer.load(saved(folder, report_text(users or [a_user("ann")])), as_of=AS_OF)
    return analyzer.analyze(report, exemptions=exemptions, review=review)


def exemption_reasons(analysis: Analysis) -> dict[str, str]:
    users = analysis.users
    return dict(zip(users["user"], users["exemption"].astype(str), strict=True))


def shown(analysis: Analysis) -> list[tuple[str, ...]]:
    (page,) = analysis.pages()
    frame = decisions_on_page(analysis.review, page)
    assert tuple(frame.columns) == REVIEW_COLUMNS
    assert frame.dtypes.astype(str).to_dict() == {
        **dict.fromkeys(REVIEW_COLUMNS, "str"),
        "decided_on": "datetime64[s]",
    }
    days = frame["decided_on"].dt.strftime("%Y-%m-%d").fillna("")
    return [tuple(row) for row in frame.assign(decided_on=days).to_numpy()]


# To keep


def test_a_user_to_keep_is_exempt_with_the_comment_as_reason(tmp_path: Path) -> None:
    keep = decision_on("ann", Decision.KEEP, TODAY, comment="break-glass")
    analysis = reviewed(tmp_path, review_of(keep), a_user("ann"), a_user("bob"))
    assert exemption_reasons(analysis) == {"ann": "break-glass", "bob": ""}
    assert analysis.totals.matched == (1,)
    assert (analysis.totals.expired, analysis.totals.unmatched) == ((), ())


@pytest.mark.parametrize(
    ("by", "reason"),
    [
        ("Ann", "kept by Ann in the review of 2026-05-01"),
        ("", "kept in the review of 2026-05-01"),
    ],
)
def test_without_a_comment_the_reason_names_the_review(
    by: str, reason: str, tmp_path: Path
) -> None:
    keep = decision_on("ann", Decision.KEEP, TODAY, decided_by=by)
    assert exemption_reasons(reviewed(tmp_path, review_of(keep))) == {"ann": reason}


@pytest.mark.parametrize(
    ("days", "is_exempt"), [(0, True), (179, True), (180, True), (181, False), (-10, True)]
)
def test_a_keep_that_ran_out_asks_anew(days: int, *, is_exempt: bool, tmp_path: Path) -> None:
    keep = decision_on("ann", Decision.KEEP, TODAY - timedelta(days), comment="why")
    analysis = reviewed(tmp_path, review_of(keep))
    assert exemption_reasons(analysis) == {"ann": "why" if is_exempt else ""}
    assert [row[0] for row in shown(analysis)] == ["keep" if is_exempt else ""]
    assert len(analysis.totals.expired) == (not is_exempt)


@pytest.mark.parametrize(
    ("by", "comment", "left"),
    [
        ("Ann", "seasonal", "Kept until 2026-04-30 by Ann: seasonal"),
        ("Ann", "", "Kept until 2026-04-30 by Ann."),
        ("", "seasonal", "Kept until 2026-04-30: seasonal"),
    ],
)
def test_a_keep_that_ran_out_leaves_its_ticket_and_why_the_user_was_kept(
    by: str, comment: str, left: str, tmp_path: Path
) -> None:
    on = TODAY - timedelta(181)
    keep = decision_on("ann", Decision.KEEP, on, decided_by=by, ticket="T-1", comment=comment)
    assert shown(reviewed(tmp_path, review_of(keep))) == [("", "", "", "T-1", left)]


def test_the_days_to_keep_can_be_set(tmp_path: Path) -> None:
    keep = decision_on("ann", Decision.KEEP, TODAY - timedelta(31), comment="why")
    assert exemption_reasons(reviewed(tmp_path, review_of(keep, keep_days=30))) == {"ann": ""}
    assert exemption_reasons(reviewed(tmp_path, review_of(keep, keep_days=31))) == {"ann": "why"}


def test_a_keep_for_ever_ends_with_the_calendar(tmp_path: Path) -> None:
    keep = decision_on("ann", Decision.KEEP, date(2099, 1, 1), comment="why")
    analysis = reviewed(tmp_path, review_of(keep, keep_days=10**7))
    assert analysis.exemptions.entries[0].expires == date.max
    assert exemption_reasons(analysis) == {"ann": "why"}
    assert [row[0] for row in shown(analysis)] == ["keep"]


@pytest.mark.parametrize("decision", [each for each in Decision if each is not Decision.KEEP])
def test_no_other_decision_exempts(decision: Decision, tmp_path: Path) -> None:
    assert exemption_reasons(reviewed(tmp_path, review_of(decision_on("ann", decision)))) == {
        "ann": ""
    }


def test_a_user_created_again_under_the_name_is_another(tmp_path: Path) -> None:
    keep = decision_on("ann", Decision.KEEP, TODAY, comment="why")
    for seconds in (1, -1):
        again = a_user("ann", created=days_before(1000) + timedelta(seconds=seconds))
        analysis = reviewed(tmp_path, review_of(keep), again)
        assert exemption_reasons(analysis) == {"ann": ""}
        assert shown(analysis) == [("", "", "", "", "")]
        assert analysis.totals.unmatched == ()


def test_a_user_whose_creation_time_is_not_known_is_not_exempt(tmp_path: Path) -> None:
    keep = decision_on(
        "ann", Decision.KEEP, TODAY, created=None, file="LAST.xlsx", sheet="x", row=7
    )
    analysis = reviewed(tmp_path, review_of(keep))
    assert exemption_reasons(analysis) == {"ann": ""}
    assert analysis.report.notes[-1] == (
        "Decisions not carried over, because the creation time of the user is not known:"
        " LAST.xlsx, sheet x, row 7."
    )


def test_the_exemption_list_comes_before_the_review(tmp_path: Path) -> None:
    keep = decision_on("ann", Decision.KEEP, TODAY, comment="kept")
    entry = Exemption("*", "a*", "listed", "", None, 2)
    users = (a_user("ann"), a_user("abe"))
    analysis = reviewed(tmp_path, review_of(keep), *users, exemptions=(entry,))
    assert exemption_reasons(analysis) == {"ann": "listed", "abe": "listed"}
    assert analysis.totals.matched == (2, 1)


def test_of_two_entries_for_one_user_the_first_counts(tmp_path: Path) -> None:
    def entry(reason: str) -> Exemption:
        (kept,) = review_of(decision_on("ann", Decision.KEEP, TODAY, comment=reason)).exemptions()
        return kept

    analysis = reviewed(tmp_path, Review(), exemptions=(entry("one"), entry("two")))
    assert exemption_reasons(analysis) == {"ann": "one"}


def test_an_entry_for_one_user_may_have_no_end(tmp_path: Path) -> None:
    (kept,) = review_of(decision_on("ann", Decision.KEEP, TODAY, comment="why")).exemptions()
    entry = Exemption("*", "ann", "why", "", None, 2, arn=kept.arn, created=kept.created)
    assert exemption_reasons(reviewed(tmp_path, Review(), exemptions=(entry,))) == {"ann": "why"}


def test_the_findings_of_a_user_to_keep_are_exempt(tmp_path: Path) -> None:
    keep = decision_on("ann", Decision.KEEP, TODAY, comment="why")
    analysis = reviewed(tmp_path, review_of(keep), a_user("ann"), a_user("bob"))
    findings = analysis.inspection.findings
    unused = findings[findings["rule"] == "unused-user"]
    assert dict(zip(unused["user"], unused["exemption"], strict=True)) == {"ann": "why", "bob": ""}


# What is shown again


def test_an_earlier_decision_is_shown_with_all_that_was_written(tmp_path: Path) -> None:
    decision = decision_on("ann", Decision.DELETE, decided_by="Bob", ticket="OPS-1", comment="left")
    analysis = reviewed(tmp_path, review_of(decision), a_user("bob"), a_user("ann"))
    assert shown(analysis) == [
        ("", "", "", "", ""),
        ("delete", "Bob", "2026-03-05", "OPS-1", "left"),
    ]


def test_the_newest_decision_on_a_user_counts_and_of_one_day_that_of_the_last_workbook() -> None:
    def book(decision: Decision, day: int) -> ReviewWorkbook:
        file = FileReference(name=f"{decision}.xlsx", sha256="0" * 64)
        decisions = (decision_on("ann", decision, date(2026, 3, day)),)
        return ReviewWorkbook(file=file, decisions=decisions)

    books = [book(Decision.KEEP, 5), book(Decision.DELETE, 5), book(Decision.INVESTIGATE, 4)]
    review = combined_review(books)
    assert [each.decision for each in review.decisions] == [Decision.DELETE]
    assert [each.name for each in review.workbooks] == [
        "keep.xlsx",
        "delete.xlsx",
        "investigate.xlsx",
    ]


def test_decisions_without_a_date_are_named_with_the_day_that_they_count_from() -> None:
    undated = decision_on("ann", Decision.DELETE, date(2026, 3, 1), has_entered_date=False)
    assert review_of(undated).notes() == [
        (
            "Decisions without a date in the review: 1. They count from the time of its reports,"
            " 2026-03-01."
        )
    ]
    assert review_of(decision_on("ann", Decision.DELETE)).notes() == []


def test_a_text_that_is_no_arn_names_no_account() -> None:
    assert decision_on("ann", Decision.KEEP, arn="ann").account == ""
    assert decision_on("ann", Decision.KEEP, arn="a:b:c:d:e:f").account == ""


def test_without_a_review_nothing_is_exempt_or_shown(tmp_path: Path) -> None:
    analysis = reviewed(tmp_path, Review())
    assert analysis.exemptions == Exemptions()
    assert shown(analysis) == [("", "", "", "", "")]
    pd.testing.assert_series_equal(
        analysis.users["exemption"].astype(str), pd.Series([""], name="exemption", dtype="str")
    )
