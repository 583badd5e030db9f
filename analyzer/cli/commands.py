"""Name the commands; the module of one is imported when it is asked for.

Each command is `app` in the module of its name. To import and build all of them takes 25 ms, so the
help has their first lines from here.
"""

from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final

from typer.main import get_command

from analyzer.cli.choices import Group

SUMMARIES: Final = {
    "analyze": "Find unused IAM users: never signed in, and no active access key.",
    "explain": "Explain the verdict on one user: cells, caveats, rules and exemptions.",
    "diff": "Show what changed between two reports: users, verdicts, credentials and findings.",
    "collect": "Check the decisions in filled-in workbooks, and add what is new to a ledger.",
    "plan": "Write a shell script that deactivates or deletes the users that reviewers decided on.",
    "fetch": "Fetch the credential report from AWS: two calls per account, none per user.",
    "export": "Fetch reports, analyze them and keep all outputs as one run, for cron.",
    "rules": "List the rules, or explain one.",
}
"""The first line of each command's help, in the order of the help."""


class Program(Group):
    """Run the command that is asked for."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the command with its options, and what is left of the arguments."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, _command(name) if name else command, rest


def placeholder() -> None:
    """Stand for a command in the help."""


def every_command() -> Iterator[Any]:
    """Yield all commands with their options."""
    return map(_command, SUMMARIES)


def _command(name: str) -> Any:
    return get_command(import_module(f"analyzer.cli.{name}").app)
