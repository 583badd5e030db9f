"""Take options from a TOML file: each key is the name of a long option without its dashes.

One file serves all commands: a key that only another command knows is skipped, one that none knows
is refused. The command line and the environment override the file.
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, time
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Final, get_type_hints

import typer

from analyzer.cli.commands import every_command
from analyzer.report.input_formats import size_text
from analyzer.terms import printable

_OPTION_PREFIX: Final = "--"

_LARGEST_SETTINGS: Final = 1 << 16
"""No file of options holds more bytes; tomllib takes very long for long keys."""


def _apply_settings_file(context: typer.Context, path: Path | None) -> Path | None:
    """Have the file's values stand where the command line says nothing.

    Raises typer.BadParameter with every problem of the file.
    """
    if path is not None:
        settings = {key: _as_command_line_text(value) for key, value in _toml(path).items()}
        options = _options(context.command)
        known = {
            name: option
            for command in (*every_command(), context.command)
            for name, option in _options(command).items()
        }
        problems = [
            printable(f"{path}: {key}: {problem}")
            for key, value in settings.items()
            for problem in _problems(context, known.get(key), value)
        ]
        if problems:
            raise typer.BadParameter("\n".join(problems))
        context.default_map = {
            options[key].name: _as_list(options[key], value)
            for key, value in settings.items()
            if key in options
        }
    return path


Config = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        metavar="FILE",
        is_eager=True,
        callback=_apply_settings_file,
        rich_help_panel="Input",
        help='Take options from this TOML file: dormant-days = 120, skip = ["root-used"].',
    ),
]
"""The option of every command that takes settings from a file."""


def _toml(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        with path.open("rb") as stream:
            content = stream.read(_LARGEST_SETTINGS + 1)
        is_large = len(content) > _LARGEST_SETTINGS
        settings = {} if is_large else tomllib.loads(content.decode().replace("\r\n", "\n"))
    except (OSError, ValueError, RecursionError) as error:
        raise typer.BadParameter(f"{path} cannot be read: {error}") from None
    if is_large:
        raise typer.BadParameter(f"{path} holds more than {size_text(_LARGEST_SETTINGS)}")
    return settings


def _as_command_line_text(value: Any) -> Any:
    """Return a value as the command line has it, in text; flags stay as they are."""
    if isinstance(value, list):
        return [_as_command_line_text(each) for each in value]
    if isinstance(value, date | time):
        return value.isoformat()
    return value if isinstance(value, bool | dict) else str(value)


def _options(command: Any) -> dict[str, Any]:
    return {
        name.removeprefix(_OPTION_PREFIX): option
        for option in command.params
        for name in option.opts
        if name.startswith(_OPTION_PREFIX) and not option.is_eager
    }


def _problems(context: typer.Context, option: Any, value: Any) -> Iterator[str]:
    if option is None:
        yield "no command has an option of this name"
    elif isinstance(value, dict) or isinstance(value, bool) is not bool(option.is_flag):
        yield f"invalid value {value}"
    else:
        try:
            option.process_value(context, _as_list(option, value))
        except typer.BadParameter as error:
            yield error.message


def _as_list(option: Any, value: Any) -> Any:
    """Return one word as the list of it where an option may be repeated."""
    return [value] if option.multiple and not isinstance(value, list) else value


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command that takes each field of its dataclass parameters as an option.

    typer reads the signature, and the command gets its dataclasses, filled. Fields that are not
    annotated with their option have it in `OPTIONS` of the dataclass.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}

    @wraps(command)
    def wrapper(**values: Any) -> None:
        for name, group in groups.items():
            values[name] = group(**{each.name: values.pop(each.name) for each in fields(group)})
        command(**values)

    signature = inspect.signature(command)
    own = [
        each.replace(annotation=hints[name])
        for name, each in signature.parameters.items()
        if name not in groups
    ]
    shared = [option for group in groups.values() for option in _parameters(group)]
    wrapper.__signature__ = signature.replace(parameters=[*own, *shared])  # type: ignore[attr-defined]  # what inspect looks for
    return wrapper


def _parameters(group: Any) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    for name, option in getattr(group, "OPTIONS", {}).items():
        hints[name] = Annotated[hints[name], option]
    for each in fields(group):
        default = each.default if each.default_factory is MISSING else each.default_factory()
        yield inspect.Parameter(
            each.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hints[each.name]
        )
