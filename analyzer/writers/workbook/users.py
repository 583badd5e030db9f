"""Define the sheets that list users: which columns each has, and for whom."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Final

from analyzer import columns
from analyzer.exemptions import Excuses
from analyzer.model import Exemption, Page, ReportFile
from analyzer.writers.workbook import credentials, facts
from analyzer.writers.workbook.cells import Value, cell
from analyzer.writers.workbook.column import Cells, Column
from analyzer.writers.workbook.style import Look, Styles
from analyzer.writers.workbook.whose import of_users, review, source

DECISIONS: Final = ("delete", "deactivate", "keep", "investigate")

_KEYS: Final = tuple(zip(columns.SLOTS, columns.ACCESS_KEYS, strict=True))
_KEYS_WITH_USE: Final = tuple(
    column
    for slot, names in _KEYS
    for column in (*credentials.key(slot, names), *credentials.key_use(slot, names))
)
_CERTIFICATES: Final = tuple(
    column
    for slot, names in zip(columns.SLOTS, columns.CERTIFICATES, strict=True)
    for column in credentials.certificate(slot, names)
)

UNUSED: Final[tuple[Column[Page], ...]] = (
    *facts.WHO,
    facts.REASON,
    facts.CERTAINTY,
    facts.CAVEATS,
    facts.CREATED,
    facts.AGE,
    facts.PASSWORD,
    facts.LAST_SIGN_IN,
    *(column for slot, names in _KEYS for column in credentials.key(slot, names)),
    *_CERTIFICATES,
    facts.MFA,
    *review(DECISIONS),
)
"""The list to work through; the last three columns are the reviewer's."""


def every(files: Sequence[ReportFile]) -> tuple[Column[Page], ...]:
    """Return the columns of all users: every fact, and the row of the report that it is from."""
    return (
        *facts.WHO,
        facts.VERDICT,
        facts.REASON,
        facts.CERTAINTY,
        facts.CAVEAT_IDS,
        facts.EXEMPTION,
        facts.CREATED,
        facts.AGE,
        facts.IDLE,
        facts.PASSWORD,
        facts.LAST_SIGN_IN,
        facts.PASSWORD_CHANGED,
        facts.PASSWORD_ROTATION,
        facts.MFA,
        *_KEYS_WITH_USE,
        *_CERTIFICATES,
        facts.MORE_CREDENTIALS,
        facts.service_credentials(files),
        facts.AS_OF,
        *source(of_users, files),
    )


def roots(files: Sequence[ReportFile]) -> tuple[Column[Page], ...]:
    """Return the columns of root users, who get no verdict: what the rules on them looked at."""
    return (
        *facts.WHO,
        facts.CREATED,
        facts.PASSWORD,
        facts.LAST_SIGN_IN,
        facts.PASSWORD_CHANGED,
        facts.MFA,
        *_KEYS_WITH_USE,
        *_CERTIFICATES,
        facts.MORE_CREDENTIALS,
        facts.AS_OF,
        *source(of_users, files),
    )


def undetermined(files: Sequence[ReportFile]) -> tuple[Column[Page], ...]:
    """Return the columns of users of whom the report does not tell enough."""
    why = replace(facts.REASON, head="What was not understood", width=60)
    return (
        *facts.WHO,
        why,
        facts.EXEMPTION,
        facts.CREATED,
        facts.AGE,
        facts.AS_OF,
        *source(of_users, files),
    )


def exempt(exemptions: Sequence[Exemption]) -> tuple[Column[Page], ...]:
    """Return the columns of users who are excused, by which entry."""
    return (
        *facts.WHO,
        facts.VERDICT,
        facts.REASON,
        facts.CERTAINTY,
        facts.CAVEATS,
        replace(facts.EXEMPTION, head="Exempt because", width=36),
        Column("Exemption owner", 20, _of_entry(exemptions, lambda entry: entry.owner)),
        Column("Exempt until", 12, _of_entry(exemptions, last_day)),
        facts.CREATED,
        facts.AGE,
        facts.IDLE,
    )


def _of_entry(exemptions: Sequence[Exemption], told: Callable[[Exemption], Value]) -> Cells[Page]:
    """Make cells of what the entry that excuses a user says."""
    numbered = tuple(
        replace(entry, reason=str(at)) for at, entry in enumerate(exemptions)
    )  # The analysis keeps the reason of the entry, and two may have the same.

    def cells(page: Page, styles: Styles) -> list[str]:
        entries = Excuses(page, numbered).of_verdicts()
        return [cell(told(exemptions[int(at)]), styles[Look.DAY]) for at in entries.tolist()]

    return cells


def last_day(entry: Exemption) -> Value:
    """Return the last day on which an entry applies, or that it has no end."""
    if entry.expires is None:
        return "no end"
    return datetime.combine(entry.expires, time(), UTC)
