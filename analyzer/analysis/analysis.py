"""Judge a whole report."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.limits import Criteria
from analyzer.report.model import Exemption, Exemptions, UncoveredFile, blank_columns, html_table
from analyzer.report.report import Report
from analyzer.report.users import Users
from analyzer.report.values import is_one_of, texts
from analyzer.terms import CONTROL, OVERDUE, Verdict, count_text
from analyzer.verdicts.verdict import judge

# Modules that one plain report does not need are imported where they are used.
if TYPE_CHECKING:
    import pandas as pd

    from analyzer.analysis.explanation import Explanation
    from analyzer.analysis.filters import Filter
    from analyzer.analysis.rule_results import RuleResults
    from analyzer.analysis.rulebook import Rulebook
    from analyzer.analysis.totals import Totals
    from analyzer.decisions.follow_up import FollowUp
    from analyzer.decisions.ledger import Ledger
    from analyzer.lists.exemptions import ExemptionMatches
    from analyzer.lists.owners import AccountList, Owners


@dataclass(frozen=True, repr=False)
class Analysis:
    """Hold a judged report.

    `judged` are its users with the columns that the analysis adds (`Users`). `book` chooses the
    rules; None stands for the default rules. `given_ledger` has the earlier decisions, if there is
    a ledger; decisions to keep users are among the exemptions already. If a `filter` is set, it
    kept these users of the analysis `part_of`. `exempt` are the matches of the exemptions, None if
    there are none; `owned` is the position of each user's owner in the list, -1 for none.
    """

    report: Report
    criteria: Criteria
    exemptions: Exemptions
    judged: Users
    book: "Rulebook | None" = None
    given_ledger: "Ledger | None" = None
    given_owners: "Owners | None" = None
    filter: "Filter | None" = None
    part_of: "Analysis | None" = None
    exempt: "ExemptionMatches | None" = None
    owned: np.ndarray = field(default_factory=lambda: np.array([], np.int64))

    @cached_property
    def ledger(self) -> "Ledger":
        """Return the earlier decisions, none without a ledger."""
        from analyzer.decisions.ledger import Ledger  # noqa: PLC0415  0.02 s

        return self.given_ledger or Ledger()

    @cached_property
    def owners(self) -> "Owners":
        """Return the owners of users, none without a list."""
        from analyzer.lists.owners import Owners  # noqa: PLC0415

        return self.given_owners or Owners()

    @property
    def users(self) -> "pd.DataFrame":
        """Return all judged users as one frame (columns: `Users.frame`)."""
        return self.judged.frame([file.name for file in self.report.files])

    @cached_property
    def totals(self) -> "Totals":
        """Return the numbers of users, and of the uses of exemptions and owners."""
        from analyzer.analysis.totals import totals  # noqa: PLC0415

        if self.part_of:
            return replace(self.part_of.totals, judged=self.judged)
        return totals(self.report, self.judged, self.exempt, self.owners, self.owned)

    @property
    def unused(self) -> "pd.DataFrame":
        """Return the unused users as one frame, with the columns of `users`."""
        users = self.users
        return users[users[columns.VERDICT] == Verdict.UNUSED].reset_index(drop=True)

    @property
    def findings(self) -> "pd.DataFrame":
        """Return all findings (columns: `RuleResults.findings`)."""
        return self.rule_results.findings

    @property
    def counts(self) -> dict[str, int]:
        """Return how many users have each verdict."""
        return {str(verdict): self.totals.user_count(verdict) for verdict in Verdict}

    def __dir__(self) -> list[str]:
        """Return the names of the public interface, for completion."""
        return [
            *("counts", "criteria", "exemptions", "explain", "findings", "follow_up", "report"),
            *("unused", "users", "where"),
        ]

    def __repr__(self) -> str:
        """Return how many users have each verdict, in a line."""
        counts = ", ".join(f"{verdict} {number:,}" for verdict, number in self.counts.items())
        users = self.totals.user_count()
        return f"<{'Filtered' if self.filter else ''}Analysis: IAM users {users:,}, {counts}>"

    def _repr_html_(self) -> str:
        """Return how many users have each verdict as a table, for a notebook."""
        rows = [
            (verdict, self.totals.user_count(verdict), self.totals.user_count(verdict, exempt=True))
            for verdict in Verdict
        ]
        caption = repr(self.report).strip("<>")
        return html_table(caption, ("Verdict", "IAM users", "of these exempt"), rows)

    @property
    def undetermined_reason(self) -> str:
        """Return the shortest of the reasons why users are undetermined, empty for none."""
        added = self.judged.added
        is_undetermined = is_one_of([Verdict.UNDETERMINED], added[columns.VERDICT])
        reasons = pc.unique(added[columns.REASON].filter(pa.array(is_undetermined))).to_pylist()
        return min(reasons, key=lambda reason: (len(reason), reason), default="")

    @cached_property
    def rule_results(self) -> "RuleResults":
        """Return the results of the rules; no rule runs before its result is needed.

        Rules on the root user do not run if a filter leaves the root user out.
        """
        from analyzer.analysis.rule_results import RuleResults  # noqa: PLC0415

        if not self.part_of:
            book = self.rulebook
            return RuleResults(self.report, self.judged, self.exemptions, book, self.owners)
        part = replace(self.part_of.rule_results, report=self.report, users=self.judged)
        if not self.filter or self.filter.keeps_roots:
            return part
        rules, of_root = part.book.rules, [rule.id for rule in part.book.rules if rule.is_of_root]
        book = replace(part.book, rules=tuple(rule for rule in rules if not rule.is_of_root))
        return replace(part, book=book, filtered_rules=of_root)

    @property
    def rulebook(self) -> "Rulebook":
        """Return the rules that run, with their limits."""
        from analyzer.analysis.rulebook import rulebook  # noqa: PLC0415

        return self.book or rulebook(limits={"idle_days": self.criteria.idle_days})

    @property
    def whole(self) -> "Analysis":
        """Return the analysis of all accounts and users."""
        return self.part_of or self

    @property
    def filtered_out(self) -> int:
        """Return how many users the filter leaves out."""
        return self.whole.totals.user_count() - self.totals.user_count()

    def where(self, chosen: "Filter") -> "Analysis":
        """Return the part of the analysis that a filter keeps: its users, counts and findings.

        The exemptions and the follow-up are those of the whole analysis.
        """
        from analyzer.analysis.filters import filtered_report, user_mask  # noqa: PLC0415

        if not chosen:
            return self
        report = filtered_report(self.report, chosen)
        kept = self.judged.where(user_mask(self.judged, chosen, report.account_names))
        return replace(self, report=report, judged=kept, filter=chosen, part_of=self)

    def of_users(self, users: Users) -> "Analysis":
        """Return the part with these judged users: accounts, counts, and no findings."""
        from analyzer.analysis.filters import of_accounts  # noqa: PLC0415

        report = of_accounts(self.report, {*texts(users.account).to_pylist()})
        return replace(self, report=report, judged=users, part_of=self)

    def explain(self, user: str) -> "tuple[Explanation, ...]":
        """Return an explanation of each user whose name or ARN matches; `*` and `?` match.

        Raises ValueError if no user matches.
        """
        from analyzer.analysis.explanation import explanations  # noqa: PLC0415  slow to import, rarely used

        explained = tuple(explanations(self.judged, self.rule_results, user, self.criteria))
        if not explained:
            raise ValueError(f"no IAM user has the name or ARN {user!r}")
        return explained

    @cached_property
    def follow_up_result(self) -> "FollowUp":
        """Return the follow-up on the earlier decisions to delete or deactivate.

        It covers the whole analysis: a user that a filter leaves out is not gone.
        """
        from analyzer.decisions.follow_up import follow_up  # noqa: PLC0415

        if self.part_of:
            return self.part_of.follow_up_result
        return follow_up(self.judged, self.report, self.ledger, self.owners)

    @property
    def follow_up(self) -> "pd.DataFrame":
        """Return the follow-up as a frame (`decisions.follow_up.COLUMNS`)."""
        return self.follow_up_result.frame

    def earlier_decisions(self, page: Users) -> pa.Array:
        """Return the earlier decision on each user of a judged page, in words (large_string)."""
        if not (self.given_ledger and self.given_ledger.lines):
            return pa.repeat(pa.scalar("", pa.large_string()), len(page))
        from analyzer.decisions.follow_up import earlier_decisions  # noqa: PLC0415

        return earlier_decisions(page, self.follow_up_result)


def analyze(  # noqa: PLR0913  what a report is judged by
    report: Report,
    criteria: Criteria | None = None,
    exemptions: Iterable[Exemption] = (),
    book: "Rulebook | None" = None,
    ledger: "Ledger | None" = None,
    *,
    owners: "Owners | None" = None,
) -> Analysis:
    """Judge every IAM user of the report; a user to keep by an earlier decision is exempt."""
    listed = exemptions if isinstance(exemptions, Exemptions) else Exemptions(tuple(exemptions))
    request = AnalysisRequest(
        criteria=criteria or Criteria(), book=book, exemptions=listed, ledger=ledger, owners=owners
    )
    return request.analysis(report)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisRequest:
    """Hold the criteria, rules and lists to judge reports by, and the conditions to fail a run.

    `book` chooses the rules; None stands for the default rules. `accounts` has account names,
    `ledger` earlier decisions, `owners` the owners of users. `fail_on` are verdicts, severities,
    ids of rules, `control` and `overdue`.
    """

    criteria: Criteria = field(default_factory=Criteria)
    book: "Rulebook | None" = None
    exemptions: Exemptions = field(default_factory=Exemptions)
    ledger: "Ledger | None" = None
    accounts: "AccountList | None" = None
    owners: "Owners | None" = None
    fail_on: Collection[str] = ()

    def named(self, report: Report) -> Report:
        """Return a report with the names of its accounts; those that only the list has lack one."""
        if not self.accounts:
            return report
        from analyzer.lists.owners import with_account_list  # noqa: PLC0415

        return with_account_list(report, self.accounts)

    def analysis(self, report: Report) -> Analysis:
        """Judge every IAM user of a report, with the names of its accounts."""
        report, listed = self.named(report), self.exemptions
        if self.ledger:
            newest = max((file.as_of for file in report.files), default=None)
            notes = self.ledger.notes(newest.date()) if newest else ()
            report = replace(report, content_notes=(*report.content_notes, *notes))
            listed = Exemptions((*listed.entries, *self.ledger.exemptions()), listed.file)
        users = judge(report.iam_users, self.criteria)
        added = blank_columns((columns.EXEMPTION, *columns.OWNERSHIP), len(users))
        exempt, owned = None, np.array([], np.int64)
        if listed:
            from analyzer.lists.exemptions import ExemptionMatches  # noqa: PLC0415

            exempt = ExemptionMatches(users, listed)
            added[columns.EXEMPTION] = exempt.verdict_reasons()
        if self.owners:
            owned = self.owners.positions(users.users)
            added |= self.owners.columns_of(users.users, positions=owned)
        return Analysis(
            report,
            self.criteria,
            listed,
            users.with_users(added),
            self.book,
            self.ledger,
            self.owners,
            exempt=exempt,
            owned=owned,
        )

    def failures(self, analysis: Analysis) -> list[str]:
        """Return the conditions of `fail_on` that are met, with the number of users or findings.

        Undetermined users and accounts that could not be read always count.
        """
        if not self.fail_on:
            return []
        verdicts = [
            verdict for verdict in Verdict if verdict in (Verdict.UNDETERMINED, *self.fail_on)
        ]
        user_counts = (
            (analysis.totals.user_count(verdict, exempt=False), verdict) for verdict in verdicts
        )
        rules = [word for word in self.fail_on if word not in (*verdicts, CONTROL, OVERDUE)]
        overdue = _overdue(analysis) if OVERDUE in self.fail_on else {}
        missing = analysis.report.not_covered
        unread = Counter(
            "file" if isinstance(uncovered, UncoveredFile) else "account" for uncovered in missing
        )
        return [
            *(f"{count_text(number, what)} not read" for what, number in unread.items()),
            *(f"{number:,} {verdict}" for number, verdict in user_counts if number),
            *(analysis.rule_results.failures(rules) if rules else []),
            *(analysis.rule_results.control_failures() if CONTROL in self.fail_on else []),
            *(f"{number:,} {why}" for why, number in overdue.items() if number),
        ]


def _overdue(analysis: Analysis) -> dict[str, int]:
    """Return how many decisions are overdue, by the reason."""
    from analyzer.decisions.follow_up import overdue_counts  # noqa: PLC0415

    return overdue_counts(analysis.follow_up)
