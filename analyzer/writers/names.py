"""Write one ARN per line: the users to act on."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import BinaryIO

import numpy as np

from analyzer import columns
from analyzer.analysis import Analysis
from analyzer.caveats import SERVICE_USER_PREFIX
from analyzer.model import Page, ReportFile
from analyzer.report.arns import NO_ARN
from analyzer.terms import Certainty, Verdict, printable
from analyzer.writers.users import listed_pages


def write_names(
    analysis: Analysis, stream: BinaryIO, verdicts: Collection[Verdict], *, check: bool = False
) -> None:
    """Write the ARNs of the users with one of the verdicts, in the report's order.

    The output is made to be piped into a command that acts on the users. So exempt users and
    users with caveats are left out. With `check` users with caveats are listed too, but for those
    with an active service-specific credential, or whose name says that they have one while no saved
    list says otherwise. Users without an ARN in the report are always left out.
    """
    for page in listed_pages(analysis, verdicts):
        left_out = _left_out_by_reason(page, analysis.report.files, check=check)
        listed = ~np.logical_or.reduce([*left_out.values()])
        for arn in page.users.loc[listed, columns.ARN]:
            stream.write(printable(arn).encode() + b"\n")


def left_out_line(analysis: Analysis, verdicts: Collection[Verdict], *, check: bool = False) -> str:
    """Return how many users with one of the verdicts have no line and why, empty for none."""
    counts: Counter[str] = Counter()
    for page in listed_pages(analysis, verdicts):
        left_out = _left_out_by_reason(page, analysis.report.files, check=check)
        counts.update({reason: int(mask.sum()) for reason, mask in left_out.items()})
    parts = ", ".join(f"{number} {reason}" for reason, number in counts.items() if number)
    return f"Left out of the names: {parts}" if parts else ""


def _left_out_by_reason(
    page: Page, files: Sequence[ReportFile], *, check: bool
) -> dict[str, np.ndarray]:
    """Return by reason which users have no line; each user has one reason at most."""
    exempt, has_arn = _is_exempt(page), _has_arn(page)
    doubtful = _may_have_live_credential(page, files) if check else _is_to_check(page)
    unsafe = doubtful & has_arn & ~exempt
    live = unsafe & _has_live_credential(page)
    of_unsafe = (
        {
            "with an active service-specific credential": live,
            "that may have an active service-specific credential": unsafe & ~live,
        }
        if check
        else {"to check (--check lists them)": unsafe}
    )
    return {
        **of_unsafe,
        "exempt": exempt,
        "without an ARN in the report (use --format table or csv)": ~has_arn & ~exempt,
    }


def _is_exempt(page: Page) -> np.ndarray:
    return (page.users[columns.EXEMPTION] != "").to_numpy()


def _has_arn(page: Page) -> np.ndarray:
    return ~page.users[columns.ARN].str.startswith(f"{NO_ARN}/").to_numpy(bool)


def _has_live_credential(page: Page) -> np.ndarray:
    return (page.users[columns.SERVICE_CREDENTIALS] != "").to_numpy()


def _is_to_check(page: Page) -> np.ndarray:
    return (page.users[columns.CERTAINTY] == Certainty.CHECK).to_numpy()


def _may_have_live_credential(page: Page, files: Sequence[ReportFile]) -> np.ndarray:
    """Return which unused or retired users may have an active service-specific credential."""
    without_list = np.array([file.service_credentials is None for file in files])
    named = page.users[columns.USER].str.startswith(SERVICE_USER_PREFIX).to_numpy(bool)
    unknown = named & without_list[page.users[columns.FILE].to_numpy()]
    return np.asarray(_is_to_check(page) & (_has_live_credential(page) | unknown))
