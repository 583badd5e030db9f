"""Define the options that several commands share, each with its help; nothing is decided here."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Final

import typer

from analyzer.cli.values import (
    InputFile,
    Settings,
    exempt_entry,
    input_file,
    limit_entry,
    moment,
    pattern,
    rule_ids,
    whole_number,
    words_of,
)
from analyzer.limits import IDLE_DAYS, RULE_LIMITS, Criteria, Definition
from analyzer.report.input_formats import MAX_INPUT, size_in_bytes, size_text
from analyzer.terms import (
    ANY_UNKNOWN_EXPOSURE,
    CONTROL,
    OVERDUE,
    Benchmark,
    Exposure,
    Severity,
    Verdict,
)

REPEATED: Final = "may be repeated."
"""The end of the help of an option that takes several values."""

ALL_VERDICTS: Final = "all"

FAIL_ON_WORDS: Final = (*Verdict, *Severity, CONTROL, OVERDUE)
"""The words that --fail-on takes besides ids of rules."""

# Kinds of options

DAYS: Final = whole_number(1)
DAYS_FROM_0: Final = whole_number(0)
TIME: Final[Settings] = {"parser": moment, "metavar": "TIME"}
FILE: Final[Settings] = {"parser": input_file, "metavar": "FILE"}
OUTPUT: Final = ("-o", "--output")
FORMAT: Final = ("-f", "--format")
IN_INPUT: Final[Settings] = {"rich_help_panel": "Input"}
_OF_RULES: Final[Settings] = {"rich_help_panel": "Verdicts and rules"}


def option(default: Any, *names: str, **settings: Any) -> Any:
    """Return the field of a dataclass that is an option; `command.with_options` declares it."""
    metadata = {"option": typer.Option(default, *names, **settings)}
    if isinstance(default, list):
        return field(default_factory=default.copy, metadata=metadata)
    return field(default=default, metadata=metadata)


def words(
    text: str, known: Callable[[], Collection[str]], metavar: str = "WORD", **settings: Any
) -> Settings:
    """Return the settings of an option for several words, of which the `known` are offered."""
    more = {"callback": words_of(), "metavar": metavar, "help": f"{text}; a,b for several."}
    return {"parser": str, "autocompletion": known, **more, **settings}


# Input

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
    """Hold the options on how reports with times of their own are read."""

    skip_unreadable: bool = option(
        False, "--skip-unreadable", help="List unreadable reports; exit with 5.", **IN_INPUT
    )
    max_input: int | None = option(
        None,
        parser=size_in_bytes,
        metavar="SIZE",
        help=f"Refuse inputs that hold more; default {size_text(MAX_INPUT)}.",
        **IN_INPUT,
    )

    @property
    def most_bytes(self) -> int:
        """Return the most bytes of all inputs together."""
        return self.max_input or MAX_INPUT


@dataclass(frozen=True, slots=True, kw_only=True)
class InputOptions(ReadingOptions):
    """Hold the options on how reports are read."""

    as_of: datetime | None = option(
        None, **TIME, **IN_INPUT, help="Set the time that the reports describe."
    )


MAX_REPORT_AGE: Final[Settings] = {
    **DAYS,
    **IN_INPUT,
    "help": "Refuse older reports (exit code 3).",
}

ACCOUNTS: Final[Settings] = {**FILE, **IN_INPUT, "help": "CSV of names: account, name, owner."}

# Verdicts, rules and decisions

EXEMPT: Final[Settings] = {
    "parser": exempt_entry,
    "metavar": "USER=WHY",
    "help": f"Exempt these users; {REPEATED}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CriteriaOptions(Criteria):
    """Hold the options that the verdicts depend on."""

    definition: Definition = option(
        Definition.NO_ACTIVE_KEY,
        metavar="NAME",
        show_default=False,
        help="Count as unused: no-active-key (default), or iam-029: no access key at all.",
        **_OF_RULES,
    )
    idle_days: int = option(IDLE_DAYS, **DAYS, **_OF_RULES, help="Days idle until dormant.")
    grace_days: int = option(
        Criteria().grace_days, **DAYS_FROM_0, **_OF_RULES, help="Days for which a user is new."
    )

    def criteria(self) -> Criteria:
        """Return the criteria: all that the verdicts depend on besides the report."""
        return Criteria(
            definition=self.definition, idle_days=self.idle_days, grace_days=self.grace_days
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingOptions(CriteriaOptions):
    """Hold the options that the verdicts and the findings depend on."""

    exemptions: InputFile | None = option(None, **FILE, help="Read the exempt users from a CSV.")
    exempt: list[str] = option([], **EXEMPT)
    owners: InputFile | None = option(None, **FILE, help="Read the owners of users from a CSV.")
    standard: Benchmark | None = option(
        None, metavar="NAME", help=f"Run the rules of a benchmark: {', '.join(Benchmark)}."
    )
    rules: list[str] = option(
        [],
        **words(
            "Run only this rule (id, root-*, default or all)",
            lambda: [*rule_ids(), "default", "all"],
            "ID",
        ),
        **_OF_RULES,
    )
    limit: list[str] = option(
        [],
        parser=limit_entry,
        metavar="NAME=DAYS",
        help=f"Set limits of rules: {', '.join(RULE_LIMITS)}.",
        **_OF_RULES,
    )
    decisions: InputFile | None = None
    log: list[InputFile] = field(default_factory=list)
    accounts: InputFile | None = option(None, **ACCOUNTS)

    @property
    def files(self) -> tuple[InputFile | None, ...]:
        """Return the files that were read."""
        named = (self.exemptions, self.owners, self.decisions, self.accounts)
        return *named, *self.log


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpOptions(JudgingOptions):
    """Hold these options, and the ledger of the decisions of reviewers."""

    decisions: InputFile | None = option(
        None, **FILE, **IN_INPUT, help="Follow up the decisions in this ledger."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewOptions(FollowUpOptions):
    """Hold these options, and the logs of the removal script."""

    log: list[InputFile] = option([], **FILE, **IN_INPUT, help="Read logs of the removal script.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodOptions(ReviewOptions):
    """Hold these options but those on rules and on caveats: a history has none."""

    grace_days: int = Criteria().grace_days
    standard: Benchmark | None = None
    rules: list[str] = field(default_factory=list)
    limit: list[str] = field(default_factory=list)


# Output


def _verdicts_of(texts: list[str]) -> list[str]:
    chosen = words_of(*Verdict, ALL_VERDICTS)(texts)
    return list(Verdict) if ALL_VERDICTS in chosen else [Verdict(word) for word in chosen]


VERDICTS: Final = words(
    f"List {', '.join(Verdict)} users, or {ALL_VERDICTS}",
    lambda: [*Verdict, ALL_VERDICTS],
    "VERDICT",
    callback=_verdicts_of,
    show_default=False,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternOptions:
    """Hold the patterns of the accounts and users to list and count."""

    account: list[str] = option(
        [],
        parser=pattern,
        metavar="ACCOUNT",
        help="Only these accounts (id, name or pattern).",
    )
    user: list[str] = option(
        [],
        parser=pattern,
        metavar="USER",
        help="Only these users (name, ARN or pattern); '!svc-*' for all others.",
    )


_EXPOSURES: Final = (*Exposure, ANY_UNKNOWN_EXPOSURE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterOptions(PatternOptions):
    """Hold the options of a filter; a workbook has all users beside those who were asked for."""

    certain: bool = option(False, "--certain", help="Only users without caveats.")
    min_age: int = option(
        0, **DAYS_FROM_0, help="Only users that are this old or older.", show_default=False
    )
    exposure: list[str] = option(
        [], **words("Only this exposure", lambda: _EXPOSURES, callback=words_of(*_EXPOSURES))
    )


QUIET: Final = "Write errors, and with --format the result."
