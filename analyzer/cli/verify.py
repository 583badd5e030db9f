"""Run `credreport verify`: make outputs anew from the reports, and compare them."""

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.exceptions import TyperException

from analyzer.cli.inputs import find_inputs, named_file, read_analysis_request
from analyzer.cli.log import TextOrJson
from analyzer.cli.options import ACCOUNTS, FILE, FORMAT, REPEATED, InputOptions, JudgingOptions
from analyzer.cli.streams import text_stream, utc_now, write_lines
from analyzer.cli.values import InputFile, change_words, text_form
from analyzer.errors import FAILED, InputRefused
from analyzer.limits import Definition
from analyzer.terms import Benchmark, Severity, printable

if TYPE_CHECKING:
    from analyzer.analysis.analysis import AnalysisRequest
    from analyzer.report.input_formats import Limits
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
        [], metavar="SOURCE", help=f"Report that the workbooks were made from; {REPEATED}"
    ),
    exemptions: InputFile | None = typer.Option(
        None, **FILE, help="Exemptions that a workbook was made with."
    ),
    owners: InputFile | None = typer.Option(
        None, **FILE, help="Owners that a workbook was made with."
    ),
    accounts: InputFile | None = typer.Option(None, **ACCOUNTS),
    decisions: InputFile | None = typer.Option(
        None, **FILE, help="Ledger that a workbook was made with, as it was then."
    ),
    log: list[InputFile] = typer.Option([], **FILE, help=f"Log of the removal script; {REPEATED}"),
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

    Values are compared: a list may be sorted, filtered and saved again, and what people entered is
    left out. Exit code 1 if anything differs, 3 if a report or list is missing.
    """
    from analyzer.verify import GivenInputs, Verification, verify_ledger, verify_workbook

    given = GivenInputs(
        names=report,
        sources=find_inputs(report, input_options).sources if report else [],
        lists=[file for file in (exemptions, owners, accounts, decisions, *log) if file],
        today=utc_now().date(),
    )
    folders = [name for name in outputs if Path(name).is_dir()]
    files = [named_file(name) for name in outputs if name not in folders]
    ledgers = [file for file in files if file.name.lower().endswith(".csv")]
    workbooks = [file for file in files if file not in ledgers]
    result = Verification()
    for folder in folders:
        _verify_run(Path(folder), input_options.limits, manifest, result)
    if report or not ledgers:
        for name, content in workbooks:
            verify_workbook(name, content, given, result)
    for name, content in ledgers:
        verify_ledger(name, content, workbooks, given, result)
    write = _write_json if format_ is TextOrJson.JSON else _write_text
    write(result)
    if result.differences:
        raise typer.Exit(FAILED)


def _verify_run(
    folder: Path, limits: "Limits", manifest: str | None, result: "Verification"
) -> None:
    from analyzer.runs.run_folders import RECORD_FILE, Run, read_record
    from analyzer.verify import check_version, verify_run

    path = folder.resolve()
    record = read_record(path)
    if record is None:
        message = f"no run of export: {RECORD_FILE} is missing, or a file that it lists"
        raise InputRefused.of_file(str(folder), message, "Name the folder of one run.")
    check_version(str(folder), record.version)
    if record.made_from is None:
        hint = "Make the run again from its reports, and verify that one."
        raise InputRefused.of_file(str(folder), "an earlier program wrote it", hint)
    run, source = Run(path, record), record.made_from
    verify_run(run, source, _request(run, source), limits, manifest, result)


def _request(run: "Run", source: "MadeFrom") -> "AnalysisRequest":
    """Return what a run was judged by: its parameters, and the lists that it keeps.

    Raises InputRefused if its manifest holds parameters that no run has.
    """
    try:
        return _judged_by(run, source)
    except (KeyError, TypeError, ValueError, TyperException) as error:
        message = f"its manifest holds parameters that no run has: {printable(str(error))}"
        raise InputRefused.of_file(run.name, message, "Name a run as it was written.") from None


def _judged_by(run: "Run", source: "MadeFrom") -> "AnalysisRequest":
    from analyzer.decisions.ledger import Ledger
    from analyzer.report.model import FileReference
    from analyzer.runs import inputs

    parameters, names = run.record.parameters, source.lists
    kept = {
        option: InputFile(names[file], (run.path / file).read_bytes())
        for option, file in (
            ("exemptions", inputs.EXEMPTIONS),
            ("owners", inputs.OWNERS),
            ("decisions", inputs.DECISIONS),
            ("accounts", inputs.ACCOUNTS),
        )
        if (run.path / file).is_file()
    }
    values = {
        field.name: parameters[field.name]
        for field in fields(JudgingOptions)
        if field.name in parameters
    }
    values |= {name: kept.get(name) for name in ("exemptions", "owners", "decisions", "accounts")}
    logs = sorted(run.path.glob(inputs.REMOVAL_LOG.format("*")))
    values["log"] = [InputFile(names[log.name], log.read_bytes()) for log in logs]
    values |= _words(values) | {"settings": source.settings}
    options = JudgingOptions(**values)
    request = read_analysis_request(options, parameters["fail_on"], change_words())
    # The run keeps a copy in the program's own form, and none of a ledger without lines.
    if used := run.record.ledger:
        file = FileReference(name=used.name, sha256=used.sha256)
        request = replace(request, ledger=replace(request.ledger or Ledger(), file=file))
    return request


def _words(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the words among values as what they name."""
    kinds = {"definition": Definition, "min_severity": Severity, "standard": Benchmark}
    return {name: kind(values[name]) for name, kind in kinds.items() if values[name]}


def _write_text(result: "Verification") -> None:
    from analyzer.verify import NOT_PROVEN

    lines = [result.headline]
    lines += [f"{one.place}: {one.message}" for one in result.differences[:_MOST_SHOWN]]
    if (more := len(result.differences) - _MOST_SHOWN) > 0:
        lines.append(f"… and {more:,} more: --format json lists all.")
    lines += [f"Note: {one.place}: {one.message}" for one in result.notes]
    write_lines("\n".join(map(printable, [*lines, NOT_PROVEN])))


def _write_json(result: "Verification") -> None:
    from analyzer.files import json_bytes, provenance
    from analyzer.verify import NOT_PROVEN

    document = {**provenance(), **asdict(result), "not_proven": NOT_PROVEN}
    for name in ("differences", "notes"):
        document[name] = [
            {"place": one.place, "message": one.message} for one in getattr(result, name)
        ]
    with text_stream() as stream:
        stream.write(json_bytes(document).decode())
