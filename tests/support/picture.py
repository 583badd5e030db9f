"""Draw the picture of the README from what the program really prints."""

import re
from io import StringIO
from typing import Final

from rich.console import Console
from rich.text import Text

from tests.support.processes import on_terminal

_ARGUMENTS: Final = ("analyze", "samples/cli-envelope.json")

_COLUMNS: Final = 100

_FONT_FACES: Final = re.compile(r" *@font-face \{.*?\}\n", re.DOTALL)
"""They load fonts from another server; without them the reader's own font is used."""


def picture() -> str:
    """Return an SVG picture of a terminal with the output of the program."""
    shown = on_terminal(*_ARGUMENTS, columns=_COLUMNS, piped="messages").screen
    prompt = f"$ credreport {' '.join(_ARGUMENTS)}\n"
    console = Console(record=True, width=_COLUMNS, file=StringIO(), force_terminal=True)
    console.print(Text.from_ansi(prompt + shown.rstrip()))
    drawn = console.export_svg(title="credreport", unique_id="credreport")
    return "".join(f"{line.rstrip()}\n" for line in _FONT_FACES.sub("", drawn).splitlines())
