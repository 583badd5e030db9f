"""Write results that are tables to files and to standard output."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from analyzer.cli.options import FORMAT, QUIET, option
from analyzer.cli.streams import binary_stream, is_terminal, terminal_look, text_stream
from analyzer.files import replacing
from analyzer.terms import Format


class DataFormat(StrEnum):
    """Choose what standard output gets."""

    TABLE = Format.TABLE.value
    CSV = Format.CSV.value
    JSON = Format.JSON.value


def format_option(formats: type[StrEnum]) -> Any:
    """Return the option that chooses one of the formats."""
    text = f"Write to standard output: {', '.join(formats)}. Default table, if no file is written."
    return option(None, *FORMAT, metavar="FORMAT", help=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOutputs:
    """Hold the options on what is written, and where; `output` and formats are the command's."""

    output: list[Path] = field(default_factory=list)
    format_: StrEnum | None = None
    quiet: bool = option(False, "--quiet", "-q", help=QUIET)

    @property
    def form(self) -> StrEnum | None:
        """Return the format of standard output: by default a table, none with files or --quiet."""
        return self.format_ or (None if self.output or self.quiet else DataFormat.TABLE)

    @property
    def shown(self) -> dict[str, str]:
        """Return the format of each output, by its name."""
        files = {str(path): path.suffix.lower().removeprefix(".") for path in self.output}
        return files | ({f"--format {self.form}": str(self.form)} if self.form else {})

    @property
    def is_shown(self) -> bool:
        """Return whether a terminal shows the table."""
        return self.form == Format.TABLE and is_terminal()

    def write(
        self, data: Callable[[str, BinaryIO], None], table: Callable[[TextIO, dict[str, Any]], None]
    ) -> None:
        """Write the files, then standard output.

        `data` writes in the format of a file's ending, `table` writes a table: with the look of
        a terminal (`terminal_look`), or with none for a pipe.
        """
        with ExitStack() as files:
            for path in self.output:
                data(path.suffix.lower(), files.enter_context(replacing(path)))
        if self.form == Format.TABLE:
            with text_stream() as text:
                table(text, terminal_look() if self.is_shown else {})
        elif self.form:
            with binary_stream() as stream:
                data(f".{self.form}", stream)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataOutputs(TableOutputs):
    """Hold these options, with a table and data as formats."""

    format_: DataFormat | None = format_option(DataFormat)
