"""Run `credreport analyze`: load reports, judge the users, write the outputs."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from analyzer.cli import inputs, options, streams
from analyzer.cli.values import InputFile, file_path, rule_ids
from analyzer.terms import (
    BLIND_SPOTS_PAGE,
    OUTPUT_ENDINGS,
    OVERDUE,
    Format,
    SplitBy,
    Verdict,
    count_text,
    short_list,
)

if TYPE_CHECKING:
    from analyzer.analysis.analysis import Analysis
    from analyzer.writers.workbook import Split

_NAME_FORMATS: Final = (Format.NAMES, Format.ARNS)
"""The formats that list users by name or ARN only, without their caveats."""

_OF_FINDINGS: Final = ("findings.csv", "findings.parquet")

_SPLIT: Final = "--split-by"
_WITHOUT_FINDINGS: Final = (*_NAME_FORMATS, Format.CSV, ".csv", ".parquet", _SPLIT)
_WITHOUT_USERS: Final = (Format.FINDINGS, *_OF_FINDINGS, ".ocsf.json")
_WITHOUT_OWNERS: Final = (*_NAME_FORMATS, Format.LINE)
_WITHOUT_CAVEATS: Final = (Format.LINE,)
_WITH_REMOVALS: Final = (Format.JSON, ".json", ".xlsx")
"""The formats and endings that show no findings, list no users, …, and those with the removals."""

EXAMPLES: Final = (
    "credreport analyze report.json --exemptions exemptions.csv -o review.xlsx",
    "credreport analyze reports/ --standard cis-7.0 --fail-on critical,unused",
)


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
    verdict: list[Verdict] = options.option([], **options.VERDICTS)
    split_by: SplitBy | None = options.option(
        None, metavar="WORD", help="Write a workbook per owner or account."
    )
    quiet: bool = options.option(False, "--quiet", "-q", help=options.QUIET)

    @property
    def form(self) -> Format | None:
        """Return the format of standard output: by default a table, none with files or --quiet."""
        return self.format_ or (None if self.output or self.quiet else Format.TABLE)

    @property
    def listed(self) -> list[Verdict]:
        """Return the verdicts of the users to list; by default unused."""
        return self.verdict or [Verdict.UNUSED]

    @property
    def shown(self) -> dict[str, str]:
        """Return the format or ending of each output, by its name; of a split review `_SPLIT`."""
        kinds = {str(path): _kind(path) for path in self.output}
        # In a pipe, a table lists users only, and -q suppresses the lines beside it.
        is_bare = self.form is Format.TABLE and self.quiet and not streams.is_terminal()
        if self.form:
            kinds[f"--format {self.form}"] = Format.CSV if is_bare else self.form
        return kinds


def _kind(path: Path) -> str:
    endings = [ending for ending in OUTPUT_ENDINGS if path.name.lower().endswith(ending)]
    return max(endings, key=len, default=_SPLIT)


def analyze(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCES",
            help="Files, folders or zip archives; - for stdin.",
        ),
    ],
    *,
    outputs: OutputOptions,
    input_options: options.InputOptions,
    filters: options.FilterOptions,
    judging_options: options.ReviewOptions,
    max_report_age: int | None = typer.Option(None, **options.MAX_REPORT_AGE),
    fail_on: list[str] = typer.Option(
        [],
        **options.words(
            "Exit with 1 for this verdict, rule, severity or higher, control, overdue, and for what"
            " is unknown",
            lambda: [*options.FAIL_ON_WORDS, *rule_ids()],
        ),
    ),
) -> None:
    """Find unused IAM users: no sign-in on record, and no active access key."""
    _check_options(outputs, judging_options, fail_on)
    inputs.refuse_early(sources, judging_options, fail_on)
    _check_effects(outputs, judging_options, fail_on)
    analysis_request = inputs.read_analysis_request(judging_options, fail_on)
    found = inputs.find(sources, input_options)
    files_read = [*found.paths, *judging_options.files]
    if outputs.output:
        inputs.check_outputs(outputs.output, files_read)
    report = inputs.read(found, quiet=outputs.quiet)
    age = inputs.max_age(max_report_age)
    if max_report_age:
        age.check(report)
    for later in age.later_reports(report):
        streams.say(f"Note: {later.file}: {later.message}.")
    step = f"Judging and writing {report.rows:,} rows"
    with streams.progress(step, quiet=outputs.quiet, rows=report.rows):
        judged = analysis_request.analysis(report)
        (analysis,) = inputs.filtered([judged], filters)
        written = _write_files(analysis, outputs, files_read)
    if outputs.form:
        write_result(analysis, outputs.form, outputs)
    for line in _messages(analysis, outputs):
        streams.say(line)
    for line in () if outputs.quiet else written:
        streams.say(line)
    failures = analysis_request.failures(analysis)
    streams.exit_if_failed_or_partial(failures, analysis.report.not_covered)


def _check_options(
    outputs: OutputOptions, judging_options: options.JudgingOptions, fail_on: list[str]
) -> None:
    """Refuse options that contradict each other or need another one; raises typer.BadParameter."""
    inputs.check_overdue(judging_options, fail_on)
    folders = [str(path) for path in outputs.output if not path.suffix]
    by = outputs.split_by
    message = f"{', '.join(folders)} must end in {', '.join(OUTPUT_ENDINGS)}"
    inputs.require(by or not folders, message, "--output")
    is_one = len(folders) == len(outputs.output) == 1
    inputs.require(not by or is_one, "name one folder with -o FOLDER, and no file", "--split-by")
    has_owners = judging_options.owners or by is not SplitBy.OWNER
    message = (
        "owner: name the list of owners with --owners; for the owners of --accounts, use --split-by"
        " account"
    )
    inputs.require(has_owners, message, "--split-by")


def _check_effects(
    outputs: OutputOptions, judging_options: options.JudgingOptions, fail_on: list[str]
) -> None:
    """Refuse options that would change no output and no exit code; raises typer.BadParameter.

    A list to act on would be taken for the users whom the chosen rules name, whatever else is
    written.
    """
    shown, lists_names = outputs.shown, outputs.form in _NAME_FORMATS
    judges_rules = any(word not in (*Verdict, OVERDUE) for word in fail_on)
    of_rules = inputs.given(judging_options, *inputs.RULE_OPTIONS)
    if lists_names or not judges_rules:
        to_act_on = {name: kind for name, kind in shown.items() if kind in _NAME_FORMATS}
        some = to_act_on or shown
        inputs.require_effect(of_rules, some, _WITHOUT_FINDINGS, "no findings", "-f findings")
    if outputs.verdict:
        inputs.require_effect(["--verdict"], shown, _WITHOUT_USERS, "no users by verdict", "-f csv")
    if outputs.verdict == [Verdict.ACTIVE]:
        decided = (".xlsx", _SPLIT)
        inputs.require_effect(
            ["--verdict"], shown, decided, "no active users to decide on", "-f csv"
        )
    grace = inputs.given(judging_options, "grace_days")
    inputs.require_effect(grace, shown, _WITHOUT_CAVEATS, "no caveats", "-f csv")
    owners = inputs.given(judging_options, "owners")
    inputs.require_effect(owners, shown, _WITHOUT_OWNERS, "no owners", "-f csv")
    without_removals = [kind for kind in shown.values() if kind not in _WITH_REMOVALS]
    log = [] if OVERDUE in fail_on else inputs.given(judging_options, "log")
    inputs.require_effect(log, shown, without_removals, "no removals", "-f json")


def _write_files(
    analysis: "Analysis", outputs: OutputOptions, files_read: list[InputFile | str | Path | None]
) -> Iterable[str]:
    """Write the files, and return a message on each; no users are counted before it is read."""
    if outputs.split_by:
        folder, by = outputs.output[0], outputs.split_by
        return _write_split(analysis, folder, by, outputs.verdict, files_read)
    if not outputs.output:
        return ()
    from analyzer.writers import write

    paths = write(analysis, *outputs.output, verdicts=outputs.verdict)
    return (line for path in paths for line in file_messages(analysis, path, outputs.verdict))


def file_messages(analysis: "Analysis", path: Path, verdicts: Collection[Verdict]) -> Iterator[str]:
    """Yield what was written to a file, and what a workbook of very many users leaves out.

    `verdicts` are those of `writers.write`.
    """
    size = _size_text(analysis, path, verdicts)
    if path.suffix.lower() != ".xlsx":
        yield f"Wrote {path} ({size})"
        return
    from analyzer.writers.workbook.lookup_lists import left_out_notes
    from analyzer.writers.workbook.review_lists import narrowing

    is_part = analysis.filter or narrowing(verdicts)
    part = ", with all users, of whom those asked for are listed to decide on" if is_part else ""
    yield f"Wrote {path}{part} ({size})"
    yield from left_out_notes(analysis.whole)


def _size_text(analysis: "Analysis", path: Path, verdicts: Collection[Verdict]) -> str:
    """Return the rows of users in a file, if it is a table of users, and its size."""
    name, size = path.name.lower(), f"{max(path.stat().st_size / 1e6, 0.1):,.1f} MB"
    if name.endswith(".xlsx"):
        rows = analysis.whole.totals.user_count()
    elif name.endswith((".csv", ".parquet")) and not name.endswith(_OF_FINDINGS):
        rows = sum(map(analysis.totals.user_count, verdicts or [Verdict.UNUSED]))
    else:
        return size
    return f"{count_text(rows, 'row')}, {size}"


def _write_split(
    analysis: "Analysis",
    folder: Path,
    by: SplitBy,
    verdicts: Collection[Verdict],
    files_read: list[InputFile | str | Path | None],
) -> list[str]:
    """Write the workbooks of a split review and the index; all of them or none.

    Return the messages on them. Raises typer.BadParameter if a workbook of the same name has
    decisions or was read, OutputFailed.
    """
    from analyzer.files import replace_files
    from analyzer.writers.workbook import INDEX, split

    review_split = split(analysis, by, verdicts)
    names = [*(workbook.file for workbook in review_split.users_by_workbook), INDEX]
    inputs.check_outputs([folder / name for name in names], files_read)
    replace_files({folder / name: content for name, content in review_split.files()})
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
                write_terminal(analysis, text, outputs.listed, **streams.terminal_look())
            else:
                write_piped_table(analysis, text, outputs.listed)
        return
    from analyzer.writers import write_format

    with streams.binary_stream() as stream:
        write_format(form, analysis, stream, verdicts=outputs.verdict)


def _messages(analysis: "Analysis", outputs: OutputOptions) -> Iterator[str]:
    """Yield the messages on the result; a table on a terminal shows them itself.

    A missing account is an error, not a note: the result lacks it. So is a user that a list of
    names leaves out: a script would take the list for all users.
    """
    is_table = outputs.form is Format.TABLE
    if outputs.quiet:
        yield from map(str, analysis.report.not_covered)
    elif not (is_table and streams.is_terminal()):
        from analyzer.writers.headline import summary_lines

        yield from summary_lines(analysis, outputs.listed, rules=is_table)
        yield BLIND_SPOTS_PAGE
    if outputs.form in _NAME_FORMATS:
        from analyzer.writers.user_lists import omitted_users_sentence

        yield from omitted_users_sentence(analysis, outputs.listed)
