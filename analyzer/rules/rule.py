"""Define what a rule is, and which columns findings have."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from analyzer import columns
from analyzer.columns import AccessKeyColumns, CertificateColumns
from analyzer.terms import NOT_COVERED, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import numpy as np
    import pyarrow as pa

    from analyzer.limits import Thresholds
    from analyzer.verdicts.facts import Facts
    from analyzer.verdicts.truth import Elapsed, Truth


class Subject(StrEnum):
    """Name what a finding is about."""

    USER = "user"
    PASSWORD = "password"
    ACCESS_KEY = "access-key"
    CERTIFICATE = "certificate"
    ROOT = "root"
    ACCOUNT = "account"

    @property
    def in_slots(self) -> bool:
        """Return whether the subject is in two slots, as access keys and certificates are."""
        return self in (Subject.ACCESS_KEY, Subject.CERTIFICATE)

    @property
    def label(self) -> str:
        """Return the subject in words."""
        return self.replace("-", " ")


class Outcome(StrEnum):
    """Name the outcomes that a finding can have; `noted` is for information only."""

    FAILS = "fails"
    NOTED = "noted"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleText:
    """Describe a rule for people.

    `title` names the failure, `requirement` the state required. `why` is the risk, `how` the exact
    condition with its boundary (`{days}` stands for the limit), `fix` a sentence with what to do,
    `remedy` the commands for it (`#` before a remark), `references` links to read more. `threshold`
    names the field of `Thresholds` with the limit. `deletes_user` marks a remedy that ends with the
    deletion of the user.
    """

    id: str
    title: str
    requirement: str
    severity: Severity
    subject: Subject
    why: str
    how: str
    fix: str
    remedy: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    threshold: str | None = None
    deletes_user: bool = False

    def condition(self, limits: Thresholds) -> str:
        """Return how the rule decides, with its limit."""
        return self.how.format(days=getattr(limits, self.threshold)) if self.threshold else self.how

    @property
    def remedies(self) -> tuple[str, str, str, str]:
        """Return what to do about a finding, a sentence for each case.

        The cases are: a certain finding, an undecided one, one with caveats, one on a user with an
        active service-specific credential. Delete only after a certain finding.
        """
        undecided = "Check the values in the fact first; do not delete yet."
        live = "Check the active service-specific credential first; do not delete"
        if self.deletes_user:
            caveats = "Check the caveats in the fact first; do not delete yet."
            return self.fix, undecided, caveats, f"{live} yet."
        return self.fix, undecided, self.fix, f"{live} the user yet. {self.fix}"

    def remedy_lines(self, remedy: str) -> tuple[str, ...]:
        """Return a remedy with its commands; if it says to check, only with commands that read."""
        if remedy == self.fix:
            return self.remedy or (self.fix,)
        return (remedy, *(line for line in self.remedy if _READING_COMMAND.match(line)))


_READING_COMMAND: Final = re.compile(r"aws [a-z]+ (list|get|lookup)-")  # changes nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(RuleText):
    """Describe one rule completely: a new rule is one of these, and nothing else.

    - `judge` returns the subjects that fail (`yes`) and those that do not (`no`); neither means
      undecided. Its masks have a value for each user; for subjects in slots they have two rows, one
      for each slot. It changes nothing in the facts.
    - `fact` words the failures at the positions, each with its value, as the parts of a sentence:
      a text for all, or a text for each; positions in slots count through both rows. `since` is the
      moment from which days are counted, if any; `noted` marks findings for information, which do
      not fail; `undecided_fact` words undecided findings, if the unknown cells do not explain them.
    - `reads` are the report's columns about the user, `reads_keys` and `reads_certificates` those
      about each slot, by their names in `columns.AccessKeyColumns` and `CertificateColumns`.
    """

    judge: Callable[[Facts, Thresholds], Truth]
    fact: Callable[[Facts, np.ndarray, Thresholds], list[str | pa.Array]]
    reads: tuple[str, ...] = ()
    reads_keys: tuple[str, ...] = ()
    reads_certificates: tuple[str, ...] = ()
    since: Callable[[Facts], Elapsed] | None = None
    noted: Callable[[Facts], np.ndarray] | None = None
    undecided_fact: Callable[[Facts, np.ndarray], pa.Array] | None = None
    default: bool = True

    def __repr__(self) -> str:
        """Return its id in a line."""
        return f"<Rule {self.id}>"

    def is_named(self, words: Collection[str]) -> bool:
        """Return whether the words include the rule's id, its severity or a lower one."""
        rank = self.severity.rank
        return self.id in words or any(
            severity in words and rank <= severity.rank for severity in Severity
        )

    def slot_columns(self, slot: int) -> tuple[str, ...]:
        """Return the report's columns that the rule reads for one slot."""
        key = columns.ACCESS_KEYS[slot - 1]
        certificate = columns.CERTIFICATES[slot - 1]
        return (
            *(getattr(key, name) for name in self.reads_keys),
            *(getattr(certificate, name) for name in self.reads_certificates),
        )

    @property
    def is_of_root(self) -> bool:
        """Return whether the rule is about the root user, not IAM users."""
        return self.subject is Subject.ROOT

    @property
    def columns(self) -> tuple[str, ...]:
        """Return every column of the report that the rule reads."""
        return (*self.reads, *(name for slot in columns.SLOTS for name in self.slot_columns(slot)))


_GUIDES: Final = {
    "": "IAM/latest/UserGuide",
    "api": "IAM/latest/APIReference",
    "bedrock": "bedrock/latest/userguide",
    "config": "config/latest/developerguide",
}


def pages(*names: str) -> tuple[str, ...]:
    """Return the addresses of pages of the IAM User Guide, or as in `config:page` of another."""
    named = (name.rpartition(":") for name in names)
    return tuple(
        f"https://docs.aws.amazon.com/{_GUIDES[guide]}/{page}.html" for guide, _, page in named
    )


UNSEEN_COMMANDS: Final = (
    "# Not in a report, must list nothing:",
    "aws iam list-service-specific-credentials --user-name=NAME",
    "aws iam list-ssh-public-keys --user-name=NAME",
)
"""The first commands: a user with such a credential may be in use."""

DELETION_COMMANDS: Final = (
    "# Then delete what is attached:",
    "# delete-access-key, delete-signing-certificate, deactivate-mfa-device,",
    "# delete-user-policy, detach-user-policy, remove-user-from-group.",
    "aws iam delete-user --user-name=NAME",
)
"""Last commands: before, DeleteUser gives DeleteConflict (IAM User Guide, Remove an IAM user)."""

VERDICT_CELLS: Final = (
    columns.USER,
    columns.ARN,
    columns.USER_CREATION_TIME,
    columns.PASSWORD_ENABLED,
    columns.PASSWORD_LAST_USED,
    columns.MFA_ACTIVE,
)
KEY_CELLS: Final = AccessKeyColumns._fields
CERTIFICATE_CELLS: Final = CertificateColumns._fields
"""The columns that the rules on verdicts read, those of caveats included."""

RULE: Final = "rule"
SEVERITY: Final = "severity"
SUBJECT: Final = "subject"
SINCE: Final = "since"
DAYS: Final = "days"
FACT: Final = "fact"
OUTCOME: Final = "outcome"
REMEDY: Final = "remedy"

FINDINGS: Final = (
    columns.ACCOUNT,
    columns.USER,
    columns.ARN,
    SEVERITY,
    RULE,
    SUBJECT,
    columns.SLOT,
    columns.CREATED,
    SINCE,
    DAYS,
    FACT,
    OUTCOME,
    columns.EXPOSURE,
    columns.EXEMPTION,
    columns.FILE,
    columns.ROW,
    REMEDY,
)
"""The columns of findings, one row a finding, in this order.

- `file`, `row` int64: where the finding's row stands; `account` dictionary, `user`, `arn`
  large_string: the user or root.
- `rule`, `severity`, `subject`, `outcome` dictionaries: words of `Rule.id`, `Severity`, `Subject`
  and `Outcome`; `exemption` dictionary: the reason, empty if it is not exempt.
- `exposure` dictionary: that of the user (`verdicts.exposure.EXPOSURES`), empty for a root.
- `slot` int8: which access key or certificate, null for other subjects.
- `created` timestamp[s, UTC]: when the access key, the certificate or else the user was created.
- `since` timestamp[s, UTC] and `days` int64: the moment from which days are counted, and the whole
  days from it to as-of, both null if the rule counts none or the moment is not known.
- `fact` large_string: the fact in words with its value and the limit; if undecided, the unknown
  cells.
- `remedy` dictionary: what to do, a sentence of `RuleText.remedies`.

In a frame (`report.frames.finding_frame`) the dictionaries are categories, but `account` is text.
"""

UNCOVERED_ACCOUNT: Final = RuleText(
    id=NOT_COVERED,
    title="Account could not be read",
    requirement="Every account can be read",
    severity=Severity.HIGH,
    subject=Subject.ACCOUNT,
    why="The findings in this account are unknown. None are listed, but there can be some.",
    how="Stands for each account that should have been fetched and was not.",
    fix="Fix the cause, then fetch the report of this account again.",
    remedy=("# Grant the missing permission or fix the role, then fetch the report again.",),
    references=pages("id_credentials_getting-report"),
)
