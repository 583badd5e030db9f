"""What a later report shows more than the reviewer saw, and nothing else, is news."""

from datetime import timedelta
from typing import Any

from analyzer.decisions.credentials import (
    Credentials,
    ReportedUser,
    access_added,
    credentials_of_users,
    page_of_lines,
)
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    LONG_AGO,
    NEVER,
    Row,
    Value,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    no_password,
)
from tests.support.decisions import analysis_of, line

LATER = AS_OF + timedelta(days=10)
SECOND = timedelta(seconds=1)
USED = days_before(100)
OTHER = days_before(900)
QUIET = a_user()
NOTHING_UNDERSTOOD = {
    **a_user(key_1=a_key("??", "??")),
    **dict.fromkeys(("password_enabled", "password_last_used", "password_last_changed"), "??"),
    **dict.fromkeys(("access_key_1_active", "mfa_active", "cert_1_active"), "??"),
}


def password(used: Value = NEVER, changed: Value = LONG_AGO, **more: Any) -> Row:
    return a_user(password=a_password(used, changed), **more)


def keys(one: Row, other: Row | None = None, **more: Any) -> Row:
    return a_user(key_1=one, key_2=other, **more)


def certificates(one: Row | None, other: Row | None = None) -> Row:
    return a_user(certificate_1=one, certificate_2=other)


def without_password(used: Value) -> Row:
    return a_user(password=no_password(used))


PASSWORD, MFA = password(USED), a_user(mfa=True)
OLD, OFF, USED_KEY = a_key(), an_inactive_key(), a_key(LONG_AGO, USED)
OTHER_OFF, UNDATED = an_inactive_key(OTHER), a_key("??")
NO_CHANGE_READ = PASSWORD | {"password_last_changed": "soon"}
NO_KEY_READ = a_user(access_key_2_last_rotated="soon")
CERTIFICATE, OFF_CERTIFICATE = a_certificate(), a_certificate(active=False)
KEY, SIGNING = keys(USED_KEY), certificates(CERTIFICATE)

Case = tuple[Row, Row]
"""A user before and now."""


def states(*users: Row) -> list[Credentials]:
    """Return users, each under a name of its own, as one report shows them."""
    arn = f"arn:aws:iam::{ACCOUNT}:user/"
    rows = [row | {"user": f"u{at:03}", "arn": f"{arn}u{at:03}"} for at, row in enumerate(users)]
    (page,) = analysis_of(*rows, as_of=LATER + timedelta(days=90)).judged.slices()
    by_name = dict(zip(page.users["user"], credentials_of_users(page), strict=True))
    return [by_name[str(row["user"])] for row in rows]


def news(*cases: Case) -> list[tuple[Case, list[str]]]:
    """Return the cases with what is added."""
    before, now = (
        [ReportedUser(each, has_service_credential=False) for each in states(*users)]
        for users in zip(*cases, strict=True)
    )
    added = [access_added(*each, AS_OF) for each in zip(before, now, strict=True)]
    return [*zip(cases, added, strict=True)]


def test_the_same_or_less_access_is_no_news() -> None:
    cases: list[Case] = [
        *((same, same) for same in (QUIET, PASSWORD, MFA)),
        *((PASSWORD, less) for less in (QUIET, without_password(USED), password(USED - SECOND))),
        (PASSWORD, password(USED, "N/A")),
        (KEY, a_user(key_2=USED_KEY)),
        (KEY, keys(an_inactive_key(LONG_AGO, USED))),
        (KEY, QUIET),
        (keys(OLD, USED_KEY), keys(USED_KEY)),
        (keys(OLD, a_key(USED, USED), mfa=True), keys(OFF)),
        (keys(OLD, OTHER_OFF), keys(OTHER_OFF, OLD)),
        (keys(OLD, OFF), keys(OFF, OLD)),
        (keys(an_inactive_key("??")), keys(OFF)),
        (SIGNING, certificates(None, CERTIFICATE)),
        (SIGNING, certificates(OFF_CERTIFICATE)),
        (KEY, NOTHING_UNDERSTOOD),
        (MFA, QUIET),
        (keys(OLD), keys(UNDATED)),
        # What was unknown, and is not from after the report that was decided on.
        *((NO_CHANGE_READ, password(USED, at)) for at in (AS_OF - SECOND, AS_OF)),
        (NO_KEY_READ, keys(an_inactive_key(AS_OF))),
    ]
    assert [each for each in news(*cases) if each[1]] == []


def test_more_access_or_use_is_news() -> None:
    cases: list[tuple[Row, Row, str]] = [
        (PASSWORD, password(LATER), "signed in 2026-05-11"),
        (PASSWORD, password(USED + SECOND), "signed in 2026-01-21"),
        (password(), PASSWORD, "signed in 2026-01-21"),
        (PASSWORD, without_password(LATER), "signed in 2026-05-11"),
        (QUIET, password(NEVER, LATER), "password set 2026-05-11"),
        (PASSWORD, password(USED, LATER), "password changed 2026-05-11"),
        (PASSWORD, password(USED, LATER, password_enabled="??"), "password changed 2026-05-11"),
        (PASSWORD, password(USED, LONG_AGO + SECOND), "password changed 2023-08-05"),
        (QUIET, a_user(key_2=a_key(LATER)), KEY_CREATED),
        (QUIET, a_user(key_2=an_inactive_key(LATER)), KEY_CREATED),
        (KEY, keys(a_key(LATER)), KEY_CREATED),
        (KEY, keys(a_key(LONG_AGO + SECOND, USED)), "access key created 2023-08-05"),
        (keys(OFF), keys(OLD), ACTIVATED),
        (keys(OFF), a_user(key_2=OLD), ACTIVATED),
        (keys(OLD, access_key_1_active="maybe"), keys(OLD), ACTIVATED),
        (keys(OLD, OFF), keys(OLD, OLD), ACTIVATED),
        (keys(OLD), keys(OLD, UNDATED), "access key activated"),
        (keys(OLD), keys(OLD, OLD), "access key created 2023-08-05"),
        (keys(UNDATED), keys(OLD), "access key created 2023-08-05"),
        (keys(UNDATED), keys(a_key("??", LATER)), "access key used 2026-05-11"),
        (keys(a_key("N/A")), keys(a_key("N/A", LATER)), "access key used 2026-05-11"),
        (keys(OLD), keys(a_key("??", LATER)), "access key used 2026-05-11"),
        (keys(a_key(USED, "??")), keys(OFF), "access key created 2023-08-05"),
        (KEY, keys(a_key(LONG_AGO, LATER)), "access key of 2023-08-05 used 2026-05-11"),
        (keys(OFF), keys(an_inactive_key(used=LATER)), "access key of 2023-08-05 used 2026-05-11"),
        (QUIET, certificates(a_certificate(LATER)), "signing certificate created 2026-05-11"),
        (certificates(None, OFF_CERTIFICATE), SIGNING, CERTIFICATE_ACTIVATED),
        (SIGNING, certificates(CERTIFICATE, a_certificate("??")), "signing certificate activated"),
        (QUIET, MFA, "MFA device added"),
        (QUIET, keys(UNDATED), "access key activated"),
        # What was unknown, and is from after the report that was decided on.
        (NO_CHANGE_READ, password(USED, AS_OF + SECOND), "password changed 2026-05-01"),
        (NO_KEY_READ, keys(an_inactive_key(AS_OF + SECOND)), "access key created 2026-05-01"),
    ]
    read = news(*((before, now) for before, now, _ in cases))
    for (case, added), (*_, text) in zip(read, cases, strict=True):
        assert added == [text], case


CERTIFICATE_ACTIVATED = "signing certificate of 2023-08-05 activated"
KEY_CREATED, ACTIVATED = "access key created 2026-05-11", "access key of 2023-08-05 activated"
UNKNOWN_THEN_ACCESS: list[tuple[Row, Row, str]] = [
    (a_user(password_last_used="soon"), PASSWORD, "signed in"),
    (a_user(password_enabled="maybe"), password(), "password set"),
    (a_user(mfa_active="maybe"), MFA, "MFA device added"),
    (a_user(access_key_1_active="maybe"), keys(OLD), "access key created"),
    (a_user(access_key_1_last_rotated="soon"), keys(OLD), "access key created"),
    (keys(OLD, access_key_1_last_used_date="soon"), KEY, "access key of 2023-08-05 used"),
    (a_user(cert_1_active="maybe"), certificates(CERTIFICATE), "signing certificate"),
    (a_user(cert_1_last_rotated="soon"), certificates(CERTIFICATE), "signing certificate"),
]


def test_an_unknown_cell_is_news_if_it_turns_out_to_be_access_and_none_if_it_does_not() -> None:
    cases = [(before, now) for before, now, _ in UNKNOWN_THEN_ACCESS]
    for (case, added), (*_, text) in zip(news(*cases), UNKNOWN_THEN_ACCESS, strict=True):
        assert any(each.startswith(text) for each in added), (case, added)
    nothing = [(before, keys(OLD) if now is KEY else QUIET) for before, now in cases]
    assert [each for each in news(*nothing) if each[1]] == []


def test_only_a_cell_that_hides_access_or_use_makes_a_user_unknown() -> None:
    flags = "password_enabled", "mfa_active", "access_key_1_active", "cert_2_active"
    moments = (
        *("password_last_used", "access_key_2_last_rotated", "cert_1_last_rotated"),
        "access_key_1_last_used_date",
    )
    unknown: list[Row] = [
        *(QUIET | {name: "maybe"} for name in flags),
        *(QUIET | {name: "soon"} for name in moments),
        password(changed="soon"),
        a_user(key_2=OLD, access_key_2_last_used_date="soon"),
    ]
    everything = password(USED, key_1=USED_KEY, certificate_1=CERTIFICATE, mfa=True)
    known = [QUIET, a_user(password_last_changed="soon"), everything]
    read = [each.is_unknown for each in states(*unknown, *known)]
    assert read == [True] * len(unknown) + [False] * len(known)


def test_the_last_use_is_the_newest_of_password_and_keys() -> None:
    one, two, three = (days_before(number) for number in (30, 20, 10))
    users = [
        password(used, key_1=a_key(LONG_AGO, first), key_2=a_key(OTHER, second))
        for used, first, second in ((one, two, three), (two, three, one), (three, one, two))
    ]
    assert [each.last_use for each in states(*users, QUIET)] == [three, three, three, None]


def test_a_line_of_the_ledger_shows_what_its_report_showed() -> None:
    user = password(USED, key_1=USED_KEY, mfa=True, certificate_2=CERTIFICATE)
    page = page_of_lines([line("delete", a_user("other")), line("delete", user)])
    assert [*credentials_of_users(page)][1:] == states(user)
