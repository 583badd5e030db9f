"""Prepare findings for formats that other systems import: the subject and the lasting id of each.

Findings of every outcome are written, so that a later import updates the earlier one.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.account_names import account_name, account_names
from analyzer.analysis import Analysis
from analyzer.model import TEXT, Report, ReportFile, arrow_array, concatenated, text_series
from analyzer.moment_texts import utc_texts
from analyzer.rules.rule import (
    DAYS,
    FACT,
    OUTCOME,
    REMEDY,
    RULE,
    SEVERITY,
    SINCE,
    SUBJECT,
    UNCOVERED_ACCOUNT,
    Outcome,
    RuleText,
    Subject,
)
from analyzer.rules.wording import remedy_lines
from analyzer.standards import references
from analyzer.standards.rulebook import Rulebook
from analyzer.terms import ACCOUNT_ID_PATTERN, Thresholds
from analyzer.writers.json_columns import NOTHING, Members, json_objects
from analyzer.writers.text_columns import coded, combinations, content, joined, mapped, text_column

PRODUCT: Final = "credreport"
_ID_DIGITS: Final = 32
_UNKNOWN_ACCOUNT: Final = "unknown"
_ACCOUNT_ARN: Final = rf"arn:(?P<partition>aws[a-z0-9-]*):iam::{ACCOUNT_ID_PATTERN}:"
_ROWS_AT_ONCE: Final = 16_384

PARTITION: Final = "partition"
REPORT: Final = "report_sha256"
ID: Final = "id"
SUBJECT_ID: Final = "subject_id"


OF_ACCOUNT: Final = (Subject.ROOT, Subject.ACCOUNT)
"""The subjects of findings that feeds say of the account, and not of a user."""


class FindingKind(NamedTuple):
    """Hold what many findings share."""

    rule: RuleText
    outcome: Outcome
    remedy: str

    @property
    def is_of_account(self) -> bool:
        """Return whether it is about the account or its root, and not about a user."""
        return self.rule.subject in OF_ACCOUNT

    @property
    def remedy_text(self) -> str:
        """Return what to do, a line each."""
        return "\n".join(remedy_lines(self.rule, self.remedy))


def finding_frames(analysis: Analysis) -> Iterator[pd.DataFrame]:
    """Yield each finding of the analysis once, in the order of `Inspection.frames`.

    The rows of one ARN that contradict each other leave the same matters open: the findings that
    have one id become one. They come last, and behind them the accounts that could not be read.

    A frame has at least one row, the columns that `rules.rule.FINDINGS` describes (words are text
    and `file`, `row` are 0 for an account that could not be read), and

    - `account` str: where the ARN names none, that of the file; empty where neither names one;
    - `account_name`, `partition` str: empty where not known; the partition is that of the ARN;
    - `as_of` datetime64[s, UTC], `as_of_source`, `report_sha256` str: of the finding's report; an
      account that could not be read has none, and the newest moment;
    - `id` str: what stays the same from report to report, whatever the file and the row. It is
      made of the account, the rule, the ARN, the slot and the creation of the key, the certificate
      or else the user: a user that is created again has findings of its own. Where the ARN names
      no account, the user's name distinguishes rows;
    - `subject_id` str: what identifies the subject: the account, if the rule is about that; else
      the ARN, else the user, else the row.
    """
    report = analysis.report
    repeated = []
    for frame in _small_frames(analysis):
        is_repeated = frame[columns.ARN].isin(report.contradicted).to_numpy()
        if is_repeated.any():
            repeated.append(frame[is_repeated])
        if not is_repeated.all():
            yield frame[~is_repeated]
    if repeated:
        yield _worst_of_each_id(concatenated(repeated))
    if report.not_covered:
        yield _not_covered(report)


def _small_frames(analysis: Analysis) -> Iterator[pd.DataFrame]:
    """Yield the findings in frames of so many rows that a column of them is small."""
    origins = _origins(analysis.report)
    for frame in analysis.inspection.frames():
        for start in range(0, len(frame), _ROWS_AT_ONCE):
            some = frame.iloc[start : start + _ROWS_AT_ONCE].reset_index(drop=True)
            origin = origins.take(some[columns.FILE].to_numpy()).reset_index(drop=True)
            yield _with_ids(_with_origin(some, origin, analysis.report))


def _with_origin(frame: pd.DataFrame, origin: pd.DataFrame, report: Report) -> pd.DataFrame:
    named = frame[columns.ACCOUNT]
    account = named.where(named != "", origin[columns.ACCOUNT])
    together = pd.concat([frame.drop(columns=columns.ACCOUNT), origin], axis="columns")
    together[columns.ACCOUNT] = account
    together[columns.ACCOUNT_NAME] = account_names(account, report.account_names)
    together[PARTITION] = _partitions(frame[columns.ARN])
    return together


def _with_ids(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{SUBJECT_ID: _subject_ids(frame), ID: _ids(frame)})


def _origins(report: Report) -> pd.DataFrame:
    """Return what each file tells of its findings; the account too, where it is of only one."""
    files = report.files
    return pd.DataFrame(
        {
            columns.ACCOUNT: pd.Series([_only_account(file) for file in files], dtype=TEXT),
            columns.AS_OF: pd.DatetimeIndex([file.as_of for file in files]).as_unit("s"),
            columns.AS_OF_SOURCE: pd.Series([str(file.as_of_source) for file in files], dtype=TEXT),
            REPORT: pd.Series([file.sha256 for file in files], dtype=TEXT),
        }
    )


def _only_account(file: ReportFile) -> str:
    """Return the account of a report that is of one account, as AWS makes them, else nothing."""
    named = {each.account for each in file.accounts if each.account}
    return named.pop() if len(named) == 1 else ""


def _partitions(arns: pd.Series) -> pd.Series:
    matches = pc.extract_regex(arrow_array(arns), _ACCOUNT_ARN)
    return text_series(pc.struct_field(matches, PARTITION).fill_null(""))


def _ids(frame: pd.DataFrame) -> pd.Series:
    account, arn, user = (
        text_column(frame[name]) for name in (columns.ACCOUNT, columns.ARN, columns.USER)
    )
    rule = text_column(frame[RULE])
    named = pc.if_else(_has_account(frame), arn, joined(arn, "\0", user))
    slot = text_column(frame[columns.SLOT])
    created = text_column(utc_texts(arrow_array(frame[columns.CREATED])))
    parts = joined(account, rule, named, slot, created, between="\0").cast(pa.large_binary())
    digests = [hashlib.sha256(each).hexdigest()[:_ID_DIGITS] for each in parts.to_pylist()]
    known = pc.if_else(pc.equal(account, ""), _UNKNOWN_ACCOUNT, account)
    return text_series(joined(PRODUCT, known, rule, text_column(digests), between="/"))


def _subject_ids(frame: pd.DataFrame) -> pd.Series:
    of_account = pc.equal(text_column(frame[SUBJECT]), Subject.ACCOUNT)
    if pc.all(pc.and_not(_has_account(frame), of_account)).as_py():
        return frame[columns.ARN]
    account = pc.if_else(of_account, without_blanks(frame[columns.ACCOUNT]), NOTHING)
    arn, user = (without_blanks(frame[name]) for name in (columns.ARN, columns.USER))
    row = joined("row ", text_column(frame[columns.ROW]), " of ", text_column(frame[REPORT]))
    return text_series(pc.coalesce(account, arn, user, row))


def without_blanks(texts: pd.Series) -> pa.Array:
    """Return texts, null where one is nothing but white space."""
    is_blank = pc.equal(text_column(mapped(texts, str.strip)), "")
    return pc.if_else(is_blank, NOTHING, text_column(texts))


def _has_account(frame: pd.DataFrame) -> pa.Array:
    """Return of which findings the ARN names an account."""
    return pc.not_equal(text_column(frame[PARTITION]), "")


def _worst_of_each_id(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one finding of each id, in the order in which the ids come first."""
    ranks: Mapping[str, Any] = {
        OUTCOME: frame[OUTCOME].cat.codes,
        columns.EXEMPTION: frame[columns.EXEMPTION].astype(TEXT),
    }
    order = frame.assign(**ranks).sort_values([OUTCOME, columns.EXEMPTION, FACT], kind="stable")
    worst = frame.loc[order.index].drop_duplicates(ID).set_index(ID)
    return worst.loc[frame[ID].drop_duplicates()].reset_index()


def _not_covered(report: Report) -> pd.DataFrame:
    """Return what is left open of accounts that could not be read, at the newest as-of."""
    newest = max(report.files, key=lambda file: file.as_of)
    accounts = [each.account for each in report.not_covered]
    rows = range(len(accounts))
    texts: Mapping[str, Any] = {
        columns.ACCOUNT: accounts,
        columns.USER: ["" if each.account else each.name for each in report.not_covered],
        columns.ARN: "",
        SEVERITY: UNCOVERED_ACCOUNT.severity,
        RULE: UNCOVERED_ACCOUNT.id,
        SUBJECT: UNCOVERED_ACCOUNT.subject,
        FACT: [str(each) for each in report.not_covered],
        OUTCOME: Outcome.UNDECIDED,
        columns.EXEMPTION: "",
        REMEDY: UNCOVERED_ACCOUNT.fix,
        columns.ACCOUNT_NAME: [account_name(account, report.account_names) for account in accounts],
        PARTITION: "",
        columns.AS_OF_SOURCE: newest.as_of_source,
        REPORT: "",
    }
    others: Mapping[str, Any] = {
        columns.SLOT: pd.Series(pd.NA, rows, "Int8"),
        columns.CREATED: pd.Series(pd.NaT, rows, "datetime64[s, UTC]"),
        SINCE: pd.Series(pd.NaT, rows, "datetime64[s, UTC]"),
        DAYS: pd.Series(pd.NA, rows, "Int64"),
        columns.FILE: 0,
        columns.ROW: 0,
        columns.AS_OF: pd.Series(newest.as_of, rows, "datetime64[s, UTC]"),
    }
    return _with_ids(pd.DataFrame(texts, rows, dtype=TEXT).assign(**others))


def json_of_kinds(
    frame: pd.DataFrame,
    book: Rulebook,
    shared: Callable[[FindingKind, Thresholds], Mapping[str, Any]],
) -> Mapping[str, pa.Array]:
    """Return what all findings of a rule, outcome and remedy share, as columns of JSON by name."""
    words = [coded(frame[name]) for name in (RULE, OUTCOME, REMEDY)]
    codes, occurring = combinations(
        [each.indices.to_numpy() for each in words], [len(each.dictionary) for each in words]
    )
    named = [
        each.dictionary.take(pa.array(at)).to_pylist()
        for each, at in zip(words, occurring, strict=True)
    ]
    rules = {rule.id: rule for rule in (*book.rules, UNCOVERED_ACCOUNT)}
    of_kinds = [
        shared(FindingKind(rules[rule], Outcome(outcome), remedy), book.thresholds)
        for rule, outcome, remedy in zip(*named, strict=True)
    ]
    return {
        name: pa.DictionaryArray.from_arrays(
            codes, text_column([_ascii_json(each[name]) for each in of_kinds])
        )
        for name in of_kinds[0]
    }


def _ascii_json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def limits(rule: RuleText, thresholds: Thresholds) -> dict[str, str]:
    """Return the limit that the rule was held to by its name, nothing where it has none."""
    return {rule.threshold: str(getattr(thresholds, rule.threshold))} if rule.threshold else {}


@cache
def standards(rule: str) -> tuple[str, ...]:
    """Return the names of the standards and frameworks that ask for a rule."""
    return tuple(name for name, _ in references(rule))


@cache
def requirements(rule: str) -> tuple[str, ...]:
    """Return what asks for a rule, each standard with the number of one of its controls."""
    return tuple(f"{name} {number}" for name, numbers in references(rule) for number in numbers)


def json_lines(members: Members) -> Iterator[memoryview | bytes]:
    """Yield documents as lines of JSON in ASCII: no name can break or reverse a line."""
    for documents in json_objects(members, after="\n"):
        lines = content(documents)
        if _is_printable_ascii(lines):
            yield lines
        else:
            yield from map(_in_ascii, bytes(lines).splitlines(keepends=True))


def json_line(document: Mapping[str, Any]) -> bytes:
    """Return a document as such a line."""
    return _in_ascii(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE))


def _in_ascii(line: bytes) -> bytes:
    if line.isascii() and _DEL_BYTE not in line:
        return line
    return _NOT_PRINTABLE_ASCII.sub(_escaped, line.decode()).encode()


def _is_printable_ascii(text: memoryview) -> bool:
    return int(np.frombuffer(text, np.uint8).max()) < ord(_DEL_BYTE)


_DEL_BYTE: Final = b"\x7f"
_NOT_PRINTABLE_ASCII: Final = re.compile("[^\0-~]")


def _escaped(sign: re.Match[str]) -> str:
    return _ascii_json(sign[0])[1:-1]
