"""Record by what the lists to decide in were made, and make their records anew from reports."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace

import numpy as np

from analyzer import columns
from analyzer.analysis.analysis import Analysis, analyze
from analyzer.analysis.filters import Filter
from analyzer.decisions.record import CreationSeconds, RecordedList, ReviewRecord, digest_of_rows
from analyzer.decisions.review_list_layout import FOLLOWED_UP
from analyzer.lists.owners import Owners
from analyzer.report.model import Exemption, Exemptions, ReportFile
from analyzer.report.report import Report
from analyzer.report.users import Users
from analyzer.terms import VERSION, AsOfSource, SplitBy, utc_text
from analyzer.writers.workbook.lookup_lists import follow_up_columns
from analyzer.writers.workbook.review_lists import REVIEW_LISTS


def review_record(
    analysis: Analysis,
    listed: Mapping[str, int],
    split_by: SplitBy | None,
    part: str,
) -> ReviewRecord:
    """Return the record of a review whose lists have these numbers of users.

    `part` is the owner or account of a workbook of a split review.
    """
    chosen, files, book = (
        analysis.filter or Filter(),
        analysis.report.files,
        analysis.whole.rulebook,
    )
    lists = [
        ("exemptions", analysis.exemptions.file),
        ("owners", analysis.owners.file),
        ("accounts", analysis.report.account_list),
        ("decisions", analysis.ledger.file),
        *(("log", file) for file in analysis.ledger.log.files),
    ]
    accounts = {account.account for file in files for account in file.accounts}
    return ReviewRecord(
        version=VERSION,
        definition=analysis.criteria.definition,
        idle_days=analysis.criteria.idle_days,
        grace_days=analysis.criteria.grace_days,
        lists=[(option, file.sha256, file.name) for option, file in lists if file],
        exempt=[(entry.user, entry.reason) for entry in analysis.exemptions.by_option],
        split=split_by or "",
        part=part,
        accounts=sorted(accounts) if chosen.accounts else [],
        users=[*chosen.users],
        exposures=[*chosen.exposures],
        certain=chosen.certain,
        min_age=chosen.min_age,
        reports=[
            (file.name, file.sha256, utc_text(file.as_of))
            for file in files
            if file.accounts or not split_by
        ],
        superseded=[(file.name, file.sha256) for file in analysis.whole.report.superseded],
        evidence=[
            (file.service_credentials.name, file.service_credentials.sha256)
            for file in files
            if file.service_credentials and (file.accounts or not split_by)
        ],
        set_as_of=any(file.as_of_source is AsOfSource.OPTION for file in files),
        standard=book.standard.id if book.has_benchmark else "",
        rules=[rule.id for rule in book.rules],
        thresholds=asdict(book.thresholds),
        listed={**listed},
        follow_up="" if split_by else digest_of_rows(_followed_up(analysis)),
    )


def _followed_up(analysis: Analysis) -> Iterator[tuple[str, ...]]:
    """Yield what the follow-up shows of what was entered before."""
    if analysis.ledger.lines:
        shown = {
            column.head: column.shown(analysis.follow_up).to_pylist()
            for column in follow_up_columns(analysis)
            if column.head in FOLLOWED_UP
        }
        yield from zip(*(shown[head] for head in FOLLOWED_UP), strict=True)


def filter_of(review: ReviewRecord) -> Filter:
    """Return the filter that a review was made with."""
    return Filter(
        accounts=(*review.accounts,),
        users=(*review.users,),
        exposures=(*review.exposures,),
        certain=review.certain,
        min_age=review.min_age,
    )


def records_anew(
    report: Report, review: ReviewRecord, exemptions: Exemptions, owners: Owners
) -> Iterator[str]:
    """Yield the record of each user whom reports put on the lists of a review.

    Reports that the review does not name count for nothing. No ledger counts either, so that
    users can be listed whom a decision left out.
    """
    by_option = (Exemption.of_option("=".join(entry)) for entry in review.exempt)
    exempt = (*exemptions, *by_option)
    whole = analyze(_named_as_in(review, report), review.criteria, exempt, owners=owners)
    seconds = CreationSeconds()
    for page in whole.judged.slices():
        seconds.add(_of_review(page, report.files, review))
    same_second = seconds.same_second()
    for page in whole.where(filter_of(review)).judged.slices():
        some = _of_review(page, report.files, review)
        if review.split:
            name = columns.OWNER if review.split == SplitBy.OWNER else columns.ACCOUNT
            some = some.where((some.users[name] == review.part).to_numpy(bool))
        for review_list in REVIEW_LISTS:
            listed = some.where(review_list.has(some))
            if len(listed):
                files = whole.report.files
                of_list = RecordedList(
                    review.digest, str(review_list.title), files, {}, same_second
                )
                yield from of_list.texts(listed, review_list.shown_texts(listed, files, {}))


def _named_as_in(review: ReviewRecord, report: Report) -> Report:
    """Return a report whose files have the names that they have in the review."""
    names = {sha256: name for name, sha256, _ in review.reports}
    files = (replace(file, name=names.get(file.sha256, file.name)) for file in report.files)
    return replace(report, files=(*files,))


def _of_review(page: Users, files: tuple[ReportFile, ...], review: ReviewRecord) -> Users:
    made_from = {(sha256, as_of) for _, sha256, as_of in review.reports}
    is_of = np.array([(file.sha256, utc_text(file.as_of)) in made_from for file in files])
    return page.where(is_of[page.users[columns.FILE]])
