"""Exposure is the most dangerous working credential; what is unknown is never taken for safe."""

import random
from collections.abc import Iterator
from itertools import product

from tests.support.builders import (
    COLUMNS,
    LONG_AGO,
    MORE_CREDENTIALS,
    Row,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    in_separate_accounts,
    judged_users,
    report_text,
    the_root,
)
from tests.support.verdict_oracle import boolean, moment, rows_of
from tests.verdicts.test_against_oracle import a_harmed_user

MORE = "1 more"
ROOT = the_root(**{MORE_CREDENTIALS: ""})
SIGNED_IN = a_password(LONG_AGO)
KEY = a_key(LONG_AGO)
CASES: dict[str, Row] = {
    "password-without-mfa": a_user(password=SIGNED_IN, key_1=KEY),
    "password-without-mfa (unknown)": a_user(password=SIGNED_IN, mfa_active="?"),
    "access-key": a_user(password=SIGNED_IN, mfa=True, key_2=KEY),
    "access-key (unknown)": a_user(password=SIGNED_IN, mfa=True, access_key_1_active="?"),
    "password-with-mfa": a_user(password=SIGNED_IN, mfa=True, certificate_1=a_certificate()),
    "password-with-mfa (unknown)": a_user(password_enabled="?", mfa=True),
    "certificate-or-service": a_user(certificate_2=a_certificate(), key_1=an_inactive_key()),
    "certificate-or-service (unknown)": a_user(cert_1_active="?"),
    "inactive-key": a_user(mfa=True, key_2=an_inactive_key()),
    "inactive-key (unknown)": a_user(access_key_1_last_rotated="?"),
    "none": a_user(mfa=True),
}


def exposures(*users: Row, columns: tuple[str, ...] = COLUMNS) -> list[str]:
    """Return the exposure of users, each in an account of its own."""
    text = report_text(in_separate_accounts(users), root=ROOT, columns=columns)
    return list(judged_users(("report.csv", text.encode()))["exposure"].astype(str))


def test_the_most_dangerous_working_credential_counts() -> None:
    assert exposures(*CASES.values()) == list(CASES)


def test_who_may_have_a_service_credential_is_exposed() -> None:
    columns = (*COLUMNS, MORE_CREDENTIALS)
    more = a_user() | {MORE_CREDENTIALS: MORE}
    assert exposures(more, a_user() | {MORE_CREDENTIALS: "N/A"}, columns=columns) == [
        "certificate-or-service",
        "none",
    ]
    assert exposures(a_user("BedrockAPIKey-a1")) == ["certificate-or-service"]


def test_a_report_without_columns_knows_less() -> None:
    without_mfa = tuple(name for name in COLUMNS if name != "mfa_active")
    users = a_user(password=SIGNED_IN), a_user()
    assert exposures(*users, columns=without_mfa) == ["password-without-mfa (unknown)", "none"]
    without_certificates = tuple(name for name in COLUMNS if not name.startswith("cert"))
    assert exposures(*users, columns=without_certificates) == [
        "password-without-mfa",
        "certificate-or-service (unknown)",
    ]


def possible(raw: str | None) -> tuple[bool, ...]:
    known = boolean(raw)
    return (True, False) if known is None else (known,)


def possible_exposures(row: dict[str, str]) -> Iterator[str]:
    """Yield the exposure for every way in which the unknown cells could be filled."""
    flags = [f"{key}_active" for key in ("access_key_1", "access_key_2", "cert_1", "cert_2")]
    cells = ["password_enabled", "mfa_active"] + flags
    for password, mfa, *active in product(*(possible(row.get(name)) for name in cells)):
        if password and not mfa:
            yield "password-without-mfa"
        elif any(active[:2]):
            yield "access-key"
        elif password:
            yield "password-with-mfa"
        elif (
            any(active[2:]) or "apikey-" in row["user"].lower() or row[MORE_CREDENTIALS] == "1 more"
        ):
            yield "certificate-or-service"
        else:
            yield from states_of_keys(row)


def states_of_keys(row: dict[str, str]) -> Iterator[str]:
    """Yield whether a key that is not active is there, or was there once."""
    known = [known_state(row, slot) for slot in (1, 2)]
    if True not in known and None in known:
        yield from ("inactive-key", "none")
    else:
        yield "inactive-key" if True in known else "none"


def known_state(row: dict[str, str], slot: int) -> bool | None:
    """Return whether an inactive key is there, None if the cells do not say so."""
    rotated = row[f"access_key_{slot}_last_rotated"]
    if boolean(row[f"access_key_{slot}_active"]) is None:
        return None
    if moment(rotated):
        return True
    uses = {
        row.get(f"access_key_{slot}_last_used_{part}") for part in ("date", "region", "service")
    }
    return False if rotated == "N/A" and uses <= {None, "", "N/A", "not_supported"} else None


def test_an_unknown_cell_counts_as_the_worst_that_it_could_be() -> None:
    chance, columns = random.Random(43), (*COLUMNS, MORE_CREDENTIALS)
    users = [a_harmed_user(chance, number) for number in range(600)]
    text = report_text(users, root=ROOT, columns=columns)
    order = [word.removesuffix(" (unknown)") for word in CASES]
    found = judged_users(("report.csv", text.encode()))["exposure"].astype(str)
    rows = [row for row in rows_of(text) if row["user"] != "<root_account>"]
    assert len(rows) == len(found)
    for row, exposure in zip(rows, found, strict=True):
        words = set(possible_exposures(row))
        unknown = " (unknown)" if len(words) > 1 else ""
        assert exposure == min(words, key=order.index) + unknown, row
