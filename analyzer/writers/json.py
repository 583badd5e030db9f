"""Write an analysis as one JSON document, whose schema lies beside this module."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import date, datetime
from itertools import islice
from operator import itemgetter
from typing import Any, BinaryIO, Final

import orjson

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.analysis.rule_results import RuleResults
from analyzer.files import provenance
from analyzer.report.model import AccountName
from analyzer.report.users import Users
from analyzer.rules.rule import FINDINGS
from analyzer.standards import references
from analyzer.terms import BLIND_SPOTS, Verdict, utc_text
from analyzer.verdicts.caveats import caveat_sentences
from analyzer.writers.accounts import account_counts
from analyzer.writers.findings import finding_tables
from analyzer.writers.tables import listed_users, plain_objects


def write_json(analysis: Analysis, stream: BinaryIO, verdicts: Collection[Verdict]) -> None:
    """Write the provenance, the counts, all findings, and the users with one of the verdicts.

    Each finding and each user is one line. `report` holds the report's own cells, null for a
    column that the report lacks.
    """
    head = {**_document(analysis), "listed": list(dict.fromkeys(map(str, verdicts)))}
    tables, listed = finding_tables(analysis, covered=True), listed_users(analysis, verdicts)
    findings = (finding for table in tables for finding in plain_objects(table, _FINDING))
    users = (user for part in listed for user in _users(analysis, *part))
    write_document(stream, head, {"findings": findings, "users": users})


def write_document(
    stream: BinaryIO, head: Mapping[str, Any], lists: Mapping[str, Iterable[Mapping[str, Any]]]
) -> None:
    """Write one object: the fields of the head, then the lists, with one object per line.

    The head may hold dataclasses, moments in UTC and days.
    """
    text = json.dumps(head, default=_plain, ensure_ascii=False, separators=(",", ":"))
    # A file name that is not UTF-8 holds surrogates: JSON spells them as `\udcff`.
    stream.write(text.removesuffix("}").encode(errors="backslashreplace"))
    for name, objects in lists.items():
        stream.write(f',"{name}":['.encode())
        lines, between = map(orjson.dumps, objects), b"\n"
        while block := b",\n".join(islice(lines, _LINES_AT_ONCE)):
            stream.write(between + block)
            between = b",\n"
        stream.write(b"\n]")
    stream.write(b"}\n")


_LINES_AT_ONCE: Final = 100  # a block of 100 lines fits the caches of a processor, 1,000 do not


def _plain(value: Any) -> Any:
    """Return a moment or a day as text, a dataclass as its fields."""
    if isinstance(value, datetime):
        return utc_text(value)
    return value.isoformat() if isinstance(value, date) else asdict(value)


def _document(analysis: Analysis) -> dict[str, Any]:
    report, totals = analysis.report, analysis.totals
    return {
        **provenance(),
        "criteria": analysis.criteria,
        "filter": {**asdict(analysis.filter), "users_left_out": analysis.filtered_out}
        if analysis.filter
        else None,
        "files": [
            fields(file, "name", "sha256", "size", "as_of", "as_of_source", "accounts")
            | {"evidence": file.service_credentials}
            for file in report.files
            if file.accounts
        ],
        "not_covered": report.not_covered,
        "left_out": report.left_out,
        "notes": report.notes,
        "blind_spots": BLIND_SPOTS,
        "exemptions": {
            "list": analysis.exemptions.file,
            "by_option": analysis.exemptions.by_option,
            "expired": [use.entry for use in totals.expired],
            "unmatched": totals.unmatched,
        },
        "account_list": report.account_list,
        "accounts": [
            {
                **counts,
                **asdict(report.account_names.get(counts[columns.ACCOUNT], AccountName(name=""))),
            }
            for counts in sorted(account_counts(analysis), key=itemgetter(columns.ACCOUNT))
        ],
        "owners": {
            "list": analysis.owners.file,
            "users_without": totals.without_owner,
            "unmatched": totals.unmatched_owners,
        }
        if analysis.owners
        else None,
        "decisions": _decisions(analysis) if analysis.given_ledger else None,
        "counts": totals.counts.to_pylist(),
        **_rule_results(analysis.rule_results),
    }


def _decisions(analysis: Analysis) -> dict[str, Any]:
    from analyzer.decisions.follow_up import COLUMNS, follow_up_counts  # noqa: PLC0415  pandas

    return {
        "ledger": analysis.ledger.file,
        "counts": follow_up_counts(analysis.follow_up),
        "follow_up": [*plain_objects(analysis.follow_up, COLUMNS)],
    }


def fields(value: object, *names: str) -> dict[str, Any]:
    """Return some fields of an object by their names."""
    return {name: getattr(value, name) for name in names}


def _users(analysis: Analysis, page: Users, table: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the users of a judged page, null for a missing value."""
    decisions = analysis.earlier_decisions(page)
    for user, caveats, cells in zip(
        plain_objects({**table, columns.EARLIER_DECISION: decisions}, _USER),
        caveat_sentences(page),
        plain_objects(table, columns.REPORT_ONLY),
        strict=True,
    ):
        user[columns.CAVEATS] = [{"caveat": id_, "because": why} for id_, why in caveats]
        user["report"] = cells
        yield user


_USER: Final = (
    *(*columns.JUDGED, columns.FILE, columns.ROW, *columns.OWNERSHIP),
    *(columns.ACCOUNT_NAME, columns.EARLIER_DECISION),
)
_FINDING: Final = (*FINDINGS, *columns.OWNERSHIP, columns.ACCOUNT_NAME)


def _rule_results(rule_results: RuleResults) -> dict[str, Any]:
    book = rule_results.book
    return {
        "standard": fields(book.standard, "id", "name", "scope"),
        "thresholds": book.thresholds,
        "rules": [
            fields(rule, "id", "title", "severity", "subject")
            | {"references": dict(references(rule.id))}
            for rule in book.rules
        ],
        "controls": [
            fields(result.control, "number", "title", "rules")
            | fields(result, "result", "fails", "exempt", "undecided", "why")
            for result in rule_results.controls
        ],
    }
