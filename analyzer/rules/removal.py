"""Say how a user is removed, in command lines: what to look at first, and what AWS wants gone."""

from typing import Final

UNSEEN: Final = (
    "# What no report shows: each of these must list nothing.",
    "aws iam list-service-specific-credentials --user-name=NAME",
    "aws iam list-ssh-public-keys --user-name=NAME",
)
"""Come first: a user with one of these is in use, or may be."""

DELETION: Final = (
    "# Then what would make AWS refuse the last line, each with --user-name=NAME:",
    "# delete-access-key, delete-signing-certificate, deactivate-mfa-device,",
    "# delete-user-policy, detach-user-policy, remove-user-from-group.",
    "aws iam delete-user --user-name=NAME",
)
"""Come last (IAM User Guide, Remove an IAM user: DeleteUser fails with DeleteConflict before)."""
