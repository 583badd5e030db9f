"""Hold the folder of runs: one at a time works in it, and nobody ever sees half of a run.

A run is built in a hidden folder, renamed to its name when it is whole, and hidden again before
it is deleted. What a killed run left behind is hidden, and goes when the next one begins.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from analyzer.errors import Busy, OutputFailed
from analyzer.exports.runs import Run, is_name, runs

LATEST: Final = "latest"
LOCK: Final = ".lock"
BUILDING: Final = ".credreport-building-"
REMOVING: Final = ".credreport-removing-"
LINK: Final = ".credreport-latest"
"""What is put beside the runs: folders that begin so, and the link that becomes `latest`."""


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Make the folder, mend what a killed run left in it, and let nobody else work there.

    Raises Busy where somebody does, OutputFailed where the folder cannot be written.
    """
    with written(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = _locked(folder)
    try:
        with written(folder):
            _check_latest(folder)
            _mend(folder)
            point(folder)
        yield
    finally:
        lock.release()


@contextmanager
def building(folder: Path) -> Iterator[Path]:
    """Give a hidden folder to build in; what is left of it in the end is removed."""
    with written(folder):
        aside = Path(tempfile.mkdtemp(prefix=BUILDING, dir=folder))
    try:
        yield aside
    except OutputFailed as error:
        raise OutputFailed(str(error).replace(str(aside), str(folder))) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def publish(aside: Path, run: Path) -> None:
    """Have a folder that is whole, and on disk, appear under a run's name, and be the latest."""
    with written(run.parent):
        aside.rename(run)
        sync(run.parent)
        point(run.parent)


def point(folder: Path) -> None:
    """Have `latest` lead to the newest complete run, and to nothing where there is none."""
    every = runs(folder)
    link = folder / LATEST
    leads_to = link.readlink() if link.is_symlink() else None
    if every and leads_to != Path(every[-1].name):
        aside = folder / LINK
        aside.symlink_to(every[-1].name)
        aside.replace(link)
        sync(folder)
    elif leads_to and not every:
        link.unlink()


def prune(folder: Path, keep: int, *, spared: str) -> list[Run]:
    """Remove and return the oldest complete runs but `keep`, and but the one that is spared.

    A run that somebody has added to or edited stays.
    """
    with written(folder):
        old = [run for run in runs(folder)[:-keep] if run.name != spared and run.is_as_made()]
        for run in old:
            hidden = folder / f"{REMOVING}{run.name}"
            run.path.rename(hidden)
            shutil.rmtree(hidden)
    return old


def check(folder: Path) -> None:
    """Raise what `held` would, and write nothing."""
    there = next(each for each in (folder, *folder.absolute().parents) if os.path.lexists(each))
    by_effect = os.access in os.supports_effective_ids
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK, effective_ids=by_effect):
        raise OutputFailed(f"{folder} cannot be written: {there} takes nothing new from this user.")
    _check_latest(folder)
    if (folder / LOCK).exists():
        with written(folder):
            _locked(folder).release()


def sync(path: Path) -> None:
    """Have a file's bytes, or the names in a folder, reach the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def written(folder: Path) -> Iterator[None]:
    """Turn what the system says of writing into OutputFailed."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        message = f"{folder} cannot be written: {reason}. All complete runs in it are intact."
        raise OutputFailed(message) from error


def _locked(folder: Path) -> FileLock:
    lock = FileLock(folder / LOCK, blocking=False, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        raise Busy(f"Another run is at work in {folder}: nothing was done.") from None
    return lock


def _check_latest(folder: Path) -> None:
    link, aside = folder / LATEST, folder / LINK
    leads_to_a_run = link.is_symlink() and is_name(str(link.readlink()))
    if os.path.lexists(link) and not leads_to_a_run:
        raise OutputFailed(f"{link} is no link to a run: move it away.")
    if aside.exists() and not aside.is_symlink():
        raise OutputFailed(f"{aside} is in the way of a link: move it away.")


def _mend(folder: Path) -> None:
    """Remove what a killed run left, and nothing that is not made like it."""
    for path in folder.iterdir():
        is_link = path.is_symlink()
        if path.name == LINK and is_link:
            path.unlink()
        elif path.name.startswith((BUILDING, REMOVING)) and path.is_dir() and not is_link:
            shutil.rmtree(path)
