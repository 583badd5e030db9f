"""Let commands share options: each is defined once, as a field of a frozen dataclass."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import wraps
from typing import Any, get_type_hints

OPTION = inspect.Parameter.KEYWORD_ONLY


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command that takes each field of its dataclass parameters as an option.

    typer reads the signature, and the command gets its dataclasses, filled.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}
    signature = inspect.signature(command)
    own = [
        each.replace(annotation=hints[name])
        for name, each in signature.parameters.items()
        if name not in groups
    ]

    @wraps(command)
    def taking(**given: Any) -> None:
        filled = {
            name: group(**{each.name: given.pop(each.name) for each in fields(group)})
            for name, group in groups.items()
        }
        command(**given, **filled)

    shared = [option for group in groups.values() for option in _options(group)]
    taking.__signature__ = signature.replace(parameters=[*own, *shared])  # type: ignore[attr-defined]  # what inspect looks for
    return taking


def _options(group: Any) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    for each in fields(group):
        yield inspect.Parameter(
            each.name, OPTION, default=_default(each), annotation=hints[each.name]
        )


def _default(field: Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default
