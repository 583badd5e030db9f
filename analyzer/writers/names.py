"""Write one user per line, by name or ARN: the users to act on."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import BinaryIO

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.judging.analysis import Analysis
from analyzer.report.arns import NO_ARN
from analyzer.report.model import Page, ReportFile
from analyzer.terms import Certainty, Verdict, printable
from analyzer.verdicts.caveats import has_service_key_name
from analyzer.writers.users import listed_users


def write_names(
    analysis: Analysis, stream: BinaryIO, verdicts: Collection[Verdict], *, check: bool = False
) -> None:
    """Write the names of the users that `write_arns` lists, behind their account if there are many.

    Of many accounts a line is `123456789012/name`.
    """
    several = len(analysis.report.accounts) > 1
    for users in _users_to_act_on(analysis, verdicts, check=check):
        names = users[columns.USER]
        _write_lines(users[columns.ACCOUNT] + "/" + names if several else names, stream)


def write_arns(
    analysis: Analysis, stream: BinaryIO, verdicts: Collection[Verdict], *, check: bool = False
) -> None:
    """Write the ARNs of the users with one of the verdicts, in the report's order.

    The output is made to be piped into a command that acts on the users. So exempt users and
    users with caveats are left out. With `check` users with caveats are listed too, but for those
    with an active service-specific credential, or whose name says that they have one while no saved
    list says otherwise. Users without an ARN in the report are always left out.
    """
    for users in _users_to_act_on(analysis, verdicts, check=check):
        _write_lines(users[columns.ARN], stream)


def _users_to_act_on(
    analysis: Analysis, verdicts: Collection[Verdict], *, check: bool
) -> Iterator[pd.DataFrame]:
    for page, _ in listed_users(analysis, verdicts):
        left_out = _left_out_by_reason(page, analysis.report.files, check=check)
        yield page.users[~np.logical_or.reduce([*left_out.values()])]


def _write_lines(texts: pd.Series, stream: BinaryIO) -> None:
    stream.write("".join(f"{printable(text)}\n" for text in texts).encode())


def left_out_line(analysis: Analysis, verdicts: Collection[Verdict], *, check: bool = False) -> str:
    """Return how many users with one of the verdicts have no line and why, empty for none."""
    counts: Counter[str] = Counter()
    for page, _ in listed_users(analysis, verdicts):
        left_out = _left_out_by_reason(page, analysis.report.files, check=check)
        counts.update({reason: int(mask.sum()) for reason, mask in left_out.items()})
    parts = ", ".join(f"{number} {reason}" for reason, number in counts.items() if number)
    return f"Left out of the names: {parts}" if parts else ""


def _left_out_by_reason(
    page: Page, files: Sequence[ReportFile], *, check: bool
) -> dict[str, np.ndarray]:
    """Return by reason which users have no line; each user has one reason at most."""
    users = page.users
    exempt = (users[columns.EXEMPTION] != "").to_numpy(bool)
    has_arn = ~users[columns.ARN].str.startswith(f"{NO_ARN}/").to_numpy(bool)
    live = (users[columns.SERVICE_CREDENTIALS] != "").to_numpy(bool)
    unsafe = (users[columns.CERTAINTY] == Certainty.CHECK).to_numpy(bool) & has_arn & ~exempt
    unlisted = unsafe & ~live & _may_have_unlisted_credential(page, files)
    others = {} if check else {"to check (--include-check lists them)": unsafe & ~live & ~unlisted}
    return {
        **others,
        "with an active service-specific credential": unsafe & live,
        "that may have an active service-specific credential": unlisted,
        "exempt": exempt,
        "without an ARN in the report (use --format table or csv)": ~has_arn & ~exempt,
    }


def _may_have_unlisted_credential(page: Page, files: Sequence[ReportFile]) -> np.ndarray:
    """Return whose name is of a service, where AWS's list of the credentials was not saved."""
    without_list = np.array([file.service_credentials is None for file in files])
    named = has_service_key_name(page.users)
    return np.asarray(named & without_list[page.users[columns.FILE].to_numpy()])
