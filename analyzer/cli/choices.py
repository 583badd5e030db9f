"""Parse and complete the values of options; a wrong value is refused with those that exist."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any, TypeVar

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup

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
    """Return what parses a whole number of days.

    It raises typer.BadParameter for anything else and for less than `least`.
    """

    def parse(text: str | int) -> int:
        try:
            number = int(text)
        except (TypeError, ValueError):
            number = least - 1
        if number < least:
            raise typer.BadParameter(f"'{text}': use a whole number of days, {least} or more")
        return number

    return parse


def completion(words: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """Return what completes a word in a shell; the words are asked for only then."""

    def complete(incomplete: str) -> list[str]:
        return [word for word in words() if word.startswith(incomplete)]

    return complete


def rule_ids() -> list[str]:
    """Return the ids of all rules."""
    from analyzer.rules import RULES

    return [rule.id for rule in RULES]


class Command(TyperCommand):
    """Show in the help no type where there is a better name or, as for a flag, no value."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters without the types of flags and arguments."""
        return _without_types(super().get_params(ctx))


class Group(TyperGroup):
    """Show in the help no type behind a flag: it takes no value."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters without the types of flags."""
        return _without_types(super().get_params(ctx))


def _without_types(params: list[Any]) -> list[Any]:
    for each in params:
        if isinstance(each, TyperArgument) or each.is_flag:
            each.display_type_rich = lambda ctx: None  # noqa: ARG005  typer passes its context
    return params
