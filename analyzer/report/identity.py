"""Read who a row is about: the account, and whether it is the root or an IAM user.

The forms are those of the IAM reference ("IAM identifiers", "IAM and STS quotas"): an ARN has a
partition, no region, a 12-digit account, and for a user a path of printable ASCII and the name.
"""

import re
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from analyzer.cells import end_with

_NAME: Final = r"[A-Za-z0-9_+=,.@-]{1,128}"
_PREFIX: Final = r"arn:aws(-[a-z0-9-]+)?:iam::[0-9]{12}:"
_ROOT: Final = re.compile(_PREFIX + "root")

_USUAL: Final = re.compile(r"arn:aws:iam::([0-9]{12}):")
_USUAL_LENGTH: Final = len("arn:aws:iam::123456789012:")


def is_root(arn: pa.Array) -> pa.Array:
    """Tell which rows are an account's root, whatever markup did to the name `<root_account>`."""
    likely = pc.unique(arn.filter(pc.ends_with(arn, ":root"))).to_pylist()
    roots = [each for each in likely if _ROOT.fullmatch(each)]
    return pc.is_in(arn, pa.array(roots, arn.type))


def accounts(arn: pa.Array) -> pa.Array:
    """Return the 12 digits of each row's account, empty where the ARN is none."""
    beginning = pc.utf8_slice_codeunits(arn, 0, _USUAL_LENGTH).dictionary_encode()
    usual = [_USUAL.fullmatch(each) for each in beginning.dictionary.to_pylist()]
    if all(usual):
        digits = pa.array([match[1] for match in usual if match], arn.type)
        return digits.take(beginning.indices)
    named = pc.match_substring_regex(arn, f"^{_PREFIX}")
    digits = pc.replace_substring_regex(arn, r"(?s)^arn:[a-z0-9-]+:iam::([0-9]{12}):.*$", r"\1")
    return pc.if_else(named, digits, pa.scalar("", arn.type))


def is_user_name(name: pa.Array) -> pa.Array:
    """Tell which names IAM could have given."""
    return pc.match_substring_regex(name, rf"^{_NAME}$")


def is_user_arn(arn: pa.Array, name: pa.Array) -> pa.Array:
    """Tell which ARNs are those of an IAM user with the name of the same row."""
    formed = pc.match_substring_regex(arn, rf"^{_PREFIX}user/([!-~]*/)?{_NAME}$")
    slash, nothing = pa.scalar("/", arn.type), pa.scalar("", arn.type)
    last = pc.binary_join_element_wise(slash, name, nothing)
    single = pc.invert(pc.match_substring(name, "/"))  # `a/b` would end user/a/b
    return pc.and_(pc.and_(formed, single), pa.array(end_with(arn, last)))
