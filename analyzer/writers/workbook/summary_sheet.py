"""Write the first sheet: progress, result, criteria, notes, sign-off, checks and input files."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from analyzer import columns
from analyzer.account_names import account_with_name
from analyzer.analysis import Analysis
from analyzer.decisions.ledger import Ledger
from analyzer.inspection import Inspection
from analyzer.model import Page, ReportFile
from analyzer.report.notes import short_list
from analyzer.terms import BLIND_SPOTS, Severity, Verdict
from analyzer.verdict import criteria_meanings, unused_definition
from analyzer.version import VERSION
from analyzer.writers import findings, users
from analyzer.writers.findings import RuleFindings
from analyzer.writers.users import VERDICT_ORDER
from analyzer.writers.workbook.book import Book, Title
from analyzer.writers.workbook.charts import Bar, Place, add_chart
from analyzer.writers.workbook.column import account_text
from analyzer.writers.workbook.follow_up_sheet import add_follow_up
from analyzer.writers.workbook.formulas import CountFormula
from analyzer.writers.workbook.grid import Grid, SpannedCell, head
from analyzer.writers.workbook.reconciliation import (
    LineRange,
    add_accounts,
    add_ages,
    add_result,
    as_of_spread_notes,
)
from analyzer.writers.workbook.review_progress import (
    CountedListings,
    add_legend,
    add_list_checks,
    add_progress,
    first_step,
)
from analyzer.writers.workbook.style import INK, VERDICT_COLOURS, CellStyle
from analyzer.writers.workbook.trend_chart import add_trend

TITLE: Final = "Access review: unused IAM users"
_WIDTHS: Final = (25.5, 14.5, 9.5, 11, 11, 12, 9.5, 11, 9.5, 13.5, 10, 14.5)
"""Together they fill a Letter page in landscape, with text of 9 points printed at 8."""

_FULL_SPAN: Final = len(_WIDTHS)
_EXEMPTION_LIST: Final = "Exemption list: exempt users and rules, reasons and last days."
_ACCOUNT_LIST: Final = "Account list: names and owners of accounts."
_LEDGER: Final = "Ledger: the earlier decisions, and what the reviewers saw."
_SERVICE_CREDENTIALS: Final = "AWS's list of service-specific credentials, saved with a report."
_NOT_COMPARED: Final = "No previous run."

_CHARTS_HEIGHT: Final = 13
"""How many rows the charts take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Hold what is known of earlier reviews and runs, empty or None where there are none.

    `comparison_text` says with which run this one was compared, and what changed since; `trend` has
    the numbers of users of the newest runs.
    """

    comparison_text: str = ""
    trend: pd.DataFrame | None = None


def add_summary(
    book: Book,
    analysis: Analysis,
    listings: CountedListings,
    inspection: Inspection | None,
    history: History,
) -> None:
    """Add the summary; without findings in the workbook, `inspection` is None."""
    grid = Grid(book, Title.SUMMARY, _WIDTHS)
    recount = CountFormula(listings.all_users)
    _add_title(grid, analysis, first_step(analysis, listings))
    grid.section("Review progress")
    add_progress(grid, listings)
    grid.section("What to enter in the yellow cells of the lists")
    add_legend(grid, analysis.ledger.keep_days)
    _add_sign_off(grid)
    grid.next_page()
    _add_numbers(grid, analysis, recount)
    grid.next_page()
    if analysis.ledger.lines:
        grid.section("Follow-up of earlier decisions")
        add_follow_up(grid, analysis.follow_up)
    if history.trend is not None and len(history.trend) > 1:
        add_trend(grid, history.trend)
    if inspection:
        grid.section("Findings by severity")
        add_severities(grid, inspection)
    _add_criteria(grid, analysis, history.comparison_text or _NOT_COMPARED)
    _add_notes(grid, analysis)
    grid.section("Checks: the lists add up to all users")
    add_list_checks(grid, analysis, listings)
    grid.section("Accounts: every row of the reports is counted")
    add_accounts(grid, analysis)
    grid.section("Reports")
    _add_files(grid, analysis.report.files)
    _add_other_files(grid, analysis)


def _add_title(grid: Grid, analysis: Analysis, first: str) -> None:
    grid.row(SpannedCell(TITLE, CellStyle.TITLE, _FULL_SPAN))
    if incomplete := _missing_accounts_text(analysis):
        grid.row(SpannedCell(incomplete, CellStyle.ALARM, _FULL_SPAN))
    grid.row(SpannedCell(users.as_of_and_scope(analysis.report), CellStyle.SUBTITLE, _FULL_SPAN))
    grid.row(SpannedCell(_headline(analysis), CellStyle.SUBTITLE, _FULL_SPAN))
    grid.row(SpannedCell(first, CellStyle.LABEL, _FULL_SPAN))


def _missing_accounts_text(analysis: Analysis) -> str:
    """Return how many accounts are missing, and which; empty if none is."""
    report = analysis.report
    covered = report.accounts - {""}
    missing = sorted({each.label for each in report.not_covered} - covered)
    if not missing:
        return ""
    every = len(covered) + len(missing)
    named = short_list([account_with_name(each, report.account_names) for each in missing])
    return f"INCOMPLETE: {len(covered):,} of {every:,} accounts. Missing: {named}."


def _headline(analysis: Analysis) -> str:
    """Return the finding in a sentence."""
    totals = analysis.totals
    unused, users = totals.users(Verdict.UNUSED), int(totals.counts[columns.USERS].sum())
    exempt = totals.users(Verdict.UNUSED, exempt=True)
    sentence = f"Unused: {unused:,} of {users:,} IAM users; {unused_definition(analysis.criteria)}."
    return f"{sentence} Exempt: {exempt:,}." if exempt else sentence


def _add_numbers(grid: Grid, analysis: Analysis, recount: CountFormula[Page]) -> None:
    """Add the counts, and beside the ages of unused users the two charts."""
    grid.section("Result")
    result = add_result(grid, analysis, recount)
    grid.space()
    top = grid.next_row
    block, ages = add_ages(grid, analysis)
    grid.space(top + _CHARTS_HEIGHT - grid.next_row)
    verdicts = [
        Bar(str(verdict), analysis.totals.users(verdict), VERDICT_COLOURS[CellStyle(verdict)])
        for verdict in VERDICT_ORDER
    ]
    add_chart(grid.frame, "Users by verdict", verdicts, _place(grid, f"C{top}", result))
    bands = [Bar(band, users, INK) for band, users in ages.items()]
    add_chart(grid.frame, "Unused users by age", bands, _place(grid, f"H{top}", block))


def _place(grid: Grid, anchor: str, block: LineRange) -> Place:
    names, counts = (
        f"'{grid.title}'!${letter}${block.first}:${letter}${block.last}" for letter in "AB"
    )
    return Place(anchor, names, counts)


def _add_criteria(grid: Grid, analysis: Analysis, compared: str) -> None:
    earlier = [("Earlier decisions", _earlier_decisions(analysis.ledger))]
    grid.text_section(
        "Criteria",
        (
            *criteria_meanings(analysis.criteria),
            ("Exemptions", _exemptions(analysis)),
            *(earlier if analysis.ledger.lines else ()),
            ("Compared with", compared),
            ("Program", f"credreport {VERSION}"),
        ),
    )


def _earlier_decisions(ledger: Ledger) -> str:
    """Return how many decisions there are, and the days that count."""
    return (
        f"Decisions: {len(ledger.lines):,}, on users: {len(ledger.standings):,}. A user to keep is"
        f" exempt for {ledger.keep_days:,} days after the decision. A user to delete or deactivate"
        f" is overdue more than {ledger.due_days:,} days after it."
    )


def _exemptions(analysis: Analysis) -> str:
    entries, totals = len(analysis.exemptions), analysis.totals
    if not entries:
        return "No exemptions."
    exempt = sum(totals.users(verdict, exempt=True) for verdict in Verdict)
    return (
        f"Entries: {entries:,}. Exempt users: {exempt:,}. Expired entries:"
        f" {len(totals.expired):,}. Entries that match no user: {len(totals.unmatched):,}."
    )


def _add_notes(grid: Grid, analysis: Analysis) -> None:
    grid.section("Notes and limitations")
    for note in (*as_of_spread_notes(analysis.report.files), *users.notes(analysis)):
        grid.named_text("Note", note, CellStyle.CHECK)
    blind_spots = "\n".join(f"• {each}" for each in BLIND_SPOTS)
    grid.named_text("Not visible in a credential report", blind_spots)


def _add_sign_off(grid: Grid) -> None:
    grid.section("Sign-off")
    grid.table_head(head(""), head("Name", 4), head("Date", 2), head("Signature", 5))
    for role in ("Prepared by", "Reviewed by"):
        lines = (SpannedCell("", CellStyle.INPUT, span) for span in (4, 2, 5))
        grid.row(SpannedCell(role, CellStyle.LABEL), *lines, height=30)


def _add_files(grid: Grid, files: tuple[ReportFile, ...]) -> None:
    heads = (head("Report"), head("As of (UTC)"), head("As-of source", 2), head("Account", 2))
    row = grid.table_head(*heads, "Rows read", "Bytes", head("SHA-256", 4))
    for file in files:
        grid.row(
            SpannedCell(file.name, CellStyle.LABEL),
            SpannedCell(file.as_of, CellStyle.DATE),
            SpannedCell(users.AS_OF_SOURCES[file.as_of_source], CellStyle.TEXT, 2),
            SpannedCell(_accounts(file), CellStyle.TEXT, 2),
            SpannedCell(sum(account.rows for account in file.accounts), CellStyle.NUMBER),
            SpannedCell(file.size, CellStyle.NUMBER),
            SpannedCell(file.sha256, span=4),
        )
    grid.ignore_number_warning(f"E{row + 1}:E{grid.next_row - 1}")


def _add_other_files(grid: Grid, analysis: Analysis) -> None:
    """Add the other files that were read, if there are any."""
    read = [
        *((_EXEMPTION_LIST, each) for each in (analysis.exemptions.file,) if each),
        *((_ACCOUNT_LIST, each) for each in (analysis.report.account_list,) if each),
        *((_LEDGER, each) for each in (analysis.ledger.file,) if each),
        *(
            (_SERVICE_CREDENTIALS, file.service_credentials)
            for file in analysis.report.files
            if file.service_credentials
        ),
    ]
    if read:
        grid.section("Other input files")
        grid.table_head(head("File"), head("Content", 6), head("SHA-256", 5))
    for content, each in read:
        name = SpannedCell(each.name, CellStyle.LABEL)
        grid.row(name, SpannedCell(content, CellStyle.TEXT, 6), SpannedCell(each.sha256, span=5))


def _accounts(file: ReportFile) -> str:
    if len(file.accounts) == 1:
        return account_text(file.accounts[0].account)
    return f"{len(file.accounts):,} accounts"


_RULES_SPAN: Final = 6
"""How many columns of the grid the names of the rules take."""

_SUM_REMARK: Final = (
    "Fails: not exempt. For information: nothing fails. The sheet Findings lists them all."
)


def add_severities(grid: Grid, inspection: Inspection) -> None:
    """Add a line per severity, the most severe first, and the rules that ran with their limits."""
    kinds = ("Findings", "Fails", "Exempt", "Undecided", "For information")
    grid.table_head(head("Severity"), *kinds, head("Findings of each rule", _RULES_SPAN))
    by_rule = findings.findings_by_rule(inspection, details=False)
    for severity in Severity:
        some = [each for each in by_rule if each.rule.severity is severity]
        name = SpannedCell(str(severity), CellStyle(severity) if some else CellStyle.FAINT)
        _add_findings(grid, name, some, CellStyle.NUMBER, _rule_counts_text(some))
    every = SpannedCell("All findings", CellStyle.LABEL)
    _add_findings(grid, every, by_rule, CellStyle.TOTAL, _SUM_REMARK)
    grid.named_text("Rules", findings.standard_and_limits(inspection))
    if findings.control_results(inspection):
        grid.named_text("Controls", f"{inspection.control_summary}.")
    for remark in findings.rules_lacking_input_texts(inspection):
        grid.named_text("Input incomplete", remark, CellStyle.CHECK)


def _add_findings(
    grid: Grid, name: SpannedCell, some: Sequence[RuleFindings], style: CellStyle, remark: str
) -> None:
    kinds = [[each.fails, each.exempt, each.undecided, each.noted] for each in some] or [[0] * 4]
    numbers = [sum(of_kind) for of_kind in zip(*kinds, strict=True)]
    counts = (SpannedCell(number, style) for number in (sum(numbers), *numbers))
    grid.row(name, *counts, SpannedCell(remark, span=_RULES_SPAN))


def _rule_counts_text(some: Iterable[RuleFindings]) -> str:
    """Return the rules with the number of their findings, the most first."""
    counts = {each.rule.id: each.fails + each.exempt + each.undecided + each.noted for each in some}
    most = sorted(counts, key=lambda rule: -counts[rule])
    return ", ".join(f"{rule} {counts[rule]:,}" for rule in most)
