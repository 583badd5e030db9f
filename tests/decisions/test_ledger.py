"""A ledger keeps every decision with what was seen, and says which is in force."""

from datetime import UTC, date, datetime, timedelta

import pytest

from analyzer import columns
from analyzer.decisions.decision import ReportTime, decisions_by_user
from analyzer.decisions.ledger import COLUMNS, Ledger, ledger_bytes, read_entries, read_ledger
from analyzer.errors import InputRefused
from analyzer.terms import AsOfSource
from tests.support.builders import ACCOUNT, AS_OF, a_key, a_password, a_user
from tests.support.decisions import DAY, bulk, line, user_rows

NEXT = DAY + timedelta(days=1)
SECOND = timedelta(seconds=1)
MIDNIGHT = AS_OF.replace(hour=0)
BEFORE = MIDNIGHT - SECOND


def refusals(content: bytes) -> list[tuple[int | None, str | None, str]]:
    with pytest.raises(InputRefused) as refused:
        read_entries("decisions.csv", content)
    return [(each.row, each.column, each.message) for each in refused.value.problems]


def word_in_force(*decisions: tuple[str, str, date]) -> str | None:
    """Return which word is in force after decisions of (word, person, day), in this order."""
    lines = [line(word, by=by, on=on) for word, by, on in decisions]
    (of_user,) = decisions_by_user(lines).values()
    return str(of_user.in_force.decision) if of_user.in_force else None


@pytest.mark.no_cover
def test_a_ledger_comes_back_as_it_was_written() -> None:
    lines = [
        line("delete", a_user("=ann", key_1=a_key()), ticket="'7", comment='=1+1, "quoted"\nline'),
        line("keep", a_user("-bob"), same_second=None),
        line("investigate", a_user("'o"), same_second=frozenset({"@x", "b"}), sheet=""),
        line("withdraw"),
        line("deactivate", by="Zoë  Öz"),
        line("conflict", by="credreport"),
        line("delete", a_user(account="123XXXXXXXX")),
    ]
    assert list(read_ledger("decisions.csv", ledger_bytes(lines)).lines) == lines


def test_a_line_is_a_row_of_users_csv_with_the_decision_and_its_place_in_front() -> None:
    first = ledger_bytes([line()]).decode().splitlines()[0].split(",")
    assert first == list(COLUMNS)
    assert COLUMNS[:5] == ("decision", "decided_by", "decided_on", "ticket", "comment")
    assert COLUMNS[5:11] == ("workbook", "sha256", "sheet", "row", "baseline", "same_second")
    assert COLUMNS[11:] == columns.OF_USERS_CSV


def test_no_cell_of_a_ledger_is_a_formula_to_a_spreadsheet() -> None:
    written = ledger_bytes([line("keep", a_user("=cmd"), by="+1", comment="@x", ticket="-2")])
    cells = written.decode().splitlines()[1].split(",")
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []


def test_users_csv_with_the_five_columns_in_front_is_a_ledger() -> None:
    rows = user_rows(a_user("ann"), a_user("bob"))
    read = read_entries("bulk.csv", bulk(rows, ("delete", "Anna", f"{DAY}", "", "")))
    (only,) = read.lines
    assert (only.user, only.decision, only.workbook, only.row) == ("ann", "delete", "bulk.csv", 2)
    assert (only.baseline, only.same_second) == (AS_OF, None)
    assert [each.user_key.arn.rpartition("/")[2] for each in read.open_rows] == ["bob"]


@pytest.mark.parametrize(
    ("separator", "end"), [(",", "\r\n"), (";", "\n"), ("\t", "\r\n")], ids=["comma", "semi", "tab"]
)
def test_a_ledger_that_a_spreadsheet_saved_still_reads(separator: str, end: str) -> None:
    user = a_user("ann", account="012345678901", password=a_password())
    written = ledger_bytes([line("delete", user, ticket="SEC 1")]).decode()
    changed = (
        written.replace(",012345678901,ann", ",1.23457E+10,ann")
        .replace("false", "FALSE")
        .replace("true", "TRUE")
        .replace(",", separator)
        .replace("\n", end)
    )
    (only,) = read_ledger("decisions.csv", ("\ufeff" + changed).encode()).lines
    assert (only.account, only.user, only.ticket) == ("012345678901", "ann", "SEC 1")


LATER = "later than the report, which is of 2026-05-01T12:00:00Z"
CREATION = "user_creation_time", "not the creation time of a user with age_days '1000'"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"decision": "remove"}, ("decision", "not a decision")),
        ({"decision": ""}, ("decision", "an entry without a decision")),
        ({"decision": "conflict"}, ("decision", "not a decision")),
        ({"decided_by": ""}, ("decided_by", "the cell is empty")),
        ({"decided_on": ""}, ("decided_on", "the cell is empty")),
        ({"decided_on": "2026-02-30"}, ("decided_on", "not a date")),
        ({"decided_on": "1/5/2026"}, ("decided_on", "not a date")),
        ({"decided_on": "20260501"}, ("decided_on", "not a date")),
        ({"decision": "keep", "comment": ""}, ("comment", "the cell is empty")),
        ({"as_of": "yesterday"}, ("as_of", "not a time")),
        ({"baseline": "2026-05-01"}, ("baseline", "not a time")),
        ({"baseline": "2026-05-01T12:00:01Z"}, ("baseline", LATER)),
        ({"baseline": "2026-05-01T12:00:01Z", "as_of_source": "folder"}, ("baseline", LATER)),
        ({"as_of_source": "told"}, ("as_of_source", "not a word of this column")),
        ({"verdict": "idle"}, ("verdict", "not a word of this column")),
        ({"row": "two"}, ("row", "not a row")),
        (
            {"same_second": "a;quiet"},
            ("same_second", "it names the user of this row"),
        ),
        ({"user": "bob"}, ("user", "the ARN names another user")),
        ({"account": "111122223333"}, ("account", "the ARN names another account")),
        ({"user": "<root_account>"}, ("user", "the root user is not an IAM user")),
        ({"arn": f"arn:aws:iam::{ACCOUNT}:user/"}, ("arn", "not the ARN of an IAM user")),
        ({"arn": f"arn:aws:iam::{ACCOUNT}:group/quiet"}, ("arn", "not the ARN of an IAM user")),
        ({"arn": ""}, ("arn", "not the ARN of an IAM user")),
        ({"arn": "arn:aws:iam::123XXXXXXXX:user/other"}, ("user", "the ARN names another user")),
        ({"user_creation_time": "2023-13-05T12:00:00Z"}, CREATION),
        ({"user_creation_time": "2023-08-04T11:59:59Z"}, CREATION),
        ({"user_creation_time": ""}, CREATION),
        ({"age_days": "999"}, ("user_creation_time", f"{CREATION[1][:-6]}'999'")),
        ({"arn": f"arn:aws:iam::{ACCOUNT}:root"}, ("user", "the root user is not an IAM user")),
    ],
)
def test_a_row_that_is_not_valid_is_refused_with_its_place(
    changed: dict[str, str], problem: tuple[str, str]
) -> None:
    head, row = ledger_bytes([line()]).decode().splitlines()
    cells = dict(zip(head.split(","), row.split(","), strict=True)) | changed
    content = f"{head}\n{','.join(cells.values())}\n".encode()
    assert (2, *problem) in refusals(content)


def test_only_a_report_whose_time_is_an_option_may_show_what_is_later() -> None:
    cells = {**line().report_cells, "as_of_source": "option"}
    later = line(report_cells=cells, baseline=AS_OF + SECOND)
    assert read_ledger("decisions.csv", ledger_bytes([later])).lines == (later,)


def test_a_problem_shows_the_value_of_its_cell_if_there_is_any() -> None:
    for entered, value in (("remove", "remove"), ("", None)):
        with pytest.raises(InputRefused) as refused:
            read_entries("bulk.csv", bulk(user_rows(a_user()), (entered, "Anna", f"{DAY}")))
        assert [each.value for each in refused.value.problems] == [value]


def test_rows_of_a_user_that_differ_are_no_problem_while_nothing_is_entered() -> None:
    (row,) = user_rows(a_user())
    rows = [row, row | {"mfa_active": "true"}, user_rows(a_user("ann"))[0]]
    read = read_entries("bulk.csv", bulk(rows, (), (), ("delete", "Anna", f"{DAY}")))
    assert [each.user for each in read.lines] == ["ann"]


def test_every_problem_of_a_file_is_named_at_once() -> None:
    rows = user_rows(a_user("ann"), a_user("bob"), a_user("cid"))
    content = bulk(
        rows, ("delet", "Anna", f"{DAY}"), ("delete", "", f"{DAY}"), ("delete", "A", "x")
    )
    assert [row for row, _, _ in refusals(content)] == [2, 3, 4]


@pytest.mark.parametrize("name", ["decision", "comment", "arn", "password_enabled", "as_of"])
def test_a_column_that_is_gone_is_refused(name: str) -> None:
    content = bulk(user_rows(a_user()), ("keep", "Anna", f"{DAY}", "", "why"), drop=[name])
    ((row, _, message),) = refusals(content)
    assert (row, message) == (1, f"missing: {name}")


def test_a_row_with_an_apostrophe_alone_is_open() -> None:
    read = read_entries("bulk.csv", bulk(user_rows(a_user()), ("'", "", "", "'")))
    assert (read.lines, [each.user_key for each in read.open_rows]) == ((), [line().user_key])


def test_a_line_that_was_emptied_in_the_ledger_is_refused() -> None:
    emptied = ledger_bytes([line()]).decode().replace(f"delete,Anna,{DAY}", ",,")
    assert (2, "decision", "an entry without a decision") in refusals(emptied.encode())


def test_a_line_of_a_ledger_without_its_place_keeps_the_file_and_the_row() -> None:
    content = bulk(user_rows(a_user()), ("delete", "Anna", f"{DAY}"))
    (only,) = read_ledger("bulk.csv", content).lines
    assert only.place == "bulk.csv, row 2"
    assert len(only.sha256) == 64


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("envelope", AS_OF),
        ("metadata", AS_OF),
        ("file-name", AS_OF),
        ("assumed", AS_OF),
        ("folder", datetime(2026, 2, 2, tzinfo=UTC)),
        ("option", datetime(2026, 2, 2, tzinfo=UTC)),
    ],
)
def test_since_counts_from_what_aws_said_and_never_from_a_day_or_an_option(
    source: str, expected: datetime
) -> None:
    used = datetime(2026, 2, 2, tzinfo=UTC)
    (row,) = user_rows(
        a_user(password=a_password(used), password_next_rotation="2027-01-01T00:00:00Z")
    )
    content = bulk([{**row, "as_of_source": source}], ("delete", "Anna", f"{DAY}"))
    assert read_ledger("bulk.csv", content).lines[0].baseline == expected


def test_without_any_timestamp_everything_is_since() -> None:
    (row,) = user_rows(a_user())
    cells = {**row, "as_of_source": "option", "user_creation_time": "", "age_days": ""}
    content = bulk([cells], ("delete", "Anna", f"{DAY}"))
    assert read_ledger("bulk.csv", content).lines[0].baseline.year == 1970


@pytest.mark.parametrize(
    ("decisions", "expected"),
    [
        ([("delete", "Anna", DAY)], "delete"),
        ([("delete", "Anna", NEXT), ("keep", "Tom", DAY)], "delete"),
        ([("delete", "Anna", DAY), ("keep", "Tom", NEXT)], "keep"),
        ([("delete", "Anna", DAY), ("delete", "Tom", DAY)], "delete"),
        ([("delete", "Anna", DAY), ("keep", "Anna", DAY)], "keep"),
        ([("delete", "Anna", DAY), ("keep", " anna ", DAY)], "keep"),
        ([("delete", "Anna", DAY), ("keep", "Tom", DAY)], None),
        ([("delete", "Anna", DAY), ("withdraw", "Tom", DAY)], None),
        ([("keep", "Tom", DAY), ("delete", "Anna", NEXT), ("withdraw", "Anna", NEXT)], None),
        ([("withdraw", "Anna", DAY), ("delete", "Anna", DAY)], "delete"),
        ([("delete", "Anna", DAY), ("withdraw", "Anna", DAY), ("keep", "Tom", DAY)], "keep"),
        ([("withdraw", "Anna", DAY), ("delete", "Tom", DAY), ("withdraw", "Anna", DAY)], None),
        ([("delete", "Anna", DAY), ("withdraw", "Anna", NEXT), ("keep", "Tom", NEXT)], None),
        ([("withdraw", "Anna", NEXT), ("delete", "Anna", DAY)], None),
        ([("delete", "Anna", DAY), ("keep", "Tom", DAY), ("withdraw", "Anna", DAY)], "keep"),
        ([("delete", "Anna", DAY), ("keep", "Tom", DAY), ("withdraw", "Tom", NEXT)], "delete"),
        ([("delete", "Anna", DAY), ("keep", "Tom", DAY), ("withdraw", "Eve", NEXT)], None),
        (
            [
                *(("delete", "Anna", DAY), ("keep", "Tom", DAY), ("investigate", "Eve", DAY)),
                ("withdraw", "Tom", DAY),
            ],
            None,
        ),
        ([("delete", "Anna", DAY), ("keep", "Tom", DAY), ("keep", "Anna", DAY)], "keep"),
        (
            [("delete", "Anna", DAY), ("keep", "Tom", DAY), ("investigate", "Eve", NEXT)],
            "investigate",
        ),
        ([("delete", "Anna", DAY), ("keep", "Tom", DAY), ("conflict", "credreport", DAY)], None),
    ],
)
def test_the_newest_decision_is_in_force_and_nothing_earlier_revives(
    decisions: list[tuple[str, str, date]], expected: str | None
) -> None:
    assert word_in_force(*decisions) == expected


@pytest.mark.parametrize("day", [DAY, NEXT])
def test_a_third_person_takes_back_both_decisions_of_a_conflict(day: date) -> None:
    conflict = [line(), line("keep", by="Tom")]
    (before,) = decisions_by_user(conflict).values()
    (after,) = decisions_by_user([*conflict, line("withdraw", by="Eve", on=day)]).values()
    assert (before.is_conflict, len(before.conflicts)) == (True, 1)
    assert (after.is_conflict, after.conflicts, after.in_force) == (False, (), None)


def test_of_agreeing_decisions_of_one_day_the_last_line_is_in_force() -> None:
    anna, tom = line(by="Anna", ticket="1"), line(by="Tom", ticket="2")
    (of_user,) = decisions_by_user([anna, tom]).values()
    assert of_user.in_force is tom


@pytest.mark.parametrize(("days", "expected"), [(-1, "keep"), (0, "keep"), (1, None)])
def test_a_keep_is_in_force_until_its_last_day(days: int, expected: str | None) -> None:
    ledger = Ledger(lines=(line("keep"),), keep_days=10)
    (of_user,) = ledger.by_user.values()
    in_force = ledger.in_force(of_user, DAY + timedelta(days=10 + days))
    assert (in_force and str(in_force.decision)) == expected


def test_a_keep_for_ever_ends_with_the_calendar() -> None:
    assert Ledger(keep_days=10**9).last_day(line("keep")) == date.max


def test_a_user_created_again_under_the_name_is_another() -> None:
    again = a_user(created=AS_OF - timedelta(days=3))
    assert len(decisions_by_user([line(), line("keep", again)])) == 2


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (a_user(), True),
        (a_user(created="N/A"), False),
        (a_user(arn="arn:aws:iam::123XXXXXXXX:user/quiet"), False),
        (a_user("qui\aet"), False),
    ],
    ids=["known", "without creation time", "masked", "with a control character"],
)
def test_only_a_known_user_can_be_acted_on(user: dict[str, str], *, expected: bool) -> None:
    assert line("delete", user).identifies_user is expected  # type: ignore[arg-type]  # cells are text


def test_notes_name_decisions_that_nothing_acts_on() -> None:
    lines = (line("delete", a_user("ann", created="N/A")), line("delete"), line("keep", by="Tom"))
    unknown, conflict = Ledger(lines=lines).notes()
    assert unknown.startswith(
        "Not acted on, as the user's creation time or account is not known: ann ("
    )
    assert conflict.endswith(f"arn:aws:iam::{ACCOUNT}:user/quiet.")
    assert Ledger(lines=(line(),)).notes() == []


def test_a_line_without_a_moment_cannot_be() -> None:
    cells = {**line().report_cells, "as_of": "soon"}
    with pytest.raises(ValueError, match="soon"):
        line(report_cells=cells)


def test_a_conflict_needs_its_day_too() -> None:
    content = ledger_bytes([line("conflict", by="credreport")]).decode()
    for day in ("", "01.05.2026"):
        with pytest.raises(InputRefused, match="decided_on: "):
            read_ledger("decisions.csv", content.replace(f",{DAY},", f",{day},").encode())


@pytest.mark.parametrize(
    ("source", "baseline", "earliest", "confirmed"),
    [
        (AsOfSource.FILE_NAME, BEFORE, AS_OF, AS_OF),
        (AsOfSource.ASSUMED, AS_OF, AS_OF, AS_OF),
        (AsOfSource.FOLDER, BEFORE, MIDNIGHT, MIDNIGHT),
        (AsOfSource.FOLDER, MIDNIGHT + SECOND, MIDNIGHT + SECOND, MIDNIGHT + SECOND),
        (AsOfSource.OPTION, BEFORE, AS_OF, BEFORE),
    ],
)
def test_a_day_without_a_time_counts_as_its_start_and_an_option_confirms_nothing(
    source: AsOfSource, baseline: datetime, earliest: datetime, confirmed: datetime
) -> None:
    time = ReportTime(AS_OF, source, baseline)
    assert (time.earliest, time.confirmed) == (earliest, confirmed)
