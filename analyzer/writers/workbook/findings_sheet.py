"""Define the sheet that lists what the rules found, one row a finding."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.inspection import Inspection
from analyzer.rules.rule import DAYS, FACT, OUTCOME, REMEDY, RULE, SEVERITY, SINCE
from analyzer.standards import STANDARDS
from analyzer.standards.benchmarks import FSBP
from analyzer.standards.rulebook import Rulebook
from analyzer.writers.findings import rules_lacking_input_texts
from analyzer.writers.text_columns import Texts, mapped
from analyzer.writers.workbook.book import Title
from analyzer.writers.workbook.column import (
    Column,
    MomentCells,
    NumberCells,
    Read,
    TextCells,
    WordCells,
    coded_texts,
    from_frame,
    named_user_columns,
    neutral_style,
    source_columns,
)
from analyzer.writers.workbook.review_lists import row_keys
from analyzer.writers.workbook.style import CellStyle


def _rule_texts(text_of: Callable[[str], str]) -> Read[pd.DataFrame]:
    """Read a text about each finding's rule."""
    return lambda frame: mapped(frame[RULE], text_of)


ListedRows = dict[Title, np.ndarray]
"""The rows of reports (`row_keys`, sorted) of the users that each list asks to decide on."""


def _review_list_titles(listed: ListedRows) -> Read[pd.DataFrame]:
    """Read in which list the user of each finding is to be decided on, if in one."""
    words = ["", *map(str, listed)]

    def titles(frame: pd.DataFrame) -> Texts:
        keys = row_keys(frame)
        masks = [_are_among(keys, rows) for rows in listed.values()]
        return coded_texts(np.select(masks, range(1, len(words)), 0), words)

    return titles


def _are_among(keys: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return which keys are among the rows, which are sorted.

    `isin` orders all rows anew for each part of a sheet: a third of the time of 500,000 users.
    """
    if not len(rows):
        return np.zeros(len(keys), bool)
    return np.asarray(rows.take(np.searchsorted(rows, keys), mode="clip") == keys)


def finding_columns(inspection: Inspection, listed: ListedRows) -> tuple[Column[pd.DataFrame], ...]:
    """Return the columns of findings."""
    book, files = inspection.book, inspection.report.files
    controls = _controls(book)
    titles = {rule.id: rule.title for rule in book.rules}
    return (
        *named_user_columns(from_frame, inspection.report.account_names),
        Column("Severity", 9.5, WordCells(from_frame(SEVERITY), CellStyle)),
        Column("Rule id", 23, WordCells(from_frame(RULE), neutral_style)),
        Column("Finding", 28, WordCells(_rule_texts(titles.__getitem__), neutral_style)),
        Column("Fact", 46, TextCells(from_frame(FACT))),
        Column("Outcome", 10, WordCells(from_frame(OUTCOME), CellStyle)),
        Column("Listed in", 13, WordCells(_review_list_titles(listed), neutral_style)),
        Column("Days", 7.5, NumberCells(from_frame(DAYS))),
        Column("Slot", 6, NumberCells(from_frame(columns.SLOT))),
        Column("Created (UTC)", 14.5, MomentCells(from_frame(columns.CREATED))),
        Column("Counted from (UTC)", 14.5, MomentCells(from_frame(SINCE))),
        Column("Exempt because", 22, WordCells(from_frame(columns.EXEMPTION), neutral_style)),
        Column(
            "Controls",
            42,
            WordCells(_rule_texts(controls.__getitem__), neutral_style),
        ),
        Column("Remedy", 33, WordCells(from_frame(REMEDY), neutral_style)),
        *source_columns(from_frame, files),
    )


def _controls(book: Rulebook) -> Mapping[str, str]:
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
    return " ".join(
        [f"No findings. Rules that ran: {ran}.", *rules_lacking_input_texts(inspection)]
    )
