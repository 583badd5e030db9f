"""List the accounts of an organization, and choose those whose reports to fetch."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from analyzer.errors import AwsRefused
from analyzer.sources.aws import PATIENT_ATTEMPTS, AwsSession, DeadlineClient, aws_errors_translated
from analyzer.sources.aws_answers import list_field, not_from_aws, text_field
from analyzer.sources.deadline import Deadline
from analyzer.sources.manifest import AccountEntry, Status
from analyzer.terms import ACCOUNT_ID_PATTERN, printable


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFilter:
    """Choose accounts: patterns of id or name, in which `*` and `?` match, and units' ids."""

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    units: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Describe an account as its organization lists it."""

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
        """Return whether it is the management account, whose id is in the ARN of every account."""
        return self.arn.split(":")[4] == self.id

    def matches(self, pattern: str) -> bool:
        """Return whether a pattern matches this account's id or, in any case, its name."""
        literal = pattern.lower().replace("[", "[[]")
        return any(fnmatchcase(own, literal) for own in (self.id, self.name.lower()))


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSelection:
    """Hold the accounts to read, the others with the reason, and patterns that match none.

    `not_chosen` are skipped, or failed where their place in the list is not valid.
    """

    chosen: tuple[Account, ...]
    not_chosen: tuple[AccountEntry, ...]
    unmatched: tuple[str, ...]


def selected_accounts(
    access: AwsSession, selection: AccountFilter, deadline: Deadline
) -> AccountSelection:
    """Ask for the organization's accounts and choose among them.

    Raises AwsRefused where it may not be asked, or where nothing is left to be read.
    """
    with (
        closing(access.client("organizations", deadline, attempts=PATIENT_ATTEMPTS)) as client,
        aws_errors_translated(),
    ):
        pages = client.pages("list_accounts")
        listed = [each for page in pages for each in list_field(page, "Accounts")]
        below = set(_accounts_below(client, selection.units))
    accounts, failed = _valid_accounts(listed)
    reasons = [_why_skipped(account, selection, below) for account in accounts]
    chosen = [account for account, reason in zip(accounts, reasons, strict=True) if not reason]
    if not chosen and not failed:
        message = f"None of the organization's {len(accounts)} accounts is chosen: check --include,"
        raise AwsRefused(f"{message} --exclude and --organizational-unit.")
    skipped = (
        AccountEntry(account=account.id, name=account.name, status=Status.SKIPPED, reason=reason)
        for account, reason in zip(accounts, reasons, strict=True)
        if reason
    )
    return AccountSelection(
        chosen=tuple(chosen),
        not_chosen=(*failed, *skipped),
        unmatched=tuple(
            pattern
            for pattern in (*selection.include, *selection.exclude)
            if not any(account.matches(pattern) for account in accounts)
        ),
    )


def _valid_accounts(listed: Iterable[object]) -> tuple[list[Account], list[AccountEntry]]:
    """Return the accounts of a list, and as failed those that it does not name as AWS does.

    Raises AwsRefused where the list holds something else.
    """
    accounts, failed = [], []
    for each in listed:
        account = _account(each)
        if _is_account_id(account.id) and _ACCOUNT_ARN.fullmatch(account.arn):
            accounts.append(account)
        else:
            number = account.id if _is_account_id(account.id) else ""
            failed.append(_failed(number, account.name or "an account", _INVALID))
    times = Counter(account.id for account in accounts) + Counter(
        entry.account for entry in failed if entry.account
    )
    repeated = {number for number, count in times.items() if count > 1}
    first = {account.id: account.name for account in reversed(accounts)}
    return (
        [account for account in accounts if account.id not in repeated],
        [
            *(entry for entry in failed if entry.account not in repeated),
            *(_failed(number, first.get(number, ""), _REPEATED) for number in sorted(repeated)),
        ],
    )


def _account(value: object) -> Account:
    """Return what a list says of an account; nothing of it is checked but that it is text."""
    if not isinstance(value, Mapping) or not _has_texts(value):
        raise not_from_aws("a list of accounts with an invalid value")
    state = value.get("State") or value.get("Status")
    return Account(
        id=value.get("Id", ""),
        name=printable(value.get("Name", "")),
        arn=value.get("Arn", ""),
        state=state if state in _STATES else "UNKNOWN",
    )


def _has_texts(value: Mapping[str, object]) -> bool:
    return all(isinstance(value.get(name, ""), str) for name in _TEXTS)


def _failed(number: str, name: str, reason: str) -> AccountEntry:
    return AccountEntry(account=number, name=name, status=Status.FAILED, reason=reason)


_TEXTS: Final = ("Id", "Name", "Arn", "State", "Status")
_STATES: Final = ("ACTIVE", "CLOSED", "PENDING_ACTIVATION", "PENDING_CLOSURE", "SUSPENDED")
_ACCOUNT_ARN: Final = re.compile(
    f"arn:aws[a-z0-9-]*:organizations::{ACCOUNT_ID_PATTERN}:account/[ -~]+"
)


def _is_account_id(text: str) -> bool:
    return re.fullmatch(ACCOUNT_ID_PATTERN, text) is not None


_INVALID: Final = "AWS lists it without a valid account id and ARN."
_REPEATED: Final = "AWS lists it more than once."


def _accounts_below(client: DeadlineClient, units: Iterable[str]) -> Iterator[str]:
    """Yield the ids of all accounts in the units and in the units below them."""
    pending, visited = [*units], set()
    while pending:
        unit = pending.pop()
        if unit not in visited:
            visited.add(unit)
            yield from _children(client, unit, "ACCOUNT")
            pending += _children(client, unit, "ORGANIZATIONAL_UNIT")


def _children(client: DeadlineClient, unit: str, kind: str) -> Iterator[str]:
    for page in client.pages("list_children", ParentId=unit, ChildType=kind):
        yield from (text_field(each, "Id") for each in list_field(page, "Children"))


def _why_skipped(account: Account, selection: AccountFilter, below: set[str]) -> str:
    if account.state != "ACTIVE":
        return f"Its state is {account.state}."
    if selection.units and account.id not in below:
        return "It is in none of the organizational units of --organizational-unit."
    if selection.include and not any(map(account.matches, selection.include)):
        return "No --include matches it."
    excluding = next(filter(account.matches, selection.exclude), None)
    return f"--exclude {excluding} matches it." if excluding else ""
