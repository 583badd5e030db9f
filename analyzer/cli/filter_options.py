"""Take the options that choose which accounts and users are listed and counted."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer

from analyzer.cli.choices import days

if TYPE_CHECKING:
    from analyzer.analysis import Analysis
    from analyzer.filters import Filter


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
        typer.Option(
            parser=days(0),
            metavar="DAYS",
            show_default=False,
            help="Leave out users created less than this many days before the time of the report,"
            " also from the counts; users without a creation time stay.",
        ),
    ] = 0

    def filtered(self, analysis: "Analysis") -> "Analysis":
        """Return the part of the analysis that the options keep.

        Raises typer.BadParameter for an account or a user that the reports do not have.
        """
        from analyzer.filters import Filter

        chosen = Filter(
            accounts=tuple(self.account),
            users=tuple(self.user),
            certain=self.certain,
            min_age=self.min_age,
        )
        _check(analysis, chosen)
        return analysis.where(chosen)


def _check(analysis: "Analysis", chosen: "Filter") -> None:
    """Refuse what matches nothing: a misspelt name must not look like a clean result."""
    from analyzer.filters import account_labels, unmatched_accounts, unmatched_users
    from analyzer.report.notes import short_list

    report = analysis.report
    if missing := unmatched_accounts(report, chosen):
        known = short_list(account_labels(report)) or "none"
        message = f"{', '.join(missing)}: no such account in the reports (they have {known})"
        if not all(map(str.isdigit, report.accounts)):
            message += "; set the account of a masked report with --account-id"
        raise typer.BadParameter(message, param_hint="--account")
    if missing := unmatched_users(analysis.pages(), chosen):
        message = f"{', '.join(missing)}: no such user in the reports; use * and ? for a pattern"
        raise typer.BadParameter(message, param_hint="--user")
