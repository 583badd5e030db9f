"""Decisions go from the reviewer's workbook to the ledger and to the script, or nothing does."""

import csv
import fcntl
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from analyzer.cli import main
from analyzer.decisions.ledger import ledger_bytes
from analyzer.errors import OutputFailed
from tests.support.builders import ACCOUNT, a_key, a_user, days_before, report_text, saved
from tests.support.decisions import bulk, line, user_rows
from tests.support.review import edited, entered, shown
from tests.support.runs import console_report

DAY, LATER = "2026-05-01", "2026-06-01"
AT = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
ANN, BOB = a_user("ann", created=days_before(900)), a_user("bob", created=days_before(800))


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return console_report(tmp_path / DAY, DAY, ANN, BOB)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the workbook of a review in which two users are unused."""
    folder = tmp_path_factory.mktemp("written")
    assert analyze(console_report(folder, DAY, ANN, BOB), folder / "review.xlsx") == 0
    return (folder / "review.xlsx").read_bytes()


@pytest.fixture
def workbook(tmp_path: Path, written: bytes) -> Path:
    """Return the workbook after it was decided to delete one of the users."""
    path = tmp_path / "review.xlsx"
    path.write_bytes(edited(written, ANN_TO_DELETE))
    return path


ANN_TO_DELETE = entered("ann", ("delete", "Anna", date(2026, 5, 4), None, None))


@pytest.fixture
def decided(tmp_path: Path) -> Path:
    """Return a ledger in which it was decided to delete one of the users."""
    return ledger_in(tmp_path / "entered.csv", ann="delete")


def ledger_in(path: Path, **words: str) -> Path:
    """Write a ledger with a decision on each of the users."""
    users = {"ann": ANN, "bob": BOB}
    lines = [line(word, users[name], as_of=AT) for name, word in words.items()]
    path.write_bytes(ledger_bytes(lines))
    return path


def analyze(report: Path, output: Path, *more: str | Path) -> int:
    return main(["analyze", str(report), "-o", str(output), *map(str, more)])


def collect(*arguments: str | Path) -> int:
    return main(["collect", *map(str, arguments)])


def plan(*arguments: str | Path) -> int:
    return main(["plan", *map(str, arguments)])


def lines_in(ledger: Path) -> list[tuple[str, str]]:
    rows = csv.DictReader(io.StringIO(ledger.read_text("utf-8-sig")))
    return [(row["user"], row["decision"]) for row in rows]


def test_without_an_output_a_workbook_is_only_checked(
    workbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(workbook.parent.rglob("*"))
    assert collect(workbook) == 0
    answer = capsys.readouterr()
    assert "entered 1, still open 1" in answer.out
    assert "Anna: entered 1, to add 1\n" in answer.out
    assert "nothing was written" in answer.err
    assert sorted(workbook.parent.rglob("*")) == before


def test_a_workbook_whose_name_cannot_be_printed_is_collected(
    tmp_path: Path, workbook: Path
) -> None:
    ledger = tmp_path / "decisions.csv"
    assert collect(workbook.rename(tmp_path / "r\r\udcff.xlsx"), "-o", ledger) == 0
    assert ",r\\r\\udcff.xlsx," in ledger.read_text()


def test_where_nothing_is_new_no_ledger_is_written(tmp_path: Path, written: bytes) -> None:
    (tmp_path / "open.xlsx").write_bytes(written)
    assert collect(tmp_path / "open.xlsx", "-o", tmp_path / "decisions.csv") == 0
    assert not (tmp_path / "decisions.csv").exists()


def test_a_ledger_that_another_run_is_writing_is_left_alone(tmp_path: Path, decided: Path) -> None:
    ledger = tmp_path / "decisions.csv"
    with (tmp_path / ".decisions.csv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert collect(decided, "-o", ledger) == 75
        assert not ledger.exists()
    assert collect(decided, "-o", ledger) == 0


def test_a_ledger_that_cannot_be_locked_is_an_output_that_failed(
    tmp_path: Path, decided: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".decisions.csv.lock").mkdir()
    assert collect(decided, "-o", tmp_path / "decisions.csv") == OutputFailed.exit_code
    assert "cannot be locked" in capsys.readouterr().err
    assert not (tmp_path / "decisions.csv").exists()


def test_no_output_creates_the_folder_that_it_is_written_to(
    tmp_path: Path, report: Path, decided: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger, script, users = (tmp_path / "missing" / name for name in ("d.csv", "r.sh", "u.csv"))
    codes = collect(decided, "-o", ledger), plan(decided, "-o", script), analyze(report, users)
    assert codes == (OutputFailed.exit_code,) * 3
    said = capsys.readouterr().err
    for path in (ledger, script, users):
        assert f"{path} cannot be written: its folder does not exist; create it." in said
    assert not (tmp_path / "missing").exists()


def test_a_workbook_is_compared_with_the_report_that_it_was_made_from(
    tmp_path: Path, report: Path, workbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert collect(workbook, "--report", report) == 0
    other = console_report(tmp_path / "other", DAY, a_user("ann", created=days_before(1)), BOB)
    capsys.readouterr()
    assert collect(workbook, "--report", other) == 3
    assert capsys.readouterr().err.count("the one behind 2 rows") == 1


@pytest.mark.no_cover
def test_a_list_in_csv_is_collected_like_a_workbook(tmp_path: Path) -> None:
    many = [a_user(f"user-{number}") for number in range(300)]
    listed = tmp_path / "bulk.csv"
    listed.write_bytes(bulk(user_rows(*many), *[("delete", "Anna", "2026-05-01")] * 300))
    ledger = tmp_path / "decisions.csv"
    assert collect(listed, "-o", ledger) == 0
    assert len(lines_in(ledger)) == 300
    assert collect(ledger) == 0


DELETE = ("delete", "Anna", DAY, "", "")


@pytest.mark.no_cover
def test_a_list_in_csv_is_compared_with_the_report_that_it_was_made_from(
    tmp_path: Path, report: Path
) -> None:
    users = tmp_path / "users.csv"
    assert analyze(report, users) == 0
    rows = [*csv.DictReader(io.StringIO(users.read_text()))]
    assert {row["user"] for row in rows} == {"ann", "bob"}
    listed, ledger = tmp_path / "bulk.csv", tmp_path / "decisions.csv"
    as_saved = [
        {name: text.upper() if text == "false" else text for name, text in row.items()}
        for row in rows
    ]
    for each in (rows, as_saved, [{**row, "exemption": "needed"} for row in rows]):
        listed.write_bytes(bulk(each, DELETE, DELETE))
        assert collect(listed, "--report", report) == 0
    assert collect(listed, "--report", report, "-o", ledger) == 0
    assert collect(ledger, "--report", report) == 0


FORGED = (
    ({"access_key_1_active": "true"}, 'column access_key_1_active: the report gives "false"'),
    ({"access_key_1_last_rotated": "2026-04-02T00:00:00Z"}, 'the report gives "N/A"'),
    (
        {"verdict": "dormant"},
        'column verdict: the report gives "unused", and the cell has "dormant"',
    ),
    ({"caveats": "all-good"}, "column caveats: the report gives"),
    ({"baseline": "2026-05-01T09:00:00Z"}, "column baseline: the report gives"),
    ({"same_second": "zoe"}, "column same_second: the report gives"),
)
ASTRAY = (
    ({"as_of": "2026-05-01T09:31:00Z"}, 'as_of: the report gives "2026-05-01T09:30:00Z"'),
    ({"arn": f"arn:aws:iam::{ACCOUNT}:user/x/u0"}, "column arn: no report named has this user"),
)


@pytest.mark.parametrize("forged", [FORGED, *((each,) for each in ASTRAY)])
def test_a_row_in_csv_that_was_forged_is_refused_by_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], forged: Sequence[tuple[dict[str, str], str]]
) -> None:
    users = [a_user(f"u{at}", created=days_before(900 + at)) for at in range(len(forged))]
    rows = user_rows(*users, as_of=AT)
    rows = [{**row, **cells} for row, (cells, _) in zip(rows, forged, strict=True)]
    listed = tmp_path / "bulk.csv"
    listed.write_bytes(bulk(rows, *[DELETE] * len(rows), more=("baseline", "same_second")))
    assert collect(listed) == 0
    assert collect(listed, "--report", console_report(tmp_path / DAY, DAY, *users)) == 3
    said = capsys.readouterr().err.splitlines()
    for row, (_, problem) in enumerate(forged, start=2):
        assert any(f"bulk.csv, row {row}," in each and problem in each for each in said), problem


def test_decisions_in_csv_on_a_report_that_is_not_named_are_one_problem(
    tmp_path: Path, report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    others = [a_user(f"user-{number}") for number in range(3)]
    listed = tmp_path / "bulk.csv"
    listed.write_bytes(bulk([*user_rows(*others), *user_rows(ANN)], *[DELETE] * 4))
    assert collect(listed, "--report", report) == 3
    said = capsys.readouterr().err
    assert "no report named has the users and as-of of 4 decisions: row 2, row 3, " in said
    assert said.count("Name the report that it was made from") == 1


def test_a_row_in_csv_that_nobody_decided_on_is_not_compared(tmp_path: Path, report: Path) -> None:
    listed = tmp_path / "bulk.csv"
    listed.write_bytes(bulk(user_rows(a_user("gone"))))
    assert collect(listed, "--report", report) == 0


def test_a_follow_up_needs_a_ledger(tmp_path: Path, report: Path) -> None:
    follow_up = tmp_path / "follow_up.csv"
    assert main(["analyze", str(report), "--follow-up", str(follow_up)]) == 2
    assert not follow_up.exists()


def test_an_explanation_says_what_was_decided_earlier(
    report: Path, decided: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "ann", str(report), "--decisions", str(decided)]) == 0
    assert "earlier decision: delete" in capsys.readouterr().out


def test_no_workbook_with_decisions_is_written_over(
    report: Path,
    workbook: Path,
    written: bytes,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    before = workbook.read_bytes()
    assert analyze(report, workbook) == 2
    assert "has decisions of a reviewer" in " ".join(
        capsys.readouterr().err.replace("│", " ").split()
    )
    assert collect(workbook, "-o", workbook) == 2
    assert plan(workbook, "-o", workbook) == 2
    assert workbook.read_bytes() == before
    workbook.write_bytes(written)
    assert analyze(report, workbook) == 0


def test_the_script_names_who_is_to_go_and_no_other(tmp_path: Path) -> None:
    script = tmp_path / "remove.sh"
    assert plan(ledger_in(tmp_path / "d.csv", ann="delete", bob="keep"), "-o", script) == 0
    text = script.read_text()
    assert "user/ann" in text
    assert "user/bob" not in text


def test_a_script_without_its_ledger_beside_it_is_written_with_a_hint_to_copy_it(
    tmp_path: Path, decided: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    hint = f"needs entered.csv in its folder, {other}: copy it there"
    assert plan(decided, "-o", tmp_path / "remove.sh") == 0
    assert "in its folder" not in capsys.readouterr().err
    assert plan(decided, "-o", other / "remove.sh") == 0
    assert hint in capsys.readouterr().err
    (other / "entered.csv").write_bytes(b"of last year")
    assert plan(decided, "-o", other / "remove.sh") == 0
    assert hint in capsys.readouterr().err
    (other / "entered.csv").write_bytes(decided.read_bytes())
    assert plan(decided, "-o", other / "remove.sh") == 0
    assert "in its folder" not in capsys.readouterr().err


@pytest.mark.no_cover
@pytest.mark.parametrize(("options", "days"), [(("--max-age", "10"), 10), ((), 45)])
def test_a_plan_that_is_too_old_to_run_is_announced(
    decided: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    days: int,
) -> None:
    warning = f"refuse to run: a report is of 2026-05-01T09:30:00Z, more than {days} days ago. Name"
    for seconds in (0, 1):
        now = AT + timedelta(days, seconds)
        monkeypatch.setattr("analyzer.cli.plan.utc_now", lambda now=now: now)
        assert plan(decided, *options, "-o", decided.with_name("remove.sh")) == 0
        says = capsys.readouterr().err
        assert (warning in says, "Read it, then run it: sh " in says) == (seconds > 0, seconds < 1)


def test_where_nobody_is_to_go_the_plan_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plan(ledger_in(tmp_path / "d.csv", ann="keep"), "-o", tmp_path / "remove.sh") == 0
    says = capsys.readouterr().err
    assert "changes nothing" in says
    assert "run it" not in says


@pytest.mark.no_cover
def test_a_user_with_newer_use_is_left_out_and_the_exit_code_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = ledger_in(tmp_path / "d.csv", ann="delete", bob="delete")
    back = a_user("ann", created=days_before(900), key_1=a_key("2026-05-20T00:00:00Z"))
    newer = console_report(tmp_path / LATER, LATER, back, BOB)
    assert plan(ledger, "--report", newer, "-o", tmp_path / "remove.sh") == 5
    assert "Left out" in capsys.readouterr().err
    text = (tmp_path / "remove.sh").read_text()
    assert [line for line in text.splitlines() if "user/ann" in line and line[:1] != "#"] == []


def test_what_is_done_already_is_named_and_in_no_plan(
    tmp_path: Path, decided: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = console_report(tmp_path / LATER, LATER, BOB)
    assert plan(decided, "--report", newer) == 0
    shown = capsys.readouterr()
    assert "Done already: delete arn:aws:iam::" in shown.err
    assert "user/ann" not in shown.out


def test_two_ledgers_of_one_name_are_refused(
    tmp_path: Path, decided: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other").mkdir()
    other = ledger_in(tmp_path / "other" / "entered.csv", ann="delete")
    for named in ((decided, other), (decided, decided)):
        assert plan(*named) == 2
        assert "two files are called entered.csv" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["d\x1b[2J.csv", "d\nx.csv", "d\u2028.csv", "d\udcff.csv"])
def test_a_ledger_whose_name_cannot_be_printed_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert plan(ledger_in(tmp_path / name, ann="delete"), "-o", tmp_path / "remove.sh") == 2
    assert "a name cannot be printed: d\\" in capsys.readouterr().err
    assert not (tmp_path / "remove.sh").exists()


def test_a_script_is_valid_for_a_hundred_years_at_most(decided: Path) -> None:
    assert plan(decided, "--max-age", "36500") == 0
    assert plan(decided, "--max-age", "36501") == 2


def test_a_word_that_does_not_count_is_named_with_the_plan(
    tmp_path: Path, written: bytes, workbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy.xlsx"
    keep = entered("ann", ("keep", "Anna", date(2026, 5, 4), None, "needed"))
    copy.write_bytes(edited(written, keep))
    assert plan(workbook, copy) == 0
    assert "keep, Anna" in capsys.readouterr().err


def test_an_exempt_user_is_left_out(tmp_path: Path, decided: Path) -> None:
    exempt = tmp_path / "exempt.csv"
    exempt.write_text("account,user,reason,owner,expires\n*,ann,By design,,\n")
    assert plan(decided, "--exemptions", exempt, "-o", tmp_path / "remove.sh") == 5


@pytest.mark.no_cover
@pytest.mark.parametrize("sources", [["2026-05-01"], []], ids=["report", "ledger"])
@pytest.mark.parametrize(
    ("entry", "note"),
    [("*,ann,By design,,2026-04-30", "expired on 2026-04-30"), ("*,ann,By design,,2026-05-01", "")],
)
@pytest.mark.usefixtures("report")
def test_an_exemption_that_exempts_nobody_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], sources: list[str], entry: str, note: str
) -> None:
    ledger, exempt = tmp_path / "decisions.csv", tmp_path / "exempt.csv"
    ledger.write_bytes(ledger_bytes([line("delete", ANN), line("keep", BOB)]))
    exempt.write_text(f"account,user,reason,owner,expires\n{entry}\n")
    newer = [part for each in sources for part in ("--report", tmp_path / each)]
    plan(ledger, "--exemptions", exempt, *newer)
    message = capsys.readouterr().err
    assert ("Note: The exemption of ann in account" in message) is bool(note)
    assert note in message


def test_what_is_noted_on_a_newer_report_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = tmp_path / "decisions.csv"
    ledger.write_bytes(ledger_bytes([line("delete", ANN)]))
    newer = saved(tmp_path, report_text([ANN]))
    assert plan(ledger, "--report", newer) == 5
    assert "Note: No generation time in" in capsys.readouterr().err


def test_a_plan_names_the_owners_of_a_list_in_the_script_and_of_users_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger, owners = ledger_in(tmp_path / "d.csv", ann="delete", bob="delete"), tmp_path / "o.csv"
    owners.write_text("account,user,owner\n*,ann,Ann Lee\n*,bob,Bo Li\n")
    newer = console_report(tmp_path / LATER, LATER, ANN)
    assert plan(ledger, "--owners", owners, "--report", newer) == 0
    shown = capsys.readouterr()
    assert "\n# Owner: Ann Lee\nremove delete 'arn:aws:iam::" in shown.out
    assert f"Done already: delete arn:aws:iam::{ACCOUNT}:user/bob (owner Bo Li)\n" in shown.err
    assert plan(ledger, "--owners", owners, "-o", owners) == 2


def test_a_refused_workbook_makes_no_script(tmp_path: Path, written: bytes, workbook: Path) -> None:
    workbook.write_bytes(edited(written, ANN_TO_DELETE, shown("ann", "Decision", "erase")))
    script = tmp_path / "remove.sh"
    assert plan(workbook, "-o", script) == 3
    assert not script.exists()
