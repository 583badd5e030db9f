"""Rows are read whole: what is certain is put right, what is not is refused, nothing is shifted."""

import pytest
from pyarrow.csv import InvalidRow

from analyzer.report import content as report_content
from analyzer.report import table
from analyzer.report.content import Content
from analyzer.report.report import Report
from analyzer.report.report_text import ReportText, find_header
from analyzer.report.table import MOST_PROBLEMS, OddRows, is_header, mended_cells, odd_row_problem
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    COLUMNS,
    COLUMNS_OF_2014,
    MORE_CREDENTIALS,
    a_certificate,
    a_key,
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
    problem_of,
    problems_of,
    reasons,
    report_of,
    rows,
    verdicts,
    with_cells,
)

OTHER = of_account(OTHER_ACCOUNT, a_user("eve"))
OTHER_HEADER, OTHER_ROOT, EVE = OTHER.split("\n")
ROOT_ARN, USER_ARN = f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:iam::{ACCOUNT}:user/"
OWN_FILE = "Give the reports as files of their own."


def judged(text: str) -> dict[str, str]:
    return verdicts(report_of(text))


def accounts(report: Report) -> list[tuple[str, int, int, int]]:
    """Return the accounts of a file with their rows, roots and users."""
    (file,) = report.files
    return [(each.account, each.rows, each.roots, each.user_count) for each in file.accounts]


# Names with commas, quotes


@pytest.mark.no_cover
def test_a_name_with_commas_is_read_whole_whether_aws_quotes_it_or_not() -> None:
    names = ("a,b", "last,first,middle", ",", "a,,b", "trailing,", ",leading")
    for path in ("", "a,b/c,d/", ",/", 'say"so"/'):
        text = report_text([*(a_user(name, path=path) for name in names), *TWO_USERS])
        for written in (text, text.replace('"', ""))[: 1 if '"' in path else 2]:
            report = report_of(written)
            arns = {each["user"]: each["arn"] for each in cells(report) if each["user"] in names}
            assert arns == {name: f"{USER_ARN}{path}{name}" for name in names}
            assert verdicts(report) == {**dict.fromkeys(names, "unused"), **VERDICTS}
            assert rows(report) == dict(zip([*names, "ann", "bob"], range(3, 11), strict=True))


def test_any_number_of_names_may_have_commas() -> None:
    names = [f"a,{number}" for number in range(1500)]
    text = report_text([a_user(name) for name in names]).replace('"', "")
    assert rows(report_of(text)) == {name: row for row, name in enumerate(names, start=3)}


def test_names_that_look_like_nothing_or_like_numbers_are_names() -> None:
    names = ("NA", "null", "None", "nan", "NaN", "007", "1e5", "true", "inf", "-", "1_000", "0x10")
    text = report_text(map(a_user, names))
    for each in (text, lines(*(row for row in text.split("\n") if row != ROOT))):
        assert judged(each) == dict.fromkeys(names, "unused")


NOT_EXPLAINED = (
    f"a,b,{USER_ARN}a",  # the ARN is of another name
    f"a,b,ARN{USER_ARN[3:]}a,b",
    *("a,b,", "a,b,c", f",{USER_ARN}"),
)


def test_a_row_with_more_cells_is_refused_if_the_name_does_not_explain_them() -> None:
    rest = BOB.split(",", maxsplit=2)[2]
    for user in NOT_EXPLAINED:
        row = f"{user},{rest}" if user.count(",") > 1 else f"{user},x,{rest}"
        found = problem_of(lines(HEADER, ROOT, row, ANN))
        assert (found.row, found.value) == (3, row[:80])
        assert found.message == f"the row has {row.count(',') + 1} cells, the header 22"
        assert "put quotes round the cell that holds a separator" in found.hint


def test_signs_that_separate_or_quote_elsewhere_are_read_as_they_stand() -> None:
    semicolons = report_text([a_user("x")]).replace(",", ";").replace("user/x", "user/a,b")
    assert judged(semicolons.replace("\nx;", "\na,b;")) == {"a,b": "unused"}
    report = report_of(report_text([a_user("two\nlines")] + TWO_USERS))
    assert verdicts(report) == ({"two\nlines": "undetermined"} | VERDICTS)
    assert rows(report) == {"two\nlines": 3, "ann": 4, "bob": 5}
    paths = ('say"so"/', "it's/", "a;b/", "x\\y/", "$`<>|/")
    users = [a_user(f"eve{number}", path=path) for number, path in enumerate(paths)]
    assert set(judged(report_text(users)).values()) == {"unused"}
    quote = report_of(report_text([a_user("eve", path="X/")]).replace("X/", 'a"b/'))
    assert [each["arn"] for each in cells(quote)] == [f'{USER_ARN}a"b/eve']
    owners = ["owner,", '"a, b",', '"c\nd",x', '"e ""f""",']
    owned = map(",".join, zip((HEADER, ROOT, ANN, BOB), owners, strict=True))
    assert cells(report_of(lines(*owned))) == plain_cells()
    comma = with_cells(BOB, user="b,b", arn=f"{USER_ARN}b,b")
    owned = map(",".join, zip((HEADER, ROOT, ANN, comma), ("owner", '"a"', "b", "c"), strict=True))
    assert judged(lines(*owned)) == {"ann": "active", "b,b": "unused"}
    more = "3 more keys;\n" + "see the console; " * 10
    user = a_user("eve", additional_credentials_info=more)
    root = the_root(additional_credentials_info="")
    text = report_text([user], root=root, columns=(*COLUMNS, MORE_CREDENTIALS))
    assert judged(text) == {"eve": "unused"}


def test_a_name_with_a_sign_that_separates_is_put_right_only_for_commas() -> None:
    row = BOB.replace("bob", "ops,backup")
    mended = report_of(lines(PLAIN, row))
    assert verdicts(mended) == (VERDICTS | {"ops,backup": "unused"})
    note = "1 row has a comma in the user name without quotes: read as the name."
    assert f"report.csv: {note}" in mended.notes
    for separator in ";\t":
        found = problem_of(lines(PLAIN, row).replace(",", separator))
        assert (found.row, found.message) == (5, "the row has 24 cells, the header 22")


def test_moments_of_both_forms_are_shown_in_that_of_today_in_every_column() -> None:
    user = a_user("eve", key_1=a_key(used=AS_OF), certificate_1=a_certificate())
    (found,) = cells(report_of(report_text([user], form="+00:00")))
    (today,) = cells(report_of(report_text([user])))
    assert found == today
    assert found["cert_1_last_rotated"].endswith("Z")


# Several reports in one file

JOINED = {
    "the header once": lines(PLAIN, OTHER_ROOT, EVE),
    "headers repeated, a blank line between": lines(PLAIN, "", OTHER),
    "all in quotes": lines(
        report_text(TWO_USERS, quoted=True),
        of_account(OTHER_ACCOUNT, a_user("eve"), quoted=True),
    ),
    "one in quotes": lines(PLAIN, of_account(OTHER_ACCOUNT, a_user("eve"), quoted=True)),
    "a second header in upper case": lines(PLAIN, HEADER.upper(), OTHER_ROOT, EVE),
    "semicolons": lines(PLAIN, OTHER).replace(",", ";"),
}


def test_reports_of_many_accounts_in_one_file_are_all_read() -> None:
    for kind, joined in JOINED.items():
        report = report_of(joined)
        assert verdicts(report) == (VERDICTS | {"eve": "unused"}), kind
        assert accounts(report) == [(ACCOUNT, 3, 1, 2), (OTHER_ACCOUNT, 2, 1, 1)]
        assert report.rows == 5
        assert [note for note in report.notes if "No generation time" not in note] == []


def test_a_second_header_of_other_columns_or_behind_a_row_is_refused() -> None:
    found = problems_of(lines(PLAIN, report_text(TWO_USERS, columns=COLUMNS_OF_2014)))
    first, message = found[0], "a second header with other columns"
    assert (first.row, first.message, first.hint) == (5, message, OWN_FILE)
    assert str(first.value).startswith("user,arn,user_creation_time")
    assert [each.row for each in found] == [5, 6, 7, 8]
    glued = problem_of(PLAIN + OTHER)
    assert (glued.row, glued.message) == (4, message)


OTHER_ORDERS: dict[str, tuple[str, ...]] = {
    "user_creation_time": COLUMNS[:2] + COLUMNS[-1:1:-1],
    "user": (COLUMNS[1], COLUMNS[0]) + COLUMNS[2:],
    # The longest name of all stands where the ARN was.
    "arn": (COLUMNS[0], COLUMNS[12], *COLUMNS[2:12], COLUMNS[1], *COLUMNS[13:]),
}


def test_a_second_header_of_another_order_is_refused() -> None:
    for column, order in OTHER_ORDERS.items():
        found = problem_of(lines(PLAIN, report_text(TWO_USERS, columns=order)))
        assert (found.row, found.column, found.hint) == (5, column, OWN_FILE)
        assert found.value == order[COLUMNS.index(column)]
        assert found.message == "a second header starts here, with its columns in another order"


def test_a_row_is_a_header_if_it_names_more_than_two_columns() -> None:
    for third, is_one in (("x", False), ("mfa_active", True)):
        assert is_header(("user", "arn", third)) is is_one


# Roots

NOT_SUPPORTED = dict.fromkeys(("password_enabled", "password_last_changed"), "not_supported")
WITHOUT_PASSWORD = dict.fromkeys(("password_last_used", "password_last_changed"), "N/A")
ROOTS: dict[str, dict[str, str]] = {
    "today's": {},
    "that of old reports": NOT_SUPPORTED,
    "without brackets": {"user": "root_account"},
    "by its short name": {"user": "root"},
    "escaped": {"user": "&lt;root_account&gt;"},
    "taken for markup": {"user": ""},
    "of a member account": {"password_enabled": "false"} | WITHOUT_PASSWORD,
    "in China": {"arn": "arn:aws-cn:iam::012345678901:root"},
}


@pytest.mark.no_cover
def test_the_root_is_known_in_all_its_forms_and_is_no_user() -> None:
    for kind, root in ROOTS.items():
        text, account = report_text(TWO_USERS, root=the_root(**root)), ACCOUNT
        if "arn" in root:
            text, account = text.replace(":aws:", ":aws-cn:"), f"aws-cn:{ACCOUNT}"
        report = report_of(text)
        assert verdicts(report) == VERDICTS, kind
        assert accounts(report) == [(account, 3, 1, 2)]


def test_a_root_by_name_is_no_user_whatever_its_arn() -> None:
    rows = [with_cells(ROOT, arn=arn) for arn in ("N/A", "", f"{USER_ARN}admin", "arn:aws:i")]
    for row in (with_cells(BOB, user="<root_account>"), *rows):
        report = report_of(lines(HEADER, row, ANN))
        assert verdicts(report) == {"ann": "active"}
        assert [len(page) for page in report.roots()] == [1]


def test_who_bears_the_arn_of_a_root_is_a_user_that_nobody_can_judge() -> None:
    row = with_cells(BOB, user="alice", arn=ROOT_ARN)
    report = report_of(lines(HEADER, row, row, ANN))
    assert verdicts(report) == {"alice": "undetermined", "ann": "active"}
    assert reasons(report)["alice"] == f'arn "{ROOT_ARN}" is not understood'
    (account,) = report.files[0].accounts
    assert (account.roots, account.repeated, account.user_count) == (0, 1, 2)
    among = report_of(lines(PLAIN, row, OTHER))
    assert verdicts(among)["alice"] == "undetermined"
    assert accounts(among)[0] == (ACCOUNT, 4, 1, 3)


# Blank rows, quotes that do not close, rows that are cut


def test_blank_rows_are_no_users_but_a_row_is_no_blank_one_if_anything_is_in_it() -> None:
    for blank in ("\t", " ," * 21, ",", '""' + "," * 21):
        report = report_of(lines(HEADER, ROOT, ANN, blank, BOB, blank, blank, ""))
        assert (verdicts(report), report.rows) == (VERDICTS, 3)
    found = problem_of(lines(PLAIN, "," * 20 + "x,N/A"))
    assert (found.row, found.message) == (5, "the ARN names no account of 12 digits")


def test_a_row_that_no_report_can_have_is_refused() -> None:
    found = problem_of(lines(PLAIN, "x," * 40_000))
    assert (found.row, "cells" in found.message) == (5, True), found
    found = problem_of(lines(PLAIN, '"ann\nx",b,c'))
    assert (found.row, "a quote opens in this row" in found.message) == (5, True), found


def opened(row: str, column: str) -> str:
    """Return the row with a quote before the cell in this column."""
    return with_cells(row, **{column: '"' + row.split(",")[COLUMNS.index(column)]})


@pytest.mark.parametrize("column", [*COLUMNS[:2], "mfa_active", *COLUMNS[-2:]])
def test_a_quote_that_never_closes_or_only_rows_later_hides_nobody(column: str) -> None:
    for end in ("", "\n"):
        found = problem_of(lines(HEADER, ROOT, opened(ANN, column), BOB, EVE) + end)
        assert (found.row, len(str(found.value))) == (3, 80)
        assert "a quote opens in this" in found.message
        assert found.hint == "Give the report as AWS made it, or close the quote."
        assert found.column == (column if column == COLUMNS[-1] else None)
    later = opened(EVE, column), OTHER_ROOT
    found = problem_of(lines(HEADER, ROOT, opened(ANN, column), BOB, *later))
    assert (found.row, found.column, "only rows later" in found.message) == (3, column, True)


def test_a_quote_that_never_closes_in_a_column_of_ones_own_hides_nobody() -> None:
    for name, told in (("owner", "owner"), ("Row", '"row"'), ("file", '"file"')):
        for step, end in ((1, '"d'), (-1, "d")):  # the first column or the last
            owned = zip((name, "a", '"b', "c", end), (HEADER, ROOT, ANN, BOB, EVE), strict=True)
            found = problem_of(lines(*(",".join(each[::step]) for each in owned)))
            assert (found.row, found.column) == (3, told)


def test_a_cell_is_searched_for_swallowed_rows_if_it_is_longer_than_what_is_shown() -> None:
    def text(length: int) -> str:
        more = f'"\narn:{"x" * (length - 5)}"'
        owned = zip((HEADER, ROOT, ANN, BOB), (MORE_CREDENTIALS, "", more, ""), strict=True)
        return lines(*map(",".join, owned))

    assert judged(text(80)) == VERDICTS
    assert problem_of(text(81)).column == MORE_CREDENTIALS


def test_a_row_is_put_right_up_to_the_length_that_no_row_has() -> None:
    row = BOB.replace("bob", "b,b")
    longest = row + "x" * ((1 << 16) - len(row))
    assert judged(lines(PLAIN, longest, EVE))["b,b"] == "unused"
    found = problem_of(lines(PLAIN, longest + "x", EVE))
    assert found.message == "the row has 24 cells, the header 22"


def test_an_odd_row_is_mended_dropped_or_named_by_itself() -> None:
    """Arrow calls for each odd row, in a thread that no measure of coverage sees."""
    content = lines(PLAIN, "eve,arn").encode()
    header = find_header("report.csv", content)
    text = ReportText(name="report.csv", header=header, content=Content(content))
    comma = BOB.replace("bob", "b,b")
    assert mended_cells(header, comma) == ["b,b", f"{USER_ARN}b,b"] + BOB.split(",")[2:]
    assert mended_cells(header, " ,,") == []
    of_length = f"the row has {{}} cells, the header {len(header.names)}"
    named = {
        "x" * (1 << 16) + ",y": of_length.format(2),
        comma.replace("arn:", "urn:"): of_length.format(24),
        comma.replace("/b,b", "/c,c"): of_length.format(24),
        HEADER + ",more": "a second header with other columns",
        '"\n': "a quote opens in this row and does not close, or only rows later",
        "eve,arn": "the file is cut off in the middle of this row",
    }
    for row, message in named.items():
        assert mended_cells(header, row) is None, message
        found = odd_row_problem(text, 9, row, content)
        assert (found.row, found.message, found.value) == (9, message, row[:80])


def test_arrow_skips_odd_rows_until_too_many_are_broken() -> None:
    odd = OddRows(find_header("report.csv", PLAIN.encode()), before=10)

    def answer(number: int, text: str) -> str:
        return odd(InvalidRow(22, text.count(",") + 1, number, text))

    assert [answer(1, BOB.replace("bob", "b,b")), answer(2, ",,")] == ["skip", "skip"]
    assert [row["user"] for row in odd.mended] == ["b,b"]
    assert {answer(3, "x,y") for _ in range(MOST_PROBLEMS)} == {"skip"}
    assert answer(4, "x,y") == "error"
    assert odd.broken[:1] == [(13, "x,y")]
    assert odd.numbers[:3] == [11, 12, 13]


def test_every_row_of_another_length_is_named_up_to_a_thousand() -> None:
    found = problems_of(lines(HEADER, ROOT, "short,row", ANN, ANN + ",more", BOB))
    assert [(each.row, each.value, each.message) for each in found] == [
        (3, "short,row", "the row has 2 cells, the header 22"),
        (5, (ANN + ",more")[:80], "the row has 23 cells, the header 22"),
    ]
    found = problems_of(lines(HEADER, ROOT, *["x,y"] * 3000))
    assert [(each.row, each.more_rows) for each in found] == [(3, 1000)]
    assert "and at least 1,000 more like it" in str(found[0])


def test_a_row_longer_than_what_is_read_at_once_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_content, "BLOCK_BYTES", 300)
    long = with_cells(BOB, access_key_1_last_used_region="x" * 700)
    found = problem_of(lines(PLAIN, long, EVE))
    assert (found.row, found.message) == (5, "the row is longer than 300 bytes")
    assert found.hint == "Download the report again, or save the AWS CLI's output again."


@pytest.mark.parametrize("column", [*COLUMNS[:2], "mfa_active", *COLUMNS[-2:]])
@pytest.mark.parametrize("before", [(), (BOB,), (BOB, "", BOB.replace("bob", "b,b"), ",,", BOB)])
def test_a_quote_before_more_than_is_read_at_once_is_refused_by_its_row(
    monkeypatch: pytest.MonkeyPatch, column: str, before: tuple[str, ...]
) -> None:
    monkeypatch.setattr(report_content, "BLOCK_BYTES", 300)
    for quoted in ("", BOB.replace("bob", '"bob"')):
        for later in (BOB, opened(EVE, column)):
            rows = [row for row in (ROOT, *before, quoted, opened(ANN, column)) if row]
            found = problem_of(lines(HEADER, *rows, *[BOB] * 9, later, *[BOB] * 9))
            assert (found.row, found.column) == (1 + len(rows), None)
            assert (
                found.message == "a quote opens in this row and does not close, or only rows later"
            )
            assert found.hint == "Give the report as AWS made it, or close the quote."


@pytest.mark.parametrize("last", ["j,j", "k", '"k"'])
def test_a_mended_row_stands_where_it_stood(monkeypatch: pytest.MonkeyPatch, last: str) -> None:
    names = ["a", "b,b", "c", "d", "e", "f,f", "g", "h", "i,i", last]
    text = lines(HEADER, ROOT, *(BOB.replace("bob", name) for name in names))
    for block in (1 << 20, 900, 450, 300):
        monkeypatch.setattr(report_content, "BLOCK_BYTES", block)
        monkeypatch.setattr(table, "SLICE_ROWS", block // 300)
        report = report_of(text)
        in_order = [*rows(report).items()]
        assert in_order == [(name.strip('"'), row) for row, name in enumerate(names, start=3)]


TURNED = report_text([a_user("a,b")], columns=(*COLUMNS[1:], COLUMNS[0])).replace('"', "")
OTHER_FIRST = HEADER.removeprefix("user,").replace("arn", "owner,arn", 1) + ",user"
NAME_LAST = (f"{row},{row.partition(',')[0]}" for row in (ROOT, BOB.replace("bob", "b,b")))
REFUSED = {
    "another column first": (TURNED, 3, "the row has 24 cells, the header 22"),
    "the name last": (lines(OTHER_FIRST, *NAME_LAST), 3, "the row has 25 cells, the header 23"),
    "a quote alone": (lines(PLAIN, '"'), 5, "the file is cut off in the middle of this row"),
    "a cut row": (PLAIN.rpartition(",")[0] + "\n" + ANN, 4, "the row has 21 cells, the header 22"),
    "a long cell": (lines(PLAIN, "x," + "y" * 200_000), 5, "the file is cut off in the middle"),
}


def test_a_row_that_is_not_whole_is_refused() -> None:
    for kind, (text, row, message) in REFUSED.items():
        found = problem_of(text)
        assert (found.row, len(str(found.value)) <= 80) == (row, True), kind
        assert found.message.startswith(message)
