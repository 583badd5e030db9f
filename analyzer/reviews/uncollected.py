"""Name the files beside a ledger whose entries it lacks."""

from collections.abc import Container, Iterable, Iterator
from datetime import date
from pathlib import Path

from analyzer.decisions.ledger import Ledger, holds_decisions, read_entries
from analyzer.errors import InputRefused, Problem
from analyzer.files import is_sealed, may_be_workbook, sha256
from analyzer.reviews.entries import SPREADSHEET_ENDINGS, read_review
from analyzer.reviews.list_sheets import holds_entries

_HINT = "Collect it first, or move it away."


def uncollected(
    paths: Iterable[Path], ledger: Ledger, today: date, known: Container[str] = ()
) -> Iterator[Problem]:
    """Yield a problem for each workbook or CSV with an entry that a ledger lacks, or unread.

    `known` are the SHA-256 of files that nobody has edited.
    """
    collected = {line.entry for line in ledger.lines}
    for path in sorted(paths):
        is_named = path.name.lower().endswith((*SPREADSHEET_ENDINGS, ".csv"))
        if not is_named or path.name.startswith((".", "~$")) or not path.is_file():
            continue
        try:
            if is_sealed(path):
                continue
            content = path.read_bytes()
            if sha256(path) in known:
                continue
            if may_be_workbook(path):
                lines = read_review(str(path), content, today).lines if holds_entries(path) else ()
            elif path.name.lower().endswith(SPREADSHEET_ENDINGS):
                lines = None
            else:
                lines = read_entries(str(path), content).lines if holds_decisions(path) else ()
        except (OSError, InputRefused) as error:
            yield Problem.of_file(str(path), f"it has entries that cannot be read: {error}", _HINT)
            continue
        if lines is None:
            yield Problem.of_file(str(path), "it cannot be read: save it as .xlsx", _HINT)
        elif lacking := [line for line in lines if line.entry not in collected]:
            message = f"the ledger lacks {len(lacking):,} of its entries"
            yield Problem.of_file(str(path), message, _HINT)


def files_beside(folder: Path, run_folders: Iterable[Path] = ()) -> Iterator[Path]:
    """Yield the files of a folder, and those below the runs in it."""
    yield from folder.glob("*")
    for run in run_folders:
        yield from run.rglob("*")
