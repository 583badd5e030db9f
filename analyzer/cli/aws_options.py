"""Define the options for requests to AWS, the same for fetch and export."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import typer

from analyzer.cli.choices import whole_number

if TYPE_CHECKING:
    from analyzer.aws.fetch import FetchRequest


def _pattern_check(pattern: str, example: str) -> Callable[[str | None], str | None]:
    """Return a check that refuses an option's value that AWS would not take, without showing it."""

    def checked(value: str | None) -> str | None:
        if value is None or re.fullmatch(pattern, value, re.ASCII):
            return value
        raise typer.BadParameter(f"invalid value: use one such as {example}")

    return checked


_aws_panel: Final = partial(typer.Option, rich_help_panel="AWS")
_organization_panel: Final = partial(typer.Option, rich_help_panel="With --organization")


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsOptions:
    """Hold which accounts' reports to ask for, at which endpoint and with what credentials."""

    profile: Annotated[
        list[str],
        _aws_panel(metavar="NAME", help="Use this profile of ~/.aws/config; may be repeated."),
    ] = field(default_factory=list)
    region: Annotated[
        str | None,
        _aws_panel(metavar="NAME", help="Region in the account's partition, such as cn-north-1."),
    ] = None
    endpoint_url: Annotated[
        str | None,
        _aws_panel(
            metavar="URL",
            callback=_pattern_check(r"https?://[^\s@]+", "https://host:port"),
            help="Custom endpoint.",
        ),
    ] = None
    timeout: Annotated[
        int,
        _aws_panel(
            parser=whole_number("a whole number of seconds", 1),
            metavar="SECONDS",
            help="Seconds to wait for AWS, for each account.",
        ),
    ] = 300
    service_credentials: Annotated[
        bool,
        _aws_panel(
            "--service-credentials",
            help="Also save which users have service-specific credentials, which no report shows"
            " (iam:ListServiceSpecificCredentials).",
        ),
    ] = False
    jobs: Annotated[
        int,
        _aws_panel(
            parser=whole_number("a whole number", 1, 64),
            metavar="NUMBER",
            help="Accounts to ask at once, 64 at most.",
        ),
    ] = 16
    organization: Annotated[
        bool, _aws_panel("--organization", help="Read all accounts of the organization.")
    ] = False
    role_name: Annotated[
        str | None,
        _organization_panel(
            metavar="NAME",
            callback=_pattern_check(r"/?([!-~]+/)?[\w+=,.@-]{1,64}", "credreport"),
            help="Role to assume in each account.",
        ),
    ] = None
    external_id: Annotated[
        str | None,
        _organization_panel(
            metavar="ID",
            envvar="CREDREPORT_EXTERNAL_ID",
            callback=_pattern_check(r"[\w+=,.@:/-]{2,1224}", "audit-2026"),
            help="External id that the role's trust policy requires.",
        ),
    ] = None
    session_name: Annotated[
        str,
        _organization_panel(
            metavar="NAME",
            callback=_pattern_check(r"[\w+=,.@-]{2,64}", "credreport"),
            help="Session name in CloudTrail.",
        ),
    ] = "credreport"
    include: Annotated[
        list[str],
        _organization_panel(
            metavar="PATTERN",
            help="Only accounts with this id or name; * and ? match; may be repeated.",
        ),
    ] = field(default_factory=list)
    exclude: Annotated[
        list[str],
        _organization_panel(
            metavar="PATTERN",
            help="No accounts with this id or name; * and ? match; may be repeated.",
        ),
    ] = field(default_factory=list)
    organizational_unit: Annotated[
        list[str],
        _organization_panel(
            metavar="ID", help="Only accounts in this unit or below; may be repeated."
        ),
    ] = field(default_factory=list)

    @property
    def asks_several_accounts(self) -> bool:
        """Return whether the reports of more than one account may come."""
        return self.organization or len(self.profile) > 1

    def check(self) -> None:
        """Refuse options that do not go together.

        Raises typer.BadParameter.
        """
        if self.organization and not self.role_name:
            raise typer.BadParameter("--organization needs --role-name")
        if self.organization and len(self.profile) > 1:
            raise typer.BadParameter("--organization takes one --profile")
        needing = (self.role_name, self.include, self.exclude, self.organizational_unit)
        if any(needing) and not self.organization:
            message = "options about roles, patterns and units need --organization"
            raise typer.BadParameter(message)

    def request(self) -> "FetchRequest":
        """Return what to ask AWS for."""
        from analyzer.aws.fetch import FetchRequest

        return FetchRequest(
            **{each.name: getattr(self, each.name) for each in fields(FetchRequest)}
        )
