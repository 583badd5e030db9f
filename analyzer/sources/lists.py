"""Read the lists that go with reports: a path or a content in memory is read the same way."""

from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from analyzer.decisions.ledger import Ledger
from analyzer.decisions.ledger import read_ledger as parsed_ledger
from analyzer.errors import InputRefused
from analyzer.lists.exemptions import read_exemptions as parsed_exemptions
from analyzer.lists.owners import Owners
from analyzer.lists.owners import read_owners as parsed_owners
from analyzer.report.model import Exemptions

ListSource: TypeAlias = str | Path | bytes | tuple[str, bytes]
"""The path of a file, its bytes, or its name and bytes."""


def read_exemptions(source: ListSource, rules: Iterable[str] = ()) -> Exemptions:
    """Return the entries of an exemption list.

    `rules` are the ids of rules of one's own, which an entry can name too.

    Raises InputRefused with every problem.
    """
    return parsed_exemptions(*_name_and_bytes(source, "exemptions"), rules)


def read_owners(source: ListSource) -> Owners:
    """Return the owners of users in a list; raises InputRefused with every problem."""
    return parsed_owners(*_name_and_bytes(source, "owners"))


def read_ledger(source: ListSource) -> Ledger:
    """Return the decisions of a ledger; raises InputRefused with every problem."""
    return parsed_ledger(*_name_and_bytes(source, "ledger"))


def _name_and_bytes(source: object, what: str) -> tuple[str, bytes]:
    match source:
        case bytes():
            return what, source
        case (str(name), bytes(content)):
            return name, content
        case str() | Path():
            try:
                return str(source), Path(source).read_bytes()
            except OSError as error:
                reason = f"it cannot be read: {error.strerror}"
                raise InputRefused.of_file(str(source), reason, "Check the path.") from None
    kind = type(source).__name__
    raise TypeError(f"a list is a path, bytes, or a pair (name, bytes), not a {kind}")
