"""An account that could not be fetched is named everywhere, and never counts as clean."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import analyzer
from analyzer.cli import main
from analyzer.errors import FAILED, PARTIAL, InputRefused
from analyzer.terms import VERSION
from tests.support.builders import a_user, report_text, table
from tests.support.reading import of_account, put, refused, zipped
from tests.support.runs import copied

Entry = dict[str, Any]
Capture = pytest.CaptureFixture[str]
WEB, PAYMENTS, SHOP = "012345678901", "210987654321", "999999999999"
WHY = "it denied iam:GetCredentialReport"
NOON = "2026-05-01T12:00:00Z"
LATER = "status_reports_2026-05-01T12-00-00+00-00.csv"
OF_WEB, OF_SHOP = report_text([a_user()]), of_account(SHOP, a_user())
EVE = report_text([a_user("eve")])
MANIFEST = "fetched.manifest.json"


def entry(status: str, account: str, name: str, reason: str = "", **more: Any) -> Entry:
    return {"account": account, "name": name, "status": status, "reason": reason} | more


def fetched(moment: str = "", account: str = WEB, **more: Any) -> Entry:
    return entry("fetched", account, "web", generated_time=moment, **more)


def listed(text: str, name: str, account: str = WEB) -> Entry:
    """Return the entry of a report that was fetched at noon."""
    return fetched(NOON, account, file=name, sha256=sha256(text.encode()).hexdigest())


DENIED = entry("failed", PAYMENTS, "payments", WHY)
WEB_DENIED = DENIED | {"account": WEB}


def uncovered(label: str = PAYMENTS, why: str = WHY) -> str:
    return f"Account {label} is not covered: {why}"


CHANGED = uncovered(WEB, "its report web.csv was changed since it was fetched.")
MISSING = uncovered(WEB, "its report web.csv is missing.")


def of_files(folder: Path, files: dict[str, str], *entries: Entry) -> Path:
    """Return a new folder with these files, and the manifest that lists accounts."""
    folder.mkdir(parents=True)
    for name, text in files.items():
        put(folder, text, name)
    put(folder, json.dumps({"accounts": entries}), MANIFEST)
    return folder


def archived(folder: Path) -> Path:
    """Return an archive of a folder, beside it."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    members = {f"{path.relative_to(folder.parent)}": path.read_bytes() for path in paths}
    return put(folder.parent, zipped(members), f"{folder.name}.zip")


def not_covered(*sources: str | Path) -> list[str]:
    return list(map(str, analyzer.load(*sources).not_covered))


@pytest.fixture
def denied(tmp_path: Path) -> Path:
    """Return a folder with the report of one account of two: the other was denied."""
    return of_files(tmp_path / "reports", {"web.csv": OF_WEB}, fetched(), DENIED)


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """Return a folder with the reports of two accounts, and the manifest that lists both."""
    entries = listed(OF_WEB, "web.csv"), listed(OF_SHOP, "shop.csv", SHOP)
    return of_files(tmp_path / "whole", {"web.csv": OF_WEB, "shop.csv": OF_SHOP}, *entries)


# An account that failed


FETCHED: tuple[tuple[list[Entry], bool], ...] = (
    ([], False),
    ([fetched(account=SHOP)], False),
    ([fetched("unknown", SHOP)], False),
    ([fetched("2026-05-01T11:59:59Z", SHOP), fetched("2026-04-01T00:00:00Z", "8" * 12)], True),
    ([fetched(NOON, SHOP)], False),
    ([fetched("2026-05-01T11:59:59Z", SHOP), fetched("2026-05-02T00:00:00Z", "8" * 12)], False),
)


def test_an_account_that_failed_is_covered_only_by_a_report_newer_than_all_that_were_fetched(
    tmp_path: Path,
) -> None:
    for number, (others, is_covered) in enumerate(FETCHED):
        folder = of_files(tmp_path / f"{number}", {LATER: OF_WEB}, *others, WEB_DENIED)
        assert (uncovered(WEB) not in not_covered(folder)) is is_covered, others


def test_an_account_that_failed_is_not_covered_by_one_of_another_partition(
    tmp_path: Path,
) -> None:
    failed = WEB_DENIED | {"account": f"aws-cn:{WEB}"}
    entries = fetched("2026-05-01T11:59:59Z", SHOP), failed
    for number, (text, is_covered) in enumerate(
        ((OF_WEB, False), (OF_WEB.replace(":aws:", ":aws-cn:"), True))
    ):
        folder = of_files(tmp_path / f"{number}", {LATER: text}, *entries)
        assert (uncovered(f"aws-cn:{WEB}") not in not_covered(folder)) is is_covered


def test_notes_say_what_is_not_covered_and_which_newer_report_counts(tmp_path: Path) -> None:
    before = fetched("2026-05-01T11:59:59Z", SHOP)
    folder = of_files(tmp_path / "reports", {LATER: OF_WEB}, before, WEB_DENIED, DENIED)
    assert not_covered(folder) == [uncovered()]
    first, second = analyzer.load(folder).notes[:2]
    assert first == uncovered()
    assert second == (
        f"Account {WEB} could not be read when {folder / MANIFEST} was made ({WHY}); its report"
        f" {folder / LATER} of 2026-05-01 12:00 UTC counts instead."
    )


# A report that was fetched

LOST: dict[str, tuple[dict[str, str], list[str]]] = {
    "all are there": ({"web.csv": OF_WEB}, []),
    "renamed": ({"below/new.csv": OF_WEB}, []),
    "missing": ({}, [MISSING]),
    "missing beside what can be no report": ({"README.md": "# Notes"}, [MISSING]),
    "changed": ({"web.csv": EVE}, [CHANGED]),
    "of another account": ({"web.csv": of_account("888888888888", a_user())}, [CHANGED]),
    "changed, with a later date in it": (
        {"web.csv": report_text([a_user(created="2026-05-09T00:00:00+00:00")])},
        [CHANGED],
    ),
    "superseded by a newer one": ({"2026-04-30/web.csv": OF_WEB, LATER: EVE}, []),
    "missing beside one that is not newer": ({LATER: EVE}, [MISSING]),
    "missing beside one of an assumed time": ({"later.csv": EVE}, [MISSING]),
    "missing beside a newer one": ({LATER.replace("T12", "T13"): EVE}, []),
}


def test_an_account_whose_report_is_missing_or_was_changed_is_not_covered(tmp_path: Path) -> None:
    entries = listed(OF_WEB, "web.csv"), listed(OF_SHOP, "shop.csv", SHOP)
    for kind, (files, expected) in LOST.items():
        folder = of_files(tmp_path / kind, {"shop.csv": OF_SHOP} | files, *entries)
        assert not_covered(folder) == expected, kind


def test_a_note_says_that_a_newer_report_counts_instead_of_a_lost_one(whole: Path) -> None:
    newer = (whole / "web.csv").rename(whole / LATER.replace("T12", "T13"))
    put(whole, OF_WEB + "\n", newer.name)
    assert analyzer.load(whole).notes[0] == (
        f"Account {WEB}: report web.csv is missing; its newer report {newer} of"
        " 2026-05-01 13:00 UTC counts instead."
    )


def test_a_report_listed_without_its_sha256_need_only_be_there(tmp_path: Path) -> None:
    entries = listed("", "web.csv") | {"sha256": ""}, listed(OF_SHOP, "shop.csv", SHOP)
    folder = of_files(tmp_path / "reports", {"web.csv": EVE, "shop.csv": OF_SHOP}, *entries)
    assert not_covered(folder) == []
    (folder / "web.csv").unlink()
    assert not_covered(folder) == [MISSING]


def test_a_page_in_the_place_of_a_report_is_not_the_report(whole: Path) -> None:
    result = "user,verdict,certainty,caveats\nann,unused,certain,\n"
    for page in ("<html>a portal</html>", "", result):
        (whole / "web.csv").write_text(page)
        assert refused(whole)


def test_a_manifest_counts_once_however_its_folder_is_named(tmp_path: Path) -> None:
    entries = fetched(file="web.csv"), DENIED
    folder = of_files(tmp_path / "a", {"web.csv": OF_WEB}, *entries)
    put(folder, "no JSON", f".aside/{MANIFEST}")
    for source in ("a/web.csv", "", "a/../a"):
        assert not_covered(f"{tmp_path}/{source}") == [uncovered()], source
    put(tmp_path, "no JSON", f"a1/{MANIFEST}")  # in the folder that the name means to a shell
    assert not_covered(folder.rename(tmp_path / "a[1]")) == [uncovered()]


def test_a_manifest_of_other_reports_does_not_count(tmp_path: Path) -> None:
    put(tmp_path, "no JSON", ".hidden.manifest.json")
    report = put(tmp_path, OF_WEB, "web.csv")
    of_others = {"accounts": [fetched(file="other.csv"), DENIED]}
    for told in (of_others, {"accounts": ["web.csv"]}, {"accounts": [{"file": ["web.csv"]}]}, None):
        put(tmp_path, json.dumps(told), MANIFEST)
        assert not_covered(report) == [], told


def test_a_report_named_by_itself_is_held_to_its_manifest(whole: Path, tmp_path: Path) -> None:
    put(whole, EVE, "web.csv")
    assert not_covered(whole / "shop.csv") == []
    assert not_covered(whole / "web.csv") == [CHANGED]
    (whole / "web.csv").unlink()
    assert not_covered(whole / "shop.csv", whole / MANIFEST) == [MISSING]
    (tmp_path / "copies").mkdir()
    copied([str(whole / "shop.csv")], tmp_path / "copies")
    assert not_covered(tmp_path / "copies") == []


def test_copies_of_folders_hold_each_report_of_each_manifest(whole: Path, tmp_path: Path) -> None:
    others = {"web.csv": "1" * 12, "shop.csv": "2" * 12}
    texts = {name: of_account(account, a_user()) for name, account in others.items()}
    entries = (listed(text, name, others[name]) for name, text in texts.items())
    second = of_files(tmp_path / "second", texts, *entries)
    (tmp_path / "copies").mkdir()
    copied([str(whole), str(second)], tmp_path / "copies")
    assert not_covered(tmp_path / "copies") == []


def test_an_archive_of_what_was_fetched_is_refused_since_nothing_in_it_must_be_lost(
    denied: Path,
) -> None:
    archive = archived(denied)
    (problem,) = refused(archive)
    message = f"the zip archive holds what was saved with reports: reports/{MANIFEST}"
    assert (problem.file, problem.message) == (str(archive), message)
    assert problem.hint == "Unpack it, and name the folder."


# A manifest that is not understood

NULL = '{"account": null, "name": "", "status": "failed", "reason": "x"}'
NO_LIST = "it is not a list of fetched accounts"


NO_LISTS = {
    '{"accounts": [{}]}': NO_LIST,
    '{"accounts": {}}': NO_LIST,
    f'{{"accounts": [{NULL}]}}': NO_LIST,
    "[]": NO_LIST,
    '{"accounts": [': "it is not valid JSON",
}


def test_a_manifest_that_is_no_list_is_refused(denied: Path) -> None:
    for text, message in NO_LISTS.items():
        manifest = put(denied, text, MANIFEST)
        (problem,) = refused(denied)
        assert (problem.file, problem.message) == (str(manifest), message)
    with pytest.raises(InputRefused, match=r"fetched\.manifest\.json: it is not valid JSON"):
        analyzer.load(denied / "web.csv")


ODD_VALUES: tuple[tuple[Entry, str], ...] = (
    ({"status": "fetchd"}, 'unknown status "fetchd"'),
    ({"status": ""}, 'unknown status ""'),
    ({"status": "\x1b[2J"}, 'unknown status "\\x1b[2J"'),
    ({"account": "12345678901"}, '"12345678901" is no account id: it has 12 digits'),
    ({"account": "١٢٣٤٥٦٧٨٩٠١٢"}, '"١٢٣٤٥٦٧٨٩٠١٢" is no account id: it has 12 digits'),
    ({"account": f"{WEB}\n"}, f'"{WEB}\\n" is no account id: it has 12 digits'),
    ({"account": WEB}, f"it lists account {WEB} twice"),
    ({"file": 1}, NO_LIST),
    ({"sha256": None}, NO_LIST),
)


def test_a_manifest_with_an_odd_value_is_refused(denied: Path) -> None:
    for odd, message in ODD_VALUES:
        put(denied, json.dumps({"accounts": [fetched(), DENIED | odd]}), MANIFEST)
        (problem,) = refused(denied)
        assert (problem.file, problem.message) == (str(denied / MANIFEST), message)


def of_version(accounts: object, **fields: object) -> str:
    return json.dumps(
        {"tool": {"name": "credreport", "version": "0.0.9"}} | fields | {"accounts": accounts}
    )


OTHER_FORMS = {
    of_version([fetched()], form=7): "written by credreport 0.0.9 (form 7), this is form 1",
    of_version({}, form=7): "written by credreport 0.0.9 (form 7), this is form 1",
    of_version({}, form=1): f"written by credreport 0.0.9, this is {VERSION}",
    of_version([fetched() | {"status": "read"}]): f"written by credreport 0.0.9, this is {VERSION}",
    of_version({}, form="x"): f"written by credreport 0.0.9, this is {VERSION}",
    of_version({}, tool={"name": "credreport", "version": VERSION}): NO_LIST,
    of_version({}, tool={"name": "other", "version": "1"}, form=7): NO_LIST,
}


@pytest.mark.parametrize("text", OTHER_FORMS)
def test_a_manifest_of_another_version_is_named_as_such(denied: Path, text: str) -> None:
    put(denied, text, MANIFEST)
    (problem,) = refused(denied)
    assert (problem.file, problem.message) == (str(denied / MANIFEST), OTHER_FORMS[text])
    if "form 7" in problem.message:
        (beside,) = refused(denied / "web.csv")
        assert (beside.file, beside.message) == (problem.file, problem.message)
        assert problem.hint
        assert problem.hint.startswith("Fetch the reports again, or remove the manifest")


def test_a_manifest_of_another_version_in_this_form_is_read(denied: Path) -> None:
    put(denied, of_version([fetched(), DENIED]), MANIFEST)
    assert [missing.account for missing in analyzer.load(denied).not_covered] == [PAYMENTS]


# What the command says


def test_a_missing_account_makes_a_run_partial_is_named_though_it_is_quiet_and_meets_fail_on(
    denied: Path, whole: Path, capsys: Capture
) -> None:
    assert main(["analyze", str(denied), "--quiet", "--format", "json"]) == PARTIAL
    said = capsys.readouterr()
    assert said.err == f"{uncovered()}\n"
    assert uncovered() in json.loads(said.out)["notes"]
    assert main(["analyze", str(denied), "--quiet", "--fail-on", "retired"]) == FAILED
    assert main(["analyze", str(whole), "--quiet", "--fail-on", "active"]) == 0


def rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV, without empty cells."""
    found = table(path.read_bytes())
    return [{name: cell for name, cell in row.items() if cell} for row in found]


@pytest.mark.no_cover
def test_every_table_names_accounts_not_covered_or_left_out(denied: Path, tmp_path: Path) -> None:
    excluded = entry("skipped", "310987654321", "payments", "--exclude.")
    put(denied, json.dumps({"accounts": [fetched(), DENIED, excluded]}), MANIFEST)
    users, document, findings = (tmp_path / name for name in ("a.csv", "a.json", "findings.csv"))
    asked = ["-o", str(users), "-o", str(document), "-o", str(findings)]
    assert main(["analyze", str(denied), *asked, "--verdict", "retired"]) == PARTIAL
    named = {"account": PAYMENTS, "account_name": "payments"}
    assert rows(users) == [{**named, "verdict": "not-covered", "reason": uncovered()}]
    assert rows(findings)[-1] == {
        **named,
        "severity": "high",
        "rule": "not-covered",
        "subject": "account",
        "fact": uncovered(),
        "outcome": "undecided",
    }
    read = json.loads(document.read_bytes())
    for key, account in (("not_covered", DENIED), ("left_out", excluded)):
        assert read[key] == [{name: account[name] for name in ("account", "name", "reason")}]


def test_an_account_without_number_is_guarded_in_csv(denied: Path, tmp_path: Path) -> None:
    unknown = DENIED | {"account": "", "name": "=1+1"}
    put(denied, json.dumps({"accounts": [unknown]}), MANIFEST)
    users = tmp_path / "out.csv"
    assert main(["analyze", str(denied), "-q", "-o", str(users)]) == PARTIAL
    assert rows(users)[-1]["account"] == "'=1+1"
