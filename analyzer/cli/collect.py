"""Run `credreport collect`: check the decisions of reviewers, and add them to a ledger."""

from contextlib import nullcontext
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from analyzer.cli.inputs import Inputs, check_outputs, decision_inputs, find_inputs, load
from analyzer.cli.options import (
    FILE,
    OUTPUT,
    REPEATED,
    CriteriaOptions,
    DecisionFiles,
    InputOptions,
)
from analyzer.cli.streams import say, utc_now, write_lines
from analyzer.cli.values import InputFile, file_path
from analyzer.terms import count_text, printable, short_list

if TYPE_CHECKING:
    from collections.abc import Collection

    from analyzer.decisions.collect import LedgerUpdate
    from analyzer.decisions.decision import User
    from analyzer.reviews.comparison import GivenReports

EXAMPLES: Final = (
    "credreport collect review.xlsx",
    "credreport collect review.xlsx --report reports/ -o decisions.csv",
)


def collect(
    names: DecisionFiles,
    *,
    output: Path | None = typer.Option(
        None,
        *OUTPUT,
        **file_path(".csv") | {"metavar": "LEDGER.csv"},
        help="Add what is new to this ledger; without it, only check.",
    ),
    report: list[str] = typer.Option(
        [],
        metavar="SOURCE",
        help=f"Compare each row with this report, which it was made from; {REPEATED}",
    ),
    exemptions: InputFile | None = typer.Option(
        None, **FILE, help="Use this list of exemptions, if the workbooks were made with it."
    ),
    owners: InputFile | None = typer.Option(
        None, **FILE, help="Use this list of owners, if the workbooks were split by it."
    ),
    input_options: InputOptions,
    criteria: CriteriaOptions,
) -> None:
    """Check the decisions in filled-in workbooks, and add what is new to a ledger.

    All or nothing: one refusal refuses every file, and nothing is written.
    """
    files = decision_inputs(names)

    from analyzer.decisions.collect import collect as collected
    from analyzer.decisions.collect import lines_of, owner_answer_notes
    from analyzer.decisions.ledger import Ledger
    from analyzer.decisions.ledger_file import locked_ledger, write_ledger
    from analyzer.reviews.entries import read_files

    lists = (exemptions, owners)
    read = [*files, *report, *lists]
    check_outputs([output] if output else [], read, are_ledgers=True)
    inputs = find_inputs(report, input_options)
    with locked_ledger(output) if output else nullcontext(Ledger()) as ledger:
        decided = {line.subject for line in ledger.lines}
        given = _given_reports(inputs, criteria, *lists, decided) if report else None
        entries = read_files(files, utc_now().date(), given)
        update = collected(ledger, entries)
        # Without a new line too, one may stay at a smaller place.
        if output and update.ledger.lines != ledger.lines:
            write_ledger(output, update.ledger)
    lines = (*lines_of(update), *owner_answer_notes(entries, update.ledger))
    write_lines("\n".join(map(printable, lines)))
    if report:
        say(f"Compared with {short_list(report)}: no difference.")
    say(_last_line(update, output))


def _given_reports(
    inputs: Inputs,
    criteria: CriteriaOptions,
    exemptions: InputFile | None,
    owners: InputFile | None,
    decided: "Collection[User]",
) -> "GivenReports":
    """Return the reports to compare with; older ones are read only for a workbook made from one."""
    from analyzer.analysis.analysis import analyze
    from analyzer.lists.owners import Owners
    from analyzer.report.model import Exemptions
    from analyzer.reviews.comparison import GivenReports
    from analyzer.sources.load import read_exemptions, read_owners
    from analyzer.writers.workbook.review_records import records_anew

    newest = load(inputs, quiet=True)
    return GivenReports(
        analysis=analyze(newest, criteria.criteria()),
        older=cache(partial(load, inputs, quiet=True, with_older=True)),
        records_of=records_anew,
        exemptions=read_exemptions(exemptions) if exemptions else Exemptions(),
        owners=read_owners(owners) if owners else Owners(),
        decided=decided,
    )


def _last_line(update: "LedgerUpdate", output: Path | None) -> str:
    added = count_text(len(update.added), "line")
    if output is None:
        new = f"New: {added}; -o LEDGER.csv adds them." if update.added else "Nothing is new."
        return f"Checked; nothing was written. {new}"
    return f"Added {added} to {output}." if update.added else f"{output}: nothing new."
