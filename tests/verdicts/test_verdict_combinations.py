"""Hold the verdict to the law: every combination against the oracle, each boundary by hand."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import analyzer
from analyzer.verdicts.caveats import caveat_sentences
from tests.support.builders import (
    AS_OF,
    COLUMNS,
    COLUMNS_OF_2014,
    FORMS,
    LONG_AGO,
    MORE_CREDENTIALS,
    NEVER,
    Row,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    judged_users,
    judgement_on,
    judgements_by,
    no_certificate,
    no_key,
    no_password,
    report_text,
    saved,
    the_root,
)
from tests.support.verdict_oracle import (
    GAP_END,
    GAP_START,
    SIGN_INS_RECORDED_FROM,
    Judgement,
    Terms,
    judge,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time

DEFINITIONS = ("no-active-key", "iam-029")
SECOND = timedelta(seconds=1)

PASSWORDS = {
    "none": no_password(),
    "never-used": a_password(),
    "used-recently": a_password(days_before(5)),
    "used-long-ago": a_password(days_before(400)),
    "deleted-date-left": no_password(days_before(400)),
    "deleted-never-used": no_password(NEVER),
}
KEYS = {
    "absent": no_key(),
    "inactive-never-used": an_inactive_key(days_before(800)),
    "inactive-used": an_inactive_key(days_before(800), days_before(400)),
    "active-never-used": a_key(days_before(800)),
    "active-used-recently": a_key(days_before(800), days_before(5)),
    "active-used-long-ago": a_key(days_before(800), days_before(400)),
}
CERTIFICATES = {
    "absent": no_certificate(),
    "inactive": a_certificate(active=False),
    "active": a_certificate(),
}


def everybody() -> list[Row]:
    return [
        a_user(
            ".".join((password, key_1, key_2, certificate, "mfa" if mfa else "")),
            password=PASSWORDS[password],
            key_1=KEYS[key_1],
            key_2=KEYS[key_2],
            certificate_1=CERTIFICATES[certificate],
            mfa=mfa,
        )
        for password, key_1, key_2, certificate, mfa in itertools.product(
            PASSWORDS, KEYS, KEYS, CERTIFICATES, (False, True)
        )
    ]


def expected(text: str, terms: Terms) -> dict[str, Judgement]:
    return {opinion.user: opinion.judgement for opinion in judge(text, terms)}


@pytest.mark.parametrize("definition", DEFINITIONS)
@pytest.mark.parametrize("form", FORMS)
def test_every_combination_is_judged_as_the_law_says(
    form: str, definition: str, tmp_path: Path
) -> None:
    text = report_text(everybody(), form=form)
    found = judgements_by("user", judged_users(saved(tmp_path, text), Terms(AS_OF, definition)))
    law = expected(text, Terms(AS_OF, definition))
    assert len(law) == 6 * 6 * 6 * 3 * 2
    assert {name: found.get(name) for name in law if found.get(name) != law[name]} == {}
    assert found.keys() == law.keys()


def test_the_combinations_reach_every_verdict_and_every_reason() -> None:
    law = expected(report_text(everybody()), Terms(AS_OF)).values()
    assert {judgement.verdict for judgement in law} == {"unused", "retired", "dormant", "active"}
    assert {judgement.reason for judgement in law} == {
        "",
        "never-signed-in",
        "never-signed-in-inactive-keys",
        "no-credentials",
        "inactive-keys-only",
    }


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        (a_user(password=a_password()), "never-signed-in"),
        (a_user(password=a_password("N/A")), "never-signed-in"),
        (a_user(password=a_password(), key_2=an_inactive_key()), "never-signed-in-inactive-keys"),
        (a_user(), "no-credentials"),
        (a_user(password=no_password(NEVER)), "no-credentials"),
        (a_user(key_1=an_inactive_key()), "inactive-keys-only"),
    ],
)
def test_who_is_unused_has_one_reason(user: Row, reason: str, tmp_path: Path) -> None:
    assert judgement_on(tmp_path, user) == Judgement("unused", reason, "certain")


@pytest.mark.parametrize(
    ("user", "judgement"),
    [
        (a_user(password=a_password()), Judgement("unused", "never-signed-in", "certain")),
        (a_user(), Judgement("unused", "no-credentials", "certain")),
        (a_user(key_1=an_inactive_key()), Judgement("retired", "", "certain")),
        (a_user(password=a_password(), key_2=an_inactive_key()), Judgement("dormant")),
        (
            a_user(password=a_password(changed=days_before(2)), key_2=an_inactive_key()),
            Judgement("active"),
        ),
    ],
)
def test_under_the_strict_definition_an_attached_key_keeps_a_user_from_unused(
    user: Row, judgement: Judgement, tmp_path: Path
) -> None:
    assert judgement_on(tmp_path, user, Terms(AS_OF, "iam-029")) == judgement


# Boundaries of dormancy


@pytest.mark.parametrize(
    ("idle", "verdict"),
    [
        (timedelta(days=90) - SECOND, "active"),
        (timedelta(days=90), "dormant"),
        (timedelta(days=90) + SECOND, "dormant"),
    ],
)
@pytest.mark.parametrize(
    "kind", ["password", "password-unused", "password-undated", "key-1", "key-2", "key-unused"]
)
def test_a_credential_idle_for_exactly_the_limit_is_dormant(
    kind: str, idle: timedelta, verdict: str, tmp_path: Path
) -> None:
    then = AS_OF - idle
    users = {
        "password": a_user(password=a_password(then)),
        "password-unused": a_user(password=a_password(changed=then), key_1=an_inactive_key()),
        "password-undated": a_user(
            password=a_password(changed="N/A"), created=then, key_1=an_inactive_key()
        ),
        "key-1": a_user(key_1=a_key(used=then)),
        "key-2": a_user(key_2=a_key(used=then)),
        "key-unused": a_user(key_1=a_key(created=then)),
    }
    definition = "iam-029" if kind in {"password-unused", "password-undated"} else "no-active-key"
    found = judgement_on(tmp_path, users[kind], Terms(AS_OF, definition))
    assert found == Judgement(verdict)


@pytest.mark.parametrize(("limit", "verdict"), [(44, "dormant"), (45, "dormant"), (46, "active")])
def test_the_dormant_limit_can_be_set(limit: int, verdict: str, tmp_path: Path) -> None:
    user = a_user(key_1=a_key(used=days_before(45.5)))
    assert judgement_on(tmp_path, user, Terms(AS_OF, dormant_days=limit)).verdict == verdict


@pytest.mark.parametrize(
    "user",
    [
        a_user(password=a_password(days_before(400)), key_1=a_key(used=days_before(1))),
        a_user(password=a_password(days_before(1)), key_1=a_key(used=days_before(400))),
        a_user(key_1=a_key(used=days_before(400)), key_2=a_key(used=days_before(1))),
    ],
)
def test_one_fresh_credential_is_enough_to_be_active(user: Row, tmp_path: Path) -> None:
    assert judgement_on(tmp_path, user) == Judgement("active")


def test_the_use_of_an_inactive_key_does_not_keep_a_user_active(tmp_path: Path) -> None:
    user = a_user(key_1=an_inactive_key(used=days_before(1)), key_2=a_key(used=days_before(400)))
    assert judgement_on(tmp_path, user) == Judgement("dormant")


@pytest.mark.parametrize("ahead", [5, 60, 86_400 * 3])
def test_a_use_after_as_of_counts_as_this_very_day(ahead: int, tmp_path: Path) -> None:
    then = AS_OF + ahead * SECOND
    users = [
        a_user("password", password=a_password(then)),
        a_user("key", key_1=a_key(used=then)),
        a_user("new-key", key_1=a_key(created=then)),
    ]
    frame = judged_users(saved(tmp_path, report_text(users)))
    assert set(judgements_by("user", frame).values()) == {Judgement("active")}
    assert frame["idle_days"].tolist() == [0, 0, 0]


ODD = "2026-01-01T00:00:00z"


@pytest.mark.parametrize(
    "user",
    [
        a_user(password=a_password(ODD)),
        a_user(password=a_password(ODD, "N/A")),
        a_user(password=a_password(ODD), key_1=a_key(used=ODD)),
        a_user(password=a_password(changed=ODD), key_1=an_inactive_key()),
        a_user(key_1=a_key(used=ODD)),
    ],
)
def test_who_has_a_use_that_is_not_understood_is_idle_for_nobody_knows_how_long(
    user: Row, tmp_path: Path
) -> None:
    frame = judged_users(saved(tmp_path, report_text([user])), Terms(AS_OF, "iam-029"))
    assert frame["verdict"].astype(str).tolist() == ["undetermined"]
    assert frame["idle_days"].isna().all()


@pytest.mark.parametrize(
    "user",
    [
        a_user(password=a_password(ODD), key_1=a_key(used=days_before(7))),
        a_user(password=a_password(days_before(7)), key_1=a_key(used=ODD)),
        a_user(password=a_password(days_before(7), ODD)),
    ],
)
def test_what_is_understood_of_a_users_ways_in_tells_the_idle_days(
    user: Row, tmp_path: Path
) -> None:
    frame = judged_users(saved(tmp_path, report_text([user])))
    assert frame["idle_days"].tolist() == [7]


def test_a_user_created_after_as_of_has_age_zero_and_is_new(tmp_path: Path) -> None:
    frame = judged_users(saved(tmp_path, report_text([a_user(created=AS_OF + 5 * SECOND)])))
    assert frame["age_days"].tolist() == [0]
    assert frame["caveats"].astype(str).tolist() == ["new-user"]


# Boundaries of the caveats


@pytest.mark.parametrize(
    ("age", "grace", "caveats"),
    [
        (timedelta(days=1) - SECOND, 1, "new-user"),
        (timedelta(days=1), 1, ""),
        (timedelta(days=1) + SECOND, 1, ""),
        (timedelta(days=7) - SECOND, 7, "new-user"),
        (timedelta(days=7), 7, ""),
        (timedelta(days=7) + SECOND, 7, ""),
        (timedelta(0), 0, ""),
    ],
)
def test_grace_ends_with_the_last_second_of_its_last_day(
    age: timedelta, grace: int, caveats: str, tmp_path: Path
) -> None:
    found = judgement_on(tmp_path, a_user(created=AS_OF - age), Terms(AS_OF, grace_days=grace))
    assert found == unused("no-credentials", caveats)


def unused(reason: str, caveats: str) -> Judgement:
    return Judgement("unused", reason, "check" if caveats else "certain", caveats)


@pytest.mark.parametrize(
    ("created", "caveats"),
    [
        (SIGN_INS_RECORDED_FROM - SECOND, "created-before-tracking"),
        (SIGN_INS_RECORDED_FROM, ""),
        (SIGN_INS_RECORDED_FROM + SECOND, ""),
    ],
)
def test_sign_ins_are_on_record_from_the_first_second_of_tracking(
    created: datetime, caveats: str, tmp_path: Path
) -> None:
    assert judgement_on(tmp_path, a_user(created=created)) == unused("no-credentials", caveats)


@pytest.mark.parametrize(
    ("created", "caveats"),
    [
        (GAP_END - SECOND, "sign-in-gap"),
        (GAP_END, ""),
        (GAP_END + SECOND, ""),
    ],
)
def test_a_password_made_after_the_gap_in_the_record_is_not_doubted(
    created: datetime, caveats: str, tmp_path: Path
) -> None:
    user = a_user(created=created, password=a_password())
    assert judgement_on(tmp_path, user) == unused("never-signed-in", caveats)


@pytest.mark.parametrize(
    ("as_of", "caveats"),
    [
        (GAP_START - SECOND, ""),
        (GAP_START, ""),
        (GAP_START + SECOND, "sign-in-gap"),
    ],
)
def test_a_report_made_before_the_gap_in_the_record_is_not_doubted(
    as_of: datetime, caveats: str, tmp_path: Path
) -> None:
    born = datetime(2017, 1, 1, tzinfo=UTC)
    user = a_user(created=born, password=a_password(changed=born))
    assert judgement_on(tmp_path, user, Terms(as_of)) == unused("never-signed-in", caveats)


def test_without_a_password_the_gap_in_the_record_hides_nothing(tmp_path: Path) -> None:
    user = a_user(created=GAP_START)
    assert judgement_on(tmp_path, user) == unused("no-credentials", "")


@pytest.mark.parametrize(
    ("user", "caveats"),
    [
        (a_user(certificate_1=a_certificate()), "active-certificate"),
        (a_user(certificate_2=a_certificate()), "active-certificate"),
        (a_user(certificate_1=a_certificate(active=False)), ""),
        (a_user(mfa=True), "mfa-registered"),
        (a_user("BedrockAPIKey-a1b2"), "service-credential-user"),
        (a_user("AeaApiKey-ab12"), "service-credential-user"),
        (a_user("CloudWatchAPIKey-ab12"), "service-credential-user"),
        (a_user("my-apikey-"), "service-credential-user"),
        (a_user("apikey"), ""),
        (a_user("api-key-1"), ""),
    ],
)
def test_each_way_in_that_the_definition_does_not_count_is_a_caveat(
    user: Row, caveats: str, tmp_path: Path
) -> None:
    assert judgement_on(tmp_path, user) == unused("no-credentials", caveats)


@pytest.mark.parametrize("slot", ["key_1", "key_2"])
def test_an_inactive_key_that_was_used_is_a_caveat(slot: str, tmp_path: Path) -> None:
    key = an_inactive_key(used=days_before(700))
    user = a_user(key_1=key if slot == "key_1" else None, key_2=key if slot == "key_2" else None)
    assert judgement_on(tmp_path, user) == unused("inactive-keys-only", "inactive-key-was-used")


@pytest.mark.parametrize(
    ("text", "caveats"),
    [
        ("1 more access key; run aws iam list-access-keys", "more-credentials"),
        ("2", "more-credentials"),
        ("N/A", ""),
        ("", ""),
    ],
)
def test_credentials_beyond_the_two_slots_are_a_caveat(
    text: str, caveats: str, tmp_path: Path
) -> None:
    users = [a_user() | {MORE_CREDENTIALS: text}]
    root = the_root() | {MORE_CREDENTIALS: "N/A"}
    report = report_text(users, root=root, columns=(*COLUMNS, MORE_CREDENTIALS))
    (found,) = judgements_by("user", judged_users(saved(tmp_path, report))).values()
    assert found == unused("no-credentials", caveats)


@pytest.mark.parametrize(
    ("status", "caveats"), [("Active", "service-credential"), ("Inactive", "")]
)
def test_saved_evidence_of_a_live_service_credential_is_a_caveat(
    status: str, caveats: str, tmp_path: Path
) -> None:
    credential = {
        "UserName": "quiet",
        "Status": status,
        "ServiceUserName": "quiet-at-012345678901",
        "CreateDate": "2026-01-01T00:00:00Z",
        "ServiceSpecificCredentialId": "ACCA12345678901234567",
        "ServiceName": "bedrock.amazonaws.com",
    }
    path = saved(tmp_path, report_text([a_user("quiet"), a_user("other")]))
    evidence = json.dumps({"ServiceSpecificCredentials": [credential]})
    saved(tmp_path, evidence, f"{path.name}.service-credentials.json")
    found = judgements_by("user", judged_users(path))
    assert found["quiet"] == unused("no-credentials", caveats)
    assert found["other"] == unused("no-credentials", "")


def test_caveats_stand_in_the_order_of_the_law(tmp_path: Path) -> None:
    born = datetime(2014, 1, 1, tzinfo=UTC)
    user = a_user(
        "BedrockAPIKey-a1b2",
        created=born,
        password=a_password(),
        mfa=True,
        key_1=an_inactive_key(used=born),
        certificate_2=a_certificate(),
    )
    found = judgement_on(tmp_path, user, Terms(AS_OF, grace_days=10_000))
    assert found.caveats.split(";") == [
        "active-certificate",
        "inactive-key-was-used",
        "created-before-tracking",
        "sign-in-gap",
        "mfa-registered",
        "service-credential-user",
        "new-user",
    ]


def test_the_retired_carry_caveats_too(tmp_path: Path) -> None:
    user = a_user(
        password=no_password(days_before(400)),
        key_1=an_inactive_key(used=days_before(300)),
        certificate_1=a_certificate(),
        mfa=True,
    )
    found = judgement_on(tmp_path, user)
    assert found == Judgement("retired", "", "check", "active-certificate;inactive-key-was-used")


# Cells that are not understood

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


def not_understood(column: str, value: str) -> Judgement:
    return Judgement("undetermined", f'{column} "{value}" is not understood')


@pytest.mark.parametrize(("column", "value"), NEEDED_BY_EVERYBODY)
@pytest.mark.parametrize(
    "user", [a_user(), a_user(password=a_password(days_before(1)))], ids=["quiet", "busy"]
)
def test_a_needed_cell_that_is_not_understood_is_named_and_decides_nothing(
    user: Row, column: str, value: str, tmp_path: Path
) -> None:
    found = judgement_on(tmp_path, user | {column: value})
    assert found == not_understood(column, value)


@pytest.mark.parametrize("value", ["true ", " false", "true\n", "\u00a0false", "fal", "FAL\u017fE"])
def test_a_boolean_is_one_of_two_words_in_any_case_and_nothing_else(
    value: str, tmp_path: Path
) -> None:
    found = judgement_on(tmp_path, a_user(password_enabled=value))
    assert found == not_understood("password_enabled", value)


UNREAD = "unread-cell"


@pytest.mark.parametrize(("column", "value"), NEEDED_BY_CERTAINTY)
@pytest.mark.parametrize(
    ("user", "judgement"),
    [
        (a_user(), Judgement("unused", "no-credentials", "check", UNREAD)),
        (a_user(password=no_password(LONG_AGO)), Judgement("retired", "", "check", UNREAD)),
    ],
)
def test_a_cell_that_only_certainty_needs_is_a_caveat_and_hides_no_user(
    user: Row, judgement: Judgement, column: str, value: str, tmp_path: Path
) -> None:
    report = saved(tmp_path, report_text([user | {column: value}]))
    analysis = analyzer.analyze(analyzer.load(report))
    assert judgement_on(tmp_path, user | {column: value}) == judgement
    (caveats,) = [each for page in analysis.pages() for each in caveat_sentences(page)]
    assert caveats == ((UNREAD, f'{column} "{value}" is not understood.'),)


@pytest.mark.parametrize(("column", "value"), NEEDED_BY_CERTAINTY)
def test_a_cell_that_only_certainty_needs_does_not_hide_use(
    column: str, value: str, tmp_path: Path
) -> None:
    user = a_user(password=a_password(days_before(1))) | {column: value}
    assert judgement_on(tmp_path, user) == Judgement("active")


@pytest.mark.parametrize("value", ["not_supported", "no", "", "2021-01-01T00:00:00"])
def test_the_use_of_an_inactive_key_that_is_not_understood_is_a_caveat(
    value: str, tmp_path: Path
) -> None:
    user = a_user(key_2=an_inactive_key()) | {"access_key_2_last_used_date": value}
    assert judgement_on(tmp_path, user) == unused("inactive-keys-only", UNREAD)


@pytest.mark.parametrize(
    ("other", "judgement"),
    [
        (a_key(used=days_before(1)), Judgement("active")),
        (a_key(used=days_before(400)), not_understood("access_key_1_last_used_date", "lately")),
        (no_key(), not_understood("access_key_1_last_used_date", "lately")),
    ],
)
def test_an_unreadable_use_leaves_open_who_else_is_not_active(
    other: Row, judgement: Judgement, tmp_path: Path
) -> None:
    user = a_user(key_1=a_key(used="lately"), key_2=other)
    assert judgement_on(tmp_path, user) == judgement


USED = "2024-01-01T00:00:00Z"
DATE, REGION, SERVICE = (f"access_key_1_last_used_{each}" for each in ("date", "region", "service"))


@pytest.mark.parametrize("key", [an_inactive_key(), a_key(), no_key()])
@pytest.mark.parametrize(
    ("cells", "columns"),
    [
        ({SERVICE: "s3"}, [SERVICE]),
        ({REGION: "eu-west-1"}, [REGION]),
        ({REGION: "eu-west-1", SERVICE: "ec2"}, [REGION, SERVICE]),
        ({REGION: "eu-west-1", SERVICE: "not_supported"}, [REGION]),
        ({REGION: "", SERVICE: "n/a"}, [SERVICE]),
        ({DATE: USED}, [DATE]),
        ({DATE: USED, REGION: "eu-west-1"}, [DATE]),
    ],
)
def test_a_use_without_its_place_or_a_place_without_its_use_is_a_contradiction(
    key: Row, cells: Row, columns: list[str], tmp_path: Path
) -> None:
    reason = "; ".join(f'{each} "{cells[each]}" is not understood' for each in columns)
    is_inactive = key == an_inactive_key()
    expected = (
        unused("inactive-keys-only", UNREAD) if is_inactive else Judgement("undetermined", reason)
    )
    assert judgement_on(tmp_path, a_user(key_1=key) | cells) == expected


@pytest.mark.parametrize(
    "cells",
    [
        {},
        {REGION: "", SERVICE: ""},
        {REGION: "not_supported", SERVICE: "not_supported"},
        {DATE: USED, REGION: "eu-west-1", SERVICE: "ec2"},
        {DATE: USED, REGION: "N/A", SERVICE: "s3"},
        {DATE: USED, REGION: "N/A", SERVICE: "not_supported"},
        {DATE: USED, REGION: "", SERVICE: ""},
    ],
)
def test_a_use_has_its_service_but_need_not_have_a_region(
    cells: dict[str, str], tmp_path: Path
) -> None:
    user = a_user(key_1=an_inactive_key()) | cells
    caveat = "inactive-key-was-used" if DATE in cells else ""
    assert judgement_on(tmp_path, user) == unused("inactive-keys-only", caveat)


@pytest.mark.parametrize(
    "lacking", [{REGION}, {SERVICE}, {REGION, SERVICE}, {DATE, REGION, SERVICE}]
)
@pytest.mark.parametrize("used", ["N/A", USED])
def test_a_report_without_a_column_contradicts_nothing_by_it(
    lacking: set[str], used: str, tmp_path: Path
) -> None:
    place: Row = {} if used == "N/A" else {REGION: "N/A", SERVICE: "s3"}
    user = a_user(password=a_password(days_before(1)), key_1=a_key()) | place | {DATE: used}
    columns = [each for each in COLUMNS if each not in lacking]
    assert judgement_on(tmp_path, user, columns=columns) == Judgement("active")


def test_a_key_that_is_absent_has_no_service_also_where_no_report_tells_its_use(
    tmp_path: Path,
) -> None:
    columns = [each for each in COLUMNS if each != DATE]
    found = judgement_on(tmp_path, a_user() | {SERVICE: "s3"}, columns=columns)
    assert found == not_understood(SERVICE, "s3")


def test_a_date_that_is_not_understood_is_named_beside_other_keys_services(tmp_path: Path) -> None:
    user = a_user(key_1=a_key(used="once"), key_2=a_key())
    found = judgement_on(tmp_path, user | {"access_key_2_last_used_service": "s3"})
    assert found.reason == (
        f'{DATE} "once" is not understood; access_key_2_last_used_service "s3" is not understood'
    )


@pytest.mark.parametrize(
    "value", ["2024-01-01T00:00:00+00:00", "2024-01-01T00:00:00-07:00", "2024-01-01T00:00:00.5Z"]
)
def test_a_reason_shows_the_cell_as_it_stands_in_the_report(value: str, tmp_path: Path) -> None:
    user = a_user(key_1=a_key()) | {"access_key_1_last_used_date": value}
    assert judgement_on(tmp_path, user) == not_understood("access_key_1_last_used_date", value)


def test_an_absent_key_that_was_used_is_a_contradiction(tmp_path: Path) -> None:
    user = a_user(access_key_2_last_used_date="2024-01-01T00:00:00Z")
    found = judgement_on(tmp_path, user)
    assert found.verdict == "undetermined"
    assert "access_key_2" in found.reason


@pytest.mark.parametrize("created", ["N/A", "no_information", "soon"])
@pytest.mark.parametrize("slot", [1, 2])
def test_an_active_certificate_without_its_date_is_two_caveats(
    slot: int, created: str, tmp_path: Path
) -> None:
    user = a_user() | {f"cert_{slot}_active": "true", f"cert_{slot}_last_rotated": created}
    assert judgement_on(tmp_path, user) == unused(
        "no-credentials", "active-certificate;unread-cell"
    )


@pytest.mark.parametrize("slot", [1, 2])
@pytest.mark.parametrize(
    ("created", "verdict"),
    [(days_before(89.9), "active"), (days_before(90), "dormant"), (ODD, "undetermined")],
)
def test_an_active_key_without_its_date_counts_from_the_users_creation(
    slot: int, created: datetime | str, verdict: str, tmp_path: Path
) -> None:
    user = a_user(created=created) | {f"access_key_{slot}_active": "true"}
    assert judgement_on(tmp_path, user).verdict == verdict


def test_every_cell_that_is_to_blame_is_named(tmp_path: Path) -> None:
    user = a_user(password_enabled="ja", access_key_2_active="nein")
    found = judgement_on(tmp_path, user)
    assert found.verdict == "undetermined"
    assert found.reason == (
        'password_enabled "ja" is not understood; access_key_2_active "nein" is not understood'
    )


def test_a_region_or_service_that_says_nothing_decides_nothing(tmp_path: Path) -> None:
    user = a_user(
        access_key_1_last_used_region="not_supported",
        access_key_1_last_used_service="not_supported",
        password_next_rotation="not_supported",
    )
    assert judgement_on(tmp_path, user) == unused("no-credentials", "")


@pytest.mark.parametrize(
    ("user", "judgement"),
    [
        (a_user(), unused("no-credentials", "")),
        (a_user(password=a_password()), unused("never-signed-in", "")),
        (a_user(password=a_password(days_before(1)), key_1=a_key()), Judgement("active")),
    ],
)
def test_a_report_of_2014_is_judged_where_no_last_use_of_a_key_is_needed(
    user: Row, judgement: Judgement, tmp_path: Path
) -> None:
    assert judgement_on(tmp_path, user, columns=COLUMNS_OF_2014) == judgement


def test_a_report_of_2014_leaves_open_what_the_use_of_a_key_decides(tmp_path: Path) -> None:
    found = judgement_on(tmp_path, a_user(key_1=a_key()), columns=COLUMNS_OF_2014)
    assert found.verdict == "undetermined"
    assert "access_key_1_last_used_date" in found.reason


def test_a_report_of_2014_leaves_the_use_of_an_inactive_key_to_be_checked(tmp_path: Path) -> None:
    found = judgement_on(tmp_path, a_user(key_1=an_inactive_key()), columns=COLUMNS_OF_2014)
    assert found == unused("inactive-keys-only", "missing-columns")


# Rows and identities


def test_rows_of_one_arn_that_contradict_each_other_are_one_undetermined_user(
    tmp_path: Path,
) -> None:
    text = report_text([a_user(), a_user(password=a_password()), a_user("other")])
    frame = judged_users(saved(tmp_path, text))
    verdicts = list(zip(frame["user"], frame["verdict"].astype(str), strict=True))
    assert verdicts == [("quiet", "undetermined"), ("other", "unused")]


def test_rows_that_contradict_each_other_in_what_only_certainty_needs_are_to_check(
    tmp_path: Path,
) -> None:
    text = report_text([a_user(), a_user(mfa=True), a_user("other")])
    frame = judged_users(saved(tmp_path, text))
    assert frame["verdict"].astype(str).tolist() == ["unused"] * 2
    assert frame["caveats"].astype(str).tolist() == [UNREAD, ""]


def test_a_row_that_stands_twice_counts_once(tmp_path: Path) -> None:
    text = report_text([a_user(), a_user(), a_user("other")])
    frame = judged_users(saved(tmp_path, text))
    assert frame["user"].tolist() == ["quiet", "other"]
    assert frame["verdict"].astype(str).tolist() == ["unused", "unused"]


@pytest.mark.parametrize(
    ("name", "arn"),
    [
        ("quiet", "arn:aws:iam::012345678901:user/other"),
        ("quiet", "arn:aws:iam::012345678901:user/quiet/"),
        ("quiet", ""),
        ("", "arn:aws:iam::012345678901:user/"),
        ("two words", "arn:aws:iam::012345678901:user/two words"),
        ("line\nbreak", "arn:aws:iam::012345678901:user/line\nbreak"),
        ("x" * 129, "arn:aws:iam::012345678901:user/" + "x" * 129),
    ],
)
def test_a_row_that_names_nobody_is_undetermined(name: str, arn: str, tmp_path: Path) -> None:
    found = judgement_on(tmp_path, a_user(name) | {"arn": arn})
    assert found.verdict == "undetermined"
    assert "is not understood" in found.reason


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws-cn:iam::000000000001:user/quiet",
        "arn:aws-us-gov:iam::012345678901:user/quiet",
        "arn:aws-eusc:iam::012345678901:user/quiet",
        "arn:aws:iam::012345678901:user/team/a,b;\"c'/$(x)/quiet",
    ],
)
def test_every_partition_and_every_path_is_understood(arn: str, tmp_path: Path) -> None:
    path = saved(tmp_path, report_text([a_user() | {"arn": arn}]))
    assert judgements_by("arn", judged_users(path)) == {arn: unused("no-credentials", "")}


@pytest.mark.parametrize("name", ["<root_account>", "root_account", "root"])
def test_the_root_is_never_judged_as_a_user(name: str, tmp_path: Path) -> None:
    root = a_user(name) | {"arn": "arn:aws:iam::012345678901:root"}
    frame = judged_users(saved(tmp_path, report_text([a_user("root")], root=root)))
    assert frame["arn"].tolist() == ["arn:aws:iam::012345678901:user/root"]


def test_a_use_of_an_inactive_key_that_its_service_contradicts_is_not_understood(
    tmp_path: Path,
) -> None:
    user = a_user(key_2=an_inactive_key(used=days_before(9)))
    found = judgement_on(tmp_path, user | {"access_key_2_last_used_service": "N/A"})
    assert found == unused("inactive-keys-only", UNREAD)
