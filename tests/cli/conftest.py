"""Run the program within the test's own process."""

from collections.abc import Callable
from pathlib import Path

import pytest

from analyzer.cli import main
from tests.support.builders import Run

Program = Callable[..., Run]


def unwrapped(messages: str) -> str:
    """Return what a box round an error says, in one line."""
    return " ".join(messages.replace("│", " ").split())


@pytest.fixture
def program(capfdbinary: pytest.CaptureFixture[bytes]) -> Program:
    """Give a function that runs the program with arguments and returns how that ended."""

    def ran(*arguments: str | Path) -> Run:
        capfdbinary.readouterr()
        code = main([str(argument) for argument in arguments])
        output, messages = capfdbinary.readouterr()
        return Run(code, output, messages.decode())

    return ran
