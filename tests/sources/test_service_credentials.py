"""AWS's list of service-specific credentials is read in every form that the AWS CLI prints."""

import io
import json
from argparse import Namespace
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from awscli.formatter import get_formatter

import analyzer
from tests.support.builders import a_user, report_text
from tests.support.reading import put, refused

AS_OF = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
LIST = "ServiceSpecificCredentials"
NO_LIST = "it is not an answer of ListServiceSpecificCredentials for all users"
FIRST_PART = "it is only the first part of AWS's answer (`IsTruncated`)"
FORMS = ("json", "text", "table", "yaml", "yaml-stream")

Credential = dict[str, str]


def credential(user: str, service: str, expires: str = "", **more: str) -> Credential:
    """Return a credential as AWS lists it; those of API keys can expire and have an alias."""
    return {
        "UserName": user,
        "Status": "Active",
        "ServiceUserName": f"{user}-at-012345678901",
        "CreateDate": "2026-01-01T00:00:00+00:00",
        "ServiceSpecificCredentialId": "ACCA12345678901234567",
        "ServiceName": f"{service}.amazonaws.com",
        **({"ExpirationDate": expires} if expires else {}),
        **more,
    }


def printed(form: str, *listed: Credential, marker: str = "") -> str:
    """Return what the AWS CLI prints; for YAML what its version 2 does, which is not in PyPI."""
    answer = {
        LIST: [*listed],
        "IsTruncated": bool(marker),
        **({"Marker": marker} if marker else {}),
    }
    if form.startswith("yaml"):
        return yaml(answer, "- " if form == "yaml-stream" else "")
    printed_text = io.StringIO()
    formatter: Any = get_formatter(form, Namespace(query=None, color="off"))
    formatter("ListServiceSpecificCredentials", answer, printed_text)
    return printed_text.getvalue()


def yaml(answer: dict[str, Any], start: str) -> str:
    """Return an answer as ruamel.yaml writes it: sorted, long values in a line of their own."""
    inner = " " * len(start)
    of_answer = [f"IsTruncated: {str(answer['IsTruncated']).lower()}"]
    of_answer += [f"Marker: {answer['Marker']}"] if "Marker" in answer else []
    lines = [f"{LIST}:" if answer[LIST] else f"{LIST}: []"]
    for each in answer[LIST]:
        fields = [
            f"{name}: {f'{chr(10)}{inner}    ' if len(value) > 80 else ''}"
            + (f"'{value}'" if name.endswith("Date") else value)
            for name, value in sorted(each.items())
        ]
        lines += [f"- {fields[0]}", *(f"  {field}" for field in fields[1:])]
    return start + f"\n{inner}".join([*of_answer, *lines]) + "\n"


def services(folder: Path, content: str | bytes, *users: str) -> dict[str, str]:
    """Return the services that a list beside a report of AS_OF gives each user."""
    put(folder, content, "report.csv.service-credentials.json")
    path = put(folder, report_text([*map(a_user, users)]))
    judged = analyzer.load(path, as_of=AS_OF).users
    return dict(zip(judged["user"], judged["service_credentials"], strict=True))


@pytest.mark.parametrize("form", FORMS)
def test_a_list_is_read_in_each_form_of_the_cli_and_what_expired_before_as_of_does_not_count(
    tmp_path: Path, form: str
) -> None:
    listed = [
        credential("ann", "bedrock", "2026-04-01T00:00:00+00:00", ServiceCredentialAlias="x" * 90),
        credential("ann", "codecommit"),
        credential("Bob", "cassandra"),
        credential("eve", "codecommit", Status="Inactive"),
        credential("tom", "codecommit", Status="Expired"),
        credential("before", "aea", "2026-03-01T09:29:59+00:00"),
        credential("at", "aea", "2026-03-01T09:30:00+00:00"),
        credential("after", "aea", "2026-03-01T09:30:01Z"),
    ]
    users = ("ann", "bob", "eve", "tom", "before", "at", "after")
    assert services(tmp_path, printed(form, *listed), *users) == {
        "ann": "bedrock.amazonaws.com, codecommit.amazonaws.com",
        "bob": "cassandra.amazonaws.com",
        **dict.fromkeys(("eve", "tom", "before"), ""),
        **dict.fromkeys(("at", "after"), "aea.amazonaws.com"),
    }


@pytest.mark.no_cover
def test_a_list_of_none_and_one_that_powershell_saved_is_read_in_each_form(tmp_path: Path) -> None:
    for form, encoding in zip(FORMS, cycle(["utf-8-sig", "utf-16"]), strict=False):
        one = printed(form, credential("status", "logs"))
        assert services(tmp_path, printed(form), "ann") == {"ann": ""}
        found = services(tmp_path, one.replace("\n", "\r\n").encode(encoding), "status", "ann")
        assert found == {"status": "logs.amazonaws.com", "ann": ""}


@pytest.mark.parametrize("form", FORMS)
def test_the_pages_of_a_list_follow_one_another_up_to_the_last(tmp_path: Path, form: str) -> None:
    first = printed(form, credential("ann", "bedrock"), marker="AAx" * 9)
    last = printed(form, credential("bob", "codecommit"), credential("eve", "codecommit"))
    of_codecommit = dict.fromkeys(("bob", "eve"), "codecommit.amazonaws.com")
    found = services(tmp_path, first + last, "ann", "bob", "eve")
    assert found == {"ann": "bedrock.amazonaws.com", **of_codecommit}
    for part in (first, last + first, printed(form, marker="AAx")):
        path = put(tmp_path, part, "report.csv.service-credentials.json")
        (problem,) = refused(tmp_path)
        assert (problem.file, problem.message) == (str(path), FIRST_PART)


def test_lists_beside_copies_of_a_report_count_at_the_newest_as_of(tmp_path: Path) -> None:
    text = report_text([a_user("ann"), a_user("bob")])
    for day, user in (("01", "ann"), ("03", "bob")):
        name = f"status_reports_2026-03-{day}T00-00-00Z.csv"
        put(tmp_path, text, name)
        expires = "2026-03-02T00:00:00Z" if user == "ann" else "2026-04-01T00:00:00Z"
        listed = json.dumps({LIST: [credential(user, "logs", expires), credential(user, "aea")]})
        put(tmp_path, listed, f"{name}.service-credentials.json")
    users = analyzer.load(tmp_path).users
    assert dict(zip(users["user"], users["service_credentials"], strict=True)) == {
        "ann": "aea.amazonaws.com",
        "bob": "aea.amazonaws.com, logs.amazonaws.com",
    }


ANN, ODD = credential("ann", "logs"), credential("ann", "logs", Status="?")
SECTION = "False\nSERVICESPECIFICCREDENTIALS"
UNFIT: tuple[Any, ...] = (
    {"UserName": "ann", "ServiceName": "x"},
    {"Status": "Active", "ServiceName": "x"},
    {"Status": "Active", "UserName": "ann"},
    *({**ANN, "UserName": 1}, {**ANN, "ServiceName": ["x"]}, {**ANN, "ServiceName": 1}, "ann"),
)
ODD_LISTS: tuple[Any, ...] = (None, {}, 1, *([each] for each in UNFIT))
NO_LISTS = (
    *("", "{}", "[]", "null"),
    *(json.dumps({LIST: each}) for each in ODD_LISTS),
    "UserName: ann\n",
    "IsTruncated: false\nno field\n",
    "IsTruncated: false\n- UserName: ann\n  Status: Active\n",
    "False\nUSERS\tann\n",
    f"{SECTION}\tActive\tann\n",
    f"{SECTION}\t2026-01-01T00:00:00Z\tACCA1\tActive\tann\n",
    printed("text", ODD),
    printed("table", ODD),
    printed("table", ANN, ANN).replace(" ann ", " | "),
    "-----------\n|no list|\n",
    printed("json") + printed("json")[:-3],
    printed("json") + "[]",
    printed("json", {**ANN, "Status": "active"}),
)


def test_what_is_no_list_is_refused(tmp_path: Path) -> None:
    soon = printed("json", credential("ann", "logs", "soon\x1b"))
    unknown = 'ExpirationDate "soon\\x1b" of ann is not understood'
    put(tmp_path, report_text([a_user("ann")]))
    for text, message in (*((each, NO_LIST) for each in NO_LISTS), (soon, unknown)):
        path = put(tmp_path, text, "report.csv.service-credentials.json")
        (problem,) = refused(tmp_path)
        assert (problem.file, problem.message) == (str(path), message), text
