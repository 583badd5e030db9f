"""Count the outcome of an analysis: users by verdict, and matches of exemptions and owners."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

from analyzer import columns
from analyzer.report.model import TEXT, Exemption, Exemptions, blank_categories
from analyzer.report.report import Report
from analyzer.report.users import Users
from analyzer.terms import Certainty, Verdict

# Modules that one plain report does not need are imported where they are used.
if TYPE_CHECKING:
    from analyzer.lists.exemptions import ExemptionMatches, ExemptionUse
    from analyzer.lists.owners import Owner, Owners

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
    columns.ACCOUNT: TEXT,
    columns.VERDICT: TEXT,
    columns.REASON: TEXT,
    columns.EXPOSURE: TEXT,
    columns.CERTAINTY: TEXT,
    columns.AGE_BAND: TEXT,
    columns.EXEMPT: "bool",
    columns.USERS: "int64",
}


@dataclass(frozen=True, slots=True)
class Totals:
    """Count the outcome of an analysis.

    `counts`: account, verdict, reason, exposure, certainty, age_band str, exempt bool, users int64;
    a row for each combination that occurs. `exemption_uses` count the users and roots that each
    exemption matches; `expired` ones no longer apply to at least one of them; `unmatched` ones
    match no user. `without_owner` users match no entry of the list of owners, `unmatched_owners`
    match no user.
    """

    counts: pd.DataFrame
    exemption_uses: tuple["ExemptionUse", ...] = ()
    expired: tuple["ExemptionUse", ...] = ()
    unmatched: tuple[Exemption, ...] = ()
    without_owner: int = 0
    unmatched_owners: tuple["Owner", ...] = ()

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


UserCounts: TypeAlias = "Counter[tuple[str | bool, ...]]"
"""The number of users for each combination of the columns of `Totals.counts`."""


class Tally:
    """Count judged pages one after the other: users, and matches of exemptions and owners."""

    def __init__(self, exemptions: Exemptions, owners: "Owners | None") -> None:
        """Begin with no user."""
        self.counts: UserCounts = Counter()
        self._exemptions, self._owners = exemptions, owners
        # For each entry, the users that it matches, to which it applies, and without effect.
        self._use = np.zeros((3, len(exemptions)), np.int64)
        self._owned = Counter[int]()

    def counted(self, page: Users) -> Users:
        """Count a page of users, and return it with their exemptions and owners."""
        added = blank_categories((columns.EXEMPTION, *columns.OWNERSHIP), len(page))
        if self._exemptions:
            added[columns.EXEMPTION] = self._matches(page).verdict_reasons()
        if self._owners:
            positions = self._owners.positions(page.users)
            self._owned.update(positions.tolist())
            added |= self._owners.columns_of(page.users, positions=positions)
        page = page.with_users(added)
        self.counts.update(user_counts(page))
        return page

    def _matches(self, page: Users) -> "ExemptionMatches":
        from analyzer.lists.exemptions import ExemptionMatches  # noqa: PLC0415

        matches = ExemptionMatches(page, self._exemptions)
        self._use += matches.matched, matches.applied, matches.without_effect
        return matches

    def totals(self, report: Report) -> Totals:
        """Return the totals, including those of the report's roots."""
        totals = Totals(counts_frame(self.counts), without_owner=self._owned[-1])
        if self._owners:
            for roots in report.roots():
                self._owned.update(self._owners.positions(roots.users).tolist())
            owners = enumerate(self._owners.entries)
            unmatched = tuple(owner for at, owner in owners if not self._owned[at])
            totals = replace(totals, unmatched_owners=unmatched)
        if not self._exemptions:
            return totals
        from analyzer.lists.exemptions import ExemptionUse  # noqa: PLC0415

        for roots in report.roots():
            self._matches(roots)
        oldest = min(file.as_of for file in report.files).date()
        uses = tuple(map(ExemptionUse, self._exemptions, *self._use.tolist()))
        # A user to keep by a decision may be gone: that is not a mistake in a list.
        counting = [use for use in uses if use.matched or not use.entry.arn]
        expired = tuple(use for use in counting if use.has_expired(oldest))
        missed = [use.entry for use in counting if not use.matched and use not in expired]
        return replace(totals, exemption_uses=uses, expired=expired, unmatched=tuple(missed))


def user_counts(page: Users) -> UserCounts:
    """Count the users of each combination; the sentences of undetermined users are left out."""
    users = page.users
    account = pa.array(users[columns.ACCOUNT]).dictionary_encode()
    undetermined = (users[columns.VERDICT] == Verdict.UNDETERMINED).to_numpy()
    days = users[columns.AGE_DAYS]
    band = np.digitize(days.fillna(0).to_numpy(np.int64), _BAND_STARTS)
    reason = users[columns.REASON].where(~undetermined, "")
    words: list[Any] = [users[columns.VERDICT], reason]
    words += (users[name] for name in (columns.EXPOSURE, columns.CERTAINTY))
    coded = [
        (account.indices.to_numpy(), account.dictionary.to_pylist()),
        *((category.cat.codes.to_numpy(), category.cat.categories.to_list()) for category in words),
        (np.where(days.isna(), len(_BAND_STARTS) + 1, band), AGE_BANDS),
        ((users[columns.EXEMPTION] != "").to_numpy(), (False, True)),
    ]
    shape = [max(len(known), 1) for _, known in coded]
    combined = np.ravel_multi_index([codes for codes, _ in coded], shape)
    occurring, counts = np.unique(combined, return_counts=True)
    positions = np.unravel_index(occurring, shape)
    columns_of_words = [
        map(known.__getitem__, at.tolist()) for at, (_, known) in zip(positions, coded, strict=True)
    ]
    return Counter(dict(zip(zip(*columns_of_words, strict=True), counts.tolist(), strict=True)))


def counts_frame(counts: UserCounts) -> pd.DataFrame:
    """Return the counts as a frame (columns: `Totals.counts`)."""
    rows = [(*combination, users) for combination, users in sorted(counts.items())]
    return pd.DataFrame(rows, columns=[*_COUNT_DTYPES]).astype(_COUNT_DTYPES)
