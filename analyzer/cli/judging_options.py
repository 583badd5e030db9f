"""Take the options that the verdicts, the rules and the exit code depend on."""

from dataclasses import dataclass, field, fields, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from analyzer.cli.choices import choice, completion, days, rule_ids
from analyzer.terms import (
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
    from analyzer.account_names import AccountList
    from analyzer.analysis import Analysis
    from analyzer.decisions.ledger import Ledger
    from analyzer.model import Exemptions, Report
    from analyzer.standards.rulebook import Rulebook

_RULEBOOK_OPTIONS: Final = (
    *("standard", "rules", "skip", "min_severity"),
    *(each.name for each in fields(Thresholds)),
)
"""The options that choose rules or their limits."""

_NOT_COVERED_TEXT: Final = "accounts that could not be read"
_CONTROL: Final = "control"
_OTHER_FAIL_WORDS: Final = (_CONTROL, OVERDUE)
"""What --fail-on takes besides verdicts, severities and rules."""

_verdict_panel = partial(typer.Option, rich_help_panel="Verdicts")

_decisions_panel = partial(typer.Option, rich_help_panel="Decisions")

_rule_panel = partial(typer.Option, rich_help_panel="Rules")

_LIMIT_DEFAULT: Final = "default as in the standard, else"


@dataclass(frozen=True, slots=True)
class InputFile:
    """Hold a file as bytes: a pipe gives them only once."""

    path: Path
    content: bytes

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of its bytes."""
        from hashlib import sha256

        return sha256(self.content).hexdigest()


def read_input_file(text: str) -> InputFile:
    """Read the file that an option names.

    Raises typer.BadParameter where it cannot be read.
    """
    try:
        return InputFile(Path(text), Path(text).read_bytes())
    except OSError as error:
        raise typer.BadParameter(f"{text} cannot be read: {error.strerror}") from None


@cache
def ledger_file(file: InputFile) -> "Ledger":
    """Return the decisions in a ledger; it is read once, though it is checked first.

    Raises InputRefused.
    """
    from analyzer.decisions.ledger import read_ledger

    return read_ledger(str(file.path), file.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class CriteriaOptions:
    """Hold the options that the verdicts depend on."""

    definition: Annotated[
        Definition,
        _verdict_panel(
            parser=choice(Definition),
            autocompletion=completion(lambda: Definition),
            metavar="NAME",
            help="Set what unused means besides no sign-in: no-active-key: no active access key;"
            " iam-029: no access key at all.",
        ),
    ] = Definition.NO_ACTIVE_KEY
    dormant_days: Annotated[
        int,
        _verdict_panel(
            parser=days(1),
            metavar="DAYS",
            help="Set the days without use from which a user is dormant.",
        ),
    ] = Criteria().dormant_days
    grace_days: Annotated[
        int,
        _verdict_panel(
            parser=days(0),
            metavar="DAYS",
            help="Set the days after its creation in which an unused user is to check.",
        ),
    ] = Criteria().grace_days

    def criteria(self) -> Criteria:
        """Return what the verdicts depend on besides the report."""
        return Criteria(
            definition=self.definition,
            dormant_days=self.dormant_days,
            grace_days=self.grace_days,
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
            parser=choice(Benchmark),
            autocompletion=completion(lambda: Benchmark),
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
            parser=choice(Severity),
            autocompletion=completion(lambda: Severity),
            metavar="SEVERITY",
            help=f"Run only rules of this severity or a higher one: {', '.join(Severity)}.",
        ),
    ] = Severity.LOW
    idle_days: Annotated[
        int | None,
        _rule_panel(
            parser=days(1),
            metavar="DAYS",
            help="Set the days without use from which a password or access key fails;"
            f" {_LIMIT_DEFAULT} {Thresholds().idle_days}.",
        ),
    ] = None
    rotation_days: Annotated[
        int | None,
        _rule_panel(
            parser=days(1),
            metavar="DAYS",
            help="Set the age in days above which an active access key fails;"
            f" {_LIMIT_DEFAULT} {Thresholds().rotation_days}.",
        ),
    ] = None
    root_used_days: Annotated[
        int | None,
        _rule_panel(
            parser=days(1),
            metavar="DAYS",
            help="Set the days after its last use in which the root user counts as used; default"
            f" {Thresholds().root_used_days}.",
        ),
    ] = None
    expiry_days: Annotated[
        int | None,
        _rule_panel(
            parser=days(1),
            metavar="DAYS",
            help="Set the days before a password expires for the rule password-expires-soon;"
            f" default {Thresholds().expiry_days}.",
        ),
    ] = None

    decisions: Annotated[
        InputFile | None,
        _decisions_panel(
            parser=read_input_file,
            metavar="LEDGER.csv",
            help="Show and follow up the decisions in this ledger, which collect writes.",
        ),
    ] = None
    keep_days: Annotated[
        int,
        _decisions_panel(
            parser=days(1),
            metavar="DAYS",
            help="Set the days after the decision for which a user to keep is exempt.",
        ),
    ] = KEEP_DAYS
    due_days: Annotated[
        int,
        _decisions_panel(
            parser=days(0),
            metavar="DAYS",
            help="Set the days after which a user that is not deactivated or deleted is overdue.",
        ),
    ] = DUE_DAYS

    def analysis(self, report: "Report", ledger: "Ledger | None" = None) -> "Analysis":
        """Judge a report with earlier decisions: those of a ledger, else of --decisions.

        Raises InputRefused.
        """
        from analyzer.analysis import analyze

        book = self.book() if self._chooses_rules() else None
        earlier = ledger or self.ledger()
        return analyze(report, self.criteria(), self.listed_exemptions() or (), book, earlier)

    def check(self) -> None:
        """Refuse unknown rules and damaged exemptions before any report is read.

        Raises typer.BadParameter, InputRefused.
        """
        self.listed_exemptions()
        self.ledger()
        if self._chooses_rules():
            self.book()

    def ledger(self) -> "Ledger":
        """Return the earlier decisions of --decisions, with the days that count.

        Raises InputRefused.
        """
        from analyzer.decisions.ledger import Ledger

        read = ledger_file(self.decisions) if self.decisions else Ledger()
        return replace(read, keep_days=self.keep_days, due_days=self.due_days)

    def book(self) -> "Rulebook":
        """Return the rules that run, and their limits.

        Raises typer.BadParameter for an unknown rule.
        """
        from analyzer.standards.rulebook import rulebook

        limits = {each.name: getattr(self, each.name) for each in fields(Thresholds)}
        try:
            return rulebook(
                self.standard,
                rules=self.rules,
                skip=self.skip,
                least=self.min_severity,
                limits={name: days for name, days in limits.items() if days is not None},
            )
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--rules, --skip") from None

    def listed_exemptions(self) -> "Exemptions | None":
        """Return the exemptions, None if there is no list.

        Raises InputRefused.
        """
        if self.exemptions is None:
            return None
        from analyzer.exemptions import read_exemptions

        return read_exemptions(str(self.exemptions.path), self.exemptions.content)

    def _chooses_rules(self) -> bool:
        """Return whether an option chooses rules or limits, which are slow to import."""
        default = AnalysisOptions()
        return any(getattr(self, name) != getattr(default, name) for name in _RULEBOOK_OPTIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingOptions(AnalysisOptions):
    """Hold the options that the verdicts, the rules and the exit code depend on."""

    fail_on: Annotated[
        list[str],
        typer.Option(
            autocompletion=completion(
                lambda: (*Verdict, *Severity, *_OTHER_FAIL_WORDS, *rule_ids())
            ),
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

    def named_analysis(self, report: "Report", ledger: "Ledger | None" = None) -> "Analysis":
        """Judge a report with account names and earlier decisions.

        Raises InputRefused.
        """
        return self.analysis(self.with_account_names(report), ledger)

    def check(self) -> None:
        """Refuse contradicting options before any report is read.

        Raises typer.BadParameter, InputRefused.
        """
        self.listed_exemptions()
        self._account_list()
        self.ledger()
        runs_not = [each for each in Severity if each.rank > self.min_severity.rank]
        if weaker := [word for word in self.fail_on if word in runs_not]:
            message = f"{', '.join(weaker)}: no such rule runs with --min-severity"
            raise typer.BadParameter(f"{message} {self.min_severity}", param_hint="--fail-on")
        if _CONTROL in self.fail_on and self.standard is None:
            message = f"{_CONTROL}: choose the controls with --standard"
            raise typer.BadParameter(message, param_hint="--fail-on")
        words = [
            word for word in self.fail_on if word not in (*Verdict, *Severity, *_OTHER_FAIL_WORDS)
        ]
        if words or self._chooses_rules():
            _check_rules_run(
                self.book(), words, [each for each in Severity if each in self.fail_on]
            )

    def failures(self, analysis: "Analysis") -> list[str]:
        """Return what meets --fail-on, each with its number of users or findings.

        Undetermined users and accounts that could not be read always meet it.
        """
        if not self.fail_on:
            return []
        verdicts = [each for each in Verdict if each in (Verdict.UNDETERMINED, *self.fail_on)]
        counted = ((analysis.totals.users(each, exempt=False), each) for each in verdicts)
        rest = [word for word in self.fail_on if word not in (*verdicts, *_OTHER_FAIL_WORDS)]
        overdue = int(analysis.follow_up[OVERDUE].sum()) if OVERDUE in self.fail_on else 0
        return [
            *([_NOT_COVERED_TEXT] if analysis.report.not_covered else []),
            *(f"{number} {verdict}" for number, verdict in counted if number),
            *(analysis.inspection.failures(_severities_from(rest), rest) if rest else []),
            *(analysis.inspection.control_failures() if _CONTROL in self.fail_on else []),
            *([f"{overdue} {OVERDUE}"] if overdue else []),
        ]

    def as_record(self) -> dict[str, object]:
        """Return all options for a record, files by their SHA-256."""
        return {each.name: _recorded_value(getattr(self, each.name)) for each in fields(self)}

    def input_files(self) -> list[InputFile]:
        """Return the files that were read for the options."""
        return [*filter(None, (self.exemptions, self.accounts, self.decisions))]

    def _account_list(self) -> "AccountList | None":
        if self.accounts is None:
            return None
        from analyzer.account_names import read_account_list

        return read_account_list(str(self.accounts.path), self.accounts.content)

    def with_account_names(self, report: "Report") -> "Report":
        """Return a report with the names of --accounts, which replace those known otherwise.

        Raises InputRefused.
        """
        from analyzer.account_names import with_account_list

        listed = self._account_list()
        return with_account_list(report, listed) if listed else report


def _recorded_value(value: object) -> object:
    if isinstance(value, InputFile):
        return value.sha256
    return sorted(map(_recorded_value, value), key=str) if isinstance(value, list) else value


def _check_rules_run(book: "Rulebook", ids: list[str], severities: list[Severity]) -> None:
    """Refuse to fail on rules that do not run: what is not checked would look clean."""
    run = [rule.id for rule in book.rules]
    if missing := [word for word in ids if word not in run]:
        message = (
            f"'{', '.join(missing)}': choose from the verdicts {', '.join(Verdict)}, the severities"
            f" {', '.join(Severity)}, {', '.join(_OTHER_FAIL_WORDS)}, or the rules that run:"
            f" {', '.join(run) or 'none'}"
        )
        raise typer.BadParameter(message, param_hint="--fail-on")
    worst = min((rule.severity.rank for rule in book.rules), default=len(Severity))
    if idle := [each for each in severities if each.rank < worst]:
        message = (
            f"{', '.join(idle)}: no rule of this severity runs ({', '.join(run) or 'none runs'});"
            " choose a lower severity, or let more rules run"
        )
        raise typer.BadParameter(message, param_hint="--fail-on")


def _severities_from(words: list[str]) -> list[Severity]:
    """Return the severities named and all higher ones."""
    mildest = max((each.rank for each in Severity if each in words), default=-1)
    return [each for each in Severity if each.rank <= mildest]
