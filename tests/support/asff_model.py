"""Hold ASFF findings to AWS's published model, and to what only its documentation says.

The model is that of the service `securityhub` which AWS publishes and botocore ships. botocore
checks types, required and unknown fields; words, patterns and lengths stand in the model too, the
latter in its documentation, and are read from there. What no part of the model says is below, each
with its source.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import botocore.session
from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.validate import ParamValidator

from tests.support.feeds import Document

_MOMENT: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-](0\d|1[0-8])(:?[0-5]\d)?)"
)
"""API reference, AwsSecurityFinding, CreatedAt: "This field accepts only the specified formats"."""

_MOMENTS: Final = ("CreatedAt", "UpdatedAt", "FirstObservedAt", "LastObservedAt", "CreateDate")

_PRODUCT: Final = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):securityhub:(?P<region>[a-z0-9-]+):"
    r"(?P<account>\d{12}):product/(?P=account)/default"
)
"""User guide, "Using custom product integrations", requirements for ProductArn."""

_NAMESPACES: Final = (
    "Software and Configuration Checks",
    "TTPs",
    "Effects",
    "Unusual Behaviors",
    "Sensitive Data Identifications",
)
"""API reference, AwsSecurityFinding, Types: valid namespace values."""

_FIELDS: Final = (50, 128, 2048)
"""API reference, AwsSecurityFinding, ProductFields: pairs, characters of a key and of a value."""

_LONGEST_REQUIREMENT: Final = 64
"""prowler-cloud/prowler, `asff.py`, which cuts them there; no page of AWS gives a length."""

_LARGEST: Final = 240_000
"""API reference, BatchImportFindings: "The maximum allowed size for a finding is 240 Kb"."""


@cache
def model(name: str) -> Shape:
    return botocore.session.get_session().get_service_model("securityhub").shape_for(name)


def errors(finding: Document) -> list[str]:
    """Return everything for which Security Hub would refuse a finding."""
    return (
        request_errors([finding])
        or list(_told(model("AwsSecurityFinding"), finding, "$"))
        or list(_documented(finding))
    )


def request_errors(findings: list[Document]) -> list[str]:
    """Return what botocore finds wrong with a call of BatchImportFindings."""
    shape = model("BatchImportFindingsRequest")
    report = ParamValidator().validate({"Findings": findings}, shape)
    return [report.generate_report()] if report.has_errors() else []


def longest(shape: Shape) -> int | None:
    """Return the most characters or members that the model's documentation allows."""
    text = re.sub(r"<[^>]+>", "", shape.documentation)
    told = re.search(r"Maximum (?:length |number )?of (\d+)|Length Constraints: (\d+)", text)
    return int(told[1] or told[2]) if told else None


def _told(shape: Shape, value: Any, path: str) -> Iterator[str]:
    """Yield what the model's words, patterns and lengths forbid."""
    most = longest(shape)
    if most is not None and isinstance(value, str | list) and len(value) > most:
        yield f"{path}: {len(value)} is more than {most}"
    if isinstance(shape, StructureShape):
        for name, part in value.items():
            yield from _told(shape.members[name], part, f"{path}.{name}")
    elif isinstance(shape, ListShape):
        for number, part in enumerate(value):
            yield from _told(shape.member, part, f"{path}[{number}]")
    elif isinstance(shape, MapShape):
        for key, part in value.items():
            yield from _told(shape.key, key, f"{path}.{key}")
            yield from _told(shape.value, part, f"{path}.{key}")
    else:
        words, pattern = shape.metadata.get("enum"), shape.metadata.get("pattern")
        if words and value not in words:
            yield f"{path}: {value} is none of {words}"
        if pattern and not re.search(pattern, value):
            yield f"{path}: {value!r} does not match {pattern}"


def _documented(finding: Document) -> Iterator[str]:
    """Yield the fields that only the documentation forbids."""
    given = finding.get("FindingProviderFields", {})
    wrong = {
        "SchemaVersion": finding["SchemaVersion"] != "2018-10-08",
        "AwsAccountId": not re.fullmatch(r"\d{12}", finding["AwsAccountId"]),
        "ProductArn": not _is_own_product(finding),
        "Severity": not (finding.get("Severity") or given.get("Severity")),
        "Types": not all(map(_is_type, (*finding.get("Types", ()), *given.get("Types", ())))),
        "ProductFields": not _are_fields(finding.get("ProductFields", {})),
        "RelatedRequirements": any(
            len(each) > _LONGEST_REQUIREMENT
            for each in finding.get("Compliance", {}).get("RelatedRequirements", ())
        ),
        "Resources": not finding["Resources"],
        "size": len(json.dumps(finding)) > _LARGEST,
        **{path: not _MOMENT.fullmatch(text) for path, text in _moments(finding)},
    }
    yield from (name for name, is_wrong in wrong.items() if is_wrong)


def _is_own_product(finding: Document) -> bool:
    product = _PRODUCT.fullmatch(finding["ProductArn"])
    return product is not None and product["account"] == finding["AwsAccountId"]


def _is_type(kind: str) -> bool:
    return kind.split("/", maxsplit=1)[0] in _NAMESPACES and kind.count("/") <= 2


def _are_fields(fields: dict[str, str]) -> bool:
    pairs, key, value = _FIELDS
    return len(fields) <= pairs and all(
        len(name) <= key and len(text) <= value for name, text in fields.items()
    )


def _moments(part: Any, path: str = "$") -> Iterator[tuple[str, str]]:
    if isinstance(part, list):
        for each in part:
            yield from _moments(each, path)
    elif isinstance(part, dict):
        for name, value in part.items():
            if name in _MOMENTS:
                yield f"{path}.{name}", value
            else:
                yield from _moments(value, f"{path}.{name}")
