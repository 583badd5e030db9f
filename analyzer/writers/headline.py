"""Put the whole result in words: the headline, the notes, and lines on rules and controls."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Final

from analyzer.analysis.analysis import Analysis
from analyzer.report.model import FileReference, ReportFile, UncoveredFile, account_with_name
from analyzer.report.report import Report
from analyzer.standards import UNUSED_USER_SUPPORTS
from analyzer.terms import (
    AS_OF_SOURCES,
    BLIND_SPOTS,
    SERVICE_CREDENTIALS_BLIND_SPOT,
    AsOfSource,
    Certainty,
    Verdict,
    count_text,
    numbers_text,
    printable,
    short_list,
)
from analyzer.writers.accounts import CAN_SIGN_IN, OF_THESE_EXEMPT, WITHOUT_MFA, account_counts

if TYPE_CHECKING:
    from analyzer.analysis.rule_results import RuleResults
    from analyzer.lists.owners import Owner

VERDICT_ORDER: Final = tuple(sorted(Verdict, key=lambda verdict: verdict is Verdict.UNDETERMINED))
"""The order in which people read the verdicts: undetermined last."""


def as_of_and_scope(report: Report) -> str:
    """Return the as-of with its source, and how many accounts and files were covered."""
    as_of = _as_of_text(report.files)
    return f"{as_of[0].upper()}{as_of[1:]}, {accounts_text(report)}"


def headlines(analysis: Analysis, verdicts: Collection[Verdict]) -> Iterator[str]:
    """Yield how many users have the verdicts, then the others, the decisions and the filter."""
    scope = f"{accounts_text(analysis.report)} {_as_of_text(analysis.report.files)}"
    yield f"{result_text(analysis, verdicts)}, {scope}."
    others = [verdict for verdict in VERDICT_ORDER if verdict not in verdicts]
    if counts := _user_counts_text(analysis, others):
        yield f"Other users: {counts}."
    if counts := _decision_counts_text(analysis):
        yield f"Decisions{' on all users' if analysis.filter else ''}: {counts}."
    if analysis.filter:
        user_count = analysis.whole.totals.user_count()
        left_out = f"{analysis.filtered_out:,} of {count_text(user_count, 'IAM user')}"
        yield f"Filter: {analysis.filter}; left out: {left_out}."


def write_line(analysis: Analysis, stream: BinaryIO, verdicts: Collection[Verdict]) -> None:
    """Write the result in one line: users with the verdicts and others, accounts, findings."""
    from analyzer.writers.findings import severity_counts_text  # noqa: PLC0415  slow to import

    sentences = [
        *headlines(analysis, verdicts),
        f"{severity_counts_text(analysis.rule_results)}.",
    ]
    stream.write(f"{printable(' '.join(sentences))}\n".encode())


def result_text(analysis: Analysis, verdicts: Collection[Verdict]) -> str:
    """Return how many users have the verdicts; of one verdict also how they divide."""
    user_count = analysis.totals.user_count()
    users = count_text(user_count, "selected IAM user" if analysis.filter else "IAM user")
    listed = [verdict for verdict in VERDICT_ORDER if verdict in verdicts]
    if not user_count:
        return f"No {users.removeprefix('0 ')}"
    if len(listed) > 1:
        counts = _user_counts_text(analysis, listed) or "none listed"
        return f"{users}: {counts}"
    number = analysis.totals.user_count(listed[0])
    remark = _certainty_and_exempt_remark(analysis, listed[0])
    verb = "is" if 1 in (number, user_count) else "are"
    sign_in = sign_in_text(analysis) if listed[0] is Verdict.UNUSED else ""
    way_in = f": {sign_in}" if sign_in else ""
    return f"{number:,} of {users} {verb} {listed[0]}{remark}{way_in}"


def sign_in_text(analysis: Analysis) -> str:
    """Return how many unused users have a password, and how many of them no MFA.

    Behind each number stands how many of these users are exempt, if any. Empty if none has a
    password.
    """
    numbers = Counter[str]()
    for counts in account_counts(analysis):
        numbers.update({name: counts[name] for name in _SIGN_IN_COUNTS})
    able, without = numbers[CAN_SIGN_IN], numbers[WITHOUT_MFA]
    if not able:
        return ""
    text = f"{able:,} can still sign in{_exempt_remark(numbers, CAN_SIGN_IN)}"
    if not without:
        return text
    number = "all" if without == able > 1 else f"{without:,}"
    return f"{text}, {number} of them without MFA{_exempt_remark(numbers, WITHOUT_MFA)}"


_SIGN_IN_COUNTS: Final = (
    *(CAN_SIGN_IN, f"{CAN_SIGN_IN}{OF_THESE_EXEMPT}"),
    *(WITHOUT_MFA, f"{WITHOUT_MFA}{OF_THESE_EXEMPT}"),
)


def _exempt_remark(numbers: Mapping[str, int], name: str) -> str:
    exempt = numbers[f"{name}{OF_THESE_EXEMPT}"]
    return f" ({exempt:,} of these exempt)" if exempt else ""


def _user_counts_text(analysis: Analysis, verdicts: Iterable[Verdict]) -> str:
    return ", ".join(
        f"{number:,} {verdict}{_certainty_and_exempt_remark(analysis, verdict)}"
        for verdict in verdicts
        if (number := analysis.totals.user_count(verdict))
    )


def _decision_counts_text(analysis: Analysis) -> str:
    if not analysis.ledger.lines:
        return ""
    # Following up is slow to import, and few analyses have decisions.
    from analyzer.decisions.fate import Overdue, State  # noqa: PLC0415
    from analyzer.decisions.follow_up import follow_up_counts  # noqa: PLC0415

    counts = follow_up_counts(analysis.follow_up)
    by_status = "; ".join(f"{counts[status]:,} {status}" for status in State if counts[status])
    overdue = ", ".join(f"{counts[why]:,} {why}" for why in Overdue if counts[why])
    return f"{by_status}; of these {overdue}" if overdue else by_status


def _certainty_and_exempt_remark(analysis: Analysis, verdict: Verdict) -> str:
    users = partial(analysis.totals.user_count, verdict)
    certain, check = (users(exempt=False, certainty=certainty) for certainty in Certainty)
    exempt = users(exempt=True)
    remarks = numbers_text({"certain": certain, "to check": check, "exempt": exempt})
    return f" ({remarks})" if check or exempt else ""


def _as_of_text(files: Sequence[ReportFile]) -> str:
    files = [file for file in files if file.accounts] or files
    moments = {(file.as_of, file.as_of_source) for file in files}
    if len(moments) == 1:
        at, source = next(iter(moments))
        return f"as of {at:%Y-%m-%d %H:%M} UTC ({AS_OF_SOURCES[source]})"
    ends = (f"{at:%Y-%m-%d %H:%M}" for at, _ in (min(moments), max(moments)))
    assumed = sum(file.as_of_source is AsOfSource.ASSUMED for file in files)
    guessed = f"; assumed for {assumed:,} of {len(files):,}" if assumed else ""
    how = f"each report has its own{guessed}"
    return f"as of {' to '.join(dict.fromkeys(ends))} UTC ({how})"


def accounts_text(report: Report) -> str:
    """Return how many accounts and files were covered; an unread file is not an account."""
    covered = report.accounts
    accounts = [account for account in report.not_covered if not isinstance(account, UncoveredFile)]
    missing = {account.label for account in accounts} - covered
    number = sum(bool(file.accounts) for file in report.files)
    in_reports = f" in {number:,} reports" if number > 1 else ""
    if missing:
        every = count_text(len(covered) + len(missing), "account")
        text = f"{len(covered):,} of {every}{in_reports}"
    elif len(covered) == 1:
        text = f"account {account_with_name(min(covered), report.account_names)}"
    else:
        text = f"{count_text(len(covered), 'account')}{in_reports}"
    unread = len(report.not_covered) - len(accounts)
    return f"{text}, {count_text(unread, 'file')} not read" if unread else text


def verdict_counts(analysis: Analysis) -> dict[Verdict, int]:
    """Return the number of users of each verdict that occurs, and always of unused users."""
    counts = {verdict: analysis.totals.user_count(verdict) for verdict in VERDICT_ORDER}
    return {
        verdict: users for verdict, users in counts.items() if users or verdict is Verdict.UNUSED
    }


def notes(analysis: Analysis, *, rules: bool = False) -> list[str]:
    """Return the notes on the input, owners, exemptions and, if `rules`, on input they lack."""
    return [
        *input_notes(analysis),
        *_exemption_notes(analysis),
        # The notes on the input already name accounts that are not covered.
        *(
            dict.fromkeys(analysis.rule_results.rules_lacking_input.values())
            if rules and not analysis.report.not_covered
            else ()
        ),
    ]


def input_notes(analysis: Analysis) -> list[str]:
    """Return the notes on the input and on owners."""
    totals, user_count = analysis.totals, analysis.whole.totals.user_count()
    return [
        *_undetermined_note(analysis),
        *analysis.report.notes,
        *owner_notes(
            analysis.owners.file, totals.unmatched_owners, totals.without_owner, user_count
        ),
    ]


def _exemption_notes(analysis: Analysis) -> Iterator[str]:
    """Yield the exemptions and keeps that have ended, match no user, or match every user."""
    totals = analysis.totals
    yield from (use.expiry_sentence for use in totals.expired if not use.entry.arn)
    if ended := [use.entry.user for use in totals.expired if use.entry.arn]:
        verb = "has" if len(ended) == 1 else "have"
        yield f"{count_text(len(ended), 'keep')} {verb} ended, decide again: {short_list(ended)}."
    for entry in totals.unmatched:
        yield f"The exemption of {entry.user} in account {entry.account} matches no user."
    for entry, _, applied, _ in totals.exemption_uses:
        if applied and not entry.user.strip("*"):
            yield (
                f"The exemption of {entry.user} in account {entry.account} applies to every user"
                f" there ({entry.rule or 'all verdicts and rules'}): {entry.reason}"
            )


def _undetermined_note(analysis: Analysis) -> Iterator[str]:
    """Yield a note if most users are undetermined, as when a spreadsheet changed the report."""
    totals = analysis.totals
    undetermined, user_count = totals.user_count(Verdict.UNDETERMINED), totals.user_count()
    if undetermined * 2 > user_count:
        verb = "is" if user_count == 1 else "are"
        yield (
            f"{undetermined:,} of {count_text(user_count, 'IAM user')} {verb} undetermined, so the"
            f" counts say little. One of the reasons: {analysis.undetermined_reason}."
            " Give each report once, as AWS made it."
        )


def owner_notes(
    file: FileReference | None, unmatched: "Iterable[Owner]", without: int, user_count: int
) -> Iterator[str]:
    """Yield how many users have no owner, and which entries of the list match no user."""
    if file and without:
        yield f"{without:,} of {user_count:,} IAM users have no owner in {file.name}."
    if file and unmatched:
        entries = short_list([*map(str, unmatched)])
        yield f"Entries of {file.name} that name the owner of no user: {entries}."


# In lines


def summary_lines(
    analysis: Analysis, verdicts: Collection[Verdict], *, rules: bool
) -> Iterator[str]:
    """Yield the lines of the terminal besides the listed users and the blind spots.

    Lines about `rules` make the rules run.
    """
    yield from headlines(analysis, verdicts)
    if rules:
        yield from _rule_lines(analysis.rule_results)
    yield from (f"Note: {note}" for note in notes(analysis, rules=rules))


def blind_spots_line(files: Iterable[ReportFile]) -> str:
    """Return the blind spots of reports, without service credentials if all files have a list."""
    listed = all(file.shows_service_credentials for file in files if file.accounts)
    hidden = (
        spot
        for spot in BLIND_SPOTS
        if not (listed and spot.startswith(SERVICE_CREDENTIALS_BLIND_SPOT))
    )
    return f"Not visible in a credential report: {'; '.join(hidden)}."


def _rule_lines(rule_results: "RuleResults") -> Iterator[str]:
    from analyzer.writers import findings  # noqa: PLC0415  slow to import

    yield findings.findings_text(rule_results)
    for of_rule in findings.findings_by_rule(rule_results):
        rule = of_rule.rule
        yield f"{rule.severity:<8}  {rule.title}: {of_rule.counts_text}  {rule.id}"
    yield findings.standard_and_limits_text(rule_results)
    results = findings.control_results(rule_results)
    if results:
        yield rule_results.control_summary
    for result in results:
        counts = f" ({result.counts_text}: {result.rules_text})" if result.counts_text else ""
        why = f" {result.why}" if result.why else ""
        yield f"{result.control.number}  {result.result}{counts}  {result.control.title}.{why}"
    if results:
        yield UNUSED_USER_SUPPORTS
