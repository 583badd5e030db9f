"""Define the options that several commands share, each with its help; nothing is decided here."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Annotated, Any, ClassVar, Final

import typer

from analyzer.cli.values import (
    InputFile,
    exempt_entry,
    form_parser,
    input_file,
    moment,
    number_parser,
    pattern,
    rule_ids,
    words_of,
)
from analyzer.limits import DUE_DAYS, KEEP_DAYS, Criteria
from analyzer.report.input_formats import LIMITS, Limits, size_in_bytes, size_text
from analyzer.terms import (
    ACCOUNT_ID_PATTERN,
    ANY_UNKNOWN_EXPOSURE,
    CONTROL,
    OVERDUE,
    REGION_PATTERN,
    Benchmark,
    Exposure,
    Severity,
    UnusedReason,
    Verdict,
)

REPEATED: Final = "may be repeated."
"""The end of the help of an option that takes several values."""

SEPARATED: Final = "a,b for several."
"""The end of the help of an option that takes several of the program's own words."""

ALL_VERDICTS: Final = "all"

FAIL_ON_WORDS: Final = (*Verdict, *Severity, CONTROL, OVERDUE)
"""The words that --fail-on takes besides ids of rules."""

# Kinds of options; rare ones are in samples/settings.toml, not in the help


def days_option(text: str, least: int = 1, **more: Any) -> Any:
    """Return the option for a number of days; `text` is its help."""
    return typer.Option(parser=number_parser(least), metavar="DAYS", help=text, **more)


def words_option(
    text: str, known: Callable[[], Collection[str]], metavar: str = "WORD", **more: Any
) -> Any:
    """Return the option for words, of which those that are `known` are offered."""
    more = {"callback": words_of(), **more}
    help_text = f"{text}; {SEPARATED}"
    return typer.Option(parser=str, autocompletion=known, metavar=metavar, help=help_text, **more)


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
    """Return the option for patterns of accounts or users to list."""
    text = f"Only this {of} ({known_by} or pattern); {REPEATED}"
    return typer.Option(parser=pattern, metavar=of.upper(), help=text)


output_option = partial(typer.Option, rich_help_panel="Output")
_input = partial(typer.Option, rich_help_panel="Input")
_RULES_PANEL: Final = "Verdicts and rules (limits of rules: credreport rules --help)"
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
            help="Refuse inputs that hold more in all, as read and unpacked; default"
            f" {size_text(LIMITS.total)}.",
        ),
    ] = None
    max_file: Annotated[
        int | None,
        _input(
            parser=size_in_bytes,
            metavar="SIZE",
            hidden=True,
            help=f"Refuse a file that holds more; default {size_text(LIMITS.file)}.",
        ),
    ] = None

    @property
    def limits(self) -> Limits:
        """Return the most bytes of a file, and of all files."""
        return Limits(self.max_file or LIMITS.file, self.max_input or LIMITS.total)


@dataclass(frozen=True, slots=True, kw_only=True)
class InputOptions(ReadingOptions):
    """Hold the options on how reports are read, also reports with masked ARNs."""

    masked_account: MaskedAccount = None


AccountsFile = Annotated[
    InputFile | None, file_option("CSV of names: account, name, owner.", rich_help_panel="Input")
]

# Verdicts, rules and decisions

ExemptUsers = Annotated[
    list[str],
    typer.Option(parser=exempt_entry, metavar="USER=WHY", help=f"Exempt these users; {REPEATED}"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CriteriaOptions(Criteria):
    """Hold the options that the verdicts depend on."""

    OPTIONS: ClassVar[Mapping[str, Any]] = {
        "definition": _judging(
            metavar="NAME",
            show_default=False,
            help="Count as unused: no-active-key (default), or iam-029: no access key at all.",
        ),
        "idle_days": days_option("Days idle until dormant.", rich_help_panel=_RULES_PANEL),
        "grace_days": days_option("Days for which a user is new.", 0, rich_help_panel=_RULES_PANEL),
    }

    def criteria(self) -> Criteria:
        """Return the criteria: all that the verdicts depend on besides the report."""
        return Criteria(
            definition=self.definition, idle_days=self.idle_days, grace_days=self.grace_days
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingOptions(CriteriaOptions):
    """Hold the options that the verdicts and the findings depend on.

    `settings` is no option: it names the settings file, and the options that the file sets.
    """

    exemptions: Annotated[
        InputFile | None,
        file_option("Read the exempt users from a CSV."),
    ] = None
    exempt: ExemptUsers = field(default_factory=list)
    owners: Annotated[InputFile | None, file_option("Read the owners of users from a CSV.")] = None
    standard: Annotated[
        Benchmark | None,
        typer.Option(metavar="NAME", help=f"Run the rules of a benchmark: {', '.join(Benchmark)}."),
    ] = None
    rules: Annotated[
        list[str],
        words_option(
            "Run only this rule (id, root-*, default or all)",
            lambda: [*rule_ids(), "default", "all"],
            "ID",
            rich_help_panel=_RULES_PANEL,
        ),
    ] = field(default_factory=list)
    skip: Annotated[
        list[str], words_option("Skip this rule", rule_ids, "ID", rich_help_panel=_RULES_PANEL)
    ] = field(default_factory=list)
    min_severity: Annotated[
        Severity,
        _judging(metavar="SEVERITY", show_default=False, help=f"Skip below {', '.join(Severity)}."),
    ] = Severity.LOW
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
    log: Annotated[
        list[InputFile],
        file_option(f"Read the removal script's log; {REPEATED}", **_DECISIONS),
    ] = field(default_factory=list)
    keep_days: Annotated[int, days_option("Days for which keep exempts.", **_DECISIONS)] = KEEP_DAYS
    due_days: Annotated[int, days_option("Days until overdue.", 0, **_DECISIONS)] = DUE_DAYS
    settings: str = ""

    @property
    def files(self) -> tuple[InputFile | None, ...]:
        """Return the files that were read."""
        return self.exemptions, self.owners, self.decisions, *self.log


FailOn = Annotated[
    list[str],
    words_option(
        "Exit with 1 if anything not exempt has this verdict, rule, or severity or higher,"
        " or is undetermined, or an account could not be read; also control, overdue",
        lambda: [*FAIL_ON_WORDS, *rule_ids()],
    ),
]
"""The option that says what a run fails on; undetermined users always count."""

# Output


def _verdicts_of(texts: list[str]) -> list[str]:
    chosen = words_of(*Verdict, ALL_VERDICTS)(texts)
    return list(Verdict) if ALL_VERDICTS in chosen else [Verdict(word) for word in chosen]


Verdicts = Annotated[
    list[Verdict],
    words_option(
        f"List {', '.join(Verdict)} users, or {ALL_VERDICTS}",
        lambda: [*Verdict, ALL_VERDICTS],
        "VERDICT",
        callback=_verdicts_of,
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternOptions:
    """Hold the patterns of the accounts and users to list and count."""

    account: Annotated[list[str], pattern_option("account", "id, name")] = field(
        default_factory=list
    )
    user: Annotated[list[str], pattern_option("user", "name, ARN")] = field(default_factory=list)


_EXPOSURES: Final = (*Exposure, ANY_UNKNOWN_EXPOSURE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterOptions(PatternOptions):
    """Hold the options of a filter, which applies to every output except the workbook."""

    certain: Annotated[bool, typer.Option("--certain", help="Only users without caveats.")] = False
    min_age: Annotated[
        int, days_option("Only users that are this old or older.", 0, show_default=False)
    ] = 0
    exposure: Annotated[
        list[str],
        words_option("Only this exposure", lambda: _EXPOSURES, callback=words_of(*_EXPOSURES)),
    ] = field(default_factory=list)
    reason: Annotated[
        list[str],
        words_option("Only this reason", lambda: [*UnusedReason], callback=words_of(*UnusedReason)),
    ] = field(default_factory=list)


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
"""The message on ASFF that is written without --hub-region."""

RawCsv = Annotated[
    bool,
    output_option("--raw-csv", hidden=True, help="Write cells like formulas without a leading '."),
]

Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Write errors, and with --format the result.")
]
