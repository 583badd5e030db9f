"""Gather the reports that a run is made from: from AWS, or from files."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from analyzer.cli.aws_options import Asking, Read
from analyzer.cli.log import Log
from analyzer.exports.place import written
from analyzer.sources.manifest import MANIFEST, manifest


class Gathered(NamedTuple):
    """Say where copies came from, and whether something that was asked for stays unknown."""

    origins: Mapping[Path, str]
    has_gaps: bool


def gather(sources: Sequence[str], asking: Asking, folder: Path, log: Log) -> Gathered:
    """Put the reports into a folder: copies of the files, or what AWS gives.

    Raises InputRefused, AwsRefused, OutputFailed.
    """
    if sources:
        from analyzer.sources.copying import copied

        with written(folder):
            return Gathered(copied(sources, folder), has_gaps=False)
    from analyzer.sources.fetch import put, save

    read = asking.read(partial(save, partial(Path, folder), evidence=asking.service_credentials))
    has_gaps = _told(read, log)
    put({folder / MANIFEST: manifest(*read)})
    return Gathered({}, has_gaps)


def tried(asking: Asking, log: Log) -> bool:
    """Ask AWS all that a run would, save nothing, and tell whether anything would be missing.

    Raises AwsRefused.
    """
    from analyzer.cli.outcome import failures
    from analyzer.sources.fetch import tried

    read = asking.read(partial(tried, evidence=asking.service_credentials))
    has_gaps = _told(read, log)
    missing = failures(read.entries)
    for line in missing:
        log.caution("not-read", line)
    return has_gaps or bool(missing)


def _told(read: Read, log: Log) -> bool:
    """Say what became of the accounts, but for those that failed; tell whether there are gaps.

    Raises AwsRefused where none could be read, KeyboardInterrupt where somebody stopped it: of
    many accounts, not all would be there.
    """
    from analyzer.cli.outcome import check_any, counted, gaps
    from analyzer.sources.aws_errors import STOPPED

    if any(entry.reason == STOPPED for entry in read.entries):
        raise KeyboardInterrupt
    check_any(read.entries)
    log.say("fetched", f"Accounts: {counted(read.entries)}.")
    for pattern in read.unmatched:
        log.caution("unmatched", f"{pattern} names no account.", pattern=pattern)
    unknown = gaps(read.entries)
    for line in unknown:
        log.caution("gap", f"{line[0].upper()}{line[1:]}")
    return bool(unknown)
