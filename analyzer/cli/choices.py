"""Parse and complete the values of options; a wrong value is refused with those that exist."""

import os
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, TypeVar

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup

from analyzer.terms import printable

Word = TypeVar("Word", bound=StrEnum)


def choice(words: type[Word]) -> Callable[[str], Word]:
    """Return what parses one of the words.

    It raises typer.BadParameter for another one.
    """

    def parse(text: str) -> Word:
        return words(one_of(text, words))

    return parse


def one_of(text: str, words: Iterable[str]) -> str:
    """Return the text if it is one of the words.

    Raises typer.BadParameter with all of them if it is not.
    """
    if text not in (known := [*words]):
        raise typer.BadParameter(f"'{text}': choose from {', '.join(known)}")
    return text


def days(least: int) -> Callable[[str | int], int]:
    """Return what parses a whole number of days, `least` or more."""
    return whole_number("a whole number of days", least)


def whole_number(what: str, least: int, most: int | None = None) -> Callable[[str | int], int]:
    """Return what parses a whole number; `what` is for people.

    It raises typer.BadParameter for anything else, for less than `least` and more than `most`.
    """
    bounds = f"{least} or more" if most is None else f"from {least} to {most}"

    def parse(text: str | int) -> int:
        try:
            number = int(text)
        except (TypeError, ValueError):
            number = least - 1
        if number < least or (most is not None and number > most):
            raise typer.BadParameter(f"'{text}': use {what}, {bounds}")
        return number

    return parse


def completion(words: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """Return what completes a word in a shell; the words are read only then."""

    def complete(incomplete: str) -> list[str]:
        return [word for word in words() if word.startswith(incomplete)]

    return complete


def rule_ids() -> list[str]:
    """Return the ids of all rules."""
    from analyzer.rules import RULES

    return [rule.id for rule in RULES]


class Command(TyperCommand):
    """Refuse unknown environment variables; show in the help no type where there is a better name.

    The variables are those of a command that takes its options from the environment.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments; raises typer.BadParameter for an unknown variable."""
        if ctx.auto_envvar_prefix:
            _check_variables(ctx, os.environ)
        return super().parse_args(ctx, args)

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters without the types of flags and arguments."""
        return _with_types_hidden(super().get_params(ctx))


class Group(TyperGroup):
    """Show in the help no type behind a flag: it takes no value."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters without the types of flags."""
        return _with_types_hidden(super().get_params(ctx))


def _check_variables(context: Any, variables: Iterable[str]) -> None:
    """Refuse variables that look like options and are none; their values may be secret.

    Raises typer.BadParameter.
    """
    prefix = f"{context.auto_envvar_prefix}_"
    known = {
        name for each in context.command.params for name in _environment_variables(each, prefix)
    }
    for name in sorted(variables):
        if name.startswith(prefix) and name not in known:
            (nearest,) = get_close_matches(name, sorted(known), n=1, cutoff=0)
            raise typer.BadParameter(
                f"environment variable {printable(name)} is unknown: did you mean {nearest}?"
            )


def _environment_variables(option: Any, prefix: str) -> list[str]:
    """Return the environment variables that an option is taken from."""
    named = option.envvar or ()
    return [f"{prefix}{option.name.upper()}", *([named] if isinstance(named, str) else named)]


def _with_types_hidden(params: list[Any]) -> list[Any]:
    for each in params:
        if isinstance(each, TyperArgument) or each.is_flag:
            each.display_type_rich = lambda ctx: None  # noqa: ARG005  typer passes its context
    return params
