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
from analyzer.writers.findings import blind
from analyzer.writers.workbook.column import (
    Column,
    Read,
    free,
    in_frame,
    moments,
    no_words,
    numbers,
    plain,
    review,
    source,
    texts,
    who,
    words,
)
from analyzer.writers.workbook.style import Look

DECISIONS: Final = ("fix", "accept", "investigate", "false positive")


def _of_rule(told: Callable[[str], str]) -> Read[pd.DataFrame]:
    """Read what is to be told of each finding's rule."""
    return lambda frame: map(told, frame[RULE].tolist())


SEVERITY_OF: Final = Column("Severity", 9.5, words(texts(in_frame(SEVERITY)), Look))
RULE_OF: Final = Column("Rule id", 23, words(texts(in_frame(RULE)), plain))
OUTCOME_OF: Final = Column("Outcome", 10, words(texts(in_frame(OUTCOME)), Look))
EXEMPTION: Final = Column("Exempt because", 22, words(texts(in_frame(columns.EXEMPTION)), plain))

_TITLES: Final = {rule.id: rule.title for rule in RULES}
_FIXES: Final = {rule.id: rule.fix for rule in RULES}


def listed(book: Rulebook, files: Sequence[ReportFile]) -> tuple[Column[pd.DataFrame], ...]:
    """Return the columns of findings; the last three are the reviewer's."""
    controls = _controls(book)
    return (
        *who(in_frame),
        SEVERITY_OF,
        RULE_OF,
        Column("Finding", 28, words(_of_rule(_TITLES.__getitem__), plain)),
        Column("Fact", 46, free(texts(in_frame(FACT)))),
        OUTCOME_OF,
        Column("Days", 7.5, numbers(in_frame(DAYS))),
        Column("Slot", 6, numbers(in_frame(columns.SLOT))),
        Column("Created (UTC)", 14.5, moments(in_frame(columns.CREATED), no_words)),
        Column("Counted from (UTC)", 14.5, moments(in_frame(SINCE), no_words)),
        EXEMPTION,
        Column("Controls", 42, words(_of_rule(controls.__getitem__), lambda _: Look.ID)),
        Column("Remedy", 33, words(_of_rule(_FIXES.__getitem__), plain)),
        *source(in_frame, files),
        *review(DECISIONS),
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


def nothing_found(inspection: Inspection) -> str:
    """Say which rules found nothing, and which did not see everything."""
    ran = ", ".join(rule.id for rule in inspection.book.rules) or "none"
    return " ".join([f"Nothing was found. The rules that ran: {ran}.", *blind(inspection)])
