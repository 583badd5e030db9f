"""Wire `credreport export`: gather the reports, judge the users, keep everything as one run."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from analyzer.cli.analyze import AsOf, SkipUnreadable
from analyzer.cli.aws_options import AwsOptions
from analyzer.cli.judging_options import JudgingOptions
from analyzer.cli.options import Config, MaxInput, with_options
from analyzer.cli.stderr import Log, LogFormat
from analyzer.report.input_size import MAX_INPUT


@with_options
def export(
    *,
    sources: Annotated[
        list[str],
        typer.Option(
            "--from",
            envvar="CREDREPORT_FROM",
            metavar="SOURCES",
            help="Take these reports, as analyze does, and do not ask AWS; may be repeated.",
        ),
    ] = [],
    out_dir: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER",
            help="Write each run into a new folder here; latest leads to the newest.",
        ),
    ],
    keep: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="NUMBER", help="Keep so many of the newest runs, and remove older ones."
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Try the settings and the permissions, and write nothing."),
    ] = False,
    max_input: MaxInput = MAX_INPUT,
    aws: AwsOptions,
    judging: JudgingOptions,
    log_format: Annotated[
        LogFormat,
        typer.Option(
            metavar="FORM", help=f"How to log on standard error: {' or '.join(LogFormat)}."
        ),
    ] = LogFormat.TEXT,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Log nothing but warnings and errors.")
    ] = False,
    skip_unreadable: SkipUnreadable = False,
    as_of: AsOf = None,
    config: Config = None,
) -> None:
    """Fetch, analyze and keep: all outputs of a run, complete or absent, for cron.

    Each option is also an environment variable: --out-dir is CREDREPORT_OUT_DIR.
    """
    del config
    log = Log(form=log_format, quiet=quiet)
    with log.errors():
        judging.check()
        if not sources:
            _check_with_sources(as_of, skip_unreadable=skip_unreadable)
            aws.check()
        from analyzer.cli.export_run import ExportRun

        exporting = ExportRun(
            sources, aws, judging, out_dir, log, max_input, as_of, skip_unreadable
        )
        code = exporting.check() if check else exporting.export(keep)
    if code:
        raise typer.Exit(code)


def _check_with_sources(as_of: datetime | None, *, skip_unreadable: bool) -> None:
    """Refuse options that mean nothing for reports that AWS is asked for.

    Raises typer.BadParameter.
    """
    if as_of:
        message = "it goes with --from only: AWS says when it made a report"
        raise typer.BadParameter(message, param_hint="--as-of")
    if skip_unreadable:
        message = "it goes with --from only: fetched reports are always readable"
        raise typer.BadParameter(message, param_hint="--skip-unreadable")
