"""Who has not answered: by the users on whom nothing in force stands."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from analyzer.columns import OWNER
from analyzer.decisions.collect import answer_notes
from analyzer.decisions.decision import LedgerLine, OpenRow
from analyzer.decisions.ledger import Entries
from analyzer.report.model import FileReference
from tests.support.builders import AS_OF, Row, a_key, a_password, a_user
from tests.support.decisions import DAY, in_accounts, ledger_of, line

FILE = FileReference(name="ann.xlsx", sha256="a" * 64)


WITH_PASSWORD = a_user(password=a_password())


def answered(as_of: datetime, *cases: tuple[Sequence[LedgerLine], Row]) -> list[bool]:
    """Return which users of a report need no decision."""
    analysis = in_accounts(as_of, *((lines, [user]) for lines, user in cases))
    (page,) = analysis.pages()
    return [bool(each) for each in analysis.answered(page)]


def test_a_user_is_answered_while_a_decision_is_in_force() -> None:
    cases = [[], ["keep"], ["delete"], ["investigate"], ["keep", "withdraw"]]
    lines = [[line(word, on=DAY + timedelta(at)) for at, word in enumerate(of)] for of in cases]
    read = answered(AS_OF, *((of_user, a_user()) for of_user in lines))
    assert read == [False, True, True, True, False]


def test_a_decision_answers_in_later_reports_until_it_is_done_or_overtaken() -> None:
    key_since = a_user(password=a_password(), key_1=a_key(AS_OF + timedelta(days=9)))
    deactivated = [line("deactivate", WITH_PASSWORD)]
    assert answered(
        AS_OF + timedelta(days=10),
        (deactivated, WITH_PASSWORD),
        (deactivated, a_user()),
        (deactivated, key_since),
        ([line("investigate")], a_user()),
    ) == [True, False, False, False]


def test_a_user_who_was_decided_on_before_is_not_asked_for_though_the_file_is_empty() -> None:
    decided = line()
    rows = [OpenRow(decided.user_key, AS_OF, owner) for owner in ("Ann", "")]
    files = [Entries(FILE, (), (*rows,))]
    assert [*answer_notes(files, ledger_of(decided))] == []
    assert [*answer_notes(files, ledger_of())] == [
        "Not answered: Ann, 1 user.",
        "Not answered: no owner in ann.xlsx, 1 user.",
    ]


def test_each_owner_is_named_with_what_is_still_open_and_copies_count_once() -> None:
    decided = line(report_cells={**line().report_cells, OWNER: "Ann"})
    owners = ("Ann", "Ann", "Tom", "")
    rows = [
        OpenRow(line(user=a_user(f"u{at}")).user_key, AS_OF, owner)
        for at, owner in enumerate(owners)
    ]
    files = [Entries(FILE, (decided,), (*rows,)), Entries(FILE, (), (*rows,))]
    assert [*answer_notes(files, ledger_of(decided))][:3] == [
        "Still open: Ann, 2 users.",
        "Not answered: Tom, 1 user.",
        "Not answered: no owner in ann.xlsx, 1 user.",
    ]


def test_without_owners_the_numbers_of_the_file_say_what_is_still_open() -> None:
    rows = [OpenRow(line(user=a_user("other")).user_key, AS_OF)]
    assert [*answer_notes([Entries(FILE, (line(),), (*rows,))], ledger_of(line()))] == []
