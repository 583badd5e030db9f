"""Run `credreport export`: gather reports, judge the users, keep all as one run."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from analyzer.cli import options
from analyzer.cli.fetch import AwsOptions
from analyzer.cli.inputs import SKIP_HINT, given, max_age, read_analysis_request, require
from analyzer.cli.log import Log, TextOrJson, exit_code_and_message
from analyzer.cli.streams import utc_now
from analyzer.cli.values import (
    InputFile,
    change_words,
    input_file,
    rule_ids,
    whole_number,
    words_of,
)
from analyzer.errors import Busy, InputRefused, OutputFailed
from analyzer.terms import Feed

if TYPE_CHECKING:
    from analyzer.runs.run import ExportRequest

EXAMPLES: Final = (
    "credreport export --out-dir runs/",
    "credreport export --from reports/ --out-dir runs/ --fail-on unused,new",
)


def export(
    *,
    sources: list[str] = typer.Option(
        [],
        "--from",
        metavar="SOURCES",
        help=f"Read these reports instead of asking AWS; {options.REPEATED}",
    ),
    also: list[str] = typer.Option(
        [],
        **options.words(
            f"Also write {Feed.OCSF} (findings) or {Feed.PARQUET}",
            lambda: list(Feed),
            "FORMAT",
            callback=words_of(*Feed),
        ),
    ),
    out_dir: Path = typer.Option(
        ...,
        metavar="FOLDER",
        help="Write each run to a new folder in FOLDER; the link latest leads to the newest.",
    ),
    keep: int | None = typer.Option(
        None,
        **whole_number(1, what="a whole number", metavar="NUMBER"),
        help="Keep only this number of runs, and the last of each of 13 months.",
    ),
    aws: AwsOptions,
    judging_options: options.FollowUpOptions,
    max_report_age: int | None = typer.Option(None, **options.MAX_REPORT_AGE),
    fail_on: list[str] = typer.Option(
        [],
        **options.words(
            "Exit with 1 for this verdict, rule, severity or higher, control, overdue, or change"
            " since the run before (unused: newly unused users; gone, …), if not exempt;"
            " undetermined users and unread accounts always count",
            lambda: [*options.FAIL_ON_WORDS, *change_words(), *rule_ids()],
        ),
    ),
    log_format: TextOrJson = typer.Option(
        TextOrJson.TEXT, metavar="FORMAT", help=f"Log as {' or '.join(TextOrJson)}."
    ),
    quiet: bool = typer.Option(False, "--quiet", "-q", help="Log warnings and errors only."),
    reading: options.ReadingOptions,
) -> None:
    """Fetch reports, analyze them and keep all outputs as one run, for cron."""
    log = Log(form=log_format, quiet=quiet)
    with log.errors(), last_run_written(out_dir) as last_run:
        from analyzer.runs import inputs
        from analyzer.runs.run import ExportRequest

        _check_options(sources, reading, aws)
        if decisions := judging_options.decisions or _ledger_in(out_dir):
            judging_options = replace(judging_options, decisions=decisions)
        lists = {
            inputs.EXEMPTIONS: judging_options.exemptions,
            inputs.OWNERS: judging_options.owners,
            inputs.ACCOUNTS: judging_options.accounts,
        }
        request = ExportRequest(
            folder=out_dir,
            log=log,
            sources=sources,
            fetch_request=None if sources else aws,
            max_input=reading.most_bytes,
            max_age=max_age(max_report_age),
            skip_unreadable=reading.skip_unreadable,
            analysis_request=read_analysis_request(judging_options, fail_on, change_words()),
            ledger=Path(decisions.name) if decisions else None,
            lists={name: file.content for name, file in lists.items() if file},
            list_names={name: file.name for name, file in lists.items() if file},
            parameters={
                **_recorded(judging_options, fail_on),
                "service_credentials": aws.service_credentials,
                "also": sorted(also),
            },
            feeds=[feed for feed in Feed if feed in also],
        )
        code, outcome = _run(request, keep)
        last_run.update(outcome)
        if code:
            raise typer.Exit(code)


def _run(request: "ExportRequest", keep: int | None) -> tuple[int, Mapping[str, object]]:
    """Run the export, and return the exit code and how it ended.

    Raises InputRefused, with a note on --skip-unreadable if several reports were named.
    """
    from analyzer.runs import run

    run.refuse_lost_lines(request)
    try:
        return run.export(request, keep)
    except InputRefused as refused:
        names = request.sources
        has_others = len(names) > 1 or any(Path(name).is_dir() for name in names)
        # An old report is readable.
        can_skip = not (request.skip_unreadable or request.max_age.days)
        if has_others and can_skip:
            refused.add_note(SKIP_HINT)
        raise


@contextmanager
def last_run_written(
    folder: Path, now: Callable[[], datetime] = utc_now
) -> Iterator[dict[str, object]]:
    """Write into a folder how the run in the `with` block ended, and the fields that it adds.

    A run that stops because another one is running writes nothing. A failure to write does not
    change how the run ends.
    """
    from analyzer.runs.run_folders import write_last_run

    ended: BaseException = typer.Exit(0)
    outcome: dict[str, object] = {}
    try:
        yield outcome
    except BaseException as error:
        ended = error
        raise
    finally:
        if not isinstance(ended, Busy):
            with suppress(OutputFailed):
                write_last_run(folder, now(), *exit_code_and_message(ended), outcome)


def _ledger_in(folder: Path) -> InputFile | None:
    """Return the ledger in the folder of runs, None if it has none."""
    from analyzer.runs.inputs import DECISIONS

    path = folder / DECISIONS
    return input_file(str(path)) if path.is_file() else None


def _check_options(sources: list[str], reading: options.ReadingOptions, aws: AwsOptions) -> None:
    """Refuse options on AWS with --from, and on files without; raises typer.BadParameter."""
    if sources:
        of_aws = given(aws, *(one.name for one in fields(aws)))
        asks = "asks AWS, and --from reads reports instead: leave out one of them"
        require(not of_aws, asks, *of_aws)
        return
    readable = "use it with --from only: fetched reports are always readable"
    require(not reading.skip_unreadable, readable, "--skip-unreadable")
    aws.check()


def _recorded(judging_options: options.JudgingOptions, fail_on: list[str]) -> dict[str, object]:
    """Return options for the record of a run: lists of words sorted, files as their SHA-256."""
    values = {
        field.name: getattr(judging_options, field.name) for field in fields(judging_options)
    } | {"fail_on": fail_on}
    values["accounts"] = values.pop("accounts")  # It was the last one in earlier runs, too.
    del values["log"]  # `analyze` and `history` read logs
    hashes = {name: file.sha256 for name, file in values.items() if isinstance(file, InputFile)}
    lists = {name: sorted(value) for name, value in values.items() if isinstance(value, list)}
    # Outputs show the entries of --exempt in their order, and the first that matches counts.
    return {**values, **hashes, **lists, "exempt": judging_options.exempt}
