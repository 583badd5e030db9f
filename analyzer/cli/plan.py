"""Wire `credreport plan`: write the script that deactivates or deletes the decided users."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analyzer.cli.choices import Command, one_of
from analyzer.cli.judging_options import InputFile, read_input_file
from analyzer.cli.options import Config
from analyzer.cli.stderr import say
from analyzer.cli.stdout import flushed_stdout
from analyzer.review_columns import REMOVALS, Decision

if TYPE_CHECKING:
    from analyzer.decisions.removal_script import Removal


app = typer.Typer(add_completion=False)


@app.command(cls=Command, no_args_is_help=True)
def plan(
    workbooks: Annotated[
        list[InputFile],
        typer.Argument(
            metavar="WORKBOOKS",
            parser=read_input_file,
            help="Workbooks of credreport in which a reviewer filled in the column Decision.",
        ),
    ] = [],
    *,
    report: Annotated[
        list[str],
        typer.Option(
            metavar="SOURCE",
            help="The reports that the decisions were made from; may be repeated. The state of each"
            " user then comes from them, not from the row of the decision. Needed with --certain.",
        ),
    ] = [],
    certain: Annotated[
        bool,
        typer.Option(
            "--certain", help="Take all users who are unused, certain and not exempt in --report."
        ),
    ] = False,
    decision: Annotated[
        str,
        typer.Option(
            callback=lambda word: one_of(word, REMOVALS),
            metavar="WORD",
            help=f"With --certain, what to do: {' or '.join(REMOVALS)}.",
        ),
    ] = Decision.DEACTIVATE.value,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Write the script to a file instead of standard output.",
        ),
    ] = None,
    exemptions: Annotated[
        InputFile | None,
        typer.Option(
            parser=read_input_file,
            metavar="FILE",
            help="With --certain, leave out the users of this exemption list.",
        ),
    ] = None,
    config: Config = None,
) -> None:
    """Write a shell script that deactivates or deletes the users that a review decided on.

    The program changes nothing in AWS. Read the script; run it to see what it would do; run it
    with APPLY=<account number> to do it. It checks each user in AWS first.
    """
    del config
    if certain is bool(workbooks):
        raise typer.BadParameter("name filled-in workbooks, or --report SOURCE with --certain")
    if certain and not report:
        raise typer.BadParameter("--certain needs --report")
    removals = (
        _removals_of_certain(report, exemptions, decision)
        if certain
        else _removals_of_decisions(workbooks, report)
    )
    if not removals:
        say("No user is to be deactivated or deleted: the script changes nothing.")
    _write(removals, [*(str(each.path) for each in workbooks), *report], output)


def _removals_of_certain(
    sources: list[str], listed: InputFile | None, decision: str
) -> "list[Removal]":
    from analyzer.analysis import analyze
    from analyzer.exemptions import read_exemptions
    from analyzer.plan import certain_removals
    from analyzer.sources.load import load
    from analyzer.terms import Criteria

    exempt = read_exemptions(str(listed.path), listed.content) if listed else ()
    analysis = analyze(load(*sources), Criteria(), exempt)
    return certain_removals(analysis.pages(), Decision(decision))


def _removals_of_decisions(workbooks: list[InputFile], sources: list[str]) -> "list[Removal]":
    from analyzer.plan import (
        decided_removals,
        states_in_reports,
        states_in_workbooks,
        unsigned_decision_notes,
    )
    from analyzer.review import combined_review
    from analyzer.sources.load import load
    from analyzer.sources.review import read_review

    books = [read_review(str(each.path), each.content) for each in workbooks]
    decisions = combined_review(books).decisions
    state_of = (
        states_in_reports(decisions, load(*sources).pages())
        if sources
        else states_in_workbooks(books)
    )
    removals = decided_removals(decisions, state_of)
    for note in unsigned_decision_notes(decisions):
        say(f"Note: {note}")
    return removals


def _write(removals: "list[Removal]", inputs: list[str], output: Path | None) -> None:
    from hashlib import sha256

    from analyzer.decisions.removal_script import empty_script, removal_script
    from analyzer.files import replacing
    from analyzer.model import FileReference

    files = [(each, Path(each).read_bytes()) for each in inputs if Path(each).is_file()]
    ledgers = [FileReference(name=name, sha256=sha256(data).hexdigest()) for name, data in files]
    script = (
        removal_script(removals, ledgers=ledgers) if removals else empty_script(ledgers=ledgers)
    )
    if output is None:
        with flushed_stdout():
            typer.echo(script, nl=False)
        return
    with replacing(output) as stream:
        stream.write(script.encode())
    next_step = f" Read it, then run it: sh {output}" if removals else ""
    say(f"Wrote {output}: {len(removals)} users.{next_step}")
