"""Build credential reports as AWS writes them, and ask the program about them."""

import contextlib
import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import pandas as pd

import analyzer
from analyzer.cli import main
from tests.support.named_reports import load_named
from tests.support.verdict_oracle import Judgement, Terms

ROOT_FOLDER = Path(__file__).parents[2]
ACCOUNT = "012345678901"
AS_OF = datetime(2026, 5, 1, 12, tzinfo=UTC)
TERMS = Terms(AS_OF)
FORMS = ("Z", "+00:00")

Value = str | datetime
Row = dict[str, Value]

KEY_CELLS = ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")
COLUMNS = (
    (
        "user",
        "arn",
        "user_creation_time",
        "password_enabled",
        "password_last_used",
        "password_last_changed",
        "password_next_rotation",
        "mfa_active",
    )
    + tuple(f"access_key_{slot}_{cell}" for slot in (1, 2) for cell in KEY_CELLS)
    + tuple(f"cert_{slot}_{cell}" for slot in (1, 2) for cell in ("active", "last_rotated"))
)
MORE_CREDENTIALS = "additional_credentials_info"
COLUMNS_OF_2014 = tuple(column for column in COLUMNS if "_last_used_" not in column)


def days_before(number: float) -> datetime:
    return AS_OF - timedelta(days=number)


LONG_AGO = days_before(1000)
NEVER = "no_information"


# What a user may have


def no_password(last_used: Value = "N/A") -> Row:
    return {
        "password_enabled": "false",
        "password_last_used": last_used,
        "password_last_changed": "N/A",
        "password_next_rotation": "N/A",
    }


def a_password(last_used: Value = NEVER, changed: Value = LONG_AGO) -> Row:
    return {
        "password_enabled": "true",
        "password_last_used": last_used,
        "password_last_changed": changed,
        "password_next_rotation": "N/A",
    }


QUIET_PASSWORD: Final = a_password(days_before(1), days_before(1))
"""Used and changed a day ago: a password of which no rule says anything."""


def no_key() -> Row:
    return dict(zip(KEY_CELLS, ("false", "N/A", "N/A", "N/A", "N/A"), strict=True))


def a_key(created: Value = LONG_AGO, used: Value = "N/A", *, active: bool = True) -> Row:
    place = ("N/A", "N/A") if used == "N/A" else ("eu-west-1", "ec2")
    return dict(zip(KEY_CELLS, (str(active).lower(), created, used) + place, strict=True))


def an_inactive_key(created: Value = LONG_AGO, used: Value = "N/A") -> Row:
    return a_key(created, used, active=False)


def no_certificate() -> Row:
    return {"active": "false", "last_rotated": "N/A"}


def a_certificate(created: Value = LONG_AGO, *, active: bool = True) -> Row:
    return {"active": str(active).lower(), "last_rotated": created}


def in_slot(thing: str, slot: int, cells: Row) -> Row:
    return {f"{thing}_{slot}_{cell}": value for cell, value in cells.items()}


def a_user(  # noqa: PLR0913  # one for each thing that a user may have
    name: str = "quiet",
    *,
    password: Row | None = None,
    key_1: Row | None = None,
    key_2: Row | None = None,
    certificate_1: Row | None = None,
    certificate_2: Row | None = None,
    created: Value = LONG_AGO,
    mfa: bool = False,
    account: str = ACCOUNT,
    path: str = "",
    **cells: Value,
) -> Row:
    """Return one row; who is given nothing has nothing. `cells` replace single cells."""
    return {
        "user": name,
        "arn": f"arn:aws:iam::{account}:user/{path}{name}",
        "user_creation_time": created,
        **(password or no_password()),
        "mfa_active": str(mfa).lower(),
        **in_slot("access_key", 1, key_1 or no_key()),
        **in_slot("access_key", 2, key_2 or no_key()),
        **in_slot("cert", 1, certificate_1 or no_certificate()),
        **in_slot("cert", 2, certificate_2 or no_certificate()),
        **cells,
    }


def the_root(account: str = ACCOUNT, **cells: Value) -> Row:
    born = days_before(3000)
    row = a_user("<root_account>", password=a_password(days_before(300), born), created=born)
    arn = f"arn:aws:iam::{account}:root"
    return (
        row | {"arn": arn, "mfa_active": "true", "password_next_rotation": "not_supported"} | cells
    )


def in_separate_accounts(rows: Iterable[Row]) -> list[Row]:
    """Give each row its own account, so that no two speak of one user by chance."""
    return [
        row | {"arn": str(row["arn"]).replace(ACCOUNT, f"{number:012}")}
        for number, row in enumerate(rows)
    ]


# A report of them


def rendered(value: Value, form: str) -> str:
    if isinstance(value, str):
        return value
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + form


def report_text(
    users: Iterable[Row],
    *,
    root: Row | None = None,
    form: str = "Z",
    columns: Sequence[str] = COLUMNS,
    quoted: bool = False,
) -> str:
    """Return the report as AWS writes it: the root first, LF between rows, none at the end."""
    text = io.StringIO()
    writer = csv.writer(
        text, lineterminator="\n", quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    )
    writer.writerow(columns)
    for row in (root or the_root(), *users):
        writer.writerow([rendered(row[column], form) for column in columns])
    return text.getvalue().removesuffix("\n")


def saved(folder: Path, content: str | bytes, name: str = "report.csv") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def saved_credentials(report: Path, **status: str) -> None:
    """Save AWS's list of service-specific credentials beside a report: by user, active or not."""
    fields = {"ServiceName": "x.amazonaws.com", "CreateDate": "2026-01-01T00:00:00Z"}
    listed = [{"UserName": user, "Status": each} | fields for user, each in status.items()]
    answer = json.dumps({"ServiceSpecificCredentials": listed})
    saved(report.parent, answer, f"{report.name}.service-credentials.json")


# What the program says


def judged_users(source: Path | tuple[str, bytes], terms: Terms = TERMS) -> pd.DataFrame:
    criteria = analyzer.Criteria(
        definition=analyzer.Definition(terms.definition),
        idle_days=terms.idle_days,
        grace_days=terms.grace_days,
    )
    return analyzer.analyze(load_named(source, as_of=terms.as_of), criteria).users


def judgements_by(column: str, users: pd.DataFrame) -> dict[str, Judgement]:
    words = ("verdict", "reason", "certainty", "caveats")
    texts = (users[word].astype(str) for word in words)
    found = (Judgement(*each) for each in zip(*texts, strict=True))
    keys = users[column].astype(str)
    assert keys.is_unique
    return dict(zip(keys, found, strict=True))


class Run(NamedTuple):
    """Hold how a run of the program ended and what it wrote."""

    code: int
    output: bytes
    messages: str

    @property
    def message_line(self) -> str:
        """Return the messages in one line."""
        return " ".join(self.messages.split())

    @property
    def lines(self) -> list[str]:
        return self.output.decode().splitlines()

    @property
    def rows(self) -> list[dict[str, str]]:
        return table(self.output)

    @property
    def document(self) -> Any:
        return json.loads(self.output)


def run(*arguments: object, screen: io.StringIO | None = None, folder: Path = ROOT_FOLDER) -> Run:
    """Run the program as a shell starts it in a folder; a bug fails the test at once.

    It runs in this process, many times faster than in one of its own. A `screen` gets what goes
    to standard output.
    """
    output, messages = io.BytesIO(), io.BytesIO()
    with (
        io.TextIOWrapper(output, "utf-8") as stdout,
        io.TextIOWrapper(messages, "utf-8") as stderr,
        contextlib.chdir(folder),
        contextlib.redirect_stdout(screen or stdout),
        contextlib.redirect_stderr(stderr),
    ):
        code = main(list(map(str, arguments)))
        stdout.flush()
        stderr.flush()
        shown = screen.getvalue().encode() if screen else output.getvalue()
        said = messages.getvalue().decode()
    assert "Traceback" not in said, said
    return Run(code, shown, said)


def table(output: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(output.decode(), newline="")))
