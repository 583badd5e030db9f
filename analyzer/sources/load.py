"""Open credential reports, on disk or in memory, and make one Report of them; read lists."""

import hashlib
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Final, TypeAlias, cast

import pandas as pd

from analyzer import files
from analyzer.errors import InputRefused, Problem
from analyzer.report import input_formats
from analyzer.report.input_formats import HEAD_BYTES, LIMITS, InputLimit, Limits
from analyzer.report.model import Exemptions, UncoveredFile
from analyzer.report.read_reports import Text
from analyzer.report.report import Report
from analyzer.report.report_text import RUN_FOLDER, ReportText, find_header
from analyzer.report.reports import assemble_report
from analyzer.sources import files_beside
from analyzer.sources.files_beside import (
    MANIFEST_ENDING,
    METADATA_ENDING,
    SERVICE_CREDENTIALS_ENDING,
)
from analyzer.sources.find import find_sources, stream_sources
from analyzer.sources.source import Source, unreadable_file_refusal
from analyzer.terms import ACCOUNT_ID_PATTERN, printable, short_list

if TYPE_CHECKING:
    from analyzer.decisions.ledger import Ledger
    from analyzer.lists.owners import Owners

Progress: TypeAlias = Callable[[int, int], None]
"""A function that is called with the number of reports read, and of all."""

MemorySource = bytes | tuple[str, bytes] | IO[Any] | pd.DataFrame
"""A report in memory; a pair has its name, which may show its as-of, and its content."""

_READ_AS_TEXT: Final = "read it with pandas.read_csv(path, dtype=str, keep_default_na=False)"
_ACCEPTED_SOURCES: Final = (
    "a source is a path (str or Path), bytes, a pair (name, bytes), a file object or a DataFrame"
    " of text"
)


def load(  # noqa: PLR0913  each is one choice
    *sources: str | Path | MemorySource,
    as_of: datetime | None = None,
    account_id: str = "",
    progress: Progress = lambda _done, _total: None,
    max_file: int = LIMITS.file,
    max_input: int = LIMITS.total,
    with_older: bool = False,
) -> Report:
    """Return all reports in the sources as one.

    A source is the path of a file, a folder (searched with all below it), a pattern, a zip archive
    or `-`; or a report in memory: bytes, a pair (name, bytes), a file object opened in binary mode,
    or a DataFrame of text. Each is an argument of its own: `load(*paths)`. Their order does not
    matter.
    `as_of` is the moment that the reports describe, with its zone, if you know it better than the
    reports show it; `account_id` is the account of a report that masks it; `progress` is called
    with the number of inputs read, and of all. A source must not hold more than `max_file` bytes,
    read or unpacked, and all together not more than `max_input`. With `with_older`, each report of
    an account counts, for a history.

    Raises InputRefused with the problems of all inputs together, TypeError for an invalid source or
    moment, ValueError for a moment without its zone, a frame with missing cells, and an account
    without 12 digits.
    """
    if not sources:
        raise TypeError("load() needs at least one source")
    memory = [(at, source) for at, source in enumerate(sources, 1) if not _is_path(source)]
    streams = [(number, *_named_stream(source)) for number, source in memory]
    if not isinstance(account_id, str) or not re.fullmatch(f"({ACCOUNT_ID_PATTERN})?", account_id):
        raise ValueError(f"account_id is a text of 12 digits, not {account_id!r}")
    as_of = moment_in_utc(as_of)
    names = [*map(str, filter(_is_path, sources))]
    limit = InputLimit(Limits(max_file, max_input))
    inputs = find_sources(names, limit)
    inputs += _memory_inputs(streams, limit)
    if account_id:
        inputs = [replace(source, masked_account=account_id) for source in inputs]
    return load_sources(names, inputs, as_of, progress, with_older=with_older)


def _is_path(source: object) -> bool:
    return isinstance(source, str | os.PathLike)


def _memory_inputs(
    streams: Iterable[tuple[int, str, str, BinaryIO]], limit: InputLimit
) -> Iterator[Source]:
    """Yield reports in memory: those without a name, then the others, by name.

    A report without a name is called by its kind, with the number of the argument.
    """
    for number, name, kind, stream in sorted(streams, key=itemgetter(1)):
        yield from stream_sources(printable(name or f"{kind} {number}"), stream, limit)


def _named_stream(source: Any) -> tuple[str, str, BinaryIO]:
    """Return the name of a report in memory, empty for none, its kind, and its bytes.

    Raises TypeError if it is no source, ValueError for a frame with missing cells.
    """
    match source:
        case pd.DataFrame():
            _check_frame(source)
            return "", "DataFrame", BytesIO(source.to_csv(index=False).encode())
        case bytes():
            return "", "bytes", BytesIO(source)
        case (str(name), bytes(content)) if isinstance(source, tuple) and name:
            return name, "", BytesIO(content)
    if not hasattr(source, "read"):
        kind = type(source).__name__
        raise TypeError(f"{_ACCEPTED_SOURCES}, not a {kind}: load(*paths) takes many")
    name = getattr(source, "name", "")
    stream = cast("BinaryIO", source)
    with suppress(OSError):  # It is refused below, with the problems of all.
        if isinstance(source.read(0), str):  # An empty read shows whether it gives text.
            stream = BytesIO(source.read().encode())
    return name if isinstance(name, str) else "", "file object", stream


def _check_frame(frame: pd.DataFrame) -> None:
    for name, column in frame.items():
        if pd.api.types.infer_dtype(column, skipna=True) not in ("string", "empty"):
            raise TypeError(f"column {name} of the DataFrame is not text: {_READ_AS_TEXT}")
        if column.hasnans:
            raise ValueError(f"column {name} of the DataFrame has missing cells: {_READ_AS_TEXT}")


def moment_in_utc(as_of: object) -> datetime | None:
    """Return the moment that all reports describe, in UTC to the second.

    Raises TypeError if it is no moment, ValueError if it has no zone.
    """
    if as_of is None:
        return None
    if not isinstance(as_of, datetime):
        raise TypeError(f"as_of is a datetime with its zone, not {as_of!r}")
    if as_of.tzinfo is None:
        raise ValueError(f"as_of lacks its zone: {as_of}")
    return as_of.astimezone(UTC).replace(microsecond=0)


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
    texts = report_texts(inputs, progress=progress)
    unreadable: tuple[UncoveredFile, ...] = ()
    if skip_unreadable:
        every = [*texts]
        unreadable = unreadable_files(inputs, every, with_older=with_older)
        inputs = without_files(inputs, unreadable)
        names_read = {source.name for source in inputs}
        texts = (text for text in every if isinstance(text, ReportText) and text.name in names_read)
    report = assemble_report(texts, as_of, with_older=with_older)
    if any(source.is_skipped for source in inputs):
        report = replace(report, source_notes=(*skipped_notes(inputs),))
    if _may_have_manifest(names, inputs):
        from analyzer.sources.fetch_manifest import manifest_sources, with_listed_accounts  # noqa: PLC0415

        if listed := [*filter(is_input, manifest_sources(names, inputs))]:
            report = with_listed_accounts(report, listed, inputs)
    return replace(report, not_covered=(*unreadable, *report.not_covered))


def _may_have_manifest(names: Iterable[str], inputs: Collection[Source]) -> bool:
    """Return whether a manifest may be among the names, or beside an input."""
    if any(name.endswith(MANIFEST_ENDING) or not Path(name).is_file() for name in names):
        return True
    folders = {source.path.parent for source in inputs if source.path}
    beside = (path for folder in folders for path in folder.glob(f"*{MANIFEST_ENDING}"))
    return any(beside)


def unreadable_files(
    inputs: Iterable[Source], texts: Iterable[Text], *, with_older: bool = False
) -> tuple[UncoveredFile, ...]:
    """Return the inputs that are not whole reports as not covered, with the reason.

    `texts` are those of the inputs. A report is also not covered if it is unknown whether it is the
    newest, but `with_older` each counts. Raises InputRefused if no input is a report.
    """
    readable: list[Text] = []
    problems: dict[str, Sequence[Problem]] = {}
    read = (source for source in inputs if not source.is_skipped)
    for source, text in zip(read, texts, strict=True):
        try:
            assemble_report([text])
        except InputRefused as refused:
            problems[source.name] = refused.problems
        else:
            readable.append(text)
    if not readable:
        raise InputRefused(chain(*problems.values()))
    try:
        assemble_report(readable, with_older=with_older)
    except InputRefused as refused:
        for problem in refused.problems:
            problems |= dict.fromkeys(problem.files or (problem.file,), (problem,))
    uncovered = []
    for name, (first, *_) in problems.items():
        reason = f"row {first.row}: {first.message}" if first.row else first.message
        uncovered.append(UncoveredFile(account="", name=name, reason=reason))
    return tuple(uncovered)


def without_files(inputs: Iterable[Source], unreadable: Iterable[UncoveredFile]) -> list[Source]:
    """Return the inputs without those that are not covered."""
    names = {file.name for file in unreadable}
    return [source for source in inputs if source.name not in names]


def skipped_notes(inputs: Iterable[Source]) -> Iterator[str]:
    """Yield a note on the files that were skipped, if any, without those of runs."""
    if names := [
        source.name for source in inputs if source.is_skipped and not _is_of_run(source.name)
    ]:
        several = f"{len(names)} files that cannot be reports"
        what = several if len(names) > 1 else "1 file that cannot be a report"
        yield f"Skipped {what}: {short_list(names)}."


def _is_of_run(name: str) -> bool:
    """Return whether a file lies in a run of `export`, which also has other files than reports."""
    return any(RUN_FOLDER.fullmatch(parent.name) for parent in Path(os.path.realpath(name)).parents)


def report_text(source: Source) -> ReportText:
    """Return one report, with what was saved beside it."""
    path = source.path
    try:
        text = read_in_memory(source)
        saved = [
            Path(f"{path}{ending}")
            for ending in (METADATA_ENDING, SERVICE_CREDENTIALS_ENDING)
            if path
        ]
        if there := [path for path in saved if path.is_file()]:
            contents = {str(path): files.saved_bytes(str(path), path.read_bytes) for path in there}
            text = files_beside.with_files_beside(text, str(path), contents)
    except OSError as error:
        raise unreadable_file_refusal(source.name, error) from None
    return replace(text, origin=source.origin, masked_account=source.masked_account)


def read_in_memory(source: Source) -> ReportText:
    """Return one report, whose bytes are read whole, once: what is hashed is what is judged.

    Raises InputRefused and OSError.
    """
    data = source.read()
    csv, generated = input_formats.unwrapped_file(source.name, data, source.limit)
    sha256 = hashlib.sha256(data).hexdigest()
    return ReportText(
        name=source.name,
        size=len(data),
        sha256=sha256,
        csv_sha256=sha256 if csv == data else hashlib.sha256(csv).hexdigest(),
        header=find_header(source.name, csv[:HEAD_BYTES]),
        csv=csv,
        quoted=b'"' in csv,
        envelope_time=generated,
    )


def report_texts(
    inputs: Iterable[Source],
    read: Callable[[Source], ReportText] = report_text,
    progress: Progress = lambda _done, _total: None,
) -> Iterator[Text]:
    """Yield the text of each input that is not skipped, or its refusal."""
    sources = [source for source in inputs if not source.is_skipped]
    for done, source in enumerate(sources, start=1):
        try:
            yield read(source)
        except InputRefused as refused:
            # The traceback of `refused` would keep the bytes that were read in memory.
            yield InputRefused(refused.problems)
        progress(done, len(sources))


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


def _name_and_bytes(source: object, what: str) -> tuple[str, bytes]:
    match source:
        case bytes():
            return what, source
        case (str(name), bytes(content)):
            return name, content
        case str() | Path():
            try:
                return str(source), Path(source).read_bytes()
            except OSError as error:
                reason = f"it cannot be read: {error.strerror}"
                raise InputRefused.of_file(str(source), reason, "Check the path.") from None
    kind = type(source).__name__
    raise TypeError(f"a list is a path, bytes, or a pair (name, bytes), not a {kind}")
