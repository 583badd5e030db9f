"""Count the outcome of an analysis: users by verdict, and matches of exemptions and owners."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.lists.exemptions import ExemptionMatches, ExemptionUse
from analyzer.lists.owners import Owner, Owners
from analyzer.report.model import Exemption, stable_order, word_column
from analyzer.report.report import Report
from analyzer.report.users import Users
from analyzer.report.values import is_one_of
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

_COUNTED_BY: Final = (
    *(columns.VERDICT, columns.REASON, columns.EXPOSURE, columns.CERTAINTY),
    *(columns.AGE_BAND, columns.EXEMPT),
)


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
    def counts(self) -> pa.Table:
        """Return the numbers of users of each account (`counts_by`)."""
        return self.counts_by(columns.ACCOUNT)

    def counts_by(self, name: str) -> pa.Table:
        """Return the numbers of users by a column, a row for each combination that occurs.

        Columns: the one named, verdict, reason, exposure, certainty, age_band large_string, exempt
        bool, users int64. The sentences of undetermined users are left out.
        """
        kinds, names = self._kinds(), (name, *_COUNTED_BY)
        code = np.zeros(len(self.judged), np.int64)
        for one in names:
            code = code * len(kinds[one].dictionary) + kinds[one].indices.to_numpy()
        code, users = np.unique(code, return_counts=True)
        counts = {columns.USERS: pa.array(users)}
        for one in reversed(names):
            code, at = np.divmod(code, len(kinds[one].dictionary))
            counts[one] = kinds[one].dictionary.take(pa.array(at))
        table = pa.table({one: counts[one] for one in (*names, columns.USERS)})
        return table.take(pa.array(stable_order(*(table[one] for one in names))))

    def _kinds(self) -> dict[str, pa.DictionaryArray]:
        """Return the columns that users are counted by, those of the users first."""
        added = self.judged.added
        days, reason = added[columns.AGE_DAYS], added[columns.REASON]
        band = np.digitize(days.fill_null(0), _BAND_STARTS)
        band[np.asarray(days.is_null())] = len(AGE_BANDS) - 1
        is_undetermined = is_one_of([Verdict.UNDETERMINED], added[columns.VERDICT])
        blank = reason.dictionary.index("").as_py()
        reasons = np.where(is_undetermined, blank, reason.indices)
        is_exempt = ~is_one_of([""], added[columns.EXEMPTION])
        return {
            **added,
            columns.ACCOUNT: self.judged.account,
            columns.REASON: pa.DictionaryArray.from_arrays(reasons, reason.dictionary),
            columns.AGE_BAND: word_column(band, AGE_BANDS),
            columns.EXEMPT: pa.DictionaryArray.from_arrays(
                is_exempt.astype(np.int8), pa.array([False, True])
            ),
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
                counts = counts.filter(pc.equal(counts[name], value))
        return pc.sum(counts[columns.USERS]).as_py() or 0


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
    unmatched = {*range(len(owners.entries))}.difference(owned.tolist())
    if owners:
        unmatched.difference_update(owners.positions(report.root_users.users).tolist())
    return Totals(
        judged,
        exemption_uses=uses,
        expired=expired,
        unmatched=tuple(use.entry for use in counting if not use.matched and use not in expired),
        without_owner=int(np.count_nonzero(owned < 0)),
        unmatched_owners=tuple(owners.entries[at] for at in sorted(unmatched)),
    )
