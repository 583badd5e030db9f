"""Judge users by name where the account was hidden before somebody handed the report on."""

import csv
import io
from pathlib import Path

import pandas as pd
import pytest

import analyzer
from analyzer.cli import main
from analyzer.report.model import Report
from analyzer.verdicts.caveats import caveat_sentences
from analyzer.writers.user_lists import as_of_and_scope
from tests.support.builders import (
    AS_OF,
    COLUMNS,
    Row,
    a_key,
    a_password,
    a_user,
    judged_users,
    report_text,
    saved,
    the_root,
)
from tests.support.verdict_oracle import Terms, judge

Capture = pytest.CaptureFixture[str]
MASKED = "masked-arn"
WITHOUT_ARN = tuple(name for name in COLUMNS if name != "arn")
USERS = [
    a_user("quiet"),
    a_user("waiting", password=a_password()),
    a_user("busy", key_1=a_key(used=AS_OF)),
]
VERDICTS = {"quiet": "unused", "waiting": "unused", "busy": "active"}

ARNS = {
    "digits hidden": ("arn:aws:iam::123XXXXXXXX:user/{}", "arn:aws:iam::123XXXXXXXX:root"),
    "all digits hidden": ("arn:aws:iam::************:user/a/{}", "arn:aws:iam::************:root"),
    "of another partition": ("arn:aws-cn:iam::xxxx:user/{}", "arn:aws-cn:iam::xxxx:root"),
    "a word": ("fakearn", "fakearn"),
    "a word in brackets": ("[REDACTED]", "[REDACTED]"),
}


def masked(user: str, root: str, users: list[Row] = USERS) -> str:
    """Return a report with such ARNs."""
    rows = [row | {"arn": user.format(row["user"])} for row in users]
    return report_text(rows, root=the_root(arn=root))


def without_column(users: list[Row] = USERS) -> str:
    return report_text(users, columns=WITHOUT_ARN)


TEXTS = {name: masked(*arns) for name, arns in ARNS.items()} | {"no column": without_column()}


@pytest.fixture(params=TEXTS)
def text(request: pytest.FixtureRequest) -> str:
    return TEXTS[request.param]


@pytest.mark.no_cover
def test_users_of_a_masked_report_are_judged_by_name_and_are_to_check(text: str) -> None:
    frame = judged_users(("report.csv", text.encode()))
    assert dict(zip(frame["user"], frame["verdict"].astype(str), strict=True)) == VERDICTS
    unused = frame[frame["verdict"] == "unused"]
    assert set(unused["caveats"].astype(str)) == {MASKED}
    assert set(unused["certainty"].astype(str)) == {"check"}
    assert frame["masked"].all()
    opinions = {each.user: each.judgement for each in judge(text, Terms(as_of=AS_OF))}
    for user in frame.astype(str).to_dict("records"):
        assert opinions[user["user"]].verdict == user["verdict"]
        assert opinions[user["user"]].caveats == user["caveats"]


@pytest.mark.no_cover
def test_the_root_of_a_masked_report_stays_the_root(tmp_path: Path, text: str) -> None:
    report = analyzer.load(saved(tmp_path, text))
    assert "<root_account>" not in report.users["user"].tolist()
    (roots,) = report.roots()
    assert roots.users["user"].tolist() == ["<root_account>"]


def accounts(report: Report) -> set[str]:
    return {account.account for file in report.files for account in file.accounts}


@pytest.mark.parametrize(
    ("kind", "account"),
    [
        ("digits hidden", "123XXXXXXXX"),
        ("all digits hidden", "************"),
        ("a word", ""),
        ("no column", ""),
    ],
)
def test_the_account_is_what_stands_there(tmp_path: Path, kind: str, account: str) -> None:
    report = analyzer.load(saved(tmp_path, TEXTS[kind]))
    assert accounts(report) == {account}
    assert set(report.users["account"]) == {account}


def test_the_option_tells_the_account(tmp_path: Path, capsys: Capture) -> None:
    path = str(saved(tmp_path, TEXTS["digits hidden"]))
    options = ["--masked-account", "123456789012", "--verdict", "all", "--format", "csv", "--as-of"]
    assert main(["analyze", path, *options, "2026-03-01"]) == 0
    rows = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert {row["account"] for row in rows} == {"123456789012"}


def test_a_note_names_the_option_until_it_is_used(tmp_path: Path, text: str) -> None:
    path = saved(tmp_path, text)
    note = f"No account number in {path}: the ARNs are masked or missing"
    assert [each for each in analyzer.load(path).notes if each.startswith(note)]
    report = analyzer.load(path, account_id="123456789012", as_of=AS_OF)
    assert accounts(report) == {"123456789012"}
    (told,) = report.notes
    assert told == (
        f"{path}: the account is set; users whose ARN is masked or missing are judged by name, and"
        " to check if unused. --include-check lists them too with --format names."
    )
    whole = saved(tmp_path, report_text(USERS))
    assert analyzer.load(whole, account_id="123456789012", as_of=AS_OF).notes == ()


def test_an_account_that_no_arn_names_is_called_unknown(tmp_path: Path) -> None:
    report = analyzer.load(saved(tmp_path, TEXTS["a word"]), as_of=AS_OF)
    assert as_of_and_scope(report).endswith(", account unknown")


def test_the_option_changes_no_account_that_the_report_tells(
    tmp_path: Path, capsys: Capture
) -> None:
    path = str(saved(tmp_path, report_text(USERS)))
    options = ["--masked-account", "999999999999", "--verdict", "all", "--format", "csv"]
    assert main(["analyze", path, *options]) == 0
    rows = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert {row["account"] for row in rows} == {"012345678901"}


def test_an_account_that_is_none_is_wrong_usage(tmp_path: Path, capsys: Capture) -> None:
    path = str(saved(tmp_path, report_text(USERS)))
    assert main(["analyze", path, "--masked-account", "12345"]) == 2
    assert "an account has 12 digits" in capsys.readouterr().err


def sentences(path: Path) -> set[str]:
    analysis = analyzer.analyze(analyzer.load(path))
    return {
        text for page in analysis.pages() for user in caveat_sentences(page) for _, text in user
    }


def test_the_caveat_shows_the_cell_or_says_that_there_is_no_column(tmp_path: Path) -> None:
    rest = ": the user is judged by name."
    word = saved(tmp_path, TEXTS["a word"], "word.csv")
    assert sentences(word) == {f'The ARN "fakearn" is masked{rest}'}
    column = saved(tmp_path, TEXTS["no column"], "column.csv")
    assert sentences(column) == {f"The report has no column arn{rest}"}


def judged_by_arn(*arns: str) -> pd.DataFrame:
    """Judge a user for each ARN, named quiet0, quiet1 and so on, in one report."""
    names = [f"quiet{at}" for at in range(len(arns))]
    users = [
        a_user(name, arn=arn.replace("quiet", name)) for name, arn in zip(names, arns, strict=True)
    ]
    frame = judged_users(("report.csv", report_text([*users, a_user("x")]).encode()))
    assert frame["user"].tolist() == [*names, "x"]
    assert frame["verdict"].tolist()[-1] == "unused"
    return frame.iloc[:-1]


def test_an_arn_that_is_damaged_is_no_masked_one() -> None:
    arns = (
        *("arn:aws:iam::123XXXXXXXX:user/other", "arn:aws:iam::123XXXXXXXX:user/qui"),
        *("arn:aws:iam::123XXXXXXXX:group/quiet", "arn:aws:iam::\u0661:user/quiet"),
        *("arn:aws:i", "user/quiet", "no arn", "fakearns", "tru", "N/A", "-", ""),
    )
    frame = judged_by_arn(*arns)
    assert set(frame["verdict"]) == {"undetermined"}
    for arn, reason in zip(frame["arn"], frame["reason"].astype(str), strict=True):
        assert f'arn "{arn}" is not understood' in reason


def test_an_arn_without_an_account_of_twelve_digits_is_a_masked_one() -> None:
    accounts = ["12345678901", "1234567890123", "123YYYYYYYY", "test", "1234", "12345678", ""]
    frame = judged_by_arn(*(f"arn:aws:iam::{account}:user/p/quiet" for account in accounts))
    assert set(frame["verdict"]) == {"unused"}
    assert set(frame["caveats"].astype(str)) == {MASKED}
    assert frame["account"].tolist() == accounts


@pytest.mark.parametrize("kind", ["a word", "no column"])
def test_who_may_be_the_root_or_has_no_name_is_undetermined_without_an_arn(kind: str) -> None:
    users = [*map(a_user, ("", "root", "root_account", "a b")), *USERS]
    text = without_column(users) if kind == "no column" else masked("fakearn", "fakearn", users)
    frame = judged_users(("report.csv", text.encode()))
    assert frame["verdict"].astype(str).tolist() == ["undetermined"] * 4 + [*VERDICTS.values()]


@pytest.mark.parametrize("kind", ["a word", "no column"])
def test_rows_of_one_name_are_one_user_and_others_are_not(tmp_path: Path, kind: str) -> None:
    users = [a_user("same"), a_user("same"), a_user("both"), a_user("both", password=a_password())]
    text = without_column(users) if kind == "no column" else masked("fakearn", "fakearn", users)
    frame = judged_users(saved(tmp_path, text))
    assert frame["user"].tolist() == ["same", "both"]
    assert frame["verdict"].astype(str).tolist() == ["unused", "undetermined"]


def test_a_report_without_the_column_may_repeat_its_header(tmp_path: Path) -> None:
    text = without_column([USERS[0]])
    frame = judged_users(saved(tmp_path, text + text.partition("\n")[0] + "\n"))
    assert frame["user"].tolist() == ["quiet"]


def test_without_other_columns_there_is_a_caveat_more(tmp_path: Path) -> None:
    columns = tuple(each for each in WITHOUT_ARN if each != "mfa_active")
    frame = judged_users(saved(tmp_path, report_text([a_user("quiet")], columns=columns)))
    assert frame["caveats"].astype(str).tolist() == ["missing-columns;masked-arn"]


def test_reports_without_the_column_are_read_together(tmp_path: Path) -> None:
    first = saved(tmp_path, without_column([a_user("one")]), "one.csv")
    second = saved(tmp_path, without_column([a_user("two")]), "two.csv")
    assert analyzer.load(first, second).users["user"].tolist() == ["one", "two"]
