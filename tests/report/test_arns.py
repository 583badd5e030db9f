"""Who a row is about is read from its ARN and its name, exactly."""

import pyarrow as pa
import pytest

from analyzer.report import arns
from analyzer.report.values import first_bytes

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

ACCOUNT, OTHER = "012345678901", "111122223333"
IAM = f"arn:aws:iam::{ACCOUNT}:"
USER, ROOT = f"{IAM}user/ann", f"{IAM}root"


def texts(*cells: str) -> pa.Array:
    return pa.array(cells, pa.large_string())


def are_roots(arn: pa.Array, name: pa.Array | pa.ChunkedArray) -> list[bool]:
    roots: list[bool] = arns.is_root(pa.table({"arn": arn, "user": name})).to_pylist()
    return roots


ACCOUNTS = {
    ROOT: ACCOUNT,
    USER: ACCOUNT,
    "arn:aws:iam::000000000000:user/ann": "000000000000",
    f"arn:aws-cn:iam::{OTHER}:user/a": OTHER,
    f"arn:aws-us-gov:iam::{OTHER}:root": OTHER,
    f"arn:aws-iso-b:iam::{OTHER}:user/two\nlines": OTHER,
    "": "",
    "arn": "",
    "N/A": "",
    "arn:aws:iam::12345678901:user/a": "12345678901",
    "arn:aws:iam::1234567890123:user/a": "1234567890123",
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
    assert arns.account_ids(texts(*ACCOUNTS)).to_pylist() == [*ACCOUNTS.values()]
    assert arns.account_ids(texts()).to_pylist() == []


ROOT_NAMES = ("<root_account>", "&lt;root_account&gt;", "root_account", "root", "")
"""What AWS writes, and what is left of it where something took it for markup."""

ROOT_ARNS = {
    ROOT: True,
    f"arn:aws-us-gov:iam::{ACCOUNT}:root": True,
    "arn:aws:iam::1234:root": True,
    USER: False,
    f"{IAM}user/root": False,
    f"{IAM}user/a:root": False,
    f"{ROOT}\n": False,
    f"{IAM}ROOT": False,
    ":root": False,
    "": False,
}


@pytest.mark.parametrize(("arn", "root"), ROOT_ARNS.items())
def test_a_root_is_known_by_its_name_and_what_is_left_of_one_by_its_arn(
    arn: str, *, root: bool
) -> None:
    for name in ROOT_NAMES:
        is_root = root or name in ROOT_NAMES[:2]
        assert are_roots(texts(arn), texts(name)) == [is_root]
        names = pa.chunked_array([texts("ann"), texts(name)])
        assert are_roots(texts(USER, arn), names) == [False, is_root]
    assert are_roots(texts(), texts()) == []


def test_whoever_has_another_name_is_no_root() -> None:
    for name in ("alice", "Root", "<root_account> ", "root_account2", "<root>"):
        assert are_roots(texts(ROOT), texts(name)) == [False]
        names = texts(name, "ann", "<root_account>")
        assert are_roots(texts(ROOT, USER, ROOT), names) == [False, False, True]


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
