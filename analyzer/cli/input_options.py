"""Take the options on what is read, and read it."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from analyzer.cli.choices import of_form
from analyzer.cli.stderr import progress
from analyzer.report.input_formats import MAX_INPUT, InputLimit, size_in_bytes, size_text
from analyzer.terms import ACCOUNT_ID_PATTERN, printable

if TYPE_CHECKING:
    from analyzer.report.model import Report
    from analyzer.sources.find import Source

_EXAMPLE: Final = "2026-03-01T09:30:00Z"

_input_panel: Final = partial(typer.Option, rich_help_panel="Input")

# Files


class InputFile(NamedTuple):
    """Hold a file as bytes: a pipe gives them only once."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of its bytes."""
        return sha256(self.content).hexdigest()


def read_input_file(text: str) -> InputFile:
    """Read the file that an option names.

    Raises typer.BadParameter where it cannot be read.
    """
    try:
        return InputFile(str(Path(text)), Path(text).read_bytes())
    except OSError as error:
        raise typer.BadParameter(f"{text} cannot be read: {error.strerror}") from None


DecisionFiles = Annotated[
    list[InputFile],
    typer.Argument(
        metavar="FILES",
        parser=read_input_file,
        help="Workbooks that reviewers filled in, or CSV files in the form of the ledger.",
    ),
]
"""The argument that names files with decisions."""


# Reports


def moment(text: str) -> datetime:
    """Return the moment that an option names, in UTC to the second; a date is its day's end.

    Raises typer.BadParameter.
    """
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        text += "T23:59:59Z"
    try:
        read = datetime.fromisoformat(text)
        at = read.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        message = f'invalid time "{printable(text)}": use {_EXAMPLE} or 2026-03-01'
        raise typer.BadParameter(message) from None
    if read.tzinfo is None:
        raise typer.BadParameter(f'"{printable(text)}" has no time zone: use {_EXAMPLE}')
    return at


def _size(text: str) -> int:
    try:
        return size_in_bytes(str(text))
    except ValueError:
        raise typer.BadParameter(f'invalid size "{printable(text)}": use 500MiB or 2GiB') from None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOptions:
    """Hold the options on how all reports are read."""

    skip_unreadable: Annotated[
        bool,
        _input_panel(
            "--skip-unreadable",
            help="List a report that cannot be read as not covered, and exit with 5, instead of"
            " refusing all.",
        ),
    ] = False
    max_input: Annotated[
        int,
        _input_panel(
            parser=_size,
            metavar="SIZE",
            show_default=False,
            help="Refuse inputs that unpack to more than this in all; default"
            f" {size_text(MAX_INPUT)}.",
        ),
    ] = MAX_INPUT
    as_of: Annotated[
        datetime | None,
        _input_panel(
            parser=moment,
            metavar="TIME",
            help="Set the time that the reports describe, such as 2026-03-01T09:30:00Z; default"
            " their own.",
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InputOptions(ReadingOptions):
    """Hold the options on how reports are read whose ARNs may be masked."""

    account_id: Annotated[
        str,
        _input_panel(
            callback=of_form(f"({ACCOUNT_ID_PATTERN})?", "an account has 12 digits"),
            metavar="NUMBER",
            help="Set the account of a report whose ARNs are masked or missing.",
        ),
    ] = ""


class Inputs(NamedTuple):
    """Hold what names of reports stand for; `limit` counts what unpacks."""

    names: list[str]
    sources: "list[Source]"
    limit: InputLimit
    options: InputOptions

    def paths(self) -> list[str | Path | None]:
        """Return all that is read: the names, and the files and archives that they stand for."""
        return [*self.names, *(each.archive or each.path for each in self.sources)]


def find_inputs(names: list[str], options: InputOptions) -> Inputs:
    """Return all inputs that the names stand for."""
    from analyzer.sources.find import find_sources

    limit = InputLimit(options.max_input)
    sources = find_sources(names, limit)
    if options.account_id:
        sources = [replace(each, account_id=options.account_id) for each in sources]
    return Inputs(names, sources, limit, options)


def load(inputs: Inputs, *, quiet: bool = False) -> "Report":
    """Read the reports, and show the progress.

    Raises InputRefused.
    """
    from analyzer.sources.load import ReadableInputs, load_sources, readable_sources, with_uncovered

    options, sources = inputs.options, inputs.sources
    read = readable_sources(sources) if options.skip_unreadable else ReadableInputs(sources)
    with progress(quiet=quiet) as advance:
        report = load_sources(inputs.names, read.readable, options.as_of, advance, inputs.limit)
    return with_uncovered(report, read.uncovered)
