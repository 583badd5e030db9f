"""Exemptions excuse whom they name, until their last day, and never go unnoticed."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import analyzer
from analyzer.errors import InputRefused
from analyzer.judging.analysis import Analysis
from analyzer.lists.exemptions import ExemptionMatches
from analyzer.report.model import Exemption, Exemptions
from analyzer.writers import user_lists
from analyzer.writers.workbook.lists import exemption_frame
from tests.support.builders import (
    ACCOUNT,
    a_password,
    a_user,
    days_before,
    no_password,
    report_text,
    saved,
    the_root,
)
from tests.support.outputs import (
    HEADER_OF_EXEMPTIONS,
    analyzed,
    csv_rows,
    everything_shown,
    exemptions_of,
    json_document,
)
from tests.support.pages import of_users

OTHER_ACCOUNT = "123456789012"


def refusal(text: str) -> list[str]:
    with pytest.raises(InputRefused) as refused:
        analyzer.read_exemptions(("list.csv", text.encode()))
    return [str(problem).splitlines()[0] for problem in refused.value.problems]


def test_an_entry_holds_what_its_row_says_without_the_spaces_around() -> None:
    (entry,) = exemptions_of("012345678901, ann ,By design , Ops,2026-05-01")
    assert entry == Exemption("012345678901", "ann", "By design", "Ops", date(2026, 5, 1), 2)


READ = {
    "a byte-order mark": f"\ufeff{HEADER_OF_EXEMPTIONS}\n*,ann,why,,\n",
    "CRLF": f"{HEADER_OF_EXEMPTIONS}\r\n*,ann,why,,\r\n",
    "CR, of an old Mac": f"{HEADER_OF_EXEMPTIONS}\r*,ann,why,,\r",
    "no last newline": f"{HEADER_OF_EXEMPTIONS}\n*,ann,why,,",
    "cells left out at the end": f"{HEADER_OF_EXEMPTIONS}\n*,ann,why",
    "columns in another order": "owner,expires,reason,user,account\n,,why,ann,*\n",
    "more columns": "ticket,account,user,reason,owner,expires\nOPS-1,*,ann,why,,\n",
    "more columns, alike to those that are there": (
        "account,account_name,user,username,reason,owner,owner_email,expires,,\n*,,ann,,why\n"
    ),
    "spaces in the header": "account, user , reason,owner ,expires\n*,ann,why,,\n",
    "capitals in the header": "Account,USER,Reason,Owner,Expires,Rule\n*,ann,why,,,\n",
    "everything quoted": '"account","user","reason","owner","expires"\n"*","ann","why","",""\n',
    "empty rows": f"{HEADER_OF_EXEMPTIONS}\n\n,,,,\n*,ann,why,,\n\n , ,\n",
}


@pytest.mark.parametrize("form", READ)
def test_a_list_is_read_as_people_keep_it(form: str) -> None:
    (entry,) = analyzer.read_exemptions(("list.csv", READ[form].encode()))
    assert (entry.account, entry.user, entry.reason) == ("*", "ann", "why")
    assert (entry.owner, entry.expires) == ("", None)


def test_a_reason_may_hold_commas_quotes_and_lines() -> None:
    (entry,) = exemptions_of('*,ann,"By design, ""unused""\nsince 2020",,')
    assert entry.reason == 'By design, "unused"\nsince 2020'


def test_the_line_of_an_entry_counts_as_a_spreadsheet_does() -> None:
    entries = exemptions_of('*,a,"two\nlines",,', "", "*,b,why,,")
    assert [entry.line for entry in entries] == [2, 4]


def test_a_list_of_nobody_is_one() -> None:
    assert exemptions_of().entries == ()


REFUSED = {
    "no text": ("", ["row 1: missing: account, user, reason, owner, expires"]),
    "no header": ("*,ann,why,,\n", ["row 1: missing: account, user, reason, owner, expires"]),
    "a column less": ("account,user,owner,expires\n", ["row 1: missing: reason"]),
    "a column twice": (
        f"{HEADER_OF_EXEMPTIONS},rule,ticket,Rule,Ticket\n*,ann,why,,,unused-user,,,\n",
        [
            "row 1, column rule: the column is there twice",
            "row 1, column ticket: the column is there twice",
        ],
    ),
    "a column misspelt": (
        "account,user,reasons,owner,expires\n",
        [
            "row 1: missing: reason",
            "row 1, column reasons: the column looks like `reason`, misspelt",
        ],
    ),
    "a column misspelt beside the right one": (
        f"{HEADER_OF_EXEMPTIONS},rule,Rules\n",
        ["row 1, column rules: the column looks like `rule`, misspelt"],
    ),
    "all problems of all rows together": (
        f"{HEADER_OF_EXEMPTIONS}\n,ann,why,,\n*,,,,31.12.2026\n*,ann,why,,2026-02-30\n",
        [
            "row 2, column account: the cell is empty",
            "row 3, column user: the cell is empty",
            "row 3, column reason: the cell is empty",
            "row 3, column expires: not a date ('31.12.2026')",
            "row 4, column expires: not a date ('2026-02-30')",
        ],
    ),
    "dates in another form": (
        f"{HEADER_OF_EXEMPTIONS}\n*,a,why,,20260228\n*,b,why,,2026-W09-6\n*,c,why,,2026-2-8\n",
        [
            "row 2, column expires: not a date ('20260228')",
            "row 3, column expires: not a date ('2026-W09-6')",
            "row 4, column expires: not a date ('2026-2-8')",
        ],
    ),
    "a comma without quotes": (
        f"{HEADER_OF_EXEMPTIONS}\n*,ann,Security, unused by design,Ops,2026-12-31\n",
        ["row 2: the row has more cells than the header"],
    ),
    "a quote that is never closed": (
        f'{HEADER_OF_EXEMPTIONS}\n*,ann,"why,,\n*,bob,why,,\n',
        ["row 3: unexpected end of data"],
    ),
    "a quote that is closed in a later row": (
        f'{HEADER_OF_EXEMPTIONS}\n*,ann,"why,,\n*,bob,"why",,\n',
        ["row 3: ',' expected after '\"'"],
    ),
}


@pytest.mark.parametrize("sign", [";", "\t"], ids=["semicolons", "tabs"])
def test_a_list_that_a_spreadsheet_separated_otherwise_is_read(sign: str) -> None:
    text = "account,user,reason,owner,expires\n*,ann,why,,\n".replace(",", sign)
    (entry,) = analyzer.read_exemptions(("e.csv", text.encode()))
    assert (entry.user, entry.reason) == ("ann", "why")


@pytest.mark.parametrize("form", REFUSED)
def test_a_list_with_problems_is_refused_with_all_of_them(form: str) -> None:
    text, problems = REFUSED[form]
    assert refusal(text) == [f"list.csv, {problem}" for problem in problems]


MATCHES: tuple[tuple[str, str, Sequence[str]], ...] = (
    (ACCOUNT, "ann", ["ann"]),
    (ACCOUNT, "ANN", ["ann"]),
    (OTHER_ACCOUNT, "ann", []),
    (ACCOUNT[1:], "ann", []),
    ("*", "ann", ["ann"]),
    ("0123*", "ann", ["ann"]),
    ("????????????", "ann", ["ann"]),
    ("???", "ann", []),
    ("*", "an", []),
    ("*", "an?", ["ann"]),
    ("*", "a*", ["ann", "Anna.Lind", "AnnaXLind", "a,b", "A+B@c", "a_b=c"]),
    ("*", "*.lind", ["Anna.Lind"]),
    ("*", "anna?lind", ["Anna.Lind", "AnnaXLind"]),
    ("*", "anna.lind", ["Anna.Lind"]),
    ("*", "a+b@C", ["A+B@c"]),
    ("*", "a_b=c", ["a_b=c"]),
    ("*", "a,b", ["a,b"]),
    ("*", "[a-z]*", []),
    ("*", "ann|bob", []),
    ("*", "ann$", []),
    ("*", "^ann", []),
    ("*", "na", ["NA"]),
    ("*", "?", []),
)
NAMES = ("ann", "Anna.Lind", "AnnaXLind", "a,b", "A+B@c", "a_b=c", "bob", "NA")


def exempt_users(analysis: Analysis) -> list[str]:
    users = analysis.users
    return users.loc[users["exemption"] != "", "user"].tolist()


def test_star_and_question_mark_match_and_nothing_else_does() -> None:
    page = of_users(*map(a_user, NAMES))
    for account, user, expected in MATCHES:
        entry = Exemption(account, user, "why", "", None, 2)
        matches = ExemptionMatches(page, [entry])
        found = page.users.loc[matches.reason_codes() > 0, "user"].tolist()
        assert found == list(expected), entry
        assert matches.matched.tolist() == [len(expected)]


def test_a_star_matches_every_user_whatever_the_name_holds(tmp_path: Path) -> None:
    names = ["two\nlines", "tab\tstop", "zoë", "", "a" * 200]
    analysis = analyzed(tmp_path, map(a_user, names), exemptions_of("*,*,why,,"))
    assert exempt_users(analysis) == names


def test_the_first_entry_that_applies_gives_the_reason(tmp_path: Path) -> None:
    entries = exemptions_of("*,ann,expired,,2026-01-01", "*,a*,first,,", "*,ann,second,,")
    users = analyzed(tmp_path, [a_user("ann"), a_user("bob")], entries).users
    assert users["exemption"].tolist() == ["first", ""]


def test_a_list_gives_the_reason_before_a_decision_to_keep_the_user() -> None:
    page, created = of_users(a_user("ann"), a_user("bob")), days_before(1000)
    kept = [
        Exemption(ACCOUNT, name, "kept", "", None, 2, arn=arn, created=created)
        for name, arn in zip(page.users["user"], page.users["arn"], strict=True)
    ]
    listed = Exemption("*", "ann", "listed", "", None, 3)
    matches = ExemptionMatches(page, [*kept, listed])
    assert matches.verdict_reasons().tolist() == ["listed", "kept"]
    listed_alone = np.flatnonzero(matches.reason_codes("idle-password"))
    assert listed_alone.tolist() == [0]  # what is kept is exempt from being unused or retired


@pytest.mark.parametrize(("as_of", "applied"), [("01T23:59:59", 1), ("02T00:00:00", 0)])
def test_a_decision_to_keep_applies_up_to_the_end_of_its_last_day(as_of: str, applied: int) -> None:
    page, created = of_users(a_user("ann")), days_before(1000)
    later = page.with_users({"as_of": pd.Timestamp(f"2026-05-{as_of}Z").as_unit("s")})
    (arn,) = page.users["arn"]
    kept = Exemption(ACCOUNT, "ann", "kept", "", date(2026, 5, 1), 2, arn=arn, created=created)
    assert ExemptionMatches(later, [kept]).applied.tolist() == [applied]


def test_a_decision_to_keep_that_expired_is_named_while_its_user_is_there(tmp_path: Path) -> None:
    users, created = [a_user("ann")], days_before(1000)
    (arn,) = of_users(*users).users["arn"]
    ann, gone = (
        Exemption(ACCOUNT, name, "kept", "", date(2020, 1, 1), 2, arn=each, created=created)
        for name, each in (("ann", arn), ("gone", f"{arn}-gone"))
    )
    totals = analyzed(tmp_path, users, Exemptions((ann, gone))).totals
    assert [each.entry for each in totals.expired] == [ann]
    assert totals.unmatched == ()


def test_exempt_users_keep_their_verdict_and_are_counted_as_exempt(tmp_path: Path) -> None:
    users = [a_user("ann"), a_user("bob")]
    plain, excused = (
        analyzed(tmp_path, users, entries) for entries in ((), exemptions_of("*,ann,why,,"))
    )
    assert plain.users["verdict"].tolist() == excused.users["verdict"].tolist()
    assert excused.totals.users(analyzer.Verdict.UNUSED) == 2
    assert excused.totals.users(analyzer.Verdict.UNUSED, exempt=True) == 1
    assert excused.totals.users(analyzer.Verdict.UNUSED, exempt=False) == 1


@pytest.mark.no_cover
def test_many_entries_with_reasons_of_their_own_are_kept_apart(tmp_path: Path) -> None:
    names = [f"user{n:03}" for n in range(200)]
    entries = exemptions_of(*(f"*,{name},reason of {name},," for name in names))
    users = analyzed(tmp_path, map(a_user, names), entries).users
    assert users["exemption"].tolist() == [f"reason of {name}" for name in names]


def with_rules(*lines: str) -> Exemptions:
    header = "account,user,reason,owner,expires,rule"
    return analyzer.read_exemptions(("list.csv", "\n".join([header, *lines]).encode()))


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("", {"unused": "why", "retired": "why", "active": "why"}),
        ("unused-user", {"unused": "why", "retired": "", "active": ""}),
        ("retired-user", {"unused": "", "retired": "why", "active": ""}),
        ("idle-password", {"unused": "", "retired": "", "active": ""}),
    ],
)
def test_a_verdict_is_excused_by_its_rule_or_with_everything(
    tmp_path: Path, rule: str, expected: dict[str, str]
) -> None:
    users = [
        a_user("unused"),
        a_user("retired", password=no_password(days_before(400))),
        a_user("active", password=a_password(days_before(1))),
    ]
    found = analyzed(tmp_path, users, with_rules(f"*,*,why,,,{rule}")).users
    assert dict(zip(found["user"], found["exemption"], strict=True)) == expected


def test_a_finding_is_excused_by_its_own_rule_alone(tmp_path: Path) -> None:
    users = [a_user("ann", password=a_password(days_before(60)))]
    entries = with_rules("*,ann,travels,,,idle-password", "*,ann,expired,,2020-01-01,")
    found = analyzed(tmp_path, users, entries).rule_results.findings
    assert dict(zip(found["rule"], found["exemption"], strict=True)) == {
        "console-user-without-mfa": "",
        "idle-password": "travels",
    }


def test_the_first_entry_that_applies_to_the_rule_gives_the_reason(tmp_path: Path) -> None:
    users = [a_user("ann", password=a_password(days_before(60)))]
    entries = with_rules("*,ann,one,,,idle-password", "*,ann,all,,,", "*,ann,two,,,idle-password")
    found = analyzed(tmp_path, users, entries).rule_results.findings
    assert dict(zip(found["rule"], found["exemption"], strict=True)) == {
        "console-user-without-mfa": "all",
        "idle-password": "one",
    }


@pytest.mark.parametrize(
    ("account", "meant"),
    [
        ("12345678901", "012345678901"),
        ("123456789", "000123456789"),
        ("12345678", ""),
        (ACCOUNT, ""),
        ("1*", ""),
    ],
)
def test_an_account_without_its_leading_zeros_is_refused(account: str, meant: str) -> None:
    if not meant:
        assert exemptions_of(f"{account},ann,why,,")[0].account == account
        return
    with pytest.raises(InputRefused, match=f"12 digits .+\n.+Did you mean {meant}?"):
        exemptions_of(f"{account},ann,why,,")


def test_a_rule_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InputRefused) as refused:
        with_rules("*,ann,why,,,unused", "*,bob,why,,,unused-user")
    (problem,) = refused.value.problems
    assert (problem.row, problem.column, problem.value) == (2, "rule", "unused")
    assert "unused-user" in problem.hint


@pytest.mark.parametrize("column", ["rules", "rule_id", "rule id", "rulle", "ruel", "rule-name"])
def test_a_column_that_seems_to_name_the_rule_is_not_passed_over(column: str) -> None:
    text = f"{HEADER_OF_EXEMPTIONS},{column}\n*,ann,why,,,unused-user\n"
    assert refusal(text) == [
        f"list.csv, row 1, column {column}: the column looks like `rule`, misspelt"
    ]


def test_a_rule_counts_whatever_the_case_of_its_column() -> None:
    text = f"{HEADER_OF_EXEMPTIONS}, RULE \n*,ann,why,,,unused-user\n"
    (entry,) = analyzer.read_exemptions(("list.csv", text.encode()))
    assert entry.rule == "unused-user"


def test_an_entry_for_the_root_matches_it_and_no_user(tmp_path: Path) -> None:
    entries = with_rules(f"{ACCOUNT},<root_account>,why,,,root-used", "1*,<root_account>,why,,,")
    analysis = analyzed(tmp_path, [a_user("ann")], entries)
    assert exempt_users(analysis) == []
    assert analysis.totals.unmatched == entries[1:]


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("as_of", "applies"),
    [
        (datetime(2026, 4, 30, 23, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 5, 1, 0, 0, 0, tzinfo=UTC), True),
        (datetime(2026, 5, 1, 23, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 5, 2, 0, 0, 0, tzinfo=UTC), False),
        (datetime(2027, 5, 1, 0, 0, 0, tzinfo=UTC), False),
    ],
)
def test_an_entry_applies_up_to_the_end_of_its_last_day_in_utc(
    tmp_path: Path, as_of: datetime, *, applies: bool
) -> None:
    entries = exemptions_of("*,ann,why,,2026-05-01")
    path = saved(tmp_path, report_text([a_user("ann")]))
    analysis = analyzer.analyze(analyzer.load(path, as_of=as_of), exemptions=entries)
    assert exempt_users(analysis) == (["ann"] if applies else [])
    expired = [each.entry for each in analysis.totals.expired]
    assert expired == ([] if applies else [*entries])
    assert analysis.totals.unmatched == ()


def of_two_moments(folder: Path, *exemptions: str) -> Analysis:
    """Analyze reports of one account on the first and of another on the third of May."""
    for account, day in ((ACCOUNT, "01"), (OTHER_ACCOUNT, "03")):
        text = report_text([a_user("ann", account=account)], root=the_root(account))
        saved(folder, text, f"status_reports_2026-05-{day}T00-00-00+00-00.csv")
    return analyzer.analyze(analyzer.load(folder), exemptions=exemptions_of(*exemptions))


def test_each_user_is_excused_by_the_moment_of_its_own_report(tmp_path: Path) -> None:
    users = of_two_moments(tmp_path, "*,ann,why,,2026-05-02").users
    assert users.loc[users["exemption"] != "", "account"].tolist() == [ACCOUNT]


IN_PART = "The exemption of ann in account * expired on {} for 1 of its 2 users."
FOR_ALL = "The exemption of ann in account {} expired on {}."


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("entry", "applied", "note", "state"),
    [
        ("*,ann,why,,2026-04-30", 0, FOR_ALL.format("*", "2026-04-30"), "expired"),
        ("*,ann,why,,2026-05-01", 1, IN_PART.format("2026-05-01"), "expired in part"),
        ("*,ann,why,,2026-05-02", 1, IN_PART.format("2026-05-02"), "expired in part"),
        ("*,ann,why,,2026-05-03", 2, "", "applies"),
        ("0*,ann,why,,2026-05-01", 1, "", "applies"),
        ("1*,ann,why,,2026-05-02", 0, FOR_ALL.format("1*", "2026-05-02"), "expired"),
    ],
)
def test_an_entry_expires_by_the_moment_of_each_report_in_every_count_and_sheet(
    tmp_path: Path, entry: str, applied: int, note: str, state: str
) -> None:
    analysis = of_two_moments(tmp_path, entry)
    (row,) = exemption_frame(analysis).to_dict("records")
    assert len(exempt_users(analysis)) == applied == row["applied"]
    assert row["state"] == state
    assert [each for each in user_lists.notes(analysis) if "expired" in each] == [note] * bool(note)
    expired = json_document(analysis)["exemptions"]["expired"]
    assert [each["user"] for each in expired] == ["ann"] * bool(note)
    assert analysis.totals.unmatched == ()


def test_an_entry_for_the_root_expires_by_the_moment_of_its_report(tmp_path: Path) -> None:
    (entry,) = of_two_moments(tmp_path, "*,<root_account>,why,,2026-05-02").totals.expired
    assert (entry.matched, entry.applied) == (2, 1)


@pytest.mark.no_cover
def test_an_entry_for_every_user_is_named_while_it_applies_to_one(tmp_path: Path) -> None:
    for last_day, is_named in (("2026-04-30", False), ("2026-05-02", True)):
        notes = user_lists.notes(of_two_moments(tmp_path, f"*,*,why,,{last_day}"))
        assert any("applies to every user" in each for each in notes) == is_named


def test_an_entry_that_matches_nobody_and_expired_between_reports_is_said_to_match_nobody(
    tmp_path: Path,
) -> None:
    totals = of_two_moments(tmp_path, "*,gone,why,,2026-05-02").totals
    assert totals.expired == ()
    assert [each.user for each in totals.unmatched] == ["gone"]


def test_an_expired_entry_that_matches_nobody_is_named_once(tmp_path: Path) -> None:
    entries = exemptions_of("*,gone,why,,2020-01-01")
    totals = analyzed(tmp_path, [a_user("ann")], entries).totals
    assert ([each.entry for each in totals.expired], totals.unmatched) == ([*entries], ())


@pytest.mark.no_cover
def test_expired_and_unmatched_entries_are_named_and_exempt_users_shown_everywhere(
    tmp_path: Path,
) -> None:
    entries = exemptions_of("*,ann,Gone,,2026-04-30", "*,zoe,Left,,", "*,bob,By design,,")
    analysis = analyzed(tmp_path, [a_user("ann"), a_user("bob")], entries)
    for width in (None, 80, 160):
        text = " ".join(everything_shown(analysis, width=width).split())
        assert "The exemption of ann in account * expired on 2026-04-30." in text
        assert "The exemption of zoe in account * matches no user." in text
        assert "By design" in text
    document = json_document(analysis)
    assert [entry["user"] for entry in document["exemptions"]["expired"]] == ["ann"]
    assert [entry["user"] for entry in document["exemptions"]["unmatched"]] == ["zoe"]
    assert [user["exemption"] for user in document["users"]] == ["", "By design"]
    assert [row["exemption"] for row in csv_rows(analysis)] == ["", "By design"]


def test_an_entry_that_excuses_everybody_is_named(tmp_path: Path) -> None:
    entries = with_rules("*,**,Too easy,,,", "*,*,For now,,,idle-password", "*,*,Over,,2020-01-01,")
    analysis = analyzed(tmp_path, [a_user("ann")], entries)
    assert user_lists.notes(analysis)[-2:] == [
        (
            "The exemption of ** in account * applies to every user there (all verdicts and rules):"
            " Too easy"
        ),
        "The exemption of * in account * applies to every user there (idle-password): For now",
    ]
