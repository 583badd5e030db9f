"""Find the inputs in a zip archive: files that are unpacked within bounds."""

import lzma
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Final

from analyzer.errors import InputRefused
from analyzer.report.input_formats import InputLimit, Limits, read_report_bytes
from analyzer.sources.files_beside import BESIDE_ENDINGS
from analyzer.sources.source import (
    Source,
    content_cannot_be_report,
    is_visible,
    missing_source,
    skipped_source,
)
from analyzer.terms import printable

_WORKBOOK: Final = "[Content_Types].xml"

_LOOK_BUDGET: Final = 256 << 20
"""The most bytes of an archive that are unpacked to find files that cannot be reports."""

_LEAST_LOOK_BYTES: Final = 16 << 10
"""The least bytes that a file counts: to open it takes as long as to unpack them."""

_MEMBER_HEADER: Final = 30
"""The bytes before each file in a zip archive, at least, besides its name."""

_ENCRYPTED: Final = 1
"""The flag bit of an encrypted file in a zip archive."""

DAMAGED: Final = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,  # a compression that Python does not know
    RuntimeError,  # encrypted
    ValueError,  # invalid names and offsets
    OSError,  # likewise, and damaged bzip2
)
"""The errors of reading an archive that is damaged or encrypted."""


def archive_sources(name: str, content: Path | bytes, limit: InputLimit) -> Iterator[Source]:
    """Yield the inputs in an archive, which is a file or in memory."""
    archive = _Archive(printable(name), content)
    try:
        members = archive.members()
    except DAMAGED as error:
        yield missing_source(name, f"the zip archive is damaged: {error}", "Download it again.")
        return
    if any(member.filename == _WORKBOOK for member, _ in members):
        hint = "Save the sheet as CSV, or better, give the report as AWS made it."
        yield missing_source(name, "this is an Excel workbook, not a report", hint)
        return
    visible = [member for member in members if is_visible(member[0].filename)]
    beside = [member for member, _ in visible if member.filename.endswith(BESIDE_ENDINGS)]
    reports = [member for member in visible if not member[0].filename.endswith(BESIDE_ENDINGS)]
    saved_in_archive = tuple(_member_source(archive, member, limit) for member in beside)
    archive.reports = sum(not is_other for _, is_other in reports)
    for member, is_other in reports:
        if is_other:
            yield skipped_source(f"{archive.name}:{printable(member.filename)}", archive.path)
        else:
            yield _member_source(archive, member, limit, saved_in_archive)
    if all(is_other for _, is_other in reports):
        what = "no report, only files of other kinds" if reports else "no file"
        yield missing_source(name, f"the zip archive holds {what}", "Give an archive of reports.")


def _member_source(
    archive: "_Archive",
    member: zipfile.ZipInfo,
    limit: InputLimit,
    saved_in_archive: tuple[Source, ...] = (),
) -> Source:
    name, read = f"{archive.name}:{printable(member.filename)}", partial(archive.read, member)
    return Source(name, read, limit, archive=archive.path, saved_in_archive=saved_in_archive)


@dataclass(slots=True)
class _Archive:
    """Unpack the files of a zip archive, which is opened once for all of its reports.

    If it is opened for each, 1,500 reports take 1.9 times as long. It closes when
    no report is `unread`; a file saved with reports is read by itself.
    """

    name: str
    content: Path | bytes
    reports: int = 0
    unread: int = 0
    _opened: zipfile.ZipFile | None = None

    @property
    def path(self) -> Path | None:
        """Return the path of the archive, if it is a file."""
        return self.content if isinstance(self.content, Path) else None

    def _open(self) -> zipfile.ZipFile:
        content = self.content
        return zipfile.ZipFile(BytesIO(content) if isinstance(content, bytes) else content)

    def members(self) -> list[tuple[zipfile.ZipInfo, bool]]:
        """Return the files in the archive by name, and whether each cannot be a report.

        Raises one of `DAMAGED`.
        """
        with self._open() as archive:
            _refuse_overlap(archive.infolist())
            listed = sorted(archive.infolist(), key=lambda member: member.filename)
            files = [member for member in listed if not member.filename.endswith("/")]
            budget = InputLimit(Limits(total=_LOOK_BUDGET))
            return [(member, _member_cannot_be_report(archive, member, budget)) for member in files]

    def read(self, member: zipfile.ZipInfo, limit: InputLimit) -> bytes:
        """Return a file of the archive; raises InputRefused."""
        name = f"{self.name}:{printable(member.filename)}"
        try:
            if self._opened is None:
                self._opened, self.unread = self._open(), self.reports
            with self._opened.open(member) as unpacked:
                return read_report_bytes(name, unpacked, limit)
        except DAMAGED as error:
            is_encrypted = member.flag_bits & _ENCRYPTED
            message = "it is encrypted" if is_encrypted else f"cannot be unpacked: {error}"
            raise InputRefused.of_file(name, message, "Unpack it first.") from None
        finally:
            self.unread -= 1
            is_alone = member.filename.endswith(BESIDE_ENDINGS)
            if self._opened and (is_alone or self.unread <= 0):
                self._opened.close()
                self._opened = None


def _member_cannot_be_report(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, budget: InputLimit
) -> bool:
    """Return whether a file of an archive cannot be a report, as far as the budget lasts."""

    def start(size: int) -> bytes:
        budget.add(member.filename, max(min(size, member.file_size), _LEAST_LOOK_BYTES))
        with archive.open(member) as unpacked:
            return unpacked.read(size)

    try:
        return content_cannot_be_report(member.filename, member.file_size, start)
    except (*DAMAGED, InputRefused):
        return False  # Reading it shows the reason.


def _refuse_overlap(members: Iterable[zipfile.ZipInfo]) -> None:
    """Refuse an archive whose files share bytes: a small one can unpack to any size.

    Raises zipfile.BadZipFile.
    """
    in_order = sorted(members, key=lambda member: member.header_offset)
    for member, following in pairwise(in_order):
        least = _MEMBER_HEADER + len(member.orig_filename) + member.compress_size
        if member.header_offset + least > following.header_offset:
            message = f"{member.filename} and {following.filename} overlap"
            raise zipfile.BadZipFile(printable(message))
