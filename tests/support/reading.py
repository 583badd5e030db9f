"""Read made-up reports and tell what was read, in plain values that are easy to compare."""

import base64
import errno
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import analyzer
from analyzer.errors import InputRefused, Problem
from analyzer.report.report import Report
from analyzer.report.users import Users
from tests.support.builders import (
    ACCOUNT,
    COLUMNS,
    Row,
    a_password,
    a_user,
    days_before,
    report_text,
    saved,
)
from tests.support.named_reports import load_named

OTHER_ACCOUNT = "111122223333"
USED_LATELY = a_password(days_before(3))
TWO_USERS = [a_user("ann", password=USED_LATELY), a_user("bob")]
PLAIN = report_text(TWO_USERS)
VERDICTS = {"ann": "active", "bob": "unused"}
HEADER, ROOT, ANN, BOB = PLAIN.split("\n")

put = saved


def report_of(content: str | bytes, as_of: datetime | None = None) -> Report:
    """Return the report with this content, which is in no file."""
    data = content if isinstance(content, bytes) else content.encode()
    return load_named(("report.csv", data), as_of=as_of)


def problems_of(content: str | bytes) -> tuple[Problem, ...]:
    """Return the problems for which a report with this content is refused."""
    with pytest.raises(InputRefused) as refusal:
        report_of(content)
    assert all(each.hint for each in refusal.value.problems)
    return refusal.value.problems


def problem_of(content: str | bytes) -> Problem:
    (only,) = problems_of(content)
    return only


def cells(report: Report) -> list[dict[str, Any]]:
    """Return what the report says of each IAM user, in the order of the rows."""
    shown = [
        {"row": row} | {name: cell for name, cell in texts.items() if cell is not None}
        for page in report.iam_users.slices()
        for row, texts in zip(page.row.tolist(), pa.table(dict(page.text)).to_pylist(), strict=True)
    ]
    return sorted(shown, key=lambda each: (each["row"], each["arn"]))


@cache
def plain_cells() -> list[dict[str, Any]]:
    """Return what the plain report says of each IAM user."""
    return cells(load_named(("report.csv", PLAIN.encode())))


def _by_user(column: str, pages: Iterable[Users]) -> dict[str, Any]:
    """Return a column by user: in half the time of the frame of all users."""
    return {
        user: value
        for users in (page.users for page in pages)
        for user, value in zip(users["user"].tolist(), users[column].tolist(), strict=True)
    }


def rows(report: Report) -> dict[str, int]:
    """Return in which row each IAM user stands."""
    return _by_user("row", report.iam_users.slices())


def verdicts(report: Report) -> dict[str, str]:
    return _by_user("verdict", analyzer.analyze(report).judged.slices())


def reasons(report: Report) -> dict[str, str]:
    return _by_user("reason", analyzer.analyze(report).judged.slices())


def refused(*sources: str | Path) -> tuple[Problem, ...]:
    """Return the problems for which the sources are refused."""
    with pytest.raises(InputRefused) as refusal:
        analyzer.load(*sources)
    return refusal.value.problems


def problem(folder: Path, content: str | bytes) -> Problem:
    """Return the only problem of a report."""
    (only,) = refused(put(folder, content))
    assert only.hint
    return only


def with_cells(row: str, **replaced: str) -> str:
    """Return the row of CSV with other cells in these columns."""
    texts = dict(zip(COLUMNS, row.split(","), strict=True)) | replaced
    return ",".join(texts.values())


def zipped(members: Mapping[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


class FailingDisk(io.BytesIO):
    """Be a file whose disk fails."""

    def read(self, _size: int | None = -1, /) -> bytes:
        raise OSError(errno.EIO, "Input/output error")


def envelope(text: str, generated: datetime) -> str:
    """Return the answer of the AWS CLI with this report."""
    content = base64.b64encode(text.encode()).decode()
    return json.dumps({"Content": content, "GeneratedTime": generated.isoformat()})


def lines(*given: str) -> str:
    return "\n".join(given)


def of_account(account: str, *users: Row, **options: Any) -> str:
    """Return a report of another account than the builders'."""
    return report_text(users, **options).replace(f"::{ACCOUNT}:", f"::{account}:")
