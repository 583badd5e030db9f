"""Run `credreport collect`: check the decisions of reviewers, and add them to a ledger."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from analyzer.cli.inputs import check_outputs, decision_inputs, given_reports
from analyzer.cli.options import FILE, OUTPUT, REPEATED, DecisionFiles, InputOptions
from analyzer.cli.streams import say, utc_now, write_lines
from analyzer.cli.values import InputFile, file_path
from analyzer.terms import count_text, printable

if TYPE_CHECKING:
    from analyzer.decisions.collect import LedgerUpdate

EXAMPLES: Final = (
    "credreport collect review.xlsx --report report.json",
    "credreport collect review.xlsx --report reports/ -o decisions.csv",
)


def collect(
    names: DecisionFiles,
    *,
    report: list[str] = typer.Option(
        [],
        metavar="SOURCE",
        help=f"Report that the workbooks and lists were made from, or a run; {REPEATED}",
    ),
    lists: list[InputFile] = typer.Option(
        [],
        "--list",
        **FILE,
        help=f"Exemptions or owners that a workbook was made with, as they were then; {REPEATED}",
    ),
    owners: InputFile | None = typer.Option(
        None, **FILE, help="List of owners: name people who had left when they decided."
    ),
    output: Path | None = typer.Option(
        None,
        *OUTPUT,
        **file_path(".csv") | {"metavar": "LEDGER.csv"},
        help="Add what is new to this ledger; without it, only check.",
    ),
    input_options: InputOptions,
) -> None:
    """Check the decisions in filled-in workbooks, and add what is new to a ledger.

    Each list is made anew from its reports and compared. All or nothing: one refusal refuses every
    file, and nothing is written.
    """
    files = decision_inputs(names)

    from analyzer.decisions.collect import collect as collected
    from analyzer.decisions.collect import lines_of
    from analyzer.decisions.ledger import Ledger
    from analyzer.decisions.ledger_file import locked_ledger, write_ledger
    from analyzer.lists.owners import Owners
    from analyzer.reviews.entries import read_files
    from analyzer.sources.load import read_owners

    known = read_owners(owners) if owners else Owners()
    read = [*files, *report, *lists, owners]
    check_outputs([output] if output else [], read, are_ledgers=True)
    with locked_ledger(output) if output else nullcontext(Ledger()) as ledger:
        decided = {line.subject for line in ledger.lines}
        every = [*lists, owners] if owners else lists
        now = utc_now()
        given = given_reports(report, every, input_options, decided, now)
        today = now.date()
        update = collected(ledger, read_files(files, today, given), today, known)
        # Without a new line too, one may stay at a smaller place.
        if output and update.ledger.lines != ledger.lines:
            write_ledger(output, update.ledger)
    write_lines("\n".join(map(printable, lines_of(update))))
    say(_last_line(update, output))


def _last_line(update: "LedgerUpdate", output: Path | None) -> str:
    added = count_text(len(update.added), "line")
    if output is None:
        new = f"New: {added}; -o LEDGER.csv adds them." if update.added else "Nothing is new."
        return f"Checked; nothing was written. {new}"
    return f"Added {added} to {output}." if update.added else f"{output}: nothing new."
