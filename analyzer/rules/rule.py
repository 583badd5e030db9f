"""Define what a rule is, and how the frame of findings looks."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import pyarrow as pa

from analyzer import columns
from analyzer.facts import Elapsed, Facts, Truth
from analyzer.terms import NOT_COVERED, Severity, Thresholds


class Subject(StrEnum):
    """Say what is judged one by one: by rules each IAM user, credential or root."""

    USER = "user"
    PASSWORD = "password"
    ACCESS_KEY = "access-key"
    CERTIFICATE = "certificate"
    ROOT = "root"
    ACCOUNT = "account"

    @property
    def in_slots(self) -> bool:
        """Tell whether there are two of it a user, as in `Page.keys` and `Page.certificates`."""
        return self in (Subject.ACCESS_KEY, Subject.CERTIFICATE)


class Outcome(StrEnum):
    """Say what a finding is: a failure, a remark that fails nothing, or a matter left open."""

    FAILS = "fails"
    NOTED = "noted"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleText:
    """Describe what findings are about, for people.

    `why`, `how` (how it is decided), `fix` (in a sentence), `remedy` (command lines, `#` before a
    remark) and `references` tell all of it; `threshold` names the field of `Thresholds` that is
    the limit.
    """

    id: str
    title: str
    severity: Severity
    subject: Subject
    why: str
    how: str
    fix: str
    remedy: tuple[str, ...]
    references: tuple[str, ...]
    threshold: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(RuleText):
    """Describe one rule; whoever adds one fills this in, and nothing else.

    - `judge` says where the rule fails (`yes`) and where it does not (`no`); what is neither is
      undecided. It holds one answer a user, or for subjects in slots one a slot, in the order of
      `Page.keys`. It is given the evidence and nothing changes it.
    - `fact` words the failures at the positions asked for, each with its value; `since` is the
      moment counted from, where there is one; `notes` marks what is named without failing;
      `doubt` words what is undecided where more than the unknown cells is to be said.
    - `reads` are the report's columns about the user, `reads_keys` and `reads_certificates` those
      about each slot, as `columns.AccessKeyColumns` and `columns.CertificateColumns` call them.
    - `how` tells the exact boundary.
    """

    judge: Callable[[Facts, Thresholds], Truth]
    fact: Callable[[Facts, np.ndarray, Thresholds], pa.Array]
    reads: tuple[str, ...] = ()
    reads_keys: tuple[str, ...] = ()
    reads_certificates: tuple[str, ...] = ()
    since: Callable[[Facts], Elapsed] | None = None
    notes: Callable[[Facts], np.ndarray] | None = None
    doubt: Callable[[Facts, np.ndarray], pa.Array] | None = None
    default: bool = True

    def slot_columns(self, slot: int) -> tuple[str, ...]:
        """Return the report's columns that decide about one slot."""
        key = columns.ACCESS_KEYS[slot - 1]
        certificate = columns.CERTIFICATES[slot - 1]
        return (
            *(getattr(key, name) for name in self.reads_keys),
            *(getattr(certificate, name) for name in self.reads_certificates),
        )

    @property
    def is_of_root(self) -> bool:
        """Return whether it is about the root user, and about no IAM user."""
        return self.subject is Subject.ROOT

    @property
    def columns(self) -> tuple[str, ...]:
        """Return every column of the report that the rule reads."""
        return (*self.reads, *(name for slot in columns.SLOTS for name in self.slot_columns(slot)))


RULE: Final = "rule"

SEVERITY: Final = "severity"

SUBJECT: Final = "subject"

SINCE: Final = "since"

DAYS: Final = "days"

FACT: Final = "fact"

OUTCOME: Final = "outcome"

FINDINGS: Final = (
    columns.FILE,
    columns.ROW,
    columns.ACCOUNT,
    columns.USER,
    columns.ARN,
    RULE,
    SEVERITY,
    SUBJECT,
    columns.SLOT,
    columns.CREATED,
    SINCE,
    DAYS,
    FACT,
    OUTCOME,
    columns.EXEMPTION,
)
"""The columns of a frame of findings, one row a finding, in this order.

- `file`, `row` int64: where the finding's row stands, as in `Page.users`; `account`, `user`,
  `arn` str: whom it is about.
- `rule`, `severity`, `subject`, `outcome` category: words of `Rule.id`, `Severity`, `Subject`
  and `Outcome`; `exemption` category: why it fails no run, empty if it does.
- `slot` Int8: which access key or certificate, missing for other subjects.
- `created` datetime64[s, UTC]: when the access key, the certificate or else the user was created.
- `since` datetime64[s, UTC] and `days` Int64: the moment counted from and the whole days from it
  to as-of, both missing where the rule counts none or the moment is not known.
- `fact` str: the fact in words with its value and the limit; of what is undecided, the cells that
  leave it open.
"""

MATTER: Final = RuleText(
    id=NOT_COVERED,
    title="Account could not be read",
    severity=Severity.HIGH,
    subject=Subject.ACCOUNT,
    why="Nothing is known of its root, its users and their credentials: whatever is wrong there is"
    " in no list, and that it is in none says nothing.",
    how="Stands for every account that was to be fetched and could not be.",
    fix="Let its report be read, and run this again.",
    remedy=("# Grant what the reason names, or mend the role, then fetch the report again.",),
    references=(
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html",
    ),
)
