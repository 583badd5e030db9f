"""Read the files with decisions that commands are given."""

from typing import TYPE_CHECKING, Annotated

import typer

from analyzer.cli.judging_options import InputFile, read_input_file

if TYPE_CHECKING:
    from analyzer.analysis import Analysis
    from analyzer.decisions.ledger import Entries

DecisionFiles = Annotated[
    list[InputFile],
    typer.Argument(
        metavar="FILES",
        parser=read_input_file,
        help="Workbooks that reviewers filled in, or CSV files in the form of the ledger.",
    ),
]
"""The argument that names files with decisions."""


def read_decisions(files: list[InputFile], analysis: "Analysis | None" = None) -> "list[Entries]":
    """Return what is entered in workbooks and CSV files, compared with the reports judged.

    Raises InputRefused with the problems of all files.
    """
    from analyzer.sources.review_workbook import read_files

    return read_files([(str(each.path), each.content) for each in files], analysis)
