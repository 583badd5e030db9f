"""Say what was fetched and what was not, and end with the exit code that tells the truth."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from analyzer.cli.analyze import PARTIAL
from analyzer.cli.saying import say
from analyzer.cli.standard_output import open_to_its_reader
from analyzer.errors import AwsRefused
from analyzer.sources.manifest import MANIFEST, Entry, Status, manifest
from analyzer.sources.saving import NOT_ASKED, SAVED, fetched, put

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from analyzer.sources.aws import FetchedReport


def printed(_iam: "IAMClient", report: "FetchedReport", _caller: str) -> Entry:
    """Write a report to standard output."""
    with open_to_its_reader():
        sys.stdout.buffer.write(report.content)
    return fetched(report, Path("standard output"), NOT_ASKED)


def end(entries: Sequence[Entry], *, quiet: bool) -> None:
    """Say where the reports are and what stays unknown of them; exit if anything does."""
    for entry in () if quiet else entries:
        made = f"account {entry.account}, made by AWS at {entry.generated_time}"
        say(f"Wrote {entry.file}: {made}")
    gaps = [entry for entry in entries if entry.service_credentials not in ("", NOT_ASKED, SAVED)]
    for entry in gaps:
        say(
            f"Note: the service-specific credentials of account {entry.account} stay unknown:"
            f" {entry.service_credentials}"
        )
    if gaps:
        raise typer.Exit(PARTIAL)


def end_many(
    entries: Sequence[Entry], unmatched: Sequence[str], folder: Path, *, quiet: bool
) -> None:
    """Write the manifest, say what became of the accounts, and exit if any is missing.

    Raises AwsRefused where none could be read; nothing is written then.
    """
    counts = {status: sum(entry.status is status for entry in entries) for status in Status}
    failures = [_failure(entry) for entry in entries if entry.status is Status.FAILED]
    if not counts[Status.FETCHED]:
        raise AwsRefused("\n".join(["No account could be read.", *failures]))
    put({folder / MANIFEST: manifest(entries, unmatched)})
    if not quiet:
        counted = ", ".join(f"{count} {status}" for status, count in counts.items())
        say(f"Wrote {folder}: {counted}; {MANIFEST} lists them")
    for line in (*failures, *(f"Note: {pattern} names no account." for pattern in unmatched)):
        say(line)
    end(entries, quiet=True)
    if failures:
        raise typer.Exit(PARTIAL)


def _failure(entry: Entry) -> str:
    who = " ".join(filter(None, (entry.account, entry.name)))
    return f"Not read: {who}: {entry.reason}"
