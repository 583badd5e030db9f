"""A report is recognised by its content, whatever it was saved in, or refused in plain words."""

import base64
import csv
import gzip
import io
import json
import random
import tarfile
import textwrap
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer.errors import InputRefused, Problem
from analyzer.report import input_formats
from tests.support.named_reports import load_named
from tests.support.reading import (
    BOB,
    PLAIN,
    VERDICTS,
    cells,
    plain_cells,
    problem_of,
    report_of,
    verdicts,
    zipped,
)

CSV = PLAIN.encode()
BASE64 = base64.b64encode(CSV).decode()
WRAPPED = textwrap.fill(BASE64, 76)
GENERATED = "2026-05-01T12:00:00Z"
ROWS: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(PLAIN)))
CRLF = PLAIN.replace("\n", "\r\n") + "\r\n"


def as_json(content: Any = BASE64, **more: Any) -> str:
    return json.dumps({"Content": content, "ReportFormat": "text/csv"} | more, indent=4)


SAVED_AS: dict[str, str | bytes] = {
    "the console's CSV": PLAIN,
    "with a final newline": PLAIN + "\n",
    "with CRLF": CRLF,
    "with CR, as old Macs wrote": PLAIN.replace("\n", "\r"),
    "with a byte order mark": "\ufeff" + PLAIN,
    "UTF-16, little endian": b"\xff\xfe" + CRLF.encode("utf-16-le"),
    "UTF-16, big endian": b"\xfe\xff" + CRLF.encode("utf-16-be"),
    "UTF-16, little endian, unmarked": CRLF.encode("utf-16-le"),
    "UTF-16, big endian, unmarked": CRLF.encode("utf-16-be"),
    "base64": BASE64,
    "base64 of CSV with a byte order mark": base64.b64encode(b"\xef\xbb\xbf" + CSV),
    "base64, wrapped with CRLF": WRAPPED.replace("\n", "\r\n") + "\r\n",
    "base64 in quotes": f'"{BASE64}"\n',
    "base64, wrapped in quotes": f'"{WRAPPED}"',
    "base64 in UTF-16": BASE64.encode("utf-16"),
    "the AWS CLI's JSON": as_json(GeneratedTime=GENERATED),
    "the AWS CLI's JSON in UTF-16": (as_json() + "\r\n").encode("utf-16"),
    "JSON with the time missing": as_json(GeneratedTime=None),
    "JSON with wrapped base64": as_json(WRAPPED),
    "JSON with plain CSV": as_json(PLAIN),
    "the line of --output text": f"{BASE64}\t{GENERATED}\ttext/csv\n",
    "gzip": gzip.compress(CSV),
    "gzip of UTF-16": gzip.compress(CRLF.encode("utf-16")),
}


def test_a_report_says_the_same_whatever_it_was_saved_as() -> None:
    for kind, saved in SAVED_AS.items():
        assert cells(report_of(saved)) == plain_cells(), kind


def test_the_name_of_a_file_tells_nothing_of_its_form() -> None:
    for name in ("report", "report.zip", "a.xlsx"):
        assert verdicts(load_named((name, as_json().encode()))) == VERDICTS


BY_CLI_1, BY_CLI_2 = "2026-05-01T12:00:00Z", "2026-05-01T12:00:00+00:00"
ALSO = ("2026-05-01T05:00:00-07:00", "2026-05-01T12:00:00.123456+00:00", f" {BY_CLI_1} ")


def test_both_versions_of_the_aws_cli_tell_when_aws_made_the_report() -> None:
    for told in (BY_CLI_1, BY_CLI_2) + ALSO:
        for saved in (as_json(GeneratedTime=told), f"{BASE64}\t{told}\ttext/csv\n"):
            (file,) = report_of(saved).files
            assert file.as_of == datetime(2026, 5, 1, 12, tzinfo=UTC)
            assert file.as_of_source == "envelope"


NO_MOMENTS = ("", "yesterday", "2026-05-01", "2026-05-01T12:00:00", 1777636800, [BY_CLI_1])


def test_a_generated_time_that_is_no_moment_is_refused_rather_than_left_out() -> None:
    for told in (*NO_MOMENTS, "0001-01-01T00:00:00+05:00"):
        found = problem_of(as_json(GeneratedTime=told))
        assert (found.column, found.value) == ("GeneratedTime", str(told))
        assert "2026-03-01T09:30:00Z" in found.hint


def tarred(size: int = 9) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        member = tarfile.TarInfo("report.csv")
        member.size = size
        archive.addfile(member, io.BytesIO(bytes(size)))
    return stream.getvalue()


CONSOLE = "Give the CSV from the console"
PACKED = gzip.compress(CSV)
AS_YAML = f"Content: {BASE64}\nGeneratedTime: '{GENERATED}'\nReportFormat: text/csv\n"
REFUSED: dict[str, tuple[str | bytes, str, str]] = {
    "nothing": ("", "the input is empty", CONSOLE),
    "blanks": (" \r\n\t\n", "the input is empty", CONSOLE),
    "a web page": ("\n<!DOCTYPE html><p>Sign in</p>", "HTML or XML page", CONSOLE),
    "AWS's error": ("<?xml version='1.0'?><ErrorResponse/>", "HTML or XML page", CONSOLE),
    "JSON without content": (as_json().replace("Content", "Other"), "no `Content`", CONSOLE),
    "JSON with null": (as_json(content=None), "`Content` of this JSON holds null", CONSOLE),
    "JSON with an object": ('{"Content": {"a": 1}}', "JSON holds an object", CONSOLE),
    "JSON of a list of objects": ('[{"user": "ann"}]', "it is a list", CONSOLE),
    "two answers": (f"{as_json()}\n{as_json()}", "more than one JSON document", "one by one"),
    "an answer and half another": (as_json() + as_json()[:99], "more than one JSON", "one by one"),
    "an answer and a prompt": (f"{as_json()}\n$ ", "not valid JSON", "damaged"),
    "the rows as JSON": (json.dumps(ROWS), "it is a list, not one object with", CONSOLE),
    "a row as JSON": (json.dumps(ROWS[0]), "it has no `Content`", CONSOLE),
    "another answer": ('{"State": "STARTED"}', "the report is still being", "Wait some seconds"),
    "YAML": (AS_YAML, "AWS CLI's answer in YAML", "--output json"),
    "no JSON": ("{'Content': 1}", "not valid JSON", "save the output of the AWS CLI once more"),
    "half a JSON": (as_json()[:500], "not valid JSON", "cut off"),
    "JSON without end": ("[" * 100_000, "not valid JSON", "damaged"),
    "JSON with Python's bytes": (as_json(str(CSV)), "no column `user`", "header that AWS"),
    "Python's bytes": (str(CSV), "no column `user`", "header that AWS writes"),
    "Python's bytes of base64": (str(BASE64.encode()), "no column `user`", "header that AWS"),
    "half a character": (as_json(PLAIN.replace("bob", "\ud800")), "not UTF-8 text", "as UTF-8"),
    "JSON with nothing in it": (as_json(""), "no column `user`", "header that AWS writes"),
    "half the base64": (BASE64[:501], "neither CSV nor whole base64", "cut off"),
    "base64 of no text": (base64.b64encode(b"\xff\xfe\xfd"), "neither CSV nor whole", "damaged"),
    "a word": ("Unauthorized", "neither CSV nor whole base64", CONSOLE),
    "a sentence": ("Access denied, sorry.", "no column `user`", "user,arn,user_creation_time"),
    "a workbook in gzip": (gzip.compress(zipped({"a": "b"})), "Excel workbook or an", CONSOLE),
    "gzip in gzip": (gzip.compress(gzip.compress(CSV)), "gzip file within", "Unpack it first"),
    "half a gzip": (PACKED[:-20], "gzip file is damaged", "Download or compress it again"),
    "gzip with another checksum": (PACKED[:-8] + bytes(8), "gzip file is damaged", "again"),
    "gzip with a wrong block": (PACKED[:10] + b"\xff" * 40, "gzip file is damaged", "again"),
    "gzip of nothing": (gzip.compress(b""), "the input is empty", CONSOLE),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not UTF-8 text", "save it as UTF-8"),
    "half a UTF-16 character": (PLAIN.encode("utf-16")[:-1], "not UTF-8 text", "cut off"),
    "one byte of nothing": (b"\0", "not UTF-8 text", "cut off"),
    "a tar archive": (tarred(), "this is a tar archive", "Unpack it"),
    "a large tar archive in gzip": (gzip.compress(tarred(size=1 << 17)), "a tar archive", "Unpack"),
    "our JSON": ('{"schema_version": 1, "tool": {}}', "a result that credreport wrote", "folder"),
}


def test_what_is_no_report_is_refused_with_what_it_seems_to_be_and_what_to_do() -> None:
    for kind, (saved, message, hint) in REFUSED.items():
        found = problem_of(saved)
        assert (message in found.message, hint in found.hint) == (True, True), kind


def test_text_in_an_old_code_page_or_half_a_character_of_utf_16_is_refused_with_its_row() -> None:
    named = PLAIN.encode().replace(b"bob", b"\xa0b\xf6b", 1)
    found = problem_of(named)
    assert (found.row, found.message) == (4, "not UTF-8 text")
    assert found.value == "\ufffd"
    assert "old code page" in found.hint
    found = problem_of((PLAIN + "\n").encode("utf-16-le")[:-1])
    assert (found.row, found.value) == (4, BOB[-10:] + "\ufffd")


def test_telling_base64_from_other_text_takes_no_longer_for_many_blanks() -> None:
    found = problem_of("a" + " " * 200_000 + "!")
    assert "no column `user`" in found.message


UTF_8_CSV = (CSV, b"\xef\xbb\xbf" + CSV, b"#TYPE System.Object\r\n" + CSV, PLAIN.upper().encode())
OTHERS = (
    (BASE64.encode(), as_json(PLAIN).encode(), PLAIN.encode("utf-16"), PLAIN.encode("utf-16-le"))
    + (PACKED, zipped({"arn": "arn"}), b"\x1f\x8b arn", b"PK\x03\x04 arn", b"\xff\xfe arn")
    + (b"user,arn\0", b"<p>arn</p>", b"", b"user,learned,barns")
)


def test_csv_in_utf_8_is_known_by_its_first_bytes() -> None:
    assert [head for head in UTF_8_CSV if not input_formats.is_utf8_csv(head)] == []
    assert [head for head in OTHERS if input_formats.is_utf8_csv(head)] == []


NOISE = random.Random(1).randbytes(100_000)


def test_a_long_gzip_file_is_refused_by_its_first_bytes() -> None:
    none = b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + b"\xff" * 70_000
    assert problem_of(none).message.startswith("the gzip file is damaged: ")
    archive = problem_of(gzip.compress(b"PK\x03\x04" + NOISE))
    assert archive.message.startswith("this is an Excel workbook or another zip file")


FORMS = [each.encode() if isinstance(each, str) else each for each in SAVED_AS.values()]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Draw a report in some form, with some bytes changed, put in or cut away."""
    data = bytearray(draw(st.sampled_from(FORMS)))
    places = st.integers(0, len(data) - 1)
    for place in draw(st.lists(places, max_size=3)):
        data[place : place + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(data[: draw(st.one_of(st.none(), places))])


@settings(
    derandomize=True, deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow]
)
@given(data=st.one_of(damaged(), st.binary(max_size=200)))
def test_a_damaged_report_is_read_or_refused_but_never_breaks_the_program(data: bytes) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        verdicts(report_of(data))
    except InputRefused as refusal:
        problems = refusal.problems
    assert all(each.message and each.hint for each in problems)


def test_an_answer_that_names_a_key_twice_is_refused() -> None:
    once = as_json(GeneratedTime="2026-05-01T12:00:00Z").removesuffix("}")
    for again in ("Content", "GeneratedTime"):
        found = problem_of(f'{once}, "{again}": "2026-05-01T12:00:00Z"}}')
        assert found.message == f"this JSON names {again} twice"
