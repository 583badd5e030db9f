"""Tell the story of `credreport explain`: why one user has its verdict."""

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer

from analyzer.cli import stdout
from analyzer.cli.command import Config
from analyzer.cli.inputs import find_inputs, history_of, load, read_judging
from analyzer.cli.options import InputOptions, JudgingOptions, pattern, wrong_usage
from analyzer.cli.stderr import exit_if_failed_or_partial, say
from analyzer.terms import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.changes.history import History
    from analyzer.judging.analysis import Analysis
    from analyzer.judging.explanation import Explanation
    from analyzer.writers.history import UserHistory


EXAMPLES: Final = (
    "credreport explain lena.hartwig report.csv",
    "credreport explain lena.hartwig runs/ --history",
)


class Form(StrEnum):
    """Choose the form of an explanation."""

    TEXT = "text"
    JSON = "json"


def explain(
    user: Annotated[
        str,
        typer.Argument(
            parser=pattern, metavar="USER", help="Name or ARN of a user, or a pattern with * and ?."
        ),
    ],
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCES", help="Credential reports, as `analyze` takes them."),
    ],
    *,
    form: Annotated[
        Form, typer.Option("--format", metavar="FORMAT", help=f"Write {' or '.join(Form)}.")
    ] = Form.TEXT,
    show_history: Annotated[
        bool, typer.Option("--history", help="Show what happened to the user, from all reports.")
    ] = False,
    input_options: InputOptions,
    judging_options: JudgingOptions,
    config: Config = None,
) -> None:
    """Explain the verdict on one user: cells, caveats, rules and exemptions."""
    del config
    judging = read_judging(judging_options)
    inputs = find_inputs(sources, input_options)
    explained: Sequence[Explanation | UserHistory]
    missing: Sequence[object]
    if show_history:
        from analyzer.changes.coverage import Span

        found = history_of(inputs, judging, Span(), quiet=False)
        explained, missing = _histories(found, user), found.missing
        notes = _notes(found)
    else:
        analysis = judging.analysis(load(inputs))
        explained, missing = _explanations(analysis, user), analysis.report.not_covered
        notes = map(str, missing)
    if form is Form.JSON:
        with stdout.text_stream() as stream:
            json.dump([each.document() for each in explained], stream, indent=2)
            stream.write("\n")
    else:
        pages = (map(printable, str(each).split("\n")) for each in explained)
        stdout.write_lines("\n\n".join(map("\n".join, pages)))
    for note in notes:
        say(note)
    exit_if_failed_or_partial(missing=missing)


def _notes(found: "History") -> "Iterator[str]":
    from analyzer.writers.history import BLIND_SPOT, remarks

    yield from (*remarks(found), BLIND_SPOT)


def _histories(found: "History", user: str) -> "Sequence[UserHistory]":
    """Return the histories of the users that match; raises typer.BadParameter if none does."""
    from analyzer.writers.history import user_histories

    if not (histories := user_histories(found, user)):
        raise wrong_usage(f"'{user}': no IAM user in the reports has this name or ARN", "USER")
    return histories


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
        raise wrong_usage(message, "USER") from None
