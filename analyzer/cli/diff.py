"""Run `credreport diff`: load and judge two reports, write what changed."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Final, NamedTuple, TextIO

import typer

from analyzer.cli import inputs, options
from analyzer.cli.streams import exit_if_failed_or_partial, say
from analyzer.cli.table_outputs import TableOutputs, format_option
from analyzer.cli.values import InputFile, change_words, file_path, refuse_unknown, rule_ids
from analyzer.terms import BLIND_SPOTS_PAGE, CONTROL, OVERDUE, Format, Severity, Verdict, short_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from analyzer.analysis.analysis import AnalysisRequest
    from analyzer.changes.diff import Comparison

EXAMPLES: Final = (
    "credreport diff 2026-02-01/ 2026-03-01/",
    "credreport diff runs/2026-02-01T09-30-00Z runs/latest -q --fail-on unused",
)


_NAMES: Final = (Format.NAMES, Format.ARNS)
_WITHOUT_OWNERS: Final = (*_NAMES, Format.LINE)
_WITHOUT_CAVEATS: Final = (Format.TABLE, Format.LINE, Format.CSV, Format.JSON)
"""The formats that show no owners, and those that leave nobody out for a caveat."""


class DiffFormat(StrEnum):
    """Choose what standard output gets."""

    TABLE = Format.TABLE.value
    LINE = Format.LINE.value
    NAMES = Format.NAMES.value
    ARNS = Format.ARNS.value
    CSV = Format.CSV.value
    JSON = Format.JSON.value


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions(TableOutputs):
    """Hold the options on what is written, and where."""

    output: list[Path] = options.option(
        [],
        *options.OUTPUT,
        **file_path(".csv", ".json"),
        help=f"Write the changes to a .csv or .json file; {options.REPEATED}",
    )
    format_: DiffFormat | None = format_option(DiffFormat)


def diff(
    old: Annotated[
        str,
        typer.Argument(
            metavar="OLD",
            help="The earlier report: a file, a folder, a zip archive or the folder of"
            " a run of export; - reads standard input.",
        ),
    ],
    new: Annotated[
        str, typer.Argument(metavar="NEW", help="The later report, in one of the same forms.")
    ],
    *,
    outputs: OutputOptions,
    old_as_of: datetime | None = typer.Option(
        None, **options.TIME, help="Set the time that OLD describes."
    ),
    new_as_of: datetime | None = typer.Option(
        None, **options.TIME, help="Set the time that NEW describes."
    ),
    verdict: list[Verdict] = typer.Option([], **options.VERDICTS),
    change: list[str] = typer.Option(
        [],
        **options.words(
            "List only this kind of change, such as became-unused, gone or finding-new, or all"
            " newly unused users (unused)",
            lambda: change_words() + [Verdict.UNUSED],
        ),
    ),
    patterns: options.PatternOptions,
    judging_options: options.JudgingOptions,
    fail_on: list[str] = typer.Option(
        [],
        **options.words(
            "Exit with 1 if this is new: a verdict, a rule, a severity or higher, or a kind of"
            " change, a newly undetermined user, or an account not compared",
            lambda: list(Verdict) + list(Severity) + change_words() + rule_ids(),
        ),
    ),
) -> None:
    """Show what changed between two reports: users, verdicts, credentials and findings.

    The options for verdicts and rules apply to both reports. A run of export brings its own as-of,
    exemption list, account names and decisions, unless options set them.
    """
    inputs.require(old != "-" or new != "-", "only one of OLD and NEW can be -", "NEW")
    _check_words(change, fail_on)
    _check_effects(outputs, judging_options)
    inputs.refuse_early([old, new], judging_options, fail_on, change_words())

    from analyzer.changes.diff import diff as comparison_of

    before = _side(old, old_as_of, judging_options, fail_on)
    now = _side(new, new_as_of, judging_options, fail_on)
    inputs.check_outputs(outputs.output, [*before.files, *now.files])
    sides = (before, now)
    reports = [inputs.read(side.found, quiet=outputs.quiet, can_skip=False) for side in sides]
    analyses = [side.request.analysis(of) for side, of in zip(sides, reports, strict=True)]
    unfiltered = comparison_of(*inputs.filtered(analyses, patterns))
    comparison = unfiltered.where(change, verdict)
    _write(comparison, outputs)
    for line in _messages(comparison, outputs):
        say(line)
    exit_if_failed_or_partial(unfiltered.failures(fail_on), unfiltered.not_compared)


def _check_words(kinds: list[str], fail_on: list[str]) -> None:
    """Refuse words that are no kind of change, or that name a state; raises typer.BadParameter."""
    known_kinds = change_words() + [Verdict.UNUSED]
    verdicts = [word for word in kinds if word in set(Verdict).difference(known_kinds)]
    hint = "use --verdict, or a kind of change such as became-unused or verdict-changed"
    inputs.require(not verdicts, f"{', '.join(verdicts)}: a verdict; {hint}", "--change")
    refuse_unknown(kinds, known_kinds, "--change")
    states = [word for word in fail_on if word in (CONTROL, OVERDUE)]
    message = f"{', '.join(states)}: no change; use `credreport analyze --fail-on`"
    inputs.require(not states, message, "--fail-on")


def _check_effects(outputs: OutputOptions, judging_options: options.JudgingOptions) -> None:
    """Refuse options that would change no output; raises typer.BadParameter."""
    shown = outputs.shown
    owners = inputs.given(judging_options, "owners")
    inputs.require_effect(owners, shown, _WITHOUT_OWNERS, "no owners", "-f csv")
    exempt = inputs.given(judging_options, "exempt")
    inputs.require_effect(exempt, shown, [Format.LINE], "no exempt users", "-f csv")
    grace = inputs.given(judging_options, "grace_days")
    inputs.require_effect(grace, shown, _WITHOUT_CAVEATS, "no caveats", "-f names")


class _Side(NamedTuple):
    """Hold the reports of a side, how to analyze them, and all files read for it."""

    found: inputs.Inputs
    request: "AnalysisRequest"
    files: "Sequence[InputFile | str | Path | None]"


def _side(
    name: str,
    as_of: datetime | None,
    judging_options: options.JudgingOptions,
    fail_on: list[str],
) -> _Side:
    """Return a side of the comparison; a run of `export` provides its reports, as-of and lists.

    Raises typer.BadParameter for contradicting options, InputRefused for a list.
    """
    from analyzer.runs.inputs import ACCOUNTS, DECISIONS, EXEMPTIONS, OWNERS, REPORTS
    from analyzer.runs.run_folders import read_record

    folder = Path(name)
    if record := read_record(folder):
        name = str(folder / REPORTS)
        judging_options = replace(
            judging_options,
            exemptions=judging_options.exemptions or _file_of_run(folder / EXEMPTIONS),
            exempt=judging_options.exempt or list(record.exempt),
            owners=judging_options.owners or _file_of_run(folder / OWNERS),
            decisions=judging_options.decisions or _file_of_run(folder / DECISIONS),
            accounts=judging_options.accounts or _file_of_run(folder / ACCOUNTS),
        )
    analysis_request = inputs.read_analysis_request(judging_options, fail_on, change_words())
    found = inputs.find([name], options.InputOptions(as_of=as_of))
    return _Side(found, analysis_request, found.paths + list(judging_options.files))


def _file_of_run(path: Path) -> InputFile | None:
    return InputFile(str(path), path.read_bytes()) if path.is_file() else None


def _write(comparison: "Comparison", outputs: OutputOptions) -> None:
    """Write the files, then standard output; with --quiet a table only if it has changes."""
    from analyzer.writers import changes as forms

    def data(ending: str, stream: BinaryIO) -> None:
        write: dict[str, Callable[[Comparison, BinaryIO], None]] = {
            ".csv": forms.write_changes_csv,
            ".json": forms.write_changes_json,
            ".line": forms.write_changes_line,
            ".names": forms.write_changed_names,
            ".arns": forms.write_changed_arns,
        }
        write[ending](comparison, stream)

    def table(stream: TextIO, terminal: "dict[str, Any]") -> None:
        if not (outputs.quiet and comparison.changes.empty):
            forms.write_changes_table(comparison, stream, **terminal)

    outputs.write(data, table)


def _messages(comparison: "Comparison", outputs: OutputOptions) -> "Iterator[str]":
    """Yield which reports were compared, unless a table shows it, the notes, and files written.

    An account that was not compared is an error, not a note. So is a user that a list of names
    leaves out, and a report that is on both sides: the new report may not have been fetched.
    """
    from analyzer.writers import headline
    from analyzer.writers.changes import compared_reports, count_sentence, omitted_users_sentence

    if not outputs.quiet:
        if not outputs.is_shown:
            yield from compared_reports(comparison)
            yield count_sentence(comparison)
            yield BLIND_SPOTS_PAGE
        for side, analysis in (("before", comparison.before), ("now", comparison.now)):
            for note in headline.notes(analysis):
                yield f"Note ({side}): {note}"
        yield from (f"Wrote {path}" for path in outputs.output)
    if outputs.form in (DiffFormat.NAMES, DiffFormat.ARNS):
        yield from omitted_users_sentence(comparison)
    if same := comparison.same_reports:
        yield f"The same report is on both sides, so it shows nothing new: {short_list(same)}."
    yield from comparison.not_compared
