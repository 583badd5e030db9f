"""List the accounts of an organization, and choose those whose reports to fetch."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from analyzer.aws import FetchRequest
from analyzer.aws.answers import field_of
from analyzer.aws.client import AwsSession, Deadline, DeadlineClient
from analyzer.aws.errors import not_from_aws
from analyzer.errors import AwsRefused
from analyzer.sources.manifest import AccountEntry, FetchedAccounts, Status
from analyzer.terms import ACCOUNT_ID_PATTERN, count_text, printable

_TEXTS: Final = ("Id", "Name", "Arn", "State", "Status")
_STATES: Final = ("ACTIVE", "CLOSED", "PENDING_ACTIVATION", "PENDING_CLOSURE", "SUSPENDED")
_ACCOUNT_ARN: Final = re.compile(
    f"arn:aws[a-z0-9-]*:organizations::{ACCOUNT_ID_PATTERN}:account/[ -~]+"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Describe an account as its organization lists it; an id that is not valid is empty."""

    id: str
    name: str
    arn: str
    state: str

    @property
    def is_management(self) -> bool:
        """Return whether it is the management account, whose id is in the ARN of every account."""
        return self.arn.split(":")[4] == self.id

    def role_arn(self, name: str) -> str:
        """Return the ARN of a role in this account; its name may have a path."""
        partition = self.arn.split(":")[1]
        return f"arn:{partition}:iam::{self.id}:role/{name.lstrip('/')}"

    def matches(self, pattern: str) -> bool:
        """Return whether a pattern matches this account's id or, in any case, its name."""
        literal = pattern.lower().replace("[", "[[]")
        return any(fnmatchcase(own, literal) for own in (self.id, self.name.lower()))


def chosen_accounts(
    session: AwsSession, request: FetchRequest, deadline: Deadline
) -> tuple[list[Account], FetchedAccounts]:
    """Return the organization's accounts to fetch, and the others with the reason.

    The others are skipped, or failed if AWS does not list them as accounts.

    Raises AwsRefused if AWS does not list them, or if none is chosen.
    """
    client = session.client("organizations", deadline)
    pages = client.pages("list_accounts")
    listed = [_account(value) for page in pages for value in field_of(page, "Accounts", list)]
    below = set(_accounts_below(client, request.organizational_unit))
    times = Counter(account.id for account in listed)
    outcomes: dict[str | int, tuple[Account, Status, str]] = {}
    for position, account in enumerate(listed):
        outcome = _outcome(account, times, request, below)
        outcomes.setdefault(account.id or position, (account, *outcome))
    accounts = [each for each, status, _ in outcomes.values() if status is not Status.FAILED]
    chosen = [account for account, _, reason in outcomes.values() if not reason]
    if not chosen and len(accounts) == len(outcomes):
        raise AwsRefused(
            f"None of the organization's {count_text(len(accounts), 'account')} is chosen: check"
            " --include, --exclude and --organizational-unit."
        )
    others = [
        AccountEntry(account=account.id, name=account.name, status=status, reason=reason)
        for account, status, reason in outcomes.values()
        if reason
    ]
    patterns = (*request.include, *request.exclude)
    unmatched = [each for each in patterns if not any(one.matches(each) for one in accounts)]
    return chosen, FetchedAccounts(others, unmatched)


def _account(value: object) -> Account:
    """Return an account of a list; raises AwsRefused for anything else."""
    if not isinstance(value, Mapping) or not all(
        isinstance(value.get(name, ""), str) for name in _TEXTS
    ):
        raise not_from_aws("a list of accounts with an invalid value")
    number = value.get("Id", "") if re.fullmatch(ACCOUNT_ID_PATTERN, value.get("Id", "")) else ""
    state = value.get("State") or value.get("Status")
    return Account(
        id=number,
        name=printable(value.get("Name") or ("" if number else "an account")),
        arn=value.get("Arn", ""),
        state=state if state in _STATES else "UNKNOWN",
    )


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
        yield from (field_of(child, "Id", str) for child in field_of(page, "Children", list))


def _outcome(
    account: Account, times: Mapping[str, int], request: FetchRequest, below: set[str]
) -> tuple[Status, str]:
    """Return why an account fails or is skipped, with an empty reason if it is chosen."""
    if account.id and times[account.id] > 1:
        return Status.FAILED, "AWS lists it more than once."
    if not account.id or not _ACCOUNT_ARN.fullmatch(account.arn):
        return Status.FAILED, "AWS lists it without a valid account id and ARN."
    if account.state != "ACTIVE":
        return Status.SKIPPED, f"Its state is {account.state}."
    if request.organizational_unit and account.id not in below:
        reason = "It is in none of the organizational units of --organizational-unit."
        return Status.SKIPPED, reason
    if request.include and not any(map(account.matches, request.include)):
        return Status.SKIPPED, "No --include matches it."
    excluding = next(filter(account.matches, request.exclude), None)
    return Status.SKIPPED, f"--exclude {excluding} matches it." if excluding else ""
