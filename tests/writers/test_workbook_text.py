"""Text stays text in the workbook: nothing that stands in a report is read as something else."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analyzer.report.model import TEXT, AccountName
from analyzer.writers.workbook.cell_xml import (
    CUT,
    LONGEST,
    Formula,
    blank,
    cell,
    moments,
    number,
    numbers,
    text,
    texts,
    words,
)
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    COLUMNS,
    MORE_CREDENTIALS,
    Row,
    a_user,
)
from tests.support.outputs import analysis_of, exemptions_of
from tests.support.workbooks import (
    file_of,
    needs_libreoffice,
    opened,
    parts,
    records,
    review_book_of,
    seen_by_libreoffice,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time

PLAIN = ("=1+1", "+A1", "-1", "@SUM", "a,b", "NA", "null", "007", "1e5", "x" * 64, "_x_", "x0041_")
ESCAPED = {
    "_x0041_": "_x005F_x0041_",
    "a\x01b": "a_x0001_b",
    "a\x1bb": "a_x001B_b",
    "a\rb": "a_x000D_b",
}
MARKED_UP = ("<b>x</b>", "a&b", ' "quoted" ', "a\nb", "a\tb", "naïve", "日本", "😀")


def arn_of(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


def user_named(name: str) -> Row:
    return a_user(name, arn=arn_of(name))


@pytest.fixture(scope="module")
def file() -> bytes:
    """Write users of all names once."""
    rows = [*map(user_named, (*PLAIN, *MARKED_UP, *ESCAPED)), a_user("exempt")]
    rows[-1][MORE_CREDENTIALS] = "=HYPERLINK(1)"
    columns = (*COLUMNS, MORE_CREDENTIALS)
    return file_of(analysis_of(rows, exemptions_of("*,exempt,=1+1,@owner,"), columns=columns))


def test_a_name_reads_back_as_it_was_or_spelled_as_excel_does_and_stays_text_when_edited(
    file: bytes,
) -> None:
    arns = {each: arn_of(each) for each in (*PLAIN, *MARKED_UP, *ESCAPED.values(), "exempt")}
    for title, names in (("Unused users", {*PLAIN, "_x005F_x0041_"}), ("All users", {*arns})):
        sheet = opened(file)[title]
        listed = records(sheet)
        assert {row["User"]: row["ARN"] for row in listed} == {each: arns[each] for each in names}
        assert {row["Account"] for row in listed} == {ACCOUNT}
        for row in sheet.iter_rows(min_row=2, max_col=2):
            assert {each.data_type for each in row} == {"s"}
            assert all(each.quotePrefix for each in row)


@pytest.mark.parametrize(
    "value",
    [*PLAIN, *ESCAPED, *MARKED_UP, "", " a", "a ", "a |b", "|", "\u200b", "\ufffe", "y" * LONGEST],
    ids=ascii,
)
def test_a_text_is_the_same_cell_alone_and_among_plain_ones(value: str) -> None:
    for values in ([value], ["plain", value, "plain"], [value, value]):
        assert texts(values, 3).to_pylist() == [text(each, 3) for each in values]
        assert words(values, lambda _: 3).to_pylist() == [text(each, 3) for each in values]


def test_each_word_has_its_own_style_and_a_missing_one_is_an_empty_cell() -> None:
    style = {"": 0, "a": 1, "b": 2}.__getitem__
    expected = [text("b", 2), blank(0), text("a", 1)]
    category = pd.Series(["b", None, "a"], dtype="category")
    large = category.cat.set_categories([*"abcdef"])
    for each in (category, large, category.astype(TEXT)):
        assert words(each, style).to_pylist() == expected


def test_whole_numbers_are_cells_and_what_is_negative_is_empty() -> None:
    assert numbers(np.array([0, 7, 45_000]), 3).to_pylist() == [
        number(each, 3) for each in (0, 7, 45_000)
    ]
    assert numbers(np.array([-1]), 3).to_pylist() == [blank(3)]
    assert texts([], 3).to_pylist() == numbers(np.array([], np.int64), 3).to_pylist() == []


@pytest.mark.parametrize(
    "moment",
    ["2026-03-01T09:30:07", "2026-03-01T00:00:00", "1970-01-01T00:00:01", "1900-01-01T12:00:00"],
)
def test_a_moment_is_the_same_cell_alone_and_in_a_column(moment: str) -> None:
    alone = cell(datetime.fromisoformat(moment).replace(tzinfo=UTC), 3)
    dates = np.array([moment, "NaT", "1899-12-29", moment], "datetime64[s]")
    otherwise = text("never", 4)
    assert moments(dates, 3, otherwise).to_pylist() == [alone, otherwise, otherwise, alone]
    assert moments(dates[:1], 3, otherwise).to_pylist() == [alone]


def test_excel_does_not_warn_of_accounts_that_look_like_numbers(file: bytes) -> None:
    for sheet in ("sheet1", "sheet2", "sheet3"):
        part = parts(file)[f"xl/worksheets/{sheet}.xml"]
        assert b'numberStoredAsText="1"/></ignoredErrors><' in part


def test_an_exemption_and_free_text_of_the_report_stay_text(file: bytes) -> None:
    book = opened(file)
    (row,) = records(book["Exempt"])
    assert (row["Exempt because"], row["Exemption owner"]) == ("=1+1", "@owner")
    *_, last = book["All users"].iter_rows()
    assert "=HYPERLINK(1)" in [cell.value for cell in last]
    assert not any(cell.data_type == "f" for cell in last)


@needs_libreoffice
def test_libreoffice_shows_every_name_as_it_is(tmp_path: Path) -> None:
    names = [*PLAIN, *MARKED_UP, "_x0041_"]
    seen = seen_by_libreoffice(tmp_path, file_of(analysis_of(map(user_named, names))))
    assert [row[1] for row in seen["All users"][1:]] == names
    assert {row[0] for row in seen["All users"][1:]} == {ACCOUNT}


def xml_text(spelled: str) -> str:
    (found,) = ET.fromstring(f"<c{spelled}").iter("t")
    return found.text or ""


def test_a_text_longer_than_a_cell_is_cut_with_a_mark() -> None:
    shown = xml_text(text("x" * (LONGEST + 1), 1))
    assert len(shown) == LONGEST
    assert shown.endswith(CUT)


@pytest.mark.parametrize("long", ["x" * LONGEST, "😀" * (LONGEST // 2)])
def test_a_text_as_long_as_a_cell_is_whole(long: str) -> None:
    assert xml_text(text(long, 1)) == long


def test_a_text_of_wide_characters_is_cut_between_them() -> None:
    shown = xml_text(text("😀" * LONGEST, 1))
    assert shown == "😀" * ((LONGEST - len(CUT)) // 2) + CUT


def test_empty_text_is_an_empty_cell() -> None:
    assert text("", 3) == blank(3) == ' s="3"/>'


def test_values_are_spelled_by_what_they_are() -> None:
    assert cell("a", 1) == text("a", 1)
    assert cell(7, 1) == number(7, 1) == ' s="1"><v>7</v></c>'
    assert cell(AS_OF, 1) == ' s="1"><v>46143.5</v></c>'
    assert cell(Formula("SUM(A1:A2)", 3), 1) == ' s="1"><f>SUM(A1:A2)</f><v>3</v></c>'
    assert cell(Formula('IF(A1<2,"&","")', "&"), 1) == (
        ' s="1" t="str"><f>IF(A1&lt;2,"&amp;","")</f><v>&amp;</v></c>'
    )


def test_a_name_of_an_account_that_no_file_or_header_can_hold_is_spelled_out_and_cut() -> None:
    odd = AccountName(name="bad\x01\udcff\ufffe\n&<>", owner="\x1b[31mred")
    assert odd == AccountName(name=r"bad\x01\udcff\ufffe\n&<>", owner=r"\x1b[31mred")
    long = replace(odd, name=f"{odd.name}{'R&&&D' * 60}")
    analysis = analysis_of([a_user("ann")])
    report = replace(analysis.report, account_names={ACCOUNT: long})
    book = review_book_of(replace(analysis, report=report))
    assert long.name in str(book["Summary"]["A2"].value)
    assert {long.name, odd.owner} <= {cell.value for cell in book["Unused users"][2]}
    header = str(book["Summary"].oddHeader)
    assert len(header) <= 255  # Excel refuses a longer one
    assert "R&&&&&&DR&&" in header
