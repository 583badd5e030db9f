"""Choose the users that an output lists, and the columns that it shows of them."""

from collections.abc import Collection, Iterator
from typing import Final

from analyzer import columns
from analyzer.analysis import Analysis
from analyzer.model import Page
from analyzer.terms import Verdict

JUDGED: Final = (
    columns.ACCOUNT,
    columns.USER,
    columns.ARN,
    columns.VERDICT,
    columns.REASON,
    columns.CERTAINTY,
    columns.CAVEATS,
    columns.EXEMPTION,
    columns.AS_OF,
    columns.AS_OF_SOURCE,
    columns.AGE_DAYS,
    columns.IDLE_DAYS,
)
"""What the analysis says of a user, in the order of CSV and JSON."""

FACTS: Final = tuple(name for name in columns.REPORT if name not in JUDGED)
"""What the report says of a user, under AWS's own names."""


def listed(analysis: Analysis, verdicts: Collection[Verdict]) -> Iterator[Page]:
    """Yield the pages with only the users who have one of the verdicts."""
    wanted = list(map(str, verdicts))
    for page in analysis.pages():
        chosen = page.where(page.users[columns.VERDICT].isin(wanted).to_numpy())
        if len(chosen):
            yield chosen
