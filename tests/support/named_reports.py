"""Load made-up reports by their names, as a folder has them, without writing them to a folder."""

from datetime import datetime
from io import BytesIO
from pathlib import Path

from analyzer.report.input_formats import InputLimit
from analyzer.report.report import Report
from analyzer.sources.find import find_sources, stream_sources
from analyzer.sources.load import load_sources, moment_in_utc

Named = tuple[str, bytes]


def load_named(
    *sources: Path | Named, as_of: datetime | None = None, with_older: bool = False
) -> Report:
    """Return the reports of these names and contents, and those in files, as one."""
    limit = InputLimit()
    inputs = find_sources([str(each) for each in sources if isinstance(each, Path)], limit)
    named = sorted(each for each in sources if isinstance(each, tuple))
    for name, content in named:
        inputs += stream_sources(name, BytesIO(content), limit)
    return load_sources([], inputs, as_of and moment_in_utc(as_of), with_older=with_older)
