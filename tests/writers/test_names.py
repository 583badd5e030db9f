"""Names and ARNs are for pipes: one a line, of the users to act on."""

import json
from pathlib import Path

import pytest

import analyzer
from analyzer.terms import Verdict
from analyzer.writers.user_lists import left_out_line
from tests.support.builders import AS_OF, COLUMNS, a_key, a_user, report_text, saved, the_root
from tests.support.outputs import (
    ALL,
    HARD_NAMES,
    UNUSED,
    analysis_of,
    analyzed_console,
    arns_bytes,
    exemptions_of,
    hard_names,
    name_lines,
)


@pytest.mark.parametrize("verdicts", [UNUSED, ALL, (Verdict.DORMANT, Verdict.ACTIVE)])
def test_the_arns_of_certain_users_who_are_not_exempt_are_listed_in_the_reports_order(
    verdicts: tuple[Verdict, ...],
) -> None:
    analysis = analyzed_console()
    users = analysis.users
    assert (users["exemption"] != "").any()
    listed = users["verdict"].isin(list(verdicts)) & (users["exemption"] == "")
    live = users["caveats"].str.split(";").map(lambda caveats: "service-credential" in caveats)
    for check, piped in ((False, users["certainty"] != "check"), (True, ~live)):
        arns = arns_bytes(analysis, verdicts, check=check).decode().splitlines()
        assert arns == users.loc[listed & piped, "arn"].tolist()


def with_list(report: Path, **status: str) -> None:
    """Save the list of service-specific credentials beside a report: by user, active or not."""
    listed = [
        {"UserName": name, "Status": each, "ServiceName": "x.amazonaws.com"}
        for name, each in status.items()
    ]
    path = report.with_name(f"{report.name}.service-credentials.json")
    path.write_text(json.dumps({"ServiceSpecificCredentials": listed}))


def test_a_user_with_a_live_service_credential_is_not_piped_on_to_be_deleted(
    tmp_path: Path,
) -> None:
    report = saved(tmp_path, report_text(map(a_user, ("bedrock", "codecommit", "ann"))))
    with_list(report, bedrock="Active", codecommit="Inactive")
    analysis = analyzer.analyze(analyzer.load(report, as_of=AS_OF))
    for check in (False, True):
        listed = arns_bytes(analysis, check=check).decode().split()
        assert [arn.rsplit("/", 1)[1] for arn in listed] == ["codecommit", "ann"]
    assert left_out_line(analysis, ALL, check=True) == (
        "Left out of the names: 1 with an active service-specific credential"
    )
    assert left_out_line(analysis, ALL) == left_out_line(analysis, ALL, check=True)


def test_a_user_that_has_only_the_name_may_have_a_live_service_credential() -> None:
    analysis = analysis_of([a_user("BedrockAPIKey-a1b2"), a_user("ann")])
    assert arns_bytes(analysis, check=True).endswith(b"/ann\n")
    assert left_out_line(analysis, ALL, check=True) == (
        "Left out of the names: 1 that may have an active service-specific credential"
    )


def test_a_user_without_an_arn_in_the_report_has_no_line() -> None:
    analysis = analysis_of([a_user("ann")], columns=[each for each in COLUMNS if each != "arn"])
    assert arns_bytes(analysis, check=True) == b""
    assert left_out_line(analysis, UNUSED, check=True) == (
        "Left out of the names: 1 without an ARN in the report (use --format table or csv)"
    )


def test_a_user_made_for_a_service_key_is_listed_only_where_the_list_has_no_live_one(
    tmp_path: Path,
) -> None:
    for number, name in enumerate(("known.csv", "unknown.csv")):
        account = str(number) * 12
        users = [a_user(f"BedrockAPIKey-{each}", account=account) for each in ("dead", "live")]
        text = report_text([*users, a_user("ann", account=account)], root=the_root(account))
        report = saved(tmp_path, text, name)
        if name == "known.csv":
            with_list(report, **{"BedrockAPIKey-live": "Active"})
    analysis = analyzer.analyze(analyzer.load(tmp_path, as_of=AS_OF))
    listed = arns_bytes(analysis, check=True).decode().split()
    assert [arn.removeprefix("arn:aws:iam::") for arn in listed] == [
        "000000000000:user/BedrockAPIKey-dead",
        "000000000000:user/ann",
        "111111111111:user/ann",
    ]


def test_a_user_who_uses_a_key_of_her_own_is_listed_whatever_her_name() -> None:
    users = [a_user("BedrockAPIKey-used", key_1=a_key(used=AS_OF)), a_user("bedrockapikey")]
    assert arns_bytes(analysis_of(users), ALL).decode().split() == [
        "arn:aws:iam::012345678901:user/BedrockAPIKey-used",
        "arn:aws:iam::012345678901:user/bedrockapikey",
    ]


def test_an_arn_is_exact_but_stays_on_its_line_and_commands_no_terminal() -> None:
    spelled = [name if name.isprintable() else repr(name)[1:-1] for name in HARD_NAMES]
    assert r"bell\x07\x1b[31mred\x9b1mbold" in spelled
    arns = [f"arn:aws:iam::012345678901:user/{name}" for name in spelled]
    assert arns_bytes(hard_names()).decode().split("\n") == [*arns, ""]


def test_names_stand_alone_in_one_account_and_behind_their_account_in_many() -> None:
    users = [a_user("ann"), a_user("break-glass"), a_user("two\nlines")]
    one = analysis_of(users, exemptions_of("*,break-*,By design,,"))
    assert name_lines(one) == ["ann", r"two\nlines"]
    other = a_user("bob") | {"arn": "arn:aws:iam::111122223333:user/bob"}
    many = analysis_of([*users, other])
    assert name_lines(many)[::3] == ["012345678901/ann", "111122223333/bob"]
