"""Make findings of every rule and outcome, and read back what the feeds say of them."""

import json
import random
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.analysis.rulebook import rulebook
from analyzer.report.model import Exemption
from analyzer.rules import RULES
from analyzer.writers.asff import asff_batches
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
    return [
        *(a_random_root(chance, number) for number in range(200)),
        *(a_random_user(chance, number) for number in range(120)),
        *rare_users(0),
    ]


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
def everything_in(feed: str) -> tuple[Document, ...]:
    """Return the findings on every kind of row, once for all tests; nobody changes them."""
    return tuple(FEEDS[feed](_inspected_everything()))


@cache
def _inspected_everything() -> Analysis:
    return inspected(everything(), exemptions_of(*EXCUSED))


def ocsf_bytes(analysis: Analysis, earlier: Iterable[bytes] = ()) -> bytes:
    return written(write_ocsf, analysis, earlier)


def asff_bytes(
    analysis: Analysis, region: str | None = None, earlier: Iterable[bytes] = ()
) -> bytes:
    """Return all batches, a line for each finding."""
    batches = asff_batches(analysis, region, earlier)
    return b"".join(
        line.removesuffix(b",") + b"\n" for _, batch in batches for line in batch.splitlines()[1:-1]
    )


def asff_file(target: Path) -> str:
    """Return what the batches of `findings.asff.json` hold, a line for each finding."""
    batches = sorted(target.parent.glob(f"{target.name.removesuffix('.asff.json')}-*.asff.json"))
    return "".join(
        json.dumps(each) + "\n" for file in batches for each in json.loads(file.read_bytes())
    )


def ocsf(analysis: Analysis) -> list[Document]:
    return [*map(json.loads, ocsf_bytes(analysis).splitlines())]


def asff(analysis: Analysis, region: str | None = None) -> list[Document]:
    return [*map(json.loads, asff_bytes(analysis, region).splitlines())]


FEEDS: Final[dict[str, Callable[[Analysis], list[Document]]]] = {"asff": asff, "ocsf": ocsf}
_COMPLIANCE: Final = {"FAILED": "Fail", "WARNING": "Warning", "PASSED": "Pass"}


class FeedFinding(NamedTuple):
    """Hold one finding of a feed, in the words of OCSF whichever the format."""

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


def finding_of(document: Document) -> FeedFinding:
    """Return the finding that a document of either format holds."""
    if "Id" not in document:
        account = document["cloud"].get("account", {})
        return FeedFinding(
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
    return FeedFinding(
        document["GeneratorId"].removeprefix("credreport/"),
        document["Id"],
        document["AwsAccountId"],
        document.get("AwsAccountName"),
        document["Resources"][0]["Id"],
        document["Description"],
        _COMPLIANCE[document["Compliance"]["Status"]],
        document["Severity"]["Label"].lower(),
        document["Workflow"]["Status"].title(),
        document.get("Note", {}).get("Text"),
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
def an_idle_key(feed: str) -> Document:
    """Return what a feed says of that key; nobody changes it."""
    return only(FEEDS[feed](inspected(idle_key(), limits={"idle_days": 90})), "idle-access-key")


def undecided_mfa() -> list[Row]:
    person = a_user("person", password=QUIET_PASSWORD, mfa_active="vielleicht")
    return [the_root(), person]


def noted_root_key() -> list[Row]:
    return [root_with(an_inactive_key(days_before(500)))]


def root_with(key: Row) -> Row:
    return the_root() | in_slot("access_key", 1, key)


BROKEN: Final = a_user("broken", arn="arn:aws:iam::12:broken")
ELSEWHERE: Final = the_root(account="1" * 12)


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
