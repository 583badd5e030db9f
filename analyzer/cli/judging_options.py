"""Take the options by which users are judged and rules run, the same for every command."""

from dataclasses import dataclass, field, fields, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from analyzer.errors import InputRefused, Problem
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
    from collections.abc import Mapping
    from datetime import datetime

    from analyzer.account_names import AccountList
    from analyzer.analysis import Analysis
    from analyzer.model import Exemptions, Report
    from analyzer.review import Review, ReviewWorkbook
    from analyzer.standards.rulebook import Rulebook

_OF_BOOK: Final = (
    *("standard", "rules", "skip", "min_severity"),
    *(each.name for each in fields(Thresholds)),
)
"""The options that choose rules or their limits."""

_NOT_READ: Final = "accounts that could not be read"

_verdicts = partial(typer.Option, rich_help_panel="Verdicts")

_review = partial(typer.Option, rich_help_panel="Earlier reviews")

_rules = partial(typer.Option, rich_help_panel="Rules")

_LIMIT: Final = "otherwise as the standard says, or"


@dataclass(frozen=True, slots=True)
class InputFile:
    """Hold a file that was read once: a pipe gives its bytes only once."""

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
def review_workbook(file: InputFile) -> "ReviewWorkbook":
    """Return the decisions in a workbook; it is read once, though it is checked first.

    Raises InputRefused.
    """
    from analyzer.sources.review import read_review

    return read_review(str(file.path), file.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingOptions:
    """Hold what the verdicts, the rules and the exit code depend on besides the report."""

    definition: Annotated[
        Definition,
        _verdicts(
            metavar="NAME",
            help=f"What unused means, {' or '.join(Definition)}: no active access key, or no key"
            " attached at all.",
        ),
    ] = Definition.NO_ACTIVE_KEY
    dormant_days: Annotated[
        int,
        _verdicts(
            min=1,
            metavar="DAYS",
            help="Days without use that make a user dormant.",
        ),
    ] = Criteria().dormant_days
    grace_days: Annotated[
        int,
        _verdicts(
            min=0,
            metavar="DAYS",
            help="Days in which a user counts as new, to be checked.",
        ),
    ] = Criteria().grace_days
    exemptions: Annotated[
        InputFile | None,
        _verdicts(
            parser=read_input_file,
            metavar="FILE",
            help="A CSV of who is excused: account, user, reason, owner, expires, and if only from"
            " one rule, rule.",
        ),
    ] = None
    accounts: Annotated[
        InputFile | None,
        _verdicts(
            parser=read_input_file,
            metavar="FILE",
            help="A CSV file with the names of accounts: account, name, owner.",
        ),
    ] = None
    review: Annotated[
        list[InputFile],
        _review(
            parser=read_input_file,
            metavar="FILE.xlsx",
            help="Carry the decisions in this workbook over; may be repeated. The newest decision"
            " on each user counts.",
        ),
    ] = field(default_factory=list)
    keep_days: Annotated[
        int,
        _review(
            min=1,
            metavar="DAYS",
            help="Days after the decision for which a user to keep is exempt.",
        ),
    ] = KEEP_DAYS
    due_days: Annotated[
        int,
        _review(
            min=0,
            metavar="DAYS",
            help="Days after the decision after which a user that is not deactivated or deleted"
            " is overdue.",
        ),
    ] = DUE_DAYS
    standard: Annotated[
        Benchmark | None,
        _rules(
            metavar="NAME",
            help="Run this standard's rules by its limits, and show its controls:"
            f" {', '.join(Benchmark)}.",
        ),
    ] = None
    rules: Annotated[
        list[str],
        _rules(
            metavar="ID",
            help="Run these rules instead; default stands for those that would run, all for every"
            " one; may be repeated.",
        ),
    ] = field(default_factory=list)
    skip: Annotated[
        list[str],
        _rules(metavar="ID", help="Do not run this rule; may be repeated."),
    ] = field(default_factory=list)
    min_severity: Annotated[
        Severity,
        _rules(
            metavar="SEVERITY",
            help=f"Run no rule that is less severe than this: {', '.join(Severity)}.",
        ),
    ] = Severity.LOW
    idle_days: Annotated[
        int | None,
        _rules(
            min=1,
            metavar="DAYS",
            help=f"Days without use that are too many; {_LIMIT} {Thresholds().idle_days}.",
        ),
    ] = None
    rotation_days: Annotated[
        int | None,
        _rules(
            min=1,
            metavar="DAYS",
            help=f"Days for which an access key may live; {_LIMIT} {Thresholds().rotation_days}.",
        ),
    ] = None
    root_used_days: Annotated[
        int | None,
        _rules(
            min=1,
            metavar="DAYS",
            help="Root counts as used if its last use is less than this many days ago;"
            f" {Thresholds().root_used_days} if not set.",
        ),
    ] = None
    fail_on: Annotated[
        list[str],
        _rules(
            metavar="WORD",
            help="Exit with 1 if somebody not exempt has this verdict, fails this rule, or any of"
            " this severity or worse; overdue: a user to deactivate or delete is overdue; also"
            " where that cannot be told; may be repeated.",
        ),
    ] = field(default_factory=list)

    def analysis(
        self, report: "Report", done_since: "Mapping[tuple[str, ...], datetime] | None" = None
    ) -> "Analysis":
        """Judge a report; `done_since` is what earlier follow-ups showed (`Review.done_since`)."""
        from analyzer.analysis import analyze

        criteria = Criteria(
            definition=self.definition,
            dormant_days=self.dormant_days,
            grace_days=self.grace_days,
        )
        book = self.book() if self._asks() else None
        named = self._with_account_names(report)
        return analyze(named, criteria, self.excused() or (), book, self._review(done_since or {}))

    def check(self) -> None:
        """Refuse what could not be meant, before anything is read.

        Raises typer.BadParameter, InputRefused.
        """
        self.excused()
        self._account_list()
        self._workbooks()
        runs_not = [each for each in Severity if each.rank > self.min_severity.rank]
        if weaker := [word for word in self.fail_on if word in runs_not]:
            message = f"{', '.join(weaker)}: nothing so mild runs with --min-severity"
            raise typer.BadParameter(f"{message} {self.min_severity}", param_hint="--fail-on")
        words = [word for word in self.fail_on if word not in (*Verdict, *Severity, OVERDUE)]
        if words or self._asks():
            _check_run(self.book(), words, [each for each in Severity if each in self.fail_on])

    def book(self) -> "Rulebook":
        """Return the rules that run, and their limits.

        Raises typer.BadParameter for a rule that there is not.
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

    def excused(self) -> "Exemptions | None":
        """Return what the exemption list holds, None if there is none.

        Raises InputRefused.
        """
        if self.exemptions is None:
            return None
        from analyzer.exemptions import read_exemptions

        return read_exemptions(str(self.exemptions.path), self.exemptions.content)

    def _account_list(self) -> "AccountList | None":
        if self.accounts is None:
            return None
        from analyzer.account_names import read_account_list

        return read_account_list(str(self.accounts.path), self.accounts.content)

    def _with_account_names(self, report: "Report") -> "Report":
        from analyzer.account_names import with_account_list

        listed = self._account_list()
        return with_account_list(report, listed) if listed else report

    def _workbooks(self) -> "list[ReviewWorkbook]":
        """Return what the workbooks of earlier reviews hold.

        Raises InputRefused with the problems of all of them.
        """
        books: list[ReviewWorkbook] = []
        problems: list[Problem] = []
        for file in self.review:
            try:
                books.append(review_workbook(file))
            except InputRefused as error:
                problems += error.problems
        if problems:
            raise InputRefused(problems)
        return books

    def _review(self, done_since: "Mapping[tuple[str, ...], datetime]") -> "Review":
        from analyzer.review import combined_review

        review = combined_review(
            self._workbooks(), keep_days=self.keep_days, due_days=self.due_days
        )
        return replace(review, done_since=done_since)

    def input_files(self) -> list[InputFile]:
        """Return the files that were read for the options."""
        return [*filter(None, (self.exemptions, self.accounts)), *self.review]

    def failures(self, analysis: "Analysis") -> list[str]:
        """Return what meets --fail-on, and how many are not exempt.

        Users who are undetermined and accounts that could not be read always do.
        """
        if not self.fail_on:
            return []
        verdicts = [each for each in Verdict if each in (Verdict.UNDETERMINED, *self.fail_on)]
        counted = ((analysis.totals.users(each, exempt=False), each) for each in verdicts)
        rest = [word for word in self.fail_on if word not in (*verdicts, OVERDUE)]
        overdue = int(analysis.follow_up[OVERDUE].sum()) if OVERDUE in self.fail_on else 0
        return [
            *([_NOT_READ] if analysis.report.not_covered else []),
            *(f"{number} {verdict}" for number, verdict in counted if number),
            *(analysis.inspection.failures(_as_severe(rest), rest) if rest else []),
            *([f"{overdue} {OVERDUE}"] if overdue else []),
        ]

    def as_record(self) -> dict[str, object]:
        """Return all of it for a record, files by their SHA-256."""
        return {each.name: _recorded(getattr(self, each.name)) for each in fields(self)}

    def _asks(self) -> bool:
        """Tell whether an option chooses rules or limits, which are slow to import."""
        ours = JudgingOptions()
        return any(getattr(self, name) != getattr(ours, name) for name in _OF_BOOK)


def _recorded(value: object) -> object:
    if isinstance(value, InputFile):
        return value.sha256
    return sorted(map(_recorded, value), key=str) if isinstance(value, list) else value


def _check_run(book: "Rulebook", ids: list[str], severities: list[Severity]) -> None:
    """Refuse to wait for rules that do not run: what nobody looks at would look clean."""
    run = [rule.id for rule in book.rules]
    if missing := [word for word in ids if word not in run]:
        message = (
            f"{', '.join(missing)}: neither a verdict ({', '.join(Verdict)}), nor a"
            f" severity ({', '.join(Severity)}), nor a rule that runs ({', '.join(run)}),"
            f" nor {OVERDUE}"
        )
        raise typer.BadParameter(message, param_hint="--fail-on")
    worst = min((rule.severity.rank for rule in book.rules), default=len(Severity))
    if idle := [each for each in severities if each.rank < worst]:
        message = (
            f"{', '.join(idle)}: no rule so severe runs ({', '.join(run) or 'none does'}):"
            " ask for a milder severity, or let more rules run"
        )
        raise typer.BadParameter(message, param_hint="--fail-on")


def _as_severe(words: list[str]) -> list[Severity]:
    """Return the severities named and all that are worse."""
    mildest = max((each.rank for each in Severity if each in words), default=-1)
    return [each for each in Severity if each.rank <= mildest]
