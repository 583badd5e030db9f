"""Say by what the lists of a review were made, and what reports put on them.

One cell of a workbook holds a `Review`. It proves nothing: whoever changes it makes lists that the
reports do not give, or that are shorter, which is said.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, model_validator

from analyzer.limits import Criteria, Definition
from analyzer.report.values import timestamp
from analyzer.terms import SplitBy, Verdict

_USUAL: Final = {
    **asdict(Criteria()),
    "split": "",
    "part": "",
    "accounts": [],
    "users": [],
    "exempt": [],
    "exposures": [],
    "certain": False,
    "min_age": 0,
    "verdicts": [],
}
"""The limits of a review of everything."""


FORM: Final = 2
"""The number of the form of a `Review`: raise it with every change of its fields."""


class ReportOfReview(NamedTuple):
    """Name a report that a review was made from, by SHA-256 and as-of (ISO text)."""

    name: str
    sha256: str
    as_of: str


class ListOfReview(NamedTuple):
    """Name a list that a review was made with; `option` is the one that named it."""

    option: str
    name: str
    sha256: str


class Review(BaseModel):
    """Hold by what the lists of a workbook were made.

    `exempt` are user and reason of the entries of `--exempt`. `split` is `owner` or `account`, and
    `part` the one whose users are listed. `accounts` (ids), `users` (patterns), `exposures`,
    `certain` and `min_age` are the filter, `verdicts` those of the users listed, none for all.
    `evidence` are AWS's lists beside the reports, by name and SHA-256; `set_as_of` says that as-of
    was an option.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    version: str
    form: int
    definition: str
    idle_days: int
    grace_days: int
    exempt: list[tuple[str, str]]
    split: SplitBy | Literal[""]
    part: str
    accounts: list[str]
    users: list[str]
    exposures: list[str]
    certain: bool
    min_age: int
    verdicts: list[Verdict]
    reports: list[ReportOfReview]
    evidence: list[tuple[str, str]]
    set_as_of: bool
    lists: list[ListOfReview]

    @model_validator(mode="after")
    def _check_review(self) -> Self:
        """Refuse criteria that are not valid, and a review of no report."""
        has_times = all(timestamp(report.as_of) for report in self.reports)
        has_reasons = all(user.strip() and reason.strip() for user, reason in self.exempt)
        if not (self.criteria and self.reports and has_times and has_reasons):
            raise ValueError("not by what a review is made")
        return self

    @property
    def criteria(self) -> Criteria:
        """Return the criteria of the verdicts; raises ValueError if they are not valid."""
        return Criteria(
            definition=Definition(self.definition),
            idle_days=self.idle_days,
            grace_days=self.grace_days,
        )

    @property
    def limits(self) -> str:
        """Return part, filters and criteria that are not the usual ones, empty for none."""
        named = {name: getattr(self, name) for name in _USUAL}
        return ", ".join(f"{name} {is_}" for name, is_ in named.items() if is_ != _USUAL[name])


@dataclass(frozen=True, slots=True)
class ReportedUser:
    """Hold what the reports show of a user, and what a list shows of it, by heading.

    `row` are texts by `columns.OF_LEDGER`, `same_second` the names of its creation second.
    """

    shown: Mapping[str, str]
    row: Mapping[str, str]
    same_second: frozenset[str]


class ReportedList(NamedTuple):
    """Hold a list as the reports give it: its users by ARN."""

    title: str
    users: Mapping[str, ReportedUser]
