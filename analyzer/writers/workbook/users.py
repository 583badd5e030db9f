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
from analyzer.writers.workbook.column import Cells, Column, empty, numbers, words
from analyzer.writers.workbook.style import Look, Styles

DECISIONS: Final = ("delete", "deactivate", "keep", "investigate")

_WHO: Final = (facts.ACCOUNT, facts.USER, facts.ARN)
_KEYS: Final = tuple(zip(columns.SLOTS, columns.ACCESS_KEYS, strict=True))
_CERTIFICATES: Final = tuple(
    column
    for slot, names in zip(columns.SLOTS, columns.CERTIFICATES, strict=True)
    for column in credentials.certificate(slot, names)
)

UNUSED: Final = (
    *_WHO,
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
    Column("Decision", 12, empty(Look.INPUT), DECISIONS),
    Column("Owner", 14, empty(Look.INPUT)),
    Column("Comment", 24, empty(Look.INPUT)),
)
"""The list to work through; the last three columns are the reviewer's."""


def every(files: Sequence[ReportFile]) -> tuple[Column, ...]:
    """Return the columns of all users: every fact, and the row of the report that it is from."""
    return (
        *_WHO,
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
        *(
            column
            for slot, names in _KEYS
            for column in (*credentials.key(slot, names), *credentials.key_use(slot, names))
        ),
        *_CERTIFICATES,
        facts.MORE_CREDENTIALS,
        facts.SERVICE_CREDENTIALS,
        facts.AS_OF,
        *_source(files),
    )


def undetermined(files: Sequence[ReportFile]) -> tuple[Column, ...]:
    """Return the columns of users of whom the report does not tell enough."""
    why = replace(facts.REASON, head="What was not understood", width=60)
    return (*_WHO, why, facts.EXEMPTION, facts.CREATED, facts.AGE, facts.AS_OF, *_source(files))


def exempt(exemptions: Sequence[Exemption]) -> tuple[Column, ...]:
    """Return the columns of users who are excused, by which entry."""
    return (
        *_WHO,
        facts.VERDICT,
        facts.REASON,
        facts.CERTAINTY,
        facts.CAVEATS,
        replace(facts.EXEMPTION, head="Exempt because", width=36),
        Column("Exemption owner", 20, _of_entry(exemptions, lambda entry: entry.owner)),
        Column("Exempt until", 12, _of_entry(exemptions, _end)),
        facts.CREATED,
        facts.AGE,
        facts.IDLE,
    )


def _of_entry(exemptions: Sequence[Exemption], told: Callable[[Exemption], Value]) -> Cells:
    """Make cells of what the entry that excuses a user says."""
    numbered = tuple(
        replace(entry, reason=str(at)) for at, entry in enumerate(exemptions)
    )  # The analysis keeps the reason of the entry, and two may have the same.

    def cells(page: Page, styles: Styles) -> list[str]:
        entries = Excuses(page, numbered).of_verdicts()
        return [cell(told(exemptions[int(at)]), styles[Look.DAY]) for at in entries.tolist()]

    return cells


def _end(entry: Exemption) -> Value:
    if entry.expires is None:
        return "no end"
    return datetime.combine(entry.expires, time(), UTC)


def _source(files: Sequence[ReportFile]) -> tuple[Column, ...]:
    names = [file.name for file in files]

    def read(page: Page) -> list[str]:
        return [names[file] for file in page.users[columns.FILE].tolist()]

    return Column("Report", 26, words(read)), Column("Row", 6.5, numbers(columns.ROW))
