"""Small reports that are surveyed together say exactly what each says by itself."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from analyzer.report.rows import read_rows
from analyzer.report.survey import SurveyedReport

import analyzer
from analyzer.errors import InputRefused, Problem
from analyzer.report import assemble, selection, survey
from analyzer.report.report_text import ReportText
from analyzer.sources import load
from analyzer.sources.load import read_in_memory
from analyzer.sources.source import Source
from tests.report.test_streaming import everything
from tests.support.builders import COLUMNS, COLUMNS_OF_2014, FORMS, a_password, a_user, days_before
from tests.support.reading import HEADER, lines, of_account, put, with_cells

Patch = pytest.MonkeyPatch

ACCOUNTS = [str(10**11 + number) for number in range(40)]


def of(number: int, *, users: int = 3, **options: Any) -> str:
    """Return a report of an account of its own, whose timestamps are its own too."""
    signed_in = (a_password(days_before(number + each)) for each in range(users))
    rows = (a_user(f"u{at}", password=each) for at, each in enumerate(signed_in))
    return of_account(ACCOUNTS[number], *rows, **options)


def changed(text: str, **cells: str) -> str:
    """Return the report with other cells in its last row."""
    before, row = text.rsplit("\n", 1)
    return lines(before, with_cells(row, **cells))


KINDS: dict[str, Callable[[int], str]] = {
    "plain": of,
    "no user": lambda number: of(number, users=0),
    "ends its last row": lambda number: of(number) + "\n",
    "blank lines": lambda number: of(number).replace("\n", "\n\n") + "\n\n",
    "CRLF": lambda number: of(number).replace("\n", "\r\n"),
    "lines before the header": lambda number: "sep=,\n\n" + of(number),
    "other form of moments": lambda number: of(number, form=FORMS[1]),
    "two accounts": lambda number: lines(of(number), of_account("9" * 12, a_user(f"n{number}"))),
    "odd ARN": lambda number: changed(of(number), arn="none"),
    "ARN of no account": lambda number: changed(of(number), arn="arn:aws:iam::user/u2"),
    "blank cells": lambda number: of(number) + "\n" + "," * HEADER.count(","),
    "header again": lambda number: lines(of(number), HEADER, changed(of(number), user="u9")),
    "comma in a name": lambda number: of(number).replace("u1", "u,1"),
    "quotes": lambda number: of(number).replace("u1", '"u1"', 1),
    "semicolons": lambda number: of(number).replace(",", ";"),
    "no ARNs": lambda number: of(number, columns=[each for each in COLUMNS if each != "arn"]),
    "columns of 2014": lambda number: of(number, columns=COLUMNS_OF_2014),
}
SWALLOWED = "\nu9,arn:aws:iam" + ",N/A" * 20 + '"'
REFUSED: dict[str, Callable[[int], str]] = {
    "no row": lambda _: HEADER,
    "no header": lambda _: "ann,bob",
    "cut off": lambda number: of(number)[:-1],
    "cut off in a moment": lambda number: changed(of(number), cert_2_last_rotated="2026-0"),
    "comma in a name, cut off": lambda number: REFUSED["cut off in a moment"](number).replace(
        "u1", "u,1"
    ),
    "row in a cell": lambda number: changed(of(number), cert_2_last_rotated=f'"N/A{SWALLOWED}'),
    "row too long": lambda number: of(number) + ",more",
    "not UTF-8": lambda number: of(number).replace("u1", "u\udcff1"),
    "local date": lambda number: changed(of(number), password_last_changed="3/4/2021"),
    "no moment": lambda number: re.sub(r"[^,\n]*Z", "N/A", of(number)),
}


def contents_or_problems(folder: Path) -> dict[str, Any] | tuple[Problem, ...]:
    try:
        return everything(analyzer.load(folder))
    except InputRefused as refused:
        return refused.problems


@pytest.fixture
def in_one_group(monkeypatch: Patch) -> None:
    monkeypatch.setattr(survey, "LEAST_GROUPS", 1)


def same_together(folder: Path, texts: Iterator[str]) -> dict[str, Any] | tuple[Problem, ...]:
    """Return what the reports say together, which is what they say one by one."""
    for number, text in enumerate(texts):
        put(
            folder, text.encode(errors="surrogateescape"), f"2026-05-0{2 + number % 2}/{number}.csv"
        )
    alone = contents_or_problems(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(survey, "LEAST_GROUPS", 1)
        patch.setattr(assemble, "ROW_BYTES_IN_MEMORY", 0)  # Else the pages need no second look.
        assert contents_or_problems(folder) == alone
    return alone


def test_reports_of_all_kinds_together_say_what_each_says(tmp_path: Path) -> None:
    twice = [make for kind, make in KINDS.items() for _ in range(1 if kind == "no ARNs" else 2)]
    texts = (make(number) for number, make in enumerate(twice))
    assert isinstance(same_together(tmp_path, texts), dict)


def test_damaged_reports_among_others_are_refused_as_they_are_alone(tmp_path: Path) -> None:
    every = [make for damaged in REFUSED.values() for make in (of, damaged)]
    found = same_together(tmp_path, (make(number) for number, make in enumerate(every)))
    assert isinstance(found, tuple)
    names = {Path(each.file).name for each in found}
    assert names == {f"{number}.csv" for number in range(1, len(every), 2)}


def test_a_row_in_a_cell_of_an_unknown_column_is_found_among_neighbours(tmp_path: Path) -> None:
    def wider(number: int, cell: str) -> str:
        header, *rows, last = of(number).split("\n")
        return lines(f"{header},more", *(f"{row}," for row in rows), f"{last},{cell}\n")

    texts = (wider(each, f'"x{SWALLOWED}' if each == 1 else "") for each in range(3))
    found = same_together(tmp_path, texts)
    assert isinstance(found, tuple)
    assert [(Path(each.file).name, each.column) for each in found] == [("1.csv", "more")]


@pytest.mark.usefixtures("in_one_group")
def test_small_reports_with_one_header_are_read_in_one_go(
    tmp_path: Path, monkeypatch: Patch
) -> None:
    alone: list[str] = []

    def noting(text: ReportText) -> Iterator[pa.Table]:
        alone.append(Path(text.name).name)
        return read_rows(text)

    monkeypatch.setattr(survey, "read_rows", noting)
    texts = [of(0), of(1), of(2), of(3, columns=COLUMNS_OF_2014), of(4)]
    for number, text in enumerate(texts):
        put(tmp_path, text, f"{number}.csv")
    for most, numbers in (
        (1 << 30, "34"),
        (len(texts[0]) + 1, "234"),
        (len(texts[0]) - 1, "01234"),
    ):
        monkeypatch.setattr(survey, "_BYTES_TOGETHER", most)
        alone.clear()
        analyzer.load(tmp_path)
        assert alone == [f"{number}.csv" for number in numbers]


@pytest.mark.usefixtures("in_one_group")
def test_a_file_that_goes_away_before_its_rows_are_read_is_refused_alone(
    tmp_path: Path, monkeypatch: Patch
) -> None:
    for number in range(3):
        put(tmp_path, of(number), f"{number}.csv")

    def removing(source: Source) -> ReportText:
        text = read_in_memory(source)
        if source.path and source.path.name == "1.csv":
            source.path.unlink()
        return text

    monkeypatch.setattr(load, "read_in_memory", removing)
    found = contents_or_problems(tmp_path)
    assert isinstance(found, tuple)
    assert [(Path(each.file).name, each.message) for each in found] == [
        ("1.csv", "the file changed or went away while it was read")
    ]


@pytest.mark.usefixtures("in_one_group")
def test_a_group_keeps_no_more_rows_than_its_share(tmp_path: Path, monkeypatch: Patch) -> None:
    for kind in ("plain", "quotes"):
        paths = [put(tmp_path, KINDS[kind](number), f"{number}.csv") for number in range(3)]
        monkeypatch.setattr(survey, "ROW_BYTES_IN_MEMORY", 2 * paths[0].stat().st_size + 9)
        report = analyzer.load(tmp_path)
        for path in paths[:2]:
            path.unlink()
        assert len(report.users) == 9
        paths[2].unlink()
        with pytest.raises(InputRefused):
            report.users  # noqa: B018  asking is what reads


def test_groups_are_many_enough_to_share_and_no_larger_than_useful() -> None:
    for count, sizes in (
        *((1, [1]), (15, [1] * 15), (16, [2] * 8), (17, [2] * 8 + [1])),
        (1030, [64] * 16 + [6]),
    ):
        grouped = survey.groups_of_neighbours([pytest.fail] * count)
        assert [len(group) for group in grouped] == sizes


@pytest.mark.usefixtures("in_one_group")
def test_reports_read_in_one_go_share_the_tables_that_are_kept(
    tmp_path: Path, monkeypatch: Patch
) -> None:
    kept: list[SurveyedReport] = []
    usual = selection.without_copies

    def noting(reports: list[SurveyedReport]) -> Any:
        kept.extend(reports)
        return usual(reports)

    monkeypatch.setattr(selection, "without_copies", noting)
    for number in range(3):
        put(tmp_path, of(number), f"{number}.csv")
    analyzer.load(tmp_path)
    assert len(kept) == 3
    assert len({id(rows.shared) for each in kept for rows in each.roots}) == 1
    assert len({id(rows.shared) for each in kept for rows in each.rows or ()}) == 1
