"""Run `credreport verify`: make outputs anew from the reports, and compare them."""

from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from typer.exceptions import TyperException

from analyzer.cli.inputs import given_reports, named_file, read_analysis_request
from analyzer.cli.log import TextOrJson
from analyzer.cli.options import FILE, FORMAT, REPEATED, InputOptions, JudgingOptions
from analyzer.cli.streams import text_stream, write_lines
from analyzer.cli.values import InputFile, change_words, text_form
from analyzer.errors import FAILED, InputRefused
from analyzer.limits import Definition
from analyzer.terms import Benchmark, printable

if TYPE_CHECKING:
    from analyzer.analysis.analysis import AnalysisRequest
    from analyzer.runs.run_folders import MadeFrom, Run
    from analyzer.verify import Verification

_MOST_SHOWN: Final = 50
"""The most differences in the text."""

EXAMPLES: Final = (
    "credreport verify runs/latest",
    "credreport verify review.xlsx decisions.csv --report reports/",
)


def verify(
    outputs: Annotated[
        list[str],
        typer.Argument(
            metavar="OUTPUTS",
            help="Runs of export, workbooks of a review, and ledgers (.csv) with these workbooks.",
        ),
    ],
    *,
    report: list[str] = typer.Option(
        [],
        metavar="SOURCE",
        help=f"Report that the workbooks and ledgers were made from, or a run; {REPEATED}",
    ),
    lists: list[InputFile] = typer.Option(
        [],
        "--list",
        **FILE,
        help=f"Exemptions or owners that a workbook was made with, as they were then; {REPEATED}",
    ),
    manifest: str | None = typer.Option(
        None,
        **text_form("[0-9a-f]{64}", "a SHA-256 has 64 digits", "SHA256"),
        help="SHA-256 of the run's manifest.json, as export printed it.",
    ),
    format_: TextOrJson = typer.Option(
        TextOrJson.TEXT, *FORMAT, metavar="FORMAT", help="Write text or json."
    ),
    input_options: InputOptions,
) -> None:
    """Make the outputs of a run, a workbook or a ledger anew, and compare them.

    Workbooks are compared as collect does, a ledger (.csv) with workbooks, lists and reports: a
    list may be sorted, filtered and saved again. Exit code 1 if anything differs, 3 if a report or
    list is missing.
    """
    from analyzer.decisions.ledger import Ledger, read_entries
    from analyzer.verify import Verification, verify_workbook
    from analyzer.verify_ledger import verify_ledger, verify_list

    folders = [name for name in outputs if Path(name).is_dir()]
    files = [named_file(name) for name in outputs if name not in folders]
    tables = [read_entries(*file) for file in files if file.name.lower().endswith(".csv")]
    # Without a ledger, a list is compared as one is: its rows with their reports.
    has_ledger = any(each.is_ledger for each in tables)
    entered = [each for each in tables if has_ledger and not each.is_ledger]
    ledgers = [
        Ledger(file=each.file).with_lines(each.lines) for each in tables if each not in entered
    ]
    decided = {line.subject for ledger in ledgers for line in ledger.lines}
    given = given_reports(report, lists, input_options, decided)
    result = Verification()
    for folder in folders:
        _verify_run(folder, input_options.most_bytes, manifest, result)
    workbooks = {
        name: verify_workbook(name, content, given, result)
        for name, content in files
        if not name.lower().endswith(".csv")
    }
    for table in entered:
        verify_list(table, given, result)
    for ledger in ledgers:
        verify_ledger(ledger, workbooks, entered, given, result)
    write = _write_json if format_ is TextOrJson.JSON else _write_text
    write(result)
    if result.differences:
        raise typer.Exit(FAILED)


def _verify_run(folder: str, max_input: int, manifest: str | None, result: "Verification") -> None:
    """Verify a run, and its manifest if its SHA-256 is known; raises InputRefused."""
    from analyzer.files import sha256
    from analyzer.runs.run_folders import RECORD_FILE, Run, other_form, record_of_files
    from analyzer.verify import check_version, verify_inputs, verify_run

    path = Path(folder).resolve()
    record = record_of_files(path)
    if difference := other_form(path):
        hint = "Verify it with the version that wrote it."
        raise InputRefused.of_file(folder, difference, hint)
    if record:
        check_version(folder, record.version)
    if record is None or record.made_from is None:
        message = f"no run of export: {RECORD_FILE} is missing or not whole"
        raise InputRefused.of_file(folder, message, "Name the folder of one run.")
    run = Run(path, record)
    if not verify_inputs(run, result):
        return
    try:
        request = _request_of_run(run, record.made_from)
    except (KeyError, TypeError, ValueError, TyperException) as error:
        message = f"its manifest holds parameters that no run has: {printable(str(error))}"
        raise InputRefused.of_file(folder, message, "Name a run as it was written.") from None
    if manifest and (digest := sha256(path / RECORD_FILE)) != manifest:
        result.add(f"{path.name}/{RECORD_FILE}", f"its SHA-256 is {digest}, and not {manifest}")
    verify_run(run, record.made_from, request, max_input, result)


def _request_of_run(run: "Run", source: "MadeFrom") -> "AnalysisRequest":
    """Return what a run was judged by: its parameters, and the lists that it keeps."""
    from analyzer.decisions.ledger import Ledger
    from analyzer.report.model import FileReference
    from analyzer.runs import inputs

    kept = {
        file: InputFile(name, (run.path / file).read_bytes())
        for file, name in source.lists.items()
        if file in run.files
    }
    parameters = run.record.parameters
    names = (field.name for field in fields(JudgingOptions))
    values = {name: parameters[name] for name in names if name in parameters} | {
        "exemptions": kept.get(inputs.EXEMPTIONS),
        "owners": kept.get(inputs.OWNERS),
        "decisions": kept.get(inputs.DECISIONS),
        "accounts": kept.get(inputs.ACCOUNTS),
    }
    kinds = {"definition": Definition, "standard": Benchmark}
    values |= {name: kind(values[name]) for name, kind in kinds.items() if values[name]}
    request = read_analysis_request(JudgingOptions(**values), parameters["fail_on"], change_words())
    if digest := parameters["decisions"]:
        # The run keeps a copy in the program's own form, and none of a ledger without lines.
        file = FileReference(name=source.lists[inputs.DECISIONS], sha256=digest)
        request = replace(request, ledger=replace(request.ledger or Ledger(), file=file))
    return request


def _write_text(result: "Verification") -> None:
    from analyzer.verify import NOT_PROVEN

    lines = [result.headline]
    lines += [f"{one.place}: {one.message}" for one in result.differences[:_MOST_SHOWN]]
    if (more := len(result.differences) - _MOST_SHOWN) > 0:
        lines.append(f"… and {more:,} more: --format json lists all.")
    lines += [f"Note: {note}" for note in result.notes]
    write_lines("\n".join(map(printable, [*lines, NOT_PROVEN])))


def _write_json(result: "Verification") -> None:
    from analyzer.files import json_bytes, provenance
    from analyzer.verify import NOT_PROVEN

    document = {**provenance(), **asdict(result), "not_proven": NOT_PROVEN}
    document["differences"] = [one._asdict() for one in result.differences]
    with text_stream() as stream:
        stream.write(json_bytes(document).decode())
