"""Any credential that a later report shows otherwise than it was seen is a difference."""

from datetime import timedelta
from typing import Any

from analyzer.decisions.credentials import (
    SOME_SERVICE,
    Credentials,
    ReportedUser,
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
NOTHING_UNDERSTOOD = (
    a_user(key_1=a_key("??", "??"))
    | dict.fromkeys(("password_enabled", "password_last_used", "password_last_changed"), "??")
    | dict.fromkeys(("access_key_1_active", "mfa_active", "cert_1_active"), "??")
)


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


def states(*users: Row) -> list[Credentials]:
    """Return users, each under a name of its own, as one report shows them."""
    arn = f"arn:aws:iam::{ACCOUNT}:user/"
    rows = [row | {"user": f"u{at:03}", "arn": f"{arn}u{at:03}"} for at, row in enumerate(users)]
    (page,) = analysis_of(*rows, as_of=LATER + timedelta(days=90)).judged.slices()
    by_name = dict(zip(page.users["user"], credentials_of_users(page), strict=True))
    return [by_name[str(row["user"])] for row in rows]


SAME = [
    *((same, same) for same in (QUIET, PASSWORD, MFA, KEY, SIGNING, NOTHING_UNDERSTOOD)),
    # AWS moves a key or a certificate to another slot.
    (KEY, a_user(key_2=USED_KEY)),
    (keys(OLD, OTHER_OFF), keys(OTHER_OFF, OLD)),
    (keys(OLD, OFF), keys(OFF, OLD)),
    (SIGNING, certificates(None, CERTIFICATE)),
    # Region and service of use say nothing, nor when the password is to be changed.
    (KEY, KEY | {"access_key_1_last_used_region": "eu-west-1"}),
    (PASSWORD, PASSWORD | {"password_next_rotation": "2027-01-01T00:00:00Z"}),
]
DIFFERENT = [
    (PASSWORD, password(USED + SECOND), "last sign-in"),
    (PASSWORD, password(USED - SECOND), "last sign-in"),
    (password(), PASSWORD, "last sign-in"),
    (QUIET, password(), "password"),
    (password(), QUIET, "password"),
    (PASSWORD, password(USED, LATER), "password"),
    (PASSWORD, NO_CHANGE_READ, "password"),
    (PASSWORD, PASSWORD | {"password_enabled": "??"}, "password"),
    (KEY, QUIET, "access keys"),
    (QUIET, a_user(key_2=an_inactive_key(LATER)), "access keys"),
    (KEY, keys(a_key(LONG_AGO + SECOND, USED)), "access keys"),
    (KEY, keys(a_key(LONG_AGO, LATER)), "access keys"),
    (keys(OFF), keys(OLD), "access keys"),
    (keys(OLD), keys(OFF), "access keys"),
    (keys(OLD, OFF), keys(OLD, OLD), "access keys"),
    (keys(OLD, OLD), keys(OLD), "access keys"),
    (keys(OLD), NO_KEY_READ, "access keys"),
    (QUIET, SIGNING, "certificates"),
    (SIGNING, certificates(OFF_CERTIFICATE), "certificates"),
    (QUIET, MFA, "MFA"),
    (MFA, QUIET, "MFA"),
    (QUIET, a_user(mfa_active="??"), "MFA"),
]


def test_more_less_or_other_access_or_use_is_a_difference_and_nothing_else() -> None:
    cases = [(before, now, "") for before, now in SAME] + DIFFERENT
    before = states(*(before for before, *_ in cases))
    now = states(*(now for _, now, _ in cases))
    for was, shown, (*case, named) in zip(before, now, cases, strict=True):
        found = ReportedUser(was, "").differences(ReportedUser(shown, ""))
        assert ",".join(found) == named, case


LISTS = [
    ("", "", True, False),
    ("", "a", True, True),
    ("a", "a", True, False),
    ("a", "b", True, True),
    ("a", "", True, True),
    ("a", "", False, False),
    (SOME_SERVICE, "a, b", True, False),
    (SOME_SERVICE, "", True, True),
]
"""The services that AWS listed before and lists now, whether there is a list, and a difference."""


def test_services_differ_only_if_a_list_shows_that() -> None:
    (shown,) = states(QUIET)
    for before, now, has_list, differs in LISTS:
        found = ReportedUser(shown, before).differences(ReportedUser(shown, now, has_list=has_list))
        assert found == ["service-specific credentials"] * differs, (before, now, has_list)


ACCESS = [
    *((user, False, True) for user in (QUIET, keys(OFF), MFA, certificates(OFF_CERTIFICATE))),
    *((user, False, True) for user in (without_password(USED),)),
    (password(), False, False),
    *((user, True, False) for user in (PASSWORD, keys(OLD), SIGNING)),
    *((user, False, False) for user in (password("soon"), NOTHING_UNDERSTOOD)),
    (a_user(mfa_active="??"), False, False),
    (keys(OFF, access_key_1_last_used_date="soon"), False, False),
]
"""A user, whether it has what keeps it from being deleted, and whether no credentials are left."""


def test_what_is_unknown_is_neither_access_nor_none() -> None:
    for shown, (_, has_access, has_none) in zip(
        states(*(user for user, *_ in ACCESS)), ACCESS, strict=True
    ):
        user = ReportedUser(shown, "")
        assert (user.has_access, user.has_no_credentials) == (has_access, has_none), shown
        listed = ReportedUser(shown, "bedrock.amazonaws.com")
        assert (listed.has_access, listed.has_no_credentials) == (True, False)


def test_a_cell_that_is_compared_and_not_understood_makes_a_user_unknown() -> None:
    flags = "password_enabled", "mfa_active", "access_key_1_active", "cert_2_active"
    moments = (
        "password_last_used",
        "access_key_2_last_rotated",
        "cert_1_last_rotated",
        "access_key_1_last_used_date",
    )
    unknown: list[Row] = [
        a_user(password_last_changed="soon"),
        *(QUIET | {name: "maybe"} for name in flags),
        *(QUIET | {name: "soon"} for name in moments),
        password(changed="soon"),
        a_user(key_2=OLD, access_key_2_last_used_date="soon"),
    ]
    everything = password(USED, key_1=USED_KEY, certificate_1=CERTIFICATE, mfa=True)
    known = [QUIET, everything]
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
    assert list(credentials_of_users(page))[1:] == states(user)
