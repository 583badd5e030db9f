"""A workbook lists the findings of the rules that were chosen, and what no report decides."""

from itertools import takewhile
from unittest.mock import patch

from openpyxl.worksheet.worksheet import Worksheet

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.analysis.filters import Filter
from analyzer.analysis.rulebook import rulebook
from analyzer.terms import Benchmark
from analyzer.writers.workbook import findings_sheet
from tests.support.builders import (
    AS_OF,
    a_key,
    a_password,
    a_user,
    days_before,
    report_text,
    the_root,
)
from tests.support.named_reports import load_named
from tests.support.outputs import exemptions_of
from tests.support.workbooks import book_of, head_row, heads_of, remarks_of

TITLE = "Findings"
USERS = (
    a_user("ann", password=a_password(days_before(1), days_before(1))),
    a_user("bob", key_1=a_key(days_before(20), days_before(1)), key_2=a_key(days_before(91))),
    a_user("cid", password=a_password(days_before(60), days_before(70)), mfa=True),
)


def analyzed(standard: Benchmark | None = Benchmark.CIS_7_0, exempt: str = "") -> Analysis:
    text = report_text(USERS, root=the_root(password_last_used=days_before(20)))
    report = load_named(("report.csv", text.encode()), as_of=AS_OF)
    book = rulebook(standard) if standard else rulebook(rules=["root-used"])
    return analyzer.analyze(report, exemptions=exemptions_of(exempt), book=book)


def rows_of(sheet: Worksheet) -> list[dict[str, object]]:
    """Return the rows of the list, which ends before an empty row."""
    heads = [str(head) for head in heads_of(sheet)]
    rows = sheet.iter_rows(min_row=head_row(sheet) + 1, values_only=True)
    listed = takewhile(any, rows)
    return [dict(zip(heads, row, strict=True)) for row in listed]


def test_findings_of_the_root_come_first_each_with_its_controls_slot_and_days() -> None:
    rows = rows_of(book_of(analyzed())[TITLE])
    found = [(row["User"], row["Control"], row["Rule"], row["Slot"], row["Days"]) for row in rows]
    assert found == [
        ("<root_account>", "2.7", "root-used", None, 20),
        ("ann", "2.10", "console-user-without-mfa", None, None),
        ("cid", "2.11", "idle-password", None, 60),
        ("bob", "2.11", "idle-access-key", 2, 91),
        ("bob", "2.12", "unrotated-access-key", 2, 91),
    ]


def test_an_exempt_finding_says_why() -> None:
    rows = rows_of(book_of(analyzed(exempt="*,ann,Known,,"))[TITLE])
    reasons = {row["User"]: row["Exempt because"] for row in rows}
    assert reasons == {"<root_account>": None, "ann": "Known", "cid": None, "bob": None}


def test_below_stand_the_controls_that_no_report_decides() -> None:
    sheet = book_of(analyzed())[TITLE]
    cells = [cell.value for cell in sheet["A"]]
    name = "CIS AWS Foundations Benchmark v7.0.0"
    heading = f"Not decidable from a credential report: 20 controls of {name}"
    below = cells[cells.index(heading) + 1 :]
    assert len(below) == 20
    assert below[0] == "2.1.1  Root access is managed centrally"
    assert below[-1] == "2.21  Resource policies do not make resources public"
    assert str(sheet.print_area).endswith(f"${sheet.max_row}")


def test_the_sheet_says_whose_findings_it_lists() -> None:
    analysis = analyzed()
    chosen = analysis.where(Filter(users=("ann",)))
    sheet = book_of(chosen)[TITLE]
    assert {row["User"] for row in rows_of(sheet)} == {"ann"}
    assert "Findings of these users only: user ann." in remarks_of(sheet)
    assert "only" not in remarks_of(book_of(analysis)[TITLE])


def test_without_a_standard_there_are_no_controls() -> None:
    sheet = book_of(analyzed(None))[TITLE]
    assert [(row["Rule"], row.get("Control")) for row in rows_of(sheet)] == [("root-used", None)]
    assert "Not decidable" not in str([*sheet.values])


def test_without_a_finding_the_sheet_says_so() -> None:
    nobody = analyzed(None).where(Filter(users=("ann",)))
    cells = [row[0] for row in book_of(nobody)[TITLE].values]
    assert cells == [
        "credreport's own rules (19 in all): 0 rules ran.",
        "Findings: no rule ran.",
        "Findings of these users only: user ann.",
    ]


def test_more_findings_than_people_read_are_counted_and_the_file_of_all_is_named() -> None:
    number = len(rows_of(book_of(analyzed())[TITLE]))
    for most, is_listed in ((number, True), (number - 1, False)):
        with patch.object(findings_sheet, "MOST_LISTED", most):
            cells = [str(row[0]) for row in book_of(analyzed())[TITLE].values]
        assert ("<root_account>" in cells) is is_listed
        said = f"{number} findings are too many for a sheet: -o findings.csv lists them."
        assert (said in cells) is not is_listed
        assert "2.17  Expired TLS certificates are removed from IAM" in cells
