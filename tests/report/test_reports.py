"""Every user counts once: the same report twice, an older report, a row that stands there twice."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import analyzer
from analyzer.report.report import Report
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    COLUMNS,
    COLUMNS_OF_2014,
    LONG_AGO,
    Row,
    a_key,
    a_password,
    a_user,
    days_before,
    report_text,
    run,
    the_root,
)
from tests.support.decisions import console_name as console
from tests.support.reading import (
    ANN,
    BOB,
    HEADER,
    OTHER_ACCOUNT,
    PLAIN,
    ROOT,
    TWO_USERS,
    USED_LATELY,
    VERDICTS,
    envelope,
    lines,
    of_account,
    put,
    reasons,
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
    return analyzer.load(*named, as_of=as_of)


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


@pytest.mark.no_cover
def test_evidence_beside_a_copy_that_is_left_out_counts(tmp_path: Path) -> None:
    left = put(tmp_path, PLAIN, "b.csv")
    evidence = evidence_beside(left, ("Bob", "bedrock.amazonaws.com"))
    for text, order in ((PLAIN, 1), (envelope(PLAIN, AS_OF), 1), (envelope(PLAIN, AS_OF), -1)):
        report = analyzer.load(*[put(tmp_path, text, "a.csv"), left][::order])
        assert names(report) == ["a.csv"]
        assert evidence_in(report) == ({"ann": "", "bob": "bedrock.amazonaws.com"}, [evidence])


def test_a_credential_that_is_live_in_the_evidence_of_any_copy_counts(tmp_path: Path) -> None:
    copies = [put(tmp_path, PLAIN, f"{name}.csv") for name in "abcd"]
    evidence = evidence_beside(copies[0], ("bob", "s"), ("bob", "a"))
    evidence_beside(copies[1], ("bob", "k"), ("ann", "z"), ("bob", "a"))
    evidence_beside(copies[2])
    assert evidence_in(analyzer.load(*copies)) == ({"ann": "z", "bob": "a, k, s"}, [evidence])


def test_the_best_wrap_counts_also_where_an_option_tells_the_moment() -> None:
    between = (console(days_before(1)), OTHER_PASSWORD)
    wrapped = ("report.json", envelope(PLAIN, AS_OF))
    assert names(loaded(("plain.csv", PLAIN), wrapped, between, as_of=AS_OF)) == ["report.json"]


def test_a_report_saved_again_in_another_form_counts_once() -> None:
    for again in (
        PLAIN.replace("\n", "\r\n").replace(",", ";") + "\r\n",
        report_text(TWO_USERS, form="+00:00").replace("e,", "E,"),
        report_text(TWO_USERS, form=".5Z"),
    ):
        report = loaded(("a.csv", PLAIN), ("b.csv", again))
        assert verdicts(report) == VERDICTS
        repeat = "b.csv: 3 rows repeat users of another row: each user counts once."
        assert notes_of(report) == [repeat]


# Reports of several moments


PERHAPS, NOON = "2026-04-28 12:00 UTC, assumed: perhaps later", "2026-05-01 12:00 UTC"


def test_of_two_reports_the_newest_counts_and_the_other_is_named_with_both_moments() -> None:
    for older, newer, told, told_newer in (
        (console(days_before(30)), "new.csv", "2026-04-01 12:00 UTC", PERHAPS),
        (console(days_before(3)), console(AS_OF), "2026-04-28 12:00 UTC", NOON),
    ):
        later = lines(PLAIN, BOB.replace("bob", "eve"))
        report = in_both_orders((older, PLAIN), (newer, later))
        assert names(report) == [newer]
        why = f"{newer} is newer ({told_newer})."
        assert notes_of(report) == [f"{older} ({told}) is not counted for account {ACCOUNT}: {why}"]


def test_of_reports_that_overlap_each_account_counts_where_it_is_newest() -> None:
    others = of_account(OTHER_ACCOUNT, a_user("eve"), a_user("a,b")).replace('"', "")
    first = lines(OLDER, others, of_account(THIRD_ACCOUNT, a_user("old")))
    second = lines(PLAIN, of_account(THIRD_ACCOUNT, a_user("new")))
    report = loaded((console(days_before(30)), first), (console(AS_OF), second))
    assert verdicts(report) == {**VERDICTS, **dict.fromkeys(("eve", "a,b", "new"), "unused")}
    expected = {ACCOUNT: (3, 1, 0, 2), OTHER_ACCOUNT: (3, 1, 0, 2), THIRD_ACCOUNT: (2, 1, 0, 1)}
    assert counts(report) == expected
    (note,) = notes_of(report)
    assert f"is not counted for accounts {ACCOUNT}, {THIRD_ACCOUNT}: " in note


def test_rows_that_name_no_account_go_with_what_is_left_of_their_report() -> None:
    nameless, old = with_cells(BOB, arn="lost"), console(days_before(30))
    report = loaded((old, lines(OLDER, nameless)), (console(AS_OF), PLAIN))
    assert verdicts(report) == VERDICTS
    older = lines(OLDER, of_account(OTHER_ACCOUNT, a_user("eve")), nameless)
    report = loaded((old, older), (console(AS_OF), PLAIN))
    assert sorted(report.users["user"]) == ["ann", "bob", "bob", "eve"]
    assert counts(report)[""] == (1, 0, 0, 1)
    assert verdicts(report_of(lines(HEADER, nameless))) == {"bob": "undetermined"}


@pytest.mark.no_cover
def test_one_second_makes_a_report_newer_and_equal_moments_let_both_count() -> None:
    def both(at: datetime) -> Report:
        return loaded((console(AS_OF), OLDER), (f"sub/{console(at)}", PLAIN))

    assert verdicts(both(AS_OF + timedelta(seconds=1))) == VERDICTS
    equal = verdicts(both(AS_OF))
    assert equal == {"ann": "undetermined", "bob": "unused", "gone": "unused"}


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


CREATED = "user_creation_time"
ODD_CELLS = (
    *((CREATED, "2023-08-05T12:00:01+00:00"), (CREATED, "2023-08-05T12:00:00z")),
    *(("mfa_active", "false "), ("access_key_1_last_used_service", "n/a")),
)


@pytest.mark.no_cover
def test_only_the_column_whose_meaning_differs_is_said_to_contradict() -> None:
    form = {"mfa_active": "FALSE", CREATED: "2023-08-05T12:00:00+00:00"}
    for column, cell in ODD_CELLS:
        (page,) = report_of(lines(PLAIN, with_cells(BOB, **form | {column: cell}))).pages()
        bobs = page.where((page.users["user"] == "bob").to_numpy())
        assert bobs.contradicted_columns() == [[column]]


def test_rows_that_contradict_each_other_leave_their_user_undetermined_and_are_said() -> None:
    changed: Row = a_user("bob", password=USED_LATELY, key_1=a_key())
    report = report_of(report_text([*TWO_USERS, changed]))
    assert verdicts(report) == {"ann": "active", "bob": "undetermined"}
    columns = "password_enabled password_last_used access_key_1_active access_key_1_last_rotated"
    another = "another row of this ARN has another"
    expected = {f"{another} {column}" for column in columns.split()}
    assert {*reasons(report)["bob"].split("; ")} == expected
    differ = "Rows of the same ARN differ, so the cells in which they do are unknown: "
    arn = f"arn:aws:iam::{ACCOUNT}:user/"
    assert notes_of(report) == [ONCE, f"{differ}{arn}bob."]
    report = report_of(lines(PLAIN, with_cells(BOB, password_enabled="true"), BOB))
    assert counts(report) == {ACCOUNT: (5, 1, 2, 2)}
    assert verdicts(report) == {"ann": "active", "bob": "undetermined"}
    changed_rows = report_text([a_user(name, password=a_password()) for name in ("ann", "bob")])
    report = report_of(lines(report_text([a_user("ann"), a_user("bob")]), changed_rows))
    assert f"{differ}{arn}ann, {arn}bob." in notes_of(report)
    root = report_text([], root=the_root(mfa_active="false")).split("\n")[1]
    report = report_of(lines(PLAIN, root))
    assert verdicts(report) == VERDICTS
    assert notes_of(report)[1].startswith(differ)


def test_rows_of_one_arn_in_two_reports_of_equal_moment_contradict_but_no_older_one() -> None:
    old = report_text(TWO_USERS, columns=COLUMNS_OF_2014)
    report = loaded((console(AS_OF), PLAIN), (f"sub/{console(AS_OF)}", old))
    named = [names for page in report.pages() for names in page.contradicted_columns()]
    assert len(named) == len(TWO_USERS)
    assert all("access_key_1_last_used_date" in each for each in named)
    older = (console(days_before(1)), OTHER_PASSWORD)
    report = loaded(older, (console(AS_OF), lines(PLAIN, BOB)))
    assert (verdicts(report), len(notes_of(report))) == (VERDICTS, 2)


def test_names_that_differ_by_account_or_path_are_different_users() -> None:
    users = [a_user("ann"), a_user("ann", path="x/"), a_user("Ann")]
    report = report_of(lines(report_text(users), of_account(OTHER_ACCOUNT, a_user("ann"))))
    assert analyzer.analyze(report).users["verdict"].astype(str).tolist() == ["unused"] * 4
    assert notes_of(report) == []


def test_rows_without_an_arn_are_not_said_to_contradict_each_other() -> None:
    report = report_of(report_text([a_user("ann", arn=""), a_user("bob", arn="")]))
    assert verdicts(report) == {"ann": "undetermined", "bob": "undetermined"}
    assert "differ" not in " ".join(report.notes)


# Accounts whose number is masked or missing

NO_ARNS = tuple(name for name in COLUMNS if name != "arn")
MASKED = {"the same mask": COLUMNS, "no ARNs": NO_ARNS}


def masked_report(columns: Sequence[str], born: datetime | None, *users: Row) -> str:
    """Return a report without an account number, whose root was created then, if it has one."""
    text = report_text(users, root=the_root(user_creation_time=born or AS_OF), columns=columns)
    text = text.replace(f"::{ACCOUNT}:", "::XXXXXXXXXXXX:")
    return text if born else lines(*(each for each in text.split("\n") if "root_acc" not in each))


@pytest.mark.parametrize("columns", MASKED.values(), ids=MASKED)
@pytest.mark.parametrize("account", ["", ACCOUNT])
def test_reports_of_several_accounts_that_look_alike_are_refused_or_told_apart_by_the_root(
    columns: Sequence[str], account: str
) -> None:
    def judged(*born: datetime | None) -> Report:
        users = [a_user("ann"), a_user("gone")], [a_user("ann", password=USED_LATELY)]
        texts = (masked_report(columns, at, *some) for at, some in zip(born, users, strict=True))
        named = zip((console(days_before(1)), console(AS_OF)), texts, strict=True)
        return analyzer.load(*((each, text.encode()) for each, text in named), account_id=account)

    with pytest.raises(analyzer.InputRefused) as refusal:
        judged(LONG_AGO, LONG_AGO + timedelta(seconds=1))
    (found,) = refusal.value.problems
    assert found.file == f"{console(days_before(1))}, {console(AS_OF)}"
    assert found.message.endswith("different times: these are reports of different accounts")
    same = judged(LONG_AGO, LONG_AGO)
    assert verdicts(same) == {"ann": "active"}
    shown = account or ("XXXXXXXXXXXX" if "arn" in columns else "(number unknown)")
    assert f" is not counted for account {shown}: " in "".join(same.notes)
    assert not [note for note in same.notes if "taken for one account" in note]
    for born in ((LONG_AGO, None), (None, LONG_AGO), (None, None)):
        (note,) = (note for note in judged(*born).notes if "taken for one account" in note)
        assert note.startswith(f"{console(days_before(1))}, {console(AS_OF)} are taken for one")


def test_a_root_whose_creation_time_lost_its_seconds_is_of_the_same_account() -> None:
    dated = a_user("ann", created=LONG_AGO + timedelta(days=20))
    text = masked_report(COLUMNS, LONG_AGO + timedelta(seconds=30), dated)
    local = re.sub(r"(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d):\d\dZ", r"\3/\2/\1 \4", text)
    report = loaded((console(days_before(1)), text), (console(AS_OF), local))
    assert names(report) == [console(AS_OF)]


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


# Reports of which it is not known whether they are the newest

UNKNOWN_ORDER = {
    "a report without a time may be newer than one with": ("undated.csv", console(AS_OF)),
    "of two without a time any may be the newer": ("undated.csv", "x.csv"),
}
PUT_A_DATE = (
    "Keep the name that the console gives, put the day of the report in the name of the file or its"
    " folder, such as undated-2026-02-02.csv, or leave out the older of the reports."
)


@pytest.mark.parametrize("names_of_both", UNKNOWN_ORDER.values(), ids=UNKNOWN_ORDER)
def test_a_report_that_may_be_the_newest_is_refused_or_named(
    tmp_path: Path, names_of_both: tuple[str, str]
) -> None:
    another = a_user("ann", created=days_before(999), password=a_password(days_before(1)))
    later = report_text([another])
    one, other = (
        put(tmp_path, text, name) for name, text in zip(names_of_both, (PLAIN, later), strict=True)
    )
    (found,) = refused(tmp_path)
    assert (found.file, found.hint) == (str(one), PUT_A_DATE)
    begins = f"no generation time, so perhaps newer than {other} (2026-0"
    assert found.message.startswith(begins)
    assert found.message.endswith(f"), another report of account {ACCOUNT}")
    done = run("analyze", tmp_path, "--skip-unreadable", "--verdict", "all", "--format", "names")
    assert (done.code, done.lines) == (5, ["ann"])
    assert f"File {one} is not covered: {begins}" in done.message_line
    (tmp_path / "2026-04-28").mkdir()
    one.rename(tmp_path / "2026-04-28/a.csv")
    assert verdicts(analyzer.load(tmp_path)) == {"ann": "active"}


def test_the_same_rows_without_a_time_are_the_same_report() -> None:
    again = report_text(TWO_USERS, form="+00:00")
    assert names(in_both_orders(("undated.csv", again), (console(AS_OF), PLAIN))) == [
        console(AS_OF)
    ]
    for other in (again.replace("false,N/A", "true,N/A", 1), lines(*again.split("\n")[:-1])):
        with pytest.raises(analyzer.InputRefused):
            loaded(("undated.csv", other), (console(AS_OF), PLAIN))


def test_rows_that_differ_in_two_files_are_named_with_the_files_of_which_one_is_too_many() -> None:
    texts = [masked_report(NO_ARNS, LONG_AGO, a_user("ann", mfa=mfa)) for mfa in (False, True)]
    one, other = (f"{folder}/{console(AS_OF)}" for folder in "ab")
    report = loaded(*zip((one, other), texts, strict=True))
    note = f"are unknown: ann. Such rows are in {one} and {other}: give one of the two."
    assert report.notes[-1].endswith(note)


def signed_in(at: float | datetime, **more: Any) -> Row:
    return a_user(password=a_password(at if isinstance(at, datetime) else days_before(at)), **more)


def key(used: float, created: datetime = LONG_AGO) -> Row:
    return a_key(created, days_before(used))


OTHER, MINUTE = days_before(99), datetime(2026, 2, 3, 4, 5, tzinfo=UTC)
AT_6, AT_7 = (signed_in(MINUTE + timedelta(seconds=each)) for each in (6, 7))
CHANGED, CHANGED_LATER = (a_user(password=a_password(changed=days_before(at))) for at in (9, 8))
BOTH_USED, ONE_LATER = (
    [signed_in(at), a_user("ann", password=a_password(days_before(4)))] for at in (9, 8)
)
ORDER_BY_ROWS: dict[str, tuple[Row | list[Row], Row | list[Row], bool]] = {
    "a later sign-in": (signed_in(9), signed_in(8), True),
    "a later change of the password": (CHANGED, CHANGED_LATER, True),
    "a later use of the same key": (a_user(key_1=key(9)), a_user(key_1=key(8)), True),
    "a later use of another key": (a_user(key_1=key(9)), a_user(key_1=key(8, OTHER)), False),
    "another user of that name": (signed_in(9), signed_in(8, created=OTHER), False),
    "no creation time": (signed_in(9, created=""), signed_in(8, created=""), False),
    "one later, another earlier": (signed_in(9, key_1=key(8)), signed_in(8, key_1=key(9)), False),
    "a moment later within the minute, which a spreadsheet cuts": (AT_6, AT_7, False),
    "nothing used": (a_user(), a_user(), False),
    "a later sign-in of one of two created together": (BOTH_USED, ONE_LATER, True),
    "a row of the user later in the first": ([signed_in(9), signed_in(7)], signed_in(8), False),
    "a row of the user earlier in the second": (signed_in(9), [signed_in(8), signed_in(10)], False),
    "an equal newest moment": (signed_in(8, key_1=key(1)), signed_in(9, key_1=key(1)), False),
}


@pytest.mark.parametrize(("before", "after", "is_shown"), ORDER_BY_ROWS.values(), ids=ORDER_BY_ROWS)
def test_rows_show_which_report_is_older_by_moments_that_never_go_back(
    before: Row | list[Row], after: Row | list[Row], *, is_shown: bool
) -> None:
    made = a_user("made", created=days_before(1))
    of_before, of_after = (each if isinstance(each, list) else [each] for each in (before, after))
    texts = [report_text(each) for each in (of_before, [*of_after, made])]
    if is_shown:
        assert names(in_both_orders(*zip(("jan.csv", "feb.csv"), texts, strict=True))) == [
            "feb.csv"
        ]
    else:
        with pytest.raises(analyzer.InputRefused):
            loaded(*zip(("jan.csv", "feb.csv"), texts, strict=True))


def test_reports_without_an_order_are_refused_in_one_message_of_their_account(
    tmp_path: Path,
) -> None:
    one, two, three, newest = (
        put(
            tmp_path,
            report_text([a_user(name, created=days_before(9 - day))], columns=COLUMNS_OF_2014),
            f"{name}.csv",
        )
        for day, name in enumerate(("jan", "feb", "mar", "apr"))
    )
    (found,) = refused(tmp_path)
    assert found.file == f"3 reports ({two}, {one}, {three})"
    assert found.message.startswith(f"no generation time, so perhaps newer than {newest} (")
    assert "such as feb-2026-02-02.csv," in found.hint
    done = run("analyze", tmp_path, "--skip-unreadable")
    assert done.code == 5
    for each in (one, two, three):
        assert f"{each} is not covered: no generation time" in done.message_line


def test_of_two_reports_of_one_day_rows_must_show_that_the_one_without_a_time_is_older() -> None:
    folder = f"{AS_OF:%Y-%m-%d}/a.csv"
    early, noon, late = (
        report_text([a_user(password=a_password(AS_OF + timedelta(hours=hours)))])
        for hours in (-3, -1, 4)
    )
    for texts, counted in (((early, noon), console(AS_OF)), ((late, noon), "a.csv")):
        both = zip((folder, console(AS_OF)), texts, strict=True)
        assert names(in_both_orders(*both)) == [counted]
    with pytest.raises(analyzer.InputRefused) as error:
        loaded((folder, early), (console(AS_OF), report_text([a_user()])))
    (problem,) = error.value.problems
    assert problem.message.startswith("no generation time, so perhaps newer than status_reports_")
    assert problem.hint == (
        "Keep the name that the console gives or leave out the older of the reports."
    )
    midnight = console(AS_OF.replace(hour=0))
    assert names(in_both_orders((midnight, PLAIN), (folder, report_text([a_user()])))) == ["a.csv"]
    part = report_text([a_user("ann")]).replace(f"{ROOT}\n", "")
    assert len(loaded((folder, early), (folder.replace("a.", "b."), part)).files) == 2


@pytest.mark.parametrize("folder", ["", f"{AS_OF:%Y-%m-%d}/"])
def test_different_reports_of_one_account_and_an_equal_time_are_refused_if_aws_does_not_give_it(
    folder: str,
) -> None:
    one, other = f"{folder}a.csv", f"{folder}b.csv"
    without_bob = lines(HEADER, ROOT, ANN)
    for texts in ((PLAIN, without_bob), (without_bob, PLAIN)):
        with pytest.raises(analyzer.InputRefused, match=f"{one}.* so perhaps newer than {other}"):
            loaded((one, texts[0]), (other, texts[1]))
    same = loaded((one, PLAIN), (other, report_text(TWO_USERS, form="+00:00")))
    assert verdicts(same) == VERDICTS
    of_others = PLAIN.replace(ACCOUNT, OTHER_ACCOUNT).partition("\n")[2]
    both = loaded((one, f"{PLAIN}\n{of_others}"), (other, PLAIN))
    assert [each.account for file in both.files for each in file.accounts].count(ACCOUNT) == 2
    day = f"{AS_OF:%Y-%m-%d}"
    parts = loaded((f"{day}/1.csv", without_bob), (f"{day}/2.csv", report_text(TWO_USERS[1:])))
    assert verdicts(parts) == VERDICTS
