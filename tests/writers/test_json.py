"""JSON keeps to its schema, says where the result comes from, and its counts tie out.

`tests/golden/analysis.json` is a whole one: here is what it lacks.
"""

import json
from collections import Counter
from dataclasses import fields, replace
from functools import cache, reduce
from hashlib import sha256
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import analyzer
from analyzer.analysis.rule_results import Result
from analyzer.analysis.totals import AGE_BANDS
from analyzer.columns import OWNERSHIP
from analyzer.decisions.fate import Overdue, State
from analyzer.decisions.follow_up import COLUMNS as COLUMNS_OF_FOLLOW_UP
from analyzer.limits import Definition, Thresholds
from analyzer.rules.rule import FINDINGS, Outcome, Subject
from analyzer.terms import (
    VERSION,
    AsOfSource,
    Benchmark,
    Certainty,
    Severity,
    UnusedReason,
    Verdict,
)
from analyzer.verdicts.caveats import CAVEATS
from analyzer.verdicts.exposure import EXPOSURES
from tests.support.builders import COLUMNS, COLUMNS_OF_2014, a_user
from tests.support.json_schemas import closed, published_schema
from tests.support.ocsf import spoiled
from tests.support.outputs import (
    CONSOLE,
    HARD_NAMES,
    SAMPLES,
    analysis_of,
    analyzed_console,
    analyzed_sample,
    csv_rows,
    findings_bytes,
    hard_names,
    json_bytes,
    json_document,
    one_of_each_shape,
    rows_of,
    unguarded,
)
from tests.support.workbook_texts import second_review

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

PUBLISHED = published_schema("schema.json")
SCHEMA = closed(PUBLISHED)
"""The schema without room for fields that it does not name: today's documents have no others."""
VALIDATOR = Draft202012Validator(SCHEMA)


def errors(document: dict[str, Any]) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(document)]


@cache
def console_document() -> dict[str, Any]:
    """Return the document of the sample; nobody changes it."""
    return json_document(analyzed_console())


def reduced(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document with one user and one finding of each shape."""
    parts = {key: one_of_each_shape(document[key]) for key in ("users", "findings")}
    return document | parts


@pytest.mark.parametrize("sample", ["old-form.csv", "organization", CONSOLE.name])
def test_a_sample_keeps_to_the_schema_and_its_counts_tie_out_to_the_rows(sample: str) -> None:
    document = json_document(analyzed_sample(SAMPLES / sample))
    accounts = [each for file in document["files"] for each in file["accounts"]]
    read = sum(each["rows"] - each["roots"] - each["repeated"] for each in accounts)
    assert read == sum(each["users"] for each in document["counts"])
    check_listed(document)
    assert errors(reduced(document)) == []


def check_listed(document: dict[str, Any]) -> None:
    """Hold the counts of a document to the users that it lists."""
    listed = Counter(user["verdict"] for user in document["users"])
    for verdict in document["listed"]:
        counts = (each["users"] for each in document["counts"] if each["verdict"] == verdict)
        assert sum(counts) == listed.pop(verdict, 0)
    assert not listed


def test_names_of_every_kind_a_standard_nobody_and_decisions_keep_to_the_schema() -> None:
    nobody = analysis_of([])
    standard = replace(nobody, book=analyzer.rulebook("cis-1.4"))
    documents = [
        console_document(),
        *map(json_document, (hard_names(), nobody, standard, second_review())),
    ]
    assert [error for each in documents for error in errors(reduced(each))] == []


WORDS: dict[str, Any] = {
    "$defs.verdict": Verdict,
    "$defs.certainty": ("", *Certainty),
    "$defs.exposure": EXPOSURES,
    "$defs.unused_reason": UnusedReason,
    "$defs.followed_decision": COLUMNS_OF_FOLLOW_UP,
    "$defs.followed_decision.properties.status": State,
    "$defs.decisions.properties.counts": [*State, *Overdue],
    "properties.criteria.properties.definition": Definition,
    "$defs.as_of_source": AsOfSource,
    "$defs.count.properties.age_band": AGE_BANDS,
    "$defs.user.properties.caveats.items.properties.caveat": [each.id for each in CAVEATS],
    "$defs.severity": Severity,
    "$defs.subject": [each for each in Subject if each is not Subject.ACCOUNT],  # no rule judges it
    "$defs.finding.properties.outcome": Outcome,
    "$defs.control.properties.result": Result,
    "properties.thresholds": [limit.name for limit in fields(Thresholds)],
    "properties.standard.properties.id": ["credreport", *Benchmark],
    "$defs.user.properties.report": [*COLUMNS[2:], "additional_credentials_info"],
}
"""What a place of the schema names, in its order."""


def named_at(place: str) -> list[str]:
    """Return the words of an enumeration, or the fields of an object."""
    part = reduce(lambda part, step: part[step], place.split("."), SCHEMA)
    return list(part.get("enum") or part["properties"])


def test_the_schema_knows_the_programs_words_and_no_others() -> None:
    for place, known in WORDS.items():
        assert named_at(place) == list(known), place
    assert set(named_at("$defs.finding")) == (set(FINDINGS) | set(OWNERSHIP) | {"account_name"})


def objects(schema: Any, path: str = "$") -> list[tuple[str, dict[str, Any]]]:
    """Return every part of the schema that describes an object, with where it stands."""
    if isinstance(schema, list):
        return [each for n, part in enumerate(schema) for each in objects(part, f"{path}[{n}]")]
    if not isinstance(schema, dict):
        return []
    here = [(path, schema)] if schema.get("type") == "object" else []
    return here + [each for key in schema for each in objects(schema[key], f"{path}.{key}")]


def test_every_field_of_an_object_is_required_and_others_may_be_added() -> None:
    Draft202012Validator.check_schema(PUBLISHED)
    for path, part in objects(PUBLISHED):
        assert part.get("additionalProperties") is not False, path
        assert part["required"] == list(part["properties"]), path


WRONG: tuple[tuple[str, Any], ...] = (
    ("schema_version", "2.0"),
    ("files.0.sha256", "abc"),
    ("files.0.as_of", "2026-03-01T09:30:00+00:00"),
    ("exemptions.expired.0.expires", "31.12.2025"),
    ("counts.0.users", 0),
    ("thresholds.idle_days", 0),
    ("findings.0.slot", 3),
    ("listed", ["unused", "unused"]),
    ("users.0.account", 123456789012),
    ("users.0.certainty", "certain"),
    ("users.0.verdict", "active"),
)
"""A few of each kind; words and missing or unknown fields are held above."""


def test_a_wrong_field_does_not_keep_to_the_schema() -> None:
    whole = console_document()
    user = next(each for each in whole["users"] if each["caveats"])
    few = {name: whole[name][:1] for name in ("counts", "findings")}
    document = whole | few | {"users": [user]}
    assert errors(document) == []
    for place, value in WRONG:
        assert errors(spoiled(document, place, value)) != [], (place, value)


def test_where_the_result_comes_from_is_told() -> None:
    document = console_document()
    (file,), content = document["files"], CONSOLE.read_bytes()
    assert document["tool"] == {"name": "credreport", "version": VERSION}
    beside = CONSOLE.with_name(f"{CONSOLE.name}.service-credentials.json")
    source = {
        "name": str(CONSOLE),
        "size": len(content),
        "sha256": sha256(content).hexdigest(),
        "as_of": "2026-03-01T09:30:00Z",
        "as_of_source": "file-name",
        "evidence": {"name": str(beside), "sha256": sha256(beside.read_bytes()).hexdigest()},
    }
    assert {name: file[name] for name in source} == source
    assert document["notes"] == list(analyzed_console().report.notes)


def test_the_criteria_are_those_that_were_used() -> None:
    asked: dict[str, Any] = {"definition": "iam-029", "idle_days": 45, "grace_days": 7}
    document = json_document(analysis_of([], **asked))
    assert document["criteria"] == asked
    assert errors(document) == []


def test_only_the_verdicts_asked_for_are_listed_and_the_document_says_which() -> None:
    document = json_document(analyzed_console(), [Verdict.RETIRED, Verdict.RETIRED])
    assert document["listed"] == ["retired"]
    assert {user["verdict"] for user in document["users"]} == {"retired"}
    assert {count["verdict"] for count in document["counts"]} == set(Verdict)
    check_listed(document)


def test_the_same_is_told_of_a_user_as_in_csv_and_leads_back_to_the_report() -> None:
    own = ("file", "row", "report", "earlier_decision")
    lines = CONSOLE.read_text().splitlines()
    rows = unguarded(csv_rows(analyzed_console()))
    for user, row in zip(console_document()["users"], rows, strict=True):
        cells = {key: "" if cell is None else str(cell) for key, cell in user.items()}
        cells["caveats"] = ";".join(each["caveat"] for each in user["caveats"])
        facts = {key: value or "" for key, value in user["report"].items()}
        assert {key: cells[key] for key in cells if key not in own} | facts == row
        assert user["file"] == str(CONSOLE)
        assert user["arn"] in lines[user["row"] - 1]


def test_columns_that_the_report_lacks_are_null_and_empty_cells_are_not() -> None:
    users = [a_user(access_key_1_last_rotated="")]
    (user,) = json_document(analysis_of(users, columns=COLUMNS_OF_2014))["users"]
    names = ("last_rotated", "last_used_date")
    assert [user["report"][f"access_key_1_{name}"] for name in names] == ["", None]
    assert user["report"]["additional_credentials_info"] is None


def test_a_finding_is_one_line_and_so_is_a_user_of_the_json_of_the_standard_library() -> None:
    text = json_bytes(hard_names()).decode()
    before, *lines, after = text.removesuffix("\n").split("\n")
    between = lines.index('],"users":[')
    parts = (lines[:between], lines[between + 1 :])
    findings, users = ([json.loads(line.removesuffix(",")) for line in part] for part in parts)
    assert [user["user"] for user in users] == list(HARD_NAMES)
    unused = [each["user"] for each in findings if each["rule"] == "unused-user"]
    assert sorted(unused) == sorted(HARD_NAMES)
    assert (before[:1], after) == ("{", "]}")
    again = json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
    assert text.replace("\n", "") == again


def test_the_same_is_told_of_a_finding_as_in_csv() -> None:
    rows = unguarded(rows_of(findings_bytes(analyzed_console())))
    for each, row in zip(console_document()["findings"], rows, strict=True):
        cells = {name: "" if cell is None else str(cell) for name, cell in each.items()}
        assert cells == {name: row.get(name, cell) for name, cell in cells.items()}
        assert row["file"] == str(CONSOLE)
