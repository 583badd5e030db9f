"""Exempt users from failing a run: from which rules, for which reason, until which day.

The list is a CSV file: account,user,reason,owner,expires,rule. In `account` and `user` the signs
`*` and `?` match; `expires` is the last day on which the entry applies. With a `rule`, the entry
exempts from that rule only; without one, from all. All columns but `user` and `reason` may be left
out; without `account`, entries hold in every account. Other columns are refused. An account's root
is exempt only if it is named, as `<root_account>`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from analyzer import columns
from analyzer.errors import Problem
from analyzer.lists import csv_lists
from analyzer.report.model import NO_MOMENT, Exemption, Exemptions, word_column
from analyzer.report.users import Users
from analyzer.report.values import is_one_of
from analyzer.terms import ROOT_USER, Verdict

_RULE: Final = "rule"
_FORM: Final = csv_lists.ListForm(
    required=("user", "reason"),
    optional=("account", "owner", "expires", _RULE),
    refuses_others=True,
)

RULE_OF_VERDICT: Final = {Verdict.UNUSED: "unused-user", Verdict.RETIRED: "retired-user"}
"""The rules that a verdict fails: an exemption from the rule exempts from the verdict."""

EXEMPTED_VERDICTS: Final = (*RULE_OF_VERDICT, Verdict.DORMANT)
"""The verdicts from which a decision to keep exempts."""


def read_exemptions(
    name: str, content: bytes, rule_ids: Callable[[], Collection[str]]
) -> Exemptions:
    """Return the exemptions in a file of that name and content.

    `rule_ids` returns the ids that an entry can name; it is called only if one is named. Raises
    InputRefused as `list_rows` does.
    """
    problems = partial(_problems, rule_ids=rule_ids)
    entries = []
    for row, named in csv_lists.list_rows(name, content, _FORM, problems):
        expires = named.get("expires")
        last_day = date.fromisoformat(expires) if expires else None
        subject = named.get("account", "*"), named["user"], named["reason"], named.get("owner", "")
        entries.append(Exemption(*subject, last_day, row, named.get(_RULE, "")))
    return Exemptions(tuple(entries), csv_lists.file_reference(name, content))


def _problems(
    name: str, row: int, named: Mapping[str, str], rule_ids: Callable[[], Collection[str]]
) -> Iterator[Problem]:
    for column in ("account", "user", "reason"):
        if not named.get(column, "*"):
            hint = "Name the account and the user (`*` means any), and the reason."
            yield Problem(name, row, column, None, "the cell is empty", hint)
    yield from csv_lists.cut_account_problems(name, row, named.get("account", ""))
    if (expires := named.get("expires")) and not csv_lists.is_day(expires):
        hint = "Write the last day on which it applies as YYYY-MM-DD, or nothing."
        yield Problem(name, row, "expires", expires, "not a date", hint)
    if named.get(_RULE) and named[_RULE] not in (ids := rule_ids()):
        hint = f"Name one of {', '.join(ids)}, or none to exempt from all rules."
        yield Problem(name, row, _RULE, named[_RULE], "there is no such rule", hint)


class ExemptionMatches:
    """Match the users or roots of one page with the entries that exempt them.

    The first entry that applies counts. Entries for one user come after the patterns, and exempt
    from `EXEMPTED_VERDICTS` and their rules only. User names match in any case, as in IAM.
    `reasons` are the words for the codes. For each entry, `matched` counts the users that it
    matches, and `applied` those for which it has not expired at the as-of of their report.
    `without_effect` counts users with another verdict, which an entry for one user exempts from
    nothing.
    """

    def __init__(self, page: Users, exemptions: Sequence[Exemption]) -> None:
        """Match each entry once."""
        self.entries = exemptions
        self.reasons: list[str] = ["", *dict.fromkeys(entry.reason for entry in exemptions)]
        self._code = {reason: code for code, reason in enumerate(self.reasons)}
        self._page = page
        self._as_of = page.as_of
        self._for_one_user = [(at, entry) for at, entry in enumerate(exemptions) if entry.arn]
        self._entry_of_user = _entries_for_one_user(page, self._for_one_user)
        last_days = np.array([entry.expires or date.max for entry in exemptions], "M8[D]")
        self._ends = (last_days + np.timedelta64(1, "D")).astype("M8[s]")
        # The positions of the users to which each entry applies: few of all users.
        self._applying: list[tuple[Exemption, np.ndarray]] = []
        self.matched = self._counts(self._entry_of_user >= 0)
        ends = np.append(self._ends, NO_MOMENT)[self._entry_of_user]
        self._applies_to_one_user = np.asarray(self._as_of < ends)
        self.applied = self._counts(self._applies_to_one_user)
        self.without_effect = self._counts((self._entry_of_user >= 0) & ~_can_be_exempt(page))
        if patterns := [(at, entry) for at, entry in enumerate(exemptions) if not entry.arn]:
            self._match(patterns)

    def _match(self, patterns: Sequence[tuple[int, Exemption]]) -> None:
        from analyzer.lists.user_patterns import UserPatterns  # noqa: PLC0415  pandas takes 0.15 s

        users = self._page.users
        of_root = users[columns.ARN].str.endswith(":root") | (users[columns.USER] == ROOT_USER)
        root, names = of_root.to_numpy(bool), UserPatterns(users)
        for at, entry in patterns:
            is_of_root = entry.user == ROOT_USER
            near = names.matching(entry.account, "*" if is_of_root else entry.user)
            matched = near[root[near] == is_of_root]
            applying = matched[self._as_of[matched] < self._ends[at]]
            self._applying.append((entry, applying))
            self.matched[at], self.applied[at] = len(matched), len(applying)

    def _counts(self, users: np.ndarray) -> np.ndarray:
        """Count these users by their entry for one user."""
        return np.bincount(self._entry_of_user[users], minlength=len(self._ends))

    def reason_codes(self, rule: str = "") -> np.ndarray:
        """Return for each user the code of the reason that exempts it from a rule, 0 for none."""
        code = np.zeros(len(self._page), np.int32)
        for entry, applying in self._applying:
            if entry.rule in ("", rule):
                code[applying[code[applying] == 0]] = self._code[entry.reason]
        return self._with_keeps(code) if rule in RULE_OF_VERDICT.values() else code

    def _with_keeps(self, code: np.ndarray) -> np.ndarray:
        """Return codes with those of the entries for one user, where there is no other."""
        if not self._for_one_user:
            return code
        reasons = np.zeros(len(self.matched), code.dtype)
        for at, entry in self._for_one_user:
            reasons[at] = self._code[entry.reason]
        applies = (code == 0) & self._applies_to_one_user
        return np.where(applies, reasons[self._entry_of_user], code)

    def verdict_reasons(self) -> pa.DictionaryArray:
        """Return for each user the reason that exempts it from its verdict, empty for none."""
        code = self.reason_codes()
        if self._for_one_user or any(entry.rule for entry, _ in self._applying):
            verdicts = self._page.added[columns.VERDICT]
            for verdict, rule in RULE_OF_VERDICT.items():
                code = np.where(is_one_of([verdict], verdicts), self.reason_codes(rule), code)
            is_dormant = is_one_of([Verdict.DORMANT], verdicts)
            code = np.where(is_dormant, self._with_keeps(code), code)
        return word_column(code, self.reasons)


class ExemptionUse(NamedTuple):
    """Count the users that an entry matches, to which it applies, and that it exempts in vain."""

    entry: Exemption
    matched: int
    applied: int
    without_effect: int = 0

    def has_expired(self, oldest: date) -> bool:
        """Return whether the entry has expired for a user that it matches.

        If it matches none, the day of the oldest report decides.
        """
        if self.matched:
            return self.applied < self.matched
        return self.entry.expires is not None and self.entry.expires < oldest

    @property
    def expiry_sentence(self) -> str:
        """Return when the entry expired, with the number of users if it still applies to others."""
        of_users = f" for {self.matched - self.applied:,} of its {self.matched:,} users"
        return (
            f"The exemption of {self.entry.user} in account {self.entry.account} expired on"
            f" {self.entry.expires}{of_users if self.applied else ''}."
        )


def _entries_for_one_user(page: Users, entries: Sequence[tuple[int, Exemption]]) -> np.ndarray:
    """Return for each user the position of the entry for this one user, else -1."""
    if not entries:
        return np.full(len(page), -1)
    known = {
        (entry.account, entry.user, entry.created): at
        for at, entry in reversed(entries)
        if entry.created
    }  # The first of several counts.
    names = (page.users[name] for name in (columns.ACCOUNT, columns.USER, columns.CREATED))
    return np.array([known.get(user, -1) for user in zip(*names, strict=True)], int)


def _can_be_exempt(users: Users) -> np.ndarray:
    """Return which users an entry for one user can exempt; all, if they are not judged."""
    verdicts = users.added.get(columns.VERDICT)
    every = np.ones(len(users), bool)
    return every if verdicts is None else is_one_of(EXEMPTED_VERDICTS, verdicts)
