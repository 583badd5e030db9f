"""Names are for pipes: one ARN a line, of those that somebody will act on."""

from pathlib import Path

import pytest

from analyzer.terms import Verdict
from tests.builders import a_user
from tests.written import (
    ALL,
    HARD_NAMES,
    UNUSED,
    analyzed,
    analyzed_console,
    exemptions_of,
    names_bytes,
)


@pytest.mark.parametrize("verdicts", [UNUSED, ALL, (Verdict.DORMANT, Verdict.ACTIVE)])
def test_the_arns_of_the_users_with_a_verdict_asked_for_are_listed_in_the_reports_order(
    verdicts: tuple[Verdict, ...],
) -> None:
    analysis = analyzed_console()
    users = analysis.users
    wanted = users[users["verdict"].isin(list(verdicts)) & (users["exemption"] == "")]
    assert names_bytes(analysis, verdicts).decode().splitlines() == wanted["arn"].tolist()


def test_exempt_users_are_left_out(tmp_path: Path) -> None:
    users = [a_user("break-glass"), a_user("ann")]
    analysis = analyzed(tmp_path, users, exemptions_of("*,break-*,By design,,"))
    assert names_bytes(analysis) == b"arn:aws:iam::012345678901:user/ann\n"


def test_nobody_to_list_gives_nothing(tmp_path: Path) -> None:
    assert names_bytes(analyzed(tmp_path, [])) == b""


@pytest.mark.parametrize("name", [name for name in HARD_NAMES if name.isprintable()])
def test_an_arn_is_exact_whatever_the_name(tmp_path: Path, name: str) -> None:
    written = names_bytes(analyzed(tmp_path, [a_user(name)]))
    assert written.decode() == f"arn:aws:iam::012345678901:user/{name}\n"


SPELLED_OUT = {
    "bell\x07\x1b[31mred\x9b1mbold": r"bell\x07\x1b[31mred\x9b1mbold",
    "tab\tstop": r"tab\tstop",
    "two\nlines": r"two\nlines",
    "carriage\rreturn": r"carriage\rreturn",
    "\u202ereversed": r"\u202ereversed",
}


@pytest.mark.parametrize("name", [name for name in HARD_NAMES if not name.isprintable()])
def test_an_arn_stays_on_its_line_and_commands_no_terminal(tmp_path: Path, name: str) -> None:
    written = names_bytes(analyzed(tmp_path, [a_user(name)]))
    assert written.decode() == f"arn:aws:iam::012345678901:user/{SPELLED_OUT[name]}\n"
