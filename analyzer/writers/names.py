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

    What is piped on is what somebody acts on: left out are exempt users, and those who could go
    but for a service-specific credential that is known to be live.
    """
    for page in listed(analysis, verdicts):
        exempt = page.users[columns.EXEMPTION] != ""
        goes = page.users[columns.CERTAINTY] != ""
        live = goes & (page.users[columns.SERVICE_CREDENTIALS] != "")
        for arn in page.users.loc[~(exempt | live), columns.ARN]:
            stream.write(printable(arn).encode() + b"\n")
