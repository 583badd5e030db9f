"""Exemptions excuse whom they name, until their last day, and never go unnoticed."""

from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.errors import InputRefused
from analyzer.lists.exemptions import ExemptionMatches
from analyzer.report.model import Exemption, Exemptions
from analyzer.writers import headline
from tests.support.builders import (
    ACCOUNT,
    QUIET_PASSWORD,
    a_password,
    a_user,
    days_before,
    no_password,
    report_text,
    run,
    saved,
)
from tests.support.named_reports import load_named
from tests.support.outputs import HEADER_OF_EXEMPTIONS, analysis_of, exemptions_of
from tests.support.pages import of_users
from tests.support.reading import OTHER_ACCOUNT, of_account

ANN, BORN = a_user("ann"), days_before(1000)


def read(text: str) -> Exemptions:
    return analyzer.read_exemptions(("list.csv", text.encode()))


def with_rules(*lines: str) -> Exemptions:
    return read("\n".join([f"{HEADER_OF_EXEMPTIONS},rule", *lines]))


def exempt_users(analysis: Analysis) -> list[str]:
    users = analysis.users
    return users.loc[users["exemption"] != "", "user"].tolist()


def kept(user: str = "ann", last_day: date | None = None, arn: str = "") -> Exemption:
    """Return a decision to keep a user, as an entry."""
    arn = arn or str(a_user(user)["arn"])
    return Exemption(ACCOUNT, user, "kept", "", last_day, 2, arn=arn, created=BORN)


# The list

READ = {
    "a byte-order mark": f"\ufeff{HEADER_OF_EXEMPTIONS}\n*,ann,why,,\n",
    "CRLF": f"{HEADER_OF_EXEMPTIONS}\r\n*,ann,why,,\r\n",
    "CR, of an old Mac": f"{HEADER_OF_EXEMPTIONS}\r*,ann,why,,\r",
    "no last newline": f"{HEADER_OF_EXEMPTIONS}\n*,ann,why,,",
    "cells left out at the end": f"{HEADER_OF_EXEMPTIONS}\n*,ann,why",
    "spaces around": f"{HEADER_OF_EXEMPTIONS}\n*, ann ,why , ,",
    "columns in another order": "owner,expires,reason,user,account\n,,why,ann,*\n",
    "columns without a name": f"{HEADER_OF_EXEMPTIONS},,\n*,ann,why,,,,\n",
    "spaces in the header": "account, user , reason,owner ,expires\n*,ann,why,,\n",
    "capitals in the header": "Account,USER,Reason,Owner,Expires,Rule\n*,ann,why,,,\n",
    "everything quoted": '"account","user","reason","owner","expires"\n"*","ann","why","",""\n',
    "empty rows": f"{HEADER_OF_EXEMPTIONS}\n\n,,,,\n*,ann,why,,\n\n , ,\n",
    "semicolons": f"{HEADER_OF_EXEMPTIONS}\n*,ann,why,,\n".replace(",", ";"),
    "tabs": f"{HEADER_OF_EXEMPTIONS}\n*,ann,why,,\n".replace(",", "\t"),
    "user and reason alone": "reason,user\nwhy,ann\n",
}


@pytest.mark.parametrize("form", READ)
def test_a_list_is_read_as_people_keep_it(form: str) -> None:
    (entry,) = read(READ[form])
    assert (entry.account, entry.user, entry.reason) == ("*", "ann", "why")
    assert (entry.owner, entry.expires) == ("", None)


def test_an_entry_holds_what_its_row_says_and_the_line_as_a_spreadsheet_counts() -> None:
    reason = '"By design, ""unused""\nsince 2020"'
    first, second = exemptions_of(f"{ACCOUNT},ann,{reason},Ops,2026-05-01", "", "*,b,why,,")
    spelled = 'By design, "unused"\nsince 2020'
    assert first == Exemption(ACCOUNT, "ann", spelled, "Ops", date(2026, 5, 1), 2)
    assert second.line == 4
    assert exemptions_of().entries == ()
    assert read(f"{HEADER_OF_EXEMPTIONS}, RULE \n*,ann,why,,,unused-user")[0].rule == "unused-user"


COPIED = {"'=x": "=x", "'-b": "-b", "'x": "'x", "''=x": "''=x", "=x": "=x"}


def test_a_name_copied_from_users_csv_loses_the_apostrophe_before_a_formula() -> None:
    entries = exemptions_of(*(f"*,{cell},why,," for cell in COPIED))
    assert [entry.user for entry in entries] == list(COPIED.values())


ALL_MISSING = ["row 1: columns user, reason are missing"]
OTHER = "not a column of this list"
REASON_MISSING = "row 1: column reason is missing"
REFUSED: dict[str, tuple[str, list[str]]] = {
    "no text": ("", ALL_MISSING),
    "no header": (
        "*,ann,why,,\n",
        ALL_MISSING + [f"row 1, column {name}: {OTHER}" for name in ("*", "ann", "why")],
    ),
    "a column less": ("account,user,owner,expires\n", [REASON_MISSING]),
    "columns that are not of the list": (
        "user,reason,konto,end date\nann,why,1,2026-01-01\n",
        [f"row 1, column konto: {OTHER}", f"row 1, column end date: {OTHER}"],
    ),
    "a cell under no name": (
        f"{HEADER_OF_EXEMPTIONS},\n*,ann,why,,,OPS-1\n",
        ["row 2: the column of this cell has no name ('OPS-1')"],
    ),
    "an account that is empty": (
        "account,user,reason\n,ann,why\n",
        ["row 2, column account: the cell is empty"],
    ),
    "a column twice": (
        f"{HEADER_OF_EXEMPTIONS},rule,Rule,Owner\n*,ann,why,,,unused-user,,\n",
        [f"row 1, column {name}: the column is there twice" for name in ("owner", "rule")],
    ),
    "a column misspelt": (
        "account,user,reasons,owner,expires\n",
        [REASON_MISSING, f"row 1, column reasons: {OTHER}"],
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
            f"row {row}, column expires: not a date ('{text}')"
            for row, text in enumerate(("20260228", "2026-W09-6", "2026-2-8"), 2)
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


@pytest.mark.parametrize("form", REFUSED)
def test_a_list_with_problems_is_refused_with_all_of_them(form: str) -> None:
    text, problems = REFUSED[form]
    with pytest.raises(InputRefused) as refused:
        read(text)
    shown = [str(problem).splitlines()[0] for problem in refused.value.problems]
    assert shown == [f"list.csv, {problem}" for problem in problems]


def test_an_account_without_its_leading_zeros_is_refused() -> None:
    for account, meant in (("12345678901", "012345678901"), ("123456789", "000123456789")):
        with pytest.raises(InputRefused, match=f"12 digits .+\n.+Did you mean {meant}?"):
            exemptions_of(f"{account},ann,why,,")
    for account in ("12345678", ACCOUNT, "1*"):
        assert exemptions_of(f"{account},ann,why,,")[0].account == account


def test_a_rule_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InputRefused) as refused:
        with_rules("*,ann,why,,,unused", "*,bob,why,,,unused-user")
    (problem,) = refused.value.problems
    assert (problem.row, problem.column, problem.value) == (2, "rule", "unused")
    assert "unused-user" in problem.hint


def test_what_to_write_in_an_empty_cell_or_for_a_day_is_said() -> None:
    for entry, hint in (
        ("*,,why,,", r"Name the account and the user \(`\*` means any\), and the reason\."),
        ("*,ann,why,,soon", "Write the last day on which it applies as YYYY-MM-DD, or nothing"),
    ):
        with pytest.raises(InputRefused, match=hint):
            exemptions_of(entry)


# Whom an entry excuses

NAMES = (
    ("ann", "Anna.Lind", "AnnaXLind", "a,b", "A+B@c")
    + ("a_b=c", "bob", "NA", "two\nlines", "")
    + ("end\n", "\N{KELVIN SIGN}ey", "other")
)
"""Names of users, the last of them in another account."""
MATCHES: tuple[tuple[str, str, Sequence[str]], ...] = (
    (ACCOUNT, "ann", ["ann"]),
    (ACCOUNT, "ANN", ["ann"]),
    (OTHER_ACCOUNT, "ann", []),
    (OTHER_ACCOUNT, "*", ["other"]),
    ("1111*", "o*", ["other"]),
    (ACCOUNT, "o*", []),
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
    ("*", "two*", ["two\nlines"]),
    ("*", "end", []),
    ("*", "*\n", ["end\n"]),
    ("*", "k*", ["\N{KELVIN SIGN}ey"]),
    ("*", "\N{KELVIN SIGN}*", ["\N{KELVIN SIGN}ey"]),
    ("*", "", [""]),
    ("*", "*", NAMES),
    ("*", "**", NAMES),
)


def test_star_and_question_mark_match_and_nothing_else_does() -> None:
    page = of_users(*map(a_user, NAMES[:-1]), a_user(NAMES[-1], account=OTHER_ACCOUNT))
    for account, user, expected in MATCHES:
        entry = Exemption(account, user, "why", "", None, 2)
        matches = ExemptionMatches(page, [entry])
        found = page.users.loc[matches.reason_codes() > 0, "user"].tolist()
        assert found == list(expected), entry
        assert matches.matched.tolist() == [len(expected)]


def test_a_list_gives_the_reason_before_a_decision_to_keep_the_user() -> None:
    page = of_users(ANN, a_user("bob"))
    listed = Exemption("*", "ann", "listed", "", None, 3)
    matches = ExemptionMatches(page, [kept(), kept("bob"), listed])
    assert matches.verdict_reasons().to_pylist() == ["listed", "kept"]
    listed_alone = np.flatnonzero(matches.reason_codes("idle-password"))
    assert listed_alone.tolist() == [0]  # what is kept is exempt from being unused or retired


LAST_DAY = date(2026, 5, 1)
MOMENTS = {
    "2026-04-30T23:59:59": True,
    "2026-05-01T00:00:00": True,
    "2026-05-01T23:59:59": True,
    "2026-05-02T00:00:00": False,
}


def test_an_entry_and_a_decision_to_keep_apply_up_to_the_end_of_their_last_day() -> None:
    page = of_users(*(a_user(f"u{at}") for at, _ in enumerate(MOMENTS)))
    moments = pd.to_datetime(list(MOMENTS), utc=True).tz_localize(None).to_numpy("M8[s]")
    page = page.of_files(np.arange(len(MOMENTS)), moments)
    listed = [Exemption("*", "*", "why", "", LAST_DAY, 2)]
    for entries in (listed, [kept(f"u{at}", LAST_DAY) for at, _ in enumerate(MOMENTS)]):
        matches = ExemptionMatches(page, entries)
        reasons = matches.verdict_reasons().to_pylist()
        assert [reason != "" for reason in reasons] == list(MOMENTS.values())
        assert (matches.matched.sum(), matches.applied.sum()) == (4, 3)


def test_a_decision_to_keep_that_expired_is_named_while_its_user_is_there() -> None:
    ann, gone = kept(last_day=date(2020, 1, 1)), kept("gone", date(2020, 1, 1))
    totals = analysis_of([ANN], Exemptions((ann, gone))).totals
    assert [each.entry for each in totals.expired] == [ann]
    assert totals.unmatched == ()


@pytest.mark.no_cover
def test_many_entries_with_reasons_of_their_own_are_kept_apart() -> None:
    names = [f"user{n:03}" for n in range(130)]
    entries = [Exemption("*", name, f"reason of {name}", "", None, 2) for name in names]
    reasons = ExemptionMatches(of_users(*map(a_user, names)), entries).verdict_reasons()
    assert reasons.to_pylist() == [f"reason of {name}" for name in names]


# From which rule

UNUSED, RETIRED = a_user("unused"), a_user("retired", password=no_password(days_before(400)))
ACTIVE = a_user("active", password=QUIET_PASSWORD)
BY_RULE = {
    "": ["why", "why", "why"],
    "unused-user": ["why", "", ""],
    "retired-user": ["", "why", ""],
    "idle-password": ["", "", ""],
}


def test_a_verdict_is_excused_by_its_rule_or_with_everything() -> None:
    page = of_users(UNUSED, RETIRED, ACTIVE)
    for rule, reasons in BY_RULE.items():
        entry = Exemption("*", "*", "why", "", None, 2, rule)
        assert ExemptionMatches(page, [entry]).verdict_reasons().to_pylist() == reasons


def test_a_finding_is_excused_by_the_first_entry_that_applies_to_its_rule() -> None:
    idle = [a_user(name, password=a_password(*[days_before(90)] * 2)) for name in ("ann", "bob")]
    of_ann = ["*,ann,travels,,,idle-password", "*,ann,expired,,2020-01-01,"]
    of_bob = ["*,bob,1,,,idle-password", "*,bob,all,,,", "*,bob,2,,,idle-password"]
    found = analysis_of(idle, with_rules(*of_ann, *of_bob)).rule_results.findings
    cells = (found[name].astype(str) for name in ("user", "rule", "exemption"))
    assert {(user, rule): reason for user, rule, reason in zip(*cells, strict=True)} == {
        ("ann", "console-user-without-mfa"): "",
        ("ann", "idle-password"): "travels",
        ("bob", "console-user-without-mfa"): "all",
        ("bob", "idle-password"): "1",
    }


def test_an_entry_for_the_root_matches_it_and_no_user() -> None:
    entries = with_rules(f"{ACCOUNT},<root_account>,why,,,root-used", "1*,<root_account>,why,,,")
    analysis = analysis_of([ANN], entries)
    assert exempt_users(analysis) == []
    assert analysis.totals.unmatched == entries[1:]


# Until when


@cache
def of_two_moments(*exemptions: str, users: Sequence[str] = ("ann",)) -> Analysis:
    """Analyze reports of one account on the first and of another on the third of May."""
    reports = (
        (
            f"status_reports_2026-05-{day}T00-00-00+00-00.csv",
            of_account(account, *map(a_user, users)).encode(),
        )
        for account, day in ((ACCOUNT, "01"), (OTHER_ACCOUNT, "03"))
    )
    return analyzer.analyze(load_named(*reports), exemptions=exemptions_of(*exemptions))


EXPIRY = {
    "*,a,why,,2026-04-30": (0, "expired"),
    "*,b,why,,2026-05-01": (1, "expired in part"),
    "*,c,why,,2026-05-02": (1, "expired in part"),
    "*,d,why,,2026-05-03": (2, "applies"),
    "0*,e,why,,2026-05-01": (1, "applies"),
    "1*,f,why,,2026-05-02": (0, "expired"),
}
EXPIRED = {
    "a": "account * expired on 2026-04-30.",
    "b": "account * expired on 2026-05-01 for 1 of its 2 users.",
    "c": "account * expired on 2026-05-02 for 1 of its 2 users.",
    "f": "account 1* expired on 2026-05-02.",
}


def test_an_entry_expires_by_the_moment_of_each_report_in_every_count() -> None:
    analysis = of_two_moments(*EXPIRY, users="abcdef")
    exempt = analysis.users[analysis.users["exemption"] != ""].groupby("user")["account"]
    accounts = {user: list(accounts) for user, accounts in exempt}
    both = [ACCOUNT, OTHER_ACCOUNT]
    assert accounts == {"b": both[:1], "c": both[:1], "d": both, "e": both[:1]}
    notes = [f"The exemption of {user} in {note}" for user, note in EXPIRED.items()]
    assert [each for each in headline.notes(analysis) if "expired" in each] == notes
    assert [each.entry.user for each in analysis.totals.expired] == list(EXPIRED)
    assert analysis.totals.unmatched == ()


def test_an_entry_for_the_root_expires_by_the_moment_of_its_report() -> None:
    (entry,) = of_two_moments("*,<root_account>,why,,2026-05-02").totals.expired
    assert (entry.matched, entry.applied) == (2, 1)
    assert "for 2 of its 3 users" in entry._replace(matched=3).expiry_sentence


def test_an_entry_for_every_user_is_named_while_it_applies_to_one() -> None:
    for last_day, is_named in (("2026-04-30", False), ("2026-05-02", True)):
        notes = headline.notes(of_two_moments(f"*,*,why,,{last_day}"))
        assert any("applies to every user" in each for each in notes) == is_named
    entries = with_rules("*,**,Too easy,,,", "*,*,For now,,,idle-password", "*,*,Over,,2020-01-01,")
    everybody = "The exemption of {} in account * applies to every user there ({}): {}"
    assert headline.notes(analysis_of([ANN], entries))[-2:] == [
        everybody.format("**", "all verdicts and rules", "Too easy"),
        everybody.format("*", "idle-password", "For now"),
    ]


def test_an_entry_that_matches_nobody_is_named_once_as_expired_where_it_is_for_all() -> None:
    totals = of_two_moments("*,gone,why,,2026-05-02").totals
    assert (totals.expired, [each.user for each in totals.unmatched]) == ((), ["gone"])
    entries = exemptions_of("*,gone,why,,2020-01-01")
    totals = analysis_of([ANN], entries).totals
    assert ([each.entry for each in totals.expired], totals.unmatched) == (list(entries), ())


def test_decisions_to_keep_that_ended_are_one_note_however_many() -> None:
    names, ended = [f"user-{at}" for at in range(7)], date(2020, 1, 1)
    listed = Exemption("*", "user-0", "why", "", ended, 2)
    for number, note in (
        (1, "1 keep has ended, decide again: user-0."),
        (7, "7 keeps have ended, decide again: user-0, user-1, user-2, user-3, user-4 and 2 more."),
    ):
        keeps = (kept(name, ended) for name in names[:number])
        analysis = analysis_of(list(map(a_user, names)), Exemptions((*keeps, listed)))
        ends = [each for each in headline.notes(analysis) if "ended" in each or "expired" in each]
        assert ends == ["The exemption of user-0 in account * expired on 2020-01-01.", note]


def test_an_entry_of_exempt_is_one_for_every_account_besides_those_of_the_list(
    tmp_path: Path,
) -> None:
    saved(tmp_path, report_text([a_user("ann"), a_user("bob"), a_user("eve")]))
    saved(tmp_path, "user,reason\nbob,listed\n", "list.csv")
    words = ("--exemptions", "list.csv", "--exempt", "?o?=by option", "--exempt=ann=a, b = c")
    done = run("analyze", "report.csv", *words, "-q", "-f", "json", folder=tmp_path)
    exempt = {user["user"]: user["exemption"] for user in done.document["users"]}
    assert exempt == {"ann": "a, b = c", "bob": "listed", "eve": ""}
    shown = done.document["exemptions"]["by_option"]
    assert [(entry["account"], entry["user"]) for entry in shown] == [("*", "?o?"), ("*", "ann")]
    text = run("explain", "bob", "report.csv", *words, "-q", folder=tmp_path).output.decode()
    assert "\n  row 2: bob: listed\n  --exempt: ?o?: by option\n" in text
    for wrong in ("ann", "=why", "ann=", " = "):
        done = run("analyze", "report.csv", "--exempt", wrong, folder=tmp_path)
        assert (done.code, f"'{wrong}': write PATTERN=REASON" in done.messages) == (2, True)
