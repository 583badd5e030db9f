"""Wire `credreport explain`: show the cells, caveats and rules behind the verdict on one user."""

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from analyzer.cli.choices import Command
from analyzer.cli.input_options import InputOptions, find_inputs, load
from analyzer.cli.judging_options import AnalysisOptions, read_judging
from analyzer.cli.options import Config, with_options
from analyzer.cli.stderr import exit_if_failed_or_partial, say
from analyzer.terms import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.judging.analysis import Analysis
    from analyzer.judging.explanation import Explanation


class Form(StrEnum):
    """Choose the form of an explanation."""

    TEXT = "text"
    JSON = "json"


app = typer.Typer(add_completion=False)


@app.command(cls=Command, no_args_is_help=True)
@with_options
def explain(
    user: Annotated[
        str,
        typer.Argument(metavar="USER", help="Name or ARN of a user, or a pattern with * and ?."),
    ],
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCES", help="Credential reports, as `analyze` takes them."),
    ],
    *,
    form: Annotated[
        Form,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help=f"Write {' or '.join(Form)}.",
        ),
    ] = Form.TEXT,
    input_options: InputOptions,
    judging_options: AnalysisOptions,
    config: Config = None,
) -> None:
    """Explain the verdict on one user: cells, caveats, rules and exemptions."""
    del config
    from analyzer.cli.stdout import escape_unencodable, flushed_stdout, text_for_terminal

    judging = read_judging(judging_options)
    analysis = judging.analysis(load(find_inputs(sources, input_options)))
    explained = _explanations(analysis, user)
    with flushed_stdout():
        escape_unencodable()
        typer.echo(_json(explained) if form is Form.JSON else text_for_terminal(_text(explained)))
    missing = analysis.report.not_covered
    for each in missing:
        say(str(each))
    exit_if_failed_or_partial(partial=bool(missing))


def _explanations(analysis: "Analysis", user: str) -> "Sequence[Explanation]":
    """Return the explanations of the users that match.

    Raises typer.BadParameter if none does.
    """
    try:
        return analysis.explain(user)
    except ValueError:
        message = f"'{user}': no IAM user in the reports has this name or ARN"
        if user.startswith("<root") or user.endswith(":root"):
            message += (
                " (the root user has no verdict; `credreport analyze --details` shows its findings)"
            )
        elif not {"*", "?"} & {*user}:
            message += f"; use a pattern such as '{user}*' to match several names"
        raise typer.BadParameter(message, param_hint="USER") from None


def _text(explained: "Sequence[Explanation]") -> str:
    """Return the explanations as text that cannot control a terminal."""
    return "\n\n".join("\n".join(map(printable, str(each).split("\n"))) for each in explained)


def _json(explained: "Sequence[Explanation]") -> str:
    return json.dumps([each.document() for each in explained], indent=2)
