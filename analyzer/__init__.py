"""Analyze AWS IAM credential reports offline: which users are unused, which are idle, and why.

    import analyzer

    report = analyzer.load("status_reports_2026-03-01T09-30-00+00-00.csv")
    analysis = analyzer.analyze(report)
    analysis.users  # a pandas frame, one row a user
    analysis.explain("ann")  # why a user has its verdict
    analyzer.write(analysis, "review.xlsx")

Names are imported when they are first used: importing the package is quick. The modules here are
the ground: words, columns, errors and files that all packages share. `batches` alone stands on the
packages: it gives the same verdicts on Spark and Dask.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from analyzer.decisions.ledger import read_ledger
    from analyzer.errors import CredreportError, InputRefused
    from analyzer.judging.analysis import analyze
    from analyzer.judging.filters import Filter
    from analyzer.lists.exemptions import read_exemptions
    from analyzer.rules.rule import Rule, Subject
    from analyzer.sources.load import load
    from analyzer.standards.rulebook import rulebook
    from analyzer.terms import Criteria, Definition, Severity, Verdict
    from analyzer.writers import write
    from analyzer.writers.parquet import FINDINGS, USERS

_MODULE_OF: Final = {
    "FINDINGS": "analyzer.writers.parquet",
    "USERS": "analyzer.writers.parquet",
    "CredreportError": "analyzer.errors",
    "Criteria": "analyzer.terms",
    "Definition": "analyzer.terms",
    "Filter": "analyzer.judging.filters",
    "InputRefused": "analyzer.errors",
    "Rule": "analyzer.rules.rule",
    "Severity": "analyzer.terms",
    "Subject": "analyzer.rules.rule",
    "Verdict": "analyzer.terms",
    "analyze": "analyzer.judging.analysis",
    "load": "analyzer.sources.load",
    "read_exemptions": "analyzer.lists.exemptions",
    "read_ledger": "analyzer.decisions.ledger",
    "rulebook": "analyzer.standards.rulebook",
    "write": "analyzer.writers",
}

__all__ = [
    "FINDINGS",
    "USERS",
    "CredreportError",
    "Criteria",
    "Definition",
    "Filter",
    "InputRefused",
    "Rule",
    "Severity",
    "Subject",
    "Verdict",
    "analyze",
    "load",
    "read_exemptions",
    "read_ledger",
    "rulebook",
    "write",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its home."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    """Return the public names, for completion and help, before they are imported too."""
    return sorted({*globals(), *_MODULE_OF})
