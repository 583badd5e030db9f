"""Write a table for people: wrapped and coloured on a terminal, one plain line a user in a pipe."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import Final, TextIO

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from analyzer import columns
from analyzer.analysis import Analysis
from analyzer.exemptions import OF_VERDICT
from analyzer.inspection import Inspection
from analyzer.rules.rule import FACT, OUTCOME, RULE, SEVERITY, Outcome
from analyzer.standards.results import ControlResult, Result
from analyzer.terms import BLIND_SPOTS, Severity, Verdict, printable
from analyzer.writers import findings, users
from analyzer.writers.findings import Example, RuleFindings, unseen_notes
from analyzer.writers.users import UserRow

_VERDICT_COLOURS: Final = {
    Verdict.UNDETERMINED: "magenta",
    Verdict.UNUSED: "bold red",
    Verdict.RETIRED: "yellow",
    Verdict.DORMANT: "yellow",
    Verdict.ACTIVE: "green",
}

_WIDE: Final = 120
"""On a terminal of so many columns an account and a user stand in one line."""


def write_table(
    analysis: Analysis,
    stream: TextIO,
    verdicts: Collection[Verdict],
    *,
    width: int | None = None,
    colour: bool = False,
) -> None:
    """Write the users with one of the verdicts, the counts of all, and what to know of them.

    `width` is that of the terminal in columns, None for a pipe.
    """
    rows = users.user_rows(analysis, verdicts)
    if width is None:
        _write_plain(analysis, stream, rows)
        return
    console = Console(
        file=stream, width=width, no_color=not colour, force_terminal=colour, highlight=False
    )
    console.print(Text(users.as_of_and_scope(analysis.report), "bold"), "", sep="\n")
    console.print(_table(rows, width) if rows else Text(f"Nobody is {' or '.join(verdicts)}."))
    console.print("", _counts(analysis), "", sep="\n")
    for part in finding_parts(analysis.inspection, width, verdicts):
        console.print(part)
    for remark in [*users.notes(analysis), *unseen_notes(analysis.inspection)]:
        console.print(Text(f"Note: {printable(remark)}", "yellow"))
    console.print(Text(f"No report can show: {'; '.join(BLIND_SPOTS)}.", "dim"))


def _table(rows: Sequence[UserRow], width: int) -> Table:
    accounts = len({row.account for row in rows}) > 1
    verdicts = len({row.verdict for row in rows}) > 1
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    table.add_column("User", overflow="fold", max_width=max(width // 3, 20))
    table.add_column("Created", no_wrap=True, min_width=10)
    table.add_column("Why", overflow="fold")
    for row in rows:
        created = f"{row.created:%Y-%m-%d}" if row.created else "?"
        user = printable(row.user)
        if accounts:
            user = f"{row.account} {user}" if width >= _WIDE else f"{user}\n{row.account}"
        table.add_row(Text(user), created, _why(row, show_verdict=verdicts))
    return table


def _why(row: UserRow, *, show_verdict: bool) -> Text:
    why = Text()
    if show_verdict:
        why.append(f"{row.verdict}: ", _VERDICT_COLOURS[row.verdict])
    why.append(printable(row.why))
    for _, sentence in row.caveats:
        why.append("\ncheck: ", "yellow")
        why.append(printable(sentence))
    if row.exemption:
        why.append("\nexempt: ", "cyan")
        why.append(printable(row.exemption))
    return why


def _counts(analysis: Analysis) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right")
    table.add_column()
    table.add_column(style="dim")
    for verdict, count, remark in users.verdict_counts(analysis):
        table.add_row(str(count), Text(verdict, _VERDICT_COLOURS[verdict]), remark)
    return table


def _write_plain(analysis: Analysis, stream: TextIO, rows: Sequence[UserRow]) -> None:
    """Write what `grep`, `awk` and a log file take: one line a user, single tabs between.

    What is about all users comes after them, and no line of it begins with a verdict.
    """
    _write_lines(stream, map(_cells, rows))
    _write_lines(stream, [("",)] if rows else [])
    numbers = users.verdict_counts(analysis)
    _write_lines(stream, ((str(count), verdict, remark) for verdict, count, remark in numbers))
    _write_lines(stream, chain([("",)], finding_lines(analysis.inspection)))
    _write_lines(stream, [("",), (users.as_of_and_scope(analysis.report),)])
    remarks = [*users.notes(analysis), *unseen_notes(analysis.inspection)]
    _write_lines(stream, ((f"Note: {remark}",) for remark in remarks))
    _write_lines(stream, [(f"No report can show: {'; '.join(BLIND_SPOTS)}.",)])


def _write_lines(stream: TextIO, lines: Iterable[tuple[str, ...]]) -> None:
    for cells in lines:
        stream.write("\t".join(map(printable, cells)) + "\n")


def _cells(row: UserRow) -> tuple[str, ...]:
    return (
        row.verdict,
        row.account,
        row.user,
        f"{row.created:%Y-%m-%d}" if row.created else "",
        row.reason,
        row.certainty,
        ";".join(name for name, _ in row.caveats),
        row.exemption,
    )


_SEVERITY_COLOURS: Final = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
}

_RESULT_COLOURS: Final = {Result.FAIL: "bold red", Result.PASS: "green"}


def finding_parts(
    inspection: Inspection, width: int, verdicts: Collection[Verdict]
) -> Iterator[RenderableType]:
    """Yield what a terminal of so many columns shows of the findings and the controls.

    Users with one of the verdicts are listed already: who fails for that is only counted.
    """
    already = {OF_VERDICT[verdict] for verdict in verdicts if verdict in OF_VERDICT}
    yield Text(f"{findings.severity_counts(inspection)}.", "bold")
    yield Text(findings.standard_and_limits(inspection), "dim")
    every = findings.findings_by_rule(inspection)
    accounts = len({each.account for file in inspection.report.files for each in file.accounts}) > 1
    for each in every:
        yield Text("")
        yield _rule_heading(each)
        if each.rule.id not in already:
            yield _examples(each, width, accounts=accounts)
    yield Text("")
    if results := findings.control_results(inspection):
        yield Text(inspection.book.standard.name, "bold")
        yield _controls(results)
        yield Text("")


def _controls(results: Sequence[ControlResult]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1))
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    for each in results:
        told = Text(each.control.title)
        if each.why:
            told.append(f"\n{printable(each.why)}", "dim")
        result = Text(each.result, _RESULT_COLOURS.get(each.result, "dim"))
        table.add_row(each.control.number, result, str(each.fails or ""), told)
    return table


def _rule_heading(each: RuleFindings) -> Text:
    severity = each.rule.severity
    told = f"  {each.rule.title}: {each.numbers}"
    return Text.assemble(
        (f"{severity}", _SEVERITY_COLOURS[severity]), told, (f"  {each.rule.id}", "dim")
    )


def _examples(each: RuleFindings, width: int, *, accounts: bool) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1))
    table.add_column(overflow="fold", max_width=max(width // 3, 20))
    table.add_column(overflow="fold")
    for example in each.examples:
        table.add_row(Text(f"  {_example_user(example, accounts=accounts)}"), _fact(example))
    if each.more:
        table.add_row("", Text(f"and {each.more} more", "dim"))
    return table


def _example_user(example: Example, *, accounts: bool) -> str:
    user = printable(example.user)
    return f"{example.account} {user}" if accounts else user


def _fact(example: Example) -> Text:
    fact = Text(printable(example.fact))
    if example.outcome is not Outcome.FAILS:
        fact.append(f" ({example.outcome})", "magenta")
    if example.exemption:
        fact.append(f"\nexempt: {printable(example.exemption)}", "cyan")
    return fact


def finding_lines(inspection: Inspection) -> Iterator[tuple[str, ...]]:
    """Yield lines for a pipe: one a finding, then one a control, then the numbers."""
    for frame in inspection.frames():
        yield from _lines(frame)
    for each in findings.control_results(inspection):
        control = each.control
        yield (each.result, control.number, str(each.fails), control.title, each.why)
    yield (f"{findings.severity_counts(inspection)}.",)
    yield (findings.standard_and_limits(inspection),)


def _lines(frame: pd.DataFrame) -> Iterator[tuple[str, ...]]:
    names = [SEVERITY, columns.ACCOUNT, columns.USER, RULE, OUTCOME, FACT, columns.EXEMPTION]
    return zip(*(frame[name].astype(str) for name in names), strict=True)
