"""Define the words that the outputs, the options and the code share."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from importlib.metadata import version
from typing import Final, NamedTuple

VERSION: Final = version("credreport")
"""The version of this program, as it was installed."""

_VERSION_FORM: Final = re.compile(
    r"\d{1,6}(\.\d{1,6}){1,3}((a|b|rc)\d{1,6})?(\.dev\d{1,6})?(\+[0-9a-z]{1,40}(\.[0-9a-z]{1,40})?)?",
    re.ASCII,
)


def version_text(named: str) -> str:
    """Return a version that a file names, if it has the form of one: a file may name anything."""
    return named if _VERSION_FORM.fullmatch(named) else "an unknown version"


OUTPUT_ENDINGS: Final = (
    (".xlsx", ".csv", ".json", ".md", ".html")
    + (".parquet", ".ocsf.json")
    + ("findings.csv", "findings.parquet")
)
"""The endings of the files that can be written; the longest that a name has counts."""

ISO_UTC: Final = "%Y-%m-%dT%H:%M:%SZ"
"""The form in which moments are written, in UTC to the second."""


@lru_cache(maxsize=1024)  # Thousands of findings share the moment of their report.
def utc_text(moment: datetime) -> str:
    """Return an aware moment as `2026-03-01T09:30:00Z`."""
    return moment.astimezone(UTC).strftime(ISO_UTC)


ACCOUNT_ID_PATTERN: Final = "[0-9]{12}"
"""The form of the numbers of AWS accounts."""


ACCOUNT_PATTERN: Final = rf"(aws-[a-z0-9-]+:)?{ACCOUNT_ID_PATTERN}"
"""How outputs and lists name an account (`account_of`)."""


def account_of(partition: str, number: str) -> str:
    """Return the name of an account: its number, behind its partition where that is not `aws`.

    Two partitions may give one number: `aws-cn:111122223333` is not the account 111122223333.
    """
    return number if partition == "aws" else f"{partition}:{number}"


def account_number(account: str) -> str:
    """Return the 12 digits in the name of an account, empty if its name is empty."""
    return account.rpartition(":")[2]


def account_with_zeros(text: str) -> str:
    """Return the account whose leading zeros a spreadsheet cut, empty for any other text."""
    return text.zfill(12) if re.fullmatch("[0-9]{9,11}", text) else ""


ROOT_USER: Final = "<root_account>"
"""The root user's name in a report; the root user is not an IAM user."""

NOT_COVERED: Final = "not-covered"
"""The word for an account that could not be read, where outputs have a row for it."""

OVERDUE: Final = "overdue"
"""The word for a removal that was not carried out, or was undone."""

POSSIBLY_RENAMED: Final = "possibly renamed"
"""The words for a user that may be another user of the same second under a new name."""

CONTROL: Final = "control"
"""The word for a control of a benchmark that fails."""


def code_of(word: StrEnum) -> int:
    """Return the position of a word among those of its kind: its code in a category column."""
    return list(type(word)).index(word)


class Verdict(StrEnum):
    """Judge one IAM user; exactly one applies, the first that fits in this order."""

    UNDETERMINED = "undetermined"
    UNUSED = "unused"
    RETIRED = "retired"
    DORMANT = "dormant"
    ACTIVE = "active"


class UnusedReason(StrEnum):
    """Say why a user is unused; exactly one applies."""

    NEVER_SIGNED_IN = "never-signed-in"
    NEVER_SIGNED_IN_INACTIVE_KEYS = "never-signed-in-inactive-keys"
    NO_CREDENTIALS = "no-credentials"
    INACTIVE_KEYS_ONLY = "inactive-keys-only"


class Exposure(StrEnum):
    """Say how a user could get in: the most dangerous of its working credentials comes first."""

    PASSWORD_WITHOUT_MFA = "password-without-mfa"
    ACCESS_KEY = "access-key"
    PASSWORD_WITH_MFA = "password-with-mfa"
    CERTIFICATE_OR_SERVICE = "certificate-or-service"
    INACTIVE_KEY = "inactive-key"
    NONE = "none"


UNKNOWN_EXPOSURE: Final = " (unknown)"
"""Follows the most dangerous exposure that a user with an unknown cell could have."""

ANY_UNKNOWN_EXPOSURE: Final = "unknown"
"""The word of a filter for users with an unknown exposure, whichever it is."""


class Certainty(StrEnum):
    """Say whether an unused or retired user is certain or needs a check."""

    CERTAIN = "certain"
    CHECK = "check"


class SlotState(StrEnum):
    """Describe one slot for an access key or a signing certificate."""

    ABSENT = "absent"
    INACTIVE = "inactive"
    ACTIVE = "active"
    UNKNOWN = "unknown"


class AsOfSource(StrEnum):
    """Say how the moment that a report describes is known, the strongest first."""

    OPTION = "option"
    ENVELOPE = "envelope"
    METADATA = "metadata"
    FILE_NAME = "file-name"
    FOLDER = "folder"
    ASSUMED = "assumed"


AS_OF_SOURCES: Final[Mapping[str, str]] = {
    AsOfSource.OPTION: "set with --as-of",
    AsOfSource.ENVELOPE: "GeneratedTime, from AWS's answer",
    AsOfSource.METADATA: "from the metadata saved with the report",
    AsOfSource.FILE_NAME: "from the file name",
    AsOfSource.FOLDER: "end of the day in the name of the file or folder",
    AsOfSource.ASSUMED: "assumed: the newest timestamp in the report",
}
"""The sources of as-of in words."""

AWS_SOURCES: Final = (AsOfSource.ENVELOPE, AsOfSource.METADATA, AsOfSource.FILE_NAME)
"""The sources of as-of that are AWS's own, to the second."""


class Severity(StrEnum):
    """Rank the failures of rules, the most severe first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """Return the rank, 0 for the most severe."""
        return code_of(self)


class Benchmark(StrEnum):
    """Name the versions of standards whose controls can be shown, the newest first."""

    CIS_7_0 = "cis-7.0"
    CIS_6_0 = "cis-6.0"
    CIS_5_0 = "cis-5.0"
    CIS_4_0_1 = "cis-4.0.1"
    CIS_3_0 = "cis-3.0"
    CIS_2_0 = "cis-2.0"
    CIS_1_5 = "cis-1.5"
    CIS_1_4 = "cis-1.4"
    CIS_1_2 = "cis-1.2"
    FSBP = "fsbp"


FORMULA_SIGNS: Final = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
"""First signs of cells that a spreadsheet may take for formulas; the last four are full-width."""

NO_VALUE: Final = "N/A"
"""AWS's word for no value."""

NO_SIGN_IN: Final = "no_information"
"""AWS's word for a password that was never used."""

NOT_SUPPORTED: Final = "not_supported"
"""AWS's word for a value of the root that it does not give; in a user's cell it is damage."""


class Feed(StrEnum):
    """Choose a form of results for other systems."""

    OCSF = "ocsf"
    PARQUET = "parquet"


class Format(StrEnum):
    """Choose the format of standard output."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    MARKDOWN = "markdown"
    LINE = "line"
    NAMES = "names"
    ARNS = "arns"
    FINDINGS = "findings"


class HistoryTable(StrEnum):
    """Choose a table of a history."""

    PERIOD = "period"
    USERS = "users"
    EVENTS = "events"
    REPORTS = "reports"
    DECISIONS = "decisions"


class SplitBy(StrEnum):
    """Choose whether to write one workbook per owner or per account."""

    OWNER = "owner"
    ACCOUNT = "account"


LONGEST_SHOWN: Final = 80
"""Characters that are shown of a value that was not understood, if it is longer."""

SERVICE_CREDENTIALS_BLIND_SPOT: Final = (
    "service-specific credentials (CodeCommit, Keyspaces; API keys of Bedrock, Claude Platform on"
    " AWS, CloudWatch, CloudWatch Logs and X-Ray)"
)
"""Credentials that no report shows, but AWS's list does."""

_REMARKS_ON_BLIND_SPOTS: Final[Mapping[str, str]] = {
    "SSH public keys": " (CodeCommit)",
    SERVICE_CREDENTIALS_BLIND_SPOT: ", unless AWS's list was saved with the report",
    "roles, federation and IAM Identity Center": "",
    "use in the hours before as-of": ": AWS keeps a report for up to four hours",
    "use of a password by `aws login`": (
        ": AWS does not document if it changes password_last_used"
    ),
}

BLIND_SPOTS: Final = tuple(what + remark for what, remark in _REMARKS_ON_BLIND_SPOTS.items())
"""Facts that no credential report shows, with remarks."""

BLIND_SPOTS_PAGE: Final = (
    'Not every credential and use is visible: README, "What a report cannot show".'
)
"""The line for a terminal, with the page that names them."""


def printable(text: str) -> str:
    r"""Return the text with everything that is not printable spelled out, as `\n` or `\x1b`."""
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )


def encodable(text: str, encoding: str | None) -> str:
    r"""Return the text, with signs that the encoding lacks escaped as `\xeb`; None lacks none."""
    return text.encode(encoding, "backslashreplace").decode(encoding) if encoding else text


def count_text(number: int, noun: str) -> str:
    """Return a number of things in words: `1 day`, `2,000 days`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def numbers_text(numbers: Mapping[str, int]) -> str:
    """Return the number of each kind, without zeros: `3 fail, 1 undecided`."""
    return ", ".join(f"{number:,} {kind}" for kind, number in numbers.items() if number)


MOST_NAMES: Final = 5
"""Names that are listed; the others are counted."""


def minute_text(at: datetime) -> str:
    """Return a moment in words, in UTC to the minute."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def short_list(names: Sequence[str], most: int = MOST_NAMES) -> str:
    """Return the first names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def with_noun(noun: str, names: Sequence[str]) -> str:
    """Return the first names after their noun: `account 1`, `accounts 1, 2`."""
    return f"{noun}{'' if len(names) == 1 else 's'} {short_list(names)}"


class FileNote(NamedTuple):
    """Note something on one file; `about_many` is the text for many such files."""

    file: str
    text: str
    about_many: str


def folded_notes(notes: Iterable[FileNote]) -> Iterator[str]:
    """Yield the texts of notes by kind; above `MOST_NAMES` one text that names the first files."""
    by_kind: dict[str, list[FileNote]] = defaultdict(list)
    for note in notes:
        by_kind[note.about_many].append(note)
    for about_many, alike in by_kind.items():
        if len(alike) <= MOST_NAMES:
            yield from (note.text for note in alike)
        else:
            names = list(dict.fromkeys(note.file for note in alike))
            yield f"{len(names):,} {about_many}: {short_list(names)}."


def missing_columns_text(names: Sequence[str]) -> str:
    """Return a text on missing columns: `column arn is missing`."""
    return f"{with_noun('column', names)} {'is' if len(names) == 1 else 'are'} missing"


WILDCARDS: Final = {"*": ".*", "?": "."}
"""The signs that match in a pattern, each with its regular expression."""


def pattern_regex(text: str) -> str:
    """Return the regular expression of a pattern with `WILDCARDS`."""
    return "(?s:" + "".join(WILDCARDS.get(sign, re.escape(sign)) for sign in text) + ")"
