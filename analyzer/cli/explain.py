"""Run `credreport explain`: show why one user has its verdict."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from analyzer.cli import inputs
from analyzer.cli.options import REPEATED, InputOptions, JudgingOptions
from analyzer.cli.streams import exit_if_failed_or_partial, say, write_lines
from analyzer.cli.values import pattern, wrong_usage
from analyzer.terms import BLIND_SPOTS_PAGE, ROOT_USER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.analysis.analysis import Analysis
    from analyzer.analysis.explanation import Explanation

EXAMPLES: Final = (
    "credreport explain lena.hartwig report.json",
    "credreport explain 'svc-*' reports/ --exemptions exemptions.csv",
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
    input_options: InputOptions,
    judging_options: JudgingOptions,
    quiet: bool = typer.Option(False, "--quiet", "-q", help="Write the result and errors only."),
) -> None:
    """Explain the verdict on one user: cells, caveats, rules and exemptions."""
    if users:
        sources = [user] + sources
    else:
        _check_arguments(user, sources)
        users = [user]
    inputs.refuse_early(sources, judging_options)
    analysis_request = inputs.read_analysis_request(judging_options)
    found = inputs.find(sources, input_options)
    report = inputs.read(found, quiet=quiet)
    analysis = analysis_request.analysis(report)
    explained = [each for one in users for each in _explanations(analysis, one)]
    write_lines("\n\n".join(map(str, explained)))
    missing = analysis.report.not_covered
    for account in missing:
        say(str(account))
    if missing or not quiet:
        say(BLIND_SPOTS_PAGE)
    exit_if_failed_or_partial(missing=missing)


def _explanations(analysis: "Analysis", user: str) -> "Sequence[Explanation]":
    """Return the explanations of the users that match; raises typer.BadParameter if none does."""
    try:
        return analysis.explain(user)
    except ValueError:
        hint = _hint(user, analysis.judged.users["user"].unique().tolist())
        where = "the newest report of each account"
        message = f"'{user}': no IAM user in {where} has this name or ARN{hint}"
        raise wrong_usage(message, "USER") from None


def _hint(user: str, names: list[str]) -> str:
    """Return what may be meant by a name that no user has."""
    if any(name.startswith(user) for name in names):
        return f"; use a pattern such as '{user}*' to match several names"
    if user.lower() == "root":
        return f"; the root user is '{ROOT_USER}'"
    return ""


def _check_arguments(user: str, sources: "Sequence[str]") -> None:
    """Refuse several users, and a report named before the user; raises typer.BadParameter."""
    first, *others = sources or [""]
    is_input = first == "-" or set("*?[") & set(first) or (first and Path(first).exists())
    may_be_missing = first and not (others or Path(user).exists())
    hint = "name the user, then the reports; several users with --user"
    inputs.require(
        is_input or may_be_missing, f"'{first}': no such file or folder; {hint}", "SOURCES"
    )
