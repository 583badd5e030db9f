"""Fetch the reports of one account, several profiles or an organization, and save each.

A report is private to its owner, and whole or not there at all. Many accounts are asked at once,
and an account that AWS refuses is no other's failure.
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import NamedTuple

from analyzer.aws import FetchRequest
from analyzer.aws.answers import field_of
from analyzer.aws.client import AwsSession, Deadline, DeadlineClient
from analyzer.aws.errors import STOPPED, Late, Stopped
from analyzer.aws.organization import Account, chosen_accounts
from analyzer.aws.report import (
    FetchedReport,
    fetch_report,
    require_readable,
    service_credentials_json,
)
from analyzer.errors import AwsRefused
from analyzer.files import replace_files
from analyzer.sources.companions import METADATA, SERVICE_CREDENTIALS
from analyzer.sources.manifest import SAVED, AccountEntry, FetchedAccounts, Status

Save = Callable[[FetchedReport], str]
"""Keeps a report and returns where it is, for people."""

Progress = Callable[[int, int], None]
"""Gets how many of how many accounts are done."""

Waiting = Callable[[str, float, str], None]
"""Gets a name of the account, the seconds since it is waited for, and the last answer of AWS."""


def fetch_accounts(
    request: FetchRequest,
    save: Save,
    progress: Progress = lambda _done, _total: None,
    waiting: Waiting = lambda _name, _seconds, _state: None,
) -> FetchedAccounts:
    """Fetch the reports of all accounts of a request, and save each.

    Of many accounts, those that AWS refuses are failed. `waiting` is called every 15 seconds.

    Raises AwsRefused if no account can be asked, or if the only one is refused.
    """
    fetcher = Fetcher(request=request, save=save, waiting=waiting)
    if not request.asks_several_accounts:
        return FetchedAccounts([fetcher.profile_entry(*request.profile)])
    # The client of each account is a knot of thousands of objects, which must not wait for long.
    gc.set_threshold(10_000)
    if request.role_name is None:
        tasks = [Task("", name, partial(fetcher.profile_entry, name)) for name in request.profile]
        entries = run_tasks(tasks, jobs=request.jobs, stop=fetcher.stop, progress=progress)
        return FetchedAccounts([*_one_entry_per_account(entries)])
    with closing(AwsSession(request, *request.profile)) as session:
        deadline = Deadline(request.timeout)
        chosen, others = chosen_accounts(session, request, deadline)
        sts = session.client("sts", deadline)
        fetch = partial(fetcher.member_entry, session, sts, request.role_name)
        tasks = [Task(account.id, account.name, partial(fetch, account)) for account in chosen]
        entries = run_tasks(tasks, jobs=request.jobs, stop=fetcher.stop, progress=progress)
    return FetchedAccounts([*entries, *others.entries], others.unmatched)


def _one_entry_per_account(entries: Sequence[AccountEntry]) -> Iterator[AccountEntry]:
    """Yield the entries; a profile is skipped if an earlier one reads the same account."""
    first = {entry.account: entry for entry in reversed(entries)}
    for entry in entries:
        earlier = first[entry.account]
        reason = f"The profile {earlier.name} reads the same account, {earlier.account}."
        skipped = AccountEntry(account="", name=entry.name, status=Status.SKIPPED, reason=reason)
        yield skipped if entry.account and entry is not earlier else entry


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
        with closing(AwsSession(self.request, profile)) as session:
            iam = session.client("iam", Deadline(self.request.timeout))
            return self._entry(iam, name or "the account", name or "ordinary credentials")

    def member_entry(
        self, session: AwsSession, sts: DeadlineClient, role_name: str, account: Account
    ) -> AccountEntry:
        """Fetch with the role, or if the account is the caller's, with the caller's credentials.

        Only the management account can be the caller's where no role is: it is tried so first.
        Raises AwsRefused.
        """
        name, deadline, more = f"account {account.id}", Deadline(self.request.timeout), ""
        if account.is_management:
            try:
                iam = session.client("iam", deadline)
                return self._entry(iam, name, "the caller's own credentials", account)
            except (Stopped, Late):
                raise
            except AwsRefused as error:
                more = f" (With the caller's own credentials: {error})"
        try:
            role = account.role_arn(role_name)
            credentials = self._role_credentials(DeadlineClient(sts.client, deadline), role)
            iam = session.client("iam", deadline, **credentials)
            return self._entry(iam, name, f"role {role}", account)
        except Stopped:
            raise
        except AwsRefused as error:
            raise AwsRefused(f"{error}{more}") from None

    def _role_credentials(self, sts: DeadlineClient, role_arn: str) -> dict[str, str]:
        """Return the credentials of a role, as botocore takes them; raises AwsRefused."""
        external_id, session = self.request.external_id, self.request.session_name
        more = {"ExternalId": external_id} if external_id else {}
        answer = sts.answer("assume_role", RoleArn=role_arn, RoleSessionName=session, **more)
        credentials = answer.get("Credentials")
        return {
            "aws_access_key_id": field_of(credentials, "AccessKeyId", str),
            "aws_secret_access_key": field_of(credentials, "SecretAccessKey", str),
            "aws_session_token": field_of(credentials, "SessionToken", str),
        }

    def _entry(
        self, iam: DeadlineClient, name: str, caller: str, account: Account | None = None
    ) -> AccountEntry:
        """Fetch a report, check that it is the account's, and save it."""
        report = fetch_report(iam, stop=self.stop, waiting=partial(self.waiting, name))
        if account and report.account != account.id:
            raise AwsRefused(f"AWS gave the report of another account, {report.account}.")
        if account:
            require_readable(report)
        report = replace(report, caller=caller)
        if self.request.service_credentials:
            try:
                credentials = service_credentials_json(iam)
                report = replace(report, credentials=credentials, credentials_status=SAVED)
            except AwsRefused as error:
                report = replace(report, credentials_status=str(error))
        return AccountEntry(
            account=report.account,
            name="",
            status=Status.FETCHED,
            file=self.save(report),
            sha256=report.sha256,
            generated_time=report.generated_time,
            service_credentials=report.credentials_status,
        )


class Task(NamedTuple):
    """Hold an account to fetch and the function that does it, which raises AwsRefused."""

    account: str
    name: str
    entry: Callable[[], AccountEntry]

    def outcome(self) -> AccountEntry:
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
    tasks: Sequence[Task], *, jobs: int, stop: Event, progress: Progress = lambda _d, _t: None
) -> list[AccountEntry]:
    """Do the tasks, at most `jobs` at once, and return the entries of their accounts, in order.

    An account that AWS refuses is failed, and no other suffers. Ctrl-C sets `stop` and waits for
    the tasks that run; accounts that were not read are failed.
    """
    pool = ThreadPoolExecutor(max_workers=jobs)
    futures = [pool.submit(task.outcome) for task in tasks]
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


def save_report(place: Callable[[str], Path], report: FetchedReport) -> str:
    """Save a report where its name belongs, with what is known of it, and return its path.

    What an earlier report left of service-specific credentials is removed. The report comes last,
    so that it is never there without what belongs to it.

    Raises OutputFailed.
    """
    path = place(report.name)
    metadata = path.with_name(path.name + METADATA)
    credentials = path.with_name(path.name + SERVICE_CREDENTIALS)
    files = {} if report.credentials is None else {credentials: report.credentials}
    stale = [] if files else [credentials]
    replace_files({**files, metadata: report.metadata(), path: report.content}, stale=stale)
    return str(path)
