"""What people read is in words, in their order, and says what they must know."""

from pathlib import Path
from typing import Any

import pytest

import analyzer
from analyzer.terms import Verdict
from analyzer.writers import user_lists
from tests.support.builders import (
    AS_OF,
    LONG_AGO,
    Row,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    in_separate_accounts,
    no_password,
    report_text,
    saved,
    saved_credentials,
    the_root,
)
from tests.support.outputs import (
    ALL,
    UNUSED,
    analysis_of,
    analyzed_console,
    arns_bytes,
    exemptions_of,
    name_lines,
)

USED = days_before(500)

NO_CREDENTIALS = "no working credentials: no password, no active access key"
NEVER_USED = "has a password that was never used"
IN_USE, OLD_KEY = a_key(LONG_AGO, days_before(1)), a_key(days_before(400))
REASONS: tuple[tuple[Row, str], ...] = (
    (a_user(password=a_password()), f"{NEVER_USED}, and no access key"),
    (
        a_user(password=a_password(), key_1=an_inactive_key()),
        f"{NEVER_USED}, and only inactive access keys",
    ),
    (a_user(), "has neither a password nor an access key"),
    (a_user(key_1=an_inactive_key()), "has no password, and only inactive access keys"),
    (a_user(password=no_password(USED)), NO_CREDENTIALS),
    (a_user(password=a_password(USED)), "working credentials idle for 500 days"),
    (a_user(password=a_password(), key_1=OLD_KEY), "working credentials idle for 400 days"),
    (a_user(key_1=IN_USE), "working credentials idle for 1 day"),
    (a_user(key_1=a_key(LONG_AGO, AS_OF)), "working credentials idle for 0 days"),
    (a_user(password_enabled="?"), 'password_enabled "?" is not understood'),
)


def test_the_reason_is_in_words() -> None:
    rows = in_separate_accounts(user for user, _ in REASONS)
    listed = user_lists.user_rows(analysis_of(rows), ALL)
    reasons = {row.account: row.reason_sentence for row in listed}
    assert [reasons[f"{at:012}"] for at in range(len(rows))] == [reason for _, reason in REASONS]
    strict = analysis_of([a_user(key_1=an_inactive_key())], definition="iam-029")
    (row,) = user_lists.user_rows(strict, ALL)
    assert row.reason_sentence == NO_CREDENTIALS


def test_users_are_listed_by_verdict_exposure_and_age_exempt_ones_last() -> None:
    people = [
        a_user("exempt", created=days_before(2000)),
        a_user("young", created=days_before(50)),
        a_user("ageless", created="?"),
        a_user("idle", password=a_password(USED), created=days_before(3000)),
        a_user("signs", certificate_1=a_certificate(), created=days_before(5)),
        a_user("enters", password=a_password(), created=days_before(4)),
        a_user("no-mfa-known", password=a_password(), created=days_before(9), mfa_active="?"),
        a_user("two-factors", password=a_password(), created=days_before(8), mfa=True),
        a_user("old-b", created=days_before(900)),
        a_user("old-a", created=days_before(900)),
        a_user("odd", password_enabled="perhaps"),
        a_user("busy", key_1=a_key(LONG_AGO, AS_OF)),
    ]
    rows = user_lists.user_rows(analysis_of(people, exemptions_of("*,exempt,Why,,")), ALL)
    unused = "enters no-mfa-known two-factors signs old-a old-b young ageless"
    expected = f"{unused} idle busy odd exempt"
    assert [row.user for row in rows] == expected.split()


# Names and ARNs for pipes: one a line, of the users to act on


def test_the_arns_of_certain_users_who_are_not_exempt_come_in_the_order_of_the_table() -> None:
    analysis = analyzed_console()
    users = analysis.users
    assert (users["exemption"] != "").any()
    live = users["caveats"].str.split(";").map(lambda caveats: "service-credential" in caveats)
    for verdicts in (UNUSED, ALL, (Verdict.DORMANT, Verdict.ACTIVE)):
        listed = users["verdict"].isin(list(verdicts)) & (users["exemption"] == "")
        piped = (users["certainty"] != "check") & ~live
        arns = arns_bytes(analysis, verdicts).decode().splitlines()
        names = users.loc[listed & piped, "user"].tolist()
        table = [row.user for row in user_lists.user_rows(analysis, verdicts)]
        assert [arn.rpartition("/")[2] for arn in arns] == [n for n in table if n in names]


def test_a_user_with_a_live_service_credential_is_not_piped_on_to_be_deleted(
    tmp_path: Path,
) -> None:
    report = saved(tmp_path, report_text(map(a_user, ("bedrock", "codecommit", "ann"))))
    saved_credentials(report, bedrock="Active", codecommit="Inactive")
    analysis = analyzer.analyze(analyzer.load(report, as_of=AS_OF))
    listed = arns_bytes(analysis).decode().split()
    assert [arn.rsplit("/", 1)[1] for arn in listed] == ["ann", "codecommit"]
    left_out = list(user_lists.omitted_users_sentence(analysis, ALL))
    assert left_out == ["Left out of the list: 1 with an active service-specific credential."]


def test_why_a_user_has_no_line_is_said() -> None:
    named = analysis_of([a_user("BedrockAPIKey-a1b2"), a_user("ann")])
    assert arns_bytes(named).decode().split() == [a_user("ann")["arn"]]
    left_out = list(user_lists.omitted_users_sentence(named, ALL))
    says = "1 that may have an active service-specific credential"
    assert left_out == [f"Left out of the list: {says}."]


def test_a_user_made_for_a_service_key_is_listed_only_where_the_list_has_no_live_one(
    tmp_path: Path,
) -> None:
    for number, name in enumerate(("known.csv", "unknown.csv")):
        account = str(number) * 12
        users = [a_user(f"BedrockAPIKey-{each}", account=account) for each in ("dead", "live")]
        text = report_text(users + [a_user("ann", account=account)], root=the_root(account))
        report = saved(tmp_path, text, name)
        if name == "known.csv":
            saved_credentials(report, **{"BedrockAPIKey-live": "Active"})
    analysis = analyzer.analyze(analyzer.load(tmp_path, as_of=AS_OF))
    listed = arns_bytes(analysis).decode().split()
    assert [arn.removeprefix("arn:aws:iam::") for arn in listed] == [
        "000000000000:user/ann",
        "111111111111:user/ann",
    ]


OF_VERDICT: dict[Verdict, dict[str, Any]] = {
    Verdict.UNUSED: {},
    Verdict.RETIRED: {"password_last_used": "2020-01-01T00:00:00Z"},
    Verdict.DORMANT: {"key_1": a_key(used=days_before(400))},
    Verdict.ACTIVE: {"key_1": a_key(used=AS_OF)},
    Verdict.UNDETERMINED: {"password_enabled": "WAHR"},
}


@pytest.mark.parametrize("verdict", Verdict)
def test_a_live_or_possible_service_credential_keeps_a_user_off_the_list_whatever_the_verdict(
    tmp_path: Path, verdict: Verdict
) -> None:
    for account, has_list in (("0" * 12, True), ("1" * 12, False)):
        names = ("live", "BedrockAPIKey-1", "plain")
        users = [a_user(name, account=account, **OF_VERDICT[verdict]) for name in names]
        enabled = a_user("other", password=a_password(AS_OF), account=account)
        text = report_text([*users, enabled], root=the_root(account))
        report = saved(tmp_path, text, f"{account}.csv")
        if has_list:
            saved_credentials(report, live="Active", **{"BedrockAPIKey-1": "Inactive"})
    analysis = analyzer.analyze(analyzer.load(tmp_path, as_of=AS_OF))
    assert set(analysis.users.loc[analysis.users["user"] != "other", "verdict"]) == {verdict}
    listed = {name for name in name_lines(analysis, [verdict]) if "other" not in name}
    of_one_list = {f"{'0' * 12}/plain", f"{'1' * 12}/live", f"{'1' * 12}/plain"}
    if verdict not in (Verdict.UNUSED, Verdict.RETIRED):  # Of these the name is a caveat.
        of_one_list.add(f"{'0' * 12}/BedrockAPIKey-1")
    assert listed == of_one_list
    arns = arns_bytes(analysis, [verdict]).decode().split()
    assert len(arns) == len(name_lines(analysis, [verdict]))
