"""Make one run: gather the reports, judge the users, write everything, put it in place."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from analyzer.analysis.analysis import Analysis, AnalysisRequest
from analyzer.aws import FetchRequest
from analyzer.decisions.ledger import Ledger, ledger_bytes
from analyzer.errors import FAILED, PARTIAL, InputRefused, OutputFailed
from analyzer.files import replace_files
from analyzer.report.age import MaxAge
from analyzer.report.report import Report
from analyzer.reviews.uncollected import lost_lines, uncollected
from analyzer.runs import inputs, outputs, run_folders
from analyzer.runs.run_folders import Run
from analyzer.sources import fetch_manifest, load
from analyzer.terms import Feed, utc_text, with_noun
from analyzer.writers import headline


class Log(Protocol):
    """Log what a run does, one event with a message and fields at a time."""

    def say(self, event: str, message: str, **fields: Any) -> None:
        """Log a step that was done."""

    def caution(self, event: str, message: str, **fields: Any) -> None:
        """Log a problem that should be known or fixed."""

    def log_wait(self, name: str, seconds: float, state: str) -> None:
        """Log that the report of an account is not ready after some seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """Hold the inputs of a run, its parameters, and its folder.

    The reports are those of `sources`; without sources, `fetch_request` gets them from AWS.
    `ledger` is the file of the ledger; files with entries that it lacks are named. `lists` are
    files that a run keeps, by their name in it, and `list_names` their own names; `parameters` are
    the options in its record. `feeds` are written too.
    """

    folder: Path
    log: Log
    sources: Sequence[str]
    fetch_request: FetchRequest | None
    max_input: int
    max_age: MaxAge
    skip_unreadable: bool
    analysis_request: AnalysisRequest
    ledger: Path | None
    lists: Mapping[str, bytes]
    list_names: Mapping[str, str]
    parameters: Mapping[str, object]
    feeds: Sequence[Feed]


def export(request: ExportRequest, keep: int | None) -> tuple[int, dict[str, object]]:
    """Make a run, remove the oldest runs beyond `keep`, and return the exit code.

    Return also the name of the run, or of an earlier one if nothing changed, and as-of (UTC).
    Raises CredreportError; then nothing is left of the run.
    """
    folder = request.folder
    with run_folders.folder_lock(folder):
        with run_folders.new_run_folder(folder) as building:
            report, has_gaps, unread = _gather_reports(request, building)
            all_runs = run_folders.runs(folder)
            for path in run_folders.incomplete_runs(folder, all_runs):
                message = f"{path} is not a complete run: passed over."
                request.log.caution("passed-over", message, path=str(path))
            new_run = folder / run_folders.next_run_name(folder, run_folders.newest_as_of(report))
            at = run_folders.run_sort_key(new_run.name)
            earlier = [run for run in all_runs if run_folders.run_sort_key(run.name) < at]
            missing = _uncollected(request)
            outside = unread | {"notes": missing}
            report = inputs.with_outside(report, **outside)
            analysis_request = request.analysis_request
            analysis = analysis_request.analysis(report)
            _log_outcome(analysis, request.log, missing)
            identity = run_folders.run_identity(analysis, request.parameters)
            existing = next((run for run in all_runs if run.record.identity == identity), None)
            run = existing.path if existing else new_run
            compared: Sequence[Run] = ()
            if existing:
                not_compared = existing.record.not_compared
            else:
                compared, not_compared = _runs_to_compare(earlier, request)
            older = outputs.accounts_of_older_runs(compared, report.accounts)
            changed, refusal = outputs.changes_since(analysis, compared, older)
            if refusal:
                not_compared = refusal
                message = f"Changes since {compared[-1].path} are not known: {refusal}."
                request.log.caution("not-compared", message, run=compared[-1].name)
            met = outputs.failures(analysis_request, analysis, changed, compared)
            if met:
                message = f"Meets --fail-on in {run}: {'; '.join(met)}"
                request.log.caution("fail-on", message, run=run.name)
            is_partial = has_gaps or bool(analysis.report.not_covered or not_compared)
            code = exit_code(met, lacks_decisions=bool(missing), is_partial=is_partial)
            if existing:
                message = f"Unchanged since {run}: skipped."
                request.log.say("unchanged", message, run=existing.name, exit_code=code)
            else:
                _publish(
                    request,
                    analysis,
                    building,
                    run,
                    changed,
                    compared=compared,
                    earlier=compared or earlier,
                    met=met,
                    code=code,
                    made_from=outside | {"older_runs": older},
                    not_compared=not_compared,
                )
        if keep:
            _prune(request, keep, run)
    moments = sorted(file.as_of for file in report.files)
    outcome = {"oldest_as_of": utc_text(moments[0]), "as_of": utc_text(moments[-1])}
    return code, {"run": run.name, "unchanged": bool(existing)} | outcome


def _gather_reports(
    request: ExportRequest, building: Path
) -> tuple[Report, bool, dict[str, list[Any]]]:
    """Put the reports into a run; return them, if AWS left anything out, and which are not kept.

    They are copies of files, or fetched from AWS. Raises InputRefused, AwsRefused, OutputFailed.
    """
    folder = building / inputs.REPORTS
    with run_folders.os_errors_translated(building):
        folder.mkdir(mode=0o700)
    if request.fetch_request:
        has_gaps = _fetch(request, request.fetch_request, folder)
        report = inputs.load_reports(building, {}, request.max_input, request.max_age)
        return report, has_gaps, {"unreadable": [], "skipped": []}
    sources, is_outside = inputs.inputs_outside_runs(
        request.sources, request.folder, request.max_input
    )
    unreadable = load.unreadable_files(sources) if request.skip_unreadable else ()
    sources = load.without_files(sources, unreadable)
    with run_folders.os_errors_translated(folder):
        origins = inputs.copy_inputs(request.sources, sources, folder, is_outside)
    report = inputs.load_reports(building, origins, request.max_input, request.max_age)
    outside: dict[str, list[Any]] = {
        "unreadable": [[file.name, file.reason] for file in unreadable],
        "skipped": list(load.skipped_notes(sources)),
    }
    return report, False, outside


def refuse_lost_lines(request: ExportRequest) -> None:
    """Raise InputRefused if the ledger lacks lines that it had when an earlier run was made."""
    ledger = request.analysis_request.ledger or Ledger()
    present = {*request.ledger.read_bytes().splitlines()} if request.ledger else set[bytes]()
    # A copy in another form cannot be compared.
    copies = (
        run.path / inputs.DECISIONS
        for run in run_folders.runs(request.folder)
        if not run.record.other_form
    )
    others = [
        copy for copy in copies if copy.is_file() and {*copy.read_bytes().splitlines()} - present
    ]
    hint = "Collect that copy into the ledger, or put the ledger back."
    if problems := [*lost_lines(others, ledger, hint)]:
        raise InputRefused(problems)


def _uncollected(request: ExportRequest) -> list[str]:
    """Return a sentence on each filled-in file of the folder that the ledger lacks; log them."""
    ledger = request.analysis_request.ledger or Ledger()
    written = inputs.written_by_runs(request.folder)
    problems = uncollected([request.folder], ledger, written)
    sentences = [f"{problem.file}: {problem.message}" for problem in problems]
    for sentence in sentences:
        request.log.caution("not-collected", sentence)
    return sentences


def exit_code(failures: Sequence[str], *, lacks_decisions: bool, is_partial: bool) -> int:
    """Return 5 if decisions are missing, else 1 if something fails, else 5 if it is partial."""
    if failures and not lacks_decisions:
        return FAILED
    return PARTIAL if lacks_decisions or is_partial else 0


def _publish(  # noqa: PLR0913  a run is all of these
    request: ExportRequest,
    analysis: Analysis,
    building: Path,
    run: Path,
    changed: pd.DataFrame,
    *,
    compared: Sequence[Run],
    earlier: Sequence[Run],
    met: Sequence[str],
    code: int,
    made_from: Mapping[str, Any],
    not_compared: str | None,
) -> None:
    """Write all of a run but its reports, put it in place, and log it."""
    report, ledger = analysis.report, analysis.ledger
    with run_folders.os_errors_translated(run.parent):
        for name, content in request.lists.items():
            (building / name).write_bytes(content)
        if ledger.lines:
            (building / inputs.DECISIONS).write_bytes(ledger_bytes(ledger.lines))
        feeds = request.feeds
        changes = outputs.write_all(analysis, building, changed, compared, feeds)
        record = run_folders.record_bytes(
            analysis,
            request.parameters,
            list(outputs.synced_private_files(building)),
            dict(made_from)
            | {
                "lists": dict(request.list_names) | {inputs.DECISIONS: str(request.ledger or "")},
                "feeds": list(feeds),
            },
            exit_code=code,
            met=met,
            compared_with=compared[-1].name if compared else None,
            not_compared=not_compared,
        )
    run_folders.publish(building, run, record)
    _log_lost_accounts(report, earlier, request.log)
    since = f"; changes since {compared[-1].name}: {changes}" if compared else ""
    digest = hashlib.sha256(record).hexdigest()
    message = f"Wrote {run}{since}. SHA-256 of its manifest, for credreport verify: {digest}"
    request.log.say("exported", message, run=run.name, exit_code=code, manifest_sha256=digest)


def _log_lost_accounts(report: Report, earlier: Sequence[Run], log: Log) -> None:
    """Log the accounts of the run before that have no report now, and no reason for it."""
    explained = {""}
    explained.update(account.account for account in report.not_covered)
    explained.update(account.account for account in report.left_out)
    for run in earlier[-1:]:
        covered = {account.account for account in run.record.covered}
        if lost := sorted(covered - report.accounts - explained):
            message = f"No report of {with_noun('account', lost)}, which the run {run.name} has."
            log.caution("lost-account", message, accounts=lost)


def _runs_to_compare(
    earlier: Sequence[Run], request: ExportRequest
) -> tuple[Sequence[Run], str | None]:
    """Return the earlier runs; none, and why, if the inputs of the last one were changed.

    Raises InputRefused in that case if --fail-on is about changes. Without an earlier run, a
    message says that it compares with nothing. Of a last run in another form the accounts are those
    of its reports.
    """
    words = ", ".join(outputs.change_words(request.analysis_request.fail_on))
    if words and not earlier:
        message = f"There is no earlier run: --fail-on {words} compares with nothing."
        request.log.caution("first-run", message)
    for previous in earlier[-1:]:
        if difference := previous.record.other_form:
            message = f"{previous.path}: {difference}. Its reports are judged anew."
            request.log.caution("other-form", message, run=previous.name)
            return (*earlier[:-1], inputs.with_covered_accounts(previous)), None
        if any(inputs.is_input(path) for path, _ in inputs.changed_files(previous)):
            if words:
                message = f"its reports were changed, so --fail-on {words} has nothing to rely on"
                hint = "Put its reports back as they were, or move the run to another folder."
                raise InputRefused.of_file(str(previous.path), message, hint)
            message = f"Reports in {previous.path} were changed: changes since it are not shown."
            request.log.caution("changed", message, run=previous.name)
            return (), f"the reports in the run {previous.name} were changed"
    return earlier, None


def _prune(request: ExportRequest, keep: int, run: Path) -> None:
    """Remove the oldest runs; if that fails, the new run stays as it is."""
    try:
        for old in run_folders.prune(request.folder, keep, except_run=run.name):
            request.log.say("removed", f"Removed {old.path}.", run=old.name)
    except OutputFailed as error:
        request.log.caution("not-removed", f"Old runs were not removed: {error}")


def _log_outcome(analysis: Analysis, log: Log, logged: Collection[str]) -> None:
    counts = headline.verdict_counts(analysis)
    verdict_text = ", ".join(f"{count:,} {verdict}" for verdict, count in counts.items())
    about = headline.as_of_and_scope(analysis.report)
    log.say("analyzed", f"{about}: {verdict_text}.", users=counts)
    for account in analysis.report.not_covered:
        log.caution("not-covered", str(account), **asdict(account))
    known = set(map(str, analysis.report.not_covered))
    for note in headline.notes(analysis):
        if note not in known and note not in logged:
            log.say("note", note)


def _fetch(request: ExportRequest, fetch_request: FetchRequest, folder: Path) -> bool:
    """Fetch the reports into a folder, and return whether anything is unknown of those read.

    Raises AwsRefused if none could be read, OutputFailed, KeyboardInterrupt if the user stopped it:
    otherwise some of many accounts would be missing.
    """
    # boto3 is slow to import, and reports from files need none.
    from analyzer.aws.errors import STOPPED  # noqa: PLC0415
    from analyzer.aws.fetch import fetch_accounts, save_report  # noqa: PLC0415

    log = request.log
    save = partial(save_report, partial(Path, folder))
    outcomes = fetch_accounts(fetch_request, save, waiting=log.log_wait)
    entries = outcomes.entries
    if any(entry.reason == STOPPED for entry in entries):
        raise KeyboardInterrupt
    fetch_manifest.require_any_report(entries)
    log.say("fetched", f"Accounts: {fetch_manifest.status_counts_text(entries)}.")
    for pattern in outcomes.unmatched:
        log.caution("unmatched", fetch_manifest.unmatched_sentence(pattern), pattern=pattern)
    gaps = fetch_manifest.unknown_service_credentials(entries)
    for gap in gaps:
        log.caution("gap", gap)
    manifest = folder / fetch_manifest.FETCHED_MANIFEST
    replace_files({manifest: fetch_manifest.manifest_bytes(outcomes)})
    return bool(gaps)
