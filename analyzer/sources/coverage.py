"""Say of which accounts there is no report, by the lists of what was fetched."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from analyzer.model import Absent, Report, ReportFile
from analyzer.report.notes import moment
from analyzer.sources import companions
from analyzer.sources.find import Source


def with_absent(report: Report, manifests: Iterable[Source]) -> Report:
    """Return the report with the accounts that the manifests list as failed or skipped.

    An account that failed is covered all the same where a report of it counts that is newer than
    all that were fetched then, and a note says so. One that lay there before covers nothing: an
    account that cannot be read any more must not look as if it could.

    Raises InputRefused where a manifest is not understood.
    """
    files = {each.account: file for file in report.files for each in file.accounts}
    missing: dict[Absent, None] = {}
    left_out: dict[Absent, None] = {}
    instead: dict[str, None] = {}
    for manifest in manifests:
        made = companions.newest(manifest.name, manifest.read)
        for status, account in companions.absent(manifest.name, manifest.read):
            if status == companions.SKIPPED:
                left_out[account] = None
            elif file := _instead(account, made, files):
                instead[_note(account, manifest, file)] = None
            else:
                missing[account] = None
    notes = (*map(str, missing), *instead, *report.notes)
    return replace(report, not_covered=tuple(missing), left_out=tuple(left_out), notes=notes)


def _instead(
    account: Absent, made: datetime | None, files: Mapping[str, ReportFile]
) -> ReportFile | None:
    """Return the report of an account that counts, if it is newer than all that were fetched."""
    file = files.get(account.account) if account.account else None
    return file if file and made and file.as_of > made else None


def _note(account: Absent, manifest: Source, file: ReportFile) -> str:
    reason = account.reason.removesuffix(".")
    return (
        f"Account {account.whom} could not be read when {manifest.name} was made ({reason}); its"
        f" report {file.name} of {moment(file.as_of)} counts instead."
    )
