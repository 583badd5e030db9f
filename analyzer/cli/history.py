"""Run `credreport history`: judge all reports of each account, show a period."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Final

import typer

from analyzer.cli import inputs, options
from analyzer.cli.streams import exit_if_failed_or_partial, say
from analyzer.cli.table_outputs import DataOutputs
from analyzer.cli.values import file_path, moment, words_of
from analyzer.terms import OVERDUE, HistoryTable, count_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.changes.history import History

_ALL: Final = "all tables"

EXAMPLES: Final = (
    "credreport history reports/ --since 2025-01-01 --until 2025-12-31 -o year.xlsx",
    "credreport history runs/ --decisions runs/decisions.csv --fail-on overdue",
)


class Failure(StrEnum):
    """Choose what --fail-on looks for."""

    GAP = "gap"
    OVERDUE = OVERDUE


def _start(text: str) -> datetime:
    """Return the moment that an option names; a date means the start of its day."""
    at = moment(text)
    return at - timedelta(days=1, seconds=-1) if len(text) == len("2026-03-01") else at


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions(DataOutputs):
    """Hold the options on what is written, and where."""

    output: list[Path] = options.option(
        [],
        *options.OUTPUT,
        **file_path(".xlsx", ".csv", ".json"),
        help="Write a file: .xlsx or .json with all tables, .csv with that of --table;"
        f" {options.REPEATED}",
    )
    given_table: HistoryTable | None = options.option(
        None,
        "--table",
        metavar="TABLE",
        help=f"Write this table: {', '.join(HistoryTable)}; default {HistoryTable.PERIOD}.",
    )

    @property
    def table(self) -> HistoryTable:
        """Return the table to write where one is written."""
        return self.given_table or HistoryTable.PERIOD

    @property
    def tables(self) -> dict[str, str]:
        """Return the table of each output, by the output's name; `_ALL` if it has all tables."""
        return {
            name: _ALL if kind in {"json", "xlsx"} else self.table
            for name, kind in self.shown.items()
        }


def history(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCES",
            help="All reports of the accounts: files, folders, zip archives, or the"
            " folder of the runs of export.",
        ),
    ],
    *,
    outputs: OutputOptions,
    since: datetime | None = typer.Option(
        None, parser=_start, metavar="DATE", help="Begin here; default each account's first report."
    ),
    until: datetime | None = typer.Option(
        None, parser=moment, metavar="DATE", help="End here; default the newest report."
    ),
    max_gap: int = typer.Option(
        31, **options.DAYS, help="Days without a report until a gap is named."
    ),
    reading: options.ReadingOptions,
    judging_options: options.PeriodOptions,
    fail_on: list[str] = typer.Option(
        [],
        **options.words(
            "Exit with 1 for a gap or an account that is not covered (gap), or a removal that was"
            " not carried out or was undone (overdue)",
            lambda: list(Failure),
            callback=words_of(*Failure),
        ),
    ),
) -> None:
    """Show what a period holds, from all reports of each account: users, events, gaps."""
    inputs.require(not (since and until and until < since), "is before --since", "--until")
    inputs.check_overdue(judging_options, fail_on)
    needs_ledger = outputs.table is HistoryTable.DECISIONS and not judging_options.decisions
    inputs.require(not needs_ledger, "name the ledger with --decisions", "--table")
    _check_effects(outputs, judging_options, fail_on)
    inputs.refuse_early(sources, judging_options)

    from analyzer.changes.history import history as history_of
    from analyzer.changes.period import Span

    analysis_request = inputs.read_analysis_request(judging_options)
    if until and (ledger := analysis_request.ledger):
        analysis_request = replace(analysis_request, ledger=ledger.until(until.date()))
    found = inputs.find(sources, reading)
    inputs.check_outputs(outputs.output, found.paths + list(judging_options.files))
    span = Span(since=since, until=until, max_gap=max_gap)
    report = inputs.read(found, quiet=outputs.quiet, with_older=True)
    period_history = history_of(analysis_request, report, span)
    _write(period_history, outputs)
    for line in () if outputs.quiet else _messages(period_history, outputs):
        say(line)
    failures = _failures(period_history, fail_on)
    missing = period_history.missing
    if missing and not failures:
        say(f"Not covered: {count_text(len(missing), 'part')} of the period (exit code 5).")
    exit_if_failed_or_partial(failures, missing)


def _check_effects(
    outputs: OutputOptions, judging_options: options.PeriodOptions, fail_on: list[str]
) -> None:
    """Refuse options that would change no output; raises typer.BadParameter."""
    tables, table = outputs.tables, HistoryTable
    if outputs.given_table:
        inputs.require_effect(["--table"], tables, [_ALL], "all tables", "-f csv")
    of_users = f"--table {table.USERS}"
    exempt = inputs.given(judging_options, "exemptions", "exempt")
    without_exempt = [one for one in table if one is not table.USERS]
    inputs.require_effect(exempt, tables, without_exempt, "no exemptions", of_users)
    owners = inputs.given(judging_options, "owners")
    without_owners = [table.REPORTS] if judging_options.decisions else [table.PERIOD, table.REPORTS]
    inputs.require_effect(owners, tables, without_owners, "no owners", of_users)
    idle = inputs.given(judging_options, "idle_days")
    without_verdicts = [table.PERIOD, table.REPORTS, table.DECISIONS]
    inputs.require_effect(idle, tables, without_verdicts, "no dormant users", of_users)
    log = [] if Failure.OVERDUE in fail_on else inputs.given(judging_options, "log")
    without_removals = [one for one in table if one is not table.DECISIONS]
    removals = f"--table {table.DECISIONS}"
    inputs.require_effect(log, tables, without_removals, "no removals", removals)


def _write(period_history: "History", outputs: OutputOptions) -> None:
    from analyzer.writers import history as forms

    def data(ending: str, stream: BinaryIO) -> None:
        match ending:
            case ".csv":
                forms.write_history_csv(period_history, stream, outputs.table)
            case ".json":
                forms.write_history_json(period_history, stream)
            case _:
                from analyzer.writers.workbook.history import write_history_workbook

                write_history_workbook(period_history, stream)

    outputs.write(
        data,
        lambda stream, terminal: forms.write_history_table(
            period_history, stream, outputs.table, width=terminal.get("width")
        ),
    )


def _messages(period_history: "History", outputs: OutputOptions) -> "Iterator[str]":
    """Yield the sentences beside a table, unless a terminal shows them, and the files written."""
    from analyzer.writers.history import sentences

    yield from () if outputs.is_shown else sentences(period_history)
    yield from (f"Wrote {path}" for path in outputs.output)


def _failures(period_history: "History", fail_on: list[str]) -> list[str]:
    """Return the gaps, uncovered accounts and overdue decisions that meet --fail-on, counted."""
    from analyzer.changes.decisions import OVERDUES

    total = period_history.period.iloc[-1]
    overdue = {why: int(total.get(name, 0)) for why, name in OVERDUES.items()}
    uncovered = len(period_history.not_covered)
    counts = (
        (Failure.GAP, period_history.gap_count, count_text(period_history.gap_count, "gap")),
        (Failure.GAP, uncovered, f"{count_text(uncovered, 'account')} not covered"),
        *((Failure.OVERDUE, number, f"{number:,} {why}") for why, number in overdue.items()),
    )
    return [text for word, number, text in counts if number and word in fail_on]
