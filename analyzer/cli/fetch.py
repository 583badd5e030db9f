"""Tell the story of `credreport fetch`: ask AWS for the reports of accounts, and save them."""

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from analyzer.cli import stdout
from analyzer.cli.aws_options import AwsOptions
from analyzer.cli.command import Config
from analyzer.cli.inputs import require
from analyzer.cli.log import Log, LogFormat
from analyzer.cli.stderr import exit_if_failed_or_partial, progress, say

if TYPE_CHECKING:
    from analyzer.aws.report import FetchedReport

STANDARD_OUTPUT: Final = "-"


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
    """Fetch the credential report from AWS: two calls per account, none per user.

    They are iam:GenerateCredentialReport and iam:GetCredentialReport, as in the policy
    samples/policies/fetch.json.
    """
    del config
    _check_options(output, aws)
    from analyzer.aws.fetch import fetch_accounts, save_report
    from analyzer.files import replace_files
    from analyzer.sources import manifest

    many = aws.asks_several_accounts
    save = partial(save_report, partial(_path, output, many=many))
    log = Log(form=LogFormat.TEXT, quiet=quiet)
    with progress(quiet=quiet) as advance:
        to_stdout = output == STANDARD_OUTPUT
        accounts = fetch_accounts(aws, _print_report if to_stdout else save, advance, log.log_wait)
    entries = accounts.entries
    manifest.require_any_report(entries)
    if many:
        folder, name = Path(output), manifest.FETCHED_MANIFEST
        replace_files({folder / name: manifest.manifest(accounts)})
        log.say("fetched", f"Wrote {folder}: {manifest.status_counts(entries)}; {name} lists them")
    else:
        (entry,) = entries
        what = f"{entry.file}: account {entry.account}, generated at {entry.generated_time}"
        log.say("fetched", f"Wrote {what}")
    failures, gaps = manifest.failures(entries), manifest.unknown_credentials(entries)
    notes = [*map(manifest.unmatched_sentence, accounts.unmatched), *gaps]
    for line in (*failures, *(f"Note: {note}" for note in notes)):
        say(line)
    exit_if_failed_or_partial(missing=[*failures, *gaps])


def _check_options(output: str, aws: AwsOptions) -> None:
    """Refuse options that contradict each other; raises typer.BadParameter."""
    aws.check()
    many = aws.asks_several_accounts
    one_report = output != STANDARD_OUTPUT or not (many or aws.service_credentials)
    require(one_report, "-o - writes one report and no other file: name a folder")
    require(not (many and Path(output).is_file()), "several accounts need a folder")


def _path(output: str, name: str, *, many: bool) -> Path:
    is_folder = many or output.endswith(("/", os.sep)) or Path(output).is_dir()
    return Path(output, name) if is_folder else Path(output)


def _print_report(report: "FetchedReport") -> str:
    """Write a report to standard output."""
    with stdout.text_stream() as stream:
        stream.buffer.write(report.content)
    return "standard output"
