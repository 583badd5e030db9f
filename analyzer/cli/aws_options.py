"""Define the options for requests to AWS, the same for fetch and export."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Final

import typer

from analyzer.aws.request import FetchRequest
from analyzer.cli.inputs import require
from analyzer.cli.options import of_form, whole_number


def _example_of(pattern: str, example: str) -> Callable[[str], str]:
    """Return what refuses a value that AWS would not take, without showing it."""
    return of_form(pattern, f"use one such as {example}", secret=True)


_aws: Final = partial(typer.Option, rich_help_panel="AWS")
_organization: Final = partial(typer.Option, rich_help_panel="With --organization")
_REPEATED: Final = "may be repeated."
_MATCHING: Final = f"with this id or name; * and ? match; {_REPEATED}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsOptions(FetchRequest):
    """Hold which accounts' reports to ask for, at which endpoint and with what credentials."""

    organization: bool = False

    OPTIONS: ClassVar[Mapping[str, Any]] = {
        "profile": _aws(metavar="NAME", help=f"Use this profile of ~/.aws/config; {_REPEATED}"),
        "region": _aws(
            metavar="NAME", help="Region in the account's partition, such as cn-north-1."
        ),
        "endpoint_url": _aws(
            metavar="URL",
            parser=_example_of(r"https?://[^\s@]+", "https://host:port"),
            help="Custom endpoint.",
        ),
        "timeout": _aws(
            parser=whole_number(1, what="a whole number of seconds"),
            metavar="SECONDS",
            help="Seconds to wait for AWS, for each account.",
        ),
        "service_credentials": _aws(
            "--service-credentials",
            help="Also save which users have service-specific credentials, which no report shows"
            " (iam:ListServiceSpecificCredentials).",
        ),
        "jobs": _aws(
            parser=whole_number(1, 64, "a whole number"),
            metavar="NUMBER",
            help="Accounts to ask at once, 64 at most.",
        ),
        "organization": _aws("--organization", help="Read all accounts of the organization."),
        "role_name": _organization(
            metavar="NAME",
            parser=_example_of(r"/?([!-~]+/)?[\w+=,.@-]{1,64}", "credreport"),
            help="Role to assume in each account.",
        ),
        "external_id": _organization(
            metavar="ID",
            envvar="CREDREPORT_EXTERNAL_ID",
            parser=_example_of(r"[\w+=,.@:/-]{2,1224}", "audit-2026"),
            help="External id that the role's trust policy requires.",
        ),
        "session_name": _organization(
            metavar="NAME",
            parser=_example_of(r"[\w+=,.@-]{2,64}", "credreport"),
            help="Session name in CloudTrail.",
        ),
        "include": _organization(metavar="PATTERN", help=f"Only accounts {_MATCHING}"),
        "exclude": _organization(metavar="PATTERN", help=f"No accounts {_MATCHING}"),
        "organizational_unit": _organization(
            metavar="ID", help=f"Only accounts in this unit or below; {_REPEATED}"
        ),
    }

    def check(self) -> None:
        """Raise typer.BadParameter for options that do not go together."""
        needing = (self.role_name, self.include, self.exclude, self.organizational_unit)
        alone = "options about roles, patterns and units need --organization"
        require(self.role_name or not self.organization, "--organization needs --role-name")
        one_profile = len(self.profile) < 2 or not self.organization
        require(one_profile, "--organization takes one --profile")
        require(self.organization or not any(needing), alone)
