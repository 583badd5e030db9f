"""The log of the removal script says when and by whom a user was removed."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import analyzer
from analyzer.decisions.follow_up import FollowUp
from analyzer.decisions.ledger import ledger_bytes
from analyzer.decisions.removal_log import LOG_COLUMNS, NO_LOG, read_removal_log
from analyzer.errors import InputRefused
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    Row,
    a_key,
    a_user,
    an_inactive_key,
    report_text,
    run,
    saved,
)
from tests.support.decisions import console_name, ledger_of, line
from tests.support.named_reports import load_named
from tests.support.removal_logs import CALLER, log_in, log_row, log_text

DAY = timedelta(days=1)
QUIET = a_user("quiet")
BORN: Any = QUIET["user_creation_time"]
KEYED = a_user("quiet", key_1=a_key(BORN))
RUN = "20260505T093000Z-77"


def entry(days: float = 4, **cells: Any) -> Any:
    return log_row(AS_OF + days * DAY, "quiet", BORN, **cells)


OFF: dict[str, Any] = {"decision": "deactivate", "step": "end", "result": "done", "detail": ""}


def followed(
    *rows: Any, later: dict[int, list[Row]] | None = None, word: str = "delete", user: Row = QUIET
) -> FollowUp:
    """Follow one decision through the reports of some days after it, beside a log."""
    shown = {0: [user]} | (later or {40: []})
    files = [
        (console_name(AS_OF + days * DAY), report_text(users).encode())
        for days, users in shown.items()
    ]
    log = read_removal_log("log.csv", log_text(*rows).encode())
    ledger = replace(ledger_of(line(word, user)), log=log)
    return analyzer.analyze(load_named(*files), ledger=ledger).follow_up_result


DONE_CASES: tuple[tuple[list[Any], str], ...] = (
    ([entry()], "2026-05-05"),
    ([entry(40)], "2026-06-10"),  # in the second of the report that shows it
    ([entry(41)], ""),
    ([entry(result="failed")], ""),
    ([entry(result="begin")], ""),
    ([entry(**OFF)], ""),  # the user is gone, and this script only deactivated it
    ([entry(step="delete-access-key")], ""),
    ([entry(step="end", result="gone", detail="")], ""),
    ([entry(result="", detail="")], ""),
    ([], ""),
)


@pytest.mark.parametrize(("rows", "day"), DONE_CASES)
def test_a_removal_that_a_report_shows_done_has_moment_caller_and_run_of_the_log(
    rows: list[Any], day: str
) -> None:
    (found,) = followed(*rows).frame.to_dict("records")
    assert found["status"] == "done"
    if day:
        text = f"the user is gone; log: deleted on {day} 12:00 UTC by {CALLER} (run {RUN})"
        assert (str(found["done_at"].date()), found["fact"]) == (day, text)
        assert (found["done_by"], found["done_in"]) == (CALLER, RUN)
    else:
        assert (str(found["done_at"]), found["done_by"], found["done_in"]) == ("NaT", "", "")
        assert found["fact"] == "the user is gone"


def test_what_was_done_in_an_account_of_another_partition_is_not_said_of_this_one() -> None:
    arn = f"arn:aws-cn:iam::{ACCOUNT}:user/quiet"
    (found,) = followed(entry(arn=arn)).frame.to_dict("records")
    assert (found["status"], found["fact"]) == ("done", "the user is gone")
    here = QUIET | {"arn": arn}
    (found,) = followed(entry(arn=arn), user=here).frame.to_dict("records")
    assert (found["account"], found["done_in"]) == (f"aws-cn:{ACCOUNT}", RUN)


def test_what_no_report_shows_yet_is_open_and_says_what_the_log_has() -> None:
    (found,) = followed(entry(41), later={40: [QUIET]}).frame.to_dict("records")
    assert (found["status"], found["fact"].partition(";")[0]) == ("open", "still there")
    assert "; log: deleted on 2026-06-11 12:00 UTC by" in found["fact"]
    off = followed(entry(41, **OFF), later={40: [KEYED]}, word="deactivate", user=KEYED).frame
    assert "; log: deactivated on 2026-06-11 12:00 UTC by" in off["fact"].iloc[0]


LOCKED = a_user("quiet", key_1=an_inactive_key(BORN))


def test_a_delete_that_is_deactivated_first_is_that_decision() -> None:
    result = followed(entry(**OFF), later={40: [LOCKED]}, user=KEYED)
    fact = result.frame["fact"].iloc[0]
    assert fact.startswith("no access is left: write delete again")
    assert "; log: deactivated on 2026-05-05" in fact


@pytest.mark.parametrize(
    ("rows", "shown", "word", "overdue"),
    [
        ([entry(5, **OFF)], KEYED, "deactivate", "undone"),
        ([entry(5, **OFF)], KEYED, "delete", "undone"),
        ([entry(5)], KEYED, "delete", "undone"),
        ([entry(5, **OFF), entry(93, **OFF)], KEYED, "deactivate", "undone"),
        # The report is no later than the script, or shows no access.
        ([entry(92, **OFF)], KEYED, "deactivate", "not carried out"),
        ([entry(93, **OFF)], KEYED, "deactivate", "not carried out"),
        ([entry(-1, **OFF)], KEYED, "deactivate", "not carried out"),
        ([entry(5, **OFF)], LOCKED, "deactivate", ""),
        ([], KEYED, "deactivate", "not carried out"),
    ],
)
def test_a_removal_in_the_log_is_undone_where_a_later_report_shows_access_again(
    rows: list[Any], shown: Row, word: str, overdue: str
) -> None:
    (found,) = followed(*rows, later={92: [shown]}, word=word, user=KEYED).frame.to_dict("records")
    assert found["overdue"] == overdue


def test_what_was_done_before_the_report_decided_on_is_another_decision() -> None:
    assert "log" not in followed(entry(-1), later={40: [QUIET]}).frame["fact"].iloc[0]


REFUSED = {
    "time": "yesterday",
    "created": "",
    "decision": "keep",
    "result": "okay",
    "arn": "arn:aws:iam::1:user/x",
    "account": "111122223333",
    "user": "loud",
}


@pytest.mark.parametrize("column", REFUSED)
def test_a_line_that_the_script_did_not_write_is_refused_with_file_row_and_column(
    column: str,
) -> None:
    row = entry() | {column: REFUSED[column]}
    with pytest.raises(InputRefused) as refused:
        read_removal_log("log.csv", log_text(entry(), row).encode())
    (problem,) = refused.value.problems
    assert (problem.file, problem.row, problem.column) == ("log.csv", 3, column)
    assert "Restore the log" in str(problem)


def test_another_file_is_no_log() -> None:
    head = ",".join(LOG_COLUMNS)
    for text in ("user,reason\nann,why\n", f"{head},more\n", f"{head.removesuffix(',detail')}\n"):
        with pytest.raises(InputRefused):
            read_removal_log("log.csv", text.encode())


def test_a_line_that_a_killed_run_cut_off_says_nothing_wherever_it_was_cut() -> None:
    whole = log_text(entry(), entry(5, result="begin"))
    head = log_text()
    assert len(read_removal_log("log.csv", whole.encode()).removals) == 1
    for end in range(len(head), len(whole)):
        found = read_removal_log("log.csv", whole[:end].encode()).removals
        is_whole = whole[:end].startswith(log_text(entry()).rstrip().removesuffix('","quiet"'))
        assert len(found) == is_whole, whole[:end]


def test_what_several_logs_have_counts_once() -> None:
    texts = {"one.csv": log_text(entry()), "two.csv": log_text(entry(), entry(9))}
    both = sum((read_removal_log(name, text.encode()) for name, text in texts.items()), NO_LOG)
    assert [(of.place, of.is_deleted) for of in both.removals] == [
        ("one.csv, row 2", True),
        ("two.csv, row 3", True),
    ]
    assert [file.name for file in both.files] == ["one.csv", "two.csv"]
    assert len(both.until((AS_OF + 5 * DAY).date()).removals) == 1


def test_analyze_reads_logs_beside_a_ledger_only(tmp_path: Path) -> None:
    for days, users in ((0, [QUIET]), (40, [])):
        name = console_name(AS_OF + days * DAY)
        reports = saved(tmp_path / "in", report_text(users), name).parent
    ledger = saved(tmp_path, ledger_bytes([line("delete", QUIET)]), "decisions.csv")
    log = log_in(tmp_path, entry())
    words = ("analyze", reports, "--log", log)
    assert run(*words).code == 2
    done = run(*words, "--decisions", ledger, "-f", "json")
    (row,) = json.loads(done.output)["decisions"]["follow_up"]
    assert (row["status"], row["done_at"]) == ("done", "2026-05-05T12:00:00Z")
    for path in (log, ledger):
        assert run(*words, "--decisions", ledger, "-o", path).code == 2
