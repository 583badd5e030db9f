"""Take the options on how reports are read, and read them."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from analyzer.report.input_size import MAX_INPUT, InputLimit, size_in_bytes, size_text
from analyzer.terms import ACCOUNT_ID_PATTERN, printable

if TYPE_CHECKING:
    from analyzer.model import Report
    from analyzer.sources.find import Source

_EXAMPLE: Final = "2026-03-01T09:30:00Z"


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


def _account_id(text: str) -> str:
    if text and not re.fullmatch(ACCOUNT_ID_PATTERN, text):
        raise typer.BadParameter(f"'{printable(text)}': an account has 12 digits")
    return text


def _size(text: str) -> int:
    try:
        return size_in_bytes(str(text))
    except ValueError:
        raise typer.BadParameter(f'invalid size "{printable(text)}": use 500MiB or 2GiB') from None


AsOf = Annotated[
    datetime | None,
    typer.Option(
        parser=moment,
        metavar="TIME",
        rich_help_panel="Input",
        help="Set the time that the reports describe, such as 2026-03-01T09:30:00Z; default their"
        " own.",
    ),
]
"""The option for the as-of of all reports."""

SkipUnreadable = Annotated[
    bool,
    typer.Option(
        "--skip-unreadable",
        rich_help_panel="Input",
        help="List a report that cannot be read as not covered, and exit with 5, instead of"
        " refusing all.",
    ),
]
"""The option that continues without reports that cannot be read."""

MaxInput = Annotated[
    int,
    typer.Option(
        "--max-input",
        parser=_size,
        metavar="SIZE",
        rich_help_panel="Input",
        show_default=False,
        help=f"Refuse inputs that unpack to more than this in all; default {size_text(MAX_INPUT)}.",
    ),
]
"""The option that bounds what archives and pipes hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputOptions:
    """Hold the options on how reports are read."""

    account_id: Annotated[
        str,
        typer.Option(
            callback=_account_id,
            metavar="NUMBER",
            rich_help_panel="Input",
            help="Set the account of a report whose ARNs are masked or missing.",
        ),
    ] = ""
    skip_unreadable: SkipUnreadable = False
    max_input: MaxInput = MAX_INPUT
    as_of: AsOf = None

    def sources(self, names: Collection[str], limit: InputLimit) -> "list[Source]":
        """Return all inputs that the names stand for; `limit` counts what unpacks.

        Raises InputRefused.
        """
        from analyzer.sources.find import find_sources

        return [replace(each, account_id=self.account_id) for each in find_sources(names, limit)]

    def report(
        self,
        names: Collection[str],
        sources: "list[Source]",
        limit: InputLimit,
        *,
        quiet: bool = False,
    ) -> "Report":
        """Read the sources that the names stand for, and show the progress.

        Raises InputRefused.
        """
        from analyzer.cli import stderr
        from analyzer.sources.load import (
            ReadableInputs,
            load_sources,
            readable_sources,
            with_uncovered,
        )

        inputs = readable_sources(sources) if self.skip_unreadable else ReadableInputs(sources)
        with stderr.progress(quiet=quiet) as progress:
            report = load_sources(names, inputs.readable, self.as_of, progress, limit)
        return with_uncovered(report, inputs.uncovered)
