"""The files that hold what the program makes, and how each is made."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final
from unittest.mock import patch

from analyzer.analysis.analysis import Analysis
from analyzer.analysis.rulebook import rulebook
from analyzer.report.model import Exemption
from analyzer.rules import RULES
from analyzer.rules.rule import Rule
from analyzer.terms import VERSION, Verdict
from analyzer.writers.workbook import listed_users
from tests.support.builders import (
    AS_OF,
    COLUMNS,
    LONG_AGO,
    MORE_CREDENTIALS,
    ROOT_FOLDER,
    Row,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    no_password,
)
from tests.support.ocsf import an_idle_key
from tests.support.outputs import (
    ALL,
    UNUSED,
    analysis_of,
    analyzed_sample,
    csv_bytes,
    exemptions_of,
    findings_bytes,
    json_bytes,
    markdown_text,
    summary_text,
    table_text,
)
from tests.support.pictures import review_picture
from tests.support.workbook_texts import reviewed, workbook_text

OF_EACH_KIND: tuple[Row, ...] = (
    a_user("ann", created=days_before(900)),
    a_user("bob.with-a-rather-long-name@example.org", password=a_password(), mfa=True),
    a_user("break-glass", password=a_password(), created=days_before(700)),
    a_user("carol", key_1=an_inactive_key(LONG_AGO, days_before(500))),
    a_user("dave", password=no_password(days_before(400))),
    a_user("erin", password=a_password(days_before(90))),
    a_user("frank", key_1=a_key(LONG_AGO, days_before(1))),
    a_user("grace") | {"password_enabled": "wahr"},
)


@cache
def of_each_kind() -> Analysis:
    exemptions = exemptions_of(
        '*,break-*,"Break-glass access, unused by design",Security,',
        "*,carol,On leave,Ops,2026-04-30",
        "*,zoe,Gone,Ops,",
    )
    return analysis_of(OF_EACH_KIND, exemptions)


EXPLAINED: tuple[Row, ...] = (
    a_user(
        "ann",
        password=a_password(),
        key_1=an_inactive_key(days_before(400), days_before(1.5)),
        certificate_2=a_certificate(days_before(30), active=False),
        mfa=True,
        created=days_before(500),
    )
    | {MORE_CREDENTIALS: "1 more"},
    a_user("bob", password=a_password(days_before(9)), key_2=a_key(LONG_AGO, AS_OF)),
    a_user("cid", password=no_password(LONG_AGO)),
    a_user("dan", password=a_password(LONG_AGO), key_1=a_key()),
    a_user("eve", password_enabled="wahr", mfa_active="perhaps"),
)
ENTRIES = (
    Exemption("*", "ann", "Now", "Ops", AS_OF.date(), 2),
    Exemption("*", "a*", "Past", "", date(2026, 4, 30), 3),
    Exemption("*", "ann", "Why", "", None, 4, "unrotated-access-key"),
    Exemption("*", "zoe", "Other", "", None, 5),
)


def _explanations(_: Path) -> str:
    analysis = analysis_of(EXPLAINED, ENTRIES, columns=(*COLUMNS, MORE_CREDENTIALS))
    return "\n\n".join(map(str, analysis.explain("*"))) + "\n"


Content = Callable[[Path], str]
"""Returns the content of a file; it may use a folder for what it needs."""


def _table(width: int | None, verdicts: tuple[Verdict, ...] = ALL) -> Content:
    return lambda _: table_text(of_each_kind(), verdicts, width=width)


def _by_a_standard() -> Analysis:
    return replace(of_each_kind(), book=rulebook("fsbp"))


def _finding(_: Path) -> str:
    return _versionless(json.dumps(an_idle_key(), indent=2) + "\n")


def _versionless(text: str) -> str:
    return text.replace(VERSION, "VERSION")


def _workbook(_: Path) -> str:
    with patch.object(listed_users, "VERSION", "VERSION"):
        return _versionless(workbook_text(reviewed()))


def _rule_row(rule: Rule) -> str:
    severity = rule.severity if rule.default else f"{rule.severity}; off by default"
    return f"| `{rule.id}` | {rule.title} | {severity} |"


def _page_of_rules(_: Path) -> str:
    """Return the page about rules with a row for each of them."""
    table = "".join(f"{line}\n" for line in ("|---|---|---|", *map(_rule_row, RULES)))
    page = RULES_PAGE.read_text(encoding="utf-8")
    head = "| rule | finds | severity |\n"
    return re.sub(rf"({re.escape(head)})(?:\|.*\n)+", lambda match: match[1] + table, page)


def _front_page(_: Path) -> str:
    """Return the README with the beginning of the list that its first command shows."""
    start, command, rest = README.read_text(encoding="utf-8").partition(FIRST_COMMAND)
    sample = ROOT_FOLDER / command.split()[-1]
    text = table_text(analyzed_sample(sample), UNUSED, width=100).split("\nBedrockAPIKey")[0]
    shown = "".join(f"{line.rstrip()}\n" for line in (*text.splitlines(), "…"))
    return f"{start}{command}{shown}```{rest.split('```', 1)[1]}"


_TEXTS: Final = ROOT_FOLDER / "tests" / "golden"
_PICTURES: Final = ROOT_FOLDER / "samples" / "pictures"
README: Final = ROOT_FOLDER / "README.md"
FIRST_COMMAND: Final = "$ credreport analyze samples/report.json\n"
RULES_PAGE: Final = ROOT_FOLDER / "analyzer" / "rules" / "README.md"

FILES: Final[Mapping[Path, Content]] = {
    _TEXTS / "table-piped.txt": _table(None),
    _TEXTS / "table-80-columns.txt": _table(80),
    _TEXTS / "table-160-columns.txt": _table(160),
    _TEXTS / "table-80-columns-unused.txt": _table(80, UNUSED),
    _TEXTS / "explanations.txt": _explanations,
    _TEXTS / "summary.txt": lambda _: summary_text(of_each_kind()),
    _TEXTS / "table-80-columns-standard.txt": lambda _: table_text(_by_a_standard(), width=80),
    _TEXTS / "summary-standard.txt": lambda _: summary_text(_by_a_standard()),
    _TEXTS / "users.csv": lambda _: csv_bytes(of_each_kind()).decode(),
    _TEXTS / "findings.csv": lambda _: findings_bytes(of_each_kind()).decode(),
    _TEXTS / "analysis.json": lambda _: _versionless(json_bytes(_by_a_standard()).decode()),
    _TEXTS / "report.md": lambda _: _versionless(markdown_text(_by_a_standard())),
    _TEXTS / "finding.ocsf.json": _finding,
    _TEXTS / "workbook.txt": _workbook,
    _PICTURES / "review.svg": lambda _: review_picture(),
    README: _front_page,
    RULES_PAGE: _page_of_rules,
}
