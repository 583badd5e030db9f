"""Cells are read exactly: timestamps in both of AWS's forms, names, ARNs, and nothing else."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import product

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from analyzer.report import arns, values
from analyzer.report.frames import TEXT, utc_text_series
from analyzer.report.model import arrow_array
from analyzer.report.values import (
    day_texts,
    first_bytes,
    minute_texts,
    second_texts,
    utc_texts,
)
from analyzer.terms import utc_text
from tests.support.odd_cells import ODD_MOMENTS

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

NOON = datetime(2024, 4, 22, 19, 47, 52, tzinfo=UTC)
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)


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
    "1970-01-01T00:00:00Z": FIRST,
    "2099-12-31T23:59:59Z": LAST,
    "2024-02-29T00:00:00Z": datetime(2024, 2, 29, tzinfo=UTC),
}
NO_MOMENTS = (
    ["", "N/A", "no_information", "not_supported", "2024-04-22", "2024-04-22T19:47:52"]
    + ["2024-04-22T19:47:52.123456", "2024-04-22T19:47Z", "2024-04-22T19:47+00:00"]
    + ["2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-04-22T25:00:00Z"]
    + ["2024-04-22T19:60:00Z", "2024-04-22T19:47:60Z", "2024-04-22T19:47:52+24:00"]
    + ["2024-04-22T19:47:52z", "2024-04-22t19:47:52Z", "2024-04-22T19:47:52Z "]
    + [" 2024-04-22T19:47:52Z", "2024-04-22T19:47:52ZZ", "2024-04-22T19:47:52+00"]
    + ["2024-04-22T19:47:52 +00:00", "2024-04-22T19:47:52+00:00:00", "20240422T194752Z"]
    + ["2024-W17-1T19:47:52Z", "\u0662\u0660\u0662\u0664-04-22T19:47:52Z", "1969-12-31T23:59:59Z"]
    + ["2100-01-01T00:00:00Z", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"]
    + ["0000-01-01T00:00:00Z", "03/04/2021 10:00", "1713815272", "xxxx-xx-xxTxx:xx:xxZ"]
    + ["xxxxxxxxxxxxxxxxxxxxxxxxx"]
)


def test_a_moment_is_read_alone_and_among_cells_of_every_kind_and_nothing_else_is() -> None:
    for cell, moment in MOMENTS.items():
        assert read(cell) == [moment], cell
        assert read("N/A", cell, "N/A") == [None, moment, None]
        assert read(*NO_MOMENTS, cell)[-1] == moment
    for cell in NO_MOMENTS:
        assert read(cell) == [None], cell
        assert read(cell, "2024-04-22T19:47:52Z") == [None, NOON]
        assert read(cell, "2024-04-22T19:47:52.5Z") == [None, NOON]


def test_what_may_be_a_moment_is_read_alike_whatever_stands_beside_it() -> None:
    others = "N/A", *(f"2024-04-22T19:47:52{zone}" for zone in ("Z", "+00:00", ".5Z"))
    for cell in ODD_MOMENTS:
        assert {read(cell, other)[0] for other in others} == set(read(cell)), cell


LOCAL = (
    "03/04/2021",
    "3.4.21 10:00",
    "\t12-07-2025 10:00:00Z",
    "12/7/2025\n19:36",
    "2021/04/03 9:00",
    "2021-4-3 19:36:00",
)
NOT_LOCAL = ("2021/04/03", "2021-04-03", "03/04", "03 04 2021", "1.2", "")


def test_a_local_date_is_known_by_its_form() -> None:
    assert list(map(values.is_local_date, LOCAL)) == [True] * len(LOCAL)
    assert list(map(values.is_local_date, NOT_LOCAL)) == [False] * len(NOT_LOCAL)
    assert (values.is_local_date("3/4/21"), values.is_local_date("3/4/2")) == (True, False)


UNZONED = ("2024-04-22T19:47:52", "2024-04-22", "soon")
BEYOND = ("0001-01-01T00:00:00+05:00", "1969-12-31T23:59:59Z", "2100-01-01T00:00:00Z")


def test_one_moment_is_read_alike_and_needs_its_zone() -> None:
    assert {text: values.timestamp(text) for text in MOMENTS} == MOMENTS
    assert {values.timestamp(text) for text in UNZONED + BEYOND} == {None}


# How moments are spelled


@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_a_column_of_moments_is_spelled_as_each_is_alone(unit: str) -> None:
    every = [FIRST, NOON, datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC), LAST]
    kind = f"datetime64[{unit}, UTC]"
    moments = pd.Series([*every, None], index=[3, 3, 5, 7, 9], dtype=kind)
    alone = list(map(utc_text, every))
    assert utc_texts(arrow_array(moments)).to_pylist() == [*alone, None]
    spelled, days = utc_text_series(moments), day_texts(arrow_array(moments))
    assert spelled.fillna("").tolist() == [*alone, ""]
    assert (spelled.dtype, spelled.index.tolist()) == (TEXT, moments.index.tolist())
    minutes = [each[:16].replace("T", " ") for each in alone]
    assert minute_texts(arrow_array(moments)).to_pylist() == [*minutes, None]
    assert days.to_pylist() == [*(each[:10] for each in alone), None]
    assert day_texts(arrow_array(moments.iloc[:0])).to_pylist() == []
    assert utc_texts(arrow_array(moments.iloc[:0])).to_pylist() == []


def test_a_moment_of_another_zone_is_spelled_in_utc() -> None:
    at = datetime(2026, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert utc_text(at) == "2026-02-28T23:30:00Z"


# Who a row is about

ACCOUNT, OTHER = "012345678901", "111122223333"
IAM = f"arn:aws:iam::{ACCOUNT}:"
USER, ROOT = f"{IAM}user/ann", f"{IAM}root"


def are_roots(arn: pa.Array, name: pa.Array | pa.ChunkedArray) -> list[bool]:
    roots: list[bool] = arns.is_root(arn, name).tolist()
    return roots


ACCOUNTS = {
    ROOT: ACCOUNT,
    USER: ACCOUNT,
    "arn:aws:iam::000000000000:user/ann": "000000000000",
    f"arn:aws-cn:iam::{OTHER}:user/a": f"aws-cn:{OTHER}",
    f"arn:aws-us-gov:iam::{OTHER}:root": f"aws-us-gov:{OTHER}",
    f"arn:aws-iso-b:iam::{OTHER}:user/two\nlines": f"aws-iso-b:{OTHER}",
    "": "",
    "arn": "",
    "N/A": "",
    "arn:aws:iam::12345678901:user/a": "",
    "arn:aws:iam::1234567890123:user/a": "",
    f"arn:aws:iam::{chr(0x661) * 12}:root": "",  # digits, but not of ASCII
    "arn:aws:sts::012345678901:user/a": "",
    "arn:aws:iam:us-east-1:012345678901:user/a": "",
    "arn:gcp:iam::012345678901:user/a": "",
    f"x{USER}": "",
    f"\n{USER}": "",
}


def test_the_account_is_what_stands_for_it_in_an_arn_of_iam() -> None:
    for arn, account in ACCOUNTS.items():
        assert arns.account_ids(texts(arn)).to_pylist() == [account], arn
    assert arns.account_ids(texts(*ACCOUNTS)).to_pylist() == list(ACCOUNTS.values())
    assert arns.account_ids(texts()).to_pylist() == []


ROOT_NAMES = dict.fromkeys(("<root_account>", "&lt;root_account&gt;"), True)
ROOT_NAMES |= dict.fromkeys(("alice", "Root", "<root_account> ", "root_account2", "<root>"), False)
"""What AWS writes, and what others are called: a root or not whatever the ARN."""

CUT_ROOT_NAMES = ("root_account", "root", "")
"""What is left of the name where something took it for markup: a root if the ARN is one."""

ROOT_ARNS = {
    ROOT: True,
    f"arn:aws-us-gov:iam::{ACCOUNT}:root": True,
    "arn:aws:iam::1234:root": False,
    USER: False,
    f"{IAM}user/root": False,
    f"{IAM}user/a:root": False,
    f"{ROOT}\n": False,
    f"{IAM}ROOT": False,
    ":root": False,
    "": False,
}


def test_a_root_is_known_by_its_name_and_what_is_left_of_one_by_its_arn() -> None:
    for (arn, root), name in product(ROOT_ARNS.items(), (*ROOT_NAMES, *CUT_ROOT_NAMES)):
        is_root = ROOT_NAMES.get(name, root)
        assert are_roots(texts(arn), texts(name)) == [is_root], (arn, name)
        names = pa.chunked_array([texts("ann"), texts(name)])
        assert are_roots(texts(USER, arn), names) == [False, is_root]
    assert are_roots(texts(), texts()) == []


NAMES = {
    "ann": True,
    "a+b=c,d.e@f-g_h": True,
    "x" * 128: True,
    "x" * 129: False,
    "": False,
    "two words": False,
    "a/b": False,
    "na\u00efve": False,
    "ann\n": False,
    "<root_account>": False,
}


def test_a_name_is_one_that_iam_could_give() -> None:
    for name, valid in NAMES.items():
        assert arns.is_user_name(texts(name)).tolist() == [valid], name
        assert arns.is_user_arn(texts(f"{IAM}user/{name}"), texts(name)).tolist() == [valid], name


USER_ARNS = (
    (USER, "ann", True),
    (f"arn:aws-cn:iam::{ACCOUNT}:user/a/b/ann", "ann", True),
    (f"{IAM}user/!\"#$%&'()*;<>?[\\]^`{{|}}~,/ann", "ann", True),
    (f"{IAM}user//ann", "ann", True),
    (USER, "Ann", False),
    (USER, "nn", False),
    (f"{IAM}user/a b/ann", "ann", False),
    (f"{IAM}user/a\n/ann", "ann", False),
    (f"{IAM}userann", "ann", False),
    (f"{IAM}role/ann", "ann", False),
    (ROOT, "root", False),
    ("arn:aws:iam::1234:user/ann", "ann", False),
    ("", "", False),
)


def test_the_arn_of_a_user_ends_in_its_name() -> None:
    for arn, name, valid in USER_ARNS:
        assert arns.is_user_arn(texts(arn), texts(name)).tolist() == [valid], arn


def test_the_first_byte_of_each_cell_is_seen_and_of_an_empty_one_it_is_any() -> None:
    for cells, first in ((["=1", "b", "-c"], b"=b-"), (["é"], "é".encode()[:1]), ([], b"")):
        assert bytes(first_bytes(texts(*cells))) == first
        assert bytes(first_bytes(texts("head", *cells).slice(1))) == first
    assert len(first_bytes(texts("", ""))) == 2
    assert bytes(first_bytes(texts("", "=1", "")))[1:2] == b"="


def test_the_text_of_a_second_is_that_of_its_moment() -> None:
    moments = (FIRST, datetime(2000, 2, 29, 23, 59, 59, tzinfo=UTC), NOON, LAST)
    seconds = np.array([int(moment.timestamp()) for moment in moments], np.uint32)
    assert second_texts(seconds).to_pylist() == [utc_text(moment) for moment in moments]
    assert second_texts(seconds[:0]).to_pylist() == []
