"""`export --also` writes feeds into the run, and closes findings of the run before."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import analyzer
from analyzer.cli.options import HOME_REGION_NOTE
from tests.support.builders import ACCOUNT, a_key, a_user, days_before
from tests.support.feeds import asff_file
from tests.support.runs import check_folder, exporting_day, record_of

Capture = pytest.CaptureFixture[str]
FIRST, SECOND, THIRD = (f"2026-0{month}-01" for month in (6, 7, 8))
IDLE, GONE = (a_user(name, key_1=a_key(days_before(60)), mfa=True) for name in ("ann", "bob"))
BATCH = f"findings-{ACCOUNT}-001.asff.json"
BOTH = ("--also", "asff", "--also", "ocsf")


pytestmark = pytest.mark.usefixtures("plain_workbook", "uncompared")


def documents(run: Path, feed: str) -> list[dict[str, Any]]:
    file = run / f"findings.{feed}.json"
    text = asff_file(file) if feed == "asff" else file.read_text()
    return [json.loads(line) for line in text.splitlines()]


def closed(run: Path) -> tuple[int, int]:
    """Return how many findings the run's ASFF and OCSF close."""
    asff = [each for each in documents(run, "asff") if each["RecordState"] == "ARCHIVED"]
    ocsf = [each for each in documents(run, "ocsf") if each["activity_name"] == "Close"]
    return len(asff), len(ocsf)


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
    assert exporting_day(runs, THIRD, IDLE, more=[*BOTH, "--dormant-days", "30"]) == 0
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
