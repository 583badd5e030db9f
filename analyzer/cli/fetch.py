"""Run `credreport fetch`: ask AWS for the reports of accounts, and save them.

`export` has the same options for requests to AWS.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from analyzer.aws import FetchRequest
from analyzer.cli.inputs import require
from analyzer.cli.log import Log, TextOrJson
from analyzer.cli.options import OUTPUT, REPEATED, option
from analyzer.cli.streams import exit_if_failed_or_partial, progress, say, text_stream, utc_now
from analyzer.cli.values import text_form, whole_number

if TYPE_CHECKING:
    from analyzer.aws.report import FetchedReport

EXAMPLES: Final = (
    "credreport fetch -o reports/",
    "credreport fetch --organization --role-name credreport -o reports/",
)


STANDARD_OUTPUT: Final = "-"

_secret: Final = partial(text_form, secret=True)
_of_aws: Final = partial(option, rich_help_panel="AWS")
_of_organization: Final = partial(option, rich_help_panel="With --organization")
_DEFAULT: Final = FetchRequest()
_MATCHING: Final = f"with this id or name; * and ? match; {REPEATED}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsOptions(FetchRequest):
    """Hold the accounts whose reports to fetch, the endpoint and the credentials."""

    profile: list[str] = _of_aws([], metavar="NAME", help=f"Profile of AWS; {REPEATED}")
    region: str | None = _of_aws(None, metavar="NAME", help="Region, such as cn-north-1 in China.")
    timeout: int = _of_aws(
        _DEFAULT.timeout,
        **whole_number(1, what="a whole number of seconds", metavar="SECONDS"),
        help="Seconds per account.",
    )
    service_credentials: bool = _of_aws(
        False, "--service-credentials", help="Also save AWS's list of service-specific credentials."
    )
    role_name: str | None = _of_organization(
        None,
        **_secret(r"/?([!-~]+/)?[\w+=,.@-]{1,64}", "use one such as credreport", "NAME"),
        help="Role to assume in each account.",
    )
    external_id: str | None = _of_organization(
        None,
        **_secret(r"[\w+=,.@:/-]{2,1224}", "use one such as audit-2026", "ID"),
        help="External id of the role.",
    )
    include: list[str] = _of_organization([], metavar="PATTERN", help=f"Only accounts {_MATCHING}")
    exclude: list[str] = _of_organization([], metavar="PATTERN", help=f"No accounts {_MATCHING}")
    organizational_unit: list[str] = _of_organization(
        [], metavar="ID", help=f"Only accounts in this unit or below; {REPEATED}"
    )
    organization: bool = _of_aws(
        False, "--organization", help="Read all accounts of the organization."
    )

    def check(self) -> None:
        """Raise typer.BadParameter for options that do not go together."""
        needing = (self.role_name, self.include, self.exclude, self.organizational_unit)
        alone = "options about roles, patterns and units need --organization"
        require(self.role_name or not self.organization, "--organization needs --role-name")
        one_profile = len(self.profile) < 2 or not self.organization
        require(one_profile, "--organization takes one --profile")
        require(self.organization or not any(needing), alone)


def fetch(
    *,
    output: str = typer.Option(
        ".",
        *OUTPUT,
        metavar="PATH",
        help="Write to this folder, or for one account to a .csv or .json file, or - for standard"
        " output.",
    ),
    aws: AwsOptions,
    quiet: bool = typer.Option(False, "--quiet", "-q", help="Write errors only."),
) -> None:
    """Fetch the credential report from AWS: two calls per account, none per user.

    The two calls are iam:GenerateCredentialReport and iam:GetCredentialReport, as in the policy
    samples/policies/fetch.json.
    """
    _check_options(output, aws)
    from analyzer.aws.fetch import fetch_accounts, save_report
    from analyzer.files import replace_files
    from analyzer.sources import fetch_manifest

    many = aws.asks_several_accounts
    save = partial(save_report, partial(_path, output, many=many))
    now = utc_now()
    log = Log(form=TextOrJson.TEXT, quiet=quiet)
    with progress("Fetching reports", quiet=quiet) as advance:
        to_stdout = output == STANDARD_OUTPUT
        keep = partial(_keep, _print_report if to_stdout else save, now)
        outcomes = fetch_accounts(aws, keep, advance, log.log_wait)
    entries = outcomes.entries
    fetch_manifest.require_any_report(entries)
    if many:
        folder, name = Path(output), fetch_manifest.FETCHED_MANIFEST
        replace_files({folder / name: fetch_manifest.manifest_bytes(outcomes)})
        log.say(
            "fetched",
            f"Wrote {folder}: {fetch_manifest.status_counts_text(entries)}; {name} lists them",
        )
    else:
        (entry,) = entries
        what = f"{entry.file}: account {entry.account}, generated at {entry.generated_time}"
        log.say("fetched", f"Wrote {what}")
    failures = fetch_manifest.failures(entries)
    gaps = fetch_manifest.unknown_service_credentials(entries)
    for failure in failures:
        say(failure)
    for pattern in outcomes.unmatched:
        say(f"Note: {fetch_manifest.unmatched_sentence(pattern)}")
    for gap in gaps:
        say(f"Note: {gap}")
    exit_if_failed_or_partial(missing=failures + gaps)


def _check_options(output: str, aws: AwsOptions) -> None:
    """Refuse options that contradict each other; raises typer.BadParameter."""
    aws.check()
    many = aws.asks_several_accounts
    one_report = output != STANDARD_OUTPUT or not (many or aws.service_credentials)
    require(one_report, "-o - writes one report and no other file: name a folder")
    require(not (many and Path(output).is_file()), "several accounts need a folder")


def _path(output: str, name: str, *, many: bool) -> Path:
    is_file = output.lower().endswith((".csv", ".json")) and not Path(output).is_dir()
    return Path(output) if is_file and not many else Path(output, name)


def _keep(save: Callable[["FetchedReport"], str], now: datetime, report: "FetchedReport") -> str:
    """Save a report, and return where; raises TimeRefused if it is later than the clock."""
    from analyzer.report.age import TimeRefused, later_problem

    if problem := later_problem(report.name, report.generated, now):
        raise TimeRefused([problem])
    return save(report)


def _print_report(report: "FetchedReport") -> str:
    with text_stream() as stream:
        stream.buffer.write(report.content)
    return "standard output"
