"""Make findings of every rule and outcome, and read back what OCSF says of them."""

import json
import random
from collections.abc import Iterable, Sequence
from copy import deepcopy
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.analysis.rulebook import rulebook
from analyzer.report.model import Exemption
from analyzer.rules import RULES
from analyzer.writers.ocsf import write_ocsf
from tests.rules.test_against_oracle import a_random_root, a_random_user
from tests.support.builders import (
    AS_OF,
    QUIET_PASSWORD,
    Row,
    a_key,
    a_user,
    an_inactive_key,
    days_before,
    in_slot,
    report_text,
    the_root,
)
from tests.support.named_reports import load_named
from tests.support.outputs import exemptions_of, written
from tests.support.rare_users import rare_users

Document = dict[str, Any]

EVERY_RULE: Final = [rule.id for rule in RULES]
EXCUSED: Final = ("*,u1*,On leave,IT,", "*,<root_account>,Locked away,IT,")


def everything() -> list[Row]:
    """Return random users and roots, and rare ones."""
    chance = random.Random(20_260_502)
    return (
        [a_random_root(chance, number) for number in range(200)]
        + [a_random_user(chance, number) for number in range(120)]
        + rare_users(0)
    )


def inspected(
    rows: Sequence[Row],
    exemptions: Iterable[Exemption] = (),
    *,
    name: str = "report.csv",
    as_of: datetime = AS_OF,
    **options: Any,
) -> Analysis:
    """Analyze a report of these rows, the root first, for every rule."""
    analysis = _inspected(report_text(rows[1:], root=rows[0], quoted=True), name, as_of)
    if not exemptions and not options:
        return analysis
    book = rulebook(**{"rules": EVERY_RULE, **options})
    return analyzer.analyze(analysis.report, exemptions=exemptions, book=book)


@cache
def _inspected(text: str, name: str, as_of: datetime) -> Analysis:
    """Analyze a report once for all tests."""
    report = load_named((name, text.encode()), as_of=as_of)
    return analyzer.analyze(report, book=rulebook(rules=EVERY_RULE))


@cache
def findings_of_everything() -> tuple[Document, ...]:
    """Return the findings on every kind of row, once for all tests; nobody changes them."""
    return tuple(ocsf(inspected(everything(), exemptions_of(*EXCUSED))))


def ocsf_bytes(analysis: Analysis) -> bytes:
    return written(write_ocsf, analysis)


def ocsf(analysis: Analysis) -> list[Document]:
    return list(map(json.loads, ocsf_bytes(analysis).splitlines()))


class ReadFinding(NamedTuple):
    """Hold one finding as it is read back."""

    rule: str
    id: str
    account: str
    account_name: str | None
    resource: str
    message: str
    compliance: str
    severity: str
    status: str
    reason: str | None


def finding_of(document: Document) -> ReadFinding:
    """Return the finding that a document holds."""
    account = document["cloud"].get("account", {})
    return ReadFinding(
        document["metadata"]["event_code"],
        document["finding_info"]["uid"],
        account.get("uid", ""),
        account.get("name"),
        document["resources"][0]["uid"],
        document["message"],
        document["compliance"]["status"],
        document["severity"].lower(),
        document["status"],
        document.get("status_detail"),
    )


def only(found: Iterable[Document], rule: str) -> Document:
    """Return the one finding of a rule."""
    (document,) = (each for each in found if finding_of(each).rule == rule)
    return document


# Small reports


def idle_key() -> list[Row]:
    """Return a root and one user whose one finding is an idle access key."""
    return [the_root(), a_user("program", mfa=True, key_1=a_key(days_before(100), days_before(90)))]


@cache
def an_idle_key() -> Document:
    """Return the finding on that key; nobody changes it."""
    return only(ocsf(inspected(idle_key(), limits={"idle_days": 90})), "idle-access-key")


def undecided_mfa() -> list[Row]:
    person = a_user("person", password=QUIET_PASSWORD, mfa_active="vielleicht")
    return [the_root(), person]


def noted_root_key() -> list[Row]:
    return [root_with(an_inactive_key(days_before(500)))]


def root_with(key: Row) -> Row:
    return the_root() | in_slot("access_key", 1, key)


# Spoiling documents

GONE: Final = object()


def spoiled(document: Document, path: str, value: Any) -> Document:
    """Return the document with another value at a dotted path, or with none for GONE."""
    changed = deepcopy(document)
    *parents, last = (int(part) if part.isdecimal() else part for part in path.split("."))
    place: Any = changed
    for parent in parents:
        place = place[parent]
    if value is GONE:
        del place[last]
    else:
        place[last] = value
    return changed
