"""Names are for pipes: one ARN a line, of those that somebody will act on."""

import json
from pathlib import Path

import pytest

import analyzer
from analyzer.terms import Verdict
from tests.support.builders import AS_OF, a_key, a_user, report_text, saved, the_root
from tests.support.outputs import (
    ALL,
    HARD_NAMES,
    UNUSED,
    analyzed,
    analyzed_console,
    exemptions_of,
    names_bytes,
)


@pytest.mark.parametrize("verdicts", [UNUSED, ALL, (Verdict.DORMANT, Verdict.ACTIVE)])
def test_the_arns_of_the_users_with_a_verdict_asked_for_are_listed_in_the_reports_order(
    verdicts: tuple[Verdict, ...],
) -> None:
    analysis = analyzed_console()
    users = analysis.users
    live = users["caveats"].str.split(";").map(lambda caveats: "service-credential" in caveats)
    wanted = users[users["verdict"].isin(list(verdicts)) & (users["exemption"] == "") & ~live]
    assert names_bytes(analysis, verdicts).decode().splitlines() == wanted["arn"].tolist()


def test_exempt_users_are_left_out(tmp_path: Path) -> None:
    users = [a_user("break-glass"), a_user("ann")]
    analysis = analyzed(tmp_path, users, exemptions_of("*,break-*,By design,,"))
    assert names_bytes(analysis) == b"arn:aws:iam::012345678901:user/ann\n"


def test_a_user_with_a_live_service_credential_is_not_piped_on_to_be_deleted(
    tmp_path: Path,
) -> None:
    text = report_text([a_user("bedrock"), a_user("codecommit"), a_user("ann")])
    report = saved(tmp_path, text)
    report.with_name(report.name + ".service-credentials.json").write_text(
        json.dumps(
            {
                "ServiceSpecificCredentials": [
                    {"UserName": name, "Status": status, "ServiceName": "x.amazonaws.com"}
                    for name, status in (("bedrock", "Active"), ("codecommit", "Inactive"))
                ]
            }
        )
    )
    analysis = analyzer.analyze(analyzer.load(report, as_of=AS_OF))
    listed = names_bytes(analysis).decode().split()
    assert [arn.rsplit("/", 1)[1] for arn in listed] == ["codecommit", "ann"]


def with_evidence(report: Path, *live: str) -> None:
    told = [{"UserName": each, "Status": "Active", "ServiceName": "bedrock"} for each in live]
    beside = report.with_name(report.name + ".service-credentials.json")
    beside.write_text(json.dumps({"ServiceSpecificCredentials": told}))


def test_a_user_made_for_a_service_key_is_listed_only_where_evidence_shows_no_live_one(
    tmp_path: Path,
) -> None:
    for number, name in enumerate(("told.csv", "untold.csv")):
        account = str(number) * 12
        users = [a_user(f"BedrockAPIKey-{each}", account=account) for each in ("dead", "live")]
        text = report_text([*users, a_user("ann", account=account)], root=the_root(account))
        with_evidence(saved(tmp_path, text, name), "BedrockAPIKey-live")
    (tmp_path / "untold.csv.service-credentials.json").unlink()
    listed = names_bytes(analyzer.analyze(analyzer.load(tmp_path, as_of=AS_OF))).decode().split()
    assert [arn.removeprefix("arn:aws:iam::") for arn in listed] == [
        "000000000000:user/BedrockAPIKey-dead",
        "000000000000:user/ann",
        "111111111111:user/ann",
    ]


def test_a_user_who_uses_a_key_of_her_own_is_listed_whatever_her_name(tmp_path: Path) -> None:
    users = [a_user("BedrockAPIKey-used", key_1=a_key(used=AS_OF)), a_user("bedrockapikey")]
    assert names_bytes(analyzed(tmp_path, users), ALL).decode().split() == [
        "arn:aws:iam::012345678901:user/BedrockAPIKey-used",
        "arn:aws:iam::012345678901:user/bedrockapikey",
    ]


def test_nobody_to_list_gives_nothing(tmp_path: Path) -> None:
    assert names_bytes(analyzed(tmp_path, [])) == b""


SPELLED_OUT = {
    "bell\x07\x1b[31mred\x9b1mbold": r"bell\x07\x1b[31mred\x9b1mbold",
    "tab\tstop": r"tab\tstop",
    "two\nlines": r"two\nlines",
    "carriage\rreturn": r"carriage\rreturn",
    "\u202ereversed": r"\u202ereversed",
}


def test_an_arn_is_exact_but_stays_on_its_line_and_commands_no_terminal(tmp_path: Path) -> None:
    written = names_bytes(analyzed(tmp_path, map(a_user, HARD_NAMES)))
    assert written.decode().split("\n") == [
        *(f"arn:aws:iam::012345678901:user/{SPELLED_OUT.get(name, name)}" for name in HARD_NAMES),
        "",
    ]
