"""Write one ARN per line: the users to act on."""

from collections.abc import Collection, Iterator, Sequence
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
    evidence says otherwise. Users without an ARN in the report are always left out.
    """
    for page, mask in _masks(analysis, verdicts, check=check):
        for arn in page.users.loc[mask, columns.ARN]:
            stream.write(printable(arn).encode() + b"\n")


def left_out_line(analysis: Analysis, verdicts: Collection[Verdict], *, check: bool = False) -> str:
    """Return how many users with one of the verdicts have no line and why, empty for none."""
    reasons = [
        "with an active service-specific credential",
        "that may have an active service-specific credential",
        "to check (--check lists them)",
        "exempt",
        "without an ARN in the report (use --format table or csv)",
    ]
    total = np.zeros(len(reasons), int)
    for page, _ in _masks(analysis, verdicts, check=check):
        exempt, no_arn = _is_exempt(page), ~_has_arn(page)
        live = _has_live_credential(page) if check else np.zeros(len(page), bool)
        unsafe = _is_unsafe(page, analysis.report.files, check=check)
        may_be_live = unsafe & ~live if check else np.zeros(len(page), bool)
        why = [exempt, no_arn, live & unsafe, may_be_live, unsafe]
        at = np.select(why, [3, 4, 0, 1, 2], len(reasons))
        total += np.bincount(at, minlength=len(reasons) + 1)[:-1]
    counts = zip(total.tolist(), reasons, strict=True)
    parts = ", ".join(f"{number} {kind}" for number, kind in counts if number)
    return f"Left out of the names: {parts}" if parts else ""


def _masks(
    analysis: Analysis, verdicts: Collection[Verdict], *, check: bool
) -> Iterator[tuple[Page, np.ndarray]]:
    """Yield each page of users with one of the verdicts, and which of them have a line."""
    for page in listed_pages(analysis, verdicts):
        unsafe = _is_unsafe(page, analysis.report.files, check=check)
        yield page, _has_arn(page) & ~(_is_exempt(page) | unsafe)


def _is_unsafe(page: Page, files: Sequence[ReportFile], *, check: bool) -> np.ndarray:
    return _may_have_live_credential(page, files) if check else _is_doubtful(page)


def _is_exempt(page: Page) -> np.ndarray:
    return (page.users[columns.EXEMPTION] != "").to_numpy()


def _has_arn(page: Page) -> np.ndarray:
    return ~page.users[columns.ARN].str.startswith(f"{NO_ARN}/").to_numpy(bool)


def _has_live_credential(page: Page) -> np.ndarray:
    return (page.users[columns.SERVICE_CREDENTIALS] != "").to_numpy()


def _is_doubtful(page: Page) -> np.ndarray:
    return (page.users[columns.CERTAINTY] == Certainty.CHECK).to_numpy()


def _may_have_live_credential(page: Page, files: Sequence[ReportFile]) -> np.ndarray:
    """Return which unused or retired users may have an active service-specific credential."""
    without_evidence = np.array([file.evidence is None for file in files])
    named = page.users[columns.USER].str.startswith(SERVICE_USER_PREFIX).to_numpy(bool)
    unknown = named & without_evidence[page.users[columns.FILE].to_numpy()]
    return np.asarray(_is_doubtful(page) & (_has_live_credential(page) | unknown))
