"""Wire `credreport fetch`: ask AWS for the report of one account or many, and save it."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from analyzer.sources.aws import Access, FetchedReport
    from analyzer.sources.manifest import Entry

    Ask = Callable[[IAMClient], FetchedReport]
    Keep = Callable[[IAMClient, FetchedReport, str], Entry]

STANDARD_OUTPUT: Final = "-"


def _fits(pattern: str, example: str) -> Callable[[str | None], str | None]:
    """Return what refuses an option's value that AWS would not take; it is not repeated."""

    def checked(value: str | None) -> str | None:
        if value is None or re.fullmatch(pattern, value, re.ASCII):
            return value
        raise typer.BadParameter(f"it does not have the form of {example}")

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
        typer.Option(
            metavar="NAME", help="Ask with this profile of ~/.aws/config; may be repeated."
        ),
    ] = [],
    region: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="A region of the account's partition, such as cn-north-1."
        ),
    ] = None,
    endpoint_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            callback=_fits(r"https?://[^\s@]+", "https://host:port"),
            help="Ask here instead of at AWS's own address.",
        ),
    ] = None,
    timeout: Annotated[
        int,
        typer.Option(min=1, metavar="SECONDS", help="Seconds to wait for AWS to make a report."),
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
            metavar="NAME",
            callback=_fits(r"/?([!-~]+/)?[\w+=,.@-]{1,64}", "credreport"),
            help=f"{_ORGANIZATION}: the role to assume in each account.",
        ),
    ] = None,
    external_id: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            envvar="CREDREPORT_EXTERNAL_ID",
            callback=_fits(r"[\w+=,.@:/-]{2,1224}", "audit-2026"),
            help=f"{_ORGANIZATION}: the external id that the role's trust policy wants.",
        ),
    ] = None,
    session_name: Annotated[
        str,
        typer.Option(
            metavar="NAME",
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
    jobs: Annotated[
        int, typer.Option(min=1, max=64, metavar="NUMBER", help="Accounts to ask at once.")
    ] = 16,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
) -> None:
    """Fetch the credential report from AWS: two calls an account, and none per user."""
    many = organization or len(profile) > 1
    about_organizations = (role_name, include, exclude, organizational_unit)
    _refuse(
        {
            "--organization needs --role-name": organization and not role_name,
            "--organization takes one --profile": organization and len(profile) > 1,
            "options about roles, patterns and units need --organization": not organization
            and any(about_organizations),
            "-o - takes one report, and nothing beside it": output == STANDARD_OUTPUT
            and (many or service_credentials),
            "many accounts need a folder": many and Path(output).is_file(),
        }
    )
    from analyzer.cli import outcome
    from analyzer.cli.messages import progress
    from analyzer.sources.aws import Access, fetch_report
    from analyzer.sources.organization import Role, Selection, Task, read_all, tasks_of
    from analyzer.sources.saving import save

    stop = Event()
    enter = partial(Access, region=region, endpoint=endpoint_url)
    ask = partial(fetch_report, timeout=timeout, stopped=stop.is_set)
    keep = partial(save, partial(_path, output, many=many), evidence=service_credentials)
    if not many:
        kept = outcome.printed if output == STANDARD_OUTPUT else keep
        outcome.end([_read(enter, ask, kept, *profile)], quiet=quiet)
        return
    rest: Sequence[Entry] = ()
    unmatched: Sequence[str] = ()
    if organization and role_name:
        role = Role(name=role_name, external_id=external_id, session=session_name)
        selection = Selection(include=include, exclude=exclude, units=organizational_unit)
        tasks, rest, unmatched = tasks_of(
            enter(profile=profile[0] if profile else None), role, selection, ask, keep
        )
    else:
        tasks = [Task("", name, partial(_read, enter, ask, keep, name)) for name in profile]
    with progress(quiet=quiet) as told:
        entries = read_all(tasks, jobs=jobs, stop=stop, progress=told)
    outcome.end_many([*entries, *rest], unmatched, Path(output), quiet=quiet)


def _refuse(misuses: Mapping[str, bool]) -> None:
    for message, applies in misuses.items():
        if applies:
            raise typer.BadParameter(message)


def _read(
    enter: "Callable[..., Access]", ask: "Ask", keep: "Keep", profile: str | None = None
) -> "Entry":
    """Read the account that the credentials at hand belong to."""
    with closing(enter(profile=profile).client("iam")) as iam:
        return keep(iam, ask(iam), f"profile {profile}" if profile else "ordinary credentials")


def _path(output: str, name: str, *, many: bool) -> Path:
    is_folder = many or output.endswith(("/", os.sep)) or Path(output).is_dir()
    return Path(output, name) if is_folder else Path(output)
