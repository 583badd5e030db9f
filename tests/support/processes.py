"""Start the program as a process of its own, also on a terminal."""

import fcntl
import os
import pty
import resource
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from tests.support.builders import ROOT_FOLDER
from tests.support.forking import forking

WORDS_OF_TERMINALS = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "COLORTERM", "TERM")


def python(script: str, *arguments: str | Path) -> list[str]:
    """Return the command that runs the program after a few lines that spoil or slow it."""
    end = "import sys; sys.argv[0] = 'credreport'; from analyzer.cli import run; run()"
    return [sys.executable, "-c", f"{script}\n{end}", *map(str, arguments)]


def unmeasured() -> dict[str, str]:
    """Return an environment in which coverage is not measured: it would leave half a file too."""
    return {key: text for key, text in os.environ.items() if not key.startswith("COV")}


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """Let no file become larger than this."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


class Shown(NamedTuple):
    """Hold how a run on a terminal ended, what that showed, and what went into pipes."""

    code: int
    screen: str
    output: bytes
    messages: str


def on_terminal(
    *arguments: str | Path,
    columns: int = 80,
    variables: Mapping[str, str] | None = None,
    piped: str = "",
) -> Shown:
    """Run the program on a terminal, with `output` or `messages` piped if that is asked for."""
    plain = {key: text for key, text in os.environ.items() if key not in WORDS_OF_TERMINALS}
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    with subprocess.Popen(
        [forking("credreport"), *arguments],
        cwd=ROOT_FOLDER,
        env={**plain, "TERM": "xterm-256color", **(variables or {})},
        stdin=follower,
        stdout=subprocess.PIPE if piped == "output" else follower,
        stderr=subprocess.PIPE if piped == "messages" else follower,
    ) as process:
        os.close(follower)
        screen = _read(leader)
        output, messages = process.communicate()
    os.close(leader)
    text = screen.decode().replace("\r\n", "\n")
    return Shown(process.returncode, text, output or b"", (messages or b"").decode())


def _read(leader: int) -> bytes:
    """Return all that a terminal is given until nobody holds it any more."""
    parts = []
    with suppress(OSError):  # Linux says so that the other end is closed
        while part := os.read(leader, 65_536):
            parts.append(part)
    return b"".join(parts)
