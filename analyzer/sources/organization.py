"""Fetch the reports of an organization's accounts, each with a role of its own, many at once."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from analyzer.errors import AwsRefused
from analyzer.sources.aws import Access, translated
from analyzer.sources.manifest import Entry, Status

if TYPE_CHECKING:
    from mypy_boto3_organizations import OrganizationsClient

ATTEMPTS: Final = 6
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
class AccountSelection:
    """Hold which accounts are to be read, which not and why, and patterns that name none."""

    chosen: tuple[Account, ...]
    skipped: tuple[Entry, ...]
    unmatched: tuple[str, ...]


def selected_accounts(access: Access, selection: Selection) -> AccountSelection:
    """Ask for the organization's accounts and choose among them.

    Raises AwsRefused where it may not be asked, or where nothing is left to be read.
    """
    with closing(access.client("organizations", ATTEMPTS)) as organizations, translated():
        accounts = list(_accounts(organizations))
        below = set(_accounts_below(organizations, selection.units))
    reasons = [_why_not(account, selection, below) for account in accounts]
    chosen = [account for account, reason in zip(accounts, reasons, strict=True) if not reason]
    if not chosen:
        message = f"None of the organization's {len(accounts)} accounts is chosen: check --include,"
        raise AwsRefused(f"{message} --exclude and --organizational-unit.")
    return AccountSelection(
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
