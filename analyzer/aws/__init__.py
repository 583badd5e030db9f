"""Fetch credential reports from AWS; only this package knows boto3.

`report` gets the report of one account through a `client` of botocore, and `fetch` carries out a
request, for one account or an organization. Whatever AWS answers, AwsRefused is raised without a
secret, and a silent endpoint in time. A report is saved whole, as AWS sent it, or not at all. A
`FetchRequest` needs no import of AWS's code.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRequest:
    """Choose the accounts whose reports to fetch, the credentials, and the limits.

    With `role_name`, the patterns and units choose accounts of the organization. Without it, each
    `profile` gives one account, or the ordinary credentials do. `timeout` is in seconds, for the
    list of accounts and for each account.
    """

    profile: list[str] = field(default_factory=list)
    region: str | None = None
    timeout: int = 300
    service_credentials: bool = False
    role_name: str | None = None
    external_id: str | None = None
    include: list[str] = field(default_factory=list)
    exclude: list[str] = field(default_factory=list)
    organizational_unit: list[str] = field(default_factory=list)

    @property
    def asks_several_accounts(self) -> bool:
        """Return whether the request may give reports of more than one account."""
        return self.role_name is not None or len(self.profile) > 1
