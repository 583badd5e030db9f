"""What may be relied on: documents of the oldest version and of today keep to today's schemas."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from analyzer import USERS
from analyzer.columns import IN_REPORT, OF_USERS_CSV
from tests.support.builders import ROOT_FOLDER, run
from tests.support.json_schemas import closed, published_schema

SAMPLES = ROOT_FOLDER / "samples"
OLDEST = ROOT_FOLDER / "tests" / "oldest"
EARLIER = SAMPLES / "earlier"
(LATER,) = SAMPLES.glob("status_reports_*.csv")

COMMANDS = {
    "analysis": ("schema.json", ("analyze", SAMPLES / "report.json")),
    "changes": ("changes.schema.json", ("diff", EARLIER, LATER, "--change", "new,gone")),
}
"""The schema of each kind of document, and a command that writes one."""


def errors(document: Any, schema: Any) -> list[str]:
    found = Draft202012Validator(schema).iter_errors(document)
    return [f"{error.json_path}: {error.message}" for error in found]


def written(kind: str) -> Any:
    return json.loads(run(*COMMANDS[kind][1], "-q", "-f", "json").output)


@pytest.mark.parametrize("kind", COMMANDS)
def test_a_document_of_the_oldest_version_keeps_to_the_schema_of_today(kind: str) -> None:
    oldest = json.loads((OLDEST / f"{kind}.json").read_text(encoding="utf-8"))
    assert errors(oldest, published_schema(COMMANDS[kind][0])) == []
    assert named(oldest) <= named(written(kind)), "a field of the oldest version is gone"


@pytest.mark.parametrize("kind", COMMANDS)
def test_a_document_of_today_has_no_field_that_its_schema_does_not_name(kind: str) -> None:
    assert errors(written(kind), closed(published_schema(COMMANDS[kind][0]))) == []


@pytest.mark.parametrize("kind", COMMANDS)
def test_a_field_that_a_later_version_adds_keeps_to_the_schema(kind: str) -> None:
    document = {**written(kind), "schema_version": "1.7", "added": {"later": 1}}
    schema = published_schema(COMMANDS[kind][0])
    assert errors(document, schema) == []
    assert errors({**document, "schema_version": "2.0"}, schema) != []


def named(part: Any, path: str = "") -> set[str]:
    """Return the path of each field of a document; of a list, those of all its members."""
    if isinstance(part, list):
        return {name for each in part for name in named(each, f"{path}[]")}
    if not isinstance(part, dict):
        return set()
    inside = {name for key, each in part.items() for name in named(each, f"{path}.{key}")}
    return inside | {f"{path}.{key}" for key in part}


def test_the_columns_of_the_oldest_version_are_there_in_their_order() -> None:
    oldest = json.loads((OLDEST / "columns.json").read_text(encoding="utf-8"))
    today = {
        "users.csv": list(OF_USERS_CSV),
        "users.parquet": USERS.names,
        "report": list(IN_REPORT),
    }
    for table, columns in oldest.items():
        assert [name for name in today[table] if name in columns] == columns, table


def test_the_page_names_every_file_of_a_run(tmp_path: Path) -> None:
    page = (ROOT_FOLDER / ".github" / "CONTRACT.md").read_text(encoding="utf-8")
    run("export", "--from", LATER, "--out-dir", tmp_path, "-q")
    names = {path.name for path in (tmp_path / "latest").iterdir()} | {"last-run.json", "latest"}
    assert [name for name in sorted(names) if f"`{name}" not in page] == []
