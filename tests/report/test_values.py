"""Timestamps are read in both of AWS's forms, and nothing ambiguous is read as one."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.report import values

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

NOON = datetime(2024, 4, 22, 19, 47, 52, tzinfo=UTC)


def texts(*cells: str) -> pa.Array:
    return pa.array(cells, pa.large_string())


def read(*cells: str) -> list[datetime | None]:
    found = values.timestamps(texts(*cells)).astype(object).tolist()
    return [each and each.replace(tzinfo=UTC) for each in found]


MOMENTS = {
    "2024-04-22T19:47:52Z": NOON,
    "2024-04-22T19:47:52+00:00": NOON,
    "2024-04-22T21:47:52+02:00": NOON,
    "2024-04-22T12:47:52-07:00": NOON,
    "2024-04-23T09:47:52+14:00": NOON,
    "2024-04-22T19:47:52.9Z": NOON,
    "2024-04-22T19:47:52.123456+00:00": NOON,
    "2024-04-22T19:47:52.123456789Z": NOON,
    "2024-04-22T21:47:52+0200": NOON,
    "2024-04-22 19:47:52Z": NOON,
    "2024-04-22 19:47:52+00:00": NOON,
    "1970-01-01T00:00:00Z": datetime(1970, 1, 1, tzinfo=UTC),
    "2099-12-31T23:59:59Z": datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC),
    "2024-02-29T00:00:00Z": datetime(2024, 2, 29, tzinfo=UTC),
}
NO_MOMENTS = [
    *("", "N/A", "no_information", "not_supported", "2024-04-22", "2024-04-22T19:47:52"),
    *("2024-04-22T19:47:52.123456", "2024-04-22T19:47Z", "2024-04-22T19:47+00:00"),
    *("2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-04-22T25:00:00Z"),
    *("2024-04-22T19:60:00Z", "2024-04-22T19:47:60Z", "2024-04-22T19:47:52+24:00"),
    *("2024-04-22T19:47:52z", "2024-04-22t19:47:52Z", "2024-04-22T19:47:52Z "),
    *(" 2024-04-22T19:47:52Z", "2024-04-22T19:47:52ZZ", "2024-04-22T19:47:52+00"),
    *("2024-04-22T19:47:52 +00:00", "2024-04-22T19:47:52+00:00:00", "20240422T194752Z"),
    *("2024-W17-1T19:47:52Z", "\u0662\u0660\u0662\u0664-04-22T19:47:52Z", "1969-12-31T23:59:59Z"),
    *("2100-01-01T00:00:00Z", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"),
    *("0000-01-01T00:00:00Z", "03/04/2021 10:00", "1713815272", "xxxx-xx-xxTxx:xx:xxZ"),
    "xxxxxxxxxxxxxxxxxxxxxxxxx",
]


@pytest.mark.parametrize(("cell", "moment"), MOMENTS.items())
def test_a_moment_is_read_alone_and_among_cells_of_every_kind(cell: str, moment: datetime) -> None:
    assert read(cell) == [moment]
    assert read("N/A", cell, "N/A") == [None, moment, None]
    assert read(*NO_MOMENTS, cell)[-1] == moment


@pytest.mark.parametrize("cell", NO_MOMENTS)
def test_what_is_no_moment_is_never_read_as_one(cell: str) -> None:
    assert read(cell) == [None]
    assert read(cell, "2024-04-22T19:47:52Z") == [None, NOON]
    assert read(cell, "2024-04-22T19:47:52.5Z") == [None, NOON]


@settings(derandomize=True, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from([*MOMENTS, *NO_MOMENTS]),
            st.from_regex(r"\A[0-9]{4}-[0-3][0-9]-[0-3][0-9][T ][0-9:]{8}(Z|[+-][0-9:]{5})\Z"),
            st.text("0129:-+TZ. ", max_size=26),
        ),
        max_size=5,
    )
)
def test_a_cell_is_read_alike_whatever_stands_beside_it(cells: list[str]) -> None:
    assert read(*cells) == [read(cell)[0] for cell in cells]


@pytest.mark.parametrize("cells", [[], ["N/A"], ["2024-04-22T19:47:52Z", "N/A", ""]])
def test_a_part_of_a_column_is_read_as_a_column(cells: list[str]) -> None:
    whole = texts("2020-01-01T00:00:00Z", *cells, "2021-01-01T00:00:00+00:00")
    part = whole.slice(1, len(cells))
    assert np.array_equal(values.timestamps(part), values.timestamps(texts(*cells)), equal_nan=True)


def as_text(*cells: str) -> list[str]:
    told: list[str] = values.timestamp_texts(
        texts(*cells), values.timestamps(texts(*cells))
    ).to_pylist()
    return told


def test_every_moment_is_told_in_the_form_of_today_and_every_word_as_it_stands() -> None:
    assert as_text("2024-04-22T21:47:52+02:00", "N/A", "2024-04-22T19:47:52.5Z", "") == [
        "2024-04-22T19:47:52Z",
        "N/A",
        "2024-04-22T19:47:52Z",
        "",
    ]
    assert as_text("2024-04-22T19:47:52+00:00", "2024-04-22T19:47:52Z", "N/A+00:00") == [
        "2024-04-22T19:47:52Z",
        "2024-04-22T19:47:52Z",
        "N/A+00:00",
    ]
    assert as_text("2024-04-22 19:47:52+00:00", "2024-04-22T21:47:52+02:00") == [
        "2024-04-22T19:47:52Z",
        "2024-04-22T19:47:52Z",
    ]
    assert as_text("2024-04-22T19:47:52Z", "no_information", "2024-04-22") == [
        "2024-04-22T19:47:52Z",
        "no_information",
        "2024-04-22",
    ]


@pytest.mark.parametrize(
    ("cell", "local"),
    [
        ("03/04/2021", True),
        ("3.4.21 10:00", True),
        ("\t12-07-2025 10:00:00Z", True),
        ("12/7/2025\n19:36", True),
        ("2021/04/03", False),
        ("2021-04-03", False),
        ("03/04", False),
        ("03/04/202", False),
        ("03 04 2021", False),
        ("1.2", False),
        ("", False),
    ],
)
def test_a_local_date_is_known_by_its_form(cell: str, *, local: bool) -> None:
    assert values.is_local_date(cell) is local


def test_only_what_begins_as_a_date_would_is_suspected_to_be_a_local_one() -> None:
    dates = ["3/4/2021", "3/4/21", " 3/4/21", "\t3/4/21"]
    others = ["2024-04-22T19:47:52Z", "3/4/2", "N/A", "", "no_information"]
    cells = texts(*dates, *others)
    suspected = values.may_be_local_date(cells, values.timestamps(cells))
    assert suspected.tolist() == [True] * len(dates) + [False] * len(others)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-04-22T19:47:52Z", NOON),
        ("2024-04-22T21:47:52.999+02:00", NOON),
        ("2024-04-22T19:47:52", None),
        ("2024-04-22", None),
        ("soon", None),
        ("0001-01-01T00:00:00+05:00", None),
        ("1969-12-31T23:59:59Z", None),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2099-12-31T23:59:59Z", datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2100-01-01T00:00:00Z", None),
    ],
)
def test_one_moment_needs_its_zone(text: str, moment: datetime | None) -> None:
    assert values.timestamp(text) == moment
