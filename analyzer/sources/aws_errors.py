"""Say in words of our own why AWS did not answer, and what to do about it.

What AWS or boto3 says is never repeated but for the error's code, the operation's name and the
host: the rest may hold parts of a signed request, and with them a token.
"""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from analyzer.errors import AwsRefused

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
_SERVICES: Final = {
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
            "There are no whole credentials: name a profile with --profile or AWS_PROFILE, or set"
            " both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        ),
    ),
    (
        ("ProfileNotFound",),
        "There is no such profile: aws configure list-profiles shows those that there are.",
    ),
    (
        ("EOFError",),
        "The profile wants an MFA code, and nobody is there to type it: use credentials without.",
    ),
    (
        ("NoRegionError", "EndpointProviderError"),
        "AWS needs a region to be found: name one with --region.",
    ),
    (
        ("HTTPClientError", "ConnectionError"),
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
    (BUSY, "AWS is too busy to answer {call}: try again later, or raise AWS_MAX_ATTEMPTS."),
)


def code(error: ClientError) -> str:
    """Return AWS's code for an error, empty where it gave none."""
    return error.response.get("Error", {}).get("Code", "")


def refusal(error: Exception) -> str:
    """Return the message for an error that AWS or boto3 raised."""
    if isinstance(error, ClientError):
        return _answered(error)
    kinds = [kind.__name__ for kind in type(error).__mro__]
    unknown = f"The AWS set-up does not work ({kinds[0]}): check the profile in ~/.aws/config."
    return _advice(kinds, host=_host(error)) or unknown


def _answered(error: ClientError) -> str:
    call = _call(error)
    if code(error) in _DENIED:
        return _denied(call, error.response.get("Error", {}).get("Message", ""))
    unknown = f"AWS refused {call} with {_word(code(error)) or 'no code'}."
    return _advice([code(error)], call=call) or unknown


def _advice(names: Iterable[str], **known: str) -> str:
    for name in names:
        for listed, text in _ADVICE:
            if name in listed:
                return text.format(**known)
    return ""


def _call(error: ClientError) -> str:
    operation = error.operation_name
    service = _SERVICES.get(operation)
    return f"{service}:{operation}" if service else operation


def _denied(call: str, message: str) -> str:
    why = _POLICY.search(message)
    because = f" by {why[1]}" if why else ""
    also = _ROLE if call == "sts:AssumeRole" else ""
    return f"AWS denied {call}{because}: grant the caller this permission.{also}"


_POLICY: Final = re.compile(r"explicit deny in (an? [a-z][a-z -]{2,40} policy)")
_ROLE: Final = (
    " The same is said where there is no such role, where its trust policy does not name the"
    " caller, and where it wants another --external-id."
)


def _host(error: Exception) -> str:
    """Return whom an error is about, without what an URL may hold besides: user and password."""
    told = error.kwargs if isinstance(error, BotoCoreError) else {}
    return urlsplit(str(told.get("endpoint_url", ""))).hostname or "its endpoint"


def _word(text: str) -> str:
    return "".join(re.findall(r"[A-Za-z0-9.]", text))[:64]
