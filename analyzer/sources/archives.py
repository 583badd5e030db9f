"""Find the inputs in a zip archive: files that are unpacked within bounds."""

import lzma
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Final

from analyzer.errors import InputRefused
from analyzer.report.input_formats import InputLimit, read_report_bytes
from analyzer.sources.files_beside import BESIDE_ENDINGS
from analyzer.sources.source import (
    Source,
    content_cannot_be_report,
    is_visible,
    missing_source,
    skipped_source,
)
from analyzer.terms import printable, short_list

_WORKBOOK: Final = "[Content_Types].xml"

_LOOK_BUDGET: Final = 256 << 20
"""The most bytes of an archive that are unpacked to find files that cannot be reports."""

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
    """Yield the inputs in an archive, which is a file or in memory.

    It is opened once: if it is opened for each, 1,500 reports take 1.9 times as long.
    """
    shown, path = printable(name), content if isinstance(content, Path) else None
    try:
        archive = zipfile.ZipFile(BytesIO(content) if isinstance(content, bytes) else content)
    except DAMAGED as error:
        yield missing_source(name, f"the zip archive is damaged: {error}", "Download it again.")
        return
    listed = sorted(archive.infolist(), key=lambda member: member.filename)
    members = [member for member in listed if not member.filename.endswith("/")]
    if any(member.filename == _WORKBOOK for member in members):
        hint = "Save the sheet as CSV, or better, give the report as AWS made it."
        yield missing_source(name, "this is an Excel workbook, not a report", hint)
        return
    names = Counter(member.filename for member in members)
    if twice := [member for member, count in names.items() if count > 1]:
        message = f"the zip archive holds two files of one name: {short_list(twice)}"
        yield missing_source(name, message, "Unpack it, and give the right one.")
        return
    visible = [member for member in members if is_visible(member.filename)]
    beside = [one.filename for one in visible if one.filename.endswith(BESIDE_ENDINGS)]
    if beside:
        message = f"the zip archive holds what was saved with reports: {short_list(beside)}"
        yield missing_source(name, message, "Unpack it, and name the folder.")
        return
    budget = InputLimit(_LOOK_BUDGET)
    is_other = [_member_cannot_be_report(archive, member, budget) for member in visible]
    for member, is_skipped in zip(visible, is_other, strict=True):
        of_member = f"{shown}:{printable(member.filename)}"
        if is_skipped:
            yield skipped_source(of_member, path)
        else:
            read = partial(_member_bytes, archive, member, of_member)
            yield Source(of_member, read, limit, archive=path)
    if all(is_other):
        what = "no report, only files of other kinds" if visible else "no file"
        yield missing_source(name, f"the zip archive holds {what}", "Give an archive of reports.")


def _member_bytes(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, limit: InputLimit
) -> bytes:
    """Return a file of the archive; raises InputRefused."""
    try:
        with archive.open(member) as unpacked:
            return read_report_bytes(name, unpacked, limit)
    except DAMAGED as error:
        is_encrypted = member.flag_bits & _ENCRYPTED
        message = "it is encrypted" if is_encrypted else f"cannot be unpacked: {error}"
        raise InputRefused.of_file(name, message, "Unpack it first.") from None


def _member_cannot_be_report(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, budget: InputLimit
) -> bool:
    """Return whether a file of an archive cannot be a report, as far as the budget lasts."""

    def start(size: int) -> bytes:
        budget.add(member.filename, min(size, member.file_size))
        with archive.open(member) as unpacked:
            return unpacked.read(size)

    try:
        return content_cannot_be_report(member.filename, member.file_size, start)
    except (*DAMAGED, InputRefused):
        return False  # Reading it shows the reason.
