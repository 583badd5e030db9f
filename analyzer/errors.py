"""Define the errors, each with its message, its remedy and its exit code.

CredreportError
├── InputRefused         3   the input is not a credential report, or is damaged
├── AwsRefused           4   AWS could not be asked, or refused
├── OutputFailed        73   an output could not be written, as on a full disk; files stay whole
└── Busy                75   another run uses the same folder
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, ClassVar, Final, Self

FAILED: Final = 1
"""The exit code where something not exempt meets `--fail-on`."""

PARTIAL: Final = 5
"""The exit code where accounts or files could not be read."""

INTERRUPTED: Final = 130
"""The exit code after Ctrl-C, as a shell has it."""

BUG: Final = 70
"""The exit code of a bug (EX_SOFTWARE); Python's own, 1, would read as a finding."""

MOST_PROBLEMS_SHOWN: Final = 20
"""Problems that are shown, equally many of each file; the others are counted."""


MOST_ALIKE: Final = 3
"""Problems that are alike in a column of a report and shown one by one."""

MOST_COUNTED: Final = 1_000
"""Damaged rows of a report after which reading it stops."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Describe what is wrong with one place of the input, and how to correct it.

    `row` counts as a spreadsheet does: the header is row 1. It is None if the problem is the file
    as a whole. `files` are all files with the problem, if several may have it, and `rows` all rows,
    if there are several; `more_rows` is the number of other rows, if they are only counted.
    """

    file: str
    row: int | None
    column: str | None
    value: str | None
    message: str
    hint: str
    files: tuple[str, ...] = field(default=(), kw_only=True)
    rows: tuple[int, ...] = field(default=(), kw_only=True)
    more_rows: int = field(default=0, kw_only=True)

    @classmethod
    def of_file(cls, file: str, message: str, hint: str) -> Self:
        """Return a problem of a file as a whole."""
        return cls(file, None, None, None, message, hint)

    def __str__(self) -> str:
        """Return the place, the value and the message in one line, then the hint."""
        row = f"row {self.row}" if self.row is not None else ""
        row = f"rows {_ranges(self.rows)}" if self.rows else row
        # `cell C5` says what it is.
        has_word = not self.column or self.column.startswith(("cell ", "cells "))
        column = self.column if has_word else f"column {self.column}"
        place = ", ".join(filter(None, (self.file, row, column)))
        value = f" ({self.value!r})" if self.value is not None else ""
        at_least = "at least " if self.more_rows >= MOST_COUNTED else ""
        more = f", and {at_least}{self.more_rows:,} more like it" if self.more_rows else ""
        return f"{place}: {self.message}{value}{more}\n    {self.hint}"


def _ranges(rows: Iterable[int]) -> str:
    """Return rising numbers as ranges: `2-6, 9`."""
    ranges: list[list[int]] = []
    for row in rows:
        if ranges and row == ranges[-1][-1] + 1:
            ranges[-1][1:] = [row]
        else:
            ranges.append([row])
    return ", ".join("-".join(map(str, ends)) for ends in ranges)


def joined_rows(problems: Iterable[Problem]) -> list[Problem]:
    """Return problems, those that are the same in several rows of a file as one."""
    alike: dict[tuple[object, ...], list[Problem]] = {}
    for problem in problems:
        column = (problem.column or "").partition(", cell ")[0]
        key = problem.file, column, problem.value, problem.message, problem.hint, problem.rows
        alike.setdefault(key if problem.row else (problem,), []).append(problem)
    joined = []
    for same in alike.values():
        rows = tuple(sorted({problem.row for problem in same if problem.row}))
        if len(rows) > 1:
            head = (same[0].column or "").partition(", cell ")[0]
            joined.append(replace(same[0], column=head or None, rows=rows))
        else:
            joined.append(same[0])
    return joined


def first_of_columns(problems: Iterable[Problem]) -> list[Problem]:
    """Return problems; of many in a column only the first, with the number of others."""
    alike: dict[tuple[str, bool, str | None, str], list[Problem]] = {}
    for problem in problems:
        of_cells = problem.row is not None
        key = problem.file, of_cells, problem.column, problem.hint
        alike.setdefault(key, []).append(problem)
    shown: list[Problem] = []
    for same in alike.values():
        is_short = len(same) <= MOST_ALIKE
        shown += same if is_short else [replace(same[0], more_rows=len(same) - 1)]
    return shown


class CredreportError(Exception):
    """Base class of all errors that a user can act on."""

    exit_code: ClassVar[int]


class InputRefused(CredreportError):
    """Refuse the input, naming every problem found in it."""

    exit_code = 3

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep all problems."""
        super().__init__()
        self.problems = tuple(problems)

    def __str__(self) -> str:
        """Return the first problems of each file, each hint once, and how many more there are."""
        by_file: dict[str, list[Problem]] = {}
        for problem in self.problems:
            by_file.setdefault(problem.file, []).append(problem)
        most = max(MOST_PROBLEMS_SHOWN // max(len(by_file), 1), 1)
        first = [problem for problems in by_file.values() for problem in problems[:most]]
        more = len(self.problems) - len(shown := first[:MOST_PROBLEMS_SHOWN])
        texts = list(map(str, shown)) + ([f"and {more:,} more"] if more else [])
        for at, (problem, after) in enumerate(pairwise(shown)):
            if problem.hint == after.hint:
                texts[at] = texts[at].removesuffix(f"\n    {problem.hint}")
        return "\n".join(texts)

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how to pickle it, so that another process raises the same error."""
        return type(self), (self.problems,)

    @classmethod
    def of_file(cls, file: str, message: str, hint: str) -> Self:
        """Return the refusal of one file as a whole."""
        return cls([Problem.of_file(file, message, hint)])


class AwsRefused(CredreportError):
    """Say why AWS did not give the report, and which permission or setting is missing."""

    exit_code = 4


class OutputFailed(CredreportError):
    """Say which output could not be written; the old file is intact."""

    exit_code = 73


class Busy(CredreportError):
    """Say that another run uses the same folder or ledger; nothing was done."""

    exit_code = 75
