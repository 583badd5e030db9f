"""Write a history: one table as CSV or on a terminal, all tables as JSON."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO, Final, TextIO

import numpy as np
import pandas as pd
from rich.table import Column
from rich.text import Text

from analyzer import columns
from analyzer.changes.decisions import (
    DONE_AT,
    DONE_BY,
    FACT,
    HAD_LEFT,
    OVERDUES,
    REMOVED,
    REMOVED_AS,
    REMOVED_FACT,
    STATE,
    STATES,
)
from analyzer.changes.events import renamed_count_text
from analyzer.changes.history import (
    AFTER_REPORT,
    BEFORE_REPORT,
    COUNTS,
    DETAIL,
    EVENT,
    USED_BEFORE,
    History,
)
from analyzer.decisions.entries import DECIDED_BY, DECIDED_ON, DECISION
from analyzer.decisions.fate import became_text
from analyzer.files import provenance
from analyzer.report.frames import account_names, categories
from analyzer.terms import (
    OVERDUE,
    AsOfSource,
    HistoryTable,
    Verdict,
    count_text,
    minute_text,
    printable,
    short_list,
    with_noun,
)
from analyzer.writers.headline import owner_notes
from analyzer.writers.json import fields, write_document
from analyzer.writers.tables import plain_objects, text_column, write_tables
from analyzer.writers.terminal import headed_table, terminal, write_cells
from analyzer.writers.user_lists import owner_with_last_day

BLIND_SPOT: Final = (
    "Not visible: users created and deleted between two reports, and when in an interval something"
    " happened."
)


def table_frame(history: History, table: HistoryTable) -> pd.DataFrame:
    """Return a table, with the names of accounts in `account_name` (str).

    Tables of users have the columns `columns.OWNERSHIP`, as of the end of the period.
    """
    frame: pd.DataFrame = getattr(history, table)
    analysis = history.analysis
    names = account_names(frame[columns.ACCOUNT], analysis.report.account_names)
    if columns.USER in frame:
        end = history.period["last"].max().tz_localize(None)
        owned = analysis.owners.columns_of(frame, np.full(len(frame), end, "M8[s]"))
        frame = frame.assign(**categories(owned))
    return frame.assign(**{columns.ACCOUNT_NAME: names})


def write_history_csv(history: History, stream: BinaryIO, table: HistoryTable) -> None:
    """Write one table as CSV."""
    frame = table_frame(history, table)
    write_tables([frame], frame.columns, stream)


def write_history_json(history: History, stream: BinaryIO) -> None:
    """Write all tables, an object for each row, with their provenance and criteria."""
    analysis = history.analysis
    head = provenance() | {
        "criteria": analysis.criteria,
        "span": fields(history.span, "since", "until", "max_gap"),
        "exemptions": analysis.exemptions.file,
        "account_list": analysis.report.account_list,
        "owners": analysis.owners.file,
        "ledger": analysis.ledger.file,
        "notes": list(remarks(history)),
    }
    frames = {str(table): table_frame(history, table) for table in HistoryTable}
    write_document(stream, head, {table: plain_objects(frame) for table, frame in frames.items()})


def write_history_table(
    history: History, stream: TextIO, table: HistoryTable, *, width: int | None
) -> None:
    """Write a table for people; a pipe (no width) gets the cells of the CSV, with tabs."""
    if width is None:
        frame = table_frame(history, table)
        cells = (text_column(frame[name]).to_pylist() for name in frame)
        write_cells([list(frame.columns), *zip(*cells, strict=True)], stream)
        return
    console = terminal(stream, width, colour=False)
    heads, rows = _shown(history, table)
    drawn = headed_table(*(Column(head, overflow="fold") for head in heads))
    for row in rows:
        drawn.add_row(*map(Text, row))
    lines = map(Text, sentences(history))
    console.print(Text(headline(history), "bold"), "", drawn, "", *lines, sep="\n")


def _day_range(row: Mapping[str, Any], *names: str) -> str:
    """Return the days of moments in ISO text, without those that are missing."""
    return " to ".join(row[name][: len("2026-03-01")] for name in names if row[name])


def headline(history: History) -> str:
    """Return the period, and the number of accounts and reports."""
    total = history.period.iloc[-1]
    edges = (total[name] for name in ("first", "last"))
    period = " to ".join("?" if pd.isna(at) else minute_text(at) for at in edges)
    known = history.period.iloc[:-1]["reports"]
    covered = int((known > 0).sum())
    part = f"{covered:,} of " if covered < len(known) else ""
    accounts = f"{part}{count_text(len(known), 'account')}"
    return f"History: {period}, {accounts}, {count_text(total['reports'], 'report')}"


def sentences(history: History) -> Iterator[str]:
    """Yield the sentences beside the tables, printable."""
    total = history.period.iloc[-1]
    if total["reports"] and total["unused_removed"]:
        renamed = renamed_count_text(total["renamed"])
        of_all = f", of {total['removed']:,} gone{renamed}" if renamed else ""
        yield (
            f"Gone while unused: {count_text(total['unused_removed'], 'user')}{of_all}. Days"
            f" unused, at least: {_days_text(total, 'least')}; at most:"
            f" {_days_text(total, 'most')}."
        )
    if HAD_LEFT in history.period:
        yield _decisions_text(total)
    yield from (printable(remark) for remark in (*remarks(history), BLIND_SPOT))


def _decisions_text(total: "pd.Series[Any]") -> str:
    words = "; ".join(f"{state} {total[name]:,}" for state, name in STATES.items() if total[name])
    late = ", ".join(f"{why} {total[name]:,}" for why, name in OVERDUES.items() if total[name])
    words = f"{words}; of these {late}" if late else words
    gone = {how: total[name] for how, name in REMOVED.items() if total[name]}
    kinds = "; ".join(f"{how} {number:,}" for how, number in gone.items())
    by_kind = f" ({kinds})" if kinds else ""
    number = total[HAD_LEFT]
    had_left = ": not known (name the list of --owners)" if pd.isna(number) else f" {number:,}"
    return (
        f"Decisions: {total['decisions']:,}, by people who had left{had_left}. Users to"
        f" delete or deactivate: {total['removals']:,}{f' ({words})' if words else ''}."
        f" Users gone without a decision to remove them: {sum(gone.values()):,}{by_kind}."
    )


def _days_text(total: "pd.Series[Any]", edge: str) -> str:
    """Return the median and the longest number of days, at the `edge` least or most."""
    days = {word: total[f"{word}_days_at_{edge}"] for word in ("median", "longest")}
    texts = {word: "" if pd.isna(number) else f"{number:,g}" for word, number in days.items()}
    if not any(texts.values()):
        return "not known"
    return ", ".join(f"{word} {text or 'not known'}" for word, text in texts.items())


def remarks(history: History) -> Iterator[str]:
    """Yield a sentence on everything that is not covered, not counted or not certain."""
    yield from map(str, history.analysis.report.not_covered)
    for coverage in history.coverages:
        if coverage.reason:
            yield f"Account {coverage.account} is not covered: {coverage.reason}."
        for start, end in coverage.gaps:
            days, edges = count_text((end - start).days, "day"), f"{start:%Y-%m-%d}, {end:%Y-%m-%d}"
            limit = f"more than the {history.span.max_gap} of --max-gap"
            yield f"Account {coverage.account}: no report for {days} ({edges}), {limit}."
    yield from _edge_remarks(history)
    without = int((table_frame(history, HistoryTable.USERS)[columns.OWNER] == "").sum())
    listed, every = history.analysis.owners.file, len(history.users)
    yield from owner_notes(listed, history.unmatched_owners, without, every)
    for what, names in _named_in_remarks(history).items():
        if len(names):
            yield f"{what}: {short_list(list(dict.fromkeys(names)))}."


def _edge_remarks(history: History) -> Iterator[str]:
    """Yield accounts whose first or last report is a day or more from the edge, or after it."""
    until = pd.Timestamp(history.newest)
    accounts: dict[str, list[str]] = {}
    covered = history.period.iloc[:-1].dropna(subset="first")
    for name, verb, edge, asked in (
        ("first", "begins", "start", history.span.since),
        ("last", "ends", "end", history.span.until or until),
    ):
        for account, at in zip(covered[columns.ACCOUNT], covered[name], strict=True):
            apart = abs(at - asked) if asked else pd.Timedelta(0)
            days = apart // pd.Timedelta(days=1)
            # If the period begins at midnight, any report of that day is its beginning.
            is_of_day = name == "first" and at.normalize() == asked
            if asked and (at > asked or days) and not is_of_day:
                far = count_text(days, "day") if days else "less than 1 day"
                side = f"{far} {'after' if at > asked else 'before'} its {edge}"
                text = f"{verb} with the report of {at:%Y-%m-%d}, {side} {asked:%Y-%m-%d}"
                accounts.setdefault(text, []).append(account)
    for text, names in accounts.items():
        yield f"The period {text}: {with_noun('account', names)}."


def _named_in_remarks(history: History) -> Mapping[str, Collection[str]]:
    """Return the accounts, files or users (str) that each remark names."""
    users, reports, events = history.users, history.reports, history.events
    lost = events[events[EVENT].str.endswith("-lost")]
    is_day = (reports["status"] == COUNTS) & (reports[columns.AS_OF_SOURCE] == AsOfSource.FOLDER)
    repeated = reports["status"].str.startswith("same report")
    every = history.analysis.report.files
    partial = [file.name for file in every if not all(account.roots for account in file.accounts)]
    is_partial = (reports["status"] == COUNTS) & reports[columns.FILE].isin(partial)
    unclear = users["verdict_end"] == Verdict.UNDETERMINED
    files, names = reports[columns.FILE], users[columns.USER]
    return {
        "Only the day is known, and its start counts": files[is_day],
        "Without a row of the root user, so it may not show the whole account; users who are not"
        " in it count as removed": files[is_partial],
        "Counted once, the same as another report": files[repeated],
        "Undetermined in the last report; if unused before, the days unused go on": names[unclear],
        "Known by name: a report does not show the creation time": names[users["by_name"]],
        **_gone_users(users),
        "A last use is gone or went back in time": lost[columns.USER],
        "Unused at the end, but used before, as an earlier report shows": names[
            users[USED_BEFORE].notna()
        ],
    }


def _gone_users(users: pd.DataFrame) -> dict[str, Sequence[str]]:
    """Return the users gone without a decision to remove them, by how they went, with the fact."""
    named = dict[str, Sequence[str]]()
    for how in REMOVED if REMOVED_AS in users else ():
        rows = users[users[REMOVED_AS] == how]
        cells = zip(rows[columns.USER], rows[REMOVED_FACT], strict=True)
        named[how.capitalize()] = [f"{user} ({fact})" if fact else user for user, fact in cells]
    return named


# Cells for people

_HEADS: Final[Mapping[HistoryTable, Sequence[str]]] = {
    HistoryTable.PERIOD: (
        "Reports",
        "Longest gap (days)",
        "Users: start +created +appeared -removed = end",
        "Unused: start +new -removed -in use -undetermined = end",
    ),
    HistoryTable.USERS: ("User", "Verdict", "Unused since", "Days unused", "Gone between"),
    HistoryTable.EVENTS: ("User", "Between", "Event", "Detail"),
    HistoryTable.REPORTS: ("As of", "File", "Rows", "Days", "Status"),
    HistoryTable.DECISIONS: ("User", "Decided", "Became of it"),
}
"""The heads of each table for people, after the account."""


def _shown(history: History, table: HistoryTable) -> tuple[list[str], list[list[str]]]:
    """Return the heads and the rows of a table for people, printable."""
    frame = table_frame(history, table)
    several = len(history.period) > 2
    if table is HistoryTable.PERIOD and not several:
        frame = frame.iloc[:1]
    is_owned = columns.OWNER in frame and bool(history.analysis.owners)
    heads = list(_HEADS[table])
    if several:
        heads.insert(0, "Account")
    if is_owned:
        heads.append("Owner")
    shown = []
    for row in plain_objects(frame):
        cells = _cells(table, row)
        if several:
            cells.insert(0, f"{row[columns.ACCOUNT]} {row[columns.ACCOUNT_NAME]}".rstrip())
        if is_owned:
            cells.append(owner_with_last_day(row[columns.OWNER], row[columns.OWNER_LEFT]))
        shown.append(list(map(printable, cells)))
    return heads, shown


def _cells(table: HistoryTable, row: Mapping[str, Any]) -> list[str]:
    """Return the cells of a row under `_HEADS`."""
    match table:
        case HistoryTable.PERIOD if not row["reports"]:
            return ["0", "", "not covered", "not covered"]
        case HistoryTable.PERIOD:
            users = f"{row['users_start']} +{row['created']} +{row['appeared']} -{row['removed']}"
            less = f"-{row['unused_removed']} -{row['back_in_use']} -{row['unused_unclear']}"
            unused = f"{row['unused_start']} +{row['newly_unused']} {less} = {row['unused_end']}"
            unused += f" (used before: {row[USED_BEFORE]})" if row[USED_BEFORE] else ""
            users = f"{users} = {row['users_end']}{renamed_count_text(row['renamed'])}"
            return [str(row["reports"]), str(row["longest_gap"]), users, unused]
        case HistoryTable.USERS:
            since = f"{_day_range(row, 'unused_since')}{' or before' if row['at_least'] else ''}"
            user, days = row[columns.USER], str(row["days_unused"])
            return [user, _verdicts(row), since, days, _day_range(row, AFTER_REPORT, BEFORE_REPORT)]
        case HistoryTable.DECISIONS:
            return [row[columns.USER], _decision(row), _outcome(row)]
        case HistoryTable.EVENTS:
            between = _day_range(row, AFTER_REPORT, BEFORE_REPORT)
            return [row[columns.USER], between, row[EVENT], row[DETAIL]]
        case _:
            days = "" if row["days"] is None else str(row["days"])
            as_of = row[columns.AS_OF] and minute_text(datetime.fromisoformat(row[columns.AS_OF]))
            return [as_of or "", row[columns.FILE], str(row["rows"]), days, row["status"]]


def _decision(row: Mapping[str, Any]) -> str:
    """Return the word, the person and the day of a decision, and whether the person had left."""
    left = " (had left)" if row[HAD_LEFT] else ""
    return f"{row[DECISION]}, {row[DECIDED_BY]}{left}, {row[DECIDED_ON]}"


def _outcome(row: Mapping[str, Any]) -> str:
    """Return what became of a decision, and who removed the user when, if the log has it."""
    state = became_text(row[STATE], row[OVERDUE])
    done = row[DONE_AT] and minute_text(datetime.fromisoformat(row[DONE_AT]))
    by_script = f"{done} by {row[DONE_BY]}" if done else ""
    return "; ".join(filter(None, (state, row[FACT], by_script)))


def _verdicts(row: Mapping[str, Any]) -> str:
    edges = (row[f"verdict_{edge}"] or "(none)" for edge in ("start", "end"))
    return " -> ".join(dict.fromkeys(edges))
