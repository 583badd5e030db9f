"""Rows are read whole: what is certain is put right, what is not is refused, nothing is shifted."""

from pathlib import Path

import pytest

from analyzer import load
from analyzer.report import rows as reading_of_rows
from tests.support.builders import (
    COLUMNS,
    COLUMNS_OF_2014,
    FORMS,
    MORE_CREDENTIALS,
    a_user,
    report_text,
    the_root,
)
from tests.support.reading import (
    ANN,
    BOB,
    HEADER,
    OTHER_ACCOUNT,
    PLAIN,
    ROOT,
    TWO_USERS,
    VERDICTS,
    cells,
    lines,
    of_account,
    plain_cells,
    problem,
    put,
    read,
    reasons,
    refused,
    rows,
    verdicts,
    with_cells,
)

OTHER = of_account(OTHER_ACCOUNT, a_user("eve"))
OTHER_HEADER, OTHER_ROOT, EVE = OTHER.split("\n")


def named(*names: str, path: str = "", quoted: bool) -> str:
    """Return the report with more users, their names and ARNs in quotes only where wanted."""
    text = report_text([*(a_user(name, path=path) for name in names), *TWO_USERS])
    return text if quoted else text.replace('"', "")


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("quoted", "path"),
    [(True, ""), (True, 'say"so"/'), (False, ""), (False, "a,b/c,d/"), (False, ",/")],
)
def test_a_name_with_commas_is_read_whole_whether_aws_quotes_it_or_not(
    tmp_path: Path, path: str, *, quoted: bool
) -> None:
    names = ("a,b", "last,first,middle", ",", "a,,b", "trailing,", ",leading")
    report = read(tmp_path, named(*names, path=path, quoted=quoted))
    arns = {each["user"]: each["arn"] for each in cells(report) if each["user"] in names}
    assert arns == {name: f"arn:aws:iam::012345678901:user/{path}{name}" for name in names}
    assert verdicts(report) == {**dict.fromkeys(names, "unused"), **VERDICTS}
    assert rows(report) == dict(zip([*names, "ann", "bob"], range(3, 11), strict=True))


def test_a_comma_needs_no_quotes_between_semicolons(tmp_path: Path) -> None:
    text = report_text([a_user("x")]).replace(",", ";").replace("user/x", "user/a,b")
    report = read(tmp_path, text.replace("\nx;", "\na,b;"))
    assert verdicts(report) == {"a,b": "unused"}


def test_any_number_of_names_may_have_commas(tmp_path: Path) -> None:
    names = [f"a,{number}" for number in range(1500)]
    text = report_text([a_user(name) for name in names]).replace('"', "")
    assert rows(read(tmp_path, text)) == {name: row for row, name in enumerate(names, start=3)}


@pytest.mark.parametrize(
    "user",
    [
        "a,b,arn:aws:iam::012345678901:user/a",  # the ARN is of another name
        "a,b,ARN:aws:iam::012345678901:user/a,b",
        "a,b,",
        "a,b,c",
        ",arn:aws:iam::012345678901:user/",
    ],
)
def test_a_row_with_more_cells_is_refused_if_the_name_does_not_explain_them(
    tmp_path: Path, user: str
) -> None:
    rest = BOB.split(",", maxsplit=2)[2]
    row = f"{user},{rest}" if user.count(",") > 1 else f"{user},x,{rest}"
    found = problem(tmp_path, lines(HEADER, ROOT, row, ANN))
    assert (found.row, found.value) == (3, row[:80])
    assert found.message == f"the row has {row.count(',') + 1} cells, the header 22"
    assert "put quotes round the cell that holds a separator" in found.hint


def test_a_name_with_commas_is_refused_where_another_column_comes_first(tmp_path: Path) -> None:
    turned = (*COLUMNS[1:], COLUMNS[0])
    text = report_text([a_user("a,b")], columns=turned).replace('"', "")
    assert problem(tmp_path, text).message == "the row has 24 cells, the header 22"


def test_a_name_with_a_line_break_in_quotes_is_one_row(tmp_path: Path) -> None:
    report = read(tmp_path, report_text([a_user("two\nlines"), *TWO_USERS]))
    assert verdicts(report) == {"two\nlines": "undetermined", **VERDICTS}
    assert rows(report) == {"two\nlines": 3, "ann": 4, "bob": 5}


def test_a_path_may_hold_any_printable_sign(tmp_path: Path) -> None:
    paths = ('say"so"/', "it's/", "a;b/", "x\\y/", "$`<>|/")
    users = [a_user(f"eve{number}", path=path) for number, path in enumerate(paths)]
    assert set(verdicts(read(tmp_path, report_text(users))).values()) == {"unused"}


def test_a_quote_within_an_unquoted_cell_stands_for_itself(tmp_path: Path) -> None:
    report = read(tmp_path, report_text([a_user("eve", path="X/")]).replace("X/", 'a"b/'))
    assert [each["arn"] for each in cells(report)] == ['arn:aws:iam::012345678901:user/a"b/eve']


JOINED = {
    "the header once": lines(PLAIN, OTHER_ROOT, EVE),
    "headers repeated, a blank line between": lines(PLAIN, "", OTHER),
    "glued, for AWS ends no last row": PLAIN + OTHER,
    "with a byte order mark in the middle": lines(PLAIN, "\ufeff" + OTHER),
    "both marked": "\ufeff" + PLAIN + "\ufeff" + OTHER,
    "all in quotes": report_text(TWO_USERS, quoted=True)
    + of_account(OTHER_ACCOUNT, a_user("eve"), quoted=True),
    "a second header in quotes": lines(
        PLAIN, of_account(OTHER_ACCOUNT, a_user("eve"), quoted=True)
    ),
    "a second header in upper case": lines(PLAIN, HEADER.upper(), OTHER_ROOT, EVE),
    "glued, with CRLF": (PLAIN + OTHER).replace("\n", "\r\n"),
    "semicolons": (PLAIN + OTHER).replace(",", ";"),
}


@pytest.mark.no_cover
@pytest.mark.parametrize("joined", JOINED.values(), ids=JOINED)
def test_reports_of_many_accounts_in_one_file_are_all_read(tmp_path: Path, joined: str) -> None:
    report = read(tmp_path, joined)
    assert verdicts(report) == {**VERDICTS, "eve": "unused"}
    (file,) = report.files
    assert [(each.account, each.rows, each.roots, each.users) for each in file.accounts] == [
        ("012345678901", 3, 1, 2),
        (OTHER_ACCOUNT, 2, 1, 1),
    ]
    assert report.rows == 5
    assert len([note for note in report.notes if "No generation time" not in note]) == 0


def test_both_forms_of_timestamps_may_stand_in_one_file(tmp_path: Path) -> None:
    mixed = lines(*(of_account(str(10**11 + n), *TWO_USERS, form=FORMS[n]) for n in (0, 1)))
    first, second, third, fourth = cells(read(tmp_path, mixed))
    assert first["user_creation_time"] == "2023-08-05T12:00:00Z"
    for one, other in ((first, third), (second, fourth)):
        left = {"row", "arn"}
        assert {k: v for k, v in one.items() if k not in left} == {
            k: v for k, v in other.items() if k not in left
        }


OLD_ROOT = {"password_enabled": "not_supported", "password_last_changed": "not_supported"}
ROOTS: dict[str, dict[str, str]] = {
    "today's": {},
    "that of old reports": OLD_ROOT,
    "without brackets": {"user": "root_account"},
    "by its short name": {"user": "root"},
    "escaped": {"user": "&lt;root_account&gt;"},
    "taken for markup": {"user": ""},
    "of a member account without root credentials": {
        "password_enabled": "false",
        "password_last_used": "N/A",
        "password_last_changed": "N/A",
    },
    "in China": {"arn": "arn:aws-cn:iam::012345678901:root"},
    "in GovCloud": {"arn": "arn:aws-us-gov:iam::012345678901:root"},
}


@pytest.mark.no_cover
@pytest.mark.parametrize("root", ROOTS.values(), ids=ROOTS)
def test_the_root_is_known_in_all_its_forms_and_is_no_user(
    tmp_path: Path, root: dict[str, str]
) -> None:
    report = read(tmp_path, report_text(TWO_USERS, root=the_root(**root)))
    assert verdicts(report) == VERDICTS
    (account,) = report.files[0].accounts
    assert (account.account, account.rows, account.roots) == ("012345678901", 3, 1)


def test_a_root_by_name_is_no_user_whatever_its_arn(tmp_path: Path) -> None:
    row = with_cells(BOB, user="<root_account>")
    report = read(tmp_path, lines(HEADER, row, ANN))
    assert verdicts(report) == {"ann": "active"}
    assert [len(page) for page in report.roots()] == [1]


@pytest.mark.no_cover
@pytest.mark.parametrize("among", [[], ["plain.csv"]])
def test_a_root_by_arn_but_of_another_name_is_a_user_that_nobody_can_judge(
    tmp_path: Path, among: list[str]
) -> None:
    for name in among:
        put(tmp_path, OTHER, name)
    arn = "arn:aws:iam::012345678901:root"
    put(tmp_path, lines(PLAIN, with_cells(BOB, user="alice", arn=arn)))
    report = load(tmp_path)
    assert verdicts(report)["alice"] == "undetermined"
    assert f'arn "{arn}" is not understood' in reasons(report)["alice"]
    assert {each.account: each.users for file in report.files for each in file.accounts}[
        "012345678901"
    ] == 3


def test_who_bears_the_arn_of_a_root_does_not_stand_for_the_root(tmp_path: Path) -> None:
    row = with_cells(BOB, user="alice", arn="arn:aws:iam::012345678901:root")
    report = read(tmp_path, lines(HEADER, row, row, ANN))
    assert verdicts(report) == {"alice": "undetermined", "ann": "active"}
    assert reasons(report)["alice"] == f'arn "{row.split(",")[1]}" is not understood'
    (account,) = report.files[0].accounts
    assert (account.roots, account.repeated, account.users) == (0, 1, 2)


def test_a_report_of_an_account_without_users_is_a_report(tmp_path: Path) -> None:
    report = read(tmp_path, lines(HEADER, ROOT))
    assert verdicts(report) == {}
    assert report.rows == 1


def test_a_second_header_of_other_columns_is_refused(tmp_path: Path) -> None:
    older = report_text(TWO_USERS, columns=COLUMNS_OF_2014)
    found = refused(put(tmp_path, lines(PLAIN, older)))
    first = found[0]
    assert (first.row, first.message) == (5, "a second header with other columns")
    assert first.hint == "Give the reports as files of their own."
    assert str(first.value).startswith("user,arn,user_creation_time")
    assert [each.row for each in found] == [5, 6, 7, 8]


def test_a_second_header_of_other_columns_is_found_where_it_is_glued(tmp_path: Path) -> None:
    newer = f"{HEADER},{MORE_CREDENTIALS}"
    first, second = refused(put(tmp_path, lines(PLAIN + newer, EVE + ",")))
    assert (first.row, first.message) == (4, "a second header with other columns")
    assert (second.row, second.message) == (5, "the row has 23 cells, the header 22")


@pytest.mark.parametrize(
    ("order", "column"),
    [
        ((*COLUMNS[:2], *COLUMNS[-1:1:-1]), "user_creation_time"),
        ((COLUMNS[1], COLUMNS[0], *COLUMNS[2:]), "user"),
        # The longest name of all stands where the ARN was.
        ((COLUMNS[0], COLUMNS[12], *COLUMNS[2:12], COLUMNS[1], *COLUMNS[13:]), "arn"),
    ],
)
def test_a_second_header_of_another_order_is_refused(
    tmp_path: Path, order: tuple[str, ...], column: str
) -> None:
    found = problem(tmp_path, lines(PLAIN, report_text(TWO_USERS, columns=order)))
    assert (found.row, found.column) == (5, column)
    assert found.value == order[COLUMNS.index(column)]
    assert found.message == "a second header starts here, with its columns in another order"
    assert found.hint == "Give the reports as files of their own."


@pytest.mark.no_cover
@pytest.mark.parametrize("blank", ["", "\t", " ," * 21, ",", '""' + "," * 21])
def test_blank_rows_are_no_users(tmp_path: Path, blank: str) -> None:
    text = lines(HEADER, ROOT, ANN, blank, BOB, blank, blank, "")
    report = read(tmp_path, text)
    assert verdicts(report) == VERDICTS
    assert report.rows == 3


@pytest.mark.no_cover
def test_a_row_is_no_blank_one_if_anything_is_in_it(tmp_path: Path) -> None:
    report = read(tmp_path, lines(PLAIN, "," * 20 + "x,", ""))
    assert verdicts(report) == {**VERDICTS, "": "undetermined"}
    assert 'arn "" is not understood' in reasons(report)[""]


def opened(row: str, column: str) -> str:
    """Return the row with a quote before the cell in this column."""
    cells = row.split(",")
    place = COLUMNS.index(column)
    return ",".join((*cells[:place], '"' + cells[place], *cells[place + 1 :]))


@pytest.mark.no_cover
@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("column", COLUMNS)
def test_a_quote_that_never_closes_hides_nobody(tmp_path: Path, column: str, end: str) -> None:
    found = problem(tmp_path, lines(HEADER, ROOT, opened(ANN, column), BOB, EVE) + end)
    assert found.row == 3
    assert "a quote opens in this" in found.message
    assert found.hint == "Give the report as AWS made it, or close the quote."
    assert found.column == (column if column == COLUMNS[-1] else None)
    assert len(str(found.value)) == 80


@pytest.mark.no_cover
@pytest.mark.parametrize("column", COLUMNS)
def test_a_quote_that_closes_rows_later_hides_nobody(tmp_path: Path, column: str) -> None:
    found = problem(
        tmp_path, lines(HEADER, ROOT, opened(ANN, column), BOB, opened(EVE, column), OTHER_ROOT)
    )
    assert (found.row, found.column) == (3, column)
    assert "only rows later" in found.message


@pytest.mark.parametrize("place", ["first", "last"])
@pytest.mark.parametrize(
    ("name", "told"), [("owner", "owner"), ("Row", '"row"'), ("file", '"file"')]
)
def test_a_quote_that_never_closes_in_a_column_of_ones_own_hides_nobody(
    tmp_path: Path, place: str, name: str, told: str
) -> None:
    owners = [name, "a", '"b', "c", "d" if place == "last" else '"d']
    joined = [
        f"{owner},{row}" if place == "first" else f"{row},{owner}"
        for owner, row in zip(owners, (HEADER, ROOT, ANN, BOB, EVE), strict=True)
    ]
    found = problem(tmp_path, lines(*joined))
    assert (found.row, found.column) == (3, told)


def test_quotes_round_cells_of_ones_own_change_nothing(tmp_path: Path) -> None:
    owners = ["owner,", '"a, b",', '"c\nd",x', '"e ""f""",']
    joined = [f"{row},{owner}" for owner, row in zip(owners, (HEADER, ROOT, ANN, BOB), strict=True)]
    assert cells(read(tmp_path, lines(*joined))) == plain_cells()


def test_a_name_with_commas_is_read_whole_beside_quoted_cells_of_ones_own(tmp_path: Path) -> None:
    comma = with_cells(BOB, user="b", arn="arn:aws:iam::012345678901:user/b,b").replace(
        "b,", "b,b,", 1
    )
    owners = ("owner", '"a"', "b", "c")
    joined = [
        f"{row},{owner}" for owner, row in zip(owners, (HEADER, ROOT, ANN, comma), strict=True)
    ]
    assert verdicts(read(tmp_path, lines(*joined))) == {"ann": "active", "b,b": "unused"}


def test_a_line_break_in_a_long_cell_is_no_lost_quote(tmp_path: Path) -> None:
    more = "3 more keys;\n" + "see the console; " * 10
    text = report_text(
        [a_user("eve", additional_credentials_info=more)],
        root=the_root(additional_credentials_info=""),
        columns=(*COLUMNS, MORE_CREDENTIALS),
    )
    assert verdicts(read(tmp_path, text)) == {"eve": "unused"}


def test_a_quote_alone_is_no_blank_row(tmp_path: Path) -> None:
    found = problem(tmp_path, lines(PLAIN, '"'))
    assert (found.row, found.value) == (5, '"')


def test_a_row_that_is_cut_off_before_the_next_report_is_refused(tmp_path: Path) -> None:
    found = problem(tmp_path, PLAIN.rpartition(",")[0] + OTHER)
    assert (found.row, found.message) == (4, "the row has 21 cells, the header 22")


@pytest.mark.parametrize(("more", "is_read"), [(0, True), (1, False)])
def test_a_row_is_put_right_up_to_the_length_that_no_row_has(
    tmp_path: Path, more: int, *, is_read: bool
) -> None:
    row = BOB.replace("bob", "b,b")
    text = lines(PLAIN, row + "x" * ((1 << 16) - len(row) + more), EVE)
    if is_read:
        assert verdicts(read(tmp_path, text))["b,b"] == "unused"
    else:
        assert problem(tmp_path, text).message == "the row has 24 cells, the header 22"


def test_a_cell_is_searched_for_swallowed_rows_if_it_is_longer_than_what_is_shown(
    tmp_path: Path,
) -> None:
    for length in (80, 81):
        more = f'"\narn:{"x" * (length - 5)}"'
        rows = zip((HEADER, ROOT, ANN, BOB), (MORE_CREDENTIALS, "", more, ""), strict=True)
        path = put(tmp_path, lines(*map(",".join, rows)))
        if length == 80:
            assert verdicts(load(path)) == VERDICTS
        else:
            assert [each.column for each in refused(path)] == [MORE_CREDENTIALS]


@pytest.mark.parametrize(
    ("cells", "is_one"), [(("user", "arn", "x"), False), (("user", "arn", "mfa_active"), True)]
)
def test_a_row_is_a_header_if_it_names_more_than_two_columns(
    cells: tuple[str, ...], *, is_one: bool
) -> None:
    assert reading_of_rows.is_header(cells) is is_one


def test_a_comma_is_put_back_into_the_first_column_only_if_it_is_the_name(tmp_path: Path) -> None:
    header = HEADER.removeprefix("user,").replace("arn", "owner,arn", 1) + ",user"
    rows = (f"{row},{row.partition(',')[0]}" for row in (ROOT, BOB.replace("bob", "b,b")))
    found = problem(tmp_path, lines(header, *rows))
    assert (found.row, found.message) == (3, "the row has 25 cells, the header 23")


def test_every_row_of_another_length_is_named(tmp_path: Path) -> None:
    found = refused(put(tmp_path, lines(HEADER, ROOT, "short,row", ANN, ANN + ",more", BOB)))
    assert [(each.row, each.value, each.message) for each in found] == [
        (3, "short,row", "the row has 2 cells, the header 22"),
        (5, (ANN + ",more")[:80], "the row has 23 cells, the header 22"),
    ]


def test_no_more_than_a_thousand_rows_are_named(tmp_path: Path) -> None:
    found = refused(put(tmp_path, lines(HEADER, ROOT, *["x,y"] * 3000)))
    assert [each.row for each in found] == list(range(3, 1004))


def test_a_cell_of_any_length_is_refused_where_it_cannot_be(tmp_path: Path) -> None:
    found = problem(tmp_path, lines(PLAIN, "x," + "y" * 200_000))
    assert (found.row, found.value) == (5, "x," + "y" * 78)


def test_a_row_longer_than_what_is_read_at_once_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_of_rows, "BLOCK_BYTES", 300)
    long = with_cells(BOB, access_key_1_last_used_region="x" * 700)
    found = problem(tmp_path, lines(PLAIN, long, EVE))
    assert found.message == "the rows cannot be read: one is longer than 300 bytes"
    assert "perhaps a quote opens in it and does not close" in found.hint
