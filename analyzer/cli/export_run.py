"""Make one run: gather the reports, judge the users, write everything, put it in place."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from analyzer.cli.aws_options import AwsOptions
from analyzer.cli.judging_options import JudgingOptions
from analyzer.cli.stderr import Log, utc_now
from analyzer.decisions.ledger import Ledger, ledger_bytes, read_entries
from analyzer.errors import FAILED, PARTIAL, OutputFailed
from analyzer.exports import contents, reports, runs
from analyzer.exports.ledger import CollectedLedger, collected_ledger, first_done_times
from analyzer.exports.run_record import RECORD_FILE, RunInput, record_bytes
from analyzer.exports.runs import (
    Run,
    earlier_runs,
    next_run_name,
    os_errors_translated,
    run_with_identity,
)
from analyzer.exports.stored_analysis import stored
from analyzer.exports.trend import trend, verdict_counts
from analyzer.files import replace_files, sha256
from analyzer.model import Report, UncoveredAccount
from analyzer.report.input_size import MAX_INPUT, InputLimit
from analyzer.sources.load import find_inputs, load_sources, skipped_notes, with_uncovered
from analyzer.sources.manifest import (
    FETCHED_MANIFEST,
    FetchedAccounts,
    failures,
    manifest,
    require_any_report,
    status_counts,
    unknown_credentials,
    unmatched_sentence,
)
from analyzer.terms import Feed, utc_text
from analyzer.writers import users

if TYPE_CHECKING:
    from analyzer.analysis import Analysis


@dataclass(frozen=True, slots=True)
class ExportRun:
    """Hold what a run is made from, and where it goes."""

    sources: Sequence[str]
    aws: AwsOptions
    judging: JudgingOptions
    folder: Path
    log: Log
    max_input: int = MAX_INPUT
    as_of: datetime | None = None
    skip_unreadable: bool = False
    also: Sequence[Feed] = ()
    hub_region: str | None = None

    def check(self) -> int:
        """Try all that a run needs, write nothing, and return the exit code.

        Raises CredreportError.
        """
        self.log.say("settings", "The settings are understood.")
        runs.check_folder(self.folder)
        self.log.say("folder", f"{self.folder} can be written, and no other run uses it.")
        if not self.sources:
            return PARTIAL if would_miss_reports(self.aws, self.log) else 0
        limit = InputLimit(self.max_input)
        inputs = find_inputs(self.sources, limit, skip_unreadable=self.skip_unreadable)
        report = with_uncovered(
            load_sources(self.sources, inputs.readable, self.as_of, lambda *_: None, limit),
            inputs.uncovered,
        )
        understood = f"Reports read: {len(report.files)}, with {report.rows} rows."
        self.log.say("reports", understood)
        collected = self._collect_decisions(write=False)
        self._log_missing_accounts(report)
        return PARTIAL if report.not_covered or collected.refused else 0

    def export(self, keep: int | None) -> int:
        """Make a run, remove the oldest ones but `keep`, and return the exit code.

        Raises CredreportError; nothing is left of the run then.
        """
        with runs.folder_lock(self.folder):
            with runs.new_run_folder(self.folder) as building:
                name, code = self._build_run(building)
            if keep:
                self._prune(keep, name)
        return code

    def _prune(self, keep: int, name: str) -> None:
        """Remove the oldest runs; that they cannot be removed changes nothing of the new one."""
        try:
            for run in runs.prune(self.folder, keep, spared=name):
                self.log.say("removed", f"Removed {run.path}.", run=run.name)
        except OutputFailed as error:
            self.log.caution("not-removed", f"Old runs were not removed: {error}")

    def _build_run(self, building: Path) -> tuple[str, int]:
        """Build a run, unless it is there already, and return its name and exit code."""
        collected = self._collect_reports(reports.make_reports_folder(building))
        report = reports.load_reports(building, collected.origins, self.max_input, self.as_of)
        report = with_uncovered(report, collected.uncovered)
        report = replace(report, notes=(*collected.notes, *report.notes))
        name = next_run_name(self.folder, RunInput(report=report, parameters={}).as_of)
        decided = self._collect_decisions()
        has_gaps = collected.has_gaps or bool(decided.refused)
        return self._judge_and_publish(building, name, report, decided, has_gaps=has_gaps)

    def _collect_reports(self, folder: Path) -> "CollectedReports":
        """Put the reports into a folder: copies of the files, or what AWS gives.

        Raises InputRefused, AwsRefused, OutputFailed.
        """
        if not self.sources:
            return fetch_reports(self.aws, folder, self.log)
        limit = InputLimit(self.max_input)
        inputs = find_inputs(self.sources, limit, skip_unreadable=self.skip_unreadable)
        with os_errors_translated(folder):
            origins = reports.copy_inputs(self.sources, inputs.readable, folder)
        notes = tuple(skipped_notes(inputs.readable))
        return CollectedReports(origins, uncovered=inputs.uncovered, notes=notes)

    def _collect_decisions(self, *, write: bool = True) -> CollectedLedger:
        """Return the folder's ledger with what reviewers entered, and log what is new.

        Raises InputRefused, Busy, OutputFailed.
        """
        given = self.judging.decisions
        entries = read_entries(str(given.path), given.content) if given else None
        collected = collected_ledger(self.folder, entries, utc_now().date(), write=write)
        for added in collected.added:
            self.log.say("decisions", added)
        for refused in collected.refused:
            self.log.caution("not-collected", refused)
        return collected

    def _judge_and_publish(
        self,
        building: Path,
        name: str,
        report: Report,
        decided: CollectedLedger,
        *,
        has_gaps: bool,
    ) -> tuple[str, int]:
        """Judge the report in a hidden folder, and publish that unless the same run exists.

        Returns the run's name and the exit code.
        """
        ledger = replace(
            decided.ledger,
            keep_days=self.judging.keep_days,
            due_days=self.judging.due_days,
            done_since=first_done_times(self.folder, name),
        )
        judged = self.judging.named_analysis(report, ledger)
        with stored(judged, self.folder) as analysis:
            return self._publish_unless_unchanged(building, name, analysis, has_gaps=has_gaps)

    def _publish_unless_unchanged(
        self, building: Path, name: str, analysis: "Analysis", *, has_gaps: bool
    ) -> tuple[str, int]:
        run_input = RunInput(report=analysis.report, parameters=self._parameters(analysis.ledger))
        self._log_outcome(analysis)
        if existing := run_with_identity(self.folder, run_input.identity):
            code = int(existing.record["exit_code"]) or (PARTIAL if has_gaps else 0)
            message = f"Unchanged since {existing.path}: skipped."
            self.log.say("unchanged", message, run=existing.name, exit_code=code)
            return existing.name, code
        code = self._exit_code(analysis, has_gaps=has_gaps)
        return self._publish(building, self.folder / name, analysis, run_input, code), code

    def _publish(
        self, building: Path, run: Path, analysis: "Analysis", run_input: RunInput, code: int
    ) -> str:
        previous = self._run_to_compare(run)
        verdicts = verdict_counts(analysis)
        numbers = trend(earlier_runs(run.parent, run.name), run.name, run_input.as_of, verdicts)
        with runs.os_errors_translated(self.folder):
            if listed := self.judging.exemptions:
                contents.write_synced(building / contents.EXEMPTIONS, listed.content)
            if named := self.judging.accounts:
                contents.write_synced(building / contents.ACCOUNTS, named.content)
            if lines := analysis.ledger.lines:
                contents.write_synced(building / contents.DECISIONS, ledger_bytes(lines))
            changed = contents.write_all(analysis, building, previous, numbers)
            for feed in self.also:
                earlier = self._earlier_feed(run, feed)
                contents.write_feed(analysis, building, feed, self.hub_region, earlier)
            record = record_bytes(
                run_input,
                list(contents.synced_private_files(building)),
                exit_code=code,
                compared_with=previous.name if previous else None,
                users=verdicts,
                ledger=analysis.ledger.file,
            )
            contents.write_synced(building / RECORD_FILE, record)
        runs.publish(building, run)
        since = f"; changes since {previous.name}: {changed}" if previous else ""
        self.log.say("exported", f"Wrote {run}{since}.", run=run.name, exit_code=code)
        return run.name

    def _run_to_compare(self, run: Path) -> Run | None:
        """Return the run to compare with, if its reports are still those that it was made from."""
        *_, previous = None, *earlier_runs(run.parent, run.name)
        if previous and not contents.has_unchanged_inputs(previous):
            message = f"Reports in {previous.path} were changed: changes since it are not shown."
            self.log.caution("changed", message, run=previous.name)
            return None
        return previous

    def _earlier_feed(self, run: Path, feed: Feed) -> Path | None:
        """Return the newest feed of a run before that can be closed, if it is as it was written."""
        if feed is Feed.PARQUET:
            return None
        name = contents.FEEDS[feed]
        source = contents.newest_run_with(earlier_runs(run.parent, run.name), name)
        if source and source.sha256_of(name) != sha256(source.path / name):
            message = f"{source.path / name} was changed: none of its findings is closed."
            self.log.caution("changed", message, run=source.name)
            return None
        return source.path / name if source else None

    def _parameters(self, ledger: Ledger) -> Mapping[str, object]:
        service_credentials = self.aws.service_credentials and not self.sources
        as_of = utc_text(self.as_of) if self.as_of else None
        return {
            **self.judging.as_record(),
            "decisions": ledger.file.sha256 if ledger.file else None,
            "service_credentials": service_credentials,
            "as_of": as_of,
            "also": sorted(self.also),
            "hub_region": self.hub_region,
        }

    def _exit_code(self, analysis: "Analysis", *, has_gaps: bool) -> int:
        if failures := self.judging.failures(analysis):
            self.log.caution("fail-on", f"Meets --fail-on: {'; '.join(failures)}")
            return FAILED
        return PARTIAL if has_gaps or analysis.report.not_covered else 0

    def _log_outcome(self, analysis: "Analysis") -> None:
        """Log what was found, each account that is missing, and the notes."""
        counts = {verdict: count for verdict, count, _ in users.verdict_counts(analysis)}
        verdict_text = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
        about = users.as_of_and_scope(analysis.report)
        self.log.say("analyzed", f"{about}: {verdict_text}.", users=counts)
        cautioned = self._log_missing_accounts(analysis.report)
        for note in users.notes(analysis):
            if note not in cautioned:
                self.log.say("note", note)

    def _log_missing_accounts(self, report: Report) -> Collection[str]:
        """Log each account that is missing, and return what was said."""
        for each in report.not_covered:
            self.log.caution("not-covered", str(each), **asdict(each))
        return {*map(str, report.not_covered)}


class CollectedReports(NamedTuple):
    """Hold where copies came from, and what is missing.

    `has_gaps` if AWS did not give all that was requested; `uncovered` are files that cannot be
    read, `notes` are about files that were skipped.
    """

    origins: Mapping[Path, str]
    has_gaps: bool = False
    uncovered: tuple[UncoveredAccount, ...] = ()
    notes: tuple[str, ...] = ()


def fetch_reports(aws: AwsOptions, folder: Path, log: Log) -> CollectedReports:
    """Put the reports that AWS gives into a folder.

    Raises AwsRefused, OutputFailed.
    """
    from analyzer.aws.fetch import fetch_accounts, save_report

    save = partial(save_report, partial(Path, folder))
    accounts = fetch_accounts(aws, save, waiting=log.log_wait)
    has_gaps = log_gaps(accounts, log)
    replace_files({folder / FETCHED_MANIFEST: manifest(accounts)})
    return CollectedReports({}, has_gaps=has_gaps)


def would_miss_reports(aws: AwsOptions, log: Log) -> bool:
    """Ask AWS all that a run would, save nothing, and return whether anything would be missing.

    Raises AwsRefused.
    """
    from analyzer.aws.fetch import fetch_accounts

    accounts = fetch_accounts(aws, lambda report: report.name, waiting=log.log_wait)
    has_gaps = log_gaps(accounts, log)
    not_read = failures(accounts.entries)
    for sentence in not_read:
        log.caution("not-read", sentence)
    return has_gaps or bool(not_read)


def log_gaps(accounts: FetchedAccounts, log: Log) -> bool:
    """Log what became of the accounts, but for those that failed; return whether there are gaps.

    Raises AwsRefused where none could be read, KeyboardInterrupt where it was stopped: of
    many accounts, some would be missing.
    """
    from analyzer.aws.errors import STOPPED

    if any(entry.reason == STOPPED for entry in accounts.entries):
        raise KeyboardInterrupt
    require_any_report(accounts.entries)
    log.say("fetched", f"Accounts: {status_counts(accounts.entries)}.")
    for pattern in accounts.unmatched:
        log.caution("unmatched", unmatched_sentence(pattern), pattern=pattern)
    gaps = unknown_credentials(accounts.entries)
    for gap in gaps:
        log.caution("gap", gap)
    return bool(gaps)
