"""Go through a folder with all below it, past what is hidden and along links."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path


def below(folder: Path, closed: Callable[[OSError], None] | None = None) -> Iterator[Path]:
    """Yield every file below a folder that is not hidden, in the order of names.

    Links to folders are followed, but no folder is searched twice: a link may lead back up.
    `closed` is told of each folder that cannot be searched.
    """
    seen: set[str] = set()
    for at, folders, files in os.walk(folder, onerror=closed, followlinks=True):
        place = os.path.realpath(at)
        folders[:] = sorted(filter(visible, folders)) if place not in seen else ()
        if place not in seen:
            yield from (Path(at, file) for file in sorted(files) if visible(file))
        seen.add(place)


def visible(path: str) -> bool:
    """Tell whether no part of a path is hidden or what a Mac leaves in archives."""
    return not any(part.startswith((".", "__MACOSX")) for part in Path(path).parts)
