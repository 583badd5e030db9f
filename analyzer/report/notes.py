"""Write the notes on the input and its limitations."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

import pyarrow as pa

from analyzer import columns
from analyzer.report.survey import SurveyedReport
from analyzer.terms import NO_VALUE, AsOfSource, minute_text, short_list

_SKEW = timedelta(hours=1)
"""How far AWS's clocks and the rounding of last uses may stand ahead of a report's as-of."""


def input_notes(
    reports: Sequence[SurveyedReport],
    same: Iterable[tuple[SurveyedReport, SurveyedReport]],
    older: Iterable[tuple[SurveyedReport, SurveyedReport, str]],
    contradicting: Iterable[str],
) -> tuple[str, ...]:
    """Return the notes on what was left out, assumed, repeated, missing or contradictory."""
    return (
        *(_as_of_too_early(reports)),
        *(f"{copy.name} is the same report as {first.name}: counted once." for copy, first in same),
        *(_superseded_notes(older)),
        *(_repeated_row_notes(reports)),
        *(_contradiction_notes(sorted(contradicting))),
        *(_missing_columns(reports)),
        *(_emptied_cells(reports)),
    )


def _as_of_too_early(reports: Iterable[SurveyedReport]) -> Iterator[str]:
    for report in reports:
        if report.newest > report.as_of + _SKEW:
            yield (
                f"{report.name} has a timestamp of {minute_text(report.newest)}, after"
                f" its as-of ({minute_text(report.as_of)}): later times count as 0 days old."
            )


def _superseded_notes(older: Iterable[tuple[SurveyedReport, SurveyedReport, str]]) -> Iterator[str]:
    accounts: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for old, new, account in older:
        accounts[old.name, _as_of_text(old), new.name, _as_of_text(new)].append(account)
    for (old_name, old_at, new_name, new_at), which in accounts.items():
        yield (
            f"{old_name} ({old_at}) is not counted for account {short_list(which)}:"
            f" {new_name} is newer ({new_at})."
        )


def _as_of_text(report: SurveyedReport) -> str:
    assumed = report.own_source is AsOfSource.ASSUMED
    return f"{minute_text(report.own_as_of)}{', assumed: perhaps later' if assumed else ''}"


def _repeated_row_notes(reports: Iterable[SurveyedReport]) -> Iterator[str]:
    for report in reports:
        count = len(report.repeated)
        if count:
            what = "1 row repeats another" if count == 1 else f"{count} rows repeat others"
            yield f"{report.name}: {what}, of this report or another: counted once."


def _contradiction_notes(arns: Sequence[str]) -> Iterator[str]:
    if arns:
        what = "the user is" if len(arns) == 1 else "the users are"
        why = f"Rows of the same ARN contradict each other, so {what} undetermined"
        yield f"{why}: {short_list(arns)}."


def _missing_columns(reports: Iterable[SurveyedReport]) -> Iterator[str]:
    by_columns: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for report in reports:
        missing = tuple(
            name
            for name in columns.IN_REPORT
            if name.endswith("_last_used_date") and name not in report.text.header.names
        )
        by_columns[missing].append(report.name)
    for missing, names in by_columns.items():
        if missing:
            yield (
                f"{short_list(names)}: no column {', '.join(missing)}, as in reports of 2014;"
                " verdicts that need it are undetermined."
            )


def _emptied_cells(reports: Sequence[SurveyedReport]) -> Iterator[str]:
    """Note the reports whose root rows have empty cells and no `N/A`."""
    # Neighbours share a table: one look at it instead of one at each report.
    tables = {id(part.shared): part.shared for each in reports for part in each.roots}
    with_empty = {key for key, table in tables.items() if "" in _key_cells([table])}
    suspects = (
        each for each in reports if any(id(part.shared) in with_empty for part in each.roots)
    )
    key_cells = [(each.name, _key_cells(each.root_rows())) for each in suspects]
    names = [name for name, cells in key_cells if "" in cells and NO_VALUE not in cells]
    if names:
        yield (
            f"{short_list(names)}: cells are empty where AWS writes N/A, because a program such as"
            " pandas saved the report again; verdicts that need them are undetermined. Use the"
            " report as AWS made it, or read it with keep_default_na=False before you save it."
        )


def _key_cells(tables: Iterable[pa.Table]) -> set[str]:
    """Return the texts in the cells of access keys that are moments or `N/A`."""
    return {
        cell
        for roots in tables
        for key in columns.ACCESS_KEYS
        for name in (key.last_rotated, key.last_used_date)
        if name in roots.column_names
        for cell in roots[name].to_pylist()
    }
