"""The headline, the notes and the blind spots are in words, and say what people must know."""

from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest

import analyzer
from analyzer.analysis.filters import Filter
from analyzer.report.model import AccountName, NotCovered, UncoveredFile
from analyzer.terms import Verdict
from analyzer.writers import headline
from analyzer.writers.findings import findings_by_rule, findings_text, severity_counts_text
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    LONG_AGO,
    a_key,
    a_password,
    a_user,
    days_before,
    the_root,
)
from tests.support.decisions import analysis_of as decided_of
from tests.support.decisions import ledger_of, line
from tests.support.outputs import (
    ALL,
    CONSOLE,
    SAMPLES,
    analysis_of,
    analyzed_console,
    analyzed_sample,
    exemptions_of,
    summary_text,
    table_text,
)
from tests.support.workbook_texts import second_review

USED = days_before(500)
AS_OF_OF_MANY = (
    "2025-06-16 03:10 to 2026-02-27 23:41 UTC (each report has its own; assumed for 6 of 6),"
    " 6 accounts in 6 reports"
)
DESCRIBED = {
    CONSOLE.name: "2026-03-01 09:30 UTC (from the file name), account 123456789012",
    "report.json": (
        "2026-02-10 06:15 UTC (GeneratedTime, from AWS's answer), account 888899990000"
    ),
    "old-form.csv": (
        "2019-09-12 06:44 UTC (assumed: the newest timestamp in the report), account 777788889999"
    ),
    "organization": AS_OF_OF_MANY,
}


def test_the_moment_is_told_with_its_source() -> None:
    for sample, text in DESCRIBED.items():
        report = analyzed_sample(SAMPLES / sample).report
        assert headline.as_of_and_scope(report) == f"As of {text}"


def test_moments_of_one_minute_are_one() -> None:
    report = analysis_of([]).report
    (file,) = report.files
    files = tuple(replace(file, as_of=file.as_of + timedelta(seconds=each)) for each in (3, 59))
    text = headline.as_of_and_scope(replace(report, files=files))
    assert text.startswith("As of 2026-05-01 12:00 UTC (each report has its own), ")


def test_a_file_that_was_not_read_is_no_account() -> None:
    report = analysis_of([]).report
    nowhere = UncoveredFile(account="", name="nosuch", reason="There is no such file.")
    denied = NotCovered(account="999999999999", name="", reason="Denied.")
    for missing, words in (
        ((nowhere,), "account 012345678901, 1 file not read"),
        ((nowhere, denied), "1 of 2 accounts, 1 file not read"),
        ((denied,), "1 of 2 accounts"),
    ):
        scope = headline.as_of_and_scope(replace(report, not_covered=missing))
        assert scope == f"As of 2026-05-01 12:00 UTC (set with --as-of), {words}"


def test_verdicts_that_occur_are_counted_unused_first_and_unused_ones_always() -> None:
    counted = (Verdict.UNUSED, 26), (Verdict.RETIRED, 4), (Verdict.DORMANT, 6), (Verdict.ACTIVE, 8)
    expected = [*counted, (Verdict.UNDETERMINED, 3)]
    assert list(headline.verdict_counts(analyzed_console()).items()) == expected
    rows = [a_user(password=a_password(days_before(45)))]
    in_use = headline.verdict_counts(analysis_of(rows, idle_days=45))
    assert in_use == {Verdict.UNUSED: 0, Verdict.DORMANT: 1}


@pytest.mark.no_cover
def test_that_most_users_are_undetermined_is_said_with_a_reason() -> None:
    one, half, two = (
        analysis_of([a_user(f"user{n}", password_enabled=word) for n, word in enumerate(words)])
        for words in (("WAHR", "true", "true"), ("WAHR", "true"), ("WAHR", "WAHR", "true"))
    )
    note = (
        "2 of 3 IAM users are undetermined, so the counts say little. One of the reasons:"
        ' password_enabled "WAHR" is not understood. Give each report once, as AWS made it.'
    )
    assert list(map(headline.notes, (one, half, two))) == [[], [], [note]]
    assert headline.notes(two.where(Filter(users=("user2",)))) == []
    (note,) = headline.notes(two.where(Filter(users=("user1",))))
    assert note.startswith("1 of 1 IAM user is undetermined, so the counts say little. One of")


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
    rows = [a_user("new", created=days_before(0.5))] + [
        a_user(name, key_1=a_key(LONG_AGO, AS_OF)) for name in ("ann", "bob")
    ]
    analysis = analysis_of(rows, exemptions_of("*,bob,Why,,"))
    scope = f"account {ACCOUNT} as of 2026-05-01 12:00 UTC (set with --as-of)"
    for verdicts, words in ANSWERS:
        assert next(headline.headlines(analysis, verdicts)) == f"{words}{scope}.", verdicts
    one = analysis_of([a_user("ann")])
    assert next(headline.headlines(one, ALL)).startswith("1 IAM user: 1 unused, ")
    _, *others = headline.headlines(one, (Verdict.RETIRED,))
    assert others == ["Other users: 1 unused."]
    assert len(list(headline.headlines(one, (Verdict.UNUSED,)))) == 1


def test_the_answer_says_what_became_of_the_decisions() -> None:
    sentence = (
        "Decisions: 1 done, not as decided; 1 contested; 1 changed; 1 unknown; 1 open; 2 done;"
        " of these 1 not carried out."
    )
    whole = second_review()
    assert list(headline.headlines(whole, ALL))[1:] == [sentence]
    assert f"\n{sentence}\n" in table_text(whole, width=120)
    assert f"\n{sentence}\n" in summary_text(whole)
    part = whole.where(Filter(users=("l*",)))
    assert f"\nDecisions on all users: {sentence.partition(' ')[2]}\n" in summary_text(part)
    for lines in ((), (line("keep", a_user("ann")),)):
        analysis = decided_of(a_user("ann"), ledger=ledger_of(*lines))
        assert not any("Decisions" in each for each in headline.headlines(analysis, ALL))


def test_service_specific_credentials_are_no_blind_spot_where_each_account_has_its_list() -> None:
    (listed,) = analyzer.load(CONSOLE).files
    assert "service-specific" not in headline.blind_spots_line([listed])
    other = replace(listed, shows_service_credentials=False)
    assert "service-specific" in headline.blind_spots_line([listed, other])


def test_the_line_counts_users_and_findings_of_all_verdicts() -> None:
    analysis, stream = analysis_of([a_user("ann")]), BytesIO()
    headline.write_line(analysis, stream, [Verdict.UNUSED])
    assert stream.getvalue().decode() == (
        "1 of 1 IAM user is unused, account 012345678901 as of 2026-05-01 12:00 UTC"
        " (set with --as-of). Findings: 1 medium.\n"
    )
    known = {ACCOUNT: AccountName(name="two\nlines")}
    named = replace(analysis, report=replace(analysis.report, account_names=known))
    headline.write_line(named, stream, [Verdict.UNUSED])
    assert stream.getvalue().count(b"\n") == 2
    many = analysis_of([a_user(f"user{n}", created=days_before(1)) for n in range(1_000)])
    line_of_many, *_ = headline.headlines(many, ALL)
    assert line_of_many.startswith("1,000 IAM users: 1,000 unused (1,000 to check), ")
    assert severity_counts_text(many.rule_results) == "Findings: 1,000 medium"


def test_what_the_deletion_of_certain_users_closes_is_said_if_it_is_more_than_the_users() -> None:
    open_door = a_user("enters", password=a_password(), created=days_before(100))
    other_doors = (
        a_user("exempt", password=a_password(), created=days_before(100)),
        a_user("to-check", password=a_password(), created=days_before(1)),
        a_user("active", password=a_password(days_before(1)), created=days_before(100)),
    )
    for users, closes in (
        ([open_door], " Deleting the 1 certain unused user closes 3 of them."),
        ([open_door, *other_doors], " Deleting the 1 certain unused user closes 3 of them."),
        ([open_door, a_user("shut")], " Deleting the 2 certain unused users closes 4 of them."),
        ([a_user("shut")], ""),
        (other_doors, ""),
    ):
        results = analysis_of(users, exemptions_of("*,exempt,why,,")).rule_results
        assert findings_text(results) == f"{severity_counts_text(results)}.{closes}"


def test_an_undecided_finding_that_is_exempt_counts_as_exempt() -> None:
    analysis = analysis_of([a_user("odd", password_enabled="?")], exemptions_of("*,odd,why,,"))
    counts = [each.counts_text for each in findings_by_rule(analysis.rule_results)]
    assert counts == ["1 exempt"] * len(counts)


def test_no_findings_are_told_from_no_rules_and_from_findings_that_are_exempt() -> None:
    analysis = analysis_of([a_user("odd", created="?")], exemptions_of("*,odd,why,,"))
    noted = analysis_of([the_root("9" * 12, access_key_1_last_rotated=days_before(9))])
    for given, chosen, text in (
        (analysis, {"rules": "unused-user"}, "none (1 exempt)"),
        (analysis, {"rules": "two-active-access-keys"}, "none"),
        (noted, {"rules": "root-access-key"}, "none (1 noted)"),
    ):
        book = analyzer.rulebook(**chosen)  # type: ignore[arg-type]  # these two are enough
        results = replace(given, book=book).rule_results
        assert severity_counts_text(results) == f"Findings: {text}"


def test_a_report_without_iam_users_has_none() -> None:
    for verdicts in (ALL, [Verdict.UNUSED]):
        first, *_ = headline.headlines(analysis_of([]), verdicts)
        assert first.startswith(f"No IAM users, account {ACCOUNT} as of ")


def test_who_can_sign_in_with_mfa_alone_is_counted_without_a_remark() -> None:
    analysis = analysis_of([a_user("ann", password=a_password(), mfa=True)])
    (answer, *_) = headline.headlines(analysis, (Verdict.UNUSED,))
    assert "1 can still sign in, account" in answer


def test_a_part_without_rules_says_that_none_ran() -> None:
    whole = replace(analysis_of([a_user("ann")]), book=analyzer.rulebook(rules="root-used"))
    part = whole.where(Filter(users=("ann",)))
    assert severity_counts_text(part.rule_results) == "Findings: no rule ran"
