"""Write one ARN a line, for pipes."""

from collections.abc import Collection, Sequence
from typing import BinaryIO

import numpy as np

from analyzer import columns
from analyzer.analysis import Analysis
from analyzer.caveats import SERVICE_USER_PREFIX
from analyzer.model import Page, ReportFile
from analyzer.terms import Verdict, printable
from analyzer.writers.users import listed_pages


def write_names(analysis: Analysis, stream: BinaryIO, verdicts: Collection[Verdict]) -> None:
    """Write the ARNs of the users with one of the verdicts, in the report's order.

    What is piped on is what somebody acts on: left out are exempt users, and those who could go
    but for a service-specific credential that is known to be live, or that their name tells of
    while no saved evidence says that it is not.
    """
    for page in listed_pages(analysis, verdicts):
        exempt = page.users[columns.EXEMPTION] != ""
        goes = page.users[columns.CERTAINTY] != ""
        live = page.users[columns.SERVICE_CREDENTIALS] != ""
        held = goes & (live | _is_api_key_user(page, analysis.report.files))
        for arn in page.users.loc[~(exempt | held), columns.ARN]:
            stream.write(printable(arn).encode() + b"\n")


def _is_api_key_user(page: Page, files: Sequence[ReportFile]) -> np.ndarray:
    """Tell who has the name of a user made for a service API key, where no evidence was saved."""
    unknown = np.array([file.evidence is None for file in files])
    named = page.users[columns.USER].str.startswith(SERVICE_USER_PREFIX).to_numpy(bool)
    return np.asarray(named & unknown[page.users[columns.FILE].to_numpy()])
