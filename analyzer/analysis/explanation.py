"""Explain the verdict on one user: deciding cells, caveats, rules and exemptions."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Any, Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.analysis.filters import Filter, user_mask
from analyzer.analysis.rule_results import RuleResults
from analyzer.limits import Criteria, Definition
from analyzer.lists.exemptions import ExemptionMatches
from analyzer.lists.owners import owner_text
from analyzer.report.model import Exemption, ReportFile, account_name
from analyzer.report.users import Users
from analyzer.rules.engine import page_findings
from analyzer.rules.rule import FACT, OUTCOME, RULE
from analyzer.terms import (
    AS_OF_SOURCES,
    NO_VALUE,
    SlotState,
    Verdict,
    count_text,
    minute_text,
    utc_text,
)
from analyzer.verdicts.caveats import aws_commands, caveat_sentences
from analyzer.verdicts.facts import Facts
from analyzer.verdicts.verdict import idle_text, reason_text


@dataclass(frozen=True, slots=True)
class Cell:
    """Hold a cell of the report, how it was read, and what it decides: verdict, certainty or rules.

    `value` is None where the report has no such column. Timestamps are in the form `…Z`.
    """

    column: str
    value: str | None
    reading: str
    decides: str


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """Hold the outcome of one rule on the user, with the fact behind it and the exemption."""

    rule: str
    severity: str
    outcome: str
    fact: str
    exemption: str

    @property
    def fact_and_exemption(self) -> str:
        """Return the fact, and why the user is exempt."""
        return f"{self.fact} (exempt: {self.exemption})" if self.exemption else self.fact


@dataclass(frozen=True, slots=True)
class MatchingExemption:
    """Hold an entry that names the user, and whether it applies at as-of."""

    entry: Exemption
    applies: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Hold the facts behind the verdict on one user; `str` returns them as a page to read.

    `row` counts from the header, which is row 1; `caveats` are (id, sentence), `commands` are those
    by which AWS settles them and lists what no report shows. `reason` is a sentence. `why_not` says
    why the user has none of the verdicts above its own, except for undetermined. The root user has
    no verdict: the fields about the verdict are empty.
    """

    account: str
    account_name: str
    user: str
    arn: str
    verdict: str = ""
    reason: str
    why_not: tuple[str, ...] = ()
    certainty: str = ""
    caveats: tuple[tuple[str, str], ...] = ()
    commands: tuple[str, ...] = ()
    exemption: str = ""
    cells: tuple[Cell, ...]
    rules: tuple[RuleOutcome, ...]
    exemptions: tuple[MatchingExemption, ...]
    owner: str
    file: str
    row: int
    as_of: str
    as_of_source: str

    def __repr__(self) -> str:
        """Return the user and its verdict in a line; `print` shows all."""
        return f"<Explanation: {self.arn or self.user}, {self.verdict or 'no verdict'}>"

    def __str__(self) -> str:
        """Return it as text."""
        return "\n".join(_lines(self))


def explanations(
    users: Users, rule_results: RuleResults, user: str, criteria: Criteria
) -> Iterator[Explanation]:
    """Yield an explanation of each user whose name or ARN matches (`*` and `?` match).

    A root matches by its ARN and by `<root_account>`, but by no pattern of user names. It has no
    verdict, only the outcomes of the rules on it.

    `users` are those of the report of `rule_results`, judged by `criteria`.
    """
    for alone in _matching_users(users, user):
        yield _explanation(alone, rule_results, criteria)
    if user.startswith(("<", "arn:")):
        for alone in _matching_users(rule_results.report.root_users, user):
            yield _explanation_of_root(alone, rule_results)


def _matching_users(users: Users, user: str) -> Iterator[Users]:
    """Yield each user or root whose name or ARN matches, by itself."""
    for position in np.flatnonzero(user_mask(users, Filter(users=(user,)), {})):
        yield users.take(np.array([position]))


def _explanation_of_root(page: Users, rule_results: RuleResults) -> Explanation:
    """Return the outcomes of rules on the only root of a page, and the cells that they read."""
    rules = rule_results.book.rules
    cells = dict.fromkeys(name for rule in rules if rule.is_of_root for name in rule.columns)
    return Explanation(
        **_shared_fields(page, rule_results),
        reason="The root user is not an IAM user, and has no verdict.",
        cells=tuple(_cell(page, name, "rules") for name in cells),
        rules=tuple(_rule_outcomes(page, rule_results, of_roots=True)),
    )


def _shared_fields(page: Users, rule_results: RuleResults) -> dict[str, Any]:
    """Return name, account, place of the row and matching entries of a page's only user or root."""
    user = page.users.iloc[0]
    file: ReportFile = rule_results.report.files[user[columns.FILE]]
    account, owned = user[columns.ACCOUNT], rule_results.owners.columns_of(page.users)
    return {
        "account": account,
        "account_name": account_name(account, rule_results.report.account_names),
        "user": user[columns.USER],
        "arn": user[columns.ARN],
        "owner": owner_text(*(owned[name][0].as_py() for name in columns.OWNERSHIP)),
        "exemptions": tuple(_matching_exemptions(page, rule_results.exemptions)),
        "file": file.name,
        "row": int(user[columns.ROW]),
        "as_of": utc_text(file.as_of),
        "as_of_source": str(file.as_of_source),
    }


def _explanation(page: Users, rule_results: RuleResults, criteria: Criteria) -> Explanation:
    """Return the explanation of the only user of a page."""
    user, caveats = page.users.iloc[0], caveat_sentences(page)[0]
    verdict, idle_days = user[columns.VERDICT], user[columns.IDLE_DAYS]
    commands: tuple[str, ...] = ()
    if user[columns.CERTAINTY]:
        commands = aws_commands(dict(caveats), user[columns.USER], user[columns.ARN])
    return Explanation(
        **_shared_fields(page, rule_results),
        verdict=verdict,
        reason=reason_text(verdict, user[columns.REASON], _number(idle_days)),
        why_not=tuple(_why_not(page, criteria)),
        certainty=user[columns.CERTAINTY],
        caveats=caveats,
        commands=commands,
        exemption=user[columns.EXEMPTION],
        cells=tuple(_cells(page, verdict)),
        rules=tuple(_rule_outcomes(page, rule_results, of_roots=False)),
    )


def _why_not(page: Users, criteria: Criteria) -> Iterator[str]:
    """Yield why the only user of a page has none of the verdicts between its own and the first."""
    facts, user = Facts(page), page.users.iloc[0]
    active = _keys_in(page, SlotState.ACTIVE)
    signed_in = ["it signed in"] if facts.sign_in.present[0] else []
    password = ["it has a password"] if facts.password.yes[0] else []
    inactive: list[str] = []
    if criteria.definition is Definition.IAM_029:
        inactive = _keys_in(page, SlotState.INACTIVE)
    idle_days, limit = _number(user[columns.IDLE_DAYS]), criteria.idle_days
    idle = f"{idle_text(idle_days)}, fewer than {limit:,}"
    if idle_days is None:
        idle = f"a working credential was used less than {count_text(limit, 'day')} before as-of"
    reasons = {
        Verdict.UNUSED: signed_in + active + inactive,
        Verdict.RETIRED: password + active,
        Verdict.DORMANT: [idle],
    }
    verdicts = list(Verdict)
    above = verdicts[1 : verdicts.index(Verdict(user[columns.VERDICT]))]
    for why, alike in groupby(above, reasons.__getitem__):
        yield f"not {' and not '.join(alike)}: {', '.join(why)}"


def _keys_in(page: Users, state: SlotState) -> list[str]:
    in_state = Facts(page).keys_in(state)[:, 0]
    slots = zip(columns.SLOTS, in_state, strict=True)
    return [f"access key {slot} is {state}" for slot, holds in slots if holds]


def _number(days: Any) -> int | None:
    return None if pd.isna(days) else int(days)


# Cells


def _cells(page: Users, verdict: str) -> Iterator[Cell]:
    """Yield the cells that decide the verdict, then those that decide how certain it is."""
    absent = Facts(page).keys_in(SlotState.ABSENT)[:, 0]
    used = [
        key.last_used_date for key, no in zip(columns.ACCESS_KEYS, absent, strict=True) if not no
    ]
    deciding = [columns.PASSWORD_ENABLED, columns.PASSWORD_LAST_USED]
    deciding += [cell for key in columns.ACCESS_KEYS for cell in (key.active, key.last_rotated)]
    doubtful: list[str] = []
    if verdict in (Verdict.UNUSED, Verdict.RETIRED):
        doubtful = [columns.USER_CREATION_TIME, columns.MFA_ACTIVE]
        doubtful += used
        doubtful += chain(*columns.CERTIFICATES)
        doubtful += [columns.ADDITIONAL_CREDENTIALS_INFO]
    else:
        deciding += [columns.PASSWORD_LAST_CHANGED]
        deciding += used
        deciding += [columns.USER_CREATION_TIME] if _is_idle_since_creation(page) else []
    unread = [name for name, known in page.known.items() if not known[0]]
    rest = [name for name in unread if name not in deciding + doubtful]
    (deciding if verdict == Verdict.UNDETERMINED else doubtful).extend(rest)
    yield from (_cell(page, name, "verdict") for name in deciding)
    yield from (_cell(page, name, "certainty") for name in doubtful)


def _is_idle_since_creation(page: Users) -> bool:
    """Return whether a credential that was never used counts from the creation of the user."""
    facts = Facts(page)
    undated = page.users[columns.PASSWORD_LAST_CHANGED].isna().to_numpy() & ~facts.sign_in.present
    undated_key = ~facts.key_age.present & ~facts.key_use.present
    password = facts.password.yes & facts.password_idle.present & undated
    key = facts.key_active.yes & facts.key_idle.present & undated_key
    return bool(password.any() or key.any())


def _cell(page: Users, name: str, decides: str) -> Cell:
    value = page.text[name][0].as_py()
    if pd.isna(value):
        reading = "not in this report"
    elif name in page.known and not page.known[name][0]:
        reading = Facts(page).unread_cell_problem(0, name, value).removeprefix("is ")
    else:
        reading = _reading(page, name)
    return Cell(name, None if pd.isna(value) else value, reading, decides)


def _reading(page: Users, name: str) -> str:
    """Return the meaning of a cell in words."""
    if name == columns.ADDITIONAL_CREDENTIALS_INFO:
        has_more = bool(Facts(page).more_credentials[0])
        return "more credentials than are listed" if has_more else "no more credentials"
    yes, no = _READINGS[name]
    if name in columns.SLOT_FLAGS:
        codes = np.concatenate([page.key_states[:, 0], page.certificate_states[:, 0]])
        state = list(SlotState)[codes[columns.SLOT_FLAGS.index(name)]]
        return _STATE_WORDS[state].format(yes)
    if name in (columns.PASSWORD_ENABLED, columns.MFA_ACTIVE):
        return yes if page.users[name].iloc[0] else no
    moment = page.moments[name][0]
    if np.isnat(moment):
        return no
    days = max(int((page.as_of[0] - moment) // np.timedelta64(1, "D")), 0)
    return f"{yes}, {count_text(days, 'day')} before as-of{_place_of_use(page, name)}"


def _place_of_use(page: Users, name: str) -> str:
    """Return service and region of the last use of an access key, empty for other columns."""
    key = _KEYS_BY_USE.get(name)
    if key is None:
        return ""
    service = page.text[key.last_used_service][0].as_py()
    region = page.text[key.last_used_region][0].as_py()
    text = "" if service in _NO_PLACE else f" by {service}"
    if region not in _NO_PLACE:
        text = f"{text} in {region}"
    return f",{text}" if text else ""


_KEYS_BY_USE: Final = {key.last_used_date: key for key in columns.ACCESS_KEYS}
_NO_PLACE: Final = (None, "", NO_VALUE)

_STATE_WORDS: Final = {
    SlotState.ABSENT: "no {}",
    SlotState.INACTIVE: "{} is inactive",
    SlotState.ACTIVE: "{} is active",
    SlotState.UNKNOWN: "contradicts the other cells of its slot",
}

_READINGS: Final = {
    columns.PASSWORD_ENABLED: ("has a password", "no password"),
    columns.PASSWORD_LAST_USED: ("last sign-in", "no sign-in on record"),
    columns.PASSWORD_LAST_CHANGED: ("password changed", "no date"),
    columns.USER_CREATION_TIME: ("user created", "no date"),
    columns.MFA_ACTIVE: ("an MFA device is registered", "no MFA device"),
}
for _slot, _key, _certificate in zip(
    columns.SLOTS, columns.ACCESS_KEYS, columns.CERTIFICATES, strict=True
):
    _READINGS[_key.active] = (f"access key {_slot}", "")
    _READINGS[_key.last_rotated] = (f"access key {_slot} created", "no date")
    _READINGS[_key.last_used_date] = (f"access key {_slot} last used", "never used")
    _READINGS[_certificate.active] = (f"signing certificate {_slot}", "")
    _READINGS[_certificate.last_rotated] = (f"signing certificate {_slot} created", "no date")
"""By column, the words for a set flag, a moment or a slot, and the words if there is none."""


# Rules and exemptions


def _rule_outcomes(
    page: Users, rule_results: RuleResults, *, of_roots: bool
) -> Iterator[RuleOutcome]:
    """Yield what each rule finds on the only user or root of a page, or that it passes."""
    exempt, limits = ExemptionMatches(page, rule_results.exemptions), rule_results.book.thresholds
    rules = [rule for rule in rule_results.book.rules if rule.is_of_root is of_roots]
    found = page_findings(page, rules, limits, exempt, of_roots=of_roots)
    cells = (found[name].to_pylist() for name in (RULE, OUTCOME, FACT, columns.EXEMPTION))
    of_rule = defaultdict[str, list[list[str]]](list)
    for id_, *finding in zip(*cells, strict=True):
        of_rule[id_].append(finding)
    for rule in rules:
        for outcome, fact, exemption in of_rule[rule.id] or [["passes", "", ""]]:
            yield RuleOutcome(rule.id, str(rule.severity), outcome, fact, exemption)


def _matching_exemptions(
    page: Users, exemptions: Sequence[Exemption]
) -> Iterator[MatchingExemption]:
    for entry in exemptions:
        matches = ExemptionMatches(page, [entry])
        if matches.matched[0]:
            yield MatchingExemption(entry, bool(matches.applied[0]))


# As text


def _lines(explanation: Explanation) -> Iterator[str]:
    yield f"{explanation.user}  {explanation.arn}"
    yield f"{_verdict_and_certainty(explanation)}{explanation.reason}"
    yield from explanation.why_not
    yield _place(explanation)
    if explanation.owner:
        yield f"owner: {explanation.owner}"
    if explanation.exemption:
        yield f"exempt: {explanation.exemption}"
    yield from _section("Caveats", [f"{name}: {text}" for name, text in explanation.caveats])
    yield from _section(_COMMANDS, explanation.commands)
    for decides in ("verdict", "certainty", "rules"):
        cells = [cell for cell in explanation.cells if cell.decides == decides]
        words = aligned((cell.column, cell.value or "", cell.reading) for cell in cells)
        yield from _section(f"Cells that decide the {decides}", words)
    rules = (
        (rule.outcome, rule.severity, rule.rule, rule.fact_and_exemption)
        for rule in explanation.rules
    )
    yield from _section("Rules", aligned(rules))
    yield from _section("Exemptions that match", map(_exemption_line, explanation.exemptions))


def _verdict_and_certainty(explanation: Explanation) -> str:
    if not explanation.verdict:
        return ""
    if not explanation.certainty:
        return f"{explanation.verdict}: "
    return f"{explanation.verdict} ({'to check' if explanation.caveats else 'certain'}): "


def _place(explanation: Explanation) -> str:
    """Return account, row, file and as-of."""
    row = f"row {explanation.row} of {explanation.file}"
    at = minute_text(pd.Timestamp(explanation.as_of))
    name = f" ({explanation.account_name})" if explanation.account_name else ""
    source = AS_OF_SOURCES[explanation.as_of_source]
    return f"account {explanation.account}{name}, {row}, as of {at} ({source})"


_COMMANDS: Final = "What AWS knows (KEY_ID, JOB_ID: from the command before)"


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    body = [f"  {line}" for line in lines]
    if body:
        yield ""
        yield title
        yield from body


def aligned(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return the rows as lines with aligned columns."""
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


def _exemption_line(exemption: MatchingExemption) -> str:
    entry = exemption.entry
    place = f"row {entry.line}" if entry.line else "--exempt"
    parts = [f"{place}: {entry.user}: {entry.reason}"]
    if entry.owner:
        parts.append(f"owner {entry.owner}")
    if entry.rule:
        parts.append(f"rule {entry.rule} only")
    if entry.expires:
        parts.append(f"{'until' if exemption.applies else 'expired on'} {entry.expires}")
    return ", ".join(parts)
