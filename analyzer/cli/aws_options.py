"""Take the options by which AWS is asked, the same for every command, and read the accounts."""

import gc
import re
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from analyzer.sources.aws import Access, FetchedReport
    from analyzer.sources.manifest import Entry

    Keep = Callable[[IAMClient, FetchedReport, str], Entry]


_GARBAGE: Final = 10_000
"""Objects made before garbage is looked for: the client of each account is a knot of thousands."""


class Read(NamedTuple):
    """Say what became of all accounts that were to be read, and which patterns named none."""

    entries: "Sequence[Entry]"
    unmatched: Sequence[str] = ()


def _fits(pattern: str, example: str) -> Callable[[str | None], str | None]:
    """Return what refuses an option's value that AWS would not take; it is not repeated."""

    def checked(value: str | None) -> str | None:
        if value is None or re.fullmatch(pattern, value, re.ASCII):
            return value
        raise typer.BadParameter(f"it does not have the form of {example}")

    return checked


_aws: Final = partial(typer.Option, rich_help_panel="AWS")
_organization: Final = partial(typer.Option, rich_help_panel="With --organization")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Hold whom to ask for which accounts' reports, and with what credentials."""

    profile: Annotated[
        list[str],
        _aws(metavar="NAME", help="Ask with this profile of ~/.aws/config; may be repeated."),
    ] = field(default_factory=list)
    region: Annotated[
        str | None,
        _aws(metavar="NAME", help="A region of the account's partition, such as cn-north-1."),
    ] = None
    endpoint_url: Annotated[
        str | None,
        _aws(
            metavar="URL",
            callback=_fits(r"https?://[^\s@]+", "https://host:port"),
            help="Ask here instead of at AWS's own address.",
        ),
    ] = None
    timeout: Annotated[
        int, _aws(min=1, metavar="SECONDS", help="Seconds to wait for AWS to make a report.")
    ] = 300
    service_credentials: Annotated[
        bool,
        _aws(
            "--service-credentials",
            help="Also save who has service-specific credentials, which no report shows"
            " (iam:ListServiceSpecificCredentials).",
        ),
    ] = False
    jobs: Annotated[int, _aws(min=1, max=64, metavar="NUMBER", help="Accounts to ask at once.")] = (
        16
    )
    organization: Annotated[
        bool, _aws("--organization", help="Read all accounts of the organization.")
    ] = False
    role_name: Annotated[
        str | None,
        _organization(
            metavar="NAME",
            callback=_fits(r"/?([!-~]+/)?[\w+=,.@-]{1,64}", "credreport"),
            help="The role to assume in each account.",
        ),
    ] = None
    external_id: Annotated[
        str | None,
        _organization(
            metavar="ID",
            envvar="CREDREPORT_EXTERNAL_ID",
            callback=_fits(r"[\w+=,.@:/-]{2,1224}", "audit-2026"),
            help="The external id that the role's trust policy wants.",
        ),
    ] = None
    session_name: Annotated[
        str,
        _organization(
            metavar="NAME",
            callback=_fits(r"[\w+=,.@-]{2,64}", "credreport"),
            help="How the visit is called in the accounts' CloudTrail.",
        ),
    ] = "credreport"
    include: Annotated[
        list[str],
        _organization(
            metavar="PATTERN",
            help="Only accounts with this id or name; * and ? match; may be repeated.",
        ),
    ] = field(default_factory=list)
    exclude: Annotated[
        list[str],
        _organization(metavar="PATTERN", help="No accounts with this id or name; likewise."),
    ] = field(default_factory=list)
    organizational_unit: Annotated[
        list[str],
        _organization(metavar="ID", help="Only accounts in this unit or below; may be repeated."),
    ] = field(default_factory=list)

    @property
    def many(self) -> bool:
        """Tell whether the reports of more than one account may come."""
        return self.organization or len(self.profile) > 1

    def check(self) -> None:
        """Refuse options that do not go together.

        Raises typer.BadParameter.
        """
        about_organizations = (self.role_name, self.include, self.exclude, self.organizational_unit)
        refuse(
            {
                "--organization needs --role-name": self.organization and not self.role_name,
                "--organization takes one --profile": self.organization and len(self.profile) > 1,
                "options about roles, patterns and units need --organization": any(
                    about_organizations
                )
                and not self.organization,
            }
        )

    def read(
        self, keep: "Keep", progress: Callable[[int, int], None] = lambda _done, _total: None
    ) -> Read:
        """Read all accounts; `keep` saves a report and says so.

        Of many accounts, those that AWS refuses are failed. Raises AwsRefused where none can be
        asked for, or the only one is refused.
        """
        from analyzer.sources.organization import Role, Selection, tasks_of
        from analyzer.sources.tasks import Task, read_all

        stop = Event()
        if not self.many:
            return Read([self._entry(stop, keep, *self.profile)])
        gc.set_threshold(_GARBAGE)
        rest: Sequence[Entry] = ()
        unmatched: Sequence[str] = ()
        tasks: Sequence[Task]
        if self.organization and self.role_name:
            role = Role(
                name=self.role_name, external_id=self.external_id, session=self.session_name
            )
            selection = Selection(
                include=self.include, exclude=self.exclude, units=self.organizational_unit
            )
            access = self._access(*self.profile)
            tasks, rest, unmatched = tasks_of(
                access, role, selection, partial(self._ask, stop), keep
            )
        else:
            tasks = [
                Task("", each, partial(self._entry, stop, keep, each)) for each in self.profile
            ]
        entries = read_all(tasks, jobs=self.jobs, stop=stop, progress=progress)
        return Read([*entries, *rest], unmatched)

    def _access(self, profile: str | None = None) -> "Access":
        from analyzer.sources.aws import Access

        return Access(profile=profile, region=self.region, endpoint=self.endpoint_url)

    def _ask(self, stop: Event, iam: "IAMClient") -> "FetchedReport":
        from analyzer.sources.aws import fetch_report

        return fetch_report(iam, timeout=self.timeout, stopped=stop.is_set)

    def _entry(self, stop: Event, keep: "Keep", profile: str | None = None) -> "Entry":
        """Read the account that the credentials at hand belong to."""
        caller = f"profile {profile}" if profile else "ordinary credentials"
        with closing(self._access(profile).client("iam")) as iam:
            return keep(iam, self._ask(stop, iam), caller)


def refuse(misuses: "dict[str, bool]") -> None:
    """Refuse the first misuse that applies.

    Raises typer.BadParameter.
    """
    for message, applies in misuses.items():
        if applies:
            raise typer.BadParameter(message)
