"""The dates of a report that a spreadsheet saved are read if it is sure which number is the day."""

from datetime import UTC, datetime
from functools import cache
from itertools import cycle
from pathlib import Path

import pytest

import analyzer
from tests.support.builders import (
    a_key,
    a_password,
    a_user,
    days_before,
    judged_users,
    judgements_by,
    report_text,
    saved,
)
from tests.support.verdict_oracle import Judgement

USERS = [
    a_user("idle", password=a_password(days_before(100)), created=days_before(131)),
    a_user("busy", key_1=a_key(days_before(400), days_before(3))),
    a_user("quiet", created=days_before(30)),
]
FORMS = {
    "%d/%m/%Y %H:%M": "day/month/year",
    "%m/%d/%Y %H:%M:%S": "month/day/year",
    "%m/%d/%Y %I:%M %p": "month/day/year",
    "%d.%m.%Y %H:%M": "day.month.year",
    "%d-%m-%Y %H:%M": "day-month-year",
    "%Y/%m/%d %H:%M": "year/month/day",
    "%Y-%m-%d %H:%M:%S": "year-month-day",
}


def in_form(form: str, text: str) -> str:
    """Return a report with its dates in another form."""
    cells = (line.split(",") for line in text.split("\n"))
    return "\n".join(",".join(_in_form(form, cell) for cell in row) for row in cells)


def _in_form(form: str, cell: str) -> str:
    if not cell.endswith("Z"):
        return cell
    return f"{datetime.fromisoformat(cell):{form}}"


@cache
def plain() -> dict[str, Judgement]:
    text = report_text(USERS)
    return judgements_by(
        "user", analyzer.analyze(analyzer.load(("plain.csv", text.encode()))).users
    )


@pytest.mark.no_cover
@pytest.mark.parametrize(("form", "separator"), [*zip(FORMS, cycle(",;\t"), strict=False)])
def test_dates_of_one_local_form_are_read_as_utc(form: str, separator: str) -> None:
    text = in_form(form, report_text(USERS)).replace(",", separator)
    report = analyzer.load(("report.csv", text.encode()))
    assert judgements_by("user", analyzer.analyze(report).users) == plain()
    assert f"they are read as {FORMS[form]}, in UTC." in " ".join(report.notes)
    assert report.files[0].as_of == days_before(3)
    assert {user for page in report.pages() for user in page.cells["user_creation_time"]} == {
        f"{days_before(days):%Y-%m-%dT%H:%M:%SZ}" for days in (131, 1000, 30)
    }


def dated(*dates: str) -> str:
    """Return a report with the creation of users at these dates, and no other dates."""
    root = a_user("<root_account>", created=dates[0])
    users = [a_user(f"user{at}", created=date) for at, date in enumerate(dates)]
    return report_text(users, root=root)


MANY = "a date in a local form, but not all dates have one form"
AMBIGUOUS = "a date in a local form, whose day and month are ambiguous"
UNSURE = {
    "no number above 12": (["1/2/2015 14:01", "12/12/2015 14:01"], AMBIGUOUS),
    "one for each order": (["13/2/2015 14:01", "2/13/2015 14:01"], MANY),
    "two separators": (["13/2/2015 14:01", "13.2.2015 14:01"], MANY),
    "two clocks": (["13/2/2015 14:01", "13/2/2015 14:01:00"], MANY),
    "a date as AWS writes it": (["13/2/2015 14:01", "2015-02-13T14:01:00Z"], MANY),
    "a year of two digits": (["13/2/15 14:01"], MANY),
    "no time": (["13/2/2015"], MANY),
    "a day that is none": (["13/2/2015 14:01", "31/2/2015 14:01"], MANY),
    "a date that is cut": (["13/2/2015 14:01", "13/2/2015 1"], MANY),
}


@pytest.mark.no_cover
@pytest.mark.parametrize("why", UNSURE)
def test_dates_are_refused_unless_it_is_sure_which_number_is_the_day(
    tmp_path: Path, why: str
) -> None:
    dates, message = UNSURE[why]
    with pytest.raises(analyzer.InputRefused) as refused:
        analyzer.load(saved(tmp_path, dated(*dates)))
    assert {each.message for each in refused.value.problems} == {message}


@pytest.mark.parametrize("at", ["first", "last"])
def test_one_number_in_the_whole_report_shows_which_is_the_day(tmp_path: Path, at: str) -> None:
    dates = ["1/2/2015 14:01"] * 500
    dates[0 if at == "first" else -1] = "1/13/2015 14:01"
    report = analyzer.load(saved(tmp_path, dated(*dates)))
    assert report.files[0].as_of == datetime(2015, 1, 13, 14, 1, tzinfo=UTC)
    assert set(report.users["created"].dt.month) == {1}


def test_the_year_first_is_no_date_where_another_form_is_used(tmp_path: Path) -> None:
    frame = judged_users(saved(tmp_path, report_text([a_user(created="2015/02/13 14:01")])))
    assert frame["caveats"].astype(str).tolist() == ["unread-cell"]
