"""Save what was fetched: private to its owner, and whole or not at all."""

import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.errors import OutputFailed
from analyzer.sources.beside import METADATA, SERVICE_CREDENTIALS

if TYPE_CHECKING:
    from analyzer.sources.aws import FetchedReport


def save(
    path: Path, report: "FetchedReport", *, caller: str, evidence: bytes | None, known: str
) -> None:
    """Save a report, and beside it what is known of it and of service-specific credentials.

    `evidence` is AWS's answer about those; without it, what an earlier report left is removed.
    The report comes last, so that it is never there without what belongs to it.

    Raises OutputFailed.
    """
    told = path.with_name(path.name + METADATA)
    credentials = path.with_name(path.name + SERVICE_CREDENTIALS)
    beside = {told: report.metadata(caller, known)}
    if evidence is None:
        put({**beside, path: report.content}, stale=[credentials])
    else:
        put({credentials: evidence, **beside, path: report.content})


def put(files: Mapping[Path, bytes], *, stale: Iterable[Path] = ()) -> None:
    """Put files in place in this order, all of them written aside first, and remove stale ones.

    Raises OutputFailed.
    """
    last = next(reversed(files))
    try:
        last.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            written = [stack.enter_context(_aside(*file)) for file in files.items()]
            for path in stale:
                path.unlink(missing_ok=True)
            for aside, target in written:
                aside.replace(target)
    except OSError as error:
        message = f"{last} cannot be written: {error.strerror}. No half file was left."
        raise OutputFailed(message) from error


@contextmanager
def _aside(path: Path, content: bytes) -> Iterator[tuple[Path, Path]]:
    """Write a file beside its target, give both names, and leave nothing of it behind."""
    target = Path(os.path.realpath(path))
    aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with open(aside, "xb", opener=_private) as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        yield aside, target
    finally:
        aside.unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)
