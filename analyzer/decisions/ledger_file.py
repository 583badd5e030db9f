"""Read a ledger under a lock, and write it as a whole."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from analyzer.decisions.ledger import Ledger, ledger_bytes, read_entries, read_ledger
from analyzer.errors import Busy, OutputFailed
from analyzer.files import NO_FOLDER, PRIVATE, replacing


@contextmanager
def locked_ledger(path: Path) -> Iterator[Ledger]:
    """Lock the ledger in a file, and yield it; an empty one if there is no file.

    Raises Busy if another process has locked it, InputRefused, OutputFailed.
    """
    if not path.parent.exists():
        raise OutputFailed(f"{path} cannot be written: {NO_FOLDER}.")
    try:
        # All names of a ledger have one lock.
        file = Path(os.path.realpath(path))
        lock = FileLock(file.with_name(f".{file.name}.lock"), blocking=False, mode=PRIVATE)
        lock.acquire()
    except Timeout:
        raise Busy(f"{path} is in use by another run: nothing was done.") from None
    except OSError as error:
        raise OutputFailed(f"{path} cannot be locked: {error.strerror}.") from error
    try:
        # Columns that would be lost by writing are refused.
        is_there = path.is_file()
        yield (
            read_ledger(str(path), path.read_bytes(), refuses_others=True) if is_there else Ledger()
        )
    finally:
        lock.release()


def write_ledger(path: Path, ledger: Ledger) -> None:
    """Replace the ledger in a file.

    Raises OutputFailed, and InputRefused for a ledger that could not be read again.
    """
    content = ledger_bytes(ledger.lines)
    read_entries(str(path), content, refuses_others=True)
    with replacing(path) as stream:
        stream.write(content)
