"""Say in words what the verdicts, the criteria and the caveats mean."""

from typing import Final

from analyzer.terms import Criteria, Definition, Verdict

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


def definition(criteria: Criteria) -> str:
    """Return what unused means, of several users."""
    if criteria.definition is Definition.IAM_029:
        return "nobody ever signed in as them, and they have no access key attached"
    return "nobody ever signed in as them, and they have no active access key"


def meaning(verdict: Verdict, criteria: Criteria) -> str:
    """Return what a verdict means; of several that fit, the first in the law's order applies."""
    days = _days(criteria.dormant_days)
    strict = criteria.definition is Definition.IAM_029
    key = "access key attached, active or not" if strict else "active access key"
    return {
        Verdict.UNDETERMINED: (
            "A cell that the decision needs was not understood, or two rows of one ARN differ."
            " Never taken for unused."
        ),
        Verdict.UNUSED: f"Never signed in, and has no {key}.",
        Verdict.RETIRED: (
            "Not unused, but has no password and no active access key: nothing is left to get in"
            " with."
        ),
        Verdict.DORMANT: (
            "Every enabled password and active access key was last used, or made if never used,"
            f" {days} or more before as-of."
        ),
        Verdict.ACTIVE: (
            "All others: an enabled password or active access key was used, or made, less than"
            f" {days} before as-of."
        ),
    }[verdict]


def parameters(criteria: Criteria) -> list[tuple[str, str]]:
    """Return each parameter with its value and what that does."""
    strict = criteria.definition is Definition.IAM_029
    keys = "an inactive access key is one" if strict else "inactive access keys do not count"
    return [
        (
            "Definition of unused",
            f"{criteria.definition}: {meaning(Verdict.UNUSED, criteria)} Here {keys}.",
        ),
        (
            "Dormant from",
            (
                f"{_days(criteria.dormant_days)} without use of any password or access key, in"
                " whole days of 24 hours up to as-of."
            ),
        ),
        (
            "Grace for new users",
            f"Created less than {_days(criteria.grace_days)} before as-of: to be checked.",
        ),
        (
            "As of",
            (
                "Ages and idle times count up to the moment that each report describes, never up to"
                " today."
            ),
        ),
    ]


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number:,} days"
