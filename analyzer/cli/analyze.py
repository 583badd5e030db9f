"""Run `credreport analyze`: load reports, judge the users, write the outputs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from analyzer.cli import inputs, options, streams
from analyzer.cli.values import InputFile, file_path, rule_ids
from analyzer.errors import OutputFailed
from analyzer.terms import (
    OUTPUT_ENDINGS,
    Format,
    SplitBy,
    Verdict,
    printable,
    short_list,
)

if TYPE_CHECKING:
    from analyzer.analysis.analysis import Analysis
    from analyzer.writers.workbook import Split

_NAME_FORMATS: Final = (Format.NAMES, Format.ARNS)
"""The formats that list users by name or ARN only, without their caveats."""

_STDOUT: Final = Path("-")
_output: Final = partial(options.option, rich_help_panel="Output")

EXAMPLES: Final = (
    "credreport analyze report.json --exemptions exemptions.csv -o review.xlsx",
    "credreport analyze reports/ --standard cis-7.0 --fail-on critical,unused",
)


def _mode(text: str) -> int:
    if not re.fullmatch("0?[0-7]{3}", text, re.ASCII):
        raise ValueError(f'invalid mode "{printable(text)}": use octal such as 640')
    return int(text, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions:
    """Hold the options on what is written, and where."""

    output: list[Path] = options.option(
        [],
        *options.OUTPUT,
        **file_path(*OUTPUT_ENDINGS, folder=True),
        help=f"Write a file: {', '.join(OUTPUT_ENDINGS)}; {options.REPEATED}",
    )
    format_: Format | None = options.option(
        None,
        *options.FORMAT,
        help=f"Write to standard output: {', '.join(Format)}.",
        metavar="FORMAT",
    )
    verdict: list[Verdict] = options.option([Verdict.UNUSED], **options.VERDICTS)
    split_by: SplitBy | None = _output(
        None, metavar="WORD", help="Write a workbook to -o FOLDER for each owner or account."
    )
    details: bool = _output(False, "--details", help="Show the first findings of each rule.")
    full: bool = _output(False, "--full", help="List all users on a terminal.")
    include_check: bool = _output(
        False, "--include-check", help="With names or arns: also users to check."
    )
    findings: Path | None = _output(
        None,
        **file_path(".csv", ".parquet", stdout=True),
        help="Write findings: .csv, .parquet; - for CSV.",
    )
    follow_up: Path | None = _output(
        None, **file_path(".csv"), help="Write which --decisions were carried out."
    )
    mode: int | None = _output(
        None, parser=_mode, metavar="OCTAL", hidden=True, help="Set the permissions of the files."
    )
    raw_csv: bool = options.option(False, "--raw-csv", **options.RAW_CSV)
    quiet: bool = options.option(False, "--quiet", "-q", help=options.QUIET)

    @property
    def paths(self) -> list[Path]:
        """Return the output files that are named, or the folder of a split."""
        named = (*self.output, self.findings, self.follow_up)
        return [path for path in named if path and path != _STDOUT]

    @property
    def form(self) -> Format | None:
        """Return the format of standard output: by default a table, none with files or --quiet."""
        if self.findings == _STDOUT:
            return Format.FINDINGS
        return self.format_ or (None if self.paths or self.quiet else Format.TABLE)


def analyze(
    context: typer.Context,
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCES",
            help="Files, folders, patterns or zip archives of credential reports; - is standard"
            " input.",
        ),
    ],
    *,
    outputs: OutputOptions,
    input_options: options.InputOptions,
    filters: options.FilterOptions,
    judging_options: options.ReviewOptions,
    fail_on: list[str] = typer.Option(
        [],
        **options.words(
            "Exit with 1 if anything not exempt has this verdict, rule, or severity or higher,"
            " or is undetermined, or an account could not be read; also control, overdue",
            lambda: [*options.FAIL_ON_WORDS, *rule_ids()],
        ),
    ),
) -> None:
    """Find unused IAM users: no sign-in on record, and no active access key."""
    _check_options(context, outputs, filters, judging_options, fail_on)
    inputs.refuse_early(sources, judging_options, fail_on)
    analysis_request = inputs.read_analysis_request(judging_options, fail_on)
    reports = inputs.find_inputs(sources, input_options)
    if outputs.paths:
        files_read = [*reports.paths, *judging_options.files]
        inputs.check_outputs(outputs.paths, files_read)
    report = inputs.load(reports, quiet=outputs.quiet)
    step = f"Judging and writing {report.rows:,} rows"
    with streams.progress(step, quiet=outputs.quiet, rows=report.rows):
        (analysis,) = inputs.filtered_analyses([analysis_request.analysis(report)], filters)
        written = _write_files(analysis, outputs) if outputs.paths else []
        if outputs.split_by:
            written += _write_split(analysis, outputs, outputs.split_by, files_read)
    if outputs.form:
        write_result(analysis, outputs.form, outputs)
    for line in _messages(analysis, outputs):
        streams.say(line)
    for line in () if outputs.quiet else written:
        streams.say(line)
    failures = analysis_request.failures(analysis)
    streams.exit_if_failed_or_partial(failures, analysis.report.not_covered)


def _check_options(
    context: typer.Context,
    outputs: OutputOptions,
    filters: options.FilterOptions,
    judging_options: options.JudgingOptions,
    fail_on: list[str],
) -> None:
    """Refuse options that contradict each other or need another one; raises typer.BadParameter."""
    names, check = outputs.format_ in _NAME_FORMATS, outputs.include_check
    ledger = judging_options.decisions
    only_certain = "lists the users that --certain leaves out: use one of the two"
    inputs.require(names or not check, "use it with --format names or arns only", "--include-check")
    inputs.require(not (check and filters.certain), only_certain, "--include-check")
    source = context.get_parameter_source("rules")
    by_rule = source and source.name == "COMMANDLINE"
    findings = f"not with {outputs.format_}, which lists users by verdict: use -f findings"
    inputs.require(not (names and by_rule), findings, "--rules")
    both = "- is standard output, and --format writes to it too: use one of the two"
    inputs.require(outputs.findings != _STDOUT or not outputs.format_, both, "--findings")
    inputs.require(
        ledger or not outputs.follow_up, "name the ledger with --decisions", "--follow-up"
    )
    inputs.check_overdue(judging_options, fail_on)
    folders = [str(path) for path in outputs.output if not path.suffix]
    by, endings = outputs.split_by, f"must end in {', '.join(OUTPUT_ENDINGS)}"
    inputs.require(by or not folders, f"{', '.join(folders)} {endings}", "--output")
    is_one = len(folders) == len(outputs.output) == 1
    inputs.require(not by or is_one, "name one folder with -o FOLDER, and no file", "--split-by")
    owned = judging_options.owners or by is not SplitBy.OWNER
    of_accounts = "for the owners of --accounts, use --split-by account"
    owners = f"owner: name the list of owners with --owners; {of_accounts}"
    inputs.require(owned, owners, "--split-by")


def _write_files(analysis: "Analysis", outputs: OutputOptions) -> list[str]:
    """Write all files except those of a split, and return a message on each."""
    from analyzer.writers import write

    paths = write(
        analysis,
        *([] if outputs.split_by else outputs.output),
        verdicts=outputs.verdict,
        findings=None if outputs.findings == _STDOUT else outputs.findings,
        follow_up=outputs.follow_up,
        raw_csv=outputs.raw_csv,
        mode=outputs.mode,
    )
    whole = ", with all users: a workbook is not filtered" if analysis.filter else ""
    return [f"Wrote {path}{whole if path.suffix.lower() == '.xlsx' else ''}" for path in paths]


def _write_split(
    analysis: "Analysis",
    outputs: OutputOptions,
    by: SplitBy,
    files_read: list[InputFile | str | Path | None],
) -> list[str]:
    """Write the workbooks of a split review and the index; all of them or none.

    Return the messages on them. Raises typer.BadParameter if a workbook of the same name has
    decisions or was read, OutputFailed.
    """
    from analyzer.files import replace_series
    from analyzer.writers.workbook import INDEX, split

    review_split, folder = split(analysis, by), outputs.output[0]
    names = [*(workbook.file for workbook in review_split.users_by_workbook), INDEX]
    inputs.check_outputs([folder / name for name in names], files_read)
    try:
        folder.mkdir(0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise OutputFailed(f"{folder} cannot be written: {error.strerror}.") from error
    replace_series(folder, review_split.files(), lambda _: False, outputs.mode)
    return [
        *_split_messages(review_split, folder),
        f"Wrote {folder / INDEX}: workbooks, owners and addresses",
    ]


def _split_messages(review_split: "Split", folder: Path) -> Iterator[str]:
    for workbook in review_split.users_by_workbook:
        left = f" (left {workbook.left})" if workbook.left else ""
        left += f", replaced by {workbook.replaced_by}" if workbook.replaced_by else ""
        path = folder / workbook.file
        yield f"Wrote {path}: {workbook.label}{left}, {workbook.lines:,} to decide"
    nothing_left = review_split.nothing_left
    older = {file: whose for file, whose in nothing_left.items() if (folder / file).exists()}
    for file, whose in older.items():
        yield f"{folder / file} is of an earlier time: {whose} has nothing left to decide."
    if nothing := [whose for file, whose in nothing_left.items() if file not in older]:
        yield f"Nothing to decide: {short_list(nothing)}."
    known = {workbook.file for workbook in review_split.users_by_workbook} | nothing_left.keys()
    if others := sorted({path.name for path in folder.glob("[!.~]*.xlsx")} - known):
        yield f"In {folder}, not of this split: {short_list(others)}. Remove old lists."


def write_result(analysis: "Analysis", form: Format, outputs: OutputOptions) -> None:
    """Write to standard output in the format that was selected."""
    if form is Format.TABLE:
        from analyzer.writers.terminal import write_piped_table, write_terminal

        with streams.text_stream() as text:
            if streams.is_terminal():
                details, full, look = outputs.details, outputs.full, streams.terminal_look()
                write_terminal(analysis, text, outputs.verdict, details=details, full=full, **look)
            else:
                write_piped_table(analysis, text, outputs.verdict)
        return
    from analyzer.writers import write_format

    raw, check = outputs.raw_csv, outputs.include_check
    with streams.binary_stream() as stream:
        write_format(form, analysis, stream, verdicts=outputs.verdict, raw=raw, check=check)


def _messages(analysis: "Analysis", outputs: OutputOptions) -> Iterator[str]:
    """Yield the messages on the result; a table on a terminal shows them itself.

    A missing account is an error, not a note: the result lacks it.
    """
    is_table = outputs.form is Format.TABLE
    if outputs.quiet:
        yield from map(str, analysis.report.not_covered)
    elif not (is_table and streams.is_terminal()):
        from analyzer.writers.headline import blind_spots_line, summary_lines
        from analyzer.writers.user_lists import left_out_line

        yield from summary_lines(analysis, outputs.verdict, rules=is_table, details=outputs.details)
        if outputs.form in _NAME_FORMATS:
            left_out = left_out_line(analysis, outputs.verdict, check=outputs.include_check)
            yield from [f"{left_out}."] if left_out else []
        yield blind_spots_line(analysis.report.files)
