"""Excuse users from failing a run: who, of what, why, and until when.

The list is a CSV that people keep by hand: account,user,reason,owner,expires,rule. In `account`
and `user` the signs `*` and `?` match; `expires` is the last day on which the entry applies. With
a `rule` the entry excuses from that rule only, without one from everything. The column may be
left out, and others may be added. Column names match in any case. An account's root is excused
only where it is named, as `<root_account>`.
"""

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from itertools import zip_longest
from typing import Any, Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.errors import InputRefused, Problem
from analyzer.model import Exemption, Exemptions, Page, ReadFile, as_category
from analyzer.terms import Verdict

HEADER: Final = ("account", "user", "reason", "owner", "expires")
_RULE: Final = "rule"
_KNOWN: Final = (*HEADER, _RULE)
_NEARLY_THE_SAME: Final = 0.85
"""How alike a column must be to one that is there too (`rule` and `rules`) to be taken for it."""

_ROOT: Final = "<root_account>"

OF_VERDICT: Final = {Verdict.UNUSED: "unused-user", Verdict.RETIRED: "retired-user"}
"""The rules that a verdict fails: who is excused from the rule is excused from the verdict."""


def read_exemptions(name: str, content: bytes) -> Exemptions:
    """Return what a file of that name and content excuses from.

    Rows in which nothing stands are passed over.

    Raises InputRefused with every problem: bytes that are not UTF-8, a column that is missing,
    misspelt or there twice, an entry without account, user or reason, a date that is not
    YYYY-MM-DD, a rule that there is not.
    """
    first, *rows = _rows(name, _text(name, content))
    header = [cell.lower() for cell in first]
    if problems := [*_problems_of_header(name, header)]:
        raise InputRefused(problems)
    numbered = [(row, cells) for row, cells in enumerate(rows, start=2) if any(cells)]
    problems = [problem for each in numbered for problem in _problems(name, header, *each)]
    if problems:
        raise InputRefused(problems)
    entries = tuple(_entry(row, _named_cells(header, cells)) for row, cells in numbered)
    return Exemptions(entries, ReadFile(name=name, sha256=hashlib.sha256(content).hexdigest()))


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        message, hint = f"it cannot be read: {error}", "Save it as a CSV in UTF-8."
        raise InputRefused.of_file(name, message, hint) from None


def _rows(name: str, text: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=None), skipinitialspace=True, strict=True)
    try:
        return [[cell.strip() for cell in row] for row in reader] or [[]]
    except csv.Error as error:
        hint = "Check that every quote up to here is closed."
        raise InputRefused([Problem(name, reader.line_num, None, None, str(error), hint)]) from None


def _problems_of_header(name: str, header: list[str]) -> Iterator[Problem]:
    missing = [column for column in HEADER if column not in header]
    if missing:
        hint = f"The first row must be {','.join(HEADER)}."
        yield Problem(name, 1, None, None, f"missing: {', '.join(missing)}", hint)
    for column, count in Counter(filter(None, header)).items():
        if count > 1:
            yield Problem(name, 1, column, None, "the column is there twice", "Remove one of them.")
        if meant := _meant(column, header):
            message = f"the column looks like `{meant}`, misspelt"
            hint = f"Name it `{meant}`; if it is another, call it otherwise."
            yield Problem(name, 1, column, None, message, hint)


def _meant(column: str, header: list[str]) -> str:
    """Return which column is meant by one that is not known, empty if none is.

    Passed over, a misspelt `rule` would have its entries excuse from everything.
    """
    if column in _KNOWN:
        return ""
    lacking = [each for each in _KNOWN if each not in header]
    alike = get_close_matches(column, _KNOWN, cutoff=_NEARLY_THE_SAME)
    return next(iter(get_close_matches(column, lacking) or alike), "")


def _problems(name: str, header: list[str], row: int, cells: list[str]) -> Iterator[Problem]:
    if len(cells) > len(header):
        hint = "Put quotes round a cell that holds a comma."
        yield Problem(name, row, None, None, "the row has more cells than the header", hint)
        return
    named = _named_cells(header, cells)
    for column in ("account", "user", "reason"):
        if not named[column]:
            hint = "An exemption says for which account and user it is, and why; `*` means any."
            yield Problem(name, row, column, None, "the cell is empty", hint)
    if named["expires"] and not _is_day(named["expires"]):
        hint = "Write the last day on which it applies as YYYY-MM-DD, or nothing."
        yield Problem(name, row, "expires", named["expires"], "not a date", hint)
    if named.get(_RULE) and named[_RULE] not in (ids := _rule_ids()):
        hint = f"Name one of {', '.join(ids)}, or none to excuse from everything."
        yield Problem(name, row, _RULE, named[_RULE], "there is no such rule", hint)


def _rule_ids() -> list[str]:
    from analyzer.rules import RULES  # noqa: PLC0415  slow to import, and few lists name a rule

    return [rule.id for rule in RULES]


def _named_cells(header: list[str], cells: list[str]) -> dict[str, str]:
    return dict(zip_longest(header, cells, fillvalue=""))


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _entry(row: int, named: Mapping[str, str]) -> Exemption:
    account, user, reason, owner, expires = (named[column] for column in HEADER)
    last_day = date.fromisoformat(expires) if expires else None
    return Exemption(account, user, reason, owner, last_day, row, named.get(_RULE, ""))


class ExemptionMatches:
    """Tell of the users or roots of one page which entry excuses them, each from what.

    The first entry that applies counts. User names match whatever their case, as in IAM.
    `reasons` are the words for the codes; `matched` counts whom each entry matches.
    """

    def __init__(self, page: Page, exemptions: Sequence[Exemption]) -> None:
        """Match each entry once."""
        self.reasons: list[str] = ["", *dict.fromkeys(entry.reason for entry in exemptions)]
        self._page = page
        self._entries = [(entry, _named(page.users, entry)) for entry in exemptions]
        self.matched = np.array([who.sum() for _, who in self._entries], np.int64)

    def codes(self, rule: str = "") -> np.ndarray:
        """Return for each user the position of the reason why a rule does not fail it, else 0."""
        code = np.zeros(len(self._page), np.int32)
        for entry, who in self._entries:
            if entry.rule in ("", rule):
                applies = who & _lasts(self._page.users[columns.AS_OF], entry) & (code == 0)
                code[applies] = self.reasons.index(entry.reason)
        return code

    def of_verdicts(self) -> "pd.Categorical[Any]":
        """Return for each user why the verdict does not fail a run, empty for none."""
        code = self.codes()
        if any(entry.rule for entry, _ in self._entries):
            for verdict, rule in OF_VERDICT.items():
                has = (self._page.users[columns.VERDICT] == verdict).to_numpy()
                code = np.where(has, self.codes(rule), code)
        return as_category(code, self.reasons)


def has_expired(exemption: Exemption, day: date) -> bool:
    """Tell whether an entry no longer applies on a day (in UTC)."""
    return exemption.expires is not None and exemption.expires < day


def _named(users: pd.DataFrame, entry: Exemption) -> np.ndarray:
    root = users[columns.ARN].str.endswith(":root").to_numpy(bool)
    account = users[columns.ACCOUNT].str.fullmatch(pattern_regex(entry.account)).to_numpy(bool)
    if entry.user == _ROOT:
        return np.asarray(account & root)
    user = users[columns.USER].str.fullmatch(pattern_regex(entry.user), case=False).to_numpy(bool)
    return np.asarray(account & user & ~root)


def pattern_regex(text: str) -> str:
    """Return the regular expression of a pattern in which `*` and `?` match."""
    return "(?s:" + "".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in text) + ")"


def _lasts(as_of: pd.Series, entry: Exemption) -> np.ndarray:
    if entry.expires is None:
        return np.ones(len(as_of), bool)
    ends = pd.Timestamp(entry.expires, tz="UTC") + pd.Timedelta(days=1)
    return (as_of < ends).to_numpy()
