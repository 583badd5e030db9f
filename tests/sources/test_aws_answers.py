"""botocore reads values as AWS writes them, and refuses all else without repeating it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.session import Session

from analyzer.errors import AwsRefused
from analyzer.sources.aws_answers import list_field, read_strictly, text_field


class Readers:
    """Keep what botocore is told to read values with."""

    moment: Any
    content: Any

    def set_parser_defaults(self, *, timestamp_parser: Any, blob_parser: Any) -> None:
        self.moment, self.content = timestamp_parser, blob_parser


@pytest.fixture
def parser() -> Readers:
    session, readers = Session(), Readers()
    session.register_component("response_parser_factory", readers)
    read_strictly(session)
    return readers


MOMENT = datetime(2026, 5, 1, 12, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    ["2026-05-01T12:30:15Z", "2026-05-01T14:30:15+02:00", MOMENT.timestamp(), "20260501T123015Z"],
)
def test_moments_are_numbers_or_have_their_zone(parser: Readers, value: object) -> None:
    assert parser.moment(value) == MOMENT


@pytest.mark.parametrize(
    "value", ["", "12", "1777638615", "2026-05-01T12:30:15", "today", 1e30, float("nan"), None, []]
)
def test_another_moment_is_refused(parser: Readers, value: object) -> None:
    with pytest.raises(AwsRefused, match="an answer with an invalid time"):
        parser.moment(value)


def test_content_may_be_wrapped(parser: Readers) -> None:
    assert parser.content("YWJj\nZGVm \n") == b"abcdef"


@pytest.mark.parametrize("value", ["YWJ", "YW!j", "ä", "===="])
def test_other_content_is_refused(parser: Readers, value: str) -> None:
    with pytest.raises(AwsRefused, match="whose content is not in base64"):
        parser.content(value)


@pytest.mark.parametrize("answer", [None, "x", {}, {"x": None}, {"x": 1}, {"x": {}}])
def test_a_field_that_is_missing_or_of_another_kind_is_refused(answer: object) -> None:
    for field in (text_field, list_field):
        with pytest.raises(AwsRefused, match="an answer without x"):
            field(answer, "x")


def test_an_empty_text_is_none_but_an_empty_list_is_one() -> None:
    assert list_field({"x": []}, "x") == []
    with pytest.raises(AwsRefused):
        text_field({"x": ""}, "x")
