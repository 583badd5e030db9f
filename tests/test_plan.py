"""The plan carries out what was decided on a user whose state is known, and nothing else."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import analyzer
from analyzer.cli import main
from analyzer.decisions.removal_script import Removal
from analyzer.errors import InputRefused, Problem
from analyzer.model import FileReference
from analyzer.plan import (
    certain_removals,
    decided_removals,
    states_in_reports,
    states_in_workbooks,
)
from analyzer.review import ReviewDecision, ReviewWorkbook, UserState
from analyzer.review_columns import SHEETS, Decision
from analyzer.terms import utc_text
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    LONG_AGO,
    Row,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    no_password,
    report_text,
    saved,
    the_root,
)
from tests.support.outputs import analyzed, exemptions_of
from tests.support.workbooks import needs_libreoffice, saved_by_libreoffice

ARN = "arn:aws:iam::012345678901:user/quiet"
LAST_USE = days_before(200)
STATE = UserState(AS_OF, LAST_USE, 1)


def decision(word: Decision = Decision.DELETE, **fields: Any) -> ReviewDecision:
    state: dict[str, Any] = {
        "arn": ARN,
        "created": LONG_AGO,
        "decided_on": date(2026, 5, 2),
        "as_of": AS_OF,
        "file": "review.xlsx",
        "sheet": "Unused users",
        "row": 5,
    }
    return ReviewDecision(**{**state, "decision": word, **fields})


def by_workbook(each: ReviewDecision, state: UserState | Problem = STATE) -> list[Removal]:
    file = FileReference(name="review.xlsx", sha256="0" * 64)
    book = ReviewWorkbook(file=file, decisions=(each,), states={each.place: state})
    return decided_removals([each], states_in_workbooks([book]))


def by_reports(folder: Path, each: ReviewDecision, user: Row) -> list[Removal]:
    pages = analyzed(folder, [user]).pages()
    return decided_removals([each], states_in_reports([each], pages))


def test_a_user_is_removed_by_the_state_that_the_workbook_shows() -> None:
    (removal,) = by_workbook(decision(decided_by="Ann", ticket="T-1"))
    assert removal == Removal(
        arn=ARN,
        created=LONG_AGO,
        decision=Decision.DELETE,
        baseline=AS_OF,
        confirmed=AS_OF,
        password_last_used=LAST_USE,
        decided_by="Ann",
        decided_on=date(2026, 5, 2),
        ticket="T-1",
    )


def test_a_use_on_the_day_of_the_decision_is_no_later_use() -> None:
    assert by_workbook(decision(decided_on=LAST_USE.date()))


@pytest.mark.parametrize("word", [Decision.KEEP, Decision.INVESTIGATE])
def test_who_is_kept_or_investigated_is_in_no_plan(word: Decision) -> None:
    assert by_workbook(decision(word)) == []


def test_the_state_of_a_user_comes_from_the_reports(tmp_path: Path) -> None:
    user = a_user(
        password=a_password(days_before(300)),
        key_1=a_key(used=LAST_USE),
        key_2=an_inactive_key(used=days_before(400)),
    )
    (removal,) = by_reports(tmp_path, decision(sheet="Inactive users"), user)
    assert (removal.baseline, removal.password_last_used) == STATE[:2]


DAMAGED = Problem("review.xlsx, sheet Unused users", 5, "As of (UTC)", None, "damaged", "Do this.")


@pytest.mark.parametrize(
    ("fields", "state", "message"),
    [
        ({"created": None}, STATE, "the creation time of the user is missing"),
        ({"arn": "fakearn"}, STATE, "not the ARN of an IAM user"),
        ({"decided_on": LAST_USE.date() - timedelta(days=1)}, STATE, "was used on 2025-10-13, af"),
        ({}, DAMAGED, "damaged"),
    ],
)
def test_a_decision_that_cannot_be_carried_out_is_named_with_its_row(
    fields: dict[str, Any], state: UserState | Problem, message: str
) -> None:
    with pytest.raises(InputRefused, match=message) as refused:
        by_workbook(decision(**fields), state)
    (problem,) = refused.value.problems
    assert (problem.file, problem.row) == ("review.xlsx, sheet Unused users", 5)
    assert str(problem).count("fakearn") == (fields.get("arn") == "fakearn")


@pytest.mark.parametrize(
    "user", [a_user("other"), a_user(created=days_before(3))], ids=["gone", "created again"]
)
def test_a_user_who_is_not_in_the_reports_is_refused(user: Row, tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="no user in the reports has this ARN"):
        by_reports(tmp_path, decision(), user)


def test_only_the_certain_and_not_exempt_are_planned_without_a_review(tmp_path: Path) -> None:
    users = [
        a_user("certain"),
        a_user("doubtful", certificate_1=a_certificate()),
        a_user("exempt"),
        a_user("busy", key_1=a_key(used=AS_OF)),
        a_user("retired", password=None, key_1=an_inactive_key()) | {"password_last_used": "x"},
    ]
    analysis = analyzed(tmp_path, users, exemptions_of("*,exempt,Why,,"))
    (removal,) = certain_removals(analysis.pages(), Decision.DEACTIVATE)
    assert (removal.user, removal.decision) == ("certain", Decision.DEACTIVATE)


# The command


EARLY, LATE = "2026-04-24", "2026-05-01"
OTHER = "210987654321"
USERS = {
    EARLY: [
        a_user("never"),
        a_user("was-used", key_2=an_inactive_key(used=LAST_USE)),
        a_user("idle", password=a_password(LAST_USE), key_1=a_key(used=days_before(300))),
        a_user("unread", password=a_password("someday")),
        a_user("-busy", key_1=a_key(used=days_before(9))),
    ],
    LATE: [
        a_user("never", account=OTHER),
        a_user("retired", account=OTHER, password=no_password(LAST_USE)),
    ],
}
"""The users of two accounts, by the day of the report."""

ACCOUNTS = {EARLY: ACCOUNT, LATE: OTHER}


def review_of_two_accounts(folder: Path, decisions: Mapping[str, str]) -> Path:
    """Write the workbook of two reports a week apart, fill in the decisions, and save it again."""
    for day, account in ACCOUNTS.items():
        text = report_text(USERS[day], root=the_root(account))
        saved(folder, text, f"status_reports_{day}T09-30-00+00-00.csv")
    review = folder / "review.xlsx"
    assert main(["analyze", "-q", str(folder), "-o", str(review)]) == 0
    return edited(review, lambda heads, row: decide(heads, row, decisions))


def decide(heads: list[Any], row: Sequence[Any], decisions: Mapping[str, str]) -> None:
    name = str(row[heads.index("User")].value)
    row[heads.index("Decision")].value = decisions.get(name)
    row[heads.index("Decided by")].value = "Ann"
    row[heads.index("Decided on")].value = date(2026, 5, 2)


def edited(review: Path, edit: Callable[[list[Any], Sequence[Any]], None]) -> Path:
    """Edit the rows of the lists to decide in, and save the workbook with openpyxl."""
    book = openpyxl.load_workbook(review)
    for title in set(SHEETS) & set(book.sheetnames):
        heads = [cell.value for cell in book[title][1]]
        for row in book[title].iter_rows(min_row=2):
            edit(heads, row)
    book.save(review)
    return review


def calls(script: str) -> dict[str, list[str]]:
    """Return by ARN what the script compares and does: decision, baseline, last sign-in."""
    words = [line.split() for line in script.splitlines() if line.startswith("remove ")]
    return {each[2].strip("'"): [each[1], each[4], *_signed_in(each)] for each in words}


def _signed_in(words: list[str]) -> list[str]:
    return [word for word in words if word.startswith("signed-in=")]


def planned(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, list[str]]:
    capsys.readouterr()
    code = main(["plan", *map(str, arguments)])
    out, err = capsys.readouterr()
    assert code == 0, err
    return calls(out)


UNTIL = f"signed-in={utc_text(LAST_USE)}"
ACTS = {
    name: "delete" for users in USERS.values() for name in (str(each["user"]) for each in users)
}


def arn_in(account: str, name: str) -> str:
    return f"arn:aws:iam::{account}:user/{name}"


def test_every_user_is_compared_with_its_own_row_and_the_as_of_of_its_account(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    review = review_of_two_accounts(tmp_path, ACTS)
    early, late = "baseline=2026-04-24T09:30:00Z", "baseline=2026-05-01T09:30:00Z"
    from_rows = planned(capsys, review)
    assert from_rows == {
        arn_in(ACCOUNT, "never"): ["delete", early],
        arn_in(ACCOUNT, "was-used"): ["delete", early, UNTIL],
        arn_in(ACCOUNT, "idle"): ["delete", early, UNTIL],
        arn_in(ACCOUNT, "unread"): ["delete", early],
        arn_in(OTHER, "never"): ["delete", late],
        arn_in(OTHER, "retired"): ["delete", late, UNTIL],
    }
    assert planned(capsys, review, "--report", tmp_path) == from_rows


def test_decisions_without_a_name_or_a_date_are_planned_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    review = review_of_two_accounts(tmp_path, ACTS | {"never": "keep"})

    def unsigned(heads: list[Any], row: Sequence[Any]) -> None:
        row[heads.index("Decided by")].value = None
        if row[heads.index("User")].value == "was-used":
            row[heads.index("Decided on")].value = None

    edited(review, unsigned)
    capsys.readouterr()
    assert main(["plan", str(review)]) == 0
    script, notes = capsys.readouterr()
    assert notes.splitlines() == [
        f"Note: {review}, sheet Unused users: Decided by is empty. Rows: 1 (3).",
        f"Note: {review}, sheet Unused users: Decided on is empty. Rows: 1 (3).",
        f"Note: {review}, sheet Inactive users: Decided by is empty. Rows: 2 (2, 3).",
        f"Note: {review}, sheet Undetermined: Decided by is empty. Rows: 1 (2).",
    ]
    assert script.count(" by='' ") == 4


@needs_libreoffice
def test_so_it_is_after_libreoffice_has_saved_the_workbook(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    review = review_of_two_accounts(tmp_path, ACTS)
    before = planned(capsys, review)
    review.write_bytes(saved_by_libreoffice(tmp_path, review.read_bytes()))
    assert planned(capsys, review) == before


def test_decisions_go_to_a_file_that_says_where_they_come_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    review = review_of_two_accounts(tmp_path, {"idle": "deactivate"})
    script = tmp_path / "removal.sh"
    assert main(["plan", str(review), "-o", str(script)]) == 0
    assert f"# Ledger: {review}, SHA-256 " in script.read_text()
    assert "\nremove deactivate 'arn:aws:iam::012345678901:user/idle' " in script.read_text()
    assert "Read it, then run it" in capsys.readouterr().err


def test_a_row_that_no_longer_shows_the_state_is_refused_unless_the_reports_are_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    review = review_of_two_accounts(tmp_path, {"idle": "delete"})

    def without_activity(heads: list[Any], row: Sequence[Any]) -> None:
        row[heads.index("Last activity (UTC)")].value = None

    edited(review, without_activity)
    assert main(["plan", str(review), "-o", str(tmp_path / "removal.sh")]) == 3
    refusal = capsys.readouterr().err
    assert "sheet Inactive users, row 2, column Last activity (UTC), cell K2" in refusal
    assert "--report FILE" in refusal
    assert not (tmp_path / "removal.sh").exists()
    assert planned(capsys, review, "--report", tmp_path).keys() == {arn_in(ACCOUNT, "idle")}


@pytest.fixture
def report(tmp_path: Path) -> Path:
    users = [a_user(), a_user("idle", password=a_password(LAST_USE))]
    return saved(tmp_path, report_text(users))


def test_all_certain_users_can_be_planned_without_a_review_but_the_exempt(
    tmp_path: Path, report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    certain = ["plan", "--report", str(report), "--certain", "--decision", "delete"]
    assert main(certain) == 0
    assert "\nremove delete 'arn:aws:iam::012345678901:user/quiet' " in capsys.readouterr().out
    listed = tmp_path / "exemptions.csv"
    listed.write_text("account,user,reason,owner,expires\n*,quiet,By design,,\n")
    assert main([*certain, "--exemptions", str(listed)]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("#!/bin/sh\n#\n# Ledger: ")
    assert "\nremove " not in out
    assert err == "No user is to be deactivated or deleted: the script changes nothing.\n"
    script = tmp_path / "remove.sh"
    script.write_text("aws iam delete-user --user-name=quiet\n")
    assert main([*certain, "--exemptions", str(listed), "-o", str(script)]) == 0
    assert script.read_text() == out
    assert capsys.readouterr().err.endswith(f"\nWrote {script}: 0 users.\n")
    done = subprocess.run(["sh", script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (
        "",
        "No user is to be deactivated or deleted. Nothing was changed.\n",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plan", "--report", "x.csv"], "name filled-in workbooks"),
        (["plan", "BOOK", "--certain"], "name filled-in workbooks"),
        (["plan", "--certain"], "--certain needs --report"),
        (["plan", "BOOK", "--decision", "keep"], "'keep': choose from deactivate, delete"),
        (["plan", "missing.xlsx"], "missing.xlsx cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = str(saved(tmp_path, "", "review.xlsx"))
    assert main([book if word == "BOOK" else word for word in arguments]) == 2
    assert message in " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_the_package_offers_no_change_of_aws() -> None:
    assert not [name for name in analyzer.__all__ if "remov" in name or "delet" in name]
