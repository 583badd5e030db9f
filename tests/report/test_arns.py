"""Who a row is about is read from its ARN and its name, exactly."""

import pyarrow as pa
import pytest

from analyzer.report import arns
from analyzer.report.values import first_bytes

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

ACCOUNT = "012345678901"
USER = f"arn:aws:iam::{ACCOUNT}:user/ann"


def texts(*cells: str) -> pa.Array:
    return pa.array(cells, pa.large_string())


def are_roots(arn: pa.Array, name: pa.Array | pa.ChunkedArray) -> list[bool]:
    roots: list[bool] = arns.is_root(pa.table({"arn": arn, "user": name})).to_pylist()
    return roots


ACCOUNTS = {
    f"arn:aws:iam::{ACCOUNT}:root": ACCOUNT,
    USER: ACCOUNT,
    "arn:aws:iam::000000000000:user/ann": "000000000000",
    "arn:aws-cn:iam::111122223333:user/a": "111122223333",
    "arn:aws-us-gov:iam::111122223333:root": "111122223333",
    "arn:aws-iso-b:iam::111122223333:user/two\nlines": "111122223333",
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


@pytest.mark.parametrize(("arn", "account"), ACCOUNTS.items())
def test_the_account_is_the_twelve_digits_in_an_arn_of_iam(arn: str, account: str) -> None:
    assert arns.account_ids(texts(arn)).to_pylist() == [account]
    assert arns.account_ids(texts(USER, arn)).to_pylist() == [ACCOUNT, account]


def test_the_accounts_of_no_rows_are_none() -> None:
    assert arns.account_ids(texts()).to_pylist() == []


ROOT_NAMES = ("<root_account>", "&lt;root_account&gt;", "root_account", "root", "")
"""What AWS writes, and what is left of it where something took it for markup."""


@pytest.mark.parametrize(
    ("arn", "root"),
    [
        (f"arn:aws:iam::{ACCOUNT}:root", True),
        (f"arn:aws-us-gov:iam::{ACCOUNT}:root", True),
        (USER, False),
        (f"arn:aws:iam::{ACCOUNT}:user/root", False),
        (f"arn:aws:iam::{ACCOUNT}:user/a:root", False),
        (f"arn:aws:iam::{ACCOUNT}:root\n", False),
        (f"arn:aws:iam::{ACCOUNT}:ROOT", False),
        ("arn:aws:iam::1234:root", True),
        (":root", False),
        ("", False),
    ],
)
def test_a_root_is_known_by_its_name_and_what_is_left_of_one_by_its_arn(
    arn: str, *, root: bool
) -> None:
    for name in ROOT_NAMES:
        is_root = root or name in ROOT_NAMES[:2]
        assert are_roots(texts(arn), texts(name)) == [is_root]
        names = pa.chunked_array([texts("ann"), texts(name)])
        assert are_roots(texts(USER, arn), names) == [False, is_root]


@pytest.mark.parametrize("name", ["alice", "Root", "<root_account> ", "root_account2", "<root>"])
def test_whoever_has_another_name_is_no_root(name: str) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:root"
    assert are_roots(texts(arn), texts(name)) == [False]
    names = texts(name, "ann", "<root_account>")
    assert are_roots(texts(arn, USER, arn), names) == [False, False, True]


def test_among_no_rows_is_no_root() -> None:
    assert are_roots(texts(), texts()) == []


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("ann", True),
        ("a+b=c,d.e@f-g_h", True),
        ("x" * 64, True),
        ("x" * 128, True),
        ("x" * 129, False),
        ("", False),
        ("two words", False),
        ("a/b", False),
        ("na\u00efve", False),
        ("ann\n", False),
        ("<root_account>", False),
    ],
)
def test_a_name_is_one_that_iam_could_give(name: str, *, valid: bool) -> None:
    assert arns.is_user_name(texts(name)).tolist() == [valid]
    arn = f"arn:aws:iam::{ACCOUNT}:user/{name}"
    assert arns.is_user_arn(texts(arn), texts(name)).tolist() == [valid]


@pytest.mark.parametrize(
    ("arn", "name", "valid"),
    [
        (USER, "ann", True),
        (f"arn:aws-cn:iam::{ACCOUNT}:user/a/b/ann", "ann", True),
        (f"arn:aws:iam::{ACCOUNT}:user/!\"#$%&'()*;<>?[\\]^`{{|}}~,/ann", "ann", True),
        (f"arn:aws:iam::{ACCOUNT}:user//ann", "ann", True),
        (USER, "Ann", False),
        (USER, "nn", False),
        (f"arn:aws:iam::{ACCOUNT}:user/a b/ann", "ann", False),
        (f"arn:aws:iam::{ACCOUNT}:user/a\n/ann", "ann", False),
        (f"arn:aws:iam::{ACCOUNT}:userann", "ann", False),
        (f"arn:aws:iam::{ACCOUNT}:role/ann", "ann", False),
        (f"arn:aws:iam::{ACCOUNT}:root", "root", False),
        ("arn:aws:iam::1234:user/ann", "ann", False),
        ("", "", False),
    ],
)
def test_the_arn_of_a_user_ends_in_its_name(arn: str, name: str, *, valid: bool) -> None:
    assert arns.is_user_arn(texts(arn), texts(name)).tolist() == [valid]


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["=1", "b", "-c"], b"=b-"),
        (["x"], b"x"),
        (["é"], "é".encode()[:1]),
        ([], b""),
    ],
)
def test_the_first_byte_of_each_cell_is_seen(cells: list[str], first: bytes) -> None:
    assert bytes(first_bytes(texts(*cells))) == first
    assert bytes(first_bytes(texts("head", *cells).slice(1))) == first


def test_empty_cells_have_any_first_byte() -> None:
    assert len(first_bytes(texts("", ""))) == 2
    assert bytes(first_bytes(texts("", "=1", "")))[1:2] == b"="
