"""Who has not answered: by the users on whom nothing in force stands."""

from datetime import timedelta

import pytest

from analyzer.decisions.answers import answer_notes
from analyzer.decisions.ledger import Entries, OpenRow
from analyzer.report.model import FileReference
from tests.support.builders import AS_OF, a_user
from tests.support.decisions import DAY, analysis_of, ledger_of, line

FILE = FileReference(name="ann.xlsx", sha256="a" * 64)


@pytest.mark.parametrize(
    ("decisions", "answered"),
    [
        ([], False),
        (["keep"], True),
        (["delete"], True),
        (["investigate"], True),
        (["keep", "withdraw"], False),
    ],
)
def test_a_user_is_answered_while_a_decision_is_in_force(
    decisions: list[str], *, answered: bool
) -> None:
    days = (DAY + timedelta(days=at) for at in range(len(decisions)))
    ledger = ledger_of(*(line(word, on=on) for word, on in zip(decisions, days, strict=True)))
    analysis = analysis_of(a_user(), ledger=ledger)
    (page,) = analysis.pages()
    assert analysis.answered(page).tolist() == [answered]


def test_a_user_to_investigate_is_asked_for_again_in_the_next_report() -> None:
    ledger = ledger_of(line("investigate"))
    analysis = analysis_of(a_user(), as_of=AS_OF + timedelta(days=1), ledger=ledger)
    (page,) = analysis.pages()
    assert analysis.answered(page).tolist() == [False]


def test_a_user_who_was_decided_on_before_is_not_asked_for_though_the_file_is_empty() -> None:
    decided = line()
    rows = [OpenRow(decided.user_key, AS_OF, owner) for owner in ("Ann", "")]
    files = [Entries(FILE, (), (*rows,))]
    assert [*answer_notes(files, ledger_of(decided))] == []
    assert [*answer_notes(files, ledger_of())] == [
        "Not answered: Ann, 1 user.",
        "Not answered: ann.xlsx, 1 user.",
    ]
