"""What a run holds, what it is compared with the run before it by, and what its feeds close."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

import analyzer
from analyzer.cli.options import HOME_REGION_NOTE
from analyzer.decisions.ledger import ledger_bytes
from analyzer.files import sha256
from tests.support.builders import (
    ACCOUNT,
    ROOT_FOLDER,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    report_text,
    saved,
    saved_credentials,
    table,
    the_root,
)
from tests.support.builders import run as program
from tests.support.decisions import line
from tests.support.feeds import asff_file
from tests.support.runs import (
    OUTPUTS,
    SAMPLE,
    check_folder,
    check_whole,
    console_report,
    exporting,
    exporting_day,
    have_review_workbook,
    record_of,
    visible,
)

Capture = pytest.CaptureFixture[str]
FIRST, SECOND, THIRD = "2026-06-01", "2026-07-15", "2026-07-30"
OTHER = "210987654321"
EARLIER = ROOT_FOLDER / "samples/earlier/status_reports_2025-12-01T09-30-00+00-00.csv"


def name(day: str, number: str = "") -> str:
    return f"{day}T09-30-00Z{number}"


def changes_of(run: Path) -> list[dict[str, str]]:
    return table((run / "changes.csv").read_bytes())


def changed(run: Path, column: str = "user") -> list[tuple[str, str]]:
    """Return each change that is not about a finding, with another column of it."""
    return [(row["change"], row[column]) for row in changes_of(run) if not row["rule"]]


def test_a_run_holds_reports_outputs_naming_them_and_a_record(runs: Path, capsys: Capture) -> None:
    assert exporting(runs, "--from", SAMPLE, "--from", EARLIER) == 0
    assert visible(runs) == {"2026-03-01T09-30-00Z", "latest"}
    run = (runs / "latest").resolve()
    check_whole(run)
    for report in (SAMPLE, EARLIER):
        assert (run / "reports" / report.name).read_bytes() == report.read_bytes()
    assert {path.name for path in run.iterdir()} == {*OUTPUTS, "manifest.json", "reports"}
    users = table((run / "users.csv").read_bytes())
    document = json.loads((run / "analysis.json").read_bytes())
    assert len(users) == len(document["users"]) > 40
    assert {row["verdict"] for row in users} == set(document["listed"])
    assert changed(run) == []
    assert document["files"][0]["name"] == f"reports/{SAMPLE.name}"
    (note,) = [each for each in document["notes"] if f"reports/{EARLIER.name}" in each]
    assert note in capsys.readouterr().err
    book = openpyxl.load_workbook(run / "review.xlsx", read_only=True)
    cells = [str(cell) for row in book["Summary"].values for cell in row]
    assert any(SAMPLE.name in cell for cell in cells)
    contents = [(run / output).read_bytes().decode("latin-1") for output in OUTPUTS]
    assert not any(".credreport-" in text for text in (*contents, *cells))


@pytest.mark.no_cover
def test_changes_since_the_last_run_get_a_sheet(runs: Path, capsys: Capture) -> None:
    used = a_password(days_before(5))
    before = [a_user("-ann"), a_user("bob"), a_user("eve", key_1=a_key(used=days_before(2)))]
    now = [a_user("-ann", password=used), a_user("eve"), a_user("zoe")]
    for day, users in ((FIRST, before), (SECOND, now)):
        assert exporting_day(runs, day, *users) == 0
        book = openpyxl.load_workbook(runs / name(day) / "review.xlsx", read_only=True)
        assert ("Changes" in book.sheetnames) == (day == SECOND)
        heads = {row[0] for row in book["Summary"].values}
        assert ("Trend: users by month" in heads) == (day == SECOND)
    came_and_went = [("new", "zoe"), ("gone", "bob")]
    others = [("became-unused", "eve"), ("no-longer-unused", "'-ann")]
    assert changed(runs / "latest") == came_and_went + others
    every = len(changes_of(runs / "latest"))
    assert f"; changes since {name(FIRST)}: {every}." in capsys.readouterr().err


@pytest.mark.no_cover
@pytest.mark.usefixtures("changes_alone")
@pytest.mark.parametrize(
    ("before", "now", "name_before"),
    [
        ([], ["--definition", "iam-029", "--idle-days", "9"], name(FIRST)),
        (["--as-of", "2026-08-31"], ["--as-of", "2026-09-30"], "2026-08-31T23-59-59Z"),
    ],
    ids=["criteria", "moments"],
)
def test_runs_are_compared_by_the_criteria_of_the_later_each_as_of_its_own_moment(
    runs: Path, before: list[str], now: list[str], name_before: str
) -> None:
    used_once = a_key(used=datetime(2026, 5, 1, tzinfo=UTC))  # dormant since August
    eve = a_user("eve", password=a_password(days_before(20)))
    users = (a_user(key_1=an_inactive_key()), eve, a_user("bob", key_1=used_once))
    for options in (before, now):
        assert exporting_day(runs, FIRST, *users, more=options) == 0
    assert record_of(runs / "latest")["compared_with"] == name_before
    assert changes_of(runs / "latest") == []


@pytest.mark.no_cover
@pytest.mark.usefixtures("plain_workbook")
def test_evidence_about_service_credentials_makes_another_run(runs: Path, reports: Path) -> None:
    report = console_report(reports, FIRST)
    assert exporting(runs, "--from", report) == 0
    saved_credentials(report, quiet="Active")
    assert exporting(runs, "--from", report) == 0
    assert visible(runs) == {name(FIRST), name(FIRST, "-2"), "latest"}
    (user,) = table((runs / "latest" / "users.csv").read_bytes())
    assert user["caveats"] == "service-credential"


@pytest.mark.no_cover
@pytest.mark.usefixtures("changes_alone")
def test_an_older_report_is_compared_with_the_run_before_it(runs: Path) -> None:
    users = {FIRST: ["ann"], SECOND: ["ann", "bob"], THIRD: ["ann", "bob", "eve"]}
    for day in (FIRST, THIRD, SECOND):
        assert exporting_day(runs, day, *map(a_user, users[day])) == 0
    assert (runs / "latest").readlink().name == name(THIRD)
    assert record_of(runs / name(SECOND))["compared_with"] == name(FIRST)
    assert changed(runs / name(SECOND)) == [("new", "bob")]
    assert changed(runs / name(THIRD)) == [("new", "bob"), ("new", "eve")]


@pytest.mark.no_cover
@pytest.mark.usefixtures("changes_alone")
def test_accounts_that_are_missing_for_once_are_told_and_never_gone_or_new(
    runs: Path, reports: Path, tmp_path: Path, capsys: Capture
) -> None:
    both = report_text([a_user("ann"), a_user("bob", account=OTHER)])
    failed = {"account": OTHER, "name": "payments", "status": "failed", "reason": "AWS denied it."}
    console_report(reports, SECOND, a_user("ann"))
    saved(reports, json.dumps({"accounts": [failed]}), "fetched.manifest.json")
    first, third = (
        saved(tmp_path, both, f"status_reports_{day}T09-30-00+00-00.csv") for day in (FIRST, THIRD)
    )
    assert exporting(runs, "--from", first) == 0
    assert changed(runs / "latest") == []
    capsys.readouterr()
    assert exporting(runs, "--from", reports) == 5
    assert changed(runs / "latest", "cause") == [("not-covered", "not covered now: AWS denied it.")]
    record = record_of(runs / "latest")
    assert record["exit_code"] == 5
    missing = {"account": OTHER, "name": "payments", "reason": "AWS denied it."}
    assert record["accounts"]["not_covered"] == [missing]
    sentence = f"Account {OTHER} is not covered: AWS denied it."
    assert sentence in capsys.readouterr().err
    assert (runs / "latest" / "reports" / "fetched.manifest.json").is_file()
    assert exporting(runs, "--from", reports, "--check") == 5
    assert sentence in capsys.readouterr().err
    assert exporting(runs, "--from", third) == 0
    cause = f"not covered before: AWS denied it.; for changes since the run {name(FIRST)},"
    before = [("not-covered", f"{cause} compare it with this one: credreport diff")]
    assert changed(runs / "latest", "cause") == before
    assert record_of(runs / "latest")["compared_with"] == name(SECOND)


@pytest.mark.usefixtures("changes_alone")
def test_runs_are_compared_by_their_unedited_decisions(runs: Path, capsys: Capture) -> None:
    ann = a_user("ann")
    assert exporting_day(runs, FIRST, ann) == 0
    kept = line("keep", ann, comment="needed")
    saved(runs, ledger_bytes([kept]), "decisions.csv")
    assert exporting_day(runs, SECOND, ann) == 0
    changes = changes_of(runs / "latest")
    (row,) = (row for row in changes if not row["rule"])
    assert (row["change"], row["exemption_now"]) == ("exempted", "needed")
    done = program("diff", *(runs / name(day) for day in (FIRST, SECOND)), "-q", "--format", "csv")
    assert (done.code, done.rows) == (0, changes)
    assert exporting_day(runs, THIRD, ann) == 0
    assert changes_of(runs / "latest") == []
    with (runs / name(THIRD) / "decisions.csv").open("ab") as stream:
        stream.write(b"\n")
    assert exporting_day(runs, "2026-08-01", ann) == 0
    assert "were changed: changes since it are not shown" in capsys.readouterr().err


@pytest.mark.usefixtures("changes_alone")
def test_a_run_whose_reports_are_refused_by_now_changes_nothing_and_is_named(runs: Path) -> None:
    assert exporting_day(runs, FIRST, a_user("ann")) == 0
    run = runs / name(FIRST)
    (report,) = (run / "reports").iterdir()
    record = (run / "manifest.json").read_text()
    digest = sha256(report)
    report.write_text("no report")
    (run / "manifest.json").write_text(record.replace(digest, sha256(report)))
    assert exporting_day(runs, SECOND, a_user("eve")) == 0
    ((change, cause),) = changed(runs / "latest", "cause")
    assert change == "not-covered"
    assert cause.startswith(f"not covered before: the run {run.name} is refused: ")


@pytest.mark.no_cover
@pytest.mark.usefixtures("changes_alone")
def test_a_workbook_that_was_filled_in_leaves_its_run_complete_and_is_never_removed(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        have_review_workbook(patch)
        exporting_day(runs, FIRST)
    with (runs / name(FIRST) / "review.xlsx").open("ab") as stream:
        stream.write(b"reviewed")
    assert exporting_day(runs, FIRST) == 0
    assert visible(runs) == {name(FIRST), "latest"}
    for day, before in ((SECOND, FIRST), (THIRD, SECOND)):
        assert exporting_day(runs, day, more=["--keep", "1"]) == 0
        assert record_of(runs / "latest")["compared_with"] == name(before)
    assert visible(runs) == {name(FIRST), name(THIRD), "latest"}


# Feeds

IDLE, GONE = (a_user(name, key_1=a_key(days_before(90)), mfa=True) for name in ("ann", "bob"))
BATCH = f"findings-{ACCOUNT}-001.asff.json"
BOTH = ("--also", "asff", "--also", "ocsf")


def documents(run: Path, feed: str) -> list[dict[str, Any]]:
    file = run / f"findings.{feed}.json"
    text = asff_file(file) if feed == "asff" else file.read_text()
    return [json.loads(line) for line in text.splitlines()]


def closed(run: Path) -> tuple[int, int]:
    """Return how many findings the run's ASFF and OCSF close."""
    asff = [each for each in documents(run, "asff") if each["RecordState"] == "ARCHIVED"]
    ocsf = [each for each in documents(run, "ocsf") if each["activity_name"] == "Close"]
    return len(asff), len(ocsf)


@pytest.mark.usefixtures("plain_workbook", "uncompared")
def test_feeds_close_what_is_gone_since_the_last_run(runs: Path, capsys: Capture) -> None:
    assert exporting_day(runs, FIRST, IDLE, GONE, more=[*BOTH, "--hub-region", "eu-central-1"]) == 0
    feeds = {BATCH, "findings.ocsf.json"}
    assert feeds <= {each["path"] for each in record_of(runs / "latest")["files"]}
    assert record_of(runs / "latest")["parameters"]["also"] == ["asff", "ocsf"]
    assert closed(runs / "latest") == (0, 0)
    assert HOME_REGION_NOTE not in capsys.readouterr().err
    (region,) = {each["ProductArn"].split(":")[3] for each in documents(runs / "latest", "asff")}
    assert region == "eu-central-1"

    assert exporting_day(runs, SECOND, IDLE, GONE) == 0
    assert not feeds & {each["path"] for each in record_of(runs / "latest")["files"]}

    # Other criteria compare with no run, but findings that are gone are closed.
    assert exporting_day(runs, THIRD, IDLE, more=[*BOTH, "--idle-days", "30"]) == 0
    assert HOME_REGION_NOTE in " ".join(capsys.readouterr().err.split())
    asff, ocsf = closed(runs / "latest")
    assert asff == ocsf > 0
    check_folder(runs)

    # A feed that was edited closes nothing.
    (runs / "latest" / BATCH).write_text("[]\n")
    (runs / "latest" / "findings.ocsf.json").write_text("{}\n")
    assert exporting_day(runs, "2026-09-01", GONE, more=BOTH) == 0
    assert closed(runs / "latest") == (0, 0)
    assert "was changed: none of its findings is closed." in capsys.readouterr().err


@pytest.mark.usefixtures("plain_workbook", "uncompared")
def test_parquet_in_a_run_has_the_users_and_findings_of_its_csv(runs: Path) -> None:
    for month in (FIRST, SECOND):  # The second run has an earlier table, which it cannot close.
        assert exporting_day(runs, month, IDLE, GONE, more=["--also", "parquet"]) == 0
    run = runs / "latest"
    for name, schema in (("users", analyzer.USERS), ("findings", analyzer.FINDINGS)):
        table = pq.read_table(run / f"{name}.parquet")
        assert table.schema == schema
        with (run / f"{name}.csv").open(newline="") as stream:
            assert [row["arn"] for row in csv.DictReader(stream)] == table["arn"].to_pylist()
        assert f"{name}.parquet" in {each["path"] for each in record_of(run)["files"]}
    check_folder(runs)


EVE, ZOE = (a_user(name, account=OTHER, mfa=name == "eve") for name in ("eve", "zoe"))
KEYS, UNUSED, ROOT = "idle-access-key", "unused-user", "root-without-mfa"
WEAK, WHOLE = (report_text([IDLE], root=the_root(mfa_active=mfa)) for mfa in ("false", "true"))
ROOTLESS = "\n".join(each for each in WHOLE.split("\n") if ":root," not in each)
STAY_OPEN = {
    "a report of its account": [(report_text([IDLE, *of]), "default") for of in ([EVE], [], [ZOE])],
    "its rule": [
        *((report_text([GONE]), KEYS), (report_text([IDLE]), UNUSED)),
        (report_text([IDLE]), KEYS),
    ],
    "the row of the root user": [(text, ROOT) for text in (WEAK, ROOTLESS, WHOLE)],
}
"""What is lacking in the second of three runs, and the report and the rules of each."""


@pytest.mark.usefixtures("plain_workbook", "uncompared")
@pytest.mark.parametrize("lacking", STAY_OPEN)
def test_findings_stay_open_until_a_run_has_again_what_it_lacks(runs: Path, lacking: str) -> None:
    numbers = []
    for day, (text, rules) in zip((FIRST, SECOND, THIRD), STAY_OPEN[lacking], strict=True):
        source = console_report(runs.with_name(day), day)
        source.write_text(text)
        assert exporting(runs, "--from", source, *BOTH, "--rules", rules) == 0
        numbers.append(closed(runs / "latest"))
    assert numbers == [(0, 0), (0, 0), (1, 1)]


@pytest.mark.usefixtures("plain_workbook", "uncompared")
def test_runs_whose_findings_may_be_open_are_not_removed(runs: Path) -> None:
    idle, unused = (["--rules", rule] for rule in (KEYS, UNUSED))
    both = [*idle, *unused]
    days = (
        ("2026-06-01", [GONE, EVE], both, {1}),
        ("2026-06-02", [GONE], both, {1, 2}),
        ("2026-06-03", [IDLE], unused, {1, 2, 3}),
        ("2026-06-04", [IDLE], unused, {1, 2, 4}),
        # Now the finding on an idle key is closed; those of the other account are open.
        ("2026-06-05", [IDLE], both, {1, 5}),
        ("2026-06-06", [IDLE, ZOE], both, {6}),
    )
    numbers = []
    for day, users, rules, kept in days:
        assert exporting_day(runs, day, *users, more=[*BOTH, *rules, "--keep", "1"]) == 0
        assert visible(runs) - {"latest"} == {name(f"2026-06-{number:02}") for number in kept}
        numbers.append(closed(runs / "latest"))
    assert numbers == [(0, 0), (0, 0), (0, 0), (0, 0), (1, 1), (1, 1)]

    # Without the row of the root user, its findings may be open.
    text = report_text([IDLE, ZOE])
    source = console_report(runs.with_name("rootless"), "2026-06-07")
    source.write_text("\n".join(each for each in text.split("\n") if ":root," not in each))
    assert exporting(runs, "--from", source, *BOTH, *both, "--keep", "1") == 0
    assert visible(runs) == {name("2026-06-06"), name("2026-06-07"), "latest"}


@pytest.mark.usefixtures("plain_workbook", "uncompared")
def test_feeds_of_a_late_run_leave_out_accounts_of_which_a_later_run_has_the_last_word(
    runs: Path, capsys: Capture
) -> None:
    eve = a_user("eve", account=OTHER)
    for day in (FIRST, THIRD):
        assert exporting_day(runs, day, IDLE, more=BOTH) == 0
    message = f"leaves out account {ACCOUNT}: a later run has the newer findings."
    assert message not in capsys.readouterr().err

    # None of the findings that are gone by now is opened again.
    assert exporting_day(runs, "2026-07-10", IDLE, GONE, more=[*BOTH, "--also", "parquet"]) == 0
    late = runs / name("2026-07-10")
    assert {each["path"] for each in record_of(late)["files"]} & {
        BATCH,
        "findings.ocsf.json",
    } == set()
    assert (late / "findings.parquet").exists()
    assert capsys.readouterr().err.count(message) == 2

    # What only the late run knows is there.
    assert exporting_day(runs, SECOND, IDLE, GONE, eve, more=BOTH) == 0
    late = runs / name(SECOND)
    assert {each["cloud"]["account"]["uid"] for each in documents(late, "ocsf")} == {OTHER}
    assert not (late / BATCH).exists()
    assert (late / BATCH.replace(ACCOUNT, OTHER)).exists()
    assert "bob" in (late / "findings.csv").read_text()

    # It has all of rules that did not run later, and of a report with a row that names no account.
    capsys.readouterr()
    for day, users, rules in (
        ("2026-07-20", (IDLE, GONE), "all"),
        ("2026-07-21", (IDLE, GONE, a_user("zoe", arn="")), "default"),
    ):
        exporting_day(runs, day, *users, more=[*BOTH, "--rules", rules])
        assert "bob" in (runs / name(day) / BATCH).read_text()
    assert message not in capsys.readouterr().err


BOTH_ACCOUNTS, MINE, OTHERS = (
    report_text(users, root=the_root(account))
    for users, account in (
        ((a_user("ann"), a_user("eve", account=OTHER), a_user("x", arn="lost")), ACCOUNT),
        ((a_user("ann"),), ACCOUNT),
        ((a_user("eve", account=OTHER),), OTHER),
    )
)


@pytest.mark.usefixtures("changes_alone")
@pytest.mark.parametrize(
    ("first", "then", "number"),
    [
        (BOTH_ACCOUNTS, MINE, "0, accounts not compared: 2"),
        (OTHERS, MINE, "not known, accounts not compared: 2"),
    ],
)
def test_an_account_of_the_run_before_that_has_no_report_now_is_named_once(
    runs: Path, capsys: Capture, first: str, then: str, number: str
) -> None:
    for day, text in ((FIRST, first), (SECOND, then), (THIRD, then)):
        source = console_report(runs.with_name(day), day)
        source.write_text(text)
        assert exporting(runs, "--from", source, *["--quiet"] * (day != SECOND)) == 0
    said = capsys.readouterr().err
    assert said.count(f"No report of account {OTHER}, which the run {name(FIRST)} has.\n") == 1
    assert f"; changes since {name(FIRST)}: {number}. SHA-256 of its manifest" in said
