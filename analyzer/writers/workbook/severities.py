"""Show how many findings there are of each severity, and of which rules."""

from collections.abc import Iterable
from typing import Final

from analyzer.terms import Severity
from analyzer.writers import found
from analyzer.writers.rule_wording import blind, limits, which
from analyzer.writers.workbook.cells import Value
from analyzer.writers.workbook.controls_sheet import headline
from analyzer.writers.workbook.formulas import summed
from analyzer.writers.workbook.grid import Grid, Part, head
from analyzer.writers.workbook.reconciliation import Block
from analyzer.writers.workbook.style import Look
from analyzer.writers.workbook.tally import EXEMPT, FAILS, NOTED, UNDECIDED, Tally

_KINDS: Final = (FAILS, EXEMPT, UNDECIDED, NOTED)
_LETTERS: Final = "CDEF"
"""The columns of the kinds; findings of all kinds stand in column B."""

_RULES: Final = 6
"""How many columns of the grid the names of the rules take."""

_TOLD: Final = 5 + _RULES
"""All columns but the first."""

_MEANT: Final = "Fails: not exempt. Noted: named, though nothing fails. All are in Findings."


def add_severities(grid: Grid, tally: Tally) -> None:
    """Add a line a severity, the worst first, and which rules ran by which limits."""
    kinds = ("Fails", "Exempt", "Undecided", "Noted")
    grid.table_head(head("Severity"), "Findings", *kinds, head("Findings of each rule", _RULES))
    first = grid.next_row
    for severity in Severity:
        _add(grid, tally, severity)
    _add_sum(grid, tally, Block(first, grid.next_row - 1))
    book = tally.inspection.book
    grid.row(Part("Rules", Look.LABEL), Part(f"{which(book)} {limits(book)}", Look.TEXT, _TOLD))
    if results := found.controls(tally.inspection):
        told = f"{book.standard.name}. {headline(results)}"
        grid.row(Part("Controls", Look.LABEL), Part(told, Look.TEXT, _TOLD))
    for remark in blind(tally.inspection):
        grid.row(Part("Not seen", Look.CHECK), Part(remark, Look.TEXT, _TOLD))


def _add(grid: Grid, tally: Tally, severity: Severity) -> None:
    ids = [rule.id for rule in tally.inspection.book.rules if rule.severity is severity]
    counts = [tally.of_severity(severity, kind) for kind in _KINDS]
    row = grid.next_row
    every = summed(f"{_LETTERS[0]}{row}:{_LETTERS[-1]}{row}", tally.number(ids, *_KINDS))
    by_rule = Part(_by_rule(tally, ids), Look.TEXT, _RULES)
    look = Look(severity) if every.result else Look.FAINT
    _add_line(grid, Part(str(severity), look), (every, *counts), Look.NUMBER, by_rule)


def _add_sum(grid: Grid, tally: Tally, block: Block) -> None:
    ids = [rule.id for rule in tally.inspection.book.rules]
    numbers = [tally.number(ids, *_KINDS), *(tally.number(ids, kind) for kind in _KINDS)]
    sums = [summed(block.cells(at), n) for at, n in zip("B" + _LETTERS, numbers, strict=True)]
    name, meant = Part("All findings", Look.LABEL), Part(_MEANT, Look.TEXT, _RULES)
    _add_line(grid, name, sums, Look.TOTAL, meant)


def _add_line(grid: Grid, name: Part, numbers: Iterable[Value], look: Look, told: Part) -> None:
    grid.row(name, *(Part(number, look) for number in numbers), told)


def _by_rule(tally: Tally, ids: Iterable[str]) -> str:
    """Return the rules that found something, the most first."""
    counts = {rule: tally.number([rule], *_KINDS) for rule in ids}
    most = sorted(counts, key=lambda rule: -counts[rule])
    return ", ".join(f"{rule} {counts[rule]:,}" for rule in most if counts[rule])
