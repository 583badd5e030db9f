"""Hold the verdict to the law: each boundary by hand."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

import pandas as pd
import pytest

from analyzer.verdicts.caveats import caveat_sentences
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    COLUMNS,
    COLUMNS_OF_2014,
    LONG_AGO,
    MORE_CREDENTIALS,
    NEVER,
    QUIET_PASSWORD,
    TERMS,
    Row,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    in_separate_accounts,
    in_slot,
    judged_users,
    judgements_by,
    no_password,
    report_text,
    the_root,
)
from tests.support.named_reports import load_named
from tests.support.pages import of_users
from tests.support.verdict_oracle import (
    GAP_END,
    GAP_START,
    SIGN_INS_RECORDED_FROM,
    Judgement,
    Terms,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time

STRICT = Terms(AS_OF, "iam-029")
SECOND = timedelta(seconds=1)
ALL_COLUMNS = (*COLUMNS, MORE_CREDENTIALS)


def judged(
    users: Iterable[Row], terms: Terms = TERMS, columns: Sequence[str] = ALL_COLUMNS
) -> pd.DataFrame:
    """Return what the program says about users, each in an account of its own, in one report."""
    rows = in_separate_accounts({MORE_CREDENTIALS: "", **user} for user in users)
    root = the_root() | {MORE_CREDENTIALS: "N/A"}
    text = report_text(rows, root=root, columns=columns)
    return judged_users(("report.csv", text.encode()), terms)


def check(
    *cases: tuple[Row, Judgement], terms: Terms = TERMS, columns: Sequence[str] = ALL_COLUMNS
) -> None:
    """Hold what the program says about each of these users to what is expected."""
    frame = judged([user for user, _ in cases], terms, columns)
    assert list(judgements_by("row", frame).values()) == [expected for _, expected in cases]


def unused(reason: str = "no-credentials", caveats: str = "") -> Judgement:
    return Judgement("unused", reason, "check" if caveats else "certain", caveats)


def not_understood(*cells: tuple[str, str]) -> Judgement:
    reason = "; ".join(f'{column} "{value}" is not understood' for column, value in cells)
    return Judgement("undetermined", reason)


ACTIVE, DORMANT = Judgement("active"), Judgement("dormant")
OLD, FRESH = an_inactive_key(), a_key(used=days_before(1))
USED_LONG_AGO = a_key(used=days_before(400))
AT_LIMIT = {-1: ACTIVE, 0: DORMANT, 1: DORMANT}
"""The verdict by how many seconds beyond 90 days a credential is idle."""

UNREAD, WAS_USED = "unread-cell", "inactive-key-was-used"
NEXT = "password_next_rotation"
USED = "2024-01-01T00:00:00Z"
DATE, REGION, SERVICE = (f"access_key_1_last_used_{each}" for each in ("date", "region", "service"))
CREATED, DATE_2 = "access_key_1_last_rotated", DATE.replace("_1_", "_2_")
BUSY, RETIRED = a_user(password=QUIET_PASSWORD), a_user(password=no_password(LONG_AGO))
PASSWORD_ODD = ("password_enabled", "ja")
LATELY = not_understood((DATE, "lately"))
CELLS_ODD = [PASSWORD_ODD, ("access_key_2_active", "nein")]
UNREAD_KEY = unused("inactive-keys-only", UNREAD)
SERVICE_USERS = ("BedrockAPIKey-a1b2", "AeaApiKey-ab12", "CloudWatchAPIKey-ab", "my-apikey-")
USED_OFF = in_slot("access_key", 1, an_inactive_key(used=days_before(300)))


def used_though_absent(column: str, word: str) -> Judgement:
    cells = f'{CREATED} "N/A" contradicts {column} "{word}"'
    return Judgement("undetermined", cells)


def limit(seconds: int) -> datetime:
    return days_before(90) - seconds * SECOND


NEEDED_BY_EVERYBODY = [
    ("password_enabled", "wahr"),
    ("password_last_used", "not_supported"),
    ("access_key_1_active", "N/A"),
    ("access_key_1_last_rotated", "not_supported"),
    ("access_key_2_active", ""),
    ("access_key_2_last_rotated", "no_information"),
]
NEEDED_BY_CERTAINTY = [
    ("user_creation_time", "2021-02-30T00:00:00Z"),
    ("mfa_active", "not_supported"),
    ("cert_1_active", "yes"),
    ("cert_1_last_rotated", "2021-01-01"),
    ("cert_2_active", ""),
    ("cert_2_last_rotated", "not_supported"),
]
Cases = Iterable[tuple[Row, Judgement]]
CASES: dict[str, Cases] = {
    "who is unused has one reason": (
        (a_user(password=a_password()), unused("never-signed-in")),
        (a_user(password=a_password("N/A")), unused("never-signed-in")),
        (a_user(password=a_password(), key_2=OLD), unused("never-signed-in-inactive-keys")),
        (a_user(), unused()),
        (a_user(password=no_password(NEVER)), unused()),
        (a_user(key_1=OLD), unused("inactive-keys-only")),
    ),
    "a credential idle for exactly the limit is dormant": [
        (user, verdict)
        for seconds, verdict in AT_LIMIT.items()
        for user in (
            a_user(password=a_password(limit(seconds))),
            a_user(key_1=a_key(used=limit(seconds))),
            a_user(key_2=a_key(used=limit(seconds))),
            a_user(key_1=a_key(created=limit(seconds))),
        )
    ],
    "one fresh credential is enough to be active, but no use of an inactive key": (
        (a_user(password=a_password(days_before(400)), key_1=FRESH), ACTIVE),
        (BUSY | in_slot("access_key", 1, USED_LONG_AGO), ACTIVE),
        (a_user(key_1=USED_LONG_AGO, key_2=FRESH), ACTIVE),
        (a_user(key_1=an_inactive_key(used=days_before(1)), key_2=USED_LONG_AGO), DORMANT),
    ),
    "an active key without its date counts from the user's creation": [
        (a_user(created=created) | in_slot("access_key", slot, a_key("N/A")), verdict)
        for created, verdict in (
            (days_before(89.9), ACTIVE),
            (days_before(90), DORMANT),
            ("soon", not_understood(("user_creation_time", "soon"))),
        )
        for slot in (1, 2)
    ],
    "grace ends with the last second of its last day": (
        (a_user(created=days_before(7) + SECOND), unused(caveats="new-user")),
        (a_user(created=days_before(7)), unused()),
        (a_user(created=days_before(7) - SECOND), unused()),
    ),
    "sign-ins are on record from the first second of tracking": [
        (a_user(created=SIGN_INS_RECORDED_FROM + at * SECOND), unused(caveats=caveat))
        for at, caveat in ((-1, "created-before-tracking"), (0, ""), (1, ""))
    ],
    "a password of a user made after the gap in the record is not doubted": (
        *(
            (
                a_user(created=GAP_END + at * SECOND, password=a_password()),
                unused("never-signed-in", gap),
            )
            for at, gap in ((-1, "sign-in-gap"), (0, ""), (1, ""))
        ),
        (a_user(created=GAP_START), unused()),
    ),
    "each credential that the definition does not count is a caveat": (
        (a_user(certificate_1=a_certificate()), unused(caveats="active-certificate")),
        (a_user(certificate_2=a_certificate()), unused(caveats="active-certificate")),
        (a_user(certificate_1=a_certificate(active=False)), unused()),
        (a_user(mfa=True), unused(caveats="mfa-registered")),
        *((a_user(name), unused(caveats="service-credential-user")) for name in SERVICE_USERS),
        *((a_user(name), unused()) for name in ("apikey", "api-key-1")),
        *(
            (a_user() | in_slot("access_key", slot, key), unused("inactive-keys-only", WAS_USED))
            for key in [an_inactive_key(used=days_before(700))]
            for slot in (1, 2)
        ),
    ),
    "the retired carry caveats too": (
        (
            RETIRED | USED_OFF | in_slot("cert", 1, a_certificate()) | {"mfa_active": "true"},
            Judgement("retired", "", "check", f"active-certificate;{WAS_USED}"),
        ),
    ),
    "a needed cell that is not understood is named and decides nothing": [
        (user | dict([each]), not_understood(each))
        for user in (a_user(), BUSY)
        for each in NEEDED_BY_EVERYBODY
    ],
    "a boolean is one of two words in any case and nothing else": [
        (a_user(password_enabled=each), not_understood(("password_enabled", each)))
        for each in ("true ", " false", "true\n", "\u00a0false", "fal", "FAL\u017fE")
    ],
    "a cell that only certainty needs is a caveat and hides neither user nor use": [
        (user | dict([each]), judgement)
        for user, judgement in (
            (a_user(), unused(caveats=UNREAD)),
            (RETIRED, Judgement("retired", "", "check", UNREAD)),
            (BUSY, ACTIVE),
        )
        for each in NEEDED_BY_CERTAINTY
    ],
    "the use of an inactive key that is not understood is a caveat": [
        (a_user(key_1=OLD) | {DATE: each}, UNREAD_KEY)
        for each in ("not_supported", "no", "", "2021-01-01T00:00:00")
    ],
    "an unreadable use leaves open who else is not active": (
        (a_user(key_1=a_key(used="lately"), key_2=FRESH), ACTIVE),
        (a_user(key_1=a_key(used="lately"), key_2=USED_LONG_AGO), LATELY),
        (a_user(key_1=a_key(used="lately")), LATELY),
        (a_user(key_1=a_key("N/A", "lately")), LATELY),
        (a_user(key_1=a_key(used="lately")) | dict([PASSWORD_ODD]), not_understood(PASSWORD_ODD)),
    ),
    "region and service of a key decide nothing": [
        (key | {REGION: region, SERVICE: service}, judgement)
        for key, judgement in (
            (a_user(key_1=OLD), unused("inactive-keys-only")),
            (a_user(key_1=OLD) | {DATE: USED}, unused("inactive-keys-only", WAS_USED)),
            (a_user(key_1=FRESH), ACTIVE),
        )
        for region, service in (("N/A", "N/A"), ("", "?"), ("eu-west-1", "not_supported"))
    ],
    "a use of an absent key contradicts that it is absent": [
        (a_user() | {column: word}, used_though_absent(column, word))
        for column, word in ((DATE, USED), (DATE, "=1+1"), (REGION, "eu-west-1"), (SERVICE, "n/a"))
    ],
    "every cell that is to blame is named as it stands in the report": (
        (a_user() | dict(CELLS_ODD), not_understood(*CELLS_ODD)),
        (
            a_user(key_1=a_key(used="once"), key_2=a_key(used="twice")),
            not_understood((DATE, "once"), (DATE_2, "twice")),
        ),
    ),
    "an active certificate without its date is two caveats": [
        (
            a_user() | in_slot("cert", slot, a_certificate(created)),
            unused(caveats=f"active-certificate;{UNREAD}"),
        )
        for created in ("N/A", "no_information", "soon")
        for slot in (1, 2)
    ],
    "a cell that says nothing decides nothing": [
        (a_user() | dict.fromkeys((DATE, REGION, SERVICE, NEXT), word), unused())
        for word in ("N/A", "not_supported", "")
    ],
    "credentials beyond the two slots are a caveat": [
        (a_user() | {MORE_CREDENTIALS: each}, unused(caveats=caveat))
        for each, caveat in (("1 more key; see", "more-credentials"), ("N/A", ""), ("", ""))
    ],
    "every path and every partition is understood": (
        (a_user(path="team/a,b;\"c'/$(x)/"), unused()),
        *(
            (a_user(arn=f"arn:aws-{each}:iam::{ACCOUNT}:user/quiet"), unused())
            for each in ("cn", "us-gov", "eusc")
        ),
    ),
}


@cache
def all_judged() -> dict[str, list[tuple[Row, Judgement, Judgement]]]:
    """Return each user with what is expected and what the program says, judged in one report."""
    table = {promise: list(cases) for promise, cases in CASES.items()}
    frame = judged(user for cases in table.values() for user, _ in cases)
    found = iter(judgements_by("row", frame).values())
    return {promise: [(*case, next(found)) for case in cases] for promise, cases in table.items()}


@pytest.mark.parametrize("promise", CASES)
def test_each_user_is_judged_as_the_law_says(promise: str) -> None:
    cases = all_judged()[promise]
    assert [case for case in cases if case[1] != case[2]] == []
    assert cases


BORN = datetime(2017, 1, 1, tzinfo=UTC)
BEFORE_GAP = a_user(created=BORN, password=a_password(changed=BORN))


def test_under_the_strict_definition_an_attached_key_keeps_a_user_from_unused() -> None:
    check(
        (a_user(password=a_password()), unused("never-signed-in")),
        (a_user(), unused()),
        (a_user(key_1=OLD), Judgement("retired", "", "certain")),
        (a_user(password=a_password(), key_2=OLD), DORMANT),
        (a_user(password=a_password(changed=days_before(2)), key_2=OLD), ACTIVE),
        *(
            (a_user(password=a_password(changed=changed), created=created, key_1=OLD), verdict)
            for seconds, verdict in AT_LIMIT.items()
            for changed, created in ((limit(seconds), LONG_AGO), ("N/A", limit(seconds)))
        ),
        terms=STRICT,
    )


def test_limits_and_as_of_change_what_they_say() -> None:
    idle, new = a_user(key_1=a_key(used=days_before(45.5))), a_user(created=days_before(1) + SECOND)
    for terms, user, expected in (
        (Terms(AS_OF, idle_days=45), idle, DORMANT),
        (Terms(AS_OF, idle_days=46), idle, ACTIVE),
        (Terms(AS_OF, grace_days=1), new, unused(caveats="new-user")),
        (Terms(AS_OF, grace_days=1), a_user(created=days_before(1)), unused()),
        (Terms(AS_OF, grace_days=0), a_user(created=AS_OF), unused()),
        (Terms(GAP_START), BEFORE_GAP, unused("never-signed-in")),
        (Terms(GAP_START + SECOND), BEFORE_GAP, unused("never-signed-in", "sign-in-gap")),
    ):
        check((user, expected), terms=terms)


def test_a_moment_after_as_of_counts_as_this_very_day() -> None:
    users = [
        user
        for then in (AS_OF + ahead * SECOND for ahead in (5, 60, 86_400 * 3))
        for user in (
            a_user(password=a_password(then)),
            a_user(key_1=a_key(used=then)),
            a_user(key_1=a_key(created=then)),
        )
    ]
    frame = judged(users + [a_user(created=AS_OF + 5 * SECOND)])
    verdicts = list(judgements_by("row", frame).values())
    assert verdicts == [ACTIVE] * 9 + [unused(caveats="new-user")]
    assert frame["idle_days"][:9].tolist() == [0] * 9
    assert frame["age_days"].tolist()[-1] == 0


ODD = "2026-01-01T00:00:00z"


def test_idle_days_that_need_a_cell_that_is_not_understood_are_blank() -> None:
    of_nothing = [
        a_user(password=a_password(ODD)),
        a_user(password=a_password(ODD, "N/A")),
        a_user(password=a_password(ODD), key_1=a_key(used=ODD)),
        a_user(password=a_password(changed=ODD), key_1=OLD),
        a_user(key_1=a_key(used=ODD)),
    ]
    of_another_credential = [
        a_user(password=a_password(ODD), key_1=a_key(used=days_before(7))),
        a_user(password=a_password(days_before(7)), key_1=a_key(used=ODD)),
        a_user(password=a_password(days_before(7)), access_key_2_active="soon"),
        a_user(key_1=a_key(used=days_before(400)), password_enabled="soon"),
    ]
    of_a_week = [
        a_user(password=a_password(days_before(7), ODD)),
        a_user(password=a_password(changed=days_before(7))),
        a_user(key_1=a_key(created=days_before(7))),
        a_user(key_1=an_inactive_key(used=days_before(1)), key_2=a_key("N/A", days_before(7))),
    ]
    frame = judged(of_nothing + of_another_credential + of_a_week, STRICT)
    verdicts = frame["verdict"].astype(str).tolist()
    assert verdicts[:9] == ["undetermined"] * 6 + ["active"] + ["undetermined"] * 2
    assert frame["idle_days"].fillna(-1).tolist() == [-1] * 9 + [7] * 4


def test_the_sentence_of_a_caveat_names_the_cell_that_is_not_understood() -> None:
    page = of_users(*(a_user() | dict([each]) for each in NEEDED_BY_CERTAINTY))
    sentences = [f'{column} "{value}" is not understood.' for column, value in NEEDED_BY_CERTAINTY]
    assert list(caveat_sentences(page)) == [((UNREAD, sentence),) for sentence in sentences]


def test_a_row_that_names_nobody_is_undetermined() -> None:
    of_account = f"arn:aws:iam::{ACCOUNT}:user/"
    users = [a_user() | {"arn": arn} for arn in (f"{of_account}other", f"{of_account}quiet/")] + [
        a_user(name) for name in ("", "two words", "line\nbreak", "x" * 129)
    ]
    frame = judged(users)
    assert frame["verdict"].astype(str).tolist() == ["undetermined"] * 6
    assert frame["reason"].astype(str).str.contains("is not understood").tolist() == [True] * 6


# Cells that are not understood


def unread_cells(*users: Row, columns: Sequence[str] = COLUMNS) -> list[dict[str, str]]:
    """Return the cells of each user that were not understood, by column."""
    content = report_text(in_separate_accounts(users), columns=columns).encode()
    (page,) = load_named(("report.csv", content), as_of=AS_OF).iam_users.slices()
    found: list[dict[str, str]] = [{} for _ in users]
    for column in columns:
        for at, value in zip(*page.unread_cells(column), strict=True):
            found[at][column] = value
    return found


def test_of_a_report_as_aws_writes_it_every_cell_is_understood_and_a_foreign_one_is_noted() -> None:
    user = a_user(key_1=a_key(used=days_before(3)))
    assert unread_cells(user, user | in_slot("access_key", 2, OLD)) == [{}] * 2
    assert unread_cells(a_user(), columns=COLUMNS_OF_2014) == [{}]
    columns = [name for name in COLUMNS if name != "arn" and "_last_used_" not in name]
    every = unread_cells(*(user | {column: "so, so"} for column in columns), a_user())
    for column, noted in zip(columns, every[:-1], strict=True):
        assert noted[column] == "so, so"
        assert noted.keys() <= {column, "arn"}
