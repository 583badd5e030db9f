"""The sentence of a caveat names what it is about, and nothing else; that of unused, which keys."""

import pytest

from analyzer.terms import Criteria, Definition
from analyzer.verdicts.caveats import caveat_sentences
from analyzer.verdicts.verdict import unused_definition
from tests.support.builders import (
    COLUMNS,
    Row,
    a_certificate,
    a_user,
    an_inactive_key,
    days_before,
    no_password,
)
from tests.support.pages import of_users

WITHOUT_MFA = tuple(name for name in COLUMNS if name != "mfa_active")
USED, LATER = an_inactive_key(used=days_before(9)), an_inactive_key(used=days_before(8))
ODD_CREATION = 'user_creation_time "soon" is not understood.'
CERTIFICATE = "Active signing certificate {}: a credential that the definition does not count."


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("user", "sentence"),
    [
        (a_user(key_1=USED), "Inactive access key 1 (2026-04-22) was used in the past."),
        (a_user(key_2=USED), "Inactive access key 2 (2026-04-22) was used in the past."),
        (
            a_user(key_1=USED, key_2=LATER),
            "Inactive access key 1 (2026-04-22) and 2 (2026-04-23) was used in the past.",
        ),
        (a_user(certificate_1=a_certificate()), CERTIFICATE.format("1 (2023-08-05)")),
        (
            a_user(certificate_1=a_certificate(active=False), certificate_2=a_certificate()),
            CERTIFICATE.format("2 (2023-08-05)"),
        ),
        (
            a_user(created="soon") | {"access_key_1_last_used_date": "lately"},
            ODD_CREATION,
        ),
        (
            a_user(created="soon", key_1=an_inactive_key(used="lately")),
            f'{ODD_CREATION[:-1]}; access_key_1_last_used_date "lately" is not understood.',
        ),
    ],
)
def test_a_sentence_names_the_slots_and_cells_that_it_is_about(user: Row, sentence: str) -> None:
    ((found,),) = caveat_sentences(of_users(user))
    assert found[1] == sentence


def test_a_column_that_the_report_lacks_is_no_cell_that_is_not_understood() -> None:
    signed_in = a_user("gone", password=no_password(days_before(400)), created="soon")
    page = of_users(a_user(created="soon"), signed_in, columns=WITHOUT_MFA)
    unread, missing = ("unread-cell", ODD_CREATION), "The report has no column mfa_active."
    assert caveat_sentences(page) == [(("missing-columns", missing), unread), (unread,)]


def test_what_unused_means_says_which_keys_count() -> None:
    texts = [unused_definition(Criteria(definition=each)) for each in Definition]
    assert texts == [
        "never signed in, and no active access key",
        "never signed in, and no access key attached",
    ]


def test_where_no_column_shows_inactive_keys_the_use_of_one_is_a_cell_that_is_not_understood() -> (
    None
):
    column = "access_key_1_last_rotated"
    user = a_user() | {"access_key_1_last_used_date": "lately"}
    page = of_users(user, columns=tuple(name for name in COLUMNS if name != column))
    missing = ("missing-columns", f"The report has no column {column}.")
    unread = ("unread-cell", 'access_key_1_last_used_date "lately" is not understood.')
    assert caveat_sentences(page) == [(missing, unread)]
