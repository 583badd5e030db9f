"""Wire `credreport fetch`: ask AWS for the report of one account or many, and save it."""

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from analyzer.cli.aws_options import AwsOptions
from analyzer.cli.choices import Command
from analyzer.cli.options import Config, with_options
from analyzer.cli.stderr import Log, LogFormat, progress, say
from analyzer.cli.stdout import flushed_stdout
from analyzer.errors import PARTIAL

if TYPE_CHECKING:
    from analyzer.aws.report import FetchedReport

STANDARD_OUTPUT: Final = "-"

app = typer.Typer(add_completion=False)


@app.command(cls=Command)
@with_options
def fetch(
    *,
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            metavar="PATH",
            help="Write to a folder, a file for one account, or - for standard output.",
        ),
    ] = ".",
    aws: AwsOptions,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Write errors only.")] = False,
    config: Config = None,
) -> None:
    """Fetch the credential report from AWS: two calls per account, none per user."""
    del config
    aws.check()
    many = aws.asks_several_accounts
    if output == STANDARD_OUTPUT and (many or aws.service_credentials):
        raise typer.BadParameter("-o - writes one report and no other file: name a folder")
    if many and Path(output).is_file():
        raise typer.BadParameter("several accounts need a folder")
    from analyzer.aws.fetch import fetch_accounts, save_report
    from analyzer.files import replace_files
    from analyzer.sources import manifest

    place = partial(_path, output, many=many)
    save = _print_report if output == STANDARD_OUTPUT else partial(save_report, place)
    log = Log(form=LogFormat.TEXT, quiet=quiet)
    with progress(quiet=quiet) as advance:
        accounts = fetch_accounts(aws, save, advance, log.log_wait)
    entries = accounts.entries
    manifest.require_any_report(entries)
    if many:
        folder, name = Path(output), manifest.FETCHED_MANIFEST
        replace_files({folder / name: manifest.manifest(accounts)})
        what = f"{folder}: {manifest.status_counts(entries)}; {name} lists them"
    else:
        (entry,) = entries
        what = f"{entry.file}: account {entry.account}, generated at {entry.generated_time}"
    log.say("fetched", f"Wrote {what}")
    failures = manifest.failures(entries)
    gaps = manifest.unknown_credentials(entries)
    for failure in failures:
        say(failure)
    for note in [*map(manifest.unmatched_sentence, accounts.unmatched), *gaps]:
        say(f"Note: {note}")
    if failures or gaps:
        raise typer.Exit(PARTIAL)


def _path(output: str, name: str, *, many: bool) -> Path:
    is_folder = many or output.endswith(("/", os.sep)) or Path(output).is_dir()
    return Path(output, name) if is_folder else Path(output)


def _print_report(report: "FetchedReport") -> str:
    """Write a report to standard output."""
    with flushed_stdout():
        sys.stdout.buffer.write(report.content)
    return "standard output"
