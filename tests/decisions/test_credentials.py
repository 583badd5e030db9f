"""What a later report shows more than the reviewer saw, and nothing else, is news."""

from datetime import timedelta
from typing import Any

from analyzer.decisions.credentials import Credentials, access_added, credentials_of_users
from analyzer.decisions.follow_up import page_of_lines
from tests.support import decision_oracle as law
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    LONG_AGO,
    NEVER,
    Row,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    no_password,
    report_text,
    table,
    the_root,
)
from tests.support.decisions import analysis_of, line

LATER = AS_OF + timedelta(days=10)
SECOND = timedelta(seconds=1)
USED = days_before(100)
OTHER = days_before(900)
PASSWORD: dict[str, Any] = {"password": a_password(USED, LONG_AGO)}
KEY: dict[str, Any] = {"key_1": a_key(LONG_AGO, USED)}
OLD_KEY = an_inactive_key(OTHER)
UNDATED = a_key("??")
NOTHING_UNDERSTOOD: dict[str, Any] = {
    "key_1": a_key("??", "??"),
    **dict.fromkeys(("password_enabled", "password_last_used", "password_last_changed"), "??"),
    **dict.fromkeys(("access_key_1_active", "mfa_active", "cert_1_active"), "??"),
}


Case = tuple[Row, Row]
"""A user before and now."""


def states(*users: Row) -> list[Credentials]:
    """Return users, each under a name of its own, as one report shows them."""
    arn = f"arn:aws:iam::{ACCOUNT}:user/"
    rows = [row | {"user": f"u{at:03}", "arn": f"{arn}u{at:03}"} for at, row in enumerate(users)]
    (page,) = analysis_of(*rows, as_of=LATER + timedelta(days=90)).pages()
    by_name = dict(zip(page.users["user"], credentials_of_users(page), strict=True))
    return [by_name[str(row["user"])] for row in rows]


def by_law(user: Row) -> law.State:
    _, cells = table(report_text([user]).encode())
    return law.read_state(cells)


def news(*cases: Case) -> list[tuple[Case, list[str]]]:
    """Return the cases with what is added; the law has to say too whether anything is."""
    before = states(*(case[0] for case in cases))
    now = states(*(case[1] for case in cases))
    added = [access_added(*each, AS_OF) for each in zip(before, now, strict=True)]
    for case, texts in zip(cases, added, strict=True):
        assert bool(texts) == law.is_overtaken(by_law(case[0]), by_law(case[1]), AS_OF), case
    return [*zip(cases, added, strict=True)]


def test_the_same_or_less_access_is_no_news() -> None:
    cases: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({}, {}),
        (PASSWORD, PASSWORD),
        (PASSWORD, {}),
        (PASSWORD, {"password": no_password(USED)}),
        ({"password": a_password(USED, LONG_AGO)}, {"password": a_password(USED, "N/A")}),
        (PASSWORD, {"password": a_password(USED - SECOND, LONG_AGO)}),
        (KEY, {"key_2": KEY["key_1"]}),
        (KEY, {"key_1": an_inactive_key(LONG_AGO, USED)}),
        (KEY, {}),
        ({"key_1": a_key(LONG_AGO), "key_2": a_key(LONG_AGO, USED)}, {"key_1": KEY["key_1"]}),
        ({"certificate_1": a_certificate()}, {"certificate_2": a_certificate()}),
        ({"certificate_1": a_certificate()}, {"certificate_1": a_certificate(active=False)}),
        ({"key_1": a_key(), "key_2": a_key(USED, USED), "mfa": True}, {"key_1": an_inactive_key()}),
        ({"key_1": a_key(), "key_2": OLD_KEY}, {"key_1": OLD_KEY, "key_2": a_key()}),
        (
            {"key_1": a_key(), "key_2": an_inactive_key()},
            {"key_1": an_inactive_key(), "key_2": a_key()},
        ),
        ({"key_1": an_inactive_key("??")}, {"key_1": an_inactive_key()}),
        (KEY, NOTHING_UNDERSTOOD),
        ({"mfa": True}, {"mfa": False}),
        ({"mfa": True}, {"mfa": True}),
    ]
    read = news(*((a_user(**before), a_user(**now)) for before, now in cases))
    assert [each for each in read if each[1]] == []


def test_more_access_or_use_is_news() -> None:
    cases: list[tuple[dict[str, Any], dict[str, Any], str]] = [
        (PASSWORD, {"password": a_password(LATER, LONG_AGO)}, "signed in 2026-05-11"),
        (PASSWORD, {"password": a_password(USED + SECOND, LONG_AGO)}, "signed in 2026-01-21"),
        ({"password": a_password(NEVER)}, PASSWORD, "signed in 2026-01-21"),
        ({}, {"password": a_password(NEVER, LATER)}, "password set 2026-05-11"),
        (PASSWORD, {"password": no_password(LATER)}, "signed in 2026-05-11"),
        (PASSWORD, {"password": a_password(USED, LATER)}, "password changed 2026-05-11"),
        (
            PASSWORD,
            {"password": a_password(USED, LATER), "password_enabled": "??"},
            "password changed 2026-05-11",
        ),
        (PASSWORD, {"password": a_password(USED, LONG_AGO + SECOND)}, "password changed"),
        ({}, {"key_2": a_key(LATER)}, "access key created 2026-05-11"),
        ({}, {"key_2": an_inactive_key(LATER)}, "access key created 2026-05-11"),
        (KEY, {"key_1": a_key(LATER)}, "access key created 2026-05-11"),
        (KEY, {"key_1": a_key(LONG_AGO + SECOND, USED)}, "access key created 2023-08-05"),
        ({"key_1": an_inactive_key()}, {"key_1": a_key()}, "access key of 2023-08-05 activated"),
        ({"key_1": an_inactive_key()}, {"key_2": a_key()}, "access key of 2023-08-05 activated"),
        (
            {"key_1": a_key(), "access_key_1_active": "maybe"},
            {"key_1": a_key()},
            "access key of 2023-08-05 activated",
        ),
        ({"key_1": a_key()}, {"key_1": a_key(), "key_2": UNDATED}, "access key activated"),
        ({"key_1": UNDATED}, {"key_1": a_key()}, "access key created 2023-08-05"),
        ({"key_1": UNDATED}, {"key_1": a_key("??", LATER)}, "access key used 2026-05-11"),
        ({"key_1": a_key("N/A")}, {"key_1": a_key("N/A", LATER)}, "access key used 2026-05-11"),
        ({"key_1": a_key()}, {"key_1": a_key("??", LATER)}, "access key used 2026-05-11"),
        ({"key_1": a_key(USED, "??")}, {"key_1": an_inactive_key()}, "access key created 2023-08"),
        (KEY, {"key_1": a_key(LONG_AGO, LATER)}, "access key of 2023-08-05 used 2026-05-11"),
        ({"key_1": an_inactive_key()}, {"key_1": an_inactive_key(used=LATER)}, "used 2026-05-11"),
        (
            {"key_1": a_key(), "key_2": an_inactive_key()},
            {"key_1": a_key(), "key_2": a_key()},
            "access key of 2023-08-05 activated",
        ),
        ({"key_1": a_key()}, {"key_1": a_key(), "key_2": a_key()}, "access key created"),
        ({}, {"certificate_1": a_certificate(LATER)}, "signing certificate created 2026-05-11"),
        (
            {"certificate_2": a_certificate(active=False)},
            {"certificate_1": a_certificate()},
            "signing certificate of 2023-08-05 activated",
        ),
        (
            {"certificate_1": a_certificate()},
            {"certificate_1": a_certificate(), "certificate_2": a_certificate("??")},
            "signing certificate activated",
        ),
        ({}, {"mfa": True}, "MFA device added"),
    ]
    read = news(*((a_user(**before), a_user(**now)) for before, now, _ in cases))
    for (_, added), (before, now, text) in zip(read, cases, strict=True):
        assert len(added) == 1, (before, now, added)
        assert text in added[0]


UNKNOWN_THEN_ACCESS: list[tuple[Row, dict[str, Any], str]] = [
    ({"password_last_used": "soon"}, PASSWORD, "signed in"),
    ({"password_enabled": "maybe"}, {"password": a_password(NEVER)}, "password set"),
    ({"mfa_active": "maybe"}, {"mfa": True}, "MFA device added"),
    ({"access_key_1_active": "maybe"}, {"key_1": a_key()}, "access key created"),
    ({"access_key_1_last_rotated": "soon"}, {"key_1": a_key()}, "access key created"),
    (
        {**a_user(key_1=a_key()), "access_key_1_last_used_date": "soon"},
        {"key_1": a_key(LONG_AGO, USED)},
        "access key of 2023-08-05 used",
    ),
    ({"cert_1_active": "maybe"}, {"certificate_1": a_certificate()}, "signing certificate"),
    ({"cert_1_last_rotated": "soon"}, {"certificate_1": a_certificate()}, "signing certificate"),
]


def test_an_unknown_cell_that_turns_out_to_be_access_is_news() -> None:
    cases = [(a_user() | before, a_user(**now)) for before, now, _ in UNKNOWN_THEN_ACCESS]
    for (case, added), (*_, text) in zip(news(*cases), UNKNOWN_THEN_ACCESS, strict=True):
        assert any(each.startswith(text) for each in added), (case, added)


def test_an_unknown_cell_that_turns_out_to_be_nothing_is_no_news() -> None:
    cases = [
        (a_user() | before, a_user(key_1=a_key()) if "user" in before else a_user())
        for before, _, _ in UNKNOWN_THEN_ACCESS
    ]
    assert [each for each in news(*cases) if each[1]] == []


def test_what_was_unknown_was_changed_since_if_that_was_after_the_report() -> None:
    undated = a_user(**PASSWORD) | {"password_last_changed": "soon"}
    slot = a_user(access_key_2_last_rotated="soon")
    cases = [
        *((undated, a_user(password=a_password(USED, at))) for at in (AS_OF - SECOND, AS_OF)),
        (slot, a_user(key_1=an_inactive_key(AS_OF))),
        (undated, a_user(password=a_password(USED, AS_OF + SECOND))),
        (slot, a_user(key_1=an_inactive_key(AS_OF + SECOND))),
    ]
    assert [added for _, added in news(*cases)] == [
        *([], [], []),
        ["password changed 2026-05-01"],
        ["access key created 2026-05-01"],
    ]


def test_an_active_key_without_a_date_is_news_unless_there_was_an_active_one() -> None:
    undated = a_user(key_1=a_key(), access_key_1_last_rotated="soon")
    read = news((a_user(), undated), (a_user(key_1=a_key()), undated))
    assert [added for _, added in read] == [["access key activated"], []]


def test_more_credentials_than_the_slots_show_are_news() -> None:
    more: Row = {"additional_credentials_info": "1 more access key"}
    none: Row = {"additional_credentials_info": "N/A"}
    heads = (*a_user(), "additional_credentials_info")
    pages = (
        next(analysis_of(a_user() | info, columns=heads, root=the_root() | none).pages())
        for info in (none, more)
    )
    before, now = (next(credentials_of_users(page)) for page in pages)
    assert access_added(before, now, AS_OF) == [
        "more access keys or certificates than the report lists"
    ]
    assert access_added(now, now, AS_OF) == []


def test_a_credential_works_or_not_or_that_is_hidden() -> None:
    cases: list[tuple[Row, bool | None]] = [
        (a_user(), False),
        (a_user(**PASSWORD), True),
        (a_user(key_2=a_key()), True),
        (a_user(certificate_2=a_certificate()), True),
        (a_user(key_1=an_inactive_key()), False),
        (a_user(password_enabled="maybe"), None),
        (a_user(access_key_2_active="maybe"), None),
        (a_user(cert_1_active="maybe"), None),
        (a_user(key_1=a_key(), cert_1_active="maybe"), True),
    ]
    read = states(*(user for user, _ in cases))
    for (user, expected), each in zip(cases, read, strict=True):
        assert each.has_working_credential is expected, user


def test_only_a_cell_that_hides_access_or_use_makes_a_user_unknown() -> None:
    unknown: list[Row] = [
        {"password_enabled": "maybe"},
        {"password_last_used": "soon"},
        {"mfa_active": "maybe"},
        {"access_key_1_active": "maybe"},
        {"access_key_2_last_rotated": "soon"},
        {"cert_2_active": "maybe"},
        {"cert_1_last_rotated": "soon"},
        {**a_password(), "password_last_changed": "soon"},
        {"access_key_1_last_used_date": "soon"},
        {**a_user(key_2=a_key()), "access_key_2_last_used_date": "soon"},
    ]
    known = [
        a_user(),
        a_user(password_last_changed="soon"),
        a_user(**PASSWORD, **KEY, mfa=True, certificate_1=a_certificate()),
    ]
    users = [*(a_user() | cells for cells in unknown), *known]
    read = [each.is_unknown for each in states(*users)]
    assert read == [True] * len(unknown) + [False] * len(known)


def test_the_last_use_is_the_newest_of_password_and_keys() -> None:
    uses = [days_before(number) for number in (30, 20, 10)]
    users = [
        a_user(
            password=a_password(uses[first]),
            key_1=a_key(LONG_AGO, uses[second]),
            key_2=a_key(OTHER, uses[third]),
        )
        for first, second, third in ((0, 1, 2), (1, 2, 0), (2, 0, 1))
    ]
    assert [each.last_use for each in states(*users, a_user())] == [*[uses[2]] * 3, None]


def test_rows_of_one_arn_that_differ_hide_what_they_differ_in() -> None:
    twice = (a_user(password_enabled="true"), a_user(mfa=True))
    (page,) = analysis_of(*twice).pages()
    for each in credentials_of_users(page):
        assert (each.has_password, each.has_mfa) == (None, None)
        assert each.keys[0].is_active is False


def test_a_line_of_the_ledger_shows_what_its_report_showed() -> None:
    user = a_user(**PASSWORD, **KEY, mfa=True, certificate_2=a_certificate())
    page = page_of_lines([line("delete", a_user("other")), line("delete", user)])
    assert [*credentials_of_users(page)][1:] == states(user)
