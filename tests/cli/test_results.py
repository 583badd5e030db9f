"""Results go to standard output or into files, everything else to standard error."""

from contextlib import redirect_stdout
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from analyzer.cli.analyze import OutputOptions, write_result
from analyzer.cli.options import CriteriaOptions
from analyzer.cli.values import moment
from analyzer.limits import Criteria, Definition
from analyzer.terms import Format, Verdict
from tests.support.builders import a_user, report_text, run, saved
from tests.support.outputs import (
    ALL,
    CONSOLE,
    EXEMPTIONS,
    UNUSED,
    analysis_of,
    analyzed_console,
    arns_bytes,
    csv_bytes,
    json_bytes,
    summary_text,
    table_text,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

ANSWER = """\
26 of 47 IAM users are unused (8 certain, 13 to check, 5 exempt): 10 can still sign in (2 of these \
exempt), 8 of them without MFA (1 of these exempt), account 123456789012 as of \
2026-03-01 09:30 UTC (from the file name).
Other users: 4 retired (2 certain, 2 to check), 6 dormant, 8 active (1 exempt), 3 undetermined.
"""
NOTES = f"""\
Note: {CONSOLE}: 1 row has a comma in the user name without quotes: read as the name.
Note: The exemption of oskar.lind in account 123456789012 expired on 2025-12-31.
Note: The exemption of departed-admin in account 123456789012 matches no user.
"""
BLIND_SPOTS = """\
Not every credential and use is visible: README, "What a report cannot show".
"""
FOR_OTHERS = "1 with an active service-specific credential, 5 exempt.\n"
TO_CHECK = "12 to check, "
ON_CONSOLE = ("analyze", CONSOLE, "--exemptions", EXEMPTIONS)


def test_standard_output_gets_the_result_alone_and_standard_error_the_rest() -> None:
    csv = csv_bytes(analyzed_console(), UNUSED)
    assert run(*ON_CONSOLE, "-f", "csv") == (0, csv, ANSWER + NOTES + BLIND_SPOTS)
    arns = arns_bytes(analyzed_console(), UNUSED)
    says = f"{ANSWER}{NOTES}{BLIND_SPOTS}Left out of the list: {TO_CHECK}{FOR_OTHERS}"
    assert run(*ON_CONSOLE, "-f", "arns") == (0, arns, says)
    assert "Left out" not in run(*ON_CONSOLE, "-f", "names", "--verdict", "dormant").messages


@pytest.mark.parametrize("form", ["names", "arns"])
def test_a_list_of_names_says_whom_it_leaves_out_even_with_quiet(form: str) -> None:
    says = f"Left out of the list: {TO_CHECK}{FOR_OTHERS}"
    assert run(*ON_CONSOLE, "-q", "-f", form).messages == says
    every = run(*ON_CONSOLE, "-q", "-f", form, "--verdict", "all").messages
    assert every.startswith("Left out of the list: 14 to check, ")
    assert run(*ON_CONSOLE, "-q", "-f", "csv").messages == ""


def test_a_table_comes_with_the_rules_on_standard_error() -> None:
    done = run(*ON_CONSOLE)
    assert (done.code, done.output.decode()) == (0, table_text(analyzed_console(), UNUSED))
    assert done.messages == summary_text(analyzed_console(), UNUSED)
    assert done.messages.startswith(f"{ANSWER}Findings: ")
    assert done.messages.endswith(NOTES + BLIND_SPOTS)


def test_the_verdicts_asked_for_are_in_every_output_and_quiet_says_nothing(tmp_path: Path) -> None:
    console, files = analyzed_console(), (tmp_path / "a.csv", tmp_path / "a.json")
    two = run(*ON_CONSOLE, "--verdict", "dormant", "--verdict", "active", "-f", "arns")
    assert two[:2] == (0, arns_bytes(console, (Verdict.DORMANT, Verdict.ACTIVE)))
    every = ("--verdict", "unused", "--verdict", "all", "-q")
    done = run(*ON_CONSOLE, *every, "-o", files[0], "--output", files[1], "-f", "table")
    assert done == (0, table_text(console, ALL).encode(), "")
    assert [file.read_bytes() for file in files] == [csv_bytes(console), json_bytes(console)]


def test_each_option_that_decides_does_so() -> None:
    limits: Any = {"idle_days": 41, "grace_days": 3, "definition": Definition.IAM_029}
    assert CriteriaOptions(**limits).criteria() == Criteria(**limits)
    for text, time in (
        ("2026-06-20T13:59:59.999+02:00", "2026-06-20 11:59:59+00:00"),
        ("2026-06-20", "2026-06-20 23:59:59+00:00"),
    ):
        assert str(moment(text)) == time


@pytest.mark.parametrize(("form", "shown"), [("table", rb"zo\xeb"), ("csv", "zoë".encode())])
def test_an_output_that_takes_only_ascii_gets_data_in_utf_8_and_a_table_spelled_out(
    form: str, shown: bytes
) -> None:
    stream = TextIOWrapper(BytesIO(), "ascii")
    with redirect_stdout(stream):
        write_result(analysis_of([a_user("zoë")]), Format(form), OutputOptions(verdict=list(ALL)))
    assert shown in stream.buffer.getvalue()


def test_standard_output_that_was_replaced_by_another_stream_of_text_takes_the_table() -> None:
    with redirect_stdout(StringIO()) as stream:
        write_result(analysis_of([a_user("zoë")]), Format.TABLE, OutputOptions(verdict=list(ALL)))
    assert "zoë" in stream.getvalue()


def test_an_output_that_is_an_input_is_refused_though_it_would_not_count(tmp_path: Path) -> None:
    exemptions = saved(tmp_path, EXEMPTIONS.read_text(), "exemptions.csv")
    reports = tmp_path / "reports"
    for name, day in (("a.csv", "2026-05-01"), ("b.csv", "2026-04-01"), ("c.csv", "2026-05-01")):
        saved(reports, report_text([a_user(created=f"{day}T00:00:00Z")]), name)
    with ZipFile(reports / "d.csv", "w") as archive:
        archive.write(reports / "a.csv", "a.csv")
    (tmp_path / "link.csv").symlink_to(reports / "a.csv")
    files = [exemptions, *reports.iterdir()]
    before = [file.read_bytes() for file in files]
    for source, target in tuple((reports, file) for file in files) + (
        (reports / "a.csv", reports / "a.csv"),
        (reports / "a.csv", tmp_path / "link.csv"),
        (tmp_path / "link.csv", reports / "a.csv"),
    ):
        done = run("analyze", source, "--exemptions", exemptions, "-o", target)
        assert (done.code, "is an input: write to another file" in done.message_line) == (2, True)
    assert [file.read_bytes() for file in files] == before
