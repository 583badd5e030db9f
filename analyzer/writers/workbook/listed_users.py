"""Say by what the lists to decide in were made, and list their users anew."""

from collections.abc import Iterator

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.analysis.filters import Filter, filter_of_review
from analyzer.decisions.review import (
    FORM,
    ListOfReview,
    ReportedList,
    ReportedUser,
    ReportOfReview,
    Review,
)
from analyzer.decisions.user_rows import rows_of_users_csv, same_second_names, shared_texts
from analyzer.terms import VERSION, AsOfSource, SplitBy, utc_text
from analyzer.writers.workbook.review_lists import Selection, lists_of_verdicts


def review_of(selection: Selection, split_by: SplitBy | None, part: str) -> Review:
    """Return by what the lists of a workbook are made.

    `part` is the owner or account of a workbook of a split review.
    """
    analysis = selection.chosen
    chosen, criteria = analysis.filter or Filter(), analysis.criteria
    report = analysis.report
    files = [file for file in report.files if file.accounts or not split_by]
    lists = (
        ("exemptions", analysis.exemptions.file),
        ("owners", analysis.owners.file),
        ("accounts", analysis.report.account_list),
        ("decisions", analysis.ledger.file),
    )
    listed = (file.service_credentials for file in files)
    read = {account.account for file in files for account in file.accounts}
    accounts = read or {missing.label for missing in report.not_covered + report.left_out}
    return Review(
        version=VERSION,
        form=FORM,
        definition=criteria.definition,
        idle_days=criteria.idle_days,
        grace_days=criteria.grace_days,
        exempt=[(entry.user, entry.reason) for entry in analysis.exemptions.by_option],
        split=split_by or "",
        part=part,
        accounts=sorted(accounts) if chosen.accounts else [],
        users=list(chosen.users),
        exposures=list(chosen.exposures),
        certain=chosen.certain,
        min_age=chosen.min_age,
        verdicts=[*selection.verdicts],
        reports=[ReportOfReview(file.name, file.sha256, utc_text(file.as_of)) for file in files],
        evidence=[(beside.name, beside.sha256) for beside in listed if beside],
        set_as_of=any(file.as_of_source is AsOfSource.OPTION for file in files),
        lists=[ListOfReview(option, file.name, file.sha256) for option, file in lists if file],
    )


def users_on_lists(whole: Analysis, review: Review) -> Iterator[ReportedList]:
    """Yield the lists of a review, made from all users that its reports have.

    `whole` is judged as the review was, without a ledger: a user whom a decision left out is
    listed. A list without users is left out.
    """
    some = whole.where(filter_of_review(review)).judged
    if review.split:
        name = columns.OWNER if review.split == SplitBy.OWNER else columns.ACCOUNT
        some = some.where((some.users[name] == review.part).to_numpy(bool))
    files, every = whole.report.files, whole.judged.users
    for review_list in lists_of_verdicts(review.verdicts):
        users = some.where(review_list.has(some))
        if not len(users):
            continue
        listed = review_list.facts(files, {})
        shown = {column.head: shared_texts(column.shown(users)) for column in listed}
        texts = (dict(zip(shown, row, strict=True)) for row in zip(*shown.values(), strict=True))
        reported = map(
            ReportedUser, texts, rows_of_users_csv(users), same_second_names(users.users, every)
        )
        yield ReportedList(
            str(review_list.title),
            dict(zip(users.users[columns.ARN], reported, strict=True)),
        )
