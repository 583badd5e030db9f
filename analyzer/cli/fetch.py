"""Wire `credreport fetch`: ask AWS for the report of one account or many, and save it."""

import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from analyzer.cli.aws_options import AwsOptions, refuse_first_misuse
from analyzer.cli.choices import Command
from analyzer.cli.options import Config, with_options
from analyzer.cli.stderr import Log, LogFormat, progress, say
from analyzer.cli.stdout import flushed_stdout
from analyzer.errors import PARTIAL

if TYPE_CHECKING:
    from analyzer.sources.aws import DeadlineClient, FetchedReport
    from analyzer.sources.manifest import AccountEntry, FetchedAccounts

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
    refuse_first_misuse(
        {
            "-o - writes one report and no other file: name a folder": output == STANDARD_OUTPUT
            and (aws.asks_several_accounts or aws.service_credentials),
            "several accounts need a folder": aws.asks_several_accounts and Path(output).is_file(),
        }
    )
    from analyzer.sources.fetch import fetch_accounts, save_report

    place = partial(_path, output, many=aws.asks_several_accounts)
    to_folder = partial(save_report, place, with_service_credentials=aws.service_credentials)
    save = _print_report if output == STANDARD_OUTPUT else to_folder
    log = Log(form=LogFormat.TEXT, quiet=quiet)
    with progress(quiet=quiet) as advance:
        accounts = fetch_accounts(aws.request(), save, advance, log.log_wait)
    if aws.asks_several_accounts:
        _finish_several_accounts(accounts, Path(output), quiet=quiet)
    else:
        _finish_one_account(accounts.entries[0], quiet=quiet)


def _path(output: str, name: str, *, many: bool) -> Path:
    is_folder = many or output.endswith(("/", os.sep)) or Path(output).is_dir()
    return Path(output, name) if is_folder else Path(output)


def _print_report(_iam: "DeadlineClient", report: "FetchedReport", _caller: str) -> "AccountEntry":
    """Write a report to standard output."""
    from analyzer.sources.fetch import fetched_entry
    from analyzer.sources.manifest import NOT_REQUESTED

    with flushed_stdout():
        sys.stdout.buffer.write(report.content)
    return fetched_entry(report, Path("standard output"), NOT_REQUESTED)


def _finish_one_account(entry: "AccountEntry", *, quiet: bool) -> None:
    """Print where the report is and what stays unknown of it; exit if anything does."""
    if not quiet:
        generated = f"account {entry.account}, generated at {entry.generated_time}"
        say(f"Wrote {entry.file}: {generated}")
    _exit_if_incomplete([entry], [])


def _finish_several_accounts(accounts: "FetchedAccounts", folder: Path, *, quiet: bool) -> None:
    """Write the manifest, print what became of the accounts, and exit if any is missing.

    Raises AwsRefused where none could be read; nothing is written then.
    """
    from analyzer.files import replace_files
    from analyzer.sources.manifest import (
        FETCHED_MANIFEST,
        manifest,
        require_any_report,
        status_counts,
    )

    require_any_report(accounts.entries)
    replace_files({folder / FETCHED_MANIFEST: manifest(accounts)})
    if not quiet:
        say(f"Wrote {folder}: {status_counts(accounts.entries)}; {FETCHED_MANIFEST} lists them")
    _exit_if_incomplete(accounts.entries, accounts.unmatched)


def _exit_if_incomplete(entries: "Sequence[AccountEntry]", unmatched: Sequence[str]) -> None:
    """Print which accounts are missing and what stays unknown; exit if anything does."""
    from analyzer.sources.manifest import (
        failure_messages,
        unknown_credential_messages,
        unmatched_messages,
    )

    failures, gaps = failure_messages(entries), unknown_credential_messages(entries)
    for failure in failures:
        say(failure.sentence)
    for message in [*unmatched_messages(unmatched), *gaps]:
        say(f"Note: {message.sentence}")
    if failures or gaps:
        raise typer.Exit(PARTIAL)
