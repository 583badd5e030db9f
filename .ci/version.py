"""The version of a build, no two of which have the same if their code differs.

At a tag it is that of the tag: `0.1.0`. Otherwise it names the commit and a digest over the files
of the package: `0.1.0.dev0+gabc123def.d0123456789ab`. An image has no history: CREDREPORT_COMMIT
names its commit. Files without history and without that have the digest alone.
"""

import hashlib
import os
import re
import subprocess
from pathlib import Path

NEXT = "0.1.0"

ROOT = Path(__file__).resolve().parents[1]


def version(root: Path) -> str:
    """Return the version of the files in a folder; raises ValueError for an invalid commit."""
    history = (root / ".git").exists()
    named = os.environ.get("CREDREPORT_COMMIT", "")
    if named and not re.fullmatch("[0-9a-f]{9,40}", named):
        raise ValueError(f'CREDREPORT_COMMIT is "{named}": name a commit, as `git rev-parse HEAD`')
    if history and not named:
        tag = git(root, "tag", "--points-at", "HEAD", "v*")
        if tag and not git(root, "status", "--porcelain"):
            return tag.split("\n")[0].removeprefix("v")
        named = git(root, "rev-parse", "HEAD")
    commit = f"g{named[:9]}." if named else ""
    return f"{NEXT}.dev0+{commit}d{digest(root)}"


def digest(root: Path) -> str:
    """Return a digest over the names and bytes of all files that make the package."""
    files = (path for path in (root / "analyzer").rglob("*") if path.is_file())
    made_from = sorted(path for path in files if path.parent.name != "__pycache__")
    digests = hashlib.sha256()
    for path in (root / "pyproject.toml", *made_from):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digests.update(f"{content} {path.relative_to(root).as_posix()}\n".encode())
    return digests.hexdigest()[:12]


def git(root: Path, *words: str) -> str:
    """Return what git says of a folder, nothing if it cannot."""
    # The owner of the folder may be another user than the one who installs, such as root.
    command = ["git", "-c", f"safe.directory={root}", *words]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


__version__ = version(ROOT)
