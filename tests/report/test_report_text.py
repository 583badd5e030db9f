"""The header is found and its columns are looked up by name, or the report is refused."""

from pathlib import Path

import pytest

import analyzer
from analyzer.changes import diff
from analyzer.report.report_text import is_result_or_list
from analyzer.writers import write
from analyzer.writers.findings import FINDING_COLUMNS
from tests.support.builders import ACCOUNT, COLUMNS, MORE_CREDENTIALS, report_text, the_root
from tests.support.reading import (
    ANN,
    BOB,
    HEADER,
    OTHER_ACCOUNT,
    PLAIN,
    ROOT,
    TWO_USERS,
    cells,
    lines,
    plain_cells,
    problem_of,
    problems_of,
    refused,
    report_of,
)


def shouted(text: str) -> str:
    return text.replace("true", "TRUE").replace("false", "FALSE")


def with_column(place: int, *texts: str) -> str:
    """Return the report with one more column."""
    table = [row.split(",") for row in PLAIN.split("\n")]
    for row, text in zip(table, texts, strict=True):
        row.insert(place, text)
    return lines(*map(",".join, table))


QUOTED = report_text(TWO_USERS, quoted=True)
RESAVED = {
    "upper-case booleans": shouted(PLAIN),
    "semicolons": PLAIN.replace(",", ";"),
    "tabs": PLAIN.replace(",", "\t"),
    "everything in quotes": QUOTED,
    "upper case, semicolons, quotes": shouted(QUOTED).replace(",", ";").replace("\n", "\r\n"),
    "PowerShell's type": "#TYPE System.Management.Automation.PSCustomObject\r\n" + QUOTED,
    "Excel's separator": "sep=;\n" + PLAIN.replace(",", ";"),
    "blank lines first": "\r\n\n,,\nsep=,\n" + PLAIN,
    "blank cells first": ",,,,\n" + PLAIN,
    "a marked header in quotes": "\ufeff" + QUOTED,
    "a header in upper case": HEADER.upper() + PLAIN.removeprefix(HEADER),
    "blanks in the header": HEADER.replace(",", " , ") + PLAIN.removeprefix(HEADER),
    "a column of row numbers": with_column(0, "", "0", "1", "2"),
    "a column of one's own": with_column(22, "owner", "", "mail@example.com", "me"),
    "a column within": with_column(5, "user_group", "a", "b", "c"),
    "blank columns": lines(*(row + ",,," for row in PLAIN.split("\n"))),
}


def test_a_report_that_a_spreadsheet_or_a_shell_saved_again_says_the_same() -> None:
    for kind, resaved in RESAVED.items():
        before = len(resaved.split("\n")) - len(PLAIN.split("\n"))
        told = [each | {"row": each["row"] - before} for each in cells(report_of(resaved))]
        assert told == plain_cells(), kind


PLACES = (("Row", 2), (" ROW ", 2), ("file", 2), ("account", 2), ("position", 2), ("row", 0))


@pytest.mark.no_cover
@pytest.mark.parametrize(("name", "place"), [*PLACES, ("row", len(COLUMNS))])
def test_a_column_of_ones_own_may_have_any_name(name: str, place: int) -> None:
    users, root = [user | {name: "7"} for user in TWO_USERS], the_root() | {name: "x"}
    columns = (*COLUMNS[:place], name, *COLUMNS[place:])
    text = report_text(users, root=root, columns=columns)
    assert cells(report_of(report_text(users, root=root, columns=columns, quoted=True))) == (
        plain_cells()
    )
    report = report_of(lines(text, text.replace(ACCOUNT, OTHER_ACCOUNT), text))
    counts = [(each.rows, each.roots, each.repeated) for each in report.files[0].accounts]
    assert counts == [(6, 1, 3), (3, 1, 0)]
    assert report.users["row"].tolist() == [3, 4, 7, 8]


NAMED = "name,arn,created\nann,arn:aws:iam::012345678901:user/ann,2020"
OTHERS = (NAMED, "a,b;c\td\n1,2;3\t4", "user arn user_creation_time", '"user,arn"', ROOT)
BEFORE_NOTHING = (",,,\n;;\n", "#TYPE System.Object\r\n", "sep=;\n\n")


def test_what_has_no_header_is_refused_and_shows_its_first_row() -> None:
    for text in OTHERS + BEFORE_NOTHING:
        found = problem_of(text)
        assert "its first row names no column `user`" in found.message
        assert "user,arn,user_creation_time,…" in found.hint
        is_blank = text in BEFORE_NOTHING
        first = (None, None) if is_blank else (1, text.split("\n", maxsplit=1)[0][:80])
        assert (found.row, found.value) == first


def test_missing_columns_and_those_that_are_there_twice_are_named_together() -> None:
    others = {"mfa_active": "multi_factor", "cert_2_active": "team", "access_key_2_active": "key"}
    others |= {"password_last_changed": "team", "cert_1_active": "user"}
    odd = ",".join(others.get(name, name) for name in COLUMNS)
    twice, hint = "the column is there twice", "Remove one of them."
    needed = "Every user is judged by these columns: give the report as AWS made it."
    found = problems_of("\n" + lines(odd, ANN, BOB))
    assert [(each.row, each.column, each.message, each.hint) for each in found] == [
        (2, "user", twice, found[0].hint),
        (2, "team", twice, hint),
        (2, None, "column access_key_2_active is missing", needed),
    ]
    assert problem_of(with_column(22, "row,Row", "1,2", "3,4", "5,6")).message == twice


MAY_BE_MISSING = (
    "password_last_changed",
    "password_next_rotation",
    "mfa_active",
    MORE_CREDENTIALS,
) + tuple(name for name in COLUMNS if "_last_used_" in name or name.startswith("cert_"))
NEEDED = ("arn", "user_creation_time", "password_enabled", "password_last_used") + tuple(
    f"access_key_{slot}_{name}" for slot in (1, 2) for name in ("active", "last_rotated")
)


def test_a_report_that_lacks_a_needed_column_is_refused_by_its_name_and_others_may_be_missing() -> (
    None
):
    assert (set(MAY_BE_MISSING) | set(NEEDED) | {"user"}) == (set(COLUMNS) | {MORE_CREDENTIALS})
    for column in NEEDED:
        left = [name for name in COLUMNS if name != column]
        found = problem_of(report_text(TWO_USERS, columns=left))
        assert (found.row, found.message) == (1, f"column {column} is missing")
    for missing in (*((column,) for column in MAY_BE_MISSING), MAY_BE_MISSING):
        left = [name for name in COLUMNS if name not in missing]
        report = report_of(report_text(TWO_USERS, columns=left))
        assert report.users["user"].tolist() == ["ann", "bob"]


OWN = "this is a result that credreport wrote, not a report"


def test_what_the_program_wrote_itself_is_no_report(tmp_path: Path) -> None:
    for columns in (FINDING_COLUMNS, diff.COLUMNS):
        assert problem_of(",".join(columns)).message == OWN
    result = tmp_path / "result.csv"
    for verdicts in ((), tuple(analyzer.Verdict)):
        write(analyzer.analyze(report_of(PLAIN)), result, verdicts=verdicts)
        (found,) = refused(result)
        assert (found.file, found.row, found.message) == (str(result), 1, OWN)
        assert found.hint == "Write results to another folder than the reports."


OWN_HEADER = b"account,user,verdict,certainty,caveats"
HEADS = {
    OWN_HEADER: True,
    OWN_HEADER + b"\nx": True,
    OWN_HEADER + b"\r\nx": True,
    OWN_HEADER + b"\rx\n": True,
    b"\xef\xbb\xbf" + OWN_HEADER: True,
    b"account,user,reason,owner,expires\n": True,
    b"account;user;owner;email\n": True,
    b"\xef\xbb\xbfAccount\tName\n": True,
    b"account,name,user,arn\n": False,
    b"account,user\n": False,
    b"user\r" + OWN_HEADER: False,
    b"PK\x03\x04a\xffb\rcd\ne": False,
    b'"\r': False,
    b"\0": False,
    b"": False,
}


def test_a_result_or_a_list_is_known_by_its_first_line_whatever_the_bytes() -> None:
    assert {head: is_result_or_list(head) for head in HEADS} == HEADS
