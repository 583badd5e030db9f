"""Ask AWS through botocore, which limits each call and tries again, with credentials of a profile or role.

The text of an answer that is not AWS's is never quoted: it may repeat a request with its secrets.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from threading import Lock
from typing import Any, Final, NamedTuple, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.paginate import Paginator

from analyzer.aws import FetchRequest
from analyzer.aws.errors import Late, call_name, not_from_aws, refusal

T = TypeVar("T")

_REGION: Final = "us-east-1"  # where IAM of partition aws is asked if no region is named
_CONFIG: Final = Config(
    connect_timeout=10,
    read_timeout=30,
    retries={
        "mode": "standard",
        "total_max_attempts": int(__import__("os").environ.get("AWS_MAX_ATTEMPTS", 4)),
    },
    max_pool_connections=64,
)
LARGEST_ANSWER: Final = 64 << 20  # for the tests only

_IAM_PAGES: Final = {
    "input_token": "Marker",
    "output_token": "Marker",
    "more_results": "IsTruncated",
    "result_key": "ServiceSpecificCredentials",
}
"""The paging of ListServiceSpecificCredentials in IAM, which botocore lacks."""


class Deadline:
    """Limit the requests for an account: no call starts after `timeout` seconds."""

    def __init__(self, timeout: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Start to count the seconds."""
        self.timeout = timeout
        self._clock = clock
        self._end = clock() + timeout

    @property
    def seconds_left(self) -> float:
        """Return the seconds until the deadline, 0 after it."""
        return max(self._end - self._clock(), 0)


class AwsSession:
    """Make clients of one profile, or of the ordinary credentials if none is named."""

    def __init__(self, request: FetchRequest, profile: str | None = None) -> None:
        """Keep the credentials; no request is sent yet. Raises AwsRefused if there is no profile."""
        self._endpoint, self._lock = request.endpoint_url, Lock()  # sessions are not thread-safe
        try:
            self._session = boto3.Session(profile_name=profile, region_name=request.region)
        except BotoCoreError as error:
            raise refusal(error) from None

    def client(self, service: str, deadline: Deadline, **credentials: str) -> "DeadlineClient":
        """Return a client of a service; raises AwsRefused if settings or credentials are not valid."""
        create: Callable[..., Any] = self._session.client
        region = self._session.region_name or _REGION
        try:
            with self._lock:
                client = create(
                    service,
                    region_name=region,
                    endpoint_url=self._endpoint,
                    config=_CONFIG,
                    **credentials,
                )
        except Exception as error:  # noqa: BLE001  a program for credentials may answer anything
            raise refusal(error) from None
        return DeadlineClient(client, deadline)

    def close(self) -> None:
        """Close nothing: botocore's connections close with the process."""


class DeadlineClient(NamedTuple):
    """Call AWS through a client of botocore, until a deadline."""

    client: Any
    deadline: Deadline

    def answer(self, operation: str, **arguments: Any) -> Mapping[str, Any]:
        """Return the answer to a call; raises Late, ErrorAnswer for AWS's errors, or AwsRefused."""
        answer: Mapping[str, Any] = self._result(
            operation, lambda: getattr(self.client, operation)(**arguments)
        )
        return answer

    def pages(self, operation: str, **arguments: Any) -> Iterator[Mapping[str, Any]]:
        """Yield the pages of a list, one answer each; raises like `answer`."""
        if self.client.can_paginate(operation):
            paginator = self.client.get_paginator(operation)
        else:
            model = self.client.meta.service_model
            name = self.client.meta.method_to_api_mapping[operation]
            call = getattr(self.client, operation)
            paginator = Paginator(call, _IAM_PAGES, model.operation_model(name))
        pages = iter(paginator.paginate(**arguments))
        while page := self._result(operation, lambda: next(pages, None)):
            yield page

    def _result(self, operation: str, call: Callable[[], T]) -> T:
        name = call_name(self.client.meta.method_to_api_mapping[operation])
        if not self.deadline.seconds_left:
            raise Late(
                f"AWS did not answer {name} within the {self.deadline.timeout:g} seconds of"
                " --timeout. Try again later, or wait longer with --timeout."
            )
        try:
            return call()
        except (BotoCoreError, ClientError, EOFError) as error:
            raise refusal(error) from None
        except Exception:  # noqa: BLE001  botocore raises anything for an answer that is not AWS's
            raise not_from_aws("an answer that cannot be read") from None


def required_field(answer: object, name: str, kind: type[T]) -> T:
    """Return a field of an answer; raises AwsRefused if it has another type or is empty text."""
    value = answer.get(name) if isinstance(answer, Mapping) else None
    if not isinstance(value, kind) or value == "":
        raise not_from_aws(f"an answer without {name}")
    return value
