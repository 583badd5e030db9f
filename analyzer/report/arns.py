"""Read who a row is about: the account, and whether it is the root or an IAM user.

The forms are those of the IAM reference ("IAM identifiers", "IAM and STS quotas"): an ARN has a
partition, no region, a 12-digit account, and for a user a path of printable ASCII and the name.
"""

import re
import string
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.cells import bytes_at, end_with, lengths, made_of

_NAME: Final = (string.ascii_letters + string.digits + "_+=,.@-").encode()
_LONGEST_NAME: Final = 128
_PATH: Final = bytes(range(ord("!"), ord("~") + 1))
_PREFIX: Final = r"arn:aws(-[a-z0-9-]+)?:iam::[0-9]{12}:"
_ROOT: Final = rf"^{_PREFIX}root\z"
_ROOT_NAMES: Final = pa.array(
    ["<root_account>", "&lt;root_account&gt;", "root_account", "root", ""], pa.large_string()
)

_USUAL: Final = re.compile(rb"arn:aws:iam::([0-9]{12}):")
_USUAL_USER: Final = re.compile(_USUAL.pattern + b"user/")
_USUAL_LENGTH: Final = len("arn:aws:iam::123456789012:")


def is_root(arn: pa.Array, name: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Tell which rows are an account's root, whatever markup did to the name `<root_account>`."""
    likely = pc.ends_with(arn, ":root")
    whole = pc.match_substring_regex(arn.filter(likely), _ROOT)
    named = pc.is_in(name.filter(likely), _ROOT_NAMES)
    root = np.array(likely, bool)
    root[root] = pc.and_(whole, named)
    return pa.array(root)


def accounts(arn: pa.Array) -> pa.Array:
    """Return the 12 digits of each row's account, empty where the ARN is none."""
    beginning = _distinct_beginnings(arn, _USUAL_LENGTH)
    usual = [_USUAL.fullmatch(each) for each in beginning.dictionary.to_pylist()]
    if all(usual):
        digits = pa.array([match[1].decode() for match in usual if match], arn.type)
        return digits.take(beginning.indices)
    named = pc.match_substring_regex(arn, f"^{_PREFIX}")
    digits = pc.replace_substring_regex(arn, r"(?s)^arn:[a-z0-9-]+:iam::([0-9]{12}):.*$", r"\1")
    return pc.if_else(named, digits, pa.scalar("", arn.type))


def is_user_name(name: pa.Array) -> np.ndarray:
    """Tell which names IAM could have given."""
    length = lengths(name)
    return made_of(name, _NAME) & (length > 0) & (length <= _LONGEST_NAME)


def is_user_arn(arn: pa.Array, name: pa.Array) -> np.ndarray:
    """Tell which ARNs are those of an IAM user with the name of the same row."""
    slash = bytes_at(arn, lengths(arn) - lengths(name) - 1) == ord("/")
    named = is_user_name(name) & end_with(arn, name) & slash
    return np.asarray(named & made_of(arn, _PATH) & _begins_as_user(arn))


def _begins_as_user(arn: pa.Array) -> np.ndarray:
    beginning = _distinct_beginnings(arn, _USUAL_LENGTH + len("user/"))
    if all(map(_USUAL_USER.fullmatch, beginning.dictionary.to_pylist())):
        return np.ones(len(arn), bool)
    return np.asarray(pc.match_substring_regex(arn, f"^{_PREFIX}user/"))


def _distinct_beginnings(arn: pa.Array, length: int) -> pa.DictionaryArray:
    return pc.binary_slice(arn.cast(pa.large_binary()), 0, length).dictionary_encode()
