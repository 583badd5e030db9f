"""A ledger is a set of lines: it keeps every decision with what was seen, in one form."""

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from analyzer import columns
from analyzer.decisions.decision import LedgerLine
from analyzer.decisions.ledger import (
    Ledger,
    holds_decisions,
    ledger_bytes,
    read_entries,
    read_ledger,
)
from analyzer.decisions.review_list_layout import ENTRY_HEADS
from analyzer.errors import InputRefused
from analyzer.terms import VERSION
from tests.support.builders import ACCOUNT, AS_OF, a_key, a_password, a_user
from tests.support.decisions import DAY, bulk, ledger_of, line, user_rows

SECOND = timedelta(seconds=1)
ENTERED = ("delete", "Anna", f"{DAY}")


def refusals(content: bytes) -> list[tuple[object, ...]]:
    with pytest.raises(InputRefused) as refused:
        read_entries("decisions.csv", content)
    return [(each.row, each.column, each.value, each.message) for each in refused.value.problems]


def changed(*cells: tuple[str, str], of: LedgerLine | None = None) -> bytes:
    """Return a ledger of one line in which cells were typed over."""
    head, row = ledger_bytes([of or line()]).decode().splitlines()
    texts = dict(zip(head.split(","), row.split(","), strict=True)) | dict(cells)
    return f"{head}\n{','.join(texts.values())}\n".encode()


# What is written, and read back


def test_a_ledger_comes_back_as_it_was_written() -> None:
    lines = [
        line("delete", a_user("=ann", key_1=a_key()), ticket="'7", comment='=1+1, "quoted"\nline'),
        line("keep", a_user("-bob"), beside=None),
        line("investigate", a_user("'o"), beside=["@x", "b"]),
        line("deactivate", by="Zoë  Öz"),
    ]
    read = read_ledger("decisions.csv", ledger_bytes(lines)).lines
    assert {each.arn: each for each in read} == {each.arn: each for each in lines}


def test_a_line_is_what_the_report_gives_with_the_decision_and_its_place_in_front() -> None:
    entered, place = "decision,decided_by,decided_on,ticket,comment", "workbook,row,same_second"
    heads = (entered, place) + columns.OF_LEDGER
    assert ledger_bytes([line()]).decode().splitlines()[0] == ",".join(heads)


def test_a_line_is_one_line_of_text_in_which_no_cell_is_a_formula() -> None:
    odd = line("keep", a_user("=cmd"), by="+1", comment="@x\r\ny\u2028z", ticket="-2")
    _, written = ledger_bytes([odd]).decode().splitlines()
    assert [cell for cell in written.split(",") if cell.startswith(("=", "+", "-", "@"))] == []
    assert ",'@x y z," in written


def test_users_csv_with_the_five_columns_in_front_is_a_ledger() -> None:
    rows = user_rows(a_user("ann"), a_user("bob"))
    read = read_entries("x/bulk.csv", bulk(rows, ENTERED))
    (only,) = read.lines
    assert (only.user, only.decision, only.place_text) == ("ann", "delete", "bulk.csv, row 2")
    assert (only.report_time, only.same_second) == (AS_OF, None)
    assert [each.user.name for each in read.open_rows] == ["bob"]
    assert (read.is_ledger, read_entries("d.csv", ledger_bytes([line()])).is_ledger) == (
        False,
        True,
    )


@pytest.mark.parametrize(("separator", "end"), [(",", "\r\n"), (";", "\n"), ("\t", "\r\n")])
def test_a_ledger_that_a_spreadsheet_saved_has_the_same_lines(separator: str, end: str) -> None:
    user = a_user("ann", account="012345678901", password=a_password())
    text = ledger_bytes([known := line("delete", user, ticket="SEC 1")]).decode()
    text = text.replace(",012345678901,ann", ",1.23457E+10,ann").replace("false", "FALSE")
    text = text.replace(",2026-05-01,", ",2026-05-01 00:00:00,").replace("delete", " Delete ")
    text = text.replace("true", "TRUE").replace(",", separator).replace("\n", end)
    (only,) = read_ledger("decisions.csv", ("\ufeff" + text).encode()).lines
    assert (only.account, only.user, only.ticket) == ("012345678901", "ann", "SEC 1")
    assert only.identity == known.identity


def test_the_time_of_a_report_is_what_aws_said_or_the_start_of_a_day_and_never_an_option() -> None:
    used = datetime(2026, 2, 2, tzinfo=UTC)
    (row,) = user_rows(
        a_user(password=a_password(used), password_next_rotation="2027-01-01T00:00:00Z")
    )
    without = row | {"user_creation_time": "", "age_days": "", "password_last_used": ""}
    for sources, cells, expected in (
        (("envelope", "metadata", "file-name", "assumed"), row, AS_OF),
        (("folder",), row, AS_OF.replace(hour=0)),
        (("option",), row, used),
        (("option",), without | {"password_last_changed": ""}, datetime(1970, 1, 1, tzinfo=UTC)),
    ):
        for source in sources:
            content = bulk([cells | {"as_of_source": source}], ENTERED)
            assert read_ledger("bulk.csv", content).lines[0].report_time == expected, source


def test_a_line_without_a_moment_cannot_be() -> None:
    with pytest.raises(ValueError, match="soon"):
        line(user_row=dict(line().user_row) | {"as_of": "soon"})


# A set of lines

DELETE = line()
OTHER_CELL = dict(DELETE.user_row) | {"mfa_active": "true"}


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        *((line(by=name), True) for name in ("  ANNA ", "anna")),
        (line(workbook="copy.xlsx", row=9), True),
        (line(user_row=dict(DELETE.user_row) | {"mfa_active": "FALSE"}), True),
        (line(user_row=dict(DELETE.user_row) | {"as_of": "2026-05-01T14:00:00+02:00"}), True),
        *(
            (each, False)
            for each in (line("deactivate"), line(by="Tom"), line(on=DAY - timedelta(1)))
        ),
        *(
            (each, False)
            for each in (line(ticket="7"), line(comment="x"), line(user=a_user("ann")))
        ),
        (line(beside=None), False),
        (line(beside=["x"]), False),
        (line(as_of=AS_OF + SECOND), False),
        (line(user_row=OTHER_CELL), False),
    ],
)
def test_a_line_is_the_same_if_its_entry_and_every_cell_shown_are(
    other: LedgerLine,
    is_same: bool,  # noqa: FBT001  of a table
) -> None:
    assert len(ledger_of(DELETE).with_lines([other]).lines) == (1 if is_same else 2)


def test_a_union_is_the_same_in_any_order_and_of_places_the_smallest_stays() -> None:
    lines = [
        line(workbook="b.xlsx"),
        line(workbook="a.xlsx", row=9),
        line(workbook="a.xlsx", row=10),
        line(workbook="a.xlsx", row=9, beside=None),
        line(workbook="a.xlsx", row=9, by="anna"),
        line("keep", by="Tom"),
        line("keep", by="Tom", user_row=OTHER_CELL),
        line(ticket="7", workbook="z.xlsx"),
        line(ticket="7"),
    ]
    whole = Ledger().with_lines(lines)
    assert (len(whole.lines), lines[1] in whole.lines) == (5, True)
    for seed in range(20):
        dice = random.Random(seed)
        dice.shuffle(lines)
        cut = dice.randrange(len(lines))
        merged = Ledger().with_lines(lines[:cut]).with_lines(lines[cut:]).with_lines(lines[:5])
        assert ledger_bytes(merged.lines) == ledger_bytes(whole.lines)
        assert read_ledger("d.csv", ledger_bytes(lines)).lines == whole.lines


def test_lines_are_sorted_by_user_and_day_so_that_git_can_merge_two_ledgers() -> None:
    users = a_user("zoe"), a_user("ann"), a_user("ann", account="012345678900")
    lines = [line("keep", user, on=DAY + timedelta(day)) for user in users for day in (1, 0)]
    assert Ledger().with_lines(lines).lines == tuple(lines[::-1])


# What is refused

CREATION = "not the creation time of a user with age_days"
EMPTY, NO_DATE, NOT_A_WORD = "the cell is empty", "not a date", "not a word of this column"
ROOT, NO_USER = "the root user is not an IAM user", "not the ARN of an IAM user"
OTHER_USER, NO_WORD = "the ARN names another user", "an entry without a decision"
EARLY = "decided before the report, which is of 2026-05-01"
INVALID: list[tuple[str, str, str]] = [
    *(("decision", word, "not a decision") for word in ("remove", "conflict", "gone", "withdraw")),
    ("decision", "", NO_WORD),
    *((name, "", EMPTY) for name in ("decided_by", "decided_on")),
    *(("decided_by", name, "the name of the program") for name in ("credreport", "CredReport")),
    *(
        (
            "decided_by",
            f"cred{sign}report",
            f"the name has characters that nobody sees: cred{spelled}report",
        )
        for sign, spelled in (
            ("\u200b", "\\u200b"),
            ("\xad", "\\xad"),
            ("\u202e", "\\u202e"),
            ("\u3164", "\\u3164"),
            ("\U000e0041", "\\U000e0041"),
        )
    ),
    *(("decided_on", day, NO_DATE) for day in ("2026-02-30", "1/5/2026", "20260501")),
    ("decided_on", "2026-04-29", EARLY),
    ("as_of", "yesterday", "not a time"),
    *((name, "other", NOT_A_WORD) for name in ("as_of_source", "verdict")),
    *(("row", cell, "not a whole number") for cell in ("two", "-1", "1.5")),
    ("same_second", "a;b", "it does not name the user of this row"),
    ("user", "bob", OTHER_USER),
    ("account", "111122223333", "the ARN names another account"),
    ("user", "<root_account>", ROOT),
    ("arn", "", NO_USER),
    ("arn", f"arn:aws:iam::{ACCOUNT}:root", ROOT),
    ("arn", "arn:aws:iam::123XXXXXXXX:user/other", OTHER_USER),
    *(("arn", f"arn:aws:iam::{ACCOUNT}:{each}", NO_USER) for each in ("user/", "group/quiet")),
    ("user_creation_time", "2023-13-05T12:00:00Z", f"{CREATION} '1000'"),
    ("user_creation_time", "2023-08-04T11:59:59Z", f"{CREATION} '1000'"),
    ("user_creation_time", "", f"{CREATION} '1000'"),
    ("age_days", "999", f"{CREATION} '999'"),
]
"""The column of a cell, its value, and what is wrong with it."""


@pytest.mark.parametrize(("column", "cell", "problem"), INVALID)
def test_a_row_that_is_not_valid_is_refused_with_its_place_and_value(
    column: str, cell: str, problem: str
) -> None:
    read = refusals(changed((column, cell)))
    assert (2, problem) in [(row, message) for row, _, _, message in read]
    assert column in ("age_days", "arn") or (2, column, cell or None, problem) in read


def test_a_keep_needs_a_comment_and_other_cells_than_the_five_are_no_decision() -> None:
    assert refusals(changed(("comment", ""), of=line("keep"))) == [(2, "comment", None, EMPTY)]
    nothing = [(name, "") for name in ("decision", "decided_by", "decided_on")]
    assert (2, "decision", None, NO_WORD) in refusals(changed(*nothing))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_sheet_saved_as_csv_is_refused_as_such(separator: str) -> None:
    head = separator.join(("\ufeffAccount", "User", *ENTRY_HEADS, "Why"))
    message = "a sheet of a workbook, saved as CSV"
    for end in ("\r\n", "\r", ""):
        assert refusals(f"{head}{end}".encode()) == [(None, None, None, message)]


def test_a_ledger_whose_last_line_is_cut_off_is_refused() -> None:
    content = ledger_bytes([line(comment='a "reason", long\nenough')])
    first, size = content.index(b"\n") + 1, len(content)
    for end in (first + 9, size - 90, size - 40, size - 2):
        with pytest.raises(InputRefused, match=r"decisions\.csv, row 2: the last line is cut off"):
            read_ledger("decisions.csv", content[:end])
    short = content.replace(b",,,,\n", b"\n")
    for whole_lines in (content[:-1], content[:first], content[: first - 1], short):
        assert len(read_ledger("decisions.csv", whole_lines).lines) == (whole_lines[first:] != b"")


MARKS = ["<<<<<<< HEAD", "||||||| 1a2b3c4", "=======", ">>>>>>> reviews"]


@pytest.mark.parametrize("mark", MARKS + ["decision"])
def test_what_is_left_of_a_merge_is_named_once(mark: str) -> None:
    head, row = ledger_bytes([line()]).decode().splitlines()
    more, problem = mark, "a merge conflict of git that is not resolved"
    if mark == "decision":
        more, problem = f"{head}\n{row}", "the heads of the columns once more"
    content = f"{head}\n{row}\n{more}\n".encode()
    assert refusals(content) == [(3, "decision", mark, problem)]


@pytest.mark.parametrize("name", ["decision", "comment", "arn", "password_enabled", "as_of"])
def test_a_column_that_is_gone_is_refused(name: str) -> None:
    content = bulk(user_rows(a_user()), ("keep", "Anna", f"{DAY}", "", "why"), drop=[name])
    with pytest.raises(InputRefused, match=f"row 1: column {name} is missing\n +Use a ledger, or"):
        read_entries("decisions.csv", content)


def test_a_ledger_that_is_written_again_has_no_cell_that_would_be_lost() -> None:
    head, row = ledger_bytes([line()]).decode().splitlines()
    assert len(read_ledger("d.csv", f"{head},\n{row},\n".encode(), refuses_others=True).lines) == 1
    for name, problem in (("by", "not the columns that"), ("", "the column of this cell has")):
        content = f"{head},{name}\n{row},Carl\n".encode()
        assert len(read_ledger("d.csv", content).lines) == 1
        with pytest.raises(InputRefused, match=f"(?s){problem}.*: it would be lost"):
            read_ledger("d.csv", content, refuses_others=True)


def test_a_ledger_with_columns_of_another_version_is_named_as_such() -> None:
    head, row = ledger_bytes([line()]).decode().splitlines()
    gone, added = "additional_credentials_info", "log_user,log_moment"
    for name, says in (
        (head.replace(gone, "x"), f"it lacks {gone}, and it also has x"),
        (f"{head},{added}", "it also has log_user, log_moment"),
    ):
        content = f"{name}\n{row}\n".encode()
        with pytest.raises(InputRefused) as refused:
            read_ledger("d.csv", content, refuses_others=True)
        (problem,) = refused.value.problems
        assert problem.message == f"not the columns that credreport {VERSION} writes: {says}"
        assert problem.hint
        assert problem.hint.startswith("If another version of credreport wrote it, use that one.")


def test_a_row_with_an_apostrophe_alone_is_open() -> None:
    read = read_entries("bulk.csv", bulk(user_rows(a_user()), ("'", "", "", "'")))
    assert (read.lines, [each.user for each in read.open_rows]) == ((), [line().subject])


SHEET = ",".join(("User", *ENTRY_HEADS))


@pytest.mark.parametrize(
    ("content", "expected"),
    [(bulk([], drop=["comment"]), False)]
    + [(f"{SHEET}\nann,{cell}\n".encode(), bool(cell)) for cell in ("", "delete")]
    + [(bulk([{}, {}], (), [""] * at + ["x" * at]), at > 0) for at in range(5)],
)
def test_a_file_holds_decisions_if_any_of_its_five_cells_does(
    tmp_path: Path,
    content: bytes,
    expected: bool,  # noqa: FBT001  of a table
) -> None:
    (path := tmp_path / "list.csv").write_bytes(content)
    assert holds_decisions(path) is expected


# What a ledger says


def test_a_keep_among_the_last_words_exempts_its_user_until_its_last_day() -> None:
    keep = line("keep", by="Bob", comment="why", row=7)
    (exempt,) = ledger_of(keep).exemptions()
    shown = exempt.owner, exempt.line, exempt.arn, exempt.created
    assert shown == ("Bob", 7, keep.arn, keep.created)
    later = line("keep", by="Tom", on=DAY + timedelta(5))
    by_bob, by_tom = (("Bob", date(2026, 10, 28)), ("Tom", date(2026, 11, 2)))
    for lines, kept in (
        ([keep], [by_bob]),
        ([keep, later], [by_tom]),
        ([keep, line(by="Tom", on=DAY + timedelta(5))], [by_bob]),
        ([keep, line(by="Bob", on=DAY + timedelta(5))], []),
        ([keep, line(by="Bob", on=DAY + timedelta(1))], [by_bob]),
        ([line("keep", a_user(created="N/A"))], []),
        ([line("investigate")], []),
    ):
        found = [(each.reason, each.expires) for each in ledger_of(*lines).exemptions()]
        assert found == [(f"kept by {by} until {last}", last) for by, last in kept], lines


def test_notes_name_what_nothing_acts_on_who_disagrees_and_which_keeps_end() -> None:
    unknown, disagree = line(user=a_user("ann", created="N/A")), [line(), line("keep", by="Tom")]
    end = DAY + timedelta(180)
    for lines, day, expected in (
        ([line()], DAY, []),
        (
            [unknown],
            DAY,
            ["Not acted on, as the user's creation time or account is not known: ann ("],
        ),
        (disagree, DAY, ["Nothing stands on these users, as people disagree: quiet."]),
    ) + tuple(
        ([line("keep")], end - timedelta(days), [said] if is_soon else [])
        for days, is_soon in ((31, False), (30, True), (0, True), (-1, False))
        for said in ["Decisions to keep that end within 30 days: quiet."]
    ):
        notes = list(ledger_of(*lines).notes(day))
        assert len(notes) == len(expected), (lines, day)
        assert all(map(str.startswith, notes, expected)), notes
    assert repr(ledger_of(*disagree)) == "<Ledger: decisions 2>"


def test_the_ledger_of_an_earlier_day_lacks_what_was_decided_later() -> None:
    lines = [line(on=DAY + timedelta(days)) for days in (0, 1)]
    assert ledger_of(*lines).until(DAY).lines == (lines[0],)
