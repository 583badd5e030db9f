"""A run keeps the decisions that it was judged with, and the next one is compared by them."""

import json
from datetime import date
from pathlib import Path

import pytest

from analyzer.cli import main
from analyzer.errors import InputRefused
from analyzer.exports.decisions import DECISIONS, decisions_bytes, recorded_review
from analyzer.files import sha256
from analyzer.review import Review
from analyzer.review_columns import Decision
from tests.support.builders import AS_OF, a_user, table
from tests.support.reviews import DAY, decision_on, listed, review_of, workbook_bytes
from tests.support.runs import check_whole, console_report, exporting, record_of

DAYS = ("2026-04-01", "2026-04-02", "2026-04-03", "2026-12-01")
REVIEW = review_of(
    decision_on("=ann", Decision.KEEP, comment="by design", ticket="7", as_of=AS_OF),
    decision_on(
        "bob", Decision.DELETE, date(2025, 1, 1), created=None, has_entered_date=False, row=3
    ),
    keep_days=7,
    due_days=3,
)


def changed(run: Path) -> list[tuple[str, str, str]]:
    """Return user and change of each change that is not about a finding."""
    rows = table((run / "changes.csv").read_bytes())
    return [(row["user"], row["change"], row["exemption_now"]) for row in rows if not row["rule"]]


def filled_in(run: Path, *names: str) -> None:
    rows = (listed(name, "keep", Comment="by design", Decided_on=DAY) for name in names)
    (run / "review.xlsx").write_bytes(workbook_bytes(*rows))


def test_decisions_come_back_as_they_were(tmp_path: Path) -> None:
    assert recorded_review(tmp_path) == Review()
    (tmp_path / DECISIONS).write_bytes(decisions_bytes(REVIEW))
    assert recorded_review(tmp_path) == REVIEW


def test_the_file_keeps_its_keys_so_that_runs_of_earlier_versions_are_read() -> None:
    (_, bob) = json.loads(decisions_bytes(REVIEW))["decisions"]
    keys = "arn created decision decided_on decided_by ticket comment is_dated as_of file sheet row"
    assert [*bob] == keys.split()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"workbooks": [], "keep_days": 1, "due_days": 1}',
        '{"workbooks": [{"a": 1}], "decisions": [], "keep_days": 1, "due_days": 1}',
        decisions_bytes(REVIEW).decode().replace('"keep"', '"kep"'),
        decisions_bytes(REVIEW).decode().replace(f'"{DAY}"', '"soon"'),
    ],
)
def test_a_file_that_is_not_as_it_was_written_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / DECISIONS).write_text(text)
    with pytest.raises(InputRefused, match="Export the run again"):
        recorded_review(tmp_path)


def test_a_user_to_keep_is_a_change_once_and_again_when_the_keep_ends(tmp_path: Path) -> None:
    runs, told = tmp_path / "runs", []
    for day in DAYS:
        report = console_report(tmp_path / day, day, a_user("ann"), a_user("bob"))
        assert exporting(runs, "--from", report) == 0
        check_whole(runs / "latest")
        told.append(changed(runs / "latest"))
        # The reviewer goes on in the first workbook: what it held before is known all the same.
        filled_in(runs / f"{DAYS[0]}T09-30-00Z", *(["ann"] if day == DAYS[0] else ["ann", "bob"]))
    assert told == [
        [],
        [("ann", "exempted", "by design")],
        [("bob", "exempted", "by design")],
        [("ann", "exemption-ended", ""), ("bob", "exemption-ended", "")],
    ]


def test_a_run_without_a_review_has_no_such_file(tmp_path: Path) -> None:
    exporting(tmp_path / "runs", "--from", console_report(tmp_path / "1", DAYS[0]))
    assert not (tmp_path / "runs" / "latest" / DECISIONS).exists()


def two_runs(folder: Path) -> Path:
    """Export two reports, with a user to keep in between, and return the second run."""
    runs = folder / "runs"
    exporting(runs, "--from", console_report(folder / "1", DAYS[0], a_user("ann")))
    filled_in(runs / "latest", "ann")
    exporting(runs, "--from", console_report(folder / "2", DAYS[1], a_user("ann")))
    return (runs / "latest").resolve()


def test_diff_compares_runs_by_the_users_that_each_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second = two_runs(tmp_path)
    exporting(second.parent, "--from", console_report(tmp_path / "3", DAYS[2], a_user("ann")))
    first, _, third = sorted(second.parent.glob("2*"))
    told = []
    for old, new in ((first, second), (second, third)):
        capsys.readouterr()
        assert main(["diff", str(old), str(new), "--format", "csv"]) == 0
        told.append([row["change"] for row in table(capsys.readouterr().out.encode())])
    assert told == [["exempted"], []]


def test_a_run_whose_decisions_were_changed_is_not_compared_with(tmp_path: Path) -> None:
    run = two_runs(tmp_path)
    (run / DECISIONS).write_bytes(decisions_bytes(Review()))
    exporting(run.parent, "--from", console_report(tmp_path / "3", DAYS[2], a_user("ann")))
    assert record_of(run.parent / "latest")["compared_with"] is None


def test_a_run_whose_decisions_are_refused_is_named(tmp_path: Path) -> None:
    run = two_runs(tmp_path)
    digest = sha256(run / DECISIONS)
    (run / DECISIONS).write_text("{}")
    record = (run / "manifest.json").read_text()
    (run / "manifest.json").write_text(record.replace(digest, sha256(run / DECISIONS)))
    exporting(run.parent, "--from", console_report(tmp_path / "3", DAYS[2], a_user("ann")))
    (row,) = table((run.parent / "latest" / "changes.csv").read_bytes())
    assert row["change"] == "not-covered"
    assert f"the run {run.name} is refused: it does not have the decisions" in row["cause"]
