"""A ledger keeps every decision with what was seen, and says which is in force."""

from datetime import UTC, date, datetime, timedelta

import pytest

from analyzer import columns
from analyzer.decisions.decision import decisions_by_user
from analyzer.decisions.ledger import Ledger, ledger_bytes, read_entries, read_ledger
from analyzer.decisions.review_list_layout import ENTRY_HEADS
from analyzer.errors import InputRefused
from analyzer.report.model import ReportTime
from analyzer.terms import AsOfSource
from tests.support.builders import ACCOUNT, AS_OF, a_key, a_password, a_user
from tests.support.decisions import DAY, bulk, line, user_rows

NEXT = DAY + timedelta(days=1)
SECOND = timedelta(seconds=1)
MIDNIGHT = AS_OF.replace(hour=0)
BEFORE = MIDNIGHT - SECOND


def refusals(content: bytes) -> list[tuple[object, ...]]:
    with pytest.raises(InputRefused) as refused:
        read_entries("decisions.csv", content)
    return [(each.row, each.column, each.value, each.message) for each in refused.value.problems]


@pytest.mark.no_cover
def test_a_ledger_comes_back_as_it_was_written() -> None:
    lines = [
        line("delete", a_user("=ann", key_1=a_key()), ticket="'7", comment='=1+1, "quoted"\nline'),
        line("keep", a_user("-bob"), same_second=None),
        line("investigate", a_user("'o"), same_second=frozenset({"@x", "b"}), sheet=""),
        line("withdraw"),
        line("deactivate", by="Zoë  Öz", service_credentials="a.amazonaws.com, s"),
        line("conflict", by="credreport"),
        line("delete", a_user(account="123XXXXXXXX")),
    ]
    assert list(read_ledger("decisions.csv", ledger_bytes(lines)).lines) == lines


def test_a_line_is_a_row_of_users_csv_with_the_decision_and_its_place_in_front() -> None:
    entered, place = "decision,decided_by,decided_on,ticket,comment", "workbook,sha256,sheet,row"
    shown = "baseline,same_second,service_credentials"
    heads = (entered, place, shown, *columns.OF_USERS_CSV)
    assert ledger_bytes([line()]).decode().splitlines()[0] == ",".join(heads)


def test_no_cell_of_a_ledger_is_a_formula_to_a_spreadsheet() -> None:
    written = ledger_bytes([line("keep", a_user("=cmd"), by="+1", comment="@x", ticket="-2")])
    cells = written.decode().splitlines()[1].split(",")
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []


def test_users_csv_with_the_five_columns_in_front_is_a_ledger() -> None:
    rows = user_rows(a_user("ann"), a_user("bob"))
    read = read_entries("bulk.csv", bulk(rows, ("delete", "Anna", f"{DAY}", "", "")))
    (only,) = read.lines
    assert (only.user, only.decision, only.place) == ("ann", "delete", "bulk.csv, row 2")
    assert (only.baseline, only.same_second, only.sha256) == (AS_OF, None, read.file.sha256)
    assert [each.user_key.arn.rpartition("/")[2] for each in read.open_rows] == ["bob"]


@pytest.mark.parametrize(("separator", "end"), [(",", "\r\n"), (";", "\n"), ("\t", "\r\n")])
def test_a_ledger_that_a_spreadsheet_saved_still_reads(separator: str, end: str) -> None:
    user = a_user("ann", account="012345678901", password=a_password())
    text = ledger_bytes([line("delete", user, ticket="SEC 1")]).decode()
    text = text.replace(",012345678901,ann", ",1.23457E+10,ann").replace("false", "FALSE")
    text = text.replace("true", "TRUE").replace(",", separator).replace("\n", end)
    (only,) = read_ledger("decisions.csv", ("\ufeff" + text).encode()).lines
    assert (only.account, only.user, only.ticket) == ("012345678901", "ann", "SEC 1")


LATER = "later than the report, which is of 2026-05-01T12:00:00Z"
CREATION = "not the creation time of a user with age_days"
EMPTY, NO_DATE, NOT_A_WORD = "the cell is empty", "not a date", "not a word of this column"
ROOT, NO_USER = "the root user is not an IAM user", "not the ARN of an IAM user"
OTHER_USER, NO_WORD = "the ARN names another user", "an entry without a decision"
INVALID: list[tuple[str, str, str]] = [
    *(("decision", word, "not a decision") for word in ("remove", "conflict")),
    ("decision", "", NO_WORD),
    *((name, "", EMPTY) for name in ("decided_by", "decided_on")),
    *(("decided_on", day, NO_DATE) for day in ("2026-02-30", "1/5/2026", "20260501")),
    ("as_of", "yesterday", "not a time"),
    ("baseline", "2026-05-01", "not a time"),
    ("baseline", "2026-05-01T12:00:01Z", LATER),
    *((name, "other", NOT_A_WORD) for name in ("as_of_source", "verdict")),
    ("row", "two", "not a row"),
    ("same_second", "a;quiet", "it names the user of this row"),
    ("user", "bob", OTHER_USER),
    ("account", "111122223333", "the ARN names another account"),
    ("user", "<root_account>", ROOT),
    ("arn", "", NO_USER),
    *(("arn", f"arn:aws:iam::{ACCOUNT}:{each}", NO_USER) for each in ("user/", "group/quiet")),
    ("user_creation_time", "2023-13-05T12:00:00Z", f"{CREATION} '1000'"),
    ("user_creation_time", "2023-08-04T11:59:59Z", f"{CREATION} '1000'"),
    ("user_creation_time", "", f"{CREATION} '1000'"),
]
"""The column of a cell, its value, and what is wrong with it."""

CONFLICT = {"decision": "conflict", "decided_by": "credreport"}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_sheet_saved_as_csv_is_refused_as_such(separator: str) -> None:
    head = separator.join(("\ufeffAccount", "User", *ENTRY_HEADS, "Why"))
    message = "a sheet of a workbook, saved as CSV"
    for end in ("\r\n", "\r", ""):
        assert refusals(f"{head}{end}".encode()) == [(None, None, None, message)]


MARKS = ("<<<<<<< HEAD", "||||||| 1a2b3c4", "=======", ">>>>>>> reviews")


@pytest.mark.parametrize("mark", MARKS)
def test_a_merge_conflict_of_git_is_named_as_such(mark: str) -> None:
    head, row = ledger_bytes([line()]).decode().splitlines()
    problem = "a merge conflict of git that is not resolved"
    assert refusals(f"{head}\n{row}\n{mark}\n".encode()) == [(3, "decision", mark, problem)]


def test_two_ledgers_one_behind_the_other_are_refused_for_the_second_head_alone() -> None:
    head, row = ledger_bytes([line()]).decode().splitlines()
    text = f"{head}\n{row}\n{head}\n{row}\n"
    problem = "the heads of the columns once more"
    assert refusals(text.encode()) == [(3, "decision", "decision", problem)]


@pytest.mark.parametrize(
    ("changed", "column", "problem"),
    [
        *(({column: value}, column, problem) for column, value, problem in INVALID),
        ({"decision": "keep", "comment": ""}, "comment", EMPTY),
        (dict.fromkeys(("decision", "decided_by", "decided_on"), ""), "decision", NO_WORD),
        (CONFLICT | {"decided_on": ""}, "decided_on", EMPTY),
        (CONFLICT | {"decided_on": "01.05.2026"}, "decided_on", NO_DATE),
        ({"baseline": "2026-05-01T12:00:01Z", "as_of_source": "folder"}, "baseline", LATER),
        ({"arn": "arn:aws:iam::123XXXXXXXX:user/other"}, "user", OTHER_USER),
        ({"arn": f"arn:aws:iam::{ACCOUNT}:root"}, "user", ROOT),
        ({"age_days": "999"}, "user_creation_time", f"{CREATION} '999'"),
    ],
)
def test_a_row_that_is_not_valid_is_refused_with_its_place_and_value(
    changed: dict[str, str], column: str, problem: str
) -> None:
    head, row = ledger_bytes([line()]).decode().splitlines()
    cells = dict(zip(head.split(","), row.split(","), strict=True)) | changed
    read = refusals(f"{head}\n{','.join(cells.values())}\n".encode())
    assert (2, column, cells[column] or None, problem) in read


def test_only_a_report_whose_time_is_an_option_may_show_what_is_later() -> None:
    cells = {**line().user_row, "as_of_source": "option"}
    later = line(user_row=cells, baseline=AS_OF + SECOND)
    assert read_ledger("decisions.csv", ledger_bytes([later])).lines == (later,)


def test_rows_of_a_user_that_differ_are_no_problem_while_nothing_is_entered() -> None:
    (row,) = user_rows(a_user())
    rows = [row, row | {"mfa_active": "true"}, user_rows(a_user("ann"))[0]]
    read = read_entries("bulk.csv", bulk(rows, (), (), ("delete", "Anna", f"{DAY}")))
    assert [each.user for each in read.lines] == ["ann"]


@pytest.mark.parametrize("name", ["decision", "comment", "arn", "password_enabled", "as_of"])
def test_a_column_that_is_gone_is_refused(name: str) -> None:
    content = bulk(user_rows(a_user()), ("keep", "Anna", f"{DAY}", "", "why"), drop=[name])
    with pytest.raises(InputRefused, match=f"row 1: column {name} is missing\n +Use a ledger, or"):
        read_entries("decisions.csv", content)


def test_a_ledger_that_is_written_again_has_no_cell_that_would_be_lost() -> None:
    head, row = ledger_bytes([line()]).decode().splitlines()
    assert len(read_ledger("d.csv", f"{head},\n{row},\n".encode(), refuses_others=True).lines) == 1
    for name, problem in (("by", "not a column of this list"), ("", "the column of this cell has")):
        content = f"{head},{name}\n{row},Carl\n".encode()
        assert len(read_ledger("d.csv", content).lines) == 1
        with pytest.raises(InputRefused, match=f"(?s){problem}.*: it would be lost"):
            read_ledger("d.csv", content, refuses_others=True)


def test_a_row_with_an_apostrophe_alone_is_open() -> None:
    read = read_entries("bulk.csv", bulk(user_rows(a_user()), ("'", "", "", "'")))
    assert (read.lines, [each.user_key for each in read.open_rows]) == ((), [line().user_key])


def test_since_counts_from_what_aws_said_and_never_from_a_day_or_an_option() -> None:
    used = datetime(2026, 2, 2, tzinfo=UTC)
    (row,) = user_rows(
        a_user(password=a_password(used), password_next_rotation="2027-01-01T00:00:00Z")
    )
    for sources, expected in (
        (("envelope", "metadata", "file-name", "assumed"), AS_OF),
        (("folder", "option"), used),
    ):
        for source in sources:
            content = bulk([{**row, "as_of_source": source}], ("delete", "Anna", f"{DAY}"))
            assert read_ledger("bulk.csv", content).lines[0].baseline == expected, source


def test_without_any_timestamp_everything_is_since() -> None:
    (row,) = user_rows(a_user())
    cells = {**row, "as_of_source": "option", "user_creation_time": "", "age_days": ""}
    content = bulk([cells], ("delete", "Anna", f"{DAY}"))
    assert read_ledger("bulk.csv", content).lines[0].baseline.year == 1970


IN_FORCE: list[tuple[str, str | None]] = [
    ("delete Anna", "delete"),
    ("delete Anna next, keep Tom", "delete"),
    ("delete Anna, keep Tom next", "keep"),
    ("delete Anna, delete Tom", "delete"),
    ("delete Anna, keep Anna", "keep"),
    ("delete Anna, keep ANNA", "keep"),
    ("delete Anna, keep Tom", None),
    ("delete Anna, withdraw Tom", None),
    ("keep Tom, delete Anna next, withdraw Anna next", None),
    ("withdraw Anna, delete Anna", "delete"),
    ("delete Anna, withdraw Anna, keep Tom", "keep"),
    ("withdraw Anna, delete Tom, withdraw Anna", None),
    ("delete Anna, withdraw Anna next, keep Tom next", None),
    ("withdraw Anna next, delete Anna", None),
    ("delete Anna, keep Tom, withdraw Anna", "keep"),
    ("delete Anna, keep Tom, withdraw Tom next", "delete"),
    ("delete Anna, keep Tom, withdraw Eve next", None),
    ("delete Anna, keep Tom, investigate Eve, withdraw Tom", None),
    ("delete Anna, keep Tom, keep Anna", "keep"),
    ("delete Anna, keep Tom, investigate Eve next", "investigate"),
    ("delete Anna, keep Tom, conflict credreport", None),
    ("delete Anna, keep Tom, conflict credreport, withdraw Anna", "keep"),
    # One or both of the two lines were lost.
    ("delete Anna, conflict credreport", None),
    ("conflict credreport, delete Anna", None),
    ("delete Anna, conflict credreport, delete Tom", None),
    ("delete Anna, conflict credreport next", None),
    ("delete Anna, conflict credreport, withdraw Tom, delete Tom", "delete"),
    ("delete Anna, conflict credreport, delete Tom next", "delete"),
    # A line that stands there twice, as after a merge in git.
    ("delete Anna, keep Anna, delete Anna", "keep"),
    ("delete Anna, withdraw Tom, delete Anna", None),
    # What was collected after a withdrawal, with an earlier date.
    ("deactivate Anna, withdraw Anna next, delete Tom", None),
    ("delete Tom, withdraw Anna next, keep Anna", None),
    ("delete Anna, keep Tom, withdraw Tom next, investigate Eve", None),
    ("delete Anna, keep Tom, withdraw Tom next, delete Eve", "delete"),
]
"""Decisions by word, person and day, of which `next` is the day after, and what is in force."""


def test_the_newest_decision_is_in_force_and_nothing_earlier_revives() -> None:
    for decisions, expected in IN_FORCE:
        entered = [each.split() for each in decisions.split(", ")]
        lines = [line(word, by=by, on=NEXT if day else DAY) for word, by, *day in entered]
        (user_decisions,) = decisions_by_user(lines).values()
        undisputed = user_decisions.undisputed
        assert (undisputed and str(undisputed.decision)) == expected, decisions


def test_a_third_person_takes_back_both_decisions_of_a_conflict() -> None:
    conflict = [line(), line("keep", by="Tom")]
    (before,) = decisions_by_user(conflict).values()
    assert (before.is_conflict, len(before.conflicts)) == (True, 1)
    for day in (DAY, NEXT):
        (after,) = decisions_by_user([*conflict, line("withdraw", by="Eve", on=day)]).values()
        assert (after.is_conflict, after.conflicts, after.undisputed) == (False, (), None), day


def test_of_agreeing_decisions_of_one_day_the_last_line_is_in_force() -> None:
    anna, tom = line(by="Anna", ticket="1"), line(by="Tom", ticket="2")
    (user_decisions,) = decisions_by_user([anna, tom]).values()
    assert user_decisions.undisputed is tom


def test_a_keep_is_in_force_until_its_last_day() -> None:
    ledger = Ledger(lines=(line("keep"),), keep_days=10)
    (user_decisions,) = ledger.by_user.values()
    days = [DAY + timedelta(days=each) for each in (9, 10, 11)]
    assert [bool(ledger.in_force_on(day, user_decisions)) for day in days] == [True, True, False]


def test_a_keep_for_ever_ends_with_the_calendar() -> None:
    assert Ledger(keep_days=10**9).last_day(line("keep")) == date.max


def test_notes_name_decisions_that_nothing_acts_on() -> None:
    lines = (line("delete", a_user("ann", created="N/A")), line("delete"), line("keep", by="Tom"))
    unknown, conflict = Ledger(lines=lines).notes()
    assert unknown.startswith(
        "Not acted on, as the user's creation time or account is not known: ann ("
    )
    assert conflict.endswith(f"arn:aws:iam::{ACCOUNT}:user/quiet.")
    assert Ledger(lines=(line(),)).notes() == []


def test_a_line_without_a_moment_cannot_be() -> None:
    cells = {**line().user_row, "as_of": "soon"}
    with pytest.raises(ValueError, match="soon"):
        line(user_row=cells)


def test_a_day_without_a_time_counts_as_its_start_and_an_option_proves_nothing() -> None:
    for source, baseline, expected in (
        (AsOfSource.FILE_NAME, BEFORE, AS_OF),
        (AsOfSource.ASSUMED, AS_OF, AS_OF),
        (AsOfSource.FOLDER, BEFORE, MIDNIGHT),
        (AsOfSource.FOLDER, MIDNIGHT + SECOND, MIDNIGHT + SECOND),
        (AsOfSource.OPTION, BEFORE, BEFORE),
    ):
        assert ReportTime(AS_OF, source, baseline).earliest == expected, (source, baseline)
