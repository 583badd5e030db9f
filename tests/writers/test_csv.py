"""CSV is exact: what stood in the report comes back, cell for cell, and no cell is a formula.

`tests/golden` has the users and the findings of an analysis: here is what it lacks.
"""

import csv
import io
import random

import pandas as pd
import pytest

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.writers import changes
from analyzer.writers.findings import FINDING_COLUMNS
from tests.support.builders import (
    ACCOUNT,
    COLUMNS,
    COLUMNS_OF_2014,
    LONG_AGO,
    MORE_CREDENTIALS,
    QUIET_PASSWORD,
    Row,
    a_key,
    a_password,
    a_user,
    days_before,
)
from tests.support.comparisons import compared
from tests.support.named_reports import load_named
from tests.support.outputs import (
    HARD_NAMES,
    analysis_of,
    csv_bytes,
    csv_rows,
    exemptions_of,
    findings_bytes,
    hard_names,
    rows_of,
)
from tests.support.reading import OTHER_ACCOUNT, of_account

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001  signs of full width are meant


def guarded(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def as_csv_module_quotes(text: str) -> list[str]:
    """Read CSV and write it again with the csv module, row by row."""
    lines = []
    for row in csv.reader(io.StringIO(text, newline=""), strict=True):
        line = io.StringIO(newline="")
        csv.writer(line, quoting=csv.QUOTE_MINIMAL).writerow(row)
        lines.append(line.getvalue().removesuffix("\r\n"))
    return lines


def test_columns_that_a_report_lacks_are_there_and_empty_and_other_forms_are_made_one() -> None:
    password = a_password(f"{days_before(3):%Y-%m-%dT%H:%M:%S}+00:00", LONG_AGO)
    user = a_user(password=password, password_enabled="TRUE", mfa_active="False")
    (row,) = csv_rows(analysis_of([user], columns=COLUMNS_OF_2014))
    empty = {column for column in COLUMNS if row[column] == ""}
    assert empty == set(COLUMNS) - set(COLUMNS_OF_2014)
    assert (row["password_last_used"], row["idle_days"]) == ("2026-04-28T12:00:00Z", "3")
    assert (row["password_enabled"], row["mfa_active"]) == ("true", "false")


def finding_rows(analysis: Analysis) -> list[dict[str, str]]:
    return rows_of(findings_bytes(analysis))


def test_each_finding_has_as_of_of_its_report_and_the_source() -> None:
    reports = {"status_reports_2026-03-01T09-30-00+00-00.csv": ACCOUNT, "a.csv": OTHER_ACCOUNT}
    texts = (
        (name, of_account(account, a_user("ann")).encode()) for name, account in reports.items()
    )
    found = finding_rows(analyzer.analyze(load_named(*texts)))
    assert list(found[0]) == list(FINDING_COLUMNS)
    assert {(row["account"], row["as_of"], row["as_of_source"]) for row in found} == {
        (ACCOUNT, "2026-03-01T09:30:00Z", "file-name"),
        (OTHER_ACCOUNT, "2025-07-05T12:00:00Z", "assumed"),
    }


def test_a_reason_for_exemption_and_a_name_start_no_formula() -> None:
    analysis = analysis_of([a_user("ann")], exemptions_of("*,ann,\"=cmd|' /C calc'!A0\",,"))
    for rows in (csv_rows(analysis), finding_rows(analysis)):
        assert [row["exemption"] for row in rows] == ["'=cmd|' /C calc'!A0"]
    assert {row["user"] for row in finding_rows(hard_names())} == set(map(guarded, HARD_NAMES))


def test_where_nothing_is_found_there_is_the_header_alone() -> None:
    quiet = a_user("ann", password=QUIET_PASSWORD, mfa=True)
    assert findings_bytes(analysis_of([quiet])).decode() == ",".join(FINDING_COLUMNS) + "\n"


CHANGES_HEADER = (
    "change,account,user,arn,before,now,last_use,cause,exemption_before,exemption_now,created,rule,"
    "fact,owner,owner_email,owner_left,account_name\n"
)


def change_lines(frame: pd.DataFrame) -> str:
    stream = io.BytesIO()
    changes.write_changes(frame[frame["rule"] == ""], stream)
    return stream.getvalue().decode()


def test_a_change_is_a_row_and_names_that_look_like_formulas_are_guarded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    earlier, later = days_before(200), days_before(-8)
    before = [a_user("bob", created=earlier), a_user("+eve", password=a_password(earlier))]
    now = [a_user("=ann", key_1=a_key(later)), a_user("+eve", password=a_password(later))]
    frame = compared(before, now)
    assert change_lines(frame.iloc[:0]) == CHANGES_HEADER
    for rows in (50_000, 2):
        monkeypatch.setattr(changes, "_ROWS_AT_ONCE", rows)  # written in parts, it is the same
        assert change_lines(frame) == CHANGES_HEADER + (
            f"new,{ACCOUNT},'=ann,arn:aws:iam::{ACCOUNT}:user/=ann,,active,,"
            "not in the earlier report; created on 2023-08-05,,,2023-08-05T12:00:00Z,,,,,,\n"
            f"gone,{ACCOUNT},bob,arn:aws:iam::{ACCOUNT}:user/bob,unused,,,"
            "user deleted or renamed; created on 2025-10-13,,,2025-10-13T12:00:00Z,,,,,,\n"
            f"used-again,{ACCOUNT},'+eve,arn:aws:iam::{ACCOUNT}:user/+eve,dormant,active,"
            "2026-05-09T12:00:00Z,signed in again on 2026-05-09,,,2023-08-05T12:00:00Z,,,,,,\n"
        )


FREE = ("user", *COLUMNS[2:], MORE_CREDENTIALS)


def any_cell(chance: random.Random) -> str:
    """Return a cell of signs that CSV and spreadsheets read, or of any that UTF-8 has."""
    if chance.random() < 0.5:
        return "".join(chance.choices((*FORMULA, *"\"',; aé"), k=chance.randint(0, 8)))
    planes = chance.choices((range(1, 0x250), range(0x250, 0xD800), range(0xE000, 0x11_0000)), k=20)
    return "".join(chr(chance.choice(plane)) for plane in planes[: chance.randint(0, 20)])


def test_cells_and_arns_come_back_as_they_were_quoted_as_by_the_csv_module() -> None:
    chance = random.Random(20_261_127)
    every = [tuple(any_cell(chance) for _ in FREE) for _ in range(100)]
    every += [(name, *[""] * (len(FREE) - 1)) for name in HARD_NAMES]
    odd: list[Row] = [dict(zip(FREE, cells, strict=True)) for cells in every]
    users = [a_user(path=f"{n}/") | row for n, row in enumerate(odd)]
    analysis = analysis_of(users, columns=(*COLUMNS, MORE_CREDENTIALS))
    text = csv_bytes(analysis).decode()
    assert text == "\n".join(as_csv_module_quotes(text) + [""])
    rows = csv_rows(analysis)
    found = [tuple(row[column] for column in FREE) for row in rows]
    assert found == [tuple(map(guarded, cells)) for cells in every]
    assert [row["arn"] for row in rows] == [user["arn"] for user in users]
    assert {(row["verdict"], row["age_days"]) for row in rows} == {("undetermined", "")}
