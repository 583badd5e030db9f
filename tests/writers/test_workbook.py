"""The Summary begins with what went wrong, then says the result; every file that was read is named.

`tests/golden/workbook.txt` has the whole workbook of a second review with every exception.
"""

import re
from dataclasses import replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from openpyxl import Workbook

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.cli.analyze import file_messages
from analyzer.decisions.decision import LedgerLine
from analyzer.limits import Criteria, Definition
from analyzer.report.model import NotCovered
from analyzer.terms import Verdict
from analyzer.verdicts.verdict import criteria_meanings
from analyzer.writers.workbook import table_sheets
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    Row,
    a_key,
    a_password,
    a_user,
    days_before,
    report_text,
    the_root,
)
from tests.support.decisions import console_name, line, over_time
from tests.support.named_reports import load_named
from tests.support.outputs import CONSOLE, analysis_of
from tests.support.workbook_texts import reviewed
from tests.support.workbooks import (
    book_of,
    file_of,
    head_row,
    opened,
    organization,
    records,
    remarks_of,
    row_of,
    texts,
    values,
)


def exceptions_of(analysis: Analysis) -> dict[str, int]:
    """Return the exceptions on the Summary, with their numbers."""
    rows = values(opened(file_of(analysis), results=True)["Summary"])
    firsts = [row[0] for row in rows]
    listed = rows[firsts.index("Exceptions") + 1 : firsts.index("Result") - 1]
    return {row[0]: row[1] for row in listed if row[1] is not None}


# Exceptions

SEEN, ON = days_before(45), date(2026, 3, 18)
ANN, BOB = a_user("ann", created=days_before(500)), a_user("bob", created=days_before(600))
USED = a_user("ann", created=days_before(500), password=a_password(days_before(1)))


def second_quarter(
    *lines: LedgerLine, now: tuple[Row, ...] = (ANN, BOB), owners: bytes = b""
) -> Analysis:
    """Judge the second of two reports, of an account in which there were Ann and Bob."""
    analysis = over_time((lines, {console_name(SEEN): (ANN, BOB), console_name(AS_OF): now}))
    if not owners:
        return analysis
    listed = analyzer.read_owners(("owners.csv", owners))
    return analyzer.analyze(analysis.report, ledger=analysis.ledger, owners=listed)


def decided(word: str, user: Row = ANN, *, by: str = "Amy", on: date = ON) -> LedgerLine:
    return line(word, user, by=by, on=on, as_of=SEEN)


RENAMED = a_user("anne", created=days_before(500))
KEPT_LONG_BEFORE = line("keep", BOB, by="Amy", on=date(2025, 9, 17), as_of=days_before(230))
KEPT_LONG_AGO = line("keep", BOB, by="Amy", on=date(2025, 11, 22), as_of=days_before(165))
LEFT = b"account,user,owner,email,left\n*,zoe,Amy,,%s\n"
CASES = {
    "overdue": (second_quarter(decided("delete")), {"not carried out": 1}),
    "changed": (second_quarter(decided("delete"), now=(USED, BOB)), {"changed": 1}),
    "done": (second_quarter(decided("delete"), now=(BOB,)), {}),
    "done though people differed": (
        second_quarter(decided("delete"), decided("keep", by="Ben"), now=(BOB,)),
        {"done, not as decided": 1},
    ),
    "contested": (
        second_quarter(decided("delete"), decided("keep", by="Ben")),
        {"contested": 1},
    ),
    "gone without a word": (
        second_quarter(decided("investigate"), now=(ANN,)),
        {"removed without a decision": 1},
    ),
    "gone though to keep": (
        second_quarter(decided("keep"), decided("investigate", by="Ben"), now=(BOB,)),
        {"removed against a keep": 1},
    ),
    "gone though to investigate": (
        second_quarter(decided("investigate"), now=(BOB,)),
        {"removed against an investigation": 1},
    ),
    "gone after the keep had ended": (
        second_quarter(KEPT_LONG_BEFORE, now=(ANN,)),
        {"removed without a decision": 1},
    ),
    "gone, and a new name has its creation second": (
        second_quarter(decided("investigate", BOB), now=(RENAMED, BOB)),
        {"possibly renamed": 1},
    ),
    "gone though to keep, and a new name has its creation second": (
        second_quarter(decided("keep"), now=(RENAMED, BOB)),
        {"removed against a keep": 1},
    ),
    "of its name, but not of a known creation time": (
        second_quarter(decided("keep", BOB), now=(ANN | {"user_creation_time": "?"}, BOB)),
        {},
    ),
    "decided on the last day": (
        second_quarter(decided("investigate"), owners=LEFT % b"2026-03-18"),
        {},
    ),
    "decided after the last day": (
        second_quarter(decided("investigate"), owners=LEFT % b"2026-03-17"),
        {"decided after leaving": 1},
    ),
    "on oneself": (second_quarter(decided("investigate", by="Ann")), {"decided on oneself": 1}),
    "on oneself, by address": (
        second_quarter(decided("investigate", by="A.NN@example.com")),
        {"decided on oneself": 1},
    ),
    "a keep that ends soon": (second_quarter(KEPT_LONG_AGO), {"keep ends soon": 1}),
    "a keep that ends later": (second_quarter(decided("keep")), {}),
}


FOLLOWED = {
    "gone though to keep": [
        ("removed against a keep", "keep", "Amy", "break-glass", "counts"),
        (None, "investigate", "Ben", None, "ended"),
    ],
    "gone, and a new name has its creation second": [
        ("possibly renamed", None, None, None, None),
        (None, "investigate", "Amy", None, "ended"),
    ],
    "gone after the keep had ended": [
        ("removed without a decision", None, None, None, None),
        (None, "keep", "Amy", "break-glass", "ended"),
    ],
}
FACTS = {
    "gone though to keep": "until 2026-09-14; last seen in the report of 2026-03-17",
    "gone, and a new name has its creation second": "possibly renamed to anne; last seen in the"
    " report of 2026-03-17",
    "gone after the keep had ended": "keep, Amy, 2025-09-17: break-glass; last seen in the report"
    " of 2026-03-17",
}
"""The fact of the first row."""


@pytest.mark.parametrize("case", FOLLOWED)
def test_a_user_who_is_gone_stands_first_with_the_person_and_the_comment_or_its_new_name(
    case: str,
) -> None:
    rows = records(book_of(CASES[case][0])["Follow-up"])
    heads = ("Exception", "Decided", "Decided by", "Comment", "What became of it")
    assert [tuple(row.get(name) for name in heads) for row in rows] == FOLLOWED[case]
    assert rows[0]["Fact"] == FACTS[case]


def test_the_first_page_says_on_which_days_overdue_removals_were_decided() -> None:
    """A removal on which two people agree counts once, with the day of the newest word."""
    names = [f"u{at}" for at in range(8)]
    users = [a_user(name, created=days_before(400 + at)) for at, name in enumerate(names)]
    keyed = a_user("k", created=days_before(600), key_1=a_key())
    off = keyed | {"access_key_1_active": "false"}
    first: dict[str, Any] = {"as_of": days_before(92), "on": date(2026, 1, 30)}
    lines = [line("delete", user, **first) for user in users]
    lines.append(line("delete", users[0], by="Ben", as_of=first["as_of"], on=date(2026, 2, 3)))
    lines.append(line("deactivate", keyed, **first))
    shown = {92: [*users, keyed], 80: [*users, off], 0: [*users, keyed]}
    reports = {console_name(days_before(at)): rows for at, rows in shown.items()}
    summary = opened(file_of(over_time((lines, reports))), results=True)["Summary"]
    rows = {row[0]: row for row in values(summary)}
    late, undone = rows["not carried out"], rows["undone"]
    assert (late[1], undone[1]) == (8, 1)
    days = "2026-01-30: u1, u2, u3, u4, u5 and 2 more; 2026-02-03: u0."
    assert str(late[2]).endswith(f", or lapsed. Decided on {days}")
    assert str(undone[2]).endswith("access again. Decided on 2026-01-30: k.")
    assert [str(row[2]) for row in values(summary)[4:6]] == [late[2], undone[2]]
    assert rows["lapsed"][1] == 9


@pytest.mark.parametrize("case", CASES)
def test_the_summary_begins_with_the_exceptions_that_exist(case: str) -> None:
    analysis, expected = CASES[case]
    assert exceptions_of(analysis) == expected


def test_a_review_without_exceptions_says_so() -> None:
    summary = book_of(analysis_of([a_user()]))["Summary"]
    assert [row[0] for row in values(summary)[3:5]] == ["Exceptions", "None."]
    assert "Earlier decisions" not in texts(summary)


def test_accounts_that_were_not_read_and_an_assumed_time_are_exceptions() -> None:
    report = load_named(("a.csv", report_text([a_user()]).encode()))
    missing = NotCovered(account="1" * 12, name="", reason="access denied")
    analysis = analyzer.analyze(replace(report, not_covered=(missing,)))
    assert exceptions_of(analysis) == {"accounts not read": 1, "as-of assumed": 1}


def test_critical_root_users_are_exceptions_unless_exempt_or_no_such_rule_runs() -> None:
    root = the_root() | {f"access_key_1_{name}": cell for name, cell in a_key().items()}
    report = load_named((console_name(AS_OF), report_text([], root=root).encode()))
    assert exceptions_of(analyzer.analyze(report)) == {"critical root users": 1}
    exempt = analyzer.read_exemptions(
        ("e.csv", b"account,user,reason,owner,expires\n*,<root_account>,known,,\n")
    )
    assert exceptions_of(analyzer.analyze(report, exemptions=exempt)) == {}
    chosen = analyzer.rulebook(rules=["root-used"])
    assert exceptions_of(analyzer.analyze(report, book=chosen)) == {}


def test_each_exception_leads_to_its_first_row() -> None:
    book = opened(reviewed())
    summary, linked = book["Summary"], {}
    for (cell,) in summary.iter_rows(min_row=5, max_row=15, max_col=1):
        match = re.fullmatch(r'=HYPERLINK\("#(.*)","(.*)"\)', str(cell.value))
        assert match
        linked[match[2]] = match[1]
    assert len(linked) == 11
    assert book.defined_names[linked.pop("as-of assumed")].attr_text.startswith("'Summary'!$A$")
    for exception, place in linked.items():
        title, row = re.fullmatch(r"'(.*)'!A(\d+)", place).groups()  # type: ignore[union-attr]
        sheet = book[title]
        if title == "Follow-up":
            shown = records(sheet)[int(row) - head_row(sheet) - 1]["Exception"]
            assert exception in str(shown).split("; ")
        else:
            assert sheet.cell(int(row), 1).value


def test_a_removed_user_of_whom_the_account_is_not_whole_is_no_exception() -> None:
    analysis = second_quarter(decided("investigate"), now=(ANN,))
    nobody = analysis.report.root_users.take(np.array([], np.int64))
    rootless = replace(analysis.report, root_users=nobody)
    assert exceptions_of(analyzer.analyze(rootless, ledger=analysis.ledger)) == {}


# Decisions


def test_a_keep_holds_a_user_back_until_thirty_days_before_its_end() -> None:
    held = book_of(second_quarter(decided("keep")))
    assert [row["User"] for row in records(held["Unused users"])] == ["bob"]
    again = book_of(second_quarter(KEPT_LONG_AGO))["Unused users"]
    assert {row["User"] for row in records(again)} == {"ann", "bob"}
    assert "1 user of these: exempt by a keep that ends soon" in remarks_of(again)


def test_a_user_on_whom_people_disagree_is_listed_though_a_keep_counts() -> None:
    book = book_of(second_quarter(decided("delete"), decided("keep", by="Ben")))
    assert {row["User"] for row in records(book["Unused users"])} == {"ann", "bob"}


def test_the_follow_up_lists_every_word_with_what_became_of_it() -> None:
    words = (
        decided("delete"),
        decided("keep", BOB),
        decided("investigate", BOB, on=date(2026, 4, 9)),
        decided("investigate", a_user("cid", created=days_before(700))),
    )
    rows = records(book_of(second_quarter(*words))["Follow-up"])
    became = {(row["User"], row["Decided"]): row["What became of it"] for row in rows}
    assert became == {
        ("ann", "delete"): "open",
        ("bob", "keep"): "replaced",
        ("bob", "investigate"): "counts",
        ("cid", "investigate"): "ended",
    }


# Lists

MFA_ALONE = "An MFA device is registered, but no sign-in is on record."


@pytest.mark.parametrize(("with_mfa", "is_once"), [(2, True), (1, False)])
def test_a_sentence_of_most_rows_stands_once_and_their_rows_name_it(
    with_mfa: int, *, is_once: bool
) -> None:
    users = [
        a_user(f"user{at}", created=days_before(500 + at), mfa=at < with_mfa) for at in range(3)
    ]
    sheet = book_of(analysis_of(users))["Unused users"]
    shown = {row["User"]: row["Check first"] for row in records(sheet)}
    assert shown["user2"] is None
    assert shown["user0"] == ("mfa-registered" if is_once else MFA_ALONE)
    assert (f"Check first mfa-registered: {MFA_ALONE}" in remarks_of(sheet)) is is_once


# What was reviewed


@pytest.mark.parametrize("number", [1, 3, 4])
def test_the_block_to_sign_names_the_reports_or_a_digest_of_many(number: int) -> None:
    accounts = [f"{at:012}" for at in range(number)]
    files = [
        (f"2026-03-01/{account}.csv", report_text([a_user()]).replace(ACCOUNT, account).encode())
        for account in accounts
    ]
    report = load_named(*files)
    summary = book_of(analyzer.analyze(report))["Summary"]
    digests = [file.sha256 for file in report.files]
    of_all = sha256("".join(f"{one}\n" for one in sorted(digests)).encode()).hexdigest()
    many = f"{of_all} of the sorted SHA-256 of {number} reports, one a line"
    expected = "\n".join(digests) if number < 4 else many
    assert row_of(summary, "SHA-256 of the reports")[1] == expected
    assert row_of(summary, "Due")[1] == "2026-03-31"
    assert [row[0] for row in values(summary) if row[5] == "Date"] == [
        "Prepared by",
        "Reviewed by",
        "Approved by",
    ]


@pytest.mark.no_cover
def test_no_page_has_a_line_to_sign_of_its_own() -> None:
    for sheet in opened(reviewed()).worksheets:
        assert "eview" not in str(sheet.oddFooter)


@pytest.mark.no_cover
def test_the_saved_list_of_service_credentials_is_named(book: Workbook) -> None:
    path = CONSOLE.with_name(f"{CONSOLE.name}.service-credentials.json")
    assert sha256(path.read_bytes()).hexdigest() in row_of(book["Summary"], str(path))


@pytest.mark.no_cover
def test_each_file_has_its_as_of_and_the_workbook_is_of_the_newest() -> None:
    report, book = organization().report, book_of(organization())
    for file in report.files:
        row = row_of(book["Summary"], file.name)
        assert row[1] == file.as_of.replace(tzinfo=None)
        assert row[2] == "assumed: the newest timestamp in the report"
        assert file.sha256 in row
    newest = max(file.as_of for file in report.files)
    assert book.properties.created == newest.replace(tzinfo=None)


def test_the_stricter_definition_is_in_words() -> None:
    (_, shown), *_ = criteria_meanings(Criteria(definition=Definition.IAM_029))
    assert shown == (
        "iam-029: No sign-in on record, and no access key attached, active or not."
        " Here an inactive access key is one."
    )


def test_users_that_are_listed_part_by_part_are_those_that_are_listed_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_once = reviewed()
    monkeypatch.setattr(table_sheets, "CHUNK_ROWS", 3)
    assert reviewed() == at_once


def test_a_workbook_of_very_many_users_has_no_sheet_of_all_users_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    users, written = [a_user(f"user{at}") for at in range(3)], tmp_path / "review.xlsx"
    written.touch()
    said = "The sheet All users is left out, as there are more than 2 users"
    for most, is_there in ((3, True), (2, False)):
        monkeypatch.setattr("analyzer.writers.workbook.lookup_lists.MOST_LISTED", most)
        book = book_of(analysis_of(users))
        assert ("All users" in book.sheetnames) is is_there
        assert (said in texts(book["Summary"])) is not is_there
        lines = [*file_messages(analysis_of(users), written, [Verdict.UNUSED])]
        assert [said in line for line in lines] == [False, *[True] * (not is_there)]
        assert said not in texts(book["Method"])
