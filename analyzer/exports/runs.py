"""Find the complete runs in a folder, and name the next."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, count
from pathlib import Path
from typing import Any, Final

from analyzer.exports.manifest import RECORD, recorded, sha256

_NAME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ)(?:-(\d{1,9}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Run:
    """Hold a complete run: where it is, and what its record says."""

    path: Path
    record: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Return the name of the run's folder."""
        return self.path.name

    def is_as_made(self) -> bool:
        """Tell whether the run's folder holds what it was made with, unedited, and no more."""
        files = {each["path"]: each["sha256"] for each in self.record["files"]}
        return self._holds_only(files) and all(
            sha256(self.path / path) == made for path, made in files.items()
        )

    def _holds_only(self, files: Iterable[str]) -> bool:
        """Tell whether there is nothing but some files and their folders, and the record."""
        made = {self.path / path for path in (RECORD, *files)}
        made |= {folder for path in made for folder in path.parents}
        return all(
            path in made and not path.is_symlink()
            for at, folders, names in os.walk(self.path)
            for path in (Path(at, name) for name in (*folders, *names))
        )


def runs(folder: Path) -> list[Run]:
    """Return the complete runs, the oldest first, of one moment the first made first."""
    return sorted(_complete(folder), key=lambda run: order(run.name))


def _complete(folder: Path) -> Iterator[Run]:
    for path in folder.iterdir() if folder.is_dir() else ():
        if is_name(path.name) and not path.is_symlink() and (record := recorded(path)):
            yield Run(path, record)


def is_name(text: str) -> bool:
    """Tell whether a text is what a run can be named."""
    return _NAME.fullmatch(text) is not None


def same(folder: Path, identity: str) -> Run | None:
    """Return the run that was made from the same, if there is one."""
    return next((run for run in runs(folder) if run.record["identity"] == identity), None)


def before(folder: Path, name: str) -> Run | None:
    """Return the newest complete run that is older than one of that name, if there is one."""
    return max(
        (run for run in runs(folder) if order(run.name) < order(name)),
        key=lambda run: order(run.name),
        default=None,
    )


def next_name(folder: Path, as_of: datetime) -> str:
    """Return a name that nothing in the folder has, made from the moment that a run describes."""
    name = f"{as_of:%Y-%m-%dT%H-%M-%SZ}"
    names = chain([name], (f"{name}-{number}" for number in count(2)))
    return next(each for each in names if not os.path.lexists(folder / each))


def order(name: str) -> tuple[str, int]:
    """Return what the names of runs are sorted by: the moment, then the number."""
    moment, _, number = name.partition("Z")
    return moment, int(number.removeprefix("-") or 1)
