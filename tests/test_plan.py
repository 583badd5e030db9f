"""The plan carries out what was decided on a user whose state is known, and nothing else."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import analyzer
from analyzer.cli import main
from analyzer.errors import InputRefused
from analyzer.plan import certain_removals, decided_removals
from analyzer.removal_script import Removal
from analyzer.review import ReviewDecision
from analyzer.review_columns import Decision
from tests.support.builders import (
    AS_OF,
    LONG_AGO,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    report_text,
    saved,
)
from tests.support.outputs import analyzed, exemptions_of

ARN = "arn:aws:iam::012345678901:user/quiet"
LAST_USE = days_before(200)
LISTED = ["Account", "User", "Decision", "Decided by", "Decided on", "Ticket", "Comment"]


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


def test_an_unused_user_is_removed_by_the_workbook_alone() -> None:
    (removal,) = decided_removals([decision(decided_by="Ann", ticket="T-1")], None)
    assert removal == Removal(
        arn=ARN,
        created=LONG_AGO,
        as_of=AS_OF,
        decision=Decision.DELETE,
        decided_by="Ann",
        ticket="T-1",
    )


@pytest.mark.parametrize("word", [Decision.KEEP, Decision.INVESTIGATE])
def test_who_is_kept_or_investigated_is_in_no_plan(word: Decision) -> None:
    assert decided_removals([decision(word)], None) == []


def test_the_state_of_a_user_comes_from_the_reports(tmp_path: Path) -> None:
    user = a_user(
        password=a_password(days_before(300)),
        key_1=a_key(used=LAST_USE),
        key_2=an_inactive_key(used=days_before(400)),
    )
    pages = list(analyzed(tmp_path, [user]).pages())
    (removal,) = decided_removals([decision(sheet="Inactive users")], pages)
    assert (removal.as_of, removal.last_use, removal.active_keys) == (AS_OF, LAST_USE, 1)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"created": None}, "the creation time of the user is missing"),
        ({"sheet": "Inactive users"}, "the sheet does not show the last use"),
        ({"as_of": None}, "the sheet does not show the last use"),
        ({"arn": "fakearn"}, "not the ARN of an IAM user"),
    ],
)
def test_a_decision_that_cannot_be_carried_out_is_named_with_its_row(
    fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputRefused, match=message) as refused:
        decided_removals([decision(), decision(**fields)], None)
    (problem,) = refused.value.problems
    assert (problem.file, problem.row) == (
        f"review.xlsx, sheet {fields.get('sheet', 'Unused users')}",
        5,
    )


@pytest.mark.parametrize(
    "user", [a_user("other"), a_user(created=days_before(3))], ids=["gone", "created again"]
)
def test_a_user_who_is_not_in_the_reports_is_refused(user: Any, tmp_path: Path) -> None:
    pages = analyzed(tmp_path, [user]).pages()
    with pytest.raises(InputRefused, match="no user in the reports has this ARN"):
        decided_removals([decision()], pages)


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


@pytest.fixture
def report(tmp_path: Path) -> Path:
    users = [a_user(), a_user("idle", password=a_password(LAST_USE))]
    return saved(tmp_path, report_text(users))


def workbook(folder: Path, sheet: str, user: str, word: str) -> Path:
    book = openpyxl.Workbook()
    page = book.active
    assert page
    page.title = sheet
    page.append([*LISTED, "ARN", "Created"])
    arn = f"arn:aws:iam::012345678901:user/{user}"
    created = LONG_AGO.replace(tzinfo=None)
    decided = datetime(2026, 5, 2, tzinfo=UTC).replace(tzinfo=None)
    page.append(["012345678901", user, word, "Ann", decided, "", "", arn, created])
    summary = book.create_sheet("Summary")
    summary.append([f"As of {AS_OF:%Y-%m-%d %H:%M} UTC"])
    book.save(folder / "review.xlsx")
    return folder / "review.xlsx"


def test_the_script_of_a_filled_in_workbook_removes_the_decided_user(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = workbook(tmp_path, "Unused users", "quiet", "delete")
    assert main(["plan", str(book)]) == 0
    script = capsys.readouterr().out
    assert f"# Decisions from: {book}\n" in script
    assert "\nremove delete 'quiet' " in script


def test_decisions_on_other_users_take_the_reports_and_go_to_a_file(
    tmp_path: Path, report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = workbook(tmp_path, "Inactive users", "idle", "deactivate")
    script = tmp_path / "removal.sh"
    assert main(["plan", str(book)]) == 3
    assert "--report FILE" in capsys.readouterr().err
    assert not script.exists()
    arguments = ["plan", str(book), "--report", str(report), "-o", str(script)]
    assert main(arguments) == 0
    assert "\nremove deactivate 'idle' " in script.read_text()
    assert "Read it, then run it" in capsys.readouterr().err


def test_all_certain_users_can_be_planned_without_a_review_but_the_exempt(
    tmp_path: Path, report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    certain = ["plan", "--report", str(report), "--certain", "--decision", "delete"]
    assert main(certain) == 0
    assert "\nremove delete 'quiet' " in capsys.readouterr().out
    listed = tmp_path / "exemptions.csv"
    listed.write_text("account,user,reason,owner,expires\n*,quiet,By design,,\n")
    assert main([*certain, "--exemptions", str(listed)]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == ("", "No user is to be deactivated or deleted: no script is written.\n")


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
    book = str(workbook(tmp_path, "Unused users", "quiet", "delete"))
    assert main([book if word == "BOOK" else word for word in arguments]) == 2
    assert message in " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_the_package_offers_no_change_of_aws() -> None:
    assert not [name for name in analyzer.__all__ if "remov" in name or "delet" in name]
