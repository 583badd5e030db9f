"""Every user counts once: the same report twice, an older report, a row that stands there twice.

What cannot be told, which report is newer, whose it is, which row counts, is refused.
"""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import analyzer
from analyzer.errors import InputRefused, Problem
from analyzer.report.report import Report
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    COLUMNS_OF_2014,
    a_key,
    a_password,
    a_user,
    days_before,
    report_text,
    run,
)
from tests.support.decisions import console_name as console
from tests.support.named_reports import load_named
from tests.support.reading import (
    ANN,
    BOB,
    HEADER,
    OTHER_ACCOUNT,
    PLAIN,
    ROOT,
    TWO_USERS,
    VERDICTS,
    envelope,
    lines,
    of_account,
    problem_of,
    problems_of,
    put,
    refused,
    report_of,
    rows,
    verdicts,
    with_cells,
)

THIRD_ACCOUNT = "222233334444"
ONCE = "report.csv: 1 row repeats a user of another row: each user counts once."
OLDER = report_text([a_user("ann"), a_user("gone")])
OTHER_PASSWORD = report_text([a_user("ann", password=a_password(days_before(9))), a_user("bob")])
Named = tuple[str, str | bytes]


def loaded(*files: Named, as_of: datetime | None = None) -> Report:
    """Load reports that lie in files of these names."""
    named = ((name, text.encode() if isinstance(text, str) else text) for name, text in files)
    return load_named(*named, as_of=as_of)


def refusals(*files: Named) -> tuple[Problem, ...]:
    """Return the problems for which reports in files of these names are refused."""
    named = ((name, text.encode() if isinstance(text, str) else text) for name, text in files)
    with pytest.raises(InputRefused) as refusal:
        load_named(*named)
    return refusal.value.problems


def in_both_orders(*files: Named) -> Report:
    """Load reports, which say the same in the other order."""
    one, other = loaded(*files), loaded(*files[::-1])
    assert (names(one), notes_of(one)) == (names(other), notes_of(other))
    assert verdicts(one) == verdicts(other)
    assert [file.as_of for file in one.files] == [file.as_of for file in other.files]
    return one


def names(report: Report) -> list[str]:
    return [Path(file.name).name for file in report.files]


def notes_of(report: Report) -> list[str]:
    """Return the notes, but the one on an assumed as-of."""
    return [note for note in report.notes if not note.startswith("No generation time")]


def counts(report: Report) -> dict[str, tuple[int, int, int, int]]:
    """Return by account how many rows, roots, repeated rows and users are said to be there."""
    every = [account for file in report.files for account in file.accounts]
    assert len({each.account for each in every}) == len(every)
    users = report.users.groupby("account").size().to_dict()
    assert users == {each.account: each.user_count for each in every if each.user_count}
    return {each.account: (each.rows, each.roots, each.repeated, each.user_count) for each in every}


# The same report


def test_the_same_report_or_file_twice_counts_once_and_is_said(tmp_path: Path) -> None:
    report = loaded(("a.csv", PLAIN), ("b.csv", PLAIN))
    assert (verdicts(report), names(report)) == (VERDICTS, ["a.csv"])
    assert notes_of(report) == ["b.csv is the same report as a.csv: counted once."]
    path = put(tmp_path, PLAIN)
    report = analyzer.load(path, tmp_path)
    assert verdicts(report) == VERDICTS
    assert notes_of(report) == [f"{path} is the same report as {path}: counted once."]


def test_of_the_same_report_the_newest_known_moment_counts_then_the_stronger_source() -> None:
    def by(source: str, moment: datetime) -> Named:
        name = {"name": "", "envelope": "json/"}[source] + console(moment)
        return name, PLAIN if source == "name" else envelope(PLAIN, moment)

    old = days_before(180)
    for first, last in (("name", "envelope"), ("envelope", "name")):
        older, newer = by(first, old), by(last, AS_OF)
        report = in_both_orders(older, newer)
        assert [(file.name, file.as_of) for file in report.files] == [(newer[0], AS_OF)]
        assert notes_of(report) == [f"{older[0]} is the same report as {newer[0]}: counted once."]
        assert report.users["as_of"].unique().tolist() == [AS_OF]
    equal = in_both_orders(("report.json", envelope(PLAIN, AS_OF)), by("name", AS_OF))
    assert names(equal) == ["report.json"]
    known = in_both_orders(("plain.csv", PLAIN), by("name", old))
    assert [file.as_of for file in known.files] == [old]


def evidence_beside(report: Path, *services: tuple[str, str]) -> str:
    """Save who has which live service-specific credentials, and return the file's name."""
    told = [{"UserName": user, "Status": "Active", "ServiceName": name} for user, name in services]
    text = json.dumps({"ServiceSpecificCredentials": told})
    return str(put(report.parent, text, f"{report.name}.service-credentials.json"))


def evidence_in(report: Report) -> tuple[dict[str, str], list[str]]:
    """Return the services of each user's live credentials, and the files that tell them."""
    users, told = report.users, [file.service_credentials for file in report.files]
    services = dict(zip(users["user"], users["service_credentials"], strict=True))
    return services, [each.name for each in told if each]


def test_a_credential_that_is_live_in_the_evidence_of_any_copy_counts(tmp_path: Path) -> None:
    copies = [put(tmp_path, PLAIN, f"{name}.csv") for name in "abcd"]
    evidence = evidence_beside(copies[0], ("bob", "s"), ("bob", "a"))
    evidence_beside(copies[1], ("bob", "k"), ("ann", "z"), ("bob", "a"))
    evidence_beside(copies[2])
    assert evidence_in(analyzer.load(*copies)) == ({"ann": "z", "bob": "a, k, s"}, [evidence])


def test_a_report_saved_again_in_another_form_counts_once() -> None:
    for again in (
        PLAIN.replace("\n", "\r\n").replace(",", ";") + "\r\n",
        report_text(TWO_USERS, form="+00:00").replace("e,", "E,"),
        report_text(TWO_USERS, form=".5Z"),
    ):
        parts = (f"a/{console(AS_OF)}", PLAIN), (f"b/{console(AS_OF)}", again)
        report = loaded(*parts)
        assert verdicts(report) == VERDICTS
        repeat = f"b/{console(AS_OF)}: 3 rows repeat users of another row: each user counts once."
        assert notes_of(report) == [repeat]


def test_of_lists_beside_copies_the_newest_counts_and_shows_who_has_none_if_it_is_of_the_report(
    tmp_path: Path,
) -> None:
    old, new, undated = (
        put(tmp_path, PLAIN, name) for name in (console(days_before(7)), console(AS_OF), "a.csv")
    )
    two_accounts = put(tmp_path, lines(PLAIN, of_account(OTHER_ACCOUNT, a_user("ann"))), "b.csv")
    lists = {each: evidence_beside(each, ("bob", "s")) for each in (old, undated, two_accounts)}

    def shown(*reports: Path) -> tuple[str, str, bool]:
        report = analyzer.load(*reports)
        services, (name,) = evidence_in(report)
        return services["bob"], name, report.files[0].shows_service_credentials

    assert shown(old) == ("s", lists[old], True)
    assert shown(old, new) == ("s", lists[old], False)
    newer = evidence_beside(new)
    assert shown(old, new) == ("", newer, True)
    assert shown(old, new, undated) == ("s", newer, True)
    assert shown(two_accounts) == ("s", lists[two_accounts], False)


def test_copies_of_earlier_moments_are_among_the_older_reports_each_with_its_own_lists(
    tmp_path: Path,
) -> None:
    old, new, undated = (
        put(tmp_path, PLAIN, name) for name in (console(days_before(7)), console(AS_OF), "a.csv")
    )
    evidence_beside(old, ("bob", "s"))
    again = put(tmp_path, PLAIN, f"again/{old.name}")
    evidence_beside(again, ("bob", "a"))
    report = analyzer.load(old, again, new, undated)
    assert report.older
    (file,), (copy,) = report.files, report.older.files
    assert (file.as_of, copy.as_of) == (AS_OF, days_before(7))
    assert evidence_in(report.older)[0] == evidence_in(report)[0] == {"ann": "", "bob": "a, s"}
    assert (file.has_older_list, copy.has_older_list) == (True, False)
    assert (file.shows_service_credentials, copy.shows_service_credentials) == (False, True)
    evidence_beside(undated, ("bob", "s"))
    other = analyzer.load(new, undated)
    assert (other.older, other.files[0].has_older_list) == (None, False)


# Reports of several moments


def test_of_two_reports_the_newest_counts_and_the_other_is_named_with_both_moments() -> None:
    for name, told in (
        (console(days_before(30)), "2026-04-01 12:00 UTC"),
        ("2026-04-28/a.csv", "2026-04-28 23:59 UTC, or earlier"),
    ):
        later = lines(PLAIN, BOB.replace("bob", "eve"))
        report = in_both_orders((name, PLAIN), (console(AS_OF), later))
        assert names(report) == [console(AS_OF)]
        why = f"{console(AS_OF)} is newer (2026-05-01 12:00 UTC)."
        assert notes_of(report) == [f"{name} ({told}) is not counted for account {ACCOUNT}: {why}"]
    second = AS_OF + timedelta(seconds=1)
    assert verdicts(loaded((console(AS_OF), OLDER), (f"sub/{console(second)}", PLAIN))) == VERDICTS


def test_of_reports_that_overlap_each_account_counts_where_it_is_newest() -> None:
    others = of_account(OTHER_ACCOUNT, a_user("eve"), a_user("a,b")).replace('"', "")
    first = lines(OLDER, others, of_account(THIRD_ACCOUNT, a_user("old")))
    second = lines(PLAIN, of_account(THIRD_ACCOUNT, a_user("new")))
    report = loaded((console(days_before(30)), first), (console(AS_OF), second))
    assert verdicts(report) == (VERDICTS | dict.fromkeys(("eve", "a,b", "new"), "unused"))
    expected = {ACCOUNT: (3, 1, 0, 2), OTHER_ACCOUNT: (3, 1, 0, 2), THIRD_ACCOUNT: (2, 1, 0, 1)}
    assert counts(report) == expected
    note, mended = notes_of(report)
    assert f"is not counted for accounts {ACCOUNT}, {THIRD_ACCOUNT}: " in note
    comma = "1 row has a comma in the user name without quotes: read as the name."
    assert mended == f"{console(days_before(30))}: {comma}"


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_an_account_of_another_partition_is_another_account_though_its_number_is_the_same(
    partition: str,
) -> None:
    other = lines(PLAIN, BOB.replace("bob", "eve")).replace(":aws:", f":{partition}:")
    report = in_both_orders((console(days_before(30)), PLAIN), (console(AS_OF), other))
    named = f"{partition}:{ACCOUNT}"
    assert counts(report) == {ACCOUNT: (3, 1, 0, 2), named: (4, 1, 0, 3)}
    assert report.accounts == {ACCOUNT, named}
    assert (len(report.files), report.older) == (2, None)
    assert not any("is not counted" in note for note in notes_of(report))
    of_user = report.users.groupby("account", observed=True)["user"].agg(list).to_dict()
    assert of_user == {ACCOUNT: ["ann", "bob"], named: ["ann", "bob", "eve"]}


# Reports of which it is not known which is newer

DAY = f"{AS_OF:%Y-%m-%d}"
UNKNOWN_ORDER = {
    "one without a time": ("undated.csv", console(AS_OF)),
    "both without a time": ("undated.csv", "x.csv"),
    "one with a day alone on that day": (f"{DAY}/a.csv", console(AS_OF)),
    "both with that day alone": (f"{DAY}/a.csv", f"{DAY}/b.csv"),
}
PUT_A_DATE = "Put the date in the name of the file or its folder, such as 2026-02-02,"


@pytest.mark.parametrize("both", UNKNOWN_ORDER.values(), ids=UNKNOWN_ORDER)
def test_different_reports_of_an_account_without_an_order_are_refused_and_both_named(
    both: tuple[str, str],
) -> None:
    later = report_text([a_user("ann", password=a_password(days_before(1)))])
    for texts in ((PLAIN, later), (later, PLAIN)):
        (found,) = refusals(*zip(both, texts, strict=True))
        assert set(both) == {name for name in both if name in found.file + found.message}
        assert "perhaps newer than" in found.message
        assert f", another report of account {ACCOUNT}" in found.message
        assert found.hint.startswith(PUT_A_DATE)
    same = loaded(*((name, PLAIN) for name in both))
    assert verdicts(same) == VERDICTS
    others = loaded((both[0], PLAIN), (both[1], of_account(OTHER_ACCOUNT, a_user("eve"))))
    assert verdicts(others) == {**VERDICTS, "eve": "unused"}
    assert verdicts(loaded((console(days_before(99)), PLAIN), (console(AS_OF), later)))


def test_reports_without_an_order_are_refused_in_one_message_of_their_account(
    tmp_path: Path,
) -> None:
    paths = [
        put(tmp_path, report_text([a_user(name, created=days_before(9 - day))]), f"{name}.csv")
        for day, name in enumerate(("jan", "feb", "mar", "apr"))
    ]
    *older, newest = paths
    (found,) = refused(tmp_path)
    assert found.file.startswith("3 reports (")
    assert all(str(path) in found.file for path in older)
    assert str(newest) in found.message
    done = run("analyze", tmp_path, "--skip-unreadable")
    assert done.code == 5
    for path in older:
        assert f"{path} is not covered: perhaps newer than {newest}" in done.message_line


# Rows of one user


def test_a_row_that_stands_there_twice_counts_once_and_is_said() -> None:
    report = report_of(lines(PLAIN, BOB))
    assert (verdicts(report), rows(report)) == (VERDICTS, {"ann": 3, "bob": 4})
    assert (counts(report), notes_of(report)) == ({ACCOUNT: (4, 1, 1, 2)}, [ONCE])
    roots = report_of(lines(PLAIN, ROOT, ANN, BOB, ROOT))
    assert (verdicts(roots), counts(roots)) == (VERDICTS, {ACCOUNT: (7, 1, 4, 2)})
    other = of_account(OTHER_ACCOUNT, a_user("eve"))
    apart = report_of(lines(PLAIN, other, other, BOB))
    assert counts(apart) == {ACCOUNT: (4, 1, 1, 2), OTHER_ACCOUNT: (4, 1, 2, 1)}
    form = {"mfa_active": "FALSE", "user_creation_time": "2023-08-05T12:00:00+00:00"}
    assert verdicts(report_of(lines(PLAIN, with_cells(BOB, **form)))) == VERDICTS


JOINED = "Several reports of one account were joined: give each on its own."
DIFFERENT: dict[str, tuple[str, int, int, str]] = {
    "a second more": (with_cells(BOB, user_creation_time="2023-08-05T12:00:01Z"), 5, 4, "user_cr"),
    "another flag": (with_cells(BOB, mfa_active="true"), 5, 4, "mfa_active"),
    "a blank": (with_cells(BOB, mfa_active="false "), 5, 4, "mfa_active"),
    "another word": (with_cells(BOB, access_key_1_last_used_service="n/a"), 5, 4, "access_key_1_"),
    "a root": (with_cells(ROOT, mfa_active="false"), 5, 2, "mfa_active"),
    "after an equal one": (lines(BOB, with_cells(BOB, mfa_active="true")), 6, 4, "mfa_active"),
}


def test_different_rows_of_one_arn_are_refused_with_both_rows_and_the_columns() -> None:
    for kind, (more, row, first, column) in DIFFERENT.items():
        found = problem_of(lines(PLAIN, more))
        message = f"differs from row {first}, of the same user, in {column}"
        assert (found.row, found.column, found.hint) == (row, "user", JOINED), kind
        assert found.message.startswith(message), kind
    key = a_user("bob", key_1=a_key())
    found = problem_of(report_text(TWO_USERS + [key, a_user("eve")]))
    names = "access_key_1_active, access_key_1_last_rotated"
    assert (found.value, found.message.rpartition(" in ")[2]) == ("bob", names)
    both = [with_cells(row, mfa_active="true") for row in (ANN, BOB)]
    assert [each.row for each in problems_of(lines(PLAIN, *both))] == [5, 6]


def test_different_rows_in_two_parts_of_one_report_are_refused_and_equal_ones_count_once() -> None:
    one, other = (f"{folder}/{console(AS_OF)}" for folder in "ab")
    (found,) = refusals((one, PLAIN), (other, OTHER_PASSWORD))
    assert (found.file, found.row) == (other, 3)
    assert found.message.startswith(f"differs from row 3 of {one}, of the same user, in ")
    old = report_text(TWO_USERS, columns=COLUMNS_OF_2014)
    assert len(refusals((one, PLAIN), (other, old))) == 3  # a missing column is no cell
    parts = loaded((one, lines(HEADER, ROOT, ANN)), (other, report_text(TWO_USERS[1:])))
    assert verdicts(parts) == VERDICTS
    older = (console(days_before(1)), OTHER_PASSWORD)
    report = loaded(older, (console(AS_OF), lines(PLAIN, BOB)))
    assert (verdicts(report), len(notes_of(report))) == (VERDICTS, 2)


def test_no_more_than_a_thousand_rows_that_differ_are_named() -> None:
    text = lines(HEADER, ROOT, ANN, *[with_cells(ANN, mfa_active="true")] * 1200)
    assert len(problems_of(text)) == 1000


def test_names_that_differ_by_account_or_path_are_different_users() -> None:
    users = [a_user("ann"), a_user("ann", path="x/"), a_user("Ann")]
    report = report_of(lines(report_text(users), of_account(OTHER_ACCOUNT, a_user("ann"))))
    assert analyzer.analyze(report).users["verdict"].astype(str).tolist() == ["unused"] * 4
    assert notes_of(report) == []
