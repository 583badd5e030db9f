"""Reports of all sources are loaded as one, and each file is described as it lay on disk.

Names and texts that are no plain words are shown escaped: they forge no line.
"""

import io
import json
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

import analyzer
from analyzer.errors import InputRefused
from analyzer.sources import load
from tests.support.builders import a_user, run
from tests.support.reading import PLAIN, VERDICTS, FailingDisk, of_account, put, refused, verdicts

Patch = pytest.MonkeyPatch


def test_a_file_may_have_a_name_that_is_no_text(tmp_path: Path) -> None:
    for number, name in enumerate(("表.csv", " ", "a:b", "caf\udce9.csv")):
        folder = tmp_path / str(number)
        assert verdicts(analyzer.load(put(folder, PLAIN, name))) == VERDICTS
        assert verdicts(analyzer.load(folder)) == VERDICTS


def test_no_source_at_all_is_an_error() -> None:
    with pytest.raises(TypeError, match="at least one source"):
        analyzer.load()


@pytest.mark.parametrize("count", [1, 3])
def test_progress_is_told_for_each_input_up_to_the_last(tmp_path: Path, count: int) -> None:
    for number in range(count):
        put(tmp_path, of_account(str(10**11 + number), a_user("x")), f"{number}.csv")
    told: list[tuple[int, int]] = []
    load.load(tmp_path, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (count, count)
    assert told == sorted(told)
    assert {total for _, total in told} == {count}


def test_reports_that_cannot_be_read_are_refused_with_the_others_problems(
    tmp_path: Path, monkeypatch: Patch
) -> None:
    path = put(tmp_path, PLAIN)
    monkeypatch.setattr(Path, "open", lambda *_: FailingDisk())
    nothing = io.BytesIO()
    zipfile.ZipFile(nothing, "w").close()
    with pytest.raises(InputRefused) as refusal:
        analyzer.load(path, nothing.getvalue(), b"no, report")
    assert [found.message for found in refusal.value.problems] == [
        "it cannot be read: Input/output error",
        "the zip archive holds no file",
        "this is not a credential report: its first row names no column `user`",
    ]


def test_a_standard_input_that_fails_is_refused(monkeypatch: Patch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.setattr(sys.stdin, "buffer", FailingDisk(), raising=False)
    (found,) = refused("-")
    assert found.message == "it cannot be read: Input/output error"


def test_a_file_of_the_kernel_which_may_wait_for_ever_counts_as_empty() -> None:
    (found,) = refused("/proc/kmsg")
    assert found.message == "the input is empty"


# Names and texts that would command a terminal

FORGING = "a\nNote: all is well\x1b[2J.csv"
SHOWN = "a\\nNote: all is well\\x1b[2J.csv"
NO_TEXT = "caf\udce9.csv"


@pytest.mark.no_cover
@pytest.mark.parametrize(("name", "shown"), [(FORGING, SHOWN), (NO_TEXT, "caf\\udce9.csv")])
def test_names_of_files_are_escaped_in_every_output(tmp_path: Path, name: str, shown: str) -> None:
    path = put(tmp_path / "reports", PLAIN, name)
    outputs = [tmp_path / "\x1b[2J.csv", tmp_path / "\x1b[2J.json"]
    findings = tmp_path / "findings.csv"
    asked = [word for each in outputs for word in ("-o", each)] + ["-o", findings]
    source = path if name == FORGING else path.parent
    done = run("analyze", source, *asked, "--format", "table", "--verdict", "all")
    assert done.code == 0
    printed, listed = done.output.decode() + done.messages, findings.read_text()
    for text in (printed, listed) + tuple(each.read_text() for each in outputs):
        assert "\nNote: all is well" not in text
        assert "\x1b" not in text
    assert rf"Wrote {tmp_path}/\x1b[2J.json" in done.messages
    document = json.loads(outputs[1].read_bytes())
    for text in (printed, listed, document["files"][0]["name"], document["users"][0]["file"]):
        assert shown in text
    for source in (put(tmp_path, "<html>", name), tmp_path / f"missing-{name}"):
        refused = run("analyze", source)
        assert refused.code == 3
        assert "\nNote: all is well" not in refused.messages
        assert "\x1b" not in refused.messages


def test_texts_of_what_was_saved_beside_a_report_are_shown_escaped(tmp_path: Path) -> None:
    put(tmp_path, PLAIN)
    odd = "x\ud800\nforged\x1b"
    failed = {"account": "222222222222", "name": odd, "status": "failed", "reason": odd}
    put(tmp_path, json.dumps({"accounts": [failed]}), "fetched.manifest.json")
    live = {"UserName": "bob", "ServiceName": odd, "Status": "Active"}
    evidence = json.dumps({"ServiceSpecificCredentials": [live]})
    put(tmp_path, evidence, "report.csv.service-credentials.json")
    digest = sha256(PLAIN.encode()).hexdigest()
    metadata = {"generated_time": "2026-05-03T10:20:30Z", "sha256": digest, "x": odd}
    put(tmp_path, json.dumps(metadata), "report.csv.metadata.json")
    outputs = [f"{tmp_path}/out.{ending}" for ending in ("csv", "json", "xlsx")]
    done = run("analyze", tmp_path, *(word for each in outputs for word in ("-o", each)))
    assert done.code == 5
    assert "\nforged" not in done.messages
    assert "\nforged" not in Path(outputs[0]).read_text()
