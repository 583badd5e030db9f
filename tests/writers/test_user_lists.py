"""What people read is in words, in their order, and says what they must know."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

import analyzer
from analyzer.analysis.filters import Filter
from analyzer.decisions.ledger import Ledger
from analyzer.report.model import UncoveredAccount, UncoveredFile
from analyzer.terms import Verdict
from analyzer.writers import headline, user_lists
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    COLUMNS,
    LONG_AGO,
    MORE_CREDENTIALS,
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
    the_root,
)
from tests.support.decisions import analysis_of, line
from tests.support.outputs import (
    ALL,
    CONSOLE,
    HARD_NAMES,
    SAMPLES,
    UNUSED,
    analyzed_console,
    arns_bytes,
    exemptions_of,
    hard_names,
    name_lines,
    summary_text,
    table_text,
)
from tests.support.outputs import analysis_of as analyzed_users

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
    (a_user(password=a_password(USED)), "last used or set 500 days before as-of"),
    (a_user(password=a_password(), key_1=OLD_KEY), "last used or set 400 days before as-of"),
    (a_user(key_1=IN_USE), "last used or set 1 day before as-of"),
    (a_user(key_1=a_key(LONG_AGO, AS_OF)), "last used or set 0 days before as-of"),
    (a_user(password_enabled="?"), 'password_enabled "?" is not understood'),
)


def test_the_reason_is_in_words() -> None:
    rows = in_separate_accounts(user for user, _ in REASONS)
    listed = user_lists.user_rows(analyzed_users(rows), ALL)
    reasons = {row.account: row.reason_sentence for row in listed}
    assert [reasons[f"{at:012}"] for at in range(len(rows))] == [reason for _, reason in REASONS]
    strict = analyzed_users([a_user(key_1=an_inactive_key())], definition="iam-029")
    (row,) = user_lists.user_rows(strict, ALL)
    assert row.reason_sentence == NO_CREDENTIALS
    rows = [a_user(password=a_password(USED)), a_user(password=a_password(days_before(2)))]
    (row,) = user_lists.user_rows(analyzed_users(rows), ALL)
    assert row.reason_sentence == "another row of this ARN has another password_last_used"


def test_users_are_listed_by_verdict_certain_ones_first_then_the_oldest_exempt_ones_last() -> None:
    doubtful = a_certificate()
    people = [
        a_user("exempt", created=days_before(2000)),
        a_user("young", created=days_before(50)),
        a_user("idle", password=a_password(USED), created=days_before(3000)),
        a_user("doubtful", certificate_1=doubtful, created=days_before(1500)),
        a_user("old-b", created=days_before(900)),
        a_user("old-a", created=days_before(900)),
        a_user("odd", password_enabled="perhaps"),
        a_user("busy", key_1=a_key(LONG_AGO, AS_OF)),
    ]
    rows = user_lists.user_rows(analyzed_users(people, exemptions_of("*,exempt,Why,,")), ALL)
    expected = "old-a old-b young doubtful idle busy odd exempt"
    assert [row.user for row in rows] == expected.split()


@pytest.mark.no_cover
@pytest.mark.parametrize("more", ["1 more", "1 more."])
def test_a_row_holds_what_a_listing_shows(more: str) -> None:
    user = a_user("ann", created=days_before(10)) | {MORE_CREDENTIALS: more}
    exemptions = exemptions_of("*,ann,By design,,")
    analysis = analyzed_users([user], exemptions, columns=(*COLUMNS, MORE_CREDENTIALS))
    assert user_lists.user_rows(analysis, ALL) == [
        user_lists.UserRow(
            account=ACCOUNT,
            user="ann",
            verdict=Verdict.UNUSED,
            certainty="check",
            reason="no-credentials",
            caveats=(("more-credentials", "Has more credentials than the report lists: 1 more."),),
            exemption="By design",
            created=f"{days_before(10):%Y-%m-%dT%H:%M:%SZ}",
            idle_days=None,
            owner="",
            owner_left="",
            account_name="",
        )
    ]


AS_OF_OF_MANY = (
    "2025-06-16 03:10 to 2026-02-27 23:41 UTC (each report has its own; assumed for 6 of 6),"
    " 6 accounts in 6 reports"
)
DESCRIBED = {
    CONSOLE.name: "2026-03-01 09:30 UTC (from the file name), account 123456789012",
    "cli-envelope.json": (
        "2026-02-10 06:15 UTC (GeneratedTime, from AWS's answer), account 888899990000"
    ),
    "old-form.csv": (
        "2019-09-12 06:44 UTC (assumed: the newest timestamp in the report), account 777788889999"
    ),
    "organization": AS_OF_OF_MANY,
}


@pytest.mark.parametrize("sample", DESCRIBED)
def test_the_moment_is_told_with_its_source(sample: str) -> None:
    report = analyzer.load(SAMPLES / sample)
    assert headline.as_of_and_scope(report) == f"As of {DESCRIBED[sample]}"


def test_a_file_that_was_not_read_is_no_account() -> None:
    report = analyzed_users([]).report
    nowhere = UncoveredFile(account="", name="nosuch", reason="There is no such file.")
    denied = UncoveredAccount(account="999999999999", name="", reason="Denied.")
    for missing, words in (
        ((nowhere,), "account 012345678901, 1 file not read"),
        ((nowhere, denied), "1 of 2 accounts, 1 file not read"),
        ((denied,), "1 of 2 accounts"),
    ):
        scope = headline.as_of_and_scope(replace(report, not_covered=missing))
        assert scope == f"As of 2026-05-01 12:00 UTC (set with --as-of), {words}"


def test_verdicts_that_occur_are_counted_unused_first_and_unused_ones_always() -> None:
    counted = (Verdict.UNUSED, 26), (Verdict.RETIRED, 4), (Verdict.DORMANT, 6), (Verdict.ACTIVE, 7)
    expected = [*counted, (Verdict.UNDETERMINED, 4)]
    assert [*headline.verdict_counts(analyzed_console()).items()] == expected
    rows = [a_user(password=a_password(days_before(45)))]
    in_use = headline.verdict_counts(analyzed_users(rows, dormant_days=45))
    assert in_use == {Verdict.UNUSED: 0, Verdict.DORMANT: 1}


def test_notes_on_the_input_come_first_then_exemptions_that_expired_or_match_nobody() -> None:
    analysis = analyzed_console()
    assert analysis.report.notes
    assert headline.notes(analysis) == [
        *analysis.report.notes,
        "The exemption of oskar.lind in account 123456789012 expired on 2025-12-31.",
        "The exemption of departed-admin in account 123456789012 matches no user.",
    ]


@pytest.mark.no_cover
@pytest.mark.parametrize(("odd", "is_said"), [(1, False), (2, True)])
def test_that_most_users_are_undetermined_is_said_with_a_reason(odd: int, *, is_said: bool) -> None:
    words = ["WAHR"] * odd + ["true"] * (3 - odd)
    rows = [a_user(f"user{at}", password_enabled=word) for at, word in enumerate(words)]
    analysis = analyzed_users(rows)
    note = (
        "2 of 3 IAM users are undetermined, so this says little of them. One of the reasons:"
        ' password_enabled "WAHR" is not understood. Give the report as AWS made it.'
    )
    assert headline.notes(analysis) == [note] * is_said
    assert headline.notes(analysis.where(Filter(users=("user2",)))) == []


ANSWERS = (
    ((Verdict.UNUSED,), "1 of 3 IAM users is unused (1 to check), "),
    ((Verdict.RETIRED,), "0 of 3 IAM users are retired, "),
    ((Verdict.ACTIVE,), "2 of 3 IAM users are active (1 exempt), "),
    ((Verdict.UNUSED, Verdict.RETIRED), "3 IAM users: 1 unused (1 to check), "),
    ((Verdict.DORMANT, Verdict.RETIRED), "3 IAM users: none listed, "),
    (ALL, "3 IAM users: 1 unused (1 to check), 2 active (1 exempt), "),
)


@pytest.mark.no_cover
def test_the_answer_counts_the_listed_users_of_all() -> None:
    rows = [
        a_user("new", created=days_before(0.5)),
        *(a_user(name, key_1=a_key(LONG_AGO, AS_OF)) for name in ("ann", "bob")),
    ]
    analysis = analyzed_users(rows, exemptions_of("*,bob,Why,,"))
    scope = f"account {ACCOUNT} as of 2026-05-01 12:00 UTC (set with --as-of)"
    for verdicts, words in ANSWERS:
        assert next(headline.headlines(analysis, verdicts)) == f"{words}{scope}.", verdicts


def test_the_answer_says_what_became_of_the_decisions() -> None:
    seen = frozenset({"there", "late", "used"})
    on = (AS_OF - timedelta(days=40)).date()
    ledger = Ledger(
        lines=(
            line("delete", a_user("gone"), as_of=USED, same_second=seen),
            line("delete", a_user("late"), as_of=USED, on=on),
            line("delete", a_user("there"), as_of=USED),
            line("delete", a_user("used", password=a_password()), as_of=USED),
            line("keep", a_user("kept"), as_of=USED),
        )
    )
    others = (a_user("there"), a_user("late"), a_user("used", password=a_password(AS_OF)))
    sentence = "Decisions: 1 done, 2 not done, 1 changed since; 1 overdue."
    whole = analysis_of(*others, ledger=ledger)
    assert [*headline.headlines(whole, ALL)][1:] == [sentence]
    assert f"\n{sentence}\n" in table_text(whole, width=80)
    assert f"\n{sentence}\n" in summary_text(whole)
    part = whole.where(analyzer.Filter(users=("l*",)))
    assert f"\nDecisions on all users: {sentence.partition(' ')[2]}\n" in summary_text(part)


def test_one_user_is_not_called_users_and_others_are_counted_where_there_are_any() -> None:
    analysis = analyzed_users([a_user("ann")])
    assert next(headline.headlines(analysis, ALL)).startswith("1 IAM user: 1 unused, ")
    _, *others = headline.headlines(analysis, (Verdict.RETIRED,))
    assert others == ["Other users: 1 unused."]
    assert len([*headline.headlines(analysis, (Verdict.UNUSED,))]) == 1


def test_decisions_are_not_counted_where_nobody_is_to_go() -> None:
    for lines in ((), (line("keep", a_user("ann")),)):
        analysis = analysis_of(a_user("ann"), ledger=Ledger(lines=lines))
        assert not any("Decisions" in each for each in headline.headlines(analysis, ALL))


# Names and ARNs for pipes: one a line, of the users to act on


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
        left_out = user_lists.left_out_line(analysis, ALL, check=check)
        assert left_out == "Left out of the names: 1 with an active service-specific credential"


def test_a_user_that_has_only_the_name_may_have_a_live_service_credential() -> None:
    analysis = analyzed_users([a_user("BedrockAPIKey-a1b2"), a_user("ann")])
    assert arns_bytes(analysis, check=True).endswith(b"/ann\n")
    assert user_lists.left_out_line(analysis, ALL, check=True) == (
        "Left out of the names: 1 that may have an active service-specific credential"
    )


def test_a_user_without_an_arn_in_the_report_has_no_line() -> None:
    analysis = analyzed_users([a_user("ann")], columns=[each for each in COLUMNS if each != "arn"])
    assert arns_bytes(analysis, check=True) == b""
    assert user_lists.left_out_line(analysis, UNUSED, check=True) == (
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
    assert arns_bytes(analyzed_users(users), ALL).decode().split() == [
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
    one = analyzed_users(users, exemptions_of("*,break-*,By design,,"))
    assert name_lines(one) == ["ann", r"two\nlines"]
    other = a_user("bob") | {"arn": "arn:aws:iam::111122223333:user/bob"}
    many = analyzed_users([*users, other])
    assert name_lines(many)[::3] == ["012345678901/ann", "111122223333/bob"]
