"""Read who a row is about: the account, and whether it is the root or an IAM user.

The forms are those of the IAM reference ("IAM identifiers", "IAM and STS quotas"): an ARN has a
partition, no region, a 12-digit account, and for a user a path of printable ASCII and the name.
"""

import pyarrow as pa
import pyarrow.compute as pc

_NAME = r"[A-Za-z0-9_+=,.@-]{1,128}"
_PREFIX = r"^arn:aws(-[a-z0-9-]+)?:iam::[0-9]{12}:"
_USUAL = "arn:aws:iam::"


def is_root(arn: pa.Array) -> pa.Array:
    """Tell which rows are an account's root, whatever markup did to the name `<root_account>`."""
    likely = pc.ends_with(arn, ":root")
    return pc.match_substring_regex(arn, _PREFIX + "root$") if pc.any(likely).as_py() else likely


def accounts(arn: pa.Array) -> pa.Array:
    """Return the 12 digits of each row's account, empty where the ARN is none."""
    named = pc.match_substring_regex(arn, _PREFIX)
    if pc.all(pc.starts_with(arn, _USUAL)).as_py():
        digits = pc.utf8_slice_codeunits(arn, len(_USUAL), len(_USUAL) + 12)
    else:
        digits = pc.replace_substring_regex(arn, r"(?s)^arn:[a-z0-9-]+:iam::([0-9]{12}):.*$", r"\1")
    return digits if pc.all(named).as_py() else pc.if_else(named, digits, "")


def is_user_name(name: pa.Array) -> pa.Array:
    """Tell which names IAM could have given."""
    return pc.match_substring_regex(name, rf"^{_NAME}$")


def is_user_arn(arn: pa.Array, name: pa.Array) -> pa.Array:
    """Tell which ARNs are those of an IAM user with the name of the same row."""
    formed = pc.match_substring_regex(arn, rf"{_PREFIX}user/([!-~]*/)?{_NAME}$")
    last = pc.replace_substring_regex(arn, r"(?s)^.*/", "")
    return pc.and_(formed, pc.equal(last, name))
