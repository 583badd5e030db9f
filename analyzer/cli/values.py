"""Parse the values of options; each parser raises ValueError that says what to use instead."""

import fnmatch
import re
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

import typer

from analyzer.limits import RULE_LIMITS
from analyzer.report.input_formats import size_text
from analyzer.terms import Format, printable

Settings = dict[str, Any]
"""The settings of an option, as `typer.Option` takes them."""

_LONGEST_PATTERN: Final = 2048
"""No ARN is longer."""

_EXAMPLE: Final = "2026-03-01T09:30:00Z"


class InputFile(NamedTuple):
    """Hold a file that an option names, as bytes."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of its bytes."""
        return sha256(self.content).hexdigest()


_LARGEST_FILE: Final = 64 << 20
"""No list or ledger that people write has more bytes."""


def input_file(text: str) -> InputFile:
    """Read the file that an option names."""
    path = Path(text)
    try:
        if path.is_dir():
            raise ValueError(f"{text} is a folder: name a file in it")
        if path.exists() and not path.is_file():
            raise ValueError(f"{text} is a pipe or a device: save it as a file, and name that")
        with path.open("rb") as stream:
            content = stream.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise ValueError(f"{text} cannot be read: {error.strerror}") from None
    if len(content) > _LARGEST_FILE:
        raise ValueError(f"{text} holds more than {size_text(_LARGEST_FILE)}: name the file itself")
    return InputFile(str(path), content)


def moment(text: str) -> datetime:
    """Return the moment that an option names, in UTC to the second; a date means its day's end."""
    is_date = re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII)
    try:
        read = datetime.fromisoformat(f"{text}T23:59:59Z" if is_date else text)
        at = read.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        message = f'invalid time "{printable(text)}": use {_EXAMPLE} or 2026-03-01'
        raise ValueError(message) from None
    if read.tzinfo is None:
        raise ValueError(f'"{printable(text)}" has no time zone: use {_EXAMPLE}')
    return at


def whole_number(
    least: int, most: int | None = None, what: str = "a whole number of days", metavar: str = "DAYS"
) -> Settings:
    """Return the settings of an option that takes a number from `least` to `most`.

    Messages call it `what`; typer's own `min` and `max` do not say what to use instead.
    """
    bounds = f"{least} or more" if most is None else f"from {least} to {most}"

    def parse(text: str) -> int:
        number = int(text) if re.fullmatch(r"[0-9]{1,9}", str(text)) else least - 1
        if number < least or (most is not None and number > most):
            raise ValueError(f"'{printable(str(text))}': use {what}, {bounds}")
        return number

    return {"parser": parse, "metavar": metavar}


def text_form(pattern: str, hint: str, metavar: str, *, secret: bool = False) -> Settings:
    """Return the settings of an option that refuses other values with the hint.

    A secret value is never shown.
    """

    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            shown = "invalid value" if secret else f"'{printable(text)}'"
            raise ValueError(f"{shown}: {hint}")
        return text

    return {"parser": parse, "metavar": metavar}


def file_path(*endings: str, folder: bool = False) -> Settings:
    """Return the settings of an option for a file that is written, with one of the endings.

    `folder` allows no ending.
    """

    def parse(text: str) -> Path:
        if len(endings) > 1 and text.lower() in list(Format):
            name = f"a file name, such as report.{text.lower()}"
            raise ValueError(f"{text}: use {name}, or --format {text} for standard output")
        if Path(text).suffix.lower() not in (*endings, *([""] if folder else [])):
            *others, last = endings
            known = " or ".join(filter(None, (", ".join(others), last)))
            raise ValueError(f"{printable(text)} must end in {known}")
        return Path(text)

    return {"parser": parse, "metavar": "FILE"}


def wrong_usage(message: str, *options: str) -> typer.BadParameter:
    """Return the error about options; their values cannot control a terminal."""
    return typer.BadParameter(printable(message), param_hint=", ".join(options) or None)


def refuse_unknown(chosen: Iterable[str], known: Collection[str], option: str = "") -> None:
    """Raise typer.BadParameter for words that are not known."""
    if unknown := [word for word in chosen if word not in known]:
        raise wrong_usage(f"'{', '.join(unknown)}': choose from {', '.join(known)}", option)


def refuse_unknown_rules(chosen: Iterable[str], known: Collection[str], option: str) -> None:
    """Raise typer.BadParameter for rules that are not known, with the rule that may be meant."""
    for word in chosen:
        near = get_close_matches(word, known, 1) or [rule for rule in known if word in rule]
        if word not in known and near:
            message = f"'{word}': did you mean {', '.join(near)}? Choose from {', '.join(known)}"
            raise wrong_usage(message, option)
    refuse_unknown(chosen, known, option)


def words_of(*known: str) -> Callable[[list[str]], list[str]]:
    """Return what splits an option's values at commas, and refuses words that are not known.

    Without `known` words, all are taken. Only for the program's own words, which hold no comma.
    """

    def words(texts: list[str]) -> list[str]:
        split = [word.strip() for text in texts for word in text.split(",")]
        if known and not {*split} <= {*known}:
            refuse_unknown(split, known)
        return split

    return words


def matching(patterns: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return the ids that patterns with * and ? match; a pattern without a match stays."""
    return [name for one in patterns for name in (fnmatch.filter(known, one) or [one])]


def pattern(text: str) -> str:
    """Return a pattern of an account or a user; refuse an empty one, as of an unset variable."""
    if text in ("", "!"):
        raise ValueError("the pattern is empty: name an account or a user")
    if len(text) > _LONGEST_PATTERN:
        raise ValueError(f"the pattern has more than {_LONGEST_PATTERN:,} signs")
    return text


def exempt_entry(text: str) -> str:
    """Return the text of an exemption; refuse one without a pattern or a reason."""
    user, _, reason = text.partition("=")
    if not (user.strip() and reason.strip()):
        raise ValueError(f"'{printable(text)}': write PATTERN=REASON; for = in a name, write ?")
    return text


def limit_entry(text: str) -> str:
    """Return the text of a limit of a rule; refuse one without a known name or without days."""
    name, _, days = text.partition("=")
    if name not in RULE_LIMITS or not re.fullmatch(r"[1-9][0-9]{0,8}", days):
        example, names = f"{next(iter(RULE_LIMITS))}=365", ", ".join(RULE_LIMITS)
        hint = f"write NAME=DAYS, such as {example}, with 1 day or more; the limits are {names}"
        raise ValueError(f"'{printable(text)}': {hint}")
    return text


def rule_ids() -> list[str]:
    """Return the ids of all rules."""
    from analyzer.rules import RULES

    return [rule.id for rule in RULES]


def change_words() -> list[str]:
    """Return the kinds of change."""
    from analyzer.changes.user_changes import ChangeKind

    return [*map(str, ChangeKind)]
