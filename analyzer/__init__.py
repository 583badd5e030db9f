"""Analyze AWS IAM credential reports offline: which users are unused, which are idle, and why.

    import analyzer

    report = analyzer.load("status_reports_2026-03-01T09-30-00+00-00.csv")
    analysis = analyzer.analyze(report)
    analysis.users  # a pandas frame, one row a user
    analysis.explain("ann")  # why a user has its verdict
    analyzer.write(analysis, "review.xlsx")

Names are imported when they are first used: importing the package is quick. The modules here are
the ground: words, columns, errors, files and the tables of benchmarks. Only `batches` imports the
packages: it gives the same verdicts on Spark and Dask.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from analyzer.analysis.analysis import Analysis as Analysis
    from analyzer.analysis.analysis import analyze as analyze
    from analyzer.analysis.filters import Filter as Filter
    from analyzer.analysis.rulebook import rulebook as rulebook
    from analyzer.changes.diff import diff as diff
    from analyzer.errors import CredreportError as CredreportError
    from analyzer.errors import InputRefused as InputRefused
    from analyzer.limits import Criteria as Criteria
    from analyzer.limits import Definition as Definition
    from analyzer.limits import Thresholds as Thresholds
    from analyzer.report.model import Exemption as Exemption
    from analyzer.report.report import Report as Report
    from analyzer.sources.load import load as load
    from analyzer.sources.load import read_exemptions as read_exemptions
    from analyzer.sources.load import read_ledger as read_ledger
    from analyzer.sources.load import read_owners as read_owners
    from analyzer.terms import VERSION as __version__  # noqa: N811
    from analyzer.terms import Verdict as Verdict
    from analyzer.writers import write as write
    from analyzer.writers.parquet import FINDINGS as FINDINGS
    from analyzer.writers.parquet import USERS as USERS

_NAMES_OF: Final = {
    "changes.diff": ("diff",),
    "errors": ("CredreportError", "InputRefused"),
    "analysis.analysis": ("Analysis", "analyze"),
    "analysis.filters": ("Filter",),
    "report.model": ("Exemption",),
    "report.report": ("Report",),
    "sources.load": ("load", "read_exemptions", "read_ledger", "read_owners"),
    "analysis.rulebook": ("rulebook",),
    "limits": ("Criteria", "Definition", "Thresholds"),
    "terms": ("Verdict",),
    "writers": ("write",),
    "writers.parquet": ("FINDINGS", "USERS"),
}
"""The public names by the modules that define them; the imports above are for type checkers."""

_HOMES: Final = {name: home for home, names in _NAMES_OF.items() for name in names}
__all__ = ["__version__", *sorted(_HOMES)]  # noqa: PLE0604  names stand once


def __getattr__(name: str) -> Any:
    """Import a public name from the module that defines it."""
    if name == "__version__":
        return import_module("analyzer.terms").VERSION
    if name == "batches":
        return import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names, imported or not, for completion and help."""
    return ["batches", *__all__]
