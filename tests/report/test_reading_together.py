"""Reports that are read together say exactly what each says by itself."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import analyzer
from analyzer.columns import OPTIONAL
from analyzer.errors import InputRefused, Problem
from analyzer.report import content, read_reports
from analyzer.report import table as table_module
from analyzer.report import users as users_module
from analyzer.report.report import Report
from tests.support.builders import (
    COLUMNS,
    COLUMNS_OF_2014,
    FORMS,
    MORE_CREDENTIALS,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    run,
    table,
    the_root,
)
from tests.support.reading import HEADER, cells, lines, of_account, put, with_cells

ACCOUNTS = [str(10**11 + number) for number in range(70)]


def of(number: int, *, users: int = 3, **options: Any) -> str:
    """Return a report of an account of its own, whose timestamps are its own too."""
    signed_in = (a_password(days_before(number + each)) for each in range(users))
    rows = (a_user(f"u{at}", password=each) for at, each in enumerate(signed_in))
    return of_account(ACCOUNTS[number], *rows, **options)


def changed(text: str, **replaced: str) -> str:
    """Return the report with other cells in its last row."""
    before, row = text.rsplit("\n", 1)
    return lines(before, with_cells(row, **replaced))


def last_row(number: int) -> str:
    """Return the row of one more user of the report's account."""
    return of_account(ACCOUNTS[number], a_user("u9")).rsplit("\n", 1)[1]


KINDS: dict[str, Callable[[int], str]] = {
    "plain": of,
    "no user": lambda number: of(number, users=0),
    "ends its last row": lambda number: of(number) + "\n",
    "blank lines": lambda number: of(number).replace("\n", "\n\n") + "\n\n",
    "CRLF": lambda number: of(number).replace("\n", "\r\n"),
    "lines before the header": lambda number: "sep=,\n\n" + of(number),
    "other form of moments": lambda number: of(number, form=FORMS[1]),
    "two accounts": lambda number: lines(of(number), of_account("9" * 12, a_user(f"n{number}"))),
    "odd ARN": lambda number: changed(of(number), arn=f"arn:aws:iam::{ACCOUNTS[number]}:x"),
    "blank cells": lambda number: of(number) + "\n" + "," * HEADER.count(","),
    "header again": lambda number: lines(of(number), HEADER, last_row(number)),
    "comma in a name": lambda number: of(number).replace("u1", "u,1"),
    "quotes": lambda number: of(number).replace("u1", '"u1"', 1),
    "semicolons": lambda number: of(number).replace(",", ";"),
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
    "glued": lambda number: of(number) + of(number + 30),
    "ARN of no account": lambda number: changed(of(number), arn=f"arn:aws:iam::user/{number}"),
    "row too long": lambda number: of(number) + ",more",
    "not UTF-8": lambda number: of(number).replace("u1", "u\udcff1"),
    "local date": lambda number: changed(of(number), password_last_changed="3/4/2021"),
    "no moment": lambda number: re.sub(r"[^,\n]*Z", "N/A", of(number)),
}


def everything(loaded: Report) -> dict[str, Any]:
    """Return all that can be told of a report before anybody is judged."""
    frame = loaded.users.drop(columns=["file"]).astype(str)
    users = sorted(frame.to_dict("records"), key=str)
    return {"users": users, "cells": cells(loaded), "files": loaded.files, "notes": loaded.notes}


def contents_or_problems(folder: Path) -> dict[str, Any] | tuple[Problem, ...]:
    try:
        return everything(analyzer.load(folder))
    except InputRefused as refused:
        return refused.problems


def same_together(folder: Path, texts: Iterator[str]) -> dict[str, Any] | tuple[Problem, ...]:
    """Return what the reports say together, which is what they say one by one, in small pieces."""
    for number, text in enumerate(texts):
        name = f"2026-05-0{2 + number % 2}/{number}.csv"
        put(folder, text.encode(errors="surrogateescape"), name)
    together = contents_or_problems(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read_reports, "_GROUP_BYTES", 1)
        patch.setattr(table_module, "SLICE_ROWS", 3)
        patch.setattr(content, "BLOCK_BYTES", 1500)
        patch.setattr(users_module, "SLICE_ROWS", 3)
        assert contents_or_problems(folder) == together
    return together


def test_reports_of_all_kinds_together_say_what_each_says(tmp_path: Path) -> None:
    twice = [make for make in KINDS.values() for _ in range(2)]
    texts = (make(number) for number, make in enumerate(twice[:-4]))
    assert isinstance(same_together(tmp_path, texts), dict)


def test_damaged_reports_among_others_are_refused_as_they_are_alone(tmp_path: Path) -> None:
    every = [make for damaged in REFUSED.values() for make in (of, damaged)]
    found = same_together(tmp_path, (make(number) for number, make in enumerate(every)))
    assert isinstance(found, tuple)
    names = {Path(each.file).name for each in found}
    assert names == {f"{number}.csv" for number in range(1, len(every), 2)}


def test_blank_rows_and_headers_among_neighbours_are_no_reports(tmp_path: Path) -> None:
    texts = (KINDS[kind](number) for number, kind in enumerate(("blank cells", "header again")))
    assert isinstance(same_together(tmp_path, texts), dict)


def test_cells_with_many_different_words_are_shown_as_they_stand(tmp_path: Path) -> None:
    users = [a_user(f"u{at}", user_creation_time=f"word {at}") for at in range(300)]
    (page,) = analyzer.load(put(tmp_path, of_account(ACCOUNTS[0], *users))).iam_users.slices()
    assert page.text["user_creation_time"].to_pylist() == [f"word {at}" for at in range(300)]
    assert len(page.text) == len(page.words) + len(["arn"])


def output_rows(folder: Path, *files: Path) -> dict[str, list[Any]]:
    """Return the rows of users.csv, of Parquet and of JSON, of reports given together."""
    written = folder / "users.csv", folder / "users.parquet"
    options = [part for file in written for part in ("-o", file)]
    result = run("analyze", *files, *options, "-q", "--verdict", "all", "-f", "json")
    assert result.code == 0
    found = {
        "csv": table(written[0].read_bytes()),
        "parquet": pq.read_table(written[1]).to_pylist(),
        "json": result.document["users"],
        "findings": result.document["findings"],
    }
    return {kind: sorted(rows, key=str) for kind, rows in found.items()}


@pytest.mark.parametrize("column", OPTIONAL)
def test_a_column_that_one_of_two_reports_lacks_is_as_empty_together_as_alone(
    tmp_path: Path, column: str
) -> None:
    every = (*COLUMNS, MORE_CREDENTIALS)
    key, certificate = a_key(used=days_before(200)), a_certificate()
    ann = a_user(
        "ann",
        password=a_password(days_before(9)) | {"password_next_rotation": days_before(-9)},
        key_1=key,
        key_2=key,
        certificate_1=certificate,
        certificate_2=certificate,
    )
    bob = a_user("bob", key_1=a_key(), key_2=an_inactive_key())
    users = [user | {MORE_CREDENTIALS: ""} for user in (ann, a_user("quiet"), bob)]
    root = the_root() | {MORE_CREDENTIALS: ""}
    short = tuple(name for name in every if name != column)
    whole = of_account(ACCOUNTS[0], *users, root=root, columns=every)
    lacking = of_account(ACCOUNTS[1], *users, root=root, columns=short)
    paths = put(tmp_path, whole, "2026-05-02/a.csv"), put(tmp_path, lacking, "2026-05-02/b.csv")
    first, second = (output_rows(tmp_path, path) for path in paths)
    assert {row[column] for row in second["csv"]} == {""}
    alone = {kind: sorted(first[kind] + second[kind], key=str) for kind in first}
    assert output_rows(tmp_path, *paths) == alone
    assert output_rows(tmp_path, *reversed(paths)) == alone


def test_a_row_in_a_cell_of_an_unknown_column_is_found_among_neighbours(tmp_path: Path) -> None:
    def wider(number: int, cell: str) -> str:
        header, *rows, last = of(number).split("\n")
        return lines(f"{header},more", *(f"{row}," for row in rows), f"{last},{cell}\n")

    texts = (wider(each, f'"x{SWALLOWED}' if each == 1 else "") for each in range(3))
    found = same_together(tmp_path, texts)
    assert isinstance(found, tuple)
    assert [(Path(each.file).name, each.column) for each in found] == [("1.csv", "more")]


def test_a_report_is_read_once_and_says_the_same_after_its_file_is_gone(tmp_path: Path) -> None:
    path = put(tmp_path, of(0))
    loaded = analyzer.load(path)
    before = everything(loaded)
    path.unlink()
    assert everything(loaded) == before
    assert len(analyzer.analyze(loaded).users) == 3
