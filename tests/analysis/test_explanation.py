"""An explanation shows every cell that decides, how it was read, and what follows from it."""

from functools import cache
from typing import Any

import pytest

import analyzer
from analyzer.analysis.explanation import Cell, Explanation, MatchingExemption
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    COLUMNS,
    COLUMNS_OF_2014,
    LONG_AGO,
    MORE_CREDENTIALS,
    Row,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    no_password,
    report_text,
)
from tests.support.outputs import analysis_of, analyzed_console, exemptions_of

EVERY_COLUMN = (*COLUMNS, MORE_CREDENTIALS)
ANN = a_user("ann")


def explained(user: Row, *exemptions: str, **options: Any) -> Explanation:
    analysis = analysis_of([user], exemptions_of(*exemptions), **options)
    (explanation,) = analysis.explain(str(user["user"]))
    return explanation


@cache
def of_ann() -> Explanation:
    """Explain a user who has nothing, once for all tests."""
    return explained(ANN)


def readings(explanation: Explanation, decides: str) -> dict[str, str]:
    return {cell.column: cell.reading for cell in explanation.cells if cell.decides == decides}


def test_an_unused_user_is_explained_by_the_cells_of_its_credentials() -> None:
    user = a_user(
        "ann",
        password=a_password(),
        key_1=an_inactive_key(days_before(400), days_before(1.5)),
        certificate_2=a_certificate(days_before(30), active=False),
        mfa=True,
        created=days_before(500),
    ) | {MORE_CREDENTIALS: "1 more"}
    explanation = explained(user, columns=EVERY_COLUMN)
    assert explanation.reason == "has a password that was never used, and only inactive access keys"
    document = explanation.document()
    assert document["reason"] == "never-signed-in-inactive-keys"
    assert document["because"] == explanation.reason
    assert "reason_code" not in document
    assert (explanation.verdict, explanation.certainty) == ("unused", "check")
    assert readings(explanation, "verdict") == {
        "password_enabled": "has a password",
        "password_last_used": "never signed in",
        "access_key_1_active": "access key 1 is inactive",
        "access_key_1_last_rotated": "access key 1 created, 400 days before as-of",
        "access_key_2_active": "no access key 2",
        "access_key_2_last_rotated": "no date",
    }
    assert readings(explanation, "certainty") == {
        "user_creation_time": "user created, 500 days before as-of",
        "mfa_active": "an MFA device is registered",
        "access_key_1_last_used_date": "access key 1 last used, 1 day before as-of",
        "cert_1_active": "no signing certificate 1",
        "cert_1_last_rotated": "no date",
        "cert_2_active": "signing certificate 2 is inactive",
        "cert_2_last_rotated": "signing certificate 2 created, 30 days before as-of",
        "additional_credentials_info": "more credentials than are listed",
    }
    assert [name for name, _ in explanation.caveats] == [
        *("inactive-key-was-used", "mfa-registered", "more-credentials")
    ]


def test_an_active_user_is_explained_by_its_last_uses() -> None:
    user = a_user("ann", password=a_password(days_before(9)), key_2=a_key(LONG_AGO, AS_OF))
    explanation = explained(user)
    assert explanation.reason == "working credentials idle for 0 days"
    shown = readings(explanation, "verdict")
    assert shown["password_last_used"] == "last sign-in, 9 days before as-of"
    assert shown["password_last_changed"] == "password changed, 1,000 days before as-of"
    assert shown["access_key_2_active"] == "access key 2 is active"
    assert shown["access_key_2_last_used_date"] == "access key 2 last used, 0 days before as-of"
    assert "access_key_1_last_used_date" not in shown
    assert readings(explanation, "certainty") == {}


OLD_KEY = a_key(LONG_AGO)
NOT_UNUSED_NOR_RETIRED = (
    "not unused: it signed in, access key 1 is active",
    "not retired: it has a password, access key 1 is active",
)
NOT_DORMANT = (
    "not unused and not retired: access key 1 is active",
    "not dormant: working credentials idle for 3 days, fewer than 90",
)
WHY_NOT: tuple[tuple[Row, str, tuple[str, ...]], ...] = (
    (a_user("ann", password=no_password(LONG_AGO)), "no-active-key", ("not unused: it signed in",)),
    (a_user("ann", key_2=an_inactive_key()), "iam-029", ("not unused: access key 2 is inactive",)),
    (
        a_user("ann", password=a_password(LONG_AGO), key_1=OLD_KEY),
        "no-active-key",
        NOT_UNUSED_NOR_RETIRED,
    ),
    (a_user("ann", key_1=a_key(LONG_AGO, days_before(3))), "no-active-key", NOT_DORMANT),
)


@pytest.mark.no_cover
def test_it_says_why_the_user_has_none_of_the_verdicts_above() -> None:
    assert of_ann().why_not == ()
    for user, definition, expected in WHY_NOT:
        explanation = explained(user, definition=definition)
        assert explanation.why_not == expected
        assert all(line in str(explanation).splitlines() for line in expected)


COUNTED_FROM_CREATION: tuple[tuple[Row, bool], ...] = (
    ({"access_key_1_active": "true"}, True),
    ({"access_key_1_active": "true", "access_key_1_last_used_date": AS_OF}, False),
    ({"access_key_1_active": "true", "access_key_1_last_used_date": "2026-1"}, False),
    ({"password_enabled": "true", "password_last_changed": "N/A"}, True),
    ({"password_enabled": "true", "password_last_changed": LONG_AGO}, False),
)


@pytest.mark.no_cover
def test_the_creation_of_the_user_decides_where_a_credential_counts_from_it() -> None:
    users = [
        a_user(f"ann{number}", key_2=a_key(LONG_AGO, AS_OF)) | cells
        for number, (cells, _) in enumerate(COUNTED_FROM_CREATION)
    ]
    explanations = analysis_of(users).explain("ann*")
    for (cells, counts), explanation in zip(COUNTED_FROM_CREATION, explanations, strict=True):
        shown = readings(explanation, "verdict")
        assert ("user_creation_time" in shown) is counts, cells
        if counts:
            assert shown["user_creation_time"] == "user created, 1,000 days before as-of"


def test_a_cell_that_was_not_understood_is_shown_with_its_raw_value() -> None:
    user = a_user("ann", password_enabled="wahr", mfa_active="perhaps")
    explanation = explained(user)
    assert (explanation.verdict, explanation.why_not) == ("undetermined", ())
    cells = {cell.column: cell for cell in explanation.cells}
    for name, value in (("password_enabled", "wahr"), ("mfa_active", "perhaps")):
        unread = Cell(column=name, value=value, reading="not understood", decides="verdict")
        assert cells[name] == unread


def test_a_column_that_the_report_lacks_is_named_and_cells_that_contradict_each_other_are() -> None:
    old = explained(a_user("ann", key_1=an_inactive_key()), columns=COLUMNS_OF_2014)
    cells = {cell.column: (cell.value, cell.reading) for cell in old.cells}
    assert cells["access_key_1_last_used_date"] == (None, "not in this report")
    certainty = readings(of_ann(), "certainty")
    assert certainty["additional_credentials_info"] == "not in this report"
    at_odds = explained(a_user("ann", access_key_1_last_used_date="2024-01-01T00:00:00Z"))
    assert at_odds.verdict == "undetermined"
    others = 'access_key_1_active "false" and access_key_1_last_rotated "N/A"'
    reading = readings(at_odds, "verdict")["access_key_1_last_used_date"]
    assert reading == f"contradicts {others}"


def test_rows_that_differ_are_explained_together_also_in_a_cell_that_decides_nothing() -> None:
    region, sign_in = "access_key_1_last_used_region", "password_last_used"
    told = [("eu-west-1", days_before(500)), ("us-east-1", days_before(2))]
    key, uses = a_key(LONG_AGO, AS_OF), [f"{day:%Y-%m-%dT%H:%M:%SZ}" for _, day in told]
    rows = [
        a_user("ann", password=a_password(day), key_1=key) | {region: name} for name, day in told
    ]
    (explanation,) = analysis_of(rows).explain("ann")
    assert explanation.row == 3
    shown = {cell.column: cell.reading for cell in explanation.cells}
    for column, first, second in ((region, "eu-west-1", "us-east-1"), (sign_in, *uses)):
        other = "another row of this ARN has another value"
        assert shown[column] == f'{other}: row 3 has "{first}", row 4 has "{second}"'
    assert sign_in in readings(explanation, "verdict")


@pytest.mark.no_cover
def test_rows_of_two_reports_that_differ_are_named_with_their_files() -> None:
    without = [each for each in COLUMNS if each != "mfa_active"]
    files = (
        ("a.csv", report_text([a_user("ann", mfa=True)])),
        ("b.csv", report_text([a_user("bo"), a_user("ann")], columns=without)),
    )
    report = analyzer.load(*((name, text.encode()) for name, text in files), as_of=AS_OF)
    (explanation,) = analyzer.analyze(report).explain("ann")
    assert readings(explanation, "certainty")["mfa_active"] == (
        'another row of this ARN has another value: row 3 of a.csv has "true", row 4 of b.csv has'
        " no such cell"
    )


@pytest.mark.no_cover
def test_each_rule_has_its_outcome_and_the_exemption_from_it() -> None:
    user = a_user("ann", password=a_password(days_before(60)))
    explanation = explained(user, "*,ann,By design,,")
    outcomes = {each.rule: each for each in explanation.rules}
    assert outcomes["unused-user"].outcome == "passes"
    assert outcomes["idle-password"].outcome == "fails"
    assert "idle 60 days; limit 45" in outcomes["idle-password"].fact
    assert outcomes["idle-password"].exemption == "By design"
    assert not [rule for rule in outcomes if rule.startswith("root-")]


@pytest.mark.no_cover
def test_exemptions_that_match_are_shown_whether_they_apply_or_not() -> None:
    lines = ("*,ann,Now,Ops,2026-05-01,", "*,a*,Past,,2026-04-30,", "*,ann,Why,,,idle-password")
    content = "\n".join(("account,user,reason,owner,expires,rule", *lines, "*,zoe,Other,,,"))
    listed = analyzer.read_exemptions(("list.csv", content.encode()))
    (explanation,) = analysis_of([ANN], listed).explain("ann")
    now, past, of_rule = explanation.exemptions
    assert now == MatchingExemption(
        line=2, user="ann", reason="Now", owner="Ops", expires="2026-05-01", rule="", applies=True
    )
    assert (past.line, past.expires, past.applies) == (3, "2026-04-30", False)
    assert (explanation.exemption, of_rule.rule) == ("Now", "idle-password")
    text = str(explanation)
    assert "  row 2: ann: Now, owner Ops, until 2026-05-01" in text
    assert "  row 3: a*: Past, expired on 2026-04-30" in text
    assert "  row 4: ann: Why, rule idle-password only" in text


def test_the_text_says_where_the_row_stands() -> None:
    lines = str(of_ann()).splitlines()
    assert lines[:3] == [
        f"ann  arn:aws:iam::{ACCOUNT}:user/ann",
        "unused (certain): has neither a password nor an access key",
        (f"account {ACCOUNT}, row 3 of report.csv, as of 2026-05-01 12:00 UTC (set with --as-of)"),
    ]
    assert "Caveats" not in lines
    assert "Exemptions that match" not in lines
    of_no_account = explained(a_user("ann", arn="ann"))
    assert of_no_account.account == ""
    assert str(of_no_account).splitlines()[2].startswith("row 3 of ")


def test_caveats_have_their_sentences_in_text_and_in_json() -> None:
    (explanation,) = analyzed_console().explain("git-mirror")
    sentence = "Has an active service-specific credential: codecommit.amazonaws.com."
    text = str(explanation)
    assert f"  service-credential: {sentence}" in text
    assert "unused (to check): " in text
    assert "exempt: Mirrors the repositories by HTTPS Git credentials" in text
    assert explanation.document()["caveats"] == [
        {"caveat": "service-credential", "because": sentence}
    ]


@pytest.mark.no_cover
def test_a_user_is_found_by_name_pattern_or_arn() -> None:
    for user in ("BATCH-export", "arn:aws:iam::*:user/*/batch-e*"):
        (explanation,) = analyzed_console().explain(user)
        assert explanation.user == "batch-export", user
    with pytest.raises(ValueError, match="no IAM user has the name or ARN 'nobody'"):
        analyzed_console().explain("nobody")
