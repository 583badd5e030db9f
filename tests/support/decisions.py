"""Build decisions as people make them: on a report, in a CSV of the ledger's form."""

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cache, cached_property
from typing import Any, Final

import analyzer
from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.decisions.collect import LedgerUpdate, collect
from analyzer.decisions.decision import USER_ARN, Decision, EntryPlace, LedgerLine
from analyzer.decisions.entries import ENTRIES, DecisionFile
from analyzer.decisions.ledger import Ledger, ledger_bytes, read_entries
from analyzer.decisions.user_rows import rows_of_users_csv
from analyzer.lists.owners import NO_OWNERS, Owners
from analyzer.report.model import FileReference
from analyzer.report.report import Report
from analyzer.sources.source import Source
from tests.support.builders import ACCOUNT, AS_OF, COLUMNS, Row, a_user, rendered, report_text
from tests.support.named_reports import load_named

DAY = AS_OF.date()
TODAY = date(2027, 1, 1)
OTHER_ACCOUNT = "111122223333"


def console_name(as_of: datetime) -> str:
    return f"status_reports_{as_of:%Y-%m-%dT%H-%M-%S}+00-00.csv"


def analysis_of(
    *users: Row, as_of: datetime = AS_OF, ledger: Ledger | None = None, **root: Any
) -> Analysis:
    """Judge users of a report that the console gave at a moment."""
    report = loaded((console_name(as_of), report_text(users, **root).encode()))
    return analyzer.analyze(report, ledger=ledger)


REPORTS: Final[dict[str, Source]] = {}
"""The reports that tests judged, by content: a review of one can be made anew."""


def loaded(*files: tuple[str, bytes]) -> Report:
    """Read reports, and keep them."""
    for name, content in files:
        REPORTS[f"{name} {hash(content)}"] = Source(name, content)
    return load_named(*files)


def in_accounts(
    as_of: datetime | Sequence[str],
    *cases: tuple[Sequence[LedgerLine], Sequence[Row]],
    **options: Any,
) -> Analysis:
    """Judge decisions and the users of a report, each case in an account of its own.

    All are in one file, unless there are names of files instead of a moment, one for each case.
    """
    names = [console_name(as_of)] * len(cases) if isinstance(as_of, datetime) else as_of
    named = zip(names, cases, strict=True)
    return over_time(*((lines, {name: users}) for name, (lines, users) in named), **options)


def over_time(
    *cases: tuple[Sequence[LedgerLine], Mapping[str, Sequence[Row]]],
    root: Row | None = None,
    heads: Sequence[str] = COLUMNS,
) -> Analysis:
    """Judge decisions and the users in each report of an account, by the names of the files.

    Each case is in an account of its own; a file has the reports of all accounts that name it.
    """
    files = dict[str, str]()
    lines = []
    for at, (decided, reports) in enumerate(cases):
        account = f"{at:012}"
        for name, users in reports.items():
            text = report_text(users, root=root, columns=heads).replace(ACCOUNT, account)
            files[name] = files.get(name, ",".join(heads)) + "\n" + text.partition("\n")[2]
        lines += [of_account(account, each) for each in decided]
    report = loaded(*((name, text.encode()) for name, text in files.items()))
    return analyzer.analyze(report, ledger=ledger_of(*lines))


def of_account(account: str, decided: LedgerLine) -> LedgerLine:
    """Return a decision on the same user of another account."""
    cells = {name: cell.replace(ACCOUNT, account) for name, cell in decided.user_row.items()}
    return replace(decided, user_row=cells)


def user_rows(*users: Row, as_of: datetime = AS_OF) -> list[dict[str, str]]:
    """Return the users as `users.csv` has them."""
    return [dict(row) for row in _rows_of(report_text(users), as_of)]


@cache
def _rows_of(text: str, as_of: datetime) -> list[dict[str, str]]:
    """Judge a report once for all tests: most decisions are on the same few users."""
    report = load_named((console_name(as_of), text.encode()))
    (page,) = analyzer.analyze(report).judged.slices()
    return rows_of_users_csv(page)


class _Cells(Mapping[str, str]):
    """Show a user as `users.csv` does, judged when more is asked for than whom a line is about.

    Tables of lines stand in the files of tests, which every process of a run imports.
    """

    def __init__(self, user: Row, as_of: datetime) -> None:
        self.user, self.as_of, self.key = user, as_of, dict[str, str]()
        created = user["user_creation_time"]
        if isinstance(created, datetime) and USER_ARN.fullmatch(str(user["arn"])):
            moments = {columns.USER_CREATION_TIME: created, columns.AS_OF: as_of}
            self.key = {name: rendered(moment, "Z") for name, moment in moments.items()}
            self.key[columns.ARN] = str(user["arn"])

    @cached_property
    def cells(self) -> dict[str, str]:
        (row,) = user_rows(self.user, as_of=self.as_of)
        return row

    def __getitem__(self, name: str) -> str:
        return self.key.get(name) or self.cells[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.cells)

    def __len__(self) -> int:
        return len(self.cells)


def line(  # noqa: PLR0913  what a person enters, and on what
    decision: str = "delete",
    user: Row | None = None,
    *,
    by: str = "Anna",
    on: date = DAY,
    as_of: datetime = AS_OF,
    beside: Collection[str] | None = (),
    **fields: Any,
) -> LedgerLine:
    """Return a decision on a user of a report of that moment, which shows users beside it.

    With None it is a line of a script, which does not say.
    """
    user = user or a_user()
    cells = _Cells(user, as_of)
    if decision == "keep":
        fields = {"comment": "break-glass"} | fields
    names = None if beside is None else frozenset({str(user["user"])} | set(beside))
    place = {"workbook": "review.xlsx", "row": 2, "read_from": EntryPlace("decisions.csv", 2)}
    standard = {"user_row": cells, "same_second": names} | place
    return LedgerLine(
        decision=Decision(decision),
        decided_by=by,
        decided_on=on,
        **{**standard, **fields},
    )


def entries(*lines: LedgerLine, name: str = "decisions.csv") -> DecisionFile:
    """Return lines as they are read back from a CSV."""
    return read_entries(name, ledger_bytes(lines))


def collected(
    *files: DecisionFile,
    ledger: Ledger | None = None,
    owners: Owners = NO_OWNERS,
    today: date = DAY,
) -> LedgerUpdate:
    return collect(ledger or Ledger(), files, today, owners)


def bulk(
    rows: Iterable[Mapping[str, str]],
    *entered: Sequence[str],
    drop: Sequence[str] = (),
    more: Sequence[str] = (),
) -> bytes:
    """Return `users.csv` with the five columns in front; rows without an entry are open."""
    heads = [name for name in (*ENTRIES, *columns.OF_USERS_CSV, *more) if name not in drop]
    text = io.StringIO()
    writer = csv.DictWriter(text, heads, extrasaction="ignore", restval="", lineterminator="\n")
    writer.writeheader()
    for row, cells in zip(rows, [*entered, *[()] * 1000], strict=False):
        writer.writerow(dict(row) | dict(zip(ENTRIES, cells, strict=False)))
    return text.getvalue().encode()


def ledger_of(*lines: LedgerLine) -> Ledger:
    """Return lines as a ledger that was read from decisions.csv."""
    return Ledger(lines=lines, file=FileReference(name="decisions.csv", sha256="0" * 64))
