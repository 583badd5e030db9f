"""Write the sheet with the result of each control of the standard."""

from typing import Final

from analyzer.inspection import Inspection
from analyzer.standards.results import ControlResult, Result
from analyzer.standards.rulebook import Rulebook
from analyzer.writers.findings import limits_text, rule_condition
from analyzer.writers.workbook.book import Book, Title
from analyzer.writers.workbook.grid import Grid, SpannedCell, head
from analyzer.writers.workbook.style import CellStyle

_WIDTHS: Final = (32, 12, 7.5, 9, 11, 57, 28)
"""Of all columns but the numbers, which need as much as the longest."""


def add_controls(book: Book, inspection: Inspection) -> None:
    """Add the sheet."""
    results = inspection.controls
    longest = max(len(each.control.number) for each in results)
    widths = (max(longest + 3, 9), *_WIDTHS)
    grid = Grid(book, Title.CONTROLS, widths)
    _add_heading(grid, inspection, len(widths))
    counts = ("Fails", "Exempt", "Undecided")
    heads = (head("Control"), head("Title"), head("Result"), *counts)
    row = grid.table_head(*heads, head("Rule"), head("Remark"))
    grid.repeat_head(row)
    for each in results:
        _add(grid, inspection.book, each)
    grid.ignore_number_warning(f"A{row + 1}:A{grid.next_row - 1}")


def _add_heading(grid: Grid, inspection: Inspection, span: int) -> None:
    standard = inspection.book.standard
    grid.row(SpannedCell(standard.name, CellStyle.TITLE, span))
    for line in (
        f"{inspection.control_summary}.",
        f"Scope: {standard.scope}. Numbers: {standard.source}. Titles: our wording.",
        f"Limits: {limits_text(inspection.book)}",
    ):
        grid.row(SpannedCell(line, CellStyle.SUBTITLE, span))
    grid.space()


def _add(grid: Grid, book: Rulebook, each: ControlResult) -> None:
    has_run = any(rule.id in each.control.rules for rule in book.rules)
    counts = (each.fails, each.exempt, each.undecided) if has_run else ("",) * 3
    grid.row(
        SpannedCell(each.control.number, CellStyle.LABEL),
        SpannedCell(each.control.title),
        SpannedCell(str(each.result), CellStyle(each.result)),
        *(SpannedCell(count, CellStyle.NUMBER) for count in counts),
        SpannedCell(_decision(each, book)),
        SpannedCell("" if each.result is Result.NOT_DECIDABLE else each.why),
    )


def _decision(each: ControlResult, book: Rulebook) -> str:
    """Return how the control's rules decide, or why none can."""
    rules = each.control.rules
    if not rules:
        return each.control.reason
    return "\n".join(_rule_line(each.control.number, rule, book) for rule in rules)


def _rule_line(number: str, rule: str, book: Rulebook) -> str:
    decision = rule_condition(book.rules_by_id[rule], book.thresholds)
    return decision if rule == number else f"{rule}: {decision}"
