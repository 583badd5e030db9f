"""Run `credreport explain`: show why one user has its verdict."""

import json
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from analyzer.cli import inputs
from analyzer.cli.log import TextOrJson
from analyzer.cli.options import DAYS, FORMAT, REPEATED, InputOptions, JudgingOptions
from analyzer.cli.streams import exit_if_failed_or_partial, say, text_stream, write_lines
from analyzer.cli.values import pattern, wrong_usage
from analyzer.terms import ROOT_USER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.analysis.analysis import Analysis, AnalysisRequest
    from analyzer.analysis.explanation import Explanation
    from analyzer.writers.history import UserHistory

EXAMPLES: Final = (
    "credreport explain lena.hartwig report.json",
    "credreport explain lena.hartwig runs/ --history",
)


def explain(
    user: Annotated[
        str,
        typer.Argument(
            parser=pattern,
            metavar="USER",
            help="Name or ARN of a user, a pattern with * and ?, or '<root_account>'.",
        ),
    ],
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCES", help="Credential reports, as `analyze` takes them."),
    ] = [],
    *,
    users: list[str] = typer.Option(
        [],
        "--user",
        parser=pattern,
        metavar="USER",
        help=f"Explain this user, in place of the argument USER; {REPEATED}",
    ),
    form: TextOrJson = typer.Option(
        TextOrJson.TEXT, *FORMAT, metavar="FORMAT", help=f"Write {' or '.join(TextOrJson)}."
    ),
    show_history: bool = typer.Option(
        False, "--history", help="Show what happened to the user, from all reports."
    ),
    max_gap: int = typer.Option(
        31, **DAYS, help="With --history, name gaps of more days than this."
    ),
    input_options: InputOptions,
    judging_options: JudgingOptions,
    quiet: bool = typer.Option(False, "--quiet", "-q", help="Write the result and errors only."),
) -> None:
    """Explain the verdict on one user: cells, caveats, rules and exemptions."""
    if users:
        sources = [user, *sources]
    else:
        _check_arguments(user, sources)
        users = [user]
    inputs.refuse_early(sources, judging_options)
    analysis_request = inputs.read_analysis_request(judging_options)
    reports = inputs.find_inputs(sources, input_options)
    explained: Sequence[Explanation | UserHistory]
    missing: Sequence[object]
    if show_history:
        explained, missing, notes = _histories(reports, analysis_request, users, max_gap)
    else:
        analysis = analysis_request.analysis(inputs.load(reports, quiet=quiet))
        missing = analysis.report.not_covered
        explained = [found for one in users for found in _explanations(analysis, one)]
        from analyzer.writers.headline import blind_spots_line

        notes = [*map(str, missing), blind_spots_line(analysis.report.files)]
    if form is TextOrJson.JSON:
        with text_stream() as stream:
            json.dump([explanation.document() for explanation in explained], stream, indent=2)
            stream.write("\n")
    else:
        write_lines("\n\n".join(map(str, explained)))
    for note in notes if missing or not quiet else ():
        say(note)
    exit_if_failed_or_partial(missing=missing)


def _histories(
    reports: inputs.Inputs, analysis_request: "AnalysisRequest", users: list[str], max_gap: int
) -> "tuple[list[UserHistory], list[object], list[str]]":
    """Return the histories of the users that match, what their accounts lack, and the notes.

    Raises typer.BadParameter for the root user, and if no user matches one of the patterns.
    """
    from analyzer.changes.period import Span
    from analyzer.writers.history import BLIND_SPOT, remarks, user_histories

    inputs.require(
        ROOT_USER not in users, "only users have a history: compare two reports by diff", "USER"
    )
    period_history = inputs.history_of(
        reports, analysis_request, Span(max_gap=max_gap), quiet=False
    )
    histories: list[UserHistory] = []
    for user in users:
        histories += (found := user_histories(period_history, user))
        if not found:
            raise _no_user(user, period_history.users["user"], "the reports")
    of_accounts = period_history.of_accounts({history.user["account"] for history in histories})
    return histories, of_accounts.missing, [*remarks(of_accounts), BLIND_SPOT]


def _explanations(analysis: "Analysis", user: str) -> "Sequence[Explanation]":
    """Return the explanations of the users that match; raises typer.BadParameter if none does."""
    try:
        return analysis.explain(user)
    except ValueError:
        names = analysis.judged.users["user"]
        where = "the newest report of each account (--history looks in all)"
        raise _no_user(user, names, where) from None


def _no_user(user: str, names: "Iterable[str]", where: str) -> typer.BadParameter:
    """Return the error about a user that is not in the reports, with a similar name if any."""
    distinct = dict.fromkeys(names)
    if any(name.startswith(user) for name in distinct):
        hint = f"; use a pattern such as '{user}*' to match several names"
    elif user.lower() == "root":
        hint = f"; the root user is '{ROOT_USER}'"
    else:
        hint = "".join(f"; did you mean {name}?" for name in get_close_matches(user, distinct, 1))
    return wrong_usage(f"'{user}': no IAM user in {where} has this name or ARN{hint}", "USER")


def _check_arguments(user: str, sources: "Sequence[str]") -> None:
    """Refuse several users, and a report named before the user; raises typer.BadParameter."""
    first, *others = sources or [""]
    is_input = first == "-" or {*"*?["} & {*first} or (first and Path(first).exists())
    may_be_missing = first and not (others or Path(user).exists())
    hint = "name the user, then the reports; several users with --user"
    inputs.require(
        is_input or may_be_missing, f"'{first}': no such file or folder; {hint}", "SOURCES"
    )
