"""Run `credreport collect`: check the decisions of reviewers, and add them to a ledger."""

from contextlib import nullcontext
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from analyzer.cli.command import Config
from analyzer.cli.inputs import check_outputs, decision_inputs, find_inputs, load
from analyzer.cli.options import CriteriaOptions, DecisionFiles, InputOptions, output_path_option
from analyzer.cli.streams import say, utc_now, write_lines
from analyzer.cli.values import path_parser
from analyzer.terms import count_text, printable, short_list

if TYPE_CHECKING:
    from analyzer.analysis.analysis import Analysis
    from analyzer.decisions.collect import LedgerUpdate

EXAMPLES: Final = (
    "credreport collect review.xlsx",
    "credreport collect review.xlsx --report reports/ -o decisions.csv",
)


def collect(
    names: DecisionFiles,
    *,
    output: Annotated[
        Path | None,
        output_path_option(
            "Add what is new to this ledger; without it, only check.",
            "LEDGER.csv",
            parser=path_parser(".csv"),
        ),
    ] = None,
    report: Annotated[
        list[str],
        typer.Option(
            metavar="SOURCE",
            help="Compare each row with this report, which it was made from; may be repeated.",
        ),
    ] = [],
    input_options: InputOptions,
    criteria: CriteriaOptions,
    config: Config = None,
) -> None:
    """Check the decisions in filled-in workbooks, and add what is new to a ledger.

    All or nothing: one refusal refuses every file, and nothing is written.
    """
    from analyzer.analysis.analysis import analyze
    from analyzer.decisions.collect import collect as collected
    from analyzer.decisions.collect import lines_of, owner_answer_notes, with_facts
    from analyzer.decisions.fate import fates
    from analyzer.decisions.ledger import Ledger
    from analyzer.decisions.ledger_file import locked_ledger, write_ledger
    from analyzer.reviews.entries import read_files

    files = decision_inputs(names)
    check_outputs([output] if output else [], [*files, *report, config], are_ledgers=True)
    inputs = find_inputs(report, input_options)

    # Older reports are judged only if a workbook differs from the newest: it may come from one.
    @cache
    def analysis(*, with_older: bool) -> "Analysis":
        return analyze(load(inputs, quiet=True, with_older=with_older), criteria.criteria())

    newest = analysis(with_older=False) if report else None
    entries = read_files(files, utc_now().date(), newest, partial(analysis, with_older=True))
    with locked_ledger(output) if output else nullcontext(Ledger()) as ledger:
        update = collected(ledger, entries)
        if newest:
            of_reports = fates(update.ledger, newest.report, newest.pages())
            update = with_facts(update, of_reports)
        # Without a new line too, one may stay at a smaller place.
        if output and update.ledger.lines != ledger.lines:
            write_ledger(output, update.ledger)
    lines = (*lines_of(update), *owner_answer_notes(entries, update.ledger))
    write_lines("\n".join(map(printable, lines)))
    if report:
        say(f"Compared with {short_list(report)}: no difference.")
    say(_last_line(update, output))


def _last_line(update: "LedgerUpdate", output: Path | None) -> str:
    added = count_text(len(update.added), "line")
    if output is None:
        new = f"New: {added}; -o LEDGER.csv adds them." if update.added else "Nothing is new."
        return f"Checked; nothing was written. {new}"
    return f"Added {added} to {output}." if update.added else f"{output}: nothing new."
