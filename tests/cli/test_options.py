"""Commands share options: each is a field of a dataclass, and stands in every command's help."""

import inspect
from dataclasses import dataclass, field, fields
from typing import Annotated

import pytest
import typer

from analyzer.cli import main
from analyzer.cli.command import grouped, with_options
from analyzer.cli.fetch import AwsOptions, fetch


@dataclass(frozen=True, slots=True, kw_only=True)
class Colouring:
    colour: Annotated[str, typer.Option("--colour")] = "red"
    layers: Annotated[list[str], typer.Option("--layer")] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    width: Annotated[int, typer.Option(min=1)] = 2


def paint(wall: Annotated[str, typer.Argument()], *, colouring: Colouring, sizing: Sizing) -> None:
    """Paint a wall."""
    raise NotImplementedError(wall, colouring, sizing)


def test_the_options_of_the_dataclasses_stand_in_the_place_of_these() -> None:
    declared = with_options(paint)
    assert declared.__doc__ == "Paint a wall."
    assert list(inspect.signature(declared).parameters) == ["wall", "colour", "layers", "width"]


def test_a_command_gets_its_dataclasses_filled_with_what_was_given() -> None:
    values = {"wall": "north", "colour": "blue", "layers": ("a", "b"), "width": 3}
    assert grouped(paint, values) == {
        "wall": "north",
        "colouring": Colouring(colour="blue", layers=["a", "b"]),
        "sizing": Sizing(width=3),
    }


def test_what_is_not_given_is_as_in_the_dataclass() -> None:
    parameters = inspect.signature(with_options(paint)).parameters
    defaults = {name: each.default for name, each in parameters.items()}
    assert grouped(paint, defaults)["colouring"] == Colouring()


def test_every_field_of_a_group_is_an_option_of_the_command() -> None:
    assert {each.name for each in fields(AwsOptions)} <= set(
        inspect.signature(with_options(fetch)).parameters
    )


@pytest.mark.parametrize("command", ["analyze", "fetch"])
def test_the_help_of_a_command_lists_the_shared_options(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main([command, "--help"]) == 0
    shared = {"analyze": "--dormant-days", "fetch": "--service-credentials"}
    assert shared[command] in capsys.readouterr().out
