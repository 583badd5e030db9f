"""Handle the manifest of fetched accounts: write it, find it, read it, apply it, put it in words.

A manifest lies beside the fetched reports and has the outcome of every account, so that every
output names the accounts that could not be read.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path, PurePath
from typing import Any, Final, NamedTuple

from analyzer.errors import AwsRefused
from analyzer.files import check_form, json_bytes, provenance, saved_file_refusal, saved_json
from analyzer.report.model import AccountName, NotCovered, ReportFile
from analyzer.report.report import Report
from analyzer.report.values import timestamp
from analyzer.sources.files_beside import MANIFEST_ENDING
from analyzer.sources.find import files_below
from analyzer.sources.source import Source, is_visible
from analyzer.terms import ACCOUNT_PATTERN, minute_text, printable

FETCHED_MANIFEST: Final = "fetched.manifest.json"
"""The manifest's name, beside the reports that it lists."""

FORM: Final = 1
"""The number of the manifest's form: raise it with every change of what is read back."""

_OTHER_FORM_HINT: Final = (
    "Fetch the reports again, or remove the manifest: accounts that could not be read are then not"
    " named."
)

NOT_REQUESTED: Final = "not requested"
SAVED: Final = "saved with the report"
"""The words of an entry for service-specific credentials that were not requested, or saved."""


class Status(StrEnum):
    """Name the outcomes of one account."""

    FETCHED = "fetched"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEntry:
    """Hold the outcome of one account, with the reason; `account` is empty if it is not known.

    `name` is the account's, or with `is_profile` that of the profile that was used. If the report
    was fetched, `service_credentials` says whether AWS's list of them was saved, or why not.
    """

    account: str
    name: str
    status: str
    reason: str = ""
    file: str = ""
    sha256: str = ""
    generated_time: str = ""
    service_credentials: str = ""
    is_profile: bool = False

    def uncovered(self, reason: str) -> NotCovered:
        """Return the account as one without a report."""
        return NotCovered(account=self.account, name=self.name, reason=reason)


class FetchOutcomes(NamedTuple):
    """Hold the outcomes of all accounts, and the patterns that matched none."""

    entries: Sequence[AccountEntry]
    unmatched: Sequence[str] = ()


# Write it


def manifest_bytes(outcomes: FetchOutcomes) -> bytes:
    """Return the list of all accounts, and the patterns that match none of them.

    It lies in the folder of the reports, so each `file` is only a name.
    """
    entries = sorted(outcomes.entries, key=lambda entry: (entry.account, entry.name))
    return json_bytes(
        {
            **provenance(),
            "form": FORM,
            "accounts": [asdict(entry) | {"file": PurePath(entry.file).name} for entry in entries],
            "unmatched_patterns": list(outcomes.unmatched),
        }
    )


# Find it


def manifest_sources(names: Iterable[str], inputs: Collection[Source] = ()) -> list[Source]:
    """Return the manifests that the names give, each once.

    Manifests that lie in the folder of one of `inputs` and list it count too: their other reports
    do not count, since they were not named.

    Raises InputRefused if a manifest in such a folder is not understood.
    """
    named = dict.fromkeys(_manifests_named(names))
    return [
        *(_manifest_source(path) for path in named),
        *(manifest for path, manifest in _manifests_beside(inputs) if path not in named),
    ]


def _manifests_named(names: Iterable[str]) -> Iterator[Path]:
    for name in filter(None, names):
        for path in [Path(name)]:
            inside = files_below(path) if path.is_dir() else [path]
            yield from (source for source in inside if _is_manifest(source))


def _manifests_beside(inputs: Iterable[Source]) -> Iterator[tuple[Path, Source]]:
    """Yield the manifests in the folders of the inputs that list an input."""
    folders: dict[Path, set[str]] = defaultdict(set)
    for source in inputs:
        if source.path:
            folders[source.path.parent].add(source.path.name)
    for folder, files in folders.items():
        for path in sorted(folder.glob(f"*{MANIFEST_ENDING}")):
            if _is_manifest(path) and (manifest := _matching_manifest(path, files)):
                yield path, manifest


def _is_manifest(path: Path) -> bool:
    """Return whether a path is a manifest; reading a pipe of such a name would wait."""
    return path.name.endswith(MANIFEST_ENDING) and is_visible(path.name) and not path.is_fifo()


def _manifest_source(path: Path) -> Source:
    return Source(printable(str(path)), lambda _: path.read_bytes(), path=path)


def _matching_manifest(path: Path, files: Collection[str]) -> Source | None:
    """Return a manifest in which only the reports among `files` have a file name.

    None if it lists none of `files`; other JSON lists none.
    """
    value = saved_json(str(path), path.read_bytes)
    check_form(str(path), value, FORM, _OTHER_FORM_HINT)
    try:
        others = [entry for entry in value["accounts"] if entry.get("file") not in files]
        if len(others) == len(value["accounts"]):
            return None
    except (KeyError, TypeError, AttributeError):
        return None
    if not others:
        return _manifest_source(path)
    for entry in others:
        entry.update(file="", sha256="")
    return Source(printable(str(path)), json.dumps(value).encode())


# Read it


def manifest_entries(name: str, read: Callable[[], bytes]) -> list[AccountEntry]:
    """Return the entries of a manifest; raises InputRefused if they are not valid."""
    saved = saved_json(name, read)
    check_form(name, saved, FORM, _OTHER_FORM_HINT)
    match saved:
        case {"accounts": [*accounts]} if all(map(_is_entry, accounts)):
            entries = [_entry(account) for account in accounts]
        case _:
            check_form(name, saved, FORM, _OTHER_FORM_HINT, is_valid=False)
            raise saved_file_refusal(name, "it is not a list of fetched accounts")
    for problem in _problems(entries):
        check_form(name, saved, FORM, _OTHER_FORM_HINT, is_valid=False)
        raise saved_file_refusal(name, problem)
    return entries


def _is_entry(value: object) -> bool:
    match value:
        case {"account": str(), "name": str(), "status": str(), "reason": str(), **others}:
            return all(isinstance(others.get(name, ""), str) for name in ("file", "sha256"))
    return False


def _entry(value: Mapping[str, Any]) -> AccountEntry:
    texts = (*("account", "name", "status", "reason"), *("file", "sha256", "generated_time"))
    return AccountEntry(
        **{name: printable(str(value.get(name, ""))) for name in (*texts, "service_credentials")},
        is_profile=value.get("is_profile") is True,
    )


def _problems(entries: Iterable[AccountEntry]) -> Iterator[str]:
    """Yield the problems of the values in a manifest."""
    listed: set[str] = set()
    for entry in entries:
        if entry.status not in {*Status}:
            yield f'unknown status "{entry.status}"'
        if entry.account and not re.fullmatch(ACCOUNT_PATTERN, entry.account):
            yield f'"{entry.account}" is no account id: it has 12 digits'
        if entry.account and entry.account in listed:
            yield f"it lists account {entry.account} twice"
        listed.add(entry.account)


# Apply it


def with_listed_accounts(
    report: Report,
    manifests: Iterable[Source],
    inputs: Collection[Source] = (),
    elsewhere: Sequence[ReportFile] = (),
) -> Report:
    """Return the report with the names of accounts, and those that failed, were skipped or lost.

    A failed account is still covered, with a note, by a report that is newer than all reports that
    were fetched then. An older report covers nothing: an account that can no longer be read must
    not look as if it could. An account is lost if its report is missing from `inputs` or was
    changed; a newer report covers it too. `elsewhere` are reports that another process
    reads. Raises InputRefused if a manifest is not understood.
    """
    every = [*sorted(elsewhere, key=lambda file: file.as_of), *report.files]
    newest = {
        account.account: file for file in every for account in file.accounts if account.account
    }
    sha256 = report.sha256.union(file.sha256 for file in elsewhere)
    there = {**dict.fromkeys(file.name for file in every), **{one.name: one for one in inputs}}
    why_lost = partial(_why_lost, sha256=sha256, inputs=there)
    names: dict[str, AccountName] = {}
    skipped: dict[NotCovered, None] = {}
    outcomes: dict[NotCovered | str, None] = {}
    for source in manifests:
        entries = manifest_entries(source.name, source.read)
        for entry in entries:
            if entry.account and entry.name and not entry.is_profile:
                names[entry.account] = AccountName(name=entry.name)
            if entry.status == Status.SKIPPED:
                skipped[entry.uncovered(entry.reason)] = None
        outcomes |= dict.fromkeys(_not_covered_and_notes(source, entries, newest, why_lost))
    not_covered = [outcome for outcome in outcomes if isinstance(outcome, NotCovered)]
    replaced = [outcome for outcome in outcomes if isinstance(outcome, str)]
    return replace(
        report,
        not_covered=tuple(not_covered),
        left_out=tuple(skipped),
        source_notes=(*replaced, *report.source_notes),
        account_names=names,
    )


def _not_covered_and_notes(
    manifest: Source,
    entries: Sequence[AccountEntry],
    newest: Mapping[str, ReportFile],
    why_lost: Callable[[AccountEntry, str], str],
) -> Iterator[NotCovered | str]:
    """Yield each account that failed or is lost, or a note on the newer report that covers it.

    `newest` are the newest reports that count, by their accounts.
    """
    folder = manifest.name.removesuffix(PurePath(manifest.name).name)
    times = (timestamp(entry.generated_time) for entry in entries)
    fetched = max(filter(None, times), default=None)
    for entry in entries:
        listed_name, file = f"{folder}{entry.file}", newest.get(entry.account)
        if entry.status == Status.FAILED:
            reason, before = entry.reason, fetched
            clause = reason.removesuffix(".")
            problem = f" could not be read when {manifest.name} was made ({clause}); its"
        elif entry.status == Status.FETCHED and (reason := why_lost(entry, listed_name)):
            before = timestamp(entry.generated_time)
            problem = f": {reason.removesuffix('.').removeprefix('its ')}; its newer"
        else:
            continue
        account = entry.uncovered(reason)
        if file and before and file.as_of > before and file.name != listed_name:
            report = f"report {file.name} of {minute_text(file.as_of)}"
            yield f"Account {account.label}{problem} {report} counts instead."
        else:
            yield account


def _why_lost(
    entry: AccountEntry, name: str, sha256: Collection[str], inputs: Mapping[str, Source | None]
) -> str:
    """Return why the report of an entry is lost, empty if it is there or not listed.

    It is there if any input has its SHA-256; `name` is the input's that the manifest lists.

    Raises InputRefused if a file that cannot be a report lies at its place.
    """
    is_there, source = name in inputs, inputs.get(name)
    if not entry.file or entry.sha256 in sha256 or (is_there and not entry.sha256):
        return ""
    if source and source.is_skipped:
        source.read()  # It refuses the file in the place of a report.
    what = "was changed since it was fetched" if is_there else "is missing"
    return f"its report {entry.file} {what}."


# Put it in words


def require_any_report(entries: Sequence[AccountEntry]) -> None:
    """Raise AwsRefused if no account could be read."""
    if not any(entry.status == Status.FETCHED for entry in entries):
        raise AwsRefused("\n".join(["No account could be read.", *failures(entries)]))


def status_counts_text(entries: Iterable[AccountEntry]) -> str:
    """Return how many accounts were fetched, failed and skipped."""
    counts = Counter(entry.status for entry in entries)
    return ", ".join(f"{counts[status]:,} {status}" for status in Status)


def failures(entries: Iterable[AccountEntry]) -> list[str]:
    """Return a sentence for each account that could not be read."""
    return [
        f"Not read: {' '.join(filter(None, (entry.account, entry.name)))}: {entry.reason}"
        for entry in entries
        if entry.status == Status.FAILED
    ]


def unmatched_sentence(pattern: str) -> str:
    """Return the sentence for a pattern that matches no account."""
    return f"{pattern} matches no account."


def unknown_service_credentials(entries: Iterable[AccountEntry]) -> list[str]:
    """Return a sentence for each account whose service-specific credentials are not known."""
    return [
        f"The service-specific credentials of account {entry.account} are not known:"
        f" {entry.service_credentials}"
        for entry in entries
        if entry.service_credentials not in ("", NOT_REQUESTED, SAVED)
    ]
