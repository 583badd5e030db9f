"""Count the outcome of an analysis: users by verdict, and matches of exemptions and owners."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.lists.exemptions import ExemptionMatches, ExemptionUse
from analyzer.lists.owners import Owner, Owners
from analyzer.report.model import TEXT, Exemption, as_category
from analyzer.report.report import Report
from analyzer.report.users import Users
from analyzer.terms import Certainty, Verdict

AGE_BANDS: Final = (
    "under 30 days",
    "30 to 89 days",
    "90 to 179 days",
    "180 to 364 days",
    "1 to 2 years",
    "over 2 years",
    "unknown",
)
_BAND_STARTS: Final = (30, 90, 180, 365, 730)

_COUNT_DTYPES: Final[dict[str, Any]] = {
    columns.VERDICT: TEXT,
    columns.REASON: TEXT,
    columns.EXPOSURE: TEXT,
    columns.CERTAINTY: TEXT,
    columns.AGE_BAND: TEXT,
    columns.EXEMPT: "bool",
    columns.USERS: "int64",
}


@dataclass(frozen=True)
class Totals:
    """Count the outcome of an analysis: of its `judged` users, and of the lists on all users.

    `exemption_uses` count the users and roots that each exemption matches; `expired` ones no longer
    apply to at least one of them; `unmatched` ones match no user. `without_owner` users match no
    entry of the list of owners, `unmatched_owners` match no user.
    """

    judged: Users
    exemption_uses: tuple[ExemptionUse, ...] = ()
    expired: tuple[ExemptionUse, ...] = ()
    unmatched: tuple[Exemption, ...] = ()
    without_owner: int = 0
    unmatched_owners: tuple[Owner, ...] = ()

    @cached_property
    def counts(self) -> pd.DataFrame:
        """Return the numbers of users of each account (`counts_by`)."""
        return self.counts_by(columns.ACCOUNT)

    def counts_by(self, name: str) -> pd.DataFrame:
        """Return the numbers of users by a column, a row for each combination that occurs.

        Columns: the one named, verdict, reason, exposure, certainty, age_band str, exempt bool,
        users int64. The sentences of undetermined users are left out.
        """
        kinds = self._kinds()
        dtypes = {name: TEXT, **_COUNT_DTYPES}
        *names, number = dtypes
        code = np.zeros(len(self.judged), np.int64)
        for one in names:
            code = code * len(kinds[one].categories) + kinds[one].codes
        code, users = np.unique(code, return_counts=True)
        counts: dict[str, Any] = {number: users}
        for one in reversed(names):
            code, at = np.divmod(code, len(kinds[one].categories))
            counts[one] = kinds[one].categories[at]
        frame = pd.DataFrame(counts)[[*dtypes]].astype(dtypes)
        return frame.sort_values(names, ignore_index=True)

    def _kinds(self) -> dict[str, "pd.Categorical[Any]"]:
        """Return the columns that users are counted by, those of the users first."""
        judged, account = self.judged.added, self.judged.account
        days, reason = judged[columns.AGE_DAYS], judged[columns.REASON]
        band = np.digitize(days.to_numpy(np.int64, na_value=0), _BAND_STARTS)
        band[days.isna()] = len(AGE_BANDS) - 1
        is_undetermined = judged[columns.VERDICT] == Verdict.UNDETERMINED
        reasons = np.where(is_undetermined, reason.categories.get_loc(""), reason.codes)
        return {
            **judged,
            columns.ACCOUNT: as_category(account.indices, account.dictionary.to_pylist()),
            columns.REASON: as_category(reasons, reason.categories),
            columns.AGE_BAND: as_category(band, AGE_BANDS),
            columns.EXEMPT: pd.Categorical(judged[columns.EXEMPTION] != "", [False, True]),
        }

    def user_count(
        self,
        verdict: Verdict | None = None,
        *,
        exempt: bool | None = None,
        certainty: Certainty | None = None,
    ) -> int:
        """Return the number of users, or of those with a verdict, exempt or not, of a certainty."""
        asked = {columns.VERDICT: verdict, columns.EXEMPT: exempt, columns.CERTAINTY: certainty}
        counts = self.counts
        for name, value in asked.items():
            if value is not None:
                counts = counts[counts[name] == value]
        return int(counts[columns.USERS].sum())


def totals(
    report: Report,
    judged: Users,
    exempt: ExemptionMatches | None,
    owners: Owners,
    owned: np.ndarray,
) -> Totals:
    """Return the totals of a whole analysis, with the uses of its lists for users and roots."""
    uses: tuple[ExemptionUse, ...] = ()
    if exempt:
        of_roots = ExemptionMatches(report.root_users, exempt.entries)
        numbers = (
            exempt.matched + of_roots.matched,
            exempt.applied + of_roots.applied,
            exempt.without_effect + of_roots.without_effect,
        )
        uses = tuple(map(ExemptionUse, exempt.entries, *(some.tolist() for some in numbers)))
    oldest = min(file.as_of for file in report.files).date()
    # A user to keep by a decision may be gone: that is not a mistake in a list.
    counting = [use for use in uses if use.matched or not use.entry.arn]
    expired = tuple(use for use in counting if use.has_expired(oldest))
    owned_roots = owners.positions(report.root_users.users)
    unmatched = {*range(len(owners.entries))}.difference(owned.tolist(), owned_roots.tolist())
    return Totals(
        judged,
        exemption_uses=uses,
        expired=expired,
        unmatched=tuple(use.entry for use in counting if not use.matched and use not in expired),
        without_owner=int(np.count_nonzero(owned < 0)),
        unmatched_owners=tuple(owners.entries[at] for at in sorted(unmatched)),
    )
