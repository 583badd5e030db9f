"""Put notes on reports into words."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from analyzer import columns
from analyzer.errors import Problem
from analyzer.terms import (
    AsOfSource,
    FileNote,
    count_text,
    folded_notes,
    minute_text,
    short_list,
    with_noun,
)

if TYPE_CHECKING:
    from analyzer.report.read_reports import ReadReport


_SKEW: Final = timedelta(hours=1)
"""The most by which AWS's clocks and rounded last uses may be ahead of a report's as-of."""


def notes_on_content(
    reports: "Sequence[ReadReport]",
    of_selection: Iterable[str],
) -> tuple[str, ...]:
    """Return all notes on the content of reports; `of_selection` are those on which count."""
    return (
        *folded_notes(_late_timestamp_notes(reports)),
        *_replaced_time_notes(reports),
        *of_selection,
        *_missing_column_notes(reports),
    )


def _late_timestamp_notes(reports: "Iterable[ReadReport]") -> Iterator[FileNote]:
    many = (
        "reports have a timestamp after their as-of, so they do not show the state of that time;"
        " later times count as 0 days old"
    )
    for report in reports:
        if report.newest > report.file.as_of + _SKEW:
            newest, as_of = minute_text(report.newest), minute_text(report.file.as_of)
            text = (
                f"{report.file.name} has a timestamp of {newest}, after its as-of ({as_of}): later"
                " times count as 0 days old, so this is not the state of that time."
            )
            yield FileNote(report.file.name, text, many)


def _replaced_time_notes(reports: "Iterable[ReadReport]") -> Iterator[str]:
    """Note the reports whose own time --as-of replaces by another."""
    dated = [report for report in reports if report.own_source is not AsOfSource.ASSUMED]
    if replaced := [report for report in dated if report.own_as_of != report.file.as_of]:
        texts = [f"{report.file.name} ({minute_text(report.own_as_of)})" for report in replaced]
        is_later = any(report.own_as_of < report.file.as_of for report in replaced)
        limit = (
            " A report does not show use after its own time, so users can be idle for less time"
            " than shown."
        )
        yield (
            f"The as-of set by option replaces the own time of {count_text(len(texts), 'report')}:"
            f" {short_list(texts)}.{limit if is_later else ''}"
        )


def _missing_column_notes(reports: "Iterable[ReadReport]") -> Iterator[str]:
    """Note the reports without columns of use, by the columns that they lack."""
    dates = [key.last_used_date for key in columns.ACCESS_KEYS]
    lacking: dict[str, list[str]] = defaultdict(list)
    for report in reports:
        missing = ", ".join(name for name in dates if name not in report.text.header.names)
        lacking[missing].append(report.file.name)
    lacking.pop("", None)
    for missing, names in lacking.items():
        yield (
            f"{short_list(names)}: no column {missing}, as in reports of 2014; verdicts that need"
            " it are undetermined."
        )


def copy_note(copy: str, first: str) -> FileNote:
    """Return the note on a report that is the same as another."""
    text = f"{copy} is the same report as {first}: counted once."
    return FileNote(copy, text, "files are the same report as another, counted once")


def superseded_notes(
    older: "Iterable[tuple[ReadReport, dict[str, ReadReport]]]",
) -> Iterator[FileNote]:
    """Yield the notes on older reports, each with the newer ones by account."""
    many = "reports are not counted for an account that has a newer one"
    accounts: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for old, newer in older:
        for account, new in newer.items():
            key = old.file.name, _as_of_text(old), new.file.name, _as_of_text(new)
            accounts[key].append(account)
    for (old_name, old_at, new_name, new_at), which in accounts.items():
        text = (
            f"{old_name} ({old_at}) is not counted for {with_noun('account', which)}:"
            f" {new_name} is newer ({new_at})."
        )
        yield FileNote(old_name, text, many)


def _as_of_text(report: "ReadReport") -> str:
    unsure = {AsOfSource.ASSUMED: ", assumed: perhaps later", AsOfSource.FOLDER: ", or earlier"}
    return f"{minute_text(report.own_as_of)}{unsure.get(report.own_source, '')}"


def repeated_row_note(report: "ReadReport") -> FileNote:
    """Return the note on the rows of a report that repeat users."""
    count = report.repeated
    what = "1 row repeats a user" if count == 1 else f"{count:,} rows repeat users"
    text = f"{report.file.name}: {what} of another row: each user counts once."
    many = "reports have rows that repeat users of other rows; each user counts once"
    return FileNote(report.file.name, text, many)


def mended_row_note(report: "ReadReport") -> FileNote:
    """Return the note on the rows of a report whose user names hold commas without quotes."""
    count = report.mended
    what = "1 row has" if count == 1 else f"{count:,} rows have"
    text = f"{report.file.name}: {what} a comma in the user name without quotes: read as the name."
    many = "reports have rows with a comma in the user name without quotes: read as the name"
    return FileNote(report.file.name, text, many)


def order_problem(new: "ReadReport", others: "Sequence[tuple[ReadReport, str]]") -> Problem:
    """Return the problem of reports of which nothing shows if they are older than another."""
    names = [*dict.fromkeys(other.file.name for other, _ in others)]
    accounts = [*dict.fromkeys(account for _, account in others)]
    message = (
        f"perhaps newer than {new.file.name} ({_as_of_text(new)}), another report of"
        f" {with_noun('account', accounts)}"
    )
    hint = (
        "Put the date in the name of the file or its folder, such as 2026-02-02, keep the name that"
        " the console gives, or leave out the older of the reports."
    )
    file_names = f"{len(names):,} reports ({short_list(names)})" if len(names) > 1 else names[0]
    return replace(Problem.of_file(file_names, message, hint), files=(*names,))
