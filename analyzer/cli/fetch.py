"""Wire `credreport fetch`: ask AWS for the report of one account or many, and save it."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Final

import typer

from analyzer.sources.manifest import Entry

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from analyzer.sources.aws import FetchedReport

    Fetch = Callable[[IAMClient], FetchedReport]
    Keep = Callable[[IAMClient, FetchedReport, str], Entry]

PARTIAL: Final = 5
"""The exit code where something that was asked for could not be read; the rest is written."""

STANDARD_OUTPUT: Final = "-"


def _fits(pattern: str, example: str) -> Callable[[str | None], str | None]:
    """Return what refuses an option's value that does not have the form that AWS wants."""

    def checked(value: str | None) -> str | None:
        if value is None or re.fullmatch(pattern, value):
            return value
        raise typer.BadParameter(f"{value!r} does not have the form of {example}")

    return checked


_ORGANIZATION: Final = "With --organization"


def fetch(
    *,
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            metavar="PATH",
            help="A folder, a file for one account, or - for standard output.",
        ),
    ] = ".",
    profile: Annotated[
        list[str],
        typer.Option(help="Ask with this profile of ~/.aws/config; may be repeated."),
    ] = [],
    region: Annotated[
        str | None,
        typer.Option(help="A region of the account's partition, such as cn-north-1."),
    ] = None,
    endpoint_url: Annotated[
        str | None,
        typer.Option(
            callback=_fits(r"https?://[^\s@]+", "https://host:port"),
            help="Ask here instead of at AWS's own address.",
        ),
    ] = None,
    timeout: Annotated[
        int, typer.Option(min=1, help="Seconds to wait for AWS to make a report.")
    ] = 300,
    service_credentials: Annotated[
        bool,
        typer.Option(
            "--service-credentials",
            help="Also save who has service-specific credentials, which no report shows"
            " (iam:ListServiceSpecificCredentials).",
        ),
    ] = False,
    organization: Annotated[
        bool, typer.Option("--organization", help="Fetch from all accounts of the organization.")
    ] = False,
    role_name: Annotated[
        str | None,
        typer.Option(
            callback=_fits(r"/?([!-~]+/)?[\w+=,.@-]{1,64}", "credreport"),
            help=f"{_ORGANIZATION}: the role to assume in each account.",
        ),
    ] = None,
    external_id: Annotated[
        str | None,
        typer.Option(
            envvar="CREDREPORT_EXTERNAL_ID",
            callback=_fits(r"[\w+=,.@:/-]{2,1224}", "audit-2026"),
            help=f"{_ORGANIZATION}: the external id that the role's trust policy wants.",
        ),
    ] = None,
    session_name: Annotated[
        str,
        typer.Option(
            callback=_fits(r"[\w+=,.@-]{2,64}", "credreport"),
            help=f"{_ORGANIZATION}: how the visit is called in the accounts' CloudTrail.",
        ),
    ] = "credreport",
    include: Annotated[
        list[str],
        typer.Option(
            metavar="PATTERN",
            help=f"{_ORGANIZATION}: only accounts with this id or name; * and ? match; may be"
            " repeated.",
        ),
    ] = [],
    exclude: Annotated[
        list[str],
        typer.Option(
            metavar="PATTERN", help=f"{_ORGANIZATION}: no accounts with this id or name; likewise."
        ),
    ] = [],
    organizational_unit: Annotated[
        list[str],
        typer.Option(
            metavar="ID",
            help=f"{_ORGANIZATION}: only accounts in this unit or below; may be repeated.",
        ),
    ] = [],
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Accounts to ask at once.")] = 8,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
) -> None:
    """Fetch the credential report from AWS: two calls an account, and nothing per user."""
