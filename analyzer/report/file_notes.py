"""Hold notes on single files, and fold those of a kind where there are many."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from analyzer.terms import MOST_NAMES, short_list


class FileNote(NamedTuple):
    """Note something on one file; `about_many` is what is said of many such files."""

    file: str
    text: str
    about_many: str


def folded_notes(notes: Iterable[FileNote]) -> Iterator[str]:
    """Yield the texts of notes by kind; of more than a few one that names the first files."""
    by_kind: dict[str, list[FileNote]] = defaultdict(list)
    for note in notes:
        by_kind[note.about_many].append(note)
    for about_many, alike in by_kind.items():
        if len(alike) <= MOST_NAMES:
            yield from (each.text for each in alike)
        else:
            names = [*dict.fromkeys(each.file for each in alike)]
            yield f"{len(names):,} {about_many}: {short_list(names)}."
