"""Names and texts that are no plain words are shown escaped: they forge no line."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.builders import run
from tests.support.reading import PLAIN, put

FORGING = "a\nNote: all is well\x1b[2J.csv"
SHOWN = "a\\nNote: all is well\\x1b[2J.csv"
NO_TEXT = "caf\udce9.csv"


@pytest.mark.no_cover
@pytest.mark.parametrize(("name", "shown"), [(FORGING, SHOWN), (NO_TEXT, "caf\\udce9.csv")])
def test_names_of_files_are_escaped_in_every_output(tmp_path: Path, name: str, shown: str) -> None:
    path = put(tmp_path / "reports", PLAIN, name)
    outputs = [tmp_path / "out.csv", tmp_path / "out.json"]
    asked = [word for each in outputs for word in ("-o", each)]
    source = path if name == FORGING else path.parent
    done = run("analyze", source, *asked, "--format", "table", "--verdict", "all")
    assert done.code == 0
    shown_by = [done.output.decode() + done.messages, *(each.read_text() for each in outputs)]
    for text in shown_by:
        assert "\nNote: all is well" not in text
        assert "\x1b" not in text
    assert shown in shown_by[0]
    assert shown in shown_by[2].replace("\\\\", "\\")
    for source in (put(tmp_path, "<html>", name), tmp_path / f"missing-{name}"):
        refused = run("analyze", source)
        assert refused.code == 3
        assert "\nNote: all is well" not in refused.messages


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


@pytest.mark.parametrize("content", ['"a\\nforged\\u001b" = 1', 'as-of = "a\\nforged\\u001b"'])
def test_keys_and_values_of_options_are_shown_escaped(tmp_path: Path, content: str) -> None:
    options = put(tmp_path, content, "options.toml")
    done = run("analyze", put(tmp_path, PLAIN), "--config", options)
    assert done.code == 2
    assert "\nforged" not in done.messages
    assert "\x1b" not in done.messages
