"""An account that could not be fetched is told everywhere, and never counts as clean."""

import csv
import json
import shutil
import zipfile
from io import BytesIO, TextIOWrapper
from pathlib import Path

import openpyxl
import pytest

import analyzer
from analyzer.cli import main
from analyzer.errors import FAILED, PARTIAL, InputRefused
from analyzer.files import sha256
from analyzer.report.model import Report
from tests.support.builders import a_user, report_text
from tests.support.feeds import asff_file
from tests.support.reading import of_account, put, refused
from tests.support.runs import copied

DENIED = {
    "account": "210987654321",
    "name": "payments",
    "status": "failed",
    "reason": "it denied iam:GetCredentialReport",
}
SENTENCE = "Account 210987654321 is not covered: it denied iam:GetCredentialReport"
READ = {"account": "012345678901", "name": "web", "status": "fetched", "reason": ""}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    reports = tmp_path / "reports"
    reports.mkdir()
    (reports / "web.csv").write_text(report_text([a_user()]))
    return reports


def with_manifest(folder: Path, *accounts: dict[str, str]) -> Path:
    (folder / "fetched.manifest.json").write_text(json.dumps({"accounts": accounts}))
    return folder


def told(report: Report) -> list[str]:
    return [*map(str, report.not_covered)]


def test_an_account_that_failed_is_not_covered_and_the_notes_say_so(folder: Path) -> None:
    report = analyzer.load(with_manifest(folder, READ, DENIED))
    assert told(report) == [SENTENCE]
    assert SENTENCE in report.notes


LATER = "status_reports_2026-05-01T12-00-00+00-00.csv"
BY_ITSELF = {**DENIED, "account": "012345678901"}


def fetched_at(moment: str, account: str = "999999999999") -> dict[str, str]:
    return {**READ, "account": account, "generated_time": moment}


def test_an_account_that_failed_is_covered_by_a_newer_report_and_a_note_says_so(
    folder: Path,
) -> None:
    (folder / "web.csv").rename(folder / LATER)
    others = (
        fetched_at("2026-05-01T11:59:59Z"),
        fetched_at("2026-04-01T00:00:00Z", "888888888888"),
    )
    manifest = with_manifest(folder, *others, BY_ITSELF, DENIED) / "fetched.manifest.json"
    report = analyzer.load(folder)
    assert told(report) == [SENTENCE]
    assert report.notes[:2] == (
        SENTENCE,
        (
            f"Account 012345678901 could not be read when {manifest} was made (it denied"
            f" iam:GetCredentialReport); its report {folder / LATER} of 2026-05-01 12:00 UTC counts"
            " instead."
        ),
    )
    with_manifest(folder, *others, BY_ITSELF)
    assert main(["analyze", str(folder), "--quiet", "--fail-on", "active"]) == 0


@pytest.mark.parametrize(
    "others",
    [
        (),
        ({**READ, "account": "999999999999"},),
        (fetched_at("unknown"),),
        (fetched_at("2026-05-01T12:00:00Z"),),
        (fetched_at("2026-05-01T11:59:59Z"), fetched_at("2026-05-02T00:00:00Z", "888888888888")),
    ],
)
def test_an_account_that_failed_is_not_covered_by_a_report_that_may_have_lain_there_before(
    folder: Path, others: tuple[dict[str, str], ...]
) -> None:
    (folder / "web.csv").rename(folder / LATER)
    with_manifest(folder, *others, BY_ITSELF)
    assert BY_ITSELF["account"] in [each.account for each in analyzer.load(folder).not_covered]


def test_rows_that_name_no_account_cover_none_whose_number_is_unknown(folder: Path) -> None:
    text = report_text([a_user("ann"), a_user("bob", arn="no ARN")])
    (folder / "web.csv").write_text(text)
    assert len(told(analyzer.load(with_manifest(folder, {**DENIED, "account": ""})))) == 1


def test_accounts_without_a_number_are_told_by_their_names(folder: Path) -> None:
    unknown = [{**DENIED, "account": "", "name": name} for name in ("one", "two")]
    assert told(analyzer.load(with_manifest(folder, *unknown))) == [
        SENTENCE.replace("210987654321", each["name"]) for each in unknown
    ]


ODD = '{"account": null, "name": "", "status": "failed", "reason": "x"}'


@pytest.mark.parametrize(
    "text",
    ['{"accounts": [{}]}', '{"accounts": {}}', f'{{"accounts": [{ODD}]}}', "[]", '{"accounts"'],
)
def test_a_manifest_that_is_not_understood_refuses_the_run(folder: Path, text: str) -> None:
    (folder / "fetched.manifest.json").write_text(text)
    with pytest.raises(InputRefused) as refused:
        analyzer.load(folder)
    assert "fetched.manifest.json" in str(refused.value)


def test_the_account_is_named_on_standard_error_too_and_the_run_is_partial(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze", str(with_manifest(folder, DENIED)), "--format", "json"]) == PARTIAL
    told = capsys.readouterr()
    assert SENTENCE in told.err
    assert SENTENCE in json.loads(told.out)["notes"]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return [*csv.DictReader(stream)]


def filled(row: dict[str, str]) -> dict[str, str]:
    return {name: cell for name, cell in row.items() if cell}


@pytest.mark.no_cover
def test_every_file_names_the_account_and_workbook_and_json_one_that_was_left_out(
    folder: Path, tmp_path: Path
) -> None:
    excluded = {**DENIED, "account": "310987654321", "status": "skipped", "reason": "--exclude."}
    endings = (".csv", ".json", ".xlsx", ".ocsf.json", ".asff.json")
    outputs = [tmp_path / f"out{ending}" for ending in endings]
    findings = tmp_path / "findings.csv"
    asked = [word for each in outputs for word in ("-o", str(each))]
    source = str(with_manifest(folder, READ, DENIED, excluded))
    code = main(["analyze", source, *asked, "--findings", str(findings), "--verdict", "retired"])
    assert code == PARTIAL
    users, document, book, ocsf, asff = outputs
    assert [filled(row) for row in rows(users)] == [
        {
            "account": DENIED["account"],
            "verdict": "not-covered",
            "reason": SENTENCE,
            "account_name": "payments",
        }
    ]
    assert filled(rows(findings)[-1]) == {
        "account": DENIED["account"],
        "severity": "high",
        "rule": "not-covered",
        "subject": "account",
        "fact": SENTENCE,
        "outcome": "undecided",
        "account_name": "payments",
    }
    read = json.loads(document.read_bytes())
    for key, account in (("not_covered", DENIED), ("left_out", excluded)):
        assert read[key] == [{name: account[name] for name in ("account", "name", "reason")}]
    summary = [*openpyxl.load_workbook(book)["Summary"].values]
    assert any(SENTENCE in str(cell) for row in summary for cell in row)
    assert "1 of 2 accounts" in str(summary[1][0])
    assert [row[1] for row in summary if row[0] == DENIED["account"]] == [
        f"payments, not covered: {DENIED['reason']}"
    ]
    assert [row[1] for row in summary if row[0] == "Not covered"] == [1]
    assert [row[1] for row in summary if row[0] == excluded["account"]] == [
        "payments, left out: --exclude."
    ]
    for feed in (ocsf.read_text(), asff_file(asff)):
        assert any(SENTENCE in line for line in feed.splitlines())


def test_without_a_number_an_account_is_in_csv_guarded_like_a_formula_and_not_in_asff(
    folder: Path, tmp_path: Path
) -> None:
    source = str(with_manifest(folder, {**DENIED, "account": "", "name": "=1+1"}))
    feed, users = tmp_path / "out.asff.json", tmp_path / "out.csv"
    assert main(["analyze", source, "-q", "-o", str(feed), "-o", str(users)]) == PARTIAL
    assert asff_file(feed)
    assert "not covered" not in asff_file(feed)
    assert rows(users)[-1]["account"] == "'=1+1"


def test_quiet_is_not_quiet_about_a_missing_account(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = str(with_manifest(folder, DENIED))
    assert main(["analyze", source, "--quiet", "--format", "names"]) == PARTIAL
    assert capsys.readouterr().err == f"{SENTENCE}\n"


def test_a_missing_account_meets_fail_on(folder: Path) -> None:
    arguments = ["analyze", str(with_manifest(folder, DENIED)), "--quiet", "--fail-on", "retired"]
    assert main(arguments) == FAILED


def zipped(folder: Path) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"reports/{path.name}")
    return stream.getvalue()


def test_an_archive_covers_no_more_than_the_folder_it_was_made_of(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = put(tmp_path, zipped(with_manifest(folder, READ, DENIED)), "reports.zip")
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(archive.read_bytes())))
    for source in (archive, "-"):
        assert told(analyzer.load(source)) == [SENTENCE]
    assert main(["analyze", str(archive), "--quiet"]) == PARTIAL


def test_a_damaged_manifest_in_an_archive_is_refused_by_name(folder: Path, tmp_path: Path) -> None:
    (folder / "fetched.manifest.json").write_text("{")
    archive = put(tmp_path, zipped(folder), "reports.zip")
    with pytest.raises(InputRefused) as refused:
        analyzer.load(archive)
    (problem,) = refused.value.problems
    assert problem.file == f"{archive}:reports/fetched.manifest.json"


def test_what_an_archive_holds_beside_reports_and_is_not_read_is_told(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "web.csv.metadata.json").write_text("{}")
    (folder / "other.csv").write_text(report_text([a_user("eve")]))
    archive = put(tmp_path, zipped(with_manifest(folder, READ)), "reports.zip")
    told = [note for note in analyzer.load(archive).notes if note.startswith("Not read")]
    name = f"{archive}:reports/web.csv.metadata.json"
    assert told == [f"Not read, since it lies in a zip archive (unpack it first): {name}"]


def test_a_copied_archive_brings_its_manifest(folder: Path, tmp_path: Path) -> None:
    archive = put(tmp_path, zipped(with_manifest(folder, DENIED)), "reports.zip")
    (tmp_path / "copies").mkdir()
    assert told(analyzer.load(*copied([str(archive)], tmp_path / "copies"))) == [SENTENCE]


def test_a_lost_report_is_told_also_beside_files_that_cannot_be_reports(folder: Path) -> None:
    (folder / "README.md").write_text("# Notes")
    lost = {**READ, "account": "111122223333", "file": "gone.csv", "sha256": "0" * 64}
    (sentence,) = told(analyzer.load(with_manifest(folder, READ, lost)))
    assert sentence == "Account 111122223333 is not covered: its report gone.csv is missing."


@pytest.mark.parametrize("source", ["web.csv", "*.csv", "**/*.csv", ""])
def test_a_manifest_that_lists_a_report_counts_however_the_report_is_named(
    folder: Path, source: str
) -> None:
    with_manifest(folder, {**READ, "file": "web.csv"}, DENIED)
    assert told(analyzer.load(f"{folder}/{source}")) == [SENTENCE]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"accounts": [{**READ, "file": "other.csv"}, DENIED]}),
        json.dumps({"accounts": ["web.csv"]}),
        json.dumps({"accounts": [{"file": ["web.csv"]}]}),
        "{}",
        "null",
    ],
)
def test_a_manifest_of_other_reports_is_nothing_to_a_report_that_is_named(
    folder: Path, text: str
) -> None:
    (folder / "fetched.manifest.json").write_text(text)
    (folder / ".hidden.manifest.json").write_text("no JSON")
    assert analyzer.load(folder / "web.csv").not_covered == ()


def test_a_damaged_manifest_in_the_folder_of_a_named_report_is_refused(folder: Path) -> None:
    (folder / "fetched.manifest.json").write_text('{"accounts": [')
    with pytest.raises(InputRefused, match=r"fetched\.manifest\.json: it is not valid JSON"):
        analyzer.load(folder / "web.csv")


@pytest.mark.parametrize(
    ("odd", "message"),
    [
        ({"status": "fetchd"}, 'unknown status "fetchd"'),
        ({"status": ""}, 'unknown status ""'),
        ({"status": "\x1b[2J"}, 'unknown status "\\x1b[2J"'),
        ({"account": "12345678901"}, '"12345678901" is no account id: it has 12 digits'),
        ({"account": "١٢٣٤٥٦٧٨٩٠١٢"}, '"١٢٣٤٥٦٧٨٩٠١٢" is no account id: it has 12 digits'),
        ({"account": "012345678901\n"}, '"012345678901\\n" is no account id: it has 12 digits'),
        ({"account": READ["account"]}, "it lists account 012345678901 twice"),
        ({"generated_time": "2009-12-31T23:59:59Z"}, "it has a `generated_time` before 2010"),
        ({"file": 1}, "it is not a list of fetched accounts"),
        ({"sha256": None}, "it is not a list of fetched accounts"),
    ],
)
def test_a_manifest_with_a_value_that_cannot_be_is_refused(
    folder: Path, odd: dict[str, str], message: str
) -> None:
    manifest = with_manifest(folder, READ, {**DENIED, **odd}) / "fetched.manifest.json"
    (problem,) = refused(folder)
    assert (problem.file, problem.message) == (str(manifest), message)


FETCHED = "2026-05-01T12:00:00Z"
MISSING = "Account 012345678901 is not covered: its report web.csv is missing."
CHANGED = (
    "Account 012345678901 is not covered: its report web.csv was changed since it was fetched."
)


def lists_web(folder: Path, **others: str) -> dict[str, str]:
    """Return the entry of the report web.csv as it is now."""
    digest = sha256(folder / "web.csv")
    return {**READ, "file": "web.csv", "sha256": digest, "generated_time": FETCHED, **others}


@pytest.fixture
def fetched(folder: Path) -> Path:
    """Return a folder with the reports of two accounts, and the manifest that lists both."""
    other = "999999999999"
    put(folder, of_account(other, a_user()), "other.csv")
    listed = {**READ, "account": other, "file": "other.csv", "sha256": sha256(folder / "other.csv")}
    return with_manifest(folder, lists_web(folder), {**listed, "generated_time": FETCHED})


def test_a_report_that_is_there_covers_its_account(fetched: Path) -> None:
    assert told(analyzer.load(fetched)) == []
    assert main(["analyze", str(fetched), "-q", "--fail-on", "active"]) == 0


@pytest.mark.parametrize(
    "page", ["<html>a portal</html>", "", "user,verdict,certainty,caveats\nann,unused,certain,\n"]
)
def test_a_page_in_the_place_of_a_report_is_not_the_report(fetched: Path, page: str) -> None:
    (fetched / "web.csv").write_text(page)
    assert main(["analyze", str(fetched), "-q"]) == 3


def test_a_report_that_was_changed_or_is_of_another_account_is_said(fetched: Path) -> None:
    for text in (report_text([a_user("eve")]), of_account("888888888888", a_user())):
        put(fetched, text, "web.csv")
        assert told(analyzer.load(fetched)) == [CHANGED]


def test_a_renamed_report_counts(fetched: Path) -> None:
    (fetched / "below").mkdir()
    (fetched / "web.csv").rename(fetched / "below" / "new.csv")
    assert told(analyzer.load(fetched)) == []


def test_a_report_that_a_newer_one_supersedes_is_there_all_the_same(
    fetched: Path, tmp_path: Path
) -> None:
    put(fetched, report_text([a_user("eve")]), LATER)
    archive = put(tmp_path, zipped(fetched), "reports.zip")
    for source, superseded in ((fetched, fetched / "web.csv"), (archive, "reports/web.csv")):
        report = analyzer.load(source)
        assert not [file for file in report.files if file.name.endswith(f"{superseded}")]
        assert told(report) == []


def test_a_newer_report_covers_a_lost_one_and_a_note_says_so(fetched: Path) -> None:
    newer = LATER.replace("T12", "T13")
    (fetched / "web.csv").rename(fetched / newer)
    put(fetched, (fetched / newer).read_text() + "\n", newer)
    report = analyzer.load(fetched)
    assert told(report) == []
    assert report.notes[0] == (
        f"Account 012345678901: report web.csv is missing; its newer report {fetched / newer} of"
        " 2026-05-01 13:00 UTC counts instead."
    )


@pytest.mark.parametrize("name", [LATER, "later.csv"])
def test_a_report_that_is_not_newer_covers_no_lost_one(fetched: Path, name: str) -> None:
    (fetched / "web.csv").unlink()
    put(fetched, report_text([a_user("eve")]), name)
    assert told(analyzer.load(fetched)) == [MISSING]


def test_a_changed_report_with_a_later_date_does_not_cover_itself(fetched: Path) -> None:
    moment = "2026-05-09T00:00:00+00:00"
    put(fetched, report_text([a_user("eve", user_creation_time=moment)]), "web.csv")
    assert told(analyzer.load(fetched)) == [CHANGED]


def test_a_report_listed_without_its_sha256_need_only_be_there(fetched: Path) -> None:
    with_manifest(fetched, lists_web(fetched, sha256=""))
    assert told(analyzer.load(fetched)) == []
    (fetched / "web.csv").unlink()
    assert told(analyzer.load(fetched)) == [MISSING]


def test_an_archive_without_a_report_that_it_lists_says_so(fetched: Path, tmp_path: Path) -> None:
    archive = put(tmp_path, zipped(fetched), "reports.zip")
    assert told(analyzer.load(archive)) == []
    (fetched / "web.csv").unlink()
    archive.write_bytes(zipped(fetched))
    assert told(analyzer.load(archive)) == [MISSING]
    put(fetched, report_text([a_user("eve")]), "web.csv")
    archive.write_bytes(zipped(fetched))
    assert told(analyzer.load(archive)) == [CHANGED]


def test_a_report_that_is_named_by_itself_is_held_to_its_manifest_and_no_other_one(
    fetched: Path, tmp_path: Path
) -> None:
    (fetched / "web.csv").write_text(report_text([a_user("eve")]))
    assert told(analyzer.load(fetched / "other.csv")) == []
    assert told(analyzer.load(fetched / "web.csv")) == [CHANGED]
    (tmp_path / "copies").mkdir()
    copied([str(fetched / "other.csv")], tmp_path / "copies")
    assert told(analyzer.load(tmp_path / "copies")) == []


def test_a_manifest_that_is_named_itself_counts_as_a_whole(fetched: Path) -> None:
    (fetched / "web.csv").unlink()
    names = [fetched / "other.csv", fetched / "fetched.manifest.json"]
    assert told(analyzer.load(*names)) == [MISSING]


def test_a_superseded_report_that_goes_away_meanwhile_is_lost(
    fetched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(fetched, report_text([a_user("eve")]), "new/" + LATER)

    def gone(_path: Path) -> str:
        raise FileNotFoundError

    monkeypatch.setattr("analyzer.sources.manifest.sha256", gone)
    assert told(analyzer.load(fetched)) == [CHANGED]


def test_copies_of_several_folders_hold_each_report_of_each_manifest(
    fetched: Path, tmp_path: Path
) -> None:
    second = tmp_path / "second"
    shutil.copytree(fetched, second)
    for path in second.glob("*.csv"):
        path.write_text(path.read_text() + "\n")
    digests = [(path.name, sha256(path)) for path in sorted(second.glob("*.csv"))]
    accounts = [
        {**READ, "account": number, "file": name, "sha256": digest}
        for number, (name, digest) in zip(("999999999999", READ["account"]), digests, strict=True)
    ]
    with_manifest(second, *accounts)
    (tmp_path / "copies").mkdir()
    copied([str(fetched), str(second)], tmp_path / "copies")
    assert told(analyzer.load(tmp_path / "copies")) == []
