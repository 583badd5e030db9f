"""Fetch the reports of one account, several profiles or an organization, and save each.

A report is private to its owner, and whole or not there at all. Many accounts are asked at once;
what AWS refuses of one is no other's failure.
"""

import gc
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, Final

from analyzer.errors import AwsRefused, InputRefused
from analyzer.files import replace_files
from analyzer.sources.aws import (
    DAMAGED,
    PATIENT_ATTEMPTS,
    AwsSession,
    DeadlineClient,
    FetchedReport,
    aws_errors_translated,
    fetch_report,
    service_credentials_json,
)
from analyzer.sources.aws_answers import text_field
from analyzer.sources.aws_errors import STOPPED, Stopped
from analyzer.sources.companions import METADATA, SERVICE_CREDENTIALS
from analyzer.sources.deadline import Deadline, Late
from analyzer.sources.find import Source
from analyzer.sources.load import load_sources
from analyzer.sources.manifest import NOT_REQUESTED, SAVED, AccountEntry, FetchedAccounts, Status
from analyzer.sources.organization import Account, AccountFilter, selected_accounts

Save = Callable[[DeadlineClient, FetchedReport, str], AccountEntry]
Progress = Callable[[int, int], None]

Waiting = Callable[[str, float, str], None]
"""Gets a name of the account, the seconds since it is waited for, and the last answer of AWS."""

_GC_THRESHOLD: Final = 10_000
"""Objects before garbage is collected: the client of each account is a knot of thousands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """Name the role to assume in each account, and what to say when asking for it."""

    name: str
    external_id: str | None = None
    session_name: str = "credreport"

    def arn(self, account: Account) -> str:
        """Return the role's ARN in an account."""
        return f"arn:{account.partition}:iam::{account.id}:role/{self.name.lstrip('/')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRequest:
    """Say which accounts' reports to ask for, with what credentials, and how patiently.

    With a `role` the accounts are those of the organization that `selection` chooses, else one
    for each of `profiles`, or the one of the ordinary credentials. `timeout` is in seconds, for
    the list of accounts and for each account; `jobs` is how many accounts are asked at once.
    """

    profiles: Sequence[str] = ()
    region: str | None = None
    endpoint: str | None = None
    timeout: int = 300
    jobs: int = 16
    role: Role | None = None
    selection: AccountFilter = field(default_factory=AccountFilter)

    def aws_session(self, profile: str | None = None) -> AwsSession:
        """Return the access to AWS with a profile, or with the ordinary credentials."""
        return AwsSession(profile=profile, region=self.region, endpoint=self.endpoint)


def fetch_accounts(
    request: FetchRequest,
    save: Save,
    progress: Progress = lambda _done, _total: None,
    waiting: Waiting = lambda _name, _seconds, _state: None,
) -> FetchedAccounts:
    """Fetch the reports of all accounts of a request; `save` keeps one and says so.

    Of many accounts, those that AWS refuses are failed. `progress` gets how many of how many
    are done; `waiting` is called every 15 seconds for each account whose report is not ready.

    Raises AwsRefused where none can be asked for, or the only one is refused.
    """
    stop = Event()
    fetch = partial(_fetch_one, request, save, stop, waiting)
    if request.role is None and len(request.profiles) <= 1:
        return FetchedAccounts([fetch(*request.profiles)])
    gc.set_threshold(_GC_THRESHOLD)
    if request.role is None:
        tasks = [Task("", profile, partial(fetch, profile)) for profile in request.profiles]
        entries = run_tasks(tasks, jobs=request.jobs, stop=stop, progress=progress)
        return FetchedAccounts(_one_entry_per_account(entries))
    access, deadline = request.aws_session(*request.profiles), Deadline.after(request.timeout)
    accounts = selected_accounts(access, request.selection, deadline)
    fetcher = RoleFetcher(
        aws_session=access,
        sts=access.client("sts", deadline, attempts=PATIENT_ATTEMPTS),
        role=request.role,
        fetch=partial(fetch_report, stopped=stop.is_set),
        save=save,
        waiting=waiting,
        timeout=request.timeout,
    )
    tasks = [Task(each.id, each.name, partial(fetcher.entry, each)) for each in accounts.chosen]
    entries = run_tasks(tasks, jobs=request.jobs, stop=stop, progress=progress)
    return FetchedAccounts([*entries, *accounts.not_chosen], accounts.unmatched)


def _fetch_one(
    request: FetchRequest, save: Save, stop: Event, waiting: Waiting, profile: str | None = None
) -> AccountEntry:
    """Fetch the report of the account that the credentials at hand belong to."""
    caller = f"profile {profile}" if profile else "ordinary credentials"
    deadline = Deadline.after(request.timeout)
    with closing(request.aws_session(profile).client("iam", deadline)) as iam:
        wait = partial(waiting, f"profile {profile}" if profile else "the account")
        return save(iam, fetch_report(iam, stopped=stop.is_set, waiting=wait), caller)


def _one_entry_per_account(entries: Iterable[AccountEntry]) -> list[AccountEntry]:
    """Return the entries with those skipped that fetched an account once more."""
    first: dict[str, str] = {}
    single = []
    for entry in entries:
        if entry.account in first:
            reason = f"The profile {first[entry.account]} reads the same account, {entry.account}."
            single.append(
                AccountEntry(account="", name=entry.name, status=Status.SKIPPED, reason=reason)
            )
        else:
            single.append(entry)
            if entry.account:
                first[entry.account] = entry.name
    return single


# Many accounts


@dataclass(frozen=True, slots=True)
class Task:
    """Hold what is to be done for one account; `entry` raises AwsRefused where it cannot be."""

    account: str
    name: str
    entry: Callable[[], AccountEntry]


def run_tasks(
    tasks: Iterable[Task], *, jobs: int, stop: Event, progress: Progress = lambda _d, _t: None
) -> list[AccountEntry]:
    """Do the tasks, at most `jobs` at once, and return what became of each, in their order.

    One that AWS refuses is failed, and no other suffers. On Ctrl-C `stop` is set, what runs is
    waited for, and what was not read is failed. `progress` gets how many of how many are done.
    """
    pool = ThreadPoolExecutor(max_workers=jobs)
    futures = [(task, pool.submit(_entry_or_failure, task)) for task in tasks]
    try:
        for done, future in enumerate(as_completed(each for _, each in futures), start=1):
            future.result()
            progress(done, len(futures))
    except KeyboardInterrupt:
        pass  # What is there will be listed.
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)
    return [_entry_or_stopped(task, future) for task, future in futures]


def _entry_or_failure(task: Task) -> AccountEntry:
    try:
        return replace(task.entry(), name=task.name, is_profile=not task.account)
    except AwsRefused as error:
        return _failed(task, str(error))


def _entry_or_stopped(task: Task, future: Future[AccountEntry]) -> AccountEntry:
    return _failed(task, STOPPED) if future.cancelled() else future.result()


def _failed(task: Task, reason: str) -> AccountEntry:
    return AccountEntry(account=task.account, name=task.name, status=Status.FAILED, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleFetcher:
    """Fetch one account's report after another; `fetch` gets a report, `save` keeps it."""

    aws_session: AwsSession
    sts: DeadlineClient
    role: Role
    fetch: Callable[..., FetchedReport]
    save: Save
    waiting: Waiting = lambda _name, _seconds, _state: None
    timeout: float = 300

    def entry(self, account: Account) -> AccountEntry:
        """Fetch with the role, or if the account is the caller's, with the caller's credentials.

        Only the management account can be the caller's where no role is: it is tried so first.
        Raises AwsRefused.
        """
        own, deadline = "", Deadline.after(self.timeout)
        if account.is_management:
            try:
                return self._entry(account, "the caller's own credentials", deadline)
            except (Stopped, Late):
                raise
            except AwsRefused as error:
                own = f" (With the caller's own credentials: {error})"
        try:
            role, credentials = self.role.arn(account), self._role_credentials(account, deadline)
            return self._entry(account, f"role {role}", deadline, credentials)
        except Stopped:
            raise
        except AwsRefused as error:
            raise AwsRefused(f"{error}{own}") from None

    def _entry(
        self,
        account: Account,
        caller: str,
        deadline: Deadline,
        credentials: Mapping[str, str] | None = None,
    ) -> AccountEntry:
        with closing(self.aws_session.client("iam", deadline, credentials=credentials)) as iam:
            report = self.fetch(iam, waiting=partial(self.waiting, f"account {account.id}"))
            if report.account != account.id:
                raise AwsRefused(f"AWS gave the report of another account, {report.account}.")
            _require_readable(report)
            return self.save(iam, report, caller)

    def _role_credentials(self, account: Account, deadline: Deadline) -> dict[str, str]:
        """Return the credentials of the role in an account, as boto3 takes them."""
        external: dict[str, Any] = {}
        if self.role.external_id:
            external["ExternalId"] = self.role.external_id
        with aws_errors_translated():
            answer = replace(self.sts, deadline=deadline).answer(
                "assume_role",
                RoleArn=self.role.arn(account),
                RoleSessionName=self.role.session_name,
                **external,
            )
        credentials = answer.get("Credentials")
        return {
            "aws_access_key_id": text_field(credentials, "AccessKeyId"),
            "aws_secret_access_key": text_field(credentials, "SecretAccessKey"),
            "aws_session_token": text_field(credentials, "SessionToken"),
        }


def _require_readable(report: FetchedReport) -> None:
    """Raise AwsRefused where a report would be refused by an analysis, and all others with it."""

    def read() -> bytes:
        return report.content

    try:
        load_sources([], [Source(report.name, read, read)], None, lambda *_: None)
    except InputRefused:
        raise AwsRefused(DAMAGED.format("it cannot be read as a credential report")) from None


# Save a report


def save_report(
    place: Callable[[str], Path],
    iam: DeadlineClient,
    report: FetchedReport,
    caller: str,
    *,
    with_service_credentials: bool,
) -> AccountEntry:
    """Save a report where its name belongs, and beside it what is known of it.

    With service credentials, that is also AWS's answer about these; without, what an earlier
    report left is removed. The report comes last, so that it is never there without what belongs
    to it.

    Raises OutputFailed.
    """
    path = place(report.name)
    answer, known = _service_credentials(iam) if with_service_credentials else (None, NOT_REQUESTED)
    metadata = {path.with_name(path.name + METADATA): report.metadata(caller, known)}
    credentials = path.with_name(path.name + SERVICE_CREDENTIALS)
    if answer is None:
        replace_files({**metadata, path: report.content}, stale=[credentials])
    else:
        replace_files({credentials: answer, **metadata, path: report.content})
    return fetched_entry(report, path, known)


def entry_without_saving(
    iam: DeadlineClient, report: FetchedReport, _caller: str, *, with_service_credentials: bool
) -> AccountEntry:
    """Return what `save_report` would, and save nothing."""
    known = _service_credentials(iam)[1] if with_service_credentials else NOT_REQUESTED
    return fetched_entry(report, Path(report.name), known)


def fetched_entry(report: FetchedReport, path: Path, service_credentials: str) -> AccountEntry:
    """Return the entry of an account whose report is there."""
    return AccountEntry(
        account=report.account,
        name="",
        status=Status.FETCHED,
        file=str(path),
        sha256=report.sha256,
        generated_time=report.generated_time,
        service_credentials=service_credentials,
    )


def _service_credentials(iam: DeadlineClient) -> tuple[bytes | None, str]:
    try:
        return service_credentials_json(iam), SAVED
    except AwsRefused as error:
        return None, str(error)
