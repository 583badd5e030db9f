"""A review is split by owner or account, and what comes back says who has not answered."""

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest

import analyzer
from analyzer.cli.inputs import read_judging
from analyzer.cli.options import InputFile, JudgingOptions
from analyzer.terms import SplitBy
from analyzer.writers.workbook import Share, split
from tests.support.builders import ACCOUNT, AS_OF, Row, a_password, a_user, report_text, run, saved
from tests.support.reading import OTHER_ACCOUNT
from tests.support.review import fill_in

HEADER = "account,user,owner,email,left"
ON = AS_OF.date()
REPORT = f"status_reports_{AS_OF:%Y-%m-%dT%H-%M-%S}+00-00.csv"


def listed(folder: Path, *lines: str) -> Path:
    return saved(folder, "\n".join([HEADER, *lines]), "owners.csv")


def reported(folder: Path, *users: Row, name: str = REPORT) -> Path:
    return saved(folder, report_text(users), name)


def index(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "index.csv").open(newline="") as stream:
        return {row["file"]: row for row in csv.DictReader(stream)}


def test_each_owner_gets_a_workbook_and_users_without_one_their_own(tmp_path: Path) -> None:
    report = reported(tmp_path, *map(a_user, ("ann", "bo", "cy", "di")))
    last = ON - timedelta(days=1)
    owners = listed(tmp_path, f"*,ann,=Lee,lee@x.org,{last}", "*,b?,Ray,,", "*,cy,Ray,,")
    done = run(
        "analyze", report, "--owners", owners, "--split-by", "owner", "-o", f"{tmp_path}/out/"
    )
    assert (done.code, done.output) == (0, b"")
    due = str(ON + timedelta(days=30))
    assert [[*row.values()] for row in index(tmp_path / "out").values()] == [
        ["lee.xlsx", "", "", "'=Lee", "lee@x.org", str(last), "1", due],
        ["ray.xlsx", "", "", "Ray", "", "", "2", due],
        ["no-owner.xlsx", "", "", "", "", "", "1", due],
    ]
    assert f"Wrote {tmp_path}/out/ray.xlsx: Ray, 2 to decide" in done.messages
    assert f"Wrote {tmp_path}/out/lee.xlsx: =Lee (left {last}), 1 to decide" in done.messages
    assert f"Wrote {tmp_path}/out/index.csv: workbooks, owners and addresses" in done.messages
    book = fill_in(tmp_path / "out" / "ray.xlsx", {"bo": "delete", "cy": "delete"}, on=ON)
    checked = run("collect", book.parent, "--report", report)
    assert (checked.code, b"entered 2\n" in checked.output) == (0, True)
    assert b"Not answered: =Lee, 1 user." in checked.output
    assert f"Compared with {report}: no difference." in checked.messages
    untouched = run("collect", tmp_path / "out" / "lee.xlsx")
    assert untouched.messages == "Checked; nothing was written. Nothing is new.\n"
    (tmp_path / "empty").mkdir()
    for name, says in (("empty", "holds no workbook"), (tmp_path, "Is a directory")):
        refused = run("collect", tmp_path / name)
        assert (refused.code, says in refused.says) == (2, True)


def shares(by: SplitBy, *users: Row, owners: str = "", names: str = "") -> list[Share]:
    """Return the workbooks of a split."""
    options = JudgingOptions(owners=InputFile("owners.csv", owners.encode()) if owners else None)
    request = read_judging(options, InputFile("names.csv", names.encode()) if names else None)
    return [
        *split(request.analysis(analyzer.load((REPORT, report_text(users).encode()))), by).pages
    ]


def test_each_account_gets_a_workbook_with_its_name_and_owner() -> None:
    users = a_user("ann"), a_user("cy", password=a_password(AS_OF))
    other = a_user("bo", account=OTHER_ACCOUNT)
    names = f"account,name,owner\n{ACCOUNT},R&D / Zürich,Lee\n"
    assert [[*each][:4] for each in shares(SplitBy.ACCOUNT, *users, other, names=names)] == [
        [f"{ACCOUNT}-r-d-zurich.xlsx", ACCOUNT, "R&D / Zürich", "Lee"],
        [f"{OTHER_ACCOUNT}.xlsx", OTHER_ACCOUNT, "", ""],
    ]


def test_a_file_has_a_name_that_every_system_takes_whatever_an_owner_is_called() -> None:
    stems = {
        "../../etc/passwd": "etc-passwd",
        "x" * 200: "x" * 60,
        "index": "index",
        **dict.fromkeys(("Con", "Lpt1.", "名前", "???"), "review-"),
        **dict.fromkeys(("Ann Lee", "ann-lee", "ANN LEE"), "ann-lee-"),
        "no owner": "no-owner-",
    }
    users = {f"user{at}": owner for at, owner in enumerate(stems)}
    lines = (f'*,{user},"{owner}",,' for user, owner in users.items())
    owners = "\n".join([HEADER, *lines])
    named = {
        each.owner: each.file
        for each in shares(SplitBy.OWNER, *map(a_user, [*users, "nobody"]), owners=owners)
    }
    assert len({*map(str.lower, named.values())}) == len(stems) + 1
    for owner, stem in stems.items():
        hash_ = named[owner].removesuffix(".xlsx").removeprefix(stem)
        assert len(hash_) == (8 if stem.endswith("-") else 0), owner


def test_a_filled_workbook_is_never_written_over_and_nothing_else_is_written(
    tmp_path: Path,
) -> None:
    report = reported(tmp_path, a_user("ann"), a_user("bo"))
    owners = listed(tmp_path, "*,ann,Lee,,", "*,bo,Ray,,")
    words = ("analyze", report, "--owners", owners, "--split-by", "owner", "-o", tmp_path / "out")
    assert run(*words, "-q") == (0, b"", "")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("lee.xlsx", "ray.xlsx", "index.csv")
    }
    fill_in(tmp_path / "out" / "ray.xlsx", {"bo": "keep"}, on=ON)
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    (tmp_path / "out" / "lee.xlsx").unlink()
    refused = run(*words)
    assert refused.code == 2
    assert "ray.xlsx has decisions of a reviewer: name another output" in refused.says
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"ray.xlsx", "index.csv"}
    assert all(path.read_bytes() == before[path] for path in (tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--split-by", "owner", "-o", "out"], "name the list of owners with --owners"),
        (["--split-by", "account"], "name one folder with -o FOLDER"),
        (["--split-by", "account", "-o", "out.xlsx"], "name one folder with -o FOLDER"),
        (["--split-by", "account", "-o", "out", "-o", "b"], "name one folder with -o FOLDER"),
        (["-o", "out"], "out must end in .xlsx"),
    ],
)
def test_a_split_needs_a_folder_and_its_owners(
    tmp_path: Path, words: list[str], problem: str
) -> None:
    done = run("analyze", reported(tmp_path, a_user("ann")), *words)
    assert done.code == 2
    assert problem in done.says


def test_a_folder_that_cannot_be_made_is_an_output_that_cannot_be_written(tmp_path: Path) -> None:
    report = reported(tmp_path, a_user("ann"))
    saved(tmp_path, "", "taken")
    done = run("analyze", report, "--split-by", "account", "-o", tmp_path / "taken")
    assert done.code == 73
    assert "taken cannot be written: File exists." in done.messages


def test_a_campaign_over_two_quarters_runs_by_commands_only(tmp_path: Path) -> None:
    """Send, collect what came, remind, collect the rest, plan, follow up, prove."""
    names = ("ann", "bo", "cy", "di", "ed")
    owners = listed(tmp_path, *(f"*,{name},Owner of {name},,{''}" for name in names))
    reports, out, ledger = tmp_path / "reports", tmp_path / "out", tmp_path / "decisions.csv"
    reports.mkdir()

    def split(folder: str, report: Path, *words: object) -> str:
        where = ("--owners", owners, "--split-by", "owner", "-o", out / folder)
        done = run("analyze", report, *where, *words)
        assert done.code == 0
        return done.messages

    def filled(folder: str, name: str, word: str, by: str = "", on: date = ON) -> None:
        book = out / folder / f"owner-of-{name}.xlsx"
        fill_in(book, {name: word}, by=by or f"owner of  {name.upper()}", on=on)

    first = reported(reports, *map(a_user, names))
    split("sent", first)
    filled("sent", "ann", "delete")
    filled("sent", "bo", "keep")
    filled("sent", "cy", "delete", by="Tom")
    sent = sorted((out / "sent").glob("*.xlsx"))
    came = run("collect", *sent, "-o", ledger)
    assert came.code == 0
    assert came.lines[-3:] == [
        "Not answered: Owner of di, 1 user.",
        "Not answered: Owner of ed, 1 user.",
        "Decided by Tom, not by the owner Owner of cy: cy.",
    ]
    said = split("reminded", first, "--decisions", ledger)
    assert {*index(out / "reminded")} == {"owner-of-di.xlsx", "owner-of-ed.xlsx"}
    assert "Nothing to decide: Owner of ann, Owner of bo, Owner of cy." in said
    assert "out/sent/owner-of-ann.xlsx is of an earlier time: Owner of ann has nothing" in split(
        "sent", first, "--decisions", ledger, "--user", "ann"
    )
    filled("reminded", "di", "deactivate")
    filled("reminded", "ed", "investigate")
    rest = run("collect", *sorted((out / "reminded").glob("*.xlsx")), "-o", ledger)
    assert rest.code == 0
    assert b"Not answered" not in rest.output
    plan = run("plan", ledger, "--report", first, "-o", tmp_path / "remove.sh")
    assert plan.code == 0
    assert "for 3 users" in plan.messages

    later = AS_OF + timedelta(days=29)
    name = f"status_reports_{later:%Y-%m-%dT%H-%M-%S}+00-00.csv"
    users = [*map(a_user, names[1:]), a_user("new", created=later)]
    second = reported(reports, *users, name=name)
    words = ("--decisions", ledger, "--follow-up", tmp_path / "follow-up.csv")
    split("next", second, *words)
    assert {*index(out / "next")} == {"owner-of-di.xlsx", "owner-of-ed.xlsx", "no-owner.xlsx"}
    with (tmp_path / "follow-up.csv").open(newline="") as stream:
        followed = {row["user"]: (row["status"], row["owner"]) for row in csv.DictReader(stream)}
    assert followed == {
        "cy": ("not-done", "Owner of cy"),
        "ann": ("done", "Owner of ann"),
        "di": ("done", "Owner of di"),
    }
    proof = run(
        *("history", reports, "--decisions", ledger, "--owners", owners, "--format", "csv"),
        *("--table", "period"),
    )
    (row, _) = csv.DictReader(proof.lines)
    assert proof.code == 0
    assert (row["decisions"], row["done_in_time"], row["open"]) == ("5", "2", "1")
    assert (row["users_start"], row["removed"], row["users_end"]) == ("5", "1", "5")
