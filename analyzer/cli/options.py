"""Define the options that several commands share, each with its help; nothing is decided here."""

import fnmatch
import os
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import typer

from analyzer.limits import DUE_DAYS, KEEP_DAYS, Criteria, Definition
from analyzer.report.input_formats import MAX_INPUT, size_in_bytes, size_text
from analyzer.terms import (
    ACCOUNT_ID_PATTERN,
    CONTROL,
    OVERDUE,
    REGION_PATTERN,
    Benchmark,
    Format,
    Severity,
    Verdict,
    printable,
)

_LONGEST_PATTERN: Final = 2048
"""No ARN is longer."""

_EXAMPLE: Final = "2026-03-01T09:30:00Z"

REPEATED: Final = "may be repeated."
"""Ends the help of an option that takes several values."""

ALL_VERDICTS: Final = "all"

FAIL_ON_WORDS: Final = (*Verdict, *Severity, CONTROL, OVERDUE)
"""What --fail-on takes besides ids of rules."""

# Values: what parses one raises ValueError with the way out


class InputFile(NamedTuple):
    """Hold a file as bytes: a pipe gives them only once."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of its bytes."""
        return sha256(self.content).hexdigest()


_LARGEST_FILE: Final = 64 << 20
"""No list, ledger or rule that people write has more bytes; a device has no end."""


def input_file(text: str) -> InputFile:
    """Read the file that an option names."""
    try:
        with open(text, "rb", opener=_opened_at_once) as stream:
            content = stream.read(_LARGEST_FILE + 1)
    except IsADirectoryError:
        raise ValueError(f"{text} is a folder: name a file in it") from None
    except OSError as error:
        raise ValueError(f"{text} cannot be read: {error.strerror}") from None
    if len(content) > _LARGEST_FILE:
        raise ValueError(f"{text} holds more than {size_text(_LARGEST_FILE)}: name the file itself")
    return InputFile(str(Path(text)), content)


def _opened_at_once(path: str, flags: int) -> int:
    """Open a file; a pipe that nobody writes to is empty instead of waited for."""
    file = os.open(path, flags | os.O_NONBLOCK)
    os.set_blocking(file, True)
    return file


def moment(text: str) -> datetime:
    """Return the moment that an option names, in UTC to the second; a date is its day's end."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        text += "T23:59:59Z"
    try:
        read = datetime.fromisoformat(text)
        at = read.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        message = f'invalid time "{printable(text)}": use {_EXAMPLE} or 2026-03-01'
        raise ValueError(message) from None
    if read.tzinfo is None:
        raise ValueError(f'"{printable(text)}" has no time zone: use {_EXAMPLE}')
    return at


def number_parser(
    least: int, most: int | None = None, what: str = "a whole number of days"
) -> Callable[[str], int]:
    """Return a parser that refuses a number below `least` or above `most`; `what` is for people.

    typer's own `min` and `max` do not say what to use instead.
    """
    bounds = f"{least} or more" if most is None else f"from {least} to {most}"

    def parse(text: str) -> int:
        number = int(text) if re.fullmatch(r"[0-9]{1,9}", str(text)) else least - 1
        if number < least or (most is not None and number > most):
            raise ValueError(f"'{printable(str(text))}': use {what}, {bounds}")
        return number

    return parse


def form_parser(pattern: str, hint: str, *, secret: bool = False) -> Callable[[str], str]:
    """Return a parser that refuses another form with the hint, without showing a secret."""

    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            shown = "invalid value" if secret else f"'{printable(text)}'"
            raise ValueError(f"{shown}: {hint}")
        return text

    return parse


def path_parser(*endings: str, stdout: bool = False, folder: bool = False) -> Callable[[str], Path]:
    """Return a parser that refuses other endings; `stdout` allows `-`, `folder` no ending."""

    def parse(text: str) -> Path:
        if stdout and text == "-":
            return Path(text)
        if text == "-":
            raise ValueError(
                f"- is standard output: name a file that ends in {' or '.join(endings)}"
            )
        if len(endings) > 1 and text.lower() in list(Format):
            name = f"a file name, such as report.{text.lower()}"
            raise ValueError(f"{text}: use {name}, or --format {text} for standard output")
        if Path(text).suffix.lower() not in (*endings, *([""] if folder else [])):
            *others, last = endings
            known = " or ".join(filter(None, (", ".join(others), last)))
            raise ValueError(f"{printable(text)} must end in {known}")
        return Path(text)

    return parse


def wrong_usage(message: str, *options: str) -> typer.BadParameter:
    """Return the error about options; what they hold cannot control a terminal."""
    return typer.BadParameter(printable(message), param_hint=", ".join(options) or None)


def _nearest(word: str, known: Collection[str]) -> list[str]:
    """Return the known words that may be meant; the sheet *Inactive users* has two verdicts."""
    of_sheet = [each for each in (Verdict.RETIRED, Verdict.DORMANT) if each in known]
    if word == "inactive" and of_sheet:
        return [*of_sheet]
    return get_close_matches(word, known, 1) or [each for each in known if word in each]


def refuse_unknown(chosen: Iterable[str], known: Collection[str], option: str = "") -> None:
    """Raise typer.BadParameter for words that are not known, with the nearest ones that are."""
    unknown = [word for word in chosen if word not in known]
    if unknown:
        near = [each for word in unknown for each in _nearest(word, known)]
        hint = f"did you mean {', '.join(near)}? Choose from" if near else "choose from"
        message = f"'{', '.join(unknown)}': {hint} {', '.join(known)}"
        raise wrong_usage(message, option)


def matching(patterns: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return the ids that patterns with * and ? match; what matches nothing stays."""
    return [each for one in patterns for each in (fnmatch.filter(known, one) or [one])]


def pattern(text: str) -> str:
    """Return a pattern of an account or a user; an unset variable of a script leaves none."""
    if not text:
        raise ValueError("the pattern is empty: name an account or a user")
    if len(text) > _LONGEST_PATTERN:
        raise ValueError(f"the pattern has more than {_LONGEST_PATTERN:,} signs")
    return text


def rule_ids() -> list[str]:
    """Return the ids of all rules."""
    from analyzer.rules import RULES

    return [rule.id for rule in RULES]


# Kinds of options; rare ones are hidden from the help, and stand in samples/settings.toml


def days_option(text: str, least: int = 1, **more: Any) -> Any:
    """Return the option for a number of days; `text` is its help."""
    return typer.Option(parser=number_parser(least), metavar="DAYS", help=text, **more)


def file_option(text: str, **more: Any) -> Any:
    """Return the option for a file that is read; `text` is its help."""
    return typer.Option(parser=input_file, metavar="FILE", help=text, **more)


def moment_option(text: str, parser: Callable[[str], datetime] = moment, **more: Any) -> Any:
    """Return the option for a moment; `text` is its help."""
    return typer.Option(parser=parser, help=text, **{"metavar": "TIME", **more})


def output_path_option(text: str, metavar: str = "FILE", **more: Any) -> Any:
    """Return the option -o; `text` is its help."""
    return typer.Option("-o", "--output", metavar=metavar, help=text, **more)


def pattern_option(of: str, known_by: str) -> Any:
    """Return the option for patterns of what is listed."""
    text = f"Only this {of} ({known_by} or pattern); {REPEATED}"
    return typer.Option(parser=pattern, metavar=of.upper(), help=text)


output_option = partial(typer.Option, rich_help_panel="Output")
_input = partial(typer.Option, rich_help_panel="Input")
_RULES_PANEL: Final = "Verdicts and rules (credreport rules lists the options for limits)"
_judging = partial(typer.Option, rich_help_panel=_RULES_PANEL)
_DECISIONS: Final = {"rich_help_panel": "Decisions"}

# Input

MaskedAccount = Annotated[
    str | None,
    _input(
        parser=form_parser(f"({ACCOUNT_ID_PATTERN})?", "an account has 12 digits"),
        metavar="NUMBER",
        help="Account of a report with masked ARNs.",
    ),
]

DecisionFiles = Annotated[
    list[str],
    typer.Argument(
        metavar="FILES",
        help="Workbooks that reviewers filled in, CSV files in the form of the ledger, or the"
        " folder of a split review.",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOptions:
    """Hold the options on how all reports are read."""

    as_of: Annotated[
        datetime | None,
        moment_option("Set the time that the reports describe.", rich_help_panel="Input"),
    ] = None
    skip_unreadable: Annotated[
        bool, _input("--skip-unreadable", help="List unreadable reports; exit with 5.")
    ] = False
    max_input: Annotated[
        int | None,
        _input(
            parser=size_in_bytes,
            metavar="SIZE",
            hidden=True,
            help=f"Refuse inputs that unpack to more in all; default {size_text(MAX_INPUT)}.",
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InputOptions(ReadingOptions):
    """Hold the options on how reports are read whose ARNs may be masked."""

    masked_account: MaskedAccount = None


AccountsFile = Annotated[
    InputFile | None, file_option("CSV of names: account, name, owner.", rich_help_panel="Input")
]

# Verdicts, rules and decisions


@dataclass(frozen=True, slots=True, kw_only=True)
class CriteriaOptions:
    """Hold the options that the verdicts depend on."""

    definition: Annotated[
        Definition,
        _judging(
            metavar="NAME",
            show_default=False,
            help="Count as unused: no-active-key (default), or iam-029: no access key at all.",
        ),
    ] = Definition.NO_ACTIVE_KEY
    dormant_days: Annotated[
        int, days_option("Days idle until dormant.", rich_help_panel=_RULES_PANEL)
    ] = Criteria().dormant_days
    grace_days: Annotated[
        int, days_option("Days for which a user is new.", 0, rich_help_panel=_RULES_PANEL)
    ] = Criteria().grace_days

    def criteria(self) -> Criteria:
        """Return what the verdicts depend on besides the report."""
        return Criteria(
            definition=self.definition, dormant_days=self.dormant_days, grace_days=self.grace_days
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingOptions(CriteriaOptions):
    """Hold the options that the verdicts and the findings depend on.

    `settings` names the file that set some of them, and these; it is no option.
    """

    exemptions: Annotated[
        InputFile | None,
        file_option("Read exempt users from a CSV: account, user, reason, owner, expires."),
    ] = None
    owners: Annotated[InputFile | None, file_option("Read the owners of users from a CSV.")] = None
    standard: Annotated[
        Benchmark | None,
        typer.Option(metavar="NAME", help=f"Run the rules of a benchmark: {', '.join(Benchmark)}."),
    ] = None
    rules: Annotated[
        list[str],
        _judging(
            autocompletion=lambda: (*rule_ids(), "default", "all"),
            metavar="ID",
            help=f"Run only this rule (id, root-*, default or all); {REPEATED}",
        ),
    ] = field(default_factory=list)
    skip: Annotated[
        list[str],
        _judging(autocompletion=rule_ids, metavar="ID", help=f"Skip this rule; {REPEATED}"),
    ] = field(default_factory=list)
    min_severity: Annotated[
        Severity,
        _judging(
            metavar="SEVERITY", show_default=False, help=f"Skip rules below {', '.join(Severity)}."
        ),
    ] = Severity.LOW
    idle_days: Annotated[int | None, days_option("Days without use that fail.", hidden=True)] = None
    rotation_days: Annotated[int | None, days_option("Age at which keys pass.", hidden=True)] = None
    root_used_days: Annotated[int | None, days_option("Days after use of root.", hidden=True)] = (
        None
    )
    expiry_days: Annotated[
        int | None, days_option("Days before expiry that fail.", hidden=True)
    ] = None
    decisions: Annotated[
        InputFile | None, file_option("Follow up the decisions in this ledger.", **_DECISIONS)
    ] = None
    keep_days: Annotated[int, days_option("Days for which keep exempts.", **_DECISIONS)] = KEEP_DAYS
    due_days: Annotated[int, days_option("Days until overdue.", 0, **_DECISIONS)] = DUE_DAYS
    settings: str = ""

    @property
    def files(self) -> tuple[InputFile | None, ...]:
        """Return the files that were read."""
        return self.exemptions, self.owners, self.decisions


FailOn = Annotated[
    list[str],
    typer.Option(
        autocompletion=lambda: (*FAIL_ON_WORDS, *rule_ids()),
        metavar="WORD",
        help="Exit with 1 if anything not exempt has this verdict, rule, or severity or higher,"
        " or is undetermined, or an account could not be read; also control, overdue;"
        f" {REPEATED}",
    ),
]
"""The option that says what a run fails on; undetermined users always count."""

# Output


def _verdicts_of(chosen: list[str]) -> list[str]:
    refuse_unknown(chosen, (*Verdict, ALL_VERDICTS))
    return list(Verdict) if ALL_VERDICTS in chosen else [Verdict(word) for word in chosen]


Verdicts = Annotated[
    list[Verdict],
    typer.Option(
        "--verdict",
        parser=str,
        callback=_verdicts_of,
        autocompletion=lambda: (*Verdict, ALL_VERDICTS),
        metavar="VERDICT",
        show_default=False,
        help=f"List {', '.join(Verdict)} users, or {ALL_VERDICTS}; {REPEATED}",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternOptions:
    """Hold the patterns of the accounts and users to list and count."""

    account: Annotated[list[str], pattern_option("account", "id, name")] = field(
        default_factory=list
    )
    user: Annotated[list[str], pattern_option("user", "name, ARN")] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterOptions(PatternOptions):
    """Hold the options of a filter, which every output but the workbook keeps to."""

    certain: Annotated[bool, typer.Option("--certain", help="Only users without caveats.")] = False
    min_age: Annotated[
        int, days_option("Only users that are this old or older.", 0, show_default=False)
    ] = 0


HubRegion = Annotated[
    str | None,
    output_option(
        parser=form_parser(REGION_PATTERN, "use a region such as eu-west-1"),
        metavar="REGION",
        hidden=True,
        help="Region of the Security Hub for ASFF; default the partition's home region.",
    ),
]

HOME_REGION_NOTE: Final = (
    "ASFF is for Security Hub in us-east-1, or the home region of another partition; --hub-region"
    " sets the region."
)
"""What is said where ASFF is written without that option."""

RawCsv = Annotated[
    bool,
    output_option("--raw-csv", hidden=True, help="Write cells like formulas without a leading '."),
]

Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Write errors, and with --format the result.")
]
