"""Say in words what the verdicts, the criteria and the caveats mean."""

from typing import Final

CAVEATS: Final = {
    "active-certificate": (
        "An X.509 signing certificate is active: a way in that the definition does not count."
        " Ask who signs requests with it before anything is deleted."
    ),
    "inactive-key-was-used": (
        "An inactive access key has a last-used date: somebody used this user once. Find out what"
        " used the key, and whether that is over."
    ),
    "created-before-tracking": (
        "Created before 2014-10-20, when AWS began to record sign-ins: earlier ones left no trace."
    ),
    "sign-in-gap": (
        "Has a password that may have been used from 2018-05-04 05:50 to 2018-05-23 21:08 UTC,"
        " when AWS recorded no sign-ins."
    ),
    "mfa-registered": (
        "An MFA device is registered, though nobody ever signed in: somebody prepared the user"
        " for use."
    ),
    "service-credential-user": (
        "The name has the form that AWS gives to users made for a service API key"
        " (BedrockAPIKey-…): its key is live, yet invisible in the report."
    ),
    "service-credential": (
        "Evidence saved beside the report shows an active service-specific credential."
    ),
    "more-credentials": (
        "The report says that the user has more credentials than it lists (column"
        " additional_credentials_info): the two slots are not all."
    ),
    "new-user": (
        "Created so shortly before as-of that the report may be older than the first use."
    ),
}
"""What each caveat means; all of them in the order in which they are listed."""
