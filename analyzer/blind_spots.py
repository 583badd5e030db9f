"""Say once in every output what no credential report can show."""

from typing import Final

BLIND_SPOTS: Final = (
    "SSH public keys (CodeCommit)",
    (
        "service-specific credentials (CodeCommit, Keyspaces, Bedrock and CloudWatch API keys),"
        " unless what AWS lists of them was saved beside the report"
    ),
    "roles, federation and IAM Identity Center",
    "use in the hours before as-of: AWS keeps a report for up to four hours",
)
