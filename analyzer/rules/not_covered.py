"""Describe what is left open of an account that could not be read; no rule can decide it."""

from typing import Final

from analyzer.rules.rule import Matter, Subject
from analyzer.terms import NOT_COVERED, Severity

MATTER: Final = Matter(
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
