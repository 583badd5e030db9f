"""Fetch the reports of one account, several profiles or an organization, and save each.

Many accounts are asked at once. If AWS refuses one, the others are still fetched.
"""

import gc
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Final, NamedTuple

from analyzer.aws import FetchRequest
from analyzer.aws.client import AwsSession, Deadline, DeadlineClient, required_field
from analyzer.aws.errors import STOPPED, Late, Stopped, not_from_aws
from analyzer.aws.report import (
    FetchedReport,
    fetch_report,
    require_readable,
    service_credentials_json,
)
from analyzer.errors import AwsRefused
from analyzer.files import replace_files
from analyzer.sources.fetch_manifest import SAVED, AccountEntry, FetchOutcomes, Status
from analyzer.sources.files_beside import METADATA_ENDING, SERVICE_CREDENTIALS_ENDING
from analyzer.terms import ACCOUNT_ID_PATTERN, account_of, count_text, pattern_regex, printable

JOBS: Final = 16
"""How many accounts are asked at once."""

_SESSION_NAME: Final = "credreport"
"""The session name of the role in the accounts' CloudTrail."""

Save = Callable[[FetchedReport], str]  # saves a report and returns its place, for people
Progress = Callable[[int, int], None]  # gets the number of accounts done, and of all
Waiting = Callable[[str, float, str], None]  # gets a name, the seconds, AWS's last answer


def fetch_accounts(
    request: FetchRequest,
    save: Save,
    progress: Progress = lambda _done, _total: None,
    waiting: Waiting = lambda _name, _seconds, _state: None,
) -> FetchOutcomes:
    """Fetch the reports of all accounts of a request, and save each.

    If several accounts are asked, refused ones are failed. `waiting` is called every 15 seconds.

    Raises AwsRefused if no account can be asked, or if the only one is refused.
    """
    fetcher = Fetcher(request=request, save=save, waiting=waiting)
    if not request.asks_several_accounts:
        return FetchOutcomes([fetcher.profile_entry(*request.profile)])
    # Each account's client has thousands of objects in cycles, which must be freed soon.
    gc.set_threshold(10_000)
    if request.role_name is None:
        tasks = [Task("", name, partial(fetcher.profile_entry, name)) for name in request.profile]
        entries = run_tasks(tasks, fetcher.stop, progress)
        return FetchOutcomes(list(_one_entry_per_account(entries)))
    session, deadline = AwsSession(request, *request.profile), Deadline(request.timeout)
    chosen, others = chosen_accounts(session, request, deadline)
    with closing(session.client("sts", deadline)) as sts:
        fetch = partial(fetcher.member_entry, session, sts, request.role_name)
        tasks = [Task(account.label, account.name, partial(fetch, account)) for account in chosen]
        entries = run_tasks(tasks, fetcher.stop, progress)
    return FetchOutcomes([*entries, *others.entries], others.unmatched)


def _one_entry_per_account(entries: Sequence[AccountEntry]) -> Iterator[AccountEntry]:
    """Yield the entries; a profile is skipped if an earlier one reads the same account."""
    first = {entry.account: entry for entry in reversed(entries)}
    for entry in entries:
        earlier = first[entry.account]
        reason = f"The profile {earlier.name} reads the same account, {earlier.account}."
        skipped = AccountEntry(account="", name=entry.name, status=Status.SKIPPED, reason=reason)
        yield skipped if entry.account and entry is not earlier else entry


# The accounts of an organization

_TEXT_FIELDS: Final = ("Id", "Name", "Arn", "State", "Status")
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
    def label(self) -> str:
        """Return the account as outputs name it, empty without a valid id."""
        return account_of(self.partition, self.id) if self.id else ""

    @property
    def partition(self) -> str:
        """Return the partition in its ARN, `aws` if that is not valid."""
        return self.arn.split(":")[1] if _ACCOUNT_ARN.fullmatch(self.arn) else "aws"

    @property
    def is_management(self) -> bool:
        """Return whether it is the management account, whose id is in the ARN of every account."""
        return self.arn.split(":")[4] == self.id

    def role_arn(self, name: str) -> str:
        """Return the ARN of a role in this account; its name may have a path."""
        return f"arn:{self.partition}:iam::{self.id}:role/{name.lstrip('/')}"

    def matches(self, pattern: str) -> bool:
        """Return whether a pattern matches this account's id or, in any case, its name."""
        matching = re.compile(pattern_regex(pattern), re.IGNORECASE).fullmatch
        return any(map(matching, (self.id, self.name)))


def chosen_accounts(
    session: AwsSession, request: FetchRequest, deadline: Deadline
) -> tuple[list[Account], FetchOutcomes]:
    """Return the organization's accounts to fetch, and the others with the reason.

    The others are skipped, or failed if AWS does not list them as accounts.

    Raises AwsRefused if AWS does not list the accounts, or if none is chosen.
    """
    with closing(session.client("organizations", deadline)) as client:
        pages = client.pages("list_accounts")
        values = (value for page in pages for value in required_field(page, "Accounts", list))
        listed = [_account(value) for value in values]
        below = set(_accounts_below(client, request.organizational_unit))
    times = Counter(account.id for account in listed)
    outcomes: dict[str | int, tuple[Account, Status, str]] = {}
    for position, account in enumerate(listed):
        outcome = _outcome(account, times, request, below)
        outcomes.setdefault(account.id or position, (account, *outcome))
    accounts = [account for account, status, _ in outcomes.values() if status is not Status.FAILED]
    chosen = [account for account, _, reason in outcomes.values() if not reason]
    if not chosen and len(accounts) == len(outcomes):
        raise AwsRefused(
            f"None of the organization's {count_text(len(accounts), 'account')} is chosen: check"
            " --include, --exclude and --organizational-unit."
        )
    others = [
        AccountEntry(account=account.label, name=account.name, status=status, reason=reason)
        for account, status, reason in outcomes.values()
        if reason
    ]
    patterns = request.include + request.exclude
    unmatched = [each for each in patterns if not any(one.matches(each) for one in accounts)]
    return chosen, FetchOutcomes(others, unmatched)


def _account(value: object) -> Account:
    """Return an account of a list; raises AwsRefused for anything else."""
    if not isinstance(value, Mapping) or not all(
        isinstance(value.get(name, ""), str) for name in _TEXT_FIELDS
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
    pending, visited = list(units), set()
    while pending:
        unit = pending.pop()
        if unit not in visited:
            visited.add(unit)
            yield from _children(client, unit, "ACCOUNT")
            pending += _children(client, unit, "ORGANIZATIONAL_UNIT")


def _children(client: DeadlineClient, unit: str, kind: str) -> Iterator[str]:
    for page in client.pages("list_children", ParentId=unit, ChildType=kind):
        yield from (
            required_field(child, "Id", str) for child in required_field(page, "Children", list)
        )


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


# Each account


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetcher:
    """Fetch the report of one account after another and save it, until `stop` is set."""

    request: FetchRequest
    save: Save
    waiting: Waiting = lambda _name, _seconds, _state: None
    stop: Event = field(default_factory=Event)

    def profile_entry(self, profile: str | None = None) -> AccountEntry:
        """Fetch the report of the account of a profile, or of the ordinary credentials."""
        name = f"profile {profile}" if profile else ""
        deadline = Deadline(self.request.timeout)
        with closing(AwsSession(self.request, profile).client("iam", deadline)) as iam:
            return self._entry(iam, name or "the account", name or "ordinary credentials")

    def member_entry(
        self, session: AwsSession, sts: DeadlineClient, role_name: str, account: Account
    ) -> AccountEntry:
        """Fetch with the role; for the management account, try the caller's own credentials first.

        Only the management account may be the caller's and have no role. Raises AwsRefused.
        """
        name, deadline, more = f"account {account.id}", Deadline(self.request.timeout), ""
        if account.is_management:
            try:
                with closing(session.client("iam", deadline)) as iam:
                    return self._entry(iam, name, "the caller's own credentials", account)
            except (Stopped, Late):
                raise
            except AwsRefused as error:
                more = f" (With the caller's own credentials: {error})"
        try:
            role = account.role_arn(role_name)
            credentials = self._role_credentials(DeadlineClient(sts.client, deadline), role)
            with closing(session.client("iam", deadline, **credentials)) as iam:
                return self._entry(iam, name, f"role {role}", account)
        except Stopped:
            raise
        except AwsRefused as error:
            raise AwsRefused(f"{error}{more}") from None

    def _role_credentials(self, sts: DeadlineClient, role_arn: str) -> dict[str, str]:
        """Return the credentials of a role, as botocore takes them; raises AwsRefused."""
        external_id = self.request.external_id
        more = {"ExternalId": external_id} if external_id else {}
        answer = sts.answer("assume_role", RoleArn=role_arn, RoleSessionName=_SESSION_NAME, **more)
        credentials = answer.get("Credentials")
        return {
            "aws_access_key_id": required_field(credentials, "AccessKeyId", str),
            "aws_secret_access_key": required_field(credentials, "SecretAccessKey", str),
            "aws_session_token": required_field(credentials, "SessionToken", str),
        }

    def _entry(
        self, iam: DeadlineClient, name: str, caller: str, account: Account | None = None
    ) -> AccountEntry:
        """Fetch a report, check that it is the account's, and save it."""
        report = fetch_report(iam, stop=self.stop, waiting=partial(self.waiting, name))
        if account and report.account_name != account.label:
            raise AwsRefused(f"AWS gave the report of another account, {report.account_name}.")
        if account:
            require_readable(report)
        report = replace(report, caller=caller)
        if self.request.service_credentials:
            try:
                credentials = service_credentials_json(iam, report.content)
                report = replace(
                    report, service_credentials=credentials, service_credentials_status=SAVED
                )
            except AwsRefused as error:
                report = replace(report, service_credentials_status=str(error))
        return AccountEntry(
            account=report.account_name,
            name="",
            status=Status.FETCHED,
            file=self.save(report),
            sha256=report.sha256,
            generated_time=report.generated_time,
            service_credentials=report.service_credentials_status,
        )


class Task(NamedTuple):
    """Hold an account and the function that fetches its report, which raises AwsRefused."""

    account: str
    name: str
    entry: Callable[[], AccountEntry]

    def fetched_entry(self) -> AccountEntry:
        """Fetch, and return the entry of the account with its name."""
        try:
            return replace(self.entry(), name=self.name, is_profile=not self.account)
        except AwsRefused as error:
            return self.failure(str(error))

    def failure(self, reason: str) -> AccountEntry:
        """Return the entry of an account that was not read."""
        return AccountEntry(
            account=self.account, name=self.name, status=Status.FAILED, reason=reason
        )


def run_tasks(
    tasks: Sequence[Task], stop: Event, progress: Progress = lambda _done, _total: None
) -> list[AccountEntry]:
    """Do the tasks, at most `JOBS` at once, and return the entries of their accounts, in order.

    If AWS refuses an account, it is failed, and the others are still fetched. Ctrl-C sets `stop`
    and waits for the tasks that run; accounts that were not read are failed.
    """
    pool = ThreadPoolExecutor(max_workers=JOBS)
    futures = [pool.submit(task.fetched_entry) for task in tasks]
    try:
        for done, future in enumerate(as_completed(futures), start=1):
            future.result()
            progress(done, len(futures))
    except KeyboardInterrupt:
        pass  # Reports that are saved will be listed.
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)
    return [
        task.failure(STOPPED) if future.cancelled() else future.result()
        for task, future in zip(tasks, futures, strict=True)
    ]


def save_report(path_of: Callable[[str], Path], report: FetchedReport) -> str:
    """Save a report at the path of its name, with the files beside it, and return the path.

    An older list of service-specific credentials is removed. The report comes last, so that it is
    never there without the files beside it.

    Raises OutputFailed.
    """
    path = path_of(report.name)
    metadata = path.with_name(path.name + METADATA_ENDING)
    credentials = path.with_name(path.name + SERVICE_CREDENTIALS_ENDING)
    files = {} if report.service_credentials is None else {credentials: report.service_credentials}
    stale = [] if files else [credentials]
    replace_files(files | {metadata: report.metadata(), path: report.content}, stale=stale)
    return str(path)
