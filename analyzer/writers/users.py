"""Put the users of an analysis in the words and the order that people read."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import BinaryIO, Final, NamedTuple

from analyzer import columns
from analyzer.judging.analysis import Analysis, Totals
from analyzer.report.model import Report, ReportFile, account_with_name
from analyzer.terms import (
    AS_OF_SOURCES,
    OVERDUE,
    AsOfSource,
    Certainty,
    Verdict,
    count_text,
    printable,
    short_list,
)
from analyzer.verdicts.caveats import caveat_sentences
from analyzer.verdicts.verdict import reason_text
from analyzer.writers.tables import listed_users
from analyzer.writers.text_columns import plain_rows

VERDICT_ORDER: Final = (
    Verdict.UNUSED,
    Verdict.RETIRED,
    Verdict.DORMANT,
    Verdict.ACTIVE,
    Verdict.UNDETERMINED,
)
"""The order in which people read the verdicts."""


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
        return f"{self.owner} (left {self.owner_left})" if self.owner_left else self.owner

    @property
    def account_text(self) -> str:
        """Return the account, with its name where that is known."""
        return f"{self.account} ({self.account_name})" if self.account_name else self.account


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
    return sorted(rows, key=_order)


def _order(row: UserRow) -> tuple[bool, int, bool, str, str, str]:
    verdict = VERDICT_ORDER.index(Verdict(row.verdict))
    doubtful = row.certainty == Certainty.CHECK
    return bool(row.exemption), verdict, doubtful, row.created or "", row.account, row.user


def as_of_and_scope(report: Report) -> str:
    """Return the as-of with its source, and how many accounts and files were covered."""
    as_of = _as_of_text(report.files)
    return f"{as_of[0].upper()}{as_of[1:]}, {_accounts_text(report)}"


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

    sentences = [*headlines(analysis, VERDICT_ORDER), f"{severity_counts(analysis.inspection)}."]
    stream.write(f"{printable(' '.join(sentences))}\n".encode())


def _headline(analysis: Analysis, verdicts: Collection[Verdict]) -> str:
    """Return how many IAM users have the verdicts, of how many, in which accounts, as of when."""
    every = analysis.totals.users()
    scope = f"{_accounts_text(analysis.report)} {_as_of_text(analysis.report.files)}"
    listed = [verdict for verdict in VERDICT_ORDER if verdict in verdicts]
    if len(listed) > 1:
        counts = _user_counts(analysis, listed) or "none listed"
        return f"{count_text(every, 'IAM user')}: {counts}, {scope}"
    number = analysis.totals.users(listed[0])
    remark = _certainty_and_exempt_remark(analysis, listed[0])
    verb = "is" if 1 in (number, every) else "are"
    return f"{number:,} of {count_text(every, 'IAM user')} {verb} {listed[0]}{remark}, {scope}"


def _user_counts(analysis: Analysis, verdicts: Iterable[Verdict]) -> str:
    """Return how many users have each of the verdicts that occur."""
    return ", ".join(
        f"{number} {verdict}{_certainty_and_exempt_remark(analysis, verdict)}"
        for verdict in verdicts
        if (number := analysis.totals.users(verdict))
    )


def _decision_counts(analysis: Analysis) -> str:
    """Return how many decisions to delete or deactivate have each status, and are overdue."""
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


def _accounts_text(report: Report) -> str:
    covered = report.accounts - {""}
    missing = {each.label for each in report.not_covered} - covered
    number = sum(bool(file.accounts) for file in report.files)
    files = f" in {number} reports" if number > 1 else ""
    if missing:
        every = count_text(len(covered) + len(missing), "account")
        return f"{len(covered):,} of {every}{files}"
    if report.accounts == {""}:
        return f"account unknown{files}"
    if len(covered) == 1:
        return f"account {account_with_name(min(covered), report.account_names)}"
    return f"{count_text(len(covered), 'account')}{files}"


def verdict_counts(analysis: Analysis) -> dict[Verdict, int]:
    """Return the number of users of each verdict that occurs, and of the unused ones."""
    counts = {verdict: analysis.totals.users(verdict) for verdict in VERDICT_ORDER}
    return {each: users for each, users in counts.items() if users or each is Verdict.UNUSED}


def notes(analysis: Analysis) -> list[str]:
    """Return the notes on the input, on owners, and on exemptions that expired or match oddly."""
    totals = analysis.totals
    every = analysis.whole.totals.users()
    return [
        *_undetermined_note(analysis, totals),
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
    ]


def _undetermined_note(analysis: Analysis, totals: Totals) -> Iterator[str]:
    """Yield that most users are undetermined, as where a spreadsheet translated the report."""
    undetermined, every = totals.users(Verdict.UNDETERMINED), totals.users()
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
