"""Wire `credreport export`: gather the reports, judge the users, keep everything as one run."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from analyzer.cli.aws_options import AwsOptions
from analyzer.cli.choices import Command, whole_number
from analyzer.cli.input_options import InputFile, ReadingOptions
from analyzer.cli.judging_options import JudgingOptions, read_judging
from analyzer.cli.options import Config, with_options
from analyzer.cli.output_options import HubRegion
from analyzer.cli.stderr import Log, LogFormat, exit_code_and_message, utc_now
from analyzer.errors import FAILED, PARTIAL, Busy, OutputFailed
from analyzer.terms import Feed, utc_text

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
    also: Annotated[
        list[Feed],
        typer.Option(
            metavar="FORMAT",
            help=f"Also write all findings as {Feed.OCSF} or {Feed.ASFF}, closing those of earlier"
            f" runs that are gone; or all users and findings as {Feed.PARQUET}. May be repeated.",
        ),
    ] = [],
    hub_region: HubRegion = None,
    aws: AwsOptions,
    judging_options: JudgingOptions,
    log_format: Annotated[
        LogFormat,
        typer.Option(
            metavar="FORMAT",
            help=f"Write the log on standard error as {' or '.join(LogFormat)}.",
        ),
    ] = LogFormat.TEXT,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Log warnings and errors only.")
    ] = False,
    reading: ReadingOptions,
    config: Config = None,
) -> None:
    """Fetch reports, analyze them and keep all outputs as one run, for cron.

    Each option is also an environment variable: --out-dir is CREDREPORT_OUT_DIR.
    """
    del config
    log = Log(form=log_format, quiet=quiet)

    def run() -> int:
        from analyzer.decisions.ledger import read_entries
        from analyzer.exports import contents
        from analyzer.exports.run import ExportRequest
        from analyzer.exports.run import check as check_run
        from analyzer.exports.run import export as export_run

        judging = read_judging(judging_options)
        if not sources:
            _refuse_source_options(reading)
            aws.check()
        given = judging_options.decisions
        lists = {
            contents.EXEMPTIONS: judging_options.exemptions,
            contents.ACCOUNTS: judging_options.accounts,
        }
        parameters = {
            **_recorded_options(judging_options),
            "service_credentials": aws.service_credentials and not sources,
            "as_of": utc_text(reading.as_of) if reading.as_of else None,
            "also": sorted(also),
            "hub_region": hub_region,
        }
        request = ExportRequest(
            folder=out_dir,
            log=log,
            sources=sources,
            fetched=None if sources else aws,
            max_input=reading.max_input,
            as_of=reading.as_of,
            skip_unreadable=reading.skip_unreadable,
            judging=judging,
            entries=read_entries(*given, utc_now().date()) if given else None,
            lists={name: file.content for name, file in lists.items() if file},
            parameters=parameters,
            feeds=[each for each in Feed if each in also],
            hub_region=hub_region,
        )
        return check_run(request) if check else export_run(request, keep)

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
    from analyzer.exports.runs import write_last_run

    try:
        code = run()
    except Busy:
        raise
    except BaseException as error:
        with suppress(OutputFailed):
            write_last_run(folder, now(), *exit_code_and_message(error))
        raise
    with suppress(OutputFailed):
        write_last_run(folder, now(), code, _OUTCOME_MESSAGES[code])
    return code


def _recorded_options(options: JudgingOptions) -> dict[str, object]:
    """Return all options for a record, files by their SHA-256."""
    return {each.name: _recorded_value(getattr(options, each.name)) for each in fields(options)}


def _recorded_value(value: object) -> object:
    if isinstance(value, InputFile):
        return value.sha256
    return sorted(map(_recorded_value, value), key=str) if isinstance(value, list) else value


def _refuse_source_options(reading: ReadingOptions) -> None:
    """Refuse options that mean nothing for reports fetched from AWS.

    Raises typer.BadParameter.
    """
    if reading.as_of:
        message = "use it with --from only: fetched reports have their time"
        raise typer.BadParameter(message, param_hint="--as-of")
    if reading.skip_unreadable:
        message = "use it with --from only: fetched reports are always readable"
        raise typer.BadParameter(message, param_hint="--skip-unreadable")
