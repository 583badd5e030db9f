"""A record keeps what was shown of a user, and reads back as nothing else."""

from datetime import timedelta
from typing import Any

import orjson
import pyarrow as pa

from analyzer.decisions.record import (
    CreationSeconds,
    RecordedList,
    ReviewRecord,
    UserRecord,
    closed,
)
from tests.support.builders import LONG_AGO, Row, a_user
from tests.support.decisions import analysis_of

SECOND = timedelta(seconds=1)
SIGNS = 'a "b" \\ \n ü'


def texts_of(*users: Row) -> list[str]:
    """Return the records of users of one report, with one cell shown."""
    analysis = analysis_of(*users)
    (page,) = analysis.judged.slices()
    seconds = CreationSeconds()
    seconds.add(page)
    files, same_second = analysis.report.files, seconds.same_second()
    shown = {SIGNS: pa.array([SIGNS] * len(page), pa.large_string())}
    return [*RecordedList("review", "List", files, {}, same_second).texts(page, shown)]


def same_seconds_of(*users: Row) -> list[list[str]]:
    records = map(UserRecord.read, texts_of(*users))
    return [record.same_second for record in records if record]


def alike(number: int) -> list[Row]:
    """Return users that were created in one second."""
    return [a_user(f"user{at:03}") for at in range(number)]


def test_a_record_names_the_users_that_were_created_in_the_same_second() -> None:
    users = *alike(3)[::-1], a_user("before", created=LONG_AGO - SECOND)
    names = [f"user00{at}" for at in range(3)]
    assert same_seconds_of(*users) == [names, names, names, ["before"]]
    odd = [a_user(f"odd{at}", created="soon") for at in range(2)]
    assert same_seconds_of(*odd) == [["odd0"], ["odd1"]]


def test_a_record_reads_back_as_it_was_written_whatever_signs_it_holds() -> None:
    record = UserRecord.read(texts_of(a_user("=ann"))[0])
    assert record
    assert record.shown == {SIGNS: SIGNS}
    assert record.key == (record.sha256, "2026-05-01T12:00:00Z", record.user["arn"])
    assert (record.user["user"], record.user["verdict"]) == ("=ann", "unused")


def test_a_text_that_is_no_record_or_was_changed_is_none() -> None:
    (text,) = texts_of(a_user())
    fields: dict[str, Any] = orjson.loads(text.rpartition(" ")[0])
    user = fields["user"]

    def read(change: dict[str, Any]) -> UserRecord | None:
        return UserRecord.read(closed(orjson.dumps(fields | change).decode()))

    assert read({})
    later = {"baseline": "2026-05-01T12:00:01Z"}
    assert read(later | {"user": user | {"as_of_source": "option"}})
    changes: tuple[dict[str, Any], ...] = (
        *({"title": 2}, {"baseline": ""}, later, {"more": ""}, {"shown": {"User": None}}),
        {"user": {name: cell for name, cell in user.items() if name != "arn"}},
        *({"user": user | cell} for cell in ({"as_of": "soon"}, {"as_of_source": "guess"})),
        *({"user": user | cell} for cell in ({"verdict": "mine"}, {"more": ""})),
    )
    for change in changes:
        assert read(change) is None, change
    for other in ("", "{}", text[:-1], text.replace("ann", "bob"), text.replace("unused", "x")):
        assert other == text or UserRecord.read(other) is None, other
    assert ReviewRecord.read(text) is None
