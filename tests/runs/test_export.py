"""`credreport export --from`: what a run holds, what is made twice, and what is kept."""

import json
import os
import shutil
import stat
from collections.abc import Sequence
from dataclasses import replace
from errno import EIO
from pathlib import Path

import pytest

from analyzer.errors import Busy, OutputFailed
from analyzer.runs.run_folders import Run, folder_lock, read_record
from analyzer.runs.run_folders import runs as runs_in
from tests.support.builders import (
    Row,
    a_password,
    a_user,
    days_before,
    report_text,
    run,
    saved,
)
from tests.support.reading import OTHER_ACCOUNT, of_account
from tests.support.runs import (
    OUTPUTS,
    SAMPLE,
    check_folder,
    check_whole,
    console_report,
    exporting,
    exporting_day,
    hidden,
    record_of,
    visible,
    write_plainly,
)

Patch = pytest.MonkeyPatch
Capture = pytest.CaptureFixture[str]
FIRST, SECOND = "2026-06-01", "2026-06-02"

pytestmark = pytest.mark.usefixtures("plain_outputs")


def name(day: str, number: str = "") -> str:
    return f"{day}T09-30-00Z{number}"


def test_latest_is_a_relative_link_in_a_moved_folder(runs: Path, one_run: Path) -> None:
    assert (runs / "latest").readlink().name == one_run.name
    moved = runs.rename(runs.with_name("moved"))
    check_whole(moved / "latest")


def test_everything_is_private_to_its_owner_whatever_the_umask(plain_runs: Path) -> None:
    paths = [plain_runs] + [path for path in plain_runs.rglob("*") if not path.is_symlink()]
    for path in paths:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_the_record_says_what_options_the_run_was_made_from(runs: Path, capsys: Capture) -> None:
    chosen = ("--rules", "root-used,idle-password", "--idle-days", "30")
    more = ("--from", SAMPLE, "--log-format", "json", "--fail-on", "unused")
    assert exporting(runs, *chosen, *more) == 1
    assert capsys.readouterr().err.startswith("{")
    record, as_of = record_of(runs / "latest"), "2026-03-01T09:30:00Z"
    assert (record["kind"], record["as_of"]) == ("export", as_of)
    assert (record["exit_code"], record["compared_with"]) == (1, None)
    assert record["parameters"]["idle_days"] == 30
    assert record["parameters"]["rules"] == ["idle-password", "root-used"]
    covered = {
        "account": "123456789012",
        "as_of": as_of,
        "report": f"reports/{SAMPLE.name}",
    }
    assert record["accounts"] == {"covered": [covered], "not_covered": [], "skipped": []}


@pytest.mark.no_cover
def test_a_run_that_was_made_from_the_same_is_not_made_twice_and_says_again_what_it_meets(
    runs: Path, capsys: Capture
) -> None:
    failing = ("--from", SAMPLE, "--fail-on", "dormant")
    meets = f"Meets --fail-on in {runs}/2026-03-01T09-30-00Z: 3 undetermined; 6 dormant\n"
    assert exporting(runs, *failing, "--quiet") == 1
    assert capsys.readouterr().err == meets
    before = (runs / "latest" / "manifest.json").stat().st_mtime_ns
    assert exporting(runs, *failing) == 1
    assert visible(runs) == {"2026-03-01T09-30-00Z", "latest"}
    assert (runs / "latest" / "manifest.json").stat().st_mtime_ns == before
    said = capsys.readouterr().err
    assert "Unchanged since " in said
    assert meets in said
    assert hidden(runs) == set()


KINDS = "unused,new,became-unused,finding-new,exempted,gone"


def test_the_first_ten_newly_unused_users_are_named(runs: Path, capsys: Capture) -> None:
    users = [a_user(f"user{at:02}") for at in range(12)]
    words = ["-q", "--fail-on", "unused"]
    assert exporting_day(runs, FIRST, a_user("ann"), more=words) == 0
    assert exporting_day(runs, SECOND, a_user("ann"), *users, more=words) == 1
    first_ten = ", ".join(f"user{at:02}" for at in range(10))
    newly = f"12 newly unused since {name(FIRST)}: {first_ten} and 2 more\n"
    assert capsys.readouterr().err.endswith(newly)


def test_of_kinds_of_change_only_what_is_new_since_the_run_before_meets(
    runs: Path, tmp_path: Path, capsys: Capture
) -> None:
    def met(day: str, *users: Row, more: Sequence[str] = (), words: str = KINDS) -> tuple[int, str]:
        code = exporting_day(runs, day, *users, more=["-q", "--fail-on", words, *more])
        return code, capsys.readouterr().err.partition(": ")[2].partition("\n")[0]

    ann, bot, eve = a_user("ann"), a_user("bot"), a_user("eve")
    used = a_user("bot", password=a_password(days_before(1)))
    exempt = ("--exempt", "bot=a robot")
    file = "status_reports_2026-06-04T09-30-00+00-00.csv"
    other = ("--from", str(saved(tmp_path, of_account(OTHER_ACCOUNT, ann), file)))
    ended = "unused,exemption-ended"
    of_others = f"2 newly unused since {name('2026-06-03')}: eve, ann; 2 new; 2 finding-new"
    assert met(FIRST, ann, used)[0] == 0
    assert met(FIRST, ann, used) == (0, "")
    assert met(SECOND, ann, used) == (0, "")
    newly = f"1 newly unused since {name(SECOND)}: bot; 1 became-unused; 1 finding-new"
    assert met("2026-06-03", ann, bot) == (1, newly)
    assert met("2026-06-04", ann, bot, eve, more=other) == (1, of_others)
    assert met("2026-06-05", ann, bot, more=exempt) == (1, "1 gone; 1 exempted")
    assert met("2026-06-06", ann, used, more=exempt) == (0, "")
    assert met("2026-06-07", ann, bot, more=exempt) == (0, "")
    assert met("2026-06-08", ann, bot, words=ended) == (1, "1 exemption-ended")


def test_the_first_run_compares_with_nothing_and_says_so(runs: Path, capsys: Capture) -> None:
    odd = a_user("odd") | {"password_enabled": "?"}
    words = ["--fail-on", "unused,gone"]
    assert exporting_day(runs, FIRST, a_user("ann"), more=["-q"] + words) == 0
    said = capsys.readouterr().err
    assert "There is no earlier run: --fail-on unused, gone compares with nothing." in said
    assert exporting_day(runs, SECOND, a_user("ann"), odd, more=["-q"] + words) == 1
    assert capsys.readouterr().err.endswith(f"{name(SECOND)}: 1 undetermined\n")
    (changed,) = (runs / name(SECOND) / "reports").rglob("*.csv")
    changed.write_text(changed.read_text().replace("ann", "eve"))
    assert exporting_day(runs, "2026-06-03", a_user("ann"), more=["-q"] + words) == 3
    assert (
        "its reports were changed, so --fail-on unused, gone has nothing" in capsys.readouterr().err
    )
    assert not (runs / name("2026-06-03")).exists()


def test_what_a_report_has_changed_is_never_met_again_by_the_same_report(
    runs: Path, capsys: Capture
) -> None:
    words = ("-q", "--fail-on", "new")
    exporting_day(runs, FIRST, a_user("ann"), more=["-q"])
    assert exporting_day(runs, SECOND, a_user("ann"), a_user("bob"), more=words) == 1
    met = capsys.readouterr().err
    assert met.endswith(f"{name(SECOND)}: 1 new\n")
    for _ in range(2):
        assert exporting_day(runs, SECOND, a_user("ann"), a_user("bob"), more=words) == 0
        assert capsys.readouterr().err == ""
        shutil.rmtree(runs / name(FIRST), ignore_errors=True)


def test_old_runs_that_cannot_be_removed_stay_and_the_new_one_is_there(
    runs: Path, one_run: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    def unreadable(_: Run) -> bool:
        raise OSError(EIO, "Input/output error")

    monkeypatch.setattr(Run, "is_unedited", unreadable)
    assert exporting(runs, "--from", SAMPLE, "--idle-days", "9", "--keep", "1") == 0
    assert "Old runs were not removed: " in capsys.readouterr().err
    assert visible(runs) == {one_run.name, f"{one_run.name}-2", "latest"}


@pytest.mark.no_cover
def test_a_run_keeps_its_lists_another_list_makes_another_run_and_diff_reads_them(
    runs: Path, reports: Path
) -> None:
    report = console_report(reports, FIRST, a_user("bot-a"), a_user("ci-b"))
    bots = "account,user,reason,owner,expires\r\n*,bot-*,Replaced,Ops,\r\n"
    owners = saved(reports, "account,user,owner\n*,*,Ann Lee\n", "owners.csv")
    both = f"{bots}*,ci-*,Replaced,Ops,\r\n"
    for number, text in (("", bots), ("", bots), ("-2", both)):
        listed = saved(reports, text, f"list{number}.csv")
        lists = ("--exemptions", listed, "--owners", owners)
        assert exporting(runs, "--from", report, *lists) == 0
        assert (runs / "latest").readlink().name == name(FIRST, number)
        assert (runs / "latest" / "exemptions.csv").read_bytes() == text.encode()
        assert (runs / "latest" / "owners.csv").read_bytes() == owners.read_bytes()
    check_whole(runs / "latest")
    done = run("diff", runs / name(FIRST), runs / name(FIRST, "-2"), "--format", "csv")
    assert {(row["change"], row["owner"]) for row in done.rows} == {("exempted", "Ann Lee")}
    assert (done.code, exporting(runs, "--from", report)) == (0, 0)
    assert not (runs / "latest" / "exemptions.csv").exists()


def test_a_run_keeps_the_entries_of_exempt_and_the_next_run_and_diff_read_them(
    runs: Path, reports: Path
) -> None:
    report = console_report(reports, FIRST, a_user("bot-a"), a_user("ci-b"))
    for entries in (["bot-*=Replaced"], ["bot-*=Replaced", "ci-?=Replaced"]):
        words = [word for entry in entries for word in ("--exempt", entry)]
        assert exporting(runs, "--from", report, *words) == 0
        assert record_of(runs / "latest")["parameters"]["exempt"] == entries
    (row,) = run("diff", runs / name(FIRST), runs / name(FIRST, "-2"), "--format", "csv").rows
    assert (row["change"], row["user"]) == ("exempted", "ci-b")
    more = words + ["--fail-on", "exempted"]
    assert exporting_day(runs, SECOND, a_user("bot-a"), a_user("ci-b"), more=more) == 0
    both = run("diff", runs / name(FIRST), runs / name(FIRST, "-2"), "--exempt", "*=all", "-q")
    assert (both.code, both.output) == (0, b"")


def test_a_run_with_changed_reports_is_not_compared(runs: Path, capsys: Capture) -> None:
    exporting_day(runs, FIRST)
    (report,) = (runs / "latest" / "reports").iterdir()
    report.write_bytes(report.read_bytes().replace(b"quiet", b"other"))
    for _ in range(2):
        assert exporting_day(runs, SECOND, more=["--quiet"]) == 5
    assert record_of(runs / "latest")["compared_with"] is None
    why = f"the reports in the run {name(FIRST)} were changed"
    assert record_of(runs / "latest")["not_compared"] == why
    assert "were changed: changes since it are not shown" in capsys.readouterr().err
    assert run("verify", runs / name(SECOND)).code == 0
    assert exporting_day(runs, "2026-08-01") == 0


def test_what_is_no_complete_run_or_holds_more_is_never_removed(runs: Path, one_run: Path) -> None:
    edited, partial, last = (one_run.with_name(f"{one_run.name}-{number}") for number in (2, 3, 4))
    for copy in (edited, partial, last):
        shutil.copytree(one_run, copy)
    (edited / "notes.txt").write_text("reviewed")
    (partial / "users.csv").unlink()
    (runs / "2026-05-01").mkdir()
    (runs / "2020-01-01T00-00-00Z").symlink_to(last.name)
    kept = visible(runs) - {one_run.name}
    assert exporting_day(runs, FIRST, more=["--keep", "1"]) == 0
    assert visible(runs) == (kept | {name(FIRST)})


def test_a_run_that_somebody_has_added_to_or_edited_is_not_unedited(one_run: Path) -> None:
    (made,) = runs_in(one_run.parent)
    assert made.is_unedited()
    copies = [one_run.with_name(copy) / "run" for copy in "abcde"]
    for copy in copies:
        shutil.copytree(one_run, copy)
    with_note, with_folder, with_link, with_reports_elsewhere, with_other_cells = copies
    saved(with_note, "reviewed", "notes.txt")
    (with_folder / "reviewed").mkdir()
    (with_link / "reviewed").symlink_to("/")
    (with_reports_elsewhere / "reports").rename(with_reports_elsewhere.with_name("reports"))
    (with_reports_elsewhere / "reports").symlink_to("../reports")
    users = with_other_cells / "users.csv"
    users.write_bytes(users.read_bytes().replace(b"unused", b"active"))
    assert [copy for copy in copies if replace(made, path=copy).is_unedited()] == []


def test_latest_leads_to_nothing_rather_than_to_what_is_no_run(runs: Path, one_run: Path) -> None:
    (one_run / "users.csv").rename(runs / "users.csv")
    with folder_lock(runs):
        assert visible(runs) == {one_run.name, "users.csv"}
    (runs / "users.csv").rename(one_run / "users.csv")
    (one_run / "manifest.json").write_text("{}")
    with folder_lock(runs):
        assert visible(runs) == {one_run.name}


NONE: tuple[dict[str, object], ...] = (
    {"exit_code": "none"},
    {"exit_code": True},
    {"identity": None},
    {"parameters": []},
    {"files": {}},
    {"files": [{"path": "users.csv"}]},
    {"files": [{"path": "users.csv", "sha256": 1}]},
    {"files": ["users.csv"]},
    {"as_of": None},
    {"as_of": "yesterday"},
)
NO_MOMENTS: tuple[object, ...] = ("soon", "2026-06-01", "2026-06-01T09:30:00", 20260601, ["x"])


def test_a_record_that_is_not_understood_is_none(one_run: Path) -> None:
    texts = ["[]", "{}", "half of i", '{"kind": "other"}', "[" * 100_000]
    whole = record_of(one_run)
    odd_values = [*NONE, *({"as_of": odd} for odd in NO_MOMENTS)]
    for text in (*texts, *(json.dumps(dict(whole) | odd) for odd in odd_values)):
        (one_run / "manifest.json").write_text(text)
        assert read_record(one_run) is None, text


def test_all_of_a_run_is_on_disk_before_it_has_its_name(runs: Path, monkeypatch: Patch) -> None:
    synced: set[int] = set()
    fsync, rename = os.fsync, Path.rename

    def noted(descriptor: int) -> None:
        synced.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    def checked(path: Path, target: Path) -> Path:
        needed = {each: each.stat().st_ino for each in (path, *path.rglob("*"))}
        assert [each for each, node in needed.items() if node not in synced] == []
        assert len(needed) > len(OUTPUTS)
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", noted)
    monkeypatch.setattr(Path, "rename", checked)
    assert exporting(runs, "--from", SAMPLE) == 0
    assert runs.stat().st_ino in synced


def test_hidden_things_of_others_stay(runs: Path, tmp_path: Path) -> None:
    runs.mkdir()
    (runs / ".snapshot").mkdir()
    (runs / ".credreport-notes").mkdir()
    (runs / ".credreport-building-plan.txt").write_text("mine")
    (runs / ".credreport-removing-x").symlink_to(tmp_path)
    before = hidden(runs)
    assert exporting(runs, "--from", SAMPLE) == 0
    assert hidden(runs) == before
    assert tmp_path.is_dir()


def test_a_file_in_the_place_of_the_link_to_be_latest_stays(runs: Path, capsys: Capture) -> None:
    runs.mkdir()
    (runs / ".credreport-latest").write_text("mine")
    assert exporting(runs, "--from", SAMPLE) == 73
    assert ".credreport-latest is in the way of a link: move it away" in capsys.readouterr().err
    assert visible(runs) == set()
    assert (runs / ".credreport-latest").read_text() == "mine"


def test_while_a_run_works_another_one_says_so_and_ends(
    runs: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    def write(_: object, folder: Path, *__: object) -> str:
        assert exporting(runs, "--from", SAMPLE) == Busy.exit_code == 75
        return write_plainly(folder)

    monkeypatch.setattr("analyzer.runs.outputs.write_all", write)
    assert exporting(runs, "--from", SAMPLE, "-q") == 0
    assert capsys.readouterr().err.count(f"Another run uses {runs}: nothing was done") == 1
    check_folder(runs)
    assert visible(runs) == {"2026-03-01T09-30-00Z", "latest"}


def test_inputs_that_are_refused_are_all_named_as_they_were_given_and_leave_nothing(
    runs: Path, tmp_path: Path, capsys: Capture
) -> None:
    bad = saved(tmp_path, "user,arn\nx,y\n", "bad.csv")
    for names, messages in (
        ((SAMPLE, bad), [f"credreport: {bad}, row 1"]),
        (("a.csv", "b.csv"), [f"{name}.csv: there is no such file" for name in "ab"]),
    ):
        assert exporting(runs, *(word for name in names for word in ("--from", name))) == 3
        log = capsys.readouterr().err
        assert [message for message in messages if message not in log] == []
        assert visible(runs) == hidden(runs) == set()


def test_a_folder_called_latest_is_left_alone(runs: Path, capsys: Capture) -> None:
    (runs / "latest").mkdir(parents=True)
    assert exporting(runs, "--from", SAMPLE) == 73
    assert f"{runs / 'latest'} is not a link to a run: move it away." in capsys.readouterr().err
    assert visible(runs) == {"latest"}


OTHER_LINKS = {
    "latest": ("not a link to a run", ["notes", "/tmp", "../2026-03-01T09-30-00Z", "nowhere"]),
    ".lock": ("a link, which is not opened", ["../secret", "../nowhere"]),
}


@pytest.mark.parametrize("name", OTHER_LINKS)
def test_a_link_called_lock_or_latest_is_neither_followed_nor_moved(runs: Path, name: str) -> None:
    what, targets = OTHER_LINKS[name]
    (runs / "notes").mkdir(parents=True)
    secret = saved(runs.parent, "kept", "secret")
    for target in targets:
        (runs / name).symlink_to(target)
        with (
            pytest.raises(OutputFailed, match=f"{name} is {what}: move it away"),
            folder_lock(runs),
        ):
            pass
        assert str((runs / name).readlink()) == target
        assert visible(runs) == {"notes", name} - {".lock"}
        (runs / name).unlink()
    assert secret.read_text() == "kept"
    assert not runs.with_name("nowhere").exists()


def test_a_path_through_a_link_and_back_leads_where_the_system_says(tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / "below").mkdir(parents=True)
    (tmp_path / "link").symlink_to("elsewhere/below")
    assert exporting(tmp_path / "link" / ".." / "runs", "--from", SAMPLE) == 0
    check_whole(tmp_path / "elsewhere" / "runs" / "latest")


def test_a_file_in_the_place_of_the_folder(tmp_path: Path, capsys: Capture) -> None:
    taken = saved(tmp_path, "", "runs")
    for out in (taken, taken / "below"):
        assert exporting(out, "--from", SAMPLE) == 73
        assert f"{out} cannot be written" in capsys.readouterr().err


def test_what_is_no_complete_run_is_named_and_made_again(one_run: Path, capsys: Capture) -> None:
    damaged = [one_run] + [one_run.with_name(f"{one_run.name}-{number}") for number in range(2, 6)]
    damaged.append(one_run.with_name("2031-01-01T00-00-00Z"))
    piped, linked, partial, empty, note, of_another_moment = damaged
    (one_run / "review.xlsx").unlink()  # what stands in for it here is no workbook
    for folder in (linked, partial, of_another_moment):
        shutil.copytree(one_run, folder)
    (piped / "manifest.json").unlink()
    os.mkfifo(piped / "manifest.json")
    (linked / "manifest.json").rename(one_run.with_name("elsewhere.json"))
    (linked / "manifest.json").symlink_to(one_run.with_name("elsewhere.json"))
    (partial / "users.csv").unlink()
    empty.mkdir()
    note.write_text("a note")
    assert exporting(one_run.parent, "--from", SAMPLE) == 0
    messages = capsys.readouterr().err
    for folder in damaged:
        assert f"{folder} is not a complete run: passed over." in messages
        assert folder.exists()
    assert (one_run.parent / "latest").readlink().name == f"{one_run.name}-6"
    assert record_of(one_run.parent / "latest")["compared_with"] is None


def test_reports_of_earlier_runs_are_not_read_again_unless_a_run_is_named(tmp_path: Path) -> None:
    sources = tmp_path / "in"
    for place in ("in/runs", "in"):
        for at, day in enumerate((FIRST, SECOND), start=1):
            console_report(sources, day, a_user())
            put_manifest = {"accounts": [], "made": f"{place} {day}"}
            saved(sources, json.dumps(put_manifest), "fetched.manifest.json")
            assert exporting(tmp_path / place, "--from", sources) == 0
            kept = list((tmp_path / place / "latest/reports").rglob("*"))
            assert len([each for each in kept if each.suffix == ".csv"]) == at, place
            assert len([each for each in kept if each.suffix == ".json"]) == 1
            assert exporting(tmp_path / place, "--from", tmp_path / place / "latest/reports") == 0
        shutil.rmtree(sources)
    exporting_day(tmp_path / "runs", FIRST, a_user())
    assert exporting(tmp_path / "runs", "--from", tmp_path / "runs") == 3


def test_a_run_tells_the_order_of_its_reports_as_their_folders_did(
    tmp_path: Path, capsys: Capture
) -> None:
    asked = "--from", tmp_path / "in"
    for day in (FIRST, SECOND, "2026-06-03"):
        text = report_text([a_user(f"u{day}")])
        saved(tmp_path / "in", text, f"{day}/report.csv")
        assert exporting(tmp_path / "runs", *asked) == 0
    sides = (tmp_path / "runs" / each for each in (f"{SECOND}T23-59-59Z", "latest"))
    changes = run("diff", *sides, "--change", "new", "--change", "gone", "--format", "csv").rows
    assert [row["user"] for row in changes] == ["u2026-06-03", f"u{SECOND}"]
    capsys.readouterr()
    undated = saved(tmp_path / "in", report_text([]), "report.csv")
    for more, code in (((), 3), (("--skip-unreadable",), 5)):
        assert exporting(tmp_path / "runs", *asked, *more) == code
        said = capsys.readouterr().err
        assert f"{undated}: perhaps" in said or f"{undated} is not covered: perhaps" in said
        assert f"perhaps newer than {tmp_path}/in/2026-06-03/report.csv (2026-06-03 23:59" in said
