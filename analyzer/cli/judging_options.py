"""Take the options that the verdicts, the rules and the exit code depend on, and read the lists."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from analyzer.cli.choices import completion, days_option, rule_ids
from analyzer.cli.input_options import InputFile, read_input_file
from analyzer.terms import (
    CONTROL,
    DUE_DAYS,
    KEEP_DAYS,
    OVERDUE,
    Benchmark,
    Criteria,
    Definition,
    Severity,
    Thresholds,
    Verdict,
)

if TYPE_CHECKING:
    from analyzer.decisions.ledger import Ledger
    from analyzer.judging.analysis import JudgingRequest
    from analyzer.report.model import Exemptions
    from analyzer.standards.rulebook import Rulebook

_LIMITS: Final = tuple(each.name for each in fields(Thresholds))
_RULEBOOK_OPTIONS: Final = ("standard", "rules", "skip", "min_severity", *_LIMITS)
"""The options that choose rules or their limits."""

_NAMED_WORDS: Final = (*Verdict, *Severity, CONTROL, OVERDUE)
"""What --fail-on takes besides ids of rules."""

_LIMIT_DEFAULT: Final = "default as in the standard, else"

_verdict_days = partial(days_option, rich_help_panel="Verdicts")
_rule_days = partial(days_option, rich_help_panel="Rules")
_rule_panel = partial(typer.Option, rich_help_panel="Rules")
_decision_days = partial(days_option, rich_help_panel="Decisions")


@dataclass(frozen=True, slots=True, kw_only=True)
class CriteriaOptions:
    """Hold the options that the verdicts depend on."""

    definition: Annotated[
        Definition,
        typer.Option(
            metavar="NAME",
            rich_help_panel="Verdicts",
            help="Set what unused means besides no sign-in: no-active-key: no active access key;"
            " iam-029: no access key at all.",
        ),
    ] = Definition.NO_ACTIVE_KEY
    dormant_days: Annotated[
        int, _verdict_days("Set the days without use from which a user is dormant.")
    ] = Criteria().dormant_days
    grace_days: Annotated[
        int,
        _verdict_days(
            "Set the days after its creation in which an unused user is to check.", least=0
        ),
    ] = Criteria().grace_days

    def criteria(self) -> Criteria:
        """Return what the verdicts depend on besides the report."""
        return Criteria(
            definition=self.definition, dormant_days=self.dormant_days, grace_days=self.grace_days
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisOptions(CriteriaOptions):
    """Hold the options that the verdicts and the rules depend on."""

    exemptions: Annotated[
        InputFile | None,
        typer.Option(
            parser=read_input_file,
            metavar="FILE",
            help="Read exempt users from a CSV file that you maintain: account, user, reason,"
            " owner, expires, and rule to exempt from that rule only.",
        ),
    ] = None
    standard: Annotated[
        Benchmark | None,
        typer.Option(
            metavar="NAME",
            help="Run the rules of a benchmark with its limits, and show its controls:"
            f" {', '.join(Benchmark)}.",
        ),
    ] = None
    rules: Annotated[
        list[str],
        _rule_panel(
            autocompletion=completion(lambda: (*rule_ids(), "default", "all")),
            metavar="ID",
            help="Run only this rule (all: every rule; default: the usual rules); may be repeated.",
        ),
    ] = field(default_factory=list)
    skip: Annotated[
        list[str],
        _rule_panel(
            autocompletion=completion(rule_ids),
            metavar="ID",
            help="Do not run this rule; may be repeated.",
        ),
    ] = field(default_factory=list)
    min_severity: Annotated[
        Severity,
        _rule_panel(
            metavar="SEVERITY",
            help=f"Run only rules of this severity or a higher one: {', '.join(Severity)}.",
        ),
    ] = Severity.LOW
    idle_days: Annotated[
        int | None,
        _rule_days(
            "Set the days without use from which a password or access key fails;"
            f" {_LIMIT_DEFAULT} {Thresholds().idle_days}."
        ),
    ] = None
    rotation_days: Annotated[
        int | None,
        _rule_days(
            "Set the age in days above which an active access key fails;"
            f" {_LIMIT_DEFAULT} {Thresholds().rotation_days}."
        ),
    ] = None
    root_used_days: Annotated[
        int | None,
        _rule_days(
            "Set the days after its last use in which the root user counts as used; default"
            f" {Thresholds().root_used_days}."
        ),
    ] = None
    expiry_days: Annotated[
        int | None,
        _rule_days(
            "Set the days before a password expires for the rule password-expires-soon;"
            f" default {Thresholds().expiry_days}."
        ),
    ] = None
    decisions: Annotated[
        InputFile | None,
        typer.Option(
            parser=read_input_file,
            metavar="LEDGER.csv",
            rich_help_panel="Decisions",
            help="Show and follow up the decisions in this ledger, which collect writes.",
        ),
    ] = None
    keep_days: Annotated[
        int,
        _decision_days("Set the days after the decision for which a user to keep is exempt."),
    ] = KEEP_DAYS
    due_days: Annotated[
        int,
        _decision_days(
            "Set the days after which a user that is not deactivated or deleted is overdue.",
            least=0,
        ),
    ] = DUE_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingOptions(AnalysisOptions):
    """Hold the options that the verdicts, the rules and the exit code depend on."""

    fail_on: Annotated[
        list[str],
        typer.Option(
            autocompletion=completion(lambda: (*_NAMED_WORDS, *rule_ids())),
            metavar="WORD",
            help="Exit with 1 if a user who is not exempt has this verdict, or a finding has this"
            " rule, or this severity or a higher one; control: a control of --standard fails;"
            " overdue: an earlier decision was not carried out in time. Undetermined users and"
            " accounts that could not be read count as well, so 1 comes before 5. May be repeated.",
        ),
    ] = field(default_factory=list)

    accounts: Annotated[
        InputFile | None,
        typer.Option(
            rich_help_panel="Input",
            parser=read_input_file,
            metavar="FILE",
            help="Read the names of accounts from a CSV file: account, name, owner.",
        ),
    ] = None

    def input_names(self) -> list[str]:
        """Return the names of the files that were read for the options."""
        return [each.name for each in (self.exemptions, self.accounts, self.decisions) if each]


def read_judging(options: AnalysisOptions) -> "JudgingRequest":
    """Return what to judge by: the lists read, the rules chosen.

    Raises typer.BadParameter for unknown rules and contradicting options, InputRefused.
    """
    from analyzer.judging.analysis import JudgingRequest
    from analyzer.report.model import Exemptions

    judging = JudgingRequest(
        criteria=options.criteria(),
        book=_book(options) if _chooses_rules(options) else None,
        exemptions=_exemptions(options.exemptions) if options.exemptions else Exemptions(),
        ledger=_ledger(options),
    )
    return _with_fail_on(judging, options) if isinstance(options, JudgingOptions) else judging


def _exemptions(file: InputFile) -> "Exemptions":
    from analyzer.lists.exemptions import read_exemptions

    return read_exemptions(*file)


def _ledger(options: AnalysisOptions) -> "Ledger | None":
    """Return the earlier decisions, and for how many days they count; None for the usual ones."""
    if not options.decisions and (options.keep_days, options.due_days) == (KEEP_DAYS, DUE_DAYS):
        return None
    from analyzer.decisions.ledger import Ledger, read_ledger

    ledger = read_ledger(*options.decisions) if options.decisions else Ledger()
    return replace(ledger, keep_days=options.keep_days, due_days=options.due_days)


def _with_fail_on(judging: "JudgingRequest", options: JudgingOptions) -> "JudgingRequest":
    """Add the names of accounts, and what a run fails on.

    Raises typer.BadParameter for what cannot be found: what is not checked would look clean.
    """
    if problem := next(_fail_on_problems(options), None):
        raise typer.BadParameter(problem, param_hint="--fail-on")
    judging = replace(judging, fail_on=options.fail_on)
    if not options.accounts:
        return judging
    from analyzer.lists.account_names import read_account_list

    return replace(judging, accounts=read_account_list(*options.accounts))


def _chooses_rules(options: AnalysisOptions) -> bool:
    """Return whether an option chooses rules or limits, which are slow to import."""
    default = AnalysisOptions()
    return any(getattr(options, name) != getattr(default, name) for name in _RULEBOOK_OPTIONS)


def _book(options: AnalysisOptions) -> "Rulebook":
    """Return the rules that run, and their limits.

    Raises typer.BadParameter for an unknown rule.
    """
    from analyzer.standards.rulebook import rulebook

    limits = {name: getattr(options, name) for name in _LIMITS}
    try:
        return rulebook(
            options.standard,
            rules=options.rules,
            skip=options.skip,
            least=options.min_severity,
            limits={name: days for name, days in limits.items() if days is not None},
        )
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--rules, --skip") from None


def _fail_on_problems(options: JudgingOptions) -> Iterator[str]:
    words = options.fail_on
    runs_not = [each for each in Severity if each.rank > options.min_severity.rank]
    if weaker := [word for word in words if word in runs_not]:
        limit = f"--min-severity {options.min_severity}"
        yield f"{', '.join(weaker)}: no such rule runs with {limit}"
    if CONTROL in words and options.standard is None:
        yield f"{CONTROL}: choose the controls with --standard"
    ids = [word for word in words if word not in _NAMED_WORDS]
    if not (ids or _chooses_rules(options)):
        return
    rules = _book(options).rules
    run = [rule.id for rule in rules]
    if missing := [word for word in ids if word not in run]:
        yield (
            f"'{', '.join(missing)}': choose from the verdicts {', '.join(Verdict)}, the severities"
            f" {', '.join(Severity)}, {CONTROL}, {OVERDUE}, or the rules that run:"
            f" {', '.join(run) or 'none'}"
        )
    worst = min((rule.severity.rank for rule in rules), default=len(Severity))
    if idle := [each for each in Severity if each in words and each.rank < worst]:
        yield (
            f"{', '.join(idle)}: no rule of this severity runs ({', '.join(run) or 'none runs'});"
            " choose a lower severity, or let more rules run"
        )


def check_decisions(options: JudgingOptions, follow_up: Path | None = None) -> None:
    """Refuse to follow up what is not there: without decisions nothing would look overdue.

    Raises typer.BadParameter.
    """
    if options.decisions:
        return
    if follow_up:
        raise typer.BadParameter("name the ledger with --decisions", param_hint="--follow-up")
    if OVERDUE in options.fail_on:
        message = f"{OVERDUE}: name the ledger with --decisions"
        raise typer.BadParameter(message, param_hint="--fail-on")
