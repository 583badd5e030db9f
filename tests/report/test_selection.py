"""Every user counts once: the same report twice, an older report, a row that stands there twice."""

import gzip
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import analyzer
from analyzer.report.model import Report
from tests.support.builders import (
    AS_OF,
    COLUMNS_OF_2014,
    Row,
    a_key,
    a_password,
    a_user,
    days_before,
    report_text,
    the_root,
)
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
    read,
    reasons,
    rows,
    verdicts,
    with_cells,
)

THIRD_ACCOUNT = "222233334444"


def console(moment: datetime) -> str:
    return f"status_reports_{moment:%Y-%m-%dT%H-%M-%S}+00-00.csv"


def names(report: Report) -> list[str]:
    return [Path(file.name).name for file in report.files]


def said(report: Report, folder: Path) -> list[str]:
    """Return the notes, but the one on an assumed as-of, with the files' own names."""
    return [
        note.replace(f"{folder}/", "")
        for note in report.notes
        if not note.startswith("No generation time")
    ]


def counts(report: Report) -> dict[str, tuple[int, int, int, int]]:
    """Return by account how many rows, roots, repeated rows and users are said to be there."""
    every = [account for file in report.files for account in file.accounts]
    assert len({each.account for each in every}) == len(every)
    users = report.users.groupby("account").size().to_dict()
    assert users == {each.account: each.users for each in every if each.users}
    return {each.account: (each.rows, each.roots, each.repeated, each.users) for each in every}


def test_the_same_report_twice_counts_once_and_is_said(tmp_path: Path) -> None:
    put(tmp_path, PLAIN, "a.csv")
    put(tmp_path, PLAIN, "b.csv")
    report = analyzer.load(tmp_path)
    assert verdicts(report) == VERDICTS
    assert names(report) == ["a.csv"]
    assert said(report, tmp_path) == ["b.csv is the same report as a.csv: counted once."]


def test_the_same_file_twice_counts_once_and_is_said(tmp_path: Path) -> None:
    path = put(tmp_path, PLAIN)
    report = analyzer.load(path, tmp_path)
    assert verdicts(report) == VERDICTS
    assert said(report, tmp_path) == ["report.csv is the same report as report.csv: counted once."]


@pytest.mark.no_cover
@pytest.mark.parametrize("order", ["abcd", "bcda", "cdab", "dabc", "dcba"])
def test_of_the_same_report_in_several_wraps_the_one_that_knows_its_moment_best_counts(
    tmp_path: Path, order: str
) -> None:
    paths = {
        "a": put(tmp_path, PLAIN, "plain.csv"),
        "b": put(tmp_path, gzip.compress(PLAIN.encode()), console(AS_OF)),
        "c": put(tmp_path, envelope(PLAIN, AS_OF + timedelta(days=1)), "report.json"),
        "d": put(tmp_path, PLAIN.encode("utf-16"), "utf16.csv"),
    }
    report = analyzer.load(*(paths[each] for each in order))
    assert names(report) == ["report.json"]
    assert report.files[0].as_of == AS_OF + timedelta(days=1)
    assert said(report, tmp_path) == [
        f"{paths[each].name} is the same report as report.json: counted once." for each in "abd"
    ]


@pytest.mark.no_cover
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("kind", ["name", "envelope", "envelope, then name", "name, then envelope"])
def test_of_the_same_report_with_two_known_moments_the_newest_counts_whatever_tells_it(
    tmp_path: Path, kind: str, order: int
) -> None:
    first, _, last = kind.partition(", then ")
    older = told_by(tmp_path / "older", first, days_before(180))
    newer = told_by(tmp_path / "newer", last or first, AS_OF)
    report = analyzer.load(*[older, newer][::order])
    (file,) = report.files
    assert (file.name, file.as_of) == (str(newer), AS_OF)
    assert list(report.notes) == [f"{older} is the same report as {newer}: counted once."]
    assert report.users["as_of"].unique().tolist() == [AS_OF]


def told_by(folder: Path, source: str, moment: datetime) -> Path:
    """Save the report so that its moment is told in this way."""
    if source == "name":
        return put(folder, PLAIN, console(moment))
    return put(folder, envelope(PLAIN, moment), "report.json")


@pytest.mark.parametrize("order", [1, -1])
def test_of_the_same_report_with_equal_moments_the_stronger_source_counts(
    tmp_path: Path, order: int
) -> None:
    paths = [told_by(tmp_path, source, AS_OF) for source in ("envelope", "name")]
    assert names(analyzer.load(*paths[::order])) == ["report.json"]


@pytest.mark.parametrize("order", [1, -1])
def test_a_moment_that_is_known_goes_before_a_later_one_that_is_assumed(
    tmp_path: Path, order: int
) -> None:
    early = days_before(180)
    paths = [put(tmp_path, PLAIN, "plain.csv"), put(tmp_path, PLAIN, console(early))]
    report = analyzer.load(*paths[::order])
    assert [file.as_of for file in report.files] == [early]


def evidence_beside(report: Path, *services: tuple[str, str]) -> str:
    """Save who has which live service-specific credentials, and return the file's name."""
    told = [
        {"UserName": user, "Status": "Active", "ServiceName": service} for user, service in services
    ]
    text = json.dumps({"ServiceSpecificCredentials": told})
    return str(put(report.parent, text, f"{report.name}.service-credentials.json"))


def told_of(report: Report) -> dict[str, str]:
    """Return the services of each user's live credentials."""
    users = report.users
    return dict(zip(users["user"], users["service_credentials"], strict=True))


@pytest.mark.no_cover
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("wrapped", [False, True])
def test_evidence_beside_a_copy_that_is_left_out_counts(
    tmp_path: Path, order: int, *, wrapped: bool
) -> None:
    kept = put(tmp_path, envelope(PLAIN, AS_OF) if wrapped else PLAIN, "a.csv")
    left = put(tmp_path, PLAIN, "b.csv")
    evidence = evidence_beside(left, ("Bob", "bedrock.amazonaws.com"))
    report = analyzer.load(*[kept, left][:: order if wrapped else 1])
    assert names(report) == ["a.csv"]
    assert told_of(report) == {"ann": "", "bob": "bedrock.amazonaws.com"}
    assert [file.service_credentials.name for file in report.files if file.service_credentials] == [
        evidence
    ]


def test_a_credential_that_is_live_in_the_evidence_of_any_copy_counts(tmp_path: Path) -> None:
    copies = [put(tmp_path, PLAIN, f"{name}.csv") for name in "abcd"]
    evidence = evidence_beside(copies[0], ("bob", "s"), ("bob", "a"))
    evidence_beside(copies[1], ("bob", "k"), ("ann", "z"), ("bob", "a"))
    evidence_beside(copies[2])
    report = analyzer.load(*copies)
    assert told_of(report) == {"ann": "z", "bob": "a, k, s"}
    assert [file.service_credentials.name for file in report.files if file.service_credentials] == [
        evidence
    ]


def test_the_best_wrap_counts_also_where_an_option_tells_the_moment(tmp_path: Path) -> None:
    plain = put(tmp_path, PLAIN, "plain.csv")
    wrapped = put(tmp_path, envelope(PLAIN, AS_OF), "report.json")
    between = put(tmp_path, with_other_password(), console(days_before(1)))
    report = analyzer.load(plain, wrapped, between, as_of=AS_OF)
    assert names(report) == ["report.json"]


def with_other_password() -> str:
    return report_text([a_user("ann", password=a_password(days_before(9))), a_user("bob")])


def test_a_report_saved_again_row_for_row_counts_once(tmp_path: Path) -> None:
    put(tmp_path, PLAIN, "a.csv")
    put(tmp_path, PLAIN.replace("\n", "\r\n").replace(",", ";") + "\r\n", "b.csv")
    report = analyzer.load(tmp_path)
    assert verdicts(report) == VERDICTS
    assert said(report, tmp_path) == [
        "b.csv: 3 rows repeat users of another row: each user counts once."
    ]


OLDER = report_text([a_user("ann"), a_user("gone")])


@pytest.mark.no_cover
@pytest.mark.parametrize("order", ["older first", "newer first"])
def test_of_two_reports_of_an_account_the_newest_counts_and_the_other_is_named(
    tmp_path: Path, order: str
) -> None:
    paths = [
        put(tmp_path, OLDER, console(days_before(30))),
        put(tmp_path, PLAIN, console(AS_OF)),
    ]
    report = analyzer.load(*(paths if order == "older first" else paths[::-1]))
    assert verdicts(report) == VERDICTS
    assert names(report) == [console(AS_OF)]
    assert said(report, tmp_path) == [
        (
            f"{console(days_before(30))} (2026-04-01 12:00 UTC) is not counted for account"
            f" 012345678901: {console(AS_OF)} is newer (2026-05-01 12:00 UTC)."
        )
    ]
    assert counts(report) == {"012345678901": (3, 1, 0, 2)}


PERHAPS = "2026-04-28 12:00 UTC, assumed: perhaps later"


@pytest.mark.parametrize(
    ("older", "newer", "told"),
    [
        ("old.csv", console(AS_OF), (PERHAPS, "2026-05-01 12:00 UTC")),
        (console(days_before(30)), "new.csv", ("2026-04-01 12:00 UTC", PERHAPS)),
        (console(days_before(3)), console(AS_OF), ("2026-04-28 12:00 UTC", "2026-05-01 12:00 UTC")),
    ],
)
def test_of_reports_in_order_of_time_a_moment_that_is_assumed_is_said_to_be(
    tmp_path: Path, older: str, newer: str, told: tuple[str, str]
) -> None:
    put(tmp_path, PLAIN, older)
    put(tmp_path, lines(PLAIN, BOB.replace("bob", "eve")), newer)
    report = analyzer.load(tmp_path)
    assert names(report) == [newer]
    (note,) = said(report, tmp_path)
    assert note == (
        f"{older} ({told[0]}) is not counted for account 012345678901:"
        f" {newer} is newer ({told[1]})."
    )


def test_the_newest_counts_by_its_own_moment_whatever_the_option_says(tmp_path: Path) -> None:
    put(tmp_path, OLDER, console(days_before(30)))
    put(tmp_path, PLAIN, console(AS_OF))
    report = analyzer.load(tmp_path, as_of=AS_OF + timedelta(days=90))
    assert verdicts(report) == {"ann": "dormant", "bob": "unused"}
    assert names(report) == [console(AS_OF)]


def test_the_newest_of_three_counts_and_the_two_others_are_named(tmp_path: Path) -> None:
    for days in (0, 1, 2):
        put(tmp_path, report_text([a_user(f"u{days}")]), console(days_before(days)))
    report = analyzer.load(tmp_path)
    assert verdicts(report) == {"u0": "unused"}
    assert [note.split(" ")[0] for note in said(report, tmp_path)] == [
        console(days_before(2)),
        console(days_before(1)),
    ]


def test_reports_of_different_accounts_all_count(tmp_path: Path) -> None:
    put(tmp_path, PLAIN, console(AS_OF))
    put(tmp_path, of_account(OTHER_ACCOUNT, a_user("eve")), console(days_before(30)))
    report = analyzer.load(tmp_path)
    assert verdicts(report) == {**VERDICTS, "eve": "unused"}
    assert said(report, tmp_path) == []


def test_of_reports_that_overlap_each_account_counts_where_it_is_newest(tmp_path: Path) -> None:
    first = [
        OLDER,
        of_account(OTHER_ACCOUNT, a_user("eve"), a_user("a,b")).replace('"', ""),
        of_account(THIRD_ACCOUNT, a_user("old")),
    ]
    put(tmp_path, lines(*first), console(days_before(30)))
    put(tmp_path, lines(PLAIN, of_account(THIRD_ACCOUNT, a_user("new"))), console(AS_OF))
    report = analyzer.load(tmp_path)
    assert verdicts(report) == {**VERDICTS, "eve": "unused", "a,b": "unused", "new": "unused"}
    assert counts(report) == {
        "012345678901": (3, 1, 0, 2),
        OTHER_ACCOUNT: (3, 1, 0, 2),
        THIRD_ACCOUNT: (2, 1, 0, 1),
    }
    (note,) = said(report, tmp_path)
    assert f"is not counted for account 012345678901, {THIRD_ACCOUNT}: " in note


def test_rows_that_name_no_account_go_with_what_is_left_of_their_report(tmp_path: Path) -> None:
    nameless = with_cells(BOB, arn="lost")
    put(tmp_path, lines(OLDER, nameless), console(days_before(30)))
    put(tmp_path, PLAIN, console(AS_OF))
    assert verdicts(analyzer.load(tmp_path)) == VERDICTS
    other = of_account(OTHER_ACCOUNT, a_user("eve"))
    put(tmp_path, lines(OLDER, other, nameless), console(days_before(30)))
    report = analyzer.load(tmp_path)
    assert sorted(report.users["user"]) == ["ann", "bob", "bob", "eve"]
    assert counts(report)[""] == (1, 0, 0, 1)


def test_a_report_that_names_no_account_at_all_counts(tmp_path: Path) -> None:
    report = read(tmp_path, lines(HEADER, with_cells(BOB, arn="lost")))
    assert verdicts(report) == {"bob": "undetermined"}


@pytest.mark.no_cover
@pytest.mark.parametrize("later", [0, 1])
def test_one_second_makes_a_report_newer_and_equal_moments_let_both_count(
    tmp_path: Path, later: int
) -> None:
    put(tmp_path, OLDER, console(AS_OF))
    put(tmp_path, PLAIN, "sub/" + console(AS_OF + timedelta(seconds=later)))
    report = analyzer.load(tmp_path)
    if later:
        assert verdicts(report) == VERDICTS
        return
    users = analyzer.analyze(report).users
    found = sorted(zip(users["user"], users["verdict"].astype(str), strict=True))
    assert found == [("ann", "undetermined"), ("bob", "unused"), ("gone", "unused")]


def test_a_row_that_stands_there_twice_counts_once_and_is_said(tmp_path: Path) -> None:
    report = read(tmp_path, lines(PLAIN, BOB))
    assert verdicts(report) == VERDICTS
    assert rows(report) == {"ann": 3, "bob": 4}
    assert counts(report) == {"012345678901": (4, 1, 1, 2)}
    assert said(report, tmp_path) == [
        "report.csv: 1 row repeats a user of another row: each user counts once."
    ]


def test_roots_that_stand_there_twice_count_once_too(tmp_path: Path) -> None:
    report = read(tmp_path, lines(PLAIN, ROOT, ANN, BOB, ROOT))
    assert verdicts(report) == VERDICTS
    assert counts(report) == {"012345678901": (7, 1, 4, 2)}


def test_repeated_rows_of_several_accounts_are_counted_apart(tmp_path: Path) -> None:
    other = of_account(OTHER_ACCOUNT, a_user("eve"))
    report = read(tmp_path, lines(PLAIN, other, other, BOB))
    assert counts(report) == {"012345678901": (4, 1, 1, 2), OTHER_ACCOUNT: (4, 1, 2, 1)}


FORMS_ALONE = {
    "a moment": {"user_creation_time": "2023-08-05T12:00:00+00:00"},
    "its zone": {"user_creation_time": "2023-08-05T14:00:00+02:00"},
    "a fraction": {"user_creation_time": "2023-08-05T12:00:00.5Z"},
    "a boolean": {"mfa_active": "FALSE"},
    "many": {
        "user_creation_time": "2023-08-05T12:00:00+00:00",
        **dict.fromkeys(("mfa_active", "password_enabled", "access_key_2_active"), "False"),
        "cert_1_active": "FALSE",
    },
}


@pytest.mark.no_cover
@pytest.mark.parametrize("cells", FORMS_ALONE.values(), ids=FORMS_ALONE)
def test_rows_that_differ_in_form_alone_are_the_same(tmp_path: Path, cells: dict[str, str]) -> None:
    report = read(tmp_path, lines(PLAIN, with_cells(BOB, **cells)))
    assert verdicts(report) == VERDICTS
    assert counts(report) == {"012345678901": (4, 1, 1, 2)}
    assert said(report, tmp_path) == [
        "report.csv: 1 row repeats a user of another row: each user counts once."
    ]


def test_a_report_saved_again_in_other_forms_counts_once(tmp_path: Path) -> None:
    put(tmp_path, PLAIN, "a.csv")
    other = report_text(TWO_USERS, form="+00:00")
    put(tmp_path, other.replace("true", "TRUE").replace("false", "False"), "b.csv")
    report = analyzer.load(tmp_path)
    assert verdicts(report) == VERDICTS
    assert said(report, tmp_path) == [
        "b.csv: 3 rows repeat users of another row: each user counts once."
    ]


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("user_creation_time", "2023-08-05T12:00:01+00:00"),
        ("mfa_active", "TRUE"),
        ("mfa_active", "false "),
        ("user_creation_time", "2023-08-05T12:00:00z"),
        ("password_last_used", "n/a"),
        ("access_key_1_last_used_service", "n/a"),
    ],
)
def test_only_the_column_whose_meaning_differs_is_said_to_contradict(
    tmp_path: Path, column: str, cell: str
) -> None:
    form = {"mfa_active": "FALSE", "user_creation_time": "2023-08-05T12:00:00+00:00"}
    report = read(tmp_path, lines(PLAIN, with_cells(BOB, **form | {column: cell})))
    (page,) = report.pages()
    bobs = page.where((page.users["user"] == "bob").to_numpy())
    assert bobs.contradicted_columns() == [[column]]


def test_rows_that_contradict_each_other_leave_their_user_undetermined(tmp_path: Path) -> None:
    changed: Row = a_user("bob", password=USED_LATELY, key_1=a_key())
    report = read(tmp_path, report_text([*TWO_USERS, changed]))
    users = analyzer.analyze(report).users
    found = list(zip(users["user"], users["verdict"].astype(str), strict=True))
    assert found == [("ann", "active"), ("bob", "undetermined")]
    reason = users["reason"][1]
    columns = "password_enabled password_last_used access_key_1_active access_key_1_last_rotated"
    another = "another row of this ARN has another"
    assert {*reason.split("; ")} == {f"{another} {column}" for column in columns.split()}
    assert said(report, tmp_path) == [
        "report.csv: 1 row repeats a user of another row: each user counts once.",
        (
            "Rows of the same ARN differ, so the cells in which they do are unknown:"
            " arn:aws:iam::012345678901:user/bob."
        ),
    ]


def test_a_row_twice_and_a_contradiction_of_it_are_one_undetermined_user(tmp_path: Path) -> None:
    changed = with_cells(BOB, password_enabled="true")
    report = read(tmp_path, lines(PLAIN, changed, BOB))
    assert counts(report) == {"012345678901": (5, 1, 2, 2)}
    assert verdicts(report) == {"ann": "active", "bob": "undetermined"}


def test_rows_of_one_arn_in_two_reports_of_equal_moment_contradict_too(tmp_path: Path) -> None:
    old = report_text(TWO_USERS, columns=COLUMNS_OF_2014)
    put(tmp_path, PLAIN, console(AS_OF))
    put(tmp_path, old, "sub/" + console(AS_OF))
    report = analyzer.load(tmp_path)
    named = [names for page in report.pages() for names in page.contradicted_columns()]
    assert len(named) == len(TWO_USERS)
    assert all("access_key_1_last_used_date" in each for each in named)


def test_several_users_whose_rows_contradict_are_named_together(tmp_path: Path) -> None:
    changed = report_text([a_user(name, password=a_password()) for name in ("ann", "bob")])
    report = read(tmp_path, lines(report_text([a_user("ann"), a_user("bob")]), changed))
    (note,) = (each for each in said(report, tmp_path) if ":user/" in each)
    start = "Rows of the same ARN differ, so the cells in which they do are unknown: "
    assert note.startswith(start)
    assert note.endswith("user/ann, arn:aws:iam::012345678901:user/bob.")


def test_an_older_report_contradicts_nobody(tmp_path: Path) -> None:
    put(tmp_path, with_other_password(), console(days_before(1)))
    put(tmp_path, lines(PLAIN, BOB), console(AS_OF))
    report = analyzer.load(tmp_path)
    assert verdicts(report) == VERDICTS
    assert len(said(report, tmp_path)) == 2


def test_names_that_differ_by_account_or_path_are_different_users(tmp_path: Path) -> None:
    text = lines(
        report_text([a_user("ann"), a_user("ann", path="x/"), a_user("Ann")]),
        of_account(OTHER_ACCOUNT, a_user("ann")),
    )
    report = read(tmp_path, text)
    assert analyzer.analyze(report).users["verdict"].astype(str).tolist() == ["unused"] * 4
    assert said(report, tmp_path) == []


def test_several_roots_of_one_account_that_differ_are_said(tmp_path: Path) -> None:
    other = report_text([], root=the_root(mfa_active="false")).split("\n")[1]
    report = read(tmp_path, lines(PLAIN, other))
    assert verdicts(report) == VERDICTS
    assert "Rows of the same ARN differ" in said(report, tmp_path)[1]
    assert reasons(report)["ann"] == ""


def test_rows_without_an_arn_are_not_said_to_contradict_each_other(tmp_path: Path) -> None:
    text = report_text([a_user("ann", arn=""), a_user("bob", arn="")])
    report = read(tmp_path, text)
    assert verdicts(report) == {"ann": "undetermined", "bob": "undetermined"}
    assert "differ" not in " ".join(report.notes)
