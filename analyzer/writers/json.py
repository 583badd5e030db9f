"""Write an analysis as one JSON document, whose schema lies beside this module."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, BinaryIO, Final

import pandas as pd
import pyarrow as pa

from analyzer import columns
from analyzer.account_names import account_names
from analyzer.analysis import Analysis
from analyzer.caveats import caveat_columns
from analyzer.decisions.follow_up import MOMENTS, as_text, follow_up_counts
from analyzer.inspection import Inspection
from analyzer.model import AccountName, Exemption, FileReference, Page, ReportFile
from analyzer.rules.rule import FINDINGS, Rule
from analyzer.standards import references
from analyzer.terms import BLIND_SPOTS, OVERDUE, Verdict, utc_text
from analyzer.version import VERSION
from analyzer.writers.json_columns import (
    json_cells,
    json_objects,
    json_values,
    optional_json_cells,
)
from analyzer.writers.text_columns import content, joined, joined_present
from analyzer.writers.users import listed_pages

SCHEMA_VERSION: Final = "1.0"
_SEPARATOR: Final = ",\n"
_FINDINGS_AT_ONCE: Final = 16_384
"""So many findings are spelled at a time, to keep the memory small."""


def write_json(analysis: Analysis, stream: BinaryIO, verdicts: Collection[Verdict]) -> None:
    """Write the provenance, the counts, all findings, and the listed users.

    A finding is one line, and so is a user with one of the verdicts. `report` holds the report's
    own cells, null where it has no such column.
    """
    files = analysis.report.files
    about = {**_document(analysis), "listed": list(dict.fromkeys(map(str, verdicts)))}
    stream.write(_dump(about).removesuffix(b"}") + b',"findings":[')
    frames = analysis.inspection.frames()
    names = analysis.report.account_names
    _write_lines(stream, (each for frame in frames for each in _findings(frame, files, names)))
    stream.write(b'],"users":[')
    pages = listed_pages(analysis, verdicts)
    _write_lines(stream, (users for page in pages for users in _users(page, analysis)))
    stream.write(b"]}\n")


def _write_lines(stream: BinaryIO, columns_of_objects: Iterable[pa.Array]) -> None:
    """Write all objects, a line each."""
    start = len(_SEPARATOR)
    stream.write(b"\n")
    for objects in columns_of_objects:
        stream.write(content(objects)[start:])
        start = 0
    stream.write(b"\n")


def _dump(value: Mapping[str, Any]) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # A file name whose bytes are no UTF-8 holds surrogates: JSON spells them as `\udcff`.
    return text.encode(errors="backslashreplace")


def _document(analysis: Analysis) -> dict[str, Any]:
    totals = analysis.totals
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "credreport", "version": VERSION},
        "criteria": asdict(analysis.criteria),
        "filter": _filter(analysis),
        "files": [_file(file) for file in analysis.report.files if file.accounts],
        "not_covered": [asdict(each) for each in analysis.report.not_covered],
        "left_out": [asdict(each) for each in analysis.report.left_out],
        "notes": list(analysis.report.notes),
        "blind_spots": list(BLIND_SPOTS),
        "exemptions": {
            "list": _file_reference(analysis.exemptions.file),
            "expired": [_exemption(each) for each in totals.expired],
            "unmatched": [_exemption(each) for each in totals.unmatched],
        },
        "account_list": _file_reference(analysis.report.account_list),
        "accounts": [
            {"account": account, **asdict(each)}
            for account, each in sorted(analysis.report.account_names.items())
        ],
        "decisions": _decisions(analysis),
        "counts": totals.counts.to_dict("records"),
        **inspection_document(analysis.inspection),
    }


def _file_reference(file: FileReference | None) -> dict[str, str] | None:
    """Return the name and the SHA-256 of a list that was read, None where none was."""
    return None if file is None else asdict(file)


def _filter(analysis: Analysis) -> dict[str, Any] | None:
    """Return which users are listed and counted, and how many are not; None for all users."""
    if not analysis.filter:
        return None
    return {**asdict(analysis.filter), "users_left_out": analysis.filtered_out}


def _file(file: ReportFile) -> dict[str, Any]:
    return {
        "name": file.name,
        "sha256": file.sha256,
        "size": file.size,
        "as_of": utc_text(file.as_of),
        "as_of_source": file.as_of_source,
        "accounts": [asdict(account) for account in file.accounts],
        "evidence": _file_reference(file.service_credentials),
    }


def _exemption(exemption: Exemption) -> dict[str, Any]:
    expires = exemption.expires
    return {
        **asdict(exemption),
        "expires": None if expires is None else expires.isoformat(),
        "created": _moment(exemption.created),
    }


def _decisions(analysis: Analysis) -> dict[str, Any] | None:
    """Return the ledger and what became of its decisions, None without one."""
    ledger = analysis.ledger
    if ledger.file is None:
        return None
    followed = as_text(analysis.follow_up).assign(**{OVERDUE: analysis.follow_up[OVERDUE]})
    return {
        "ledger": asdict(ledger.file),
        "keep_days": ledger.keep_days,
        "due_days": ledger.due_days,
        "counts": follow_up_counts(analysis.follow_up),
        "follow_up": [
            {str(name): value or None if name in MOMENTS else value for name, value in row.items()}
            for row in followed.to_dict("records")
        ],
    }


def _users(page: Page, analysis: Analysis) -> Iterator[pa.Array]:
    users = page.users
    names = account_names(users[columns.ACCOUNT], analysis.report.account_names)
    return json_objects(
        {
            **{name: json_cells(users[name]) for name in columns.JUDGED},
            columns.CAVEATS: _caveats(page),
            columns.FILE: _file_names(users, analysis.report.files),
            columns.ROW: json_cells(users[columns.ROW]),
            columns.ACCOUNT_NAME: json_cells(names),
            columns.EARLIER_DECISION: json_cells(analysis.earlier_decisions(page)),
            "report": {name: json_cells(page.cells[name]) for name in columns.REPORTED},
        },
        before=_SEPARATOR,
    )


def _caveats(page: Page) -> pa.Array | str:
    objects = [
        joined(f'{{"caveat":{json.dumps(name)},"because":', optional_json_cells(texts), "}")
        for name, texts in caveat_columns(page).items()
    ]
    return joined("[", joined_present(objects, ","), "]") if objects else "[]"


def _file_names(frame: pd.DataFrame, files: Sequence[ReportFile]) -> pa.Array:
    return json_values(file.name for file in files).take(pa.array(frame[columns.FILE]))


def inspection_document(inspection: Inspection) -> dict[str, Any]:
    """Return the rules that ran, their limits, and the results of the controls."""
    standard = inspection.book.standard
    return {
        "standard": {"id": str(standard.id), "name": standard.name, "scope": standard.scope},
        "thresholds": asdict(inspection.book.thresholds),
        "rules": [_rule(rule) for rule in inspection.book.rules],
        "controls": [
            {
                "number": each.control.number,
                "title": each.control.title,
                "rules": list(each.control.rules),
                "result": each.result,
                "fails": each.fails,
                "exempt": each.exempt,
                "undecided": each.undecided,
                "why": each.why,
            }
            for each in inspection.controls
        ],
    }


def _findings(
    frame: pd.DataFrame, files: Sequence[ReportFile], names: Mapping[str, AccountName]
) -> Iterator[pa.Array]:
    """Yield findings (columns: `rules.rule.FINDINGS`) as objects, null for what is missing."""
    for start in range(0, len(frame), _FINDINGS_AT_ONCE):
        some = frame.iloc[start : start + _FINDINGS_AT_ONCE]
        yield from json_objects(
            {
                **{name: json_cells(some[name]) for name in FINDINGS},
                columns.FILE: _file_names(some, files),
                columns.ACCOUNT_NAME: json_cells(account_names(some[columns.ACCOUNT], names)),
            },
            before=_SEPARATOR,
        )


def _moment(at: datetime | None) -> str | None:
    """Return a moment in UTC as text, None where there is none."""
    return None if at is None else utc_text(at)


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "title": rule.title,
        "severity": rule.severity,
        "subject": rule.subject,
        "references": {name: list(numbers) for name, numbers in references(rule.id)},
    }
