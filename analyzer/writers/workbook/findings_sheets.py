"""Show what the rules found: a list of all findings, the controls, and the counts by severity."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.judging.inspection import Inspection
from analyzer.rules.rule import DAYS, FACT, OUTCOME, REMEDY, RULE, SEVERITY, SINCE
from analyzer.standards import STANDARDS
from analyzer.standards.benchmarks import FSBP
from analyzer.standards.results import ControlResult, Result
from analyzer.standards.rulebook import Rulebook
from analyzer.terms import Severity
from analyzer.writers import findings
from analyzer.writers.findings import RuleFindings
from analyzer.writers.text_columns import Texts
from analyzer.writers.workbook.book import Book, Title
from analyzer.writers.workbook.column import (
    Column,
    MomentColumn,
    NumberColumn,
    Read,
    TextColumn,
    WordColumn,
    coded_texts,
    text_of,
)
from analyzer.writers.workbook.grid import Grid, SpannedCell, head, label, total
from analyzer.writers.workbook.review_lists import row_keys
from analyzer.writers.workbook.style import CellStyle
from analyzer.writers.workbook.user_columns import named_user_columns, source_columns

ListedRows: TypeAlias = Mapping[Title, "pd.Index[int]"]
"""The rows of reports (`row_keys`) of the users that each list asks to decide on."""


def finding_columns(inspection: Inspection, listed: ListedRows) -> tuple[Column, ...]:
    """Return the columns of findings."""
    book = inspection.book
    titles = {rule.id: rule.title for rule in book.rules}
    return (
        *named_user_columns(inspection.report.account_names),
        WordColumn("Severity", 9.5, SEVERITY, CellStyle),
        WordColumn("Rule id", 23, RULE),
        WordColumn("Finding", 28, text_of(RULE, titles.__getitem__)),
        TextColumn("Fact", 46, FACT),
        WordColumn("Outcome", 10, OUTCOME, CellStyle),
        WordColumn("Listed in", 13, _review_list_titles(listed)),
        NumberColumn("Days", 7.5, DAYS),
        NumberColumn("Slot", 6, columns.SLOT),
        MomentColumn("Created (UTC)", 14.5, columns.CREATED),
        MomentColumn("Counted from (UTC)", 14.5, SINCE),
        WordColumn("Exempt because", 22, columns.EXEMPTION),
        WordColumn("Controls", 42, text_of(RULE, _control_texts(book).__getitem__)),
        WordColumn("Remedy", 33, REMEDY),
        *source_columns(inspection.report.files),
    )


def _review_list_titles(listed: ListedRows) -> Read:
    """Read in which list the user of each finding is to be decided on, if in one."""
    words = ["", *map(str, listed)]

    def titles(frame: pd.DataFrame) -> Texts:
        keys = row_keys(frame)
        masks = [rows.get_indexer(keys) >= 0 for rows in listed.values()]
        return coded_texts(np.select(masks, range(1, len(words)), 0), words)

    return titles


def _control_texts(book: Rulebook) -> Mapping[str, str]:
    """Return the numbers of the controls that ask for each rule, with their standards.

    The standards are the one that was chosen, or else the newest of each kind.
    """
    standards = (book.standard,) if book.has_benchmark else (STANDARDS[0], FSBP)
    return {
        rule.id: "\n".join(
            f"{standard.name}: {', '.join(numbers)}"
            for standard in standards
            if (numbers := standard.numbers(rule.id))
        )
        for rule in book.rules
    }


def no_findings_text(inspection: Inspection) -> str:
    """Return which rules ran without a finding, and which had incomplete input."""
    ran = ", ".join(rule.id for rule in inspection.book.rules) or "none"
    lacking = findings.rules_lacking_input_texts(inspection)
    return " ".join([f"No findings. Rules that ran: {ran}.", *lacking])


# Controls

_CONTROL_WIDTHS: Final = (32, 12, 7.5, 9, 11, 57, 28)
"""Of all columns but the numbers, which need as much as the longest."""


def add_controls(book: Book, inspection: Inspection) -> None:
    """Add the sheet with the result of each control of the standard."""
    results, standard = inspection.controls, inspection.book.standard
    longest = max(len(each.control.number) for each in results)
    grid = Grid(book, Title.CONTROLS, (max(longest + 3, 9), *_CONTROL_WIDTHS))
    grid.full_row(standard.name, CellStyle.TITLE)
    grid.full_row(f"{inspection.control_summary}.", CellStyle.SUBTITLE)
    scope = f"Scope: {standard.scope}. Numbers: {standard.source}. Titles: our wording."
    grid.full_row(scope, CellStyle.SUBTITLE)
    grid.full_row(f"Limits: {findings.limits_text(inspection.book)}", CellStyle.SUBTITLE)
    grid.space()
    counts = ("Fails", "Exempt", "Undecided")
    heads = (head("Control"), head("Title"), head("Result"), *counts, head("Rule"), head("Remark"))
    row = grid.table_head(*heads)
    grid.frame.freeze_panes = f"A{row + 1}"
    grid.frame.print_title_rows = f"{row}:{row}"
    for each in results:
        _add_control(grid, inspection.book, each)
    grid.ignore_number_warning(f"A{row + 1}:A{grid.next_row - 1}")


def _add_control(grid: Grid, book: Rulebook, each: ControlResult) -> None:
    """Add a control: how many findings it has, if a rule of it ran, and how they are decided."""
    has_run = any(rule.id in each.control.rules for rule in book.rules)
    counts = (each.fails, each.exempt, each.undecided) if has_run else ("",) * 3
    rules = "\n".join(_rule_line(each.control.number, rule, book) for rule in each.control.rules)
    grid.row(
        label(each.control.number),
        each.control.title,
        SpannedCell(str(each.result), CellStyle(each.result)),
        *(SpannedCell(count, CellStyle.NUMBER) for count in counts),
        rules or each.control.reason,
        "" if each.result is Result.NOT_DECIDABLE else each.why,
    )


def _rule_line(number: str, rule: str, book: Rulebook) -> str:
    decision = findings.rule_condition(book.rules_by_id[rule], book.thresholds)
    return decision if rule == number else f"{rule}: {decision}"


# Counts on the Summary

_SUM_REMARK: Final = (
    "Fails: not exempt. For information: nothing fails. The sheet Findings lists them all."
)


def add_severities(grid: Grid, inspection: Inspection) -> None:
    """Add a line per severity, the most severe first, and the rules that ran with their limits."""
    kinds = ("Findings", "Fails", "Exempt", "Undecided", "For information")
    grid.table_head(head("Severity"), *kinds, head("Findings of each rule", 6))
    by_rule = findings.findings_by_rule(inspection, details=False)
    for severity in Severity:
        some = [each for each in by_rule if each.rule.severity is severity]
        name = SpannedCell(str(severity), CellStyle(severity) if some else CellStyle.FAINT)
        grid.row(name, *_numbers(some), SpannedCell(_rule_counts_text(some), span=6))
    sums = map(total, _numbers(by_rule))
    grid.row(label("All findings"), *sums, SpannedCell(_SUM_REMARK, span=6))
    grid.named_text("Rules", findings.standard_and_limits(inspection))
    if findings.control_results(inspection):
        grid.named_text("Controls", f"{inspection.control_summary}.")
    for remark in findings.rules_lacking_input_texts(inspection):
        grid.named_text("Input incomplete", remark, CellStyle.CHECK)


def _numbers(some: Sequence[RuleFindings]) -> list[int]:
    """Return how many findings there are: all, and those of each kind."""
    kinds = [[*each.counts.values()] for each in some] or [[0] * 4]
    numbers = [sum(of_kind) for of_kind in zip(*kinds, strict=True)]
    return [sum(numbers), *numbers]


def _rule_counts_text(some: Iterable[RuleFindings]) -> str:
    """Return the rules with the number of their findings, the most first."""
    counts = {each.rule.id: sum(each.counts.values()) for each in some}
    most = sorted(counts, key=lambda rule: -counts[rule])
    return ", ".join(f"{rule} {counts[rule]:,}" for rule in most)
