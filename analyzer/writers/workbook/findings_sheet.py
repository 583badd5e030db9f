"""Define the sheet that lists what the rules found, one row a finding."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import pandas as pd

from analyzer import columns
from analyzer.inspection import Inspection
from analyzer.model import ReportFile
from analyzer.rules import RULES
from analyzer.rules.rule import DAYS, FACT, OUTCOME, RULE, SEVERITY, SINCE
from analyzer.standards import STANDARDS
from analyzer.standards.benchmarks import FSBP
from analyzer.standards.rulebook import OWN, Rulebook
from analyzer.writers.findings import unseen_rules
from analyzer.writers.workbook.column import (
    Column,
    Read,
    in_frame,
    moment_cells,
    number_cells,
    plain,
    repeated_text_cells,
    review_columns,
    source_columns,
    text_cells,
    text_or_raw,
    texts,
    user_columns,
)
from analyzer.writers.workbook.style import CellStyle

DECISIONS: Final = ("fix", "accept", "investigate", "false positive")


def _rule_texts(text_of: Callable[[str], str]) -> Read[pd.DataFrame]:
    """Read a text about each finding's rule."""
    return lambda frame: map(text_of, frame[RULE].tolist())


SEVERITY_OF: Final = Column(
    "Severity", 9.5, repeated_text_cells(texts(in_frame(SEVERITY)), CellStyle)
)
RULE_OF: Final = Column("Rule id", 23, repeated_text_cells(texts(in_frame(RULE)), plain))
OUTCOME_OF: Final = Column("Outcome", 10, repeated_text_cells(texts(in_frame(OUTCOME)), CellStyle))
EXEMPTION: Final = Column(
    "Exempt because", 22, repeated_text_cells(texts(in_frame(columns.EXEMPTION)), plain)
)

_TITLES: Final = {rule.id: rule.title for rule in RULES}
_FIXES: Final = {rule.id: rule.fix for rule in RULES}


def finding_columns(
    book: Rulebook, files: Sequence[ReportFile]
) -> tuple[Column[pd.DataFrame], ...]:
    """Return the columns of findings; the last three are the reviewer's."""
    controls = _controls(book)
    return (
        *user_columns(in_frame),
        SEVERITY_OF,
        RULE_OF,
        Column("Finding", 28, repeated_text_cells(_rule_texts(_TITLES.__getitem__), plain)),
        Column("Fact", 46, text_cells(texts(in_frame(FACT)))),
        OUTCOME_OF,
        Column("Days", 7.5, number_cells(in_frame(DAYS))),
        Column("Slot", 6, number_cells(in_frame(columns.SLOT))),
        Column("Created (UTC)", 14.5, moment_cells(in_frame(columns.CREATED), text_or_raw)),
        Column("Counted from (UTC)", 14.5, moment_cells(in_frame(SINCE), text_or_raw)),
        EXEMPTION,
        Column(
            "Controls",
            42,
            repeated_text_cells(_rule_texts(controls.__getitem__), lambda _: CellStyle.ID),
        ),
        Column("Remedy", 33, repeated_text_cells(_rule_texts(_FIXES.__getitem__), plain)),
        *source_columns(in_frame, files),
        *review_columns(DECISIONS),
    )


def _controls(book: Rulebook) -> Mapping[str, str]:
    """Return the numbers of the controls that ask for each rule, with their standards.

    The standards are the one that was chosen, or else the newest of each kind.
    """
    standards = (STANDARDS[0], FSBP) if book.standard is OWN else (book.standard,)
    return {
        rule.id: "\n".join(
            f"{standard.name}: {', '.join(numbers)}"
            for standard in standards
            if (numbers := standard.numbers(rule.id))
        )
        for rule in book.rules
    }


def no_findings_text(inspection: Inspection) -> str:
    """Say which rules found nothing, and which did not see everything."""
    ran = ", ".join(rule.id for rule in inspection.book.rules) or "none"
    return " ".join([f"Nothing was found. The rules that ran: {ran}.", *unseen_rules(inspection)])
