"""Put an analysis in the words and the order that people read it in."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import pandas as pd

from analyzer import columns
from analyzer.analysis import Analysis
from analyzer.caveats import caveat_sentences
from analyzer.model import Page, Report, ReportFile
from analyzer.terms import AsOfSource, Certainty, UnusedReason, Verdict
from analyzer.verdict import REASON_TEXTS, RETIRED_TEXT

AS_OF_SOURCES: Final = {
    AsOfSource.OPTION: "as given with --as-of",
    AsOfSource.ENVELOPE: "GeneratedTime, from AWS's answer",
    AsOfSource.METADATA: "from the metadata saved with the report",
    AsOfSource.FILE_NAME: "from the file name",
    AsOfSource.FOLDER: "end of the day in the name of the file or folder",
    AsOfSource.ASSUMED: "assumed: the newest timestamp in the report",
}

ORDER: Final = (
    Verdict.UNUSED,
    Verdict.RETIRED,
    Verdict.DORMANT,
    Verdict.ACTIVE,
    Verdict.UNDETERMINED,
)
"""The order in which people read the verdicts: the mission first."""


@dataclass(frozen=True, slots=True)
class UserRow:
    """Tell of one user what a short listing shows; `created` is None where it was not read."""

    account: str
    user: str
    verdict: Verdict
    certainty: str
    reason: str
    caveats: tuple[tuple[str, str], ...]
    exemption: str
    created: datetime | None
    idle_days: int | None

    @property
    def why(self) -> str:
        """Return the reason in words."""
        if self.verdict is Verdict.UNUSED:
            return REASON_TEXTS[UnusedReason(self.reason)]
        if self.verdict is Verdict.RETIRED:
            return RETIRED_TEXT
        if self.verdict is Verdict.UNDETERMINED:
            return self.reason
        return f"idle for {self.idle_days} day{'' if self.idle_days == 1 else 's'}"


def user_rows(analysis: Analysis, verdicts: Collection[Verdict]) -> list[UserRow]:
    """Return the listed users: by verdict, certain before doubtful, oldest first, exempt last."""
    every = [row for page in listed_pages(analysis, verdicts) for row in _rows(page)]
    return sorted(every, key=_order)


def _order(row: UserRow) -> tuple[bool, int, bool, str, str, str]:
    verdict = ORDER.index(row.verdict)
    doubtful = row.certainty == Certainty.CHECK
    created = f"{row.created:%Y%m%d%H%M%S}" if row.created else ""
    return bool(row.exemption), verdict, doubtful, created, row.account, row.user


def _rows(page: Page) -> Iterator[UserRow]:
    users = page.users
    for account, user, verdict, certainty, reason, caveats, exemption, created, idle in zip(
        users[columns.ACCOUNT],
        users[columns.USER],
        users[columns.VERDICT],
        users[columns.CERTAINTY],
        users[columns.REASON],
        caveat_sentences(page),
        users[columns.EXEMPTION],
        users[columns.CREATED],
        users[columns.IDLE_DAYS],
        strict=True,
    ):
        yield UserRow(
            account,
            user,
            Verdict(verdict),
            certainty,
            reason,
            caveats,
            exemption,
            None if pd.isna(created) else created.to_pydatetime(),
            None if pd.isna(idle) else int(idle),
        )


def as_of_and_scope(report: Report) -> str:
    """Return when and how that is known, and how many accounts and files were covered."""
    return f"{_as_of_text(report.files)}, {_accounts_text(report)}"


def _as_of_text(files: Sequence[ReportFile]) -> str:
    moments = {(file.as_of, file.as_of_source) for file in files}
    if len(moments) == 1:
        at, source = next(iter(moments))
        return f"As of {at:%Y-%m-%d %H:%M} UTC ({AS_OF_SOURCES[source]})"
    first, last = min(moments)[0], max(moments)[0]
    assumed = sum(file.as_of_source is AsOfSource.ASSUMED for file in files)
    how = f"by report, {assumed} of {len(files)} assumed" if assumed else "by report"
    return f"As of {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC ({how})"


def _accounts_text(report: Report) -> str:
    covered = {each.account for file in report.files for each in file.accounts if each.account}
    missing = {each.whom for each in report.not_covered} - covered
    files = f" in {len(report.files)} reports" if len(report.files) > 1 else ""
    if missing:
        return f"{len(covered)} of {len(covered) + len(missing)} accounts{files}"
    return f"account {min(covered)}" if len(covered) == 1 else f"{len(covered)} accounts{files}"


def verdict_counts(analysis: Analysis) -> list[tuple[Verdict, int, str]]:
    """Return each verdict that occurs or is the mission, its users, and a remark on them."""
    totals = analysis.totals
    return [
        (verdict, count, _count_remark(analysis, verdict))
        for verdict in ORDER
        if (count := totals.users(verdict)) or verdict is Verdict.UNUSED
    ]


def _count_remark(analysis: Analysis, verdict: Verdict) -> str:
    totals = analysis.totals
    counts = totals.counts[totals.counts[columns.VERDICT] == verdict]
    doubtful = (counts[columns.CERTAINTY] == Certainty.CHECK) & ~counts[columns.EXEMPT]
    check = int(counts.loc[doubtful, columns.USERS].sum())
    exempt = totals.users(verdict, exempt=True)
    days = analysis.criteria.dormant_days
    return ", ".join(
        remark
        for remark in (
            f"{check} to check" if check else "",
            f"{exempt} exempt" if exempt else "",
            f"nothing used for {days} days or more" if verdict is Verdict.DORMANT else "",
            "not understood or contradictory: never taken for unused"
            if verdict is Verdict.UNDETERMINED
            else "",
        )
        if remark
    )


def notes(analysis: Analysis) -> list[str]:
    """Return the notes on the input and on exemptions that no longer or never applied."""
    totals = analysis.totals
    return [
        *analysis.report.notes,
        *(
            f"The exemption of {each.user} in account {each.account} expired on {each.expires}."
            for each in totals.expired
        ),
        *(
            f"The exemption of {each.user} in account {each.account} matches nobody."
            for each in totals.unmatched
        ),
        *(
            f"The exemption of {each.user} in account {each.account} excuses everybody there from"
            f" {each.rule or 'everything'}: {each.reason}"
            for each in analysis.exemptions
            if not each.user.strip("*") and each not in (*totals.expired, *totals.unmatched)
        ),
    ]


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

REPORTED: Final = tuple(name for name in columns.REPORT if name not in JUDGED)
"""What the report says of a user, under AWS's own names."""


def listed_pages(analysis: Analysis, verdicts: Collection[Verdict]) -> Iterator[Page]:
    """Yield the pages with only the users who have one of the verdicts."""
    wanted = list(map(str, verdicts))
    for page in analysis.pages():
        chosen = page.where(page.users[columns.VERDICT].isin(wanted).to_numpy())
        if len(chosen):
            yield chosen
