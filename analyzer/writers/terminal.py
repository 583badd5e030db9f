"""Write the result for people: wrapped and coloured on a terminal, one table in a pipe.

In a pipe the table holds the listed users only; `headline.summary_lines` has the rest, for standard
error.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Column, Table
from rich.text import Text

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.analysis.rule_results import ControlResult, Result, RuleResults
from analyzer.report.model import account_with_name
from analyzer.standards import UNUSED_USER_SUPPORTS
from analyzer.terms import (
    BLIND_SPOTS_PAGE,
    Severity,
    Verdict,
    count_text,
    encodable,
    printable,
)
from analyzer.writers import findings, headline, user_lists
from analyzer.writers.accounts import COUNTS, WITHOUT_MFA, account_counts
from analyzer.writers.findings import RuleFindings
from analyzer.writers.user_lists import UserRow

HEADER: Final = tuple(name for name in UserRow._fields if name not in {"idle_days", "key"})
"""The header line of the table in a pipe."""

_VERDICT_COLOURS: Final[Mapping[str, str]] = {
    Verdict.UNDETERMINED: "magenta",
    Verdict.UNUSED: "bold red",
    Verdict.RETIRED: "yellow",
    Verdict.DORMANT: "yellow",
    Verdict.ACTIVE: "green",
}

_SEVERITY_COLOURS: Final = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
}

_RESULT_COLOURS: Final = {Result.FAIL: "bold red", Result.PASS: "green"}

_WIDE: Final = 120  # columns that are enough for account and user, or rule and id, in one line
_MOST_ROWS: Final = 50  # users that are all shown; an account counts as ten
_WORST_USERS: Final = 10
_WORST_ACCOUNTS: Final = 10
_BAR: Final = 20  # columns of the longest bar

headed_table: Final = partial(
    Table, box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0)
)
_grid: Final = partial(Table, box=None, pad_edge=False, show_header=False, padding=(0, 1))
_folded: Final = partial(Column, overflow="fold")


# On a terminal


def write_terminal(
    analysis: Analysis,
    stream: TextIO,
    verdicts: Collection[Verdict],
    *,
    width: int,
    colour: bool = False,
) -> None:
    """Write the headline, the users with one of the verdicts, the rules and the notes.

    `width` is in columns of the terminal. Of many accounts the most exposed ones are shown, of
    many users the first of `user_rows`, and the headline comes last.
    """
    console = terminal(stream, width, colour=colour)
    first, *others = map(printable, headline.headlines(analysis, verdicts))
    headlines = Text(first, "bold"), *map(Text, others)
    rows, accounts = user_lists.user_rows(analysis, verdicts), len(analysis.report.accounts)
    shown = rows if max(len(rows), accounts * 10) <= _MOST_ROWS else rows[:_WORST_USERS]
    if is_short := len(shown) < len(rows):
        _write_accounts(analysis, console)
    else:
        console.print(*headlines, sep="\n")
    if shown:
        console.print("", _user_table(shown, width, accounts=accounts > 1), sep="\n")
    if is_short:
        left = len(rows) - len(shown)
        console.print(Text(f"and {left:,} more: -o users.csv writes all", "dim"))
    for part in _rule_parts(analysis.rule_results, width):
        console.print(part)
    console.print()
    for note in headline.notes(analysis, rules=True):
        console.print(Text(f"Note: {printable(note)}", "yellow"))
    console.print(Text(BLIND_SPOTS_PAGE, "dim"))
    if is_short:
        console.print("", *headlines, sep="\n")


def _write_accounts(analysis: Analysis, console: Console) -> None:
    """Write the accounts with most exposed users, with a bar of those without MFA."""
    counts, names = account_counts(analysis), analysis.report.account_names
    table = headed_table(Column("Account", overflow="fold", min_width=12), padding=(0, 1))
    for head in ("IAM users", "Unused", "Can sign in", "Without MFA"):
        table.add_column(head, justify="right")
    table.add_column("", no_wrap=True)
    longest = _BAR if console.width >= _WIDE else _BAR // 2
    most = max(1, *(of_account[WITHOUT_MFA] for of_account in counts))
    sign = "#" if console.options.ascii_only else "█"
    worst = counts[:_WORST_ACCOUNTS]
    for of_account in worst:
        bar = Text(sign * -(-of_account[WITHOUT_MFA] * longest // most), "red")
        label = printable(account_with_name(of_account[columns.ACCOUNT], names))
        table.add_row(label, *(f"{of_account[name]:,}" for name in COUNTS), bar)
    console.print(table)
    if left := len(counts) - len(worst):
        console.print(Text(f"and {count_text(left, 'account')} more", "dim"))


def terminal(stream: TextIO, width: int, *, colour: bool) -> Console:
    """Return a terminal of that width, in columns."""
    return _Terminal(
        file=stream, width=width, no_color=not colour, force_terminal=colour, highlight=False
    )


class _Terminal(Console):
    """Escape characters that the stream's encoding lacks before lines are broken."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Return the segments to show."""
        if isinstance(renderable, Text):
            plain = encodable(renderable.plain, self.encoding)
            renderable = renderable if plain == renderable.plain else Text(plain, renderable.style)
        return super().render(renderable, options)


def write_cells(rows: Iterable[Iterable[str]], stream: TextIO) -> None:
    """Write a line for each row, with a tab between the cells: for a pipe."""
    for cells in rows:
        stream.write("\t".join(map(printable, cells)) + "\n")


def _user_table(rows: Sequence[UserRow], width: int, *, accounts: bool) -> Table:
    verdicts = len({row.verdict for row in rows}) > 1
    table = headed_table(padding=(0, 1))
    table.add_column("User", overflow="fold", max_width=max(width // 3, 20))
    table.add_column("Created", no_wrap=True, min_width=10)
    owned = any(row.owner for row in rows)
    if owned:
        table.add_column("Owner", overflow="fold", max_width=max(width // 5, 12))
    table.add_column("Reason", overflow="fold")
    for row in rows:
        user = _with_account(row.user, row.account_text if accounts else "", width)
        owner = [Text(printable(row.owner_text))] if owned else []
        table.add_row(user, row.day or "?", *owner, _reason(row, show_verdict=verdicts))
    return table


def _with_account(user: str, account: str, width: int) -> Text:
    """Return a user and its account, if there is one, in two lines on a narrow terminal."""
    if not account:
        return Text(printable(user))
    if width >= _WIDE:
        return Text(f"{printable(account)} {printable(user)}")
    return Text(f"{printable(user)}\n{printable(account)}")


def _reason(row: UserRow, *, show_verdict: bool) -> Text:
    reason = Text()
    if show_verdict:
        reason.append(f"{row.verdict}: ", _VERDICT_COLOURS[row.verdict])
    reason.append(printable(row.reason_sentence))
    for _, sentence in row.caveats:
        reason.append("\ncheck: ", "yellow")
        reason.append(printable(sentence))
    if row.exemption:
        reason.append("\nexempt: ", "cyan")
        reason.append(printable(row.exemption))
    return reason


def _rule_parts(rule_results: RuleResults, width: int) -> Iterator[RenderableType]:
    yield Text(f"\n{findings.findings_text(rule_results)}", "bold")
    if rules := findings.findings_by_rule(rule_results):
        yield _rule_table(rules, width)
    yield Text(findings.standard_and_limits_text(rule_results), "dim")
    if results := findings.control_results(rule_results):
        yield Text(f"\n{rule_results.control_summary}", "bold")
        yield _control_table(results)
        yield Text(UNUSED_USER_SUPPORTS, "dim")


def _rule_table(rules: Sequence[RuleFindings], width: int) -> Table:
    table = _grid(Column(no_wrap=True), _folded(), _folded(min_width=8))
    for of_rule in rules:
        severity, identifier = of_rule.rule.severity, (of_rule.rule.id, "dim")
        name = Text(severity, _SEVERITY_COLOURS[severity])
        if width >= _WIDE:
            table.add_row(name, of_rule.rule.title, of_rule.counts_text, Text.assemble(identifier))
        else:
            title = Text.assemble(of_rule.rule.title, "\n", identifier)
            table.add_row(name, title, of_rule.counts_text)
    return table


def _control_table(results: Sequence[ControlResult]) -> Table:
    table = _grid(Column(), Column(no_wrap=True), _folded(max_width=12), _folded())
    for result in results:
        title = Text(result.control.title)
        for text in filter(None, (result.rules_text, result.why)):
            title.append(f"\n{printable(text)}", "dim")
        word = Text(result.result, _RESULT_COLOURS.get(result.result, "dim"))
        table.add_row(result.control.number, word, result.counts_text, title)
    return table


# In a pipe


def write_piped_table(analysis: Analysis, stream: TextIO, verdicts: Collection[Verdict]) -> None:
    """Write a header line and one line for each listed user, with a tab between the cells."""
    lines = [HEADER]
    for row in user_lists.user_rows(analysis, verdicts):
        caveats = ";".join(name for name, _ in row.caveats)
        cells = row._asdict() | {"created": row.day, "caveats": caveats}
        lines.append(tuple(cells[name] for name in HEADER))
    write_cells(lines, stream)
