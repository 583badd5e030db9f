"""Each error of AWS or botocore has one message that says what to do."""

from typing import Any

import boto3
import pytest
from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from analyzer.aws.errors import refusal
from tests.support.aws_server import LEAK, SECRET, TOKEN

ORGANIZATIONS: Any = boto3.client("organizations", region_name="us-east-1")


def message_for(error: Exception) -> str:
    refused = refusal(error)
    message = str(refused)
    assert [each for each in (SECRET, TOKEN, "pass@", "\n") if each in message] == []
    assert refused.exit_code == 4
    return message


def answered(code: str, operation: str = "ListAccounts", message: str = LEAK) -> ClientError:
    kind: type[ClientError] = ORGANIZATIONS.exceptions.from_code(code)
    return kind({"Error": {"Code": code, "Message": message}}, operation)


@pytest.mark.parametrize(
    ("code", "way_out"),
    [
        ("ExpiredToken", "get new credentials"),
        ("ExpiredTokenException", "get new credentials"),
        ("RequestExpired", "get new credentials"),
        ("UnauthorizedException", "aws sso login"),
        ("InvalidClientTokenId", "name a --region"),
        ("UnrecognizedClientException", "clock"),
        ("SignatureDoesNotMatch", "clock"),
        ("AWSOrganizationsNotInUseException", "leave out --organization"),
        ("ParentNotFoundException", "list-roots"),
        ("TooManyRequestsException", "organizations:ListAccounts: try again later"),
        ("AccessDeniedException", "AWS denied organizations:ListAccounts: grant the caller"),
        ("InvalidInputException", "AWS refused organizations:ListAccounts with InvalidInputExcept"),
        ("OptInRequired", "AWS refused organizations:ListAccounts with OptInRequired."),
        (TOKEN, "not IAM: an error without a known code (HTTP status unknown)"),
        (f"Some\n{'x' * 99}", "an error without a known code"),
        ("", "an error without a known code"),
    ],
)
def test_what_aws_answers(code: str, way_out: str) -> None:
    assert way_out in message_for(answered(code))


def test_an_answer_without_an_error_and_an_operation_of_botocore_itself() -> None:
    assert "an error without a known code" in message_for(ClientError({}, "ListAccounts"))
    message = message_for(answered("ForbiddenException", "GetRoleCredentials"))
    assert message == "AWS refused GetRoleCredentials with ForbiddenException."


def test_a_denied_role_says_what_else_it_may_be() -> None:
    assert message_for(answered("AccessDenied", "AssumeRole")) == (
        "AWS denied sts:AssumeRole: grant the caller this permission. AWS answers the same if there"
        " is no such role, if its trust policy does not name the caller and if it requires another"
        " --external-id."
    )


@pytest.mark.parametrize(
    "kind", ["a service control policy", "an identity-based policy", "a resource control policy"]
)
def test_an_explicit_deny_is_told_by_the_kind_of_its_policy(kind: str) -> None:
    message = f"User: arn:aws:iam::1:user/x is not authorized with an explicit deny in {kind}"
    denied = f"AWS denied organizations:ListAccounts by {kind}: "
    assert message_for(answered("AccessDenied", message=message)).startswith(denied)


PROXY = "https://someone:pass@proxy.example:3128/x"


@pytest.mark.parametrize(
    ("error", "way_out"),
    [
        (exceptions.NoCredentialsError(), "a profile that has them with --profile"),
        (exceptions.PartialCredentialsError(provider="env", cred_var=SECRET), "set both"),
        (exceptions.ProfileNotFound(profile="audit"), "no profile audit: aws configure list-pr"),
        (exceptions.SSOTokenLoadError(error_msg=SECRET), "aws sso login"),
        (exceptions.UnauthorizedSSOTokenError(), "aws sso login"),
        (exceptions.TokenRetrievalError(provider="sso", error_msg=SECRET), "aws sso login"),
        (exceptions.LoginRefreshRequired(), "aws login"),
        (exceptions.NoRegionError(), "--region"),
        (exceptions.CredentialRetrievalError(provider="process", error_msg=SECRET), "~/.aws"),
        (exceptions.ConfigParseError(path=TOKEN), "(ConfigParseError)"),
        (exceptions.EndpointConnectionError(endpoint_url=PROXY), "reached at proxy.example:"),
        (exceptions.ConnectTimeoutError(endpoint_url=PROXY), "check the network"),
        (exceptions.ReadTimeoutError(endpoint_url=PROXY), "check the network"),
        (exceptions.SSLError(endpoint_url=PROXY, error=OSError(SECRET)), "check the network"),
        (exceptions.ProxyConnectionError(proxy_url=PROXY), "reached at its endpoint:"),
        (exceptions.ConnectionClosedError(endpoint_url=PROXY), "ends before the answer does"),
        (exceptions.PaginationError(message=SECRET), "not IAM: an answer with an invalid value"),
        (exceptions.ParamValidationError(report=SECRET), "an answer with an invalid value"),
        (EOFError(), "MFA"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_botocore_raises(error: BotoCoreError, way_out: str) -> None:
    assert way_out in message_for(error)
