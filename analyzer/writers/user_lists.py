"""Put the result on users in the words and the order of people, and write their names."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.judging.analysis import Analysis
from analyzer.report.arns import NO_ARN
from analyzer.report.model import Page, Report, ReportFile, UncoveredFile, account_with_name
from analyzer.terms import (
    AS_OF_SOURCES,
    BLIND_SPOTS_IN_SHORT,
    OVERDUE,
    SERVICE_CREDENTIALS,
    AsOfSource,
    Certainty,
    Verdict,
    count_text,
    printable,
    short_list,
)
from analyzer.verdicts.caveats import caveat_sentences, has_service_key_name
from analyzer.verdicts.verdict import reason_text
from analyzer.writers.tables import listed_users, plain_rows

if TYPE_CHECKING:
    from analyzer.judging.rule_results import RuleResults

VERDICT_ORDER: Final = tuple(sorted(Verdict, key=lambda each: each is Verdict.UNDETERMINED))
"""The order in which people read the verdicts: undetermined last."""


class UserRow(NamedTuple):
    """Hold what a short list shows of one user; `created` is ISO text, None where it was not read.

    `caveats` are pairs of an id and a sentence.
    """

    account: str
    user: str
    verdict: str
    certainty: str
    reason: str
    exemption: str
    created: str | None
    idle_days: int | None
    owner: str
    owner_left: str
    account_name: str
    caveats: tuple[tuple[str, str], ...]

    @property
    def reason_sentence(self) -> str:
        """Return the reason in words."""
        return reason_text(self.verdict, self.reason, self.idle_days)

    @property
    def day(self) -> str:
        """Return the day of creation, empty where it was not read."""
        return (self.created or "")[: len("2026-03-01")]

    @property
    def owner_text(self) -> str:
        """Return the owner, and since when he has left."""
        return owner_text(self.owner, self.owner_left)

    @property
    def account_text(self) -> str:
        """Return the account, with its name where that is known."""
        return f"{self.account} ({self.account_name})" if self.account_name else self.account


def owner_text(owner: str, left: str) -> str:
    """Return an owner, and since when he has left."""
    return f"{owner} (left {left})" if left else owner


def user_rows(analysis: Analysis, verdicts: Collection[Verdict]) -> list[UserRow]:
    """Return the listed users: by verdict, certain before doubtful, oldest first, exempt last."""
    rows = [
        UserRow._make((*row, caveats))
        for page, table in listed_users(analysis, verdicts)
        for row, caveats in zip(
            plain_rows({**table, **page.users[[columns.CREATED]]}, UserRow._fields[:-1]),
            caveat_sentences(page),
            strict=True,
        )
    ]

    def order(row: UserRow) -> tuple[bool, int, bool, str, str, str]:
        verdict = VERDICT_ORDER.index(Verdict(row.verdict))
        doubtful = row.certainty == Certainty.CHECK
        return bool(row.exemption), verdict, doubtful, row.created or "", row.account, row.user

    return sorted(rows, key=order)


def as_of_and_scope(report: Report) -> str:
    """Return the as-of with its source, and how many accounts and files were covered."""
    as_of = _as_of_text(report.files)
    return f"{as_of[0].upper()}{as_of[1:]}, {accounts_text(report)}"


def headlines(analysis: Analysis, verdicts: Collection[Verdict]) -> Iterator[str]:
    """Yield how many users have the verdicts, then the others, the decisions and the filter."""
    yield f"{_headline(analysis, verdicts)}."
    others = [verdict for verdict in VERDICT_ORDER if verdict not in verdicts]
    if counts := _user_counts(analysis, others):
        yield f"Other users: {counts}."
    if counts := _decision_counts(analysis):
        yield f"Decisions{' on all users' if analysis.filter else ''}: {counts}."
    if analysis.filter:
        every = analysis.whole.totals.users()
        left_out = f"{analysis.filtered_out:,} of {count_text(every, 'IAM user')}"
        yield f"Filter: {analysis.filter}; left out: {left_out}."


def write_line(analysis: Analysis, stream: BinaryIO) -> None:
    """Write the result in one line: users of each verdict, accounts, as-of and findings."""
    from analyzer.writers.findings import severity_counts  # noqa: PLC0415  slow to import

    sentences = [*headlines(analysis, VERDICT_ORDER), f"{severity_counts(analysis.rule_results)}."]
    stream.write(f"{printable(' '.join(sentences))}\n".encode())


def _headline(analysis: Analysis, verdicts: Collection[Verdict]) -> str:
    every = analysis.totals.users()
    users = count_text(every, "selected IAM user" if analysis.filter else "IAM user")
    scope = f"{accounts_text(analysis.report)} {_as_of_text(analysis.report.files)}"
    listed = [verdict for verdict in VERDICT_ORDER if verdict in verdicts]
    if len(listed) > 1:
        counts = _user_counts(analysis, listed) or "none listed"
        return f"{users}: {counts}, {scope}"
    number = analysis.totals.users(listed[0])
    remark = _certainty_and_exempt_remark(analysis, listed[0])
    verb = "is" if 1 in (number, every) else "are"
    return f"{number:,} of {users} {verb} {listed[0]}{remark}, {scope}"


def _user_counts(analysis: Analysis, verdicts: Iterable[Verdict]) -> str:
    return ", ".join(
        f"{number} {verdict}{_certainty_and_exempt_remark(analysis, verdict)}"
        for verdict in verdicts
        if (number := analysis.totals.users(verdict))
    )


def _decision_counts(analysis: Analysis) -> str:
    if not (analysis.decisions and analysis.decisions.lines):
        return ""
    # Following up is slow to import, and few analyses have decisions.
    from analyzer.decisions.follow_up import FollowUpStatus, follow_up_counts  # noqa: PLC0415

    counts = follow_up_counts(analysis.follow_up)
    words = {
        FollowUpStatus.DONE: "done",
        FollowUpStatus.NOT_DONE: "not done",
        FollowUpStatus.OVERTAKEN: "changed since",
        FollowUpStatus.UNKNOWN: "unknown",
    }
    by_status = [f"{counts[status]} {word}" for status, word in words.items() if counts[status]]
    overdue = f"; {counts[OVERDUE]} overdue" if counts[OVERDUE] else ""
    return f"{', '.join(by_status)}{overdue}"


def _certainty_and_exempt_remark(analysis: Analysis, verdict: Verdict) -> str:
    users = partial(analysis.totals.users, verdict)
    certain, check = (users(exempt=False, certainty=each) for each in Certainty)
    exempt = users(exempt=True)
    counts = ((certain, "certain"), (check, "to check"), (exempt, "exempt"))
    remarks = ", ".join(f"{number} {word}" for number, word in counts if number)
    return f" ({remarks})" if check or exempt else ""


def _as_of_text(files: Sequence[ReportFile]) -> str:
    files = [file for file in files if file.accounts] or files
    moments = {(file.as_of, file.as_of_source) for file in files}
    if len(moments) == 1:
        at, source = next(iter(moments))
        return f"as of {at:%Y-%m-%d %H:%M} UTC ({AS_OF_SOURCES[source]})"
    first, last = min(moments)[0], max(moments)[0]
    assumed = sum(file.as_of_source is AsOfSource.ASSUMED for file in files)
    how = f"each report has its own{f'; assumed for {assumed} of {len(files)}' if assumed else ''}"
    return f"as of {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC ({how})"


def accounts_text(report: Report) -> str:
    """Return how many accounts and files were covered; a file that was not read is no account."""
    covered = report.accounts - {""}
    accounts = [each for each in report.not_covered if not isinstance(each, UncoveredFile)]
    missing = {each.label for each in accounts} - covered
    number = sum(bool(file.accounts) for file in report.files)
    files = f" in {number} reports" if number > 1 else ""
    if missing:
        every = count_text(len(covered) + len(missing), "account")
        text = f"{len(covered):,} of {every}{files}"
    elif report.accounts == {""}:
        text = f"account unknown{files}"
    elif len(covered) == 1:
        text = f"account {account_with_name(min(covered), report.account_names)}"
    else:
        text = f"{count_text(len(covered), 'account')}{files}"
    unread = len(report.not_covered) - len(accounts)
    return f"{text}, {count_text(unread, 'file')} not read" if unread else text


def verdict_counts(analysis: Analysis) -> dict[Verdict, int]:
    """Return the number of users of each verdict that occurs, and of the unused ones."""
    counts = {verdict: analysis.totals.users(verdict) for verdict in VERDICT_ORDER}
    return {each: users for each, users in counts.items() if users or each is Verdict.UNUSED}


def notes(analysis: Analysis, *, rules: bool = False) -> list[str]:
    """Return the notes on the input, owners, exemptions, and if `rules`, on what those lack."""
    totals, every = analysis.totals, analysis.whole.totals.users()
    return [
        *_undetermined_note(analysis),
        *analysis.report.notes,
        *owner_notes(analysis, totals.without_owner, every),
        *(each.expiry_sentence for each in totals.expired),
        *(
            f"The exemption of {each.user} in account {each.account} matches no user."
            for each in totals.unmatched
        ),
        *(
            f"The exemption of {entry.user} in account {entry.account} applies to every user there"
            f" ({entry.rule or 'all verdicts and rules'}): {entry.reason}"
            for entry, _, applied in totals.entries
            if applied and not entry.user.strip("*")
        ),
        # Accounts that are not covered are in the notes on the input.
        *(
            dict.fromkeys(analysis.rule_results.rules_lacking_input.values())
            if rules and not analysis.report.not_covered
            else ()
        ),
    ]


def _undetermined_note(analysis: Analysis) -> Iterator[str]:
    """Yield that most users are undetermined, as where a spreadsheet translated the report."""
    undetermined, every = analysis.totals.users(Verdict.UNDETERMINED), analysis.totals.users()
    if undetermined * 2 > every:
        yield (
            f"{undetermined:,} of {count_text(every, 'IAM user')} are undetermined, so this"
            f" says little of them. One of the reasons: {analysis.undetermined_reason}."
            " Give the report as AWS made it."
        )


def owner_notes(analysis: Analysis, without: int, every: int) -> Iterator[str]:
    """Yield how many users of all have no owner, and which entries of the list name no user."""
    file, idle = analysis.owners.file, analysis.totals.idle_owners
    if file and without:
        yield f"{without:,} of {every:,} IAM users have no owner in {file.name}."
    if file and idle:
        entries = short_list([*map(str, idle)])
        yield f"Entries of {file.name} that name the owner of no user: {entries}."


# In lines


def summary_lines(
    analysis: Analysis, verdicts: Collection[Verdict], *, rules: bool, details: bool = False
) -> Iterator[str]:
    """Yield what a terminal shows besides the listed users and the blind spots, a line each.

    The lines about `rules`, with their first findings if `details`, need the rules to run.
    """
    yield from headlines(analysis, verdicts)
    if rules:
        yield from _rule_lines(analysis.rule_results, details=details)
    yield from (f"Note: {note}" for note in notes(analysis, rules=rules))


def blind_spots_line(
    files: Iterable[ReportFile], spots: Iterable[str] = BLIND_SPOTS_IN_SHORT
) -> str:
    """Return what no report shows, nor AWS's lists if one was read for the account of each file."""
    listed = all(
        each.service_credentials and len(each.accounts) == 1 for each in files if each.accounts
    )
    hidden = (each for each in spots if not (listed and each.startswith(SERVICE_CREDENTIALS)))
    return f"Not visible in a credential report: {'; '.join(hidden)}."


def _rule_lines(rule_results: "RuleResults", *, details: bool) -> Iterator[str]:
    from analyzer.writers import findings  # noqa: PLC0415  slow to import

    yield f"{findings.severity_counts(rule_results)}."
    for each in findings.findings_by_rule(rule_results, details=details):
        yield f"{each.rule.severity:<8}  {each.rule.title}: {each.counts_text}  {each.rule.id}"
        for example in each.examples:
            exempt = f"exempt: {example.exemption}" if example.exemption else ""
            undecided = "" if example.outcome == "fails" else example.outcome
            remark = ", ".join(filter(None, (undecided, exempt)))
            fact = f"{example.fact} ({remark})" if remark else example.fact
            yield f"    {example.account} {example.user}: {fact}"
        if details and each.unshown:
            yield f"    and {each.unshown} more"
    yield findings.standard_and_limits(rule_results)
    results = findings.control_results(rule_results)
    if results:
        yield rule_results.control_summary
    for result in results:
        counts = f" ({result.counts_text}: {result.rules_text})" if result.counts_text else ""
        why = f" {result.why}" if result.why else ""
        yield f"{result.control.number}  {result.result}{counts}  {result.control.title}.{why}"


# Names


def write_names(
    analysis: Analysis, stream: BinaryIO, verdicts: Collection[Verdict], *, check: bool = False
) -> None:
    """Write the names of the users that `write_arns` lists, behind their account if there are many.

    Of many accounts a line is `123456789012/name`.
    """
    several = len(analysis.report.accounts) > 1
    for users in _users_to_act_on(analysis, verdicts, check=check):
        names = users[columns.USER]
        _write_lines(users[columns.ACCOUNT] + "/" + names if several else names, stream)


def write_arns(
    analysis: Analysis, stream: BinaryIO, verdicts: Collection[Verdict], *, check: bool = False
) -> None:
    """Write the ARNs of the users with one of the verdicts, in the report's order.

    The output is made to be piped into a command that acts on the users. So exempt users and
    users with caveats are left out. With `check` users with caveats are listed too, but for those
    with an active service-specific credential, or whose name says that they have one while no saved
    list says otherwise. Users without an ARN in the report are always left out.
    """
    for users in _users_to_act_on(analysis, verdicts, check=check):
        _write_lines(users[columns.ARN], stream)


def _users_to_act_on(
    analysis: Analysis, verdicts: Collection[Verdict], *, check: bool
) -> Iterator[pd.DataFrame]:
    for page, _ in listed_users(analysis, verdicts):
        left_out = _left_out_by_reason(page, analysis.report.files, check=check)
        yield page.users[~np.logical_or.reduce([*left_out.values()])]


def _write_lines(texts: pd.Series, stream: BinaryIO) -> None:
    stream.write("".join(f"{printable(text)}\n" for text in texts).encode())


def left_out_line(analysis: Analysis, verdicts: Collection[Verdict], *, check: bool = False) -> str:
    """Return how many users with one of the verdicts have no line and why, empty for none."""
    counts: Counter[str] = Counter()
    for page, _ in listed_users(analysis, verdicts):
        left_out = _left_out_by_reason(page, analysis.report.files, check=check)
        counts.update({reason: int(mask.sum()) for reason, mask in left_out.items()})
    parts = ", ".join(f"{number} {reason}" for reason, number in counts.items() if number)
    return f"Left out of the names: {parts}" if parts else ""


def _left_out_by_reason(
    page: Page, files: Sequence[ReportFile], *, check: bool
) -> dict[str, np.ndarray]:
    """Return by reason which users have no line; each user has one reason at most."""
    users = page.users
    exempt = (users[columns.EXEMPTION] != "").to_numpy(bool)
    has_arn = ~users[columns.ARN].str.startswith(f"{NO_ARN}/").to_numpy(bool)
    live = (users[columns.SERVICE_CREDENTIALS] != "").to_numpy(bool)
    unsafe = (users[columns.CERTAINTY] == Certainty.CHECK).to_numpy(bool) & has_arn & ~exempt
    # The name is of a service, and AWS's list of the credentials was not saved.
    without_list = np.array([file.service_credentials is None for file in files])
    named = np.asarray(has_service_key_name(users) & without_list[users[columns.FILE].to_numpy()])
    unlisted = unsafe & ~live & named
    others = {} if check else {"to check (--include-check lists them)": unsafe & ~live & ~unlisted}
    return {
        **others,
        "with an active service-specific credential": unsafe & live,
        "that may have an active service-specific credential": unlisted,
        "exempt": exempt,
        "without an ARN in the report (use --format table or csv)": ~has_arn & ~exempt,
    }
