"""Judge a whole report, page by page, and count the outcome."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from analyzer import columns
from analyzer.decisions.ledger import Ledger
from analyzer.errors import InputRefused
from analyzer.html import html_table
from analyzer.judging.filters import Filter, filtered_report, user_mask
from analyzer.lists.exemptions import EntryUse, ExemptionMatches
from analyzer.report.model import TEXT, Exemption, Exemptions, Page, Report, concatenated
from analyzer.terms import Criteria, Verdict
from analyzer.verdicts.verdict import with_verdicts

if TYPE_CHECKING:
    from analyzer.decisions.follow_up import FollowUp
    from analyzer.judging.explanation import Explanation
    from analyzer.judging.inspection import Inspection, Store
    from analyzer.standards.rulebook import Rulebook

ROWS_IN_MEMORY: Final = 200_000
"""Reports of up to so many rows stay in memory, judged; larger ones are judged anew each time."""

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

_COUNT_TEXT_COLUMNS: Final = [
    columns.ACCOUNT,
    columns.VERDICT,
    columns.REASON,
    columns.CERTAINTY,
    columns.AGE_BAND,
]
_COUNT_KEYS: Final = [*_COUNT_TEXT_COLUMNS, columns.EXEMPT]


@dataclass(frozen=True, slots=True)
class Totals:
    """Count the outcome of an analysis.

    `counts`: account, verdict, reason, certainty, age_band str, exempt bool, users int64; a row
    for each combination that occurs. `expired` exemptions apply to no report any more, not even
    the oldest; `unmatched` ones match no user; `matched` counts the users and roots that each
    entry names.
    """

    counts: pd.DataFrame
    entries: tuple[EntryUse, ...]
    expired: tuple[EntryUse, ...]
    unmatched: tuple[Exemption, ...]

    def users(self, verdict: Verdict, *, exempt: bool | None = None) -> int:
        """Return the number of users with a verdict, of all, the exempt or the others."""
        counted = (self.counts[columns.VERDICT] == verdict).to_numpy(bool)
        if exempt is not None:
            counted = counted & (self.counts[columns.EXEMPT].to_numpy(bool) == exempt)
        return int(self.counts[columns.USERS].to_numpy()[counted].sum())


@dataclass(frozen=True, repr=False)
class Analysis:
    """Hold a report, judged. `pages`, `users` and `totals` give the same at every call.

    `book` chooses the rules; None stands for those that run by default. `ledger` holds earlier
    decisions: those to keep users are among the exemptions already. `store` may hold what is judged
    of a report that does not stay in memory.
    """

    report: Report
    criteria: Criteria
    exemptions: Exemptions
    book: "Rulebook | None" = None
    ledger: Ledger = field(default_factory=Ledger)
    store: "Store | None" = None

    def pages(self) -> Iterator[Page]:
        """Yield the judged pages, their users with the columns that `Page` says are added."""
        if self.report.rows <= ROWS_IN_MEMORY:
            return iter(self._pages_in_memory)
        return (self._stored_pages or self._judged_pages)()

    @property
    def users(self) -> pd.DataFrame:
        """Return all judged users as one frame (columns: `Page.users_with_nullable_flags`)."""
        return concatenated(page.users_with_nullable_flags for page in self.pages())

    def __repr__(self) -> str:
        """Return how many users have each verdict, in a line."""
        counts = ", ".join(f"{verdict} {self.totals.users(verdict):,}" for verdict in Verdict)
        users = self.totals.counts[columns.USERS].sum()
        return f"<{type(self).__name__}: IAM users {users:,}, {counts}>"

    def _repr_html_(self) -> str:
        """Return how many users have each verdict as a table, for a notebook."""
        rows = [
            (verdict, self.totals.users(verdict), self.totals.users(verdict, exempt=True))
            for verdict in Verdict
        ]
        caption = repr(self.report).strip("<>")
        return html_table(caption, ("Verdict", "IAM users", "of these exempt"), rows)

    @cached_property
    def totals(self) -> Totals:
        """Return the counts of the outcome, going through the pages unless that was done."""
        for _ in self.pages():
            pass
        totals: Totals = self.__dict__["totals"]
        return totals

    @cached_property
    def inspection(self) -> "Inspection":
        """Return what the rules find; none runs before its result is needed."""
        # The rules are slow to import, and a list of users needs none.
        from analyzer.judging.inspection import Inspection  # noqa: PLC0415
        from analyzer.standards.rulebook import rulebook  # noqa: PLC0415

        book = self.book or rulebook()
        return Inspection(self.report, self.pages, self.exemptions, book, self.store)

    @property
    def whole(self) -> "Analysis":
        """Return the analysis of all accounts and users."""
        return self

    @property
    def filter(self) -> Filter:
        """Return what the users meet."""
        return Filter()

    @property
    def filtered_out(self) -> int:
        """Return how many users the filter leaves out."""
        return 0

    def where(self, chosen: Filter) -> "Analysis":
        """Return the part of the analysis that a filter keeps: its pages, counts and findings."""
        return FilteredAnalysis(self, chosen) if chosen else self

    def explain(self, user: str) -> "tuple[Explanation, ...]":
        """Return an explanation of each user whose name or ARN matches; `*` and `?` match.

        Raises ValueError if no user does.
        """
        from analyzer.judging.explanation import explanations  # noqa: PLC0415  slow to import, rarely used

        explained = tuple(explanations(self.pages(), self.inspection, user, self.earlier_decisions))
        if not explained:
            raise ValueError(f"no IAM user has the name or ARN {user!r}")
        return explained

    @cached_property
    def followed(self) -> "FollowUp":
        """Return what became of the earlier decisions to delete or deactivate."""
        from analyzer.decisions.follow_up import follow_up  # noqa: PLC0415  few analyses need it

        return follow_up(self.pages(), self.report, self.ledger)

    @property
    def follow_up(self) -> pd.DataFrame:
        """Return the same as a frame (`decisions.follow_up.COLUMNS`)."""
        return self.followed.frame

    def earlier_decisions(self, page: Page) -> pd.Series:
        """Return what was decided earlier on the users of a judged page, in words (str)."""
        if not self.ledger.lines:
            return pd.Series("", page.users.index, TEXT)
        from analyzer.decisions.follow_up import earlier_decisions  # noqa: PLC0415  likewise

        return earlier_decisions(page, self.ledger, self.followed)

    @cached_property
    def _stored_pages(self) -> Callable[[], Iterator[Page]] | None:
        return self.store(self._judged_pages) if self.store else None

    @cached_property
    def _pages_in_memory(self) -> tuple[Page, ...]:
        return tuple(self._judged_pages())

    def _judged_pages(self) -> Iterator[Page]:
        tally = _TotalsCounter(self.exemptions)
        for page in self.report.pages():
            yield tally.with_exemptions(with_verdicts(page, self.criteria))
        # A pass that came to its end has counted all users: `totals` need not go again.
        self.__dict__["totals"] = tally.totals(self.report)


class FilteredAnalysis(Analysis):
    """Hold the part of an analysis that a filter keeps; its exemptions are those of the whole."""

    def __init__(self, whole: Analysis, chosen: Filter) -> None:
        """Keep both; no user is judged before its result is needed."""
        report = filtered_report(whole.report, chosen)
        super().__init__(report, whole.criteria, whole.exemptions, whole.book, whole.ledger)
        self.__dict__["_whole"], self.__dict__["_filter"] = whole, chosen

    @property
    def whole(self) -> Analysis:
        """Return the analysis of all accounts and users."""
        whole: Analysis = self.__dict__["_whole"]
        return whole

    @property
    def filter(self) -> Filter:
        """Return what the users meet."""
        chosen: Filter = self.__dict__["_filter"]
        return chosen

    @property
    def filtered_out(self) -> int:
        """Return how many users the filter leaves out."""
        every, part = (each.totals.counts[columns.USERS].sum() for each in (self.whole, self))
        return int(every - part)

    def pages(self) -> Iterator[Page]:
        """Yield the judged pages with the users that the filter keeps."""
        for page in self.whole.pages():
            yield page.where(user_mask(page, self.filter, self.report.account_names))

    @cached_property
    def followed(self) -> "FollowUp":
        """Return the follow-up of the whole: a user that is left out is not gone."""
        return self.whole.followed

    @cached_property
    def totals(self) -> Totals:
        """Return the counts of the users that the filter keeps."""
        counts: Counter[tuple[str | bool, ...]] = Counter()
        for page in self.pages():
            counts.update(_counts(page))
        return replace(self.whole.totals, counts=_frame(counts))

    @cached_property
    def inspection(self) -> "Inspection":
        """Return what the rules find; those on the root do not run where the root is left out."""
        inspection = self.whole.inspection
        part = replace(inspection, report=self.report, pages=self.pages)
        if self.filter.keeps_roots:
            return part
        rules = inspection.book.rules
        book = replace(inspection.book, rules=tuple(each for each in rules if not each.is_of_root))
        return replace(
            part, book=book, filtered_rules=[each.id for each in rules if each.is_of_root]
        )


def analyze(
    report: Report,
    criteria: Criteria | None = None,
    exemptions: Iterable[Exemption] = (),
    book: "Rulebook | None" = None,
    ledger: Ledger | None = None,
) -> Analysis:
    """Judge every IAM user of the report; a user to keep by an earlier decision is exempt.

    Raises TypeError for a report that is none, and for other values that are not of their type.
    """
    earlier = ledger or Ledger()
    listed = exemptions if isinstance(exemptions, Exemptions) else Exemptions(tuple(exemptions))
    _check_types(report, criteria, listed, book, earlier)
    noted = replace(report, notes=(*report.notes, *earlier.notes()))
    exempt = Exemptions((*listed.entries, *earlier.exemptions()), listed.file)
    return Analysis(noted, criteria or Criteria(), exempt, book, earlier)


def _check_types(
    report: object, criteria: object, exemptions: Exemptions, book: object, ledger: object
) -> None:
    strange = next((each for each in exemptions if not isinstance(each, Exemption)), None)
    checks = (
        (isinstance(report, Report), "report is what load() returns", report),
        (isinstance(criteria, Criteria | None), "criteria is an analyzer.Criteria", criteria),
        (strange is None, "exemptions are what read_exemptions() returns", strange),
        (book is None or hasattr(book, "rules"), "book is what rulebook() returns", book),
        (isinstance(ledger, Ledger), "ledger is what read_ledger() returns", ledger),
    )
    for is_right, sentence, value in checks:
        if not is_right:
            raise TypeError(f"{sentence}, not a {type(value).__name__}")


class _TotalsCounter:
    """Count the users of judged pages, and exempt some."""

    def __init__(self, exemptions: Sequence[Exemption]) -> None:
        self._exemptions = exemptions
        self._matched = np.zeros(len(exemptions), np.int64)
        self._applied = self._matched.copy()
        self._counts: Counter[tuple[str | bool, ...]] = Counter()

    def with_exemptions(self, page: Page) -> Page:
        matches = ExemptionMatches(page, self._exemptions)
        self._count_entries(matches)
        page = page.with_users({columns.EXEMPTION: matches.verdict_reasons()})
        self._counts.update(_counts(page))
        return page

    def _count_entries(self, matches: ExemptionMatches) -> None:
        self._matched += matches.matched
        self._applied += matches.applied

    def totals(self, report: Report) -> Totals:
        counts = _frame(self._counts)
        _check_user_count(report, counts)
        for roots in report.roots() if len(self._exemptions) else ():
            self._count_entries(ExemptionMatches(roots, self._exemptions))
        oldest = min(file.as_of for file in report.files).date()
        entries = tuple(
            map(EntryUse, self._exemptions, self._matched.tolist(), self._applied.tolist())
        )
        # A user whom somebody decided to keep may be gone: that is no mistake in a list.
        counting = [each for each in entries if each.matched or not each.entry.arn]
        expired = tuple(each for each in counting if each.has_expired(oldest))
        unmatched = tuple(
            each.entry for each in counting if not each.matched and each not in expired
        )
        return Totals(counts, entries, expired, unmatched)


def _counts(page: Page) -> Counter[tuple[str | bool, ...]]:
    """Count the users of each combination; the sentences of undetermined users are left out."""
    users = page.users
    account = pa.array(users[columns.ACCOUNT]).dictionary_encode()
    undetermined = (users[columns.VERDICT] == Verdict.UNDETERMINED).to_numpy()
    coded = [
        (account.indices.to_numpy(), account.dictionary.to_pylist()),
        _codes_and_words(users[columns.VERDICT]),
        _codes_and_words(users[columns.REASON].where(~undetermined, "")),
        _codes_and_words(users[columns.CERTAINTY]),
        (_age_band(users[columns.AGE_DAYS]), AGE_BANDS),
        ((users[columns.EXEMPTION] != "").to_numpy(), (False, True)),
    ]
    shape = [max(len(words), 1) for _, words in coded]
    combined = np.ravel_multi_index([codes for codes, _ in coded], shape)
    occurring, counts = np.unique(combined, return_counts=True)
    positions = np.unravel_index(occurring, shape)
    columns_of_words = [
        map(words.__getitem__, at.tolist()) for at, (_, words) in zip(positions, coded, strict=True)
    ]
    return Counter(dict(zip(zip(*columns_of_words, strict=True), counts.tolist(), strict=True)))


def _codes_and_words(words: pd.Series) -> tuple[np.ndarray, list[str]]:
    return words.cat.codes.to_numpy(), words.cat.categories.to_list()


def _age_band(days: pd.Series) -> np.ndarray:
    band = np.digitize(days.fillna(0).to_numpy(np.int64), _BAND_STARTS)
    return np.where(days.isna(), len(_BAND_STARTS) + 1, band)


def _frame(counts: Counter[tuple[str | bool, ...]]) -> pd.DataFrame:
    rows = [(*combination, users) for combination, users in sorted(counts.items())]
    texts: dict[str, Any] = dict.fromkeys(_COUNT_TEXT_COLUMNS, TEXT)
    kinds = {**texts, columns.EXEMPT: "bool", columns.USERS: "int64"}
    return pd.DataFrame(rows, columns=[*_COUNT_KEYS, columns.USERS]).astype(kinds)


def _check_user_count(report: Report, counts: pd.DataFrame) -> None:
    """Refuse a report that did not stay the same: as many users as rows were surveyed."""
    surveyed = sum(account.users for file in report.files for account in file.accounts)
    if surveyed != counts[columns.USERS].sum():
        names = ", ".join(file.name for file in report.files)
        hint = "Something writes to the file: copy it and analyze the copy."
        message = f"{surveyed} users at first, {counts[columns.USERS].sum()} later"
        raise InputRefused.of_file(names, message, hint)
