"""Close the findings of an earlier feed that a later one no longer has."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analyzer.model import Report
from analyzer.writers.interchange import json_line

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFormat:
    """Hold how a feed names a finding and its account, and how it closes a finding.

    `account` returns nothing where no account is known; `closed` returns the document as of a
    moment in UTC, and `is_open` whether it was not closed before.
    """

    id: Callable[[Document], str]
    account: Callable[[Document], str]
    is_open: Callable[[Document], bool]
    closed: Callable[[Document, datetime], Document]


def closed_lines(
    earlier: Iterable[bytes], later: Collection[str], report: Report, feed_format: FeedFormat
) -> Iterator[bytes]:
    """Yield a line that closes each open finding of an earlier feed whose id is not in the later.

    Findings of accounts that could not be read, or were not to be, stay open: nothing is known of
    them. They are closed at the newest as-of of the report.
    """
    at = max(file.as_of for file in report.files)
    for document in map(json.loads, earlier):
        is_gone = feed_format.is_open(document) and feed_format.id(document) not in later
        if is_gone and _is_fully_known(feed_format.account(document), report):
            yield json_line(feed_format.closed(document, at))


def _is_fully_known(account: str, report: Report) -> bool:
    """Return whether all is known of an account: also that it has no report any more."""
    missing = {each.account for each in (*report.not_covered, *report.left_out)}
    # One that is missing and has no number may be any that is not covered.
    return account not in missing and ("" not in missing or account in report.accounts)
