"""What was saved beside a report is used where it belongs to it, and refused where it does not.

AWS's list of service-specific credentials is read as JSON.
"""

import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import analyzer
from tests.support.builders import a_user, report_text
from tests.support.reading import PLAIN, put, refused

MOMENT = datetime(2026, 5, 3, 10, 20, 30, tzinfo=UTC)
NO_LIST = "it is not an answer of ListServiceSpecificCredentials for all users"
HINT = "Remove the file, or save it again."
SHA256 = sha256(PLAIN.encode()).hexdigest()


def beside(folder: Path, ending: str, told: Any, name: str) -> Path:
    text = told if isinstance(told, str) else json.dumps(told)
    return put(folder, text, f"{name}.{ending}.json")


def metadata(folder: Path, told: Any, name: str = "report.csv") -> Path:
    return beside(folder, "metadata", told, name)


def evidence(folder: Path, told: Any, name: str = "report.csv") -> Path:
    return beside(folder, "service-credentials", told, name)


def refusal(path: Path) -> str:
    """Return why a report is refused for what lies beside it at a path."""
    (found,) = refused(put(path.parent, PLAIN))
    assert (found.file, found.hint) == (str(path), HINT)
    return found.message


def test_metadata_tells_when_aws_made_the_report_and_is_refused_beside_another_one(
    tmp_path: Path,
) -> None:
    times = ("10:20:30Z", "10:20:30+00:00", "12:20:30+02:00", "10:20:30.987654Z")
    for time in times:
        told = {"generated_time": f"2026-05-03T{time}", "sha256": SHA256, "account": "0123"}
        path = metadata(tmp_path, told)
        (file,) = analyzer.load(put(tmp_path, PLAIN)).files
        assert (file.as_of, file.as_of_source) == (MOMENT, "metadata")
    (found,) = refused(put(tmp_path, PLAIN + "\n"))
    assert (found.file, found.hint) == (str(path), HINT)
    assert found.message == "its `sha256` is not that of report.csv: the report was changed"


NO_MOMENTS: tuple[Any, ...] = (
    "2026-05-03T10:20:30",
    "2026-05-03",
    "yesterday",
    "0001-01-01T00:00:00+05:00",
    1777803630,
    None,
)


def test_metadata_that_tells_no_moment_is_refused(tmp_path: Path) -> None:
    half = ({"generated_time": "2026-05-03T10:20:30Z"}, {"sha256": SHA256})
    without: tuple[Any, ...] = ({}, [], "null") + half
    odd = ({"generated_time": each, "sha256": SHA256} for each in NO_MOMENTS)
    for told in (*without, *odd):
        message = refusal(metadata(tmp_path, told))
        assert message == "it has no `generated_time` with a time zone, or no `sha256`", told


def test_what_is_no_json_beside_a_report_is_refused(tmp_path: Path) -> None:
    for text in ("", "{", '{"generated_time": ', "no JSON", "[" * 100_000):
        for write, message in ((metadata, "it is not valid JSON"), (evidence, NO_LIST)):
            path = write(tmp_path, text)
            assert refusal(path) == message
            path.unlink()
    path = put(tmp_path, b'{"generated_time": "\xff"}', "report.csv.metadata.json")
    assert refusal(path) == "it is not valid JSON"


def test_metadata_belongs_to_the_report_whose_whole_name_it_bears(tmp_path: Path) -> None:
    metadata(tmp_path, "no JSON", "other.csv")
    metadata(tmp_path, "no JSON", "report")
    (file,) = analyzer.load(put(tmp_path, PLAIN)).files
    assert file.as_of_source == "assumed"


def test_evidence_counts_for_users_of_its_own_report(tmp_path: Path) -> None:
    put(tmp_path, report_text([a_user("ann")]), "a.csv")
    put(tmp_path, report_text([a_user("ann"), a_user("eve")]).replace("0123", "3210"), "b.csv")
    of_ann, of_gone = (
        {"UserName": user, "Status": "Active", "ServiceName": service}
        for user, service in (("ann", "x"), ("gone", "y"))
    )
    evidence(tmp_path, {"ServiceSpecificCredentials": [of_ann, of_ann, of_gone]}, "b.csv")
    users = analyzer.analyze(analyzer.load(tmp_path)).users
    assert users["service_credentials"].tolist() == ["", "x", ""]
    assert users["caveats"].astype(str).tolist() == ["", "service-credential", ""]


# Service-specific credentials

AS_OF = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
LIST = "ServiceSpecificCredentials"
CREDENTIALS_FILE = "report.csv.service-credentials.json"
FIRST_PART = "it is only the first part of AWS's answer (`IsTruncated`)"

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


def printed(*listed: Credential, marker: str = "") -> str:
    """Return what the AWS CLI prints."""
    more = {"Marker": marker} if marker else {}
    return json.dumps({LIST: list(listed), "IsTruncated": bool(marker)} | more, indent=4) + "\n"


def services(folder: Path, content: str | bytes, *users: str) -> dict[str, str]:
    """Return the services that a list beside a report of AS_OF gives each user."""
    put(folder, content, CREDENTIALS_FILE)
    path = put(folder, report_text(list(map(a_user, users))))
    judged = analyzer.load(path, as_of=AS_OF).users
    return dict(zip(judged["user"], judged["service_credentials"], strict=True))


def test_an_active_credential_in_a_list_counts_unless_it_expired_before_as_of(
    tmp_path: Path,
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
    expected = (
        {"ann": "bedrock.amazonaws.com, codecommit.amazonaws.com", "bob": "cassandra.amazonaws.com"}
        | dict.fromkeys(("eve", "tom", "before"), "")
        | dict.fromkeys(("at", "after"), "aea.amazonaws.com")
    )
    for content in (printed(*listed), printed(*listed).replace("\n", "\r\n").encode("utf-16")):
        assert services(tmp_path, content, *expected) == expected
    marked = b"\xef\xbb\xbf" + printed().encode()
    assert services(tmp_path, marked, "ann") == {"ann": ""}


def test_a_part_of_a_list_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path, printed(credential("ann", "bedrock"), marker="AAx"), CREDENTIALS_FILE)
    put(tmp_path, report_text([a_user("ann")]))
    (problem,) = refused(tmp_path)
    assert (problem.file, problem.message) == (str(path), FIRST_PART)


def test_a_list_beside_an_older_copy_of_a_report_counts_at_the_newest_as_of(tmp_path: Path) -> None:
    text = report_text([a_user("ann"), a_user("bob")])
    old, _ = (put(tmp_path, text, f"status_reports_2026-03-0{day}T00-00-00Z.csv") for day in (1, 3))
    ends = {"ann": "2026-03-02T00:00:00Z", "bob": "2026-04-01T00:00:00Z"}
    listed = [
        credential(user, *each) for user, at in ends.items() for each in (("logs", at), ("aea",))
    ]
    put(tmp_path, json.dumps({LIST: listed}), f"{old.name}.service-credentials.json")
    users = analyzer.load(tmp_path).users
    assert dict(zip(users["user"], users["service_credentials"], strict=True)) == {
        "ann": "aea.amazonaws.com",
        "bob": "aea.amazonaws.com, logs.amazonaws.com",
    }


ANN = credential("ann", "logs")
UNFIT: tuple[Any, ...] = (
    (
        {"UserName": "ann", "ServiceName": "x"},
        {"Status": "Active", "ServiceName": "x"},
        {"Status": "Active", "UserName": "ann"},
    )
    + (ANN | {"UserName": 1}, ANN | {"ServiceName": ["x"]})
    + (ANN | {"ServiceName": 1}, "ann")
)
ODD_LISTS: tuple[Any, ...] = (None, {}, 1) + tuple([each] for each in UNFIT)
NO_LISTS = (
    *("", "{}", "[]", "null"),
    *(json.dumps({LIST: each}) for each in ODD_LISTS),
    "IsTruncated: false\nServiceSpecificCredentials: []\n",
    "False\nSERVICESPECIFICCREDENTIALS\tActive\tann\n",
    "---\n|  ListServiceSpecificCredentials  |\n",
    *("[" * 100_000, b"\xff".decode("latin-1")),
    printed() + printed(),
    printed(ANN | {"Status": "active"}),
)


def test_what_is_no_list_is_refused(tmp_path: Path) -> None:
    soon = printed(credential("ann", "logs", "soon\x1b"))
    unknown = 'ExpirationDate "soon\\x1b" of ann is not understood'
    put(tmp_path, report_text([a_user("ann")]))
    for text, message in (*((each, NO_LIST) for each in NO_LISTS), (soon, unknown)):
        path = put(tmp_path, text, CREDENTIALS_FILE)
        (problem,) = refused(tmp_path)
        assert (problem.file, problem.message) == (str(path), message), text


def test_a_list_in_which_a_key_stands_twice_is_refused(tmp_path: Path) -> None:
    """Of two values, most programs take the last: the user could be active by the first."""
    put(tmp_path, report_text([a_user("ann")]))
    for key in ("Status", LIST):
        text = printed(ANN).replace(f'"{key}"', f'"{key}": [], "{key}"', 1)
        path = put(tmp_path, text, CREDENTIALS_FILE)
        (problem,) = refused(tmp_path)
        says = f"the key `{key}` stands twice in one object"
        assert (problem.file, problem.message) == (str(path), says)


def test_a_list_that_names_no_user_of_the_report_is_refused(tmp_path: Path) -> None:
    of_others = [credential("eve", "bedrock"), credential("kim", "logs", Status="Inactive")]
    assert services(tmp_path, printed(*of_others), "ann", "KIM") == {"ann": "", "KIM": ""}
    path = evidence(tmp_path, printed(*of_others))
    assert refusal(path) == "none of its users is in report.csv"
