"""Open credential reports, on disk or in memory, and make one Report of them; read lists."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from os.path import realpath
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, TypeAlias

from analyzer import files
from analyzer.errors import InputRefused
from analyzer.report import content
from analyzer.report.content import Content, LargeFile
from analyzer.report.input_formats import (
    HEAD_BYTES,
    MAX_INPUT,
    InputLimit,
    is_utf8_csv,
    unwrapped_file,
)
from analyzer.report.model import Exemptions, NotCovered
from analyzer.report.read_reports import Reading
from analyzer.report.report import Report
from analyzer.report.report_text import (
    RUN_FOLDER,
    RefusedText,
    ReportText,
    Text,
    check_as_of,
    find_header,
)
from analyzer.report.reports import assemble_report
from analyzer.sources import files_beside
from analyzer.sources.files_beside import (
    MANIFEST_ENDING,
    METADATA_ENDING,
    SERVICE_CREDENTIALS_ENDING,
)
from analyzer.sources.find import find_sources, stream_sources
from analyzer.sources.source import Source
from analyzer.terms import short_list

if TYPE_CHECKING:
    from analyzer.decisions.ledger import Ledger
    from analyzer.lists.owners import Owners

Progress: TypeAlias = Callable[[int, int], None]
"""A function that is called with the number of reports read, and of all."""


def load(
    *sources: str | Path | bytes,
    as_of: datetime | None = None,
    progress: Progress = lambda _done, _total: None,
    max_input: int = MAX_INPUT,
    with_older: bool = False,
) -> Report:
    """Return all reports in the sources as one.

    A source is the path of a file, a folder (searched with all below it), a zip archive or `-`; or
    the bytes of a report. Each is an argument of its own: `load(*paths)`. Their order does not
    matter.
    `as_of` is the moment that the reports describe, with its zone, if you know it better than the
    reports show it; `progress` is called with the number of inputs read, and of all. All sources
    together must not hold more than `max_input` bytes, read or unpacked. With `with_older`, each
    report of an account counts, for a history.

    Raises InputRefused with the problems of all inputs together, ValueError for a moment without
    its zone.
    """
    if not sources:
        raise TypeError("load() needs at least one source")
    limit = InputLimit(max_input)
    names = [str(source) for source in sources if not isinstance(source, bytes)]
    inputs = find_sources(names, limit)
    for number, source in enumerate(sources, 1):
        if isinstance(source, bytes):
            inputs += stream_sources(f"bytes {number}", BytesIO(source), limit)
    return load_sources(
        names, inputs, as_of and moment_in_utc(as_of), progress, with_older=with_older
    )


def moment_in_utc(as_of: datetime) -> datetime:
    """Return the moment that all reports describe, in UTC to the second.

    Raises ValueError if it has no zone, InputRefused if no report can describe it.
    """
    if as_of.tzinfo is None:
        raise ValueError(f"as_of lacks its zone: {as_of}")
    check_as_of(as_of)
    moment = as_of.astimezone(UTC).replace(microsecond=0)
    check_as_of(moment)
    return moment


def load_sources(  # noqa: PLR0913  each is one choice
    names: Collection[str],
    inputs: Sequence[Source],
    as_of: datetime | None,
    progress: Progress = lambda _done, _total: None,
    *,
    skip_unreadable: bool = False,
    with_older: bool = False,
    is_input: Callable[[Source], bool] = lambda _: True,
) -> Report:
    """Return all reports that were found for the names as one; `as_of` is in UTC to the second.

    With `skip_unreadable`, inputs that cannot be read are not covered. Manifests among the names
    count if `is_input` says so.
    `with_older` is that of `assemble_report`.

    Raises InputRefused with the problems of all inputs together.
    """
    if as_of:
        check_as_of(as_of)
    reading = _read(inputs, progress)
    report = assemble_report(reading, as_of, with_older=with_older, skip_unreadable=skip_unreadable)
    unreadable = report.not_covered
    inputs = without_files(inputs, unreadable)
    if any(source.is_skipped for source in inputs):
        report = replace(report, source_notes=(*skipped_notes(inputs),))
    if _may_have_manifest(names, inputs):
        from analyzer.sources.fetch_manifest import manifest_sources, with_listed_accounts  # noqa: PLC0415

        if listed := [*filter(is_input, manifest_sources(names, inputs))]:
            report = with_listed_accounts(report, listed, inputs)
            report = replace(report, not_covered=(*unreadable, *report.not_covered))
    return report


def _may_have_manifest(names: Iterable[str], inputs: Collection[Source]) -> bool:
    """Return whether a manifest may be among the names, or beside an input."""
    if any(name.endswith(MANIFEST_ENDING) or not Path(name).is_file() for name in names):
        return True
    folders = {source.path.parent for source in inputs if source.path}
    beside = (path for folder in folders for path in folder.glob(f"*{MANIFEST_ENDING}"))
    return any(beside)


def unreadable_files(inputs: Iterable[Source]) -> tuple[NotCovered, ...]:
    """Return the inputs that are no whole reports, or of which it is unknown which is the newest.

    Raises InputRefused if no input is a report.
    """
    return assemble_report(_read(inputs), skip_unreadable=True).not_covered


def without_files(inputs: Iterable[Source], unreadable: Iterable[NotCovered]) -> list[Source]:
    """Return the inputs without those that are not covered."""
    names = {file.name for file in unreadable}
    return [source for source in inputs if source.name not in names]


def skipped_notes(inputs: Iterable[Source]) -> Iterator[str]:
    """Yield a note on the files that were skipped, if any, without those of runs."""
    skipped = [PurePath(source.name) for source in inputs if source.is_skipped]
    in_runs = {folder for folder in {path.parent for path in skipped} if _is_in_run(folder)}
    if names := [str(path) for path in skipped if path.parent not in in_runs]:
        several = f"{len(names)} files that cannot be reports"
        what = several if len(names) > 1 else "1 file that cannot be a report"
        yield f"Skipped {what}: {short_list(names)}."


def _is_in_run(folder: PurePath) -> bool:
    """Return whether a folder is in a run of `export`, which also has other files than reports."""
    path = Path(realpath(folder))
    return any(RUN_FOLDER.fullmatch(each.name) for each in (path, *path.parents))


def _read(inputs: Iterable[Source], progress: Progress = lambda _done, _total: None) -> Reading:
    """Return what was read of the inputs that are not skipped."""
    reading = Reading()
    sources = [source for source in inputs if not source.is_skipped]
    for done, source in enumerate(sources, start=1):
        reading.add(report_text(source))
        progress(done, len(sources))
    return reading


def report_text(source: Source) -> Text:
    """Return one report, with what was saved beside it, or its refusal."""
    try:
        return _report_text(source)
    except InputRefused as refused:
        return RefusedText(source.name, refused.problems)


def _report_text(source: Source) -> ReportText:
    """Return one report, with what was saved beside it."""
    path = source.path
    try:
        text = _large_text(source, path) if path else None
        text = text or _text_in_memory(source)
        saved = [
            Path(f"{path}{ending}")
            for ending in (METADATA_ENDING, SERVICE_CREDENTIALS_ENDING)
            if path
        ]
        if there := [path for path in saved if path.is_file()]:
            contents = {str(path): files.saved_bytes(str(path), path.read_bytes) for path in there}
            text = files_beside.with_files_beside(text, str(path), contents)
    except OSError as error:
        raise files.unreadable_file_refusal(source.name, error) from None
    return replace(text, origin=source.origin)


def _large_text(source: Source, path: Path) -> ReportText | None:
    """Return a report whose rows are still in its file, None if it must be read whole."""
    size = path.stat().st_size
    if isinstance(source.content, bytes) or size <= content.BLOCK_BYTES:
        return None
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    if not (head.isascii() and is_utf8_csv(head)):
        return None
    file = LargeFile(source.name, size, lambda: path.open("rb", buffering=0), source.limit)
    header = find_header(source.name, head)
    return ReportText(name=source.name, header=header, content=Content(head, file=file))


def _text_in_memory(source: Source) -> ReportText:
    """Return one report, whose bytes are read whole, once: what is hashed is what is judged.

    Raises InputRefused and OSError.
    """
    data = source.read()
    csv, generated = unwrapped_file(source.name, data, source.limit)
    sha256 = hashlib.sha256(data).hexdigest()
    csv_sha256 = sha256 if csv == data else hashlib.sha256(csv).hexdigest()
    return ReportText(
        name=source.name,
        header=find_header(source.name, csv[:HEAD_BYTES]),
        content=Content(csv, len(data), sha256, csv_sha256),
        envelope_time=generated,
    )


# The lists that go with reports; few runs have one, so their parsers are imported when needed

ListSource: TypeAlias = str | Path | bytes | tuple[str, bytes]
"""The path of a file, its bytes, or its name and bytes."""


def read_exemptions(source: ListSource) -> Exemptions:
    """Return the entries of an exemption list; raises InputRefused with every problem."""
    from analyzer.lists import exemptions  # noqa: PLC0415

    def ids() -> Collection[str]:
        from analyzer.rules import RULES_BY_ID  # noqa: PLC0415  0.02 s, and few lists name a rule

        return RULES_BY_ID

    return exemptions.read_exemptions(*_name_and_bytes(source, "exemptions"), ids)


def read_owners(source: ListSource) -> "Owners":
    """Return the owners of users in a list; raises InputRefused with every problem."""
    from analyzer.lists import owners  # noqa: PLC0415

    return owners.read_owners(*_name_and_bytes(source, "owners"))


def read_ledger(source: ListSource) -> "Ledger":
    """Return the decisions of a ledger; raises InputRefused with every problem."""
    from analyzer.decisions import ledger  # noqa: PLC0415

    return ledger.read_ledger(*_name_and_bytes(source, "ledger"))


def _name_and_bytes(source: ListSource, what: str) -> tuple[str, bytes]:
    if isinstance(source, bytes):
        return what, source
    if isinstance(source, tuple):
        return source
    try:
        return str(source), Path(source).read_bytes()
    except OSError as error:
        reason = f"it cannot be read: {error.strerror}"
        raise InputRefused.of_file(str(source), reason, "Check the path.") from None
