"""Show what the rules found to people: a short table a rule, the worst first."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

import pandas as pd
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from analyzer import columns
from analyzer.exemptions import OF_VERDICT
from analyzer.inspection import Inspection
from analyzer.rules.rule import FACT, OUTCOME, RULE, SEVERITY, Outcome
from analyzer.standards.results import ControlResult, Result
from analyzer.terms import Severity, Verdict
from analyzer.writers import found
from analyzer.writers.found import Example, Found
from analyzer.writers.plain import printable

_COLOURS: Final = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
}
_RESULT_COLOURS: Final = {Result.FAIL: "bold red", Result.PASS: "green"}


def shown(
    inspection: Inspection, width: int, verdicts: Collection[Verdict]
) -> Iterator[RenderableType]:
    """Yield what a terminal of so many columns shows of the findings and the controls.

    Users with one of the verdicts are listed already: who fails for that is only counted.
    """
    already = {OF_VERDICT[verdict] for verdict in verdicts if verdict in OF_VERDICT}
    yield Text(f"{found.by_severity(inspection)}.", "bold")
    yield Text(found.described(inspection), "dim")
    every = found.by_rule(inspection)
    accounts = len({each.account for file in inspection.report.files for each in file.accounts}) > 1
    for each in every:
        yield Text("")
        yield _head(each)
        if each.rule.id not in already:
            yield _examples(each, width, accounts=accounts)
    yield Text("")
    if results := found.controls(inspection):
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


def _head(each: Found) -> Text:
    severity = each.rule.severity
    told = f"  {each.rule.title}: {each.numbers}"
    return Text.assemble((f"{severity}", _COLOURS[severity]), told, (f"  {each.rule.id}", "dim"))


def _examples(each: Found, width: int, *, accounts: bool) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1))
    table.add_column(overflow="fold", max_width=max(width // 3, 20))
    table.add_column(overflow="fold")
    for example in each.examples:
        table.add_row(Text(f"  {_who(example, accounts=accounts)}"), _fact(example))
    if each.more:
        table.add_row("", Text(f"and {each.more} more", "dim"))
    return table


def _who(example: Example, *, accounts: bool) -> str:
    user = printable(example.user)
    return f"{example.account} {user}" if accounts else user


def _fact(example: Example) -> Text:
    fact = Text(printable(example.fact))
    if example.outcome is not Outcome.FAILS:
        fact.append(f" ({example.outcome})", "magenta")
    if example.exemption:
        fact.append(f"\nexempt: {printable(example.exemption)}", "cyan")
    return fact


def plain(inspection: Inspection) -> Iterator[tuple[str, ...]]:
    """Yield lines for a pipe: one a finding, then one a control, then the numbers."""
    for frame in inspection.frames():
        yield from _lines(frame)
    for each in found.controls(inspection):
        control = each.control
        yield (each.result, control.number, str(each.fails), control.title, each.why)
    yield (f"{found.by_severity(inspection)}.",)
    yield (found.described(inspection),)


def _lines(frame: pd.DataFrame) -> Iterator[tuple[str, ...]]:
    names = [SEVERITY, columns.ACCOUNT, columns.USER, RULE, OUTCOME, FACT, columns.EXEMPTION]
    return zip(*(frame[name].astype(str) for name in names), strict=True)
