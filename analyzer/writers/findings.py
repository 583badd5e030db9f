"""Put findings into words, in the order for people, and write them as CSV."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import BinaryIO, Final

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.analysis.rule_results import ControlResult, RuleResults
from analyzer.report.model import NotCovered
from analyzer.report.values import is_one_of
from analyzer.rules.rule import (
    FACT,
    FINDINGS,
    OUTCOME,
    REMEDY,
    RULE,
    SEVERITY,
    SUBJECT,
    UNCOVERED_ACCOUNT,
    Outcome,
    Rule,
)
from analyzer.terms import Certainty, Severity, Verdict, count_text, numbers_text
from analyzer.writers.tables import (
    Table,
    file_columns,
    row_keys,
    uncovered_table,
    write_tables,
)

COLUMNS: Final = FINDINGS + columns.OWNERSHIP + (columns.AS_OF, columns.AS_OF_SOURCE)
"""The columns of findings: those of `RuleResults.tables`, then those of the report named in `file`.

`account_name` comes last if accounts have names; it is empty if the name is not known.
"""

FINDING_COLUMNS: Final = (*(name for name in COLUMNS if name != REMEDY), columns.ACCOUNT_NAME)
"""The columns in CSV: without remedies, whose many lines would be hard to read."""


@dataclass(frozen=True, slots=True)
class RuleFindings:
    """Hold the number of findings of one rule by kind.

    The kinds are `fail` and `undecided` (not exempt), `exempt` (fail or undecided) and `noted`.
    """

    rule: Rule
    counts: Mapping[str, int]

    @property
    def counts_text(self) -> str:
        """Return how many findings there are of each kind, in words."""
        return numbers_text(self.counts)


def findings_by_rule(rule_results: RuleResults) -> list[RuleFindings]:
    """Return the findings of each rule, by severity; rules without findings are left out."""
    every = (RuleFindings(rule, _counts(rule_results, rule)) for rule in rule_results.book.rules)
    return sorted(
        (findings for findings in every if any(findings.counts.values())),
        key=lambda findings: findings.rule.severity.rank,
    )


def _counts(rule_results: RuleResults, rule: Rule) -> dict[str, int]:
    fails, undecided, noted = (
        [rule_results.counts[rule.id, outcome, exempt] for exempt in (False, True)]
        for outcome in (Outcome.FAILS, Outcome.UNDECIDED, Outcome.NOTED)
    )
    return {
        "fail": fails[0],
        "exempt": fails[1] + undecided[1],
        "undecided": undecided[0],
        "noted": sum(noted),
    }


def severity_counts_text(rule_results: RuleResults) -> str:
    """Return the number of findings by severity; if there are none, of exempt and noted ones."""
    if not rule_results.book.rules:
        return "Findings: no rule ran"
    numbers = Counter[str]()
    for rule in rule_results.book.rules:
        kinds = _counts(rule_results, rule)
        numbers += Counter(kinds | {rule.severity: kinds["fail"]})

    def text(*words: str) -> str:
        return ", ".join(f"{numbers[word]:,} {word}" for word in words if numbers[word])

    if counts := text(*Severity, "undecided"):
        return f"Findings: {counts}"
    others = text("exempt", "noted")
    return f"Findings: none{f' ({others})' if others else ''}"


def failing_by_user(rule_results: RuleResults) -> Counter[int]:
    """Return the number of findings of each user that fail and are not exempt, by its row key."""
    every = rule_results.finding_columns
    fails = is_one_of([Outcome.FAILS], every[OUTCOME])
    failing = row_keys(every)[fails & is_one_of([""], every[columns.EXEMPTION])]
    return Counter(failing.tolist())


def findings_text(rule_results: RuleResults) -> str:
    """Return the number of findings by severity, and how many one act closes."""
    users, failing = rule_results.users, failing_by_user(rule_results)
    certain = is_one_of([Verdict.UNUSED], users.added[columns.VERDICT])
    certain &= is_one_of([""], users.added[columns.EXEMPTION])
    certain &= is_one_of([Certainty.CERTAIN], users.added[columns.CERTAINTY])
    keys = row_keys({columns.FILE: users.file, columns.ROW: users.row})[certain].tolist()
    closed = sum(failing[key] for key in keys)
    text = f"{severity_counts_text(rule_results)}."
    if closed <= len(keys):
        return text
    listed = count_text(len(keys), "certain unused user")
    return f"{text} Deleting the {listed} closes {closed:,} of them."


def standard_and_limits_text(rule_results: RuleResults) -> str:
    """Return the standard, the number of rules that ran, and their limits, in words."""
    book = rule_results.book
    standard, rules = book.standard, count_text(len(book.rules), "rule")
    text = f"{standard.name} ({standard.scope}): {rules} ran."
    used = {rule.threshold for rule in book.rules}
    days = asdict(book.thresholds)
    limits = [
        words.format(count_text(days[name], "day"))
        for name, words in _LIMITS.items()
        if name in used
    ]
    return f"{text} {sentence('; '.join(limits))}" if limits else text


def control_results(rule_results: RuleResults) -> Sequence[ControlResult]:
    """Return the results of the controls, if a standard was selected."""
    return rule_results.controls if rule_results.book.has_benchmark else ()


_LIMITS: Final[Mapping[str, str]] = {
    "idle_days": "passwords and access keys fail from {} without use",
    "rotation_days": "access keys fail when older than {}",
    "root_used_days": "a use of the root fails if less than {} old",
    "expiry_days": "passwords fail if they expire within {}",
}


def sentence(text: str) -> str:
    """Return text as a sentence."""
    return text[0].upper() + text[1:] + "."


def finding_tables(analysis: Analysis, *, covered: bool = False) -> Iterator[Table]:
    """Yield all findings as `RuleResults.tables` has them, with `tables.file_columns`.

    Accounts that could not be read follow (rule `NOT_COVERED`), unless `covered` leaves them out.
    """
    of_rows = file_columns(analysis.report)
    for table in analysis.rule_results.tables():
        yield {**table, **of_rows(table)}
    if not covered:
        yield from uncovered_table(analysis.report, _uncovered_finding, COLUMNS)


def _uncovered_finding(account: NotCovered) -> Mapping[str, str]:
    return {
        columns.ACCOUNT: account.label,
        SEVERITY: UNCOVERED_ACCOUNT.severity,
        RULE: UNCOVERED_ACCOUNT.id,
        SUBJECT: UNCOVERED_ACCOUNT.subject,
        FACT: str(account),
        OUTCOME: Outcome.UNDECIDED,
    }


def write_findings(analysis: Analysis, stream: BinaryIO) -> None:
    """Write all findings as CSV (`finding_tables`)."""
    write_tables(finding_tables(analysis), FINDING_COLUMNS, stream)
