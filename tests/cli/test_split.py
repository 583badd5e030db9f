"""A review is split by owner or account, and what comes back says who has not answered."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from analyzer.cli.inputs import read_analysis_request
from analyzer.cli.options import JudgingOptions
from analyzer.cli.values import InputFile
from analyzer.decisions.ledger import ledger_bytes
from analyzer.terms import SplitBy
from analyzer.writers.workbook import SplitWorkbook, split
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    Row,
    a_password,
    a_user,
    days_before,
    report_text,
    run,
    saved,
    table,
)
from tests.support.decisions import OTHER_ACCOUNT, console_name, line
from tests.support.named_reports import load_named
from tests.support.review import fill_in
from tests.support.workbooks import opened, records, values

HEADER = "account,user,owner,email,left,replaced_by"
ON = AS_OF.date()
REPORT = console_name(AS_OF)


def listed(folder: Path, *lines: str) -> Path:
    return saved(folder, "\n".join([HEADER, *lines]), "owners.csv")


def reported(folder: Path, *users: Row, name: str = REPORT) -> Path:
    return saved(folder, report_text(users), name)


def index(folder: Path) -> dict[str, dict[str, str]]:
    return {row["file"]: row for row in table((folder / "index.csv").read_bytes())}


def test_each_owner_gets_a_workbook_and_users_without_one_their_own(tmp_path: Path) -> None:
    report = reported(tmp_path, *map(a_user, ("ann", "bo", "cy", "di")))
    last = ON - timedelta(days=1)
    owners = listed(tmp_path, f"*,ann,=Lee,lee@x.org,{last},@Zoe", "*,b?,Ray,,,", "*,cy,Ray,,,")
    words = ("--owners", owners, "--split-by", "owner", "-o", f"{tmp_path}/out/")
    done = run("analyze", report, *words)
    assert (done.code, done.output) == (0, b"")
    due = str(ON + timedelta(days=30))
    assert [list(row.values()) for row in index(tmp_path / "out").values()] == [
        ["lee.xlsx", "", "", "'=Lee", "lee@x.org", str(last), "'@Zoe", "1", due],
        ["ray.xlsx", "", "", "Ray", "", "", "", "2", due],
        ["no-owner.xlsx", "", "", "", "", "", "", "1", due],
    ]
    for says in (
        "ray.xlsx: Ray, 2 to decide",
        f"lee.xlsx: =Lee (left {last}), replaced by @Zoe, 1 to decide",
        "index.csv: workbooks, owners and addresses",
    ):
        assert f"Wrote {tmp_path}/out/{says}" in done.messages
    (tmp_path / "empty").mkdir()
    for name, says in (
        ("empty", "holds no workbook"),
        (tmp_path, "is a folder: name a file in it"),
        ("nofile.xlsx", "cannot be read: No such file"),
    ):
        refused = run("collect", tmp_path / name)
        assert (refused.code, says in refused.message_line) == (3, True)
    others = [saved(tmp_path / "out", "x", each) for each in ("Thumbs.db", "note.docx", "a.txt")]
    given = ("--report", report, "--list", owners)
    done = run("collect", tmp_path / "out", *given)
    assert (done.code, all(str(each) in done.message_line for each in others)) == (0, True)
    saved(tmp_path / "out", ledger_bytes([line("investigate")]), "second-thoughts.txt")
    assert b"second-thoughts.txt: entered 1" in run("collect", tmp_path / "out", *given).output
    (alone := tmp_path / "empty").joinpath("scan.pdf").write_bytes(b"%PDF")
    assert "holds no workbook" in run("collect", alone).message_line
    assert run("collect", alone / "scan.pdf").code == 3


def shares(by: SplitBy, *users: Row, owners: str = "", names: str = "") -> list[SplitWorkbook]:
    """Return the workbooks of a split."""
    files = {"owners": owners, "accounts": names}
    given: dict[str, Any] = {
        name: InputFile(f"{name}.csv", text.encode()) for name, text in files.items() if text
    }
    report = load_named((REPORT, report_text(users).encode()))
    analysis = read_analysis_request(JudgingOptions(**given)).analysis(report)
    return list(split(analysis, by).users_by_workbook)


def test_each_account_gets_a_workbook_with_its_name_and_owner() -> None:
    users = a_user("ann"), a_user("cy", password=a_password(AS_OF))
    other = a_user("bo", account=OTHER_ACCOUNT)
    names = f"account,name,owner\n{ACCOUNT},R&D / Zürich,Lee\n"
    assert [list(each)[:4] for each in shares(SplitBy.ACCOUNT, *users, other, names=names)] == [
        [f"{ACCOUNT}-r-d-zurich.xlsx", ACCOUNT, "R&D / Zürich", "Lee"],
        [f"{OTHER_ACCOUNT}.xlsx", OTHER_ACCOUNT, "", ""],
    ]


def test_an_owner_has_all_addresses_days_and_successors_that_the_list_has_for_the_name() -> None:
    later = ON + timedelta(days=1)  # has not left yet, so nobody else is asked
    entries = (
        ("ann,Ray,ray@example.com,,", "bob,Ray,r2@example.com,2026-01-31,Zoe", "eve,Ray,,,")
        + ("x,Ray,,2026-01-31,Zoe", "y,Ray,,2026-01-31,Al", f"z,Ray,,{later},Kim")
        + ("w,Lee,,2026-01-31,Ned",)
    )
    owners = "\n".join((HEADER, *(f"{ACCOUNT},{each}" for each in entries)))
    (ray,) = shares(SplitBy.OWNER, *map(a_user, ("ann", "bob", "eve")), owners=owners)
    assert ray.email.split(";") == ["ray@example.com", "r2@example.com"]
    assert (ray.owner, ray.left, ray.replaced_by) == ("Ray", "2026-01-31", "Zoe;Al")
    assert ray.lines == 3


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
    every = shares(SplitBy.OWNER, *map(a_user, [*users, "nobody"]), owners=owners)
    named = {each.owner: each.file for each in every}
    assert len(set(map(str.lower, named.values()))) == len(stems) + 1
    for owner, stem in stems.items():
        hash_ = named[owner].removesuffix(".xlsx").removeprefix(stem)
        assert len(hash_) == (8 if stem.endswith("-") else 0), owner


def test_a_filled_workbook_is_never_written_over_and_nothing_else_written(tmp_path: Path) -> None:
    report = reported(tmp_path, a_user("ann"), a_user("bo"))
    owners = listed(tmp_path, "*,ann,Lee,,", "*,bo,Ray,,")
    words = ("analyze", report, "--owners", owners, "--split-by", "owner", "-o", "out")
    # From its folder: a long path would be cut where the line of the refusal ends.
    assert run(*words, "-q", folder=tmp_path) == (0, b"", "")
    lee, ray, listing = (tmp_path / "out" / name for name in ("lee.xlsx", "ray.xlsx", "index.csv"))
    assert set(listing.parent.iterdir()) == {lee, ray, listing}
    fill_in(ray, {"bo": "keep"}, on=ON)
    lee.unlink()
    before = ray.read_bytes(), listing.read_bytes()
    refused = run(*words, folder=tmp_path)
    assert refused.code == 2
    says = "out/ray.xlsx was changed since credreport wrote it: name another output"
    assert says in refused.message_line
    assert set(listing.parent.iterdir()) == {ray, listing}
    assert (ray.read_bytes(), listing.read_bytes()) == before


def test_a_split_needs_its_owners_and_a_folder_that_can_be_made(tmp_path: Path) -> None:
    report, folder = reported(tmp_path, a_user("ann")), "name one folder with -o FOLDER"
    saved(tmp_path, "", "taken")
    for words, code, problem in (
        ("--split-by owner -o out", 2, "owners of --accounts, use --split-by account"),
        ("--split-by account", 2, folder),
        ("--split-by account -o out.xlsx", 2, folder),
        ("--split-by account -o out -o b", 2, folder),
        ("-o out", 2, "out must end in .xlsx"),
        ("--split-by account -o taken", 73, "taken/index.csv cannot be written: "),
    ):
        done = run("analyze", report, *words.split(), folder=tmp_path)
        assert (done.code, problem in done.message_line) == (code, True)


def test_a_campaign_over_two_quarters_runs_by_commands_only(tmp_path: Path) -> None:
    """Send, collect what came, remind, collect the rest, plan, follow up, prove."""
    names = ("ann", "cy", "di")
    owners = listed(tmp_path, *(f"*,{name},Owner of {name},," for name in names))
    reports, out, ledger = tmp_path / "reports", tmp_path / "out", tmp_path / "decisions.csv"

    def split(folder: str, report: Path, *words: object) -> str:
        where = ("--owners", owners, "--split-by", "owner", "-o", out / folder)
        done = run("analyze", report, *where, *words)
        assert done.code == 0
        return done.messages

    def filled(folder: str, name: str, word: str, by: str = "") -> None:
        book = out / folder / f"owner-of-{name}.xlsx"
        fill_in(book, {name: word}, by=by or f"owner of  {name.upper()}", on=ON)

    signs_in = a_user("di", password=a_password())
    first = reported(reports, *map(a_user, names[:2]), signs_in)
    split("sent", first)
    filled("sent", "ann", "delete")
    filled("sent", "cy", "delete", by="Tom")
    given = ("--report", first, "--owners", owners, "-o", ledger)
    came = run("collect", out / "sent", *given)
    entered = [each for each in came.lines if ": entered" in each]
    assert (came.code, len(entered)) == (0, 3)
    assert entered[2].endswith("owner-of-di.xlsx: entered 0, still open 1")
    said = split("reminded", first, "--decisions", ledger)
    assert set(index(out / "reminded")) == {"owner-of-di.xlsx"}
    assert "Nothing to decide: Owner of ann, Owner of cy." in said
    assert "out/sent/owner-of-ann.xlsx is of an earlier time: Owner of ann has nothing" in split(
        "sent", first, "--decisions", ledger, "--user", "ann"
    )
    filled("reminded", "di", "deactivate")
    rest = run("collect", *(out / "reminded").glob("*.xlsx"), *given)
    assert (rest.code, b"still open" in rest.output) == (0, False)
    answers = ("--report", first, "--exemptions", "none", "-o", tmp_path / "remove.sh")
    plan = run("plan", ledger, *answers)
    assert (plan.code, "for 3 users" in plan.messages) == (0, True)

    later = AS_OF + timedelta(days=29)
    users = [*map(a_user, names[1:]), a_user("new", created=later)]
    second = reported(reports, *users, name=console_name(later))
    split("next", second, "--decisions", ledger)
    assert set(index(out / "next")) == {"owner-of-di.xlsx", "no-owner.xlsx"}
    words = ("--decisions", ledger, "--owners", owners, "--out-dir", tmp_path / "runs")
    assert run("export", "--from", second, *words).code == 0
    rows = table((tmp_path / "runs/latest/follow_up.csv").read_bytes())
    statuses = {"cy": "open", "ann": "done", "di": "done"}
    assert {row["user"]: row["status"] for row in rows} == statuses
    assert all(row["owner"] == f"Owner of {row['user']}" for row in rows)
    listed_by = ("--decisions", ledger, "--owners", owners)
    proof = run("history", reports, *listed_by, "--table", "period", "--format", "csv")
    row, _ = proof.rows
    kinds = ("decisions", "done", "open", "users_start", "removed", "users_end")
    assert (proof.code, [row[kind] for kind in kinds]) == (0, list("321313"))


def test_a_part_counts_every_user_of_its_owner_and_lists_those_to_decide(tmp_path: Path) -> None:
    names = ("ann", "bo", "cy", "kay")
    users = [a_user(name, created=days_before(200 + at)) for at, name in enumerate(names)]
    _, bo, _, kay = users
    users += [a_user(f"in-use-{at}", password=a_password(AS_OF)) for at in range(3)]
    rest = a_user("di", password=a_password(AS_OF - timedelta(days=99)))
    report = reported(tmp_path / "reports", *users, rest)
    other = report_text([a_user("busy", password=a_password(AS_OF))])
    saved(tmp_path / "reports", other.replace(ACCOUNT, OTHER_ACCOUNT), "2026-05-02.csv")
    owners = listed(tmp_path, "*,di,Eve,,,", "*,*,Lee,,,")
    ledger = saved(tmp_path, ledger_bytes([line("keep", kay), line("delete", bo)]), "d.csv")
    exempt = ("--exempt", "cy=by design", "--owners", owners, "--decisions", ledger)
    words = (*exempt, "--split-by", "owner", "-o", tmp_path / "out")
    assert run("analyze", report.parent, *words).code == 0
    file = (tmp_path / "out" / "lee.xlsx").read_bytes()
    book = opened(file, results=True)
    assert [row["User"] for row in records(book["Unused users"])] == ["ann"]
    summary = [[cell for cell in row if cell is not None] for row in values(book["Summary"])]
    counts = {str(row[0]): row[1:4] for row in summary if row}
    assert counts["unused"] == [4, 2, 2]
    assert (counts["active"], counts["dormant"]) == ([4, 0, 4], [0, 0, 0])
    assert counts["IAM users"] == [8, 2, 6]
    assert counts["Unused users"][:2] == [1, 1]
    texts = [str(cell) for row in summary for cell in row]
    assert any(text.startswith("4 of 8 IAM users are unused ") for text in texts)
    assert any("2 accounts in 2 reports" in text for text in texts)
    # Its one list needs one report.
    fill_in(tmp_path / "out" / "lee.xlsx", {"ann": "delete"}, on=ON)
    given = ("--report", report, "--list", owners, "-o", ledger)
    assert run("collect", tmp_path / "out" / "lee.xlsx", *given).code == 0


def test_users_without_an_owner_are_called_so() -> None:
    (share,) = shares(SplitBy.OWNER, a_user("ann"))
    assert (share.file, share.label) == ("no-owner.xlsx", "users without an owner")


def test_a_part_shows_its_accounts_alone_and_a_list_of_a_former_owner_is_named(
    tmp_path: Path,
) -> None:
    for account, day in ((ACCOUNT, "2026-05-01"), (OTHER_ACCOUNT, "2026-05-09")):
        text = report_text([a_user("ann")]).replace(ACCOUNT, account)
        saved(tmp_path / "reports", text, f"{day}.csv")
    for owner in ("Lee", "Ray"):
        owners = listed(tmp_path, f"{ACCOUNT},*,{owner},,", f"{OTHER_ACCOUNT},*,Eve,,")
        words = ("--owners", owners, "--split-by", "owner", "-o", tmp_path / "out")
        done = run("analyze", tmp_path / "reports", *words)
    assert f"In {tmp_path}/out, not of this split: lee.xlsx. Remove old lists." in done.messages
    rows = values(opened((tmp_path / "out" / "ray.xlsx").read_bytes())["Summary"])
    texts = [str(cell) for row in rows for cell in row if cell is not None]
    assert sum("/reports/" in text for text in texts) == 2  # also in the hidden record
    assert [text for text in texts if OTHER_ACCOUNT in text or "2 accounts" in text] == []
    assert "Access review: unused IAM users, for Ray" in texts
