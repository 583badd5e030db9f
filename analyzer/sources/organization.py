"""Fetch the reports of an organization's accounts, each with a role of its own, many at once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from analyzer.errors import AwsRefused
from analyzer.sources.aws import Access, FetchedReport, translated
from analyzer.sources.aws_errors import Stopped
from analyzer.sources.manifest import Entry, Status
from analyzer.sources.tasks import Task

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_organizations import OrganizationsClient
    from mypy_boto3_sts import STSClient

_ATTEMPTS: Final = 6
"""Nothing waits for these services but boto3 itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Choose accounts: patterns of id or name, in which `*` and `?` match, and units' ids."""

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    units: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Describe an account as its organization knows it."""

    id: str
    name: str
    arn: str
    state: str

    @property
    def partition(self) -> str:
        """Return the partition: aws, aws-cn, aws-us-gov and so on."""
        return self.arn.split(":")[1]

    @property
    def is_management(self) -> bool:
        """Tell whether this account manages the organization; its id is in everybody's ARN."""
        return self.arn.split(":")[4] == self.id

    def matches(self, pattern: str) -> bool:
        """Tell whether a pattern names this account, by its id or, in any case, by its name."""
        wanted = pattern.lower().replace("[", "[[]")
        return any(fnmatchcase(own, wanted) for own in (self.id, self.name.lower()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Hold which accounts are to be read, which not and why, and patterns that name none."""

    chosen: tuple[Account, ...]
    skipped: tuple[Entry, ...]
    unmatched: tuple[str, ...]


def survey(access: Access, selection: Selection) -> Survey:
    """Ask for the organization's accounts and choose among them.

    Raises AwsRefused where it may not be asked, or where nothing is left to be read.
    """
    with closing(access.client("organizations", _ATTEMPTS)) as organizations, translated():
        accounts = list(_accounts(organizations))
        below = set(_accounts_below(organizations, selection.units))
    reasons = [_why_not(account, selection, below) for account in accounts]
    chosen = [account for account, reason in zip(accounts, reasons, strict=True) if not reason]
    if not chosen:
        message = f"None of the organization's {len(accounts)} accounts is chosen: check --include,"
        raise AwsRefused(f"{message} --exclude and --organizational-unit.")
    return Survey(
        chosen=tuple(chosen),
        skipped=tuple(
            Entry(account=account.id, name=account.name, status=Status.SKIPPED, reason=reason)
            for account, reason in zip(accounts, reasons, strict=True)
            if reason
        ),
        unmatched=tuple(
            pattern
            for pattern in (*selection.include, *selection.exclude)
            if not any(account.matches(pattern) for account in accounts)
        ),
    )


def _accounts(organizations: "OrganizationsClient") -> Iterator[Account]:
    for page in organizations.get_paginator("list_accounts").paginate():
        for each in page["Accounts"]:
            state = each.get("State") or each.get("Status", "UNKNOWN")
            yield Account(id=each["Id"], name=each.get("Name", ""), arn=each["Arn"], state=state)


def _accounts_below(organizations: "OrganizationsClient", units: Iterable[str]) -> Iterator[str]:
    """Yield the ids of all accounts in the units and in the units below them."""
    children = organizations.get_paginator("list_children")
    for unit in units:
        for page in children.paginate(ParentId=unit, ChildType="ACCOUNT"):
            yield from (each["Id"] for each in page["Children"])
        for page in children.paginate(ParentId=unit, ChildType="ORGANIZATIONAL_UNIT"):
            yield from _accounts_below(organizations, [each["Id"] for each in page["Children"]])


def _why_not(account: Account, selection: Selection, below: set[str]) -> str:
    if account.state != "ACTIVE":
        return f"Its state is {account.state}."
    if selection.units and account.id not in below:
        return "It is in none of the organizational units asked for."
    if selection.include and not any(map(account.matches, selection.include)):
        return "No --include names it."
    excluding = next(filter(account.matches, selection.exclude), None)
    return f"--exclude {excluding} names it." if excluding else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """Name the role to assume in each account, and what to say when asking for it."""

    name: str
    external_id: str | None = None
    session: str = "credreport"

    def arn(self, account: Account) -> str:
        """Return the role's ARN in an account."""
        return f"arn:{account.partition}:iam::{account.id}:role/{self.name.lstrip('/')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Read one account after another; `fetch` gets a report, `keep` saves it and says so."""

    access: Access
    sts: "STSClient"
    role: Role
    fetch: Callable[["IAMClient"], FetchedReport]
    keep: Callable[["IAMClient", FetchedReport, str], Entry]

    def read(self, account: Account) -> Entry:
        """Read an account with the role, or if it is the caller's, with the caller's credentials.

        Only the management account can be the caller's where no role is: it is tried so first.
        Raises AwsRefused.
        """
        own = ""
        if account.is_management:
            try:
                return self._read(account, "the caller's own credentials", {})
            except Stopped:
                raise
            except AwsRefused as error:
                own = f" (With the caller's own credentials: {error})"
        try:
            return self._read(account, f"role {self.role.arn(account)}", self._assumed(account))
        except Stopped:
            raise
        except AwsRefused as error:
            raise AwsRefused(f"{error}{own}") from None

    def _read(self, account: Account, caller: str, credentials: dict[str, Any]) -> Entry:
        with closing(self.access.client("iam", **credentials)) as iam:
            report = self.fetch(iam)
            if report.account != account.id:
                raise AwsRefused(f"AWS gave the report of another account, {report.account}.")
            return self.keep(iam, report, caller)

    def _assumed(self, account: Account) -> dict[str, Any]:
        external: dict[str, Any] = {}
        if self.role.external_id:
            external["ExternalId"] = self.role.external_id
        with translated():
            answer = self.sts.assume_role(
                RoleArn=self.role.arn(account), RoleSessionName=self.role.session, **external
            )
        given = answer["Credentials"]
        return {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }


def tasks_of(
    access: Access,
    role: Role,
    selection: Selection,
    fetch: Callable[["IAMClient"], FetchedReport],
    keep: Callable[["IAMClient", FetchedReport, str], Entry],
) -> tuple[list[Task], Sequence[Entry], Sequence[str]]:
    """Return what is to be done, the accounts that are skipped, and patterns that name none."""
    found = survey(access, selection)
    sts = access.client("sts", _ATTEMPTS)
    reader = Reader(access=access, sts=sts, role=role, fetch=fetch, keep=keep)
    tasks = [Task(each.id, each.name, partial(reader.read, each)) for each in found.chosen]
    return tasks, found.skipped, found.unmatched
