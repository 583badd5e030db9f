"""Who has not answered: by the users on whom nothing in force stands."""

from datetime import timedelta

import pytest

from analyzer.columns import OWNER
from analyzer.decisions.collect import answer_notes
from analyzer.decisions.ledger import Entries, OpenRow
from analyzer.report.model import FileReference
from tests.support.builders import AS_OF, Row, a_key, a_password, a_user
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


@pytest.mark.parametrize(
    ("user", "answered"),
    [
        (a_user(password=a_password()), True),
        (a_user(), False),
        (a_user(password=a_password(), key_1=a_key(AS_OF + timedelta(days=9))), False),
    ],
    ids=["not done", "done: delete it now", "overtaken"],
)
def test_a_deactivation_answers_until_it_is_done_or_overtaken(user: Row, *, answered: bool) -> None:
    ledger = ledger_of(line("deactivate", a_user(password=a_password())))
    analysis = analysis_of(user, as_of=AS_OF + timedelta(days=10), ledger=ledger)
    (page,) = analysis.pages()
    assert analysis.answered(page).tolist() == [answered]


def test_who_decided_on_a_user_of_theirs_is_not_named_as_silent() -> None:
    decided = line(report_cells={**line().report_cells, OWNER: "Ann"})
    rows = [OpenRow(line(user=a_user("other")).user_key, AS_OF, owner) for owner in ("Ann", "Tom")]
    files = [Entries(FILE, (decided,), (*rows,))]
    assert "Not answered: Tom, 1 user." in [*answer_notes(files, ledger_of(decided))]
    assert "Not answered: Ann, 1 user." not in [*answer_notes(files, ledger_of(decided))]
