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
def test_a_list_is_read_in_each_form_of_the_cli(tmp_path: Path, form: str) -> None:
    listed = [
        credential("ann", "bedrock", "2026-04-01T00:00:00+00:00", ServiceCredentialAlias="x" * 90),
        credential("ann", "codecommit"),
        credential("Bob", "cassandra"),
        credential("eve", "codecommit", Status="Inactive"),
        credential("tom", "codecommit", Status="Expired"),
    ]
    assert services(tmp_path, printed(form, *listed), "ann", "bob", "eve", "tom") == {
        "ann": "bedrock.amazonaws.com, codecommit.amazonaws.com",
        "bob": "cassandra.amazonaws.com",
        "eve": "",
        "tom": "",
    }


@pytest.mark.no_cover
@pytest.mark.parametrize("form", FORMS)
def test_a_list_of_one_or_of_none_is_read_in_each_form(tmp_path: Path, form: str) -> None:
    one = printed(form, credential("status", "logs"))
    assert services(tmp_path, one, "status", "ann") == {"status": "logs.amazonaws.com", "ann": ""}
    assert services(tmp_path, printed(form), "ann") == {"ann": ""}


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


@pytest.mark.no_cover
@pytest.mark.parametrize("form", FORMS)
def test_a_credential_that_expired_before_as_of_does_not_count(tmp_path: Path, form: str) -> None:
    expired, *active = (
        credential(user, "aea", expires)
        for user, expires in (
            ("ann", "2026-03-01T09:29:59+00:00"),
            ("bob", "2026-03-01T09:30:00+00:00"),
            ("cid", "2026-03-01T09:30:01Z"),
            ("dora", ""),
        )
    )
    found = services(tmp_path, printed(form, expired, *active), "ann", "bob", "cid", "dora")
    assert found == {"ann": "", **{each["UserName"]: "aea.amazonaws.com" for each in active}}


def test_of_the_lists_beside_copies_of_a_report_each_counts_at_the_newest_as_of(
    tmp_path: Path,
) -> None:
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


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("form", "encoding"), [*zip(FORMS, cycle(["utf-8-sig", "utf-16"]), strict=False)]
)
def test_a_list_that_powershell_saved_is_read(tmp_path: Path, form: str, encoding: str) -> None:
    text = printed(form, credential("ann", "logs"), credential("bob", "logs"))
    content = text.replace("\n", "\r\n").encode(encoding)
    expected = dict.fromkeys(("ann", "bob"), "logs.amazonaws.com")
    assert services(tmp_path, content, "ann", "bob") == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", NO_LIST),
        ("UserName: ann\n", NO_LIST),
        ("IsTruncated: false\nno field\n", NO_LIST),
        ("IsTruncated: false\n- UserName: ann\n  Status: Active\n", NO_LIST),
        ("False\nUSERS\tann\n", NO_LIST),
        ("False\nSERVICESPECIFICCREDENTIALS\tActive\tann\n", NO_LIST),
        ("False\nSERVICESPECIFICCREDENTIALS\t2026-01-01T00:00:00Z\tACCA1\tActive\tann\n", NO_LIST),
        (printed("text", credential("ann", "logs", Status="?")), NO_LIST),
        (printed("table", credential("ann", "logs", Status="?")), NO_LIST),
        (printed("table", *[credential("ann", "logs")] * 2).replace(" ann ", " | "), NO_LIST),
        ("-----------\n|no list|\n", NO_LIST),
        (printed("json") + printed("json")[:-3], NO_LIST),
        (printed("json") + "[]", NO_LIST),
        (printed("json", credential("ann", "logs", Status="active")), NO_LIST),
        (
            printed("json", credential("ann", "logs", "soon\x1b")),
            'ExpirationDate "soon\\x1b" of ann is not understood',
        ),
    ],
)
def test_what_is_no_list_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = put(tmp_path, text, "report.csv.service-credentials.json")
    put(tmp_path, report_text([a_user("ann")]))
    (problem,) = refused(tmp_path)
    assert (problem.file, problem.message) == (str(path), message)
