"""Put the result in lines for standard error: the headline, the rules and the notes."""

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from analyzer.judging.analysis import Analysis
from analyzer.report.model import ReportFile
from analyzer.terms import BLIND_SPOTS_IN_SHORT, SERVICE_CREDENTIALS, Verdict
from analyzer.writers import users

if TYPE_CHECKING:
    from analyzer.judging.inspection import Inspection


def summary_lines(
    analysis: Analysis, verdicts: Collection[Verdict], *, rules: bool, details: bool = False
) -> Iterator[str]:
    """Yield what a terminal shows besides the listed users and the blind spots, a line each.

    The lines about `rules`, with their first findings if `details`, need the rules to run.
    """
    yield from users.headlines(analysis, verdicts)
    if rules:
        yield from _rule_lines(analysis.inspection, details=details)
    yield from (f"Note: {note}" for note in notes(analysis, rules=rules))


def notes(analysis: Analysis, *, rules: bool) -> list[str]:
    """Return the notes on the input and the exemptions, and if `rules`, on what those lack."""
    if not rules:
        return users.notes(analysis)
    # The rules are slow to import, and a list of users needs none.
    from analyzer.writers.findings import lacking_input_reasons  # noqa: PLC0415

    return [*users.notes(analysis), *lacking_input_reasons(analysis.inspection)]


def blind_spots_line(
    files: Iterable[ReportFile], spots: Iterable[str] = BLIND_SPOTS_IN_SHORT
) -> str:
    """Return what no report shows, nor AWS's lists if one was read for the account of each file."""
    listed = all(
        each.service_credentials and len(each.accounts) == 1 for each in files if each.accounts
    )
    hidden = (each for each in spots if not (listed and each.startswith(SERVICE_CREDENTIALS)))
    return f"Not visible in a credential report: {'; '.join(hidden)}."


def _rule_lines(inspection: "Inspection", *, details: bool) -> Iterator[str]:
    from analyzer.writers import findings  # noqa: PLC0415

    yield f"{findings.severity_counts(inspection)}."
    for each in findings.findings_by_rule(inspection, details=details):
        yield f"{each.rule.severity:<8}  {each.rule.title}: {each.counts_text}  {each.rule.id}"
        for example in each.examples:
            exempt = f"exempt: {example.exemption}" if example.exemption else ""
            undecided = "" if example.outcome == "fails" else example.outcome
            remark = ", ".join(filter(None, (undecided, exempt)))
            fact = f"{example.fact} ({remark})" if remark else example.fact
            yield f"    {example.account} {example.user}: {fact}"
        if details and each.unshown:
            yield f"    and {each.unshown} more"
    yield findings.standard_and_limits(inspection)
    results = findings.control_results(inspection)
    if results:
        yield inspection.control_summary
    for result in results:
        counts = f" ({result.counts_text})" if result.counts_text else ""
        why = f" {result.why}" if result.why else ""
        yield f"{result.control.number}  {result.result}{counts}  {result.control.title}.{why}"
