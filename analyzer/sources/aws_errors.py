"""Say in words of our own why AWS did not answer, and what to do about it.

What AWS or boto3 says is never repeated but for codes of AWS that are known, the operation's name
and the host: the rest may hold parts of a signed request, and with them a token.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import Loader
from botocore.model import ServiceModel

from analyzer.errors import AwsRefused
from analyzer.sources.aws_answers import not_from_aws

STOPPED: Final = "It was stopped before it was read."


class Stopped(AwsRefused):
    """Say that AWS was not asked any more, since the run is stopped."""


BUSY: Final = (
    *("Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"),
    *("LimitExceeded", "ServiceFailure", "ServiceException", "ServiceUnavailable"),
    *("InternalFailure", "InternalError", "InternalServerError"),
)
"""AWS's codes for: not now, but later."""

_DENIED: Final = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
_COMMON_CODES: Final = (
    *("AccessDenied", "AuthFailure", "ForbiddenException", "IncompleteSignature", "InvalidAction"),
    *("InvalidClientTokenId", "InvalidParameterCombination", "InvalidParameterValue"),
    *("InvalidQueryParameter", "InvalidSignatureException", "MalformedQueryString"),
    *("MissingAction", "MissingAuthenticationToken", "MissingAuthenticationTokenException"),
    *("MissingParameter", "NotAuthorized", "OptInRequired", "RequestExpired", "Unauthorized"),
    *("SerializationException", "SignatureDoesNotMatch", "UnauthorizedOperation"),
    *("UnknownOperationException", "UnrecognizedClientException", "ValidationError"),
    *("UnauthorizedException", "ValidationException"),
)
"""Codes that every service of AWS may answer, beside those that botocore lists of each."""

_SERVICE_OF_CALL: Final = {
    "AssumeRole": "sts",
    "GenerateCredentialReport": "iam",
    "GetCredentialReport": "iam",
    "ListAccounts": "organizations",
    "ListChildren": "organizations",
    "ListServiceSpecificCredentials": "iam",
}
_ADVICE: Final = (
    (
        ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "UnauthorizedException"),
        "The session has expired: get new credentials (aws sso login, where you use it).",
    ),
    (
        ("SSOError", "LoginError", "TokenRetrievalError"),
        "You are not signed in any more: run aws sso login (or aws login) with the same profile.",
    ),
    (
        (
            *("InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"),
            *("InvalidSignatureException", "IncompleteSignature"),
        ),
        (
            "AWS does not accept these credentials. Check them, and the computer's clock; outside"
            " the partition aws, name a --region (cn-north-1, us-gov-west-1)."
        ),
    ),
    (
        ("NoCredentialsError", "PartialCredentialsError"),
        (
            "The credentials are missing or incomplete: name a profile with --profile or"
            " AWS_PROFILE, or set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        ),
    ),
    (
        ("ProfileNotFound",),
        "There is no such profile: aws configure list-profiles shows the existing ones.",
    ),
    (
        ("EOFError",),
        (
            "The profile requires an MFA code, and there is no terminal to type it: use credentials"
            " without MFA."
        ),
    ),
    (
        ("NoRegionError", "EndpointProviderError"),
        "AWS needs a region: name one with --region.",
    ),
    (
        ("HTTPClientError",),
        str(not_from_aws("an answer that breaks the rules of HTTP")),
    ),
    (
        ("ConnectionClosedError",),
        str(not_from_aws("a connection that ends before the answer does")),
    ),
    (
        ("ConnectionError", "ReadTimeoutError"),
        (
            "AWS cannot be reached at {host}: check the network, the proxy, --region and"
            " --endpoint-url."
        ),
    ),
    (
        ("AWSOrganizationsNotInUseException",),
        "This account is in no organization: leave out --organization.",
    ),
    (
        ("ParentNotFoundException",),
        "There is no such organizational unit: aws organizations list-roots leads to their ids.",
    ),
    (
        ("ParamValidationError", "PaginationError"),
        str(not_from_aws("an answer with an invalid value")),
    ),
    (BUSY, "AWS is too busy to answer {call}: try again later, or raise AWS_MAX_ATTEMPTS."),
)


def error_code(error: ClientError) -> str:
    """Return AWS's code for an error, empty where there is none that AWS has."""
    text = error.response.get("Error", {}).get("Code", "")
    return text if isinstance(text, str) and text in _known_codes() else ""


@cache
def _known_codes() -> frozenset[str]:
    listed = {name for names, _ in _ADVICE for name in names}
    loader = Loader()
    services = [
        ServiceModel(loader.load_service_model(name, "service-2"))
        for name in ("iam", "organizations", "sso", "sts")
    ]
    shapes: list[Any] = [shape for service in services for shape in service.error_shapes]
    modeled = {shape.error_code for shape in shapes}
    return frozenset({*listed, *modeled, *BUSY, *_DENIED, *_COMMON_CODES})


def failure_text(error: Exception) -> str:
    """Return the message for an error that AWS or boto3 raised."""
    if isinstance(error, ClientError):
        return _error_answer(error)
    kinds = [kind.__name__ for kind in type(error).__mro__]
    unknown = f"The AWS set-up does not work ({kinds[0]}): check the profile in ~/.aws/config."
    return _advice(kinds, host=_host(error)) or unknown


def _error_answer(error: ClientError) -> str:
    call, known = call_name(error.operation_name), error_code(error)
    if known in _DENIED:
        return _denied(call, str(error.response["Error"].get("Message", "")))
    if known:
        return _advice([known], call=call) or f"AWS refused {call} with {known}."
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", "unknown")
    return str(not_from_aws(f"an error without a known code (HTTP status {status})"))


def _advice(names: Iterable[str], **known: str) -> str:
    for name in names:
        for listed, text in _ADVICE:
            if name in listed:
                return text.format(**known)
    return ""


def call_name(operation: str) -> str:
    """Return the name of a call as policies have it: iam:GetCredentialReport."""
    service = _SERVICE_OF_CALL.get(operation)
    return f"{service}:{operation}" if service else operation


def _denied(call: str, message: str) -> str:
    why = _DENYING_POLICY.search(message)
    because = f" by {why[1]}" if why else ""
    also = _ROLE_ADVICE if call == "sts:AssumeRole" else ""
    return f"AWS denied {call}{because}: grant the caller this permission.{also}"


_DENYING_POLICY: Final = re.compile(
    "explicit deny in ("
    "an? (identity-based|resource-based|resource control|service control|session|role trust"
    "|VPC endpoint) policy|a permissions boundary)"
)
_ROLE_ADVICE: Final = (
    " AWS answers the same if there is no such role, if its trust policy does not name the caller"
    " and if it requires another --external-id."
)


def _host(error: Exception) -> str:
    """Return the host that an error is about, without the user and password of its URL."""
    details: Mapping[str, Any] = error.kwargs if isinstance(error, BotoCoreError) else {}
    return urlsplit(str(details.get("endpoint_url", ""))).hostname or "its endpoint"
