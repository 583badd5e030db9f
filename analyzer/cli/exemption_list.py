"""Take a list of exemptions as an option: it is read once, for a pipe gives its bytes only once."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from analyzer.model import Exemptions


@dataclass(frozen=True, slots=True)
class ExemptionList:
    """Hold a list that was read once: a pipe gives its bytes only once."""

    path: Path
    content: bytes

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of its bytes."""
        from hashlib import sha256

        return sha256(self.content).hexdigest()

    def exemptions(self) -> "Exemptions":
        """Return what it holds.

        Raises InputRefused.
        """
        from analyzer.exemptions import read_exemptions

        return read_exemptions(str(self.path), self.content)


def read(text: str) -> ExemptionList:
    """Read the list that an option names.

    Raises typer.BadParameter where it cannot be read.
    """
    try:
        return ExemptionList(Path(text), Path(text).read_bytes())
    except OSError as error:
        raise typer.BadParameter(f"{text} cannot be read: {error.strerror}") from None
