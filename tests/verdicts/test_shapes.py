"""Reports of many shapes give the verdicts that what they hold allows."""

import pytest

import analyzer
from tests.support.builders import (
    AS_OF,
    COLUMNS,
    Row,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    in_separate_accounts,
    no_password,
    report_text,
    the_root,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

QUIET, WAITING = a_user("quiet"), a_user("waiting", password=a_password(), key_1=an_inactive_key())
GONE = a_user("gone", password=no_password(days_before(400)))
BUSY = a_user("busy", key_1=a_key(used=days_before(1)))
IDLE = a_user("idle", key_1=a_key())
USERS = (QUIET, WAITING, GONE, BUSY, IDLE)
NEEDED = (
    "user",
    "password_enabled",
    "password_last_used",
    "access_key_1_active",
    "access_key_2_active",
)

AS_AWS_WRITES = {
    "quiet": "unused no-credentials",
    "waiting": "unused never-signed-in-inactive-keys",
    "gone": "retired",
    "busy": "active",
    "idle": "dormant",
}


def verdicts(
    text: str, definition: analyzer.Definition = analyzer.Definition.NO_ACTIVE_KEY
) -> dict[str, str]:
    """Return each user's verdict with reason and caveats, in one text."""
    report = analyzer.load(("report.csv", text.encode()), as_of=AS_OF)
    analysis = analyzer.analyze(report, analyzer.Criteria(definition=definition))
    cells = analysis.users[["user", "verdict", "reason", "caveats"]].astype(str)
    return {name: " ".join(filter(None, rest)) for name, *rest in cells.to_numpy().tolist()}


def check(*caveats: str, **changed: str) -> dict[str, str]:
    """Return the verdicts as AWS writes the report, with caveats for those that can go."""
    removable = {
        name: " ".join([words, ";".join(caveats)])
        for name, words in AS_AWS_WRITES.items()
        if words.startswith(("unused", "retired"))
    }
    return AS_AWS_WRITES | (removable if caveats else {}) | changed


DATES_MISSING = "; ".join(
    f"{name} is not in this report"
    for name in (
        "user_creation_time",
        "password_last_changed",
        "access_key_1_last_rotated",
        "access_key_1_last_used_date",
    )
)
LACKING = {
    "nothing": ((), check()),
    "certificates": (
        [name for name in COLUMNS if name.startswith("cert_")],
        check("missing-columns"),
    ),
    "dates of certificates": (["cert_1_last_rotated", "cert_2_last_rotated"], check()),
    "MFA": (["mfa_active"], check("missing-columns", gone="retired")),
    "creation": (["user_creation_time"], check("missing-columns")),
    "change of password": (["password_last_changed"], check()),
    "next rotation": (["password_next_rotation"], check()),
    "ARN": (["arn"], check("masked-arn")),
    "creation of keys": (
        ["access_key_1_last_rotated", "access_key_2_last_rotated"],
        check(
            "missing-columns",
            quiet="unused no-active-key missing-columns",
            waiting="unused no-active-key missing-columns",
            idle="undetermined access_key_1_last_rotated is not in this report",
        ),
    ),
    "use of keys": (
        ["access_key_1_last_used_date", "access_key_2_last_used_date"],
        check(
            waiting="unused never-signed-in-inactive-keys missing-columns",
            busy="undetermined access_key_1_last_used_date is not in this report",
            idle="undetermined access_key_1_last_used_date is not in this report",
        ),
    ),
    "regions and services": (
        [name for name in COLUMNS if name.endswith(("_region", "_service"))],
        check(),
    ),
    "all that may be missing": (
        [name for name in COLUMNS if name not in NEEDED],
        check(
            "missing-columns;masked-arn",
            quiet="unused no-active-key missing-columns;masked-arn",
            waiting="unused no-active-key missing-columns;masked-arn",
            busy=f"undetermined {DATES_MISSING}",
            idle=f"undetermined {DATES_MISSING}",
        ),
    ),
}


@pytest.mark.parametrize("lacking", LACKING)
def test_a_report_without_a_column_is_judged_by_the_others(lacking: str) -> None:
    columns, expected = LACKING[lacking]
    text = report_text(USERS, columns=[name for name in COLUMNS if name not in columns])
    assert verdicts(text) == expected


@pytest.mark.parametrize("name", NEEDED)
def test_a_report_without_a_needed_column_is_refused(name: str) -> None:
    text = report_text(USERS, columns=[each for each in COLUMNS if each != name])
    with pytest.raises(analyzer.InputRefused, match=r"missing: |names no column `user`"):
        verdicts(text)


def test_without_the_creation_of_keys_the_strict_definition_leaves_open_who_has_none() -> None:
    columns = [name for name in COLUMNS if not name.endswith("last_rotated")]
    found = verdicts(report_text([QUIET, GONE], columns=columns), analyzer.Definition.IAM_029)
    missing = [f"access_key_{slot}_last_rotated is not in this report" for slot in (1, 2)]
    assert found["quiet"] == f"undetermined {'; '.join(missing)}"
    assert found["gone"] == "retired missing-columns"


USED_SOON = a_key() | {"last_used_date": "soon"}
WITH_ONE_SLOT_DATED = {
    "inactive-keys-only": a_user(key_1=an_inactive_key()),
    "never-signed-in-inactive-keys": a_user(password=a_password(), key_1=an_inactive_key()),
    "no-active-key": a_user(),
    'access_key_1_last_used_date "soon" is not understood': a_user(key_1=USED_SOON),
    'password_last_used "soon" is not understood': a_user(password=a_password("soon")),
}


def test_a_slot_without_dates_hides_nothing_that_the_other_shows() -> None:
    columns = [name for name in COLUMNS if name != "access_key_2_last_rotated"]
    users = in_separate_accounts(WITH_ONE_SLOT_DATED.values())
    found = of_files(report_text(users, columns=columns))
    for reason, verdict in zip(WITH_ONE_SLOT_DATED, found, strict=True):
        words = verdict.removesuffix(" missing-columns")
        assert words in (f"unused {reason}", f"undetermined {reason}")


MASKED = ("test", "1234", "12345678", "123XXXXXXXX", "1234567890123")


@pytest.mark.parametrize("account", MASKED)
def test_users_of_an_account_that_is_masked_are_judged_by_name(account: str) -> None:
    text = report_text(USERS).replace("012345678901", account)
    assert verdicts(text) == check("masked-arn")


def replaced(arn: str) -> str:
    """Return a report in which a text stands for all ARNs."""
    return report_text([user | {"arn": arn} for user in USERS], root=the_root() | {"arn": arn})


@pytest.mark.parametrize("arn", ["fakearn", "[REDACTED]"])
def test_users_whose_arns_were_replaced_by_a_word_are_judged_by_name(arn: str) -> None:
    assert verdicts(replaced(arn)) == check("masked-arn")


@pytest.mark.parametrize("arn", ["N/A", "", "-", "tru", "arn"])
def test_users_whose_arns_were_lost_are_each_undetermined(arn: str) -> None:
    expected = f'undetermined arn "{arn}" is not understood'
    assert verdicts(replaced(arn)) == dict.fromkeys(AS_AWS_WRITES, expected)


@pytest.mark.parametrize("arn", ["N/A", "", "arn:aws:iam::012345678901:user/admin", "arn:aws:i"])
def test_the_root_is_no_user_whatever_its_arn(arn: str) -> None:
    assert verdicts(report_text(USERS, root=the_root() | {"arn": arn})) == check()


def another(column: str) -> str:
    return f"undetermined another row of this ARN has another {column}"


DATE, REGION, SERVICE = (f"access_key_1_last_used_{each}" for each in ("date", "region", "service"))
USED = "2024-01-01T00:00:00Z"
DIFFERING: dict[str, tuple[Row, Row, str]] = {
    "use of an absent key": (QUIET, {DATE: USED}, another(DATE)),
    "service of an absent key": (QUIET, {SERVICE: "s3"}, another(SERVICE)),
    "password": (QUIET, {"password_enabled": "true"}, another("password_enabled")),
    "key": (
        WAITING,
        {"access_key_1_active": "true"},
        another("access_key_1_active"),
    ),
    "creation of a key": (
        WAITING,
        {"access_key_1_last_rotated": "N/A"},
        another("access_key_1_last_rotated"),
    ),
    "MFA": (QUIET, {"mfa_active": "true"}, "unused no-credentials unread-cell"),
    "certificate": (QUIET, {"cert_1_active": "true"}, "unused no-credentials unread-cell"),
    "creation": (
        QUIET,
        {"user_creation_time": "2013-01-01T00:00:00Z"},
        "unused no-credentials unread-cell",
    ),
    "use of an inactive key": (
        WAITING,
        {DATE: USED, SERVICE: "s3"},
        "unused never-signed-in-inactive-keys unread-cell",
    ),
    "next rotation": (QUIET, {"password_next_rotation": USED}, "unused no-credentials"),
    "region of a use": (BUSY, {REGION: "eu-west-1"}, "active"),
    "use of an active key": (IDLE, {DATE: USED, SERVICE: "s3"}, another(SERVICE)),
}


def of_files(*texts: str) -> list[str]:
    """Return the verdict on each user of reports of one moment."""
    files = [(f"{at}.csv", text.encode()) for at, text in enumerate(texts)]
    users = analyzer.analyze(analyzer.load(*files, as_of=AS_OF)).users
    cells = users[["verdict", "reason", "caveats"]].astype(str).to_numpy().tolist()
    return [" ".join(filter(None, each)) for each in cells]


def test_rows_of_one_arn_are_one_user_of_one_verdict_in_any_order_and_any_number_of_files() -> None:
    expected = {name: verdict for name, (_, _, verdict) in DIFFERING.items()}
    users = in_separate_accounts(user for user, _, _ in DIFFERING.values())
    others = [
        {**user, **cells} for user, (_, cells, _) in zip(users, DIFFERING.values(), strict=True)
    ]
    for one, other in ((users, others), (others, users)):
        for files in ([[*one, *other]], [one, other]):
            found = of_files(*map(report_text, files))
            assert dict(zip(DIFFERING, found, strict=True)) == expected


CELLS = ("true", "N/A", USED, "", "s3")


def test_a_contradiction_in_any_column_gives_the_same_in_one_file_and_in_several() -> None:
    pairs = [
        (user, user | {column: cell})
        for user in (QUIET, WAITING, BUSY)
        for column in COLUMNS[2:]
        for cell in CELLS
    ]
    one, other = (in_separate_accounts(users) for users in zip(*pairs, strict=True))
    mixed = [pair[:: 1 - 2 * (at % 2)] for at, pair in enumerate(zip(one, other, strict=True))]
    together = of_files(report_text([*one, *other]))
    assert of_files(report_text(one), report_text(other)) == together
    assert of_files(*(map(report_text, zip(*mixed, strict=True)))) == together
    deciding = [name for name in COLUMNS if name.startswith("access_key_")]
    deciding += ["password_enabled", "password_last_used"]
    named = [name for name in COLUMNS[2:] if any(another(name) in each for each in together)]
    assert sorted(named) == sorted(deciding)
