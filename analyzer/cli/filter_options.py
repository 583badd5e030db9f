"""Take the options that choose which accounts and users are listed and counted."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer

from analyzer.cli.choices import days_option

if TYPE_CHECKING:
    from analyzer.judging.analysis import Analysis


def _patterns(texts: list[str]) -> list[str]:
    """Refuse empty patterns, which an unset variable of a script leaves behind."""
    if not all(texts):
        raise typer.BadParameter("the pattern is empty: name an account or a user")
    return texts


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterOptions:
    """Hold the options of a filter, which every output but the workbook keeps to."""

    account: Annotated[
        list[str],
        typer.Option(
            metavar="ACCOUNT",
            callback=_patterns,
            help="List and count only this account (id, name or pattern with * and ?); may be"
            " repeated.",
        ),
    ] = field(default_factory=list)
    user: Annotated[
        list[str],
        typer.Option(
            metavar="USER",
            callback=_patterns,
            help="List and count only this user (name, ARN or pattern with * and ?); may be"
            " repeated.",
        ),
    ] = field(default_factory=list)
    certain: Annotated[
        bool,
        typer.Option(
            "--certain",
            help="Leave out users with caveats (those to check), also from the counts.",
        ),
    ] = False
    min_age: Annotated[
        int,
        days_option(
            "Leave out users created less than this many days before the time of the report,"
            " also from the counts; users without a creation time stay.",
            least=0,
            show_default=False,
        ),
    ] = 0


def filtered(analysis: "Analysis", options: FilterOptions) -> "Analysis":
    """Return the part of an analysis that the options keep.

    Raises typer.BadParameter for an account or a user that the reports do not have: a misspelt
    name must not look like a clean result.
    """
    if options == FilterOptions():
        return analysis
    from analyzer.judging.filters import Filter, account_labels, unmatched_accounts, unmatched_users
    from analyzer.terms import short_list

    chosen = Filter(
        accounts=tuple(options.account),
        users=tuple(options.user),
        certain=options.certain,
        min_age=options.min_age,
    )
    report = analysis.report
    if missing := unmatched_accounts(report, chosen):
        known = short_list(account_labels(report)) or "none"
        message = f"{', '.join(missing)}: no such account in the reports (they have {known})"
        if not all(map(str.isdigit, report.accounts)):
            message += "; set the account of a masked report with --account-id"
        raise typer.BadParameter(message, param_hint="--account")
    if chosen.users and (missing := unmatched_users(analysis.pages(), chosen)):
        message = f"{', '.join(missing)}: no such user in the reports; use * and ? for a pattern"
        raise typer.BadParameter(message, param_hint="--user")
    return analysis.where(chosen)
