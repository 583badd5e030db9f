"""Write one ARN a line, for pipes."""

from collections.abc import Collection
from typing import BinaryIO

from analyzer import columns
from analyzer.analysis import Analysis
from analyzer.terms import Verdict
from analyzer.writers.listing import listed
from analyzer.writers.plain import printable


def write_names(analysis: Analysis, stream: BinaryIO, verdicts: Collection[Verdict]) -> None:
    """Write the ARNs of the users with one of the verdicts, in the report's order.

    Exempt users are left out: what is piped on is what somebody acts on.
    """
    for page in listed(analysis, verdicts):
        acted_on = page.users[columns.EXEMPTION] == ""
        for arn in page.users.loc[acted_on, columns.ARN]:
            stream.write(printable(arn).encode() + b"\n")
