"""Say what was fetched and what was not, and end with the exit code that tells the truth."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from analyzer.cli.aws_options import Read
from analyzer.cli.saying import say
from analyzer.cli.stdout import open_to_its_reader
from analyzer.errors import PARTIAL, AwsRefused
from analyzer.sources.fetch import NOT_ASKED, SAVED, fetched, put
from analyzer.sources.manifest import MANIFEST, Entry, Status, manifest

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
    unknown = gaps(entries)
    for line in unknown:
        say(f"Note: {line}")
    if unknown:
        raise typer.Exit(PARTIAL)


def end_many(read: Read, folder: Path, *, quiet: bool) -> None:
    """Write the manifest, say what became of the accounts, and exit if any is missing.

    Raises AwsRefused where none could be read; nothing is written then.
    """
    check_any(read.entries)
    put({folder / MANIFEST: manifest(*read)})
    if not quiet:
        say(f"Wrote {folder}: {counted(read.entries)}; {MANIFEST} lists them")
    missing = failures(read.entries)
    for line in (*missing, *(f"Note: {each} names no account." for each in read.unmatched)):
        say(line)
    end(read.entries, quiet=True)
    if missing:
        raise typer.Exit(PARTIAL)


def check_any(entries: Sequence[Entry]) -> None:
    """Raise AwsRefused where no account could be read."""
    if not any(entry.status is Status.FETCHED for entry in entries):
        raise AwsRefused("\n".join(["No account could be read.", *failures(entries)]))


def counted(entries: Sequence[Entry]) -> str:
    """Return how many accounts were fetched, failed and skipped."""
    counts = {status: sum(entry.status is status for entry in entries) for status in Status}
    return ", ".join(f"{count} {status}" for status, count in counts.items())


def failures(entries: Sequence[Entry]) -> list[str]:
    """Return a sentence for each account that could not be read."""
    return [_failure(entry) for entry in entries if entry.status is Status.FAILED]


def _failure(entry: Entry) -> str:
    who = " ".join(filter(None, (entry.account, entry.name)))
    return f"Not read: {who}: {entry.reason}"


def gaps(entries: Sequence[Entry]) -> list[str]:
    """Return a sentence for each account whose service-specific credentials stay unknown."""
    return [
        f"the service-specific credentials of account {entry.account} stay unknown:"
        f" {entry.service_credentials}"
        for entry in entries
        if entry.service_credentials not in ("", NOT_ASKED, SAVED)
    ]
