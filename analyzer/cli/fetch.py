"""Wire `credreport fetch`: ask AWS for the report of one account or many, and save it."""

import os
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer

from analyzer.cli.aws_options import Asking, refuse
from analyzer.cli.grouped import with_options
from analyzer.cli.options import Config

STANDARD_OUTPUT: Final = "-"


@with_options
def fetch(
    *,
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            metavar="PATH",
            help="A folder, a file for one account, or - for standard output.",
        ),
    ] = ".",
    asking: Asking,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
    config: Config = None,
) -> None:
    """Fetch the credential report from AWS: two calls an account, and none per user."""
    del config
    asking.check()
    refuse(
        {
            "-o - takes one report, and nothing beside it": output == STANDARD_OUTPUT
            and (asking.many or asking.service_credentials),
            "many accounts need a folder": asking.many and Path(output).is_file(),
        }
    )
    from analyzer.cli import outcome
    from analyzer.cli.stderr import progress
    from analyzer.sources.fetch import save

    place = partial(_path, output, many=asking.many)
    keep = partial(save, place, evidence=asking.service_credentials)
    with progress(quiet=quiet) as told:
        read = asking.read(outcome.printed if output == STANDARD_OUTPUT else keep, told)
    if asking.many:
        outcome.end_many(read, Path(output), quiet=quiet)
    else:
        outcome.end(read.entries, quiet=quiet)


def _path(output: str, name: str, *, many: bool) -> Path:
    is_folder = many or output.endswith(("/", os.sep)) or Path(output).is_dir()
    return Path(output, name) if is_folder else Path(output)
