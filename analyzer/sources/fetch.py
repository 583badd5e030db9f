"""Save what was fetched: private to its owner, and whole or not at all."""

import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from analyzer.errors import AwsRefused, OutputFailed
from analyzer.sources.aws import service_credentials
from analyzer.sources.companions import METADATA, SERVICE_CREDENTIALS
from analyzer.sources.manifest import Entry, Status

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from analyzer.sources.aws import FetchedReport

NOT_ASKED: Final = "not asked for"
SAVED: Final = "saved beside the report"


def save(
    place: Callable[[str], Path],
    iam: "IAMClient",
    report: "FetchedReport",
    caller: str,
    *,
    evidence: bool,
) -> Entry:
    """Save a report where its name belongs, and beside it what is known of it.

    With `evidence`, that is also AWS's answer about service-specific credentials; without, what
    an earlier report left is removed. The report comes last, so that it is never there without
    what belongs to it.

    Raises OutputFailed.
    """
    path = place(report.name)
    answer, known = _evidence(iam) if evidence else (None, NOT_ASKED)
    metadata = {path.with_name(path.name + METADATA): report.metadata(caller, known)}
    credentials = path.with_name(path.name + SERVICE_CREDENTIALS)
    if answer is None:
        put({**metadata, path: report.content}, stale=[credentials])
    else:
        put({credentials: answer, **metadata, path: report.content})
    return fetched(report, path, known)


def tried(iam: "IAMClient", report: "FetchedReport", _caller: str, *, evidence: bool) -> Entry:
    """Say what `save` would, and save nothing."""
    return fetched(report, Path(report.name), _evidence(iam)[1] if evidence else NOT_ASKED)


def fetched(report: "FetchedReport", path: Path, known: str) -> Entry:
    """Return what became of an account whose report is there."""
    return Entry(
        account=report.account,
        name="",
        status=Status.FETCHED,
        file=str(path),
        sha256=report.sha256,
        generated_time=report.generated_time,
        service_credentials=known,
    )


def _evidence(iam: "IAMClient") -> tuple[bytes | None, str]:
    try:
        return service_credentials(iam), SAVED
    except AwsRefused as error:
        return None, str(error)


def put(files: dict[Path, bytes], *, stale: Iterable[Path] = ()) -> None:
    """Put files in place in this order, all of them written aside first, and remove stale ones.

    Raises OutputFailed.
    """
    last = next(reversed(files))
    try:
        if not last.parent.exists():
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
