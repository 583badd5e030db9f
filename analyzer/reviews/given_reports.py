"""Find the reports and lists that a review was made from, and make its lists anew."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Final

from analyzer import columns
from analyzer.analysis.analysis import Analysis, analyze
from analyzer.decisions.decision import User, open_row
from analyzer.decisions.review import (
    ListOfReview,
    ReportedList,
    ReportedUser,
    ReportOfReview,
    Review,
)
from analyzer.decisions.user_rows import NOT_FROM_REPORT, rows_of_users_csv, same_second_names
from analyzer.errors import InputRefused
from analyzer.files import unreadable_file_refusal
from analyzer.lists.owners import Owners
from analyzer.report.age import MaxAge
from analyzer.report.model import Exemption, Exemptions
from analyzer.report.report import Report
from analyzer.report.values import timestamp
from analyzer.sources.load import load_sources, read_exemptions, read_owners
from analyzer.sources.source import Source
from analyzer.terms import SplitBy, short_list, utc_text

_HINT: Final = "Name the reports that it was made from, and what lay beside them, with --report."


@dataclass(frozen=True, kw_only=True)
class GivenReports:
    """Hold the reports that lists may be made from, and the lists that people keep.

    `names` are those of `--report`, `as_of` (UTC) is the moment that the user sets for them,
    `lists` are names and contents. `make_lists` makes the lists of a review anew. `decided` are
    users with a word in the ledger: a list may lack them. `sheets` are the titles that a workbook
    can have. `age` refuses reports that are later than the clock.
    """

    names: Sequence[str] = ()
    sources: Sequence[Source] = ()
    as_of: datetime | None = None
    lists: Sequence[tuple[str, bytes]] = ()
    make_lists: Callable[[Analysis, Review], Iterator[ReportedList]]
    sheets: Collection[str] = ()
    decided: Collection[User] = ()
    age: MaxAge | None = None
    _analyses: dict[str, Analysis] = field(default_factory=dict, repr=False)

    @cached_property
    def contents(self) -> dict[str, list[Source]]:
        """Return the reports by their SHA-256; they are read once. Raises InputRefused."""
        read = defaultdict[str, list[Source]](list)
        for source in self.sources:
            if not source.is_skipped:
                try:
                    content = source.read()
                except OSError as error:
                    raise unreadable_file_refusal(source.name, error) from None
                digest = hashlib.sha256(content).hexdigest()
                read[digest].append(replace(source, content=content))
        return read

    def lists_of(self, workbook: str, review: Review) -> dict[str, ReportedList]:
        """Return the lists of a review by title, made anew; raises InputRefused.

        The reports are found by SHA-256, and judged under the names that they had, by the limits of
        the review.
        """
        of_part = {"part": "", "accounts": [], "users": [], "exposures": [], "verdicts": []}
        whole = review.model_copy(update=of_part | {"certain": False, "min_age": 0})
        key = whole.model_dump_json()
        if key not in self._analyses:
            self._analyses[key] = self._analysis(workbook, whole)
        return {made.title: made for made in self.make_lists(self._analyses[key], review)}

    def _analysis(self, workbook: str, review: Review) -> Analysis:
        needed = [listed for listed in review.lists if _puts_users_on_lists(listed, review)]
        found = {listed.option: (listed.name, self._list(workbook, listed)) for listed in needed}
        exempt = [Exemption.of_option("=".join(entry)) for entry in review.exempt]
        if "exemptions" in found:
            exempt = [*read_exemptions(found["exemptions"]), *exempt]
        owners = read_owners(found["owners"]) if "owners" in found else Owners()
        report = self._report(workbook, review)
        return analyze(report, review.criteria, Exemptions((*exempt,)), owners=owners)

    def _list(self, workbook: str, listed: ListOfReview) -> bytes:
        for _, content in self.lists:
            if hashlib.sha256(content).hexdigest() == listed.sha256:
                return content
        message = f"it was made with {listed.name}, SHA-256 {listed.sha256}, which is missing"
        raise InputRefused.of_file(workbook, message, "Name it, as it was then, with --list.")

    def _report(self, workbook: str, review: Review) -> Report:
        """Return the reports of a review, under the names that they had."""
        names = {report.sha256: report.name for report in review.reports}
        _check_all(workbook, names, self.contents)
        sources = [source for made in review.reports for source in self._sources(made, review)]
        as_of = timestamp(review.reports[0].as_of) if review.set_as_of else None
        report = self._in_time(load_sources(self.names, sources, as_of))
        beside = (file.service_credentials for file in report.files)
        listed = {evidence.sha256 for evidence in beside if evidence}
        _check_all(workbook, {digest: name for name, digest in review.evidence}, listed)
        moments = {file.sha256: utc_text(file.as_of) for file in report.files}
        for name, digest, moment in review.reports:
            if moments.get(digest) != moment:
                message = f"{name} was judged as of {moment}, and now as of {moments.get(digest)}"
                raise InputRefused.of_file(workbook, message, _HINT)
        return report

    def _sources(self, made: ReportOfReview, review: Review) -> list[Source]:
        """Return a report of a review under its name, and copies that have its list.

        Of reports of equal bytes, that of the moment of the review is meant.
        """
        alike = self.contents[made.sha256]
        evidence = {digest for _, digest in review.evidence}
        of_moment, with_list = list[Source](), list[Source]()
        for source in alike if len(alike) > 1 else ():
            (file,) = load_sources(self.names, [source], None).files
            listed = file.service_credentials
            if utc_text(file.as_of) == made.as_of and (not listed or listed.sha256 in evidence):
                of_moment.append(source)
            elif listed and listed.sha256 in evidence:
                with_list.append(source)
        first, *others = of_moment or alike[:1]
        return [replace(first, name=made.name), *others, *with_list]

    def _in_time(self, report: Report) -> Report:
        """Return a report; raises InputRefused if `age` refuses it."""
        if self.age:
            self.age.check(report)
        return report

    def users_of(self, names: Collection[str]) -> dict[tuple[User, str], ReportedUser]:
        """Return the users of these names of all reports, by as-of, judged by the usual limits.

        A path counts for nothing. Raises InputRefused.
        """
        if not self.sources:
            return {}
        sources = [source for alike in self.contents.values() for source in alike]
        report = self._in_time(load_sources(self.names, sources, self.as_of, with_older=True))
        judged = analyze(report).judged
        page = judged.where(judged.users[columns.USER].isin([*names]).to_numpy(bool))
        rows, beside = rows_of_users_csv(page), same_second_names(page.users, judged.users)
        return {
            (open_row(row).user, row[columns.AS_OF]): ReportedUser(of_report(row), row, alike)
            for row, alike in zip(rows, beside, strict=True)
        }


def of_report(row: Mapping[str, str]) -> dict[str, str]:
    """Return the cells of a row of `users.csv` that follow from its report and the limits."""
    return {name: text for name, text in row.items() if name not in NOT_FROM_REPORT}


def _puts_users_on_lists(listed: ListOfReview, review: Review) -> bool:
    """Return whether a list decides which users a review lists; the ledger leaves users out."""
    is_of_split = listed.option == "owners" and review.split is SplitBy.OWNER
    return listed.option == "exemptions" or is_of_split


def _check_all(workbook: str, recorded: Mapping[str, str], given: Container[str]) -> None:
    if lacking := [name for digest, name in recorded.items() if digest not in given]:
        message = f"its rows come from reports that --report did not include: {short_list(lacking)}"
        raise InputRefused.of_file(workbook, message, _HINT)
