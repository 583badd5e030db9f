"""Define the kinds of values that options take, and commands that explain them."""

import os
import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup

from analyzer.terms import printable

_MARK_OF_PYDANTIC: Final = "Value error, "
"""Begins typer's message on a word that is none of an enum's."""


def whole_number(what: str, least: int, most: int | None = None) -> Callable[[str | int], int]:
    """Return what parses a whole number; `what` is for people.

    It raises typer.BadParameter for anything else, for less than `least` and more than `most`:
    typer's own messages do not name the value.
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


def days_option(text: str, least: int = 1, **more: Any) -> Any:
    """Return the option for a whole number of days, `least` or more; `text` is its help."""
    parse = whole_number("a whole number of days", least)
    return typer.Option(parser=parse, metavar="DAYS", help=text, **more)


def path_ending(*endings: str) -> Callable[[str], Path]:
    """Return what parses a path with one of the endings.

    It raises typer.BadParameter for another one.
    """
    *others, last = endings

    def parse(text: str) -> Path:
        if Path(text).suffix.lower() not in endings:
            known = " or ".join(filter(None, (", ".join(others), last)))
            raise typer.BadParameter(f"{text} must end in {known}")
        return Path(text)

    return parse


def of_form(pattern: str, hint: str) -> Callable[[str | None], str | None]:
    """Return a callback that refuses a value of another form.

    It raises typer.BadParameter with the hint.
    """

    def checked(text: str | None) -> str | None:
        if text is not None and not re.fullmatch(pattern, text):
            raise typer.BadParameter(f"'{printable(text)}': {hint}")
        return text

    return checked


def completion(words: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """Return what completes a word in a shell; the words are read only then."""

    def complete(incomplete: str) -> list[str]:
        return [word for word in words() if word.startswith(incomplete)]

    return complete


def rule_ids() -> list[str]:
    """Return the ids of all rules."""
    from analyzer.rules import RULES

    return [rule.id for rule in RULES]


class _WithPlainHelp:
    """Show in the help no type of flags and arguments: they have a better name, or no value."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters without these types."""
        params: list[Any] = super().get_params(ctx)  # type: ignore[misc]  # typer's classes have it
        for each in params:
            if isinstance(each, TyperArgument) or each.is_flag:
                each.display_type_rich = lambda ctx: None  # noqa: ARG005  typer passes its context
        return params


class Command(_WithPlainHelp, TyperCommand):
    """Refuse unknown environment variables, for a command that takes options from these."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments; raises typer.BadParameter for an unknown variable."""
        if ctx.auto_envvar_prefix:
            _check_variables(ctx, os.environ)
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            error.message = error.message.replace(_MARK_OF_PYDANTIC, "")
            raise

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help; only the terminal breaks the lines of a paragraph."""
        self.help = re.sub(r"(?<!\n)\n(?!\n)", " ", self.help or "")
        super().format_help(ctx, formatter)


class Group(_WithPlainHelp, TyperGroup):
    """Hold several commands."""


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
