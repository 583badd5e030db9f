"""Wire `credreport export`: gather the reports, judge the users, keep everything as one run."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from analyzer.cli.analyze import HubRegion
from analyzer.cli.aws_options import AwsOptions
from analyzer.cli.choices import Command, choice, completion, whole_number
from analyzer.cli.input_options import AsOf, MaxInput, SkipUnreadable
from analyzer.cli.judging_options import JudgingOptions
from analyzer.cli.options import Config, with_options
from analyzer.cli.stderr import Log, LogFormat, utc_now
from analyzer.errors import BUG, FAILED, INTERRUPTED, PARTIAL, Busy, CredreportError, OutputFailed
from analyzer.report.input_size import MAX_INPUT
from analyzer.terms import Feed

app = typer.Typer(add_completion=False)


@app.command(cls=Command, context_settings={"auto_envvar_prefix": "CREDREPORT"})
@with_options
def export(
    *,
    sources: Annotated[
        list[str],
        typer.Option(
            "--from",
            envvar="CREDREPORT_FROM",
            metavar="SOURCES",
            help="Read these reports, as analyze does, instead of asking AWS; may be repeated.",
        ),
    ] = [],
    out_dir: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER",
            help="Write each run to a new folder in FOLDER; the link latest leads to the newest.",
        ),
    ],
    keep: Annotated[
        int | None,
        typer.Option(
            parser=whole_number("a whole number", 1),
            metavar="NUMBER",
            help="Keep this number of the newest runs, and remove older ones.",
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Test the settings and the permissions, and write nothing."),
    ] = False,
    max_input: MaxInput = MAX_INPUT,
    also: Annotated[
        list[Feed],
        typer.Option(
            parser=choice(Feed),
            autocompletion=completion(lambda: Feed),
            metavar="FORMAT",
            help=f"Also write all findings as {Feed.OCSF} or {Feed.ASFF}, closing those of earlier"
            f" runs that are gone; or all users and findings as {Feed.PARQUET}. May be repeated.",
        ),
    ] = [],
    hub_region: HubRegion = None,
    aws: AwsOptions,
    judging: JudgingOptions,
    log_format: Annotated[
        LogFormat,
        typer.Option(
            parser=choice(LogFormat),
            autocompletion=completion(lambda: LogFormat),
            metavar="FORMAT",
            help=f"Write the log on standard error as {' or '.join(LogFormat)}.",
        ),
    ] = LogFormat.TEXT,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Log warnings and errors only.")
    ] = False,
    skip_unreadable: SkipUnreadable = False,
    as_of: AsOf = None,
    config: Config = None,
) -> None:
    """Fetch reports, analyze them and keep all outputs as one run, for cron.

    Each option is also an environment variable: --out-dir is CREDREPORT_OUT_DIR.
    """
    del config
    log = Log(form=log_format, quiet=quiet)

    def run() -> int:
        judging.check()
        if not sources:
            _refuse_source_options(as_of, skip_unreadable=skip_unreadable)
            aws.check()
        from analyzer.cli.export_run import ExportRun

        feeds = [each for each in Feed if each in also]
        exporting = ExportRun(
            sources,
            aws,
            judging,
            out_dir,
            log,
            max_input,
            as_of,
            skip_unreadable,
            feeds,
            hub_region,
        )
        return exporting.check() if check else exporting.export(keep)

    with log.errors():
        code = run() if check else run_and_record(out_dir, run)
    if code:
        raise typer.Exit(code)


_OUTCOME_MESSAGES: Final = {
    0: "Done.",
    FAILED: "Done. Something that is not exempt meets --fail-on.",
    PARTIAL: "Done. Some accounts or details are missing.",
}
"""The messages of runs that end with outputs."""


def run_and_record(
    folder: Path, run: Callable[[], int], now: Callable[[], datetime] = utc_now
) -> int:
    """Do a run, write into its folder how it ended, and return its exit code.

    A run that finds another one at work writes nothing. Where nothing can be written, the run ends
    as it would.
    """
    from analyzer.exports.last_run import write_last_run

    try:
        code = run()
    except Busy:
        raise
    except BaseException as error:
        with suppress(OutputFailed):
            write_last_run(folder, now(), *_exit_code_and_message(error))
        raise
    with suppress(OutputFailed):
        write_last_run(folder, now(), code, _OUTCOME_MESSAGES[code])
    return code


def _exit_code_and_message(error: BaseException) -> tuple[int, str]:
    """Return the exit code with which an exception ends the program, and a message."""
    if isinstance(error, CredreportError):
        return error.exit_code, str(error)
    if isinstance(error, typer.BadParameter):
        return error.exit_code, error.format_message()
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, "Ended by Ctrl-C."
    if isinstance(error, SystemExit):
        return int(error.code or 0), "Ended by a signal."
    return BUG, f"This is a bug, please report it: {error!r}"


def _refuse_source_options(as_of: datetime | None, *, skip_unreadable: bool) -> None:
    """Refuse options that mean nothing for reports fetched from AWS.

    Raises typer.BadParameter.
    """
    if as_of:
        message = "use it with --from only: fetched reports have their time"
        raise typer.BadParameter(message, param_hint="--as-of")
    if skip_unreadable:
        message = "use it with --from only: fetched reports are always readable"
        raise typer.BadParameter(message, param_hint="--skip-unreadable")
