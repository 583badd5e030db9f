"""Write the sheet that says how the result came about, and what it cannot tell."""

from collections.abc import Iterable, Mapping
from typing import Final

from analyzer.analysis import Analysis
from analyzer.inspection import Inspection
from analyzer.rules import RULES
from analyzer.rules.rule import Outcome, Rule
from analyzer.standards.results import Result
from analyzer.terms import BLIND_SPOTS, Certainty, Severity, State, Verdict
from analyzer.verdict import REASON_TEXTS, criteria_meanings, verdict_meaning
from analyzer.version import VERSION
from analyzer.writers import users
from analyzer.writers.findings import limits_text, rule_decision, sentence, standard_text
from analyzer.writers.workbook.book import Book, Title
from analyzer.writers.workbook.column import NEVER, NO_EVIDENCE, NOT_REPORTED, NOT_UNDERSTOOD
from analyzer.writers.workbook.grid import Grid, Part
from analyzer.writers.workbook.style import CellStyle

_WIDTHS: Final = (30, 110)

_SHEETS: Final = {
    Title.SUMMARY: (
        "The result, the criteria, the notes, the sign-off, and how the numbers add up to the"
        " rows that were read. The counts are formulas over All users and Findings and recompute."
    ),
    Title.UNUSED: (
        "The list to work through: every unused user who is not exempt, certain ones first,"
        " then the oldest first. Decision, Owner and Comment are for the reviewer."
    ),
    Title.CHANGES: (
        "What changed since the previous run: users who became unused, who are gone, and who are"
        " unused no longer."
    ),
    Title.FINDINGS: (
        "What the rules found, the worst first: each fact with its value and the limit. Exempt"
        " because says why a finding fails no run; Controls, which benchmarks ask for the rule."
        " Decision, Owner and Comment are for the reviewer."
    ),
    Title.CONTROLS: (
        "How each control of the standard came out, how it is decided, and which ones no"
        " credential report can decide. The counts are formulas over Findings and recompute."
    ),
    Title.ALL_USERS: (
        "Everybody, with verdict and every fact of the report; Report and Row say where a fact"
        " stands (the header is row 1). Filter Verdict for retired and dormant users. What one"
        " sheet cannot hold goes on in All users 2, and so on."
    ),
    Title.ROOTS: (
        "The root user of each account, who is no IAM user and gets no verdict: what the rules on"
        " root users looked at. There only if a report has a root row."
    ),
    Title.EXEMPT: (
        "Users who are excused by an entry of the exemption list, which must say why. They keep"
        " their verdict. There only if anybody is exempt."
    ),
    Title.EXEMPTIONS: (
        "Every entry of the exemption list, whom it matches, and whether it applies; with the name"
        " of a rule it excuses from that rule only. There only if there is an entry."
    ),
    Title.UNDETERMINED: (
        "Users of whom the report does not tell enough, with the cells at fault as they stand"
        " in it. There only if there is one. Look at these by hand."
    ),
}

_CERTAINTIES: Final = {
    Certainty.CERTAIN: (
        "Nothing in the report speaks against it. Said of unused and retired users only."
    ),
    Certainty.CHECK: "At least one caveat applies: look into it before the user is deleted.",
}

_CAVEATS: Final = {
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
"""What each caveat means, in the order in which outputs list them."""

_READING: Final = {
    "Times": "All dates and times are in UTC.",
    "Age in days": (
        "Whole days from the creation of the user to as-of. Moments after as-of, as skewed"
        " clocks give, count as 0 days."
    ),
    "Idle days": (
        "Whole days from the latest use of an enabled password or active access key to as-of. A"
        " password never used counts from its last change, an access key from its creation."
        " Empty where there is neither."
    ),
    f"{State.ABSENT}, {State.INACTIVE}, {State.ACTIVE}": (
        "The states of a place for an access key or a signing certificate; a user has two of"
        " each. An inactive key cannot be used until somebody activates it again."
    ),
    NEVER: (
        "AWS has recorded no use. It began to record sign-ins on 2014-10-20 and the use of"
        " access keys on 2015-04-22."
    ),
    "An empty cell": "The report says that there is nothing: no password, no key, no date.",
    f'"…"{NOT_UNDERSTOOD}': (
        "The report's cell as it stands there: it is none of the values that AWS documents. It"
        " is never read as a no."
    ),
    NO_EVIDENCE: (
        "No list of service-specific credentials was saved beside the report; it cannot tell by"
        " itself."
    ),
    NOT_REPORTED: (
        "The report has no such column, as those of 2014 lack the last use of access keys."
    ),
}

_LIMITS: Final = {
    "Who can go": (
        "The report tells about credentials, not about permissions. A user that nobody uses can"
        " still be named in a policy or in the trust of a role."
    ),
    "Deleted credentials": (
        "A deleted access key leaves the report with its last use, and a deleted password may"
        " leave no date behind. What was used with them is not seen."
    ),
    "Accuracy of last use": (
        "AWS records sign-ins to 5 minutes and the use of access keys to 15 minutes, and both"
        " with a delay."
    ),
}

_SOURCES: Final = (
    "AWS IAM User Guide: Generate credential reports for your AWS account; Find unused AWS"
    " credentials. Trend Micro Conformity rule IAM-029, Unused IAM User."
)


def add_method(book: Book, analysis: Analysis, *, with_changes: bool) -> None:
    """Add the sheet."""
    criteria = analysis.criteria
    grid = Grid(book, Title.METHOD, _WIDTHS, users.as_of_and_scope(analysis.report))
    grid.row(Part("Method: how this came about, and its limits", CellStyle.TITLE, 2))
    left_out = set() if with_changes else {Title.CHANGES}
    grid.lines("The sheets", ((k, text) for k, text in _SHEETS.items() if k not in left_out))
    grid.lines("Parameters", criteria_meanings(criteria))
    verdicts = ((verdict, verdict_meaning(verdict, criteria)) for verdict in Verdict)
    grid.words("Verdicts: each user gets the first that applies, in this order", verdicts)
    grid.lines("Reasons of unused users", ((r, f"The user {t}.") for r, t in REASON_TEXTS.items()))
    grid.words("Certainty", _CERTAINTIES.items())
    grid.lines("Caveats: what makes it less than certain that a user can go", _CAVEATS.items())
    add_rules(grid, analysis.inspection)
    grid.lines("How to read the cells", _READING.items())
    grid.lines("How as-of is known, the strongest first", _as_of_sources())
    grid.section("What no credential report can show")
    for blind_spot in BLIND_SPOTS:
        grid.row(Part(sentence(blind_spot), CellStyle.TEXT, 2))
    grid.lines("Other limits", _LIMITS.items())
    grid.lines("Sources", (("Rules and facts", _SOURCES), ("Program", f"credreport {VERSION}")))


def _as_of_sources() -> Iterable[tuple[str, str]]:
    return ((source, sentence(text)) for source, text in users.AS_OF_SOURCES.items())


_OUTCOMES: Final[Mapping[Outcome, str]] = {
    Outcome.FAILS: "The rule fails. A run that is to fail for it does, unless an entry excuses it.",
    Outcome.NOTED: "Named, because it is worth knowing, though nothing fails.",
    Outcome.UNDECIDED: (
        "A cell that the rule needs was not understood, or two rows of one ARN differ in it. Never"
        " taken for a pass: look at it by hand."
    ),
}

_SEVERITY: Final = "Severities: how bad it is that a rule fails, which no standard says"

_SEVERITIES: Final[Mapping[Severity, str]] = {
    Severity.CRITICAL: "The root's own credentials: nothing limits what they can do.",
    Severity.HIGH: "One secret is enough to get in, or the root is in use.",
    Severity.MEDIUM: "A user, a password or a key that nobody uses, or that is too old.",
    Severity.LOW: "More ways in than are needed, or what was left behind.",
}

_RESULTS: Final[Mapping[Result, str]] = {
    Result.FAIL: "At least one finding that is not exempt fails it.",
    Result.UNDECIDED: "Nothing is known to fail it, but not everything was understood or seen.",
    Result.PASS: "Everything was seen, and nothing fails it.",
    Result.EXCUSED: "Only what is exempt fails it.",
    Result.NOT_RUN: "A rule that it needs was not asked for.",
    Result.NOT_DECIDABLE: "No credential report holds what it asks about. It is not a pass.",
}


def add_rules(grid: Grid, inspection: Inspection) -> None:
    """Add the sections about the rules."""
    book = inspection.book
    ran = {rule.id for rule in book.rules}
    left_out = ", ".join(rule.id for rule in RULES if rule.id not in ran) or "none"
    grid.lines(
        "The rules: which ran, and by which limits",
        (
            ("Standard", standard_text(book)),
            ("Limits", limits_text(book)),
            ("Rules that did not run", left_out),
        ),
    )
    grid.lines(
        "How each rule decides",
        (
            (rule.id, f"{_title(rule)}. {rule_decision(rule, book.thresholds)}")
            for rule in book.rules
        ),
    )
    grid.words(_SEVERITY, _SEVERITIES.items())
    grid.words("Outcomes of findings", _OUTCOMES.items())
    grid.words("Results of controls", _RESULTS.items())


def _title(rule: Rule) -> str:
    return f"{rule.severity.capitalize()}. {rule.title}"
