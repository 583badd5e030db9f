"""Find the moment that a report describes.

The CSV itself has no such time, and the time of analysis is never used.
"""

import re
from datetime import datetime
from pathlib import PurePath

from analyzer.errors import InputRefused, Problem
from analyzer.report.report_text import ReportText
from analyzer.report.values import YEARS, timestamp
from analyzer.terms import AsOfSource

_CONSOLE_NAME = re.compile(
    r"status_reports_(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)(Z|([+-]\d\d)-(\d\d))?(?![+-]?\d)"
)
_DATE = re.compile(r"(?<!\d)(\d{4}-\d\d-\d\d)(?!\d)", re.ASCII)
RUN_FOLDER = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ(-\d+)?", re.ASCII)
"""The name of a run of `export`: no report in it is from the end of that day."""


def check_as_of(set_as_of: datetime) -> None:
    """Refuse a moment that no report can describe; raises InputRefused."""
    if set_as_of.year not in YEARS:
        message = "no report describes this time"
        hint = f"Use a time from {YEARS.start} to {YEARS[-1]}."
        raise InputRefused([Problem("as-of", None, None, set_as_of.isoformat(), message, hint)])


def own_as_of(text: ReportText, newest: datetime) -> tuple[datetime, AsOfSource]:
    """Return the moment that a report itself tells of and its source, the strongest first.

    `newest` is the newest timestamp in the report: AWS made it then or later, so ages that are
    counted from it err on the young side.
    """
    known = (
        (text.envelope_time, AsOfSource.ENVELOPE),
        (text.metadata_time, AsOfSource.METADATA),
        (_from_name(text.name), AsOfSource.FILE_NAME),
        (_from_folder(text.origin or text.name, newest), AsOfSource.FOLDER),
    )
    return next(((at, source) for at, source in known if at), (newest, AsOfSource.ASSUMED))


def _from_name(name: str) -> datetime | None:
    """Read the name that the console gives: status_reports_2018-03-27T03-01-45+00-00.csv.

    People put a prefix before it. A file in a zip archive is named `archive.zip:file`.
    """
    match = _CONSOLE_NAME.search(PurePath(name).name.rpartition(":")[2])
    if match is None:
        return None
    day, hour, minute, second, _, offset_hours, offset_minutes = match.groups()
    zone = f"{offset_hours}:{offset_minutes}" if offset_hours else "Z"
    return timestamp(f"{day}T{hour}:{minute}:{second}{zone}")


def _from_folder(name: str, newest: datetime) -> datetime | None:
    """Return the end of the day in the name of the file, else of the nearest folder above it.

    Such a name is `2026-03-01` or `report_date=2026-03-01`. The day counts only if no timestamp
    in the report is later.
    """
    days = _days_in(dated_part(name))
    day = days.pop() if len(days) == 1 else None
    return day if day and day >= newest else None


def dated_part(name: str) -> str:
    """Return the name of a file that has a date, else of the nearest folder above it, or ""."""
    parts = reversed(PurePath(name.replace(":", "/")).parts)
    return next((part for part in parts if _days_in(part)), "")


def _days_in(part: str) -> set[datetime]:
    """Return the ends of the days in the name of a file or folder."""
    texts = [] if RUN_FOLDER.fullmatch(part) else _DATE.findall(part)
    return {day for each in texts if (day := timestamp(f"{each}T23:59:59Z"))}
