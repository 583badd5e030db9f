"""Turn errors of AWS and botocore into our own words, with what to do about them.

Their text is never quoted, except AWS's own codes and the names of the call, the host and a missing
profile: the rest may contain parts of a signed request, and with them a token.
"""

import re
from typing import Final
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from analyzer.errors import AwsRefused

STOPPED: Final = "It was stopped before it was read."


class Stopped(AwsRefused):
    """Refuse to ask AWS any more: the run is stopped."""


class Late(AwsRefused):
    """Say that AWS did not answer in time."""


class ErrorAnswer(AwsRefused):
    """Say that AWS answered with an error; `code` is empty if AWS has no such code."""

    def __init__(self, message: str, code: str = "") -> None:
        """Keep the code beside the message."""
        super().__init__(message)
        self.code = code


def not_from_aws(kind: str) -> AwsRefused:
    """Return the refusal of an answer that is not AWS's; `kind` says in our words what it is."""
    return AwsRefused(
        f"The endpoint answered with something that is not IAM: {kind}. Check --region,"
        " AWS_ENDPOINT_URL and the proxy."
    )


_BUSY_NAMES: Final = (
    "Throttling ThrottlingException RequestLimitExceeded TooManyRequestsException LimitExceeded"
    " ServiceFailure ServiceException ServiceUnavailable InternalFailure InternalError"
    " InternalServerError"
)
BUSY: Final = frozenset(_BUSY_NAMES.split())  # codes after which to try again later

_ADVICE_TABLE: Final = {
    "ExpiredToken ExpiredTokenException RequestExpired UnauthorizedException": (
        "The session has expired: get new credentials (aws sso login, where you use it)."
    ),
    "SSOError LoginError TokenRetrievalError": (
        "You are not signed in any more: run aws sso login (or aws login) with the same profile."
    ),
    "InvalidClientTokenId UnrecognizedClientException SignatureDoesNotMatch"
    " InvalidSignatureException IncompleteSignature": (
        "AWS does not accept these credentials. Check them, and the computer's clock; outside the"
        " partition aws, name a --region (cn-north-1, us-gov-west-1)."
    ),
    "NoCredentialsError PartialCredentialsError": (
        "The credentials are missing or incomplete: name a profile that has them with --profile or"
        " AWS_PROFILE, or without a profile set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
    ),
    "ProfileNotFound": (
        "There is no profile {profile}: aws configure list-profiles shows the existing ones."
    ),
    "EOFError": (
        "The profile requires an MFA code, and there is no terminal to type it: use credentials"
        " without MFA."
    ),
    "NoRegionError EndpointProviderError": "AWS needs a region: name one with --region.",
    "ValueError": "The region, the endpoint URL or AWS_MAX_ATTEMPTS is not valid: correct it.",
    "ConnectionError ReadTimeoutError": (
        "AWS cannot be reached at {host}: check the network, the proxy, --region and"
        " AWS_ENDPOINT_URL."
    ),
    "ConnectionClosedError": str(not_from_aws("a connection that ends before the answer does")),
    "HTTPClientError": str(not_from_aws("an answer that breaks the rules of HTTP")),
    "ParamValidationError PaginationError": str(not_from_aws("an answer with an invalid value")),
    "AWSOrganizationsNotInUseException": (
        "This account is in no organization: leave out --organization."
    ),
    "ParentNotFoundException": (
        "There is no such organizational unit: aws organizations list-roots leads to their ids."
    ),
    _BUSY_NAMES: "AWS is too busy to answer {call}: try again later, or raise AWS_MAX_ATTEMPTS.",
    "BotoCoreError Exception": (
        "The AWS set-up does not work ({kind}): check the profile in ~/.aws/config."
    ),
}
"""What to do, by AWS's codes and by the names of botocore's and Python's exceptions."""

_ADVICE: Final = {name: advice for names, advice in _ADVICE_TABLE.items() for name in names.split()}

_DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_OTHER_CODES: Final = (
    "AuthFailure ForbiddenException InvalidAction InvalidParameterCombination InvalidParameterValue"
    " InvalidQueryParameter MalformedQueryString MissingAction MissingAuthenticationToken"
    " MissingAuthenticationTokenException MissingParameter NotAuthorized OptInRequired Unauthorized"
    " SerializationException UnknownOperationException ValidationError ValidationException"
)
_COMMON_CODES: Final = frozenset(set(_ADVICE) | _DENIED | set(_OTHER_CODES.split()))
"""Codes that all services of AWS may answer; botocore knows the others of each service."""


def refusal(error: Exception) -> AwsRefused:
    """Return the refusal that says what to do about an error."""
    if isinstance(error, AwsRefused):
        return error
    if isinstance(error, ClientError):
        return _error_answer(error)
    kinds = [kind.__name__ for kind in type(error).__mro__]
    advice = next(_ADVICE[kind] for kind in kinds if kind in _ADVICE)
    known = error.kwargs if isinstance(error, BotoCoreError) else {}
    # The URL's user and password are left out.
    host = urlsplit(str(known.get("endpoint_url", ""))).hostname or "its endpoint"
    return AwsRefused(advice.format(kind=kinds[0], host=host, profile=known.get("profile")))


def _error_answer(error: ClientError) -> ErrorAnswer:
    code = error.response.get("Error", {}).get("Code", "")
    is_code_of_service = type(error) is not ClientError  # botocore has a class for each code.
    if not is_code_of_service and code not in _COMMON_CODES:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", "unknown")
        kind = f"an error without a known code (HTTP status {status})"
        return ErrorAnswer(str(not_from_aws(kind)))
    call = call_name(error.operation_name)
    if code in _DENIED:
        policy = _DENYING_POLICY.search(str(error.response["Error"].get("Message", "")))
        denial = f"AWS denied {call}{f' by {policy[1]}' if policy else ''}"
        more = _ROLE_ADVICE if call == "sts:AssumeRole" else ""
        return ErrorAnswer(f"{denial}: grant the caller this permission.{more}", code)
    advice = _ADVICE.get(code, "AWS refused {call} with {code}.")
    return ErrorAnswer(advice.format(call=call, code=code), code)


def call_name(operation: str) -> str:
    """Return the name of a call as in policies: iam:GetCredentialReport."""
    service = _SERVICES.get(operation)
    return f"{service}:{operation}" if service else operation


_SERVICES: Final = {
    "AssumeRole": "sts",
    "GenerateCredentialReport": "iam",
    "GetCredentialReport": "iam",
    "ListAccounts": "organizations",
    "ListChildren": "organizations",
    "ListServiceSpecificCredentials": "iam",
}


_DENYING_POLICY: Final = re.compile(
    "explicit deny in (an? (identity-based|resource-based|resource control|service"
    " control|session|role trust|VPC endpoint) policy|a permissions boundary)"
)
_ROLE_ADVICE: Final = (
    " AWS answers the same if there is no such role, if its trust policy does not name the caller"
    " and if it requires another --external-id."
)
