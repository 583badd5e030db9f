"""Read the reports, lists and rules that options name; refuse contradictions and unknown names."""

import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from os.path import isfile, realpath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from analyzer import columns
from analyzer.cli.options import (
    FAIL_ON_WORDS,
    FilterOptions,
    InputOptions,
    JudgingOptions,
    PatternOptions,
    ReadingOptions,
)
from analyzer.cli.streams import progress, say, utc_now
from analyzer.cli.values import (
    InputFile,
    input_file,
    matching,
    refuse_unknown_rules,
    rule_ids,
    wrong_usage,
)
from analyzer.errors import InputRefused
from analyzer.files import missing_file_refusal
from analyzer.limits import RULE_LIMITS
from analyzer.report.input_formats import InputLimit
from analyzer.terms import CONTROL, OVERDUE, Severity, Verdict, account_with_zeros, short_list

if TYPE_CHECKING:
    from datetime import datetime

    from _typeshed import DataclassInstance

    from analyzer.analysis.analysis import Analysis, AnalysisRequest
    from analyzer.analysis.rulebook import Rulebook
    from analyzer.decisions.decision import User
    from analyzer.report.age import MaxAge
    from analyzer.report.model import Exemptions
    from analyzer.report.report import Report
    from analyzer.reviews.given_reports import GivenReports
    from analyzer.sources.source import Source

SKIP_HINT: Final = "Use --skip-unreadable to go on without such files (exit code 5)."
RULE_OPTIONS: Final = ("standard", "rules", "limit")
"""The options that choose rules or their limits, and decide no verdict."""


def require(condition: object, message: str, *options: str) -> None:
    """Raise typer.BadParameter about the options unless a condition holds."""
    if not condition:
        raise wrong_usage(message, *options)


def given(options: "DataclassInstance", *names: str) -> list[str]:
    """Return which of some options, named by their fields, are not as they usually are."""
    usual = type(options)()
    return [
        f"--{name.replace('_', '-')}"
        for name in names
        if getattr(options, name) != getattr(usual, name)
    ]


def require_effect(
    of_options: list[str],
    shown: Mapping[str, str],
    without: Collection[str],
    lack: str,
    instead: str,
) -> None:
    """Refuse options that are given if all outputs, by name, are without what they change.

    `without` are the kinds that lack it. Raises typer.BadParameter.
    """
    names = [name for name, kind in shown.items() if kind in without]
    has_effect = not names or len(names) < len(shown)
    verb = "shows" if len(names) == 1 else "show"
    message = f"{', '.join(names)} {verb} {lack}: use {instead}"
    require(has_effect or not of_options, message, *of_options)


# Reports


class Inputs(NamedTuple):
    """Hold the names of reports, the sources that they stand for, and how to read these."""

    names: list[str]
    sources: "list[Source]"
    as_of: "datetime | None"
    skip_unreadable: bool

    @property
    def paths(self) -> "list[str | Path | None]":
        """Return all that is read: the names, and the files and archives that they stand for."""
        return [*self.names, *(source.archive or source.path for source in self.sources)]


def refuse_early(
    names: Collection[str],
    options: JudgingOptions,
    fail_on: Collection[str] = (),
    changes: Collection[str] = (),
) -> None:
    """Raise what `read_analysis_request` raises for words, then InputRefused if no name exists.

    Nothing here imports pandas. If some names exist, the problems of all come when they are read.
    """
    _chosen_rules(options, fail_on, changes)
    missing = [missing_file_refusal(name) for name in sorted(names) if _is_missing(name)]
    if len(missing) == len(names):
        raise InputRefused(problem for refused in missing for problem in refused.problems)


def _is_missing(name: str) -> bool:
    try:
        Path(name).stat()
    except (OSError, ValueError) as error:  # no file has a NUL in its name
        is_file_name = name != "-" and not re.search(r"[*?\[\n]", name)
        return is_file_name and isinstance(error, FileNotFoundError)
    return False


def find(names: list[str], options: ReadingOptions) -> Inputs:
    """Return all inputs that the names stand for."""
    from analyzer.sources.find import find_sources

    sources = find_sources(names, InputLimit(options.most_bytes))
    as_of = options.as_of if isinstance(options, InputOptions) else None
    return Inputs(names, sources, as_of, options.skip_unreadable)


def read(
    inputs: Inputs, *, quiet: bool = False, with_older: bool = False, can_skip: bool = True
) -> "Report":
    """Read all reports, or the newest of each account, and show progress.

    Raises InputRefused, with a note on --skip-unreadable if the command `can_skip` files.
    """
    import pyarrow as pa

    from analyzer.sources.load import load_sources

    # Arrow's own pool returns memory and then takes it again, and the kernel clears it each time:
    # with it, 1,000 reports of 500 rows take 1.3 times as long.
    pa.set_memory_pool(pa.system_memory_pool())
    names, sources, as_of, skips = inputs
    read = [source.path for source in sources if not source.is_skipped]
    sizes = [path.stat().st_size for path in read if path and path.is_file()]
    try:
        with progress(
            "Reading reports", quiet=quiet, sizes=sizes if len(sizes) == len(read) else ()
        ) as advance:
            report = load_sources(
                names, sources, as_of, advance, skip_unreadable=skips, with_older=with_older
            )
    except InputRefused as refused:
        others = len(sources) - len({problem.file for problem in refused.problems})
        if can_skip and others and not skips:
            refused.add_note(SKIP_HINT)
        raise
    pa.default_memory_pool().release_unused()  # 100 MB after 7,300 reports of 500 rows
    return report


def max_age(days: int | None = None) -> "MaxAge":
    """Return what refuses reports that are later than the clock, or older than some days now."""
    from analyzer.report.age import MaxAge

    return MaxAge(utc_now(), days)


# Criteria, lists and rules


def read_analysis_request(
    options: JudgingOptions, fail_on: Collection[str] = (), changes: Collection[str] = ()
) -> "AnalysisRequest":
    """Return the criteria, the lists, the chosen rules and the words of --fail-on.

    `changes` are the kinds of change that --fail-on takes besides.

    Raises typer.BadParameter for unknown rules, contradicting options and a word of --fail-on that
    nothing can meet (the result would look clean), InputRefused for a list.
    """
    require(options.decisions or not options.log, "name the ledger with --decisions", "--log")
    _load_arrow_without_pandas()
    book = _chosen_rules(options, fail_on, changes)

    from analyzer.analysis.analysis import AnalysisRequest

    return AnalysisRequest(
        criteria=options.criteria(),
        book=book,
        **_lists(options),
        fail_on=fail_on,
    )


class _NoPandas:
    """Find no pandas."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        """Raise ImportError for pandas, and leave other modules to the next finder."""
        if name == "pandas":
            raise ImportError(name)


def _load_arrow_without_pandas() -> None:
    """Let Arrow, which asks for pandas at its first array, go without it until there is a frame.

    With pandas 5,000 users take 1.5 times as long; `report.frames` lets Arrow ask again.
    """
    import pyarrow as pa

    sys.meta_path.insert(0, _NoPandas)
    pa.array([0])
    sys.meta_path.remove(_NoPandas)


def _chosen_rules(
    options: JudgingOptions, fail_on: Collection[str], changes: Collection[str] = ()
) -> "Rulebook | None":
    """Return the rules that run, None for the usual ones; raises typer.BadParameter."""
    chooses_rules = given(options, *RULE_OPTIONS)
    ids = [word for word in fail_on if word not in (*FAIL_ON_WORDS, *changes)]
    book = _rulebook(options) if chooses_rules or ids else None
    if fail_on and (problem := next(_fail_on_problems(options, fail_on, ids, book, changes), "")):
        raise wrong_usage(problem, "--fail-on")
    return book if chooses_rules else None


def _lists(options: JudgingOptions) -> dict[str, Any]:
    """Return the lists that are named, by the fields of `AnalysisRequest`; raises InputRefused."""
    lists: dict[str, Any] = {}
    if options.exemptions or options.exempt:
        lists["exemptions"] = exemptions_of(options.exemptions, options.exempt)
    if options.decisions:
        from analyzer.decisions.ledger import read_ledger
        from analyzer.decisions.removal_log import NO_LOG, read_removal_log

        log = sum((read_removal_log(*file) for file in options.log), NO_LOG)
        lists["ledger"] = replace(read_ledger(*options.decisions), log=log)
    if options.accounts:
        from analyzer.lists.owners import read_account_list

        lists["accounts"] = read_account_list(*options.accounts)
    if options.owners:
        from analyzer.lists.owners import read_owners

        lists["owners"] = read_owners(*options.owners)
    return lists


def exemptions_of(file: InputFile | None, by_option: Iterable[str]) -> "Exemptions":
    """Return the entries of an exemption list, then those of --exempt; raises InputRefused."""
    from analyzer.report.model import Exemption, Exemptions
    from analyzer.sources.load import read_exemptions

    listed = read_exemptions(file) if file else Exemptions()
    return replace(listed, entries=(*listed, *map(Exemption.of_option, by_option)))


def _rulebook(options: JudgingOptions) -> "Rulebook":
    """Return the rules that run and their limits; raises typer.BadParameter for an unknown rule."""
    from analyzer.analysis.rulebook import rulebook

    known = [*rule_ids(), "default", "all"]
    on = [rule.id for rule in rulebook(options.standard).rules]
    chosen = [rule for word in options.rules for rule in _rules_meant(word, on, known)]
    refuse_unknown_rules(chosen, known, "--rules")
    return rulebook(options.standard, rules=chosen, limits=_limits(options))


def _rules_meant(word: str, on: Collection[str], known: Collection[str]) -> list[str]:
    """Return the rules that a word of --rules means: the one named, or those of a pattern.

    A pattern means those of the rules that are on; raises typer.BadParameter if all are off.
    """
    if word in known:
        return [word]
    meant, off = matching([word], on), matching([word], known)
    if meant == [word] != off:
        message = f"'{word}' matches only rules that are off: name {', '.join(off)}"
        raise wrong_usage(message, "--rules")
    return meant


def _limits(options: JudgingOptions) -> dict[str, int]:
    """Return the limits that are set, by the fields of `Thresholds`; refuse one that is set twice.

    A standard has idle days of its own for its rules; those of the option then decide verdicts
    alone.
    """
    limits = {} if options.standard else {"idle_days": options.idle_days}
    for entry in options.limit:
        name, _, days = entry.partition("=")
        require(RULE_LIMITS[name] not in limits, f"{name} is set twice: set it once", "--limit")
        limits[RULE_LIMITS[name]] = int(days)
    return limits


def _fail_on_problems(
    options: JudgingOptions,
    fail_on: Collection[str],
    ids: list[str],
    book: "Rulebook | None",
    changes: Collection[str],
) -> Iterator[str]:
    if CONTROL in fail_on and options.standard is None:
        yield f"{CONTROL}: choose the controls with --standard"
    if book is None:
        return
    run = [rule.id for rule in book.rules]
    missing = [word for word in ids if word not in run]
    if off := [word for word in missing if word in rule_ids()]:
        words = off if options.rules else ["default", *off]
        hint = f"add {' '.join(f'--rules {word}' for word in words)}"
        yield f"{', '.join(off)}: a rule that does not run; {hint}"
    if missing:
        near = get_close_matches(missing[0], [*FAIL_ON_WORDS, *changes, *run], 1)
        hint = f"did you mean {near[0]}? Choose" if near else "choose"
        kinds = f" the kinds of change {', '.join(changes)};" if changes else ""
        yield (
            f"'{', '.join(missing)}': {hint} from the verdicts {', '.join(Verdict)}; the severities"
            f" {', '.join(Severity)}; {CONTROL}; {OVERDUE};"
            f"{kinds} or the rules that run:"
            f" {', '.join(run) or 'none'}"
        )
    worst = min((rule.severity.rank for rule in book.rules), default=len(Severity))
    if without_rules := [
        severity for severity in Severity if severity in fail_on and severity.rank < worst
    ]:
        yield (
            f"{', '.join(without_rules)}: no rule of this severity runs"
            f" ({', '.join(run) or 'none runs'}); choose a lower severity, or let more rules run"
        )


def check_overdue(options: JudgingOptions, fail_on: Collection[str]) -> None:
    """Refuse overdue without a ledger: no decision would be overdue. Raises typer.BadParameter."""
    is_there = options.decisions or OVERDUE not in fail_on
    require(is_there, f"{OVERDUE}: name the ledger with --decisions", "--fail-on")


def filtered(analyses: "Sequence[Analysis]", options: PatternOptions) -> "list[Analysis]":
    """Return the parts of analyses that the options keep.

    Raises typer.BadParameter for an account or a user that none of them has: a misspelt name must
    not look like a clean result.
    """
    if options == type(options)():
        return list(analyses)
    from analyzer.analysis.filters import (
        Filter,
        account_labels,
        unmatched_accounts,
        unmatched_users,
    )

    given = Filter(accounts=tuple(options.account), users=tuple(options.user))
    if isinstance(options, FilterOptions):
        given = replace(
            given,
            exposures=tuple(options.exposure),
            certain=options.certain,
            min_age=options.min_age,
        )
    reports = [analysis.report for analysis in analyses]
    if missing := _in_all(unmatched_accounts(report, given) for report in reports):
        labels = {label: None for report in reports for label in account_labels(report)}
        known = short_list(list(labels)) or "none"
        message = f"{', '.join(missing)}: no such account in the reports (they have {known})"
        if meant := account_with_zeros(missing[0]):
            message += "; an account has 12 digits"
            message += f"; did you mean {meant}?" if meant in labels else ""
        raise wrong_usage(message, "--account")
    users = (unmatched_users(analysis.judged, given) for analysis in analyses)
    if given.users and (missing := _in_all(users)):
        names = [name for analysis in analyses for name in analysis.judged.users[columns.USER]]
        sentences = "; ".join(_unmatched_user_text(pattern, names) for pattern in missing)
        raise wrong_usage(f"{sentences}; use * and ? in a pattern", "--user")
    return [analysis.where(given) for analysis in analyses]


def _unmatched_user_text(pattern: str, names: Iterable[str]) -> str:
    """Return that a pattern matches no user, with up to three names that may be meant."""
    from analyzer.analysis.filters import NOT

    lower = {name.lower(): name for name in names}
    near = get_close_matches(pattern.removeprefix(NOT).lower(), lower, 3, _CLOSE)
    meant = f"; did you mean {', '.join(lower[name] for name in near)}?" if near else ""
    if pattern.startswith(NOT):
        return f"{pattern} excludes nobody: {pattern.removeprefix(NOT)} matches no user{meant}"
    return f"{pattern}: matches no user in the reports{meant}"


_CLOSE: Final = 0.75
"""The similarity from which another name is offered."""


def _in_all(lists: Iterable[list[str]]) -> list[str]:
    first, *others = lists
    return [sentence for sentence in first if all(sentence in other for other in others)]


# Decisions


def decision_inputs(names: Iterable[str]) -> list[InputFile]:
    """Read the files that hold decisions, sorted by name.

    In a folder, workbooks and CSV files are read; hidden files, locks and the index are skipped. A
    message names all other files. Raises InputRefused.
    """
    names = [str(Path(name)) for name in names]
    paths = sorted(path for name in names for path in _decision_paths(name))
    files = [named_file(path) for path in paths]

    from analyzer.reviews.entries import may_hold_decisions

    others = [file for file in files if file.name not in names and not may_hold_decisions(*file)]
    if others:
        say(f"Not read, neither a workbook nor a CSV: {short_list([file.name for file in others])}")
    if len(others) == len(files):
        raise InputRefused.of_file(short_list(names), "holds no workbook", "Check the path.")
    return [file for file in files if file not in others]


def given_reports(
    names: list[str],
    lists: Sequence[InputFile],
    options: InputOptions,
    decided: "Collection[User]" = (),
    age: "MaxAge | None" = None,
) -> "GivenReports":
    """Return the reports and lists that workbooks and lists may be made from.

    A run has the lists that it was made with. `decided` are users with a word in the ledger, whom a
    list may lack. `age` refuses reports.
    """
    from analyzer.reviews.given_reports import GivenReports
    from analyzer.runs.inputs import LISTS
    from analyzer.writers.workbook.book import SheetName
    from analyzer.writers.workbook.listed_users import users_on_lists

    found = find(names, options) if names else None
    folders = [Path(name) for name in names if Path(name).is_dir()]
    kept = [path for folder in folders for name in LISTS for path in folder.rglob(name)]
    return GivenReports(
        names=names,
        sources=found.sources if found else (),
        as_of=found.as_of if found else None,
        lists=[*lists, *(named_file(str(path)) for path in kept)],
        make_lists=users_on_lists,
        sheets=[*SheetName],
        decided=decided,
        age=age,
    )


def named_file(path: str) -> InputFile:
    """Read a file that an argument names; raises InputRefused."""
    try:
        return input_file(path)
    except ValueError as error:
        message = str(error).removeprefix(f"{path} ")
        raise InputRefused.of_file(path, message, "Check the path.") from None


def _decision_paths(name: str) -> list[str]:
    if not Path(name).is_dir():
        return [name]
    from analyzer.writers.workbook import INDEX

    listed = (path for path in Path(name).iterdir() if not path.name.startswith((".", "~$")))
    return [str(path) for path in listed if path.name != INDEX]


# Outputs


def check_outputs(
    outputs: Iterable[Path],
    inputs: "Iterable[InputFile | str | Path | None]",
    *,
    are_ledgers: bool = False,
) -> None:
    """Refuse outputs that are named twice or would replace evidence.

    Evidence is a file that was read, that holds decisions of a reviewer, or that is saved with
    reports. `are_ledgers` allows ledgers, to which lines are added. Raises typer.BadParameter.
    """
    from analyzer.sources.files_beside import BESIDE_ENDINGS
    from analyzer.writers import check_targets

    try:
        read = (file.name if isinstance(file, InputFile) else file for file in inputs)
        check_targets(outputs, filter(None, read))
    except ValueError as error:
        raise wrong_usage(str(error), "--output") from None
    for output in outputs:
        saved = f"{output} has the name of a file that is saved with reports: name another output"
        require(not realpath(output).endswith(BESIDE_ENDINGS), saved, "--output")
        try:
            if isfile(output):  # noqa: PTH113  an invalid name is no file, and fails when written
                _check_replaceable(output, are_ledgers=are_ledgers)
        except OSError as error:
            message = f"{output} cannot be read: {error.strerror}"
            raise wrong_usage(message, "--output") from None


def _check_replaceable(output: Path, *, are_ledgers: bool) -> None:
    """Refuse to write over what people entered; raises typer.BadParameter, OSError.

    Of a workbook only the seal is read; an empty file has nothing to lose.
    """
    from analyzer.decisions.ledger import holds_decisions
    from analyzer.files import begins_as_workbook, is_sealed

    with output.open("rb") as stream:
        start = stream.read(4)
    if not start:
        return
    if output.suffix.lower() == ".xlsx" or begins_as_workbook(start):
        changed = f"{output} was changed since credreport wrote it: name another output"
        require(is_sealed(output), changed, "--output")
    elif not are_ledgers:
        entered = f"{output} has decisions of a reviewer: name another output"
        require(not holds_decisions(output), entered, "--output")
