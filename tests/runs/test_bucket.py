"""Runs in a bucket, as the guide prints them, lose nothing that reviewers upload meanwhile."""

import re
import subprocess
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from tests.support.builders import ROOT_FOLDER, a_user, days_before, table
from tests.support.forking import forking
from tests.support.review import fill_in
from tests.support.runs import console_report

GUIDE = (ROOT_FOLDER / "samples" / "deploy" / "README.md").read_text()
WORKFLOW = (ROOT_FOLDER / ".github" / "workflows" / "credential-review.yml").read_text()
(LOOP,) = re.findall(r"^```sh\n(bucket=.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
DAY, ON = "2026-05-01", date(2026, 5, 4)
USERS = [a_user(name, created=days_before(900 - at)) for at, name in enumerate(("ann", "bo", "cy"))]

MACHINE = """
aws() {{
{aws}
}}
credreport() {{
  case $1 in
  export) {program} "$@" --from ../reports; code=$?; {meanwhile}; return $code ;;
  *) {program} "$@" ;;
  esac
}}
"""
COPY = r"""
  from=${3/s3:*credreport/..\/bucket}
  to=${4/s3:*credreport/..\/bucket}
  mkdir -p "$from" "$to"
  cp -r --preserve=timestamps "$from/." "$to"
"""


def played(folder: Path, meanwhile: Mapping[Path, str] | None = None, aws: str = COPY) -> int:
    """Play the loop on a new machine; files are copied into the bucket while it exports."""
    machine = folder / f"machine-{len(list(folder.glob('machine-*')))}"
    machine.mkdir()
    copies = [f"cp {path} ../bucket/{name}" for path, name in (meanwhile or {}).items()]
    words = {"aws": aws, "program": forking("credreport"), "meanwhile": "; ".join([":"] + copies)}
    script = f"{MACHINE.format(**words)}\n{LOOP}"
    return subprocess.run(["bash", "-c", script], cwd=machine, check=False).returncode


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Hold reports, an empty bucket and the first run in it."""
    (tmp_path / "bucket" / "reviews").mkdir(parents=True)
    console_report(tmp_path / "reports", DAY, *USERS)
    assert played(tmp_path) == 0
    return tmp_path


def filled(folder: Path, name: str, **words: str) -> Path:
    """Download the workbook of the run, and fill it in."""
    book, *_ = sorted((folder / "bucket").glob("20*/review.xlsx"))
    return fill_in(book, words, by=name, on=ON, copy=folder / f"{name}.xlsx")


def decisions(folder: Path) -> set[tuple[str, str, str]]:
    ledger = table((folder / "bucket" / "decisions.csv").read_bytes())
    return {(row["decided_by"], row["user"], row["decision"]) for row in ledger}


def test_the_next_run_collects_what_reviewers_uploaded_also_during_a_run(folder: Path) -> None:
    filled(folder, "Ann", ann="delete", bo="keep").rename(folder / "bucket" / "reviews/ann.xlsx")
    tom = filled(folder, "Tom", cy="delete")
    again = filled(folder, "Ann", ann="delete", bo="keep", cy="delete")
    meanwhile = {tom: "reviews/tom.xlsx", again: "reviews/ann.xlsx"}
    assert played(folder, meanwhile) == 0
    of_ann = {("Ann", "ann", "delete"), ("Ann", "bo", "keep")}
    assert decisions(folder) == of_ann
    assert (folder / "bucket/reviews/ann.xlsx").read_bytes() == again.read_bytes()
    assert (folder / "bucket/reviews/tom.xlsx").read_bytes() == tom.read_bytes()
    assert played(folder) == 0
    every = of_ann | {("Tom", "cy", "delete"), ("Ann", "cy", "delete")}
    assert decisions(folder) == every
    before = (folder / "bucket" / "decisions.csv").read_bytes()
    assert played(folder) == 0
    assert (folder / "bucket" / "decisions.csv").read_bytes() == before


def test_a_workbook_that_is_refused_stops_no_other_one_and_the_run_says_so(folder: Path) -> None:
    filled(folder, "Ann", ann="erase").rename(folder / "bucket" / "reviews/a.xlsx")
    filled(folder, "Tom", cy="delete").rename(folder / "bucket" / "reviews/b.xlsx")
    assert played(folder) == 5
    assert decisions(folder) == {("Tom", "cy", "delete")}
    (folder / "bucket" / "reviews/a.xlsx").unlink()
    assert played(folder) == 0


def test_where_the_first_copy_fails_nothing_else_runs(folder: Path) -> None:
    before = sorted((folder / "bucket").rglob("*"))
    assert played(folder, aws="return 7") == 7
    assert sorted((folder / "bucket").rglob("*")) == before
    assert not list(folder.glob("machine-1/runs"))


def test_nothing_is_deleted_in_the_bucket_and_the_workflow_does_as_the_guide() -> None:
    assert "--delete" not in LOOP + WORKFLOW
    for line in LOOP.splitlines():
        if "credreport collect" in line:
            words = line.replace("runs/", "$runs/").replace("--report runs", '--report "$runs"')
            assert words.split("credreport")[1].split(" -o ")[0] in WORKFLOW
