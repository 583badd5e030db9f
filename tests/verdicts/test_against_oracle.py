"""Hold the verdicts to a second opinion on random users and cells: agree, refuse, never guess."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from analyzer.errors import InputRefused
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    COLUMNS,
    COLUMNS_OF_2014,
    MORE_CREDENTIALS,
    NEVER,
    TERMS,
    Row,
    Value,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    judged_users,
    judgements_by,
    no_certificate,
    no_key,
    no_password,
    report_text,
    the_root,
)
from tests.support.odd_cells import BOOLEANS, JUNK, MOMENTS, NO_MOMENTS, WORDS
from tests.support.verdict_oracle import Judgement, Opinion, Terms, judge

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time

USERS = 200
"""In each layout: of fewer, some operand of a verdict is changed and no user shows it."""

DAYS = (-1, 0.5, 6, 7, 89.9, 90, 400, 1000, 2912, 3500, 4500)
"""On both sides of the limits; 2,912 days lie in the gap of the record, 4,500 before it began."""

PLACES = ("N/A", "", "not_supported", "s3", "two words")
NO_ARNS = (f"arn:aws:iam::{ACCOUNT}:user/other-{{}}", f"arn:aws:iam::{ACCOUNT}:role/{{}}")


LAYOUTS: dict[str, tuple[str, ...]] = {
    "all columns": (*COLUMNS, MORE_CREDENTIALS),
    "of 2014": COLUMNS_OF_2014,
    "no certificates, MFA": tuple(name for name in COLUMNS if not name.startswith(("cert", "mfa"))),
    "no changes of passwords": tuple(
        name for name in COLUMNS if name not in ("password_last_changed", "password_next_rotation")
    ),
}


def a_cell(chance: random.Random, column: str) -> str:
    """Return what may stand in a column, or what no AWS writes there."""
    if column.endswith(("_active", "_enabled")):
        return chance.choice(["true", "false", "soon"] + BOOLEANS)
    if column.endswith(("_region", "_service")):
        return chance.choice(PLACES)
    if column == MORE_CREDENTIALS:
        return chance.choice(["", "N/A", "1 more"])
    moments = [f"{days_before(each):%Y-%m-%dT%H:%M:%SZ}" for each in DAYS]
    return chance.choice([*moments, *MOMENTS, *chance.sample(NO_MOMENTS, 5), *WORDS, *JUNK])


def a_random_user(chance: random.Random, number: int, days: Sequence[float] = DAYS) -> Row:
    """Return a user with anything that a user may have, so many days ago."""

    def when() -> datetime:
        return days_before(chance.choice(days))

    uses: list[Value] = [NEVER, NEVER, when()]
    use = chance.choice(uses)
    keys = [no_key(), a_key(when()), a_key(when(), when())]
    keys += [an_inactive_key(when()), an_inactive_key(when(), when())]
    certificate = a_certificate(active=number % 3 == 0)
    return a_user(
        f"{chance.choice(['AeaApiKey-', 'u', 'u', 'u'])}{number}",
        password=chance.choice([no_password(use), a_password(use, when())]),
        key_1=chance.choice(keys),
        key_2=chance.choice(keys),
        certificate_1=chance.choice([no_certificate(), certificate]),
        created=when(),
        mfa=number % 5 == 0,
    )


def a_harmed_user(chance: random.Random, number: int) -> Row:
    """Return a user of whom up to three cells are drawn anew."""
    row = a_random_user(chance, number) | {MORE_CREDENTIALS: ""}
    if number % 20 == 0:
        row["arn"] = chance.choice(NO_ARNS).format(number)
    for column in chance.sample(list(row)[2:], chance.choice([0, 1, 1, 2, 3])):
        row[column] = a_cell(chance, column)
    return row


def random_rows(chance: random.Random) -> list[Row]:
    """Return users, some of whom stand twice."""
    users = [a_harmed_user(chance, number) for number in range(USERS)]
    return users + chance.sample(users, USERS // 4)


def judged(text: str, terms: Terms = TERMS) -> dict[str, Judgement]:
    return judgements_by("row", judged_users(("report.csv", text.encode()), terms))


def agrees(found: Judgement, opinion: Opinion) -> bool:
    """Compare with the oracle; who is undetermined must be so for the cells that deserve it.

    A reason may name more cells that are not understood than the decision needs, but no others.
    """
    if found.verdict != "undetermined" or opinion.judgement.verdict != "undetermined":
        return found == opinion.judgement
    named, left = set(), found.reason
    for sentence in sorted({str(cell) for cell in opinion.unread}, key=len, reverse=True):
        if sentence in left:
            named.add(sentence)
            left = left.replace(sentence, "")
    return {str(cell) for cell in opinion.blamed} <= named and set(left) <= {";", " "}


def without_blame(judgement: Judgement) -> Judgement:
    """Return a judgement, of an undetermined one only whether it names cells to blame."""
    is_open = judgement.verdict == "undetermined"
    return replace(judgement, reason=str(bool(judgement.reason))) if is_open else judgement


@pytest.mark.parametrize("layout", LAYOUTS)
def test_random_users_are_judged_as_the_law_says(layout: str) -> None:
    rows = [*random_rows(random.Random(layout)), a_user("last") | {MORE_CREDENTIALS: ""}]
    root = the_root() | {MORE_CREDENTIALS: ""}
    text = report_text(rows, root=root, columns=LAYOUTS[layout])
    for terms in (TERMS, Terms(AS_OF, "iam-029")):
        found = {row: without_blame(each) for row, each in judged(text, terms).items()}
        law = {str(each.row): without_blame(each.judgement) for each in judge(text, terms)}
        assert found.keys() == law.keys()
        assert [(found[row], law[row]) for row in law if found[row] != law[row]] == []


def test_a_random_user_is_undetermined_for_the_cells_that_deserve_it() -> None:
    chance = random.Random("blame")
    users = [a_harmed_user(chance, number) for number in range(USERS)]
    text = report_text(users + [a_user("last")]).replace("two words", "s3")  # not always blamed
    found, law = judged(text), {str(each.row): each for each in judge(text, TERMS)}
    assert found.keys() == law.keys()
    assert [(found[row], law[row]) for row in law if not agrees(found[row], law[row])] == []


def test_the_order_of_rows_and_columns_and_quotes_change_no_verdict() -> None:
    chance = random.Random("orders")
    root, columns = the_root() | {MORE_CREDENTIALS: ""}, [*COLUMNS, MORE_CREDENTIALS]
    users = [a_harmed_user(chance, number) for number in range(USERS)]
    texts = [report_text(users, root=root, columns=columns)]
    for several in (users, columns):
        chance.shuffle(several)
    texts.append(report_text(users, root=root, columns=columns, quoted=True) + "\n")
    before, after = (judged_users(("report.csv", text.encode())) for text in texts)
    assert judgements_by("user", before) == judgements_by("user", after)


# Arbitrary cells

ANY_CELL = st.one_of(
    st.sampled_from([*WORDS, *BOOLEANS, *MOMENTS, *NO_MOMENTS, *JUNK, *"\0\r\ufeff\x1a"]),
    st.text(st.characters(codec="utf-8"), max_size=12),
)
ANY_ARN = st.one_of(st.just(f"arn:aws:iam::{ACCOUNT}:user/"), ANY_CELL)
ANY_ROW = st.fixed_dictionaries(dict.fromkeys(COLUMNS, ANY_CELL) | {"arn": ANY_ARN})


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(rows=st.lists(ANY_ROW, min_size=1, max_size=4), root=st.booleans())
def test_arbitrary_cells_give_a_result_or_a_refusal(rows: list[Row], *, root: bool) -> None:
    first, rest = (None, rows) if root else (rows[0], rows[1:])
    text = report_text(rest, root=first)
    try:
        found = judged(text)
    except InputRefused:
        return
    law = {str(each.row): each.judgement.verdict for each in judge(text, TERMS)}
    unused = {row for row, judgement in found.items() if judgement.verdict == "unused"}
    assert unused <= {row for row, verdict in law.items() if verdict == "unused"}
