"""Hold the verdict to the law: every combination against the oracle, each boundary by hand."""

import itertools
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

import analyzer
from analyzer.verdicts.caveats import caveat_sentences
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    COLUMNS,
    COLUMNS_OF_2014,
    LONG_AGO,
    MORE_CREDENTIALS,
    NEVER,
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
    no_certificate,
    no_key,
    no_password,
    report_text,
    saved,
    the_root,
)
from tests.support.pages import of_users
from tests.support.verdict_oracle import (
    GAP_END,
    GAP_START,
    SIGN_INS_RECORDED_FROM,
    Judgement,
    Terms,
    judge,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time

STRICT = Terms(AS_OF, "iam-029")
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


def judged(
    users: Iterable[Row], terms: Terms = TERMS, columns: Sequence[str] = COLUMNS
) -> pd.DataFrame:
    """Return what the program says about users, each in an account of its own, in one report."""
    rows = in_separate_accounts(users)
    return judged_users(("report.csv", report_text(rows, columns=columns).encode()), terms)


def check(
    *cases: tuple[Row, Judgement], terms: Terms = TERMS, columns: Sequence[str] = COLUMNS
) -> None:
    """Hold what the program says about each of these users to what is expected."""
    frame = judged([user for user, _ in cases], terms, columns)
    assert [*judgements_by("row", frame).values()] == [expected for _, expected in cases]


def unused(reason: str = "no-credentials", caveats: str = "") -> Judgement:
    return Judgement("unused", reason, "check" if caveats else "certain", caveats)


def not_understood(*cells: tuple[str, str]) -> Judgement:
    reason = "; ".join(f'{column} "{value}" is not understood' for column, value in cells)
    return Judgement("undetermined", reason)


def contradicting(others: str, *cells: tuple[str, str]) -> Judgement:
    reason = "; ".join(f'{column} "{value}" contradicts {others}' for column, value in cells)
    return Judgement("undetermined", reason)


ACTIVE, DORMANT = Judgement("active"), Judgement("dormant")
OLD = an_inactive_key()


@pytest.mark.parametrize(("form", "definition"), [("Z", "no-active-key"), ("+00:00", "iam-029")])
def test_every_combination_is_judged_as_the_law_says(form: str, definition: str) -> None:
    terms, text = Terms(AS_OF, definition), report_text(everybody(), form=form)
    found = judgements_by("user", judged_users(("report.csv", text.encode()), terms))
    law = {opinion.user: opinion.judgement for opinion in judge(text, terms)}
    assert len(law) == 6 * 6 * 6 * 3 * 2
    assert {name: found.get(name) for name in law if found.get(name) != law[name]} == {}
    assert found.keys() == law.keys()
    verdicts = {judgement.verdict for judgement in law.values()}
    assert verdicts == {"unused", "retired", "dormant", "active"}
    inactive = {"never-signed-in-inactive-keys", "inactive-keys-only"}
    assert {judgement.reason for judgement in law.values()} == (
        {"", "never-signed-in", "no-credentials"} | (inactive if terms == TERMS else set())
    )


def test_who_is_unused_has_one_reason() -> None:
    check(
        (a_user(password=a_password()), unused("never-signed-in")),
        (a_user(password=a_password("N/A")), unused("never-signed-in")),
        (a_user(password=a_password(), key_2=OLD), unused("never-signed-in-inactive-keys")),
        (a_user(), unused()),
        (a_user(password=no_password(NEVER)), unused()),
        (a_user(key_1=an_inactive_key()), unused("inactive-keys-only")),
    )


def test_under_the_strict_definition_an_attached_key_keeps_a_user_from_unused() -> None:
    check(
        (a_user(password=a_password()), unused("never-signed-in")),
        (a_user(), unused()),
        (a_user(key_1=an_inactive_key()), Judgement("retired", "", "certain")),
        (a_user(password=a_password(), key_2=an_inactive_key()), DORMANT),
        (a_user(password=a_password(changed=days_before(2)), key_2=an_inactive_key()), ACTIVE),
        terms=STRICT,
    )


@pytest.mark.parametrize(("seconds", "verdict"), [(-1, ACTIVE), (0, DORMANT), (1, DORMANT)])
def test_a_credential_idle_for_exactly_the_limit_is_dormant(
    seconds: int, verdict: Judgement
) -> None:
    then, old = days_before(90) - seconds * SECOND, an_inactive_key()
    used = [
        a_user(password=a_password(then)),
        a_user(key_1=a_key(used=then)),
        a_user(key_2=a_key(used=then)),
        a_user(key_1=a_key(created=then)),
    ]
    never_used = [
        a_user(password=a_password(changed=then), key_1=old),
        a_user(password=a_password(changed="N/A"), created=then, key_1=old),
    ]
    check(*((user, verdict) for user in used))
    check(*((user, verdict) for user in never_used), terms=STRICT)


def test_the_dormant_limit_can_be_set() -> None:
    user = a_user(key_1=a_key(used=days_before(45.5)))
    for limit, verdict in ((44, DORMANT), (45, DORMANT), (46, ACTIVE)):
        check((user, verdict), terms=Terms(AS_OF, dormant_days=limit))


def test_one_fresh_credential_is_enough_to_be_active_but_no_use_of_an_inactive_key() -> None:
    long_ago, fresh = a_key(used=days_before(400)), a_key(used=days_before(1))
    check(
        (a_user(password=a_password(days_before(400)), key_1=fresh), ACTIVE),
        (a_user(password=a_password(days_before(1)), key_1=long_ago), ACTIVE),
        (a_user(key_1=long_ago, key_2=fresh), ACTIVE),
        (a_user(key_1=an_inactive_key(used=days_before(1)), key_2=long_ago), DORMANT),
    )


def test_a_use_after_as_of_counts_as_this_very_day() -> None:
    users = [
        user
        for then in (AS_OF + ahead * SECOND for ahead in (5, 60, 86_400 * 3))
        for user in (
            a_user(password=a_password(then)),
            a_user(key_1=a_key(used=then)),
            a_user(key_1=a_key(created=then)),
        )
    ]
    frame = judged(users)
    assert [*judgements_by("row", frame).values()] == [ACTIVE] * 9
    assert frame["idle_days"].tolist() == [0] * 9


ODD = "2026-01-01T00:00:00z"


def test_who_has_a_use_that_is_not_understood_is_idle_for_nobody_knows_how_long() -> None:
    users = [
        a_user(password=a_password(ODD)),
        a_user(password=a_password(ODD, "N/A")),
        a_user(password=a_password(ODD), key_1=a_key(used=ODD)),
        a_user(password=a_password(changed=ODD), key_1=an_inactive_key()),
        a_user(key_1=a_key(used=ODD)),
    ]
    frame = judged(users, STRICT)
    assert frame["verdict"].astype(str).tolist() == ["undetermined"] * 5
    assert frame["idle_days"].isna().tolist() == [True] * 5


def test_what_is_understood_of_a_users_ways_in_tells_the_idle_days() -> None:
    users = [
        a_user(password=a_password(ODD), key_1=a_key(used=days_before(7))),
        a_user(password=a_password(days_before(7)), key_1=a_key(used=ODD)),
        a_user(password=a_password(days_before(7), ODD)),
    ]
    assert judged(users)["idle_days"].tolist() == [7] * 3


def test_a_user_created_after_as_of_has_age_zero_and_is_new() -> None:
    frame = judged([a_user(created=AS_OF + 5 * SECOND)])
    assert frame["age_days"].tolist() == [0]
    assert frame["caveats"].astype(str).tolist() == ["new-user"]


@pytest.mark.parametrize("grace", [1, 7])
def test_grace_ends_with_the_last_second_of_its_last_day(grace: int) -> None:
    end = AS_OF - timedelta(days=grace)
    check(
        (a_user(created=end + SECOND), unused(caveats="new-user")),
        (a_user(created=end), unused()),
        (a_user(created=end - SECOND), unused()),
        terms=Terms(AS_OF, grace_days=grace),
    )
    check((a_user(created=AS_OF), unused()), terms=Terms(AS_OF, grace_days=0))


def test_sign_ins_are_on_record_from_the_first_second_of_tracking() -> None:
    first = SIGN_INS_RECORDED_FROM
    check(
        (a_user(created=first - SECOND), unused(caveats="created-before-tracking")),
        (a_user(created=first), unused()),
        (a_user(created=first + SECOND), unused()),
    )


def test_a_password_made_after_the_gap_in_the_record_is_not_doubted() -> None:
    doubted = unused("never-signed-in", "sign-in-gap")
    check(
        (a_user(created=GAP_END - SECOND, password=a_password()), doubted),
        (a_user(created=GAP_END, password=a_password()), unused("never-signed-in")),
        (a_user(created=GAP_END + SECOND, password=a_password()), unused("never-signed-in")),
        (a_user(created=GAP_START), unused()),
    )


def test_a_report_made_before_the_gap_in_the_record_is_not_doubted() -> None:
    born = datetime(2017, 1, 1, tzinfo=UTC)
    user = a_user(created=born, password=a_password(changed=born))
    for seconds, caveats in ((-1, ""), (0, ""), (1, "sign-in-gap")):
        terms = Terms(GAP_START + seconds * SECOND)
        check((user, unused("never-signed-in", caveats)), terms=terms)


def test_each_way_in_that_the_definition_does_not_count_is_a_caveat() -> None:
    key = an_inactive_key(used=days_before(700))
    used = unused("inactive-keys-only", "inactive-key-was-used")
    check(
        (a_user(certificate_1=a_certificate()), unused(caveats="active-certificate")),
        (a_user(certificate_2=a_certificate()), unused(caveats="active-certificate")),
        (a_user(certificate_1=a_certificate(active=False)), unused()),
        (a_user(mfa=True), unused(caveats="mfa-registered")),
        (a_user("BedrockAPIKey-a1b2"), unused(caveats="service-credential-user")),
        (a_user("AeaApiKey-ab12"), unused(caveats="service-credential-user")),
        (a_user("CloudWatchAPIKey-ab12"), unused(caveats="service-credential-user")),
        (a_user("my-apikey-"), unused(caveats="service-credential-user")),
        (a_user("apikey"), unused()),
        (a_user("api-key-1"), unused()),
        (a_user(key_1=key), used),
        (a_user(key_2=key), used),
    )


def test_credentials_beyond_the_two_slots_are_a_caveat_and_rows_that_differ_in_them_too() -> None:
    cells = ["1 more access key; run aws iam list-access-keys", "2", "N/A", "", ""]
    users = [a_user(f"user-{at}") | {MORE_CREDENTIALS: text} for at, text in enumerate(cells)]
    root = the_root() | {MORE_CREDENTIALS: "N/A"}
    rows = [*users, users[-1] | {MORE_CREDENTIALS: "1 more"}]
    report = report_text(rows, root=root, columns=(*COLUMNS, MORE_CREDENTIALS))
    found = judgements_by("row", judged_users(("report.csv", report.encode())))
    more = unused(caveats="more-credentials")
    assert [*found.values()] == [more, more, unused(), unused(), unused(caveats=UNREAD)]


def test_saved_evidence_of_a_live_service_credential_is_a_caveat(tmp_path: Path) -> None:
    credentials = [
        {"UserName": status, "Status": status, "ServiceName": "bedrock.amazonaws.com"}
        for status in ("Active", "Inactive")
    ]
    path = saved(tmp_path, report_text([a_user("Active"), a_user("Inactive"), a_user("other")]))
    evidence = json.dumps({"ServiceSpecificCredentials": credentials})
    saved(tmp_path, evidence, f"{path.name}.service-credentials.json")
    assert judgements_by("user", judged_users(path)) == {
        "Active": unused(caveats="service-credential"),
        "Inactive": unused(),
        "other": unused(),
    }


def test_caveats_stand_in_the_order_of_the_law() -> None:
    born = datetime(2014, 1, 1, tzinfo=UTC)
    user = a_user(
        "BedrockAPIKey-a1b2",
        created=born,
        password=a_password(),
        mfa=True,
        key_1=an_inactive_key(used=born),
        certificate_2=a_certificate(),
    )
    caveats = (
        "active-certificate;inactive-key-was-used;created-before-tracking;sign-in-gap"
        ";mfa-registered;service-credential-user;new-user"
    )
    expected = unused("never-signed-in-inactive-keys", caveats)
    check((user, expected), terms=Terms(AS_OF, grace_days=10_000))


def test_the_retired_carry_caveats_too() -> None:
    user = a_user(
        password=no_password(days_before(400)),
        key_1=an_inactive_key(used=days_before(300)),
        certificate_1=a_certificate(),
        mfa=True,
    )
    check((user, Judgement("retired", "", "check", "active-certificate;inactive-key-was-used")))


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
UNREAD = "unread-cell"
BUSY = a_user(password=a_password(days_before(1)))


def test_a_needed_cell_that_is_not_understood_is_named_and_decides_nothing() -> None:
    for user in (a_user(), BUSY):
        check(*((user | dict([each]), not_understood(each)) for each in NEEDED_BY_EVERYBODY))


def test_a_boolean_is_one_of_two_words_in_any_case_and_nothing_else() -> None:
    values = ("true ", " false", "true\n", "\u00a0false", "fal", "FAL\u017fE")
    column = "password_enabled"
    check(*((a_user() | {column: each}, not_understood((column, each))) for each in values))


def test_a_cell_that_only_certainty_needs_is_a_caveat_and_hides_neither_user_nor_use() -> None:
    retired = a_user(password=no_password(LONG_AGO))
    for user, judgement in (
        (a_user(), unused(caveats=UNREAD)),
        (retired, Judgement("retired", "", "check", UNREAD)),
        (BUSY, ACTIVE),
    ):
        check(*((user | dict([each]), judgement) for each in NEEDED_BY_CERTAINTY))
    page = of_users(*(a_user() | dict([each]) for each in NEEDED_BY_CERTAINTY))
    sentences = [f'{column} "{value}" is not understood.' for column, value in NEEDED_BY_CERTAINTY]
    assert [*caveat_sentences(page)] == [((UNREAD, sentence),) for sentence in sentences]


USED = "2024-01-01T00:00:00Z"
DATE, REGION, SERVICE = (f"access_key_1_last_used_{each}" for each in ("date", "region", "service"))
NO_KEY = 'access_key_1_active "false" and access_key_1_last_rotated "N/A"'


def test_the_use_of_an_inactive_key_that_is_not_understood_is_a_caveat() -> None:
    unread = unused("inactive-keys-only", UNREAD)
    contradiction = a_user(key_1=an_inactive_key(used=days_before(9))) | {SERVICE: "N/A"}
    values = ("not_supported", "no", "", "2021-01-01T00:00:00")
    check((contradiction, unread), *((a_user(key_1=OLD) | {DATE: each}, unread) for each in values))


def test_an_unreadable_use_leaves_open_who_else_is_not_active() -> None:
    lately, fresh = not_understood((DATE, "lately")), a_key(used=days_before(1))
    check(
        (a_user(key_1=a_key(used="lately"), key_2=fresh), ACTIVE),
        (a_user(key_1=a_key(used="lately"), key_2=a_key(used=days_before(400))), lately),
        (a_user(key_1=a_key(used="lately")), lately),
        (a_user(key_1=a_key("N/A", "lately")), lately),
        (
            a_user(key_1=a_key(used="lately"), password_enabled="ja"),
            not_understood(("password_enabled", "ja")),
        ),
    )


def test_a_use_without_its_place_or_a_place_without_its_use_is_a_contradiction() -> None:
    for cells, columns in (
        ({SERVICE: "s3"}, [SERVICE]),
        ({REGION: "eu-west-1"}, [REGION]),
        ({REGION: "eu-west-1", SERVICE: "ec2"}, [REGION, SERVICE]),
        ({REGION: "eu-west-1", SERVICE: "not_supported"}, [REGION]),
        ({DATE: USED}, [DATE]),
        ({DATE: USED, REGION: "eu-west-1"}, [DATE]),
    ):
        others = f'{SERVICE if DATE in cells else DATE} "N/A"'
        named = [(each, cells[each]) for each in columns]
        check(
            (a_user(key_1=OLD) | {**cells}, unused("inactive-keys-only", UNREAD)),
            (a_user(key_1=a_key()) | {**cells}, contradicting(others, *named)),
            (a_user() | {**cells}, contradicting(NO_KEY, *named)),
        )


def test_a_use_has_its_service_but_need_not_have_a_region() -> None:
    def key(date: str, region: str, service: str) -> Row:
        return a_user(key_1=OLD) | {DATE: date, REGION: region, SERVICE: service}

    not_used, was_used = "", "inactive-key-was-used"
    for date, region, service, caveats in (
        ("N/A", "N/A", "N/A", not_used),
        ("N/A", "", "", not_used),
        ("N/A", "not_supported", "not_supported", not_used),
        (USED, "eu-west-1", "ec2", was_used),
        (USED, "N/A", "s3", was_used),
        (USED, "N/A", "not_supported", was_used),
        (USED, "", "", was_used),
    ):
        check((key(date, region, service), unused("inactive-keys-only", caveats)))


def test_a_report_without_a_column_contradicts_nothing_by_it() -> None:
    not_used = a_user(password=a_password(days_before(1)), key_1=a_key())
    used = not_used | {DATE: USED, REGION: "N/A", SERVICE: "s3"}
    for lacking in ({REGION}, {SERVICE}, {REGION, SERVICE}, {DATE, REGION, SERVICE}):
        columns = [each for each in COLUMNS if each not in lacking]
        check((not_used, ACTIVE), (used, ACTIVE), columns=columns)


def test_a_key_that_is_absent_has_no_service_also_where_no_report_tells_its_use() -> None:
    columns = [each for each in COLUMNS if each != DATE]
    check((a_user() | {SERVICE: "s3"}, contradicting(NO_KEY, (SERVICE, "s3"))), columns=columns)


def test_every_cell_that_is_to_blame_is_named_as_it_stands_in_the_report() -> None:
    service = {"access_key_2_last_used_service": "s3"}
    by_use = contradicting('access_key_2_last_used_date "N/A"', *service.items())
    cells = [("password_enabled", "ja"), ("access_key_2_active", "nein")]
    moments = ("2024-01-01T00:00:00+00:00", "2024-01-01T00:00:00-07:00", "2024-01-01T00:00:00.5Z")
    check(
        (a_user() | {**dict(cells)}, not_understood(*cells)),
        (
            a_user(key_1=a_key(used="once"), key_2=a_key()) | {**service},
            Judgement("undetermined", f'{DATE} "once" is not understood; {by_use.reason}'),
        ),
        *(
            (each | {REGION: "", SERVICE: "n/a"}, not_understood((SERVICE, "n/a")))
            for each in (a_user(key_1=a_key()), a_user())
        ),
        *(
            (a_user(key_1=a_key()) | {DATE: each}, contradicting(f'{SERVICE} "N/A"', (DATE, each)))
            for each in moments
        ),
    )


def test_an_active_certificate_without_its_date_is_two_caveats() -> None:
    caveats = unused(caveats="active-certificate;unread-cell")
    for created in ("N/A", "no_information", "soon"):
        certificate = a_certificate(created)
        check((a_user(certificate_1=certificate), caveats))
        check((a_user(certificate_2=certificate), caveats))


def test_an_active_key_without_its_date_counts_from_the_users_creation() -> None:
    moments = (days_before(89.9), days_before(90), ODD)
    users = [a_user(created=created, key_1=a_key("N/A")) for created in moments]
    users += [a_user(created=created, key_2=a_key("N/A")) for created in moments]
    verdicts = judged(users)["verdict"].astype(str)
    assert verdicts.tolist() == ["active", "dormant", "undetermined"] * 2


def test_a_region_or_service_that_says_nothing_decides_nothing() -> None:
    silent: Row = dict.fromkeys((REGION, SERVICE, "password_next_rotation"), "not_supported")
    check((a_user() | silent, unused()))


def test_a_report_of_2014_leaves_open_only_what_the_use_of_a_key_decides() -> None:
    absent = f"{DATE} is not in this report"
    check(
        (a_user(), unused()),
        (a_user(password=a_password()), unused("never-signed-in")),
        (a_user(password=a_password(days_before(1)), key_1=a_key()), ACTIVE),
        (a_user(key_1=a_key()), Judgement("undetermined", absent)),
        (a_user(key_1=an_inactive_key()), unused("inactive-keys-only", "missing-columns")),
        columns=COLUMNS_OF_2014,
    )


def test_a_row_that_names_nobody_is_undetermined() -> None:
    of_account = f"arn:aws:iam::{ACCOUNT}:user/"
    users = [
        *(a_user() | {"arn": arn} for arn in (f"{of_account}other", f"{of_account}quiet/", "")),
        *(a_user(name) for name in ("", "two words", "line\nbreak", "x" * 129)),
    ]
    frame = judged(users)
    assert frame["verdict"].astype(str).tolist() == ["undetermined"] * 7
    assert frame["reason"].astype(str).str.contains("is not understood").tolist() == [True] * 7


def test_every_partition_and_every_path_is_understood() -> None:
    arns = [
        "arn:aws-cn:iam::000000000001:user/quiet",
        "arn:aws-us-gov:iam::000000000002:user/quiet",
        "arn:aws-eusc:iam::000000000003:user/quiet",
        "arn:aws:iam::000000000004:user/team/a,b;\"c'/$(x)/quiet",
    ]
    frame = judged(a_user() | {"arn": arn} for arn in arns)
    assert judgements_by("arn", frame) == dict.fromkeys(arns, unused())


@pytest.mark.parametrize("name", ["<root_account>", "root_account", "root"])
def test_the_root_is_never_judged_as_a_user(name: str) -> None:
    text = report_text([a_user("root")], root=the_root(user=name))
    frame = judged_users(("report.csv", text.encode()))
    assert frame["arn"].tolist() == [f"arn:aws:iam::{ACCOUNT}:user/root"]


# Cells that are not understood


KEY_DATE, KEY_REGION, KEY_SERVICE = (
    f"access_key_2_last_used_{each}" for each in ("date", "region", "service")
)
LATELY = days_before(3)


def unread_cells(*users: Row, columns: Sequence[str] = COLUMNS) -> list[dict[str, str]]:
    """Return the cells of each user that were not understood, by column."""
    content = report_text(in_separate_accounts(users), columns=columns).encode()
    (page,) = analyzer.load(("report.csv", content), as_of=AS_OF).pages()
    found: list[dict[str, str]] = [{} for _ in users]
    for at, column, value in page.unread[["position", "column", "value"]].to_numpy().tolist():
        found[at][column] = value
    return found


def test_of_a_report_as_aws_writes_it_every_cell_is_understood_and_a_foreign_one_is_noted() -> None:
    user = a_user(key_1=a_key(used=LATELY))
    assert unread_cells(user, user | in_slot("access_key", 2, OLD)) == [{}, {}]
    assert unread_cells(a_user(), columns=COLUMNS_OF_2014) == [{}]
    columns = [each for each in COLUMNS if each != "arn"]
    every = unread_cells(*(user | {column: "so, so"} for column in columns))
    for column, noted in zip(columns, every, strict=True):
        assert noted[column] == "so, so"
        assert noted.keys() <= {column, "arn", DATE, KEY_DATE}


def test_a_foreign_date_of_use_of_an_absent_key_is_noted_and_decides_nothing() -> None:
    cells = ("", "n/a", "no_information", "not_supported", "=1+1", "2024")
    users = [a_user() | {KEY_DATE: cell} for cell in cells]
    assert unread_cells(*users) == [{KEY_DATE: cell} for cell in cells]
    check(*((user, unused()) for user in (a_user(), *users)))


def test_a_region_or_service_of_a_use_is_a_code() -> None:
    codes, others = ["us-gov-west-1", "s3", "not_supported", ""], ["so, so", "a\nb", "=1", "\u00e9"]
    used = a_user(key_2=a_key(used=LATELY))
    for column in (KEY_REGION, KEY_SERVICE):
        assert unread_cells(*(used | {column: cell} for cell in codes)) == [{}] * len(codes)
        odd = unread_cells(*(used | {column: cell} for cell in others))
        assert odd == [{column: cell} for cell in others]
    region, service = unread_cells(*(used | {name: "N/A"} for name in (KEY_REGION, KEY_SERVICE)))
    assert (region, [*service]) == ({}, [KEY_DATE])  # a use of nothing contradicts itself
