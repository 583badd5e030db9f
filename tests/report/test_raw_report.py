"""The header is found and its columns are looked up by name, or the report is refused."""

from pathlib import Path

import pytest

import analyzer
from analyzer.changes import diff
from analyzer.report.raw_report import is_result_or_list
from analyzer.writers import write
from analyzer.writers.findings import FINDING_COLUMNS
from tests.support.builders import (
    COLUMNS,
    COLUMNS_OF_2014,
    MORE_CREDENTIALS,
    a_key,
    a_user,
    days_before,
    report_text,
    the_root,
)
from tests.support.reading import (
    ANN,
    BOB,
    HEADER,
    PLAIN,
    ROOT,
    TWO_USERS,
    USED_LATELY,
    VERDICTS,
    cells,
    lines,
    plain_cells,
    problem,
    put,
    read,
    reasons,
    refused,
    rows,
    verdicts,
)


def shouted(text: str) -> str:
    return text.replace("true", "TRUE").replace("false", "FALSE")


def with_column(place: int, *texts: str) -> str:
    """Return the report with one more column."""
    table = [row.split(",") for row in PLAIN.split("\n")]
    return lines(
        *(
            ",".join((*row[:place], text, *row[place:]))
            for row, text in zip(table, texts, strict=True)
        )
    )


QUOTED = report_text(TWO_USERS, quoted=True)
RESAVED = {
    "upper-case booleans": shouted(PLAIN),
    "booleans as pandas writes them": PLAIN.replace("true", "True").replace("false", "False"),
    "semicolons": PLAIN.replace(",", ";"),
    "tabs": PLAIN.replace(",", "\t"),
    "everything in quotes": QUOTED,
    "everything in quotes, tabs": QUOTED.replace(",", "\t"),
    "upper case, semicolons, quotes and CRLF": shouted(QUOTED)
    .replace(",", ";")
    .replace("\n", "\r\n"),
    "PowerShell's type": "#TYPE System.Management.Automation.PSCustomObject\r\n" + QUOTED,
    "Excel's separator": "sep=;\n" + PLAIN.replace(",", ";"),
    "Excel's separator after a mark": "\ufeffsep=,\n" + PLAIN,
    "blank lines first": "\n\n" + PLAIN,
    "blank cells first": ",,,,\n" + PLAIN,
    "a marked header in quotes": "\ufeff" + QUOTED,
    "a header in upper case": HEADER.upper() + PLAIN.removeprefix(HEADER),
    "blanks in the header": HEADER.replace(",", " , ") + PLAIN.removeprefix(HEADER),
    "a column of row numbers": with_column(0, "", "0", "1", "2"),
    "a column of one's own": with_column(22, "owner", "", "mail@example.com", "me"),
    "a column within": with_column(5, "user_group", "a", "b", "c"),
    "blank columns": lines(*(row + ",,," for row in PLAIN.split("\n"))),
}


@pytest.mark.no_cover
@pytest.mark.parametrize("resaved", RESAVED.values(), ids=RESAVED)
def test_a_report_that_a_spreadsheet_or_a_shell_saved_again_says_the_same(
    tmp_path: Path, resaved: str
) -> None:
    before = len(resaved.split("\n")) - len(PLAIN.split("\n"))
    told = [{**each, "row": each["row"] - before} for each in cells(read(tmp_path, resaved))]
    assert told == plain_cells()


@pytest.mark.parametrize("before", ["", "\n", "#TYPE a\r\n", "\r\n\n,,\nsep=,\n"])
def test_rows_are_numbered_from_where_the_header_stands(tmp_path: Path, before: str) -> None:
    header = 1 + before.count("\n")
    assert rows(read(tmp_path, before + PLAIN)) == {"ann": header + 2, "bob": header + 3}


def test_columns_in_another_order_say_the_same(tmp_path: Path) -> None:
    orders = (COLUMNS, COLUMNS[::-1], (*COLUMNS[7:], *COLUMNS[:7]))
    first, *others = [
        cells(read(tmp_path, report_text(TWO_USERS, columns=order))) for order in orders
    ]
    assert others == [first, first]


def test_a_column_that_aws_adds_some_day_changes_nothing(tmp_path: Path) -> None:
    newer = with_column(22, "passkey_active", "false", "true", "true")
    assert cells(read(tmp_path, newer)) == plain_cells()


OURS = ["row", "Row", " ROW ", "file", "FILE", "account", "position"]


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("name", "place"), [*((name, 2) for name in OURS), ("row", 0), ("row", len(COLUMNS))]
)
def test_a_column_of_ones_own_may_have_any_name(tmp_path: Path, name: str, place: int) -> None:
    quoted, text = (
        report_text(
            [user | {name: "7"} for user in TWO_USERS],
            root=the_root() | {name: "x"},
            columns=(*COLUMNS[:place], name, *COLUMNS[place:]),
            quoted=quoted,
        )
        for quoted in (True, False)
    )
    assert cells(read(tmp_path, quoted)) == plain_cells()
    other = text.replace("012345678901", "111122223333")
    report = read(tmp_path, lines(text, other, text))
    assert [(each.rows, each.roots, each.repeated) for each in report.files[0].accounts] == [
        (6, 1, 3),
        (3, 1, 0),
    ]
    assert report.users["row"].tolist() == [3, 4, 7, 8]


def test_a_column_of_a_name_of_ours_may_not_be_there_twice_either(tmp_path: Path) -> None:
    found = problem(tmp_path, with_column(22, "row,Row", "1,2", "3,4", "5,6"))
    assert found.message == "the column is there twice"


def test_the_23rd_column_is_read(tmp_path: Path) -> None:
    users = [a_user("ann", additional_credentials_info="2 more keys")]
    root = the_root() | {MORE_CREDENTIALS: ""}
    text = report_text(users, root=root, columns=(*COLUMNS, MORE_CREDENTIALS))
    assert cells(read(tmp_path, text))[-1][MORE_CREDENTIALS] == "2 more keys"


def test_the_sixteen_columns_of_2014_are_read_and_what_they_cannot_tell_is_undetermined(
    tmp_path: Path,
) -> None:
    users = [
        a_user("quiet"),
        a_user("signs-in", password=USED_LATELY),
        a_user("old-key", key_1=a_key(days_before(500))),
    ]
    report = read(tmp_path, report_text(users, form="+00:00", columns=COLUMNS_OF_2014))
    assert verdicts(report) == {"quiet": "unused", "signs-in": "active", "old-key": "undetermined"}
    assert reasons(report)["old-key"] == "access_key_1_last_used_date is not in this report"


@pytest.mark.parametrize(
    "text",
    [
        "name,arn,created\nann,arn:aws:iam::012345678901:user/ann,2020",
        "a,b;c\td\n1,2;3\t4",
        "user arn user_creation_time",
        '"user,arn"',
        ROOT,
    ],
)
def test_what_has_no_header_is_refused_and_shows_its_first_row(tmp_path: Path, text: str) -> None:
    found = problem(tmp_path, text)
    assert "its first row names no column `user`" in found.message
    assert (found.row, found.value) == (1, text.split("\n", maxsplit=1)[0][:80])
    assert "user,arn,user_creation_time,…" in found.hint


@pytest.mark.parametrize("text", [",,,\n;;\n", "#TYPE System.Object\r\n", "sep=;\n\n"])
def test_what_has_nothing_but_lines_before_a_header_is_refused(tmp_path: Path, text: str) -> None:
    found = problem(tmp_path, text)
    assert "its first row names no column `user`" in found.message
    assert (found.row, found.value) == (None, None)


def test_all_missing_columns_and_all_that_are_there_twice_are_named_together(
    tmp_path: Path,
) -> None:
    odd = (
        HEADER.replace("mfa_active", "multi_factor")
        .replace("cert_2_active", "team")
        .replace("password_last_changed", "team")
        .replace("cert_1_active", "user")
        .replace("access_key_2_active", "key")
    )
    found = refused(put(tmp_path, "\n" + lines(odd, ANN, BOB)))
    assert [(each.row, each.column, each.message) for each in found] == [
        (2, "user", "the column is there twice"),
        (2, "team", "the column is there twice"),
        (2, None, "missing: access_key_2_active"),
    ]
    assert [each.hint for each in found][1:] == [
        "Remove one of them.",
        "Every user is judged by these columns: give the report as AWS made it.",
    ]


@pytest.mark.parametrize(
    "column",
    ["password_next_rotation", "access_key_1_last_used_region", "access_key_2_last_used_service"],
)
def test_a_column_that_decides_nothing_may_be_missing(tmp_path: Path, column: str) -> None:
    left = [name for name in COLUMNS if name != column]
    assert verdicts(read(tmp_path, report_text(TWO_USERS, columns=left))) == VERDICTS


@pytest.mark.parametrize(
    "column",
    ["password_enabled", "password_last_used", "access_key_1_active", "access_key_2_active"],
)
def test_a_column_that_the_verdict_needs_must_be_there(tmp_path: Path, column: str) -> None:
    left = [name for name in COLUMNS if name != column]
    found = problem(tmp_path, report_text(TWO_USERS, columns=left))
    assert (found.row, found.message) == (1, f"missing: {column}")


@pytest.mark.parametrize("columns", [FINDING_COLUMNS, diff.COLUMNS])
def test_findings_and_changes_that_the_program_wrote_are_no_report(
    tmp_path: Path, columns: tuple[str, ...]
) -> None:
    found = problem(tmp_path, ",".join(columns))
    assert found.message == "this is a result that credreport wrote, not a report"


@pytest.mark.parametrize("verdicts", [(), tuple(analyzer.Verdict)])
def test_a_csv_that_the_program_wrote_itself_is_no_report(
    tmp_path: Path, verdicts: tuple[analyzer.Verdict, ...]
) -> None:
    analysis = analyzer.analyze(read(tmp_path, PLAIN))
    result = tmp_path / "result.csv"
    write(analysis, result, verdicts=verdicts)
    (found,) = refused(result)
    assert (found.file, found.row) == (str(result), 1)
    assert found.message == "this is a result that credreport wrote, not a report"
    assert found.hint == "Write results to another folder than the reports."


OWN_HEADER = b"account,user,verdict,certainty,caveats"


@pytest.mark.parametrize(
    ("head", "is_own"),
    [
        (OWN_HEADER, True),
        (OWN_HEADER + b"\nx", True),
        (OWN_HEADER + b"\r\nx", True),
        (OWN_HEADER + b"\rx\n", True),
        (b"\xef\xbb\xbf" + OWN_HEADER, True),
        (b"account,user,reason,owner,expires\n", True),
        (b"account;user;owner;email\n", True),
        (b"\xef\xbb\xbfAccount\tName\n", True),
        (b"account,name,user,arn\n", False),
        (b"account,user\n", False),
        (b"user\r" + OWN_HEADER, False),
        (b"PK\x03\x04a\xffb\rcd\ne", False),
        (b'"\r', False),
        (b"\0", False),
        (b"", False),
    ],
)
def test_a_result_or_a_list_is_known_by_its_first_line_whatever_the_bytes(
    head: bytes, *, is_own: bool
) -> None:
    assert is_result_or_list(head) is is_own
