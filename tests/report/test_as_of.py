"""The moment that a report describes is known from the best source there is, and which is said."""

import json
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path

import pytest

import analyzer
from analyzer.errors import InputRefused
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    LONG_AGO,
    a_user,
    days_before,
    report_text,
    the_root,
)
from tests.support.named_reports import load_named
from tests.support.reading import PLAIN, TWO_USERS, envelope, put

SECOND = timedelta(seconds=1)
BY_OPTION = datetime(2026, 5, 5, tzinfo=UTC)
BY_ENVELOPE = datetime(2026, 5, 4, 10, 20, 30, tzinfo=UTC)
BY_METADATA = datetime(2026, 5, 3, 10, 20, 30, tzinfo=UTC)
BY_NAME = datetime(2026, 5, 2, 9, 30, 15, tzinfo=UTC)
NEWEST = days_before(3)
CONSOLE = "status_reports_2026-05-02T09-30-15+00-00.csv"
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)


def as_of_and_source(
    name: str | Path, text: str = PLAIN, as_of: datetime | None = None
) -> tuple[datetime, str]:
    """Return the moment of a file, or of a report of that name, and its source."""
    source = name if isinstance(name, Path) else (name, text.encode())
    (file,) = load_named(source, as_of=as_of).files
    return file.as_of, str(file.as_of_source)


def test_each_source_of_the_moment_goes_before_the_next(tmp_path: Path) -> None:
    in_json = put(tmp_path, envelope(PLAIN, BY_ENVELOPE), CONSOLE)
    in_csv = put(tmp_path / "a", PLAIN, CONSOLE)
    for path in (in_json, in_csv):
        digest = sha256(path.read_bytes()).hexdigest()
        metadata = {"generated_time": BY_METADATA.isoformat(), "sha256": digest}
        put(path.parent, json.dumps(metadata), path.name + ".metadata.json")
    for source, by_itself in (
        (in_json, (BY_ENVELOPE, "envelope")),
        (in_csv, (BY_METADATA, "metadata")),
        (CONSOLE, (BY_NAME, "file-name")),
        ("report.csv", (NEWEST, "assumed")),
    ):
        assert as_of_and_source(source, as_of=BY_OPTION) == (BY_OPTION, "option")
        assert as_of_and_source(source) == by_itself


@pytest.mark.no_cover
def test_an_option_in_another_zone_is_the_same_moment() -> None:
    text = report_text([a_user(created=BY_OPTION - timedelta(days=10))])
    for hours in (-11, 5.75, 14):
        elsewhere = BY_OPTION.astimezone(timezone(timedelta(hours=hours)))
        later = elsewhere + timedelta(microseconds=9)
        report = load_named(("a.csv", text.encode()), as_of=later)
        (file,) = report.files
        assert (file.as_of, str(file.as_of_source)) == (BY_OPTION, "option")
        assert analyzer.analyze(report).users["age_days"].tolist() == [10]


YEAR_1, YEAR_9999 = (datetime(year, 1, 1, tzinfo=UTC) for year in (1, 9999))


def test_the_first_and_the_last_moment_may_be_given_and_none_that_no_report_describes() -> None:
    for moment in (FIRST, LAST):
        report = load_named(("report.csv", PLAIN.encode()), as_of=moment)
        assert report.files[0].as_of == moment
        assert len(analyzer.analyze(report).users) == 2
    for moment in (YEAR_1, FIRST - SECOND, LAST + SECOND, YEAR_9999):
        with pytest.raises(InputRefused) as refusal:
            as_of_and_source("report.csv", as_of=moment)
        (found,) = refusal.value.problems
        assert (found.value, found.message) == (moment.isoformat(), "no report describes this time")
        assert found.hint == "Use a time from 1970 to 2099."


DAY, TOLD = "status_reports_2026-05-02T", "status_reports_2026-05-02T09-30-15"
NAMES = {
    f"{TOLD}+00-00.csv": BY_NAME,
    f"{TOLD}Z.csv": BY_NAME,
    f"012345678901_{TOLD}Z.csv": BY_NAME,
    f"copy of {TOLD}+00-00.csv": BY_NAME,
    f"{TOLD}.csv": BY_NAME,
    f"{DAY}11-30-15+02-00.csv": BY_NAME,
    f"{DAY}02-30-15-07-00.csv": BY_NAME,
    f"{TOLD}_prod.csv": BY_NAME,
    f"{DAY}15-00-15+05-30.csv": BY_NAME,
    "status_reports_2026-05-03T00-30-15+15-00.csv": BY_NAME,
    f"{TOLD}Z": BY_NAME,
    f"{TOLD}+00-00 (1).csv": BY_NAME,
    f"{TOLD}+00-00.csv.gz": BY_NAME,
    "status_reports_1970-01-01T00-00-00+00-00.csv": FIRST,
    "status_reports_2099-12-31T23-59-59Z.csv": LAST,
}
NO_MOMENTS = (
    ("2026-05-02T09-30-15+0000", "2026-05-02T09-30-15+2", "2026-05-02T09-30-15123")
    + ("2026-05-02T09-30", "2026-05-02", "2026-13-02T09-30-15+00-00", "2026-02-30T09-30-15+00-00")
    + ("2026-05-02T25-30-15+00-00", "2026-05-02T09-30-15+25-00", "0001-01-01T00-00-00+05-00")
    + ("0000-01-01T00-00-00+00-00", "1969-12-31T23-59-59+00-00", "2100-01-01T00-00-00+00-00")
    + ("2099-12-31T23-59-59-01-00", "9999-12-31T23-59-59+00-00", "9999-12-31T23-59-59-05-00", "")
)
OTHER_NAMES = tuple(f"status_reports_{each}.csv" for each in NO_MOMENTS) + (
    f"{TOLD}+00-00.csv".title(),
    "iam-report-2024-04-14UTC1715.csv",
)


@pytest.mark.no_cover
def test_the_name_that_the_console_gives_tells_the_moment_and_another_no_time_of_the_day() -> None:
    for name, moment in NAMES.items():
        assert as_of_and_source(name) == (moment, "file-name")
    for name in OTHER_NAMES:
        assert as_of_and_source(name)[1] in {"folder", "assumed"}, name


def test_the_newest_timestamp_is_assumed_but_not_that_of_a_coming_rotation() -> None:
    later, latest = days_before(2), days_before(1)
    coming = a_user("a", password_next_rotation=AS_OF + timedelta(days=80))
    users, root = [coming, a_user("b", cert_2_last_rotated=later)], the_root()
    root |= {"access_key_2_last_used_date": latest}
    text = report_text(users, root=root, form="+00:00")
    assert as_of_and_source("report.csv", text) == (latest, "assumed")
    user = a_user(created="unknown", password_last_changed=LONG_AGO)
    other = user | {"user": "x", "arn": f"arn:aws:iam::{ACCOUNT}:user/x"}
    only = report_text([user], root=other)
    assert as_of_and_source("report.csv", only) == (LONG_AGO, "assumed")


def test_the_age_of_a_user_is_counted_from_the_moment_of_its_own_report() -> None:
    other = report_text(TWO_USERS, form="+00:00").replace("012345678901", "111122223333")
    users = analyzer.analyze(
        load_named(
            ("status_reports_2026-05-02T00-00-00Z.csv", PLAIN.encode()),
            ("status_reports_2026-06-01T00-00-00Z.csv", other.encode()),
        )
    ).users
    ages = users.groupby("account")["age_days"].unique().map(list).to_dict()
    assert ages == {"012345678901": [1000], "111122223333": [1030]}


DAYS = {
    "2026-05-06/report.csv": 6,
    "a/2026-05-06/b/c.csv": 6,
    "report_date=2026-05-06/report.csv": 6,
    "iam-2026-05-06.csv": 6,
    f"{CONSOLE}/report.csv": 2,
    "2026-05-06/2026-05-07.csv": 7,
    "2026-05-06/2026-05-07_2026-05-08.csv": None,
    "12026-05-06/report.csv": None,
    "2026-05-06T09-30-00Z/reports/report.csv": None,
    "2026-05-06/2026-05-07T09-30-00Z-2/report.csv": 6,
    "2026-05-061/report.csv": None,
    "2026-13-06/report.csv": None,
    "2026-04-01/report.csv": None,
}


def test_a_date_in_the_name_of_a_file_or_folder_tells_the_end_of_that_day() -> None:
    text = PLAIN.replace("2023-08-05", "2026-04-20", 1)
    for name, day in DAYS.items():
        moment, source = as_of_and_source(name, text)
        assert source == ("folder" if day else "assumed"), name
        if day:
            assert moment == datetime(2026, 5, day, 23, 59, 59, tzinfo=UTC)


def test_a_date_in_a_name_counts_only_if_no_timestamp_in_the_report_is_later() -> None:
    newest = datetime(2026, 5, 6, 23, 59, 59, tzinfo=UTC)
    for seconds, source in ((-1, "folder"), (0, "folder"), (1, "assumed")):
        text = report_text([a_user(created=newest + seconds * SECOND)])
        assert as_of_and_source("2026-05-06/report.csv", text)[1] == source
