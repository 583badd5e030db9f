"""Take the options on what is written, and keep it from being written over what was read."""

from collections.abc import Iterable
from os.path import realpath
from pathlib import Path
from typing import Annotated

import typer

from analyzer.cli.choices import of_form
from analyzer.terms import REGION_PATTERN

HubRegion = Annotated[
    str | None,
    typer.Option(
        callback=of_form(REGION_PATTERN, "use a region such as eu-west-1"),
        metavar="REGION",
        rich_help_panel="Output",
        help="Set the region of the Security Hub that imports ASFF; default the home region of the"
        " partition.",
    ),
]
"""The option for the region that ASFF is written for."""


def check_outputs(outputs: Iterable[Path], inputs: "Iterable[str | Path | None]") -> None:
    """Refuse to write over an input, which is the evidence for the result, or to one file twice.

    What a reviewer entered, and what is saved with reports, is evidence too.

    Raises typer.BadParameter.
    """
    from analyzer.writers import check_targets

    try:
        for each in outputs:
            _check_evidence(each)
        check_targets(outputs, filter(None, inputs))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--output") from None


def _check_evidence(output: Path) -> None:
    from analyzer.sources.companions import COMPANIONS

    if _holds_entries(output):
        raise ValueError(f"{output} has decisions of a reviewer: write to another file")
    if realpath(output).endswith(COMPANIONS):
        reason = "has the name of a file that is saved with reports"
        raise ValueError(f"{output} {reason}: write to another file")


def _holds_entries(output: Path) -> bool:
    """Return whether writing an output would lose what a reviewer entered."""
    if output.suffix.lower() != ".xlsx" or not output.exists():
        return False
    from analyzer.sources.review_sheets import holds_entries

    return holds_entries(output)
