"""The CSV of findings has a row a finding, whole and safe to open in a spreadsheet."""

import csv
import io
from pathlib import Path

import analyzer
from analyzer.analysis import Analysis
from analyzer.writers.csv import write_findings
from analyzer.writers.findings import FINDING_COLUMNS
from tests.support.builders import (
    ACCOUNT,
    a_key,
    a_password,
    a_user,
    days_before,
    report_text,
    saved,
    the_root,
)
from tests.support.outputs import CONSOLE, HARD_NAMES, analyzed, analyzed_console, exemptions_of


def rows(analysis: Analysis, *, raw: bool = False) -> list[dict[str, str]]:
    stream = io.BytesIO()
    write_findings(analysis, stream, raw=raw)
    text = stream.getvalue().decode()
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_each_finding_is_a_row_in_the_order_of_the_inspection() -> None:
    analysis = analyzed_console()
    found = analysis.inspection.findings
    told = rows(analysis)
    assert list(told[0]) == list(FINDING_COLUMNS)
    for name in ("arn", "rule", "severity", "subject", "fact", "outcome", "exemption"):
        assert [row[name] for row in told] == found[name].astype(str).tolist()
    assert [row["row"] for row in told] == found["row"].astype(str).tolist()
    assert {row["file"] for row in told} == {str(CONSOLE)}


def test_moments_are_iso_in_utc_and_what_is_missing_is_empty(tmp_path: Path) -> None:
    user = a_user("ann", password=a_password(days_before(1)), key_1=a_key())
    by_rule = {row["rule"]: row for row in rows(analyzed(tmp_path, [user]))}
    key = by_rule["idle-access-key"]
    assert (key["slot"], key["days"]) == ("1", "1000")
    assert key["since"] == key["created"] == "2023-08-05T12:00:00Z"
    mfa = by_rule["console-user-without-mfa"]
    assert (mfa["slot"], mfa["days"], mfa["since"]) == ("", "", "")


def test_each_finding_has_as_of_of_its_report_and_the_source(tmp_path: Path) -> None:
    reports = {
        "status_reports_2026-03-01T09-30-00+00-00.csv": "012345678901",
        "a.csv": "210987654321",
    }
    for name, account in reports.items():
        saved(tmp_path, report_text([a_user("ann", account=account)], root=the_root(account)), name)
    found = rows(analyzer.analyze(analyzer.load(tmp_path)))
    assert {(row["account"], row["as_of"], row["as_of_source"]) for row in found} == {
        ("012345678901", "2026-03-01T09:30:00Z", "file-name"),
        ("210987654321", "2025-07-05T12:00:00Z", "assumed"),
    }


def test_names_come_back_whole_and_start_no_formula(tmp_path: Path) -> None:
    analysis = analyzed(tmp_path, map(a_user, HARD_NAMES))
    raw, guarded = rows(analysis, raw=True), rows(analysis)
    assert {row["user"] for row in raw} == set(HARD_NAMES)
    signs = tuple("=+-@\t\r")
    for whole, safe in zip(raw, guarded, strict=True):
        assert safe["user"] == ("'" if whole["user"].startswith(signs) else "") + whole["user"]
        assert safe["arn"] == whole["arn"] == f"arn:aws:iam::{ACCOUNT}:user/{whole['user']}"


def test_a_reason_for_exemption_starts_no_formula(tmp_path: Path) -> None:
    analysis = analyzed(tmp_path, [a_user("ann")], exemptions_of("*,ann,\"=cmd|' /C calc'!A0\",,"))
    assert [row["exemption"] for row in rows(analysis)] == ["'=cmd|' /C calc'!A0"]


def test_where_nothing_is_found_there_is_the_header_alone(tmp_path: Path) -> None:
    quiet = a_user("ann", password=a_password(days_before(1)), mfa=True)
    stream = io.BytesIO()
    write_findings(analyzed(tmp_path, [quiet]), stream)
    assert stream.getvalue().decode() == ",".join(FINDING_COLUMNS) + "\n"


def test_the_python_interface_writes_it_too(tmp_path: Path) -> None:
    analyzer.write(analyzed(tmp_path, [a_user("ann")]), findings=tmp_path / "findings.csv")
    assert (tmp_path / "findings.csv").read_text().count("unused-user") == 1
