"""A record keeps what a report says of a user, and reads back as nothing else."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson

import analyzer
from analyzer import columns
from analyzer.decisions.user_record import (
    MOST_SAME_SECOND,
    MOST_UNREAD_CREATIONS,
    CreationSeconds,
    judged_pages,
    parsed_record,
    record_differences,
    record_texts,
)
from analyzer.report.model import Page
from analyzer.writers.workbook.table_sheets import take_rows
from tests.support.builders import LONG_AGO, Row, a_user, report_text, saved
from tests.support.decisions import analysis_of

SECOND = timedelta(seconds=1)


def recorded(*users: Row, **report: Any) -> list[dict[str, Any]]:
    """Return the records of users of one report."""
    analysis = analysis_of(*users, **report)
    (page,) = analysis.pages()
    seconds = CreationSeconds()
    seconds.add(page)
    texts = record_texts(page, analysis.report.files, {}, analysis.criteria, seconds.same_second())
    return [orjson.loads(text) for text in texts]


def alike(number: int) -> list[Row]:
    """Return users that were created in one second."""
    return [a_user(f"user{at:03}") for at in range(number)]


def test_a_record_names_the_other_users_that_were_created_in_the_same_second() -> None:
    users = *alike(3)[::-1], a_user("before", created=LONG_AGO - SECOND)
    names = [each["same_second"] for each in recorded(*users)]
    first, second, third = (f"user00{at}" for at in range(3))
    assert names == [[first, second], [first, third], [second, third], []]


def test_a_user_whose_creation_time_is_not_known_may_be_created_in_any_second() -> None:
    odd = a_user("odd", created="soon")
    two = [a_user("two", created=LONG_AGO - times * SECOND) for times in (1, 2)]
    names = [each["same_second"] for each in recorded(*alike(2), odd, *two)]
    assert names == [["odd", "two", "user001"], ["odd", "two", "user000"], ["two"], ["odd"]]


def test_users_of_one_or_of_any_second_are_named_unless_they_are_very_many() -> None:
    for unread, kept in (
        (MOST_UNREAD_CREATIONS, MOST_UNREAD_CREATIONS),
        (MOST_UNREAD_CREATIONS + 1, 0),
    ):
        odd = [a_user(f"odd{at:02}", created="soon") for at in range(unread)]
        assert len(recorded(a_user("user"), *odd)[0]["same_second"]) == kept
    assert {len(each["same_second"]) for each in recorded(*alike(MOST_SAME_SECOND + 1))} == {50}
    assert {each["same_second"] for each in recorded(*alike(MOST_SAME_SECOND + 2))} == {None}


def test_a_text_that_is_no_record_is_none() -> None:
    (record,) = recorded(a_user())
    cells = record["cells"]
    baseline = {"baseline": "2026-05-01T12:00:01Z"}
    for change in (
        *({"row": 0}, {"row": "2"}, {"as_of": "soon"}, {"baseline": ""}, baseline),
        *(baseline | {"as_of_source": "folder"}, {"as_of_source": "guess"}),
        *({"definition": "mine"}, {"dormant_days": -1}, {"more": ""}),
        *({"cells": cells | {"more": ""}}, {"cells": cells | {"user": None}}),
        {"cells": {name: "" for name in cells if name != "user"}},
    ):
        assert parsed_record(orjson.dumps(record | change).decode()) is None, change
    for same in (record, record | {"row": 1}):
        assert parsed_record(orjson.dumps(same).decode())
    del record["earlier"]
    assert parsed_record(orjson.dumps(record).decode()) is None


def test_a_report_needs_no_more_columns_than_the_record_asks_for() -> None:
    (record,) = recorded(a_user(), columns=columns.REQUIRED)
    assert record["cells"].keys() == {*columns.REQUIRED}
    assert parsed_record(orjson.dumps(record).decode())


def test_names_owners_and_earlier_decisions_are_not_what_a_report_gives() -> None:
    analysis, (record,) = analysis_of(a_user()), recorded(a_user())
    names = ("file", "account_name", "account_owner", "earlier", *columns.OWNERSHIP)
    other = parsed_record(orjson.dumps(record | dict.fromkeys(names, "other")).decode())
    assert other
    compared = ([other], analysis.pages(), analysis.report, analysis.criteria)
    assert [*record_differences(*compared)] == []


def test_users_reordered_and_read_back_keep_what_another_row_contradicts(tmp_path: Path) -> None:
    rows = [a_user("ann"), a_user("bob"), a_user("bob", mfa_active="true"), a_user("eve")]
    report = analyzer.load(saved(tmp_path, report_text(rows)))
    analysis = analyzer.analyze(report)
    (page,) = analysis.pages()
    assert page.contradicted_columns() == [[], ["mfa_active"], []]
    turned = take_rows(page, np.array([1, 2, 0]))
    assert isinstance(turned, Page)
    assert turned.contradicted_columns() == [["mfa_active"], [], []]
    texts = record_texts(turned, report.files, {}, analysis.criteria, {})
    records = [each for each in map(parsed_record, texts) if each]
    ((_, again),) = judged_pages(records)
    assert again.contradicted_columns() == turned.contradicted_columns()
