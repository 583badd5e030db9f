"""Every output counts all unused users, who of them can sign in, and how many each are exempt."""

import json
from pathlib import Path

import pytest

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.lists.owners import read_account_list, with_account_list
from analyzer.writers import headline
from analyzer.writers.accounts import CAN_SIGN_IN, UNUSED, WITHOUT_MFA
from analyzer.writers.markdown import write_html
from tests.support.builders import ACCOUNT, a_password, a_user, days_before, report_text, run, saved
from tests.support.outputs import (
    UNUSED as UNUSED_ONLY,
)
from tests.support.outputs import (
    analysis_of,
    csv_bytes,
    exemptions_of,
    json_bytes,
    table_text,
    written,
)
from tests.support.workbooks import file_of, opened, values

USERS = (
    a_user("enters", password=a_password()),
    a_user("enters-too", password=a_password()),
    a_user("two-factors", password=a_password(), mfa=True),
    a_user("nothing"),
    a_user("in-use", password=a_password(days_before(1))),
)
NOBODY = "nobody"
CASES = {
    "none exempt": (
        (NOBODY, False),
        (
            "4 of 5 IAM users are unused (3 certain, 1 to check): 3 can still sign in, 2 of them"
            " without MFA, account 012345678901 "
        ),
        [4, 0, 3, 0, 2, 0],
    ),
    "all of the dangerous exempt": (
        ("enters*", False),
        (
            "4 of 5 IAM users are unused (1 certain, 1 to check, 2 exempt): 3 can still sign in (2"
            " of these exempt), 2 of them without MFA (2 of these exempt), account 012345678901 "
        ),
        [4, 2, 3, 2, 2, 2],
    ),
    "one exempt": (
        ("nothing", False),
        (
            "4 of 5 IAM users are unused (2 certain, 1 to check, 1 exempt): 3 can still sign in, 2"
            " of them without MFA, account 012345678901 "
        ),
        [4, 1, 3, 0, 2, 0],
    ),
    "an account missing": (
        ("enters", True),
        (
            "4 of 5 IAM users are unused (2 certain, 1 to check, 1 exempt): 3 can still sign in (1"
            " of these exempt), 2 of them without MFA (1 of these exempt), 1 of 2 accounts "
        ),
        [4, 1, 3, 1, 2, 1],
    ),
}
MISSING = "999999999999"
NUMBERS = [f"{name}{end}" for name in (UNUSED, CAN_SIGN_IN, WITHOUT_MFA) for end in ("", "_exempt")]


def analysis_with(exempt: str, *, lacks_account: bool) -> Analysis:
    report = analysis_of(USERS).report
    if lacks_account:
        listed = f"account,name\n{ACCOUNT},Pay\n{MISSING},Web\n"
        report = with_account_list(report, read_account_list("accounts.csv", listed.encode()))
    return analyzer.analyze(report, exemptions=exemptions_of(f"*,{exempt},Why,,"))


@pytest.mark.parametrize("case", CASES)
def test_line_table_page_workbook_and_json_count_the_same_users(case: str) -> None:
    (exempt, lacks_account), says, numbers = CASES[case]
    analysis = analysis_with(exempt, lacks_account=lacks_account)
    result = says.rpartition(", ")[0]
    assert written(headline.write_line, analysis, UNUSED_ONLY).decode().startswith(says)
    assert table_text(analysis, UNUSED_ONLY, width=400).startswith(says)
    assert f"<strong>{says}" in written(write_html, analysis, UNUSED_ONLY).decode()
    titles = [row[0] for row in values(opened(file_of(analysis), results=True)["Summary"])]
    assert f"{result}." in titles
    (of_account,) = json.loads(json_bytes(analysis))["accounts"]
    assert [of_account[name] for name in NUMBERS] == numbers


def test_an_account_that_the_list_names_and_no_report_covers_is_missing_in_every_output() -> None:
    analysis = analysis_with(NOBODY, lacks_account=True)
    reason = "accounts.csv lists it; it has no report"
    sentence = f"Account {MISSING} is not covered: {reason}"
    assert json.loads(json_bytes(analysis))["not_covered"] == [
        {"account": MISSING, "name": "Web", "reason": reason}
    ]
    assert f"{MISSING}," in csv_bytes(analysis).decode().splitlines()[-1]
    assert "not-covered" in csv_bytes(analysis).decode().splitlines()[-1]
    assert sentence in headline.notes(analysis)
    assert sentence in written(write_html, analysis, UNUSED_ONLY).decode()
    summary = [
        str(cell)
        for row in values(opened(file_of(analysis), results=True)["Summary"])
        for cell in row
    ]
    assert "accounts not read" in summary
    missing = f"Expected, but no report was read, so users are missing: {MISSING} (Web)."
    assert missing in summary


def test_a_missing_account_ends_every_command_with_5(tmp_path: Path) -> None:
    for day, users in (("2026-04-01", USERS[:1]), ("2026-05-01", USERS)):
        saved(tmp_path, report_text(users), f"{day}.csv")
    listed = f"account,name\n{ACCOUNT},Pay\n{MISSING},Web\n"
    options = ("--accounts", saved(tmp_path, listed, "accounts.csv"))
    old, new = tmp_path / "2026-04-01.csv", tmp_path / "2026-05-01.csv"
    for words in (
        ("analyze", new, "-f", "csv"),
        ("analyze", new, "-f", "findings"),
        ("diff", old, new, "-f", "csv"),
        ("history", old, new, "-f", "csv", "--table", "reports"),
        ("explain", "enters", new),
        ("export", "--from", new, "--out-dir", tmp_path / "runs"),
    ):
        done = run(*words, *options)
        assert done.code == 5, done.messages
        assert MISSING in (done.output.decode() if "csv" in words else done.messages)
