"""Make folders of reports that are hard to split, and put them through batches by themselves."""

import gzip
import json
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa

import analyzer
from analyzer import batches
from analyzer.batches import File
from analyzer.terms import Verdict
from analyzer.writers.parquet import FINDINGS, USERS, finding_batches, user_batches
from tests.support.builders import (
    AS_OF,
    a_key,
    a_password,
    a_user,
    days_before,
    report_text,
    the_root,
)
from tests.support.reading import envelope, put, zipped

NOON = "status_reports_2026-05-01T12-00-00+00-00.csv"


def account(number: int) -> str:
    return f"{number:012}"


def report_of(number: int, *names: str) -> str:
    """Return a report of an account: its root, and users of these names who sign in rarely."""
    whose = account(number)
    has: dict[str, Any] = {
        "password": a_password(days_before(10 * number)),
        "key_1": a_key(days_before(200)),
    }
    users = [a_user(name, account=whose, **has) for name in names]
    return report_text(users, root=the_root(whose))


def without_header(text: str) -> str:
    return text.split("\n", 1)[1]


def tricky_folder(folder: Path) -> Path:
    """Fill a folder with reports that depend on each other, and with what is saved beside them."""
    copy, older = report_of(1, "ann", "bob"), report_of(1, "ann", "bob", "gone")
    put(folder, copy, f"one/{NOON}")
    put(folder, gzip.compress(copy.encode()), "one/copy.csv.gz")
    put(folder, copy.encode("utf-16"), "another/copy-utf16.csv")
    put(folder, envelope(copy, days_before(0.1)), "z.json")
    put(folder, older, "2026-04-25/older.csv")
    # Parts of one report, with a user in both.
    put(folder, report_of(2, "same", "left"), f"left/{NOON}")
    put(folder, report_of(2, "same", "right"), f"right/{NOON}")
    # Several accounts in a file, one of them with a newer report.
    two = "\n".join([report_of(3, "cy"), without_header(report_of(4, "dee"))])
    put(folder, two, "2026-04-02/two.csv")
    put(folder, report_of(4, "dee", "eve"), f"four/{NOON}")
    members = {"five.csv": report_of(5, "flo"), "six.csv": report_of(6, "gus")}
    put(folder, zipped(members), "five-and-six.zip")
    # Rows without an account number.
    masked = report_of(7, "hal").replace("arn:aws:iam::000000000007", "x")
    put(folder, masked, f"masked-{NOON}")
    # What is saved beside reports.
    fetched = report_of(8, "ida")
    digest = sha256(fetched.encode()).hexdigest()
    put(folder, fetched, "8.csv")
    metadata = {"generated_time": AS_OF.isoformat(), "sha256": digest}
    put(folder, json.dumps(metadata), "8.csv.metadata.json")
    credential = {"UserName": "ida", "Status": "Active", "ServiceName": "codecommit.amazonaws.com"}
    evidence = json.dumps({"ServiceSpecificCredentials": [credential]})
    put(folder, evidence, "8.csv.service-credentials.json")
    put(folder, f"{report_of(9, 'joe')}\n", f"later/{NOON}")
    put(folder, json.dumps({"accounts": manifest_entries(digest)}), "fetched.manifest.json")
    put(folder, "# Notes", "README.md")
    put(folder, "", "empty.txt")
    put(folder, "{}", "gone.csv.service-credentials.json")
    return folder


def manifest_entries(digest: str) -> list[dict[str, str]]:
    """Return entries that are there, failed, failed but read later, lost, and replaced later."""
    earlier = days_before(3).isoformat()
    fetched = {"name": "", "reason": "", "status": "fetched", "generated_time": earlier}
    failed = {"name": "", "reason": "denied.", "status": "failed"}
    return [
        {**fetched, "account": account(8), "file": "8.csv", "sha256": digest},
        {**failed, "account": account(20), "name": "shop"},
        {**failed, "account": account(9)},
        {**failed, "account": account(3)},
        {**fetched, "account": account(21), "file": "21.csv", "sha256": "0" * 64},
        {**fetched, "account": account(4), "file": "4.csv", "sha256": "1" * 64},
        {**fetched, "account": account(1), "file": "one/copy.csv.gz", "sha256": "2" * 64},
    ]


def damaged(folder: Path) -> Path:
    """Spoil two reports and what is saved beside two others, each in its own way."""
    put(folder, report_of(30, "kim") + ",more,cells,than,the,header", "damaged.csv")
    put(folder, "no report", "text.csv")
    put(folder, report_of(31, "lee"), "31.csv")
    about = {"generated_time": AS_OF.isoformat(), "sha256": "3" * 64}
    put(folder, json.dumps(about), "31.csv.metadata.json")
    put(folder, report_of(32, "mia"), "32.csv")
    put(folder, "{", "32.csv.service-credentials.json")
    put(folder, "{", "gone.csv.metadata.json")
    return folder


# Through batches


def files_in(folder: Path) -> list[File]:
    return [(str(path), path.read_bytes()) for path in folder.rglob("*") if path.is_file()]


def one_process(folder: Path) -> tuple[pa.Table, pa.Table]:
    """Return all users and findings as `load` and `analyze` give them."""
    analysis = analyzer.analyze(analyzer.load(folder))
    users = pa.Table.from_batches(user_batches(analysis, [*Verdict]), USERS)
    return users, pa.Table.from_batches(finding_batches(analysis), FINDINGS)


def many_processes(folder: Path, rows: int) -> tuple[pa.Table, pa.Table, int]:
    """Return the same, surveyed a file and judged a batch at a time, and the number of batches."""
    files = files_in(folder)
    surveys = pa.Table.from_batches(batches.survey(*file) for file in files)
    batch_of = batches.plan(surveys, rows)
    groups = [
        [file for file in files if batch_of.get(file[0]) == batch]
        for batch in range(batch_of.max() + 1)
    ]
    users = _judged(lambda group: batches.judge(group, surveys=surveys), groups)
    findings = _judged(lambda group: batches.inspect(group, surveys=surveys), groups)
    return users, findings, len(groups)


def _judged(
    judge: Callable[[list[File]], Iterable[pa.RecordBatch]], groups: list[list[File]]
) -> pa.Table:
    return pa.Table.from_batches(batch for group in groups for batch in judge(group))


def ordered(table: pa.Table) -> list[dict[str, object]]:
    """Return the rows in an order of their own, every column."""
    return sorted(table.to_pylist(), key=str)
